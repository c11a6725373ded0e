/* shape.c - shapes as tensors, and giving elements another shape. */
#include "ops/array.h"
#include <string.h>

/* --- Shape ------------------------------------------------------------------------------------ */
typedef struct {
    tn_dtype out_type;
} shape_attrs;
static const tn_field shape_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, shape_attrs, out_type, "int32", NULL),
    TN__END_OF_FIELDS,
};

static tn_status shape_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape;
    infer->output[0].shape = in->known ? tn__shape_vector(in->rank) : TN__UNKNOWN_SHAPE;
    return TN_OK;
}

static tn_status shape_compute(tn__kernel *kernel)
{
    const tn_shape *shape = &kernel->input[0]->shape;
    tn_tensor *out = kernel->output[0];
    size_t size = tn__dtype_size((tn_dtype)out->dtype);
    for (int i = 0; i < shape->rank; i++)
        tn__element_from_int((tn_dtype)out->dtype, shape->dims[i],
                             (char *)out->data + (size_t)i * size);
    return TN_OK;
}

const tn__op tn__op_Shape = {
    .name = "Shape",
    .inputs = "input: T",
    .outputs = "output: out_type",
    .types = "T: any; out_type: int32, int64",
    .attrs = shape_fields,
    .attrs_size = sizeof(shape_attrs),
    .infer = shape_infer,
    .compute = shape_compute,
    .no_gradient = "none: integers",
    .flags = TN__SHAPE_ONLY | TN__HALF,
};

static tn_status size_compute(tn__kernel *kernel)
{
    tn__element_from_int((tn_dtype)kernel->output[0]->dtype, tn__count(kernel->input[0]),
                         kernel->output[0]->data);
    return TN_OK;
}

const tn__op tn__op_Size = {
    .name = "Size",
    .inputs = "input: T",
    .outputs = "output: out_type",
    .types = "T: any; out_type: int32, int64",
    .attrs = shape_fields,
    .attrs_size = sizeof(shape_attrs),
    .infer = tn__infer_scalar,
    .compute = size_compute,
    .no_gradient = "none: integers",
    .flags = TN__SHAPE_ONLY | TN__HALF,
};

static tn_status rank_compute(tn__kernel *kernel)
{
    *(int32_t *)kernel->output[0]->data = kernel->input[0]->shape.rank;
    return TN_OK;
}

const tn__op tn__op_Rank = {
    .name = "Rank",
    .inputs = "input: T",
    .outputs = "output: int32",
    .types = "T: any",
    .infer = tn__infer_scalar,
    .compute = rank_compute,
    .no_gradient = "none: integers",
    .flags = TN__SHAPE_ONLY | TN__HALF,
};

tn_tensor *tn_rank(tn_tensor *x)
{
    return TN__APPLY(tn__op_Rank, NULL, x);
}

tn_tensor *tn_size(tn_tensor *x)
{
    return TN__APPLY(tn__op_Size, &(shape_attrs){ TN_INT32 }, x);
}

tn_tensor *tn_shape_tensor(tn_tensor *x)
{
    return TN__APPLY(tn__op_Shape, &(shape_attrs){ TN_INT32 }, x);
}

/* --- Reshape, ExpandDims, Squeeze ------------------------------------------------------------- */
/* dx = dy in x's shape: for everything that only names the dimensions anew. */
static void back_to_shape(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_Reshape, NULL, g->dout[0], tn__shape_tensor(g->in[0]));
}

/* Where a size stands as -1; -1: nowhere. Sizes that are not known yet are TN__UNSURE. */
static tn_status find_open(const int64_t *sizes, size_t count, int *open)
{
    *open = -1;
    for (size_t i = 0; i < count; i++) {
        if (sizes[i] == -1 && *open >= 0)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Only one input size may be -1, not both %d and %zu", *open, i);
        if (sizes[i] == -1)
            *open = (int)i;
        else if (sizes[i] < 0 && sizes[i] != TN__UNSURE)
            return tn__fail(TN_INVALID_ARGUMENT, "Size %zu must be non-negative, not %lld", i,
                            (long long)sizes[i]);
    }
    return TN_OK;
}

