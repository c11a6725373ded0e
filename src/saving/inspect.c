/* inspect.c - what a file holds, told without making a model of it: so also when nobody knows its
 * classes, or when part of it is damaged. */
#include "saving/inspect.h"
#include "nn/config.h"
#include "saving/archive.h"
#include "saving/checkpoint.h"
#include "saving/findings.h"
#include "saving/json.h"
#include "saving/keras3.h"
#include "saving/legacy.h"
#include "saving/saved_folder.h"
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64, MOST_ENTRIES = 100000 };

/* --- the report ------------------------------------------------------------------------------- */
tn_status tn__inspect_set(tn__inspection *i, const char *key, const char *value)
{
    return tn__json_set(i->out, key, tn__json_shown(value));
}

static tn_status add_list(json_t *object, const char *key, json_t **list)
{
    *list = json_array();
    return tn__json_set(object, key, *list);
}

/* Every key is there from the beginning, in this order. */
static tn_status begin(tn__inspection *i, const char *path, uint64_t bytes)
{
    static const char *const unknown[] = { "format",        "keras_version", "backend",
                                           "tenon_version", "date_saved",    "model" };
    json_t *ignored;
    i->out = json_object();
    TN_TRY(tn__inspect_set(i, "file", path));
    TN_TRY(tn__json_set(i->out, "bytes", json_integer((json_int_t)bytes)));
    for (size_t k = 0; k < sizeof unknown / sizeof *unknown; k++)
        TN_TRY(tn__json_set(i->out, unknown[k], json_null()));
    TN_TRY(add_list(i->out, "layers", &i->layers));
    TN_TRY(add_list(i->out, "unknown_classes", &ignored));
    TN_TRY(add_list(i->out, "members", &i->members));
    TN_TRY(add_list(i->out, "variables", &i->variables));
    TN_TRY(add_list(i->out, "optimizer_variables", &i->state));
    TN_TRY(tn__json_set(i->out, "totals", json_object()));
    return add_list(i->out, "problems", &i->problems);
}

static int by_path(const void *left, const void *right)
{
    json_t *const *a = left, *const *b = right;
    return tn__compare_paths(tn__json_text(*a, "path"), tn__json_text(*b, "path"));
}

/* vars/2 before vars/10, whatever the file's own order is. */
static tn_status sort(json_t *list)
{
    size_t count = json_array_size(list);
    json_t **items = tn__alloc(count * sizeof *items + 1);
    if (!items)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t k = 0; k < count; k++)
        items[k] = json_incref(json_array_get(list, k));
    if (count)
        qsort(items, count, sizeof *items, by_path);
    for (size_t k = 0; k < count; k++)
        json_array_set_new(list, k, items[k]);
    tn__free(items);
    return TN_OK;
}

/* Arrays and columns have an order of their own. */
static tn_status sort_paths(tn__inspection *i)
{
    const char *format = tn__json_text(i->out, "format");
    if (format && tn__among("npz|npy|csv", format))
        return TN_OK;
    TN_TRY(sort(i->variables));
    return sort(i->state);
}

static tn_status finish(tn__inspection *i)
{
    TN_TRY(sort_paths(i));
    json_t *totals = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I}", "layers", (json_int_t)json_array_size(i->layers),
        "variables", (json_int_t)json_array_size(i->variables), "numbers", (json_int_t)i->numbers,
        "bytes", (json_int_t)i->bytes, "optimizer_variables", (json_int_t)json_array_size(i->state),
        "optimizer_bytes", (json_int_t)i->state_bytes);
    return tn__json_set(i->out, "totals", totals);
}

static tn_status append(json_t *list, json_t *entry)
{
    if (json_array_size(list) < MOST_ENTRIES)
        return json_array_append_new(list, entry) == 0 ? TN_OK : tn__fail_memory(0);
    json_decref(entry);
    return TN_OK;
}

/* As of each value of a file that is not there. */
static bool is_told(const tn__inspection *i, const char *text)
{
    size_t count = json_array_size(i->problems), size = strcspn(text, "\n");
    const char *last =
        count ? tn__json_text(json_array_get(i->problems, count - 1), "message") : NULL;
    return last && strlen(last) == size && memcmp(last, text, size) == 0;
}

