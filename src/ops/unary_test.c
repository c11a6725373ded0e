/* unary_test.c - what is special of functions of one element; their values on edges are in
 * elementwise_test.c. */
#include "support/check_op.h"
#include <math.h>

/* Inside each function's domain, away from its kinks. */
static const struct {
    const tn__op *op;
    double low, high;
    unsigned skip;
} smooth[] = {
    { &tn__op_Neg, -3, 3, 0 },       { &tn__op_Abs, 0.2, 3, 0 },
    { &tn__op_Abs, -3, -0.2, 0 },    { &tn__op_Sign, 0.2, 3, 0 },
    { &tn__op_Square, -3, 3, 0 },    { &tn__op_Sqrt, 0.3, 9, 0 },
    { &tn__op_Rsqrt, 0.3, 9, 0 },    { &tn__op_Reciprocal, 0.4, 4, 0 },
    { &tn__op_Inv, -4, -0.4, 0 },    { &tn__op_Exp, -3, 3, 0 },
    { &tn__op_Expm1, -3, 3, 0 },     { &tn__op_Log, 0.2, 5, 0 },
    { &tn__op_Log1p, -0.8, 5, 0 },   { &tn__op_Sin, -4, 4, 0 },
    { &tn__op_Cos, -4, 4, 0 },       { &tn__op_Tan, -1.2, 1.2, 0 },
    { &tn__op_Asin, -0.9, 0.9, 0 },  { &tn__op_Acos, -0.9, 0.9, 0 },
    { &tn__op_Atan, -4, 4, 0 },      { &tn__op_Sinh, -3, 3, 0 },
    { &tn__op_Cosh, -3, 3, 0 },      { &tn__op_Asinh, -4, 4, 0 },
    { &tn__op_Acosh, 1.2, 5, 0 },    { &tn__op_Atanh, -0.8, 0.8, 0 },
    { &tn__op_Floor, 0.2, 0.8, 0 },  { &tn__op_Ceil, -0.8, -0.2, 0 },
    { &tn__op_Rint, 1.6, 2.4, 0 },   { &tn__op_Round, -2.4, -1.6, 0 },
    { &tn__op_IsNan, -1, 1, 0 },     { &tn__op_IsInf, -1, 1, 0 },
    { &tn__op_IsFinite, -1, 1, 0 },  { &tn__op_OnesLike, -1, 1, 0 },
    { &tn__op_ZerosLike, -1, 1, 0 },
};

static void every_function_passes_the_checker(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof smooth / sizeof *smooth; i++) {
        TN_SCOPE;
        tn_tensor *x = check_numbers(TN_SHAPE(3, 4), smooth[i].low, smooth[i].high, (unsigned)i);
        CHECK_OP(.op = smooth[i].op, .inputs = TN_LIST(x), .skip = smooth[i].skip);
        CHECK_OP(.op = smooth[i].op, .inputs = TN_LIST(tn_reshape(x, TN_SHAPE(12))));
    }
}

static void ops_on_bits_and_booleans_pass_the_checker(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_INT64, TN_SHAPE(2, 3), 0, 1, -1, 77, 5, 250);
    CHECK_OP(.op = &tn__op_Invert, .inputs = TN_LIST(x));
    CHECK_OP(.op = &tn__op_PopulationCount, .inputs = TN_LIST(x), .skip = SKIP_DTYPES);
    CHECK_OP(.op = &tn__op_LogicalNot, .inputs = TN_LIST(VALUES(TN_BOOL, TN_SHAPE(3), 1, 0, 1)),
             .expected = TN_LIST(VALUES(TN_BOOL, TN_SHAPE(3), 0, 1, 0)));
    CHECK_OP(.op = &tn__op_OnesLike, .inputs = TN_LIST(VALUES(TN_BOOL, TN_SHAPE(2), 0, 0)),
             .expected = TN_LIST(VALUES(TN_BOOL, TN_SHAPE(2), 1, 1)));
}

