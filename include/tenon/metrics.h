/* metrics.h - Keras's metrics. */
#ifndef TENON_METRICS_H
#define TENON_METRICS_H
#include "tenon/models.h"
#include "tenon/ops.h"
TN_BEGIN
/* --- metrics -------------------------------------------------------------------------------------------------------------
 * Their names end in _metric (a loss has the plain name). tn_call(metric, y_true, y_pred) or tn_call(metric, y_true, y_pred,
 * sample_weight) adds a batch to what the metric has seen and gives the result over all of it; Mean and Sum take values instead of
 * the two, tn_call(mean, values). Their variables belong to the metric alone, never to a layer or function, whatever runs. */
#define TN_METRIC_OPTIONS \
    const char *name TN_DEFAULT(NULL);                  /* NULL: Keras's own, "binary_accuracy" */ \
    tn_dtype dtype TN_DEFAULT(tn_dtype(0))              /* of variables and result; 0: float32 */
/* Example: a metric goes on counting until it is reset.
 *
 *     tn_metric *metric = tn_binary_accuracy_metric();
 *     tn_tensor *ones = tn_ones(TN_SHAPE(2, 1), TN_FLOAT32);
 *     tn_print(tn_call(metric, ones, ones));                   // 1.0
 *     tn_print(tn_call(metric, ones, tn_zeros_like(ones)));    // 0.5
 *     tn_reset_state(metric);
 *     tn_print(tn_call(metric, ones, tn_zeros_like(ones)));    // 0.0
 */
/* Metrics without options of their own. */
typedef struct tn_metric_options {
    TN_OPTIONS_HEAD(tn_metric_options);
    TN_METRIC_OPTIONS;
} tn_metric_options;
TN_API tn_metric *tn_mean_metric_new(const tn_metric_options *options);
TN_API tn_metric *tn_sum_metric_new(const tn_metric_options *options);
/* How often y_pred is y_true. */
TN_API tn_metric *tn_accuracy_metric_new(const tn_metric_options *options);
/* Of y_pred (batch, …, classes) the most likely class; y_true alike, or class numbers (batch, …) or (batch, …, 1). */
TN_API tn_metric *tn_categorical_accuracy_metric_new(const tn_metric_options *options);
TN_API tn_metric *tn_sparse_categorical_accuracy_metric_new(const tn_metric_options *options);
/* How often y_pred, made 0 or 1, is y_true. */
typedef struct tn_binary_accuracy_options {
    TN_OPTIONS_HEAD(tn_binary_accuracy_options);
    TN_METRIC_OPTIONS;
    double threshold TN_DEFAULT(0.5);                   /* a y_pred above it is a 1 */
} tn_binary_accuracy_options;
TN_API tn_metric *tn_binary_accuracy_metric_new(const tn_binary_accuracy_options *options);
/* Whether the right class is among the k most likely ones. */
typedef struct tn_top_k_options {
    TN_OPTIONS_HEAD(tn_top_k_options);
    int64_t k TN_DEFAULT(5);
    TN_METRIC_OPTIONS;
} tn_top_k_options;
/* The same, y_true being class numbers. */
typedef struct tn_sparse_top_k_options {
    TN_OPTIONS_HEAD(tn_sparse_top_k_options);
    int64_t k TN_DEFAULT(5);
    TN_METRIC_OPTIONS;
    tn_flag from_sorted_ids TN_DEFAULT(false);          /* y_pred are class numbers, the best first, not scores */
} tn_sparse_top_k_options;
TN_API tn_metric *tn_top_k_categorical_accuracy_metric_new(const tn_top_k_options *options);
TN_API tn_metric *tn_sparse_top_k_categorical_accuracy_metric_new(const tn_sparse_top_k_options *options);
/* Means of the losses of these names; the root of MeanSquaredError. */
TN_API tn_metric *tn_mean_squared_error_metric_new(const tn_metric_options *options);
TN_API tn_metric *tn_root_mean_squared_error_metric_new(const tn_metric_options *options);
TN_API tn_metric *tn_mean_absolute_error_metric_new(const tn_metric_options *options);
TN_API tn_metric *tn_mean_absolute_percentage_error_metric_new(const tn_metric_options *options);
TN_API tn_metric *tn_mean_squared_logarithmic_error_metric_new(const tn_metric_options *options);
TN_API tn_metric *tn_log_cosh_error_metric_new(const tn_metric_options *options);       /* its name is "logcosh", as in Keras */
TN_API tn_metric *tn_kl_divergence_metric_new(const tn_metric_options *options);
TN_API tn_metric *tn_poisson_metric_new(const tn_metric_options *options);
TN_API tn_metric *tn_hinge_metric_new(const tn_metric_options *options);
TN_API tn_metric *tn_squared_hinge_metric_new(const tn_metric_options *options);
TN_API tn_metric *tn_categorical_hinge_metric_new(const tn_metric_options *options);
/* The cosine itself: 1 for the same direction. */
typedef struct tn_cosine_similarity_metric_options {
    TN_OPTIONS_HEAD(tn_cosine_similarity_metric_options);
    TN_METRIC_OPTIONS;
    int axis TN_DEFAULT(-1);
} tn_cosine_similarity_metric_options;
TN_API tn_metric *tn_cosine_similarity_metric_new(const tn_cosine_similarity_metric_options *options);
/* Means of the crossentropies, with the losses' options. */
typedef struct tn_binary_crossentropy_metric_options {
    TN_OPTIONS_HEAD(tn_binary_crossentropy_metric_options);
    TN_METRIC_OPTIONS;
    tn_flag from_logits TN_DEFAULT(false);
    double label_smoothing TN_DEFAULT(0);
} tn_binary_crossentropy_metric_options;
TN_API tn_metric *tn_binary_crossentropy_metric_new(const tn_binary_crossentropy_metric_options *options);
/* Likewise, y_true and y_pred (batch, …, classes). */
typedef struct tn_categorical_crossentropy_metric_options {
    TN_OPTIONS_HEAD(tn_categorical_crossentropy_metric_options);
    TN_METRIC_OPTIONS;
    tn_flag from_logits TN_DEFAULT(false);
    double label_smoothing TN_DEFAULT(0);
    int axis TN_DEFAULT(-1);
} tn_categorical_crossentropy_metric_options;
TN_API tn_metric *tn_categorical_crossentropy_metric_new(const tn_categorical_crossentropy_metric_options *options);
/* Likewise, y_true being class numbers. */
typedef struct tn_sparse_categorical_crossentropy_metric_options {
    TN_OPTIONS_HEAD(tn_sparse_categorical_crossentropy_metric_options);
    TN_METRIC_OPTIONS;
    tn_flag from_logits TN_DEFAULT(false);
    int64_t ignore_class TN_DEFAULT(INT64_MIN);
    int axis TN_DEFAULT(-1);                            /* only the last one is supported, as in Keras over TensorFlow */
} tn_sparse_categorical_crossentropy_metric_options;
TN_API tn_metric *tn_sparse_categorical_crossentropy_metric_new(const tn_sparse_categorical_crossentropy_metric_options *options);

