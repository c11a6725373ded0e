/* permute.c - the dimensions behind the batch in another order */
#include "nn/config.h"
#include "nn/layers/layers.h"

typedef struct {
    tn_permute_options o;
} permute;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_AXES, permute, dims, NULL, NULL),
    TN__END_OF_FIELDS,
};

static void init(void *me)
{
    const tn_axes *dims = &((const permute *)me)->o.dims;
    bool seen[TN_MAX_RANK + 1] = { true }, good = dims->count > 0 && dims->count < TN_MAX_RANK;
    for (int i = 0; good && i < dims->count; i++) {
        int dim = dims->axis[i];
        good = dim >= 0 && dim <= dims->count && !seen[dim];
        seen[good ? dim : 0] = true;
    }
    if (!good)
        tn__fail(TN_INVALID_ARGUMENT,
                 "Invalid permutation argument `dims` for Permute Layer. The set of indices in "
                 "`dims` must be consecutive and start from 1. Received dims=%s",
                 tn__axes_text(dims));
}

static tn_tensor *call(void *me, tn_list inputs)
{
    const tn_axes *dims = &((const permute *)me)->o.dims;
    tn_tensor *x = tn_at(inputs, 0);
    tn_axes order = { .count = dims->count + 1 };
    if (!tn__check_ndim(x, order.count))
        return NULL;
    for (int i = 0; i < dims->count; i++)
        order.axis[i + 1] = dims->axis[i];
    return tn_transpose(x, order);
}

/* A list, also of one. */
static tn_status write_config(tn_layer *layer, void *json)
{
    return tn__write_axes(json, "dims", &((const permute *)layer->self)->o.dims);
}

static const tn_class_more more = { .write_config = write_config };
TN__LAYER_CLASS(Permute, tn_permute_new, permute, tn_permute_options, .fields = fields, .inputs = 1,
                .init = init, .call = call, .more = &more)
