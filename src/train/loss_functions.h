/* loss_functions.h - what losses and metrics compute: values per sample from y_true and y_pred,
 * (batch, …, n) to (batch, …).
 *
 * Keras's functions of these names, in ops: any mode, owned by the innermost scope, NULL when an
 * argument is NULL or with an error. y_pred decides the dtype (float32 for whole numbers). */
#ifndef TN_TRAIN_LOSS_FUNCTIONS_H
#define TN_TRAIN_LOSS_FUNCTIONS_H
#include "tenon/tensor.h"

tn_tensor *tn__mean_squared_error(tn_tensor *y_true, tn_tensor *y_pred);
tn_tensor *tn__mean_absolute_error(tn_tensor *y_true, tn_tensor *y_pred);
tn_tensor *tn__mean_absolute_percentage_error(tn_tensor *y_true, tn_tensor *y_pred);
tn_tensor *tn__mean_squared_logarithmic_error(tn_tensor *y_true, tn_tensor *y_pred);
tn_tensor *tn__log_cosh(tn_tensor *y_true, tn_tensor *y_pred);
tn_tensor *tn__kl_divergence(tn_tensor *y_true, tn_tensor *y_pred);
tn_tensor *tn__poisson(tn_tensor *y_true, tn_tensor *y_pred);
tn_tensor *tn__huber(tn_tensor *y_true, tn_tensor *y_pred, double delta);
tn_tensor *tn__cosine(tn_tensor *y_true, tn_tensor *y_pred,
                      int axis); /* of the angle; the loss is its negative */
tn_tensor *tn__hinge(tn_tensor *y_true, tn_tensor *y_pred);
tn_tensor *tn__squared_hinge(tn_tensor *y_true, tn_tensor *y_pred);
tn_tensor *tn__categorical_hinge(tn_tensor *y_true, tn_tensor *y_pred);

tn_tensor *tn__binary_crossentropy(tn_tensor *y_true, tn_tensor *y_pred, bool from_logits,
                                   double label_smoothing, int axis);
tn_tensor *tn__categorical_crossentropy(tn_tensor *y_true, tn_tensor *y_pred, bool from_logits,
                                        double label_smoothing, int axis);
/* ignore_class INT64_MIN: none; else *mask says which values count. */
tn_tensor *tn__sparse_categorical_crossentropy(tn_tensor *y_true, tn_tensor *y_pred,
                                               bool from_logits, int64_t ignore_class, int axis,
                                               tn_tensor **mask);

/* --- pieces of crossentropies ----------------------------------------------------------------- */
/* One value for each element: -(t log p + (1 - t) log(1 - p)); p probabilities or logits. */
tn_tensor *tn__binary_values(tn_tensor *target, tn_tensor *output, bool from_logits);
/* labels (1 - s) + share: s is the part of certainty that labels lose to all classes alike. */
tn_tensor *tn__smooth(tn_tensor *labels, double s, tn_tensor *share);
/* The size of the last dimension, as a number of x's dtype. */
tn_tensor *tn__classes_of(tn_tensor *x);

#endif
