/* initializers.c - first values of variables, equal to Keras's for the same seed. */
#include "core/random.h"
#include "nn/object.h"
#include "ops/array.h"
#include "ops/random.h"
#include <math.h>
#include <string.h>

#define INITIALIZER(name_, make_, ...)                                                    \
    static const tn__initializer_methods name_##_methods = { make_ };                     \
    const tn__object_class tn__initializer_##name_ = {                                    \
        .kind = TN__INITIALIZER, .name = #name_, .methods = &name_##_methods, __VA_ARGS__ \
    };

/* --- constants -------------------------------------------------------------------------------- */
static tn_status fill(tn_dtype dtype, const tn_shape *shape, double number, tn_tensor **value)
{
    *value = tn__tensor_fill(dtype, shape, number);
    return *value ? TN_OK : tn__errors()->status;
}

static tn_status make_zeros(const void *self, tn_context *context, tn_dtype dtype,
                            const tn_shape *shape, tn_tensor **value)
{
    (void)self, (void)context;
    return fill(dtype, shape, 0, value);
}
INITIALIZER(Zeros, make_zeros, .aliases = "zero")

static tn_status make_ones(const void *self, tn_context *context, tn_dtype dtype,
                           const tn_shape *shape, tn_tensor **value)
{
    (void)self, (void)context;
    return fill(dtype, shape, 1, value);
}
INITIALIZER(Ones, make_ones, .aliases = "one")

typedef struct {
    double value;
} constant;
static const tn_field constant_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, constant, value, "0", NULL),
    TN__END_OF_FIELDS,
};

static tn_status make_constant(const void *self, tn_context *context, tn_dtype dtype,
                               const tn_shape *shape, tn_tensor **value)
{
    (void)context;
    return fill(dtype, shape, ((const constant *)self)->value, value);
}
INITIALIZER(Constant, make_constant, .fields = constant_fields, .size = sizeof(constant))

typedef struct {
    double gain;
} identity;
static const tn_field identity_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, identity, gain, "1", NULL),
    TN__END_OF_FIELDS,
};

static tn_status make_identity(const void *self, tn_context *context, tn_dtype dtype,
                               const tn_shape *shape, tn_tensor **value)
{
    (void)context;
    if (shape->rank != 2)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Identity matrix initializer can only be used for 2D matrices. Received: "
                        "shape=%s of rank %d.",
                        TN__SHAPE(*shape), shape->rank);
    TN_TRY(fill(dtype, shape, 0, value));
    size_t size = tn__dtype_size(dtype);
    for (int64_t i = 0; i < shape->dims[0] && i < shape->dims[1]; i++)
        tn__element_from_double(dtype, ((const identity *)self)->gain,
                                (char *)(*value)->data + (size_t)(i * shape->dims[1] + i) * size);
    return TN_OK;
}
INITIALIZER(Identity, make_identity, .aliases = "IdentityInitializer", .fields = identity_fields,
            .size = sizeof(identity))

/* --- drawing ---------------------------------------------------------------------------------- */
typedef enum { UNIFORM, NORMAL, TRUNCATED_NORMAL, DISTRIBUTIONS } distribution;

#define FILLERS(name)                                                                      \
    tn__random_##name##_float32, tn__random_##name##_float64, tn__random_##name##_float16, \
        tn__random_##name##_bfloat16
static const struct {
    void (*float32)(tn__philox philox, float *out, size_t count);
    void (*float64)(tn__philox philox, double *out, size_t count);
    void (*float16)(tn__philox philox, uint16_t *out, size_t count);
    void (*bfloat16)(tn__philox philox, uint16_t *out, size_t count);
} fillers[DISTRIBUTIONS] = { { FILLERS(uniform) },
                             { FILLERS(normal) },
                             { FILLERS(truncated_normal) } };