tn_status tn__inspect_try(tn__inspection *i, tn_status status)
{
    if (status == TN_OK || status == TN_RESOURCE_EXHAUSTED)
        return status;
    const char *text = tn__errors()->text;
    if (is_told(i, text)) {
        tn__fail_clear();
        return TN_OK;
    }
    json_t *entry =
        json_pack("{s:s, s:s%}", "kind", status == TN_DATA_LOSS ? "damaged" : "not read", "message",
                  text, strcspn(text, "\n"));
    tn__fail_clear();
    if (!entry)
        entry = json_pack("{s:s, s:s}", "kind", "damaged", "message", "a name is no UTF-8");
    return entry ? append(i->problems, entry) : tn__fail_memory(0);
}

/* A checkpoint of Keras 3 reaches weights through the optimizer too. */
static bool is_state(const char *path)
{
    return tn__starts_with(path, "model/optimizer/_variables/") ||
           tn__starts_with(path, "model/optimizer/_iterations/") ||
           tn__starts_with(path, "model/optimizer/_learning_rate/") ||
           tn__starts_with(path, "optimizer/") || tn__starts_with(path, "optimizer_weights/") ||
           tn__starts_with(path, "_optimizer/");
}

static void add_to(int64_t *sum, uint64_t more)
{
    if (more > INT64_MAX || __builtin_add_overflow(*sum, (int64_t)more, sum))
        *sum = INT64_MAX;
}

tn_status tn__inspect_add(tn__inspection *i, const char *path, const char *dtype, int rank,
                          const uint64_t *dims, uint64_t count, uint64_t bytes)
{
    json_t *shape = json_array();
    for (int k = 0; k < rank; k++)
        json_array_append_new(shape, json_integer((json_int_t)dims[k]));
    json_t *entry =
        json_pack("{s:o, s:o, s:s, s:I, s:I}", "path", tn__json_shown(path), "shape", shape,
                  "dtype", dtype, "numbers", (json_int_t)count, "bytes", (json_int_t)bytes);
    if (!entry)
        return tn__fail_memory(0);
    i->found = true;
    if (is_state(path)) {
        add_to(&i->state_bytes, bytes);
        return append(i->state, entry);
    }
    add_to(&i->numbers, count);
    add_to(&i->bytes, bytes);
    return append(i->variables, entry);
}

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

static tn_status add_layers(tn__inspection *i, const json_t *json, int depth)
{
    const json_t *config = json_object_get(json, "config"), *layers = tn__layers_of(json);
    const char *class = tn__json_text(json, "class_name"), *name = tn__json_text(config, "name");
    json_t *entry = json_pack("{s:s, s:s?, s:i, s:b}", "class", class ? class : "?", "name", name,
                              "depth", depth, "known", is_known(json));
    TN_TRY(entry ? append(i->layers, entry) : tn__fail_memory(0));
    for (size_t k = 0; depth < DEEPEST && k < json_array_size(layers); k++)
        TN_TRY(add_layers(i, json_array_get(layers, k), depth + 1));
    return TN_OK;
}

/* The classes that loading would not know. */
static char *unknown_classes(const json_t *config)
{
    json_t *copy = json_deep_copy(config);
    char *unknown = copy && tn__leave_out_masks(copy) == TN_OK ? tn__unknown_classes(copy) : NULL;
    json_decref(copy);
    return unknown;
}

/* "A, B" as a list. */
static tn_status add_unknown(tn__inspection *i, const json_t *config)
{
    json_t *list = json_object_get(i->out, "unknown_classes");
    char *unknown = unknown_classes(config);
    tn_status status = unknown ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (const char *at = unknown; at && *at && status == TN_OK;) {
        const char *end = strstr(at, ", ");
        status = append(list, json_stringn(at, end ? (size_t)(end - at) : strlen(at)));
        at = end ? end + 2 : NULL;
    }
    tn__free(unknown);
    return status;
}

