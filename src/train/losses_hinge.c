/* losses_hinge.c - losses that want the right side of a margin. */
#include "train/loss_class.h"

/* Labels that are all 0 or 1 become -1 and 1. */
static tn_tensor *signs(tn_tensor *y_true)
{
    tn_tensor *one = tn__like(y_true, 1), *two = tn__like(y_true, 2);
    tn_tensor *binary =
        tn_reduce_all(tn_logical_or(tn_equal(y_true, tn__like(y_true, 0)), tn_equal(y_true, one)));
    return tn_where(binary, tn_subtract(tn_multiply(two, y_true), one), y_true);
}

/* max(1 - y_true y_pred, 0) */
static tn_tensor *shortfall(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn_tensor *product = tn_multiply(signs(y_true), y_pred);
    return tn_maximum(tn__one_minus(product), tn__like(product, 0));
}

tn_tensor *tn__hinge(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn__floats(&y_true, &y_pred);
    return tn_reduce_mean(shortfall(y_true, y_pred), .axis = TN_AXES(-1));
}

tn_tensor *tn__squared_hinge(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn__floats(&y_true, &y_pred);
    return tn_reduce_mean(tn_square(shortfall(y_true, y_pred)), .axis = TN_AXES(-1));
}

/* max(the best wrong y_pred - the right one + 1, 0) */
tn_tensor *tn__categorical_hinge(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn__floats(&y_true, &y_pred);
    tn_tensor *right = tn_reduce_sum(tn_multiply(y_true, y_pred), .axis = TN_AXES(-1));
    tn_tensor *wrong =
        tn_reduce_max(tn_multiply(tn__one_minus(y_true), y_pred), .axis = TN_AXES(-1));
    return tn_maximum(tn_add(tn_subtract(wrong, right), tn__like(right, 1)), tn__like(right, 0));
}

PLAIN_LOSS(Hinge, hinge)
PLAIN_LOSS(SquaredHinge, squared_hinge)
PLAIN_LOSS(CategoricalHinge, categorical_hinge)
