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

/* The sum of all inputs. */
TN_API tn_layer *tn_add_layer_new(const tn_layer_options *options);

#ifndef __cplusplus
#define tn_concatenate(...) TN_OPTIONS(tn_concatenate_new, tn_concatenate_options, (.axis = -1, TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_add_layer(...) TN_OPTIONS(tn_add_layer_new, tn_layer_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
