/* borders.c - zeros around series, images and volumes, and borders cut away */
#include "nn/config.h"
#include "nn/layers/layers.h"

typedef struct {
    tn_zero_padding_options o;
} zero_padding;
typedef struct {
    tn_cropping_options o;
} cropping;
typedef struct {
    tn_cropping1d_options o;
} cropping1d;

static const tn_field zero_padding_fields[] = {
    TN__OPTION(TN_FIELD_SHAPE, zero_padding, padding, "none", NULL),
    TN__DATA_FORMAT_ROW(zero_padding),
    TN__END_OF_FIELDS,
};
static const tn_field cropping_fields[] = {
    TN__OPTION(TN_FIELD_SHAPE, cropping, cropping, "none", NULL),
    TN__DATA_FORMAT_ROW(cropping),
    TN__END_OF_FIELDS,
};
static const tn_field cropping1d_fields[] = {
    TN__OPTION(TN_FIELD_SHAPE, cropping1d, cropping, "none", NULL),
    TN__END_OF_FIELDS,
};

/* --- sizes: { before, behind } of each axis --------------------------------------------------- */
static void fail_count(const tn_shape *sizes, const char *what, int axes)
{
    if (axes == 1)
        tn__fail(TN_INVALID_ARGUMENT,
                 "The `%s` argument must be a tuple of 2 integers. Received %s=%s", what, what,
                 TN__SHAPE(*sizes));
    else
        tn__fail(TN_INVALID_ARGUMENT, "`%s` should have %s elements. Received: %s=%s.", what,
                 axes == 2 ? "two" : "3", what, TN__SHAPE(*sizes));
}

/* One number stands for every side, one for each axis for both of its sides. */
static bool spread(tn_shape *sizes, int axes, int64_t not_given)
{
    tn_shape given = sizes->known ? *sizes : TN_SHAPE(not_given);
    bool each = given.rank == axes, both = given.rank == 2 * axes;
    if (!each && !both && given.rank != 1)
        return false;
    *sizes = (tn_shape){ 1, 2 * axes, { 0 } };
    for (int i = 0; i < 2 * axes; i++)
        sizes->dims[i] = given.dims[both ? i : each ? i / 2 : 0];
    return true;
}

static void settle(tn_shape *sizes, const char *what, int64_t not_given)
{
    int axes = tn__window_axes();
    static const char *const place[] = { "1st entry of ", "2nd entry of ", "3rd entry of " };
    if (!spread(sizes, axes, not_given)) {
        fail_count(sizes, what, axes);
        return;
    }
    for (int i = 0; i < 2 * axes; i++) {
        const char *entry = axes == 1 ? "" : place[i / 2];
        if (sizes->dims[i] >= 0)
            continue;
        tn__fail(TN_INVALID_ARGUMENT,
                 "The `%s%s` argument must be a tuple of 2 integers. Received %s%s=%s, including "
                 "values {%lld} that do not satisfy `value >= 0`",
                 entry, what, entry, what, tn__sizes_text(&sizes->dims[i / 2 * 2], 2),
                 (long long)sizes->dims[i]);
        return;
    }
}

static void init_zero_padding(void *me)
{
    settle(&((zero_padding *)me)->o.padding, "padding", 1);
}

static void init_cropping(void *me)
{
    settle(&((cropping *)me)->o.cropping, "cropping", tn__window_axes() == 2 ? 0 : 1);
}

static void init_cropping1d(void *me)
{
    settle(&((cropping1d *)me)->o.cropping, "cropping", 1);
}

static int axes_of(const tn_shape *sizes)
{
    return sizes->rank / 2;
}

/* --- zeros around ----------------------------------------------------------------------------- */
static tn_tensor *call_zero_padding(void *me, tn_list inputs)
{
    const tn_zero_padding_options *o = &((const zero_padding *)me)->o;
    tn_pad_options pad = { .size_ = sizeof pad, .tensor = tn_at(inputs, 0), .mode = "CONSTANT" };
    int first = tn__first_axis(o->data_format);
    for (int i = 0; i < o->padding.rank; i++)
        pad.paddings[first + i / 2][i % 2] = o->padding.dims[i];
    return tn_pad_with(&pad);
}

/* --- borders cut away ------------------------------------------------------------------------- */
static void fail_cropping(const tn_shape *image, const tn_shape *sizes)
{
    if (axes_of(sizes) == 1)
        tn__fail(TN_INVALID_ARGUMENT,
                 "`cropping` parameter of `Cropping1D` layer must be smaller than the input "
                 "length. Received: inputs.shape=%s, cropping=%s",
                 TN__SHAPE(*image), TN__SHAPE(*sizes));
    else
        tn__fail(TN_INVALID_ARGUMENT,
                 "Values in `cropping` argument should be smaller than the corresponding spatial "
                 "dimension of the input. Received: inputs.shape=%s, cropping=%s",
                 TN__SHAPE(*image), TN__SHAPE(*sizes));
}

