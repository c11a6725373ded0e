/* layers/activation.h - activations with options of their own, as layers. */
#ifndef TENON_LAYERS_ACTIVATION_H
#define TENON_LAYERS_ACTIVATION_H
#include "tenon/layer.h"
TN_BEGIN
/* min(x, max_value) above the threshold, negative_slope * (x - threshold) below. TN_NOT_GIVEN: no maximum. */
typedef struct tn_relu_options {
    TN_OPTIONS_HEAD(tn_relu_options);
    double max_value TN_DEFAULT(TN_NOT_GIVEN), negative_slope TN_DEFAULT(0), threshold TN_DEFAULT(0);
    TN_LAYER_OPTIONS;
} tn_relu_options;
TN_API tn_layer *tn_relu_new(const tn_relu_options *options);

/* e^x divided by the sum of all e^x along axis. */
typedef struct tn_softmax_options {
    TN_OPTIONS_HEAD(tn_softmax_options);
    tn_axes axis TN_DEFAULT({ 1, { -1 } });     /* TN_AXES(-1); over several axes together: TN_AXES(1, 2) */
    TN_LAYER_OPTIONS;
} tn_softmax_options;
TN_API tn_layer *tn_softmax_new(const tn_softmax_options *options);

#ifndef __cplusplus
#define tn_relu(...) TN_OPTIONS(tn_relu_new, tn_relu_options, (.max_value = TN_NOT_GIVEN, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_softmax(...) TN_OPTIONS(tn_softmax_new, tn_softmax_options, (.axis = { 1, { -1 } }, TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
