/* v1_optimizers.h - TensorFlow 1's optimizers, whose steps are operations of a graph. */
#ifndef TENON_V1_OPTIMIZERS_H
#define TENON_V1_OPTIMIZERS_H
#include "tenon/gradient.h"
#include "tenon/graph.h"
#include "tenon/optimizers.h"
TN_BEGIN
/* --- tf.compat.v1.train -------------------------------------------------------------------------------------------------
 * What each takes, after its own. Their slots are variables of the graph, named after the variable and the optimizer ("w/Adam",
 * "w/Adam_1"), and have values in sessions once they are initialised. */
#define TN_V1_OPTIMIZER_OPTIONS \
    const char *name TN_DEFAULT(NULL);              /* of the operation and the slots; NULL: "Adam" … */ \
    tn_tensor *learning_rate_tensor TN_DEFAULT(NULL) /* in the number's place: a placeholder, or made of the global step */
/* w -= rate g */
typedef struct tn_gradient_descent_optimizer_options {
    TN_OPTIONS_HEAD(tn_gradient_descent_optimizer_options);
    double learning_rate TN_DEFAULT(TN_NOT_GIVEN);
    TN_V1_OPTIMIZER_OPTIONS;
} tn_gradient_descent_optimizer_options;
/* a = momentum a + g;  w -= rate a (Nesterov: rate (g + momentum a)) */
typedef struct tn_momentum_optimizer_options {
    TN_OPTIONS_HEAD(tn_momentum_optimizer_options);
    double learning_rate TN_DEFAULT(TN_NOT_GIVEN), momentum TN_DEFAULT(TN_NOT_GIVEN);
    tn_flag use_nesterov TN_DEFAULT(false);
    TN_V1_OPTIMIZER_OPTIONS;
} tn_momentum_optimizer_options;
/* m, v: running means of g and g²;  w -= rate √(1 - beta2ᵗ) / (1 - beta1ᵗ) m / (√v + epsilon), where Keras's Adam adds its epsilon to
 * the corrected v. The powers of the betas are the variables beta1_power and beta2_power. */
typedef struct tn_adam_optimizer_options {
    TN_OPTIONS_HEAD(tn_adam_optimizer_options);
    double learning_rate TN_DEFAULT(0.001), beta1 TN_DEFAULT(0.9), beta2 TN_DEFAULT(0.999), epsilon TN_DEFAULT(1e-8);
    TN_V1_OPTIMIZER_OPTIONS;
} tn_adam_optimizer_options;
/* a += g²;  w -= rate g / √a */
typedef struct tn_adagrad_optimizer_options {
    TN_OPTIONS_HEAD(tn_adagrad_optimizer_options);
    double learning_rate TN_DEFAULT(TN_NOT_GIVEN), initial_accumulator_value TN_DEFAULT(0.1);
    TN_V1_OPTIMIZER_OPTIONS;
} tn_adagrad_optimizer_options;
/* r: running mean of g², 1 at first;  m = momentum m + rate g / √(r + epsilon);  w -= m. centered: r - (running mean of g)² for r. */
typedef struct tn_rms_prop_optimizer_options {
    TN_OPTIONS_HEAD(tn_rms_prop_optimizer_options);
    double learning_rate TN_DEFAULT(TN_NOT_GIVEN), decay TN_DEFAULT(0.9), momentum TN_DEFAULT(0), epsilon TN_DEFAULT(1e-10);
    tn_flag centered TN_DEFAULT(false);
    TN_V1_OPTIMIZER_OPTIONS;
} tn_rms_prop_optimizer_options;
/* a: running mean of g²;  u = g √(d + epsilon) / √(a + epsilon);  d: running mean of u²;  w -= rate u */
typedef struct tn_adadelta_optimizer_options {
    TN_OPTIONS_HEAD(tn_adadelta_optimizer_options);
    double learning_rate TN_DEFAULT(0.001), rho TN_DEFAULT(0.95), epsilon TN_DEFAULT(1e-8);
    TN_V1_OPTIMIZER_OPTIONS;
} tn_adadelta_optimizer_options;
/* Follow the regularized leader: weights that do not earn their l1 penalty become 0. */
typedef struct tn_ftrl_optimizer_options {
    TN_OPTIONS_HEAD(tn_ftrl_optimizer_options);
    double learning_rate TN_DEFAULT(TN_NOT_GIVEN), learning_rate_power TN_DEFAULT(-0.5), initial_accumulator_value TN_DEFAULT(0.1);
    double l1_regularization_strength TN_DEFAULT(0), l2_regularization_strength TN_DEFAULT(0);
    double l2_shrinkage_regularization_strength TN_DEFAULT(0), beta TN_DEFAULT(0);
    TN_V1_OPTIMIZER_OPTIONS;
} tn_ftrl_optimizer_options;
/* TN_INVALID_ARGUMENT when a number that has no default, learning_rate or momentum, is not given. */
TN_API tn_optimizer *tn_gradient_descent_optimizer_new(const tn_gradient_descent_optimizer_options *options);
TN_API tn_optimizer *tn_momentum_optimizer_new(const tn_momentum_optimizer_options *options);
TN_API tn_optimizer *tn_adam_optimizer_new(const tn_adam_optimizer_options *options);
TN_API tn_optimizer *tn_adagrad_optimizer_new(const tn_adagrad_optimizer_options *options);
TN_API tn_optimizer *tn_rms_prop_optimizer_new(const tn_rms_prop_optimizer_options *options);
TN_API tn_optimizer *tn_adadelta_optimizer_new(const tn_adadelta_optimizer_options *options);
TN_API tn_optimizer *tn_ftrl_optimizer_new(const tn_ftrl_optimizer_options *options);

