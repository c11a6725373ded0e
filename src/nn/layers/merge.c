/* merge.c - layers that make one tensor of several: sums, products, extremes, Concatenate */
#include "nn/layers/layers.h"
#include "ops/ops.h"

/* "[(None, 4), (None, 3)]", as Keras prints them. */
static const char *shapes_text(tn_list inputs)
{
    tn__text text = { 0 };
    for (size_t i = 0; i < inputs.count; i++)
        tn__text_add(&text, "%s%s", i ? ", " : "[", TN__SHAPE(inputs.item[i]->shape));
    tn__text_add(&text, "]");
    const char *kept = tn__scope_strdup(tn__text_get(&text));
    tn__text_free(&text);
    return kept ? kept : "";
}

static bool none_is_missing(tn_list inputs)
{
    for (size_t i = 0; i < inputs.count; i++)
        if (!inputs.item[i]->shape.known || inputs.item[i]->shape.rank == 0)
            return false;
    return inputs.count > 0;
}

/* --- element by element -------------------------------------------------------------------------
 */
/* Where ranks differ, Keras puts dimensions of 1 behind the batch. */
static tn_tensor *raise_rank(tn_tensor *x, int rank)
{
    while (x && x->shape.known && x->shape.rank < rank)
        x = tn_expand_dims(x, 1);
    return x;
}

static bool check_batches(tn_list inputs)
{
    int64_t batch = TN_NONE;
    for (size_t i = 0; i < inputs.count; i++) {
        int64_t own = inputs.item[i]->shape.dims[0];
        if (own >= 0 && batch >= 0 && own != batch) {
            tn__fail(
                TN_INVALID_ARGUMENT,
                "Cannot merge tensors with different batch sizes. Received tensors with shapes %s",
                shapes_text(inputs));
            return false;
        }
        batch = own >= 0 ? own : batch;
    }
    return true;
}

/* The shape without the batch. */
static tn_shape row_of(const tn_tensor *x)
{
    tn_shape row = { 1, x->shape.rank - 1, { 0 } };
    for (int i = 0; i < row.rank; i++)
        row.dims[i] = x->shape.dims[i + 1];
    return row;
}

static bool check_rows(tn_list inputs)
{
    tn_shape all = row_of(inputs.item[0]);
    for (size_t i = 1; i < inputs.count; i++) {
        tn_shape row = row_of(inputs.item[i]), merged;
        if (!tn__shape_broadcast(&all, &row, &merged)) {
            tn__fail(TN_INVALID_ARGUMENT,
                     "Inputs have incompatible shapes. Received shapes %s and %s", TN__SHAPE(all),
                     TN__SHAPE(row));
            return false;
        }
        all = merged;
    }
    return true;
}

/* The inputs, in one rank; NULL items: what does not fit is told. */
static tn_list raised(tn_list inputs)
{
    tn_list none = { 0, NULL };
    int rank = 0;
    if (none_is_missing(inputs) && (!check_batches(inputs) || !check_rows(inputs)))
        return none;
    for (size_t i = 0; i < inputs.count; i++)
        if (inputs.item[i]->shape.known && inputs.item[i]->shape.rank > rank)
            rank = inputs.item[i]->shape.rank;
    tn_tensor **items = tn__scope_alloc((inputs.count + 1) * sizeof *items);
    for (size_t i = 0; items && i < inputs.count; i++)
        if (!(items[i] = raise_rank(inputs.item[i], rank)))
            return none;
    return items ? (tn_list){ inputs.count, items } : none;
}

typedef tn_tensor *combine(tn_tensor *x, tn_tensor *y);

static tn_tensor *fold(tn_list inputs, combine *with)
{
    inputs = raised(inputs);
    tn_tensor *y = inputs.count ? inputs.item[0] : NULL;
    for (size_t i = 1; i < inputs.count; i++)
        y = with(y, inputs.item[i]);
    return y;
}

static tn_tensor *call_add(void *me, tn_list inputs)
{
    (void)me;
    return fold(inputs, tn_add);
}

static tn_tensor *call_average(void *me, tn_list inputs)
{
    (void)me;
    tn_tensor *sum = fold(inputs, tn_add);
    return sum ? tn_divide(sum, tn__like(sum, (double)inputs.count)) : NULL;
}

static tn_tensor *call_subtract(void *me, tn_list inputs)
{
    (void)me;
    if (inputs.count == 2)
        return fold(inputs, tn_subtract);
    tn__fail(TN_INVALID_ARGUMENT,
             "A `Subtract` layer should be called on exactly 2 inputs. Received: input_shape=%s",
             shapes_text(inputs));
    return NULL;
}

/* --- with masks: a place that counts nowhere takes no part ---------------------------------------
 */
/* x's mask for each of its elements; NULL: it has none. */
static tn_tensor *mask_of_elements(tn_tensor *x)
{
    tn_tensor *mask = tn_mask(x);
    return mask ? tn_logical_or(tn_expand_dims(tn_cast(mask, TN_BOOL), -1),
                                tn_cast(tn_zeros_like(x), TN_BOOL))
                : NULL;
}

/* The mask of a result that has one for each element. */
static tn_tensor *masked(tn_tensor *y, tn_tensor *mask)
{
    return mask ? tn_with_mask(y, tn_reduce_any(mask, .axis = TN_AXES(-1))) : y;
}

