/* saved_model_objects.c - the graph of objects in a SavedModel: the checkpoint's, and functions. */
#include "saving/saved_model.h"
#include "saving/saved_model_write.h"
#include <string.h>

static tn__arena *arena_of(tn__saved *s)
{
    return &s->tracker.arena;
}

static tn__version_def *first_version(tn__saved *s)
{
    tn__version_def *version = tn__arena_alloc(arena_of(s), sizeof *version);
    if (version)
        *version = (tn__version_def){ .producer = 1, .min_consumer = 1 };
    return version;
}

/* --- objects ---------------------------------------------------------------------------------- */
/* Lists have numbers for names; an optimizer has others. */
static bool is_list(const tn__tracker_node *node)
{
    bool list = true;
    for (size_t i = 0; i < node->children.count; i++) {
        const char *name = node->children.item[i].local_name;
        list &= strspn(name, "0123456789") == strlen(name);
    }
    return list;
}

/* Without Keras 2's metadata TensorFlow shall not take them for its layers. */
static const char *identifier(const tn__saved *s, const tn__tracker_node *node)
{
    if (node->layer && s->keras)
        return tn__keras_identifier(node->layer);
    return !node->layer && is_list(node) ? "trackable_list_wrapper" : "_generic_user_object";
}

static tn_status add_user_object(tn__saved *s, tn__saved_object *object, const char *identifier)
{
    tn__saved_user_object *user = tn__arena_alloc(arena_of(s), sizeof *user);
    if (!user || !(user->version = first_version(s)))
        return TN_RESOURCE_EXHAUSTED;
    user->identifier = identifier;
    object->which = TN__SAVED_USER_OBJECT;
    object->user_object = user;
    return TN_OK;
}

