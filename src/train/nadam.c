/* nadam.c - Nadam, Adam with Nesterov momentum (Dozat, 2015), as Keras computes it. */
#include "train/optimizer.h"

typedef struct {
    tn_nadam_options o;
} nadam;

static size_t slots_of(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    (void)self;
    slots[0] = (tn__slot){ .name = "momentum" };
    slots[1] = (tn__slot){ .name = "velocity" };
    return 2;
}

/* 1 - 0.96ᵗ / 2 */
static tn_tensor *rising(tn_tensor *step)
{
    tn_tensor *one = tn_ones_like(step);
    tn_tensor *power = tn_pow(tn_multiply(one, tn_scalar(0.96)), step);
    return tn_subtract(one, tn_multiply(power, tn_scalar(0.5)));
}

/* uₜ = β₁ (1 - 0.96ᵗ / 2) */
static tn_tensor *share(const tn_nadam_options *o, tn_tensor *step)
{
    return tn_multiply(rising(step), tn_scalar(o->beta_1));
}

static void begin(const void *self, tn_variable *product, tn_tensor *step)
{
    double beta_1 = ((const nadam *)self)->o.beta_1;
    tn_assign(product, tn_multiply(tn_multiply(product, tn_scalar(beta_1)), rising(step)));
}

/* m += (g - m)(1 - β₁);  v += (g² - v)(1 - β₂);  w -= lr m̂ / (√(v / (1 - β₂ᵗ)) + ε), where with Π,
 * the product of u₁ … uₜ,  m̂ = uₜ₊₁ m / (1 - Π uₜ₊₁) + (1 - uₜ) g / (1 - Π) */
static void rule(const void *self, tn__update *u)
{
    const tn_nadam_options *o = &((const nadam *)self)->o;
    tn_tensor *one = tn__like(u->step, 1);
    tn_tensor *product = tn_cast(u->own, u->step ? (tn_dtype)u->step->dtype : TN_FLOAT32);
    tn_tensor *now = share(o, u->step), *next = share(o, tn_add(u->step, one));
    tn_tensor *of_m = tn_divide(next, tn_subtract(one, tn_multiply(product, next)));
    tn_tensor *of_g = tn_divide(tn_subtract(one, now), tn_subtract(one, product));
    tn_tensor *beta_2 = tn__like(u->step, o->beta_2);
    tn_tensor *rest_1 = tn_subtract(one, tn__like(u->step, o->beta_1));
    tn_tensor *left = tn_subtract(one, tn_pow(beta_2, u->step));
    tn__operand m = tn__goes_to(u, tn__slot_of(0), TN__G, tn__number(u, rest_1));
    tn__operand square = tn__squared(u, TN__G), rest_2 = tn__number(u, tn_subtract(one, beta_2));
    tn__operand v = tn__goes_to(u, tn__slot_of(1), square, rest_2);
    tn__operand mean =
        tn__plus(u, tn__times(u, m, tn__number(u, of_m)), tn__times(u, TN__G, tn__number(u, of_g)));
    mean = tn__times(u, mean, tn__number(u, u->lr));
    tn__operand spread = tn__root(u, tn__over(u, v, tn__number(u, left)));
    tn__moves_by(u, tn__over(u, mean, tn__plus(u, spread, tn__constant_number(u, o->epsilon))));
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, nadam, learning_rate, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, nadam, beta_1, "0.9", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, nadam, beta_2, "0.999", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, nadam, epsilon, "1e-07", NULL),
    TN__OPTION(TN_FIELD_FLOAT, nadam, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(nadam),
    TN__END_OF_FIELDS,
};

static const tn__optimizer_methods methods = { .slots = slots_of, .rule = rule, .begin = begin };
const tn__object_class tn__optimizer_Nadam = {
    .kind = TN__OPTIMIZER,
    .name = "Nadam",
    .fields = fields,
    .size = sizeof(nadam),
    .options_size = sizeof(tn_nadam_options),
    .methods = &methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
};

tn_optimizer *tn_nadam_new(const tn_nadam_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_Nadam, options);
}
