/* losses.h - Keras's losses. */
#ifndef TENON_LOSSES_H
#define TENON_LOSSES_H
#include "tenon/models.h"
#include "tenon/ops.h"
TN_BEGIN
/* --- losses --------------------------------------------------------------------------------------------------------------
 * Called: tn_call(loss, y_true, y_pred) or tn_call(loss, y_true, y_pred, sample_weight) gives a number, or with the reduction NULL
 * one for each sample; a mask of y_pred goes with tn_call_with(loss, TN_LIST(y_true, y_pred), .mask = mask). Values are computed
 * in float32 whatever comes in. A last dimension of 1 that only one of the two has is dropped or added, as in Keras. Shapes of
 * arguments: (batch, …, n) for both unless it says otherwise; a loss is reduced over n first, then as `reduction` says:
 * "sum_over_batch_size" or "mean" (the sum divided by the number of values), "sum", "mean_with_sample_weight" (divided by the sum
 * of the weights), "none" or NULL. */
#define TN_LOSS_OPTIONS \
    const char *reduction TN_DEFAULT("sum_over_batch_size"), *name TN_DEFAULT(NULL); /* NULL: Keras's own, "mean_squared_error" */ \
    tn_dtype dtype TN_DEFAULT(tn_dtype(0))              /* of the computation; 0: float32 */
#define TN_LOSS_DEFAULTS .reduction = "sum_over_batch_size"
/* Example: called as in Keras.
 *
 *     tn_tensor *y_true = tn_constant(TN_INT32, TN_SHAPE(2), (int32_t[]){ 0, 1 });
 *     tn_tensor *y_pred = tn_constant(TN_FLOAT32, TN_SHAPE(2, 2), (float[]){ 0, 0, 9, 9 });
 *     tn_loss *loss = tn_sparse_categorical_crossentropy(.from_logits = true);
 *     printf("%.4f\n", tn_to_double(tn_call(loss, y_true, y_pred)));  // 0.6931
 */
/* Losses without options of their own. */
typedef struct tn_loss_options {
    TN_OPTIONS_HEAD(tn_loss_options);
    TN_LOSS_OPTIONS;
} tn_loss_options;
TN_API tn_loss *tn_mean_squared_error_new(const tn_loss_options *options);              /* (y_true - y_pred)² */
TN_API tn_loss *tn_mean_absolute_error_new(const tn_loss_options *options);             /* |y_true - y_pred| */
TN_API tn_loss *tn_mean_absolute_percentage_error_new(const tn_loss_options *options);  /* 100 |y_true - y_pred| / |y_true| */
TN_API tn_loss *tn_mean_squared_logarithmic_error_new(const tn_loss_options *options);  /* (log(y_true + 1) - log(y_pred + 1))² */
TN_API tn_loss *tn_log_cosh_new(const tn_loss_options *options);                        /* log(cosh(y_pred - y_true)) */
TN_API tn_loss *tn_kl_divergence_new(const tn_loss_options *options);                   /* y_true log(y_true / y_pred), summed */
TN_API tn_loss *tn_poisson_new(const tn_loss_options *options);                         /* y_pred - y_true log(y_pred) */
/* Labels are -1 and 1; 0 and 1 are taken as such. */
TN_API tn_loss *tn_hinge_new(const tn_loss_options *options);                           /* max(1 - y_true y_pred, 0) */
TN_API tn_loss *tn_squared_hinge_new(const tn_loss_options *options);
TN_API tn_loss *tn_categorical_hinge_new(const tn_loss_options *options);               /* labels 0 and 1, one 1 in a row */
/* Quadratic up to |y_true - y_pred| = delta, linear beyond. */
typedef struct tn_huber_options {
    TN_OPTIONS_HEAD(tn_huber_options);
    double delta TN_DEFAULT(1);
    TN_LOSS_OPTIONS;
} tn_huber_options;
TN_API tn_loss *tn_huber_new(const tn_huber_options *options);
/* -cos of the angle between y_true and y_pred along axis: -1 for the same direction. */
typedef struct tn_cosine_similarity_options {
    TN_OPTIONS_HEAD(tn_cosine_similarity_options);
    int axis TN_DEFAULT(-1);
    TN_LOSS_OPTIONS;
} tn_cosine_similarity_options;
TN_API tn_loss *tn_cosine_similarity_new(const tn_cosine_similarity_options *options);

/* y_pred are probabilities, kept 1e-7 away from 0 and 1, or logits. Probabilities that come straight from a softmax or sigmoid are
 * not looked at: the loss goes back to its logits, as in Keras, in traces and under tapes. label_smoothing s: labels become
 * y_true (1 - s) + s / classes. */
