/* array.c - the same elements in another order, or repeated: Transpose, Tile, ReverseV2,
 * InvertPermutation. */
#include "ops/array.h"

/* --- InvertPermutation ------------------------------------------------------------------------ */
static tn_status invert_infer(tn__infer *infer)
{
    TN_TRY(tn__infer_rank(infer, 0, 1, 1));
    return tn__infer_same(infer);
}

static tn_status invert_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    tn_tensor *y = kernel->output[0];
    tn_dtype dtype = (tn_dtype)x->dtype;
    size_t size = tn__dtype_size(dtype);
    int64_t count = tn__count(x);
    for (int64_t i = 0; i < count; i++)
        tn__element_from_int(dtype, -1, (char *)y->data + (size_t)i * size);
    for (int64_t i = 0; i < count; i++) {
        int64_t at = tn__int_at(x, i);
        if (at < 0 || at >= count)
            return tn__fail(TN_INVALID_ARGUMENT, "%lld is not between 0 and %lld", (long long)at,
                            (long long)count);
        if (tn__int_at(y, at) >= 0)
            return tn__fail(TN_INVALID_ARGUMENT, "%lld is duplicated in the input.", (long long)at);
        tn__element_from_int(dtype, i, (char *)y->data + (size_t)at * size);
    }
    return TN_OK;
}

const tn__op tn__op_InvertPermutation = {
    .name = "InvertPermutation",
    .inputs = "x: T",
    .outputs = "y: T",
    .types = "T: int32, int64",
    .infer = invert_infer,
    .compute = invert_compute,
    .no_gradient = "none: integers",
};

tn_tensor *tn_invert_permutation(tn_tensor *x)
{
    return TN__APPLY(tn__op_InvertPermutation, NULL, x);
}

/* --- Transpose -------------------------------------------------------------------------------- */
/* The axes in their new order, counted from 0; known: false when perm is not known yet. */
static tn_status read_permutation(const tn_tensor *perm, int rank, int order[TN_MAX_RANK],
                                  bool *known)
{
    int64_t values[TN__MOST_KNOWN];
    size_t count;
    bool seen[TN_MAX_RANK] = { false };
    const tn_shape *length = &perm->shape;
    *known = false;
    if (length->known && (length->rank != 1 || (length->dims[0] >= 0 && length->dims[0] != rank)))
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "transpose expects a vector of size %d. But input(1) is a vector of size %lld", rank,
            (long long)tn__shape_count(length));
    *known = tn__known_exactly(perm, values, &count);
    if (!*known)
        return TN_OK;
    for (int i = 0; i < rank; i++) {
        if (!tn__axis(values[i], rank, &order[i]))
            return tn__fail(TN_INVALID_ARGUMENT, "%lld is out of range [0 .. %d)",
                            (long long)values[i], rank);
        seen[order[i]] = true;
    }
    tn_shape wrong = tn__shape_make(rank, values);
    for (int i = 0; i < rank; i++)
        if (!seen[i])
            return tn__fail(TN_INVALID_ARGUMENT, "%d is missing from %s.", i, TN__BRACKETS(wrong));
    return TN_OK;
}

static tn_status transpose_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape;
    int order[TN_MAX_RANK];
    bool known;
    if (!in->known)
        return TN_OK;
    infer->output[0].shape = tn__shape_of_rank(in->rank);
    TN_TRY(read_permutation(infer->input[1], in->rank, order, &known));
    for (int i = 0; i < in->rank && known; i++)
        infer->output[0].shape.dims[i] = in->dims[order[i]];
    return TN_OK;
}

static tn_status transpose_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0], *y = kernel->output[0];
    int order[TN_MAX_RANK];
    int64_t from[TN_MAX_RANK], to[TN_MAX_RANK];
    bool known;
    tn__block block = { 0 };
    TN_TRY(read_permutation(kernel->input[1], x->shape.rank, order, &known));
    tn__strides(&x->shape, from);
    tn__strides(&y->shape, to);
    for (int i = 0; i < x->shape.rank; i++)
        tn__block_add(&block, y->shape.dims[i], to[i], from[order[i]]);
    tn__block_copy(&block, tn__dtype_size((tn_dtype)x->dtype), y->data, x->data);
    return TN_OK;
}

static tn_tensor *inverse_of(tn_tensor *perm)
{
    int64_t values[TN__MOST_KNOWN], inverse[TN_MAX_RANK];
    size_t count;
    int axis;
    if (!tn__known_exactly(perm, values, &count))
        return TN__APPLY(tn__op_InvertPermutation, NULL, perm);
    for (size_t i = 0; i < count; i++)
        if (tn__axis(values[i], (int)count, &axis))
            inverse[axis] = (int64_t)i;
    return tn__ints(inverse, count);
}

