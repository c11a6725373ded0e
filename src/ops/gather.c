/* gather.c - slices named by indices: GatherV2, GatherNd. */
#include "ops/gather.h"
#include "ops/slices.h"
#include <stdio.h>
#include <string.h>

/* --- places, shared with scatter.c ------------------------------------------------------------ */
const char *tn__place_text(const tn_shape *shape, int64_t at, char text[TN__SHAPE_TEXT])
{
    tn_shape place = *shape;
    for (int i = shape->rank - 1; i >= 0; i--) {
        place.dims[i] = at % shape->dims[i];
        at /= shape->dims[i];
    }
    text[0] = 0;
    return shape->rank ? tn__shape_brackets(&place, text) : text;
}

tn__places tn__places_of(const tn_tensor *indices, const tn_shape *shape, const char *what)
{
    tn__places p = { .indices = indices, .shape = *shape, .outer = indices->shape, .what = what };
    p.depth = (int)indices->shape.dims[--p.outer.rank];
    p.count = tn__shape_count(&p.outer);
    p.slice = tn__count_of(shape, p.depth, shape->rank);
    return p;
}

/* "[2, 1]": the index itself. */
static const char *index_text(const tn__places *p, int64_t i, char text[TN__SHAPE_TEXT])
{
    size_t n = (size_t)snprintf(text, TN__SHAPE_TEXT, "[");
    for (int k = 0; k < p->depth; k++)
        n += (size_t)snprintf(text + n, TN__SHAPE_TEXT - n, "%s%lld", k ? ", " : "",
                              (long long)tn__int_at(p->indices, i * p->depth + k));
    snprintf(text + n, TN__SHAPE_TEXT - n, "]");
    return text;
}

tn_status tn__read_place(const tn__places *p, int64_t i, int64_t *offset)
{
    char place[TN__SHAPE_TEXT], index[TN__SHAPE_TEXT];
    *offset = 0;
    for (int k = 0; k < p->depth; k++) {
        int64_t at = tn__int_at(p->indices, i * p->depth + k);
        if (at < 0 || at >= p->shape.dims[k])
            return tn__fail(TN_INVALID_ARGUMENT, "indices%s = %s does not index into %s %s",
                            tn__place_text(&p->outer, i, place), index_text(p, i, index), p->what,
                            TN__BRACKETS(p->shape));
        *offset = *offset * p->shape.dims[k] + at;
    }
    *offset *= p->slice;
    return TN_OK;
}

tn_status tn__known_depth(const tn_tensor *indices, const tn_shape *shape, int *depth)
{
    const tn_shape *in = &indices->shape;
    *depth = -1;
    if (!in->known)
        return TN_OK;
    if (in->rank == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "indices must be at least a vector");
    int64_t last = in->dims[in->rank - 1];
    if (last > (shape->known ? shape->rank : TN_MAX_RANK))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "index innermost dimension length must be <= params rank; saw: %lld vs. %d",
                        (long long)last, shape->rank);
    *depth = (int)last;
    return TN_OK;
}

/* --- GatherV2 --------------------------------------------------------------------------------- */
typedef struct {
    int64_t batch_dims;
} gather_attrs;
static const tn_field gather_fields[] = {
    TN__ROW(TN_FIELD_INT, gather_attrs, batch_dims, "0", NULL),
    TN__END_OF_FIELDS,
};

/* What the ranks and the axis say; axis and batch are counted from 0. */
typedef struct {
    int axis, batch;
} gather_plan;

