/* confusion.c - as Keras's metrics_utils: by comparing with every threshold, or by buckets between
 * even ones. */
#include "train/confusion.h"
#include "ops/ops.h"
#include <math.h>

/* What is no candidate loses against every threshold. */
#define NEVER -1e10

/* --- thresholds ------------------------------------------------------------------------------- */
static tn_status copy_thresholds(const tn_tensor *given, double *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        list[i] = tn__double_at(given, (int64_t)i);
        if (!(list[i] >= 0 && list[i] <= 1))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Threshold values must be in [0, 1]. Received: [%g]", list[i]);
    }
    return TN_OK;
}

tn_status tn__read_thresholds(tn_tensor *given, double fallback, double **list, size_t *count)
{
    tn_tensor *value = NULL;
    *count = 1;
    if (given) {
        TN_TRY(tn__value_of(given, "a metric's thresholds", &value));
        *count = (size_t)tn__count(value);
    }
    *list = tn__scope_alloc((*count + 1) * sizeof **list);
    tn_status status = *list ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK && *count == 0)
        status = tn__fail(TN_INVALID_ARGUMENT, "a metric's thresholds: there is none");
    if (status == TN_OK && value)
        status = copy_thresholds(value, *list, *count);
    else if (status == TN_OK)
        **list = fallback;
    tn__release(value);
    return status;
}

double *tn__even_thresholds(size_t count)
{
    double *list = tn__scope_alloc(count * sizeof *list);
    for (size_t i = 0; list && i < count; i++)
        list[i] = count == 1 ? 0.5 : i == count - 1 ? 1 : (double)i / (double)(count - 1);
    return list;
}

bool tn__are_even(const double *list, size_t count)
{
    bool even = count >= 3;
    for (size_t i = 0; i < count && even; i++) {
        double step = (double)((float)i / (float)(count - 1));
        even = fabs(list[i] - step) <= 1e-7 + 1e-5 * step;
    }
    return even;
}

/* --- what counts ------------------------------------------------------------------------------ */
static tn_tensor *flat(tn_tensor *x)
{
    return tn_reshape(x, TN_SHAPE(TN_NONE));
}

static tn_tensor *in_shape_of(tn_tensor *x, tn_tensor *other)
{
    return other ? TN__APPLY(tn__op_BroadcastTo, NULL, x, tn__shape_tensor(other)) : NULL;
}

static tn_tensor *best_only(tn_tensor *y_pred, int64_t k)
{
    int64_t classes = y_pred->shape.known && y_pred->shape.rank > 0
                          ? y_pred->shape.dims[y_pred->shape.rank - 1]
                          : -1;
    if (classes < 0) {
        tn__fail(TN_INVALID_ARGUMENT, "top_k: the number of classes of y_pred %s is not known",
                 TN__SHAPE(y_pred->shape));
        return NULL;
    }
    tn_tensor *places = tn_at(tn_top_k(y_pred, k), 1);
    tn_tensor *chosen = tn_reduce_sum(tn_one_hot(places, classes, .dtype = (tn_dtype)y_pred->dtype),
                                      .axis = TN_AXES(-2));
    tn_tensor *others = tn_multiply(tn__like(y_pred, NEVER), tn__one_minus(chosen));
    return tn_add(tn_multiply(y_pred, chosen), others);
}

static tn_tensor *column(tn_tensor *x, int64_t class_id)
{
    if (!x)
        return NULL;
    if (x->shape.known && x->shape.rank == 1) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "When class_id is provided, y_pred must be a 2D array with shape (num_samples, "
                 "num_classes), found shape: %s",
                 TN__SHAPE(x->shape));
        return NULL;
    }
    return tn_gather(x, tn__ints(&class_id, 1), -1);
}

/* Of every answer, in y_pred's shape, NULL: 1 each. */
static tn_tensor *weights_of(const tn__counting *how, tn_tensor *y_pred, tn_tensor *sample_weight)
{
    tn_tensor *weight = sample_weight ? in_shape_of(sample_weight, y_pred) : NULL;
    if (!how->label_weights || how->multi_label)
        return weight;
    tn_tensor *label =
        in_shape_of(tn__to_dtype(how->label_weights, (tn_dtype)y_pred->dtype), y_pred);
    return weight ? tn_multiply(weight, label) : label;
}

/* --- by comparing ----------------------------------------------------------------------------- */
static tn_tensor *sum_where(tn_tensor *label, tn_tensor *answer, tn_tensor *weight, tn_dtype dtype)
{
    tn_tensor *both = tn_logical_and(label, answer);
    return tn_reduce_sum(weight ? tn_where(both, weight, tn__like(weight, 0))
                                : tn_cast(both, dtype),
                         .axis = TN_AXES(1));
}

static void add_to(tn_variable *variable, tn_tensor *sum)
{
    if (variable && sum)
        tn_assign_add(variable, sum);
}

static tn_tensor *threshold_column(const tn__counting *how, tn_dtype dtype)
{
    tn_shape shape = { 1, how->multi_label ? 3 : 2, { (int64_t)how->count, 1, 1 } };
    return tn_cast(tn_constant(TN_FLOAT64, shape, how->threshold), dtype);
}

