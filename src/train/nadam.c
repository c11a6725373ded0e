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
static void update(const void *self, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                   tn_tensor *lr, tn_tensor *step)
{
    const tn_nadam_options *o = &((const nadam *)self)->o;
    tn_tensor *one = tn_ones_like(step);
    tn_tensor *beta_1 = tn_multiply(one, tn_scalar(o->beta_1)),
              *beta_2 = tn_multiply(one, tn_scalar(o->beta_2));
    tn_tensor *product = tn_cast(slot[2], (tn_dtype)w->dtype);
    tn_tensor *u = share(o, step), *next = share(o, tn_add(step, one));
    tn_tensor *power = tn_pow(beta_2, step);
    tn_tensor *m =
        tn_assign_add(slot[0], tn_multiply(tn_subtract(g, slot[0]), tn_subtract(one, beta_1)));
    tn_tensor *v = tn_assign_add(slot[1], tn_multiply(tn_subtract(tn__gradient_square(g), slot[1]),
                                                      tn_subtract(one, beta_2)));
    tn_tensor *mean =
        tn_add(tn_divide(tn_multiply(next, m), tn_subtract(one, tn_multiply(product, next))),
               tn_divide(tn_multiply(tn_subtract(one, u), g), tn_subtract(one, product)));
    tn_tensor *spread = tn_sqrt(tn_divide(v, tn_subtract(one, power)));
    tn_assign_sub(w, tn_divide(tn_multiply(mean, lr), tn_add(spread, tn_scalar(o->epsilon))));
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

static const tn__optimizer_methods methods = { .slots = slots_of,
                                               .update = update,
                                               .begin = begin };
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
