/* partition_test.c */
#include "support/check_op.h"

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)

static const int64_t three = 3;

static void rows_are_dealt_out(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(4, 2), 1, 2, 3, 4, 5, 6, 7, 8);
    CHECK_OP(.op = &tn__op_DynamicPartition, .attrs = &three, .outputs = 3,
             .inputs = TN_LIST(x, INTS(2, 0, 2, 2)), .constant = 2,
             .skip = SHAPE_FROM_VALUES | SKIP_ANY_BATCH | SKIP_EMPTY,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(1, 2), 3, 4),
                                 tn_zeros(TN_SHAPE(0, 2), TN_FLOAT32),
                                 VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 2, 5, 6, 7, 8)));
    tn_list matrix = tn_dynamic_partition(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 3, 4),
                                          VALUES(TN_INT32, TN_SHAPE(2, 2), 1, 0, 0, 1), 2);
    CHECK_VALUES(tn_at(matrix, 0), 0, 2, 3);
    CHECK_VALUES(tn_at(matrix, 1), 0, 1, 4);
    x = VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3);
    assert_null(tn_dynamic_partition(x, INTS(0, 5, 1), 2).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "partitions[1] = 5 is not in [0, 2)");
    assert_null(tn_dynamic_partition(x, INTS(0, -1, 1), 2).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "partitions[1] = -1 is not in [0, 2)");
    assert_null(tn_dynamic_partition(x, INTS(0, 1), 2).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "data.shape must start with partitions.shape, got data.shape = "
                "[3], partitions.shape = [2]");
    assert_null(tn_dynamic_partition(x, INTS(0, 0, 0), 0).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Value for attr 'num_partitions' of 0 must be at least minimum 1");
}

static void rows_are_put_together(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *matrix = VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 1, 2);
    CHECK_OP(.op = &tn__op_DynamicStitch,
             .inputs =
                 TN_LIST(INTS(4, 0), INTS(2, 0), matrix, tn_multiply(matrix, tn_scalar(10.0))),
             .constant = 3, .skip = SHAPE_FROM_VALUES | SKIP_ANY_BATCH | SKIP_EMPTY | SKIP_GRADIENT,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(5, 1), 20, 0, 10, 0, 1)));
    CHECK_OP(.op = &tn__op_DynamicStitch,
             .inputs = TN_LIST(INTS(4, 0), INTS(2, 1), check_numbers(TN_SHAPE(2, 3), 0, 1, 1),
                               check_numbers(TN_SHAPE(2, 3), 0, 1, 2)),
             .constant = 3, .skip = SHAPE_FROM_VALUES | SKIP_ANY_BATCH | SKIP_EMPTY);
    assert_null(tn_dynamic_stitch(TN_LIST(INTS(0, -1)), TN_LIST(matrix)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "indices[1] is out of range");
    assert_null(tn_dynamic_stitch(TN_LIST(INTS(0, 1, 2)), TN_LIST(matrix)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "data[0].shape = [2,1] does not start with indices[0].shape = [3]");
    assert_null(tn_dynamic_stitch(TN_LIST(INTS(0, 3), INTS(1)),
                                  TN_LIST(matrix, VALUES(TN_FLOAT32, TN_SHAPE(1, 2), 1, 2))));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Need data[0].shape[1:] = data[1].shape[1:], got data[0].shape = [2,1], data[1].shape "
        "= [1,2], indices[0].shape = [2], indices[1].shape = [1]");
    assert_null(tn_dynamic_stitch(TN_LIST(INTS(0, 3), INTS(1)), TN_LIST(matrix)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "List argument 'data' to 'dynamic_stitch' Op with length 1 must "
                "match length 2 of argument 'indices'.");
}

typedef struct {
    int64_t seq_dim, batch_dim;
} sequence_attrs;

static void sequences_are_turned_round_as_far_as_they_go(void **state)
{
    (void)state;
    TN_SCOPE;
    static const sequence_attrs along_rows = { 1, 0 }, along_columns = { 0, 2 };
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    CHECK_OP(.op = &tn__op_ReverseSequence, .attrs = &along_rows, .inputs = TN_LIST(x, INTS(3, 2)),
             .constant = 2, .batched = 3,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 3, 2, 1, 5, 4, 6)));
    CHECK_OP(.op = &tn__op_ReverseSequence, .attrs = &along_columns,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(3, 2, 4), 0, 1, 1), INTS(3, 0, 2, 1)),
             .constant = 2, .skip = SKIP_EMPTY | SKIP_ANY_BATCH);
    CHECK_VALUES(tn_reverse_sequence(x, INTS(1, 0), .seq_axis = 1), 0, 1, 2, 3, 4, 5, 6);
    assert_null(tn_reverse_sequence(x, INTS(5, 1), .seq_axis = 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "seq_lens(0) > input.dims(1)");
    assert_null(tn_reverse_sequence(x, INTS(1, -1), .seq_axis = 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "seq_lens(1) < 0");
    assert_null(tn_reverse_sequence(x, INTS(1), .seq_axis = 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Length of seq_lengths != input.dims(0), (1 vs. 2)");
    assert_null(tn_reverse_sequence(x, INTS(1, 1), .seq_axis = 1, .batch_axis = 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "batch_dim == seq_dim == 1");
    assert_null(tn_reverse_sequence(x, INTS(1, 1), .seq_axis = 2));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "seq_dim must be < input rank ( 2 vs. 2)");
    assert_null(tn_reverse_sequence(x, INTS(1, 1), .seq_axis = 1, .batch_axis = 2));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "batch_dim must be < input rank ( 2 vs. 2)");
    assert_null(tn_reverse_sequence(x, VALUES(TN_INT32, TN_SHAPE(1, 2), 1, 1), .seq_axis = 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "seq_lengths must be 1-dim, not 2");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_dealt_out),
        cmocka_unit_test(rows_are_put_together),
        cmocka_unit_test(sequences_are_turned_round_as_far_as_they_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
