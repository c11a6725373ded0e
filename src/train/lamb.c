/* lamb.c - LAMB (You et al., 2019), as Keras computes it. */
#include "train/optimizer.h"

typedef struct {
    tn_lamb_options o;
} lamb;

static size_t slots_of(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    (void)self;
    slots[0] = (tn__slot){ .name = "momentum" };
    slots[1] = (tn__slot){ .name = "velocity" };
    return 2;
}

/* 1 - βᵗ */
static tn_tensor *missing(double beta, tn_tensor *step)
{
    tn_tensor *one = tn_ones_like(step);
    return tn_subtract(one, tn_pow(tn_multiply(one, tn_scalar(beta)), step));
}

static tn_tensor *length(tn_tensor *x)
{
    return tn_sqrt(tn_reduce_sum(tn_square(x)));
}

/* a / b, 1 where either is 0 */
static tn_tensor *ratio(tn_tensor *a, tn_tensor *b)
{
    tn_tensor *zero = tn_zeros_like(a);
    tn_tensor *both = tn_logical_and(tn_greater(a, zero), tn_greater(b, zero));
    return tn_where(both, tn_divide(a, b), tn_ones_like(a));
}

/* m += (g - m)(1 - β₁);  v += (g² - v)(1 - β₂);  u = (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε);
 * w -= lr u ‖w‖ / ‖u‖ */
static void update(const void *self, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                   tn_tensor *lr, tn_tensor *step)
{
    const tn_lamb_options *o = &((const lamb *)self)->o;
    tn_tensor *m =
        tn_assign_add(slot[0], tn_multiply(tn_subtract(g, slot[0]), tn_scalar(1 - o->beta_1)));
    tn_tensor *v = tn_assign_add(slot[1], tn_multiply(tn_subtract(tn__gradient_square(g), slot[1]),
                                                      tn_scalar(1 - o->beta_2)));
    tn_tensor *spread = tn_sqrt(tn_divide(v, missing(o->beta_2, step)));
    tn_tensor *move =
        tn_divide(tn_divide(m, missing(o->beta_1, step)), tn_add(spread, tn_scalar(o->epsilon)));
    tn_assign_sub(w, tn_multiply(tn_multiply(ratio(length(w), length(move)), lr), move));
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, lamb, learning_rate, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, lamb, beta_1, "0.9", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, lamb, beta_2, "0.999", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, lamb, epsilon, "1e-07", NULL),
    TN__OPTION(TN_FIELD_FLOAT, lamb, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(lamb),
    TN__END_OF_FIELDS,
};

static const tn__optimizer_methods methods = { .slots = slots_of, .update = update };
const tn__object_class tn__optimizer_Lamb = {
    .kind = TN__OPTIMIZER,
    .name = "Lamb",
    .fields = fields,
    .size = sizeof(lamb),
    .options_size = sizeof(tn_lamb_options),
    .methods = &methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
    .keras2_name = "",
};

tn_optimizer *tn_lamb_new(const tn_lamb_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_Lamb, options);
}
