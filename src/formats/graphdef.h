/* graphdef.h - TensorFlow's graphs as they are in files: GraphDef, with nodes, attributes,
 * functions, and what ops are declared as. Structs are filled in an arena, by tn__pb_read() or by
 * whoever writes one:
 *
 *     tn__node_def *node = TN__ARENA_ADD(arena, &graph->node);
 *     node->name = "dense/MatMul", node->op = "MatMul";
 *     tn__attr_value *type = tn__attr_add(arena, &node->attr, "T"); // NULL: no memory
 *     *type = (tn__attr_value){ .which = TN__ATTR_TYPE, .type = TN__TF_FLOAT };
 *
 * Names are protobuf's own. Sizes are TensorFlow's: -1 is an unknown dimension. */
#ifndef TN_FORMATS_GRAPHDEF_H
#define TN_FORMATS_GRAPHDEF_H
#include "formats/protobuf.h"
#include "formats/tf_dtype.h"

typedef TN__LIST_OF(const char *) tn__text_list;

/* --- TensorShapeProto, TensorProto (tensor_proto.h reads its values) -------------------------- */
typedef struct {
    int64_t size;
    const char *name;
} tn__dim_def;
typedef struct {
    TN__LIST_OF(tn__dim_def) dim;
    bool unknown_rank;
} tn__shape_def;

typedef struct {
    int32_t dtype;
    tn__shape_def *shape;
    int32_t version_number;
    tn__span content; /* all elements, little-endian; or one of the lists: */
    TN__LIST_OF(int32_t) half_val;
    TN__LIST_OF(float) float_val;
    TN__LIST_OF(double) double_val;
    TN__LIST_OF(int32_t) int_val;
    TN__LIST_OF(tn__span) string_val;
    TN__LIST_OF(float) scomplex_val;
    TN__LIST_OF(int64_t) int64_val;
    TN__LIST_OF(bool) bool_val;
    TN__LIST_OF(double) dcomplex_val;
    TN__LIST_OF(tn__span) resource_handle_val; /* encoded */
    TN__LIST_OF(tn__span) variant_val;         /* encoded */
    TN__LIST_OF(uint32_t) uint32_val;
    TN__LIST_OF(uint64_t) uint64_val;
    tn__span float8_val;
} tn__tensor_def;

/* --- AttrValue -------------------------------------------------------------------------------- */
typedef struct tn__attr tn__attr;
typedef TN__LIST_OF(tn__attr) tn__attrs;

typedef struct {
    const char *name; /* the function's */
    tn__attrs attr;
} tn__func_def; /* NameAttrList */

typedef struct {
    TN__LIST_OF(tn__span) s;
    TN__LIST_OF(int64_t) i;
    TN__LIST_OF(float) f;
    TN__LIST_OF(bool) b;
    TN__LIST_OF(int32_t) type;
    TN__LIST_OF(tn__shape_def) shape;
    TN__LIST_OF(tn__tensor_def) tensor;
    TN__LIST_OF(tn__func_def) func;
} tn__attr_list;

typedef enum {
    TN__ATTR_NONE = 0,
    TN__ATTR_LIST = 1,
    TN__ATTR_S = 2,
    TN__ATTR_I = 3,
    TN__ATTR_F = 4,
    TN__ATTR_B = 5,
    TN__ATTR_TYPE = 6,
    TN__ATTR_SHAPE = 7,
    TN__ATTR_TENSOR = 8,
    TN__ATTR_PLACEHOLDER = 9,
    TN__ATTR_FUNC = 10,
} tn__attr_kind;
typedef struct {
    int which; /* a tn__attr_kind */
    union {
        tn__attr_list *list;
        tn__span s;
        int64_t i;
        float f;
        bool b;
        int32_t type;
        tn__shape_def *shape;
        tn__tensor_def *tensor;
        const char *placeholder;
        tn__func_def *func;
    };
} tn__attr_value;
struct tn__attr { /* an entry of a map from names to values */
    const char *key;
    tn__attr_value value;
};
/* A new entry; NULL and an error when there is no memory. */
tn__attr_value *tn__attr_add(tn__arena *arena, tn__attrs *attrs, const char *key);
/* The last of that name, or NULL. */
const tn__attr_value *tn__attr_find(const tn__attrs *attrs, const char *key);

