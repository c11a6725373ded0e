/* legacy_read.c - ".h5" in. */
#include "saving/legacy.h"
#include "saving/scopes.h"
#include <ctype.h>
#include <string.h>

/* --- what the file lists ---------------------------------------------------------------------- */
typedef struct {
    char *name; /* in the list of names */
    tn__h5_object *group;
    tn__names_list weights;   /* their names */
    tn__h5_object **datasets; /* and themselves */
} saved_layer;

typedef struct {
    tn__loading *loading;
    tn__h5_object *group;
    struct {
        saved_layer *item; /* those with weights */
        size_t count, capacity;
    } saved;
    tn_layer **layers; /* those with weights */
    size_t layer_count;
    bool keras_1, theano;
    char *first; /* Keras's line for the first thing that does not fit */
} reading;

static bool has_list(tn__h5_object *group, const char *attribute)
{
    char name[64];
    tn__h5_object *found = NULL;
    if (tn__h5_attribute(group, attribute, &found) == TN_OK && found)
        return true;
    snprintf(name, sizeof name, "%s0", attribute);
    return tn__h5_attribute(group, name, &found) == TN_OK && found;
}

tn_status tn__legacy_weights(tn__h5_object *root, tn__h5_object **group)
{
    *group = root;
    if (has_list(root, "layer_names"))
        return TN_OK;
    TN_TRY(tn__h5_find(root, "model_weights", group));
    if (*group && tn__h5_kind_of(*group) != TN__H5_GROUP)
        *group = NULL;
    return tn__errors()->status;
}

static tn_status find_datasets(saved_layer *saved)
{
    saved->datasets = tn__alloc_zeroed(saved->weights.count + 1, sizeof *saved->datasets);
    if (!saved->datasets)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < saved->weights.count; i++) {
        TN_TRY(tn__h5_get(saved->group, saved->weights.item[i], &saved->datasets[i]));
        if (tn__h5_kind_of(saved->datasets[i]) != TN__H5_DATASET)
            return tn__fail(TN_DATA_LOSS, "'%s' is not a dataset, as a weight has to be",
                            tn__h5_path(saved->datasets[i]));
    }
    return TN_OK;
}

static tn_status fill_saved(tn__h5_object *parent, const char *name, saved_layer *saved)
{
    saved->name = tn__strdup(name);
    if (!saved->name)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__h5_get(parent, name, &saved->group));
    TN_TRY(tn__legacy_list(saved->group, "weight_names", &saved->weights));
    return find_datasets(saved);
}

static void saved_free(saved_layer *saved)
{
    tn__free(saved->name);
    tn__legacy_list_free(&saved->weights);
    tn__free(saved->datasets);
}

static tn_status add_saved(reading *r, const char *name)
{
    saved_layer saved = { 0 };
    tn_status status = fill_saved(r->group, name, &saved);
    bool wanted = status == TN_OK && saved.weights.count > 0;
    if (wanted)
        status = TN__PUSH(&r->saved, saved);
    if (!wanted || status != TN_OK)
        saved_free(&saved);
    return status;
}

static tn_status list_saved(reading *r)
{
    tn__names_list names = { 0 };
    tn_status status = tn__legacy_list(r->group, "layer_names", &names);
    for (size_t i = 0; i < names.count && status == TN_OK; i++)
        status = add_saved(r, names.item[i]);
    tn__legacy_list_free(&names);
    return status;
}

/* The model's layers that have weights; a layer by itself is its own only one. */
static tn_status list_layers(reading *r, tn_layer *model)
{
    tn_layer *const *layers;
    size_t count;
    TN_TRY(tn__legacy_layers(model, &layers, &count));
    r->layers = tn__alloc((count + 1) * sizeof(tn_layer *));
    if (!r->layers)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++) {
        tn__weight_list weights;
        tn_status status = tn__legacy_order(layers[i], &weights);
        if (weights.count > 0)
            r->layers[r->layer_count++] = layers[i];
        tn__weight_list_free(&weights);
        TN_TRY(status);
    }
    return TN_OK;
}

