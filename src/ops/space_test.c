/* space_test.c - literal numbers are TensorFlow's. */
#include "support/check_op.h"

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)

static tn_tensor *count_up(tn_shape shape)
{
    tn_tensor *x =
        tn_range(tn_scalar(0.0), tn_scalar((double)tn__shape_count(&shape)), tn_scalar(1.0));
    return tn_reshape(x, shape);
}

typedef struct {
    int64_t block_size;
    const char *data_format;
} depth_attrs;

static void depth_becomes_space_and_space_depth(void **state)
{
    (void)state;
    TN_SCOPE;
    static const depth_attrs last = { 2, "NHWC" }, first = { 2, "NCHW" };
    tn_tensor *x = count_up(TN_SHAPE(1, 2, 2, 8)), *y = tn_nn_depth_to_space(x, 2, NULL);
    CHECK_VALUES(y, 0, 0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15, 16, 17, 18, 19, 24, 25,
                 26, 27, 20, 21, 22, 23, 28, 29, 30, 31);
    CHECK_TENSOR(tn_nn_space_to_depth(y, 2, NULL), x, 0, 0);
    tn_tensor *moved = tn_nn_depth_to_space(tn_transpose(x, TN_AXES(0, 3, 1, 2)), 2, "NCHW");
    CHECK_TENSOR(tn_transpose(moved, TN_AXES(0, 2, 3, 1)), y, 0, 0);
    CHECK_OP(.op = &tn__op_DepthToSpace, .attrs = &last,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 1, 3, 8), -1, 1, 1)));
    CHECK_OP(.op = &tn__op_DepthToSpace, .attrs = &first,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 4, 1, 3), -1, 1, 1)));
    CHECK_OP(.op = &tn__op_SpaceToDepth, .attrs = &last,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 4, 2, 3), -1, 1, 1)));
}

static void pixels_go_to_the_batch_and_back(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(
        tn_space_to_batch(count_up(TN_SHAPE(1, 3, 4, 1)), TN_SHAPE(2, 2), { { 1, 0 }, { 0, 2 } }),
        0, 0, 0, 0, 4, 6, 0, 0, 0, 0, 5, 7, 0, 0, 2, 0, 8, 10, 0, 1, 3, 0, 9, 11, 0);
    CHECK_VALUES(
        tn_batch_to_space(count_up(TN_SHAPE(4, 1, 2, 1)), TN_SHAPE(2, 2), { { 0, 1 }, { 1, 0 } }),
        0, 2, 1, 3);
    tn_tensor *sizes = INTS(2, 3), *around = VALUES(TN_INT32, TN_SHAPE(2, 2), 1, 0, 2, 2);
    CHECK_OP(.op = &tn__op_SpaceToBatchND,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3, 5, 2), -1, 1, 1), sizes, around),
             .constant = 6, .skip = SHAPE_FROM_VALUES);
    CHECK_OP(.op = &tn__op_BatchToSpaceND,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(6, 3, 2), -1, 1, 1), sizes, around),
             .constant = 6, .skip = SHAPE_FROM_VALUES | SKIP_ANY_BATCH);
    tn_tensor *none = tn_reshape(tn_zeros(TN_SHAPE(0), TN_INT32), TN_SHAPE(0, 2));
    CHECK_VALUES(
        TN__APPLY(tn__op_SpaceToBatchND, NULL, INTS(1, 2), tn_zeros(TN_SHAPE(0), TN_INT32), none),
        0, 1, 2);
}

static void wrong_blocks_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_zeros(TN_SHAPE(1, 3, 2, 6), TN_FLOAT32);
    assert_null(tn_nn_depth_to_space(x, 2, NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input depth dimension 6 should be divisible by: 4");
    assert_null(tn_nn_space_to_depth(x, 2, NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Image width 2 and height 3 should be divisible by block_size: 2");
    assert_null(tn_nn_space_to_depth(x, 2, "NWC"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "data_format");
    assert_null(tn_nn_depth_to_space(x, 1, NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "block_size");
    assert_null(tn_nn_depth_to_space(tn_zeros(TN_SHAPE(2, 2, 4), TN_FLOAT32), 2, NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input rank should be: 4 instead of: 3");
    assert_null(tn_space_to_batch(x, TN_SHAPE(2, 2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "padded_shape[0]=3 is not divisible by block_shape[0]=2");
    assert_null(tn_space_to_batch(x, TN_SHAPE(2, 2), { { 0, -1 } }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Paddings must be non-negative");
    assert_null(tn_space_to_batch(x, TN_SHAPE(2, 0), { { 0, 1 } }));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "All values in block_shape must be positive, got value, 0 at index 1.");
    assert_null(tn_space_to_batch(tn_zeros(TN_SHAPE(1, 4), TN_FLOAT32), TN_SHAPE(2, 2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "input rank should be >= 3 instead of 2");
    assert_null(TN__APPLY(tn__op_SpaceToBatchND, NULL, x, INTS(2, 2),
                          VALUES(TN_INT32, TN_SHAPE(1, 2), 0, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "paddings should have shape [2, 2] instead of [1,2]");
    assert_null(tn_batch_to_space(tn_zeros(TN_SHAPE(3, 3, 2), TN_FLOAT32), TN_SHAPE(2, 2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Input batch dimension (3) is not divisible by product of block sizes (4)");
    assert_null(tn_batch_to_space(tn_zeros(TN_SHAPE(4, 1, 1, 6), TN_FLOAT32), TN_SHAPE(2, 2),
                                  { { 0, 3 } }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cropped_shape[0]=-1 must be non-negative");
    assert_null(tn_space_to_batch(x, TN_SHAPE(1 << 30, 1 << 30)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is too large");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_becomes_space_and_space_depth),
        cmocka_unit_test(pixels_go_to_the_batch_and_back),
        cmocka_unit_test(wrong_blocks_are_refused_in_tensorflows_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
