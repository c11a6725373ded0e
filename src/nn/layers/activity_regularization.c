/* activity_regularization.c - the input goes through; l1 sum |x| + l2 sum x² of it, divided by the batch, is a loss */
#include "nn/layers/layers.h"

typedef struct {
    tn_activity_regularization_options o;
} activity_regularization;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, activity_regularization, l1, "0.0", ">= 0"),
    TN__OPTION(TN_FIELD_FLOAT, activity_regularization, l2, "0.0", ">= 0"),
    TN__END_OF_FIELDS,
};

static tn_tensor *call(void *me, tn_list inputs)
{
    const activity_regularization *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    const char *text = tn__scope_print("l1l2(%.17g, %.17g)", self->o.l1, self->o.l2);
    return text && tn__penalize_output(tn__this_layer(), text, x) == TN_OK ? x : NULL;
}

const tn_class tn__class_ActivityRegularization = {
    .name = "ActivityRegularization",
    .module = "keras.layers",
    .size = sizeof(activity_regularization),
    .options_size = sizeof(tn_activity_regularization_options),
    .fields = fields,
    .inputs = 1,
    .call = call,
    .supports_masking = true,
};

tn_layer *tn_activity_regularization_new(const tn_activity_regularization_options *options)
{
    return tn__layer_from_options(&tn__class_ActivityRegularization, options);
}
