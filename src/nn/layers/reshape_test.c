/* reshape_test.c */
#include "support/check_layer.h"
#include "nn/config.h"

static const double counted[] = { 0, 1, 2, 3, 4, 5, 6, 7 };

static tn_tensor *eight(tn_shape shape)
{
    return check_tensor_of(TN_FLOAT32, shape, counted, 8);
}

static void rows_take_another_shape(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_reshape_layer(TN_SHAPE(2, 2)), .text = "reshape(2x2)",
                .inputs = TN_LIST(eight(TN_SHAPE(2, 4))), .expected = VALUES_OF(counted));
    CHECK_LAYER(.layer = tn_reshape_layer(TN_SHAPE(1, TN_NONE)), .text = "reshape((1, -1))",
                .inputs = TN_LIST(eight(TN_SHAPE(2, 2, 2))), .expected = VALUES_OF(counted));
}

static void an_open_dimension_is_written_as_minus_one(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = tn__layer_to_json(tn_reshape_layer(TN_SHAPE(4, TN_NONE)), TN__KERAS_3);
    json_t *target = json_object_get(json_object_get(json, "config"), "target_shape");
    assert_int_equal(json_integer_value(json_array_get(target, 1)), -1);
    json_decref(json);
}

static void sizes_that_do_not_fit_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_call(tn_reshape_layer(TN_SHAPE(3)), eight(TN_SHAPE(2, 4))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The total size of the tensor must be unchanged. Received: "
                                     "input_shape=(4,), target_shape=(3,)");
    assert_null(tn_reshape_layer(TN_SHAPE(TN_NONE, TN_NONE)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "There must be at most one unknown dimension (-1)");
    assert_null(tn_reshape_layer());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Reshape needs a target_shape");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_take_another_shape),
        cmocka_unit_test(an_open_dimension_is_written_as_minus_one),
        cmocka_unit_test(sizes_that_do_not_fit_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
