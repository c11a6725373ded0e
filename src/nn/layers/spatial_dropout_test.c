/* spatial_dropout_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/more.h"

static void whole_channels_are_dropped(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_spatial_dropout1d(0.5, .seed = 7),
                .text = "spatial_dropout1d(0.5, seed=7)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 3, 4), 0)),
                .trained = VALUES_OF(spatial1d));
    CHECK_LAYER(.layer = tn_spatial_dropout2d(0.5, "channels_first", 7),
                .text = "spatial_dropout2d(0.5, channels_first, 7)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 3, 2, 4), 0)),
                .trained = VALUES_OF(spatial2d));
    CHECK_LAYER(.layer = tn_spatial_dropout3d(0.5, .seed = 7),
                .text = "spatial_dropout3d(0.5, seed=7)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(1, 2, 2, 2, 6), 0)),
                .trained = VALUES_OF(spatial3d));
}

/* Keras 3's constructors refuse `trainable`, Keras 2's configs have Dropout's noise_shape. */
static void configs_are_what_both_generations_take(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = json_pack("{s:s, s:{s:s, s:f, s:n, s:b}}", "class_name", "SpatialDropout1D",
                             "config", "name", "s", "rate", 0.5, "noise_shape", "trainable", 1);
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &layer));
    json_decref(json);
    json = tn__layer_to_json(tn__own(layer) ? layer : NULL, TN__KERAS_3);
    json_t *config = json_object_get(json, "config");
    assert_null(json_object_get(config, "trainable"));
    assert_string_equal(tn__json_text(config, "dtype"), "float32");
    json_decref(json);
    assert_null(tn_call(layer, layer_input(TN_SHAPE(2, 3), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "expected ndim=3, found ndim=2");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_channels_are_dropped),
        cmocka_unit_test(configs_are_what_both_generations_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
