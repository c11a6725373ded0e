/* trainer.h - what compile makes of a model, and the three steps. */
#ifndef TN_TRAIN_TRAINER_H
#define TN_TRAIN_TRAINER_H
#include "function/function.h"
#include "nn/model.h"
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
    char *log; /* its name in the logs: "accuracy", "out_accuracy" */
} tn__tracked;

typedef struct tn__trainer {
    tn_layer *model;            /* not retained: it holds the trainer */
    bool compiled;
    tn_optimizer *optimizer;
    size_t losses;              /* 0: only what layers add */
    tn_loss *loss[TN__MAX_OUTPUTS]; /* one for all outputs, or one each */
    char *loss_text[TN__MAX_OUTPUTS]; /* as they were written; NULL: an object was given */
    double loss_weight[TN__MAX_OUTPUTS];
    size_t metrics, weighted;
    char *metric_text[TN__MAX_METRICS], *weighted_text[TN__MAX_METRICS];
    /* Made when the first step shows the shapes. */
    bool built;
    tn_metric *loss_tracker;
    struct {
        tn__tracked *item;      /* in Keras's order of model.metrics after the loss: metrics, weighted ones, then one Mean a loss */
        size_t count, capacity;
    } tracked;
    tn_metric *output_loss[TN__MAX_OUTPUTS]; /* Means of several outputs' losses; also among `tracked` */
    tn_function *train, *test, *predict; /* one trace each serves every batch size */
} tn__trainer;

/* The model's, made when there is none yet. Many threads may ask. */
tn_status tn__trainer_of(tn_layer *model, tn__trainer **trainer);
/* Fails with Keras's text when the model was not compiled. */
tn_status tn__trainer_compiled(tn_layer *model, const char *what, tn__trainer **trainer);

/* The values after a step: loss, then the tracked metrics. */
typedef struct {
    size_t count;
    double value[1 + TN__MAX_OUTPUTS * (2 * TN__MAX_METRICS + 1)];
} tn__step_logs;
/* One batch. Names of the logs: tn__log_name(trainer, i). */
tn_status tn__train_step(tn_context *context, tn__trainer *trainer, const tn__data *batch, tn__step_logs *logs);
tn_status tn__test_step(tn_context *context, tn__trainer *trainer, const tn__data *batch, tn__step_logs *logs);
/* The outputs, retained for the caller. */
tn_status tn__predict_step(tn_context *context, tn__trainer *trainer, tn_tensor *x, tn_tensor **outputs);
const char *tn__log_name(const tn__trainer *trainer, size_t index);
tn_status tn__reset_metrics(tn__trainer *trainer);

/* A pass over data without training; logs as after its last batch. */
tn_status tn__evaluate(tn_context *context, tn__trainer *trainer, const tn__data *data, int64_t batch_size, tn__step_logs *logs);

#endif