/* Factors count as 1 where their mask says no; where none counts the product is 0. */
static tn_tensor *call_multiply(void *me, tn_list inputs)
{
    (void)me;
    tn_tensor *y = NULL, *all = NULL;
    bool each = true;
    inputs = raised(inputs);
    for (size_t i = 0; i < inputs.count; i++) {
        tn_tensor *x = inputs.item[i], *mask = mask_of_elements(x);
        x = mask ? tn_where(mask, x, tn__like(x, 1)) : x;
        y = y ? tn_multiply(y, x) : x;
        all = all && mask ? tn_logical_or(all, mask) : mask ? mask : all;
        each &= mask != NULL;
        if (!y)
            return NULL;
    }
    if (!all || !each)
        return y;
    return masked(tn_where(all, y, tn__like(y, 0)), all);
}

/* One of the two where the other does not count. */
static tn_tensor *extreme(tn_list inputs, combine *with)
{
    inputs = raised(inputs);
    tn_tensor *y = inputs.count ? inputs.item[0] : NULL, *all = y ? mask_of_elements(y) : NULL;
    for (size_t i = 1; i < inputs.count; i++) {
        tn_tensor *x = inputs.item[i], *mask = mask_of_elements(x);
        x = mask ? tn_where(mask, x, y) : x;
        y = all ? tn_where(all, y, x) : y;
        all = all && mask ? tn_logical_or(all, mask) : NULL;
        y = with(y, x);
    }
    return y ? masked(y, all) : NULL;
}

static tn_tensor *call_maximum(void *me, tn_list inputs)
{
    (void)me;
    return extreme(inputs, tn_maximum);
}

static tn_tensor *call_minimum(void *me, tn_list inputs)
{
    (void)me;
    return extreme(inputs, tn_minimum);
}

/* Places that count in one of them, if all have a mask. */
static tn_tensor *mask_of_any(void *me, tn_list inputs)
{
    (void)me;
    tn_tensor *all = NULL;
    for (size_t i = 0; i < inputs.count; i++) {
        tn_tensor *mask = tn_mask(inputs.item[i]);
        if (!mask)
            return NULL;
        all = all ? tn_logical_or(all, mask) : mask;
    }
    return all;
}

static const tn_class_more list_more = { .takes_list = true };
#define MERGE(class_, function, call_)                                                   \
    TN__LAYER_CLASS(class_, function, tn_layer_options, tn_layer_options, .call = call_, \
                    .supports_masking = true, .compute_mask = mask_of_any, .more = &list_more)

MERGE(Add, tn_add_layer_new, call_add)
MERGE(Subtract, tn_subtract_layer_new, call_subtract)
MERGE(Multiply, tn_multiply_layer_new, call_multiply)
MERGE(Average, tn_average_new, call_average)
MERGE(Maximum, tn_maximum_layer_new, call_maximum)
MERGE(Minimum, tn_minimum_layer_new, call_minimum)

/* --- Concatenate ------------------------------------------------------------------------------ */
typedef struct {
    tn_concatenate_options o;
} concatenate;

static const tn_field concatenate_fields[] = {
    TN__OPTION(TN_FIELD_AXIS, concatenate, axis, "-1", NULL),
    TN__END_OF_FIELDS,
};

static bool check_others(tn_list inputs, int wanted)
{
    const tn_shape *first = &inputs.item[0]->shape;
    int axis;
    bool same = tn__axis(wanted, first->rank, &axis);
    for (size_t i = 1; same && i < inputs.count; i++) {
        tn_shape other = inputs.item[i]->shape;
        if (other.rank == first->rank)
            other.dims[axis] = first->dims[axis];
        same = tn__shape_fits(first, &other);
    }
    if (!same)
        tn__fail(TN_INVALID_ARGUMENT,
                 "A `Concatenate` layer requires inputs with matching shapes except for the "
                 "concatenation axis. Received: input_shape=%s",
                 shapes_text(inputs));
    return same;
}

static tn_tensor *call_concatenate(void *me, tn_list inputs)
{
    int axis = ((const concatenate *)me)->o.axis;
    if (none_is_missing(inputs) && !check_others(inputs, axis))
        return NULL;
    return tn_concat(inputs, axis);
}

/* A mask for each element of x, all true where it has none. */
static tn_tensor *whole_mask(tn_tensor *x)
{
    tn_tensor *mask = tn_mask(x);
    if (!mask)
        return tn_cast(tn_ones_like(x), TN_BOOL);
    return mask->shape.rank < x->shape.rank ? mask_of_elements(x) : mask;
}

/* The inputs' masks joined; a place counts when something of its last dimension does. */
static tn_tensor *mask_of_concatenate(void *me, tn_list inputs)
{
    bool any = false;
    tn_tensor **masks = tn__scope_alloc((inputs.count + 1) * sizeof *masks);
    for (size_t i = 0; i < inputs.count; i++)
        any |= inputs.item[i]->mask != NULL;
    for (size_t i = 0; masks && any && i < inputs.count; i++)
        masks[i] = whole_mask(inputs.item[i]);
    if (!masks || !any)
        return NULL;
    tn_tensor *joined =
        tn_concat((tn_list){ inputs.count, masks }, ((const concatenate *)me)->o.axis);
    return tn_reduce_any(joined, .axis = TN_AXES(-1));
}

TN__LAYER_CLASS(Concatenate, tn_concatenate_new, concatenate, tn_concatenate_options,
                .fields = concatenate_fields, .call = call_concatenate, .supports_masking = true,
                .compute_mask = mask_of_concatenate, .more = &list_more)
