/* seed_004_ex1.c - a variable in a name scope, made twice: two variables. */
#define main seed_main
#include "../../examples/seeds/004_ex1.c"
#undef main
#include "seeds/modes.h"

static void it_prints_two_zeros(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(seed_run(seed_in_mode), "0\n0\n");
}

static void assigning_one_leaves_the_other(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OK(tn_reset_default_graph());
    tn_variable *one = create_variable(), *two = create_variable();
    assert_ptr_not_equal(one, two);
    assert_string_equal(tn_name(one), "my_scope/my_var");
    assert_string_equal(tn_name(two), graph_mode ? "my_scope_1/my_var" : "my_scope/my_var");
    tn_session *session = seed_session();
    tn_run(session, tn_assign(one, tn_scalar(5)));
    CHECK_VALUES(tn_run(session, one), 0, 5);
    CHECK_VALUES(tn_run(session, two), 0, 0);
}

int main(int argc, char **argv)
{
    (void)argv;
    graph_mode = argc > 1;
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_prints_two_zeros),
        cmocka_unit_test(assigning_one_leaves_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