/* A text attribute of the group; false when there is none. */
static bool attribute_is(tn__h5_object *group, const char *name, char *text, size_t size)
{
    tn__h5_object *attribute = NULL;
    tn__h5_strings strings = { 0 };
    if (tn__h5_attribute(group, name, &attribute) != TN_OK || !attribute ||
        tn__h5_read_strings(attribute, &strings) != TN_OK)
        return false;
    snprintf(text, size, "%s", strings.count ? strings.item[0].text : "");
    tn__h5_strings_free(&strings);
    return true;
}

/* Files of Keras 1 say no version, or one that begins with 1. */
static tn_status read_versions(reading *r)
{
    char text[64];
    r->keras_1 = !attribute_is(r->group, "keras_version", text, sizeof text) || text[0] == '1';
    r->theano = attribute_is(r->group, "backend", text, sizeof text) && strcmp(text, "theano") == 0;
    return tn__errors()->status;
}

/* --- the order of a group's weights ----------------------------------------------------------- */
/* "bn/gamma:0" is the weight "gamma" of the layer "bn". */
static bool is_named(const char *saved, const char *layer, const char *weight)
{
    size_t length = strlen(saved);
    while (length > 0 && isdigit((unsigned char)saved[length - 1]))
        length--;
    length = length > 0 && saved[length - 1] == ':' ? length - 1 : strlen(saved);
    size_t end = strlen(weight);
    if (length < end || strncmp(saved + length - end, weight, end) != 0 ||
        (length > end && saved[length - end - 1] != '/'))
        return false;
    if (!layer)
        return true;
    size_t before = strlen(layer);
    return length >= end + 1 + before &&
           strncmp(saved + length - end - 1 - before, layer, before) == 0 &&
           (length == end + 1 + before || saved[length - end - before - 2] == '/');
}

static bool is_in_order(const saved_layer *saved, const tn__weight_list *weights)
{
    for (size_t i = 0; i < weights->count; i++)
        if (!is_named(saved->weights.item[i], NULL, weights->item[i]->of.variable->name))
            return false;
    return true;
}

/* The one saved weight that bears this weight's name; SIZE_MAX: none, or several. */
static size_t find_named(const saved_layer *saved, const tn_tensor *weight)
{
    const tn__variable *v = weight->of.variable;
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < saved->weights.count; i++) {
        if (!is_named(saved->weights.item[i], v->owner ? v->owner->name : NULL, v->name))
            continue;
        if (found != SIZE_MAX)
            return SIZE_MAX;
        found = i;
    }
    return found;
}

/* The order in a file follows from which layers were trainable when it was saved, and Keras takes
 * it as it comes. Where the kinds of weights show that it is another here, the names decide. */
static bool order_by_names(const saved_layer *saved, const tn__weight_list *weights, size_t *order)
{
    for (size_t i = 0; i < weights->count; i++)
        order[i] = i;
    if (is_in_order(saved, weights))
        return false;
    for (size_t i = 0; i < weights->count; i++)
        if (find_named(saved, weights->item[i]) == SIZE_MAX)
            return false;
    for (size_t i = 0; i < weights->count; i++)
        order[i] = find_named(saved, weights->item[i]);
    return true;
}

/* --- matching --------------------------------------------------------------------------------- */
static bool is_channels_first(const tn_layer *layer)
{
    const tn_field *field = tn__field_find(layer->of->fields, "data_format");
    if (!field || field->kind != TN_FIELD_STRING)
        return false;
    const char *const *place = (const void *)((const char *)layer->self + field->offset);
    return *place && strcmp(*place, "channels_first") == 0;
}

