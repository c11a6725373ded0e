/* random.h - random numbers, TensorFlow's and Keras's: the same seed gives the same numbers. tf.random.x is tn_random_x, a method of
 * tf.random.Generator tn_generator_x, keras.random.x tn_keras_random_x. Errors as ops.h has them. */
#ifndef TENON_RANDOM_H
#define TENON_RANDOM_H
#include "tenon/ops.h"
TN_BEGIN
/* --- seeds -------------------------------------------------------------------------------------------------------------- */
/* tf.random.set_seed: of the eager ops from here on, or, in a graph, of the graph's. An op without a seed of its own then has the
 * next of a sequence that the seed determines. */
TN_API void tn_set_seed(int64_t seed);
/* keras.utils.set_random_seed: that, and the seeds of layers and initializers that have none of their own. */
TN_API void tn_set_random_seed(int64_t seed);

/* --- tf.random: numbers that go on from call to call ---------------------------------------------------------------------- */
typedef struct tn_random_options {
    TN_OPTIONS_HEAD(tn_random_options);
    tn_shape shape TN_DEFAULT({});
    double mean TN_DEFAULT(0), stddev TN_DEFAULT(1);                    /* normal */
    double minval TN_DEFAULT(0), maxval TN_DEFAULT(TN_NOT_GIVEN);       /* uniform: [minval, maxval); floats up to 1, integers must say */
    tn_dtype dtype TN_DEFAULT(TN_FLOAT32);
    int64_t seed TN_DEFAULT(TN_NO_SEED);
} tn_random_options;
TN_API tn_tensor *tn_random_normal_with(const tn_random_options *options);
TN_API tn_tensor *tn_random_truncated_normal_with(const tn_random_options *options); /* never 2 or more deviations away */
TN_API tn_tensor *tn_random_uniform_with(const tn_random_options *options);
/* The rows of value in another order. */
typedef struct tn_random_shuffle_options {
    TN_OPTIONS_HEAD(tn_random_shuffle_options);
    tn_tensor *value TN_DEFAULT(NULL);
    int64_t seed TN_DEFAULT(TN_NO_SEED);
} tn_random_shuffle_options;
TN_API tn_tensor *tn_random_shuffle_with(const tn_random_shuffle_options *options);
/* Gamma distribution of concentration alpha and rate beta (NULL: 1), floats of one dtype but bfloat16: `shape` numbers for each
 * parameter, (shape…, parameters…). A gradient flows to both. */
typedef struct tn_random_gamma_options {
    TN_OPTIONS_HEAD(tn_random_gamma_options);
    tn_shape shape TN_DEFAULT({});
    tn_tensor *alpha TN_DEFAULT(NULL), *beta TN_DEFAULT(NULL);
    int64_t seed TN_DEFAULT(TN_NO_SEED);
} tn_random_gamma_options;
TN_API tn_tensor *tn_random_gamma_with(const tn_random_gamma_options *options);
/* Poisson distribution of rate lam: `shape` counts for each, (shape…, lam…). */
typedef struct tn_random_poisson_options {
    TN_OPTIONS_HEAD(tn_random_poisson_options);
    tn_shape shape TN_DEFAULT({});
    tn_tensor *lam TN_DEFAULT(NULL);
    tn_dtype dtype TN_DEFAULT(TN_FLOAT32);
    int64_t seed TN_DEFAULT(TN_NO_SEED);
} tn_random_poisson_options;
TN_API tn_tensor *tn_random_poisson_with(const tn_random_poisson_options *options);
/* Class numbers (rows, num_samples), int64 or int32, of probabilities softmax(logits), logits (rows, classes). */
typedef struct tn_random_categorical_options {
    TN_OPTIONS_HEAD(tn_random_categorical_options);
    tn_tensor *logits TN_DEFAULT(NULL);
    int64_t num_samples TN_DEFAULT(0);
    tn_dtype dtype TN_DEFAULT(TN_INT64);
    int64_t seed TN_DEFAULT(TN_NO_SEED);
} tn_random_categorical_options;
TN_API tn_tensor *tn_random_categorical_with(const tn_random_categorical_options *options);

