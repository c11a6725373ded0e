/* seed_001_ex2.c - a variable made in the constructor. */
#define main seed_main
#include "../../examples/seeds/001_ex2.c"
#undef main
#include "seeds/seed.h"

static void it_runs_and_a_fresh_model_takes_the_file(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(seed_run(seed_main), "");
    assert_true(seed_exists("model_weights_correct.index"));
    tn_model *one = tn_new(&MyModel), *other = tn_new(&MyModel);
    tn_tensor *x = tn_random_normal(TN_SHAPE(10, 10));
    assert_string_equal(tn_name(tn_variables(one).item[0]), "weights");
    assert_int_equal(tn_variables(one).count, 1);
    tn_call(one, x);
    tn_call(other, x);
    CHECK_OK(tn_load_weights(one, "model_weights_correct"));
    CHECK_OK(tn_load_weights(other, "model_weights_correct"));
    CHECK_TENSOR(tn_call(one, x), tn_call(other, x), 0, 0);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = { cmocka_unit_test(it_runs_and_a_fresh_model_takes_the_file) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
