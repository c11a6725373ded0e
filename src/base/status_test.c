/* status_test.c - recording the first cause. */
#include "support/check.h"
#include "base/status.h"
#include <stdlib.h>

static void the_first_cause_is_kept(void **state)
{
    (void)state;
    assert_int_equal(tn__fail(TN_NOT_FOUND, "no layer '%s'", "dense"), TN_NOT_FOUND);
    assert_int_equal(tn__fail(TN_INTERNAL, "later"), TN_INTERNAL);
    assert_string_equal(tn__errors()->text, "no layer 'dense'");
    assert_int_equal(tn__errors()->status, TN_NOT_FOUND);
    tn__fail_clear();
    assert_int_equal(tn__errors()->status, TN_OK);
    assert_string_equal(tn__errors()->text, "");
    CHECK_NO_ERROR();
}

static void notes_are_added_as_lines_to_a_kept_error_only(void **state)
{
    (void)state;
    tn__fail_note("nothing is kept");
    assert_string_equal(tn__errors()->text, "");
    tn__fail(TN_DATA_LOSS, "the file ends early");
    tn__fail_note("in '%s'", "model.h5");
    tn__fail_note("member %d", 3);
    assert_string_equal(tn__errors()->text, "the file ends early\nin 'model.h5'\nmember 3");
    tn__fail_clear();
    assert_string_equal(tn__errors()->text, "");
}

static void a_message_longer_than_the_fixed_part_is_kept_whole(void **state)
{
    (void)state;
    char *names = malloc(5000);
    assert_non_null(names);
    memset(names, 'n', 4999);
    names[4999] = 0;
    tn__fail(TN_INVALID_ARGUMENT, "expected one of %s", names);
    assert_int_equal(strlen(tn__errors()->text), 4999 + 16);
    tn__fail_note("and a note");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "nnn\nand a note");
    free(names);
}

static void running_out_of_memory_says_how_much_was_wanted(void **state)
{
    (void)state;
    assert_int_equal(tn__fail_memory(1234), TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "1234 bytes");
    tn__fail_memory(0);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "out of memory");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_cause_is_kept),
        cmocka_unit_test(notes_are_added_as_lines_to_a_kept_error_only),
        cmocka_unit_test(a_message_longer_than_the_fixed_part_is_kept_whole),
        cmocka_unit_test(running_out_of_memory_says_how_much_was_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
