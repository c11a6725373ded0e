/* callbacks.h - what fit calls while it trains. */
#ifndef TENON_CALLBACKS_H
#define TENON_CALLBACKS_H
#include "tenon/models.h"
TN_BEGIN
/* --- callbacks ----------------------------------------------------------------------------------------------------------------
 * One's own: the functions that are there are called, callback by callback in the order given; a kept error or *stop = true ends the
 * training. Batches and epochs count from 0. Keys of the logs are sorted; loss and metrics of the validation begin with "val_". A
 * callback may be given to several fits, one after the other. */
typedef struct {
    tn_model *model;
    int64_t epoch, batch;
    size_t count;
    const char *const *key;
    const double *value;
    bool *stop;
    struct tn__log_table *table_;
} tn_logs;
/* The value of a key; NAN when there is none. */
TN_API double tn_log_value(const tn_logs *logs, const char *key);
/* Adds a value to the logs that a callback was given, or changes one: later callbacks see it, and at the end of an epoch the history
 * keeps it and the progress bar shows it. */
TN_API void tn_log_set(const tn_logs *logs, const char *key, double value);
typedef struct tn_callback_class {
    void (*on_train_begin)(void *self, const tn_logs *logs), (*on_train_end)(void *self, const tn_logs *logs);
    void (*on_epoch_begin)(void *self, const tn_logs *logs), (*on_epoch_end)(void *self, const tn_logs *logs);
    void (*on_batch_begin)(void *self, const tn_logs *logs), (*on_batch_end)(void *self, const tn_logs *logs);
    void (*destroy)(void *self); /* when the last handle is gone; NULL: nothing */
} tn_callback_class;
/* A callback of a class whose functions get self; `of` and self must outlive it. */
TN_API tn_callback *tn_callback_new(const tn_callback_class *of, void *self);

/* Example: one's own, which ends the training.
 *
 *     static void enough(void *self, const tn_logs *logs)
 *     {
 *         double *limit = self;
 *         *logs->stop = tn_log_value(logs, "loss") < *limit;
 *     }
 *
 *     int main(void)
 *     {
 *         const tn_callback_class until = { .on_epoch_end = enough };
 *         double limit = 0.5;
 *         tn_tensor *x = tn_ones(TN_SHAPE(8, 1), TN_FLOAT32);
 *         tn_model *model = tn_sequential(TN_LAYERS(tn_dense(1, .kernel_initializer = "zeros", .input_shape = TN_SHAPE(1))));
 *         tn_must(tn_compile(model, tn_sgd(.learning_rate = 0.1), "mse"));
 *         tn_history *history = tn_fit(model, x, x, .epochs = 100, .verbose = 0, .callbacks = { tn_callback_new(&until, &limit) });
 *         printf("%lld\n", (long long)tn_history_epochs(history)); // 2
 *         return tn_report();
 *     }
 */
/* Keras's own, with Keras's arguments. What three of them have in common: `monitor` names a key of an epoch's logs; one that is not there
 * is a warning, once. `mode` says what is better: "min", "max", or "auto", by the metric ("loss" is "min"). verbose 1: says what it does,
 * where the progress bar is drawn. */

/* Ends the training when the monitored value has not become better, by more than min_delta, for more than `patience` epochs. */
typedef struct tn_early_stopping_options {
    TN_OPTIONS_HEAD(tn_early_stopping_options);
    const char *monitor TN_DEFAULT("val_loss");
    double min_delta TN_DEFAULT(0);
    int64_t patience TN_DEFAULT(0);
    int verbose TN_DEFAULT(0);
    const char *mode TN_DEFAULT("auto");
    double baseline TN_DEFAULT(TN_NOT_GIVEN);           /* waiting ends only with a value that is better than this too */
    tn_flag restore_best_weights TN_DEFAULT(false);     /* of the best epoch, when the training ends, however it ends */
    int64_t start_from_epoch TN_DEFAULT(0);             /* epochs before are not looked at */
} tn_early_stopping_options;
TN_API tn_callback *tn_early_stopping_new(const tn_early_stopping_options *options);

/* Saves the model at the end of every epoch, or of every `save_freq` batches. In filepath, {epoch}, {batch} (both from 1) and the keys of the
 * logs stand for their values, with Python's formats: "run/{epoch:02d}-{val_loss:.2f}.keras". Folders are made. */
