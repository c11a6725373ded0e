/* gather_test.c - gather.c and scatter.c */
#include "support/check_op.h"

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)
#define INT(value) VALUES(TN_INT32, TN_SCALAR, value)

static const int64_t no_batch = 0, one_batch = 1, last_but_one = -1;

static tn_tensor *three_rows(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
}

static void gather_takes_slices_along_any_axis(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = three_rows(), *indices = VALUES(TN_INT32, TN_SHAPE(2, 2), 2, 0, 0, 1);
    CHECK_OP(.op = &tn__op_GatherV2, .attrs = &no_batch, .inputs = TN_LIST(x, indices, INT(0)),
             .constant = 6, .skip = SKIP_EMPTY,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2, 2), 5, 6, 1, 2, 1, 2, 3, 4)));
    CHECK_OP(.op = &tn__op_GatherV2, .attrs = &no_batch,
             .inputs = TN_LIST(x, INTS(1, 0, 1), INT(-1)), .constant = 6,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 2, 1, 2, 4, 3, 4, 6, 5, 6)));
    CHECK_OP(.op = &tn__op_GatherV2, .attrs = &no_batch,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3, 2, 2), 0, 1, 1), indices, INT(1)),
             .constant = 6);
    CHECK_VALUES(tn_gather(x, INT(1), 0), 0, 3, 4);
    assert_int_equal(tn_gather(x, tn_zeros(TN_SHAPE(0), TN_INT32), 0)->shape.dims[0], 0);
}

static void gather_keeps_batches_together(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6),
              *indices = VALUES(TN_INT32, TN_SHAPE(2, 2), 2, 0, 1, 1);
    CHECK_OP(.op = &tn__op_GatherV2, .attrs = &one_batch, .inputs = TN_LIST(x, indices, INT(1)),
             .constant = 4, .batched = 3,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 3, 1, 5, 5)));
    CHECK_OP(.op = &tn__op_GatherV2, .attrs = &last_but_one,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3, 4, 2), 0, 1, 1), indices, INT(2)),
             .constant = 4, .batched = 3, .skip = SKIP_SECOND_ORDER);
    CHECK_VALUES(tn_gather_batched(x, indices, 1, 1), 0, 3, 1, 5, 5);
}

