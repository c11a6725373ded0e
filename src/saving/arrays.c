/* arrays.c - data in and out: .npy, .npz, .csv. */
#include "formats/csv.h"
#include "formats/npz.h"
#include "saving/arrays.h"
#include <string.h>

/* --- element types ---------------------------------------------------------------------------- */
/* Every type that npy.h reads is a tensor's. */
static tn_dtype same_bytes(tn__npy_type type)
{
    static const tn_dtype integers[2][9] = {
        { [1] = TN_INT8, [2] = TN_INT16, [4] = TN_INT32, [8] = TN_INT64 },
        { [1] = TN_UINT8, [2] = TN_UINT16, [4] = TN_UINT32, [8] = TN_UINT64 },
    };
    switch (type.kind) {
    case 'b':
        return TN_BOOL;
    case 'V':
        return TN_BFLOAT16;
    case 'f':
        return type.size == 2 ? TN_FLOAT16 : type.size == 4 ? TN_FLOAT32 : TN_FLOAT64;
    default:
        return integers[type.kind == 'u'][type.size];
    }
}

static tn_status tensor_of(const tn__npy *array, const char *what, tn_tensor **x)
{
    *x = NULL;
    if (array->rank > TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "%s has %d dimensions, tensors have %d at most", what,
                        array->rank, TN_MAX_RANK);
    tn_shape shape = { 1, array->rank, { 0 } };
    for (int i = 0; i < array->rank; i++)
        shape.dims[i] = (int64_t)array->shape[i];
    TN_TRY(tn__tensor_new(same_bytes(array->type), &shape, x));
    tn__npy_copy(array, (*x)->data);
    return TN_OK;
}

/* --- .npz ------------------------------------------------------------------------------------- */
static tn_status fail_name(const tn__npz *npz, const char *path, const char *name)
{
    tn__text known = { 0 };
    for (size_t i = 0; i < tn__npz_count(npz); i++)
        tn__text_add(&known, "%s'%s'", i ? ", " : "", tn__npz_name(npz, i));
    tn_status status =
        name ? tn__fail(TN_NOT_FOUND, "'%s' has no array '%s'\nit has: %s", path, name,
                        tn__text_get(&known))
             : tn__fail(TN_INVALID_ARGUMENT, "'%s' has several arrays: which one?\nit has: %s",
                        path, tn__text_get(&known));
    tn__text_free(&known);
    return status;
}

static tn_status read_member(tn__npz *npz, size_t index, tn_tensor **x)
{
    tn__npy array;
    tn__bytes store = { 0 };
    tn_status status = tn__npz_read(npz, index, &array, &store);
    if (status == TN_OK)
        status = tensor_of(&array, tn__npz_name(npz, index), x);
    tn__bytes_free(&store);
    return status;
}

static tn_status read_named(tn__npz *npz, const char *path, const char *name, tn_tensor **x)
{
    size_t index = 0;
    bool found = name ? tn__npz_find(npz, name, &index) : tn__npz_count(npz) == 1;
    return found ? read_member(npz, index, x) : fail_name(npz, path, name);
}

static tn_status load_npz(const tn__source *source, const char *name, tn_tensor **x)
{
    tn__npz *npz;
    TN_TRY(tn__npz_open(source->bytes, NULL, &npz));
    tn_status status = read_named(npz, source->name, name, x);
    tn__npz_close(npz);
    return status;
}

/* --- .npy, .csv ------------------------------------------------------------------------------- */
static tn_status load_npy(const tn__source *source, tn_tensor **x)
{
    tn__npy array;
    TN_TRY(tn__npy_open(source->bytes, &array));
    return tensor_of(&array, source->name, x);
}

static tn_status find_column(const tn__csv *table, const char *path, const char *name,
                             size_t *found)
{
    tn__text known = { 0 };
    for (*found = 0; *found < table->columns; ++*found) {
        if (table->names && strcmp(table->names[*found], name) == 0)
            break;
        tn__text_add(&known, "%s'%s'", *found ? ", " : "",
                     table->names ? table->names[*found] : "?");
    }
    tn_status status = TN_OK;
    if (*found == table->columns)
        status = tn__fail(TN_NOT_FOUND, "'%s' has no column '%s'\nit has: %s", path, name,
                          table->names ? tn__text_get(&known) : "no header");
    tn__text_free(&known);
    return status;
}

static tn_status table_tensor(const tn__csv *table, const char *path, const char *name,
                              tn_tensor **x)
{
    size_t first = 0, step = name ? table->columns : 1;
    if (name)
        TN_TRY(find_column(table, path, name, &first));
    tn_shape shape = { 1, name ? 1 : 2, { (int64_t)table->rows, (int64_t)table->columns } };
    TN_TRY(tn__tensor_new(TN_FLOAT32, &shape, x));
    float *to = (*x)->data;
    for (size_t i = first; i < table->rows * table->columns; i += step)
        *to++ = (float)table->values[i];
    return TN_OK;
}

