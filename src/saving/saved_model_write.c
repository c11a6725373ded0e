/* saved_model_write.c - everything is made first, then the folder is written beside the target. */
#include "saving/saved_model.h"
#include "saving/saved_model_write.h"
#include "base/folder.h"
#include <string.h>

/* What may stand in a folder that is replaced. */
static const char *const parts[] = { TN__SAVED_MODEL_FILE,
                                     "saved_model.pbtxt",
                                     TN__KERAS_METADATA_FILE,
                                     "fingerprint.pb",
                                     "variables",
                                     "assets",
                                     "assets.extra",
                                     "debug",
                                     NULL };

static tn__arena *arena_of(tn__saved *s)
{
    return &s->tracker.arena;
}

/* --- making ----------------------------------------------------------------------------------- */
static tn_status add_weight(tn__saved *s, size_t node)
{
    tn__saved_weight *weight = TN__ARENA_ADD(arena_of(s), &s->weight);
    if (!weight)
        return TN_RESOURCE_EXHAUSTED;
    weight->variable = s->tracker.node.item[node].variable;
    weight->node = node;
    weight->key = tn__tracker_key(&s->tracker, node);
    return weight->key ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static bool find_weight(const tn__saved *s, const tn_tensor *variable, size_t *at)
{
    for (*at = 0; *at < s->weight.count; ++*at)
        if (s->weight.item[*at].variable->id == variable->id)
            return true;
    return false;
}

/* A variable that no layer keeps, of the program or of a function: the root does. */
static tn_status add_foreign(tn__saved *s, tn_tensor *variable)
{
    size_t node;
    char *name = tn__arena_print(arena_of(s), "captured_%zu", s->weight.count);
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__tracker_add(&s->tracker, 0, name, NULL, variable, &node));
    return add_weight(s, node);
}

static tn_status capture(tn__saved *s, tn__saved_call *call, tn__variables *variables)
{
    TN_TRY(tn__graph_variables(arena_of(s), call->serving.graph, variables));
    for (size_t i = 0; i < variables->count; i++) {
        size_t at;
        if (!find_weight(s, variables->item[i], &at))
            TN_TRY(add_foreign(s, variables->item[i]));
        size_t *captured = TN__ARENA_ADD(arena_of(s), &call->captured);
        if (!captured)
            return TN_RESOURCE_EXHAUSTED;
        *captured = at;
    }
    return TN_OK;
}

tn_status tn__saved_call_write(tn__saved *s, tn__saved_call *call, tn_tensor *const *inputs,
                               tn_tensor *const *outputs)
{
    tn__variables variables = { 0 };
    TN_TRY(capture(s, call, &variables));
    tn__function_source source = { call->function,
                                   call->serving.graph,
                                   inputs,
                                   outputs,
                                   variables.item,
                                   call->serving.input_count,
                                   call->serving.output_count,
                                   variables.count };
    return tn__function_write(arena_of(s), s->graph->graph_def->library, &source);
}

