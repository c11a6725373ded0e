/* saved_model_v1.c */
#include "saving/saved_model_v1.h"
#include "base/map.h"
#include "core/dtype.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    tn__arena *arena;
    const tn__meta_graph_def *graph;
    const char *key; /* of the signature */
    const tn__signature_def *signature;
    tn__v1_function *function;
    tn__map place, fed; /* names of nodes: to their index + 1; of those that are fed, to anything */
    tn__map trainable;  /* names of variables */
    bool *needed, all_trainable;
    size_t *waiting, count; /* nodes whose inputs are still to be looked at */
} making;

static const tn__node_list *nodes_of(const making *m)
{
    return &m->graph->graph_def->node;
}

/* --- names ------------------------------------------------------------------------------------ */
/* The node in "^node", "node" and "node:1"; NULL without memory. */
static const char *node_name(tn__arena *arena, const char *text)
{
    text += *text == '^';
    const char *end = strchr(text, ':');
    return tn__arena_print(arena, "%.*s", (int)(end ? (size_t)(end - text) : strlen(text)), text);
}

static tn_status fail_info(const making *m, const char *key)
{
    return tn__fail(TN_UNIMPLEMENTED,
                    "signature '%s': '%s' is sparse, or no value of its own, which tensors here "
                    "are not",
                    m->key, key ? key : "");
}

static int by_key(const void *a, const void *b)
{
    const tn__tensor_info_entry *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

/* Entries of inputs or outputs in the order of their keys. */
static tn_status sort_infos(const making *m, const tn__tensor_info_entry *items, size_t count,
                            const tn__tensor_info_entry ***sorted)
{
    *sorted = tn__arena_alloc(m->arena, (count + 1) * sizeof **sorted);
    if (!*sorted)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++) {
        const tn__tensor_info *value = &items[i].value;
        if (!items[i].key || value->which != TN__INFO_NAME || !value->name)
            return fail_info(m, items[i].key);
        (*sorted)[i] = &items[i];
    }
    if (count)
        qsort(*sorted, count, sizeof **sorted, by_key);
    return TN_OK;
}

/* --- what the function takes ------------------------------------------------------------------ */
static tn_status add_argument(making *m, tn__op_def *signature, const char *name)
{
    tn__arg_def *argument = TN__ARENA_ADD(m->arena, &signature->input_arg);
    if (!argument || !name)
        return TN_RESOURCE_EXHAUSTED;
    argument->name = name;
    return TN_OK;
}

static tn_status add_input(making *m, tn__op_def *signature, const tn__tensor_info_entry *info)
{
    const char *name = node_name(m->arena, info->value.name), *end = strchr(info->value.name, ':');
    const char **key = TN__ARENA_ADD(m->arena, &m->function->input);
    if (!key || !name)
        return TN_RESOURCE_EXHAUSTED;
    if (end && strcmp(end, ":0") != 0)
        return tn__fail(TN_UNIMPLEMENTED, "signature '%s' feeds '%s', which is not a node's first",
                        m->key, info->value.name);
    *key = info->key;
    TN_TRY(tn__map_set(&m->fed, name, m));
    return add_argument(m, signature, name);
}

static tn_status add_inputs(making *m, tn__op_def *signature)
{
    const tn__tensor_info_entry **sorted;
    TN_TRY(sort_infos(m, m->signature->inputs.item, m->signature->inputs.count, &sorted));
    for (size_t i = 0; i < m->signature->inputs.count; i++)
        TN_TRY(add_input(m, signature, sorted[i]));
    return TN_OK;
}

/* --- what it needs ---------------------------------------------------------------------------- */
static tn_status list_nodes(making *m)
{
    const tn__node_list *nodes = nodes_of(m);
    m->needed = tn__arena_alloc(m->arena, nodes->count + 1);
    m->waiting = tn__arena_alloc(m->arena, (nodes->count + 1) * sizeof *m->waiting);
    if (!m->needed || !m->waiting)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < nodes->count; i++)
        if (nodes->item[i].name && !tn__map_get(&m->place, nodes->item[i].name))
            TN_TRY(tn__map_set(&m->place, nodes->item[i].name, (void *)(uintptr_t)(i + 1)));
    return TN_OK;
}

static tn_status need(making *m, const char *text)
{
    const char *name = text ? node_name(m->arena, text) : "";
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    if (tn__map_get(&m->fed, name))
        return TN_OK;
    uintptr_t found = (uintptr_t)tn__map_get(&m->place, name);
    if (!found)
        return tn__fail(TN_DATA_LOSS, "signature '%s': nothing in the graph is called '%s'", m->key,
                        name);
    if (m->needed[found - 1])
        return TN_OK;
    m->needed[found - 1] = true;
    m->waiting[m->count++] = found - 1;
    return TN_OK;
}

static tn_status need_inputs(making *m, const tn__node_def *node)
{
    if (node->op && strcmp(node->op, "Placeholder") == 0) {
        const tn__attr_value *dtype = tn__attr_find(&node->attr, "dtype");
        int type = dtype && dtype->which == TN__ATTR_TYPE ? dtype->type : 0;
        bool known = tn__dtype_size((tn_dtype)type) > 0;
        return tn__fail(TN_INVALID_ARGUMENT,
                        "You must feed a value for placeholder tensor '%s' with dtype %s\n"
                        "signature '%s' does not feed it",
                        node->name,
                        known ? tn__dtype_op_name((tn_dtype)type) : tn__tf_dtype_name(type),
                        m->key);
    }
    for (size_t i = 0; i < node->input.count; i++)
        TN_TRY(need(m, node->input.item[i]));
    return TN_OK;
}

