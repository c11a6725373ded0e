/* losses_regression.c - losses between numbers. */
#include "train/loss_class.h"

/* Keras's epsilon. */
#define EPSILON 1e-7

static tn_tensor *last_mean(tn_tensor *x)
{
    return tn_reduce_mean(x, .axis = TN_AXES(-1));
}

/* --- functions -------------------------------------------------------------------------------- */
/* mean (y_true - y_pred)² */
tn_tensor *tn__mean_squared_error(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn__pair(&y_true, &y_pred);
    return last_mean(tn_square(tn_subtract(y_true, y_pred)));
}

/* mean |y_true - y_pred| */
tn_tensor *tn__mean_absolute_error(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn__pair(&y_true, &y_pred);
    return last_mean(tn_abs(tn_subtract(y_true, y_pred)));
}

/* 100 mean |(y_true - y_pred) / max(|y_true|, ε)| */
tn_tensor *tn__mean_absolute_percentage_error(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn__pair(&y_true, &y_pred);
    tn_tensor *size = tn_maximum(tn_abs(y_true), tn__like(y_pred, EPSILON));
    return tn_multiply(tn__like(y_pred, 100),
                       last_mean(tn_abs(tn_divide(tn_subtract(y_true, y_pred), size))));
}

static tn_tensor *log_of_more(tn_tensor *x)
{
    return tn_log(tn_add(tn_maximum(x, tn__like(x, EPSILON)), tn__like(x, 1)));
}

/* mean (log(max(y_pred, ε) + 1) - log(max(y_true, ε) + 1))² */
tn_tensor *tn__mean_squared_logarithmic_error(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn__pair(&y_true, &y_pred);
    return last_mean(tn_square(tn_subtract(log_of_more(y_pred), log_of_more(y_true))));
}

/* x = y_pred - y_true:  mean x + softplus(-2x) - log 2 */
tn_tensor *tn__log_cosh(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn__pair(&y_true, &y_pred);
    tn_tensor *x = tn_subtract(y_pred, y_true);
    tn_tensor *soft = tn_softplus(tn_multiply(x, tn__like(x, -2)));
    return last_mean(tn_subtract(tn_add(x, soft), tn__like(x, 0.69314718055994530942)));
}

/* e = y_pred - y_true:  mean of e²/2 where |e| <= δ, else of δ|e| - δ²/2 */
tn_tensor *tn__huber(tn_tensor *y_true, tn_tensor *y_pred, double delta)
{
    tn__pair(&y_true, &y_pred);
    tn_tensor *error = tn_subtract(y_pred, y_true), *size = tn_abs(error);
    tn_tensor *limit = tn__like(size, delta), *half = tn__like(size, 0.5);
    tn_tensor *inside = tn_multiply(half, tn_square(error));
    tn_tensor *outside = tn_subtract(tn_multiply(limit, size), tn_multiply(half, tn_square(limit)));
    return last_mean(tn_where(tn_less_equal(size, limit), inside, outside));
}

static tn_tensor *unit(tn_tensor *x, int axis)
{
    tn_tensor *scale =
        tn_rsqrt(tn_reduce_sum(tn_square(x), .axis = TN_AXES(axis), .keepdims = true));
    return tn_multiply(x, tn_minimum(scale, tn__like(x, 1 / EPSILON)));
}

tn_tensor *tn__cosine(tn_tensor *y_true, tn_tensor *y_pred, int axis)
{
    tn__pair(&y_true, &y_pred);
    tn_tensor *prediction = unit(y_pred, axis);
    return tn_reduce_sum(tn_multiply(unit(y_true, axis), prediction), .axis = TN_AXES(axis));
}

static tn_tensor *positive_share(tn_tensor *x)
{
    return tn_clip_by_value(x, tn__like(x, EPSILON), tn__like(x, 1));
}

/* Σ y_true log(y_true / y_pred), both within [ε, 1] */
tn_tensor *tn__kl_divergence(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn__floats(&y_true, &y_pred);
    y_true = positive_share(y_true);
    return tn_reduce_sum(tn_multiply(y_true, tn_log(tn_divide(y_true, positive_share(y_pred)))),
                         .axis = TN_AXES(-1));
}

/* mean y_pred - y_true log(y_pred + ε) */
tn_tensor *tn__poisson(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn__floats(&y_true, &y_pred);
    return last_mean(tn_subtract(
        y_pred, tn_multiply(y_true, tn_log(tn_add(y_pred, tn__like(y_pred, EPSILON))))));
}

/* --- classes ---------------------------------------------------------------------------------- */
PLAIN_LOSS(MeanSquaredError, mean_squared_error, .aliases = "mse|MSE")
PLAIN_LOSS(MeanAbsoluteError, mean_absolute_error, .aliases = "mae|MAE")
PLAIN_LOSS(MeanAbsolutePercentageError, mean_absolute_percentage_error, .aliases = "mape|MAPE")
PLAIN_LOSS(MeanSquaredLogarithmicError, mean_squared_logarithmic_error, .aliases = "msle|MSLE")
PLAIN_LOSS(LogCosh, log_cosh, .aliases = "logcosh")
PLAIN_LOSS(KLDivergence, kl_divergence, .aliases = "kld|KLD|kullback_leibler_divergence")
PLAIN_LOSS(Poisson, poisson)

typedef struct {
    tn_huber_options o;
    const char *fn;
} huber;
static const tn_field huber_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, huber, delta, "1", NULL),
    TN__LOSS_ROWS(huber, "huber_loss"),
    TN__END_OF_FIELDS,
};
static tn_tensor *call_huber(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                             tn_tensor **mask)
{
    (void)mask;
    return tn__huber(y_true, y_pred, ((const huber *)self)->o.delta);
}
LOSS_CLASS(Huber, tn_huber_new, huber, tn_huber_options, call_huber, .aliases = "huber_loss")

typedef struct {
    tn_cosine_similarity_options o;
    const char *fn;
} cosine_similarity;
static const tn_field cosine_similarity_fields[] = {
    TN__OPTION(TN_FIELD_AXIS, cosine_similarity, axis, "-1", NULL),
    TN__LOSS_ROWS(cosine_similarity, "cosine_similarity"),
    TN__END_OF_FIELDS,
};
static tn_tensor *call_cosine_similarity(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                                         tn_tensor **mask)
{
    (void)mask;
    return tn_negative(tn__cosine(y_true, y_pred, ((const cosine_similarity *)self)->o.axis));
}
LOSS_CLASS(CosineSimilarity, tn_cosine_similarity_new, cosine_similarity,
           tn_cosine_similarity_options, call_cosine_similarity)
