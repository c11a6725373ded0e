/* activation_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/values.h"

static void a_function_is_a_layer(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_activation("softplus"), .text = "activation(softplus)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 4), 0)),
                .expected = VALUES_OF(activation_softplus));
    CHECK_LAYER(.layer = tn_activation(), .text = "activation(none)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 4), 0)));
}

static void what_files_cannot_say_is_told_when_they_are_written(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn__layer_to_json(tn_activation("leaky_relu(0.1)"), TN__KERAS_3));
    CHECK_ERROR(TN_UNIMPLEMENTED, "activation leaky_relu has arguments of its own");
    assert_null(tn__layer_to_json(tn_activation("hard_sigmoid"), TN__KERAS_2));
    CHECK_ERROR(TN_UNIMPLEMENTED, "Keras 2 has no such function");
    assert_null(tn__layer_to_json(tn_activation("hard_sigmoid_keras2"), TN__KERAS_3));
    CHECK_ERROR(TN_UNIMPLEMENTED, "Keras 3 has no such function");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_is_a_layer),
        cmocka_unit_test(what_files_cannot_say_is_told_when_they_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