/* --- tf.random.stateless_x: the same numbers for the same seed, whatever was drawn before ------------------------------------- */
/* seed: a tensor of two int32 or int64. Integers without maxval: any. */
typedef struct tn_stateless_random_options {
    TN_OPTIONS_HEAD(tn_stateless_random_options);
    tn_shape shape TN_DEFAULT({});
    tn_tensor *seed TN_DEFAULT(NULL);
    double mean TN_DEFAULT(0), stddev TN_DEFAULT(1);
    double minval TN_DEFAULT(0), maxval TN_DEFAULT(TN_NOT_GIVEN);
    tn_dtype dtype TN_DEFAULT(TN_FLOAT32);
} tn_stateless_random_options;
TN_API tn_tensor *tn_random_stateless_normal_with(const tn_stateless_random_options *options);
TN_API tn_tensor *tn_random_stateless_truncated_normal_with(const tn_stateless_random_options *options);
TN_API tn_tensor *tn_random_stateless_uniform_with(const tn_stateless_random_options *options);
/* Of the parameters, in stateless ops, shape is the whole result's: its last dimensions must be theirs. */
typedef struct tn_random_stateless_gamma_options {
    TN_OPTIONS_HEAD(tn_random_stateless_gamma_options);
    tn_shape shape TN_DEFAULT({});
    tn_tensor *seed TN_DEFAULT(NULL), *alpha TN_DEFAULT(NULL), *beta TN_DEFAULT(NULL);
} tn_random_stateless_gamma_options;
TN_API tn_tensor *tn_random_stateless_gamma_with(const tn_random_stateless_gamma_options *options);
/* Events where lam are expected. */
typedef struct tn_random_stateless_poisson_options {
    TN_OPTIONS_HEAD(tn_random_stateless_poisson_options);
    tn_shape shape TN_DEFAULT({});
    tn_tensor *seed TN_DEFAULT(NULL), *lam TN_DEFAULT(NULL);
    tn_dtype dtype TN_DEFAULT(TN_INT32);
} tn_random_stateless_poisson_options;
TN_API tn_tensor *tn_random_stateless_poisson_with(const tn_random_stateless_poisson_options *options);
/* Successes in `counts` trials of probability `probs`; both of one dtype, broadcast. */
typedef struct tn_random_stateless_binomial_options {
    TN_OPTIONS_HEAD(tn_random_stateless_binomial_options);
    tn_shape shape TN_DEFAULT({});
    tn_tensor *seed TN_DEFAULT(NULL), *counts TN_DEFAULT(NULL), *probs TN_DEFAULT(NULL);
    tn_dtype output_dtype TN_DEFAULT(TN_INT32);
} tn_random_stateless_binomial_options;
TN_API tn_tensor *tn_random_stateless_binomial_with(const tn_random_stateless_binomial_options *options);
/* Class numbers (batch, num_samples), with the probabilities that softmax(logits), (batch, classes), gives. */
typedef struct tn_random_stateless_categorical_options {
    TN_OPTIONS_HEAD(tn_random_stateless_categorical_options);
    tn_tensor *logits TN_DEFAULT(NULL);
    int64_t num_samples TN_DEFAULT(0);
    tn_tensor *seed TN_DEFAULT(NULL);
    tn_dtype dtype TN_DEFAULT(TN_INT64);
} tn_random_stateless_categorical_options;
TN_API tn_tensor *tn_random_stateless_categorical_with(const tn_random_stateless_categorical_options *options);
TN_API tn_tensor *tn_random_stateless_shuffle(tn_tensor *value, tn_tensor *seed); /* tf.random.experimental's */
/* Some elements become 0, with probability rate, in [0, 1); the others x / (1 - rate). noise_shape: TN_NONE is x's own size, 1 lets
 * all along an axis share their lot. */
typedef struct tn_nn_stateless_dropout_options {
    TN_OPTIONS_HEAD(tn_nn_stateless_dropout_options);
    tn_tensor *x TN_DEFAULT(NULL);
    double rate TN_DEFAULT(0);
    tn_tensor *seed TN_DEFAULT(NULL);
    tn_shape noise_shape TN_DEFAULT({});
} tn_nn_stateless_dropout_options;
TN_API tn_tensor *tn_nn_stateless_dropout_with(const tn_nn_stateless_dropout_options *options);
/* Seeds from a seed, of its dtype: (num, 2). And one seed from a seed and a number, of the number's dtype. */
TN_API tn_tensor *tn_random_split(tn_tensor *seed, int64_t num);
TN_API tn_tensor *tn_random_fold_in(tn_tensor *seed, tn_tensor *data);

/* --- tf.random.Generator ------------------------------------------------------------------------------------------------- */
/* from_seed, with the Philox algorithm. A generator is a variable, its state: three int64, which every drawing moves on. It can be
 * saved, read and assigned as any. */
