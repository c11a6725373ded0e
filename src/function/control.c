/* control.c - tn_cond, tn_switch_case and tn_while_loop: run at once, or traced into closures. */
#include "function/control.h"
#include "ops/ops.h"
#include <stdio.h>
#include <string.h>

static tn_tensor *run_at_once(tn_context *context, tn_body body, void *self, tn_list inputs, const char *what)
{
    tn_tensor *result;
    return tn__run_body(context, body, self, inputs, -1, what, &result) == TN_OK ? tn__own(result) : NULL;
}

/* --- tracing a body ----------------------------------------------------------------------------------------------------- */
typedef tn__traced traced;

static void traced_free(traced *t)
{
    for (size_t i = 0; t->output && i < t->outputs; i++)
        tn__release(t->output[i]);
    tn__free(t->output);
    tn__release(t->result);
    tn__release(t->graph);
    *t = (traced){ NULL };
}

/* The graph is open while its body runs; `shapes`, when given, are of placeholders that stand for the inputs. */
static tn_status trace_in_graph(tn_context *context, traced *t, tn_body body, void *self, tn_list inputs, const tn_shape *shapes,
                                const char *what)
{
    tn_tensor **stands = tn__scope_alloc((inputs.count + 1) * sizeof *stands);
    if (!stands)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < inputs.count; i++) {
        stands[i] = inputs.item[i];
        if (!shapes)
            continue;
        TN_TRY(tn__graph_input(context, t->graph, (tn_dtype)inputs.item[i]->dtype, &shapes[i], NULL, &stands[i]));
        if (!tn__own(stands[i]))
            return TN_RESOURCE_EXHAUSTED;
    }
    TN_TRY(tn__run_body(context, body, self, (tn_list){ inputs.count, stands }, -1, what, &t->result));
    return tn__trace_outputs(context, t->graph, t->result, &t->output, &t->outputs);
}

static tn_status trace(tn_context *context, traced *t, tn_body body, void *self, tn_list inputs, const tn_shape *shapes, const char *what)
{
    *t = (traced){ .graph = tn__graph_new() };
    if (!t->graph)
        return TN_RESOURCE_EXHAUSTED;
    size_t depth = tn__scope_begin(context->here);
    t->graph->outer = context->graph;
    t->graph->closure = true;
    context->graph = t->graph;
    tn_status status = trace_in_graph(context, t, body, self, inputs, shapes, what);
    context->graph = t->graph->outer;
    tn__scope_end(depth);
    return status;
}

/* --- two closures of one node --------------------------------------------------------------------------------------------- */
/* What the closures of a node take from outside; both take all of it, in one order. */
typedef struct {
    struct {
        tn_tensor **item; /* not retained: the graphs hold them */
        size_t count, capacity;
    } tensor, variable;
} outside;

static void outside_free(outside *o)
{
    tn__free(o->tensor.item);
    tn__free(o->variable.item);
}

static bool is_among(tn_tensor *const *items, size_t count, const tn_tensor *x)
{
    for (size_t i = 0; i < count; i++)
        if (items[i]->id == x->id)
            return true;
    return false;
}

static tn_status add_outside(outside *o, const tn_graph *graph)
{
    for (size_t i = 0; i < graph->captured.count; i++) {
        tn_tensor *x = graph->captured.item[i].outer;
        if (!is_among(o->tensor.item, o->tensor.count, x))
            TN_TRY(TN__PUSH(&o->tensor, x));
    }
    for (size_t i = 0; i < graph->node.count; i++) {
        tn_tensor *x = tn__node_variable(graph->node.item[i]);
        if (x && !is_among(o->variable.item, o->variable.count, x))
            TN_TRY(TN__PUSH(&o->variable, x));
    }
    return TN_OK;
}

static tn_tensor *inner_of(const tn_graph *graph, const tn_tensor *outer)
{
    for (size_t i = 0; i < graph->captured.count; i++)
        if (graph->captured.item[i].outer->id == outer->id)
            return graph->captured.item[i].inner;
    return NULL;
}

