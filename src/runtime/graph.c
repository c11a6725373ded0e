/* graph.c - nodes, captures, and running nodes again. */
#include "runtime/dispatch.h"
#include "runtime/graph_names.h"
#include <string.h>

/* --- nodes -------------------------------------------------------------------------------------------------------------- */
static void node_destroy(void *object)
{
    tn__node *node = object;
    for (size_t i = 0; i < node->input_count && node->input; i++)
        tn__release(node->input[i]);
    tn__free(node->input);
    tn__free(node->output);
    if (node->attrs)
        tn__fields_release(node->op->attrs, node->attrs);
    tn__free(node->attrs);
    tn__free(node->control);
    tn__free(node->name);
}

const tn__type tn__type_node = { .name = "operation", .kind = 15, .destroy = node_destroy };

static tn_status copy_attrs(tn__node *node, const void *attrs)
{
    if (!node->op->attrs_size)
        return TN_OK;
    node->attrs = tn__memdup(attrs, node->op->attrs_size);
    return node->attrs ? tn__fields_own(node->op->attrs, node->attrs) : TN_RESOURCE_EXHAUSTED;
}

static tn_status fill_node(tn__node *node, const tn__infer *infer)
{
    TN_TRY(copy_attrs(node, infer->attrs));
    node->input = tn__memdup(infer->input, infer->input_count * sizeof *node->input);
    if (!node->input)
        return TN_RESOURCE_EXHAUSTED;
    node->input_count = infer->input_count;
    for (size_t i = 0; i < node->input_count; i++)
        tn__retain(node->input[i]);
    node->output_count = infer->output_count;
    node->output = tn__alloc_zeroed(infer->output_count, sizeof *node->output);
    if (!node->output)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < infer->output_count; i++) {
        node->output[i].dtype = infer->output[i].dtype;
        node->output[i].shape = infer->output[i].shape;
    }
    return TN_OK;
}

/* The open control dependencies that are of this graph. */
static tn_status take_control(const tn_context *context, const tn_graph *graph, tn__node *node)
{
    size_t most = 0;
    for (const tn__control *c = context->control; c; c = c->outer)
        most += c->count;
    if (most == 0)
        return TN_OK;
    if (!(node->control = tn__alloc(most * sizeof *node->control)))
        return TN_RESOURCE_EXHAUSTED;
    for (const tn__control *c = context->control; c; c = c->outer)
        for (size_t i = 0; i < c->count; i++)
            if (c->item[i]->graph == graph)
                node->control[node->control_count++] = c->item[i];
    return TN_OK;
}

static tn_status name_node(tn_context *context, tn_graph *graph, tn__node *node)
{
    const char *label = node->op->label ? node->op->label : node->op->name;
    node->name = tn__graph_unique(graph, context->name_scope, context->node_name ? context->node_name : label);
    if (!node->name)
        return context->error.status;
    context->node_name = NULL;
    TN_TRY(take_control(context, graph, node));
    return tn__map_set(&graph->v1->named, node->name, node);
}

static tn_status add_to_graph(tn_context *context, tn_graph *graph, tn__node *node)
{
    if (!graph)
        return TN_OK;
    if (graph->finalized)
        return tn__fail(TN_FAILED_PRECONDITION, "Graph is finalized and cannot be modified.");
    node->index = graph->node.count;
    TN_TRY(TN__RESERVE(&graph->node, 1));
    if (graph->v1)
        TN_TRY(name_node(context, graph, node));
    graph->node.item[graph->node.count++] = tn__retain(node);
    return TN_OK;
}

tn_status tn__node_new(tn_context *context, tn_graph *graph, const tn__infer *infer, tn__node **out)
{
    *out = NULL;
    tn__node *node = tn__object_new(&tn__type_node);
    if (!node)
        return TN_RESOURCE_EXHAUSTED;
    node->op = infer->op;
    node->graph = graph;
    node->here = context->here;
    tn_status status = fill_node(node, infer);
    if (status == TN_OK)
        status = add_to_graph(context, graph, node);
    if (status != TN_OK) {
        tn__release(node);
        return status;
    }
    node->first_id = tn__next_ids(context, node->output_count + !node->output_count);
    *out = node;
    return TN_OK;
}

