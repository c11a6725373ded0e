/* bundle_write.c - the data go out as they come; the index is made at the end. */
#include "formats/bundle.h"
#include "formats/bundle_format.h"
#include "base/map.h"
#include "base/text.h"
#include "formats/crc32c.h"
#include <stdlib.h>
#include <string.h>

enum { TEXTS_AT_ONCE = 1 << 16 }; /* bytes of lengths that are gathered before they are written */

typedef struct {
    const char *name;
    tn__bundle_stored stored;
} record;

struct tn__bundle_writer {
    char *prefix;
    tn__writer *data;
    tn__arena arena;
    tn__map names;
    TN__LIST_OF(record) records;
};

tn_status tn__bundle_writer_open(const char *prefix, tn__bundle_writer **writer)
{
    *writer = NULL;
    tn__bundle_writer *opened = tn__alloc_zeroed(1, sizeof *opened);
    if (!opened)
        return TN_RESOURCE_EXHAUSTED;
    opened->prefix = tn__strdup(prefix);
    char *path = tn__print("%s.data-00000-of-00001", prefix);
    tn_status status =
        opened->prefix && path ? tn__writer_open(path, true, &opened->data) : TN_RESOURCE_EXHAUSTED;
    tn__free(path);
    if (status == TN_OK)
        *writer = opened;
    else
        tn__bundle_writer_abort(opened);
    return status;
}

static void free_writer(tn__bundle_writer *writer)
{
    tn__arena_free(&writer->arena);
    tn__map_free(&writer->names);
    tn__free(writer->prefix);
    tn__free(writer);
}

void tn__bundle_writer_abort(tn__bundle_writer *writer)
{
    if (!writer)
        return;
    tn__writer_abort(writer->data);
    free_writer(writer);
}

/* --- adding ----------------------------------------------------------------------------------- */
static tn__shape_def *make_shape(tn__arena *arena, int rank, const int64_t *shape)
{
    tn__shape_def *made = tn__arena_alloc(arena, sizeof *made);
    for (int i = 0; made && i < rank; i++) {
        tn__dim_def *dim = TN__ARENA_ADD(arena, &made->dim);
        if (!dim)
            return NULL;
        dim->size = shape[i];
    }
    return made;
}

static tn_status check_new(const tn__bundle_writer *writer, const char *name, int rank,
                           const int64_t *shape, uint64_t *count)
{
    if (!*name)
        return tn__fail(TN_INVALID_ARGUMENT, "a checkpoint's tensor needs a name");
    if (tn__map_get(&writer->names, name))
        return tn__fail(TN_INVALID_ARGUMENT, "Adding duplicate key: %s", name);
    *count = 1;
    bool good = rank >= 0 && rank <= TN__BUNDLE_RANK;
    for (int i = 0; good && i < rank; i++)
        good = shape[i] >= 0 && !__builtin_mul_overflow(*count, (uint64_t)shape[i], count);
    if (good)
        return TN_OK;
    return tn__fail(TN_INTERNAL, "checkpoint: the shape of '%s' is none that a value has", name);
}

/* The entry of a tensor whose bytes start here; its size and checksum come when they are known. */
static tn_status begin_record(tn__bundle_writer *writer, const char *name, int dtype, int rank,
                              const int64_t *shape, record **added)
{
    record made = { .stored = { .dtype = dtype,
                                .offset = (int64_t)tn__writer_size(writer->data) } };
    made.name = tn__arena_text(&writer->arena, name);
    made.stored.shape = make_shape(&writer->arena, rank, shape);
    if (!made.name || !made.stored.shape)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__map_set(&writer->names, name, writer));
    *added = TN__ARENA_ADD(&writer->arena, &writer->records);
    if (!*added)
        return TN_RESOURCE_EXHAUSTED;
    **added = made;
    return TN_OK;
}

tn_status tn__bundle_add(tn__bundle_writer *writer, const char *name, int dtype, int rank,
                         const int64_t *shape, const void *data)
{
    record *added;
    uint64_t count = 0, size, width = tn__tf_dtype_size(dtype);
    TN_TRY(check_new(writer, name, rank, shape, &count));
    if (width == 0)
        return tn__fail(TN_INTERNAL, "checkpoint: '%s' of dtype %s cannot be written as numbers",
                        name, tn__tf_dtype_name(dtype));
    if (__builtin_mul_overflow(count, width, &size) || size > INT64_MAX)
        return tn__fail(TN_INTERNAL, "checkpoint: '%s' has more elements than memory", name);
    TN_TRY(begin_record(writer, name, dtype, rank, shape, &added));
    added->stored.size = (int64_t)size;
    added->stored.crc32c = tn__crc32c_mask(tn__crc32c(0, data, (size_t)size));
    return tn__write(writer->data, data, (size_t)size);
}

