/* rescaling_test.c */
#include "support/check_layer.h"
#include "nn/layers/testdata/values.h"

static void it_scales_and_shifts(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list flat = TN_LIST(layer_input(TN_SHAPE(4, 3), 0));
    CHECK_LAYER(.layer = tn_rescaling(1.0 / 3, -0.5), .text = "rescaling(0.3333333333333333, -0.5)",
                .inputs = flat, .expected = VALUES_OF(rescaled));
    CHECK_LAYER(.layer = tn_rescaling(.scales = VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3),
                                      .offsets = VALUES(TN_FLOAT32, TN_SHAPE(3), 0.5, 0, -0.5)),
                .inputs = flat, .expected = VALUES_OF(rescaled_each));
}

static void whole_numbers_come_out_as_floats(void **state)
{
    (void)state;
    TN_SCOPE;
    const uint8_t pixels[] = { 0, 51, 255 };
    tn_tensor *y = tn_call(tn_rescaling(1.0 / 255), tn_constant(TN_UINT8, TN_SHAPE(3), pixels));
    assert_int_equal(tn_dtype_of(y), TN_FLOAT32);
    CHECK_VALUES(y, 1e-7, 0, 0.2, 1);
    assert_null(tn_rescaling());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "missing 1 required positional argument: 'scale'");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_scales_and_shifts),
        cmocka_unit_test(whole_numbers_come_out_as_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