/* All sizes but the open one are known, and the elements are `count`. */
static tn_status settle_sizes(tn_shape *shape, int open, int64_t count)
{
    int64_t product = 1;
    for (int i = 0; i < shape->rank; i++)
        if (i != open && __builtin_mul_overflow(product, shape->dims[i], &product))
            return tn__fail(TN_INVALID_ARGUMENT, "Shape %s would have more than 2**63 - 1 elements",
                            TN__BRACKETS(*shape));
    if (open < 0 && product != count)
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "Input to reshape is a tensor with %lld values, but the requested shape has %lld\n"
            "requested: %s",
            (long long)count, (long long)product, TN__SHAPE(*shape));
    if (open >= 0 && product == 0 && count)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "reshape cannot infer the missing input size for an empty tensor unless "
                        "all specified input sizes are non-zero");
    if (open >= 0 && product && count % product)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Input to reshape is a tensor with %lld values, but the requested shape "
                        "requires a multiple of %lld",
                        (long long)count, (long long)product);
    if (open >= 0)
        shape->dims[open] = product ? count / product : 0;
    return TN_OK;
}

/* One size that is not known can still be told from the number of elements. */
static tn_status reshape_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape, *shape = &infer->input[1]->shape;
    int64_t sizes[TN__MOST_KNOWN];
    size_t count, unsure = 0;
    int open, place = -1;
    if (shape->known && shape->rank != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "sizes input must be 1-D, not %s",
                        TN__BRACKETS(*shape));
    if (shape->known && shape->dims[0] > TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "Reshape: %lld dimensions, %d are the most",
                        (long long)shape->dims[0], TN_MAX_RANK);
    infer->output[0].shape = tn__known_shape(infer->input[1]);
    if (!tn__known_each(infer->input[1], sizes, &count))
        return TN_OK;
    TN_TRY(find_open(sizes, count, &open));
    for (size_t i = 0; i < count; i++)
        if (sizes[i] == TN__UNSURE) {
            unsure++;
            place = (int)i;
        }
    if (!tn__shape_full(in) || unsure + (open >= 0) > 1 || (unsure && tn__shape_count(in) == 0))
        return TN_OK;
    return settle_sizes(&infer->output[0].shape, open >= 0 ? open : place, tn__shape_count(in));
}

const tn__op tn__op_Reshape = {
    .name = "Reshape",
    .inputs = "tensor: T, shape: Tshape",
    .outputs = "output: T",
    .types = "T: any; Tshape: int32, int64",
    .infer = reshape_infer,
    .gradient = back_to_shape,
    .flags = TN__VIEW,
};

tn_tensor *tn_reshape(tn_tensor *x, tn_shape shape)
{
    return TN__APPLY(tn__op_Reshape, NULL, x, tn__dims(&shape));
}

static tn_status expand_dims_infer(tn__infer *infer)
{
    tn_shape shape = infer->input[0]->shape;
    const tn_tensor *dim = infer->input[1];
    int64_t value;
    int axis;
    if (tn__shape_full(&dim->shape) && tn__shape_count(&dim->shape) != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "'dim' must be a tensor with a single value");
    if (!shape.known)
        return TN_OK;
    if (shape.rank == TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "ExpandDims: more than %d dimensions", TN_MAX_RANK);
    if (!tn__known_int(dim, &value)) {
        infer->output[0].shape = tn__shape_of_rank(shape.rank + 1);
        return TN_OK;
    }
    if (!tn__axis(value, shape.rank + 1, &axis))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Tried to expand dim index %lld for tensor with %d dimensions.",
                        (long long)value, shape.rank);
    memmove(&shape.dims[axis + 1], &shape.dims[axis],
            (size_t)(shape.rank - axis) * sizeof *shape.dims);
    shape.dims[axis] = 1;
    shape.rank++;
    infer->output[0].shape = shape;
    return TN_OK;
}

const tn__op tn__op_ExpandDims = {
    .name = "ExpandDims",
    .inputs = "input: T, dim: Tdim",
    .outputs = "output: T",
    .types = "T: any; Tdim: int32, int64",
    .infer = expand_dims_infer,
    .gradient = back_to_shape,
    .flags = TN__VIEW,
};

tn_tensor *tn_expand_dims(tn_tensor *x, int axis)
{
    return TN__APPLY(tn__op_ExpandDims, NULL, x, tn__int(axis));
}

typedef struct {
    tn_axes squeeze_dims;
} squeeze_attrs;
static const tn_field squeeze_fields[] = {
    TN__ROW(TN_FIELD_AXES, squeeze_attrs, squeeze_dims, "none", NULL),
    TN__END_OF_FIELDS,
};

static tn_status mark_squeezed(const tn_axes *axes, const tn_shape *shape, bool *squeezed)
{
    for (int i = 0; i < axes->count; i++) {
        int axis;
        if (!tn__axis(axes->axis[i], shape->rank, &axis))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Tried to squeeze dim index %d for tensor with %d dimensions.",
                            axes->axis[i], shape->rank);
        if (shape->dims[axis] >= 0 && shape->dims[axis] != 1)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Can not squeeze dim[%d], expected a dimension of 1, got %lld", axis,
                            (long long)shape->dims[axis]);
        squeezed[axis] = true;
    }
    return TN_OK;
}

