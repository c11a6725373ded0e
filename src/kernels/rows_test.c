/* rows_test.c - sums, rows of softmax, pooling and Adam of every instruction set against the definitions. */
#include "kernels/kernels.h"
#include "support/check.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
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
            assert_true(fabs(table->sum(0, x, counts[i]) - sum) < 1e-4);
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

/* The place of the largest of window i of the output; images of 20 pixels. */
static int64_t largest_at(const tn__conv *c, int64_t i)
{
    int64_t channels = c->x_channels, pixel = i / channels, best = -1;
    int64_t column = pixel % c->column.out, row = pixel / c->column.out % c->row.out, image = pixel / c->column.out / c->row.out;
    for (int64_t r = row * c->row.stride - c->row.before, end = r + c->row.window; r < end; r++)
        for (int64_t q = column * c->column.stride - c->column.before, last = q + c->column.window; q < last; q++) {
            int64_t at = ((image * c->row.in + r) * c->column.in + q) * channels + i % channels;
            if (r >= 0 && r < c->row.in && q >= 0 && q < c->column.in && (best < 0 || x[at] > x[best]))
                best = at;
        }
    return best;
}

static void check_windows(const tn__kernels_table *table, const tn__conv *c)
{
    int64_t rows = 2 * c->row.out, out = rows * c->column.out * c->x_channels;
    float dx[2 * 20 * 19], masked[2 * 20 * 19], expected[2 * 20 * 19] = { 0 }, expected_masked[2 * 20 * 19] = { 0 };
    for (int64_t i = 0; i < out; i++)
        z[i] = (float)(i + 1);
    table->max_pool(c, x, y, 0, rows / 2);
    table->max_pool(c, x, y, rows / 2, rows);
    table->max_pool_gradient(c, x, z, dx, false, 0, 2);
    table->max_pool_gradient(c, x, z, masked, true, 0, 2);
    for (int64_t i = 0; i < out; i++) {
        int64_t best = largest_at(c, i);
        assert_float_equal(y[i], x[best], 0);
        expected[best] += z[i];
        expected_masked[best] += x[best] > 0 ? z[i] : 0;
    }
    size_t bytes = (size_t)(2 * c->row.in * c->column.in * c->x_channels) * sizeof *dx;
    assert_memory_equal(dx, expected, bytes);
    assert_memory_equal(masked, expected_masked, bytes);
}

/* A result that is written past the caches is the same one. */
static void softmax_of_many_rows_is_that_of_each(void **state)
{
    (void)state;
    enum { ROW = 1024, ROWS = 2049, EACH = ROW * ROWS };
    float *in = malloc(sizeof(float) * EACH), *out = aligned_alloc(64, sizeof(float) * EACH);
    assert_non_null(in);
    assert_non_null(out);
    fill(3);
    for (int i = 0; i < EACH; i++)
        in[i] = x[i % 2999];
    EACH_TABLE(table)
    {
        table->softmax(in, ROW, ROWS, out);
        for (int r = 0; r < ROWS; r += 128) {
            double sum = table->exponentials(in + r * ROW, ROW, table->largest(in + r * ROW, ROW), y);
            table->divide_by(y, ROW, (float)sum);
            assert_memory_equal(y, out + r * ROW, ROW * sizeof *y);
        }
        table->softmax(in, 7, 3, y);
        table->softmax(in + 7, 7, 1, z);
        assert_memory_equal(y + 7, z, 7 * sizeof *y);
    }
    free(in);
    free(out);
}

