/* layers/preprocessing.h - preprocessing of numbers and images. */
#ifndef TENON_LAYERS_PREPROCESSING_H
#define TENON_LAYERS_PREPROCESSING_H
#include "tenon/layer.h"
TN_BEGIN
/* inputs * scale + offset. scales, offsets: one number for each channel, instead of the single ones. */
typedef struct tn_rescaling_options {
    TN_OPTIONS_HEAD(tn_rescaling_options);
    double scale TN_DEFAULT(TN_NOT_GIVEN), offset TN_DEFAULT(0);
    tn_tensor *scales TN_DEFAULT(NULL), *offsets TN_DEFAULT(NULL);
    TN_LAYER_OPTIONS;
} tn_rescaling_options;
TN_API tn_layer *tn_rescaling_new(const tn_rescaling_options *options);

/* (inputs - mean) / sqrt(variance), one mean for each place along the axes (none: one for all); invert: back again. Either both
 * numbers are given, or tn_adapt() computes them. What is assigned to its weights counts when it is loaded from a file, not before: as
 * in Keras. */
typedef struct tn_normalization_options {
    TN_OPTIONS_HEAD(tn_normalization_options);
    tn_axes axis TN_DEFAULT(TN_BARE_AXIS(-1));
    tn_tensor *mean TN_DEFAULT(NULL), *variance TN_DEFAULT(NULL);
    tn_flag invert TN_DEFAULT(false);
    TN_LAYER_OPTIONS;
} tn_normalization_options;
TN_API tn_layer *tn_normalization_new(const tn_normalization_options *options);

/* layer.adapt(data): Normalization takes mean and variance from the data. Call it before the layer is trained with or traced. */
TN_API TN_USE tn_status tn_adapt(tn_layer *layer, tn_tensor *data);

/* Whole numbers 0 to num_tokens - 1 become ones among num_tokens zeros: output_mode "multi_hot" a 1 for each that is in a row (batch,
 * n), "count" how often it is there, "one_hot" a dimension more, or that of size 1 at the end. Others give no 1. */
typedef struct tn_category_encoding_options {
    TN_OPTIONS_HEAD(tn_category_encoding_options);
    int64_t num_tokens TN_DEFAULT(INT64_MIN);
    const char *output_mode TN_DEFAULT("multi_hot");
    TN_LAYER_OPTIONS;
} tn_category_encoding_options;
TN_API tn_layer *tn_category_encoding_new(const tn_category_encoding_options *options);

#ifndef __cplusplus
#define tn_category_encoding(...) TN_OPTIONS(tn_category_encoding_new, tn_category_encoding_options, (.num_tokens = INT64_MIN, \
    .output_mode = "multi_hot", TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_rescaling(...) TN_OPTIONS(tn_rescaling_new, tn_rescaling_options, (.scale = TN_NOT_GIVEN, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_normalization(...) TN_NUMBERS(tn_normalization_new, tn_normalization_options, (.axis = TN_BARE_AXIS(-1), TN_LAYER_DEFAULTS), \
    __VA_ARGS__)
#endif
TN_END
#endif