/* Without axes every dimension of 1 goes: with an unknown one even the rank is open. */
static tn_status squeeze_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape;
    const tn_axes *axes = &((const squeeze_attrs *)infer->attrs)->squeeze_dims;
    bool squeezed[TN_MAX_RANK] = { false };
    tn_shape out = TN_SCALAR;
    if (!in->known || (axes->count == 0 && !tn__shape_full(in)))
        return TN_OK;
    TN_TRY(mark_squeezed(axes, in, squeezed));
    for (int i = 0; i < in->rank; i++)
        if (axes->count ? !squeezed[i] : in->dims[i] != 1)
            out.dims[out.rank++] = in->dims[i];
    infer->output[0].shape = out;
    return TN_OK;
}

const tn__op tn__op_Squeeze = {
    .name = "Squeeze",
    .inputs = "input: T",
    .outputs = "output: T",
    .types = "T: any",
    .attrs = squeeze_fields,
    .attrs_size = sizeof(squeeze_attrs),
    .infer = squeeze_infer,
    .gradient = back_to_shape,
    .flags = TN__VIEW,
};

tn_tensor *tn_squeeze(tn_tensor *x, tn_axes axis)
{
    return TN__APPLY(tn__op_Squeeze, &(squeeze_attrs){ axis }, x);
}

/* --- BroadcastTo, Fill ------------------------------------------------------------------------ */
static tn_status broadcast_to_infer(tn__infer *infer)
{
    TN_TRY(tn__infer_rank(infer, 1, 1, 1));
    if (infer->input[1]->shape.known && infer->input[1]->shape.dims[0] > TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "BroadcastTo: %lld dimensions, %d are the most",
                        (long long)infer->input[1]->shape.dims[0], TN_MAX_RANK);
    const tn_shape *in = &infer->input[0]->shape;
    tn_shape out = tn__known_shape(infer->input[1]), joined;
    if (in->known && out.known && in->rank > out.rank)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Rank of input (%d) must be no greater than rank of output shape (%d).",
                        in->rank, out.rank);
    if (out.known &&
        (!tn__shape_broadcast(in, &out, &joined) || (in->known && !tn__shape_fits(&joined, &out))))
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "Incompatible shapes: %s vs. %s\nBroadcastTo: each dimension must be 1 or as asked for",
            TN__BRACKETS(*in), TN__BRACKETS(out));
    infer->output[0].shape = out;
    return TN_OK;
}

static tn_status broadcast_to_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0], *out;
    tn_shape shape;
    TN_TRY(tn__shape_said(kernel, 1, &shape));
    TN_TRY(tn__ensure_output(kernel, 0, (tn_dtype)x->dtype, &shape));
    out = kernel->output[0];
    int64_t to[TN_MAX_RANK], from[TN_MAX_RANK];
    int shift = out->shape.rank - x->shape.rank;
    tn__block block = { 0 };
    tn__strides(&out->shape, to);
    tn__strides(&x->shape, from);
    for (int i = 0; i < out->shape.rank; i++)
        tn__block_add(&block, out->shape.dims[i], to[i],
                      i < shift || x->shape.dims[i - shift] == 1 ? 0 : from[i - shift]);
    tn__block_copy(&block, tn__dtype_size((tn_dtype)x->dtype), out->data, x->data);
    return TN_OK;
}

static void broadcast_to_gradient(tn__gradient *g)
{
    g->din[0] = tn__sum_to(g->dout[0], g->in[0], g->out[0]);
}

