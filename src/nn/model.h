/* model.h - models that are made of layers: Sequential and functional. */
#ifndef TN_NN_MODEL_H
#define TN_NN_MODEL_H
#include "nn/layer.h"

/* InputLayer: what tn_input() makes a node of. */
typedef struct {
    tn_shape batch_shape; /* with the batch */
    tn_dtype dtype;
} tn__input_layer;
extern const tn_class tn__class_InputLayer, tn__class_Sequential, tn__class_Functional;

/* A symbolic input with its InputLayer; the caller owns the count. name NULL: automatic. */
tn_status tn__input_new(tn_context *context, const char *name, tn_dtype dtype, const tn_shape *batch_shape, tn_tensor **input);

/* A functional model: the nodes from inputs to outputs in an order in which they can run. */
typedef struct {
    tn_tensor *inputs, *outputs; /* as given: one, or a (nested) tuple; retained */
    tn_tensor **input, **output; /* flat, not retained */
    size_t input_count, output_count;
    tn__node **node;             /* retained; the inputs' nodes are not among them */
    size_t node_count;
} tn__functional;
/* Keras's order of layers (by depth, then by traversal), names settled, inputs that are not InputLayers' replaced by new ones. */
tn_status tn__functional_new(tn_context *context, tn_tensor *inputs, tn_tensor *outputs, const char *name, tn_layer **model);

typedef struct {
    tn_tensor *input, *output; /* symbolic, made on demand, retained */
    size_t done;               /* layers that stand between input and output so far */
    tn_dtype input_dtype;
    char *input_name;          /* of the InputLayer in its config; NULL: made up */
} tn__sequential;
tn_status tn__sequential_add(tn_context *context, tn_layer *sequential, tn_layer *layer);
/* Builds all layers for an input of this shape with batch. */
tn_status tn__sequential_build(tn_context *context, tn_layer *sequential, const tn_shape *shape);
/* Of its InputLayer: what the first layer computes in where there was none. */
tn_dtype tn__sequential_input_dtype(const tn_layer *sequential);
/* The shape with batch that the model is built for; false: not known yet. */
bool tn__sequential_input_shape(const tn_layer *sequential, tn_shape *shape);

/* Keras casts a model's inputs to its Input's dtype, and adds or drops a last dimension of 1. Owned by the innermost scope. */
tn_tensor *tn__fit_input(tn_tensor *x, tn_dtype dtype, const tn_shape *shape);

/* `layers` of a model, in order, InputLayers of a functional model included. */
size_t tn__model_layers(const tn_layer *model, tn_layer *const **layers);
bool tn__is_model(const tn_layer *layer);

tn_status tn__layer_apply(tn_context *context, tn_layer *layer, tn_tensor *const *inputs, size_t count, int training, tn_tensor **result);

#endif
