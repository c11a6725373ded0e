/* bundle.c - reading: the index becomes a directory, values are looked for when they are asked for.
 */
#include "formats/bundle.h"
#include "formats/bundle_format.h"
#include "base/text.h"
#include "formats/crc32c.h"
#include "formats/tensor_proto.h"
#include <stdlib.h>
#include <string.h>

enum {
    EXPANSION = 1100,     /* bytes that one byte of an index may decode to */
    COMPARISONS = 1 << 28 /* of a tensor's slices, each with every other in every dimension */
};
#define FREE_SIZE ((uint64_t)1 << 20) /* ... on top of so many */

typedef struct {
    tn__bundle_entry entry;
    tn__bundle_stored stored; /* of the first format: dtype, shape and slices */
} record;
typedef struct {
    int32_t number;
    tn__file file;
} shard;

struct tn__bundle {
    tn__bundle_limits limits;
    tn__arena arena;
    char *prefix;   /* for messages, and shards' names */
    tn__file index; /* nothing when it was given as bytes */
    tn__table_entries table;
    bool first_format;
    int32_t shards;
    const tn__span *given; /* the shards' bytes, or NULL */
    size_t given_count;
    TN__LIST_OF(shard) open;
    TN__LIST_OF(record) records;
};

/* --- the directory ---------------------------------------------------------------------------- */
static tn_status fail_entry(const tn__bundle *bundle, const char *name, const char *what)
{
    return tn__fail(TN_DATA_LOSS, "checkpoint '%s': the entry of '%s' %s", bundle->prefix, name,
                    what);
}

static tn_status set_shape(tn__bundle *bundle, tn__bundle_entry *entry, const tn__shape_def *shape)
{
    size_t rank = shape ? shape->dim.count : 0;
    if (rank > TN__BUNDLE_RANK || (shape && shape->unknown_rank))
        return fail_entry(bundle, entry->name, "has a shape that no value has");
    int64_t *sizes = tn__arena_alloc(&bundle->arena, rank * sizeof *sizes);
    if (!sizes)
        return TN_RESOURCE_EXHAUSTED;
    entry->rank = (int)rank;
    entry->shape = sizes;
    entry->count = 1;
    for (size_t i = 0; i < rank; i++) {
        sizes[i] = shape->dim.item[i].size;
        if (sizes[i] < 0 || sizes[i] == INT64_MAX ||
            __builtin_mul_overflow(entry->count, (uint64_t)sizes[i], &entry->count))
            return fail_entry(bundle, entry->name, "has a shape that no value has");
    }
    uint64_t width = tn__tf_dtype_size(entry->dtype);
    if (__builtin_mul_overflow(entry->count, width, &entry->size) || entry->size > INT64_MAX)
        return fail_entry(bundle, entry->name, "has more elements than memory");
    return TN_OK;
}

static tn_status add_record(tn__bundle *bundle, const char *name, const tn__bundle_stored *stored)
{
    if (bundle->records.count == bundle->limits.entries)
        return tn__fail(TN_RESOURCE_EXHAUSTED, "checkpoint '%s': more than %llu entries",
                        bundle->prefix, (unsigned long long)bundle->limits.entries);
    record *added = TN__ARENA_ADD(&bundle->arena, &bundle->records);
    if (!added)
        return TN_RESOURCE_EXHAUSTED;
    added->stored = *stored;
    added->entry = (tn__bundle_entry){ .name = name,
                                       .dtype = stored->dtype,
                                       .sliced = stored->slices.count > 0 };
    TN_TRY(set_shape(bundle, &added->entry, stored->shape));
    if (stored->slices.count == 0 && tn__tf_dtype_size(stored->dtype) > 0 &&
        (uint64_t)stored->size != added->entry.size)
        return fail_entry(bundle, name, "has another size than its shape says");
    return TN_OK;
}

static bool is_slice(tn__span key)
{
    return key.data[0] == 0;
}

