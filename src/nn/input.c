/* input.c - symbolic inputs. */
#include "nn/model.h"
#include "tenon/ops.h"
#include <string.h>

static const tn_field input_fields[] = {
    TN__ROW(TN_FIELD_SHAPE, tn__input_layer, batch_shape, "none", NULL),
    TN__ROW(TN_FIELD_DTYPE, tn__input_layer, dtype, "float32", NULL),
    TN__END_OF_FIELDS,
};

static tn_tensor *input_call(void *self, tn_list inputs)
{
    (void)self;
    return tn_at(inputs, 0);
}

const tn_class tn__class_InputLayer = {
    .name = "InputLayer",
    .module = "keras.layers",
    .size = sizeof(tn__input_layer),
    .fields = input_fields,
    .call = input_call,
};

tn_status tn__input_new(tn_context *context, const char *name, tn_dtype dtype, const tn_shape *batch_shape, tn_tensor **input)
{
    *input = NULL;
    tn__input_layer instance = { *batch_shape, dtype };
    tn__layer_common common = { .name = name, .trainable = true };
    tn_layer *layer;
    tn__call_frame *frame = context->frame;
    context->frame = NULL; /* an InputLayer is nobody's part until a model takes it */
    tn_status status = tn__layer_new(context, &tn__class_InputLayer, &instance, &common, &layer);
    context->frame = frame;
    TN_TRY(status);
    layer->built = true;
    status = tn__layer_input_node(context, layer, dtype, batch_shape, input);
    tn__release(layer);
    return status;
}

tn_tensor *tn_input_new(const tn_input_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (!options->shape.known) {
        tn__fail(TN_INVALID_ARGUMENT, "You must pass a `shape` argument.\ntn_input(TN_SHAPE(8, 8, 1)): without the batch; TN_SCALAR for one number each");
        return NULL;
    }
    if (tn__check_rank(&options->shape) != TN_OK)
        return NULL;
    if (options->shape.rank >= TN_MAX_RANK) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_input: with the batch, %s has more than %d dimensions", TN__SHAPE(options->shape), TN_MAX_RANK);
        return NULL;
    }
    tn_shape batch = { 1, options->shape.rank + 1, { TN_NONE } };
    memcpy(batch.dims + 1, options->shape.dims, (size_t)options->shape.rank * sizeof *batch.dims);
    tn_tensor *input;
    (void)!tn__input_new(context, options->name, options->dtype, &batch, &input);
    return tn__own(input);
}

/* Drops or adds a last dimension of 1, where that is all that differs in rank. */
static tn_tensor *fit_rank(tn_tensor *x, const tn_shape *shape)
{
    const tn_shape *own = &x->shape;
    if (!own->known || !shape->known || own->rank == shape->rank)
        return x;
    tn_shape wanted = *own;
    if (own->rank == shape->rank + 1 && own->dims[own->rank - 1] == 1)
        wanted.rank--;
    else if (own->rank == shape->rank - 1 && shape->dims[shape->rank - 1] == 1)
        wanted.dims[wanted.rank++] = 1;
    else
        return x;
    return tn_reshape(x, wanted);
}

tn_tensor *tn__fit_input(tn_tensor *x, tn_dtype dtype, const tn_shape *shape)
{
    tn_tensor *mask = x ? x->mask : NULL;
    if (x && x->dtype != dtype)
        x = tn_cast(x, dtype);
    x = x ? fit_rank(x, shape) : NULL;
    return x && mask ? tn_with_mask(x, mask) : x;
}