tn_status tn__inspect_config(tn__inspection *i, const json_t *config)
{
    const char *class = tn__json_text(config, "class_name");
    if (!class)
        return TN_OK;
    const char *name = tn__json_text(json_object_get(config, "config"), "name");
    i->found = true;
    TN_TRY(tn__json_set(i->out, "model",
                        json_pack("{s:s, s:s?, s:n}", "class", class, "name", name, "optimizer")));
    TN_TRY(add_layers(i, config, 0));
    return add_unknown(i, config);
}

/* Keras 3's compile_config, .h5's training_config. */
static tn_status add_compiled(tn__inspection *i, const json_t *config)
{
    json_t *model = json_object_get(i->out, "model");
    const json_t *optimizer = json_object_get(config, "optimizer_config");
    optimizer = optimizer ? optimizer : json_object_get(config, "optimizer");
    const char *class = json_is_string(optimizer) ? json_string_value(optimizer)
                                                  : tn__json_text(optimizer, "class_name");
    if (!class || !json_is_object(model))
        return TN_OK;
    return tn__json_set(model, "optimizer", json_string(class));
}

/* --- HDF5 ------------------------------------------------------------------------------------- */
static const char *dtype_text(tn__h5_object *dataset, const tn__h5_type *type, char text[32])
{
    static const char *const names[] = {
        [TN__H5_INTEGER] = "int",       [TN__H5_FLOAT] = "float",
        [TN__H5_BFLOAT16] = "bfloat",   [TN__H5_BOOL] = "bool",
        [TN__H5_ENUM] = "enum",         [TN__H5_BITFIELD] = "bits",
        [TN__H5_OPAQUE] = "raw",        [TN__H5_STRING] = "string",
        [TN__H5_TEXT] = "string",       [TN__H5_COMPOUND] = "compound",
        [TN__H5_ARRAY] = "array",       [TN__H5_REFERENCE] = "reference",
        [TN__H5_SEQUENCE] = "sequence", [TN__H5_TIME] = "time",
        [TN__H5_COMPLEX] = "complex",   [TN__H5_OTHER] = "other",
    };
    bool sized = type->class <= TN__H5_BFLOAT16 || type->class == TN__H5_OPAQUE;
    if (tn__dataset_is_bfloat16(dataset, type))
        return "bfloat16";
    if (!sized)
        return names[type->class];
    bool whole = type->class == TN__H5_INTEGER && !type->is_signed;
    snprintf(text, 32, "%s%s%zu", whole ? "u" : "", names[type->class], 8 * type->size);
    return text;
}

static tn_status add_dataset(tn__inspection *i, tn__h5_object *dataset)
{
    const tn__h5_info *info;
    char dtype[32];
    uint64_t bytes;
    TN_TRY(tn__h5_info_of(dataset, &info));
    if (__builtin_mul_overflow(info->count, (uint64_t)info->type.size, &bytes))
        bytes = INT64_MAX;
    return tn__inspect_add(i, tn__h5_path(dataset) + 1, dtype_text(dataset, &info->type, dtype),
                           info->rank, info->dims, info->count, bytes);
}

typedef struct {
    tn__inspection *i;
    tn__ids visited;
} walk;

static tn_status add_group(walk *w, tn__h5_object *group, int depth);

static tn_status add_object(walk *w, tn__h5_object *group, const char *name, int depth)
{
    tn__h5_object *object;
    TN_TRY(tn__h5_get(group, name, &object));
    if (tn__h5_kind_of(object) == TN__H5_GROUP)
        return add_group(w, object, depth + 1);
    return tn__h5_kind_of(object) == TN__H5_DATASET ? add_dataset(w->i, object) : TN_OK;
}

/* What cannot be read is told, and the rest of the group is. */
static tn_status add_group(walk *w, tn__h5_object *group, int depth)
{
    const tn__h5_names *names;
    size_t ignored;
    if (tn__ids_get(&w->visited, (uintptr_t)group, &ignored))
        return TN_OK;
    TN_TRY(tn__ids_set(&w->visited, (uintptr_t)group, 1));
    if (depth > DEEPEST)
        return tn__fail(TN_UNIMPLEMENTED, "'%s' is more than %d groups deep", tn__h5_path(group),
                        DEEPEST);
    TN_TRY(tn__h5_list(group, &names));
    for (size_t k = 0; k < names->count; k++)
        TN_TRY(tn__inspect_try(w->i, add_object(w, group, names->item[k], depth)));
    return TN_OK;
}

