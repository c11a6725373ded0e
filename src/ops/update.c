/* update.c - one op for a step of all variables: it goes over each, its slots and its gradient
 * once. */
#include "ops/update.h"
#include "core/variable.h"
#include "kernels/parallel.h"
#include "ops/chain.h"
#include "ops/ops.h"

/* The variable and its slots. */
static size_t changed_by(const tn__rule *rule)
{
    return 1u + rule->slots;
}

/* --- inference -------------------------------------------------------------------------------- */
static tn_status refuse(const char *what, size_t i, const tn_tensor *x)
{
    return tn__fail(TN_INVALID_ARGUMENT, "FusedUpdate: input %zu must be %s, got %s", i, what,
                    TN__TENSOR(x));
}

/* x: the variable itself or its value. */
static tn_status check_fit(const tn_tensor *variable, const tn_tensor *x, const tn_tensor *gradient)
{
    bool fits = x->dtype == gradient->dtype && tn__shape_fits(&x->shape, &gradient->shape);
    return fits ? TN_OK : tn__variable_refuse(variable, gradient);
}

static bool is_resource(const tn_tensor *x)
{
    return x->form == TN__VARIABLE || (x->form == TN__SYMBOLIC && x->dtype == TN__RESOURCE);
}

static tn_status infer_variable(const tn__infer *infer, size_t first, size_t changed)
{
    const tn_tensor *gradient = infer->input[first + changed];
    if (gradient->dtype != TN_FLOAT32)
        return refuse("a gradient of float32", first + changed, gradient);
    for (size_t i = first; i < first + changed; i++) {
        if (!is_resource(infer->input[i]))
            return refuse("a variable", i, infer->input[i]);
        const tn_tensor *variable = tn__variable_behind(infer->input[i]);
        if (variable)
            TN_TRY(check_fit(variable, variable, gradient));
    }
    return TN_OK;
}

static tn_status update_infer(tn__infer *infer)
{
    const tn__rule *rule = infer->attrs;
    size_t numbers = rule->numbers, changed = changed_by(rule), count = infer->input_count;
    if (!rule->steps)
        return tn__fail(TN_INVALID_ARGUMENT, "FusedUpdate: there is no rule");
    if (count < numbers || (count - numbers) % (changed + 1) != 0)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "FusedUpdate: its rule takes %zu numbers and %zu inputs for each variable, "
                        "got %zu inputs",
                        numbers, changed + 1, count);
    for (size_t i = 0; i < numbers; i++) {
        const tn_tensor *x = infer->input[i];
        if (x->dtype != TN_FLOAT32 || !tn__shape_fits(&x->shape, &TN_SCALAR))
            return refuse("a number of float32", i, x);
    }
    for (size_t i = numbers; i < count; i += changed + 1)
        TN_TRY(infer_variable(infer, i, changed));
    return TN_OK;
}

/* --- one pass --------------------------------------------------------------------------------- */
typedef struct {
    const tn__kernel *kernel;
    const tn__rule *rule;
    const tn__kernels_table *kernels;
    size_t variables;
    tn__change *change; /* of each variable one, then of its slots */
    tn__chain chain;    /* the rule, and its numbers */
    int64_t tiles;      /* of all variables */
    int lanes;
    char *scratch;
    size_t each; /* bytes of scratch for a lane */
} pass;

static const tn_tensor *gradient_of(const pass *p, size_t variable)
{
    size_t changed = changed_by(p->rule);
    return p->kernel->input[p->rule->numbers + variable * (changed + 1) + changed];
}

static int64_t tiles_of(const tn_tensor *x)
{
    return (tn__count(x) + TN__CHAIN_TILE - 1) / TN__CHAIN_TILE;
}

static const float *number_at(const pass *p, size_t i)
{
    return p->kernel->input[i]->data;
}

static uint8_t operand_of(const tn__chain *c, uint8_t operand)
{
    return operand < TN__RESULT ? operand : (uint8_t)(c->inputs + operand - TN__RESULT);
}

static void make_chain(pass *p)
{
    const tn__rule *rule = p->rule;
    tn__chain *c = &p->chain;
    int first = TN__SLOT + rule->slots;
    c->inputs = first + rule->numbers;
    c->steps = rule->steps;
    for (int i = first; i < c->inputs; i++)
        c->in[i] = (tn__chain_input){ number_at(p, (size_t)(i - first)), 1, 1 };
    for (int i = 0; i < c->steps; i++)
        c->step[i] = (tn__chain_step){ .function = rule->step[i].function,
                                       .a = operand_of(c, rule->step[i].a),
                                       .b = operand_of(c, rule->step[i].b) };
    tn__chain_settle(c);
}

