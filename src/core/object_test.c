/* object_test.c - counts, memory scopes at any depth, and handles that are used after their death.
 */
#include "core/context.h"
#include "support/check.h"

/* A handle of the test's own: counts its deaths, and holds another. */
typedef struct thing {
    tn__object object;
    struct thing *next; /* retained */
    int number;
} thing;

static struct {
    int count, first, last;
} died;

static void thing_destroy(void *object)
{
    thing *t = object;
    if (died.count++ == 0)
        died.first = t->number;
    died.last = t->number;
    tn__release(t->next);
}

static const tn__type type_thing = { .name = "thing", .kind = 1, .destroy = thing_destroy },
                      type_other = { .name = "other" };

static thing *thing_new(int number)
{
    thing *t = tn__object_new(&type_thing);
    assert_non_null(t);
    t->number = number;
    return t;
}

static thing *owned(int number)
{
    return tn__own(thing_new(number));
}

static int begin(void **state)
{
    (void)state;
    died.count = died.first = died.last = 0;
    return 0;
}

static void an_object_dies_with_its_last_count(void **state)
{
    (void)state;
    size_t alive = tn_live_handles();
    thing *t = thing_new(1);
    assert_int_equal(tn_live_handles(), alive + 1);
    assert_ptr_equal(tn__retain(t), t);
    tn__release(t);
    assert_int_equal(died.count, 0);
    tn__release(t);
    assert_int_equal(died.count, 1);
    assert_int_equal(tn_live_handles(), alive);
    assert_null(tn__retain(NULL));
    tn__release(NULL);
}

static void a_field_is_counted_also_when_it_is_given_itself(void **state)
{
    (void)state;
    thing *field = NULL, *a = thing_new(1), *b = thing_new(2);
    tn__assign_object(&field, a);
    tn__release(a);
    tn__assign_object(&field, field);
    assert_int_equal(died.count, 0);
    tn__assign_object(&field, b);
    assert_int_equal(died.last, 1);
    tn__assign_object(&field, NULL);
    tn__release(b);
    assert_int_equal(died.count, 2);
}

static void a_scope_frees_what_was_made_in_it_the_newest_first(void **state)
{
    (void)state;
    thing *outer = owned(0);
    size_t depth = tn__scope_begin(NULL);
    owned(1);
    owned(2);
    owned(3);
    tn__scope_end(depth);
    assert_int_equal(died.count, 3);
    assert_int_equal(died.first, 3);
    assert_int_equal(died.last, 1);
    tn_free_handle(0, outer);
    assert_int_equal(died.count, 4);
}

static void ending_a_scope_ends_those_within(void **state)
{
    (void)state;
    size_t outside = tn_scope_depth(), depth = tn__scope_begin(NULL);
    owned(1);
    for (int i = 2; i < 50; i++) {
        tn__scope_begin(NULL);
        owned(i);
    }
    assert_int_equal(tn_scope_depth(), depth + 49);
    tn__scope_end(depth);
    assert_int_equal(died.count, 49);
    assert_true(tn_scope_depth() == outside || outside == 0); /* the root opens at the first need */
    tn__scope_end(1000);
    tn__scope_end(depth);
    assert_int_equal(died.count, 49);
}

static void keeping_moves_one_scope_out_each_time(void **state)
{
    (void)state;
    size_t outer = tn__scope_begin(NULL), middle = tn__scope_begin(NULL),
           inner = tn__scope_begin(NULL);
    owned(1);
    thing *kept = owned(2);
    owned(3);
    assert_ptr_equal(tn_keep_handle(0, kept, NULL), kept);
    tn__scope_end(inner);
    assert_int_equal(died.count, 2);
    assert_int_equal(kept->number, 2);
    tn_keep_handle(0, kept, NULL);
    tn__scope_end(middle);
    assert_int_equal(died.count, 2);
    tn__scope_end(outer);
    assert_int_equal(died.count, 3);
    CHECK_NO_ERROR();
}

