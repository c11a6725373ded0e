/* saved_objects.h - SavedObjectGraph: the objects of a SavedModel, the functions among them and
 * how their arguments are structured. Structs as in graphdef.h. */
#ifndef TN_FORMATS_SAVED_OBJECTS_H
#define TN_FORMATS_SAVED_OBJECTS_H
#include "formats/graphdef.h"
#include "formats/object_graph.h"

/* --- StructuredValue: Python values that hold tensors ----------------------------------------- */
typedef struct tn__structured_value tn__structured_value;
typedef struct tn__structured_pair tn__structured_pair;
typedef struct {
    TN__LIST_OF(tn__structured_value) values;
} tn__structured_list; /* of lists and tuples */
typedef struct {
    TN__LIST_OF(tn__structured_pair) fields; /* in no order: protobuf's map */
} tn__structured_dict;
typedef struct {
    const char *name;
    TN__LIST_OF(tn__structured_pair) values;
} tn__structured_named_tuple;
typedef struct {
    const char *name;
    tn__shape_def *shape;
    int32_t dtype;
} tn__tensor_spec;
typedef struct {
    const char *name;
    tn__shape_def *shape;
    int32_t dtype;
    tn__tensor_def *minimum, *maximum;
} tn__bounded_tensor_spec;
typedef struct {
    int32_t type_spec_class; /* protobuf's TypeSpecClass */
    tn__structured_value *type_state;
    const char *type_spec_class_name;
    int32_t num_flat_components;
} tn__type_spec;

typedef enum {
    TN__VALUE_NONE = 1, /* Python's None; 0: not said */
    TN__VALUE_FLOAT64 = 11,
    TN__VALUE_INT64 = 12,
    TN__VALUE_STRING = 13,
    TN__VALUE_BOOL = 14,
    TN__VALUE_SHAPE = 31,
    TN__VALUE_DTYPE = 32,
    TN__VALUE_TENSOR_SPEC = 33,
    TN__VALUE_TYPE_SPEC = 34,
    TN__VALUE_BOUNDED_TENSOR_SPEC = 35,
    TN__VALUE_LIST = 51,
    TN__VALUE_TUPLE = 52,
    TN__VALUE_DICT = 53,
    TN__VALUE_NAMED_TUPLE = 54,
    TN__VALUE_TENSOR = 55,
    TN__VALUE_NUMPY = 56,
} tn__value_kind;
struct tn__structured_value {
    int which; /* a tn__value_kind */
    union {
        tn__span none_value; /* nothing: `which` says it */
        double float64_value;
        int64_t int64_value;
        const char *string_value;
        bool bool_value;
        tn__shape_def *shape;
        int32_t dtype;
        tn__tensor_spec *tensor_spec;
        tn__type_spec *type_spec;
        tn__bounded_tensor_spec *bounded_tensor_spec;
        tn__structured_list *list; /* and tuple */
        tn__structured_dict *dict;
        tn__structured_named_tuple *named_tuple;
        tn__tensor_def *tensor; /* and numpy */
    };
};
struct tn__structured_pair {
    const char *key;
    tn__structured_value value;
};

/* --- the objects ------------------------------------------------------------------------------ */
typedef struct {
    const char *identifier; /* "_tf_keras_sequential", "_generic_user_object" */
    tn__version_def *version;
    const char *metadata;
} tn__saved_user_object;
typedef struct {
    int32_t asset_file_def_index;
} tn__saved_asset;
typedef struct {
    tn__structured_value *fullargspec;
    bool is_method;
    tn__structured_value *input_signature;
    int32_t jit_compile;
} tn__function_spec;
typedef struct {
    tn__text_list concrete_functions;
    tn__function_spec *function_spec;
} tn__saved_function;
typedef struct tn__saved_variable tn__saved_variable;
struct tn__saved_variable {
    int32_t dtype;
    tn__shape_def *shape;
    bool trainable;
    int32_t synchronization, aggregation;
    const char *name, *device;
    TN__LIST_OF(tn__saved_variable) components;
};
typedef struct {
    const char *concrete_function_name;
    tn__text_list argument_keywords;
    int64_t allowed_positional_arguments;
    tn__function_spec *function_spec;
} tn__saved_bare_function;
typedef struct {
    const char *operation; /* the graph's node that has the value */
} tn__saved_constant;
typedef struct {
    const char *device;
} tn__saved_resource;
typedef struct {
    const char *name, *concrete_function;
} tn__captured_tensor;
typedef struct {
    int32_t save_function, restore_function;
} tn__saveable_functions;
typedef struct {
    const char *key;
    tn__saveable_functions value;
} tn__saveable_object;

typedef enum {
    TN__SAVED_USER_OBJECT = 4,
    TN__SAVED_ASSET = 5,
    TN__SAVED_FUNCTION = 6,
    TN__SAVED_VARIABLE = 7,
    TN__SAVED_BARE_FUNCTION = 8,
    TN__SAVED_CONSTANT = 9,
    TN__SAVED_RESOURCE = 10,
    TN__SAVED_CAPTURED_TENSOR = 12,
} tn__saved_kind;
typedef struct {
    TN__LIST_OF(tn__object_reference) children;
    TN__LIST_OF(tn__slot_reference) slot_variables;
    int which; /* a tn__saved_kind */
    union {
        tn__saved_user_object *user_object;
        tn__saved_asset *asset;
        tn__saved_function *function;
        tn__saved_variable *variable;
        tn__saved_bare_function *bare_function;
        tn__saved_constant *constant;
        tn__saved_resource *resource;
        tn__captured_tensor *captured_tensor;
    };
    TN__LIST_OF(tn__saveable_object) saveable_objects;
    const char *registered_name;
    tn__span serialized_user_proto; /* encoded */
    TN__LIST_OF(tn__object_reference) dependencies;
    const char *registered_saver;
} tn__saved_object;

typedef struct {
    TN__LIST_OF(int32_t) bound_inputs; /* nodes that the last arguments of the function are */
    tn__structured_value *canonicalized_input_signature;
    tn__structured_value *output_signature;
} tn__concrete_function;
typedef struct {
    const char *key; /* the function's name in the library */
    tn__concrete_function value;
} tn__concrete_function_entry;
typedef struct {
    TN__LIST_OF(tn__saved_object) nodes; /* the root is 0 */
    TN__LIST_OF(tn__concrete_function_entry) concrete_functions;
} tn__saved_object_graph;

/* By the function's name, or NULL. */
const tn__concrete_function *tn__concrete_function_find(const tn__saved_object_graph *graph,
                                                        const char *name);

extern const tn__pb_message tn__pb_structured_value, tn__pb_type_spec, tn__pb_saved_object_graph;

#endif
