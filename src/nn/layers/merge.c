/* merge.c - layers that make one tensor of several: Add, Concatenate */
#include "nn/layers/layers.h"

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

/* --- Add -------------------------------------------------------------------------------------- */
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

/* What counts in one of the inputs; none when an input has no mask. */
static tn_tensor *mask_of_any(void *me, tn_list inputs)
{
    tn_tensor *all = tn_mask(tn_at(inputs, 0));
    (void)me;
    for (size_t i = 1; all && i < inputs.count; i++) {
        tn_tensor *mask = tn_mask(inputs.item[i]);
        all = mask ? tn_logical_or(all, mask) : NULL;
    }
    return all;
}

static tn_tensor *call_add(void *me, tn_list inputs)
{
    (void)me;
    int rank = 0;
    if (none_is_missing(inputs) && (!check_batches(inputs) || !check_rows(inputs)))
        return NULL;
    for (size_t i = 0; i < inputs.count; i++)
        if (inputs.item[i]->shape.known && inputs.item[i]->shape.rank > rank)
            rank = inputs.item[i]->shape.rank;
    tn_tensor *y = raise_rank(tn_at(inputs, 0), rank);
    for (size_t i = 1; i < inputs.count; i++)
        y = tn_add(y, raise_rank(inputs.item[i], rank));
    return y;
}

static const tn_class_more add_more = { .takes_list = true };
const tn_class tn__class_Add = {
    .name = "Add",
    .module = "keras.layers",
    .size = sizeof(tn_layer_options),
    .options_size = sizeof(tn_layer_options),
    .call = call_add,
    .compute_mask = mask_of_any,
    .more = &add_more,
};

tn_layer *tn_add_layer_new(const tn_layer_options *options)
{
    return tn__layer_from_options(&tn__class_Add, options);
}

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

/* As large as the input. */
static tn_tensor *whole_mask(tn_tensor *x)
{
    tn_tensor *mask = tn_mask(x), *none = tn_cast(tn_zeros_like(x), TN_BOOL);
    if (!mask)
        return tn_logical_not(none);
    return mask->shape.rank < x->shape.rank ? tn_logical_or(tn_expand_dims(mask, -1), none) : mask;
}

/* The inputs' masks joined; a place counts when something of its last dimension does. */
static tn_tensor *joined_mask(void *me, tn_list inputs)
{
    bool masked = false;
    tn_tensor **masks = tn__scope_alloc((inputs.count + 1) * sizeof *masks);
    for (size_t i = 0; i < inputs.count; i++)
        masked |= inputs.item[i]->mask != NULL;
    for (size_t i = 0; masks && masked && i < inputs.count; i++)
        masks[i] = whole_mask(inputs.item[i]);
    if (!masks || !masked)
        return NULL;
    tn_tensor *all = tn_concat(tn_list_of(inputs.count, masks), ((const concatenate *)me)->o.axis);
    return tn_reduce_any(all, .axis = TN_AXES(-1));
}

static const tn_class_more concatenate_more = { .takes_list = true };
const tn_class tn__class_Concatenate = {
    .name = "Concatenate",
    .module = "keras.layers",
    .size = sizeof(concatenate),
    .options_size = sizeof(tn_concatenate_options),
    .fields = concatenate_fields,
    .call = call_concatenate,
    .compute_mask = joined_mask,
    .more = &concatenate_more,
};

tn_layer *tn_concatenate_new(const tn_concatenate_options *options)
{
    return tn__layer_from_options(&tn__class_Concatenate, options);
}
