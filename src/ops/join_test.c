/* join_test.c */
#include "support/check_op.h"

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)
#define INT(value) VALUES(TN_INT32, TN_SCALAR, value)

typedef struct {
    int64_t a, b;
} attrs; /* axis; or num, axis */

static void concat_joins_along_any_axis(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 3, 4),
              *y = VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 5, 6);
    CHECK_OP(.op = &tn__op_ConcatV2, .inputs = TN_LIST(x, y, INT(1)), .constant = 4,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 5, 3, 4, 6)));
    CHECK_OP(.op = &tn__op_ConcatV2, .inputs = TN_LIST(x, y, INT(-1)), .constant = 4,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 5, 3, 4, 6)));
    CHECK_OP(.op = &tn__op_ConcatV2, .inputs = TN_LIST(x, tn_reshape(y, TN_SHAPE(1, 2)), INT(0)),
             .constant = 4, .batched = 3,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6)));
    CHECK_OP(.op = &tn__op_ConcatV2,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3, 4), -1, 1, 1),
                               check_numbers(TN_SHAPE(2, 2, 4), -1, 1, 2),
                               check_numbers(TN_SHAPE(2, 0, 4), -1, 1, 3),
                               VALUES(TN_INT64, TN_SCALAR, -2)),
             .constant = 8);
}

static void concat_names_what_does_not_fit(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32), *b = tn_zeros(TN_SHAPE(2, 4), TN_FLOAT32),
              *c = tn_zeros(TN_SHAPE(2), TN_FLOAT32);
    assert_null(tn_concat(TN_LIST(a, b), 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "ConcatOp : Dimension 1 in both shapes must be equal: "
                                     "shape[0] = [2,3] vs. shape[1] = [2,4]");
    assert_null(tn_concat(TN_LIST(a, c), 0));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "ConcatOp : Ranks of all input tensors should match: shape[0] = [2,3] vs. shape[1] = [2]");
    assert_null(tn_concat(TN_LIST(a, a), 5));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "ConcatOp : Expected concatenating dimensions in the range [-2, 2), but got 5");
    assert_null(tn_concat(TN_LIST(tn_scalar(1.0), tn_scalar(2.0)), 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Can't concatenate scalars");
    assert_null(tn_concat(tn_list_of(0, NULL), 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "the list is empty");
}

static void pack_makes_a_new_dimension(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2),
              *y = VALUES(TN_FLOAT32, TN_SHAPE(2), 3, 4);
    CHECK_OP(.op = &tn__op_Pack, .attrs = &(attrs){ 0, 0 }, .inputs = TN_LIST(x, y),
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 3, 4)));
    CHECK_OP(.op = &tn__op_Pack, .attrs = &(attrs){ -1, 0 }, .inputs = TN_LIST(x, y),
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 3, 2, 4)));
    CHECK_OP(.op = &tn__op_Pack, .attrs = &(attrs){ 1, 0 },
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3), 0, 1, 1),
                               check_numbers(TN_SHAPE(2, 3), 0, 1, 2),
                               check_numbers(TN_SHAPE(2, 3), 0, 1, 3)));
    CHECK_VALUES(tn_stack(TN_LIST(tn_scalar(1.0), tn_scalar(2.0)), 0), 0, 1, 2);
    assert_null(tn_stack(TN_LIST(x, tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32)), 0));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Shapes of all inputs must match: values[0].shape = [2] != values[1].shape = [2,3]");
    assert_null(tn_stack(TN_LIST(x, y), 3));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "axis = 3 not in [-2, 2)");
}

