/* optimizers.h - Keras's optimizers and learning-rate schedules. */
#ifndef TENON_OPTIMIZERS_H
#define TENON_OPTIMIZERS_H
#include "tenon/models.h"
#include "tenon/ops.h"
TN_BEGIN
/* --- optimizers ----------------------------------------------------------------------------------------------------------
 * What every optimizer takes, after its own. TN_NOT_GIVEN: None. */
#define TN_OPTIMIZER_OPTIONS \
    double weight_decay TN_DEFAULT(TN_NOT_GIVEN);       /* w -= w * weight_decay * learning_rate, before the step */ \
    TN_OPTIMIZER_MORE_OPTIONS
#define TN_OPTIMIZER_MORE_OPTIONS \
    double clipnorm TN_DEFAULT(TN_NOT_GIVEN), clipvalue TN_DEFAULT(TN_NOT_GIVEN); /* of each gradient */ \
    double global_clipnorm TN_DEFAULT(TN_NOT_GIVEN);    /* of all gradients together; one of the three clippings at most */ \
    tn_flag use_ema TN_DEFAULT(false);                  /* keep averages of the weights, which take their place when fit ends */ \
    double ema_momentum TN_DEFAULT(0.99); \
    int64_t ema_overwrite_frequency TN_DEFAULT(INT64_MIN); /* every so many steps instead; INT64_MIN: None */ \
    double loss_scale_factor TN_DEFAULT(TN_NOT_GIVEN);  /* fit multiplies the loss by it, gradients are divided by it */ \
    int64_t gradient_accumulation_steps TN_DEFAULT(INT64_MIN); /* the mean of so many gradients makes one step; INT64_MIN: None */ \
    const char *name TN_DEFAULT(NULL);                  /* "adam", "adam_1" … */ \
    const char *schedule TN_DEFAULT(NULL)               /* instead of learning_rate: "exponential_decay(0.01, 1000, 0.9)" */
#define TN_OPTIMIZER_DEFAULTS .weight_decay = TN_NOT_GIVEN, TN_OPTIMIZER_MORE_DEFAULTS
#define TN_OPTIMIZER_MORE_DEFAULTS .clipnorm = TN_NOT_GIVEN, .clipvalue = TN_NOT_GIVEN, .global_clipnorm = TN_NOT_GIVEN, \
    .ema_momentum = 0.99, .ema_overwrite_frequency = INT64_MIN, .loss_scale_factor = TN_NOT_GIVEN, \
    .gradient_accumulation_steps = INT64_MIN
/* Learning-rate schedules, by text, as functions of the steps done (optimizer.iterations), with Keras's arguments and defaults:
 *   exponential_decay(initial_learning_rate, decay_steps, decay_rate, staircase=false)      initial * rate^(step / decay_steps)
 *   inverse_time_decay(initial_learning_rate, decay_steps, decay_rate, staircase=false)     initial / (1 + rate * step / decay_steps)
 *   polynomial_decay(initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1, cycle=false)
 *   piecewise_constant_decay(boundaries=[100, 200], values=[0.1, 0.05, 0.01])               the value up to and at each boundary
 *   cosine_decay(initial_learning_rate, decay_steps, alpha=0, warmup_target=none, warmup_steps=0)
 *   cosine_decay_restarts(initial_learning_rate, first_decay_steps, t_mul=2, m_mul=1, alpha=0)
 * A text may give one for the number: "adam(exponential_decay(0.01, 1000, 0.9))". */

/* Example: one step of one's own.
 *
 *     tn_variable *w = tn_variable(tn_scalar(3.0), .name = "w");
 *     tn_optimizer *sgd = tn_sgd(.learning_rate = 0.5);
 *     tn_tape *tape = tn_gradient_tape();
 *     tn_tensor *loss = tn_square(w);
 *     tn_must(tn_apply_gradients(sgd, tn_gradient(tape, loss, TN_LIST(w)), TN_LIST(w)));
 *     tn_print(w); // 0.0
 */
