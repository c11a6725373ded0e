/* metrics_accuracy.c - how often a prediction is right: 1 or 0 for each sample. */
#include "train/metric_class.h"

static tn_tensor *as_numbers(tn_tensor *yes_or_no)
{
    return tn_cast(yes_or_no, TN_FLOAT32);
}

static int64_t last_dim(const tn_shape *shape)
{
    return shape->known && shape->rank > 0 ? shape->dims[shape->rank - 1] : TN_NONE;
}

static tn_tensor *in_shape_of(tn_tensor *x, tn_tensor *other)
{
    return TN__APPLY(tn__op_Reshape, NULL, x, tn__shape_tensor(other));
}

static tn_tensor *best_class(tn_tensor *scores)
{
    return tn_argmax(scores, -1);
}

/* --- equal ------------------------------------------------------------------------------------ */
static tn_tensor *equal_values(tn_tensor *y_true, tn_tensor *y_pred)
{
    if (!tn__check_tensor(y_true, "y_true") || !tn__check_tensor(y_pred, "y_pred"))
        return NULL;
    y_true = tn__to_dtype(y_true, (tn_dtype)y_pred->dtype);
    tn__same_rank(&y_true, &y_pred, true);
    return as_numbers(tn_equal(y_true, y_pred));
}
MEAN_METRIC(Accuracy, NULL, tn_accuracy_metric_new, "accuracy", equal_values, 1)

/* --- binary ----------------------------------------------------------------------------------- */
typedef struct {
    tn_binary_accuracy_options o;
} binary;
static const tn_field binary_fields[] = {
    TN__METRIC_ROWS(binary, "binary_accuracy"),
    TN__OPTION(TN_FIELD_FLOAT, binary, threshold, "0.5", NULL),
    TN__END_OF_FIELDS,
};
static tn_tensor *binary_values(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                                tn_tensor **mask)
{
    (void)mask;
    if (!tn__check_tensor(y_true, "y_true") || !tn__check_tensor(y_pred, "y_pred"))
        return NULL;
    if (!tn__in(TN__FLOATS, (tn_dtype)y_pred->dtype))
        y_pred = tn_cast(y_pred, TN_FLOAT32);
    tn__same_rank(&y_true, &y_pred, true);
    if (!y_true)
        return NULL;
    tn_tensor *yes = tn_greater(y_pred, tn__like(y_pred, ((const binary *)self)->o.threshold));
    return as_numbers(tn_equal(y_true, tn__to_dtype(yes, (tn_dtype)y_true->dtype)));
}
METRIC_CLASS(BinaryAccuracy, NULL, tn_binary_accuracy_metric_new, binary,
             tn_binary_accuracy_options, .values = binary_values, .direction = 1)

/* --- of classes ------------------------------------------------------------------------------- */
static tn_tensor *categorical_values(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn_tensor *label = best_class(y_true), *shaped = label;
    if (!label || !tn__check_tensor(y_pred, "y_pred"))
        return NULL;
    bool one_more =
        label->shape.known && y_pred->shape.known && label->shape.rank == y_pred->shape.rank;
    if (one_more)
        label = tn_squeeze(label, TN_AXES(-1));
    tn_tensor *matches = as_numbers(tn_equal(label, best_class(y_pred)));
    return one_more ? in_shape_of(matches, shaped) : matches;
}
MEAN_METRIC(CategoricalAccuracy, NULL, tn_categorical_accuracy_metric_new, "categorical_accuracy",
            categorical_values, 1)

/* Class numbers are compared as y_pred's floats, as Keras does it. */
static tn_tensor *sparse_values(tn_tensor *y_true, tn_tensor *y_pred)
{
    tn__floats(&y_true, &y_pred);
    if (!y_true || !y_pred)
        return NULL;
    tn_tensor *given = y_true;
    bool column = y_true->shape.known && y_pred->shape.known &&
                  y_true->shape.rank == y_pred->shape.rank && last_dim(&y_true->shape) == 1;
    if (column)
        y_true = tn_squeeze(y_true, TN_AXES(-1));
    tn_tensor *matches =
        as_numbers(tn_equal(y_true, tn_cast(best_class(y_pred), (tn_dtype)y_pred->dtype)));
    if (column)
        matches = in_shape_of(matches, given);
    return matches && matches->shape.rank > 1 && last_dim(&matches->shape) == 1
               ? tn_squeeze(matches, TN_AXES(-1))
               : matches;
}
MEAN_METRIC(SparseCategoricalAccuracy, NULL, tn_sparse_categorical_accuracy_metric_new,
            "sparse_categorical_accuracy", sparse_values, 1)

