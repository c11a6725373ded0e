/* checkpoint_keras3.c - the names under which Keras 3 has the objects of a checkpoint: layers in
 * lists of operations, weights in fields that may be hidden, and all of the optimizer's variables
 * in one list. */
#include "saving/checkpoint.h"
#include "saving/optimizer_slots.h"
#include "saving/trackable.h"
#include <stdio.h>
#include <string.h>

static tn_status number_name(tn__tracker *t, size_t list, size_t number, tn_layer *layer,
                             tn_tensor *variable)
{
    char name[24];
    size_t child;
    snprintf(name, sizeof name, "%zu", number);
    return tn__tracker_add(t, list, name, layer, variable, &child);
}

/* --- layers ----------------------------------------------------------------------------------- */
/* "kernel" and "_kernel": which of the two it is, each layer of Keras's has for itself. */
static tn_status add_weight(tn__tracker *t, size_t node, const tn__weight *w)
{
    size_t child;
    if (!w->field || w->variable->of.variable->seed)
        return TN_OK;
    const char *hidden = tn__arena_print(&t->arena, "_%s", w->field);
    TN_TRY(hidden ? tn__tracker_add(t, node, w->field, NULL, w->variable, &child)
                  : TN_RESOURCE_EXHAUSTED);
    return tn__tracker_add(t, node, hidden, NULL, w->variable, &child);
}

/* Ops directly in a model take numbers of the list, too, which only Keras 3 counts. */
static bool has_ops(const tn_layer *model)
{
    const tn__functional *f = model->self;
    bool ops = false;
    for (size_t i = 0; i < f->node_count; i++)
        ops |= tn__node_layer(f->node[i], NULL) == NULL;
    return ops;
}

/* A Sequential has an InputLayer in the list that is none of its layers. */
static tn_status add_operations(tn__tracker *t, size_t node, const tn_layer *model)
{
    size_t inner, list, child, first = 0;
    tn_layer *const *layers;
    size_t count = tn__model_layers(model, &layers);
    TN_TRY(tn__tracker_add(t, node, "_functional", NULL, NULL, &inner));
    TN_TRY(tn__tracker_add(t, inner, "_operations", NULL, NULL, &list));
    tn__object_reference *direct = TN__ARENA_ADD(&t->arena, &t->node.item[node].children);
    if (!direct)
        return TN_RESOURCE_EXHAUSTED;
    *direct = (tn__object_reference){ .node_id = (int32_t)list, .local_name = "_operations" };
    if (model->of == &tn__class_Sequential && count && layers[0]->of != &tn__class_InputLayer) {
        TN_TRY(tn__tracker_add(t, list, "0", NULL, NULL, &child));
        first = 1;
    }
    for (size_t i = 0; i < count; i++)
        TN_TRY(number_name(t, list, first + i, layers[i], NULL));
    return TN_OK;
}

static bool is_listed(const tn_layer *layer)
{
    return layer->of == &tn__class_Sequential ||
           (layer->of == &tn__class_Functional && !has_ops(layer));
}

tn_status tn__checkpoint_add_keras_3(tn__tracker *t)
{
    size_t count = t->node.count;
    for (size_t i = 0; i < count; i++) {
        const tn_layer *layer = t->node.item[i].layer;
        for (size_t k = 0; layer && k < layer->weight.count; k++)
            TN_TRY(add_weight(t, i, &layer->weight.item[k]));
        if (layer && is_listed(layer))
            TN_TRY(add_operations(t, i, layer));
    }
    return TN_OK;
}

/* --- the optimizer ---------------------------------------------------------------------------- */
static tn_status add_slots(tn__tracker *t, size_t optimizer, const tn_optimizer *o,
                           const char *name, size_t slot)
{
    size_t list;
    TN_TRY(tn__tracker_add(t, optimizer, name, NULL, NULL, &list));
    for (size_t v = 0; v < o->target.count; v++) {
        size_t place = o->place[v * o->slots + slot];
        if (place != SIZE_MAX)
            TN_TRY(number_name(t, list, v, NULL, o->slot.item[place]));
    }
    return TN_OK;
}

/* Lion's list is hidden in Keras 3 and not in Keras 2. */
static tn_status add_slot_lists(tn__tracker *t, size_t optimizer, const tn_optimizer *o)
{
    tn__slot_name names[TN__MAX_SLOTS];
    size_t count = tn__slot_names(o, names);
    for (size_t k = 0; k < count && o->target.count; k++) {
        const char *name = names[k].list;
        if (strcmp(o->thing.of->name, "Lion") == 0)
            name = "_momentums";
        TN_TRY(add_slots(t, optimizer, o, name, k));
    }
    return TN_OK;
}

static tn_status add_list(tn__tracker *t, size_t node, const char *name, tn_tensor *const *items,
                          size_t count)
{
    size_t list;
    TN_TRY(tn__tracker_add(t, node, name, NULL, NULL, &list));
    for (size_t i = 0; i < count; i++)
        TN_TRY(number_name(t, list, i, NULL, items[i]));
    return TN_OK;
}

static tn_status add_averages(tn__tracker *t, size_t node, const tn_optimizer *o)
{
    size_t list;
    if (!o->common->use_ema || !o->target.count)
        return TN_OK;
    TN_TRY(tn__tracker_add(t, node, "_model_variables_moving_average", NULL, NULL, &list));
    for (size_t v = 0; v < o->target.count; v++)
        TN_TRY(number_name(t, list, v, NULL, tn__average_of(o, v)));
    return TN_OK;
}

static tn_status add_numbers(tn__tracker *t, size_t node, const tn_optimizer *o)
{
    size_t child;
    TN_TRY(tn__tracker_add(t, node, "_iterations", NULL, o->iteration, &child));
    if (o->learning_rate)
        TN_TRY(tn__tracker_add(t, node, "_learning_rate", NULL, o->learning_rate, &child));
    return o->number ? tn__tracker_add(t, node, "_u_product", NULL, o->number, &child) : TN_OK;
}

tn_status tn__checkpoint_add_optimizer_3(tn__tracker *t, const tn_layer *model)
{
    tn_tensor **variables;
    size_t node, count;
    const tn_optimizer *o = tn__trainer_optimizer(model);
    if (!o)
        return TN_OK;
    TN_TRY(tn__tracker_add(t, 0, "optimizer", NULL, NULL, &node));
    TN_TRY(add_numbers(t, node, o));
    TN_TRY(tn__trainer_variables(model, TN__KERAS_3, &variables, &count));
    tn_status status = add_list(t, node, "_variables", variables, count);
    tn__free(variables);
    TN_TRY(status);
    TN_TRY(add_list(t, node, "_trainable_variables", o->target.item, o->target.count));
    TN_TRY(add_slot_lists(t, node, o));
    return add_averages(t, node, o);
}
