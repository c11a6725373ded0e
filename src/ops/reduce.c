/* reduce.c - sums and their kin over some axes. */
#include "ops/ops.h"
#include <string.h>

typedef struct {
    tn_flag keep_dims;
} reduce_attrs;
static const tn_field reduce_fields[] = {
    TN__ROW(TN_FIELD_FLAG, reduce_attrs, keep_dims, "false", NULL),
    TN__END_OF_FIELDS,
};

/* Marks the axes that a tensor of axis numbers names. */
static tn_status mark_axes(const tn__op *op, const int64_t *axes, size_t count, int rank, bool reduced[TN_MAX_RANK])
{
    memset(reduced, 0, TN_MAX_RANK * sizeof *reduced);
    for (size_t i = 0; i < count; i++) {
        int axis;
        if (!tn__axis(axes[i], rank, &axis))
            return tn__fail(TN_INVALID_ARGUMENT, "Invalid reduction dimension (%lld for input with %d dimension(s)\n%s: axes are %d to %d",
                            (long long)axes[i], rank, op->name, -rank, rank - 1);
        reduced[axis] = true;
    }
    return TN_OK;
}

static tn_status reduce_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape;
    const reduce_attrs *attrs = infer->attrs;
    int64_t axes[TN_MAX_RANK * 4];
    size_t count;
    if (!in->known || !tn__known_ints(infer->input[1], axes, &count))
        return TN_OK;
    bool reduced[TN_MAX_RANK];
    TN_TRY(mark_axes(infer->op, axes, count, in->rank, reduced));
    tn_shape out = { 1, 0, { 0 } };
    for (int i = 0; i < in->rank; i++)
        if (!reduced[i] || attrs->keep_dims)
            out.dims[out.rank++] = reduced[i] ? 1 : in->dims[i];
    infer->output[0].shape = out;
    return TN_OK;
}

/* One output element is made of `groups` runs; the walk gives each run's start. */
typedef struct {
    int kept, gone;
    int64_t kept_dim[TN_MAX_RANK], kept_step[TN_MAX_RANK], gone_dim[TN_MAX_RANK], gone_step[TN_MAX_RANK];
    int64_t outputs, inputs; /* inputs: elements that go into one output */
} reduction;

static tn_status plan_reduction(tn__kernel *kernel, reduction *r)
{
    const tn_tensor *x = kernel->input[0], *axes = kernel->input[1];
    int64_t axis[TN_MAX_RANK * 4];
    int64_t count = tn__count(axes);
    bool reduced[TN_MAX_RANK];
    if (count > TN_MAX_RANK * 4)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: %lld axes", kernel->op->name, (long long)count);
    for (int64_t i = 0; i < count; i++)
        axis[i] = tn__int_at(axes, i);
    TN_TRY(mark_axes(kernel->op, axis, (size_t)count, x->shape.rank, reduced));
    *r = (reduction){ .outputs = 1, .inputs = 1 };
    int64_t step = 1;
    for (int i = x->shape.rank - 1; i >= 0; i--) {
        int64_t dim = x->shape.dims[i];
        int64_t *dims = reduced[i] ? r->gone_dim : r->kept_dim, *steps = reduced[i] ? r->gone_step : r->kept_step;
        int *n = reduced[i] ? &r->gone : &r->kept;
        dims[*n] = dim;
        steps[(*n)++] = step;
        *(reduced[i] ? &r->inputs : &r->outputs) *= dim;
        step *= dim;
    }
    return TN_OK;
}

/* Goes to the next place, innermost dimension first. */
static int64_t advance(int rank, const int64_t *dim, const int64_t *step, int64_t *at)
{
    int64_t moved = 0;
    for (int i = 0; i < rank; i++) {
        moved += step[i];
        if (++at[i] < dim[i])
            return moved;
        moved -= step[i] * dim[i];
        at[i] = 0;
    }
    return moved;
}

/* Sums in the order of the elements; floats in double, so that long sums keep their digits. */
#define SUM_LOOP(T, ACC) \
    { \
        const T *x = kernel->input[0]->data; \
        T *y = kernel->output[0]->data; \
        int64_t outer[TN_MAX_RANK] = { 0 }; \
        for (int64_t i = 0; i < r.outputs; i++) { \
            ACC sum = 0; \
            int64_t inner[TN_MAX_RANK] = { 0 }; \
            const T *from = x; \
            for (int64_t k = 0; k < r.inputs; k++) { \
                sum += (ACC)*from; \
                from += advance(r.gone, r.gone_dim, r.gone_step, inner); \
            } \
            y[i] = (T)(mean ? (r.inputs ? sum / (ACC)r.inputs : (ACC)(0.0 / zero)) : sum); \
            x += advance(r.kept, r.kept_dim, r.kept_step, outer); \
        } \
        return TN_OK; \
    }

