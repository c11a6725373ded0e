/* saved_model_calls.c - calls as functions, for a Keras 2 that has not the classes of the program:
 * keras_api.call_and_return_conditional_losses(inputs) of their objects, which gives the outputs
 * and a list of losses. */
#include "saving/saved_model_write.h"

static tn__arena *arena_of(tn__saved *s)
{
    return &s->tracker.arena;
}

/* --- the traces ------------------------------------------------------------------------------- */
/* Keras makes these of their parts, whatever those are. */
static bool is_container(const tn_layer *layer)
{
    return layer->of == &tn__class_Sequential || layer->of == &tn__class_Functional;
}

/* One that was never called can be called by nobody else either. */
static tn_status trace_node(tn__saved *s, size_t node, tn_layer *layer)
{
    if (!layer->built || !layer->build_shape)
        return TN_OK;
    tn__saved_call *call = TN__ARENA_ADD(arena_of(s), &s->call);
    if (!call)
        return TN_RESOURCE_EXHAUSTED;
    call->node = node;
    call->function = tn__arena_print(
        arena_of(s), "__inference_layer_call_and_return_conditional_losses_%zu", s->call.count + 1);
    if (!call->function)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__serving_trace(s->context, layer, arena_of(s), &call->serving));
    return tn__saved_call_write(s, call, call->serving.graph->input.item,
                                call->serving.concrete->output);
}

/* The nodes that containers are reached by from the root, each once. */
typedef struct {
    size_t *node, count;
    bool *reached;
} queue;

static void add_children(const tn__saved *s, size_t node, queue *q)
{
    const tn__tracker_node *from = &s->tracker.node.item[node];
    for (size_t i = 0; i < from->children.count; i++) {
        size_t child = (size_t)from->children.item[i].node_id;
        if (!q->reached[child] && s->tracker.node.item[child].layer)
            q->node[q->count++] = child;
        q->reached[child] = true;
    }
}

static tn_status trace_all(tn__saved *s)
{
    size_t count = s->tracker.node.count;
    queue q = { .node = tn__arena_alloc(arena_of(s), count * sizeof *q.node),
                .reached = tn__arena_alloc(arena_of(s), count) };
    if (!q.node || !q.reached)
        return TN_RESOURCE_EXHAUSTED;
    q.node[q.count++] = 0;
    q.reached[0] = true;
    for (size_t i = 0; i < q.count; i++) {
        tn_layer *layer = s->tracker.node.item[q.node[i]].layer;
        if (is_container(layer))
            add_children(s, q.node[i], &q);
        else if (!layer->of->module)
            TN_TRY(trace_node(s, q.node[i], layer));
    }
    return TN_OK;
}

tn_status tn__saved_calls(tn__saved *s)
{
    TN_TRY(trace_all(s));
    for (size_t i = 0; i < s->call.count; i++) {
        size_t api;
        TN_TRY(tn__tracker_add(&s->tracker, s->call.item[i].node, "keras_api", NULL, NULL, &api));
        TN_TRY(tn__tracker_add(&s->tracker, api, "call_and_return_conditional_losses", NULL, NULL,
                               &s->call.item[i].node));
    }
    return TN_OK;
}

/* --- the objects ------------------------------------------------------------------------------ */
/* Several values as a list or tuple, one as itself. */
static tn_status add_values(tn__saved *s, int which, const char *name, tn_tensor *const *values,
                            size_t count, tn__structured_value *into)
{
    if (count > 1)
        TN_TRY(tn__saved_list(s, which, into));
    for (size_t i = 0; i < count; i++) {
        const char *numbered = tn__arena_print(arena_of(s), "%s_%zu", name, i + 1);
        tn__structured_value *value = count > 1 ? tn__saved_item(s, into) : into;
        if (!numbered || !value)
            return TN_RESOURCE_EXHAUSTED;
        TN_TRY(tn__saved_spec(s, numbered, values[i], value));
    }
    return TN_OK;
}

/* ((inputs,), {}) */
static tn_status add_arguments(tn__saved *s, const tn__saved_call *call, tn__structured_value *into)
{
    TN_TRY(tn__saved_list(s, TN__VALUE_TUPLE, into));
    tn__structured_value *positional = tn__saved_item(s, into);
    if (!positional)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__saved_list(s, TN__VALUE_TUPLE, positional));
    tn__structured_value *inputs = tn__saved_item(s, positional);
    if (!inputs)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(add_values(s, TN__VALUE_LIST, "input", call->serving.graph->input.item,
                      call->serving.input_count, inputs));
    tn__structured_value *named = tn__saved_item(s, into);
    if (!named || !(named->dict = tn__arena_alloc(arena_of(s), sizeof *named->dict)))
        return TN_RESOURCE_EXHAUSTED;
    named->which = TN__VALUE_DICT;
    return TN_OK;
}