static tn_status load_csv(const tn__source *source, const char *name, tn_tensor **x)
{
    tn__csv table;
    TN_TRY(tn__csv_read(source->bytes, NULL, &table));
    tn_status status = table_tensor(&table, source->name, name, x);
    tn__csv_free(&table);
    return status;
}

static bool begins(const tn__source *source, const char *mark, size_t size)
{
    return source->bytes.size >= size && memcmp(source->bytes.data, mark, size) == 0;
}

tn_tensor *tn_load_array(const char *path, const char *name)
{
    TN__ENTER(context, NULL);
    tn__source source;
    tn_tensor *x = NULL;
    if (tn__source_open(path, (tn__span){ NULL, 0 }, false, 0, &source) != TN_OK)
        return NULL;
    tn_status status = begins(&source, "\x93NUMPY", 6) ? load_npy(&source, &x)
                       : begins(&source, "PK", 2)      ? load_npz(&source, name, &x)
                                                       : load_csv(&source, name, &x);
    if (status != TN_OK)
        tn__fail_note("while loading '%s'", path);
    tn__source_close(&source);
    return tn__own(x);
}

/* --- several ---------------------------------------------------------------------------------- */
static tn_status read_members(tn__npz *npz, const char **names, tn_tensor **items)
{
    for (size_t i = 0; i < tn__npz_count(npz); i++) {
        tn_tensor *x;
        names[i] = tn__scope_strdup(tn__npz_name(npz, i));
        if (!names[i])
            return TN_RESOURCE_EXHAUSTED;
        TN_TRY(read_member(npz, i, &x));
        if (!(items[i] = tn__own(x)))
            return TN_RESOURCE_EXHAUSTED;
    }
    return TN_OK;
}

static tn_named_list read_archive(const tn__source *source)
{
    tn_named_list none = { 0, NULL, NULL };
    tn__npz *npz;
    if (tn__npz_open(source->bytes, NULL, &npz) != TN_OK)
        return none;
    size_t count = tn__npz_count(npz);
    const char **names = tn__scope_alloc((count + 1) * sizeof *names);
    tn_tensor **items = names ? tn__scope_alloc((count + 1) * sizeof *items) : NULL;
    tn_status status = items ? read_members(npz, names, items) : TN_RESOURCE_EXHAUSTED;
    tn__npz_close(npz);
    return status == TN_OK ? (tn_named_list){ count, names, items } : none;
}

static tn_named_list read_one(const tn__source *source)
{
    tn_named_list none = { 0, NULL, NULL };
    tn_tensor *x = NULL;
    tn_status status =
        begins(source, "\x93NUMPY", 6) ? load_npy(source, &x) : load_csv(source, NULL, &x);
    const char **names = tn__scope_alloc(sizeof *names);
    tn_tensor **items = tn__scope_alloc(sizeof *items);
    x = tn__own(x);
    if (status != TN_OK || !names || !items || !x)
        return none;
    names[0] = "";
    items[0] = x;
    return (tn_named_list){ 1, names, items };
}

tn_named_list tn__arrays_read(const tn__source *source)
{
    return begins(source, "PK", 2) ? read_archive(source) : read_one(source);
}

tn_named_list tn_load_arrays(const char *path)
{
    tn_named_list result = { 0, NULL, NULL };
    TN__ENTER(context, result);
    tn__source source;
    if (tn__source_open(path, (tn__span){ NULL, 0 }, false, 0, &source) != TN_OK)
        return result;
    result = read_archive(&source);
    if (tn__failed(context))
        tn__fail_note("while loading '%s'", path);
    tn__source_close(&source);
    return result;
}

/* --- out -------------------------------------------------------------------------------------- */
static tn__npy_type npy_type(tn_dtype dtype)
{
    switch (dtype) {
    case TN_BOOL:
        return (tn__npy_type){ .kind = 'b', .size = 1 };
    default:
        return (tn__npy_type){ .kind = tn__in(TN__UNSIGNED, dtype) ? 'u'
                                       : tn__in(TN__INTS, dtype)   ? 'i'
                                                                   : 'f',
                               .size = (int)tn__dtype_size(dtype) };
    }
}

