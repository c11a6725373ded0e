/* control_gradient.c - the gradients of If, Case and While, in ops and control flow themselves.
 *
 * A branch's gradient runs the branch again, with a tape. A loop's runs the loop again, keeping what its variables were in each round,
 * and then a loop over the rounds from the last to the first, each with a tape. */
#include "autodiff/tape.h"
#include "function/control.h"
#include "ops/ops.h"
#include <string.h>

/* What flows back through one closure: the arguments of differentiate(). */
typedef struct {
    const tn__closure *closure;
    tn_tensor *const *feeds;   /* stand for the closure's inputs */
    size_t feed_count;
    tn_tensor *const *seeds;   /* by output; NULL items: nothing arrives there */
    tn_tensor *const *sources; /* among feeds, and variables */
    size_t source_count;
} flow;

/* A variable's value after something else was done to it here is not there any more. */
static bool reads_assigned(const tn_graph *graph, const tn__node *read)
{
    if (read->op != &tn__op_ReadVariableOp)
        return false;
    const tn_tensor *variable = tn__node_variable(read->input[0]->of.output.node);
    for (size_t i = 0; i < graph->node.count; i++) {
        const tn__node *node = graph->node.item[i];
        for (size_t k = 0; k < node->input_count && node->op != &tn__op_ReadVariableOp; k++)
            if (node->input[k]->form == TN__SYMBOLIC && tn__node_variable(node->input[k]->of.output.node) == variable)
                return true;
    }
    return false;
}

/* Does what the outputs need, where something arrives, give the same when it is run again? */
static bool is_repeatable(const tn__closure *c, tn_tensor *const *seeds)
{
    const tn_graph *graph = (const tn_graph *)c->graph;
    size_t count = graph->node.count;
    bool *needed = tn__scope_alloc(2 * count + 1);
    if (!needed)
        return false;
    memset(needed, 0, 2 * count + 1); /* the second half: nothing is cut */
    for (size_t i = 0; i < tn__closure_outputs(c); i++)
        if (seeds[i])
            needed[c->outputs->of.tuple.item[i]->of.output.node->index] = true;
    tn__graph_mark_needed(graph, needed + count, needed);
    for (size_t i = 0; i < count; i++)
        if (needed[i] && (tn__node_is_stateful(graph->node.item[i], false) || reads_assigned(graph, graph->node.item[i])))
            return false;
    return true;
}

/* seeds: what arrives at the outputs; NULL: all of it is run again. */
static bool check_repeatable(const tn__closure *c, tn_tensor *const *seeds, const char *what)
{
    if (!tn__closure_is_stateful(c, false) || (seeds && is_repeatable(c, seeds)))
        return true;
    tn__fail(TN_UNIMPLEMENTED, "the gradient of %s that assigns to variables or draws from a stateful generator\n"
                               "do that outside, or draw with the stateless functions (tn_random_stateless_…)", what);
    return false;
}

static bool is_source(const tn_tensor *x)
{
    return tn__in(TN__FLOATS, (tn_dtype)x->dtype);
}

/* The nodes again, seen by the tape, those that lead to where something arrives. */
static tn_status run_seen(tn_context *context, const flow *f, tn_tensor **results)
{
    const tn_graph *graph = (const tn_graph *)f->closure->graph;
    size_t count = tn__closure_outputs(f->closure);
    tn_tensor **wanted = tn__scope_alloc((count + 1) * sizeof *wanted);
    memset(results, 0, count * sizeof *results);
    if (!wanted)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++)
        wanted[i] = f->seeds[i] ? f->closure->outputs->of.tuple.item[i] : NULL;
    return tn__graph_replay(context, graph->node.item, graph->node.count, f->closure->inputs->of.tuple.item, f->feeds, f->feed_count, false, wanted,
                            results, count);
}

