/* inspect.c - what a file holds, told without making a model of it: so also when nobody knows its
 * classes, or when part of it is damaged. */
#include "nn/config.h"
#include "saving/archive.h"
#include "saving/json.h"
#include "saving/legacy.h"
#include <string.h>

enum { DEEPEST = 64, MOST_LINES = 100000 };

typedef struct {
    tn__text text;
    tn__ids visited; /* groups */
    size_t lines;
} report;

/* --- layers ----------------------------------------------------------------------------------- */
/* By its class alone, whatever is inside it. */
static bool is_known(const json_t *json)
{
    json_t *alone = json_object();
    static const char *const keys[] = { "class_name", "registered_name" };
    for (size_t i = 0; i < 2; i++)
        json_object_set(alone, keys[i], json_object_get(json, keys[i]));
    char *unknown = tn__unknown_classes(alone);
    bool known = unknown && !*unknown;
    tn__free(unknown);
    json_decref(alone);
    return known;
}

static void add_layers(report *r, const json_t *json, int depth)
{
    const json_t *config = json_object_get(json, "config");
    const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    const char *class = tn__json_text(json, "class_name"), *name = tn__json_text(config, "name");
    if (r->lines++ < MOST_LINES)
        tn__text_add(&r->text, "  %*s%s%s%s%s\n", 2 * depth, "", class ? class : "?",
                     name ? " " : "", name ? name : "",
                     is_known(json) ? "" : "  (nobody knows this class)");
    for (size_t i = 0; depth < DEEPEST && i < json_array_size(layers); i++)
        add_layers(r, json_array_get(layers, i), depth + 1);
}

static void add_config(report *r, const json_t *config)
{
    tn__text_add(&r->text, "layers:\n");
    add_layers(r, config, 0);
    char *unknown = tn__unknown_classes(config);
    if (unknown && *unknown)
        tn__text_add(&r->text, "unknown classes: %s\n", unknown);
    tn__free(unknown);
}

/* --- weights ---------------------------------------------------------------------------------- */
static const char *kind_of(const tn__h5_type *type, char text[32])
{
    static const char *const names[] = {
        [TN__H5_INTEGER] = "int", [TN__H5_FLOAT] = "float", [TN__H5_BFLOAT16] = "bfloat",
        [TN__H5_BOOL] = "bool",   [TN__H5_OPAQUE] = "raw",
    };
    const char *name = type->class < sizeof names / sizeof *names ? names[type->class] : NULL;
    bool whole = type->class == TN__H5_INTEGER && !type->is_signed;
    if (type->class == TN__H5_BOOL || !name)
        return name ? name : "other";
    snprintf(text, 32, "%s%s%zu", whole ? "u" : "", name, 8 * type->size);
    return text;
}

static tn_status add_dataset(report *r, tn__h5_object *dataset)
{
    const tn__h5_info *info;
    char kind[32], number[24];
    TN_TRY(tn__h5_info_of(dataset, &info));
    tn__text shape = { 0 };
    for (int i = 0; i < info->rank; i++) {
        snprintf(number, sizeof number, "%llu", (unsigned long long)info->dims[i]);
        tn__text_add(&shape, "%s%s", i ? ", " : "", number);
    }
    if (r->lines++ < MOST_LINES)
        tn__text_add(&r->text, "  %s %s (%s%s)\n", tn__h5_path(dataset) + 1,
                     kind_of(&info->type, kind), tn__text_get(&shape), info->rank == 1 ? "," : "");
    tn__text_free(&shape);
    return TN_OK;
}

static tn_status add_group(report *r, tn__h5_object *group, int depth)
{
    const tn__h5_names *names;
    size_t ignored;
    if (tn__ids_get(&r->visited, (uintptr_t)group, &ignored) || depth > DEEPEST)
        return TN_OK;
    TN_TRY(tn__ids_set(&r->visited, (uintptr_t)group, 1));
    TN_TRY(tn__h5_list(group, &names));
    for (size_t i = 0; i < names->count; i++) {
        tn__h5_object *object;
        TN_TRY(tn__h5_get(group, names->item[i], &object));
        if (tn__h5_kind_of(object) == TN__H5_GROUP)
            TN_TRY(add_group(r, object, depth + 1));
        else if (tn__h5_kind_of(object) == TN__H5_DATASET)
            TN_TRY(add_dataset(r, object));
    }
    return TN_OK;
}

static tn_status add_weights(report *r, tn__h5_object *root)
{
    tn__text_add(&r->text, "weights:\n");
    return add_group(r, root, 0);
}

