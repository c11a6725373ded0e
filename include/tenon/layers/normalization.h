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

#ifndef __cplusplus
#define tn_batch_normalization(...) TN_OPTIONS(tn_batch_normalization_new, tn_batch_normalization_options, (.axis = -1, \
    .momentum = 0.99, .epsilon = 1e-3, .center = true, .scale = true, .beta_initializer = "zeros", .gamma_initializer = "ones", \
    .moving_mean_initializer = "zeros", .moving_variance_initializer = "ones", .renorm_rmax = TN_NOT_GIVEN, \
    .renorm_rmin = TN_NOT_GIVEN, .renorm_dmax = TN_NOT_GIVEN, .renorm_momentum = 0.99, TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
