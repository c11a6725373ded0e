/* control_gradient.c - the gradients of If, Case and While, in ops and control flow themselves.
 *
 * A branch's gradient runs the branch again, with a tape. A loop's runs the loop again, keeping what its variables were in each round,
 * and then a loop over the rounds from the last to the first, each with a tape. What must not run again was kept (keep.c), and the tape
 * is told of it; a loop that does such things has kept its variables too. */
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
    tn_tensor *const *kept;    /* what the last outputs were, which are not run again */
    size_t kept_count;
    tn_tensor *const *sources; /* among feeds, and variables */
    size_t source_count;
} flow;

static bool is_source(const tn_tensor *x)
{
    return tn__in(TN__FLOATS, (tn_dtype)x->dtype);
}

/* A value that was kept, as the replay has it: another tensor, in which no tape knows the one that was kept. What arrives there goes where
 * the node that gave it sends it, and not there twice. */
static tn_tensor *apart(tn_context *context, tn_tensor *kept, const tn_shape *shape)
{
    tn_tensor *x = NULL;
    if (kept->form == TN__VALUE)
        return tn__tensor_view(kept, &kept->shape, &x) == TN_OK ? tn__own(x) : NULL;
    tn__tapes_pause(context);
    x = tn_ensure_shape(kept, *shape);
    tn__tapes_resume(context);
    return x;
}

static tn_status find_known(tn_context *context, const flow *f, tn__known *known)
{
    size_t first = tn__closure_outputs(f->closure) - f->kept_count;
    tn_tensor **output = tn__scope_alloc((f->kept_count + 1) * sizeof *output), **value = tn__scope_alloc((f->kept_count + 1) * sizeof *value);
    *known = (tn__known){ output, value, 0 };
    if (!output || !value)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < f->kept_count; i++) {
        tn_tensor *x = f->closure->outputs->of.tuple.item[first + i];
        if (tn__node_capture(x->of.output.node))
            continue; /* of another branch */
        output[known->count] = x;
        if (!(value[known->count++] = apart(context, f->kept[i], &x->shape)))
            return context->error.status;
    }
    return TN_OK;
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
    tn__known known;
    TN_TRY(find_known(context, f, &known));
    return tn__graph_replay_known(context, graph->node.item, graph->node.count, f->closure->inputs->of.tuple.item, f->feeds, f->feed_count, &known,
                                  wanted, results, count);
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

static tn_tensor *back_through(const tn__gradient *g, const sources *s, const tn__closure *closure, size_t kept)
{
    flow flow = { closure, g->in + 1, tn__closure_inputs(closure), g->dout, g->out + g->out_count - kept, kept, s->item, s->count };
    return differentiate(&flow);
}

static tn_tensor *back_through_then(void *self, tn_list inputs)
{
    (void)inputs;
    const if_flow *f = self;
    const tn__if_attrs *a = f->g->attrs;
    return back_through(f->g, f->s, &a->then, (size_t)a->kept);
}

static tn_tensor *back_through_otherwise(void *self, tn_list inputs)
{
    (void)inputs;
    const if_flow *f = self;
    const tn__if_attrs *a = f->g->attrs;
    return back_through(f->g, f->s, &a->otherwise, (size_t)a->kept);
}

void tn__if_gradient(tn__gradient *g)
{
    sources s;
    if (!find_sources(g, 1, &s) || !s.count)
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
    return back_through(f->g, f->s, f->closure, (size_t)((const tn__case_attrs *)f->g->attrs)->kept);
}

void tn__case_gradient(tn__gradient *g)
{
    const tn__closures *branches = (const tn__closures *)(const void *)((const tn__case_attrs *)g->attrs)->branches;
    sources s;
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
    size_t count;              /* loop variables */
    tn_tensor *const *history; /* the outputs that the history has; see tn__while_attrs */
    const sources *s;          /* the first `own` are loop variables */
    size_t own;
} while_flow;