/* Gradient descent; momentum m: v = m v - rate * g, w += v (nesterov: w += m v - rate * g). */
typedef struct tn_sgd_options {
    TN_OPTIONS_HEAD(tn_sgd_options);
    double learning_rate TN_DEFAULT(0.01), momentum TN_DEFAULT(0);
    tn_flag nesterov TN_DEFAULT(false);
    TN_OPTIMIZER_OPTIONS;
} tn_sgd_options;
/* Gradients divided by the root of a running mean of their squares (centered: of their variance). */
typedef struct tn_rmsprop_options {
    TN_OPTIONS_HEAD(tn_rmsprop_options);
    double learning_rate TN_DEFAULT(0.001), rho TN_DEFAULT(0.9), momentum TN_DEFAULT(0), epsilon TN_DEFAULT(1e-7);
    tn_flag centered TN_DEFAULT(false);
    TN_OPTIMIZER_OPTIONS;
} tn_rmsprop_options;
/* Running means of gradients and of their squares: w -= rate * m / (√v + epsilon), both corrected for their start at 0. */
typedef struct tn_adam_options {
    TN_OPTIONS_HEAD(tn_adam_options);
    double learning_rate TN_DEFAULT(0.001), beta_1 TN_DEFAULT(0.9), beta_2 TN_DEFAULT(0.999), epsilon TN_DEFAULT(1e-7);
    tn_flag amsgrad TN_DEFAULT(false);
    TN_OPTIMIZER_OPTIONS;
} tn_adam_options;
/* Adam with a weight_decay. */
typedef struct tn_adamw_options {
    TN_OPTIONS_HEAD(tn_adamw_options);
    double learning_rate TN_DEFAULT(0.001), weight_decay TN_DEFAULT(0.004), beta_1 TN_DEFAULT(0.9), beta_2 TN_DEFAULT(0.999);
    double epsilon TN_DEFAULT(1e-7);
    tn_flag amsgrad TN_DEFAULT(false);
    TN_OPTIMIZER_MORE_OPTIONS;
} tn_adamw_options;
/* Steps become shorter with the sum of all squared gradients. */
typedef struct tn_adagrad_options {
    TN_OPTIONS_HEAD(tn_adagrad_options);
    double learning_rate TN_DEFAULT(0.001), initial_accumulator_value TN_DEFAULT(0.1), epsilon TN_DEFAULT(1e-7);
    TN_OPTIMIZER_OPTIONS;
} tn_adagrad_options;
/* Adagrad that forgets old gradients. */
typedef struct tn_adadelta_options {
    TN_OPTIONS_HEAD(tn_adadelta_options);
    double learning_rate TN_DEFAULT(0.001), rho TN_DEFAULT(0.95), epsilon TN_DEFAULT(1e-7);
    TN_OPTIMIZER_OPTIONS;
} tn_adadelta_options;
/* Adam by the greatest gradient. */
typedef struct tn_adamax_options {
    TN_OPTIONS_HEAD(tn_adamax_options);
    double learning_rate TN_DEFAULT(0.001), beta_1 TN_DEFAULT(0.9), beta_2 TN_DEFAULT(0.999), epsilon TN_DEFAULT(1e-7);
    TN_OPTIMIZER_OPTIONS;
} tn_adamax_options;
/* Adam with Nesterov momentum. */
typedef struct tn_nadam_options {
    TN_OPTIONS_HEAD(tn_nadam_options);
    double learning_rate TN_DEFAULT(0.001), beta_1 TN_DEFAULT(0.9), beta_2 TN_DEFAULT(0.999), epsilon TN_DEFAULT(1e-7);
    TN_OPTIMIZER_OPTIONS;
} tn_nadam_options;
/* Adam with steps in proportion to the norm of the weights. */
typedef struct tn_lamb_options {
    TN_OPTIONS_HEAD(tn_lamb_options);
    double learning_rate TN_DEFAULT(0.001), beta_1 TN_DEFAULT(0.9), beta_2 TN_DEFAULT(0.999), epsilon TN_DEFAULT(1e-7);
    TN_OPTIMIZER_OPTIONS;
} tn_lamb_options;
/* Follow the regularized leader: for wide and sparse linear models. learning_rate_power is 0 or less. */
typedef struct tn_ftrl_options {
    TN_OPTIONS_HEAD(tn_ftrl_options);
    double learning_rate TN_DEFAULT(0.001), learning_rate_power TN_DEFAULT(-0.5), initial_accumulator_value TN_DEFAULT(0.1);
    double l1_regularization_strength TN_DEFAULT(0), l2_regularization_strength TN_DEFAULT(0);
    double l2_shrinkage_regularization_strength TN_DEFAULT(0), beta TN_DEFAULT(0);
    TN_OPTIMIZER_OPTIONS;
} tn_ftrl_options;
/* Of a matrix it keeps means of rows and columns. */
typedef struct tn_adafactor_options {
    TN_OPTIONS_HEAD(tn_adafactor_options);
    double learning_rate TN_DEFAULT(0.001), beta_2_decay TN_DEFAULT(-0.8), epsilon_1 TN_DEFAULT(1e-30);
    double epsilon_2 TN_DEFAULT(1e-3), clip_threshold TN_DEFAULT(1);
    tn_flag relative_step TN_DEFAULT(true);             /* the rate is 1 / √steps at most */
    TN_OPTIMIZER_OPTIONS;
} tn_adafactor_options;
/* Goes by the signs of gradients and momentum only: wants a rate 3 to 10 times smaller than Adam. */
typedef struct tn_lion_options {
    TN_OPTIONS_HEAD(tn_lion_options);
    double learning_rate TN_DEFAULT(0.001), beta_1 TN_DEFAULT(0.9), beta_2 TN_DEFAULT(0.99);
    TN_OPTIMIZER_OPTIONS;
} tn_lion_options;
/* AdamW whose weights are a running mean of where it has been, instead of a rate that decays. */
typedef struct tn_schedule_free_adamw_options {
    TN_OPTIONS_HEAD(tn_schedule_free_adamw_options);
    double learning_rate TN_DEFAULT(0.0025), beta_1 TN_DEFAULT(0.9), beta_2 TN_DEFAULT(0.999), epsilon TN_DEFAULT(1e-8);
    int64_t warmup_steps TN_DEFAULT(0);
    TN_OPTIMIZER_OPTIONS;
} tn_schedule_free_adamw_options;
/* Matrices go along the orthogonal matrix that is nearest to the momentum; all other variables, embeddings and those whose path
 * exclude_layers finds take Adam's steps. */
