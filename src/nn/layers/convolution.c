/* conv2d.c - y = activation(x * kernel + bias), windows sliding over images */
#include "nn/layers/layers.h"
#include <string.h>

typedef struct {
  tn_conv2d_options o;
  tn_variable *kernel, *bias;
} conv2d;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_INT, conv2d, filters, NULL, "> 0"),
    TN__OPTION(TN_FIELD_INTS, conv2d, kernel_size, NULL, ">= 0"),
    TN__OPTION(TN_FIELD_INTS, conv2d, strides, "none", ">= 0"),
    TN__OPTION(TN_FIELD_STRING, conv2d, padding, "valid", "valid|same"),
    TN__OPTION(TN_FIELD_STRING, conv2d, data_format, "channels_last",
               "channels_last|channels_first"),
    TN__OPTION(TN_FIELD_INTS, conv2d, dilation_rate, "none", ">= 0"),
    TN__OPTION(TN_FIELD_INT, conv2d, groups, "1", "> 0"),
    TN__OPTION(TN_FIELD_ACTIVATION, conv2d, activation, "none", NULL),
    TN__OPTION(TN_FIELD_FLAG, conv2d, use_bias, "true", NULL),
    TN__OPTION(TN_FIELD_INITIALIZER, conv2d, kernel_initializer,
               "glorot_uniform", NULL),
    TN__OPTION(TN_FIELD_INITIALIZER, conv2d, bias_initializer, "zeros", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, conv2d, kernel_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, conv2d, bias_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, conv2d, activity_regularizer, "none",
               NULL),
    TN__OPTION(TN_FIELD_CONSTRAINT, conv2d, kernel_constraint, "none", NULL),
    TN__OPTION(TN_FIELD_CONSTRAINT, conv2d, bias_constraint, "none", NULL),
    TN__ROW(TN_FIELD_VARIABLE, conv2d, kernel, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, conv2d, bias, NULL, NULL),
    TN__END_OF_FIELDS,
};

static void init(void *me) {
  tn_conv2d_options *o = &((conv2d *)me)->o;
  tn__settle_windows(o->kernel_size, o->strides, o->dilation_rate);
  if ((o->strides[0] > 1 || o->strides[1] > 1) &&
      (o->dilation_rate[0] > 1 || o->dilation_rate[1] > 1))
    tn__fail(TN_INVALID_ARGUMENT,
             "`strides > 1` not supported in conjunction with `dilation_rate > "
             "1`. Received: strides=%s and dilation_rate=%s",
             tn__pair_text(o->strides), tn__pair_text(o->dilation_rate));
  if (o->filters % o->groups != 0)
    tn__fail(TN_INVALID_ARGUMENT,
             "The number of filters must be evenly divisible by the number of "
             "groups. Received: groups=%lld, filters=%lld.",
             (long long)o->groups, (long long)o->filters);
}

static bool check(const conv2d *self, const tn_tensor *x, int64_t channels) {
  const tn_conv2d_options *o = &self->o;
  if (channels % o->groups != 0) {
    tn__fail(TN_INVALID_ARGUMENT,
             "The number of input channels must be evenly divisible by the "
             "number of groups. Received groups=%lld, but the input has "
             "%lld channels (full input shape is %s).",
             (long long)o->groups, (long long)channels, TN__SHAPE(x->shape));
    return false;
  }
  const char *kernel = tn__scope_print(
      "`kernel shape=(%lld, %lld, %lld, %lld)`", (long long)o->kernel_size[0],
      (long long)o->kernel_size[1], (long long)channels, (long long)o->filters);
  return tn__check_windows(
      x, &(tn__sliding_window){o->kernel_size, o->strides, o->dilation_rate,
                               o->padding, o->data_format, kernel});
}

static void build(void *me, tn_list inputs) {
  conv2d *self = me;
  const tn_conv2d_options *o = &self->o;
  int64_t channels = tn__known_dim(inputs, tn__channels_axis(o->data_format));
  if (channels == 0 || !check(self, inputs.item[0], channels))
    return;
  self->kernel = tn__weight_new(TN_SHAPE(o->kernel_size[0], o->kernel_size[1],
                                         channels / o->groups, o->filters),
                                "kernel", o->kernel_initializer,
                                o->kernel_regularizer, o->kernel_constraint);
  if (o->use_bias)
    self->bias =
        tn__weight_new(TN_SHAPE(o->filters), "bias", o->bias_initializer,
                       o->bias_regularizer, o->bias_constraint);
}

static tn_tensor *call(void *me, tn_list inputs) {
  const conv2d *self = me;
  const tn_conv2d_options *o = &self->o;
  tn_tensor *x = tn__as_float(tn_at(inputs, 0));
  int64_t channels = self->kernel->shape.dims[2] * o->groups;
  if (!tn__check_axis(x, tn__channels_axis(o->data_format), channels) ||
      !check(self, x, channels))
    return NULL;
  tn_tensor *y =
      tn_nn_conv2d(x, self->kernel, .strides = {o->strides[0], o->strides[1]},
                   .padding = tn__op_padding(o->padding),
                   .data_format = tn__op_data_format(o->data_format),
                   .dilations = {o->dilation_rate[0], o->dilation_rate[1]});
  return tn__activate(o->activation,
                      tn__add_bias(y, self->bias, o->data_format));
}

static const tn_class_more more = {.aliases =
                                       "Convolution2D|AtrousConvolution2D",
                                   .least_rank = 4,
                                   .upgrade_config = tn__upgrade_image_config};
const tn_class tn__class_Conv2D = {
    .name = "Conv2D",
    .module = "keras.layers",
    .size = sizeof(conv2d),
    .options_size = sizeof(tn_conv2d_options),
    .fields = fields,
    .inputs = 1,
    .init = init,
    .build = build,
    .call = call,
    .more = &more,
};

tn_layer *tn_conv2d_new(const tn_conv2d_options *options) {
  return tn__layer_from_options(&tn__class_Conv2D, options);
}
