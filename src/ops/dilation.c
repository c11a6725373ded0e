/* dilation.c - grey-scale dilation: each element of the output is the largest sum of a filter's tap
 * and the element of the image under it. */
#include "ops/window.h"
#include <string.h>

typedef struct {
    int64_t strides[4], rates[4];
    const char *padding;
} dilation_attrs;
static const tn_field dilation_fields[] = {
    TN__ROW(TN_FIELD_INTS, dilation_attrs, strides, NULL, NULL),
    TN__ROW(TN_FIELD_INTS, dilation_attrs, rates, NULL, NULL),
    TN__ROW(TN_FIELD_STRING, dilation_attrs, padding, NULL, "SAME|VALID"),
    TN__END_OF_FIELDS,
};

/* --- shapes ----------------------------------------------------------------------------------- */
static tn__sliding sliding_of(const dilation_attrs *attrs)
{
    return (tn__sliding){ 2, attrs->padding, "NHWC", attrs->strides, attrs->rates, NULL };
}

static tn_status check_numbers(const tn__op *op, const char *what, const int64_t *number)
{
    for (int i = 0; i < 4; i++)
        if (number[i] < 1 || ((i == 0 || i == 3) && number[i] != 1))
            return tn__fail(TN_UNIMPLEMENTED,
                            "%s: %s are 1 along batch and depth, and positive; number %d is %lld",
                            op->name, what, i, (long long)number[i]);
    return TN_OK;
}

static tn_status windows_of(const tn__op *op, const void *attrs, const tn_shape *x,
                            const tn_shape *filter, tn__windows *w)
{
    const dilation_attrs *a = attrs;
    tn__sliding s = sliding_of(a);
    TN_TRY(tn__sliding_check(op, &s));
    TN_TRY(check_numbers(op, "strides", a->strides));
    TN_TRY(check_numbers(op, "rates", a->rates));
    if (x->known && x->rank != 4)
        return tn__fail(TN_INVALID_ARGUMENT, "input must be 4-dimensional%s", TN__BRACKETS(*x));
    if (filter->known && filter->rank != 3)
        return tn__fail(TN_INVALID_ARGUMENT, "filter must be 3-dimensional: %s",
                        TN__BRACKETS(*filter));
    int64_t depth = tn__dim_of(x, 3), own = tn__dim_of(filter, 2);
    if (depth >= 0 && own >= 0 && depth != own)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "input and filter must have the same depth: %lld vs %lld", (long long)depth,
                        (long long)own);
    const int64_t window[] = { tn__dim_of(filter, 0), tn__dim_of(filter, 1) };
    if (window[0] == 0 || window[1] == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: the filter %s is empty", op->name,
                        TN__BRACKETS(*filter));
    return tn__windows_of(op, &s, x, window, w);
}

static tn_status forward_infer(tn__infer *infer)
{
    tn__windows w;
    TN_TRY(
        windows_of(infer->op, infer->attrs, &infer->input[0]->shape, &infer->input[1]->shape, &w));
    tn__sliding s = sliding_of(infer->attrs);
    infer->output[0].shape = tn__windows_out(&s, &w, w.channels);
    return TN_OK;
}

static tn_status check_cotangent(tn__infer *infer)
{
    tn__windows w;
    TN_TRY(
        windows_of(infer->op, infer->attrs, &infer->input[0]->shape, &infer->input[1]->shape, &w));
    tn__sliding s = sliding_of(infer->attrs);
    tn_shape out = tn__windows_out(&s, &w, w.channels);
    if (tn__shape_fits(&out, &infer->input[2]->shape))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "%s: out_backprop must be %s, got %s", infer->op->name,
                    TN__BRACKETS(out), TN__BRACKETS(infer->input[2]->shape));
}

static tn_status to_input_infer(tn__infer *infer)
{
    TN_TRY(check_cotangent(infer));
    infer->output[0].shape = infer->input[0]->shape;
    return TN_OK;
}

static tn_status to_filter_infer(tn__infer *infer)
{
    TN_TRY(check_cotangent(infer));
    infer->output[0].shape = infer->input[1]->shape;
    return TN_OK;
}

/* --- reference kernels ------------------------------------------------------------------------ */
/* tap: of each element of the output, which tap gave it; -1: none so far. In float64: the types
 * that are no floats have few users. */
typedef struct {
    int64_t channels;
    const tn_tensor *x, *filter;
    double *best;
    int64_t *tap;
    const tn_tensor *dy;
    double *sum; /* of a gradient */
    bool to_filter;
} walk;

static void compare(void *self, const tn__run *run)
{
    const walk *w = self;
    for (int64_t p = 0; p < run->count; p++)
        for (int64_t c = 0; c < w->channels; c++) {
            int64_t a = (run->x + p * run->step) * w->channels + c,
                    b = (run->y + p) * w->channels + c;
            double sum =
                tn__double_at(w->x, a) + tn__double_at(w->filter, run->tap * w->channels + c);
            if (w->tap[b] < 0 || sum > w->best[b]) {
                w->best[b] = sum;
                w->tap[b] = run->tap;
            }
        }
}

