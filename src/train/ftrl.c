/* ftrl.c - FTRL (McMahan et al., 2013), as Keras computes it. */
#include "train/optimizer.h"

typedef struct {
    tn_ftrl_options o;
} ftrl;

static size_t slots_of(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    double first = ((const ftrl *)self)->o.initial_accumulator_value;
    slots[0] = (tn__slot){ .name = "accumulator", .first = first };
    slots[1] = (tn__slot){ .name = "linear" };
    return 2;
}

static tn_tensor *raised(tn_tensor *n, const tn_ftrl_options *o)
{
    return tn_pow(n, tn_scalar(-o->learning_rate_power));
}

/* n' = n + g²;  z += g + 2 λ w - (n'^-p - n^-p) w / lr;  w = (clip(z, ±λ₁) - z) / (n'^-p / lr + 2
 * (λ₂ + β / 2 lr)), with λ the shrinkage and p the power */
static void update(const void *self, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                   tn_tensor *lr, tn_tensor *step)
{
    const tn_ftrl_options *o = &((const ftrl *)self)->o;
    (void)step;
    tn_tensor *n = tn_add(slot[0], tn__gradient_square(g));
    tn_tensor *power = raised(n, o), *before = raised(slot[0], o);
    tn_tensor *pull =
        tn_add(g, tn_multiply(w, tn_scalar(2 * o->l2_shrinkage_regularization_strength)));
    tn_tensor *change = tn_multiply(tn_divide(tn_subtract(power, before), lr), w);
    tn_tensor *z = tn_assign_add(slot[1], tn_subtract(pull, change));
    tn_tensor *l2 = tn_add(tn_divide(tn_scalar(o->beta), tn_multiply(lr, tn_scalar(2.0))),
                           tn_scalar(o->l2_regularization_strength));
    tn_tensor *quadratic = tn_add(tn_divide(power, lr), tn_multiply(l2, tn_scalar(2.0)));
    tn_tensor *clipped = tn_minimum(tn_maximum(z, tn_scalar(-o->l1_regularization_strength)),
                                    tn_scalar(o->l1_regularization_strength));
    tn_assign(w, tn_divide(tn_subtract(clipped, z), quadratic));
    tn_assign(slot[0], n);
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, ftrl, learning_rate, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, ftrl, learning_rate_power, "-0.5", NULL),
    TN__OPTION(TN_FIELD_FLOAT, ftrl, initial_accumulator_value, "0.1", ">= 0"),
    TN__OPTION(TN_FIELD_FLOAT, ftrl, l1_regularization_strength, "0.0", ">= 0"),
    TN__OPTION(TN_FIELD_FLOAT, ftrl, l2_regularization_strength, "0.0", ">= 0"),
    TN__OPTION(TN_FIELD_FLOAT, ftrl, l2_shrinkage_regularization_strength, "0.0", ">= 0"),
    TN__OPTION(TN_FIELD_FLOAT, ftrl, beta, "0.0", NULL),
    TN__OPTION(TN_FIELD_FLOAT, ftrl, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(ftrl),
    TN__END_OF_FIELDS,
};

static const tn__optimizer_methods methods = { .slots = slots_of, .update = update };
const tn__object_class tn__optimizer_Ftrl = {
    .kind = TN__OPTIMIZER,
    .name = "Ftrl",
    .fields = fields,
    .size = sizeof(ftrl),
    .options_size = sizeof(tn_ftrl_options),
    .methods = &methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
};

tn_optimizer *tn_ftrl_new(const tn_ftrl_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_Ftrl, options);
}
