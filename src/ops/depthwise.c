/* depthwise.c - convolutions that keep the channels apart: each is seen by `multiplier` filters of
 * its own, and output channel c * multiplier + m is what filter m makes of channel c. */
#include "ops/conv.h"
#include <string.h>

static const tn_field depthwise_fields[] = {
    TN__ROW(TN_FIELD_INTS, tn__conv2d_attrs, strides, NULL, NULL),
    TN__ROW(TN_FIELD_STRING, tn__conv2d_attrs, padding, NULL, "SAME|VALID|EXPLICIT"),
    TN__ROW(TN_FIELD_INTS, tn__conv2d_attrs, explicit_paddings, "none", NULL),
    TN__ROW(TN_FIELD_STRING, tn__conv2d_attrs, data_format, "NHWC", "NHWC|NCHW"),
    TN__ROW(TN_FIELD_INTS, tn__conv2d_attrs, dilations, "1", NULL),
    TN__END_OF_FIELDS,
};

/* --- shapes ----------------------------------------------------------------------------------- */
typedef struct {
    tn__sliding sliding;
    tn__windows windows;
    int64_t channels, multiplier, out; /* TN_NONE: not known yet */
} depthwise;

static tn_status depthwise_of(const tn__op *op, const void *attrs, const tn_shape *x,
                              const tn_shape *filter, depthwise *d)
{
    d->sliding = tn__conv_sliding(op, attrs);
    TN_TRY(tn__conv_check(op, &d->sliding));
    TN_TRY(tn__conv_windows(op, &d->sliding, x, filter, "", &d->windows));
    int64_t in = d->windows.channels, depth = tn__dim_of(filter, 2);
    if (in >= 0 && depth >= 0 && in != depth)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "input and filter must have the same depth: %lld vs %lld\n%s: the input is "
                        "%s, the filter %s",
                        (long long)in, (long long)depth, op->name, TN__BRACKETS(*x),
                        TN__BRACKETS(*filter));
    d->channels = in >= 0 ? in : depth;
    d->multiplier = tn__dim_of(filter, 3);
    d->out = TN_NONE;
    if (d->channels > INT32_MAX || d->multiplier > INT32_MAX)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: the filter %s is too large", op->name,
                        TN__BRACKETS(*filter));
    if (d->channels >= 0 && d->multiplier >= 0)
        d->out = d->channels * d->multiplier;
    return TN_OK;
}

static tn_status forward_infer(tn__infer *infer)
{
    depthwise d;
    TN_TRY(depthwise_of(infer->op, infer->attrs, &infer->input[0]->shape, &infer->input[1]->shape,
                        &d));
    infer->output[0].shape = tn__windows_out(&d.sliding, &d.windows, d.out);
    return TN_OK;
}

static tn_status to_input_infer(tn__infer *infer)
{
    depthwise d;
    tn_shape *x = &infer->output[0].shape;
    TN_TRY(tn__sizes_of(infer->op, infer->input[0], 4, "input_sizes", x));
    TN_TRY(depthwise_of(infer->op, infer->attrs, x, &infer->input[1]->shape, &d));
    return tn__conv_cotangent(infer->op, &d.sliding, &d.windows, d.out, &infer->input[2]->shape);
}

static tn_status to_filter_infer(tn__infer *infer)
{
    depthwise d;
    tn_shape *filter = &infer->output[0].shape;
    TN_TRY(tn__sizes_of(infer->op, infer->input[1], 4, "filter_sizes", filter));
    TN_TRY(depthwise_of(infer->op, infer->attrs, &infer->input[0]->shape, filter, &d));
    return tn__conv_cotangent(infer->op, &d.sliding, &d.windows, d.out, &infer->input[2]->shape);
}

/* --- reference kernels ------------------------------------------------------------------------ */
/* One run, channels last: x is the image's pixels, w the filter's tap, y the output's pixels. All
 * three ops walk alike and differ in what they add to. c counts channels, i filters; one filter a
 * channel, the usual case, is a loop of its own, which the compiler makes vectors of. */
typedef struct {
    int64_t pixels, step, channels, multiplier;
} span;

#define LOOP(name, T, statement)                                                 \
    static void name(const span *s, T *restrict x, T *restrict w, T *restrict y) \
    {                                                                            \
        for (int64_t p = 0; p < s->pixels;                                       \
             p++, x += s->step * s->channels, y += s->channels * s->multiplier)  \
            if (s->multiplier == 1)                                              \
                for (int64_t c = 0, i = 0; c < s->channels; c++, i++)            \
                    statement;                                                   \
            else                                                                 \
                for (int64_t c = 0, i = 0; c < s->channels; c++)                 \
                    for (int64_t end = i + s->multiplier; i < end; i++)          \
                        statement;                                               \
    }