/* known: false when ranks or axis are not known yet. */
static tn_status plan_gather(const void *attrs, tn_tensor *const *input, gather_plan *plan,
                             bool *known)
{
    const tn_shape *params = &input[0]->shape, *indices = &input[1]->shape;
    int64_t batch = ((const gather_attrs *)attrs)->batch_dims, axis;
    *known = params->known && indices->known && tn__known_int(input[2], &axis);
    if (!*known)
        return TN_OK;
    if (batch < -indices->rank || batch > indices->rank)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Expected batch_dims in the range [-%d, %d], but got %lld", indices->rank,
                        indices->rank, (long long)batch);
    plan->batch = (int)(batch < 0 ? batch + indices->rank : batch);
    if (axis >= params->rank || axis < -params->rank)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Shape must be at least rank %llu but is rank %d\nGatherV2: the axis of %s",
                        (unsigned long long)(axis < 0 ? -(axis + 1) : axis) + 1, params->rank,
                        TN__TENSOR(input[0]));
    plan->axis = (int)(axis < 0 ? axis + params->rank : axis);
    if (plan->batch > plan->axis)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "batch_dims (%d) must be less than or equal to axis (%d).", plan->batch,
                        plan->axis);
    return TN_OK;
}

static tn_status gather_infer(tn__infer *infer)
{
    const tn_shape *params = &infer->input[0]->shape, *indices = &infer->input[1]->shape;
    gather_plan plan;
    bool known;
    TN_TRY(tn__infer_rank(infer, 2, 0, 0));
    TN_TRY(plan_gather(infer->attrs, infer->input, &plan, &known));
    if (!known)
        return TN_OK;
    if (params->rank - 1 + indices->rank - plan.batch > TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "GatherV2: more than %d dimensions", TN_MAX_RANK);
    tn_shape out = TN_SCALAR;
    for (int i = 0; i < plan.axis; i++)
        out.dims[out.rank++] = params->dims[i];
    for (int i = 0; i < plan.batch; i++) {
        int64_t a = params->dims[i], b = indices->dims[i];
        if (a >= 0 && b >= 0 && a != b)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "params.shape[%d]: %lld should be equal to indices.shape[%d]: %lld", i,
                            (long long)a, i, (long long)b);
        out.dims[i] = a < 0 ? b : a;
    }
    for (int i = plan.batch; i < indices->rank; i++)
        out.dims[out.rank++] = indices->dims[i];
    for (int i = plan.axis + 1; i < params->rank; i++)
        out.dims[out.rank++] = params->dims[i];
    infer->output[0].shape = out;
    return TN_OK;
}

static tn_status check_indices(const tn_tensor *indices, int64_t dim)
{
    char place[TN__SHAPE_TEXT];
    int64_t count = tn__count(indices);
    for (int64_t i = 0; i < count; i++) {
        int64_t at = tn__int_at(indices, i);
        if (at < 0 || at >= dim)
            return tn__fail(TN_INVALID_ARGUMENT, "indices%s = %lld is not in [0, %lld)",
                            tn__place_text(&indices->shape, i, place), (long long)at,
                            (long long)dim);
    }
    return TN_OK;
}

/* params (batch, outer, dim, inner), indices (batch, n): out (batch, outer, n, inner). */
static tn_status gather_compute(tn__kernel *kernel)
{
    const tn_tensor *params = kernel->input[0], *indices = kernel->input[1];
    gather_plan plan;
    bool known;
    TN_TRY(plan_gather(kernel->attrs, kernel->input, &plan, &known));
    const tn_shape *shape = &params->shape;
    int64_t batch = tn__count_of(shape, 0, plan.batch), dim = shape->dims[plan.axis];
    int64_t outer = tn__count_of(shape, plan.batch, plan.axis),
            n = tn__count_of(&indices->shape, plan.batch, indices->shape.rank);
    int64_t bytes = tn__count_of(shape, plan.axis + 1, shape->rank) *
                    (int64_t)tn__dtype_size((tn_dtype)params->dtype);
    const char *from = params->data;
    char *to = kernel->output[0]->data;
    TN_TRY(check_indices(indices, dim));
    for (int64_t i = 0; i < batch * outer && bytes; i++, from += dim * bytes)
        for (int64_t k = 0; k < n; k++, to += bytes)
            memcpy(to, from + tn__int_at(indices, i / outer * n + k) * bytes, (size_t)bytes);
    return TN_OK;
}

