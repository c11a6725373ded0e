/* normalization.c - (x - mean) / sqrt(variance), of numbers that were given or that data taught */
#include "nn/config.h"
#include "nn/layers/layers.h"
#include "ops/ops.h"
#include "tenon/variable.h"
#include <string.h>

typedef struct {
    tn_normalization_options o;
    tn_variable *adapt_mean, *adapt_variance, *count; /* where mean and variance were not given */
    tn_variable *mean, *variance; /* what calls use of them: as they were when the layer was built,
                                     adapted or loaded */
    tn_shape built;               /* the input's, with the batch */
    int keep_count, keep[TN_MAX_RANK]; /* axes with numbers of their own, in order */
} normalization;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_AXES, normalization, axis, "-1", NULL),
    TN__OPTION(TN_FIELD_TENSOR, normalization, mean, NULL, NULL),
    TN__OPTION(TN_FIELD_TENSOR, normalization, variance, NULL, NULL),
    TN__OPTION(TN_FIELD_FLAG, normalization, invert, "false", NULL),
    TN__ROW(TN_FIELD_VARIABLE, normalization, adapt_mean, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, normalization, adapt_variance, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, normalization, count, NULL, NULL),
    TN__END_OF_FIELDS,
};

static const double small = 1e-7; /* the least deviation: Keras's epsilon */

static void init(void *me)
{
    const tn_normalization_options *o = &((const normalization *)me)->o;
    if (!o->mean != !o->variance)
        tn__fail(TN_INVALID_ARGUMENT,
                 "When setting values directly, both `mean` and `variance` must be set. Received: "
                 "mean=%s and variance=%s",
                 o->mean ? TN__TENSOR(o->mean) : "None",
                 o->variance ? TN__TENSOR(o->variance) : "None");
    else if (o->mean && !tn__shape_equal(&o->mean->shape, &o->variance->shape))
        tn__fail(TN_INVALID_ARGUMENT,
                 "When setting values directly, `mean` and `variance` must have the same shape. "
                 "Received: mean shape %s and variance shape %s",
                 TN__SHAPE(o->mean->shape), TN__SHAPE(o->variance->shape));
    else if (o->mean && o->mean->shape.rank > o->axis.count)
        tn__fail(TN_INVALID_ARGUMENT,
                 "The rank of `mean` must be less than or equal to the number of axes (%d). "
                 "Received: mean shape %s",
                 o->axis.count, TN__SHAPE(o->mean->shape));
}

/* --- building --------------------------------------------------------------------------------- */
static bool keeps(const normalization *self, int axis)
{
    for (int i = 0; i < self->keep_count; i++)
        if (self->keep[i] == axis)
            return true;
    return false;
}

static bool find_axes(normalization *self, const tn_shape *shape)
{
    bool wanted[TN_MAX_RANK] = { false };
    for (int i = 0; i < self->o.axis.count; i++) {
        int axis;
        if (!tn__axis(self->o.axis.axis[i], shape->rank, &axis)) {
            tn__fail(TN_INVALID_ARGUMENT,
                     "All `axis` values must be in the range [-ndim, ndim). Received inputs with "
                     "ndim=%d, while axis=%d",
                     shape->rank, self->o.axis.axis[i]);
            return false;
        }
        if (shape->dims[axis] < 0) {
            tn__fail(TN_INVALID_ARGUMENT,
                     "All `axis` values to be kept must have a known shape. Received "
                     "inputs.shape=%s, with unknown axis at index %d",
                     TN__SHAPE(*shape), axis);
            return false;
        }
        wanted[axis] = true;
    }
    self->keep_count = 0;
    for (int i = 0; i < shape->rank; i++)
        if (wanted[i])
            self->keep[self->keep_count++] = i;
    return true;
}

/* No weight: an assignment to the weights is not seen before the layer is adapted or loaded, as in
 * Keras. */
static tn_status new_constant(const tn_variable *weight, double first, tn_variable **constant)
{
    tn_dtype dtype = (tn_dtype)weight->dtype;
    tn_tensor *value = tn__tensor_fill(dtype, &weight->shape, first);
    tn_status status =
        value
            ? tn__variable_new(&(tn__variable_spec){ .value = value, .name = "constant" }, constant)
            : tn__errors()->status;
    tn__release(value);
    return status;
}

static tn_status finalize(tn_layer *layer)
{
    const normalization *self = layer->self;
    tn_variable *const from[] = { self->adapt_mean, self->adapt_variance }, *const to[] = {
        self->mean, self->variance
    };
    for (int i = 0; i < 2 && to[i]; i++) {
        tn_tensor *value;
        TN_TRY(tn__variable_read(from[i], &value));
        tn_status status = tn__variable_assign(to[i], value);
        tn__release(value);
        TN_TRY(status);
    }
    return TN_OK;
}

static void destroy(void *me)
{
    normalization *self = me;
    tn__release(self->mean);
    tn__release(self->variance);
}

