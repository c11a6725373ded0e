/* borders_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/reshaping.h"

static tn_tensor *cube(void)
{
    return layer_input(TN_SHAPE(2, 3, 4), 0);
}

static tn_tensor *image(void)
{
    return layer_input(TN_SHAPE(1, 4, 5, 2), 0);
}

static void zeros_are_put_around(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_zero_padding1d(TN_SHAPE(1, 2)), .text = "zero_padding1d((1, 2))",
                .inputs = TN_LIST(cube()), .expected = VALUES_OF(padded1d));
    CHECK_LAYER(.layer = tn_zero_padding2d(TN_SHAPE(1, 0, 2, 1)),
                .text = "zero_padding2d(((1, 0), (2, 1)))", .inputs = TN_LIST(image()),
                .expected = VALUES_OF(padded2d));
    CHECK_LAYER(.layer = tn_zero_padding2d(TN_SHAPE(1, 0), "channels_first"),
                .text = "zero_padding2d((1, 0), channels_first)", .inputs = TN_LIST(image()),
                .expected = VALUES_OF(padded2d_first));
    CHECK_LAYER(.layer = tn_zero_padding3d(TN_SHAPE(0, 1, 0)), .text = "zero_padding3d((0, 1, 0))",
                .inputs = TN_LIST(layer_input(TN_SHAPE(1, 3, 3, 4, 1), 0)),
                .expected = VALUES_OF(padded3d));
}

static void borders_are_cut_away(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_cropping1d(TN_SHAPE(1)), .text = "cropping1d(1)",
                .inputs = TN_LIST(cube()), .expected = VALUES_OF(cropped1d));
    CHECK_LAYER(.layer = tn_cropping2d(TN_SHAPE(1, 0, 2, 1)),
                .text = "cropping2d(((1, 0), (2, 1)))", .inputs = TN_LIST(image()),
                .expected = VALUES_OF(cropped2d));
    CHECK_LAYER(.layer = tn_cropping3d(), .text = "cropping3d()",
                .inputs = TN_LIST(layer_input(TN_SHAPE(1, 3, 3, 4, 1), 0)),
                .expected = VALUES_OF(cropped3d));
}

static void sizes_that_are_not_given_are_keras_s(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(tn_shape_text(tn_call(tn_zero_padding1d(), cube())), "(2, 5, 4)");
    assert_string_equal(tn_shape_text(tn_call(tn_zero_padding2d(), image())), "(1, 6, 7, 2)");
    assert_string_equal(tn_shape_text(tn_call(tn_cropping1d(), cube())), "(2, 1, 4)");
    assert_string_equal(tn_shape_text(tn_call(tn_cropping2d(), image())), "(1, 4, 5, 2)");
    tn_tensor *open = tn_input(TN_SHAPE(TN_NONE, TN_NONE, 2));
    assert_string_equal(tn_shape_text(tn_call(tn_zero_padding2d(), open)), "(None, None, None, 2)");
    assert_string_equal(tn_shape_text(tn_call(tn_cropping2d(TN_SHAPE(1)), open)),
                        "(None, None, None, 2)");
}

static void wrong_sizes_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_zero_padding2d(TN_SHAPE(1, 2, 3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`padding` should have two elements. Received: padding=(1, 2, 3).");
    assert_null(tn_zero_padding1d(TN_SHAPE(1, 2, 3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The `padding` argument must be a tuple of 2 integers. "
                                     "Received padding=(1, 2, 3)");
    assert_null(tn_cropping3d(TN_SHAPE(1, 1, -2)));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "The `3rd entry of cropping` argument must be a tuple of 2 integers. Received 3rd "
        "entry of cropping=(-2, -2), including values {-2} that do not satisfy `value >= 0`");
    assert_null(tn_call(tn_cropping1d(TN_SHAPE(2, 1)), cube()));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`cropping` parameter of `Cropping1D` layer must be smaller than the input length. "
                "Received: inputs.shape=(2, 3, 4), cropping=(2, 1)");
    assert_null(tn_call(tn_cropping2d(TN_SHAPE(2)), image()));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Values in `cropping` argument should be smaller than the "
                                     "corresponding spatial dimension of the input. Received: "
                                     "inputs.shape=(1, 4, 5, 2)");
    assert_null(tn_call(tn_zero_padding2d(), cube()));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "expected ndim=4, found ndim=3");
}

static tn_tensor *padded_by(json_t *json, tn_tensor *x)
{
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &layer));
    json_decref(json);
    tn__own(layer);
    return tn_call(layer, x);
}

static void every_way_that_files_say_sizes_is_read(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *y = padded_by(json_pack("{s:s, s:{s:[i,i], s:s}}", "class_name", "ZeroPadding2D",
                                       "config", "padding", 1, 3, "dim_ordering", "tf"),
                             image());
    assert_string_equal(tn_shape_text(y), "(1, 6, 11, 2)");
    y = padded_by(json_pack("{s:s, s:{s:[[i,i],[i,i]], s:n}}", "class_name", "Cropping2D", "config",
                            "cropping", 0, 1, 1, 1, "data_format"),
                  image());
    assert_string_equal(tn_shape_text(y), "(1, 3, 3, 2)");
    y = padded_by(
        json_pack("{s:s, s:{s:i}}", "class_name", "ZeroPadding1D", "config", "padding", 2), cube());
    assert_string_equal(tn_shape_text(y), "(2, 7, 4)");
    y = padded_by(json_pack("{s:s, s:{s:{s:s, s:[i,i]}}}", "class_name", "ZeroPadding1D", "config",
                            "padding", "class_name", "__tuple__", "items", 0, 1),
                  cube());
    assert_string_equal(tn_shape_text(y), "(2, 4, 4)");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeros_are_put_around),
        cmocka_unit_test(borders_are_cut_away),
        cmocka_unit_test(sizes_that_are_not_given_are_keras_s),
        cmocka_unit_test(wrong_sizes_are_told),
        cmocka_unit_test(every_way_that_files_say_sizes_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