/* --- steps as operations ------------------------------------------------------------------------------------------------
 * They take Keras's optimizers too: those keep their slots in eager variables, which all sessions share. */
/* What optimizer.minimize takes. */
typedef struct tn_minimize_options {
    TN_OPTIONS_HEAD(tn_minimize_options);
    tn_optimizer *optimizer TN_DEFAULT(NULL);
    tn_tensor *loss TN_DEFAULT(NULL);           /* of the graph; of several elements the sum */
    tn_list var_list TN_DEFAULT({});            /* empty: every trainable variable that the graph has, layers' weights included */
    tn_variable *global_step TN_DEFAULT(NULL);  /* counted up by 1, last */
    tn_tensor *grad_loss TN_DEFAULT(NULL);      /* what arrives at the loss; NULL: ones */
    const char *name TN_DEFAULT(NULL);          /* of the operation; NULL: the optimizer's */
} tn_minimize_options;
/* optimizer.minimize(loss): the operation that makes a step, tn_compute_gradients and tn_apply_gradients_operation in one. Run
 * tn_global_variables_initializer() made after it, so that the slots are initialised. TN_FAILED_PRECONDITION with TensorFlow's text
 * in eager mode; TN_INVALID_ARGUMENT when there are no variables, or none that the loss depends on. */
TN_API tn_operation *tn_minimize_new(const tn_minimize_options *options);
/* What optimizer.compute_gradients takes: see above. */
typedef struct tn_compute_gradients_options {
    TN_OPTIONS_HEAD(tn_compute_gradients_options);
    tn_optimizer *optimizer TN_DEFAULT(NULL);
    tn_tensor *loss TN_DEFAULT(NULL);
    tn_list var_list TN_DEFAULT({});
    tn_tensor *grad_loss TN_DEFAULT(NULL);
} tn_compute_gradients_options;
/* One gradient a variable, in the order of var_list (empty: in which the graph got them); NULL items where the loss does not depend on
 * it. Of a Keras optimizer with a loss scale that of the scaled loss, as its step expects. */
