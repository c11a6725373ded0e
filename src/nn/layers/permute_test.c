/* permute_test.c */
#include "support/check_layer.h"
#include "nn/layers/testdata/reshaping.h"

static void dimensions_change_places(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_permute(TN_AXES(3, 1, 2)), .text = "permute((3, 1, 2))",
                .inputs = TN_LIST(layer_input(TN_SHAPE(1, 4, 5, 2), 0)),
                .expected = VALUES_OF(permuted));
    CHECK_LAYER(.layer = tn_permute(TN_AXES(1)), .text = "permute(1)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 3), 0)));
}

static void wrong_dimensions_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_permute(TN_AXES(0, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in "
                "`dims` must be consecutive and start from 1. Received dims=(0, 1)");
    assert_null(tn_permute(TN_AXES(2, 2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Received dims=(2, 2)");
    assert_null(tn_call(tn_permute(TN_AXES(2, 1)), layer_input(TN_SHAPE(2, 3), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "expected ndim=3, found ndim=2. Full shape received: (2, 3)");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dimensions_change_places),
        cmocka_unit_test(wrong_dimensions_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
