/* upgrade.c - configs of Keras 1 and 2 that say something else today. */
#include "nn/config.h"
#include <string.h>

enum { DEEPEST = 256 }; /* nesting of a config; jansson's parser allows more */

/* Wherever a config names an activation: "activation", "recurrent_activation", or a function
 * object's "config". */
static bool names_activation(const char *key)
{
    size_t length = strlen(key), ending = strlen("activation");
    return length >= ending && strcmp(key + length - ending, "activation") == 0;
}

static bool is_hard_sigmoid(const json_t *value)
{
    const char *name =
        json_is_string(value) ? json_string_value(value) : tn__json_text(value, "config");
    return name && strcmp(name, "hard_sigmoid") == 0;
}

static tn_status upgrade_object(json_t *json, int depth);

static tn_status upgrade_value(json_t *value, int depth)
{
    size_t i;
    json_t *item;
    if (depth > DEEPEST)
        return tn__fail(TN_DATA_LOSS, "the config is nested more than %d deep", DEEPEST);
    if (json_is_object(value))
        return upgrade_object(value, depth);
    json_array_foreach(value, i, item) TN_TRY(upgrade_value(item, depth + 1));
    return TN_OK;
}

/* What a class took where its config says nothing, as the first files of it do. */
static const struct {
    const char *class, *key;
    bool value;
} old_defaults[] = { { "GRU", "reset_after", false }, { "GRUCell", "reset_after", false } };

static tn_status add_defaults(const json_t *json)
{
    const char *class = tn__json_text(json, "class_name");
    json_t *config = json_object_get(json, "config");
    for (size_t i = 0; class && i < sizeof old_defaults / sizeof *old_defaults; i++)
        if (strcmp(old_defaults[i].class, class) == 0 && json_is_object(config) &&
            !json_object_get(config, old_defaults[i].key))
            TN_TRY(tn__json_set(config, old_defaults[i].key, json_boolean(old_defaults[i].value)));
    return TN_OK;
}

static tn_status upgrade_object(json_t *json, int depth)
{
    const char *key;
    json_t *value;
    void *next;
    TN_TRY(add_defaults(json));
    json_object_foreach_safe(json, next, key, value)
    {
        if (names_activation(key) && is_hard_sigmoid(value))
            TN_TRY(tn__json_set(json, key, json_string("hard_sigmoid_keras2")));
        else
            TN_TRY(upgrade_value(value, depth + 1));
    }
    return TN_OK;
}

tn_status tn__upgrade_config(json_t *json, const char *version)
{
    bool old = version && (version[0] == '1' || version[0] == '2') && version[1] == '.';
    return old ? upgrade_value(json, 0) : TN_OK;
}

tn_status tn__is_ambiguous(const json_t *json, bool *is)
{
    json_t *copy = json_deep_copy(json);
    tn_status status = copy ? tn__upgrade_config(copy, "2.0") : tn__fail_memory(0);
    *is = status == TN_OK && !json_equal((json_t *)(uintptr_t)json, copy);
    json_decref(copy);
    return status;
}