static tn_status list_tensors(tn__saved *s, const tn__serving_value *values, size_t count,
                              tn_tensor ***tensors)
{
    *tensors = tn__arena_alloc(arena_of(s), (count + 1) * sizeof **tensors);
    for (size_t i = 0; *tensors && i < count; i++)
        (*tensors)[i] = values[i].tensor;
    return *tensors ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status write_signature(tn__saved *s)
{
    tn_tensor **inputs, **outputs;
    const tn__serving *serving = &s->signature.serving;
    TN_TRY(list_tensors(s, serving->input, serving->input_count, &inputs));
    TN_TRY(list_tensors(s, serving->output, serving->output_count, &outputs));
    s->signature.function = "__inference_signature_wrapper_1";
    return tn__saved_call_write(s, &s->signature, inputs, outputs);
}

static tn_status add_meta_info(tn__saved *s)
{
    tn__meta_info_def *info = tn__arena_alloc(arena_of(s), sizeof *info);
    const char **tag = info ? TN__ARENA_ADD(arena_of(s), &info->tags) : NULL;
    if (!tag)
        return TN_RESOURCE_EXHAUSTED;
    *tag = "serve";
    info->tensorflow_version = "2.15.0";
    info->tensorflow_git_version = "unknown";
    s->graph->meta_info_def = info;
    return TN_OK;
}

static tn_status begin(tn__saved *s)
{
    s->saved.schema_version = 1;
    s->graph = TN__ARENA_ADD(arena_of(s), &s->saved.meta_graphs);
    if (!s->graph)
        return TN_RESOURCE_EXHAUSTED;
    tn__graph_def *graph = tn__arena_alloc(arena_of(s), sizeof *graph);
    s->graph->graph_def = graph;
    s->graph->object_graph_def = tn__arena_alloc(arena_of(s), sizeof *s->graph->object_graph_def);
    if (!graph || !s->graph->object_graph_def ||
        !(graph->library = tn__arena_alloc(arena_of(s), sizeof *graph->library)))
        return TN_RESOURCE_EXHAUSTED;
    return add_meta_info(s);
}

static tn_status make(tn__saved *s)
{
    tn_layer *model = s->options->model;
    TN_TRY(tn__tracker_model(model, s->options->include_optimizer, &s->tracker));
    for (size_t i = 0; i < s->tracker.node.count; i++)
        if (s->tracker.node.item[i].variable)
            TN_TRY(add_weight(s, i));
    TN_TRY(tn__serving_trace(s->context, model, arena_of(s), &s->signature.serving));
    TN_TRY(begin(s));
    TN_TRY(write_signature(s));
    TN_TRY(tn__saved_keras(s));
    if (s->keras)
        TN_TRY(tn__saved_calls(s));
    TN_TRY(tn__saved_graph(s));
    return tn__saved_objects(s);
}

/* --- writing ---------------------------------------------------------------------------------- */
static tn_status write_file(const tn__saved *s, const tn__folder *folder, const char *name,
                            const tn__bytes *bytes)
{
    char *path = tn__folder_file(folder, name);
    tn_status status = path ? tn__file_write(path, s->options->sync, bytes->data, bytes->size)
                            : TN_RESOURCE_EXHAUSTED;
    tn__free(path);
    return status;
}

static tn_status write_message(const tn__saved *s, const tn__folder *folder, const char *name,
                               const tn__pb_message *message, const void *from)
{
    tn__bytes bytes = { 0 };
    tn_status status =
        message ? tn__pb_write(message, from, &bytes) : tn__saved_model_write(from, &bytes);
    if (status == TN_OK)
        status = write_file(s, folder, name, &bytes);
    tn__bytes_free(&bytes);
    return status;
}

static tn_status write_variables(tn__saved *s, const tn__folder *folder)
{
    TN_TRY(tn__folder_add(folder, "variables"));
    char *prefix = tn__folder_file(folder, TN__VARIABLES_PREFIX);
    tn_status status = prefix ? tn__tracker_save(&s->tracker, prefix) : TN_RESOURCE_EXHAUSTED;
    tn__free(prefix);
    return status;
}

static tn_status write_all(tn__saved *s, const tn__folder *folder)
{
    TN_TRY(write_variables(s, folder));
    if (s->keras)
        TN_TRY(write_message(s, folder, TN__KERAS_METADATA_FILE, &tn__pb_keras_metadata,
                             &s->metadata));
    return write_message(s, folder, TN__SAVED_MODEL_FILE, NULL, &s->saved);
}

static tn_status write_folder(tn__saved *s)
{
    tn__folder folder;
    TN_TRY(tn__folder_begin(s->options->path, parts, &folder));
    tn_status status = write_all(s, &folder);
    if (status == TN_OK)
        return tn__folder_commit(&folder, s->options->sync);
    tn__folder_abort(&folder);
    return status;
}

tn_status tn__saved_model_save(tn_context *context, const tn_save_options *options)
{
    tn__saved s = { .context = context, .options = options };
    tn_status status = make(&s);
    if (status == TN_OK)
        status = write_folder(&s);
    tn__serving_free(&s.signature.serving);
    for (size_t i = 0; i < s.call.count; i++)
        tn__serving_free(&s.call.item[i].serving);
    tn__tracker_free(&s.tracker);
    return status;
}
