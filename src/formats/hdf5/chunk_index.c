/* chunk_index.c - finding all chunks of a dataset, whichever index it has. */
#include "formats/hdf5/internal.h"
#include <string.h>

enum { MAX_LEVEL = 64 };

/* --- version 1 B-tree: keys with size, mask and offsets, each before its child ---------------- */

static tn_status read_key(const tn__h5_chunk_walk *walk, tn__reader *reader, tn__h5_chunk *chunk)
{
    const tn__h5_info *info = &walk->dataset->info;
    chunk->size = tn__read_u32(reader);
    chunk->mask = tn__read_u32(reader);
    for (int i = 0; i < info->rank; i++) {
        uint64_t offset = tn__read_u64(reader);
        if (offset % info->chunk[i] != 0)
            return tn__h5_damage(tn__h5_place(walk->dataset->file, reader->span.data),
                                 "a chunk is out of line");
        chunk->at[i] = offset / info->chunk[i];
    }
    tn__read_u64(reader); /* the offset within an element */
    return TN_OK;
}

/* level: what the node's has to be, or -1 for the root. Recurses once for each level. */
static tn_status walk_btree1(const tn__h5_chunk_walk *walk, uint64_t address, int level)
{
    tn__h5 *file = walk->dataset->file;
    uint64_t offset_size = (uint64_t)file->offset_size, head = 8 + 2 * offset_size;
    uint64_t key = 16 + 8 * (uint64_t)walk->dataset->info.rank;
    tn__span part;
    TN_TRY(tn__h5_part(file, address, head, "B-tree node", &part));
    if (memcmp(part.data, "TREE", 4) != 0 || part.data[4] != 1)
        return tn__h5_damage(address, "B-tree node: no signature 'TREE', or not of chunks");
    tn__reader reader = { part, 5, false };
    int found = tn__read_u8(&reader);
    uint64_t count = tn__read_u16(&reader);
    if ((level >= 0 && found != level) || found > MAX_LEVEL)
        return tn__h5_damage(address, "B-tree node: level %d", found);
    TN_TRY(tn__h5_part(file, address, head + count * (key + offset_size), "B-tree node",
                       &reader.span));
    reader.at = (size_t)head;
    for (uint64_t i = 0; i < count; i++) {
        tn__h5_chunk chunk;
        TN_TRY(read_key(walk, &reader, &chunk));
        chunk.address = tn__h5_read_offset(file, &reader);
        TN_TRY(found ? walk_btree1(walk, chunk.address, found - 1)
                     : walk->sink(walk->self, &chunk));
    }
    return TN_OK;
}

/* --- version 2 B-tree: records of type 10, or 11 with size and mask --------------------------- */

static tn_status read_record(void *self, tn__span record)
{
    const tn__h5_chunk_walk *walk = self;
    const tn__h5_storage *storage = &walk->dataset->storage;
    tn__h5 *file = walk->dataset->file;
    int rank = walk->dataset->info.rank;
    tn__reader reader = { record, 0, false };
    tn__h5_chunk chunk = { .size = storage->chunk_bytes };
    chunk.address = tn__h5_read_offset(file, &reader);
    if (storage->pipeline.count) {
        size_t rest = (size_t)(file->offset_size + 4 + 8 * rank);
        size_t width = record.size > rest ? record.size - rest : 0;
        if (width < 1 || width > 8)
            return tn__h5_damage(tn__h5_place(file, record.data),
                                 "a record of a chunk has %zu bytes", record.size);
        chunk.size = tn__read_uint(&reader, (int)width);
        chunk.mask = tn__read_u32(&reader);
    }
    for (int i = 0; i < rank; i++)
        chunk.at[i] = tn__read_u64(&reader);
    if (reader.failed)
        return tn__h5_damage(tn__h5_place(file, record.data), "a record of a chunk is too short");
    return walk->sink(walk->self, &chunk);
}

/* --- chunks that are numbered ----------------------------------------------------------------- */

