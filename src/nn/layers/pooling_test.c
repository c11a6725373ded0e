/* pooling_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/values.h"
#include "nn/layers/testdata/windows.h"

static void windows_give_their_greatest_or_their_mean(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list image = TN_LIST(layer_input(TN_SHAPE(2, 5, 6, 4), 0));
    tn_list wide = TN_LIST(layer_input(TN_SHAPE(1, 7, 7, 2), 0));
    CHECK_LAYER(.layer = tn_max_pooling2d(), .text = "max_pooling2d()", .inputs = image,
                .expected = VALUES_OF(max_pool), .skip = SKIP_SECOND_ORDER);
    CHECK_LAYER(.layer = tn_max_pooling2d({ 3 }, { 2 }, "same"),
                .text = "max_pooling2d(3, 2, same)", .inputs = wide,
                .expected = VALUES_OF(max_pool_same), .skip = SKIP_SECOND_ORDER);
    CHECK_LAYER(.layer = tn_average_pooling2d({ 3 }, { 2 }, "same"),
                .text = "average_pooling2d(3, 2, same)", .inputs = wide,
                .expected = VALUES_OF(average_pool_same));
    CHECK_LAYER(.layer = tn_average_pooling2d({ 2, 3 }, .data_format = "channels_first"),
                .text = "average_pooling2d((2, 3), data_format=channels_first)", .inputs = image,
                .expected = VALUES_OF(average_pool_first));
}

static void series_and_volumes_are_pooled_too(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list series = TN_LIST(layer_input(TN_SHAPE(2, 6, 3), 0));
    tn_list volume = TN_LIST(layer_input(TN_SHAPE(1, 3, 4, 3, 2), 0));
    CHECK_LAYER(.layer = tn_max_pooling1d({ 3 }, { 1 }, "same"),
                .text = "max_pooling1d(3, 1, same)", .inputs = series,
                .expected = VALUES_OF(max_pool1d), .skip = SKIP_SECOND_ORDER);
    CHECK_LAYER(.layer = tn_max_pooling3d({ 2, 2, 1 }), .text = "max_pooling3d((2, 2, 1))",
                .inputs = volume, .expected = VALUES_OF(max_pool3d), .skip = SKIP_SECOND_ORDER);
    CHECK_LAYER(.layer = tn_average_pooling1d({ 2 }), .text = "average_pooling1d(2)",
                .inputs = series, .expected = VALUES_OF(average_pool1d));
    CHECK_LAYER(.layer = tn_average_pooling3d({ 2 }, { 1 }, "same"),
                .text = "average_pooling3d(2, 1, same)", .inputs = volume,
                .expected = VALUES_OF(average_pool3d));
}

static void the_whole_gives_its_greatest_or_its_mean(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list series = TN_LIST(layer_input(TN_SHAPE(2, 6, 3), 0));
    tn_list volume = TN_LIST(layer_input(TN_SHAPE(1, 3, 4, 3, 2), 0));
    CHECK_LAYER(.layer = tn_global_max_pooling1d(), .text = "global_max_pooling1d()",
                .inputs = series, .expected = VALUES_OF(global_max1d), .skip = SKIP_SECOND_ORDER);
    CHECK_LAYER(.layer = tn_global_max_pooling2d(.keepdims = true),
                .text = "global_max_pooling2d(keepdims=true)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 5, 6, 4), 0)),
                .expected = VALUES_OF(global_max2d), .skip = SKIP_SECOND_ORDER);
    CHECK_LAYER(.layer = tn_global_max_pooling3d(), .text = "global_max_pooling3d()",
                .inputs = volume, .expected = VALUES_OF(global_max3d), .skip = SKIP_SECOND_ORDER);
    CHECK_LAYER(.layer = tn_global_average_pooling1d(), .text = "global_average_pooling1d()",
                .inputs = series, .expected = VALUES_OF(global_average1d));
    CHECK_LAYER(.layer = tn_global_average_pooling3d(), .text = "global_average_pooling3d()",
                .inputs = volume, .expected = VALUES_OF(global_average3d));
}

static void a_whole_image_gives_its_mean(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *image = layer_input(TN_SHAPE(2, 5, 6, 4), 0);
    CHECK_LAYER(.layer = tn_global_average_pooling2d(), .text = "global_average_pooling2d()",
                .inputs = TN_LIST(image), .expected = VALUES_OF(global_average));
    tn_tensor *kept = tn_call(tn_global_average_pooling2d(.keepdims = true), image);
    assert_string_equal(tn_shape_text(kept), "(2, 1, 1, 4)");
    tn_tensor *first = tn_call(tn_global_average_pooling2d("channels_first"), image);
    assert_string_equal(tn_shape_text(first), "(2, 5)");
}

static void steps_that_do_not_count_are_left_out_of_a_mean(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(1, 3, 2), 1, 2, 3, 4, 50, 60);
    tn_tensor *mask = tn_cast(VALUES(TN_INT32, TN_SHAPE(1, 3), 1, 1, 0), TN_BOOL);
    tn_tensor *masked = tn_with_mask(x, mask), *y = tn_call(tn_global_average_pooling1d(), masked);
    CHECK_VALUES(y, 0, 2, 3);
    assert_null(tn_mask(y));
    tn_tensor *first = tn_with_mask(tn_transpose(x, TN_AXES(0, 2, 1)), mask);
    y = tn_call(tn_global_average_pooling1d("channels_first", .keepdims = true), first);
    CHECK_VALUES(y, 0, 2, 3);
    assert_string_equal(tn_shape_text(y), "(1, 2, 1)");
}

static void one_number_needs_no_braces(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_zeros(TN_SHAPE(1, 9, 9, 2), TN_FLOAT32);
    assert_string_equal(tn_shape_text(tn_call(tn_max_pooling2d(), x)), "(1, 4, 4, 2)");
    assert_string_equal(tn_shape_text(tn_call(tn_max_pooling2d(3), x)), "(1, 3, 3, 2)");
    assert_string_equal(tn_shape_text(tn_call(tn_max_pooling2d(3, 2), x)), "(1, 4, 4, 2)");
    assert_string_equal(tn_shape_text(tn_call(tn_average_pooling2d(3, .strides = 1), x)),
                        "(1, 7, 7, 2)");
}

static void wrong_windows_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_average_pooling2d());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "missing 1 required positional argument: 'pool_size'");
    assert_null(tn_call(tn_max_pooling2d({ 6 }), layer_input(TN_SHAPE(1, 5, 6, 1), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Computed output size would be zero or negative. Received `inputs "
                "shape=(1, 5, 6, 1)`, `pool_size=(6, 6)`, `strides=(6, 6)`");
    assert_null(tn_call(tn_max_pooling2d(), layer_input(TN_SHAPE(5, 6, 1), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "expected ndim=4, found ndim=3");
}

static void keras_1_s_words_are_read(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = json_pack("{s:s, s:{s:i, s:i, s:s}}", "class_name", "MaxPooling1D", "config",
                             "pool_length", 3, "stride", 2, "border_mode", "same");
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &layer));
    json_decref(json);
    const tn_pooling_options *o = tn__own(layer) ? layer->self : NULL;
    assert_int_equal(o->pool_size[0], 3);
    assert_int_equal(o->strides[0], 2);
    assert_string_equal(o->padding, "same");
}

static void other_names_of_keras_are_known(void **state)
{
    (void)state;
    assert_ptr_equal(tn__class_find("MaxPool2D"), tn__class_find("MaxPooling2D"));
    assert_ptr_equal(tn__class_find("GlobalAvgPool2D"), tn__class_find("GlobalAveragePooling2D"));
    assert_null(tn__class_find("Max"));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_give_their_greatest_or_their_mean),
        cmocka_unit_test(series_and_volumes_are_pooled_too),
        cmocka_unit_test(the_whole_gives_its_greatest_or_its_mean),
        cmocka_unit_test(a_whole_image_gives_its_mean),
        cmocka_unit_test(steps_that_do_not_count_are_left_out_of_a_mean),
        cmocka_unit_test(one_number_needs_no_braces),
        cmocka_unit_test(wrong_windows_are_told),
        cmocka_unit_test(keras_1_s_words_are_read),
        cmocka_unit_test(other_names_of_keras_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
