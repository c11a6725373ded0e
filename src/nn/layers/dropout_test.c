/* dropout_test.c */
#include "support/check_layer.h"
#include "nn/layers/testdata/values.h"

static void the_mask_is_keras_s_for_the_same_seed(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = layer_input(TN_SHAPE(2, 3, 4), 0);
    CHECK_LAYER(.layer = tn_dropout(0.4, .seed = 7), .text = "dropout(0.4, seed=7)",
                .inputs = TN_LIST(x), .trained = VALUES_OF(dropout));
    CHECK_LAYER(.layer = tn_dropout(0.4, .noise_shape = TN_SHAPE(TN_NONE, 1, 4), .seed = 7),
                .text = "dropout(0.4, noise_shape=(none, 1, 4), seed=7)", .inputs = TN_LIST(x),
                .trained = VALUES_OF(dropout_shared));
    CHECK_LAYER(.layer = tn_dropout(0), .text = "dropout(0)", .inputs = TN_LIST(x));
}

static bool are_equal(tn_tensor *a, tn_tensor *b)
{
    return memcmp(tn_data_float32(a), tn_data_float32(b), 24 * sizeof(float)) == 0;
}

static tn_tensor *train(tn_layer *layer, tn_tensor *x)
{
    return tn_call_with(layer, TN_LIST(x), .training = true);
}

static void every_training_call_draws_another_mask_traced_too(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(2, 3, 4), TN_FLOAT32);
    tn_layer *layer = tn_dropout(0.5, .seed = 3), *same = tn_dropout(0.5, .seed = 3);
    tn_tensor *a = train(layer, x), *b = train(layer, x);
    assert_false(are_equal(a, b));
    assert_true(are_equal(a, train(same, x)));
    assert_true(are_equal(b, train(same, x)));
    assert_true(are_equal(tn_call(layer, x), x));
    tn_tensor *input = tn_input(TN_SHAPE(3, 4));
    tn_model *model = tn_model(input, tn_call(tn_dropout(0.5, .seed = 3), input));
    assert_true(are_equal(a, train(model, x)));
    assert_true(are_equal(b, train(model, x)));
    CHECK_NO_ERROR();
}

static void the_generator_is_no_weight(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = tn_dropout(0.5);
    CHECK_NO_ERROR();
    assert_int_equal(tn_variables(layer).count, 0);
    assert_int_equal(layer->weight.count, 1);
    assert_string_equal(layer->weight.item[0].field, "seed_generator");
    assert_null(tn_dropout(1.5));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`rate`. Expected 0..1. Received: rate=1.5");
    assert_null(tn_dropout(0.5, TN_SHAPE(0, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Received negative or zero value at index 0: 0");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mask_is_keras_s_for_the_same_seed),
        cmocka_unit_test(every_training_call_draws_another_mask_traced_too),
        cmocka_unit_test(the_generator_is_no_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