tn_tensor *tn__node_output(tn__node *node, size_t index)
{
    tn_tensor *x = tn__object_new(&tn__type_tensor);
    if (!x)
        return NULL;
    x->form = TN__SYMBOLIC;
    x->dtype = (uint8_t)node->output[index].dtype;
    x->shape = node->output[index].shape;
    x->id = node->first_id + index;
    x->of.output.node = tn__retain(node);
    x->of.output.index = (int)index;
    return x;
}

tn_tensor *tn__node_target(tn__node *node)
{
    if (node->output_count)
        return tn__node_output(node, 0);
    tn_tensor *x = tn__object_new(&tn__type_tensor);
    if (!x)
        return NULL;
    x->form = TN__SYMBOLIC;
    x->id = node->first_id;
    x->of.output.node = tn__retain(node);
    return x;
}

/* --- graphs ------------------------------------------------------------------------------------------------------------- */
static void forget_variable(tn__graph_variable *v)
{
    v->variable->of.variable->graph = NULL;
    tn__release(v->initial);
    tn__release(v->read);
    tn__release(v->initializer);
    tn__release(v->variable);
}

static void forget_v1(tn__v1_graph *v1)
{
    if (!v1)
        return;
    for (size_t i = 0; i < v1->variable.count; i++)
        forget_variable(&v1->variable.item[i]);
    tn__free(v1->variable.item);
    tn__release(v1->store);
    tn__map_free(&v1->names);
    tn__map_free(&v1->named);
    tn__free(v1);
}

static void graph_destroy(void *object)
{
    tn_graph *graph = object;
    tn__hooks.free_programs(graph->programs);
    for (size_t i = 0; i < graph->input.count; i++)
        tn__release(graph->input.item[i]);
    for (size_t i = graph->node.count; i-- > 0;) { /* users before what they use */
        graph->node.item[i]->graph = NULL;
        graph->node.item[i]->orphan = true;
        tn__release(graph->node.item[i]);
    }
    for (size_t i = 0; i < graph->captured.count; i++) {
        tn__release(graph->captured.item[i].outer);
        tn__release(graph->captured.item[i].inner);
    }
    forget_v1(graph->v1);
    tn__free(graph->captured.item);
    tn__free(graph->input.item);
    tn__free(graph->node.item);
    tn__ids_free(&graph->constants);
    tn__ids_free(&graph->variables);
}

const tn__type tn__type_graph = { .name = "graph", .kind = 11, .destroy = graph_destroy };

tn_graph *tn__graph_new(void)
{
    const tn_context *context = tn__context();
    tn_graph *graph = tn__object_new(&tn__type_graph);
    if (graph && context->graph)
        graph->random = (tn__random_graph){ context->graph->random.seeded, context->graph->random.seed, 0 };
    else if (graph)
        graph->random = tn__random_graph_begin(&context->random);
    return graph;
}

tn_graph *tn__graph_new_v1(void)
{
    tn_graph *graph = tn__object_new(&tn__type_graph); /* without a seed, whatever was set outside */
    if (!graph || (graph->v1 = tn__alloc_zeroed(1, sizeof *graph->v1)))
        return graph;
    tn__release(graph);
    return NULL;
}

/* A node without inputs whose attributes are given; used for what a graph begins with. */
static tn_status leaf(tn_context *context, tn_graph *graph, const tn__op *op, const void *attrs, tn_dtype dtype, const tn_shape *shape,
                      tn__node **node)
{
    __typeof__(*((tn__infer *)0)->output) output = { dtype, *shape };
    tn__infer infer = { .op = op, .attrs = attrs, .output_count = 1, .output = (void *)&output };
    return tn__node_new(context, graph, &infer, node);
}

/* The node that stands for a value or a variable. It waits for nothing, and the name of the node on whose way it is made is not its
 * own. */
static tn_status capture_leaf(tn_context *context, tn_graph *graph, tn_tensor *x, const char *name, size_t *index)
{
    bool variable = x->form == TN__VARIABLE;
    const char *outer_name = context->node_name;
    tn__control *control = context->control;
    tn__node *node;
    context->node_name = name;
    context->control = NULL;
    tn_status status = variable ? leaf(context, graph, &tn__op_VarHandleOp, &x, (tn_dtype)TN__RESOURCE, &TN_SCALAR, &node)
                                : leaf(context, graph, &tn__op_Const, &x, (tn_dtype)x->dtype, &x->shape, &node);
    context->node_name = outer_name;
    context->control = control;
    TN_TRY(status);
    *index = node->index;
    tn__release(node);
    return tn__ids_set(variable ? &graph->variables : &graph->constants, x->id, *index);
}

