/* named.c */
#include "saving/named.h"
#include "nn/naming.h"
#include "saving/arrays.h"
#include "saving/trainer_state.h"
#include <string.h>

enum { DEEPEST = 64 };

/* --- adding ----------------------------------------------------------------------------------- */
/* Takes the name over. */
static tn_status add_called(tn__named *set, char *name, tn__named_array array)
{
    tn_status status = name ? TN__PUSH(set, array) : TN_RESOURCE_EXHAUSTED;
    if (status != TN_OK) {
        tn__free(name);
        return status;
    }
    set->item[set->count - 1].name = name;
    tn__retain(array.tensor);
    return tn__map_set(&set->names, name, (void *)(uintptr_t)set->count);
}

static tn_status add(tn__named *set, const char *name, tn__named_array array)
{
    char *called = name ? tn__strdup(name) : NULL; /* NULL: no memory for the name */
    for (size_t times = 2; called && tn__named_find(set, called); times++) {
        tn__free(called);
        called = tn__print("%s (%zu)", name, times);
    }
    return add_called(set, called, array);
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

static tn_status add_dataset(walk *w, tn__h5_object *dataset)
{
    tn__named_array array = { .dataset = dataset };
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
    return add(w->set, path + (weight ? strlen("/model_weights/") : 1), array);
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

/* --- files ------------------------------------------------------------------------------------ */
static tn_status add_arrays(tn__named *set)
{
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

static tn_status add_source(tn__named *set)
{
    switch (tn__source_format(&set->source)) {
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

tn_status tn__named_open(const char *path, tn__span data, uint64_t limit, tn__named *set)
{
    *set = (tn__named){ 0 };
    TN_TRY(tn__source_open(path, data, false, limit, &set->source));
    tn_status status = add_source(set);
    if (status != TN_OK)
        tn__fail_note("while reading '%s'", set->source.name);
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

tn_status tn__named_of_model(tn_layer *model, tn__named *set)
{
    tn__weight_list weights = { 0 };
    size_t depth = tn__scope_begin("names");
    *set = (tn__named){ 0 };
    tn_status status = tn__collect_weights(model, TN__ALL_WEIGHTS, &weights);
    for (size_t i = 0; i < weights.count && status == TN_OK; i++)
        status = add_tensor(set, tn__full_name(weights.item[i]), weights.item[i]);
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
    return tn__dataset_tensor(source, array->dataset, array->dtype, value);
}

void tn__named_close(tn__named *set)
{
    for (size_t i = 0; i < set->count; i++) {
        tn__free(set->item[i].name);
        tn__release(set->item[i].tensor);
    }
    tn__free(set->item);
    tn__map_free(&set->names);
    tn__h5_close(set->file);
    tn__archive_close(&set->archive);
    tn__source_close(&set->source);
    *set = (tn__named){ 0 };
}
