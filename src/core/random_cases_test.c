/* random_cases_test.c - our random numbers beside recorded ones of the real TensorFlow, Keras and
 * Python: testdata/random_cases.json and, when TENON_GOLDEN names the conformance corpus, its
 * folder random/. */
#include "core/random_cases.h"
#include <dirent.h>

/* --- Stateless values ------------------------------------------------------------------------- */

/* clang-format off */
#define KINDS(X) \
    X(uniform, float32, float) X(uniform, float64, double) \
    X(uniform, float16, uint16_t) X(uniform, bfloat16, uint16_t) \
    X(normal, float32, float) X(normal, float64, double) \
    X(normal, float16, uint16_t) X(normal, bfloat16, uint16_t) \
    X(truncated_normal, float32, float) X(truncated_normal, float64, double) \
    X(truncated_normal, float16, uint16_t) X(truncated_normal, bfloat16, uint16_t)
/* clang-format on */
#define FILL(kind, dtype, type)                                                   \
    static void fill_##kind##_##dtype(tn__philox philox, void *out, size_t count) \
    {                                                                             \
        tn__random_##kind##_##dtype(philox, out, count);                          \
    }
KINDS(FILL)
#define ROW(kind, dtype, type) { #kind, #dtype, fill_##kind##_##dtype },
static const struct {
    const char *kind, *dtype;
    void (*fill)(tn__philox philox, void *out, size_t count);
} fills[] = { KINDS(ROW) };

static void check_floats(const char *path, const char *kind, tn__philox philox)
{
    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
        if (strcmp(fills[i].kind, kind) != 0 || strcmp(fills[i].dtype, dtype_of(path)) != 0)
            continue;
        size_t count = size_of(path);
        void *got = malloc(count * 8 + 1);
        fills[i].fill(philox, got, count);
        check(path, got, strcmp(kind, "uniform") == 0);
        free(got);
        return;
    }
    fail_msg("%s: no kind '%s' of '%s'", now.name, kind, dtype_of(path));
}

static void check_range(const char *path, int64_t low, int64_t high, tn__philox philox)
{
    size_t count = size_of(path);
    void *got = malloc(count * 8 + 1);
    if (width_of(dtype_of(path)) == 8)
        tn__random_uniform_int64(philox, low, high, got, count);
    else
        tn__random_uniform_int32(philox, (int32_t)low, (int32_t)high, got, count);
    check(path, got, true);
    free(got);
}

static void check_bits(const char *path, tn__philox philox)
{
    size_t count = size_of(path);
    void *got = malloc(count * 8 + 1);
    if (width_of(dtype_of(path)) == 8)
        tn__random_bits64(philox, got, count);
    else
        tn__random_bits32(philox, got, count);
    check(path, got, true);
    free(got);
}

static void stateless_uniform(void)
{
    if (!strstr(dtype_of(NULL), "int"))
        check_floats(NULL, "uniform", stateless());
    else if (json_is_null(get("minval")))
        check_bits(NULL, stateless());
    else
        check_range(NULL, integer("minval"), integer("maxval"), stateless());
}

static void stateless_normal(void)
{
    check_floats(NULL, "normal", stateless());
}

static void stateless_truncated_normal(void)
{
    check_floats(NULL, "truncated_normal", stateless());
}

static void keras_normal(void)
{
    check_floats(NULL, "normal", keras());
}

static void keras_truncated_normal(void)
{
    check_floats(NULL, "truncated_normal", keras());
}

static void keras_uniform(void)
{
    float got[10], low = (float)number("minval"), high = (float)number("maxval");
    tn__random_uniform_float32(keras(), got, 10);
    for (int i = 0; i < 10; i++)
        got[i] = got[i] * (high - low) + low;
    check(NULL, got, false);
}

static void keras_randint(void)
{
    check_range(NULL, integer("minval"), integer("maxval"), keras());
}

/* Of ones, as every recorded dropout is. */
static void check_dropout(const char *path, double rate, tn__philox philox)
{
    size_t count = size_of(path);
    float *got = calloc(count, sizeof *got), limit = (float)rate;
    tn__random_uniform_float32(philox, got, count);
    for (size_t i = 0; i < count; i++)
        got[i] = got[i] >= limit ? 1 / (1 - limit) : 0;
    check(path, got, false);
    free(got);
}

