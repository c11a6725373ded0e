/* callback_test.c - Keras's callbacks against what real Keras does with the same logs, and
 * callbacks of one's own. */
#include "support/check.h"
#include "base/file.h"
#include "core/variable.h"
#include "train/checkpoint.h"
#include "train/trainer.h"
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "train/testdata/callback_cases.h"

/* --- a training whose logs are set ------------------------------------------------------------ */
/* Puts numbers into the logs of an epoch, and keeps the weight that it ended with. */
typedef struct {
    const char *key;
    const double *values;
    double weight[16];
    int64_t epochs;
} script;

static double weight_of(tn_model *model)
{
    return tn_to_double(tn_reduce_sum(tn_at(tn_layer_variables(model), 0)));
}

static void play(void *self, const tn_logs *logs)
{
    script *s = self;
    tn_log_set(logs, s->key, s->values[logs->epoch]);
    s->weight[s->epochs++] = weight_of(logs->model);
}
static const tn_callback_class playing = { .on_epoch_end = play };

static tn_model *one_weight(void)
{
    tn_model *model =
        tn_sequential(TN_LAYERS(tn_dense(1, .use_bias = false, .kernel_initializer = "ones")));
    CHECK_OK(tn_compile(model, tn_sgd(0.01), "mse", { "mae" }));
    return model;
}

static tn_history *fit_scripted(tn_model *model, script *s, tn_callback *callback, int64_t epochs)
{
    tn_tensor *x = tn_ones(TN_SHAPE(2, 1), TN_FLOAT32), *y = tn_zeros(TN_SHAPE(2, 1), TN_FLOAT32);
    return tn_fit(model, x, y, .batch_size = 1, .epochs = epochs, .verbose = 0,
                  .callbacks = { tn_callback_new(&playing, s), callback });
}

static struct {
    char text[4096];
    size_t size, warnings;
} shown;

static void take(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    (void)self;
    shown.warnings += kind == TN_SINK_WARNING;
    if (shown.size + size < sizeof shown.text) {
        memcpy(shown.text + shown.size, text, size);
        shown.size += size;
        shown.text[shown.size] = 0;
    }
}

static void listen(void)
{
    shown.size = shown.warnings = 0;
    shown.text[0] = 0;
    tn_set_sink((tn_sink){ .write = take });
}

static void check_shown(const char *want)
{
    tn_set_sink((tn_sink){ 0 });
    assert_string_equal(shown.text, want);
}

static const double falling[] = { 1, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8 };

/* --- EarlyStopping ---------------------------------------------------------------------------- */
static void training_stops_and_weights_return_as_in_keras(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stop_cases / sizeof *stop_cases; i++) {
        TN_SCOPE;
        tn_early_stopping_options options = stop_cases[i].options;
        options.size_ = sizeof options;
        script s = { options.monitor, stop_cases[i].script, { 0 }, 0 };
        tn_model *model = one_weight();
        tn_history *history = fit_scripted(model, &s, tn_early_stopping_new(&options), 8);
        CHECK_NO_ERROR();
        if (tn_history_epochs(history) != stop_cases[i].epochs)
            fail_msg("case %zu: %lld epochs, want %lld", i, (long long)tn_history_epochs(history),
                     (long long)stop_cases[i].epochs);
        if (weight_of(model) != s.weight[stop_cases[i].weights_of])
            fail_msg("case %zu: not the weights of epoch %lld", i,
                     (long long)stop_cases[i].weights_of);
    }
}

static void a_callback_serves_several_trainings(void **state)
{
    (void)state;
    tn_callback *stop = tn_early_stopping(.patience = 1);
    for (int i = 0; i < 2; i++) {
        script s = { "val_loss", falling, { 0 }, 0 };
        assert_int_equal(tn_history_epochs(fit_scripted(one_weight(), &s, stop, 8)), 3);
    }
    CHECK_NO_ERROR();
}

static void it_says_what_it_does_when_asked_to(void **state)
{
    (void)state;
    script s = { "val_loss", falling, { 0 }, 0 };
    listen();
    fit_scripted(one_weight(), &s,
                 tn_early_stopping(.patience = 1, .verbose = 1, .restore_best_weights = true), 8);
    check_shown(
        "Epoch 3: early stopping\nRestoring model weights from the end of the best epoch: 2.\n");
    CHECK_NO_ERROR();
}

