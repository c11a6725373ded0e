/* saved_model.c - the tables of the messages of a SavedModel. */
#include "formats/saved_model.h"
#include <string.h>

#define LARGEST ((size_t)INT32_MAX) /* protobuf's readers take no larger message */

static const tn__pb_message tensor_info;

static const tn__pb_field sparse_fields[] = {
    TN__PB_FIELD(tn__sparse_info, 1, values_tensor_name, TEXT, 0),
    TN__PB_FIELD(tn__sparse_info, 2, indices_tensor_name, TEXT, 0),
    TN__PB_FIELD(tn__sparse_info, 3, dense_shape_tensor_name, TEXT, 0),
};
static const tn__pb_message sparse = TN__PB_MESSAGE_OF("CooSparse", tn__sparse_info, sparse_fields);

static const tn__pb_field composite_fields[] = {
    TN__PB_SUB(tn__composite_info, 1, type_spec, MESSAGE, 0, &tn__pb_type_spec),
    TN__PB_SUB(tn__composite_info, 2, components, MESSAGE, TN__PB_REPEATED, &tensor_info),
};
static const tn__pb_message composite =
    TN__PB_MESSAGE_OF("CompositeTensor", tn__composite_info, composite_fields);

static const tn__pb_field tensor_info_fields[] = {
    TN__PB_FIELD(tn__tensor_info, 1, name, TEXT, TN__PB_ONEOF),
    TN__PB_FIELD(tn__tensor_info, 2, dtype, INT32, 0),
    TN__PB_SUB(tn__tensor_info, 3, shape, MESSAGE, 0, &tn__pb_shape),
    TN__PB_SUB(tn__tensor_info, 4, sparse, MESSAGE, TN__PB_ONEOF, &sparse),
    TN__PB_SUB(tn__tensor_info, 5, composite, MESSAGE, TN__PB_ONEOF, &composite),
};
static const tn__pb_message tensor_info =
    TN__PB_ONEOF_OF("TensorInfo", tn__tensor_info, tensor_info_fields, which);

static const tn__pb_field tensor_info_entry_fields[] = {
    TN__PB_FIELD(tn__tensor_info_entry, 1, key, TEXT, TN__PB_ALWAYS),
    TN__PB_SUB(tn__tensor_info_entry, 2, value, INLINE, 0, &tensor_info),
};
static const tn__pb_message tensor_info_entry =
    TN__PB_MESSAGE_OF("TensorInfoEntry", tn__tensor_info_entry, tensor_info_entry_fields);

static const tn__pb_field default_entry_fields[] = {
    TN__PB_FIELD(tn__default_entry, 1, key, TEXT, TN__PB_ALWAYS),
    TN__PB_SUB(tn__default_entry, 2, value, INLINE, 0, &tn__pb_tensor),
};
static const tn__pb_message default_entry =
    TN__PB_MESSAGE_OF("DefaultsEntry", tn__default_entry, default_entry_fields);

static const tn__pb_field signature_fields[] = {
    TN__PB_SUB(tn__signature_def, 1, inputs, MESSAGE, TN__PB_REPEATED, &tensor_info_entry),
    TN__PB_SUB(tn__signature_def, 2, outputs, MESSAGE, TN__PB_REPEATED, &tensor_info_entry),
    TN__PB_FIELD(tn__signature_def, 3, method_name, TEXT, 0),
    TN__PB_SUB(tn__signature_def, 4, defaults, MESSAGE, TN__PB_REPEATED, &default_entry),
};
static const tn__pb_message signature =
    TN__PB_MESSAGE_OF("SignatureDef", tn__signature_def, signature_fields);

static const tn__pb_field signature_entry_fields[] = {
    TN__PB_FIELD(tn__signature_entry, 1, key, TEXT, TN__PB_ALWAYS),
    TN__PB_SUB(tn__signature_entry, 2, value, INLINE, 0, &signature),
};
static const tn__pb_message signature_entry =
    TN__PB_MESSAGE_OF("SignatureDefEntry", tn__signature_entry, signature_entry_fields);

static const tn__pb_field collection_nodes_fields[] = {
    TN__PB_FIELD(tn__collection_nodes, 1, value, TEXT, TN__PB_REPEATED),
};
static const tn__pb_message collection_nodes =
    TN__PB_MESSAGE_OF("NodeList", tn__collection_nodes, collection_nodes_fields);

static const tn__pb_field collection_bytes_fields[] = {
    TN__PB_FIELD(tn__collection_bytes, 1, value, BYTES, TN__PB_REPEATED),
};
static const tn__pb_message collection_bytes =
    TN__PB_MESSAGE_OF("BytesList", tn__collection_bytes, collection_bytes_fields);

