/* layers/convolution.h - convolutions. */
#ifndef TENON_LAYERS_CONVOLUTION_H
#define TENON_LAYERS_CONVOLUTION_H
#include "tenon/layer.h"
TN_BEGIN
/* Windows slide along one axis, (batch, steps, channels), along two, (batch, rows, columns, channels), or three; with data_format
 * "channels_first" the channels stand behind the batch. Of the numbers for the axes one alone stands for all of them: kernel_size
 * 3 or { 3 } is { 3, 3 }, and tn_conv2d(16, 3, 2) has strides of 2, as in Keras: several numbers for the axes stand in braces. (There is
 * one place more than axes, which tells the library so.) Not given: strides and dilation_rate 1. padding: "valid", "same", of tn_conv1d
 * also "causal". */
typedef struct tn_conv_options {
    TN_OPTIONS_HEAD(tn_conv_options);
    int64_t filters TN_DEFAULT(0);
    int64_t kernel_size[4] TN_DEFAULT({}), strides[3] TN_DEFAULT({});
    const char *padding TN_DEFAULT("valid"), *data_format TN_DEFAULT("channels_last");
    int64_t dilation_rate[3] TN_DEFAULT({}), groups TN_DEFAULT(1);
    const char *activation TN_DEFAULT(NULL);
    tn_flag use_bias TN_DEFAULT(true);
    const char *kernel_initializer TN_DEFAULT("glorot_uniform"), *bias_initializer TN_DEFAULT("zeros");
    const char *kernel_regularizer TN_DEFAULT(NULL), *bias_regularizer TN_DEFAULT(NULL), *activity_regularizer TN_DEFAULT(NULL);
    const char *kernel_constraint TN_DEFAULT(NULL), *bias_constraint TN_DEFAULT(NULL);
    TN_LAYER_OPTIONS;
} tn_conv_options;
TN_API tn_layer *tn_conv1d_new(const tn_conv_options *options);
TN_API tn_layer *tn_conv2d_new(const tn_conv_options *options);
TN_API tn_layer *tn_conv3d_new(const tn_conv_options *options);

/* The other way: (batch, rows, …) to (batch, rows * strides + …). output_padding, TN_SHAPE(1, 0), says how many places longer than
 * the least an axis gets; not given: with "same" size * strides, with "valid" no place of a stride is left over. */
typedef struct tn_conv_transpose_options {
    TN_OPTIONS_HEAD(tn_conv_transpose_options);
    int64_t filters TN_DEFAULT(0);
    int64_t kernel_size[4] TN_DEFAULT({}), strides[3] TN_DEFAULT({});
    const char *padding TN_DEFAULT("valid");
    tn_shape output_padding TN_DEFAULT({});
    const char *data_format TN_DEFAULT("channels_last");
    int64_t dilation_rate[3] TN_DEFAULT({});
    const char *activation TN_DEFAULT(NULL);
    tn_flag use_bias TN_DEFAULT(true);
    const char *kernel_initializer TN_DEFAULT("glorot_uniform"), *bias_initializer TN_DEFAULT("zeros");
    const char *kernel_regularizer TN_DEFAULT(NULL), *bias_regularizer TN_DEFAULT(NULL), *activity_regularizer TN_DEFAULT(NULL);
    const char *kernel_constraint TN_DEFAULT(NULL), *bias_constraint TN_DEFAULT(NULL);
    TN_LAYER_OPTIONS;
} tn_conv_transpose_options;
TN_API tn_layer *tn_conv1d_transpose_new(const tn_conv_transpose_options *options);
TN_API tn_layer *tn_conv2d_transpose_new(const tn_conv_transpose_options *options);
TN_API tn_layer *tn_conv3d_transpose_new(const tn_conv_transpose_options *options);

/* Every channel with depth_multiplier filters of its own. */
typedef struct tn_depthwise_conv_options {
    TN_OPTIONS_HEAD(tn_depthwise_conv_options);
    int64_t kernel_size[4] TN_DEFAULT({}), strides[3] TN_DEFAULT({});
    const char *padding TN_DEFAULT("valid");
    int64_t depth_multiplier TN_DEFAULT(1);
    const char *data_format TN_DEFAULT("channels_last");
    int64_t dilation_rate[3] TN_DEFAULT({});
    const char *activation TN_DEFAULT(NULL);
    tn_flag use_bias TN_DEFAULT(true);
    const char *depthwise_initializer TN_DEFAULT("glorot_uniform"), *bias_initializer TN_DEFAULT("zeros");
    const char *depthwise_regularizer TN_DEFAULT(NULL), *bias_regularizer TN_DEFAULT(NULL), *activity_regularizer TN_DEFAULT(NULL);
    const char *depthwise_constraint TN_DEFAULT(NULL), *bias_constraint TN_DEFAULT(NULL);
    TN_LAYER_OPTIONS;
} tn_depthwise_conv_options;
TN_API tn_layer *tn_depthwise_conv1d_new(const tn_depthwise_conv_options *options);
TN_API tn_layer *tn_depthwise_conv2d_new(const tn_depthwise_conv_options *options);