/* Rows of n, less their mean unless it stays in, and the gradient, against the definition. */
static void check_norm(const tn__kernels_table *table, int64_t n, bool rms)
{
    enum { ROWS = 3 };
    float sums[600] = { 0 };
    double dgamma[300] = { 0 }, dbeta[300] = { 0 };
    const float *gamma = x + 1000, *beta = x + 1300, *dy = x + 1600;
    fill((uint32_t)n);
    tn__layer_norm f = { x, NULL, gamma, beta, y, n, 0.01f, rms }, b = { x, dy, gamma, NULL, z, n, 0.01f, rms };
    y[ROWS * n] = z[ROWS * n] = 5;
    table->layer_norm(&f, 0, 1);
    table->layer_norm(&f, 1, ROWS);
    table->layer_norm_gradient(&b, 0, ROWS, sums);
    for (int64_t r = 0; r < ROWS; r++) {
        double mean = 0, variance = 0, sum = 0, product = 0;
        for (int64_t i = 0; i < n; i++)
            mean += rms ? 0 : (double)x[r * n + i] / (double)n;
        for (int64_t i = 0; i < n; i++)
            variance += pow((double)x[r * n + i] - mean, 2) / (double)n;
        double factor = 1 / sqrt(variance + 0.01);
        for (int64_t i = 0; i < n; i++) {
            double h = ((double)x[r * n + i] - mean) * factor, d = (double)dy[r * n + i];
            assert_float_equal(y[r * n + i], h * (double)gamma[i] + (double)beta[i], 1e-5);
            sum += rms ? 0 : d * (double)gamma[i] / (double)n;
            product += d * (double)gamma[i] * h / (double)n;
            dgamma[i] += d * h;
            dbeta[i] += d;
        }
        for (int64_t i = 0; i < n; i++) {
            double h = ((double)x[r * n + i] - mean) * factor;
            assert_float_equal(z[r * n + i], factor * ((double)(dy[r * n + i] * gamma[i]) - sum - h * product), 2e-4);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        assert_float_equal(sums[i], dgamma[i], 1e-4);
        assert_float_equal(sums[n + i], dbeta[i], 1e-4);
    }
    assert_float_equal(y[ROWS * n], 5, 0);
    assert_float_equal(z[ROWS * n], 5, 0);
}

static void rows_are_normalized_whatever_their_length(void **state)
{
    (void)state;
    const int64_t lengths[] = { 1, 3, 16, 31, 64, 100, 300 };
    EACH_TABLE(table)
    {
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            check_norm(table, lengths[l], false);
            check_norm(table, lengths[l], true);
        }
    }
}

/* Rows of logits behind x, all of them with the labels at `label`, or each with its own. */
static void check_cross_entropy(const tn__kernels_table *table, int64_t n, int64_t rows, bool one)
{
    float loss[50] = { 0 };
    const float *label = x + 1;
    tn__cross_entropy c = { x, label, n, one ? 0 : n, n, rows, loss, y };
    loss[rows] = y[rows * n] = 5;
    table->cross_entropy(&c);
    for (int64_t r = 0; r < rows; r++) {
        double most = -INFINITY, sum = 0, expected = 0;
        for (int64_t i = 0; i < n; i++)
            most = fmax(most, (double)x[r * n + i]);
        for (int64_t i = 0; i < n; i++)
            sum += exp((double)x[r * n + i] - most);
        for (int64_t i = 0; i < n; i++) {
            double of = (double)label[r * c.label_step + i], from_most = (double)x[r * n + i] - most;
            expected += of * (log(sum) - from_most);
            assert_float_equal(y[r * n + i], exp(from_most) / sum - of, 1e-6);
        }
        assert_float_equal(loss[r], expected, 1e-6 * (double)n + 1e-5);
    }
    assert_float_equal(loss[rows], 5, 0);
    assert_float_equal(y[rows * n], 5, 0);
}

static void rows_of_labels_have_losses_and_slopes(void **state)
{
    (void)state;
    EACH_TABLE(table)
    {
        for (int64_t n = 1; n < 2500; n += n < 70 ? 1 : 611) {
            fill((uint32_t)n);
            for (int64_t rows = 1; rows <= 33 && n * rows < 2500; rows += rows < 3 ? 1 : 15) {
                check_cross_entropy(table, n, rows, false);
                check_cross_entropy(table, n, rows, true);
            }
        }
    }
}

