/* shape.c */
#include "core/shape.h"
#include <stdio.h>
#include <string.h>

tn_shape tn__shape_make(int rank, const int64_t *dims)
{
    tn_shape shape = { 1, rank, { 0 } };
    for (int i = 0; i < rank; i++)
        shape.dims[i] = dims[i];
    return shape;
}

tn_status tn__check_rank(const tn_shape *shape)
{
    if (shape->known != 0 && shape->known != 1) /* the number of `.input_shape = 4` */
        return tn__fail(TN_INVALID_ARGUMENT, "Cannot convert '%d' to a shape.\na shape is written TN_SHAPE(%d)", shape->known, shape->known);
    if (!shape->known || tn__rank_valid(shape))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "a shape has 0 to %d dimensions, got %d", TN_MAX_RANK, shape->rank);
}

bool tn__shape_equal(const tn_shape *a, const tn_shape *b)
{
    if (!a->known || !b->known)
        return a->known == b->known;
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

bool tn__shape_fits(const tn_shape *a, const tn_shape *b)
{
    tn_shape merged;
    return tn__shape_merge(a, b, &merged);
}

bool tn__shape_merge(const tn_shape *a, const tn_shape *b, tn_shape *merged)
{
    *merged = a->known ? *a : *b;
    if (!a->known || !b->known)
        return true;
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++) {
        if (a->dims[i] >= 0 && b->dims[i] >= 0 && a->dims[i] != b->dims[i])
            return false;
        merged->dims[i] = a->dims[i] >= 0 ? a->dims[i] : b->dims[i];
    }
    return true;
}

tn_shape tn__shape_either(const tn_shape *a, const tn_shape *b)
{
    tn_shape either = *a;
    if (!a->known || !b->known || a->rank != b->rank)
        return TN__UNKNOWN_SHAPE;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            either.dims[i] = TN_NONE;
    return either;
}

/* What is wrong with it, if anything. */
static __attribute__((noinline)) tn_status weigh(const tn_shape *shape, tn_dtype dtype, uint64_t limit, size_t *bytes)
{
    char text[TN__SHAPE_TEXT];
    TN_TRY(tn__check_rank(shape));
    if (!tn__shape_full(shape))
        return tn__fail(TN_INVALID_ARGUMENT, "a tensor needs a full shape, got %s", tn__shape_print(shape, text));
    /* A zero anywhere makes it empty, but the other dimensions must still be countable. */
    uint64_t product = tn__dtype_size(dtype), total = product;
    for (int i = 0; i < shape->rank; i++) {
        uint64_t dim = (uint64_t)shape->dims[i];
        total *= dim;
        if (dim > 1 && __builtin_mul_overflow(product, dim, &product))
            product = UINT64_MAX;
        if (product > (uint64_t)INT64_MAX)
            return tn__fail(TN_RESOURCE_EXHAUSTED, "a tensor of shape %s and type %s is too large",
                            tn__shape_print(shape, text), tn__dtype_name(dtype));
    }
    if (total > limit)
        return tn__fail(TN_RESOURCE_EXHAUSTED, "a tensor of shape %s and type %s takes %llu bytes, the limit is %llu",
                        tn__shape_print(shape, text), tn__dtype_name(dtype), (unsigned long long)total,
                        (unsigned long long)limit);
    *bytes = (size_t)total;
    return TN_OK;
}

tn_status tn__shape_bytes(const tn_shape *shape, tn_dtype dtype, uint64_t limit, size_t *bytes)
{
    uint64_t total = tn__dtype_size(dtype);
    bool usual = shape->known == 1 && tn__rank_valid(shape);
    for (int i = 0; usual && i < shape->rank; i++)
        usual = shape->dims[i] > 0 && !__builtin_mul_overflow(total, (uint64_t)shape->dims[i], &total);
    if (!usual || total > limit || total > (uint64_t)INT64_MAX)
        return weigh(shape, dtype, limit, bytes);
    *bytes = (size_t)total;
    return TN_OK;
}

bool tn__shape_broadcast(const tn_shape *a, const tn_shape *b, tn_shape *result)
{
    if (a->known && tn__shape_equal(a, b)) {
        *result = *a;
        return true;
    }
    *result = TN__UNKNOWN_SHAPE;
    if (!a->known || !b->known)
        return true;
    int rank = a->rank > b->rank ? a->rank : b->rank;
    result->known = 1;
    result->rank = rank;
    for (int i = 0; i < rank; i++) {
        int64_t x = i < rank - a->rank ? 1 : a->dims[i - rank + a->rank];
        int64_t y = i < rank - b->rank ? 1 : b->dims[i - rank + b->rank];
        if (x == y || y == 1)
            result->dims[i] = x;
        else if (x == 1)
            result->dims[i] = y;
        else if (x < 0 || y < 0)
            result->dims[i] = x < 0 ? y : x;
        else
            return false;
    }
    return true;
}

bool tn__axis(int64_t axis, int rank, int *result)
{
    if (axis < -rank || axis >= rank)
        return false;
    *result = (int)(axis < 0 ? axis + rank : axis);
    return true;
}

void tn__shape_add(tn__text *text, const tn_shape *shape)
{
    char buffer[TN__SHAPE_TEXT];
    tn__text_add(text, "%s", tn__shape_print(shape, buffer));
}

const char *tn__shape_print(const tn_shape *shape, char text[TN__SHAPE_TEXT])
{
    if (!shape->known)
        return strcpy(text, "<unknown>");
    if (!tn__rank_valid(shape)) {
        snprintf(text, TN__SHAPE_TEXT, "<rank %d>", shape->rank);
        return text;
    }
    int n = snprintf(text, TN__SHAPE_TEXT, "(");
    for (int i = 0; i < shape->rank; i++) {
        const char *comma = i + 1 < shape->rank ? ", " : shape->rank == 1 ? "," : "";
        if (shape->dims[i] < 0)
            n += snprintf(text + n, TN__SHAPE_TEXT - (size_t)n, "None%s", comma);
        else
            n += snprintf(text + n, TN__SHAPE_TEXT - (size_t)n, "%lld%s", (long long)shape->dims[i], comma);
    }
    snprintf(text + n, TN__SHAPE_TEXT - (size_t)n, ")");
    return text;
}

tn_status tn__axes_settle(tn_axes *axes, const char *owner)
{
    if (axes->count != -2)
        return TN_OK;
    axes->count = axes->axis[0] != INT32_MIN;
    axes->axis[0] = axes->count ? axes->axis[0] : 0;
    for (int i = 1; i < TN_MAX_RANK; i++)
        if (axes->axis[i] != 0)
            return tn__fail(TN_INVALID_ARGUMENT, "%s: what stands behind axis %d without its name was taken for another axis, %d: write TN_AXES(%d) "
                                                 "or name what follows",
                            owner, axes->axis[0], axes->axis[i], axes->axis[0]);
    return TN_OK;
}
