/* trainer_state.c - an optimizer's variables. */
#include "base/log.h"
#include "saving/trainer_state.h"
#include "train/loss_scale.h"
#include "train/trainer.h"
#include <string.h>

static tn_optimizer *optimizer_of(const tn_layer *model)
{
    const tn__trainer *t = model->trainer;
    return t && t->compiled ? t->optimizer : NULL;
}

/* --- out -------------------------------------------------------------------------------------- */
tn_status tn__trainer_variables(const tn_layer *model, tn__era era, tn_tensor ***items,
                                size_t *count)
{
    tn_optimizer *optimizer = optimizer_of(model);
    *items = NULL;
    *count = 0;
    if (optimizer && era == TN__KERAS_2) /* which keeps nothing of the scale */
        optimizer = tn__optimizer_that_steps(optimizer);
    if (!optimizer)
        return TN_OK;
    TN_TRY(tn__optimizer_variables(optimizer, items, count));
    if (era == TN__KERAS_3 || !optimizer->learning_rate)
        return TN_OK;
    memmove(*items + 1, *items + 2, (*count - 2) * sizeof **items);
    --*count;
    return TN_OK;
}

tn_status tn__trainer_inner_variables(const tn_layer *model, tn_tensor ***items, size_t *count,
                                      const char **name)
{
    const tn_optimizer *optimizer = optimizer_of(model);
    *items = NULL;
    *count = 0;
    if (!optimizer || !optimizer->inner)
        return TN_OK;
    *name = optimizer->inner->name;
    return tn__optimizer_variables(optimizer->inner, items, count);
}

/* --- in --------------------------------------------------------------------------------------- */
static tn_status build(tn_context *context, tn_layer *model, tn_optimizer *optimizer)
{
    tn__weight_list weights = { 0 };
    tn_status status = tn__collect_weights(model, TN__TRAINABLE_WEIGHTS, &weights);
    if (status == TN_OK && weights.count > 0)
        status = tn__optimizer_build(context, optimizer, (tn_list){ weights.count, weights.item });
    tn__weight_list_free(&weights);
    return status;
}

/* "training/Adam/dense/kernel/m:0" and "training/Adam/dense/bias/m:0" have one end. */
static bool same_end(const char *a, const char *b)
{
    const char *x = strrchr(a, '/'), *y = strrchr(b, '/');
    return x && y && strcmp(x, y) == 0;
}

/* Optimizers of Keras up to 2.10 keep one slot of every variable, then the next slot of every one.
 */
static bool is_slot_by_slot(const tn_optimizer *o, const char *const *names, size_t count)
{
    size_t targets = o->target.count;
    if (!names || o->slots < 2 || targets < 2 || count != 1 + targets * o->slots)
        return false;
    for (size_t i = 1; i < count; i++)
        if (!same_end(names[1 + (i - 1) / targets * targets], names[i]))
            return false;
    return !same_end(names[1], names[1 + targets]);
}

/* Where in the file variable i of `variables` is. */
static size_t place_in_file(const tn_optimizer *o, bool slot_by_slot, bool has_rate, size_t i)
{
    if (i == 0)
        return 0;
    if (!slot_by_slot)
        return has_rate ? i : i - 1;
    for (size_t v = 0; v < o->target.count; v++)
        for (size_t s = 0; s < o->slots; s++)
            if (o->place[v * o->slots + s] == i - (o->learning_rate ? 2 : 1))
                return 1 + s * o->target.count + v;
    return 0;
}

static tn_status warn_count(const tn_layer *model, size_t own, size_t saved)
{
    tn__warn(
        "Skipping variable loading for optimizer '%s', because it has %zu variables whereas the "
        "saved optimizer has %zu variables.",
        tn__trainer_name(model), own, saved);
    return TN_OK;
}

static tn_status warn_shape(const tn_layer *model, tn__h5_object *dataset)
{
    tn__warn(
        "Error in loading the saved optimizer state ('%s' has another shape than the variable of "
        "'%s'). As a result, your model is starting with a freshly initialized optimizer.",
        tn__h5_path(dataset), tn__trainer_name(model));
    return TN_OK;
}

typedef struct {
    tn_tensor **item, **value;
    size_t count;
    bool slot_by_slot, has_rate;
} state;

