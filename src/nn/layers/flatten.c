/* flatten.c - (batch, …) to (batch, all of it) */
#include "nn/layers/layers.h"

typedef struct {
    tn_flatten_options o;
} flatten;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_STRING, flatten, data_format, "channels_last",
               "channels_last|channels_first"),
    TN__END_OF_FIELDS,
};

/* (0, 2, 3, …, 1): the channels behind the rest, as images with channels last have them. */
static tn_tensor *channels_to_end(tn_tensor *x)
{
    tn_axes order = { .count = x->shape.rank };
    for (int i = 1; i < order.count; i++)
        order.axis[i] = i + 1 < order.count ? i + 1 : 1;
    return tn_transpose(x, order);
}

/* Elements of one row; TN_NONE when a dimension is open. */
static int64_t row_size(const tn_shape *shape)
{
    int64_t size = 1;
    for (int i = 1; i < shape->rank; i++) {
        if (shape->dims[i] < 0)
            return TN_NONE;
        size *= shape->dims[i];
    }
    return size;
}

static tn_tensor *call(void *me, tn_list inputs)
{
    const flatten *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    if (!x->shape.known) {
        tn__fail(TN_INVALID_ARGUMENT, "Flatten '%s' needs an input of a known rank",
                 tn__this_layer()->name);
        return NULL;
    }
    tn_shape row = TN_SHAPE(row_size(&x->shape));
    if (tn__channels_first(self->o.data_format) && x->shape.rank > 2)
        x = channels_to_end(x);
    return tn__reshape_rows(x, row);
}

static tn_status upgrade(void *config)
{
    tn__drop_none(config, "data_format");
    return TN_OK;
}

static const tn_class_more more = { .least_rank = 1, .upgrade_config = upgrade };
const tn_class tn__class_Flatten = {
    .name = "Flatten",
    .module = "keras.layers",
    .size = sizeof(flatten),
    .options_size = sizeof(tn_flatten_options),
    .fields = fields,
    .inputs = 1,
    .call = call,
    .more = &more,
};

tn_layer *tn_flatten_new(const tn_flatten_options *options)
{
    return tn__layer_from_options(&tn__class_Flatten, options);
}
