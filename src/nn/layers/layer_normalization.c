/* layer_normalization.c - each row, or group of its channels, by its own mean and variance or its
 * own size */
#include "nn/config.h"
#include "nn/layers/layers.h"
#include "ops/array.h"
#include "runtime/graph.h"

/* --- what they share -------------------------------------------------------------------------- */
/* Axes of the input, from the front and in order; Keras's text when one is outside. */
static bool find_axes(const tn_axes *wanted, const tn_shape *shape, tn_axes *axes)
{
    bool chosen[TN_MAX_RANK] = { false };
    *axes = (tn_axes){ .count = 0 };
    for (int i = 0; i < wanted->count; i++) {
        int axis;
        if (!shape->known || !tn__axis(wanted->axis[i], shape->rank, &axis)) {
            tn__fail(TN_INVALID_ARGUMENT,
                     "Axis %d is out of bounds for input shape %s. Received: axis=%s",
                     wanted->axis[i], TN__SHAPE(*shape), tn__axes_text(wanted));
            return false;
        }
        chosen[axis] = true;
    }
    for (int i = 0; i < shape->rank; i++)
        if (chosen[i])
            axes->axis[axes->count++] = i;
    return true;
}

/* The input's sizes along these axes, which a weight has. */
static bool weight_shape(tn_list inputs, const tn_axes *wanted, tn_shape *shape)
{
    tn_axes axes;
    if (!find_axes(wanted, &inputs.item[0]->shape, &axes))
        return false;
    *shape = (tn_shape){ 1, axes.count, { 0 } };
    for (int i = 0; i < axes.count; i++)
        if ((shape->dims[i] = tn__known_dim(inputs, axes.axis[i])) == 0 &&
            tn__errors()->status != TN_OK)
            return false;
    return true;
}

/* A weight of those sizes in a shape that broadcasts to x. */
static tn_tensor *along(tn_tensor *v, const tn_axes *axes, int rank)
{
    tn_shape shape = { 1, rank, { 0 } };
    if (!v || (axes->count == 1 && axes->axis[0] == rank - 1))
        return v;
    for (int i = 0; i < rank; i++)
        shape.dims[i] = 1;
    for (int i = 0; i < axes->count; i++)
        shape.dims[axes->axis[i]] = v->shape.dims[i];
    return tn_reshape(v, shape);
}

static tn_tensor *in_dtype(tn_tensor *v, tn_dtype dtype)
{
    return v ? tn_cast(v, dtype) : NULL;
}

/* --- LayerNormalization ----------------------------------------------------------------------- */
typedef struct {
    tn_layer_normalization_options o;
    tn_variable *gamma, *beta;
} layer_norm;

#define SCALE_ROWS(type)                                                         \
    TN__OPTION(TN_FIELD_FLOAT, type, epsilon, "0.001", NULL),                    \
        TN__OPTION(TN_FIELD_FLAG, type, center, "true", NULL),                   \
        TN__OPTION(TN_FIELD_FLAG, type, scale, "true", NULL),                    \
        TN__OPTION(TN_FIELD_INITIALIZER, type, beta_initializer, "zeros", NULL), \
        TN__OPTION(TN_FIELD_INITIALIZER, type, gamma_initializer, "ones", NULL), \
        TN__OPTION(TN_FIELD_REGULARIZER, type, beta_regularizer, "none", NULL),  \
        TN__OPTION(TN_FIELD_REGULARIZER, type, gamma_regularizer, "none", NULL), \
        TN__OPTION(TN_FIELD_CONSTRAINT, type, beta_constraint, "none", NULL),    \
        TN__OPTION(TN_FIELD_CONSTRAINT, type, gamma_constraint, "none", NULL)
static const tn_field layer_fields[] = {
    TN__OPTION(TN_FIELD_AXES, layer_norm, axis, "-1", NULL),
    SCALE_ROWS(layer_norm),
    TN__OPTION(TN_FIELD_FLAG, layer_norm, rms_scaling, "false", NULL),
    TN__ROW(TN_FIELD_VARIABLE, layer_norm, gamma, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, layer_norm, beta, NULL, NULL),
    TN__END_OF_FIELDS,
};

static void build_layer_norm(void *me, tn_list inputs)
{
    layer_norm *self = me;
    const tn_layer_normalization_options *o = &self->o;
    tn_shape shape;
    if (!weight_shape(inputs, &o->axis, &shape))
        return;
    if (o->scale || o->rms_scaling)
        self->gamma = tn__weight_new(shape, "gamma", o->gamma_initializer, o->gamma_regularizer,
                                     o->gamma_constraint);
    if (o->center && !o->rms_scaling)
        self->beta = tn__weight_new(shape, "beta", o->beta_initializer, o->beta_regularizer,
                                    o->beta_constraint);
}

