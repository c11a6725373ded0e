/* apply.c - a step: gradients clipped, weights decayed, updated, averaged and constrained, and the
 * step counted. */
#include "base/log.h"
#include "core/variable.h"
#include "runtime/dispatch.h"
#include "train/loss_scale.h"
#include "train/optimizer.h"
#include <math.h>
#include <string.h>

/* --- gradients -------------------------------------------------------------------------------- */
/* Pairs of gradient and variable, NULL gradients left out. */
typedef struct {
    tn_tensor **gradient, **variable;
    size_t count;
} pairs;

static tn_status pairs_new(size_t count, pairs *p)
{
    *p = (pairs){ tn__scope_alloc((count + 1) * sizeof(tn_tensor *)),
                  tn__scope_alloc((count + 1) * sizeof(tn_tensor *)), 0 };
    return p->gradient && p->variable ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static void add_pair(pairs *p, tn_tensor *gradient, tn_tensor *variable)
{
    p->gradient[p->count] = gradient;
    p->variable[p->count++] = variable;
}

static tn_status warn_missing(tn_list gradients, tn_list variables)
{
    tn__text missing = { 0 };
    for (size_t i = 0; i < gradients.count; i++)
        if (!gradients.item[i])
            tn__text_add(&missing, "%s'%s'", missing.bytes.size ? ", " : "",
                         tn__variable_full_name(variables.item[i]));
    tn__warn("Gradients do not exist for variables [%s] when minimizing the loss. If using "
             "`model.compile()`, did you forget to provide a `loss` "
             "argument?",
             tn__text_get(&missing));
    tn__text_free(&missing);
    return TN_OK;
}

/* No gradient at all: with the first of the variables, and what most often is to blame. */
static tn_status fail_without_gradients(tn_list variables)
{
    return tn__fail(TN_INVALID_ARGUMENT,
                    "No gradients provided for any variable.\nof %zu, the first is '%s', made at "
                    "%s\nthe loss is not computed from them, or was "
                    "before the tape was made: make the tape before calling the model, and ask it "
                    "for the gradient of what comes of that",
                    variables.count, tn__variable_full_name(variables.item[0]),
                    tn__line(variables.item[0]->of.variable->here));
}

/* Looked at before anything is changed. */
static tn_status check_gradient(const tn_tensor *gradient, const tn_tensor *variable, size_t i)
{
    if (!tn__check_tensor(gradient, "apply_gradients: a gradient"))
        return TN_INVALID_ARGUMENT;
    if (gradient->form != TN__TUPLE && tn__shape_fits(&gradient->shape, &variable->shape))
        return TN_OK;
    return tn__fail(
        TN_INVALID_ARGUMENT,
        "apply_gradients: gradient %zu must have the shape of its variable '%s', %s, got %s", i,
        tn__variable_full_name(variable), TN__SHAPE(variable->shape), TN__TENSOR(gradient));
}

static tn_status take_pairs(tn_list gradients, tn_list variables, pairs *p)
{
    TN_TRY(pairs_new(gradients.count, p));
    for (size_t i = 0; i < gradients.count; i++) {
        if (!gradients.item[i])
            continue;
        TN_TRY(check_gradient(gradients.item[i], variables.item[i], i));
        add_pair(p, gradients.item[i], variables.item[i]);
    }
    if (p->count == 0)
        return fail_without_gradients(variables);
    return p->count < gradients.count ? warn_missing(gradients, variables) : TN_OK;
}

static tn_tensor *all_sum(tn_tensor *x)
{
    return tn_reduce_sum(x);
}

/* What an element is multiplied with and then divided by. */
typedef struct {
    tn_tensor *times, *over;
} ratio;

static tn_tensor *times_ratio(tn_tensor *x, const void *self)
{
    const ratio *r = self;
    return tn_divide(tn_multiply(x, r->times), r->over);
}

/* g · norm / max(‖g‖, norm) */
static tn_tensor *clip_by_norm(tn_tensor *g, double norm)
{
    tn_tensor *length = tn_sqrt(all_sum(tn__gradient_square(g)));
    ratio r = { tn__like(g, norm), tn_maximum(length, tn__like(g, norm)) };
    return tn__of_gradient(g, times_ratio, &r);
}

static tn_tensor *clip_by_value(tn_tensor *x, const void *limit)
{
    double most = *(const double *)limit;
    return tn_minimum(tn_maximum(x, tn__like(x, -most)), tn__like(x, most));
}

static void clip_globally(pairs *p, double norm)
{
    tn_tensor *sum = NULL;
    for (size_t i = 0; i < p->count; i++) {
        tn_tensor *square = all_sum(tn__gradient_square(p->gradient[i]));
        sum = sum ? tn_add(sum, square) : square;
    }
    tn_tensor *length = tn_sqrt(sum);
    if (!length)
        return;
    tn_tensor *scale = tn_multiply(tn__like(length, norm),
                                   tn_minimum(tn_divide(tn__like(length, 1), length),
                                              tn__like(length, 1 / norm)));
    for (size_t i = 0; i < p->count; i++)
        p->gradient[i] = tn_multiply(p->gradient[i], scale);
}

static void unscale_gradients(const tn__optimizer_common *c, pairs *p)
{
    for (size_t i = 0; i < p->count && !isnan(c->loss_scale_factor); i++)
        p->gradient[i] =
            tn_divide(p->gradient[i], tn__like(p->gradient[i], c->loss_scale_factor));
}

static void clip_gradients(const tn__optimizer_common *c, pairs *p)
{
    for (size_t i = 0; i < p->count && p->gradient[i]; i++) {
        tn_tensor *g = p->gradient[i];
        if (c->clipnorm > 0)
            p->gradient[i] = clip_by_norm(g, c->clipnorm);
        else if (c->clipvalue > 0)
            p->gradient[i] = tn__of_gradient(g, clip_by_value, &c->clipvalue);
    }
    if (c->global_clipnorm > 0)
        clip_globally(p, c->global_clipnorm);
}

/* --- one step --------------------------------------------------------------------------------- */
static double decay_of(const tn_optimizer *o, const tn_tensor *variable)
{
    return tn__methods_of(o)->decay ? tn__methods_of(o)->decay(o->thing.self, variable)
                                    : o->common->weight_decay;
}

/* v -= v factor rate */
static void decay(const tn_optimizer *o, tn_tensor *v, tn_tensor *rate)
{
    double factor = decay_of(o, v);
    if (!isnan(factor))
        tn_assign(v, tn_subtract(v, tn_multiply(tn_multiply(v, tn__like(v, factor)),
                                                tn_cast(rate, (tn_dtype)v->dtype))));
}

/* Updates done: the iteration, or with accumulated gradients the whole part of its quotient. */
static tn_tensor *updates_done(const tn_optimizer *o)
{
    tn_tensor *iteration = tn_read_value(o->iteration);
    return o->common->accumulate
               ? tn_floordiv(iteration,
                             tn__like(o->iteration, (double)o->common->accumulate))
               : iteration;
}

/* The numbers of the step that is made. */
typedef struct {
    tn_tensor *rate, *next; /* next: iterations + 1 */
} moment;

static tn__update update_of(const tn_optimizer *o, const moment *m, tn_dtype dtype)
{
    return (tn__update){ .rule.slots = (uint8_t)o->slots,
                         .w = TN__W,
                         .lr = tn_cast(m->rate, dtype),
                         .step = tn_cast(m->next, dtype),
                         .own = o->number };
}

static void update_one(const tn_optimizer *o, const moment *m, tn_tensor *gradient,
                       tn_variable *variable)
{
    size_t at = tn__target_index(o, variable);
    tn__update u = update_of(o, m, (tn_dtype)variable->dtype);
    tn_variable *slot[TN__MAX_SLOTS + 1];
    for (size_t s = 0; s < o->slots; s++)
        slot[s] = tn__slot_at(o, at, s);
    slot[o->slots] = o->number;
    gradient = tn__gradient_cast(gradient, (tn_dtype)variable->dtype);
    if (!tn__methods_of(o)->rule) {
        tn__methods_of(o)->update(o->thing.self, gradient, variable, slot, u.lr, u.step);
        return;
    }
    tn__methods_of(o)->rule(o->thing.self, &u);
    tn__update_in_ops(&u, gradient, variable, slot);
}

static void update_each(tn_context *context, const tn_optimizer *o, const pairs *p, const moment *m)
{
    for (size_t i = 0; i < p->count && !tn__failed(context); i++) {
        size_t depth = tn__scope_begin("an update");
        update_one(o, m, p->gradient[i], p->variable[i]);
        tn__scope_end(depth);
    }
}

/* All of one shape and float32, and a gradient that is no sum of rows. */
static bool fits_a_pass(const tn_tensor *gradient, const tn_variable *variable)
{
    return gradient && !gradient->slices && variable->dtype == TN_FLOAT32 &&
           tn__in(TN__FLOATS, (tn_dtype)gradient->dtype) && tn__shape_full(&gradient->shape) &&
           tn__shape_equal(&variable->shape, &gradient->shape);
}

/* Which go into one pass over all of them, each once, and which have ops of their own. */
static tn_status part_pairs(const tn_context *context, const tn_optimizer *o, const pairs *p,
                            pairs *together, pairs *alone)
{
    TN_TRY(pairs_new(p->count, together));
    TN_TRY(pairs_new(p->count, alone));
    bool *taken = tn__scope_alloc(o->target.count);
    if (!taken)
        return TN_RESOURCE_EXHAUSTED;
    memset(taken, 0, o->target.count);
    for (size_t i = 0; i < p->count; i++) {
        size_t at = tn__target_index(o, p->variable[i]);
        bool passes = tn__methods_of(o)->rule && !context->to_write && !taken[at] &&
                      fits_a_pass(p->gradient[i], p->variable[i]);
        taken[at] |= passes;
        add_pair(passes ? together : alone, p->gradient[i], p->variable[i]);
    }
    return TN_OK;
}

/* One op for all of them. */
static void update_in_a_pass(tn_context *context, const tn_optimizer *o, const pairs *p,
                             const moment *m)
{
    tn__update u = update_of(o, m, TN_FLOAT32);
    if (!isnan(o->common->weight_decay)) {
        tn_tensor *part = tn_multiply(u.lr, tn__like(u.lr, o->common->weight_decay));
        u.w = tn__minus(&u, TN__W, tn__times(&u, TN__W, tn__number(&u, part)));
    }
    tn__methods_of(o)->rule(o->thing.self, &u);
    size_t count = u.rule.numbers;
    tn_tensor **inputs = tn__scope_alloc((count + p->count * (o->slots + 2)) * sizeof *inputs);
    if (!inputs)
        return;
    memcpy(inputs, u.number, count * sizeof *inputs);
    for (size_t i = 0; i < p->count; i++) {
        size_t at = tn__target_index(o, p->variable[i]);
        inputs[count++] = p->variable[i];
        for (size_t s = 0; s < o->slots; s++)
            inputs[count++] = tn__slot_at(o, at, s);
        inputs[count++] = tn__gradient_cast(p->gradient[i], TN_FLOAT32);
    }
    if (!tn__failed(context))
        (void)!tn__dispatch(context, &tn__op_FusedUpdate, &u.rule, inputs, count, NULL, 0);
}

static void step_now(tn_context *context, tn_optimizer *o, pairs *p)
{
    pairs together, alone;
    moment m = { .rate = tn__optimizer_rate(o) };
    clip_gradients(o->common, p);
    if (tn__failed(context) || part_pairs(context, o, p, &together, &alone) != TN_OK)
        return;
    for (size_t i = 0; i < alone.count; i++)
        decay(o, alone.variable[i], m.rate);
    m.next = tn_add(updates_done(o), tn__like(o->iteration, 1));
    if (o->number)
        tn__methods_of(o)->begin(o->thing.self, o->number,
                                 tn_cast(m.next, (tn_dtype)o->number->dtype));
    if (together.count)
        update_in_a_pass(context, o, &together, &m);
    update_each(context, o, &alone, &m);
}

/* Everything that an update may change. */
static tn_status changed_by(const tn_optimizer *o, const pairs *p, tn__variables *changed)
{
    for (size_t i = 0; i < p->count; i++) {
        size_t at = tn__target_index(o, p->variable[i]);
        TN_TRY(TN__PUSH(changed, p->variable[i]));
        for (size_t s = 0; s < o->slots; s++)
            if (tn__slot_at(o, at, s))
                TN_TRY(TN__PUSH(changed, tn__slot_at(o, at, s)));
    }
    return o->number ? TN__PUSH(changed, o->number) : TN_OK;
}

/* Gathers gradients; with the last of `accumulate` it makes a step of their mean. Without branches,
 * so that the same ops serve every iteration: what a step changed is put back where none was due.
 */
static void step_when_due(tn_context *context, tn_optimizer *o, pairs *p,
                          const tn__variables *changed)
{
    tn_tensor *count = tn__like(o->iteration, (double)o->common->accumulate),
              *zero = tn__like(o->iteration, 0);
    tn_tensor *due = tn_equal(
        tn_floormod(tn_add(tn_read_value(o->iteration), tn__like(o->iteration, 1)), count),
        zero);
    tn_tensor **before = tn__scope_alloc((changed->count + 1) * sizeof *before);
    for (size_t i = 0; i < changed->count && before; i++)
        before[i] = tn_read_value(changed->item[i]);
    for (size_t i = 0; i < p->count; i++) {
        tn_tensor *gathered =
            o->slot.item[*tn__place_of_accumulated(o, tn__target_index(o, p->variable[i]))];
        tn_tensor *sum = tn_add(p->gradient[i], gathered);
        p->gradient[i] = tn_divide(sum, tn_cast(count, (tn_dtype)p->variable[i]->dtype));
        tn_assign(gathered, tn_where(due, tn_zeros_like(sum), sum));
    }
    step_now(context, o, p);
    for (size_t i = 0; i < changed->count && before; i++)
        tn_assign(changed->item[i], tn_where(due, tn_read_value(changed->item[i]), before[i]));
}

static tn_status make_step(tn_context *context, tn_optimizer *o, pairs *p)
{
    if (!o->common->accumulate) {
        step_now(context, o, p);
        return context->error.status;
    }
    tn__variables changed = { 0 };
    tn_status status = changed_by(o, p, &changed);
    if (status == TN_OK)
        step_when_due(context, o, p, &changed);
    tn__free(changed.item);
    return status != TN_OK ? status : context->error.status;
}

/* average = momentum · average + (1 - momentum) · w, momentum 0 at the first step; every so many
 * steps w = average */
static void update_averages(const tn_optimizer *o)
{
    const tn__optimizer_common *c = o->common;
    for (size_t i = 0; i < o->target.count && c->use_ema; i++) {
        tn_tensor *v = o->target.item[i], *average = o->slot.item[*tn__place_of_average(o, i)];
        tn_tensor *done = updates_done(o), *zero = tn__like(o->iteration, 0);
        tn_tensor *started = tn_cast(tn_not_equal(done, zero), (tn_dtype)v->dtype);
        tn_tensor *momentum = tn_multiply(started, tn__like(v, c->ema_momentum));
        tn_assign(average, tn_add(tn_multiply(momentum, average),
                                  tn_multiply(tn_subtract(tn__like(v, 1), momentum), v)));
        if (c->ema_overwrite_frequency == INT64_MIN)
            continue;
        tn_tensor *every = tn__like(o->iteration, (double)c->ema_overwrite_frequency);
        tn_tensor *due =
            tn_equal(tn_floormod(tn_add(done, tn__like(o->iteration, 1)), every), zero);
        tn_assign(v, tn_where(due, average, v));
    }
}

static void constrain(const pairs *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const char *text = p->variable[i]->of.variable->constraint;
        if (text)
            tn_assign(p->variable[i], tn__constrain(text, tn_read_value(p->variable[i])));
    }
}

