/* reads.c - what branches and loops only read of variables is read before them.
 *
 * A gradient runs a closure again, later: what it reads must be what it was then. A value that comes in from outside is. */
#include "function/control.h"
#include "ops/ops.h"

static bool is_handle(const tn_tensor *x, const tn_tensor *variable)
{
    return x->form == TN__SYMBOLIC && tn__node_variable(x->of.output.node) == variable;
}

static bool is_read_of(const tn__node *node, const tn_tensor *variable)
{
    return node->op == &tn__op_ReadVariableOp && is_handle(node->input[0], variable);
}

/* Does nothing in the bodies but read it? */
static bool is_only_read(const tn__traced *const *bodies, size_t count, const tn_tensor *variable)
{
    for (size_t b = 0; b < count; b++)
        for (size_t i = 0; i < bodies[b]->graph->node.count; i++) {
            const tn__node *node = bodies[b]->graph->node.item[i];
            for (size_t k = 0; k < node->input_count; k++)
                if (is_handle(node->input[k], variable) && node->op != &tn__op_ReadVariableOp)
                    return false;
        }
    return true;
}

static bool has(const tn_graph *graph, const tn_tensor *variable)
{
    for (size_t i = 0; i < graph->node.count; i++)
        if (tn__node_variable(graph->node.item[i]) == variable)
            return true;
    return false;
}

static void replace_read(tn_tensor **x, const tn_tensor *variable, tn_tensor *value)
{
    if ((*x)->form == TN__SYMBOLIC && is_read_of((*x)->of.output.node, variable))
        tn__assign_object(x, value);
}

static void replace_reads(const tn__traced *t, const tn_tensor *variable, tn_tensor *value)
{
    for (size_t i = 0; i < t->graph->node.count; i++)
        for (size_t k = 0; k < t->graph->node.item[i]->input_count; k++)
            replace_read(&t->graph->node.item[i]->input[k], variable, value);
    for (size_t i = 0; i < t->outputs; i++)
        replace_read(&t->output[i], variable, value);
}

static void let_go(tn__node *node)
{
    node->graph = NULL;
    node->orphan = true;
    tn__release(node);
}

/* The last node, the input, goes where the variable stood; that and its reads go. */
static void put_input(tn_graph *graph, const tn_tensor *variable)
{
    tn__node **item = graph->node.item, *input = item[--graph->node.count];
    size_t kept = 0;
    for (size_t i = 0; i < graph->node.count; i++) {
        tn__node *node = item[i];
        bool stood = tn__node_variable(node) == variable;
        if (stood || is_read_of(node, variable))
            let_go(node);
        else
            item[kept++] = node;
        if (stood)
            item[kept++] = input;
    }
    graph->node.count = kept;
}

/* The body takes the value as an input. */
static tn_status take_value(tn_context *context, const tn__traced *t, const tn_tensor *variable, tn_tensor *value)
{
    tn_tensor *input;
    if (!has(t->graph, variable))
        return TN_OK;
    t->graph->outer = context->graph;
    tn_status status = tn__graph_capture(context, t->graph, value, &input);
    t->graph->outer = NULL;
    TN_TRY(status);
    replace_reads(t, variable, input);
    put_input(t->graph, variable);
    tn__release(input);
    return tn__graph_number(t->graph);
}

static tn_status read_outside(tn_context *context, tn__traced *const *bodies, size_t count, tn_tensor *variable)
{
    tn_tensor *value;
    TN_TRY(tn__plain(context, variable, &value));
    tn_status status = TN_OK;
    for (size_t i = 0; i < count && status == TN_OK; i++)
        status = take_value(context, bodies[i], variable, value);
    tn__release(value);
    return status;
}

/* There names are counted, and a session computes gradients with what it updates. */
static bool is_in_v1(const tn_graph *graph)
{
    while (graph && !graph->v1)
        graph = graph->outer;
    return graph != NULL;
}

tn_status tn__reads_outside(tn_context *context, tn__traced *const *bodies, size_t count)
{
    if (is_in_v1(context->graph))
        return TN_OK;
    for (size_t b = 0; b < count; b++)
        for (size_t i = 0; i < bodies[b]->graph->node.count; i++) {
            tn_tensor *variable = tn__node_variable(bodies[b]->graph->node.item[i]);
            if (!variable || !is_only_read((const tn__traced *const *)bodies, count, variable))
                continue;
            tn__retain(variable);
            tn_status status = read_outside(context, bodies, count, variable);
            tn__release(variable);
            TN_TRY(status);
        }
    return TN_OK;
}
