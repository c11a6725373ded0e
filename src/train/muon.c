/* muon.c - Muon (Jordan et al., 2024; Liu et al., 2025), as Keras computes it. */
#include "train/optimizer.h"
#include "core/variable.h"
#include <math.h>
#include <regex.h>
#include <string.h>
#include <strings.h>

typedef struct {
    tn_muon_options o;
} muon;

/* --- whose step a variable takes ---------------------------------------------------------------
 */
static bool has_embedding(const char *path)
{
    for (; *path; path++)
        if (strncasecmp(path, "embedding", strlen("embedding")) == 0)
            return true;
    return false;
}

/* As Python's re.search; what is no regular expression excludes nothing. */
static bool is_excluded(const char *patterns, const char *path)
{
    regex_t regex;
    if (!patterns || regcomp(&regex, patterns, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool found = regexec(&regex, path, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

static bool takes_adam(const tn_muon_options *o, const tn_tensor *variable)
{
    const tn__variable *v = variable->of.variable;
    const char *path = v->path ? v->path : tn__variable_full_name(variable);
    return variable->shape.rank != 2 || (o->exclude_embeddings && has_embedding(path)) ||
           is_excluded(o->exclude_layers, path);
}

static bool is_of_adam(const void *self, const tn_tensor *variable, tn_shape *shape,
                       tn_dtype *dtype)
{
    (void)shape;
    (void)dtype;
    return takes_adam(&((const muon *)self)->o, variable);
}

static double decay(const void *self, const tn_tensor *variable)
{
    const tn_muon_options *o = &((const muon *)self)->o;
    return takes_adam(o, variable) ? o->adam_weight_decay : o->weight_decay;
}

/* --- steps -------------------------------------------------------------------------------------
 */
static size_t slots_of(const void *self, tn__slot slots[TN__MAX_SLOTS])
{
    (void)self;
    slots[0] = (tn__slot){ .name = "momentum" };
    slots[1] = (tn__slot){ .name = "velocity", .fits = is_of_adam };
    return 2;
}

/* 1 - βᵗ */
static tn_tensor *missing(double beta, tn_tensor *step)
{
    tn_tensor *one = tn_ones_like(step);
    return tn_subtract(one, tn_pow(tn_multiply(one, tn_scalar(beta)), step));
}

static void adam_step(const tn_muon_options *o, tn_tensor *g, tn_variable *w,
                      tn_variable *const *slot, tn_tensor *lr, tn_tensor *step)
{
    tn_tensor *rate = tn_multiply(lr, tn_scalar(o->adam_lr_ratio));
    tn_tensor *alpha = tn_divide(tn_multiply(rate, tn_sqrt(missing(o->adam_beta_2, step))),
                                 missing(o->adam_beta_1, step));
    tn_tensor *m =
        tn_assign_add(slot[0], tn_multiply(tn_subtract(g, slot[0]), tn_scalar(1 - o->adam_beta_1)));
    tn_tensor *v = tn_assign_add(slot[1], tn_multiply(tn_subtract(tn__gradient_square(g), slot[1]),
                                                      tn_scalar(1 - o->adam_beta_2)));
    tn_assign_sub(w, tn_divide(tn_multiply(m, alpha), tn_add(tn_sqrt(v), tn_scalar(o->epsilon))));
}

/* Newton and Schulz: x of norm 1, then some times x = a x + (b A + c A²) x, A = x xᵀ */
static tn_tensor *orthogonal(const tn_muon_options *o, tn_tensor *x)
{
    bool tall = x && x->shape.dims[0] > x->shape.dims[1];
    x = tall ? tn_transpose(x, TN_AXES(1, 0)) : x;
    tn_tensor *norm = tn_sqrt(tn_reduce_sum(tn_square(x)));
    x = tn_divide(x, tn_add(norm, tn_scalar(1e-7)));
    for (int64_t i = 0; i < o->ns_steps; i++) {
        tn_tensor *a = tn_matmul(x, x, .transpose_b = true);
        tn_tensor *b = tn_add(tn_multiply(a, tn_scalar(o->muon_b)),
                              tn_matmul(tn_multiply(a, tn_scalar(o->muon_c)), a));
        x = tn_add(tn_multiply(x, tn_scalar(o->muon_a)), tn_matmul(b, x));
    }
    return tall ? tn_transpose(x, TN_AXES(1, 0)) : x;
}

/* Of matrices: m = μ m + g, and w goes along the nearest orthogonal matrix to m (Nesterov: g + μ
 * m), by lr √max(n, k) rms_rate. Of all others Adam's step. */
static void update(const void *self, tn_tensor *g, tn_variable *w, tn_variable *const *slot,
                   tn_tensor *lr, tn_tensor *step)
{
    const tn_muon_options *o = &((const muon *)self)->o;
    if (slot[1]) {
        adam_step(o, g, w, slot, lr, step);
        return;
    }
    tn_tensor *m =
        tn_assign_add(slot[0], tn_add(g, tn_multiply(slot[0], tn_scalar(o->momentum - 1))));
    tn_tensor *along = o->nesterov ? tn_add(g, tn_multiply(m, tn_scalar(o->momentum))) : m;
    tn_tensor *move = tn_multiply(lr, orthogonal(o, along));
    double longest = fmax((double)w->shape.dims[0], (double)w->shape.dims[1]);
    if (!isnan(o->rms_rate))
        move = tn_multiply(tn_multiply(move, tn_scalar(sqrt(longest))), tn_scalar(o->rms_rate));
    tn_assign_sub(w, move);
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, muon, learning_rate, "0.001", NULL),
    TN__OPTION(TN_FIELD_FLOAT, muon, adam_beta_1, "0.9", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, muon, adam_beta_2, "0.999", "0..1"),
    TN__OPTION(TN_FIELD_FLOAT, muon, adam_weight_decay, "0.004", NULL),
    TN__OPTION(TN_FIELD_FLOAT, muon, epsilon, "1e-07", NULL),
    TN__OPTION(TN_FIELD_FLOAT, muon, weight_decay, "0.004", NULL),
    TN__OPTIMIZER_ROWS(muon),
    TN__OPTION(TN_FIELD_TEXTS, muon, exclude_layers, "none", NULL),
    TN__OPTION(TN_FIELD_FLAG, muon, exclude_embeddings, "true", NULL),
    TN__OPTION(TN_FIELD_FLOAT, muon, muon_a, "3.4445", NULL),
    TN__OPTION(TN_FIELD_FLOAT, muon, muon_b, "-4.775", NULL),
    TN__OPTION(TN_FIELD_FLOAT, muon, muon_c, "2.0315", NULL),
    TN__OPTION(TN_FIELD_FLOAT, muon, adam_lr_ratio, "1.0", NULL),
    TN__OPTION(TN_FIELD_FLOAT, muon, momentum, "0.95", NULL),
    TN__OPTION(TN_FIELD_INT, muon, ns_steps, "5", ">= 0"),
    TN__OPTION(TN_FIELD_FLAG, muon, nesterov, "true", NULL),
    TN__OPTION(TN_FIELD_FLOAT, muon, rms_rate, "0.2", NULL),
    TN__END_OF_FIELDS,
};

static const tn__optimizer_methods methods = { .slots = slots_of,
                                               .update = update,
                                               .decay = decay };
const tn__object_class tn__optimizer_Muon = {
    .kind = TN__OPTIMIZER,
    .name = "Muon",
    .fields = fields,
    .size = sizeof(muon),
    .options_size = sizeof(tn_muon_options),
    .methods = &methods,
    .newer_fields = TN__OPTIMIZER_NEWER_FIELDS,
    .keras2_name = "",
};

tn_optimizer *tn_muon_new(const tn_muon_options *options)
{
    return tn__optimizer_from_options(&tn__optimizer_Muon, options);
}
