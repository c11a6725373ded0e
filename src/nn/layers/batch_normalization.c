/* batch_normalization.c - y = gamma (x - mean) / sqrt(variance + epsilon) + beta, each channel for
 * itself */
#include "nn/config.h"
#include "nn/layers/layers.h"
#include "tenon/gradient.h"
#include "tenon/variable.h"
#include "ops/ops.h"
#include "runtime/graph.h"
#include <math.h>

typedef struct {
    tn_batch_normalization_options o;
    tn_variable *gamma, *beta, *moving_mean, *moving_variance;
    tn_variable *moving_stddev, *renorm_mean, *renorm_stddev; /* with renorm */
    int rank; /* of the input it was built for; 0: not known */
} batch_norm;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_AXIS, batch_norm, axis, "-1", NULL),
    TN__OPTION(TN_FIELD_FLOAT, batch_norm, momentum, "0.99", NULL),
    TN__OPTION(TN_FIELD_FLOAT, batch_norm, epsilon, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLAG, batch_norm, center, "true", NULL),
    TN__OPTION(TN_FIELD_FLAG, batch_norm, scale, "true", NULL),
    TN__OPTION(TN_FIELD_INITIALIZER, batch_norm, beta_initializer, "zeros", NULL),
    TN__OPTION(TN_FIELD_INITIALIZER, batch_norm, gamma_initializer, "ones", NULL),
    TN__OPTION(TN_FIELD_INITIALIZER, batch_norm, moving_mean_initializer, "zeros", NULL),
    TN__OPTION(TN_FIELD_INITIALIZER, batch_norm, moving_variance_initializer, "ones", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, batch_norm, beta_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_REGULARIZER, batch_norm, gamma_regularizer, "none", NULL),
    TN__OPTION(TN_FIELD_CONSTRAINT, batch_norm, beta_constraint, "none", NULL),
    TN__OPTION(TN_FIELD_CONSTRAINT, batch_norm, gamma_constraint, "none", NULL),
    TN__OPTION(TN_FIELD_FLAG, batch_norm, renorm, "false", NULL),
    TN__OPTION(TN_FIELD_FLOAT, batch_norm, renorm_rmax, "none", NULL),
    TN__OPTION(TN_FIELD_FLOAT, batch_norm, renorm_rmin, "none", NULL),
    TN__OPTION(TN_FIELD_FLOAT, batch_norm, renorm_dmax, "none", ">= 0"),
    TN__OPTION(TN_FIELD_FLOAT, batch_norm, renorm_momentum, "0.99", NULL),
    TN__OPTION(TN_FIELD_FLAG, batch_norm, synchronized, "false", NULL),
    TN__ROW(TN_FIELD_VARIABLE, batch_norm, gamma, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, batch_norm, beta, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, batch_norm, moving_mean, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, batch_norm, moving_variance, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, batch_norm, moving_stddev, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, batch_norm, renorm_mean, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, batch_norm, renorm_stddev, NULL, NULL),
    TN__END_OF_FIELDS,
};

static void init(void *me)
{
    const tn_batch_normalization_options *o = &((const batch_norm *)me)->o;
    if (o->synchronized)
        tn__fail(TN_UNIMPLEMENTED, "%s: synchronized=True: there is one device",
                 tn__layer_print(tn__this_layer()));
    if (o->renorm && o->renorm_rmax < o->renorm_rmin)
        tn__fail(TN_INVALID_ARGUMENT,
                 "rmax should be greater than rmin in the `renorm_clipping` argument. Received: "
                 "rmax=%g, rmin=%g.",
                 o->renorm_rmax, o->renorm_rmin);
}

/* Keras makes the deviations as roots of what the initializer of the variance gives. At once, also
 * while a trace is made. */
static tn_variable *deviation_new(tn_shape shape, const char *name, const char *initializer)
{
    tn_variable *v = tn__state_new(shape, name, initializer);
    tn_tensor *value = NULL, *root = NULL;
    tn_dtype dtype = v ? (tn_dtype)v->dtype : TN_FLOAT32;
    if (!v || tn__variable_read(v, &value) != TN_OK ||
        tn__tensor_new(dtype, &shape, &root) != TN_OK) {
        tn__release(value);
        return NULL;
    }
    for (int64_t i = 0; i < tn__count(value); i++)
        tn__element_from_double(dtype, sqrt(tn__double_at(value, i)),
                                (char *)root->data + (size_t)i * tn__dtype_size(dtype));
    tn_status status = tn__variable_assign(v, root);
    tn__release(value);
    tn__release(root);
    return status == TN_OK ? v : NULL;
}

