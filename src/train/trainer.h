/* trainer.h - what compile makes of a model, and the three steps. */
#ifndef TN_TRAIN_TRAINER_H
#define TN_TRAIN_TRAINER_H
#include "function/function.h"
#include "nn/model.h"
#include "train/callback.h"
#include "train/data.h"
#include "train/loss.h"
#include "train/metric.h"
#include "train/optimizer.h"

enum { TN__MAX_OUTPUTS = 8, TN__MAX_METRICS = 8 };

/* One metric of one output. */
typedef struct {
    tn_metric *metric;
    size_t output;
    bool weighted;
    bool is_loss; /* a Mean of the output's loss */
    char *log;    /* its name in the logs: "accuracy", "out_accuracy", "out_loss" */
} tn__tracked;

typedef struct tn__trainer {
    tn_layer *model; /* not retained: it holds the trainer */
    bool compiled;
    tn_optimizer *optimizer;
    size_t losses;                    /* 0: only what layers add */
    tn_loss *loss[TN__MAX_OUTPUTS];   /* one for all outputs, or one each */
    char *loss_text[TN__MAX_OUTPUTS]; /* as they were written; NULL: an object was given */
    double loss_weight[TN__MAX_OUTPUTS];
    size_t metrics, weighted;
    char *metric_text[TN__MAX_METRICS], *weighted_text[TN__MAX_METRICS];
    /* Made when the first step shows the shapes. */
    bool built;
    tn__ids trained; /* the variables that the traced training step changes, by their ids */
    tn_metric *loss_tracker;
    struct {
        tn__tracked *item; /* in the order of evaluate's results; owned */
        size_t count, capacity;
    } tracked;
    tn_metric *output_loss[TN__MAX_OUTPUTS]; /* of several outputs; among `tracked`, not retained */
    _Atomic(tn_function *) train, test, predict; /* one trace each serves every batch size */
} tn__trainer;

/* The model's, made when there is none yet. Many threads may ask. */
tn_status tn__trainer_of(tn_layer *model, tn__trainer **trainer);
/* Fails with Keras's text when the model was not compiled. */
tn_status tn__trainer_compiled(tn_layer *model, const char *what, tn__trainer **trainer);

/* --- metrics of the steps (tracking.c) -------------------------------------------------------- */
/* Makes them for these labels and outputs, once; when it fails there are none. labels is 0 when
 * there is no y. */
tn_status tn__track_metrics(tn__trainer *trainer, tn_tensor *const *y, size_t labels,
                            tn_tensor *const *y_pred, size_t outputs);
void tn__forget_metrics(tn__trainer *trainer);
tn_status tn__reset_metrics(tn__trainer *trainer);
/* The names of a step's values, "loss" first; NULL past the last. */
const char *tn__log_name(const tn__trainer *trainer, size_t index);
/* The metric that a log's name stands for, with or without its output's name before it; NULL: there
 * is none. */
const tn_metric *tn__metric_of_log(const tn__trainer *trainer, const char *name);
tn_loss *tn__loss_of_output(const tn__trainer *trainer, size_t output);

/* --- steps (step.c) --------------------------------------------------------------------------- */
/* The values after a step: the loss, then the tracked metrics. */
typedef struct {
    size_t count; /* 0: there was no step */
    double value[1 + TN__MAX_OUTPUTS * (2 * TN__MAX_METRICS + 1)];
} tn__step_logs;
/* One batch, of which y and weight may be NULL. A step that fails has changed no weights, but for
 * what layers themselves assign while they are called. */
tn_status tn__train_step(tn_context *context, tn__trainer *trainer, const tn__data *batch,
                         tn__step_logs *logs);
tn_status tn__test_step(tn_context *context, tn__trainer *trainer, const tn__data *batch,
                        tn__step_logs *logs);
/* The outputs, retained for the caller. */
tn_status tn__predict_step(tn_context *context, tn__trainer *trainer, tn_tensor *x,
                           tn_tensor **outputs);
/* Adds a step's values to logs, with a prefix before the names. */
tn_status tn__logs_take(tn__log_table *table, const char *prefix, const tn__trainer *trainer,
                        const tn__step_logs *step);

/* --- passes over data ------------------------------------------------------------------------- */
typedef struct {
    int64_t batch_size, steps; /* steps 0: all batches */
    tn__progress *progress;    /* NULL: nothing is shown */
    const unsigned
        *stops; /* ends when tn__stop_requests() is no longer this; NULL: nothing ends it */
} tn__pass;
/* Without training; the metrics begin anew. Logs as after the last batch; none when it was stopped
 * before its end. */
tn_status tn__evaluate(tn_context *context, tn__trainer *trainer, const tn__data *data,
                       const tn__pass *pass, tn__step_logs *logs);
/* How often tn_stop_training was called. */
unsigned tn__stop_requests(void);

#endif
