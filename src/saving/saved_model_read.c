/* saved_model_read.c - a model out of a SavedModel: of layers, where Keras 2 wrote their configs
 * beside it; else one that runs its function. */
#include "saving/saved_model.h"
#include "saving/saved_model_function.h"
#include "saving/checkpoint.h"
#include "saving/json.h"
#include "saving/saved_model_write.h"
#include "saving/trainer_state.h"
#include <string.h>

/* The bytes of a message that their structs may take: lists of small things need many times theirs.
 */
enum { LEAST_ROOM = 1 << 24, ROOM = 64 };

typedef struct {
    const tn__load *load;
    tn__arena arena;
    tn__file file, metadata_file;
    tn__saved_model saved;
    const tn__meta_graph_def *graph;
    tn__keras_metadata metadata;
    tn__bundle *bundle;
    json_t *root; /* Keras's metadata of the model itself */
} reading;

/* --- files ------------------------------------------------------------------------------------ */
static tn_status read_file(reading *r, const char *name, bool needed, tn__file *file)
{
    uint64_t limit = r->load->options->limit;
    char *path = tn__print("%s/%s", r->load->options->path, name);
    tn_status status = path ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK && (needed || tn__path_kind_of(path) == TN__PATH_FILE))
        status = tn__file_read(path, limit ? limit : INT32_MAX, file);
    tn__free(path);
    return status;
}

static tn_status read_message(reading *r, const tn__pb_message *message, tn__span bytes, void *into)
{
    size_t more = bytes.size < SIZE_MAX / ROOM / 2 ? bytes.size * ROOM : SIZE_MAX / 2;
    r->arena.limit = r->arena.used + LEAST_ROOM + more;
    return tn__pb_read(message, bytes, &r->arena, into);
}

/* A folder without variables has no bundle. */
static tn_status open_bundle(reading *r)
{
    tn__bundle_limits limits = { .decoded = r->load->options->limit };
    char *prefix = tn__print("%s/%s", r->load->options->path, TN__VARIABLES_PREFIX);
    char *index = prefix ? tn__print("%s.index", prefix) : NULL;
    tn_status status = index ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK && tn__path_kind_of(index) == TN__PATH_FILE)
        status = tn__bundle_open(prefix, &limits, &r->bundle);
    tn__free(prefix);
    tn__free(index);
    return status;
}

static bool is_for_serving(const tn__meta_graph_def *graph)
{
    const tn__meta_info_def *info = graph->meta_info_def;
    for (size_t i = 0; info && i < info->tags.count; i++)
        if (info->tags.item[i] && strcmp(info->tags.item[i], "serve") == 0)
            return true;
    return false;
}

static tn_status open_folder(reading *r)
{
    TN_TRY(read_file(r, TN__SAVED_MODEL_FILE, true, &r->file));
    TN_TRY(read_message(r, &tn__pb_saved_model, r->file.span, &r->saved));
    for (size_t i = 0; i < r->saved.meta_graphs.count && !r->graph; i++)
        if (is_for_serving(&r->saved.meta_graphs.item[i]))
            r->graph = &r->saved.meta_graphs.item[i];
    if (!r->graph)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "MetaGraphDef associated with tags {'serve'} could not be found in "
                        "SavedModel '%s'",
                        r->load->options->path);
    TN_TRY(read_file(r, TN__KERAS_METADATA_FILE, false, &r->metadata_file));
    TN_TRY(read_message(r, &tn__pb_keras_metadata, r->metadata_file.span, &r->metadata));
    return open_bundle(r);
}

/* --- Keras 2's metadata ----------------------------------------------------------------------- */
/* Until TensorFlow 2.5 they stood in the objects themselves. */
static const char *root_text(const reading *r)
{
    for (size_t i = 0; i < r->metadata.nodes.count; i++)
        if (r->metadata.nodes.item[i].node_id == 0)
            return r->metadata.nodes.item[i].metadata;
    const tn__saved_object_graph *objects = r->graph->object_graph_def;
    bool user =
        objects && objects->nodes.count && objects->nodes.item[0].which == TN__SAVED_USER_OBJECT;
    return user ? objects->nodes.item[0].user_object->metadata : NULL;
}

static json_t *items_of(json_t *json)
{
    const char *name = tn__json_text(json, "class_name");
    json_t *items = json_object_get(json, "items");
    bool list = name && json_is_array(items) &&
                (strcmp(name, "__tuple__") == 0 || strcmp(name, "TensorShape") == 0);
    return list ? items : NULL;
}

