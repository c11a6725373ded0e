/* context_test.c - what is ambient in a thread: each context has scopes, an error and numbers of
 * its own. */
#include "core/context.h"
#include "support/check.h"
#include <pthread.h>
#include <stdlib.h>

static void a_context_has_scopes_and_an_error_of_its_own(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_context *other = tn_context_new();
    tn_fail(TN_CANCELLED, "of the thread's own");
    size_t depth = tn_scope_depth();
    tn_context *own = tn_context_swap(other);
    assert_int_equal(tn_pending(), TN_OK);
    assert_int_equal(tn_scope_depth(), 0);
    size_t handles = tn_live_handles();
    assert_non_null(tn_zeros(TN_SHAPE(2), TN_FLOAT32));
    assert_ptr_equal(tn_context_swap(NULL), other); /* NULL: the thread's own again */
    assert_ptr_equal(tn__context(), own);
    assert_int_equal(tn_scope_depth(), depth);
    assert_int_equal(tn_live_handles(), handles + 1);
    tn_context_free(other); /* with what its root scope owns */
    assert_int_equal(tn_live_handles(), handles);
    CHECK_ERROR(TN_CANCELLED, "of the thread's own");
    tn_context_free(NULL);
}

static void contexts_that_come_and_go_leave_nothing(void **state)
{
    (void)state;
    size_t allocations = 0;
    for (int i = 0; i < 100; i++) {
        tn_context *context = tn_context_new(), *previous = tn_context_swap(context);
        tn_scope_push();
        tn_add(tn_ones(TN_SHAPE(100), TN_FLOAT32), tn_scalar(1));
        tn_name(tn_variable(tn_scalar(1.0)));
        tn_context_swap(previous);
        tn_context_free(context);
        if (i == 10)
            allocations = live_allocations();
    }
    assert_int_equal(live_allocations(), allocations);
}

static void the_line_of_the_program_stays_that_of_the_failed_call(void **state)
{
    (void)state;
    tn_context *context = tn__context();
    tn_here("first.c:1");
    assert_string_equal(context->here, "first.c:1");
    tn_here(NULL);
    assert_string_equal(context->here, "first.c:1");
    (tn_fail)(TN_INTERNAL, "here"); /* the function, without the macro that tells its line */
    tn_here("second.c:2");
    assert_string_equal(tn__failed_at(context), "first.c:1");
    assert_string_equal(tn_catch(TN_ANY_ERROR)->here, "first.c:1");
    tn_here("third.c:3");
    assert_string_equal(context->here, "third.c:3");
}

enum { THREADS = 4, NUMBERS = 100000 };

static void *draw(void *first)
{
    tn_context *context = tn__context();
    uint64_t *ids = first;
    ids[0] = tn__next_id(context);
    uint64_t last = ids[0];
    for (int i = 1; i < NUMBERS; i++) {
        uint64_t id = tn__next_ids(context, (size_t)(i % 3) + 1);
        if (id <= last)
            return first;
        last = id + (uint64_t)(i % 3);
        ids[i] = id;
    }
    return NULL;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void numbers_of_many_threads_are_never_equal_and_never_zero(void **state)
{
    (void)state;
    static uint64_t ids[THREADS * NUMBERS];
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, draw, &ids[i * NUMBERS]), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
    qsort(ids, THREADS * NUMBERS, sizeof *ids, by_number);
    assert_true(ids[0] > 0);
    for (size_t i = 1; i < THREADS * NUMBERS; i++)
        assert_true(ids[i] > ids[i - 1]);
}

static void a_new_context_runs_graphs_as_the_environment_says(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        bool plain;
    } cases[] = { { "off", true }, { "on", false }, { NULL, false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].said)
            setenv("TN_PLAN", cases[i].said, 1);
        else
            unsetenv("TN_PLAN");
        tn_context *context = tn_context_new();
        assert_int_equal(context->plain, cases[i].plain);
        tn_context_free(context);
    }
}

static void *leave_everything_open(void *unused)
{
    tn_scope_push();
    tn_enter(tn_name_scope("open"), NULL);
    tn_keep_root(tn_zeros(TN_SHAPE(3), TN_FLOAT32));
    tn_gradient_tape(.persistent = true);
    tn_square(tn_variable(tn_scalar(1.0)));
    return unused;
}

static void a_thread_that_ends_anywhere_takes_its_handles_along(void **state)
{
    (void)state;
    size_t handles = tn_live_handles();
    pthread_t thread;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(pthread_create(&thread, NULL, leave_everything_open, NULL), 0);
        pthread_join(thread, NULL);
        assert_int_equal(tn_live_handles(), handles);
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_context_has_scopes_and_an_error_of_its_own),
        cmocka_unit_test(contexts_that_come_and_go_leave_nothing),
        cmocka_unit_test(the_line_of_the_program_stays_that_of_the_failed_call),
        cmocka_unit_test(numbers_of_many_threads_are_never_equal_and_never_zero),
        cmocka_unit_test(a_new_context_runs_graphs_as_the_environment_says),
        cmocka_unit_test(a_thread_that_ends_anywhere_takes_its_handles_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
