/* scatter.c - slices put, or added …, to where indices say: ScatterNd and the TensorScatter ops. */
#include "ops/gather.h"
#include "ops/scatter.h"
#include "ops/elementwise.h"
#include <string.h>

/* --- shapes ----------------------------------------------------------------------------------- */
/* updates must be (outer…, the tensor's dimensions behind the depth). */
static bool updates_fit(const tn_shape *indices, const tn_shape *updates, const tn_shape *shape,
                        int depth, bool outer)
{
    int from = outer ? 0 : indices->rank - 1, to = outer ? indices->rank - 1 : updates->rank;
    if (outer ? updates->rank < to : updates->rank - from != shape->rank - depth)
        return false;
    for (int i = from; i < to; i++) {
        int64_t a = updates->dims[i], b = outer ? indices->dims[i] : shape->dims[depth + i - from];
        if (a >= 0 && b >= 0 && a != b)
            return false;
    }
    return true;
}

/* In the words of ScatterNd. */
static tn_status check_new(const tn_shape *indices, const tn_shape *updates, const tn_shape *shape,
                           int depth)
{
    int outer = indices->rank - 1;
    if (!updates_fit(indices, updates, shape, depth, true))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Dimensions [0,%d) of indices[shape=%s] must match dimensions [0,%d) of "
                        "updates[shape=%s]",
                        outer, TN__BRACKETS(*indices), outer, TN__BRACKETS(*updates));
    if (!updates_fit(indices, updates, shape, depth, false))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Dimensions [%d,%d) of input[shape=%s] must match dimensions [%d,%d) of "
                        "updates[shape=%s]",
                        depth, shape->rank, TN__BRACKETS(*shape), outer, updates->rank,
                        TN__BRACKETS(*updates));
    return TN_OK;
}

/* In the words of the TensorScatter ops. */
static tn_status check_changed(const tn_shape *indices, const tn_shape *updates,
                               const tn_shape *shape, int depth)
{
    if (!updates_fit(indices, updates, shape, depth, true))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Outer dimensions of indices and update must match. Indices shape: %s, "
                        "updates shape:%s",
                        TN__BRACKETS(*indices), TN__BRACKETS(*updates));
    if (!updates_fit(indices, updates, shape, depth, false))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Inner dimensions of output shape must match inner dimensions of updates "
                        "shape. Output: %s updates: %s",
                        TN__BRACKETS(*shape), TN__BRACKETS(*updates));
    return TN_OK;
}

typedef tn_status (*shape_check)(const tn_shape *indices, const tn_shape *updates,
                                 const tn_shape *shape, int depth);

static tn_status check_scatter(const tn_tensor *indices, const tn_tensor *updates,
                               const tn_shape *shape, shape_check check)
{
    int depth;
    TN_TRY(tn__known_depth(indices, shape, &depth));
    if (depth < 0 || !updates->shape.known || !shape->known)
        return TN_OK;
    return check(&indices->shape, &updates->shape, shape, depth);
}

tn_status tn__check_scatter_new(const tn_tensor *indices, const tn_tensor *updates,
                                const tn_shape *shape)
{
    return check_scatter(indices, updates, shape, check_new);
}

/* --- slices ----------------------------------------------------------------------------------- */
/* Dtypes for which the op has no loop are computed, some at a time, in one for which it has. */
static void combine_by_parts(tn__binary_loop loop, tn_dtype usual, tn_dtype dtype, char *to,
                             const char *from, int step, int64_t count)
{
    enum { PART = 64 };
    uint64_t x[PART], y[PART];
    size_t size = tn__dtype_size(dtype), wide = tn__dtype_size(usual);
    bool whole = tn__in(TN__INTS, dtype);
    for (int64_t i = 0; i < count; i += PART) {
        int64_t n = count - i < PART ? count - i : PART;
        for (int64_t k = 0; k < n; k++) {
            const char *a = to + (size_t)(i + k) * size,
                       *b = from + (size_t)((i + k) * step) * size;
            char *wide_a = (char *)x + (size_t)k * wide, *wide_b = (char *)y + (size_t)k * wide;
            if (whole) {
                tn__element_from_int(usual, tn__element_to_int(dtype, a), wide_a);
                tn__element_from_int(usual, tn__element_to_int(dtype, b), wide_b);
            } else {
                tn__element_from_double(usual, tn__element_to_double(dtype, a), wide_a);
                tn__element_from_double(usual, tn__element_to_double(dtype, b), wide_b);
            }
        }
        loop(x, 1, y, 1, x, n);
        for (int64_t k = 0; k < n; k++) {
            char *a = to + (size_t)(i + k) * size, *wide_a = (char *)x + (size_t)k * wide;
            if (whole)
                tn__element_from_int(dtype, tn__element_to_int(usual, wide_a), a);
            else
                tn__element_from_double(dtype, tn__element_to_double(usual, wide_a), a);
        }
    }
}

