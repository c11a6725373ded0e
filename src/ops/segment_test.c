/* segment_test.c - numbers are those of tf.math.segment_… and tf.math.unsorted_segment_… */
#include "support/check_op.h"
#include <float.h>

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)

static tn_tensor *rows(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(4, 2), 1, 2, 3, 4, 5, 6, 7, 9);
}

static void sorted_segments_without_rows_are_zero_and_a_product_of_none_is_one(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = rows(), *ids = INTS(0, 0, 2, 2);
    CHECK_VALUES(tn_segment_sum(x, ids), 0, 4, 6, 0, 0, 12, 15);
    CHECK_VALUES(tn_segment_mean(x, ids), 0, 2, 3, 0, 0, 6, 7.5);
    CHECK_VALUES(tn_segment_prod(x, ids), 0, 3, 8, 1, 1, 35, 54);
    CHECK_VALUES(tn_segment_max(x, ids), 0, 3, 4, 0, 0, 7, 9);
    CHECK_VALUES(tn_segment_min(x, ids), 0, 1, 2, 0, 0, 5, 6);
    CHECK_VALUES(tn_segment_mean(INTS(1, 2, 4), INTS(0, 0, 2)), 0, 1, 0, 4);
    assert_string_equal(tn_shape_text(tn_segment_max(tn_zeros(TN_SHAPE(0, 3), TN_FLOAT32),
                                                     tn_zeros(TN_SHAPE(0), TN_INT32))),
                        "(0, 3)");
}

static void unsorted_segments_without_rows_are_the_end_of_the_dtype(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = rows(), *ids = INTS(2, 0, -1, 2);
    CHECK_VALUES(tn_unsorted_segment_sum(x, ids, 3), 0, 3, 4, 0, 0, 8, 11);
    CHECK_VALUES(tn_unsorted_segment_mean(x, ids, 3), 0, 3, 4, 0, 0, 4, 5.5);
    CHECK_VALUES(tn_unsorted_segment_sqrt_n(x, ids, 3), 1e-6, 3, 4, 0, 0, 5.656854152679443,
                 7.778174877166748);
    CHECK_VALUES(tn_unsorted_segment_prod(x, ids, 3), 0, 3, 4, 1, 1, 7, 18);
    CHECK_VALUES(tn_unsorted_segment_max(x, ids, 3), 0, 3, 4, -(double)FLT_MAX, -(double)FLT_MAX, 7,
                 9);
    CHECK_VALUES(tn_unsorted_segment_min(x, ids, 3), 0, 3, 4, (double)FLT_MAX, (double)FLT_MAX, 1,
                 2);
    tn_tensor *one = INTS(1), *at = INTS(1);
    CHECK_VALUES(tn_unsorted_segment_min(tn_cast(one, TN_UINT8), at, 2), 0, 255, 1);
    CHECK_VALUES(tn_unsorted_segment_max(tn_cast(one, TN_INT8), at, 2), 0, -128, 1);
    CHECK_VALUES(tn_unsorted_segment_max(tn_cast(one, TN_UINT64), at, 2), 0, 0, 1);
    CHECK_VALUES(tn_unsorted_segment_max(tn_cast(one, TN_FLOAT16), at, 2), 0, -65504, 1);
}

/* A slope by each of the rows, through segments with one zero, with two, and with none. */
static void products_have_a_gradient_at_zero(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT64, TN_SHAPE(6), 0, 3, 0, 0, 2, 5), *ids = INTS(0, 0, 1, 1, 2, 2);
    CHECK_OP(.op = &tn__op_SegmentProd, .inputs = TN_LIST(x, ids), .batched = 3,
             .skip = SHAPE_FROM_VALUES | SKIP_SECOND_ORDER, .differentiable = true);
    CHECK_OP(.op = &tn__op_UnsortedSegmentProd,
             .inputs = TN_LIST(x, ids, VALUES(TN_INT32, TN_SCALAR, 4)), .constant = 4, .batched = 3,
             .skip = SKIP_SECOND_ORDER, .differentiable = true);
}

static void equal_extremes_share_their_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(4), 3, 3, 1, 5), *ids = INTS(0, 0, 0, 1);
    tn_tape *tape = tn_gradient_tape(.persistent = true);
    tn_watch(tape, x);
    tn_tensor *sorted = tn_segment_max(x, ids), *unsorted = tn_unsorted_segment_max(x, ids, 3);
    CHECK_VALUES(tn_gradient_of(tape, sorted, x), 0, 0.5, 0.5, 0, 1);
    CHECK_VALUES(tn_gradient_of(tape, unsorted, x), 0, 0.5, 0.5, 0, 1);
}

static void wrong_ids_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = rows();
    assert_null(tn_segment_sum(x, INTS(0, 1, 0, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "segment ids are not increasing");
    assert_null(tn_segment_sum(x, INTS(-1, 1, 2, 3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Segment id -1 out of range [0, 4), possibly because "
                                     "'segment_ids' input is not sorted.");
    assert_null(tn_segment_sum(x, INTS(0, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "segment_ids should be the same size as dimension 0 of input.");
    assert_null(tn_segment_sum(x, VALUES(TN_INT32, TN_SHAPE(2, 2), 0, 0, 1, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "segment_ids should be a vector.");
    assert_null(tn_segment_sum(VALUES(TN_FLOAT32, TN_SCALAR, 1), INTS(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "input must be at least rank 1");
    assert_null(tn_unsorted_segment_max(x, INTS(0, 0, 9, 0), 2));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "segment_ids[2] = 9 is out of range [0, 2)");
    assert_null(tn_unsorted_segment_sum(x, INTS(0, 0), 3));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "data.shape = [4,2] does not start with segment_ids.shape = [2]");
    assert_null(tn_unsorted_segment_sum(x, INTS(0, 0, 0, 0), -1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input num_segments == -1 must not be negative.");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_segments_without_rows_are_zero_and_a_product_of_none_is_one),
        cmocka_unit_test(unsorted_segments_without_rows_are_the_end_of_the_dtype),
        cmocka_unit_test(products_have_a_gradient_at_zero),
        cmocka_unit_test(equal_extremes_share_their_gradient),
        cmocka_unit_test(wrong_ids_are_refused_in_tensorflows_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
