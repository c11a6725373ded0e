/* random.c - cases of kind "random": what one call gives for its seed. Programs of several calls
 * are in random_programs.c. */
#include "conformance/conformance.h"
#include "nn/config.h"
#include "tenon/random.h"
#include <string.h>

typedef struct {
    golden_case *c;
    const json_t *json;
    tn_shape shape;
    tn_dtype dtype;  /* 0: not said */
    tn_tensor *seed; /* two int32 */
    int64_t keras_seed;
} arguments;

static double number(const arguments *a, const char *name, double otherwise)
{
    const json_t *value = json_object_get(a->json, name);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

static int64_t whole(const arguments *a, const char *name)
{
    return (int64_t)json_integer_value(json_object_get(a->json, name));
}

static tn_tensor *scalar(double value)
{
    const float x = (float)value;
    return tn_constant(TN_FLOAT32, TN_SCALAR, &x);
}

/* A list of numbers, or of lists of them; a number alone is a scalar. */
static tn_tensor *numbers(const arguments *a, const char *name)
{
    const json_t *list = json_object_get(a->json, name);
    float value[64];
    if (json_is_number(list))
        return scalar(json_number_value(list));
    size_t rows = json_array_size(list), columns = json_array_size(json_array_get(list, 0)),
           count = 0;
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < (columns ? columns : 1) && count < 64; k++) {
            const json_t *row = json_array_get(list, i);
            value[count++] = (float)json_number_value(columns ? json_array_get(row, k) : row);
        }
    tn_shape shape = columns ? TN_SHAPE((int64_t)rows, (int64_t)columns) : TN_SHAPE((int64_t)rows);
    return tn_constant(TN_FLOAT32, shape, value);
}

