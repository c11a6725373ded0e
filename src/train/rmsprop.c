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
static tn_tensor *average(tn_variable *a, double rho, tn_tensor *x)
{
    return tn_assign(a, tn_add(tn_multiply(a, tn_scalar(rho)), tn_multiply(x, tn_scalar(1 - rho))));
}

/* v = ρ v + (1 - ρ) g²;  w -= lr g / √(v + ε), centered: v less the square of g's average; momentum
 * gathers the steps */
static void update(const void *self, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                   tn_tensor *lr, tn_tensor *step)
{
    const tn_rmsprop_options *o = &((const rmsprop *)self)->o;
    (void)step;
    tn_variable *momentum = o->momentum > 0 ? slot[1] : NULL,
                *mean = o->centered ? slot[1 + (o->momentum > 0)] : NULL;
    tn_tensor *v = average(slot[0], o->rho, tn__gradient_square(g));
    if (mean)
        v = tn_subtract(v, tn_square(average(mean, o->rho, g)));
    tn_tensor *move = tn_divide(tn_multiply(lr, g), tn_sqrt(tn_add(v, tn_scalar(o->epsilon))));
    if (momentum)
        move = tn_assign(momentum, tn_add(tn_multiply(momentum, tn_scalar(o->momentum)), move));
    tn_assign_sub(w, move);
}

static const tn__optimizer_methods methods = { .slots = slots_of, .update = update };
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
