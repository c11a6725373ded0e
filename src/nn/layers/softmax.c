/* softmax.c - shares that sum to 1 along an axis, or along several together */
#include "nn/activations.h"
#include "nn/layers/layers.h"

typedef struct {
    tn_softmax_options o;
} softmax;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_AXES, softmax, axis, "-1", NULL),
    TN__END_OF_FIELDS,
};

static tn_tensor *call(void *me, tn_list inputs)
{
    return tn__softmax(tn_at(inputs, 0), ((const softmax *)me)->o.axis);
}

const tn_class tn__class_Softmax = {
    .name = "Softmax",
    .module = "keras.layers",
    .size = sizeof(softmax),
    .options_size = sizeof(tn_softmax_options),
    .fields = fields,
    .inputs = 1,
    .call = call,
};

tn_layer *tn_softmax_new(const tn_softmax_options *options)
{
    return tn__layer_from_options(&tn__class_Softmax, options);
}