typedef struct tn_model_checkpoint_options {
    TN_OPTIONS_HEAD(tn_model_checkpoint_options);
    const char *filepath TN_DEFAULT(NULL);              /* ".keras" or ".h5"; weights alone: ".weights.h5" */
    const char *monitor TN_DEFAULT("val_loss");
    int verbose TN_DEFAULT(0);
    tn_flag save_best_only TN_DEFAULT(false);           /* only when the monitored value is the best so far */
    tn_flag save_weights_only TN_DEFAULT(false);
    const char *mode TN_DEFAULT("auto");
    int64_t save_freq TN_DEFAULT(0);                    /* batches; 0: "epoch" */
    double initial_value_threshold TN_DEFAULT(TN_NOT_GIVEN); /* what the first best value must be better than */
} tn_model_checkpoint_options;
TN_API tn_callback *tn_model_checkpoint_new(const tn_model_checkpoint_options *options);

/* Multiplies the learning rate by `factor` when the monitored value has not become better for `patience` epochs. Adds "learning_rate" to the
 * logs. */
typedef struct tn_reduce_lr_on_plateau_options {
    TN_OPTIONS_HEAD(tn_reduce_lr_on_plateau_options);
    const char *monitor TN_DEFAULT("val_loss");
    double factor TN_DEFAULT(0.1);
    int64_t patience TN_DEFAULT(10);
    int verbose TN_DEFAULT(0);
    const char *mode TN_DEFAULT("auto");
    double min_delta TN_DEFAULT(1e-4);
    int64_t cooldown TN_DEFAULT(0);                     /* epochs after a reduction in which nothing is counted */
    double min_lr TN_DEFAULT(0);
} tn_reduce_lr_on_plateau_options;
TN_API tn_callback *tn_reduce_lr_on_plateau_new(const tn_reduce_lr_on_plateau_options *options);

/* The learning rate of an epoch, from its number and the rate so far. */
typedef double (*tn_epoch_schedule)(void *self, int64_t epoch, double learning_rate);
/* Sets the learning rate when an epoch begins. Adds "learning_rate" to the logs. */
typedef struct tn_learning_rate_scheduler_options {
    TN_OPTIONS_HEAD(tn_learning_rate_scheduler_options);
    tn_epoch_schedule schedule TN_DEFAULT(NULL);
    void *self TN_DEFAULT(NULL);
    int verbose TN_DEFAULT(0);
} tn_learning_rate_scheduler_options;
TN_API tn_callback *tn_learning_rate_scheduler_new(const tn_learning_rate_scheduler_options *options);

/* One row an epoch: its number, then the logs sorted by key; "NA" where the first epoch had no validation. */
typedef struct tn_csv_logger_options {
    TN_OPTIONS_HEAD(tn_csv_logger_options);
    const char *filename TN_DEFAULT(NULL);
    const char *separator TN_DEFAULT(",");
    tn_flag append TN_DEFAULT(false);                   /* to a file that is there; without a second header */
} tn_csv_logger_options;
TN_API tn_callback *tn_csv_logger_new(const tn_csv_logger_options *options);

/* Ends the training when the loss is NaN or infinite. */
typedef struct tn_terminate_on_nan_options {
    TN_OPTIONS_HEAD(tn_terminate_on_nan_options);
    tn_flag raise_error TN_DEFAULT(false);              /* by an error instead: no callback's on_train_end runs, fit gives NULL */
} tn_terminate_on_nan_options;
TN_API tn_callback *tn_terminate_on_nan_new(const tn_terminate_on_nan_options *options);

#ifndef __cplusplus
#define tn_early_stopping(...) TN_OPTIONS(tn_early_stopping_new, tn_early_stopping_options, (.monitor = "val_loss", .mode = "auto", \
    .baseline = TN_NOT_GIVEN), __VA_ARGS__)
#define tn_model_checkpoint(...) TN_OPTIONS(tn_model_checkpoint_new, tn_model_checkpoint_options, (.monitor = "val_loss", .mode = "auto", \
    .initial_value_threshold = TN_NOT_GIVEN), __VA_ARGS__)
#define tn_reduce_lr_on_plateau(...) TN_OPTIONS(tn_reduce_lr_on_plateau_new, tn_reduce_lr_on_plateau_options, (.monitor = "val_loss", \
    .factor = 0.1, .patience = 10, .mode = "auto", .min_delta = 1e-4), __VA_ARGS__)
#define tn_learning_rate_scheduler(...) TN_OPTIONS(tn_learning_rate_scheduler_new, tn_learning_rate_scheduler_options, TN_NO_DEFAULTS, \
    __VA_ARGS__)
#define tn_csv_logger(...) TN_OPTIONS(tn_csv_logger_new, tn_csv_logger_options, (.separator = ","), __VA_ARGS__)
#define tn_terminate_on_nan(...) TN_OPTIONS(tn_terminate_on_nan_new, tn_terminate_on_nan_options, TN_NO_DEFAULTS, __VA_ARGS__)
#endif
TN_END
#endif
