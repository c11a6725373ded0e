/* adam.c - Adam (Kingma, Ba, 2014) and AdamW (Loshchilov, Hutter, 2017), as Keras computes them. */
#include "train/optimizer.h"

typedef struct {
    tn_adam_options o;
} adam;
typedef struct {
    tn_adamw_options o;
} adamw;

typedef struct {
    double beta_1, beta_2, epsilon;
    bool amsgrad;
} constants;

static size_t slots_of(bool amsgrad, tn__slot slots[TN__MAX_SLOTS])
{
    slots[0] = (tn__slot){ .name = "momentum" };
    slots[1] = (tn__slot){ .name = "velocity" };
    slots[2] = (tn__slot){ .name = "velocity_hat", .group = 1 };
    return amsgrad ? 3 : 2;
}

/* m += (g - m)(1 - β₁);  v += (g² - v)(1 - β₂);  w -= α m / (√v + ε),  α = lr √(1 - β₂ᵗ) / (1 -
 * β₁ᵗ), amsgrad: the largest v so far */
static void rule(const constants *c, tn__update *u)
{
    tn_tensor *one = tn__like(u->step, 1);
    tn_tensor *left_1 = tn_subtract(one, tn_pow(tn__like(u->step, c->beta_1), u->step)),
              *left_2 = tn_subtract(one, tn_pow(tn__like(u->step, c->beta_2), u->step));
    tn__operand rest_1 = tn__constant_number(u, 1 - c->beta_1),
                rest_2 = tn__constant_number(u, 1 - c->beta_2),
                alpha = tn__number(u, tn_divide(tn_multiply(u->lr, tn_sqrt(left_2)), left_1)),
                epsilon = tn__constant_number(u, c->epsilon);
    tn__operand m = tn__goes_to(u, tn__slot_of(0), TN__G, rest_1),
                v = tn__goes_to(u, tn__slot_of(1), tn__squared(u, TN__G), rest_2);
    if (c->amsgrad)
        v = tn__becomes(u, tn__slot_of(2), tn__does(u, TN__DO_MAXIMUM, tn__slot_of(2), v));
    tn__operand under = tn__plus(u, tn__root(u, v), epsilon);
    tn__moves_by(u, tn__over(u, tn__times(u, m, alpha), under));
    u->rule.adam = !c->amsgrad && u->w == TN__W;
}

static size_t adam_slots(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    return slots_of(((const adam *)self)->o.amsgrad, slots);
}

static void adam_rule(const void *self, tn__update *u)
{
    const tn_adam_options *o = &((const adam *)self)->o;
    rule(&(constants){ o->beta_1, o->beta_2, o->epsilon, o->amsgrad }, u);
}

static size_t adamw_slots(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    return slots_of(((const adamw *)self)->o.amsgrad, slots);
}

static void adamw_rule(const void *self, tn__update *u)
{
    const tn_adamw_options *o = &((const adamw *)self)->o;
    rule(&(constants){ o->beta_1, o->beta_2, o->epsilon, o->amsgrad }, u);
}

#define OWN_ROWS(type)                                             \
    TN__OPTION(TN_FIELD_FLOAT, type, beta_1, "0.9", "0..1"),       \
        TN__OPTION(TN_FIELD_FLOAT, type, beta_2, "0.999", "0..1"), \
        TN__OPTION(TN_FIELD_FLOAT, type, epsilon, "1e-07", NULL),  \
        TN__OPTION(TN_FIELD_FLAG, type, amsgrad, "false", NULL)

static const tn_field adam_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, adam, learning_rate, "0.001", NULL),
    OWN_ROWS(adam),
    TN__OPTION(TN_FIELD_FLOAT, adam, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(adam),
    TN__END_OF_FIELDS,
};
static const tn_field adamw_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, adamw, learning_rate, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, adamw, weight_decay, "0.004", NULL),
    OWN_ROWS(adamw),
    TN__OPTIMIZER_ROWS(adamw),
    TN__END_OF_FIELDS,
};

static const tn__optimizer_methods adam_methods = { .slots = adam_slots, .rule = adam_rule };
static const tn__optimizer_methods adamw_methods = { .slots = adamw_slots,
                                                     .rule = adamw_rule,
                                                     .needs_decay = true };
const tn__object_class tn__optimizer_Adam = {
    .kind = TN__OPTIMIZER,
    .name = "Adam",
    .fields = adam_fields,
    .size = sizeof(adam),
    .options_size = sizeof(tn_adam_options),
    .methods = &adam_methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
};
const tn__object_class tn__optimizer_AdamW = {
    .kind = TN__OPTIMIZER,
    .name = "AdamW",
    .aliases = "adamw",
    .fields = adamw_fields,
    .size = sizeof(adamw),
    .options_size = sizeof(tn_adamw_options),
    .methods = &adamw_methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
};

tn_optimizer *tn_adam_new(const tn_adam_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_Adam, options);
}

tn_optimizer *tn_adamw_new(const tn_adamw_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_AdamW, options);
}
