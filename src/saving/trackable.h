/* trackable.h - a model as TensorFlow's graph of objects: the model is the root, and every part,
 * weight and list is a node that is reached from it by names, which are those of Keras 2:
 * "layer_with_weights-0", "kernel", "optimizer", "_variables", "0". Checkpoints and SavedModels
 * hold such a graph; a value's key is the shortest path to its node.
 *
 * Left out is what holds no value but the layers themselves (Keras's lists of axes). */
#ifndef TN_SAVING_TRACKABLE_H
#define TN_SAVING_TRACKABLE_H
#include "formats/object_graph.h"
#include "nn/model.h"

/* One object. What it stands for is not retained. */
typedef struct {
    tn_layer *layer;
    tn_tensor *variable; /* NULL, like the layer: a list, or an optimizer */
    bool awaited;        /* a variable of TensorFlow's, whose value is not here */
    const char *path;    /* from the root, as in keys: "layer-1/kernel"; "" for the root */
    TN__LIST_OF(tn__object_reference) children;
} tn__tracker_node;

typedef struct {
    tn__arena arena;                    /* of all of it; free it with tn__tracker_free() */
    TN__LIST_OF(tn__tracker_node) node; /* the root first, then as TensorFlow numbers them */
    tn__ids seen;                       /* layers and variables, by their addresses */
} tn__tracker;

/* The model, its parts and its weights; the optimizer too, when it was compiled and this is asked
 * for. Free it whatever it gives. */
tn_status tn__tracker_model(tn_layer *model, bool optimizer, tn__tracker *tracker);
void tn__tracker_free(tn__tracker *tracker);
/* A child of a node: the node of this layer or variable, or, both NULL, one of its own. For writers
 * that add to the graph; a new node has no children yet. */
tn_status tn__tracker_add(tn__tracker *tracker, size_t parent, const char *name, tn_layer *layer,
                          tn_tensor *variable, size_t *child);
/* The key of a variable's value, in the tracker's arena. */
const char *tn__tracker_key(tn__tracker *tracker, size_t node);
/* The graph as it is written, in the tracker's arena. */
tn_status tn__tracker_graph(tn__tracker *tracker, tn__object_graph *graph);

/* Adds what TensorFlow's and Keras's checkpoints have besides (checkpoint_aliases.c): the lists of
 * an optimizer of Keras 2 that is in the graph, and the names of the root. */
tn_status tn__checkpoint_add_aliases(tn__tracker *tracker, const tn_layer *model);
/* Keras 3's names of layers and weights, and a compiled model's optimizer in its form
 * (checkpoint_keras3.c). */
tn_status tn__checkpoint_add_keras_3(tn__tracker *tracker);
tn_status tn__checkpoint_add_optimizer_3(tn__tracker *tracker, const tn_layer *model);
/* A checkpoint of the variables' present values and of the graph (checkpoint_write.c). */
tn_status tn__tracker_save(tn__tracker *tracker, const char *prefix);

/* --- names ------------------------------------------------------------------------------------ */
/* A variable's full name, in the arena. */
const char *tn__tracker_full_name(tn__arena *arena, const tn_tensor *variable);
enum { TN__TRACKER_NAMES = 4 };
/* The names under which Keras 2 keeps a layer's weight, the first of them in keys: that of
 * add_weight, and the field's. None: a seed, which it keeps nowhere. In the arena. */
tn_status tn__tracker_weight_names(tn__arena *arena, const tn_layer *layer, size_t weight,
                                   const char *names[TN__TRACKER_NAMES], size_t *count);

/* A part of a layer, and its names: "layer_with_weights-0" and "layer-0", or the field's. */
typedef struct {
    tn_layer *layer;
    const char *name, *other; /* other: NULL: there is one name */
} tn__tracker_part;
typedef TN__LIST_OF(tn__tracker_part) tn__tracker_parts;
tn_status tn__tracker_layer_parts(tn__arena *arena, const tn_layer *layer,
                                  tn__tracker_parts *parts);

#endif
