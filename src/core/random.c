/* random.c - Philox streams, what TensorFlow's kernels make of them, Python's Mersenne Twister, and
 * who gets which seed. */
#include "core/random.h"
#include "core/dtype.h"
#include "core/object.h"
#include <math.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* --- Philox ----------------------------------------------------------------------------------- */

static inline void next_block(tn__philox *philox, uint32_t out[4])
{
    uint32_t k0 = (uint32_t)philox->key, k1 = (uint32_t)(philox->key >> 32);
    uint32_t c0 = (uint32_t)philox->counter[0], c1 = (uint32_t)(philox->counter[0] >> 32);
    uint32_t c2 = (uint32_t)philox->counter[1], c3 = (uint32_t)(philox->counter[1] >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53 * c0, b = (uint64_t)0xCD9E8D57 * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
    tn__philox_skip(philox, 1);
}

void tn__philox_block(const tn__philox *philox, uint32_t out[4])
{
    tn__philox copy = *philox;
    next_block(&copy, out);
}

static inline uint64_t join(uint32_t low, uint32_t high)
{
    return low | (uint64_t)high << 32;
}

tn__philox tn__philox_stateless(int64_t s0, int64_t s1)
{
    /* The seed is scrambled by one block under a fixed key, so that near seeds give far streams. */
    tn__philox scramble = { join(0x3EC8F720, 0x02461E29), { (uint64_t)s0, (uint64_t)s1 } };
    uint32_t word[4];
    next_block(&scramble, word);
    return (tn__philox){ join(word[0], word[1]), { 0, join(word[2], word[3]) } };
}

/* Python's %, for modulo > 0. */
static int64_t floor_mod(int64_t value, int64_t modulo)
{
    int64_t rest = value % modulo;
    return rest < 0 ? rest + modulo : rest;
}

tn__philox tn__philox_keras(const int64_t seed[2])
{
    return tn__philox_stateless(floor_mod(seed[0], INT32_MAX - 1),
                                floor_mod(seed[1], INT32_MAX - 1));
}

/* Entropy of the system; on one that refuses it, at least another number each time. */
static void fill_from_system(void *out, size_t size)
{
    if (getentropy(out, size) == 0)
        return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t where = (int64_t)(intptr_t)out;
    tn__philox stream = tn__philox_stateless(now.tv_sec ^ where, now.tv_nsec ^ getpid());
    uint32_t word[4];
    next_block(&stream, word);
    memcpy(out, word, size < sizeof word ? size : sizeof word);
}

tn__philox tn__philox_stateful(int64_t seed, int64_t seed2)
{
    tn__philox philox = { (uint64_t)seed, { 0, (uint64_t)seed2 } };
    if (seed == 0 && seed2 == 0) {
        uint64_t word[2];
        fill_from_system(word, sizeof word);
        philox.key = word[0];
        philox.counter[1] = word[1];
    }
    return philox;
}

/* --- Values ----------------------------------------------------------------------------------- */

/* Runs `draw`, which puts one group of values at `at`, until `out` is full; the last group may be
 * cut. A group is what TensorFlow's kernel gets from one step of its generator. */
#define FILL(type, group, draw)                                      \
    do {                                                             \
        for (; count >= (group); count -= (group), out += (group)) { \
            type *at = out;                                          \
            draw;                                                    \
        }                                                            \
        if (count) {                                                 \
            type at[group];                                          \
            draw;                                                    \
            memcpy(out, at, count * sizeof *out);                    \
        }                                                            \
    } while (0)

/* Random bits as the mantissa of a number in [1, 2), less 1. */
static inline float unit_float32(uint32_t word)
{
    uint32_t bits = 0x3F800000 | (word & 0x7FFFFF);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value - 1;
}

static inline double unit_float64(uint32_t high, uint32_t low)
{
    uint64_t bits = 0x3FF0000000000000 | join(low, high & 0xFFFFF);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value - 1;
}

static inline void uniform_float32(tn__philox *philox, float out[4])
{
    uint32_t word[4];
    next_block(philox, word);
    for (int i = 0; i < 4; i++)
        out[i] = unit_float32(word[i]);
}

static inline void uniform_float64(tn__philox *philox, double out[2])
{
    uint32_t word[4];
    next_block(philox, word);
    out[0] = unit_float64(word[0], word[1]);
    out[1] = unit_float64(word[2], word[3]);
}

static inline void uniform_float16(tn__philox *philox, uint16_t out[4])
{
    uint32_t word[4];
    next_block(philox, word);
    for (int i = 0; i < 4; i++)
        out[i] = tn__float_to_half((float)(word[i] & 0x3FF) / 0x400);
}

static inline void uniform_bfloat16(tn__philox *philox, uint16_t out[4])
{
    uint32_t word[4];
    next_block(philox, word);
    for (int i = 0; i < 4; i++)
        out[i] = tn__float_to_bfloat16((float)(word[i] & 0x7F) / 0x80);
}

/* Box and Muller. The types of the steps are TensorFlow's: the angle is a product of doubles. */
static inline void normal_pair_float32(uint32_t a, uint32_t b, float out[2])
{
    float u = unit_float32(a);
    float angle = (float)(2 * M_PI * (double)unit_float32(b));
    float radius = sqrtf(-2.0f * logf(u < 1e-7f ? 1e-7f : u));
    out[0] = sinf(angle) * radius;
    out[1] = cosf(angle) * radius;
}

static inline void normal_float32(tn__philox *philox, float out[4])
{
    uint32_t word[4];
    next_block(philox, word);
    normal_pair_float32(word[0], word[1], out);
    normal_pair_float32(word[2], word[3], out + 2);
}

static inline void normal_float64(tn__philox *philox, double out[2])
{
    double u[2];
    uniform_float64(philox, u);
    double angle = 2 * M_PI * u[1];
    double radius = sqrt(-2.0 * log(u[0] < 1e-7 ? 1e-7 : u[0]));
    out[0] = sin(angle) * radius;
    out[1] = cos(angle) * radius;
}

/* Draws normals until `group` of them lie within 2 of 0, from a copy of the stream: each value has
 * 256 words of its own, so that it does not matter how many the ones before it needed. */
#define TRUNCATED(type, group, normal, absolute)                   \
    do {                                                           \
        tn__philox own = tn__philox_take(philox, (group)*256 / 4); \
        for (int have = 0; have < (group);) {                      \
            type drawn[group];                                     \
            normal(&own, drawn);                                   \
            for (int i = 0; i < (group) && have < (group); i++)    \
                if (absolute(drawn[i]) < 2)                        \
                    out[have++] = drawn[i];                        \
        }                                                          \
    } while (0)

static inline void truncated_float32(tn__philox *philox, float out[4])
{
    TRUNCATED(float, 4, normal_float32, fabsf);
}

static inline void truncated_float64(tn__philox *philox, double out[2])
{
    TRUNCATED(double, 2, normal_float64, fabs);
}

/* The 16-bit kernels compute in float32 and round at the end. */
#define ROUNDED(draw, round)          \
    do {                              \
        float value[4];               \
        draw(philox, value);          \
        for (int i = 0; i < 4; i++)   \
            out[i] = round(value[i]); \
    } while (0)

static inline void normal_float16(tn__philox *philox, uint16_t out[4])
{
    ROUNDED(normal_float32, tn__float_to_half);
}

static inline void normal_bfloat16(tn__philox *philox, uint16_t out[4])
{
    ROUNDED(normal_float32, tn__float_to_bfloat16);
}

static inline void truncated_float16(tn__philox *philox, uint16_t out[4])
{
    ROUNDED(truncated_float32, tn__float_to_half);
}

static inline void truncated_bfloat16(tn__philox *philox, uint16_t out[4])
{
    ROUNDED(truncated_float32, tn__float_to_bfloat16);
}

static inline void bits64(tn__philox *philox, uint64_t out[2])
{
    uint32_t word[4];
    next_block(philox, word);
    out[0] = join(word[0], word[1]);
    out[1] = join(word[2], word[3]);
}

/* clang-format off */
#define FILLS(name, type, group, draw)                                 \
    void tn__random_##name(tn__philox philox, type *out, size_t count) \
    {                                                                  \
        FILL(type, group, draw(&philox, at));                          \
    }
FILLS(uniform_float32, float, 4, uniform_float32)
FILLS(uniform_float64, double, 2, uniform_float64)
FILLS(uniform_float16, uint16_t, 4, uniform_float16)
FILLS(uniform_bfloat16, uint16_t, 4, uniform_bfloat16)
FILLS(normal_float32, float, 4, normal_float32)
FILLS(normal_float64, double, 2, normal_float64)
FILLS(normal_float16, uint16_t, 4, normal_float16)
FILLS(normal_bfloat16, uint16_t, 4, normal_bfloat16)
FILLS(truncated_normal_float32, float, 4, truncated_float32)
FILLS(truncated_normal_float64, double, 2, truncated_float64)
FILLS(truncated_normal_float16, uint16_t, 4, truncated_float16)
FILLS(truncated_normal_bfloat16, uint16_t, 4, truncated_bfloat16)
FILLS(bits32, uint32_t, 4, next_block)
FILLS(bits64, uint64_t, 2, bits64)
/* clang-format on */

static inline void uniform_int32(tn__philox *philox, uint32_t low, uint32_t range, int32_t out[4])
{
    uint32_t word[4];
    next_block(philox, word);
    for (int i = 0; i < 4; i++)
        out[i] = (int32_t)(low + word[i] % range);
}

void tn__random_uniform_int32(tn__philox philox, int32_t low, int32_t high, int32_t *out,
                              size_t count)
{
    uint32_t range = (uint32_t)high - (uint32_t)low;
    FILL(int32_t, 4, uniform_int32(&philox, (uint32_t)low, range, at));
}

static inline void uniform_int64(tn__philox *philox, uint64_t low, uint64_t range, int64_t out[2])
{
    uint64_t word[2];
    bits64(philox, word);
    out[0] = (int64_t)(low + word[0] % range);
    out[1] = (int64_t)(low + word[1] % range);
}

void tn__random_uniform_int64(tn__philox philox, int64_t low, int64_t high, int64_t *out,
                              size_t count)
{
    uint64_t range = (uint64_t)high - (uint64_t)low;
    FILL(int64_t, 2, uniform_int64(&philox, (uint64_t)low, range, at));
}

/* --- Seeds from seeds ------------------------------------------------------------------------- */

void tn__random_split(const int64_t seed[2], bool wide, int64_t (*out)[2], size_t count)
{
    tn__philox philox = tn__philox_stateless(seed[0], seed[1]);
    for (size_t i = 0; i < 2 * count;) {
        uint32_t word[4];
        next_block(&philox, word);
        int words = wide ? 2 : 1;
        for (int at = 0; at < 4 && i < 2 * count; at += words, i++)
            out[i / 2][i % 2] = wide ? (int64_t)join(word[at], word[at + 1]) : (int32_t)word[at];
    }
}

void tn__random_fold_in(const int64_t seed[2], int64_t data, bool wide, int64_t out[2])
{
    tn__random_split(seed, wide, (int64_t(*)[2])out, 1);
    out[1] = data;
}

void tn__random_seed_next(int64_t state[2], bool ordered, int64_t out[2])
{
    for (int i = 0; i < 2; i++) {
        out[i] = state[i];
        uint64_t moved = ((uint64_t)state[i] + 1) * 5387; /* wraps, as TensorFlow's int64 does */
        if (!ordered)
            state[i] = floor_mod((int64_t)moved, 933199);
    }
    if (ordered)
        state[1] = (int64_t)((uint64_t)state[1] + 1);
}

/* --- Orders ----------------------------------------------------------------------------------- */

/* Fisher and Yates from the front, one word a step. */
void tn__random_shuffle_order(tn__philox philox, int64_t *order, size_t count)
{
    uint32_t word[4];
    for (size_t i = 0; i < count; i++)
        order[i] = (int64_t)i;
    for (size_t i = 0; i + 1 < count; i++) {
        if (i % 4 == 0)
            next_block(&philox, word);
        size_t left = count - i, step = word[i % 4];
        if (left <= UINT32_MAX)
            step = (uint32_t)step % (uint32_t)left; /* 64-bit division is slow */
        size_t with = i + step;
        int64_t row = order[i];
        order[i] = order[with];
        order[with] = row;
    }
}

enum { KEY_BITS = 23, DIGIT_BITS = 12, DIGITS = 1 << DIGIT_BITS };

/* Sorts by the digit at `shift`, keeping the order of equals. */
static void sort_by_digit(const int64_t *from, int64_t *to, size_t count, int shift)
{
    size_t start[DIGITS + 1] = { 0 };
    for (size_t i = 0; i < count; i++)
        start[(from[i] >> shift & (DIGITS - 1)) + 1]++;
    for (int digit = 0; digit < DIGITS; digit++)
        start[digit + 1] += start[digit];
    for (size_t i = 0; i < count; i++)
        to[start[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

/* A float32 uniform has 23 random bits and orders as they do: two passes of a radix sort over row
 * numbers with the bits above them. */
tn_status tn__random_argsort_order(tn__philox philox, int64_t *order, size_t count)
{
    const int shift = 63 - KEY_BITS;
    size_t bytes;
    if (count >> shift || !tn__size_mul(count, sizeof *order, &bytes))
        return tn__fail_memory(SIZE_MAX);
    int64_t *half_sorted = tn__alloc(bytes);
    if (!half_sorted)
        return TN_RESOURCE_EXHAUSTED;
    uint32_t word[4];
    for (size_t i = 0; i < count; i++) {
        if (i % 4 == 0)
            next_block(&philox, word);
        order[i] = (int64_t)(word[i % 4] & 0x7FFFFF) << shift | (int64_t)i;
    }
    sort_by_digit(order, half_sorted, count, shift);
    sort_by_digit(half_sorted, order, count, shift + DIGIT_BITS);
    for (size_t i = 0; i < count; i++)
        order[i] &= ((int64_t)1 << shift) - 1;
    tn__free(half_sorted);
    return TN_OK;
}

/* --- Python's random.Random (MT19937, Matsumoto and Nishimura 1998) --------------------------- */

enum { MT_WORDS = 624, MT_MIDDLE = 397 };

/* The start every seed shares, before its own words are mixed in. */
static void twister_begin(tn__python_random *random, uint32_t seed)
{
    uint32_t *word = random->word;
    word[0] = seed;
    for (uint32_t i = 1; i < MT_WORDS; i++)
        word[i] = 1812433253 * (word[i - 1] ^ word[i - 1] >> 30) + i;
    random->at = MT_WORDS;
}

void tn__python_random_seed(tn__python_random *random, int64_t seed)
{
    uint64_t magnitude = seed < 0 ? 0 - (uint64_t)seed : (uint64_t)seed;
    uint32_t key[2] = { (uint32_t)magnitude, (uint32_t)(magnitude >> 32) };
    uint32_t keys = key[1] ? 2 : 1;
    uint32_t *word = random->word;
    twister_begin(random, 19650218);
    uint32_t i = 1;
    for (uint32_t k = 0; k < MT_WORDS; k++) {
        uint32_t before = word[i - 1] ^ word[i - 1] >> 30;
        word[i] = (word[i] ^ before * 1664525) + key[k % keys] + k % keys;
        if (++i == MT_WORDS)
            word[0] = word[MT_WORDS - 1], i = 1;
    }
    for (uint32_t k = 0; k < MT_WORDS - 1; k++) {
        uint32_t before = word[i - 1] ^ word[i - 1] >> 30;
        word[i] = (word[i] ^ before * 1566083941) - i;
        if (++i == MT_WORDS)
            word[0] = word[MT_WORDS - 1], i = 1;
    }
    word[0] = 0x80000000;
}

static void twister_turn(tn__python_random *random)
{
    uint32_t *word = random->word;
    for (int i = 0; i < MT_WORDS; i++) {
        uint32_t both = (word[i] & 0x80000000) | (word[(i + 1) % MT_WORDS] & 0x7FFFFFFF);
        word[i] = word[(i + MT_MIDDLE) % MT_WORDS] ^ both >> 1 ^ (both & 1 ? 0x9908B0DF : 0);
    }
    random->at = 0;
}

uint32_t tn__python_random_word(tn__python_random *random)
{
    if (random->at == MT_WORDS)
        twister_turn(random);
    uint32_t y = random->word[random->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9D2C5680;
    y ^= y << 15 & 0xEFC60000;
    return y ^ y >> 18;
}

uint64_t tn__python_random_bits(tn__python_random *random, int bits)
{
    if (bits <= 32)
        return tn__python_random_word(random) >> (32 - bits);
    uint32_t low = tn__python_random_word(random);
    return join(low, tn__python_random_word(random) >> (64 - bits));
}

/* CPython draws as many bits as the number of values has, until they are less than it; 2^64 values
 * have 65 bits, of which the third word gives the last. */
int64_t tn__python_random_randint(tn__python_random *random, int64_t low, int64_t high)
{
    uint64_t values = (uint64_t)high - (uint64_t)low + 1, drawn;
    bool again;
    do {
        int bits = values ? 64 - __builtin_clzll(values) : 64;
        drawn = tn__python_random_bits(random, bits);
        again = values ? drawn >= values : tn__python_random_word(random) >> 31;
    } while (again);
    return (int64_t)((uint64_t)low + drawn);
}

double tn__python_random_float(tn__python_random *random)
{
    uint32_t high = tn__python_random_word(random) >> 5;
    uint32_t low = tn__python_random_word(random) >> 6;
    return (high * 67108864.0 + low) / 9007199254740992.0;
}

/* --- A thread's random state ------------------------------------------------------------------ */

static void forget_streams(tn__random_state *state)
{
    state->count = 0;
    tn__ids_free(&state->index);
}

void tn__random_state_free(tn__random_state *state)
{
    forget_streams(state);
    tn__free(state->item);
    tn__free(state->ops);
    tn__free(state->keras);
    tn__release(state->generator);
    *state = (tn__random_state){ 0 };
}

static tn_status make_twister(tn__python_random **twister)
{
    if (!*twister)
        *twister = tn__alloc(sizeof **twister);
    return *twister ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

tn_status tn__random_set_op_seeds(tn__random_state *state, int64_t seed)
{
    TN_TRY(make_twister(&state->ops));
    tn__python_random_seed(state->ops, seed);
    state->seeded = true;
    state->global_seed = seed;
    state->dealt = 0;
    forget_streams(state);
    return TN_OK;
}

tn_status tn__random_set_seed(tn__random_state *state, int64_t seed)
{
    TN_TRY(make_twister(&state->keras));
    TN_TRY(tn__random_set_op_seeds(state, seed));
    tn__python_random_seed(state->keras, seed);
    state->keras_seeded = true;
    tn__release(state->generator);
    state->generator = NULL;
    return TN_OK;
}

int64_t tn__random_default_seed(tn__random_state *state)
{
    if (state->keras_seeded)
        return tn__python_random_randint(state->keras, 1, 1000000000);
    uint64_t word;
    fill_from_system(&word, sizeof word);
    return 1 + (int64_t)(word % 1000000000);
}

/* The attributes of a stateful op; `own` is its own seed or the one it was dealt, if any. */
static void op_attributes(bool seeded, int64_t global_seed, int64_t own, int64_t *seed,
                          int64_t *seed2)
{
    const int64_t modulo = INT32_MAX, unseeded_graph = 87654321;
    *seed = *seed2 = 0;
    if (!seeded && own == TN__NO_SEED)
        return;
    *seed = seeded ? floor_mod(global_seed, modulo) : unseeded_graph;
    *seed2 = floor_mod(own, modulo);
    if (*seed == 0 && *seed2 == 0)
        *seed2 = modulo; /* (0, 0) would mean: no seed */
}

void tn__random_op_seed(tn__random_state *state, int64_t op_seed, int64_t *seed, int64_t *seed2)
{
    bool deal = state->seeded && op_seed == TN__NO_SEED;
    if (deal)
        op_seed = tn__python_random_randint(state->ops, 0, INT32_MAX);
    op_attributes(state->seeded, state->global_seed, op_seed, seed, seed2);
    state->dealt = deal ? *seed2 + 1 : 0;
}

tn__random_graph tn__random_graph_begin(const tn__random_state *state)
{
    return (tn__random_graph){ state->seeded, state->global_seed, 0 };
}

void tn__random_graph_op_seed(tn__random_graph *graph, int64_t op_seed, int64_t *seed,
                              int64_t *seed2)
{
    if (graph->seeded && op_seed == TN__NO_SEED)
        op_seed = graph->ops++;
    op_attributes(graph->seeded, graph->seed, op_seed, seed, seed2);
}

/* The stream's place in `item`, or count when it is new; *key: where the index has or wants it. */
static size_t find_stream(const tn__random_state *state, uint64_t kernel, int64_t seed,
                          int64_t seed2, uint64_t *key)
{
    tn__philox mix = { kernel, { (uint64_t)seed, (uint64_t)seed2 } };
    uint32_t word[4];
    next_block(&mix, word);
    size_t at;
    for (*key = join(word[0], word[1]) | 1; tn__ids_get(&state->index, *key, &at); *key += 2) {
        const struct tn__random_stream *stream = &state->item[at];
        if (stream->kernel == kernel && stream->seed == seed && stream->seed2 == seed2)
            return at;
    }
    return state->count;
}

tn_status tn__random_state_take(tn__random_state *state, uint64_t kernel, int64_t seed,
                                int64_t seed2, uint64_t blocks, tn__philox *philox)
{
    tn__philox begin = tn__philox_stateful(seed, seed2);
    uint64_t key;
    size_t at = find_stream(state, kernel, seed, seed2, &key);
    if (at < state->count) {
        *philox = tn__philox_take(&state->item[at].philox, blocks);
        return TN_OK;
    }
    *philox = tn__philox_take(&begin, blocks);
    /* Nobody comes back to a seed that was dealt for one call, or to none: keeping those would grow
     * with every call. */
    if (seed2 + 1 == state->dealt || (seed == 0 && seed2 == 0))
        return TN_OK;
    TN_TRY(TN__RESERVE(state, 1));
    TN_TRY(tn__ids_set(&state->index, key, at));
    state->item[state->count++] = (struct tn__random_stream){ kernel, seed, seed2, begin };
    return TN_OK;
}

void tn__random_fit_order(const tn__random_state *state, int64_t *order, size_t count)
{
    tn__random_graph map_function = tn__random_graph_begin(state);
    int64_t seed, seed2;
    tn__random_graph_op_seed(&map_function, TN__NO_SEED, &seed, &seed2);
    tn__random_shuffle_order(tn__philox_stateful(seed, seed2), order, count);
}
