/* filters.c - undoing what a dataset's chunks went through when they were written. */
#include "formats/hdf5/internal.h"
#include <string.h>
#include <zlib.h>

enum { DEFLATE = 1, SHUFFLE = 2, FLETCHER32 = 3, LZF = 32000 };

bool tn__h5_filter_known(int id)
{
    return id == DEFLATE || id == SHUFFLE || id == FLETCHER32 || id == LZF;
}

const char *tn__h5_filter_name(int id)
{
    static const struct {
        int id;
        const char *name;
    } names[] = {
        { DEFLATE, "deflate" }, { SHUFFLE, "shuffle" }, { FLETCHER32, "fletcher32" },
        { 4, "szip" },          { 5, "nbit" },          { 6, "scaleoffset" },
        { 305, "lzo" },         { 307, "bzip2" },       { LZF, "lzf" },
        { 32001, "blosc" },     { 32004, "lz4" },       { 32008, "bitshuffle" },
        { 32013, "zfp" },       { 32015, "zstd" },      { 32026, "blosc2" },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].id == id)
            return names[i].name;
    return "unknown";
}

/* Room for what a stage gives; unlike tn__bytes_resize() it leaves the bytes as they are. */
static tn_status make_room(tn__bytes *out, size_t size)
{
    out->size = 0;
    TN_TRY(tn__bytes_reserve(out, size));
    out->size = size;
    return TN_OK;
}

static tn_status inflate_into(tn__span in, size_t most, tn__bytes *out)
{
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)in.data };
    stream.avail_in = in.size > UINT32_MAX ? UINT32_MAX : (uInt)in.size;
    TN_TRY(make_room(out, most));
    if (inflateInit(&stream) != Z_OK)
        return tn__fail_memory(0);
    int result = Z_OK;
    size_t done = 0;
    /* zlib counts in 32 bits */
    while (result == Z_OK && done < most) {
        size_t room = most - done;
        stream.next_out = out->data + done;
        stream.avail_out = room > UINT32_MAX ? UINT32_MAX : (uInt)room;
        uInt before = stream.avail_out;
        result = inflate(&stream, Z_NO_FLUSH);
        done += before - stream.avail_out;
    }
    inflateEnd(&stream);
    out->size = done;
    if (result == Z_MEM_ERROR)
        return tn__fail_memory(0);
    if (result == Z_OK || (result == Z_BUF_ERROR && done == most))
        return tn__fail(TN_DATA_LOSS, "deflate: the data are longer than the chunk they belong to");
    if (result != Z_STREAM_END)
        return tn__fail(TN_DATA_LOSS, "deflate: %s",
                        stream.msg ? stream.msg : "the data end too early");
    return TN_OK;
}

/* lzf: a byte below 32 is followed by so many plain bytes and one more; else its upper three bits
 * (7: and a further byte) are a length less 2, and the rest with the next byte how far back the
 * copy starts, less 1. */
static bool lzf_expand(tn__span in, uint8_t *out, size_t room, size_t *size)
{
    size_t i = 0, o = 0;
    while (i < in.size) {
        size_t control = in.data[i++];
        if (control < 32) {
            size_t run = control + 1;
            if (run > in.size - i || run > room - o)
                return false;
            memcpy(out + o, in.data + i, run);
            i += run;
            o += run;
            continue;
        }
        size_t length = control >> 5;
        if (length == 7) {
            if (i >= in.size)
                return false;
            length += in.data[i++];
        }
        length += 2;
        if (i >= in.size)
            return false;
        size_t back = ((control & 31) << 8 | in.data[i++]) + 1;
        if (back > o || length > room - o)
            return false;
        for (; length > 0; length--, o++)
            out[o] = out[o - back];
    }
    *size = o;
    return true;
}

static tn_status lzf_into(tn__span in, size_t most, tn__bytes *out)
{
    TN_TRY(make_room(out, most));
    if (!lzf_expand(in, out->data, most, &out->size))
        return tn__fail(TN_DATA_LOSS, "lzf: the data are damaged");
    return TN_OK;
}

/* Shuffle writes the first bytes of all elements, then the second bytes, and so on; what is left
 * over stays at the end. */
static tn_status unshuffle_into(tn__span in, size_t element, tn__bytes *out)
{
    TN_TRY(make_room(out, in.size));
    size_t count = element > 0 ? in.size / element : 0;
    for (size_t b = 0; b < element && count > 0; b++)
        for (size_t i = 0; i < count; i++)
            out->data[i * element + b] = in.data[b * count + i];
    size_t whole = count * element;
    if (in.size > whole)
        memcpy(out->data + whole, in.data + whole, in.size - whole);
    return TN_OK;
}

/* The sum stands behind the data. HDF5 before 1.6.3 wrote it with its bytes swapped in pairs on
 * some machines, and today's library accepts both. */
static tn_status check_fletcher(tn__span *data)
{
    if (data->size < 4)
        return tn__fail(TN_DATA_LOSS, "fletcher32: the data are too short");
    data->size -= 4;
    tn__reader reader = { { data->data + data->size, 4 }, 0, false };
    uint32_t stored = tn__read_u32(&reader), sum = tn__h5_fletcher32(*data);
    uint32_t swapped = (sum & 0x00ff00ff) << 8 | (sum >> 8 & 0x00ff00ff);
    if (stored != sum && stored != swapped)
        return tn__fail(TN_DATA_LOSS,
                        "fletcher32: the checksum is wrong (stored %08x, computed %08x)", stored,
                        sum);
    return TN_OK;
}

tn_status tn__h5_unfilter(const tn__h5_pipeline *pipeline, uint32_t mask, tn__span in,
                          size_t expected, tn__h5_scratch *scratch, tn__span *out)
{
    /* what stands between two stages can be a little more than the chunk: checksums, and deflate's
     * own overhead */
    size_t most = expected + expected / 16 + 4096;
    for (int i = pipeline->count; i-- > 0;) {
        tn__bytes *into = &scratch->buffer[i % 2];
        if (mask >> i & 1)
            continue;
        /* the stage before may have been left out, so `in` can stand in this very buffer */
        if (into->data == in.data)
            into = &scratch->buffer[1 - i % 2];
        switch (pipeline->item[i].id) {
        case DEFLATE:
            TN_TRY(inflate_into(in, most, into));
            break;
        case LZF:
            TN_TRY(lzf_into(in, most, into));
            break;
        case SHUFFLE:
            TN_TRY(unshuffle_into(in, pipeline->item[i].element, into));
            break;
        case FLETCHER32:
            TN_TRY(check_fletcher(&in));
            continue;
        default:
            return tn__fail(TN_UNIMPLEMENTED, "filter %d", pipeline->item[i].id);
        }
        in = tn__bytes_span(into);
    }
    if (in.size != expected)
        return tn__fail(TN_DATA_LOSS, "a chunk decodes to %zu bytes, expected %zu", in.size,
                        expected);
    *out = in;
    return TN_OK;
}
