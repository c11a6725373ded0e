/* losses_crossentropy.c - losses between labels and probabilities, or their logits. */
#include "autodiff/tape.h"
#include "base/log.h"
#include "train/loss_class.h"

/* Keras's epsilon: how near to 0 and 1 probabilities may come. */
#define EPSILON 1e-7

/* --- back to the logits ----------------------------------------------------------------------- */
/* What x was computed from when the op made it: in a graph by its node, else as far as an open tape
 * remembers. */
static tn_tensor *made_from(const tn_tensor *x, const tn__op *op)
{
    if (x->form == TN__SYMBOLIC)
        return x->of.output.node->op == op ? x->of.output.node->input[0] : NULL;
    for (const struct tn_tape *tape = tn__context()->tapes; tape; tape = tape->outer)
        for (size_t i = tape->record.count; i-- > 0;)
            if (tape->record.item[i].op == op && tape->record.item[i].output[0] == x)
                return tape->record.item[i].input[0];
    return NULL;
}

/* Probabilities lose what lies near 0 and 1, so a loss takes the logits where it can get at them.
 */
static tn_tensor *logits_of(tn_tensor *output, const tn__op *op, bool *from_logits,
                            const char *loss)
{
    tn_tensor *logits = made_from(output, op);
    if (!logits)
        return output;
    if (*from_logits)
        tn__warn("\"`%s` received `from_logits=True`, but the `output` argument was produced by a "
                 "%s activation and thus does not "
                 "represent logits. Was this intended?",
                 loss, op->name);
    *from_logits = true;
    return logits;
}

static tn_tensor *inside(tn_tensor *probability)
{
    return tn_clip_by_value(probability, tn__like(probability, EPSILON),
                            tn__like(probability, 1.0 - EPSILON));
}

/* --- labels ----------------------------------------------------------------------------------- */
static tn_status fail_shapes(const char *text, const char *loss, const tn_tensor *target,
                             const tn_tensor *output, const char *hint)
{
    return tn__fail(
        TN_INVALID_ARGUMENT,
        "%starget.shape=%s, output.shape=%s\n%s: y_true is the target, y_pred the output%s", text,
        TN__SHAPE(target->shape), TN__SHAPE(output->shape), loss, hint);
}

static tn_status check_alike(const tn_tensor *target, const tn_tensor *output, const char *loss,
                             const char *hint)
{
    const tn_shape *a = &target->shape, *b = &output->shape;
    if (!a->known || !b->known)
        return TN_OK;
    if (a->rank != b->rank)
        return fail_shapes(
            "Arguments `target` and `output` must have the same rank (ndim). Received: ", loss,
            target, output, hint);
    if (!tn__shape_fits(a, b))
        return fail_shapes("Arguments `target` and `output` must have the same shape. Received: ",
                           loss, target, output, hint);
    return TN_OK;
}

tn_tensor *tn__smooth(tn_tensor *labels, double s, tn_tensor *share)
{
    return tn_add(tn_multiply(labels, tn__like(labels, 1.0 - s)), share);
}

tn_tensor *tn__classes_of(tn_tensor *x)
{
    const tn_shape *shape = &x->shape;
    if (shape->known && shape->rank > 0 && shape->dims[shape->rank - 1] >= 0)
        return tn__like(x, (double)shape->dims[shape->rank - 1]);
    tn_tensor *last = tn_strided_slice(tn_shape_tensor(x), .begin = TN_SHAPE(-1),
                                       .end = TN_SHAPE(0), .end_mask = 1, .shrink_axis_mask = 1);
    return tn_cast(last, (tn_dtype)x->dtype);
}

