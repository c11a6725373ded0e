/* bias.c - one number for each channel, added to all of its elements. */
#include "ops/bias.h"
#include "ops/window.h"
#include "ops/chain.h"
#include "ops/product.h"
#include <string.h>

typedef struct {
    const char *data_format;
} bias_attrs;
static const tn_field bias_fields[] = {
    TN__ROW(TN_FIELD_STRING, bias_attrs, data_format, "NHWC", "NHWC|NCHW"),
    TN__END_OF_FIELDS,
};

/* --- shapes ----------------------------------------------------------------------------------- */
/* Channels are the second dimension or the last, whatever the rank is. */
static int channel_axis(const void *attrs, const tn_shape *value)
{
    return ((const bias_attrs *)attrs)->data_format[1] == 'C' ? 1 : value->rank - 1;
}

bool tn__bias_is_last(const void *attrs)
{
    return ((const bias_attrs *)attrs)->data_format[1] != 'C';
}

static tn_status check(const tn__infer *infer)
{
    const char *format = ((const bias_attrs *)infer->attrs)->data_format;
    const tn_shape *value = &infer->input[0]->shape;
    if (!format || (strcmp(format, "NHWC") && strcmp(format, "NCHW")))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Value for attr 'data_format' of \"%s\" is not in the list of allowed "
                        "values\n%s: data_format is NHWC or NCHW",
                        format ? format : "", infer->op->name);
    if (value->known && value->rank < 2)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Input tensor must be at least 2D: %s\n%s: a batch and channels",
                        TN__BRACKETS(*value), infer->op->name);
    return TN_OK;
}

static tn_status add_infer(tn__infer *infer)
{
    const tn_shape *value = &infer->input[0]->shape, *bias = &infer->input[1]->shape;
    tn_shape *out = &infer->output[0].shape;
    TN_TRY(check(infer));
    if (bias->known && bias->rank != 1)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Biases must be 1D: %s\nBiasAdd: one number for each channel",
                        TN__BRACKETS(*bias));
    *out = *value;
    if (!value->known || !bias->known)
        return TN_OK;
    int64_t *channels = &out->dims[channel_axis(infer->attrs, value)];
    if (*channels >= 0 && bias->dims[0] >= 0 && *channels != bias->dims[0])
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "Must provide as many biases as the %s dimension of the input tensor: %s vs. %s\n"
            "BiasAdd: expected %lld, got %lld",
            channel_axis(infer->attrs, value) == 1 && value->rank > 2 ? "channel" : "last",
            TN__BRACKETS(*bias), TN__BRACKETS(*value), (long long)*channels,
            (long long)bias->dims[0]);
    if (*channels < 0)
        *channels = bias->dims[0];
    return TN_OK;
}

static tn_status sum_infer(tn__infer *infer)
{
    const tn_shape *value = &infer->input[0]->shape;
    TN_TRY(check(infer));
    infer->output[0].shape =
        tn__shape_vector(value->known ? value->dims[channel_axis(infer->attrs, value)] : TN_NONE);
    return TN_OK;
}

/* --- reference kernels ------------------------------------------------------------------------ */
/* The elements as (outer, channels, inner); inner is 1 where channels come last. */
typedef struct {
    int64_t outer, channels, inner;
} layout;

static layout layout_of(const void *attrs, const tn_shape *value)
{
    int axis = channel_axis(attrs, value);
    return (layout){ tn__count_of(value, 0, axis), value->dims[axis],
                     tn__count_of(value, axis + 1, value->rank) };
}

#define LOOPS(T, SUM, suffix)                                                           \
    static void add_##suffix(const layout *l, const T *x, const T *bias, T *restrict y) \
    {                                                                                   \
        for (int64_t i = 0; i < l->outer; i++)                                          \
            if (l->inner == 1)                                                          \
                for (int64_t c = 0; c < l->channels; c++)                               \
                    *y++ = (T)(*x++ + bias[c]);                                         \
            else                                                                        \
                for (int64_t c = 0; c < l->channels; c++)                               \
                    for (int64_t k = 0; k < l->inner; k++)                              \
                        *y++ = (T)(*x++ + bias[c]);                                     \
    }                                                                                   \
    static void sum_##suffix(const layout *l, const T *x, SUM *restrict sum, T *y)      \
    {                                                                                   \
        for (int64_t i = 0; i < l->outer; i++)                                          \
            for (int64_t c = 0; c < l->channels; c++)                                   \
                for (int64_t k = 0; k < l->inner; k++)                                  \
                    sum[c] += (SUM)*x++;                                                \
        for (int64_t c = 0; c < l->channels; c++)                                       \
            y[c] = (T)sum[c];                                                           \
    }
LOOPS(double, double, f64)
LOOPS(uint8_t, uint64_t, u8)
LOOPS(uint32_t, uint64_t, u32) /* signed sums wrap as unsigned ones do */
LOOPS(uint64_t, uint64_t, u64)

static tn_status add_in_chain(tn__kernel *kernel, const layout *l)
{
    tn__chain chain = { .inputs = 2, .steps = 1, .places = 1 };
    chain.in[0] = (tn__chain_input){ kernel->input[0]->data, 1, 0 };
    chain.in[1] = (tn__chain_input){ kernel->input[1]->data, l->inner, l->channels };
    chain.step[0] = (tn__chain_step){ TN__DO_ADD, 0, 1, 0, kernel->output[0]->data };
    return tn__chain_run(kernel->context, &chain, tn__count(kernel->output[0]));
}

