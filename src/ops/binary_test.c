/* binary_test.c - what is special of functions of two elements; their values on edges are in
 * elementwise_test.c. */
#include "support/check_op.h"
#include <math.h>

static const struct {
    const tn__op *op;
    double low_x, high_x, low_y, high_y;
    tn__dtype_set dtypes; /* 0: all; whole numbers have rules of their own for quotients */
} smooth[] = {
    { &tn__op_AddV2, -3, 3, -3, 3, 0 },
    { &tn__op_Add, -3, 3, -3, 3, 0 },
    { &tn__op_Sub, -3, 3, -3, 3, 0 },
    { &tn__op_Mul, -3, 3, -3, 3, 0 },
    { &tn__op_MulNoNan, -3, 3, 0.5, 3, 0 },
    { &tn__op_SquaredDifference, -3, 3, -3, 3, 0 },
    { &tn__op_Maximum, -3, 3, 3.5, 4, 0 },
    { &tn__op_Maximum, -3, 3, -5, -3.5, 0 },
    { &tn__op_Minimum, -3, 3, 3.5, 4, 0 },
    { &tn__op_Minimum, -3, 3, -5, -3.5, 0 },
    { &tn__op_Pow, 0.3, 3, -2, 2, TN__FLOATS },
    { &tn__op_RealDiv, -3, 3, 0.5, 2, 0 },
    { &tn__op_Div, -3, 3, -2, -0.5, TN__FLOATS },
    { &tn__op_DivNoNan, -3, 3, 0.5, 2, 0 },
    { &tn__op_FloorDiv, 2.1, 2.9, 1.1, 1.3, TN__FLOATS },
    { &tn__op_TruncateDiv, -2.9, -2.1, 1.1, 1.3, TN__FLOATS },
    { &tn__op_FloorMod, 2.3, 2.9, -1.45, -1.25, TN__BIT(TN_FLOAT64) | TN__BIT(TN_FLOAT32) },
    { &tn__op_TruncateMod, -2.4, -2.25, 1.03, 1.1, TN__BIT(TN_FLOAT64) | TN__BIT(TN_FLOAT32) },
    { &tn__op_Mod, 2.3, 2.9, 1.03, 1.1, TN__BIT(TN_FLOAT64) | TN__BIT(TN_FLOAT32) },
    { &tn__op_Atan2, 0.5, 3, -3, 3, 0 },
    { &tn__op_Xlogy, 0.2, 3, 0.2, 3, 0 },
    { &tn__op_Xlog1py, 0.2, 3, -0.7, 3, 0 },
    { &tn__op_Xdivy, 0.2, 3, 0.4, 3, 0 },
};

static void every_function_passes_the_checker(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof smooth / sizeof *smooth; i++) {
        TN_SCOPE;
        tn_tensor *x = check_numbers(TN_SHAPE(3, 2), smooth[i].low_x, smooth[i].high_x, 3);
        tn_tensor *y = check_numbers(TN_SHAPE(3, 2), smooth[i].low_y, smooth[i].high_y, 8);
        CHECK_OP(.op = smooth[i].op, .inputs = TN_LIST(x, y), .dtypes = smooth[i].dtypes);
        /* the smaller one is repeated in front, along its row, everywhere */
        CHECK_OP(.op = smooth[i].op,
                 .inputs = TN_LIST(
                     x, tn_reshape(tn_slice(y, TN_SHAPE(0, 0), TN_SHAPE(1, 2)), TN_SHAPE(2))),
                 .batched = 1, .skip = SKIP_DTYPES);
        CHECK_OP(.op = smooth[i].op,
                 .inputs = TN_LIST(tn_slice(x, TN_SHAPE(0, 0), TN_SHAPE(3, 1)), y),
                 .skip = SKIP_DTYPES);
        CHECK_OP(.op = smooth[i].op,
                 .inputs =
                     TN_LIST(tn_reshape(tn_slice(x, TN_SHAPE(0, 0), TN_SHAPE(1, 1)), TN_SCALAR), y),
                 .batched = 2, .skip = SKIP_DTYPES);
    }
}