static void a_value_that_is_not_there_is_one_warning(void **state)
{
    (void)state;
    script s = { "x", falling, { 0 }, 0 };
    listen();
    assert_int_equal(tn_history_epochs(fit_scripted(one_weight(), &s, tn_early_stopping(), 8)), 8);
    check_shown("WARNING: Early stopping conditioned on metric `val_loss` which is not available. "
                "Available metrics are: loss,mae,x\n");
    s.epochs = 0;
    listen();
    fit_scripted(one_weight(), &s, tn_reduce_lr_on_plateau(), 3);
    check_shown("WARNING: Learning rate reduction is conditioned on metric `val_loss` which is not "
                "available. Available metrics are: "
                "loss,mae,x,learning_rate\n");
    CHECK_NO_ERROR();
}

static void a_direction_that_nothing_tells_must_be_given(void **state)
{
    (void)state;
    script s = { "speed", falling, { 0 }, 0 };
    assert_null(fit_scripted(one_weight(), &s, tn_early_stopping("speed"), 8));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "EarlyStopping callback received monitor=speed, but Keras "
                                     "isn't able to automatically determine");
    s.epochs = 0;
    assert_non_null(fit_scripted(one_weight(), &s, tn_early_stopping("speed", .mode = "max"), 8));
    listen();
    tn_early_stopping(.mode = "most");
    check_shown("WARNING: EarlyStopping mode 'most' is unknown, fallback to auto mode.\n");
    CHECK_NO_ERROR();
}

/* --- the learning rate ------------------------------------------------------------------------ */
static void the_rate_falls_as_in_keras(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plateau_cases / sizeof *plateau_cases; i++) {
        TN_SCOPE;
        tn_reduce_lr_on_plateau_options options = plateau_cases[i].options;
        options.size_ = sizeof options;
        script s = { "val_loss", falling, { 0 }, 0 };
        tn_model *model = one_weight();
        tn_history *history = fit_scripted(model, &s, tn_reduce_lr_on_plateau_new(&options), 8);
        CHECK_NO_ERROR();
        for (int64_t epoch = 0; epoch < 8; epoch++)
            assert_float_equal(tn_history_value(history, "learning_rate", epoch),
                               plateau_cases[i].rate[epoch], 1e-6 * plateau_cases[i].rate[epoch]);
        double last = tn_to_double(tn_learning_rate(tn_model_optimizer(model)));
        assert_float_equal(last, plateau_cases[i].last, 1e-6 * last);
        assert_string_equal(tn_history_key(history, 3),
                            "learning_rate"); /* behind loss, mae, val_loss */
    }
}

static void reductions_and_schedules_are_told(void **state)
{
    (void)state;
    script s = { "val_loss", falling, { 0 }, 0 };
    listen();
    fit_scripted(one_weight(), &s,
                 tn_reduce_lr_on_plateau(.patience = 1, .factor = 0.5, .verbose = 1), 3);
    check_shown("\nEpoch 3: ReduceLROnPlateau reducing learning rate to 0.004999999888241291.\n");
    CHECK_NO_ERROR();
    assert_null(tn_reduce_lr_on_plateau(.factor = 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "ReduceLROnPlateau does not support a factor >= 1.0.");
}

static double of_epoch(void *self, int64_t epoch, double rate)
{
    (void)self;
    return epoch == 0 ? rate : 0.125;
}

static double broken(void *self, int64_t epoch, double rate)
{
    (void)self;
    (void)epoch;
    tn_fail(TN_UNKNOWN, "no rate today");
    return rate;
}

static void a_schedule_sets_the_rate_of_each_epoch(void **state)
{
    (void)state;
    script s = { "x", falling, { 0 }, 0 };
    listen();
    tn_history *history =
        fit_scripted(one_weight(), &s, tn_learning_rate_scheduler(of_epoch, .verbose = 1), 2);
    check_shown("\nEpoch 1: LearningRateScheduler setting learning rate to 0.009999999776482582.\n"
                "\nEpoch 2: LearningRateScheduler setting learning rate to 0.125.\n");
    assert_float_equal(tn_history_value(history, "learning_rate", 1), 0.125, 0);
    assert_null(fit_scripted(one_weight(), &s, tn_learning_rate_scheduler(broken), 2));
    CHECK_ERROR(TN_UNKNOWN, "no rate today");
    assert_null(tn_learning_rate_scheduler());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "schedule is NULL");
}

