/* keras_metadata.h - keras_metadata.pb: what Keras 2 has in a SavedModel beside TensorFlow's part:
 * the config of each layer. */
#ifndef TN_SAVING_KERAS_METADATA_H
#define TN_SAVING_KERAS_METADATA_H
#include "formats/graphdef.h"

typedef struct {
    int32_t node_id;        /* in the object graph */
    const char *node_path;  /* "root.layer-1" */
    const char *identifier; /* "_tf_keras_layer" */
    const char *metadata;   /* JSON */
    tn__version_def *version;
} tn__keras_node;
typedef struct {
    TN__LIST_OF(tn__keras_node) nodes;
} tn__keras_metadata;

extern const tn__pb_message tn__pb_keras_metadata;

#define TN__KERAS_METADATA_FILE "keras_metadata.pb"

#endif
