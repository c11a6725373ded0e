/* saved_model_function.h - a SavedModel that nobody here can make layers of: a model whose call
 * runs its function serving_default. */
#ifndef TN_SAVING_SAVED_MODEL_FUNCTION_H
#define TN_SAVING_SAVED_MODEL_FUNCTION_H
#include "formats/bundle.h"
#include "formats/saved_model.h"
#include "nn/model.h"

/* Inputs are taken in the order of their names, as the function has them. What was read may go
 * afterwards. The caller owns the count. */
tn_status tn__saved_function_load(tn_context *context, const tn__meta_graph_def *graph,
                                  tn__bundle *bundle, const char *name, tn_layer **model);

#endif
