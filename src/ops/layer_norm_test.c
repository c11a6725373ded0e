/* layer_norm_test.c - rows in one op against what they are made of, less their mean and with it; groups by any number of threads. */
#include "support/check_op.h"
#include <stdlib.h>
#include <string.h>

static const double epsilon = 0.01;

static tn_tensor *body(void *self, tn_list inputs)
{
    return tn__layer_norm_rows(tn_at(inputs, 0), tn_at(inputs, 1), tn_at(inputs, 2), *(const bool *)self, epsilon);
}

static tn_tensor *composed(void *self, tn_list inputs)
{
    tn_tensor *x = tn_at(inputs, 0), *mean = tn_reduce_mean(x, .axis = TN_AXES(-1), .keepdims = true);
    tn_tensor *d = *(const bool *)self ? x : tn_subtract(x, mean);
    tn_tensor *size = tn_reduce_mean(tn_square(d), .axis = TN_AXES(-1), .keepdims = true);
    return tn_add(tn_multiply(tn_multiply(d, tn_rsqrt(tn_add(size, tn_scalar(epsilon)))), tn_at(inputs, 1)), tn_at(inputs, 2));
}

/* (row, count), gamma and beta */
static tn_list row_inputs(int64_t rows, int64_t count, tn_dtype dtype)
{
    tn_tensor *x = check_numbers(TN_SHAPE(rows, count), -2, 3, 1), *gamma = check_numbers(TN_SHAPE(count), 0.5, 2, 2);
    return TN_LIST(tn_cast(x, dtype), tn_cast(gamma, dtype), tn_cast(check_numbers(TN_SHAPE(count), -1, 1, 3), dtype));
}

static void every_derivative_and_dtype_holds(void **state)
{
    (void)state;
    for (int rms = 0; rms < 2; rms++) {
        TN_SCOPE;
        bool self = rms;
        tn_list inputs = row_inputs(3, 5, TN_FLOAT64);
        CHECK_OP(.body = body, .self = &self, .inputs = inputs, .batched = 1, .dtypes = TN__FLOATS, .differentiable = true,
                 .gradient_tolerance = 1e-4, .expected = TN_LIST(composed(&self, inputs)));
    }
}

/* By all three inputs, of a sum whose slope differs from place to place. */
static tn_list slopes(tn_body run, bool rms, tn_list inputs, tn_tensor **y)
{
    tn_tape *tape = tn_gradient_tape();
    for (size_t i = 0; i < inputs.count; i++)
        tn_watch(tape, inputs.item[i]);
    *y = run(&rms, inputs);
    return tn_gradient(tape, tn_reduce_sum(tn_multiply(tn_square(*y), tn_cos(tn_at(inputs, 0)))), inputs);
}

static void check_floats(int64_t rows, int64_t count, bool rms)
{
    TN_SCOPE;
    tn_list inputs = row_inputs(rows, count, TN_FLOAT32);
    tn_tensor *ours, *plain;
    tn_list got = slopes(body, rms, inputs, &ours), expected = slopes(composed, rms, inputs, &plain);
    CHECK_NO_ERROR();
    CHECK_TENSOR(ours, plain, 1e-5, 1e-5);
    for (size_t i = 0; i < inputs.count; i++)
        CHECK_TENSOR(tn_at(got, (int)i), tn_at(expected, (int)i), 1e-4, 1e-3);
}

/* One row, rows that no vector fills, and enough of them for every thread. */
static void rows_of_float32_are_as_what_they_are_made_of(void **state)
{
    (void)state;
    const int64_t sizes[][2] = { { 1, 1 }, { 1, 1000 }, { 5, 7 }, { 3, 65 }, { 70, 33 }, { 700, 300 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_floats(sizes[i][0], sizes[i][1], false);
        check_floats(sizes[i][0], sizes[i][1], true);
    }
}

/* The result and, of what arrives as cos(y), the slopes by x, gamma and beta. */
static tn_list normalized_groups(tn_shape shape, int threads)
{
    tn_shape last = TN_SHAPE(shape.dims[shape.rank - 2], shape.dims[shape.rank - 1]);
    tn_tensor *x = tn_cast(check_numbers(shape, -2, 3, 1), TN_FLOAT32), *gamma = tn_cast(check_numbers(last, 0.5, 2, 2), TN_FLOAT32),
              *beta = tn_cast(check_numbers(last, -1, 1, 3), TN_FLOAT32);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x), tn_watch(tape, gamma), tn_watch(tape, beta);
    CHECK_OK(tn_set_intra_op_parallelism_threads(threads));
    tn_tensor *y = tn__group_norm(x, gamma, beta, epsilon);
    tn_list slopes = tn_tape_gradient(.tape = tape, .target = y, .sources = TN_LIST(x, gamma, beta),
                                      .output_gradients = TN_LIST(tn_cos(y)));
    CHECK_OK(tn_set_intra_op_parallelism_threads(0));
    CHECK_NO_ERROR();
    return TN_LIST(y, tn_at(slopes, 0), tn_at(slopes, 1), tn_at(slopes, 2));
}

/* `same`: how many of the four are the same bit by bit; sums over images are made in as many parts as there are threads. */
static void check_threads(tn_shape shape, size_t same)
{
    TN_SCOPE;
    tn_list one = normalized_groups(shape, 1);
    for (int threads = 2; threads <= 4; threads++) {
        tn_list more = normalized_groups(shape, threads);
        for (size_t i = 0; i < same; i++)
            assert_memory_equal(one.item[i]->data, more.item[i]->data, tn__byte_count(one.item[i]));
        for (size_t i = same; i < one.count; i++)
            CHECK_TENSOR(one.item[i], more.item[i], 1e-6, 1e-5);
    }
}

static void groups_of_an_image_are_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    check_threads(TN_SHAPE(1, 1500, 8, 8), 4);  /* two groups begin on a vector */
    check_threads(TN_SHAPE(1, 1100, 3, 24), 4); /* none but all three */
    check_threads(TN_SHAPE(1, 30, 40, 64, 1), 4);
    check_threads(TN_SHAPE(1, 3000, 1, 32), 4);
    check_threads(TN_SHAPE(2, 700, 4, 16), 2); /* fewer images than threads */
    check_threads(TN_SHAPE(5, 300, 4, 16), 2);
}

int main(void)
{
    setenv("TN_NUM_THREADS", "4", 0); /* whatever the machine has */
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_derivative_and_dtype_holds),
        cmocka_unit_test(rows_of_float32_are_as_what_they_are_made_of),
        cmocka_unit_test(groups_of_an_image_are_the_same_for_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
