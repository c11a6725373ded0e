/* load.c - models and weights, from whatever their file turns out to be. */
#include "saving/load.h"
#include "nn/config.h"
#include "saving/archive.h"
#include "saving/checkpoint.h"
#include "saving/json.h"
#include "saving/keras3.h"
#include "saving/legacy.h"
#include "saving/saved_model.h"
#include "saving/trainer_state.h"
#include <string.h>

/* --- a model from its config ------------------------------------------------------------------ */
static tn_status fail_unknown(const char *classes, bool archive)
{
    int first = (int)strcspn(classes, ",");
    const char *package = memchr(classes, '>', (size_t)first),
               *own = package ? package + 1 : classes;
    int length = first - (int)(own - classes);
    const char *line = archive ? "Could not locate class '%.*s'. Make sure custom classes and "
                                 "functions are decorated with "
                                 "`@keras.saving.register_keras_serializable()`."
                               : "Unknown layer: '%.*s'. Please ensure you are using a "
                                 "`keras.utils.custom_object_scope` and that "
                                 "this object is included in the scope.";
    char *text = tn__print(line, first, classes);
    tn_status status =
        tn__fail(TN_INVALID_ARGUMENT,
                 "%s\nnobody knows: %s\na C program that has the class makes it known with "
                 "tn_register_class(&%.*s) before "
                 "it loads the file; tn_inspect() and tenon inspect show what the file holds",
                 text ? text : "", classes, length, own);
    tn__free(text);
    return status;
}

static tn_status check_classes(const json_t *json, bool archive)
{
    char *classes = tn__unknown_classes(json);
    if (!classes)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = *classes ? fail_unknown(classes, archive) : TN_OK;
    tn__free(classes);
    return status;
}

/* A class of the program's own may make its weights in call: it is called once, on shapes. */
static tn_status run_on_shapes(tn_context *context, tn_layer *model, const tn_shape *shapes,
                               const tn_dtype *dtypes, size_t count)
{
    tn_tensor *inputs[TN_MAX_RANK] = { NULL }, *result = NULL;
    tn_graph *scratch = tn__graph_new(), *outer = context->graph;
    tn_status status = scratch ? TN_OK : TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count && status == TN_OK; i++)
        status = tn__graph_input(context, scratch, dtypes[i], &shapes[i], NULL, &inputs[i]);
    context->graph = scratch;
    context->tape_pause++;
    if (status == TN_OK)
        status = tn__layer_run(context, model, (tn_list){ count, inputs }, -1, &result);
    context->tape_pause--;
    context->graph = outer;
    tn__release(result);
    for (size_t i = 0; i < count; i++)
        tn__release(inputs[i]);
    tn__release(scratch);
    return status;
}

/* "input_dtype", which SavedModels tell: ["int32"]. */
static tn_dtype input_dtype(const json_t *build, size_t i)
{
    const char *name = json_string_value(json_array_get(json_object_get(build, "input_dtype"), i));
    tn_dtype dtype = name ? tn__dtype_of_name(name) : (tn_dtype)0;
    return dtype ? dtype : TN_FLOAT32;
}

/* {"input_shape": [null, 4]}, or a list of such lists. */
static tn_status build(tn_context *context, const json_t *json, tn_layer *model)
{
    const json_t *all = json_object_get(json, "build_config");
    const json_t *given = json_object_get(all, "input_shape");
    tn_shape shapes[TN_MAX_RANK];
    tn_dtype dtypes[TN_MAX_RANK];
    size_t count = 0;
    if (model->built || !json_is_array(given))
        return TN_OK;
    bool several = json_is_array(json_array_get(given, 0));
    size_t wanted = several ? json_array_size(given) : 1;
    for (; count < wanted && count < TN_MAX_RANK; count++) {
        dtypes[count] = input_dtype(all, count);
        if (!tn__shape_from_json(several ? json_array_get(given, count) : given, &shapes[count]))
            return tn__fail(TN_DATA_LOSS, "build_config of '%s' has no shapes", model->name);
    }
    return count == wanted ? run_on_shapes(context, model, shapes, dtypes, count) : TN_OK;
}

tn_status tn__load_layer(tn_context *context, const json_t *json, tn_layer **model)
{
    TN_TRY(tn__layer_from_json(context, json, model));
    return build(context, json, *model);
}

uint64_t tn__weight_room(const tn__source *source)
{
    const uint64_t usual = (uint64_t)4 << 30, twice = 2 * (uint64_t)source->bytes.size;
    uint64_t limit = source->decoded ? source->decoded : usual;
    return limit > twice ? limit : twice;
}