static tn_status add_variable(tn__saved *s, tn__saved_object *object, const tn_tensor *variable)
{
    tn__saved_variable *saved = tn__arena_alloc(arena_of(s), sizeof *saved);
    if (!saved)
        return TN_RESOURCE_EXHAUSTED;
    saved->dtype = variable->dtype;
    saved->shape = tn__shape_def_of(arena_of(s), &variable->shape);
    saved->trainable = variable->of.variable->trainable;
    saved->name = tn__tracker_full_name(arena_of(s), variable);
    object->which = TN__SAVED_VARIABLE;
    object->variable = saved;
    return saved->shape && saved->name ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status add_object(tn__saved *s, size_t node)
{
    tn__saved_object_graph *objects = s->graph->object_graph_def;
    const tn__tracker_node *from = &s->tracker.node.item[node];
    tn__saved_object *object = TN__ARENA_ADD(arena_of(s), &objects->nodes);
    if (!object)
        return TN_RESOURCE_EXHAUSTED;
    object->children.item = from->children.item;
    object->children.count = from->children.count;
    if (from->variable)
        return add_variable(s, object, from->variable);
    return add_user_object(s, object, identifier(s, from));
}

/* --- structures ------------------------------------------------------------------------------- */
tn_status tn__saved_list(tn__saved *s, int which, tn__structured_value *into)
{
    into->which = which;
    into->list = tn__arena_alloc(arena_of(s), sizeof *into->list);
    return into->list ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

tn__structured_value *tn__saved_item(tn__saved *s, tn__structured_value *list)
{
    return TN__ARENA_ADD(arena_of(s), &list->list->values);
}

tn_status tn__saved_spec(tn__saved *s, const char *name, const tn_tensor *tensor,
                         tn__structured_value *into)
{
    tn__tensor_spec *spec = tn__arena_alloc(arena_of(s), sizeof *spec);
    if (!spec)
        return TN_RESOURCE_EXHAUSTED;
    into->which = TN__VALUE_TENSOR_SPEC;
    into->tensor_spec = spec;
    spec->name = name;
    spec->dtype = tensor->dtype;
    spec->shape = tn__shape_def_of(arena_of(s), &tensor->shape);
    return spec->shape ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status add_dict(tn__saved *s, const tn__serving_value *values, size_t count,
                          tn__structured_value *into)
{
    into->which = TN__VALUE_DICT;
    into->dict = tn__arena_alloc(arena_of(s), sizeof *into->dict);
    if (!into->dict)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++) {
        tn__structured_pair *pair = TN__ARENA_ADD(arena_of(s), &into->dict->fields);
        if (!pair)
            return TN_RESOURCE_EXHAUSTED;
        pair->key = values[i].name;
        TN_TRY(tn__saved_spec(s, values[i].name, values[i].tensor, &pair->value));
    }
    return TN_OK;
}

/* ((), {"x": TensorSpec}): Python's positional arguments, of which there are none, and the others.
 */
static tn_status add_inputs(tn__saved *s, tn__structured_value *into)
{
    TN_TRY(tn__saved_list(s, TN__VALUE_TUPLE, into));
    tn__structured_value *none = tn__saved_item(s, into);
    if (!none)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__saved_list(s, TN__VALUE_TUPLE, none));
    tn__structured_value *named = tn__saved_item(s, into);
    if (!named)
        return TN_RESOURCE_EXHAUSTED;
    return add_dict(s, s->signature.serving.input, s->signature.serving.input_count, named);
}

/* --- the function ----------------------------------------------------------------------------- */
tn_status tn__saved_concrete(tn__saved *s, const tn__saved_call *call, tn__structured_value *input,
                             tn__structured_value *output)
{
    tn__concrete_function_entry *entry =
        TN__ARENA_ADD(arena_of(s), &s->graph->object_graph_def->concrete_functions);
    if (!entry)
        return TN_RESOURCE_EXHAUSTED;
    entry->key = call->function;
    entry->value.canonicalized_input_signature = input;
    entry->value.output_signature = output;
    for (size_t i = 0; i < call->captured.count; i++) {
        int32_t *bound = TN__ARENA_ADD(arena_of(s), &entry->value.bound_inputs);
        if (!bound)
            return TN_RESOURCE_EXHAUSTED;
        *bound = (int32_t)s->weight.item[call->captured.item[i]].node;
    }
    return TN_OK;
}

static tn_status add_signature_function(tn__saved *s)
{
    const tn__serving *serving = &s->signature.serving;
    tn__structured_value *input = tn__arena_alloc(arena_of(s), sizeof *input);
    tn__structured_value *output = tn__arena_alloc(arena_of(s), sizeof *output);
    if (!input || !output)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(add_inputs(s, input));
    TN_TRY(add_dict(s, serving->output, serving->output_count, output));
    return tn__saved_concrete(s, &s->signature, input, output);
}

static tn_status fill_bare(tn__saved *s, tn__saved_object *object)
{
    tn__saved_bare_function *bare = tn__arena_alloc(arena_of(s), sizeof *bare);
    if (!bare)
        return TN_RESOURCE_EXHAUSTED;
    object->which = TN__SAVED_BARE_FUNCTION;
    object->bare_function = bare;
    bare->concrete_function_name = s->signature.function;
    for (size_t i = 0; i < s->signature.serving.input_count; i++) {
        const char **keyword = TN__ARENA_ADD(arena_of(s), &bare->argument_keywords);
        if (!keyword)
            return TN_RESOURCE_EXHAUSTED;
        *keyword = s->signature.serving.input[i].name;
    }
    bare->allowed_positional_arguments = s->signature.serving.input_count == 1;
    return TN_OK;
}

/* root.signatures["serving_default"] */
static tn_status add_signatures(tn__saved *s)
{
    size_t map, function;
    TN_TRY(tn__tracker_add(&s->tracker, 0, "signatures", NULL, NULL, &map));
    TN_TRY(tn__tracker_add(&s->tracker, map, TN__SERVING_DEFAULT, NULL, NULL, &function));
    for (size_t i = 0; i < s->tracker.node.count; i++)
        TN_TRY(add_object(s, i));
    tn__saved_object *objects = s->graph->object_graph_def->nodes.item;
    objects[map].user_object->identifier = "signature_map";
    TN_TRY(fill_bare(s, &objects[function]));
    return tn__saved_call_objects(s);
}

tn_status tn__saved_objects(tn__saved *s)
{
    TN_TRY(add_signature_function(s));
    return add_signatures(s);
}
