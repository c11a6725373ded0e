/* lion.c - Lion (Chen et al., 2023), as Keras computes it. */
#include "train/optimizer.h"

typedef struct {
    tn_lion_options o;
} lion;

static size_t slots_of(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    (void)self;
    slots[0] = (tn__slot){ .name = "momentum" };
    return 1;
}

/* β m + (1 - β) g */
static tn_tensor *between(tn_tensor *m, tn_tensor *g, double beta)
{
    tn_tensor *part = tn_multiply(tn_ones_like(g), tn_scalar(beta));
    tn_tensor *rest = tn_subtract(tn_ones_like(g), part);
    return tn_add(tn_multiply(m, part), tn_multiply(g, rest));
}

/* w -= lr sign(β₁ m + (1 - β₁) g);  m = β₂ m + (1 - β₂) g */
static void update(const void *self, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                   tn_tensor *lr, tn_tensor *step)
{
    const tn_lion_options *o = &((const lion *)self)->o;
    (void)step;
    tn_tensor *direction = tn_sign(between(slot[0], g, o->beta_1));
    tn_assign_sub(w, tn_multiply(lr, direction));
    tn_assign(slot[0], between(slot[0], g, o->beta_2));
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, lion, learning_rate, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, lion, beta_1, "0.9", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, lion, beta_2, "0.99", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, lion, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(lion),
    TN__END_OF_FIELDS,
};

static const tn__optimizer_methods methods = { .slots = slots_of, .update = update };
const tn__object_class tn__optimizer_Lion = {
    .kind = TN__OPTIMIZER,
    .name = "Lion",
    .fields = fields,
    .size = sizeof(lion),
    .options_size = sizeof(tn_lion_options),
    .methods = &methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
};

tn_optimizer *tn_lion_new(const tn_lion_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_Lion, options);
}