static tn_status gradients_of_run(tn_context *context, const flow *f, const struct tn_tape *tape, tn_tensor **results, tn_tensor **gradients)
{
    size_t outputs = tn__closure_outputs(f->closure), targets = 0;
    tn_tensor **target = tn__scope_alloc((outputs + 1) * sizeof *target), **seed = tn__scope_alloc((outputs + 1) * sizeof *seed);
    if (!target || !seed)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < outputs; i++)
        if (f->seeds[i]) {
            target[targets] = results[i];
            seed[targets++] = f->seeds[i];
        }
    return tn__tape_gradients(context, tape, target, seed, targets, (tn_list){ f->source_count, f->sources }, gradients);
}

/* One gradient for each source, zeros where none flows: a tuple of the innermost scope. */
static tn_tensor *differentiate(const flow *f)
{
    tn_context *context = tn__context();
    size_t outputs = tn__closure_outputs(f->closure);
    tn_tensor **results = tn__scope_alloc((outputs + 1) * sizeof *results);
    tn_tensor **gradients = tn__scope_alloc((f->source_count + 1) * sizeof *gradients);
    tn_tape *tape = tn_gradient_tape_new(&(tn_gradient_tape_options){
        .size_ = sizeof(tn_gradient_tape_options), .persistent = true, .watch_accessed_variables = true });
    if (!results || !gradients || !tape)
        return NULL;
    for (size_t i = 0; i < f->source_count; i++)
        tn_watch(tape, f->sources[i]);
    tn_status status = run_seen(context, f, results);
    tn_stop_recording(tape);
    if (status == TN_OK)
        status = gradients_of_run(context, f, tape, results, gradients);
    for (size_t i = 0; i < outputs; i++)
        tn__release(results[i]);
    if (status != TN_OK)
        return NULL;
    for (size_t i = 0; i < f->source_count; i++)
        gradients[i] = gradients[i] ? tn__own(gradients[i]) : tn_zeros_like(f->sources[i]);
    return tn_tuple_of((tn_list){ f->source_count, gradients });
}

/* The float ones among a node's inputs from `first` on, and where they stand. */
typedef struct {
    tn_tensor **item;
    size_t *place, count;
} sources;

static bool find_sources(const tn__gradient *g, size_t first, sources *s)
{
    s->item = tn__scope_alloc((g->in_count + 1) * sizeof *s->item);
    s->place = tn__scope_alloc((g->in_count + 1) * sizeof *s->place);
    s->count = 0;
    for (size_t i = first; s->item && s->place && i < g->in_count; i++)
        if (is_source(g->in[i])) {
            s->place[s->count] = i;
            s->item[s->count++] = g->in[i];
        }
    return s->item && s->place;
}

static void give(tn__gradient *g, const sources *s, tn_tensor *gradients)
{
    tn_list list = gradients ? tn_items(gradients) : (tn_list){ 0, NULL };
    for (size_t i = 0; i < s->count && i < list.count; i++)
        g->din[s->place[i]] = list.item[i];
}

/* --- If: d(cond(p, a, b)) = cond(p, da, db) ------------------------------------------------------------------------------- */
typedef struct {
    const tn__gradient *g;
    const sources *s;
} if_flow;

static tn_tensor *back_through(const if_flow *f, const tn__closure *closure)
{
    flow flow = { closure, f->g->in + 1, tn__closure_inputs(closure), f->g->dout, f->s->item, f->s->count };
    return differentiate(&flow);
}

static tn_tensor *back_through_then(void *self, tn_list inputs)
{
    (void)inputs;
    const if_flow *f = self;
    return back_through(f, &((const tn__if_attrs *)f->g->attrs)->then);
}

static tn_tensor *back_through_otherwise(void *self, tn_list inputs)
{
    (void)inputs;
    const if_flow *f = self;
    return back_through(f, &((const tn__if_attrs *)f->g->attrs)->otherwise);
}

void tn__if_gradient(tn__gradient *g)
{
    const tn__if_attrs *a = g->attrs;
    sources s;
    if (!check_repeatable(&a->then, g->dout, "a branch") || !check_repeatable(&a->otherwise, g->dout, "a branch") ||
        !find_sources(g, 1, &s) || !s.count)
        return;
    if_flow f = { g, &s };
    give(g, &s, tn_cond(g->in[0], back_through_then, back_through_otherwise, &f, (tn_list){ 0, NULL }));
}

