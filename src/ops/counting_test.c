/* counting_test.c - numbers and messages are TensorFlow's. */
#include "support/check_op.h"
#include <math.h>

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)
#define FLOATS(...) VALUES(TN_FLOAT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)

static void anything_but_zero_counts(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_count_nonzero(FLOATS(0, NAN, 1)), 0, 2);
    CHECK_VALUES(tn_count_nonzero(VALUES(TN_BOOL, TN_SHAPE(2, 2), 1, 0, 1, 1), .axis = TN_AXES(0),
                                  .dtype = TN_INT32),
                 0, 2, 1);
    CHECK_VALUES(tn_nn_zero_fraction(FLOATS(0, 1, 0, 2)), 0, 0.5);
}

static void a_confusion_matrix_has_labels_as_rows(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_confusion_matrix(INTS(1, 2, 1), INTS(0, 2, 1), .weights = FLOATS(.5, 1, 2),
                                     .dtype = TN_FLOAT32),
                 0, 0, 0, 0, 0.5, 2, 0, 0, 0, 1);
    CHECK_VALUES(tn_confusion_matrix(INTS(1, 0), INTS(1, 1), .num_classes = 2), 0, 0, 1, 0, 1);
    assert_null(tn_confusion_matrix(INTS(1, 2), INTS(1, 1), .num_classes = 2));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "");
}

static void neighbours_are_compared_in_order(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_is_non_decreasing(FLOATS(1, 1, 3)), 0, 1);
    CHECK_VALUES(tn_is_non_decreasing(FLOATS(3, 1)), 0, 0);
    CHECK_VALUES(tn_is_non_decreasing(FLOATS(NAN, 1, 2)), 0, 0);
    CHECK_VALUES(tn_is_strictly_increasing(FLOATS(1, 1, 3)), 0, 0);
    CHECK_VALUES(tn_is_strictly_increasing(FLOATS(1)), 0, 1);
}

static tn_tensor *repeated(void *self, tn_list inputs)
{
    (void)self;
    return tn_repeat(tn_at(inputs, 0), tn_at(inputs, 1), 1);
}

static void slices_are_repeated(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = check_numbers(TN_SHAPE(2, 3), -1, 1, 1);
    CHECK_OP(.body = repeated, .inputs = TN_LIST(x, INTS(2, 0, 1)), .constant = 2,
             .skip = SHAPE_FROM_VALUES, .differentiable = true);
    CHECK_VALUES(tn_repeat(INTS(7, 8), INTS(2, 1), 0), 0, 7, 7, 8);
    CHECK_VALUES(tn_repeat(INTS(7, 8), tn_scalar(2), -1), 0, 7, 7, 8, 8);
    CHECK_VALUES(tn_repeat(INTS(7, 8), INTS(-1, 1), 0), 0, 8);
    assert_null(tn_repeat(INTS(7, 8), tn_scalar(2), 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected dimension in the range [-1, 1), but got 1");
}

static void masks_have_as_many_ones_as_lengths_say(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_TENSOR(tn_sequence_mask(INTS(1, 2), TN_NONE, (tn_dtype)0),
                 VALUES(TN_BOOL, TN_SHAPE(2, 2), 1, 0, 1, 1), 0, 0);
    CHECK_TENSOR(tn_sequence_mask(VALUES(TN_INT64, TN_SHAPE(1, 2), 3, 0), 3, TN_FLOAT32),
                 VALUES(TN_FLOAT32, TN_SHAPE(1, 2, 3), 1, 1, 1, 0, 0, 0), 0, 0);
}

static tn_tensor *grid(void *self, tn_list inputs)
{
    return tn_tuple_of(tn_meshgrid(inputs, .indexing = self));
}

static void grids_lie_as_their_indexing_says(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = check_numbers(TN_SHAPE(3), -1, 1, 1), *y = check_numbers(TN_SHAPE(2), -1, 1, 2);
    CHECK_OP(.body = grid, .self = "xy", .inputs = TN_LIST(x, y), .batched = 1,
             .differentiable = true);
    CHECK_OP(.body = grid, .self = "ij", .inputs = TN_LIST(x, y), .batched = 1,
             .differentiable = true);
    CHECK_TENSOR(tn_meshgrid(TN_LIST(INTS(1, 2), INTS(3, 4, 5))).item[0],
                 VALUES(TN_INT32, TN_SHAPE(3, 2), 1, 2, 1, 2, 1, 2), 0, 0);
    CHECK_TENSOR(tn_meshgrid(TN_LIST(INTS(1, 2), INTS(3)), .indexing = "ij").item[1],
                 VALUES(TN_INT32, TN_SHAPE(2, 1), 3, 3), 0, 0);
    assert_null(tn_meshgrid(TN_LIST(x), .indexing = "zz").item);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Argument `indexing` parameter must be either 'xy' or 'ij', got 'zz'");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anything_but_zero_counts),
        cmocka_unit_test(a_confusion_matrix_has_labels_as_rows),
        cmocka_unit_test(neighbours_are_compared_in_order),
        cmocka_unit_test(slices_are_repeated),
        cmocka_unit_test(masks_have_as_many_ones_as_lengths_say),
        cmocka_unit_test(grids_lie_as_their_indexing_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
