/* identity.c - the input as it is */
#include "nn/layers/layers.h"

static tn_tensor *call(void *me, tn_list inputs)
{
    (void)me;
    return tn_at(inputs, 0);
}

TN__LAYER_CLASS(Identity, tn_identity_layer_new, tn_layer_options, tn_layer_options, .inputs = 1,
                .call = call, .supports_masking = true)
