/* json_fuzz.c - any bytes as JSON: what is read is written so that it reads the same again, and
 * makes a model or an error in either generation's words. */
#include "nn/layer.h"
#include "saving/fuzz.h"
#include "saving/json.h"
#include <string.h>

static void write_and_read(const json_t *json)
{
    json_t *again;
    char *text = tn__json_dump(json);
    if (!text || tn__json_parse((tn__span){ (uint8_t *)text, strlen(text) }, "what was written",
                                &again) != TN_OK)
        __builtin_trap();
    if (!json_equal(json, again))
        __builtin_trap();
    json_decref(again);
    tn__free(text);
}

/* The model again from what it writes. One that is not built yet may turn out not to fit the input
 * that its file names only then. */
static void make_model(const char *text)
{
    tn_model *model = tn_model_from_json(text);
    for (int keras = 2; model && keras <= 3; keras++) {
        const char *written = tn_to_json(model, .keras = keras);
        bool same = written && tn_model_from_json(written);
        if (!same && !fuzz_excused() && model->built)
            __builtin_trap();
    }
    tn_catch(TN_ANY_ERROR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json;
    fuzz_begin();
    size_t depth = tn_scope_depth();
    tn_scope_push();
    if (tn__json_parse((tn__span){ data, size }, "the input", &json) == TN_OK) {
        write_and_read(json);
        json_decref(json);
        char *text = tn__strndup((const char *)data, size);
        if (text)
            make_model(text);
        tn__free(text);
    }
    tn_catch(TN_ANY_ERROR);
    tn_scope_pop(depth);
    return 0;
}