static tn_tensor *rounds_left(void *self, tn_list inputs)
{
    (void)self;
    return tn_greater(tn_at(inputs, 0), tn__like(tn_at(inputs, 0), 0));
}

/* Where outputs of the history begin. */
static size_t first_of_history(const tn__while_attrs *a)
{
    return tn__while_variables(a) + (size_t)a->collected;
}

/* The row of a round of what was stacked, or of what arrives there, in the shape that it had. */
static tn_tensor *row_of_history(const while_flow *f, tn_tensor *stacked, size_t stack, tn_tensor *round)
{
    size_t shapes = tn__while_shapes(f->a, stack);
    tn_tensor *row = tn_gather(stacked, round, 0);
    if (!shapes || !row)
        return row;
    tn_tensor *shape = tn_gather(f->history[shapes - first_of_history(f->a)], round, 0);
    row = shape ? TN__APPLY(tn__op_Slice, NULL, row, tn_zeros_like(shape), shape) : NULL;
    return row ? tn_ensure_shape(row, tn__while_stacked(f->a, stack)->shape) : NULL; /* what is known of it */
}

/* What arrives at the history in a round; NULL and true when nothing does. */
static bool arrives_at_history(const while_flow *f, size_t stack, tn_tensor *round, tn_tensor **arrives)
{
    tn_tensor *stacked = f->a->history ? f->g->dout[first_of_history(f->a) + stack] : NULL;
    *arrives = stacked ? row_of_history(f, stacked, stack, round) : NULL;
    return !stacked || *arrives;
}

/* What arrives at the outputs of a round: at the loop variables from the round after it, at what is collected from the stack, and at the
 * kept values where somebody used them; the latter's own gradients for loop variables in `past`. */
static bool seeds_of(const while_flow *f, tn_list inputs, tn_tensor *round, tn_tensor **seeds, tn_tensor **past)
{
    size_t collected = (size_t)f->a->collected;
    for (size_t i = 0; i < f->count; i++)
        seeds[i] = NULL;
    for (size_t i = 0; i < f->own; i++)
        seeds[f->s->place[i]] = inputs.item[1 + i];
    for (size_t i = 0; i < collected; i++) {
        tn_tensor *stacked = f->g->dout[f->count + i];
        seeds[f->count + i] = stacked ? tn_gather(stacked, round, 0) : NULL;
        if (stacked && !seeds[f->count + i])
            return false;
    }
    for (size_t i = 0; i < tn__while_stacks(f->a); i++)
        if (!arrives_at_history(f, i, round, i < f->count ? &past[i] : &seeds[collected + i]))
            return false;
    return true;
}

/* What went into a round and what it kept, then room for what flows back. */
typedef struct {
    tn_tensor **feed, **source, **kept, **seeds, **past, **next;
    size_t feeds;
} round_flow;

static bool begin_round(const while_flow *f, tn_tensor *round, round_flow *r)
{
    size_t outputs = tn__closure_outputs(&f->a->body), kept = (size_t)f->a->kept;
    r->feeds = tn__closure_inputs(&f->a->body);
    tn_tensor **room = tn__scope_alloc((r->feeds + 2 * f->s->count + kept + outputs + f->count + 1) * sizeof *room);
    if (!round || !room)
        return false;
    r->feed = room;
    r->source = r->feed + r->feeds;
    r->kept = r->source + f->s->count;
    r->seeds = r->kept + kept;
    r->past = r->seeds + outputs;
    r->next = r->past + f->count;
    for (size_t i = 0; i < r->feeds; i++)
        if (!(r->feed[i] = i < f->count ? row_of_history(f, f->history[i], i, round) : f->g->in[i]))
            return false;
    for (size_t i = 0; i < kept; i++)
        if (!(r->kept[i] = row_of_history(f, f->history[f->count + i], f->count + i, round)))
            return false;
    for (size_t i = 0; i < f->s->count; i++)
        r->source[i] = i < f->own ? r->feed[f->s->place[i]] : f->s->item[i];
    return true;
}