static tn_status check_version(const tn__bundle *bundle, const tn__version_def *version)
{
    if (version && version->min_consumer > BUNDLE_VERSION)
        return tn__fail(TN_UNIMPLEMENTED,
                        "checkpoint '%s': it wants readers of version %d or later; this is one of "
                        "version %d",
                        bundle->prefix, (int)version->min_consumer, BUNDLE_VERSION);
    return TN_OK;
}

static tn_status read_header(tn__bundle *bundle)
{
    const tn__table_entry *first = bundle->table.item;
    tn__bundle_header header = { 0 };
    if (bundle->table.count == 0 || first->key.size != 0)
        return tn__fail(TN_DATA_LOSS, "checkpoint '%s': its index has no header", bundle->prefix);
    TN_TRY(tn__pb_read(&tn__pb_bundle_header, first->value, &bundle->arena, &header));
    TN_TRY(check_version(bundle, header.version));
    if (header.endianness != 0)
        return tn__fail(TN_UNIMPLEMENTED, "checkpoint '%s': it was written by a big-endian machine",
                        bundle->prefix);
    if (header.shards < 1)
        return tn__fail(TN_DATA_LOSS, "checkpoint '%s': it says that it has %d data files",
                        bundle->prefix, (int)header.shards);
    bundle->shards = header.shards;
    return TN_OK;
}

/* The table's keys are texts with a NUL behind; slices' ones begin with a byte 0. */
static tn_status read_entries(tn__bundle *bundle)
{
    TN_TRY(read_header(bundle));
    for (size_t i = 1; i < bundle->table.count; i++) {
        const tn__table_entry *entry = &bundle->table.item[i];
        const char *name = (const char *)entry->key.data;
        if (is_slice(entry->key))
            continue;
        if (strlen(name) != entry->key.size)
            return fail_entry(bundle, name, "has a NUL in its name");
        tn__bundle_stored stored = { 0 };
        TN_TRY(tn__pb_read(&tn__pb_bundle_entry, entry->value, &bundle->arena, &stored));
        TN_TRY(add_record(bundle, name, &stored));
    }
    return TN_OK;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const record *)left)->entry.name, ((const record *)right)->entry.name);
}

/* The first format lists the tensors in one entry, in no order. */
static tn_status read_first_format(tn__bundle *bundle)
{
    tn__first_entry first = { 0 };
    TN_TRY(tn__pb_read(&tn__pb_first_entry, bundle->table.item[0].value, &bundle->arena, &first));
    if (!first.meta)
        return tn__fail(TN_DATA_LOSS, "checkpoint '%s': it has no list of its tensors",
                        bundle->prefix);
    TN_TRY(check_version(bundle, first.meta->version));
    for (size_t i = 0; i < first.meta->tensors.count; i++) {
        const tn__first_tensor *tensor = &first.meta->tensors.item[i];
        tn__bundle_stored stored = { .dtype = tensor->dtype, .shape = tensor->shape };
        stored.slices = tensor->slices;
        if (!tensor->name || !tensor->slices.count)
            return fail_entry(bundle, tensor->name ? tensor->name : "", "has no name or no slices");
        TN_TRY(add_record(bundle, tensor->name, &stored));
    }
    record *item = bundle->records.item;
    if (bundle->records.count)
        qsort(item, bundle->records.count, sizeof *item, by_name);
    for (size_t i = 1; i < bundle->records.count; i++)
        if (by_name(&item[i - 1], &item[i]) == 0)
            return fail_entry(bundle, item[i].entry.name, "is there twice");
    return TN_OK;
}

/* --- opening ---------------------------------------------------------------------------------- */
static void set_limits(tn__bundle *bundle, const tn__bundle_limits *limits, size_t size)
{
    bundle->limits.ignore_checksums = limits && limits->ignore_checksums;
    bundle->limits.entries = limits && limits->entries ? limits->entries : 1000000;
    bundle->limits.decoded = limits && limits->decoded ? limits->decoded : (uint64_t)4 << 30;
    uint64_t most = (uint64_t)size * EXPANSION + FREE_SIZE;
    bundle->arena.limit = (size_t)(most < bundle->limits.decoded ? most : bundle->limits.decoded);
}

