/* reduce_test.c */
#include "support/check_op.h"
#include "plan/program.h"
#include <math.h>

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)

static const tn_flag keep = true, drop = false;

static tn_tensor *two_rows(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
}

static void sums_and_means_run_over_any_axes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = two_rows(), *big = check_numbers(TN_SHAPE(3, 4, 2, 5), -1, 1, 1);
    CHECK_OP(.op = &tn__op_Sum, .attrs = &drop, .inputs = TN_LIST(x, INTS(0)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3), 5, 7, 9)));
    CHECK_OP(.op = &tn__op_Sum, .attrs = &keep, .inputs = TN_LIST(x, INTS(-1)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 6, 15)));
    CHECK_OP(.op = &tn__op_Mean, .attrs = &drop, .inputs = TN_LIST(x, INTS(0, 1)), .constant = 2,
             .skip = SKIP_EMPTY | SKIP_DTYPES,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SCALAR, 3.5)));
    CHECK_OP(.op = &tn__op_Mean, .attrs = &keep, .inputs = TN_LIST(big, INTS(1, 3)), .constant = 2,
             .skip = SKIP_DTYPES);
    CHECK_OP(.op = &tn__op_Sum, .attrs = &drop, .inputs = TN_LIST(big, INTS(0, 2)), .constant = 2,
             .skip = SKIP_DTYPES);
    CHECK_OP(.op = &tn__op_Sum, .attrs = &drop, .inputs = TN_LIST(big, INTS(1, -2)), .constant = 2,
             .skip = SKIP_DTYPES);
}

/* Against a sum made element by element. */
static void every_pattern_of_axes_comes_out(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = check_numbers(TN_SHAPE(3, 1, 300, 2), -1, 1, 7);
    for (int pattern = 0; pattern < 16; pattern++) {
        int64_t axes[4], dims[4];
        size_t count = 0;
        double want[1800] = { 0 };
        for (int i = 0; i < 4; i++) {
            dims[i] = pattern >> i & 1 ? 1 : x->shape.dims[i];
            if (pattern >> i & 1)
                axes[count++] = i;
        }
        for (int64_t i = 0; i < tn__count(x); i++) {
            int64_t at[4] = { i / 600, 0, i / 2 % 300, i % 2 }, to = 0;
            for (int k = 0; k < 4; k++)
                to = to * dims[k] + (dims[k] == 1 ? 0 : at[k]);
            want[to] += ((const double *)x->data)[i];
        }
        tn_tensor *y = TN__APPLY(tn__op_Sum, &keep, x, tn__ints(axes, count));
        CHECK_NO_ERROR();
        for (int64_t i = 0; i < tn__count(y); i++)
            assert_float_equal(((const double *)y->data)[i], want[i], 1e-12);
    }
}

/* Large enough for every thread; whole numbers have exact sums. */
static void large_sums_are_those_of_their_parts(void **state)
{
    (void)state;
    TN_SCOPE;
    enum { ROWS = 4001, COLUMNS = 300 };
    tn_tensor *ones = tn_ones(TN_SHAPE(ROWS, COLUMNS), TN_FLOAT32);
    tn_tensor *row = tn_cast(tn_range(tn_scalar(0), tn_scalar(COLUMNS), tn_scalar(1)), TN_FLOAT32), *x = tn_multiply(ones, row);
    CHECK_TENSOR(tn_reduce_sum(x, TN_AXES(0)), tn_multiply(row, tn_fill(TN_SHAPE(COLUMNS), tn_cast(tn_scalar(ROWS), TN_FLOAT32))), 0, 0);
    CHECK_VALUES(tn_reduce_sum(ones), 0, ROWS * COLUMNS);
    CHECK_VALUES(tn_reduce_mean(x), 1e-6, (COLUMNS - 1) / 2.);
}

