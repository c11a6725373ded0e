/* graph.c - graphs of TensorFlow 1: which one ops go to, and what is in it. */
#include "session/session.h"
#include "core/hooks.h"
#include "function/scope.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- the default graph -------------------------------------------------------------------------------------------------- */
/* Of the process, once eager execution is disabled: threads that begin take it over. */
static struct {
    pthread_mutex_t lock;
    tn_graph *graph; /* retained */
} process = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Takes over the caller's count. */
static void set_default(tn_context *context, tn_graph *graph)
{
    pthread_mutex_lock(&process.lock);
    tn_graph *old = process.graph;
    process.graph = tn__retain(graph);
    pthread_mutex_unlock(&process.lock);
    tn__release(old);
    context->graph = graph;
    old = context->default_graph;
    context->default_graph = graph;
    tn__release(old);
}

void tn__session_begin_thread(tn_context *context)
{
    pthread_mutex_lock(&process.lock);
    context->graph = context->default_graph = tn__retain(process.graph);
    pthread_mutex_unlock(&process.lock);
}

tn_status tn_disable_eager_execution(void)
{
    TN__ENTER(context, context->error.status);
    if (context->default_graph)
        return TN_OK;
    if (context->next_id || context->graph)
        return tn__fail(TN_FAILED_PRECONDITION, "tf.disable_eager_execution must be called at program startup.\n"
                                                "tensors, variables or layers were made before; TN_WITH(tn_graph_as_default(tn_graph_new())) makes a "
                                                "graph that ops go to from there on");
    tn_graph *graph = tn__graph_new_v1();
    if (!graph)
        return TN_RESOURCE_EXHAUSTED;
    set_default(context, graph);
    return TN_OK;
}

bool tn_executing_eagerly(void)
{
    return !tn__context()->graph;
}

tn_graph *tn_graph_new(void)
{
    TN__ENTER(context, NULL);
    (void)context;
    return tn__own(tn__graph_new_v1());
}

tn_graph *tn_get_default_graph(void)
{
    TN__ENTER(context, NULL);
    if (context->graph)
        return tn__own_shared(context->graph);
    tn__fail(TN_FAILED_PRECONDITION, "tn_get_default_graph: there is none in eager mode\n"
                                     "tn_disable_eager_execution() makes one, TN_WITH(tn_graph_as_default(g)) puts one there");
    return NULL;
}

static bool inside_a_graph(const tn_context *context)
{
    return context->graph != context->default_graph;
}

tn_status tn__session_forget(tn_context *context)
{
    tn__assign_object(&context->store, NULL);
    tn__hooks.free_rooms(context);
    if (!context->default_graph || inside_a_graph(context))
        return TN_OK;
    tn_graph *graph = tn__graph_new_v1();
    if (!graph)
        return TN_RESOURCE_EXHAUSTED;
    set_default(context, graph);
    return TN_OK;
}

tn_status tn_reset_default_graph(void)
{
    TN__ENTER(context, context->error.status);
    if (inside_a_graph(context))
        return tn__fail(TN_FAILED_PRECONDITION, "Do not use tf.reset_default_graph() to clear nested graphs. If you need a cleared graph, exit "
                                                "the nesting and create a new graph.");
    return tn__session_forget(context);
}

bool tn__check_v1(const tn_graph *graph, const char *what)
{
    if (!tn__check(graph, &tn__type_graph, what))
        return false;
    if (!graph->v1)
        tn__fail(TN_INVALID_ARGUMENT, "%s is the graph of a traced function, which has no names and is run by its calls alone", what);
    return graph->v1;
}

void tn_graph_finalize(tn_graph *graph)
{
    if (tn__check_v1(graph, "tn_graph_finalize: graph"))
        graph->finalized = true;
}

/* --- TN_WITH(tn_graph_as_default(g)) ------------------------------------------------------------------------------------ */
typedef struct {
    tn_graph *graph;
    const char *name_scope;
    tn__control *control;
    struct tn__variable_scope *variable_scope;
} outside;

/* A graph has name and variable scopes of its own: those of another are left behind. */
static tn_status enter_graph(tn_context *context, tn_scope *scope, const char *here, void **saved)
{
    (void)here;
    outside *before = tn__alloc(sizeof *before);
    if (!before)
        return TN_RESOURCE_EXHAUSTED;
    *before = (outside){ context->graph, context->name_scope, context->control, context->variable_scope };
    *saved = before;
    if (context->graph == scope->self)
        return TN_OK;
    context->graph = scope->self;
    context->name_scope = "";
    context->control = NULL;
    context->variable_scope = NULL;
    return TN_OK;
}

