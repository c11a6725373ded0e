/* random.h - random numbers as ops, for layers: the stateless ones, whose numbers are a function of
 * a seed; and what the files of random ops share.
 *
 * seed: two integers in a tensor of int32 or int64, such as tn__next_seed() gives; shape: a vector
 * of integers, such as tn__shape_tensor() gives, so that it may be known only in the run. All give
 * NULL when they fail. */
#ifndef TN_OPS_RANDOM_H
#define TN_OPS_RANDOM_H
#include "ops/ops.h"
#include "tenon/random.h"

/* [minval, maxval); float dtypes. */
tn_tensor *tn__stateless_uniform(tn_tensor *shape, tn_tensor *seed, double minval, double maxval,
                                 tn_dtype dtype);
tn_tensor *tn__stateless_normal(tn_tensor *shape, tn_tensor *seed, double mean, double stddev,
                                tn_dtype dtype);
/* Normal, drawn again while it is 2 or more deviations away from the mean. */
tn_tensor *tn__stateless_truncated_normal(tn_tensor *shape, tn_tensor *seed, double mean,
                                          double stddev, tn_dtype dtype);
/* int32 or int64 in [minval, maxval). */
tn_tensor *tn__stateless_uniform_int(tn_tensor *shape, tn_tensor *seed, int64_t minval,
                                     int64_t maxval, tn_dtype dtype);
/* alpha: one for each place of the last dimensions of shape. */
tn_tensor *tn__stateless_gamma(tn_tensor *shape, tn_tensor *seed, tn_tensor *alpha);
/* Class numbers, int32 or int64. */
tn_tensor *tn__stateless_categorical(tn_tensor *logits, int64_t num_samples, tn_tensor *seed,
                                     tn_dtype dtype);
/* Floats pass, which can be scaled. */
bool tn__check_dropped(tn_tensor *x, const char *what);
/* noise_shape with x's own sizes where it is open or not given; as a tensor. */
tn_tensor *tn__noise_shape(tn_tensor *x, const tn_shape *noise_shape);
/* x / (1 - rate) where a lot of noise_shape is at least rate, else 0. */
tn_tensor *tn__stateless_dropout(tn_tensor *x, double rate, tn_tensor *noise_shape,
                                 tn_tensor *seed);

/* --- seeds ------------------------------------------------------------------------------------ */
/* How far an op of a graph has come. It lies in the node's own attributes, so a node that is made
 * as another's copy (a function called in a trace) finds that this is not its home, and begins
 * anew. */
typedef struct {
    _Atomic(const void *) home;
    _Atomic uint64_t drawn;
} tn__random_progress;

/* The attributes of a stateful op; the dtype is the output's where its table names it. */
typedef struct {
    int64_t seed, seed2;
    tn_dtype dtype;
    bool eager; /* called in eager mode: the thread's streams say how far it has come */
    tn__random_progress at;
} tn__random_attrs;
extern const tn_field tn__seed_fields[]; /* seed and seed2 */
tn__random_attrs tn__random_attrs_of(tn_context *context, int64_t own_seed, tn_dtype dtype);
/* Where a stateful op draws from now: its stream goes on by `blocks`. */
tn_status tn__random_take(tn__kernel *kernel, uint64_t blocks, tn__philox *philox);

/* Numbers of the algorithms. */
enum { TN__PHILOX = 1, TN__AUTO_SELECT = 3 };
/* Where a stateless op draws from: its inputs 1 to 3 are key, counter and alg. */
tn_status tn__random_philox(const tn__kernel *kernel, tn__philox *philox);
/* Key and counter of a seed, as tensors. */
tn_list tn__key_counter(tn_tensor *seed);

/* The op on shape, key, counter, alg, and `more` inputs behind them (two at most). */
tn_tensor *tn__stateless_op(const tn__op *op, tn_dtype dtype, tn_tensor *shape, tn_list stream,
                            size_t more_count, tn_tensor *const *more);
/* x times stddev plus mean, rounded after each as TensorFlow does; x in [0, 1) to [minval, maxval),
 * whose difference is computed in x's dtype. */
tn_tensor *tn__random_scaled(tn_tensor *x, double stddev, double mean);
tn_tensor *tn__random_between(tn_tensor *x, double minval, double maxval);
/* A Generator's state: counter, low half and high, and key. */
enum { TN__RNG_STATE = 3 };
tn_status tn__check_rng_state(const tn_tensor *state);

/* A scalar of an integer dtype; an error when it does not fit. */
tn_tensor *tn__whole(int64_t value, tn_dtype dtype);
/* A shape that an options struct must give, as a tensor; `what`: the function. */
tn_tensor *tn__random_shape(const tn_shape *shape, const char *what);
/* Floats, int32 and int64 pass; else the error in TensorFlow's words. */
bool tn__random_dtype(tn_dtype dtype, const char *what);

#endif
