/* scopes.c */
#include "saving/scopes.h"
#include "nn/config.h"
#include "nn/naming.h"
#include <string.h>

static char *join(const char *outer, const char *inner)
{
    return tn__print("%s%s%s", outer, *outer && *inner ? "/" : "", inner);
}

static tn_status replace(char **place, char *text)
{
    if (!text)
        return TN_RESOURCE_EXHAUSTED;
    tn__free(*place);
    *place = text;
    return TN_OK;
}

/* The layer whose scope begins a weight's name: the outermost owner that is no model. */
static tn_layer *naming_layer(tn_layer *layer)
{
    tn_layer *found = layer;
    for (; layer; layer = layer->owner)
        if (!layer->of->model)
            found = layer;
    return found;
}

/* --- tenon.json ------------------------------------------------------------------------------- */
/* A plain variable, made by tn_variable() in a layer's body, has a scope of its own. */
static tn_status write_variables(const tn__part *part, json_t *variables)
{
    for (size_t i = 0; i < part->count; i++) {
        const tn__variable *v = part->own[i]->of.variable;
        if (v->owner || !v->scope[0])
            continue;
        char *key = tn__print("%s%svars/%zu", part->path, *part->path ? "/" : "", i);
        tn_status status =
            key ? tn__json_set(variables, key, json_string(v->scope)) : TN_RESOURCE_EXHAUSTED;
        tn__free(key);
        TN_TRY(status);
    }
    return TN_OK;
}

static tn_status write_scopes(const tn__walk *walk, json_t *layers, json_t *variables)
{
    for (size_t i = 0; i < walk->count; i++) {
        const tn__part *part = &walk->item[i];
        if (naming_layer(part->layer) == part->layer && part->layer->scope[0])
            TN_TRY(tn__json_set(layers, part->path, json_string(part->layer->scope)));
        TN_TRY(write_variables(part, variables));
    }
    return TN_OK;
}

tn_status tn__scopes_to_json(tn_layer *model, json_t **json)
{
    *json = NULL;
    tn__walk walk;
    json_t *layers = json_object(), *variables = json_object();
    tn_status status = tn__walk_model(model, &walk);
    if (status == TN_OK)
        status = layers && variables ? write_scopes(&walk, layers, variables) : tn__fail_memory(0);
    tn__walk_free(&walk);
    if (status == TN_OK && json_object_size(layers) + json_object_size(variables) > 0) {
        *json = json_pack("{s:i, s:O, s:O}", "tenon", 1, "layers", layers, "variables", variables);
        status = *json ? TN_OK : tn__fail_memory(0);
    }
    json_decref(layers);
    json_decref(variables);
    return status;
}

static tn_status read_part_scopes(const char *open, const tn__part *part, const json_t *json)
{
    const json_t *layers = json_object_get(json, "layers");
    const json_t *variables = json_object_get(json, "variables");
    const char *scope = tn__json_text(layers, part->path);
    if (scope)
        TN_TRY(replace(&part->layer->scope, join(open, scope)));
    for (size_t i = 0; i < part->count; i++) {
        char *key = tn__print("%s%svars/%zu", part->path, *part->path ? "/" : "", i);
        if (!key)
            return TN_RESOURCE_EXHAUSTED;
        scope = tn__json_text(variables, key);
        tn__free(key);
        if (scope)
            TN_TRY(replace(&part->own[i]->of.variable->scope, join(open, scope)));
    }
    return TN_OK;
}

tn_status tn__scopes_from_json(tn_context *context, tn_layer *model, const json_t *json)
{
    tn__walk walk;
    tn_status status = tn__walk_model(model, &walk);
    for (size_t i = 0; i < walk.count && status == TN_OK; i++)
        status = read_part_scopes(context->name_scope, &walk.item[i], json);
    tn__walk_free(&walk);
    return status;
}

