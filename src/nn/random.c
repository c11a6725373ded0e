/* random.c - keras.random: TensorFlow's stateless numbers, with Keras's seeds. */
#include "nn/layer.h"
#include "ops/random.h"
#include "ops/array.h"
#include "ops/elementwise.h"

/* Shape and seed; both NULL when one failed. */
typedef struct {
    tn_tensor *shape, *seed;
} draw;

static draw begin(tn_context *context, const tn_shape *shape, int64_t seed, tn_variable *generator,
                  const char *what)
{
    draw d = { tn__random_shape(shape, what), NULL };
    if (d.shape)
        d.seed = tn__keras_seed(context, seed, generator);
    if (!d.seed)
        d.shape = NULL;
    return d;
}

tn_tensor *tn_keras_random_normal_with(const tn_keras_random_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    draw d = begin(context, &o->shape, o->seed, o->seed_generator, "tn_keras_random_normal");
    return d.seed ? tn__stateless_normal(d.shape, d.seed, o->mean, o->stddev, o->dtype) : NULL;
}

tn_tensor *tn_keras_random_truncated_normal_with(const tn_keras_random_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    draw d =
        begin(context, &o->shape, o->seed, o->seed_generator, "tn_keras_random_truncated_normal");
    return d.seed ? tn__stateless_truncated_normal(d.shape, d.seed, o->mean, o->stddev, o->dtype)
                  : NULL;
}

static bool is_float(tn_dtype dtype, const char *what)
{
    if (tn__in(TN__FLOATS, dtype))
        return true;
    tn__fail(TN_INVALID_ARGUMENT, "%s: `dtype` must be a floating point dtype. Received: dtype=%s",
             what, tn__dtype_name(dtype));
    return false;
}

tn_tensor *tn_keras_random_uniform_with(const tn_keras_random_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    if (!is_float(o->dtype, "tn_keras_random_uniform"))
        return NULL;
    draw d = begin(context, &o->shape, o->seed, o->seed_generator, "tn_keras_random_uniform");
    return d.seed ? tn__stateless_uniform(d.shape, d.seed, o->minval, o->maxval, o->dtype) : NULL;
}

tn_tensor *tn_keras_random_randint_with(const tn_keras_randint_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    if (!tn__in(TN__INTS, o->dtype)) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "`keras.random.randint` requires an integer `dtype`. Received: dtype=%s ",
                 tn__dtype_name(o->dtype));
        return NULL;
    }
    tn_dtype drawn = o->dtype == TN_INT32 ? TN_INT32 : TN_INT64;
    draw d = begin(context, &o->shape, o->seed, o->seed_generator, "tn_keras_random_randint");
    tn_tensor *x =
        d.seed ? tn__stateless_uniform_int(d.shape, d.seed, o->minval, o->maxval, drawn) : NULL;
    return x && drawn != o->dtype ? tn_cast(x, o->dtype) : x;
}

/* --- with parameters -------------------------------------------------------------------------- */
/* TensorFlow's gamma and binomial know no bfloat16. */
static tn_dtype computed(tn_dtype dtype)
{
    return dtype == TN_BFLOAT16 ? TN_FLOAT32 : dtype;
}

static tn_tensor *finish(tn_tensor *x, tn_dtype dtype)
{
    return x && x->dtype != dtype ? tn_cast(x, dtype) : x;
}

/* A number takes the dtype it is computed in. */
static tn_tensor *parameter(tn_tensor *x, tn_dtype dtype, const char *what)
{
    if (!tn__check_tensor(x, what))
        return NULL;
    return x->weak ? tn_cast(x, computed(dtype)) : x;
}

tn_tensor *tn_keras_random_gamma_with(const tn_keras_distribution_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    const char *what = "tn_keras_random_gamma";
    tn_tensor *alpha = parameter(o->alpha, o->dtype, "tn_keras_random_gamma: alpha");
    if (!alpha || !is_float(o->dtype, what))
        return NULL;
    draw d = begin(context, &o->shape, o->seed, o->seed_generator, what);
    return d.seed ? finish(tn__stateless_gamma(d.shape, d.seed, alpha), o->dtype) : NULL;
}