static tn_status apply(tn_context *context, tn_optimizer *o, tn_list gradients, tn_list variables)
{
    pairs p;
    if (o->inner)
        return tn__loss_scale_apply(context, o, gradients, variables);
    TN_TRY(tn__optimizer_build(context, o, variables));
    TN_TRY(take_pairs(gradients, variables, &p));
    unscale_gradients(o->common, &p);
    TN_TRY(make_step(context, o, &p));
    update_averages(o);
    constrain(&p);
    tn_assign_add(o->iteration, tn__like(o->iteration, 1));
    return context->error.status;
}

tn_status tn__optimizer_apply(tn_context *context, tn_optimizer *o, tn_list gradients,
                              tn_list variables)
{
    if (!gradients.item || !variables.item || variables.count == 0)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "apply_gradients: there are no %s\na model has variables once it is built: "
                        "call it first",
                        gradients.item ? "variables" : "gradients");
    if (gradients.count != variables.count)
        return tn__fail(TN_INVALID_ARGUMENT, "apply_gradients: %zu gradients for %zu variables",
                        gradients.count, variables.count);
    if (!tn__check_tensors(variables, "apply_gradients: a variable"))
        return TN_INVALID_ARGUMENT;
    context->tape_pause++;
    size_t depth = tn__scope_begin("apply_gradients");
    tn_status status = apply(context, o, gradients, variables);
    tn__scope_end(depth);
    context->tape_pause--;
    return status;
}