static tn_tensor *one_round_back(void *self, tn_list inputs)
{
    const while_flow *f = self;
    tn_tensor *round = tn_subtract(tn_at(inputs, 0), tn__like(tn_at(inputs, 0), 1));
    round_flow r;
    if (!begin_round(f, round, &r) || !seeds_of(f, inputs, round, r.seeds, r.past))
        return NULL;
    flow flow = { &f->a->body, r.feed, r.feeds, r.seeds, r.kept, (size_t)f->a->kept, r.source, f->s->count };
    tn_tensor *gradients = differentiate(&flow);
    tn_list found = gradients ? tn_items(gradients) : (tn_list){ 0, NULL };
    if (!found.item)
        return NULL;
    r.next[0] = round;
    for (size_t i = 0; i < f->s->count; i++) {
        tn_tensor *more = i < f->own ? r.past[f->s->place[i]] : inputs.item[1 + i];
        r.next[1 + i] = more ? tn_add(found.item[i], more) : found.item[i];
    }
    return tn_tuple_of((tn_list){ 1 + f->s->count, r.next });
}

/* The loop again, with a history. */
static tn_tensor **run_with_history(const tn__gradient *g)
{
    tn__while_attrs attrs = *(const tn__while_attrs *)g->attrs;
    attrs.history = true;
    size_t first = first_of_history(&attrs), outputs = tn__op_outputs(g->op, &attrs, g->in_count);
    tn_tensor **out = tn__scope_alloc((outputs + 1) * sizeof *out);
    if (!out || tn__dispatch(tn__context(), g->op, &attrs, g->in, g->in_count, out, outputs) != TN_OK)
        return NULL;
    for (size_t i = 0; i < outputs; i++)
        if (i < first)
            tn__release(out[i]);
        else
            tn__own(out[i]);
    return tn__failed(tn__context()) ? NULL : out + first;
}

static tn_tensor *walk_rounds(while_flow *f)
{
    tn_tensor **first = tn__scope_alloc((f->s->count + 2) * sizeof *first);
    if (!first)
        return NULL;
    first[0] = tn__rows(f->history[0], TN_INT32);
    for (size_t i = 0; i < f->s->count; i++) {
        size_t place = f->s->place[i];
        tn_tensor *arrives = i < f->own ? f->g->dout[place] : NULL;
        first[1 + i] = arrives ? arrives : tn_zeros_like(i < f->own ? f->g->out[place] : f->s->item[i]);
    }
    tn_tensor *last = tn_while_loop(rounds_left, one_round_back, f, (tn_list){ 1 + f->s->count, first });
    if (!last)
        return NULL;
    tn_list values = tn_items(last);
    return !values.item ? NULL : tn_tuple_of((tn_list){ values.count - 1, values.item + 1 });
}

/* A loop that cannot run again has a history, unless that could not be. */
static bool check_history(const tn__while_attrs *a)
{
    if (a->history || (!tn__closure_is_stateful(&a->body, true) && !tn__closure_is_stateful(&a->condition, true)))
        return true;
    tn__fail(TN_UNIMPLEMENTED, "the gradient of a loop that assigns to variables or draws from a stateful generator, and has a tensor of rank %d that "
                               "would have to be kept of every round",
             TN_MAX_RANK);
    return false;
}

void tn__while_gradient(tn__gradient *g)
{
    const tn__while_attrs *a = g->attrs;
    sources s;
    if (!check_history(a) || !find_sources(g, 0, &s) || !s.count)
        return;
    while_flow f = { g, a, tn__while_variables(a), a->history ? g->out + first_of_history(a) : run_with_history(g), &s, 0 };
    while (f.own < s.count && s.place[f.own] < f.count)
        f.own++;
    if (f.history)
        give(g, &s, walk_rounds(&f));
}