static void keeping_what_an_outer_scope_owns_changes_nothing(void **state)
{
    (void)state;
    size_t outer = tn__scope_begin(NULL);
    thing *t = owned(1);
    size_t inner = tn__scope_begin(NULL);
    assert_ptr_equal(tn_keep_handle(0, t, NULL), t);
    tn__scope_end(inner);
    assert_int_equal(died.count, 0);
    tn__scope_end(outer);
    assert_int_equal(died.count, 1);
}

static void keeping_in_the_root_survives_every_scope(void **state)
{
    (void)state;
    size_t depth = tn__scope_begin(NULL);
    owned(1);
    tn__scope_begin(NULL);
    tn__scope_begin(NULL);
    owned(2);
    thing *kept = owned(3), *held = thing_new(4);
    assert_ptr_equal(tn_keep_root_handle(0, kept, NULL), kept);
    assert_ptr_equal(tn_keep_root_handle(0, held, NULL),
                     held); /* that no scope of this thread owns: one count more */
    tn__release(held);
    tn__scope_end(depth);
    assert_int_equal(died.count, 2);
    tn_free_handle(0, kept);
    tn_free_handle(0, held);
    assert_int_equal(died.count, 4);
}

static void freeing_early_leaves_the_order_of_scopes(void **state)
{
    (void)state;
    size_t outer = tn__scope_begin(NULL);
    thing *a = owned(1);
    owned(2);
    size_t middle = tn__scope_begin(NULL), inner = tn__scope_begin(NULL); /* middle owns nothing */
    owned(3);
    tn_free_handle(0, a);
    assert_int_equal(died.count, 1);
    tn__scope_end(inner);
    assert_int_equal(died.last, 3);
    tn__scope_end(middle);
    assert_int_equal(died.count, 2);
    tn__scope_end(outer);
    assert_int_equal(died.count, 3);
    assert_int_equal(died.last, 2);
}

static void freeing_what_no_scope_owns_does_nothing(void **state)
{
    (void)state;
    thing *held = thing_new(1);
    tn_free_handle(0, held);
    tn_free_handle(0, NULL);
    assert_int_equal(died.count, 0);
    tn__release(held);
    CHECK_NO_ERROR();
}

static void one_object_may_be_owned_many_times(void **state)
{
    (void)state;
    size_t outer = tn__scope_begin(NULL);
    thing *t = owned(1);
    size_t inner = tn__scope_begin(NULL);
    tn__own_shared(t);
    tn__own_shared(t);
    tn__scope_end(inner);
    assert_int_equal(died.count, 0);
    tn__scope_end(outer);
    assert_int_equal(died.count, 1);
}

static void a_kept_list_takes_its_array_along(void **state)
{
    (void)state;
    size_t outer = tn__scope_begin(NULL), inner = tn__scope_begin(NULL);
    tn_list list = tn_keep_list(TN_LIST(tn_scalar(1), tn_scalar(2)));
    tn__scope_end(inner);
    assert_int_equal(list.count, 2);
    assert_float_equal(tn_to_double(list.item[1]), 2, 0);
    tn__scope_end(outer);
    CHECK_NO_ERROR();
}

static void a_chain_of_a_million_needs_no_stack(void **state)
{
    (void)state;
    thing *chain = NULL;
    for (int i = 0; i < 1000000; i++) {
        thing *t = thing_new(i);
        t->next = chain;
        chain = t;
    }
    tn__release(chain);
    assert_int_equal(died.count, 1000000);
    assert_int_equal(died.first, 999999);
}