static void leave_graph(tn_context *context, tn_scope *scope, void *saved)
{
    (void)scope;
    const outside *before = saved;
    context->graph = before->graph;
    context->name_scope = before->name_scope;
    context->control = before->control;
    context->variable_scope = before->variable_scope;
    tn__free(saved);
}

static const tn__scope_class graph_class = { "graph", enter_graph, leave_graph, tn__release };

tn_scope *tn_graph_as_default(tn_graph *graph)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_v1(graph, "tn_graph_as_default: graph"))
        return NULL;
    tn_scope *scope = tn__scope_new(&graph_class);
    if (scope)
        scope->self = tn__retain(graph);
    return tn__own(scope);
}

/* --- finding what is in a graph ----------------------------------------------------------------------------------------- */
tn_operation *tn_graph_operation(tn_graph *graph, const char *name)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_v1(graph, "tn_graph_operation: graph"))
        return NULL;
    tn__node *node = name ? tn__map_get(&graph->v1->named, name) : NULL;
    if (!node)
        tn__fail(TN_NOT_FOUND, "The name '%s' refers to an Operation not in the graph.", name ? name : "(null)");
    return tn__own_shared(node);
}

/* "add:1" is output 1 of the operation "add". */
static bool split_name(const char *name, char *operation, size_t size, long *index)
{
    const char *colon = name ? strrchr(name, ':') : NULL;
    char *end;
    if (!colon || (size_t)(colon - name) >= size || colon[1] < '0' || colon[1] > '9')
        return false;
    memcpy(operation, name, (size_t)(colon - name));
    operation[colon - name] = 0;
    *index = strtol(colon + 1, &end, 10);
    return *end == 0;
}

static tn_tensor *output_of(tn__node *node, long index)
{
    if (node->op == &tn__op_VarHandleOp)
        return tn__own_shared(*(tn_tensor **)node->attrs);
    return tn__own(tn__node_output(node, (size_t)index));
}

tn_tensor *tn_graph_tensor(tn_graph *graph, const char *name)
{
    TN__ENTER(context, NULL);
    (void)context;
    char operation[1024];
    long index;
    if (!tn__check_v1(graph, "tn_graph_tensor: graph"))
        return NULL;
    if (!split_name(name, operation, sizeof operation, &index)) {
        bool is_operation = name && tn__map_get(&graph->v1->named, name);
        tn__fail(TN_INVALID_ARGUMENT, "The name '%s' %s, not a Tensor. Tensor names must be of the form \"<op_name>:<output_index>\".",
                 name ? name : "(null)", is_operation ? "refers to an Operation" : "looks like an (invalid) Operation name");
        return NULL;
    }
    tn__node *node = tn__map_get(&graph->v1->named, operation);
    if (!node)
        tn__fail(TN_NOT_FOUND, "The name '%s' refers to a Tensor which does not exist. The operation, '%s', does not exist in the graph.", name,
                 operation);
    else if ((size_t)index >= node->output_count)
        tn__fail(TN_NOT_FOUND, "The name '%s' refers to a Tensor which does not exist. The operation, '%s', exists but only has %zu outputs.",
                 name, operation, node->output_count);
    return node && !tn__failed(context) ? output_of(node, index) : NULL;
}

/* --- placeholders ------------------------------------------------------------------------------------------------------- */
tn_tensor *tn_placeholder_new(const tn_placeholder_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn_tensor *x = NULL;
    if (!tn__dtype_size(options->dtype))
        tn__fail(TN_INVALID_ARGUMENT, "tn_placeholder: %d is not a dtype", (int)options->dtype);
    else
        (void)!tn__graph_input(context, tn__open_v1(context), options->dtype, &options->shape, options->name, &x);
    return tn__own(x);
}

tn_tensor *tn_placeholder_with_default(tn_tensor *input, tn_shape shape, const char *name)
{
    TN__ENTER(context, NULL);
    if (!tn__check_tensor(input, "tn_placeholder_with_default: input"))
        return NULL;
    const tn__placeholder_attrs attrs = { (tn_dtype)input->dtype, shape };
    context->node_name = name;
    tn_tensor *x = tn__apply(&tn__op_PlaceholderWithDefault, &attrs, &input, 1);
    context->node_name = NULL;
    return x;
}
