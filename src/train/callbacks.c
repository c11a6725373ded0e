/* callbacks.c - Keras's callbacks that look at the logs and act on the training: EarlyStopping,
 * ReduceLROnPlateau, LearningRateScheduler, TerminateOnNaN. */
#include "core/variable.h"
#include "train/monitor.h"
#include "train/trainer.h"
#include <math.h>
#include <string.h>

/* --- EarlyStopping ---------------------------------------------------------------------------- */
/* Weights as they were. Values are never written once they are seen, so keeping them is keeping
 * counts. */
typedef struct {
    tn_tensor **variable, **value; /* retained */
    size_t count;
} snapshot;

static void snapshot_free(snapshot *s)
{
    for (size_t i = 0; i < s->count; i++) {
        tn__release(s->variable[i]);
        tn__release(s->value[i]);
    }
    tn__free(s->variable);
    *s = (snapshot){ 0 };
}

static tn_status snapshot_read(snapshot *s, const tn__weight_list *weights)
{
    s->variable = tn__alloc_zeroed(2 * weights->count + 1, sizeof *s->variable);
    if (!s->variable)
        return TN_RESOURCE_EXHAUSTED;
    s->value = s->variable + weights->count;
    for (; s->count < weights->count; s->count++) {
        TN_TRY(tn__variable_read(weights->item[s->count], &s->value[s->count]));
        s->variable[s->count] = tn__retain(weights->item[s->count]);
    }
    return TN_OK;
}

/* The old one stays when there is no memory for a new one. */
static tn_status snapshot_take(snapshot *s, tn_layer *model)
{
    tn__weight_list weights = { 0 };
    snapshot fresh = { 0 };
    tn_status status = tn__collect_weights(model, TN__ALL_WEIGHTS, &weights);
    if (status == TN_OK)
        status = snapshot_read(&fresh, &weights);
    tn__weight_list_free(&weights);
    snapshot_free(status == TN_OK ? s : &fresh);
    if (status == TN_OK)
        *s = fresh;
    return status;
}

static tn_status snapshot_restore(const snapshot *s)
{
    for (size_t i = 0; i < s->count; i++)
        TN_TRY(tn__variable_assign(s->variable[i], s->value[i]));
    return TN_OK;
}

typedef struct {
    tn_early_stopping_options o;
    tn__monitor monitor;
    int64_t wait, stopped_epoch, best_epoch;
    bool has_weights;
    snapshot weights;
} early_stopping;

static tn_status early_stopping_check(void *self)
{
    early_stopping *s = self;
    s->monitor = tn__monitor_for("EarlyStopping", s->o.monitor, s->o.mode, s->o.min_delta, NAN);
    return TN_OK;
}

static void early_stopping_begin(void *self, const tn_logs *logs)
{
    early_stopping *s = self;
    (void)logs;
    s->wait = s->stopped_epoch = s->best_epoch = 0;
    s->monitor.has_best = s->has_weights = false;
    snapshot_free(&s->weights);
}

static tn_status keep_weights(early_stopping *s, const tn_logs *logs)
{
    s->best_epoch = logs->epoch;
    if (!s->o.restore_best_weights)
        return TN_OK;
    TN_TRY(snapshot_take(&s->weights, logs->model));
    s->has_weights = true;
    return TN_OK;
}

static tn_status early_stopping_look(early_stopping *s, const tn_logs *logs)
{
    double value;
    TN_TRY(tn__monitor_settle(&s->monitor, logs));
    if (!tn__monitor_value(&s->monitor, logs, "Early stopping conditioned on metric",
                           "which is not available. Available metrics are: ", &value) ||
        logs->epoch < s->o.start_from_epoch)
        return TN_OK;
    if (s->o.restore_best_weights && !s->has_weights)
        TN_TRY(keep_weights(s, logs));
    s->wait++;
    if (tn__monitor_take(&s->monitor, value)) {
        if (isnan(s->o.baseline) || tn__monitor_improves(&s->monitor, value, s->o.baseline))
            s->wait = 0;
        return keep_weights(s, logs);
    }
    if (s->wait >= s->o.patience && logs->epoch > 0) {
        s->stopped_epoch = logs->epoch;
        *logs->stop = true;
    }
    return TN_OK;
}

static void early_stopping_epoch(void *self, const tn_logs *logs)
{
    (void)!early_stopping_look(self, logs); /* the error is kept */
}

static void early_stopping_end(void *self, const tn_logs *logs)
{
    early_stopping *s = self;
    (void)logs;
    if (s->stopped_epoch > 0 && s->o.verbose > 0)
        tn__say("Epoch %lld: early stopping", (long long)s->stopped_epoch + 1);
    if (!s->has_weights)
        return;
    if (s->o.verbose > 0)
        tn__say("Restoring model weights from the end of the best epoch: %lld.",
                (long long)s->best_epoch + 1);
    (void)!snapshot_restore(&s->weights);
    snapshot_free(&s->weights);
    s->has_weights = false;
}

