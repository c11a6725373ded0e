/* dense_test.c */
#include "support/check_layer.h"
#include "nn/layers/testdata/values.h"

static void it_computes_what_keras_does(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_dense(3, "tanh"), .text = "dense(3, tanh)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 4), 0)), .weights = "kernel|bias",
                .trainable = 2, .expected = VALUES_OF(dense_tanh),
                .trained = VALUES_OF(dense_tanh));
    CHECK_LAYER(.layer = tn_dense(2, .use_bias = false), .text = "dense(2, use_bias=false)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 3, 4), 0)), .weights = "kernel",
                .trainable = 1, .expected = VALUES_OF(dense_plain));
}

static void inputs_that_do_not_fit_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *dense = tn_dense(3, .name = "d");
    assert_null(tn_call(dense, layer_input(TN_SHAPE(4), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Input 0 with name 'None' of layer 'd' is incompatible with the "
                "layer: expected min_ndim=2, found ndim=1. Full shape received: (4,)");
    assert_non_null(tn_call(dense, layer_input(TN_SHAPE(2, 4), 0)));
    assert_null(tn_call(dense, layer_input(TN_SHAPE(2, 5), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "expected axis -1 of input shape to have value 4, but received "
                "input with shape (2, 5)");
}

static void whole_numbers_become_floats(void **state)
{
    (void)state;
    TN_SCOPE;
    const int32_t ones[] = { 1, 2, 3, 4 };
    tn_tensor *y = tn_call(tn_dense(1, .kernel_initializer = "ones"),
                           tn_constant(TN_INT32, TN_SHAPE(2, 2), ones));
    CHECK_VALUES(y, 0, 3, 7);
}

static void wrong_arguments_are_told_when_it_is_made(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_dense(0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`units`. Expected > 0. Received: units=0");
    assert_null(tn_dense(2, "rely"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Unknown activation: 'rely'");
    assert_null(tn_dense(2, .kernel_initializer = "random_normal(deviation=1)"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "RandomNormal has no argument 'deviation'");
    assert_null(tn_dense(2, .activity_regularizer = "l3"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "l3");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_computes_what_keras_does),
        cmocka_unit_test(inputs_that_do_not_fit_are_told),
        cmocka_unit_test(whole_numbers_become_floats),
        cmocka_unit_test(wrong_arguments_are_told_when_it_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
