/* kernels_test.c - every instruction set of this processor against sums in double. */
#include "kernels/kernels.h"
#include "kernels/parallel.h"
#include "support/check.h"
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

static uint64_t state = 88172645463325252u;
static float number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (float)(int64_t)(state % 2001) / 1000 - 1;
}

static float *numbers(int64_t count)
{
    float *x = malloc((size_t)count * sizeof *x);
    for (int64_t i = 0; i < count; i++)
        x[i] = number();
    return x;
}

static void check_near(double expected, float actual, double scale, const char *isa)
{
    if (fabs(expected - actual) > 2e-6 * (scale + fabs(expected)))
        fail_msg("%s: expected %.9g, got %.9g", isa, expected, actual);
}

/* --- products ----------------------------------------------------------------------------------------------------------- */
/* With an epilogue: all of it. */
static double stored(const tn__epilogue *e, double sum, int64_t column, int64_t place)
{
    sum += e->bias ? (double)e->bias[column] + e->beside[place] : 0;
    sum = e->relu && sum < 0 ? 0 : sum;
    return e->mask && !(e->mask[place] > 0) ? 0 : sum;
}

static void check_product(const tn__kernels_table *table, int64_t m, int64_t n, int64_t k, bool ta, bool tb, bool epilogue)
{
    int64_t row_c = n + 3;
    float *a = numbers(m * k), *b = numbers(k * n), *c = numbers(m * row_c), *bias = numbers(n), behind = 0;
    float *beside = numbers(m * row_c), *mask = numbers(m * row_c);
    tn__epilogue e = { epilogue ? bias : NULL, epilogue ? beside : NULL, epilogue, epilogue ? mask : NULL };
    tn__gemm g = { m, n, k, a, ta ? 1 : k, ta ? m : 1, b, tb ? 1 : n, tb ? k : 1, c, row_c, e };
    void *scratch = aligned_alloc(64, table->gemm_scratch(&g) / 64 * 64 + 64);
    behind = c[n];
    table->gemm(&g, scratch);
    assert_true(m == 1 || c[n] == behind);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t l = 0; l < k; l++)
                sum += (double)a[i * g.row_a + l * g.column_a] * b[l * g.row_b + j * g.column_b];
            check_near(stored(&e, sum, j, i * row_c + j), c[i * row_c + j], 1 + sqrt((double)k), table->name);
        }
    void *all[] = { a, b, c, bias, beside, mask, scratch };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void products_of_every_shape_and_order_agree_with_sums_in_double(void **unused)
{
    (void)unused;
    const int64_t sizes[][3] = { { 1, 1, 1 }, { 1, 64, 128 }, { 1, 203, 19 }, { 3, 5, 7 }, { 17, 10, 100 }, { 128, 10, 100 },
                                 { 97, 3, 40 }, { 64, 64, 64 }, { 100, 128, 10 }, { 9, 33, 70 },
                                 { 150, 100, 300 }, { 200, 130, 257 }, { 300, 150, 64 }, { 2050, 80, 13 }, { 8, 49, 1 }, { 5, 31, 0 } };
    const tn__kernels_table *table;
    for (size_t t = 0; (table = tn__kernels_at(t)); t++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int order = 0; order < 8; order++)
                check_product(table, sizes[i][0], sizes[i][1], sizes[i][2], order & 1, order & 2, order & 4);
}

/* --- convolutions ------------------------------------------------------------------------------------------------------- */
typedef struct {
    const tn__kernels_table *table;
    tn__conv c;
    float *x, *filter, *y;
    double *dx, *dfilter, *expected;
} images;

/* What y, dx and dfilter are by definition; y is dy for the last two. */
static void define(const images *im)
{
    const tn__conv *c = &im->c;
    int64_t in = c->x_channels, out = c->y_channels;
    for (int64_t n = 0; n < c->batch; n++)
        for (int64_t p = 0; p < c->row.out * c->column.out; p++)
            for (int64_t t = 0; t < c->row.window * c->column.window; t++) {
                int64_t r = p / c->column.out * c->row.stride + t / c->column.window * c->row.dilation - c->row.before;
                int64_t q = p % c->column.out * c->column.stride + t % c->column.window * c->column.dilation - c->column.before;
                if (r < 0 || q < 0 || r >= c->row.in || q >= c->column.in)
                    continue;
                int64_t at = ((n * c->row.in + r) * c->column.in + q) * in, to = (n * c->row.out * c->column.out + p) * out;
                for (int64_t i = 0; i < in; i++)
                    for (int64_t o = 0; o < out; o++) {
                        im->expected[to + o] += (double)im->x[at + i] * im->filter[(t * in + i) * out + o];
                        im->dx[at + i] += (double)im->y[to + o] * im->filter[(t * in + i) * out + o];
                        im->dfilter[(t * in + i) * out + o] += (double)im->x[at + i] * im->y[to + o];
                    }
            }
}

