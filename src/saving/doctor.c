/* doctor.c - examining a model's file: one thing after the other, each as far as it goes. */
#include "saving/doctor.h"
#include "nn/config.h"
#include "nn/naming.h"
#include "saving/findings.h"
#include "saving/inspect.h"
#include "saving/json.h"
#include "saving/legacy.h"
#include "saving/load.h"
#include "saving/scopes.h"
#include <stdlib.h>
#include <string.h>

/* --- findings --------------------------------------------------------------------------------- */
/* The rules are those of docs/design.md, "Names, keys and files". MODEL becomes the file's path. */
static const char RENAMES[] = "tenon doctor MODEL --fix OUT.keras renames all but the first; in a "
                              "program, .name = \"…\" of one of them";
static const char STRICT[] = "Loading is strict: every weight of the model is in the file with its "
                             "shape, and every weight of the "
                             "file is in the model.";
static const char SLOTS[] = "An optimizer's state is taken whole or not at all: one slot of each "
                            "kind for every trainable variable, "
                            "in their order.";
static const char ANEW[] = "tenon doctor MODEL --fix OUT.keras writes what the optimizer has room "
                           "for; state that does not fit "
                           "begins anew. In a program, tn_compile() after loading does the same";

static const struct {
    const char *kind, *rule, *mend;
    bool mendable;
} troubles[] = {
    [TN__DAMAGED] = { "damaged", "What a file's checks do not vouch for is not used.",
                      "take the file from where it came once more; tenon inspect MODEL tells what "
                      "can still be read",
                      false },
    [TN__UNKNOWN_LAYER] = { "unknown layer",
                            "A class is known by its name: the library's own, and those that a "
                            "program registers.",
                            "tn_register_class(&MyClass) in a program, before it loads or examines "
                            "the file",
                            false },
    [TN__EQUAL_LAYERS] = { "equal layer names",
                           "The layers of one model have names of their own: automatic ones give "
                           "way, explicit ones must differ.",
                           RENAMES, true },
    [TN__NAMES_IN_CASE] = { "names equal but for case",
                            "Graphs compare names without case: beside `v`, a `V` becomes `V_1` "
                            "there, and its variables are not found "
                            "under their names.",
                            RENAMES, true },
    [TN__EQUAL_VARIABLES] = { "equal variable names",
                              "A variable is an object, not a name: two may share a full name, but "
                              "not where something is keyed by "
                              "names, as a graph's store, a Saver or weights that are loaded by "
                              "name.",
                              RENAMES, true },
    [TN__EQUAL_H5_KEYS] = { "equal .h5 keys",
                            "In .h5 a weight is keyed by its layer's group and its name, and two "
                            "equal keys are refused before anything "
                            "is written; .keras and .weights.h5 are keyed by object.",
                            "save it as .keras; for .h5, another name for one of the two in the "
                            "layer's class (tn_add_weight)",
                            false },
    [TN__NOT_MADE] = { "no model", "A model is made as its config says, or not at all.",
                       "the message tells which layer; tenon inspect MODEL tells what the file "
                       "holds",
                       false },
    [TN__REFUSED_BY_KERAS] = { "refused by Keras 3",
                               "What today's Keras refuses to open opens here, and is written in "
                               "its words.",
                               "tenon doctor MODEL --fix OUT.keras, or tenon convert MODEL "
                               "OUT.keras",
                               true },
    [TN__MISREAD_BY_KERAS] = { "misread by Keras 3",
                               "Words whose meaning changed keep that of their file.",
                               "tenon doctor MODEL --fix OUT.keras, or tenon convert MODEL "
                               "OUT.keras",
                               true },
    [TN__OTHER_SHAPE] = { "other shape", STRICT,
                          "make the layer as it was when the weights were saved; or load the "
                          "others alone: tn_load_weights(model, "
                          "path, .skip_mismatch = true)",
                          false },
    [TN__NOT_FILLED] = { "not in the file", STRICT,
                         "take the weights of this very model; or load what is there: "
                         "tn_load_weights(model, path, .by_name = true) "
                         "of an .h5, else .skip_mismatch = true",
                         false },
    [TN__NOT_TAKEN] = { "not in the model", STRICT,
                        "add the layer that it belongs to; or leave it: tn_load_weights(model, "
                        "path, .by_name = true) of an .h5, else "
                        ".skip_mismatch = true",
                        false },
    [TN__SLOTS_MISSING] = { "optimizer slots missing", SLOTS, ANEW, true },
    [TN__SLOTS_UNUSED] = { "optimizer slots unused", SLOTS, ANEW, true },
};

