/* layout.c - the messages that say where a dataset's elements are, and what stands for those that
 * are nowhere. */
#include "formats/hdf5/internal.h"
#include <string.h>

typedef struct {
    tn__h5_object *dataset;
    tn__h5_storage *storage;
    tn__reader reader;
    uint64_t at;
} layout_reader;

static tn_status layout_damage(const layout_reader *in, const char *what)
{
    return tn__h5_damage(in->at, "the layout of '%.200s': %s", tn__h5_path(in->dataset), what);
}

/* The chunk's dimensions, and as one more the size of an element. */
static tn_status read_chunk_dims(layout_reader *in, int count, int width)
{
    tn__h5_info *info = &in->dataset->info;
    if (count != info->rank + 1)
        return layout_damage(in, "the chunks have another number of dimensions than the data");
    in->storage->chunk_bytes = info->type.size;
    for (int i = 0; i < info->rank; i++) {
        info->chunk[i] = tn__read_uint(&in->reader, width);
        if (info->chunk[i] == 0 || __builtin_mul_overflow(in->storage->chunk_bytes, info->chunk[i],
                                                          &in->storage->chunk_bytes))
            return layout_damage(in, "impossible chunks");
    }
    if (tn__read_uint(&in->reader, width) != info->type.size)
        return layout_damage(in, "the chunks have another size of elements than the data");
    return TN_OK;
}

/* Version 4 and 5: several kinds of index, each with parameters of its own, of which those that are
 * repeated in the index are passed over here. */
static tn_status read_chunks_new(layout_reader *in)
{
    enum { RAW_EDGES = 1, SINGLE_FILTERED = 2 };
    static const int passed_over[] = {
        [TN__H5_INDEX_FIXED] = 1, [TN__H5_INDEX_EXTENSIBLE] = 5, [TN__H5_INDEX_BTREE2] = 6
    };
    tn__h5_storage *storage = in->storage;
    int flags = tn__read_u8(&in->reader), count = tn__read_u8(&in->reader),
        width = tn__read_u8(&in->reader);
    if (width < 1 || width > 8)
        return layout_damage(in, "impossible chunks");
    TN_TRY(read_chunk_dims(in, count, width));
    int index = tn__read_u8(&in->reader);
    if (index < TN__H5_INDEX_SINGLE || index > TN__H5_INDEX_BTREE2)
        return layout_damage(in, "an unknown index of chunks");
    storage->index = (tn__h5_index)index;
    storage->raw_edges = flags & RAW_EDGES;
    tn__read_skip(&in->reader, (uint64_t)passed_over[index]);
    storage->single_filtered = index == TN__H5_INDEX_SINGLE && flags & SINGLE_FILTERED;
    if (storage->single_filtered) {
        storage->single_size = tn__h5_read_length(in->dataset->file, &in->reader);
        storage->single_mask = tn__read_u32(&in->reader);
    }
    storage->address = tn__h5_read_offset(in->dataset->file, &in->reader);
    return TN_OK;
}

/* Version 3 and later: the class, then what it needs. */
static tn_status read_layout_new(layout_reader *in, int version)
{
    tn__h5 *file = in->dataset->file;
    int class = tn__read_u8(&in->reader);
    in->dataset->info.layout = (tn__h5_layout) class;
    if (class == TN__H5_COMPACT) {
        in->storage->here = tn__read_span(&in->reader, tn__read_u16(&in->reader));
    } else if (class == TN__H5_CONTIGUOUS) {
        in->storage->address = tn__h5_read_offset(file, &in->reader);
        tn__h5_read_length(file, &in->reader); /* follows from the shape */
    } else if (class == TN__H5_CHUNKED && version == 3) {
        int count = tn__read_u8(&in->reader);
        in->storage->address = tn__h5_read_offset(file, &in->reader);
        return read_chunk_dims(in, count, 4);
    } else if (class == TN__H5_CHUNKED) {
        return read_chunks_new(in);
    } else if (class != TN__H5_VIRTUAL) {
        return layout_damage(in, "an unknown class");
    }
    return TN_OK;
}

