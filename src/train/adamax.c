/* adamax.c - Adamax (Kingma, Ba, 2014), as Keras computes it. */
#include "train/optimizer.h"

typedef struct {
    tn_adamax_options o;
} adamax;

static size_t slots_of(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    (void)self;
    slots[0] = (tn__slot){ .name = "momentum" };
    slots[1] = (tn__slot){ .name = "norm" };
    return 2;
}

/* m += (g - m)(1 - β₁);  u = max(β₂ u, |g|);  w -= lr m / ((1 - β₁ᵗ)(u + ε)) */
static void update(const void *self, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                   tn_tensor *lr, tn_tensor *step)
{
    const tn_adamax_options *o = &((const adamax *)self)->o;
    tn_tensor *power = tn_pow(tn_multiply(tn_ones_like(step), tn_scalar(o->beta_1)), step);
    tn_tensor *m =
        tn_assign_add(slot[0], tn_multiply(tn_subtract(g, slot[0]), tn_scalar(1 - o->beta_1)));
    tn_tensor *u =
        tn_assign(slot[1], tn_maximum(tn_multiply(slot[1], tn_scalar(o->beta_2)), tn__gradient_abs(g)));
    tn_tensor *left = tn_subtract(tn_ones_like(step), power);
    tn_assign_sub(
        w, tn_divide(tn_multiply(lr, m), tn_multiply(left, tn_add(u, tn_scalar(o->epsilon)))));
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, adamax, learning_rate, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, adamax, beta_1, "0.9", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, adamax, beta_2, "0.999", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, adamax, epsilon, "1e-07", NULL),
    TN__OPTION(TN_FIELD_FLOAT, adamax, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(adamax),
    TN__END_OF_FIELDS,
};

static const tn__optimizer_methods methods = { .slots = slots_of, .update = update };
const tn__object_class tn__optimizer_Adamax = {
    .kind = TN__OPTIMIZER,
    .name = "Adamax",
    .fields = fields,
    .size = sizeof(adamax),
    .options_size = sizeof(tn_adamax_options),
    .methods = &methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
};

tn_optimizer *tn_adamax_new(const tn_adamax_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_Adamax, options);
}