/* All values are read before the first is assigned. */
static tn_status read_values(const tn_optimizer *o, const tn__source *source,
                             tn__h5_object *const *datasets, state *s, tn__h5_object **unfit)
{
    for (size_t i = 0; i < s->count; i++) {
        tn_shape shape;
        if (i == 1 && !s->has_rate) /* the config has it */
            continue;
        tn__h5_object *dataset = datasets[place_in_file(o, s->slot_by_slot, s->has_rate, i)];
        TN_TRY(tn__dataset_shape(dataset, &shape));
        if (!tn__shape_equal(&shape, &s->item[i]->shape)) {
            *unfit = dataset;
            return TN_OK;
        }
        TN_TRY(tn__dataset_tensor(source, dataset, (tn_dtype)s->item[i]->dtype, &s->value[i]));
    }
    return TN_OK;
}

static tn_status assign_state(tn_layer *model, const tn_optimizer *o, const tn__source *source,
                              tn__h5_object *const *datasets, state *s)
{
    tn__h5_object *unfit = NULL;
    s->value = tn__alloc_zeroed(s->count + 1, sizeof *s->value);
    if (!s->value)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(read_values(o, source, datasets, s, &unfit));
    if (unfit)
        return warn_shape(model, unfit);
    for (size_t i = 0; i < s->count; i++)
        if (s->value[i])
            TN_TRY(tn__variable_assign(s->item[i], s->value[i]));
    return TN_OK;
}

/* Saved before its first step, when there were no slots yet. A second variable may be the rate, or
 * in a file of Keras 2 the only slot. */
static bool is_fresh(const tn_optimizer *o, const state *s, tn__h5_object *const *datasets,
                     size_t count)
{
    tn_shape shape;
    if (!o->learning_rate)
        return count == 1;
    if (count != 2 || s->count != 3)
        return count <= 2;
    return tn__dataset_shape(datasets[1], &shape) == TN_OK &&
           !tn__shape_equal(&shape, &s->item[2]->shape);
}

static tn_status read_state(tn_layer *model, tn_optimizer *o, const tn__source *source,
                            tn__h5_object *const *datasets, size_t count, state *s)
{
    bool fresh = is_fresh(o, s, datasets, count);
    if (!fresh && count != s->count && (count + 1 != s->count || !o->learning_rate))
        return warn_count(model, s->count, count);
    s->has_rate = !o->learning_rate || (fresh ? count == 2 : count == s->count);
    s->count = fresh ? (o->learning_rate ? 2 : 1) : s->count;
    return assign_state(model, o, source, datasets, s);
}
static void state_free(state *s)
{
    for (size_t i = 0; s->value && i < s->count; i++)
        tn__release(s->value[i]);
    tn__free(s->value);
    tn__free(s->item);
}

/* Of the variables of a LossScaleOptimizer, those that a file has before the inner optimizer's:
 * Keras 3 four, two before its first step, Keras 2 none. */
static size_t scale_variables(const tn_optimizer *inner, tn__h5_object *const *datasets,
                              size_t count)
{
    size_t first = inner->learning_rate ? 2 : 1;
    tn_shape last;
    if (count == 4 + first + inner->slot.count)
        return 4;
    bool fresh = count == 2 + first && tn__dataset_shape(datasets[count - 1], &last) == TN_OK &&
                 last.rank == 0;
    return fresh ? 2 : 0;
}

static tn_status read_scale(tn_layer *model, tn_optimizer *o, const tn__source *source,
                            tn__h5_object *const *datasets, size_t count)
{
    tn_tensor *own[] = { o->iteration, o->learning_rate, o->step_counter, o->dynamic_scale };
    state s = { .item = tn__memdup(own, sizeof own), .count = count, .has_rate = true };
    tn_status status =
        s.item ? assign_state(model, o, source, datasets, &s) : TN_RESOURCE_EXHAUSTED;
    state_free(&s);
    return status;
}

tn_status tn__trainer_read(tn_context *context, tn_layer *model, const tn__source *source,
                           tn__h5_object *const *datasets, const char *const *names, size_t count)
{
    tn_optimizer *whole = optimizer_of(model);
    state s = { 0 };
    if (!whole || count == 0)
        return TN_OK;
    tn_optimizer *o = tn__optimizer_that_steps(whole);
    TN_TRY(build(context, model, o));
    size_t before = whole->inner ? scale_variables(o, datasets, count) : 0;
    if (before)
        TN_TRY(read_scale(model, whole, source, datasets, before));
    names = names ? names + before : NULL;
    count -= before;
    TN_TRY(tn__optimizer_variables(o, &s.item, &s.count));
    s.slot_by_slot = is_slot_by_slot(o, names, count);
    tn_status status = read_state(model, o, source, datasets + before, count, &s);
    state_free(&s);
    return status;
}

tn_status tn__trainer_scale_losses(tn_layer *model)
{
    tn__trainer *t = model->trainer;
    return t && t->compiled && !t->optimizer->inner ? tn__loss_scale_wrap(&t->optimizer) : TN_OK;
}
