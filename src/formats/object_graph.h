/* object_graph.h - TrackableObjectGraph: which objects a checkpoint was made of, how each is
 * reached from the root, and under which key its values are. A checkpoint has it as the text
 * _CHECKPOINTABLE_OBJECT_GRAPH.
 *
 * Structs are filled in an arena, by the reader or by whoever writes one. */
#ifndef TN_FORMATS_OBJECT_GRAPH_H
#define TN_FORMATS_OBJECT_GRAPH_H
#include "formats/protobuf.h"

#define TN__OBJECT_GRAPH_KEY "_CHECKPOINTABLE_OBJECT_GRAPH"
#define TN__VARIABLE_VALUE "VARIABLE_VALUE"                        /* a variable's attribute */
#define TN__VARIABLE_KEY_ENDING "/.ATTRIBUTES/" TN__VARIABLE_VALUE /* behind its object's path */

typedef struct {
    int32_t node_id;
    const char *local_name;
} tn__object_reference;
typedef struct {
    const char *name;           /* "VARIABLE_VALUE" */
    const char *full_name;      /* the variable's name, for restoring by name: "dense/kernel" */
    const char *checkpoint_key; /* the bundle's */
} tn__serialized_tensor;
typedef struct {
    int32_t original_node_id; /* the variable's */
    const char *slot_name;
    int32_t slot_node_id;
} tn__slot_reference;
typedef struct {
    const char *name, *object_name;
} tn__registered_saver;
typedef struct {
    bool value;
} tn__bool_value;

typedef struct {
    TN__LIST_OF(tn__object_reference) children;
    TN__LIST_OF(tn__serialized_tensor) attributes;
    TN__LIST_OF(tn__slot_reference) slot_variables;
    tn__registered_saver *registered_saver; /* NULL: none */
    tn__bool_value *has_checkpoint_values;  /* NULL: not said (files before TensorFlow 2.4) */
} tn__trackable;
typedef struct {
    TN__LIST_OF(tn__trackable) nodes; /* the root is 0 */
} tn__object_graph;

/* Numbers of nodes that are not there are refused. */
tn_status tn__object_graph_read(tn__span bytes, tn__arena *arena, tn__object_graph *graph);
tn_status tn__object_graph_write(const tn__object_graph *graph, tn__bytes *bytes);
/* The child of that name; -1 when there is none. */
int32_t tn__object_graph_child(const tn__object_graph *graph, int32_t node, const char *name);
/* A name as one part of a checkpoint's key: TensorFlow escapes '.' as ".." before '/' as ".S". */
char *tn__object_graph_escape(tn__arena *arena, const char *name);

extern const tn__pb_message tn__pb_object_reference, tn__pb_slot_reference, tn__pb_object_graph;

#endif
