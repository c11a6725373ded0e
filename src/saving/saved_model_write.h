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

/* A call, traced, and the function that it is in the library. */
typedef struct {
    tn__serving serving;
    TN__LIST_OF(size_t) captured; /* weights that the function takes behind its inputs */
    const char *function;         /* the function's name in the library */
    size_t node;                  /* of a layer's call: its node, which is a function object */
} tn__saved_call;

typedef struct {
    tn_context *context;
    const tn_save_options *options;
    tn__tracker tracker; /* its arena has everything */
    TN__LIST_OF(tn__saved_weight) weight;
    tn__saved_call signature;         /* the model's, as serving_default */
    TN__LIST_OF(tn__saved_call) call; /* of layers that Keras 2 cannot make */
    tn__saved_model saved;
    tn__meta_graph_def *graph; /* in `saved` */
    tn__keras_metadata metadata;
    bool keras; /* the metadata are written */
} tn__saved;

/* The nodes of the graph, and its signature (saved_model_graph.c). */
tn_status tn__saved_graph(tn__saved *saved);
/* The objects and their functions (saved_model_objects.c). */
tn_status tn__saved_objects(tn__saved *saved);
/* The call's function into the library; its variables are weights then (saved_model_write.c). */
tn_status tn__saved_call_write(tn__saved *saved, tn__saved_call *call, tn_tensor *const *inputs,
                               tn_tensor *const *outputs);
/* What Keras 2 wants to know, when every layer has a config (keras_metadata.c). */
tn_status tn__saved_keras(tn__saved *saved);
/* The calls of layers that it may have no class for, where it looks for them (saved_model_calls.c),
 * and, once the objects are there, the objects that they are. */
tn_status tn__saved_calls(tn__saved *saved);
tn_status tn__saved_call_objects(tn__saved *saved);
/* A function's entry among the objects: what it is bound to; its structures are the caller's. */
tn_status tn__saved_concrete(tn__saved *saved, const tn__saved_call *call,
                             tn__structured_value *input, tn__structured_value *output);
/* A list or tuple with no items yet, and one more item of it. */
tn_status tn__saved_list(tn__saved *saved, int which, tn__structured_value *into);
tn__structured_value *tn__saved_item(tn__saved *saved, tn__structured_value *list);
tn_status tn__saved_spec(tn__saved *saved, const char *name, const tn_tensor *tensor,
                         tn__structured_value *into);
/* What it calls an object that is this layer: "_tf_keras_layer". */
const char *tn__keras_identifier(const tn_layer *layer);

#endif
