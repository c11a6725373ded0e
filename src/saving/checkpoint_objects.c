/* checkpoint_objects.c - weights by the objects that a checkpoint tells of. A model is followed
 * down its parts, and the graph beside it by the names that Keras 2 or Keras 3 gives to them. */
#include "saving/checkpoint_read.h"
#include "saving/trackable.h"
#include "saving/trainer_state.h"
#include "train/optimizer.h"
#include <stdlib.h>
#include <string.h>

static const tn__trackable *node_at(const tn__checkpoint_reading *r, int32_t node)
{
    return &r->graph.nodes.item[node];
}

/* The child of that name, or of the name behind "_". */
static int32_t child_of(const tn__checkpoint_reading *r, int32_t node, const char *name)
{
    const tn__trackable *parent = node_at(r, node);
    int32_t hidden = -1;
    for (size_t i = 0; i < parent->children.count; i++) {
        const char *local = parent->children.item[i].local_name;
        if (local && strcmp(local, name) == 0)
            return parent->children.item[i].node_id;
        if (local && local[0] == '_' && strcmp(local + 1, name) == 0)
            hidden = parent->children.item[i].node_id;
    }
    return hidden;
}

static bool value_of(const tn__checkpoint_reading *r, int32_t node, size_t *entry)
{
    return tn__checkpoint_value_of(r->bundle, node_at(r, node), entry);
}

/* --- weights ---------------------------------------------------------------------------------- */
/* A node, and what is told when a weight is not below it. */
typedef struct {
    int32_t node; /* -1: none */
    const char *path;
} spot;

static const char *path_below(tn__checkpoint_reading *r, spot at, const char *name)
{
    return tn__arena_print(&r->arena, "%s%s%s", at.path, *at.path ? "/" : "", name);
}

static bool find_weight(tn__checkpoint_reading *r, spot at, const char *const *names, size_t count,
                        size_t *entry)
{
    for (size_t i = 0; at.node >= 0 && i < count; i++) {
        int32_t child = names[i] ? child_of(r, at.node, names[i]) : -1;
        if (child >= 0 && value_of(r, child, entry))
            return true;
    }
    return false;
}

static tn_status match_weight(tn__checkpoint_reading *r, const tn_layer *layer, size_t weight,
                              spot at)
{
    const tn__weight *w = &layer->weight.item[weight];
    const char *names[TN__TRACKER_NAMES + 2];
    size_t count, entry;
    TN_TRY(tn__tracker_weight_names(&r->arena, layer, weight, names, &count));
    if (count == 0)
        return TN_OK;
    names[count++] = w->field;
    names[count++] = w->variable->of.variable->name;
    if (find_weight(r, at, names, count, &entry))
        return tn__checkpoint_take(r, w->variable, entry);
    const char *path = path_below(r, at, names[0]);
    return path ? tn__checkpoint_missing(r, w->variable, path) : TN_RESOURCE_EXHAUSTED;
}

/* --- parts ------------------------------------------------------------------------------------ */
/* Keras 3 keeps a model's layers, and nothing else that is an object, in a list of operations. */
static int32_t operations_of(const tn__checkpoint_reading *r, int32_t node)
{
    int32_t functional = child_of(r, node, "_functional");
    return child_of(r, functional >= 0 ? functional : node, "_operations");
}

static int by_number(const void *left, const void *right)
{
    const tn__object_reference *a = left, *b = right;
    long x = strtol(a->local_name, NULL, 10), y = strtol(b->local_name, NULL, 10);
    return x < y ? -1 : x > y;
}

/* The list's items in order; their numbers have gaps where ops are. A Sequential's first item may
 * be an InputLayer that is no layer of it. */
static tn_status list_operations(tn__checkpoint_reading *r, int32_t list, const tn_layer *model,
                                 tn__object_reference **items, size_t *count)
{
    const tn__trackable *node = node_at(r, list);
    size_t size = node->children.count * sizeof **items;
    *items = tn__arena_alloc(&r->arena, size + 1);
    if (!*items)
        return TN_RESOURCE_EXHAUSTED;
    *count = 0;
    for (size_t i = 0; i < node->children.count; i++)
        if (node->children.item[i].local_name)
            (*items)[(*count)++] = node->children.item[i];
    if (*count)
        qsort(*items, *count, sizeof **items, by_number);
    if (model->of == &tn__class_Sequential && *count == model->child.count + 1) {
        (*items)++;
        (*count)--;
    }
    return TN_OK;
}

