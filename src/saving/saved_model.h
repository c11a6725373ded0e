/* saved_model.h - SavedModel folders: saved_model.pb, variables/, and Keras 2's keras_metadata.pb.
 */
#ifndef TN_SAVING_SAVED_MODEL_H
#define TN_SAVING_SAVED_MODEL_H
#include "saving/load.h"
#include "saving/saved_folder.h"

/* Writes the folder; what is there is replaced as a whole, when it is a SavedModel. */
tn_status tn__saved_model_save(tn_context *context, const tn_save_options *options);
/* Keras 2's: a model of layers. Any other: one whose call runs the function serving_default. The
 * caller owns the model. */
tn_status tn__saved_model_load(const tn__load *load, tn_layer **model);

#endif
