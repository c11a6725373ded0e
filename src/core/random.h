/* random.h - random numbers equal to TensorFlow's and Keras's for the same seed: Philox4x32-10 with
 * its stateless and stateful seeding, the distributions of TensorFlow's CPU kernels, and Python's
 * Mersenne Twister, from which TensorFlow and Keras take the seeds nobody gave.
 *
 * Numbers come from a tn__philox, a value of 24 bytes that says where in which stream to begin. Who
 * draws gets it from a seed (tn__philox_stateless, tn__philox_keras) or from a stateful op's stream
 * (tn__random_state_take in eager mode; a node of a graph holds a tn__philox of its own and takes
 * from it with tn__philox_take). Integers, uniforms and orders are equal bit for bit; normals too
 * where the C library's logf, sinf, cosf round as glibc's. */
#ifndef TN_CORE_RANDOM_H
#define TN_CORE_RANDOM_H
#include "base/map.h"

/* A seed that was not given (TN_NO_SEED of the public headers). */
#define TN__NO_SEED INT64_MIN

/* --- Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011) -------------------------------------- */

typedef struct {
    uint64_t key;
    uint64_t counter[2]; /* 128 bits, the low half first */
} tn__philox;

/* The four words of the present counter; does not advance. */
void tn__philox_block(const tn__philox *philox, uint32_t out[4]);
static inline void tn__philox_skip(tn__philox *philox, uint64_t blocks) /* counter += blocks */
{
    philox->counter[0] += blocks;
    philox->counter[1] += philox->counter[0] < blocks;
}
/* What an op draws from; the stream goes on behind it. */
static inline tn__philox tn__philox_take(tn__philox *stream, uint64_t blocks)
{
    tn__philox taken = *stream;
    tn__philox_skip(stream, blocks);
    return taken;
}
/* How far one call of a stateful op moves its stream. What draws `count` values (uniform, normal,
 * gamma, poisson ...) reserves 256 blocks a value, however few it needs; categorical counts a
 * sample as two values, the samples of a row rounded up to a multiple of 4. Only a shuffle reserves
 * what it uses. */
static inline uint64_t tn__philox_blocks(uint64_t count)
{
    return count * 256;
}
static inline uint64_t tn__philox_shuffle_blocks(uint64_t count)
{
    return (count + 2) / 4; /* count - 1 words, 4 a block */
}

/* The stateless ops: seed (s0, s1) to key and counter (as StatelessRandomGetKeyCounter). */
tn__philox tn__philox_stateless(int64_t s0, int64_t s1);
/* keras.random.*: what a seed or a SeedGenerator's state means on the TensorFlow backend. An int
 * seed s is the state (s, 0), so that it gives the same numbers in every call. */
tn__philox tn__philox_keras(const int64_t seed[2]);
/* The stateful ops: key = seed, counter = (0, seed2). The attributes (0, 0) mean that no seed was
 * given: then from the system's entropy, other numbers each time. */
tn__philox tn__philox_stateful(int64_t seed, int64_t seed2);

/* tf.random.fold_in and split: seeds from seeds. wide: as int64, else int32. */
void tn__random_fold_in(const int64_t seed[2], int64_t data, bool wide, int64_t out[2]);
void tn__random_split(const int64_t seed[2], bool wide, int64_t (*out)[2], size_t count);

/* keras.random.SeedGenerator: out is the state before, then the state moves on. Ordered: (s, k) to
 * (s, k + 1); unordered, the global generator's way: each x to (x + 1) * 5387 mod 933199. */
void tn__random_seed_next(int64_t state[2], bool ordered, int64_t out[2]);

/* --- Values ----------------------------------------------------------------------------------- */

/* Fill out[0 .. count) as TensorFlow's CPU kernels do. float16 and bfloat16 are bit patterns. */
void tn__random_uniform_float32(tn__philox philox, float *out, size_t count); /* [0, 1) */
void tn__random_uniform_float64(tn__philox philox, double *out, size_t count);
void tn__random_uniform_float16(tn__philox philox, uint16_t *out, size_t count);
void tn__random_uniform_bfloat16(tn__philox philox, uint16_t *out, size_t count);
void tn__random_normal_float32(tn__philox philox, float *out, size_t count);
void tn__random_normal_float64(tn__philox philox, double *out, size_t count);
void tn__random_normal_float16(tn__philox philox, uint16_t *out, size_t count);
void tn__random_normal_bfloat16(tn__philox philox, uint16_t *out, size_t count);
/* Normal, drawn again while it is 2 or more away from 0. */
void tn__random_truncated_normal_float32(tn__philox philox, float *out, size_t count);
void tn__random_truncated_normal_float64(tn__philox philox, double *out, size_t count);
void tn__random_truncated_normal_float16(tn__philox philox, uint16_t *out, size_t count);
void tn__random_truncated_normal_bfloat16(tn__philox philox, uint16_t *out, size_t count);
/* [low, high); low < high is the caller's to check. */
void tn__random_uniform_int32(tn__philox philox, int32_t low, int32_t high, int32_t *out,
                              size_t count);
void tn__random_uniform_int64(tn__philox philox, int64_t low, int64_t high, int64_t *out,
                              size_t count);
/* The full range of int32 and uint32, int64 and uint64. */
void tn__random_bits32(tn__philox philox, uint32_t *out, size_t count);
void tn__random_bits64(tn__philox philox, uint64_t *out, size_t count);

/* Value number `index` of the output of an op that draws from `philox`, counted parameter by
 * parameter (all samples of the first, then of the second). The need of words varies, so each has a
 * part of the stream to itself. Parameters without meaning give NaN where TensorFlow gives it, or
 * would not come to an end. In random_distributions.c. */