static int32_t part_below(const tn__checkpoint_reading *r, int32_t node,
                          const tn__tracker_part *part)
{
    int32_t child = node < 0 ? -1 : child_of(r, node, part->name);
    return child < 0 && node >= 0 && part->other ? child_of(r, node, part->other) : child;
}

/* One pair of a layer and a node that is still to be followed. */
typedef struct {
    tn_layer *layer;
    spot at;
} pair;
typedef struct {
    TN__LIST_OF(pair) list;
    tn__ids seen; /* layers */
} walk;

static tn_status add_pair(tn__checkpoint_reading *r, walk *w, tn_layer *layer, spot at)
{
    size_t ignored;
    if (tn__ids_get(&w->seen, (uintptr_t)layer, &ignored))
        return TN_OK;
    TN_TRY(tn__ids_set(&w->seen, (uintptr_t)layer, 1));
    pair *added = TN__ARENA_ADD(&r->arena, &w->list);
    if (!added || !at.path)
        return TN_RESOURCE_EXHAUSTED;
    *added = (pair){ layer, at };
    return TN_OK;
}

static tn_status add_operations(tn__checkpoint_reading *r, walk *w, const tn_layer *model, spot at,
                                int32_t list)
{
    tn__object_reference *items;
    size_t count;
    TN_TRY(list_operations(r, list, model, &items, &count));
    for (size_t i = 0; i < model->child.count; i++) {
        spot below = { i < count ? items[i].node_id : -1,
                       tn__arena_print(&r->arena, "%s%s_operations/%s", at.path,
                                       *at.path ? "/" : "",
                                       i < count ? items[i].local_name : "?") };
        TN_TRY(add_pair(r, w, model->child.item[i], below));
    }
    return TN_OK;
}

static bool is_listed(const tn_layer *layer)
{
    return layer->of == &tn__class_Sequential || layer->of == &tn__class_Functional;
}

static tn_status add_parts(tn__checkpoint_reading *r, walk *w, const tn_layer *layer, spot at)
{
    tn__tracker_parts parts;
    bool keras_3 = at.node >= 0 && is_listed(layer) && child_of(r, at.node, "layer-0") < 0;
    int32_t list = keras_3 ? operations_of(r, at.node) : -1;
    if (list >= 0)
        return add_operations(r, w, layer, at, list);
    TN_TRY(tn__tracker_layer_parts(&r->arena, layer, &parts));
    for (size_t i = 0; i < parts.count; i++) {
        spot below = { part_below(r, at.node, &parts.item[i]),
                       path_below(r, at, parts.item[i].name) };
        TN_TRY(add_pair(r, w, parts.item[i].layer, below));
    }
    return TN_OK;
}

/* Depth does not matter: pairs are followed in the order in which they were met. */
static tn_status match_all(tn__checkpoint_reading *r, walk *w)
{
    for (size_t i = 0; i < w->list.count; i++) {
        pair next = w->list.item[i];
        for (size_t k = 0; k < next.layer->weight.count; k++)
            TN_TRY(match_weight(r, next.layer, k, next.at));
        TN_TRY(add_parts(r, w, next.layer, next.at));
    }
    return TN_OK;
}

/* --- where the model is ----------------------------------------------------------------------- */
enum { MOST_CHILDREN = 256 }; /* of the root that are looked at */

static tn_status count_weights(tn__checkpoint_reading *r, int32_t node, size_t *count)
{
    for (size_t i = 0; i < r->model->weight.count; i++) {
        const char *names[TN__TRACKER_NAMES];
        size_t named, entry;
        TN_TRY(tn__tracker_weight_names(&r->arena, r->model, i, names, &named));
        *count += find_weight(r, (spot){ node, "" }, names, named, &entry);
    }
    return TN_OK;
}

/* How many of the model's own parts and weights a node has children for. */
static tn_status count_children(tn__checkpoint_reading *r, int32_t node, size_t *count)
{
    walk w = { 0 };
    tn__arena outer = r->arena;
    r->arena = (tn__arena){ 0 };
    *count = 0;
    tn_status status = add_parts(r, &w, r->model, (spot){ node, "" });
    for (size_t i = 0; i < w.list.count; i++)
        *count += w.list.item[i].at.node >= 0;
    if (status == TN_OK)
        status = count_weights(r, node, count);
    tn__ids_free(&w.seen);
    tn__arena_free(&r->arena);
    r->arena = outer;
    return status;
}

