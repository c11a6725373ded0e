/* checkpoint_aliases.c - the other names under which TensorFlow looks for the objects of a
 * checkpoint, so that tf.train.Checkpoint(model), tf.train.Checkpoint(model=…, optimizer=…) and
 * Keras 2's load_weights all find each of theirs, and nothing is left over (assert_consumed).
 *
 * A node that is awaited has no value: TensorFlow binds it to its variable and restores nothing of
 * it, and where there is no such variable nothing is missed. */
#include "saving/optimizer_slots.h"
#include "saving/checkpoint.h"
#include "saving/trackable.h"
#include <stdio.h>
#include <string.h>

static tn_status refer(tn__tracker *t, size_t parent, const char *name, size_t child)
{
    tn__object_reference *reference = TN__ARENA_ADD(&t->arena, &t->node.item[parent].children);
    const char *kept = tn__arena_text(&t->arena, name);
    if (!reference || !kept)
        return TN_RESOURCE_EXHAUSTED;
    *reference = (tn__object_reference){ .node_id = (int32_t)child, .local_name = kept };
    return TN_OK;
}

static bool find_child(const tn__tracker *t, size_t parent, const char *name, size_t *child)
{
    const tn__tracker_node *node = &t->node.item[parent];
    for (size_t i = 0; i < node->children.count; i++)
        if (strcmp(node->children.item[i].local_name, name) == 0) {
            *child = (size_t)node->children.item[i].node_id;
            return true;
        }
    return false;
}

/* --- the optimizer ---------------------------------------------------------------------------- */
/* item NULL: Keras keeps a number there that nothing reads. */
static tn_status add_item(tn__tracker *t, size_t list, size_t number, tn_tensor *item,
                          size_t *child)
{
    char name[24];
    snprintf(name, sizeof name, "%zu", number);
    TN_TRY(tn__tracker_add(t, list, name, NULL, item, child));
    t->node.item[*child].awaited = !item;
    return TN_OK;
}

static tn_status add_slot_list(tn__tracker *t, size_t optimizer, const tn_optimizer *o,
                               const char *name, size_t slot)
{
    size_t list, child;
    TN_TRY(tn__tracker_add(t, optimizer, name, NULL, NULL, &list));
    for (size_t v = 0; v < o->target.count; v++)
        TN_TRY(add_item(t, list, v, tn__keras_2_slot(o, v, slot), &child));
    return TN_OK;
}

/* Keras 2's SGD makes momenta whether it has a momentum or not. */
static tn_status add_idle_momenta(tn__tracker *t, size_t optimizer, const tn_optimizer *o)
{
    size_t list, all, child;
    char name[24];
    if (!find_child(t, optimizer, "_variables", &all))
        return TN_OK;
    TN_TRY(tn__tracker_add(t, optimizer, "momentums", NULL, NULL, &list));
    for (size_t v = 0; v < o->target.count; v++) {
        TN_TRY(add_item(t, list, v, NULL, &child));
        snprintf(name, sizeof name, "%zu", v + 1);
        TN_TRY(refer(t, all, name, child));
    }
    return TN_OK;
}

static tn_status add_averages(tn__tracker *t, size_t optimizer, const tn_optimizer *o)
{
    size_t list, child;
    if (!o->common->use_ema || o->target.count == 0)
        return TN_OK;
    TN_TRY(tn__tracker_add(t, optimizer, "_model_variables_moving_average", NULL, NULL, &list));
    for (size_t v = 0; v < o->target.count; v++)
        TN_TRY(add_item(t, list, v, tn__average_of(o, v), &child));
    return TN_OK;
}

static tn_status add_slot_lists(tn__tracker *t, size_t optimizer, const tn_optimizer *o)
{
    tn__slot_name names[TN__MAX_SLOTS];
    size_t count = tn__slot_names(o, names), child;
    for (size_t k = 0; k < count && o->target.count; k++)
        TN_TRY(add_slot_list(t, optimizer, o, names[k].list, k));
    if (o->number)
        TN_TRY(tn__tracker_add(t, optimizer, "_u_product", NULL, o->number, &child));
    if (strcmp(o->thing.of->name, "SGD") == 0 && o->slots == 0 && o->target.count)
        TN_TRY(add_idle_momenta(t, optimizer, o));
    return add_averages(t, optimizer, o);
}

/* --- the root --------------------------------------------------------------------------------- */
/* The object that tf.train.Checkpoint(model=…) has below its root: its parts are the root's. */
static tn_status add_model(tn__tracker *t)
{
    size_t node, count = t->node.item[0].children.count;
    TN_TRY(tn__tracker_add(t, 0, "model", NULL, NULL, &node));
    for (size_t i = 0; i < count; i++) {
        tn__object_reference child = t->node.item[0].children.item[i];
        TN_TRY(refer(t, node, child.local_name, (size_t)child.node_id));
    }
    return TN_OK;
}

tn_status tn__checkpoint_add_aliases(tn__tracker *t, const tn_layer *model)
{
    size_t optimizer, counter, taken;
    const tn_optimizer *o = tn__trainer_optimizer(model);
    bool keras_3 = o && find_child(t, 0, "optimizer", &optimizer) &&
                   find_child(t, optimizer, "_trainable_variables", &taken);
    if (o && !keras_3 && find_child(t, 0, "optimizer", &optimizer))
        TN_TRY(add_slot_lists(t, optimizer, o));
    if (!find_child(t, 0, "model", &taken))
        TN_TRY(add_model(t));
    /* Of Keras 2's save_weights, whose Checkpoint object has that name for the model. */
    TN_TRY(refer(t, 0, "root", 0));
    /* It counts what tf.train.Checkpoint.save has saved: not this. */
    if (find_child(t, 0, "save_counter", &taken))
        return TN_OK;
    TN_TRY(tn__tracker_add(t, 0, "save_counter", NULL, NULL, &counter));
    t->node.item[counter].awaited = true;
    return TN_OK;
}