static tn_status add_compute(tn__kernel *kernel)
{
    const void *x = kernel->input[0]->data, *bias = kernel->input[1]->data;
    void *y = kernel->output[0]->data;
    layout l = layout_of(kernel->attrs, &kernel->input[0]->shape);
    switch (kernel->input[0]->dtype) {
    case TN_FLOAT32:
        return add_in_chain(kernel, &l);
    case TN_FLOAT64:
        add_f64(&l, x, bias, y);
        break;
    case TN_UINT8:
        add_u8(&l, x, bias, y);
        break;
    case TN_INT32:
        add_u32(&l, x, bias, y);
        break;
    default:
        add_u64(&l, x, bias, y);
    }
    return TN_OK;
}

/* Channels that come last are columns; others are stretches of numbers. */
static void sum_floats(const layout *l, const float *x, double *sum, float *y)
{
    if (l->inner == 1)
        tn__product_sum_columns(x, l->channels, l->outer, l->channels, sum);
    for (int64_t i = 0; i < l->outer * l->channels && l->inner > 1; i++)
        sum[i % l->channels] += tn__product_sum(x + i * l->inner, l->inner);
    for (int64_t c = 0; c < l->channels; c++)
        y[c] = (float)sum[c];
}

static tn_status sum_compute(tn__kernel *kernel)
{
    const void *x = kernel->input[0]->data;
    void *y = kernel->output[0]->data;
    layout l = layout_of(kernel->attrs, &kernel->input[0]->shape);
    void *sum = tn__alloc_zeroed((size_t)l.channels, sizeof(uint64_t)); /* or as many doubles */
    if (!sum)
        return TN_RESOURCE_EXHAUSTED;
    switch (kernel->input[0]->dtype) {
    case TN_FLOAT32:
        sum_floats(&l, x, sum, y);
        break;
    case TN_FLOAT64:
        sum_f64(&l, x, sum, y);
        break;
    case TN_UINT8:
        sum_u8(&l, x, sum, y);
        break;
    case TN_INT32:
        sum_u32(&l, x, sum, y);
        break;
    default:
        sum_u64(&l, x, sum, y);
    }
    tn__free(sum);
    return TN_OK;
}

/* --- gradients, the ops ----------------------------------------------------------------------- */
/* y = x + b:  dx = dy, db = dy summed over everything but the channels */
static void add_gradient(tn__gradient *g)
{
    g->din[0] = g->dout[0];
    if (g->wanted[1])
        g->din[1] = TN__APPLY(tn__op_BiasAddGrad, g->attrs, g->dout[0]);
}

/* Repeated over everything but the channels. */
static void sum_gradient(tn__gradient *g)
{
    const tn_shape *x = &g->in[0]->shape;
    tn_tensor *dy = g->dout[0];
    bool first = ((const bias_attrs *)g->attrs)->data_format[1] == 'C';
    if (first && !x->known) {
        tn__fail(TN_UNIMPLEMENTED, "BiasAddGrad: the gradient needs a known rank for NCHW");
        return;
    }
    if (first && x->rank > 2) {
        int64_t dims[TN_MAX_RANK] = { TN_NONE, 1, 1, 1, 1, 1, 1, 1 };
        dy = TN__APPLY(tn__op_Reshape, NULL, dy, tn__ints(dims, (size_t)x->rank - 1));
    }
    g->din[0] = TN__APPLY(tn__op_BroadcastTo, NULL, dy, tn__shape_tensor(g->in[0]));
}

const tn__op tn__op_BiasAdd = {
    .name = "BiasAdd",
    .inputs = "value: T, bias: T",
    .outputs = "output: T",
    .types = "T: number",
    .attrs = bias_fields,
    .attrs_size = sizeof(bias_attrs),
    .infer = add_infer,
    .compute = add_compute,
    .gradient = add_gradient,
    .function = TN__DO_ADD,
};

const tn__op tn__op_BiasAddGrad = {
    .name = "BiasAddGrad",
    .inputs = "out_backprop: T",
    .outputs = "output: T",
    .types = "T: number",
    .attrs = bias_fields,
    .attrs_size = sizeof(bias_attrs),
    .infer = sum_infer,
    .compute = sum_compute,
    .gradient = sum_gradient,
};

/* "NCHW" and "NC…" are one to tf.nn.bias_add, and so are "NHWC" and "N…C". */
tn_tensor *tn_nn_bias_add_with(const tn_nn_bias_add_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    const char *format = options->data_format ? options->data_format : "NHWC";
    bool first = strncmp(format, "NC", 2) == 0;
    size_t length = strlen(format);
    if (!first && (format[0] != 'N' || format[length - 1] != 'C')) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "`data_format` must be of the form `N...C` or `NC...`. Received: data_format=%s",
                 format);
        return NULL;
    }
    return TN__APPLY(tn__op_BiasAdd, &(bias_attrs){ first ? "NCHW" : "NHWC" }, options->value,
                     options->bias);
}
