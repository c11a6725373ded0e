/* saved_model_read.c - a model out of a SavedModel: of layers, where Keras 2 wrote their configs
 * beside it; else one that runs its function. */
#include "saving/saved_model.h"
#include "saving/saved_model_function.h"
#include "base/log.h"
#include "nn/config.h"
#include "saving/checkpoint.h"
#include "saving/json.h"
#include "saving/saved_folder.h"
#include "saving/trainer_state.h"
#include <string.h>

/* Beside a function every class may be one that nobody here has. */
static tn_status find_unknown(const tn__saved_folder *f, char **unknown)
{
    *unknown = NULL;
    if (!tn__json_text(f->root, "class_name") ||
        !json_is_object(json_object_get(f->root, "config")))
        return TN_OK;
    *unknown = tn__unknown_classes(f->root);
    return *unknown ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* --- a model of layers ------------------------------------------------------------------------ */
/* A folder whose variables got lost; a model that has none needs none. */
static tn_status check_bundle(const tn__saved_folder *f, tn_layer *model)
{
    size_t count = tn_variables(model).count;
    if (f->bundle || count == 0 || tn__failed(tn__context()))
        return tn__errors()->status;
    return tn__fail(TN_NOT_FOUND,
                    "Unsuccessful TensorSliceReader constructor: Failed to find any matching files "
                    "for %s/" TN__VARIABLES_PREFIX
                    "\nthe model in '%s' has %zu variables, and nothing fills them: the folder is "
                    "not whole",
                    f->path, f->path, count);
}

static tn_status load_weights(const tn__load *load, const tn__saved_folder *f,
                              const tn__source *source, tn_layer *model)
{
    tn__loading loading = tn__load_weights(load, source);
    const json_t *training = json_object_get(f->root, "training_config");
    tn_status status = TN_OK;
    if (load->options->compile && json_is_object(training))
        status = tn__trainer_compile(load->context, model, training);
    if (status == TN_OK)
        status = check_bundle(f, model);
    if (status == TN_OK && f->bundle)
        status = tn__checkpoint_load(load->context, &loading, f->bundle,
                                     &(tn__checkpoint_names){ NULL, NULL }, model, true);
    tn__loading_free(&loading);
    return status;
}

/* What call took, as TensorSpecs: [[spec, ...], {}], several inputs in a list. */
static json_t *input_dtypes(const json_t *root)
{
    const json_t *call = json_array_get(json_object_get(root, "full_save_spec"), 0);
    const json_t *given = json_array_get(call, 0);
    size_t count = json_is_array(given) ? json_array_size(given) : json_is_object(given);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const json_t *spec = json_is_array(given) ? json_array_get(given, i) : given;
        json_t *dtype = json_array_get(json_object_get(spec, "serialized"), 1);
        tn__json_append(list, dtype ? json_incref(dtype) : json_null());
    }
    return list;
}

/* What an own class's config in Python need not say, and its metadata does. */
static tn_status add_common(const json_t *root)
{
    static const char *const keys[] = { "name", "trainable", "dtype" };
    json_t *config = json_object_get(root, "config");
    const tn_class *of = tn__class_find(tn__json_text(root, "class_name"));
    for (size_t i = 0; of && !of->module && i < sizeof keys / sizeof *keys; i++) {
        json_t *value = json_object_get(root, keys[i]);
        if (value && !json_object_get(config, keys[i]))
            TN_TRY(tn__json_set(config, keys[i], json_incref(value)));
    }
    return TN_OK;
}

static tn_status make_config(const tn__saved_folder *f, json_t **config)
{
    *config = NULL;
    TN_TRY(add_common(f->root));
    *config = json_pack("{s:O, s:O}", "class_name", json_object_get(f->root, "class_name"),
                        "config", json_object_get(f->root, "config"));
    if (!*config)
        return tn__fail_memory(0);
    json_t *shape = json_object_get(f->root, "build_input_shape"), *dtypes = input_dtypes(f->root);
    tn_status status = tn__errors()->status;
    if (status == TN_OK && json_is_array(shape))
        status =
            tn__json_set(*config, "build_config",
                         json_pack("{s:O, s:O*}", "input_shape", shape, "input_dtype", dtypes));
    json_decref(dtypes);
    return status;
}

static tn_status load_layers(const tn__load *load, const tn__saved_folder *f, tn_layer **model)
{
    json_t *config;
    tn__source source = { .name = load->options->path, .decoded = load->options->limit };
    const char *version = tn__json_text(f->root, "keras_version");
    tn_status status = make_config(f, &config);
    if (status == TN_OK)
        status = tn__load_config(load->context, config, version ? version : "2.15.0", false,
                                 tn__weight_room(&source), model);
    json_decref(config);
    TN_TRY(status);
    return load_weights(load, f, &source, *model);
}

/* --- all of it -------------------------------------------------------------------------------- */
static tn_status load_function(const tn__load *load, const tn__saved_folder *f, const char *unknown,
                               tn_layer **model)
{
    tn_status status = tn__saved_function_load(load->context, f->graph, f->bundle, f->path,
                                               load->options->signature, model);
    bool strange = unknown && *unknown && !load->options->signature;
    if (strange && status == TN_OK)
        tn__warn("'%s' comes back as its function, for nobody knows: %s. A C program that has the "
                 "class makes it known with tn_register_class() before it loads the folder.",
                 f->path, unknown);
    if (strange && status != TN_OK)
        tn__fail_note("nor could its layers be made: nobody knows %s, which tn_register_class() "
                      "would mend",
                      unknown);
    return status;
}

static tn_status load_opened(const tn__load *load, const tn__saved_folder *f, tn_layer **model)
{
    char *unknown;
    TN_TRY(find_unknown(f, &unknown));
    bool known = unknown && !*unknown && !load->options->signature;
    tn_status status = known ? load_layers(load, f, model) : load_function(load, f, unknown, model);
    tn__free(unknown);
    return status;
}

tn_status tn__saved_model_load(const tn__load *load, tn_layer **model)
{
    tn__saved_folder folder;
    *model = NULL;
    tn_status status = tn__saved_folder_open(load->options->path, load->options->limit, &folder);
    if (status == TN_OK)
        status = load_opened(load, &folder, model);
    if (status != TN_OK) {
        tn__release(*model);
        *model = NULL;
    }
    tn__saved_folder_close(&folder);
    return status;
}