/* --- ModelCheckpoint -------------------------------------------------------------------------- */
static void add_files(const char *folder, const char *below, char names[32][96], size_t *count)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, below);
    DIR *open = opendir(path);
    assert_non_null(open);
    for (struct dirent *one; (one = readdir(open));) {
        struct stat info;
        char name[400];
        if (one->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s%s%.64s", below, below[0] ? "/" : "", one->d_name);
        snprintf(path, sizeof path, "%s/%.100s", folder, name);
        if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
            add_files(folder, name, names, count);
        else
            snprintf(names[(*count)++], 96, "%.95s", name);
    }
    closedir(open);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Every file below a folder, sorted, with spaces between. */
static const char *files_in(const char *folder)
{
    static char text[1024];
    char names[32][96];
    size_t count = 0;
    add_files(folder, "", names, &count);
    qsort(names, count, sizeof *names, by_name);
    text[0] = 0;
    for (size_t i = 0; i < count; i++) {
        strcat(text, i ? " " : "");
        strcat(text, names[i]);
    }
    return text;
}

static void models_are_saved_when_keras_saves_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof checkpoint_cases / sizeof *checkpoint_cases; i++) {
        TN_SCOPE;
        char name[32], path[512], folder[300];
        snprintf(name, sizeof name, "case%zu", i);
        snprintf(folder, sizeof folder, "%s", temporary_path(name));
        assert_int_equal(mkdir(folder, 0777), 0);
        tn_model_checkpoint_options options = checkpoint_cases[i].options;
        snprintf(path, sizeof path, "%s/%s", folder, options.filepath);
        options.size_ = sizeof options;
        options.filepath = path;
        script s = { "val_loss", falling, { 0 }, 0 };
        fit_scripted(one_weight(), &s, tn_model_checkpoint_new(&options),
                     checkpoint_cases[i].epochs);
        CHECK_NO_ERROR();
        assert_string_equal(files_in(folder), checkpoint_cases[i].files);
    }
}

static void a_saved_model_is_the_one_of_its_epoch(void **state)
{
    (void)state;
    const char *path = temporary_path("best.keras");
    script s = { "val_loss", falling, { 0 }, 0 };
    fit_scripted(one_weight(), &s, tn_model_checkpoint(path, .save_best_only = true), 7);
    tn_model *loaded = tn_load_model(path);
    CHECK_NO_ERROR();
    assert_float_equal(weight_of(loaded), s.weight[3], 0);
    assert_int_equal(tn_to_int(tn_iterations(tn_model_optimizer(loaded))), 8);
}

static void saving_is_told(void **state)
{
    (void)state;
    char want[2048];
    const char *path = temporary_path("told.keras");
    script s = { "val_loss", falling, { 0 }, 0 };
    listen();
    fit_scripted(one_weight(), &s, tn_model_checkpoint(path, .save_best_only = true, .verbose = 1),
                 3);
    snprintf(want, sizeof want,
             "\nEpoch 1: val_loss improved from None to 1.00000, saving model to %s\n\nEpoch 1: "
             "finished saving model to %s\n"
             "\nEpoch 2: val_loss improved from 1.00000 to 0.90000, saving model to %s\n\nEpoch 2: "
             "finished saving model to %s\n"
             "\nEpoch 3: val_loss did not improve from 0.90000\n",
             path, path, path, path);
    check_shown(want);
    CHECK_NO_ERROR();
}

static void a_checkpoint_that_cannot_be_saved_ends_the_training(void **state)
{
    (void)state;
    char path[400];
    script s = { "x", falling, { 0 }, 0 };
    snprintf(path, sizeof path, "%s/{epoch}-{accuracy:.2f}.keras", temporary_path("none"));
    assert_null(fit_scripted(one_weight(), &s, tn_model_checkpoint(path), 3));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Failed to format this callback filepath:");
    snprintf(path, sizeof path, "%s", temporary_path("a_file"));
    FILE *file = fopen(path, "w");
    assert_int_equal(fclose(file), 0);
    strcat(path, "/m.keras");
    assert_null(fit_scripted(one_weight(), &s, tn_model_checkpoint(path), 3));
    assert_non_null(strstr(tn_catch(TN_ANY_ERROR)->message, path));
    assert_null(tn_model_checkpoint("weights.h5x"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The filepath provided must end in `.keras` (Keras model "
                                     "format). Received: filepath=weights.h5x");
    assert_null(tn_model_checkpoint("m.keras", .save_weights_only = true));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "the filepath provided must end in `.weights.h5` (Keras weights format)");
    assert_null(tn_model_checkpoint());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "filepath is NULL");
    assert_null(tn_model_checkpoint("m.keras", .save_freq = -2));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Unrecognized save_freq: -2. Expected save_freq are 'epoch' or integer values");
}

static const tn_logs *path_logs(void)
{
    static const char *const keys[] = { "loss", "small", "negative" };
    static const double values[] = { 0.123456789, 1e-07, -2.5 };
    static const tn_logs logs = { .count = 3, .key = keys, .value = values };
    return &logs;
}