static void extremes_share_their_gradient_among_equals(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 5, 3, 4, -2, 0);
    CHECK_OP(.op = &tn__op_Max, .attrs = &drop, .inputs = TN_LIST(x, INTS(1)), .constant = 2,
             .skip = SKIP_SECOND_ORDER, .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2), 5, 4)));
    CHECK_OP(.op = &tn__op_Min, .attrs = &keep, .inputs = TN_LIST(x, INTS(0)), .constant = 2,
             .skip = SKIP_SECOND_ORDER | SKIP_DTYPES,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(1, 3), 1, -2, 0)));
    tn_tensor *ties = VALUES(TN_FLOAT32, TN_SHAPE(4), 3, 1, 3, 3);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, ties);
    CHECK_VALUES(tn_gradient_of(tape, tn_reduce_max(ties), ties), 1e-7, 1.0 / 3, 0, 1.0 / 3,
                 1.0 / 3);
}

static void over_no_axes_everything_stays(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_TENSOR(tn_reduce_sum(two_rows(), .axis = TN_NO_AXES), two_rows(), 0, 0);
    CHECK_TENSOR(tn_reduce_variance(two_rows(), .axis = TN_NO_AXES), tn_zeros_like(two_rows()), 0,
                 0);
}

static void one_axis_may_stand_without_its_macro(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    CHECK_VALUES(tn_reduce_sum(x, .axis = 1), 0, 6, 15);
    CHECK_VALUES(tn_reduce_sum(x, .axis = 0), 0, 5, 7, 9);
    CHECK_VALUES(tn_reduce_sum(x, -1), 0, 6, 15);
    CHECK_VALUES(tn_reduce_sum(x), 0, 21);
    CHECK_VALUES(tn_count_nonzero(x, .axis = 0), 0, 2, 2, 2);
    CHECK_VALUES(tn_norm(tn_square(x), .ord = 1, .axis = 1), 0, 14, 77);
    CHECK_VALUES(
        tn_clip_by_norm(VALUES(TN_FLOAT32, TN_SHAPE(1, 2), 3, 4), tn_scalar(1.0), .axes = 1), 1e-6,
        0.6, 0.8);
    assert_string_equal(tn_shape_text(tn_reduce_sum(x, .axis = 0, .keepdims = true)), "(1, 3)");
    assert_null(tn_reduce_sum(x, 0, true));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "write TN_AXES(0) or name what follows");
    assert_null(tn_norm(x, 2, 1, true));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "write TN_AXES(1) or name what follows");
}

static void a_nan_is_the_greatest_and_the_least(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, NAN, 3, NAN, 1, 2);
    CHECK_VALUES(tn_reduce_max(x, TN_AXES(1)), 0, NAN, NAN);
    CHECK_VALUES(tn_reduce_max(x, TN_AXES(0)), 0, NAN, NAN, 3);
    CHECK_VALUES(tn_reduce_min(x, TN_AXES(0)), 0, NAN, NAN, 2);
}

static void products_have_a_gradient_at_zero(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = two_rows();
    CHECK_OP(.op = &tn__op_Prod, .attrs = &drop, .inputs = TN_LIST(x, INTS(1)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2), 6, 120)));
    CHECK_OP(.op = &tn__op_Prod, .attrs = &keep,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3, 2), 0.5, 1.5, 1), INTS(0, -1)),
             .constant = 2, .skip = SKIP_DTYPES | SKIP_EMPTY);
    tn_tensor *zeros = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 0, 2, 3, 0, 0, 5);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, zeros);
    CHECK_VALUES(tn_gradient_of(tape, tn_reduce_prod(zeros, TN_AXES(1)), zeros), 0, 6, 0, 0, 0, 0,
                 0);
}

