/* saved_model_fuzz.c - any bytes as a SavedModel, a graph and an object graph: what can be read is
 * written, and what was written is read and written again as the same bytes. */
#include "formats/saved_model.h"
#include "formats/tensor_proto.h"
#include <string.h>

static void there_and_back(const tn__pb_message *message, tn__span span, void *into, void *again,
                           size_t size)
{
    tn__arena arena = { .limit = 1 << 24 }, other = { .limit = 1 << 24 };
    tn__bytes first = { 0 }, second = { 0 };
    memset(into, 0, size);
    memset(again, 0, size);
    if (tn__pb_read(message, span, &arena, into) == TN_OK &&
        tn__pb_write(message, into, &first) == TN_OK &&
        tn__pb_read(message, tn__bytes_span(&first), &other, again) == TN_OK) {
        if (tn__pb_write(message, again, &second) != TN_OK || first.size != second.size ||
            (first.size && memcmp(first.data, second.data, first.size) != 0))
            __builtin_trap();
    }
    tn__fail_clear();
    tn__bytes_free(&first);
    tn__bytes_free(&second);
    tn__arena_free(&arena);
    tn__arena_free(&other);
}

static void try_tensor(tn__span span)
{
    tn__arena arena = { .limit = 1 << 24 };
    tn__tensor_def tensor = { 0 };
    uint64_t count, size;
    if (tn__pb_read(&tn__pb_tensor, span, &arena, &tensor) == TN_OK &&
        tn__tensor_proto_measure(&tensor, &count, &size) == TN_OK && size < 1 << 20) {
        void *out = tn__alloc((size_t)size);
        if (out && size)
            tn__tensor_proto_copy(&tensor, out);
        if (tensor.dtype == TN__TF_STRING && count)
            tn__tensor_proto_text(&tensor, count - 1);
        tn__free(out);
    }
    tn__fail_clear();
    tn__arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tn__span span = { data, size };
    tn__saved_model model[2];
    tn__graph_def graph[2];
    tn__object_graph objects;
    tn__arena arena = { .limit = 1 << 24 };
    there_and_back(&tn__pb_saved_model, span, &model[0], &model[1], sizeof *model);
    there_and_back(&tn__pb_graph, span, &graph[0], &graph[1], sizeof *graph);
    try_tensor(span);
    if (tn__object_graph_read(span, &arena, &objects) == TN_OK)
        tn__object_graph_child(&objects, 0, "model");
    tn__fail_clear();
    tn__arena_free(&arena);
    return 0;
}