typedef struct tn_muon_options {
    TN_OPTIONS_HEAD(tn_muon_options);
    double learning_rate TN_DEFAULT(0.001), adam_beta_1 TN_DEFAULT(0.9), adam_beta_2 TN_DEFAULT(0.999);
    double adam_weight_decay TN_DEFAULT(0.004), epsilon TN_DEFAULT(1e-7), weight_decay TN_DEFAULT(0.004);
    TN_OPTIMIZER_MORE_OPTIONS;
    const char *exclude_layers TN_DEFAULT(NULL);        /* regular expressions with "|" between them: "output|head_.*" */
    tn_flag exclude_embeddings TN_DEFAULT(true);
    double muon_a TN_DEFAULT(3.4445), muon_b TN_DEFAULT(-4.775), muon_c TN_DEFAULT(2.0315), adam_lr_ratio TN_DEFAULT(1);
    double momentum TN_DEFAULT(0.95);
    int64_t ns_steps TN_DEFAULT(5);
    tn_flag nesterov TN_DEFAULT(true);
    double rms_rate TN_DEFAULT(0.2);                    /* TN_NOT_GIVEN: None */
} tn_muon_options;
/* Takes the steps of inner_optimizer with gradients of the loss times a scale, so that small ones are not lost in float16: the scale,
 * 2^15 at first, is halved where gradients are not finite, and such a step changes nothing; after dynamic_growth_steps good steps in a
 * row it is doubled. compile puts one round the optimizer of a "mixed_float16" model. Its variables come before the inner optimizer's. */
