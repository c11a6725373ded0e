/* layers.h - what the layers of this folder share. */
#ifndef TN_NN_LAYERS_LAYERS_H
#define TN_NN_LAYERS_LAYERS_H
#include "nn/layer.h"
#include "nn/object.h"
#include "tenon/ops.h"

/* In build: a weight of the running layer, of its dtype. Texts as in the options; NULL regularizer or constraint: none. */
tn_variable *tn__weight_new(tn_shape shape, const char *name, const char *initializer, const char *regularizer, const char *constraint);
tn_variable *tn__state_new(tn_shape shape, const char *name, const char *initializer); /* not trainable */
/* The last dimension of the first input; an error and 0 when it is unknown. */
int64_t tn__last_dim(tn_list inputs);
/* The layer whose body runs. */
tn_layer *tn__this_layer(void);

#endif
