/* graphdef.c - the tables of the messages of graphs. */
#include "formats/graphdef.h"
#include <string.h>

static const tn__pb_message attr;

static const tn__pb_field dim_fields[] = {
    TN__PB_FIELD(tn__dim_def, 1, size, INT64, 0),
    TN__PB_FIELD(tn__dim_def, 2, name, TEXT, 0),
};
static const tn__pb_message dim = TN__PB_MESSAGE_OF("Dim", tn__dim_def, dim_fields);

static const tn__pb_field shape_fields[] = {
    TN__PB_SUB(tn__shape_def, 2, dim, MESSAGE, TN__PB_REPEATED, &dim),
    TN__PB_FIELD(tn__shape_def, 3, unknown_rank, BOOL, 0),
};
const tn__pb_message tn__pb_shape =
    TN__PB_MESSAGE_OF("TensorShapeProto", tn__shape_def, shape_fields);

static const tn__pb_field tensor_fields[] = {
    TN__PB_FIELD(tn__tensor_def, 1, dtype, INT32, 0),
    TN__PB_SUB(tn__tensor_def, 2, shape, MESSAGE, 0, &tn__pb_shape),
    TN__PB_FIELD(tn__tensor_def, 3, version_number, INT32, 0),
    TN__PB_FIELD(tn__tensor_def, 4, content, BYTES, 0),
    TN__PB_FIELD(tn__tensor_def, 5, float_val, FLOAT, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 6, double_val, DOUBLE, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 7, int_val, INT32, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 8, string_val, BYTES, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 9, scomplex_val, FLOAT, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 10, int64_val, INT64, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 11, bool_val, BOOL, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 12, dcomplex_val, DOUBLE, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 13, half_val, INT32, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 14, resource_handle_val, RAW, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 15, variant_val, RAW, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 16, uint32_val, UINT32, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 17, uint64_val, UINT64, TN__PB_REPEATED),
    TN__PB_FIELD(tn__tensor_def, 18, float8_val, BYTES, 0),
};
const tn__pb_message tn__pb_tensor =
    TN__PB_MESSAGE_OF("TensorProto", tn__tensor_def, tensor_fields);

static const tn__pb_field attr_fields[] = {
    TN__PB_FIELD(tn__attr, 1, key, TEXT, TN__PB_ALWAYS),
    TN__PB_SUB(tn__attr, 2, value, INLINE, 0, &tn__pb_attr_value),
};
static const tn__pb_message attr = TN__PB_MESSAGE_OF("AttrEntry", tn__attr, attr_fields);

static const tn__pb_field func_fields[] = {
    TN__PB_FIELD(tn__func_def, 1, name, TEXT, 0),
    TN__PB_SUB(tn__func_def, 2, attr, MESSAGE, TN__PB_REPEATED, &attr),
};
static const tn__pb_message func = TN__PB_MESSAGE_OF("NameAttrList", tn__func_def, func_fields);

static const tn__pb_field list_fields[] = {
    TN__PB_FIELD(tn__attr_list, 2, s, BYTES, TN__PB_REPEATED),
    TN__PB_FIELD(tn__attr_list, 3, i, INT64, TN__PB_REPEATED),
    TN__PB_FIELD(tn__attr_list, 4, f, FLOAT, TN__PB_REPEATED),
    TN__PB_FIELD(tn__attr_list, 5, b, BOOL, TN__PB_REPEATED),
    TN__PB_FIELD(tn__attr_list, 6, type, INT32, TN__PB_REPEATED),
    TN__PB_SUB(tn__attr_list, 7, shape, MESSAGE, TN__PB_REPEATED, &tn__pb_shape),
    TN__PB_SUB(tn__attr_list, 8, tensor, MESSAGE, TN__PB_REPEATED, &tn__pb_tensor),
    TN__PB_SUB(tn__attr_list, 9, func, MESSAGE, TN__PB_REPEATED, &func),
};
static const tn__pb_message list = TN__PB_MESSAGE_OF("ListValue", tn__attr_list, list_fields);