/* rms_scaling, which Keras keeps for old models: x gamma / sqrt(variance + epsilon), the mean left
 * in. */
static tn_tensor *scale_only(tn_tensor *x, tn_tensor *variance, tn_tensor *gamma, double epsilon)
{
    tn_tensor *y = tn_multiply(x, tn_rsqrt(tn_add(variance, tn__like(x, epsilon))));
    return gamma ? tn_multiply(y, gamma) : y;
}

/* The usual case, in one op; TensorFlow 1's graphs keep to TensorFlow's ops. */
static tn_tensor *call_rows(const layer_norm *self, tn_tensor *x, tn_dtype dtype)
{
    int64_t size = x->shape.dims[x->shape.rank - 1];
    tn_tensor *gamma = self->gamma ? tn_cast(self->gamma, dtype) : tn_ones(TN_SHAPE(size), dtype),
              *beta = self->beta ? tn_cast(self->beta, dtype) : tn_zeros(TN_SHAPE(size), dtype);
    return tn__layer_norm_rows(x, gamma, beta, false, self->o.epsilon);
}

static bool is_of_rows(const tn_tensor *x, const tn_axes *axes)
{
    int last = x->shape.rank - 1;
    return axes->count == 1 && axes->axis[0] == last && x->shape.dims[last] > 0 && !tn__open_v1(tn__context());
}

static tn_tensor *call_layer_norm(void *me, tn_list inputs)
{
    const layer_norm *self = me;
    const tn_layer_normalization_options *o = &self->o;
    tn_dtype own = tn__layer_dtype(tn__this_layer()), dtype = tn__wide(own);
    tn_tensor *x = tn_cast(tn_at(inputs, 0), dtype);
    tn_axes axes;
    if (!x || !find_axes(&o->axis, &x->shape, &axes))
        return NULL;
    for (int i = 0; self->gamma && i < axes.count; i++)
        if (!tn__check_axis(x, axes.axis[i], self->gamma->shape.dims[i]))
            return NULL;
    if (!o->rms_scaling && is_of_rows(x, &axes))
        return tn_cast(call_rows(self, x, dtype), own);
    tn_list moments = tn_nn_moments(x, .axis = axes, .keepdims = true);
    tn_tensor *gamma = along(in_dtype(self->gamma, dtype), &axes, x->shape.rank),
              *beta = along(in_dtype(self->beta, dtype), &axes, x->shape.rank);
    tn_tensor *mean = tn_at(moments, 0), *variance = tn_at(moments, 1);
    if (!variance)
        return NULL;
    return tn_cast(o->rms_scaling ? scale_only(x, variance, gamma, o->epsilon)
                                  : tn__normalize(x, mean, variance, gamma, beta, o->epsilon),
                   own);
}

/* The axes of a built layer are a list; Keras 2 does not know rms_scaling. */
static tn_status write_layer_norm(tn_layer *layer, void *json)
{
    const tn_layer_normalization_options *o = &((const layer_norm *)layer->self)->o;
    if (!o->rms_scaling)
        json_object_del(json, "rms_scaling");
    return layer->built ? tn__write_axes(json, "axis", &o->axis) : TN_OK;
}

static const tn_class_more layer_more = { .reads_as_kept = true, .write_config = write_layer_norm };
TN__LAYER_CLASS(LayerNormalization, tn_layer_normalization_new, layer_norm,
                tn_layer_normalization_options, .fields = layer_fields, .inputs = 1,
                .build = build_layer_norm, .call = call_layer_norm, .supports_masking = true,
                .more = &layer_more)

/* --- GroupNormalization ----------------------------------------------------------------------- */
typedef struct {
    tn_group_normalization_options o;
    tn_variable *gamma, *beta;
    int64_t groups, size; /* of the input it was built for */
    int rank;
} group_norm;

static const tn_field group_fields[] = {
    TN__OPTION(TN_FIELD_INT, group_norm, groups, "32", NULL),
    TN__OPTION(TN_FIELD_AXIS, group_norm, axis, "-1", NULL),
    SCALE_ROWS(group_norm),
    TN__ROW(TN_FIELD_VARIABLE, group_norm, gamma, NULL, NULL),
    TN__ROW(TN_FIELD_VARIABLE, group_norm, beta, NULL, NULL),
    TN__END_OF_FIELDS,
};

