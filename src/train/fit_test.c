/* fit_test.c - small trainings from seeds against what real Keras logs, and what fit promises
 * besides. */
#include "support/check.h"
#include "core/variable.h"
#include "tenon/gradient.h"
#include "train/trainer.h"
#include <math.h>
#include <pthread.h>
#include "train/testdata/fit_cases.h"

enum { ROWS = 23 };

/* Numbers that the script that recorded the cases computes too. */
static tn_tensor *rows(int64_t count, int64_t width, int step, int shift)
{
    float values[ROWS * 5];
    for (int64_t i = 0; i < count * width; i++)
        values[i] = (float)((i / width * step + i % width * shift) % 11 - 5) / 8;
    return tn_constant(TN_FLOAT32, TN_SHAPE(count, width), values);
}

static tn_tensor *features(void)
{
    return rows(ROWS, 5, 7, 3);
}

static tn_tensor *labels(void)
{
    int32_t values[ROWS];
    for (int i = 0; i < ROWS; i++)
        values[i] = i * 5 % 3;
    return tn_constant(TN_INT32, TN_SHAPE(ROWS), values);
}

/* i % modulus / divisor */
static tn_tensor *weights(int64_t count, int modulus, float divisor)
{
    float values[ROWS];
    for (int i = 0; i < count; i++)
        values[i] = (float)(i % modulus) / divisor;
    return tn_constant(TN_FLOAT32, TN_SHAPE(count), values);
}

static tn_tensor *class_weights(void)
{
    return tn_constant(TN_FLOAT32, TN_SHAPE(2), ((const float[]){ 0.5f, 2 }));
}

static tn_model *classifier(void)
{
    tn_set_random_seed(7);
    return tn_sequential(TN_LAYERS(tn_dense(4, "relu"), tn_dense(3, "softmax")));
}

static tn_model *compiled(tn_model *model, tn_optimizer *optimizer)
{
    CHECK_OK(tn_compile(model, optimizer, "sparse_categorical_crossentropy", { "accuracy" }));
    return model;
}

static const tn__trainer *trainer_of(const tn_model *model)
{
    return model->trainer;
}

/* --- against Keras ---------------------------------------------------------------------------- */
static void check_values(const char *name, const char *key, size_t count, const double *got)
{
    for (size_t i = 0; i < sizeof fit_cases / sizeof *fit_cases; i++) {
        if (strcmp(fit_cases[i].name, name) != 0 || strcmp(fit_cases[i].key, key) != 0)
            continue;
        assert_int_equal(count, fit_cases[i].count);
        for (size_t k = 0; k < count; k++)
            if (!(fabs(got[k] - fit_cases[i].value[k]) <=
                  2e-6 + 2e-5 * fabs(fit_cases[i].value[k])))
                fail_msg("%s: %s[%zu] is %.9g, want %.9g", name, key, k, got[k],
                         fit_cases[i].value[k]);
        return;
    }
    fail_msg("%s: there is no %s", name, key);
}

/* Keys in order, values epoch by epoch; NAN ones, of epochs without validation, left out. */
static void check_history(const char *name, tn_history *history)
{
    size_t column = 0;
    CHECK_NO_ERROR();
    for (size_t i = 0; i < sizeof fit_cases / sizeof *fit_cases; i++) {
        const char *key = fit_cases[i].key, *own = tn_history_key(history, column);
        double values[16];
        size_t count = 0;
        if (strcmp(fit_cases[i].name, name) != 0 || !own)
            continue;
        assert_string_equal(own, key);
        for (int64_t epoch = 0; epoch < tn_history_epochs(history); epoch++)
            if (!isnan(tn_history_value(history, key, epoch)))
                values[count++] = tn_history_value(history, key, epoch);
        check_values(name, key, count, values);
        column++;
    }
    assert_true(column > 0);
    assert_null(tn_history_key(history, column));
}