static void paths_are_formatted_as_python_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof path_cases / sizeof *path_cases; i++) {
        char *path;
        CHECK_OK(tn__format_path(path_cases[i].pattern, 7, 12, path_logs(), &path));
        assert_string_equal(path, path_cases[i].path);
        tn__free(path);
    }
}

static void paths_that_python_refuses_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = { "{",        "}",         "a{b",      "{accuracy}",
                                         "{loss:d}", "{loss:.f}", "{loss:q}", "{epoch:5000}",
                                         "{}" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *path;
        assert_int_equal(tn__format_path(wrong[i], 7, 12, path_logs(), &path), TN_INVALID_ARGUMENT);
        CHECK_ERROR(TN_INVALID_ARGUMENT, "Failed to format this callback filepath:");
    }
    char *path;
    assert_int_equal(tn__format_path("{batch}", 7, -1, path_logs(), &path), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "'batch'");
}

/* --- CSVLogger -------------------------------------------------------------------------------- */
static void log_twice(const char *path, bool append)
{
    static const double loss[] = { 0.1, 1e-7, INFINITY }, other[] = { 1.0 / 3, 2, 1e20 };
    script a = { "loss", loss, { 0 }, 0 }, b = { "a;b", other, { 0 }, 0 };
    tn_tensor *x = tn_ones(TN_SHAPE(2, 1), TN_FLOAT32), *y = tn_zeros(TN_SHAPE(2, 1), TN_FLOAT32);
    tn_model *model = one_weight();
    CHECK_OK(tn_compile(model, tn_sgd(0.01), "mse"));
    tn_fit(model, x, y, .epochs = 3, .verbose = 0,
           .callbacks = { tn_callback_new(&playing, &a), tn_callback_new(&playing, &b),
                          tn_csv_logger(path, .separator = ";", .append = append) });
    CHECK_NO_ERROR();
}

static void the_table_of_epochs_is_keras_s(void **state)
{
    (void)state;
    const char *path = temporary_path("log.csv");
    tn__file file;
    log_twice(path, false);
    log_twice(path, true);
    CHECK_OK(tn__file_read(path, 1 << 20, &file));
    assert_int_equal(file.span.size, sizeof csv_text - 1);
    assert_memory_equal(file.span.data, csv_text, sizeof csv_text - 1);
    tn__file_close(&file);
    log_twice(path, false); /* from the beginning */
    CHECK_OK(tn__file_read(path, 1 << 20, &file));
    assert_true(file.span.size < sizeof csv_text - 1);
    tn__file_close(&file);
}

static void a_table_that_cannot_be_written_ends_the_training(void **state)
{
    (void)state;
    script s = { "x", falling, { 0 }, 0 };
    assert_null(
        fit_scripted(one_weight(), &s, tn_csv_logger(temporary_path("no/such/folder.csv")), 3));
    CHECK_ERROR(TN_UNKNOWN, "CSVLogger: cannot open '");
    assert_int_equal(s.epochs, 0);
    if (access("/dev/full", W_OK) == 0) {
        assert_null(fit_scripted(one_weight(), &s, tn_csv_logger("/dev/full"), 3));
        CHECK_ERROR(TN_UNKNOWN, "CSVLogger: cannot write '/dev/full'");
    }
    assert_null(tn_csv_logger("log.csv", .separator = ", "));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "separator must be one character");
    assert_null(tn_csv_logger());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "filename is NULL");
}