tn_status tn__load_config(tn_context *context, json_t *json, const char *version, bool archive,
                          uint64_t room, tn_layer **model)
{
    *model = NULL;
    TN_TRY(tn__leave_out_masks(json));
    TN_TRY(check_classes(json, archive));
    TN_TRY(tn__upgrade_config(json, version));
    uint64_t outer = context->weight_room;
    if (room && (outer == 0 || room < outer))
        context->weight_room = room < UINT64_MAX ? room + 1 : room;
    tn_status status = tn__load_layer(context, json, model);
    context->weight_room = outer;
    if (status != TN_OK) {
        tn__release(*model);
        *model = NULL;
    }
    return status;
}

tn__loading tn__load_weights(const tn__load *load, const tn__source *source)
{
    return (tn__loading){ .source = source,
                          .fresh = true,
                          .report = load->options->report,
                          .report_self = load->options->report_self };
}

/* --- .h5 -------------------------------------------------------------------------------------- */
tn_status tn__read_text(tn__h5_object *root, const char *name, tn__h5_strings *text)
{
    tn__h5_object *attribute;
    *text = (tn__h5_strings){ 0 };
    TN_TRY(tn__h5_attribute(root, name, &attribute));
    return attribute ? tn__h5_read_strings(attribute, text) : TN_OK;
}

tn_status tn__read_json(tn__h5_object *root, const char *name, json_t **json)
{
    tn__h5_strings text;
    *json = NULL;
    TN_TRY(tn__read_text(root, name, &text));
    tn_status status = TN_OK;
    if (text.count > 0)
        status = tn__json_parse((tn__span){ (const uint8_t *)text.item[0].text, text.item[0].size },
                                name, json);
    tn__h5_strings_free(&text);
    return status;
}

static tn_status read_weights(const tn__load *load, tn__h5_object *root, tn_layer *model)
{
    tn__h5_object *weights, *own;
    tn__loading loading = tn__load_weights(load, &load->source);
    TN_TRY(tn__h5_find(root, "model_weights", &weights));
    if (!weights)
        return tn__fail(TN_DATA_LOSS, "'%s' has a model's config, but no group 'model_weights'",
                        load->source.name);
    tn_status status = tn__legacy_read(&loading, weights, model);
    if (status == TN_OK)
        status = tn__loading_finish(&loading);
    tn__loading_free(&loading);
    TN_TRY(status);
    TN_TRY(tn__h5_attribute(root, TN__OWN_MARK, &own));
    return own ? tn__legacy_read_scopes(load->context, weights, model) : TN_OK;
}

static tn_status compile(const tn__load *load, tn__h5_object *root, tn_layer *model)
{
    json_t *config;
    if (!load->options->compile)
        return TN_OK;
    TN_TRY(tn__read_json(root, "training_config", &config));
    tn_status status = tn__trainer_compile(load->context, model, config);
    json_decref(config);
    return status == TN_OK
               ? tn__legacy_read_optimizer(load->context, &load->source, root, model, NULL)
               : status;
}

static tn_status fail_no_config(const tn__load *load, tn__h5_object *root)
{
    bool keras3;
    tn__h5_object *weights;
    TN_TRY(tn__keras3_is(root, &keras3));
    TN_TRY(tn__legacy_weights(root, &weights));
    return tn__fail(
        TN_INVALID_ARGUMENT, "No model config found in the file at %s.\n%s", load->source.name,
        keras3 || weights ? "it holds weights only: make the model, then tn_load_weights()"
                          : "it is an HDF5 file, but Keras has not written it");
}

/* The file's version decides what words in its config mean; the first files had none. */
static tn_status make_model(const tn__load *load, tn__h5_object *root, json_t *config,
                            tn_layer **model)
{
    tn__h5_strings version;
    TN_TRY(tn__read_text(root, "keras_version", &version));
    const char *given = version.count ? version.item[0].text : "1.0";
    tn_status status =
        tn__load_config(load->context, config, given, false, tn__weight_room(&load->source), model);
    tn__h5_strings_free(&version);
    return status;
}

static tn_status load_root(tn__load *load, tn__h5_object *root, tn_layer **model)
{
    json_t *config;
    TN_TRY(tn__read_json(root, "model_config", &config));
    if (!config)
        return fail_no_config(load, root);
    tn_status status = make_model(load, root, config, model);
    json_decref(config);
    if (status == TN_OK)
        status = read_weights(load, root, *model);
    if (status == TN_OK)
        status = compile(load, root, *model);
    if (status != TN_OK) {
        tn__release(*model);
        *model = NULL;
    }
    return status;
}

static tn_status load_hdf5(tn__load *load, tn_layer **model)
{
    tn__h5 *file;
    TN_TRY(tn__h5_open(load->source.bytes, &(tn__h5_limits){ .decoded = load->source.decoded },
                       &file));
    tn_status status = load_root(load, tn__h5_root(file), model);
    tn__h5_close(file);
    return status;
}

