/* identity_test.c */
#include "support/check_layer.h"

static void the_input_comes_out_with_its_mask(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = layer_input(TN_SHAPE(2, 3), 0),
              *mask = tn_cast(tn_ones(TN_SHAPE(2), TN_INT32), TN_BOOL);
    CHECK_LAYER(.layer = tn_identity_layer(), .text = "identity()", .inputs = TN_LIST(x));
    tn_tensor *y = tn_call(tn_identity_layer(), tn_with_mask(x, mask));
    CHECK_TENSOR(y, x, 0, 0);
    assert_non_null(tn_mask(y));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_input_comes_out_with_its_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