/* All lengths and their checksum; *crc is what the texts' own one goes on from. */
static tn_status put_lengths(tn__writer *out, const tn__span *texts, uint64_t count,
                             tn__bytes *gathered, uint32_t *crc)
{
    for (uint64_t i = 0; i < count; i++) {
        *crc = tn__bundle_add_length(*crc, texts[i].size);
        TN_TRY(tn__bytes_append_varint(gathered, texts[i].size));
        if (gathered->size > TEXTS_AT_ONCE) {
            TN_TRY(tn__write(out, gathered->data, gathered->size));
            gathered->size = 0;
        }
    }
    size_t before = gathered->size;
    TN_TRY(tn__bytes_append_uint(gathered, tn__crc32c_mask(*crc), 4));
    *crc = tn__crc32c(*crc, gathered->data + before, 4);
    return tn__write(out, gathered->data, gathered->size);
}

static tn_status put_texts(tn__writer *out, const tn__span *texts, uint64_t count, uint32_t *crc)
{
    tn__bytes gathered = { 0 };
    tn_status status = put_lengths(out, texts, count, &gathered, crc);
    tn__bytes_free(&gathered);
    for (uint64_t i = 0; i < count && status == TN_OK; i++) {
        if (texts[i].size == 0)
            continue;
        *crc = tn__crc32c(*crc, texts[i].data, texts[i].size);
        status = tn__write(out, texts[i].data, texts[i].size);
    }
    return status;
}

tn_status tn__bundle_add_texts(tn__bundle_writer *writer, const char *name, int rank,
                               const int64_t *shape, const tn__span *texts)
{
    record *added;
    uint64_t count = 0;
    uint32_t crc = 0;
    TN_TRY(check_new(writer, name, rank, shape, &count));
    TN_TRY(begin_record(writer, name, TN__TF_STRING, rank, shape, &added));
    TN_TRY(put_texts(writer->data, texts, count, &crc));
    added->stored.size = (int64_t)tn__writer_size(writer->data) - added->stored.offset;
    added->stored.crc32c = tn__crc32c_mask(crc);
    return TN_OK;
}

/* --- the index -------------------------------------------------------------------------------- */
static tn_status put_message(tn__table_writer *table, const char *key, const tn__pb_message *kind,
                             const void *message)
{
    tn__bytes encoded = { 0 };
    tn_status status = tn__pb_write(kind, message, &encoded);
    if (status == TN_OK)
        status = tn__table_add(table, (tn__span){ (const uint8_t *)key, strlen(key) },
                               tn__bytes_span(&encoded));
    tn__bytes_free(&encoded);
    return status;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const record *)left)->name, ((const record *)right)->name);
}

static tn_status put_entries(tn__bundle_writer *writer, tn__table_writer *table)
{
    tn__version_def version = { .producer = BUNDLE_VERSION };
    tn__bundle_header header = { .shards = 1, .version = &version };
    TN_TRY(put_message(table, "", &tn__pb_bundle_header, &header));
    record *item = writer->records.item;
    if (writer->records.count)
        qsort(item, writer->records.count, sizeof *item, by_name);
    for (size_t i = 0; i < writer->records.count; i++)
        TN_TRY(put_message(table, item[i].name, &tn__pb_bundle_entry, &item[i].stored));
    return TN_OK;
}

static tn_status put_index(tn__bundle_writer *writer, tn__writer *out)
{
    tn__table_writer *table;
    TN_TRY(tn__table_writer_open(out, &table));
    tn_status status = put_entries(writer, table);
    if (status == TN_OK)
        return tn__table_finish(table);
    tn__table_writer_free(table);
    return status;
}

static tn_status open_index(const tn__bundle_writer *writer, tn__writer **index)
{
    char *path = tn__print("%s.index", writer->prefix);
    tn_status status = path ? tn__writer_open(path, true, index) : TN_RESOURCE_EXHAUSTED;
    tn__free(path);
    return status;
}

/* Both files are whole, and on the disk, before the first is put in its place; when the second
 * cannot be, the first is taken back. */
static tn_status finish(tn__bundle_writer *writer)
{
    tn__writer *index = NULL;
    TN_TRY(open_index(writer, &index));
    tn_status status = put_index(writer, index);
    if (status == TN_OK)
        status = tn__writer_settle(index);
    if (status == TN_OK)
        status = tn__writer_place(writer->data);
    status = tn__writer_end(index, status);
    status = tn__writer_end(writer->data, status);
    writer->data = NULL;
    return status;
}

tn_status tn__bundle_finish(tn__bundle_writer *writer)
{
    tn_status status = finish(writer);
    tn__bundle_writer_abort(writer);
    return status;
}
