/* linalg.c - functions of matrices and vectors that are made of other ops. */
#include "ops/array.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- transposing ------------------------------------------------------------------------------ */
/* The last two axes change places; of an unknown rank that is worked out in the run. */
static tn_tensor *matrix_permutation(tn_tensor *x)
{
    if (x->shape.known) {
        int64_t order[TN_MAX_RANK];
        int rank = x->shape.rank;
        for (int i = 0; i < rank; i++)
            order[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
        return tn__ints(order, (size_t)rank);
    }
    tn_tensor *rank = tn_rank(x), *two = tn__int(2), *one = tn__int(1);
    tn_tensor *before = tn_subtract(rank, two);
    return tn_concat(TN_LIST(tn_range(tn__int(0), before, one),
                             tn_expand_dims(tn_subtract(rank, one), 0), tn_expand_dims(before, 0)),
                     0);
}

tn_tensor *tn_linalg_matrix_transpose(tn_tensor *a)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(a, "tn_linalg_matrix_transpose: a"))
        return NULL;
    if (a->shape.known && a->shape.rank < 2) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "Argument `a` should be a (batch) matrix with rank >= 2.  Received `a` = %s with "
                 "shape: %s",
                 tn__dtype_name((tn_dtype)a->dtype), TN__SHAPE(a->shape));
        return NULL;
    }
    return TN__APPLY(tn__op_Transpose, NULL, a, matrix_permutation(a));
}

tn_tensor *tn_linalg_matvec(tn_tensor *a, tn_tensor *b)
{
    tn_tensor *product = tn_matmul(a, tn_expand_dims(b, -1));
    return tn_squeeze(product, TN_AXES(-1));
}

/* --- tensordot -------------------------------------------------------------------------------- */
/* Written as an einsum: a's axes are 'a', 'b' …, b's 'A', 'B' … but for those that are contracted.
 */
static bool name_axes(const tn_tensor *x, char first, char names[TN_MAX_RANK + 1])
{
    if (!tn__check_tensor(x, "tn_tensordot: an input"))
        return false;
    if (!x->shape.known) {
        tn__fail(TN_UNIMPLEMENTED, "tn_tensordot needs known ranks, got %s", TN__TENSOR(x));
        return false;
    }
    for (int i = 0; i < x->shape.rank; i++)
        names[i] = (char)(first + i);
    names[x->shape.rank] = 0;
    return true;
}

static tn_tensor *refuse_axis(int axis, const tn_tensor *x)
{
    tn__fail(TN_INVALID_ARGUMENT, "tn_tensordot: axis %d is not one of %s, or is named twice", axis,
             TN__TENSOR(x));
    return NULL;
}

tn_tensor *tn_tensordot(tn_tensor *a, tn_tensor *b, tn_axes a_axes, tn_axes b_axes)
{
    TN__ENTER(context, NULL);
    (void)context;
    char left[TN_MAX_RANK + 1], right[TN_MAX_RANK + 1], out[2 * TN_MAX_RANK + 1], text[64];
    bool summed[2][TN_MAX_RANK] = { { false } };
    int count = 0;
    if (!name_axes(a, 'a', left) || !name_axes(b, 'A', right))
        return NULL;
    if (a_axes.count != b_axes.count) {
        tn__fail(TN_INVALID_ARGUMENT, "Different number of contraction axes `a` and `b`, %d != %d.",
                 a_axes.count, b_axes.count);
        return NULL;
    }
    for (int i = 0; i < a_axes.count; i++) {
        int x, y;
        if (!tn__axis(a_axes.axis[i], a->shape.rank, &x) || summed[0][x])
            return refuse_axis(a_axes.axis[i], a);
        if (!tn__axis(b_axes.axis[i], b->shape.rank, &y) || summed[1][y])
            return refuse_axis(b_axes.axis[i], b);
        summed[0][x] = summed[1][y] = true;
        right[y] = left[x];
    }
    for (int i = 0; i < a->shape.rank; i++)
        if (!summed[0][i])
            out[count++] = left[i];
    for (int i = 0; i < b->shape.rank; i++)
        if (!summed[1][i])
            out[count++] = right[i];
    out[count] = 0;
    snprintf(text, sizeof text, "%s,%s->%s", left, right, out);
    return tn_einsum(text, TN_LIST(a, b));
}

