/* losses_overlap.c - losses over sets: how well two regions cover each other, and how samples of a
 * class lie together. */
#include "train/loss_class.h"
#include <math.h>

#define EPSILON 1e-7
/* Keras 2 has none of these. */
#define NOT_IN_KERAS_2 .keras2_name = ""

static tn_tensor *sum_over(tn_tensor *x, tn_axes axis)
{
    return tn_reduce_sum(x, .axis = axis);
}

/* --- regions ---------------------------------------------------------------------------------- */
typedef struct {
    tn_dice_options o;
    const char *fn;
} dice;
static const tn_field dice_fields[] = {
    TN__LOSS_ROWS(dice, "dice"),
    TN__OPTION(TN_FIELD_AXES, dice, axis, "none", NULL),
    TN__END_OF_FIELDS,
};

/* 1 - 2 Σ y p / (Σ y + Σ p + ε) */
static tn_tensor *call_dice(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                            tn_tensor **mask)
{
    (void)mask;
    tn_axes axis = ((const dice *)self)->o.axis;
    tn_tensor *both = sum_over(tn_multiply(y_true, y_pred), axis);
    tn_tensor *sizes = tn_add(sum_over(y_true, axis), sum_over(y_pred, axis));
    return tn__one_minus(
        tn_divide(tn_multiply(tn__like(both, 2), both), tn_add(sizes, tn__like(sizes, EPSILON))));
}
LOSS_CLASS(Dice, tn_dice_new, dice, tn_dice_options, call_dice, NOT_IN_KERAS_2)

typedef struct {
    tn_tversky_options o;
    const char *fn;
} tversky;
static const tn_field tversky_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, tversky, alpha, "0.5", NULL),
    TN__OPTION(TN_FIELD_FLOAT, tversky, beta, "0.5", NULL),
    TN__LOSS_ROWS(tversky, "tversky"),
    TN__OPTION(TN_FIELD_AXES, tversky, axis, "none", NULL),
    TN__END_OF_FIELDS,
};

/* 1 - Σ y p / (Σ y p + α Σ y (1 - p) + β Σ (1 - y) p + ε) */
static tn_tensor *call_tversky(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                               tn_tensor **mask)
{
    (void)mask;
    const tn_tversky_options *o = &((const tversky *)self)->o;
    tn_tensor *both = sum_over(tn_multiply(y_true, y_pred), o->axis);
    tn_tensor *missed = sum_over(tn_multiply(tn__one_minus(y_pred), y_true), o->axis);
    tn_tensor *extra = sum_over(tn_multiply(y_pred, tn__one_minus(y_true)), o->axis);
    tn_tensor *size = tn_add(tn_add(both, tn_multiply(missed, tn__like(missed, o->alpha))),
                             tn_multiply(extra, tn__like(extra, o->beta)));
    return tn__one_minus(tn_divide(both, tn_add(size, tn__like(size, EPSILON))));
}
LOSS_CLASS(Tversky, tn_tversky_new, tversky, tn_tversky_options, call_tversky, NOT_IN_KERAS_2)

/* --- circle (Sun et al., 2020) ---------------------------------------------------------------- */
typedef struct {
    tn_circle_options o;
    const char *fn;
} circle;
static const tn_field circle_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, circle, gamma, "80", NULL),
    TN__OPTION(TN_FIELD_FLOAT, circle, margin, "0.4", NULL),
    TN__OPTION(TN_FIELD_FLAG, circle, remove_diagonal, "true", NULL),
    TN__LOSS_ROWS(circle, "circle"),
    TN__END_OF_FIELDS,
};

static tn_tensor *column_equals_row(tn_tensor *vector)
{
    return tn_equal(tn_reshape(vector, TN_SHAPE(TN_NONE, 1)),
                    tn_reshape(vector, TN_SHAPE(1, TN_NONE)));
}

static tn_tensor *not_below_0(tn_tensor *x)
{
    return tn_maximum(x, tn__like(x, 0));
}

/* log Σ e^x of the chosen ones of each row */
static tn_tensor *soft_greatest(tn_tensor *chosen, tn_tensor *x)
{
    return tn_reduce_logsumexp(tn_where(chosen, x, tn__like(x, -INFINITY)), .axis = TN_AXES(1));
}

/* d = 1 - cosine of two unit vectors: small within a class, large between classes; m: the margin.
 * softplus(within + between),
 * within = log Σ e^(-γ max(m + d, 0) (m - d)), between = log Σ e^(γ max(1 + m - d, 0) (1 - m - d))
 */
static tn_tensor *call_circle(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                              tn_tensor **mask)
{
    const tn_circle_options *o = &((const circle *)self)->o;
    tn_tensor *labels = tn_cast(y_true, TN_INT32),
              *d = not_below_0(tn__one_minus(tn_matmul(y_pred, y_pred, .transpose_b = true)));
    tn_tensor *within = column_equals_row(labels), *between = tn_logical_not(within);
    if (o->remove_diagonal)
        within = tn_logical_and(within, tn_logical_not(column_equals_row(
                                            tn_range(tn__int(0), tn_size(labels), tn__int(1)))));
    tn_dtype dtype = y_pred->dtype;
    tn_tensor *near = tn_multiply(tn_add(tn__like(d, o->margin), d), tn_cast(within, dtype));
    tn_tensor *far =
        tn_multiply(tn_subtract(tn__like(d, 1 + o->margin), d), tn_cast(between, dtype));
    near = tn_multiply(tn_multiply(tn__like(d, -o->gamma), not_below_0(near)),
                       tn_subtract(tn__like(d, o->margin), d));
    far = tn_multiply(tn_multiply(tn__like(d, o->gamma), not_below_0(far)),
                      tn_subtract(tn__like(d, 1 - o->margin), d));
    tn_tensor *loss = tn_softplus(tn_add(soft_greatest(within, near), soft_greatest(between, far)));
    *mask = tn_greater(loss, tn__like(loss, 0));
    return loss;
}
LOSS_CLASS(Circle, tn_circle_new, circle, tn_circle_options, call_circle, NOT_IN_KERAS_2)