/* How many chunks there are along a dimension when it is as long as it may become. */
static uint64_t most_chunks(const tn__h5_object *dataset, int i)
{
    uint64_t most = dataset->max_dims[i], chunk = dataset->info.chunk[i];
    return most / chunk + (most % chunk != 0);
}

tn_status tn__h5_chunk_numbered(const tn__h5_chunk_walk *walk, uint64_t number, int slowest,
                                uint64_t address, uint64_t size, uint32_t mask)
{
    tn__h5_chunk chunk = { .address = address, .size = size, .mask = mask };
    if (address == TN__H5_NOWHERE)
        return TN_OK;
    for (int i = walk->dataset->info.rank - 1; i >= 0; i--) {
        uint64_t most = most_chunks(walk->dataset, i);
        if (i == slowest)
            continue;
        if (most == 0)
            return TN_OK;
        chunk.at[i] = number % most;
        number /= most;
    }
    chunk.at[slowest] = number;
    return walk->sink(walk->self, &chunk);
}

/* All chunks stand one behind the other. */
static tn_status walk_implicit(const tn__h5_chunk_walk *walk)
{
    const tn__h5_object *dataset = walk->dataset;
    const tn__h5_storage *storage = &dataset->storage;
    uint64_t count = 1, size;
    tn__span all;
    for (int i = 0; i < dataset->info.rank; i++)
        if (__builtin_mul_overflow(count, most_chunks(dataset, i), &count))
            return tn__h5_damage(storage->address, "the number of chunks runs over");
    if (__builtin_mul_overflow(count, storage->chunk_bytes, &size) ||
        !tn__span_part(dataset->file->bytes, storage->address, size, &all))
        return tn__h5_damage(storage->address,
                             "the chunks of '%.200s' reach beyond the end of the file",
                             tn__h5_path(dataset));
    for (uint64_t i = 0; i < count; i++)
        TN_TRY(tn__h5_chunk_numbered(walk, i, 0, storage->address + i * storage->chunk_bytes,
                                     storage->chunk_bytes, 0));
    return TN_OK;
}

static tn_status walk_single(const tn__h5_chunk_walk *walk)
{
    const tn__h5_storage *storage = &walk->dataset->storage;
    tn__h5_chunk chunk = { .address = storage->address, .size = storage->chunk_bytes };
    if (storage->single_filtered) {
        chunk.size = storage->single_size;
        chunk.mask = storage->single_mask;
    }
    return walk->sink(walk->self, &chunk);
}

static tn_status walk_index(tn__h5_chunk_walk *walk)
{
    const tn__h5_storage *storage = &walk->dataset->storage;
    enum { CHUNKS = 10, FILTERED_CHUNKS = 11 };
    switch (storage->index) {
    case TN__H5_INDEX_SINGLE:
        return walk_single(walk);
    case TN__H5_INDEX_IMPLICIT:
        return walk_implicit(walk);
    case TN__H5_INDEX_FIXED:
        return tn__h5_fixed_array(walk);
    case TN__H5_INDEX_EXTENSIBLE:
        return tn__h5_extensible_array(walk);
    case TN__H5_INDEX_BTREE2:
        return tn__h5_btree2(walk->dataset->file, storage->address,
                             storage->pipeline.count ? FILTERED_CHUNKS : CHUNKS, read_record, walk);
    default:
        return walk_btree1(walk, storage->address, -1);
    }
}

tn_status tn__h5_chunks(tn__h5_object *dataset, tn__h5_chunk_sink sink, void *self)
{
    tn__h5_chunk_walk walk = { dataset, sink, self };
    tn__h5 *file = dataset->file;
    /* The first time an index is structure like any other; when it is read again it is not counted
     * again, but bounded all the same. */
    uint64_t kept = file->budget;
    if (dataset->counted)
        file->budget = tn__h5_fresh_budget(file);
    tn_status status = walk_index(&walk);
    if (dataset->counted)
        file->budget = kept;
    return status;
}
