/* depthwise_conv2d.c - every channel of an image with filters of its own */
#include "nn/config.h"
#include "nn/layers/layers.h"

typedef struct {
  tn_depthwise_conv2d_options o;
  tn_variable *kernel, *bias;
} depthwise;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_INTS, depthwise, kernel_size, NULL, ">= 0"),
    TN__OPTION(TN_FIELD_INTS, depthwise, strides, "none", ">= 0"),
    TN__OPTION(TN_FIELD_STRING, depthwise, padding, "valid", "valid|same"),
    TN__OPTION(TN_FIELD_INT, depthwise, depth_multiplier, "1", "> 0"),
    TN__OPTION(TN_FIELD_STRING, depthwise, data_format, "channels_last",
               "channels_last|channels_first"),
    TN__OPTION(TN_FIELD_INTS, depthwise, dilation_rate, "none", ">= 0"),
    TN__OPTION(TN_FIELD_ACTIVATION, depthwise, activation, "none", NULL),
    TN__OPTION(TN_FIELD_FLAG, depthwise, use_bias, "true", NULL),
    TN__OPTION(TN_FIELD_INITIALIZER, depthwise, depthwise_initializer,
               "glorot_uniform", NULL),
    TN__OPTION(TN_FIELD_INITIALIZER, depthwise, bias_initializer, "zeros",
               NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, depthwise, depthwise_regularizer, "none",
               NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, depthwise, bias_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, depthwise, activity_regularizer, "none",
               NULL),
    TN__OPTION(TN_FIELD_CONSTRAINT, depthwise, depthwise_constraint, "none",
               NULL),
    TN__OPTION(TN_FIELD_CONSTRAINT, depthwise, bias_constraint, "none", NULL),
    TN__ROW(TN_FIELD_VARIABLE, depthwise, kernel, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, depthwise, bias, NULL, NULL),
    TN__END_OF_FIELDS,
};

static void init(void *me) {
  tn_depthwise_conv2d_options *o = &((depthwise *)me)->o;
  tn__settle_windows(o->kernel_size, o->strides, o->dilation_rate);
}

static bool check(const depthwise *self, const tn_tensor *x, int64_t channels) {
  const tn_depthwise_conv2d_options *o = &self->o;
  const char *kernel = tn__scope_print(
      "`kernel shape=(%lld, %lld, %lld, %lld)`", (long long)o->kernel_size[0],
      (long long)o->kernel_size[1], (long long)channels,
      (long long)(channels * o->depth_multiplier));
  return tn__check_windows(
      x, &(tn__sliding_window){o->kernel_size, o->strides, o->dilation_rate,
                               o->padding, o->data_format, kernel});
}

static void build(void *me, tn_list inputs) {
  depthwise *self = me;
  const tn_depthwise_conv2d_options *o = &self->o;
  int64_t channels = tn__known_dim(inputs, tn__channels_axis(o->data_format));
  if (channels == 0 || !check(self, inputs.item[0], channels))
    return;
  self->kernel =
      tn__weight_new(TN_SHAPE(o->kernel_size[0], o->kernel_size[1], channels,
                              o->depth_multiplier),
                     "kernel", o->depthwise_initializer,
                     o->depthwise_regularizer, o->depthwise_constraint);
  if (o->use_bias)
    self->bias = tn__weight_new(TN_SHAPE(channels * o->depth_multiplier),
                                "bias", o->bias_initializer,
                                o->bias_regularizer, o->bias_constraint);
}

static tn_tensor *call(void *me, tn_list inputs) {
  const depthwise *self = me;
  const tn_depthwise_conv2d_options *o = &self->o;
  tn_tensor *x = tn__as_float(tn_at(inputs, 0));
  int64_t channels = self->kernel->shape.dims[2];
  if (!tn__check_axis(x, tn__channels_axis(o->data_format), channels) ||
      !check(self, x, channels))
    return NULL;
  tn_tensor *y = tn_nn_depthwise_conv2d(
      x, self->kernel, .strides = {o->strides[0], o->strides[1]},
      .padding = tn__op_padding(o->padding),
      .data_format = tn__op_data_format(o->data_format),
      .dilations = {o->dilation_rate[0], o->dilation_rate[1]});
  return tn__activate(o->activation,
                      tn__add_bias(y, self->bias, o->data_format));
}

/* Keras 2 has `groups` and, from its Conv2D, arguments of a kernel that the
 * layer has not. */
static tn_status upgrade(void *config) {
  static const tn__renamed old[] = {
      {"groups", NULL},
      {"filters", NULL},
      {"kernel_initializer", NULL},
      {"kernel_regularizer", NULL},
      {"kernel_constraint", NULL},
      {NULL, NULL},
  };
  TN_TRY(tn__upgrade_image_config(config));
  tn__rename_keys(config, old);
  return TN_OK;
}

static const tn_class_more more = {.least_rank = 4, .upgrade_config = upgrade};
const tn_class tn__class_DepthwiseConv2D = {
    .name = "DepthwiseConv2D",
    .module = "keras.layers",
    .size = sizeof(depthwise),
    .options_size = sizeof(tn_depthwise_conv2d_options),
    .fields = fields,
    .inputs = 1,
    .init = init,
    .build = build,
    .call = call,
    .more = &more,
};

tn_layer *tn_depthwise_conv2d_new(const tn_depthwise_conv2d_options *options) {
  return tn__layer_from_options(&tn__class_DepthwiseConv2D, options);
}