/* All answers as a row, or with multi_label rows of columns, against a column of thresholds. */
static void compare(tn_variable *const *variable, const tn__counting *how, tn_tensor *y_true,
                    tn_tensor *y_pred, tn_tensor *weight)
{
    tn_dtype dtype = (tn_dtype)y_pred->dtype;
    tn_tensor *labels = tn_expand_dims(how->multi_label ? y_true : flat(y_true), 0);
    tn_tensor *outputs = tn_expand_dims(how->multi_label ? y_pred : flat(y_pred), 0);
    if (weight)
        weight = tn_expand_dims(how->multi_label ? weight : flat(weight), 0);
    tn_tensor *is_yes = tn_cast(labels, TN_BOOL), *is_no = tn_logical_not(is_yes);
    tn_tensor *said_yes = tn_greater(outputs, threshold_column(how, dtype)),
              *said_no = tn_logical_not(said_yes);
    add_to(variable[TN__TP], variable[TN__TP] ? sum_where(is_yes, said_yes, weight, dtype) : NULL);
    add_to(variable[TN__FP], variable[TN__FP] ? sum_where(is_no, said_yes, weight, dtype) : NULL);
    add_to(variable[TN__TN], variable[TN__TN] ? sum_where(is_no, said_no, weight, dtype) : NULL);
    add_to(variable[TN__FN], variable[TN__FN] ? sum_where(is_yes, said_no, weight, dtype) : NULL);
}

/* --- by buckets ------------------------------------------------------------------------------- */
/* Which threshold is the last one below: -1 for none. */
static tn_tensor *buckets_of(const tn__counting *how, tn_tensor *y_pred)
{
    y_pred = tn_clip_by_value(y_pred, tn__like(y_pred, 0), tn__like(y_pred, 1));
    tn_tensor *bucket =
        tn_subtract(tn_ceil(tn_multiply(y_pred, tn__like(y_pred, (double)how->count - 1))),
                    tn__like(y_pred, 1));
    bool beyond = how->threshold[0] < 0 || how->threshold[how->count - 1] > 1;
    return tn_cast(beyond ? tn_nn_relu(bucket) : bucket, TN_INT32);
}

/* Those above each threshold: sums by bucket, then running sums from the last one on. */
static tn_tensor *above(tn_tensor *amounts, tn_tensor *buckets, int64_t count)
{
    return tn_cumsum(tn_unsorted_segment_sum(amounts, buckets, count), .reverse = true);
}

/* Columns behind each other, each with buckets of its own; gives (thresholds, columns). */
static tn_tensor *above_by_column(tn_tensor *amounts, tn_tensor *buckets, int64_t count,
                                  int64_t columns)
{
    tn_tensor *first = tn_range(tn__int(0), tn__int(count * columns), tn__int(count));
    tn_tensor *sums =
        tn_unsorted_segment_sum(flat(amounts), flat(tn_add(buckets, first)), count * columns);
    return tn_transpose(tn_cumsum(tn_reshape(sums, TN_SHAPE(columns, count)), 1, .reverse = true),
                        TN_AXES(1, 0));
}

typedef struct {
    tn_tensor *above, *all; /* at each threshold, and together */
} amount;

static amount amount_of(const tn__counting *how, tn_tensor *answers, tn_tensor *buckets)
{
    int64_t count = (int64_t)how->count;
    if (!how->multi_label)
        return (amount){ above(answers, buckets, count), tn_reduce_sum(answers) };
    int64_t columns = answers ? answers->shape.dims[answers->shape.rank - 1] : 1;
    return (amount){ above_by_column(answers, buckets, count, columns),
                     tn_reduce_sum(answers, .axis = TN_AXES(0)) };
}

static void sort_into_buckets(tn_variable *const *variable, const tn__counting *how,
                              tn_tensor *y_true, tn_tensor *y_pred, tn_tensor *weight)
{
    tn_dtype dtype = (tn_dtype)y_pred->dtype;
    tn_tensor *yes = tn_cast(tn_cast(y_true, TN_BOOL), dtype),
              *buckets = buckets_of(how, how->multi_label ? y_pred : flat(y_pred));
    tn_tensor *no = tn__one_minus(yes);
    if (weight) {
        yes = tn_multiply(yes, weight);
        no = tn_multiply(no, weight);
    }
    amount right = amount_of(how, how->multi_label ? yes : flat(yes), buckets);
    amount wrong = amount_of(how, how->multi_label ? no : flat(no), buckets);
    add_to(variable[TN__TP], right.above);
    add_to(variable[TN__FP], wrong.above);
    add_to(variable[TN__TN], variable[TN__TN] ? tn_subtract(wrong.all, wrong.above) : NULL);
    add_to(variable[TN__FN], variable[TN__FN] ? tn_subtract(right.all, right.above) : NULL);
}

/* --- a batch --------------------------------------------------------------------------------- */
void tn__count_answers(tn_variable *const variable[TN__COUNTS], const tn__counting *how,
                       tn_tensor *y_true, tn_tensor *y_pred, tn_tensor *sample_weight)
{
    tn_dtype dtype = TN_FLOAT32;
    for (int i = 0; i < TN__COUNTS; i++)
        if (variable[i])
            dtype = (tn_dtype)variable[i]->dtype;
    if (!tn__check_tensor(y_true, "y_true") || !tn__check_tensor(y_pred, "y_pred"))
        return;
    y_true = tn__to_dtype(y_true, dtype);
    y_pred = tn__to_dtype(y_pred, dtype);
    tn__same_rank(&y_pred, &y_true, true);
    if (sample_weight) {
        tn_tensor *labels = y_true;
        sample_weight = tn_expand_dims(tn__to_dtype(sample_weight, dtype), -1);
        tn__same_rank(&labels, &sample_weight, false);
    }
    if (y_pred && how->top_k != INT64_MIN)
        y_pred = best_only(y_pred, how->top_k);
    if (y_pred && how->class_id != INT64_MIN) {
        y_true = column(y_true, how->class_id);
        y_pred = column(y_pred, how->class_id);
    }
    if (!y_true || !y_pred)
        return;
    (how->even ? sort_into_buckets : compare)(variable, how, y_true, y_pred,
                                              weights_of(how, y_pred, sample_weight));
}
