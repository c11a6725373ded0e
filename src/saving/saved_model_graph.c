/* saved_model_graph.c - the part of a SavedModel that TensorFlow 1 runs: a graph whose nodes are
 * variables, what saves and restores them, and a call of the function. */
#include "saving/saved_model.h"
#include "saving/saved_model_write.h"
#include <string.h>

/* TensorFlow's version of GraphDefs, of 2.12: it decides what old nodes mean, and who may read. */
enum { PRODUCER = 1286, MIN_CONSUMER = 12 };

static tn__arena *arena_of(tn__saved *s)
{
    return &s->tracker.arena;
}

static tn__node_def *add(tn__saved *s, const char *op, const char *name)
{
    return name ? tn__node_add(arena_of(s), &s->graph->graph_def->node, op, "%s", name) : NULL;
}

/* A name that a graph's node may have. */
static const char *plain_name(tn__arena *arena, const char *start, const char *name)
{
    char *copy = tn__arena_print(arena, "%s%s", start, name);
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
    for (char *at = copy; at && *at; at++)
        if (!strchr(allowed, *at))
            *at = '_';
    return copy;
}

/* --- variables -------------------------------------------------------------------------------- */
static tn_status add_handle(tn__saved *s, tn__saved_weight *weight)
{
    const char *start = tn__arena_print(arena_of(s), "variable_%zu/", weight->node);
    weight->handle =
        start ? plain_name(arena_of(s), start, s->tracker.node.item[weight->node].path) : NULL;
    tn__node_def *def = add(s, "VarHandleOp", weight->handle);
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    const tn_tensor *variable = weight->variable;
    TN_TRY(tn__attr_type(arena_of(s), &def->attr, "dtype", variable->dtype));
    TN_TRY(tn__attr_shape(arena_of(s), &def->attr, "shape", &variable->shape));
    TN_TRY(tn__attr_text(arena_of(s), &def->attr, "container", ""));
    return tn__attr_text(arena_of(s), &def->attr, "shared_name", weight->handle);
}

/* --- saving and restoring --------------------------------------------------------------------- */
static tn_status add_texts(tn__saved *s, const char *name, bool keys)
{
    tn__node_def *def = add(s, "Const", name);
    tn__attr_value *value = def ? tn__attr_add(arena_of(s), &def->attr, "value") : NULL;
    tn__tensor_def *tensor = value ? tn__arena_alloc(arena_of(s), sizeof *tensor) : NULL;
    if (!tensor)
        return TN_RESOURCE_EXHAUSTED;
    *value = (tn__attr_value){ .which = TN__ATTR_TENSOR, .tensor = tensor };
    tensor->dtype = TN__TF_STRING;
    tensor->shape = tn__shape_def_of(arena_of(s), &TN_SHAPE((int)s->weight.count));
    if (!tensor->shape)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < s->weight.count; i++) {
        tn__span *text = TN__ARENA_ADD(arena_of(s), &tensor->string_val);
        const char *key = keys ? s->weight.item[i].key : "";
        if (!text)
            return TN_RESOURCE_EXHAUSTED;
        *text = (tn__span){ (const uint8_t *)key, strlen(key) };
    }
    return tn__attr_type(arena_of(s), &def->attr, "dtype", TN__TF_STRING);
}

static tn_status weight_types(tn__saved *s, tn__node_def *def)
{
    tn__attr_list *types;
    TN_TRY(tn__attr_types(arena_of(s), &def->attr, "dtypes", &types));
    for (size_t i = 0; i < s->weight.count; i++)
        TN_TRY(tn__types_add(arena_of(s), types, s->weight.item[i].variable->dtype));
    return TN_OK;
}

static tn_status add_table(tn__saved *s, tn__node_def *def)
{
    TN_TRY(tn__node_input(arena_of(s), def, "saver_filename"));
    TN_TRY(tn__node_input(arena_of(s), def, "save/names"));
    return tn__node_input(arena_of(s), def, "save/slices");
}

static tn_status add_read(tn__saved *s, size_t i)
{
    tn__node_def *def =
        tn__node_add(arena_of(s), &s->graph->graph_def->node, "ReadVariableOp", "save/read_%zu", i);
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__node_input(arena_of(s), def, "%s", s->weight.item[i].handle));
    return tn__attr_type(arena_of(s), &def->attr, "dtype", s->weight.item[i].variable->dtype);
}