static void a_dead_handle_says_what_it_was_and_where_it_died(void **state)
{
    (void)state;
    size_t depth = tn__scope_begin("train.c:42");
    thing *t = owned(1);
    tn__scope_end(depth);
    assert_false(tn__check(t, &type_thing, "tn_square: x"));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "tn_square: x is a thing that has been freed, with the memory scope opened at train.c:42");
    assert_null(tn_keep_handle(0, t, NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_keep: handle is a thing that has been freed");
    assert_null(tn_keep_root_handle(0, t, NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_keep_root: handle is a thing that has been freed");
    tn_free_handle(0, t);
    CHECK_NO_ERROR();
}

static void a_handle_of_another_kind_and_none_are_refused(void **state)
{
    (void)state;
    thing *t = thing_new(1);
    assert_true(tn__check(t, &type_thing, "x"));
    assert_false(tn__check(t, &type_other, "tn_call: f"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_call: f must be an other, got a thing\n"
                                     "what was freed may be something else by now: tn_keep() hands");
    assert_false(tn__check(NULL, &type_thing, "tn_square: x"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_square: x is NULL (an unconnected gradient?)");
    assert_null(tn_keep_handle(0, NULL, NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_keep: handle is NULL");
    tn__release(t);
}

static void a_dead_block_is_used_again_last(void **state)
{
    (void)state;
    thing *dead = thing_new(1), *next[50];
    tn__release(dead);
    for (int i = 0; i < 50; i++) {
        next[i] = thing_new(i);
        assert_ptr_not_equal(next[i], dead);
    }
    for (int i = 0; i < 50; i++)
        tn__release(next[i]);
    assert_false(tn__check(dead, &type_thing, "x"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has been freed");
}

static void texts_of_a_scope_live_as_long_as_it(void **state)
{
    (void)state;
    size_t alive = tn_live_handles(), depth = tn__scope_begin(NULL);
    size_t allocations = live_allocations();
    char *copy = tn__scope_strdup(""), *made = tn__scope_print("%d of %s", 3, "four");
    assert_string_equal(copy, "");
    assert_string_equal(made, "3 of four");
    assert_non_null(tn__scope_alloc(0));
    tn__scope_end(depth);
    assert_int_equal(tn_live_handles(), alive);
    assert_int_equal(live_allocations(), allocations);
}

static bool own_and_keep(void *unused)
{
    (void)unused;
    for (int i = 0; i < 200; i++) {
        thing *t = tn__object_new(&type_thing);
        if (!tn__own(t) || !tn_keep_root_handle(0, t, NULL))
            return false;
        tn_free_handle(0, t);
        if (!tn__scope_print("%d", i))
            return false;
    }
    return true;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(own_and_keep, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_object_dies_with_its_last_count, begin),
        cmocka_unit_test_setup(a_field_is_counted_also_when_it_is_given_itself, begin),
        cmocka_unit_test_setup(a_scope_frees_what_was_made_in_it_the_newest_first, begin),
        cmocka_unit_test_setup(ending_a_scope_ends_those_within, begin),
        cmocka_unit_test_setup(keeping_moves_one_scope_out_each_time, begin),
        cmocka_unit_test_setup(keeping_what_an_outer_scope_owns_changes_nothing, begin),
        cmocka_unit_test_setup(keeping_in_the_root_survives_every_scope, begin),
        cmocka_unit_test_setup(freeing_early_leaves_the_order_of_scopes, begin),
        cmocka_unit_test_setup(freeing_what_no_scope_owns_does_nothing, begin),
        cmocka_unit_test_setup(one_object_may_be_owned_many_times, begin),
        cmocka_unit_test_setup(a_kept_list_takes_its_array_along, begin),
        cmocka_unit_test_setup(a_chain_of_a_million_needs_no_stack, begin),
        cmocka_unit_test_setup(a_dead_handle_says_what_it_was_and_where_it_died, begin),
        cmocka_unit_test_setup(a_handle_of_another_kind_and_none_are_refused, begin),
        cmocka_unit_test_setup(a_dead_block_is_used_again_last, begin),
        cmocka_unit_test_setup(texts_of_a_scope_live_as_long_as_it, begin),
        cmocka_unit_test_setup(running_out_of_memory_leaks_nothing, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