static void check_all(const images *im, const double *expected, const float *actual, int64_t count, double scale)
{
    for (int64_t i = 0; i < count; i++)
        check_near(expected[i], actual[i], scale, im->table->name);
}

static void check_conv(const tn__kernels_table *table, tn__conv c)
{
    int64_t xs = c.batch * c.row.in * c.column.in * c.x_channels, ys = c.batch * c.row.out * c.column.out * c.y_channels;
    int64_t fs = c.row.window * c.column.window * c.x_channels * c.y_channels, y_rows = c.batch * c.row.out, x_rows = c.batch * c.row.in;
    images im = { table, c, numbers(xs), numbers(fs), numbers(ys), calloc((size_t)xs, 8), calloc((size_t)fs, 8), calloc((size_t)ys, 8) };
    float *y = malloc((size_t)ys * 4), *dx = malloc((size_t)xs * 4), *df = calloc((size_t)fs, 4);
    define(&im);
    size_t most = table->conv_scratch(&c) + table->conv_to_input_scratch(&c) + table->conv_to_filter_scratch(&c);
    void *scratch = aligned_alloc(64, most / 64 * 64 + 64);
    float *packed = aligned_alloc(64, table->conv_filter_bytes(&c, false) / 64 * 64 + 64);
    float *turned = aligned_alloc(64, table->conv_filter_bytes(&c, true) / 64 * 64 + 64);
    table->conv_pack(&c, false, im.filter, packed);
    table->conv_pack(&c, true, im.filter, turned);
    int64_t cut = y_rows / 3;
    table->conv(&c, im.x, packed, y, (tn__epilogue){ 0 }, 0, cut, scratch);
    table->conv(&c, im.x, packed, y, (tn__epilogue){ 0 }, cut, y_rows, scratch);
    table->conv_to_input(&c, im.y, turned, dx, (tn__epilogue){ .mask = im.x }, 0, x_rows / 2, scratch);
    table->conv_to_input(&c, im.y, turned, dx, (tn__epilogue){ .mask = im.x }, x_rows / 2, x_rows, scratch);
    for (int64_t i = 0; i < xs; i++)
        im.dx[i] = im.x[i] > 0 ? im.dx[i] : 0;
    table->conv_to_filter(&c, im.x, im.y, df, 0, cut, scratch);
    table->conv_to_filter(&c, im.x, im.y, df, cut, y_rows, scratch);
    double more = c.winograd ? 5 : 1; /* its sums are of larger numbers */
    check_all(&im, im.expected, y, ys, 6 * more);
    check_all(&im, im.dx, dx, xs, 6 * more);
    check_all(&im, im.dfilter, df, fs, 40 * more);
    void *all[] = { im.x, im.filter, im.y, im.dx, im.dfilter, im.expected, y, dx, df, scratch, packed, turned };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static tn__conv_axis axis(int64_t in, int64_t window, int64_t stride, int64_t dilation, int64_t before, int64_t after)
{
    return (tn__conv_axis){ in, (in + before + after - (window - 1) * dilation - 1) / stride + 1, window, stride, dilation, before };
}

static void convolutions_and_their_gradients_agree_with_sums_in_double(void **unused)
{
    (void)unused;
    const tn__kernels_table *table;
    for (size_t t = 0; (table = tn__kernels_at(t)); t++) {
        check_conv(table, (tn__conv){ 2, axis(9, 3, 1, 1, 0, 0), axis(28, 3, 1, 1, 0, 0), 3, 40, false });
        check_conv(table, (tn__conv){ 3, axis(8, 3, 1, 1, 1, 1), axis(7, 3, 1, 1, 1, 1), 5, 17, false });
        check_conv(table, (tn__conv){ 2, axis(11, 3, 2, 1, 0, 1), axis(10, 5, 3, 1, 2, 2), 4, 6, false });
        check_conv(table, (tn__conv){ 2, axis(12, 3, 1, 2, 2, 2), axis(13, 3, 1, 3, 3, 3), 3, 8, false });
        check_conv(table, (tn__conv){ 1, axis(1, 1, 1, 1, 0, 0), axis(30, 4, 2, 2, 5, 4), 7, 3, false });
        check_conv(table, (tn__conv){ 2, axis(6, 2, 2, 1, 0, 0), axis(6, 1, 2, 1, 0, 0), 1, 1, false });
        check_conv(table, (tn__conv){ 1, axis(4, 3, 1, 1, 4, 5), axis(3, 2, 3, 1, 3, 4), 2, 9, false });
        check_conv(table, (tn__conv){ 2, axis(26, 3, 1, 1, 0, 0), axis(10, 3, 1, 1, 0, 0), 32, 64, true });
        check_conv(table, (tn__conv){ 3, axis(7, 3, 1, 1, 1, 1), axis(11, 3, 1, 1, 1, 1), 16, 80, true });
        check_conv(table, (tn__conv){ 1, axis(3, 3, 1, 1, 0, 3), axis(1, 3, 1, 1, 4, 5), 144, 16, true });
    }
}

/* Rows of the output that are made by others besides, in a lane of their own. */
static void a_row_has_the_same_bits_wherever_the_rows_are_cut(void **unused)
{
    (void)unused;
    const tn__kernels_table *table;
    tn__conv c = { 2, axis(13, 3, 1, 1, 1, 1), axis(9, 3, 1, 1, 1, 1), 32, 48, true };
    enum { ROW = 9 * 48, ROWS = 2 * 13 };
    float *x = numbers(2 * 13 * 9 * 32), *filter = numbers(9 * 32 * 48), *y = malloc(ROWS * ROW * 4), *parts = malloc(ROWS * ROW * 4);
    for (size_t t = 0; (table = tn__kernels_at(t)); t++) {
        void *scratch = aligned_alloc(64, table->conv_scratch(&c) / 64 * 64 + 64);
        float *packed = aligned_alloc(64, table->conv_filter_bytes(&c, false) / 64 * 64 + 64);
        table->conv_pack(&c, false, filter, packed);
        table->conv(&c, x, packed, y, (tn__epilogue){ .relu = true }, 0, ROWS, scratch);
        for (int64_t step = 1; step < 10; step++) {
            for (int64_t i = 0; i < ROWS; i += step)
                table->conv(&c, x, packed, parts, (tn__epilogue){ .relu = true }, i, i + step < ROWS ? i + step : ROWS, scratch);
            assert_memory_equal(y, parts, ROWS * ROW * 4);
        }
        free(scratch);
        free(packed);
    }
    void *all[] = { x, filter, y, parts };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* --- channels apart ----------------------------------------------------------------------------------------------------- */
/* As define(), each channel by its own filters. */
static void define_apart(const images *im)
{
    const tn__conv *c = &im->c;
    int64_t out = c->y_channels, times = out / c->x_channels;
    for (int64_t n = 0; n < c->batch; n++)
        for (int64_t p = 0; p < c->row.out * c->column.out; p++)
            for (int64_t t = 0; t < c->row.window * c->column.window; t++) {
                int64_t r = p / c->column.out * c->row.stride + t / c->column.window * c->row.dilation - c->row.before;
                int64_t q = p % c->column.out * c->column.stride + t % c->column.window * c->column.dilation - c->column.before;
                if (r < 0 || q < 0 || r >= c->row.in || q >= c->column.in)
                    continue;
                int64_t at = ((n * c->row.in + r) * c->column.in + q) * c->x_channels, to = (n * c->row.out * c->column.out + p) * out;
                for (int64_t o = 0; o < out; o++) {
                    im->expected[to + o] += (double)im->x[at + o / times] * im->filter[t * out + o];
                    im->dx[at + o / times] += (double)im->y[to + o] * im->filter[t * out + o];
                    im->dfilter[t * out + o] += (double)im->x[at + o / times] * im->y[to + o];
                }
            }
}

static void check_depthwise(const tn__kernels_table *table, tn__conv c)
{
    int64_t xs = c.batch * c.row.in * c.column.in * c.x_channels, ys = c.batch * c.row.out * c.column.out * c.y_channels;
    int64_t fs = c.row.window * c.column.window * c.y_channels, y_rows = c.batch * c.row.out, x_rows = c.batch * c.row.in;
    images im = { table, c, numbers(xs), numbers(fs), numbers(ys), calloc((size_t)xs, 8), calloc((size_t)fs, 8), calloc((size_t)ys, 8) };
    float *y = malloc((size_t)ys * 4), *dx = malloc((size_t)xs * 4), *df = calloc((size_t)fs, 4);
    define_apart(&im);
    void *scratch = aligned_alloc(64, table->depthwise_scratch(&c) / 64 * 64 + 64);
    table->depthwise(&c, false, im.x, im.filter, y, 0, y_rows / 3, scratch);
    table->depthwise(&c, false, im.x, im.filter, y, y_rows / 3, y_rows, scratch);
    table->depthwise(&c, true, im.y, im.filter, dx, 0, x_rows / 2, scratch);
    table->depthwise(&c, true, im.y, im.filter, dx, x_rows / 2, x_rows, scratch);
    table->depthwise_to_filter(&c, im.x, im.y, df, 0, y_rows / 3, scratch);
    table->depthwise_to_filter(&c, im.x, im.y, df, y_rows / 3, y_rows, scratch);
    check_all(&im, im.expected, y, ys, 6);
    check_all(&im, im.dx, dx, xs, 6);
    check_all(&im, im.dfilter, df, fs, 40);
    void *all[] = { im.x, im.filter, im.y, im.dx, im.dfilter, im.expected, y, dx, df, scratch };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void convolutions_that_keep_channels_apart_agree_with_sums_in_double(void **unused)
{
    (void)unused;
    const tn__kernels_table *table;
    for (size_t t = 0; (table = tn__kernels_at(t)); t++) {
        check_depthwise(table, (tn__conv){ 2, axis(9, 3, 1, 1, 1, 1), axis(28, 3, 1, 1, 1, 1), 32, 32, false });
        check_depthwise(table, (tn__conv){ 3, axis(8, 3, 1, 1, 0, 0), axis(7, 3, 1, 1, 0, 0), 21, 21, false });
        check_depthwise(table, (tn__conv){ 2, axis(11, 3, 2, 1, 0, 1), axis(10, 5, 3, 1, 2, 2), 4, 12, false });
        check_depthwise(table, (tn__conv){ 2, axis(12, 3, 1, 2, 2, 2), axis(13, 3, 2, 3, 3, 3), 17, 17, false });
        check_depthwise(table, (tn__conv){ 1, axis(1, 1, 1, 1, 0, 0), axis(30, 4, 2, 2, 5, 4), 9, 18, false });
        check_depthwise(table, (tn__conv){ 2, axis(6, 2, 4, 1, 0, 0), axis(6, 1, 3, 1, 0, 0), 1, 1, false });
        check_depthwise(table, (tn__conv){ 1, axis(4, 3, 1, 1, 4, 5), axis(3, 2, 7, 1, 3, 4), 2, 6, false });
    }
}

/* Large enough to be written past the caches. */
static void a_large_depthwise_result_is_that_of_its_parts(void **unused)
{
    (void)unused;
    tn__conv c = { 5, axis(64, 3, 1, 1, 1, 1), axis(64, 3, 1, 1, 1, 1), 128, 128, false };
    int64_t size = 5 * 64 * 64 * 128, rows = 5 * 64;
    float *x = numbers(size), *filter = numbers(9 * 128);
    float *whole = aligned_alloc(64, (size_t)size * 4), *parts = aligned_alloc(64, (size_t)size * 4);
    const tn__kernels_table *table;
    assert_true(whole && parts);
    for (size_t t = 0; (table = tn__kernels_at(t)); t++) {
        void *scratch = aligned_alloc(64, table->depthwise_scratch(&c) / 64 * 64 + 64);
        table->depthwise(&c, false, x, filter, whole, 0, rows, scratch);
        for (int64_t i = 0; i < rows; i += 64)
            table->depthwise(&c, false, x, filter, parts, i, i + 64, scratch);
        assert_memory_equal(whole, parts, (size_t)size * 4);
        free(scratch);
    }
    void *all[] = { x, filter, whole, parts };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* --- threads ------------------------------------------------------------------------------------------------------------ */
static void count_lane(void *self, int lane, int lanes)
{
    atomic_int *count = self;
    assert_int_equal(lanes, 5);
    atomic_fetch_add(&count[lane], 1);
}

static void every_lane_is_done_once_however_many_threads_there_are(void **unused)
{
    (void)unused;
    atomic_int count[5] = { 0 };
    for (int i = 0; i < 1000; i++)
        tn__parallel(5, count_lane, count);
    for (int i = 0; i < 5; i++)
        assert_int_equal(count[i], 1000);
}

static void shares_are_whole_units_and_nothing_is_left_out(void **unused)
{
    (void)unused;
    int64_t next = 0;
    for (int lane = 0; lane < 3; lane++) {
        int64_t first, last;
        tn__share(50, 8, lane, 3, &first, &last);
        assert_int_equal(first, next);
        assert_true(last == 50 || last % 8 == 0);
        next = last;
    }
    assert_int_equal(next, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_of_every_shape_and_order_agree_with_sums_in_double),
        cmocka_unit_test(convolutions_and_their_gradients_agree_with_sums_in_double),
        cmocka_unit_test(a_row_has_the_same_bits_wherever_the_rows_are_cut),
        cmocka_unit_test(convolutions_that_keep_channels_apart_agree_with_sums_in_double),
        cmocka_unit_test(a_large_depthwise_result_is_that_of_its_parts),
        cmocka_unit_test(every_lane_is_done_once_however_many_threads_there_are),
        cmocka_unit_test(shares_are_whole_units_and_nothing_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