static tn_status add_save(tn__saved *s)
{
    for (size_t i = 0; i < s->weight.count; i++)
        TN_TRY(add_read(s, i));
    tn__node_def *def = add(s, "SaveV2", "save/SaveV2");
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(add_table(s, def));
    for (size_t i = 0; i < s->weight.count; i++)
        TN_TRY(tn__node_input(arena_of(s), def, "save/read_%zu", i));
    TN_TRY(weight_types(s, def));
    tn__node_def *after = add(s, "Identity", "save/control_dependency");
    if (!after)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__node_input(arena_of(s), after, "saver_filename"));
    TN_TRY(tn__node_input(arena_of(s), after, "^save/SaveV2"));
    return tn__attr_type(arena_of(s), &after->attr, "T", TN__TF_STRING);
}

static tn_status add_assign(tn__saved *s, size_t i)
{
    tn__node_def *def = tn__node_add(arena_of(s), &s->graph->graph_def->node, "AssignVariableOp",
                                     "restore/assign_%zu", i);
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__node_input(arena_of(s), def, "%s", s->weight.item[i].handle));
    TN_TRY(tn__node_input(arena_of(s), def, "restore/RestoreV2:%zu", i));
    return tn__attr_type(arena_of(s), &def->attr, "dtype", s->weight.item[i].variable->dtype);
}

static tn_status add_restore(tn__saved *s)
{
    tn__node_def *def = add(s, "RestoreV2", "restore/RestoreV2");
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(add_table(s, def));
    TN_TRY(weight_types(s, def));
    for (size_t i = 0; i < s->weight.count; i++)
        TN_TRY(add_assign(s, i));
    tn__node_def *all = add(s, "NoOp", "restore/all");
    if (!all)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < s->weight.count; i++)
        TN_TRY(tn__node_input(arena_of(s), all, "^restore/assign_%zu", i));
    return TN_OK;
}

static tn_status add_saver(tn__saved *s)
{
    tn__node_def *def = add(s, "Placeholder", "saver_filename");
    tn__saver_def *saver = def ? tn__arena_alloc(arena_of(s), sizeof *saver) : NULL;
    if (!saver)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__attr_type(arena_of(s), &def->attr, "dtype", TN__TF_STRING));
    TN_TRY(tn__attr_shape(arena_of(s), &def->attr, "shape", &TN_SCALAR));
    if (s->weight.count == 0)
        return TN_OK;
    *saver = (tn__saver_def){ .filename_tensor_name = "saver_filename:0",
                              .save_tensor_name = "save/control_dependency:0",
                              .restore_op_name = "restore/all",
                              .version = 2 };
    s->graph->saver_def = saver;
    TN_TRY(add_texts(s, "save/names", true));
    TN_TRY(add_texts(s, "save/slices", false));
    TN_TRY(add_save(s));
    return add_restore(s);
}