/* tf.raw_ops.PopulationCount counts the bits of the type, so -1 has as many as that has. */
static void the_bits_of_a_type_are_counted(void **state)
{
    (void)state;
    TN_SCOPE;
    const tn__op *op = &tn__op_PopulationCount;
    CHECK_VALUES(TN__APPLY(*op, NULL, VALUES(TN_INT32, TN_SHAPE(2), -1, 3)), 0, 32, 2);
    CHECK_VALUES(TN__APPLY(*op, NULL, VALUES(TN_INT64, TN_SHAPE(1), -1)), 0, 64);
    CHECK_VALUES(TN__APPLY(*op, NULL, VALUES(TN_UINT8, TN_SHAPE(1), 255)), 0, 8);
}

static void gradients_that_are_ops_have_gradients(void **state)
{
    (void)state;
    const tn__op *ops[] = { &tn__op_SqrtGrad, &tn__op_RsqrtGrad, &tn__op_ReciprocalGrad,
                            &tn__op_InvGrad };
    for (size_t i = 0; i < 4; i++) {
        TN_SCOPE;
        CHECK_OP(.op = ops[i], .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3), 0.5, 2, 1),
                                                 check_numbers(TN_SHAPE(2, 3), -2, 2, 2)));
    }
}

/* At the pole of √x nothing arrives, and nothing is made of it: with tf.GradientTape() as t: y =
 * tf.sqrt(x) * 0.0 gives 0. */
static void a_pole_that_does_not_matter_has_no_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2), 0, 4);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = tn_multiply(tn_sqrt(x), VALUES(TN_FLOAT32, TN_SHAPE(2), 0, 1));
    CHECK_VALUES(tn_gradient_of(tape, y, x), 1e-6, 0, 0.25);
}

static void numbers_and_variables_go_in_too(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_exp(tn_scalar(0.0)), 0, 1);
    CHECK_VALUES(tn_negative(tn_scalar(3)), 0, -3);
    tn_variable *v = tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(2), 4, 9));
    CHECK_VALUES(tn_sqrt(v), 0, 2, 3);
}

static void a_whole_number_has_no_root(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_sqrt(VALUES(TN_INT32, TN_SHAPE(1), 4)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Value for attr 'T' of int32 is not in the list of allowed values");
    assert_null(tn_logical_not(VALUES(TN_INT32, TN_SHAPE(1), 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot compute LogicalNot as input #0(zero-based) was "
                                     "expected to be a bool tensor but is a int32 tensor");
    assert_null(TN__APPLY(tn__op_SqrtGrad, NULL, tn_zeros(TN_SHAPE(2), TN_FLOAT32),
                          tn_zeros(TN_SHAPE(1), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "The two arguments to a cwise op must have same number of elements, got 2 and 1");
}

/* Numbers below 1.2e-38 go in as 0 and come out as 0, as TensorFlow's kernels have it. */
static void subnormal_numbers_are_zero(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *tiny = VALUES(TN_FLOAT32, TN_SHAPE(2), 1e-40, -1e-40);
    CHECK_VALUES(tn_greater(tiny, tn_zeros_like(tiny)), 0, 0, 0);
    CHECK_VALUES(tn_square(VALUES(TN_FLOAT32, TN_SHAPE(1), 1e-20)), 0, 0);
    CHECK_VALUES(tn_reciprocal(tiny), 0, INFINITY, -INFINITY);
    CHECK_VALUES(tn_pow(VALUES(TN_FLOAT32, TN_SHAPE(2), INFINITY, 0), tiny), 0, 1, 1);
    CHECK_VALUES(tn_lgamma(tiny), 1e-4, 103.97208, 103.97208); /* 150 log 2 */
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_passes_the_checker),
        cmocka_unit_test(ops_on_bits_and_booleans_pass_the_checker),
        cmocka_unit_test(the_bits_of_a_type_are_counted),
        cmocka_unit_test(gradients_that_are_ops_have_gradients),
        cmocka_unit_test(a_pole_that_does_not_matter_has_no_gradient),
        cmocka_unit_test(numbers_and_variables_go_in_too),
        cmocka_unit_test(subnormal_numbers_are_zero),
        cmocka_unit_test(a_whole_number_has_no_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
