/* saved_model_write.h - a SavedModel on its way to a folder: between the files that write it. */
#ifndef TN_SAVING_SAVED_MODEL_WRITE_H
#define TN_SAVING_SAVED_MODEL_WRITE_H
#include "formats/saved_model.h"
#include "saving/graph_write.h"
#include "saving/keras_metadata.h"
#include "saving/serving.h"
#include "saving/trackable.h"
#include "tenon/files.h"

/* A variable, and its node in the graph of objects. */
typedef struct {
    tn_tensor *variable; /* not retained */
    size_t node;
    const char *key;    /* in the checkpoint */
    const char *handle; /* the VarHandleOp of the graph that TensorFlow 1 runs */
} tn__saved_weight;

typedef struct {
    tn_context *context;
    const tn_save_options *options;
    tn__tracker tracker; /* its arena has everything */
    tn__serving serving;
    TN__LIST_OF(tn__saved_weight) weight;
    TN__LIST_OF(size_t) captured; /* weights that the function takes behind its inputs */
    const char *function;         /* the function's name in the library */
    tn__saved_model saved;
    tn__meta_graph_def *graph; /* in `saved` */
    tn__keras_metadata metadata;
    bool keras; /* the metadata are written */
} tn__saved;

/* The nodes of the graph, and its signature (saved_model_graph.c). */
tn_status tn__saved_graph(tn__saved *saved);
/* The objects and their functions (saved_model_objects.c). */
tn_status tn__saved_objects(tn__saved *saved);
/* What Keras 2 wants to know, when every layer is one that it has (keras_metadata.c). */
tn_status tn__saved_keras(tn__saved *saved);
/* What it calls an object that is this layer: "_tf_keras_layer". */
const char *tn__keras_identifier(const tn_layer *layer);

#endif
