/* saved_objects.c - the tables of the messages of objects. */
#include "formats/saved_objects.h"
#include <string.h>

static const tn__pb_message variable;

static const tn__pb_field list_fields[] = {
    TN__PB_SUB(tn__structured_list, 1, values, MESSAGE, TN__PB_REPEATED, &tn__pb_structured_value),
};
static const tn__pb_message list = TN__PB_MESSAGE_OF("ListValue", tn__structured_list, list_fields);

static const tn__pb_field pair_fields[] = {
    TN__PB_FIELD(tn__structured_pair, 1, key, TEXT, TN__PB_ALWAYS),
    TN__PB_SUB(tn__structured_pair, 2, value, INLINE, 0, &tn__pb_structured_value),
};
static const tn__pb_message pair =
    TN__PB_MESSAGE_OF("FieldsEntry", tn__structured_pair, pair_fields);

static const tn__pb_field dict_fields[] = {
    TN__PB_SUB(tn__structured_dict, 1, fields, MESSAGE, TN__PB_REPEATED, &pair),
};
static const tn__pb_message dict = TN__PB_MESSAGE_OF("DictValue", tn__structured_dict, dict_fields);

static const tn__pb_field named_tuple_fields[] = {
    TN__PB_FIELD(tn__structured_named_tuple, 1, name, TEXT, 0),
    TN__PB_SUB(tn__structured_named_tuple, 2, values, MESSAGE, TN__PB_REPEATED, &pair),
};
static const tn__pb_message named_tuple =
    TN__PB_MESSAGE_OF("NamedTupleValue", tn__structured_named_tuple, named_tuple_fields);

static const tn__pb_field tensor_spec_fields[] = {
    TN__PB_FIELD(tn__tensor_spec, 1, name, TEXT, 0),
    TN__PB_SUB(tn__tensor_spec, 2, shape, MESSAGE, 0, &tn__pb_shape),
    TN__PB_FIELD(tn__tensor_spec, 3, dtype, INT32, 0),
};
static const tn__pb_message tensor_spec =
    TN__PB_MESSAGE_OF("TensorSpecProto", tn__tensor_spec, tensor_spec_fields);

static const tn__pb_field bounded_tensor_spec_fields[] = {
    TN__PB_FIELD(tn__bounded_tensor_spec, 1, name, TEXT, 0),
    TN__PB_SUB(tn__bounded_tensor_spec, 2, shape, MESSAGE, 0, &tn__pb_shape),
    TN__PB_FIELD(tn__bounded_tensor_spec, 3, dtype, INT32, 0),
    TN__PB_SUB(tn__bounded_tensor_spec, 4, minimum, MESSAGE, 0, &tn__pb_tensor),
    TN__PB_SUB(tn__bounded_tensor_spec, 5, maximum, MESSAGE, 0, &tn__pb_tensor),
};
static const tn__pb_message bounded_tensor_spec = TN__PB_MESSAGE_OF(
    "BoundedTensorSpecProto", tn__bounded_tensor_spec, bounded_tensor_spec_fields);

static const tn__pb_field type_spec_fields[] = {
    TN__PB_FIELD(tn__type_spec, 1, type_spec_class, INT32, 0),
    TN__PB_SUB(tn__type_spec, 2, type_state, MESSAGE, 0, &tn__pb_structured_value),
    TN__PB_FIELD(tn__type_spec, 3, type_spec_class_name, TEXT, 0),
    TN__PB_FIELD(tn__type_spec, 4, num_flat_components, INT32, 0),
};
const tn__pb_message tn__pb_type_spec =
    TN__PB_MESSAGE_OF("TypeSpecProto", tn__type_spec, type_spec_fields);

static const tn__pb_field structured_value_fields[] = {
    TN__PB_FIELD(tn__structured_value, 1, none_value, RAW, TN__PB_ONEOF),
    TN__PB_FIELD(tn__structured_value, 11, float64_value, DOUBLE, TN__PB_ONEOF),
    TN__PB_FIELD(tn__structured_value, 12, int64_value, SINT64, TN__PB_ONEOF),
    TN__PB_FIELD(tn__structured_value, 13, string_value, TEXT, TN__PB_ONEOF),
    TN__PB_FIELD(tn__structured_value, 14, bool_value, BOOL, TN__PB_ONEOF),
    TN__PB_SUB(tn__structured_value, 31, shape, MESSAGE, TN__PB_ONEOF, &tn__pb_shape),
    TN__PB_FIELD(tn__structured_value, 32, dtype, INT32, TN__PB_ONEOF),
    TN__PB_SUB(tn__structured_value, 33, tensor_spec, MESSAGE, TN__PB_ONEOF, &tensor_spec),
    TN__PB_SUB(tn__structured_value, 34, type_spec, MESSAGE, TN__PB_ONEOF, &tn__pb_type_spec),
    TN__PB_SUB(tn__structured_value, 35, bounded_tensor_spec, MESSAGE, TN__PB_ONEOF,
               &bounded_tensor_spec),
    TN__PB_SUB(tn__structured_value, 51, list, MESSAGE, TN__PB_ONEOF, &list),
    TN__PB_SUB(tn__structured_value, 52, list, MESSAGE, TN__PB_ONEOF, &list),
    TN__PB_SUB(tn__structured_value, 53, dict, MESSAGE, TN__PB_ONEOF, &dict),
    TN__PB_SUB(tn__structured_value, 54, named_tuple, MESSAGE, TN__PB_ONEOF, &named_tuple),
    TN__PB_SUB(tn__structured_value, 55, tensor, MESSAGE, TN__PB_ONEOF, &tn__pb_tensor),
    TN__PB_SUB(tn__structured_value, 56, tensor, MESSAGE, TN__PB_ONEOF, &tn__pb_tensor),
};
const tn__pb_message tn__pb_structured_value =
    TN__PB_ONEOF_OF("StructuredValue", tn__structured_value, structured_value_fields, which);

