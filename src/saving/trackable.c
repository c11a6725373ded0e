/* trackable.c - names and numbers of a model's parts, as TensorFlow and Keras 2 give them. */
#include "saving/trackable.h"
#include "nn/naming.h"
#include "saving/trainer_state.h"
#include <string.h>

/* --- names of weights ------------------------------------------------------------------------- */
/* What Keras 2 calls a field that has another name in Keras 3. */
static const char *field_name(const tn_layer *layer, const char *field)
{
    bool depthwise = tn__starts_with(layer->of->name, "DepthwiseConv");
    return depthwise && strcmp(field, "kernel") == 0 ? "depthwise_kernel" : field;
}

/* A name that add_weight was given counts where it is nobody else's. */
static bool is_own_name(const tn_layer *layer, size_t weight, const char *name)
{
    for (size_t i = 0; i < layer->weight.count; i++) {
        const tn__weight *other = &layer->weight.item[i];
        if (i != weight && (strcmp(other->variable->of.variable->name, name) == 0 ||
                            (other->field && strcmp(other->field, name) == 0)))
            return false;
    }
    return true;
}

/* Of weights without a field: where others have the name too, the weight's number is behind it. */
static const char *counted_name(tn__arena *arena, const tn_layer *layer, size_t weight)
{
    const char *given = layer->weight.item[weight].variable->of.variable->name, *name = given;
    for (size_t n = weight; name && !is_own_name(layer, weight, name); n += layer->weight.count)
        name = tn__arena_print(arena, "%s_%zu", given, n);
    return name;
}

tn_status tn__tracker_weight_names(tn__arena *arena, const tn_layer *layer, size_t weight,
                                   const char *names[TN__TRACKER_NAMES], size_t *count)
{
    const tn__weight *w = &layer->weight.item[weight];
    const char *own = w->variable->of.variable->name;
    *count = 0;
    if (w->variable->of.variable->seed)
        return TN_OK;
    if (!w->field) {
        names[0] = counted_name(arena, layer, weight);
        *count = names[0] != NULL;
        return *count ? TN_OK : TN_RESOURCE_EXHAUSTED;
    }
    const char *field = field_name(layer, w->field);
    bool renamed = field != w->field; /* then add_weight had that name too */
    if (!renamed && w->variable->of.variable->owner && strcmp(own, field) != 0 &&
        is_own_name(layer, weight, own))
        names[(*count)++] = own;
    names[(*count)++] = field;
    return TN_OK;
}

/* --- names of parts --------------------------------------------------------------------------- */
static tn_status add_part(tn__arena *arena, tn__tracker_parts *parts, tn_layer *layer,
                          const char *name, const char *other)
{
    tn__tracker_part *part = name ? TN__ARENA_ADD(arena, parts) : NULL;
    if (!part)
        return TN_RESOURCE_EXHAUSTED;
    *part = (tn__tracker_part){ layer, name, other };
    return TN_OK;
}

static tn_status has_weights(tn_layer *layer, bool *has)
{
    tn__weight_list list = { 0 };
    tn_status status = tn__collect_weights(layer, TN__ALL_WEIGHTS, &list);
    *has = list.count > 0;
    tn__weight_list_free(&list);
    return status;
}

/* Layers in a list are counted, those with weights a second time. */
static tn_status add_listed(tn__arena *arena, tn__tracker_parts *parts, tn_layer *layer,
                            size_t index, size_t *weighted)
{
    bool has;
    TN_TRY(has_weights(layer, &has));
    char *plain = tn__arena_print(arena, "layer-%zu", index);
    if (!plain || !has)
        return add_part(arena, parts, layer, plain, NULL);
    return add_part(arena, parts, layer,
                    tn__arena_print(arena, "layer_with_weights-%zu", (*weighted)++), plain);
}

/* Keras 2 begins the names of what MultiHeadAttention is made of with "_". */
static const char *part_name(tn__arena *arena, const tn_layer *layer, const char *field)
{
    bool hidden = strcmp(layer->of->name, "MultiHeadAttention") == 0 && field[0] != '_';
    return hidden ? tn__arena_print(arena, "_%s", field) : field;
}

static tn_status add_fields(tn__arena *arena, const tn_layer *layer, tn__tracker_parts *parts)
{
    TN__EACH_FIELD(field, layer->of->fields)
    {
        if (field->kind != TN_FIELD_LAYER)
            continue;
        tn_layer *held =
            *(tn_layer *const *)(const void *)((const char *)layer->self + field->offset);
        for (size_t i = 0; held && i < layer->child.count; i++)
            if (layer->child.item[i] == held) {
                TN_TRY(add_part(arena, parts, held, part_name(arena, layer, field->name), NULL));
                break;
            }
    }
    return TN_OK;
}

