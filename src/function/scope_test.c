/* scope_test.c - TN_WITH: name scopes, memory scopes, and leaving them in every way. */
#include "support/check.h"

static tn_tensor *one(void)
{
    return tn_ones(TN_SHAPE(1), TN_FLOAT32);
}

static void name_scopes_nest_and_a_slash_or_nothing_is_absolute(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_name_scope("a"));
    {
        TN_WITH(tn_name_scope("b"));
        assert_string_equal(tn_name(tn_variable(one(), .name = "v")), "a/b/v");
        {
            TN_WITH(tn_name_scope("c/"));
            assert_string_equal(tn_name(tn_variable(one(), .name = "v")), "c/v");
        }
        {
            TN_WITH(tn_name_scope(""));
            assert_string_equal(tn_name(tn_variable(one())), "Variable");
        }
    }
    assert_string_equal(tn_name(tn_variable(one(), .name = "v")), "a/v");
    CHECK_NO_ERROR();
}

static void a_scope_object_is_entered_again_where_it_was_made(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_scope *scope = tn_name_scope("a");
    TN_WITH(tn_name_scope("other"));
    for (int i = 0; i < 3; i++) {
        TN_WITH(scope);
        assert_string_equal(tn_name(tn_variable(one(), .name = "v")), "a/v");
        if (i == 1)
            continue;
    }
    assert_string_equal(tn_name(tn_variable(one(), .name = "v")), "other/v");
}

static void a_wrong_name_is_told_with_the_pattern(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_name_scope("_a"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is not a valid root scope name");
    assert_null(tn_name_scope("a b"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is not a valid root scope name");
    assert_null(tn_name_scope(NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "name is NULL");
    TN_WITH(tn_name_scope("a"));
    assert_non_null(tn_name_scope("_b"));
    CHECK_NO_ERROR();
}

static void leaving_a_loop_by_break_leaves_its_scopes(void **state)
{
    (void)state;
    TN_SCOPE;
    size_t handles = tn_live_handles(), depth = tn_scope_depth();
    for (int i = 0; i < 5; i++) {
        TN_SCOPE;
        TN_WITH(tn_name_scope("in_loop"));
        one();
        if (i == 2)
            break;
        if (i == 1)
            continue;
    }
    assert_int_equal(tn_live_handles(), handles);
    assert_int_equal(tn_scope_depth(), depth);
    assert_string_equal(tn_name(tn_variable(one())), "Variable");
}

static void scopes_are_left_while_an_error_is_kept(void **state)
{
    (void)state;
    TN_SCOPE;
    size_t handles = tn_live_handles();
    {
        TN_SCOPE;
        TN_WITH(tn_name_scope("a"));
        one();
        tn_fail(TN_CANCELLED, "stop");
        TN_SCOPE;                    /* works */
        TN_WITH(tn_name_scope("b")); /* does nothing */
    }
    assert_int_equal(tn_live_handles(), handles);
    CHECK_ERROR(TN_CANCELLED, "stop");
    assert_string_equal(tn_name(tn_variable(one())), "Variable");
}

static void kept_handles_move_one_scope_out_or_to_the_root(void **state)
{
    (void)state;
    TN_SCOPE;
    size_t handles = tn_live_handles();
    tn_tensor *x, *y, *z, *root;
    {
        TN_SCOPE;
        one();
        {
            TN_SCOPE;
            one();
            x = tn_keep(tn_square(one()));
            root = tn_keep_root(tn_square(one()));
            z = tn_keep(one());
            y = tn_keep(tn_square(x));
            tn_free(z);
        }
        x = tn_keep(x);
        assert_float_equal(tn_data_float32(y)[0], 1, 0);
    }
    assert_int_equal(tn_live_handles(), handles + 2);
    assert_float_equal(tn_data_float32(x)[0], 1, 0);
    assert_float_equal(tn_data_float32(root)[0], 1, 0);
    tn_free(root);
    tn_free(root); /* given up already: nothing */
    tn_free(x);
    tn_free((tn_tensor *)NULL);
    assert_int_equal(tn_live_handles(), handles);
    CHECK_NO_ERROR();
}

static tn_list pair(void)
{
    TN_SCOPE;
    return tn_keep_list(TN_LIST(tn_square(one()), one()));
}

static void a_kept_list_outlives_its_scope_with_its_items(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list list = pair();
    assert_float_equal(tn_data_float32(tn_at(list, 1))[0], 1, 0);
    CHECK_NO_ERROR();
}

static void a_dead_handle_says_where_its_scope_was(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer;
    {
        TN_SCOPE;
        layer = tn_dense(3);
    }
    assert_null(tn_call(layer, one()));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is a layer that has been freed, with the memory scope opened at");
    assert_null(tn_keep(layer));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has been freed");
}

static tn_tensor *leaked;
static tn_tensor *leaking_body(void *me, tn_list inputs)
{
    (void)me;
    leaked = tn_square(tn_at(inputs, 0));
    return tn_add(leaked, leaked);
}

static void a_handle_leaked_from_a_body_is_dead_also_when_the_function_is(void **state)
{
    (void)state;
    TN_SCOPE;
    {
        TN_SCOPE;
        tn_call(tn_function(leaking_body, NULL, .eager = true), one());
    }
    assert_null(tn_square(leaked));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has been freed");
}

static bool enter_scopes(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        TN_SCOPE;
        TN_WITH(tn_name_scope("a"));
        TN_WITH(tn_name_scope("b"));
        tn_variable *v = tn_variable(one());
        if (!v || strcmp(tn_name(v), "a/b/Variable") != 0)
            return false;
        tn_tensor *kept = tn_keep(tn_square(v));
        if (!kept)
            return false;
    }
    return tn_pending() == TN_OK;
}

static void running_out_of_memory_leaks_nothing_and_leaves_no_name(void **state)
{
    (void)state;
    check_allocation_failures(enter_scopes, NULL);
    TN_SCOPE;
    assert_string_equal(tn_name(tn_variable(one())), "Variable");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_scopes_nest_and_a_slash_or_nothing_is_absolute),
        cmocka_unit_test(a_scope_object_is_entered_again_where_it_was_made),
        cmocka_unit_test(a_wrong_name_is_told_with_the_pattern),
        cmocka_unit_test(leaving_a_loop_by_break_leaves_its_scopes),
        cmocka_unit_test(scopes_are_left_while_an_error_is_kept),
        cmocka_unit_test(kept_handles_move_one_scope_out_or_to_the_root),
        cmocka_unit_test(a_kept_list_outlives_its_scope_with_its_items),
        cmocka_unit_test(a_dead_handle_says_where_its_scope_was),
        cmocka_unit_test(a_handle_leaked_from_a_body_is_dead_also_when_the_function_is),
        cmocka_unit_test(running_out_of_memory_leaks_nothing_and_leaves_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
