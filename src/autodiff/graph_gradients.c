/* graph_gradients.c - tf.gradients: the nodes of a graph as the records that a tape would have made
 * of them. */
#include "autodiff/tape.h"
#include "base/text.h"
#include "ops/ops.h"
#include "runtime/graph_names.h"
#include <string.h>

/* One call. */
typedef struct {
    tn_context *context;
    const tn_graph *graph;
    tn_tensor **target, **seed; /* of the innermost scope */
    size_t targets;
    bool *needed; /* by node: do targets depend on it? */
    struct {
        tn__record *item;
        size_t count, capacity;
    } record;
} request;

/* --- what is asked
 * ------------------------------------------------------------------------------------------------------
 */
static tn_status check_list(tn_list list, const char *what)
{
    if (list.count && !list.item)
        return tn__fail(TN_INVALID_ARGUMENT, "%s is NULL: the list", what);
    for (size_t i = 0; i < list.count; i++)
        if (!tn__check_tensor(list.item[i], what))
            return TN_INVALID_ARGUMENT;
    return TN_OK;
}

static tn_status check_target(const tn_graph *graph, const tn_tensor *x)
{
    if (x->form != TN__SYMBOLIC || x->of.output.node->graph == graph)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "tn_gradients: target %s is not of the graph that ops go to now\nmade at %s",
                    TN__TENSOR(x),
                    x->of.output.node->here ? x->of.output.node->here : "an unknown line");
}

static tn_status check_request(const request *r, const tn_gradients_options *o)
{
    TN_TRY(check_list(o->sources, "tn_gradients: a source"));
    TN_TRY(check_list(o->stop_gradients, "tn_gradients: an item of stop_gradients"));
    if (o->grad_ys.count && o->grad_ys.count != r->targets)
        return tn__fail(TN_INVALID_ARGUMENT, "Length mismatch. Passed %zu grad_ys for %zu ys",
                        o->grad_ys.count, r->targets);
    for (size_t i = 0; i < r->targets; i++) {
        TN_TRY(check_target(r->graph, r->target[i]));
        if (o->grad_ys.count && o->grad_ys.item[i])
            TN_TRY(tn__check_seed(o->grad_ys.item[i], r->target[i], "tn_gradients: grad_ys"));
    }
    return TN_OK;
}

/* --- which nodes
 * --------------------------------------------------------------------------------------------------------
 */
static tn__node *node_in(const request *r, const tn_tensor *x)
{
    return x->form == TN__SYMBOLIC && x->of.output.node->graph == r->graph ? x->of.output.node
                                                                           : NULL;
}

/* From the targets back; what stop_gradients names is a constant. */
static tn_status mark_needed(request *r, tn_list stops)
{
    bool *stopped = tn__scope_alloc(r->graph->node.count + 1);
    if (!stopped || !(r->needed = tn__scope_alloc(r->graph->node.count + 1)))
        return TN_RESOURCE_EXHAUSTED;
    memset(stopped, 0, r->graph->node.count);
    memset(r->needed, 0, r->graph->node.count);
    for (size_t i = 0; i < stops.count; i++)
        if (node_in(r, stops.item[i]))
            stopped[stops.item[i]->of.output.node->index] = true;
    for (size_t i = 0; i < r->targets; i++)
        if (node_in(r, r->target[i]))
            r->needed[r->target[i]->of.output.node->index] = true;
    tn__graph_mark_needed(r->graph, stopped, r->needed);
    return TN_OK;
}

/* --- nodes as records
 * ---------------------------------------------------------------------------------------------------
 */
/* Programs name variables and values themselves, not the nodes that stand for them. */
static tn_tensor *as_named(tn_tensor *input)
{
    const tn__node *node = input->form == TN__SYMBOLIC ? input->of.output.node : NULL;
    return node && (node->op == &tn__op_VarHandleOp || node->op == &tn__op_Const)
               ? *(tn_tensor **)node->attrs
               : input;
}

static tn_status add_record(request *r, tn__node *node)
{
    size_t count = node->input_count + node->output_count;
    tn_tensor **item = tn__scope_alloc((count + 1) * sizeof *item);
    if (!item)
        return TN_RESOURCE_EXHAUSTED;
    tn__record record = {
        node->op,          node->attrs,        item,      item + node->input_count,
        node->input_count, node->output_count, node->name
    };
    for (size_t i = 0; i < node->input_count; i++)
        item[i] = as_named(node->input[i]);
    for (size_t i = 0; i < node->output_count; i++)
        if (!(record.output[i] = tn__own(tn__node_output(node, i))))
            return TN_RESOURCE_EXHAUSTED;
    return TN__PUSH(&r->record, record);
}