/* --- formats ---------------------------------------------------------------------------------- */
static tn_status add_attribute(report *r, tn__h5_object *root, const char *name, bool config)
{
    tn__h5_object *attribute;
    tn__h5_strings text = { 0 };
    json_t *json = NULL;
    TN_TRY(tn__h5_attribute(root, name, &attribute));
    if (!attribute)
        return TN_OK;
    tn_status status = tn__h5_read_strings(attribute, &text);
    tn__span bytes = { (const uint8_t *)(text.count ? text.item[0].text : ""),
                       text.count ? text.item[0].size : 0 };
    if (status == TN_OK && config && tn__json_parse(bytes, name, &json) == TN_OK)
        add_config(r, json);
    else if (status == TN_OK && !config)
        tn__text_add(&r->text, "%s: %.*s\n", name, (int)(bytes.size < 1000 ? bytes.size : 1000),
                     (const char *)bytes.data);
    json_decref(json);
    tn__h5_strings_free(&text);
    return status == TN_OK ? tn__errors()->status : status;
}

static tn_status add_root(report *r, tn__h5_object *root)
{
    tn__h5_object *weights;
    TN_TRY(tn__legacy_weights(root, &weights));
    tn__text_add(&r->text, "format: HDF5%s\n",
                 weights ? " (Keras's .h5)" : " (Keras's .weights.h5, or another)");
    TN_TRY(add_attribute(r, root, "keras_version", false));
    TN_TRY(add_attribute(r, root, "backend", false));
    TN_TRY(add_attribute(r, root, "model_config", true));
    return add_weights(r, root);
}

static tn_status add_hdf5(report *r, const tn__source *source)
{
    tn__h5 *file;
    TN_TRY(tn__h5_open(source->bytes, NULL, &file));
    tn_status status = add_root(r, tn__h5_root(file));
    tn__h5_close(file);
    return status;
}

static tn_status add_members(report *r, tn__archive *archive)
{
    json_t *metadata, *config;
    tn__text_add(&r->text, "format: Keras archive (.keras)\n");
    TN_TRY(tn__archive_json(archive, "metadata.json", &metadata));
    const char *version = tn__json_text(metadata, "keras_version");
    const char *date = tn__json_text(metadata, "date_saved");
    tn__text_add(&r->text, "keras_version: %s\ndate_saved: %s\n", version ? version : "?",
                 date ? date : "?");
    json_decref(metadata);
    TN_TRY(tn__archive_json(archive, "config.json", &config));
    if (config)
        add_config(r, config);
    json_decref(config);
    return add_weights(r, tn__h5_root(archive->file));
}

static tn_status add_archive(report *r, const tn__source *source)
{
    tn__archive archive;
    tn_status status = tn__archive_open_weights(source, &archive);
    if (status == TN_OK)
        status = add_members(r, &archive);
    tn__archive_close(&archive);
    return status;
}

static tn_status add_json(report *r, const tn__source *source)
{
    json_t *json;
    TN_TRY(tn__json_parse(source->bytes, source->name, &json));
    tn__text_add(&r->text, "format: JSON architecture\n");
    add_config(r, json);
    json_decref(json);
    return TN_OK;
}

static tn_status add_source(report *r, const tn__source *source)
{
    switch (tn__source_format(source)) {
    case TN__FORMAT_ZIP:
        return add_archive(r, source);
    case TN__FORMAT_HDF5:
        return add_hdf5(r, source);
    case TN__FORMAT_JSON:
        return add_json(r, source);
    default:
        return tn__fail(TN_INVALID_ARGUMENT, "File format not supported: filepath=%s.",
                        source->name);
    }
}

/* What was found before the damage is told, and then the damage. */
const char *tn_inspect(const char *path)
{
    TN__ENTER(context, "<failed>");
    report r = { .lines = 0 };
    tn__source source;
    if (tn__source_open(path, (tn__span){ NULL, 0 }, false, 0, &source) != TN_OK)
        return "<failed>";
    tn_status status = add_source(&r, &source);
    tn__source_close(&source);
    tn__ids_free(&r.visited);
    if (status == TN_DATA_LOSS && r.text.bytes.size > 0) {
        tn__text_add(&r.text, "damaged: %s\n", context->error.text);
        tn__fail_clear();
    }
    const char *text =
        tn__failed(context) || r.text.failed ? NULL : tn__scope_strdup(tn__text_get(&r.text));
    tn__text_free(&r.text);
    return text ? text : "<failed>";
}