TN_API tn_variable *tn_random_generator(int64_t seed);
/* The same distributions by a generator. Integers without maxval: any. */
typedef struct tn_generator_options {
    TN_OPTIONS_HEAD(tn_generator_options);
    tn_variable *generator TN_DEFAULT(NULL);
    tn_shape shape TN_DEFAULT({});
    double mean TN_DEFAULT(0), stddev TN_DEFAULT(1);
    double minval TN_DEFAULT(0), maxval TN_DEFAULT(TN_NOT_GIVEN);
    tn_dtype dtype TN_DEFAULT(TN_FLOAT32);
} tn_generator_options;
TN_API tn_tensor *tn_generator_normal_with(const tn_generator_options *options);
TN_API tn_tensor *tn_generator_truncated_normal_with(const tn_generator_options *options);
TN_API tn_tensor *tn_generator_uniform_with(const tn_generator_options *options);
TN_API tn_tensor *tn_generator_uniform_full_int_with(const tn_generator_options *options); /* any number of an integer dtype */
TN_API tn_tensor *tn_generator_make_seeds(tn_variable *generator, int64_t count); /* (2, count), int64: columns are seeds */
TN_API tn_list tn_generator_split(tn_variable *generator, int64_t count);         /* generators; eager only */
/* Moves on as drawing `delta` numbers does; gives the state before. */
TN_API tn_tensor *tn_generator_skip(tn_variable *generator, int64_t delta);

/* --- keras.random -------------------------------------------------------------------------------------------------------- */
/* keras.random.SeedGenerator: a variable of two int64, seed and how many were taken. Seed TN_NO_SEED: the next of those that
 * tn_set_random_seed determines. */
TN_API tn_variable *tn_seed_generator(int64_t seed);
/* The state before; afterwards the count is one more or, not ordered, both numbers have changed. */
TN_API tn_tensor *tn_seed_generator_next(tn_variable *generator, bool ordered);
/* Every function takes a .seed, with which it gives the same numbers in every call, or a .seed_generator; with neither, the global
 * generator's next. */
typedef struct tn_keras_random_options {
    TN_OPTIONS_HEAD(tn_keras_random_options);
    tn_shape shape TN_DEFAULT({});
    double mean TN_DEFAULT(0), stddev TN_DEFAULT(1);
    double minval TN_DEFAULT(0), maxval TN_DEFAULT(1);
    tn_dtype dtype TN_DEFAULT(TN_FLOAT32);
    int64_t seed TN_DEFAULT(TN_NO_SEED);
    tn_variable *seed_generator TN_DEFAULT(NULL);
} tn_keras_random_options;
TN_API tn_tensor *tn_keras_random_normal_with(const tn_keras_random_options *options);
TN_API tn_tensor *tn_keras_random_truncated_normal_with(const tn_keras_random_options *options);
TN_API tn_tensor *tn_keras_random_uniform_with(const tn_keras_random_options *options);
/* Whole numbers in [minval, maxval). */
typedef struct tn_keras_randint_options {
    TN_OPTIONS_HEAD(tn_keras_randint_options);
    tn_shape shape TN_DEFAULT({});
    int64_t minval TN_DEFAULT(0), maxval TN_DEFAULT(0);
    tn_dtype dtype TN_DEFAULT(TN_INT32);
    int64_t seed TN_DEFAULT(TN_NO_SEED);
    tn_variable *seed_generator TN_DEFAULT(NULL);
} tn_keras_randint_options;
TN_API tn_tensor *tn_keras_random_randint_with(const tn_keras_randint_options *options);
/* Parameters of the dtype (bfloat16: of float32). gamma: alpha; beta: alpha and beta, each broadcast to shape; binomial: counts and
 * probabilities. */