/* --- binary ----------------------------------------------------------------------------------- */
/* -(t log p + (1 - t) log(1 - p)) */
tn_tensor *tn__binary_values(tn_tensor *target, tn_tensor *output, bool from_logits)
{
    static const char *const hint = ", one probability for each label";
    if (!target || !output)
        return NULL;
    if (check_alike(target, output, "binary_crossentropy", hint) != TN_OK)
        return NULL;
    output = logits_of(output, &tn__op_Sigmoid, &from_logits, "binary_crossentropy");
    if (from_logits)
        return tn_nn_sigmoid_cross_entropy_with_logits(target, output);
    output = inside(output);
    tn_tensor *yes = tn_multiply(target, tn_log(output));
    return tn_negative(
        tn_add(yes, tn_multiply(tn__one_minus(target), tn_log(tn__one_minus(output)))));
}

tn_tensor *tn__binary_crossentropy(tn_tensor *y_true, tn_tensor *y_pred, bool from_logits,
                                   double label_smoothing, int axis)
{
    tn__floats(&y_true, &y_pred);
    if (label_smoothing != 0)
        y_true = tn__smooth(y_true, label_smoothing, tn__like(y_true, 0.5 * label_smoothing));
    return tn_reduce_mean(tn__binary_values(y_true, y_pred, from_logits), .axis = TN_AXES(axis));
}

/* --- categorical ------------------------------------------------------------------------------ */
static tn_tensor *axis_to_end(tn_tensor *x, int axis)
{
    int at, rank = x->shape.rank;
    if (axis == -1 || !x->shape.known)
        return x;
    if (!tn__axis(axis, rank, &at)) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "categorical_crossentropy: axis %d is outside of y_pred's shape %s", axis,
                 TN__SHAPE(x->shape));
        return NULL;
    }
    tn_axes permutation = { .count = rank };
    for (int i = 0; i < rank; i++)
        permutation.axis[i] = i == rank - 1 ? at : i + (i >= at);
    return tn_transpose(x, permutation);
}

/* -Σ t log(p / Σ p) */
static tn_tensor *categorical_values(tn_tensor *target, tn_tensor *output, bool from_logits,
                                     int axis)
{
    static const char *const hint =
        ", both (…, classes); sparse_categorical_crossentropy takes class numbers";
    if (target->shape.known && target->shape.rank < 1) {
        (void)!fail_shapes("Arguments `target` and `output` must be at least rank 1. Received: ",
                           "categorical_crossentropy", target, output, hint);
        return NULL;
    }
    if (check_alike(target, output, "categorical_crossentropy", hint) != TN_OK)
        return NULL;
    output = logits_of(output, &tn__op_Softmax, &from_logits, "categorical_crossentropy");
    if (from_logits)
        return tn_nn_softmax_cross_entropy_with_logits(axis_to_end(target, axis),
                                                       axis_to_end(output, axis));
    output = tn_divide(output, tn_reduce_sum(output, .axis = TN_AXES(axis), .keepdims = true));
    return tn_negative(
        tn_reduce_sum(tn_multiply(target, tn_log(inside(output))), .axis = TN_AXES(axis)));
}

tn_tensor *tn__categorical_crossentropy(tn_tensor *y_true, tn_tensor *y_pred, bool from_logits,
                                        double label_smoothing, int axis)
{
    tn__floats(&y_true, &y_pred);
    if (!y_true || !y_pred)
        return NULL;
    const tn_shape *shape = &y_pred->shape;
    if (shape->known && shape->rank > 0 && shape->dims[shape->rank - 1] == 1)
        tn__warn(
            "In loss categorical_crossentropy, expected y_pred.shape to be (batch_size, "
            "num_classes) with num_classes > 1. Received: "
            "y_pred.shape=%s. Consider using 'binary_crossentropy' if you only have 2 classes.",
            TN__SHAPE(*shape));
    if (label_smoothing != 0)
        y_true = tn__smooth(y_true, label_smoothing,
                            tn_divide(tn__like(y_true, label_smoothing), tn__classes_of(y_true)));
    return y_true ? categorical_values(y_true, y_pred, from_logits, axis) : NULL;
}

