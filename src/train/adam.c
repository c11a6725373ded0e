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

static tn_tensor *like(tn_tensor *x, double value)
{
    return tn__own(tn__tensor_fill((tn_dtype)x->dtype, &TN_SCALAR, value));
}

static size_t slots_of(bool amsgrad, tn__slot slots[TN__MAX_SLOTS])
{
    slots[0] = (tn__slot){ .name = "momentum" };
    slots[1] = (tn__slot){ .name = "velocity" };
    slots[2] = (tn__slot){ .name = "velocity_hat", .group = 1 };
    return amsgrad ? 3 : 2;
}

/* All of one shape and float32, and a gradient that is no sum of rows. */
static bool can_fuse(const constants *c, const tn_tensor *g, const tn_tensor *w,
                     tn_variable *const *slot, const tn_tensor *alpha)
{
    const tn_tensor *all[] = { g, w, slot[0], slot[1] };
    bool can = !c->amsgrad && !g->slices && alpha->dtype == TN_FLOAT32;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        can &= all[i]->dtype == TN_FLOAT32 && tn__shape_full(&all[i]->shape) &&
               tn__shape_equal(&all[i]->shape, &g->shape);
    return can;
}

/* m += (g - m)(1 - β₁);  v += (g² - v)(1 - β₂);  w -= α m / (√v + ε),  α = lr √(1 - β₂ᵗ) / (1 -
 * β₁ᵗ) */
static void update(const constants *c, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                   tn_tensor *lr, tn_tensor *step)
{
    if (!g || !lr || !step)
        return;
    tn_tensor *one = like(lr, 1);
    tn_tensor *power_1 = tn_pow(like(lr, c->beta_1), step),
              *power_2 = tn_pow(like(lr, c->beta_2), step);
    tn_tensor *alpha =
        tn_divide(tn_multiply(lr, tn_sqrt(tn_subtract(one, power_2))), tn_subtract(one, power_1));
    if (alpha && can_fuse(c, g, w, slot, alpha)) {
        tn__fused_adam(w, slot[0], slot[1], alpha, g, c->beta_1, c->beta_2, c->epsilon);
        return;
    }
    tn_tensor *m =
        tn_assign_add(slot[0], tn_multiply(tn_subtract(g, slot[0]), like(g, 1 - c->beta_1)));
    tn_tensor *v = tn_assign_add(
        slot[1], tn_multiply(tn_subtract(tn__gradient_square(g), slot[1]), like(g, 1 - c->beta_2)));
    if (c->amsgrad)
        v = tn_assign(slot[2], tn_maximum(slot[2], v));
    tn_assign_sub(w, tn_divide(tn_multiply(m, alpha), tn_add(tn_sqrt(v), like(g, c->epsilon))));
}

static size_t adam_slots(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    return slots_of(((const adam *)self)->o.amsgrad, slots);
}

static void adam_update(const void *self, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                        tn_tensor *lr, tn_tensor *step)
{
    const tn_adam_options *o = &((const adam *)self)->o;
    update(&(constants){ o->beta_1, o->beta_2, o->epsilon, o->amsgrad }, g, w, slot, lr, step);
}

static size_t adamw_slots(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    return slots_of(((const adamw *)self)->o.amsgrad, slots);
}

static void adamw_update(const void *self, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                         tn_tensor *lr, tn_tensor *step)
{
    const tn_adamw_options *o = &((const adamw *)self)->o;
    update(&(constants){ o->beta_1, o->beta_2, o->epsilon, o->amsgrad }, g, w, slot, lr, step);
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

static const tn__optimizer_methods adam_methods = { .slots = adam_slots, .update = adam_update };
static const tn__optimizer_methods adamw_methods = { .slots = adamw_slots,
                                                     .update = adamw_update,
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
