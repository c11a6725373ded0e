/* trainer_state.c - an optimizer's variables. */
#include "base/log.h"
#include "saving/optimizer_slots.h"
#include "saving/trainer_state.h"
#include "train/loss_scale.h"
#include "train/trainer.h"
#include <math.h>
#include <string.h>

static tn_optimizer *optimizer_of(const tn_layer *model)
{
    const tn__trainer *t = model->trainer;
    return t && t->compiled ? t->optimizer : NULL;
}

const tn_optimizer *tn__trainer_optimizer(const tn_layer *model)
{
    tn_optimizer *optimizer = optimizer_of(model);
    return optimizer ? tn__optimizer_that_steps(optimizer) : NULL;
}

bool tn__trainer_has_optimizer(const tn_layer *model)
{
    return optimizer_of(model) != NULL;
}

tn_tensor *tn__trainer_rate(const tn_layer *model)
{
    tn_optimizer *optimizer = optimizer_of(model);
    return optimizer ? tn__optimizer_that_steps(optimizer)->learning_rate : NULL;
}

/* --- Keras 2's list --------------------------------------------------------------------------- */
/* Its learning rate is in the config, and Nadam's product is in no file of its. */
static bool keras_2_has(const tn_optimizer *o, const tn_tensor *x)
{
    return x != o->learning_rate && x != o->number && !tn__is_slot_placeholder(o, x);
}