static tn_status sum_or_mean(tn__kernel *kernel, bool mean)
{
    reduction r;
    TN_TRY(plan_reduction(kernel, &r));
    const double zero = 0;
    switch (kernel->input[0]->dtype) {
    case TN_FLOAT32:
        SUM_LOOP(float, double)
    case TN_FLOAT64:
        SUM_LOOP(double, double)
    case TN_INT32:
        SUM_LOOP(int32_t, int64_t)
    case TN_INT64:
        SUM_LOOP(int64_t, int64_t)
    default:
        SUM_LOOP(uint8_t, int64_t)
    }
}

static tn_status sum_compute(tn__kernel *kernel)
{
    return sum_or_mean(kernel, false);
}

static tn_status mean_compute(tn__kernel *kernel)
{
    return sum_or_mean(kernel, true);
}

/* dy with the axes that were summed away put back as 1, to be broadcast over x. */
static tn_tensor *keep_dims(tn__gradient *g, tn_tensor *y)
{
    if (((const reduce_attrs *)g->attrs)->keep_dims)
        return y;
    const tn_shape *in = &g->in[0]->shape;
    int64_t axes[TN_MAX_RANK * 4];
    size_t count;
    bool reduced[TN_MAX_RANK];
    if (!in->known || !tn__known_ints(g->in[1], axes, &count)) {
        tn__fail(TN_UNIMPLEMENTED, "%s: the gradient needs a known rank and known axes", g->op->name);
        return NULL;
    }
    if (mark_axes(g->op, axes, count, in->rank, reduced) != TN_OK)
        return NULL;
    int64_t kept[TN_MAX_RANK];
    int unknown = 0;
    for (int i = 0; i < in->rank; i++) {
        kept[i] = reduced[i] ? 1 : in->dims[i];
        unknown += kept[i] < 0;
    }
    if (unknown > 1) {
        tn__fail(TN_UNIMPLEMENTED, "%s: the gradient of %s has more than one unknown dimension", g->op->name, TN__SHAPE(*in));
        return NULL;
    }
    return TN__APPLY(tn__op_Reshape, NULL, y, tn__ints(kept, (size_t)in->rank));
}

/* dx = dy, repeated along the axes */
static void sum_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_BroadcastTo, NULL, keep_dims(g, g->dout[0]), tn__shape_tensor(g->in[0]));
}

/* dx = dy / n, n the elements that went into one: size(x) / size(y) */
static void mean_gradient(tn__gradient *g)
{
    tn_tensor *spread = TN__APPLY(tn__op_BroadcastTo, NULL, keep_dims(g, g->dout[0]), tn__shape_tensor(g->in[0]));
    g->din[0] = tn_divide(spread, tn__ratio_of_sizes(g->in[0], g->out[0]));
}

#define REDUCTION(name_, types_, compute_, ...) \
    const tn__op tn__op_##name_ = { \
        .name = #name_, \
        .inputs = "input: T, reduction_indices: Tidx", \
        .outputs = "output: T", \
        .types = "T: " types_ "; Tidx: int32, int64", \
        .attrs = reduce_fields, \
        .attrs_size = sizeof(reduce_attrs), \
        .infer = reduce_infer, \
        .compute = compute_, \
        __VA_ARGS__ \
    };
REDUCTION(Sum, "number", sum_compute, .gradient = sum_gradient)
REDUCTION(Mean, "number", mean_compute, .gradient = mean_gradient)

/* The axes an options struct names, or all of x's. */
static tn_tensor *axes_of(const tn_reduce_options *o)
{
    int64_t axes[TN_MAX_RANK];
    if (!tn__check_tensor(o->input, "input"))
        return NULL;
    if (o->axis.count == 0 && !o->input->shape.known) {
        tn__fail(TN_UNIMPLEMENTED, "a reduction over every axis needs a known rank");
        return NULL;
    }
    int count = o->axis.count ? o->axis.count : o->input->shape.rank;
    for (int i = 0; i < count; i++)
        axes[i] = o->axis.count ? o->axis.axis[i] : i;
    return tn__ints(axes, (size_t)count);
}

#define WRAPPER(function, op) \
    tn_tensor *function(const tn_reduce_options *options) \
    { \
        TN__ENTER_OPTIONS(context, options, NULL); \
        return TN__APPLY(tn__op_##op, &(reduce_attrs){ options->keepdims }, options->input, axes_of(options)); \
    }
WRAPPER(tn_reduce_sum_with, Sum)
WRAPPER(tn_reduce_mean_with, Mean)
