/* optimizer.c - what all optimizers have in common: how they are made, their variables, what files see;
 * apply.c has their steps. */
#include "train/optimizer.h"
#include "nn/naming.h"
#include "core/variable.h"
#include "function/frame.h"
#include "train/loss_scale.h"
#include "train/schedules.h"
#include "train/v1_optimizer.h"
#include <math.h>
#include <string.h>

static void variables_free(tn__variables *v)
{
    for (size_t i = 0; i < v->count; i++)
        tn__release(v->item[i]);
    tn__free(v->item);
}

static void optimizer_destroy(void *object)
{
    tn_optimizer *o = object;
    tn__thing_free(&o->thing);
    tn__thing_free(&o->schedule);
    tn__free(o->name);
    tn__free(o->common);
    tn__free(o->place);
    tn__release(o->iteration);
    tn__release(o->learning_rate);
    tn__release(o->inner);
    tn__release(o->step_counter);
    tn__release(o->dynamic_scale);
    variables_free(&o->target);
    variables_free(&o->slot);
    variables_free(&o->power);
}

const tn__type tn__type_optimizer = { .name = "optimizer",
                                      .kind = 6,
                                      .destroy = optimizer_destroy };

bool tn__check_keras_optimizer(const tn_optimizer *optimizer, const char *what)
{
    if (!tn__check(optimizer, &tn__type_optimizer, what))
        return false;
    if (!tn__is_v1_optimizer(optimizer))
        return true;
    tn__fail(TN_INVALID_ARGUMENT,
             "%s: %sOptimizer is of TensorFlow 1, whose steps are operations of a graph\n"
             "tn_minimize() and tn_apply_gradients_operation() take it; tn_sgd(), tn_adam() … are "
             "Keras's",
             what, optimizer->thing.of->name);
    return false;
}

/* --- making ----------------------------------------------------------------------------------- */
static double number(const tn__thing *thing, const char *name)
{
    const double *value = tn__thing_field(thing, name);
    return value ? *value : NAN;
}

static tn_status read_common(tn_optimizer *o)
{
    tn__optimizer_common *c = o->common = tn__alloc_zeroed(1, sizeof *c);
    if (!c)
        return TN_RESOURCE_EXHAUSTED;
    c->learning_rate = number(&o->thing, "learning_rate");
    c->weight_decay = number(&o->thing, "weight_decay");
    c->clipnorm = number(&o->thing, "clipnorm");
    c->clipvalue = number(&o->thing, "clipvalue");
    c->global_clipnorm = number(&o->thing, "global_clipnorm");
    c->ema_momentum = number(&o->thing, "ema_momentum");
    c->loss_scale_factor = number(&o->thing, "loss_scale_factor");
    c->use_ema = *(const tn_flag *)tn__thing_field(&o->thing, "use_ema");
    c->ema_overwrite_frequency =
        *(const int64_t *)tn__thing_field(&o->thing, "ema_overwrite_frequency");
    int64_t accumulate =
        *(const int64_t *)tn__thing_field(&o->thing, "gradient_accumulation_steps");
    c->accumulate = accumulate == INT64_MIN ? 0 : accumulate;
    if (tn__methods_of(o)->needs_decay && isnan(c->weight_decay))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Argument `weight_decay` must be a float. Received: weight_decay=None");
    if (!isnan(c->clipnorm) + !isnan(c->clipvalue) + !isnan(c->global_clipnorm) > 1)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. "
                        "Received: clipnorm=%g, "
                        "clipvalue=%g, global_clipnorm=%g",
                        c->clipnorm, c->clipvalue, c->global_clipnorm);
    return TN_OK;
}

/* An optimizer's variable belongs to the optimizer, whatever body runs. */
tn_status tn__optimizer_variable(const char *name, tn_tensor *value, tn_tensor **variable)
{
    if (!value)
        return tn__errors()->status;
    tn__variable_spec spec = { .value = value, .name = name, .here = tn__context()->here };
    tn_status status = tn__variable_new(&spec, variable);
    tn__release(value);
    TN_TRY(status);
    status = tn__variable_admit(tn__context(), *variable);
    if (status != TN_OK)
        tn__assign_object(variable, NULL);
    return status;
}

/* It has no variables before a graph has. */
static tn_status fill_v1(tn_optimizer *o)
{
    const char *const *name = tn__thing_field(&o->thing, "name");
    o->name = tn__strdup(*name ? *name : o->thing.of->name);
    return o->name ? tn__v1_optimizer_check(o) : TN_RESOURCE_EXHAUSTED;
}

