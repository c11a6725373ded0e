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

/* A side that has no such key stays away. */
static tn_status add(const place *p, const char *key, const json_t *a, const json_t *b)
{
    json_t *entry = json_pack("{s:s, s:s}", "layer", p->layer, "key", key);
    tn_status status = entry ? TN_OK : tn__fail_memory(0);
    if (status == TN_OK && a)
        status = tn__json_set(entry, "a", json_deep_copy(a));
    if (status == TN_OK && b)
        status = tn__json_set(entry, "b", json_deep_copy(b));
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
    if (json_is_object(a) && json_is_object(b) && depth < DEEPEST)
        return compare_objects(p, key, a, b, depth);
    return equal(a, b) ? TN_OK : add(p, key, a, b);
}

/* --- the layers of a model -------------------------------------------------------------------- */
static const json_t *layers_of(const json_t *layer)
{
    const json_t *config = json_object_get(layer, "config");
    return json_is_array(config) ? config : json_object_get(config, "layers");
}

static const char *name_of(const json_t *layer)
{
    const char *name = tn__json_text(json_object_get(layer, "config"), "name");
    name = name ? name : tn__json_text(layer, "name");
    return name ? name : "?";
}

/* The k-th layer of this name, as the other model has it. */
static const json_t *find(const json_t *layers, const char *name, size_t k)
{
    size_t i;
    json_t *layer;
    json_array_foreach(layers, i, layer)
    {
        if (strcmp(name_of(layer), name) == 0 && k-- == 0)
            return layer;
    }
    return NULL;
}

static size_t count_before(const json_t *layers, size_t end)
{
    size_t count = 0;
    const char *name = name_of(json_array_get(layers, end));
    for (size_t i = 0; i < end; i++)
        count += strcmp(name_of(json_array_get(layers, i)), name) == 0;
    return count;
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

static tn_status compare_layers(json_t *list, const char *path, const json_t *a, const json_t *b,
                                int depth)
{
    const json_t *x = layers_of(a), *y = layers_of(b);
    bool same_names = json_array_size(x) == json_array_size(y);
    for (size_t i = 0; i < json_array_size(x); i++) {
        const json_t *layer = json_array_get(x, i);
        const json_t *other = find(y, name_of(layer), count_before(x, i));
        same_names &= other != NULL;
        TN_TRY(compare_layer(list, path, name_of(layer), layer, other, depth));
    }
    for (size_t i = 0; i < json_array_size(y); i++) {
        const json_t *layer = json_array_get(y, i);
        if (!find(x, name_of(layer), count_before(y, i)))
            TN_TRY(compare_layer(list, path, name_of(layer), NULL, layer, depth));
    }
    return same_names ? compare_order(&(place){ list, path }, x, y) : TN_OK;
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
