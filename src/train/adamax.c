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
static void rule(const void *self, tn__update *u)
{
    const tn_adamax_options *o = &((const adamax *)self)->o;
    tn_tensor *power = tn_pow(tn__like(u->step, o->beta_1), u->step);
    tn__operand left = tn__number(u, tn_subtract(tn__like(u->step, 1), power));
    tn__operand m = tn__goes_to(u, tn__slot_of(0), TN__G, tn__constant_number(u, 1 - o->beta_1));
    tn__operand most = tn__times(u, tn__slot_of(1), tn__constant_number(u, o->beta_2));
    most = tn__does(u, TN__DO_MAXIMUM, most, tn__does(u, TN__DO_ABS, TN__G, TN__G));
    tn__becomes(u, tn__slot_of(1), most);
    tn__operand under = tn__times(u, left, tn__plus(u, most, tn__constant_number(u, o->epsilon)));
    tn__moves_by(u, tn__over(u, tn__times(u, tn__number(u, u->lr), m), under));
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

static const tn__optimizer_methods methods = { .slots = slots_of, .rule = rule };
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
