/* chain_test.c - each function against the C library's in double, over numbers of every size, and chains of several. */
#include "kernels/kernels.h"
#include "support/check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Units in the last place of the expected number, as float32. */
static double distance(double expected, float actual)
{
    if (isnan(expected))
        return isnan(actual) ? 0 : INFINITY;
    if (fabs(expected) < 0x1p-126) /* subnormal numbers may be 0 */
        return fabs(actual) <= 0x1p-126 ? 0 : INFINITY;
    if ((float)expected == actual)
        return 0;
    if (isinf(actual) || isinf((float)expected))
        return fabs(expected) > 0x1.fffffcp127 && actual == copysign(INFINITY, expected) ? 0 : INFINITY;
    return fabs(expected - actual) / ldexp(1, ilogb(expected) - 23);
}

static double negative(double x, double y) { (void)y; return -x; }
static double magnitude(double x, double y) { (void)y; return fabs(x); }
static double square(double x, double y) { (void)y; return x * x; }
static double root(double x, double y) { (void)y; return sqrt(x); }
static double reciprocal_root(double x, double y) { (void)y; return 1 / sqrt(x); }
static double reciprocal(double x, double y) { (void)y; return 1 / x; }
static double exponential(double x, double y) { (void)y; return exp(x); }
static double logarithm(double x, double y) { (void)y; return log(x); }
static double hyperbolic(double x, double y) { (void)y; return tanh(x); }
static double logistic(double x, double y) { (void)y; return 1 / (1 + exp(-x)); }
static double rectified(double x, double y) { (void)y; return isnan(x) ? x : x < 0 ? 0 : x; }
static double same(double x, double y) { (void)y; return x; }
static double sum(double x, double y) { return x + y; }
static double difference(double x, double y) { return x - y; }
static double product(double x, double y) { return x * y; }
static double quotient(double x, double y) { return x / y; }
static double larger(double x, double y) { return x > y || isnan(x) ? x : y; }
static double smaller(double x, double y) { return x < y || isnan(x) ? x : y; }
static double masked(double x, double y) { return x * (y > 0); }

