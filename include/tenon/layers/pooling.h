/* layers/pooling.h - pooling. */
#ifndef TENON_LAYERS_POOLING_H
#define TENON_LAYERS_POOLING_H
#include "tenon/layer.h"
TN_BEGIN
/* pool_size: of MaxPooling2D {2, 2} when it is not given; AveragePooling2D needs it. strides: the pool's when not given. */
typedef struct tn_pooling2d_options {
    TN_OPTIONS_HEAD(tn_pooling2d_options);
    int64_t pool_size[2] TN_DEFAULT({}), strides[2] TN_DEFAULT({});
    const char *padding TN_DEFAULT("valid"), *data_format TN_DEFAULT("channels_last");
    TN_LAYER_OPTIONS;
} tn_pooling2d_options;
TN_API tn_layer *tn_max_pooling2d_new(const tn_pooling2d_options *options);
TN_API tn_layer *tn_average_pooling2d_new(const tn_pooling2d_options *options);

/* (batch, rows, columns, channels) to (batch, channels); keepdims: (batch, 1, 1, channels). */
typedef struct tn_global_pooling2d_options {
    TN_OPTIONS_HEAD(tn_global_pooling2d_options);
    const char *data_format TN_DEFAULT("channels_last");
    tn_flag keepdims TN_DEFAULT(false);
    TN_LAYER_OPTIONS;
} tn_global_pooling2d_options;
TN_API tn_layer *tn_global_average_pooling2d_new(const tn_global_pooling2d_options *options);

#ifndef __cplusplus
#define TN_POOLING_DEFAULTS_ (.padding = "valid", .data_format = "channels_last", TN_LAYER_DEFAULTS)
#define tn_max_pooling2d(...) TN_OPTIONS(tn_max_pooling2d_new, tn_pooling2d_options, TN_POOLING_DEFAULTS_, __VA_ARGS__)
#define tn_average_pooling2d(...) TN_OPTIONS(tn_average_pooling2d_new, tn_pooling2d_options, TN_POOLING_DEFAULTS_, __VA_ARGS__)
#define tn_global_average_pooling2d(...) TN_OPTIONS(tn_global_average_pooling2d_new, tn_global_pooling2d_options, \
    (.data_format = "channels_last", TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
