/* crc32c.h - CRC-32C (Castagnoli), the checksum of TensorFlow's checkpoints and records. */
#ifndef TN_FORMATS_CRC32C_H
#define TN_FORMATS_CRC32C_H
#include <stddef.h>
#include <stdint.h>

/* The checksum of what had `crc` (0: nothing) and then these bytes. */
uint32_t tn__crc32c(uint32_t crc, const void *data, size_t size);
/* The same by tables, without the processor's instruction: what other processors run. */
uint32_t tn__crc32c_by_tables(uint32_t crc, const void *data, size_t size);
/* As it stands in files: turned and moved, since the checksum of bytes that hold their own one is
 * no good. */
static inline uint32_t tn__crc32c_mask(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}
static inline uint32_t tn__crc32c_unmask(uint32_t masked)
{
    uint32_t turned = masked - 0xa282ead8u;
    return turned >> 17 | turned << 15;
}

#endif
