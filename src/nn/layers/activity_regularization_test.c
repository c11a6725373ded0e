/* activity_regularization_test.c */
#include "support/check_layer.h"
#include <math.h>

static void the_input_goes_through(void **state)
{
    (void)state;
    TN_SCOPE;
    const double expected[] = { 1, -2, 3, 0 };
    CHECK_LAYER(.layer = tn_activity_regularization(0.1, 0.01), .text = "activity_regularization(0.1, 0.01)",
                .inputs = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, -2, 3, 0)), .expected = VALUES_OF(expected),
                .trained = VALUES_OF(expected));
}

static void its_penalty_is_a_loss(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = tn_activity_regularization(0.1, 0.01);
    tn_call(layer, VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, -2, 3, 0));
    tn_list losses = tn_losses(layer);
    assert_int_equal(losses.count, 1);
    assert_true(fabs(tn_to_double(losses.item[0]) - 0.37) < 1e-7); /* (0.1 · 6 + 0.01 · 14) / 2 */
    CHECK_NO_ERROR();
}

static void negative_factors_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_activity_regularization(-1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "l1");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_input_goes_through),
        cmocka_unit_test(its_penalty_is_a_loss),
        cmocka_unit_test(negative_factors_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
