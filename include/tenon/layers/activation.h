/* layers/activation.h - activations with options of their own, as layers. */
#ifndef TENON_LAYERS_ACTIVATION_H
#define TENON_LAYERS_ACTIVATION_H
#include "tenon/layer.h"
TN_BEGIN
/* A layer; the op is tn_nn_relu. min(x, max_value) above the threshold, negative_slope * (x - threshold) below. TN_NOT_GIVEN: no maximum. */
typedef struct tn_relu_options {
    TN_OPTIONS_HEAD(tn_relu_options);
    double max_value TN_DEFAULT(TN_NOT_GIVEN), negative_slope TN_DEFAULT(0), threshold TN_DEFAULT(0);
    TN_LAYER_OPTIONS;
} tn_relu_options;
TN_API tn_layer *tn_relu_new(const tn_relu_options *options);

/* e^x divided by the sum of all e^x along axis. */
typedef struct tn_softmax_options {
    TN_OPTIONS_HEAD(tn_softmax_options);
    tn_axes axis TN_DEFAULT(TN_BARE_AXIS(-1));     /* TN_AXES(-1); over several axes together: TN_AXES(1, 2) */
    TN_LAYER_OPTIONS;
} tn_softmax_options;
TN_API tn_layer *tn_softmax_new(const tn_softmax_options *options);

/* x above 0, negative_slope * x below. */
typedef struct tn_leaky_relu_options {
    TN_OPTIONS_HEAD(tn_leaky_relu_options);
    double negative_slope TN_DEFAULT(0.3);
    TN_LAYER_OPTIONS;
} tn_leaky_relu_options;
TN_API tn_layer *tn_leaky_relu_new(const tn_leaky_relu_options *options);

/* x above 0, alpha * (e^x - 1) below. */
typedef struct tn_elu_options {
    TN_OPTIONS_HEAD(tn_elu_options);
    double alpha TN_DEFAULT(1);
    TN_LAYER_OPTIONS;
} tn_elu_options;
TN_API tn_layer *tn_elu_new(const tn_elu_options *options);

/* x above 0, alpha * x below, where alpha is learned: one number for each place of a row, or one for all places along shared_axes,
 * TN_AXES(1, 2), which count the batch as 0. */
typedef struct tn_prelu_options {
    TN_OPTIONS_HEAD(tn_prelu_options);
    const char *alpha_initializer TN_DEFAULT("zeros"), *alpha_regularizer TN_DEFAULT(NULL), *alpha_constraint TN_DEFAULT(NULL);
    tn_axes shared_axes TN_DEFAULT(TN_AXES_UNSAID);
    TN_LAYER_OPTIONS;
} tn_prelu_options;
TN_API tn_layer *tn_prelu_new(const tn_prelu_options *options);

#ifndef __cplusplus
#define tn_leaky_relu(...) TN_OPTIONS(tn_leaky_relu_new, tn_leaky_relu_options, (.negative_slope = 0.3, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_elu(...) TN_OPTIONS(tn_elu_new, tn_elu_options, (.alpha = 1, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_prelu(...) TN_NUMBERS(tn_prelu_new, tn_prelu_options, (.alpha_initializer = "zeros", .shared_axes = TN_AXES_UNSAID, \
    TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_relu(...) TN_OPTIONS(tn_relu_new, tn_relu_options, (.max_value = TN_NOT_GIVEN, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_softmax(...) TN_NUMBERS(tn_softmax_new, tn_softmax_options, (.axis = TN_BARE_AXIS(-1), TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