/* The root itself where Keras 2 saved weights; else a child of it, the one that fits best. */
static tn_status find_model(tn__checkpoint_reading *r)
{
    size_t most, count;
    const tn__trackable *root = node_at(r, 0);
    r->node = 0;
    TN_TRY(count_children(r, 0, &most));
    for (size_t i = 0; i < root->children.count && i < MOST_CHILDREN; i++) {
        const char *name = root->children.item[i].local_name;
        if (name && name[0] == '_') /* a part of a model */
            continue;
        TN_TRY(count_children(r, root->children.item[i].node_id, &count));
        if (count > most) {
            most = count;
            r->node = root->children.item[i].node_id;
        }
    }
    return TN_OK;
}

/* --- what no weight has asked for ------------------------------------------------------------- */
/* Of training, and of what draws random numbers: no weights. */
static bool is_state(const char *name)
{
    static const char *const names[] = { "optimizer",         "save_counter",  "_loss_tracker",
                                         "_metrics",          "keras_api",     "compiled_metrics",
                                         "compiled_loss",     "loss_tracker",  "_compile_metrics",
                                         "_compile_loss",     "metrics",       "seed_generator",
                                         "_random_generator", "train_function" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

typedef struct {
    int32_t node;
    size_t parent; /* in the list */
    const char *name;
} left;
typedef struct {
    TN__LIST_OF(left) list;
    tn__ids seen; /* nodes, counted from 1 */
} left_walk;
enum { DEEPEST = 64 };

/* "(root).layer-1.kernel", as TensorFlow tells it. */
static const char *left_path(tn__checkpoint_reading *r, const left_walk *w, size_t at)
{
    const char *path = "";
    for (int depth = 0; path && at && depth < DEEPEST; depth++, at = w->list.item[at].parent)
        path = tn__arena_print(&r->arena, ".%s%s", w->list.item[at].name, path);
    return path ? tn__arena_print(&r->arena, "Unresolved object in checkpoint (root)%s", path)
                : NULL;
}

static tn_status add_left(tn__checkpoint_reading *r, left_walk *w, left next)
{
    size_t ignored;
    if (tn__ids_get(&w->seen, (uint64_t)next.node + 1, &ignored))
        return TN_OK;
    TN_TRY(tn__ids_set(&w->seen, (uint64_t)next.node + 1, 1));
    left *added = TN__ARENA_ADD(&r->arena, &w->list);
    if (!added)
        return TN_RESOURCE_EXHAUSTED;
    *added = next;
    return TN_OK;
}

static tn_status visit_left(tn__checkpoint_reading *r, left_walk *w, size_t at)
{
    size_t entry;
    const tn__trackable *node = node_at(r, w->list.item[at].node);
    if (value_of(r, w->list.item[at].node, &entry) && !tn__checkpoint_taken(r, entry)) {
        const char *text = r->unexpected ? "" : left_path(r, w, at);
        TN_TRY(text ? tn__checkpoint_unexpected(r, entry, text) : TN_RESOURCE_EXHAUSTED);
    }
    for (size_t i = 0; i < node->children.count; i++) {
        const tn__object_reference *child = &node->children.item[i];
        const char *name = child->local_name ? child->local_name : "?";
        if (!is_state(name))
            TN_TRY(add_left(r, w, (left){ child->node_id, at, name }));
    }
    return TN_OK;
}

static tn_status find_left(tn__checkpoint_reading *r)
{
    left_walk w = { 0 };
    tn_status status = add_left(r, &w, (left){ r->node, 0, "" });
    for (size_t i = 0; i < w.list.count && status == TN_OK; i++)
        status = visit_left(r, &w, i);
    tn__ids_free(&w.seen);
    return status;
}

/* --- all -------------------------------------------------------------------------------------- */
static void note_nothing(tn__checkpoint_reading *r)
{
    if (r->taken.count == 0 && r->missing)
        tn__text_add(&r->first,
                     "Nothing except the root object matched a checkpointed value. Typically this "
                     "means that the checkpoint does not match the Python program.");
}

tn_status tn__checkpoint_match_objects(tn__checkpoint_reading *r)
{
    walk w = { 0 };
    TN_TRY(find_model(r));
    tn_status status = add_pair(r, &w, r->model, (spot){ r->node, "" });
    if (status == TN_OK)
        status = match_all(r, &w);
    tn__ids_free(&w.seen);
    if (status == TN_OK)
        note_nothing(r);
    if (status == TN_OK && !r->loading->skip_mismatch)
        status = find_left(r);
    return status;
}

/* --- the optimizer ---------------------------------------------------------------------------- */
/* The values of a list, in order; momenta that nobody uses have none (checkpoint_aliases.c). */
static tn_status list_values(tn__checkpoint_reading *r, int32_t list, tn__place **places,
                             size_t *count)
{
    tn__object_reference *items;
    size_t entry;
    TN_TRY(list_operations(r, list, r->model, &items, count));
    *places = tn__arena_alloc(&r->arena, *count * sizeof **places + 1);
    if (!*places)
        return TN_RESOURCE_EXHAUSTED;
    size_t listed = *count;
    for (size_t i = *count = 0; i < listed; i++) {
        if (value_of(r, items[i].node_id, &entry))
            (*places)[(*count)++] = tn__checkpoint_place(r, entry);
        else if (node_at(r, items[i].node_id)->attributes.count)
            return tn__fail(TN_DATA_LOSS, "variable %s of the optimizer has no value",
                            items[i].local_name);
    }
    return TN_OK;
}

/* Keras 2 keeps the rate, and Nadam's product, outside the list. */
static tn_status read_number(tn__checkpoint_reading *r, int32_t optimizer, const char *name,
                             tn_tensor *number)
{
    tn_tensor *value;
    tn_shape shape;
    size_t entry;
    int32_t node = child_of(r, optimizer, name); /* or with "_" before it */
    if (!number || node < 0 || !value_of(r, node, &entry))
        return TN_OK;
    tn__place place = tn__checkpoint_place(r, entry);
    TN_TRY(tn__place_shape(place, &shape));
    if (shape.rank != 0)
        return TN_OK;
    TN_TRY(tn__place_tensor(r->loading->source, place, (tn_dtype)number->dtype, &value));
    tn_status status = tn__variable_assign(number, value);
    tn__release(value);
    return status;
}

static bool is_optimizer(const tn__checkpoint_reading *r, int32_t node)
{
    const char *const parts[2][2] = { { "_variables", "_iterations" },
                                      { "iter", "learning_rate" } };
    for (int i = 0; i < 2; i++)
        if (tn__object_graph_child(&r->graph, node, parts[i][0]) >= 0 &&
            tn__object_graph_child(&r->graph, node, parts[i][1]) >= 0)
            return true;
    return false;
}

/* The model's own; or, beside a model that was not compiled, a child of the root, under any name.
 */
static int32_t find_optimizer(const tn__checkpoint_reading *r)
{
    const tn__trackable *root = node_at(r, 0);
    int32_t own = child_of(r, r->node, "optimizer");
    for (size_t i = 0; own < 0 && i < root->children.count && i < MOST_CHILDREN; i++)
        if (is_optimizer(r, root->children.item[i].node_id))
            own = root->children.item[i].node_id;
    return own;
}

static tn_status read_list(tn__checkpoint_reading *r, int32_t list, tn__state_report *report)
{
    tn__place *places;
    size_t count;
    TN_TRY(list_values(r, list, &places, &count));
    return tn__trainer_read(r->context, r->model, r->loading->source, places, NULL, count, report);
}

tn_status tn__checkpoint_read_optimizer(tn__checkpoint_reading *r, tn__state_report *report)
{
    if (r->node < 0 || !tn__trainer_has_optimizer(r->model))
        return TN_OK;
    int32_t optimizer = find_optimizer(r);
    if (optimizer < 0)
        return TN_OK;
    int32_t list = tn__object_graph_child(&r->graph, optimizer, "_variables");
    TN_TRY(list < 0 ? tn__checkpoint_read_slots(r, optimizer, report) : read_list(r, list, report));
    TN_TRY(read_number(r, optimizer, "learning_rate", tn__trainer_rate(r->model)));
    return read_number(r, optimizer, "u_product", tn__trainer_optimizer(r->model)->number);
}
