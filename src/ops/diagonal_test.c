/* diagonal_test.c */
#include "support/check_op.h"

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)
#define INT(value) VALUES(TN_INT32, TN_SCALAR, value)
#define FLOAT(value) VALUES(TN_FLOAT32, TN_SCALAR, value)
#define DOUBLE(value) VALUES(TN_FLOAT64, TN_SCALAR, value)

static const char *const right_left = "RIGHT_LEFT", *const left_left = "LEFT_LEFT",
                         *const left_right = "LEFT_RIGHT";

/* 1 2 3 4, 5 6 7 8, 9 10 11 12 */
static tn_tensor *matrix(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(3, 4), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
}

static void diag_puts_diagonals_into_zeros(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *two = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2),
              *three = VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 1, 2, 0, 4, 5, 6, 0, 7, 8);
    CHECK_OP(.op = &tn__op_MatrixDiagV3, .attrs = &right_left,
             .inputs = TN_LIST(two, INT(1), INT(-1), INT(-1), FLOAT(0)), .constant = 30,
             .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 0, 1, 0, 0, 0, 2, 0, 0, 0)));
    CHECK_OP(.op = &tn__op_MatrixDiagV3, .attrs = &right_left,
             .inputs = TN_LIST(three, INTS(-1, 1), INT(-1), INT(-1), FLOAT(0)), .constant = 30,
             .skip = SKIP_EMPTY | SKIP_ANY_BATCH | SKIP_SECOND_ORDER | SKIP_GRADIENT,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 4, 2, 0, 0, 5, 0, 0, 7, 6)));
    CHECK_OP(.op = &tn__op_MatrixDiagV3, .attrs = &left_left,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3, 3), 0, 1, 1), INTS(-1, 1), INT(3),
                               INT(4), DOUBLE(9)),
             .constant = 30);
    assert_null(TN__APPLY(tn__op_MatrixDiagV3, &right_left, two, INT(0), INT(4), INT(3), FLOAT(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The number of rows or columns is not consistent with the "
                                     "specified d_lower, d_upper, and diagonal.");
    assert_null(TN__APPLY(tn__op_MatrixDiagV3, &right_left, two, INT(0), INT(1), INT(1), FLOAT(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The number of rows is too small.");
    assert_null(
        TN__APPLY(tn__op_MatrixDiagV3, &right_left, two, INTS(1, 0), INT(-1), INT(-1), FLOAT(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "lower_diag_index must not be larger than upper_diag_index: 1 > 0");
    assert_null(
        TN__APPLY(tn__op_MatrixDiagV3, &right_left, three, INTS(0, 1), INT(-1), INT(-1), FLOAT(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "The number of diagonals provided in the input does not match");
    assert_null(tn_linalg_diag(tn_scalar(1.0), 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "diagonal must be at least 1-dim, received shape: []");
}

static void diag_part_takes_diagonals_out(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = matrix();
    CHECK_OP(.op = &tn__op_MatrixDiagPartV3, .attrs = &right_left,
             .inputs = TN_LIST(x, INT(1), FLOAT(0)), .constant = 6,
             .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3), 2, 7, 12)));
    CHECK_OP(.op = &tn__op_MatrixDiagPartV3, .attrs = &right_left,
             .inputs = TN_LIST(x, INTS(-1, 2), FLOAT(9)), .constant = 6,
             .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(
                 VALUES(TN_FLOAT32, TN_SHAPE(4, 3), 9, 3, 8, 2, 7, 12, 1, 6, 11, 5, 10, 9)));
    CHECK_OP(.op = &tn__op_MatrixDiagPartV3, .attrs = &left_right,
             .inputs = TN_LIST(x, INTS(-1, 2), FLOAT(9)), .constant = 6,
             .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(
                 VALUES(TN_FLOAT32, TN_SHAPE(4, 3), 3, 8, 9, 2, 7, 12, 1, 6, 11, 9, 5, 10)));
    CHECK_OP(.op = &tn__op_MatrixDiagPartV3, .attrs = &right_left,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3, 2), 0, 1, 1), INT(-1), DOUBLE(0)),
             .constant = 6);
    assert_null(tn_linalg_diag_part(x, 4));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "lower_diag_index is out of bound: 4. It must be between -3 and 4");
    assert_null(tn_linalg_diag_part(INTS(1, 2), 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "input must be at least 2-dim, received shape: [2]");
    assert_float_equal(tn_to_double(tn_linalg_trace(x)), 18, 0);
}

static void set_diag_replaces_diagonals(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = matrix(), *rows = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 0, 0, 0, -1, -2, -3);
    CHECK_OP(.op = &tn__op_MatrixSetDiagV3, .attrs = &right_left,
             .inputs = TN_LIST(x, rows, INTS(0, 1)), .constant = 4,
             .skip = SKIP_EMPTY | SKIP_ANY_BATCH,
             .expected = TN_LIST(
                 VALUES(TN_FLOAT32, TN_SHAPE(3, 4), -1, 0, 3, 4, 5, -2, 0, 8, 9, 10, -3, 0)));
    CHECK_OP(.op = &tn__op_MatrixSetDiagV3, .attrs = &right_left,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3, 3), 0, 1, 1),
                               check_numbers(TN_SHAPE(2, 2), 0, 1, 2), INT(-1)),
             .constant = 4, .batched = 3);
    CHECK_VALUES(tn_linalg_set_diag(tn_zeros(TN_SHAPE(2, 2), TN_INT32), INTS(3, 4), 0), 0, 3, 0, 0,
                 4);
    assert_null(tn_linalg_set_diag(x, VALUES(TN_FLOAT32, TN_SHAPE(2), 0, 0), 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Either first dimensions of diagonal don't match input.shape[:-2]");
}

static void band_part_keeps_a_band(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = matrix();
    CHECK_OP(.op = &tn__op_MatrixBandPart, .inputs = TN_LIST(x, INT(0), INT(-1)), .constant = 6,
             .skip = SKIP_EMPTY,
             .expected =
                 TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 4), 1, 2, 3, 4, 0, 6, 7, 8, 0, 0, 11, 12)));
    CHECK_OP(.op = &tn__op_MatrixBandPart,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 4, 3), 0, 1, 1), INT(1), INT(0)),
             .constant = 6);
    assert_null(tn_linalg_band_part(x, 0, 9));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "num_upper must be negative or less or equal to number of columns (4) got: 9");
    assert_null(tn_linalg_band_part(INTS(1, 2), 0, 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "input must be at least 2-dim, received shape: [2]");
}

static void eye_may_be_wider_or_higher(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_TENSOR(tn_eye(2, 3, TN_FLOAT32), VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 0, 0, 0, 1, 0), 0,
                 0);
    CHECK_TENSOR(tn_eye(3, 1, TN_INT32), VALUES(TN_INT32, TN_SHAPE(3, 1), 1, 0, 0), 0, 0);
    assert_int_equal(tn_eye(0, 2, TN_INT32)->shape.dims[1], 2);
    assert_null(tn_eye(-1, 2, TN_FLOAT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "full shape");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diag_puts_diagonals_into_zeros),
        cmocka_unit_test(diag_part_takes_diagonals_out),
        cmocka_unit_test(set_diag_replaces_diagonals),
        cmocka_unit_test(band_part_keeps_a_band),
        cmocka_unit_test(eye_may_be_wider_or_higher),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
