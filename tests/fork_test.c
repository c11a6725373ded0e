/* fork_test.c - a child of fork() predicts as its parent did, with threads of its own: the parent's
 * are not there. */
#include "support/check.h"
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 64, CLASSES = 10, CHILDREN = 4 };

typedef struct {
    tn_model *model;
    tn_tensor *x;
    float want[ROWS * CLASSES];
} prediction;

static bool is_same(const prediction *p)
{
    TN_SCOPE;
    tn_tensor *y = tn_predict(p->model, p->x, .batch_size = ROWS, .verbose = 0);
    return y && memcmp(tn_data_float32(y), p->want, sizeof p->want) == 0;
}

static void begin(prediction *p)
{
    p->model = tn_sequential(TN_LAYERS(tn_dense(512, "relu", .input_shape = TN_SHAPE(784)),
                                       tn_dense(CLASSES, "softmax")));
    p->x = tn_random_normal(TN_SHAPE(ROWS, 784), .seed = 3);
    tn_tensor *y = tn_predict(p->model, p->x, .batch_size = ROWS, .verbose = 0);
    CHECK_NO_ERROR();
    memcpy(p->want, tn_data_float32(y), sizeof p->want);
}

/* A child that hangs is ended by its alarm. */
static pid_t predict_in_a_child(const prediction *p)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        bool same = is_same(p) && is_same(p);
        _exit(same ? 0 : 1);
    }
    return child;
}

static void a_child_predicts_as_its_parent_and_the_parent_goes_on(void **state)
{
    (void)state;
    TN_SCOPE;
    prediction p;
    pid_t child[CHILDREN];
    begin(&p);
    for (int i = 0; i < CHILDREN; i++) {
        child[i] = predict_in_a_child(&p);
        assert_true(child[i] > 0);
        assert_true(is_same(&p));
    }
    for (int i = 0; i < CHILDREN; i++) {
        int status;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    assert_true(is_same(&p));
}

int main(void)
{
    tests_begin();
    setenv("TN_NUM_THREADS", "4", 0); /* that the parent has threads, whatever the machine has */
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        a_child_predicts_as_its_parent_and_the_parent_goes_on) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