static void stateless_dropout(void)
{
    check_dropout(NULL, number("rate"), stateless());
}

static void keras_dropout(void)
{
    check_dropout(NULL, number("rate"), keras());
}

/* --- Seeds and orders ------------------------------------------------------------------------- */

static void fold_in(void)
{
    int64_t seed[2], out[2];
    seed_pair(seed);
    tn__random_fold_in(seed, integer("data"), width_of(dtype_of(NULL)) == 8, out);
    check_integers(NULL, out);
}

static void split(void)
{
    int64_t seed[2], out[3][2];
    assert_int_equal(integer("num"), 3);
    seed_pair(seed);
    tn__random_split(seed, width_of(dtype_of(NULL)) == 8, out, 3);
    check_integers(NULL, out[0]);
}

static void check_shuffle(const char *path, tn__philox philox)
{
    size_t count = size_of(path);
    int64_t *order = calloc(count, sizeof *order);
    tn__random_shuffle_order(philox, order, count);
    check_integers(path, order);
    free(order);
}

static void stateless_shuffle(void)
{
    check_shuffle(NULL, stateless());
}

static void keras_shuffle(void)
{
    size_t count = size_of(NULL);
    int64_t *order = calloc(count, sizeof *order);
    CHECK_OK(tn__random_argsort_order(keras(), order, count));
    check_integers(NULL, order);
    free(order);
}

static void seed_generator(void)
{
    int64_t state[2] = { integer("seed"), 0 }, out[2];
    char path[40];
    for (int i = 0; i < 3; i++) {
        tn__random_seed_next(state, true, out);
        snprintf(path, sizeof path, "draws.%d.state_before", i);
        check_integers(path, out);
        snprintf(path, sizeof path, "draws.%d.normal3", i);
        check_floats(path, "normal", tn__philox_keras(out));
    }
    tn__random_seed_next(state, true, out);
    check_integers("next", out);
    tn__random_seed_next(state, false, out);
    check_integers("next_unordered_1", out);
    tn__random_seed_next(state, false, out);
    check_integers("next_unordered_2", out);
    check_integers("state_after", state);
}

/* tf.random.Generator: its state is a counter and a key, each op takes 256 blocks a value. */
static void generator(void)
{
    int64_t *state = recorded("state0", 24);
    tn__philox stream = { (uint64_t)state[2], { (uint64_t)state[0], (uint64_t)state[1] } };
    free(state);
    check_floats("normal5", "normal", tn__philox_take(&stream, tn__philox_blocks(5)));
    check_floats("uniform5", "uniform", tn__philox_take(&stream, tn__philox_blocks(5)));
    check_range("int32_0_100", 0, 100, tn__philox_take(&stream, tn__philox_blocks(5)));
    check_floats("trunc5", "truncated_normal", tn__philox_take(&stream, tn__philox_blocks(5)));
    check_bits("full_int", tn__philox_take(&stream, tn__philox_blocks(3)));
    uint64_t seeds[2][2] = { { 0 } }; /* keys above zeros */
    tn__random_bits64(tn__philox_take(&stream, tn__philox_blocks(2)), seeds[0], 2);
    check("make_seeds", seeds, true);
    int64_t after[3] = { (int64_t)stream.counter[0], (int64_t)stream.counter[1],
                         (int64_t)stream.key };
    check_integers("state_after", after);
}

/* --- Python ----------------------------------------------------------------------------------- */

static void check_randints(const char *path, tn__python_random *random, int64_t low, int64_t high)
{
    size_t count = size_of(path);
    int64_t *got = calloc(count, sizeof *got);
    for (size_t i = 0; i < count; i++)
        got[i] = tn__python_random_randint(random, low, high);
    check(path, got, true);
    free(got);
}

static void python_randint(void)
{
    tn__python_random random;
    tn__python_random_seed(&random, integer("seed"));
    check_randints(NULL, &random, 1, 1000000000);
}

static void python_range(void)
{
    tn__python_random random;
    tn__python_random_seed(&random, 5);
    check_randints(NULL, &random, integer("low"), integer("high"));
}

static void python_bits(void)
{
    tn__python_random random;
    tn__python_random_seed(&random, 6);
    uint64_t got[8];
    for (int i = 0; i < 8; i++)
        got[i] = tn__python_random_bits(&random, (int)integer("bits"));
    check(NULL, got, true);
}