typedef struct tn_crossentropy_options {
    TN_OPTIONS_HEAD(tn_crossentropy_options);
    tn_flag from_logits TN_DEFAULT(false);
    double label_smoothing TN_DEFAULT(0);               /* 0 to 1 */
    int axis TN_DEFAULT(-1);                            /* of the classes; binary: over which the mean is taken */
    TN_LOSS_OPTIONS;
} tn_crossentropy_options;
TN_API tn_loss *tn_binary_crossentropy_new(const tn_crossentropy_options *options);
TN_API tn_loss *tn_categorical_crossentropy_new(const tn_crossentropy_options *options); /* y_true as y_pred: (batch, …, classes) */
/* y_true are class numbers, (batch, …) or (batch, …, 1); classes are y_pred's last axis. */
typedef struct tn_sparse_categorical_crossentropy_options {
    TN_OPTIONS_HEAD(tn_sparse_categorical_crossentropy_options);
    tn_flag from_logits TN_DEFAULT(false);
    int64_t ignore_class TN_DEFAULT(INT64_MIN);         /* samples of this class do not count; INT64_MIN: None */
    TN_LOSS_OPTIONS;
} tn_sparse_categorical_crossentropy_options;
TN_API tn_loss *tn_sparse_categorical_crossentropy_new(const tn_sparse_categorical_crossentropy_options *options);

/* Crossentropies times (1 - p)^gamma, p the probability of what is right: what is predicted well counts little. */
typedef struct tn_binary_focal_crossentropy_options {
    TN_OPTIONS_HEAD(tn_binary_focal_crossentropy_options);
    tn_flag apply_class_balancing TN_DEFAULT(false);    /* ones times alpha, zeros times 1 - alpha */
    double alpha TN_DEFAULT(0.25), gamma TN_DEFAULT(2);
    tn_flag from_logits TN_DEFAULT(false);
    double label_smoothing TN_DEFAULT(0);
    int axis TN_DEFAULT(-1);
    TN_LOSS_OPTIONS;
} tn_binary_focal_crossentropy_options;
TN_API tn_loss *tn_binary_focal_crossentropy_new(const tn_binary_focal_crossentropy_options *options);
/* The same for classes, all times alpha. */
typedef struct tn_categorical_focal_crossentropy_options {
    TN_OPTIONS_HEAD(tn_categorical_focal_crossentropy_options);
    double alpha TN_DEFAULT(0.25), gamma TN_DEFAULT(2);
    tn_flag from_logits TN_DEFAULT(false);
    double label_smoothing TN_DEFAULT(0);
    int axis TN_DEFAULT(-1);
    TN_LOSS_OPTIONS;
} tn_categorical_focal_crossentropy_options;
TN_API tn_loss *tn_categorical_focal_crossentropy_new(const tn_categorical_focal_crossentropy_options *options);

/* How badly two regions cover each other, summed along axis (none: all together): 1 - 2 |both| / (|y_true| + |y_pred|). */
typedef struct tn_dice_options {
    TN_OPTIONS_HEAD(tn_dice_options);
    TN_LOSS_OPTIONS;
    tn_axes axis TN_DEFAULT(TN_AXES_UNSAID);
} tn_dice_options;
TN_API tn_loss *tn_dice_new(const tn_dice_options *options);
/* The same with a weight for each kind of mistake: 1 - |both| / (|both| + alpha |missed| + beta |too much|). */
typedef struct tn_tversky_options {
    TN_OPTIONS_HEAD(tn_tversky_options);
    double alpha TN_DEFAULT(0.5), beta TN_DEFAULT(0.5);
    TN_LOSS_OPTIONS;
    tn_axes axis TN_DEFAULT(TN_AXES_UNSAID);
} tn_tversky_options;
TN_API tn_loss *tn_tversky_new(const tn_tversky_options *options);
/* y_true class numbers (batch), y_pred unit vectors (batch, n): those of a class should lie together, apart from the others. */
typedef struct tn_circle_options {
    TN_OPTIONS_HEAD(tn_circle_options);
    double gamma TN_DEFAULT(80), margin TN_DEFAULT(0.4);
    tn_flag remove_diagonal TN_DEFAULT(true);           /* nobody is compared with itself */
    TN_LOSS_OPTIONS;
} tn_circle_options;
TN_API tn_loss *tn_circle_new(const tn_circle_options *options);