/* --- sparse ----------------------------------------------------------------------------------- */
static tn_status check_sparse(const tn_tensor *target, const tn_tensor *output)
{
    static const char *const loss = "sparse_categorical_crossentropy";
    static const char *const hint =
        ": class numbers (…) for (…, classes); categorical_crossentropy takes one-hot labels";
    const tn_shape *a = &target->shape, *b = &output->shape;
    if (b->known && b->rank < 1)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Argument `output` must be at least rank 1. Received: output.shape=%s\n%s: "
                        "y_pred is a number",
                        TN__SHAPE(*b), loss);
    if (!a->known || !b->known)
        return TN_OK;
    if (a->rank != b->rank - 1)
        return fail_shapes("Argument `output` must have rank (ndim) `target.ndim - 1`. Received: ",
                           loss, target, output, hint);
    tn_shape leading = *b;
    leading.rank--;
    if (!tn__shape_fits(a, &leading))
        return fail_shapes("Arguments `target` and `output` must have the same shape up until the "
                           "last dimension: ",
                           loss, target, output, hint);
    return TN_OK;
}

static tn_tensor *without_last_one(tn_tensor *labels, const tn_shape *output)
{
    const tn_shape *shape = &labels->shape;
    bool one = shape->known && output->known && shape->rank == output->rank && shape->rank > 0 &&
               shape->dims[shape->rank - 1] == 1;
    return one ? tn_squeeze(labels, TN_AXES(-1)) : labels;
}

/* -log p[t], where p is made to sum to 1 */
static tn_tensor *sparse_values(tn_tensor *target, tn_tensor *output, bool from_logits)
{
    output = logits_of(output, &tn__op_Softmax, &from_logits, "sparse_categorical_crossentropy");
    target = tn__to_dtype(target, TN_INT64);
    if (!target || check_sparse(target, output) != TN_OK)
        return NULL;
    return tn_nn_sparse_softmax_cross_entropy_with_logits(
        target, from_logits ? output : tn_log(inside(output)));
}

/* Samples of the ignored class become class 0 with no logits at all, and their values 0. */
static tn_tensor *sparse_with_ignored(tn_tensor *y_true, tn_tensor *y_pred, bool from_logits,
                                      int64_t ignore_class, tn_tensor **mask)
{
    tn_tensor *counts = tn_not_equal(y_true, tn__like(y_true, (double)ignore_class));
    y_true = tn_where(counts, y_true, tn__like(y_true, 0));
    y_pred = tn_where(tn_expand_dims(counts, -1), y_pred, tn__like(y_pred, 0));
    tn_tensor *values = y_true && y_pred ? sparse_values(y_true, y_pred, from_logits) : NULL;
    *mask = counts;
    return tn_where(counts, values, tn__like(values, 0));
}

tn_tensor *tn__sparse_categorical_crossentropy(tn_tensor *y_true, tn_tensor *y_pred,
                                               bool from_logits, int64_t ignore_class, int axis,
                                               tn_tensor **mask)
{
    tn__floats(&y_true, &y_pred);
    if (!y_true || !y_pred)
        return NULL;
    if (axis != -1 && !(y_pred->shape.known && axis == y_pred->shape.rank - 1)) {
        tn__fail(TN_INVALID_ARGUMENT, "Only axis=-1 is currently supported. Received: axis=%d",
                 axis);
        return NULL;
    }
    y_true = without_last_one(y_true, &y_pred->shape);
    if (ignore_class != INT64_MIN)
        return sparse_with_ignored(y_true, y_pred, from_logits, ignore_class, mask);
    return y_true ? sparse_values(y_true, y_pred, from_logits) : NULL;
}

