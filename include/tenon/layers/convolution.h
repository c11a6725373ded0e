/* layers/convolution.h - convolutions. */
#ifndef TENON_LAYERS_CONVOLUTION_H
#define TENON_LAYERS_CONVOLUTION_H
#include "tenon/layer.h"
TN_BEGIN
/* Images are (batch, rows, columns, channels), or, with data_format "channels_first", (batch, channels, rows, columns). In the
 * sizes of two axes a zero behind a number stands for the same number: kernel_size {3} is {3, 3}. Not given: strides and
 * dilation_rate {1, 1}. padding: "valid" or "same". */
typedef struct tn_conv2d_options {
    TN_OPTIONS_HEAD(tn_conv2d_options);
    int64_t filters TN_DEFAULT(0);
    int64_t kernel_size[2] TN_DEFAULT({}), strides[2] TN_DEFAULT({});
    const char *padding TN_DEFAULT("valid"), *data_format TN_DEFAULT("channels_last");
    int64_t dilation_rate[2] TN_DEFAULT({}), groups TN_DEFAULT(1);
    const char *activation TN_DEFAULT(NULL);
    tn_flag use_bias TN_DEFAULT(true);
    const char *kernel_initializer TN_DEFAULT("glorot_uniform"), *bias_initializer TN_DEFAULT("zeros");
    const char *kernel_regularizer TN_DEFAULT(NULL), *bias_regularizer TN_DEFAULT(NULL), *activity_regularizer TN_DEFAULT(NULL);
    const char *kernel_constraint TN_DEFAULT(NULL), *bias_constraint TN_DEFAULT(NULL);
    TN_LAYER_OPTIONS;
} tn_conv2d_options;
TN_API tn_layer *tn_conv2d_new(const tn_conv2d_options *options);

/* Every channel with depth_multiplier filters of its own. */
typedef struct tn_depthwise_conv2d_options {
    TN_OPTIONS_HEAD(tn_depthwise_conv2d_options);
    int64_t kernel_size[2] TN_DEFAULT({}), strides[2] TN_DEFAULT({});
    const char *padding TN_DEFAULT("valid");
    int64_t depth_multiplier TN_DEFAULT(1);
    const char *data_format TN_DEFAULT("channels_last");
    int64_t dilation_rate[2] TN_DEFAULT({});
    const char *activation TN_DEFAULT(NULL);
    tn_flag use_bias TN_DEFAULT(true);
    const char *depthwise_initializer TN_DEFAULT("glorot_uniform"), *bias_initializer TN_DEFAULT("zeros");
    const char *depthwise_regularizer TN_DEFAULT(NULL), *bias_regularizer TN_DEFAULT(NULL), *activity_regularizer TN_DEFAULT(NULL);
    const char *depthwise_constraint TN_DEFAULT(NULL), *bias_constraint TN_DEFAULT(NULL);
    TN_LAYER_OPTIONS;
} tn_depthwise_conv2d_options;
TN_API tn_layer *tn_depthwise_conv2d_new(const tn_depthwise_conv2d_options *options);

#ifndef __cplusplus
#define TN_CONV_DEFAULTS_ .padding = "valid", .data_format = "channels_last", .use_bias = true, .bias_initializer = "zeros"
#define tn_conv2d(...) TN_OPTIONS(tn_conv2d_new, tn_conv2d_options, (TN_CONV_DEFAULTS_, .groups = 1, \
    .kernel_initializer = "glorot_uniform", TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_depthwise_conv2d(...) TN_OPTIONS(tn_depthwise_conv2d_new, tn_depthwise_conv2d_options, (TN_CONV_DEFAULTS_, \
    .depth_multiplier = 1, .depthwise_initializer = "glorot_uniform", TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