/* --- out -------------------------------------------------------------------------------------- */
tn_status tn__trainer_variables(const tn_layer *model, tn__era era, tn_tensor ***items,
                                size_t *count)
{
    tn_optimizer *optimizer = optimizer_of(model);
    size_t kept = 0;
    *items = NULL;
    *count = 0;
    if (optimizer && era == TN__KERAS_2) /* which keeps nothing of the scale */
        optimizer = tn__optimizer_that_steps(optimizer);
    if (!optimizer)
        return TN_OK;
    TN_TRY(tn__optimizer_variables(optimizer, items, count));
    for (size_t i = 0; i < *count; i++)
        if (era == TN__KERAS_3 || keras_2_has(optimizer, (*items)[i]))
            (*items)[kept++] = (*items)[i];
    *count = kept;
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

static tn_status tell_count(const tn_layer *model, size_t own, size_t saved,
                            const tn__state_report *report)
{
    if (report)
        return TN_OK;
    tn__warn(
        "Skipping variable loading for optimizer '%s', because it has %zu variables whereas the "
        "saved optimizer has %zu variables.",
        tn__trainer_name(model), own, saved);
    return TN_OK;
}

static tn_status tell_shape(const tn_layer *model, tn__place place, tn__state_report *report)
{
    if (report) {
        report->unfit = tn__strdup(tn__place_name(place));
        return report->unfit ? TN_OK : TN_RESOURCE_EXHAUSTED;
    }
    tn__warn(
        "Error in loading the saved optimizer state ('%s' has another shape than the variable of "
        "'%s'). As a result, your model is starting with a freshly initialized optimizer.",
        tn__place_name(place), tn__trainer_name(model));
    return TN_OK;
}

typedef struct {
    tn_tensor **item;
    size_t count;
    tn__place *place; /* of each; nowhere: it keeps its first value, or the config's */
} state;

/* *unfit: the first place of another shape than its variable; nowhere: all fit. */
static tn_status find_unfit(const state *s, tn__place *unfit)
{
    for (size_t i = 0; i < s->count && !tn__place_is(*unfit); i++) {
        tn_shape shape;
        if (!tn__place_is(s->place[i]))
            continue;
        TN_TRY(tn__place_shape(s->place[i], &shape));
        if (!tn__shape_equal(&shape, &s->item[i]->shape))
            *unfit = s->place[i];
    }
    return TN_OK;
}

/* One by one, the first value going before the other comes: the model is fresh, and there is never
 * room needed for both. */
static tn_status read_values(const tn__source *source, const state *s)
{
    for (size_t i = 0; i < s->count; i++) {
        tn_tensor *value;
        if (!tn__place_is(s->place[i]))
            continue;
        tn__variable_clear(s->item[i]);
        TN_TRY(tn__place_tensor(source, s->place[i], (tn_dtype)s->item[i]->dtype, &value));
        tn_status status = tn__variable_assign(s->item[i], value);
        tn__release(value);
        TN_TRY(status);
    }
    return TN_OK;
}

/* --- which place is which variable's ---------------------------------------------------------- */
typedef struct {
    const tn__place *place;
    const char *const *name; /* NULL: there are none */
    size_t count;
} saved_list;

/* Saved before its first step, when there were no slots yet. A second variable may be the rate, or
 * in a file of Keras 2 the only slot. */
static bool is_fresh(const tn_optimizer *o, const state *s, const saved_list *saved)
{
    tn_shape shape;
    if (!o->learning_rate)
        return saved->count == 1;
    if (saved->count != 2 || s->count != 3)
        return saved->count <= 2;
    return tn__place_shape(saved->place[1], &shape) == TN_OK &&
           !tn__shape_equal(&shape, &s->item[2]->shape);
}

/* Keras 2's SGD keeps momenta that it does not use. */
static bool has_idle_momenta(const tn_optimizer *o, const saved_list *saved)
{
    return strcmp(o->thing.of->name, "SGD") == 0 && o->slots == 0 &&
           saved->count == 1 + o->target.count;
}

static void place_slot_by_slot(const tn_optimizer *o, state *s, const saved_list *saved)
{
    size_t first = o->learning_rate ? 2 : 1;
    s->place[0] = saved->place[0];
    for (size_t v = 0; v < o->target.count; v++)
        for (size_t k = 0; k < o->slots; k++)
            s->place[first + o->place[v * o->slots + k]] =
                saved->place[1 + k * o->target.count + v];
}

static size_t count_for_keras_2(const tn_optimizer *o, const state *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        count += keras_2_has(o, s->item[i]);
    return count;
}

/* False: the file has another number of variables than any Keras would write. */
static bool place_values(const tn_optimizer *o, state *s, const saved_list *saved)
{
    size_t next = 0, own = s->count;
    bool newest = saved->count == own, older = saved->count == count_for_keras_2(o, s);
    if (is_fresh(o, s, saved) || has_idle_momenta(o, saved)) {
        size_t taken = saved->count == 2 && o->learning_rate ? 2 : 1;
        memcpy(s->place, saved->place, taken * sizeof *s->place);
        return true;
    }
    if (!newest && !older)
        return false;
    if (is_slot_by_slot(o, saved->name, saved->count))
        place_slot_by_slot(o, s, saved);
    else
        for (size_t i = 0; i < own; i++)
            if (newest || keras_2_has(o, s->item[i]))
                s->place[i] = saved->place[next++];
    return true;
}

static tn_status read_placed(tn_layer *model, const tn__source *source, const state *s,
                             tn__state_report *report)
{
    tn__place unfit = { 0 };
    TN_TRY(find_unfit(s, &unfit));
    return tn__place_is(unfit) ? tell_shape(model, unfit, report) : read_values(source, s);
}

static tn_status count_iterations(const tn_optimizer *o, int64_t *iterations)
{
    tn_tensor *value;
    TN_TRY(tn__variable_read(o->iteration, &value));
    *iterations = tn__int_at(value, 0);
    tn__release(value);
    return TN_OK;
}

static tn_status fill_report(const tn_optimizer *o, const state *s, const saved_list *saved,
                             bool placed, tn__state_report *report)
{
    report->own = s->count;
    report->saved = saved->count;
    report->fresh = is_fresh(o, s, saved);
    report->idle = has_idle_momenta(o, saved);
    report->fits = placed && !report->unfit;
    return count_iterations(o, &report->iterations);
}

static tn_status read_state(tn_layer *model, tn_optimizer *o, const tn__source *source,
                            const saved_list *saved, state *s, tn__state_report *report)
{
    s->place = tn__alloc_zeroed(s->count + 1, sizeof *s->place);
    if (!s->place)
        return TN_RESOURCE_EXHAUSTED;
    bool placed = place_values(o, s, saved);
    TN_TRY(placed ? read_placed(model, source, s, report)
                  : tell_count(model, s->count, saved->count, report));
    return report ? fill_report(o, s, saved, placed, report) : TN_OK;
}

/* --- a LossScaleOptimizer --------------------------------------------------------------------- */
/* Of the variables of a LossScaleOptimizer, those that a file has before the inner optimizer's:
 * Keras 3 four, two before its first step, Keras 2 none. */
static size_t scale_variables(const tn_optimizer *inner, const tn__place *places, size_t count)
{
    size_t first = inner->learning_rate ? 2 : 1;
    tn_shape last;
    if (count == 4 + first + inner->slot.count)
        return 4;
    bool fresh =
        count == 2 + first && tn__place_shape(places[count - 1], &last) == TN_OK && last.rank == 0;
    return fresh ? 2 : 0;
}

static tn_status read_scale(tn_layer *model, tn_optimizer *o, const tn__source *source,
                            const tn__place *places, size_t count, tn__state_report *report)
{
    tn_tensor *own[] = { o->iteration, o->learning_rate, o->step_counter, o->dynamic_scale };
    tn__place first[4] = { 0 };
    memcpy(first, places, count * sizeof *first);
    return read_placed(model, source, &(state){ own, count, first }, report);
}

tn_status tn__trainer_read(tn_context *context, tn_layer *model, const tn__source *source,
                           const tn__place *places, const char *const *names, size_t count,
                           tn__state_report *report)
{
    tn_optimizer *whole = optimizer_of(model);
    state s = { 0 };
    if (!whole || count == 0)
        return TN_OK;
    tn_optimizer *o = tn__optimizer_that_steps(whole);
    TN_TRY(build(context, model, o));
    size_t before = whole->inner ? scale_variables(o, places, count) : 0;
    if (before)
        TN_TRY(read_scale(model, whole, source, places, before, report));
    saved_list saved = { places + before, names ? names + before : NULL, count - before };
    TN_TRY(tn__optimizer_variables(o, &s.item, &s.count));
    tn_status status = read_state(model, o, source, &saved, &s, report);
    tn__free(s.place);
    tn__free(s.item);
    return status;
}

/* --- slots by their names --------------------------------------------------------------------- */
static size_t find_target(const tn_optimizer *o, const tn_tensor *variable)
{
    size_t at = 0;
    while (at < o->target.count && o->target.item[at] != variable)
        at++;
    return at;
}

/* Where the value of this slot goes; NULL: nowhere. */
static tn__place *place_of(const tn_optimizer *o, const state *s, const tn__slot_name *names,
                           const tn__saved_slot *saved)
{
    size_t target = find_target(o, saved->variable), first = o->learning_rate ? 2 : 1;
    for (size_t k = 0; target < o->target.count && k < o->slots; k++) {
        size_t place = o->place[target * o->slots + k];
        if (names[k].legacy && strcmp(names[k].legacy, saved->slot) == 0 && place != SIZE_MAX)
            return &s->place[first + place];
    }
    return NULL;
}

static size_t count_slots(const tn_optimizer *o)
{
    size_t count = 0;
    for (size_t i = 0; i < o->target.count * o->slots; i++)
        count += o->place[i] != SIZE_MAX;
    return count;
}

/* False: they are not all of the slots that the optimizer has, or others. */
static bool place_slots(const tn_optimizer *o, state *s, const tn__saved_slots *saved)
{
    tn__slot_name names[TN__MAX_SLOTS];
    size_t filled = 0;
    bool named = tn__slot_names(o, names) == o->slots;
    s->place[0] = saved->iterations;
    if (o->number)
        s->place[s->count - 1] = saved->product;
    for (size_t i = 0; named && i < saved->count; i++) {
        tn__place *place = place_of(o, s, names, &saved->item[i]);
        if (place && !tn__place_is(*place)) {
            *place = saved->item[i].place;
            filled++;
        }
    }
    bool unused = o->slots == 0;
    return saved->count == 0 || unused || (filled == count_slots(o) && filled == saved->count);
}

static tn_status read_slots(tn_layer *model, tn_optimizer *o, const tn__source *source,
                            const tn__saved_slots *saved, state *s, tn__state_report *report)
{
    s->place = tn__alloc_zeroed(s->count + 1, sizeof *s->place);
    if (!s->place)
        return TN_RESOURCE_EXHAUSTED;
    bool placed = place_slots(o, s, saved);
    TN_TRY(placed ? read_placed(model, source, s, report)
                  : tell_count(model, 1 + count_slots(o), 1 + saved->count, report));
    if (!report)
        return TN_OK;
    report->own = 1 + count_slots(o);
    report->saved = 1 + saved->count;
    report->fresh = saved->count == 0;
    report->idle = o->slots == 0 && saved->count > 0;
    report->fits = placed && !report->unfit;
    return count_iterations(o, &report->iterations);
}

tn_status tn__trainer_read_slots(tn_context *context, tn_layer *model, const tn__source *source,
                                 const tn__saved_slots *saved, tn__state_report *report)
{
    tn_optimizer *whole = optimizer_of(model);
    state s = { 0 };
    if (!whole)
        return TN_OK;
    tn_optimizer *o = tn__optimizer_that_steps(whole);
    TN_TRY(build(context, model, o));
    TN_TRY(tn__optimizer_variables(o, &s.item, &s.count));
    tn_status status = read_slots(model, o, source, saved, &s, report);
    tn__free(s.place);
    tn__free(s.item);
    return status;
}

double tn__trainer_constant(const tn_layer *model, const char *name)
{
    tn_optimizer *o = optimizer_of(model);
    const tn__thing *thing = o ? &tn__optimizer_that_steps(o)->thing : NULL;
    const tn_field *field = thing ? tn__field_find(thing->of->fields, name) : NULL;
    bool number = field && field->kind == TN_FIELD_FLOAT;
    return number ? *(const double *)(const void *)((const char *)thing->self + field->offset)
                  : NAN;
}

tn_status tn__trainer_scale_losses(tn_layer *model)
{
    tn__trainer *t = model->trainer;
    return t && t->compiled && !t->optimizer->inner ? tn__loss_scale_wrap(&t->optimizer) : TN_OK;
}