/* --- models ----------------------------------------------------------------------------------- */
static tn_status fail_format(const tn__source *source)
{
    return tn__fail(
        TN_INVALID_ARGUMENT,
        "File format not supported: filepath=%s.\nit begins like none of them: "
        "supported are .keras archives, .h5 files of Keras 1 to 3, and .weights.h5 files",
        source->name);
}

static tn_status load_opened(tn__load *load, tn_layer **model)
{
    switch (tn__source_format(&load->source)) {
    case TN__FORMAT_ZIP:
        return tn__archive_load(load, model);
    case TN__FORMAT_HDF5:
        return load_hdf5(load, model);
    case TN__FORMAT_JSON:
        return tn__fail(TN_INVALID_ARGUMENT,
                        "'%s' is an architecture without weights\ntn_load_json() makes the model, "
                        "tn_load_weights() reads weights into it",
                        load->source.name);
    default:
        return fail_format(&load->source);
    }
}

static tn_status load_any(tn__load *load, tn_layer **model)
{
    const tn_load_options *options = load->options;
    tn__span data = { options->data, options->size };
    bool folder = !data.data && tn__saved_folder_is(options->path);
    if (!folder)
        TN_TRY(tn__source_open(options->path, data, options->map, options->limit, &load->source));
    tn_status status = tn__source_share(&load->source);
    if (status == TN_OK)
        status = folder ? tn__saved_model_load(load, model) : load_opened(load, model);
    if (status != TN_OK)
        tn__fail_note("while loading '%s'", folder ? options->path : load->source.name);
    tn__source_close(&load->source);
    return status;
}

tn_model *tn_load_model_with(const tn_load_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    TN__EAGERLY(context);
    tn__load load = { .context = context, .options = options };
    tn_layer *model = NULL;
    return load_any(&load, &model) == TN_OK ? tn__own(model) : NULL;
}

tn_model *tn_load_model_from_memory(const void *data, size_t size)
{
    return tn_load_model_with(&(tn_load_options){ .size_ = sizeof(tn_load_options),
                                                  .compile = true,
                                                  .data = data ? data : "",
                                                  .size = size });
}

/* --- weights alone ---------------------------------------------------------------------------- */
static tn_status match_hdf5(tn__loading *loading, tn__h5_object *root, tn_layer *layer)
{
    tn__h5_object *weights;
    bool keras3;
    TN_TRY(tn__legacy_weights(root, &weights));
    if (weights)
        return tn__legacy_read(loading, weights, layer);
    TN_TRY(tn__keras3_is(root, &keras3));
    if (!keras3)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "'%s' is an HDF5 file, but it holds no weights as Keras writes them",
                        loading->source->name);
    if (loading->by_name)
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "`by_name` only supports loading legacy '.h5' or '.hdf5' files. Received: %s",
            loading->source->name);
    return tn__keras3_read(loading, root, layer);
}

static tn_status match_and_finish(tn__loading *loading, tn__h5 *file, tn_layer *layer)
{
    TN_TRY(match_hdf5(loading, tn__h5_root(file), layer));
    return tn__loading_finish(loading);
}

static tn_status weights_from_archive(tn__loading *loading, tn__source *source, tn_layer *layer)
{
    tn__archive archive;
    tn_status status = tn__archive_open_weights(source, &archive);
    loading->source = &archive.source;
    tn__archive_drop_file(&archive, source);
    if (status == TN_OK)
        status = match_and_finish(loading, archive.file, layer);
    tn__archive_close(&archive);
    return status;
}

static tn_status weights_from_hdf5(tn__loading *loading, tn_layer *layer)
{
    tn__h5 *file;
    const tn__source *source = loading->source;
    TN_TRY(tn__h5_open(source->bytes, &(tn__h5_limits){ .decoded = source->decoded }, &file));
    tn_status status = match_and_finish(loading, file, layer);
    tn__h5_close(file);
    return status;
}

static tn_status weights_from_bundle(tn__loading *loading, tn__bundle *bundle,
                                     const tn_load_weights_options *o)
{
    const tn__checkpoint_names names = { o->prefix, o->rename };
    tn_status status = tn__checkpoint_load(tn__context(), loading, bundle, &names, o->layer, false);
    tn__bundle_close(bundle);
    return status;
}

/* PREFIX.index where PREFIX was meant, or a checkpoint of the first format. */
static tn_status weights_from_table(tn__loading *loading, const tn__source *source,
                                    const tn_load_weights_options *o)
{
    tn__bundle *bundle;
    TN_TRY(tn__checkpoint_open(source, &bundle));
    return weights_from_bundle(loading, bundle, o);
}

static tn_status check_names(const tn__source *source, const tn_load_weights_options *o)
{
    if ((!o->prefix && !o->rename) || tn__source_format(source) == TN__FORMAT_TABLE)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "tn_load_weights: '%s' is no checkpoint of TensorFlow, and prefix and rename "
                    "are for those",
                    source->name);
}

