/* seed_003_ex2.c - a name scope for each model, named layers. */
#define main seed_main
#include "../../examples/seeds/003_ex2.c"
#undef main
#include "seeds/saved.h"

static void both_models_are_saved_with_names_of_their_own(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(seed_run(seed_main), "");
    static const char *const names[] = { "dense_1/kernel", "dense_1/bias", "dense_2/kernel", "dense_2/bias" };
    seed_check_both(build_model, names);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = { cmocka_unit_test(both_models_are_saved_with_names_of_their_own) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