static tn_status fill_optimizer(tn_context *context, tn_optimizer *o)
{
    const char *const *name = tn__thing_field(&o->thing, "name"), *const *schedule =
                                                                      tn__thing_field(&o->thing,
                                                                                      "schedule");
    bool scales = o->thing.of == &tn__optimizer_LossScaleOptimizer;
    if (!scales)
        TN_TRY(read_common(o));
    o->name = name && *name ? tn__strdup(*name) : tn__automatic_name(context, o->thing.of->name);
    if (!o->name)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__optimizer_variable("iteration", tn__tensor_fill(TN_INT64, &TN_SCALAR, 0),
                                  &o->iteration));
    if (scales)
        return tn__loss_scale_fill(o);
    if (schedule && *schedule)
        return tn__schedule_parse(*schedule, &o->schedule);
    return tn__optimizer_variable("learning_rate",
                                  tn__tensor_fill(TN_FLOAT32, &TN_SCALAR, o->common->learning_rate),
                                  &o->learning_rate);
}

tn_status tn__optimizer_from_thing(tn__thing *taken, tn_optimizer **optimizer)
{
    *optimizer = NULL;
    tn_optimizer *o = tn__object_new(&tn__type_optimizer);
    if (!o) {
        tn__thing_free(taken);
        return TN_RESOURCE_EXHAUSTED;
    }
    o->thing = *taken;
    *taken = (tn__thing){ NULL, NULL };
    tn_status status = tn__is_v1_optimizer(o) ? fill_v1(o) : fill_optimizer(tn__context(), o);
    if (status != TN_OK) {
        tn__release(o);
        return status;
    }
    *optimizer = o;
    return TN_OK;
}

tn_status tn__optimizer_parse(const char *text, tn_optimizer **optimizer)
{
    tn__thing thing;
    *optimizer = NULL;
    TN_TRY(tn__thing_parse(TN__OPTIMIZER, text, &thing));
    return tn__optimizer_from_thing(&thing, optimizer);
}

tn_optimizer *tn__optimizer_from_options(const tn__object_class *of, const void *options)
{
    const struct {
        TN_OPTIONS_HEAD(none);
    } *head = options;
    TN__ENTER_OPTIONS(context, head, NULL);
    tn__thing thing;
    tn_optimizer *optimizer;
    if (tn__thing_from_options(of, options, &thing) != TN_OK ||
        tn__optimizer_from_thing(&thing, &optimizer) != TN_OK)
        return NULL;
    return tn__own_made(context, optimizer);
}

tn_optimizer *tn_optimizer_of(const char *text)
{
    TN__ENTER(context, NULL);
    tn_optimizer *optimizer = NULL;
    if (!text)
        tn__fail(TN_INVALID_ARGUMENT, "tn_optimizer_of: text is NULL");
    else
        (void)!tn__optimizer_parse(text, &optimizer);
    return tn__own_made(context, optimizer);
}

/* --- slots ------------------------------------------------------------------------------------ */
/* "dense/kernel" with slot "momentum" is dense_kernel_momentum. */
static char *slot_name(const tn_tensor *variable, const char *slot)
{
    const char *path = variable->of.variable->path ? variable->of.variable->path
                                                   : tn__variable_full_name(variable);
    char *name = slot ? tn__print("%s_%s", path, slot) : tn__strdup(variable->of.variable->name);
    for (char *at = name; slot && at && *at; at++)
        if (*at == '/')
            *at = '_';
    return name;
}

static tn_status keep_slot(tn_optimizer *o, const char *name, tn_tensor *value)
{
    tn_tensor *made;
    TN_TRY(tn__optimizer_variable(name, value, &made));
    tn_status status = TN__PUSH(&o->slot, made);
    if (status != TN_OK)
        tn__release(made);
    return status;
}

static tn_tensor *first_value(const tn__slot *slot, tn_tensor *variable, const tn_shape *shape,
                              tn_dtype dtype)
{
    tn_tensor *value = NULL;
    if (!slot->copy)
        return tn__tensor_fill(dtype, shape, slot->first);
    return tn__variable_read(variable, &value) == TN_OK ? value : NULL;
}

