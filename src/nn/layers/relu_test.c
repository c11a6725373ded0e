/* relu_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/values.h"

static void it_limits_slopes_and_thresholds(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_relu(0.6, 0.1, 0.2), .text = "re_lu(0.6, 0.1, 0.2)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 4), 0)),
                .expected = VALUES_OF(relu_limited));
}

static void arguments_below_zero_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_relu(-1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`max_value`. Expected >= 0. Received: max_value=-1");
    assert_null(tn_relu(.negative_slope = -0.5));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`negative_slope`. Expected >= 0");
}

/* Keras 2.2 wrote the numbers of a MobileNet so. */
static void numbers_of_old_files_are_read(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json =
        json_pack("{s:s, s:{s:s, s:{s:s, s:f}, s:{s:s, s:{s:f}}, s:n}}", "class_name", "ReLU",
                  "config", "name", "r", "max_value", "type", "ndarray", "value", 6.0,
                  "negative_slope", "class_name", "__numpy__", "config", "value", 0.5, "threshold");
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &layer));
    json_decref(json);
    tn__own(layer);
    tn_tensor *y = tn_call(layer, VALUES(TN_FLOAT32, TN_SHAPE(3), 8, 3, -2));
    CHECK_VALUES(y, 0, 6, 3, -1);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_limits_slopes_and_thresholds),
        cmocka_unit_test(arguments_below_zero_are_refused),
        cmocka_unit_test(numbers_of_old_files_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
