/* layers/normalization.h - normalization. */
#ifndef TENON_LAYERS_NORMALIZATION_H
#define TENON_LAYERS_NORMALIZATION_H
#include "tenon/layer.h"
TN_BEGIN
/* gamma (x - mean) / sqrt(variance + epsilon) + beta along axis: of the batch in training, else the moving ones. A layer that is
 * not trainable normalizes with the moving ones always. The renorm_ options are Keras's `renorm_clipping`; TN_NOT_GIVEN: no limit. */
typedef struct tn_batch_normalization_options {
    TN_OPTIONS_HEAD(tn_batch_normalization_options);
    int axis TN_DEFAULT(-1);
    double momentum TN_DEFAULT(0.99), epsilon TN_DEFAULT(1e-3);
    tn_flag center TN_DEFAULT(true), scale TN_DEFAULT(true);
    const char *beta_initializer TN_DEFAULT("zeros"), *gamma_initializer TN_DEFAULT("ones");
    const char *moving_mean_initializer TN_DEFAULT("zeros"), *moving_variance_initializer TN_DEFAULT("ones");
    const char *beta_regularizer TN_DEFAULT(NULL), *gamma_regularizer TN_DEFAULT(NULL);
    const char *beta_constraint TN_DEFAULT(NULL), *gamma_constraint TN_DEFAULT(NULL);
    tn_flag renorm TN_DEFAULT(false);
    double renorm_rmax TN_DEFAULT(TN_NOT_GIVEN), renorm_rmin TN_DEFAULT(TN_NOT_GIVEN), renorm_dmax TN_DEFAULT(TN_NOT_GIVEN);
    double renorm_momentum TN_DEFAULT(0.99);
    tn_flag synchronized TN_DEFAULT(false);
    TN_LAYER_OPTIONS;
} tn_batch_normalization_options;
TN_API tn_layer *tn_batch_normalization_new(const tn_batch_normalization_options *options);

/* gamma (x - mean) / sqrt(variance + epsilon) + beta with the mean and variance of each row along the axes. rms_scaling is Keras's
 * for old models: x gamma / sqrt(variance + epsilon). */
typedef struct tn_layer_normalization_options {
    TN_OPTIONS_HEAD(tn_layer_normalization_options);
    tn_axes axis TN_DEFAULT(TN_BARE_AXIS(-1));
    double epsilon TN_DEFAULT(1e-3);
    tn_flag center TN_DEFAULT(true), scale TN_DEFAULT(true);
    const char *beta_initializer TN_DEFAULT("zeros"), *gamma_initializer TN_DEFAULT("ones");
    const char *beta_regularizer TN_DEFAULT(NULL), *gamma_regularizer TN_DEFAULT(NULL);
    const char *beta_constraint TN_DEFAULT(NULL), *gamma_constraint TN_DEFAULT(NULL);
    tn_flag rms_scaling TN_DEFAULT(false);
    TN_LAYER_OPTIONS;
} tn_layer_normalization_options;
TN_API tn_layer *tn_layer_normalization_new(const tn_layer_normalization_options *options);

/* The same with the mean and variance of each row's groups of channels, which stand along axis; groups -1: each channel by itself. */
typedef struct tn_group_normalization_options {
    TN_OPTIONS_HEAD(tn_group_normalization_options);
    int64_t groups TN_DEFAULT(32);
    int axis TN_DEFAULT(-1);
    double epsilon TN_DEFAULT(1e-3);
    tn_flag center TN_DEFAULT(true), scale TN_DEFAULT(true);
    const char *beta_initializer TN_DEFAULT("zeros"), *gamma_initializer TN_DEFAULT("ones");
    const char *beta_regularizer TN_DEFAULT(NULL), *gamma_regularizer TN_DEFAULT(NULL);
    const char *beta_constraint TN_DEFAULT(NULL), *gamma_constraint TN_DEFAULT(NULL);
    TN_LAYER_OPTIONS;
} tn_group_normalization_options;
TN_API tn_layer *tn_group_normalization_new(const tn_group_normalization_options *options);

/* x / |x|, the length taken along the axes together. */
typedef struct tn_unit_normalization_options {
    TN_OPTIONS_HEAD(tn_unit_normalization_options);
    tn_axes axis TN_DEFAULT(TN_BARE_AXIS(-1));
    TN_LAYER_OPTIONS;
} tn_unit_normalization_options;
TN_API tn_layer *tn_unit_normalization_new(const tn_unit_normalization_options *options);

/* x scale / sqrt(mean of x² + epsilon), the mean taken along the axes. */
typedef struct tn_rms_normalization_options {
    TN_OPTIONS_HEAD(tn_rms_normalization_options);
    tn_axes axis TN_DEFAULT(TN_BARE_AXIS(-1));
    double epsilon TN_DEFAULT(1e-6);
    TN_LAYER_OPTIONS;
} tn_rms_normalization_options;
TN_API tn_layer *tn_rms_normalization_new(const tn_rms_normalization_options *options);

#ifndef __cplusplus
#define TN_SCALE_DEFAULTS_ .epsilon = 1e-3, .center = true, .scale = true, .beta_initializer = "zeros", .gamma_initializer = "ones"
#define tn_layer_normalization(...) TN_NUMBERS(tn_layer_normalization_new, tn_layer_normalization_options, (.axis = TN_BARE_AXIS(-1), \
    TN_SCALE_DEFAULTS_, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_group_normalization(...) TN_OPTIONS(tn_group_normalization_new, tn_group_normalization_options, (.groups = 32, .axis = -1, \
    TN_SCALE_DEFAULTS_, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_unit_normalization(...) TN_NUMBERS(tn_unit_normalization_new, tn_unit_normalization_options, (.axis = TN_BARE_AXIS(-1), \
    TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_rms_normalization(...) TN_NUMBERS(tn_rms_normalization_new, tn_rms_normalization_options, (.axis = TN_BARE_AXIS(-1), \
    .epsilon = 1e-6, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_batch_normalization(...) TN_OPTIONS(tn_batch_normalization_new, tn_batch_normalization_options, (.axis = -1, \
    .momentum = 0.99, .epsilon = 1e-3, .center = true, .scale = true, .beta_initializer = "zeros", .gamma_initializer = "ones", \
    .moving_mean_initializer = "zeros", .moving_variance_initializer = "ones", .renorm_rmax = TN_NOT_GIVEN, \
    .renorm_rmin = TN_NOT_GIVEN, .renorm_dmax = TN_NOT_GIVEN, .renorm_momentum = 0.99, TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
