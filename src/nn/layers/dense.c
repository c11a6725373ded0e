/* dense.c - y = activation(x · kernel + bias) */
#include "nn/layers/layers.h"

typedef struct {
    tn_dense_options o;
    tn_variable *kernel, *bias;
} dense;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_INT, dense, units, NULL, "> 0"),
    TN__OPTION(TN_FIELD_ACTIVATION, dense, activation, "none", NULL),
    TN__OPTION(TN_FIELD_FLAG, dense, use_bias, "true", NULL),
    TN__OPTION(TN_FIELD_INITIALIZER, dense, kernel_initializer, "glorot_uniform", NULL),
    TN__OPTION(TN_FIELD_INITIALIZER, dense, bias_initializer, "zeros", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, dense, kernel_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, dense, bias_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, dense, activity_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_CONSTRAINT, dense, kernel_constraint, "none", NULL),
    TN__OPTION(TN_FIELD_CONSTRAINT, dense, bias_constraint, "none", NULL),
    TN__ROW(TN_FIELD_VARIABLE, dense, kernel, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, dense, bias, NULL, NULL),
    TN__END_OF_FIELDS,
};

static void build(void *me, tn_list inputs)
{
    dense *self = me;
    int64_t width = tn__last_dim(inputs);
    self->kernel =
        tn__weight_new(TN_SHAPE(width, self->o.units), "kernel", self->o.kernel_initializer,
                       self->o.kernel_regularizer, self->o.kernel_constraint);
    if (self->o.use_bias)
        self->bias = tn__weight_new(TN_SHAPE(self->o.units), "bias", self->o.bias_initializer,
                                    self->o.bias_regularizer, self->o.bias_constraint);
}

/* (…, k) · (k, units): as rows of a matrix when there are more than two dimensions. */
static tn_tensor *call(void *me, tn_list inputs)
{
    dense *self = me;
    tn_tensor *x = tn__as_float(tn_at(inputs, 0));
    if (!tn__check_axis(x, -1, self->kernel->shape.dims[0]))
        return NULL;
    tn_tensor *y = tn_matmul(x, self->kernel);
    if (self->bias)
        y = tn_add(y, self->bias);
    return tn__activate(self->o.activation, y);
}

static tn_status upgrade(void *config)
{
    static const tn__renamed old[] = { { "output_dim", "units" },
                                       { "input_dim", NULL },
                                       { NULL, NULL } };
    tn__upgrade_words(config);
    tn__rename_keys(config, old);
    return TN_OK;
}

static const tn_class_more more = { .least_rank = 2, .upgrade_config = upgrade };
const tn_class tn__class_Dense = {
    .name = "Dense",
    .module = "keras.layers",
    .size = sizeof(dense),
    .options_size = sizeof(tn_dense_options),
    .fields = fields,
    .inputs = 1,
    .build = build,
    .call = call,
    .supports_masking = true,
    .more = &more,
};

tn_layer *tn_dense_new(const tn_dense_options *options)
{
    return tn__layer_from_options(&tn__class_Dense, options);
}