void tn__combine_slice(const tn__op *combine, tn_tensor *to, int64_t at, const tn_tensor *updates,
                       int64_t from, int64_t count)
{
    tn_dtype dtype = (tn_dtype)to->dtype, usual = tn__in(TN__FLOATS, dtype) ? TN_FLOAT32 : TN_INT64;
    size_t size = tn__dtype_size(dtype);
    int step = updates->shape.rank > 0;
    char *a = (char *)to->data + (size_t)at * size;
    const char *b = (const char *)updates->data + (size_t)from * size;
    const tn__binary_family *family = combine ? combine->family : NULL;
    if (count == 0)
        return;
    if (!family && step)
        memcpy(a, b, (size_t)count * size);
    else if (!family)
        tn__fill_elements(a, count, size, b);
    else if (family->loop[dtype])
        family->loop[dtype](a, 1, b, step, a, count);
    else
        combine_by_parts(family->loop[usual], usual, dtype, a, b, step, count);
}

/* --- ScatterNd -------------------------------------------------------------------------------- */
static tn_status scatter_nd_infer(tn__infer *infer)
{
    infer->output[0].shape = tn__known_shape(infer->input[2]);
    return check_scatter(infer->input[0], infer->input[1], &infer->output[0].shape, check_new);
}

/* Adds the slices of updates to y, which holds what they are added to. */
static tn_status add_slices(const tn_tensor *indices, const tn_tensor *updates, tn_tensor *y)
{
    tn__places p = tn__places_of(indices, &y->shape, "shape");
    tn_dtype dtype = (tn_dtype)y->dtype;
    size_t size = tn__dtype_size(dtype);
    const tn__block slice = { 1, { p.slice }, { 1 }, { 1 } };
    for (int64_t i = 0; i < p.count; i++) {
        int64_t offset;
        TN_TRY(tn__read_place(&p, i, &offset));
        tn__block_accumulate(&slice, dtype, (char *)y->data + (size_t)offset * size,
                             (const char *)updates->data + (size_t)(i * p.slice) * size);
    }
    return TN_OK;
}

static tn_status scatter_nd_compute(tn__kernel *kernel)
{
    tn_tensor *const *in = kernel->input;
    tn_shape shape;
    TN_TRY(tn__shape_said(kernel, 2, &shape));
    TN_TRY(check_scatter(in[0], in[1], &shape, check_new));
    TN_TRY(tn__ensure_output(kernel, 0, (tn_dtype)in[1]->dtype, &shape));
    memset(kernel->output[0]->data, 0, tn__byte_count(kernel->output[0]));
    return add_slices(in[0], in[1], kernel->output[0]);
}

/* d updates = dy where they went */
static void scatter_nd_gradient(tn__gradient *g)
{
    g->din[1] = TN__APPLY(tn__op_GatherNd, NULL, g->dout[0], g->in[0]);
}

const tn__op tn__op_ScatterNd = {
    .name = "ScatterNd",
    .inputs = "indices: Tindices, updates: T, shape: Tindices",
    .outputs = "output: T",
    .types = "T: number; Tindices: int32, int64",
    .infer = scatter_nd_infer,
    .compute = scatter_nd_compute,
    .gradient = scatter_nd_gradient,
};

tn_tensor *tn_scatter_nd(tn_tensor *indices, tn_tensor *updates, tn_shape shape)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(indices, "tn_scatter_nd: indices"))
        return NULL;
    tn_dtype index = indices->dtype == TN_INT64 ? TN_INT64 : TN_INT32;
    tn_tensor *dims = tn__own(tn__tensor_ints(index, shape.rank, shape.dims));
    return TN__APPLY(tn__op_ScatterNd, NULL, indices, updates, dims);
}

