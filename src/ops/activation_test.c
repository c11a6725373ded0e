/* activation_test.c */
#include "support/check_op.h"

static const double alpha = 0.3;

/* Both sides of each kink, none within a step of it. */
static tn_tensor *both_sides(void)
{
    return VALUES(TN_FLOAT64, TN_SHAPE(4, 2), -2.5, 0.4, -0.3, 5.5, 7.25, -1.125, 1, -4);
}

static void every_activation_passes_the_checker(void **state)
{
    (void)state;
    const tn__op *ops[] = { &tn__op_Sigmoid, &tn__op_Tanh, &tn__op_Relu,     &tn__op_Relu6,
                            &tn__op_Elu,     &tn__op_Selu, &tn__op_Softplus, &tn__op_Softsign };
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        TN_SCOPE;
        /* Fractions below 0 wrap differently as bytes. */
        CHECK_OP(.op = ops[i], .inputs = TN_LIST(both_sides()), .dtypes = TN__FLOATS);
    }
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_LeakyRelu, .attrs = &alpha, .inputs = TN_LIST(both_sides()));
}

static void gradients_that_are_ops_have_gradients(void **state)
{
    (void)state;
    const tn__op *ops[] = { &tn__op_ReluGrad, &tn__op_Relu6Grad,    &tn__op_EluGrad,
                            &tn__op_SeluGrad, &tn__op_SoftplusGrad, &tn__op_SoftsignGrad };
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        TN_SCOPE;
        CHECK_OP(.op = ops[i],
                 .inputs = TN_LIST(check_numbers(TN_SHAPE(4, 2), -2, 2, 5), both_sides()),
                 .dtypes = TN__FLOATS);
    }
    TN_SCOPE;
    tn_tensor *dy = check_numbers(TN_SHAPE(4, 2), -2, 2, 5),
              *y = check_numbers(TN_SHAPE(4, 2), 0.1, 0.9, 6);
    CHECK_OP(.op = &tn__op_LeakyReluGrad, .attrs = &alpha, .inputs = TN_LIST(dy, both_sides()));
    CHECK_OP(.op = &tn__op_SigmoidGrad, .inputs = TN_LIST(y, dy));
    CHECK_OP(.op = &tn__op_TanhGrad, .inputs = TN_LIST(y, dy));
}

static void whole_numbers_are_rectified(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_INT32, TN_SHAPE(4), -7, 0, 3, 9);
    CHECK_OP(.op = &tn__op_Relu, .inputs = TN_LIST(x),
             .expected = TN_LIST(VALUES(TN_INT32, TN_SHAPE(4), 0, 0, 3, 9)),
             .dtypes = TN__BIT(TN_INT32) | TN__BIT(TN_INT64));
    CHECK_OP(.op = &tn__op_Relu6, .inputs = TN_LIST(x),
             .expected = TN_LIST(VALUES(TN_INT32, TN_SHAPE(4), 0, 0, 3, 6)),
             .dtypes = TN__BIT(TN_INT32) | TN__BIT(TN_INT64));
    CHECK_TENSOR(tn_nn_leaky_relu(x), VALUES(TN_FLOAT32, TN_SHAPE(4), -1.4, 0, 3, 9), 1e-6, 0);
}

/* tf.nn.gelu(x, approximate=a), tf.nn.silu(x, beta=b), tf.math.log_sigmoid(x) on [-3, -0.5, 0, 1,
 * 4] in float64 */
static void composed_activations_agree_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT64, TN_SHAPE(5), -3, -0.5, 0, 1, 4);
    CHECK_VALUES(tn_nn_gelu(x), 1e-14, -0.004049694777521031, -0.1542687708693288, 0,
                 0.8413447419273903, 3.999873314996021);
    CHECK_VALUES(tn_nn_gelu(x, .approximate = true), 1e-14, -0.0036373923237909,
                 -0.15428599020775666, 0, 0.8411919902786764, 3.9999297540407155);
    CHECK_VALUES(tn_nn_silu(x), 1e-14, -0.14227761953270035, -0.18877033439907273, 0,
                 0.7310585786300049, 3.928055160151634);
    CHECK_VALUES(tn_nn_silu(x, .beta = 2), 1e-14, -0.007417869469904324, -0.13447071068499755, 0,
                 0.8807970779778824, 3.998658599478134);
    CHECK_VALUES(tn_log_sigmoid(x), 1e-14, -3.048587351573742, -0.9740769841801067,
                 -0.6931471805599453, -0.3132616875182228, -0.018149927917809738);
    CHECK_VALUES(tn_nn_leaky_relu(x, .alpha = 0.5), 1e-9, -1.5, -0.25, 0, 1, 4);
}

static tn_tensor *gelu(void *self, tn_list inputs)
{
    return tn_nn_gelu(tn_at(inputs, 0), .approximate = *(const bool *)self);
}

static tn_tensor *silu(void *self, tn_list inputs)
{
    return tn_nn_silu(tn_at(inputs, 0), .beta = *(const double *)self);
}

static tn_tensor *log_sigmoid(void *self, tn_list inputs)
{
    (void)self;
    return tn_log_sigmoid(tn_at(inputs, 0));
}

static void composed_activations_pass_the_checker(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.body = gelu, .self = &(bool){ false }, .inputs = TN_LIST(both_sides()),
             .dtypes = TN__FLOATS);
    CHECK_OP(.body = gelu, .self = &(bool){ true }, .inputs = TN_LIST(both_sides()),
             .dtypes = TN__BIT(TN_FLOAT64) | TN__BIT(TN_FLOAT32));
    CHECK_OP(.body = silu, .self = &(double){ 1 }, .inputs = TN_LIST(both_sides()),
             .dtypes = TN__FLOATS);
    CHECK_OP(.body = silu, .self = &(double){ 2 }, .inputs = TN_LIST(both_sides()));
    CHECK_OP(.body = log_sigmoid, .inputs = TN_LIST(both_sides()), .dtypes = TN__FLOATS);
}

static void a_gradient_of_another_shape_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(TN__APPLY(tn__op_ReluGrad, NULL, tn_zeros(TN_SHAPE(1, 2), TN_FLOAT32),
                          tn_zeros(TN_SHAPE(2), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Inputs to operation ReluGrad of type ReluGrad must have the same size and shape.  "
                "Input 0: [1,2] != input 1: [2]");
    assert_null(tn_nn_gelu(VALUES(TN_INT32, TN_SHAPE(1), 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`features.dtype` must be a floating point tensor.");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_activation_passes_the_checker),
        cmocka_unit_test(gradients_that_are_ops_have_gradients),
        cmocka_unit_test(whole_numbers_are_rectified),
        cmocka_unit_test(composed_activations_agree_with_tensorflow),
        cmocka_unit_test(composed_activations_pass_the_checker),
        cmocka_unit_test(a_gradient_of_another_shape_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
