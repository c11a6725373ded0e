/* predict_threads_test.c - one loaded model, sixteen threads that predict with it: each gets the
 * bits that one thread alone gets, whatever batches it takes, whichever of them found the pool of
 * threads busy. Worth most under the thread sanitizer. */
#include "support/check.h"
#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 16, ROUNDS = 6, ROWS = 24, CLASSES = 10 };

static tn_model *mlp(void)
{
    return tn_sequential(TN_LAYERS(tn_dense(256, "relu", .input_shape = TN_SHAPE(784)),
                                   tn_dropout(0.2), tn_dense(128, "tanh"),
                                   tn_dense(CLASSES, "softmax")));
}

static tn_model *cnn(void)
{
    return tn_sequential(TN_LAYERS(
        tn_reshape_layer(TN_SHAPE(28, 28, 1), .input_shape = TN_SHAPE(784)),
        tn_conv2d(16, 3, .activation = "relu"), tn_batch_normalization(), tn_max_pooling2d(2),
        tn_conv2d(16, 3, .padding = "same"), tn_flatten(), tn_dense(CLASSES, "softmax")));
}

typedef struct {
    tn_model *model;
    tn_tensor *x;
    float want[ROWS * CLASSES];
    pthread_barrier_t begin;
} shared_model;

/* Batches of 24 and 12 are programs of their own; each round is one of them for all. */
static tn_tensor *predict(const shared_model *s, int round)
{
    return tn_predict(s->model, s->x, .batch_size = round % 2 ? ROWS / 2 : ROWS, .verbose = 0);
}

static void *predict_often(void *self)
{
    shared_model *s = self;
    uintptr_t wrong = 0;
    pthread_barrier_wait(&s->begin);
    for (int i = 0; i < ROUNDS; i++) {
        TN_SCOPE;
        tn_tensor *y = predict(s, i);
        wrong += !y || memcmp(tn_data_float32(y), s->want, sizeof s->want) != 0;
    }
    return (void *)(wrong + (tn_pending() != TN_OK));
}

/* The model is loaded twice: what threads find of `shared` nobody has run. */
static void check_model(tn_model *made, const char *name)
{
    TN_SCOPE;
    pthread_t thread[THREADS];
    const char *path = temporary_path(name);
    CHECK_OK(tn_save(made, path));
    shared_model s = { .model = tn_load_model(path),
                       .x = tn_random_normal(TN_SHAPE(ROWS, 784), .seed = 3) };
    tn_tensor *alone = predict(&s, 0);
    CHECK_NO_ERROR();
    memcpy(s.want, tn_data_float32(alone), sizeof s.want);
    s.model = tn_load_model(path);
    assert_int_equal(pthread_barrier_init(&s.begin, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, predict_often, &s), 0);
    uintptr_t wrong = 0;
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(thread[i], &result);
        wrong += (uintptr_t)result;
    }
    pthread_barrier_destroy(&s.begin);
    assert_int_equal(wrong, 0);
    CHECK_NO_ERROR();
}

static void sixteen_threads_predict_with_a_loaded_mlp_as_one_does(void **state)
{
    (void)state;
    check_model(mlp(), "mlp.keras");
}

static void sixteen_threads_predict_with_a_loaded_cnn_as_one_does(void **state)
{
    (void)state;
    check_model(cnn(), "cnn.keras");
}

int main(void)
{
    tests_begin();
    setenv("TN_NUM_THREADS", "4", 0); /* that there is a pool to share, whatever the machine has */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_threads_predict_with_a_loaded_mlp_as_one_does),
        cmocka_unit_test(sixteen_threads_predict_with_a_loaded_cnn_as_one_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