static bool is_among(const tn__tracker_parts *parts, size_t count, const tn_layer *layer)
{
    for (size_t i = 0; i < count; i++)
        if (parts->item[i].layer == layer)
            return true;
    return false;
}

tn_status tn__tracker_layer_parts(tn__arena *arena, const tn_layer *layer, tn__tracker_parts *parts)
{
    size_t index = 0, weighted = 0;
    *parts = (tn__tracker_parts){ 0 };
    TN_TRY(add_fields(arena, layer, parts));
    size_t fields = parts->count;
    for (size_t i = 0; i < layer->child.count; i++)
        if (!is_among(parts, fields, layer->child.item[i]))
            TN_TRY(add_listed(arena, parts, layer->child.item[i], index++, &weighted));
    return TN_OK;
}

/* --- the graph -------------------------------------------------------------------------------- */
static const char *join(tn__arena *arena, const char *path, const char *name)
{
    const char *escaped = tn__object_graph_escape(arena, name);
    return !escaped || !*path ? escaped : tn__arena_print(arena, "%s/%s", path, escaped);
}

static tn_status add_node(tn__tracker *t, const char *path, tn_layer *layer, tn_tensor *variable,
                          size_t *node)
{
    tn__tracker_node *added = path ? TN__ARENA_ADD(&t->arena, &t->node) : NULL;
    if (!added)
        return TN_RESOURCE_EXHAUSTED;
    *added = (tn__tracker_node){ .layer = layer, .variable = variable, .path = path };
    *node = t->node.count - 1;
    const void *key = layer ? (const void *)layer : variable;
    return key ? tn__ids_set(&t->seen, (uintptr_t)key, *node) : TN_OK;
}

tn_status tn__tracker_add(tn__tracker *t, size_t parent, const char *name, tn_layer *layer,
                          tn_tensor *variable, size_t *child)
{
    const void *key = layer ? (const void *)layer : variable;
    if (!key || !tn__ids_get(&t->seen, (uintptr_t)key, child))
        TN_TRY(
            add_node(t, join(&t->arena, t->node.item[parent].path, name), layer, variable, child));
    const char *kept = tn__arena_text(&t->arena, name);
    tn__object_reference *reference =
        kept ? TN__ARENA_ADD(&t->arena, &t->node.item[parent].children) : NULL;
    if (!reference)
        return TN_RESOURCE_EXHAUSTED;
    *reference = (tn__object_reference){ .node_id = (int32_t)*child, .local_name = kept };
    return TN_OK;
}

static tn_status add_weights(tn__tracker *t, size_t node)
{
    const tn_layer *layer = t->node.item[node].layer;
    for (size_t i = 0; i < layer->weight.count; i++) {
        const char *names[TN__TRACKER_NAMES];
        size_t count, child;
        TN_TRY(tn__tracker_weight_names(&t->arena, layer, i, names, &count));
        for (size_t k = 0; k < count; k++)
            TN_TRY(
                tn__tracker_add(t, node, names[k], NULL, layer->weight.item[i].variable, &child));
    }
    return TN_OK;
}

static tn_status add_parts(tn__tracker *t, size_t node)
{
    tn__tracker_parts parts;
    size_t child;
    TN_TRY(tn__tracker_layer_parts(&t->arena, t->node.item[node].layer, &parts));
    for (size_t i = 0; i < parts.count; i++) {
        const tn__tracker_part *part = &parts.item[i];
        TN_TRY(tn__tracker_add(t, node, part->name, part->layer, NULL, &child));
        if (part->other)
            TN_TRY(tn__tracker_add(t, node, part->other, part->layer, NULL, &child));
    }
    return TN_OK;
}

/* --- the optimizer ---------------------------------------------------------------------------- */
static tn_status add_list(tn__tracker *t, size_t node, tn_tensor *const *variables, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char number[24];
        size_t child;
        snprintf(number, sizeof number, "%zu", i);
        TN_TRY(tn__tracker_add(t, node, number, NULL, variables[i], &child));
    }
    return TN_OK;
}

