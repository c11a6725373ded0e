/* dataset.c */
#include "saving/dataset.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* --- in --------------------------------------------------------------------------------------- */
tn_status tn__dataset_shape(tn__h5_object *dataset, tn_shape *shape)
{
    const tn__h5_info *info;
    TN_TRY(tn__h5_info_of(dataset, &info));
    if (info->is_null || info->rank > TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "'%s' has %s", tn__h5_path(dataset),
                        info->is_null ? "no elements at all" : "more dimensions than tensors have");
    *shape = (tn_shape){ 1, info->rank, { 0 } };
    for (int i = 0; i < info->rank; i++) {
        if (info->dims[i] > INT64_MAX)
            return tn__fail(TN_DATA_LOSS, "'%s' has an impossible size", tn__h5_path(dataset));
        shape->dims[i] = (int64_t)info->dims[i];
    }
    return TN_OK;
}

bool tn__dataset_is_bfloat16(tn__h5_object *dataset, const tn__h5_type *type)
{
    tn__h5_object *attribute = NULL;
    tn__h5_strings text = { 0 };
    if (type->class != TN__H5_OPAQUE || type->size != 2 ||
        tn__h5_attribute(dataset, "dtype", &attribute) != TN_OK || !attribute)
        return false;
    bool is = tn__h5_read_strings(attribute, &text) == TN_OK && text.count == 1 &&
              strcmp(text.item[0].text, "bfloat16") == 0;
    tn__h5_strings_free(&text);
    return is;
}

/* The dtype whose elements are these bytes; 0: none. */
static tn_dtype same_bytes(tn__h5_object *dataset, const tn__h5_type *type)
{
    static const tn_dtype integers[2][9] = {
        { [1] = TN_UINT8, [2] = TN_UINT16, [4] = TN_UINT32, [8] = TN_UINT64 },
        { [1] = TN_INT8, [2] = TN_INT16, [4] = TN_INT32, [8] = TN_INT64 },
    };
    if (type->refused) /* its size may be anything */
        return (tn_dtype)0;
    switch (type->class) {
    case TN__H5_FLOAT:
        return type->size == 4 ? TN_FLOAT32 : type->size == 8 ? TN_FLOAT64 : TN_FLOAT16;
    case TN__H5_BFLOAT16:
        return TN_BFLOAT16;
    case TN__H5_BOOL:
        return TN_BOOL;
    case TN__H5_INTEGER:
        return integers[type->is_signed][type->size];
    default:
        return tn__dataset_is_bfloat16(dataset, type) ? TN_BFLOAT16 : (tn_dtype)0;
    }
}

/* An .h5 of Keras says nothing of its two bytes: they are what the weight is. */
static bool is_of(tn__h5_object *dataset, const tn__h5_type *type, tn_dtype dtype)
{
    bool unsaid = type->class == TN__H5_OPAQUE && type->size == 2 && dtype == TN_BFLOAT16;
    return unsaid || same_bytes(dataset, type) == dtype;
}

tn_status tn__dataset_dtype(tn__h5_object *dataset, tn_dtype *dtype)
{
    const tn__h5_info *info;
    TN_TRY(tn__h5_info_of(dataset, &info));
    *dtype = same_bytes(dataset, &info->type);
    if (*dtype)
        return tn__errors()->status;
    return tn__fail(TN_UNIMPLEMENTED, "'%s' holds no numbers that a tensor can hold%s%s",
                    tn__h5_path(dataset), info->type.refused ? ": " : "",
                    info->type.refused ? info->type.refused : "");
}

/* A uint64 has the same bits. */
static int64_t integer_at(const tn__h5_type *type, const uint8_t *at)
{
    uint64_t bits = 0;
    memcpy(&bits, at, type->size);
    unsigned unused = 64 - 8 * (unsigned)type->size;
    return type->is_signed ? (int64_t)(bits << unused) >> unused : (int64_t)bits;
}

static void convert_integer(const tn__h5_type *type, const uint8_t *at, tn_dtype to, void *place)
{
    int64_t value = integer_at(type, at);
    if (value < 0 && !type->is_signed && tn__in(TN__FLOATS, to))
        tn__element_from_double(to, (double)(uint64_t)value, place);
    else
        tn__element_from_int(to, value, place);
}

/* A file keeps its elements at any address. */
static double float_at(tn_dtype dtype, const uint8_t *at)
{
    double element;
    memcpy(&element, at, tn__dtype_size(dtype));
    return tn__element_to_double(dtype, &element);
}

/* Elements of another type, one by one: integers as integers, the rest by way of double. */
static void convert(const tn__h5_type *type, tn_dtype from, const uint8_t *bytes, tn_tensor *x)
{
    tn_dtype to = (tn_dtype)x->dtype;
    size_t size = tn__dtype_size(to);
    char *place = x->data;
    int64_t count = tn__count(x);
    for (int64_t i = 0; i < count; i++, bytes += type->size, place += size) {
        if (type->class == TN__H5_INTEGER)
            convert_integer(type, bytes, to, place);
        else
            tn__element_from_double(to, float_at(from, bytes), place);
    }
}

