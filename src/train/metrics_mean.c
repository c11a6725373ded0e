/* metrics_mean.c - Mean and Sum, and the metrics that are means of losses. */
#include "train/metric_class.h"
#include "ops/ops.h"

/* --- total and count -------------------------------------------------------------------------- */
void tn__mean_build(tn_metric *metric, tn_tensor *y_pred)
{
    (void)y_pred;
    if (tn__metric_variable(metric, TN_SCALAR, "total"))
        tn__metric_variable(metric, TN_SCALAR, "count");
}

static bool adds_up(const tn_metric *metric)
{
    return ((const tn__metric_methods *)metric->thing.of->methods)->sums;
}

/* The dimensions from `first` on, made one number. */
static tn_tensor *fold(tn_tensor *x, int first, bool sums)
{
    tn_axes axes = { 0 };
    for (int i = first; x && i < x->shape.rank; i++)
        axes.axis[axes.count++] = i;
    if (axes.count == 0)
        return x;
    return sums ? tn_reduce_sum(x, .axis = axes) : tn_reduce_mean(x, .axis = axes);
}

/* Values and weights of the same shape, one for each sample; the values are weighted. Keras
 * averages a sample's weights too. */
static void weigh(tn_tensor **values, tn_tensor **weight, bool sums)
{
    tn__same_rank(values, weight, true);
    if (!*values || !*weight)
        return;
    int rank = (*weight)->shape.rank;
    *values = fold(*values, rank, sums);
    if (*values && !(tn__shape_full(&(*values)->shape) &&
                     tn__shape_equal(&(*values)->shape, &(*weight)->shape)))
        *weight = TN__APPLY(tn__op_BroadcastTo, NULL, *weight, tn__shape_tensor(*values));
    *values = tn_multiply(*values, *weight);
    if (rank > 1)
        *weight = fold(*weight, 1, sums);
}

static bool ranks_known(const tn_metric *metric, const tn_tensor *values, const tn_tensor *weight)
{
    if (values->shape.known && (!weight || weight->shape.known))
        return true;
    tn__fail(TN_INVALID_ARGUMENT,
             "metric %s needs to know how many dimensions its values and weights have",
             metric->name);
    return false;
}

void tn__mean_update(tn_metric *metric, tn_tensor *values, tn_tensor *sample_weight,
                     tn_tensor *mask)
{
    bool sums = adds_up(metric);
    if (!values || !ranks_known(metric, values, sample_weight))
        return;
    values = tn__to_dtype(values, metric->dtype);
    if (sample_weight) {
        sample_weight = tn__to_dtype(sample_weight, metric->dtype);
        if (mask)
            sample_weight = tn__masked_weight(sample_weight, mask, metric->dtype, false);
        weigh(&values, &sample_weight, sums);
    }
    values = fold(values, 1, sums);
    tn_assign_add(metric->variable.item[0], tn_reduce_sum(values));
    if (!sums && values)
        tn_assign_add(metric->variable.item[1], sample_weight ? tn_reduce_sum(sample_weight)
                                                              : tn__rows(values, metric->dtype));
}

tn_tensor *tn__mean_result(tn_metric *metric)
{
    return tn_divide_no_nan(metric->variable.item[0], metric->variable.item[1]);
}

/* --- Mean, Sum -------------------------------------------------------------------------------- */
PLAIN_METRIC(Mean, NULL, tn_mean_metric_new, "mean", .one_input = true)

static void sum_build(tn_metric *metric, tn_tensor *y_pred)
{
    (void)y_pred;
    tn__metric_variable(metric, TN_SCALAR, "total");
}

static tn_tensor *sum_result(tn_metric *metric)
{
    return tn_read_value(metric->variable.item[0]);
}
PLAIN_METRIC(Sum, NULL, tn_sum_metric_new, "sum", .build = sum_build, .result = sum_result,
             .one_input = true, .sums = true)

/* --- means of losses -------------------------------------------------------------------------- */
MEAN_METRIC(MeanSquaredError, "mse|MSE", tn_mean_squared_error_metric_new, "mean_squared_error",
            tn__mean_squared_error, -1)
MEAN_METRIC(MeanAbsoluteError, "mae|MAE", tn_mean_absolute_error_metric_new, "mean_absolute_error",
            tn__mean_absolute_error, -1)
MEAN_METRIC(MeanAbsolutePercentageError, "mape|MAPE", tn_mean_absolute_percentage_error_metric_new,
            "mean_absolute_percentage_error", tn__mean_absolute_percentage_error, -1)
MEAN_METRIC(MeanSquaredLogarithmicError, "msle|MSLE", tn_mean_squared_logarithmic_error_metric_new,
            "mean_squared_logarithmic_error", tn__mean_squared_logarithmic_error, -1)
MEAN_METRIC(LogCoshError, NULL, tn_log_cosh_error_metric_new, "logcosh", tn__log_cosh, -1)
MEAN_METRIC(KLDivergence, NULL, tn_kl_divergence_metric_new, "kl_divergence", tn__kl_divergence, -1)
MEAN_METRIC(Poisson, NULL, tn_poisson_metric_new, "poisson", tn__poisson, -1)
MEAN_METRIC(Hinge, NULL, tn_hinge_metric_new, "hinge", tn__hinge, -1)
MEAN_METRIC(SquaredHinge, NULL, tn_squared_hinge_metric_new, "squared_hinge", tn__squared_hinge, -1)
MEAN_METRIC(CategoricalHinge, NULL, tn_categorical_hinge_metric_new, "categorical_hinge",
            tn__categorical_hinge, -1)