/* --- of yes and no: a y_pred above a threshold is a yes. thresholds: a number or a vector, each in [0, 1]; NULL: 0.5. The result is a
 * number, or a vector when there are several thresholds. */
typedef struct tn_confusion_options {
    TN_OPTIONS_HEAD(tn_confusion_options);
    tn_tensor *thresholds TN_DEFAULT(NULL);
    TN_METRIC_OPTIONS;
} tn_confusion_options;
TN_API tn_metric *tn_true_positives_metric_new(const tn_confusion_options *options);
TN_API tn_metric *tn_false_positives_metric_new(const tn_confusion_options *options);
TN_API tn_metric *tn_true_negatives_metric_new(const tn_confusion_options *options);
TN_API tn_metric *tn_false_negatives_metric_new(const tn_confusion_options *options);
/* The share of right ones among the yeses that were said, and among those that should have been. */
typedef struct tn_precision_options {
    TN_OPTIONS_HEAD(tn_precision_options);
    tn_tensor *thresholds TN_DEFAULT(NULL);
    int64_t top_k TN_DEFAULT(INT64_MIN);                /* only the k greatest of a row may be a yes; INT64_MIN: None */
    int64_t class_id TN_DEFAULT(INT64_MIN);             /* only this column counts */
    TN_METRIC_OPTIONS;
} tn_precision_options;
TN_API tn_metric *tn_precision_metric_new(const tn_precision_options *options);
TN_API tn_metric *tn_recall_metric_new(const tn_precision_options *options);
/* The four below give the greatest of the first share (sensitivity is recall; specificity the share of right ones among the noes) over
 * all thresholds where the second reaches the value. This: sensitivity, where specificity does. */