/* TensorFlow 1's initializers draw in every run, by stateful ops. */
static tn_status draw_op(tn_context *context, distribution which, int64_t seed, tn_dtype dtype,
                         const tn_shape *shape, tn_tensor **value)
{
    static const tn__op *const ops[DISTRIBUTIONS] = { &tn__op_RandomUniform,
                                                      &tn__op_RandomStandardNormal,
                                                      &tn__op_TruncatedNormal };
    tn_tensor *dims = tn__dims(shape);
    const tn__random_attrs attrs = tn__random_attrs_of(context, seed, dtype);
    *value = dims ? tn__retain(tn__apply(ops[which], &attrs, &dims, 1)) : NULL;
    return *value ? TN_OK : context->error.status;
}

/* In [0, 1), or with mean 0 and deviation 1. */
static tn_status draw(tn_context *context, distribution which, int64_t seed, tn_dtype dtype,
                      const tn_shape *shape, tn_tensor **value)
{
    if (!tn__in(TN__FLOATS, dtype))
        return tn__fail(TN_INVALID_ARGUMENT, "a random initializer needs a float dtype, got %s",
                        tn__dtype_name(dtype));
    if (tn__open_v1(context))
        return draw_op(context, which, seed, dtype, shape, value);
    TN_TRY(tn__tensor_new(dtype, shape, value));
    tn__philox philox = tn__philox_keras((const int64_t[2]){ seed, 0 });
    void *out = (*value)->data;
    size_t count = (size_t)tn__count(*value);
    switch (dtype) {
    case TN_FLOAT64:
        fillers[which].float64(philox, out, count);
        break;
    case TN_FLOAT16:
        fillers[which].float16(philox, out, count);
        break;
    case TN_BFLOAT16:
        fillers[which].bfloat16(philox, out, count);
        break;
    default:
        fillers[which].float32(philox, out, count);
    }
    return TN_OK;
}

static tn_tensor *number(tn_dtype dtype, double value)
{
    const tn_shape scalar = { 1, 0, { 0 } };
    return tn__own(tn__tensor_fill(dtype, &scalar, value));
}

/* Ops round where TensorFlow's do, in every dtype. Takes over the count of drawn. */
static tn_status scale(tn_tensor *drawn, tn_tensor *factor, tn_tensor *offset, tn_tensor **value)
{
    *value = tn__retain(tn_add(tn_multiply(drawn, factor), offset));
    tn__release(drawn);
    return *value ? TN_OK : tn__errors()->status;
}

static tn_status draw_uniform(tn_context *context, int64_t seed, double low, double high,
                              tn_dtype dtype, const tn_shape *shape, tn_tensor **value)
{
    tn_tensor *drawn = NULL;
    tn_status status = draw(context, UNIFORM, seed, dtype, shape, &drawn);
    tn_tensor *least = number(dtype, low);
    return status == TN_OK ? scale(drawn, tn_subtract(number(dtype, high), least), least, value)
                           : status;
}

static tn_status draw_normal(tn_context *context, distribution which, int64_t seed, double mean,
                             double deviation, tn_dtype dtype, const tn_shape *shape,
                             tn_tensor **value)
{
    tn_tensor *drawn = NULL;
    TN_TRY(draw(context, which, seed, dtype, shape, &drawn));
    return scale(drawn, number(dtype, deviation), number(dtype, mean), value);
}

typedef struct {
    double minval, maxval;
    int64_t seed;
} random_uniform;
static const tn_field random_uniform_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, random_uniform, minval, "-0.05", NULL),
    TN__ROW(TN_FIELD_FLOAT, random_uniform, maxval, "0.05", NULL),
    TN__ROW(TN_FIELD_INT, random_uniform, seed, "none", NULL),
    TN__END_OF_FIELDS,
};

static tn_status make_random_uniform(const void *self, tn_context *context, tn_dtype dtype,
                                     const tn_shape *shape, tn_tensor **value)
{
    const random_uniform *r = self;
    return draw_uniform(context, r->seed, r->minval, r->maxval, dtype, shape, value);
}
INITIALIZER(RandomUniform, make_random_uniform, .aliases = "uniform",
            .fields = random_uniform_fields, .size = sizeof(random_uniform))

typedef struct {
    double mean, stddev;
    int64_t seed;
} random_normal;
static const tn_field random_normal_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, random_normal, mean, "0", NULL),
    TN__ROW(TN_FIELD_FLOAT, random_normal, stddev, "0.05", NULL),
    TN__ROW(TN_FIELD_INT, random_normal, seed, "none", NULL),
    TN__END_OF_FIELDS,
};