tn_status tn__graph_handle(tn_context *context, tn_graph *graph, tn_tensor *variable, const char *name)
{
    size_t index;
    return capture_leaf(context, graph, variable, name, &index);
}

tn_status tn__graph_input(tn_context *context, tn_graph *graph, tn_dtype dtype, const tn_shape *shape, const char *name, tn_tensor **input)
{
    const tn__placeholder_attrs attrs = { dtype, *shape };
    tn__node *node;
    *input = NULL;
    context->node_name = name;
    tn_status status = leaf(context, graph, &tn__op_Placeholder, &attrs, dtype, shape, &node);
    context->node_name = NULL;
    TN_TRY(status);
    if (!name || node->name || (node->name = tn__strdup(name)))
        *input = tn__node_output(node, 0);
    tn__release(node);
    if (*input && graph && TN__PUSH(&graph->input, *input) == TN_OK)
        tn__retain(*input);
    else if (graph)
        tn__assign_object(input, NULL);
    return *input ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* The node that stands for a value or variable in this graph, made at its first use. */
static tn_status stand_in(tn_context *context, tn_graph *graph, tn_tensor *x, tn_tensor **captured)
{
    size_t at;
    if (!tn__ids_get(x->form == TN__VARIABLE ? &graph->variables : &graph->constants, x->id, &at))
        TN_TRY(capture_leaf(context, graph, x, NULL, &at));
    *captured = tn__node_output(graph->node.item[at], 0);
    return *captured ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

tn_status tn__graph_number(tn_graph *graph)
{
    tn__ids_free(&graph->constants);
    tn__ids_free(&graph->variables);
    for (size_t i = 0; i < graph->node.count; i++) {
        tn__node *node = graph->node.item[i];
        const tn_tensor *captured = tn__node_capture(node);
        node->index = i;
        if (captured)
            TN_TRY(tn__ids_set(captured->form == TN__VARIABLE ? &graph->variables : &graph->constants, captured->id, i));
    }
    return TN_OK;
}

static bool is_round(const tn_graph *graph, const tn_graph *wanted)
{
    while (graph->closure && graph->outer && graph->outer != wanted)
        graph = graph->outer;
    return wanted && graph->closure && graph->outer == wanted;
}

/* The input of a closure that stands for a tensor of a graph round it, made at its first use. */
static tn_status capture_outer(tn_context *context, tn_graph *graph, tn_tensor *x, tn_tensor **captured)
{
    for (size_t i = 0; i < graph->captured.count; i++)
        if (graph->captured.item[i].outer->id == x->id) {
            *captured = tn__retain(graph->captured.item[i].inner);
            return TN_OK;
        }
    tn_tensor *outer;
    TN_TRY(tn__graph_capture(context, graph->outer, x, &outer)); /* it may be a closure itself */
    tn__release(outer);
    TN_TRY(TN__RESERVE(&graph->captured, 1));
    TN_TRY(tn__graph_input(context, graph, (tn_dtype)x->dtype, &x->shape, NULL, captured));
    graph->captured.item[graph->captured.count].outer = tn__retain(x);
    graph->captured.item[graph->captured.count++].inner = tn__retain(*captured);
    return TN_OK;
}

static tn_status fail_foreign(const tn_graph *graph, const tn_tensor *x)
{
    const tn__node *node = x->of.output.node;
    const char *here = node->here ? node->here : "an unknown line";
    if (graph->v1)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Tensor(\"%s:%d\") must be from the same graph as what is made here.\nit was made at %s, while another graph was the default one\n"
                        "make both inside the same TN_WITH(tn_graph_as_default(g))",
                        node->name ? node->name : node->op->name, x->of.output.index, here);
    return tn__fail(TN_INVALID_ARGUMENT,
                    TN__OUT_OF_SCOPE "\nit belongs to another function or graph, where it was made at %s\nreturn it from there, or pass it as an "
                    "argument", TN__TENSOR(x), here);
}

tn_status tn__graph_capture(tn_context *context, tn_graph *graph, tn_tensor *x, tn_tensor **captured)
{
    *captured = NULL;
    if (x->form != TN__SYMBOLIC)
        return stand_in(context, graph, x, captured);
    if (is_round(graph, x->of.output.node->graph))
        return capture_outer(context, graph, x, captured);
    if (x->of.output.node->graph != graph)
        return fail_foreign(graph, x);
    *captured = tn__retain(x);
    return TN_OK;
}

/* --- what nodes need ---------------------------------------------------------------------------------------------------- */
void tn__graph_mark_needed(const tn_graph *graph, const bool *cut, bool *needed)
{
    for (size_t i = graph->node.count; i-- > 0;) {
        const tn__node *node = graph->node.item[i];
        needed[i] &= !cut[i];
        for (size_t k = 0; needed[i] && k < node->input_count; k++)
            needed[node->input[k]->of.output.node->index] = true;
        for (size_t k = 0; needed[i] && k < node->control_count; k++)
            needed[node->control[k]->index] = true;
    }
}

/* --- running nodes again ------------------------------------------------------------------------------------------------ */
typedef struct {
    tn_context *context;
    tn__ids place;      /* id of an output to its index + 1 in `value` */
    tn_tensor **value;  /* retained */
    size_t count;
} replay;

static tn_tensor *stand_for(const replay *r, const tn_tensor *x)
{
    size_t at;
    return tn__ids_get(&r->place, x->id, &at) ? r->value[at] : NULL;
}

static tn_status remember(replay *r, uint64_t id, tn_tensor *value)
{
    r->value[r->count] = tn__retain(value);
    return tn__ids_set(&r->place, id, r->count++);
}

static tn_status run_again(replay *r, const tn__node *node, tn_tensor *const *inputs, tn_tensor **outputs)
{
    tn_status status = tn__dispatch(r->context, node->op, node->attrs, inputs, node->input_count, outputs, node->output_count);
    for (size_t i = 0; i < node->output_count && outputs[i]; i++) {
        if (status == TN_OK)
            status = remember(r, node->first_id + i, outputs[i]);
        tn__release(outputs[i]);
    }
    return status;
}

/* Its outputs are there already: it does not run, the tapes see that it did. */
static tn_status record_known(const replay *r, const tn__node *node, tn_tensor *const *inputs, tn_tensor **outputs)
{
    size_t at;
    for (size_t i = 0; i < node->output_count; i++)
        if (tn__ids_get(&r->place, node->first_id + i, &at))
            outputs[i] = r->value[at];
        else
            return tn__fail(TN_INTERNAL, "%s has outputs that are not known", node->op->name);
    if (!r->context->tapes || r->context->tape_pause)
        return TN_OK;
    return tn__hooks.record(r->context, node->op, node->attrs, inputs, node->input_count, outputs, node->output_count);
}

static tn_status replay_node(replay *r, tn__node *node)
{
    tn_tensor *captured = tn__node_capture(node);
    if (captured)
        return remember(r, node->first_id, captured);
    if (node->op == &tn__op_Placeholder)
        return tn__fail(TN_INVALID_ARGUMENT, "You must feed a value for placeholder tensor '%s'", node->name ? node->name : "Placeholder");
    tn_tensor *local[16], **inputs = local, **outputs;
    size_t count = node->input_count + node->output_count, known;
    if (count > 16 && !(inputs = tn__alloc(count * sizeof *inputs)))
        return TN_RESOURCE_EXHAUSTED;
    outputs = inputs + node->input_count;
    for (size_t i = 0; i < node->output_count; i++)
        outputs[i] = NULL;
    tn_status status = TN_OK;
    for (size_t i = 0; i < node->input_count && status == TN_OK; i++) {
        inputs[i] = node->input[i]->form == TN__SYMBOLIC ? stand_for(r, node->input[i]) : node->input[i];
        if (!inputs[i])
            status = tn__fail(TN_INTERNAL, "%s is used before it was computed", node->input[i]->of.output.node->op->name);
    }
    if (status == TN_OK && node->output_count && tn__ids_get(&r->place, node->first_id, &known))
        status = record_known(r, node, inputs, outputs);
    else if (status == TN_OK)
        status = run_again(r, node, inputs, outputs);
    if (inputs != local)
        tn__free(inputs);
    return status;
}

/* Marks what the outputs need, from the last node to the first; what is replaced is not run. */
static tn_status mark_needed(tn__node *const *nodes, size_t count, tn_tensor *const *inputs, size_t input_count, bool effects,
                             tn_tensor *const *outputs, size_t output_count, bool *needed)
{
    tn__ids index = { 0 }, replaced = { 0 };
    tn_status status = TN_OK;
    size_t at;
    for (size_t i = 0; i < input_count && status == TN_OK; i++)
        status = tn__ids_set(&replaced, inputs[i]->of.output.node->first_id, 1);
    for (size_t i = 0; i < count && status == TN_OK; i++)
        for (size_t k = 0; k < nodes[i]->output_count && status == TN_OK; k++)
            status = tn__ids_set(&index, nodes[i]->first_id + k, i);
    for (size_t i = 0; i < output_count && status == TN_OK; i++)
        if (outputs[i] && tn__ids_get(&index, outputs[i]->id, &at))
            needed[at] = true;
    for (size_t i = count; i-- > 0 && status == TN_OK;) {
        needed[i] |= effects && (nodes[i]->op->flags & TN__STATEFUL) && nodes[i]->op != &tn__op_Placeholder && !tn__node_capture(nodes[i]);
        needed[i] &= !tn__ids_get(&replaced, nodes[i]->first_id, &at);
        for (size_t k = 0; needed[i] && k < nodes[i]->input_count; k++)
            if (tn__ids_get(&index, nodes[i]->input[k]->id, &at))
                needed[at] = true;
    }
    tn__ids_free(&index);
    tn__ids_free(&replaced);
    return status;
}

static tn_status replay_all(replay *r, tn__node *const *nodes, size_t count, const bool *needed, tn_tensor *const *inputs,
                            tn_tensor *const *replaced, size_t input_count)
{
    for (size_t i = 0; i < input_count; i++)
        TN_TRY(remember(r, inputs[i]->id, replaced[i]));
    for (size_t i = 0; i < count; i++)
        if (needed[i])
            TN_TRY(replay_node(r, nodes[i]));
    return TN_OK;
}

static tn_status replay_nodes(replay *r, tn__node *const *nodes, size_t count, tn_tensor *const *inputs, tn_tensor *const *replaced,
                              size_t input_count, bool effects, tn_tensor *const *outputs, tn_tensor **results, size_t output_count)
{
    bool *needed = tn__alloc_zeroed(count, sizeof *needed);
    tn_status status = needed ? mark_needed(nodes, count, inputs, input_count, effects, outputs, output_count, needed) : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        status = replay_all(r, nodes, count, needed, inputs, replaced, input_count);
    for (size_t i = 0; i < output_count && status == TN_OK; i++)
        if (outputs[i])
            results[i] = tn__retain(outputs[i]->form == TN__SYMBOLIC ? stand_for(r, outputs[i]) : outputs[i]);
    tn__free(needed);
    return status;
}

static tn_status replay_begin(replay *r, tn__node *const *nodes, size_t count, size_t inputs, const tn__known *known)
{
    size_t values = inputs;
    for (size_t i = 0; i < count; i++)
        values += nodes[i]->output_count;
    if (!(r->value = tn__alloc(values * sizeof(tn_tensor *))))
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < known->count; i++)
        TN_TRY(remember(r, known->output[i]->id, known->value[i]));
    return TN_OK;
}

static tn_status replay_with(tn_context *context, tn__node *const *nodes, size_t count, tn_tensor *const *inputs, tn_tensor *const *replaced,
                             size_t input_count, bool effects, const tn__known *known, tn_tensor *const *outputs, tn_tensor **results,
                             size_t output_count)
{
    replay r = { .context = context };
    for (size_t i = 0; i < output_count; i++)
        results[i] = NULL;
    tn_status status = replay_begin(&r, nodes, count, input_count, known);
    if (status == TN_OK)
        status = replay_nodes(&r, nodes, count, inputs, replaced, input_count, effects, outputs, results, output_count);
    for (size_t i = 0; i < r.count; i++)
        tn__release(r.value[i]);
    tn__free(r.value);
    tn__ids_free(&r.place);
    return status;
}

tn_status tn__graph_replay(tn_context *context, tn__node *const *nodes, size_t count, tn_tensor *const *inputs, tn_tensor *const *replaced,
                           size_t input_count, bool effects, tn_tensor *const *outputs, tn_tensor **results, size_t output_count)
{
    const tn__known none = { NULL, NULL, 0 };
    return replay_with(context, nodes, count, inputs, replaced, input_count, effects, &none, outputs, results, output_count);
}

tn_status tn__graph_replay_known(tn_context *context, tn__node *const *nodes, size_t count, tn_tensor *const *inputs,
                                 tn_tensor *const *replaced, size_t input_count, const tn__known *known, tn_tensor *const *outputs,
                                 tn_tensor **results, size_t output_count)
{
    return replay_with(context, nodes, count, inputs, replaced, input_count, false, known, outputs, results, output_count);
}
