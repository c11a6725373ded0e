/* conv_transpose_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/windows.h"

static tn_tensor *small(void)
{
    return layer_input(TN_SHAPE(1, 3, 4, 2), 0);
}

static void it_computes_what_keras_does(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_conv1d_transpose(2, { 3 }, { 2 }),
                .text = "conv1d_transpose(2, 3, strides=2)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 6, 3), 0)), .weights = "kernel|bias",
                .trainable = 2, .expected = VALUES_OF(transpose1d));
    CHECK_LAYER(.layer = tn_conv2d_transpose(3, { 3 }, { 2 }, "same", .activation = "tanh"),
                .text = "conv2d_transpose(3, 3, 2, same, activation=tanh)",
                .inputs = TN_LIST(small()), .weights = "kernel|bias", .trainable = 2,
                .expected = VALUES_OF(transpose2d_same));
    CHECK_LAYER(.layer =
                    tn_conv2d_transpose(2, { 3, 2 }, { 3, 2 }, .output_padding = TN_SHAPE(2, 0)),
                .text = "conv2d_transpose(2, (3, 2), (3, 2), output_padding=(2, 0))",
                .inputs = TN_LIST(small()), .weights = "kernel|bias", .trainable = 2,
                .expected = VALUES_OF(transpose2d_padded));
    CHECK_LAYER(.layer = tn_conv2d_transpose(2, { 2 }, { 3 }), .text = "conv2d_transpose(2, 2, 3)",
                .inputs = TN_LIST(small()), .weights = "kernel|bias", .trainable = 2,
                .expected = VALUES_OF(transpose2d_short));
    CHECK_LAYER(.layer = tn_conv3d_transpose(2, { 2 }, { 2 }, .use_bias = false),
                .text = "conv3d_transpose(2, 2, 2, use_bias=false)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(1, 2, 2, 2, 2), 0)), .weights = "kernel",
                .trainable = 1, .expected = VALUES_OF(transpose3d));
}

static void images_of_any_size_are_taken(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = tn_conv2d_transpose(3, { 3 }, { 2 }, "same");
    tn_tensor *open = tn_input(TN_SHAPE(TN_NONE, 4, 2)), *y = tn_call(layer, open);
    assert_string_equal(tn_shape_text(y), "(None, None, 8, 3)");
    CHECK_TENSOR(tn_call(tn_model(open, y), small()), tn_call(layer, small()), 0, 0);
}

static void channels_may_come_first(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *first = tn_conv2d_transpose(3, { 3 }, { 2 }, .data_format = "channels_first"),
             *last = tn_conv2d_transpose(3, { 3 }, { 2 });
    tn_tensor *turned = tn_transpose(small(), TN_AXES(0, 3, 1, 2));
    layer_prepare(first, TN_LIST(turned));
    layer_prepare(last, TN_LIST(small()));
    tn_tensor *y = tn_transpose(tn_call(first, turned), TN_AXES(0, 2, 3, 1));
    CHECK_TENSOR(y, tn_call(last, small()), 1e-6, 1e-6);
}

static void wrong_arguments_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_conv2d_transpose(3, { 3 }, { 2 }, .output_padding = TN_SHAPE(2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`output_padding` must be strictly less than `strides` for all dimensions. At "
                "dimension 0, `output_padding` is 2 but `strides` is 2. Received: "
                "output_padding=(2, 2), strides=(2, 2)");
    assert_null(tn_conv2d_transpose(3, { 3 }, { 2 }, .output_padding = TN_SHAPE(1, 1, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "The `output_padding` argument must be a tuple of 2 integers.");
    assert_null(tn_conv1d_transpose(3, { 3 }, { 2 }, .dilation_rate = { 2 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: "
                "strides=(2,) and dilation_rate=(2,)");
}

/* A number of Keras 2 stands for both axes; `groups` came from its Conv2D. */
static void keras_2_s_words_are_read(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = json_pack("{s:s, s:{s:i, s:[i,i], s:i, s:i, s:i, s:n}}", "class_name",
                             "Conv2DTranspose", "config", "filters", 2, "kernel_size", 3, 3,
                             "strides", 2, "groups", 1, "output_padding", 1, "data_format");
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &layer));
    json_decref(json);
    const tn_conv_transpose_options *o = tn__own(layer) ? layer->self : NULL;
    assert_int_equal(o->output_padding.rank, 2);
    assert_int_equal(o->output_padding.dims[1], 1);
    assert_int_equal(o->strides[1], 2);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_computes_what_keras_does),
        cmocka_unit_test(images_of_any_size_are_taken),
        cmocka_unit_test(channels_may_come_first),
        cmocka_unit_test(wrong_arguments_are_told),
        cmocka_unit_test(keras_2_s_words_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
