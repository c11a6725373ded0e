/* sort_test.c - numbers and messages are those of tf.sort, tf.argsort, tf.searchsorted and
 * tf.histogram_fixed_width. */
#include "support/check_op.h"
#include <math.h>

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)
#define FLOATS(...) VALUES(TN_FLOAT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)

static tn_tensor *sort_rows(void *self, tn_list inputs)
{
    (void)self;
    return tn_sort(tn_at(inputs, 0));
}

static tn_tensor *sort_columns(void *self, tn_list inputs)
{
    (void)self;
    return tn_sort(tn_at(inputs, 0), .axis = 1, .direction = "DESCENDING");
}

static void sorting_passes_the_checker(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.body = sort_rows, .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 5), -1, 1, 1)),
             .differentiable = true);
    CHECK_OP(.body = sort_columns, .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 4, 3), -1, 1, 1)),
             .differentiable = true);
}

static void whole_numbers_sort_to_their_ends(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *ends = INTS(3, INT32_MIN, INT32_MAX);
    CHECK_VALUES(tn_argsort(ends), 0, 1, 0, 2);
    CHECK_VALUES(tn_sort(ends), 0, INT32_MIN, 3, INT32_MAX);
    CHECK_VALUES(tn_sort(tn_cast(INTS(200, 3, 0), TN_UINT8)), 0, 0, 3, 200);
    CHECK_VALUES(
        tn_sort(VALUES(TN_INT32, TN_SHAPE(2, 2), 3, 1, 2, 5), .axis = 0, .direction = "DESCENDING"),
        0, 3, 5, 2, 1);
}

static void equal_elements_keep_their_order(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_argsort(INTS(2, 1, 2, 1)), 0, 1, 3, 0, 2);
    CHECK_VALUES(tn_argsort(INTS(2, 1, 2, 1), .direction = "DESCENDING"), 0, 0, 2, 1, 3);
}

static void values_are_put_before_or_behind_equal_ones(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *sorted = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 3, 5, 2, 4, 6),
              *values = VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 3, 9);
    CHECK_VALUES(tn_searchsorted(sorted, values), 0, 1, 3);
    CHECK_VALUES(tn_searchsorted(sorted, values, .side = "right", .out_type = TN_INT64), 0, 2, 3);
    CHECK_VALUES(tn_searchsorted(FLOATS(1, NAN, 3), FLOATS(NAN, 2)), 0, 0, 1);
    assert_null(tn_searchsorted(sorted, VALUES(TN_FLOAT32, TN_SHAPE(3, 1), 3, 9, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Leading dim_size of both tensors must match.");
    assert_null(tn_searchsorted(sorted, values, .side = "x"));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Argument `side` must be either 'right' or 'left'. Received: `side` = 'x'.");
}

static void numbers_outside_count_in_the_outer_bins(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *range = FLOATS(0, 5);
    CHECK_VALUES(tn_histogram_fixed_width(FLOATS(-1, 0, 1.5, 2, 5, 15), range, 5, TN_INT32), 0, 2,
                 1, 1, 0, 2);
    CHECK_VALUES(tn_histogram_fixed_width(INTS(0, 2, 5), INTS(0, 5), 3, TN_INT64), 0, 1, 1, 1);
    assert_null(tn_histogram_fixed_width(FLOATS(NAN), range, 5, TN_INT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Histogram values must not contain NaN");
    assert_null(tn_histogram_fixed_width(FLOATS(1), FLOATS(5, 5), 5, TN_INT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "value_range should satisfy value_range[0] < value_range[1], but got '[5, 5]'");
    assert_null(tn_histogram_fixed_width(FLOATS(1), FLOATS(1, 2, 3), 5, TN_INT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "value_range should be a vector of 2 elements.");
    assert_null(tn_histogram_fixed_width(FLOATS(1), range, 0, TN_INT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "nbins should be a positive number, but got '0'");
}

static void wrong_arguments_are_named(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(2, 3), TN_FLOAT32);
    assert_null(tn_sort(x, .direction = "UP"));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Argument `direction` should be one of ASCENDING, DESCENDING. Received: direction=UP");
    assert_null(tn_argsort(x, .axis = 2));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "slice index 2 of dimension 0 out of bounds.");
    assert_null(tn_sort(tn_ones(TN_SCALAR, TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "must have 1 dimension or more");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorting_passes_the_checker),
        cmocka_unit_test(whole_numbers_sort_to_their_ends),
        cmocka_unit_test(equal_elements_keep_their_order),
        cmocka_unit_test(values_are_put_before_or_behind_equal_ones),
        cmocka_unit_test(numbers_outside_count_in_the_outer_bins),
        cmocka_unit_test(wrong_arguments_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