static void python_random(void)
{
    tn__python_random random;
    tn__python_random_seed(&random, 7);
    double got[1000];
    for (int i = 0; i < 1000; i++)
        got[i] = tn__python_random_float(&random);
    check(NULL, got, true);
}

/* --- Stateful ops ----------------------------------------------------------------------------- */

enum kernel { UNIFORM = 1, UNIFORM_INT, NORMAL, TRUNCATED, SHUFFLE, GAMMA, POISSON, CATEGORICAL };

static tn__random_state state;

static tn__philox eager(enum kernel kernel, int64_t op_seed, uint64_t blocks)
{
    tn__philox philox;
    int64_t seed, seed2;
    tn__random_op_seed(&state, op_seed, &seed, &seed2);
    CHECK_OK(tn__random_state_take(&state, kernel, seed, seed2, blocks, &philox));
    return philox;
}

static tn__philox eager_values(enum kernel kernel, int64_t op_seed, size_t count)
{
    return eager(kernel, op_seed, tn__philox_blocks(count));
}

static void op_seed_only(void)
{
    check_floats("0", "uniform", eager_values(UNIFORM, 7, 5));
    check_floats("1", "uniform", eager_values(UNIFORM, 7, 5));
    check_floats("2", "normal", eager_values(NORMAL, 0, 5));
}

static void set_seed_sequence(void)
{
    CHECK_OK(tn__random_set_seed(&state, integer("gs")));
    check_floats("0", "uniform", eager_values(UNIFORM, TN__NO_SEED, 5));
    check_floats("1", "uniform", eager_values(UNIFORM, TN__NO_SEED, 5));
    check_floats("2", "normal", eager_values(NORMAL, TN__NO_SEED, 5));
    check_floats("3", "truncated_normal", eager_values(TRUNCATED, TN__NO_SEED, 5));
    check_range("4", 0, 100, eager_values(UNIFORM_INT, TN__NO_SEED, 5));
}

static void set_seed_op_seed(void)
{
    CHECK_OK(tn__random_set_seed(&state, integer("gs")));
    check_floats("0", "uniform", eager_values(UNIFORM, 7, 5));
    check_floats("1", "uniform", eager_values(UNIFORM, 7, 5));
    check_floats("2", "normal", eager_values(NORMAL, 7, 5));
    check_floats("3", "normal", eager_values(NORMAL, 9, 5));
}

static void set_seed_shuffles(void)
{
    uint64_t blocks = tn__philox_shuffle_blocks(10);
    CHECK_OK(tn__random_set_seed(&state, integer("gs")));
    check_shuffle("0", eager(SHUFFLE, TN__NO_SEED, blocks));
    check_shuffle("1", eager(SHUFFLE, TN__NO_SEED, blocks));
    check_shuffle("2", eager(SHUFFLE, 3, blocks));
    check_shuffle("3", eager(SHUFFLE, 3, blocks));
}

static void check_gamma(const char *path, const double *alpha, size_t alphas, size_t samples,
                        tn__philox philox)
{
    size_t count = alphas * samples;
    double *got = calloc(count, sizeof *got);
    float *narrow = calloc(count, sizeof *narrow);
    bool wide = width_of(dtype_of(path)) == 8;
    for (size_t i = 0; i < count; i++) {
        double exact = alpha[i / samples];
        size_t at = i % samples * alphas + i / samples;
        /* stateless_gamma never gives 0 */
        got[at] =
            fmax(tn__random_gamma(philox, i, wide ? exact : (float)exact), wide ? 0x1p-1022 : 0);
        narrow[at] = fmaxf((float)got[at], 0x1p-126f);
    }
    check(path, wide ? (void *)got : narrow, false);
    free(got);
    free(narrow);
}

static void check_poisson(const char *path, const double *rate, size_t rates, size_t samples,
                          bool wide, tn__philox philox)
{
    bool integers = strstr(dtype_of(path), "int") != NULL;
    int64_t *got = calloc(rates * samples, sizeof *got);
    float *floats = calloc(rates * samples, sizeof *floats);
    for (size_t i = 0; i < rates * samples; i++) {
        double exact = rate[i / samples];
        size_t at = i % samples * rates + i / samples;
        got[at] = (int64_t)tn__random_poisson(philox, i, wide ? exact : (float)exact, INT32_MAX);
        floats[at] = (float)got[at];
    }
    if (integers)
        check_integers(path, got);
    else
        check(path, floats, true);
    free(got);
    free(floats);
}

