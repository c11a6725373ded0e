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

/* In training normal noise of this deviation, 0 to 1, is added. */
typedef struct tn_gaussian_noise_options {
    TN_OPTIONS_HEAD(tn_gaussian_noise_options);
    double stddev TN_DEFAULT(0);
    int64_t seed TN_DEFAULT(INT64_MIN);
    TN_LAYER_OPTIONS;
} tn_gaussian_noise_options;
TN_API tn_layer *tn_gaussian_noise_new(const tn_gaussian_noise_options *options);

/* In training every element is multiplied by normal noise around 1 whose variance is rate / (1 - rate). */
typedef struct tn_gaussian_dropout_options {
    TN_OPTIONS_HEAD(tn_gaussian_dropout_options);
    double rate TN_DEFAULT(0);
    int64_t seed TN_DEFAULT(INT64_MIN);
    TN_LAYER_OPTIONS;
} tn_gaussian_dropout_options;
TN_API tn_layer *tn_gaussian_dropout_new(const tn_gaussian_dropout_options *options);

/* For selu: dropped elements take its least value, and mean and variance stay. */
TN_API tn_layer *tn_alpha_dropout_new(const tn_dropout_options *options);

/* Dropout of whole channels of series, (batch, steps, channels). */
typedef struct tn_spatial_dropout1d_options {
    TN_OPTIONS_HEAD(tn_spatial_dropout1d_options);
    double rate TN_DEFAULT(0);
    int64_t seed TN_DEFAULT(INT64_MIN);
    TN_LAYER_OPTIONS;
} tn_spatial_dropout1d_options;
TN_API tn_layer *tn_spatial_dropout1d_new(const tn_spatial_dropout1d_options *options);

/* Dropout of whole channels of images, (batch, rows, columns, channels), and of volumes. */
typedef struct tn_spatial_dropout_options {
    TN_OPTIONS_HEAD(tn_spatial_dropout_options);
    double rate TN_DEFAULT(0);
    const char *data_format TN_DEFAULT("channels_last");
    int64_t seed TN_DEFAULT(INT64_MIN);
    TN_LAYER_OPTIONS;
} tn_spatial_dropout_options;
TN_API tn_layer *tn_spatial_dropout2d_new(const tn_spatial_dropout_options *options);
TN_API tn_layer *tn_spatial_dropout3d_new(const tn_spatial_dropout_options *options);

#ifndef __cplusplus
#define tn_gaussian_noise(...) TN_OPTIONS(tn_gaussian_noise_new, tn_gaussian_noise_options, (.seed = INT64_MIN, TN_LAYER_DEFAULTS), \
    __VA_ARGS__)
#define tn_gaussian_dropout(...) TN_OPTIONS(tn_gaussian_dropout_new, tn_gaussian_dropout_options, (.seed = INT64_MIN, \
    TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_alpha_dropout(...) TN_OPTIONS(tn_alpha_dropout_new, tn_dropout_options, (.seed = INT64_MIN, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_spatial_dropout1d(...) TN_OPTIONS(tn_spatial_dropout1d_new, tn_spatial_dropout1d_options, (.seed = INT64_MIN, \
    TN_LAYER_DEFAULTS), __VA_ARGS__)
#define TN_SPATIAL_DROPOUT_(function, ...) TN_OPTIONS(function, tn_spatial_dropout_options, (.data_format = "channels_last", \
    .seed = INT64_MIN, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_spatial_dropout2d(...) TN_SPATIAL_DROPOUT_(tn_spatial_dropout2d_new, __VA_ARGS__)
#define tn_spatial_dropout3d(...) TN_SPATIAL_DROPOUT_(tn_spatial_dropout3d_new, __VA_ARGS__)
#define tn_activity_regularization(...) \
    TN_OPTIONS(tn_activity_regularization_new, tn_activity_regularization_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_dropout(...) TN_OPTIONS(tn_dropout_new, tn_dropout_options, (.seed = INT64_MIN, TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