/* What Keras 2 does to the kernels of convolutions in files of Keras 1 and of Theano. */
static tn__kernel_form form_of(const reading *r, const tn_tensor *weight, tn__h5_object *dataset)
{
    const tn_layer *owner = weight->of.variable->owner;
    tn_shape shape;
    if (!owner || strcmp(owner->of->name, "Conv2D") != 0 || weight->shape.rank != 4 ||
        tn__dataset_shape(dataset, &shape) != TN_OK || shape.rank != 4)
        return TN__AS_IT_IS;
    const int64_t *file = shape.dims, *own = weight->shape.dims;
    bool turned = file[0] == own[3] && file[1] == own[2] && file[2] == own[0] && file[3] == own[1];
    bool turn = turned && ((r->keras_1 && is_channels_first(owner)) ||
                           !tn__shape_equal(&shape, &weight->shape));
    return (turn ? TN__FROM_CHANNELS_FIRST : TN__AS_IT_IS) | (r->theano ? TN__FLIPPED : 0);
}

/* Keeps the first such line; without memory the kept error says so. */
static void set_first(reading *r, char *line)
{
    if (r->first)
        tn__free(line);
    else
        r->first = line;
}

static tn_status match_weights(reading *r, const saved_layer *saved, const char *name,
                               const tn__weight_list *weights, const size_t *order)
{
    for (size_t i = 0; i < weights->count; i++) {
        tn_tensor *weight = weights->item[i];
        tn__h5_object *dataset = saved->datasets[order[i]];
        bool fits;
        TN_TRY(tn__loading_match(r->loading, weight, TN__AT_DATASET(dataset),
                                 form_of(r, weight, dataset), &fits));
        if (fits)
            continue;
        tn_shape shape;
        TN_TRY(tn__dataset_shape(dataset, &shape));
        const char *path = weight->of.variable->path;
        set_first(r, tn__print("Shape mismatch in %sfor weight %s. Weight expects shape %s. "
                               "Received saved weight with shape %s",
                               name, path ? path : weight->of.variable->name,
                               TN__SHAPE(weight->shape), TN__SHAPE(shape)));
    }
    return tn__errors()->status;
}

static tn_status refuse_weights(reading *r, const saved_layer *saved,
                                const tn__weight_list *weights)
{
    size_t both = weights->count < saved->weights.count ? weights->count : saved->weights.count;
    for (size_t i = 0; i < both; i++)
        TN_TRY(
            tn__loading_refuse(r->loading, weights->item[i], TN__AT_DATASET(saved->datasets[i])));
    for (size_t i = both; i < weights->count; i++)
        TN_TRY(tn__loading_missing(r->loading, weights->item[i], saved->name));
    for (size_t i = both; i < saved->weights.count; i++)
        TN_TRY(tn__loading_unexpected(r->loading, TN__AT_DATASET(saved->datasets[i])));
    return TN_OK;
}

/* `count_line`: Keras's words for another number of weights, made only when they are needed. */
static tn_status match_saved(reading *r, const saved_layer *saved, const char *name,
                             const tn__weight_list *weights, bool *counts_differ)
{
    *counts_differ = saved->weights.count != weights->count;
    if (*counts_differ)
        return refuse_weights(r, saved, weights);
    size_t *order = tn__alloc((weights->count + 1) * sizeof *order);
    if (!order)
        return TN_RESOURCE_EXHAUSTED;
    (void)order_by_names(saved, weights, order);
    tn_status status = match_weights(r, saved, name, weights, order);
    tn__free(order);
    return status;
}

