/* doctor_layers.c - of a model that cannot be made as a whole: each layer whose class is known and
 * whose config says for what it was built, beside its weights in the file. */
#include "saving/doctor.h"
#include "nn/config.h"
#include "saving/legacy.h"
#include "saving/load.h"
#include "saving/walk.h"
#include <string.h>

typedef struct {
    tn__examination *e;
    tn__map files; /* the file's variables by their paths */
    size_t layers, examined;
} examining;

/* --- what the file has ------------------------------------------------------------------------ */
static tn_status list_files(examining *x)
{
    size_t i;
    json_t *variable;
    json_array_foreach(json_object_get(x->e->inspection, "variables"), i, variable)
        TN_TRY(tn__map_set(&x->files, tn__json_text(variable, "path"), variable));
    return TN_OK;
}

static bool shape_of(const json_t *variable, tn_shape *shape)
{
    return variable && tn__shape_from_json(json_object_get(variable, "shape"), shape);
}

static tn_status tell(examining *x, const tn_layer *layer, const tn_tensor *variable,
                      const char *path, const tn_shape *received)
{
    const char *name = variable->of.variable->name;
    if (!received)
        return tn__doctor_find(x->e, TN__NOT_FILLED, false, path,
                               "nothing in the file fills '%s' %s of %s", name,
                               TN__SHAPE(variable->shape), tn__layer_print(layer));
    return tn__doctor_find(
        x->e, TN__OTHER_SHAPE, false, path, "'%s' of %s is %s, and '%s' in the file is %s", name,
        tn__layer_print(layer), TN__SHAPE(variable->shape), path, TN__SHAPE(*received));
}

/* --- .keras ----------------------------------------------------------------------------------- */
static tn_status check_numbered(examining *x, const char *before, const tn__part *part, size_t i)
{
    tn_shape shape;
    char *path = tn__print("%s%s%s/vars/%zu", before, *part->path ? "/" : "", part->path, i);
    if (!path)
        return TN_RESOURCE_EXHAUSTED;
    bool there = shape_of(tn__map_get(&x->files, path), &shape);
    tn_status status = TN_OK;
    if (!there || !tn__shape_fits(&part->own[i]->shape, &shape))
        status = tell(x, part->layer, part->own[i], path, there ? &shape : NULL);
    tn__free(path);
    return status;
}

static tn_status check_parts(examining *x, tn_layer *layer, const char *before)
{
    tn__walk walk;
    tn_status status = tn__walk_model(layer, &walk);
    for (size_t k = 0; k < walk.count && status == TN_OK; k++)
        for (size_t i = 0; i < walk.item[k].count && status == TN_OK; i++)
            status = check_numbered(x, before, &walk.item[k], i);
    tn__walk_free(&walk);
    return status;
}

/* --- .h5 -------------------------------------------------------------------------------------- */
/* Names in a group are not those of the layer's own fields, so a weight is looked for by its shape,
 * and what was found is taken away. */
static bool take_shape(examining *x, const char *group, const tn_shape *wanted)
{
    tn_shape shape;
    for (size_t i = 0; i < x->files.count; i++) {
        json_t *variable = x->files.item[i].value;
        if (variable && tn__starts_with(x->files.item[i].key, group) &&
            shape_of(variable, &shape) && tn__shape_fits(wanted, &shape)) {
            x->files.item[i].value = NULL;
            return true;
        }
    }
    return false;
}

static tn_status check_group(examining *x, tn_layer *layer, const char *group)
{
    tn__weight_list weights;
    tn_status status = tn__legacy_order(layer, &weights);
    for (size_t i = 0; i < weights.count && status == TN_OK; i++)
        if (!take_shape(x, group, &weights.item[i]->shape))
            status = tn__doctor_find(
                x->e, TN__OTHER_SHAPE, false, group,
                "no weight in the group '%s' of the file has the shape %s of '%s' of %s", group,
                TN__SHAPE(weights.item[i]->shape), weights.item[i]->of.variable->name,
                tn__layer_print(layer));
    tn__weight_list_free(&weights);
    return status;
}

/* --- the layers ------------------------------------------------------------------------------- */
static tn_status check_made(examining *x, tn_layer *layer, const char *counted)
{
    bool archive = x->e->parts.archive;
    char *place =
        archive ? tn__print("layers/%s", counted) : tn__print("model_weights/%s/", layer->name);
    tn_status status = !place    ? TN_RESOURCE_EXHAUSTED
                       : archive ? check_parts(x, layer, place)
                                 : check_group(x, layer, place);
    tn__free(place);
    x->examined += layer->built;
    return status;
}

static tn_status check_layer(examining *x, const json_t *json, const char *counted)
{
    tn_layer *layer = NULL;
    char *unknown = tn__unknown_classes(json);
    tn_status status = unknown ? TN_OK : TN_RESOURCE_EXHAUSTED;
    bool known = unknown && !*unknown;
    tn__free(unknown);
    if (status == TN_OK && known)
        status = tn__load_layer(x->e->context, json, &layer);
    if (status != TN_OK && status != TN_RESOURCE_EXHAUSTED)
        status = tn__doctor_try(x->e, TN__NOT_MADE, tn__json_text(json, "class_name"), status);
    if (status == TN_OK && layer)
        status = check_made(x, layer, counted);
    tn__release(layer);
    return status;
}

static tn_status check_layers(examining *x, const json_t *layers)
{
    size_t i;
    json_t *layer;
    tn__map used = { 0 };
    tn_status status = list_files(x);
    json_array_foreach(layers, i, layer)
    {
        const char *class = tn__json_text(layer, "class_name");
        char *counted = class ? tn__counted_name(&used, class) : NULL;
        if (status == TN_OK && counted)
            status = check_layer(x, layer, counted);
        x->layers++;
        tn__free(counted);
    }
    tn__map_free(&used);
    return status;
}

tn_status tn__doctor_known_layers(tn__examination *e)
{
    examining x = { .e = e };
    json_t *copy = json_deep_copy(e->config);
    tn_status status = copy ? tn__leave_out_masks(copy) : tn__fail_memory(0);
    if (status == TN_OK)
        status = tn__upgrade_config(copy, e->parts.version);
    const json_t *layers = tn__layers_of(copy);
    uint64_t outer = e->context->weight_room;
    e->context->weight_room = (uint64_t)4 << 30;
    if (status == TN_OK && json_is_array(layers))
        status = check_layers(&x, layers);
    e->context->weight_room = outer;
    tn__map_free(&x.files);
    json_decref(copy);
    TN_TRY(status);
    return tn__doctor_note(e,
                           "the model was not made: %zu of its %zu layers were built one by one "
                           "for their inputs and compared with "
                           "the file's weights",
                           x.examined, x.layers);
}