static void ops_on_bits_pass_the_checker(void **state)
{
    (void)state;
    const tn__op *ops[] = { &tn__op_BitwiseAnd, &tn__op_BitwiseOr, &tn__op_BitwiseXor,
                            &tn__op_RightShift };
    for (size_t i = 0; i < 4; i++) {
        TN_SCOPE;
        CHECK_OP(.op = ops[i],
                 .inputs = TN_LIST(VALUES(TN_INT64, TN_SHAPE(2, 2), 5, 77, 3, 200),
                                   VALUES(TN_INT64, TN_SHAPE(2), 2, 6)),
                 .batched = 1);
    }
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_LeftShift, .inputs = TN_LIST(VALUES(TN_INT64, TN_SHAPE(2), 5, 77),
                                                        VALUES(TN_INT64, TN_SHAPE(2), 1, 6)));
    CHECK_OP(.op = &tn__op_NextAfter,
             .inputs = TN_LIST(VALUES(TN_FLOAT64, TN_SHAPE(2), 1, 2),
                               VALUES(TN_FLOAT64, TN_SHAPE(2), 3, 1)),
             .skip = SKIP_GRADIENT | SKIP_DTYPES);
}

/* tf.bitwise.left_shift([1, 1, 1, -8], [-1, 31, 40, 1]) and right_shift([8, -8, -8, -8], the same)
 */
static void shifts_stop_at_the_width(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *by = VALUES(TN_INT32, TN_SHAPE(4), -1, 31, 40, 1);
    CHECK_VALUES(tn_left_shift(VALUES(TN_INT32, TN_SHAPE(4), 1, 1, 1, -8), by), 0, 1, INT32_MIN,
                 INT32_MIN, -16);
    CHECK_VALUES(tn_right_shift(VALUES(TN_INT32, TN_SHAPE(4), 8, -8, -8, -8), by), 0, 8, -1, -1,
                 -4);
    CHECK_VALUES(
        tn_left_shift(VALUES(TN_UINT8, TN_SHAPE(2), 200, 200), VALUES(TN_UINT8, TN_SHAPE(2), 1, 9)),
        0, 144, 0);
}

static void quotients_of_whole_numbers_are_pythons(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_INT32, TN_SHAPE(5), 7, -7, 7, -7, INT32_MIN),
              *y = VALUES(TN_INT32, TN_SHAPE(5), 2, 2, -2, -2, -1);
    CHECK_VALUES(tn_floordiv(x, y), 0, 3, -4, -4, 3, INT32_MIN);
    CHECK_VALUES(tn_floormod(x, y), 0, 1, 1, -1, -1, 0);
    CHECK_VALUES(tn_truncatediv(x, y), 0, 3, -3, -3, 3, INT32_MIN);
    CHECK_VALUES(tn_truncatemod(x, y), 0, 1, -1, 1, -1, 0);
    CHECK_VALUES(tn_floordiv(VALUES(TN_INT64, TN_SHAPE(1), -7), tn_scalar(2)), 0, -4);
    CHECK_VALUES(tn_floordiv(VALUES(TN_UINT8, TN_SHAPE(1), 7), VALUES(TN_UINT8, TN_SHAPE(1), 2)), 0,
                 3);
    CHECK_VALUES(tn_pow(VALUES(TN_INT32, TN_SHAPE(4), 2, -3, 0, 2),
                        VALUES(TN_INT32, TN_SHAPE(4), 10, 3, 0, 40)),
                 0, 1024, -27, 1, 0);
}