static tn_status make_random_normal(const void *self, tn_context *context, tn_dtype dtype,
                                    const tn_shape *shape, tn_tensor **value)
{
    const random_normal *r = self;
    return draw_normal(context, NORMAL, r->seed, r->mean, r->stddev, dtype, shape, value);
}
INITIALIZER(RandomNormal, make_random_normal, .aliases = "normal", .fields = random_normal_fields,
            .size = sizeof(random_normal))

static tn_status make_truncated_normal(const void *self, tn_context *context, tn_dtype dtype,
                                       const tn_shape *shape, tn_tensor **value)
{
    const random_normal *r = self;
    return draw_normal(context, TRUNCATED_NORMAL, r->seed, r->mean, r->stddev, dtype, shape, value);
}
INITIALIZER(TruncatedNormal, make_truncated_normal, .fields = random_normal_fields,
            .size = sizeof(random_normal))

/* --- scaled by the number of inputs and outputs ----------------------------------------------- */
typedef struct {
    double scale;
    const char *mode, *distribution;
    int64_t seed;
    tn_axes input_axes, output_axes;
} variance_scaling;

/* What all of these have. */
#define SCALING_ROWS                                                        \
    TN__ROW(TN_FIELD_INT, variance_scaling, seed, "none", NULL),            \
        TN__ROW(TN_FIELD_AXES, variance_scaling, input_axes, "none", NULL), \
        TN__ROW(TN_FIELD_AXES, variance_scaling, output_axes, "none", NULL), TN__END_OF_FIELDS
static const tn_field variance_scaling_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, variance_scaling, scale, "1", "> 0"),
    TN__ROW(TN_FIELD_STRING, variance_scaling, mode, "fan_in", "fan_in|fan_out|fan_avg"),
    TN__ROW(TN_FIELD_STRING, variance_scaling, distribution, "truncated_normal",
            "truncated_normal|untruncated_normal|uniform|normal"),
    SCALING_ROWS,
};
static const tn_field scaling_fields[] = { SCALING_ROWS };

static tn_status product_along(const tn_axes *axes, const tn_shape *shape, double *product)
{
    *product = 1;
    for (int i = 0; i < axes->count; i++) {
        int axis;
        if (!tn__axis(axes->axis[i], shape->rank, &axis))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "an initializer's axis %d is outside of the shape %s", axes->axis[i],
                            TN__SHAPE(*shape));
        *product *= (double)shape->dims[axis];
    }
    return TN_OK;
}

/* In and out of a dense kernel, or of a convolution's times its receptive field. */
static tn_status fans(const variance_scaling *s, const tn_shape *shape, double *fan_in,
                      double *fan_out)
{
    if (s->input_axes.count && s->output_axes.count) {
        TN_TRY(product_along(&s->input_axes, shape, fan_in));
        return product_along(&s->output_axes, shape, fan_out);
    }
    double field = 1;
    for (int i = 0; i < shape->rank - 2; i++)
        field *= (double)shape->dims[i];
    *fan_in = shape->rank > 1 ? (double)shape->dims[shape->rank - 2] * field
              : shape->rank   ? (double)shape->dims[0]
                              : 1;
    *fan_out = shape->rank > 1 ? (double)shape->dims[shape->rank - 1] * field : *fan_in;
    return TN_OK;
}

/* The deviation of a normal distribution that is cut at two deviations. */
#define TRUNCATED_DEVIATION 0.87962566103423978

