/* operations.c - what a graph does: operations, groups of them, what waits for what, and the variables' first values. */
#include "session/session.h"
#include "function/frame.h"
#include "function/scope.h"
#include <string.h>

static tn__node *node_of(tn_operation *operation, const char *what)
{
    return tn__check(operation, &tn__type_node, what) ? (tn__node *)operation : NULL;
}

const char *tn_operation_name(tn_operation *operation)
{
    const tn__node *node = node_of(operation, "tn_operation_name: operation");
    return !node ? "<failed>" : node->name ? node->name : "";
}

const char *tn_operation_type(tn_operation *operation)
{
    const tn__node *node = node_of(operation, "tn_operation_type: operation");
    return node ? node->op->name : "<failed>";
}

tn_operation *tn_operation_of(tn_tensor *x)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(x, "tn_operation_of: x"))
        return NULL;
    tn__node *node = x->form == TN__SYMBOLIC ? x->of.output.node : NULL;
    if (node)
        return tn__own_shared(node->assigned && !node->orphan ? node->control[0] : node);
    tn__fail(TN_INVALID_ARGUMENT, "Tensor.op is undefined when eager execution is enabled.");
    return NULL;
}

tn_tensor *tn_as_tensor(tn_operation *operation)
{
    TN__ENTER(context, NULL);
    (void)context;
    tn__node *node = node_of(operation, "tn_as_tensor: operation");
    return node ? tn__own(tn__node_target(node)) : NULL;
}

/* --- control dependencies ----------------------------------------------------------------------------------------------- */
/* The nodes behind tensors of graphs; what is eager has happened. */
static tn_status nodes_of(tn_list tensors, const char *what, tn__control *control)
{
    if (!(control->item = tn__alloc((tensors.count + 1) * sizeof *control->item)))
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < tensors.count; i++) {
        tn_tensor *x = tensors.item[i];
        if (!tn__check_tensor(x, what))
            return TN_INVALID_ARGUMENT;
        if (x->form == TN__TUPLE)
            return tn__fail(TN_INVALID_ARGUMENT, "%s is a tuple; name its items", what);
        if (x->form == TN__SYMBOLIC && x->of.output.node->graph)
            control->item[control->count++] = tn__retain(x->of.output.node);
    }
    return TN_OK;
}

static void control_free(void *self)
{
    tn__control *control = self;
    for (size_t i = 0; control && i < control->count; i++)
        tn__release(control->item[i]);
    if (control)
        tn__free(control->item);
    tn__free(control);
}

static tn_status enter_control(tn_context *context, tn_scope *scope, const char *here, void **saved)
{
    (void)here;
    const tn__control *given = scope->self;
    tn__control *now = tn__alloc(sizeof *now);
    if (!now)
        return TN_RESOURCE_EXHAUSTED;
    *now = (tn__control){ given->count ? context->control : NULL, given->item, given->count };
    *saved = context->control;
    context->control = now;
    return TN_OK;
}

static void leave_control(tn_context *context, tn_scope *scope, void *saved)
{
    (void)scope;
    tn__free(context->control);
    context->control = saved;
}

static const tn__scope_class control_class = { "control dependencies", enter_control, leave_control, control_free };

tn_scope *tn_control_dependencies(tn_list tensors)
{
    TN__ENTER(context, NULL);
    tn_scope *scope = tn__scope_new(&control_class);
    tn__control *control = scope ? scope->self = tn__alloc_zeroed(1, sizeof *control) : NULL;
    if (!control || nodes_of(tensors, "tn_control_dependencies: a tensor", control) != TN_OK) {
        tn__release(scope);
        return NULL;
    }
    (void)context;
    return tn__own(scope);
}

/* --- groups ------------------------------------------------------------------------------------------------------------- */
/* A NoOp; in eager mode one that is of no graph. */
static tn__node *no_op(tn_context *context, const char *name)
{
    tn__infer infer = { .op = &tn__op_NoOp };
    tn__node *node = NULL;
    context->node_name = name;
    (void)!tn__node_new(context, context->graph, &infer, &node);
    context->node_name = NULL;
    return node;
}