/* The closure's inputs: the first `own` placeholders, then one for everything from outside. */
static tn_status close(tn_context *context, const traced *t, size_t own, const outside *o, tn__closure *c)
{
    tn_graph *graph = t->graph, *building = context->graph;
    tn_tensor **inputs = tn__scope_alloc((own + o->tensor.count + 1) * sizeof *inputs), *captured;
    if (!inputs)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < own; i++)
        inputs[i] = graph->input.item[i];
    graph->outer = building;
    for (size_t i = 0; i < o->tensor.count; i++) {
        TN_TRY(tn__graph_capture(context, graph, o->tensor.item[i], &captured));
        tn__release(captured);
        inputs[own + i] = inner_of(graph, o->tensor.item[i]);
    }
    graph->outer = NULL;
    c->graph = (tn_tensor *)graph;
    c->inputs = tn__own(tn__tuple_new(own + o->tensor.count, inputs));
    c->outputs = tn__own(tn__tuple_new(t->outputs, t->output));
    return c->inputs && c->outputs ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* In a TensorFlow 1 graph what comes out is named after the node: "cond/Identity"; of a loop behind its counter and its limit, which
 * are the first two there. */
static tn_status name_outputs(tn_context *context, const tn__op *op, tn_tensor **made, size_t outputs)
{
    const tn__node *node = outputs && made[0]->form == TN__SYMBOLIC ? made[0]->of.output.node : NULL;
    bool named = context->graph && context->graph->v1 && node && node->name;
    size_t before = op == &tn__op_While || op == &tn__op_StatelessWhile ? 2 : 0;
    const char *outer = context->name_scope;
    tn_status status = TN_OK;
    for (size_t i = 0; named && i < outputs && status == TN_OK; i++) {
        char name[32];
        tn_tensor *x = NULL;
        snprintf(name, sizeof name, "Identity_%zu", i + before);
        context->name_scope = node->name;
        context->node_name = i + before ? name : NULL;
        status = tn__dispatch(context, &tn__op_Identity, NULL, &made[i], 1, &x, 1);
        context->node_name = NULL;
        context->name_scope = outer;
        if (status == TN_OK) {
            tn__release(made[i]); /* the graph keeps its node */
            made[i] = x;
        }
    }
    return status;
}

/* The node, and its first outputs in the structure that the body gave. */
static tn_tensor *apply(tn_context *context, const tn__op *op, const void *attrs, tn_list first, const outside *o, const tn_tensor *structure)
{
    size_t count = first.count + o->tensor.count + o->variable.count, outputs = tn__op_outputs(op, attrs, count);
    tn_tensor **inputs = tn__scope_alloc((count + 1) * sizeof *inputs), **made = tn__scope_alloc((outputs + 1) * sizeof *made);
    if (!inputs || !made)
        return NULL;
    memcpy(inputs, first.item, first.count * sizeof *inputs);
    for (size_t i = 0; i < o->tensor.count; i++)
        inputs[first.count + i] = o->tensor.item[i];
    for (size_t i = 0; i < o->variable.count; i++)
        inputs[first.count + o->tensor.count + i] = o->variable.item[i];
    if (tn__dispatch(context, op, attrs, inputs, count, made, outputs) != TN_OK)
        return NULL;
    tn_tensor *const *at = made;
    tn_tensor *result = name_outputs(context, op, made, tn__flat_count(structure)) == TN_OK ? tn__rebuild(structure, &at) : NULL;
    for (size_t i = 0; i < outputs; i++)
        tn__release(made[i]);
    return result;
}

/* --- tn_cond ------------------------------------------------------------------------------------------------------------ */
static bool are_alike(const traced *a, const traced *b)
{
    bool alike = a->outputs == b->outputs;
    for (size_t i = 0; alike && i < a->outputs; i++)
        alike = a->output[i]->dtype == b->output[i]->dtype;
    return alike;
}

/* The first that a branch gives, for messages. */
#define FIRST(t) ((t)->outputs ? TN__TENSOR((t)->output[0]) : "none")

static tn_status check_branches(const traced *then, const traced *otherwise)
{
    if (are_alike(then, otherwise))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "true_fn and false_fn arguments to tf.cond must have the same number, type, and overall structure of return values.\n"
                    "true_fn gives %zu tensor(s), the first %s; false_fn gives %zu, the first %s",
                    then->outputs, FIRST(then), otherwise->outputs, FIRST(otherwise));
}

