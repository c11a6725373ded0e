/* dropout.c - in training some elements become 0 and the others grow, so that
 * the sum stays */
#include "nn/layers/layers.h"
#include "tenon/random.h"
#include "tenon/variable.h"

typedef struct {
    tn_dropout_options o;
    tn_variable *seed_generator;
} dropout;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, dropout, rate, NULL, "0..1"),
    TN__OPTION(TN_FIELD_SHAPE, dropout, noise_shape, "none", NULL),
    TN__OPTION(TN_FIELD_INT, dropout, seed, "none", NULL),
    TN__ROW(TN_FIELD_VARIABLE, dropout, seed_generator, NULL, NULL),
    TN__END_OF_FIELDS,
};

static bool check_noise_shape(const tn_shape *shape)
{
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] == 0 || shape->dims[i] < TN_NONE) {
            tn__fail(TN_INVALID_ARGUMENT,
                     "Invalid value received for argument `noise_shape`. Expected "
                     "all dimensions to be positive integers or None. "
                     "Received negative or zero value at index %d: %lld",
                     i, (long long)shape->dims[i]);
            return false;
        }
    return true;
}

static void init(void *me)
{
    dropout *self = me;
    if (check_noise_shape(&self->o.noise_shape) && self->o.rate > 0)
        self->seed_generator = tn_seed_generator(self->o.seed);
}

static tn_tensor *call(void *me, tn_list inputs)
{
    dropout *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    if (!tn_training() || self->o.rate == 0)
        return x;
    return tn__dropout(x, self->o.rate, self->o.noise_shape, self->seed_generator);
}

static tn_status upgrade(void *config)
{
    static const tn__renamed old[] = { { "p", "rate" }, { NULL, NULL } };
    tn__rename_keys(config, old);
    return TN_OK;
}

static const tn_class_more more = { .upgrade_config = upgrade };
const tn_class tn__class_Dropout = {
    .name = "Dropout",
    .module = "keras.layers",
    .size = sizeof(dropout),
    .options_size = sizeof(tn_dropout_options),
    .fields = fields,
    .inputs = 1,
    .init = init,
    .call = call,
    .supports_masking = true,
    .more = &more,
};

tn_layer *tn_dropout_new(const tn_dropout_options *options)
{
    return tn__layer_from_options(&tn__class_Dropout, options);
}
