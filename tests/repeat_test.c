/* repeat_test.c - the same seeds and the same threads: the same bits, from one training to the
 * next, with dropout and shuffling. With another number of threads sums are cut elsewhere: the same
 * within their rounding. */
#include "support/check.h"
#include "core/tensor.h"
#include <math.h>
#include <stdlib.h>

enum { ROWS = 160, SIDE = 16, CLASSES = 4, MOST = 64 };

static tn_model *mlp(void)
{
    return tn_sequential(TN_LAYERS(tn_flatten(.input_shape = TN_SHAPE(SIDE, SIDE, 1)),
                                   tn_dense(256, "relu"), tn_dropout(0.3), tn_dense(128, "tanh"),
                                   tn_dense(CLASSES, "softmax")));
}

static tn_model *cnn(void)
{
    return tn_sequential(
        TN_LAYERS(tn_conv2d(16, 3, .activation = "relu", .input_shape = TN_SHAPE(SIDE, SIDE, 1)),
                  tn_batch_normalization(), tn_max_pooling2d(2),
                  tn_conv2d(24, 3, .activation = "relu", .padding = "same"), tn_dropout(0.25),
                  tn_flatten(), tn_dense(CLASSES, "softmax")));
}

/* Of a training: what every variable is afterwards, the losses, and a prediction. */
typedef struct {
    float *values[MOST];
    size_t size[MOST], count;
} outcome;

static void keep(outcome *o, tn_tensor *x)
{
    size_t bytes = (size_t)tn__count(x) * sizeof(float);
    assert_true(o->count < MOST && x->dtype == TN_FLOAT32);
    o->size[o->count] = (size_t)tn__count(x);
    o->values[o->count] = malloc(bytes);
    assert_non_null(o->values[o->count]);
    memcpy(o->values[o->count++], tn_data_float32(x), bytes);
}

static void train(tn_model *(*make)(void), outcome *o)
{
    tn_set_random_seed(11);
    tn_set_seed(11);
    tn_tensor *x = tn_random_normal(TN_SHAPE(ROWS, SIDE, SIDE, 1), .seed = 1);
    tn_tensor *y =
        tn_random_uniform(TN_SHAPE(ROWS), .maxval = CLASSES, .dtype = TN_INT32, .seed = 2);
    tn_model *model = make();
    CHECK_OK(tn_compile(model, tn_adam(1e-3), "sparse_categorical_crossentropy", { "accuracy" }));
    tn_history *history =
        tn_fit(model, x, y, .epochs = 2, .batch_size = 32, .validation_split = 0.2, .verbose = 0);
    CHECK_NO_ERROR();
    for (int epoch = 0; epoch < 2; epoch++)
        keep(o, tn_constant(TN_FLOAT32, TN_SHAPE(2),
                            (float[]){ (float)tn_history_value(history, "loss", epoch),
                                       (float)tn_history_value(history, "val_loss", epoch) }));
    tn_list variables = tn_variables(model);
    for (size_t i = 0; i < variables.count; i++)
        if (tn_at(variables, (int)i)->dtype == TN_FLOAT32)
            keep(o, tn_read_value(tn_at(variables, (int)i)));
    keep(o, tn_predict(model, x, .verbose = 0));
    CHECK_NO_ERROR();
}

/* In a context of its own, which has nothing of an earlier one. */
static outcome train_anew(tn_model *(*make)(void), int threads)
{
    outcome o = { .count = 0 };
    tn_context *context = tn_context_new(), *before = tn_context_swap(context);
    CHECK_OK(tn_set_intra_op_parallelism_threads(threads));
    train(make, &o);
    tn_context_swap(before);
    tn_context_free(context);
    return o;
}

static void free_outcome(outcome *o)
{
    for (size_t i = 0; i < o->count; i++)
        free(o->values[i]);
}

/* 0: bit for bit. */
static void compare(const outcome *a, const outcome *b, double apart)
{
    assert_int_equal(a->count, b->count);
    for (size_t k = 0; k < a->count; k++) {
        assert_int_equal(a->size[k], b->size[k]);
        if (apart == 0)
            assert_memory_equal(a->values[k], b->values[k], a->size[k] * sizeof(float));
        for (size_t i = 0; i < a->size[k]; i++)
            if (!(fabs((double)a->values[k][i] - b->values[k][i]) <= apart))
                fail_msg("%zu, element %zu: %.9g and %.9g", k, i, a->values[k][i], b->values[k][i]);
    }
}

/* Eight steps of Adam move a weight by at most 0.008. Where a gradient is near 0 its sign hangs on
 * rounding, and a weight may go another way for a step: a tenth of that. */
static void check_model(tn_model *(*make)(void))
{
    outcome of[2];
    for (int threads = 1; threads <= 2; threads++) {
        outcome again = train_anew(make, threads);
        of[threads - 1] = train_anew(make, threads);
        compare(&of[threads - 1], &again, 0);
        free_outcome(&again);
    }
    compare(&of[0], &of[1], 8e-4);
    free_outcome(&of[0]);
    free_outcome(&of[1]);
}

static void an_mlp_is_trained_to_the_same_bits_again(void **state)
{
    (void)state;
    check_model(mlp);
}

static void a_cnn_is_trained_to_the_same_bits_again(void **state)
{
    (void)state;
    check_model(cnn);
}

int main(void)
{
    tests_begin();
    setenv("TN_NUM_THREADS", "2", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_mlp_is_trained_to_the_same_bits_again),
        cmocka_unit_test(a_cnn_is_trained_to_the_same_bits_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
