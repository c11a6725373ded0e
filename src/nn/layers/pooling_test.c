/* pooling2d_test.c */
#include "support/check_layer.h"
#include "nn/layers/testdata/values.h"

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
        cmocka_unit_test(a_whole_image_gives_its_mean),
        cmocka_unit_test(wrong_windows_are_told),
        cmocka_unit_test(other_names_of_keras_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
