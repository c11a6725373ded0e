/* doctor_weights.c - a file's weights and optimizer's state beside its model. */
#include "saving/doctor.h"
#include "saving/archive.h"
#include "saving/checkpoint.h"
#include "saving/keras3.h"
#include "saving/legacy.h"
#include "saving/trainer_state.h"
#include <string.h>

typedef struct {
    tn__examination *e;
    tn_status status;
    size_t problems;
} telling;

/* --- weights ---------------------------------------------------------------------------------- */
static tn_status tell(tn__examination *e, const tn_weight_report *w)
{
    if (!w->name)
        return tn__doctor_find(e, TN__NOT_TAKEN, false, w->source,
                               "the file has '%s' %s, which no variable of the model takes",
                               w->source, TN__SHAPE(w->received));
    if (!w->source)
        return tn__doctor_find(e, TN__NOT_FILLED, false, w->name,
                               "nothing in the file fills the variable '%s' %s", w->name,
                               TN__SHAPE(w->expected));
    bool shapes = !tn__shape_fits(&w->expected, &w->received);
    return tn__doctor_find(e, shapes ? TN__OTHER_SHAPE : TN__NOT_FILLED, false, w->name,
                           "the variable '%s' is %s, and '%s' in the file is %s%s%s", w->name,
                           TN__SHAPE(w->expected), w->source, TN__SHAPE(w->received),
                           shapes ? "" : ": ", shapes ? "" : w->problem);
}

static void take_report(void *self, const tn_weight_report *weight)
{
    telling *t = self;
    if (!weight->problem || t->status != TN_OK)
        return;
    t->problems++;
    t->status = tell(t->e, weight);
}

/* Of the model's own file layers are found by their names, too: it was made of it. What loading
 * gives back of the bytes is a view of them: the optimizer's state is still to be read. */
static tn_status load_own(tn__examination *e, telling *t)
{
    tn__source view = { .bytes = e->source.bytes,
                        .name = e->source.name,
                        .decoded = e->source.decoded };
    const tn_load_weights_options o = { .size_ = sizeof o,
                                        .layer = e->model,
                                        .path = e->request->path };
    tn__loading loading = {
        .source = &view, .fresh = true, .report = take_report, .report_self = t
    };
    tn_status status = tn__load_into(&loading, &view, &o);
    tn__loading_free(&loading);
    return status;
}

static tn_status load_other(tn__examination *e, telling *t)
{
    return tn_load_weights_with(
        &(tn_load_weights_options){ .size_ = sizeof(tn_load_weights_options),
                                    .layer = e->model,
                                    .path = e->request->weights,
                                    .limit = e->request->limit,
                                    .report = take_report,
                                    .report_self = t });
}

/* What every row tells is no finding once more. */
static tn_status settle(telling *t, tn__trouble kind, const char *subject, tn_status status)
{
    TN_TRY(t->status);
    if (status != TN_OK && t->problems > 0 && status != TN_RESOURCE_EXHAUSTED) {
        tn__fail_clear();
        return TN_OK;
    }
    return tn__doctor_try(t->e, kind, subject, status);
}

/* What is not there or no file at all is an error. */
static tn_status load(tn__examination *e)
{
    telling t = { .e = e };
    const char *weights = e->request->weights;
    tn_status status = weights ? load_other(e, &t) : load_own(e, &t);
    e->loaded = status == TN_OK;
    if (weights && status == TN_NOT_FOUND && t.status == TN_OK)
        return status;
    return settle(&t, TN__NOT_FILLED, weights ? weights : e->source.name, status);
}

tn_status tn__doctor_load(tn__examination *e, const char *folder)
{
    telling t = { .e = e };
    e->model = tn_load_model_with(&(tn_load_options){ .size_ = sizeof(tn_load_options),
                                                      .path = folder,
                                                      .limit = e->request->limit,
                                                      .report = take_report,
                                                      .report_self = &t });
    tn__retain(e->model);
    return settle(&t, TN__NOT_MADE, folder, e->model ? TN_OK : tn__errors()->status);
}

static tn_status find_no_variables(tn__examination *e)
{
    if (json_array_size(e->variables) == 0)
        return TN_OK;
    return tn__doctor_find(e, TN__NOT_FILLED, false, TN__VARIABLES_PREFIX,
                           "nothing fills the model's variables: '%s/" TN__VARIABLES_PREFIX
                           ".index' is not there",
                           e->folder.path);
}

