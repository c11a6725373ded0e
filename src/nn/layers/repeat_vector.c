/* repeat_vector.c - (batch, k) to (batch, n, k): each row n times. */
#include "nn/layers/layers.h"

typedef struct {
    tn_repeat_vector_options o;
} repeat_vector;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_INT, repeat_vector, n, NULL, "> 0"),
    TN__END_OF_FIELDS,
};

static tn_tensor *call(void *me, tn_list inputs)
{
    const repeat_vector *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    if (x->shape.known && x->shape.rank != 2) {
        tn__fail(TN_INVALID_ARGUMENT, "Input 0 of layer \"%s\" is incompatible with the layer: expected ndim=2, found ndim=%d. "
                                      "Full shape received: %s",
                 tn__this_layer()->name, x->shape.rank, TN__SHAPE(x->shape));
        return NULL;
    }
    return tn_tile(tn_expand_dims(x, 1), TN_SHAPE(1, self->o.n, 1));
}

const tn_class tn__class_RepeatVector = {
    .name = "RepeatVector",
    .module = "keras.layers",
    .size = sizeof(repeat_vector),
    .options_size = sizeof(tn_repeat_vector_options),
    .fields = fields,
    .inputs = 1,
    .call = call,
};

tn_layer *tn_repeat_vector_new(const tn_repeat_vector_options *options)
{
    return tn__layer_from_options(&tn__class_RepeatVector, options);
}
