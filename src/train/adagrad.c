/* adagrad.c - Adagrad (Duchi et al., 2011), as Keras computes it. */
#include "train/optimizer.h"

typedef struct {
    tn_adagrad_options o;
} adagrad;

static size_t slots_of(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    double first = ((const adagrad *)self)->o.initial_accumulator_value;
    slots[0] = (tn__slot){ .name = "accumulator", .first = first };
    return 1;
}

/* a += g²;  w -= lr g / √(a + ε) */
static void rule(const void *self, tn__update *u)
{
    const tn_adagrad_options *o = &((const adagrad *)self)->o;
    tn__operand a = tn__slot_of(0), lr = tn__number(u, u->lr);
    a = tn__becomes(u, a, tn__plus(u, a, tn__squared(u, TN__G)));
    tn__operand root = tn__root(u, tn__plus(u, a, tn__constant_number(u, o->epsilon)));
    tn__moves_by(u, tn__over(u, tn__times(u, lr, TN__G), root));
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, adagrad, learning_rate, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, adagrad, initial_accumulator_value, "0.1", ">= 0"),
    TN__OPTION(TN_FIELD_FLOAT, adagrad, epsilon, "1e-07", NULL),
    TN__OPTION(TN_FIELD_FLOAT, adagrad, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(adagrad),
    TN__END_OF_FIELDS,
};

static const tn__optimizer_methods methods = { .slots = slots_of, .rule = rule };
const tn__object_class tn__optimizer_Adagrad = {
    .kind = TN__OPTIMIZER,
    .name = "Adagrad",
    .fields = fields,
    .size = sizeof(adagrad),
    .options_size = sizeof(tn_adagrad_options),
    .methods = &methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
};

tn_optimizer *tn_adagrad_new(const tn_adagrad_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_Adagrad, options);
}