/* The two that have names first: that is the shorter way to them. */
static tn_status add_optimizer(tn__tracker *t, const tn_layer *model, size_t optimizer)
{
    size_t count, list, child;
    tn_tensor **variables, *rate = tn__trainer_rate(model);
    TN_TRY(tn__trainer_variables(model, TN__KERAS_2, &variables, &count));
    tn_status status = tn__tracker_add(t, optimizer, "_variables", NULL, NULL, &list);
    if (status == TN_OK && count)
        status = tn__tracker_add(t, optimizer, "_iterations", NULL, variables[0], &child);
    if (status == TN_OK && rate)
        status = tn__tracker_add(t, optimizer, "_learning_rate", NULL, rate, &child);
    if (status == TN_OK)
        status = add_list(t, list, variables, count);
    tn__free(variables);
    return status;
}

tn_status tn__tracker_model(tn_layer *model, bool optimizer, tn__tracker *tracker)
{
    size_t root, state = 0;
    *tracker = (tn__tracker){ 0 };
    TN_TRY(add_node(tracker, "", model, NULL, &root));
    for (size_t i = 0; i < tracker->node.count; i++) {
        if (tracker->node.item[i].layer) {
            TN_TRY(add_parts(tracker, i));
            TN_TRY(add_weights(tracker, i));
        }
        if (i == 0 && optimizer && tn__trainer_has_optimizer(model))
            TN_TRY(tn__tracker_add(tracker, root, "optimizer", NULL, NULL, &state));
        if (state && i == state)
            TN_TRY(add_optimizer(tracker, model, state));
    }
    return TN_OK;
}

void tn__tracker_free(tn__tracker *tracker)
{
    tn__ids_free(&tracker->seen);
    tn__arena_free(&tracker->arena);
    *tracker = (tn__tracker){ 0 };
}

/* --- as it is written ------------------------------------------------------------------------- */
const char *tn__tracker_key(tn__tracker *tracker, size_t node)
{
    return tn__arena_print(&tracker->arena, "%s" TN__VARIABLE_KEY_ENDING,
                           tracker->node.item[node].path);
}

const char *tn__tracker_full_name(tn__arena *arena, const tn_tensor *variable)
{
    size_t depth = tn__scope_begin("name");
    const char *name = tn__arena_text(arena, tn__variable_full_name(variable));
    tn__scope_end(depth);
    return name;
}

static tn_status add_value(tn__tracker *t, size_t node, tn__trackable *out)
{
    tn__serialized_tensor *value = TN__ARENA_ADD(&t->arena, &out->attributes);
    if (!value)
        return TN_RESOURCE_EXHAUSTED;
    value->name = TN__VARIABLE_VALUE;
    value->full_name = tn__tracker_full_name(&t->arena, t->node.item[node].variable);
    value->checkpoint_key = tn__tracker_key(t, node);
    return value->full_name && value->checkpoint_key ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status write_node(tn__tracker *t, size_t node, tn__object_graph *graph)
{
    tn__trackable *out = TN__ARENA_ADD(&t->arena, &graph->nodes);
    if (!out)
        return TN_RESOURCE_EXHAUSTED;
    out->children.item = t->node.item[node].children.item;
    out->children.count = t->node.item[node].children.count;
    out->has_checkpoint_values = tn__arena_alloc(&t->arena, sizeof(tn__bool_value));
    if (!out->has_checkpoint_values)
        return TN_RESOURCE_EXHAUSTED;
    bool variable = t->node.item[node].variable != NULL;
    out->has_checkpoint_values->value = variable || t->node.item[node].awaited;
    return variable ? add_value(t, node, out) : TN_OK;
}

/* A node has values when one below it has; most children have higher numbers. */
static bool spread_values(tn__object_graph *graph)
{
    bool changed = false;
    for (size_t i = graph->nodes.count; i-- > 0;) {
        tn__trackable *node = &graph->nodes.item[i];
        for (size_t k = 0; k < node->children.count && !node->has_checkpoint_values->value; k++) {
            size_t child = (size_t)node->children.item[k].node_id;
            node->has_checkpoint_values->value =
                graph->nodes.item[child].has_checkpoint_values->value;
            changed |= node->has_checkpoint_values->value;
        }
    }
    return changed;
}

tn_status tn__tracker_graph(tn__tracker *tracker, tn__object_graph *graph)
{
    *graph = (tn__object_graph){ 0 };
    for (size_t i = 0; i < tracker->node.count; i++)
        TN_TRY(write_node(tracker, i, graph));
    while (spread_values(graph))
        continue;
    return TN_OK;
}
