/* graph_variable.c - variables of TensorFlow 1 graphs: a handle, a first value, the assignment of it, and a read. */
#include "function/frame.h"
#include "function/store.h"
#include "base/text.h"
#include "ops/ops.h"
#include "runtime/graph_names.h"
#include <string.h>

tn_graph *tn__graph_of_variables(const tn_context *context)
{
    return tn__owner_of_variables(context) ? NULL : tn__open_v1(context);
}

/* "my_scope_1/my_var" is the variable "my_var" in the scope "my_scope_1". */
static tn_status make_variable(tn__variable_spec *spec, const char *full, tn_tensor **variable)
{
    const char *slash = strrchr(full, '/');
    char *scope = slash ? tn__strndup(full, (size_t)(slash - full)) : tn__strdup("");
    if (!scope)
        return TN_RESOURCE_EXHAUSTED;
    spec->scope = scope;
    spec->name = slash ? slash + 1 : full;
    tn_status status = tn__variable_new(spec, variable);
    tn__free(scope);
    return status;
}

static tn_status apply_named(tn_context *context, const char *name, const tn__op *op, tn_tensor *const *inputs, size_t count,
                             tn_tensor **output)
{
    context->node_name = name;
    tn_status status = tn__dispatch(context, op, NULL, inputs, count, output, output ? 1 : 0);
    context->node_name = NULL;
    return status;
}

/* The ops of a variable stand in the name scope of its name and wait for nothing. */
static tn_status add_nodes(tn_context *context, tn_graph *graph, tn_tensor *initial, tn__graph_variable *v)
{
    tn_tensor *assigned[] = { v->variable, initial };
    TN_TRY(tn__graph_capture(context, graph, initial, &v->initial));
    TN_TRY(apply_named(context, "Assign", &tn__op_AssignVariableOp, assigned, 2, NULL));
    v->initializer = tn__retain(graph->node.item[graph->node.count - 1]);
    return apply_named(context, "Read/ReadVariableOp", &tn__op_ReadVariableOp, &v->variable, 1, &v->read);
}

static tn_status add_to_graph(tn_context *context, tn_graph *graph, const char *full, tn_tensor *initial, tn__graph_variable *v)
{
    const char *outer_scope = context->name_scope;
    tn__control *outer_control = context->control;
    char *handle = tn__print("%s/", full);
    context->name_scope = full;
    context->control = NULL;
    context->tape_pause++;
    tn_status status = handle ? tn__graph_handle(context, graph, v->variable, handle) : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        status = add_nodes(context, graph, initial, v);
    context->tape_pause--;
    context->name_scope = outer_scope;
    context->control = outer_control;
    tn__free(handle);
    return status;
}

static tn_status make_and_add(tn_context *context, tn_graph *graph, tn__variable_spec *spec, const char *full, tn_tensor *initial,
                              tn_variable **variable)
{
    TN_TRY(TN__RESERVE(&graph->v1->variable, 1));
    TN_TRY(make_variable(spec, full, variable));
    tn__variable *own = (*variable)->of.variable;
    own->of_graph = true;
    tn__graph_variable v = { .variable = *variable };
    tn_status status = add_to_graph(context, graph, full, initial, &v);
    if (status != TN_OK) {
        tn__release(v.initial);
        tn__release(v.initializer);
        tn__release(v.read);
        return status;
    }
    tn__retain(v.variable);
    own->graph = graph;
    own->graph_place = graph->v1->variable.count;
    graph->v1->variable.item[graph->v1->variable.count++] = v;
    tn_store *store = tn__store_of_graph(graph);
    return store ? tn__collect_variable(store, spec->collections, *variable) : TN_RESOURCE_EXHAUSTED;
}

tn_status tn__graph_variable_make(tn_context *context, tn_graph *graph, tn__variable_spec *spec, tn_tensor *initial, bool absolute,
                                  tn_variable **variable)
{
    *variable = NULL;
    spec->here = spec->here ? spec->here : context->here;
    char *full = tn__graph_unique(graph, absolute ? "" : context->name_scope, spec->name ? spec->name : "Variable");
    if (!full)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = make_and_add(context, graph, spec, full, initial, variable);
    tn__free(full);
    if (status != TN_OK) {
        tn__release(*variable);
        *variable = NULL;
    }
    return status;
}