static json_t *text_json(tn__text *text)
{
    json_t *json = text->failed ? NULL : json_string(tn__text_get(text));
    if (!json && !text->failed)
        json = json_string("what the file says is no UTF-8");
    tn__text_free(text);
    return json;
}

static json_t *mend_json(const tn__examination *e, const char *mend)
{
    tn__text text = { 0 };
    for (const char *at; (at = strstr(mend, "MODEL")); mend = at + strlen("MODEL")) {
        tn__text_add_bytes(&text, mend, (size_t)(at - mend));
        tn__text_add(&text, "%s", e->request->path ? e->request->path : "MODEL");
    }
    tn__text_add(&text, "%s", mend);
    return text_json(&text);
}

tn_status tn__doctor_find(tn__examination *e, tn__trouble kind, bool mendable, const char *subject,
                          const char *format, ...)
{
    tn__text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    tn__text_add_v(&text, format, arguments);
    va_end(arguments);
    json_t *entry = json_pack(
        "{s:s, s:o, s:o, s:s, s:o, s:b}", "kind", troubles[kind].kind, "subject",
        tn__json_shown(subject), "message", text_json(&text), "rule", troubles[kind].rule, "mend",
        mend_json(e, troubles[kind].mend), "mendable", mendable && troubles[kind].mendable);
    return entry && json_array_append_new(e->findings, entry) == 0 ? TN_OK : tn__fail_memory(0);
}

tn_status tn__doctor_note(tn__examination *e, const char *format, ...)
{
    tn__text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    tn__text_add_v(&text, format, arguments);
    va_end(arguments);
    json_t *line = text_json(&text);
    return line && json_array_append_new(e->notes, line) == 0 ? TN_OK : tn__fail_memory(0);
}

tn_status tn__doctor_try(tn__examination *e, tn__trouble kind, const char *subject,
                         tn_status status)
{
    if (status == TN_OK || status == TN_RESOURCE_EXHAUSTED)
        return status;
    const char *text = tn__errors()->text;
    char *line = tn__print("%.*s", (int)strcspn(text, "\n"), text);
    tn__fail_clear();
    if (!line)
        return tn__fail_memory(0);
    status = tn__doctor_find(e, kind, false, subject, "%s", line);
    tn__free(line);
    return status;
}

/* --- what the file is ------------------------------------------------------------------------- */
static const char *file_name(const tn__examination *e)
{
    return e->request->path ? e->request->path : "memory";
}

static tn_status copy_of(tn__examination *e, const char *key)
{
    json_t *value = json_object_get(e->inspection, key);
    return tn__json_set(e->out, key, value ? json_incref(value) : json_null());
}

static tn_status begin(tn__examination *e)
{
    const char *weights = e->request->weights;
    e->out =
        json_pack("{s:n, s:o}", "file", "weights", weights ? tn__json_shown(weights) : json_null());
    static const char *const copied[] = { "file", "format", "keras_version", "model" };
    for (size_t i = 0; e->out && i < sizeof copied / sizeof *copied; i++)
        TN_TRY(copy_of(e, copied[i]));
    TN_TRY(tn__json_set(e->out, "variables", e->variables = json_array()));
    TN_TRY(tn__json_set(e->out, "findings", e->findings = json_array()));
    TN_TRY(tn__json_set(e->out, "notes", e->notes = json_array()));
    return tn__json_set(e->out, "fix", json_null());
}

static tn_status find_damage(tn__examination *e)
{
    size_t i;
    json_t *problem;
    json_array_foreach(json_object_get(e->inspection, "problems"), i, problem)
        TN_TRY(tn__doctor_find(e, TN__DAMAGED, false, file_name(e), "%s",
                               tn__json_text(problem, "message")));
    return TN_OK;
}

static bool has(const tn__examination *e, const char *key)
{
    return json_array_size(json_object_get(e->inspection, key)) > 0;
}

static tn_status open_parts(tn__examination *e)
{
    const tn__doctor_request *r = e->request;
    const char *format = tn__json_text(e->inspection, "format");
    if (format && !r->data.data && strcmp(format, "saved_model") == 0) {
        TN_TRY(tn__saved_folder_open(r->path, r->limit, &e->folder));
        return tn__parts_of_folder(&e->folder, &e->parts);
    }
    if (format && strcmp(format, "checkpoint") == 0)
        return TN_OK;
    TN_TRY(tn__source_open(r->path, r->data, false, r->limit, &e->source));
    return tn__parts_read(&e->source, &e->parts);
}

