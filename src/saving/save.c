/* save.c - models and weights into files and memory. */
#include "saving/archive.h"
#include "saving/checkpoint.h"
#include "saving/json.h"
#include "saving/keras3.h"
#include "saving/legacy.h"
#include "saving/saved_model.h"
#include "base/log.h"
#include <string.h>

typedef enum { BY_PATH, ARCHIVE, HDF5, SAVED_MODEL } form;

/* What will be written, made and checked as a whole before the disk is touched. */
typedef struct {
    tn__saving saving;
    tn__archive_texts texts; /* of an archive */
    bool archive;
} document;

static void document_free(document *d)
{
    tn__archive_texts_free(&d->texts);
    tn__saving_free(&d->saving);
}

static tn_status document_write(const document *d, tn__writer *out)
{
    return d->archive ? tn__archive_write(&d->saving, &d->texts, out)
                      : tn__h5_tree_write(d->saving.tree, out);
}

static tn_status write_file(const document *d, const tn_save_options *o)
{
    tn__writer *out;
    TN_TRY(tn__writer_open(o->path, o->sync, &out));
    return tn__writer_end(out, document_write(d, out));
}

/* --- checks ----------------------------------------------------------------------------------- */
static tn_status check_path(const tn_save_options *o, const char *what)
{
    if (!o->path || !*o->path)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: path is missing", what);
    if (!o->overwrite && tn__path_kind_of(o->path) != TN__PATH_NONE)
        return tn__fail(TN_ALREADY_EXISTS, "%s: '%s' is there already, and overwrite is false",
                        what, o->path);
    return TN_OK;
}

static tn_status check_era(int keras)
{
    if (keras == 0 || keras == 2 || keras == 3)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "tn_save: keras must be 2 or 3, got %d", keras);
}

static bool is_h5(const char *path)
{
    return tn__ends_with(path, ".h5") || tn__ends_with(path, ".hdf5");
}

static form form_named(const char *format)
{
    return strcmp(format, "keras") == 0 ? ARCHIVE
           : strcmp(format, "h5") == 0  ? HDF5
           : strcmp(format, "tf") == 0  ? SAVED_MODEL
                                        : BY_PATH;
}

static tn_status fail_extension(const char *path)
{
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Invalid filepath extension for saving. Please add either a `.keras` extension "
                    "for the native Keras format (recommended) or a `.h5` extension. Received: "
                    "filepath=%s.",
                    path);
}

/* A name that ends like a file of another kind: a folder of that name was hardly meant. */
static bool is_other(const char *path)
{
    static const char *const endings[] = { ".json", ".npy",   ".npz", ".csv",
                                           ".zip",  ".pb",    ".svg", ".txt",
                                           ".ckpt", ".index", ".hdf", ".safetensors" };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (tn__ends_with(path, endings[i]))
            return true;
    return false;
}

/* Any other name is a SavedModel's folder, as in Keras 2. */
static tn_status form_by_path(const char *path, form *found)
{
    if (tn__ends_with(path, ".weights.h5"))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "tn_save writes a whole model, and '%s' is called like weights alone\n"
                        "tn_save_weights() writes those; a model's name ends in .keras or .h5",
                        path);
    *found = tn__ends_with(path, ".keras") || strcmp(path, "-") == 0 ? ARCHIVE
             : is_h5(path)                                           ? HDF5
                                                                     : SAVED_MODEL;
    return *found == SAVED_MODEL && is_other(path) ? fail_extension(path) : TN_OK;
}

static tn_status find_form(const tn_save_options *o, bool to_file, form *found)
{
    *found = o->format ? form_named(o->format) : to_file ? BY_PATH : ARCHIVE;
    if (o->format && *found == BY_PATH)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "tn_save: format must be \"keras\", \"h5\" or \"tf\", got \"%s\"",
                        o->format);
    if (*found == SAVED_MODEL && (!to_file || strcmp(o->path, "-") == 0))
        return tn__fail(TN_INVALID_ARGUMENT, "tn_save: a SavedModel is a folder, and needs a path");
    return *found == BY_PATH ? form_by_path(o->path, found) : TN_OK;
}

/* --- models ----------------------------------------------------------------------------------- */
static tn_status prepare_model(const tn_save_options *o, form form, document *d)
{
    *d = (document){ .archive = form == ARCHIVE };
    d->saving.include_optimizer = o->include_optimizer;
    d->saving.era = form == ARCHIVE || o->keras == 3 ? TN__KERAS_3 : TN__KERAS_2;
    d->saving.either = o->keras == 0;
    d->saving.plain = form != ARCHIVE;
    TN_TRY(tn__saving_begin(&d->saving));
    return form == ARCHIVE ? tn__archive_prepare(&d->saving, o->model, &d->texts)
                           : tn__legacy_write_model(&d->saving, o->model);
}

static void warn_unbuilt(const tn_layer *model)
{
    if (!model->built)
        tn__warn("You are saving a model that has not yet been built. It might not contain any "
                 "weights yet. Consider building the model first by calling it on some data.");
}

static tn_status save_file(const tn_save_options *o, form form)
{
    document d;
    tn_status status = prepare_model(o, form, &d);
    if (status == TN_OK)
        status = write_file(&d, o);
    document_free(&d);
    return status;
}

tn_status tn_save_with(const tn_save_options *options)
{
    TN__ENTER_OPTIONS(context, options, context->error.status);
    form form;
    if (!tn__check_layer(options->model, "tn_save: model"))
        return TN_INVALID_ARGUMENT;
    TN_TRY(check_path(options, "tn_save"));
    TN_TRY(check_era(options->keras));
    TN_TRY(find_form(options, true, &form));
    warn_unbuilt(options->model);
    tn__warn_undeclared(options->model);
    tn_status status =
        form == SAVED_MODEL ? tn__saved_model_save(context, options) : save_file(options, form);
    if (status != TN_OK)
        tn__fail_note("while saving '%s'; what was there before is unchanged", options->path);
    return status;
}

