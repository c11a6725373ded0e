/* noise.c - in training the input is changed at random: noise added, noise as a factor, or places
 * set to what a selu tends to */
#include "nn/layers/layers.h"
#include "tenon/random.h"
#include "ops/random.h"
#include <math.h>

typedef struct {
    tn_gaussian_noise_options o;
    tn_variable *seed_generator;
} gaussian_noise;
typedef struct {
    tn_gaussian_dropout_options o;
    tn_variable *seed_generator;
} gaussian_dropout;
typedef struct {
    tn_dropout_options o;
    tn_variable *seed_generator;
} alpha_dropout;

static const tn_field noise_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, gaussian_noise, stddev, NULL, "0..1"),
    TN__OPTION(TN_FIELD_INT, gaussian_noise, seed, "none", NULL),
    TN__ROW(TN_FIELD_VARIABLE, gaussian_noise, seed_generator, NULL, NULL),
    TN__END_OF_FIELDS,
};
static const tn_field dropout_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, gaussian_dropout, rate, NULL, "0..1"),
    TN__OPTION(TN_FIELD_INT, gaussian_dropout, seed, "none", NULL),
    TN__ROW(TN_FIELD_VARIABLE, gaussian_dropout, seed_generator, NULL, NULL),
    TN__END_OF_FIELDS,
};
static const tn_field alpha_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, alpha_dropout, rate, NULL, "0..1"),
    TN__OPTION(TN_FIELD_SHAPE, alpha_dropout, noise_shape, "none", NULL),
    TN__OPTION(TN_FIELD_INT, alpha_dropout, seed, "none", NULL),
    TN__ROW(TN_FIELD_VARIABLE, alpha_dropout, seed_generator, NULL, NULL),
    TN__END_OF_FIELDS,
};

/* --- normal noise ----------------------------------------------------------------------------- */
static tn_tensor *normal(tn_tensor *x, double mean, double stddev, tn_variable *generator)
{
    return tn__stateless_normal(tn__shape_tensor(x), tn__next_seed(generator), mean, stddev,
                                (tn_dtype)x->dtype);
}

static void init_noise(void *me)
{
    gaussian_noise *self = me;
    if (self->o.stddev > 0)
        self->seed_generator = tn_seed_generator(self->o.seed);
}

static tn_tensor *call_noise(void *me, tn_list inputs)
{
    const gaussian_noise *self = me;
    tn_tensor *x = tn__as_float(tn_at(inputs, 0));
    if (!x || !tn_training() || self->o.stddev == 0)
        return x;
    return tn_add(x, normal(x, 0, self->o.stddev, self->seed_generator));
}

static void init_dropout(void *me)
{
    gaussian_dropout *self = me;
    if (self->o.rate > 0)
        self->seed_generator = tn_seed_generator(self->o.seed);
}

static tn_tensor *call_dropout(void *me, tn_list inputs)
{
    const gaussian_dropout *self = me;
    double rate = self->o.rate;
    tn_tensor *x = tn__as_float(tn_at(inputs, 0));
    if (!x || !tn_training() || rate == 0)
        return x;
    if (rate == 1) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "float division by zero\n%s: the deviation is the root of rate / (1 - rate), and "
                 "rate is 1",
                 tn__layer_print(tn__this_layer()));
        return NULL;
    }
    return tn_multiply(x, normal(x, 1, sqrt(rate / (1 - rate)), self->seed_generator));
}

/* --- alpha dropout ---------------------------------------------------------------------------- */
static void init_alpha(void *me)
{
    alpha_dropout *self = me;
    if (self->o.rate > 0)
        self->seed_generator = tn_seed_generator(self->o.seed);
}

/* a (x kept + alpha' (1 - kept)) + b: dropped places become alpha' = -alpha · scale of selu, and a
 * and b keep mean and variance. The lots are float32 whatever the layer's dtype. */
static tn_tensor *call_alpha(void *me, tn_list inputs)
{
    static const double alpha =
        -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946;
    const alpha_dropout *self = me;
    double rate = self->o.rate;
    tn_tensor *x = tn__as_float(tn_at(inputs, 0));
    if (!x || !tn_training() || rate == 0)
        return x;
    tn_tensor *dims = tn__noise_shape(x, &self->o.noise_shape);
    tn_tensor *lot =
        tn__stateless_uniform(dims, tn__next_seed(self->seed_generator), 0, 1, TN_FLOAT32);
    if (!lot)
        return NULL;
    tn_tensor *kept = tn_cast(tn_greater_equal(lot, tn__like(lot, rate)), (tn_dtype)x->dtype);
    double a = 1 / sqrt((1 - rate) * (1 + rate * alpha * alpha)), b = -a * alpha * rate;
    tn_tensor *dropped = tn_multiply(tn__like(x, alpha), tn__one_minus(kept));
    x = tn_add(tn_multiply(x, kept), dropped);
    return tn_add(tn_multiply(tn__like(x, a), x), tn__like(x, b));
}

TN__LAYER_CLASS(GaussianNoise, tn_gaussian_noise_new, gaussian_noise, tn_gaussian_noise_options,
                .fields = noise_fields, .inputs = 1, .init = init_noise, .call = call_noise,
                .supports_masking = true)
TN__LAYER_CLASS(GaussianDropout, tn_gaussian_dropout_new, gaussian_dropout,
                tn_gaussian_dropout_options, .fields = dropout_fields, .inputs = 1,
                .init = init_dropout, .call = call_dropout, .supports_masking = true)
TN__LAYER_CLASS(AlphaDropout, tn_alpha_dropout_new, alpha_dropout, tn_dropout_options,
                .fields = alpha_fields, .inputs = 1, .init = init_alpha, .call = call_alpha,
                .supports_masking = true)
