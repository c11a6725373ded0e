/* depthwise.c - convolutions that keep the channels apart: each is seen by `multiplier` filters of
 * its own, and output channel c * multiplier + m is what filter m makes of channel c. */
#include "ops/conv.h"
#include "ops/product.h"
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

/* --- kernels: float32 by the processor's, float64 plainly -------------------------------------- */
/* One run, channels last: x is the image's pixels, w the filter's tap, y the output's pixels. All
 * three ops walk alike and differ in what they add to. c counts channels, i filters. */
typedef struct {
    int64_t pixels, step, channels, multiplier;
} span;

#define LOOP(name, statement)                                                    \
    static void name(const span *s, double *x, double *w, double *y)             \
    {                                                                            \
        for (int64_t p = 0; p < s->pixels;                                       \
             p++, x += s->step * s->channels, y += s->channels * s->multiplier)  \
            for (int64_t c = 0, i = 0; c < s->channels; c++)                     \
                for (int64_t end = i + s->multiplier; i < end; i++)              \
                    statement;                                                   \
    }
LOOP(forward, y[i] += x[c] * w[i])
LOOP(to_input, x[c] += y[i] * w[i])
LOOP(to_filter, w[i] += x[c] * y[i])

typedef struct walk walk;
struct walk {
    void (*loop)(const span *s, double *x, double *w, double *y);
    tn_status (*fast)(tn_context *context, const tn__conv *c, const walk *w);
    const tn_tensor *x, *filter, *y;
    const depthwise *of;
};

static void visit(void *self, const tn__run *run)
{
    const walk *w = self;
    const depthwise *d = w->of;
    span s = { run->count, run->step, d->channels, d->multiplier };
    w->loop(&s, (double *)w->x->data + run->x * d->channels, (double *)w->filter->data + run->tap * d->out,
            (double *)w->y->data + run->y * d->out);
}

static tn_status run(tn__kernel *kernel, walk w)
{
    depthwise d;
    const tn_tensor *out = kernel->output[0];
    TN_TRY(depthwise_of(kernel->op, kernel->attrs, &w.x->shape, &w.filter->shape, &d));
    tn__conv plain = tn__windows_plain(&d.windows, d.channels, d.out);
    if (out->dtype == TN_FLOAT32 && tn__count(out) > 0 && d.out > 0)
        return w.fast(kernel->context, &plain, &w);
    w.of = &d;
    memset(out->data, 0, tn__byte_count(out));
    if (out->dtype == TN_FLOAT64)
        tn__each_run(&d.windows, visit, &w);
    return TN_OK;
}

static tn_status forward_fast(tn_context *context, const tn__conv *c, const walk *w)
{
    return tn__product_depthwise(context, c, false, w->x->data, w->filter->data, w->y->data);
}

static tn_status to_input_fast(tn_context *context, const tn__conv *c, const walk *w)
{
    return tn__product_depthwise(context, c, true, w->y->data, w->filter->data, w->x->data);
}

static tn_status to_filter_fast(tn_context *context, const tn__conv *c, const walk *w)
{
    return tn__product_depthwise_to_filter(context, c, w->x->data, w->y->data, w->filter->data);
}

static tn_status forward_last(tn__kernel *k)
{
    return run(k, (walk){ forward, forward_fast, k->input[0], k->input[1], k->output[0], NULL });
}

static tn_status to_input_last(tn__kernel *k)
{
    return run(k, (walk){ to_input, to_input_fast, k->output[0], k->input[1], k->input[2], NULL });
}

static tn_status to_filter_last(tn__kernel *k)
{
    return run(k, (walk){ to_filter, to_filter_fast, k->input[0], k->output[0], k->input[2], NULL });
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
