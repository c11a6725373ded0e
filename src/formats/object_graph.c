/* object_graph.c */
#include "formats/object_graph.h"
#include <string.h>

static const tn__pb_field object_reference_fields[] = {
    TN__PB_FIELD(tn__object_reference, 1, node_id, INT32, 0),
    TN__PB_FIELD(tn__object_reference, 2, local_name, TEXT, 0),
};
const tn__pb_message tn__pb_object_reference =
    TN__PB_MESSAGE_OF("ObjectReference", tn__object_reference, object_reference_fields);

static const tn__pb_field serialized_tensor_fields[] = {
    TN__PB_FIELD(tn__serialized_tensor, 1, name, TEXT, 0),
    TN__PB_FIELD(tn__serialized_tensor, 2, full_name, TEXT, 0),
    TN__PB_FIELD(tn__serialized_tensor, 3, checkpoint_key, TEXT, 0),
};
static const tn__pb_message serialized_tensor =
    TN__PB_MESSAGE_OF("SerializedTensor", tn__serialized_tensor, serialized_tensor_fields);

static const tn__pb_field slot_reference_fields[] = {
    TN__PB_FIELD(tn__slot_reference, 1, original_node_id, INT32, 0),
    TN__PB_FIELD(tn__slot_reference, 2, slot_name, TEXT, 0),
    TN__PB_FIELD(tn__slot_reference, 3, slot_node_id, INT32, 0),
};
const tn__pb_message tn__pb_slot_reference =
    TN__PB_MESSAGE_OF("SlotVariableReference", tn__slot_reference, slot_reference_fields);

static const tn__pb_field registered_saver_fields[] = {
    TN__PB_FIELD(tn__registered_saver, 1, name, TEXT, 0),
    TN__PB_FIELD(tn__registered_saver, 2, object_name, TEXT, 0),
};
static const tn__pb_message registered_saver =
    TN__PB_MESSAGE_OF("RegisteredSaver", tn__registered_saver, registered_saver_fields);

static const tn__pb_field bool_value_fields[] = {
    TN__PB_FIELD(tn__bool_value, 1, value, BOOL, 0),
};
static const tn__pb_message bool_value =
    TN__PB_MESSAGE_OF("BoolValue", tn__bool_value, bool_value_fields);

static const tn__pb_field trackable_fields[] = {
    TN__PB_SUB(tn__trackable, 1, children, MESSAGE, TN__PB_REPEATED, &tn__pb_object_reference),
    TN__PB_SUB(tn__trackable, 2, attributes, MESSAGE, TN__PB_REPEATED, &serialized_tensor),
    TN__PB_SUB(tn__trackable, 3, slot_variables, MESSAGE, TN__PB_REPEATED, &tn__pb_slot_reference),
    TN__PB_SUB(tn__trackable, 4, registered_saver, MESSAGE, 0, &registered_saver),
    TN__PB_SUB(tn__trackable, 5, has_checkpoint_values, MESSAGE, 0, &bool_value),
};
static const tn__pb_message trackable =
    TN__PB_MESSAGE_OF("TrackableObject", tn__trackable, trackable_fields);

static const tn__pb_field object_graph_fields[] = {
    TN__PB_SUB(tn__object_graph, 1, nodes, MESSAGE, TN__PB_REPEATED, &trackable),
};
const tn__pb_message tn__pb_object_graph =
    TN__PB_MESSAGE_OF("TrackableObjectGraph", tn__object_graph, object_graph_fields);

static bool is_node(const tn__object_graph *graph, int32_t id)
{
    return id >= 0 && (size_t)id < graph->nodes.count;
}

static tn_status fail_node(size_t node, const char *what, const char *name, int32_t id)
{
    return tn__fail(TN_DATA_LOSS,
                    "object graph: %s '%s' of node %zu is node %d, which is not there", what,
                    name ? name : "", node, (int)id);
}

static tn_status check_node(const tn__object_graph *graph, size_t index)
{
    const tn__trackable *node = &graph->nodes.item[index];
    for (size_t i = 0; i < node->children.count; i++) {
        const tn__object_reference *child = &node->children.item[i];
        if (!is_node(graph, child->node_id))
            return fail_node(index, "the child", child->local_name, child->node_id);
    }
    for (size_t i = 0; i < node->slot_variables.count; i++) {
        const tn__slot_reference *slot = &node->slot_variables.item[i];
        if (!is_node(graph, slot->original_node_id))
            return fail_node(index, "the slot's variable", slot->slot_name, slot->original_node_id);
        if (!is_node(graph, slot->slot_node_id))
            return fail_node(index, "the slot", slot->slot_name, slot->slot_node_id);
    }
    return TN_OK;
}

tn_status tn__object_graph_read(tn__span bytes, tn__arena *arena, tn__object_graph *graph)
{
    *graph = (tn__object_graph){ 0 };
    TN_TRY(tn__pb_read(&tn__pb_object_graph, bytes, arena, graph));
    for (size_t i = 0; i < graph->nodes.count; i++)
        TN_TRY(check_node(graph, i));
    return TN_OK;
}

tn_status tn__object_graph_write(const tn__object_graph *graph, tn__bytes *bytes)
{
    return tn__pb_write(&tn__pb_object_graph, graph, bytes);
}

int32_t tn__object_graph_child(const tn__object_graph *graph, int32_t node, const char *name)
{
    if (!is_node(graph, node))
        return -1;
    const tn__trackable *parent = &graph->nodes.item[node];
    for (size_t i = 0; i < parent->children.count; i++)
        if (parent->children.item[i].local_name &&
            strcmp(parent->children.item[i].local_name, name) == 0)
            return parent->children.item[i].node_id;
    return -1;
}

char *tn__object_graph_escape(tn__arena *arena, const char *name)
{
    size_t size = strlen(name), more = 0;
    for (size_t i = 0; i < size; i++)
        more += name[i] == '.' || name[i] == '/';
    char *escaped = tn__arena_alloc(arena, size + more + 1), *at = escaped;
    for (size_t i = 0; escaped && i < size; i++) {
        bool special = name[i] == '.' || name[i] == '/';
        if (special)
            *at++ = '.';
        *at++ = (char)(name[i] == '/' ? 'S' : name[i]);
    }
    return escaped;
}
