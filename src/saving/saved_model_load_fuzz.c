/* saved_model_load_fuzz.c - any bytes as a SavedModel without variables: its signatures are
 * loaded, each of its functions is traced, and what could be traced is written as a function again
 * and traced once more. */
#include "formats/saved_model.h"
#include "saving/fuzz.h"
#include "saving/graph_read.h"
#include "saving/graph_write.h"
#include "saving/saved_model_function.h"

enum { MOST_ARGS = 8, MOST_RESULTS = 8, LIMIT = 1 << 22 };

/* A tensor of the type, of any shape; a variable where the function takes one. */
static tn_tensor *argument(tn_context *context, tn_graph *graph, int dtype, size_t i)
{
    static const tn_shape shapes[] = { { 0 },
                                       { 1, 2, { TN_NONE, 3 } },
                                       { 1, 4, { TN_NONE, 4, 4, 3 } } };
    tn_tensor *input = NULL;
    if (dtype == TN__TF_RESOURCE)
        return tn_variable(tn_ones(TN_SHAPE(3), TN_FLOAT32));
    if (tn__dtype_size((tn_dtype)dtype) == 0)
        return NULL;
    return tn__graph_input(context, graph, (tn_dtype)dtype, &shapes[i % 3], NULL, &input) == TN_OK
               ? tn__own(input)
               : NULL;
}

typedef struct {
    tn_graph *graph;
    tn_tensor *args[MOST_ARGS], *results[MOST_RESULTS];
    size_t arg_count, result_count;
} traced;

static bool trace(tn_context *context, const tn__function_library *library,
                  const tn__function_def *f, traced *t)
{
    *t = (traced){ .graph = tn__own(tn__graph_new()) };
    if (!t->graph || !f->signature || f->signature->input_arg.count > MOST_ARGS ||
        f->signature->output_arg.count > MOST_RESULTS)
        return false;
    t->arg_count = f->signature->input_arg.count;
    t->result_count = f->signature->output_arg.count;
    tn_graph *outer = context->graph;
    context->graph = t->graph;
    bool good = true;
    for (size_t i = 0; i < t->arg_count && good; i++)
        good = (t->args[i] = argument(context, t->graph, f->signature->input_arg.item[i].type, i));
    good = good && tn__function_import(context, library, f->signature->name, t->args, t->arg_count,
                                       t->results, t->result_count) == TN_OK;
    context->graph = outer;
    return good;
}

static void write_again(tn_context *context, const traced *t)
{
    tn__arena arena = { .limit = LIMIT };
    tn__function_library library = { 0 };
    tn__variables variables = { 0 };
    for (size_t i = 0; i < t->result_count; i++)
        if (t->results[i]->form != TN__SYMBOLIC)
            return;
    tn_tensor *inputs[MOST_ARGS];
    size_t count = 0;
    for (size_t i = 0; i < t->arg_count; i++)
        if (!tn__is_variable(t->args[i]))
            inputs[count++] = t->args[i];
    if (tn__graph_variables(&arena, t->graph, &variables) == TN_OK) {
        tn__function_source source = { "again",        t->graph, inputs,          t->results,
                                       variables.item, count,    t->result_count, variables.count };
        (void)!tn__function_write(&arena, &library, &source);
    }
    (void)context;
    tn__arena_free(&arena);
}

static void try_functions(tn_context *context, const tn__meta_graph_def *graph)
{
    const tn__function_library *library = graph->graph_def ? graph->graph_def->library : NULL;
    for (size_t i = 0; library && i < library->function.count; i++) {
        traced t;
        size_t depth = tn_scope_depth();
        tn_scope_push();
        if (trace(context, library, &library->function.item[i], &t))
            write_again(context, &t);
        tn_catch(TN_ANY_ERROR);
        tn_scope_pop(depth);
    }
}

static void try_signature(tn_context *context, const tn__meta_graph_def *graph, const char *key)
{
    tn_layer *layer;
    if (tn__saved_function_load(context, graph, NULL, "fuzz", key, &layer) == TN_OK)
        tn__release(layer);
    tn_catch(TN_ANY_ERROR);
}

/* As TensorFlow 2's, and as TensorFlow 1's, whatever it is. */
static void try_signatures(tn_context *context, const tn__meta_graph_def *graph)
{
    tn__meta_graph_def v1 = *graph;
    v1.object_graph_def = NULL;
    try_signature(context, graph, NULL);
    for (size_t i = 0; i < graph->signature_def.count && i < MOST_ARGS; i++)
        if (graph->signature_def.item[i].key) {
            try_signature(context, graph, graph->signature_def.item[i].key);
            try_signature(context, &v1, graph->signature_def.item[i].key);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin();
    tn__arena arena = { .limit = 1 << 24 };
    tn__saved_model model;
    tn_context *context = tn__context();
    size_t depth = tn_scope_depth();
    tn_scope_push();
    if (tn__saved_model_read((tn__span){ data, size }, &arena, &model) == TN_OK)
        for (size_t i = 0; i < model.meta_graphs.count; i++) {
            try_signatures(context, &model.meta_graphs.item[i]);
            try_functions(context, &model.meta_graphs.item[i]);
        }
    tn_catch(TN_ANY_ERROR);
    tn_scope_pop(depth);
    tn__arena_free(&arena);
    return 0;
}
