/* depthwise_conv.c - every channel with filters of its own, and channels then mixed place by place
 */
#include "nn/config.h"
#include "nn/layers/layers.h"
#include <string.h>

/* What both kinds of layers say of their windows. */
typedef struct {
    const int64_t *kernel_size, *strides, *dilation_rate;
    const char *padding, *data_format;
} windows;
#define WINDOWS_OF(o)                                                                      \
    {                                                                                      \
        (o)->kernel_size, (o)->strides, (o)->dilation_rate, (o)->padding, (o)->data_format \
    }

static bool check(const windows *w, const tn_tensor *x, int64_t channels, int64_t out)
{
    int axes = tn__window_axes();
    return tn__check_windows(
        x, &(tn__sliding_window){ axes, w->kernel_size, w->strides, w->dilation_rate, w->padding,
                                  w->data_format,
                                  tn__kernel_text(w->kernel_size, axes, channels, out) });
}

/* x with every channel by itself; out: what the layer makes of the channels in the end. A series
 * is an image of one row, for which TensorFlow wants the same stride. */
static tn_tensor *convolve(const windows *w, tn_tensor *x, tn_variable *kernel, int64_t out)
{
    int axes = tn__window_axes(), row = tn__first_axis(w->data_format);
    int64_t channels = kernel->shape.dims[axes];
    if (!tn__check_axis(x, tn__channels_axis(w->data_format), channels) ||
        !check(w, x, channels, out))
        return NULL;
    const int64_t *dilation = w->dilation_rate;
    tn_nn_conv_options conv = { .size_ = sizeof conv,
                                .input = axes == 1 ? tn_expand_dims(x, row) : x,
                                .filters = axes == 1 ? tn_expand_dims(kernel, 0) : kernel,
                                .strides = { w->strides[0], w->strides[axes - 1] },
                                .dilations = { axes == 1 ? 1 : dilation[0], dilation[axes - 1] },
                                .padding = tn__op_padding(w->padding),
                                .data_format = tn__op_data_format(w->data_format, 2) };
    tn_tensor *y = tn_nn_depthwise_conv2d_with(&conv);
    return axes == 1 ? tn_squeeze(y, TN_AXES(row)) : y;
}

/* --- DepthwiseConv ---------------------------------------------------------------------------- */
typedef struct {
    tn_depthwise_conv_options o;
    tn_variable *kernel, *bias;
} depthwise;

#define DEPTHWISE_FIELDS(axes)                                                                   \
    {                                                                                            \
        TN__AXES_ROW(depthwise, kernel_size, axes, NULL, ">= 0"),                                \
            TN__AXES_ROW(depthwise, strides, axes, "none", ">= 0"),                              \
            TN__OPTION(TN_FIELD_STRING, depthwise, padding, "valid", "valid|same"),              \
            TN__OPTION(TN_FIELD_INT, depthwise, depth_multiplier, "1", "> 0"),                   \
            TN__DATA_FORMAT_ROW(depthwise),                                                      \
            TN__AXES_ROW(depthwise, dilation_rate, axes, "none", ">= 0"),                        \
            TN__BIAS_ROWS(depthwise),                                                            \
            TN__OPTION(TN_FIELD_INITIALIZER, depthwise, depthwise_initializer, "glorot_uniform", \
                       NULL),                                                                    \
            TN__OPTION(TN_FIELD_INITIALIZER, depthwise, bias_initializer, "zeros", NULL),        \
            TN__OPTION(TN_FIELD_REGULARIZER, depthwise, depthwise_regularizer, "none", NULL),    \
            TN__OPTION(TN_FIELD_REGULARIZER, depthwise, bias_regularizer, "none", NULL),         \
            TN__OPTION(TN_FIELD_REGULARIZER, depthwise, activity_regularizer, "none", NULL),     \
            TN__OPTION(TN_FIELD_CONSTRAINT, depthwise, depthwise_constraint, "none", NULL),      \
            TN__OPTION(TN_FIELD_CONSTRAINT, depthwise, bias_constraint, "none", NULL),           \
            TN__ROW(TN_FIELD_VARIABLE, depthwise, kernel, NULL, NULL),                           \
            TN__ROW(TN_FIELD_VARIABLE, depthwise, bias, NULL, NULL), TN__END_OF_FIELDS,          \
    }