tn_operation *tn__group_of(tn_context *context, tn__control *control, const char *name)
{
    tn__control *outer = context->control;
    control->outer = outer;
    context->control = control;
    tn__node *node = no_op(context, name);
    context->control = outer;
    return tn__own(node);
}

tn_operation *tn_no_op(void)
{
    TN__ENTER(context, NULL);
    return tn__own(no_op(context, NULL));
}

tn_operation *tn_group(tn_list tensors)
{
    TN__ENTER(context, NULL);
    tn__control *control = tn__alloc_zeroed(1, sizeof *control);
    tn_operation *group = NULL;
    if (control && nodes_of(tensors, "tn_group: a tensor", control) == TN_OK)
        group = tn__group_of(context, control, "group_deps");
    control_free(control);
    return group;
}

/* --- first values ------------------------------------------------------------------------------------------------------- */
/* Eager variables have their values. */
static void add_initializer(const tn_graph *graph, const tn_tensor *variable, tn__control *control)
{
    const tn__graph_variable *v = tn__graph_variable_of(variable);
    if (v && v->initializer->graph == graph)
        control->item[control->count++] = tn__retain(v->initializer);
}

tn_operation *tn_variables_initializer(tn_list variables)
{
    TN__ENTER(context, NULL);
    tn__control *control = tn__alloc_zeroed(1, sizeof *control);
    tn_operation *group = NULL;
    tn_status status = control && (control->item = tn__alloc((variables.count + 1) * sizeof *control->item)) ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < variables.count && status == TN_OK; i++) {
        if (!tn_is_variable(variables.item[i]))
            status = tn__fail(TN_INVALID_ARGUMENT, "tn_variables_initializer: item %zu is not a variable", i);
        else
            add_initializer(context->graph, variables.item[i], control);
    }
    if (status == TN_OK)
        group = tn__group_of(context, control, "init");
    control_free(control);
    return group;
}

static tn_operation *initializer_of(tn_list variables)
{
    return variables.item ? tn_variables_initializer(variables) : NULL;
}

tn_operation *tn_global_variables_initializer(void)
{
    return initializer_of(tn_global_variables(NULL));
}

tn_operation *tn_local_variables_initializer(void)
{
    return initializer_of(tn_local_variables(NULL));
}

static bool check_variable(tn_tensor *x, const char *function)
{
    if (tn_is_variable(x))
        return true;
    if (!tn__failed(tn__context()))
        tn__fail(TN_INVALID_ARGUMENT, "%s: the argument is not a variable", function);
    return false;
}

tn_tensor *tn_is_variable_initialized(tn_variable *variable)
{
    return check_variable(variable, "tn_is_variable_initialized") ? TN__APPLY(tn__op_VarIsInitializedOp, NULL, variable) : NULL;
}

tn_tensor *tn_initial_value(tn_variable *variable)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!check_variable(variable, "tn_initial_value"))
        return NULL;
    const tn__graph_variable *v = tn__graph_variable_of(variable);
    if (v)
        return tn__own_shared(v->initial);
    tn__fail(TN_INVALID_ARGUMENT, "This property is not supported when eager execution is enabled.\n"
                                  "'%s' is no variable of a graph: it had its first value when it was made", tn__variable_full_name(variable));
    return NULL;
}

static tn_tensor *read_it(void *self, tn_list inputs)
{
    (void)inputs;
    return tn_read_value(self);
}

static tn_tensor *initial_of_it(void *self, tn_list inputs)
{
    (void)inputs;
    return tn_identity(tn_initial_value(self));
}

tn_tensor *tn_initialized_value(tn_variable *variable)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!check_variable(variable, "tn_initialized_value"))
        return NULL;
    if (!variable->of.variable->of_graph)
        return tn_read_value(variable);
    return tn_cond(tn_is_variable_initialized(variable), read_it, initial_of_it, variable, tn_list_of(0, NULL));
}