static tn_status read_parts(tn__examination *e)
{
    tn_status status = open_parts(e);
    return has(e, "problems") ? tn__doctor_try(e, TN__DAMAGED, file_name(e), status) : status;
}

/* A SavedModel's function runs without its classes. */
static tn_status find_unknown(tn__examination *e)
{
    size_t i;
    json_t *layer;
    if (e->folder.path)
        return TN_OK;
    json_array_foreach(json_object_get(e->inspection, "layers"), i, layer)
    {
        const char *name = tn__json_text(layer, "name"), *class = tn__json_text(layer, "class");
        if (!json_is_true(json_object_get(layer, "known")))
            TN_TRY(tn__doctor_find(e, TN__UNKNOWN_LAYER, false, name ? name : class,
                                   "nobody knows the class '%s' of the layer '%s'", class,
                                   name ? name : "?"));
    }
    return TN_OK;
}

/* --- the model -------------------------------------------------------------------------------- */
static tn_status read_h5_scopes(const tn__examination *e, const tn__source *source)
{
    tn__h5 *file;
    tn__h5_object *weights;
    TN_TRY(tn__h5_open(source->bytes, &(tn__h5_limits){ .decoded = source->decoded }, &file));
    tn_status status = tn__legacy_weights(tn__h5_root(file), &weights);
    if (status == TN_OK && weights)
        status = tn__legacy_read_scopes(e->context, weights, e->model);
    tn__h5_close(file);
    return status;
}

static tn_status make_from_config(tn__examination *e)
{
    json_t *copy = json_deep_copy(e->config);
    if (!copy)
        return tn__fail_memory(0);
    tn_status status = tn__load_config(e->context, copy, e->parts.version, e->parts.archive,
                                       tn__weight_room(&e->source), &e->model);
    json_decref(copy);
    TN_TRY(status);
    if (e->parts.scopes)
        return tn__scopes_from_json(e->context, e->model, e->parts.scopes);
    return e->parts.own ? read_h5_scopes(e, &e->source) : TN_OK;
}

static tn_status make_model(tn__examination *e)
{
    tn_status status = make_from_config(e);
    size_t before = json_array_size(e->findings);
    TN_TRY(tn__doctor_try(e, TN__NOT_MADE, file_name(e), status));
    if (json_array_size(e->findings) > before) {
        tn__release(e->model);
        e->model = NULL;
    }
    return TN_OK;
}

/* --- variables -------------------------------------------------------------------------------- */
static json_t *owner_json(const tn__variable *v)
{
    if (!v->owner)
        return json_null();
    return json_pack("{s:s, s:s}", "layer", v->owner->name, "class", v->owner->of->name);
}

static tn_status list_variable(tn__examination *e, tn_tensor *variable)
{
    const tn__variable *v = variable->of.variable;
    const char *full = tn__full_name(variable);
    if (!full)
        return TN_RESOURCE_EXHAUSTED;
    json_t *entry = json_pack("{s:o, s:o, s:o, s:s, s:b, s:o}", "name", tn__json_shown(full),
                              "path", tn__json_shown(v->path ? v->path : full), "shape",
                              tn__shape_to_json(&variable->shape), "dtype",
                              tn__dtype_name((tn_dtype)variable->dtype), "trainable", v->trainable,
                              "owner", owner_json(v));
    return entry && json_array_append_new(e->variables, entry) == 0 ? TN_OK : tn__fail_memory(0);
}

static tn_status list_model(tn__examination *e)
{
    tn__weight_list weights = { 0 };
    tn_status status = tn__collect_weights(e->model, TN__ALL_WEIGHTS, &weights);
    for (size_t i = 0; i < weights.count && status == TN_OK; i++)
        status = list_variable(e, weights.item[i]);
    tn__weight_list_free(&weights);
    return status;
}

/* Of a file that no model can be made of: as they stand in it. */
static tn_status list_file(tn__examination *e)
{
    size_t i;
    json_t *variable;
    json_array_foreach(json_object_get(e->inspection, "variables"), i, variable)
    {
        json_t *entry = json_pack(
            "{s:O, s:O, s:O, s:O, s:n, s:n}", "name", json_object_get(variable, "path"), "path",
            json_object_get(variable, "path"), "shape", json_object_get(variable, "shape"), "dtype",
            json_object_get(variable, "dtype"), "trainable", "owner");
        if (!entry || json_array_append_new(e->variables, entry) != 0)
            return tn__fail_memory(0);
    }
    return TN_OK;
}

