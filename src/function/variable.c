/* variable.c - making variables: their first value, their name, their owner. */
#include "function/variable_scope.h"
#include "function/frame.h"
#include "core/variable.h"
#include "tenon/variable.h"
#include "tenon/ops.h"
#include "base/text.h"
#include <string.h>

/* The function that is being traced. */
static const tn__call_frame *traced_frame(const tn_context *context)
{
    const tn__call_frame *frame = context->frame;
    while (frame && !frame->admit)
        frame = frame->outer;
    return frame;
}

/* What its call has in the places of the placeholders; gives how many pairs. */
static size_t given_inputs(const tn__call_frame *frame, tn_tensor **placeholder, tn_tensor **value)
{
    size_t count = 0;
    for (size_t i = 0; frame && i < frame->given.count; i++) {
        if (frame->given.stand[i]->form != TN__SYMBOLIC || frame->given.leaf[i]->form == TN__SYMBOLIC)
            continue;
        placeholder[count] = frame->given.stand[i];
        value[count++] = frame->given.leaf[i];
    }
    return count;
}

/* A first value that was computed in the trace is computed once more outside it, from what the call was given, so that the variable exists
 * before the trace runs. */
static tn_status lift(tn_context *context, tn_tensor *symbolic, tn_tensor **value)
{
    tn_graph *graph = symbolic->of.output.node->graph, *outer = context->graph;
    if (!graph)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_variable: initial_value is symbolic (%s of a functional model)", TN__TENSOR(symbolic));
    const tn__call_frame *frame = traced_frame(context);
    size_t most = frame ? frame->given.count : 0;
    tn_tensor **inputs = tn__scope_alloc((2 * most + 1) * sizeof *inputs);
    if (!inputs)
        return TN_RESOURCE_EXHAUSTED;
    size_t count = given_inputs(frame, inputs, inputs + most);
    tn__node *node = symbolic->of.output.node;
    context->graph = NULL;
    context->tape_pause++;
    tn_status status = tn__graph_replay(context, graph->node.item, node->index + 1, inputs, inputs + most, count, false, &symbolic, value, 1);
    context->tape_pause--;
    context->graph = outer;
    if (status != TN_OK)
        tn__fail_note("the initial value of a variable that is made while tracing is computed at once: it must not depend on what has no value yet, "
                      "as the inputs of a function that is traced inside another");
    return status;
}

static tn_status fail_dtype(const tn_tensor *initial, tn_dtype dtype)
{
    return tn__fail(TN_INVALID_ARGUMENT, "tn_variable: the initial value is %s, .dtype asks for %s\ntn_cast(x, dtype) converts", TN__TENSOR(initial),
                    tn__dtype_name(dtype));
}

static tn_status first_value(tn_context *context, tn_tensor *given, tn_dtype dtype, tn_tensor **value)
{
    *value = NULL;
    tn_tensor *x = NULL;
    TN_TRY(given->form == TN__SYMBOLIC ? lift(context, given, &x) : tn__value_of(given, "tn_variable: initial_value", &x));
    if (dtype && x->dtype != dtype && !x->weak) {
        tn_status status = fail_dtype(x, dtype);
        tn__release(x);
        return status;
    }
    if (dtype && x->dtype != dtype) {
        tn_graph *outer = context->graph;
        context->graph = NULL;
        *value = tn__retain(tn_cast(x, dtype));
        context->graph = outer;
        tn__release(x);
        return context->error.status;
    }
    *value = x;
    return TN_OK;
}

tn_status tn__variable_make(tn_context *context, tn__variable_spec *spec, tn_variable **out)
{
    spec->scope = context->name_scope;
    spec->here = spec->here ? spec->here : context->here;
    TN_TRY(tn__variable_new(spec, out));
    (*out)->of.variable->traced = context->graph != NULL;
    tn_status status = tn__variable_settle(context, *out);
    if (status == TN_OK)
        return TN_OK;
    tn__release(*out);
    *out = NULL;
    return status;
}

/* The first value of a graph's variable: of the graph, or a number that takes the dtype that is asked for. */
static tn_status graph_value(tn_context *context, const tn_variable_options *o, tn_tensor **initial)
{
    tn_tensor *given = o->initial_value;
    if (given->form != TN__SYMBOLIC)
        return first_value(context, given, o->dtype, initial);
    if (o->dtype && given->dtype != o->dtype)
        return fail_dtype(given, o->dtype);
    *initial = tn__retain(given);
    return TN_OK;
}