static void build(void *me, tn_list inputs)
{
    normalization *self = me;
    self->built = inputs.item[0]->shape;
    if (!self->built.known) {
        tn__fail(TN_INVALID_ARGUMENT, "Normalization '%s' needs an input of a known rank",
                 tn__this_layer()->name);
        return;
    }
    if (!find_axes(self, &self->built) || self->o.mean)
        return;
    tn_shape kept = { 1, self->keep_count, { 0 } };
    for (int i = 0; i < self->keep_count; i++)
        kept.dims[i] = self->built.dims[self->keep[i]];
    self->adapt_mean = tn__state_new(kept, "mean", "zeros");
    self->adapt_variance = tn__state_new(kept, "variance", "ones");
    self->count =
        tn_add_weight_new(&(tn_add_weight_options){ .size_ = sizeof(tn_add_weight_options),
                                                    .shape = TN_SCALAR,
                                                    .name = "count",
                                                    .initializer = "zeros",
                                                    .dtype = TN_INT64 });
    if (self->count && new_constant(self->adapt_mean, 0, &self->mean) == TN_OK)
        (void)!new_constant(self->adapt_variance, 1, &self->variance);
}

/* --- the call --------------------------------------------------------------------------------- */
/* The numbers in a shape that broadcasts to the inputs: the kept axes keep their sizes, numbers of
 * a lower rank belong to the last of them. */
static tn_tensor *spread(const normalization *self, tn_tensor *numbers)
{
    tn_shape shape = { 1, self->built.rank, { 0 } };
    int given = numbers->shape.rank;
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = 1;
    for (int i = 1; i <= given; i++)
        shape.dims[self->keep[self->keep_count - i]] = numbers->shape.dims[given - i];
    return tn_reshape(tn_cast(numbers, tn__layer_dtype(tn__this_layer())), shape);
}

static tn_tensor *call(void *me, tn_list inputs)
{
    const normalization *self = me;
    tn_tensor *x = tn_cast(tn_at(inputs, 0), tn__layer_dtype(tn__this_layer()));
    tn_tensor *mean = spread(self, self->o.mean ? self->o.mean : self->mean);
    tn_tensor *variance = spread(self, self->o.variance ? self->o.variance : self->variance);
    if (!mean || !variance)
        return NULL;
    tn_tensor *deviation = tn_maximum(tn_sqrt(variance), tn__like(variance, small));
    return self->o.invert ? tn_add(mean, tn_multiply(x, deviation))
                          : tn_divide(tn_subtract(x, mean), deviation);
}

/* --- adapting --------------------------------------------------------------------------------- */
static tn_status check_data(const normalization *self, const tn_tensor *data)
{
    bool fits = data->shape.known && data->shape.rank == self->built.rank;
    for (int i = 0; fits && i < self->keep_count; i++)
        fits = data->shape.dims[self->keep[i]] == self->built.dims[self->keep[i]];
    if (fits)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "The layer was built with input_shape=%s, but adapt() is being called with "
                    "data with an incompatible shape, data.shape=%s",
                    TN__SHAPE(self->built), TN__SHAPE(data->shape));
}

static tn_status take_moments(const normalization *self, tn_tensor *data)
{
    tn_axes axes = { .count = 0 };
    tn_tensor *mean = tn_cast(data, TN_FLOAT64), *variance = NULL;
    for (int i = 0; i < self->built.rank; i++)
        if (!keeps(self, i))
            axes.axis[axes.count++] = i;
    if (axes.count > 0) {
        tn_list moments = tn_nn_moments(mean, .axis = axes);
        mean = tn_at(moments, 0);
        variance = tn_at(moments, 1);
    } else { /* every element for itself */
        variance = tn_multiply(mean, tn__like(mean, 0));
    }
    if (!mean || !variance ||
        !tn_assign(self->adapt_mean, tn_cast(mean, (tn_dtype)self->adapt_mean->dtype)) ||
        !tn_assign(self->adapt_variance, tn_cast(variance, (tn_dtype)self->adapt_variance->dtype)))
        return tn__errors()->status;
    return TN_OK;
}

static tn_status adapt(tn_layer *layer, tn_tensor *data)
{
    const normalization *self = layer->self;
    if (self->o.mean)
        return tn__fail(TN_FAILED_PRECONDITION,
                        "%s: mean and variance were given, there is nothing to adapt",
                        tn__layer_print(layer));
    TN_TRY(tn__layer_build(tn__context(), layer, (tn_list){ 1, &data }));
    TN_TRY(check_data(self, data));
    TN_TRY(take_moments(self, data));
    return finalize(layer);
}

/* Keras always writes the list. */
static tn_status write_config(tn_layer *layer, void *json)
{
    const tn_axes *axes = &((const normalization *)layer->self)->o.axis;
    json_t *list = json_array();
    for (int i = 0; i < axes->count; i++)
        tn__json_append(list, json_integer(axes->axis[i]));
    return tn__json_set(json, "axis", list);
}

static const tn_class_more more = {
    .destroy = destroy, .write_config = write_config, .finalize = finalize, .adapt = adapt
};
const tn_class tn__class_Normalization = {
    .name = "Normalization",
    .module = "keras.layers",
    .size = sizeof(normalization),
    .options_size = sizeof(tn_normalization_options),
    .fields = fields,
    .inputs = 1,
    .init = init,
    .build = build,
    .call = call,
    .supports_masking = true,
    .more = &more,
};

tn_layer *tn_normalization_new(const tn_normalization_options *options)
{
    return tn__layer_from_options(&tn__class_Normalization, options);
}