/* (outputs, []) */
static tn_status add_results(tn__saved *s, const tn__saved_call *call, tn__structured_value *into)
{
    TN_TRY(tn__saved_list(s, TN__VALUE_TUPLE, into));
    tn__structured_value *outputs = tn__saved_item(s, into);
    if (!outputs)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(add_values(s, TN__VALUE_TUPLE, "output", call->serving.concrete->output,
                      call->serving.output_count, outputs));
    tn__structured_value *losses = tn__saved_item(s, into);
    return losses ? tn__saved_list(s, TN__VALUE_LIST, losses) : TN_RESOURCE_EXHAUSTED;
}

static tn__structured_value *add_member(tn__saved *s, tn__structured_named_tuple *tuple,
                                        const char *key)
{
    tn__structured_pair *pair = TN__ARENA_ADD(arena_of(s), &tuple->values);
    if (!pair)
        return NULL;
    pair->key = key;
    pair->value.which = TN__VALUE_NONE;
    return &pair->value;
}

/* Python's inspect.FullArgSpec of a function of one argument. */
static tn_status add_names(tn__saved *s, tn__structured_named_tuple *tuple)
{
    static const char *const none[] = { "varargs", "varkw", "defaults" };
    tuple->name = "FullArgSpec";
    tn__structured_value *names = add_member(s, tuple, "args");
    if (!names)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__saved_list(s, TN__VALUE_LIST, names));
    tn__structured_value *name = tn__saved_item(s, names);
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    name->which = TN__VALUE_STRING;
    name->string_value = "inputs";
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (!add_member(s, tuple, none[i]))
            return TN_RESOURCE_EXHAUSTED;
    tn__structured_value *only = add_member(s, tuple, "kwonlyargs");
    if (!only)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__saved_list(s, TN__VALUE_LIST, only));
    tn__structured_value *defaults = add_member(s, tuple, "kwonlydefaults");
    tn__structured_value *annotations = defaults ? add_member(s, tuple, "annotations") : NULL;
    if (!annotations ||
        !(annotations->dict = tn__arena_alloc(arena_of(s), sizeof *annotations->dict)))
        return TN_RESOURCE_EXHAUSTED;
    annotations->which = TN__VALUE_DICT;
    return TN_OK;
}

static tn_status make_spec(tn__saved *s, tn__function_spec **made)
{
    tn__arena *arena = arena_of(s);
    tn__function_spec *spec = *made = tn__arena_alloc(arena, sizeof *spec);
    if (!spec || !(spec->fullargspec = tn__arena_alloc(arena, sizeof *spec->fullargspec)) ||
        !(spec->input_signature = tn__arena_alloc(arena, sizeof *spec->input_signature)))
        return TN_RESOURCE_EXHAUSTED;
    spec->input_signature->which = TN__VALUE_NONE;
    spec->fullargspec->which = TN__VALUE_NAMED_TUPLE;
    spec->fullargspec->named_tuple = tn__arena_alloc(arena, sizeof *spec->fullargspec->named_tuple);
    return spec->fullargspec->named_tuple ? add_names(s, spec->fullargspec->named_tuple)
                                          : TN_RESOURCE_EXHAUSTED;
}

static tn_status fill_function(tn__saved *s, const tn__saved_call *call)
{
    tn__saved_object *object = &s->graph->object_graph_def->nodes.item[call->node];
    tn__saved_function *function = tn__arena_alloc(arena_of(s), sizeof *function);
    const char **name = function ? TN__ARENA_ADD(arena_of(s), &function->concrete_functions) : NULL;
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    *name = call->function;
    object->which = TN__SAVED_FUNCTION;
    object->function = function;
    return make_spec(s, &function->function_spec);
}

tn_status tn__saved_call_objects(tn__saved *s)
{
    for (size_t i = 0; i < s->call.count; i++) {
        const tn__saved_call *call = &s->call.item[i];
        tn__structured_value *input = tn__arena_alloc(arena_of(s), sizeof *input);
        tn__structured_value *output = tn__arena_alloc(arena_of(s), sizeof *output);
        if (!input || !output)
            return TN_RESOURCE_EXHAUSTED;
        TN_TRY(add_arguments(s, call, input));
        TN_TRY(add_results(s, call, output));
        TN_TRY(tn__saved_concrete(s, call, input, output));
        TN_TRY(fill_function(s, call));
    }
    return TN_OK;
}
