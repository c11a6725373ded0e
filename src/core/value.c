/* value.c - the public side of tensors: making, reading, lists and tuples. */
#include "core/variable.h"
#include <math.h>
#include <string.h>

/* --- making ------------------------------------------------------------------------------------------------------------- */
tn_tensor *tn_constant(tn_dtype dtype, tn_shape shape, const void *data)
{
    TN__ENTER(context, NULL);
    (void)context;
    tn_tensor *x = NULL;
    if (!tn__dtype_size(dtype))
        tn__fail(TN_INVALID_ARGUMENT, "tn_constant: %d is not a dtype", (int)dtype);
    else if (!data && !(tn__shape_full(&shape) && tn__shape_count(&shape) == 0))
        tn__fail(TN_INVALID_ARGUMENT, "tn_constant: data is NULL");
    else
        (void)!tn__tensor_copy(dtype, &shape, data, &x);
    return tn__own(x);
}

static tn_tensor *weak(tn_tensor *x)
{
    if (x)
        x->weak = true;
    return tn__own(x);
}

tn_tensor *tn_scalar_float(double value)
{
    TN__ENTER(context, NULL);
    (void)context;
    tn_tensor *x = tn__tensor_fill(TN_FLOAT32, &TN_SCALAR, value);
    if (x)
        *tn__weak_number(x) = value;
    return weak(x);
}

tn_tensor *tn_scalar_int(int64_t value)
{
    TN__ENTER(context, NULL);
    (void)context;
    bool small = value >= INT32_MIN && value <= INT32_MAX;
    tn_tensor *x;
    if (tn__tensor_new(small ? TN_INT32 : TN_INT64, &TN_SCALAR, &x) != TN_OK)
        return NULL;
    tn__element_from_int((tn_dtype)x->dtype, value, x->data);
    return weak(x);
}

static tn_tensor *filled(const char *what, tn_shape shape, tn_dtype dtype, double value)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__dtype_size(dtype)) {
        tn__fail(TN_INVALID_ARGUMENT, "%s: %d is not a dtype", what, (int)dtype);
        return NULL;
    }
    return tn__own(tn__tensor_fill(dtype, &shape, value));
}

tn_tensor *tn_zeros(tn_shape shape, tn_dtype dtype)
{
    return filled("tn_zeros", shape, dtype, 0);
}