/* Versions 1 and 2, of HDF5 before 1.6.3: dimensions first, whatever the class. */
static tn_status read_layout_old(layout_reader *in)
{
    int count = tn__read_u8(&in->reader), class = tn__read_u8(&in->reader);
    tn__read_skip(&in->reader, 5);
    if (class > TN__H5_CHUNKED)
        return layout_damage(in, "an unknown class");
    in->dataset->info.layout = (tn__h5_layout) class;
    if (class != TN__H5_COMPACT)
        in->storage->address = tn__h5_read_offset(in->dataset->file, &in->reader);
    if (class == TN__H5_CHUNKED)
        return read_chunk_dims(in, count, 4);
    tn__read_skip(&in->reader, 4 * (uint64_t)count);
    if (class == TN__H5_COMPACT)
        in->storage->here = tn__read_span(&in->reader, tn__read_u32(&in->reader));
    return TN_OK;
}

tn_status tn__h5_parse_layout(tn__h5_object *dataset, tn__span data)
{
    layout_reader in = {
        dataset, &dataset->storage, { data, 0, false }, tn__h5_place(dataset->file, data.data)
    };
    int version = tn__read_u8(&in.reader);
    if (version < 1 || version > 5)
        return tn__fail(TN_UNIMPLEMENTED, "HDF5 dataset '%.200s': layout version %d",
                        tn__h5_path(dataset), version);
    tn_status status = version < 3 ? read_layout_old(&in) : read_layout_new(&in, version);
    if (in.reader.failed)
        return layout_damage(&in, "too short");
    return status;
}

/* --- fill values ------------------------------------------------------------------------------ */

/* Says whether a value follows; a reader that stands at its size then. */
static bool fill_follows(tn__reader *reader, bool old)
{
    if (old)
        return true;
    int version = tn__read_u8(reader);
    if (version == 3)
        return tn__read_u8(reader) & 0x20;
    tn__read_skip(reader, 2); /* when to allocate, when to write */
    bool defined = tn__read_u8(reader);
    return defined || version == 1;
}

tn_status tn__h5_parse_fill(tn__h5_object *dataset)
{
    const tn__h5_message *message = tn__h5_message_of(dataset, TN__H5_M_FILL);
    bool old = !message;
    tn__span data;
    if (!message)
        message = tn__h5_message_of(dataset, TN__H5_M_FILL_OLD);
    if (!message)
        return TN_OK;
    TN_TRY(tn__h5_message_data(dataset->file, message, &data));
    tn__reader reader = { data, 0, false };
    uint32_t size = fill_follows(&reader, old) ? tn__read_u32(&reader) : 0;
    if (size == 0 || size == UINT32_MAX)
        return TN_OK; /* zeros, or undefined */
    dataset->storage.fill = tn__read_span(&reader, size);
    if (reader.failed || size != dataset->info.type.size)
        return tn__h5_damage(tn__h5_place(dataset->file, data.data),
                             "the fill value of '%.200s' has %u bytes", tn__h5_path(dataset), size);
    return TN_OK;
}

/* --- filters ---------------------------------------------------------------------------------- */

/* One filter: what it is, its name (which only unregistered ones have to say) and its parameters.
 */
static void read_filter(tn__reader *reader, bool old, tn__h5_pipeline *pipeline)
{
    uint16_t id = tn__read_u16(reader);
    uint64_t name = old || id >= 256 ? tn__read_u16(reader) : 0;
    tn__read_u16(reader); /* optional when writing */
    int parameters = tn__read_u16(reader);
    tn__read_skip(reader, old ? (name + 7) / 8 * 8 : name);
    uint32_t first = parameters > 0 ? tn__read_u32(reader) : 0;
    if (parameters > 1)
        tn__read_skip(reader, 4 * (uint64_t)(parameters - 1));
    if (old && parameters % 2)
        tn__read_u32(reader);
    pipeline->item[pipeline->count].id = id;
    pipeline->item[pipeline->count++].element = first;
}

tn_status tn__h5_parse_filters(tn__h5 *file, tn__span data, tn__h5_pipeline *pipeline)
{
    tn__reader reader = { data, 0, false };
    int version = tn__read_u8(&reader), count = tn__read_u8(&reader);
    uint64_t at = tn__h5_place(file, data.data);
    if ((version != 1 && version != 2) || count > TN__H5_MAX_FILTERS)
        return tn__h5_damage(at, "a list of %d filters, version %d", count, version);
    if (version == 1)
        tn__read_skip(&reader, 6);
    *pipeline = (tn__h5_pipeline){ 0 };
    for (int i = 0; i < count; i++)
        read_filter(&reader, version == 1, pipeline);
    return reader.failed ? tn__h5_damage(at, "a list of filters is too short") : TN_OK;
}