static void early_stopping_destroy(void *self)
{
    snapshot_free(&((early_stopping *)self)->weights);
}

static const tn_field early_stopping_fields[] = {
    TN__OPTION(TN_FIELD_STRING, early_stopping, monitor, "val_loss", NULL),
    TN__OPTION(TN_FIELD_FLOAT, early_stopping, min_delta, "0", NULL),
    TN__OPTION(TN_FIELD_INT, early_stopping, patience, "0", NULL),
    TN__OPTION(TN_FIELD_STRING, early_stopping, mode, "auto", NULL),
    TN__OPTION(TN_FIELD_FLOAT, early_stopping, baseline, "none", NULL),
    TN__OPTION(TN_FIELD_FLAG, early_stopping, restore_best_weights, "false", NULL),
    TN__OPTION(TN_FIELD_INT, early_stopping, start_from_epoch, "0", NULL),
    TN__END_OF_FIELDS,
};
static const tn__callback_kind early_stopping_kind = {
    .name = "EarlyStopping",
    .calls = { .on_train_begin = early_stopping_begin,
               .on_epoch_end = early_stopping_epoch,
               .on_train_end = early_stopping_end,
               .destroy = early_stopping_destroy },
    .fields = early_stopping_fields,
    .size = sizeof(early_stopping),
    .options_size = sizeof(tn_early_stopping_options),
    .check = early_stopping_check,
};

tn_callback *tn_early_stopping_new(const tn_early_stopping_options *options)
{
    return tn__callback_from_options(&early_stopping_kind, options);
}

/* --- the learning rate ------------------------------------------------------------------------ */
static tn_optimizer *optimizer_of(const tn_logs *logs)
{
    const tn__trainer *t = logs->model->trainer;
    return tn__optimizer_that_steps(t->optimizer); /* a model that is being fitted has one */
}

/* A number also where a schedule gives it. */
static tn_status get_rate(const tn_logs *logs, double *rate)
{
    *rate = tn_to_double(tn_learning_rate(optimizer_of(logs)));
    return tn__errors()->status;
}

static tn_status set_rate(const tn_logs *logs, double rate)
{
    tn_tensor *variable = optimizer_of(logs)->learning_rate;
    if (!variable)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "This optimizer was created with a `LearningRateSchedule` object as its "
                        "`learning_rate` constructor argument, hence its learning rate is not "
                        "settable. If you need the learning rate to be settable, you should "
                        "instantiate the optimizer with a float `learning_rate` argument.");
    tn_tensor *value = tn__tensor_fill((tn_dtype)variable->dtype, &TN_SCALAR, rate);
    if (!value)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = tn__variable_assign(variable, value);
    tn__release(value);
    return status;
}

static tn_status log_rate(const tn_logs *logs)
{
    double rate;
    TN_TRY(get_rate(logs, &rate));
    return tn__logs_set(logs->table_, "learning_rate", rate);
}

/* As Python prints a float. */
static const char *rate_text(double rate, char text[TN__NUMBER_TEXT])
{
    tn__number_text(rate, false, text, TN__NUMBER_TEXT);
    return text;
}

/* --- ReduceLROnPlateau ------------------------------------------------------------------------ */
typedef struct {
    tn_reduce_lr_on_plateau_options o;
    tn__monitor monitor;
    int64_t wait, cooling; /* epochs */
} plateau;

static tn_status plateau_check(void *self)
{
    plateau *s = self;
    if (s->o.factor >= 1)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "ReduceLROnPlateau does not support a factor >= 1.0. Received factor=%g",
                        s->o.factor);
    s->monitor = tn__monitor_for("ReduceLROnPlateau", s->o.monitor, s->o.mode, s->o.min_delta, NAN);
    return TN_OK;
}

static void plateau_begin(void *self, const tn_logs *logs)
{
    plateau *s = self;
    (void)logs;
    s->monitor.has_best = false;
    s->wait = s->cooling = 0;
}

static tn_status reduce(plateau *s, const tn_logs *logs)
{
    double rate;
    char text[TN__NUMBER_TEXT];
    TN_TRY(get_rate(logs, &rate));
    if (!(rate > (double)(float)s->o.min_lr))
        return TN_OK;
    rate = fmax(rate * s->o.factor, s->o.min_lr);
    TN_TRY(set_rate(logs, rate));
    if (s->o.verbose > 0)
        tn__say("\nEpoch %lld: ReduceLROnPlateau reducing learning rate to %s.",
                (long long)logs->epoch + 1, rate_text(rate, text));
    s->cooling = s->o.cooldown;
    s->wait = 0;
    return TN_OK;
}