static json_t *plain(json_t *json);

static json_t *plain_object(json_t *json)
{
    json_t *copy = json_object(), *value;
    const char *key;
    json_object_foreach(json, key, value) if (tn__json_set(copy, key, plain(value)) != TN_OK)
    {
        json_decref(copy);
        return NULL;
    }
    return copy;
}

/* Tuples and shapes as lists: {"class_name": "__tuple__", "items": [null, 3]}. The reader of JSON
 * bounds how deep it goes. */
static json_t *plain(json_t *json)
{
    json_t *items = json_is_array(json) ? json : items_of(json), *value;
    size_t i;
    if (!items)
        return json_is_object(json) ? plain_object(json) : json_incref(json);
    json_t *list = json_array();
    json_array_foreach(items, i, value) tn__json_append(list, plain(value));
    return list;
}

static tn_status read_root(reading *r)
{
    json_t *json;
    const char *text = root_text(r);
    if (!text || !*text)
        return TN_OK;
    TN_TRY(tn__json_parse((tn__span){ (const uint8_t *)text, strlen(text) },
                          TN__KERAS_METADATA_FILE, &json));
    r->root = plain(json);
    json_decref(json);
    return r->root ? tn__errors()->status : TN_RESOURCE_EXHAUSTED;
}

/* A class that the program has not is Python's: its config makes nothing here. */
static bool has_config(const reading *r)
{
    const char *name = tn__json_text(r->root, "class_name");
    return name && json_is_object(json_object_get(r->root, "config")) &&
           (tn__class_find(name) != NULL || strcmp(name, "Model") == 0);
}

/* --- a model of layers ------------------------------------------------------------------------ */
static tn_status load_weights(reading *r, const tn__source *source, tn_layer *model)
{
    tn__loading loading = tn__load_weights(r->load, source);
    const json_t *training = json_object_get(r->root, "training_config");
    tn_status status = TN_OK;
    if (r->load->options->compile && json_is_object(training))
        status = tn__trainer_compile(r->load->context, model, training);
    if (status == TN_OK && r->bundle)
        status = tn__checkpoint_load(r->load->context, &loading, r->bundle,
                                     &(tn__checkpoint_names){ NULL, NULL }, model, true);
    tn__loading_free(&loading);
    return status;
}

static tn_status make_config(const reading *r, json_t **config)
{
    *config = json_pack("{s:O, s:O}", "class_name", json_object_get(r->root, "class_name"),
                        "config", json_object_get(r->root, "config"));
    if (!*config)
        return TN_RESOURCE_EXHAUSTED;
    json_t *shape = json_object_get(r->root, "build_input_shape");
    if (!json_is_array(shape))
        return TN_OK;
    json_t *build = json_pack("{s:O}", "input_shape", shape);
    return tn__json_set(*config, "build_config", build);
}

static tn_status load_layers(reading *r, tn_layer **model)
{
    json_t *config;
    tn__source source = { .name = r->load->options->path, .decoded = r->load->options->limit };
    const char *version = tn__json_text(r->root, "keras_version");
    TN_TRY(make_config(r, &config));
    tn_status status = tn__load_config(r->load->context, config, version ? version : "2.15.0",
                                       false, tn__weight_room(&source), model);
    json_decref(config);
    TN_TRY(status);
    return load_weights(r, &source, *model);
}

/* --- all of it -------------------------------------------------------------------------------- */
static tn_status load(reading *r, tn_layer **model)
{
    TN_TRY(open_folder(r));
    TN_TRY(read_root(r));
    if (has_config(r))
        return load_layers(r, model);
    return tn__saved_function_load(r->load->context, r->graph, r->bundle, r->load->options->path,
                                   model);
}

bool tn__saved_model_is(const char *path)
{
    if (!path || tn__path_kind_of(path) != TN__PATH_FOLDER)
        return false;
    char *inside = tn__print("%s/%s", path, TN__SAVED_MODEL_FILE);
    bool is = inside && tn__path_kind_of(inside) == TN__PATH_FILE;
    tn__free(inside);
    return is;
}

tn_status tn__saved_model_load(const tn__load *of, tn_layer **model)
{
    reading r = { .load = of };
    *model = NULL;
    tn_status status = load(&r, model);
    if (status != TN_OK) {
        tn__release(*model);
        *model = NULL;
    }
    json_decref(r.root);
    tn__bundle_close(r.bundle);
    tn__arena_free(&r.arena);
    tn__file_close(&r.file);
    tn__file_close(&r.metadata_file);
    return status;
}