/* --- among the best k ------------------------------------------------------------------------- */
static tn_tensor *as_rows(tn_tensor *scores)
{
    if (!scores || !scores->shape.known || scores->shape.rank <= 2)
        return scores;
    int64_t dims[] = { TN_NONE, last_dim(&scores->shape) };
    if (dims[1] < 0) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "top_k accuracy: the number of classes of y_pred %s is not known",
                 TN__SHAPE(scores->shape));
        return NULL;
    }
    return tn_reshape(scores, TN_SHAPE(dims[0], dims[1]));
}

static tn_tensor *as_vector(tn_tensor *labels)
{
    return labels && labels->shape.known && labels->shape.rank > 1
               ? tn_reshape(labels, TN_SHAPE(TN_NONE))
               : labels;
}

/* matches in the shape that labels have, which were made a vector. */
static tn_tensor *shaped_as(tn_tensor *matches, tn_tensor *labels)
{
    return labels && labels->shape.known && labels->shape.rank > 1 ? in_shape_of(matches, labels)
                                                                   : matches;
}

static tn_tensor *top_k(tn_tensor *labels, tn_tensor *scores, int64_t k)
{
    tn_tensor *found = tn_in_top_k(as_vector(labels), tn__to_dtype(as_rows(scores), TN_FLOAT32), k);
    return shaped_as(as_numbers(found), labels);
}

typedef struct {
    tn_top_k_options o;
} top_k_accuracy;
static const tn_field top_k_accuracy_fields[] = {
    TN__OPTION(TN_FIELD_INT, top_k_accuracy, k, "5", "> 0"),
    TN__METRIC_ROWS(top_k_accuracy, "top_k_categorical_accuracy"),
    TN__END_OF_FIELDS,
};
static tn_tensor *top_k_values(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                               tn_tensor **mask)
{
    (void)mask;
    return top_k(tn_cast(best_class(y_true), TN_INT32), y_pred,
                 ((const top_k_accuracy *)self)->o.k);
}
METRIC_CLASS(TopKCategoricalAccuracy, NULL, tn_top_k_categorical_accuracy_metric_new,
             top_k_accuracy, tn_top_k_options, .values = top_k_values, .direction = 1)

typedef struct {
    tn_sparse_top_k_options o;
} sparse_top_k_accuracy;
static const tn_field sparse_top_k_accuracy_fields[] = {
    TN__OPTION(TN_FIELD_INT, sparse_top_k_accuracy, k, "5", "> 0"),
    TN__METRIC_ROWS(sparse_top_k_accuracy, "sparse_top_k_categorical_accuracy"),
    TN__OPTION(TN_FIELD_FLAG, sparse_top_k_accuracy, from_sorted_ids, "false", NULL),
    TN__END_OF_FIELDS,
};

/* Is the label among the first k class numbers of its row? */
static tn_tensor *among_first(tn_tensor *labels, tn_tensor *ids, int64_t k)
{
    tn_tensor *first = tn_strided_slice(as_rows(ids), .begin = TN_SHAPE(0, 0),
                                        .end = TN_SHAPE(0, k), .begin_mask = 3, .end_mask = 1);
    tn_tensor *same = tn_equal(tn_expand_dims(as_vector(labels), 1), first);
    return shaped_as(as_numbers(tn_reduce_any(same, .axis = TN_AXES(1))), labels);
}

static tn_tensor *sparse_top_k_values(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                                      tn_tensor **mask)
{
    (void)mask;
    const tn_sparse_top_k_options *o = &((const sparse_top_k_accuracy *)self)->o;
    if (!tn__check_tensor(y_true, "y_true") || !tn__check_tensor(y_pred, "y_pred"))
        return NULL;
    if (o->from_sorted_ids)
        return among_first(tn__to_dtype(y_true, (tn_dtype)y_pred->dtype), y_pred, o->k);
    return top_k(tn__to_dtype(y_true, TN_INT32), y_pred, o->k);
}
METRIC_CLASS(SparseTopKCategoricalAccuracy, NULL, tn_sparse_top_k_categorical_accuracy_metric_new,
             sparse_top_k_accuracy, tn_sparse_top_k_options, .values = sparse_top_k_values,
             .direction = 1)