static void init_group_norm(void *me)
{
    int64_t groups = ((const group_norm *)me)->o.groups;
    if (groups <= 0 && groups != -1)
        tn__fail(TN_INVALID_ARGUMENT,
                 "Received an invalid value for argument `groups`, expected a positive integer (or "
                 "`-1` for instance normalization). Received: groups=%lld",
                 (long long)groups);
}

static bool check_groups(int64_t groups, int64_t size)
{
    if (size < groups)
        tn__fail(TN_INVALID_ARGUMENT,
                 "Number of groups (%lld) cannot be more than the number of channels (%lld).",
                 (long long)groups, (long long)size);
    else if (size % groups != 0)
        tn__fail(TN_INVALID_ARGUMENT,
                 "Number of groups (%lld) must be a multiple of the number of channels (%lld).",
                 (long long)groups, (long long)size);
    return tn__errors()->status == TN_OK;
}

static void build_group_norm(void *me, tn_list inputs)
{
    group_norm *self = me;
    const tn_group_normalization_options *o = &self->o;
    int64_t size = tn__known_dim(inputs, o->axis);
    if (size == 0)
        return;
    self->size = size;
    self->groups = o->groups == -1 ? size : o->groups;
    self->rank = inputs.item[0]->shape.rank;
    if (!check_groups(self->groups, size))
        return;
    if (o->scale)
        self->gamma = tn__weight_new(TN_SHAPE(size), "gamma", o->gamma_initializer,
                                     o->gamma_regularizer, o->gamma_constraint);
    if (o->center)
        self->beta = tn__weight_new(TN_SHAPE(size), "beta", o->beta_initializer,
                                    o->beta_regularizer, o->beta_constraint);
}

/* (…, size, …) to (…, groups, size / groups, …) */
static tn_tensor *into_groups(tn_tensor *x, int axis, int64_t size, int64_t groups)
{
    int64_t sizes[2] = { groups, size / groups };
    tn_tensor *dims = tn__shape_tensor(x),
              *parts[] = { tn__vector_part(dims, 0, axis), tn__ints(sizes, 2),
                           tn__vector_part(dims, axis + 1, TN_NONE) };
    return TN__APPLY(tn__op_Reshape, NULL, x, tn__vector_join(3, parts));
}

/* Of gamma or beta: (1, …, groups, size / groups, …, 1) */
static tn_tensor *along_groups(tn_tensor *v, int axis, int rank, int64_t groups, tn_dtype dtype)
{
    tn_shape shape = { 1, rank + 1, { 0 } };
    if (!v)
        return NULL;
    for (int i = 0; i <= rank; i++)
        shape.dims[i] = 1;
    shape.dims[axis] = groups;
    shape.dims[axis + 1] = v->shape.dims[0] / groups;
    return tn_cast(tn_reshape(v, shape), dtype);
}

static bool is_fused(const tn_tensor *x, int axis, int rank)
{
    return x && x->shape.known && x->dtype == TN_FLOAT32 && axis == rank - 1 && rank < TN_MAX_RANK && !tn__open_v1(tn__context());
}

/* The usual case, in one op. */
static tn_tensor *call_fused_groups(const group_norm *self, tn_tensor *x)
{
    tn_shape shape = TN_SHAPE(self->groups, self->size / self->groups);
    tn_tensor *gamma = self->gamma ? tn_cast(self->gamma, TN_FLOAT32) : tn_ones(shape, TN_FLOAT32),
              *beta = self->beta ? tn_cast(self->beta, TN_FLOAT32) : tn_zeros(shape, TN_FLOAT32);
    return tn__group_norm(into_groups(x, self->rank - 1, self->size, self->groups), tn_reshape(gamma, shape), tn_reshape(beta, shape),
                          self->o.epsilon);
}

static tn_tensor *call_group_norm(void *me, tn_list inputs)
{
    const group_norm *self = me;
    const tn_group_normalization_options *o = &self->o;
    tn_dtype own = tn__layer_dtype(tn__this_layer()), dtype = tn__wide(own);
    tn_tensor *x = tn_at(inputs, 0);
    int axis, rank = self->rank;
    if (!tn__check_ndim(x, rank) || !tn__axis(o->axis, rank, &axis) ||
        !tn__check_axis(x, axis, self->size))
        return NULL;
    tn_tensor *dims = tn__shape_tensor(x);
    x = tn_cast(x, dtype);
    if (is_fused(x, axis, rank))
        return tn_cast(TN__APPLY(tn__op_Reshape, NULL, call_fused_groups(self, x), dims), own);
    tn_tensor *grouped = into_groups(x, axis, self->size, self->groups);
    tn_list moments = tn_nn_moments(grouped, .axis = tn__axes_in_group(rank + 1, axis), .keepdims = true);
    tn_tensor *mean = tn_at(moments, 0), *variance = tn_at(moments, 1);
    tn_tensor *y = tn__normalize(
        grouped, mean, variance, along_groups(self->gamma, axis, rank, self->groups, dtype),
        along_groups(self->beta, axis, rank, self->groups, dtype), o->epsilon);
    return tn_cast(TN__APPLY(tn__op_Reshape, NULL, y, dims), own);
}

