/* chunk.c - measuring chunked data, and putting the chunks into their places. */
#include "formats/hdf5/internal.h"
#include <string.h>

/* Chunks outside the dataset's present shape are left over from when it was larger. */
static bool inside(const tn__h5_info *info, const tn__h5_chunk *chunk)
{
    for (int i = 0; i < info->rank; i++) {
        uint64_t grid = info->dims[i] / info->chunk[i] + (info->dims[i] % info->chunk[i] != 0);
        if (chunk->at[i] >= grid)
            return false;
    }
    return true;
}

static bool at_edge(const tn__h5_info *info, const tn__h5_chunk *chunk)
{
    for (int i = 0; i < info->rank; i++)
        if (info->dims[i] - chunk->at[i] * info->chunk[i] < info->chunk[i])
            return true;
    return false;
}

/* The filters a chunk went through. */
static const tn__h5_pipeline *pipeline_of(const tn__h5_object *dataset, const tn__h5_chunk *chunk)
{
    static const tn__h5_pipeline none = { 0 };
    return dataset->storage.raw_edges && at_edge(&dataset->info, chunk)
               ? &none
               : &dataset->storage.pipeline;
}

/* --- measuring -------------------------------------------------------------------------------- */

typedef struct {
    tn__h5_object *dataset;
    uint64_t stored, chunks, most_chunks;
} chunk_measure;

static tn_status measure_chunk(void *self, const tn__h5_chunk *chunk)
{
    chunk_measure *measure = self;
    tn__h5_object *dataset = measure->dataset;
    const tn__h5_limits *limits = &dataset->file->limits;
    const char *path = tn__h5_path(dataset);
    uint64_t whole = dataset->storage.chunk_bytes, allowed;
    tn__span part;
    if (!inside(&dataset->info, chunk))
        return TN_OK;
    if (!tn__span_part(dataset->file->bytes, chunk->address, chunk->size, &part))
        return tn__h5_damage(chunk->address,
                             "a chunk of '%.200s' reaches beyond the end of the file", path);
    measure->stored += chunk->size;
    if (measure->stored > dataset->file->bytes.size || ++measure->chunks > measure->most_chunks)
        return tn__h5_damage(chunk->address, "chunks of '%.200s' overlap", path);
    if (pipeline_of(dataset, chunk)->count == 0 && chunk->size != whole)
        return tn__h5_damage(chunk->address, "a chunk of '%.200s' has %llu bytes, expected %llu",
                             path, (unsigned long long)chunk->size, (unsigned long long)whole);
    if (!__builtin_mul_overflow(chunk->size, limits->ratio, &allowed) &&
        !__builtin_add_overflow(allowed, 4096, &allowed) && whole > allowed)
        return tn__h5_damage(chunk->address,
                             "a chunk of '%.200s' holds %llu bytes and cannot stand for %llu", path,
                             (unsigned long long)chunk->size, (unsigned long long)whole);
    return TN_OK;
}

tn_status tn__h5_measure_chunks(tn__h5_object *dataset, uint64_t *stored)
{
    const tn__h5_info *info = &dataset->info;
    chunk_measure measure = { .dataset = dataset, .most_chunks = 1 };
    for (int i = 0; i < info->rank; i++) {
        uint64_t grid = info->dims[i] / info->chunk[i] + (info->dims[i] % info->chunk[i] != 0);
        if (__builtin_mul_overflow(measure.most_chunks, grid, &measure.most_chunks))
            measure.most_chunks = UINT64_MAX;
    }
    *stored = 0;
    if (info->count == 0)
        return TN_OK;
    if (dataset->storage.chunk_bytes > dataset->file->limits.decoded)
        return tn__fail(TN_RESOURCE_EXHAUSTED,
                        "HDF5 dataset '%.200s' has chunks of %llu bytes, the limit is %llu",
                        tn__h5_path(dataset), (unsigned long long)dataset->storage.chunk_bytes,
                        (unsigned long long)dataset->file->limits.decoded);
    TN_TRY(tn__h5_chunks(dataset, measure_chunk, &measure));
    *stored = measure.stored;
    return TN_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct {
    tn__h5_object *dataset;
    uint8_t *out;
    tn__h5_scratch scratch;
    int inner; /* dimensions from here on are whole in every chunk and row, so they are copied at
                  once */
    uint64_t run_item; /* bytes of one step along dimension inner - 1 */
} chunk_copy;

/* Copies the part of a chunk that is inside, in runs along dimension inner - 1. */
static void place_chunk(const chunk_copy *copy, const tn__h5_chunk *chunk, const uint8_t *data)
{
    const tn__h5_info *info = &copy->dataset->info;
    uint64_t count[TN__H5_MAX_RANK], at[TN__H5_MAX_RANK] = { 0 };
    int last = copy->inner - 1;
    for (int i = 0; i <= last; i++) {
        uint64_t left = info->dims[i] - chunk->at[i] * info->chunk[i];
        count[i] = left < info->chunk[i] ? left : info->chunk[i];
    }
    for (;;) {
        uint64_t from = 0, to = 0;
        for (int i = 0; i <= last; i++) {
            from = from * info->chunk[i] + at[i];
            to = to * info->dims[i] + chunk->at[i] * info->chunk[i] + at[i];
        }
        memcpy(copy->out + to * copy->run_item, data + from * copy->run_item,
               count[last] * copy->run_item);
        int i = last - 1;
        while (i >= 0 && ++at[i] == count[i])
            at[i--] = 0;
        if (i < 0)
            return;
    }
}

static tn_status read_chunk(void *self, const tn__h5_chunk *chunk)
{
    chunk_copy *copy = self;
    tn__h5_object *dataset = copy->dataset;
    if (!inside(&dataset->info, chunk))
        return TN_OK;
    tn__span stored, data; /* was measured, so it is inside the file */
    tn__span_part(dataset->file->bytes, chunk->address, chunk->size, &stored);
    tn_status status = tn__h5_unfilter(pipeline_of(dataset, chunk), chunk->mask, stored,
                                       (size_t)dataset->storage.chunk_bytes, &copy->scratch, &data);
    if (status != TN_OK) {
        tn__fail_note("in the chunk at byte %llu of the HDF5 dataset '%.200s'",
                      (unsigned long long)chunk->address, tn__h5_path(dataset));
        return status;
    }
    place_chunk(copy, chunk, data.data);
    return TN_OK;
}

tn_status tn__h5_read_chunks(tn__h5_object *dataset, uint8_t *out)
{
    const tn__h5_info *info = &dataset->info;
    chunk_copy copy = {
        .dataset = dataset, .out = out, .inner = info->rank, .run_item = info->type.size
    };
    while (copy.inner > 1 && info->chunk[copy.inner - 1] == info->dims[copy.inner - 1])
        copy.run_item *= info->dims[--copy.inner];
    tn_status status = tn__h5_chunks(dataset, read_chunk, &copy);
    tn__bytes_free(&copy.scratch.buffer[0]);
    tn__bytes_free(&copy.scratch.buffer[1]);
    return status;
}