/* One number for each sample, (batch, …), from float tensors whose shapes differ as the program gave them but for a last 1. */
typedef tn_tensor *(*tn_loss_body)(void *self, tn_tensor *y_true, tn_tensor *y_pred);
/* A loss of the program's own. It is traced with the training step; its gradient comes from its ops. */
typedef struct tn_loss_of_options {
    TN_OPTIONS_HEAD(tn_loss_of_options);
    tn_loss_body function TN_DEFAULT(NULL);
    void *self TN_DEFAULT(NULL);                        /* the caller's own; must outlive the loss */
    TN_LOSS_OPTIONS;
} tn_loss_of_options;
TN_API tn_loss *tn_loss_of_new(const tn_loss_of_options *options);

#ifndef __cplusplus
#define TN_PLAIN_LOSS(function, ...) TN_OPTIONS(function, tn_loss_options, (TN_LOSS_DEFAULTS), __VA_ARGS__)
#define tn_mean_squared_error(...) TN_PLAIN_LOSS(tn_mean_squared_error_new, __VA_ARGS__)
#define tn_mean_absolute_error(...) TN_PLAIN_LOSS(tn_mean_absolute_error_new, __VA_ARGS__)
#define tn_mean_absolute_percentage_error(...) TN_PLAIN_LOSS(tn_mean_absolute_percentage_error_new, __VA_ARGS__)
#define tn_mean_squared_logarithmic_error(...) TN_PLAIN_LOSS(tn_mean_squared_logarithmic_error_new, __VA_ARGS__)
#define tn_log_cosh(...) TN_PLAIN_LOSS(tn_log_cosh_new, __VA_ARGS__)
#define tn_kl_divergence(...) TN_PLAIN_LOSS(tn_kl_divergence_new, __VA_ARGS__)
#define tn_poisson(...) TN_PLAIN_LOSS(tn_poisson_new, __VA_ARGS__)
#define tn_hinge(...) TN_PLAIN_LOSS(tn_hinge_new, __VA_ARGS__)
#define tn_squared_hinge(...) TN_PLAIN_LOSS(tn_squared_hinge_new, __VA_ARGS__)
#define tn_categorical_hinge(...) TN_PLAIN_LOSS(tn_categorical_hinge_new, __VA_ARGS__)
#define tn_huber(...) TN_OPTIONS(tn_huber_new, tn_huber_options, (.delta = 1, TN_LOSS_DEFAULTS), __VA_ARGS__)
#define tn_cosine_similarity(...) \
    TN_OPTIONS(tn_cosine_similarity_new, tn_cosine_similarity_options, (.axis = -1, TN_LOSS_DEFAULTS), __VA_ARGS__)
#define tn_binary_crossentropy(...) \
    TN_OPTIONS(tn_binary_crossentropy_new, tn_crossentropy_options, (.axis = -1, TN_LOSS_DEFAULTS), __VA_ARGS__)
#define tn_categorical_crossentropy(...) \
    TN_OPTIONS(tn_categorical_crossentropy_new, tn_crossentropy_options, (.axis = -1, TN_LOSS_DEFAULTS), __VA_ARGS__)
#define tn_sparse_categorical_crossentropy(...) TN_OPTIONS(tn_sparse_categorical_crossentropy_new, \
    tn_sparse_categorical_crossentropy_options, (.ignore_class = INT64_MIN, TN_LOSS_DEFAULTS), __VA_ARGS__)
#define tn_binary_focal_crossentropy(...) TN_OPTIONS(tn_binary_focal_crossentropy_new, tn_binary_focal_crossentropy_options, \
    (.alpha = 0.25, .gamma = 2, .axis = -1, TN_LOSS_DEFAULTS), __VA_ARGS__)
#define tn_categorical_focal_crossentropy(...) TN_OPTIONS(tn_categorical_focal_crossentropy_new, \
    tn_categorical_focal_crossentropy_options, (.alpha = 0.25, .gamma = 2, .axis = -1, TN_LOSS_DEFAULTS), __VA_ARGS__)
#define tn_dice(...) TN_NUMBERS(tn_dice_new, tn_dice_options, (TN_LOSS_DEFAULTS, .axis = TN_AXES_UNSAID), __VA_ARGS__)
#define tn_tversky(...) \
    TN_NUMBERS(tn_tversky_new, tn_tversky_options, (.alpha = 0.5, .beta = 0.5, TN_LOSS_DEFAULTS, .axis = TN_AXES_UNSAID), __VA_ARGS__)
#define tn_circle(...) TN_OPTIONS(tn_circle_new, tn_circle_options, \
    (.gamma = 80, .margin = 0.4, .remove_diagonal = true, TN_LOSS_DEFAULTS), __VA_ARGS__)
#define tn_loss_of(...) TN_OPTIONS(tn_loss_of_new, tn_loss_of_options, (TN_LOSS_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
