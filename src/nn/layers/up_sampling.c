/* up_sampling.c - larger series, images and volumes: every place repeated along each axis, or
 * places between computed */
#include "nn/layers/layers.h"
#include "ops/array.h"
#include "ops/resize.h"
#include <string.h>

typedef struct {
    tn_up_sampling1d_options o;
} up_sampling1d;
typedef struct {
    tn_up_sampling2d_options o;
} up_sampling2d;
typedef struct {
    tn_up_sampling3d_options o;
} up_sampling3d;

static const tn_field fields1d[] = {
    TN__OPTION(TN_FIELD_INT, up_sampling1d, size, "2", "> 0"),
    TN__END_OF_FIELDS,
};
static const tn_field fields2d[] = {
    TN__OPTION(TN_FIELD_INTS, up_sampling2d, size, "none", "> 0"),
    TN__DATA_FORMAT_ROW(up_sampling2d),
    TN__OPTION(TN_FIELD_STRING, up_sampling2d, interpolation, "nearest",
               "nearest|bilinear|bicubic|lanczos3|lanczos5"),
    TN__END_OF_FIELDS,
};
static const tn_field fields3d[] = {
    TN__OPTION(TN_FIELD_INTS, up_sampling3d, size, "none", "> 0"),
    TN__DATA_FORMAT_ROW(up_sampling3d),
    TN__END_OF_FIELDS,
};

static const int64_t twice[3] = { 2, 2, 2 };

static void init2d(void *me)
{
    tn__settle_axes(((up_sampling2d *)me)->o.size, 2, twice);
}

static void init3d(void *me)
{
    tn__settle_axes(((up_sampling3d *)me)->o.size, 3, twice);
}

/* keras.ops.repeat: a new dimension of copies behind the axis, which then takes it in. */
static tn_tensor *repeat(tn_tensor *x, int64_t times, int axis)
{
    if (!x || times == 1)
        return x;
    tn_shape multiples = { 1, x->shape.rank + 1, { 0 } };
    for (int i = 0; i < multiples.rank; i++)
        multiples.dims[i] = i == axis + 1 ? times : 1;
    tn_tensor *dims = tn__shape_tensor(x), *parts[] = {
        tn__vector_part(dims, 0, axis),
        tn_multiply(tn__vector_part(dims, axis, axis + 1), tn__int(times)),
        tn__vector_part(dims, axis + 1, TN_NONE),
    };
    return TN__APPLY(tn__op_Reshape, NULL, tn_tile(tn_expand_dims(x, axis + 1), multiples),
                     tn__vector_join(3, parts));
}

static tn_tensor *repeat_each(tn_tensor *x, const int64_t *times, int axes, int first)
{
    for (int i = 0; i < axes; i++)
        x = repeat(x, times[i], first + i);
    return x;
}

static tn_tensor *call1d(void *me, tn_list inputs)
{
    return repeat(tn_at(inputs, 0), ((const up_sampling1d *)me)->o.size, 1);
}

/* Rows and columns times a number each, what comes between computed of the neighbours. */
static tn_tensor *interpolate(tn_tensor *x, const tn_up_sampling2d_options *o)
{
    bool first = tn__channels_first(o->data_format);
    tn_tensor *images = first ? tn_transpose(x, TN_AXES(0, 2, 3, 1)) : x;
    if (!images)
        return NULL;
    tn_tensor *size =
        tn_multiply(tn__vector_part(tn__shape_tensor(images), 1, 3), tn__ints(o->size, 2));
    tn_tensor *y =
        tn_cast(tn__resize_images(images, size, o->interpolation, false), (tn_dtype)x->dtype);
    return first ? tn_transpose(y, TN_AXES(0, 3, 1, 2)) : y;
}

static tn_tensor *call2d(void *me, tn_list inputs)
{
    const tn_up_sampling2d_options *o = &((const up_sampling2d *)me)->o;
    if (strcmp(o->interpolation, "nearest") != 0)
        return interpolate(tn_at(inputs, 0), o);
    return repeat_each(tn_at(inputs, 0), o->size, 2, tn__first_axis(o->data_format));
}

static tn_tensor *call3d(void *me, tn_list inputs)
{
    const tn_up_sampling3d_options *o = &((const up_sampling3d *)me)->o;
    return repeat_each(tn_at(inputs, 0), o->size, 3, tn__first_axis(o->data_format));
}

/* Keras 1 has `length` for the one axis. */
static tn_status upgrade1d(void *config)
{
    static const tn__renamed old[] = { { "length", "size" }, { NULL, NULL } };
    tn__rename_keys(config, old);
    return TN_OK;
}

static const tn_class_more more1d = { .least_rank = 3,
                                      .most_rank = 3,
                                      .upgrade_config = upgrade1d };
static const tn_class_more more2d = { .least_rank = 4,
                                      .most_rank = 4,
                                      .upgrade_config = tn__upgrade_image_config };
static const tn_class_more more3d = { .least_rank = 5,
                                      .most_rank = 5,
                                      .upgrade_config = tn__upgrade_image_config };
TN__LAYER_CLASS(UpSampling1D, tn_up_sampling1d_new, up_sampling1d, tn_up_sampling1d_options,
                .fields = fields1d, .inputs = 1, .call = call1d, .more = &more1d)
TN__LAYER_CLASS(UpSampling2D, tn_up_sampling2d_new, up_sampling2d, tn_up_sampling2d_options,
                .fields = fields2d, .inputs = 1, .init = init2d, .call = call2d, .more = &more2d)
TN__LAYER_CLASS(UpSampling3D, tn_up_sampling3d_new, up_sampling3d, tn_up_sampling3d_options,
                .fields = fields3d, .inputs = 1, .init = init3d, .call = call3d, .more = &more3d)