static tn_status read_index(tn__bundle *bundle, tn__span bytes)
{
    TN_TRY(tn__table_read(bytes, bundle->limits.ignore_checksums, &bundle->arena, &bundle->table));
    return bundle->first_format && bundle->table.count ? read_first_format(bundle)
                                                       : read_entries(bundle);
}

static tn__bundle *new_bundle(const char *prefix)
{
    tn__bundle *bundle = tn__alloc_zeroed(1, sizeof *bundle);
    if (!bundle)
        return NULL;
    bundle->prefix = tn__strdup(prefix);
    if (bundle->prefix)
        return bundle;
    tn__free(bundle);
    return NULL;
}

/* PREFIX.index, or else PREFIX. */
static tn_status map_index(tn__bundle *bundle)
{
    char *path = tn__print("%s.index", bundle->prefix);
    if (!path)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status;
    if (tn__path_kind_of(path) != TN__PATH_NONE) {
        status = tn__file_map(path, &bundle->index);
    } else if (tn__path_kind_of(bundle->prefix) == TN__PATH_FILE) {
        bundle->first_format = true;
        status = tn__file_map(bundle->prefix, &bundle->index);
    } else {
        status = tn__fail(TN_NOT_FOUND,
                          "Unsuccessful TensorSliceReader constructor: Failed to find any matching "
                          "files for %s",
                          bundle->prefix);
    }
    tn__free(path);
    return status;
}

static tn_status keep_or_close(tn__bundle *opened, tn_status status, tn__bundle **bundle)
{
    if (status == TN_OK)
        *bundle = opened;
    else
        tn__bundle_close(opened);
    return status;
}

tn_status tn__bundle_open(const char *prefix, const tn__bundle_limits *limits, tn__bundle **bundle)
{
    *bundle = NULL;
    tn__bundle *opened = new_bundle(prefix);
    if (!opened)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = map_index(opened);
    set_limits(opened, limits, opened->index.span.size);
    if (status == TN_OK)
        status = read_index(opened, opened->index.span);
    return keep_or_close(opened, status, bundle);
}

tn_status tn__bundle_open_bytes(tn__span index, const tn__span *shards, size_t count,
                                const tn__bundle_limits *limits, tn__bundle **bundle)
{
    *bundle = NULL;
    tn__bundle *opened = new_bundle("(bytes)");
    if (!opened)
        return TN_RESOURCE_EXHAUSTED;
    opened->given = shards;
    opened->given_count = count;
    opened->first_format = !shards;
    set_limits(opened, limits, index.size);
    return keep_or_close(opened, read_index(opened, index), bundle);
}

void tn__bundle_close(tn__bundle *bundle)
{
    if (!bundle)
        return;
    for (size_t i = 0; i < bundle->open.count; i++)
        tn__file_close(&bundle->open.item[i].file);
    tn__file_close(&bundle->index);
    tn__arena_free(&bundle->arena);
    tn__free(bundle->prefix);
    tn__free(bundle);
}

size_t tn__bundle_count(const tn__bundle *bundle)
{
    return bundle->records.count;
}

const tn__bundle_entry *tn__bundle_at(const tn__bundle *bundle, size_t index)
{
    return &bundle->records.item[index].entry;
}