/* dx = dy with its axes where they came from */
static void transpose_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_Transpose, NULL, g->dout[0], inverse_of(g->in[1]));
}

const tn__op tn__op_Transpose = {
    .name = "Transpose",
    .label = "transpose",
    .inputs = "x: T, perm: Tperm",
    .outputs = "y: T",
    .types = "T: any; Tperm: int32, int64",
    .infer = transpose_infer,
    .compute = transpose_compute,
    .gradient = transpose_gradient,
    .flags = TN__HALF,
};

/* All axes from the last to the first: rank - 1, …, 1, 0. */
static tn_tensor *reversed_axes(tn_tensor *x)
{
    int64_t axes[TN_MAX_RANK];
    if (!x->shape.known) {
        tn_tensor *last = tn_subtract(tn_rank(x), tn__int(1));
        return TN__APPLY(tn__op_Range, NULL, last, tn__int(-1), tn__int(-1));
    }
    for (int i = 0; i < x->shape.rank; i++)
        axes[i] = x->shape.rank - 1 - i;
    return tn__ints(axes, (size_t)x->shape.rank);
}

tn_tensor *tn_transpose(tn_tensor *x, tn_axes permutation)
{
    TN__ENTER(context, NULL);
    (void)context;
    int64_t axes[TN_MAX_RANK];
    if (!tn__check_tensor(x, "tn_transpose: x"))
        return NULL;
    for (int i = 0; i < permutation.count; i++)
        axes[i] = permutation.axis[i];
    tn_tensor *perm =
        permutation.count ? tn__ints(axes, (size_t)permutation.count) : reversed_axes(x);
    return TN__APPLY(tn__op_Transpose, NULL, x, perm);
}

/* --- ReverseV2 -------------------------------------------------------------------------------- */
static tn_status mark_reversed(const tn_tensor *axes, int rank, bool reversed[TN_MAX_RANK])
{
    int64_t values[TN__MOST_KNOWN];
    size_t count;
    int axis;
    if (tn__shape_full(&axes->shape) && tn__shape_count(&axes->shape) > TN__MOST_KNOWN)
        return tn__fail(TN_INVALID_ARGUMENT, "'axis' has more entries than the %d dimensions: %s",
                        rank, TN__TENSOR(axes));
    if (!tn__known_exactly(axes, values, &count))
        return TN_OK;
    for (size_t i = 0; i < count; i++) {
        if (!tn__axis(values[i], rank, &axis))
            return tn__fail(TN_INVALID_ARGUMENT, "'axis'[%zu] = %lld is out of valid range [0, %d",
                            i, (long long)values[i], rank - 1);
        if (reversed[axis])
            return tn__fail(TN_INVALID_ARGUMENT, "axis %d specified more than once.", axis);
        reversed[axis] = true;
    }
    return TN_OK;
}

static tn_status reverse_infer(tn__infer *infer)
{
    bool reversed[TN_MAX_RANK] = { false };
    if (infer->input[0]->shape.known)
        TN_TRY(mark_reversed(infer->input[1], infer->input[0]->shape.rank, reversed));
    return tn__infer_same(infer);
}

static tn_status reverse_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    const tn_shape *shape = &x->shape;
    bool reversed[TN_MAX_RANK] = { false };
    int64_t stride[TN_MAX_RANK], offset = 0;
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    tn__block block = { 0 };
    TN_TRY(mark_reversed(kernel->input[1], shape->rank, reversed));
    tn__strides(shape, stride);
    for (int i = 0; i < shape->rank; i++) {
        tn__block_add(&block, shape->dims[i], stride[i], reversed[i] ? -stride[i] : stride[i]);
        offset += reversed[i] && shape->dims[i] ? (shape->dims[i] - 1) * stride[i] : 0;
    }
    tn__block_copy(&block, size, kernel->output[0]->data,
                   (const char *)x->data + offset * (int64_t)size);
    return TN_OK;
}

/* dx = dy reversed along the same axes */
static void reverse_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_ReverseV2, NULL, g->dout[0], g->in[1]);
}

