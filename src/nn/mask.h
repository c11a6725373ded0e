/* mask.h - masks: which places of a layer's input count, Keras's _keras_mask.
 *
 * A mask stands on a tensor's handle, put there by the layer that made the tensor; ops do not carry it on. A layer whose class
 * supports masking gives its input's mask to its output, or computes another. */
#ifndef TN_NN_MASK_H
#define TN_NN_MASK_H
#include "nn/layer.h"

/* x with the mask (NULL: without one): x itself when that is so already, else another handle of it. Retained for the caller. */
tn_status tn__with_mask(tn_tensor *x, tn_tensor *mask, tn_tensor **masked);
/* The mask of each input where it is not NULL, on handles of the innermost scope; the list is replaced. masks: one for the first
 * input, or a tuple with one for each. */
tn_status tn__mask_inputs(const tn_layer *layer, tn_tensor **inputs, size_t count, tn_tensor *masks);
/* Puts on a call's outputs the masks that the layer's class gives them. *result is replaced. */
tn_status tn__mask_outputs(tn_context *context, tn_layer *layer, tn_list inputs, tn_tensor **result);

#endif
