/* keep.c - what comes out of branches and rounds for their gradients.
 *
 * A gradient runs a closure again. What would not be the same then, a reading of a variable that is
 * assigned there or a draw from a stateful generator, is kept: it comes out as one more output, and
 * the gradient takes it from there. */
#include "function/control.h"
#include <string.h>

typedef struct {
    tn_tensor **item; /* retained */
    size_t count, capacity;
} list;

static void list_free(list *l)
{
    for (size_t i = 0; i < l->count; i++)
        tn__release(l->item[i]);
    tn__free(l->item);
    *l = (list){ NULL };
}

/* What the marked nodes are computed of, by index; not what only ran before them. */
static void mark_values(const tn_graph *graph, bool *needed)
{
    for (size_t i = graph->node.count; i-- > 0;)
        for (size_t k = 0; needed[i] && k < graph->node.item[i]->input_count; k++)
            needed[graph->node.item[i]->input[k]->of.output.node->index] = true;
}

static tn_status take_outputs(list *l, tn__node *node)
{
    TN_TRY(TN__RESERVE(l, node->output_count));
    for (size_t i = 0; i < node->output_count; i++) {
        tn_tensor *x = tn__node_output(node, i);
        if (!x)
            return TN_RESOURCE_EXHAUSTED;
        l->item[l->count++] = x;
    }
    return TN_OK;
}

/* What the outputs that gradients arrive at are computed of. */
static tn_status find(const tn__traced *t, list *l)
{
    const tn_graph *graph = t->graph;
    bool *needed = tn__scope_alloc(graph->node.count + 1);
    if (!needed)
        return TN_RESOURCE_EXHAUSTED;
    memset(needed, 0, graph->node.count + 1);
    for (size_t i = 0; i < t->outputs; i++)
        if (tn__in(TN__FLOATS, (tn_dtype)t->output[i]->dtype))
            needed[t->output[i]->of.output.node->index] = true;
    mark_values(graph, needed);
    for (size_t i = 0; i < graph->node.count; i++)
        if (needed[i] && tn__node_is_stateful(graph->node.item[i], true))
            TN_TRY(take_outputs(l, graph->node.item[i]));
    return TN_OK;
}

/* What stands in another branch for what is kept of this one: nothing, of the same rank. */
static tn_status placeholder(tn_context *context, tn_graph *graph, const tn_tensor *kept,
                             tn_tensor **output)
{
    tn_shape shape = kept->shape.known ? kept->shape : TN_SHAPE(0);
    for (int i = 0; i < shape.rank; i++)
        if (i == 0 || shape.dims[i] < 0)
            shape.dims[i] = 0;
    tn_tensor *nothing = tn__tensor_fill((tn_dtype)kept->dtype, &shape, 0);
    if (!nothing)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = tn__graph_capture(context, graph, nothing, output);
    tn__release(nothing);
    return status;
}

/* All bodies give all that is kept, each its own and what stands for the others'. */
static tn_status add_outputs(tn_context *context, tn__traced *const *bodies, size_t body,
                             const list *kept, size_t count, size_t total)
{
    tn__traced *t = bodies[body];
    tn_tensor **all = tn__alloc_zeroed(t->outputs + total, sizeof *all);
    if (!all)
        return TN_RESOURCE_EXHAUSTED;
    memcpy(all, t->output, t->outputs * sizeof *all);
    tn__free(t->output);
    t->output = all;
    for (size_t b = 0; b < count; b++)
        for (size_t i = 0; i < kept[b].count; i++) {
            tn_tensor *x = NULL;
            if (b == body)
                x = tn__retain(kept[b].item[i]);
            else
                TN_TRY(placeholder(context, t->graph, kept[b].item[i], &x));
            t->output[t->outputs++] = x;
        }
    return TN_OK;
}

static tn_status keep(tn_context *context, tn__traced *const *bodies, size_t count, list *found,
                      int64_t *kept)
{
    size_t total = 0;
    for (size_t b = 0; b < count; b++) {
        TN_TRY(find(bodies[b], &found[b]));
        total += found[b].count;
    }
    for (size_t b = 0; b < count && total; b++)
        TN_TRY(add_outputs(context, bodies, b, found, count, total));
    *kept = (int64_t)total;
    return TN_OK;
}

tn_status tn__keep(tn_context *context, tn__traced *const *bodies, size_t count, int64_t *kept)
{
    list *found = tn__scope_alloc(count * sizeof *found);
    *kept = 0;
    if (!found)
        return TN_RESOURCE_EXHAUSTED;
    memset(found, 0, count * sizeof *found);
    tn_status status = keep(context, bodies, count, found, kept);
    for (size_t b = 0; b < count; b++)
        list_free(&found[b]);
    return status;
}
