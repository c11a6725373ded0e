/* activation_object.c - activations that files say as objects: layers without weights, which stand
 * where Keras takes a function. */
#include "nn/config.h"
#include <string.h>

/* The layer that has a function's arguments, and what it says of one that its config leaves out. */
static const struct {
    const char *class_name, *function;
    const char *old_key,
        *key;       /* Keras 2's word for an argument and today's; NULL: they are the same */
    double missing; /* of that argument */
} layers[] = {
    { "ReLU", "relu", NULL, NULL, 0 },
    { "LeakyReLU", "leaky_relu", "alpha", "negative_slope", 0.3 },
    { "ELU", "elu", NULL, NULL, 0 },
    { "Softmax", "softmax", NULL, NULL, 0 },
};
enum { LAYERS = sizeof layers / sizeof *layers };

/* --- out
 * ------------------------------------------------------------------------------------------------------------------
 */
static json_t *object_of(const char *module, const char *class_name, json_t *config)
{
    return json_pack("{s:s, s:s, s:o, s:n}", "module", module, "class_name", class_name, "config",
                     config, "registered_name");
}

/* Keras 2's hard_sigmoid is min(max(0.2 x + 0.5, 0), 1), which Keras 3 has no function for but two
 * layers. */
static json_t *old_hard_sigmoid(const char *name)
{
    json_t *scaled =
        object_of("keras.layers", "Rescaling",
                  json_pack("{s:s, s:f, s:f}", "name", "rescaling", "scale", 0.2, "offset", 0.5));
    json_t *cut = object_of("keras.layers", "ReLU",
                            json_pack("{s:s, s:f}", "name", "re_lu", "max_value", 1.0));
    return object_of("keras", "Sequential",
                     json_pack("{s:s, s:[o, o]}", "name", name, "layers", scaled, cut));
}

static json_t *layer_object(const tn__thing *thing, size_t row, tn__era era)
{
    json_t *config = json_object();
    if (!config || tn__fields_to_json(thing->of->fields, thing->self, era, config) != TN_OK) {
        json_decref(config);
        return NULL;
    }
    const char *key = layers[row].key;
    if (key && era == TN__KERAS_2) {
        json_object_set(config, layers[row].old_key, json_object_get(config, key));
        json_object_del(config, key);
    }
    return object_of("keras.layers", layers[row].class_name, config);
}

bool tn__activation_to_object(const tn__thing *thing, tn__era era, json_t **json)
{
    *json = NULL;
    if (thing->of->only_keras2 && era == TN__KERAS_3) {
        *json = old_hard_sigmoid(thing->of->name);
        return true;
    }
    for (size_t i = 0; i < LAYERS; i++)
        if (strcmp(layers[i].function, thing->of->name) == 0) {
            *json = layer_object(thing, i, era);
            return true;
        }
    return false;
}

/* --- dtypes
 * ---------------------------------------------------------------------------------------------------------------
 */
static void set_dtype(json_t *object, json_t *dtype)
{
    json_t *config = json_object_get(object, "config"), *inner = json_object_get(config, "layers"),
           *item;
    size_t i;
    if (json_is_object(config))
        json_object_set(config, "dtype", dtype);
    json_array_foreach(inner, i, item) set_dtype(item, dtype);
}

void tn__activations_adopt_dtype(json_t *config, json_t *dtype)
{
    const char *key;
    json_t *value;
    json_object_foreach(config, key, value) if (tn__ends_with(key, "activation") &&
                                                json_is_object(value)) set_dtype(value, dtype);
    json_decref(dtype);
}

/* --- in
 * -------------------------------------------------------------------------------------------------------------------
 */
bool tn__is_activation_object(const json_t *json)
{
    const char *name = tn__json_text(json, "class_name");
    return name && strcmp(name, "function") != 0 && json_is_object(json_object_get(json, "config"));
}

/* Keras 2 writes numbers of these layers as arrays: {"class_name": "__numpy__", "config": {"value":
 * 0.3}}, or {"value": 0.3}. */
static void unwrap_numbers(json_t *config)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(config, next, key, value)
    {
        json_t *inner = json_object_get(value, "config"),
               *number = json_object_get(inner ? inner : value, "value");
        if (json_is_number(number))
            json_object_set(config, key, number);
    }
}

static tn_status upgrade(size_t row, json_t *config)
{
    const char *key = layers[row].key, *old = layers[row].old_key;
    unwrap_numbers(config);
    if (!key)
        return TN_OK;
    if (json_object_get(config, old) && !json_object_get(config, key))
        json_object_set(config, key, json_object_get(config, old));
    json_object_del(config, old);
    return json_object_get(config, key) ? TN_OK
                                        : tn__json_set(config, key, json_real(layers[row].missing));
}

static tn_status read_layer(size_t row, const json_t *given, tn__thing *thing)
{
    const tn__object_class *of = tn__object_class_find(TN__ACTIVATION, layers[row].function);
    json_t *config = json_deep_copy(given);
    tn_status status = config ? upgrade(row, config) : tn__fail_memory(0);
    if (status == TN_OK)
        status = tn__thing_default(of, thing);
    if (status == TN_OK)
        status = tn__fields_from_json(of->fields, thing->self, config, layers[row].class_name);
    if (status != TN_OK)
        tn__thing_free(thing);
    json_decref(config);
    return status;
}

static bool says_number(const json_t *object, const char *key, double wanted, bool needed)
{
    const json_t *value = json_object_get(json_object_get(object, "config"), key);
    return json_is_number(value) ? json_number_value(value) == wanted : !needed;
}

static bool is_class(const json_t *object, const char *name)
{
    const char *own = tn__json_text(object, "class_name");
    return own && strcmp(own, name) == 0;
}

/* What old_hard_sigmoid() wrote, which Keras 3 writes again with an InputLayer before it. */
static bool is_old_hard_sigmoid(const json_t *json)
{
    const json_t *list = json_object_get(json_object_get(json, "config"), "layers");
    size_t first = is_class(json_array_get(list, 0), "InputLayer");
    const json_t *scaled = json_array_get(list, first), *cut = json_array_get(list, first + 1);
    return is_class(json, "Sequential") && json_array_size(list) == first + 2 &&
           is_class(scaled, "Rescaling") && says_number(scaled, "scale", 0.2, true) &&
           says_number(scaled, "offset", 0.5, true) && is_class(cut, "ReLU") &&
           says_number(cut, "max_value", 1, true) && says_number(cut, "negative_slope", 0, false) &&
           says_number(cut, "threshold", 0, false);
}

tn_status tn__activation_from_object(const json_t *json, tn__thing *thing)
{
    *thing = (tn__thing){ NULL, NULL };
    for (size_t i = 0; i < LAYERS; i++)
        if (is_class(json, layers[i].class_name))
            return read_layer(i, json_object_get(json, "config"), thing);
    if (is_old_hard_sigmoid(json))
        return tn__thing_parse(TN__ACTIVATION, "hard_sigmoid_keras2", thing);
    return tn__fail(TN_UNIMPLEMENTED,
                    "the file's activation is an object of class '%s'\nas activations there are "
                    "functions, and the layers ReLU, LeakyReLU, ELU "
                    "and Softmax; another layer can stand behind this one",
                    tn__json_text(json, "class_name"));
}