static void check_categorical(const char *path, const double *logits, size_t rows,
                              tn__philox philox)
{
    size_t samples = dimension(path, 1);
    int64_t *got = calloc(rows * samples, sizeof *got);
    CHECK_OK(tn__random_categorical(philox, logits, rows, 3, samples, got));
    check_integers(path, got);
    free(got);
}

static void set_seed_distributions(void)
{
    const double logits[] = { 0, 1, 2, .5, 0, 0 };
    CHECK_OK(tn__random_set_seed(&state, integer("gs")));
    check_gamma("0", (double[]){ 2 }, 1, 4, eager_values(GAMMA, 5, 4));
    check_gamma("1", (double[]){ 2 }, 1, 4, eager_values(GAMMA, 5, 4));
    check_poisson("2", (double[]){ 3 }, 1, 4, false, eager_values(POISSON, 5, 4));
    check_poisson("3", (double[]){ 3 }, 1, 4, false, eager_values(POISSON, 5, 4));
    check_categorical("4", logits, 2, eager_values(CATEGORICAL, 5, 2 * 2 * 12));
    check_categorical("5", logits, 2, eager_values(CATEGORICAL, 5, 2 * 2 * 12));
}

/* The corpus's own mixture of shuffles and distributions. */
static void set_seed_shuffle(void)
{
    uint64_t blocks = tn__philox_shuffle_blocks(10);
    CHECK_OK(tn__random_set_seed(&state, integer("gs")));
    check_shuffle("0", eager(SHUFFLE, TN__NO_SEED, blocks));
    check_shuffle("1", eager(SHUFFLE, TN__NO_SEED, blocks));
    check_shuffle("2", eager(SHUFFLE, 3, blocks));
    const double logits[] = { 0, 1, 2 };
    check_categorical("3", logits, 1, eager_values(CATEGORICAL, TN__NO_SEED, 2 * 8));
    check_gamma("4", (double[]){ 2 }, 1, 4, eager_values(GAMMA, TN__NO_SEED, 4));
}

static tn__philox node(tn__random_graph *graph, int64_t op_seed)
{
    int64_t seed, seed2;
    tn__random_graph_op_seed(graph, op_seed, &seed, &seed2);
    return tn__philox_stateful(seed, seed2);
}

static void check_two_runs(tn__random_graph graph, bool third)
{
    tn__philox uniform = node(&graph, TN__NO_SEED), normal = node(&graph, TN__NO_SEED);
    tn__philox own = node(&graph, 5);
    char path[16];
    for (int run = 0; run < 2; run++) {
        snprintf(path, sizeof path, "%d.0", run);
        check_floats(path, "uniform", tn__philox_take(&uniform, tn__philox_blocks(4)));
        path[2] = '1';
        check_floats(path, "normal", tn__philox_take(&normal, tn__philox_blocks(4)));
        path[2] = '2';
        if (third)
            check_floats(path, "uniform", tn__philox_take(&own, tn__philox_blocks(4)));
    }
}

static void set_seed_in_function(void)
{
    CHECK_OK(tn__random_set_seed(&state, integer("gs")));
    check_two_runs(tn__random_graph_begin(&state), false);
}

static void v1_graph(void)
{
    check_two_runs((tn__random_graph){ .seeded = true, .seed = integer("gs") }, true);
}

/* --- Keras's programs ------------------------------------------------------------------------- */

static void check_kernel(const char *path)
{
    size_t count = size_of(path);
    float got[12], limit = sqrtf(6.0f / (float)(dimension(path, 0) + dimension(path, 1)));
    const int64_t seed[2] = { tn__random_default_seed(&state), 0 };
    tn__random_uniform_float32(tn__philox_keras(seed), got, count);
    for (size_t i = 0; i < count; i++)
        got[i] = got[i] * (2 * limit) - limit;
    check(path, got, false);
}

