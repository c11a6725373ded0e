/* metric.h - metrics: variables, an update, a result. */
#ifndef TN_TRAIN_METRIC_H
#define TN_TRAIN_METRIC_H
#include "nn/object.h"
#include "tenon/training.h"

/* The instance begins with the public options struct (name among its fields) and goes on with the metric's variables, declared as
 * TN_FIELD_VARIABLE fields. All three run eagerly or in a trace. */
typedef struct {
    const char *default_name;
    /* Makes the variables with tn__metric_variable; before the first update. y_pred tells shapes; may be NULL. */
    void (*build)(tn_metric *metric, tn_tensor *y_true, tn_tensor *y_pred);
    void (*update)(tn_metric *metric, tn_tensor *y_true, tn_tensor *y_pred, tn_tensor *sample_weight);
    tn_tensor *(*result)(tn_metric *metric);
} tn__metric_methods;

struct tn_metric {
    tn__object object;
    tn__thing thing;
    char *name;
    bool built;
    struct {
        tn_tensor **item; /* retained, in Keras's order */
        size_t count, capacity;
    } variable;
};
TN__HANDLE_SIZE(struct tn_metric);
extern const tn__type tn__type_metric;

/* "accuracy", "auc(num_thresholds=200)" …; the caller owns the count. name NULL: the class's own. */
tn_status tn__metric_parse(const char *text, tn_metric **metric);
tn_metric *tn__metric_from_options(const tn__object_class *of, const void *options);
/* What compile makes of "accuracy", "acc", "crossentropy", "ce": by the shapes of the output and its targets, as Keras decides. The
 * metric keeps the name that was written. */
tn_status tn__metric_for_output(const char *text, const tn_shape *y_true, const tn_shape *y_pred, const tn_loss *loss, tn_metric **metric);
tn_variable *tn__metric_variable(tn_metric *metric, tn_shape shape, const char *name);
/* Keras's Mean: what fit keeps the loss in. y_pred is the value. */
tn_status tn__mean_metric(const char *name, tn_metric **metric);
void tn__metric_update(tn_metric *metric, tn_tensor *y_true, tn_tensor *y_pred, tn_tensor *sample_weight);

#endif
