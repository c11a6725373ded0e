/* span.h - bytes: a view of some, a growing buffer of some, and reading numbers out of them without ever leaving them. */
#ifndef TN_BASE_SPAN_H
#define TN_BASE_SPAN_H
#include "base/memory.h"

/* A view; owns nothing. */
typedef struct {
    const uint8_t *data;
    size_t size;
} tn__span;

/* The part [offset, offset + size); false when it is not all inside. */
bool tn__span_part(tn__span whole, uint64_t offset, uint64_t size, tn__span *part);

/* A growing buffer; all zero is empty. */
typedef struct {
    uint8_t *data;
    size_t size, capacity;
} tn__bytes;
tn_status tn__bytes_append(tn__bytes *bytes, const void *data, size_t size); /* data NULL: zeros */
tn_status tn__bytes_resize(tn__bytes *bytes, size_t size);                   /* new bytes are zero */
tn_status tn__bytes_reserve(tn__bytes *bytes, size_t capacity);
void tn__bytes_free(tn__bytes *bytes);
static inline tn__span tn__bytes_span(const tn__bytes *bytes)
{
    return (tn__span){ bytes->data, bytes->size };
}

/* Little-endian numbers. A reader that ran out stays failed, gives 0, and is asked once at the end. */
typedef struct {
    tn__span span;
    size_t at;
    bool failed;
} tn__reader;
uint64_t tn__read_uint(tn__reader *reader, int width); /* 1 to 8 bytes */
static inline uint8_t tn__read_u8(tn__reader *r) { return (uint8_t)tn__read_uint(r, 1); }
static inline uint16_t tn__read_u16(tn__reader *r) { return (uint16_t)tn__read_uint(r, 2); }
static inline uint32_t tn__read_u32(tn__reader *r) { return (uint32_t)tn__read_uint(r, 4); }
static inline uint64_t tn__read_u64(tn__reader *r) { return tn__read_uint(r, 8); }
tn__span tn__read_span(tn__reader *reader, uint64_t size); /* empty and failed when there are fewer */
void tn__read_skip(tn__reader *reader, uint64_t size);
tn_status tn__bytes_append_uint(tn__bytes *bytes, uint64_t value, int width);

#endif