/* √ of the mean of (y_pred - y_true)², whose dimensions behind the first are averaged as weights
 * are. */
static tn_tensor *squares(const void *self, tn_tensor *y_true, tn_tensor *y_pred, tn_tensor **mask)
{
    (void)mask;
    tn_dtype dtype = ((const plain_metric *)self)->o.dtype;
    y_true = tn__to_dtype(y_true, dtype);
    y_pred = tn__to_dtype(y_pred, dtype);
    tn__same_rank(&y_true, &y_pred, true);
    return tn_square(tn_subtract(y_pred, y_true));
}

static tn_tensor *root_result(tn_metric *metric)
{
    return tn_sqrt(tn__mean_result(metric));
}
PLAIN_METRIC(RootMeanSquaredError, NULL, tn_root_mean_squared_error_metric_new,
             "root_mean_squared_error", .values = squares, .result = root_result, .direction = -1)

typedef struct {
    tn_cosine_similarity_metric_options o;
} cosine;
static const tn_field cosine_fields[] = {
    TN__METRIC_ROWS(cosine, "cosine_similarity"),
    TN__OPTION(TN_FIELD_AXIS, cosine, axis, "-1", NULL),
    TN__END_OF_FIELDS,
};
static tn_tensor *cosine_values(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                                tn_tensor **mask)
{
    (void)mask;
    return tn__cosine(y_true, y_pred, ((const cosine *)self)->o.axis);
}
METRIC_CLASS(CosineSimilarity, NULL, tn_cosine_similarity_metric_new, cosine,
             tn_cosine_similarity_metric_options, .values = cosine_values, .direction = 1)

/* --- crossentropies --------------------------------------------------------------------------- */
typedef struct {
    tn_binary_crossentropy_metric_options o;
} binary;
static const tn_field binary_fields[] = {
    TN__METRIC_ROWS(binary, "binary_crossentropy"),
    TN__OPTION(TN_FIELD_FLAG, binary, from_logits, "false", NULL),
    TN__OPTION(TN_FIELD_FLOAT, binary, label_smoothing, "0", "0..1"),
    TN__END_OF_FIELDS,
};
static tn_tensor *binary_values(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                                tn_tensor **mask)
{
    (void)mask;
    const tn_binary_crossentropy_metric_options *o = &((const binary *)self)->o;
    return tn__binary_crossentropy(y_true, y_pred, o->from_logits, o->label_smoothing, -1);
}
METRIC_CLASS(BinaryCrossentropy, "bce|BCE", tn_binary_crossentropy_metric_new, binary,
             tn_binary_crossentropy_metric_options, .values = binary_values, .direction = -1)

typedef struct {
    tn_categorical_crossentropy_metric_options o;
} categorical;
static const tn_field categorical_fields[] = {
    TN__METRIC_ROWS(categorical, "categorical_crossentropy"),
    TN__OPTION(TN_FIELD_FLAG, categorical, from_logits, "false", NULL),
    TN__OPTION(TN_FIELD_FLOAT, categorical, label_smoothing, "0", "0..1"),
    TN__OPTION(TN_FIELD_AXIS, categorical, axis, "-1", NULL),
    TN__END_OF_FIELDS,
};
static tn_tensor *categorical_values(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                                     tn_tensor **mask)
{
    (void)mask;
    const tn_categorical_crossentropy_metric_options *o = &((const categorical *)self)->o;
    return tn__categorical_crossentropy(y_true, y_pred, o->from_logits, o->label_smoothing,
                                        o->axis);
}
METRIC_CLASS(CategoricalCrossentropy, NULL, tn_categorical_crossentropy_metric_new, categorical,
             tn_categorical_crossentropy_metric_options, .values = categorical_values,
             .direction = -1)

typedef struct {
    tn_sparse_categorical_crossentropy_metric_options o;
} sparse;
static const tn_field sparse_fields[] = {
    TN__METRIC_ROWS(sparse, "sparse_categorical_crossentropy"),
    TN__OPTION(TN_FIELD_FLAG, sparse, from_logits, "false", NULL),
    TN__OPTION(TN_FIELD_INT, sparse, ignore_class, "none", NULL),
    TN__OPTION(TN_FIELD_AXIS, sparse, axis, "-1", NULL),
    TN__END_OF_FIELDS,
};
static tn_tensor *sparse_values(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                                tn_tensor **mask)
{
    const tn_sparse_categorical_crossentropy_metric_options *o = &((const sparse *)self)->o;
    return tn__sparse_categorical_crossentropy(y_true, y_pred, o->from_logits, o->ignore_class,
                                               o->axis, mask);
}
METRIC_CLASS(SparseCategoricalCrossentropy, NULL, tn_sparse_categorical_crossentropy_metric_new,
             sparse, tn_sparse_categorical_crossentropy_metric_options, .values = sparse_values,
             .direction = -1)
