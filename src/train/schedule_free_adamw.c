/* schedule_free_adamw.c - AdamW without a schedule (Defazio et al., 2024), as Keras computes it. */
#include "train/optimizer.h"

typedef struct {
    tn_schedule_free_adamw_options o;
} schedule_free_adamw;

static size_t slots_of(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    (void)self;
    slots[0] = (tn__slot){ .name = "momentum", .copy = true };
    slots[1] = (tn__slot){ .name = "velocity" };
    return 2;
}

/* The rate grows evenly over the first steps. */
static tn_tensor *warmed(const tn_schedule_free_adamw_options *o, tn_tensor *lr, tn_tensor *step)
{
    if (o->warmup_steps <= 0)
        return lr;
    tn_tensor *part = tn_divide(step, tn_scalar((double)o->warmup_steps));
    return tn_multiply(lr, tn_minimum(part, tn_ones_like(part)));
}

/* (1 - t) a + t b */
static tn_tensor *between(tn_tensor *a, tn_tensor *b, tn_tensor *t)
{
    return tn_add(tn_multiply(tn_subtract(tn_ones_like(t), t), a), tn_multiply(t, b));
}

/* v += (g² - v)(1 - β₂);  z -= lr g / (√(v / (1 - β₂ᵗ)) + ε). The weights stand between z, where
 * the steps are made, and x, the mean of all z: x = (w - (1 - β₁) z) / β₁;  x += (z - x) / t; w =
 * (1 - β₁) z + β₁ x. The paper takes x from the z before the step; Keras over TensorFlow reads its
 * variable only after it. */
static void update(const void *self, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                   tn_tensor *lr, tn_tensor *step)
{
    const tn_schedule_free_adamw_options *o = &((const schedule_free_adamw *)self)->o;
    tn_tensor *one = tn_ones_like(step);
    tn_tensor *beta_1 = tn_multiply(one, tn_scalar(o->beta_1)),
              *beta_2 = tn_multiply(one, tn_scalar(o->beta_2));
    tn_tensor *power = tn_pow(beta_2, step);
    tn_tensor *v = tn_assign_add(slot[1], tn_multiply(tn_subtract(tn__gradient_square(g), slot[1]),
                                                      tn_subtract(one, beta_2)));
    tn_tensor *spread =
        tn_add(tn_sqrt(tn_divide(v, tn_subtract(one, power))), tn_scalar(o->epsilon));
    tn_tensor *rate = warmed(o, lr, step);
    tn_tensor *z = tn_assign_sub(slot[0], tn_divide(tn_multiply(rate, g), spread));
    tn_tensor *x = tn_divide(tn_subtract(w, tn_multiply(z, tn_subtract(one, beta_1))), beta_1);
    tn_tensor *mean = between(x, z, tn_divide(one, step));
    tn_assign(w, between(z, mean, beta_1));
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, schedule_free_adamw, learning_rate, "0.0025", NULL),
    TN__OPTION(TN_FIELD_FLOAT, schedule_free_adamw, beta_1, "0.9", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, schedule_free_adamw, beta_2, "0.999", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, schedule_free_adamw, epsilon, "1e-08", NULL),
    TN__OPTION(TN_FIELD_INT, schedule_free_adamw, warmup_steps, "0", ">= 0"),
    TN__OPTION(TN_FIELD_FLOAT, schedule_free_adamw, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(schedule_free_adamw),
    TN__END_OF_FIELDS,
};

static const tn__optimizer_methods methods = { .slots = slots_of, .update = update };
const tn__object_class tn__optimizer_ScheduleFreeAdamW = {
    .kind = TN__OPTIMIZER,
    .name = "ScheduleFreeAdamW",
    .aliases = "schedule_free_adamw|schedulefreeadamw",
    .fields = fields,
    .size = sizeof(schedule_free_adamw),
    .options_size = sizeof(tn_schedule_free_adamw_options),
    .methods = &methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
    .keras2_name = "",
};

tn_optimizer *tn_schedule_free_adamw_new(const tn_schedule_free_adamw_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_ScheduleFreeAdamW, options);
}
