/* saved_model_function.c */
#include "saving/saved_model_function.h"
#include "saving/checkpoint.h"
#include "saving/graph_read.h"
#include "saving/saved_model.h"
#include "saving/saved_model_v1.h"
#include "function/function.h"
#include "nn/config.h"
#include "ops/ops.h"
#include <string.h>

/* --- the class -------------------------------------------------------------------------------- */
typedef struct {
    tn_function *function; /* of one trace, retained */
} served;

/* Values of other types are brought to those of the signature, as Keras's models do. */
static tn_tensor *served_call(void *me, tn_list inputs)
{
    served *self = me;
    tn_tensor **fitting = tn__scope_alloc((inputs.count + 1) * sizeof *fitting), *result;
    if (!fitting)
        return NULL;
    for (size_t i = 0; i < inputs.count; i++) {
        bool other = i < self->function->signature_count &&
                     inputs.item[i]->dtype != self->function->signature[i].dtype;
        fitting[i] =
            other ? tn_cast(inputs.item[i], self->function->signature[i].dtype) : inputs.item[i];
        if (!fitting[i])
            return NULL;
    }
    tn_status status = tn__function_call(tn__context(), self->function,
                                         (tn_list){ inputs.count, fitting }, 0, &result);
    return status == TN_OK ? tn__own(result) : NULL;
}

static void served_destroy(void *me)
{
    tn__release(((served *)me)->function);
}

static tn_status no_config(tn_layer *layer, void *json)
{
    (void)json;
    return tn__fail(TN_UNIMPLEMENTED,
                    "'%s' is a SavedModel's function and has no config: tn_save() writes it as a "
                    "SavedModel, under a name without .keras or .h5",
                    layer->name);
}

static const tn_class_more served_more = { .destroy = served_destroy, .write_config = no_config };
static const tn_class served_class = {
    .name = "SavedModel", .size = sizeof(served), .call = served_call, .more = &served_more
};

/* --- what the function takes ------------------------------------------------------------------ */
typedef struct {
    tn_context *context;
    const tn__meta_graph_def *graph;
    tn__bundle *bundle;
    const char *name;
    const char *key; /* of the signature */
    const tn__signature_def *signature;
    const tn__function_library *library;
    const tn__function_def *def;
    const tn__text_list *keyword; /* the signature's names of the arguments before those bound */
    const tn__concrete_function *concrete; /* of TensorFlow 2 */
    tn__v1_function v1;                    /* of TensorFlow 1 */
    size_t inputs;                         /* arguments before those that are bound */
    tn_tensor **bound; /* variables and constants; of the scope round the load */
    size_t bound_count;
    tn__arena arena;
    tn__object_graph objects; /* the checkpoint's */
    int32_t *twin;            /* of each saved object: its node there, or -1 */
    tn_tensor **made;         /* of each: what it is, once it was bound */
    tn__map constants;        /* names of the graph's constants to their nodes, once one is bound */
} loading;

/* --- which signature -------------------------------------------------------------------------- */
/* TensorFlow's own, "__saved_model_init_op", give nothing. */
static bool is_offered(const tn__signature_entry *entry)
{
    return entry->key && !tn__starts_with(entry->key, "__saved_model_") &&
           entry->value.outputs.count > 0;
}

static tn_status fail_signature(const loading *l, const char *wanted)
{
    tn__text keys = { 0 };
    for (size_t i = 0; i < l->graph->signature_def.count; i++)
        if (is_offered(&l->graph->signature_def.item[i]))
            tn__text_add(&keys, "%s%s", keys.bytes.size ? ", " : "",
                         l->graph->signature_def.item[i].key);
    tn_status status = tn__fail(TN_INVALID_ARGUMENT,
                                "'%s' has no signature '%s'\nit has: %s; .signature names one",
                                l->name, wanted, keys.bytes.size ? tn__text_get(&keys) : "none");
    tn__text_free(&keys);
    return status;
}

