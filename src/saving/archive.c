/* archive.c */
#include "saving/archive.h"
#include "saving/json.h"
#include "saving/keras3.h"
#include "saving/legacy.h"
#include "saving/scopes.h"
#include "saving/trainer_state.h"
#include <string.h>
#include <time.h>

static const char CONFIG[] = "config.json", METADATA[] = "metadata.json", SCOPES[] = "tenon.json",
                  WEIGHTS[] = "model.weights.h5";

/* --- reading ---------------------------------------------------------------------------------- */
tn_status tn__archive_open(const tn__source *source, tn__archive *archive)
{
    *archive = (tn__archive){ .source = *source };
    return tn__zip_open(source->bytes, &(tn__zip_limits){ .decoded = source->decoded },
                        &archive->zip);
}

/* The weights stay where they are when they are stored, as Keras stores them. */
static tn_status find_weights(tn__archive *archive)
{
    size_t index;
    if (!tn__zip_find(archive->zip, WEIGHTS, &index))
        return tn__fail(
            TN_DATA_LOSS,
            "Expected a model.weights.h5 file.\nthe archive has none: it is no .keras file "
            "(arrays of an .npz are read by tn_load_array)");
    if (tn__zip_member_at(archive->zip, index)->method == TN__ZIP_STORED) {
        TN_TRY(tn__zip_check(archive->zip, index));
        return tn__zip_member_in_place(archive->zip, index, &archive->source.bytes);
    }
    TN_TRY(tn__zip_read(archive->zip, index, &archive->decoded));
    archive->source.bytes = tn__bytes_span(&archive->decoded);
    archive->source.mapping = NULL;
    return TN_OK;
}

tn_status tn__archive_open_weights(const tn__source *source, tn__archive *archive)
{
    TN_TRY(tn__archive_open(source, archive));
    TN_TRY(find_weights(archive));
    return tn__h5_open(archive->source.bytes, &(tn__h5_limits){ .decoded = source->decoded },
                       &archive->file);
}

void tn__archive_drop_file(tn__archive *archive, tn__source *source)
{
    if (!archive->decoded.data)
        return;
    tn__zip_close(archive->zip);
    archive->zip = NULL;
    tn__source_drop(source);
}

void tn__archive_close(tn__archive *archive)
{
    tn__h5_close(archive->file);
    tn__bytes_free(&archive->decoded);
    tn__zip_close(archive->zip);
}

tn_status tn__archive_json(tn__archive *archive, const char *member, json_t **json)
{
    size_t index;
    tn__bytes text = { 0 };
    *json = NULL;
    if (!tn__zip_find(archive->zip, member, &index))
        return TN_OK;
    tn_status status = tn__zip_read(archive->zip, index, &text);
    if (status == TN_OK)
        status = tn__json_parse(tn__bytes_span(&text), member, json);
    tn__bytes_free(&text);
    return status;
}

static tn_status read_weights(const tn__load *load, tn__archive *archive, tn_layer *model)
{
    tn__loading loading = tn__load_weights(load, &archive->source);
    tn_status status = tn__keras3_read(&loading, tn__h5_root(archive->file), model);
    if (status == TN_OK)
        status = tn__loading_finish(&loading);
    tn__loading_free(&loading);
    return status;
}

/* Its optimizer is made for the model's variables, so weights and scopes come first. */
static tn_status compile(const tn__load *load, tn__archive *archive, const json_t *config,
                         tn_layer *model)
{
    if (!load->options->compile)
        return TN_OK;
    TN_TRY(tn__trainer_compile(load->context, model, json_object_get(config, "compile_config")));
    return tn__keras3_read_optimizer(load->context, &archive->source, tn__h5_root(archive->file),
                                     model, NULL);
}

/* The members beside the weights. */
typedef struct {
    json_t *metadata, *config, *scopes;
} texts;

static tn_status read_texts(tn__archive *archive, texts *t)
{
    TN_TRY(tn__archive_json(archive, METADATA, &t->metadata));
    TN_TRY(tn__archive_json(archive, CONFIG, &t->config));
    return tn__archive_json(archive, SCOPES, &t->scopes);
}

static void texts_free(texts *t)
{
    json_decref(t->metadata);
    json_decref(t->config);
    json_decref(t->scopes);
}