static tn_status add_weights(tn__inspection *i, tn__h5_object *root)
{
    walk w = { .i = i };
    tn_status status = add_group(&w, root, 0);
    tn__ids_free(&w.visited);
    return tn__inspect_try(i, status);
}

typedef tn_status (*taker)(tn__inspection *i, const char *key, tn__span text);

static tn_status take_text(tn__inspection *i, const char *key, tn__span text)
{
    json_t *value = json_stringn((const char *)text.data, text.size);
    return tn__json_set(i->out, key, value ? value : json_string("?"));
}

static tn_status take_json(tn__inspection *i, const char *key, tn__span text)
{
    json_t *json;
    TN_TRY(tn__json_parse(text, key, &json));
    tn_status status =
        strcmp(key, "model_config") == 0 ? tn__inspect_config(i, json) : add_compiled(i, json);
    json_decref(json);
    return status;
}

static tn_status add_attribute(tn__inspection *i, tn__h5_object *root, const char *name, taker take)
{
    tn__h5_object *attribute;
    tn__h5_strings text = { 0 };
    TN_TRY(tn__h5_attribute(root, name, &attribute));
    if (!attribute)
        return TN_OK;
    tn_status status = tn__h5_read_strings(attribute, &text);
    if (status == TN_OK && text.count) {
        i->found = true;
        status = take(i, name, (tn__span){ (const uint8_t *)text.item[0].text, text.item[0].size });
    }
    tn__h5_strings_free(&text);
    return status;
}

static tn_status set_hdf5_format(tn__inspection *i, tn__h5_object *root)
{
    tn__h5_object *weights = NULL, *config = NULL;
    bool keras3 = false;
    TN_TRY(tn__inspect_try(i, tn__legacy_weights(root, &weights)));
    TN_TRY(tn__inspect_try(i, tn__h5_attribute(root, "model_config", &config)));
    if (!weights && !config)
        TN_TRY(tn__inspect_try(i, tn__keras3_is(root, &keras3)));
    return tn__inspect_set(i, "format", weights || config ? "h5" : keras3 ? "weights.h5" : "hdf5");
}

static tn_status add_root(tn__inspection *i, tn__h5_object *root)
{
    static const struct {
        const char *name;
        taker take;
    } attributes[] = { { "keras_version", take_text },
                       { "backend", take_text },
                       { TN__OWN_MARK, take_text },
                       { "model_config", take_json },
                       { "training_config", take_json } };
    TN_TRY(set_hdf5_format(i, root));
    for (size_t k = 0; k < sizeof attributes / sizeof *attributes; k++)
        TN_TRY(tn__inspect_try(i, add_attribute(i, root, attributes[k].name, attributes[k].take)));
    return add_weights(i, root);
}

/* A file that is cut off is read as far as it goes. */
static tn_status open_hdf5(tn__inspection *i, tn__span bytes, uint64_t decoded, tn__h5 **file)
{
    tn_status status = tn__h5_open(bytes, &(tn__h5_limits){ .decoded = decoded }, file);
    if (status != TN_DATA_LOSS)
        return status;
    TN_TRY(tn__inspect_try(i, status));
    return tn__h5_open(bytes, &(tn__h5_limits){ .decoded = decoded, .cut_off = true }, file);
}

static tn_status add_hdf5(tn__inspection *i, const tn__source *source)
{
    tn__h5 *file;
    TN_TRY(open_hdf5(i, source->bytes, source->decoded, &file));
    tn_status status = add_root(i, tn__h5_root(file));
    tn__h5_close(file);
    return status;
}

/* --- archives --------------------------------------------------------------------------------- */
static tn_status add_metadata(tn__inspection *i, const json_t *metadata)
{
    static const char *const keys[] = { "keras_version", "date_saved", "backend", TN__OWN_MARK };
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const char *text = tn__json_text(metadata, keys[k]);
        if (text)
            TN_TRY(tn__inspect_set(i, keys[k], text));
    }
    return TN_OK;
}