static void give(void *self, const tn__run *run)
{
    const walk *w = self;
    for (int64_t p = 0; p < run->count; p++)
        for (int64_t c = 0; c < w->channels; c++) {
            int64_t a = (run->x + p * run->step) * w->channels + c,
                    b = (run->y + p) * w->channels + c;
            if (w->tap[b] == run->tap)
                w->sum[w->to_filter ? run->tap * w->channels + c : a] += tn__double_at(w->dy, b);
        }
}

static void put_all(const double *from, tn_tensor *to)
{
    size_t size = tn__dtype_size((tn_dtype)to->dtype);
    for (int64_t i = 0; i < tn__count(to); i++)
        tn__element_from_double((tn_dtype)to->dtype, from[i], (char *)to->data + (size_t)i * size);
}

/* The walk with its tables filled; the caller frees them, whatever comes out. */
static tn_status find_largest(tn__kernel *kernel, tn__windows *windows, walk *w)
{
    const tn_tensor *x = kernel->input[0], *filter = kernel->input[1];
    TN_TRY(windows_of(kernel->op, kernel->attrs, &x->shape, &filter->shape, windows));
    *w = (walk){ .channels = windows->channels, .x = x, .filter = filter };
    size_t count = (size_t)(tn__pixels_out(windows) * windows->channels);
    w->best = tn__alloc_zeroed(count, sizeof *w->best);
    w->tap = tn__alloc((count ? count : 1) * sizeof *w->tap);
    if (!w->best || !w->tap)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++)
        w->tap[i] = -1;
    tn__each_run(windows, compare, w);
    return TN_OK;
}

static void free_tables(walk *w)
{
    tn__free(w->best);
    tn__free(w->tap);
    tn__free(w->sum);
}

static tn_status forward_compute(tn__kernel *kernel)
{
    tn__windows windows;
    walk w = { 0 };
    tn_status status = find_largest(kernel, &windows, &w);
    if (status == TN_OK)
        put_all(w.best, kernel->output[0]);
    free_tables(&w);
    return status;
}

static tn_status give_back(tn__kernel *kernel, bool to_filter)
{
    tn__windows windows;
    walk w = { 0 };
    tn_status status = find_largest(kernel, &windows, &w);
    if (status == TN_OK) {
        w.dy = kernel->input[2];
        w.to_filter = to_filter;
        w.sum = tn__alloc_zeroed((size_t)tn__count(kernel->output[0]), sizeof *w.sum);
        status = w.sum ? TN_OK : TN_RESOURCE_EXHAUSTED;
    }
    if (status == TN_OK) {
        tn__each_run(&windows, give, &w);
        put_all(w.sum, kernel->output[0]);
    }
    free_tables(&w);
    return status;
}

static tn_status to_input_compute(tn__kernel *kernel)
{
    return give_back(kernel, false);
}

static tn_status to_filter_compute(tn__kernel *kernel)
{
    return give_back(kernel, true);
}

/* dy goes to the element, and to the tap, whose sum was the largest: the first of equal ones */
static void forward_gradient(tn__gradient *g)
{
    if (g->wanted[0])
        g->din[0] =
            TN__APPLY(tn__op_Dilation2DBackpropInput, g->attrs, g->in[0], g->in[1], g->dout[0]);
    if (g->wanted[1])
        g->din[1] =
            TN__APPLY(tn__op_Dilation2DBackpropFilter, g->attrs, g->in[0], g->in[1], g->dout[0]);
}

#define DILATION(name_, inputs_, what, output, ...)                       \
    const tn__op tn__op_##name_ = { .name = #name_,                       \
                                    .inputs = inputs_,                    \
                                    .outputs = output ": T",              \
                                    .types = "T: number",                 \
                                    .attrs = dilation_fields,             \
                                    .attrs_size = sizeof(dilation_attrs), \
                                    .infer = what##_infer,                \
                                    .compute = what##_compute,            \
                                    .flags = TN__HALF,                    \
                                    __VA_ARGS__ };
DILATION(Dilation2D, "input: T, filter: T", forward, "output", .gradient = forward_gradient)
DILATION(Dilation2DBackpropInput, "input: T, filter: T, out_backprop: T", to_input, "in_backprop",
         .no_gradient = "not differentiable: as in TensorFlow")
DILATION(Dilation2DBackpropFilter, "input: T, filter: T, out_backprop: T", to_filter,
         "filter_backprop", .no_gradient = "not differentiable: as in TensorFlow")

/* --- tf.nn ------------------------------------------------------------------------------------ */
tn_tensor *tn_nn_dilation2d_with(const tn_nn_conv_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    const char *format = tn__data_format("tn_nn_dilation2d", 2, o->data_format);
    if (!format)
        return NULL;
    const char *wrong = !o->padding                   ? "missing a required argument: 'padding'"
                        : strcmp(format, "NHWC") != 0 ? "data_format must be NHWC"
                        : o->explicit_paddings[0] || o->explicit_paddings[1] ||
                                o->explicit_paddings[2] || o->explicit_paddings[3]
                            ? "there are no explicit paddings"
                            : NULL;
    if (wrong) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_nn_dilation2d: %s", wrong);
        return NULL;
    }
    dilation_attrs attrs = { .padding = o->padding };
    tn__spread(o->strides, 2, 1, format, attrs.strides);
    tn__spread(o->dilations, 2, 1, format, attrs.rates);
    return TN__APPLY(tn__op_Dilation2D, &attrs, o->input, o->filters);
}
