/* named.c */
#include "saving/named.h"
#include "nn/naming.h"
#include "saving/arrays.h"
#include "saving/checkpoint.h"
#include "saving/trainer_state.h"
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64 };

/* --- adding ----------------------------------------------------------------------------------- */
/* Takes both names over. */
static tn_status add_called(tn__named *set, char *name, tn__named_array array)
{
    tn_status status = name ? TN__PUSH(set, array) : TN_RESOURCE_EXHAUSTED;
    if (status != TN_OK) {
        tn__free(name);
        tn__free(array.full);
        return status;
    }
    set->item[set->count - 1].name = name;
    tn__retain(array.tensor);
    return tn__map_set(&set->names, name, (void *)(uintptr_t)set->count);
}

/* A name that comes again gets a number. name NULL: there was no memory for it. The caller's. */
static char *free_name(const tn__named *set, const char *name)
{
    char *called = name ? tn__strdup(name) : NULL;
    for (size_t times = 2; called && tn__named_find(set, called); times++) {
        tn__free(called);
        called = tn__print("%s (%zu)", name, times);
    }
    return called;
}

static tn_status add(tn__named *set, const char *name, tn__named_array array)
{
    return add_called(set, free_name(set, name), array);
}

static tn_status add_tensor(tn__named *set, const char *name, tn_tensor *tensor)
{
    return add(set, name,
               (tn__named_array){
                   .shape = tensor->shape, .dtype = (tn_dtype)tensor->dtype, .tensor = tensor });
}

/* --- HDF5 ------------------------------------------------------------------------------------- */
typedef struct {
    tn__named *set;
    tn__ids visited;
} walk;

