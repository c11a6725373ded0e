/* source.c */
#include "saving/source.h"
#include <string.h>

struct tn__mapping {
    _Atomic size_t count;
    tn__file file;
};

static void mapping_release(tn__mapping *mapping)
{
    if (!mapping || atomic_fetch_sub_explicit(&mapping->count, 1, memory_order_acq_rel) != 1)
        return;
    tn__file_close(&mapping->file);
    tn__free(mapping);
}

static tn_status refuse_folder(const char *path)
{
    char *inside = tn__print("%s/saved_model.pb", path);
    bool saved_model = inside && tn__path_kind_of(inside) == TN__PATH_FILE;
    tn__free(inside);
    return tn__fail(
        TN_UNIMPLEMENTED, "File format not supported: filepath=%s. It is a folder%s", path,
        saved_model ? " with a TensorFlow SavedModel in it\nit is a whole model, and "
                      "here a file is wanted"
                    : "\na SavedModel's folder has a file saved_model.pb in it, and a "
                      "folder of checkpoints a file `checkpoint`; this one has neither");
}

static tn_status mapping_new(tn__mapping **mapping)
{
    *mapping = tn__alloc_zeroed(1, sizeof **mapping);
    if (!*mapping)
        return TN_RESOURCE_EXHAUSTED;
    atomic_init(&(*mapping)->count, 1);
    return TN_OK;
}

static tn_status map_file(const char *path, tn__source *source)
{
    tn__mapping *mapping;
    TN_TRY(mapping_new(&mapping));
    tn_status status = tn__file_map(path, &mapping->file);
    if (status != TN_OK) {
        tn__free(mapping);
        return status;
    }
    source->mapping = mapping;
    source->bytes = mapping->file.span;
    return TN_OK;
}

tn_status tn__source_share(tn__source *source)
{
    if (source->mapping || !source->file.span.data)
        return TN_OK;
    TN_TRY(mapping_new(&source->mapping));
    source->mapping->file = source->file;
    source->file = (tn__file){ 0 };
    return TN_OK;
}

static tn_status check_limit(const tn__source *source, uint64_t limit)
{
    if (limit == 0 || source->bytes.size <= limit)
        return TN_OK;
    return tn__fail(TN_RESOURCE_EXHAUSTED, "'%s' is longer than the limit of %llu bytes",
                    source->name, (unsigned long long)limit);
}

static tn_status open_path(const char *path, bool map, uint64_t limit, tn__source *source)
{
    if (tn__path_kind_of(path) == TN__PATH_FOLDER)
        return refuse_folder(path);
    if (map) {
        TN_TRY(map_file(path, source));
        return check_limit(source, limit);
    }
    TN_TRY(tn__file_read(path, limit ? limit : INT64_MAX, &source->file));
    source->bytes = source->file.span;
    return TN_OK;
}

tn_status tn__source_open(const char *path, tn__span data, bool map, uint64_t limit,
                          tn__source *source)
{
    *source = (tn__source){ .name = data.data ? "memory" : path, .decoded = limit };
    if (data.data) {
        source->bytes = data;
        return check_limit(source, limit);
    }
    if (!path)
        return tn__fail(TN_INVALID_ARGUMENT, "neither a path nor data to load from");
    tn_status status = open_path(path, map, limit, source);
    if (status != TN_OK)
        tn__source_close(source);
    return status;
}

void tn__source_close(tn__source *source)
{
    if (source->mapping)
        mapping_release(source->mapping);
    else
        tn__file_close(&source->file);
    *source = (tn__source){ 0 };
}

void tn__source_drop(tn__source *source)
{
    tn__source kept = { .name = source->name, .decoded = source->decoded };
    tn__source_close(source);
    *source = kept;
}

/* A user block of 512 bytes, or of a power of two times that, may stand before an HDF5 file. */
static bool is_hdf5(tn__span bytes)
{
    static const char mark[8] = "\x89HDF\r\n\x1a\n";
    tn__span part;
    for (uint64_t at = 0; tn__span_part(bytes, at, sizeof mark, &part); at = at ? at * 2 : 512)
        if (memcmp(part.data, mark, sizeof mark) == 0)
            return true;
    return false;
}

static bool is_json(tn__span bytes)
{
    size_t at = 0;
    while (at < bytes.size && memchr(" \t\r\n", bytes.data[at], 4))
        at++;
    return at < bytes.size && bytes.data[at] == '{';
}

/* The last bytes of a table. */
static bool is_table(tn__span bytes)
{
    static const uint8_t mark[8] = { 0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb };
    return bytes.size >= 48 &&
           memcmp(bytes.data + bytes.size - sizeof mark, mark, sizeof mark) == 0;
}

tn__format tn__source_format(const tn__source *source)
{
    tn__span bytes = source->bytes;
    if (bytes.size >= 4 && memcmp(bytes.data, "PK", 2) == 0)
        return TN__FORMAT_ZIP;
    if (is_hdf5(bytes))
        return TN__FORMAT_HDF5;
    if (is_table(bytes))
        return TN__FORMAT_TABLE;
    return is_json(bytes) ? TN__FORMAT_JSON : TN__FORMAT_OTHER;
}

static void leave_mapping(void *owner, void *data)
{
    (void)data;
    mapping_release(owner);
}

tn_status tn__source_borrow(const tn__source *source, tn_dtype dtype, const tn_shape *shape,
                            tn__span elements, tn_tensor **tensor)
{
    *tensor = NULL;
    bool aligned = (uintptr_t)elements.data % tn__dtype_size(dtype) == 0;
    if (!source->mapping || !elements.data || !aligned)
        return TN_OK;
    atomic_fetch_add_explicit(&source->mapping->count, 1, memory_order_relaxed);
    /* A tensor's elements are never written once they can be seen, so the mapping stays as it is.
     */
    void *data = (void *)(uintptr_t)elements.data;
    return tn__tensor_borrow(dtype, shape, data, leave_mapping, source->mapping, tensor);
}
