/* saved_folder.c */
#include "saving/saved_folder.h"
#include "base/text.h"
#include "nn/config.h"
#include "saving/json.h"
#include <string.h>

/* The bytes of a message that their structs may take: lists of small things need many times theirs.
 */
enum { LEAST_ROOM = 1 << 24, ROOM = 64 };

/* --- files ------------------------------------------------------------------------------------ */
static tn_status read_file(tn__saved_folder *f, const char *name, bool needed, tn__file *file)
{
    uint64_t limit = f->limit;
    char *path = tn__print("%s/%s", f->path, name);
    tn_status status = path ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK && (needed || tn__path_kind_of(path) == TN__PATH_FILE))
        status = tn__file_read(path, limit ? limit : INT32_MAX, file);
    tn__free(path);
    return status;
}

static tn_status read_message(tn__saved_folder *f, const tn__pb_message *message, tn__span bytes,
                              void *into)
{
    size_t more = bytes.size < SIZE_MAX / ROOM / 2 ? bytes.size * ROOM : SIZE_MAX / 2;
    f->arena.limit = f->arena.used + LEAST_ROOM + more;
    return tn__pb_read(message, bytes, &f->arena, into);
}

/* A folder without variables has no bundle. */
static tn_status open_bundle(tn__saved_folder *f)
{
    tn__bundle_limits limits = { .decoded = f->limit };
    char *prefix = tn__print("%s/%s", f->path, TN__VARIABLES_PREFIX);
    char *index = prefix ? tn__print("%s.index", prefix) : NULL;
    tn_status status = index ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK && tn__path_kind_of(index) == TN__PATH_FILE)
        status = tn__bundle_open(prefix, &limits, &f->bundle);
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

static tn_status open_files(tn__saved_folder *f)
{
    TN_TRY(read_file(f, TN__SAVED_MODEL_FILE, true, &f->file));
    TN_TRY(read_message(f, &tn__pb_saved_model, f->file.span, &f->saved));
    for (size_t i = 0; i < f->saved.meta_graphs.count && !f->graph; i++)
        if (is_for_serving(&f->saved.meta_graphs.item[i]))
            f->graph = &f->saved.meta_graphs.item[i];
    if (!f->graph)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "MetaGraphDef associated with tags {'serve'} could not be found in "
                        "SavedModel '%s'",
                        f->path);
    TN_TRY(read_file(f, TN__KERAS_METADATA_FILE, false, &f->metadata_file));
    TN_TRY(read_message(f, &tn__pb_keras_metadata, f->metadata_file.span, &f->metadata));
    return open_bundle(f);
}

/* --- Keras 2's metadata ----------------------------------------------------------------------- */
/* Until TensorFlow 2.5 they stood in the objects themselves. */
static const char *root_text(const tn__saved_folder *f)
{
    for (size_t i = 0; i < f->metadata.nodes.count; i++)
        if (f->metadata.nodes.item[i].node_id == 0)
            return f->metadata.nodes.item[i].metadata;
    const tn__saved_object_graph *objects = f->graph->object_graph_def;
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

static tn_status read_root(tn__saved_folder *f)
{
    json_t *json;
    const char *text = root_text(f);
    if (!text || !*text)
        return TN_OK;
    TN_TRY(tn__json_parse((tn__span){ (const uint8_t *)text, strlen(text) },
                          TN__KERAS_METADATA_FILE, &json));
    f->root = plain(json);
    json_decref(json);
    return f->root ? tn__errors()->status : tn__fail_memory(0);
}

/* --- all of it -------------------------------------------------------------------------------- */
bool tn__saved_folder_is(const char *path)
{
    if (!path || tn__path_kind_of(path) != TN__PATH_FOLDER)
        return false;
    char *inside = tn__print("%s/%s", path, TN__SAVED_MODEL_FILE);
    bool is = inside && tn__path_kind_of(inside) == TN__PATH_FILE;
    tn__free(inside);
    return is;
}

tn_status tn__saved_folder_open(const char *path, uint64_t limit, tn__saved_folder *folder)
{
    *folder = (tn__saved_folder){ .path = path, .limit = limit };
    TN_TRY(open_files(folder));
    return read_root(folder);
}

void tn__saved_folder_close(tn__saved_folder *folder)
{
    json_decref(folder->root);
    tn__bundle_close(folder->bundle);
    tn__arena_free(&folder->arena);
    tn__file_close(&folder->file);
    tn__file_close(&folder->metadata_file);
    *folder = (tn__saved_folder){ 0 };
}
