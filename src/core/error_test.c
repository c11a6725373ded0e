/* error_test.c - the first cause is kept, with the line of the call that failed. */
#include "support/check.h"
#include <stdlib.h>

#define LINE_OF(call) ((void)(call), TN_HERE)

static void an_error_names_the_line_of_the_call_that_failed(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_scalar(1);
    tn_list list = TN_LIST(x);
    const char *here = LINE_OF(tn_at(list, 1));
    assert_null(tn_add(x, x)); /* refused, and changes nothing */
    assert_null(tn_keep(tn_square(x)));
    const tn_error *error = tn_catch(TN_OUT_OF_RANGE);
    assert_string_equal(error->here, here);
    assert_string_equal(error->first_line, "tn_at: item 1 of a list of 1");
    assert_non_null(strstr(error->message, here));
}

static void the_next_error_has_its_own_line(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_zeros(TN_SHAPE(2), TN_FLOAT32), *y = tn_zeros(TN_SHAPE(3), TN_FLOAT32);
    for (int i = 0; i < 2; i++) {
        const char *here = LINE_OF(tn_add(x, y));
        assert_string_equal(tn_catch(TN_ANY_ERROR)->here, here);
        here = LINE_OF(tn_dim(tn_shape_of(x), 5));
        assert_string_equal(tn_catch(TN_ANY_ERROR)->here, here);
        here = LINE_OF(tn_fail(TN_NOT_FOUND, "%s", "of the program's own"));
        assert_string_equal(tn_catch(TN_ANY_ERROR)->here, here);
    }
}

static void only_the_kind_that_is_asked_for_is_taken(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_catch(TN_ANY_ERROR));
    assert_null(tn_fail(TN_NOT_FOUND, "first\nand more"));
    assert_null(tn_fail(TN_DATA_LOSS, "second"));
    assert_null(tn_catch(TN_DATA_LOSS));
    assert_int_equal(tn_pending(), TN_NOT_FOUND);
    const tn_error *error = tn_catch(TN_NOT_FOUND);
    assert_string_equal(error->first_line, "first");
    assert_int_equal(error->status, TN_NOT_FOUND);
    CHECK_NO_ERROR();
}

static bool fail_and_catch(void *self)
{
    (void)self;
    tn_fail(TN_NOT_FOUND, "%1500d", 5);
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    bool whole = error->message[0] && error->first_line[0];
    return whole && tn_pending() == TN_OK;
}

static void an_error_can_be_taken_without_memory(void **state)
{
    (void)state;
    check_allocation_failures(fail_and_catch, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_names_the_line_of_the_call_that_failed),
        cmocka_unit_test(the_next_error_has_its_own_line),
        cmocka_unit_test(only_the_kind_that_is_asked_for_is_taken),
        cmocka_unit_test(an_error_can_be_taken_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