double tn__random_gamma(tn__philox philox, uint64_t index, double alpha);
/* Never above `most`, the greatest value of the output's type, but for an infinite rate. */
double tn__random_poisson(tn__philox philox, uint64_t index, double rate, double most);
double tn__random_binomial(tn__philox philox, uint64_t index, double count, double probability);
/* Classes drawn with probabilities softmax(logits), row by row: out is (rows, samples). Infinite
 * and NaN logits are never drawn; a row with no others gives `classes`. */
tn_status tn__random_categorical(tn__philox philox, const double *logits, size_t rows,
                                 size_t classes, size_t samples, int64_t *out);

/* --- Orders ----------------------------------------------------------------------------------- */

/* tf.random.shuffle and stateless_shuffle: row order[i] of the input becomes row i. */
void tn__random_shuffle_order(tn__philox philox, int64_t *order, size_t count);
/* keras.random.shuffle: the stable argsort of `count` float32 uniforms. */
tn_status tn__random_argsort_order(tn__philox philox, int64_t *order, size_t count);

/* --- Python's random.Random ------------------------------------------------------------------- */

typedef struct {
    uint32_t word[624];
    int at;
} tn__python_random;
/* As CPython seeds with an int: by its absolute value. */
void tn__python_random_seed(tn__python_random *random, int64_t seed);
uint32_t tn__python_random_word(tn__python_random *random);
uint64_t tn__python_random_bits(tn__python_random *random, int bits); /* getrandbits, 1 to 64 */
/* randint: both ends included; low <= high. */
int64_t tn__python_random_randint(tn__python_random *random, int64_t low, int64_t high);
/* random.random(): 53 bits in [0, 1). */
double tn__python_random_float(tn__python_random *random);

/* --- A thread's random state ------------------------------------------------------------------ */

/* How far a stateful op with a seed of its own has come in eager mode. */
struct tn__random_stream {
    uint64_t kernel;
    int64_t seed, seed2;
    tn__philox philox;
};
/* All zero is the state of a fresh program: no seed was set. It is part of a thread's context,
 * which must stay small (thread-local room is short in a library that is loaded late), hence
 * pointers. */
typedef struct {
    bool seeded; /* a global seed was set */
    int64_t global_seed;
    tn__python_random *ops; /* the eager context's source of op seeds; there when seeded */
    int64_t dealt;          /* 1 + the seed2 it gave last; 0 after an op with a seed of its own */
    struct tn__random_stream *item;
    size_t count, capacity;
    tn__ids index;
    bool keras_seeded;
    tn__python_random *keras; /* Python's global random; there when it was seeded */
    struct tn_tensor *generator; /* Keras's global SeedGenerator, made at its first use; retained */
} tn__random_state;
void tn__random_state_free(tn__random_state *state);

/* tf.random.set_seed: op seeds begin anew, streams of stateful ops are forgotten. Keras's seeds go
 * on. */
tn_status tn__random_set_op_seeds(tn__random_state *state, int64_t seed);
/* keras.utils.set_random_seed: that, Python's global random, and a new global SeedGenerator. (Keras
 * refuses negative seeds because numpy does; here they are seeds as any other.) Both fail only for
 * want of memory, and then change nothing. */
tn_status tn__random_set_seed(tn__random_state *state, int64_t seed);

/* random.randint(1, 10**9): the seed of an initializer or SeedGenerator that was given none, in the
 * order they are constructed. Without a set seed, from the system's entropy. */
int64_t tn__random_default_seed(tn__random_state *state);
/* tf.random.get_seed in eager mode: the attributes (seed, seed2) of a stateful op. With a global
 * seed g, seed is g mod 2^31 - 1 and seed2 the op's own seed modulo that, or Random(g).randint(0,
 * 2^31 - 1) anew for each op without one. Without g, (87654321, own seed), or (0, 0): not
 * reproducible. */
void tn__random_op_seed(tn__random_state *state, int64_t op_seed, int64_t *seed, int64_t *seed2);
/* The stream of a stateful op in eager mode, moved on by `blocks`. A second call with the same
 * `kernel` (a number that stands for op and attributes such as the dtype) and seeds continues the
 * first, whatever the shape, as TensorFlow's kernel cache has it. */
tn_status tn__random_state_take(tn__random_state *state, uint64_t kernel, int64_t seed,
                                int64_t seed2, uint64_t blocks, tn__philox *philox);

/* Seeds of the stateful ops of one graph: a function's when it is traced, or a v1 graph. An op
 * without a seed of its own gets its number among them, from 0, as seed2; a tf.function called
 * twice goes on in each op's stream, one traced anew begins again. */
typedef struct {
    bool seeded;
    int64_t seed;
    int64_t ops; /* given so far */
} tn__random_graph;
/* A graph begun in eager mode has the global seed; one within another, the other's {seeded, seed};
 * a v1 graph, its own. */
tn__random_graph tn__random_graph_begin(const tn__random_state *state);
void tn__random_graph_op_seed(tn__random_graph *graph, int64_t op_seed, int64_t *seed,
                              int64_t *seed2);

/* The order of an epoch of model.fit(shuffle=True). Keras shuffles the row numbers with
 * tf.random.shuffle in a function that is traced for each fit and begun anew for each epoch, so
 * with a global seed g it is always the stream (g, 0): the same order in every epoch and every fit
 * of as many rows, whatever was drawn in between. Without a global seed every epoch has another.
 * `count` is the rows trained on (with validation_split, the first ones). Keras 2 differs: there
 * the stream goes on, by tn__philox_shuffle_blocks(count) an epoch. */
void tn__random_fit_order(const tn__random_state *state, int64_t *order, size_t count);

#endif
