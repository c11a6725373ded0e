/* reshape.c - the elements of each row in another shape */
#include "nn/config.h"
#include "nn/layers/layers.h"

typedef struct {
    tn_reshape_layer_options o;
} reshape;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_SHAPE, reshape, target_shape, "none", NULL),
    TN__END_OF_FIELDS,
};

static void init(void *me)
{
    const reshape *self = me;
    const tn_shape *target = &self->o.target_shape;
    int open = 0;
    if (!target->known || target->rank == TN_MAX_RANK) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "Reshape needs a target_shape of at most %d dimensions\nwritten like TN_SHAPE(8, "
                 "8, 1), or reshape(8x8x1)",
                 TN_MAX_RANK - 1);
        return;
    }
    for (int i = 0; i < target->rank; i++) {
        open += target->dims[i] == TN_NONE;
        if (target->dims[i] < TN_NONE) {
            tn__fail(TN_INVALID_ARGUMENT,
                     "Each dimension in `target_shape` must be a non-negative integer, or `-1` for "
                     "a single unknown dimension. "
                     "Received: target_shape=%s.",
                     TN__SHAPE(*target));
            return;
        }
    }
    if (open > 1)
        tn__fail(TN_INVALID_ARGUMENT,
                 "There must be at most one unknown dimension (-1) in `target_shape`. Received: "
                 "target_shape=%s.",
                 TN__SHAPE(*target));
}

static bool sizes_fit(const tn_shape *in, const tn_shape *target)
{
    int64_t have = 1, want = 1;
    bool open = false;
    for (int i = 1; i < in->rank; i++) {
        if (in->dims[i] < 0)
            return true;
        have *= in->dims[i];
    }
    for (int i = 0; i < target->rank; i++) {
        open |= target->dims[i] == TN_NONE;
        want *= target->dims[i] == TN_NONE ? 1 : target->dims[i];
    }
    return open ? want > 0 && have % want == 0 : have == want;
}

static tn_tensor *call(void *me, tn_list inputs)
{
    const reshape *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    tn_shape row = { 1, x->shape.rank - 1, { 0 } };
    if (!x->shape.known || sizes_fit(&x->shape, &self->o.target_shape))
        return tn__reshape_rows(x, self->o.target_shape);
    for (int i = 0; i < row.rank; i++)
        row.dims[i] = x->shape.dims[i + 1];
    tn__fail(
        TN_INVALID_ARGUMENT,
        "The total size of the tensor must be unchanged. Received: input_shape=%s, target_shape=%s",
        TN__SHAPE(row), TN__SHAPE(self->o.target_shape));
    return NULL;
}

/* Keras says the open dimension as -1. */
static tn_status write_config(tn_layer *layer, void *json)
{
    const reshape *self = layer->self;
    json_t *list = json_array();
    for (int i = 0; i < self->o.target_shape.rank; i++)
        tn__json_append(list, json_integer(self->o.target_shape.dims[i]));
    return tn__json_set(json, "target_shape", list);
}

static const tn_class_more more = { .least_rank = 1, .write_config = write_config };
const tn_class tn__class_Reshape = {
    .name = "Reshape",
    .module = "keras.layers",
    .size = sizeof(reshape),
    .options_size = sizeof(tn_reshape_layer_options),
    .fields = fields,
    .inputs = 1,
    .init = init,
    .call = call,
    .more = &more,
};

tn_layer *tn_reshape_layer_new(const tn_reshape_layer_options *options)
{
    return tn__layer_from_options(&tn__class_Reshape, options);
}
