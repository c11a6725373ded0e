/* parts.c */
#include "saving/parts.h"
#include "nn/config.h"
#include "saving/archive.h"
#include "saving/json.h"
#include "saving/legacy.h"
#include "saving/load.h"

static tn_status keep_version(tn__parts *parts, const char *version)
{
    parts->version = version ? tn__strdup(version) : NULL;
    return version && !parts->version ? TN_RESOURCE_EXHAUSTED : TN_OK;
}

static tn_status keep_compiled(tn__parts *parts)
{
    json_t *compiled = json_object_get(parts->config, "compile_config");
    parts->compiled = json_is_object(compiled) ? json_incref(compiled) : NULL;
    return TN_OK;
}

static tn_status read_members(tn__archive *archive, tn__parts *parts)
{
    json_t *metadata = NULL;
    TN_TRY(tn__archive_json(archive, "config.json", &parts->config));
    TN_TRY(tn__archive_json(archive, "tenon.json", &parts->scopes));
    TN_TRY(tn__archive_json(archive, "metadata.json", &metadata));
    tn_status status = keep_version(parts, tn__json_text(metadata, "keras_version"));
    json_decref(metadata);
    parts->archive = true;
    return status == TN_OK ? keep_compiled(parts) : status;
}

static tn_status read_archive(const tn__source *source, tn__parts *parts)
{
    tn__archive archive;
    tn_status status = tn__archive_open(source, &archive);
    if (status == TN_OK)
        status = read_members(&archive, parts);
    tn__archive_close(&archive);
    return status;
}

static tn_status read_root(tn__h5_object *root, tn__parts *parts)
{
    tn__h5_strings version;
    tn__h5_object *own;
    TN_TRY(tn__read_json(root, "model_config", &parts->config));
    TN_TRY(tn__read_json(root, "training_config", &parts->compiled));
    TN_TRY(tn__h5_attribute(root, TN__OWN_MARK, &own));
    parts->own = own != NULL;
    TN_TRY(tn__read_text(root, "keras_version", &version));
    tn_status status = keep_version(parts, version.count ? version.item[0].text : "1.0");
    tn__h5_strings_free(&version);
    return status;
}

static tn_status read_hdf5(const tn__source *source, tn__parts *parts)
{
    tn__h5 *file;
    TN_TRY(tn__h5_open(source->bytes, &(tn__h5_limits){ .decoded = source->decoded }, &file));
    tn_status status = read_root(tn__h5_root(file), parts);
    tn__h5_close(file);
    return status;
}

/* Keras 1 and 2 write their version beside the config; Keras 3 writes modules instead. */
static tn_status read_json(const tn__source *source, tn__parts *parts)
{
    TN_TRY(tn__json_parse(source->bytes, source->name, &parts->config));
    const char *version = tn__json_text(parts->config, "keras_version");
    if (!tn__json_text(parts->config, "class_name")) {
        json_decref(parts->config);
        parts->config = NULL;
        return TN_OK;
    }
    parts->archive = json_object_get(parts->config, "module") != NULL;
    return keep_version(parts, version || parts->archive ? version : "1.0");
}

tn_status tn__parts_read(const tn__source *source, tn__parts *parts)
{
    *parts = (tn__parts){ 0 };
    switch (tn__source_format(source)) {
    case TN__FORMAT_ZIP:
        return read_archive(source, parts);
    case TN__FORMAT_HDF5:
        return read_hdf5(source, parts);
    case TN__FORMAT_JSON:
        return read_json(source, parts);
    default:
        return TN_OK;
    }
}

tn_status tn__parts_of_folder(const tn__saved_folder *folder, tn__parts *parts)
{
    json_t *class = json_object_get(folder->root, "class_name");
    json_t *config = json_object_get(folder->root, "config");
    json_t *training = json_object_get(folder->root, "training_config");
    *parts = (tn__parts){ 0 };
    if (!json_is_string(class) || !json_is_object(config))
        return TN_OK;
    parts->config = json_pack("{s:O, s:O}", "class_name", class, "config", config);
    if (!parts->config)
        return tn__fail_memory(0);
    parts->compiled = json_is_object(training) ? json_incref(training) : NULL;
    const char *version = tn__json_text(folder->root, "keras_version");
    return keep_version(parts, version ? version : "2.15.0");
}

void tn__parts_free(tn__parts *parts)
{
    json_decref(parts->config);
    json_decref(parts->compiled);
    json_decref(parts->scopes);
    tn__free(parts->version);
    *parts = (tn__parts){ 0 };
}
