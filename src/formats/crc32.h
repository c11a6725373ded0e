/* crc32.h - CRC-32, the checksum of zip archives, as zlib gives it, and faster where the processor multiplies without carries. */
#ifndef TN_FORMATS_CRC32_H
#define TN_FORMATS_CRC32_H
#include <stddef.h>
#include <stdint.h>

/* The checksum of what had `crc` (0: nothing) and then these bytes. */
uint32_t tn__crc32(uint32_t crc, const void *data, size_t size);

#endif
