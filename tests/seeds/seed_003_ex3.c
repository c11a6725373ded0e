/* seed_003_ex3.c - a layer of one's own with add_weight. */
#define main seed_main
#include "../../examples/seeds/003_ex3.c"
#undef main
#include "seeds/saved.h"

static void both_models_are_saved_with_names_of_their_own(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(seed_run(seed_main), "");
    for (int i = 0; i < 2; i++) {
        const char *names[] = { tn_format("model_%d/custom_dense_1/weight", i), tn_format("model_%d/custom_dense_1/bias", i),
                                tn_format("model_%d/dense_2/kernel", i), tn_format("model_%d/dense_2/bias", i) };
        tn_list variables = tn_variables(build_model_advanced(tn_format("model_%d", i)));
        assert_int_equal(variables.count, 4);
        for (size_t k = 0; k < 4; k++)
            assert_string_equal(tn_name(variables.item[k]), names[k]);
        seed_check_saved(tn_format("model_%d", i), 4, names);
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = { cmocka_unit_test(both_models_are_saved_with_names_of_their_own) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
