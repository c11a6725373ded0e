/* span.c */
#include "base/span.h"
#include <string.h>

bool tn__span_part(tn__span whole, uint64_t offset, uint64_t size, tn__span *part)
{
    if (offset > whole.size || size > whole.size - offset)
        return false;
    /* no bytes have no address, and 0 may not be added to one that is not there */
    *part = (tn__span){ whole.data ? whole.data + offset : NULL, (size_t)size };
    return true;
}

tn_status tn__bytes_reserve(tn__bytes *bytes, size_t capacity)
{
    if (capacity <= bytes->capacity)
        return TN_OK;
    size_t grown = bytes->capacity + bytes->capacity / 2;
    if (grown < capacity)
        grown = capacity < 64 ? 64 : capacity;
    uint8_t *moved = tn__realloc(bytes->data, grown);
    if (!moved)
        return TN_RESOURCE_EXHAUSTED;
    bytes->data = moved;
    bytes->capacity = grown;
    return TN_OK;
}

tn_status tn__bytes_append(tn__bytes *bytes, const void *data, size_t size)
{
    size_t needed;
    if (!tn__size_add(bytes->size, size, &needed))
        return tn__fail_memory(SIZE_MAX);
    TN_TRY(tn__bytes_reserve(bytes, needed));
    if (size && data)
        memcpy(bytes->data + bytes->size, data, size);
    else if (size)
        memset(bytes->data + bytes->size, 0, size);
    bytes->size = needed;
    return TN_OK;
}

tn_status tn__bytes_resize(tn__bytes *bytes, size_t size)
{
    if (size > bytes->size)
        return tn__bytes_append(bytes, NULL, size - bytes->size);
    bytes->size = size;
    return TN_OK;
}

void tn__bytes_free(tn__bytes *bytes)
{
    tn__free(bytes->data);
    *bytes = (tn__bytes){ 0 };
}

tn__span tn__read_span(tn__reader *reader, uint64_t size)
{
    tn__span part;
    if (reader->failed || !tn__span_part(reader->span, reader->at, size, &part)) {
        reader->failed = true;
        return (tn__span){ NULL, 0 };
    }
    reader->at += part.size;
    return part;
}

void tn__read_skip(tn__reader *reader, uint64_t size)
{
    tn__read_span(reader, size);
}

uint64_t tn__read_uint(tn__reader *reader, int width)
{
    tn__span part = tn__read_span(reader, (uint64_t)width);
    uint64_t value = 0;
    for (size_t i = part.size; i-- > 0;)
        value = value << 8 | part.data[i];
    return value;
}

tn_status tn__bytes_append_uint(tn__bytes *bytes, uint64_t value, int width)
{
    uint8_t little[8];
    for (int i = 0; i < 8; i++)
        little[i] = (uint8_t)(value >> 8 * i);
    return tn__bytes_append(bytes, little, (size_t)width);
}