/* --- Case: the same with as many branches as there are -------------------------------------------------------------------- */
typedef struct {
    const tn__gradient *g;
    const sources *s;
    const tn__closure *closure;
} case_flow;

static tn_tensor *back_through_case(void *self, tn_list inputs)
{
    (void)inputs;
    const case_flow *f = self;
    flow flow = { f->closure, f->g->in + 1, tn__closure_inputs(f->closure), f->g->dout, f->s->item, f->s->count };
    return differentiate(&flow);
}

void tn__case_gradient(tn__gradient *g)
{
    const tn__closures *branches = (const tn__closures *)(const void *)((const tn__case_attrs *)g->attrs)->branches;
    sources s;
    for (size_t i = 0; i < branches->count; i++)
        if (!check_repeatable(&branches->item[i], g->dout, "a branch"))
            return;
    case_flow *flows = tn__scope_alloc(branches->count * sizeof *flows);
    void **selves = tn__scope_alloc(branches->count * sizeof *selves);
    tn_body *bodies = tn__scope_alloc(branches->count * sizeof *bodies);
    if (!flows || !selves || !bodies || !find_sources(g, 1, &s) || !s.count)
        return;
    for (size_t i = 0; i < branches->count; i++) {
        flows[i] = (case_flow){ g, &s, &branches->item[i] };
        selves[i] = &flows[i];
        bodies[i] = back_through_case;
    }
    give(g, &s, tn__switch_case(tn__context(), g->in[0], branches->count, bodies, selves, (tn_list){ 0, NULL }));
}

/* --- While -----------------------------------------------------------------------------------------------------------------
 * Back from the last round: (dvariables, douter) of round i = J_iᵀ dvariables of round i + 1, douter summed over the rounds. The loop's
 * variables are i, then d of the float loop variables, then d of everything else that the body uses. */
typedef struct {
    const tn__gradient *g;
    const tn__while_attrs *a;
    tn_list past;       /* of each loop variable its values in all rounds, stacked */
    size_t count;       /* loop variables */
    const sources *s;   /* the first `own` are loop variables */
    size_t own;
} while_flow;

static tn_tensor *rounds_left(void *self, tn_list inputs)
{
    (void)self;
    return tn_greater(tn_at(inputs, 0), tn__like(tn_at(inputs, 0), 0));
}

/* The row of a round of what arrives at stacked values; NULL and true when nothing does. */
static bool row_of(tn_tensor *stacked, tn_tensor *round, tn_tensor **row)
{
    *row = stacked ? tn_gather(stacked, round, 0) : NULL;
    return !stacked || *row;
}

/* What arrives at the outputs of a round: at the loop variables from the round after it, at what is collected from the stack, and at the
 * kept values where somebody used them. */
static bool seeds_of(const while_flow *f, tn_list inputs, tn_tensor *round, tn_tensor **seeds, tn_tensor **kept)
{
    size_t stacks = f->count * (f->a->history ? 2 : 1);
    for (size_t i = 0; i < f->count; i++)
        seeds[i] = kept[i] = NULL;
    for (size_t i = 0; i < f->own; i++)
        seeds[f->s->place[i]] = inputs.item[1 + i];
    for (size_t i = 0; i < f->count && f->a->history; i++)
        if (!row_of(f->g->dout[f->count + i], round, &kept[i]))
            return false;
    for (size_t i = 0; i < (size_t)f->a->collected; i++)
        if (!row_of(f->g->dout[stacks + i], round, &seeds[f->count + i]))
            return false;
    return true;
}