static void set_random_seed_program(void)
{
    int64_t dropout[2], seed[2];
    CHECK_OK(tn__random_set_seed(&state, integer("seed")));
    check_kernel("dense0_kernel");
    check_kernel("dense1_kernel");
    int64_t dropout_state[2] = { tn__random_default_seed(&state), 0 };
    tn__random_seed_next(dropout_state, true, dropout);
    check_dropout("dropout_out", 0.5, tn__philox_keras(dropout));
    check_integers("dropout_state_after", dropout_state);
    int64_t global[2] = { tn__random_default_seed(&state), 0 };
    tn__random_seed_next(global, false, seed);
    check_floats("global_normal_1", "normal", tn__philox_keras(seed));
    tn__random_seed_next(global, false, seed);
    check_floats("global_normal_2", "normal", tn__philox_keras(seed));
    check_floats("tf_uniform", "uniform", eager_values(UNIFORM, TN__NO_SEED, 3));
    assert_int_equal(tn__random_default_seed(&state), json_integer_value(part("py_randint")));
}

static void fit_order(void)
{
    size_t epochs = dimension(NULL, 0), count = dimension(NULL, 1);
    int64_t *orders = calloc(epochs * count, sizeof *orders);
    CHECK_OK(tn__random_set_seed(&state, integer("seed")));
    for (size_t epoch = 0; epoch < epochs; epoch++)
        tn__random_fit_order(&state, orders + epoch * count, count);
    check_integers(NULL, orders);
    free(orders);
}

/* --- Distributions ---------------------------------------------------------------------------- */

/* A number, or nested lists of numbers, in order. */
static size_t numbers(json_t *json, double *out)
{
    size_t count = 0, i;
    json_t *item;
    if (!json_is_array(json)) {
        *out = json_number_value(json);
        return 1;
    }
    json_array_foreach(json, i, item) count += numbers(item, out + count);
    return count;
}

static void stateless_gamma(void)
{
    double alpha[16];
    size_t alphas = numbers(get("alpha"), alpha);
    check_gamma(NULL, alpha, alphas, size_of(NULL) / alphas, stateless());
}

static void keras_gamma(void)
{
    const double alpha = number("alpha");
    check_gamma(NULL, &alpha, 1, size_of(NULL), keras());
}

static void keras_beta(void)
{
    int64_t seed[2];
    seed_pair(seed);
    float got[6];
    for (uint64_t i = 0; i < 6; i++) {
        /* The second gamma's seed is the first's, cast to Keras's range, + 12 in both parts. */
        tn__philox a = tn__philox_keras(seed);
        tn__philox b = tn__philox_stateless(seed[0] % (INT32_MAX - 1) + 12, seed[1] + 12);
        float x = (float)tn__random_gamma(a, i, number("alpha"));
        got[i] = x / (x + (float)tn__random_gamma(b, i, number("beta")));
    }
    check(NULL, got, false);
}

static void stateless_poisson(void)
{
    double rate[16];
    size_t rates = numbers(get("lam"), rate);
    const char *dtype = json_string_value(get("rate"));
    check_poisson(NULL, rate, rates, size_of(NULL) / rates, dtype && width_of(dtype) == 8,
                  stateless());
}

static void check_binomial(double probability, tn__philox philox)
{
    size_t count = size_of(NULL);
    int64_t *got = calloc(count, sizeof *got);
    float *floats = calloc(count, sizeof *floats);
    for (size_t i = 0; i < count; i++) {
        floats[i] = (float)tn__random_binomial(philox, i, number("counts"), (float)probability);
        got[i] = (int64_t)floats[i];
    }
    if (strstr(dtype_of(NULL), "int"))
        check_integers(NULL, got);
    else
        check(NULL, floats, true);
    free(got);
    free(floats);
}

static void stateless_binomial(void)
{
    check_binomial(number("probs"), stateless());
}

static void keras_binomial(void)
{
    check_binomial(number("probabilities"), keras());
}

static void stateless_categorical(void)
{
    double logits[16];
    size_t rows = numbers(get("logits"), logits) / 3;
    check_categorical(NULL, logits, rows, stateless());
}

static void keras_categorical(void)
{
    double logits[16];
    size_t rows = numbers(get("logits"), logits) / 3;
    check_categorical(NULL, logits, rows, keras());
}

/* --- Running ---------------------------------------------------------------------------------- */