typedef struct tn_sensitivity_at_specificity_options {
    TN_OPTIONS_HEAD(tn_sensitivity_at_specificity_options);
    double specificity TN_DEFAULT(0);
    int64_t num_thresholds TN_DEFAULT(200), class_id TN_DEFAULT(INT64_MIN);
    TN_METRIC_OPTIONS;
} tn_sensitivity_at_specificity_options;
/* Specificity, where sensitivity reaches the value. */
typedef struct tn_specificity_at_sensitivity_options {
    TN_OPTIONS_HEAD(tn_specificity_at_sensitivity_options);
    double sensitivity TN_DEFAULT(0);
    int64_t num_thresholds TN_DEFAULT(200), class_id TN_DEFAULT(INT64_MIN);
    TN_METRIC_OPTIONS;
} tn_specificity_at_sensitivity_options;
/* Precision, where recall reaches the value. */
typedef struct tn_precision_at_recall_options {
    TN_OPTIONS_HEAD(tn_precision_at_recall_options);
    double recall TN_DEFAULT(0);
    int64_t num_thresholds TN_DEFAULT(200), class_id TN_DEFAULT(INT64_MIN);
    TN_METRIC_OPTIONS;
} tn_precision_at_recall_options;
/* Recall, where precision reaches the value. */
typedef struct tn_recall_at_precision_options {
    TN_OPTIONS_HEAD(tn_recall_at_precision_options);
    double precision TN_DEFAULT(0);
    int64_t num_thresholds TN_DEFAULT(200), class_id TN_DEFAULT(INT64_MIN);
    TN_METRIC_OPTIONS;
} tn_recall_at_precision_options;
TN_API tn_metric *tn_sensitivity_at_specificity_metric_new(const tn_sensitivity_at_specificity_options *options);
TN_API tn_metric *tn_specificity_at_sensitivity_metric_new(const tn_specificity_at_sensitivity_options *options);
TN_API tn_metric *tn_precision_at_recall_metric_new(const tn_precision_at_recall_options *options);
TN_API tn_metric *tn_recall_at_precision_metric_new(const tn_recall_at_precision_options *options);
/* The area under a curve: "ROC" (recall over the share of wrong yeses among the noes), "PR" (precision over recall) or "PRGAIN". */
typedef struct tn_auc_options {
    TN_OPTIONS_HEAD(tn_auc_options);
    int64_t num_thresholds TN_DEFAULT(200);             /* the more, the finer */
    const char *curve TN_DEFAULT("ROC"), *summation_method TN_DEFAULT("interpolation"); /* or "minoring", "majoring" */
    TN_METRIC_OPTIONS;
    tn_tensor *thresholds TN_DEFAULT(NULL);             /* these between 0 and 1, instead of even ones */
    tn_flag multi_label TN_DEFAULT(false);              /* one area for each column of y_pred (batch, labels), then their mean */
    int64_t num_labels TN_DEFAULT(INT64_MIN);           /* INT64_MIN: shows with the first y_pred */
    tn_tensor *label_weights TN_DEFAULT(NULL);          /* of the mean; without multi_label of the columns' samples */
    tn_flag from_logits TN_DEFAULT(false);
} tn_auc_options;
TN_API tn_metric *tn_auc_metric_new(const tn_auc_options *options);

/* --- of tables (batch, outputs). F: the harmonic mean of precision and recall, recall beta times as important. average: "micro" (over
 * all counts), "macro", "weighted" (by how often a class occurs), NULL: one for each class. threshold TN_NOT_GIVEN: the greatest of
 * a row is a yes. */
typedef struct tn_fbeta_score_options {
    TN_OPTIONS_HEAD(tn_fbeta_score_options);
    const char *average TN_DEFAULT(NULL);
    double beta TN_DEFAULT(1), threshold TN_DEFAULT(TN_NOT_GIVEN);
    TN_METRIC_OPTIONS;
} tn_fbeta_score_options;
/* F with beta 1. */
typedef struct tn_f1_score_options {
    TN_OPTIONS_HEAD(tn_f1_score_options);
    const char *average TN_DEFAULT(NULL);
    double threshold TN_DEFAULT(TN_NOT_GIVEN);
    TN_METRIC_OPTIONS;
} tn_f1_score_options;
TN_API tn_metric *tn_fbeta_score_metric_new(const tn_fbeta_score_options *options);
TN_API tn_metric *tn_f1_score_metric_new(const tn_f1_score_options *options);
/* The part of the variance that is explained. class_aggregation: "uniform_average", "variance_weighted_average", NULL: one for each
 * output. num_regressors: adjusted for so many inputs, while there are samples enough. */