/* The axes of dy, or of its like, that stand for the batch, what lies between it and the axis, the
 * indices (or the axis itself), and what is behind: in this order, or with the indices moved to
 * where params have their axis. */
static tn_axes indices_first(int batch, int outer, int indices, int inner)
{
    tn_axes order = { 0 };
    for (int i = 0; i < batch; i++)
        order.axis[order.count++] = i;
    for (int i = 0; i < indices; i++)
        order.axis[order.count++] = batch + outer + i;
    for (int i = 0; i < outer; i++)
        order.axis[order.count++] = batch + i;
    for (int i = 0; i < inner; i++)
        order.axis[order.count++] = batch + outer + indices + i;
    return order;
}

/* Row number `index` of batch b becomes row b dim + index of all batches together. */
static tn_tensor *flat_indices(tn_tensor *indices, int batch, tn_tensor *batches, tn_tensor *dim)
{
    const int64_t ones[TN_MAX_RANK] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    tn_tensor *parts[] = { tn__vector_part(tn__shape_tensor(indices), 0, batch),
                           tn__ints(ones, (size_t)(indices->shape.rank - batch)) };
    tn_tensor *first = tn_multiply(tn_range(tn__int(0), batches, tn__int(1)), dim);
    first = TN__APPLY(tn__op_Reshape, NULL, first, tn__vector_join(2, parts));
    return tn_add(tn_cast(indices, TN_INT64), tn_cast(first, TN_INT64));
}

static tn_tensor *scalar_of(tn_tensor *vector_of_one)
{
    return tn_reshape(vector_of_one, TN_SCALAR);
}

static tn_tensor *segment_sum(tn_tensor *data, tn_tensor *ids, tn_tensor *count)
{
    return TN__APPLY(tn__op_UnsortedSegmentSum, NULL, data, ids, count);
}

/* Along the first axis, without a batch: the rows of dy that went to the same index, added up. */
static tn_tensor *gradient_of_rows(const tn__gradient *g, tn_tensor *indices)
{
    tn_tensor *rows = tn__vector_part(tn__shape_tensor(g->in[0]), 0, 1);
    return tn__sum_of_slices(g->dout[0], indices, scalar_of(rows));
}

/* In general: the same with the indices' axes in front, the batches one behind the other, and
 * everything put back. */
static tn_tensor *gradient_of_slices(const tn__gradient *g, const gather_plan *plan)
{
    tn_tensor *params = g->in[0], *indices = g->in[1];
    int batch = plan->batch, outer = plan->axis - batch,
        inner = params->shape.rank - plan->axis - 1;
    tn_axes order = indices_first(batch, outer, indices->shape.rank - batch, inner), back = { 0 };
    tn_tensor *shape = tn__shape_tensor(params), *one = tn__ints((int64_t[]){ 0 }, 1);
    static const tn_flag keep = false;
    tn_tensor *dim = scalar_of(tn__vector_part(shape, plan->axis, plan->axis + 1));
    tn_tensor *batches = TN__APPLY(tn__op_Prod, &keep, tn__vector_part(shape, 0, batch), one);
    tn_tensor *ids = batch ? flat_indices(indices, batch, batches, dim) : indices;
    tn_tensor *sum = segment_sum(tn_transpose(g->dout[0], order), ids, tn_multiply(batches, dim));
    tn_tensor *moved[] = { tn__vector_part(shape, 0, batch),
                           tn__vector_part(shape, plan->axis, plan->axis + 1),
                           tn__vector_part(shape, batch, plan->axis),
                           tn__vector_part(shape, plan->axis + 1, TN_NONE) };
    sum = TN__APPLY(tn__op_Reshape, NULL, sum, tn__vector_join(4, moved));
    order = indices_first(batch, outer, 1, inner);
    back.count = order.count;
    for (int i = 0; i < order.count; i++)
        back.axis[order.axis[i]] = i;
    return tn_transpose(sum, back);
}

