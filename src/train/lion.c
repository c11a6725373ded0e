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
static tn__operand between(tn__update *u, double beta)
{
    tn_tensor *part = tn__like(u->lr, beta);
    tn_tensor *rest = tn_subtract(tn__like(u->lr, 1), part);
    tn__operand old = tn__times(u, tn__slot_of(0), tn__number(u, part));
    return tn__plus(u, old, tn__times(u, TN__G, tn__number(u, rest)));
}

/* w -= lr sign(β₁ m + (1 - β₁) g);  m = β₂ m + (1 - β₂) g */
static void rule(const void *self, tn__update *u)
{
    const tn_lion_options *o = &((const lion *)self)->o;
    tn__operand direction = between(u, o->beta_1);
    direction = tn__does(u, TN__DO_SIGN, direction, direction);
    tn__moves_by(u, tn__times(u, tn__number(u, u->lr), direction));
    tn__becomes(u, tn__slot_of(0), between(u, o->beta_2));
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, lion, learning_rate, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, lion, beta_1, "0.9", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, lion, beta_2, "0.99", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, lion, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(lion),
    TN__END_OF_FIELDS,
};

static const tn__optimizer_methods methods = { .slots = slots_of, .rule = rule };
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