static const tn__pb_field collection_int64_fields[] = {
    TN__PB_FIELD(tn__collection_int64, 1, value, INT64, TN__PB_REPEATED),
};
static const tn__pb_message collection_int64 =
    TN__PB_MESSAGE_OF("Int64List", tn__collection_int64, collection_int64_fields);

static const tn__pb_field collection_float_fields[] = {
    TN__PB_FIELD(tn__collection_float, 1, value, FLOAT, TN__PB_REPEATED),
};
static const tn__pb_message collection_float =
    TN__PB_MESSAGE_OF("FloatList", tn__collection_float, collection_float_fields);

static const tn__pb_field collection_fields[] = {
    TN__PB_SUB(tn__collection_def, 1, nodes, MESSAGE, TN__PB_ONEOF, &collection_nodes),
    TN__PB_SUB(tn__collection_def, 2, bytes, MESSAGE, TN__PB_ONEOF, &collection_bytes),
    TN__PB_SUB(tn__collection_def, 3, int64, MESSAGE, TN__PB_ONEOF, &collection_int64),
    TN__PB_SUB(tn__collection_def, 4, floats, MESSAGE, TN__PB_ONEOF, &collection_float),
    TN__PB_SUB(tn__collection_def, 5, bytes, MESSAGE, TN__PB_ONEOF, &collection_bytes),
};
static const tn__pb_message collection =
    TN__PB_ONEOF_OF("CollectionDef", tn__collection_def, collection_fields, which);

static const tn__pb_field collection_entry_fields[] = {
    TN__PB_FIELD(tn__collection_entry, 1, key, TEXT, TN__PB_ALWAYS),
    TN__PB_SUB(tn__collection_entry, 2, value, INLINE, 0, &collection),
};
static const tn__pb_message collection_entry =
    TN__PB_MESSAGE_OF("CollectionDefEntry", tn__collection_entry, collection_entry_fields);

static const tn__pb_field slice_info_fields[] = {
    TN__PB_FIELD(tn__slice_info, 1, full_name, TEXT, 0),
    TN__PB_FIELD(tn__slice_info, 2, full_shape, INT64, TN__PB_REPEATED),
    TN__PB_FIELD(tn__slice_info, 3, var_offset, INT64, TN__PB_REPEATED),
    TN__PB_FIELD(tn__slice_info, 4, var_shape, INT64, TN__PB_REPEATED),
};
static const tn__pb_message slice_info =
    TN__PB_MESSAGE_OF("SaveSliceInfoDef", tn__slice_info, slice_info_fields);

static const tn__pb_field variable_def_fields[] = {
    TN__PB_FIELD(tn__variable_def, 1, variable_name, TEXT, 0),
    TN__PB_FIELD(tn__variable_def, 2, initializer_name, TEXT, 0),
    TN__PB_FIELD(tn__variable_def, 3, snapshot_name, TEXT, 0),
    TN__PB_SUB(tn__variable_def, 4, slice_info, MESSAGE, 0, &slice_info),
    TN__PB_FIELD(tn__variable_def, 5, is_resource, BOOL, 0),
    TN__PB_FIELD(tn__variable_def, 6, initial_value_name, TEXT, 0),
    TN__PB_FIELD(tn__variable_def, 7, trainable, BOOL, 0),
    TN__PB_FIELD(tn__variable_def, 8, synchronization, INT32, 0),
    TN__PB_FIELD(tn__variable_def, 9, aggregation, INT32, 0),
};
const tn__pb_message tn__pb_variable_def =
    TN__PB_MESSAGE_OF("VariableDef", tn__variable_def, variable_def_fields);

static const tn__pb_field op_list_fields[] = {
    TN__PB_SUB(tn__op_list, 1, op, MESSAGE, TN__PB_REPEATED, &tn__pb_op),
};
static const tn__pb_message op_list = TN__PB_MESSAGE_OF("OpList", tn__op_list, op_list_fields);

