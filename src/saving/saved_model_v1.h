/* saved_model_v1.h - the graph of a SavedModel of TensorFlow 1 as a function of the library: the
 * part of it that a signature needs. */
#ifndef TN_SAVING_SAVED_MODEL_V1_H
#define TN_SAVING_SAVED_MODEL_V1_H
#include "formats/saved_model.h"

/* A variable by its name, which is its key in the bundle too. */
typedef struct {
    const char *name;
    bool trainable;
} tn__v1_variable;
typedef struct {
    tn__function_library library;          /* the function, then the graph's own */
    tn__text_list input;                   /* the signature's names of its inputs, sorted */
    TN__LIST_OF(tn__v1_variable) variable; /* the function takes them behind its inputs */
} tn__v1_function;

/* Outputs are in the order of their names, too. All of it lies in the arena and in what was read.
 * TN_INVALID_ARGUMENT: an output waits for a placeholder that the signature does not feed. */
tn_status tn__v1_function_make(tn__arena *arena, const tn__meta_graph_def *graph, const char *key,
                               const tn__signature_def *signature, tn__v1_function *function);

#endif
