/* checkpoint_names.c - weights by their full names: TensorFlow 1's checkpoints, whose keys they
 * are, and TensorFlow 2's, which remember them. */
#include "saving/checkpoint_read.h"
#include "saving/trackable.h"
#include <string.h>

/* --- the names of the model, as the file has them --------------------------------------------- */
/* Bytes of `name` that a scope or a whole name takes: "a" of "a" and of "a/b", "a/" of "a/b". */
static bool takes(const char *name, const char *part, size_t size)
{
    if (strncmp(name, part, size) != 0)
        return false;
    return size == 0 || part[size - 1] == '/' || name[size] == '\0' || name[size] == '/';
}

/* "/kernel" of "a/kernel". */
static bool ends(const char *name, const char *part, size_t size)
{
    size_t length = strlen(name);
    return length >= size && memcmp(name + length - size, part, size) == 0;
}

/* "old=new;old2=new2": the first whose `new` takes the name gives it `old` instead; of rules that
 * begin with '/', the first whose `new` is its end. */
static const char *renamed(tn__arena *arena, const char *rules, const char *name, bool at_end)
{
    while (rules && *rules) {
        size_t length = strcspn(rules, ";"), old = strcspn(rules, "=;");
        const char *new = rules + old + 1;
        size_t size = old < length ? length - old - 1 : 0;
        bool counts = old < length && (rules[0] == '/' && new[0] == '/') == at_end;
        if (counts && at_end && ends(name, new, size))
            return tn__arena_print(arena, "%.*s%.*s", (int)(strlen(name) - size), name, (int)old,
                                   rules);
        if (counts && !at_end && takes(name, new, size))
            return tn__arena_print(arena, "%.*s%s", (int)old, rules, name + size);
        rules += length + (rules[length] == ';');
    }
    return name;
}

tn_status tn__checkpoint_check_names(const tn__checkpoint_names *names, const char *what)
{
    for (const char *at = names->rename; at && *at;) {
        size_t length = strcspn(at, ";");
        const char *equals = memchr(at, '=', length);
        if (!equals || memchr(equals + 1, '=', length - (size_t)(equals - at) - 1))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "%s: rename must be \"old=new;old=new\", got \"%s\"", what,
                            names->rename);
        at += length + (at[length] == ';');
    }
    return TN_OK;
}

const char *tn__checkpoint_key(tn__arena *arena, const tn__checkpoint_names *names,
                               const tn_tensor *variable)
{
    const char *name = tn__tracker_full_name(arena, variable);
    if (name)
        name = renamed(arena, names->rename, name, true);
    if (name)
        name = renamed(arena, names->rename, name, false);
    return name && names->prefix ? tn__arena_print(arena, "%s%s", names->prefix, name) : name;
}

/* --- the names of the file -------------------------------------------------------------------- */
static tn_status list_graph(const tn__bundle *bundle, const tn__object_graph *graph, tn__map *map)
{
    for (size_t i = 0; i < graph->nodes.count; i++)
        for (size_t k = 0; k < graph->nodes.item[i].attributes.count; k++) {
            const tn__serialized_tensor *value = &graph->nodes.item[i].attributes.item[k];
            size_t entry;
            if (value->full_name && value->checkpoint_key && !tn__map_get(map, value->full_name) &&
                tn__bundle_find(bundle, value->checkpoint_key, &entry))
                TN_TRY(tn__map_set(map, value->full_name, (void *)(uintptr_t)(entry + 1)));
        }
    return TN_OK;
}

static tn_status list_keys(const tn__bundle *bundle, tn__map *map)
{
    for (size_t i = 0; i < tn__bundle_count(bundle); i++)
        TN_TRY(tn__map_set(map, tn__bundle_at(bundle, i)->name, (void *)(uintptr_t)(i + 1)));
    return TN_OK;
}

tn_status tn__checkpoint_index(const tn__bundle *bundle, const tn__object_graph *graph,
                               tn__map *map)
{
    return graph->nodes.count ? list_graph(bundle, graph, map) : list_keys(bundle, map);
}

/* --- matching --------------------------------------------------------------------------------- */
static tn_status match_one(tn__checkpoint_reading *r, const tn__checkpoint_names *names,
                           const tn__map *map, tn_tensor *variable)
{
    const char *name = tn__checkpoint_key(&r->arena, names, variable);
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    size_t entry = (size_t)(uintptr_t)tn__map_get(map, name);
    if (entry)
        return tn__checkpoint_take(r, variable, entry - 1);
    if (r->loading->by_name)
        return TN_OK;
    if (!r->missing && !r->first.bytes.size)
        tn__text_add(&r->first, "Key %s not found in checkpoint", name);
    return tn__checkpoint_missing(r, variable, name);
}

/* "dense/kernel/Adam" is state of "dense/kernel", which was taken. */
static bool is_slot(const tn__checkpoint_reading *r, const tn__map *map, const char *name)
{
    const char *slash = strrchr(name, '/');
    char *target = slash ? tn__strndup(name, (size_t)(slash - name)) : NULL;
    size_t entry = target ? (size_t)(uintptr_t)tn__map_get(map, target) : 0;
    tn__free(target);
    return entry && tn__checkpoint_taken(r, entry - 1);
}

/* What training with TensorFlow 1 leaves beside the weights. */
static bool is_state(const tn__checkpoint_reading *r, const tn__map *map, const char *name)
{
    static const char *const names[] = { "global_step", "beta1_power", "beta2_power",
                                         TN__OBJECT_GRAPH_KEY };
    const char *last = strrchr(name, '/');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(last ? last + 1 : name, names[i]) == 0)
            return true;
    return is_slot(r, map, name);
}

/* Of a file of TensorFlow 1, and below the prefix: other scopes are other models. */
static tn_status find_left(tn__checkpoint_reading *r, const tn__checkpoint_names *names,
                           const tn__map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        size_t entry = (size_t)(uintptr_t)map->item[i].value - 1;
        const char *name = map->item[i].key;
        if (tn__checkpoint_taken(r, entry) || is_state(r, map, name) ||
            (names->prefix && !tn__starts_with(name, names->prefix)))
            continue;
        const char *text =
            tn__arena_print(&r->arena, "Key %s of the checkpoint is no weight of the model", name);
        TN_TRY(text ? tn__checkpoint_unexpected(r, entry, text) : TN_RESOURCE_EXHAUSTED);
    }
    return TN_OK;
}

static tn_status match(tn__checkpoint_reading *r, const tn__checkpoint_names *names,
                       const tn__map *map)
{
    tn__weight_list weights = { 0 };
    tn_status status = tn__collect_weights(r->model, TN__ALL_WEIGHTS, &weights);
    for (size_t i = 0; i < weights.count && status == TN_OK; i++)
        status = match_one(r, names, map, weights.item[i]);
    tn__weight_list_free(&weights);
    bool strict = !r->loading->by_name && !r->loading->skip_mismatch;
    return status == TN_OK && strict && r->graph.nodes.count == 0 ? find_left(r, names, map)
                                                                  : status;
}

tn_status tn__checkpoint_match_names(tn__checkpoint_reading *r, const tn__checkpoint_names *names)
{
    tn__map map = { 0 };
    TN_TRY(tn__checkpoint_check_names(names, "tn_load_weights"));
    r->loading->mend = ".prefix and .rename say what the model's names are in the file; "
                       ".skip_mismatch = true loads what fits and leaves the rest";
    tn_status status = tn__checkpoint_index(r->bundle, &r->graph, &map);
    if (status == TN_OK)
        status = match(r, names, &map);
    tn__map_free(&map);
    return status;
}
