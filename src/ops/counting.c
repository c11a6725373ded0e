/* counting.c - functions that count, compare neighbours, repeat and lay out grids; all made of
 * other ops. */
#include "ops/array.h"
#include <string.h>

/* --- counting --------------------------------------------------------------------------------- */
static tn_tensor *not_zero(tn_tensor *x)
{
    return x && x->dtype == TN_BOOL ? x : tn_not_equal(x, tn__like(x, 0));
}

tn_tensor *tn_count_nonzero_with(const tn_count_nonzero_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    if (!tn__check_tensor(o->input, "tn_count_nonzero: input"))
        return NULL;
    tn_tensor *ones = tn_cast(not_zero(o->input), TN_INT64);
    tn_tensor *count = tn_reduce_sum(ones, .axis = o->axis, .keepdims = o->keepdims);
    return tn_cast(count, o->dtype ? o->dtype : TN_INT64);
}

tn_tensor *tn_nn_zero_fraction(tn_tensor *value)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(value, "tn_nn_zero_fraction: value"))
        return NULL;
    return tn_reduce_mean(tn_cast(tn_logical_not(not_zero(value)), TN_FLOAT32));
}

/* Row: the label, column: the prediction. Classes are as many as the largest of either says, unless
 * the caller says. */
tn_tensor *tn_confusion_matrix_with(const tn_confusion_matrix_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_dtype dtype = o->dtype ? o->dtype : TN_INT32;
    tn_tensor *labels = tn_cast(o->labels, TN_INT64),
              *predictions = tn_cast(o->predictions, TN_INT64);
    if (!predictions || !tn_shape_of(labels).known)
        return labels && predictions
                   ? tn_fail(TN_UNIMPLEMENTED, "tn_confusion_matrix: labels of unknown rank")
                   : NULL;
    tn_tensor *count =
        o->num_classes == TN_NONE
            ? tn_add(tn_maximum(tn_reduce_max(labels), tn_reduce_max(predictions)),
                     tn__like(labels, 1))
            : tn_reshape(tn__own(tn__tensor_ints(TN_INT64, 1, &o->num_classes)), TN_SCALAR);
    tn_tensor *ones =
        o->weights ? tn_cast(o->weights, dtype) : tn_cast(tn_ones_like(predictions), dtype);
    tn_tensor *places = tn_stack(TN_LIST(labels, predictions), 1);
    return TN__APPLY(tn__op_ScatterNd, NULL, places, ones, tn_stack(TN_LIST(count, count), 0));
}

/* --- neighbours ------------------------------------------------------------------------------- */
/* x[i + 1] - x[i] of all elements in order. */
static tn_tensor *differences(tn_tensor *x)
{
    tn_tensor *flat = tn_reshape(x, TN_SHAPE(TN_NONE));
    tn_tensor *later = tn_strided_slice(flat, TN_SHAPE(1), TN_SHAPE(0), .end_mask = 1);
    tn_tensor *earlier = tn_strided_slice(flat, TN_SHAPE(0), TN_SHAPE(-1), .begin_mask = 1);
    return tn_subtract(later, earlier);
}

tn_tensor *tn_is_non_decreasing(tn_tensor *x)
{
    tn_tensor *steps = differences(x);
    return steps ? tn_reduce_all(tn_less_equal(tn__like(steps, 0), steps)) : NULL;
}

tn_tensor *tn_is_strictly_increasing(tn_tensor *x)
{
    tn_tensor *steps = differences(x);
    return steps ? tn_reduce_all(tn_less(tn__like(steps, 0), steps)) : NULL;
}