static const tn__pb_field meta_info_fields[] = {
    TN__PB_FIELD(tn__meta_info_def, 1, meta_graph_version, TEXT, 0),
    TN__PB_SUB(tn__meta_info_def, 2, stripped_op_list, MESSAGE, 0, &op_list),
    TN__PB_FIELD(tn__meta_info_def, 3, any_info, RAW, 0),
    TN__PB_FIELD(tn__meta_info_def, 4, tags, TEXT, TN__PB_REPEATED),
    TN__PB_FIELD(tn__meta_info_def, 5, tensorflow_version, TEXT, 0),
    TN__PB_FIELD(tn__meta_info_def, 6, tensorflow_git_version, TEXT, 0),
    TN__PB_FIELD(tn__meta_info_def, 7, stripped_default_attrs, BOOL, 0),
    TN__PB_SUB(tn__meta_info_def, 8, function_aliases, MESSAGE, TN__PB_REPEATED, &tn__pb_text_pair),
};
static const tn__pb_message meta_info =
    TN__PB_MESSAGE_OF("MetaInfoDef", tn__meta_info_def, meta_info_fields);

static const tn__pb_field saver_fields[] = {
    TN__PB_FIELD(tn__saver_def, 1, filename_tensor_name, TEXT, 0),
    TN__PB_FIELD(tn__saver_def, 2, save_tensor_name, TEXT, 0),
    TN__PB_FIELD(tn__saver_def, 3, restore_op_name, TEXT, 0),
    TN__PB_FIELD(tn__saver_def, 4, max_to_keep, INT32, 0),
    TN__PB_FIELD(tn__saver_def, 5, sharded, BOOL, 0),
    TN__PB_FIELD(tn__saver_def, 6, keep_checkpoint_every_n_hours, FLOAT, 0),
    TN__PB_FIELD(tn__saver_def, 7, version, INT32, 0),
};
static const tn__pb_message saver = TN__PB_MESSAGE_OF("SaverDef", tn__saver_def, saver_fields);

static const tn__pb_field asset_file_fields[] = {
    TN__PB_SUB(tn__asset_file_def, 1, tensor_info, MESSAGE, 0, &tensor_info),
    TN__PB_FIELD(tn__asset_file_def, 2, filename, TEXT, 0),
};
static const tn__pb_message asset_file =
    TN__PB_MESSAGE_OF("AssetFileDef", tn__asset_file_def, asset_file_fields);

static const tn__pb_field meta_graph_fields[] = {
    TN__PB_SUB(tn__meta_graph_def, 1, meta_info_def, MESSAGE, 0, &meta_info),
    TN__PB_SUB(tn__meta_graph_def, 2, graph_def, MESSAGE, 0, &tn__pb_graph),
    TN__PB_SUB(tn__meta_graph_def, 3, saver_def, MESSAGE, 0, &saver),
    TN__PB_SUB(tn__meta_graph_def, 4, collection_def, MESSAGE, TN__PB_REPEATED, &collection_entry),
    TN__PB_SUB(tn__meta_graph_def, 5, signature_def, MESSAGE, TN__PB_REPEATED, &signature_entry),
    TN__PB_SUB(tn__meta_graph_def, 6, asset_file_def, MESSAGE, TN__PB_REPEATED, &asset_file),
    TN__PB_SUB(tn__meta_graph_def, 7, object_graph_def, MESSAGE, 0, &tn__pb_saved_object_graph),
};
static const tn__pb_message meta_graph =
    TN__PB_MESSAGE_OF("MetaGraphDef", tn__meta_graph_def, meta_graph_fields);

static const tn__pb_field saved_model_fields[] = {
    TN__PB_FIELD(tn__saved_model, 1, schema_version, INT64, 0),
    TN__PB_SUB(tn__saved_model, 2, meta_graphs, MESSAGE, TN__PB_REPEATED, &meta_graph),
};
const tn__pb_message tn__pb_saved_model =
    TN__PB_MESSAGE_OF("SavedModel", tn__saved_model, saved_model_fields);

tn_status tn__saved_model_read(tn__span bytes, tn__arena *arena, tn__saved_model *model)
{
    *model = (tn__saved_model){ 0 };
    return tn__pb_read(&tn__pb_saved_model, bytes, arena, model);
}

tn_status tn__saved_model_write(const tn__saved_model *model, tn__bytes *bytes)
{
    size_t before = bytes->size;
    TN_TRY(tn__pb_write(&tn__pb_saved_model, model, bytes));
    if (bytes->size - before > LARGEST)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "a SavedModel of %zu bytes is not read by anybody: 2 GB are the most that "
                        "a protobuf message can have",
                        bytes->size - before);
    return TN_OK;
}

const tn__signature_def *tn__signature_find(const tn__meta_graph_def *graph, const char *key)
{
    for (size_t i = graph->signature_def.count; i-- > 0;) {
        const tn__signature_entry *entry = &graph->signature_def.item[i];
        if (entry->key && strcmp(entry->key, key) == 0)
            return &entry->value;
    }
    return NULL;
}
