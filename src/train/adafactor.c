/* adafactor.c - Adafactor (Shazeer, Stern, 2018), as Keras computes it. */
#include "train/optimizer.h"

typedef struct {
    tn_adafactor_options o;
} adafactor;

/* Only matrices have means of rows and columns; of others Keras keeps a number that nobody uses. */
static bool without_axis(int from_end, const tn_tensor *variable, tn_shape *shape, tn_dtype *dtype)
{
    int rank = variable->shape.rank;
    if (rank < 2) {
        *shape = TN_SCALAR;
        *dtype = TN_INT32;
        return true;
    }
    for (int axis = rank - from_end; axis + 1 < rank; axis++)
        shape->dims[axis] = shape->dims[axis + 1];
    shape->rank--;
    return true;
}

static bool rows_of(const void *self, const tn_tensor *variable, tn_shape *shape, tn_dtype *dtype)
{
    (void)self;
    return without_axis(1, variable, shape, dtype);
}

static bool columns_of(const void *self, const tn_tensor *variable, tn_shape *shape,
                       tn_dtype *dtype)
{
    (void)self;
    return without_axis(2, variable, shape, dtype);
}

static size_t slots_of(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    (void)self;
    slots[0] = (tn__slot){ .fits = rows_of };
    slots[1] = (tn__slot){ .fits = columns_of };
    slots[2] = (tn__slot){ .name = "velocity" };
    return 3;
}

static tn_tensor *rms(tn_tensor *x)
{
    return tn_sqrt(tn_reduce_mean(tn_square(x)));
}

/* a = β a + (1 - β) x */
static tn_tensor *average(tn_variable *a, tn_tensor *beta, tn_tensor *x)
{
    tn_tensor *rest = tn_subtract(tn_ones_like(beta), beta);
    return tn_assign(a, tn_add(tn_multiply(beta, a), tn_multiply(rest, x)));
}

/* The product of the averages r of rows and c of columns: v = (r / mean(r)) c */
static tn_tensor *factored(tn_variable *const *slot, tn_tensor *beta, tn_tensor *square)
{
    tn_tensor *r = average(slot[0], beta, tn_reduce_mean(square, .axis = TN_AXES(-1)));
    tn_tensor *c = average(slot[1], beta, tn_reduce_mean(square, .axis = TN_AXES(-2)));
    tn_tensor *share = tn_divide(r, tn_reduce_mean(r, .axis = TN_AXES(-1), .keepdims = true));
    return tn_assign(slot[2], tn_multiply(tn_expand_dims(share, -1), tn_expand_dims(c, -2)));
}

/* v as above of g² + ε₁;  u = g / √v;  w -= α u / max(1, rms(u) / d), α = max(ε₂, rms(w)) ρ, ρ =
 * min(lr, 1 / √t) */
static void update(const void *self, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                   tn_tensor *lr, tn_tensor *step)
{
    const tn_adafactor_options *o = &((const adafactor *)self)->o;
    tn_tensor *one = tn_ones_like(step), *slowest = tn_divide(one, tn_sqrt(step));
    tn_tensor *rate = tn_minimum(lr, slowest); /* relative_step's limit is the same one */
    tn_tensor *alpha = tn_multiply(tn_maximum(tn_scalar(o->epsilon_2), rms(w)), rate);
    tn_tensor *beta = tn_subtract(one, tn_pow(step, tn_scalar(o->beta_2_decay)));
    tn_tensor *square = tn__gradient_square(g), *more = tn_add(square, tn_scalar(o->epsilon_1));
    tn_tensor *v = w->shape.rank < 2 ? average(slot[2], beta, more) : factored(slot, beta, more);
    tn_tensor *move = tn_divide(g, tn_sqrt(v)),
              *length = tn_sqrt(tn_reduce_mean(tn_divide(square, v)));
    tn_tensor *excess = tn_divide(length, tn_scalar(o->clip_threshold));
    tn_assign_sub(w, tn_multiply(alpha, tn_divide(move, tn_maximum(one, excess))));
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, adafactor, learning_rate, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, adafactor, beta_2_decay, "-0.8", NULL),
    TN__OPTION(TN_FIELD_FLOAT, adafactor, epsilon_1, "1e-30", NULL),
    TN__OPTION(TN_FIELD_FLOAT, adafactor, epsilon_2, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, adafactor, clip_threshold, "1.0", NULL),
    TN__OPTION(TN_FIELD_FLAG, adafactor, relative_step, "true", NULL),
    TN__OPTION(TN_FIELD_FLOAT, adafactor, weight_decay, "none", NULL),
    TN__OPTIMIZER_ROWS(adafactor),
    TN__END_OF_FIELDS,
};

static const tn__optimizer_methods methods = { .slots = slots_of, .update = update };
const tn__object_class tn__optimizer_Adafactor = {
    .kind = TN__OPTIMIZER,
    .name = "Adafactor",
    .fields = fields,
    .size = sizeof(adafactor),
    .options_size = sizeof(tn_adafactor_options),
    .methods = &methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
};

tn_optimizer *tn_adafactor_new(const tn_adafactor_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_Adafactor, options);
}
