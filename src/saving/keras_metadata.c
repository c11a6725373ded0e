/* keras_metadata.c */
#include "saving/saved_model_write.h"
#include "base/log.h"
#include "nn/config.h"
#include "saving/json.h"
#include "saving/trainer_state.h"
#include <string.h>

static const tn__pb_field node_fields[] = {
    TN__PB_FIELD(tn__keras_node, 2, node_id, INT32, 0),
    TN__PB_FIELD(tn__keras_node, 3, node_path, TEXT, 0),
    TN__PB_FIELD(tn__keras_node, 4, identifier, TEXT, 0),
    TN__PB_FIELD(tn__keras_node, 5, metadata, TEXT, 0),
    TN__PB_SUB(tn__keras_node, 6, version, MESSAGE, 0, &tn__pb_version),
};
static const tn__pb_message node = TN__PB_MESSAGE_OF("SavedObject", tn__keras_node, node_fields);

static const tn__pb_field metadata_fields[] = {
    TN__PB_SUB(tn__keras_metadata, 1, nodes, MESSAGE, TN__PB_REPEATED, &node),
};
const tn__pb_message tn__pb_keras_metadata =
    TN__PB_MESSAGE_OF("SavedMetadata", tn__keras_metadata, metadata_fields);

/* --- writing ---------------------------------------------------------------------------------- */
static bool is_recurrent(const char *class_name)
{
    static const char *const names[] = { "RNN", "SimpleRNN", "LSTM", "GRU" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], class_name) == 0)
            return true;
    return false;
}

const char *tn__keras_identifier(const tn_layer *layer)
{
    if (layer->of == &tn__class_Sequential)
        return "_tf_keras_sequential";
    if (layer->of == &tn__class_Functional)
        return "_tf_keras_network";
    if (layer->of == &tn__class_InputLayer)
        return "_tf_keras_input_layer";
    if (tn__is_model(layer))
        return "_tf_keras_model";
    return is_recurrent(layer->of->name) ? "_tf_keras_rnn_layer" : "_tf_keras_layer";
}

/* {"class_name": "TensorShape", "items": [null, 3]} */
static json_t *shape_object(const tn_shape *shape)
{
    return json_pack("{s:s, s:o}", "class_name", "TensorShape", "items", tn__shape_to_json(shape));
}

/* Keras builds a layer for it, before there are any calls. */
static json_t *build_shape(const tn_layer *layer)
{
    if (!layer->build_shape)
        return json_null();
    if (layer->build_count < 2)
        return shape_object(layer->build_shape);
    json_t *list = json_array();
    for (size_t i = 0; i < layer->build_count; i++)
        tn__json_append(list, shape_object(&layer->build_shape[i]));
    return list;
}

/* What a class of the program's own was built for, as the arguments of its call: ([TensorSpec],
 * {}), which JSON says in this way. */
static json_t *spec_object(const tn_layer *layer, size_t i)
{
    char name[32];
    snprintf(name, sizeof name, "input_%zu", i + 1);
    tn_dtype dtype = layer->build_dtype ? layer->build_dtype[i] : TN_FLOAT32;
    return json_pack("{s:s, s:s, s:{s:s, s:[o, s, s]}}", "class_name", "TypeSpec", "type_spec",
                     "tf.TensorSpec", "serialized", "class_name", "__tuple__", "items",
                     shape_object(&layer->build_shape[i]), tn__dtype_name(dtype), name);
}

static json_t *save_spec(const tn_layer *layer)
{
    size_t count = layer->build_count ? layer->build_count : 1;
    json_t *list = count > 1 ? json_array() : NULL;
    for (size_t i = 0; list && i < count; i++)
        tn__json_append(list, spec_object(layer, i));
    return json_pack("{s:s, s:[[o], {}]}", "class_name", "__tuple__", "items",
                     count > 1 ? list : spec_object(layer, 0));
}

static tn_status add_root(tn__saved *s, json_t *json)
{
    json_t *training = NULL;
    TN_TRY(tn__json_set(json, "keras_version", json_string(TN__KERAS_2_VERSION)));
    TN_TRY(tn__json_set(json, "backend", json_string("tensorflow")));
    if (s->options->include_optimizer)
        TN_TRY(tn__trainer_config(s->tracker.node.item[0].layer, TN__H5_KERAS_2, &training));
    return training ? tn__json_set(json, "training_config", training) : TN_OK;
}

