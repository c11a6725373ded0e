/* slice_test.c */
#include "support/check_op.h"
#include "ops/slice.h"

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)

static tn_tensor *three_rows(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(3, 4), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
}

static void slice_takes_a_block(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = three_rows();
    CHECK_OP(.op = &tn__op_Slice, .inputs = TN_LIST(x, INTS(1, 1), INTS(2, 2)), .constant = 6,
             .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 5, 6, 9, 10)));
    CHECK_OP(.op = &tn__op_Slice, .inputs = TN_LIST(x, INTS(0, 3), INTS(-1, -1)), .constant = 6,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 1), 3, 7, 11)));
    CHECK_OP(.op = &tn__op_Slice, .inputs = TN_LIST(x, INTS(0, 4), INTS(-1, 0)), .constant = 6);
}

static void slice_says_which_bound_is_wrong(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32);
    assert_null(tn_slice(x, TN_SHAPE(0, 0), TN_SHAPE(3, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected size[0] in [0, 2], but got 3");
    assert_null(tn_slice(x, TN_SHAPE(0, 5), TN_SHAPE(1, -1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected begin[1] in [0, 3], but got 5");
    assert_null(tn_slice(x, TN_SHAPE(0, -1), TN_SHAPE(1, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected begin[1] in [0, 3], but got -1");
    assert_null(tn_slice(x, TN_SHAPE(0, 1), TN_SHAPE(1, -2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected size[1] in [0, 2], but got -2");
    assert_null(tn_slice(x, TN_SHAPE(0), TN_SHAPE(3, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected begin and size arguments to be 1-D tensors of size "
                                     "2, but got shapes [1] and [2] instead.");
    assert_null(tn_slice(x, TN_SHAPE(1, INT64_MAX), TN_SHAPE(1, INT64_MAX)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected begin[1]");
}

/* The first two of as many rows as there are: a size that only the run knows is not -1. */
static tn_tensor *as_many_as(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *size = tn_shape_tensor(tn_at(inputs, 1));
    return TN__APPLY(tn__op_Slice, NULL, tn_at(inputs, 0), tn_fill(TN_SHAPE(2), tn_scalar(0)),
                     size);
}

static void slice_sizes_may_be_known_in_the_run_only(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.body = as_many_as,
             .inputs = TN_LIST(three_rows(), check_numbers(TN_SHAPE(2, 3), 0, 1, 1)), .batched = 2);
}

static void strided_slice_reads_as_pythons(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = three_rows();
    const tn__slice_masks none = { 0 }, reverse = { .begin_mask = 3, .end_mask = 3 };
    const tn__slice_masks point = { .end_mask = 1, .begin_mask = 1, .shrink_axis_mask = 2 },
                          extra = { .new_axis_mask = 2, .ellipsis_mask = 1, .shrink_axis_mask = 4 };
    /* x[1:3, 0:4:2] */
    CHECK_OP(.op = &tn__op_StridedSlice, .attrs = &none,
             .inputs = TN_LIST(x, INTS(1, 0), INTS(3, 4), INTS(1, 2)), .constant = 14,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 4, 6, 8, 10)));
    /* x[::-1, ::-2] */
    CHECK_OP(.op = &tn__op_StridedSlice, .attrs = &reverse,
             .inputs = TN_LIST(x, INTS(0, 0), INTS(0, 0), INTS(-1, -2)), .constant = 14,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 11, 9, 7, 5, 3, 1)));
    /* x[:, -1] */
    CHECK_OP(.op = &tn__op_StridedSlice, .attrs = &point,
             .inputs = TN_LIST(x, INTS(0, -1), INTS(0, 0), INTS(1, 1)), .constant = 14,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3), 3, 7, 11)));
    /* x[..., None, 2] */
    CHECK_OP(.op = &tn__op_StridedSlice, .attrs = &extra,
             .inputs = TN_LIST(x, INTS(0, 0, 2), INTS(0, 0, 3), INTS(1, 1, 1)), .constant = 14,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 1), 2, 6, 10)));
    /* x[5:2:-1, 2:2]: clamped, and nothing */
    CHECK_OP(.op = &tn__op_StridedSlice, .attrs = &none,
             .inputs = TN_LIST(x, INTS(5, 2), INTS(0, 2), INTS(-1, 1)), .constant = 14);
    CHECK_OP(.op = &tn__op_StridedSliceGrad, .attrs = &none,
             .inputs = TN_LIST(INTS(3, 4), INTS(0, 1), INTS(3, 4), INTS(2, 2),
                               check_numbers(TN_SHAPE(2, 2), 0, 1, 1)),
             .constant = 15, .skip = SKIP_EMPTY | SKIP_ANY_BATCH);
}

static void rows_are_the_first_dimensions(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = three_rows();
    CHECK_VALUES(tn_rows(x, 1, 2), 0, 4, 5, 6, 7);
    CHECK_VALUES(tn_rows(x, -1, 100), 0, 8, 9, 10, 11);
    assert_int_equal(tn_rows(x, 2, 1)->shape.dims[0], 0);
    CHECK_VALUES(tn_strided_slice(x, TN_SHAPE(0, 1), TN_SHAPE(1, 3)), 0, 1, 2);
    CHECK_VALUES(tn_strided_slice(x, TN_SHAPE(0, 1), TN_SHAPE(1, 4), TN_SHAPE(1, 2)), 0, 1, 3);
}

static tn_tensor *strided(tn_tensor *x, tn_list spec, tn__slice_masks masks)
{
    return TN__APPLY(tn__op_StridedSlice, &masks, x, spec.item[0], spec.item[1], spec.item[2]);
}

static void a_wrong_specification_is_named(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32);
    const tn__slice_masks none = { 0 };
    assert_null(strided(x, TN_LIST(INTS(0, 0, 0), INTS(1, 1, 1), INTS(1, 1, 1)), none));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Index out of range using input dim 2; input has only 2 dims");
    assert_null(strided(x, TN_LIST(INTS(0), INTS(1), INTS(0)), none));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "strides[0] must be non-zero");
    assert_null(
        strided(x, TN_LIST(INTS(5), INTS(6), INTS(1)), (tn__slice_masks){ .shrink_axis_mask = 1 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "slice index 5 of dimension 0 out of bounds.");
    assert_null(strided(x, TN_LIST(INTS(0), INTS(1), INTS(-1)),
                        (tn__slice_masks){ .shrink_axis_mask = 1 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "only stride 1 allowed on non-range indexing.");
    assert_null(strided(x, TN_LIST(INTS(0), INTS(1, 2), INTS(1)), none));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected begin, end, and strides to be 1D equal size "
                                     "tensors, but got shapes [1], [2], and [1] instead.");
    assert_null(strided(x, TN_LIST(INTS(0, 0), INTS(1, 2), INTS(1, 1)),
                        (tn__slice_masks){ .ellipsis_mask = 3 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Multiple ellipses in slice spec not allowed");
}

static void numbers_at_the_ends_of_their_type_do_no_harm(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = three_rows();
    CHECK_VALUES(tn_rows(x, INT64_MIN + 1, INT64_MAX), 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    tn_tensor *y =
        tn_strided_slice(x, TN_SHAPE(INT64_MAX), TN_SHAPE(INT64_MIN + 1), TN_SHAPE(INT64_MIN + 1));
    CHECK_VALUES(y, 0, 8, 9, 10, 11);
    CHECK_VALUES(tn_rows(x, INT64_MIN, 1), 0, 0, 1, 2, 3);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slice_takes_a_block),
        cmocka_unit_test(slice_says_which_bound_is_wrong),
        cmocka_unit_test(slice_sizes_may_be_known_in_the_run_only),
        cmocka_unit_test(strided_slice_reads_as_pythons),
        cmocka_unit_test(rows_are_the_first_dimensions),
        cmocka_unit_test(a_wrong_specification_is_named),
        cmocka_unit_test(numbers_at_the_ends_of_their_type_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
