/* tracking.c - a trainer's metrics: made when the first step shows the shapes, named as Keras names
 * them in the logs. */
#include "train/trainer.h"
#include <string.h>

/* The layer that gives an output. */
static const char *output_name(const tn__trainer *t, size_t output)
{
    const tn_layer *model = t->model;
    if (model->of == &tn__class_Functional) {
        const tn__functional *f = model->self;
        const tn_layer *layer = output < f->output_count
                                    ? tn__node_layer(f->output[output]->of.output.node, NULL)
                                    : NULL;
        if (layer)
            return layer->name;
    }
    const char *made_up = tn__scope_print("output_%zu", output + 1);
    return made_up ? made_up : "output";
}

static tn__tracked *find_log(const tn__trainer *t, const char *name)
{
    for (size_t i = 0; i < t->tracked.count; i++)
        if (strcmp(t->tracked.item[i].log, name) == 0)
            return &t->tracked.item[i];
    return NULL;
}

static char *log_name(const char *output, const char *weighted, const char *name)
{
    return tn__print("%s%s%s%s", output ? output : "", output ? "_" : "", weighted, name);
}

/* The name's first free form: as it is, a weighted one then with "weighted_", then with _1, _2 … */
static char *free_log_name(const tn__trainer *t, const char *output, const char *name,
                           bool weighted)
{
    char *first = log_name(output, "", name);
    if (first && weighted && find_log(t, first)) {
        tn__free(first);
        first = log_name(output, "weighted_", name);
    }
    if (!first || !find_log(t, first))
        return first;
    char *log = NULL;
    for (int n = 1; !log || find_log(t, log); n++) {
        tn__free(log);
        if (!(log = tn__print("%s_%d", first, n)))
            break;
    }
    tn__free(first);
    return log;
}

/* Takes over the metric's count, also when it fails. */
static tn_status track(tn__trainer *t, tn__tracked tracked, bool several)
{
    tracked.log = free_log_name(t, several ? output_name(t, tracked.output) : NULL,
                                tracked.metric->name, tracked.weighted);
    tn_status status = tracked.log ? TN__PUSH(&t->tracked, tracked) : TN_RESOURCE_EXHAUSTED;
    if (status != TN_OK) {
        tn__free(tracked.log);
        tn__release(tracked.metric);
    }
    return status;
}

tn_loss *tn__loss_of_output(const tn__trainer *t, size_t output)
{
    return t->losses == 1 ? t->loss[0] : output < t->losses ? t->loss[output] : NULL;
}

static tn_status track_named(tn__trainer *t, bool weighted, tn_tensor *const *y,
                             tn_tensor *const *y_pred, size_t outputs)
{
    char *const *names = weighted ? t->weighted_text : t->metric_text;
    size_t count = weighted ? t->weighted : t->metrics;
    for (size_t output = 0; output < outputs; output++)
        for (size_t i = 0; i < count; i++) {
            tn__tracked tracked = { .output = output, .weighted = weighted };
            const tn_shape *labels = &y[output]->shape, *shape = &y_pred[output]->shape;
            TN_TRY(tn__metric_for_output(names[i], labels, shape, tn__loss_of_output(t, output),
                                         &tracked.metric));
            TN_TRY(track(t, tracked, outputs > 1));
        }
    return TN_OK;
}

static tn_status track_losses(tn__trainer *t, size_t outputs)
{
    for (size_t i = 0; i < outputs; i++) {
        tn__tracked tracked = { .output = i, .is_loss = true };
        TN_TRY(tn__mean_metric("loss", &tracked.metric));
        TN_TRY(track(t, tracked, true));
        t->output_loss[i] = tracked.metric;
    }
    return TN_OK;
}

/* Losses of outputs first, as they are; the others by name. */
static bool comes_after(const tn__tracked *a, const tn__tracked *b)
{
    if (a->is_loss || b->is_loss)
        return !a->is_loss && b->is_loss;
    return strcmp(a->log, b->log) > 0;
}

/* Keras's evaluate gives a single output's metrics as compile named them, those of several in this
 * order. */
static void order_several(tn__trainer *t)
{
    for (size_t i = 1; i < t->tracked.count; i++) {
        tn__tracked moved = t->tracked.item[i];
        size_t at = i;
        for (; at > 0 && comes_after(&t->tracked.item[at - 1], &moved); at--)
            t->tracked.item[at] = t->tracked.item[at - 1];
        t->tracked.item[at] = moved;
    }
}

static tn_status track_all(tn__trainer *t, tn_tensor *const *y, size_t labels,
                           tn_tensor *const *y_pred, size_t outputs)
{
    if (outputs > TN__MAX_OUTPUTS)
        return tn__fail(TN_UNIMPLEMENTED,
                        "a model of %zu outputs cannot be trained, %d is the most", outputs,
                        TN__MAX_OUTPUTS);
    if (t->losses > 1 && t->losses != outputs)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "the model has %zu outputs, but output_losses names %zu", outputs,
                        t->losses);
    TN_TRY(tn__mean_metric("loss", &t->loss_tracker));
    if (labels) {
        TN_TRY(track_named(t, false, y, y_pred, outputs));
        TN_TRY(track_named(t, true, y, y_pred, outputs));
    }
    if (outputs > 1 && t->losses) {
        TN_TRY(track_losses(t, outputs));
        order_several(t);
    }
    return TN_OK;
}

tn_status tn__track_metrics(tn__trainer *t, tn_tensor *const *y, size_t labels,
                            tn_tensor *const *y_pred, size_t outputs)
{
    if (t->built)
        return TN_OK;
    tn_status status = track_all(t, y, labels, y_pred, outputs);
    if (status == TN_OK)
        t->built = true;
    else
        tn__forget_metrics(t);
    return status;
}

void tn__forget_metrics(tn__trainer *t)
{
    for (size_t i = 0; i < t->tracked.count; i++) {
        tn__release(t->tracked.item[i].metric);
        tn__free(t->tracked.item[i].log);
    }
    tn__free(t->tracked.item);
    memset(&t->tracked, 0, sizeof t->tracked);
    memset(t->output_loss, 0, sizeof t->output_loss);
    tn__release(t->loss_tracker);
    t->loss_tracker = NULL;
    t->built = false;
}

tn_status tn__reset_metrics(tn__trainer *t)
{
    tn_context *context = tn__context();
    size_t depth = tn__scope_begin("reset_metrics");
    if (t->loss_tracker)
        tn_reset_state(t->loss_tracker);
    for (size_t i = 0; i < t->tracked.count; i++)
        tn_reset_state(t->tracked.item[i].metric);
    tn__scope_end(depth);
    return context->error.status;
}

const char *tn__log_name(const tn__trainer *t, size_t index)
{
    if (!t->built)
        return NULL;
    return index == 0 ? "loss" : index <= t->tracked.count ? t->tracked.item[index - 1].log : NULL;
}

const tn_metric *tn__metric_of_log(const tn__trainer *t, const char *name)
{
    const tn__tracked *found = find_log(t, name);
    for (size_t i = 0; i < t->tracked.count && !found; i++)
        if (strcmp(t->tracked.item[i].metric->name, name) == 0)
            found = &t->tracked.item[i];
    return found ? found->metric : NULL;
}
