/* load_fuzz.c - any bytes as a model, and as weights for a model. */
#include "saving/source.h"
#include "tenon/files.h"

static void silence(void *self, tn_sink_kind kind, const char *text, size_t size)
{
    (void)self, (void)kind, (void)text, (void)size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { LIMIT = 1 << 22 };
    tn_set_sink((tn_sink){ silence, NULL, false });
    size_t depth = tn_scope_depth();
    tn_scope_push();
    tn_load_options load = {
        .size_ = sizeof load, .compile = true, .limit = LIMIT, .data = data, .size = size
    };
    tn_model *model = size ? tn_load_model_with(&load) : NULL;
    tn_load_weights_options weights = {
        .size_ = sizeof weights, .layer = model, .limit = LIMIT, .data = data, .size = size
    };
    if (model)
        (void)!tn_load_weights_with(&weights);
    tn_catch(TN_ANY_ERROR);
    tn_scope_pop(depth);
    return 0;
}