const tn__op tn__op_BroadcastTo = {
    .name = "BroadcastTo",
    .inputs = "input: T, shape: Tidx",
    .outputs = "output: T",
    .types = "T: any; Tidx: int32, int64",
    .infer = broadcast_to_infer,
    .compute = broadcast_to_compute,
    .gradient = broadcast_to_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_broadcast_to(tn_tensor *x, tn_shape shape)
{
    return TN__APPLY(tn__op_BroadcastTo, NULL, x, tn__dims(&shape));
}

static tn_status fill_infer(tn__infer *infer)
{
    infer->output[0].shape = tn__known_shape(infer->input[0]);
    return tn__infer_rank(infer, 1, 0, 0);
}

static tn_status fill_compute(tn__kernel *kernel)
{
    tn_shape shape;
    TN_TRY(tn__shape_said(kernel, 0, &shape));
    TN_TRY(tn__ensure_output(kernel, 0, (tn_dtype)kernel->input[1]->dtype, &shape));
    tn_tensor *out = kernel->output[0];
    tn__fill_elements(out->data, tn__count(out), tn__dtype_size((tn_dtype)out->dtype),
                      kernel->input[1]->data);
    return TN_OK;
}

/* d value = the sum of dy */
static void fill_gradient(tn__gradient *g)
{
    g->din[1] = tn_reduce_sum_with(
        &(tn_reduce_options){ .size_ = sizeof(tn_reduce_options), .input = g->dout[0] });
}

const tn__op tn__op_Fill = {
    .name = "Fill",
    .inputs = "dims: index_type, value: T",
    .outputs = "output: T",
    .types = "T: any; index_type: int32, int64",
    .infer = fill_infer,
    .compute = fill_compute,
    .gradient = fill_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_fill(tn_shape dims, tn_tensor *value)
{
    return TN__APPLY(tn__op_Fill, NULL, tn__dims(&dims), value);
}

/* --- EnsureShape ------------------------------------------------------------------------------ */
typedef struct {
    tn_shape shape;
} ensure_attrs;
static const tn_field ensure_fields[] = {
    TN__ROW(TN_FIELD_SHAPE, ensure_attrs, shape, NULL, NULL),
    TN__END_OF_FIELDS,
};

static tn_status ensure_infer(tn__infer *infer)
{
    const tn_shape *x = &infer->input[0]->shape,
                   *expected = &((const ensure_attrs *)infer->attrs)->shape;
    if (tn__shape_merge(x, expected, &infer->output[0].shape))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Shape of tensor input %s is not compatible with expected shape %s.",
                    TN__BRACKETS(*x), TN__BRACKETS(*expected));
}

static void ensure_gradient(tn__gradient *g)
{
    g->din[0] = g->dout[0];
}

const tn__op tn__op_EnsureShape = {
    .name = "EnsureShape",
    .inputs = "input: T",
    .outputs = "output: T",
    .types = "T: any",
    .attrs = ensure_fields,
    .attrs_size = sizeof(ensure_attrs),
    .infer = ensure_infer,
    .gradient = ensure_gradient,
    .flags = TN__VIEW,
};

tn_tensor *tn_ensure_shape(tn_tensor *x, tn_shape shape)
{
    return TN__APPLY(tn__op_EnsureShape, &(ensure_attrs){ shape }, x);
}

/* --- BroadcastGradientArgs -------------------------------------------------------------------- */
static tn_status gradient_args_infer(tn__infer *infer)
{
    for (size_t i = 0; i < 2; i++) {
        const tn_shape *in = &infer->input[i]->shape;
        TN_TRY(tn__infer_rank(infer, i, 1, 1));
        if (in->known && in->dims[0] > TN_MAX_RANK)
            return tn__fail(TN_UNIMPLEMENTED,
                            "BroadcastGradientArgs: %lld dimensions, %d are the most",
                            (long long)in->dims[0], TN_MAX_RANK);
    }
    infer->output[0].shape = infer->output[1].shape = (tn_shape){ 1, 1, { TN_NONE } };
    return TN_OK;
}

/* The axes of the broadcast result along which each input was repeated. */
static tn_status gradient_args_compute(tn__kernel *kernel)
{
    int rank = 0;
    for (int k = 0; k < 2; k++)
        if (tn__count(kernel->input[k]) > rank)
            rank = (int)tn__count(kernel->input[k]);
    for (int k = 0; k < 2; k++) {
        const tn_tensor *mine = kernel->input[k], *other = kernel->input[1 - k];
        int64_t axes[TN_MAX_RANK], count = 0;
        for (int i = 0; i < rank; i++) {
            int64_t own = i - (rank - tn__count(mine)), its = i - (rank - tn__count(other));
            int64_t a = own < 0 ? 1 : tn__int_at(mine, own),
                    b = its < 0 ? 1 : tn__int_at(other, its);
            if (own < 0 || (a == 1 && b != 1))
                axes[count++] = i;
        }
        tn__release(kernel->output[k]);
        kernel->output[k] = tn__tensor_ints((tn_dtype)mine->dtype, count, axes);
        if (!kernel->output[k])
            return TN_RESOURCE_EXHAUSTED;
    }
    return TN_OK;
}

const tn__op tn__op_BroadcastGradientArgs = {
    .name = "BroadcastGradientArgs",
    .inputs = "s0: T, s1: T",
    .outputs = "r0: T, r1: T",
    .types = "T: int32, int64",
    .infer = gradient_args_infer,
    .compute = gradient_args_compute,
    .no_gradient = "none: integers",
};