static const tn_field depthwise_fields1d[] = DEPTHWISE_FIELDS(1),
                      depthwise_fields2d[] = DEPTHWISE_FIELDS(2);

static void init_depthwise(void *me)
{
    tn_depthwise_conv_options *o = &((depthwise *)me)->o;
    tn__settle_windows(tn__window_axes(), o->kernel_size, o->strides, o->dilation_rate);
}

static void build_depthwise(void *me, tn_list inputs)
{
    depthwise *self = me;
    const tn_depthwise_conv_options *o = &self->o;
    int64_t channels = tn__known_dim(inputs, tn__channels_axis(o->data_format));
    int64_t out;
    if (channels == 0 ||
        !tn__multiply_sizes(channels, o->depth_multiplier, "depth_multiplier", &out) ||
        !check(&(windows)WINDOWS_OF(o), inputs.item[0], channels, out))
        return;
    self->kernel = tn__weight_new(
        tn__kernel_shape(o->kernel_size, tn__window_axes(), channels, o->depth_multiplier),
        "kernel", o->depthwise_initializer, o->depthwise_regularizer, o->depthwise_constraint);
    if (o->use_bias)
        self->bias = tn__weight_new(TN_SHAPE(out), "bias", o->bias_initializer, o->bias_regularizer,
                                    o->bias_constraint);
}

static tn_tensor *call_depthwise(void *me, tn_list inputs)
{
    const depthwise *self = me;
    const tn_depthwise_conv_options *o = &self->o;
    int64_t out = self->kernel->shape.dims[tn__window_axes()] * o->depth_multiplier;
    tn_tensor *y =
        convolve(&(windows)WINDOWS_OF(o), tn__as_float(tn_at(inputs, 0)), self->kernel, out);
    return tn__activate(o->activation, tn__add_bias(y, self->bias, o->data_format));
}

/* --- SeparableConv ---------------------------------------------------------------------------- */
typedef struct {
    tn_separable_conv_options o;
    tn_variable *depthwise_kernel, *pointwise_kernel, *bias;
} separable;

#define SEPARABLE_FIELDS(axes)                                                                   \
    {                                                                                            \
        TN__OPTION(TN_FIELD_INT, separable, filters, NULL, "> 0"),                               \
            TN__AXES_ROW(separable, kernel_size, axes, NULL, ">= 0"),                            \
            TN__AXES_ROW(separable, strides, axes, "none", ">= 0"),                              \
            TN__OPTION(TN_FIELD_STRING, separable, padding, "valid", "valid|same"),              \
            TN__DATA_FORMAT_ROW(separable),                                                      \
            TN__AXES_ROW(separable, dilation_rate, axes, "none", ">= 0"),                        \
            TN__OPTION(TN_FIELD_INT, separable, depth_multiplier, "1", "> 0"),                   \
            TN__BIAS_ROWS(separable),                                                            \
            TN__OPTION(TN_FIELD_INITIALIZER, separable, depthwise_initializer, "glorot_uniform", \
                       NULL),                                                                    \
            TN__OPTION(TN_FIELD_INITIALIZER, separable, pointwise_initializer, "glorot_uniform", \
                       NULL),                                                                    \
            TN__OPTION(TN_FIELD_INITIALIZER, separable, bias_initializer, "zeros", NULL),        \
            TN__OPTION(TN_FIELD_REGULARIZER, separable, depthwise_regularizer, "none", NULL),    \
            TN__OPTION(TN_FIELD_REGULARIZER, separable, pointwise_regularizer, "none", NULL),    \
            TN__OPTION(TN_FIELD_REGULARIZER, separable, bias_regularizer, "none", NULL),         \
            TN__OPTION(TN_FIELD_REGULARIZER, separable, activity_regularizer, "none", NULL),     \
            TN__OPTION(TN_FIELD_CONSTRAINT, separable, depthwise_constraint, "none", NULL),      \
            TN__OPTION(TN_FIELD_CONSTRAINT, separable, pointwise_constraint, "none", NULL),      \
            TN__OPTION(TN_FIELD_CONSTRAINT, separable, bias_constraint, "none", NULL),           \
            TN__ROW(TN_FIELD_VARIABLE, separable, depthwise_kernel, NULL, NULL),                 \
            TN__ROW(TN_FIELD_VARIABLE, separable, pointwise_kernel, NULL, NULL),                 \
            TN__ROW(TN_FIELD_VARIABLE, separable, bias, NULL, NULL), TN__END_OF_FIELDS,          \
    }
