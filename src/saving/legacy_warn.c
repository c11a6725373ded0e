/* legacy_warn.c - what Keras 3's reader of .h5 makes of a model's config that means something else.
 */
#include "saving/legacy.h"
#include "base/log.h"
#include "saving/json.h"
#include <string.h>

/* The reader's model_from_config() takes "axis" out of a config in Keras 2's words, and puts back
 * whole numbers and lists of one. */
static bool is_dropped(const json_t *axis)
{
    return axis && !json_is_number(axis) && !(json_is_array(axis) && json_array_size(axis) == 1);
}

static tn_status warn_axis(const char *name, const char *class, const json_t *axis)
{
    char *text = tn__json_dump(axis);
    if (!text)
        return TN_RESOURCE_EXHAUSTED;
    tn__warn(
        "%s '%s': Keras 3 drops its axis=%s when it reads this .h5, and takes the default: the "
        "model gives other numbers there, or does not open. A .keras, or an .h5 for Keras 3, "
        "keeps it.",
        class, name, text);
    tn__free(text);
    return TN_OK;
}

/* Only a layer of the outermost model is told that its weights came. */
static void warn_statistics(const char *name)
{
    tn__warn("Normalization '%s': inside another model Keras 3 goes on with the mean 0 and the "
             "variance 1 when it reads an .h5: the model gives other numbers there. A .keras keeps "
             "what was adapted.",
             name);
}

static tn_status warn_activation(const char *name, const char *class, const json_t *layer)
{
    bool ambiguous;
    TN_TRY(tn__is_ambiguous(layer, &ambiguous));
    if (ambiguous)
        tn__warn("%s '%s': hard_sigmoid is another function in Keras 3, which gives other numbers "
                 "when it reads this .h5. A .keras, or an .h5 for Keras 3, keeps it.",
                 class, name);
    return TN_OK;
}

static tn_status warn_layer(const json_t *layer, tn__era era, bool nested)
{
    const json_t *config = json_object_get(layer, "config");
    const char *class = tn__json_text(layer, "class_name"), *name = tn__json_text(config, "name");
    const json_t *axis = json_object_get(config, "axis"), *mean = json_object_get(config, "mean");
    bool one_mean = json_is_number(mean); /* the same for every axis */
    if (nested && json_is_null(mean) && strcmp(class, "Normalization") == 0)
        warn_statistics(name);
    if (era == TN__KERAS_3)
        return TN_OK;
    if (is_dropped(axis) && !one_mean)
        TN_TRY(warn_axis(name, class, axis));
    return warn_activation(name, class, layer);
}

static tn_status warn_layers(const json_t *model, tn__era era, bool nested)
{
    size_t i;
    json_t *layer;
    json_array_foreach(json_object_get(json_object_get(model, "config"), "layers"), i, layer)
    {
        bool is_model = json_object_get(json_object_get(layer, "config"), "layers");
        TN_TRY(is_model ? warn_layers(layer, era, true) : warn_layer(layer, era, nested));
    }
    return TN_OK;
}

tn_status tn__legacy_warn(const json_t *model, tn__era era)
{
    return warn_layers(model, era, false);
}
