/* up_sampling_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/reshaping.h"

static void every_place_is_repeated(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *image = layer_input(TN_SHAPE(1, 4, 5, 2), 0);
    CHECK_LAYER(.layer = tn_up_sampling1d(3), .text = "up_sampling1d(3)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 3, 4), 0)),
                .expected = VALUES_OF(up_sampled1d));
    CHECK_LAYER(.layer = tn_up_sampling2d({ 2, 3 }), .text = "up_sampling2d((2, 3))",
                .inputs = TN_LIST(image), .expected = VALUES_OF(up_sampled2d));
    CHECK_LAYER(.layer = tn_up_sampling2d(.data_format = "channels_first"),
                .text = "up_sampling2d(data_format=channels_first)", .inputs = TN_LIST(image),
                .expected = VALUES_OF(up_sampled2d_first));
    CHECK_LAYER(.layer = tn_up_sampling3d({ 2, 1, 2 }), .text = "up_sampling3d((2, 1, 2))",
                .inputs = TN_LIST(layer_input(TN_SHAPE(1, 3, 3, 4, 1), 0)),
                .expected = VALUES_OF(up_sampled3d));
}

/* They are computed in float32, so differences in float64 say nothing. */
static void places_between_are_computed(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *image = layer_input(TN_SHAPE(1, 4, 5, 2), 0);
    unsigned skip = SKIP_GRADIENT | SKIP_SECOND_ORDER;
    CHECK_LAYER(.layer = tn_up_sampling2d({ 2, 3 }, .interpolation = "bilinear"),
                .text = "up_sampling2d((2, 3), interpolation=bilinear)", .inputs = TN_LIST(image),
                .expected = VALUES_OF(up_sampled2d_bilinear), .skip = skip);
    CHECK_LAYER(.layer = tn_up_sampling2d({ 2 }, "channels_first", "bicubic"),
                .text = "up_sampling2d(2, channels_first, bicubic)", .inputs = TN_LIST(image),
                .expected = VALUES_OF(up_sampled2d_bicubic), .skip = skip);
    tn_tensor *open = tn_input(TN_SHAPE(TN_NONE, TN_NONE, 2));
    tn_layer *layer = tn_up_sampling2d(.interpolation = "lanczos3");
    tn_tensor *y = tn_call(layer, open);
    assert_string_equal(tn_shape_text(y), "(None, None, None, 2)");
    CHECK_TENSOR(tn_call(tn_model(open, y), image), tn_call(layer, image), 0, 0);
}

static void images_of_any_size_are_taken(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *open = tn_input(TN_SHAPE(TN_NONE, TN_NONE, 2)),
              *y = tn_call(tn_up_sampling2d(), open);
    assert_string_equal(tn_shape_text(y), "(None, None, None, 2)");
    tn_tensor *image = layer_input(TN_SHAPE(1, 4, 5, 2), 0);
    CHECK_TENSOR(tn_call(tn_model(open, y), image), tn_call(tn_up_sampling2d(), image), 0, 0);
    tn_tensor *rows = tn_input(TN_SHAPE(4, TN_NONE, 2));
    assert_string_equal(tn_shape_text(tn_call(tn_up_sampling2d(), rows)), "(None, 8, None, 2)");
}

static void wrong_sizes_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_up_sampling1d(0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`size`. Expected > 0. Received: size=0");
    assert_null(tn_up_sampling2d({ -1 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`size`. Expected > 0");
}

static void keras_1_s_length_is_read(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = json_pack("{s:s, s:{s:i}}", "class_name", "UpSampling1D", "config", "length", 4);
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &layer));
    json_decref(json);
    const tn_up_sampling1d_options *o = tn__own(layer) ? layer->self : NULL;
    assert_int_equal(o->size, 4);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_is_repeated),
        cmocka_unit_test(places_between_are_computed),
        cmocka_unit_test(images_of_any_size_are_taken),
        cmocka_unit_test(wrong_sizes_are_told),
        cmocka_unit_test(keras_1_s_length_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
