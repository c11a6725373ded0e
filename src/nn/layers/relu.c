/* relu.c - relu with a maximum, a slope below and a threshold */
#include "nn/activations.h"
#include "nn/config.h"
#include "nn/layers/layers.h"

typedef struct {
    tn_relu_options o;
} relu;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, relu, max_value, "none", ">= 0"),
    TN__OPTION(TN_FIELD_FLOAT, relu, negative_slope, "0", ">= 0"),
    TN__OPTION(TN_FIELD_FLOAT, relu, threshold, "0", ">= 0"),
    TN__END_OF_FIELDS,
};

static tn_tensor *call(void *me, tn_list inputs)
{
    const relu *self = me;
    return tn__relu(tn_at(inputs, 0), self->o.negative_slope, self->o.max_value, self->o.threshold);
}

/* None stands for the default. */
static tn_status upgrade(void *config)
{
    TN_TRY(tn__upgrade_numbers(config, "max_value|negative_slope|threshold"));
    tn__drop_none(config, "negative_slope|threshold");
    return TN_OK;
}

static const tn_class_more more = { .upgrade_config = upgrade };
const tn_class tn__class_ReLU = {
    .name = "ReLU",
    .module = "keras.layers",
    .size = sizeof(relu),
    .options_size = sizeof(tn_relu_options),
    .fields = fields,
    .inputs = 1,
    .call = call,
    .supports_masking = true,
    .more = &more,
};

tn_layer *tn_relu_new(const tn_relu_options *options)
{
    return tn__layer_from_options(&tn__class_ReLU, options);
}
