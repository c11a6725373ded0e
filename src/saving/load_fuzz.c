/* load_fuzz.c - any bytes as a model, as weights for a model, and, when they are JSON, as a model's
 * config. What loads must save, and load again from that. */
#include "formats/zip.h"
#include "nn/layer.h"
#include "saving/fuzz.h"
#include "saving/json.h"
#include "saving/load.h"
#include <string.h>

enum { LIMIT = 1 << 22 };

static tn_model *load(const void *data, size_t size)
{
    return tn_load_model_with(&(tn_load_options){ .size_ = sizeof(tn_load_options),
                                                  .compile = true,
                                                  .limit = LIMIT,
                                                  .data = data,
                                                  .size = size });
}

static void save_and_load_again(tn_model *model)
{
    tn_bytes bytes = tn_save_to_memory(model);
    bool same = bytes.data && load(bytes.data, bytes.size);
    if (!same && !fuzz_excused() && model->built)
        __builtin_trap();
}

/* Weights need a model to go into; the smallest one that has weights of two layers. */
static tn_model *any_model(void)
{
    return tn_sequential(
        TN_LAYERS(tn_dense(3, .activation = "relu", .name = "hidden", .input_shape = TN_SHAPE(4)),
                  tn_dense(2, .name = "out")),
        .name = "plain");
}

static void load_weights(tn_model *model, const uint8_t *data, size_t size)
{
    tn_load_weights_options options = { .size_ = sizeof options,
                                        .layer = model,
                                        .limit = LIMIT,
                                        .by_name = size & 1,
                                        .skip_mismatch = size & 2,
                                        .data = data,
                                        .size = size };
    (void)!tn_load_weights_with(&options);
    tn_catch(TN_ANY_ERROR);
}

static void load_file(const uint8_t *data, size_t size)
{
    tn_model *model = load(data, size);
    if (model) {
        load_weights(model, data, size);
        save_and_load_again(model);
    }
    tn_catch(TN_ANY_ERROR);
    load_weights(any_model(), data, size);
}

static void load_config(tn__span text)
{
    json_t *json;
    tn_layer *model = NULL;
    if (tn__json_parse(text, "the config", &json) != TN_OK)
        return;
    if (tn__load_config(tn__context(), json, "2.0", true, LIMIT, &model) == TN_OK)
        tn_to_json_with(&(tn_to_json_options){
            .size_ = sizeof(tn_to_json_options), .model = model, .keras = 3 });
    tn__release(model);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin();
    size_t depth = tn_scope_depth();
    tn_scope_push();
    if (size && data[0] == '{')
        load_config((tn__span){ data, size });
    else if (size)
        load_file(data, size);
    tn_catch(TN_ANY_ERROR);
    tn_scope_pop(depth);
    return 0;
}

/* --- changing archives ------------------------------------------------------------------------ */
/* A changed byte in an archive only leads to a wrong checksum, so it is a member that is changed,
 * and the archive written anew. */

/* The fuzzer's own; not there where files are only replayed. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

static tn_status add_member(tn__zip *zip, size_t index, bool change, size_t most,
                            tn__zip_writer *out)
{
    tn__bytes bytes;
    TN_TRY(tn__zip_read(zip, index, &bytes));
    size_t size = bytes.size;
    tn_status status = change ? tn__bytes_resize(&bytes, most) : TN_OK;
    if (change && status == TN_OK)
        size = LLVMFuzzerMutate(bytes.data, size < most ? size : most, most);
    if (status == TN_OK)
        status =
            tn__zip_add(out, tn__zip_member_at(zip, index)->name, TN__ZIP_STORED, bytes.data, size);
    tn__bytes_free(&bytes);
    return status;
}

static tn_status add_members(tn__zip *zip, size_t changed, size_t most, tn__writer *writer)
{
    tn__zip_writer *out;
    tn_status status = TN_OK;
    TN_TRY(tn__zip_writer_open(writer, &out));
    for (size_t i = 0; i < tn__zip_count(zip) && status == TN_OK; i++)
        status = add_member(zip, i, i == changed, most, out);
    if (status == TN_OK)
        return tn__zip_finish(out);
    tn__zip_writer_free(out);
    return status;
}

static tn_status change_archive(tn__span archive, size_t most, unsigned seed, tn__bytes *changed)
{
    tn__zip *zip;
    tn__writer *writer;
    TN_TRY(tn__zip_open(archive, &(tn__zip_limits){ .decoded = LIMIT }, &zip));
    size_t count = tn__zip_count(zip);
    tn_status status = count ? tn__writer_to_memory(changed, &writer) : TN_DATA_LOSS;
    if (status == TN_OK) {
        status = add_members(zip, seed % count, most, writer);
        if (status == TN_OK)
            status = tn__writer_commit(writer);
        else
            tn__writer_abort(writer);
    }
    tn__zip_close(zip);
    return status;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    tn__bytes changed = { 0 };
    bool archive = size > 2 && memcmp(data, "PK", 2) == 0 && seed % 16 != 0;
    if (archive)
        archive = change_archive((tn__span){ data, size }, most, seed / 16, &changed) == TN_OK;
    tn__fail_clear();
    archive = archive && changed.size && changed.size <= most;
    if (archive)
        memcpy(data, changed.data, changed.size);
    size = archive ? changed.size : LLVMFuzzerMutate(data, size, most);
    tn__bytes_free(&changed);
    return size;
}
