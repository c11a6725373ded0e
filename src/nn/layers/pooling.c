/* pooling2d.c - the greatest or the mean of windows of an image, and of the
 * whole of it */
#include "nn/layers/layers.h"

typedef struct {
  tn_pooling2d_options o;
} pooling;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_INTS, pooling, pool_size, "none", ">= 0"),
    TN__OPTION(TN_FIELD_INTS, pooling, strides, "none", ">= 0"),
    TN__OPTION(TN_FIELD_STRING, pooling, padding, "valid", "valid|same"),
    TN__OPTION(TN_FIELD_STRING, pooling, data_format, "channels_last",
               "channels_last|channels_first"),
    TN__END_OF_FIELDS,
};

static void settle(tn_pooling2d_options *o, const int64_t *pool_size) {
  tn__settle_pair(o->pool_size, pool_size);
  tn__settle_pair(o->strides, o->pool_size);
  if (o->pool_size[0] == 0)
    tn__fail(TN_INVALID_ARGUMENT, "AveragePooling2D.__init__() missing 1 "
                                  "required positional argument: 'pool_size'");
}

static void init_max(void *me) {
  settle(&((pooling *)me)->o, (const int64_t[]){2, 2});
}

static void init_average(void *me) { settle(&((pooling *)me)->o, NULL); }

static bool check(const tn_pooling2d_options *o, const tn_tensor *x) {
  const char *pool =
      tn__scope_print("`pool_size=%s`", tn__pair_text(o->pool_size));
  return tn__check_windows(x, &(tn__sliding_window){o->pool_size, o->strides,
                                                    NULL, o->padding,
                                                    o->data_format, pool});
}

static tn_tensor *call_max(void *me, tn_list inputs) {
  const tn_pooling2d_options *o = &((const pooling *)me)->o;
  tn_tensor *x = tn_at(inputs, 0);
  if (!check(o, x))
    return NULL;
  return tn_nn_max_pool2d(x, .ksize = {o->pool_size[0], o->pool_size[1]},
                          .strides = {o->strides[0], o->strides[1]},
                          .padding = tn__op_padding(o->padding),
                          .data_format = tn__op_data_format(o->data_format));
}

static tn_tensor *call_average(void *me, tn_list inputs) {
  const tn_pooling2d_options *o = &((const pooling *)me)->o;
  tn_tensor *x = tn__as_float(tn_at(inputs, 0));
  if (!check(o, x))
    return NULL;
  return tn_nn_avg_pool2d(x, .ksize = {o->pool_size[0], o->pool_size[1]},
                          .strides = {o->strides[0], o->strides[1]},
                          .padding = tn__op_padding(o->padding),
                          .data_format = tn__op_data_format(o->data_format));
}

static const tn_class_more max_more = {.aliases = "MaxPool2D",
                                       .least_rank = 4,
                                       .most_rank = 4,
                                       .upgrade_config =
                                           tn__upgrade_image_config};
static const tn_class_more average_more = {.aliases = "AvgPool2D",
                                           .least_rank = 4,
                                           .most_rank = 4,
                                           .upgrade_config =
                                               tn__upgrade_image_config};
const tn_class tn__class_MaxPooling2D = {
    .name = "MaxPooling2D",
    .module = "keras.layers",
    .size = sizeof(pooling),
    .options_size = sizeof(tn_pooling2d_options),
    .fields = fields,
    .inputs = 1,
    .init = init_max,
    .call = call_max,
    .more = &max_more,
};
const tn_class tn__class_AveragePooling2D = {
    .name = "AveragePooling2D",
    .module = "keras.layers",
    .size = sizeof(pooling),
    .options_size = sizeof(tn_pooling2d_options),
    .fields = fields,
    .inputs = 1,
    .init = init_average,
    .call = call_average,
    .more = &average_more,
};

tn_layer *tn_max_pooling2d_new(const tn_pooling2d_options *options) {
  return tn__layer_from_options(&tn__class_MaxPooling2D, options);
}

tn_layer *tn_average_pooling2d_new(const tn_pooling2d_options *options) {
  return tn__layer_from_options(&tn__class_AveragePooling2D, options);
}

/* --- of the whole image
 * ----------------------------------------------------------------------- */
typedef struct {
  tn_global_pooling2d_options o;
} global_pooling;

static const tn_field global_fields[] = {
    TN__OPTION(TN_FIELD_STRING, global_pooling, data_format, "channels_last",
               "channels_last|channels_first"),
    TN__OPTION(TN_FIELD_FLAG, global_pooling, keepdims, "false", NULL),
    TN__END_OF_FIELDS,
};

static tn_tensor *call_global_average(void *me, tn_list inputs) {
  const tn_global_pooling2d_options *o = &((const global_pooling *)me)->o;
  tn_axes axes =
      tn__channels_first(o->data_format) ? TN_AXES(2, 3) : TN_AXES(1, 2);
  return tn_reduce_mean(tn__as_float(tn_at(inputs, 0)), .axis = axes,
                        .keepdims = o->keepdims);
}

static const tn_class_more global_average_more = {.aliases = "GlobalAvgPool2D",
                                                  .least_rank = 4,
                                                  .most_rank = 4,
                                                  .upgrade_config =
                                                      tn__upgrade_image_config};
const tn_class tn__class_GlobalAveragePooling2D = {
    .name = "GlobalAveragePooling2D",
    .module = "keras.layers",
    .size = sizeof(global_pooling),
    .options_size = sizeof(tn_global_pooling2d_options),
    .fields = global_fields,
    .inputs = 1,
    .call = call_global_average,
    .more = &global_average_more,
};

tn_layer *
tn_global_average_pooling2d_new(const tn_global_pooling2d_options *options) {
  return tn__layer_from_options(&tn__class_GlobalAveragePooling2D, options);
}
