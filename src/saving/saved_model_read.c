/* saved_model_read.c - a model out of a SavedModel: of layers, where Keras 2 wrote their configs
 * beside it; else one that runs its function. */
#include "saving/saved_model.h"
#include "saving/saved_model_function.h"
#include "saving/checkpoint.h"
#include "saving/saved_folder.h"
#include "saving/trainer_state.h"
#include <string.h>

/* A class that the program has not is Python's: its config makes nothing here. */
static bool has_config(const tn__saved_folder *f)
{
    const char *name = tn__json_text(f->root, "class_name");
    return name && json_is_object(json_object_get(f->root, "config")) &&
           (tn__class_find(name) != NULL || strcmp(name, "Model") == 0);
}

/* --- a model of layers ------------------------------------------------------------------------ */
static tn_status load_weights(const tn__load *load, const tn__saved_folder *f,
                              const tn__source *source, tn_layer *model)
{
    tn__loading loading = tn__load_weights(load, source);
    const json_t *training = json_object_get(f->root, "training_config");
    tn_status status = TN_OK;
    if (load->options->compile && json_is_object(training))
        status = tn__trainer_compile(load->context, model, training);
    if (status == TN_OK && f->bundle)
        status = tn__checkpoint_load(load->context, &loading, f->bundle,
                                     &(tn__checkpoint_names){ NULL, NULL }, model, true);
    tn__loading_free(&loading);
    return status;
}

static tn_status make_config(const tn__saved_folder *f, json_t **config)
{
    *config = json_pack("{s:O, s:O}", "class_name", json_object_get(f->root, "class_name"),
                        "config", json_object_get(f->root, "config"));
    if (!*config)
        return tn__fail_memory(0);
    json_t *shape = json_object_get(f->root, "build_input_shape");
    if (!json_is_array(shape))
        return TN_OK;
    json_t *build = json_pack("{s:O}", "input_shape", shape);
    return tn__json_set(*config, "build_config", build);
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
static tn_status load_opened(const tn__load *load, const tn__saved_folder *f, tn_layer **model)
{
    if (has_config(f))
        return load_layers(load, f, model);
    return tn__saved_function_load(load->context, f->graph, f->bundle, f->path, model);
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
