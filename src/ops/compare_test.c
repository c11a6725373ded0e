/* compare_test.c - values on edges are in elementwise_test.c. */
#include "support/check_op.h"
#include <math.h>

static void every_comparison_passes_the_checker(void **state)
{
    (void)state;
    static const int error = true;
    const tn__op *ops[] = { &tn__op_Less,         &tn__op_LessEqual, &tn__op_Greater,
                            &tn__op_GreaterEqual, &tn__op_Equal,     &tn__op_NotEqual };
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        TN_SCOPE;
        tn_tensor *x = VALUES(TN_FLOAT64, TN_SHAPE(2, 3), 1, 2, 3, 0, 5, 1),
                  *y = VALUES(TN_FLOAT64, TN_SHAPE(2, 3), 1, 3, 2, 0, 7, 0);
        CHECK_OP(.op = ops[i], .attrs = &error, .inputs = TN_LIST(x, y));
        CHECK_OP(.op = ops[i], .attrs = &error,
                 .inputs = TN_LIST(x, VALUES(TN_FLOAT64, TN_SHAPE(1, 3), 1, 2, 2)), .batched = 1);
    }
}

static void logic_passes_the_checker(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_BOOL, TN_SHAPE(4), 0, 0, 1, 1),
              *y = VALUES(TN_BOOL, TN_SHAPE(4), 0, 1, 0, 1);
    CHECK_OP(.op = &tn__op_LogicalAnd, .inputs = TN_LIST(x, y),
             .expected = TN_LIST(VALUES(TN_BOOL, TN_SHAPE(4), 0, 0, 0, 1)));
    CHECK_OP(.op = &tn__op_LogicalOr, .inputs = TN_LIST(x, y),
             .expected = TN_LIST(VALUES(TN_BOOL, TN_SHAPE(4), 0, 1, 1, 1)));
    CHECK_TENSOR(tn_logical_xor(x, y), VALUES(TN_BOOL, TN_SHAPE(4), 0, 1, 1, 0), 0, 0);
}

/* tf.raw_ops.Equal(x=[1, 2], y=[1, 2, 3], incompatible_shape_error=False) is False, NotEqual True
 */
static void shapes_that_differ_may_simply_be_unequal(void **state)
{
    (void)state;
    static const int none = false;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_INT32, TN_SHAPE(2), 1, 2), *y = VALUES(TN_INT32, TN_SHAPE(3), 1, 2, 3);
    CHECK_OP(.op = &tn__op_Equal, .attrs = &none, .inputs = TN_LIST(x, y),
             .expected = TN_LIST(VALUES(TN_BOOL, TN_SCALAR, 0)), .skip = SKIP_EMPTY);
    CHECK_OP(.op = &tn__op_NotEqual, .attrs = &none, .inputs = TN_LIST(x, y),
             .expected = TN_LIST(VALUES(TN_BOOL, TN_SCALAR, 1)), .skip = SKIP_EMPTY);
    CHECK_OP(.op = &tn__op_Equal, .attrs = &none, .inputs = TN_LIST(x, tn_negative(tn_negative(x))),
             .expected = TN_LIST(VALUES(TN_BOOL, TN_SHAPE(2), 1, 1)));
    assert_null(tn_equal(x, y));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Incompatible shapes: [2] vs. [3]");
}

static void nearly_equal_is_within_the_tolerance(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(4), 1, 2, NAN, INFINITY),
              *y = VALUES(TN_FLOAT32, TN_SHAPE(4), 1.005, 2.1, NAN, INFINITY);
    CHECK_TENSOR(tn_approximate_equal(x, y, 0.01), VALUES(TN_BOOL, TN_SHAPE(4), 1, 0, 0, 0), 0, 0);
    static const double tolerance = 0.3;
    CHECK_OP(.op = &tn__op_ApproximateEqual, .attrs = &tolerance,
             .inputs = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3),
                               VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2.5, 3)));
    assert_null(tn_approximate_equal(x, tn_ones(TN_SHAPE(1), TN_FLOAT32), 0.01));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "x and y must be of the same shape. x shape: [4]. y shape: [1]");
}

static void numbers_take_the_dtype_beside_them(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_TENSOR(tn_less(VALUES(TN_INT64, TN_SHAPE(2), 1, 3), tn_scalar(2)),
                 VALUES(TN_BOOL, TN_SHAPE(2), 1, 0), 0, 0);
    assert_null(tn_less(VALUES(TN_FLOAT32, TN_SHAPE(1), 1), VALUES(TN_INT32, TN_SHAPE(1), 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot compute Less as input #1(zero-based) was expected to "
                                     "be a float tensor but is a int32 tensor");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_comparison_passes_the_checker),
        cmocka_unit_test(logic_passes_the_checker),
        cmocka_unit_test(shapes_that_differ_may_simply_be_unequal),
        cmocka_unit_test(nearly_equal_is_within_the_tolerance),
        cmocka_unit_test(numbers_take_the_dtype_beside_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
