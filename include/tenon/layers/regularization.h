/* layers/regularization.h - layers that act in training: dropout and noise. */
#ifndef TENON_LAYERS_REGULARIZATION_H
#define TENON_LAYERS_REGULARIZATION_H
#include "tenon/layer.h"
TN_BEGIN
/* In training a share `rate` of the elements becomes 0, the others are scaled by 1 / (1 - rate). noise_shape: 1 along the axes
 * where all share one lot, TN_NONE for the input's own size. */
typedef struct tn_dropout_options {
    TN_OPTIONS_HEAD(tn_dropout_options);
    double rate TN_DEFAULT(0);
    tn_shape noise_shape TN_DEFAULT({});
    int64_t seed TN_DEFAULT(INT64_MIN);
    TN_LAYER_OPTIONS;
} tn_dropout_options;
TN_API tn_layer *tn_dropout_new(const tn_dropout_options *options);

/* The input as it is; l1 Σ|x| + l2 Σx², divided by the batch, is added to the loss. */
typedef struct tn_activity_regularization_options {
    TN_OPTIONS_HEAD(tn_activity_regularization_options);
    double l1 TN_DEFAULT(0), l2 TN_DEFAULT(0);
    TN_LAYER_OPTIONS;
} tn_activity_regularization_options;
TN_API tn_layer *tn_activity_regularization_new(const tn_activity_regularization_options *options);

#ifndef __cplusplus
#define tn_activity_regularization(...) \
    TN_OPTIONS(tn_activity_regularization_new, tn_activity_regularization_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_dropout(...) TN_OPTIONS(tn_dropout_new, tn_dropout_options, (.seed = INT64_MIN, TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
