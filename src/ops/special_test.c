/* special_test.c */
#include "support/check_op.h"
#include <math.h>

static const struct {
    const tn__op *op;
    double low, high;
} smooth[] = {
    { &tn__op_Erf, -2.5, 2.5 },    { &tn__op_Erfc, -2.5, 2.5 },   { &tn__op_Erfinv, -0.9, 0.9 },
    { &tn__op_Ndtri, 0.05, 0.95 }, { &tn__op_Lgamma, 0.4, 6 },    { &tn__op_Digamma, 0.4, 6 },
    { &tn__op_BesselI0, -3, 3 },   { &tn__op_BesselI0e, 0.2, 4 }, { &tn__op_BesselI0e, -4, -0.2 },
    { &tn__op_BesselI1, 0.5, 3 },  { &tn__op_BesselI1e, 0.5, 4 }, { &tn__op_BesselI1e, -4, -0.5 },
};

static void every_function_passes_the_checker(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof smooth / sizeof *smooth; i++) {
        TN_SCOPE;
        CHECK_OP(.op = smooth[i].op, .inputs = TN_LIST(check_numbers(TN_SHAPE(3, 4), smooth[i].low,
                                                                     smooth[i].high, (unsigned)i)));
    }
}

/* By the order there is no gradient, as in TensorFlow: it is a constant of the call. */
static void functions_with_an_order_pass_the_checker(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = check_numbers(TN_SHAPE(2, 3), 0.5, 4, 1);
    CHECK_OP(.op = &tn__op_Polygamma,
             .inputs = TN_LIST(VALUES(TN_FLOAT64, TN_SHAPE(3), 0, 1, 3), x), .constant = 1,
             .batched = 2, .gradient_tolerance = 1e-4);
    CHECK_OP(.op = &tn__op_Zeta, .inputs = TN_LIST(VALUES(TN_FLOAT64, TN_SHAPE(3), 1.5, 2, 4), x),
             .constant = 1, .batched = 2, .gradient_tolerance = 1e-4);
}

/* tf.math.polygamma(a, x), tf.math.zeta(x, q), tf.math.erfcinv(x) in float64 */
static void values_agree_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    const tn_dtype d = TN_FLOAT64;
    CHECK_VALUES(tn_polygamma(VALUES(d, TN_SHAPE(5), 1, 2, 3, 2, 3),
                              VALUES(d, TN_SHAPE(5), 0.5, 1.5, 10, 1, -0.5)),
                 1e-12, 4.93480220054468, -0.8287966442343201, 0.0023199013042898686,
                 -2.404113806319188, 193.40909103400244);
    CHECK_VALUES(tn_zeta(VALUES(d, TN_SHAPE(5), 1.5, 2, 3, 4, 2.5),
                         VALUES(d, TN_SHAPE(5), 0.5, 1, 10, -1.5, 30)),
                 1e-13, 4.776537947554834, 1.6449340668482266, 0.005524917485401034,
                 32.4323793698646, 0.004160042573845587);
    CHECK_VALUES(tn_zeta(VALUES(d, TN_SHAPE(6), 2, 3, 2, 1, 0.5, 2.5),
                         VALUES(d, TN_SHAPE(6), 0, 0, -1, 2, 2, -0.5)),
                 0, INFINITY, NAN, INFINITY, INFINITY, NAN, NAN);
    CHECK_VALUES(tn_erfcinv(VALUES(d, TN_SHAPE(5), 1e-5, 0.5, 1, 1.5, 1.99)), 1e-13,
                 3.1234132743408756, 0.4769362762044699, 0, -0.4769362762044699,
                 -1.8213863677184496);
}

/* Where 1 - x would lose every digit. */
static void inverses_undo_their_functions_far_out(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *y = VALUES(TN_FLOAT64, TN_SHAPE(8), -5, -1.5, -0.3, 1e-12, 0.2, 0.7, 2, 5);
    CHECK_TENSOR(tn_erfinv(tn_erf(y)), y, 2e-6, 1e-15);
    tn_tensor *p = VALUES(TN_FLOAT64, TN_SHAPE(6), 1e-300, 1e-30, 1e-5, 0.3, 0.5, 0.999);
    tn_tensor *tail = tn_multiply(
        tn_scalar(0.5),
        tn_erfc(tn_divide(tn_negative(tn_ndtri(p)), tn_sqrt(VALUES(TN_FLOAT64, TN_SCALAR, 2)))));
    CHECK_TENSOR(tail, p, 1e-11, 0);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_passes_the_checker),
        cmocka_unit_test(functions_with_an_order_pass_the_checker),
        cmocka_unit_test(values_agree_with_tensorflow),
        cmocka_unit_test(inverses_undo_their_functions_far_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