static void unpack_takes_a_dimension_apart(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    CHECK_OP(.op = &tn__op_Unpack, .attrs = &(attrs){ 3, 1 }, .inputs = TN_LIST(x),
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 4),
                                 VALUES(TN_FLOAT32, TN_SHAPE(2), 2, 5),
                                 VALUES(TN_FLOAT32, TN_SHAPE(2), 3, 6)));
    CHECK_OP(.op = &tn__op_Unpack, .attrs = &(attrs){ 2, -2 }, .inputs = TN_LIST(x),
             .skip = SKIP_EMPTY);
    tn_list rows = tn_unstack(x, 0);
    assert_int_equal(rows.count, 2);
    CHECK_VALUES(rows.item[1], 0, 4, 5, 6);
    assert_null(tn__apply_list(&tn__op_Unpack, &(attrs){ 4, 0 }, &x, 1, 4).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input shape axis 0 must equal 4, got shape [2,3]");
    assert_null(tn_unstack(x, 2).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "axis = 2 not in [-2, 2)");
}

static void split_gives_equal_parts(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 4), 1, 2, 3, 4, 5, 6, 7, 8);
    CHECK_OP(.op = &tn__op_Split, .attrs = &(attrs){ 2, 0 }, .inputs = TN_LIST(INT(1), x),
             .constant = 1, .batched = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 5, 6),
                                 VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 3, 4, 7, 8)));
    CHECK_OP(.op = &tn__op_Split, .attrs = &(attrs){ 2, 0 }, .inputs = TN_LIST(INT(-2), x),
             .constant = 1, .batched = 2);
    assert_null(tn_split(x, 3, 1).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Number of ways to split should evenly divide the split "
                                     "dimension, but got split_dim 1 (size = 4) and num_split 3");
    assert_null(tn_split(x, 2, 3).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "-input rank(-2) <= split_dim < input rank (2), but got 3");
    assert_null(tn_split(x, 0, 1).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "1 or more are expected");
}

static void a_split_by_sizes_may_leave_one_open(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 4), 1, 2, 3, 4, 5, 6, 7, 8);
    CHECK_OP(.op = &tn__op_SplitV, .attrs = &(attrs){ 3, 0 },
             .inputs = TN_LIST(x, INTS(1, -1, 1), INT(1)), .constant = 6, .outputs = 3,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 1, 5),
                                 VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 2, 3, 6, 7),
                                 VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 4, 8)));
    CHECK_OP(.op = &tn__op_SplitV, .attrs = &(attrs){ 2, 0 },
             .inputs = TN_LIST(x, INTS(0, 2), INT(0)), .constant = 6, .outputs = 2,
             .skip = SKIP_EMPTY);
    assert_null(tn_split_sizes(x, 2, (const int64_t[]){ 1, 2 }, 1).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Determined shape must either match input shape along split_dim exactly");
    assert_null(tn_split_sizes(x, 2, (const int64_t[]){ -1, -1 }, 1).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "There can only be one -1 in the input.");
    assert_null(tn_split_sizes(x, 2, (const int64_t[]){ INT64_MAX, INT64_MAX }, 1).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Determined shape");
    assert_null(tn_split_sizes(x, 2, (const int64_t[]){ INT64_MIN, 4 }, 1).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Determined shape");
    assert_null(
        tn__apply_list(&tn__op_Split, &(attrs){ 2, 0 }, (tn_tensor *[]){ INTS(0, 1), x }, 2, 2)
            .item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "split_dim must be a scalar but has rank 1");
}

static void a_split_may_have_many_parts(void **state)
{
    (void)state;
    TN_SCOPE;
    int64_t sizes[100];
    for (int i = 0; i < 100; i++)
        sizes[i] = 1;
    tn_list parts = tn_split_sizes(check_numbers(TN_SHAPE(100, 2), 0, 1, 1), 100, sizes, 0);
    assert_int_equal(parts.count, 100);
    CHECK_TENSOR(tn_concat(parts, 0), check_numbers(TN_SHAPE(100, 2), 0, 1, 1), 0, 0);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(concat_joins_along_any_axis),
        cmocka_unit_test(concat_names_what_does_not_fit),
        cmocka_unit_test(pack_makes_a_new_dimension),
        cmocka_unit_test(unpack_takes_a_dimension_apart),
        cmocka_unit_test(split_gives_equal_parts),
        cmocka_unit_test(a_split_by_sizes_may_leave_one_open),
        cmocka_unit_test(a_split_may_have_many_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
