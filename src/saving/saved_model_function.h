/* saved_model_function.h - a SavedModel that nobody here can make layers of: a model whose call
 * runs a function of it: serving_default. */
#ifndef TN_SAVING_SAVED_MODEL_FUNCTION_H
#define TN_SAVING_SAVED_MODEL_FUNCTION_H
#include "formats/bundle.h"
#include "formats/saved_model.h"
#include "nn/model.h"

/* signature: NULL: serving_default, or the only one. Inputs are taken in the order of their names,
 * as the function has them. Of TensorFlow 1 it is what the signature needs of the graph. What was
 * read may go afterwards. The caller owns the count. */
tn_status tn__saved_function_load(tn_context *context, const tn__meta_graph_def *graph,
                                  tn__bundle *bundle, const char *name, const char *signature,
                                  tn_layer **model);

#endif
