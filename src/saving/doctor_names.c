/* doctor_names.c - names that clash: of layers in one model, of variables, of weights in .h5. */
#include "saving/doctor.h"
#include "nn/config.h"
#include "nn/naming.h"
#include "saving/legacy.h"
#include "saving/scopes.h"
#include <ctype.h>
#include <string.h>

enum { DEEPEST = 64 };

static char *lower_of(const char *name)
{
    char *lower = name ? tn__strdup(name) : NULL; /* NULL: no memory for the name */
    for (char *at = lower; at && *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return lower;
}

/* Under the small letters of a name; NULL: nothing. */
static tn_status keep(tn__map *map, const char *name, void *value)
{
    char *lower = lower_of(name);
    tn_status status = lower ? tn__map_set(map, lower, value) : TN_RESOURCE_EXHAUSTED;
    tn__free(lower);
    return status;
}

static tn_status find_kept(const tn__map *map, const char *name, void **value)
{
    char *lower = lower_of(name);
    *value = lower ? tn__map_get(map, lower) : NULL;
    tn_status status = lower ? TN_OK : TN_RESOURCE_EXHAUSTED;
    tn__free(lower);
    return status;
}

/* A name that is used; next: the first number that was not yet tried behind it. */
static tn_status keep_used(tn__map *used, const char *name, size_t next)
{
    return keep(used, name, (void *)(uintptr_t)next);
}

/* "d_1" of the used name "d": a name that is not used, and is from now on. The caller frees it
 * whatever this gives. */
static tn_status take_free_name(tn__map *used, const char *name, char **other)
{
    void *found;
    *other = NULL;
    TN_TRY(find_kept(used, name, &found));
    size_t number = (size_t)(uintptr_t)found;
    do {
        tn__free(*other);
        *other = tn__print("%s_%zu", name, number++);
        TN_TRY(*other ? find_kept(used, *other, &found) : TN_RESOURCE_EXHAUSTED);
    } while (found);
    TN_TRY(keep_used(used, *other, 1));
    return keep_used(used, name, number);
}

/* --- layers in the config --------------------------------------------------------------------- */
static const char *name_of(const json_t *layer)
{
    return tn__json_text(json_object_get(layer, "config"), "name");
}

static tn_status keep_names(const json_t *layers, tn__map *used)
{
    size_t i;
    json_t *layer;
    json_array_foreach(layers, i, layer)
    {
        const char *name = name_of(layer);
        if (name)
            TN_TRY(keep_used(used, name, 1));
    }
    return TN_OK;
}

/* The second of two equal names in a Sequential, where nothing refers to a layer by its name. */
static tn_status settle(tn__map *used, json_t *layer)
{
    char *other;
    tn_status status = take_free_name(used, name_of(layer), &other);
    json_t *config = json_object_get(layer, "config");
    if (status == TN_OK)
        status = tn__json_set(config, "name", json_string(other));
    tn__free(other);
    return status;
}

static tn_status tell_equal(tn__examination *e, const json_t *model, const json_t *a, json_t *b,
                            tn__map *used)
{
    const char *class = tn__json_text(model, "class_name"), *name = name_of(b);
    bool sequential = class && strcmp(class, "Sequential") == 0;
    const char *first = tn__json_text(a, "class_name"), *second = tn__json_text(b, "class_name");
    TN_TRY(tn__doctor_find(
        e, TN__EQUAL_LAYERS, sequential && e->parts.archive, name,
        "two layers of %s '%s', a %s and a %s, are both called '%s'%s", class ? class : "a model",
        name_of(model) ? name_of(model) : "?", first ? first : "layer", second ? second : "layer",
        name,
        !sequential         ? "; calls refer to layers by name, so which is meant is lost"
        : !e->parts.archive ? "; an .h5 has one group for both, so one of them lost its weights"
                            : ""));
    return sequential ? settle(used, b) : TN_OK;
}

static tn_status check_layer(tn__examination *e, const json_t *model, json_t *layer, tn__map *seen,
                             tn__map *used)
{
    void *other;
    const char *name = name_of(layer);
    if (!name)
        return TN_OK;
    TN_TRY(find_kept(seen, name, &other));
    if (!other)
        return keep(seen, name, layer);
    const char *first = name_of(other);
    if (strcmp(first, name) == 0)
        return tell_equal(e, model, other, layer, used);
    return tn__doctor_find(e, TN__NAMES_IN_CASE, true, name,
                           "the layers '%s' and '%s' of the model '%s' differ only in case", first,
                           name, name_of(model) ? name_of(model) : "?");
}

static tn_status check_model(tn__examination *e, const json_t *model, int depth)
{
    size_t i;
    json_t *layer;
    tn__map seen = { 0 }, used = { 0 };
    const json_t *layers = tn__layers_of(model);
    tn_status status = keep_names(layers, &used);
    json_array_foreach(layers, i, layer)
    {
        if (status == TN_OK)
            status = check_layer(e, model, layer, &seen, &used);
        if (status == TN_OK && depth < DEEPEST)
            status = check_model(e, layer, depth + 1);
    }
    tn__map_free(&seen);
    tn__map_free(&used);
    return status;
}

tn_status tn__doctor_layer_names(tn__examination *e)
{
    return check_model(e, e->config, 0);
}

/* --- variables -------------------------------------------------------------------------------- */
/* Whether two names differ only in the case of layers' names that were told already. */
static bool is_told(const tn__examination *e, const tn_tensor *variable)
{
    size_t i;
    json_t *finding;
    const tn_layer *owner = variable->of.variable->owner;
    json_array_foreach(e->findings, i, finding)
    {
        const char *kind = tn__json_text(finding, "kind"),
                   *subject = tn__json_text(finding, "subject");
        for (const tn_layer *at = owner; at; at = at->owner)
            if (strcmp(kind, "names equal but for case") == 0 && strcmp(subject, at->name) == 0)
                return true;
    }
    return false;
}

static const char *owner_text(const tn_tensor *variable)
{
    const tn__variable *v = variable->of.variable;
    return v->owner ? tn__layer_print(v->owner) : "no layer";
}

static bool other_layers(const tn_tensor *a, const tn_tensor *b)
{
    const tn_layer *x = a->of.variable->owner, *y = b->of.variable->owner;
    return x && y && x != y;
}

static tn_status tell_variables(tn__examination *e, const tn_tensor *a, const tn_tensor *b)
{
    const char *first = tn__full_name(a), *second = tn__full_name(b);
    if (!first || !second)
        return TN_RESOURCE_EXHAUSTED;
    bool equal = strcmp(first, second) == 0;
    if (equal)
        return tn__doctor_find(
            e, TN__EQUAL_VARIABLES, other_layers(a, b), second,
            "two variables are called '%s': one of %s, and one of %s (their paths "
            "are '%s' and '%s')",
            second, owner_text(a), owner_text(b),
            a->of.variable->path ? a->of.variable->path : first,
            b->of.variable->path ? b->of.variable->path : second);
    if (is_told(e, b))
        return TN_OK;
    return tn__doctor_find(e, TN__NAMES_IN_CASE, other_layers(a, b), second,
                           "the variables '%s' of %s and '%s' of %s differ only in case", first,
                           owner_text(a), second, owner_text(b));
}

static tn_status check_variables(tn__examination *e, const tn__weight_list *weights)
{
    tn__map seen = { 0 };
    tn_status status = TN_OK;
    for (size_t i = 0; i < weights->count && status == TN_OK; i++) {
        void *other;
        const char *name = tn__full_name(weights->item[i]);
        status = find_kept(&seen, name, &other);
        if (status == TN_OK)
            status = other ? tell_variables(e, other, weights->item[i])
                           : keep(&seen, name, weights->item[i]);
    }
    tn__map_free(&seen);
    return status;
}

/* --- keys in .h5 ------------------------------------------------------------------------------ */
static tn_status check_keys(tn__examination *e, const tn_layer *group,
                            const tn__weight_list *weights, char *const *names)
{
    tn__map seen = { 0 };
    tn_status status = TN_OK;
    for (size_t i = 0; i < weights->count && status == TN_OK; i++) {
        const tn_tensor *other = tn__map_get(&seen, names[i]);
        status = other ? tn__doctor_find(
                             e, TN__EQUAL_H5_KEYS, false, names[i],
                             "in the group '%s' of an .h5 two weights would be called '%s': "
                             "one of %s, and one of %s",
                             group->name, names[i], owner_text(other), owner_text(weights->item[i]))
                       : tn__map_set(&seen, names[i], weights->item[i]);
    }
    tn__map_free(&seen);
    return status;
}

static tn_status check_group(tn__examination *e, tn_layer *layer)
{
    tn__weight_list weights;
    char **names = NULL;
    tn_status status = tn__legacy_order(layer, &weights);
    if (status == TN_OK)
        status = tn__h5_weight_names(weights.item, weights.count, &names);
    if (status == TN_OK) {
        status = check_keys(e, layer, &weights, names);
        tn__names_release(names, weights.count);
    }
    tn__weight_list_free(&weights);
    return status;
}

tn_status tn__doctor_variable_names(tn__examination *e)
{
    tn_layer *const *layers;
    size_t count;
    tn__weight_list weights = { 0 };
    tn_status status = tn__collect_weights(e->model, TN__ALL_WEIGHTS, &weights);
    if (status == TN_OK)
        status = check_variables(e, &weights);
    tn__weight_list_free(&weights);
    TN_TRY(status);
    TN_TRY(tn__legacy_layers(e->model, &layers, &count));
    for (size_t i = 0; i < count; i++)
        TN_TRY(check_group(e, layers[i]));
    return TN_OK;
}

/* --- mending ---------------------------------------------------------------------------------- */
static tn_status keep_all(const tn__walk *walk, tn__map *used)
{
    for (size_t i = 0; i < walk->count; i++)
        TN_TRY(keep_used(used, walk->item[i].layer->name, 1));
    return TN_OK;
}

static tn_status rename_layer(tn_layer *layer, tn__map *used, json_t *done)
{
    char *other;
    tn_status status = take_free_name(used, layer->name, &other);
    json_t *line = status == TN_OK ? json_sprintf("renamed %s '%s' to '%s'", layer->of->name,
                                                  layer->name, other)
                                   : NULL;
    if (status == TN_OK && (!line || json_array_append_new(done, line) != 0))
        status = tn__fail_memory(0);
    if (status != TN_OK) {
        tn__free(other);
        return status;
    }
    tn__free(layer->name);
    layer->name = other;
    layer->automatic_name = false;
    return TN_OK;
}

/* Layers of one model whose names differ at most in case. */
static tn_status rename_parts(tn_layer *model, tn__map *used, json_t *done)
{
    tn__map seen = { 0 };
    tn_status status = TN_OK;
    for (size_t i = 0; i < model->child.count && status == TN_OK; i++) {
        tn_layer *layer = model->child.item[i];
        void *other;
        status = find_kept(&seen, layer->name, &other);
        if (status == TN_OK && other && other != layer)
            status = rename_layer(layer, used, done);
        if (status == TN_OK)
            status = keep(&seen, layer->name, layer);
    }
    tn__map_free(&seen);
    return status;
}

/* Variables whose full names differ at most in case: the layer of the second gets another name. */
static tn_status rename_owners(const tn__weight_list *weights, tn__map *used, json_t *done)
{
    tn__map seen = { 0 };
    tn_status status = TN_OK;
    for (size_t i = 0; i < weights->count && status == TN_OK; i++) {
        tn_tensor *variable = weights->item[i];
        void *other;
        status = find_kept(&seen, tn__full_name(variable), &other);
        if (status == TN_OK && other && other_layers(other, variable))
            status = rename_layer(variable->of.variable->owner, used, done);
        if (status == TN_OK)
            status = keep(&seen, tn__full_name(variable), variable);
    }
    tn__map_free(&seen);
    return status;
}

static tn_status rename_in(const tn__walk *walk, tn_layer *model, tn__map *used, json_t *done)
{
    tn__weight_list weights = { 0 };
    TN_TRY(keep_all(walk, used));
    for (size_t i = 0; i < walk->count; i++)
        if (tn__is_model(walk->item[i].layer))
            TN_TRY(rename_parts(walk->item[i].layer, used, done));
    tn_status status = tn__collect_weights(model, TN__ALL_WEIGHTS, &weights);
    if (status == TN_OK)
        status = rename_owners(&weights, used, done);
    tn__weight_list_free(&weights);
    return status;
}

tn_status tn__doctor_rename(tn__examination *e, json_t *done)
{
    tn__walk walk;
    tn__map used = { 0 };
    tn_status status = tn__walk_model(e->model, &walk);
    if (status == TN_OK)
        status = rename_in(&walk, e->model, &used, done);
    tn__map_free(&used);
    tn__walk_free(&walk);
    return status;
}
