/* convolution_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/values.h"
#include "nn/layers/testdata/windows.h"

static void it_computes_what_keras_does(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *image = layer_input(TN_SHAPE(2, 5, 6, 4), 0);
    CHECK_LAYER(.layer = tn_conv2d(3, { 3 }, .activation = "tanh"),
                .text = "conv2d(3, 3, activation=tanh)", .inputs = TN_LIST(image),
                .weights = "kernel|bias", .trainable = 2, .expected = VALUES_OF(conv_valid));
    CHECK_LAYER(.layer = tn_conv2d(2, { 3, 2 }, .strides = { 2, 1 }, .padding = "same"),
                .text = "conv2d(2, (3, 2), strides=(2, 1), padding=same)", .inputs = TN_LIST(image),
                .weights = "kernel|bias", .trainable = 2, .expected = VALUES_OF(conv_same));
    CHECK_LAYER(.layer = tn_conv2d(4, { 2 }, .groups = 2, .use_bias = false),
                .text = "conv2d(4, 2, groups=2, use_bias=false)", .inputs = TN_LIST(image),
                .weights = "kernel", .trainable = 1, .expected = VALUES_OF(conv_groups));
    CHECK_LAYER(.layer = tn_conv2d(2, { 3 }, .dilation_rate = { 2 }),
                .text = "conv2d(2, 3, dilation_rate=2)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(1, 7, 7, 2), 0)), .weights = "kernel|bias",
                .trainable = 2, .expected = VALUES_OF(conv_dilated));
}

static void series_and_volumes_are_convolved_too(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list series = TN_LIST(layer_input(TN_SHAPE(2, 6, 3), 0));
    CHECK_LAYER(.layer = tn_conv1d(2, { 3 }, .padding = "causal", .dilation_rate = { 2 }),
                .text = "conv1d(2, 3, padding=causal, dilation_rate=2)", .inputs = series,
                .weights = "kernel|bias", .trainable = 2, .expected = VALUES_OF(conv1d_causal));
    CHECK_LAYER(.layer = tn_conv1d(4, { 2 }, { 2 }, "same", .activation = "tanh"),
                .text = "conv1d(4, 2, 2, same, activation=tanh)", .inputs = series,
                .weights = "kernel|bias", .trainable = 2, .expected = VALUES_OF(conv1d_strided));
    CHECK_LAYER(.layer = tn_conv3d(2, { 2, 3, 2 }, { 1, 2, 1 }, "same"),
                .text = "conv3d(2, (2, 3, 2), (1, 2, 1), same)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(1, 3, 4, 3, 2), 0)),
                .weights = "kernel|bias", .trainable = 2, .expected = VALUES_OF(conv3d));
}

static void channels_may_come_first(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *image = layer_input(TN_SHAPE(2, 5, 6, 4), 0);
    tn_layer *first = tn_conv2d(3, { 3 }, .data_format = "channels_first"),
             *last = tn_conv2d(3, { 3 });
    tn_tensor *turned = tn_transpose(image, TN_AXES(0, 3, 1, 2));
    layer_prepare(first, TN_LIST(turned));
    layer_prepare(last, TN_LIST(image));
    tn_tensor *y = tn_transpose(tn_call(first, turned), TN_AXES(0, 2, 3, 1));
    CHECK_TENSOR(y, tn_call(last, image), 1e-6, 1e-6);
}

static void wrong_arguments_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_conv2d(4));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "The argument `kernel_size` cannot contain 0. Received kernel_size=(0, 0).");
    assert_null(tn_conv2d(3, { 3 }, .groups = 2));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "The number of filters must be evenly divisible by the number of "
                "groups. Received: groups=2, filters=3.");
    assert_null(tn_conv2d(3, { 3 }, .strides = { 2 }, .dilation_rate = { 2 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`");
    assert_null(tn_conv3d(3, { 3, 2 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot contain 0. Received kernel_size=(3, 2, 0).");
    assert_null(tn_conv2d(3, { 3 }, .dilation_rate = { INT64_MAX }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "dilation_rate=(9223372036854775807, 9223372036854775807) is "
                                     "too large, at most 2147483647");
    assert_null(tn_conv2d(3, { 3 }, .padding = "causal"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected one of valid|same. Received: padding='causal'");
    assert_null(tn_conv2d(3, { 3 }, .padding = "full"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected one of valid|same. Received: padding='full'");
}

static void one_number_needs_no_braces(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_zeros(TN_SHAPE(1, 9, 9, 2), TN_FLOAT32);
    assert_string_equal(tn_shape_text(tn_call(tn_conv2d(4, 3), x)), "(1, 7, 7, 4)");
    assert_string_equal(tn_shape_text(tn_call(tn_conv2d(4, 3, 2), x)), "(1, 4, 4, 4)");
    assert_string_equal(tn_shape_text(tn_call(tn_conv2d(4, { 3, 1 }, 2), x)), "(1, 4, 5, 4)");
    assert_string_equal(tn_shape_text(tn_call(tn_conv2d(4, .strides = 3, .kernel_size = 2), x)),
                        "(1, 3, 3, 4)");
    assert_string_equal(tn_shape_text(tn_call(tn_depthwise_conv2d(3, 2), x)), "(1, 4, 4, 2)");
    assert_string_equal(tn_shape_text(tn_call(tn_conv2d_transpose(4, 3, 2), x)), "(1, 19, 19, 4)");
    assert_null(tn_conv2d(4, 3, 2, .strides = 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "the strides are given twice, 2 and 1");
    assert_null(tn_conv2d(4, 3, 2, 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The `kernel_size` argument must be a tuple of 2 integers. "
                                     "Received kernel_size=(3, 2, 1)");
    tn_tensor *volume = tn_zeros(TN_SHAPE(1, 5, 5, 5, 2), TN_FLOAT32);
    assert_string_equal(tn_shape_text(tn_call(tn_conv3d(4, 3, 2), volume)), "(1, 2, 2, 2, 4)");
    assert_string_equal(tn_shape_text(tn_call(tn_conv3d(4, { 3, 2, 1 }), volume)),
                        "(1, 3, 4, 5, 4)");
    assert_string_equal(tn_shape_text(tn_call(tn_max_pooling3d({ 3, 2, 1 }, 1), volume)),
                        "(1, 3, 4, 5, 2)");
    assert_null(tn_conv3d(16, 3, 2, 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "without braces 3 is the kernel_size, 2 the strides, and 1 is neither\n"
                "several numbers for the axes stand in braces: { 3, 2, 1 }");
    assert_null(tn_conv3d(16, 3, 2, 1, 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "without braces 3 is the kernel_size, 2 the strides, and 1 is neither");
    assert_null(tn_max_pooling3d(3, 2, 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "without braces 3 is the pool_size, 2 the strides, and 1 is neither");
    assert_null(tn_conv1d(4, { 3 }, { 2, 2 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The `strides` argument must be a tuple of 1 integers.");
    assert_null(tn_conv2d(4, 3, .input_shape = { 4 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Cannot convert '4' to a shape.\na shape is written TN_SHAPE(4)");
}

static void images_that_do_not_fit_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_call(tn_conv2d(2, { 3 }, .name = "c"), layer_input(TN_SHAPE(5, 5, 2), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "expected min_ndim=4, found ndim=3. Full shape received: (5, 5, 2)");
    assert_null(tn_call(tn_conv2d(2, { 3 }), layer_input(TN_SHAPE(1, 5, 2, 2), 0)));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Computed output size would be zero or negative. Received `inputs shape=(1, 5, 2, 2)`, "
        "`kernel shape=(3, 3, 2, 2)`, `dilation_rate=(1, 1)`, `strides=(1, 1)`, `padding=valid`.");
    assert_null(tn_call(tn_conv2d(2, { 3 }, .groups = 2), layer_input(TN_SHAPE(1, 5, 5, 3), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "The number of input channels must be evenly divisible by the number "
                "of groups. Received groups=2, but the input has 3 channels");
}

static void keras_1_s_words_are_read(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = json_pack(
        "{s:s, s:{s:s, s:i, s:i, s:i, s:[i,i], s:s, s:s, s:s, s:b, s:{s:s, s:f, s:f}}}",
        "class_name", "Convolution2D", "config", "name", "c", "nb_filter", 4, "nb_row", 3, "nb_col",
        2, "subsample", 2, 2, "border_mode", "same", "dim_ordering", "th", "init", "he_normal",
        "bias", 0, "W_regularizer", "name", "WeightRegularizer", "l1", 0.0, "l2", 0.01);
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &layer));
    json_decref(json);
    const tn_conv_options *o = tn__own(layer) ? layer->self : NULL;
    assert_int_equal(o->filters, 4);
    assert_int_equal(o->kernel_size[1], 2);
    assert_int_equal(o->strides[0], 2);
    assert_string_equal(o->padding, "same");
    assert_string_equal(o->data_format, "channels_first");
    assert_string_equal(o->kernel_initializer, "he_normal");
    assert_string_equal(o->kernel_regularizer, "l1l2(l2=0.01)");
    assert_int_equal(o->use_bias, false);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_computes_what_keras_does),
        cmocka_unit_test(series_and_volumes_are_convolved_too),
        cmocka_unit_test(channels_may_come_first),
        cmocka_unit_test(wrong_arguments_are_told),
        cmocka_unit_test(one_number_needs_no_braces),
        cmocka_unit_test(images_that_do_not_fit_are_told),
        cmocka_unit_test(keras_1_s_words_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