static void build(void *me, tn_list inputs)
{
    batch_norm *self = me;
    const tn_batch_normalization_options *o = &self->o;
    int64_t size = tn__known_dim(inputs, o->axis);
    tn_shape shape = TN_SHAPE(size);
    if (tn__errors()->status != TN_OK)
        return;
    self->rank = inputs.item[0]->shape.rank;
    if (o->scale)
        self->gamma = tn__weight_new(shape, "gamma", o->gamma_initializer, o->gamma_regularizer,
                                     o->gamma_constraint);
    if (o->center)
        self->beta = tn__weight_new(shape, "beta", o->beta_initializer, o->beta_regularizer,
                                    o->beta_constraint);
    self->moving_mean = tn__state_new(shape, "moving_mean", o->moving_mean_initializer);
    self->moving_variance = tn__state_new(shape, "moving_variance", o->moving_variance_initializer);
    if (!o->renorm)
        return;
    self->moving_stddev = deviation_new(shape, "moving_stddev", o->moving_variance_initializer);
    self->renorm_mean = tn__state_new(shape, "renorm_mean", o->moving_mean_initializer);
    self->renorm_stddev = deviation_new(shape, "renorm_stddev", o->moving_variance_initializer);
}

/* --- the statistics --------------------------------------------------------------------------- */
static tn_tensor *times(double factor, tn_tensor *x)
{
    return tn_multiply(x, tn__like(x, factor));
}

static tn_axes axes_but(int axis, int rank)
{
    tn_axes axes = { .count = 0 };
    for (int i = 0; i < rank; i++)
        if (i != axis)
            axes.axis[axes.count++] = i;
    return axes;
}

/* Σ where / (Σ 1 where + 1e-7): Keras's mean of what a mask lets count. */
static tn_tensor *mean_where(tn_tensor *counts, tn_tensor *x, tn_axes axes, bool keep)
{
    tn_tensor *sum =
        tn_reduce_sum(tn_where(counts, x, tn_zeros_like(x)), .axis = axes, .keepdims = keep);
    tn_tensor *count =
        tn_reduce_sum(tn_cast(counts, (tn_dtype)x->dtype), .axis = axes, .keepdims = keep);
    return tn_divide(sum, tn_add(count, tn__like(count, 1e-7)));
}

static tn_list moments_where(tn_tensor *mask, tn_tensor *x, tn_axes axes)
{
    if (mask->shape.known && mask->shape.rank != x->shape.rank - 1) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "The mask provided should be one dimension less than the inputs. Received: "
                 "mask.shape=%s, inputs.shape=%s",
                 TN__SHAPE(mask->shape), TN__SHAPE(x->shape));
        return (tn_list){ 0 };
    }
    tn_tensor *counts = tn_logical_or(tn_expand_dims(tn_cast(mask, TN_BOOL), -1),
                                      tn_cast(tn_zeros_like(x), TN_BOOL));
    tn_tensor *mean = mean_where(counts, x, axes, true);
    return TN_LIST(mean_where(counts, x, axes, false),
                   mean_where(counts, tn_square(tn_subtract(x, mean)), axes, false));
}

/* Mean and variance of the batch. */
static tn_list moments_of(tn_tensor *mask, tn_tensor *x, tn_axes axes)
{
    return mask ? moments_where(mask, x, axes) : tn_nn_moments(x, .axis = axes);
}

/* variable <- variable * momentum + value * (1 - momentum) */
static tn_tensor *move(tn_variable *variable, tn_tensor *value, double momentum)
{
    if (!variable || !value)
        return NULL;
    tn_tensor *old = tn_cast(variable, (tn_dtype)value->dtype),
              *moved = tn_add(times(momentum, old), times(1 - momentum, value));
    return tn_assign(variable, tn_cast(moved, (tn_dtype)variable->dtype)) ? moved : NULL;
}

static tn_tensor *root_of(tn_tensor *variance, double epsilon)
{
    return tn_sqrt(tn_add(variance, tn__like(variance, epsilon)));
}

static tn_tensor *limit(tn_tensor *x, double least, double most)
{
    if (!isnan(least))
        x = tn_maximum(x, tn__like(x, least));
    return isnan(most) ? x : tn_minimum(x, tn__like(x, most));
}

/* With renorm the batch is brought near the long-term statistics: (x r + d) gamma + beta, r and d
 * taken as constants. */