bool tn__bundle_find(const tn__bundle *bundle, const char *name, size_t *index)
{
    size_t low = 0, high = bundle->records.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(bundle->records.item[middle].entry.name, name);
        *index = middle;
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* --- stored bytes ----------------------------------------------------------------------------- */
static tn_status map_shard(tn__bundle *bundle, int32_t number, tn__span *bytes)
{
    shard *added = TN__ARENA_ADD(&bundle->arena, &bundle->open);
    if (!added)
        return TN_RESOURCE_EXHAUSTED;
    added->number = number;
    char *path =
        tn__print("%s.data-%05d-of-%05d", bundle->prefix, (int)number, (int)bundle->shards);
    tn_status status = path ? tn__file_map(path, &added->file) : TN_RESOURCE_EXHAUSTED;
    tn__free(path);
    if (status != TN_OK)
        bundle->open.count--;
    else
        *bytes = added->file.span;
    return status;
}

static tn_status find_shard(tn__bundle *bundle, int32_t number, tn__span *bytes)
{
    if (number < 0 || number >= bundle->shards ||
        (bundle->given && (size_t)number >= bundle->given_count))
        return tn__fail(TN_DATA_LOSS, "checkpoint '%s': data file %d of %d is not there",
                        bundle->prefix, (int)number, (int)bundle->shards);
    if (bundle->given) {
        *bytes = bundle->given[number];
        return TN_OK;
    }
    for (size_t i = 0; i < bundle->open.count; i++)
        if (bundle->open.item[i].number == number) {
            *bytes = bundle->open.item[i].file.span;
            return TN_OK;
        }
    return map_shard(bundle, number, bytes);
}

static tn_status stored_bytes(tn__bundle *bundle, const tn__bundle_stored *stored, tn__span *bytes)
{
    tn__span whole;
    TN_TRY(find_shard(bundle, stored->shard, &whole));
    if (stored->offset < 0 || stored->size < 0 ||
        !tn__span_part(whole, (uint64_t)stored->offset, (uint64_t)stored->size, bytes))
        return tn__fail(TN_DATA_LOSS,
                        "Read less bytes than requested\ncheckpoint '%s': a value of %lld bytes at "
                        "%lld of data file %d, which has %zu",
                        bundle->prefix, (long long)stored->size, (long long)stored->offset,
                        (int)stored->shard, whole.size);
    return TN_OK;
}

static tn_status compare_crc(const tn__bundle *bundle, const tn__bundle_stored *stored,
                             uint32_t found)
{
    if (tn__crc32c_mask(found) == stored->crc32c || bundle->limits.ignore_checksums)
        return TN_OK;
    return tn__fail(TN_DATA_LOSS,
                    "TensorBundle at %s shard %d (%lld bytes): Checksum does not match: stored %u "
                    "vs. calculated on the restored bytes %u",
                    bundle->prefix, (int)stored->shard, (long long)stored->size,
                    (unsigned)tn__crc32c_unmask(stored->crc32c), (unsigned)found);
}

static tn_status checked_bytes(tn__bundle *bundle, const tn__bundle_stored *stored, tn__span *bytes)
{
    TN_TRY(stored_bytes(bundle, stored, bytes));
    return compare_crc(bundle, stored, tn__crc32c(0, bytes->data, bytes->size));
}

/* --- slices ----------------------------------------------------------------------------------- */
/* The table's entry of a slice. */
static tn_status find_slice(const tn__bundle *bundle, const char *name, const tn__slice_def *slice,
                            tn__span *value)
{
    tn__bytes key = { 0 };
    tn_status status = tn__slice_key(name, slice, &key);
    const tn__table_entry *entry = NULL;
    if (status == TN_OK)
        entry = tn__table_find(&bundle->table, tn__bytes_span(&key));
    tn__bytes_free(&key);
    if (status == TN_OK && !entry)
        return fail_entry(bundle, name, "names a slice that is not there");
    *value = entry ? entry->value : (tn__span){ NULL, 0 };
    return status;
}

/* A slice of the first format: a TensorProto with neither dtype nor shape, which the tensor's entry
 * says. `entry` and what it has are in the arena. */
static tn_status read_first_slice(tn__bundle *bundle, const record *r, tn__span value,
                                  uint64_t count, tn__arena *arena, tn__tensor_def **data)
{
    tn__first_entry entry = { 0 };
    uint64_t elements, bytes;
    tn__shape_def *shape = tn__arena_alloc(arena, sizeof *shape);
    tn__dim_def *dim = shape ? TN__ARENA_ADD(arena, &shape->dim) : NULL;
    if (!dim)
        return TN_RESOURCE_EXHAUSTED;
    dim->size = (int64_t)count;
    TN_TRY(tn__pb_read(&tn__pb_first_entry, value, arena, &entry));
    if (!entry.data || !entry.data->data)
        return fail_entry(bundle, r->entry.name, "has a slice without data");
    *data = entry.data->data;
    (*data)->dtype = r->entry.dtype;
    (*data)->shape = shape;
    return tn__tensor_proto_measure(*data, &elements, &bytes);
}

/* Its numbers, in `decoded`, which has room for so many. */
static tn_status decode_first_slice(tn__bundle *bundle, const record *r, tn__span value,
                                    size_t size, uint8_t *decoded)
{
    tn__arena arena = { .limit = (size_t)bundle->limits.decoded };
    tn__tensor_def *data = NULL;
    uint64_t count = size / tn__tf_dtype_size(r->entry.dtype);
    tn_status status = read_first_slice(bundle, r, value, count, &arena, &data);
    if (status == TN_OK)
        tn__tensor_proto_copy(data, decoded);
    tn__arena_free(&arena);
    return status;
}

/* Where a slice's bytes are. checked: with their checksum compared. */
static tn_status stored_slice(tn__bundle *bundle, const record *r, tn__span value, size_t size,
                              bool checked, tn__span *bytes)
{
    tn__arena arena = { .limit = bundle->arena.limit };
    tn__bundle_stored stored = { 0 };
    tn_status status = tn__pb_read(&tn__pb_bundle_entry, value, &arena, &stored);
    if (status == TN_OK && ((uint64_t)stored.size != size || stored.dtype != r->entry.dtype))
        status = fail_entry(bundle, r->entry.name, "has a slice of another size or dtype");
    if (status == TN_OK)
        status =
            checked ? checked_bytes(bundle, &stored, bytes) : stored_bytes(bundle, &stored, bytes);
    tn__arena_free(&arena);
    return status;
}

static size_t slice_size(const record *r, const tn__slice_def *slice)
{
    int64_t start[TN__BUNDLE_RANK], length[TN__BUNDLE_RANK];
    size_t size = tn__tf_dtype_size(r->entry.dtype);
    tn__slice_place(slice, r->entry.rank, r->entry.shape, start, length);
    for (int i = 0; i < r->entry.rank; i++)
        size *= (size_t)length[i];
    return size;
}

static tn_status copy_slice(tn__bundle *bundle, const record *r, const tn__slice_def *slice,
                            uint8_t *scratch, uint8_t *out)
{
    int64_t start[TN__BUNDLE_RANK], length[TN__BUNDLE_RANK];
    const tn__bundle_entry *e = &r->entry;
    size_t width = tn__tf_dtype_size(e->dtype), size = slice_size(r, slice);
    tn__span value, bytes = { scratch, 0 };
    tn__slice_place(slice, e->rank, e->shape, start, length);
    TN_TRY(find_slice(bundle, e->name, slice, &value));
    TN_TRY(bundle->first_format ? decode_first_slice(bundle, r, value, size, scratch)
                                : stored_slice(bundle, r, value, size, true, &bytes));
    tn__slice_copy(e->rank, e->shape, start, length, width, bytes.data, out);
    return TN_OK;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Whether two slices share an element, or are the same one (of no elements). */
static bool overlap(const tn__bundle_entry *e, const tn__slice_def *a, const tn__slice_def *b)
{
    int64_t start[2][TN__BUNDLE_RANK], length[2][TN__BUNDLE_RANK];
    bool share = true, same = true;
    tn__slice_place(a, e->rank, e->shape, start[0], length[0]);
    tn__slice_place(b, e->rank, e->shape, start[1], length[1]);
    for (int i = 0; i < e->rank; i++) {
        int64_t end = least(start[0][i] + length[0][i], start[1][i] + length[1][i]);
        share = share && start[0][i] < end && start[1][i] < end;
        same = same && start[0][i] == start[1][i] && length[0][i] == length[1][i];
    }
    return share || same;
}

/* Every element stands in exactly one slice: none lies outside, no two share one, and together they
 * have as many. */
static tn_status check_slices(const tn__bundle *bundle, const record *r)
{
    const tn__slice_list *slices = &r->stored.slices;
    int64_t start[TN__BUNDLE_RANK], length[TN__BUNDLE_RANK];
    uint64_t all = 0;
    if (slices->count > COMPARISONS / (slices->count * ((size_t)r->entry.rank + 1)))
        return tn__fail(TN_RESOURCE_EXHAUSTED, "checkpoint '%s': '%s' is in too many slices: %zu",
                        bundle->prefix, r->entry.name, slices->count);
    for (size_t i = 0; i < slices->count; i++) {
        if (!tn__slice_place(&slices->item[i], r->entry.rank, r->entry.shape, start, length))
            return fail_entry(bundle, r->entry.name, "has a slice that lies outside of it");
        uint64_t count = 1;
        for (int k = 0; k < r->entry.rank; k++)
            count *= (uint64_t)length[k];
        all += count;
        for (size_t k = 0; k < i; k++)
            if (overlap(&r->entry, &slices->item[i], &slices->item[k]))
                return fail_entry(bundle, r->entry.name, "has slices that overlap");
    }
    return all == r->entry.count ? TN_OK
                                 : fail_entry(bundle, r->entry.name, "lacks some of its slices");
}

/* Whether a slice's bytes are there. Those of the first format may be short for many equal ones. */
static tn_status check_slice_bytes(tn__bundle *bundle, const record *r, const tn__slice_def *slice)
{
    tn__span value, bytes;
    size_t size = slice_size(r, slice);
    TN_TRY(find_slice(bundle, r->entry.name, slice, &value));
    if (!bundle->first_format)
        return stored_slice(bundle, r, value, size, false, &bytes);
    return size <= (uint64_t)value.size * EXPANSION + FREE_SIZE
               ? TN_OK
               : fail_entry(bundle, r->entry.name, "has a slice that decodes to too many bytes");
}

static tn_status check_value(tn__bundle *bundle, const record *r)
{
    tn__span bytes;
    if (tn__tf_dtype_size(r->entry.dtype) == 0)
        return tn__fail(TN_UNIMPLEMENTED, "values of dtype %s cannot be read as numbers",
                        tn__tf_dtype_name(r->entry.dtype));
    if (r->entry.size > bundle->limits.decoded)
        return tn__fail(TN_RESOURCE_EXHAUSTED, "%llu bytes are more than the limit of %llu",
                        (unsigned long long)r->entry.size,
                        (unsigned long long)bundle->limits.decoded);
    if (!r->entry.sliced)
        return stored_bytes(bundle, &r->stored, &bytes);
    TN_TRY(check_slices(bundle, r));
    for (size_t i = 0; i < r->stored.slices.count; i++)
        TN_TRY(check_slice_bytes(bundle, r, &r->stored.slices.item[i]));
    return TN_OK;
}

static tn_status read_slices(tn__bundle *bundle, const record *r, void *out)
{
    uint8_t *scratch = NULL;
    if (bundle->first_format && !(scratch = tn__alloc((size_t)r->entry.size)))
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = TN_OK;
    for (size_t i = 0; i < r->stored.slices.count && status == TN_OK; i++)
        status = copy_slice(bundle, r, &r->stored.slices.item[i], scratch, out);
    tn__free(scratch);
    return status;
}

/* --- values ----------------------------------------------------------------------------------- */
static tn_status noted(const tn__bundle *bundle, const record *r, tn_status status)
{
    if (status != TN_OK)
        tn__fail_note("in the tensor '%s' of checkpoint '%s'", r->entry.name, bundle->prefix);
    return status;
}

tn_status tn__bundle_check(tn__bundle *bundle, size_t index)
{
    const record *r = &bundle->records.item[index];
    return noted(bundle, r, check_value(bundle, r));
}

static tn_status read_value(tn__bundle *bundle, const record *r, void *out)
{
    tn__span bytes;
    TN_TRY(check_value(bundle, r));
    if (r->entry.sliced)
        return read_slices(bundle, r, out);
    TN_TRY(checked_bytes(bundle, &r->stored, &bytes));
    if (bytes.size)
        memcpy(out, bytes.data, bytes.size);
    return TN_OK;
}

tn_status tn__bundle_read(tn__bundle *bundle, size_t index, void *out)
{
    const record *r = &bundle->records.item[index];
    return noted(bundle, r, read_value(bundle, r, out));
}

/* --- texts ------------------------------------------------------------------------------------ */
/* All lengths, their checksum, all texts. */
static tn_status split_texts(const tn__bundle *bundle, const record *r, tn__span bytes,
                             tn__bundle_texts *texts)
{
    tn__reader reader = { bytes, 0, false };
    uint32_t crc = 0;
    for (size_t i = 0; i < texts->count; i++) {
        uint64_t length = tn__read_varint(&reader);
        texts->item[i].size = (size_t)length;
        crc = tn__bundle_add_length(crc, length);
    }
    tn__span stored = tn__read_span(&reader, 4);
    tn__reader number = { stored, 0, false };
    bool same = tn__read_u32(&number) == tn__crc32c_mask(crc) || bundle->limits.ignore_checksums;
    if (reader.failed || !same)
        return fail_entry(bundle, r->entry.name, "has damaged lengths of texts");
    crc = tn__crc32c(crc, stored.data, stored.size);
    for (size_t i = 0; i < texts->count; i++) {
        texts->item[i] = tn__read_span(&reader, texts->item[i].size);
        crc = tn__crc32c(crc, texts->item[i].data, texts->item[i].size);
    }
    if (reader.failed || reader.at != bytes.size)
        return fail_entry(bundle, r->entry.name, "has texts of another size than their lengths");
    return compare_crc(bundle, &r->stored, crc);
}

static tn_status new_texts(const tn__bundle *bundle, const record *r, uint64_t most,
                           tn__bundle_texts *texts)
{
    if (r->entry.count > most)
        return fail_entry(bundle, r->entry.name, "has fewer texts than its shape says");
    texts->count = (size_t)r->entry.count;
    texts->item = tn__alloc_zeroed(texts->count, sizeof *texts->item);
    return texts->item ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* In one slice, whose TensorProto has them. */
static tn_status read_first_texts(tn__bundle *bundle, const record *r, tn__bundle_texts *texts)
{
    tn__arena arena = { .limit = (size_t)bundle->limits.decoded };
    tn__tensor_def *data = NULL;
    tn__span value;
    tn_status status = find_slice(bundle, r->entry.name, &r->stored.slices.item[0], &value);
    if (status == TN_OK)
        status = read_first_slice(bundle, r, value, r->entry.count, &arena, &data);
    if (status == TN_OK)
        status = new_texts(bundle, r, data->string_val.count, texts);
    for (size_t i = 0; i < texts->count && status == TN_OK; i++)
        texts->item[i] = tn__tensor_proto_text(data, i);
    tn__arena_free(&arena);
    return status;
}

static tn_status read_texts(tn__bundle *bundle, const record *r, tn__bundle_texts *texts)
{
    tn__span bytes;
    if (r->entry.dtype != TN__TF_STRING)
        return tn__fail(TN_INVALID_ARGUMENT, "values of dtype %s are no texts",
                        tn__tf_dtype_name(r->entry.dtype));
    if (r->stored.slices.count > 1 || (r->entry.sliced && !bundle->first_format))
        return tn__fail(TN_UNIMPLEMENTED, "texts in slices cannot be read");
    if (bundle->first_format)
        return read_first_texts(bundle, r, texts);
    TN_TRY(stored_bytes(bundle, &r->stored, &bytes));
    TN_TRY(new_texts(bundle, r, bytes.size, texts));
    return split_texts(bundle, r, bytes, texts);
}

tn_status tn__bundle_read_texts(tn__bundle *bundle, size_t index, tn__bundle_texts *texts)
{
    const record *r = &bundle->records.item[index];
    *texts = (tn__bundle_texts){ 0 };
    tn_status status = read_texts(bundle, r, texts);
    if (status != TN_OK)
        tn__bundle_texts_free(texts);
    return noted(bundle, r, status);
}

void tn__bundle_texts_free(tn__bundle_texts *texts)
{
    tn__free(texts->item);
    *texts = (tn__bundle_texts){ 0 };
}
