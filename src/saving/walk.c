/* walk.c - through a model as Keras's saving goes through it. */
#include "saving/walk.h"
#include <stdlib.h>
#include <string.h>

enum { CLASS_NAME = 128 };

char *tn__counted_name(tn__map *used, const char *class_name)
{
    char snake[CLASS_NAME];
    tn__snake_case(class_name, snake, sizeof snake);
    size_t count = (size_t)(uintptr_t)tn__map_get(used, snake);
    if (tn__map_set(used, snake, (void *)(uintptr_t)(count + 1)) != TN_OK)
        return NULL;
    return count ? tn__print("%s_%zu", snake, count) : tn__strdup(snake);
}

/* Seeds of random layers are state, but Keras writes none of them. */
static tn_status take_own_weights(tn__part *part)
{
    const tn_layer *layer = part->layer;
    part->own = tn__alloc((layer->weight.count + 1) * sizeof *part->own);
    if (!part->own)
        return TN_RESOURCE_EXHAUSTED;
    for (int trainable = 1; trainable >= 0; trainable--)
        for (size_t i = 0; i < layer->weight.count; i++) {
            tn_tensor *variable = layer->weight.item[i].variable;
            if (variable->of.variable->trainable == trainable && !variable->of.variable->seed)
                part->own[part->count++] = variable;
        }
    return TN_OK;
}

static bool is_seen(const tn__walk *walk, const tn_layer *layer)
{
    size_t ignored;
    return tn__ids_get(&walk->seen, (uintptr_t)layer, &ignored);
}

static tn_status visit(tn__walk *walk, tn_layer *layer, char *path);

/* Everything in a list is counted, also what was met before. */
static tn_status visit_list(tn__walk *walk, const tn_layer *layer, const char *path)
{
    tn__map used = { 0 };
    tn_status status = TN_OK;
    for (size_t i = 0; i < layer->child.count && status == TN_OK; i++) {
        tn_layer *child = layer->child.item[i];
        char *name = tn__counted_name(&used, child->of->name);
        if (!name)
            status = TN_RESOURCE_EXHAUSTED;
        else if (!is_seen(walk, child))
            status = visit(walk, child, tn__print("%s%slayers/%s", path, *path ? "/" : "", name));
        tn__free(name);
    }
    tn__map_free(&used);
    return status;
}

/* A field that holds a layer, or the list of all parts: the model's attribute `layers` in Keras. */
typedef struct {
    const char *name;
    tn_layer *layer; /* NULL: the list */
} attribute;

/* By name, private ones last. */
static int compare(const void *a, const void *b)
{
    const char *x = ((const attribute *)a)->name, *y = ((const attribute *)b)->name;
    bool private_x = x[0] == '_', private_y = y[0] == '_';
    return private_x != private_y ? private_x - private_y : strcmp(x, y);
}

static tn_layer *layer_in(const tn_layer *layer, const tn_field *field)
{
    tn_layer *const *place = (const void *)((const char *)layer->self + field->offset);
    for (size_t i = 0; field->kind == TN_FIELD_LAYER && i < layer->child.count; i++)
        if (layer->child.item[i] == *place)
            return *place;
    return NULL;
}

static tn_status list_attributes(const tn_layer *layer, attribute **list, size_t *count)
{
    size_t fields = 0;
    TN__EACH_FIELD(field, layer->of->fields)
    fields++;
    *list = tn__alloc((fields + 1) * sizeof **list);
    if (!*list)
        return TN_RESOURCE_EXHAUSTED;
    *count = 0;
    TN__EACH_FIELD(field, layer->of->fields)
    {
        tn_layer *held = layer_in(layer, field);
        if (held)
            (*list)[(*count)++] = (attribute){ field->name, held };
    }
    if (layer->of->model)
        (*list)[(*count)++] = (attribute){ "layers", NULL };
    if (*count)
        qsort(*list, *count, sizeof **list, compare);
    return TN_OK;
}

/* What is in no field of a layer that is no model stands in a list all the same, after the rest. */
static tn_status visit_attributes(tn__walk *walk, const tn_layer *layer, const char *path)
{
    attribute *list;
    size_t count;
    TN_TRY(list_attributes(layer, &list, &count));
    tn_status status = TN_OK;
    for (size_t i = 0; i < count && status == TN_OK; i++) {
        if (!list[i].layer)
            status = visit_list(walk, layer, path);
        else if (!is_seen(walk, list[i].layer))
            status = visit(walk, list[i].layer,
                           tn__print("%s%s%s", path, *path ? "/" : "", list[i].name));
    }
    tn__free(list);
    return status == TN_OK && !layer->of->model ? visit_list(walk, layer, path) : status;
}

/* Takes path over; NULL: there was no memory for it. */
static tn_status visit(tn__walk *walk, tn_layer *layer, char *path)
{
    if (!path)
        return TN_RESOURCE_EXHAUSTED;
    tn__part part = { .path = path, .layer = layer };
    if (take_own_weights(&part) != TN_OK || TN__PUSH(walk, part) != TN_OK) {
        tn__free(part.own);
        tn__free(path);
        return TN_RESOURCE_EXHAUSTED;
    }
    TN_TRY(tn__ids_set(&walk->seen, (uintptr_t)layer, 1));
    bool listed = layer->of == &tn__class_Functional || layer->of == &tn__class_Sequential;
    return listed ? visit_list(walk, layer, path) : visit_attributes(walk, layer, path);
}

tn_status tn__walk_model(tn_layer *model, tn__walk *walk)
{
    *walk = (tn__walk){ 0 };
    return visit(walk, model, tn__strdup(""));
}

void tn__walk_free(tn__walk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        tn__free(walk->item[i].path);
        tn__free(walk->item[i].own);
    }
    tn__free(walk->item);
    tn__ids_free(&walk->seen);
    *walk = (tn__walk){ 0 };
}