static tn_tensor *branch(tn_context *context, tn_tensor *predicate, traced *then, traced *otherwise)
{
    tn__if_attrs attrs = { 0 };
    outside o = { 0 };
    tn_tensor *result = NULL;
    traced *const both[] = { then, otherwise };
    if (check_branches(then, otherwise) == TN_OK && tn__reads_outside(context, both, 2) == TN_OK &&
        tn__keep(context, both, 2, &attrs.kept) == TN_OK && add_outside(&o, then->graph) == TN_OK && add_outside(&o, otherwise->graph) == TN_OK &&
        close(context, then, 0, &o, &attrs.then) == TN_OK && close(context, otherwise, 0, &o, &attrs.otherwise) == TN_OK) {
        bool stateful = tn__closure_is_stateful(&attrs.then, true) || tn__closure_is_stateful(&attrs.otherwise, true);
        result = apply(context, stateful ? &tn__op_If : &tn__op_StatelessIf, &attrs, (tn_list){ 1, &predicate }, &o, then->result);
    }
    outside_free(&o);
    return result;
}

static tn_tensor *cond_traced(tn_context *context, tn_tensor *predicate, tn_body true_fn, tn_body false_fn, void *self, tn_list inputs)
{
    traced then = { NULL }, otherwise = { NULL };
    tn_tensor *result = NULL;
    size_t depth = tn__scope_begin(context->here);
    if (trace(context, &then, true_fn, self, inputs, NULL, "true_fn") == TN_OK &&
        trace(context, &otherwise, false_fn, self, inputs, NULL, "false_fn") == TN_OK)
        result = branch(context, predicate, &then, &otherwise);
    traced_free(&then);
    traced_free(&otherwise);
    tn__scope_end(depth);
    return tn__own(result);
}

static bool check_predicate(const tn_tensor *x, const char *what)
{
    bool one = x->form != TN__TUPLE && x->dtype == TN_BOOL && (!x->shape.known || tn__shape_fits(&x->shape, &TN_SCALAR));
    if (!one)
        tn__fail(TN_INVALID_ARGUMENT, "%s must be a bool of shape (), got %s", what, x->form == TN__TUPLE ? "a tuple" : TN__TENSOR(x));
    return one;
}

tn_tensor *tn_cond(tn_tensor *predicate, tn_body true_fn, tn_body false_fn, void *self, tn_list inputs)
{
    TN__ENTER(context, NULL);
    if (!tn__check_tensor(predicate, "tn_cond: predicate") || !tn__check_tensors(inputs, "tn_cond: an input") ||
        !check_predicate(predicate, "tn_cond: predicate"))
        return NULL;
    if (!true_fn || !false_fn) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_cond: %s is NULL", true_fn ? "false_fn" : "true_fn");
        return NULL;
    }
    bool variable_in_graph = predicate->form == TN__VARIABLE && context->graph;
    if (predicate->form == TN__SYMBOLIC || variable_in_graph) {
        if (context->graph)
            return cond_traced(context, variable_in_graph ? tn_identity(predicate) : predicate, true_fn, false_fn, self, inputs);
        tn__fail(TN_INVALID_ARGUMENT, "tn_cond: the predicate is a tensor of a functional model, whose value is not there yet\n"
                                      "put the call into a layer class's call, and the layer into the model");
        return NULL;
    }
    bool truth = tn_to_int(predicate) != 0;
    return tn__failed(context) ? NULL : run_at_once(context, truth ? true_fn : false_fn, self, inputs, truth ? "true_fn" : "false_fn");
}

/* --- tn_switch_case ------------------------------------------------------------------------------------------------------- */
static tn_status check_alike(const traced *t, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (!are_alike(&t[0], &t[i]))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "branches[0] and branches[%zu] arguments to tf.switch_case must have the same number, type, and overall structure of "
                            "return values.\nbranches[0] gives %zu tensor(s), the first %s; branches[%zu] gives %zu, the first %s",
                            i, t[0].outputs, FIRST(&t[0]), i, t[i].outputs, FIRST(&t[i]));
    return TN_OK;
}