static void a_whole_zero_divides_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_INT32, TN_SHAPE(2), 1, 2), *y = VALUES(TN_INT32, TN_SHAPE(2), 1, 0);
    assert_null(tn_floordiv(x, y));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Integer division by zero");
    assert_null(tn_floormod(x, y));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Integer division by zero");
    assert_null(tn_truncatediv(x, tn_scalar(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Integer division by zero");
    assert_null(tn_pow(x, VALUES(TN_INT32, TN_SHAPE(2), 1, -1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Integers to negative integer powers are not allowed");
    CHECK_VALUES(
        tn_size(tn_floordiv(tn_zeros(TN_SHAPE(0), TN_INT32), VALUES(TN_INT32, TN_SHAPE(1), 0))), 0,
        0);
    CHECK_VALUES(
        tn_floordiv(VALUES(TN_FLOAT32, TN_SHAPE(1), 1), VALUES(TN_FLOAT32, TN_SHAPE(1), 0)), 0,
        INFINITY);
}

/* tf.math.divide: the dtypes of Python 3's / */
static void division_is_true_division(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_INT32, TN_SHAPE(2), 7, 8);
    CHECK_TENSOR(tn_divide(x, VALUES(TN_INT32, TN_SHAPE(2), 2, 3)),
                 VALUES(TN_FLOAT64, TN_SHAPE(2), 3.5, 8.0 / 3), 0, 0);
    CHECK_TENSOR(tn_divide(x, tn_scalar(2)), VALUES(TN_FLOAT64, TN_SHAPE(2), 3.5, 4), 0, 0);
    CHECK_TENSOR(tn_divide(tn_cast(x, TN_INT64), tn_scalar(0)),
                 VALUES(TN_FLOAT64, TN_SHAPE(2), INFINITY, INFINITY), 0, 0);
    CHECK_TENSOR(tn_divide(tn_cast(x, TN_UINT8), tn_scalar(2)),
                 VALUES(TN_FLOAT32, TN_SHAPE(2), 3.5, 4), 0, 0);
    CHECK_TENSOR(tn_divide(tn_scalar(5), VALUES(TN_FLOAT32, TN_SHAPE(1), 2)),
                 VALUES(TN_FLOAT32, TN_SHAPE(1), 2.5), 0, 0);
    CHECK_TENSOR(tn_divide(tn_scalar(5), tn_scalar(2)), VALUES(TN_FLOAT64, TN_SCALAR, 2.5), 0, 0);
    CHECK_TENSOR(tn_divide(tn_cast(x, TN_FLOAT16), tn_scalar(0.5)),
                 VALUES(TN_FLOAT16, TN_SHAPE(2), 14, 16), 0, 0);
    CHECK_TENSOR(tn_divide_no_nan(x, VALUES(TN_INT32, TN_SHAPE(2), 0, 4)),
                 VALUES(TN_FLOAT64, TN_SHAPE(2), 0, 2), 0, 0);
    CHECK_VALUES(tn_reciprocal_no_nan(VALUES(TN_FLOAT32, TN_SHAPE(2), 0, 4)), 0, 0, 0.25);
    assert_null(tn_divide(x, VALUES(TN_FLOAT32, TN_SHAPE(2), 2, 3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`x` and `y` must have the same dtype, got tf.int32 != tf.float32.");
    assert_null(tn_divide(x, tn_scalar(2.5)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`x` and `y` must have the same dtype, got tf.int32 != tf.float32.");
    assert_null(tn_divide(VALUES(TN_BOOL, TN_SHAPE(1), 1), VALUES(TN_BOOL, TN_SHAPE(1), 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "bool");
}

static void whole_sums_and_products_wrap_around(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *most = VALUES(TN_INT32, TN_SHAPE(1), INT32_MAX),
              *least = VALUES(TN_INT32, TN_SHAPE(1), INT32_MIN);
    CHECK_VALUES(tn_add(most, tn_scalar(1)), 0, INT32_MIN);
    CHECK_VALUES(tn_subtract(least, tn_scalar(1)), 0, INT32_MAX);
    CHECK_VALUES(tn_multiply(most, most), 0, 1);
    CHECK_VALUES(tn_negative(least), 0, INT32_MIN);
    CHECK_VALUES(tn_abs(least), 0, INT32_MIN);
    CHECK_VALUES(tn_squared_difference(most, least), 0, 1);
}

static tn_tensor *gradient(tn_tensor *(*function)(tn_tensor *, tn_tensor *), tn_tensor *x,
                           tn_tensor *y, int of)
{
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, of ? y : x);
    return tn_gradient_of(tape, function(x, y), of ? y : x);
}

/* t.gradient(f(x, y), x) and …, y) of tf.maximum, tf.pow, tf.math.xlogy, tf.math.divide_no_nan at
 * the edges of their rules */
static void gradients_on_edges_are_tensorflows(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3),
              *y = VALUES(TN_FLOAT32, TN_SHAPE(3), 3, 2, 1);
    CHECK_VALUES(gradient(tn_maximum, x, y, 0), 0, 0, 1, 1);
    CHECK_VALUES(gradient(tn_maximum, x, y, 1), 0, 1, 0, 0);
    CHECK_VALUES(gradient(tn_minimum, x, y, 0), 0, 1, 1, 0);
    CHECK_VALUES(gradient(tn_minimum, x, y, 1), 0, 0, 0, 1);
    tn_tensor *base = VALUES(TN_FLOAT32, TN_SHAPE(3), 0, -2, 0),
              *power = VALUES(TN_FLOAT32, TN_SHAPE(3), 2, 3, 0);
    CHECK_VALUES(gradient(tn_pow, base, power, 0), 0, 0, 12, NAN);
    CHECK_VALUES(gradient(tn_pow, base, power, 1), 0, 0, 0, 0);
    tn_tensor *zero = VALUES(TN_FLOAT32, TN_SHAPE(2), 0, 0),
              *q = VALUES(TN_FLOAT32, TN_SHAPE(2), 0, 2);
    CHECK_VALUES(gradient(tn_xlogy, zero, q, 0), 0, 0, 0);
    CHECK_VALUES(gradient(tn_xlogy, zero, q, 1), 0, 0, 0);
    CHECK_VALUES(gradient(tn_divide_no_nan, q, zero, 0), 0, 0, 0);
    CHECK_VALUES(gradient(tn_divide_no_nan, q, zero, 1), 0, 0, 0);
}

static void a_step_to_the_next_number_has_the_slope_of_its_first_input(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2), *y = VALUES(TN_FLOAT32, TN_SCALAR, 3);
    CHECK_VALUES(gradient(tn_nextafter, x, y, 0), 0, 1, 1);
    assert_null(gradient(tn_nextafter, x, y, 1));
    CHECK_NO_ERROR();
}

static void many_tensors_are_added(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = check_numbers(TN_SHAPE(3, 2), -3, 3, 1),
              *y = check_numbers(TN_SHAPE(3, 2), -3, 3, 2);
    CHECK_OP(.op = &tn__op_AddN, .inputs = TN_LIST(x, y, check_numbers(TN_SHAPE(3, 2), -3, 3, 4)),
             .dtypes = TN__FLOATS);
    CHECK_OP(.op = &tn__op_AddN, .inputs = TN_LIST(x), .expected = TN_LIST(x),
             .dtypes = TN__FLOATS);
    CHECK_OP(.op = &tn__op_AddN, .inputs = TN_LIST(VALUES(TN_INT64, TN_SHAPE(2), 200, 7),
                                                   VALUES(TN_INT64, TN_SHAPE(2), 100, -9)));
    tn_tensor *ones[20];
    for (int i = 0; i < 20; i++)
        ones[i] = tn_ones(TN_SHAPE(2), TN_BFLOAT16);
    CHECK_VALUES(tn_add_n((tn_list){ 20, ones }), 0, 20, 20);
    assert_null(
        tn_add_n(TN_LIST(tn_ones(TN_SHAPE(2), TN_FLOAT32), tn_ones(TN_SHAPE(1), TN_FLOAT32))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Inputs to operation AddN of type AddN must have the same "
                                     "size and shape.  Input 0: [2] != input 1: [1]");
    assert_null(tn_add_n((tn_list){ 0, ones }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Inputs must be an iterable of at least one "
                                     "Tensor/IndexedSlices with the same dtype and shape.");
}

/* One dimension after the other stands still or goes on, in every combination that has a walk of
 * its own. */
static void broadcasting_repeats_what_is_missing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_INT32, TN_SHAPE(2, 1, 3), 1, 2, 3, 4, 5, 6),
              *y = VALUES(TN_INT32, TN_SHAPE(2, 1), 10, 20);
    CHECK_VALUES(tn_add(x, y), 0, 11, 12, 13, 21, 22, 23, 14, 15, 16, 24, 25, 26);
    CHECK_VALUES(tn_subtract(y, x), 0, 9, 8, 7, 19, 18, 17, 6, 5, 4, 16, 15, 14);
    tn_tensor *a = VALUES(TN_INT32, TN_SHAPE(2, 1, 2, 1), 0, 100, 200, 300),
              *b = VALUES(TN_INT32, TN_SHAPE(1, 2, 1, 2), 1, 2, 3, 4);
    CHECK_VALUES(tn_add(a, b), 0, 1, 2, 101, 102, 3, 4, 103, 104, 201, 202, 301, 302, 203, 204, 303,
                 304);
    CHECK_VALUES(
        tn_size(tn_add(tn_zeros(TN_SHAPE(0, 3), TN_INT32), tn_ones(TN_SHAPE(1, 3), TN_INT32))), 0,
        0);
    CHECK_VALUES(
        tn_size(tn_add(tn_zeros(TN_SHAPE(2, 0), TN_INT32), tn_ones(TN_SHAPE(2, 1), TN_INT32))), 0,
        0);
    assert_null(tn_add(tn_zeros(TN_SHAPE(0), TN_INT32), tn_ones(TN_SHAPE(2), TN_INT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Incompatible shapes: [0] vs. [2]");
}

static void numbers_take_the_dtype_beside_them(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_TENSOR(tn_add(tn_scalar(1), VALUES(TN_FLOAT16, TN_SHAPE(1), 2)),
                 VALUES(TN_FLOAT16, TN_SHAPE(1), 3), 0, 0);
    CHECK_TENSOR(tn_multiply(VALUES(TN_INT64, TN_SHAPE(1), 2), tn_scalar(3)),
                 VALUES(TN_INT64, TN_SHAPE(1), 6), 0, 0);
    CHECK_TENSOR(tn_multiply(VALUES(TN_FLOAT64, TN_SHAPE(1), 1), tn_scalar(0.1)),
                 VALUES(TN_FLOAT64, TN_SHAPE(1), 0.1), 0, 0);
    assert_null(tn_multiply(VALUES(TN_INT32, TN_SHAPE(1), 2), tn_scalar(0.5)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot compute Mul as input #1(zero-based) was expected to "
                                     "be a int32 tensor but is a float tensor");
    assert_null(tn_add(VALUES(TN_BOOL, TN_SHAPE(1), 1), VALUES(TN_BOOL, TN_SHAPE(1), 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Value for attr 'T' of bool is not in the list of allowed values");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_passes_the_checker),
        cmocka_unit_test(ops_on_bits_pass_the_checker),
        cmocka_unit_test(shifts_stop_at_the_width),
        cmocka_unit_test(quotients_of_whole_numbers_are_pythons),
        cmocka_unit_test(a_whole_zero_divides_nothing),
        cmocka_unit_test(division_is_true_division),
        cmocka_unit_test(whole_sums_and_products_wrap_around),
        cmocka_unit_test(gradients_on_edges_are_tensorflows),
        cmocka_unit_test(a_step_to_the_next_number_has_the_slope_of_its_first_input),
        cmocka_unit_test(many_tensors_are_added),
        cmocka_unit_test(broadcasting_repeats_what_is_missing),
        cmocka_unit_test(numbers_take_the_dtype_beside_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
