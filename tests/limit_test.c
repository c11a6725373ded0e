/* limit_test.c - how many threads compute: what the process is told, and less where a context says
 * so. */
#include "support/check.h"
#include "kernels/parallel.h"
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>

enum { PROCESS = 4 };

typedef struct {
    pthread_t thread[TN__MOST_LANES];
    int calls;
    pthread_mutex_t lock;
} workers;

static void note_thread(void *self, int lane, int lanes)
{
    workers *w = self;
    (void)lane, (void)lanes;
    pthread_mutex_lock(&w->lock);
    w->thread[w->calls++] = pthread_self();
    pthread_mutex_unlock(&w->lock);
}

/* How many threads do a large piece of work of the current context. */
static int threads_that_work(void)
{
    workers w = { .lock = PTHREAD_MUTEX_INITIALIZER };
    int different = 0;
    tn__parallel(tn__lanes(1e12), note_thread, &w);
    for (int i = 0; i < w.calls; i++) {
        int before = 0;
        while (!pthread_equal(w.thread[before], w.thread[i]))
            before++;
        different += before == i;
    }
    return different;
}

static int threads_of_the_process(void)
{
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(tasks));)
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

/* Each of them is worth many threads. */
static void compute_much(void)
{
    TN_SCOPE;
    tn_tensor *x = tn_random_normal(TN_SHAPE(400, 400)),
              *image = tn_random_normal(TN_SHAPE(4, 64, 64, 8));
    tn_tensor *filter = tn_random_normal(TN_SHAPE(3, 3, 8, 8));
    tn_variable *v = tn_variable(image);
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y =
        tn_nn_max_pool2d(tn_nn_conv2d(v, filter, .padding = "SAME"), { 2, 2 }, { 2, 2 }, "VALID");
    tn_tensor *loss =
        tn_add(tn_reduce_sum(y), tn_reduce_sum(tn_nn_softmax(tn_tanh(tn_matmul(x, x)), -1)));
    tn_list gradients = tn_gradient(tape, loss, TN_LIST(v));
    CHECK_OK(tn_apply_gradients(tn_adam(), gradients, TN_LIST(v)));
    CHECK_NO_ERROR();
}

static void *do_nothing(void *unused)
{
    return unused;
}

/* First of all: nobody has made threads yet. */
static void a_context_makes_no_more_threads_than_it_may_have(void **state)
{
    (void)state;
    pthread_t thread; /* after a first one a sanitizer has its own */
    assert_int_equal(pthread_create(&thread, NULL, do_nothing, NULL), 0);
    pthread_join(thread, NULL);
    int before = threads_of_the_process();
    for (int limit = 1; limit < PROCESS; limit++) {
        CHECK_OK(tn_set_intra_op_parallelism_threads(limit));
        assert_int_equal(tn_get_intra_op_parallelism_threads(), limit);
        compute_much();
        assert_int_equal(threads_of_the_process() - before, limit - 1);
        assert_int_equal(threads_that_work(), limit);
    }
    CHECK_OK(tn_set_intra_op_parallelism_threads(0));
    compute_much();
    assert_int_equal(threads_of_the_process() - before, PROCESS - 1);
}

static void a_limit_holds_when_there_are_more_threads_already(void **state)
{
    (void)state;
    assert_int_equal(threads_that_work(), PROCESS);
    for (int limit = PROCESS; limit > 0; limit--) {
        CHECK_OK(tn_set_intra_op_parallelism_threads(limit));
        assert_int_equal(threads_that_work(), limit);
    }
    CHECK_OK(tn_set_intra_op_parallelism_threads(1000));
    assert_int_equal(threads_that_work(), PROCESS); /* the process's own is never exceeded */
    CHECK_OK(tn_set_intra_op_parallelism_threads(0));
    assert_int_equal(threads_that_work(), PROCESS);
}

static void *in_another_thread(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)threads_that_work();
}

static void every_context_has_a_limit_of_its_own(void **state)
{
    (void)state;
    tn_context *other = tn_context_new(), *own;
    pthread_t thread;
    void *worked;
    CHECK_OK(tn_set_intra_op_parallelism_threads(3));
    own = tn_context_swap(other);
    assert_int_equal(threads_that_work(), PROCESS);
    CHECK_OK(tn_set_intra_op_parallelism_threads(2));
    assert_int_equal(threads_that_work(), 2);
    tn_context_swap(own);
    assert_int_equal(threads_that_work(), 3);
    tn_context_swap(other);
    assert_int_equal(threads_that_work(), 2);
    tn_context_free(other);
    assert_int_equal(tn_get_intra_op_parallelism_threads(), 3); /* the thread's own again */
    assert_int_equal(threads_that_work(), 3);
    assert_int_equal(pthread_create(&thread, NULL, in_another_thread, NULL), 0);
    pthread_join(thread, &worked);
    assert_int_equal((intptr_t)worked, PROCESS);
    CHECK_OK(tn_set_intra_op_parallelism_threads(0));
}

static void a_negative_number_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    CHECK_OK(tn_set_intra_op_parallelism_threads(2));
    assert_int_equal(tn_set_intra_op_parallelism_threads(-1), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a number of threads or 0, not -1");
    assert_int_equal(tn_get_intra_op_parallelism_threads(), 2);
    CHECK_OK(tn_set_intra_op_parallelism_threads(0));
}

int main(void)
{
    tests_begin();
    setenv("TN_NUM_THREADS", "4", 1); /* whatever the machine has */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_context_makes_no_more_threads_than_it_may_have),
        cmocka_unit_test(a_limit_holds_when_there_are_more_threads_already),
        cmocka_unit_test(every_context_has_a_limit_of_its_own),
        cmocka_unit_test(a_negative_number_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