typedef struct tn_keras_distribution_options {
    TN_OPTIONS_HEAD(tn_keras_distribution_options);
    tn_shape shape TN_DEFAULT({});
    tn_tensor *alpha TN_DEFAULT(NULL), *beta TN_DEFAULT(NULL);
    tn_tensor *counts TN_DEFAULT(NULL), *probabilities TN_DEFAULT(NULL);
    tn_dtype dtype TN_DEFAULT(TN_FLOAT32);
    int64_t seed TN_DEFAULT(TN_NO_SEED);
    tn_variable *seed_generator TN_DEFAULT(NULL);
} tn_keras_distribution_options;
TN_API tn_tensor *tn_keras_random_gamma_with(const tn_keras_distribution_options *options);
TN_API tn_tensor *tn_keras_random_beta_with(const tn_keras_distribution_options *options);
TN_API tn_tensor *tn_keras_random_binomial_with(const tn_keras_distribution_options *options);
/* Class numbers (batch, num_samples) by logits (batch, classes). */
typedef struct tn_keras_categorical_options {
    TN_OPTIONS_HEAD(tn_keras_categorical_options);
    tn_tensor *logits TN_DEFAULT(NULL);
    int64_t num_samples TN_DEFAULT(0);
    tn_dtype dtype TN_DEFAULT(TN_INT32);
    int64_t seed TN_DEFAULT(TN_NO_SEED);
    tn_variable *seed_generator TN_DEFAULT(NULL);
} tn_keras_categorical_options;
TN_API tn_tensor *tn_keras_random_categorical_with(const tn_keras_categorical_options *options);
/* The places along axis in another order. */
typedef struct tn_keras_shuffle_options {
    TN_OPTIONS_HEAD(tn_keras_shuffle_options);
    tn_tensor *x TN_DEFAULT(NULL);
    int axis TN_DEFAULT(0);
    int64_t seed TN_DEFAULT(TN_NO_SEED);
    tn_variable *seed_generator TN_DEFAULT(NULL);
} tn_keras_shuffle_options;
TN_API tn_tensor *tn_keras_random_shuffle_with(const tn_keras_shuffle_options *options);
/* As tn_nn_stateless_dropout, rate 1 too. */
typedef struct tn_keras_dropout_options {
    TN_OPTIONS_HEAD(tn_keras_dropout_options);
    tn_tensor *inputs TN_DEFAULT(NULL);
    double rate TN_DEFAULT(0);
    tn_shape noise_shape TN_DEFAULT({});
    int64_t seed TN_DEFAULT(TN_NO_SEED);
    tn_variable *seed_generator TN_DEFAULT(NULL);
} tn_keras_dropout_options;
TN_API tn_tensor *tn_keras_random_dropout_with(const tn_keras_dropout_options *options);

#ifndef __cplusplus
#define TN_RANDOM_DEFAULTS (.stddev = 1, .maxval = TN_NOT_GIVEN, .dtype = TN_FLOAT32, .seed = TN_NO_SEED)
#define tn_random_normal(...) TN_OPTIONS(tn_random_normal_with, tn_random_options, TN_RANDOM_DEFAULTS, __VA_ARGS__)
#define tn_random_uniform(...) TN_OPTIONS(tn_random_uniform_with, tn_random_options, TN_RANDOM_DEFAULTS, __VA_ARGS__)
#define tn_random_truncated_normal(...) \
    TN_OPTIONS(tn_random_truncated_normal_with, tn_random_options, TN_RANDOM_DEFAULTS, __VA_ARGS__)
#define tn_random_shuffle(...) TN_OPTIONS(tn_random_shuffle_with, tn_random_shuffle_options, (.seed = TN_NO_SEED), __VA_ARGS__)
#define tn_random_gamma(...) TN_OPTIONS(tn_random_gamma_with, tn_random_gamma_options, (.seed = TN_NO_SEED), __VA_ARGS__)
#define tn_random_poisson(...) TN_OPTIONS(tn_random_poisson_with, tn_random_poisson_options, \
    (.dtype = TN_FLOAT32, .seed = TN_NO_SEED), __VA_ARGS__)
#define tn_random_categorical(...) TN_OPTIONS(tn_random_categorical_with, tn_random_categorical_options, \
    (.dtype = TN_INT64, .seed = TN_NO_SEED), __VA_ARGS__)
#define TN_STATELESS_DEFAULTS (.stddev = 1, .maxval = TN_NOT_GIVEN, .dtype = TN_FLOAT32)
#define tn_random_stateless_normal(...) \
    TN_OPTIONS(tn_random_stateless_normal_with, tn_stateless_random_options, TN_STATELESS_DEFAULTS, __VA_ARGS__)
#define tn_random_stateless_truncated_normal(...) \
    TN_OPTIONS(tn_random_stateless_truncated_normal_with, tn_stateless_random_options, TN_STATELESS_DEFAULTS, __VA_ARGS__)
#define tn_random_stateless_uniform(...) \
    TN_OPTIONS(tn_random_stateless_uniform_with, tn_stateless_random_options, TN_STATELESS_DEFAULTS, __VA_ARGS__)
