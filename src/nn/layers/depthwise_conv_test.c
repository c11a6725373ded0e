/* depthwise_conv_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/values.h"
#include "nn/layers/testdata/windows.h"

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

static void series_have_one_axis(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list series = TN_LIST(layer_input(TN_SHAPE(2, 6, 3), 0));
    CHECK_LAYER(.layer = tn_depthwise_conv1d({ 3 }, { 2 }, "same", 2),
                .text = "depthwise_conv1d(3, 2, same, 2)", .inputs = series,
                .weights = "kernel|bias", .trainable = 2, .expected = VALUES_OF(depthwise1d));
    CHECK_LAYER(.layer = tn_separable_conv1d(4, { 3 }, .dilation_rate = { 2 }),
                .text = "separable_conv1d(4, 3, dilation_rate=2)", .inputs = series,
                .weights = "depthwise_kernel|pointwise_kernel|bias", .trainable = 3,
                .expected = VALUES_OF(separable1d));
}

static void a_separable_one_mixes_the_channels(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_separable_conv2d(3, { 2, 3 }, .padding = "same", .depth_multiplier = 2,
                                             .activation = "tanh"),
                .text = "separable_conv2d(3, (2, 3), padding=same, depth_multiplier=2, "
                        "activation=tanh)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 5, 6, 4), 0)),
                .weights = "depthwise_kernel|pointwise_kernel|bias", .trainable = 3,
                .expected = VALUES_OF(separable2d));
    assert_null(tn_call(tn_separable_conv2d(3, { 3 }), layer_input(TN_SHAPE(1, 2, 5, 1), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Computed output size would be zero or negative. Received `inputs shape=(1, 2, 5, "
                "1)`, `kernel shape=(3, 3, 1, 3)`");
}

static void filters_that_cannot_be_counted_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *image = layer_input(TN_SHAPE(1, 5, 5, 3), 0);
    tn_layer *many = tn_depthwise_conv2d({ 1 }, .depth_multiplier = INT64_MAX);
    assert_null(tn_call(many, image));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "depth_multiplier=9223372036854775807 is too large for 3 channels");
    assert_null(tn_call(tn_separable_conv2d(1, { 1 }, .depth_multiplier = INT64_MAX), image));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "depth_multiplier=9223372036854775807 is too large for 3 channels");
}

static void channels_may_come_first(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *series = layer_input(TN_SHAPE(2, 6, 3), 0),
              *turned = tn_transpose(series, TN_AXES(0, 2, 1));
    tn_layer *first = tn_separable_conv1d(4, { 3 }, { 2 }, .data_format = "channels_first"),
             *last = tn_separable_conv1d(4, { 3 }, { 2 });
    layer_prepare(first, TN_LIST(turned));
    layer_prepare(last, TN_LIST(series));
    tn_tensor *y = tn_transpose(tn_call(first, turned), TN_AXES(0, 2, 1));
    CHECK_TENSOR(y, tn_call(last, series), 1e-6, 1e-6);
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
    const tn_depthwise_conv_options *o = tn__own(layer) ? layer->self : NULL;
    assert_int_equal(o->depth_multiplier, 2);
    assert_string_equal(o->data_format, "channels_last");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_computes_what_keras_does),
        cmocka_unit_test(series_have_one_axis),
        cmocka_unit_test(a_separable_one_mixes_the_channels),
        cmocka_unit_test(filters_that_cannot_be_counted_are_told),
        cmocka_unit_test(channels_may_come_first),
        cmocka_unit_test(keras_2_s_groups_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