static tn_status add_archive_json(tn__inspection *i, tn__archive *archive, const char *member)
{
    json_t *json;
    TN_TRY(tn__archive_json(archive, member, &json));
    tn_status status = TN_OK;
    if (json && strcmp(member, "config.json") == 0) {
        status = tn__inspect_config(i, json);
        if (status == TN_OK)
            status = add_compiled(i, json_object_get(json, "compile_config"));
    } else if (json) {
        status = add_metadata(i, json);
    }
    json_decref(json);
    return status;
}

/* The weights' member, decoded or in place; its check sum is a problem of its own. */
static tn_status find_weights(tn__inspection *i, tn__archive *archive, tn__span *bytes)
{
    size_t index;
    *bytes = (tn__span){ NULL, 0 };
    if (!tn__zip_find(archive->zip, "model.weights.h5", &index))
        return tn__fail(TN_DATA_LOSS, "the archive has no model.weights.h5");
    if (tn__zip_member_at(archive->zip, index)->method == TN__ZIP_STORED) {
        TN_TRY(tn__inspect_try(i, tn__zip_check(archive->zip, index)));
        return tn__zip_member_in_place(archive->zip, index, bytes);
    }
    TN_TRY(tn__zip_read(archive->zip, index, &archive->decoded));
    *bytes = tn__bytes_span(&archive->decoded);
    return TN_OK;
}

static tn_status add_archive_weights(tn__inspection *i, tn__archive *archive)
{
    tn__span bytes;
    TN_TRY(find_weights(i, archive, &bytes));
    TN_TRY(open_hdf5(i, bytes, archive->source.decoded, &archive->file));
    return add_weights(i, tn__h5_root(archive->file));
}

static tn_status add_keras(tn__inspection *i, tn__archive *archive)
{
    TN_TRY(tn__inspect_set(i, "format", "keras"));
    TN_TRY(tn__inspect_try(i, add_archive_json(i, archive, "metadata.json")));
    TN_TRY(tn__inspect_try(i, add_archive_json(i, archive, "config.json")));
    return tn__inspect_try(i, add_archive_weights(i, archive));
}

static tn_status add_zip_members(tn__inspection *i, const tn__zip *zip)
{
    for (size_t k = 0; k < tn__zip_count(zip); k++) {
        const tn__zip_member *m = tn__zip_member_at(zip, k);
        json_t *entry = json_pack("{s:s, s:I, s:I}", "name", m->name, "bytes", (json_int_t)m->size,
                                  "stored_bytes", (json_int_t)m->stored_size);
        entry = entry ? entry : json_pack("{s:s}", "name", "?");
        TN_TRY(entry ? append(i->members, entry) : tn__fail_memory(0));
        i->found = true;
    }
    return TN_OK;
}

static bool has_arrays(const tn__zip *zip)
{
    bool arrays = tn__zip_count(zip) > 0;
    for (size_t k = 0; k < tn__zip_count(zip) && arrays; k++)
        arrays = tn__ends_with(tn__zip_member_at(zip, k)->name, ".npy");
    return arrays;
}

static tn_status add_opened(tn__inspection *i, tn__archive *archive, bool salvage)
{
    size_t ignored;
    TN_TRY(add_zip_members(i, archive->zip));
    if (tn__zip_find(archive->zip, "config.json", &ignored) ||
        tn__zip_find(archive->zip, "model.weights.h5", &ignored))
        return add_keras(i, archive);
    if (has_arrays(archive->zip))
        return tn__inspect_npz(i, archive->source.bytes, salvage);
    return tn__inspect_set(i, "format", "zip");
}

/* Without its directory, which stands at the end, an archive's members are found one by one. */
static tn_status add_zip(tn__inspection *i, const tn__source *source)
{
    tn__archive archive = { .source = *source };
    tn__zip_limits limits = { .decoded = source->decoded };
    tn_status status = tn__zip_open(source->bytes, &limits, &archive.zip);
    if (status == TN_DATA_LOSS) {
        TN_TRY(tn__inspect_try(i, status));
        limits.salvage = true;
        status = tn__zip_open(source->bytes, &limits, &archive.zip);
    }
    if (status == TN_OK)
        status = add_opened(i, &archive, limits.salvage);
    tn__archive_close(&archive);
    return status;
}

