/* pooling.c - the greatest or the mean of windows of series, images and volumes, and of the whole
 */
#include "nn/layers/layers.h"
#include "ops/ops.h"
#include <string.h>

typedef struct {
    tn_pooling_options o;
} pooling;

#define FIELDS(axes)                                                              \
    {                                                                             \
        TN__AXES_ROW(pooling, pool_size, axes, "none", ">= 0"),                   \
            TN__AXES_ROW(pooling, strides, axes, "none", ">= 0"),                 \
            TN__OPTION(TN_FIELD_STRING, pooling, padding, "valid", "valid|same"), \
            TN__DATA_FORMAT_ROW(pooling), TN__END_OF_FIELDS,                      \
    }
static const tn_field fields1d[] = FIELDS(1), fields2d[] = FIELDS(2), fields3d[] = FIELDS(3);

static void settle(tn_pooling_options *o, const int64_t *pool_size)
{
    int axes = tn__window_axes();
    tn__settle_sizes(o->pool_size, o->strides, axes, "pool_size");
    tn__settle_axes(o->pool_size, axes, pool_size);
    tn__settle_axes(o->strides, axes, o->pool_size);
    if (o->pool_size[0] == 0)
        tn__fail(TN_INVALID_ARGUMENT,
                 "%s.__init__() missing 1 required positional argument: 'pool_size'",
                 tn__this_layer()->of->name);
}

static void init_max(void *me)
{
    settle(&((pooling *)me)->o, (const int64_t[]){ 2, 2, 2 });
}

static void init_average(void *me)
{
    settle(&((pooling *)me)->o, NULL);
}

tn__pool_function *const tn__max_pools[3] = { tn_nn_max_pool1d_with, tn_nn_max_pool2d_with,
                                              tn_nn_max_pool3d_with };
tn__pool_function *const tn__average_pools[3] = { tn_nn_avg_pool1d_with, tn_nn_avg_pool2d_with,
                                                  tn_nn_avg_pool3d_with };

static tn_tensor *pool(const tn_pooling_options *o, tn_tensor *x,
                       tn__pool_function *const *functions)
{
    int axes = tn__window_axes();
    const char *size = tn__scope_print("`pool_size=%s`", tn__sizes_text(o->pool_size, axes));
    if (!tn__check_windows(x, &(tn__sliding_window){ axes, o->pool_size, o->strides, NULL,
                                                     o->padding, o->data_format, size }))
        return NULL;
    tn_nn_pool_options options = { .size_ = sizeof options,
                                   .input = x,
                                   .padding = tn__op_padding(o->padding),
                                   .data_format = tn__op_data_format(o->data_format, axes) };
    memcpy(options.ksize, o->pool_size, sizeof options.ksize);
    memcpy(options.strides, o->strides, sizeof options.strides);
    return functions[axes - 1](&options);
}

static tn_tensor *call_max(void *me, tn_list inputs)
{
    return pool(&((const pooling *)me)->o, tn_at(inputs, 0), tn__max_pools);
}

static tn_tensor *call_average(void *me, tn_list inputs)
{
    return pool(&((const pooling *)me)->o, tn__as_float(tn_at(inputs, 0)), tn__average_pools);
}

#define MORE(class_, axes, aliases_)                                       \
    static const tn_class_more more_##class_ = {                           \
        .aliases = aliases_,                                               \
        .least_rank = axes + 2,                                            \
        .most_rank = axes + 2,                                             \
        .upgrade_config = axes == 1 ? upgrade1d : tn__upgrade_image_config \
    };