/* --- TensorScatterUpdate, TensorScatterAdd ---------------------------------------------------- */
static tn_status tensor_scatter_infer(tn__infer *infer)
{
    TN_TRY(check_scatter(infer->input[1], infer->input[2], &infer->input[0]->shape, check_changed));
    return tn__infer_same(infer);
}

/* The op's family is what becomes of an element and its update; none: the update. */
static tn_status tensor_scatter_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    tn__places p = tn__places_of(kernel->input[1], &x->shape, "shape");
    if (tn__byte_count(x))
        memcpy(kernel->output[0]->data, x->data, tn__byte_count(x));
    for (int64_t i = 0; i < p.count; i++) {
        int64_t offset;
        TN_TRY(tn__read_place(&p, i, &offset));
        tn__combine_slice(kernel->op->family, kernel->output[0], offset, kernel->input[2],
                          i * p.slice, p.slice);
    }
    return TN_OK;
}

static tn_tensor *at_places(tn_tensor *x, const tn__gradient *g)
{
    return TN__APPLY(tn__op_GatherNd, NULL, x, g->in[1]);
}

/* dx = dy but in the places replaced; d updates = dy in those */
static void tensor_scatter_update_gradient(tn__gradient *g)
{
    g->din[0] =
        TN__APPLY(tn__op_TensorScatterUpdate, NULL, g->dout[0], g->in[1], tn__zeros_like(g->in[2]));
    g->din[2] = at_places(g->dout[0], g);
}

/* dx = dy, d updates = dy where they went */
static void tensor_scatter_add_gradient(tn__gradient *g)
{
    g->din[0] = g->dout[0];
    g->din[2] = at_places(g->dout[0], g);
}

static void tensor_scatter_sub_gradient(tn__gradient *g)
{
    g->din[0] = g->dout[0];
    g->din[2] = tn_negative(at_places(g->dout[0], g));
}

/* dy is shared among x and those updates that are what came out */
static void tensor_scatter_choice_gradient(tn__gradient *g)
{
    tn_tensor *y = g->out[0], *dy = g->dout[0];
    tn_dtype dtype = (tn_dtype)dy->dtype;
    tn_tensor *of_x = tn_cast(tn_equal(g->in[0], y), dtype),
              *of_updates = tn_cast(tn_equal(g->in[2], at_places(y, g)), dtype);
    tn_tensor *share =
        tn_divide(dy, TN__APPLY(tn__op_TensorScatterAdd, NULL, of_x, g->in[1], of_updates));
    g->din[0] = tn_multiply(share, of_x);
    g->din[2] = tn_multiply(at_places(share, g), of_updates);
}

#define TENSOR_SCATTER(name_, types_, combine, gradient_)     \
    const tn__op tn__op_##name_ = {                           \
        .name = #name_,                                       \
        .inputs = "tensor: T, indices: Tindices, updates: T", \
        .outputs = "output: T",                               \
        .types = "T: " types_ "; Tindices: int32, int64",     \
        .infer = tensor_scatter_infer,                        \
        .compute = tensor_scatter_compute,                    \
        .gradient = gradient_,                                \
        .flags = TN__HALF,                                    \
        .family = combine,                                    \
    };
TENSOR_SCATTER(TensorScatterUpdate, "any", NULL, tensor_scatter_update_gradient)
TENSOR_SCATTER(TensorScatterAdd, "number", &tn__op_AddV2, tensor_scatter_add_gradient)
TENSOR_SCATTER(TensorScatterSub, "number", &tn__op_Sub, tensor_scatter_sub_gradient)
TENSOR_SCATTER(TensorScatterMax, "number", &tn__op_Maximum, tensor_scatter_choice_gradient)
TENSOR_SCATTER(TensorScatterMin, "number", &tn__op_Minimum, tensor_scatter_choice_gradient)

#define WRAPPER(function, op)                                                      \
    tn_tensor *function(tn_tensor *tensor, tn_tensor *indices, tn_tensor *updates) \
    {                                                                              \
        return TN__APPLY(tn__op_##op, NULL, tensor, indices, updates);             \
    }
WRAPPER(tn_tensor_scatter_nd_update, TensorScatterUpdate)
WRAPPER(tn_tensor_scatter_nd_add, TensorScatterAdd)
WRAPPER(tn_tensor_scatter_nd_sub, TensorScatterSub)
WRAPPER(tn_tensor_scatter_nd_max, TensorScatterMax)
WRAPPER(tn_tensor_scatter_nd_min, TensorScatterMin)
