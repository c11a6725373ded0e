/* nn.c - functions of tf.nn that are made of other ops, and L2Loss. */
#include "ops/array.h"
#include <math.h>

/* --- L2Loss ----------------------------------------------------------------------------------- */
static tn_status l2_loss_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    double sum = 0;
    for (int64_t i = 0; i < tn__count(x); i++)
        sum += tn__double_at(x, i) * tn__double_at(x, i);
    tn__element_from_double((tn_dtype)x->dtype, sum / 2, kernel->output[0]->data);
    return TN_OK;
}

/* dt = t dy */
static void l2_loss_gradient(tn__gradient *g)
{
    g->din[0] = tn_multiply(g->in[0], g->dout[0]);
}

const tn__op tn__op_L2Loss = {
    .name = "L2Loss",
    .inputs = "t: T",
    .outputs = "output: T",
    .types = "T: floating",
    .infer = tn__infer_scalar,
    .compute = l2_loss_compute,
    .gradient = l2_loss_gradient,
    .flags = TN__HALF,
};

tn_tensor *tn_nn_l2_loss(tn_tensor *t)
{
    return TN__APPLY(tn__op_L2Loss, NULL, t);
}

/* --- made of others --------------------------------------------------------------------------- */
tn_tensor *tn_nn_crelu(tn_tensor *features, int axis)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(features, "tn_nn_crelu: features"))
        return NULL;
    tn_tensor *positive = tn_nn_relu(features), *negative = tn_nn_relu(tn_negative(features));
    return negative ? tn_concat(TN_LIST(positive, negative), axis) : NULL;
}

tn_tensor *tn_nn_embedding_lookup_with(const tn_nn_embedding_lookup_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *rows = tn_gather(o->params, o->ids, 0);
    if (!rows || isnan(o->max_norm))
        return rows;
    if (!rows->shape.known || !o->ids->shape.known) {
        tn__fail(TN_UNIMPLEMENTED, "tn_nn_embedding_lookup: max_norm needs known ranks");
        return NULL;
    }
    tn_axes axes = { 0 };
    for (int i = o->ids->shape.rank; i < rows->shape.rank; i++)
        axes.axis[axes.count++] = i;
    const tn_clip_by_norm_options clip = {
        .size_ = sizeof clip, .t = rows, .clip_norm = tn__like(rows, o->max_norm), .axes = axes
    };
    return tn_clip_by_norm_with(&clip);
}

/* (1 - z) x + (1 + (w - 1) z) (log(1 + e^-|x|) + max(-x, 0)), z the labels, x the logits, w the
 * weight of what is positive */
tn_tensor *tn_nn_weighted_cross_entropy_with_logits(tn_tensor *labels, tn_tensor *logits,
                                                    tn_tensor *pos_weight)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(labels, "tn_nn_weighted_cross_entropy_with_logits: labels") ||
        !tn__check_tensor(logits, "tn_nn_weighted_cross_entropy_with_logits: logits") ||
        !tn__check_tensor(pos_weight, "tn_nn_weighted_cross_entropy_with_logits: pos_weight"))
        return NULL;
    if (!tn__shape_fits(&logits->shape, &labels->shape)) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "`logits` and `labels` must have the same shape, received (%s vs %s).",
                 TN__SHAPE(logits->shape), TN__SHAPE(labels->shape));
        return NULL;
    }
    tn_tensor *one = tn__like(logits, 1);
    tn_tensor *weight = tn_add(one, tn_multiply(tn_subtract(pos_weight, one), labels));
    tn_tensor *rest =
        tn_add(tn_log1p(tn_exp(tn_negative(tn_abs(logits)))), tn_nn_relu(tn_negative(logits)));
    return tn_add(tn_multiply(tn_subtract(one, labels), logits), tn_multiply(weight, rest));
}