/* --- the signature ---------------------------------------------------------------------------- */
static tn_status add_info(tn__saved *s, bool output, const char *key, const char *name,
                          const tn_tensor *x, tn__signature_def *signature)
{
    tn__tensor_info_entry *entry = output ? TN__ARENA_ADD(arena_of(s), &signature->outputs)
                                          : TN__ARENA_ADD(arena_of(s), &signature->inputs);
    if (!entry || !name)
        return TN_RESOURCE_EXHAUSTED;
    entry->key = key;
    entry->value.which = TN__INFO_NAME;
    entry->value.name = name;
    entry->value.dtype = x ? x->dtype : 0;
    entry->value.shape = tn__shape_def_of(arena_of(s), x ? &x->shape : &TN__UNKNOWN_SHAPE);
    return entry->value.shape ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status add_signature(tn__saved *s, const char *key, tn__signature_def **signature)
{
    tn__signature_entry *entry = TN__ARENA_ADD(arena_of(s), &s->graph->signature_def);
    if (!entry)
        return TN_RESOURCE_EXHAUSTED;
    entry->key = key;
    *signature = &entry->value;
    return TN_OK;
}

static tn_status add_input(tn__saved *s, size_t i, tn__node_def *call, tn__attr_list *types,
                           tn__signature_def *signature)
{
    const tn__serving_value *input = &s->signature.serving.input[i];
    const char *start = tn__arena_print(arena_of(s), "%s_", TN__SERVING_DEFAULT);
    const char *name = start ? plain_name(arena_of(s), start, input->name) : NULL;
    tn__node_def *def = add(s, "Placeholder", name);
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(tn__attr_type(arena_of(s), &def->attr, "dtype", input->tensor->dtype));
    TN_TRY(tn__attr_shape(arena_of(s), &def->attr, "shape", &input->tensor->shape));
    TN_TRY(tn__node_input(arena_of(s), call, "%s", name));
    TN_TRY(tn__types_add(arena_of(s), types, input->tensor->dtype));
    return add_info(s, false, input->name, tn__arena_print(arena_of(s), "%s:0", name),
                    input->tensor, signature);
}

static tn_status add_captured(tn__saved *s, tn__node_def *call, tn__attr_list *types)
{
    for (size_t i = 0; i < s->signature.captured.count; i++) {
        const tn__saved_weight *weight = &s->weight.item[s->signature.captured.item[i]];
        TN_TRY(tn__node_input(arena_of(s), call, "%s", weight->handle));
        TN_TRY(tn__types_add(arena_of(s), types, TN__TF_RESOURCE));
    }
    return TN_OK;
}

/* Made on the side: placeholders come before it into the list, which moves. */
static tn_status fill_call(tn__saved *s, tn__node_def *call, tn__signature_def *signature)
{
    tn__attr_list *in, *out;
    TN_TRY(tn__attr_func(arena_of(s), &call->attr, "f", s->signature.function));
    TN_TRY(tn__attr_types(arena_of(s), &call->attr, "Tin", &in));
    TN_TRY(tn__attr_types(arena_of(s), &call->attr, "Tout", &out));
    for (size_t i = 0; i < s->signature.serving.input_count; i++)
        TN_TRY(add_input(s, i, call, in, signature));
    TN_TRY(add_captured(s, call, in));
    for (size_t i = 0; i < s->signature.serving.output_count; i++) {
        const tn__serving_value *output = &s->signature.serving.output[i];
        TN_TRY(tn__types_add(arena_of(s), out, output->tensor->dtype));
        TN_TRY(add_info(s, true, output->name,
                        tn__arena_print(arena_of(s), "%s:%zu", call->name, i), output->tensor,
                        signature));
    }
    return TN_OK;
}

static tn_status add_call(tn__saved *s)
{
    tn__node_list side = { 0 };
    tn__signature_def *signature;
    tn__node_def *call = tn__node_add(arena_of(s), &side, "StatefulPartitionedCall", "%s",
                                      "StatefulPartitionedCall");
    if (!call)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(add_signature(s, TN__SERVING_DEFAULT, &signature));
    signature->method_name = "tensorflow/serving/predict";
    TN_TRY(fill_call(s, call, signature));
    tn__node_def *place = TN__ARENA_ADD(arena_of(s), &s->graph->graph_def->node);
    if (!place)
        return TN_RESOURCE_EXHAUSTED;
    *place = *call;
    return TN_OK;
}

/* Nothing has to be done before it runs; the loader asks for it all the same. */
static tn_status add_init(tn__saved *s)
{
    tn__signature_def *signature;
    if (!add(s, "NoOp", "NoOp"))
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(add_signature(s, "__saved_model_init_op", &signature));
    return add_info(s, true, "__saved_model_init_op", "NoOp", NULL, signature);
}

tn_status tn__saved_graph(tn__saved *s)
{
    tn__version_def *versions = tn__arena_alloc(arena_of(s), sizeof *versions);
    if (!versions)
        return TN_RESOURCE_EXHAUSTED;
    *versions = (tn__version_def){ .producer = PRODUCER, .min_consumer = MIN_CONSUMER };
    s->graph->graph_def->versions = versions;
    for (size_t i = 0; i < s->weight.count; i++)
        TN_TRY(add_handle(s, &s->weight.item[i]));
    TN_TRY(add_call(s));
    TN_TRY(add_init(s));
    return add_saver(s);
}
