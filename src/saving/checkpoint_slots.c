/* checkpoint_slots.c - an optimizer's state as Keras up to 2.10 keeps it: numbers are fields of the
 * optimizer's object, and each slot is an object of its variable's. */
#include "base/log.h"
#include "saving/checkpoint_read.h"
#include "saving/trainer_state.h"
#include <math.h>

static bool entry_of(const tn__checkpoint_reading *r, int32_t node, size_t *entry)
{
    return node >= 0 && tn__checkpoint_value_of(r->bundle, &r->graph.nodes.item[node], entry);
}

static tn__place field_place(const tn__checkpoint_reading *r, int32_t optimizer, const char *name)
{
    size_t entry;
    int32_t node = tn__object_graph_child(&r->graph, optimizer, name);
    return entry_of(r, node, &entry) ? tn__checkpoint_place(r, entry) : (tn__place){ 0 };
}

/* A slot of a variable that is no weight of the model is nobody's. */
static bool find_slot(const tn__checkpoint_reading *r, const tn__slot_reference *from,
                      tn__saved_slot *slot)
{
    size_t entry, at;
    if (!from->slot_name || !entry_of(r, from->original_node_id, &entry) ||
        !tn__ids_get(&r->taken, entry + 1, &at) || !entry_of(r, from->slot_node_id, &entry))
        return false;
    *slot = (tn__saved_slot){ r->weight.item[at], from->slot_name, tn__checkpoint_place(r, entry) };
    return true;
}

static tn_status list_slots(tn__checkpoint_reading *r, int32_t optimizer, tn__saved_slots *saved)
{
    const tn__trackable *node = &r->graph.nodes.item[optimizer];
    tn__saved_slot *items =
        tn__arena_alloc(&r->arena, node->slot_variables.count * sizeof *items + 1);
    if (!items)
        return TN_RESOURCE_EXHAUSTED;
    saved->item = items;
    for (size_t i = 0; i < node->slot_variables.count; i++)
        saved->count += find_slot(r, &node->slot_variables.item[i], &items[saved->count]);
    return TN_OK;
}

/* Numbers that Keras keeps in variables and restores, and that are options here. */
static tn_status compare_constant(tn__checkpoint_reading *r, int32_t optimizer, const char *name,
                                  double own)
{
    tn_tensor *value;
    tn_shape shape;
    tn__place place = field_place(r, optimizer, name);
    if (isnan(own) || !tn__place_is(place))
        return TN_OK;
    TN_TRY(tn__place_shape(place, &shape));
    if (tn__shape_count(&shape) != 1)
        return TN_OK;
    TN_TRY(tn__place_tensor(r->loading->source, place, TN_FLOAT32, &value));
    double saved = tn__double_at(value, 0);
    tn__release(value);
    if (saved != (double)(float)own)
        tn__warn(
            "The checkpoint's optimizer has %s=%g, and '%s' keeps %s=%g: training goes on with "
            "that. Compile the model with the other number to go on as it was.",
            name, saved, tn__trainer_name(r->model), name, own);
    return TN_OK;
}

/* A rate that decays is a schedule here: then there is no rate to read. */
static tn_status compare_constants(tn__checkpoint_reading *r, int32_t optimizer)
{
    static const char *const names[] = {
        "beta_1", "beta_2", "rho", "momentum", "learning_rate_power", "beta"
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        TN_TRY(compare_constant(r, optimizer, names[i], tn__trainer_constant(r->model, names[i])));
    if (tn__place_is(field_place(r, optimizer, "momentum_cache"))) {
        tn__warn(
            "Nadam of Keras up to 2.10 lets its momentum grow more slowly: training goes on from "
            "the checkpoint's slots as Nadam of today does.");
        return TN_OK;
    }
    return tn__trainer_rate(r->model) ? compare_constant(r, optimizer, "decay", 0) : TN_OK;
}

tn_status tn__checkpoint_read_slots(tn__checkpoint_reading *r, int32_t optimizer,
                                    tn__state_report *report)
{
    tn__saved_slots saved = { .iterations = field_place(r, optimizer, "iter"),
                              .product = field_place(r, optimizer, "momentum_cache") };
    if (!tn__place_is(saved.iterations))
        return TN_OK;
    TN_TRY(list_slots(r, optimizer, &saved));
    TN_TRY(tn__trainer_read_slots(r->context, r->model, r->loading->source, &saved, report));
    return report ? TN_OK : compare_constants(r, optimizer);
}
