/* inspect_arrays.c - arrays and tables: .npy, .npz, .csv. */
#include "formats/csv.h"
#include "formats/npz.h"
#include "saving/inspect.h"
#include <string.h>

static const char *npy_dtype(const tn__npy_type *type, char text[32])
{
    const char *name = type->kind == 'b'   ? "bool"
                       : type->kind == 'i' ? "int"
                       : type->kind == 'u' ? "uint"
                                           : "float";
    if (type->kind == 'b')
        return name;
    snprintf(text, 32, "%s%d", name, 8 * type->size);
    return text;
}

static tn_status add_npy(tn__inspection *i, const char *name, const tn__npy *array)
{
    char dtype[32];
    return tn__inspect_add(i, name, npy_dtype(&array->type, dtype), array->rank, array->shape,
                           array->count, array->data.size);
}

static tn_status add_npy_file(tn__inspection *i, tn__span bytes)
{
    tn__npy array;
    TN_TRY(tn__inspect_set(i, "format", "npy"));
    TN_TRY(tn__npy_open(bytes, &array));
    return add_npy(i, "", &array);
}

static tn_status add_array(tn__inspection *i, tn__npz *npz, size_t index)
{
    tn__npy array;
    tn__bytes store = { 0 };
    tn_status status = tn__npz_read(npz, index, &array, &store);
    if (status == TN_OK)
        status = add_npy(i, tn__npz_name(npz, index), &array);
    else
        tn__fail_note("array '%s'", tn__npz_name(npz, index));
    tn__bytes_free(&store);
    return tn__inspect_try(i, status);
}

tn_status tn__inspect_npz(tn__inspection *i, tn__span bytes, bool salvage)
{
    tn__npz *npz;
    TN_TRY(tn__inspect_set(i, "format", "npz"));
    TN_TRY(tn__npz_open(bytes, &(tn__zip_limits){ .salvage = salvage }, &npz));
    tn_status status = TN_OK;
    for (size_t k = 0; k < tn__npz_count(npz) && status == TN_OK; k++)
        status = add_array(i, npz, k);
    tn__npz_close(npz);
    return status;
}

/* --- tables ----------------------------------------------------------------------------------- */
static tn_status count_rows(tn__csv_reader *reader, uint64_t *rows)
{
    double *values = tn__alloc((tn__csv_columns(reader) + 1) * sizeof *values);
    bool end = false;
    tn_status status = values ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (*rows = 0; status == TN_OK && !end; *rows += status == TN_OK && !end)
        status = tn__csv_next(reader, values, &end);
    tn__free(values);
    return status;
}

/* A column with its name, or the table as a whole when it has none. */
static tn_status add_table(tn__inspection *i, const tn__csv_reader *reader, uint64_t rows)
{
    uint64_t columns = tn__csv_columns(reader), dims[2] = { rows, columns };
    if (!tn__csv_name(reader, 0))
        return tn__inspect_add(i, "", "float32", 2, dims, rows * columns, rows * columns * 4);
    for (size_t k = 0; k < columns; k++)
        TN_TRY(tn__inspect_add(i, tn__csv_name(reader, k), "float32", 1, dims, rows, rows * 4));
    return TN_OK;
}

static tn_status add_csv(tn__inspection *i, const char *path, tn__span bytes, bool *taken)
{
    tn__csv_reader *reader;
    uint64_t rows = 0;
    bool named = tn__ends_with(path, ".csv");
    if (!named && memchr(bytes.data, 0, bytes.size))
        return TN_OK;
    tn_status status = tn__csv_open(bytes, &(tn__csv_options){ 0 }, &reader);
    if (status != TN_OK && (named || status == TN_RESOURCE_EXHAUSTED))
        return status;
    tn__fail_clear();
    if (status != TN_OK)
        return TN_OK;
    status = count_rows(reader, &rows);
    *taken = tn__csv_columns(reader) > 0 && (named || rows > 0);
    if (*taken && rows > 0) /* a row that cannot be read is a problem; those before it are there */
        status = tn__inspect_try(i, status);
    if (*taken && status == TN_OK)
        status = tn__inspect_set(i, "format", "csv");
    if (*taken && status == TN_OK)
        status = add_table(i, reader, rows);
    tn__csv_close(reader);
    if (*taken || status == TN_RESOURCE_EXHAUSTED)
        return status;
    tn__fail_clear();
    return TN_OK;
}

tn_status tn__inspect_arrays(tn__inspection *i, const char *path, tn__span bytes, bool *taken)
{
    *taken = bytes.size >= 6 && memcmp(bytes.data, "\x93NUMPY", 6) == 0;
    if (*taken)
        return add_npy_file(i, bytes);
    return bytes.size ? add_csv(i, path, bytes, taken) : TN_OK;
}