/* --- TerminateOnNaN --------------------------------------------------------------------------- */
static void a_loss_that_is_no_number_ends_the_training(void **state)
{
    (void)state;
    tn_tensor *x = tn_constant(TN_FLOAT32, TN_SHAPE(3, 1), ((const float[]){ 1, NAN, 1 })),
              *y = tn_zeros(TN_SHAPE(3, 1), TN_FLOAT32);
    tn_model *model = one_weight();
    listen();
    tn_history *history = tn_fit(model, x, y, .batch_size = 1, .epochs = 4, .shuffle = false,
                                 .verbose = 0, .callbacks = { tn_terminate_on_nan() });
    check_shown("Batch 1: Invalid loss, terminating training\n");
    assert_int_equal(tn_history_epochs(history), 1);
    assert_int_equal(tn_to_int(tn_iterations(tn_model_optimizer(model))), 2);
    assert_null(tn_fit(one_weight(), x, y, .batch_size = 1, .shuffle = false, .verbose = 0,
                       .callbacks = { tn_terminate_on_nan(.raise_error = true) }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "NaN or Inf loss encountered at batch 1. Loss value: nan. "
                                     "Terminating training immediately.");
}

/* --- one's own -------------------------------------------------------------------------------- */
static void note(void *self, const char *what, const tn_logs *logs)
{
    char *text = self;
    size_t length = strlen(text);
    snprintf(text + length, 600 - length, "%s%lld.%lld", what, (long long)logs->epoch,
             (long long)logs->batch);
    for (size_t i = 0; i < logs->count; i++) {
        length = strlen(text);
        snprintf(text + length, 600 - length, "%s%s", i ? "," : ":", logs->key[i]);
    }
    strcat(text, " ");
}

static void train_begins(void *self, const tn_logs *logs)
{
    note(self, "T", logs);
}
static void train_ends(void *self, const tn_logs *logs)
{
    note(self, "t", logs);
}
static void epoch_begins(void *self, const tn_logs *logs)
{
    note(self, "E", logs);
}
static void epoch_ends(void *self, const tn_logs *logs)
{
    note(self, "e", logs);
}
static void batch_begins(void *self, const tn_logs *logs)
{
    note(self, "B", logs);
}
static void batch_ends(void *self, const tn_logs *logs)
{
    note(self, "b", logs);
}
static void destroyed(void *self)
{
    strcat(self, "gone");
}

static void an_own_callback_is_called_in_keras_s_order(void **state)
{
    (void)state;
    static const tn_callback_class all = { train_begins, train_ends, epoch_begins, epoch_ends,
                                           batch_begins, batch_ends, destroyed };
    char text[600] = "";
    tn_tensor *x = tn_ones(TN_SHAPE(3, 1), TN_FLOAT32), *y = tn_zeros(TN_SHAPE(3, 1), TN_FLOAT32);
    {
        TN_SCOPE;
        tn_fit(one_weight(), x, y, .batch_size = 2, .initial_epoch = 1, .epochs = 2, .verbose = 0,
               .validation_data = tn_tuple(x, y), .callbacks = { tn_callback_new(&all, text) });
        CHECK_NO_ERROR();
    }
    assert_string_equal(
        text, "T1.0 E1.0 B1.0 b1.0:loss,mae B1.1 b1.1:loss,mae e1.2:loss,mae,val_loss,val_mae "
              "t2.0:loss,mae,val_loss,val_mae gone");
}

static void gaps_and_strangers_among_callbacks_are_refused(void **state)
{
    (void)state;
    tn_tensor *x = tn_ones(TN_SHAPE(3, 1), TN_FLOAT32), *y = tn_zeros(TN_SHAPE(3, 1), TN_FLOAT32);
    assert_null(tn_fit(one_weight(), x, y, .callbacks = { NULL, tn_terminate_on_nan() }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "callbacks[0] is NULL");
    assert_null(tn_fit(one_weight(), x, y, .callbacks = { (tn_callback *)(void *)x }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_fit: a callback");
    tn_log_set(NULL, "x", 1);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_log_set");
    assert_true(isnan(tn_log_value(NULL, "x")));
}

static bool make_all(void *self)
{
    (void)self;
    TN_SCOPE;
    return tn_early_stopping() && tn_model_checkpoint("m.keras") && tn_reduce_lr_on_plateau() &&
           tn_csv_logger("x.csv") && tn_terminate_on_nan();
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(make_all, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_stops_and_weights_return_as_in_keras),
        cmocka_unit_test(a_callback_serves_several_trainings),
        cmocka_unit_test(it_says_what_it_does_when_asked_to),
        cmocka_unit_test(a_value_that_is_not_there_is_one_warning),
        cmocka_unit_test(a_direction_that_nothing_tells_must_be_given),
        cmocka_unit_test(the_rate_falls_as_in_keras),
        cmocka_unit_test(reductions_and_schedules_are_told),
        cmocka_unit_test(a_schedule_sets_the_rate_of_each_epoch),
        cmocka_unit_test(models_are_saved_when_keras_saves_them),
        cmocka_unit_test(a_saved_model_is_the_one_of_its_epoch),
        cmocka_unit_test(saving_is_told),
        cmocka_unit_test(a_checkpoint_that_cannot_be_saved_ends_the_training),
        cmocka_unit_test(paths_are_formatted_as_python_does),
        cmocka_unit_test(paths_that_python_refuses_are_refused),
        cmocka_unit_test(the_table_of_epochs_is_keras_s),
        cmocka_unit_test(a_table_that_cannot_be_written_ends_the_training),
        cmocka_unit_test(a_loss_that_is_no_number_ends_the_training),
        cmocka_unit_test(an_own_callback_is_called_in_keras_s_order),
        cmocka_unit_test(gaps_and_strangers_among_callbacks_are_refused),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
