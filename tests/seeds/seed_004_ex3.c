/* seed_004_ex3.c - reuse=True and get_variable without a shape find what a plain constructor made. */
#define main seed_main
#include "../../examples/seeds/004_ex3.c"
#undef main
#include "seeds/modes.h"

static void it_prints_zeros_then_fives(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(seed_run(seed_in_mode), "0\n0\n5\n5\n");
}

static void it_is_one_variable(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OK(tn_reset_default_graph());
    tn_variable *one, *two;
    {
        TN_WITH(tn_variable_scope("my_scope"));
        one = tn_variable(tn_scalar(0), .name = "my_var", .dtype = TN_INT32);
    }
    TN_WITH(tn_variable_scope("my_scope", .reuse = TN_REUSE));
    two = tn_get_variable("my_var", .dtype = TN_INT32);
    assert_ptr_equal(one, two);
    assert_null(tn_get_variable("another", .dtype = TN_INT32));
    CHECK_ERROR(TN_NOT_FOUND, "Variable my_scope/another does not exist, or was not created with tf.get_variable().");
}

int main(int argc, char **argv)
{
    (void)argv;
    graph_mode = argc > 1;
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_prints_zeros_then_fives),
        cmocka_unit_test(it_is_one_variable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
