/* convolution.c - y = activation(x * kernel + bias), windows sliding over series, images, volumes
 */
#include "nn/layers/layers.h"
#include <string.h>

typedef struct {
    tn_conv_options o;
    tn_variable *kernel, *bias;
} convolution;

#define FIELDS(axes, paddings)                                                            \
    {                                                                                     \
        TN__OPTION(TN_FIELD_INT, convolution, filters, NULL, "> 0"),                      \
            TN__AXES_ROW(convolution, kernel_size, axes, NULL, ">= 0"),                   \
            TN__AXES_ROW(convolution, strides, axes, "none", ">= 0"),                     \
            TN__OPTION(TN_FIELD_STRING, convolution, padding, "valid", paddings),         \
            TN__DATA_FORMAT_ROW(convolution),                                             \
            TN__AXES_ROW(convolution, dilation_rate, axes, "none", ">= 0"),               \
            TN__OPTION(TN_FIELD_INT, convolution, groups, "1", "> 0"),                    \
            TN__KERNEL_ROWS(convolution),                                                 \
            TN__ROW(TN_FIELD_VARIABLE, convolution, kernel, NULL, NULL),                  \
            TN__ROW(TN_FIELD_VARIABLE, convolution, bias, NULL, NULL), TN__END_OF_FIELDS, \
    }
static const tn_field fields1d[] = FIELDS(1, "valid|same|causal"),
                      fields2d[] = FIELDS(2, "valid|same"), fields3d[] = FIELDS(3, "valid|same");

static void init(void *me)
{
    tn_conv_options *o = &((convolution *)me)->o;
    int axes = tn__window_axes();
    tn__settle_windows(axes, o->kernel_size, o->strides, o->dilation_rate);
    tn__check_strides(axes, o->strides, o->dilation_rate);
    if (o->filters % o->groups != 0)
        tn__fail(TN_INVALID_ARGUMENT,
                 "The number of filters must be evenly divisible by the number of groups. "
                 "Received: groups=%lld, filters=%lld.",
                 (long long)o->groups, (long long)o->filters);
}

static bool check(const tn_conv_options *o, int axes, const tn_tensor *x, int64_t channels)
{
    if (channels % o->groups != 0) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "The number of input channels must be evenly divisible by the number of groups. "
                 "Received groups=%lld, but the input has %lld channels (full input shape is %s).",
                 (long long)o->groups, (long long)channels, TN__SHAPE(x->shape));
        return false;
    }
    return tn__check_windows(
        x, &(tn__sliding_window){ axes, o->kernel_size, o->strides, o->dilation_rate, o->padding,
                                  o->data_format,
                                  tn__kernel_text(o->kernel_size, axes, channels, o->filters) });
}

static void build(void *me, tn_list inputs)
{
    convolution *self = me;
    const tn_conv_options *o = &self->o;
    int axes = tn__window_axes();
    int64_t channels = tn__known_dim(inputs, tn__channels_axis(o->data_format));
    if (channels == 0 || !check(o, axes, inputs.item[0], channels))
        return;
    self->kernel = tn__weight_new(
        tn__kernel_shape(o->kernel_size, axes, channels / o->groups, o->filters), "kernel",
        o->kernel_initializer, o->kernel_regularizer, o->kernel_constraint);
    if (o->use_bias)
        self->bias = tn__weight_new(TN_SHAPE(o->filters), "bias", o->bias_initializer,
                                    o->bias_regularizer, o->bias_constraint);
}

/* Zeros before the first step, so that no output sees a later one. */
static tn_tensor *pad_causally(const tn_conv_options *o, tn_tensor *x)
{
    tn_pad_options pad = { .size_ = sizeof pad, .tensor = x, .mode = "CONSTANT" };
    pad.paddings[tn__first_axis(o->data_format)][0] = o->dilation_rate[0] * (o->kernel_size[0] - 1);
    return tn_pad_with(&pad);
}

static tn_tensor *call(void *me, tn_list inputs)
{
    const convolution *self = me;
    int axes = tn__window_axes();
    static tn_tensor *(*const convolve[])(
        const tn_nn_conv_options *) = { tn_nn_conv1d_with, tn_nn_conv2d_with, tn_nn_conv3d_with };
    const tn_conv_options *o = &self->o;
    tn_tensor *x = tn__as_float(tn_at(inputs, 0));
    int64_t channels = self->kernel->shape.dims[axes] * o->groups;
    if (!tn__check_axis(x, tn__channels_axis(o->data_format), channels) ||
        !check(o, axes, x, channels))
        return NULL;
    bool causal = strcmp(o->padding, "causal") == 0;
    tn_nn_conv_options conv = { .size_ = sizeof conv,
                                .input = causal ? pad_causally(o, x) : x,
                                .filters = self->kernel,
                                .padding = tn__op_padding(o->padding),
                                .data_format = tn__op_data_format(o->data_format, axes) };
    memcpy(conv.strides, o->strides, sizeof conv.strides);
    memcpy(conv.dilations, o->dilation_rate, sizeof conv.dilations);
    return tn__activate(o->activation,
                        tn__add_bias(convolve[axes - 1](&conv), self->bias, o->data_format));
}

#define CONVOLUTION(class_, function, axes, aliases_)                                          \
    static const tn_class_more more##axes##d = { .aliases = aliases_,                          \
                                                 .least_rank = axes + 2,                       \
                                                 .upgrade_config = tn__upgrade_image_config }; \
    TN__LAYER_CLASS(class_, function, convolution, tn_conv_options, .inputs = 1,               \
                    .fields = fields##axes##d, .init = init, .build = build, .call = call,     \
                    .more = &more##axes##d)

CONVOLUTION(Conv1D, tn_conv1d_new, 1, "Convolution1D|AtrousConvolution1D")
CONVOLUTION(Conv2D, tn_conv2d_new, 2, "Convolution2D|AtrousConvolution2D")
CONVOLUTION(Conv3D, tn_conv3d_new, 3, "Convolution3D")
