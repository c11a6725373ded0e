/* depthwise_conv2d_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/values.h"

static void it_computes_what_keras_does(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_depthwise_conv2d({ 3 }, { 2 }, "same", 2),
                .text = "depthwise_conv2d(3, 2, same, 2)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 5, 6, 4), 0)), .weights = "kernel|bias",
                .trainable = 2, .expected = VALUES_OF(depthwise_same));
    CHECK_LAYER(.layer = tn_depthwise_conv2d({ 2, 3 }, .activation = "relu", .use_bias = false),
                .text = "depthwise_conv2d((2, 3), activation=relu, use_bias=false)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(1, 7, 7, 2), 0)), .weights = "kernel",
                .trainable = 1, .expected = VALUES_OF(depthwise_valid));
}

static void keras_2_s_groups_are_dropped(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = json_pack("{s:s, s:{s:s, s:[i,i], s:i, s:i, s:n}}", "class_name",
                             "DepthwiseConv2D", "config", "name", "d", "kernel_size", 3, 3,
                             "groups", 1, "depth_multiplier", 2, "data_format");
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &layer));
    json_decref(json);
    const tn_depthwise_conv2d_options *o = tn__own(layer) ? layer->self : NULL;
    assert_int_equal(o->depth_multiplier, 2);
    assert_string_equal(o->data_format, "channels_last");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_computes_what_keras_does),
        cmocka_unit_test(keras_2_s_groups_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
