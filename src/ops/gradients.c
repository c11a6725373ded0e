/* gradients.c - what the gradient rules of several families need. */
#include "ops/ops.h"

tn_tensor *tn__ints(const int64_t *values, size_t count)
{
    return tn__own(tn__tensor_ints(TN_INT32, (int64_t)count, values));
}

tn_tensor *tn__int(int64_t value)
{
    return tn__own(tn__tensor_int32(value));
}

tn_tensor *tn__like(tn_tensor *x, double value)
{
    return x ? tn__own(tn__tensor_fill((tn_dtype)x->dtype, &TN_SCALAR, value)) : NULL;
}

tn_tensor *tn__one_minus(tn_tensor *x)
{
    return tn_subtract(tn__like(x, 1), x);
}

tn_tensor *tn__shape_tensor(tn_tensor *x)
{
    if (!x)
        return NULL;
    return tn__shape_full(&x->shape) ? tn__ints(x->shape.dims, (size_t)x->shape.rank) : tn_shape_tensor(x);
}

tn_tensor *tn__rows(tn_tensor *x, tn_dtype dtype)
{
    const tn_shape *shape = &x->shape;
    if (shape->known && (shape->rank == 0 || shape->dims[0] >= 0))
        return tn__own(tn__tensor_fill(dtype, &TN_SCALAR, shape->rank ? (double)shape->dims[0] : 1));
    tn_tensor *first = tn_strided_slice(tn_shape_tensor(x), .begin = TN_SHAPE(0), .end = TN_SHAPE(1), .shrink_axis_mask = 1);
    return tn_cast(first, dtype);
}

tn_tensor *tn__dout(const tn__gradient *g, size_t i)
{
    return g->dout[i] ? g->dout[i] : TN__APPLY(tn__op_Fill, NULL, tn__shape_tensor(g->out[i]), tn__like(g->out[i], 0));
}

/* Elements of x divided by elements of y, as a number of x's dtype. */
tn_tensor *tn__ratio_of_sizes(tn_tensor *x, tn_tensor *y)
{
    if (tn__shape_full(&x->shape) && tn__shape_full(&y->shape)) {
        int64_t n = tn__shape_count(&x->shape), m = tn__shape_count(&y->shape);
        return tn__like(x, m ? (double)n / (double)m : 0);
    }
    tn_tensor *n = tn_cast(tn_size(x), (tn_dtype)x->dtype);
    tn_tensor *m = tn_cast(tn_size(y), (tn_dtype)x->dtype);
    return tn_divide(n, m);
}

/* The axes along which a known x was repeated to give the known shape of dy. */
static size_t repeated_axes(const tn_shape *x, const tn_shape *dy, int64_t *axes)
{
    size_t count = 0;
    for (int i = 0; i < dy->rank; i++) {
        int own = i - (dy->rank - x->rank);
        if (own < 0 || (x->dims[own] == 1 && dy->dims[i] != 1))
            axes[count++] = i;
    }
    return count;
}

static tn_tensor *sum_axes(tn_tensor *dy, tn_tensor *axes)
{
    static const tn_flag keep = false;
    return TN__APPLY(tn__op_Sum, &keep, dy, axes);
}

tn_tensor *tn__sum_to(tn_tensor *dy, tn_tensor *x, tn_tensor *other)
{
    if (!dy || !x)
        return NULL;
    int64_t axes[TN_MAX_RANK];
    if (tn__shape_full(&dy->shape) && tn__shape_equal(&dy->shape, &x->shape))
        return dy;
    if (tn__shape_full(&x->shape) && dy->shape.known) {
        size_t count = repeated_axes(&x->shape, &dy->shape, axes);
        return TN__APPLY(tn__op_Reshape, NULL, sum_axes(dy, tn__ints(axes, count)), tn__shape_tensor(x));
    }
    /* Where both have the same unknown shape nothing may have been repeated, but only the run can tell. */
    tn_list both = tn__apply_list(&tn__op_BroadcastGradientArgs, NULL, (tn_tensor *[]){ tn__shape_tensor(x), tn__shape_tensor(other) }, 2, 2);
    return both.item ? TN__APPLY(tn__op_Reshape, NULL, sum_axes(dy, both.item[0]), tn__shape_tensor(x)) : NULL;
}
