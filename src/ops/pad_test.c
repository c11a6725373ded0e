/* pad_test.c */
#include "support/check_op.h"

#define PADDINGS(a, b, c, d) VALUES(TN_INT32, TN_SHAPE(2, 2), a, b, c, d)

static const char *const reflect = "REFLECT", *const symmetric = "SYMMETRIC";

static tn_tensor *two_rows(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
}

static void pad_puts_zeros_round(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_Pad, .inputs = TN_LIST(two_rows(), PADDINGS(1, 0, 0, 2)), .constant = 2,
             .expected = TN_LIST(
                 VALUES(TN_FLOAT32, TN_SHAPE(3, 5), 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0)));
    CHECK_OP(.op = &tn__op_PadV2,
             .inputs = TN_LIST(two_rows(), PADDINGS(0, 1, 1, 0), VALUES(TN_FLOAT32, TN_SCALAR, 7)),
             .constant = 2,
             .expected =
                 TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 4), 7, 1, 2, 3, 7, 4, 5, 6, 7, 7, 7, 7)));
    CHECK_VALUES(tn_pad(VALUES(TN_INT32, TN_SHAPE(2), 1, 2), { { 1, 1 } }, .constant_values = -1),
                 0, -1, 1, 2, -1);
}

static void mirror_pad_repeats_what_stands_inside(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_MirrorPad, .attrs = &reflect,
             .inputs = TN_LIST(two_rows(), PADDINGS(1, 0, 2, 1)), .constant = 2, .skip = SKIP_EMPTY,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 6), 6, 5, 4, 5, 6, 5, 3, 2, 1, 2, 3,
                                        2, 6, 5, 4, 5, 6, 5)));
    CHECK_OP(.op = &tn__op_MirrorPad, .attrs = &symmetric,
             .inputs = TN_LIST(two_rows(), PADDINGS(0, 2, 1, 3)), .constant = 2, .skip = SKIP_EMPTY,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(4, 7), 1, 1, 2, 3, 3, 2, 1, 4, 4, 5, 6,
                                        6, 5, 4, 4, 4, 5, 6, 6, 5, 4, 1, 1, 2, 3, 3, 2, 1)));
    CHECK_OP(.op = &tn__op_MirrorPad, .attrs = &symmetric,
             .inputs = TN_LIST(two_rows(), PADDINGS(0, 0, 1, 1)), .constant = 2);
    CHECK_OP(.op = &tn__op_MirrorPadGrad, .attrs = &reflect,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(5, 4), -1, 1, 1), PADDINGS(1, 1, 1, 0)),
             .constant = 2, .skip = SKIP_EMPTY);
}

static void paddings_are_checked(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32);
    assert_null(TN__APPLY(tn__op_Pad, NULL, x, VALUES(TN_INT32, TN_SHAPE(1, 2), 1, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "The first dimension of paddings must be the rank of inputs[1,2] [2,3]");
    assert_null(TN__APPLY(tn__op_Pad, NULL, x, VALUES(TN_INT32, TN_SHAPE(2), 1, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "paddings must be a matrix with 2 columns: [2]");
    assert_null(tn_pad(x, { { 1, 1 }, { -1, 0 } }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Paddings must be non-negative: -1 0");
    assert_null(tn_pad(x, { { 2, 0 } }, .mode = "REFLECT"));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "paddings must be less than the dimension size: 2, 0 not less than 2");
    assert_null(tn_pad(x, { { 3, 0 } }, .mode = "symmetric"));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "paddings must be no greater than the dimension size: 3, 0 greater than 2");
    assert_null(tn_pad(x, { { 1, 0 }, { 0, 0 }, { 1, 0 } }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "paddings for dimension 2");
    assert_null(tn_pad(x, { { INT64_MAX, INT64_MAX } }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "places round dimension 0");
    assert_null(tn_pad(x, { { 1, 0 } }, .mode = "WRAP"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "\"CONSTANT\", \"REFLECT\", or \"SYMMETRIC\"");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pad_puts_zeros_round),
        cmocka_unit_test(mirror_pad_repeats_what_stands_inside),
        cmocka_unit_test(paddings_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