/* --- names in .h5 ----------------------------------------------------------------------------- */
static bool any_equal(char *const *names, size_t count)
{
    tn__map seen = { 0 };
    bool equal = false;
    for (size_t i = 0; i < count && !equal; i++) {
        equal = tn__map_get(&seen, names[i]) != NULL;
        if (tn__map_set(&seen, names[i], names[i]) != TN_OK)
            break;
    }
    tn__map_free(&seen);
    return equal;
}

static tn_status fill_names(tn_tensor *const *weights, size_t count, bool paths, char **names)
{
    for (size_t i = 0; i < count; i++) {
        const char *path = weights[i]->of.variable->path;
        size_t depth = tn__scope_begin("names");
        const char *name = paths && path ? path : tn__full_name(weights[i]);
        tn_status status = name ? replace(&names[i], tn__strdup(name)) : TN_RESOURCE_EXHAUSTED;
        tn__scope_end(depth);
        TN_TRY(status);
    }
    return TN_OK;
}

tn_status tn__h5_weight_names(tn_tensor *const *weights, size_t count, char ***names)
{
    *names = tn__alloc_zeroed(count + 1, sizeof **names);
    if (!*names)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = fill_names(weights, count, false, *names);
    if (status == TN_OK && any_equal(*names, count)) {
        status = fill_names(weights, count, true, *names);
        if (status == TN_OK &&
            any_equal(*names, count)) /* it cannot be saved: the name people know */
            status = fill_names(weights, count, false, *names);
    }
    if (status == TN_OK)
        status = tn__errors()->status;
    if (status != TN_OK) {
        tn__names_release(*names, count);
        *names = NULL;
    }
    return status;
}

void tn__names_release(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++)
        tn__free(names[i]);
    tn__free(names);
}

/* How long the name is without Keras 2's ":0". */
static size_t bare_length(const char *name)
{
    const char *colon = strrchr(name, ':');
    bool number = colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1);
    return number ? (size_t)(colon - name) : strlen(name);
}

/* The part of `name` before "/rest"; false when it does not end so. "" when it is all of it. */
static bool scope_before(const char *name, const char *rest, char **scope)
{
    size_t length = bare_length(name), end = strlen(rest);
    *scope = NULL;
    if (length < end || strncmp(name + length - end, rest, end) != 0)
        return false;
    if (length > end && name[length - end - 1] != '/')
        return false;
    *scope = tn__strndup(name, length > end ? length - end - 1 : 0);
    return *scope != NULL;
}

/* The name now is "<scope>/<rest>"; of a plain variable the scope holds its layers too. */
static tn_status take_scope(const char *open, tn_tensor *weight, const char *now, const char *name)
{
    tn__variable *v = weight->of.variable;
    char **place = v->owner ? &naming_layer(v->owner)->scope : &v->scope, *before = NULL;
    const char *rest = now + strlen(open) + (*open ? 1 : 0);
    if (!tn__starts_with(now, open) || !scope_before(name, rest, &before) || !*before) {
        tn__free(before);
        return tn__errors()->status;
    }
    char *kept = v->owner ? tn__strdup("") : tn__strndup(rest, strlen(rest) - strlen(v->name));
    if (kept && *kept)
        kept[strlen(kept) - 1] = 0; /* its last '/' */
    char *inner = kept ? join(before, kept) : NULL;
    tn_status status = inner ? replace(place, join(open, inner)) : TN_RESOURCE_EXHAUSTED;
    tn__free(inner);
    tn__free(kept);
    tn__free(before);
    return status;
}

tn_status tn__scopes_from_names(tn_context *context, tn_tensor *const *weights, size_t count,
                                const char *const *names)
{
    char **now = tn__alloc_zeroed(count + 1, sizeof *now);
    if (!now)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = fill_names(weights, count, false, now);
    /* Equal full names stand in the file as paths, which tell no scope. */
    bool paths = status == TN_OK && any_equal(now, count);
    for (size_t i = 0; i < count && status == TN_OK && !paths; i++)
        status = take_scope(context->name_scope, weights[i], now[i], names[i]);
    tn__names_release(now, count);
    return status == TN_OK ? tn__errors()->status : status;
}