/* From where the elements stand in the file, or from a copy when they are packed there. */
static tn_status read_converted(tn__h5_object *dataset, const tn__h5_type *type, tn_tensor *x)
{
    tn_dtype from;
    size_t size;
    tn__span there;
    TN_TRY(tn__dataset_dtype(dataset, &from));
    TN_TRY(tn__h5_in_place(dataset, &there));
    if (there.data) {
        convert(type, from, there.data, x);
        return TN_OK;
    }
    TN_TRY(tn__h5_measure(dataset, &size));
    uint8_t *bytes = tn__alloc(size);
    if (!bytes)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = tn__h5_read(dataset, bytes, size);
    if (status == TN_OK)
        convert(type, from, bytes, x);
    tn__free(bytes);
    return status;
}

static tn_status read_into(tn__h5_object *dataset, const tn__h5_type *type, tn_tensor *x)
{
    if (!is_of(dataset, type, (tn_dtype)x->dtype))
        return read_converted(dataset, type, x);
    return tn__h5_read(dataset, x->data, tn__byte_count(x));
}

tn_status tn__dataset_tensor(const tn__source *source, tn__h5_object *dataset, tn_dtype dtype,
                             tn_tensor **tensor)
{
    *tensor = NULL;
    const tn__h5_info *info;
    tn_shape shape;
    tn__span elements;
    size_t size;
    TN_TRY(tn__h5_info_of(dataset, &info));
    TN_TRY(tn__dataset_shape(dataset, &shape));
    TN_TRY(tn__h5_measure(dataset, &size)); /* nothing is allocated for bytes that are not there */
    if (source->mapping && is_of(dataset, &info->type, dtype)) {
        TN_TRY(tn__h5_in_place(dataset, &elements));
        TN_TRY(tn__source_borrow(source, dtype, &shape, elements, tensor));
    }
    if (*tensor)
        return TN_OK;
    TN_TRY(tn__tensor_new(dtype, &shape, tensor));
    tn_status status = read_into(dataset, &info->type, *tensor);
    if (status != TN_OK) {
        tn__release(*tensor);
        *tensor = NULL;
    }
    return status;
}

/* --- lists ------------------------------------------------------------------------------------ */
typedef struct {
    tn__h5_object *dataset;
    unsigned long number;
    size_t place;
} numbered;

static int by_number(const void *a, const void *b)
{
    const numbered *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static tn_status sort_numbered(tn__h5_object *group, const tn__h5_names *names, numbered *items)
{
    for (size_t i = 0; i < names->count; i++) {
        char *end;
        unsigned long number = strtoul(names->item[i], &end, 10);
        items[i] = (numbered){ .number = *end ? ULONG_MAX : number, .place = i };
        TN_TRY(tn__h5_get(group, names->item[i], &items[i].dataset));
        if (tn__h5_kind_of(items[i].dataset) != TN__H5_DATASET)
            return tn__fail(TN_DATA_LOSS, "'%s' is not a dataset, as a weight has to be",
                            tn__h5_path(items[i].dataset));
    }
    if (names->count)
        qsort(items, names->count, sizeof *items, by_number);
    return TN_OK;
}

tn_status tn__dataset_numbered(tn__h5_object *group, tn__h5_object ***list, size_t *count)
{
    const tn__h5_names *names;
    *list = NULL;
    *count = 0;
    TN_TRY(tn__h5_list(group, &names));
    numbered *items = tn__alloc((names->count + 1) * sizeof *items);
    *list = tn__alloc((names->count + 1) * sizeof **list);
    tn_status status = items && *list ? sort_numbered(group, names, items) : TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < names->count && status == TN_OK; i++)
        (*list)[(*count)++] = items[i].dataset;
    tn__free(items);
    if (status != TN_OK) {
        tn__free(*list);
        *list = NULL;
    }
    return status;
}

/* --- out -------------------------------------------------------------------------------------- */
static tn__h5_type type_of(tn_dtype dtype)
{
    switch (dtype) {
    case TN_BOOL:
        return TN__H5_TYPE_BOOL;
    case TN_BFLOAT16:
        return TN__H5_TYPE_OPAQUE(2);
    default:
        if (tn__in(TN__INTS, dtype))
            return tn__in(TN__UNSIGNED, dtype) ? TN__H5_TYPE_UINT(tn__dtype_size(dtype))
                                               : TN__H5_TYPE_INT(tn__dtype_size(dtype));
        return TN__H5_TYPE_FLOAT(tn__dtype_size(dtype));
    }
}

tn_status tn__dataset_add(tn__h5_node *group, const char *path, const tn_tensor *value)
{
    uint64_t dims[TN_MAX_RANK];
    tn_dtype dtype = (tn_dtype)value->dtype;
    tn__h5_node *node;
    for (int i = 0; i < value->shape.rank; i++)
        dims[i] = (uint64_t)value->shape.dims[i];
    TN_TRY(tn__h5_add_dataset(group, path, type_of(dtype), value->shape.rank, dims, value->data,
                              &node));
    return dtype == TN_BFLOAT16 ? tn__h5_add_text(node, "dtype", "bfloat16") : TN_OK;
}