static tn_status close_all(tn_context *context, traced *t, size_t count, outside *o, tn__case_attrs *attrs, bool *stateful)
{
    tn__closures *closures = (tn__closures *)(void *)attrs->branches;
    TN_TRY(check_alike(t, count));
    traced **bodies = tn__scope_alloc(count * sizeof *bodies);
    for (size_t i = 0; bodies && i < count; i++)
        bodies[i] = &t[i];
    TN_TRY(bodies ? tn__reads_outside(context, bodies, count) : TN_RESOURCE_EXHAUSTED);
    TN_TRY(tn__keep(context, bodies, count, &attrs->kept));
    for (size_t i = 0; i < count; i++)
        TN_TRY(add_outside(o, t[i].graph));
    for (size_t i = 0; i < count; i++) {
        tn__closure c;
        TN_TRY(close(context, &t[i], 0, o, &c));
        closures->item[i] = (tn__closure){ tn__retain(c.graph), tn__retain(c.inputs), tn__retain(c.outputs) };
        *stateful |= tn__closure_is_stateful(&c, true);
    }
    return TN_OK;
}

static tn_tensor *choice(tn_context *context, tn_tensor *index, traced *t, size_t count)
{
    outside o = { 0 };
    bool stateful = false;
    tn_tensor *result = NULL;
    tn__closures *closures = tn__closures_new(count);
    tn__case_attrs attrs = { (tn_tensor *)closures, 0 };
    if (closures && close_all(context, t, count, &o, &attrs, &stateful) == TN_OK)
        result = apply(context, stateful ? &tn__op_Case : &tn__op_StatelessCase, &attrs, (tn_list){ 1, &index }, &o, t[0].result);
    tn__release(closures);
    outside_free(&o);
    return result;
}

static tn_tensor *choice_traced(tn_context *context, tn_tensor *index, size_t count, const tn_body *branches, void *const *selves, tn_list inputs)
{
    tn_tensor *result = NULL;
    tn_status status = TN_OK;
    size_t depth = tn__scope_begin(context->here), made = 0;
    traced *t = tn__scope_alloc(count * sizeof *t);
    for (; t && made < count && status == TN_OK; made++)
        status = trace(context, &t[made], branches[made], selves[made], inputs, NULL, "a branch");
    if (t && status == TN_OK)
        result = choice(context, index, t, count);
    for (size_t i = 0; i < made; i++)
        traced_free(&t[i]);
    tn__scope_end(depth);
    return tn__own(result);
}

static bool check_index(const tn_tensor *x)
{
    bool number = x->form != TN__TUPLE && tn__in(TN__INTS, (tn_dtype)x->dtype);
    if (!number)
        tn__fail(TN_INVALID_ARGUMENT, "'branch_index' must be an integer Tensor, got %s", x->form == TN__TUPLE ? "a tuple" : TN__TENSOR(x));
    else if (x->shape.known && !tn__shape_fits(&x->shape, &TN_SCALAR))
        tn__fail(TN_INVALID_ARGUMENT, "tn_switch_case: index must have the shape (), got %s", TN__TENSOR(x));
    else
        return true;
    return false;
}

tn_tensor *tn__switch_case(tn_context *context, tn_tensor *index, size_t count, const tn_body *branches, void *const *selves, tn_list inputs)
{
    bool variable_in_graph = index->form == TN__VARIABLE && context->graph;
    if (index->form == TN__SYMBOLIC && !context->graph) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_switch_case: the index is a tensor of a functional model, whose value is not there yet\n"
                                      "put the call into a layer class's call, and the layer into the model");
        return NULL;
    }
    if (index->form == TN__SYMBOLIC || variable_in_graph) {
        tn_tensor *number = index->dtype == TN_INT32 ? tn_identity(index) : tn_cast(index, TN_INT32);
        return number ? choice_traced(context, number, count, branches, selves, inputs) : NULL;
    }
    int64_t at = tn_to_int(index);
    if (tn__failed(context))
        return NULL;
    at = at < 0 || at >= (int64_t)count ? (int64_t)count - 1 : at;
    return run_at_once(context, branches[at], selves[at], inputs, "a branch");
}