static tn_status plateau_look(plateau *s, const tn_logs *logs)
{
    double value;
    TN_TRY(tn__monitor_settle(&s->monitor, logs));
    TN_TRY(log_rate(logs));
    if (!tn__monitor_value(&s->monitor, logs, "Learning rate reduction is conditioned on metric",
                           "which is not available. Available metrics are: ", &value))
        return TN_OK;
    if (s->cooling > 0) {
        s->cooling--;
        s->wait = 0;
    }
    if (tn__monitor_take(&s->monitor, value)) {
        s->wait = 0;
        return TN_OK;
    }
    return s->cooling > 0 || ++s->wait < s->o.patience ? TN_OK : reduce(s, logs);
}

static void plateau_epoch(void *self, const tn_logs *logs)
{
    (void)!plateau_look(self, logs);
}

static const tn_field plateau_fields[] = {
    TN__OPTION(TN_FIELD_STRING, plateau, monitor, "val_loss", NULL),
    TN__OPTION(TN_FIELD_FLOAT, plateau, factor, "0.1", NULL),
    TN__OPTION(TN_FIELD_INT, plateau, patience, "10", NULL),
    TN__OPTION(TN_FIELD_STRING, plateau, mode, "auto", NULL),
    TN__OPTION(TN_FIELD_FLOAT, plateau, min_delta, "0.0001", NULL),
    TN__OPTION(TN_FIELD_INT, plateau, cooldown, "0", NULL),
    TN__OPTION(TN_FIELD_FLOAT, plateau, min_lr, "0", NULL),
    TN__END_OF_FIELDS,
};
static const tn__callback_kind plateau_kind = {
    .name = "ReduceLROnPlateau",
    .calls = { .on_train_begin = plateau_begin, .on_epoch_end = plateau_epoch },
    .fields = plateau_fields,
    .size = sizeof(plateau),
    .options_size = sizeof(tn_reduce_lr_on_plateau_options),
    .check = plateau_check,
};

tn_callback *tn_reduce_lr_on_plateau_new(const tn_reduce_lr_on_plateau_options *options)
{
    return tn__callback_from_options(&plateau_kind, options);
}

/* --- LearningRateScheduler -------------------------------------------------------------------- */
typedef struct {
    tn_learning_rate_scheduler_options o;
} scheduler;

static tn_status scheduler_check(void *self)
{
    if (!((scheduler *)self)->o.schedule)
        return tn__fail(TN_INVALID_ARGUMENT, "LearningRateScheduler: schedule is NULL");
    return TN_OK;
}

static tn_status schedule(const scheduler *s, const tn_logs *logs)
{
    double rate;
    char text[TN__NUMBER_TEXT];
    TN_TRY(get_rate(logs, &rate));
    rate = s->o.schedule(s->o.self, logs->epoch, rate);
    TN_TRY(tn__errors()->status);
    TN_TRY(set_rate(logs, rate));
    if (s->o.verbose > 0)
        tn__say("\nEpoch %lld: LearningRateScheduler setting learning rate to %s.",
                (long long)logs->epoch + 1, rate_text(rate, text));
    return TN_OK;
}

static void scheduler_epoch(void *self, const tn_logs *logs)
{
    (void)!schedule(self, logs);
}

static void scheduler_log(void *self, const tn_logs *logs)
{
    (void)self;
    (void)!log_rate(logs);
}

static const tn_field no_fields[] = { TN__END_OF_FIELDS };
static const tn__callback_kind scheduler_kind = {
    .name = "LearningRateScheduler",
    .calls = { .on_epoch_begin = scheduler_epoch, .on_epoch_end = scheduler_log },
    .fields = no_fields,
    .size = sizeof(scheduler),
    .options_size = sizeof(tn_learning_rate_scheduler_options),
    .check = scheduler_check,
};

tn_callback *tn_learning_rate_scheduler_new(const tn_learning_rate_scheduler_options *options)
{
    return tn__callback_from_options(&scheduler_kind, options);
}

/* --- TerminateOnNaN --------------------------------------------------------------------------- */
typedef struct {
    tn_terminate_on_nan_options o;
} terminate;

static void terminate_batch(void *self, const tn_logs *logs)
{
    double loss = tn_log_value(logs, "loss");
    char text[TN__NUMBER_TEXT];
    if (isfinite(loss))
        return;
    if (((const terminate *)self)->o.raise_error) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "NaN or Inf loss encountered at batch %lld. Loss value: %s. Terminating training "
                 "immediately.",
                 (long long)logs->batch, rate_text(loss, text));
        return;
    }
    tn__say("Batch %lld: Invalid loss, terminating training", (long long)logs->batch);
    *logs->stop = true;
}

static const tn_field terminate_fields[] = {
    TN__OPTION(TN_FIELD_FLAG, terminate, raise_error, "false", NULL),
    TN__END_OF_FIELDS,
};
static const tn__callback_kind terminate_kind = {
    .name = "TerminateOnNaN",
    .calls = { .on_batch_end = terminate_batch },
    .fields = terminate_fields,
    .size = sizeof(terminate),
    .options_size = sizeof(tn_terminate_on_nan_options),
};

tn_callback *tn_terminate_on_nan_new(const tn_terminate_on_nan_options *options)
{
    return tn__callback_from_options(&terminate_kind, options);
}