TN_API tn_list tn_compute_gradients_new(const tn_compute_gradients_options *options);
/* What optimizer.apply_gradients takes. */
typedef struct tn_apply_gradients_operation_options {
    TN_OPTIONS_HEAD(tn_apply_gradients_operation_options);
    tn_optimizer *optimizer TN_DEFAULT(NULL);
    tn_list gradients TN_DEFAULT({}), variables TN_DEFAULT({}); /* one each; a variable whose gradient is NULL is left out */
    tn_variable *global_step TN_DEFAULT(NULL);
    const char *name TN_DEFAULT(NULL);
} tn_apply_gradients_operation_options;
/* optimizer.apply_gradients: the operation that makes a step with these gradients. */
TN_API tn_operation *tn_apply_gradients_operation_new(const tn_apply_gradients_operation_options *options);
/* Example: TensorFlow 1's way to find a minimum.
 *
 *     tn_must(tn_disable_eager_execution());
 *     tn_variable *w = tn_variable(tn_scalar(5.0), .name = "w");
 *     tn_tensor *loss = tn_square(tn_subtract(w, tn_scalar(2.0)));
 *     tn_operation *train = tn_minimize(tn_gradient_descent_optimizer(0.5), loss);
 *     tn_session *sess = tn_session();
 *     tn_must(tn_run_operation(sess, tn_global_variables_initializer()));
 *     tn_must(tn_run_operation(sess, train));
 *     tn_print(tn_run(sess, w)); // 2.0
 */

#ifndef __cplusplus
#define tn_gradient_descent_optimizer(...) TN_OPTIONS(tn_gradient_descent_optimizer_new, tn_gradient_descent_optimizer_options, \
    (.learning_rate = TN_NOT_GIVEN), __VA_ARGS__)
#define tn_momentum_optimizer(...) TN_OPTIONS(tn_momentum_optimizer_new, tn_momentum_optimizer_options, \
    (.learning_rate = TN_NOT_GIVEN, .momentum = TN_NOT_GIVEN), __VA_ARGS__)
#define tn_adam_optimizer(...) TN_OPTIONS(tn_adam_optimizer_new, tn_adam_optimizer_options, \
    (.learning_rate = 0.001, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8), __VA_ARGS__)
#define tn_adagrad_optimizer(...) TN_OPTIONS(tn_adagrad_optimizer_new, tn_adagrad_optimizer_options, \
    (.learning_rate = TN_NOT_GIVEN, .initial_accumulator_value = 0.1), __VA_ARGS__)
#define tn_rms_prop_optimizer(...) TN_OPTIONS(tn_rms_prop_optimizer_new, tn_rms_prop_optimizer_options, \
    (.learning_rate = TN_NOT_GIVEN, .decay = 0.9, .epsilon = 1e-10), __VA_ARGS__)
#define tn_adadelta_optimizer(...) TN_OPTIONS(tn_adadelta_optimizer_new, tn_adadelta_optimizer_options, \
    (.learning_rate = 0.001, .rho = 0.95, .epsilon = 1e-8), __VA_ARGS__)
#define tn_ftrl_optimizer(...) TN_OPTIONS(tn_ftrl_optimizer_new, tn_ftrl_optimizer_options, \
    (.learning_rate = TN_NOT_GIVEN, .learning_rate_power = -0.5, .initial_accumulator_value = 0.1), __VA_ARGS__)
#define tn_minimize(...) TN_OPTIONS(tn_minimize_new, tn_minimize_options, TN_NO_DEFAULTS, __VA_ARGS__)
#define tn_compute_gradients(...) TN_OPTIONS(tn_compute_gradients_new, tn_compute_gradients_options, TN_NO_DEFAULTS, __VA_ARGS__)
#define tn_apply_gradients_operation(...) TN_OPTIONS(tn_apply_gradients_operation_new, tn_apply_gradients_operation_options, \
    TN_NO_DEFAULTS, __VA_ARGS__)
#endif
TN_END
#endif