static const tn__pb_field user_object_fields[] = {
    TN__PB_FIELD(tn__saved_user_object, 1, identifier, TEXT, 0),
    TN__PB_SUB(tn__saved_user_object, 2, version, MESSAGE, 0, &tn__pb_version),
    TN__PB_FIELD(tn__saved_user_object, 3, metadata, TEXT, 0),
};
static const tn__pb_message user_object =
    TN__PB_MESSAGE_OF("SavedUserObject", tn__saved_user_object, user_object_fields);

static const tn__pb_field asset_fields[] = {
    TN__PB_FIELD(tn__saved_asset, 1, asset_file_def_index, INT32, 0),
};
static const tn__pb_message asset = TN__PB_MESSAGE_OF("SavedAsset", tn__saved_asset, asset_fields);

static const tn__pb_field function_spec_fields[] = {
    TN__PB_SUB(tn__function_spec, 1, fullargspec, MESSAGE, 0, &tn__pb_structured_value),
    TN__PB_FIELD(tn__function_spec, 2, is_method, BOOL, 0),
    TN__PB_SUB(tn__function_spec, 5, input_signature, MESSAGE, 0, &tn__pb_structured_value),
    TN__PB_FIELD(tn__function_spec, 6, jit_compile, INT32, 0),
};
static const tn__pb_message function_spec =
    TN__PB_MESSAGE_OF("FunctionSpec", tn__function_spec, function_spec_fields);

static const tn__pb_field function_fields[] = {
    TN__PB_FIELD(tn__saved_function, 1, concrete_functions, TEXT, TN__PB_REPEATED),
    TN__PB_SUB(tn__saved_function, 2, function_spec, MESSAGE, 0, &function_spec),
};
static const tn__pb_message function =
    TN__PB_MESSAGE_OF("SavedFunction", tn__saved_function, function_fields);

static const tn__pb_field variable_fields[] = {
    TN__PB_FIELD(tn__saved_variable, 1, dtype, INT32, 0),
    TN__PB_SUB(tn__saved_variable, 2, shape, MESSAGE, 0, &tn__pb_shape),
    TN__PB_FIELD(tn__saved_variable, 3, trainable, BOOL, 0),
    TN__PB_FIELD(tn__saved_variable, 4, synchronization, INT32, 0),
    TN__PB_FIELD(tn__saved_variable, 5, aggregation, INT32, 0),
    TN__PB_FIELD(tn__saved_variable, 6, name, TEXT, 0),
    TN__PB_FIELD(tn__saved_variable, 7, device, TEXT, 0),
    TN__PB_SUB(tn__saved_variable, 8, components, MESSAGE, TN__PB_REPEATED, &variable),
};
static const tn__pb_message variable =
    TN__PB_MESSAGE_OF("SavedVariable", tn__saved_variable, variable_fields);

static const tn__pb_field bare_function_fields[] = {
    TN__PB_FIELD(tn__saved_bare_function, 1, concrete_function_name, TEXT, 0),
    TN__PB_FIELD(tn__saved_bare_function, 2, argument_keywords, TEXT, TN__PB_REPEATED),
    TN__PB_FIELD(tn__saved_bare_function, 3, allowed_positional_arguments, INT64, 0),
    TN__PB_SUB(tn__saved_bare_function, 4, function_spec, MESSAGE, 0, &function_spec),
};
static const tn__pb_message bare_function =
    TN__PB_MESSAGE_OF("SavedBareConcreteFunction", tn__saved_bare_function, bare_function_fields);

static const tn__pb_field constant_fields[] = {
    TN__PB_FIELD(tn__saved_constant, 1, operation, TEXT, 0),
};
static const tn__pb_message constant =
    TN__PB_MESSAGE_OF("SavedConstant", tn__saved_constant, constant_fields);

static const tn__pb_field resource_fields[] = {
    TN__PB_FIELD(tn__saved_resource, 1, device, TEXT, 0),
};
static const tn__pb_message resource =
    TN__PB_MESSAGE_OF("SavedResource", tn__saved_resource, resource_fields);

static const tn__pb_field captured_tensor_fields[] = {
    TN__PB_FIELD(tn__captured_tensor, 1, name, TEXT, 0),
    TN__PB_FIELD(tn__captured_tensor, 2, concrete_function, TEXT, 0),
};
static const tn__pb_message captured_tensor =
    TN__PB_MESSAGE_OF("CapturedTensor", tn__captured_tensor, captured_tensor_fields);