static tn_status add_slot(tn_optimizer *o, tn_tensor *variable, const tn__slot *slot, size_t *place)
{
    tn_shape shape = variable->shape;
    tn_dtype dtype = (tn_dtype)variable->dtype;
    *place = SIZE_MAX;
    if (slot->fits && !slot->fits(o->thing.self, variable, &shape, &dtype))
        return TN_OK;
    char *name = slot_name(variable, slot->name);
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    *place = o->slot.count;
    tn_status status = keep_slot(o, name, first_value(slot, variable, &shape, dtype));
    tn__free(name);
    return status;
}

static tn_status add_group(tn_optimizer *o, const tn__slot *slots, int group)
{
    for (size_t v = 0; v < o->target.count; v++)
        for (size_t s = 0; s < o->slots; s++)
            if (slots[s].group == group)
                TN_TRY(add_slot(o, o->target.item[v], &slots[s], &o->place[v * o->slots + s]));
    return TN_OK;
}

/* The optimizer's own number has the first variable's dtype and a name that Keras makes up. */
static tn_status add_number(tn_optimizer *o)
{
    if (!tn__methods_of(o)->begin || o->target.count == 0)
        return TN_OK;
    char *name = tn__automatic_name(tn__context(), "Variable");
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    tn_dtype dtype = (tn_dtype)o->target.item[0]->dtype;
    tn_status status = keep_slot(o, name, tn__tensor_fill(dtype, &TN_SCALAR, 1));
    tn__free(name);
    if (status == TN_OK)
        o->number = o->slot.item[o->slot.count - 1];
    return status;
}

static tn_status make_slots(tn_optimizer *o)
{
    tn__slot slots[TN__MAX_SLOTS];
    o->slots = tn__methods_of(o)->slots(o->thing.self, slots);
    o->place = tn__alloc_zeroed(o->target.count * (o->slots + 2) + 1, sizeof *o->place);
    if (!o->place)
        return TN_RESOURCE_EXHAUSTED;
    static const tn__slot average = { .name = "average" },
                          accumulated = { .name = "gradient_accumulator" };
    for (size_t v = 0; v < o->target.count && o->common->use_ema; v++)
        TN_TRY(add_slot(o, o->target.item[v], &average, tn__place_of_average(o, v)));
    for (size_t v = 0; v < o->target.count && o->common->accumulate; v++)
        TN_TRY(add_slot(o, o->target.item[v], &accumulated, tn__place_of_accumulated(o, v)));
    for (int group = 0; group < TN__MAX_SLOTS; group++)
        TN_TRY(add_group(o, slots, group));
    return add_number(o);
}

size_t tn__target_index(const tn_optimizer *o, const tn_tensor *variable)
{
    for (size_t i = 0; i < o->target.count; i++)
        if (o->target.item[i] == variable)
            return i;
    return SIZE_MAX;
}

static tn_status check_known(const tn_optimizer *o, tn_list variables)
{
    for (size_t i = 0; i < variables.count; i++)
        if (tn__target_index(o, variables.item[i]) == SIZE_MAX)
            return tn__fail(
                TN_INVALID_ARGUMENT,
                "Unknown variable: %s. This optimizer can only be called for the variables it was "
                "originally built with. When working "
                "with a new set of variables, you should recreate a new optimizer instance.\nmade "
                "at %s",
                tn__variable_full_name(variables.item[i]),
                tn__line(variables.item[i]->of.variable->here));
    return TN_OK;
}

static void forget_slots(tn_optimizer *o)
{
    variables_free(&o->target);
    variables_free(&o->slot);
    tn__free(o->place);
    o->place = NULL;
    o->number = NULL;
    o->target = o->slot = (tn__variables){ 0 };
}

static tn_status check_variables(tn_list variables)
{
    for (size_t i = 0; i < variables.count; i++)
        if (!tn__is_variable(variables.item[i]))
            return tn__fail(TN_INVALID_ARGUMENT, "variable %zu is not a variable (%s)", i,
                            TN__TENSOR(variables.item[i]));
    return TN_OK;
}

tn_status tn__optimizer_build(tn_context *context, tn_optimizer *o, tn_list variables)
{
    if (o->inner)
        return tn__optimizer_build(context, o->inner, variables);
    TN_TRY(check_variables(variables));
    if (o->built)
        return check_known(o, variables);
    tn_status status = TN_OK;
    for (size_t i = 0; i < variables.count && status == TN_OK; i++)
        if (tn__target_index(o, variables.item[i]) == SIZE_MAX &&
            (status = TN__PUSH(&o->target, variables.item[i])) == TN_OK)
            tn__retain(variables.item[i]);
    if (status == TN_OK)
        status = make_slots(o);
    if (status == TN_OK)
        o->built = true;
    else
        forget_slots(o);
    return status;
}