/* The same, and then the channels of each place are mixed to `filters` others. */
typedef struct tn_separable_conv_options {
    TN_OPTIONS_HEAD(tn_separable_conv_options);
    int64_t filters TN_DEFAULT(0);
    int64_t kernel_size[4] TN_DEFAULT({}), strides[3] TN_DEFAULT({});
    const char *padding TN_DEFAULT("valid"), *data_format TN_DEFAULT("channels_last");
    int64_t dilation_rate[3] TN_DEFAULT({}), depth_multiplier TN_DEFAULT(1);
    const char *activation TN_DEFAULT(NULL);
    tn_flag use_bias TN_DEFAULT(true);
    const char *depthwise_initializer TN_DEFAULT("glorot_uniform"), *pointwise_initializer TN_DEFAULT("glorot_uniform");
    const char *bias_initializer TN_DEFAULT("zeros");
    const char *depthwise_regularizer TN_DEFAULT(NULL), *pointwise_regularizer TN_DEFAULT(NULL), *bias_regularizer TN_DEFAULT(NULL);
    const char *activity_regularizer TN_DEFAULT(NULL);
    const char *depthwise_constraint TN_DEFAULT(NULL), *pointwise_constraint TN_DEFAULT(NULL), *bias_constraint TN_DEFAULT(NULL);
    TN_LAYER_OPTIONS;
} tn_separable_conv_options;
TN_API tn_layer *tn_separable_conv1d_new(const tn_separable_conv_options *options);
TN_API tn_layer *tn_separable_conv2d_new(const tn_separable_conv_options *options);

#ifndef __cplusplus
#define TN_CONV_DEFAULTS_ .kernel_size = TN_SIZES_UNSAID, .padding = "valid", .data_format = "channels_last", .use_bias = true, .bias_initializer = "zeros"
#define TN_CONV_(function, ...) TN_NUMBERS(function, tn_conv_options, (TN_CONV_DEFAULTS_, .groups = 1, \
    .kernel_initializer = "glorot_uniform", TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_conv1d(...) TN_CONV_(tn_conv1d_new, __VA_ARGS__)
#define tn_conv2d(...) TN_CONV_(tn_conv2d_new, __VA_ARGS__)
#define tn_conv3d(...) TN_CONV_(tn_conv3d_new, __VA_ARGS__)
#define TN_CONV_TRANSPOSE_(function, ...) TN_NUMBERS(function, tn_conv_transpose_options, (TN_CONV_DEFAULTS_, \
    .kernel_initializer = "glorot_uniform", TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_conv1d_transpose(...) TN_CONV_TRANSPOSE_(tn_conv1d_transpose_new, __VA_ARGS__)
#define tn_conv2d_transpose(...) TN_CONV_TRANSPOSE_(tn_conv2d_transpose_new, __VA_ARGS__)
#define tn_conv3d_transpose(...) TN_CONV_TRANSPOSE_(tn_conv3d_transpose_new, __VA_ARGS__)
#define TN_DEPTHWISE_CONV_(function, ...) TN_NUMBERS(function, tn_depthwise_conv_options, (TN_CONV_DEFAULTS_, \
    .depth_multiplier = 1, .depthwise_initializer = "glorot_uniform", TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_depthwise_conv1d(...) TN_DEPTHWISE_CONV_(tn_depthwise_conv1d_new, __VA_ARGS__)
#define tn_depthwise_conv2d(...) TN_DEPTHWISE_CONV_(tn_depthwise_conv2d_new, __VA_ARGS__)
#define TN_SEPARABLE_CONV_(function, ...) TN_NUMBERS(function, tn_separable_conv_options, (TN_CONV_DEFAULTS_, \
    .depth_multiplier = 1, .depthwise_initializer = "glorot_uniform", .pointwise_initializer = "glorot_uniform", \
    TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_separable_conv1d(...) TN_SEPARABLE_CONV_(tn_separable_conv1d_new, __VA_ARGS__)
#define tn_separable_conv2d(...) TN_SEPARABLE_CONV_(tn_separable_conv2d_new, __VA_ARGS__)
#endif
TN_END
#endif