static tn_tensor *ten(void)
{
    static const int32_t values[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    return tn_constant(TN_INT32, TN_SHAPE(10), values);
}

/* --- tf.random.stateless_x -------------------------------------------------------------------- */
static tn_tensor *stateless_uniform(const arguments *a)
{
    tn_dtype dtype = a->dtype ? a->dtype : TN_FLOAT32;
    return tn_random_stateless_uniform(a->shape, a->seed, .minval = number(a, "minval", 0),
                                       .maxval = number(a, "maxval", TN_NOT_GIVEN), .dtype = dtype);
}

static tn_tensor *stateless_normal(const arguments *a)
{
    return tn_random_stateless_normal(a->shape, a->seed, .dtype = a->dtype ? a->dtype : TN_FLOAT32);
}

static tn_tensor *stateless_truncated_normal(const arguments *a)
{
    return tn_random_stateless_truncated_normal(a->shape, a->seed);
}

static tn_tensor *stateless_gamma(const arguments *a)
{
    return tn_random_stateless_gamma(a->shape, a->seed, numbers(a, "alpha"));
}

static tn_tensor *stateless_poisson(const arguments *a)
{
    return tn_random_stateless_poisson(a->shape, a->seed, numbers(a, "lam"));
}

static tn_tensor *stateless_binomial(const arguments *a)
{
    return tn_random_stateless_binomial(a->shape, a->seed, numbers(a, "counts"),
                                        numbers(a, "probs"));
}

static tn_tensor *stateless_categorical(const arguments *a)
{
    return tn_random_stateless_categorical(numbers(a, "logits"), whole(a, "num_samples"), a->seed);
}

static tn_tensor *stateless_shuffle(const arguments *a)
{
    return tn_random_stateless_shuffle(ten(), a->seed);
}

static tn_tensor *stateless_dropout(const arguments *a)
{
    return tn_nn_stateless_dropout(tn_ones(TN_SHAPE(20), TN_FLOAT32), number(a, "rate", 0),
                                   a->seed);
}

static tn_tensor *fold_in(const arguments *a)
{
    const int32_t data = (int32_t)whole(a, "data");
    return tn_random_fold_in(a->seed, tn_constant(TN_INT32, TN_SCALAR, &data));
}

static tn_tensor *split(const arguments *a)
{
    return tn_random_split(a->seed, whole(a, "num"));
}

/* --- keras.random ----------------------------------------------------------------------------- */
static tn_tensor *keras_uniform(const arguments *a)
{
    return tn_keras_random_uniform(a->shape, .minval = number(a, "minval", 0),
                                   .maxval = number(a, "maxval", 1), .seed = a->keras_seed);
}

static tn_tensor *keras_normal(const arguments *a)
{
    return tn_keras_random_normal(a->shape, .seed = a->keras_seed);
}

static tn_tensor *keras_truncated_normal(const arguments *a)
{
    return tn_keras_random_truncated_normal(a->shape, .seed = a->keras_seed);
}

static tn_tensor *keras_randint(const arguments *a)
{
    return tn_keras_random_randint(a->shape, whole(a, "minval"), whole(a, "maxval"),
                                   .seed = a->keras_seed);
}

static tn_tensor *keras_gamma(const arguments *a)
{
    return tn_keras_random_gamma(a->shape, numbers(a, "alpha"), .seed = a->keras_seed);
}

static tn_tensor *keras_beta(const arguments *a)
{
    return tn_keras_random_beta(a->shape, numbers(a, "alpha"), numbers(a, "beta"),
                                .seed = a->keras_seed);
}

static tn_tensor *keras_binomial(const arguments *a)
{
    return tn_keras_random_binomial(a->shape, .counts = numbers(a, "counts"),
                                    .probabilities = numbers(a, "probabilities"),
                                    .seed = a->keras_seed);
}

static tn_tensor *keras_categorical(const arguments *a)
{
    return tn_keras_random_categorical(numbers(a, "logits"), whole(a, "num_samples"),
                                       .seed = a->keras_seed);
}

static tn_tensor *keras_shuffle(const arguments *a)
{
    return tn_keras_random_shuffle(ten(), .seed = a->keras_seed);
}

static tn_tensor *keras_dropout(const arguments *a)
{
    return tn_keras_random_dropout(tn_ones(TN_SHAPE(4, 5), TN_FLOAT32), number(a, "rate", 0),
                                   .seed = a->keras_seed);
}

/* --- all of them ------------------------------------------------------------------------------ */
static const struct {
    const char *api;
    tn_tensor *(*call)(const arguments *a);
} calls[] = {
    { "tf.random.stateless_uniform", stateless_uniform },
    { "tf.random.stateless_normal", stateless_normal },
    { "tf.random.stateless_truncated_normal", stateless_truncated_normal },
    { "tf.random.stateless_gamma", stateless_gamma },
    { "tf.random.stateless_poisson", stateless_poisson },
    { "tf.random.stateless_binomial", stateless_binomial },
    { "tf.random.stateless_categorical", stateless_categorical },
    { "tf.random.experimental.stateless_shuffle", stateless_shuffle },
    { "tf.nn.experimental.stateless_dropout", stateless_dropout },
    { "tf.random.fold_in", fold_in },
    { "tf.random.split", split },
    { "keras.random.uniform", keras_uniform },
    { "keras.random.normal", keras_normal },
    { "keras.random.truncated_normal", keras_truncated_normal },
    { "keras.random.randint", keras_randint },
    { "keras.random.gamma", keras_gamma },
    { "keras.random.beta", keras_beta },
    { "keras.random.binomial", keras_binomial },
    { "keras.random.categorical", keras_categorical },
    { "keras.random.shuffle", keras_shuffle },
    { "keras.random.dropout", keras_dropout },
};

static bool read_arguments(golden_case *c, verdict *v, arguments *a)
{
    const json_t *json = golden_json(c), *seed = json_object_get(json, "seed");
    const char *dtype = tn__json_text(json, "dtype");
    *a = (arguments){ .c = c, .json = json };
    if (json_object_get(json, "shape") &&
        !tn__shape_from_json(json_object_get(json, "shape"), &a->shape))
        return fail_case(v, "its shape cannot be read");
    if (dtype && !(a->dtype = tn__dtype_of_name(dtype)))
        return skip_case(v, "dtype %s", dtype);
    const int32_t pair[2] = { (int32_t)json_integer_value(json_array_get(seed, 0)),
                              (int32_t)json_integer_value(json_array_get(seed, 1)) };
    a->seed = tn_constant(TN_INT32, TN_SHAPE(2), pair);
    a->keras_seed = (int64_t)json_integer_value(seed);
    return true;
}

void replay_random(golden_case *c, verdict *v)
{
    const json_t *json = golden_json(c);
    const char *api = tn__json_text(json, "api");
    arguments a;
    if (!api) {
        replay_random_program(c, v);
        return;
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(calls[i].api, api) == 0) {
            if (read_arguments(c, v, &a))
                same_json(v, c, calls[i].call(&a), json_object_get(json, "value"), "value");
            return;
        }
    skip_case(v, "%s", api);
}