#define POOLING(class_, function, axes, kind, aliases_)                                  \
    MORE(class_, axes, aliases_)                                                         \
    TN__LAYER_CLASS(class_, function, pooling, tn_pooling_options, .inputs = 1,          \
                    .fields = fields##axes##d, .init = init_##kind, .call = call_##kind, \
                    .more = &more_##class_)

/* Keras 1 has `pool_length` and `stride` for the one axis. */
static tn_status upgrade1d(void *config)
{
    static const tn__renamed old[] = { { "pool_length", "pool_size" },
                                       { "stride", "strides" },
                                       { NULL, NULL } };
    tn__rename_keys(config, old);
    return tn__upgrade_image_config(config);
}

POOLING(MaxPooling1D, tn_max_pooling1d_new, 1, max, "MaxPool1D")
POOLING(MaxPooling2D, tn_max_pooling2d_new, 2, max, "MaxPool2D")
POOLING(MaxPooling3D, tn_max_pooling3d_new, 3, max, "MaxPool3D")
POOLING(AveragePooling1D, tn_average_pooling1d_new, 1, average, "AvgPool1D")
POOLING(AveragePooling2D, tn_average_pooling2d_new, 2, average, "AvgPool2D")
POOLING(AveragePooling3D, tn_average_pooling3d_new, 3, average, "AvgPool3D")

/* --- of the whole ----------------------------------------------------------------------------- */
typedef struct {
    tn_global_pooling_options o;
} global_pooling;

static const tn_field global_fields[] = {
    TN__DATA_FORMAT_ROW(global_pooling),
    TN__OPTION(TN_FIELD_FLAG, global_pooling, keepdims, "false", NULL),
    TN__END_OF_FIELDS,
};

static tn_axes window_axes(const char *data_format)
{
    tn_axes axes = { .count = tn__window_axes() };
    for (int i = 0; i < axes.count; i++)
        axes.axis[i] = tn__first_axis(data_format) + i;
    return axes;
}

/* The mean of the steps that the mask names; of none NaN. */
static tn_tensor *masked_average(const tn_global_pooling_options *o, tn_tensor *x, tn_tensor *mask)
{
    tn_tensor *counts =
        tn_cast(tn_expand_dims(mask, tn__channels_first(o->data_format) ? 1 : 2), TN_BOOL);
    if (!x || !counts)
        return NULL;
    tn_tensor *shares = tn_cast(counts, (tn_dtype)x->dtype);
    tn_axes axes = window_axes(o->data_format);
    return tn_divide(
        tn_reduce_sum(tn_where(counts, x, tn__like(x, 0)), .axis = axes, .keepdims = o->keepdims),
        tn_reduce_sum(shares, .axis = axes, .keepdims = o->keepdims));
}

static tn_tensor *call_global_average(void *me, tn_list inputs)
{
    const tn_global_pooling_options *o = &((const global_pooling *)me)->o;
    tn_tensor *x = tn__as_float(tn_at(inputs, 0)), *mask = tn_mask(tn_at(inputs, 0));
    if (mask && tn__window_axes() == 1)
        return masked_average(o, x, mask);
    return tn_reduce_mean(x, .axis = window_axes(o->data_format), .keepdims = o->keepdims);
}

static tn_tensor *call_global_max(void *me, tn_list inputs)
{
    const tn_global_pooling_options *o = &((const global_pooling *)me)->o;
    return tn_reduce_max(tn_at(inputs, 0), .axis = window_axes(o->data_format),
                         .keepdims = o->keepdims);
}

#define GLOBAL_POOLING(class_, function, axes, kind, aliases_, ...)                              \
    MORE(class_, axes, aliases_)                                                                 \
    TN__LAYER_CLASS(class_, function, global_pooling, tn_global_pooling_options, .inputs = 1,    \
                    .fields = global_fields, .call = call_global_##kind, .more = &more_##class_, \
                    __VA_ARGS__)

GLOBAL_POOLING(GlobalMaxPooling1D, tn_global_max_pooling1d_new, 1, max, "GlobalMaxPool1D")
GLOBAL_POOLING(GlobalMaxPooling2D, tn_global_max_pooling2d_new, 2, max, "GlobalMaxPool2D")
GLOBAL_POOLING(GlobalMaxPooling3D, tn_global_max_pooling3d_new, 3, max, "GlobalMaxPool3D")
/* This one looks at the mask, and what it gives has none. */
GLOBAL_POOLING(GlobalAveragePooling1D, tn_global_average_pooling1d_new, 1, average,
               "GlobalAvgPool1D", .supports_masking = true, .compute_mask = tn__no_mask)
GLOBAL_POOLING(GlobalAveragePooling2D, tn_global_average_pooling2d_new, 2, average,
               "GlobalAvgPool2D")
GLOBAL_POOLING(GlobalAveragePooling3D, tn_global_average_pooling3d_new, 3, average,
               "GlobalAvgPool3D")
