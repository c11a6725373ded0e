/* metrics_score.c - scores of a table of predictions: F, R², correlations. */
#include "train/metric_class.h"
#include <math.h>
#include <string.h>

#define EPSILON 1e-7
/* In the place of aliases. */
#define NOT_IN_KERAS_2 NULL, .keras2_name = ""

/* (batch, outputs): the number of outputs; 0 and an error when it is anything else. */
static int64_t outputs_of(const char *class, const tn_tensor *y_pred)
{
    const tn_shape *shape = &y_pred->shape;
    if (shape->known && shape->rank == 2 && shape->dims[1] >= 0)
        return shape->dims[1];
    tn__fail(TN_INVALID_ARGUMENT,
             "%s expects 2D inputs with shape (batch_size, output_dim)%s. Received input shapes: "
             "y_pred.shape=%s",
             class,
             shape->known && shape->rank == 2 ? ", with output_dim fully defined (not None)" : "",
             TN__SHAPE(*shape));
    return 0;
}

static void add_variables(tn_metric *metric, tn_shape shape, size_t count, const char *const *names)
{
    for (size_t i = 0; i < count; i++)
        if (!tn__metric_variable(metric, shape, names[i]))
            return;
}

static void add_to(tn_metric *metric, size_t index, tn_tensor *x)
{
    tn_assign_add(metric->variable.item[index], x);
}

/* --- F ---------------------------------------------------------------------------------------- */
typedef struct {
    const char *average;
    double beta, threshold;
} f_score;
enum { TRUE_POSITIVES, FALSE_POSITIVES, FALSE_NEGATIVES, WEIGHTS };

static bool averages(const f_score *f, const char *word)
{
    return f->average && strcmp(f->average, word) == 0;
}

static void f_build(tn_metric *metric, const f_score *f, tn_tensor *y_pred)
{
    static const char *const names[] = { "true_positives", "false_positives", "false_negatives",
                                         "intermediate_weights" };
    int64_t classes = y_pred ? outputs_of("FBetaScore", y_pred) : 0;
    if (classes)
        add_variables(metric, averages(f, "micro") ? TN_SCALAR : TN_SHAPE(classes), 4, names);
}

/* What counts as predicted: the greatest of each row unless it is 0, or what is above the
 * threshold. */
static tn_tensor *decided(const f_score *f, tn_tensor *y_pred)
{
    if (!isnan(f->threshold))
        return tn_greater(y_pred, tn__like(y_pred, f->threshold));
    tn_tensor *greatest = tn_reduce_max(y_pred, .axis = TN_AXES(-1), .keepdims = true);
    return tn_logical_and(tn_greater_equal(y_pred, greatest),
                          tn_greater(tn_abs(y_pred), tn__like(y_pred, 1e-9)));
}

static void f_update(tn_metric *metric, const f_score *f, tn_tensor *y_true, tn_tensor *y_pred,
                     tn_tensor *sample_weight)
{
    y_true = tn__to_dtype(y_true, metric->dtype);
    y_pred = tn_cast(decided(f, tn__to_dtype(y_pred, metric->dtype)), metric->dtype);
    tn_tensor *amounts[] = { tn_multiply(y_pred, y_true),
                             tn_multiply(y_pred, tn__one_minus(y_true)),
                             tn_multiply(tn__one_minus(y_pred), y_true), y_true };
    if (sample_weight)
        sample_weight = tn_expand_dims(tn__to_dtype(sample_weight, metric->dtype), 1);
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
        tn_tensor *amount = sample_weight ? tn_multiply(amounts[i], sample_weight) : amounts[i];
        add_to(metric, i,
               averages(f, "micro") ? tn_reduce_sum(amount)
                                    : tn_reduce_sum(amount, .axis = TN_AXES(0)));
    }
}

static tn_tensor *share(tn_tensor *part, tn_tensor *whole)
{
    return tn_divide(part, tn_add(whole, tn__like(whole, EPSILON)));
}

/* (1 + β²) precision recall / (β² precision + recall) */
static tn_tensor *f_result(tn_metric *metric, const f_score *f)
{
    tn_variable *const *v = metric->variable.item;
    tn_tensor *precision = share(v[TRUE_POSITIVES], tn_add(v[TRUE_POSITIVES], v[FALSE_POSITIVES]));
    tn_tensor *recall = share(v[TRUE_POSITIVES], tn_add(v[TRUE_POSITIVES], v[FALSE_NEGATIVES]));
    double square = f->beta * f->beta;
    tn_tensor *weighted = tn_add(tn_multiply(tn__like(precision, square), precision), recall);
    tn_tensor *score = tn_multiply(share(tn_multiply(precision, recall), weighted),
                                   tn__like(precision, 1 + square));
    if (averages(f, "weighted"))
        return tn_reduce_sum(tn_multiply(score, share(v[WEIGHTS], tn_reduce_sum(v[WEIGHTS]))));
    return f->average ? tn_reduce_mean(score) : score;
}