/* The one that was asked for; else serving_default, or the only one. */
static tn_status find_signature(loading *l, const char *wanted)
{
    size_t offered = 0;
    l->key = wanted ? wanted : TN__SERVING_DEFAULT;
    l->signature = tn__signature_find(l->graph, l->key);
    for (size_t i = 0; !l->signature && !wanted && i < l->graph->signature_def.count; i++) {
        const tn__signature_entry *entry = &l->graph->signature_def.item[i];
        if (is_offered(entry) && offered++ == 0)
            l->key = entry->key;
    }
    if (offered == 1)
        l->signature = tn__signature_find(l->graph, l->key);
    return l->signature ? TN_OK : fail_signature(l, wanted ? wanted : TN__SERVING_DEFAULT);
}

static int32_t child_of(const loading *l, size_t node, const char *name)
{
    const tn__saved_object_graph *objects = l->graph->object_graph_def;
    if (node >= objects->nodes.count)
        return -1;
    const tn__saved_object *object = &objects->nodes.item[node];
    for (size_t i = 0; i < object->children.count; i++) {
        const char *local = object->children.item[i].local_name;
        int32_t child = object->children.item[i].node_id;
        if (local && strcmp(local, name) == 0 && child >= 0 && (size_t)child < objects->nodes.count)
            return child;
    }
    return -1;
}

static tn_status find_concrete(loading *l)
{
    int32_t map = child_of(l, 0, "signatures");
    int32_t function = map < 0 ? -1 : child_of(l, (size_t)map, l->key);
    const tn__saved_object *object =
        function < 0 ? NULL : &l->graph->object_graph_def->nodes.item[function];
    if (!object || object->which != TN__SAVED_BARE_FUNCTION)
        return tn__fail(TN_DATA_LOSS, "'%s': signature '%s' has no function", l->name, l->key);
    const tn__saved_bare_function *bare = object->bare_function;
    const char *name = bare->concrete_function_name ? bare->concrete_function_name : "";
    l->keyword = &bare->argument_keywords;
    l->library = l->graph->graph_def ? l->graph->graph_def->library : NULL;
    l->concrete = tn__concrete_function_find(l->graph->object_graph_def, name);
    l->def = tn__function_find(l->library, name);
    if (!l->concrete || !l->def ||
        l->concrete->bound_inputs.count > l->def->signature->input_arg.count)
        return tn__fail(TN_DATA_LOSS, "'%s': there is no function '%s'", l->name, name);
    l->bound_count = l->concrete->bound_inputs.count;
    return TN_OK;
}

/* TensorFlow 1 has a graph instead of a function. */
static tn_status make_function(loading *l)
{
    TN_TRY(tn__v1_function_make(&l->arena, l->graph, l->key, l->signature, &l->v1));
    l->library = &l->v1.library;
    l->def = &l->library->function.item[0];
    l->keyword = &l->v1.input;
    l->bound_count = l->v1.variable.count;
    return TN_OK;
}

static bool is_of_v1(const loading *l)
{
    return !l->graph->object_graph_def || l->graph->object_graph_def->nodes.count == 0;
}

static tn_status find_function(loading *l, const char *signature)
{
    TN_TRY(find_signature(l, signature));
    TN_TRY(is_of_v1(l) ? make_function(l) : find_concrete(l));
    l->inputs = l->def->signature->input_arg.count - l->bound_count;
    return tn__function_check(l->library, l->def->signature->name);
}

/* --- values ----------------------------------------------------------------------------------- */
/* Names to nodes, counted from 1; the first of a name counts. */
static tn_status list_children(const tn__trackable *node, tn__map *names)
{
    for (size_t i = 0; i < node->children.count; i++) {
        const tn__object_reference *child = &node->children.item[i];
        if (child->local_name && !tn__map_get(names, child->local_name))
            TN_TRY(tn__map_set(names, child->local_name, (void *)((uintptr_t)child->node_id + 1)));
    }
    return TN_OK;
}

/* The children of a saved object whose twins are not known yet, added to the queue. */
static tn_status follow(loading *l, int32_t node, int32_t *queue, size_t *count)
{
    const tn__saved_object_graph *saved = l->graph->object_graph_def;
    const tn__saved_object *object = &saved->nodes.item[node];
    tn__map names = { 0 };
    tn_status status = list_children(&l->objects.nodes.item[l->twin[node]], &names);
    for (size_t i = 0; i < object->children.count && status == TN_OK; i++) {
        int32_t child = object->children.item[i].node_id;
        const char *name = object->children.item[i].local_name;
        if (child < 0 || (size_t)child >= saved->nodes.count || l->twin[child] >= 0 || !name)
            continue;
        l->twin[child] = (int32_t)(uintptr_t)tn__map_get(&names, name) - 1;
        if (l->twin[child] >= 0)
            queue[(*count)++] = child;
    }
    tn__map_free(&names);
    return status;
}

