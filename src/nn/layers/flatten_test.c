/* flatten_test.c */
#include "support/check_layer.h"

static void rows_become_vectors(void **state)
{
    (void)state;
    TN_SCOPE;
    const double last[] = { 0, 1, 2, 3, 4, 5 };
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(1, 3, 2), 0, 1, 2, 3, 4, 5);
    CHECK_LAYER(.layer = tn_flatten(), .text = "flatten()", .inputs = TN_LIST(x),
                .expected = VALUES_OF(last));
    tn_tensor *y = VALUES(TN_FLOAT32, TN_SHAPE(1, 2, 3), 0, 1, 2, 3, 4, 5);
    const double moved[] = { 0, 3, 1, 4, 2, 5 };
    CHECK_LAYER(.layer = tn_flatten("channels_first"), .text = "flatten(channels_first)",
                .inputs = TN_LIST(y), .expected = VALUES_OF(moved));
}

static void a_number_a_row_becomes_a_vector_of_one(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *y = tn_call(tn_flatten(), VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3));
    assert_string_equal(tn_shape_text(y), "(3, 1)");
    assert_string_equal(tn_shape_text(tn_call(tn_flatten(), tn_input(TN_SHAPE(4, TN_NONE)))),
                        "(None, None)");
}

static void open_and_empty_dimensions_are_flattened_when_run(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_input(TN_SHAPE(TN_NONE, 2));
    tn_model *model = tn_model(x, tn_call(tn_flatten(), x));
    assert_string_equal(tn_shape_text(tn_call(model, tn_zeros(TN_SHAPE(2, 3, 2), TN_FLOAT32))),
                        "(2, 6)");
    assert_string_equal(tn_shape_text(tn_call(model, tn_zeros(TN_SHAPE(2, 0, 2), TN_FLOAT32))),
                        "(2, 0)");
    assert_string_equal(tn_shape_text(tn_call(model, tn_zeros(TN_SHAPE(0, 3, 2), TN_FLOAT32))),
                        "(0, 6)");
    CHECK_NO_ERROR();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_vectors),
        cmocka_unit_test(a_number_a_row_becomes_a_vector_of_one),
        cmocka_unit_test(open_and_empty_dimensions_are_flattened_when_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