tn_status tn__load_into(tn__loading *loading, tn__source *source, const tn_load_weights_options *o)
{
    TN_TRY(check_names(source, o));
    switch (tn__source_format(source)) {
    case TN__FORMAT_ZIP:
        return weights_from_archive(loading, source, o->layer);
    case TN__FORMAT_HDF5:
        return weights_from_hdf5(loading, o->layer);
    case TN__FORMAT_TABLE:
        return weights_from_table(loading, source, o);
    default:
        return fail_format(loading->source);
    }
}

static tn_status check_target(tn_layer *layer)
{
    if (!tn__check_layer(layer, "tn_load_weights: layer"))
        return TN_INVALID_ARGUMENT;
    if (layer->built)
        return TN_OK;
    return tn__fail(
        TN_FAILED_PRECONDITION,
        "You are loading weights into a model that has not yet been built. Try building "
        "the model first by calling it on some data or by using `build()`.\ngive its first layer "
        ".input_shape, "
        "or call it once: %s was made at %s",
        tn__layer_print(layer), layer->here ? layer->here : "an unknown line");
}

static tn__loading loading_of(const tn_load_weights_options *o, const tn__source *source)
{
    return (tn__loading){ .source = source,
                          .skip_mismatch = o->skip_mismatch,
                          .by_name = o->by_name,
                          .report = o->report,
                          .report_self = o->report_self };
}

static tn_status load_file(const tn_load_weights_options *o)
{
    tn__source source;
    tn__span data = { o->data, o->size };
    TN_TRY(tn__source_open(o->path, data, o->map, o->limit, &source));
    tn__loading loading = loading_of(o, &source);
    tn_status status = tn__load_into(&loading, &source, o);
    if (status != TN_OK)
        tn__fail_note("while loading '%s'", source.name);
    tn__loading_free(&loading);
    tn__source_close(&source);
    return status;
}

/* Two files, of which the path is only the beginning. */
static tn_status load_prefix(const tn_load_weights_options *o)
{
    tn__source source = { .name = o->path, .decoded = o->limit };
    tn__bundle *bundle;
    tn__loading loading = loading_of(o, &source);
    TN_TRY(tn__bundle_open(o->path, &(tn__bundle_limits){ .decoded = o->limit }, &bundle));
    tn_status status = weights_from_bundle(&loading, bundle, o);
    if (status != TN_OK)
        tn__fail_note("while loading '%s'", source.name);
    tn__loading_free(&loading);
    return status;
}

/* What a path stands for besides a file: a checkpoint by its folder, or that in a SavedModel. */
static tn_status find_weights(const char *path, char **found)
{
    TN_TRY(tn__checkpoint_find(path, found));
    if (*found || !tn__saved_folder_is(path))
        return TN_OK;
    *found = tn__print("%s/" TN__VARIABLES_PREFIX, path);
    return *found ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

tn_status tn_load_weights_with(const tn_load_weights_options *options)
{
    TN__ENTER_OPTIONS(context, options, context->error.status);
    TN__EAGERLY(context);
    char *last = NULL;
    tn_load_weights_options o = *options;
    TN_TRY(check_target(o.layer));
    if (!o.data)
        TN_TRY(find_weights(o.path, &last));
    o.path = last ? last : o.path;
    bool prefix = !o.data && tn__checkpoint_is_prefix(o.path);
    tn_status status = prefix ? load_prefix(&o) : load_file(&o);
    tn__free(last);
    return status;
}

/* --- architectures ---------------------------------------------------------------------------- */
/* Keras 1 and 2 write their version beside the config; Keras 3 writes modules instead. */
static tn_layer *from_json(tn_context *context, tn__span text, const char *what)
{
    json_t *json;
    tn_layer *model = NULL;
    if (tn__json_parse(text, what, &json) != TN_OK)
        return NULL;
    bool modules = json_object_get(json, "module") != NULL;
    const char *version = tn__json_text(json, "keras_version");
    (void)!tn__load_config(context, json, version || modules ? version : "1.0", modules, 0, &model);
    json_decref(json);
    return model;
}

tn_model *tn_model_from_json(const char *json)
{
    TN__ENTER(context, NULL);
    TN__EAGERLY(context);
    if (!json) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_model_from_json: json is NULL");
        return NULL;
    }
    tn__span text = { (const uint8_t *)json, strlen(json) };
    return tn__own(from_json(context, text, "the model's config"));
}

tn_model *tn_load_json(const char *path)
{
    TN__ENTER(context, NULL);
    TN__EAGERLY(context);
    tn__source source;
    if (tn__source_open(path, (tn__span){ NULL, 0 }, false, 0, &source) != TN_OK)
        return NULL;
    tn_layer *model = from_json(context, source.bytes, path);
    tn__source_close(&source);
    return tn__own(model);
}
