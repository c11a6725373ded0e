/* snappy.c - a length, then pieces: bytes as they are, or a copy of some that came before. */
#include "formats/snappy.h"
#include "formats/protobuf.h"
#include <string.h>

enum { EXPANSION = 64 }; /* a copy of 2 bytes or more gives at most 64 */

typedef struct {
    tn__reader in;
    uint8_t *out;
    size_t at, size;
} decoder;

static tn_status fail_damaged(const decoder *d)
{
    return tn__fail(TN_DATA_LOSS, "snappy: %zu bytes are damaged before byte %zu", d->in.span.size,
                    d->in.at);
}

tn_status tn__snappy_size(tn__span bytes, size_t *size)
{
    tn__reader reader = { bytes, 0, false };
    uint64_t said = tn__read_varint(&reader);
    *size = (size_t)said;
    if (reader.failed || said > UINT32_MAX || said / EXPANSION > bytes.size)
        return tn__fail(TN_DATA_LOSS, "snappy: %zu bytes cannot decode to %llu", bytes.size,
                        (unsigned long long)said);
    return TN_OK;
}

/* The lengths of up to 60 bytes are in the tag; for longer ones it tells how many bytes say them.
 */
static bool take_literal(decoder *d, unsigned tag)
{
    uint64_t length = tag >> 2;
    if (length >= 60)
        length = tn__read_uint(&d->in, (int)length - 59);
    tn__span literal = tn__read_span(&d->in, ++length);
    if (d->in.failed || literal.size > d->size - d->at)
        return false;
    memcpy(d->out + d->at, literal.data, literal.size);
    d->at += literal.size;
    return true;
}

/* It may copy what it has just written: byte by byte. */
static bool take_copy(decoder *d, unsigned tag)
{
    size_t length = (tag >> 2) + 1, offset;
    if ((tag & 3) == 1) {
        length = (tag >> 2 & 7) + 4;
        offset = (size_t)(tag >> 5) << 8 | tn__read_u8(&d->in);
    } else {
        offset = (size_t)tn__read_uint(&d->in, (tag & 3) == 2 ? 2 : 4);
    }
    if (d->in.failed || offset == 0 || offset > d->at || length > d->size - d->at)
        return false;
    for (; length > 0; length--, d->at++)
        d->out[d->at] = d->out[d->at - offset];
    return true;
}

tn_status tn__snappy_read(tn__span bytes, uint8_t *out, size_t size)
{
    decoder d = { { bytes, 0, false }, out, 0, size };
    if (tn__read_varint(&d.in) != size)
        return fail_damaged(&d);
    while (d.in.at < bytes.size) {
        unsigned tag = tn__read_u8(&d.in);
        if (!(tag & 3 ? take_copy(&d, tag) : take_literal(&d, tag)))
            return fail_damaged(&d);
    }
    return d.at == size ? TN_OK : fail_damaged(&d);
}