/* --- the file --------------------------------------------------------------------------------- */
static tn_status add_json(tn__inspection *i, const tn__source *source)
{
    json_t *json;
    TN_TRY(tn__inspect_set(i, "format", "json"));
    TN_TRY(tn__json_parse(source->bytes, source->name, &json));
    i->found = true;
    tn_status status = tn__inspect_config(i, json);
    if (status == TN_OK)
        status = add_metadata(i, json);
    json_decref(json);
    return status;
}

static tn_status fail_format(const char *path)
{
    bool part = tn__ends_with(path, TN__SAVED_MODEL_FILE);
    return tn__fail(TN_INVALID_ARGUMENT, "File format not supported: filepath=%s.\n%s", path,
                    part ? "it is a part of a SavedModel, which is named by its folder"
                         : "it begins like no model, no weights and no arrays that are known here");
}

static tn_status add_source(tn__inspection *i, const tn__source *source)
{
    bool taken;
    switch (tn__source_format(source)) {
    case TN__FORMAT_ZIP:
        return add_zip(i, source);
    case TN__FORMAT_HDF5:
        return add_hdf5(i, source);
    case TN__FORMAT_JSON:
        return add_json(i, source);
    case TN__FORMAT_TABLE:
        return tn__inspect_checkpoint(i, source);
    default:
        TN_TRY(tn__inspect_arrays(i, source->name, source->bytes, &taken));
        return taken ? TN_OK : fail_format(source->name);
    }
}

/* When nothing was found, the first thing that could not be read is why. */
static tn_status fail_unread(const tn__inspection *i, const char *path)
{
    const char *why = tn__json_text(json_array_get(i->problems, 0), "message");
    return tn__fail(TN_DATA_LOSS, "'%s': %s", path, why ? why : "nothing can be read");
}

/* source NULL: a SavedModel's folder. */
static tn_status inspect(tn__inspection *i, const char *path, const tn__source *source,
                         uint64_t limit)
{
    TN_TRY(begin(i, path, source ? source->bytes.size : 0));
    tn_status status = source ? add_source(i, source) : tn__inspect_saved_model(i, path, limit);
    bool told = json_array_size(i->problems) > 0;
    if (i->found || told)
        status = tn__inspect_try(i, status);
    if (status != TN_OK && !source)
        tn__fail_note("while reading '%s'", path);
    TN_TRY(status);
    return !i->found && told ? fail_unread(i, path) : finish(i);
}

static tn_status inspect_source(const char *path, const char *opened, tn__span data, uint64_t limit,
                                json_t **report)
{
    tn__source source = { 0 };
    tn__inspection i = { 0 };
    bool folder = !data.data && tn__saved_folder_is(opened);
    if (!folder)
        TN_TRY(tn__source_open(opened, data, false, limit, &source));
    tn_status status = inspect(&i, data.data ? source.name : path, folder ? NULL : &source, limit);
    tn__source_close(&source);
    if (status == TN_OK)
        *report = i.out;
    else
        json_decref(i.out);
    return status;
}

/* A prefix is not the name of a file. */
static tn_status inspect_path(const char *path, uint64_t limit, json_t **report)
{
    const tn__span data = { NULL, 0 };
    if (!tn__checkpoint_is_prefix(path))
        return inspect_source(path, path, data, limit, report);
    char *index = tn__print("%s.index", path);
    tn_status status =
        index ? inspect_source(path, index, data, limit, report) : TN_RESOURCE_EXHAUSTED;
    tn__free(index);
    return status;
}

tn_status tn__inspect(const char *path, tn__span data, uint64_t limit, json_t **report)
{
    char *last;
    if (data.data)
        return inspect_source(path, path, data, limit, report);
    TN_TRY(tn__checkpoint_find(path, &last));
    tn_status status = inspect_path(last ? last : path, limit, report);
    tn__free(last);
    return status;
}

const char *tn_inspect_with(const tn_inspect_options *options)
{
    TN__ENTER_OPTIONS(context, options, "<failed>");
    (void)context;
    json_t *report;
    if (tn__inspect(options->path, (tn__span){ NULL, 0 }, 0, &report) != TN_OK)
        return "<failed>";
    const char *said = tn__report_text(report, options->json, tn__inspect_text);
    return said ? said : "<failed>";
}
