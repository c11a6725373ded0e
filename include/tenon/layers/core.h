/* layers/core.h - Keras's core layers. */
#ifndef TENON_LAYERS_CORE_H
#define TENON_LAYERS_CORE_H
#include "tenon/layer.h"
TN_BEGIN
/* activation(inputs · kernel + bias), (…, k) to (…, units). */
typedef struct tn_dense_options {
    TN_OPTIONS_HEAD(tn_dense_options);
    int64_t units TN_DEFAULT(0);
    const char *activation TN_DEFAULT(NULL);
    tn_flag use_bias TN_DEFAULT(true);
    const char *kernel_initializer TN_DEFAULT("glorot_uniform"), *bias_initializer TN_DEFAULT("zeros");
    const char *kernel_regularizer TN_DEFAULT(NULL), *bias_regularizer TN_DEFAULT(NULL), *activity_regularizer TN_DEFAULT(NULL);
    const char *kernel_constraint TN_DEFAULT(NULL), *bias_constraint TN_DEFAULT(NULL);
    TN_LAYER_OPTIONS;
} tn_dense_options;
TN_API tn_layer *tn_dense_new(const tn_dense_options *options);
/* Example: a layer is built by its first call.
 *
 *     tn_layer *layer = tn_dense(3, "relu", .kernel_initializer = "ones", .name = "head");
 *     tn_print(tn_call(layer, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32))); // [[2. 2. 2.]]
 *     printf("%s\n", tn_name(tn_variables(layer).item[0]));          // head/kernel
 */

/* An activation by its name or constructor text: "relu", "leaky_relu(negative_slope=0.1)". */
typedef struct tn_activation_options {
    TN_OPTIONS_HEAD(tn_activation_options);
    const char *activation TN_DEFAULT(NULL);
    TN_LAYER_OPTIONS;
} tn_activation_options;
TN_API tn_layer *tn_activation_new(const tn_activation_options *options);

/* Time steps (batch, time, features) all of whose features are mask_value do not count: they become 0, and the output's mask says so
 * to the layers behind. */
typedef struct tn_masking_options {
    TN_OPTIONS_HEAD(tn_masking_options);
    double mask_value TN_DEFAULT(0);
    TN_LAYER_OPTIONS;
} tn_masking_options;
TN_API tn_layer *tn_masking_new(const tn_masking_options *options);

/* Whole numbers from 0 to input_dim - 1, of any shape, to rows of a table that is learned: (batch, steps) to (batch, steps,
 * output_dim). mask_zero: 0 is padding, which the mask of the output leaves out. */
typedef struct tn_embedding_options {
    TN_OPTIONS_HEAD(tn_embedding_options);
    int64_t input_dim TN_DEFAULT(0), output_dim TN_DEFAULT(0);
    const char *embeddings_initializer TN_DEFAULT("uniform"), *embeddings_regularizer TN_DEFAULT(NULL);
    const char *activity_regularizer TN_DEFAULT(NULL), *embeddings_constraint TN_DEFAULT(NULL);
    tn_flag mask_zero TN_DEFAULT(false);
    TN_LAYER_OPTIONS;
} tn_embedding_options;
TN_API tn_layer *tn_embedding_new(const tn_embedding_options *options);

/* The input as it is. */
TN_API tn_layer *tn_identity_layer_new(const tn_layer_options *options);

/* activation(einsum(equation, inputs, kernel) + bias): "abc,cd->abd" is Dense. output_shape: the output's dimensions without the batch
 * and without those that "..." stands for; the kernel has what the equation says. bias_axes: the output's labels that have a bias of
 * their own, "d"; NULL: there is none. */
typedef struct tn_einsum_dense_options {
    TN_OPTIONS_HEAD(tn_einsum_dense_options);
    const char *equation TN_DEFAULT(NULL);
    tn_shape output_shape TN_DEFAULT({});
    const char *activation TN_DEFAULT(NULL), *bias_axes TN_DEFAULT(NULL);
    const char *kernel_initializer TN_DEFAULT("glorot_uniform"), *bias_initializer TN_DEFAULT("zeros");
    const char *kernel_regularizer TN_DEFAULT(NULL), *bias_regularizer TN_DEFAULT(NULL), *activity_regularizer TN_DEFAULT(NULL);
    const char *kernel_constraint TN_DEFAULT(NULL), *bias_constraint TN_DEFAULT(NULL);
    TN_LAYER_OPTIONS;
} tn_einsum_dense_options;
TN_API tn_layer *tn_einsum_dense_new(const tn_einsum_dense_options *options);

#ifndef __cplusplus
#define tn_einsum_dense(...) TN_OPTIONS(tn_einsum_dense_new, tn_einsum_dense_options, (.kernel_initializer = "glorot_uniform", \
    .bias_initializer = "zeros", TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_embedding(...) TN_OPTIONS(tn_embedding_new, tn_embedding_options, (.embeddings_initializer = "uniform", \
    TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_identity_layer(...) TN_OPTIONS(tn_identity_layer_new, tn_layer_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_dense(...) TN_OPTIONS(tn_dense_new, tn_dense_options, (.use_bias = true, .kernel_initializer = "glorot_uniform", \
    .bias_initializer = "zeros", TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_masking(...) TN_OPTIONS(tn_masking_new, tn_masking_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#define tn_activation(...) TN_OPTIONS(tn_activation_new, tn_activation_options, (TN_LAYER_DEFAULTS), __VA_ARGS__)
#endif
TN_END
#endif
