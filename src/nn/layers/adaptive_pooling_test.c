/* adaptive_pooling_test.c */
#include "support/check_layer.h"
#include "nn/layers/testdata/windows.h"

static void there_are_as_many_windows_as_asked_for(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list series = TN_LIST(layer_input(TN_SHAPE(2, 6, 3), 0)),
            image = TN_LIST(layer_input(TN_SHAPE(2, 5, 6, 4), 0)),
            volume = TN_LIST(layer_input(TN_SHAPE(1, 3, 4, 3, 2), 0));
    CHECK_LAYER(.layer = tn_adaptive_average_pooling1d({ 4 }),
                .text = "adaptive_average_pooling1d(4)", .inputs = series,
                .expected = VALUES_OF(adaptive_average1d), .skip = SKIP_KERAS_2);
    CHECK_LAYER(.layer = tn_adaptive_average_pooling2d({ 3, 2 }),
                .text = "adaptive_average_pooling2d((3, 2))", .inputs = image,
                .expected = VALUES_OF(adaptive_average2d), .skip = SKIP_KERAS_2);
    CHECK_LAYER(.layer = tn_adaptive_average_pooling3d({ 2 }),
                .text = "adaptive_average_pooling3d(2)", .inputs = volume,
                .expected = VALUES_OF(adaptive_average3d), .skip = SKIP_KERAS_2);
    CHECK_LAYER(.layer = tn_adaptive_max_pooling1d({ 4 }), .text = "adaptive_max_pooling1d(4)",
                .inputs = series, .expected = VALUES_OF(adaptive_max1d),
                .skip = SKIP_KERAS_2 | SKIP_SECOND_ORDER);
    CHECK_LAYER(.layer = tn_adaptive_max_pooling2d({ 7, 2 }, "channels_first"),
                .text = "adaptive_max_pooling2d((7, 2), channels_first)", .inputs = image,
                .expected = VALUES_OF(adaptive_max2d_first),
                .skip = SKIP_KERAS_2 | SKIP_SECOND_ORDER);
    CHECK_LAYER(.layer = tn_adaptive_max_pooling3d({ 1, 2, 3 }),
                .text = "adaptive_max_pooling3d((1, 2, 3))", .inputs = volume,
                .expected = VALUES_OF(adaptive_max3d), .skip = SKIP_KERAS_2 | SKIP_SECOND_ORDER);
}

static void sizes_must_be_known(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_call(tn_adaptive_max_pooling1d({ 2 }), tn_input(TN_SHAPE(TN_NONE, 3))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input length must be statically known for adaptive pooling");
    assert_null(tn_call(tn_adaptive_average_pooling2d({ 2 }), tn_input(TN_SHAPE(4, TN_NONE, 3))));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Input spatial dimensions must be statically known for adaptive pooling");
    assert_null(tn_adaptive_average_pooling2d({ 0, 2 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "must be positive, and at most 16777216. Received: output_size=(0, 2)");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_as_many_windows_as_asked_for),
        cmocka_unit_test(sizes_must_be_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