/* Descriptor and the rest of a class whose arguments are `o`. */
#define F_SCORE(class, aliases_, constructor, type, options_type, beta_)                        \
    static f_score class##_of(const tn_metric *metric)                                          \
    {                                                                                           \
        const options_type *o = &((const type *)metric->thing.self)->o;                         \
        return (f_score){ o->average, beta_, o->threshold };                                    \
    }                                                                                           \
    static void class##_build(tn_metric *metric, tn_tensor *y_pred)                             \
    {                                                                                           \
        f_build(metric, &(f_score[]){ class##_of(metric) }[0], y_pred);                         \
    }                                                                                           \
    static void class##_update(tn_metric *metric, tn_tensor *y_true, tn_tensor *y_pred,         \
                               tn_tensor *sample_weight)                                        \
    {                                                                                           \
        f_update(metric, &(f_score[]){ class##_of(metric) }[0], y_true, y_pred, sample_weight); \
    }                                                                                           \
    static tn_tensor *class##_result(tn_metric *metric)                                         \
    {                                                                                           \
        return f_result(metric, &(f_score[]){ class##_of(metric) }[0]);                         \
    }                                                                                           \
    METRIC_CLASS(class, aliases_, constructor, type, options_type, .build = class##_build,      \
                 .update = class##_update, .result = class##_result, .direction = 1)

typedef struct {
    tn_fbeta_score_options o;
} fbeta;
static const tn_field fbeta_fields[] = {
    TN__OPTION(TN_FIELD_STRING, fbeta, average, "none", "micro|macro|weighted"),
    TN__OPTION(TN_FIELD_FLOAT, fbeta, beta, "1", "> 0"),
    TN__OPTION(TN_FIELD_FLOAT, fbeta, threshold, "none", "0..1"),
    TN__METRIC_ROWS(fbeta, "fbeta_score"),
    TN__END_OF_FIELDS,
};
F_SCORE(FBetaScore, "fbeta_score", tn_fbeta_score_metric_new, fbeta, tn_fbeta_score_options,
        o->beta)

typedef struct {
    tn_f1_score_options o;
} f1;
static const tn_field f1_fields[] = {
    TN__OPTION(TN_FIELD_STRING, f1, average, "none", "micro|macro|weighted"),
    TN__OPTION(TN_FIELD_FLOAT, f1, threshold, "none", "0..1"),
    TN__METRIC_ROWS(f1, "f1_score"),
    TN__END_OF_FIELDS,
};
F_SCORE(F1Score, NULL, tn_f1_score_metric_new, f1, tn_f1_score_options, 1)

/* --- R² --------------------------------------------------------------------------------------- */
typedef struct {
    tn_r2_score_options o;
} r2;
static const tn_field r2_fields[] = {
    TN__OPTION(TN_FIELD_STRING, r2, class_aggregation, "uniform_average",
               "uniform_average|variance_weighted_average"),
    TN__OPTION(TN_FIELD_INT, r2, num_regressors, "0", ">= 0"),
    TN__METRIC_ROWS(r2, "r2_score"),
    TN__END_OF_FIELDS,
};
enum { SAMPLES, SQUARED_SUM, SUM, RESIDUAL, COUNT };

static void r2_build(tn_metric *metric, tn_tensor *y_pred)
{
    static const char *const names[] = { "squared_sum", "sum", "residual", "count" };
    int64_t outputs = y_pred ? outputs_of("R2Score", y_pred) : 0;
    if (outputs && tn__metric_variable(metric, TN_SCALAR, "num_samples"))
        add_variables(metric, TN_SHAPE(outputs), 4, names);
}

/* One number for each element of y: of a row where there is one a row, 1 where there is none. */
static tn_tensor *weight_table(tn_tensor *weight, tn_tensor *y)
{
    if (!weight)
        return tn_ones_like(y);
    weight = tn__to_dtype(weight, (tn_dtype)y->dtype);
    if (weight && weight->shape.known && weight->shape.rank == 1)
        weight = tn_expand_dims(weight, 1);
    return TN__APPLY(tn__op_BroadcastTo, NULL, weight, tn__shape_tensor(y));
}

static void r2_update(tn_metric *metric, tn_tensor *y_true, tn_tensor *y_pred,
                      tn_tensor *sample_weight)
{
    y_true = tn__to_dtype(y_true, metric->dtype);
    y_pred = tn__to_dtype(y_pred, metric->dtype);
    tn__same_rank(&y_true, &y_pred, true);
    if (!y_true || !y_pred)
        return;
    tn_tensor *weight = weight_table(sample_weight, y_true),
              *weighted = tn_multiply(y_true, weight);
    add_to(metric, SUM, tn_reduce_sum(weighted, .axis = TN_AXES(0)));
    add_to(metric, SQUARED_SUM, tn_reduce_sum(tn_multiply(y_true, weighted), .axis = TN_AXES(0)));
    add_to(metric, RESIDUAL,
           tn_reduce_sum(tn_multiply(tn_square(tn_subtract(y_true, y_pred)), weight),
                         .axis = TN_AXES(0)));
    add_to(metric, COUNT, tn_reduce_sum(weight, .axis = TN_AXES(0)));
    add_to(metric, SAMPLES, tn_cast(tn_size(y_true), metric->dtype));
}

/* 1 - (1 - r)(n - 1) / (n - p - 1) while there are more samples than p regressors leave free */
static tn_tensor *adjusted(tn_tensor *r, tn_tensor *n, double p)
{
    if (p == 0)
        return r;
    tn_tensor *free = tn_subtract(n, tn__like(n, p + 1));
    tn_tensor *lost =
        tn_divide(tn_multiply(tn__one_minus(r), tn_subtract(n, tn__like(n, 1))), free);
    return tn_where(tn_greater(free, tn__like(free, 0)), tn__one_minus(lost), r);
}

/* 1 - residual / (variance n) of each output, made one number as the program wants it */
static tn_tensor *r2_result(tn_metric *metric)
{
    const tn_r2_score_options *o = &((const r2 *)metric->thing.self)->o;
    tn_variable *const *v = metric->variable.item;
    tn_tensor *mean = tn_divide(v[SUM], v[COUNT]),
              *total = tn_subtract(v[SQUARED_SUM], tn_multiply(v[SUM], mean));
    tn_tensor *score = tn__one_minus(tn_divide(v[RESIDUAL], total));
    score = tn_where(tn_is_inf(score), tn__like(score, 0), score);
    if (o->class_aggregation && strcmp(o->class_aggregation, "uniform_average") == 0)
        score = tn_reduce_mean(score);
    else if (o->class_aggregation)
        score = tn_divide(tn_reduce_sum(tn_multiply(total, score)), tn_reduce_sum(total));
    return adjusted(score, v[SAMPLES], (double)o->num_regressors);
}
METRIC_CLASS(R2Score, NULL, tn_r2_score_metric_new, r2, tn_r2_score_options, .build = r2_build,
             .update = r2_update, .result = r2_result, .direction = 1)

/* --- correlations ----------------------------------------------------------------------------- */
static tn_tensor *mean_along(tn_tensor *x, int axis)
{
    return tn_reduce_mean(x, .axis = TN_AXES(axis), .keepdims = true);
}

/* mean of both, each less its mean and divided by its deviation */
static tn_tensor *pearson(tn_tensor *y_true, tn_tensor *y_pred, int axis)
{
    tn_tensor *a = tn_subtract(y_true, mean_along(y_true, axis)),
              *b = tn_subtract(y_pred, mean_along(y_pred, axis));
    a = tn_divide(a, tn_reduce_std(a, .axis = TN_AXES(axis), .keepdims = true));
    b = tn_divide(b, tn_reduce_std(b, .axis = TN_AXES(axis), .keepdims = true));
    return tn_reduce_mean(tn_multiply(a, b), .axis = TN_AXES(axis));
}

/* m the mean of y_pred, which Keras takes from both:
 * mean of 2 (y_true - m)(y_pred - m) / (both variances + (difference of the means)² + ε) */
static tn_tensor *concordance(tn_tensor *y_true, tn_tensor *y_pred, int axis)
{
    tn_tensor *a = mean_along(y_true, axis), *b = mean_along(y_pred, axis);
    tn_tensor *spread =
        tn_add(tn_reduce_variance(tn_subtract(y_true, a), .axis = TN_AXES(axis), .keepdims = true),
               tn_reduce_variance(tn_subtract(y_pred, b), .axis = TN_AXES(axis), .keepdims = true));
    tn_tensor *norm = tn_add(spread, tn_square(tn_subtract(a, b)));
    tn_tensor *product = tn_multiply(tn_subtract(y_true, b), tn_subtract(y_pred, b));
    return tn_reduce_mean(share(tn_multiply(tn__like(product, 2), product), norm),
                          .axis = TN_AXES(axis));
}

typedef struct {
    tn_correlation_options o;
} correlation;
#define CORRELATION(class, constructor, name_, function)                                     \
    static const tn_field class##_fields[] = {                                               \
        TN__METRIC_ROWS(correlation, name_),                                                 \
        TN__OPTION(TN_FIELD_AXIS, correlation, axis, "-1", NULL),                            \
        TN__END_OF_FIELDS,                                                                   \
    };                                                                                       \
    typedef correlation class;                                                               \
    static tn_tensor *class##_values(const void *self, tn_tensor *y_true, tn_tensor *y_pred, \
                                     tn_tensor **mask)                                       \
    {                                                                                        \
        (void)mask;                                                                          \
        tn__pair(&y_true, &y_pred);                                                          \
        return function(y_true, y_pred, ((const correlation *)self)->o.axis);                \
    }                                                                                        \
    METRIC_CLASS(class, NOT_IN_KERAS_2, constructor, class, tn_correlation_options,          \
                 .values = class##_values, .direction = 1)
CORRELATION(PearsonCorrelation, tn_pearson_correlation_metric_new, "pearson_correlation", pearson)
CORRELATION(ConcordanceCorrelation, tn_concordance_correlation_metric_new,
            "concordance_correlation", concordance)
