/* diff_config.c - what differs in two models' configs: layer by layer, found by their names, and
 * key by key. */
#include "nn/config.h"
#include "saving/diff.h"
#include <string.h>

enum { DEEPEST = 64 };

/* --- one layer -------------------------------------------------------------------------------- */
typedef struct {
    json_t *list;
    const char *layer;
} place;

/* Of an infinite number its word, which a report in JSON can hold. */
static json_t *shown(const json_t *value)
{
    const char *word = tn__number_word(value);
    return word ? json_string(word) : json_deep_copy(value);
}

/* A side that has no such key stays away. */
static tn_status add(const place *p, const char *key, const json_t *a, const json_t *b)
{
    json_t *entry = json_pack("{s:s, s:s}", "layer", p->layer, "key", key);
    tn_status status = entry ? TN_OK : tn__fail_memory(0);
    if (status == TN_OK && a)
        status = tn__json_set(entry, "a", shown(a));
    if (status == TN_OK && b)
        status = tn__json_set(entry, "b", shown(b));
    if (status == TN_OK && json_array_append_new(p->list, entry) == 0)
        return TN_OK;
    if (status != TN_OK)
        json_decref(entry);
    return status != TN_OK ? status : tn__fail_memory(0);
}

static bool equal(const json_t *a, const json_t *b)
{
    if (!a && !b)
        return true;
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    return json_equal((json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b);
}

static tn_status compare(const place *p, const char *key, const json_t *a, const json_t *b,
                         int depth);

static tn_status compare_key(const place *p, const char *before, const char *key, const json_t *a,
                             const json_t *b, int depth)
{
    char *path = tn__print("%s%s%s", before, *before ? "." : "", key);
    tn_status status = path ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        status = compare(p, path, json_object_get(a, key), json_object_get(b, key), depth + 1);
    tn__free(path);
    return status;
}

/* The layers of a model within are told of as layers. */
static bool is_left_out(const char *before, const char *key)
{
    return *before == 0 && strcmp(key, "layers") == 0;
}

static tn_status compare_objects(const place *p, const char *before, const json_t *a,
                                 const json_t *b, int depth)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)a, key, value)
    {
        if (!is_left_out(before, key))
            TN_TRY(compare_key(p, before, key, a, b, depth));
    }
    json_object_foreach((json_t *)(uintptr_t)b, key, value)
    {
        if (!is_left_out(before, key) && !json_object_get(a, key))
            TN_TRY(compare_key(p, before, key, a, b, depth));
    }
    return TN_OK;
}

static tn_status compare(const place *p, const char *key, const json_t *a, const json_t *b,
                         int depth)
{
    bool numbers = tn__number_word(a) && tn__number_word(b);
    if (json_is_object(a) && json_is_object(b) && !numbers && depth < DEEPEST)
        return compare_objects(p, key, a, b, depth);
    return equal(a, b) ? TN_OK : add(p, key, a, b);
}

/* --- the layers of a model -------------------------------------------------------------------- */
static const char *name_of(const json_t *layer)
{
    const char *name = tn__json_text(json_object_get(layer, "config"), "name");
    name = name ? name : tn__json_text(layer, "name");
    return name ? name : "?";
}

/* Layers in their order, under "0 dense": which of those of its name each one is, and the name. */
static tn_status index_layers(const json_t *layers, tn__map *index)
{
    size_t i;
    json_t *layer;
    tn__map counts = { 0 };
    tn_status status = TN_OK;
    json_array_foreach(layers, i, layer)
    {
        const char *name = name_of(layer);
        size_t before = (size_t)(uintptr_t)tn__map_get(&counts, name);
        char *key = status == TN_OK ? tn__print("%zu %s", before, name) : NULL;
        status = key ? tn__map_set(index, key, layer) : tn__errors()->status;
        if (status == TN_OK)
            status = tn__map_set(&counts, name, (void *)(uintptr_t)(before + 1));
        tn__free(key);
    }
    tn__map_free(&counts);
    return status;
}

static tn_status compare_models(json_t *list, const char *path, const json_t *a, const json_t *b,
                                int depth);

static tn_status compare_layer(json_t *list, const char *before, const char *name, const json_t *a,
                               const json_t *b, int depth)
{
    char *path = tn__print("%s%s%s", before, *before ? "/" : "", name);
    if (!path)
        return TN_RESOURCE_EXHAUSTED;
    place p = { list, path };
    tn_status status = a && b ? compare_models(list, path, a, b, depth + 1)
                              : add(&p, "class_name", json_object_get(a, "class_name"),
                                    json_object_get(b, "class_name"));
    tn__free(path);
    return status;
}

static json_t *names_in_order(const json_t *layers)
{
    size_t i;
    json_t *layer, *names = json_array();
    json_array_foreach(layers, i, layer) json_array_append_new(names, json_string(name_of(layer)));
    return names;
}

/* The same layers in another order. */
static tn_status compare_order(const place *p, const json_t *a, const json_t *b)
{
    json_t *x = names_in_order(a), *y = names_in_order(b);
    tn_status status = x && y ? TN_OK : tn__fail_memory(0);
    if (status == TN_OK && !json_equal(x, y))
        status = add(p, "layers", x, y);
    json_decref(x);
    json_decref(y);
    return status;
}

static tn_status compare_indexed(json_t *list, const char *path, const tn__map *x, const tn__map *y,
                                 int depth, bool *same_names)
{
    *same_names = x->count == y->count;
    for (size_t i = 0; i < x->count; i++) {
        const json_t *layer = x->item[i].value, *other = tn__map_get(y, x->item[i].key);
        *same_names &= other != NULL;
        TN_TRY(compare_layer(list, path, name_of(layer), layer, other, depth));
    }
    for (size_t i = 0; i < y->count; i++) {
        const json_t *layer = y->item[i].value;
        if (!tn__map_get(x, y->item[i].key))
            TN_TRY(compare_layer(list, path, name_of(layer), NULL, layer, depth));
    }
    return TN_OK;
}

static tn_status compare_layers(json_t *list, const char *path, const json_t *a, const json_t *b,
                                int depth)
{
    tn__map x = { 0 }, y = { 0 };
    bool same_names = false;
    tn_status status = index_layers(tn__layers_of(a), &x);
    if (status == TN_OK)
        status = index_layers(tn__layers_of(b), &y);
    if (status == TN_OK)
        status = compare_indexed(list, path, &x, &y, depth, &same_names);
    tn__map_free(&x);
    tn__map_free(&y);
    TN_TRY(status);
    return same_names ? compare_order(&(place){ list, path }, tn__layers_of(a), tn__layers_of(b))
                      : TN_OK;
}

static tn_status compare_models(json_t *list, const char *path, const json_t *a, const json_t *b,
                                int depth)
{
    place p = { list, path };
    static const char *const keys[] = { "class_name", "inbound_nodes" };
    for (size_t i = 0; i < 2; i++)
        TN_TRY(compare(&p, keys[i], json_object_get(a, keys[i]), json_object_get(b, keys[i]), 0));
    TN_TRY(compare(&p, "", json_object_get(a, "config"), json_object_get(b, "config"), 0));
    return depth < DEEPEST ? compare_layers(list, path, a, b, depth) : TN_OK;
}

tn_status tn__diff_configs(const json_t *a, const json_t *b, json_t *list)
{
    return compare_models(list, "", a, b, 0);
}

tn_status tn__diff_compiled(const json_t *a, const json_t *b, json_t *list)
{
    return compare(&(place){ list, "(compiled)" }, "", a, b, 0);
}
