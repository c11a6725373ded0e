/* metrics_confusion.c - counts of right and wrong answers, precision, recall, and what one of them
 * is where another holds. */
#include "train/confusion.h"
#include "train/metric_class.h"

static const char *const names[TN__COUNTS] = { "true_positives", "false_positives",
                                               "true_negatives", "false_negatives" };

/* Keras's order of those that the bits of `kinds` ask for. */
static void build_counts(tn_metric *metric, unsigned kinds, size_t thresholds)
{
    for (int i = 0; i < TN__COUNTS; i++)
        if (kinds >> i & 1 && !tn__metric_variable(metric, TN_SHAPE((int64_t)thresholds), names[i]))
            return;
}

static void count(tn_metric *metric, unsigned kinds, const tn__counting *how, tn_tensor *y_true,
                  tn_tensor *y_pred, tn_tensor *weight)
{
    tn_variable *variable[TN__COUNTS] = { NULL };
    size_t next = 0;
    for (int i = 0; i < TN__COUNTS; i++)
        if (kinds >> i & 1)
            variable[i] = metric->variable.item[next++];
    tn__count_answers(variable, how, y_true, y_pred, weight);
}

/* One threshold gives a number. */
static tn_tensor *number_or_vector(tn_tensor *x)
{
    return x && x->shape.dims[0] == 1 ? tn_reshape(x, TN_SCALAR) : x;
}

static tn_tensor *share(tn_tensor *part, tn_tensor *rest)
{
    return tn_divide_no_nan(part, tn_add(part, rest));
}

/* --- counts ----------------------------------------------------------------------------------- */
typedef struct {
    tn_confusion_options o;
} counter;
static const tn_field counter_fields[] = {
    TN__OPTION(TN_FIELD_TENSOR, counter, thresholds, "none", NULL),
    TN__METRIC_ROWS(counter, "none"),
    TN__END_OF_FIELDS,
};

static void counter_build(tn_metric *metric, tn_tensor *y_pred)
{
    (void)y_pred;
    double *list;
    size_t thresholds;
    if (tn__read_thresholds(((const counter *)metric->thing.self)->o.thresholds, 0.5, &list,
                            &thresholds) == TN_OK)
        tn__metric_variable(metric, TN_SHAPE((int64_t)thresholds), "accumulator");
}

static void counter_update(tn_metric *metric, tn__count_kind kind, tn_tensor *y_true,
                           tn_tensor *y_pred, tn_tensor *weight)
{
    double *list;
    tn__counting how = { .top_k = INT64_MIN, .class_id = INT64_MIN };
    if (tn__read_thresholds(((const counter *)metric->thing.self)->o.thresholds, 0.5, &list,
                            &how.count) != TN_OK)
        return;
    how.threshold = list;
    how.even = tn__are_even(list, how.count);
    count(metric, 1u << kind, &how, y_true, y_pred, weight);
}

static tn_tensor *counter_result(tn_metric *metric)
{
    return number_or_vector(tn_read_value(metric->variable.item[0]));
}

#define COUNTER(class, kind, constructor)                                                         \
    static void update_##class(tn_metric * metric, tn_tensor * y_true, tn_tensor * y_pred,        \
                               tn_tensor * weight)                                                \
    {                                                                                             \
        counter_update(metric, kind, y_true, y_pred, weight);                                     \
    }                                                                                             \
    METRIC_CLASS(class, NULL, constructor, counter, tn_confusion_options, .build = counter_build, \
                 .update = update_##class, .result = counter_result)
COUNTER(TruePositives, TN__TP, tn_true_positives_metric_new)
COUNTER(FalsePositives, TN__FP, tn_false_positives_metric_new)
COUNTER(TrueNegatives, TN__TN, tn_true_negatives_metric_new)
COUNTER(FalseNegatives, TN__FN, tn_false_negatives_metric_new)

/* --- precision and recall --------------------------------------------------------------------- */
typedef struct {
    tn_precision_options o;
} precision;
static const tn_field precision_fields[] = {
    TN__OPTION(TN_FIELD_TENSOR, precision, thresholds, "none", NULL),
    TN__OPTION(TN_FIELD_INT, precision, top_k, "none", "> 0"),
    TN__OPTION(TN_FIELD_INT, precision, class_id, "none", ">= 0"),
    TN__METRIC_ROWS(precision, "none"),
    TN__END_OF_FIELDS,
};
enum { OF_PRECISION = 1 << TN__TP | 1 << TN__FP, OF_RECALL = 1 << TN__TP | 1 << TN__FN };

/* Among the best k everything is a yes that no threshold was given for. */
static tn_status precision_counting(const tn_metric *metric, tn__counting *how)
{
    const tn_precision_options *o = &((const precision *)metric->thing.self)->o;
    double *list;
    *how = (tn__counting){ .top_k = o->top_k, .class_id = o->class_id };
    TN_TRY(tn__read_thresholds(o->thresholds, o->top_k == INT64_MIN ? 0.5 : -1e10, &list,
                               &how->count));
    how->threshold = list;
    how->even = tn__are_even(list, how->count);
    return TN_OK;
}

static void precision_build_of(tn_metric *metric, unsigned kinds)
{
    tn__counting how;
    if (precision_counting(metric, &how) == TN_OK)
        build_counts(metric, kinds, how.count);
}

static void precision_update_of(tn_metric *metric, unsigned kinds, tn_tensor *y_true,
                                tn_tensor *y_pred, tn_tensor *weight)
{
    tn__counting how;
    if (precision_counting(metric, &how) == TN_OK)
        count(metric, kinds, &how, y_true, y_pred, weight);
}

/* tp / (tp + fp), or tp / (tp + fn) */
static tn_tensor *precision_result(tn_metric *metric)
{
    return number_or_vector(share(metric->variable.item[0], metric->variable.item[1]));
}

#define PRECISION(class, kinds, constructor)                                                   \
    static void build_##class(tn_metric * metric, tn_tensor * y_pred)                          \
    {                                                                                          \
        (void)y_pred;                                                                          \
        precision_build_of(metric, kinds);                                                     \
    }                                                                                          \
    static void update_##class(tn_metric * metric, tn_tensor * y_true, tn_tensor * y_pred,     \
                               tn_tensor * weight)                                             \
    {                                                                                          \
        precision_update_of(metric, kinds, y_true, y_pred, weight);                            \
    }                                                                                          \
    METRIC_CLASS(class, NULL, constructor, precision, tn_precision_options,                    \
                 .build = build_##class, .update = update_##class, .result = precision_result, \
                 .direction = 1)