static void a_wrong_index_is_named(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32),
              *pairs = VALUES(TN_INT32, TN_SHAPE(1, 2), 0, 5);
    assert_null(tn_gather(x, INTS(0, 5), 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "indices[1] = 5 is not in [0, 2)");
    assert_null(tn_gather(x, INT(-1), 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "indices = -1 is not in [0, 2)");
    assert_null(tn_gather(x, pairs, 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "indices[0,1] = 5 is not in [0, 3)");
    assert_null(tn_gather(x, pairs, 3));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Shape must be at least rank 4 but is rank 2");
    assert_null(tn_gather_batched(x, pairs, 1, 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "params.shape[0]: 2 should be equal to indices.shape[0]: 1");
    assert_null(tn_gather_batched(x, pairs, 0, 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "batch_dims (1) must be less than or equal to axis (0).");
    assert_null(tn_gather_batched(x, pairs, 1, 3));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected batch_dims in the range [-2, 2], but got 3");
}

static void gather_nd_reads_places(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = three_rows(), *pairs = VALUES(TN_INT32, TN_SHAPE(2, 2), 2, 1, 0, 0),
              *rows = VALUES(TN_INT64, TN_SHAPE(2, 1), 1, 1);
    CHECK_OP(.op = &tn__op_GatherNd, .inputs = TN_LIST(x, pairs), .constant = 2, .skip = SKIP_EMPTY,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2), 6, 1)));
    CHECK_OP(.op = &tn__op_GatherNd, .inputs = TN_LIST(x, rows), .constant = 2, .skip = SKIP_EMPTY,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 3, 4, 3, 4)));
    CHECK_VALUES(tn_gather_nd(x, tn_zeros(TN_SHAPE(1, 0), TN_INT32)), 0, 1, 2, 3, 4, 5, 6);
    assert_null(tn_gather_nd(x, VALUES(TN_INT32, TN_SHAPE(1, 2, 2), 0, 0, 2, 2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "indices[0,1] = [2, 2] does not index into param shape [3,2]");
    assert_null(tn_gather_nd(x, VALUES(TN_INT32, TN_SHAPE(1, 3), 0, 5, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "index innermost dimension length must be <= params rank; saw: 3 vs. 2");
    assert_null(tn_gather_nd(x, INT(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "indices must be at least a vector");
}

static void scatter_adds_to_zeros(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *indices = VALUES(TN_INT32, TN_SHAPE(3, 1), 3, 0, 3), *updates = three_rows();
    CHECK_OP(.op = &tn__op_ScatterNd, .inputs = TN_LIST(indices, updates, INTS(4, 2)),
             .constant = 5, .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(4, 2), 3, 4, 0, 0, 0, 0, 6, 8)));
    tn_tensor *one = VALUES(TN_FLOAT32, TN_SHAPE(1), 1);
    assert_null(tn_scatter_nd(VALUES(TN_INT32, TN_SHAPE(1, 1), 5), one, TN_SHAPE(4)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "indices[0] = [5] does not index into shape [4]");
    assert_null(tn_scatter_nd(VALUES(TN_INT32, TN_SHAPE(1, 1), 1),
                              VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2), TN_SHAPE(4)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Dimensions [0,1) of indices[shape=[1,1]] must match "
                                     "dimensions [0,1) of updates[shape=[2]]");
    assert_null(tn_scatter_nd(VALUES(TN_INT32, TN_SHAPE(1, 1), 1),
                              VALUES(TN_FLOAT32, TN_SHAPE(1, 1), 1), TN_SHAPE(4)));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Dimensions [1,1) of input[shape=[4]] must match dimensions [1,2) of updates[shape=[1,1]]");
}

static void tensor_scatter_changes_places(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = three_rows(), *indices = VALUES(TN_INT32, TN_SHAPE(2, 1), 2, 0),
              *updates = VALUES(TN_FLOAT32, TN_SHAPE(2, 2), -1, -2, -3, -4);
    CHECK_OP(.op = &tn__op_TensorScatterUpdate, .inputs = TN_LIST(x, indices, updates),
             .constant = 2, .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), -3, -4, 3, 4, -1, -2)));
    CHECK_OP(.op = &tn__op_TensorScatterAdd, .inputs = TN_LIST(x, indices, updates), .constant = 2,
             .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), -2, -2, 3, 4, 4, 4)));
    CHECK_OP(.op = &tn__op_TensorScatterSub, .inputs = TN_LIST(x, indices, updates), .constant = 2,
             .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 4, 6, 3, 4, 6, 8)));
    assert_null(tn_tensor_scatter_nd_update(x, VALUES(TN_INT32, TN_SHAPE(1, 1), 5),
                                            VALUES(TN_FLOAT32, TN_SHAPE(1, 2), 1, 2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "indices[0] = [5] does not index into shape [3,2]");
    assert_null(tn_tensor_scatter_nd_update(x, indices, VALUES(TN_FLOAT32, TN_SHAPE(1, 2), 1, 2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Outer dimensions of indices and update must match. Indices "
                                     "shape: [2,1], updates shape:[1,2]");
}

static void tensor_scatter_takes_the_larger_or_the_smaller(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = three_rows(), *indices = VALUES(TN_INT32, TN_SHAPE(2, 1), 2, 2),
              *updates = VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 7, -2, -3, 9);
    CHECK_OP(.op = &tn__op_TensorScatterMax, .inputs = TN_LIST(x, indices, updates), .constant = 2,
             .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 2, 3, 4, 7, 9)));
    CHECK_OP(.op = &tn__op_TensorScatterMin, .inputs = TN_LIST(x, indices, updates), .constant = 2,
             .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 2, 3, 4, -3, -2)));
    /* equal ones share the gradient */
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *one = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 1),
              *same = VALUES(TN_FLOAT32, TN_SHAPE(1), 1);
    tn_watch(tape, one);
    tn_watch(tape, same);
    tn_tensor *y = tn_tensor_scatter_nd_max(one, VALUES(TN_INT32, TN_SHAPE(1, 1), 0), same);
    tn_list slopes = tn_gradient(tape, tn_reduce_sum(y), TN_LIST(one, same));
    CHECK_VALUES(tn_at(slopes, 0), 0, 0.5, 1);
    CHECK_VALUES(tn_at(slopes, 1), 0, 0.5);
}

static void segments_are_summed_in_any_order(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = three_rows();
    CHECK_OP(.op = &tn__op_UnsortedSegmentSum, .inputs = TN_LIST(x, INTS(1, -1, 1), INT(3)),
             .constant = 6, .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 0, 0, 6, 8, 0, 0)));
    CHECK_VALUES(tn_unsorted_segment_sum(x, VALUES(TN_INT32, TN_SHAPE(3, 2), 0, 1, 0, 1, 0, 1), 2),
                 0, 9, 12);
    assert_null(tn_unsorted_segment_sum(x, INTS(0, 5, 0), 3));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "segment_ids[1] = 5 is out of range [0, 3)");
    assert_null(tn_unsorted_segment_sum(x, INTS(0), 3));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "data.shape = [3,2] does not start with segment_ids.shape = [1]");
    assert_null(tn_unsorted_segment_sum(x, INTS(0, 1, 0), -3));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input num_segments == -3 must not be negative.");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gather_takes_slices_along_any_axis),
        cmocka_unit_test(gather_keeps_batches_together),
        cmocka_unit_test(a_wrong_index_is_named),
        cmocka_unit_test(gather_nd_reads_places),
        cmocka_unit_test(scatter_adds_to_zeros),
        cmocka_unit_test(tensor_scatter_changes_places),
        cmocka_unit_test(tensor_scatter_takes_the_larger_or_the_smaller),
        cmocka_unit_test(segments_are_summed_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