/* Both graphs name the same objects: they are followed beside each other. */
static tn_status find_twins(loading *l)
{
    const tn__saved_object_graph *saved = l->graph->object_graph_def;
    int32_t *queue = tn__arena_alloc(&l->arena, (saved->nodes.count + 1) * sizeof *queue);
    size_t count = 0;
    l->twin = tn__arena_alloc(&l->arena, (saved->nodes.count + 1) * sizeof *l->twin);
    if (!queue || !l->twin)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < saved->nodes.count; i++)
        l->twin[i] = -1;
    if (l->objects.nodes.count)
        l->twin[0] = 0, queue[count++] = 0;
    for (size_t at = 0; at < count; at++)
        TN_TRY(follow(l, queue[at], queue, &count));
    return TN_OK;
}

static bool find_entry(const loading *l, size_t node, size_t *entry)
{
    return l->twin[node] >= 0 &&
           tn__checkpoint_value_of(l->bundle, &l->objects.nodes.item[l->twin[node]], entry);
}

static tn_status read_value(const loading *l, size_t entry, tn_tensor **value)
{
    const tn__bundle_entry *e = tn__bundle_at(l->bundle, entry);
    *value = NULL;
    if (e->rank > TN_MAX_RANK || tn__dtype_size((tn_dtype)e->dtype) == 0)
        return tn__fail(TN_UNIMPLEMENTED, "variable '%s' of dtype %s and rank %d cannot be held",
                        e->name, tn__tf_dtype_name(e->dtype), e->rank);
    return tn__place_tensor(NULL, (tn__place){ .bundle = l->bundle, .entry = entry },
                            (tn_dtype)e->dtype, value);
}

static tn_status make_variable(loading *l, size_t entry, const char *name, bool trainable,
                               tn_tensor **variable)
{
    tn_tensor *value;
    tn_status status = read_value(l, entry, &value);
    if (status == TN_OK)
        status = tn__variable_new(&(tn__variable_spec){ .value = value,
                                                        .name = name,
                                                        .scope = "",
                                                        .here = l->context->here,
                                                        .trainable = trainable,
                                                        .explicit_name = true },
                                  variable);
    tn__release(value);
    TN_TRY(status);
    return tn__own(*variable) ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status fail_value(const loading *l, const char *name)
{
    return tn__fail(TN_DATA_LOSS, "'%s': the value of variable '%s' is not there", l->name, name);
}

static tn_status make_saved(loading *l, size_t node, const tn__saved_variable *saved,
                            tn_tensor **variable)
{
    size_t entry;
    const char *name = saved->name && *saved->name ? saved->name : "Variable";
    if (!find_entry(l, node, &entry))
        return fail_value(l, name);
    return make_variable(l, entry, name, saved->trainable, variable);
}

static tn_status list_constants(loading *l)
{
    const tn__graph_def *graph = l->graph->graph_def;
    for (size_t i = 0; i < graph->node.count; i++) {
        const tn__node_def *node = &graph->node.item[i];
        const tn__attr_value *v = tn__attr_find(&node->attr, "value");
        if (node->name && v && v->which == TN__ATTR_TENSOR &&
            !tn__map_get(&l->constants, node->name))
            TN_TRY(tn__map_set(&l->constants, node->name, v->tensor));
    }
    return TN_OK;
}

static tn_status constant(loading *l, const char *operation, tn_tensor **value)
{
    if (l->constants.count == 0)
        TN_TRY(list_constants(l));
    const tn__tensor_def *found = operation ? tn__map_get(&l->constants, operation) : NULL;
    if (!found)
        return tn__fail(TN_DATA_LOSS, "'%s': there is no constant '%s'", l->name,
                        operation ? operation : "");
    *value = tn__tensor_of_proto(found);
    return *value ? TN_OK : tn__errors()->status;
}

/* One variable may be bound twice. */
static tn_status make_bound(loading *l, int32_t node)
{
    const tn__saved_object_graph *objects = l->graph->object_graph_def;
    if (node >= 0 && (size_t)node < objects->nodes.count) {
        const tn__saved_object *object = &objects->nodes.item[node];
        if (l->made[node])
            return TN_OK;
        if (object->which == TN__SAVED_VARIABLE)
            return make_saved(l, (size_t)node, object->variable, &l->made[node]);
        if (object->which == TN__SAVED_CONSTANT)
            return constant(l, object->constant->operation, &l->made[node]);
    }
    return tn__fail(TN_UNIMPLEMENTED,
                    "'%s': the function takes an object that is neither variable nor constant "
                    "(a table, say)",
                    l->name);
}

static tn_status make_objects(loading *l)
{
    const int32_t *nodes = l->concrete->bound_inputs.item;
    if (l->bundle)
        TN_TRY(tn__checkpoint_graph(l->bundle, &l->arena, &l->objects));
    TN_TRY(find_twins(l));
    l->made =
        tn__arena_alloc(&l->arena, (l->graph->object_graph_def->nodes.count + 1) * sizeof *l->made);
    if (!l->made)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < l->bound_count; i++) {
        TN_TRY(make_bound(l, nodes[i]));
        l->bound[i] = l->made[nodes[i]];
    }
    return TN_OK;
}

