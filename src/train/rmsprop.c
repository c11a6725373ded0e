/* rmsprop.c - RMSprop (Hinton, 2012), as Keras computes it. */
#include "train/optimizer.h"

typedef struct {
    tn_rmsprop_options o;
} rmsprop;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, rmsprop, learning_rate, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, rmsprop, rho, "0.9", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, rmsprop, momentum, "0.0", NULL),
    TN__OPTION(TN_FIELD_FLOAT, rmsprop, epsilon, "1e-07", NULL),
    TN__OPTION(TN_FIELD_FLAG, rmsprop, centered, "false", NULL),
    TN__OPTION(TN_FIELD_FLOAT, rmsprop, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(rmsprop),
    TN__END_OF_FIELDS,
};

static size_t slots_of(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    const tn_rmsprop_options *o = &((const rmsprop *)self)->o;
    size_t count = 0;
    slots[count++] = (tn__slot){ .name = "velocity" };
    if (o->momentum > 0)
        slots[count++] = (tn__slot){ .name = "momentum", .group = 1 };
    if (o->centered)
        slots[count++] = (tn__slot){ .name = "average_gradient", .group = 2 };
    return count;
}

/* a = ρ a + (1 - ρ) x */
static tn__operand average(tn__update *u, tn__operand a, const tn__operand part[2], tn__operand x)
{
    return tn__becomes(u, a, tn__plus(u, tn__times(u, a, part[0]), tn__times(u, x, part[1])));
}

/* v = ρ v + (1 - ρ) g²;  w -= lr g / √(v + ε), centered: v less the square of g's average; momentum
 * gathers the steps */
static void rule(const void *self, tn__update *u)
{
    const tn_rmsprop_options *o = &((const rmsprop *)self)->o;
    tn__operand part[] = { tn__constant_number(u, o->rho), tn__constant_number(u, 1 - o->rho) };
    tn__operand momentum = tn__slot_of(1), mean = tn__slot_of(1 + (o->momentum > 0));
    tn__operand v = average(u, tn__slot_of(0), part, tn__squared(u, TN__G));
    if (o->centered)
        v = tn__minus(u, v, tn__squared(u, average(u, mean, part, TN__G)));
    tn__operand root = tn__root(u, tn__plus(u, v, tn__constant_number(u, o->epsilon)));
    tn__operand move = tn__over(u, tn__times(u, tn__number(u, u->lr), TN__G), root);
    if (o->momentum > 0) {
        tn__operand old = tn__times(u, momentum, tn__constant_number(u, o->momentum));
        move = tn__becomes(u, momentum, tn__plus(u, old, move));
    }
    tn__moves_by(u, move);
}

static const tn__optimizer_methods methods = { .slots = slots_of, .rule = rule };
const tn__object_class tn__optimizer_RMSprop = {
    .kind = TN__OPTIMIZER,
    .name = "RMSprop",
    .aliases = "rmsprop",
    .fields = fields,
    .size = sizeof(rmsprop),
    .options_size = sizeof(tn_rmsprop_options),
    .methods = &methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
};

tn_optimizer *tn_rmsprop_new(const tn_rmsprop_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_RMSprop, options);
}