static const tn_field separable_fields1d[] = SEPARABLE_FIELDS(1),
                      separable_fields2d[] = SEPARABLE_FIELDS(2);

static void init_separable(void *me)
{
    tn_separable_conv_options *o = &((separable *)me)->o;
    tn__settle_windows(tn__window_axes(), o->kernel_size, o->strides, o->dilation_rate);
}

static void build_separable(void *me, tn_list inputs)
{
    static const int64_t ones[2] = { 1, 1 };
    separable *self = me;
    const tn_separable_conv_options *o = &self->o;
    int axes = tn__window_axes();
    int64_t channels = tn__known_dim(inputs, tn__channels_axis(o->data_format));
    int64_t middle;
    if (channels == 0 ||
        !tn__multiply_sizes(channels, o->depth_multiplier, "depth_multiplier", &middle) ||
        !check(&(windows)WINDOWS_OF(o), inputs.item[0], channels, o->filters))
        return;
    self->depthwise_kernel = tn__weight_new(
        tn__kernel_shape(o->kernel_size, axes, channels, o->depth_multiplier), "depthwise_kernel",
        o->depthwise_initializer, o->depthwise_regularizer, o->depthwise_constraint);
    self->pointwise_kernel =
        tn__weight_new(tn__kernel_shape(ones, axes, middle, o->filters), "pointwise_kernel",
                       o->pointwise_initializer, o->pointwise_regularizer, o->pointwise_constraint);
    if (o->use_bias)
        self->bias = tn__weight_new(TN_SHAPE(o->filters), "bias", o->bias_initializer,
                                    o->bias_regularizer, o->bias_constraint);
}

static tn_tensor *call_separable(void *me, tn_list inputs)
{
    const separable *self = me;
    const tn_separable_conv_options *o = &self->o;
    int axes = tn__window_axes();
    tn_tensor *y = convolve(&(windows)WINDOWS_OF(o), tn__as_float(tn_at(inputs, 0)),
                            self->depthwise_kernel, o->filters);
    tn_nn_conv_options mix = { .size_ = sizeof mix,
                               .input = y,
                               .filters = self->pointwise_kernel,
                               .padding = "VALID",
                               .data_format = tn__op_data_format(o->data_format, axes) };
    y = axes == 1 ? tn_nn_conv1d_with(&mix) : tn_nn_conv2d_with(&mix);
    return tn__activate(o->activation, tn__add_bias(y, self->bias, o->data_format));
}

/* --- configs and classes ---------------------------------------------------------------------- */
/* Keras 2 has `groups` and, from its Conv2D, arguments of a kernel that the layers have not. */
static tn_status upgrade(void *config)
{
    static const tn__renamed old[] = {
        { "depthwise_init", "depthwise_initializer" },
        { "pointwise_init", "pointwise_initializer" },
        { "groups", NULL },
        { "kernel_initializer", NULL },
        { "kernel_regularizer", NULL },
        { "kernel_constraint", NULL },
        { NULL, NULL },
    };
    TN_TRY(tn__upgrade_image_config(config));
    tn__rename_keys(config, old);
    return TN_OK;
}

static tn_status upgrade_depthwise(void *config)
{
    TN_TRY(upgrade(config));
    json_object_del(config, "filters");
    return TN_OK;
}
#define upgrade_separable upgrade

#define DEPTHWISE(class_, function, type, axes, aliases_)                                         \
    static const tn_class_more more_##class_ = { .aliases = aliases_,                             \
                                                 .least_rank = axes + 2,                          \
                                                 .upgrade_config = upgrade_##type };              \
    TN__LAYER_CLASS(class_, function, type, tn_##type##_conv_options, .inputs = 1,                \
                    .fields = type##_fields##axes##d, .init = init_##type, .build = build_##type, \
                    .call = call_##type, .more = &more_##class_)

DEPTHWISE(DepthwiseConv1D, tn_depthwise_conv1d_new, depthwise, 1, NULL)
DEPTHWISE(DepthwiseConv2D, tn_depthwise_conv2d_new, depthwise, 2, NULL)
DEPTHWISE(SeparableConv1D, tn_separable_conv1d_new, separable, 1, "SeparableConvolution1D")
DEPTHWISE(SeparableConv2D, tn_separable_conv2d_new, separable, 2, "SeparableConvolution2D")
