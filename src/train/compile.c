/* compile.c - a model's trainer: optimizer, losses and metrics by name or object. */
#include "train/loss_scale.h"
#include "train/trainer.h"
#include <pthread.h>
#include <string.h>

static void clear_compiled(tn__trainer *t)
{
    tn__release(t->optimizer);
    for (size_t i = 0; i < TN__MAX_OUTPUTS; i++) {
        tn__release(t->loss[i]);
        tn__free(t->loss_text[i]);
    }
    for (size_t i = 0; i < TN__MAX_METRICS; i++) {
        tn__free(t->metric_text[i]);
        tn__free(t->weighted_text[i]);
    }
    tn__forget_metrics(t);
    tn__release(t->train);
    tn__release(t->test);
    tn__ids_free(&t->trained);
    tn_function *predict = t->predict;
    *t = (tn__trainer){ .model = t->model, .predict = predict };
}

static void trainer_free(void *trainer)
{
    tn__trainer *t = trainer;
    clear_compiled(t);
    tn__release(t->predict);
    tn__free(t);
}

tn_status tn__trainer_of(tn_layer *model, tn__trainer **trainer)
{
    static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
    if ((*trainer = atomic_load_explicit(&model->trainer, memory_order_acquire)))
        return TN_OK;
    pthread_mutex_lock(&making);
    if (!model->trainer) {
        tn__trainer *t = tn__alloc_zeroed(1, sizeof *t);
        if (t) {
            t->model = model;
            model->free_trainer = trainer_free;
            model->trainer = t;
        }
    }
    *trainer = model->trainer;
    pthread_mutex_unlock(&making);
    return *trainer ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

tn_status tn__trainer_compiled(tn_layer *model, const char *what, tn__trainer **trainer)
{
    if (!tn__check_layer(model, what))
        return TN_INVALID_ARGUMENT;
    TN_TRY(tn__trainer_of(model, trainer));
    if ((*trainer)->compiled)
        return TN_OK;
    return tn__fail(TN_FAILED_PRECONDITION,
                    "You must call `compile()` before using the model.\n%s: tn_compile(model, "
                    "tn_adam(), \"mse\") first",
                    what);
}

/* --- options ---------------------------------------------------------------------------------- */
static tn_status take_loss(tn__trainer *t, const char *text, size_t i)
{
    if (!text)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_compile: output_losses[%zu] is missing", i);
    t->loss_text[i] = tn__strdup(text);
    if (!t->loss_text[i])
        return TN_RESOURCE_EXHAUSTED;
    return tn__loss_parse(text, &t->loss[i]);
}

static tn_status take_losses(tn__trainer *t, const tn_compile_options *o)
{
    size_t given = 0;
    for (size_t i = 0; i < TN__MAX_OUTPUTS; i++)
        if (o->output_losses[i])
            given = i + 1;
    if ((o->loss != NULL) + (o->loss_fn != NULL) + (given > 0) > 1)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "tn_compile: give one of loss, loss_fn and output_losses");
    for (size_t i = 0; i < TN__MAX_OUTPUTS; i++)
        t->loss_weight[i] = o->loss_weights[i];
    t->losses = given ? given : o->loss || o->loss_fn;
    for (size_t i = 0; i < given; i++)
        TN_TRY(take_loss(t, o->output_losses[i], i));
    if (o->loss)
        return take_loss(t, o->loss, 0);
    if (o->loss_fn && !tn__check(o->loss_fn, &tn__type_loss, "tn_compile: loss_fn"))
        return TN_INVALID_ARGUMENT;
    if (o->loss_fn)
        t->loss[0] = tn__retain(o->loss_fn);
    return TN_OK;
}

/* A gap in a list of names is a mistake, not an end. */
static tn_status take_names(const char *const *names, size_t most, const char *what, char **taken,
                            size_t *count)
{
    for (size_t i = 0; i < most; i++) {
        if (!names[i])
            continue;
        if (i != *count)
            return tn__fail(TN_INVALID_ARGUMENT, "tn_compile: %s[%zu] is NULL", what, *count);
        if (!(taken[(*count)++] = tn__strdup(names[i])))
            return TN_RESOURCE_EXHAUSTED;
    }
    return TN_OK;
}

/* Names are checked now, though what "accuracy" means shows only with the data. */
static tn_status check_metrics(char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tn_metric *metric = NULL;
        TN_TRY(tn__metric_for_output(names[i], &TN_SCALAR, &TN_SCALAR, NULL, &metric));
        tn__release(metric);
    }
    return TN_OK;
}

static tn_status take_options(tn__trainer *t, const tn_compile_options *o)
{
    if (o->optimizer && !tn__check_keras_optimizer(o->optimizer, "tn_compile: optimizer"))
        return TN_INVALID_ARGUMENT;
    if (o->optimizer)
        t->optimizer = tn__retain(o->optimizer);
    else
        TN_TRY(tn__optimizer_parse("rmsprop", &t->optimizer));
    if (o->auto_scale_loss && strcmp(t->model->policy->name, "mixed_float16") == 0 &&
        !t->optimizer->inner)
        TN_TRY(tn__loss_scale_wrap(&t->optimizer));
    TN_TRY(take_losses(t, o));
    TN_TRY(take_names(o->metrics, TN__MAX_METRICS, "metrics", t->metric_text, &t->metrics));
    TN_TRY(take_names(o->weighted_metrics, TN__MAX_METRICS, "weighted_metrics", t->weighted_text,
                      &t->weighted));
    TN_TRY(check_metrics(t->metric_text, t->metrics));
    return check_metrics(t->weighted_text, t->weighted);
}

tn_status tn_compile_with(const tn_compile_options *options)
{
    TN__ENTER_OPTIONS(context, options, context->error.status);
    TN__EAGERLY(context);
    tn__trainer *t, fresh = { .model = options->model };
    if (!tn__check_layer(options->model, "tn_compile: model"))
        return TN_INVALID_ARGUMENT;
    TN_TRY(tn__trainer_of(options->model, &t));
    tn_status status = take_options(&fresh, options);
    if (status != TN_OK) {
        clear_compiled(&fresh);
        return status;
    }
    clear_compiled(t);
    fresh.predict = t->predict;
    *t = fresh;
    t->compiled = true;
    return TN_OK;
}

tn_optimizer *tn_model_optimizer(tn_model *model)
{
    TN__ENTER(context, NULL);
    (void)context;
    tn__trainer *t;
    if (tn__trainer_compiled(model, "tn_model_optimizer", &t) != TN_OK)
        return NULL;
    return tn__own_shared(t->optimizer);
}

bool tn_is_compiled(tn_model *model)
{
    TN__ENTER(context, false);
    (void)context;
    const tn__trainer *t = tn__check_layer(model, "tn_is_compiled: model") ? model->trainer : NULL;
    return t && t->compiled;
}
