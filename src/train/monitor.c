/* monitor.c */
#include "train/monitor.h"
#include "base/log.h"
#include "train/trainer.h"
#include <math.h>
#include <string.h>

/* Metrics that are better when they are greater; those that say nothing; all others are better when
 * they are less. */
static const char *const better_up[] = { "Accuracy",
                                         "BinaryAccuracy",
                                         "CategoricalAccuracy",
                                         "SparseCategoricalAccuracy",
                                         "TopKCategoricalAccuracy",
                                         "SparseTopKCategoricalAccuracy",
                                         "CosineSimilarity",
                                         "R2Score",
                                         "Precision",
                                         "Recall",
                                         "SensitivityAtSpecificity",
                                         "SpecificityAtSensitivity",
                                         "PrecisionAtRecall",
                                         "RecallAtPrecision",
                                         "AUC",
                                         "FBetaScore",
                                         "F1Score",
                                         "IoU",
                                         "BinaryIoU",
                                         "MeanIoU",
                                         "OneHotIoU",
                                         "OneHotMeanIoU",
                                         "PearsonCorrelation",
                                         "ConcordanceCorrelation" };
static const char *const neutral[] = { "Mean",          "Sum",           "MeanMetricWrapper",
                                       "TruePositives", "TrueNegatives", "FalsePositives",
                                       "FalseNegatives" };

static bool among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static int direction_of(const tn_metric *metric)
{
    const char *name = metric->thing.of->name;
    if (among(name, better_up, sizeof better_up / sizeof *better_up))
        return 1;
    return among(name, neutral, sizeof neutral / sizeof *neutral) ? 0 : -1;
}

tn__monitor tn__monitor_for(const char *owner, const char *key, const char *mode, double min_delta,
                            double best)
{
    if (!mode ||
        (strcmp(mode, "auto") != 0 && strcmp(mode, "min") != 0 && strcmp(mode, "max") != 0)) {
        tn__warn("%s mode '%s' is unknown, fallback to auto mode.", owner, mode ? mode : "None");
        mode = "auto";
    }
    return (tn__monitor){ .owner = owner,
                          .key = key ? key : "",
                          .mode = mode,
                          .min_delta = fabs(min_delta),
                          .has_best = !isnan(best),
                          .best = best };
}

static int automatic_direction(const tn__monitor *m, const tn_logs *logs)
{
    const char *name = tn__starts_with(m->key, "val_") ? m->key + 4 : m->key;
    const tn__trainer *t = logs->model->trainer;
    const tn_metric *metric = t ? tn__metric_of_log(t, name) : NULL;
    int direction = metric ? direction_of(metric) : 0;
    bool is_loss =
        strcmp(name, "loss") == 0 || (metric && direction == 0 && tn__ends_with(name, "_loss"));
    return is_loss ? -1 : direction;
}

tn_status tn__monitor_settle(tn__monitor *m, const tn_logs *logs)
{
    if (m->direction)
        return TN_OK;
    m->direction = strcmp(m->mode, "min") == 0   ? -1
                   : strcmp(m->mode, "max") == 0 ? 1
                                                 : automatic_direction(m, logs);
    if (m->direction)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "%s callback received monitor=%s, but Keras isn't able to automatically "
                    "determine whether that metric should be maximized "
                    "or minimized. Pass `mode='max'` in order to monitor based on the highest "
                    "metric value, or pass `mode='min'` in order to "
                    "use the lowest value.",
                    m->owner, m->key);
}

static void warn_missing(const char *before, const char *key, const char *after,
                         const tn_logs *logs)
{
    tn__text keys = { 0 };
    for (size_t i = 0; i < logs->count; i++)
        tn__text_add(&keys, "%s%s", i ? "," : "", logs->key[i]);
    tn__warn("%s `%s` %s%s", before, key, after, tn__text_get(&keys));
    tn__text_free(&keys);
}

bool tn__monitor_value(tn__monitor *m, const tn_logs *logs, const char *before, const char *after,
                       double *value)
{
    for (size_t i = 0; i < logs->count; i++)
        if (strcmp(logs->key[i], m->key) == 0) {
            *value = logs->value[i];
            return true;
        }
    if (!m->warned && !(logs->stop && *logs->stop)) {
        warn_missing(before, m->key, after, logs);
        m->warned = true;
    }
    return false;
}

bool tn__monitor_improves(const tn__monitor *m, double value, double reference)
{
    double bar = value - m->direction * m->min_delta;
    return m->direction > 0 ? (float)bar > (float)reference : (float)bar < (float)reference;
}

bool tn__monitor_take(tn__monitor *m, double value)
{
    if (m->has_best && !tn__monitor_improves(m, value, m->best))
        return false;
    m->best = value;
    m->has_best = true;
    return true;
}

void tn__say(const char *format, ...)
{
    tn__text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    tn__text_add_v(&text, format, arguments);
    va_end(arguments);
    tn__text_add(&text, "\n");
    tn__output(tn__text_get(&text), strlen(tn__text_get(&text)));
    tn__text_free(&text);
}
