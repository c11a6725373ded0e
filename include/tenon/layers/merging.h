/* layers/merging.h - layers of several inputs. */
#ifndef TENON_LAYERS_MERGING_H
#define TENON_LAYERS_MERGING_H
#include "tenon/layer.h"
TN_BEGIN
/* The inputs behind each other along axis; their other dimensions agree. */
typedef struct tn_concatenate_options {
    TN_OPTIONS_HEAD(tn_concatenate_options);
    int axis TN_DEFAULT(-1);
    TN_LAYER_OPTIONS;
} tn_concatenate_options;
TN_API tn_layer *tn_concatenate_new(const tn_concatenate_options *options);

/* Element by element, of all inputs: the sum, the difference of two, the product, the mean, the greatest, the least. Dimensions of 1
 * are broadcast; an input of a lower rank gets some behind the batch. */
TN_API tn_layer *tn_add_layer_new(const tn_layer_options *options);
TN_API tn_layer *tn_subtract_layer_new(const tn_layer_options *options);
TN_API tn_layer *tn_multiply_layer_new(const tn_layer_options *options);
TN_API tn_layer *tn_average_new(const tn_layer_options *options);
TN_API tn_layer *tn_maximum_layer_new(const tn_layer_options *options);
TN_API tn_layer *tn_minimum_layer_new(const tn_layer_options *options);

/* Products of two inputs summed along an axis of each, TN_AXES(2, 1), or the same of both, TN_AXES(-1), which may not be the batch:
 * (batch, m, k) and (batch, k, n) give (batch, m, n). normalize: of vectors of length 1, which gives the cosine between them. */
typedef struct tn_dot_options {
    TN_OPTIONS_HEAD(tn_dot_options);
    tn_axes axes TN_DEFAULT(TN_AXES_UNSAID);
    tn_flag normalize TN_DEFAULT(false);
    TN_LAYER_OPTIONS;
} tn_dot_options;
TN_API tn_layer *tn_dot_new(const tn_dot_options *options);

#ifndef __cplusplus
#define tn_subtract_layer(...) TN_OPTIONS(tn_subtract_layer_new, tn_layer_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_multiply_layer(...) TN_OPTIONS(tn_multiply_layer_new, tn_layer_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_average(...) TN_OPTIONS(tn_average_new, tn_layer_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_maximum_layer(...) TN_OPTIONS(tn_maximum_layer_new, tn_layer_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_minimum_layer(...) TN_OPTIONS(tn_minimum_layer_new, tn_layer_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_dot(...) TN_NUMBERS(tn_dot_new, tn_dot_options, (.axes = TN_AXES_UNSAID, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_concatenate(...) TN_OPTIONS(tn_concatenate_new, tn_concatenate_options, (.axis = -1, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_add_layer(...) TN_OPTIONS(tn_add_layer_new, tn_layer_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
