/* initializers.c - first values of variables, equal to Keras's for the same seed. */
#include "nn/object.h"
#include "core/random.h"
#include <math.h>

#define INITIALIZER(name_, make_, ...) \
    static const tn__initializer_methods name_##_methods = { make_ }; \
    const tn__object_class tn__initializer_##name_ = { .kind = TN__INITIALIZER, .name = #name_, .methods = &name_##_methods, __VA_ARGS__ };

static tn_status fill(tn_dtype dtype, const tn_shape *shape, double number, tn_tensor **value)
{
    *value = tn__tensor_fill(dtype, shape, number);
    return *value ? TN_OK : tn__errors()->status;
}

static tn_status make_zeros(const void *self, tn_context *context, tn_dtype dtype, const tn_shape *shape, tn_tensor **value)
{
    (void)self, (void)context;
    return fill(dtype, shape, 0, value);
}
INITIALIZER(Zeros, make_zeros, )

static tn_status make_ones(const void *self, tn_context *context, tn_dtype dtype, const tn_shape *shape, tn_tensor **value)
{
    (void)self, (void)context;
    return fill(dtype, shape, 1, value);
}
INITIALIZER(Ones, make_ones, )

typedef struct {
    int64_t seed;
} seeded;
static const tn_field seeded_fields[] = {
    TN__ROW(TN_FIELD_INT, seeded, seed, "none", NULL),
    TN__END_OF_FIELDS,
};

/* Keras: in and out of a dense kernel, or of a convolution's times its receptive field. */
static void fans(const tn_shape *shape, double *fan_in, double *fan_out)
{
    double field = 1;
    for (int i = 0; i < shape->rank - 2; i++)
        field *= (double)shape->dims[i];
    *fan_in = shape->rank > 1 ? (double)shape->dims[shape->rank - 2] * field : shape->rank ? (double)shape->dims[0] : 1;
    *fan_out = shape->rank > 1 ? (double)shape->dims[shape->rank - 1] * field : *fan_in;
}

/* uniform in ±sqrt(6 / (fan_in + fan_out)) */
static tn_status make_glorot_uniform(const void *self, tn_context *context, tn_dtype dtype, const tn_shape *shape, tn_tensor **value)
{
    const seeded *s = self;
    double fan_in, fan_out;
    fans(shape, &fan_in, &fan_out);
    double limit = sqrt(3.0 * (1.0 / fmax(1.0, (fan_in + fan_out) / 2)));
    int64_t seed[2] = { s->seed == INT64_MIN ? tn__random_default_seed(&context->random) : s->seed, 0 };
    TN_TRY(tn__tensor_new(TN_FLOAT32, shape, value));
    float *x = (*value)->data;
    int64_t count = tn__count(*value);
    tn__random_uniform_float32(tn__philox_keras(seed), x, (size_t)count);
    float low = (float)-limit, range = (float)limit - low;
    for (int64_t i = 0; i < count; i++)
        x[i] = x[i] * range + low;
    (void)dtype;
    return TN_OK;
}
INITIALIZER(GlorotUniform, make_glorot_uniform, .fields = seeded_fields, .size = sizeof(seeded))
