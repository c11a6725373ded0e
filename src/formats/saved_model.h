/* saved_model.h - SavedModel, the file saved_model.pb: graphs with signatures, collections and
 * objects. Structs as in graphdef.h. */
#ifndef TN_FORMATS_SAVED_MODEL_H
#define TN_FORMATS_SAVED_MODEL_H
#include "base/file.h"
#include "formats/saved_objects.h"

/* --- signatures ------------------------------------------------------------------------------- */
typedef enum { TN__INFO_NAME = 1, TN__INFO_SPARSE = 4, TN__INFO_COMPOSITE = 5 } tn__info_kind;
typedef struct tn__tensor_info tn__tensor_info;
typedef struct {
    const char *values_tensor_name, *indices_tensor_name, *dense_shape_tensor_name;
} tn__sparse_info;
typedef struct {
    tn__type_spec *type_spec;
    TN__LIST_OF(tn__tensor_info) components;
} tn__composite_info;
struct tn__tensor_info {
    int which; /* a tn__info_kind */
    union {
        const char *name; /* "serving_default_x:0" */
        tn__sparse_info *sparse;
        tn__composite_info *composite;
    };
    int32_t dtype;
    tn__shape_def *shape;
};
typedef struct {
    const char *key;
    tn__tensor_info value;
} tn__tensor_info_entry;
typedef struct {
    const char *key;
    tn__tensor_def value;
} tn__default_entry;
typedef struct {
    TN__LIST_OF(tn__tensor_info_entry) inputs;
    TN__LIST_OF(tn__tensor_info_entry) outputs;
    const char *method_name; /* "tensorflow/serving/predict" */
    TN__LIST_OF(tn__default_entry) defaults;
} tn__signature_def;
typedef struct {
    const char *key; /* "serving_default" */
    tn__signature_def value;
} tn__signature_entry;

/* --- collections ------------------------------------------------------------------------------ */
typedef enum {
    TN__COLLECTION_NODES = 1,
    TN__COLLECTION_BYTES = 2,
    TN__COLLECTION_INT64 = 3,
    TN__COLLECTION_FLOAT = 4,
    TN__COLLECTION_ANY = 5,
} tn__collection_kind;
typedef struct {
    TN__LIST_OF(const char *) value;
} tn__collection_nodes;
typedef struct {
    TN__LIST_OF(tn__span) value;
} tn__collection_bytes;
typedef struct {
    TN__LIST_OF(int64_t) value;
} tn__collection_int64;
typedef struct {
    TN__LIST_OF(float) value;
} tn__collection_float;
typedef struct {
    int which; /* a tn__collection_kind */
    union {
        tn__collection_nodes *nodes;
        tn__collection_bytes *bytes; /* and any: encoded */
        tn__collection_int64 *int64;
        tn__collection_float *floats;
    };
} tn__collection_def;
typedef struct {
    const char *key; /* "variables", "trainable_variables": bytes, each a VariableDef */
    tn__collection_def value;
} tn__collection_entry;

typedef struct {
    const char *full_name;
    TN__LIST_OF(int64_t) full_shape;
    TN__LIST_OF(int64_t) var_offset;
    TN__LIST_OF(int64_t) var_shape;
} tn__slice_info;
typedef struct {
    const char *variable_name, *initializer_name, *snapshot_name;
    tn__slice_info *slice_info;
    bool is_resource;
    const char *initial_value_name;
    bool trainable;
    int32_t synchronization, aggregation;
} tn__variable_def;

/* --- the whole -------------------------------------------------------------------------------- */
typedef struct {
    TN__LIST_OF(tn__op_def) op;
} tn__op_list;
typedef struct {
    const char *meta_graph_version;
    tn__op_list *stripped_op_list;
    tn__span any_info;  /* encoded */
    tn__text_list tags; /* "serve" */
    const char *tensorflow_version, *tensorflow_git_version;
    bool stripped_default_attrs;
    tn__text_map function_aliases;
} tn__meta_info_def;
typedef struct {
    const char *filename_tensor_name, *save_tensor_name, *restore_op_name;
    int32_t max_to_keep;
    bool sharded;
    float keep_checkpoint_every_n_hours;
    int32_t version; /* 2: V2, a tensor bundle */
} tn__saver_def;
typedef struct {
    tn__tensor_info *tensor_info;
    const char *filename;
} tn__asset_file_def;
typedef struct {
    tn__meta_info_def *meta_info_def;
    tn__graph_def *graph_def;
    tn__saver_def *saver_def;
    TN__LIST_OF(tn__collection_entry) collection_def;
    TN__LIST_OF(tn__signature_entry) signature_def;
    TN__LIST_OF(tn__asset_file_def) asset_file_def;
    tn__saved_object_graph *object_graph_def; /* NULL: a SavedModel of TensorFlow 1 */
} tn__meta_graph_def;
typedef struct {
    int64_t schema_version; /* 1 */
    TN__LIST_OF(tn__meta_graph_def) meta_graphs;
} tn__saved_model;

/* `bytes` outlive the struct: contents of tensors stay in them. */
tn_status tn__saved_model_read(tn__span bytes, tn__arena *arena, tn__saved_model *model);
tn_status tn__saved_model_write(const tn__saved_model *model, tn__bytes *bytes);
/* By key, or NULL. */
const tn__signature_def *tn__signature_find(const tn__meta_graph_def *graph, const char *key);

extern const tn__pb_message tn__pb_saved_model, tn__pb_variable_def;

#endif