PRECISION(Precision, OF_PRECISION, tn_precision_metric_new)
PRECISION(Recall, OF_RECALL, tn_recall_metric_new)

/* --- one share where another is large enough -------------------------------------------------- */
enum { ALL_KINDS = (1 << TN__COUNTS) - 1 };

static void at_build(tn_metric *metric, int64_t thresholds)
{
    build_counts(metric, ALL_KINDS, (size_t)thresholds);
}

static void at_update(tn_metric *metric, int64_t thresholds, int64_t class_id, tn_tensor *y_true,
                      tn_tensor *y_pred, tn_tensor *weight)
{
    tn__counting how = { .count = (size_t)thresholds,
                         .even = thresholds > 1,
                         .top_k = INT64_MIN,
                         .class_id = class_id };
    how.threshold = tn__even_thresholds(how.count);
    if (how.threshold)
        count(metric, ALL_KINDS, &how, y_true, y_pred, weight);
}

/* The greatest of `wanted` where `given` reaches the value; 0 where it never does. */
static tn_tensor *best_where(tn_tensor *given, double value, tn_tensor *wanted)
{
    tn_tensor *reached = tn_greater_equal(given, tn__like(given, value));
    return tn_reduce_max(tn_where(reached, wanted, tn__like(wanted, 0)));
}

static tn_tensor *sensitivity(tn_metric *metric)
{
    return share(metric->variable.item[TN__TP], metric->variable.item[TN__FN]);
}
static tn_tensor *specificity(tn_metric *metric)
{
    return share(metric->variable.item[TN__TN], metric->variable.item[TN__FP]);
}
static tn_tensor *precision_of(tn_metric *metric)
{
    return share(metric->variable.item[TN__TP], metric->variable.item[TN__FP]);
}

#define AT(class, argument, type, given, wanted, constructor)                              \
    typedef struct {                                                                       \
        type o;                                                                            \
    } class;                                                                               \
    static const tn_field class##_fields[] = {                                             \
        TN__OPTION(TN_FIELD_FLOAT, class, argument, NULL, "0..1"),                         \
        TN__OPTION(TN_FIELD_INT, class, num_thresholds, "200", "> 0"),                     \
        TN__OPTION(TN_FIELD_INT, class, class_id, "none", ">= 0"),                         \
        TN__METRIC_ROWS(class, "none"),                                                    \
        TN__END_OF_FIELDS,                                                                 \
    };                                                                                     \
    static void build_##class(tn_metric * metric, tn_tensor * y_pred)                      \
    {                                                                                      \
        (void)y_pred;                                                                      \
        at_build(metric, ((const class *)metric->thing.self)->o.num_thresholds);           \
    }                                                                                      \
    static void update_##class(tn_metric * metric, tn_tensor * y_true, tn_tensor * y_pred, \
                               tn_tensor * weight)                                         \
    {                                                                                      \
        const type *o = &((const class *)metric->thing.self)->o;                           \
        at_update(metric, o->num_thresholds, o->class_id, y_true, y_pred, weight);         \
    }                                                                                      \
    static tn_tensor *result_##class(tn_metric * metric)                                   \
    {                                                                                      \
        return best_where(given(metric), ((const class *)metric->thing.self)->o.argument,  \
                          wanted(metric));                                                 \
    }                                                                                      \
    METRIC_CLASS(class, NULL, constructor, class, type, .build = build_##class,            \
                 .update = update_##class, .result = result_##class, .direction = 1)
AT(SensitivityAtSpecificity, specificity, tn_sensitivity_at_specificity_options, specificity,
   sensitivity, tn_sensitivity_at_specificity_metric_new)
AT(SpecificityAtSensitivity, sensitivity, tn_specificity_at_sensitivity_options, sensitivity,
   specificity, tn_specificity_at_sensitivity_metric_new)
AT(PrecisionAtRecall, recall, tn_precision_at_recall_options, sensitivity, precision_of,
   tn_precision_at_recall_metric_new)
AT(RecallAtPrecision, precision, tn_recall_at_precision_options, precision_of, sensitivity,
   tn_recall_at_precision_metric_new)