#define LOOPS(name, statement) \
    LOOP(name##_f32, float, statement) LOOP(name##_f64, double, statement)
LOOPS(forward, y[i] += x[c] * w[i])
LOOPS(to_input, x[c] += y[i] * w[i])
LOOPS(to_filter, w[i] += x[c] * y[i])

typedef struct {
    const depthwise *of;
    void (*loop_f32)(const span *s, float *restrict x, float *restrict w, float *restrict y);
    void (*loop_f64)(const span *s, double *restrict x, double *restrict w, double *restrict y);
    const tn_tensor *x, *filter, *y;
} walk;

static void visit(void *self, const tn__run *run)
{
    const walk *w = self;
    const depthwise *d = w->of;
    span s = { run->count, run->step, d->channels, d->multiplier };
    int64_t x = run->x * d->channels, filter = run->tap * d->out, y = run->y * d->out;
    if (w->x->dtype == TN_FLOAT32)
        w->loop_f32(&s, (float *)w->x->data + x, (float *)w->filter->data + filter,
                    (float *)w->y->data + y);
    else
        w->loop_f64(&s, (double *)w->x->data + x, (double *)w->filter->data + filter,
                    (double *)w->y->data + y);
}

static tn_status run(tn__kernel *kernel, walk w)
{
    depthwise d;
    TN_TRY(depthwise_of(kernel->op, kernel->attrs, &w.x->shape, &w.filter->shape, &d));
    w.of = &d;
    memset(kernel->output[0]->data, 0, tn__byte_count(kernel->output[0]));
    tn__each_run(&d.windows, visit, &w);
    return TN_OK;
}

static tn_status forward_last(tn__kernel *k)
{
    return run(k, (walk){ NULL, forward_f32, forward_f64, k->input[0], k->input[1], k->output[0] });
}

static tn_status to_input_last(tn__kernel *k)
{
    return run(k,
               (walk){ NULL, to_input_f32, to_input_f64, k->output[0], k->input[1], k->input[2] });
}

static tn_status to_filter_last(tn__kernel *k)
{
    return run(
        k, (walk){ NULL, to_filter_f32, to_filter_f64, k->input[0], k->output[0], k->input[2] });
}

static tn_status forward_compute(tn__kernel *kernel)
{
    const char *data_format = tn__conv_sliding(kernel->op, kernel->attrs).data_format;
    return tn__in_channels_last(kernel, data_format, 1, true, forward_last);
}

static tn_status to_input_compute(tn__kernel *kernel)
{
    const char *data_format = tn__conv_sliding(kernel->op, kernel->attrs).data_format;
    return tn__in_channels_last(kernel, data_format, 4, true, to_input_last);
}

static tn_status to_filter_compute(tn__kernel *kernel)
{
    const char *data_format = tn__conv_sliding(kernel->op, kernel->attrs).data_format;
    return tn__in_channels_last(kernel, data_format, 1 | 4, false, to_filter_last);
}

/* --- the ops ---------------------------------------------------------------------------------- */
static const tn__conv_family family = { 2, &tn__op_DepthwiseConv2dNative,
                                        &tn__op_DepthwiseConv2dNativeBackpropInput,
                                        &tn__op_DepthwiseConv2dNativeBackpropFilter };

#define DEPTHWISE(name_, ...)                                               \
    const tn__op tn__op_##name_ = { .name = #name_,                         \
                                    .outputs = "output: T",                 \
                                    .types = "T: floating",                 \
                                    .attrs = depthwise_fields,              \
                                    .attrs_size = sizeof(tn__conv2d_attrs), \
                                    .family = &family,                      \
                                    __VA_ARGS__ };
DEPTHWISE(DepthwiseConv2dNative, .inputs = "input: T, filter: T", .infer = forward_infer,
          .compute = forward_compute, .gradient = tn__conv_gradient)
DEPTHWISE(DepthwiseConv2dNativeBackpropInput,
          .inputs = "input_sizes: int32, filter: T, out_backprop: T", .infer = to_input_infer,
          .compute = to_input_compute, .gradient = tn__conv_input_gradient)
DEPTHWISE(DepthwiseConv2dNativeBackpropFilter,
          .inputs = "input: T, filter_sizes: int32, out_backprop: T", .infer = to_filter_infer,
          .compute = to_filter_compute, .gradient = tn__conv_filter_gradient)