static const tn__pb_field saveable_functions_fields[] = {
    TN__PB_FIELD(tn__saveable_functions, 2, save_function, INT32, 0),
    TN__PB_FIELD(tn__saveable_functions, 3, restore_function, INT32, 0),
};
static const tn__pb_message saveable_functions =
    TN__PB_MESSAGE_OF("SaveableObject", tn__saveable_functions, saveable_functions_fields);

static const tn__pb_field saveable_object_fields[] = {
    TN__PB_FIELD(tn__saveable_object, 1, key, TEXT, TN__PB_ALWAYS),
    TN__PB_SUB(tn__saveable_object, 2, value, INLINE, 0, &saveable_functions),
};
static const tn__pb_message saveable_object =
    TN__PB_MESSAGE_OF("SaveableObjectsEntry", tn__saveable_object, saveable_object_fields);

static const tn__pb_field object_fields[] = {
    TN__PB_SUB(tn__saved_object, 1, children, MESSAGE, TN__PB_REPEATED, &tn__pb_object_reference),
    TN__PB_SUB(tn__saved_object, 3, slot_variables, MESSAGE, TN__PB_REPEATED,
               &tn__pb_slot_reference),
    TN__PB_SUB(tn__saved_object, 4, user_object, MESSAGE, TN__PB_ONEOF, &user_object),
    TN__PB_SUB(tn__saved_object, 5, asset, MESSAGE, TN__PB_ONEOF, &asset),
    TN__PB_SUB(tn__saved_object, 6, function, MESSAGE, TN__PB_ONEOF, &function),
    TN__PB_SUB(tn__saved_object, 7, variable, MESSAGE, TN__PB_ONEOF, &variable),
    TN__PB_SUB(tn__saved_object, 8, bare_function, MESSAGE, TN__PB_ONEOF, &bare_function),
    TN__PB_SUB(tn__saved_object, 9, constant, MESSAGE, TN__PB_ONEOF, &constant),
    TN__PB_SUB(tn__saved_object, 10, resource, MESSAGE, TN__PB_ONEOF, &resource),
    TN__PB_SUB(tn__saved_object, 11, saveable_objects, MESSAGE, TN__PB_REPEATED, &saveable_object),
    TN__PB_SUB(tn__saved_object, 12, captured_tensor, MESSAGE, TN__PB_ONEOF, &captured_tensor),
    TN__PB_FIELD(tn__saved_object, 13, registered_name, TEXT, 0),
    TN__PB_FIELD(tn__saved_object, 14, serialized_user_proto, RAW, 0),
    TN__PB_SUB(tn__saved_object, 15, dependencies, MESSAGE, TN__PB_REPEATED,
               &tn__pb_object_reference),
    TN__PB_FIELD(tn__saved_object, 16, registered_saver, TEXT, 0),
};
static const tn__pb_message object =
    TN__PB_ONEOF_OF("SavedObject", tn__saved_object, object_fields, which);

static const tn__pb_field concrete_function_fields[] = {
    TN__PB_FIELD(tn__concrete_function, 2, bound_inputs, INT32, TN__PB_REPEATED),
    TN__PB_SUB(tn__concrete_function, 3, canonicalized_input_signature, MESSAGE, 0,
               &tn__pb_structured_value),
    TN__PB_SUB(tn__concrete_function, 4, output_signature, MESSAGE, 0, &tn__pb_structured_value),
};
static const tn__pb_message concrete_function =
    TN__PB_MESSAGE_OF("SavedConcreteFunction", tn__concrete_function, concrete_function_fields);

static const tn__pb_field concrete_function_entry_fields[] = {
    TN__PB_FIELD(tn__concrete_function_entry, 1, key, TEXT, TN__PB_ALWAYS),
    TN__PB_SUB(tn__concrete_function_entry, 2, value, INLINE, 0, &concrete_function),
};
static const tn__pb_message concrete_function_entry = TN__PB_MESSAGE_OF(
    "ConcreteFunctionsEntry", tn__concrete_function_entry, concrete_function_entry_fields);

static const tn__pb_field saved_object_graph_fields[] = {
    TN__PB_SUB(tn__saved_object_graph, 1, nodes, MESSAGE, TN__PB_REPEATED, &object),
    TN__PB_SUB(tn__saved_object_graph, 2, concrete_functions, MESSAGE, TN__PB_REPEATED,
               &concrete_function_entry),
};
const tn__pb_message tn__pb_saved_object_graph =
    TN__PB_MESSAGE_OF("SavedObjectGraph", tn__saved_object_graph, saved_object_graph_fields);

const tn__concrete_function *tn__concrete_function_find(const tn__saved_object_graph *graph,
                                                        const char *name)
{
    for (size_t i = graph->concrete_functions.count; i-- > 0;) {
        const tn__concrete_function_entry *entry = &graph->concrete_functions.item[i];
        if (entry->key && strcmp(entry->key, name) == 0)
            return &entry->value;
    }
    return NULL;
}