/* --- repeating and grids ---------------------------------------------------------------------- */
/* Slice i of x, repeats[i] times: the running sums of the repeats tell which slice a place has. */
tn_tensor *tn_repeat(tn_tensor *input, tn_tensor *repeats, int axis)
{
    TN__ENTER(context, NULL);
    (void)context;
    int along;
    if (!tn__check_tensor(input, "tn_repeat: input") ||
        !tn__check_tensor(repeats, "tn_repeat: repeats"))
        return NULL;
    if (!input->shape.known && axis < 0)
        return tn_fail(TN_UNIMPLEMENTED, "tn_repeat: axis %d of an unknown rank", axis);
    if (!tn__axis(axis, input->shape.known ? input->shape.rank : TN_MAX_RANK, &along))
        return tn_fail(
            TN_INVALID_ARGUMENT,
            "Expected dimension in the range [-%d, %d), but got %d\ntn_repeat: input is %s",
            input->shape.rank, input->shape.rank, axis, TN__TENSOR(input));
    tn_tensor *n = tn__vector_part(tn__shape_tensor(input), along, along + 1);
    tn_tensor *times = tn_maximum(tn_cast(repeats, TN_INT32), tn__int(0));
    times = tn_ensure_shape(TN__APPLY(tn__op_BroadcastTo, NULL, times, n), TN_SHAPE(TN_NONE));
    tn_tensor *ends = tn_cumsum(times),
              *all = tn_range(tn__int(0), tn_reduce_sum(times), tn__int(1));
    return tn_gather(input, tn_searchsorted(ends, all, .side = "right"), along);
}

/* Row i has lengths[i] times true and then false, up to maxlen. */
tn_tensor *tn_sequence_mask(tn_tensor *lengths, int64_t maxlen, tn_dtype dtype)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(lengths, "tn_sequence_mask: lengths"))
        return NULL;
    tn_tensor *zero = tn__like(lengths, 0);
    tn_tensor *end = maxlen == TN_NONE ? tn_maximum(zero, tn_reduce_max(lengths))
                                       : tn__like(lengths, (double)maxlen);
    tn_tensor *row = tn_range(zero, end, tn__like(lengths, 1));
    tn_tensor *mask = tn_less(row, tn_expand_dims(lengths, -1));
    return dtype ? tn_cast(mask, dtype) : mask;
}

/* Which dimension of the grid belongs to vector i: with "xy" the first two change places. */
static int grid_axis(size_t i, bool xy)
{
    return xy && i < 2 ? 1 - (int)i : (int)i;
}

/* x, made a vector, along dimension `axis` of the grid. */
static tn_tensor *lay_out(tn_tensor *x, int axis, size_t rank, tn_tensor *shape)
{
    tn_shape slot = { 1, (int)rank, { 0 } };
    for (size_t i = 0; i < rank; i++)
        slot.dims[i] = (int)i == axis ? TN_NONE : 1;
    return TN__APPLY(tn__op_BroadcastTo, NULL, tn_reshape(x, slot), shape);
}

tn_list tn_meshgrid_with(const tn_meshgrid_options *o)
{
    tn_list none = { 0, NULL };
    TN__ENTER_OPTIONS(context, o, none);
    const char *indexing = o->indexing ? o->indexing : "xy";
    size_t count = o->vectors.count;
    tn_tensor *sizes[TN_MAX_RANK], *grids[TN_MAX_RANK];
    bool xy = strcmp(indexing, "xy") == 0 && count > 1;
    if (strcmp(indexing, "xy") != 0 && strcmp(indexing, "ij") != 0)
        return tn_fail(TN_INVALID_ARGUMENT,
                       "Argument `indexing` parameter must be either 'xy' or 'ij', got '%s'",
                       indexing),
               none;
    if (count > TN_MAX_RANK || (count && !o->vectors.item))
        return tn_fail(TN_INVALID_ARGUMENT, "tn_meshgrid: from 1 to %d vectors, got %zu",
                       TN_MAX_RANK, count),
               none;
    for (size_t i = 0; i < count; i++)
        sizes[grid_axis(i, xy)] = tn_reshape(tn_size(o->vectors.item[i]), TN_SHAPE(1));
    tn_tensor *shape = count ? tn__vector_join(count, sizes) : NULL;
    for (size_t i = 0; i < count; i++)
        if (!(grids[i] = lay_out(o->vectors.item[i], grid_axis(i, xy), count, shape)))
            return none;
    return tn_list_of(count, grids);
}