static tn_status make_named(loading *l)
{
    for (size_t i = 0; i < l->bound_count; i++) {
        const tn__v1_variable *variable = &l->v1.variable.item[i];
        size_t entry;
        if (!l->bundle || !tn__bundle_find(l->bundle, variable->name, &entry))
            return fail_value(l, variable->name);
        TN_TRY(make_variable(l, entry, variable->name, variable->trainable, &l->bound[i]));
    }
    return TN_OK;
}

static tn_status make_all_bound(loading *l)
{
    l->bound = tn__scope_alloc((l->bound_count + 1) * sizeof *l->bound);
    if (!l->bound)
        return TN_RESOURCE_EXHAUSTED;
    return is_of_v1(l) ? make_named(l) : make_objects(l);
}

/* --- the trace -------------------------------------------------------------------------------- */
static tn_tensor *run_function(void *self, tn_list inputs)
{
    loading *l = self;
    size_t bound = l->bound_count, count = inputs.count + bound;
    size_t outputs = l->def->signature->output_arg.count;
    tn_tensor **args = tn__scope_alloc((count + 1) * sizeof *args);
    tn_tensor **results = tn__scope_alloc((outputs + 1) * sizeof *results);
    if (!args || !results)
        return NULL;
    memcpy(args, inputs.item, inputs.count * sizeof *args);
    memcpy(args + inputs.count, l->bound, bound * sizeof *args);
    if (tn__function_import(l->context, l->library, l->def->signature->name, args, count, results,
                            outputs) != TN_OK)
        return NULL;
    return outputs == 1 ? results[0] : tn_tuple_of(tn_list_of(outputs, results));
}

/* The one trace is there: nothing that does not fit it is traced anew. */
static tn_tensor *no_other(void *self, tn_list inputs)
{
    (void)self, (void)inputs;
    tn__fail(TN_INVALID_ARGUMENT, "a SavedModel's function has one trace alone");
    return NULL;
}

static tn_status input_spec(const loading *l, size_t i, tn__spec *spec)
{
    const tn__signature_def *signature = l->signature;
    const char *key = i < l->keyword->count ? l->keyword->item[i] : NULL;
    for (size_t k = 0; key && k < signature->inputs.count; k++) {
        const tn__tensor_info_entry *entry = &signature->inputs.item[k];
        if (!entry->key || strcmp(entry->key, key) != 0)
            continue;
        *spec = (tn__spec){ .form = TN__VALUE, .dtype = (tn_dtype)entry->value.dtype };
        if (tn__dtype_size(spec->dtype) && tn__shape_of_def(entry->value.shape, &spec->shape))
            return TN_OK;
        return tn__fail(TN_UNIMPLEMENTED,
                        "'%s': input '%s' is of dtype %s, or of a rank, that "
                        "tensors here have not",
                        l->name, key, tn__tf_dtype_name(entry->value.dtype));
    }
    return tn__fail(TN_DATA_LOSS, "'%s': input %zu of the function is not in the signature",
                    l->name, i);
}