static void gather_gradient(tn__gradient *g)
{
    gather_plan plan;
    int64_t axis;
    bool known;
    if (tn__known_int(g->in[2], &axis) && axis == 0 &&
        ((const gather_attrs *)g->attrs)->batch_dims == 0) {
        g->din[0] = gradient_of_rows(g, g->in[1]);
        return;
    }
    if (plan_gather(g->attrs, g->in, &plan, &known) != TN_OK)
        return;
    if (known)
        g->din[0] = gradient_of_slices(g, &plan);
    else
        tn__fail(TN_UNIMPLEMENTED, "GatherV2: the gradient needs known ranks and a known axis");
}

const tn__op tn__op_GatherV2 = {
    .name = "GatherV2",
    .inputs = "params: Tparams, indices: Tindices, axis: Taxis",
    .outputs = "output: Tparams",
    .types = "Tparams: any; Tindices: int32, int64; Taxis: int32, int64",
    .attrs = gather_fields,
    .attrs_size = sizeof(gather_attrs),
    .infer = gather_infer,
    .compute = gather_compute,
    .gradient = gather_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_gather_batched(tn_tensor *params, tn_tensor *indices, int axis, int batch_dims)
{
    const gather_attrs attrs = { batch_dims };
    return TN__APPLY(tn__op_GatherV2, &attrs, params, indices, tn__int(axis));
}

tn_tensor *tn_gather(tn_tensor *params, tn_tensor *indices, int axis)
{
    return tn_gather_batched(params, indices, axis, 0);
}

/* --- GatherNd --------------------------------------------------------------------------------- */
static tn_status gather_nd_infer(tn__infer *infer)
{
    const tn_shape *params = &infer->input[0]->shape, *indices = &infer->input[1]->shape;
    int depth;
    TN_TRY(tn__known_depth(infer->input[1], params, &depth));
    if (!params->known || depth < 0)
        return TN_OK;
    if (indices->rank - 1 + params->rank - depth > TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "GatherNd: more than %d dimensions", TN_MAX_RANK);
    tn_shape out = *indices;
    out.rank--;
    for (int i = depth; i < params->rank; i++)
        out.dims[out.rank++] = params->dims[i];
    infer->output[0].shape = out;
    return TN_OK;
}

static tn_status gather_nd_compute(tn__kernel *kernel)
{
    const tn_tensor *params = kernel->input[0];
    tn__places p = tn__places_of(kernel->input[1], &params->shape, "param shape");
    size_t size = tn__dtype_size((tn_dtype)params->dtype), bytes = (size_t)p.slice * size;
    for (int64_t i = 0; i < p.count; i++) {
        int64_t offset;
        TN_TRY(tn__read_place(&p, i, &offset));
        if (bytes)
            memcpy((char *)kernel->output[0]->data + (size_t)i * bytes,
                   (const char *)params->data + (size_t)offset * size, bytes);
    }
    return TN_OK;
}

/* dx = dy added up where it came from. A list of places that are rows is TensorFlow's case of rows
 * that are remembered. */
static void gather_nd_gradient(tn__gradient *g)
{
    const tn_shape *places = &g->in[1]->shape;
    if (places->known && places->rank == 2 && places->dims[1] == 1) {
        g->din[0] = gradient_of_rows(g, tn_squeeze(g->in[1], TN_AXES(1)));
        return;
    }
    tn_tensor *shape = tn_cast(tn__shape_tensor(g->in[0]), (tn_dtype)g->in[1]->dtype);
    g->din[0] = TN__APPLY(tn__op_ScatterNd, NULL, g->in[1], g->dout[0], shape);
}

const tn__op tn__op_GatherNd = {
    .name = "GatherNd",
    .inputs = "params: Tparams, indices: Tindices",
    .outputs = "output: Tparams",
    .types = "Tparams: any; Tindices: int32, int64",
    .infer = gather_nd_infer,
    .compute = gather_nd_compute,
    .gradient = gather_nd_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_gather_nd(tn_tensor *params, tn_tensor *indices)
{
    return TN__APPLY(tn__op_GatherNd, NULL, params, indices);
}