tn_tensor *tn_switch_case(tn_tensor *index, size_t count, const tn_body *branches, void *self, tn_list inputs)
{
    TN__ENTER(context, NULL);
    if (!tn__check_tensor(index, "tn_switch_case: index") || !tn__check_tensors(inputs, "tn_switch_case: an input") || !check_index(index))
        return NULL;
    if (count == 0 || !branches) {
        tn__fail(TN_INVALID_ARGUMENT, "Must provide at least one item in 'branch_fns'");
        return NULL;
    }
    void **selves = tn__scope_alloc(count * sizeof *selves);
    for (size_t i = 0; selves && i < count; i++) {
        selves[i] = self;
        if (!branches[i]) {
            tn__fail(TN_INVALID_ARGUMENT, "tn_switch_case: branch %zu is NULL", i);
            return NULL;
        }
    }
    return selves ? tn__switch_case(context, index, count, branches, selves, inputs) : NULL;
}

/* --- tn_while_loop ------------------------------------------------------------------------------------------------------ */
tn_tensor *tn__packed(tn_list values)
{
    return values.count == 1 ? values.item[0] : tn_tuple_of(values);
}

/* A loop's bodies; whether the body gives more than the variables, which is collected then. */
typedef struct {
    tn_body condition, body;
    void *self;
    bool collect;
} program;

/* What the body gave becomes the loop's variables; of another number or dtype it cannot. */
static tn_status check_round(const program *p, tn_list before, tn_tensor *const *after, size_t count)
{
    if (p->collect ? count <= before.count : count != before.count)
        return tn__fail(TN_INVALID_ARGUMENT, "The two structures don't have the same nested structure.\ntn_while_loop: body gives %zu tensor(s), "
                                             "there are %zu loop variables",
                        count, before.count);
    for (size_t i = 0; i < before.count; i++)
        if (after[i]->dtype != before.item[i]->dtype)
            return tn__fail(TN_INVALID_ARGUMENT, "tn_while_loop: loop variable %zu enters as %s and body gives %s\ntn_cast(x, dtype) converts", i,
                            TN__TENSOR(before.item[i]), TN__TENSOR(after[i]));
    return TN_OK;
}

/* A loop that runs at once. */
typedef struct {
    tn_tensor **variable; /* retained */
    size_t variables, width; /* width: what is collected in each round */
    struct {
        tn_tensor **item; /* of round 0, then of round 1, …; retained */
        size_t count, capacity;
    } collected;
} run;

static tn_status test_at_once(tn_context *context, const program *p, tn_list values, bool *on)
{
    tn_tensor *result;
    TN_TRY(tn__run_body(context, p->condition, p->self, values, -1, "condition", &result));
    *on = check_predicate(result, "tn_while_loop: what condition gives") && tn_to_int(result) != 0;
    tn__release(result);
    return context->error.status;
}

static tn_status take_round(run *r, const program *p, tn_tensor *result)
{
    size_t count = tn__flat_count(result), width = count - r->variables;
    tn_tensor **leaves = tn__scope_alloc((count + 1) * sizeof *leaves);
    if (!leaves)
        return TN_RESOURCE_EXHAUSTED;
    tn__flatten(result, leaves);
    TN_TRY(check_round(p, (tn_list){ r->variables, r->variable }, leaves, count));
    if (r->width && width != r->width)
        return tn__fail(TN_INVALID_ARGUMENT, "The two structures don't have the same nested structure.\na loop's body gives %zu tensor(s) to "
                                             "collect in one round and %zu in another", r->width, width);
    r->width = width;
    TN_TRY(TN__RESERVE(&r->collected, width));
    for (size_t i = 0; i < r->variables; i++)
        tn__assign_object(&r->variable[i], leaves[i]);
    for (size_t i = r->variables; i < count; i++)
        r->collected.item[r->collected.count++] = tn__retain(leaves[i]);
    return TN_OK;
}

/* One round in a scope of its own. */
static tn_status round_at_once(tn_context *context, const program *p, run *r, bool *on)
{
    const tn_list values = { r->variables, r->variable };
    tn_tensor *result = NULL;
    size_t depth = tn__scope_begin(context->here);
    tn_status status = test_at_once(context, p, values, on);
    if (status == TN_OK && *on)
        status = tn__run_body(context, p->body, p->self, values, -1, "body", &result);
    if (status == TN_OK && result)
        status = take_round(r, p, result);
    tn__release(result);
    tn__scope_end(depth);
    return status == TN_OK ? context->error.status : status;
}

