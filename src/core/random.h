/* random.h - random numbers equal to TensorFlow's and Keras's for the same seed: Philox4x32-10, its stateless and stateful
 * seeding, and Python's Mersenne Twister, from which Keras takes its default seeds. */
#ifndef TN_CORE_RANDOM_H
#define TN_CORE_RANDOM_H
#include "base/status.h"

/* Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011). */
typedef struct {
    uint32_t key[2], counter[4];
} tn__philox;
/* The four words of the present counter; does not advance. */
void tn__philox_block(const tn__philox *philox, uint32_t out[4]);
void tn__philox_skip(tn__philox *philox, uint64_t blocks); /* counter += blocks (128 bit) */
/* StatelessRandomGetKeyCounter: seed (s0, s1) to key and counter. */
tn__philox tn__philox_stateless(int64_t s0, int64_t s1);
/* The stateful ops: key = seed, counter = (0, 0, seed2); (0, 0) is the caller's to replace. */
tn__philox tn__philox_stateful(int64_t seed, int64_t seed2);

/* Fill out[0 .. count) exactly as TensorFlow's CPU kernels do for that philox; `out` of the named type. */
void tn__random_uniform_float32(tn__philox philox, float *out, size_t count);   /* [0, 1) */
void tn__random_uniform_float64(tn__philox philox, double *out, size_t count);
void tn__random_normal_float32(tn__philox philox, float *out, size_t count);
void tn__random_normal_float64(tn__philox philox, double *out, size_t count);
void tn__random_truncated_normal_float32(tn__philox philox, float *out, size_t count);
void tn__random_truncated_normal_float64(tn__philox philox, double *out, size_t count);
void tn__random_uniform_int32(tn__philox philox, int32_t low, int32_t high, int32_t *out, size_t count);
void tn__random_uniform_int64(tn__philox philox, int64_t low, int64_t high, int64_t *out, size_t count);
void tn__random_bits32(tn__philox philox, uint32_t *out, size_t count);         /* full-range int */

/* Python's random.Random: seeded with an int as CPython does; randint(low, high) inclusive. */
typedef struct {
    uint32_t word[624];
    int at;
} tn__python_random;
void tn__python_random_seed(tn__python_random *random, uint64_t seed);
uint32_t tn__python_random_word(tn__python_random *random);
uint64_t tn__python_random_bits(tn__python_random *random, int bits); /* getrandbits, 1 to 64 */
int64_t tn__python_random_randint(tn__python_random *random, int64_t low, int64_t high);
/* random.random(): 53-bit float in [0, 1). */
double tn__python_random_float(tn__python_random *random);

/* A thread's random state: tf.random.set_seed / keras.utils.set_random_seed. */
typedef struct {
    bool seeded;               /* a global seed was set */
    bool keras_ready;          /* keras holds a state (seeded from the system when no seed was set) */
    int64_t global_seed;
    tn__python_random ops;     /* TensorFlow's own: seeds of stateful ops */
    tn__python_random keras;   /* Python's global random: default seeds of initializers and SeedGenerators */
} tn__random_state;
/* set_random_seed(seed): both streams begin anew. */
void tn__random_set_seed(tn__random_state *state, int64_t seed);
/* random.randint(1, 10**9): the seed of an initializer or SeedGenerator that was given none. */
int64_t tn__random_default_seed(tn__random_state *state);
/* tf.random.get_seed in eager mode: the (seed, seed2) of a stateful op; op_seed INT64_MIN when the op was given none. */
void tn__random_op_seed(tn__random_state *state, int64_t op_seed, int64_t *seed, int64_t *seed2);

#endif
