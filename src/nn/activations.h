/* activations.h - activation functions that layers have too, with all their arguments. */
#ifndef TN_NN_ACTIVATIONS_H
#define TN_NN_ACTIVATIONS_H
#include "tenon/tensor.h"

/* min(x, max_value) above the threshold, negative_slope * (x - threshold) below; max_value NAN: no
 * maximum. */
tn_tensor *tn__relu(tn_tensor *x, double negative_slope, double max_value, double threshold);
/* x above 0, alpha (e^x - 1) below. */
tn_tensor *tn__elu(tn_tensor *x, double alpha);
/* Over these axes together; none: over all. */
tn_tensor *tn__softmax(tn_tensor *x, tn_axes axes);

#endif