/* --- NodeDef, GraphDef ------------------------------------------------------------------------ */
typedef struct {
    TN__LIST_OF(const char *) original_node_names;
    TN__LIST_OF(const char *) original_func_names;
} tn__debug_info;
typedef struct {
    const char *name, *op;
    tn__text_list input; /* "node", "node:1", "^node" for control; in functions "node:output:0" */
    const char *device;
    tn__attrs attr;
    tn__debug_info *debug_info;
    tn__span full_type; /* encoded */
} tn__node_def;
typedef TN__LIST_OF(tn__node_def) tn__node_list;

typedef struct {
    int32_t producer, min_consumer;
    TN__LIST_OF(int32_t) bad_consumers;
} tn__version_def;

/* --- OpDef ------------------------------------------------------------------------------------ */
typedef struct {
    int32_t dtype;
    tn__shape_def *shape;
} tn__dtype_and_shape;
typedef struct {
    const char *name, *description;
    int32_t type; /* or one of the three: */
    const char *type_attr, *number_attr, *type_list_attr;
    TN__LIST_OF(tn__dtype_and_shape) handle_data;
    bool is_ref;
    tn__span full_type; /* encoded */
} tn__arg_def;
typedef struct {
    const char *name, *type;
    tn__attr_value *default_value;
    const char *description;
    bool has_minimum;
    int64_t minimum;
    tn__attr_value *allowed_values;
} tn__attr_def;
typedef struct {
    int32_t version;
    const char *explanation;
} tn__deprecation_def;
typedef struct {
    const char *name;
    TN__LIST_OF(tn__arg_def) input_arg;
    TN__LIST_OF(tn__arg_def) output_arg;
    TN__LIST_OF(tn__attr_def) attr;
    const char *summary, *description;
    tn__deprecation_def *deprecation;
    bool is_aggregate, is_stateful, is_commutative, allows_uninitialized_input;
    tn__text_list control_output;
    bool is_distributed_communication;
} tn__op_def;

/* --- FunctionDef, FunctionDefLibrary ---------------------------------------------------------- */
typedef struct {
    const char *key, *value;
} tn__text_pair; /* an entry of a map from texts to texts */
typedef TN__LIST_OF(tn__text_pair) tn__text_map;
const char *tn__text_map_find(const tn__text_map *map, const char *key); /* the last, or NULL */

typedef struct {
    tn__attrs attr;
} tn__arg_attrs_value;
typedef struct {
    uint32_t key; /* the argument's place */
    tn__arg_attrs_value value;
} tn__arg_attrs;
typedef struct {
    uint32_t key, value;
} tn__number_pair;

typedef struct {
    tn__op_def *signature;
    tn__node_list node_def;
    tn__text_map ret; /* an output argument's name -> the value, "node:output:0" */
    tn__attrs attr;
    tn__text_map control_ret;
    TN__LIST_OF(tn__arg_attrs) arg_attr;
    TN__LIST_OF(tn__number_pair) resource_arg_unique_id;
} tn__function_def;
typedef struct {
    const char *function_name, *gradient_func;
} tn__gradient_def;
typedef struct {
    const char *gradient_func, *registered_op_type;
} tn__registered_gradient;
typedef struct {
    TN__LIST_OF(tn__function_def) function;
    TN__LIST_OF(tn__gradient_def) gradient;
    TN__LIST_OF(tn__registered_gradient) registered_gradients;
} tn__function_library;

typedef struct {
    tn__node_list node;
    tn__function_library *library;
    int32_t version; /* of old files */
    tn__version_def *versions;
    tn__span debug_info; /* encoded */
} tn__graph_def;

extern const tn__pb_message tn__pb_shape, tn__pb_tensor, tn__pb_attr_value, tn__pb_op, tn__pb_graph,
    tn__pb_version, tn__pb_text_pair;

#endif
