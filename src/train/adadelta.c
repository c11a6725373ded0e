/* adadelta.c - Adadelta (Zeiler, 2012), as Keras computes it. */
#include "train/optimizer.h"

typedef struct {
    tn_adadelta_options o;
} adadelta;

static size_t slots_of(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    (void)self;
    slots[0] = (tn__slot){ .name = "accumulated_grad" };
    slots[1] = (tn__slot){ .name = "accumulated_delta_var" };
    return 2;
}

/* a = ρ a + (1 - ρ) x */
static tn_tensor *average(tn_variable *a, double rho, tn_tensor *x)
{
    return tn_assign(a, tn_add(tn_multiply(a, tn_scalar(rho)), tn_multiply(x, tn_scalar(1 - rho))));
}

static tn_tensor *root(tn_tensor *x, double epsilon)
{
    return tn_sqrt(tn_add(x, tn_scalar(epsilon)));
}

/* a = ρ a + (1 - ρ) g²;  δ = -√(d + ε) g / √(a + ε);  d = ρ d + (1 - ρ) δ²;  w += lr δ */
static void update(const void *self, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                   tn_tensor *lr, tn_tensor *step)
{
    const tn_adadelta_options *o = &((const adadelta *)self)->o;
    (void)step;
    tn_tensor *before = root(slot[1], o->epsilon), *square = tn__gradient_square(g);
    tn_tensor *a = average(slot[0], o->rho, square), *after = root(a, o->epsilon);
    tn_tensor *delta = tn_negative(tn_divide(tn_multiply(before, g), after));
    average(slot[1], o->rho, tn_multiply(tn_square(tn_divide(before, after)), square));
    tn_assign_add(w, tn_multiply(lr, delta));
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, adadelta, learning_rate, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, adadelta, rho, "0.95", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, adadelta, epsilon, "1e-07", NULL),
    TN__OPTION(TN_FIELD_FLOAT, adadelta, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(adadelta),
    TN__END_OF_FIELDS,
};

static const tn__optimizer_methods methods = { .slots = slots_of, .update = update };
const tn__object_class tn__optimizer_Adadelta = {
    .kind = TN__OPTIMIZER,
    .name = "Adadelta",
    .fields = fields,
    .size = sizeof(adadelta),
    .options_size = sizeof(tn_adadelta_options),
    .methods = &methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
};

tn_optimizer *tn_adadelta_new(const tn_adadelta_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_Adadelta, options);
}
