/* loss_scale.c - LossScaleOptimizer: another optimizer, whose gradients are of the loss times a
 * scale, so that small ones are not lost in float16. A step whose gradients are not all finite is
 * left out and halves the scale; so many good ones in a row double it. */
#include "train/loss_scale.h"
#include "core/variable.h"
#include "function/frame.h"
#include "runtime/dispatch.h"
#include <math.h>
#include <string.h>

typedef struct {
    tn_loss_scale_optimizer_options o;
    const char *inner_optimizer; /* the same as text: what files say */
} loss_scale;

static const tn_field fields[] = {
    TN__ROW(TN_FIELD_OPTIMIZER, loss_scale, inner_optimizer, "none", NULL),
    TN__OPTION(TN_FIELD_FLOAT, loss_scale, initial_scale, "32768", NULL),
    TN__OPTION(TN_FIELD_INT, loss_scale, dynamic_growth_steps, "2000", NULL),
    TN__OPTION(TN_FIELD_STRING, loss_scale, name, "none", NULL),
    TN__END_OF_FIELDS,
};

const tn__object_class tn__optimizer_LossScaleOptimizer = {
    .kind = TN__OPTIMIZER,
    .name = "LossScaleOptimizer",
    .aliases = "LossScaleOptimizerV3",
    .fields = fields,
    .size = sizeof(loss_scale),
    .options_size = sizeof(tn_loss_scale_optimizer_options),
};

/* --- making ----------------------------------------------------------------------------------- */
static tn_status take_inner(tn_optimizer *o)
{
    loss_scale *self = o->thing.self;
    if (self->o.inner_optimizer)
        o->inner = tn__retain(self->o.inner_optimizer);
    else if (self->inner_optimizer)
        TN_TRY(tn__optimizer_parse(self->inner_optimizer, &o->inner));
    else
        return tn__fail(TN_INVALID_ARGUMENT, "LossScaleOptimizer.__init__() missing 1 required "
                                             "positional argument: 'inner_optimizer'");
    self->o.inner_optimizer = NULL;
    if (o->inner->inner)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "LossScaleOptimizer: inner_optimizer is a LossScaleOptimizer itself");
    return TN_OK;
}

/* Both would scale. Of its text, too, so that files do not say it. */
static tn_status drop_own_factor(tn_optimizer *inner)
{
    double *factor = tn__thing_field(&inner->thing, "loss_scale_factor");
    if (factor)
        *factor = NAN;
    inner->common->loss_scale_factor = NAN;
    return TN_OK;
}

tn_status tn__loss_scale_fill(tn_optimizer *o)
{
    const loss_scale *self = o->thing.self;
    o->common = tn__alloc_zeroed(1, sizeof *o->common);
    if (!o->common)
        return TN_RESOURCE_EXHAUSTED;
    o->common->loss_scale_factor = NAN;
    TN_TRY(tn__optimizer_variable("learning_rate", tn__tensor_fill(TN_FLOAT32, &TN_SCALAR, 0),
                                  &o->learning_rate));
    TN_TRY(tn__optimizer_variable("step_counter", tn__tensor_fill(TN_INT64, &TN_SCALAR, 0),
                                  &o->step_counter));
    TN_TRY(tn__optimizer_variable("dynamic_scale",
                                  tn__tensor_fill(TN_FLOAT32, &TN_SCALAR, self->o.initial_scale),
                                  &o->dynamic_scale));
    TN_TRY(take_inner(o));
    return drop_own_factor(o->inner);
}

/* --- scaling ---------------------------------------------------------------------------------- */
/* The scale beside x as Keras promotes the two: halves become float32, float64 stays. */
static tn_tensor *with_scale(const tn_optimizer *o, tn_tensor *x,
                             tn_tensor *(*op)(tn_tensor *a, tn_tensor *b))
{
    tn_dtype dtype = x && x->dtype == TN_FLOAT64 ? TN_FLOAT64 : TN_FLOAT32;
    return op(tn_cast(x, dtype), tn_cast(tn_read_value(o->dynamic_scale), dtype));
}

tn_tensor *tn__loss_scale_loss(tn_optimizer *o, tn_tensor *loss)
{
    return with_scale(o, loss, tn_multiply);
}

/* --- one step --------------------------------------------------------------------------------- */
static tn_tensor *all_finite(tn_list gradients)
{
    tn_tensor *all = NULL;
    for (size_t i = 0; i < gradients.count; i++) {
        if (!gradients.item[i])
            continue;
        tn_tensor *finite = tn_reduce_all(tn_is_finite(gradients.item[i]));
        all = all ? tn_logical_and(all, finite) : finite;
    }
    return all;
}

/* An optimizer's gradient, of which slices are unscaled before they are added. */
static tn_tensor *over_scale(tn_tensor *x, const void *o)
{
    return with_scale(o, x, tn_divide);
}

