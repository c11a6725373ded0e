/* v1_optimizers.c - the update rules of tf.compat.v1.train, as TensorFlow's kernels compute them.
 */
#include "train/v1_optimizer.h"

/* Where a gradient is of rows, as that of gathered ones, the other rows stay as they are. */
static tn_tensor *set(const tn__v1_step *s, tn_variable *variable, tn_tensor *value)
{
    return tn_assign(variable,
                     s->touched ? tn_where(s->touched, value, tn_read_value(variable)) : value);
}

static tn_tensor *times(tn_tensor *x, double factor)
{
    return tn_multiply(x, tn_scalar(factor));
}

/* mean + (1 - decay) (x - mean) */
static tn_tensor *moved(tn_tensor *mean, double decay, tn_tensor *x)
{
    return tn_add(mean, times(tn_subtract(x, mean), 1 - decay));
}

static tn_tensor *root(tn_tensor *x, double epsilon)
{
    return tn_sqrt(tn_add(x, tn_scalar(epsilon)));
}

static void step_back(const tn__v1_step *s, tn_tensor *by)
{
    set(s, s->variable, tn_subtract(s->variable, by));
}

/* What stands in every table, and what makes an object of it. */
#define LEARNING_RATE(type, fallback) TN__ROW(TN_FIELD_FLOAT, type, learning_rate, fallback, NULL)
#define COMMON(type)                                    \
    TN__ROW(TN_FIELD_STRING, type, name, "none", NULL), \
        TN__ROW(TN_FIELD_TENSOR, type, learning_rate_tensor, NULL, NULL), TN__END_OF_FIELDS
