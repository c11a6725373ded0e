/* load_fuzz.c - any bytes as a model, as weights for a model, and, when they are JSON, as a model's
 * config. */
#include "saving/json.h"
#include "saving/load.h"

enum { LIMIT = 1 << 22 };

static void silence(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    (void)self, (void)kind, (void)text, (void)size;
}

static void load_file(const uint8_t *data, size_t size)
{
    tn_load_options load = {
        .size_ = sizeof load, .compile = true, .limit = LIMIT, .data = data, .size = size
    };
    tn_model *model = tn_load_model_with(&load);
    tn_load_weights_options weights = {
        .size_ = sizeof weights, .layer = model, .limit = LIMIT, .data = data, .size = size
    };
    if (model)
        (void)!tn_load_weights_with(&weights);
}

static void load_config(tn__span text)
{
    json_t *json;
    tn_layer *model = NULL;
    if (tn__json_parse(text, "the config", &json) != TN_OK)
        return;
    if (tn__load_config(tn__context(), json, true, LIMIT, &model) == TN_OK)
        tn_to_json_with(&(tn_to_json_options){
            .size_ = sizeof(tn_to_json_options), .model = model, .keras = 3 });
    tn__release(model);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tn_set_sink((tn_sink){ silence, NULL, false });
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
