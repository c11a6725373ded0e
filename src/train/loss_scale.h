/* loss_scale.h - an optimizer round another: what optimizer.c hands on to it. */
#ifndef TN_TRAIN_LOSS_SCALE_H
#define TN_TRAIN_LOSS_SCALE_H
#include "train/optimizer.h"

extern const tn__object_class tn__optimizer_LossScaleOptimizer;

/* Puts a LossScaleOptimizer of Keras's defaults round an optimizer; the caller's count goes to it.
 */
tn_status tn__loss_scale_wrap(tn_optimizer **optimizer);
tn_status tn__loss_scale_fill(tn_optimizer *optimizer); /* of a new one */
tn_status tn__loss_scale_apply(tn_context *context, tn_optimizer *optimizer, tn_list gradients,
                               tn_list variables);
tn_tensor *tn__loss_scale_loss(tn_optimizer *optimizer, tn_tensor *loss);

#endif
