/* leaky_relu.c - activations with a slope below 0: LeakyReLU and ELU have a number for it, PReLU
 * learns it */
#include "nn/activations.h"
#include "nn/config.h"
#include "nn/layers/layers.h"

/* --- LeakyReLU -------------------------------------------------------------------------------- */
typedef struct {
    tn_leaky_relu_options o;
} leaky_relu;

static const tn_field leaky_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, leaky_relu, negative_slope, "0.3", NULL),
    TN__END_OF_FIELDS,
};

static void init_leaky(void *me)
{
    double slope = ((const leaky_relu *)me)->o.negative_slope;
    if (!(slope >= 0))
        tn__fail(TN_INVALID_ARGUMENT,
                 "The negative_slope value of a Leaky ReLU layer cannot be None or negative value. "
                 "Expected a float. Received: negative_slope=%g",
                 slope);
}

static tn_tensor *call_leaky(void *me, tn_list inputs)
{
    return tn_nn_leaky_relu(tn_at(inputs, 0), .alpha = ((const leaky_relu *)me)->o.negative_slope);
}

/* Keras 2 calls it alpha. */
static tn_status write_leaky(tn_layer *layer, void *json)
{
    static const tn__renamed older[] = { { "negative_slope", "alpha" }, { NULL, NULL } };
    (void)layer;
    if (json_integer_value(json_object_get(json, "#era")) == TN__KERAS_2)
        tn__rename_keys(json, older);
    return TN_OK;
}

static tn_status upgrade_leaky(void *config)
{
    static const tn__renamed old[] = { { "alpha", "negative_slope" }, { NULL, NULL } };
    tn__rename_keys(config, old);
    return tn__upgrade_numbers(config, "negative_slope");
}

static const tn_class_more leaky_more = { .write_config = write_leaky,
                                          .upgrade_config = upgrade_leaky };
TN__LAYER_CLASS(LeakyReLU, tn_leaky_relu_new, leaky_relu, tn_leaky_relu_options,
                .fields = leaky_fields, .inputs = 1, .init = init_leaky, .call = call_leaky,
                .supports_masking = true, .more = &leaky_more)

/* --- ELU -------------------------------------------------------------------------------------- */
typedef struct {
    tn_elu_options o;
} elu;

static const tn_field elu_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, elu, alpha, "1", NULL),
    TN__END_OF_FIELDS,
};

static tn_tensor *call_elu(void *me, tn_list inputs)
{
    return tn__elu(tn_at(inputs, 0), ((const elu *)me)->o.alpha);
}

static tn_status upgrade_elu(void *config)
{
    return tn__upgrade_numbers(config, "alpha");
}

static const tn_class_more elu_more = { .upgrade_config = upgrade_elu };
TN__LAYER_CLASS(ELU, tn_elu_new, elu, tn_elu_options, .fields = elu_fields, .inputs = 1,
                .call = call_elu, .supports_masking = true, .more = &elu_more)

/* --- PReLU ------------------------------------------------------------------------------------ */
typedef struct {
    tn_prelu_options o;
    tn_variable *alpha;
} prelu;

static const tn_field prelu_fields[] = {
    TN__OPTION(TN_FIELD_INITIALIZER, prelu, alpha_initializer, "zeros", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, prelu, alpha_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_CONSTRAINT, prelu, alpha_constraint, "none", NULL),
    TN__OPTION(TN_FIELD_AXES, prelu, shared_axes, "none", NULL),
    TN__ROW(TN_FIELD_VARIABLE, prelu, alpha, NULL, NULL),
    TN__END_OF_FIELDS,
};

/* One number for each place of a row, or one for all along the shared axes, which count the batch.
 */
static void build_prelu(void *me, tn_list inputs)
{
    prelu *self = me;
    const tn_shape *shape = &inputs.item[0]->shape;
    tn_shape row = { 1, shape->rank - 1, { 0 } };
    if (!tn__check_known(inputs.item[0]))
        return;
    for (int i = 0; i < row.rank; i++)
        row.dims[i] = shape->dims[i + 1];
    for (int i = 0; i < self->o.shared_axes.count; i++) {
        int axis;
        if (!tn__axis(self->o.shared_axes.axis[i], shape->rank, &axis) || axis == 0) {
            tn__fail(TN_INVALID_ARGUMENT, "%s: shared_axes has %d, the input's shape is %s",
                     tn__layer_print(tn__this_layer()), self->o.shared_axes.axis[i],
                     TN__SHAPE(*shape));
            return;
        }
        row.dims[axis - 1] = 1;
    }
    self->alpha = tn__weight_new(row, "alpha", self->o.alpha_initializer, self->o.alpha_regularizer,
                                 self->o.alpha_constraint);
}

static bool fits(const tn_shape *row, const tn_tensor *x)
{
    if (!tn__check_ndim(x, row->rank + 1))
        return false;
    for (int i = 0; i < row->rank; i++)
        if (row->dims[i] != 1 && !tn__check_axis(x, i + 1, row->dims[i]))
            return false;
    return true;
}

/* relu(x) - alpha relu(-x) */
static tn_tensor *call_prelu(void *me, tn_list inputs)
{
    const prelu *self = me;
    tn_tensor *x = tn__as_float(tn_at(inputs, 0));
    if (!fits(&self->alpha->shape, x))
        return NULL;
    tn_tensor *below = tn_multiply(tn_negative(self->alpha), tn_nn_relu(tn_negative(x)));
    return tn_add(tn_nn_relu(x), below);
}

/* A list, also of one. */
static tn_status write_prelu(tn_layer *layer, void *json)
{
    return tn__write_axes(json, "shared_axes", &((const prelu *)layer->self)->o.shared_axes);
}

static tn_status upgrade_prelu(void *config)
{
    static const tn__renamed old[] = { { "init", "alpha_initializer" },
                                       { "weights", NULL },
                                       { NULL, NULL } };
    tn__rename_keys(config, old);
    return TN_OK;
}

static const tn_class_more prelu_more = { .least_rank = 1,
                                          .write_config = write_prelu,
                                          .upgrade_config = upgrade_prelu };
TN__LAYER_CLASS(PReLU, tn_prelu_new, prelu, tn_prelu_options, .fields = prelu_fields, .inputs = 1,
                .build = build_prelu, .call = call_prelu, .supports_masking = true,
                .more = &prelu_more)