static double sign(double x, double y) { (void)y; return isnan(x) ? x : (x > 0) - (x < 0); }
static double exponential_less_1(double x, double y) { (void)y; return expm1(x); }
static double logarithm_of_1_and(double x, double y) { (void)y; return log1p(x); }
static double error(double x, double y) { (void)y; return erf(x); }
static double complement(double x, double y) { (void)y; return erfc(x); }
static double soft(double x, double y) { (void)y; return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static double soft_slope(double x, double y) { return x / (1 + (double)(float)exp(-y)); } /* infinity where float32 ends */
static double six(double x, double y) { (void)y; return x < 0 ? 0 : x > 6 ? 6 : x; }
static double six_masked(double x, double y) { return x * (y > 0 && y < 6); }
static double leaky(double x, double y) { return x > 0 ? x : x * y; }
static double leaky_slope(double x, double y) { return x > 0 ? 1 : y; }
static double elu_slope(double x, double y) { return y < 0 ? (double)((float)y + 1) * x : x; }

static const struct {
    tn__function function;
    double (*exact)(double x, double y);
    double most; /* units in the last place */
} cases[] = {
    { TN__DO_COPY, same, 0 }, { TN__DO_ADD, sum, 0.5 }, { TN__DO_SUBTRACT, difference, 0.5 }, { TN__DO_MULTIPLY, product, 0.5 },
    { TN__DO_DIVIDE, quotient, 0.51 }, { TN__DO_MAXIMUM, larger, 0 }, { TN__DO_MINIMUM, smaller, 0 }, { TN__DO_NEGATIVE, negative, 0 },
    { TN__DO_ABS, magnitude, 0 }, { TN__DO_SQUARE, square, 0.5 }, { TN__DO_SQRT, root, 0.51 }, { TN__DO_RSQRT, reciprocal_root, 1.5 },
    { TN__DO_RECIPROCAL, reciprocal, 0.51 }, { TN__DO_EXP, exponential, 1.1 }, { TN__DO_LOG, logarithm, 1 }, { TN__DO_TANH, hyperbolic, 2 },
    { TN__DO_SIGMOID, logistic, 2.5 }, { TN__DO_RELU, rectified, 0 }, { TN__DO_RELU_GRAD, masked, 0 },
    { TN__DO_SIGN, sign, 0 }, { TN__DO_EXPM1, exponential_less_1, 2 }, { TN__DO_LOG1P, logarithm_of_1_and, 2 }, { TN__DO_ERF, error, 1.5 },
    { TN__DO_ERFC, complement, 4 }, { TN__DO_SOFTPLUS, soft, 2.5 }, { TN__DO_SOFTPLUS_GRAD, soft_slope, 3 }, { TN__DO_RELU6, six, 0 },
    { TN__DO_RELU6_GRAD, six_masked, 0 }, { TN__DO_LEAKY_RELU, leaky, 0.5 }, { TN__DO_LEAKY_SLOPE, leaky_slope, 0 },
    { TN__DO_ELU_GRAD, elu_slope, 0.5 },
};

enum { COUNT = 1 << 16 };
static float x[COUNT], y[COUNT], z[COUNT];

static float normal(uint32_t bits) /* not below 2^-126, where processors differ */
{
    float number;
    memcpy(&number, &bits, sizeof number);
    return fabsf(number) < 0x1p-126f ? 0 : number;
}

static void fill(void)
{
    uint32_t state = 12345;
    for (int i = 0; i < COUNT; i++) {
        state = state * 1664525 + 1013904223;
        uint32_t spread = (uint32_t)i * 65536u + (state >> 16);
        x[i] = normal(spread);
        y[i] = normal(state ^ (state >> 13));
        if (i % 4 == 1) /* most of what matters lies near 0 */
            x[i] = (float)((int32_t)state / 0x1p31 * 20);
        if (i % 4 == 3)
            x[i] = (float)((int32_t)state / 0x1p31);
    }
    const float special[] = { 0, -0.f, 1, -1, INFINITY, -INFINITY, NAN, 88.8f, 88, -87.5f, -103, 0x1p-126f, 0x1.fffffep127f };
    memcpy(x, special, sizeof special);
}

static void *scratch_for(const tn__kernels_table *table, const tn__chain *c)
{
    return aligned_alloc(64, table->chain_scratch(c) / 64 * 64 + 64);
}

static void check_function(const tn__kernels_table *table, size_t at)
{
    tn__chain c = { .inputs = 2, .steps = 1, .places = 1, .in = { { x, 1, 0 }, { y, 1, 0 } } };
    c.step[0] = (tn__chain_step){ cases[at].function, 0, 1, 0, z };
    void *scratch = scratch_for(table, &c);
    table->chain(&c, 0, COUNT - 3, scratch); /* the last tile is no whole one */
    for (int i = 0; i < COUNT - 3; i++) {
        double expected = cases[at].exact(x[i], y[i]), off = distance(expected, z[i]);
        if (!(off <= cases[at].most))
            fail_msg("%s: function %d of %.9g, %.9g: expected %.9g, got %.9g, %.3g units off", table->name, cases[at].function, x[i], y[i],
                     expected, z[i], off);
    }
    free(scratch);
}

static void every_function_is_as_exact_as_it_says(void **state)
{
    (void)state;
    const tn__kernels_table *table;
    fill();
    for (size_t t = 0; (table = tn__kernels_at(t)); t++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            check_function(table, i);
}

/* As TensorFlow's float32 kernels answer, the sign of 0 as well. */
static void what_is_no_usual_number_is_answered_as_by_tensorflow(void **state)
{
    (void)state;
    enum { N = 7 };
    const float in[N] = { NAN, INFINITY, -INFINITY, 0, -0.f, 1e30f, -1e30f }, slope = 0.25f, low = 1.7580993408473766f;
    const float scaled = 1e30f * 1.0507009873554805f;
    const struct {
        tn__function function;
        float out[N];
    } answers[] = {
        { TN__DO_SIGN, { NAN, 1, -1, 0, 0, 1, -1 } },
        { TN__DO_EXPM1, { NAN, INFINITY, -1, 0, -0.f, INFINITY, -1 } },
        { TN__DO_LOG1P, { NAN, INFINITY, NAN, 0, -0.f, 69.0775528f, NAN } },
        { TN__DO_ERF, { NAN, 1, -1, 0, -0.f, 1, -1 } },
        { TN__DO_ERFC, { NAN, 0, 2, 1, 1, 0, 2 } },
        { TN__DO_SOFTPLUS, { NAN, INFINITY, 0, 0.693147182f, 0.693147182f, 1e30f, 0 } },
        { TN__DO_RELU6, { NAN, 6, 0, 0, -0.f, 6, 0 } },
        { TN__DO_ELU, { NAN, INFINITY, -1, 0, -0.f, 1e30f, -1 } },
        { TN__DO_SELU, { NAN, INFINITY, -low, 0, -0.f, scaled, -low } },
        { TN__DO_LEAKY_RELU, { NAN, INFINITY, -INFINITY, 0, -0.f, 1e30f, -0.25e30f } },
        { TN__DO_LEAKY_SLOPE, { slope, 1, slope, slope, slope, 1, slope } },
    };
    const tn__kernels_table *table;
    for (size_t t = 0; (table = tn__kernels_at(t)); t++)
        for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
            float out[N];
            tn__chain c = { .inputs = 2, .steps = 1, .places = 1, .in = { { in, 1, 0 }, { &slope, 1, 1 } } };
            c.step[0] = (tn__chain_step){ answers[i].function, 0, 1, 0, out };
            void *scratch = scratch_for(table, &c);
            table->chain(&c, 0, N, scratch);
            for (int k = 0; k < N; k++)
                if (distance(answers[i].out[k], out[k]) > 1 || (!isnan(out[k]) && signbit(out[k]) != signbit(answers[i].out[k])))
                    fail_msg("%s: function %d of %g: expected %g, got %g", table->name, answers[i].function, in[k], answers[i].out[k], out[k]);
            free(scratch);
        }
}

static void a_chain_reads_what_is_spread_and_gives_what_is_asked_for(void **state)
{
    (void)state;
    enum { N = 1300 };
    const tn__kernels_table *table;
    float bias[7], factor[13], two = 2, first[N], last[N];
    fill();
    for (int i = 0; i < 7; i++)
        bias[i] = (float)i;
    for (int i = 0; i < 13; i++)
        factor[i] = (float)(i + 1);
    for (size_t t = 0; (table = tn__kernels_at(t)); t++) {
        tn__chain c = { .inputs = 4, .steps = 3, .places = 2, .in = { { y, 1, 0 }, { bias, 1, 7 }, { factor, 100, 13 }, { &two, 1, 1 } } };
        for (int i = 0; i < N; i++)
            y[i] = (float)(i % 11);
        c.step[0] = (tn__chain_step){ TN__DO_ADD, 0, 1, 0, first };
        c.step[1] = (tn__chain_step){ TN__DO_MULTIPLY, 4, 2, 1, NULL };
        c.step[2] = (tn__chain_step){ TN__DO_SUBTRACT, 5, 3, 0, last };
        void *scratch = scratch_for(table, &c);
        table->chain(&c, 0, 512, scratch);
        table->chain(&c, 512, N, scratch);
        for (int i = 0; i < N; i++) {
            float sum = (float)(i % 11 + i % 7);
            assert_float_equal(first[i], sum, 0);
            assert_float_equal(last[i], sum * (float)(i / 100 + 1) - 2, 0);
        }
        free(scratch);
    }
}

/* A large result is written past the caches, and is that of its parts. */
static void a_large_result_is_that_of_small_ones(void **state)
{
    (void)state;
    enum { N = (2 << 20) + 512, PART = 1 << 20 };
    const tn__kernels_table *table;
    float *in = malloc(sizeof(float) * N), *whole = aligned_alloc(64, sizeof(float) * N), *parts = aligned_alloc(64, sizeof(float) * N), three = 3;
    assert_true(in && whole && parts);
    for (int i = 0; i < N; i++)
        in[i] = (float)(i % 1001 - 500);
    for (size_t t = 0; (table = tn__kernels_at(t)); t++) {
        tn__chain c = { .inputs = 2, .steps = 2, .places = 2, .in = { { in, 1, 0 }, { &three, 1, 1 } } };
        c.step[0] = (tn__chain_step){ TN__DO_MULTIPLY, 0, 1, 0, NULL };
        c.step[1] = (tn__chain_step){ TN__DO_RELU, 2, 2, 1, whole };
        void *scratch = scratch_for(table, &c);
        table->chain(&c, 0, N, scratch);
        c.step[1].out = parts;
        for (int64_t i = 0; i < N; i += PART)
            table->chain(&c, i, i + PART < N ? i + PART : N, scratch);
        assert_memory_equal(whole, parts, sizeof(float) * N);
        assert_float_equal(whole[1000], 1500, 0);
        free(scratch);
    }
    free(in);
    free(whole);
    free(parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_as_exact_as_it_says),
        cmocka_unit_test(what_is_no_usual_number_is_answered_as_by_tensorflow),
        cmocka_unit_test(a_chain_reads_what_is_spread_and_gives_what_is_asked_for),
        cmocka_unit_test(a_large_result_is_that_of_small_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