static void norms_truths_and_their_empty_values(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_EuclideanNorm, .attrs = &drop,
             .inputs = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 3, 4, 5, 12), INTS(1)),
             .constant = 2, .skip = SKIP_DTYPES,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2), 5, 13)));
    CHECK_OP(.op = &tn__op_All, .attrs = &drop,
             .inputs = TN_LIST(VALUES(TN_BOOL, TN_SHAPE(2, 2), 1, 1, 0, 1), INTS(1)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_BOOL, TN_SHAPE(2), 1, 0)));
    CHECK_OP(.op = &tn__op_Any, .attrs = &drop,
             .inputs = TN_LIST(VALUES(TN_BOOL, TN_SHAPE(2, 2), 0, 0, 0, 1), INTS(0)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_BOOL, TN_SHAPE(2), 0, 1)));
    tn_tensor *none = tn_zeros(TN_SHAPE(0), TN_FLOAT32), *no_ints = tn_zeros(TN_SHAPE(0), TN_INT32);
    assert_true(tn_to_double(tn_reduce_max(none)) == -INFINITY &&
                tn_to_double(tn_reduce_min(none)) == INFINITY);
    assert_true(isnan(tn_to_double(tn_reduce_mean(none))) &&
                tn_to_double(tn_reduce_prod(none)) == 1);
    assert_true(tn_to_int(tn_reduce_max(no_ints)) == INT32_MIN &&
                tn_to_int(tn_reduce_mean(no_ints)) == 0);
    assert_int_equal(tn_to_int(tn_reduce_min(tn_zeros(TN_SHAPE(0), TN_UINT8))), 255);
    CHECK_NO_ERROR();
}

static void integers_wrap_and_their_means_truncate(void **state)
{
    (void)state;
    TN_SCOPE;
    const int32_t most[2] = { INT32_MAX, INT32_MAX };
    tn_tensor *x = tn_constant(TN_INT32, TN_SHAPE(2), most);
    assert_int_equal(tn_to_int(tn_reduce_sum(x)), -2);
    assert_int_equal(tn_to_int(tn_reduce_prod(x)), 1);
    assert_int_equal(tn_to_int(tn_reduce_mean(x)), INT32_MAX); /* summed in 64 bits */
    assert_int_equal(tn_to_int(tn_reduce_mean(VALUES(TN_INT32, TN_SHAPE(2), -7, 2))), -2);
    assert_int_equal(tn_to_int(tn_reduce_mean(VALUES(TN_UINT8, TN_SHAPE(3), 200, 100, 3))), 101);
    assert_int_equal(tn_to_int(tn_reduce_euclidean_norm(VALUES(TN_INT32, TN_SHAPE(3), 1, 2, 3))),
                     3);
}

static tn_tensor *mean_of_squares(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *x = tn_at(inputs, 0);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = tn_add(tn_reduce_mean(tn_square(x)), tn_reduce_max(x));
    return tn_tuple(y, tn_gradient_of(tape, y, x));
}

/* In a graph whose input has no known rank. */
/* Large sums are shared between threads; places, columns and all of it are cut differently. Every number is whole and small, so sums
 * are exact. */
static void large_sums_are_those_of_their_numbers(void **state)
{
    (void)state;
    TN_SCOPE;
    enum { A = 301, B = 70, C = 67 };
    tn_tensor *x = tn_cast(tn_range(tn_scalar(0), tn_scalar(A * B * C), tn_scalar(1)), TN_INT32);
    x = tn_floormod(x, tn_cast(tn_scalar(13), TN_INT32));
    tn_tensor *whole = tn_reshape(x, TN_SHAPE(A, B, C)), *real = tn_cast(whole, TN_FLOAT32);
    const tn_axes axes[] = { TN_AXES(0), TN_AXES(1), TN_AXES(2), TN_AXES(0, 1), TN_AXES(1, 2), TN_AXES(0, 2), TN_AXES(0, 1, 2) };
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++)
        CHECK_TENSOR(tn_reduce_sum(real, .axis = axes[i]), tn_cast(tn_reduce_sum(whole, .axis = axes[i]), TN_FLOAT32), 0, 0);
    CHECK_TENSOR(tn_reduce_max(real, .axis = TN_AXES(1)), tn_cast(tn_reduce_max(whole, .axis = TN_AXES(1)), TN_FLOAT32), 0, 0);
    CHECK_NO_ERROR();
}

