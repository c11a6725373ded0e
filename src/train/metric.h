/* metric.h - metrics: variables, an update, a result. */
#ifndef TN_TRAIN_METRIC_H
#define TN_TRAIN_METRIC_H
#include "nn/object.h"
#include "tenon/training.h"
#include "train/loss.h"

/* The instance begins with the public options struct; TN__METRIC_ROWS are among its fields. What
 * updates and results make is owned by the innermost scope; all run eagerly or in a trace; failures
 * are kept errors. */
typedef struct {
    /* A metric that is the mean of values, one for each sample, is this function alone: its
     * variables are total and count. y_pred and y_true are as given; *mask as in tn__loss_methods.
     */
    tn_tensor *(*values)(const void *self, tn_tensor *y_true, tn_tensor *y_pred, tn_tensor **mask);
    /* Others: makes the variables with tn__metric_variable when the metric is made, y_pred NULL,
     * or, when nothing was made then, at the first update. */
    void (*build)(tn_metric *metric, tn_tensor *y_pred);
    void (*update)(tn_metric *metric, tn_tensor *y_true, tn_tensor *y_pred,
                   tn_tensor *sample_weight);
    tn_tensor *(*result)(tn_metric *metric);
    bool one_input; /* update takes values, as y_pred, and no y_true */
    bool sums;      /* its parts of a sample are added, not averaged: Sum */
    int direction;  /* 1: more is better, -1: less; 0: Keras does not say */
} tn__metric_methods;

/* What TN_METRIC_OPTIONS says; name_: Keras's default, "none" where Keras makes one up ("auc",
 * "auc_1" …). */
#define TN__METRIC_ROWS(type, name_)                      \
    TN__OPTION(TN_FIELD_STRING, type, name, name_, NULL), \
        TN__OPTION(TN_FIELD_DTYPE, type, dtype, "float32", NULL)

struct tn_metric {
    tn__object object;
    tn__thing thing;
    const char *name; /* in the thing */
    tn_dtype dtype;
    struct {
        tn_tensor **item; /* retained, in Keras's order */
        size_t count, capacity;
    } variable;
};
TN__HANDLE_SIZE(struct tn_metric);
extern const tn__type tn__type_metric;

/* "accuracy", "auc(num_thresholds=200)" …; the caller owns the count. */
tn_status tn__metric_parse(const char *text, tn_metric **metric);
tn_status tn__metric_from_thing(tn__thing *taken,
                                tn_metric **metric); /* takes the thing over, also when it fails */
tn_metric *tn__metric_from_options(const tn__object_class *of, const void *options);
/* What compile makes of "accuracy", "acc", "crossentropy", "ce": by the shapes of the output and
 * its targets, as Keras decides; and of all other texts. A metric of a plain name keeps the name
 * that was written. loss (the output's, NULL: none): when it takes logits, so does a
 * "crossentropy". */
tn_status tn__metric_for_output(const char *text, const tn_shape *y_true, const tn_shape *y_pred,
                                const tn_loss *loss, tn_metric **metric);
/* One more variable, of zeros; it belongs to the metric, whatever body runs. NULL and an error. */
tn_variable *tn__metric_variable(tn_metric *metric, tn_shape shape, const char *name);
extern const tn__object_class tn__metric_Mean;
/* Keras's Mean: what fit keeps the loss in. y_pred is the value. */
tn_status tn__mean_metric(const char *name, tn_metric **metric);
int tn__metric_direction(const tn_metric *metric); /* 1, -1 or 0 */
void tn__metric_update(tn_metric *metric, tn_tensor *y_true, tn_tensor *y_pred,
                       tn_tensor *sample_weight);

/* --- means ------------------------------------------------------------------------------------ */
/* Adds values (batch, …) to total and count, or to total alone; sample_weight and mask (of the
 * values) may be NULL. */
void tn__mean_update(tn_metric *metric, tn_tensor *values, tn_tensor *sample_weight,
                     tn_tensor *mask);
tn_tensor *tn__mean_result(tn_metric *metric); /* total / count, 0 before the first update */
void tn__mean_build(tn_metric *metric, tn_tensor *y_pred);

#endif