/* "inner/dense/kernel:0": the group of a layer, and a weight's name in it. */
static tn_status read_full_name(const char *path, tn__named_array *array)
{
    const char *name = strchr(path, '/');
    if (!name || !tn__ends_with(name, ":0"))
        return TN_OK;
    array->full = tn__strndup(name + 1, strlen(name + 1) - strlen(":0"));
    return array->full ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status add_dataset(walk *w, tn__h5_object *dataset)
{
    tn__named_array array = { .place = TN__AT_DATASET(dataset) };
    const char *path = tn__h5_path(dataset);
    TN_TRY(tn__dataset_shape(dataset, &array.shape));
    tn_status status = tn__dataset_dtype(dataset, &array.dtype);
    if (status == TN_RESOURCE_EXHAUSTED)
        return status;
    if (status != TN_OK) {
        tn__fail_clear();
        array.dtype = 0;
    }
    bool weight = tn__starts_with(path, "/model_weights/");
    path += weight ? strlen("/model_weights/") : 1;
    TN_TRY(read_full_name(path, &array));
    return add(w->set, path, array);
}

static tn_status add_group(walk *w, tn__h5_object *group, int depth)
{
    const tn__h5_names *names;
    size_t ignored;
    if (tn__ids_get(&w->visited, (uintptr_t)group, &ignored) || depth > DEEPEST)
        return TN_OK;
    TN_TRY(tn__ids_set(&w->visited, (uintptr_t)group, 1));
    TN_TRY(tn__h5_list(group, &names));
    for (size_t i = 0; i < names->count; i++) {
        tn__h5_object *object;
        TN_TRY(tn__h5_get(group, names->item[i], &object));
        tn__h5_kind kind = tn__h5_kind_of(object);
        if (kind == TN__H5_GROUP)
            TN_TRY(add_group(w, object, depth + 1));
        if (kind == TN__H5_DATASET)
            TN_TRY(add_dataset(w, object));
    }
    return TN_OK;
}

static tn_status add_hdf5(tn__named *set, tn__h5 *file)
{
    walk w = { .set = set };
    tn_status status = add_group(&w, tn__h5_root(file), 0);
    tn__ids_free(&w.visited);
    return status;
}

/* --- checkpoints ------------------------------------------------------------------------------ */
/* Without what every key of TensorFlow 2 ends with. The caller's. */
static char *short_key(const char *key)
{
    size_t size = strlen(key);
    if (tn__ends_with(key, TN__VARIABLE_KEY_ENDING))
        size -= strlen(TN__VARIABLE_KEY_ENDING);
    return tn__strndup(key, size);
}

static tn_status add_entry(tn__named *set, tn__bundle *bundle, size_t index, const char *full)
{
    const tn__bundle_entry *e = tn__bundle_at(bundle, index);
    tn__named_array array = { .place = { .bundle = bundle, .entry = index } };
    if (strcmp(e->name, TN__OBJECT_GRAPH_KEY) == 0)
        return TN_OK;
    TN_TRY(tn__place_shape(array.place, &array.shape));
    array.dtype = tn__dtype_size((tn_dtype)e->dtype) ? (tn_dtype)e->dtype : (tn_dtype)0;
    if (full && !(array.full = tn__strdup(full)))
        return TN_RESOURCE_EXHAUSTED;
    char *name = short_key(e->name);
    tn_status status = name ? add(set, name, array) : TN_RESOURCE_EXHAUSTED;
    if (!name)
        tn__free(array.full);
    tn__free(name);
    return status;
}

/* The full name of every entry that has one. */
static void list_full_names(const tn__map *index, const char **names)
{
    for (size_t i = 0; i < index->count; i++) {
        size_t entry = (size_t)(uintptr_t)index->item[i].value;
        if (entry)
            names[entry - 1] = index->item[i].key;
    }
}

static tn_status add_entries(tn__named *set, tn__bundle *bundle, const tn__map *index)
{
    size_t count = tn__bundle_count(bundle);
    const char **names = tn__alloc_zeroed(count + 1, sizeof *names);
    tn_status status = names ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (names)
        list_full_names(index, names);
    for (size_t i = 0; i < count && status == TN_OK; i++)
        status = add_entry(set, bundle, i, names[i]);
    tn__free(names);
    return status;
}

static tn_status add_bundle(tn__named *set, tn__bundle *bundle)
{
    tn__arena arena = { 0 };
    tn__object_graph graph = { 0 };
    tn__map index = { 0 };
    tn_status status = tn__checkpoint_graph(bundle, &arena, &graph);
    if (status == TN_OK)
        status = tn__checkpoint_index(bundle, &graph, &index);
    if (status == TN_OK)
        status = add_entries(set, bundle, &index);
    tn__map_free(&index);
    tn__arena_free(&arena);
    return status;
}

/* --- order ------------------------------------------------------------------------------------ */
static tn_status index_names(tn__named *set)
{
    tn__map_free(&set->names);
    for (size_t i = 0; i < set->count; i++)
        TN_TRY(tn__map_set(&set->names, set->item[i].name, (void *)(uintptr_t)(i + 1)));
    return TN_OK;
}

static int by_name(const void *left, const void *right)
{
    const tn__named_array *a = left, *b = right;
    return tn__compare_paths(a->name, b->name);
}

static tn_status sort(tn__named *set)
{
    if (set->count)
        qsort(set->item, set->count, sizeof *set->item, by_name);
    return index_names(set);
}

tn_status tn__named_by_full_names(tn__named *set)
{
    tn__map_free(&set->names);
    for (size_t i = 0; i < set->count; i++) {
        tn__named_array *array = &set->item[i];
        char *name = free_name(set, tn__named_name(array, true));
        if (!name)
            return TN_RESOURCE_EXHAUSTED;
        tn__free(array->name);
        array->name = name;
        TN_TRY(tn__map_set(&set->names, name, (void *)(uintptr_t)(i + 1)));
    }
    return set->in_order ? TN_OK : sort(set);
}

/* --- files ------------------------------------------------------------------------------------ */
static tn_status add_arrays(tn__named *set)
{
    set->in_order = true;
    size_t depth = tn__scope_begin("arrays");
    tn_named_list arrays = tn__arrays_read(&set->source);
    tn_status status = arrays.item ? TN_OK : tn__errors()->status;
    for (size_t i = 0; i < arrays.count && status == TN_OK; i++)
        status = add_tensor(set, arrays.name[i], arrays.item[i]);
    tn__scope_end(depth);
    return status;
}

static tn_status add_zip(tn__named *set)
{
    size_t ignored;
    TN_TRY(tn__archive_open(&set->source, &set->archive));
    bool model = tn__zip_find(set->archive.zip, "model.weights.h5", &ignored);
    tn__archive_close(&set->archive);
    set->archive = (tn__archive){ 0 };
    if (!model)
        return add_arrays(set);
    TN_TRY(tn__archive_open_weights(&set->source, &set->archive));
    return add_hdf5(set, set->archive.file);
}

static tn_status add_table(tn__named *set)
{
    TN_TRY(tn__checkpoint_open(&set->source, &set->bundle));
    return add_bundle(set, set->bundle);
}

static tn_status add_source(tn__named *set)
{
    switch (tn__source_format(&set->source)) {
    case TN__FORMAT_TABLE:
        return add_table(set);
    case TN__FORMAT_ZIP:
        return add_zip(set);
    case TN__FORMAT_HDF5:
        TN_TRY(tn__h5_open(set->source.bytes, &(tn__h5_limits){ .decoded = set->source.decoded },
                           &set->file));
        return add_hdf5(set, set->file);
    case TN__FORMAT_JSON:
        return TN_OK; /* an architecture */
    default:
        return add_arrays(set);
    }
}

static tn_status open_path(tn__named *set, const char *path, uint64_t limit)
{
    if (tn__checkpoint_is_prefix(path)) {
        TN_TRY(tn__bundle_open(path, &(tn__bundle_limits){ .decoded = limit }, &set->bundle));
        return add_bundle(set, set->bundle);
    }
    if (tn__saved_folder_is(path)) {
        TN_TRY(tn__saved_folder_open(path, limit, &set->folder));
        return set->folder.bundle ? add_bundle(set, set->folder.bundle) : TN_OK;
    }
    TN_TRY(tn__source_open(path, (tn__span){ NULL, 0 }, false, limit, &set->source));
    return add_source(set);
}

static tn_status open_data(tn__named *set, tn__span data, uint64_t limit)
{
    TN_TRY(tn__source_open(NULL, data, false, limit, &set->source));
    return add_source(set);
}

tn_status tn__named_open(const char *path, tn__span data, uint64_t limit, tn__named *set)
{
    char *last = NULL;
    *set = (tn__named){ 0 };
    if (!data.data)
        TN_TRY(tn__checkpoint_find(path, &last));
    const char *opened = last ? last : path;
    tn_status status = data.data ? open_data(set, data, limit) : open_path(set, opened, limit);
    if (status == TN_OK && !set->in_order)
        status = sort(set);
    if (status != TN_OK)
        tn__fail_note("while reading '%s'", data.data ? "memory" : opened);
    tn__free(last);
    return status;
}

/* --- models ----------------------------------------------------------------------------------- */
static tn_status add_optimizer(tn__named *set, const tn_layer *model)
{
    tn_tensor **items;
    size_t count;
    TN_TRY(tn__trainer_variables(model, TN__KERAS_3, &items, &count));
    tn_status status = TN_OK;
    for (size_t i = 0; i < count && status == TN_OK; i++) {
        const char *full = tn__full_name(items[i]);
        char *name = full ? tn__print("optimizer/%s", full) : NULL;
        status = name ? add_tensor(set, name, items[i]) : TN_RESOURCE_EXHAUSTED;
        tn__free(name);
    }
    tn__free(items);
    return status;
}

static tn_status add_weight(tn__named *set, tn_tensor *variable)
{
    const char *path = variable->of.variable->path;
    TN_TRY(add_tensor(set, tn__full_name(variable), variable));
    if (path && !(set->item[set->count - 1].full = tn__strdup(path)))
        return TN_RESOURCE_EXHAUSTED;
    return TN_OK;
}

tn_status tn__named_of_model(tn_layer *model, tn__named *set)
{
    tn__weight_list weights = { 0 };
    size_t depth = tn__scope_begin("names");
    *set = (tn__named){ .in_order = true };
    tn_status status = tn__collect_weights(model, TN__ALL_WEIGHTS, &weights);
    for (size_t i = 0; i < weights.count && status == TN_OK; i++)
        status = add_weight(set, weights.item[i]);
    tn__weight_list_free(&weights);
    if (status == TN_OK)
        status = add_optimizer(set, model);
    tn__scope_end(depth);
    return status;
}

/* --- using ------------------------------------------------------------------------------------ */
const tn__named_array *tn__named_find(const tn__named *set, const char *name)
{
    size_t place = (size_t)(uintptr_t)tn__map_get(&set->names, name);
    return place ? &set->item[place - 1] : NULL;
}

tn_status tn__named_value(const tn__named *set, const tn__named_array *array, tn_tensor **value)
{
    if (array->tensor)
        return tn__value_of(array->tensor, array->name, value);
    const tn__source *source = set->archive.file ? &set->archive.source : &set->source;
    return tn__place_tensor(source, array->place, array->dtype, value);
}

void tn__named_close(tn__named *set)
{
    for (size_t i = 0; i < set->count; i++) {
        tn__free(set->item[i].name);
        tn__free(set->item[i].full);
        tn__release(set->item[i].tensor);
    }
    tn__free(set->item);
    tn__map_free(&set->names);
    tn__h5_close(set->file);
    tn__bundle_close(set->bundle);
    tn__saved_folder_close(&set->folder);
    tn__archive_close(&set->archive);
    tn__source_close(&set->source);
    *set = (tn__named){ 0 };
}