const tn__op tn__op_ReverseV2 = {
    .name = "ReverseV2",
    .inputs = "tensor: T, axis: Tidx",
    .outputs = "output: T",
    .types = "Tidx: int32, int64; T: any",
    .infer = reverse_infer,
    .compute = reverse_compute,
    .gradient = reverse_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_reverse(tn_tensor *x, tn_axes axis)
{
    int64_t axes[TN_MAX_RANK];
    for (int i = 0; i < axis.count; i++)
        axes[i] = axis.axis[i];
    return TN__APPLY(tn__op_ReverseV2, NULL, x, tn__ints(axes, (size_t)axis.count));
}

/* --- Roll ------------------------------------------------------------------------------------- */
/* What is asked of each axis, sums modulo its dimension. */
static tn_status roll_shifts(const tn_tensor *x, const tn_tensor *shift, const tn_tensor *axis,
                             int64_t shifts[TN_MAX_RANK])
{
    int at;
    for (int i = 0; i < x->shape.rank; i++)
        shifts[i] = 0;
    for (int64_t i = 0; i < tn__count(axis); i++) {
        int64_t wanted = tn__int_at(axis, i);
        if (!tn__axis(wanted, x->shape.rank, &at))
            return tn__fail(TN_INVALID_ARGUMENT, "axis %lld is out of range", (long long)wanted);
        int64_t dim = x->shape.dims[at] > 1 ? x->shape.dims[at] : 1;
        shifts[at] = (shifts[at] + tn__int_at(shift, i) % dim + dim) % dim;
    }
    return TN_OK;
}

static tn_status roll_infer(tn__infer *infer)
{
    const tn_shape *x = &infer->input[0]->shape, *shift = &infer->input[1]->shape;
    if (x->known && x->rank == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "input must be 1-D or higher");
    if (shift->known && shift->rank > 1)
        return tn__fail(TN_INVALID_ARGUMENT, "shift must be a scalar or a 1-D vector. Found: %s",
                        TN__BRACKETS(*shift));
    if (tn__shape_full(shift) && tn__shape_full(&infer->input[2]->shape) &&
        !tn__shape_equal(shift, &infer->input[2]->shape))
        return tn__fail(TN_INVALID_ARGUMENT, "shift and axis must have the same size");
    return tn__infer_same(infer);
}

/* An axis that is shifted by s falls into two parts, which change places: with every combination of
 * parts one block is copied. */
static void roll_block(const tn__kernel *kernel, const int64_t shifts[TN_MAX_RANK], unsigned parts)
{
    const tn_tensor *x = kernel->input[0], *y = kernel->output[0];
    size_t size = tn__dtype_size((tn_dtype)x->dtype), from = 0, to = 0;
    int64_t stride[TN_MAX_RANK];
    tn__block block = { 0 };
    tn__strides(&x->shape, stride);
    for (int i = 0; i < x->shape.rank; i++) {
        int64_t dim = x->shape.dims[i], stay = dim - shifts[i];
        bool last = parts >> i & 1;
        tn__block_add(&block, last ? shifts[i] : stay, stride[i], stride[i]);
        from += (size_t)((last ? stay : 0) * stride[i]) * size;
        to += (size_t)((last ? 0 : shifts[i]) * stride[i]) * size;
    }
    tn__block_copy(&block, size, (char *)y->data + to, (const char *)x->data + from);
}

static tn_status roll_compute(tn__kernel *kernel)
{
    int64_t shifts[TN_MAX_RANK];
    const tn_tensor *x = kernel->input[0];
    TN_TRY(roll_shifts(x, kernel->input[1], kernel->input[2], shifts));
    for (unsigned parts = 0; parts < 1U << x->shape.rank && tn__count(x) > 0; parts++) {
        bool empty = false;
        for (int i = 0; i < x->shape.rank; i++)
            empty |= (parts >> i & 1) && shifts[i] == 0;
        if (!empty)
            roll_block(kernel, shifts, parts);
    }
    return TN_OK;
}

/* dx = dy rolled back */
static void roll_gradient(tn__gradient *g)
{
    g->din[0] = tn_roll(g->dout[0], tn_negative(g->in[1]), g->in[2]);
}

const tn__op tn__op_Roll = {
    .name = "Roll",
    .inputs = "input: T, shift: Tshift, axis: Taxis",
    .outputs = "output: T",
    .types = "T: any; Tshift: int32, int64; Taxis: int32, int64",
    .infer = roll_infer,
    .compute = roll_compute,
    .gradient = roll_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_roll(tn_tensor *x, tn_tensor *shift, tn_tensor *axis)
{
    return TN__APPLY(tn__op_Roll, NULL, x, shift, axis);
}

/* --- Tile ------------------------------------------------------------------------------------- */
static tn_status tile_shape(const tn_shape *in, const tn_tensor *multiples, tn_shape *out)
{
    const tn_shape *length = &multiples->shape;
    int64_t times[TN__MOST_KNOWN];
    size_t count;
    *out = in->known ? tn__shape_of_rank(in->rank) : TN__UNKNOWN_SHAPE;
    if (in->known && length->known &&
        (length->rank != 1 || (length->dims[0] >= 0 && length->dims[0] != in->rank)))
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "Expected multiples argument to be a vector of length %d but got length %lld", in->rank,
            (long long)tn__shape_count(length));
    if (!in->known || !tn__known_each(multiples, times, &count))
        return TN_OK;
    for (int i = 0; i < in->rank; i++) {
        bool sure = times[i] != TN__UNSURE;
        if (sure && times[i] < 0)
            return tn__fail(TN_INVALID_ARGUMENT, "Expected multiples[%d] >= 0, but got %lld", i,
                            (long long)times[i]);
        if (sure && in->dims[i] >= 0 &&
            __builtin_mul_overflow(in->dims[i], times[i], &out->dims[i]))
            return tn__fail(TN_RESOURCE_EXHAUSTED,
                            "Tile: %lld times %lld along dimension %d is too much",
                            (long long)times[i], (long long)in->dims[i], i);
    }
    return TN_OK;
}

static tn_status tile_infer(tn__infer *infer)
{
    return tile_shape(&infer->input[0]->shape, infer->input[1], &infer->output[0].shape);
}

/* Two loops a dimension: the copies, which all come from the same place, and the elements. */
static tn_status tile_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0], *y = kernel->output[0];
    int64_t from[TN_MAX_RANK], to[TN_MAX_RANK];
    tn__block block = { 0 };
    tn__strides(&x->shape, from);
    tn__strides(&y->shape, to);
    for (int i = 0; i < x->shape.rank; i++) {
        tn__block_add(&block, tn__int_at(kernel->input[1], i), x->shape.dims[i] * to[i], 0);
        tn__block_add(&block, x->shape.dims[i], to[i], from[i]);
    }
    tn__block_copy(&block, tn__dtype_size((tn_dtype)x->dtype), y->data, x->data);
    return TN_OK;
}

