/* metrics_auc.c - the area under a curve of two shares, drawn through many thresholds. */
#include "train/confusion.h"
#include "train/metric_class.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct {
    tn_auc_options o;
} auc;
static const tn_field auc_fields[] = {
    TN__OPTION(TN_FIELD_INT, auc, num_thresholds, "200", "> 1"),
    TN__OPTION(TN_FIELD_STRING, auc, curve, "ROC", "ROC|PR|PRGAIN|roc|pr|prgain"),
    TN__OPTION(TN_FIELD_STRING, auc, summation_method, "interpolation",
               "interpolation|majoring|minoring|Interpolation|Majoring|Minoring"),
    TN__METRIC_ROWS(auc, "none"),
    TN__OPTION(TN_FIELD_TENSOR, auc, thresholds, "none", NULL),
    TN__OPTION(TN_FIELD_FLAG, auc, multi_label, "false", NULL),
    TN__OPTION(TN_FIELD_INT, auc, num_labels, "none", "> 0"),
    TN__OPTION(TN_FIELD_TENSOR, auc, label_weights, "none", NULL),
    TN__OPTION(TN_FIELD_FLAG, auc, from_logits, "false", NULL),
    TN__END_OF_FIELDS,
};

/* A little beyond 0 and 1 at the ends, so that every y_pred is above the first and below the last.
 */
#define EPSILON 1e-7

static const tn_auc_options *options_of(const tn_metric *metric)
{
    return &((const auc *)metric->thing.self)->o;
}

/* --- thresholds ------------------------------------------------------------------------------- */
static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between 0 and 1 in order: the program's, or even ones. */
static tn_status counting(const tn_metric *metric, tn__counting *how)
{
    const tn_auc_options *o = options_of(metric);
    *how = (tn__counting){ .count = (size_t)o->num_thresholds,
                           .even = true,
                           .top_k = INT64_MIN,
                           .class_id = INT64_MIN,
                           .multi_label = o->multi_label,
                           .label_weights = o->label_weights };
    double *list = tn__even_thresholds(how->count), *given;
    size_t count;
    if (!list)
        return TN_RESOURCE_EXHAUSTED;
    if (o->thresholds) {
        TN_TRY(tn__read_thresholds(o->thresholds, 0, &given, &count));
        qsort(given, count, sizeof *given, by_size);
        memcpy(list + 1, given, count * sizeof *given);
        how->even = tn__are_even(list, how->count);
    }
    list[0] = -EPSILON;
    list[how->count - 1] = 1 + EPSILON;
    how->threshold = list;
    return TN_OK;
}

/* --- variables -------------------------------------------------------------------------------- */
static void add_variables(tn_metric *metric, tn_shape shape)
{
    static const char *const names[TN__COUNTS] = { "true_positives", "false_positives",
                                                   "true_negatives", "false_negatives" };
    for (int i = 0; i < TN__COUNTS; i++)
        if (!tn__metric_variable(metric, shape, names[i]))
            return;
}

/* The number of labels shows with the first y_pred when nobody said it; 0: not yet, or an error. */
static int64_t labels_of(const tn_auc_options *o, const tn_tensor *y_pred)
{
    if (o->num_labels != INT64_MIN || !y_pred)
        return o->num_labels == INT64_MIN ? 0 : o->num_labels;
    const tn_shape *shape = &y_pred->shape;
    if (shape->known && shape->rank == 2 && shape->dims[1] >= 0)
        return shape->dims[1];
    tn__fail(TN_INVALID_ARGUMENT,
             "`y_pred` must have rank 2 when `multi_label=True`. Found rank %d. Full shape "
             "received for `y_pred`: %s",
             shape->rank, TN__SHAPE(*shape));
    return 0;
}

static void auc_build(tn_metric *metric, tn_tensor *y_pred)
{
    tn_auc_options *o = &((auc *)metric->thing.self)->o;
    tn__counting how;
    if (o->thresholds)
        o->num_thresholds = tn__count(o->thresholds) + 2;
    if (!o->multi_label && o->num_labels != INT64_MIN)
        tn__fail(TN_INVALID_ARGUMENT, "`num_labels` is needed only when `multi_label` is True.");
    else if (counting(metric, &how) != TN_OK)
        return;
    else if (!o->multi_label)
        add_variables(metric, TN_SHAPE(o->num_thresholds));
    else if (labels_of(o, y_pred) > 0)
        add_variables(metric, TN_SHAPE(o->num_thresholds, labels_of(o, y_pred)));
}

static void auc_update(tn_metric *metric, tn_tensor *y_true, tn_tensor *y_pred,
                       tn_tensor *sample_weight)
{
    tn__counting how;
    if (counting(metric, &how) != TN_OK)
        return;
    if (options_of(metric)->from_logits)
        y_pred = tn_sigmoid(y_pred);
    tn__count_answers(metric->variable.item, &how, y_true, y_pred, sample_weight);
}

/* --- the curve -------------------------------------------------------------------------------- */
/* x at each threshold but the last, and but the first. */
typedef struct {
    tn_tensor *left, *right;
} ends;