typedef struct tn_r2_score_options {
    TN_OPTIONS_HEAD(tn_r2_score_options);
    const char *class_aggregation TN_DEFAULT("uniform_average");
    int64_t num_regressors TN_DEFAULT(0);
    TN_METRIC_OPTIONS;
} tn_r2_score_options;
TN_API tn_metric *tn_r2_score_metric_new(const tn_r2_score_options *options);
/* How y_true and y_pred go together along axis, -1 to 1: Pearson's, and the concordance, which wants them equal too. */
typedef struct tn_correlation_options {
    TN_OPTIONS_HEAD(tn_correlation_options);
    TN_METRIC_OPTIONS;
    int axis TN_DEFAULT(-1);
} tn_correlation_options;
TN_API tn_metric *tn_pearson_correlation_metric_new(const tn_correlation_options *options);
TN_API tn_metric *tn_concordance_correlation_metric_new(const tn_correlation_options *options);

/* From text: "mse", "huber(delta=0.5)"; "top_k_categorical_accuracy(k=3)". */
TN_API tn_loss *tn_loss_from_text(const char *text);
TN_API tn_metric *tn_metric_from_text(const char *text);
TN_API void tn_update_state(tn_metric *metric, tn_list inputs);         /* the first half of a call: TN_LIST(y_true, y_pred) */
TN_API tn_tensor *tn_metric_result(tn_metric *metric);                  /* the second half */
TN_API void tn_reset_state(tn_metric *metric);                          /* as if nothing had been seen */
TN_API const char *tn_metric_name(tn_metric *metric);
TN_API tn_list tn_metric_variables(tn_metric *metric);                  /* Keras's order: total, count */

#ifndef __cplusplus
#define TN_PLAIN_METRIC(function, ...) TN_OPTIONS(function, tn_metric_options, TN_NO_DEFAULTS, __VA_ARGS__)
#define tn_mean_metric(...) TN_PLAIN_METRIC(tn_mean_metric_new, __VA_ARGS__)
#define tn_sum_metric(...) TN_PLAIN_METRIC(tn_sum_metric_new, __VA_ARGS__)
#define tn_accuracy_metric(...) TN_PLAIN_METRIC(tn_accuracy_metric_new, __VA_ARGS__)
#define tn_categorical_accuracy_metric(...) TN_PLAIN_METRIC(tn_categorical_accuracy_metric_new, __VA_ARGS__)
#define tn_sparse_categorical_accuracy_metric(...) TN_PLAIN_METRIC(tn_sparse_categorical_accuracy_metric_new, __VA_ARGS__)
#define tn_binary_accuracy_metric(...) \
    TN_OPTIONS(tn_binary_accuracy_metric_new, tn_binary_accuracy_options, (.threshold = 0.5), __VA_ARGS__)
#define tn_top_k_categorical_accuracy_metric(...) \
    TN_OPTIONS(tn_top_k_categorical_accuracy_metric_new, tn_top_k_options, (.k = 5), __VA_ARGS__)
#define tn_sparse_top_k_categorical_accuracy_metric(...) \
    TN_OPTIONS(tn_sparse_top_k_categorical_accuracy_metric_new, tn_sparse_top_k_options, (.k = 5), __VA_ARGS__)
#define tn_mean_squared_error_metric(...) TN_PLAIN_METRIC(tn_mean_squared_error_metric_new, __VA_ARGS__)
#define tn_root_mean_squared_error_metric(...) TN_PLAIN_METRIC(tn_root_mean_squared_error_metric_new, __VA_ARGS__)
#define tn_mean_absolute_error_metric(...) TN_PLAIN_METRIC(tn_mean_absolute_error_metric_new, __VA_ARGS__)
#define tn_mean_absolute_percentage_error_metric(...) TN_PLAIN_METRIC(tn_mean_absolute_percentage_error_metric_new, __VA_ARGS__)
#define tn_mean_squared_logarithmic_error_metric(...) TN_PLAIN_METRIC(tn_mean_squared_logarithmic_error_metric_new, __VA_ARGS__)
#define tn_log_cosh_error_metric(...) TN_PLAIN_METRIC(tn_log_cosh_error_metric_new, __VA_ARGS__)
#define tn_kl_divergence_metric(...) TN_PLAIN_METRIC(tn_kl_divergence_metric_new, __VA_ARGS__)
#define tn_poisson_metric(...) TN_PLAIN_METRIC(tn_poisson_metric_new, __VA_ARGS__)
#define tn_hinge_metric(...) TN_PLAIN_METRIC(tn_hinge_metric_new, __VA_ARGS__)
#define tn_squared_hinge_metric(...) TN_PLAIN_METRIC(tn_squared_hinge_metric_new, __VA_ARGS__)
#define tn_categorical_hinge_metric(...) TN_PLAIN_METRIC(tn_categorical_hinge_metric_new, __VA_ARGS__)
#define tn_cosine_similarity_metric(...) \
    TN_OPTIONS(tn_cosine_similarity_metric_new, tn_cosine_similarity_metric_options, (.axis = -1), __VA_ARGS__)