#define tn_random_stateless_gamma(...) \
    TN_OPTIONS(tn_random_stateless_gamma_with, tn_random_stateless_gamma_options, TN_NO_DEFAULTS, __VA_ARGS__)
#define tn_random_stateless_poisson(...) \
    TN_OPTIONS(tn_random_stateless_poisson_with, tn_random_stateless_poisson_options, (.dtype = TN_INT32), __VA_ARGS__)
#define tn_random_stateless_binomial(...) \
    TN_OPTIONS(tn_random_stateless_binomial_with, tn_random_stateless_binomial_options, (.output_dtype = TN_INT32), __VA_ARGS__)
#define tn_random_stateless_categorical(...) \
    TN_OPTIONS(tn_random_stateless_categorical_with, tn_random_stateless_categorical_options, (.dtype = TN_INT64), __VA_ARGS__)
#define tn_nn_stateless_dropout(...) \
    TN_OPTIONS(tn_nn_stateless_dropout_with, tn_nn_stateless_dropout_options, TN_NO_DEFAULTS, __VA_ARGS__)
#define tn_generator_normal(...) TN_OPTIONS(tn_generator_normal_with, tn_generator_options, TN_STATELESS_DEFAULTS, __VA_ARGS__)
#define tn_generator_truncated_normal(...) \
    TN_OPTIONS(tn_generator_truncated_normal_with, tn_generator_options, TN_STATELESS_DEFAULTS, __VA_ARGS__)
#define tn_generator_uniform(...) TN_OPTIONS(tn_generator_uniform_with, tn_generator_options, TN_STATELESS_DEFAULTS, __VA_ARGS__)
#define tn_generator_uniform_full_int(...) \
    TN_OPTIONS(tn_generator_uniform_full_int_with, tn_generator_options, TN_STATELESS_DEFAULTS, __VA_ARGS__)
#define TN_KERAS_RANDOM_DEFAULTS (.stddev = 1, .maxval = 1, .dtype = TN_FLOAT32, .seed = TN_NO_SEED)
#define tn_keras_random_normal(...) \
    TN_OPTIONS(tn_keras_random_normal_with, tn_keras_random_options, TN_KERAS_RANDOM_DEFAULTS, __VA_ARGS__)
#define tn_keras_random_truncated_normal(...) \
    TN_OPTIONS(tn_keras_random_truncated_normal_with, tn_keras_random_options, TN_KERAS_RANDOM_DEFAULTS, __VA_ARGS__)
#define tn_keras_random_uniform(...) \
    TN_OPTIONS(tn_keras_random_uniform_with, tn_keras_random_options, TN_KERAS_RANDOM_DEFAULTS, __VA_ARGS__)
#define tn_keras_random_randint(...) \
    TN_OPTIONS(tn_keras_random_randint_with, tn_keras_randint_options, (.dtype = TN_INT32, .seed = TN_NO_SEED), __VA_ARGS__)
#define TN_KERAS_DISTRIBUTION_DEFAULTS (.dtype = TN_FLOAT32, .seed = TN_NO_SEED)
#define tn_keras_random_gamma(...) \
    TN_OPTIONS(tn_keras_random_gamma_with, tn_keras_distribution_options, TN_KERAS_DISTRIBUTION_DEFAULTS, __VA_ARGS__)
#define tn_keras_random_beta(...) \
    TN_OPTIONS(tn_keras_random_beta_with, tn_keras_distribution_options, TN_KERAS_DISTRIBUTION_DEFAULTS, __VA_ARGS__)
#define tn_keras_random_binomial(...) \
    TN_OPTIONS(tn_keras_random_binomial_with, tn_keras_distribution_options, TN_KERAS_DISTRIBUTION_DEFAULTS, __VA_ARGS__)
#define tn_keras_random_categorical(...) \
    TN_OPTIONS(tn_keras_random_categorical_with, tn_keras_categorical_options, (.dtype = TN_INT32, .seed = TN_NO_SEED), __VA_ARGS__)
#define tn_keras_random_shuffle(...) \
    TN_OPTIONS(tn_keras_random_shuffle_with, tn_keras_shuffle_options, (.seed = TN_NO_SEED), __VA_ARGS__)
#define tn_keras_random_dropout(...) \
    TN_OPTIONS(tn_keras_random_dropout_with, tn_keras_dropout_options, (.seed = TN_NO_SEED), __VA_ARGS__)
#endif
TN_END
#endif