/* The tensor number `place` of every round. */
static tn_tensor *stack_at_once(const run *r, size_t place)
{
    size_t rounds = r->collected.count / r->width;
    tn_tensor **column = tn__scope_alloc((rounds + 1) * sizeof *column);
    for (size_t i = 0; column && i < rounds; i++)
        column[i] = r->collected.item[i * r->width + place];
    return column ? tn_stack((tn_list){ rounds, column }, 0) : NULL;
}

static tn_tensor *result_at_once(const program *p, const run *r)
{
    if (!p->collect)
        return tn__packed((tn_list){ r->variables, r->variable });
    tn_tensor **all = tn__scope_alloc((r->variables + r->width + 1) * sizeof *all);
    if (!all)
        return NULL;
    memcpy(all, r->variable, r->variables * sizeof *all);
    for (size_t i = 0; i < r->width; i++)
        if (!(all[r->variables + i] = stack_at_once(r, i)))
            return NULL;
    return tn_tuple_of((tn_list){ r->variables + r->width, all });
}

static tn_tensor *loop_at_once(tn_context *context, const program *p, tn_list values)
{
    run r = { .variable = tn__scope_alloc((values.count + 1) * sizeof *r.variable), .variables = values.count };
    bool on = true;
    tn_status status = r.variable ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; r.variable && i < values.count; i++)
        r.variable[i] = tn__retain(values.item[i]);
    while (status == TN_OK && on)
        status = round_at_once(context, p, &r, &on);
    for (size_t i = 0; r.variable && i < values.count; i++)
        tn__own(r.variable[i]);
    tn_tensor *result = status == TN_OK ? result_at_once(p, &r) : NULL;
    for (size_t i = 0; i < r.collected.count; i++)
        tn__release(r.collected.item[i]);
    tn__free(r.collected.item);
    return result;
}

/* A variable that comes out in another shape than it went in has a dimension that is not known; true when that is so for any. */
static bool relax(tn_shape *shapes, size_t variables, const traced *t)
{
    bool relaxed = false;
    for (size_t i = 0; i < variables; i++) {
        tn_shape either = tn__shape_either(&shapes[i], &t->output[i]->shape);
        relaxed |= !tn__shape_equal(&either, &shapes[i]);
        shapes[i] = either;
    }
    return relaxed;
}