static const tn__pb_field attr_value_fields[] = {
    TN__PB_SUB(tn__attr_value, 1, list, MESSAGE, TN__PB_ONEOF, &list),
    TN__PB_FIELD(tn__attr_value, 2, s, BYTES, TN__PB_ONEOF),
    TN__PB_FIELD(tn__attr_value, 3, i, INT64, TN__PB_ONEOF),
    TN__PB_FIELD(tn__attr_value, 4, f, FLOAT, TN__PB_ONEOF),
    TN__PB_FIELD(tn__attr_value, 5, b, BOOL, TN__PB_ONEOF),
    TN__PB_FIELD(tn__attr_value, 6, type, INT32, TN__PB_ONEOF),
    TN__PB_SUB(tn__attr_value, 7, shape, MESSAGE, TN__PB_ONEOF, &tn__pb_shape),
    TN__PB_SUB(tn__attr_value, 8, tensor, MESSAGE, TN__PB_ONEOF, &tn__pb_tensor),
    TN__PB_FIELD(tn__attr_value, 9, placeholder, TEXT, TN__PB_ONEOF),
    TN__PB_SUB(tn__attr_value, 10, func, MESSAGE, TN__PB_ONEOF, &func),
};
const tn__pb_message tn__pb_attr_value =
    TN__PB_ONEOF_OF("AttrValue", tn__attr_value, attr_value_fields, which);

static const tn__pb_field debug_info_fields[] = {
    TN__PB_FIELD(tn__debug_info, 1, original_node_names, TEXT, TN__PB_REPEATED),
    TN__PB_FIELD(tn__debug_info, 2, original_func_names, TEXT, TN__PB_REPEATED),
};
static const tn__pb_message debug_info =
    TN__PB_MESSAGE_OF("ExperimentalDebugInfo", tn__debug_info, debug_info_fields);

static const tn__pb_field node_fields[] = {
    TN__PB_FIELD(tn__node_def, 1, name, TEXT, 0),
    TN__PB_FIELD(tn__node_def, 2, op, TEXT, 0),
    TN__PB_FIELD(tn__node_def, 3, input, TEXT, TN__PB_REPEATED),
    TN__PB_FIELD(tn__node_def, 4, device, TEXT, 0),
    TN__PB_SUB(tn__node_def, 5, attr, MESSAGE, TN__PB_REPEATED, &attr),
    TN__PB_SUB(tn__node_def, 6, debug_info, MESSAGE, 0, &debug_info),
    TN__PB_FIELD(tn__node_def, 7, full_type, RAW, 0),
};
static const tn__pb_message node = TN__PB_MESSAGE_OF("NodeDef", tn__node_def, node_fields);

static const tn__pb_field version_fields[] = {
    TN__PB_FIELD(tn__version_def, 1, producer, INT32, 0),
    TN__PB_FIELD(tn__version_def, 2, min_consumer, INT32, 0),
    TN__PB_FIELD(tn__version_def, 3, bad_consumers, INT32, TN__PB_REPEATED),
};
const tn__pb_message tn__pb_version =
    TN__PB_MESSAGE_OF("VersionDef", tn__version_def, version_fields);

static const tn__pb_field dtype_and_shape_fields[] = {
    TN__PB_FIELD(tn__dtype_and_shape, 1, dtype, INT32, 0),
    TN__PB_SUB(tn__dtype_and_shape, 2, shape, MESSAGE, 0, &tn__pb_shape),
};
static const tn__pb_message dtype_and_shape =
    TN__PB_MESSAGE_OF("DtypeAndShape", tn__dtype_and_shape, dtype_and_shape_fields);

static const tn__pb_field arg_fields[] = {
    TN__PB_FIELD(tn__arg_def, 1, name, TEXT, 0),
    TN__PB_FIELD(tn__arg_def, 2, description, TEXT, 0),
    TN__PB_FIELD(tn__arg_def, 3, type, INT32, 0),
    TN__PB_FIELD(tn__arg_def, 4, type_attr, TEXT, 0),
    TN__PB_FIELD(tn__arg_def, 5, number_attr, TEXT, 0),
    TN__PB_FIELD(tn__arg_def, 6, type_list_attr, TEXT, 0),
    TN__PB_SUB(tn__arg_def, 7, handle_data, MESSAGE, TN__PB_REPEATED, &dtype_and_shape),
    TN__PB_FIELD(tn__arg_def, 16, is_ref, BOOL, 0),
    TN__PB_FIELD(tn__arg_def, 17, full_type, RAW, 0),
};
static const tn__pb_message arg = TN__PB_MESSAGE_OF("ArgDef", tn__arg_def, arg_fields);