#define V1_OPTIMIZER(class_, function, type, ...)                               \
    static const tn__v1_methods class_##_methods = { __VA_ARGS__ };             \
    const tn__object_class tn__v1_optimizer_##class_ = {                        \
        .kind = TN__V1_OPTIMIZER,                                               \
        .name = #class_,                                                        \
        .fields = class_##_fields,                                              \
        .size = sizeof(type),                                                   \
        .options_size = sizeof(type),                                           \
        .methods = &class_##_methods,                                           \
    };                                                                          \
    tn_optimizer *function(const type *options)                                 \
    {                                                                           \
        return tn__optimizer_from_options(&tn__v1_optimizer_##class_, options); \
    }

/* --- GradientDescent -------------------------------------------------------------------------- */
static void descend(const tn__v1_step *s)
{
    tn_assign_sub(s->variable, tn_multiply(s->gradient, s->rate));
}

static const tn_field GradientDescent_fields[] = {
    LEARNING_RATE(tn_gradient_descent_optimizer_options, "none"),
    COMMON(tn_gradient_descent_optimizer_options),
};
V1_OPTIMIZER(GradientDescent, tn_gradient_descent_optimizer_new,
             tn_gradient_descent_optimizer_options, .update = descend)

/* --- Momentum --------------------------------------------------------------------------------- */
static size_t one_zero(const void *self, double *first)
{
    (void)self;
    first[0] = 0;
    return 1;
}

static void roll(const tn__v1_step *s)
{
    const tn_momentum_optimizer_options *o = s->self;
    tn_tensor *a = set(s, s->slot[0], tn_add(times(s->slot[0], o->momentum), s->gradient));
    tn_tensor *by = o->use_nesterov ? tn_add(s->gradient, times(a, o->momentum)) : a;
    step_back(s, tn_multiply(by, s->rate));
}

static const tn_field Momentum_fields[] = {
    LEARNING_RATE(tn_momentum_optimizer_options, "none"),
    TN__ROW(TN_FIELD_FLOAT, tn_momentum_optimizer_options, momentum, "none", NULL),
    TN__ROW(TN_FIELD_FLAG, tn_momentum_optimizer_options, use_nesterov, "false", NULL),
    COMMON(tn_momentum_optimizer_options),
};
V1_OPTIMIZER(Momentum, tn_momentum_optimizer_new, tn_momentum_optimizer_options, .slots = one_zero,
             .update = roll)

/* --- Adam ------------------------------------------------------------------------------------- */
static size_t two_zeros(const void *self, double *first)
{
    (void)self;
    first[0] = first[1] = 0;
    return 2;
}

static size_t betas(const void *self, double *base)
{
    const tn_adam_optimizer_options *o = self;
    base[0] = o->beta1;
    base[1] = o->beta2;
    return 2;
}

/* All rows move, also where the gradient is of some: their means go on. */
static void adapt(const tn__v1_step *s)
{
    const tn_adam_optimizer_options *o = s->self;
    tn_tensor *one = tn__like(s->variable, 1);
    tn_tensor *rate = tn_divide(tn_multiply(s->rate, tn_sqrt(tn_subtract(one, s->power[1]))),
                                tn_subtract(one, s->power[0]));
    tn_tensor *m = tn_assign(s->slot[0], moved(s->slot[0], o->beta1, s->gradient));
    tn_tensor *v = tn_assign(s->slot[1], moved(s->slot[1], o->beta2, tn_square(s->gradient)));
    tn_assign_sub(s->variable,
                  tn_divide(tn_multiply(m, rate), tn_add(tn_sqrt(v), tn_scalar(o->epsilon))));
}

static const tn_field Adam_fields[] = {
    LEARNING_RATE(tn_adam_optimizer_options, "0.001"),
    TN__ROW(TN_FIELD_FLOAT, tn_adam_optimizer_options, beta1, "0.9", NULL),
    TN__ROW(TN_FIELD_FLOAT, tn_adam_optimizer_options, beta2, "0.999", NULL),
    TN__ROW(TN_FIELD_FLOAT, tn_adam_optimizer_options, epsilon, "1e-08", NULL),
    COMMON(tn_adam_optimizer_options),
};
V1_OPTIMIZER(Adam, tn_adam_optimizer_new, tn_adam_optimizer_options, .slots = two_zeros,
             .powers = betas, .update = adapt)

/* --- Adagrad ---------------------------------------------------------------------------------- */
static size_t first_sum(const void *self, double *first)
{
    first[0] = ((const tn_adagrad_optimizer_options *)self)->initial_accumulator_value;
    return 1;
}

static void shorten(const tn__v1_step *s)
{
    tn_tensor *a = set(s, s->slot[0], tn_add(s->slot[0], tn_square(s->gradient)));
    step_back(s, tn_divide(tn_multiply(s->gradient, s->rate), tn_sqrt(a)));
}

static const tn_field Adagrad_fields[] = {
    LEARNING_RATE(tn_adagrad_optimizer_options, "none"),
    TN__ROW(TN_FIELD_FLOAT, tn_adagrad_optimizer_options, initial_accumulator_value, "0.1", "> 0"),
    COMMON(tn_adagrad_optimizer_options),
};
V1_OPTIMIZER(Adagrad, tn_adagrad_optimizer_new, tn_adagrad_optimizer_options, .slots = first_sum,
             .update = shorten)

/* --- RMSProp: the slots are the mean of squares, that of gradients when centered, the momentum ---
 */
static size_t means(const void *self, double *first)
{
    const tn_rms_prop_optimizer_options *o = self;
    size_t count = 0;
    first[count++] = 1;
    if (o->centered)
        first[count++] = 0;
    first[count++] = 0;
    return count;
}

static void scale(const tn__v1_step *s)
{
    const tn_rms_prop_optimizer_options *o = s->self;
    tn_variable *momentum = s->slot[o->centered ? 2 : 1];
    tn_tensor *r = set(s, s->slot[0], moved(s->slot[0], o->decay, tn_square(s->gradient)));
    if (o->centered)
        r = tn_subtract(r, tn_square(set(s, s->slot[1], moved(s->slot[1], o->decay, s->gradient))));
    tn_tensor *by = tn_divide(tn_multiply(s->gradient, s->rate), root(r, o->epsilon));
    step_back(s, set(s, momentum, tn_add(times(momentum, o->momentum), by)));
}

static const tn_field RMSProp_fields[] = {
    LEARNING_RATE(tn_rms_prop_optimizer_options, "none"),
    TN__ROW(TN_FIELD_FLOAT, tn_rms_prop_optimizer_options, decay, "0.9", NULL),
    TN__ROW(TN_FIELD_FLOAT, tn_rms_prop_optimizer_options, momentum, "0.0", NULL),
    TN__ROW(TN_FIELD_FLOAT, tn_rms_prop_optimizer_options, epsilon, "1e-10", NULL),
    TN__ROW(TN_FIELD_FLAG, tn_rms_prop_optimizer_options, centered, "false", NULL),
    COMMON(tn_rms_prop_optimizer_options),
};
V1_OPTIMIZER(RMSProp, tn_rms_prop_optimizer_new, tn_rms_prop_optimizer_options, .slots = means,
             .update = scale)

/* --- Adadelta --------------------------------------------------------------------------------- */
static void compare_with_past(const tn__v1_step *s)
{
    const tn_adadelta_optimizer_options *o = s->self;
    tn_tensor *a = set(s, s->slot[0], moved(s->slot[0], o->rho, tn_square(s->gradient)));
    tn_tensor *ratio = tn_divide(root(s->slot[1], o->epsilon), root(a, o->epsilon));
    tn_tensor *u = tn_multiply(ratio, s->gradient);
    set(s, s->slot[1], moved(s->slot[1], o->rho, tn_square(u)));
    step_back(s, tn_multiply(u, s->rate));
}

static const tn_field Adadelta_fields[] = {
    LEARNING_RATE(tn_adadelta_optimizer_options, "0.001"),
    TN__ROW(TN_FIELD_FLOAT, tn_adadelta_optimizer_options, rho, "0.95", NULL),
    TN__ROW(TN_FIELD_FLOAT, tn_adadelta_optimizer_options, epsilon, "1e-08", NULL),
    COMMON(tn_adadelta_optimizer_options),
};
V1_OPTIMIZER(Adadelta, tn_adadelta_optimizer_new, tn_adadelta_optimizer_options, .slots = two_zeros,
             .update = compare_with_past)

/* --- Ftrl ------------------------------------------------------------------------------------- */
static size_t sum_and_linear(const void *self, double *first)
{
    first[0] = ((const tn_ftrl_optimizer_options *)self)->initial_accumulator_value;
    first[1] = 0;
    return 2;
}

/* n' = n + g²;  z += g + 2 λ w - (n'^-p - n^-p) w / rate;  w = (clip(z, ±l1) - z) /
 * (n'^-p / rate + 2 (l2 + beta / (2 rate))), with λ the shrinkage and p the power */
static void follow(const tn__v1_step *s)
{
    const tn_ftrl_optimizer_options *o = s->self;
    tn_tensor *power = tn_scalar(-o->learning_rate_power),
              *l1 = tn_scalar(o->l1_regularization_strength);
    tn_tensor *before = tn_pow(s->slot[0], power);
    tn_tensor *now = tn_pow(set(s, s->slot[0], tn_add(s->slot[0], tn_square(s->gradient))), power);
    tn_tensor *pull =
        tn_add(s->gradient, times(s->variable, 2 * o->l2_shrinkage_regularization_strength));
    tn_tensor *change = tn_multiply(tn_divide(tn_subtract(now, before), s->rate), s->variable);
    tn_tensor *z = set(s, s->slot[1], tn_add(s->slot[1], tn_subtract(pull, change)));
    tn_tensor *clipped = tn_minimum(tn_maximum(z, tn_negative(l1)), l1);
    tn_tensor *over = tn_add(tn_divide(tn_add(now, tn_scalar(o->beta)), s->rate),
                             tn_scalar(2 * o->l2_regularization_strength));
    set(s, s->variable, tn_divide(tn_subtract(clipped, z), over));
}

static const tn_field Ftrl_fields[] = {
    LEARNING_RATE(tn_ftrl_optimizer_options, "none"),
    TN__ROW(TN_FIELD_FLOAT, tn_ftrl_optimizer_options, learning_rate_power, "-0.5", NULL),
    TN__ROW(TN_FIELD_FLOAT, tn_ftrl_optimizer_options, initial_accumulator_value, "0.1", ">= 0"),
    TN__ROW(TN_FIELD_FLOAT, tn_ftrl_optimizer_options, l1_regularization_strength, "0.0", ">= 0"),
    TN__ROW(TN_FIELD_FLOAT, tn_ftrl_optimizer_options, l2_regularization_strength, "0.0", ">= 0"),
    TN__ROW(TN_FIELD_FLOAT, tn_ftrl_optimizer_options, l2_shrinkage_regularization_strength, "0.0",
            ">= 0"),
    TN__ROW(TN_FIELD_FLOAT, tn_ftrl_optimizer_options, beta, "0.0", NULL),
    COMMON(tn_ftrl_optimizer_options),
};
V1_OPTIMIZER(Ftrl, tn_ftrl_optimizer_new, tn_ftrl_optimizer_options, .slots = sum_and_linear,
             .update = follow)