static tn_status fill_json(tn__saved *s, tn_layer *layer, bool root, json_t *json)
{
    bool own = layer->of->module == NULL, model = tn__is_model(layer) && !own;
    TN_TRY(tn__json_set(json, "name", json_string(layer->name)));
    TN_TRY(tn__json_set(json, "trainable", json_boolean(layer->trainable)));
    TN_TRY(tn__json_set(json, "expects_training_arg", json_boolean(model)));
    TN_TRY(tn__json_set(json, "must_restore_from_config", json_false()));
    TN_TRY(tn__json_set(json, "preserve_input_structure_in_config", json_false()));
    TN_TRY(tn__json_set(json, "autocast", json_boolean(!model)));
    TN_TRY(tn__json_set(json, "build_input_shape", build_shape(layer)));
    if (tn__is_model(layer))
        TN_TRY(tn__json_set(json, "is_graph_network", json_boolean(model)));
    if (own && layer->build_shape)
        TN_TRY(tn__json_set(json, "full_save_spec", save_spec(layer)));
    return root ? add_root(s, json) : TN_OK;
}

static tn_status make_text(tn__saved *s, tn_layer *layer, bool root, const char **text)
{
    json_t *json = tn__layer_to_json(layer, TN__KERAS_2); /* class_name and config */
    if (!json)
        return tn__errors()->status;
    tn_status status = fill_json(s, layer, root, json);
    char *dumped = status == TN_OK ? tn__json_dump(json) : NULL;
    json_decref(json);
    *text = dumped ? tn__arena_text(&s->tracker.arena, dumped) : NULL;
    tn__free(dumped);
    return *text ? TN_OK : tn__errors()->status;
}

static const char *node_path(tn__saved *s, const char *path)
{
    char *copy = tn__arena_print(&s->tracker.arena, "root%s%s", *path ? "." : "", path);
    for (char *at = copy; at && *at; at++)
        if (*at == '/')
            *at = '.';
    return copy;
}

static tn_status add_node(tn__saved *s, size_t index)
{
    tn__arena *arena = &s->tracker.arena;
    const tn__tracker_node *from = &s->tracker.node.item[index];
    tn__keras_node *added = TN__ARENA_ADD(arena, &s->metadata.nodes);
    if (!added || !(added->version = tn__arena_alloc(arena, sizeof *added->version)))
        return TN_RESOURCE_EXHAUSTED;
    *added->version = (tn__version_def){ .producer = 2, .min_consumer = 1 };
    added->node_id = (int32_t)index;
    added->node_path = node_path(s, from->path);
    added->identifier = tn__keras_identifier(from->layer);
    return added->node_path ? make_text(s, from->layer, index == 0, &added->metadata)
                            : TN_RESOURCE_EXHAUSTED;
}

static tn_status add_nodes(tn__saved *s)
{
    for (size_t i = 0; i < s->tracker.node.count; i++)
        if (s->tracker.node.item[i].layer)
            TN_TRY(add_node(s, i));
    return TN_OK;
}

/* A SavedModel's function has no config, and one that leaves out what TN_INIT gave makes another
 * layer. */
static bool have_configs(const tn__saved *s)
{
    const tn_layer *root = s->tracker.node.item[0].layer;
    bool have = tn__is_model(root) || !root->of->module;
    for (size_t i = 0; i < s->tracker.node.count; i++) {
        const tn_layer *layer = s->tracker.node.item[i].layer;
        have &= !layer || layer->of->module || (!layer->of->more && !layer->undeclared);
    }
    return have;
}

tn_status tn__saved_keras(tn__saved *s)
{
    if (!have_configs(s))
        return TN_OK;
    tn_status status = add_nodes(s);
    s->keras = status == TN_OK;
    if (status != TN_UNIMPLEMENTED)
        return status;
    tn__warn(
        "'%s' is saved without Keras's metadata, so Keras 2's load_model() does not open it: %s",
        s->tracker.node.item[0].layer->name, tn__errors()->text);
    tn__fail_clear();
    return TN_OK;
}