/* --- norms ------------------------------------------------------------------------------------ */
static tn_tensor *sum_over(tn_tensor *x, tn_axes axes, bool keepdims)
{
    return tn_reduce_sum(x, .axis = axes, .keepdims = keepdims);
}

static tn_tensor *refuse_order(double order, bool matrix)
{
    tn__fail(
        TN_INVALID_ARGUMENT,
        matrix ? "'ord' must be a supported matrix norm in ['euclidean', 'fro', 1, 2, inf], got %g"
               : "'ord' must be a supported vector norm, got %g",
        order);
    return NULL;
}

/* The greatest sum of absolute values along one axis, over the other: of columns for 1, of rows for
 * infinity. */
static tn_tensor *matrix_norm(const tn_norm_options *o, double order)
{
    int rank = o->tensor->shape.rank, axis[2];
    if (order == 2) {
        tn__fail(
            TN_UNIMPLEMENTED,
            "tn_norm: the 2-norm of matrices needs their singular values, which are not there yet");
        return NULL;
    }
    if (!o->tensor->shape.known || !tn__axis(o->axis.axis[0], rank, &axis[0]) ||
        !tn__axis(o->axis.axis[1], rank, &axis[1]) || axis[0] == axis[1]) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "'axis' must be None, an integer, or a tuple of 2 unique integers\ntn_norm: axes "
                 "%d and %d of %s",
                 o->axis.axis[0], o->axis.axis[1], TN__TENSOR(o->tensor));
        return NULL;
    }
    int along = order == 1 ? axis[0] : axis[1], over = order == 1 ? axis[1] : axis[0];
    tn_tensor *sums = sum_over(tn_abs(o->tensor), TN_AXES(along), true);
    tn_tensor *norm = tn_reduce_max(sums, .axis = TN_AXES(over), .keepdims = true);
    return o->keepdims ? norm : tn_squeeze(norm, TN_AXES(along, over));
}

/* (Σ |x|^p)^(1/p) */
tn_tensor *tn_norm_with(const tn_norm_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn_norm_options settled = *options, *o = &settled;
    double p = isnan(o->ord) ? 2 : o->ord;
    if (!tn__check_tensor(o->tensor, "tn_norm: tensor") || tn__axes_settle(&o->axis, "tn_norm") != TN_OK)
        return NULL;
    if (o->axis.count > 2 || o->axis.count < 0) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "'axis' must be None, an integer, or a tuple of 2 unique integers\ntn_norm: got "
                 "%d axes",
                 o->axis.count);
        return NULL;
    }
    if (o->axis.count == 2 && !isnan(o->ord))
        return p == 1 || p == 2 || isinf(p) ? matrix_norm(o, p) : refuse_order(p, true);
    if (!(p > 0))
        return refuse_order(p, false);
    if (p == 2)
        return tn_sqrt(sum_over(tn_square(o->tensor), o->axis, o->keepdims));
    tn_tensor *size = tn_abs(o->tensor);
    if (isinf(p))
        return tn_reduce_max(size, .axis = o->axis, .keepdims = o->keepdims);
    if (p == 1)
        return sum_over(size, o->axis, o->keepdims);
    tn_tensor *sum = sum_over(tn_pow(size, tn__like(size, p)), o->axis, o->keepdims);
    return tn_pow(sum, tn__like(sum, 1 / p));
}

/* x / √max(Σ x², ε) */
tn_tensor *tn_l2_normalize_with(const tn_l2_normalize_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *sum = sum_over(tn_square(o->x), o->axis, true);
    return sum ? tn_multiply(o->x, tn_rsqrt(tn_maximum(sum, tn__like(sum, o->epsilon)))) : NULL;
}