static tn_status add_outputs(making *m, tn__function_def *def)
{
    const tn__tensor_info_entry **sorted;
    TN_TRY(sort_infos(m, m->signature->outputs.item, m->signature->outputs.count, &sorted));
    for (size_t i = 0; i < m->signature->outputs.count; i++) {
        tn__arg_def *output = TN__ARENA_ADD(m->arena, &def->signature->output_arg);
        tn__text_pair *value = TN__ARENA_ADD(m->arena, &def->ret);
        if (!output || !value)
            return TN_RESOURCE_EXHAUSTED;
        output->name = sorted[i]->key;
        *value = (tn__text_pair){ sorted[i]->key, sorted[i]->value.name };
        TN_TRY(need(m, sorted[i]->value.name));
    }
    while (m->count > 0)
        TN_TRY(need_inputs(m, &nodes_of(m)->item[m->waiting[--m->count]]));
    return TN_OK;
}

/* --- variables -------------------------------------------------------------------------------- */
static tn_status read_variable(making *m, tn__span bytes)
{
    tn__variable_def *def = tn__arena_alloc(m->arena, sizeof *def);
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__pb_read(&tn__pb_variable_def, bytes, m->arena, def));
    const char *name = def->variable_name ? node_name(m->arena, def->variable_name) : "";
    return name ? tn__map_set(&m->trainable, name, m) : TN_RESOURCE_EXHAUSTED;
}

/* A graph that tells of no variables leaves it open which are trained: all. */
static tn_status list_trainable(making *m)
{
    m->all_trainable = true;
    for (size_t i = 0; i < m->graph->collection_def.count; i++) {
        const tn__collection_entry *entry = &m->graph->collection_def.item[i];
        bool trainable = entry->key && strcmp(entry->key, "trainable_variables") == 0;
        if (trainable || (entry->key && strcmp(entry->key, "variables") == 0))
            m->all_trainable = false;
        for (size_t k = 0; trainable && entry->value.which == TN__COLLECTION_BYTES &&
                           k < entry->value.bytes->value.count;
             k++)
            TN_TRY(read_variable(m, entry->value.bytes->value.item[k]));
    }
    return TN_OK;
}

static bool is_variable(const tn__node_def *node)
{
    return node->op && (strcmp(node->op, "VariableV2") == 0 || strcmp(node->op, "Variable") == 0 ||
                        strcmp(node->op, "VarHandleOp") == 0);
}

static tn_status add_variable(making *m, tn__op_def *signature, const char *name)
{
    tn__v1_variable *variable = TN__ARENA_ADD(m->arena, &m->function->variable);
    if (!variable)
        return TN_RESOURCE_EXHAUSTED;
    variable->name = name;
    variable->trainable = m->all_trainable || tn__map_get(&m->trainable, name);
    return add_argument(m, signature, name);
}

/* --- the function ----------------------------------------------------------------------------- */
static tn_status add_nodes(making *m, tn__function_def *def)
{
    for (size_t i = 0; i < nodes_of(m)->count; i++) {
        const tn__node_def *node = &nodes_of(m)->item[i];
        if (!m->needed[i])
            continue;
        if (is_variable(node)) {
            TN_TRY(add_variable(m, def->signature, node->name));
            continue;
        }
        tn__node_def *copy = TN__ARENA_ADD(m->arena, &def->node_def);
        if (!copy)
            return TN_RESOURCE_EXHAUSTED;
        *copy = *node;
    }
    return TN_OK;
}

static tn_status fill(making *m, tn__function_def *def)
{
    def->signature = tn__arena_alloc(m->arena, sizeof *def->signature);
    if (!def->signature ||
        !(def->signature->name = tn__arena_print(m->arena, "signature %s", m->key)))
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(add_inputs(m, def->signature));
    TN_TRY(list_nodes(m));
    TN_TRY(add_outputs(m, def));
    TN_TRY(list_trainable(m));
    return add_nodes(m, def);
}

static tn_status make(making *m)
{
    tn__function_def filled = { 0 };
    const tn__function_library *own = m->graph->graph_def->library;
    TN_TRY(fill(m, &filled));
    for (size_t i = 0; i <= (own ? own->function.count : 0); i++) {
        tn__function_def *def = TN__ARENA_ADD(m->arena, &m->function->library.function);
        if (!def)
            return TN_RESOURCE_EXHAUSTED;
        *def = i == 0 ? filled : own->function.item[i - 1];
    }
    return TN_OK;
}

tn_status tn__v1_function_make(tn__arena *arena, const tn__meta_graph_def *graph, const char *key,
                               const tn__signature_def *signature, tn__v1_function *function)
{
    making m = {
        .arena = arena, .graph = graph, .key = key, .signature = signature, .function = function
    };
    *function = (tn__v1_function){ 0 };
    if (!graph->graph_def)
        return tn__fail(TN_DATA_LOSS, "signature '%s' has no graph", key);
    tn_status status = make(&m);
    tn__map_free(&m.place);
    tn__map_free(&m.fed);
    tn__map_free(&m.trainable);
    return status;
}