tn_tensor *tn_ones(tn_shape shape, tn_dtype dtype)
{
    return filled("tn_ones", shape, dtype, 1);
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */
tn_shape tn_shape_of(tn_tensor *x)
{
    return tn__check_tensor(x, "tn_shape_of: x") ? x->shape : TN__UNKNOWN_SHAPE;
}

int64_t tn_dim(tn_shape shape, int axis)
{
    int at;
    if (shape.known && tn__rank_valid(&shape) && tn__axis(axis, shape.rank, &at))
        return shape.dims[at];
    tn__fail(TN_OUT_OF_RANGE, "tn_dim: %s has no axis %d", TN__SHAPE(shape), axis);
    return TN_NONE;
}

tn_dtype tn_dtype_of(tn_tensor *x)
{
    return tn__check_tensor(x, "tn_dtype_of: x") ? tn__dtype_as_read(tn__context(), x) : (tn_dtype)0;
}

/* A variable's snapshot lives in the innermost scope, so that its elements do. */
static const void *elements(tn_tensor *x, tn_dtype expected, const char *what)
{
    tn_tensor *value;
    if (tn__value_of(x, what, &value) != TN_OK)
        return NULL;
    if (value->dtype != expected) {
        tn__fail(TN_INVALID_ARGUMENT, "%s: the tensor is %s, %s was asked for\ntn_cast(x, dtype) converts", what, TN__TENSOR(value),
                 tn__dtype_name(expected));
        tn__release(value);
        return NULL;
    }
    if (value == x) { /* lives as long as x does */
        tn__release(value);
        return x->data;
    }
    return tn__own(value) ? value->data : NULL;
}

const float *tn_data_float32(tn_tensor *x)
{
    return elements(x, TN_FLOAT32, "tn_data_float32: x");
}

const int32_t *tn_data_int32(tn_tensor *x)
{
    return elements(x, TN_INT32, "tn_data_int32: x");
}

const void *tn_data(tn_tensor *x, tn_dtype expected)
{
    return elements(x, expected, "tn_data: x");
}

static bool one_element(tn_tensor *x, const char *what, tn_tensor **value)
{
    if (tn__value_of(x, what, value) != TN_OK)
        return false;
    if (tn__count(*value) == 1)
        return true;
    tn__fail(TN_INVALID_ARGUMENT, "%s: only a tensor of one element is a number, got %s", what, TN__TENSOR(*value));
    tn__release(*value);
    return false;
}

double tn_to_double(tn_tensor *x)
{
    tn_tensor *value;
    if (!one_element(x, "tn_to_double: x", &value))
        return NAN;
    double number = tn__double_at(value, 0);
    tn__release(value);
    return number;
}

int64_t tn_to_int(tn_tensor *x)
{
    tn_tensor *value;
    if (!one_element(x, "tn_to_int: x", &value))
        return INT64_MIN;
    int64_t number = tn__int_at(value, 0);
    tn__release(value);
    return number;
}

/* --- lists and tuples --------------------------------------------------------------------------------------------------- */
tn_list tn_list_of(size_t count, tn_tensor *const *items)
{
    tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    for (size_t i = 0; i < count; i++)
        if (!tn__check_tensor(items[i], "an item of a list"))
            return none;
    tn_tensor **copy = tn__scope_alloc((count + 1) * sizeof *copy);
    if (!copy)
        return none;
    if (count)
        memcpy(copy, items, count * sizeof *copy);
    return (tn_list){ count, copy };
}

tn_layer_list tn_layer_list_of(size_t count, tn_layer *const *items)
{
    tn_layer_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    for (size_t i = 0; i < count; i++)
        if (!items[i]) {
            tn__fail(TN_INVALID_ARGUMENT, "item %zu of a list of layers is NULL", i);
            return none;
        }
    tn_layer **copy = tn__scope_alloc((count + 1) * sizeof *copy);
    if (!copy)
        return none;
    if (count)
        memcpy(copy, items, count * sizeof *copy);
    return (tn_layer_list){ count, copy };
}

tn_tensor *tn_at(tn_list list, size_t index)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!list.item || index >= list.count) {
        tn__fail(TN_OUT_OF_RANGE, "tn_at: item %zu of a list of %zu", index, list.item ? list.count : 0);
        return NULL;
    }
    return list.item[index];
}

tn_list tn_list_concat(tn_list a, tn_list b)
{
    tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    if (!a.item || !b.item) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_list_concat: a list is NULL");
        return none;
    }
    tn_tensor **items = tn__scope_alloc((a.count + b.count + 1) * sizeof *items);
    if (!items)
        return none;
    memcpy(items, a.item, a.count * sizeof *items);
    memcpy(items + a.count, b.item, b.count * sizeof *items);
    return (tn_list){ a.count + b.count, items };
}

tn_tensor *tn_tuple_of(tn_list items)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!items.item) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_tuple: the list is NULL");
        return NULL;
    }
    if (!tn__check_tensors(items, "an item of a tuple"))
        return NULL;
    return tn__own(tn__tuple_new(items.count, items.item));
}

tn_list tn_items(tn_tensor *x)
{
    tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    if (!tn__check_tensor(x, "tn_items: x"))
        return none;
    return x->form == TN__TUPLE ? tn_list_of(x->of.tuple.count, x->of.tuple.item) : tn_list_of(1, &x);
}

tn_tensor *tn_item(tn_tensor *tuple, size_t index)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(tuple, "tn_item: tuple"))
        return NULL;
    bool is_tuple = tuple->form == TN__TUPLE;
    size_t count = is_tuple ? tuple->of.tuple.count : 1;
    if (index >= count) {
        tn__fail(TN_OUT_OF_RANGE, "tn_item: item %zu of %zu", index, count);
        return NULL;
    }
    return is_tuple ? tn__own_shared(tuple->of.tuple.item[index]) : tuple;
}
