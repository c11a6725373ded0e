/* einsum_dense_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/more.h"

static void the_equation_says_what_is_computed(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list cube = TN_LIST(layer_input(TN_SHAPE(2, 3, 4), 0));
    CHECK_LAYER(.layer = tn_einsum_dense("abc,cde->abde", TN_SHAPE(TN_NONE, 2, 3), "tanh", "e"),
                .text = "einsum_dense('abc,cde->abde', (none, 2, 3), tanh, e)", .inputs = cube,
                .weights = "kernel|bias", .trainable = 2, .expected = VALUES_OF(einsum_bias));
    CHECK_LAYER(.layer = tn_einsum_dense("...c,cd->...d", TN_SHAPE(5)),
                .text = "einsum_dense('...c,cd->...d', 5)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 3, 2, 4), 0)), .weights = "kernel",
                .trainable = 1, .expected = VALUES_OF(einsum_left));
    CHECK_LAYER(.layer = tn_einsum_dense("bc...,cd->bd...", TN_SHAPE(2), .bias_axes = "d"),
                .text = "einsum_dense('bc...,cd->bd...', 2, bias_axes=d)", .inputs = cube,
                .weights = "kernel|bias", .trainable = 2, .expected = VALUES_OF(einsum_right));
}

/* Fans in and out are those of the equation, not of the last two dimensions. */
static void the_first_kernel_is_keras_s_for_the_same_seed(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = tn_einsum_dense("abc,dce->abde", TN_SHAPE(3, 2, 3),
                                      .kernel_initializer = "glorot_uniform(seed=3)");
    tn_call(layer, layer_input(TN_SHAPE(2, 3, 4), 0));
    tn_tensor *kernel = tn_at(tn_get_weights(layer), 0);
    CHECK_TENSOR(kernel, check_tensor_of(TN_FLOAT32, TN_SHAPE(2, 4, 3), einsum_initial, 24), 1e-6,
                 1e-6);
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = layer_input(TN_SHAPE(2, 3, 4), 0);
    assert_null(tn_einsum_dense("abc,cd", TN_SHAPE(3, 5)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Invalid einsum equation 'abc,cd'. Equations must be in the form [X],[Y]->[Z], "
                "...[X],[Y]->...[Z], or [X]...,[Y]->[Z]....");
    assert_null(tn_einsum_dense("abc,cd->abd"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "missing 1 required positional argument: 'output_shape'");
    assert_null(tn_call(tn_einsum_dense("abc,cd->abd", TN_SHAPE(4, 5)), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Input shape and output shape do not match at shared dimension "
                "'b'. Input shape is 3, and output shape is 4.");
    assert_null(tn_call(tn_einsum_dense("abc,cd->abe", TN_SHAPE(3, 5)), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Dimension 'e' was specified in the output 'abe' but has no "
                                     "corresponding dim in the input spec 'abc'");
    assert_null(tn_call(tn_einsum_dense("abc,cdz->abd", TN_SHAPE(3, 5)), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Weight dimension 'z' did not have a match in either the input spec 'abc' or the "
                "output spec 'abd'. For this layer, the weight must be fully specified.");
    assert_null(tn_call(tn_einsum_dense("abc,cd->abd", TN_SHAPE(3, 5), .bias_axes = "z"), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Bias dimension 'z' was requested, but is not part of the output spec 'abd'");
    assert_null(tn_call(tn_einsum_dense("abc,cd->abd", TN_SHAPE(5)), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "do not go with an input of shape (2, 3, 4)");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_equation_says_what_is_computed),
        cmocka_unit_test(the_first_kernel_is_keras_s_for_the_same_seed),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