static void run_adam(const pass *p, size_t variable, int64_t first, int64_t last)
{
    const tn__change *w = &p->change[variable * 3], *m = w + 1, *v = w + 2;
    tn__adam step = { .g = gradient_of(p, variable)->data,
                      .m = m->old->data,
                      .v = v->old->data,
                      .w = w->old->data,
                      .new_m = m->value->data,
                      .new_v = v->value->data,
                      .new_w = w->value->data,
                      .rest_1 = *number_at(p, 0),
                      .rest_2 = *number_at(p, 1),
                      .alpha = *number_at(p, 2),
                      .epsilon = *number_at(p, 3) };
    p->kernels->adam(&step, first, last);
}

static void run_chain(const pass *p, size_t variable, int64_t first, int64_t last, int lane)
{
    const tn__rule *rule = p->rule;
    const tn__change *change = &p->change[variable * changed_by(rule)];
    tn__chain c = p->chain;
    c.in[TN__G].data = gradient_of(p, variable)->data;
    for (int i = 0; i <= rule->slots; i++)
        c.in[TN__W + i].data = change[i].old->data;
    for (int i = 0; i < rule->steps; i++)
        if (rule->step[i].to)
            c.step[i].out = change[rule->step[i].to - TN__W].value->data;
    p->kernels->chain(&c, first, last, (float *)(void *)(p->scratch + (size_t)lane * p->each));
}

/* A lane's tiles are a stretch of all variables', one's behind the other's. */
static void update_lane(void *self, int lane, int lanes)
{
    const pass *p = self;
    int64_t begin, end, at = 0;
    tn__share(p->tiles, 1, lane, lanes, &begin, &end);
    for (size_t i = 0; i < p->variables && at < end; i++) {
        int64_t count = tn__count(gradient_of(p, i)), tiles = tiles_of(gradient_of(p, i));
        int64_t first = begin > at ? begin - at : 0, last = end - at < tiles ? end - at : tiles;
        at += tiles;
        if (first >= last)
            continue;
        first *= TN__CHAIN_TILE;
        last = last == tiles ? count : last * TN__CHAIN_TILE;
        if (p->rule->adam)
            run_adam(p, i, first, last);
        else
            run_chain(p, i, first, last, lane);
    }
}

static tn_status change_all(void *self)
{
    pass *p = self;
    size_t changed = changed_by(p->rule);
    for (size_t i = 0; i < p->variables * changed; i++)
        TN_TRY(check_fit(p->change[i].variable, p->change[i].old, gradient_of(p, i / changed)));
    tn__parallel(p->lanes, update_lane, p);
    return TN_OK;
}

static void cut_work(pass *p)
{
    double numbers = 0;
    for (size_t i = 0; i < p->variables; i++) {
        p->tiles += tiles_of(gradient_of(p, i));
        numbers += (double)tn__count(gradient_of(p, i));
    }
    p->lanes = tn__lanes(numbers * 8);
}

/* The changes and each lane's tiles, in one block. */
static tn_status take_scratch(pass *p)
{
    size_t changes = p->variables * changed_by(p->rule);
    size_t bytes = tn__whole_lines(changes * sizeof *p->change);
    if (!p->rule->adam) {
        make_chain(p);
        p->each = p->kernels->chain_scratch(&p->chain);
    }
    char *block = tn__scratch(p->kernel->context, bytes + p->each * (size_t)p->lanes);
    if (!block)
        return TN_RESOURCE_EXHAUSTED;
    p->change = (tn__change *)(void *)block;
    p->scratch = block + bytes;
    return TN_OK;
}

static tn_status update_compute(tn__kernel *kernel)
{
    const tn__rule *rule = kernel->attrs;
    size_t changed = changed_by(rule);
    pass p = { .kernel = kernel,
               .rule = rule,
               .kernels = tn__kernels(),
               .variables = (kernel->input_count - rule->numbers) / (changed + 1) };
    cut_work(&p);
    TN_TRY(take_scratch(&p));
    for (size_t i = 0; i < p.variables * changed; i++)
        p.change[i].variable =
            kernel->input[rule->numbers + i / changed * (changed + 1) + i % changed];
    return tn__variables_change(p.change, p.variables * changed, change_all, &p);
}

const tn__op tn__op_FusedUpdate = {
    .name = "FusedUpdate",
    .inputs = "",
    .outputs = "",
    .attrs_size = sizeof(tn__rule),
    .infer = update_infer,
    .compute = update_compute,
    .no_gradient = "none: it has no outputs",
    .flags = TN__STATEFUL | TN__HALF | TN__ANY_INPUTS,
};