static const tn__pb_field attr_def_fields[] = {
    TN__PB_FIELD(tn__attr_def, 1, name, TEXT, 0),
    TN__PB_FIELD(tn__attr_def, 2, type, TEXT, 0),
    TN__PB_SUB(tn__attr_def, 3, default_value, MESSAGE, 0, &tn__pb_attr_value),
    TN__PB_FIELD(tn__attr_def, 4, description, TEXT, 0),
    TN__PB_FIELD(tn__attr_def, 5, has_minimum, BOOL, 0),
    TN__PB_FIELD(tn__attr_def, 6, minimum, INT64, 0),
    TN__PB_SUB(tn__attr_def, 7, allowed_values, MESSAGE, 0, &tn__pb_attr_value),
};
static const tn__pb_message attr_def = TN__PB_MESSAGE_OF("AttrDef", tn__attr_def, attr_def_fields);

static const tn__pb_field deprecation_fields[] = {
    TN__PB_FIELD(tn__deprecation_def, 1, version, INT32, 0),
    TN__PB_FIELD(tn__deprecation_def, 2, explanation, TEXT, 0),
};
static const tn__pb_message deprecation =
    TN__PB_MESSAGE_OF("OpDeprecation", tn__deprecation_def, deprecation_fields);

static const tn__pb_field op_fields[] = {
    TN__PB_FIELD(tn__op_def, 1, name, TEXT, 0),
    TN__PB_SUB(tn__op_def, 2, input_arg, MESSAGE, TN__PB_REPEATED, &arg),
    TN__PB_SUB(tn__op_def, 3, output_arg, MESSAGE, TN__PB_REPEATED, &arg),
    TN__PB_SUB(tn__op_def, 4, attr, MESSAGE, TN__PB_REPEATED, &attr_def),
    TN__PB_FIELD(tn__op_def, 5, summary, TEXT, 0),
    TN__PB_FIELD(tn__op_def, 6, description, TEXT, 0),
    TN__PB_SUB(tn__op_def, 8, deprecation, MESSAGE, 0, &deprecation),
    TN__PB_FIELD(tn__op_def, 16, is_aggregate, BOOL, 0),
    TN__PB_FIELD(tn__op_def, 17, is_stateful, BOOL, 0),
    TN__PB_FIELD(tn__op_def, 18, is_commutative, BOOL, 0),
    TN__PB_FIELD(tn__op_def, 19, allows_uninitialized_input, BOOL, 0),
    TN__PB_FIELD(tn__op_def, 20, control_output, TEXT, TN__PB_REPEATED),
    TN__PB_FIELD(tn__op_def, 21, is_distributed_communication, BOOL, 0),
};
const tn__pb_message tn__pb_op = TN__PB_MESSAGE_OF("OpDef", tn__op_def, op_fields);

static const tn__pb_field text_pair_fields[] = {
    TN__PB_FIELD(tn__text_pair, 1, key, TEXT, TN__PB_ALWAYS),
    TN__PB_FIELD(tn__text_pair, 2, value, TEXT, TN__PB_ALWAYS),
};
const tn__pb_message tn__pb_text_pair =
    TN__PB_MESSAGE_OF("TextEntry", tn__text_pair, text_pair_fields);

static const tn__pb_field arg_attrs_value_fields[] = {
    TN__PB_SUB(tn__arg_attrs_value, 1, attr, MESSAGE, TN__PB_REPEATED, &attr),
};
static const tn__pb_message arg_attrs_value =
    TN__PB_MESSAGE_OF("ArgAttrs", tn__arg_attrs_value, arg_attrs_value_fields);

static const tn__pb_field arg_attrs_fields[] = {
    TN__PB_FIELD(tn__arg_attrs, 1, key, UINT32, TN__PB_ALWAYS),
    TN__PB_SUB(tn__arg_attrs, 2, value, INLINE, 0, &arg_attrs_value),
};
static const tn__pb_message arg_attrs =
    TN__PB_MESSAGE_OF("ArgAttrEntry", tn__arg_attrs, arg_attrs_fields);