/* --- all of it -------------------------------------------------------------------------------- */
static tn_status examine_made(tn__examination *e)
{
    TN_TRY(list_model(e));
    TN_TRY(tn__doctor_variable_names(e));
    TN_TRY(tn__doctor_weights(e));
    return tn__doctor_optimizer(e);
}

/* It is loaded as a whole, function or layers; each weight that does not fit is told of. */
static tn_status load_folder(tn__examination *e)
{
    TN_TRY(tn__doctor_load(e, e->request->path));
    e->loaded = e->model != NULL;
    if (!e->model)
        return TN_OK;
    const char *unknown =
        json_string_value(json_array_get(json_object_get(e->inspection, "unknown_classes"), 0));
    if (unknown)
        return tn__doctor_note(e,
                               "nobody knows the class '%s': the model is its function "
                               "\"serving_default\" and the variables of that",
                               unknown);
    if (has(e, "layers"))
        return tn__doctor_note(e,
                               "Keras 3 opens no SavedModel as a model; tenon convert %s "
                               "OUT.keras writes one that it opens",
                               file_name(e));
    return tn__doctor_note(e, "it has no layers of Keras: the model is its function "
                              "\"serving_default\" and the variables of that");
}

static tn_status examine_folder(tn__examination *e)
{
    if (json_is_object(e->config))
        TN_TRY(tn__doctor_layer_names(e));
    TN_TRY(load_folder(e));
    return e->model ? examine_made(e) : TN_OK;
}

static tn_status examine_model(tn__examination *e)
{
    TN_TRY(tn__doctor_layer_names(e));
    TN_TRY(tn__doctor_keras(e));
    if (has(e, "unknown_classes"))
        return tn__doctor_known_layers(e);
    TN_TRY(make_model(e));
    if (!e->model)
        return tn__doctor_known_layers(e);
    return examine_made(e);
}

/* The two operands the other way round, as far as it can be seen. */
static tn_status fail_no_model(const tn__examination *e)
{
    const char *weights = e->request->weights;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "'%s' holds no model that could take the weights of '%s'\nthe model comes "
                    "first: tenon doctor MODEL WEIGHTS, and here it may be: tenon doctor %s %s",
                    file_name(e), weights, weights, file_name(e));
}

static tn_status examine_file(tn__examination *e)
{
    if (e->folder.path)
        return examine_folder(e);
    if (e->config)
        return examine_model(e);
    if (e->request->weights)
        return fail_no_model(e);
    return tn__doctor_note(
        e, "the file holds no model: only what can be seen without one was examined");
}

static tn_status examine(tn__examination *e)
{
    const tn__doctor_request *r = e->request;
    TN_TRY(tn__inspect(r->path, r->data, r->limit, &e->inspection));
    TN_TRY(begin(e));
    TN_TRY(find_damage(e));
    TN_TRY(read_parts(e));
    TN_TRY(find_unknown(e));
    if (json_is_object(e->parts.config) && !(e->config = json_deep_copy(e->parts.config)))
        return tn__fail_memory(0);
    TN_TRY(examine_file(e));
    tn__source_close(&e->source);
    tn__saved_folder_close(&e->folder);
    if (!e->model)
        TN_TRY(list_file(e));
    TN_TRY(tn__json_set(e->out, "open", json_integer((json_int_t)json_array_size(e->findings))));
    return r->fix ? tn__doctor_fix(e) : TN_OK;
}

static void examination_free(tn__examination *e)
{
    tn__source_close(&e->source);
    tn__saved_folder_close(&e->folder);
    tn__parts_free(&e->parts);
    json_decref(e->inspection);
    json_decref(e->config);
    tn__release(e->model);
}

tn_status tn__doctor(tn_context *context, const tn__doctor_request *request, json_t **report)
{
    tn__examination e = { .context = context, .request = request };
    size_t depth = tn__scope_begin("doctor");
    struct tn__names *before = tn__names_begin(context);
    tn_status status = examine(&e);
    tn__names_end(context, before);
    examination_free(&e);
    tn__scope_end(depth);
    if (status == TN_OK)
        *report = e.out;
    else
        json_decref(e.out);
    return status;
}

tn_findings tn_doctor_with(const tn_doctor_options *o)
{
    const tn_findings none = { NULL, 0 };
    TN__ENTER_OPTIONS(context, o, none);
    const tn__doctor_request request = { .path = o->path, .weights = o->weights, .fix = o->fix };
    json_t *report;
    if (!o->path) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_doctor: path is NULL");
        return none;
    }
    if (tn__doctor(context, &request, &report) != TN_OK)
        return none;
    return tn__findings(report, "open", o->json, tn__doctor_text);
}
