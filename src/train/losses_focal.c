/* losses_focal.c - crossentropies that look at what is hard (Lin et al., 2017): what is predicted
 * well counts little. */
#include "train/loss_class.h"

#define EPSILON 1e-7

static tn_tensor *power_of(tn_tensor *x, double exponent)
{
    return tn_pow(x, tn__like(x, exponent));
}

/* p(right)  = y p + (1 - y)(1 - p) */
static tn_tensor *of_the_right(tn_tensor *y_true, tn_tensor *yes, tn_tensor *no)
{
    return tn_add(tn_multiply(y_true, yes), tn_multiply(tn__one_minus(y_true), no));
}

/* --- binary ----------------------------------------------------------------------------------- */
typedef struct {
    tn_binary_focal_crossentropy_options o;
    const char *fn;
} binary_focal;
static const tn_field binary_focal_fields[] = {
    TN__OPTION(TN_FIELD_FLAG, binary_focal, apply_class_balancing, "false", NULL),
    TN__OPTION(TN_FIELD_FLOAT, binary_focal, alpha, "0.25", NULL),
    TN__OPTION(TN_FIELD_FLOAT, binary_focal, gamma, "2", NULL),
    TN__OPTION(TN_FIELD_FLAG, binary_focal, from_logits, "false", NULL),
    TN__OPTION(TN_FIELD_FLOAT, binary_focal, label_smoothing, "0", "0..1"),
    TN__OPTION(TN_FIELD_AXIS, binary_focal, axis, "-1", NULL),
    TN__LOSS_ROWS(binary_focal, "binary_focal_crossentropy"),
    TN__END_OF_FIELDS,
};

/* mean of (1 - p(right))^γ times the crossentropy; balanced: times α for a 1, 1 - α for a 0 */
static tn_tensor *call_binary_focal(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                                    tn_tensor **mask)
{
    (void)mask;
    const tn_binary_focal_crossentropy_options *o = &((const binary_focal *)self)->o;
    if (o->label_smoothing != 0)
        y_true = tn__smooth(y_true, o->label_smoothing, tn__like(y_true, 0.5 * o->label_smoothing));
    tn_tensor *p = o->from_logits ? tn_sigmoid(y_pred) : y_pred;
    tn_tensor *values = tn__binary_values(y_true, y_pred, o->from_logits);
    values = tn_multiply(
        power_of(tn__one_minus(of_the_right(y_true, p, tn__one_minus(p))), o->gamma), values);
    if (o->apply_class_balancing)
        values = tn_multiply(of_the_right(y_true, tn__like(p, o->alpha), tn__like(p, 1 - o->alpha)),
                             values);
    return tn_reduce_mean(values, .axis = TN_AXES(o->axis));
}
LOSS_CLASS(BinaryFocalCrossentropy, tn_binary_focal_crossentropy_new, binary_focal,
           tn_binary_focal_crossentropy_options, call_binary_focal)

/* --- categorical ------------------------------------------------------------------------------ */
typedef struct {
    tn_categorical_focal_crossentropy_options o;
    const char *fn;
} categorical_focal;
static const tn_field categorical_focal_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, categorical_focal, alpha, "0.25", NULL),
    TN__OPTION(TN_FIELD_FLOAT, categorical_focal, gamma, "2", NULL),
    TN__OPTION(TN_FIELD_FLAG, categorical_focal, from_logits, "false", NULL),
    TN__OPTION(TN_FIELD_FLOAT, categorical_focal, label_smoothing, "0", "0..1"),
    TN__OPTION(TN_FIELD_AXIS, categorical_focal, axis, "-1", NULL),
    TN__LOSS_ROWS(categorical_focal, "categorical_focal_crossentropy"),
    TN__END_OF_FIELDS,
};

/* Σ -α (1 - p)^γ y log p, where p is made to sum to 1 */
static tn_tensor *call_categorical_focal(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                                         tn_tensor **mask)
{
    (void)mask;
    const tn_categorical_focal_crossentropy_options *o = &((const categorical_focal *)self)->o;
    if (o->label_smoothing != 0)
        y_true =
            tn__smooth(y_true, o->label_smoothing,
                       tn_divide(tn__like(y_true, o->label_smoothing), tn__classes_of(y_true)));
    if (o->from_logits)
        y_pred = tn_nn_softmax(y_pred, o->axis);
    tn_tensor *p =
        tn_divide(y_pred, tn_reduce_sum(y_pred, .axis = TN_AXES(o->axis), .keepdims = true));
    p = tn_clip_by_value(p, tn__like(p, EPSILON), tn__like(p, 1 - EPSILON));
    tn_tensor *values = tn_multiply(tn_negative(y_true), tn_log(p));
    tn_tensor *focus = tn_multiply(power_of(tn__one_minus(p), o->gamma), tn__like(p, o->alpha));
    return tn_reduce_sum(tn_multiply(focus, values), .axis = TN_AXES(o->axis));
}
LOSS_CLASS(CategoricalFocalCrossentropy, tn_categorical_focal_crossentropy_new, categorical_focal,
           tn_categorical_focal_crossentropy_options, call_categorical_focal)
