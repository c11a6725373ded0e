/* seed_002_ex1.c - every layer's variable called "weights": the function's list of them is refused. */
#define main seed_main
#include "../../examples/seeds/002_ex1.c"
#undef main
#include "seeds/seed.h"

static void it_catches_the_error_that_names_both_sites(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *output = seed_run(seed_main);
    assert_ptr_equal(strstr(output, "Caught expected ValueError: "), output);
    assert_non_null(strstr(output, "weights"));
    const char *first = strstr(output, "002_ex1.c:10");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "002_ex1.c:10"));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = { cmocka_unit_test(it_catches_the_error_that_names_both_sites) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
