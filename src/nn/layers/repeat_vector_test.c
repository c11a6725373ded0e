/* repeat_vector_test.c */
#include "support/check_layer.h"

static void each_row_stands_n_times(void **state)
{
    (void)state;
    TN_SCOPE;
    const double twice[] = { 1, 2, 1, 2, 3, 4, 3, 4 };
    CHECK_LAYER(.layer = tn_repeat_vector(2), .text = "repeat_vector(2)",
                .inputs = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 3, 4)), .expected = VALUES_OF(twice));
}

static void other_ranks_and_counts_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_call(tn_repeat_vector(2), tn_zeros(TN_SHAPE(2, 3, 4), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "expected ndim=2, found ndim=3");
    assert_null(tn_repeat_vector(0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected > 0. Received: n=0");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_stands_n_times),
        cmocka_unit_test(other_ranks_and_counts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
