/* activation.c - an activation function as a layer */
#include "nn/layers/layers.h"

typedef struct {
    tn_activation_options o;
} activation;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_ACTIVATION, activation, activation, "none", NULL),
    TN__END_OF_FIELDS,
};

static tn_tensor *call(void *me, tn_list inputs)
{
    return tn__activate(((const activation *)me)->o.activation, tn_at(inputs, 0));
}

const tn_class tn__class_Activation = {
    .name = "Activation",
    .module = "keras.layers",
    .size = sizeof(activation),
    .options_size = sizeof(tn_activation_options),
    .fields = fields,
    .inputs = 1,
    .call = call,
    .supports_masking = true,
};

tn_layer *tn_activation_new(const tn_activation_options *options)
{
    return tn__layer_from_options(&tn__class_Activation, options);
}