static tn_status match_layer(reading *r, size_t k, tn_layer *layer, const saved_layer *saved)
{
    tn__weight_list weights;
    bool counts_differ = false;
    tn_status status = tn__legacy_order(layer, &weights);
    char *name = tn__print("layer #%zu (named %s)", k, layer->name);
    if (status == TN_OK)
        status =
            name ? match_saved(r, saved, name, &weights, &counts_differ) : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK && counts_differ && r->loading->by_name)
        set_first(r, tn__print("Weight count mismatch for layer #%zu (named %s). Layer expects %zu "
                               "weight(s). Received %zu saved weight(s)",
                               k, layer->name, weights.count, saved->weights.count));
    else if (status == TN_OK && counts_differ)
        set_first(r,
                  tn__print("Weight count mismatch for layer #%zu (named %s in the current model, "
                            "%s in the save file). Layer expects %zu weight(s). Received %zu saved "
                            "weight(s)",
                            k, layer->name, saved->name, weights.count, saved->weights.count));
    tn__free(name);
    tn__weight_list_free(&weights);
    return status == TN_OK ? tn__errors()->status : status;
}

/* --- layers ----------------------------------------------------------------------------------- */
static const saved_layer *saved_named(const reading *r, const char *name)
{
    for (size_t i = 0; i < r->saved.count; i++)
        if (strcmp(r->saved.item[i].name, name) == 0)
            return &r->saved.item[i];
    return NULL;
}

static tn_layer *layer_named(const reading *r, const char *name)
{
    for (size_t i = 0; i < r->layer_count; i++)
        if (strcmp(r->layers[i]->name, name) == 0)
            return r->layers[i];
    return NULL;
}

static tn_status match_by_name(reading *r)
{
    for (size_t k = 0; k < r->saved.count; k++) {
        tn_layer *layer = layer_named(r, r->saved.item[k].name);
        if (layer)
            TN_TRY(match_layer(r, k, layer, &r->saved.item[k]));
    }
    return TN_OK;
}

/* Which layers the two have not in common shows in their names. */
static tn_status explain_layer_count(reading *r)
{
    set_first(r,
              tn__print("Layer count mismatch when loading weights from file. Model expected %zu "
                        "layers, found %zu saved layers.",
                        r->layer_count, r->saved.count));
    for (size_t i = 0; i < r->layer_count; i++) {
        tn__weight_list weights = { 0 };
        tn_status status = TN_OK;
        if (!saved_named(r, r->layers[i]->name))
            status = tn__legacy_order(r->layers[i], &weights);
        for (size_t k = 0; k < weights.count && status == TN_OK; k++)
            status = tn__loading_missing(r->loading, weights.item[k], r->layers[i]->name);
        tn__weight_list_free(&weights);
        TN_TRY(status);
    }
    for (size_t i = 0; i < r->saved.count; i++)
        for (size_t k = 0;
             !layer_named(r, r->saved.item[i].name) && k < r->saved.item[i].weights.count; k++)
            TN_TRY(
                tn__loading_unexpected(r->loading, TN__AT_DATASET(r->saved.item[i].datasets[k])));
    r->loading->skip_mismatch = false; /* Keras has no way round this one either */
    r->loading->mend =
        ".by_name = true loads the layers of the same name and leaves the others as they are";
    return tn__errors()->status;
}

static bool same_names(const reading *r)
{
    for (size_t i = 0; i < r->layer_count; i++)
        if (!saved_named(r, r->layers[i]->name))
            return false;
    return true;
}

static tn_status match_layers(reading *r)
{
    if (r->loading->by_name)
        return match_by_name(r);
    if (r->saved.count != r->layer_count)
        return explain_layer_count(r);
    bool by_name = r->loading->fresh && same_names(r);
    for (size_t k = 0; k < r->layer_count; k++)
        TN_TRY(match_layer(r, k, r->layers[k],
                           by_name ? saved_named(r, r->layers[k]->name) : &r->saved.item[k]));
    return TN_OK;
}

/* --- the model's own weights ------------------------------------------------------------------ */
static tn_status match_own(reading *r, const saved_layer *saved, const tn__part *part)
{
    tn__weight_list own = { .item = part->own, .count = part->count };
    bool counts_differ;
    TN_TRY(match_saved(r, saved, "top-level model", &own, &counts_differ));
    if (counts_differ)
        set_first(r,
                  tn__print("Weight count mismatch for top-level weights when loading weights from "
                            "file. Model expects %zu top-level weight(s). Received %zu saved "
                            "top-level weight(s)",
                            own.count, saved->weights.count));
    return tn__errors()->status;
}

