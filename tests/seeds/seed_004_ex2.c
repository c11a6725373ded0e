/* seed_004_ex2.c - AUTO_REUSE: one variable, however often the function is called. */
#define main seed_main
#include "../../examples/seeds/004_ex2.c"
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
    tn_variable *one = create_or_reuse_variable();
    assert_ptr_equal(create_or_reuse_variable(), one);
    assert_string_equal(tn_name(one), "my_scope/my_var");
}

static tn_variable *strictly(void)
{
    TN_WITH(tn_variable_scope("my_scope", .reuse = TN_AUTO_REUSE, .strict_tf1 = true));
    return tn_variable(tn_scalar(0), .name = "my_var", .dtype = TN_INT32);
}

static void strictly_as_tensorflow_it_is_two(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OK(tn_reset_default_graph());
    tn_variable *one = strictly(), *two = strictly();
    tn_session *session = seed_session();
    tn_run(session, tn_assign(two, tn_scalar(5)));
    CHECK_VALUES(tn_run(session, one), 0, 0);
    CHECK_VALUES(tn_run(session, two), 0, 5);
}

int main(int argc, char **argv)
{
    (void)argv;
    graph_mode = argc > 1;
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_prints_zeros_then_fives),
        cmocka_unit_test(it_is_one_variable),
        cmocka_unit_test(strictly_as_tensorflow_it_is_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