/* By what was called, or by the name of the program. */
static const struct {
    const char *name;
    void (*run)(void);
} runs[] = {
    { "tf.random.stateless_uniform", stateless_uniform },
    { "tf.random.stateless_normal", stateless_normal },
    { "tf.random.stateless_truncated_normal", stateless_truncated_normal },
    { "tf.nn.experimental.stateless_dropout", stateless_dropout },
    { "keras.random.uniform", keras_uniform },
    { "keras.random.normal", keras_normal },
    { "keras.random.truncated_normal", keras_truncated_normal },
    { "keras.random.randint", keras_randint },
    { "keras.random.dropout", keras_dropout },
    { "tf.random.fold_in", fold_in },
    { "tf.random.split", split },
    { "tf.random.experimental.stateless_shuffle", stateless_shuffle },
    { "keras.random.shuffle", keras_shuffle },
    { "keras_SeedGenerator", seed_generator },
    { "Generator", generator },
    { "python_randint", python_randint },
    { "python_randint_1_1e9", python_randint },
    { "python_range", python_range },
    { "python_bits", python_bits },
    { "python_random", python_random },
    { "op_seed_only", op_seed_only },
    { "set_seed_sequence", set_seed_sequence },
    { "set_seed_op_seed", set_seed_op_seed },
    { "set_seed_shuffles", set_seed_shuffles },
    { "set_seed_shuffle", set_seed_shuffle },
    { "set_seed_distributions", set_seed_distributions },
    { "set_seed_in_function", set_seed_in_function },
    { "v1_graph", v1_graph },
    { "v1_graph_seed", v1_graph },
    { "set_random_seed_program", set_random_seed_program },
    { "fit_order", fit_order },
    { "tf.random.stateless_gamma", stateless_gamma },
    { "keras.random.gamma", keras_gamma },
    { "keras.random.beta", keras_beta },
    { "tf.random.stateless_poisson", stateless_poisson },
    { "tf.random.stateless_binomial", stateless_binomial },
    { "keras.random.binomial", keras_binomial },
    { "tf.random.stateless_categorical", stateless_categorical },
    { "keras.random.categorical", keras_categorical },
};

static void run_case(json_t *json)
{
    char kind[80];
    now.json = json;
    now.name = json_string_value(get("name"));
    const char *api = json_string_value(get("api"));
    snprintf(kind, sizeof kind, "%s", api ? api : now.name);
    if (!api)
        *strrchr(kind, '_') = 0; /* the case's number */
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        if (strcmp(runs[i].name, kind) == 0) {
            state = (tn__random_state){ 0 };
            runs[i].run();
            tn__random_state_free(&state);
            tally.cases++;
            return;
        }
    fail_msg("%s: nothing runs '%s'", now.name, kind);
}

static void report(void)
{
    print_message("%zu cases; %zu of %zu arrays equal in every bit\n", tally.cases, tally.exact,
                  tally.arrays);
    memset(&tally, 0, sizeof tally);
}

static void numbers_are_those_of_tensorflow_keras_and_python(void **unused)
{
    (void)unused;
    json_error_t error;
    json_t *cases = json_load_file("src/core/testdata/random_cases.json", 0, &error), *json;
    if (!cases)
        fail_msg("random_cases.json: %s", error.text);
    size_t i;
    json_array_foreach(cases, i, json) run_case(json);
    assert_true(tally.cases > 400);
    json_decref(cases);
    report();
}

static void read_npz(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return;
    fseek(file, 0, SEEK_END);
    now.npz_size = (size_t)ftell(file);
    rewind(file);
    now.npz = malloc(now.npz_size);
    assert_int_equal(fread(now.npz, 1, now.npz_size, file), now.npz_size);
    fclose(file);
}

static void numbers_are_those_of_the_corpus(void **unused)
{
    (void)unused;
    const char *corpus = getenv("TENON_GOLDEN");
    if (!corpus)
        skip();
    char folder[512], path[1024];
    snprintf(folder, sizeof folder, "%s/random", corpus);
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing));) {
        const char *end = strrchr(entry->d_name, '.');
        if (!end || strcmp(end, ".json") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        json_t *json = json_load_file(path, 0, NULL);
        assert_non_null(json);
        strcpy(strrchr(path, '.'), ".npz");
        read_npz(path);
        run_case(json);
        json_decref(json);
        free(now.npz);
        now.npz = NULL;
    }
    closedir(listing);
    report();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_tensorflow_keras_and_python),
        cmocka_unit_test(numbers_are_those_of_the_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
