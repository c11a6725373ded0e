/* leaky_relu_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/more.h"

static void there_is_a_slope_below_0(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list rows = TN_LIST(layer_input(TN_SHAPE(2, 4), 0)),
            cube = TN_LIST(layer_input(TN_SHAPE(2, 3, 4), 0));
    CHECK_LAYER(.layer = tn_leaky_relu(0.2), .text = "leaky_re_lu(0.2)", .inputs = rows,
                .expected = VALUES_OF(leaky));
    CHECK_LAYER(.layer = tn_elu(0.5), .text = "elu(0.5)", .inputs = rows,
                .expected = VALUES_OF(elu));
    CHECK_LAYER(.layer = tn_prelu(), .text = "p_re_lu()", .inputs = cube, .weights = "alpha",
                .trainable = 1, .expected = VALUES_OF(prelu));
    CHECK_LAYER(.layer = tn_prelu(.shared_axes = TN_AXES(1)), .text = "p_re_lu(shared_axes=1)",
                .inputs = cube, .weights = "alpha", .trainable = 1,
                .expected = VALUES_OF(prelu_shared));
}

static void wrong_arguments_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_leaky_relu(-0.1));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "The negative_slope value of a Leaky ReLU layer cannot be None or negative value. "
                "Expected a float. Received: negative_slope=-0.1");
    tn_layer *layer = tn_prelu(.name = "p");
    tn_call(layer, layer_input(TN_SHAPE(2, 4), 0));
    assert_null(tn_call(layer, layer_input(TN_SHAPE(2, 5), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "expected axis 1 of input shape to have value 4, but received "
                                     "input with shape (2, 5)");
    assert_null(tn_call(tn_prelu(.shared_axes = TN_AXES(3)), layer_input(TN_SHAPE(2, 5), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "shared_axes has 3");
}

/* Keras 2 calls the slope alpha, and wrote it as numpy did. */
static void keras_2_s_words_are_read_and_written(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = json_pack("{s:s, s:{s:s, s:{s:s, s:f}}}", "class_name", "LeakyReLU", "config",
                             "name", "l", "alpha", "type", "ndarray", "value", 0.25);
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &layer));
    json_decref(json);
    tn__own(layer);
    CHECK_VALUES(tn_call(layer, VALUES(TN_FLOAT32, TN_SHAPE(2), -4, 4)), 0, -1, 4);
    json = tn__layer_to_json(layer, TN__KERAS_2);
    json_t *config = json_object_get(json, "config");
    assert_true(json_real_value(json_object_get(config, "alpha")) == 0.25);
    assert_null(json_object_get(config, "negative_slope"));
    json_decref(json);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_a_slope_below_0),
        cmocka_unit_test(wrong_arguments_are_told),
        cmocka_unit_test(keras_2_s_words_are_read_and_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