typedef struct tn_loss_scale_optimizer_options {
    TN_OPTIONS_HEAD(tn_loss_scale_optimizer_options);
    tn_optimizer *inner_optimizer TN_DEFAULT(NULL);     /* its loss_scale_factor becomes None */
    double initial_scale TN_DEFAULT(32768);
    int64_t dynamic_growth_steps TN_DEFAULT(2000);
    const char *name TN_DEFAULT(NULL);
} tn_loss_scale_optimizer_options;
TN_API tn_optimizer *tn_sgd_new(const tn_sgd_options *options);
TN_API tn_optimizer *tn_rmsprop_new(const tn_rmsprop_options *options);
TN_API tn_optimizer *tn_adam_new(const tn_adam_options *options);
TN_API tn_optimizer *tn_adamw_new(const tn_adamw_options *options);
TN_API tn_optimizer *tn_adagrad_new(const tn_adagrad_options *options);
TN_API tn_optimizer *tn_adadelta_new(const tn_adadelta_options *options);
TN_API tn_optimizer *tn_adamax_new(const tn_adamax_options *options);
TN_API tn_optimizer *tn_nadam_new(const tn_nadam_options *options);
TN_API tn_optimizer *tn_lamb_new(const tn_lamb_options *options);
TN_API tn_optimizer *tn_ftrl_new(const tn_ftrl_options *options);
TN_API tn_optimizer *tn_adafactor_new(const tn_adafactor_options *options);
TN_API tn_optimizer *tn_lion_new(const tn_lion_options *options);
TN_API tn_optimizer *tn_schedule_free_adamw_new(const tn_schedule_free_adamw_options *options);
TN_API tn_optimizer *tn_muon_new(const tn_muon_options *options);
TN_API tn_optimizer *tn_loss_scale_optimizer_new(const tn_loss_scale_optimizer_options *options);
/* The one that it is round; of another optimizer NULL and an error. */
TN_API tn_optimizer *tn_inner_optimizer(tn_optimizer *loss_scale_optimizer);
/* From text: "adam", "sgd(0.01, momentum=0.9)"; what the command line's --optimizer takes. */
TN_API tn_optimizer *tn_optimizer_of(const char *text);
/* A variable: tn_assign(tn_learning_rate(adam), tn_scalar(1e-4)) changes it, traced steps included. With a
 * schedule it is a number, the rate of the next step, and cannot be assigned to. */
TN_API tn_variable *tn_learning_rate(tn_optimizer *optimizer);
TN_API tn_variable *tn_iterations(tn_optimizer *optimizer);             /* steps done, int64 */
TN_API tn_list tn_optimizer_variables(tn_optimizer *optimizer);         /* Keras's order: iteration, learning_rate (no schedule), slots */
/* What a training loop takes the gradients of, where the optimizer scales: loss times the scale or loss_scale_factor, else loss. */
TN_API tn_tensor *tn_scale_loss(tn_optimizer *optimizer, tn_tensor *loss);
/* One step. A NULL item is skipped with Keras's warning; empty lists (a model not built yet), all NULL, or two lengths fail. */
TN_API TN_USE tn_status tn_apply_gradients(tn_optimizer *optimizer, tn_list gradients, tn_list variables);

#ifndef __cplusplus
#define tn_adam(...) TN_OPTIONS(tn_adam_new, tn_adam_options, (.learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, \
    .epsilon = 1e-7, TN_OPTIMIZER_DEFAULTS), __VA_ARGS__)
#define tn_rmsprop(...) TN_OPTIONS(tn_rmsprop_new, tn_rmsprop_options, (.learning_rate = 0.001, .rho = 0.9, .epsilon = 1e-7, \
    TN_OPTIMIZER_DEFAULTS), __VA_ARGS__)
