/* softmax.c - shares that sum to 1 along an axis, or along several together */
#include "nn/activations.h"
#include "nn/layers/layers.h"

typedef struct {
    tn_softmax_options o;
} softmax;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_AXES, softmax, axis, "-1", NULL),
    TN__END_OF_FIELDS,
};

/* A mask may lack dimensions in front, and have 1 where all share one place. */
static bool check_mask(const tn_tensor *x, const tn_tensor *mask)
{
    tn_shape both;
    bool fits = tn__shape_broadcast(&x->shape, &mask->shape, &both) && tn__shape_fits(&x->shape, &both);
    if (!fits)
        tn__fail(TN_INVALID_ARGUMENT,
                 "The `mask` must be broadcastable to `inputs`. Each mask dimension must be 1 or match the corresponding input dimension. "
                 "Received: inputs.shape=%s, mask.shape=%s",
                 TN__SHAPE(x->shape), TN__SHAPE(mask->shape));
    return fits;
}

/* What does not count gets a number so low that it has no share, and then the share 0, also where nothing counts. */
static tn_tensor *masked_softmax(tn_tensor *x, tn_tensor *mask, tn_axes axis)
{
    if (!check_mask(x, mask))
        return NULL;
    if (tn_dtype_of(mask) != TN_BOOL)
        mask = tn_greater(mask, tn_cast(tn_scalar(0.5), tn_dtype_of(mask)));
    tn_tensor *low = tn_cast(tn_scalar(tn_dtype_of(x) == TN_FLOAT16 ? -3e4 : -1e9), tn_dtype_of(x));
    tn_tensor *y = tn__softmax(tn_where(mask, x, low), axis);
    return y ? tn_where(mask, y, tn_cast(tn_scalar(0), tn_dtype_of(y))) : NULL;
}

static tn_tensor *call(void *me, tn_list inputs)
{
    const softmax *self = me;
    tn_tensor *x = tn_at(inputs, 0), *mask = tn_mask(x);
    return mask ? masked_softmax(x, mask, self->o.axis) : tn__softmax(x, self->o.axis);
}

const tn_class tn__class_Softmax = {
    .name = "Softmax",
    .module = "keras.layers",
    .size = sizeof(softmax),
    .options_size = sizeof(tn_softmax_options),
    .fields = fields,
    .inputs = 1,
    .call = call,
    .supports_masking = true,
};

tn_layer *tn_softmax_new(const tn_softmax_options *options)
{
    return tn__layer_from_options(&tn__class_Softmax, options);
}