static void every_axis_can_be_meant_without_a_known_rank(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_context *context = tn__context();
    tn_graph *graph = tn__own(tn__graph_new());
    tn_tensor *in, *out[2], *x = two_rows();
    CHECK_OK(tn__graph_input(context, graph, TN_FLOAT32, &TN__UNKNOWN_SHAPE, NULL, &in));
    tn__own(in);
    context->graph = graph;
    tn_list y = tn_items(mean_of_squares(NULL, TN_LIST(in)));
    context->graph = NULL;
    CHECK_NO_ERROR();
    CHECK_OK(tn__graph_run(context, graph, &in, &x, 1, y.item, 2, true, out));
    CHECK_VALUES(tn__own(out[0]), 1e-6, 91.0 / 6 + 6);
    CHECK_VALUES(tn__own(out[1]), 1e-6, 1.0 / 3, 2.0 / 3, 1, 4.0 / 3, 5.0 / 3, 3);
}

static void wrong_axes_are_named(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = two_rows();
    assert_null(tn_reduce_sum(x, TN_AXES(2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Invalid reduction dimension (2 for input with 2 dimension(s)");
    assert_null(tn_reduce_sum(x, TN_AXES(0, -2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Invalid reduction arguments: Axes contains duplicate dimension: 0");
    tn_tensor *least = tn_constant(TN_INT64, TN_SCALAR, &(int64_t){ INT64_MIN });
    assert_null(TN__APPLY(tn__op_Sum, &drop, x, least));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Invalid reduction dimension (-9223372036854775807");
    assert_null(TN__APPLY(tn__op_Sum, &drop, x, tn_zeros(TN_SHAPE(40), TN_INT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Invalid reduction arguments: int32 (40,)");
}

/* --- statistics.c
 * -------------------------------------------------------------------------------------------------------
 */
static tn_tensor *logsumexp(void *self, tn_list inputs)
{
    (void)self;
    return tn_reduce_logsumexp(tn_at(inputs, 0), TN_AXES(1), .keepdims = true);
}

static tn_tensor *deviation(void *self, tn_list inputs)
{
    (void)self;
    return tn_reduce_std(tn_at(inputs, 0), TN_AXES(1));
}

static tn_tensor *moments(void *self, tn_list inputs)
{
    (void)self;
    return tn_tuple_of(tn_nn_moments(tn_at(inputs, 0), TN_AXES(1)));
}

static void statistics_are_made_of_reductions(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.body = logsumexp,
             .inputs = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 1000, 1000)),
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 2.3132617, 1000.6931)));
    CHECK_OP(.body = deviation, .inputs = TN_LIST(two_rows()),
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2), 0.8164966, 0.8164966)));
    CHECK_OP(.body = moments, .inputs = TN_LIST(two_rows()),
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2), 2, 5),
                                 VALUES(TN_FLOAT32, TN_SHAPE(2), 0.6666667, 0.6666667)));
    tn_tensor *nothing = VALUES(TN_FLOAT32, TN_SHAPE(2), -INFINITY, -INFINITY);
    assert_true(tn_to_double(tn_reduce_logsumexp(nothing)) == -INFINITY);
    CHECK_VALUES(tn_reduce_variance(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 3)), 0, 1);
    assert_null(tn_reduce_std(INTS(1, 2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Input must be either real or complex. Received integer type int32.");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_means_run_over_any_axes),
        cmocka_unit_test(every_pattern_of_axes_comes_out),
        cmocka_unit_test(large_sums_are_those_of_their_parts),
        cmocka_unit_test(extremes_share_their_gradient_among_equals),
        cmocka_unit_test(over_no_axes_everything_stays),
        cmocka_unit_test(one_axis_may_stand_without_its_macro),
        cmocka_unit_test(a_nan_is_the_greatest_and_the_least),
        cmocka_unit_test(products_have_a_gradient_at_zero),
        cmocka_unit_test(norms_truths_and_their_empty_values),
        cmocka_unit_test(integers_wrap_and_their_means_truncate),
        cmocka_unit_test(large_sums_are_those_of_their_numbers),
        cmocka_unit_test(every_axis_can_be_meant_without_a_known_rank),
        cmocka_unit_test(wrong_axes_are_named),
        cmocka_unit_test(statistics_are_made_of_reductions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
