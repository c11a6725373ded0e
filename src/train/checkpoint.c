/* checkpoint.c - Keras's ModelCheckpoint: the model, or its weights, saved every epoch or every so
 * many batches. */
#include "train/checkpoint.h"
#include "core/hooks.h"
#include "train/monitor.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    tn_model_checkpoint_options o;
    tn__monitor monitor;
    int64_t unsaved; /* batches since the last save */
} checkpoint;

static tn_status check(void *self)
{
    checkpoint *s = self;
    const char *path = s->o.filepath;
    if (!path)
        return tn__fail(TN_INVALID_ARGUMENT, "ModelCheckpoint: filepath is NULL");
    if (s->o.save_freq < 0)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Unrecognized save_freq: %lld. Expected save_freq are 'epoch' or integer "
                        "values\n0 is 'epoch'",
                        (long long)s->o.save_freq);
    if (s->o.save_weights_only && !tn__ends_with(path, ".weights.h5"))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath "
                        "provided must end in `.weights.h5` (Keras weights "
                        "format). Received: filepath=%s",
                        path);
    if (!s->o.save_weights_only && !tn__ends_with(path, ".keras") && !tn__ends_with(path, ".h5"))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "The filepath provided must end in `.keras` (Keras model format). "
                        "Received: filepath=%s",
                        path);
    s->monitor = tn__monitor_for("ModelCheckpoint", s->o.monitor, s->o.mode, 0,
                                 s->o.initial_value_threshold);
    return TN_OK;
}

/* Every folder above the file that is not there yet. */
static tn_status make_folders(char *path)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        bool made = mkdir(path, 0777) == 0 || errno == EEXIST;
        int reason = errno;
        tn_status status =
            made ? TN_OK
                 : tn__fail(reason == EACCES || reason == EROFS ? TN_PERMISSION_DENIED : TN_UNKNOWN,
                            "ModelCheckpoint: cannot make the folder '%s': %s", path,
                            strerror(reason));
        *at = '/';
        TN_TRY(status);
    }
    return TN_OK;
}

/* best: the text of the best value before this one. */
static void say_outcome(const checkpoint *s, const tn_logs *logs, bool better, const char *best,
                        double value, const char *path)
{
    if (s->o.verbose <= 0)
        return;
    if (better)
        tn__say("\nEpoch %lld: %s improved from %s to %.5f, saving model to %s",
                (long long)logs->epoch + 1, s->monitor.key, best, value, path);
    else
        tn__say("\nEpoch %lld: %s did not improve from %s", (long long)logs->epoch + 1,
                s->monitor.key, best);
}

static tn_status should_save(checkpoint *s, const tn_logs *logs, const char *path, bool *save)
{
    double value;
    char best[TN__NUMBER_TEXT + 320] = "None";
    *save = true;
    if (!s->o.save_best_only) {
        if (s->o.verbose > 0)
            tn__say("\nEpoch %lld: saving model to %s", (long long)logs->epoch + 1, path);
        return TN_OK;
    }
    TN_TRY(tn__monitor_settle(&s->monitor, logs));
    if (!tn__monitor_value(&s->monitor, logs, "Can save best model only with",
                           "available. Available metrics are: ", &value))
        return TN_OK;
    if (s->monitor.has_best)
        snprintf(best, sizeof best, "%.5f", s->monitor.best);
    *save = tn__monitor_take(&s->monitor, value);
    say_outcome(s, logs, *save, best, value, path);
    return TN_OK;
}

static tn_status save_to(checkpoint *s, const tn_logs *logs, char *path)
{
    bool save;
    TN_TRY(should_save(s, logs, path, &save));
    if (!save)
        return TN_OK;
    TN_TRY(make_folders(path));
    TN_TRY(tn__hooks.save_model(logs->model, path, s->o.save_weights_only));
    if (s->o.verbose > 0)
        tn__say("\nEpoch %lld: finished saving model to %s", (long long)logs->epoch + 1, path);
    return TN_OK;
}

static tn_status save(checkpoint *s, const tn_logs *logs, int64_t batch)
{
    char *path;
    TN_TRY(tn__format_path(s->o.filepath, logs->epoch + 1, batch, logs, &path));
    tn_status status = save_to(s, logs, path);
    tn__free(path);
    return status;
}

static void batch_end(void *self, const tn_logs *logs)
{
    checkpoint *s = self;
    if (s->o.save_freq == 0 || ++s->unsaved < s->o.save_freq)
        return;
    s->unsaved = 0;
    (void)!save(s, logs, logs->batch + 1); /* the error is kept */
}

static void epoch_end(void *self, const tn_logs *logs)
{
    checkpoint *s = self;
    if (s->o.save_freq == 0)
        (void)!save(s, logs, -1);
}

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_STRING, checkpoint, filepath, NULL, NULL),
    TN__OPTION(TN_FIELD_STRING, checkpoint, monitor, "val_loss", NULL),
    TN__OPTION(TN_FIELD_FLAG, checkpoint, save_best_only, "false", NULL),
    TN__OPTION(TN_FIELD_FLAG, checkpoint, save_weights_only, "false", NULL),
    TN__OPTION(TN_FIELD_STRING, checkpoint, mode, "auto", NULL),
    TN__OPTION(TN_FIELD_INT, checkpoint, save_freq, "0", NULL),
    TN__OPTION(TN_FIELD_FLOAT, checkpoint, initial_value_threshold, "none", NULL),
    TN__END_OF_FIELDS,
};
static const tn__callback_kind kind = {
    .name = "ModelCheckpoint",
    .calls = { .on_batch_end = batch_end, .on_epoch_end = epoch_end },
    .fields = fields,
    .size = sizeof(checkpoint),
    .options_size = sizeof(tn_model_checkpoint_options),
    .check = check,
};

tn_callback *tn_model_checkpoint_new(const tn_model_checkpoint_options *options)
{
    return tn__callback_from_options(&kind, options);
}
