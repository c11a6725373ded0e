/* spatial_dropout.c - dropout of whole channels */
#include "nn/config.h"
#include "nn/layers/layers.h"
#include "tenon/random.h"

typedef struct {
    tn_spatial_dropout1d_options o;
    tn_variable *seed_generator;
} series;
typedef struct {
    tn_spatial_dropout_options o;
    tn_variable *seed_generator;
} image;

static const tn_field series_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, series, rate, NULL, "0..1"),
    TN__OPTION(TN_FIELD_INT, series, seed, "none", NULL),
    TN__ROW(TN_FIELD_VARIABLE, series, seed_generator, NULL, NULL),
    TN__END_OF_FIELDS,
};
static const tn_field image_fields[] = {
    TN__OPTION(TN_FIELD_FLOAT, image, rate, NULL, "0..1"),
    TN__DATA_FORMAT_ROW(image),
    TN__OPTION(TN_FIELD_INT, image, seed, "none", NULL),
    TN__ROW(TN_FIELD_VARIABLE, image, seed_generator, NULL, NULL),
    TN__END_OF_FIELDS,
};

static void init_series(void *me)
{
    series *self = me;
    if (self->o.rate > 0)
        self->seed_generator = tn_seed_generator(self->o.seed);
}

static void init_image(void *me)
{
    image *self = me;
    if (self->o.rate > 0)
        self->seed_generator = tn_seed_generator(self->o.seed);
}

/* One lot for all the places of a channel. */
static tn_tensor *drop(tn_tensor *x, double rate, const char *data_format, tn_variable *generator)
{
    int axes = tn__window_axes();
    tn_shape noise = { 1, axes + 2, { TN_NONE } };
    if (!x || !tn_training() || rate == 0)
        return x;
    for (int i = 1; i < noise.rank; i++)
        noise.dims[i] = 1;
    noise.dims[tn__channels_first(data_format) ? 1 : axes + 1] = TN_NONE;
    return tn__dropout(x, rate, noise, generator);
}

static tn_tensor *call_series(void *me, tn_list inputs)
{
    const series *self = me;
    return drop(tn_at(inputs, 0), self->o.rate, NULL, self->seed_generator);
}

static tn_tensor *call_image(void *me, tn_list inputs)
{
    const image *self = me;
    return drop(tn_at(inputs, 0), self->o.rate, self->o.data_format, self->seed_generator);
}

/* Keras 3's do not take `trainable`, and have a dtype's name. */
static tn_status write_config(tn_layer *layer, void *json)
{
    json_object_del(json, "trainable");
    return tn__json_set(json, "dtype", json_string(layer->policy->name));
}

/* Keras 2's have Dropout's noise_shape in their configs, which they do not look at. */
static tn_status upgrade(void *config)
{
    static const tn__renamed old[] = { { "p", "rate" }, { "noise_shape", NULL }, { NULL, NULL } };
    tn__rename_keys(config, old);
    return tn__upgrade_image_config(config);
}

#define SPATIAL_DROPOUT(class_, function, type, options, axes)                             \
    static const tn_class_more more##axes##d = { .least_rank = axes + 2,                   \
                                                 .most_rank = axes + 2,                    \
                                                 .write_config = write_config,             \
                                                 .upgrade_config = upgrade };              \
    TN__LAYER_CLASS(class_, function, type, options, .inputs = 1, .fields = type##_fields, \
                    .init = init_##type, .call = call_##type, .supports_masking = true,    \
                    .more = &more##axes##d)

SPATIAL_DROPOUT(SpatialDropout1D, tn_spatial_dropout1d_new, series, tn_spatial_dropout1d_options, 1)
SPATIAL_DROPOUT(SpatialDropout2D, tn_spatial_dropout2d_new, image, tn_spatial_dropout_options, 2)
SPATIAL_DROPOUT(SpatialDropout3D, tn_spatial_dropout3d_new, image, tn_spatial_dropout_options, 3)