static void check_tensor(const char *name, const char *key, tn_tensor *x)
{
    double values[16];
    CHECK_NO_ERROR();
    for (int64_t i = 0; i < tn__count(x); i++)
        values[i] = tn__double_at(x, i);
    check_values(name, key, (size_t)tn__count(x), values);
}

static void losses_and_metrics_are_keras_s(void **state)
{
    (void)state;
    tn_model *model = compiled(classifier(), tn_adam());
    check_history("plain",
                  tn_fit(model, features(), labels(), .batch_size = 8, .epochs = 3, .verbose = 0));
    assert_int_equal(trainer_of(model)->train->traces, 1); /* the last batch is smaller */
}

static void sample_weights_reach_the_loss_and_weighted_metrics(void **state)
{
    (void)state;
    tn_model *model = classifier();
    CHECK_OK(tn_compile(model, tn_adam(), "sparse_categorical_crossentropy", { "accuracy" },
                        .weighted_metrics = { "accuracy" }));
    check_history("weighted", tn_fit(model, features(), labels(), .batch_size = 8, .epochs = 2,
                                     .verbose = 0, .sample_weight = weights(ROWS, 4, 2)));
}

static void class_weights_leave_the_validation_alone(void **state)
{
    (void)state;
    tn_model *model = classifier();
    CHECK_OK(tn_compile(model, tn_adam(), "sparse_categorical_crossentropy", { "accuracy" },
                        .weighted_metrics = { "sparse_categorical_crossentropy" }));
    check_history("class_weights",
                  tn_fit(model, features(), labels(), .batch_size = 8, .epochs = 2, .verbose = 0,
                         .class_weight = class_weights(), .validation_split = 0.3));
}

static tn_model *two_headed(void)
{
    tn_set_random_seed(7);
    tn_tensor *input = tn_input(TN_SHAPE(5)), *hidden = tn_call(tn_dense(4, "tanh"), input);
    tn_tensor *a = tn_call(tn_dense(2, .name = "a"), hidden),
              *b = tn_call(tn_dense(3, "softmax", .name = "b"), hidden);
    tn_model *model = tn_model(input, tn_tuple(a, b));
    CHECK_OK(tn_compile(model, tn_sgd(0.1), .metrics = { "mae" },
                        .output_losses = { "mse", "categorical_crossentropy" },
                        .loss_weights = { 0.5, 2 }));
    return model;
}

static void several_outputs_have_names_losses_and_weights_of_their_own(void **state)
{
    (void)state;
    tn_model *model = two_headed();
    tn_tensor *targets = tn_tuple(rows(ROWS, 2, 4, 1), tn_one_hot(labels(), 3));
    check_history("two_outputs",
                  tn_fit(model, features(), targets, .batch_size = 8, .epochs = 2, .verbose = 0));
    check_tensor("two_outputs", "evaluate",
                 tn_evaluate(model, features(), targets, .batch_size = 8, .verbose = 0));
    const char *const names[] = { "loss", "a_loss", "b_loss", "a_mae", "b_mae", NULL };
    for (size_t i = 0; names[i]; i++)
        assert_string_equal(tn_metrics_name(model, i), names[i]);
    assert_null(tn_metrics_name(model, 5));
    tn_tensor *outputs = tn_predict(model, features());
    assert_int_equal(tn_items(outputs).count, 2);
    assert_int_equal(tn_dim(tn_shape_of(tn_item(outputs, 1)), 0), ROWS);
}

static void steps_per_epoch_goes_on_where_the_last_epoch_stopped(void **state)
{
    (void)state;
    check_history("continued_steps",
                  tn_fit(compiled(classifier(), tn_adam()), features(), labels(), .batch_size = 8,
                         .epochs = 4, .steps_per_epoch = 2, .verbose = 0));
    check_history("steps_without_batch_size",
                  tn_fit(compiled(classifier(), tn_adam()), features(), labels(), .epochs = 2,
                         .steps_per_epoch = 3, .verbose = 0));
}

