/* layers/reshaping.h - other shapes for the same elements. */
#ifndef TENON_LAYERS_RESHAPING_H
#define TENON_LAYERS_RESHAPING_H
#include "tenon/layer.h"
TN_BEGIN
/* (batch, k) to (batch, n, k): each row n times. */
typedef struct tn_repeat_vector_options {
    TN_OPTIONS_HEAD(tn_repeat_vector_options);
    int64_t n TN_DEFAULT(0);
    TN_LAYER_OPTIONS;
} tn_repeat_vector_options;
TN_API tn_layer *tn_repeat_vector_new(const tn_repeat_vector_options *options);

/* (batch, …) to (batch, elements); "channels_first": the channels are moved to the end before. */
typedef struct tn_flatten_options {
    TN_OPTIONS_HEAD(tn_flatten_options);
    const char *data_format TN_DEFAULT("channels_last");
    TN_LAYER_OPTIONS;
} tn_flatten_options;
TN_API tn_layer *tn_flatten_new(const tn_flatten_options *options);

/* The elements of each sample, row-major, in another shape. */
typedef struct tn_reshape_layer_options {
    TN_OPTIONS_HEAD(tn_reshape_layer_options);
    tn_shape target_shape TN_DEFAULT({});               /* without the batch; one dimension may be TN_NONE */
    TN_LAYER_OPTIONS;
} tn_reshape_layer_options;
TN_API tn_layer *tn_reshape_layer_new(const tn_reshape_layer_options *options);

/* Zeros around series (batch, steps, channels), images (batch, rows, columns, channels) and volumes, or borders cut away. The sizes
 * are TN_SHAPE(n), n on every side, or one number for each axis, on both of its sides: TN_SHAPE(rows, columns), or two:
 * TN_SHAPE(top, bottom, left, right). Not given: 1; of tn_cropping2d 0. */
typedef struct tn_zero_padding_options {
    TN_OPTIONS_HEAD(tn_zero_padding_options);
    tn_shape padding TN_DEFAULT({});
    const char *data_format TN_DEFAULT("channels_last");
    TN_LAYER_OPTIONS;
} tn_zero_padding_options;
TN_API tn_layer *tn_zero_padding1d_new(const tn_zero_padding_options *options);
TN_API tn_layer *tn_zero_padding2d_new(const tn_zero_padding_options *options);
TN_API tn_layer *tn_zero_padding3d_new(const tn_zero_padding_options *options);

/* Steps cut away at both ends, as with the zeros above. */
typedef struct tn_cropping1d_options {
    TN_OPTIONS_HEAD(tn_cropping1d_options);
    tn_shape cropping TN_DEFAULT({});
    TN_LAYER_OPTIONS;
} tn_cropping1d_options;
TN_API tn_layer *tn_cropping1d_new(const tn_cropping1d_options *options);

/* Borders of images and volumes cut away, as with the zeros above. */
typedef struct tn_cropping_options {
    TN_OPTIONS_HEAD(tn_cropping_options);
    tn_shape cropping TN_DEFAULT({});
    const char *data_format TN_DEFAULT("channels_last");
    TN_LAYER_OPTIONS;
} tn_cropping_options;
TN_API tn_layer *tn_cropping2d_new(const tn_cropping_options *options);
TN_API tn_layer *tn_cropping3d_new(const tn_cropping_options *options);

/* Every place of an axis `size` times. One number alone, { 3 }, stands for all axes; not given: 2. */
typedef struct tn_up_sampling1d_options {
    TN_OPTIONS_HEAD(tn_up_sampling1d_options);
    int64_t size TN_DEFAULT(2);
    TN_LAYER_OPTIONS;
} tn_up_sampling1d_options;
TN_API tn_layer *tn_up_sampling1d_new(const tn_up_sampling1d_options *options);

/* Likewise of images. interpolation: "nearest", which repeats, or "bilinear", "bicubic", "lanczos3", "lanczos5". */
typedef struct tn_up_sampling2d_options {
    TN_OPTIONS_HEAD(tn_up_sampling2d_options);
    int64_t size[2] TN_DEFAULT({});
    const char *data_format TN_DEFAULT("channels_last"), *interpolation TN_DEFAULT("nearest");
    TN_LAYER_OPTIONS;
} tn_up_sampling2d_options;
TN_API tn_layer *tn_up_sampling2d_new(const tn_up_sampling2d_options *options);

/* Likewise of volumes. */
typedef struct tn_up_sampling3d_options {
    TN_OPTIONS_HEAD(tn_up_sampling3d_options);
    int64_t size[3] TN_DEFAULT({});
    const char *data_format TN_DEFAULT("channels_last");
    TN_LAYER_OPTIONS;
} tn_up_sampling3d_options;
TN_API tn_layer *tn_up_sampling3d_new(const tn_up_sampling3d_options *options);

/* The dimensions behind the batch in another order, counted from 1: TN_AXES(2, 1) swaps two. */
typedef struct tn_permute_options {
    TN_OPTIONS_HEAD(tn_permute_options);
    tn_axes dims TN_DEFAULT(TN_AXES_UNSAID);
    TN_LAYER_OPTIONS;
} tn_permute_options;
TN_API tn_layer *tn_permute_new(const tn_permute_options *options);

#ifndef __cplusplus
#define TN_BORDERS_(function, type, ...) TN_OPTIONS(function, type, (.data_format = "channels_last", TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_zero_padding1d(...) TN_BORDERS_(tn_zero_padding1d_new, tn_zero_padding_options, __VA_ARGS__)
#define tn_zero_padding2d(...) TN_BORDERS_(tn_zero_padding2d_new, tn_zero_padding_options, __VA_ARGS__)
#define tn_zero_padding3d(...) TN_BORDERS_(tn_zero_padding3d_new, tn_zero_padding_options, __VA_ARGS__)
#define tn_cropping1d(...) TN_OPTIONS(tn_cropping1d_new, tn_cropping1d_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_cropping2d(...) TN_BORDERS_(tn_cropping2d_new, tn_cropping_options, __VA_ARGS__)
#define tn_cropping3d(...) TN_BORDERS_(tn_cropping3d_new, tn_cropping_options, __VA_ARGS__)
#define tn_up_sampling1d(...) TN_OPTIONS(tn_up_sampling1d_new, tn_up_sampling1d_options, (.size = 2, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_up_sampling2d(...) TN_NUMBERS(tn_up_sampling2d_new, tn_up_sampling2d_options, (.data_format = "channels_last", \
    .interpolation = "nearest", TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_up_sampling3d(...) TN_BORDERS_(tn_up_sampling3d_new, tn_up_sampling3d_options, __VA_ARGS__)
#define tn_permute(...) TN_NUMBERS(tn_permute_new, tn_permute_options, (.dims = TN_AXES_UNSAID, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_repeat_vector(...) TN_OPTIONS(tn_repeat_vector_new, tn_repeat_vector_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_flatten(...) TN_OPTIONS(tn_flatten_new, tn_flatten_options, (.data_format = "channels_last", TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_reshape_layer(...) TN_OPTIONS(tn_reshape_layer_new, tn_reshape_layer_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