/* --- classes ---------------------------------------------------------------------------------- */
typedef struct {
    tn_crossentropy_options o;
    const char *fn;
} crossentropy;
#define CROSSENTROPY_ROWS(name_)                                                \
    TN__OPTION(TN_FIELD_FLAG, crossentropy, from_logits, "false", NULL),        \
        TN__OPTION(TN_FIELD_FLOAT, crossentropy, label_smoothing, "0", "0..1"), \
        TN__OPTION(TN_FIELD_AXIS, crossentropy, axis, "-1", NULL),              \
        TN__LOSS_ROWS(crossentropy, name_), TN__END_OF_FIELDS

typedef crossentropy binary;
static const tn_field binary_fields[] = { CROSSENTROPY_ROWS("binary_crossentropy") };
static tn_tensor *call_binary(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                              tn_tensor **mask)
{
    (void)mask;
    const tn_crossentropy_options *o = &((const crossentropy *)self)->o;
    return tn__binary_crossentropy(y_true, y_pred, o->from_logits, o->label_smoothing, o->axis);
}
LOSS_CLASS(BinaryCrossentropy, tn_binary_crossentropy_new, binary, tn_crossentropy_options,
           call_binary, .aliases = "bce|BCE")

typedef crossentropy categorical;
static const tn_field categorical_fields[] = { CROSSENTROPY_ROWS("categorical_crossentropy") };
static tn_tensor *call_categorical(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                                   tn_tensor **mask)
{
    (void)mask;
    const tn_crossentropy_options *o = &((const crossentropy *)self)->o;
    return tn__categorical_crossentropy(y_true, y_pred, o->from_logits, o->label_smoothing,
                                        o->axis);
}
LOSS_CLASS(CategoricalCrossentropy, tn_categorical_crossentropy_new, categorical,
           tn_crossentropy_options, call_categorical)

typedef struct {
    tn_sparse_categorical_crossentropy_options o;
    const char *fn;
} sparse;
static const tn_field sparse_fields[] = {
    TN__OPTION(TN_FIELD_FLAG, sparse, from_logits, "false", NULL),
    TN__OPTION(TN_FIELD_INT, sparse, ignore_class, "none", NULL),
    TN__LOSS_ROWS(sparse, "sparse_categorical_crossentropy"),
    TN__END_OF_FIELDS,
};
static tn_tensor *call_sparse(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                              tn_tensor **mask)
{
    const tn_sparse_categorical_crossentropy_options *o = &((const sparse *)self)->o;
    return tn__sparse_categorical_crossentropy(y_true, y_pred, o->from_logits, o->ignore_class, -1,
                                               mask);
}
LOSS_CLASS(SparseCategoricalCrossentropy, tn_sparse_categorical_crossentropy_new, sparse,
           tn_sparse_categorical_crossentropy_options, call_sparse)

/* "crossentropy": which one shows with the data. */
static const tn_field fitting_fields[] = { TN__LOSS_ROWS(plain_loss, "crossentropy"),
                                           TN__END_OF_FIELDS };
static tn_tensor *call_fitting(const void *self, tn_tensor *y_true, tn_tensor *y_pred,
                               tn_tensor **mask)
{
    (void)self;
    tn__labels labels = tn__labels_of(&y_true->shape, &y_pred->shape);
    tn__same_rank(&y_true, &y_pred, true);
    return labels == TN__BINARY ? tn__binary_crossentropy(y_true, y_pred, false, 0, -1)
           : labels == TN__SPARSE
               ? tn__sparse_categorical_crossentropy(y_true, y_pred, false, INT64_MIN, -1, mask)
               : tn__categorical_crossentropy(y_true, y_pred, false, 0, -1);
}
static const tn__loss_methods fitting_methods = { .call = call_fitting, .as_given = true };
const tn__object_class tn__loss_crossentropy = {
    .kind = TN__LOSS,
    .name = "crossentropy",
    .aliases = "ce|CE|Crossentropy",
    .fields = fitting_fields,
    .size = sizeof(plain_loss),
    .options_size = sizeof(tn_loss_options),
    .methods = &fitting_methods,
    .newer_fields = TN__LOSS_NEWER_FIELDS,
};
