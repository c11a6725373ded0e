/* slices.c - gradients that remember the rows they are sums of. */
#include "ops/slices.h"
#include "ops/array.h"

enum { VALUES, INDICES, ROWS };

static tn_tensor *part(const tn_tensor *gradient, int which)
{
    return gradient->slices->of.tuple.item[which];
}

tn_tensor *tn__sum_of_slices(tn_tensor *values, tn_tensor *indices, tn_tensor *rows)
{
    tn_tensor *sum = TN__APPLY(tn__op_UnsortedSegmentSum, NULL, values, indices, rows);
    if (sum && !(sum->slices = tn__tuple_new(3, (tn_tensor *[]){ values, indices, rows })))
        return NULL;
    return sum;
}

/* The values with one axis in front, as one index each asks for. */
static tn_tensor *flat_values(tn_tensor *gradient)
{
    tn_tensor *shape[] = { tn__ints((int64_t[]){ -1 }, 1),
                           tn__vector_part(tn__shape_tensor(gradient), 1, TN_NONE) };
    return TN__APPLY(tn__op_Reshape, NULL, part(gradient, VALUES), tn__vector_join(2, shape));
}

static tn_tensor *flat_indices(tn_tensor *gradient)
{
    return tn_cast(tn_reshape(part(gradient, INDICES), TN_SHAPE(-1)), TN_INT64);
}

tn_tensor *tn__add_gradients(tn_tensor *a, tn_tensor *b)
{
    if (!a || !b || !a->slices || !b->slices)
        return tn_add(a, b);
    tn_tensor *values = tn_concat(TN_LIST(flat_values(a), flat_values(b)), 0);
    tn_tensor *indices = tn_concat(TN_LIST(flat_indices(a), flat_indices(b)), 0);
    return tn__sum_of_slices(values, indices, part(a, ROWS));
}

tn_tensor *tn__of_gradient(tn_tensor *gradient, tn__elementwise *f, const void *self)
{
    if (!gradient || !gradient->slices)
        return f(gradient, self);
    return tn__sum_of_slices(f(part(gradient, VALUES), self), part(gradient, INDICES),
                             part(gradient, ROWS));
}

static tn_tensor *square(tn_tensor *x, const void *self)
{
    (void)self;
    return tn_square(x);
}

static tn_tensor *absolute(tn_tensor *x, const void *self)
{
    (void)self;
    return tn_abs(x);
}

static tn_tensor *converted(tn_tensor *x, const void *dtype)
{
    return tn_cast(x, *(const tn_dtype *)dtype);
}

tn_tensor *tn__gradient_square(tn_tensor *gradient)
{
    return tn__of_gradient(gradient, square, NULL);
}

tn_tensor *tn__gradient_abs(tn_tensor *gradient)
{
    return tn__of_gradient(gradient, absolute, NULL);
}

tn_tensor *tn__gradient_cast(tn_tensor *gradient, tn_dtype dtype)
{
    if (gradient && gradient->dtype == dtype)
        return gradient;
    return tn__of_gradient(gradient, converted, &dtype);
}

tn_tensor *tn__touched_rows(tn_tensor *gradient)
{
    if (!gradient || !gradient->slices)
        return NULL;
    int64_t dims[TN_MAX_RANK] = { -1 };
    for (int i = 1; i < gradient->shape.rank; i++)
        dims[i] = 1;
    tn_tensor *indices = flat_indices(gradient);
    tn_tensor *times = TN__APPLY(tn__op_UnsortedSegmentSum, NULL, tn_ones_like(indices), indices,
                                 part(gradient, ROWS));
    return tn_reshape(tn_greater(times, tn_scalar(0)), tn__shape_make(gradient->shape.rank, dims));
}