static void renormalize(const batch_norm *self, tn_tensor *mean, tn_tensor *variance,
                        tn_tensor **gamma, tn_tensor **beta)
{
    const tn_batch_normalization_options *o = &self->o;
    tn_tensor *stddev = root_of(variance, o->epsilon);
    tn_tensor *long_mean = tn_cast(self->renorm_mean, (tn_dtype)mean->dtype);
    tn_tensor *long_stddev = tn_cast(self->renorm_stddev, (tn_dtype)mean->dtype);
    long_stddev = tn_maximum(long_stddev, tn_sqrt(tn__like(long_stddev, o->epsilon)));
    tn_tensor *r = limit(tn_divide(stddev, long_stddev), o->renorm_rmin, o->renorm_rmax);
    tn_tensor *d = limit(tn_divide(tn_subtract(mean, long_mean), long_stddev), -o->renorm_dmax,
                         o->renorm_dmax);
    r = tn_stop_gradient(r);
    d = tn_stop_gradient(d);
    tn_tensor *offset = *gamma ? tn_multiply(d, *gamma) : d;
    *gamma = *gamma ? tn_multiply(r, *gamma) : r;
    *beta = *beta ? tn_add(offset, *beta) : offset;
}

static tn_tensor *update_renorm(const batch_norm *self, tn_tensor *mean, tn_tensor *variance)
{
    const tn_batch_normalization_options *o = &self->o;
    tn_tensor *stddev = root_of(variance, o->epsilon);
    if (!move(self->renorm_mean, mean, o->renorm_momentum) ||
        !move(self->renorm_stddev, stddev, o->renorm_momentum) ||
        !move(self->moving_mean, mean, o->momentum))
        return NULL;
    tn_tensor *moved = move(self->moving_stddev, stddev, o->momentum);
    if (!moved)
        return NULL;
    tn_tensor *square = tn_square(moved);
    tn_tensor *moving_variance = tn_nn_relu(tn_subtract(square, tn__like(square, o->epsilon)));
    return tn_assign(self->moving_variance,
                     tn_cast(moving_variance, (tn_dtype)self->moving_variance->dtype));
}

/* --- the call --------------------------------------------------------------------------------- */
/* One number for each place along the axis, in a shape that broadcasts to x. */
static tn_tensor *along(tn_tensor *v, int axis, int rank)
{
    if (!v || axis == rank - 1)
        return v;
    tn_shape shape = { 1, rank, { 0 } };
    for (int i = 0; i < rank; i++)
        shape.dims[i] = i == axis ? TN_NONE : 1;
    return tn_reshape(v, shape);
}

static bool check(const batch_norm *self, const tn_tensor *x, int *axis)
{
    return tn__check_ndim(x, self->rank) && tn__axis(self->o.axis, self->rank, axis) &&
           tn__check_axis(x, self->o.axis, self->moving_mean->shape.dims[0]);
}

/* In one op; TensorFlow 1's graphs keep to the ops of Keras. */
static bool is_fused(const batch_norm *self, const tn_tensor *x, const tn_tensor *mask, int axis)
{
    return x->dtype == TN_FLOAT32 && axis == self->rank - 1 && !mask && !self->o.renorm && !tn__open_v1(tn__context());
}

static bool move_both(const batch_norm *self, tn_tensor *mean, tn_tensor *variance)
{
    return move(self->moving_mean, mean, self->o.momentum) && move(self->moving_variance, variance, self->o.momentum);
}

static tn_tensor *call_fused(const batch_norm *self, tn_tensor *x, tn_tensor *gamma, tn_tensor *beta)
{
    tn_shape shape = self->moving_mean->shape;
    tn_list all = tn__batch_norm(x, gamma ? gamma : tn_ones(shape, TN_FLOAT32), beta ? beta : tn_zeros(shape, TN_FLOAT32),
                                 self->o.epsilon);
    return move_both(self, tn_at(all, 1), tn_at(all, 2)) ? tn_at(all, 0) : NULL;
}

/* Mean and variance of the batch; what they leave behind in the moving ones, and in gamma and beta. */
static bool take_moments(const batch_norm *self, tn_list moments, tn_tensor **gamma, tn_tensor **beta)
{
    tn_tensor *mean = tn_at(moments, 0), *variance = tn_at(moments, 1);
    if (!variance || !self->o.renorm)
        return variance && move_both(self, mean, variance);
    renormalize(self, mean, variance, gamma, beta);
    return update_renorm(self, mean, variance) != NULL;
}

