/* masking_test.c - numbers: Keras 3.15's */
#include "support/check_layer.h"

static void steps_of_the_value_become_zero(void **state)
{
    (void)state;
    TN_SCOPE;
    const double expected[] = { 1, 7, 0, 0, 7, 3 };
    CHECK_LAYER(.layer = tn_masking(7), .text = "masking(7)", .inputs = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(1, 3, 2), 1, 7, 7, 7, 7, 3)),
                .expected = VALUES_OF(expected), .trained = VALUES_OF(expected),
                .skip = SKIP_GRADIENT); /* it jumps at the value */
}

static void gradients_flow_where_it_counts(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(1, 3, 2), 1, 7, 7, 7, 7, 3);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = tn_reduce_sum(tn_square(tn_call(tn_masking(7), x)));
    CHECK_VALUES(tn_gradient_of(tape, y, x), 0, 2, 14, 0, 0, 14, 6);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_of_the_value_become_zero),
        cmocka_unit_test(gradients_flow_where_it_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
