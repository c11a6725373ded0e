/* doctor_fix.c - a mended copy of what was examined. The file itself is only ever read. */
#include "saving/doctor.h"
#include "nn/config.h"
#include "saving/json.h"
#include "tenon/files.h"
#include <string.h>
#include <sys/stat.h>

/* --- whether ---------------------------------------------------------------------------------- */
static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    if (!a || !b)
        return false;
    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static tn_status check_target(const tn__doctor_request *r)
{
    if (is_same_file(r->path, r->fix) || is_same_file(r->weights, r->fix))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "'%s' is the file that was examined: a mended copy goes beside it, under "
                        "another name",
                        r->fix);
    return TN_OK;
}

static json_t *first_unmendable(const tn__examination *e)
{
    size_t i;
    json_t *finding;
    json_array_foreach(e->findings, i, finding)
    {
        if (!json_is_true(json_object_get(finding, "mendable")))
            return finding;
    }
    return NULL;
}

/* NULL: it is safe. */
static json_t *refusal(const tn__examination *e)
{
    const json_t *finding = first_unmendable(e);
    bool wants_weights = e->request->weights || !tn__ends_with(e->request->fix, ".json");
    if (json_array_size(e->findings) == 0)
        return json_string("nothing was found, so there is nothing to mend");
    if (finding)
        return json_sprintf("%s: %s", tn__json_text(finding, "kind"),
                            tn__json_text(finding, "message"));
    if (!e->model || (wants_weights && !e->loaded))
        return json_string("there is no model with its weights to write");
    return NULL;
}

/* --- how -------------------------------------------------------------------------------------- */
static tn_status add_line(json_t *done, const char *line)
{
    return json_array_append_new(done, json_string(line)) == 0 ? TN_OK : tn__fail_memory(0);
}

static bool is_kind(const json_t *finding, const char *begin)
{
    return tn__starts_with(tn__json_text(finding, "kind"), begin);
}

/* What making and writing the model has mended by itself. */
static tn_status tell_done(const tn__examination *e, json_t *done)
{
    size_t i;
    json_t *finding;
    bool refused = false, slots = false;
    json_array_foreach(e->findings, i, finding)
    {
        refused |= is_kind(finding, "refused") || is_kind(finding, "misread");
        slots |= is_kind(finding, "optimizer slots");
        if (!is_kind(finding, "equal layer"))
            continue;
        const char *name = tn__json_text(finding, "subject");
        json_t *line = json_sprintf("gave the second layer '%s' a name of its own", name);
        if (!line || json_array_append_new(done, line) != 0)
            return tn__fail_memory(0);
    }
    if (refused)
        TN_TRY(add_line(done, "wrote the config in Keras 3's words"));
    if (slots)
        TN_TRY(add_line(done,
                        json_is_object(e->parts.compiled)
                            ? "left the optimizer's unusable state out, and wrote what it has now"
                            : "left the state of an unknown optimizer out"));
    return TN_OK;
}

static tn_status write_copy(const tn__examination *e)
{
    const char *path = e->request->fix;
    if (tn__ends_with(path, ".json"))
        return tn_save_json_with(&(tn_to_json_options){ .size_ = sizeof(tn_to_json_options),
                                                        .model = e->model,
                                                        .keras = 3 },
                                 path);
    return tn_save_with(&(tn_save_options){ .size_ = sizeof(tn_save_options),
                                            .model = e->model,
                                            .path = path,
                                            .overwrite = true,
                                            .include_optimizer = true,
                                            .sync = true });
}

/* What is still found in the copy. */
static tn_status examine_copy(tn__examination *e, json_t *fix)
{
    json_t *report;
    const tn__doctor_request again = { .path = e->request->fix, .limit = e->request->limit };
    TN_TRY(tn__doctor(e->context, &again, &report));
    json_t *findings = json_object_get(report, "findings");
    tn_status status =
        tn__json_set(e->out, "open", json_integer((json_int_t)json_array_size(findings)));
    if (status == TN_OK)
        status = tn__json_set(fix, "left", json_incref(findings));
    json_decref(report);
    return status;
}

static tn_status mend(tn__examination *e, json_t *fix)
{
    json_t *done = json_array();
    TN_TRY(tn__json_set(fix, "done", done));
    TN_TRY(tn__doctor_rename(e, done));
    TN_TRY(tell_done(e, done));
    TN_TRY(write_copy(e));
    return examine_copy(e, fix);
}

tn_status tn__doctor_fix(tn__examination *e)
{
    TN_TRY(check_target(e->request));
    json_t *fix =
        json_pack("{s:o, s:o?}", "path", tn__json_shown(e->request->fix), "refused", refusal(e));
    TN_TRY(tn__json_set(e->out, "fix", fix));
    return json_is_string(json_object_get(fix, "refused")) ? TN_OK : mend(e, fix);
}