static tn_status trace_loop(tn_context *context, const program *p, tn_list values, tn_shape *shapes, traced *test, traced *round)
{
    do {
        traced_free(round);
        TN_TRY(trace(context, round, p->body, p->self, values, shapes, "body"));
        TN_TRY(check_round(p, values, round->output, round->outputs));
    } while (relax(shapes, values.count, round));
    TN_TRY(trace(context, test, p->condition, p->self, values, shapes, "condition"));
    if (test->outputs != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_while_loop: what condition gives must be a bool of shape (), got a tuple of %zu", test->outputs);
    return check_predicate(test->output[0], "tn_while_loop: what condition gives") ? TN_OK : TN_INVALID_ARGUMENT;
}

static bool can_be_stacked(const tn_tensor *x)
{
    return !x->shape.known || x->shape.rank < TN_MAX_RANK;
}

/* What a loop cannot do again for its gradient it keeps of every round. */
static tn_status keep_rounds(tn_context *context, traced *test, traced *round, size_t variables, tn__while_attrs *attrs)
{
    const tn__closure bodies[] = { { .graph = (tn_tensor *)test->graph }, { .graph = (tn_tensor *)round->graph } };
    if (!tn__closure_is_stateful(&bodies[0], true) && !tn__closure_is_stateful(&bodies[1], true))
        return TN_OK;
    TN_TRY(tn__keep(context, &round, 1, &attrs->kept));
    attrs->history = true;
    for (size_t i = 0; i < variables; i++)
        attrs->history &= can_be_stacked(round->graph->input.item[i]);
    for (size_t i = round->outputs - (size_t)attrs->kept; i < round->outputs; i++)
        attrs->history &= can_be_stacked(round->output[i]);
    return TN_OK;
}

static tn_tensor *repeat(tn_context *context, const program *p, tn_list values, traced *test, traced *round)
{
    tn__while_attrs attrs = { .collected = (int64_t)(round->outputs - values.count) };
    outside o = { 0 };
    tn_tensor *result = NULL, *structure = p->collect ? tn_tuple_of((tn_list){ round->outputs, round->output }) : tn__packed(values);
    if (structure && tn__reads_outside(context, (traced *[]){ test, round }, 2) == TN_OK &&
        keep_rounds(context, test, round, values.count, &attrs) == TN_OK && add_outside(&o, test->graph) == TN_OK &&
        add_outside(&o, round->graph) == TN_OK &&
        close(context, test, values.count, &o, &attrs.condition) == TN_OK && close(context, round, values.count, &o, &attrs.body) == TN_OK) {
        bool stateful = tn__closure_is_stateful(&attrs.condition, true) || tn__closure_is_stateful(&attrs.body, true);
        result = apply(context, stateful ? &tn__op_While : &tn__op_StatelessWhile, &attrs, values, &o, structure);
    }
    outside_free(&o);
    return result;
}

static tn_tensor *loop_traced(tn_context *context, const program *p, tn_list values)
{
    traced test = { NULL }, round = { NULL };
    tn_tensor *result = NULL;
    size_t depth = tn__scope_begin(context->here);
    tn_shape *shapes = tn__scope_alloc((values.count + 1) * sizeof *shapes);
    for (size_t i = 0; shapes && i < values.count; i++)
        shapes[i] = values.item[i]->shape;
    if (shapes && trace_loop(context, p, values, shapes, &test, &round) == TN_OK)
        result = repeat(context, p, values, &test, &round);
    traced_free(&test);
    traced_free(&round);
    tn__scope_end(depth);
    return tn__own(result);
}

bool tn__read_values(tn_list given, const char *what, tn_list *values)
{
    tn_tensor **item = tn__scope_alloc((given.count + 1) * sizeof *item);
    for (size_t i = 0; item && i < given.count; i++) {
        if (!tn__check_tensor(given.item[i], what))
            return false;
        item[i] = given.item[i]->form == TN__VARIABLE ? tn_identity(given.item[i]) : given.item[i];
        if (!item[i])
            return false;
    }
    *values = (tn_list){ given.count, item };
    return item != NULL;
}

static bool check_variables(tn_list values)
{
    for (size_t i = 0; i < values.count; i++)
        if (values.item[i]->form == TN__TUPLE) {
            tn__fail(TN_INVALID_ARGUMENT, "tn_while_loop: loop variable %zu is a tuple: give its tensors one by one", i);
            return false;
        }
    for (size_t i = 0; i < values.count; i++)
        if (tn__is_functional(values.item[i])) {
            tn__fail(TN_INVALID_ARGUMENT, "tn_while_loop: loop variable %zu is a tensor of a functional model, whose value is not there yet\n"
                                          "put the loop into a layer class's call, and the layer into the model", i);
            return false;
        }
    return true;
}

tn_tensor *tn_while_loop(tn_body condition, tn_body body, void *self, tn_list loop_variables)
{
    TN__ENTER(context, NULL);
    tn_list values;
    if (!condition || !body || loop_variables.count == 0) {
        tn__fail(TN_INVALID_ARGUMENT, "%s", !condition ? "tn_while_loop: condition is NULL" : !body ? "tn_while_loop: body is NULL" : "No loop variables provided.");
        return NULL;
    }
    if (!tn__read_values(loop_variables, "tn_while_loop: a loop variable", &values) || !check_variables(values))
        return NULL;
    const program p = { condition, body, self, false };
    return context->graph ? loop_traced(context, &p, values) : loop_at_once(context, &p, values);
}

tn_tensor *tn__while_collecting(tn_context *context, tn_body condition, tn_body body, void *self, tn_list variables, bool rounds)
{
    const program p = { condition, body, self, true };
    return context->graph || !rounds ? loop_traced(context, &p, variables) : loop_at_once(context, &p, variables);
}
