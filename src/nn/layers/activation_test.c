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
    assert_null(tn__layer_to_json(tn_activation("squareplus(2)"), TN__KERAS_3));
    CHECK_ERROR(TN_UNIMPLEMENTED, "activation squareplus has arguments of its own");
    assert_null(tn__layer_to_json(tn_activation("hard_sigmoid"), TN__KERAS_2));
    CHECK_ERROR(TN_UNIMPLEMENTED, "Keras 2 has no such function");
}

static const char *activation_of(tn_layer *layer, tn__era era)
{
    json_t *json = tn__layer_to_json(layer, era);
    char *text =
        json_dumps(json_object_get(json_object_get(json, "config"), "activation"), JSON_ENCODE_ANY);
    const char *copy = tn_format("%s", text);
    free(text);
    json_decref(json);
    return copy;
}

/* Layers without weights, which both generations take where a function may stand. */
static void a_function_with_arguments_is_a_layer_in_files(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(activation_of(tn_activation("leaky_relu(0.1)"), TN__KERAS_3),
                        "{\"module\": \"keras.layers\", \"class_name\": \"LeakyReLU\", \"config\": "
                        "{\"negative_slope\": 0.10000000000000001}, \"registered_name\": null}");
    assert_non_null(
        strstr(activation_of(tn_activation("leaky_relu(0.1)"), TN__KERAS_2), "{\"alpha\": 0.1"));
    assert_non_null(strstr(activation_of(tn_activation("softmax(axis=1)"), TN__KERAS_2),
                           "\"Softmax\", \"config\": {\"axis\": 1}"));
    assert_string_equal(activation_of(tn_activation("leaky_relu"), TN__KERAS_3), "\"leaky_relu\"");
    assert_string_equal(activation_of(tn_activation("hard_sigmoid_keras2"), TN__KERAS_2),
                        "\"hard_sigmoid\"");
    const char *old = activation_of(tn_activation("hard_sigmoid_keras2"), TN__KERAS_3);
    assert_non_null(strstr(old, "\"scale\": 0.20000000000000001, \"offset\": 0.5"));
    assert_null(strstr(old, "dtype"));
    old = activation_of(tn_activation("hard_sigmoid_keras2", .dtype = "float64"), TN__KERAS_3);
    assert_non_null(strstr(
        old,
        "\"max_value\": 1.0, \"dtype\": {\"module\": \"keras\", \"class_name\": \"DTypePolicy\""));
    CHECK_NO_ERROR();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_is_a_layer),
        cmocka_unit_test(a_function_with_arguments_is_a_layer_in_files),
        cmocka_unit_test(what_files_cannot_say_is_told_when_they_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
