/* serving.h - a model's call as a function with names: what a SavedModel calls serving_default. */
#ifndef TN_SAVING_SERVING_H
#define TN_SAVING_SERVING_H
#include "base/arena.h"
#include "function/function.h"
#include "nn/model.h"

typedef struct {
    const char *name;
    tn_tensor *tensor; /* of the graph; not retained */
} tn__serving_value;
typedef struct {
    tn_function *function; /* retained: it keeps the graph */
    tn_graph *graph;
    const tn__concrete *concrete;      /* the trace: inputs and outputs as the call has them */
    tn__serving_value *input, *output; /* each in the order of the names' bytes, as Python sorts */
    size_t input_count, output_count;
} tn__serving;

/* The call without training, traced for inputs with an open batch. Names are Keras 2's: those of
 * input layers and of the layers that give the outputs, "input_1" and "output_1" of a class of the
 * program's own. Free it whatever it gives. */
tn_status tn__serving_trace(tn_context *context, tn_layer *model, tn__arena *arena,
                            tn__serving *serving);
void tn__serving_free(tn__serving *serving);

#endif