static tn_status make_in_graph(tn_context *context, tn_graph *graph, const tn_variable_options *o, tn__variable_spec *spec, bool absolute,
                               tn_variable **variable)
{
    tn_tensor *initial = NULL;
    TN_TRY(graph_value(context, o, &initial));
    spec->dtype = (tn_dtype)initial->dtype;
    if (!spec->shape.known && !tn__shape_any(&spec->shape))
        spec->shape = initial->shape;
    tn_status status = tn__graph_variable_make(context, graph, spec, initial, absolute, variable);
    tn__release(initial);
    return status;
}

static tn_status make_with_value(tn_context *context, const tn_variable_options *o, tn__variable_spec *spec, tn_variable **variable)
{
    TN_TRY(first_value(context, o->initial_value, o->dtype, &spec->value));
    tn_status status = tn__variable_make(context, spec, variable);
    tn__release(spec->value);
    return status;
}

static tn__variable_spec spec_of(const tn_variable_options *o)
{
    return (tn__variable_spec){ .dtype = o->dtype, .shape = o->shape, .name = o->name, .constraint = o->constraint, .collections = o->collections,
                                .trainable = o->trainable, .explicit_name = o->name != NULL };
}

static tn_status make_under(tn_context *context, const tn_variable_options *o, const char *path, tn_variable **variable)
{
    const char *outer = context->name_scope;
    tn__variable_spec spec = spec_of(o);
    context->name_scope = path;
    tn_status status = make_with_value(context, o, &spec, variable);
    context->name_scope = outer;
    return status;
}

static tn_status make_absolute(tn_context *context, tn_graph *graph, const tn_variable_options *o, const char *path, tn_variable **variable)
{
    tn__variable_spec spec = spec_of(o);
    char *full = tn__join_names(path, o->name ? o->name : "Variable");
    spec.name = full;
    tn_status status = full ? make_in_graph(context, graph, o, &spec, true, variable) : TN_RESOURCE_EXHAUSTED;
    tn__free(full);
    return status;
}

tn_status tn__variable_make_plain(tn_context *context, const tn_variable_options *o, const char *path, tn_variable **variable)
{
    tn_graph *graph = tn__graph_of_variables(context);
    if (!o->initial_value)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_variable: initial_value must be specified.");
    if (!tn__check_tensor(o->initial_value, "tn_variable: initial_value"))
        return TN_INVALID_ARGUMENT;
    if (!graph)
        return make_under(context, o, path ? path : context->name_scope, variable);
    if (path)
        return make_absolute(context, graph, o, path, variable);
    tn__variable_spec spec = spec_of(o);
    return make_in_graph(context, graph, o, &spec, false, variable);
}

static tn_status make_in_store(tn_context *context, const tn_variable_options *options, tn_variable **variable)
{
    tn__making_begin(context);
    tn_status status = tn__variable_in_store(context, options, variable);
    tn__making_end(context);
    return status;
}

tn_variable *tn_variable_new(const tn_variable_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn_variable *variable = NULL;
    tn_status status = tn__store_takes_variables(context) ? make_in_store(context, options, &variable)
                                                          : tn__variable_make_plain(context, options, NULL, &variable);
    if (status == TN_OK)
        return tn__own(variable);
    tn__release(variable);
    return NULL;
}

bool tn_is_variable(tn_tensor *x)
{
    return x && x->object.type == &tn__type_tensor && x->form == TN__VARIABLE;
}

static const tn__variable *variable_of(tn_tensor *x, const char *what)
{
    if (!tn__check_tensor(x, what))
        return NULL;
    if (x->form == TN__VARIABLE)
        return x->of.variable;
    tn__fail(TN_INVALID_ARGUMENT, "%s is not a variable (%s)", what, TN__TENSOR(x));
    return NULL;
}

const char *tn_created_at(tn_variable *variable)
{
    const tn__variable *v = variable_of(variable, "tn_created_at: variable");
    if (!v)
        return "<failed>";
    const char *how = v->of_graph ? " in a graph" : v->traced ? " while tracing" : "";
    const char *text = tn__scope_print("%s%s%s%s", v->here ? v->here : "an unknown line", v->scope[0] ? " in scope " : "", v->scope, how);
    return text ? text : "<failed>";
}

const char *tn_name(tn_tensor *x)
{
    if (!tn__check_tensor(x, "tn_name: x"))
        return "<failed>";
    if (x->form == TN__VARIABLE)
        return tn__variable_full_name(x);
    const tn__node *node = x->form == TN__SYMBOLIC ? x->of.output.node : NULL;
    if (node && node->assigned && !node->orphan)
        node = node->control[0];
    return node && node->name ? node->name : "";
}