static tn_list unscaled(tn_optimizer *o, tn_list gradients)
{
    tn_tensor **items = tn__scope_alloc((gradients.count + 1) * sizeof *items);
    for (size_t i = 0; items && i < gradients.count; i++)
        items[i] = gradients.item[i] ? tn__of_gradient(gradients.item[i], over_scale, o) : NULL;
    return (tn_list){ gradients.count, items };
}

/* Counts good steps; with the last of so many the scale doubles. */
static void count_step(tn_optimizer *o, tn_tensor *finite)
{
    int64_t last = ((const loss_scale *)o->thing.self)->o.dynamic_growth_steps - 1;
    tn_tensor *count = tn_read_value(o->step_counter), *scale = tn_read_value(o->dynamic_scale);
    tn_tensor *zero = tn_zeros(TN_SCALAR, TN_INT64);
    tn_tensor *growing = tn_equal(count, tn_constant(TN_INT64, TN_SCALAR, &last));
    tn_tensor *next = tn_where(growing, zero, tn_add(count, tn_scalar(1)));
    tn_tensor *grown = tn_where(growing, tn_multiply(scale, tn_scalar(2)), scale);
    tn_assign(o->step_counter, tn_where(finite, next, zero));
    tn_assign(o->dynamic_scale, tn_where(finite, grown, tn_multiply(scale, tn_scalar(0.5))));
}

/* Without branches, so that the same ops serve every step of a trace: what a bad step changed of
 * the weights and of the inner optimizer's variables is put back. */
static tn_status step_if(tn_context *context, tn_optimizer *o, tn_tensor *finite, tn_list gradients,
                         tn_list variables, tn_list changed)
{
    tn_tensor **before = tn__scope_alloc((changed.count + 1) * sizeof *before);
    if (!before || !finite)
        return context->error.status;
    for (size_t i = 0; i < changed.count; i++)
        before[i] = tn_read_value(changed.item[i]);
    TN_TRY(tn__optimizer_apply(context, o->inner, gradients, variables));
    for (size_t i = 0; i < changed.count; i++)
        tn_assign(changed.item[i], tn_where(finite, tn_read_value(changed.item[i]), before[i]));
    count_step(o, finite);
    return context->error.status;
}

static bool none_given(tn_list gradients)
{
    for (size_t i = 0; i < gradients.count; i++)
        if (gradients.item[i])
            return false;
    return true;
}

tn_status tn__loss_scale_apply(tn_context *context, tn_optimizer *o, tn_list gradients,
                               tn_list variables)
{
    TN_TRY(tn__optimizer_build(context, o, variables));
    if (none_given(gradients)) /* the inner optimizer's message */
        return tn__optimizer_apply(context, o->inner, gradients, variables);
    tn_list changed = tn_list_concat((tn_list){ o->inner->target.count, o->inner->target.item },
                                     tn_optimizer_variables(o->inner));
    if (!changed.item)
        return context->error.status;
    return step_if(context, o, all_finite(gradients), unscaled(o, gradients), variables, changed);
}

/* --- what programs see ------------------------------------------------------------------------ */
static tn_optimizer *make(tn_context *context, const tn_loss_scale_optimizer_options *options)
{
    tn__thing thing;
    tn_optimizer *o = NULL;
    if (tn__thing_from_options(&tn__optimizer_LossScaleOptimizer, options, &thing) != TN_OK)
        return NULL;
    loss_scale *self = thing.self;
    if (options->inner_optimizer)
        self->inner_optimizer = tn__thing_text(&options->inner_optimizer->thing);
    if (tn__failed(context))
        tn__thing_free(&thing);
    else
        (void)!tn__optimizer_from_thing(&thing, &o);
    return o;
}

tn_optimizer *tn_loss_scale_optimizer_new(const tn_loss_scale_optimizer_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (options->size_ == sizeof *options && options->inner_optimizer &&
        !tn__check_keras_optimizer(options->inner_optimizer,
                                   "tn_loss_scale_optimizer: inner_optimizer"))
        return NULL;
    return tn__own_made(context, make(context, options));
}

tn_status tn__loss_scale_wrap(tn_optimizer **optimizer)
{
    tn_loss_scale_optimizer_options options = { .size_ = sizeof options,
                                                .inner_optimizer = *optimizer,
                                                .initial_scale = 32768,
                                                .dynamic_growth_steps = 2000,
                                                .name = "loss_scale_optimizer" };
    tn_optimizer *wrapped = make(tn__context(), &options);
    if (!wrapped)
        return tn__errors()->status;
    tn__release(*optimizer);
    *optimizer = wrapped;
    return TN_OK;
}

tn_optimizer *tn_inner_optimizer(tn_optimizer *optimizer)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_keras_optimizer(optimizer, "tn_inner_optimizer: optimizer"))
        return NULL;
    if (optimizer->inner)
        return tn__own_shared(optimizer->inner);
    tn__fail(TN_INVALID_ARGUMENT, "'%s' object has no attribute 'inner_optimizer'",
             optimizer->thing.of->name);
    return NULL;
}
