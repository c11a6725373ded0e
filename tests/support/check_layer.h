/* check_layer.h - one checker for every layer: give it a layer and some inputs, it tries what
 * Keras's own run_layer_test tries, and more.
 *
 *     TN_SCOPE;
 *     CHECK_LAYER(.layer = tn_dense(3, "relu"), .text = "dense(3, relu)",
 *                 .inputs = TN_LIST(layer_input(TN_SHAPE(2, 4), 0)),
 *                 .weights = "kernel|bias", .trainable = 2, .expected = VALUES_OF(dense_relu));
 *
 * What it does, each step skipped by a flag where it has no meaning:
 *  - config: the layer is made again from its config as Keras 3 and as Keras 2 has it, and from
 * text
 *  - its weights: names, order, how many are trainable
 *  - values: calls with training off and on against what the real Keras gave for the same weights
 *  - a functional model of it: symbolic shape = real shape, any batch, made again from its JSON
 *  - the call as an op (check_op.h), in float64, training off and on: traced = eager, an unknown
 *    batch, no rows, gradients by the inputs against central differences, refused allocations
 *  - gradients by the weights likewise
 *  - making and building it while allocations are refused */
#ifndef TN_TESTS_CHECK_LAYER_H
#define TN_TESTS_CHECK_LAYER_H
#include "support/check_op.h"
#include "nn/layer.h"

enum {                         /* besides those of check_op.h, which are handed on */
       SKIP_KERAS_2 = 1 << 16, /* Keras 2 has no such layer or argument */
       SKIP_MODEL = 1 << 17,   /* an input without a batch, or what files cannot say */
       SKIP_WEIGHT_GRADIENT = 1 << 18
};

typedef struct {
    size_t count;
    const double *value;
} layer_values;
#define VALUES_OF(array) ((layer_values){ sizeof(array) / sizeof *(array), (array) })

typedef struct layer_check {
    const char *file;
    int line;
    tn_layer *layer;  /* not called yet; with a name of its own or without */
    const char *text; /* constructor text that makes the same; NULL: not tried */
    tn_list inputs;
    const char *weights;   /* own names in the order of tn_variables(), "kernel|bias"; NULL: none */
    size_t trainable;      /* how many of them are */
    layer_values expected; /* of a call that is no training one; empty: not compared */
    layer_values trained;  /* of one that is */
    double tolerance;      /* of both, relative and absolute; 0: 1e-5 */
    unsigned skip;
} layer_check;
#define CHECK_LAYER(...) \
    check_layer(&(layer_check){ .file = __FILE__, .line = __LINE__, __VA_ARGS__ })
void check_layer(const layer_check *check);

/* Float32 numbers that testdata's scripts know too: of inputs in [-1, 1], of weights in (0, 1.1).
 * Another seed gives others; weight number i has the seed i + 1. */
/* In training, on numbers of the shape, and with axis 1 in the place of the last for the second layer: the same results, gradients of
 * first and second order, and weights left behind. */
void check_channels_first(tn_layer *last, tn_layer *first, tn_shape shape);
tn_tensor *layer_input(tn_shape shape, unsigned seed);
tn_tensor *layer_weight(tn_shape shape, unsigned seed);
/* Builds it for the inputs and gives it the weights that the checker's values are of. */
void layer_prepare(tn_layer *layer, tn_list inputs);

#endif