static tn_status write_memory(const document *d, tn__bytes *bytes)
{
    tn__writer *out;
    TN_TRY(tn__writer_to_memory(bytes, &out));
    return tn__writer_end(out, document_write(d, out));
}

tn_bytes tn_save_to_memory_with(const tn_save_options *options)
{
    tn_bytes none = { NULL, 0 };
    TN__ENTER_OPTIONS(context, options, none);
    (void)context;
    form form;
    document d;
    tn__bytes bytes = { 0 };
    if (!tn__check_layer(options->model, "tn_save_to_memory: model") ||
        check_era(options->keras) != TN_OK || find_form(options, false, &form) != TN_OK)
        return none;
    tn_status status = prepare_model(options, form, &d);
    if (status == TN_OK)
        status = write_memory(&d, &bytes);
    document_free(&d);
    size_t size = bytes.size;
    void *copy = status == TN_OK ? tn__scope_alloc(size) : NULL;
    if (copy)
        memcpy(copy, bytes.data, size);
    tn__bytes_free(&bytes);
    return copy ? (tn_bytes){ copy, size } : none;
}

/* --- weights alone ---------------------------------------------------------------------------- */
/* A path without an ending of Keras's is the prefix of a checkpoint, as in Keras 2. */
static bool is_checkpoint(const char *path)
{
    return !is_h5(path) && !tn__ends_with(path, ".keras") && !tn__ends_with(path, "/") &&
           strcmp(path, "-") != 0;
}

static tn_status check_prefix(const tn_save_options *o)
{
    if (o->overwrite || !tn__checkpoint_is(o->path))
        return TN_OK;
    return tn__fail(TN_ALREADY_EXISTS,
                    "tn_save_weights: '%s.index' is there already, and overwrite is false",
                    o->path);
}

static tn_status check_source(const tn_save_options *o)
{
    if (!tn__check_layer(o->model, "tn_save_weights: layer"))
        return TN_INVALID_ARGUMENT;
    TN_TRY(check_path(o, "tn_save_weights"));
    if (is_checkpoint(o->path))
        TN_TRY(check_prefix(o));
    else if (!is_h5(o->path))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "The filename must end in `.weights.h5`. Received: filepath=%s\n"
                        "or in .h5, for weights as Keras 2 writes them, or in nothing, for a "
                        "checkpoint of TensorFlow",
                        o->path);
    if (o->model->built)
        return TN_OK;
    return tn__fail(TN_FAILED_PRECONDITION,
                    "You are saving a model that has not yet been built. Try building the model "
                    "first by calling it on some data or by using `build()`.\ngive its first layer "
                    ".input_shape, or call it "
                    "once: %s was made at %s",
                    tn__layer_print(o->model), o->model->here ? o->model->here : "an unknown line");
}

static tn_status prepare_weights(const tn_save_options *o, document *d)
{
    bool keras3 = tn__ends_with(o->path, ".weights.h5");
    *d = (document){ .archive = false };
    d->saving.include_optimizer = o->include_optimizer;
    d->saving.era = keras3 ? TN__KERAS_3 : TN__KERAS_2;
    d->saving.plain = !keras3;
    TN_TRY(tn__saving_begin(&d->saving));
    tn__h5_node *root = tn__h5_tree_root(d->saving.tree);
    return keras3 ? tn__keras3_write(&d->saving, root, o->model)
                  : tn__legacy_write_weights(&d->saving, root, o->model);
}

static tn_status save_document(const tn_save_options *o)
{
    document d;
    tn_status status = prepare_weights(o, &d);
    if (status == TN_OK)
        status = write_file(&d, o);
    document_free(&d);
    return status;
}

tn_status tn_save_weights_with(const tn_save_options *options)
{
    TN__ENTER_OPTIONS(context, options, context->error.status);
    TN_TRY(check_source(options));
    TN_TRY(check_era(options->keras));
    tn__era era = options->keras == 3 ? TN__KERAS_3 : TN__KERAS_2;
    tn_status status =
        is_checkpoint(options->path)
            ? tn__checkpoint_save(options->model, options->path, options->include_optimizer, era)
            : save_document(options);
    if (status != TN_OK)
        tn__fail_note("while saving '%s'; what was there before is unchanged", options->path);
    return status;
}

/* --- architectures ---------------------------------------------------------------------------- */
/* Keras 2 has them beside the config, and so it is known what its words mean. */
static tn_status add_versions(json_t *json)
{
    TN_TRY(tn__json_set(json, "keras_version", json_string(TN__KERAS_2_VERSION)));
    return tn__json_set(json, "backend", json_string("tensorflow"));
}

static char *json_text(tn_layer *model, tn__era era)
{
    json_t *json = tn__layer_to_json(model, era);
    bool good = json && (era == TN__KERAS_3 || add_versions(json) == TN_OK);
    char *text = good ? tn__json_dump(json) : NULL;
    json_decref(json);
    return text;
}

const char *tn_to_json_with(const tn_to_json_options *options)
{
    TN__ENTER_OPTIONS(context, options, "<failed>");
    (void)context;
    if (!tn__check_layer(options->model, "tn_to_json: model") || check_era(options->keras) != TN_OK)
        return "<failed>";
    char *text = json_text(options->model, options->keras == 2 ? TN__KERAS_2 : TN__KERAS_3);
    const char *result = text ? tn__scope_strdup(text) : NULL;
    tn__free(text);
    return result ? result : "<failed>";
}
