/* rescaling.c - inputs * scale + offset */
#include "nn/config.h"
#include "nn/layers/layers.h"
#include "ops/ops.h"
#include <math.h>

typedef struct {
    tn_rescaling_options o;
} rescaling;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, rescaling, scale, "none", NULL),
    TN__OPTION(TN_FIELD_FLOAT, rescaling, offset, "0", NULL),
    TN__OPTION(TN_FIELD_TENSOR, rescaling, scales, NULL, NULL),
    TN__OPTION(TN_FIELD_TENSOR, rescaling, offsets, NULL, NULL),
    TN__END_OF_FIELDS,
};

static void init(void *me)
{
    const tn_rescaling_options *o = &((const rescaling *)me)->o;
    if (isnan(o->scale) && !o->scales)
        tn__fail(TN_INVALID_ARGUMENT,
                 "Rescaling.__init__() missing 1 required positional argument: 'scale'");
}

static tn_tensor *call(void *me, tn_list inputs)
{
    const tn_rescaling_options *o = &((const rescaling *)me)->o;
    tn_dtype dtype = tn__layer_dtype(tn__this_layer());
    tn_tensor *x = tn_cast(tn_at(inputs, 0), dtype);
    tn_tensor *scale = o->scales ? tn_cast(o->scales, dtype) : tn__like(x, o->scale);
    return tn_add(tn_multiply(x, scale),
                  o->offsets ? tn_cast(o->offsets, dtype) : tn__like(x, o->offset));
}

/* Keras has one number or a list under one name. */
static tn_status write_config(tn_layer *layer, void *json)
{
    const tn_rescaling_options *o = &((const rescaling *)layer->self)->o;
    json_t *scales = json_incref(json_object_get(json, "scales")),
           *offsets = json_incref(json_object_get(json, "offsets"));
    static const tn__renamed ours[] = { { "scales", NULL }, { "offsets", NULL }, { NULL, NULL } };
    tn__rename_keys(json, ours);
    tn_status status = o->scales ? tn__json_set(json, "scale", json_incref(scales)) : TN_OK;
    if (status == TN_OK && o->offsets)
        status = tn__json_set(json, "offset", json_incref(offsets));
    json_decref(scales);
    json_decref(offsets);
    return status;
}

static tn_status upgrade(void *config)
{
    static const tn__renamed scale[] = { { "scale", "scales" }, { NULL, NULL } },
                             offset[] = { { "offset", "offsets" }, { NULL, NULL } };
    if (json_object_get(config, "scale") && !json_is_number(json_object_get(config, "scale")))
        tn__rename_keys(config, scale);
    if (json_object_get(config, "offset") && !json_is_number(json_object_get(config, "offset")))
        tn__rename_keys(config, offset);
    return TN_OK;
}

static const tn_class_more more = { .write_config = write_config, .upgrade_config = upgrade };
const tn_class tn__class_Rescaling = {
    .name = "Rescaling",
    .module = "keras.layers",
    .size = sizeof(rescaling),
    .options_size = sizeof(tn_rescaling_options),
    .fields = fields,
    .inputs = 1,
    .init = init,
    .call = call,
    .supports_masking = true,
    .more = &more,
};

tn_layer *tn_rescaling_new(const tn_rescaling_options *options)
{
    return tn__layer_from_options(&tn__class_Rescaling, options);
}
