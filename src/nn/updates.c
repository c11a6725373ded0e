/* updates.c - what calls of layers assign in a graph of TensorFlow 1: the collection "update_ops". */
#include "nn/layer.h"
#include "function/store.h"
#include "ops/ops.h"

/* A random layer's state moves by itself: its numbers wait for that. */
static bool is_update(const tn__node *node)
{
    if (!(node->op->flags & TN__STATEFUL) || node->output_count || !node->input_count)
        return false;
    const tn_tensor *variable = tn__variable_behind(node->input[0]);
    return variable && !variable->of.variable->seed;
}

static tn_status collect(tn_store *store, tn__node *node)
{
    tn_tensor *target = tn__node_target(node);
    tn_status status = target ? tn__collect(store, "update_ops", target) : TN_RESOURCE_EXHAUSTED;
    tn__release(target);
    return status;
}

tn_status tn__collect_updates(tn_context *context, tn_graph *graph, size_t first)
{
    tn_status status = TN_OK;
    tn__making_begin(context); /* the store is shared by threads */
    tn_store *store = tn__store_of_graph(graph);
    for (size_t i = first; store && i < graph->node.count && status == TN_OK; i++)
        if (is_update(graph->node.item[i]))
            status = collect(store, graph->node.item[i]);
    tn__making_end(context);
    return store ? status : TN_RESOURCE_EXHAUSTED;
}