static tn_status add_records(request *r)
{
    for (size_t i = 0; i < r->graph->node.count; i++) {
        tn__node *node = r->graph->node.item[i];
        if (r->needed[i] && node->op->gradient && node->output_count)
            TN_TRY(add_record(r, node));
    }
    return TN_OK;
}

/* --- the gradients themselves, under the name scope "gradients"
 * ------------------------------------------------------------ */
/* Ones like each target, under TensorFlow's name for them. */
static tn_status add_seeds(request *r, tn_list given)
{
    if (!(r->seed = tn__scope_alloc((r->targets + 1) * sizeof *r->seed)))
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < r->targets; i++) {
        r->seed[i] = given.count ? given.item[i] : NULL;
        if (r->seed[i] || !tn__in(TN__FLOATS, (tn_dtype)r->target[i]->dtype))
            continue;
        char *name = tn__scope_print("grad_ys_%zu", i);
        tn_tensor *shape = tn__shape_tensor(r->target[i]), *one = tn__like(r->target[i], 1);
        r->context->node_name = name;
        r->seed[i] = TN__APPLY(tn__op_Fill, NULL, shape, one);
        r->context->node_name = NULL;
        if (!r->seed[i])
            return r->context->error.status;
    }
    return TN_OK;
}

static tn_status walk_named(request *r, const tn_gradients_options *o, tn_tensor **gradients)
{
    TN_TRY(add_seeds(r, o->grad_ys));
    TN_TRY(tn__gradients_of(r->context, r->record.item, r->record.count, r->target, r->seed,
                            r->targets, o->sources.item, o->sources.count, gradients));
    return tn__connect(o->unconnected_gradients, o->sources, gradients, "tn_gradients");
}

static tn_status walk(request *r, const tn_gradients_options *o, tn_tensor **gradients)
{
    tn_context *context = r->context;
    const char *outer = context->name_scope;
    char *scope = NULL;
    if (r->graph->v1 &&
        !(scope = tn__graph_unique(context->graph, outer, o->name ? o->name : "gradients")))
        return TN_RESOURCE_EXHAUSTED;
    context->name_scope = scope ? scope : outer;
    tn_status status = walk_named(r, o, gradients);
    context->name_scope = outer;
    tn__free(scope);
    return status;
}

static tn_status compute(request *r, const tn_gradients_options *o, tn_tensor **gradients)
{
    r->targets = tn__flat_count(o->target);
    if (!(r->target = tn__scope_alloc((r->targets + 1) * sizeof *r->target)))
        return TN_RESOURCE_EXHAUSTED;
    tn__flatten(o->target, r->target);
    TN_TRY(check_request(r, o));
    TN_TRY(mark_needed(r, o->stop_gradients));
    TN_TRY(add_records(r));
    return walk(r, o, gradients);
}

tn_list tn_gradients_new(const tn_gradients_options *options)
{
    tn_list none = { 0, NULL };
    TN__ENTER_OPTIONS(context, options, none);
    request r = { .context = context, .graph = context->graph };
    if (!tn__check_tensor(options->target, "tn_gradients: target"))
        return none;
    if (!r.graph) {
        tn__fail(TN_FAILED_PRECONDITION, "tf.gradients is not supported when eager execution is "
                                         "enabled. Use tf.GradientTape instead.\n"
                                         "here: tn_gradient_tape() and tn_gradient()");
        return none;
    }
    tn_tensor **gradients = tn__scope_alloc((options->sources.count + 1) * sizeof *gradients);
    for (size_t i = 0; gradients && i < options->sources.count; i++)
        gradients[i] = NULL;
    size_t depth = tn__scope_begin("tn_gradients");
    tn_status status = gradients ? compute(&r, options, gradients) : TN_RESOURCE_EXHAUSTED;
    tn__scope_end(depth);
    tn__free(r.record.item);
    for (size_t i = 0; gradients && i < options->sources.count; i++)
        if (gradients[i])
            tn__own(gradients[i]);
    return status == TN_OK && !tn__failed(context) ? (tn_list){ options->sources.count, gradients }
                                                   : none;
}