#define tn_sgd(...) TN_OPTIONS(tn_sgd_new, tn_sgd_options, (.learning_rate = 0.01, TN_OPTIMIZER_DEFAULTS), __VA_ARGS__)
#define tn_adamw(...) TN_OPTIONS(tn_adamw_new, tn_adamw_options, (.learning_rate = 0.001, .weight_decay = 0.004, .beta_1 = 0.9, \
    .beta_2 = 0.999, .epsilon = 1e-7, TN_OPTIMIZER_MORE_DEFAULTS), __VA_ARGS__)
#define tn_adagrad(...) TN_OPTIONS(tn_adagrad_new, tn_adagrad_options, ( \
    .learning_rate = 0.001, .initial_accumulator_value = 0.1, .epsilon = 1e-7, TN_OPTIMIZER_DEFAULTS), \
    __VA_ARGS__)
#define tn_adadelta(...) TN_OPTIONS(tn_adadelta_new, tn_adadelta_options, ( \
    .learning_rate = 0.001, .rho = 0.95, .epsilon = 1e-7, TN_OPTIMIZER_DEFAULTS), \
    __VA_ARGS__)
#define tn_adamax(...) TN_OPTIONS(tn_adamax_new, tn_adamax_options, ( \
    .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, TN_OPTIMIZER_DEFAULTS), \
    __VA_ARGS__)
#define tn_nadam(...) TN_OPTIONS(tn_nadam_new, tn_nadam_options, ( \
    .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, TN_OPTIMIZER_DEFAULTS), \
    __VA_ARGS__)
#define tn_lamb(...) TN_OPTIONS(tn_lamb_new, tn_lamb_options, ( \
    .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, TN_OPTIMIZER_DEFAULTS), \
    __VA_ARGS__)
#define tn_ftrl(...) TN_OPTIONS(tn_ftrl_new, tn_ftrl_options, ( \
    .learning_rate = 0.001, .learning_rate_power = -0.5, .initial_accumulator_value = 0.1, TN_OPTIMIZER_DEFAULTS), \
    __VA_ARGS__)
#define tn_adafactor(...) TN_OPTIONS(tn_adafactor_new, tn_adafactor_options, ( \
    .learning_rate = 0.001, .beta_2_decay = -0.8, .epsilon_1 = 1e-30, .epsilon_2 = 1e-3, .clip_threshold = 1, .relative_step = true, TN_OPTIMIZER_DEFAULTS), \
    __VA_ARGS__)
#define tn_lion(...) TN_OPTIONS(tn_lion_new, tn_lion_options, ( \
    .learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.99, TN_OPTIMIZER_DEFAULTS), \
    __VA_ARGS__)
#define tn_schedule_free_adamw(...) TN_OPTIONS(tn_schedule_free_adamw_new, tn_schedule_free_adamw_options, ( \
    .learning_rate = 0.0025, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-8, TN_OPTIMIZER_DEFAULTS), \
    __VA_ARGS__)
#define tn_muon(...) TN_OPTIONS(tn_muon_new, tn_muon_options, ( \
    .learning_rate = 0.001, .adam_beta_1 = 0.9, .adam_beta_2 = 0.999, .adam_weight_decay = 0.004, .epsilon = 1e-7, \
    .weight_decay = 0.004, .exclude_embeddings = true, .muon_a = 3.4445, .muon_b = -4.775, .muon_c = 2.0315, .adam_lr_ratio = 1, \
    .momentum = 0.95, .ns_steps = 5, .nesterov = true, .rms_rate = 0.2, TN_OPTIMIZER_MORE_DEFAULTS), \
    __VA_ARGS__)
#define tn_loss_scale_optimizer(...) TN_OPTIONS(tn_loss_scale_optimizer_new, tn_loss_scale_optimizer_options, ( \
    .initial_scale = 32768, .dynamic_growth_steps = 2000), __VA_ARGS__)
#endif
TN_END
#endif
