/* shape.c - shapes as tensors, and giving elements another shape. */
#include "ops/ops.h"
#include <string.h>

/* --- Shape -------------------------------------------------------------------------------------------------------------- */
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
        tn__element_from_int((tn_dtype)out->dtype, shape->dims[i], (char *)out->data + (size_t)i * size);
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
    tn__element_from_int((tn_dtype)kernel->output[0]->dtype, tn__count(kernel->input[0]), kernel->output[0]->data);
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

tn_tensor *tn_size(tn_tensor *x)
{
    return TN__APPLY(tn__op_Size, &(shape_attrs){ TN_INT32 }, x);
}

tn_tensor *tn_shape_tensor(tn_tensor *x)
{
    return TN__APPLY(tn__op_Shape, &(shape_attrs){ TN_INT32 }, x);
}

/* --- Reshape ------------------------------------------------------------------------------------------------------------ */
/* Fills the one unknown dimension from the element count; false when it does not come out. */
static bool settle_dimension(tn_shape *shape, int64_t count)
{
    int64_t product = 1;
    int unknown = -1;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dims[i] >= 0)
            product *= shape->dims[i];
        else if (unknown >= 0)
            return false;
        else
            unknown = i;
    }
    if (unknown < 0)
        return product == count;
    if (product == 0 || count % product)
        return product == 0 && count == 0 && (shape->dims[unknown] = 0, true);
    shape->dims[unknown] = count / product;
    return true;
}

static tn_status reshape_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape;
    tn_shape out = tn__known_shape(infer->input[1]);
    if (!out.known)
        return TN_OK;
    for (int i = 0; i < out.rank; i++)
        if (out.dims[i] < TN_NONE)
            return tn__fail(TN_INVALID_ARGUMENT, "Reshape: dimension %d of the new shape is %lld; only one may be -1, the others are 0 or more",
                            i, (long long)out.dims[i]);
    if (tn__shape_full(in)) {
        tn_shape wanted = out;
        if (!settle_dimension(&out, tn__shape_count(in)))
            return tn__fail(TN_INVALID_ARGUMENT, "Input to reshape is a tensor with %lld values, but the requested shape %s has %lld",
                            (long long)tn__shape_count(in), TN__SHAPE(wanted), (long long)tn__shape_count(&wanted));
    }
    infer->output[0].shape = out;
    return TN_OK;
}

static void reshape_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_Reshape, NULL, g->dout[0], tn__shape_tensor(g->in[0]));
}

const tn__op tn__op_Reshape = {
    .name = "Reshape",
    .inputs = "tensor: T, shape: Tshape",
    .outputs = "output: T",
    .types = "T: any; Tshape: int32, int64",
    .infer = reshape_infer,
    .gradient = reshape_gradient,
    .flags = TN__VIEW,
};

tn_tensor *tn_reshape(tn_tensor *x, tn_shape shape)
{
    return TN__APPLY(tn__op_Reshape, NULL, x, tn__ints(shape.dims, (size_t)shape.rank));
}

/* --- BroadcastTo, Fill -------------------------------------------------------------------------------------------------- */
static tn_status broadcast_to_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape;
    tn_shape out = tn__known_shape(infer->input[1]), joined;
    if (out.known && (!tn__shape_broadcast(in, &out, &joined) || (in->known && !tn__shape_fits(&joined, &out))))
        return tn__fail(TN_INVALID_ARGUMENT, "Incompatible shapes: %s cannot be broadcast to %s", TN__SHAPE(*in), TN__SHAPE(out));
    infer->output[0].shape = out;
    return TN_OK;
}

/* Copies x's elements along the output's dimensions; a step of 0 repeats. */
static tn_status broadcast_to_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    tn_tensor *out = kernel->output[0];
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    int64_t at[TN_MAX_RANK] = { 0 }, step[TN_MAX_RANK], count = tn__count(out), stride = 1;
    int shift = out->shape.rank - x->shape.rank;
    for (int i = out->shape.rank - 1; i >= 0; i--) {
        int64_t dim = i < shift ? 1 : x->shape.dims[i - shift];
        step[i] = dim == 1 ? 0 : stride;
        stride *= dim;
    }
    const char *from = x->data;
    for (int64_t n = 0; n < count; n++) {
        memcpy((char *)out->data + (size_t)n * size, from, size);
        for (int axis = out->shape.rank - 1; axis >= 0; axis--) {
            from += step[axis] * (int64_t)size;
            if (++at[axis] < out->shape.dims[axis])
                break;
            from -= step[axis] * out->shape.dims[axis] * (int64_t)size;
            at[axis] = 0;
        }
    }
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
    return TN__APPLY(tn__op_BroadcastTo, NULL, x, tn__ints(shape.dims, (size_t)shape.rank));
}

static tn_status fill_infer(tn__infer *infer)
{
    infer->output[0].shape = tn__known_shape(infer->input[0]);
    return tn__infer_rank(infer, 1, 0, 0);
}

static tn_status fill_compute(tn__kernel *kernel)
{
    tn_tensor *out = kernel->output[0];
    size_t size = tn__dtype_size((tn_dtype)out->dtype);
    int64_t count = tn__count(out);
    for (int64_t i = 0; i < count; i++)
        memcpy((char *)out->data + (size_t)i * size, kernel->input[1]->data, size);
    return TN_OK;
}

static void fill_gradient(tn__gradient *g)
{
    g->din[1] = tn_reduce_sum_with(&(tn_reduce_options){ .size_ = sizeof(tn_reduce_options), .input = g->dout[0] });
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
    return TN__APPLY(tn__op_Fill, NULL, tn__ints(dims.dims, (size_t)dims.rank), value);
}

/* --- BroadcastGradientArgs ---------------------------------------------------------------------------------------------- */
static tn_status gradient_args_infer(tn__infer *infer)
{
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
            int64_t a = own < 0 ? 1 : tn__int_at(mine, own), b = its < 0 ? 1 : tn__int_at(other, its);
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