static tn_status make_scaled(tn_context *context, const variance_scaling *s, double scale,
                             const char *mode, const char *shape_of, tn_dtype dtype,
                             const tn_shape *shape, tn_tensor **value)
{
    double fan_in, fan_out;
    TN_TRY(fans(s, shape, &fan_in, &fan_out));
    double n = strcmp(mode, "fan_in") == 0    ? fan_in
               : strcmp(mode, "fan_out") == 0 ? fan_out
                                              : (fan_in + fan_out) / 2;
    double variance = scale / fmax(1, n), limit = sqrt(3 * variance);
    if (strcmp(shape_of, "uniform") == 0)
        return draw_uniform(context, s->seed, -limit, limit, dtype, shape, value);
    if (strcmp(shape_of, "untruncated_normal") == 0)
        return draw_normal(context, NORMAL, s->seed, 0, sqrt(variance), dtype, shape, value);
    return draw_normal(context, TRUNCATED_NORMAL, s->seed, 0, sqrt(variance) / TRUNCATED_DEVIATION,
                       dtype, shape, value);
}

static tn_status make_variance_scaling(const void *self, tn_context *context, tn_dtype dtype,
                                       const tn_shape *shape, tn_tensor **value)
{
    const variance_scaling *s = self;
    return make_scaled(context, s, s->scale, s->mode, s->distribution, dtype, shape, value);
}
INITIALIZER(VarianceScaling, make_variance_scaling, .fields = variance_scaling_fields,
            .size = sizeof(variance_scaling), .newer_fields = "input_axes|output_axes")

#define SCALED(name_, scale_, mode_, distribution_)                                              \
    static tn_status make_##name_(const void *self, tn_context *context, tn_dtype dtype,         \
                                  const tn_shape *shape, tn_tensor **value)                      \
    {                                                                                            \
        return make_scaled(context, self, scale_, mode_, distribution_, dtype, shape, value);    \
    }                                                                                            \
    INITIALIZER(name_, make_##name_, .fields = scaling_fields, .size = sizeof(variance_scaling), \
                .newer_fields = "input_axes|output_axes")
SCALED(GlorotUniform, 1, "fan_avg", "uniform")
SCALED(GlorotNormal, 1, "fan_avg", "truncated_normal")
SCALED(LecunUniform, 1, "fan_in", "uniform")
SCALED(LecunNormal, 1, "fan_in", "truncated_normal")
SCALED(HeUniform, 2, "fan_in", "uniform")
SCALED(HeNormal, 2, "fan_in", "truncated_normal")

/* --- orthogonal ------------------------------------------------------------------------------- */
typedef struct {
    double gain;
    int64_t seed;
} orthogonal;
static const tn_field orthogonal_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, orthogonal, gain, "1", NULL),
    TN__ROW(TN_FIELD_INT, orthogonal, seed, "none", NULL),
    TN__END_OF_FIELDS,
};

/* The Q of x's QR decomposition whose R has a positive diagonal: unique, whatever the method. */
static tn_tensor *orthonormal(tn_tensor *x)
{
    tn_list parts = tn__qr(x);
    return parts.item ? tn_multiply(parts.item[0], tn_sign(tn_linalg_diag_part(parts.item[1], 0)))
                      : NULL;
}

static tn_status make_orthogonal(const void *self, tn_context *context, tn_dtype dtype,
                                 const tn_shape *shape, tn_tensor **value)
{
    const orthogonal *o = self;
    if (shape->rank < 2)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "The tensor to initialize must be at least two-dimensional. Received: "
                        "shape=%s of rank %d.",
                        TN__SHAPE(*shape), shape->rank);
    size_t bytes;
    TN_TRY(tn__shape_bytes(shape, dtype, INT64_MAX, &bytes));
    int64_t columns = shape->dims[shape->rank - 1];
    int64_t rows = columns ? tn__shape_count(shape) / columns : 0;
    const tn_shape tall = rows < columns ? TN_SHAPE(columns, rows) : TN_SHAPE(rows, columns);
    tn_tensor *drawn = NULL;
    TN_TRY(draw(context, NORMAL, o->seed, dtype, &tall, &drawn));
    tn_tensor *x = orthonormal(drawn);
    tn__release(drawn);
    x = tn_reshape(rows < columns ? tn_linalg_matrix_transpose(x) : x, *shape);
    *value = tn__retain(tn_multiply(number(dtype, o->gain), x));
    return *value ? TN_OK : context->error.status;
}
INITIALIZER(Orthogonal, make_orthogonal, .aliases = "OrthogonalInitializer",
            .fields = orthogonal_fields, .size = sizeof(orthogonal))