/* Keras 2.12 to 2.15 wrote archives too: the metadata say what words in the config mean. */
static tn_status make_model(tn__load *load, tn__archive *archive, const texts *t, tn_layer **model)
{
    uint64_t room = tn__weight_room(&load->source);
    if (!t->config)
        return tn__fail(TN_DATA_LOSS, "'%s' is a zip archive without config.json: no .keras file",
                        load->source.name);
    tn__archive_drop_file(archive, &load->source);
    TN_TRY(tn__load_config(load->context, t->config, tn__json_text(t->metadata, "keras_version"),
                           true, room, model));
    return t->scopes ? tn__scopes_from_json(load->context, *model, t->scopes) : TN_OK;
}

static tn_status load_parts(tn__load *load, tn__archive *archive, texts *t, tn_layer **model)
{
    TN_TRY(read_texts(archive, t));
    TN_TRY(make_model(load, archive, t, model));
    TN_TRY(read_weights(load, archive, *model));
    return compile(load, archive, t->config, *model);
}

static tn_status load_opened(tn__load *load, tn__archive *archive, tn_layer **model)
{
    texts t = { 0 };
    tn_status status = load_parts(load, archive, &t, model);
    texts_free(&t);
    if (status != TN_OK) {
        tn__release(*model);
        *model = NULL;
    }
    return status;
}

tn_status tn__archive_load(tn__load *load, tn_layer **model)
{
    tn__archive archive;
    *model = NULL;
    tn_status status = tn__archive_open_weights(&load->source, &archive);
    if (status == TN_OK)
        status = load_opened(load, &archive, model);
    tn__archive_close(&archive);
    return status;
}

/* --- writing ---------------------------------------------------------------------------------- */
static char *make_metadata(void)
{
    char date[32] = "";
    struct tm parts;
    time_t now = time(NULL);
    if (localtime_r(&now, &parts))
        strftime(date, sizeof date, "%Y-%m-%d@%H:%M:%S", &parts);
    return tn__print("{\"keras_version\": \"%s\", \"date_saved\": \"%s\", \"" TN__OWN_MARK
                     "\": \"%s\"}",
                     TN__KERAS_3_VERSION, date, tn_version());
}

static tn_status add_compile_config(tn_layer *model, json_t *json)
{
    json_t *compiled;
    TN_TRY(tn__trainer_config(model, TN__ARCHIVE, &compiled));
    return compiled ? tn__json_set(json, "compile_config", compiled) : TN_OK;
}

static tn_status make_config(tn_layer *model, bool compiled, char **text)
{
    json_t *json = tn__layer_to_json(model, TN__KERAS_3);
    if (json && (!compiled || add_compile_config(model, json) == TN_OK))
        *text = tn__json_dump(json);
    json_decref(json);
    return *text ? TN_OK : tn__errors()->status;
}

static tn_status make_scopes(tn_layer *model, char **text)
{
    json_t *json;
    TN_TRY(tn__scopes_to_json(model, &json));
    if (!json)
        return TN_OK;
    *text = tn__json_dump(json);
    json_decref(json);
    return *text ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

tn_status tn__archive_prepare(tn__saving *saving, tn_layer *model, tn__archive_texts *texts)
{
    *texts = (tn__archive_texts){ .metadata = make_metadata() };
    if (!texts->metadata)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(make_config(model, saving->include_optimizer, &texts->config));
    TN_TRY(make_scopes(model, &texts->scopes));
    return tn__keras3_write(saving, tn__h5_tree_root(saving->tree), model);
}

void tn__archive_texts_free(tn__archive_texts *texts)
{
    tn__free(texts->metadata);
    tn__free(texts->config);
    tn__free(texts->scopes);
}

static tn_status add_text(tn__zip_writer *zip, const char *name, const char *text)
{
    return text ? tn__zip_add(zip, name, TN__ZIP_STORED, text, strlen(text)) : TN_OK;
}

static tn_status write_members(tn__zip_writer *zip, const tn__saving *saving,
                               const tn__archive_texts *texts)
{
    tn__writer *member;
    TN_TRY(add_text(zip, METADATA, texts->metadata));
    TN_TRY(add_text(zip, CONFIG, texts->config));
    TN_TRY(add_text(zip, SCOPES, texts->scopes));
    TN_TRY(tn__zip_member_writer(zip, WEIGHTS, TN__ZIP_STORED, &member));
    return tn__writer_end(member, tn__h5_tree_write(saving->tree, member));
}

tn_status tn__archive_write(const tn__saving *saving, const tn__archive_texts *texts,
                            tn__writer *out)
{
    tn__zip_writer *zip;
    TN_TRY(tn__zip_writer_open(out, &zip));
    tn_status status = write_members(zip, saving, texts);
    if (status == TN_OK)
        return tn__zip_finish(zip);
    tn__zip_writer_free(zip);
    return status;
}
