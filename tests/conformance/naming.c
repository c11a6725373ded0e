/* naming.c - cases of kind "naming": the config that every class begins with, and the automatic
 * names of layers. The rest of them are programs, which the examples are. */
#include "conformance/conformance.h"
#include "nn/config.h"
#include <stdlib.h>
#include <string.h>

/* What Keras's constructors take and its get_config() leaves out, wholly (so that its own copies
 * lose it) or while it is the default; ours is written. */
static const struct {
    const char *name, *key;
} unsaid[] = {
    { "Identity", "gain" },
    { "IdentityInitializer", "gain" },
    { "CosineSimilarity", "axis" },
    { "Huber", "delta" },
    { "SparseTopKCategoricalAccuracy", "from_sorted_ids" },
};

static bool is_unsaid(const char *name, const char *key)
{
    for (size_t i = 0; i < sizeof unsaid / sizeof *unsaid; i++)
        if (strcasecmp(unsaid[i].name, name) == 0 && strcmp(unsaid[i].key, key) == 0)
            return true;
    return false;
}

/* Written values must be among what Keras wrote. */
static bool check_config(verdict *v, const char *name, const json_t *written, const json_t *wanted)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)written, key, value)
    {
        const json_t *want = json_object_get(wanted, key);
        if (want ? is_same_value(value, want) : json_is_null(value) || is_unsaid(name, key))
            continue;
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        fail_case(v, "%s: its config says %s=%.200s", name, key, text);
        free(text);
        return false;
    }
    return true;
}

/* --- layers ----------------------------------------------------------------------------------- */
static bool check_layer(verdict *v, const char *name, const json_t *one)
{
    const json_t *wanted = json_object_get(one, "config");
    json_t *config = json_deep_copy(json_object_get(one, "args"));
    json_object_set(config, "name", json_object_get(wanted, "name"));
    json_t *json = json_pack("{s:s, s:s, s:o, s:n}", "module", "keras.layers", "class_name", name,
                             "config", config, "registered_name");
    tn_layer *layer;
    tn_status status = tn__layer_from_json(tn__context(), json, &layer);
    json_decref(json);
    if (status != TN_OK)
        return no_error(v, name);
    tn__own(layer);
    json_t *written = tn__layer_to_json(layer, TN__KERAS_3);
    bool good = written ? check_config(v, name, json_object_get(written, "config"), wanted)
                        : no_error(v, name);
    json_decref(written);
    return good;
}

/* --- things ----------------------------------------------------------------------------------- */
static bool check_thing(verdict *v, tn__object_kind kind, const char *name, const json_t *one)
{
    json_t *config = json_deep_copy(json_object_get(one, "args")),
           *own = json_object_get(json_object_get(one, "config"), "name");
    if (own) /* automatic ones are given when the object is made */
        json_object_set(config, "name", own);
    json_t *json = json_pack("{s:s, s:o}", "class_name", name, "config", config);
    tn__thing thing;
    tn_status status = tn__thing_from_json(kind, json, &thing);
    json_decref(json);
    if (status != TN_OK)
        return no_error(v, name);
    json_t *written = tn__thing_to_json(&thing, TN__KERAS_3);
    tn__thing_free(&thing);
    bool good = written ? check_config(v, name, json_object_get(written, "config"),
                                       json_object_get(one, "config"))
                        : no_error(v, name);
    json_decref(written);
    return good;
}

static const struct {
    const char *name;
    tn__object_kind kind;
} kinds[] = {
    { "default_config_initializers", TN__INITIALIZER },
    { "default_config_regularizers", TN__REGULARIZER },
    { "default_config_constraints", TN__CONSTRAINT },
    { "default_config_losses", TN__LOSS },
    { "default_config_metrics", TN__METRIC },
    { "default_config_optimizers", TN__OPTIMIZER },
    { "default_config_optimizers_schedules", TN__SCHEDULE },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* --- a case ----------------------------------------------------------------------------------- */
static void replay_configs(verdict *v, const json_t *json, const char *which)
{
    size_t kind = 0, known = 0;
    const char *name;
    json_t *one;
    while (kind < KINDS && strcmp(kinds[kind].name, which) != 0)
        kind++;
    bool layers = strcmp(which, "default_config_layers") == 0;
    if (kind == KINDS && !layers) {
        skip_case(v, "of another kind of things");
        return;
    }
    json_object_foreach(json_object_get(json, "configs"), name, one)
    {
        TN_SCOPE;
        if (layers ? !tn__class_find(name) : !tn__object_class_find(kinds[kind].kind, name))
            continue;
        known++;
        if (layers ? !check_layer(v, name, one) : !check_thing(v, kinds[kind].kind, name, one))
            return;
    }
    if (known == 0)
        skip_case(v, "no class of it is there");
}

static void replay_names(verdict *v, const json_t *json)
{
    const char *name;
    json_t *want;
    char snake[128];
    json_object_foreach(json_object_get(json, "names"), name, want)
    {
        tn__snake_case(name, snake, sizeof snake);
        if (strcmp(snake, json_string_value(want)) != 0) {
            fail_case(v, "%s is named %s, want %s", name, snake, json_string_value(want));
            return;
        }
    }
}

void replay_naming(golden_case *c, verdict *v)
{
    const json_t *json = golden_json(c);
    const char *which = tn__json_text(json, "name");
    if (json_object_get(json, "configs"))
        replay_configs(v, json, which);
    else if (json_object_get(json, "names"))
        replay_names(v, json);
    else
        skip_case(v, "a program of its own");
}