static tn_status make_signature(loading *l, tn_function *f)
{
    f->signature = tn__alloc_zeroed(l->inputs + 1, sizeof *f->signature);
    if (!f->signature)
        return TN_RESOURCE_EXHAUSTED;
    f->signature_count = l->inputs;
    for (size_t i = 0; i < l->inputs; i++)
        TN_TRY(input_spec(l, i, &f->signature[i]));
    return TN_OK;
}

static tn_status trace(loading *l, tn_function *f)
{
    tn__concrete *concrete;
    tn__key key = { .count = l->inputs };
    tn_tensor **leaves = tn__scope_alloc((l->inputs + 1) * sizeof *leaves);
    tn_tensor *any = leaves ? tn__own(tn__tensor_int32(0)) : NULL;
    key.spec = any ? tn__memdup(f->signature, (l->inputs + 1) * sizeof *key.spec) : NULL;
    if (!key.spec)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < l->inputs; i++)
        leaves[i] = any;
    l->context->tape_pause++;
    tn_status status =
        tn__concrete_for(l->context, f, &key, (tn_list){ l->inputs, leaves }, leaves, &concrete);
    l->context->tape_pause--;
    tn__key_free(&key);
    f->body = no_other;
    f->self = NULL;
    return status;
}

/* --- the layer -------------------------------------------------------------------------------- */
/* Each variable once, in the order in which they are bound. */
static tn_status keep_weights(loading *l, tn__ids *seen, tn_layer *layer)
{
    size_t ignored;
    for (size_t i = 0; i < l->bound_count; i++) {
        tn_tensor *x = l->bound[i];
        if (!tn__is_variable(x) || tn__ids_get(seen, (uintptr_t)x, &ignored))
            continue;
        TN_TRY(tn__ids_set(seen, (uintptr_t)x, i));
        TN_TRY(TN__PUSH(&layer->weight, ((tn__weight){ x, NULL })));
        tn__retain(x);
    }
    return TN_OK;
}

static tn_status keep_shapes(const tn_function *f, tn_layer *layer)
{
    size_t count = f->signature_count;
    layer->build_shape = tn__alloc_zeroed(count + 1, sizeof *layer->build_shape);
    layer->build_dtype = tn__alloc_zeroed(count + 1, sizeof *layer->build_dtype);
    if (!layer->build_shape || !layer->build_dtype)
        return TN_RESOURCE_EXHAUSTED;
    layer->build_count = count;
    for (size_t i = 0; i < count; i++) {
        layer->build_shape[i] = f->signature[i].shape;
        layer->build_dtype[i] = f->signature[i].dtype;
    }
    layer->built = true;
    return TN_OK;
}

static tn_status make_layer(loading *l, tn_layer **model)
{
    tn__layer_common common = { .trainable = true };
    tn_function *f;
    TN_TRY(tn__layer_new(l->context, &served_class, NULL, &common, model));
    TN_TRY(tn__function_new(run_function, l, false, l->name, &f));
    ((served *)(*model)->self)->function = f;
    f->library = true;
    TN_TRY(make_signature(l, f));
    TN_TRY(keep_shapes(f, *model));
    tn__ids seen = { 0 };
    tn_status status = keep_weights(l, &seen, *model);
    tn__ids_free(&seen);
    return status == TN_OK ? trace(l, f) : status;
}

tn_status tn__saved_function_load(tn_context *context, const tn__meta_graph_def *graph,
                                  tn__bundle *bundle, const char *name, const char *signature,
                                  tn_layer **model)
{
    loading l = { .context = context, .graph = graph, .bundle = bundle, .name = name };
    size_t depth = tn__scope_begin(context->here);
    tn_status status = find_function(&l, signature);
    *model = NULL;
    if (status == TN_OK)
        status = make_all_bound(&l);
    if (status == TN_OK)
        status = make_layer(&l, model);
    if (status != TN_OK)
        tn__assign_object(model, NULL);
    tn__scope_end(depth);
    tn__map_free(&l.constants);
    tn__arena_free(&l.arena);
    return status;
}
