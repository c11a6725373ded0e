/* optimizer_slots.c */
#include "saving/optimizer_slots.h"
#include <string.h>

/* slot: as the optimizer here calls it, NULL: one without a name, in their order. */
static const struct {
    const char *class, *slot;
    tn__slot_name name;
} known[] = {
    { "SGD", "momentum", { "momentum", "momentums" } },
    { "Adam", "momentum", { "m", "_momentums" } },
    { "Adam", "velocity", { "v", "_velocities" } },
    { "Adam", "velocity_hat", { "vhat", "_velocity_hats" } },
    { "AdamW", "momentum", { NULL, "_momentums" } },
    { "AdamW", "velocity", { NULL, "_velocities" } },
    { "AdamW", "velocity_hat", { NULL, "_velocity_hats" } },
    { "Adamax", "momentum", { "m", "_m" } },
    { "Adamax", "norm", { "v", "_u" } },
    { "Nadam", "momentum", { "m", "_momentums" } },
    { "Nadam", "velocity", { "v", "_velocities" } },
    { "RMSprop", "velocity", { "rms", "_velocities" } },
    { "RMSprop", "momentum", { "momentum", "_momentums" } },
    { "RMSprop", "average_gradient", { "mg", "_average_gradients" } },
    { "Adagrad", "accumulator", { "accumulator", "_accumulators" } },
    { "Adadelta", "accumulated_grad", { "accum_grad", "_accumulated_grads" } },
    { "Adadelta", "accumulated_delta_var", { "accum_var", "_accumulated_delta_vars" } },
    { "Ftrl", "accumulator", { "accumulator", "_accumulators" } },
    { "Ftrl", "linear", { "linear", "_linears" } },
    { "Adafactor", NULL, { NULL, "_r" } },
    { "Adafactor", NULL, { NULL, "_c" } },
    { "Adafactor", "velocity", { NULL, "_v" } },
    { "Lion", "momentum", { NULL, "momentums" } },
};

static bool is_slot(size_t row, const char *class, const tn__slot *slot)
{
    const char *name = known[row].slot;
    if (strcmp(known[row].class, class) != 0)
        return false;
    return name && slot->name ? strcmp(name, slot->name) == 0 : name == slot->name;
}

size_t tn__slot_names(const tn_optimizer *o, tn__slot_name names[TN__MAX_SLOTS])
{
    tn__slot slots[TN__MAX_SLOTS] = { 0 };
    const tn__optimizer_methods *methods = o->thing.of->methods;
    size_t count = methods->slots ? methods->slots(o->thing.self, slots) : 0, next = 0;
    for (size_t i = 0; i < count; i++) {
        size_t row = next;
        while (row < sizeof known / sizeof *known && !is_slot(row, o->thing.of->name, &slots[i]))
            row++;
        if (row == sizeof known / sizeof *known)
            return 0;
        names[i] = known[row].name;
        next = row + 1;
    }
    return count;
}

bool tn__is_slot_placeholder(const tn_optimizer *o, const tn_tensor *x)
{
    bool factors = strcmp(o->thing.of->name, "Adafactor") == 0;
    for (size_t v = 0; factors && v < o->target.count; v++)
        for (size_t s = 0; s < 2 && o->target.item[v]->shape.rank < 2; s++)
            if (o->slot.item[o->place[v * o->slots + s]] == x)
                return true;
    return false;
}

tn_tensor *tn__keras_2_slot(const tn_optimizer *o, size_t variable, size_t slot)
{
    size_t place = o->place[variable * o->slots + slot];
    tn_tensor *x = place == SIZE_MAX ? NULL : o->slot.item[place];
    return x && tn__is_slot_placeholder(o, x) ? NULL : x;
}

tn_tensor *tn__average_of(const tn_optimizer *o, size_t variable)
{
    return o->slot.item[o->place[o->target.count * o->slots + variable]];
}