static tn_tensor *one_round_back(void *self, tn_list inputs)
{
    const while_flow *f = self;
    size_t feeds = tn__closure_inputs(&f->a->body), outputs = tn__closure_outputs(&f->a->body);
    tn_tensor *round = tn_subtract(tn_at(inputs, 0), tn__like(tn_at(inputs, 0), 1));
    tn_tensor **feed = tn__scope_alloc((feeds + 1) * sizeof *feed), **source = tn__scope_alloc((f->s->count + 1) * sizeof *source);
    tn_tensor **seeds = tn__scope_alloc((outputs + f->count + 1) * sizeof *seeds), **next = tn__scope_alloc((f->s->count + 2) * sizeof *next);
    if (!round || !feed || !source || !seeds || !next || !seeds_of(f, inputs, round, seeds, seeds + outputs))
        return NULL;
    for (size_t i = 0; i < feeds; i++)
        if (!(feed[i] = i < f->count ? tn_gather(f->past.item[i], round, 0) : f->g->in[i]))
            return NULL;
    for (size_t i = 0; i < f->s->count; i++)
        source[i] = i < f->own ? feed[f->s->place[i]] : f->s->item[i];
    flow flow = { &f->a->body, feed, feeds, seeds, source, f->s->count };
    tn_tensor *gradients = differentiate(&flow);
    if (!gradients)
        return NULL;
    tn_list found = tn_items(gradients);
    if (!found.item)
        return NULL;
    next[0] = round;
    for (size_t i = 0; i < f->s->count; i++) {
        tn_tensor *kept = i < f->own ? seeds[outputs + f->s->place[i]] : inputs.item[1 + i];
        next[1 + i] = kept ? tn_add(found.item[i], kept) : found.item[i];
    }
    return tn_tuple_of((tn_list){ 1 + f->s->count, next });
}

/* The loop again, keeping its variables' values. */
static tn_status run_with_history(const tn__gradient *g, size_t count, tn_tensor **past)
{
    tn__while_attrs attrs = *(const tn__while_attrs *)g->attrs;
    size_t outputs = 2 * count + (size_t)attrs.collected;
    tn_tensor **out = tn__scope_alloc((outputs + 1) * sizeof *out);
    if (!out)
        return TN_RESOURCE_EXHAUSTED;
    attrs.history = true;
    TN_TRY(tn__dispatch(tn__context(), g->op, &attrs, g->in, g->in_count, out, outputs));
    for (size_t i = 0; i < outputs; i++)
        if (i < count || i >= 2 * count)
            tn__release(out[i]);
        else
            past[i - count] = tn__own(out[i]);
    return tn__errors()->status;
}

static tn_tensor *walk_rounds(while_flow *f)
{
    tn_tensor **first = tn__scope_alloc((f->s->count + 2) * sizeof *first);
    if (!first)
        return NULL;
    first[0] = tn__rows(f->past.item[0], TN_INT32);
    for (size_t i = 0; i < f->s->count; i++) {
        tn_tensor *arrives = i < f->own ? f->g->dout[f->s->place[i]] : NULL;
        first[1 + i] = arrives ? arrives : tn_zeros_like(f->s->item[i]);
    }
    tn_tensor *last = tn_while_loop(rounds_left, one_round_back, f, (tn_list){ 1 + f->s->count, first });
    if (!last)
        return NULL;
    tn_list values = tn_items(last);
    return !values.item ? NULL : tn_tuple_of((tn_list){ values.count - 1, values.item + 1 });
}

void tn__while_gradient(tn__gradient *g)
{
    const tn__while_attrs *a = g->attrs;
    size_t count = tn__while_variables(a);
    sources s;
    tn_tensor **past = tn__scope_alloc((count + 1) * sizeof *past);
    if (!past || !check_repeatable(&a->body, NULL, "a loop") || !check_repeatable(&a->condition, NULL, "a loop") || !find_sources(g, 0, &s) || !s.count)
        return;
    if (a->history)
        memcpy(past, g->out + count, count * sizeof *past);
    else if (run_with_history(g, count, past) != TN_OK)
        return;
    while_flow f = { g, a, { count, past }, count, &s, 0 };
    while (f.own < s.count && s.place[f.own] < count)
        f.own++;
    give(g, &s, walk_rounds(&f));
}