/* Of two gamma numbers, the first's share of both; the second's seed is 12 further. */
tn_tensor *tn_keras_random_beta_with(const tn_keras_distribution_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    const char *what = "tn_keras_random_beta";
    tn_tensor *alpha = parameter(o->alpha, o->dtype, "tn_keras_random_beta: alpha"),
              *beta = alpha ? parameter(o->beta, o->dtype, "tn_keras_random_beta: beta") : NULL;
    if (!beta || !is_float(o->dtype, what))
        return NULL;
    draw d = begin(context, &o->shape, o->seed, o->seed_generator, what);
    if (!d.seed)
        return NULL;
    tn_tensor *x = tn__stateless_gamma(d.shape, d.seed, tn_broadcast_to(alpha, o->shape));
    tn_tensor *y = tn__stateless_gamma(d.shape, tn_add(d.seed, tn__like(d.seed, 12)),
                                       tn_broadcast_to(beta, o->shape));
    x = finish(x, o->dtype);
    return x ? tn_divide(x, tn_add(x, finish(y, o->dtype))) : NULL;
}

tn_tensor *tn_keras_random_binomial_with(const tn_keras_distribution_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    const char *what = "tn_keras_random_binomial";
    tn_tensor *counts = parameter(o->counts, o->dtype, "tn_keras_random_binomial: counts"),
              *probs = counts ? parameter(o->probabilities, o->dtype,
                                          "tn_keras_random_binomial: probabilities")
                              : NULL;
    if (!probs || !is_float(o->dtype, what))
        return NULL;
    tn_tensor *seed = tn__keras_seed(context, o->seed, o->seed_generator);
    const tn_random_stateless_binomial_options options = { .size_ = sizeof options,
                                                           .shape = o->shape,
                                                           .seed = seed,
                                                           .counts = counts,
                                                           .probs = probs,
                                                           .output_dtype = computed(o->dtype) };
    return seed ? finish(tn_random_stateless_binomial_with(&options), o->dtype) : NULL;
}

tn_tensor *tn_keras_random_categorical_with(const tn_keras_categorical_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *seed = tn__keras_seed(context, o->seed, o->seed_generator);
    if (!seed)
        return NULL;
    return finish(tn__stateless_categorical(o->logits, o->num_samples, seed, TN_INT64), o->dtype);
}

/* --- of a tensor ------------------------------------------------------------------------------ */
/* The places of a vector's elements in their order, equal ones in the order they have. */
static tn_tensor *ascending(tn_tensor *x, tn_tensor *length)
{
    tn_list top = tn__top_k(tn_negative(x), tn_reshape(length, TN_SCALAR));
    return top.item ? top.item[1] : NULL;
}

tn_tensor *tn_keras_random_shuffle_with(const tn_keras_shuffle_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    int axis = o->axis;
    if (!tn__check_tensor(o->x, "tn_keras_random_shuffle: x"))
        return NULL;
    if (o->x->shape.known && !tn__axis(o->axis, o->x->shape.rank, &axis)) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_keras_random_shuffle: %s has no axis %d",
                 TN__TENSOR(o->x), o->axis);
        return NULL;
    }
    tn_tensor *seed = tn__keras_seed(context, o->seed, o->seed_generator);
    if (!seed)
        return NULL;
    tn_tensor *length = tn__vector_part(tn__shape_tensor(o->x), axis, axis + 1);
    tn_tensor *lots = tn__stateless_uniform(length, seed, 0, 1, TN_FLOAT32);
    return lots ? tn_gather(o->x, ascending(lots, length), axis) : NULL;
}

tn_tensor *tn_keras_random_dropout_with(const tn_keras_dropout_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    if (!tn__check_dropped(o->inputs, "tn_keras_random_dropout: inputs"))
        return NULL;
    if (!(o->rate >= 0 && o->rate <= 1)) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate=%g",
                 o->rate);
        return NULL;
    }
    if (o->rate == 0 || o->rate == 1)
        return o->rate == 0 ? o->inputs : tn_zeros_like(o->inputs);
    tn_tensor *seed = tn__keras_seed(context, o->seed, o->seed_generator);
    if (!seed)
        return NULL;
    return tn__stateless_dropout(o->inputs, o->rate, tn__noise_shape(o->inputs, &o->noise_shape),
                                 seed);
}