static const tn__pb_field number_pair_fields[] = {
    TN__PB_FIELD(tn__number_pair, 1, key, UINT32, TN__PB_ALWAYS),
    TN__PB_FIELD(tn__number_pair, 2, value, UINT32, TN__PB_ALWAYS),
};
static const tn__pb_message number_pair =
    TN__PB_MESSAGE_OF("ResourceArgUniqueIdEntry", tn__number_pair, number_pair_fields);

static const tn__pb_field function_fields[] = {
    TN__PB_SUB(tn__function_def, 1, signature, MESSAGE, 0, &tn__pb_op),
    TN__PB_SUB(tn__function_def, 3, node_def, MESSAGE, TN__PB_REPEATED, &node),
    TN__PB_SUB(tn__function_def, 4, ret, MESSAGE, TN__PB_REPEATED, &tn__pb_text_pair),
    TN__PB_SUB(tn__function_def, 5, attr, MESSAGE, TN__PB_REPEATED, &attr),
    TN__PB_SUB(tn__function_def, 6, control_ret, MESSAGE, TN__PB_REPEATED, &tn__pb_text_pair),
    TN__PB_SUB(tn__function_def, 7, arg_attr, MESSAGE, TN__PB_REPEATED, &arg_attrs),
    TN__PB_SUB(tn__function_def, 8, resource_arg_unique_id, MESSAGE, TN__PB_REPEATED, &number_pair),
};
static const tn__pb_message function =
    TN__PB_MESSAGE_OF("FunctionDef", tn__function_def, function_fields);

static const tn__pb_field gradient_fields[] = {
    TN__PB_FIELD(tn__gradient_def, 1, function_name, TEXT, 0),
    TN__PB_FIELD(tn__gradient_def, 2, gradient_func, TEXT, 0),
};
static const tn__pb_message gradient =
    TN__PB_MESSAGE_OF("GradientDef", tn__gradient_def, gradient_fields);

static const tn__pb_field registered_gradient_fields[] = {
    TN__PB_FIELD(tn__registered_gradient, 1, gradient_func, TEXT, 0),
    TN__PB_FIELD(tn__registered_gradient, 2, registered_op_type, TEXT, 0),
};
static const tn__pb_message registered_gradient =
    TN__PB_MESSAGE_OF("RegisteredGradient", tn__registered_gradient, registered_gradient_fields);

static const tn__pb_field library_fields[] = {
    TN__PB_SUB(tn__function_library, 1, function, MESSAGE, TN__PB_REPEATED, &function),
    TN__PB_SUB(tn__function_library, 2, gradient, MESSAGE, TN__PB_REPEATED, &gradient),
    TN__PB_SUB(tn__function_library, 3, registered_gradients, MESSAGE, TN__PB_REPEATED,
               &registered_gradient),
};
static const tn__pb_message library =
    TN__PB_MESSAGE_OF("FunctionDefLibrary", tn__function_library, library_fields);

static const tn__pb_field graph_fields[] = {
    TN__PB_SUB(tn__graph_def, 1, node, MESSAGE, TN__PB_REPEATED, &node),
    TN__PB_SUB(tn__graph_def, 2, library, MESSAGE, 0, &library),
    TN__PB_FIELD(tn__graph_def, 3, version, INT32, 0),
    TN__PB_SUB(tn__graph_def, 4, versions, MESSAGE, 0, &tn__pb_version),
    TN__PB_FIELD(tn__graph_def, 5, debug_info, RAW, 0),
};
const tn__pb_message tn__pb_graph = TN__PB_MESSAGE_OF("GraphDef", tn__graph_def, graph_fields);

tn__attr_value *tn__attr_add(tn__arena *arena, tn__attrs *attrs, const char *key)
{
    tn__attr *added = TN__ARENA_ADD(arena, attrs);
    if (!added)
        return NULL;
    added->key = tn__arena_text(arena, key);
    return added->key ? &added->value : NULL;
}

const tn__attr_value *tn__attr_find(const tn__attrs *attrs, const char *key)
{
    for (size_t i = attrs->count; i-- > 0;)
        if (attrs->item[i].key && strcmp(attrs->item[i].key, key) == 0)
            return &attrs->item[i].value;
    return NULL;
}

const char *tn__text_map_find(const tn__text_map *map, const char *key)
{
    for (size_t i = map->count; i-- > 0;)
        if (map->item[i].key && strcmp(map->item[i].key, key) == 0)
            return map->item[i].value;
    return NULL;
}