/* The value; bfloat16, which NumPy has not, as float32. Retained for the caller. */
static tn_status value_to_save(tn_tensor *x, const char *what, tn_tensor **value)
{
    TN_TRY(tn__value_of(x, what, value));
    if ((*value)->dtype != TN_BFLOAT16)
        return TN_OK;
    tn_tensor *wide, *narrow = *value;
    *value = NULL;
    tn_status status = tn__tensor_new(TN_FLOAT32, &narrow->shape, &wide);
    for (int64_t i = 0; status == TN_OK && i < tn__count(narrow); i++)
        ((float *)wide->data)[i] = (float)tn__double_at(narrow, i);
    tn__release(narrow);
    if (status == TN_OK)
        *value = wide;
    return status;
}

static void shape_of(const tn_tensor *x, uint64_t dims[TN_MAX_RANK])
{
    for (int i = 0; i < x->shape.rank; i++)
        dims[i] = (uint64_t)x->shape.dims[i];
}

static tn_status write_npy(tn__writer *out, const tn_tensor *x)
{
    uint64_t dims[TN_MAX_RANK] = { 0 };
    shape_of(x, dims);
    return tn__npy_write(out, npy_type((tn_dtype)x->dtype), x->shape.rank, dims, x->data);
}

/* A vector is one column, a number one row of one. */
static tn_status write_csv(tn__writer *out, const tn_tensor *x)
{
    size_t rows = x->shape.rank ? (size_t)x->shape.dims[0] : 1;
    size_t columns = x->shape.rank == 2 ? (size_t)x->shape.dims[1] : 1;
    double *values = tn__alloc((size_t)tn__count(x) * sizeof *values);
    if (!values)
        return TN_RESOURCE_EXHAUSTED;
    for (int64_t i = 0; i < tn__count(x); i++)
        values[i] = tn__double_at(x, i);
    tn_status status =
        columns || !rows
            ? tn__csv_write(out, NULL, rows, columns, values, x->dtype != TN_FLOAT64)
            : tn__fail(TN_INVALID_ARGUMENT, "a table without columns cannot be saved as .csv");
    tn__free(values);
    return status;
}

static tn_status check_array_path(const char *path, const tn_tensor *x)
{
    if (!path)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_save_array: path is NULL");
    if (tn__ends_with(path, ".npy") || strcmp(path, "-") == 0)
        return TN_OK;
    if (!tn__ends_with(path, ".csv"))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "tn_save_array: the name must end in .npy or .csv, got '%s'%s", path,
                        tn__ends_with(path, ".npz") ? "\ntn_save_arrays() writes .npz" : "");
    if (x->shape.rank > 2)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_save_array: .csv holds rank 2 at most, got %s",
                        TN__TENSOR(x));
    return TN_OK;
}

static tn_status save_value(const tn_tensor *value, const char *path)
{
    tn__writer *out;
    TN_TRY(check_array_path(path, value));
    TN_TRY(tn__writer_open(path, true, &out));
    return tn__writer_end(out, tn__ends_with(path, ".csv") ? write_csv(out, value)
                                                           : write_npy(out, value));
}

tn_status tn_save_array(tn_tensor *x, const char *path)
{
    TN__ENTER(context, context->error.status);
    tn_tensor *value;
    TN_TRY(value_to_save(x, "tn_save_array: x", &value));
    tn_status status = save_value(value, path);
    tn__release(value);
    return status;
}

static tn_status add_member(tn__zip_writer *zip, const char *name, tn_tensor *x)
{
    tn_tensor *value;
    uint64_t dims[TN_MAX_RANK] = { 0 };
    if (!name)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_save_arrays: a name is NULL");
    TN_TRY(value_to_save(x, "tn_save_arrays: an array", &value));
    shape_of(value, dims);
    tn_status status = tn__npz_add(zip, name, npy_type((tn_dtype)value->dtype), value->shape.rank,
                                   dims, value->data);
    tn__release(value);
    return status;
}

static tn_status write_archive(tn__writer *out, tn_named_list arrays)
{
    tn__zip_writer *zip;
    TN_TRY(tn__zip_writer_open(out, &zip));
    for (size_t i = 0; i < arrays.count; i++) {
        tn_status status = add_member(zip, arrays.name[i], arrays.item[i]);
        if (status != TN_OK) {
            tn__zip_writer_free(zip);
            return status;
        }
    }
    return tn__zip_finish(zip);
}

tn_status tn_save_arrays(tn_named_list arrays, const char *path)
{
    TN__ENTER(context, context->error.status);
    tn__writer *out;
    if (!path || !(tn__ends_with(path, ".npz") || strcmp(path, "-") == 0))
        return tn__fail(TN_INVALID_ARGUMENT, "tn_save_arrays: the name must end in .npz, got '%s'",
                        path ? path : "NULL");
    if (!arrays.item || !arrays.name)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_save_arrays: arrays is the list of a failure");
    TN_TRY(tn__writer_open(path, true, &out));
    return tn__writer_end(out, write_archive(out, arrays));
}