static const tn_class_more group_more = { .least_rank = 2, .reads_as_kept = true };
TN__LAYER_CLASS(GroupNormalization, tn_group_normalization_new, group_norm,
                tn_group_normalization_options, .fields = group_fields, .inputs = 1,
                .init = init_group_norm, .build = build_group_norm, .call = call_group_norm,
                .supports_masking = true, .more = &group_more)

/* --- UnitNormalization ------------------------------------------------------------------------ */
typedef struct {
    tn_unit_normalization_options o;
} unit_norm;

static const tn_field unit_fields[] = {
    TN__OPTION(TN_FIELD_AXES, unit_norm, axis, "-1", NULL),
    TN__END_OF_FIELDS,
};

/* x / |x|, nothing made greater than 10^12 times */
static tn_tensor *call_unit_norm(void *me, tn_list inputs)
{
    tn_tensor *x = tn__as_float(tn_at(inputs, 0));
    tn_axes axes;
    if (!x || !find_axes(&((const unit_norm *)me)->o.axis, &x->shape, &axes))
        return NULL;
    return tn__l2_normalize(x, axes, 1e-12);
}

TN__LAYER_CLASS(UnitNormalization, tn_unit_normalization_new, unit_norm,
                tn_unit_normalization_options, .fields = unit_fields, .inputs = 1,
                .call = call_unit_norm, .supports_masking = true)

/* --- RMSNormalization ------------------------------------------------------------------------- */
typedef struct {
    tn_rms_normalization_options o;
    tn_variable *scale;
} rms_norm;

static const tn_field rms_fields[] = {
    TN__OPTION(TN_FIELD_AXES, rms_norm, axis, "-1", NULL),
    TN__OPTION(TN_FIELD_FLOAT, rms_norm, epsilon, "1e-6", NULL),
    TN__ROW(TN_FIELD_VARIABLE, rms_norm, scale, NULL, NULL),
    TN__END_OF_FIELDS,
};

static void build_rms_norm(void *me, tn_list inputs)
{
    rms_norm *self = me;
    tn_shape shape;
    if (weight_shape(inputs, &self->o.axis, &shape))
        self->scale = tn__weight_new(shape, "scale", "ones", NULL, NULL);
}

/* x scale / sqrt(mean of x² + epsilon), of rows in one op. Keras lets scale stand at the last dimensions
 * whatever the axes are, and be broadcast. */
static tn_tensor *call_rms_norm(void *me, tn_list inputs)
{
    const rms_norm *self = me;
    tn_dtype own = tn__layer_dtype(tn__this_layer()), dtype = tn__wide(own);
    tn_tensor *x = tn_cast(tn_at(inputs, 0), dtype);
    tn_axes axes;
    if (!x || !find_axes(&self->o.axis, &x->shape, &axes))
        return NULL;
    tn_tensor *scale = tn_cast(self->scale, dtype);
    if (scale && is_of_rows(x, &axes) && scale->shape.dims[0] == x->shape.dims[x->shape.rank - 1])
        return tn_cast(tn__layer_norm_rows(x, scale, tn_zeros(scale->shape, dtype), true, self->o.epsilon), own);
    tn_tensor *size = tn_reduce_mean(tn_square(x), .axis = axes, .keepdims = true);
    if (!size)
        return NULL;
    tn_tensor *y = tn_multiply(x, tn_rsqrt(tn_add(size, tn__like(size, self->o.epsilon))));
    return tn_cast(tn_multiply(y, scale), own);
}

static tn_status write_rms_norm(tn_layer *layer, void *json)
{
    return layer->built ? tn__write_axes(json, "axis", &((const rms_norm *)layer->self)->o.axis)
                        : TN_OK;
}

static const tn_class_more rms_more = { .write_config = write_rms_norm };
TN__LAYER_CLASS(RMSNormalization, tn_rms_normalization_new, rms_norm, tn_rms_normalization_options,
                .fields = rms_fields, .inputs = 1, .build = build_rms_norm, .call = call_rms_norm,
                .more = &rms_more)
