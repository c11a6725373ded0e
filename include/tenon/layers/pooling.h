/* layers/pooling.h - pooling. */
#ifndef TENON_LAYERS_POOLING_H
#define TENON_LAYERS_POOLING_H
#include "tenon/layer.h"
TN_BEGIN
/* Windows slide along one axis, (batch, steps, channels), along two, (batch, rows, columns, channels), or three. One number alone,
 * 2 or { 2 }, stands for all axes, and tn_max_pooling2d(3, 2) has strides of 2, as in Keras. pool_size: of maxima 2 when it is not given; averages need it. strides: the pool's when not given. */
typedef struct tn_pooling_options {
    TN_OPTIONS_HEAD(tn_pooling_options);
    int64_t pool_size[4] TN_DEFAULT({}), strides[3] TN_DEFAULT({});
    const char *padding TN_DEFAULT("valid"), *data_format TN_DEFAULT("channels_last");
    TN_LAYER_OPTIONS;
} tn_pooling_options;
TN_API tn_layer *tn_max_pooling1d_new(const tn_pooling_options *options);
TN_API tn_layer *tn_max_pooling2d_new(const tn_pooling_options *options);
TN_API tn_layer *tn_max_pooling3d_new(const tn_pooling_options *options);
TN_API tn_layer *tn_average_pooling1d_new(const tn_pooling_options *options);
TN_API tn_layer *tn_average_pooling2d_new(const tn_pooling_options *options);
TN_API tn_layer *tn_average_pooling3d_new(const tn_pooling_options *options);

/* Over all of the axes: (batch, rows, columns, channels) to (batch, channels); keepdims: (batch, 1, 1, channels). */
typedef struct tn_global_pooling_options {
    TN_OPTIONS_HEAD(tn_global_pooling_options);
    const char *data_format TN_DEFAULT("channels_last");
    tn_flag keepdims TN_DEFAULT(false);
    TN_LAYER_OPTIONS;
} tn_global_pooling_options;
TN_API tn_layer *tn_global_max_pooling1d_new(const tn_global_pooling_options *options);
TN_API tn_layer *tn_global_max_pooling2d_new(const tn_global_pooling_options *options);
TN_API tn_layer *tn_global_max_pooling3d_new(const tn_global_pooling_options *options);
TN_API tn_layer *tn_global_average_pooling1d_new(const tn_global_pooling_options *options);
TN_API tn_layer *tn_global_average_pooling2d_new(const tn_global_pooling_options *options);
TN_API tn_layer *tn_global_average_pooling3d_new(const tn_global_pooling_options *options);

/* As many windows along each axis as output_size says, whatever the input's size, which must be known; they overlap where it does not
 * divide. One number alone, 2 or { 2 }, stands for all axes. */
typedef struct tn_adaptive_pooling_options {
    TN_OPTIONS_HEAD(tn_adaptive_pooling_options);
    int64_t output_size[3] TN_DEFAULT({});
    const char *data_format TN_DEFAULT("channels_last");
    TN_LAYER_OPTIONS;
} tn_adaptive_pooling_options;
TN_API tn_layer *tn_adaptive_max_pooling1d_new(const tn_adaptive_pooling_options *options);
TN_API tn_layer *tn_adaptive_max_pooling2d_new(const tn_adaptive_pooling_options *options);
TN_API tn_layer *tn_adaptive_max_pooling3d_new(const tn_adaptive_pooling_options *options);
TN_API tn_layer *tn_adaptive_average_pooling1d_new(const tn_adaptive_pooling_options *options);
TN_API tn_layer *tn_adaptive_average_pooling2d_new(const tn_adaptive_pooling_options *options);
TN_API tn_layer *tn_adaptive_average_pooling3d_new(const tn_adaptive_pooling_options *options);

#ifndef __cplusplus
#define TN_ADAPTIVE_POOLING_(function, ...) TN_NUMBERS(function, tn_adaptive_pooling_options, (.data_format = "channels_last", \
    TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_adaptive_max_pooling1d(...) TN_ADAPTIVE_POOLING_(tn_adaptive_max_pooling1d_new, __VA_ARGS__)
#define tn_adaptive_max_pooling2d(...) TN_ADAPTIVE_POOLING_(tn_adaptive_max_pooling2d_new, __VA_ARGS__)
#define tn_adaptive_max_pooling3d(...) TN_ADAPTIVE_POOLING_(tn_adaptive_max_pooling3d_new, __VA_ARGS__)
#define tn_adaptive_average_pooling1d(...) TN_ADAPTIVE_POOLING_(tn_adaptive_average_pooling1d_new, __VA_ARGS__)
#define tn_adaptive_average_pooling2d(...) TN_ADAPTIVE_POOLING_(tn_adaptive_average_pooling2d_new, __VA_ARGS__)
#define tn_adaptive_average_pooling3d(...) TN_ADAPTIVE_POOLING_(tn_adaptive_average_pooling3d_new, __VA_ARGS__)
#define TN_POOLING_(function, ...) TN_NUMBERS(function, tn_pooling_options, (.pool_size = TN_SIZES_UNSAID, .padding = "valid", \
    .data_format = "channels_last", \
    TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_max_pooling1d(...) TN_POOLING_(tn_max_pooling1d_new, __VA_ARGS__)
#define tn_max_pooling2d(...) TN_POOLING_(tn_max_pooling2d_new, __VA_ARGS__)
#define tn_max_pooling3d(...) TN_POOLING_(tn_max_pooling3d_new, __VA_ARGS__)
#define tn_average_pooling1d(...) TN_POOLING_(tn_average_pooling1d_new, __VA_ARGS__)
#define tn_average_pooling2d(...) TN_POOLING_(tn_average_pooling2d_new, __VA_ARGS__)
#define tn_average_pooling3d(...) TN_POOLING_(tn_average_pooling3d_new, __VA_ARGS__)
#define TN_GLOBAL_POOLING_(function, ...) TN_OPTIONS(function, tn_global_pooling_options, (.data_format = "channels_last", \
    TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_global_max_pooling1d(...) TN_GLOBAL_POOLING_(tn_global_max_pooling1d_new, __VA_ARGS__)
#define tn_global_max_pooling2d(...) TN_GLOBAL_POOLING_(tn_global_max_pooling2d_new, __VA_ARGS__)
#define tn_global_max_pooling3d(...) TN_GLOBAL_POOLING_(tn_global_max_pooling3d_new, __VA_ARGS__)
#define tn_global_average_pooling1d(...) TN_GLOBAL_POOLING_(tn_global_average_pooling1d_new, __VA_ARGS__)
#define tn_global_average_pooling2d(...) TN_GLOBAL_POOLING_(tn_global_average_pooling2d_new, __VA_ARGS__)
#define tn_global_average_pooling3d(...) TN_GLOBAL_POOLING_(tn_global_average_pooling3d_new, __VA_ARGS__)
#endif
TN_END
#endif