tn_status tn__doctor_weights(tn__examination *e)
{
    if (!e->request->weights && e->folder.path) /* they came with the model */
        return e->folder.bundle ? TN_OK : find_no_variables(e);
    if (!e->request->weights && tn__source_format(&e->source) == TN__FORMAT_JSON)
        return tn__doctor_note(e, "an architecture has no weights: none were examined");
    if (!e->model->built)
        return tn__doctor_note(e, "the config does not say for which inputs the model is built: "
                                  "its weights were not examined");
    return load(e);
}

/* --- the optimizer ---------------------------------------------------------------------------- */
static tn_status tell_state(tn__examination *e, const tn__state_report *s)
{
    const char *name = tn__trainer_name(e->model);
    if (s->unfit)
        return tn__doctor_find(
            e, TN__SLOTS_UNUSED, true, s->unfit,
            "'%s' has another shape than the variable of the optimizer '%s': the "
            "state cannot be used",
            s->unfit, name);
    if (s->idle)
        return tn__doctor_find(e, TN__SLOTS_UNUSED, true, name,
                               "the file keeps %zu momenta for the optimizer '%s', which uses none",
                               s->saved - 1, name);
    if (s->fresh && s->own > s->saved && s->iterations > 0)
        return tn__doctor_find(
            e, TN__SLOTS_MISSING, true, name,
            "the optimizer '%s' has made %lld steps, but its %zu slots are not in "
            "the file",
            name, (long long)s->iterations, s->own - s->saved);
    if (s->fresh || s->fits)
        return TN_OK;
    return tn__doctor_find(e, s->saved < s->own ? TN__SLOTS_MISSING : TN__SLOTS_UNUSED, true, name,
                           "the optimizer '%s' has %zu variables, and the file has %zu: the state "
                           "cannot be used",
                           name, s->own, s->saved);
}

static tn_status read_state(tn__examination *e, const tn__source *source, tn__h5_object *root,
                            tn__state_report *report)
{
    TN_TRY(tn__trainer_compile(e->context, e->model, e->parts.compiled));
    return e->parts.archive ? tn__keras3_read_optimizer(e->context, source, root, e->model, report)
                            : tn__legacy_read_optimizer(e->context, source, root, e->model, report);
}

static tn_status read_archive(tn__examination *e, const tn__source *source,
                              tn__state_report *report)
{
    tn__archive archive;
    tn_status status = tn__archive_open_weights(source, &archive);
    if (status == TN_OK)
        status = read_state(e, &archive.source, tn__h5_root(archive.file), report);
    tn__archive_close(&archive);
    return status;
}

static tn_status read_hdf5(tn__examination *e, const tn__source *source, tn__state_report *report)
{
    tn__h5 *file;
    TN_TRY(tn__h5_open(source->bytes, &(tn__h5_limits){ .decoded = source->decoded }, &file));
    tn_status status = read_state(e, source, tn__h5_root(file), report);
    tn__h5_close(file);
    return status;
}

static tn_status read_folder(tn__examination *e, tn__state_report *report)
{
    tn__source source = { .name = e->folder.path, .decoded = e->folder.limit };
    tn__loading loading = { .source = &source, .fresh = true };
    TN_TRY(tn__trainer_compile(e->context, e->model, e->parts.compiled));
    tn_status status =
        tn__checkpoint_load_optimizer(e->context, &loading, e->folder.bundle, e->model, report);
    tn__loading_free(&loading);
    return status;
}

static tn_status read_any(tn__examination *e, tn__state_report *report)
{
    if (e->folder.path)
        return e->folder.bundle ? read_folder(e, report) : TN_OK;
    return tn__source_format(&e->source) == TN__FORMAT_ZIP ? read_archive(e, &e->source, report)
                                                           : read_hdf5(e, &e->source, report);
}

static tn_status check_state(tn__examination *e)
{
    tn__state_report report = { 0 };
    tn_status status = read_any(e, &report);
    status = tn__doctor_try(e, TN__SLOTS_UNUSED, "optimizer", status);
    if (status == TN_OK && report.saved > 0)
        status = tell_state(e, &report);
    tn__free(report.unfit);
    return status;
}

static tn_status tell_unused(tn__examination *e)
{
    size_t count = json_array_size(json_object_get(e->inspection, "optimizer_variables"));
    if (count == 0)
        return TN_OK;
    return tn__doctor_find(
        e, TN__SLOTS_UNUSED, true, "optimizer",
        "the file has %zu variables of an optimizer, and does not say which it is", count);
}

tn_status tn__doctor_optimizer(tn__examination *e)
{
    if (!json_is_object(e->parts.compiled)) /* a function's variables have no such parts */
        return e->folder.path && !e->config ? TN_OK : tell_unused(e);
    bool has_state = e->loaded && tn__source_format(&e->source) != TN__FORMAT_JSON;
    return has_state ? check_state(e) : TN_OK;
}