static void validation_comes_every_so_many_epochs_and_steps(void **state)
{
    (void)state;
    tn_tensor *x = features(), *y = labels();
    tn_model *model = compiled(classifier(), tn_adam());
    tn_history *history =
        tn_fit(model, x, y, .batch_size = 8, .epochs = 4, .verbose = 0,
               .validation_data = tn_tuple(x, y, weights(ROWS, 3, 1)), .validation_freq = 2,
               .validation_steps = 2, .validation_batch_size = 4);
    check_history("validated", history);
    assert_true(isnan(tn_history_value(history, "val_loss", 0)));
    assert_false(isnan(tn_history_value(history, "val_loss", 1)));
    assert_int_equal(trainer_of(model)->test->traces, 1);
}

static void penalties_constraints_averages_and_scaled_losses_are_keras_s(void **state)
{
    (void)state;
    tn_set_random_seed(7);
    tn_layer *first =
        tn_dense(4, "relu", .kernel_regularizer = "l2(0.02)", .kernel_constraint = "non_neg");
    tn_model *model = tn_sequential(TN_LAYERS(first, tn_dense(3, "softmax")));
    compiled(model, tn_adam(0.05, .use_ema = true, .ema_momentum = 0.8, .loss_scale_factor = 8));
    check_history("regularized",
                  tn_fit(model, features(), labels(), .batch_size = 8, .epochs = 2, .verbose = 0));
    check_tensor("regularized", "evaluate",
                 tn_evaluate(model, features(), labels(), .batch_size = 8, .verbose = 0));
}

static void moving_statistics_and_dropout_move_on_in_the_traced_step(void **state)
{
    (void)state;
    tn_set_random_seed(7);
    tn_layer *normalize = tn_batch_normalization(.momentum = 0.7);
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(4, .use_bias = false), normalize, tn_relu(),
                                              tn_dropout(0.25), tn_dense(3, "softmax")));
    compiled(model, tn_sgd(0.2));
    check_history("normalized",
                  tn_fit(model, features(), labels(), .batch_size = 8, .epochs = 3, .verbose = 0));
    tn_list own = tn_layer_variables(normalize);
    check_tensor("normalized", "moving_mean", tn_read_value(tn_at(own, 2)));
    check_tensor("normalized", "moving_variance", tn_read_value(tn_at(own, 3)));
    check_tensor("normalized", "evaluate", tn_evaluate(model, features(), labels(), .verbose = 0));
}

static double halve(void *self, int64_t epoch, double rate)
{
    (void)epoch;
    ++*(int *)self;
    return rate * 0.5;
}

static void epochs_may_begin_later_with_a_rate_of_their_own(void **state)
{
    (void)state;
    int calls = 0;
    tn_model *model = compiled(classifier(), tn_sgd(0.5));
    check_history("scheduled", tn_fit(model, features(), labels(), .batch_size = 8,
                                      .initial_epoch = 2, .epochs = 5, .verbose = 0,
                                      .callbacks = { tn_learning_rate_scheduler(halve, &calls) }));
    assert_int_equal(calls, 3);
    assert_int_equal(trainer_of(model)->train->traces, 1);
}

static void single_batches_begin_the_metrics_anew(void **state)
{
    (void)state;
    tn_model *model = compiled(classifier(), tn_adam());
    double train[6], test[6];
    for (int64_t i = 0; i < 3; i++) {
        tn_tensor *x = tn_rows(features(), 6 * i, 6 * i + 6),
                  *y = tn_rows(labels(), 6 * i, 6 * i + 6);
        tn_tensor *trained = tn_train_on_batch(model, x, y, .class_weight = class_weights());
        tn_tensor *tested = tn_test_on_batch(model, x, y, .sample_weight = weights(6, 6, 1));
        CHECK_NO_ERROR();
        for (int64_t k = 0; k < 2; k++) {
            train[2 * i + k] = tn__double_at(trained, k);
            test[2 * i + k] = tn__double_at(tested, k);
        }
    }
    check_values("single_batches", "train_on_batch", 6, train);
    check_values("single_batches", "test_on_batch", 6, test);
}

