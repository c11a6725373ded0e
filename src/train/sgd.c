/* sgd.c - gradient descent with momentum. */
#include "train/optimizer.h"

typedef struct {
    tn_sgd_options o;
} sgd;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, sgd, learning_rate, "0.01", NULL),
    TN__OPTION(TN_FIELD_FLOAT, sgd, momentum, "0.0", "0..1"),
    TN__OPTION(TN_FIELD_FLAG, sgd, nesterov, "false", NULL),
    TN__OPTION(TN_FIELD_FLOAT, sgd, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(sgd),
    TN__END_OF_FIELDS,
};

static size_t slots_of(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    slots[0] = (tn__slot){ .name = "momentum" };
    return ((const sgd *)self)->o.momentum != 0;
}

/* w -= lr g, or  m = μ m - lr g;  w += m  (Nesterov: w += μ m - lr g) */
static void rule(const void *self, tn__update *u)
{
    const tn_sgd_options *o = &((const sgd *)self)->o;
    tn__operand move = tn__times(u, TN__G, tn__number(u, u->lr));
    if (o->momentum == 0) {
        tn__moves_by(u, move);
        return;
    }
    tn__operand part = tn__constant_number(u, o->momentum), m = tn__slot_of(0);
    m = tn__becomes(u, m, tn__minus(u, tn__times(u, m, part), move));
    if (o->nesterov)
        m = tn__minus(u, tn__times(u, m, part), move);
    tn__becomes(u, TN__W, tn__plus(u, u->w, m));
}

static const tn__optimizer_methods methods = { .slots = slots_of, .rule = rule };
const tn__object_class tn__optimizer_SGD = {
    .kind = TN__OPTIMIZER,
    .name = "SGD",
    .fields = fields,
    .size = sizeof(sgd),
    .options_size = sizeof(tn_sgd_options),
    .methods = &methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
};

tn_optimizer *tn_sgd_new(const tn_sgd_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_SGD, options);
}