/* As rows of any length: the largest, exponentials, their sum, quotients; a row with no number, or none above -inf, is none. */
static void short_rows_are_as_long_ones(void **state)
{
    (void)state;
    EACH_TABLE(table)
    {
        for (int64_t n = 1; n < 20; n++)
            for (int64_t rows = 1; rows < 40; rows++) {
                fill((uint32_t)(n * rows));
                float expected[1000];
                x[(rows - 1) * n] = rows % 3 == 0 ? NAN : rows % 3 == 1 ? -INFINITY : 100;
                for (int64_t r = 0; r < rows; r++) {
                    double sum = table->exponentials(x + r * n, n, table->largest(x + r * n, n), expected + r * n);
                    table->divide_by(expected + r * n, n, (float)sum);
                }
                y[rows * n] = 5;
                table->softmax(x, n, rows, y);
                for (int64_t i = 0; i < rows * n; i++)
                    assert_true(y[i] == expected[i] || (isnan(y[i]) && isnan(expected[i])));
                assert_float_equal(y[rows * n], 5, 0);
            }
    }
}

/* Columns of rows that are `step` long; what stands beside them stays. */
static void check_columns(const tn__kernels_table *table, int64_t columns, int64_t step, bool backward)
{
    int64_t rows = 1000 / step;
    const float *dy = x + 1000, *vectors = x + 2000;
    float sums[500] = { 0 };
    tn__column_norm n = { x, backward ? dy : NULL, y, columns, step, vectors, vectors + 200, vectors + 400, vectors + 600 };
    for (int64_t i = 0; i <= rows * step; i++)
        y[i] = 5;
    table->column_norm(&n, 0, 1);
    table->column_norm(&n, 1, rows);
    table->column_norm_sums(&n, 0, 1, sums);
    table->column_norm_sums(&n, 1, rows, sums);
    for (int64_t c = 0; c < columns; c++) {
        double all = 0, products = 0;
        for (int64_t i = c; i < rows * step; i += step) {
            double d = (double)x[i] - (double)vectors[c], e = backward ? (double)dy[i] : d;
            double plain = d * (double)vectors[200 + c] + (double)vectors[400 + c];
            assert_float_equal(y[i], backward ? plain + e * (double)vectors[600 + c] : plain, 1e-5);
            all += e;
            products += e * d;
        }
        assert_float_equal(sums[c], all, 2e-3);
        assert_float_equal(sums[columns + c], products, 2e-3);
    }
    for (int64_t i = 0; i <= rows * step; i++)
        assert_true(i % step < columns && i < rows * step ? true : y[i] == 5);
    assert_float_equal(sums[2 * columns], 0, 0);
}

static void columns_are_scaled_and_summed_each_for_itself(void **state)
{
    (void)state;
    const int64_t columns[] = { 1, 3, 16, 31, 64, 65, 100, 200 };
    EACH_TABLE(table)
    {
        fill(4);
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
            check_columns(table, columns[i], columns[i], false);
            check_columns(table, columns[i], columns[i], true);
            check_columns(table, columns[i], columns[i] + 16, true);
            check_columns(table, columns[i], columns[i] + 5, false);
        }
    }
}

static void a_window_gives_its_largest_and_takes_back_what_came(void **state)
{
    (void)state;
    EACH_TABLE(table)
    {
        for (int64_t channels = 1; channels < 20; channels += 6) {
            fill((uint32_t)channels);
            /* windows of 3 by 2, strides of 2, some of them over the edge; and windows side by side */
            check_windows(table, &(tn__conv){ 2, { 5, 3, 3, 2, 1, 1 }, { 4, 3, 2, 2, 1, 1 }, channels, channels, false });
            check_windows(table, &(tn__conv){ 2, { 4, 2, 2, 2, 1, 0 }, { 5, 1, 5, 5, 1, 0 }, channels, channels, false });
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
        cmocka_unit_test(softmax_of_many_rows_is_that_of_each),
        cmocka_unit_test(rows_are_normalized_whatever_their_length),
        cmocka_unit_test(rows_of_labels_have_losses_and_slopes),
        cmocka_unit_test(short_rows_are_as_long_ones),
        cmocka_unit_test(columns_are_scaled_and_summed_each_for_itself),
        cmocka_unit_test(a_window_gives_its_largest_and_takes_back_what_came),
        cmocka_unit_test(adam_makes_one_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
