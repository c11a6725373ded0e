/* confusion.h - counting right and wrong answers, yes or no, at several thresholds at once. */
#ifndef TN_TRAIN_CONFUSION_H
#define TN_TRAIN_CONFUSION_H
#include "train/metric.h"

/* What is counted, in this order of variables; each is (thresholds), or with multi_label
 * (thresholds, labels). */
typedef enum { TN__TP, TN__FP, TN__TN, TN__FN, TN__COUNTS } tn__count_kind;

typedef struct {
    const double *threshold; /* a y_pred above it is a yes */
    size_t count;
    bool
        even; /* from 0 to 1 in equal steps, maybe with ends a little beyond: counted in one pass */
    int64_t top_k;            /* only the k greatest of a row may be a yes; INT64_MIN: all */
    int64_t class_id;         /* only this column counts; INT64_MIN: all */
    bool multi_label;         /* columns are counted by themselves */
    tn_tensor *label_weights; /* one a column; NULL: 1 each */
} tn__counting;

/* Adds a batch; variables of NULL are not asked for. */
void tn__count_answers(tn_variable *const variable[TN__COUNTS], const tn__counting *how,
                       tn_tensor *y_true, tn_tensor *y_pred, tn_tensor *sample_weight);
/* A number or vector of a program's as a list in memory of the innermost scope; NULL given: the
 * fallback alone. Every one must lie in [0, 1]. */
tn_status tn__read_thresholds(tn_tensor *given, double fallback, double **list, size_t *count);
/* 0, 1 / (count - 1), … 1; of one: 0.5. */
double *tn__even_thresholds(size_t count);
bool tn__are_even(const double *list, size_t count);

#endif
