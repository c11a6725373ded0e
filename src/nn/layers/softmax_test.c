/* softmax_test.c */
#include "support/check_layer.h"
#include "nn/layers/testdata/values.h"

static void shares_sum_to_one_along_axes(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_softmax(), .text = "softmax()",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 4), 0)),
                .expected = VALUES_OF(softmax_last));
    CHECK_LAYER(.layer = tn_softmax(TN_AXES(1, 2)), .text = "softmax((1, 2))",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 3, 4), 0)),
                .expected = VALUES_OF(softmax_two), .skip = SKIP_SECOND_ORDER);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = { cmocka_unit_test(shares_sum_to_one_along_axes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