static tn_status match_top_level(reading *r, tn_layer *model)
{
    saved_layer saved = { 0 };
    tn__h5_object *group;
    tn__walk walk = { 0 };
    TN_TRY(tn__h5_find(r->group, TN__TOP_LEVEL, &group));
    tn_status status = group ? fill_saved(r->group, TN__TOP_LEVEL, &saved) : TN_OK;
    if (status == TN_OK)
        status = tn__walk_model(model, &walk);
    if (status == TN_OK &&
        (group || walk.item[0].count > 0)) /* files of Keras 1 have no such group */
        status = match_own(r, &saved, &walk.item[0]);
    tn__walk_free(&walk);
    saved_free(&saved);
    return status;
}

static tn_status read_all(reading *r, tn_layer *model)
{
    TN_TRY(read_versions(r));
    TN_TRY(list_saved(r));
    TN_TRY(list_layers(r, model));
    TN_TRY(match_layers(r));
    if (!r->first)
        TN_TRY(match_top_level(r, model));
    if (!r->first)
        return TN_OK;
    char *first = r->first;
    r->first = NULL;
    return tn__loading_fail(r->loading, first);
}

static void reading_free(reading *r)
{
    for (size_t i = 0; i < r->saved.count; i++)
        saved_free(&r->saved.item[i]);
    tn__free(r->saved.item);
    tn__free(r->layers);
    tn__free(r->first);
}

tn_status tn__legacy_read(tn__loading *loading, tn__h5_object *group, tn_layer *model)
{
    reading r = { .loading = loading, .group = group };
    tn_status status = read_all(&r, model);
    reading_free(&r);
    return status;
}

/* --- scopes ----------------------------------------------------------------------------------- */
static tn_status read_layer_scopes(tn_context *context, reading *r, tn_layer *layer)
{
    const saved_layer *saved = saved_named(r, layer->name);
    tn__weight_list weights;
    tn_status status = tn__legacy_order(layer, &weights);
    if (status == TN_OK && saved && saved->weights.count == weights.count)
        status = tn__scopes_from_names(context, weights.item, weights.count,
                                       (const char *const *)saved->weights.item);
    tn__weight_list_free(&weights);
    return status;
}

tn_status tn__legacy_read_scopes(tn_context *context, tn__h5_object *group, tn_layer *model)
{
    reading r = { .group = group };
    tn_status status = list_saved(&r);
    if (status == TN_OK)
        status = list_layers(&r, model);
    for (size_t i = 0; i < r.layer_count && status == TN_OK; i++)
        status = read_layer_scopes(context, &r, r.layers[i]);
    reading_free(&r);
    return status;
}

/* --- the optimizer ---------------------------------------------------------------------------- */
tn_status tn__legacy_read_optimizer(tn_context *context, const tn__source *source,
                                    tn__h5_object *root, tn_layer *model, tn__state_report *report)
{
    const char *name = TN__OPTIMIZER_GROUP;
    saved_layer saved = { 0 };
    tn__h5_object *group;
    TN_TRY(tn__h5_find(root, name, &group));
    if (!group)
        TN_TRY(tn__h5_find(root, name = TN__OWN_OPTIMIZER_GROUP, &group));
    if (!group)
        return TN_OK;
    tn__place *places = NULL;
    tn_status status = fill_saved(root, name, &saved);
    if (status == TN_OK)
        status = tn__place_list(saved.datasets, saved.weights.count, &places);
    if (status == TN_OK)
        status =
            tn__trainer_read(context, model, source, places,
                             (const char *const *)saved.weights.item, saved.weights.count, report);
    tn__free(places);
    saved_free(&saved);
    return status;
}