static tn_tensor *product(tn_tensor *vector)
{
    static const tn_flag keep = false;
    return TN__APPLY(tn__op_Prod, &keep, vector, tn__ints((int64_t[]){ 0 }, 1));
}

/* Sums the copies along axis i of a tensor whose axes before i are x's already: as (before, copies,
 * one copy and what follows). */
static tn_tensor *sum_copies(tn_tensor *dy, tn_tensor *x_shape, tn_tensor *y_shape,
                             tn_tensor *multiples, int64_t i)
{
    static const tn_flag keep = false;
    tn_tensor *rest = tn_multiply(tn__vector_part(x_shape, i, i + 1),
                                  product(tn__vector_part(y_shape, i + 1, TN_NONE)));
    tn_tensor *before = tn_reshape(product(tn__vector_part(x_shape, 0, i)), TN_SHAPE(1));
    tn_tensor *parts[] = { before, tn__vector_part(multiples, i, i + 1), rest };
    tn_tensor *split = TN__APPLY(tn__op_Reshape, NULL, dy, tn__vector_join(3, parts));
    return TN__APPLY(tn__op_Sum, &keep, split, tn__ints((int64_t[]){ 1 }, 1));
}

/* dx = the sum of the copies of dy */
static void tile_gradient(tn__gradient *g)
{
    tn_tensor *dx = g->dout[0], *multiples = tn_cast(g->in[1], TN_INT32);
    tn_tensor *x_shape = tn__shape_tensor(g->in[0]), *y_shape = tn__shape_tensor(g->out[0]);
    int64_t times[TN__MOST_KNOWN];
    size_t count;
    bool known = tn__known_each(multiples, times, &count);
    if (!g->in[0]->shape.known) {
        tn__fail(TN_UNIMPLEMENTED, "Tile: the gradient needs a known rank, got %s",
                 TN__TENSOR(g->in[0]));
        return;
    }
    for (int i = 0; i < g->in[0]->shape.rank; i++)
        if (!known || times[i] != 1)
            dx = sum_copies(dx, x_shape, y_shape, multiples, i);
    g->din[0] = TN__APPLY(tn__op_Reshape, NULL, dx, x_shape);
}

const tn__op tn__op_Tile = {
    .name = "Tile",
    .inputs = "input: T, multiples: Tmultiples",
    .outputs = "output: T",
    .types = "T: any; Tmultiples: int32, int64",
    .infer = tile_infer,
    .compute = tile_compute,
    .gradient = tile_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_tile(tn_tensor *x, tn_shape multiples)
{
    return TN__APPLY(tn__op_Tile, NULL, x, tn__dims(&multiples));
}