tn_status tn_apply_gradients(tn_optimizer *optimizer, tn_list gradients, tn_list variables)
{
    TN__ENTER(context, context->error.status);
    if (!tn__check_keras_optimizer(optimizer, "tn_apply_gradients: optimizer"))
        return TN_INVALID_ARGUMENT;
    if (context->graph && context->graph->v1)
        return tn__fail(TN_FAILED_PRECONDITION,
                        "tn_apply_gradients: in a graph a step is an operation that sessions run\n"
                        "tn_apply_gradients_operation() and tn_minimize() give it");
    return tn__optimizer_apply(context, optimizer, gradients, variables);
}

tn_tensor *tn__optimizer_scale_loss(tn_optimizer *o, tn_tensor *loss)
{
    if (o->inner)
        return tn__loss_scale_loss(o, loss);
    return isnan(o->common->loss_scale_factor)
               ? loss
               : tn_multiply(loss, tn__like(loss, o->common->loss_scale_factor));
}

tn_tensor *tn_scale_loss(tn_optimizer *optimizer, tn_tensor *loss)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_keras_optimizer(optimizer, "tn_scale_loss: optimizer") ||
        !tn__check_tensor(loss, "tn_scale_loss: loss"))
        return NULL;
    return tn__optimizer_scale_loss(optimizer, loss);
}

tn_tensor *tn__optimizer_rate(const tn_optimizer *o)
{
    if (o->inner)
        return tn__optimizer_rate(o->inner);
    return o->learning_rate ? tn_read_value(o->learning_rate)
                            : tn__schedule_rate(&o->schedule, tn_read_value(o->iteration));
}

tn_status tn__optimizer_finalize(tn_context *context, tn_optimizer *o, tn_list variables)
{
    o = tn__optimizer_that_steps(o);
    for (size_t i = 0; i < variables.count && o->built && o->common->use_ema; i++) {
        size_t at = tn__target_index(o, variables.item[i]);
        if (at != SIZE_MAX)
            tn_assign(variables.item[i], tn_read_value(o->slot.item[*tn__place_of_average(o, at)]));
    }
    return context->error.status;
}

/* --- what programs and files see -------------------------------------------------------------- */
/* What is there before the slots. */
static size_t add_first(const tn_optimizer *o, bool scale, tn_tensor **items)
{
    size_t count = 0;
    items[count++] = o->iteration;
    if (o->learning_rate)
        items[count++] = o->learning_rate;
    if (scale) {
        items[count++] = o->step_counter;
        items[count++] = o->dynamic_scale;
    }
    return count;
}

tn_status tn__optimizer_variables(tn_optimizer *o, tn_tensor ***items, size_t *count)
{
    const tn_optimizer *inner = tn__optimizer_that_steps(o);
    *count = 0;
    *items = tn__alloc((6 + inner->slot.count) * sizeof **items);
    if (!*items)
        return TN_RESOURCE_EXHAUSTED;
    *count = o->inner ? add_first(o, inner->built, *items) : 0;
    *count += add_first(inner, false, *items + *count);
    if (inner->slot.count)
        memcpy(*items + *count, inner->slot.item, inner->slot.count * sizeof **items);
    *count += inner->slot.count;
    return TN_OK;
}

tn_list tn_optimizer_variables(tn_optimizer *optimizer)
{
    tn_list none = { 0, NULL }, list = none;
    TN__ENTER(context, none);
    (void)context;
    tn_tensor **items;
    size_t count;
    if (!tn__check_keras_optimizer(optimizer, "tn_optimizer_variables: optimizer") ||
        tn__optimizer_variables(optimizer, &items, &count) != TN_OK)
        return none;
    list = tn_list_of(count, items);
    tn__free(items);
    return list;
}

tn_variable *tn_learning_rate(tn_optimizer *optimizer)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_keras_optimizer(optimizer, "tn_learning_rate: optimizer"))
        return NULL;
    optimizer = tn__optimizer_that_steps(optimizer);
    return optimizer->learning_rate ? tn__own_shared(optimizer->learning_rate)
                                    : tn__optimizer_rate(optimizer);
}

tn_variable *tn_iterations(tn_optimizer *optimizer)
{
    TN__ENTER(context, NULL);
    (void)context;
    return tn__check_keras_optimizer(optimizer, "tn_iterations: optimizer")
               ? tn__own_shared(tn__optimizer_that_steps(optimizer)->iteration)
               : NULL;
}