#define tn_binary_crossentropy_metric(...) \
    TN_OPTIONS(tn_binary_crossentropy_metric_new, tn_binary_crossentropy_metric_options, TN_NO_DEFAULTS, __VA_ARGS__)
#define tn_categorical_crossentropy_metric(...) \
    TN_OPTIONS(tn_categorical_crossentropy_metric_new, tn_categorical_crossentropy_metric_options, (.axis = -1), __VA_ARGS__)
#define tn_fbeta_score_metric(...) \
    TN_OPTIONS(tn_fbeta_score_metric_new, tn_fbeta_score_options, (.beta = 1, .threshold = TN_NOT_GIVEN), __VA_ARGS__)
#define tn_f1_score_metric(...) TN_OPTIONS(tn_f1_score_metric_new, tn_f1_score_options, (.threshold = TN_NOT_GIVEN), __VA_ARGS__)
#define tn_r2_score_metric(...) \
    TN_OPTIONS(tn_r2_score_metric_new, tn_r2_score_options, (.class_aggregation = "uniform_average"), __VA_ARGS__)
#define tn_pearson_correlation_metric(...) \
    TN_OPTIONS(tn_pearson_correlation_metric_new, tn_correlation_options, (.axis = -1), __VA_ARGS__)
#define tn_concordance_correlation_metric(...) \
    TN_OPTIONS(tn_concordance_correlation_metric_new, tn_correlation_options, (.axis = -1), __VA_ARGS__)
#define TN_CONFUSION_METRIC(function, ...) TN_OPTIONS(function, tn_confusion_options, TN_NO_DEFAULTS, __VA_ARGS__)
#define tn_true_positives_metric(...) TN_CONFUSION_METRIC(tn_true_positives_metric_new, __VA_ARGS__)
#define tn_false_positives_metric(...) TN_CONFUSION_METRIC(tn_false_positives_metric_new, __VA_ARGS__)
#define tn_true_negatives_metric(...) TN_CONFUSION_METRIC(tn_true_negatives_metric_new, __VA_ARGS__)
#define tn_false_negatives_metric(...) TN_CONFUSION_METRIC(tn_false_negatives_metric_new, __VA_ARGS__)
#define tn_precision_metric(...) \
    TN_OPTIONS(tn_precision_metric_new, tn_precision_options, (.top_k = INT64_MIN, .class_id = INT64_MIN), __VA_ARGS__)
#define tn_recall_metric(...) \
    TN_OPTIONS(tn_recall_metric_new, tn_precision_options, (.top_k = INT64_MIN, .class_id = INT64_MIN), __VA_ARGS__)
#define TN_AT_METRIC(function, type, ...) TN_OPTIONS(function, type, (.num_thresholds = 200, .class_id = INT64_MIN), __VA_ARGS__)
#define tn_sensitivity_at_specificity_metric(...) \
    TN_AT_METRIC(tn_sensitivity_at_specificity_metric_new, tn_sensitivity_at_specificity_options, __VA_ARGS__)
#define tn_specificity_at_sensitivity_metric(...) \
    TN_AT_METRIC(tn_specificity_at_sensitivity_metric_new, tn_specificity_at_sensitivity_options, __VA_ARGS__)
#define tn_precision_at_recall_metric(...) \
    TN_AT_METRIC(tn_precision_at_recall_metric_new, tn_precision_at_recall_options, __VA_ARGS__)
#define tn_recall_at_precision_metric(...) \
    TN_AT_METRIC(tn_recall_at_precision_metric_new, tn_recall_at_precision_options, __VA_ARGS__)
#define tn_auc_metric(...) TN_OPTIONS(tn_auc_metric_new, tn_auc_options, \
    (.num_thresholds = 200, .curve = "ROC", .summation_method = "interpolation", .num_labels = INT64_MIN), __VA_ARGS__)
#define tn_sparse_categorical_crossentropy_metric(...) TN_OPTIONS(tn_sparse_categorical_crossentropy_metric_new, \
    tn_sparse_categorical_crossentropy_metric_options, (.ignore_class = INT64_MIN, .axis = -1), __VA_ARGS__)
#endif
TN_END
#endif