static tn_tensor *call(void *me, tn_list inputs)
{
    const batch_norm *self = me;
    tn_dtype own = tn__layer_dtype(tn__this_layer()), dtype = tn__wide(own);
    tn_tensor *x = tn_at(inputs, 0), *mask = tn_mask(x);
    int axis, rank = self->rank;
    if (!x || !check(self, x, &axis))
        return NULL;
    bool training = tn_training() && tn__this_layer()->trainable;
    x = tn_cast(x, dtype);
    tn_tensor *gamma = self->gamma ? tn_cast(self->gamma, dtype) : NULL, *beta = self->beta ? tn_cast(self->beta, dtype) : NULL;
    if (training && x && is_fused(self, x, mask, axis))
        return tn_cast(call_fused(self, x, gamma, beta), own);
    tn_list moments = training ? moments_of(mask, x, axes_but(axis, rank))
                               : TN_LIST(tn_cast(self->moving_mean, dtype), tn_cast(self->moving_variance, dtype));
    if (training && !take_moments(self, moments, &gamma, &beta))
        return NULL;
    tn_tensor *y = tn__normalize(x, along(tn_at(moments, 0), axis, rank), along(tn_at(moments, 1), axis, rank), along(gamma, axis, rank),
                                 along(beta, axis, rank), self->o.epsilon);
    return tn_cast(y, own);
}

/* --- configs ---------------------------------------------------------------------------------- */
static tn_status limits_to_json(const tn_batch_normalization_options *o, json_t *config)
{
    const struct {
        const char *key;
        double value;
    } limits[] = { { "rmax", o->renorm_rmax },
                   { "rmin", o->renorm_rmin },
                   { "dmax", o->renorm_dmax } };
    json_t *clipping = json_object();
    TN_TRY(tn__json_set(config, "renorm_clipping", clipping));
    for (size_t i = 0; i < 3; i++)
        if (!isnan(limits[i].value))
            TN_TRY(tn__json_set(clipping, limits[i].key, tn__number_to_json(limits[i].value)));
    return TN_OK;
}

/* What older Keras does not know is not written while it says nothing. */
static tn_status write_config(tn_layer *layer, void *json)
{
    const tn_batch_normalization_options *o = &((const batch_norm *)layer->self)->o;
    static const tn__renamed ours[] = {
        { "renorm_rmax", NULL }, { "renorm_rmin", NULL }, { "renorm_dmax", NULL }, { NULL, NULL }
    };
    static const tn__renamed newer[] = {
        { "renorm", NULL }, { "renorm_momentum", NULL }, { "synchronized", NULL }, { NULL, NULL }
    };
    tn__rename_keys(json, ours);
    if (o->renorm)
        return limits_to_json(o, json);
    tn__rename_keys(json, newer);
    return TN_OK;
}

static tn_status upgrade(void *config)
{
    static const tn__renamed old[] = {
        { "beta_init", "beta_initializer" },
        { "gamma_init", "gamma_initializer" },
        { "fused", NULL },
        { "virtual_batch_size", NULL },
        { "renorm_clipping", NULL },
        { NULL, NULL },
    };
    static const char *const limits[][2] = { { "rmax", "renorm_rmax" },
                                             { "rmin", "renorm_rmin" },
                                             { "dmax", "renorm_dmax" } };
    const json_t *clipping = json_object_get(config, "renorm_clipping");
    for (size_t i = 0; i < 3; i++) {
        json_t *limit = json_object_get(clipping, limits[i][0]);
        if (limit)
            TN_TRY(tn__json_set(config, limits[i][1], json_incref(limit)));
    }
    if (json_integer_value(json_object_get(config, "mode")) == 0)
        json_object_del(config,
                        "mode"); /* Keras 1: each feature for itself, which is all there is now */
    tn__rename_keys(config, old);
    return TN_OK;
}

static const tn_class_more more = {
    .aliases = "BatchNormalizationV1|BatchNormalizationV2|SyncBatchNormalization",
    .least_rank = 2,
    .reads_as_kept = true,
    .write_config = write_config,
    .upgrade_config = upgrade
};
const tn_class tn__class_BatchNormalization = {
    .name = "BatchNormalization",
    .module = "keras.layers",
    .size = sizeof(batch_norm),
    .options_size = sizeof(tn_batch_normalization_options),
    .fields = fields,
    .inputs = 1,
    .init = init,
    .build = build,
    .call = call,
    .supports_masking = true,
    .more = &more,
};

tn_layer *tn_batch_normalization_new(const tn_batch_normalization_options *options)
{
    return tn__layer_from_options(&tn__class_BatchNormalization, options);
}