static ends ends_of(tn_tensor *x, int64_t thresholds)
{
    return (ends){ tn_rows(x, 0, thresholds - 1), tn_rows(x, 1, thresholds) };
}

static tn_tensor *share(tn_tensor *part, tn_tensor *rest)
{
    return tn_divide_no_nan(part, tn_add(part, rest));
}

static tn_tensor *not_below_0(tn_tensor *x)
{
    return tn_maximum(x, tn__like(x, 0));
}

/* Davis and Goadrich: between two points of a precision-recall curve true positives grow with all
 * positives at a steady rate. */
static tn_tensor *precision_recall_areas(tn_variable *const *v, int64_t thresholds)
{
    ends tp = ends_of(v[TN__TP], thresholds), fn = ends_of(v[TN__FN], thresholds);
    ends p = ends_of(tn_add(v[TN__TP], v[TN__FP]), thresholds);
    tn_tensor *zero = tn__like(p.left, 0), *dtp = tn_subtract(tp.left, tp.right);
    tn_tensor *slope = tn_divide_no_nan(dtp, not_below_0(tn_subtract(p.left, p.right)));
    tn_tensor *intercept = tn_subtract(tp.right, tn_multiply(slope, p.right));
    tn_tensor *both = tn_logical_and(tn_greater(p.left, zero), tn_greater(p.right, zero));
    tn_tensor *ratio =
        tn_where(both, tn_divide_no_nan(p.left, not_below_0(p.right)), tn__like(p.left, 1));
    tn_tensor *area = tn_multiply(slope, tn_add(dtp, tn_multiply(intercept, tn_log(ratio))));
    return tn_divide_no_nan(area, not_below_0(tn_add(tp.right, fn.right)));
}

/* 1 - positives / negatives · wrong / right; where nothing is right yet, what is said of it */
static tn_tensor *gain(tn_variable *const *v, tn_tensor *wrong, double when_none)
{
    tn_tensor *scale = tn_divide_no_nan(tn_add(v[TN__TP], v[TN__FN]), tn_add(v[TN__TN], v[TN__FP]));
    tn_tensor *value = tn__one_minus(tn_multiply(scale, tn_divide_no_nan(wrong, v[TN__TP])));
    return tn_where(tn_equal(v[TN__TP], tn__like(v[TN__TP], 0)), tn__like(value, when_none), value);
}

static void curve_of(const tn_auc_options *o, tn_variable *const *v, tn_tensor **x, tn_tensor **y)
{
    tn_tensor *recall = share(v[TN__TP], v[TN__FN]);
    if (strcasecmp(o->curve, "ROC") == 0) {
        *x = share(v[TN__FP], v[TN__TN]);
        *y = recall;
    } else if (strcasecmp(o->curve, "PR") == 0) {
        *x = recall;
        *y = share(v[TN__TP], v[TN__FP]);
    } else {
        *x = not_below_0(gain(v, v[TN__FN], 0));
        *y = gain(v, v[TN__FP], 1);
    }
}

/* Between neighbours the mean height, the lower or the greater one. */
static tn_tensor *rectangles(const tn_auc_options *o, tn_variable *const *v)
{
    tn_tensor *curve_x, *curve_y;
    curve_of(o, v, &curve_x, &curve_y);
    ends x = ends_of(curve_x, o->num_thresholds), y = ends_of(curve_y, o->num_thresholds);
    tn_tensor *height = strcasecmp(o->summation_method, "interpolation") == 0
                            ? tn_divide(tn_add(y.left, y.right), tn__like(y.left, 2))
                        : strcasecmp(o->summation_method, "minoring") == 0
                            ? tn_minimum(y.left, y.right)
                            : tn_maximum(y.left, y.right);
    return tn_multiply(tn_subtract(x.left, x.right), height);
}

static tn_tensor *auc_result(tn_metric *metric)
{
    const tn_auc_options *o = options_of(metric);
    tn_variable *const *v = metric->variable.item;
    bool steady =
        strcasecmp(o->curve, "PR") == 0 && strcasecmp(o->summation_method, "interpolation") == 0;
    tn_tensor *areas = steady ? precision_recall_areas(v, o->num_thresholds) : rectangles(o, v);
    if (!o->multi_label)
        return tn_reduce_sum(areas);
    tn_tensor *by_label = tn_reduce_sum(areas, .axis = TN_AXES(0));
    if (!o->label_weights)
        return tn_reduce_mean(by_label);
    tn_tensor *weights = tn__to_dtype(o->label_weights, metric->dtype);
    return tn_divide_no_nan(tn_reduce_sum(tn_multiply(by_label, weights)), tn_reduce_sum(weights));
}

static const tn__metric_methods auc_methods = {
    .build = auc_build,
    .update = auc_update,
    .result = auc_result,
    .direction = 1,
};
const tn__object_class tn__metric_AUC = {
    .kind = TN__METRIC,
    .name = "AUC",
    .fields = auc_fields,
    .size = sizeof(auc),
    .options_size = sizeof(tn_auc_options),
    .methods = &auc_methods,
    .newer_fields = "thresholds",
};

tn_metric *tn_auc_metric_new(const tn_auc_options *options)
{
    return tn__metric_from_options(&tn__metric_AUC, options);
}
