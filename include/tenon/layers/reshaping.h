/* layers/reshaping.h - other shapes for the same elements. */
#ifndef TENON_LAYERS_RESHAPING_H
#define TENON_LAYERS_RESHAPING_H
#include "tenon/layer.h"
TN_BEGIN
/* (batch, k) to (batch, n, k): each row n times. */
typedef struct tn_repeat_vector_options {
    TN_OPTIONS_HEAD(tn_repeat_vector_options);
    int64_t n TN_DEFAULT(0);
    TN_LAYER_OPTIONS;
} tn_repeat_vector_options;
TN_API tn_layer *tn_repeat_vector_new(const tn_repeat_vector_options *options);

typedef struct tn_flatten_options {
    TN_OPTIONS_HEAD(tn_flatten_options);
    const char *data_format TN_DEFAULT("channels_last");
    TN_LAYER_OPTIONS;
} tn_flatten_options;
TN_API tn_layer *tn_flatten_new(const tn_flatten_options *options);

typedef struct tn_reshape_layer_options {
    TN_OPTIONS_HEAD(tn_reshape_layer_options);
    tn_shape target_shape TN_DEFAULT({});               /* without the batch; one dimension may be TN_NONE */
    TN_LAYER_OPTIONS;
} tn_reshape_layer_options;
TN_API tn_layer *tn_reshape_layer_new(const tn_reshape_layer_options *options);

#ifndef __cplusplus
#define tn_repeat_vector(...) TN_OPTIONS(tn_repeat_vector_new, tn_repeat_vector_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_flatten(...) TN_OPTIONS(tn_flatten_new, tn_flatten_options, (.data_format = "channels_last", TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_reshape_layer(...) TN_OPTIONS(tn_reshape_layer_new, tn_reshape_layer_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