static void frozen_layers_stay_as_they_are(void **state)
{
    (void)state;
    tn_model *model = classifier();
    tn_set_trainable(tn_layers(model).item[0], false);
    tn_call(model, features());
    tn_tensor *before = tn_read_value(tn_at(tn_layer_variables(model), 0));
    compiled(model, tn_adam());
    check_history("frozen",
                  tn_fit(model, features(), labels(), .batch_size = 8, .epochs = 2, .verbose = 0));
    tn_tensor *after = tn_read_value(tn_at(tn_layer_variables(model), 0));
    assert_memory_equal(before->data, after->data, tn__byte_count(before));
    assert_int_equal(tn_optimizer_variables(tn_model_optimizer(model)).count, 6);
}

static void several_inputs_are_a_tuple(void **state)
{
    (void)state;
    tn_tensor *a = tn_input(TN_SHAPE(5)), *b = tn_input(TN_SHAPE(1), .dtype = TN_INT32);
    tn_tensor *both = tn_call(tn_concatenate(), tn_call(tn_dense(2), a), tn_cast(b, TN_FLOAT32));
    tn_model *model =
        compiled(tn_model(tn_tuple(a, b), tn_call(tn_dense(3, "softmax"), both)), tn_adam());
    tn_tensor *x = tn_tuple(features(), tn_reshape(labels(), TN_SHAPE(ROWS, 1)));
    tn_history *history = tn_fit(model, x, labels(), .batch_size = 8, .epochs = 20, .verbose = 0);
    CHECK_NO_ERROR();
    assert_true(tn_history_value(history, "loss", -1) < tn_history_value(history, "loss", 0));
    assert_int_equal(tn_dim(tn_shape_of(tn_predict(model, x, .batch_size = 5)), 0), ROWS);
    assert_null(tn_predict(model, tn_tuple(features(), tn_zeros(TN_SHAPE(3, 1), TN_INT32))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Data cardinality is ambiguous.");
}

static void weights_and_images_may_be_of_any_number_type(void **state)
{
    (void)state;
    tn_tensor *x = tn_cast(tn_abs(tn_multiply(features(), tn_scalar(8))), TN_UINT8);
    tn_tensor *counts = tn_cast(weights(ROWS, 3, 1), TN_INT32), *y = tn_cast(labels(), TN_FLOAT64);
    tn_model *model = compiled(classifier(), tn_adam()), *other = compiled(classifier(), tn_adam());
    tn_history *a = tn_fit(model, x, y, .sample_weight = counts, .verbose = 0);
    tn_history *b = tn_fit(other, tn_cast(x, TN_FLOAT32), labels(),
                           .sample_weight = weights(ROWS, 3, 1), .verbose = 0);
    CHECK_NO_ERROR();
    assert_float_equal(tn_history_value(a, "loss", 0), tn_history_value(b, "loss", 0), 1e-6);
}

/* --- sources of batches ----------------------------------------------------------------------- */
typedef struct {
    tn_tensor *x, *y;
    int64_t batches, spoiled; /* the batch of the second epoch with other columns; -1: none */
    size_t live[64], memory[64], count;
} source;

static tn_tensor *next_batch(void *self, int64_t epoch, int64_t batch)
{
    source *s = self;
    if (s->count < 64) {
        s->memory[s->count] = live_allocations();
        s->live[s->count++] = tn_live_handles();
    }
    if (batch >= s->batches)
        return NULL;
    int64_t begin = batch * 8, end = begin + 8 < ROWS ? begin + 8 : ROWS;
    if (epoch == 1 && batch == s->spoiled)
        return tn_tuple(rows(4, 4, 1, 1), tn_rows(s->y, 0, 4));
    return tn_tuple(tn_rows(s->x, begin, end), tn_rows(s->y, begin, end));
}

static void a_source_of_batches_trains_as_arrays_do(void **state)
{
    (void)state;
    source s = { features(), labels(), 3, -1, { 0 }, { 0 }, 0 };
    tn_model *model = compiled(classifier(), tn_adam()), *other = compiled(classifier(), tn_adam());
    tn_history *a =
        tn_fit(model, s.x, s.y, .batch_size = 8, .epochs = 3, .shuffle = false, .verbose = 0);
    tn_fit_options options = {
        .size_ = sizeof options, .epochs = 3, .verbose = 0, .seed = TN_NO_SEED
    };
    tn_history *b = tn_fit_source(other, next_batch, &s, &options);
    CHECK_NO_ERROR();
    for (int64_t epoch = 0; epoch < 3; epoch++)
        assert_float_equal(tn_history_value(a, "loss", epoch), tn_history_value(b, "loss", epoch),
                           1e-7);
}

static void steps_leave_no_handles_behind(void **state)
{
    (void)state;
    source s = { features(), labels(), 3, -1, { 0 }, { 0 }, 0 };
    tn_fit_options options = {
        .size_ = sizeof options, .epochs = 8, .verbose = 0, .seed = TN_NO_SEED
    };
    tn_fit_source(compiled(classifier(), tn_adam()), next_batch, &s, &options);
    CHECK_NO_ERROR();
    assert_int_equal(s.count, 32);
    for (size_t i = 12; i < s.count; i++) {
        assert_int_equal(s.live[i], s.live[8 + i % 4]);
        assert_int_equal(s.memory[i], s.memory[8 + i % 4]);
    }
}

static void a_batch_that_fails_leaves_the_weights_of_the_one_before(void **state)
{
    (void)state;
    source s = { features(), labels(), 3, 1, { 0 }, { 0 }, 0 };
    tn_model *model = compiled(classifier(), tn_adam()), *other = compiled(classifier(), tn_adam());
    tn_fit_options options = {
        .size_ = sizeof options, .epochs = 3, .verbose = 0, .seed = TN_NO_SEED
    };
    assert_null(tn_fit_source(model, next_batch, &s, &options));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "expected shape=(None, 5), found shape=(None, 4)");
    for (int64_t i = 0; i < 4; i++) {
        int64_t begin = i % 3 * 8, end = begin + 8 < ROWS ? begin + 8 : ROWS;
        tn_train_on_batch(other, tn_rows(s.x, begin, end), tn_rows(s.y, begin, end));
    }
    CHECK_NO_ERROR();
    tn_list got = tn_layer_variables(model), want = tn_layer_variables(other);
    for (size_t i = 0; i < got.count; i++)
        assert_float_equal(
            tn_to_double(tn_reduce_max(tn_abs(tn_subtract(got.item[i], want.item[i])))), 0, 0);
    assert_int_equal(tn_to_int(tn_iterations(tn_model_optimizer(model))), 4);
    assert_non_null(tn_fit(model, s.x, s.y, .batch_size = 8, .verbose = 0)); /* and it goes on */
    CHECK_NO_ERROR();
}

/* --- stopping --------------------------------------------------------------------------------- */
typedef struct {
    int64_t at;
    bool by_flag;
} stopper;

static void stop_at(void *self, const tn_logs *logs)
{
    const stopper *s = self;
    if (logs->batch != s->at)
        return;
    if (s->by_flag)
        *logs->stop = true;
    else
        tn_stop_training();
}
static const tn_callback_class stopping = { .on_batch_end = stop_at };

static void a_stopped_training_keeps_its_history(void **state)
{
    (void)state;
    tn_tensor *x = features(), *y = labels();
    tn_model *model = compiled(classifier(), tn_adam());
    stopper s = { 1, false };
    tn_callback *stop = tn_callback_new(&stopping, &s);
    tn_history *history = tn_fit(model, x, y, .batch_size = 8, .epochs = 5, .verbose = 0,
                                 .validation_split = 0.2, .callbacks = { stop });
    CHECK_NO_ERROR();
    assert_int_equal(tn_history_epochs(history), 1);
    assert_int_equal(tn_to_int(tn_iterations(tn_model_optimizer(model))), 2);
    assert_true(isfinite(tn_history_value(history, "loss", 0)));
    assert_string_equal(tn_history_key(history, 1), "loss");
    assert_null(tn_history_key(history, 2)); /* nobody waits for a validation */
    s.by_flag = true;
    history = tn_fit(model, x, y, .batch_size = 8, .epochs = 5, .verbose = 0,
                     .validation_split = 0.2, .callbacks = { stop });
    assert_int_equal(tn_history_epochs(history), 1);
    assert_true(isfinite(
        tn_history_value(history, "val_loss", 0))); /* a callback's stop has one, as in Keras */
    history = tn_fit(model, x, y, .batch_size = 8, .epochs = 2, .verbose = 0);
    assert_int_equal(tn_history_epochs(history), 2);
    CHECK_NO_ERROR();
}

static void fail_in_epoch(void *self, const tn_logs *logs)
{
    (void)self;
    if (logs->epoch == 1)
        tn_fail(TN_OUT_OF_RANGE, "enough of it");
}
static const tn_callback_class failing = { .on_epoch_end = fail_in_epoch };

static void a_callback_s_error_ends_the_training(void **state)
{
    (void)state;
    tn_model *model = compiled(classifier(), tn_adam());
    tn_callback *callback = tn_callback_new(&failing, NULL);
    assert_null(
        tn_fit(model, features(), labels(), .epochs = 5, .verbose = 0, .callbacks = { callback }));
    CHECK_ERROR(TN_OUT_OF_RANGE, "enough of it");
    assert_int_equal(tn_to_int(tn_iterations(tn_model_optimizer(model))), 2);
}

/* --- what is refused -------------------------------------------------------------------------- */
static void mistakes_have_one_clear_message(void **state)
{
    (void)state;
    tn_tensor *x = features(), *y = labels();
    assert_null(tn_fit(classifier(), x, y, .verbose = 0));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "You must call `compile()` before using the model.\nfit: ");
    assert_null(tn_evaluate(classifier(), x, y));
    CHECK_ERROR(TN_FAILED_PRECONDITION,
                "You must call `compile()` before using the model.\nevaluate: ");
    tn_model *model = compiled(classifier(), tn_adam());
    assert_null(tn_fit(model, x, tn_rows(y, 0, 20), .verbose = 0));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples."
        "'x' sizes: 23\n'y' sizes: 20");
    assert_null(tn_fit(model, x, y, .class_weight = class_weights(),
                       .sample_weight = weights(ROWS, 3, 1), .verbose = 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "You cannot `class_weight` and `sample_weight` at the same time.");
    assert_null(tn_fit(model, x, y, .batch_size = -1, .verbose = 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "batch_size must not be negative, got -1");
    assert_null(tn_fit(model, x, y, .validation_split = 0.99, .verbose = 0));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Training data contains 23 samples, which is not sufficient to split it into a validation");
    assert_null(tn_fit(model, x, .verbose = 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "y_true and y_pred have different structures.");
    assert_null(tn_fit(model, x, tn_tuple(y, y), .verbose = 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "the model has 1 output(s), but y has 2");
    assert_null(tn_fit(model, x, y, .validation_data = x, .verbose = 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "validation_data must be tn_tuple(x, y)");
    assert_null(
        tn_fit(two_headed(), x, tn_tuple(y, y), .class_weight = class_weights(), .verbose = 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`class_weight` is only supported for Models with a single output.");
    assert_non_null(tn_fit(model, x, y, .verbose = 0));
    CHECK_NO_ERROR();
}

static void a_model_without_a_loss_needs_penalties_to_train(void **state)
{
    (void)state;
    tn_model *model = classifier();
    CHECK_OK(tn_compile(model, tn_sgd(0.1)));
    assert_null(tn_fit(model, features(), .verbose = 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "No loss to compute. Provide a `loss` argument in `compile()`.");
    tn_model *penalized =
        tn_sequential(TN_LAYERS(tn_dense(2, .kernel_regularizer = "l2(0.5)", .use_bias = false)));
    CHECK_OK(tn_compile(penalized, tn_sgd(0.1)));
    tn_history *history = tn_fit(penalized, features(), .epochs = 3, .verbose = 0);
    CHECK_NO_ERROR();
    assert_true(tn_history_value(history, "loss", 2) < tn_history_value(history, "loss", 0));
}

static void compile_refuses_names_that_nobody_knows(void **state)
{
    (void)state;
    tn_model *model = classifier();
    assert_int_equal(tn_compile(model, tn_adam(), "msee"), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "'msee'");
    assert_int_equal(tn_compile(model, tn_adam(), "mse", { "acuracy" }), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "'acuracy'");
    assert_false(tn_is_compiled(model));
    CHECK_OK(tn_compile(model, tn_adam(), "crossentropy", { "acc" }));
    tn_history *history = tn_fit(model, features(), labels(), .verbose = 0);
    CHECK_NO_ERROR();
    assert_string_equal(tn_history_key(history, 0), "acc");
}

static bool train_a_little(void *self)
{
    (void)self;
    TN_SCOPE;
    tn_set_random_seed(7);
    tn_tensor *x = tn_rows(features(), 0, 5), *y = tn_rows(labels(), 0, 5);
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(3, "softmax")));
    if (tn_compile(model, tn_sgd(0.1), "sparse_categorical_crossentropy", { "accuracy" }) != TN_OK)
        return false;
    return tn_fit(model, x, y, .batch_size = 3, .verbose = 0, .validation_split = 0.3,
                  .callbacks = { tn_early_stopping(.restore_best_weights = true) }) != NULL;
}

static void running_out_of_memory_in_a_training_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(train_a_little, NULL);
}

/* --- prediction ------------------------------------------------------------------------------- */
typedef struct {
    tn_model *model;
    tn_tensor *x;
    float want[ROWS * 3];
    bool same;
} predictor;

static void *predict_often(void *self)
{
    predictor *p = self;
    p->same = true;
    for (int64_t i = 0; i < 20 && p->same; i++) {
        TN_SCOPE;
        tn_tensor *found = tn_predict(p->model, p->x, .batch_size = 1 + i % 9);
        p->same = found && memcmp(found->data, p->want, sizeof p->want) == 0;
    }
    return NULL;
}

static void many_threads_predict_with_one_model(void **state)
{
    (void)state;
    tn_model *model = compiled(classifier(), tn_adam());
    predictor p[8] = { { .model = model, .x = features() } };
    pthread_t thread[8];
    tn_fit(model, p->x, labels(), .batch_size = 8, .verbose = 0);
    tn_tensor *want = tn_call(model, p->x);
    CHECK_NO_ERROR();
    memcpy(p->want, want->data, sizeof p->want);
    double loss = tn_to_double(tn_metric_result(trainer_of(model)->loss_tracker));
    for (int i = 1; i < 8; i++)
        p[i] = p[0];
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, predict_often, &p[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(thread[i], NULL);
        assert_true(p[i].same);
    }
    assert_int_equal(trainer_of(model)->predict->traces, 1);
    assert_true(loss == tn_to_double(tn_metric_result(trainer_of(model)->loss_tracker)));
}

static void an_open_tape_and_a_compiled_model_do_not_disturb_a_prediction(void **state)
{
    (void)state;
    tn_model *model = compiled(classifier(), tn_adam());
    tn_tensor *x = features();
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *found = tn_predict(model, x, .batch_size = 10), *direct = tn_call(model, x);
    CHECK_NO_ERROR();
    assert_memory_equal(found->data, direct->data, tn__byte_count(found));
    assert_memory_equal(tn_predict_on_batch(model, x)->data, direct->data, tn__byte_count(found));
    assert_null(tn_predict(model, tn_zeros(TN_SHAPE(0, 5), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "there is no data to predict for");
}

static void a_loss_that_does_not_fit_the_labels_is_named(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = classifier();
    CHECK_OK(tn_compile(model, tn_adam(), "mse"));
    assert_null(tn_fit(model, features(), labels(), .verbose = 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "in a step of the loss 'mse' with y_true int32 (");
    assert_null(tn_evaluate(model, features(), labels(), .verbose = 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "; class numbers want sparse_categorical_crossentropy");
}

static void keep_warning(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    if (kind == TN_SINK_WARNING)
        snprintf(self, 1024, "%.*s", (int)size, text);
}

static void what_is_frozen_after_the_first_step_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    char warning[1024] = "";
    tn_set_sink((tn_sink){ keep_warning, warning, false });
    tn_model *model = compiled(classifier(), tn_adam());
    tn_fit(model, features(), labels(), .verbose = 0);
    tn_fit(model, features(), labels(), .verbose = 0);
    assert_string_equal(warning, "");
    tn_set_trainable(tn_layers(model).item[0], false);
    tn_fit(model, features(), labels(), .verbose = 0);
    assert_non_null(strstr(warning, "Discrepancy between trainable weights and collected trainable "
                                    "weights, did you set `model.trainable` without calling "
                                    "`model.compile` after ?"));
    assert_non_null(strstr(warning, "training 4 variables, 2 are trainable now"));
    warning[0] = 0;
    compiled(model, tn_adam());
    tn_fit(model, features(), labels(), .verbose = 0);
    assert_string_equal(warning, "");
    tn_set_trainable(tn_layers(model).item[0], true); /* as many, but others */
    tn_set_trainable(tn_layers(model).item[1], false);
    tn_fit(model, features(), labels(), .verbose = 0);
    assert_non_null(strstr(warning, "training 2 variables, 2 are trainable now, 2 of them others"));
    tn_set_sink((tn_sink){ 0 });
    CHECK_NO_ERROR();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_and_metrics_are_keras_s),
        cmocka_unit_test(a_loss_that_does_not_fit_the_labels_is_named),
        cmocka_unit_test(what_is_frozen_after_the_first_step_is_told),
        cmocka_unit_test(sample_weights_reach_the_loss_and_weighted_metrics),
        cmocka_unit_test(class_weights_leave_the_validation_alone),
        cmocka_unit_test(several_outputs_have_names_losses_and_weights_of_their_own),
        cmocka_unit_test(steps_per_epoch_goes_on_where_the_last_epoch_stopped),
        cmocka_unit_test(validation_comes_every_so_many_epochs_and_steps),
        cmocka_unit_test(penalties_constraints_averages_and_scaled_losses_are_keras_s),
        cmocka_unit_test(moving_statistics_and_dropout_move_on_in_the_traced_step),
        cmocka_unit_test(epochs_may_begin_later_with_a_rate_of_their_own),
        cmocka_unit_test(single_batches_begin_the_metrics_anew),
        cmocka_unit_test(frozen_layers_stay_as_they_are),
        cmocka_unit_test(several_inputs_are_a_tuple),
        cmocka_unit_test(weights_and_images_may_be_of_any_number_type),
        cmocka_unit_test(a_source_of_batches_trains_as_arrays_do),
        cmocka_unit_test(steps_leave_no_handles_behind),
        cmocka_unit_test(a_batch_that_fails_leaves_the_weights_of_the_one_before),
        cmocka_unit_test(a_stopped_training_keeps_its_history),
        cmocka_unit_test(a_callback_s_error_ends_the_training),
        cmocka_unit_test(mistakes_have_one_clear_message),
        cmocka_unit_test(a_model_without_a_loss_needs_penalties_to_train),
        cmocka_unit_test(compile_refuses_names_that_nobody_knows),
        cmocka_unit_test(running_out_of_memory_in_a_training_leaks_nothing),
        cmocka_unit_test(many_threads_predict_with_one_model),
        cmocka_unit_test(an_open_tape_and_a_compiled_model_do_not_disturb_a_prediction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