static tn_tensor *crop(tn_tensor *x, const tn_shape *sizes, int first)
{
    int rank = axes_of(sizes) + 2;
    tn_strided_slice_options o = { .size_ = sizeof o, .input = x, .end_mask = (1 << rank) - 1 };
    o.begin = o.end = (tn_shape){ 1, rank, { 0 } };
    for (int i = 0; x && i < axes_of(sizes); i++) {
        int64_t before = sizes->dims[2 * i], behind = sizes->dims[2 * i + 1], size;
        size = x->shape.known ? x->shape.dims[first + i] : TN_NONE;
        if (size >= 0 && (before >= size || behind >= size - before)) {
            fail_cropping(&x->shape, sizes);
            return NULL;
        }
        o.begin.dims[first + i] = before;
        o.end.dims[first + i] = -behind;
        if (behind > 0)
            o.end_mask &= ~(1 << (first + i));
    }
    return tn_strided_slice_with(&o);
}

static tn_tensor *call_cropping(void *me, tn_list inputs)
{
    const tn_cropping_options *o = &((const cropping *)me)->o;
    return crop(tn_at(inputs, 0), &o->cropping, tn__first_axis(o->data_format));
}

static tn_tensor *call_cropping1d(void *me, tn_list inputs)
{
    return crop(tn_at(inputs, 0), &((const cropping1d *)me)->o.cropping, 1);
}

/* --- configs ---------------------------------------------------------------------------------- */
/* ((top, bottom), (left, right)) */
static tn_status write_pairs(json_t *json, const char *key)
{
    json_t *flat = json_object_get(json, key), *pairs = json_array();
    if (json_array_size(flat) == 2) { /* of one axis: its two ends */
        json_decref(pairs);
        return TN_OK;
    }
    for (size_t i = 0; i + 1 < json_array_size(flat); i += 2)
        json_array_append_new(
            pairs, json_pack("[O, O]", json_array_get(flat, i), json_array_get(flat, i + 1)));
    return tn__json_set(json, key, pairs);
}

static tn_status write_zero_padding(tn_layer *layer, void *json)
{
    (void)layer;
    return write_pairs(json, "padding");
}

static tn_status write_cropping(tn_layer *layer, void *json)
{
    (void)layer;
    return write_pairs(json, "cropping");
}

static void flatten(json_t *to, const json_t *from, int depth)
{
    const json_t *items = json_object_get(from, "items"); /* of a tuple */
    from = items ? items : from;
    for (size_t i = 0; depth < 2 && i < json_array_size(from); i++)
        flatten(to, json_array_get(from, i), depth + 1);
    if (!json_is_array(from) || depth == 2)
        json_array_append(to, (json_t *)(uintptr_t)from);
}

static tn_status read_sizes(json_t *config, const char *key)
{
    const json_t *value = json_object_get(config, key);
    if (value && !json_is_null(value)) {
        json_t *flat = json_array();
        flatten(flat, value, 0);
        TN_TRY(tn__json_set(config, key, flat));
    }
    return tn__upgrade_image_config(config);
}

static tn_status upgrade_zero_padding(void *config)
{
    return read_sizes(config, "padding");
}

static tn_status upgrade_cropping(void *config)
{
    return read_sizes(config, "cropping");
}
#define write_cropping1d write_cropping
#define upgrade_cropping1d upgrade_cropping

/* --- the classes ------------------------------------------------------------------------------ */
#define BORDERS(class_, function, type, axes)                                          \
    static const tn_class_more more_##class_ = { .least_rank = axes + 2,               \
                                                 .most_rank = axes + 2,                \
                                                 .write_config = write_##type,         \
                                                 .upgrade_config = upgrade_##type };   \
    TN__LAYER_CLASS(class_, function, type, tn_##type##_options, .inputs = 1,          \
                    .fields = type##_fields, .init = init_##type, .call = call_##type, \
                    .more = &more_##class_)

BORDERS(ZeroPadding1D, tn_zero_padding1d_new, zero_padding, 1)
BORDERS(ZeroPadding2D, tn_zero_padding2d_new, zero_padding, 2)
BORDERS(ZeroPadding3D, tn_zero_padding3d_new, zero_padding, 3)
BORDERS(Cropping1D, tn_cropping1d_new, cropping1d, 1)
BORDERS(Cropping2D, tn_cropping2d_new, cropping, 2)
BORDERS(Cropping3D, tn_cropping3d_new, cropping, 3)
