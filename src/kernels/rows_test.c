/* rows_test.c - sums, rows of softmax, pooling and Adam of every instruction set against the definitions. */
#include "kernels/kernels.h"
#include "support/check.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { COUNT = 3000 };
static float x[COUNT], y[COUNT], z[COUNT];

static void fill(uint32_t state)
{
    for (int i = 0; i < COUNT; i++) {
        state = state * 1664525 + 1013904223;
        x[i] = (float)((int32_t)state / 0x1p31 * 3);
        y[i] = z[i] = 0;
    }
}

#define EACH_TABLE(table) \
    const tn__kernels_table *table; \
    for (size_t t_ = 0; (table = tn__kernels_at(t_)); t_++)

static void sums_are_as_exact_as_float_can_say(void **state)
{
    (void)state;
    fill(1);
    const int64_t counts[] = { 0, 1, 7, 64, 100, 1000, COUNT };
    EACH_TABLE(table)
    {
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            double sum = 0;
            for (int64_t k = 0; k < counts[i]; k++)
                sum += (double)x[k];
            assert_true(fabs(table->sum(x, counts[i]) - sum) < 1e-4);
        }
        double columns[23] = { 0 };
        table->sum_columns(x, 25, 110, 23, columns);
        for (int c = 0; c < 23; c++) {
            double sum = 0;
            for (int r = 0; r < 110; r++)
                sum += (double)x[r * 25 + c];
            assert_true(fabs(columns[c] - sum) < 1e-4);
        }
    }
}

static void rows_of_any_length_have_a_largest_and_exponentials(void **state)
{
    (void)state;
    EACH_TABLE(table)
    {
        for (int64_t n = 1; n < 70; n++) {
            fill((uint32_t)n);
            double most = -INFINITY, sum = 0;
            for (int64_t i = 0; i < n; i++)
                most = fmax(most, (double)x[i]);
            y[n] = 5;
            assert_float_equal(table->largest(x, n), most, 0);
            double got = table->exponentials(x, n, (float)most, y);
            for (int64_t i = 0; i < n; i++) {
                assert_float_equal(y[i], exp((double)x[i] - most), 1e-6);
                sum += (double)y[i];
            }
            assert_float_equal(got, sum, 1e-5);
            assert_float_equal(y[n], 5, 0);
            table->divide_by(y, n, 2);
            assert_float_equal(y[n - 1], exp((double)x[n - 1] - most) / 2, 1e-6);
        }
        assert_true(isinf(table->largest(x, 0)));
    }
}

static void a_window_gives_its_largest_and_takes_back_what_came(void **state)
{
    (void)state;
    EACH_TABLE(table)
    {
        for (int64_t channels = 1; channels < 20; channels += 6) {
            fill((uint32_t)channels);
            /* windows of 3 by 2, strides of 2, some of them over the edge */
            tn__conv c = { 2, { 5, 3, 3, 2, 1, 1 }, { 4, 3, 2, 2, 1, 1 }, channels, channels };
            int64_t in = 20 * channels, out = 9 * channels;
            float dx[2 * 20 * 19] = { 0 }, expected[2 * 20 * 19] = { 0 };
            for (int64_t i = 0; i < 2 * out; i++)
                z[i] = (float)(i + 1);
            table->max_pool(&c, x, y, 0, 3);
            table->max_pool(&c, x, y, 3, 6);
            table->max_pool_gradient(&c, x, z, dx, 0, 2);
            for (int64_t i = 0; i < 2 * out; i++) {
                int64_t image = i / out, row = i / channels % 9 / 3 * 2 - 1, column = i / channels % 3 * 2 - 1, best = -1;
                for (int64_t r = row; r < row + 3; r++)
                    for (int64_t q = column; q < column + 2; q++) {
                        int64_t at = image * in + (r * 4 + q) * channels + i % channels;
                        if (r >= 0 && r < 5 && q >= 0 && q < 4 && (best < 0 || x[at] > x[best]))
                            best = at;
                    }
                assert_float_equal(y[i], x[best], 0);
                expected[best] += z[i];
            }
            assert_memory_equal(dx, expected, (size_t)(2 * in) * sizeof *dx);
        }
    }
}

static void adam_makes_one_step(void **state)
{
    (void)state;
    enum { N = 37 };
    EACH_TABLE(table)
    {
        float m[N + 1], v[N + 1], w[N + 1];
        fill(9);
        for (int i = 0; i <= N; i++) {
            m[i] = x[100 + i];
            v[i] = x[200 + i] * x[200 + i];
            w[i] = x[300 + i];
        }
        tn__adam a = { x, m, v, w, m, v, w, 0.1f, 0.001f, 0.01f, 1e-7f };
        table->adam(&a, 0, 16);
        table->adam(&a, 16, N);
        for (int i = 0; i < N; i++) {
            double g = (double)x[i], new_m = (double)x[100 + i] + (g - (double)x[100 + i]) * (double)0.1f;
            double old_v = (double)(x[200 + i] * x[200 + i]), new_v = old_v + (g * g - old_v) * (double)0.001f;
            assert_float_equal(m[i], new_m, 1e-6);
            assert_float_equal(v[i], new_v, 1e-6);
            assert_float_equal(w[i], (double)x[300 + i] - new_m * 0.01 / (sqrt(new_v) + 1e-7), 1e-5);
        }
        assert_float_equal(w[N], x[300 + N], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_as_exact_as_float_can_say),
        cmocka_unit_test(rows_of_any_length_have_a_largest_and_exponentials),
        cmocka_unit_test(a_window_gives_its_largest_and_takes_back_what_came),
        cmocka_unit_test(adam_makes_one_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
