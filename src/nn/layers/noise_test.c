/* noise_test.c */
#include "support/check_layer.h"
#include "nn/layers/testdata/more.h"

static void the_numbers_are_keras_s_for_the_same_seed(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list cube = TN_LIST(layer_input(TN_SHAPE(2, 3, 4), 0));
    CHECK_LAYER(.layer = tn_gaussian_noise(0.4, .seed = 7), .text = "gaussian_noise(0.4, seed=7)",
                .inputs = cube, .trained = VALUES_OF(noise));
    CHECK_LAYER(.layer = tn_gaussian_dropout(0.3, .seed = 7),
                .text = "gaussian_dropout(0.3, seed=7)", .inputs = cube,
                .trained = VALUES_OF(gaussian_dropout));
    CHECK_LAYER(.layer = tn_alpha_dropout(0.3, TN_SHAPE(TN_NONE, 1, 4), 7),
                .text = "alpha_dropout(0.3, (none, 1, 4), 7)", .inputs = cube,
                .trained = VALUES_OF(alpha_dropout));
}

static void nothing_happens_outside_of_training_or_without_noise(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = layer_input(TN_SHAPE(2, 3), 0);
    CHECK_TENSOR(tn_call(tn_gaussian_noise(0.5), x), x, 0, 0);
    CHECK_TENSOR(tn_call_with(tn_gaussian_dropout(0), TN_LIST(x), .training = true), x, 0, 0);
    CHECK_TENSOR(tn_call_with(tn_alpha_dropout(0), TN_LIST(x), .training = true), x, 0, 0);
}

static void wrong_rates_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_gaussian_noise(2));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`stddev`. Expected 0..1. Received: stddev=2");
    tn_tensor *x = layer_input(TN_SHAPE(2, 3), 0);
    assert_null(tn_call_with(tn_gaussian_dropout(1), TN_LIST(x), .training = true));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "float division by zero");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_numbers_are_keras_s_for_the_same_seed),
        cmocka_unit_test(nothing_happens_outside_of_training_or_without_noise),
        cmocka_unit_test(wrong_rates_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
