/* scatter.c - slices put, or added, to where indices say: ScatterNd, TensorScatterUpdate and -Add,
 * UnsortedSegmentSum. */
#include "ops/gather.h"
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

static tn_status tensor_scatter_update_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0], *updates = kernel->input[2], *y = kernel->output[0];
    tn__places p = tn__places_of(kernel->input[1], &x->shape, "shape");
    size_t size = tn__dtype_size((tn_dtype)x->dtype), bytes = (size_t)p.slice * size;
    if (tn__byte_count(x))
        memcpy(y->data, x->data, tn__byte_count(x));
    for (int64_t i = 0; i < p.count; i++) {
        int64_t offset;
        TN_TRY(tn__read_place(&p, i, &offset));
        if (bytes)
            memcpy((char *)y->data + (size_t)offset * size,
                   (const char *)updates->data + (size_t)i * bytes, bytes);
    }
    return TN_OK;
}

/* dx = dy but in the places replaced; d updates = dy in those */
static void tensor_scatter_update_gradient(tn__gradient *g)
{
    g->din[0] =
        TN__APPLY(tn__op_TensorScatterUpdate, NULL, g->dout[0], g->in[1], tn__zeros_like(g->in[2]));
    g->din[2] = TN__APPLY(tn__op_GatherNd, NULL, g->dout[0], g->in[1]);
}

static tn_status tensor_scatter_add_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    if (tn__byte_count(x))
        memcpy(kernel->output[0]->data, x->data, tn__byte_count(x));
    return add_slices(kernel->input[1], kernel->input[2], kernel->output[0]);
}

/* dx = dy, d updates = dy where they went */
static void tensor_scatter_add_gradient(tn__gradient *g)
{
    g->din[0] = g->dout[0];
    g->din[2] = TN__APPLY(tn__op_GatherNd, NULL, g->dout[0], g->in[1]);
}

#define TENSOR_SCATTER(name_, types_, compute_, gradient_, flags_) \
    const tn__op tn__op_##name_ = {                                \
        .name = #name_,                                            \
        .inputs = "tensor: T, indices: Tindices, updates: T",      \
        .outputs = "output: T",                                    \
        .types = "T: " types_ "; Tindices: int32, int64",          \
        .infer = tensor_scatter_infer,                             \
        .compute = compute_,                                       \
        .gradient = gradient_,                                     \
        .flags = flags_,                                           \
    };
TENSOR_SCATTER(TensorScatterUpdate, "any", tensor_scatter_update_compute,
               tensor_scatter_update_gradient, TN__HALF)
TENSOR_SCATTER(TensorScatterAdd, "number", tensor_scatter_add_compute, tensor_scatter_add_gradient,
               0)

tn_tensor *tn_tensor_scatter_nd_update(tn_tensor *tensor, tn_tensor *indices, tn_tensor *updates)
{
    return TN__APPLY(tn__op_TensorScatterUpdate, NULL, tensor, indices, updates);
}

tn_tensor *tn_tensor_scatter_nd_add(tn_tensor *tensor, tn_tensor *indices, tn_tensor *updates)
{
    return TN__APPLY(tn__op_TensorScatterAdd, NULL, tensor, indices, updates);
}

/* --- UnsortedSegmentSum ----------------------------------------------------------------------- */
/* data (ids…, slice…): the output is (segments, slice…). */
static tn_status segment_infer(tn__infer *infer)
{
    const tn_shape *data = &infer->input[0]->shape, *ids = &infer->input[1]->shape;
    tn_shape out = TN_SCALAR;
    int64_t count;
    bool known = tn__known_int(infer->input[2], &count);
    TN_TRY(tn__infer_rank(infer, 2, 0, 0));
    if (known && count < 0)
        return tn__fail(TN_INVALID_ARGUMENT, "Input num_segments == %lld must not be negative.",
                        (long long)count);
    if (!data->known || !ids->known)
        return TN_OK;
    tn_shape head = *data;
    head.rank = ids->rank;
    if (ids->rank > data->rank || !tn__shape_fits(&head, ids))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "data.shape = %s does not start with segment_ids.shape = %s",
                        TN__BRACKETS(*data), TN__BRACKETS(*ids));
    if (ids->rank == 0 && data->rank == TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "UnsortedSegmentSum: more than %d dimensions",
                        TN_MAX_RANK);
    out.dims[out.rank++] = known ? count : TN_NONE;
    for (int i = ids->rank; i < data->rank; i++)
        out.dims[out.rank++] = data->dims[i];
    infer->output[0].shape = out;
    return TN_OK;
}

static tn_status segment_compute(tn__kernel *kernel)
{
    const tn_tensor *data = kernel->input[0], *ids = kernel->input[1];
    tn_tensor *out = kernel->output[0];
    tn_dtype dtype = (tn_dtype)data->dtype;
    int64_t count = out->shape.dims[0], n = tn__count(ids);
    const tn__block slice = {
        1, { tn__count_of(&data->shape, ids->shape.rank, data->shape.rank) }, { 1 }, { 1 }
    };
    int64_t bytes = slice.dim[0] * (int64_t)tn__dtype_size(dtype);
    memset(out->data, 0, tn__byte_count(out));
    for (int64_t i = 0; i < n; i++) {
        int64_t at = tn__int_at(ids, i);
        if (at >= count)
            return tn__fail(TN_INVALID_ARGUMENT, "segment_ids%s = %lld is out of range [0, %lld)",
                            tn__place_text(&ids->shape, i, (char[TN__SHAPE_TEXT]){ 0 }),
                            (long long)at, (long long)count);
        if (at >= 0)
            tn__block_accumulate(&slice, dtype, (char *)out->data + at * bytes,
                                 (const char *)data->data + i * bytes);
    }
    return TN_OK;
}

/* d data = the row of dy that it was added to; nothing where the id is negative */
static void segment_gradient(tn__gradient *g)
{
    tn_tensor *ids = g->in[1], *zero = tn__like(ids, 0);
    tn_tensor *rows = tn_gather(g->dout[0], tn_maximum(ids, zero), 0);
    tn_tensor *kept = tn_greater_equal(ids, zero);
    if (!g->in[0]->shape.known || !ids->shape.known) {
        tn__fail(TN_UNIMPLEMENTED, "UnsortedSegmentSum: the gradient needs known ranks");
        return;
    }
    for (int i = ids->shape.rank; i < g->in[0]->shape.rank; i++)
        kept = tn_expand_dims(kept, i);
    g->din[0] = tn_where(kept, rows, tn__like(rows, 0));
}

const tn__op tn__op_UnsortedSegmentSum = {
    .name = "UnsortedSegmentSum",
    .inputs = "data: T, segment_ids: Tindices, num_segments: Tnumsegments",
    .outputs = "output: T",
    .types = "T: number; Tindices: int32, int64; Tnumsegments: int32, int64",
    .infer = segment_infer,
    .compute = segment_compute,
    .gradient = segment_gradient,
};

tn_tensor *tn_unsorted_segment_sum(tn_tensor *data, tn_tensor *segment_ids, int64_t num_segments)
{
    tn_tensor *count = tn__own(tn__tensor_ints(TN_INT64, 1, &num_segments));
    return TN__APPLY(tn__op_UnsortedSegmentSum, NULL, data, segment_ids,
                     tn_reshape(count, TN_SCALAR));
}
