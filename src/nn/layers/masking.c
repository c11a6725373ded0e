/* masking.c - a mask for time steps whose features all have one value */
#include "nn/layers/layers.h"

typedef struct {
    tn_masking_options o;
} masking;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, masking, mask_value, "0.0", NULL),
    TN__END_OF_FIELDS,
};

/* True where some feature is not mask_value; the last dimension stays as 1. */
static tn_tensor *steps_that_count(const masking *self, tn_tensor *x)
{
    tn_tensor *differs = tn_not_equal(x, tn_cast(tn_scalar(self->o.mask_value), tn_dtype_of(x)));
    return tn_reduce_any(differs, .axis = TN_AXES(-1), .keepdims = true);
}

static tn_tensor *call(void *me, tn_list inputs)
{
    tn_tensor *x = tn_at(inputs, 0), *counts = steps_that_count(me, x);
    tn_tensor *y = tn_where(counts, x, tn_zeros_like(x));
    return tn_with_mask(y, tn_squeeze(counts, TN_AXES(-1)));
}

const tn_class tn__class_Masking = {
    .name = "Masking",
    .module = "keras.layers",
    .size = sizeof(masking),
    .options_size = sizeof(tn_masking_options),
    .fields = fields,
    .inputs = 1,
    .call = call,
    .supports_masking = true,
};

tn_layer *tn_masking_new(const tn_masking_options *options)
{
    return tn__layer_from_options(&tn__class_Masking, options);
}
