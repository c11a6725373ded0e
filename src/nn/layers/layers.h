/* layers.h - what the layers of this folder share. */
#ifndef TN_NN_LAYERS_LAYERS_H
#define TN_NN_LAYERS_LAYERS_H
#include "nn/layer.h"
#include "nn/object.h"
#include "tenon/ops.h"

/* In build: a weight of the running layer, of its dtype. Texts as in the options; NULL regularizer
 * or constraint: none. */
tn_variable *tn__weight_new(tn_shape shape, const char *name, const char *initializer,
                            const char *regularizer, const char *constraint);
tn_variable *tn__state_new(tn_shape shape, const char *name,
                           const char *initializer); /* not trainable */
/* The last dimension of the first input; an error and 0 when it is unknown. */
int64_t tn__last_dim(tn_list inputs);
/* The layer whose body runs. */
tn_layer *tn__this_layer(void);

/* A class of this folder, whose instance begins with its options, and the function that makes it.
 * What differs (.fields, .init, .build, .call, .more …) follows. */
#define TN__LAYER_CLASS(class_, function, type, options, ...)              \
    const tn_class tn__class_##class_ = { .name = #class_,                 \
                                          .module = "keras.layers",        \
                                          .size = sizeof(type),            \
                                          .options_size = sizeof(options), \
                                          __VA_ARGS__ };                   \
    tn_layer *function(const options *o)                                   \
    {                                                                      \
        return tn__layer_from_options(&tn__class_##class_, o);             \
    }
/* Rows of a field table that many layers have: one number for each of so many axes, … */
#define TN__AXES_ROW(type, member, axes, default_, range_)                          \
    {                                                                               \
        .kind = TN_FIELD_INTS, .name = #member, .offset = offsetof(type, o.member), \
        .fallback = default_, .range = range_, .count = axes                        \
    }
/* … the order of channels, … */
#define TN__DATA_FORMAT_ROW(type) \
    TN__OPTION(TN_FIELD_STRING, type, data_format, "channels_last", "channels_last|channels_first")

/* … what is done with the result and the bias, … */
#define TN__BIAS_ROWS(type)                                          \
    TN__OPTION(TN_FIELD_ACTIVATION, type, activation, "none", NULL), \
        TN__OPTION(TN_FIELD_FLAG, type, use_bias, "true", NULL)
/* … and those with kernel and bias. */
#define TN__KERNEL_ROWS(type)                                                               \
    TN__BIAS_ROWS(type),                                                                    \
        TN__OPTION(TN_FIELD_INITIALIZER, type, kernel_initializer, "glorot_uniform", NULL), \
        TN__OPTION(TN_FIELD_INITIALIZER, type, bias_initializer, "zeros", NULL),            \
        TN__OPTION(TN_FIELD_REGULARIZER, type, kernel_regularizer, "none", NULL),           \
        TN__OPTION(TN_FIELD_REGULARIZER, type, bias_regularizer, "none", NULL),             \
        TN__OPTION(TN_FIELD_REGULARIZER, type, activity_regularizer, "none", NULL),         \
        TN__OPTION(TN_FIELD_CONSTRAINT, type, kernel_constraint, "none", NULL),             \
        TN__OPTION(TN_FIELD_CONSTRAINT, type, bias_constraint, "none", NULL)

/* --- common.c --------------------------------------------------------------------------------- */
/* Keras's input_spec: true when the size of an axis (from the end when negative) is this, or not
 * known yet. x NULL: false. */
bool tn__check_axis(const tn_tensor *x, int axis, int64_t size);
/* The same of its rank. */
bool tn__check_ndim(const tn_tensor *x, int rank);
/* An error when its rank is not known. */
bool tn__check_known(const tn_tensor *x);
/* The size of an axis of the first input; an error and 0 when it is unknown. */
int64_t tn__known_dim(tn_list inputs, int axis);
/* Whole numbers become floats of the running layer's dtype. */
tn_tensor *tn__as_float(tn_tensor *x);
/* "(2, 3)" of the sizes along some axes, "(2,)" of one. Memory of the innermost scope. */
const char *tn__sizes_text(const int64_t *sizes, int axes);
const char *tn__axes_text(const tn_axes *axes);
/* One number alone stands for every axis; sizes that are not given become the other. */
void tn__settle_axes(int64_t *sizes, int axes, const int64_t *not_given);
/* Sizes written without braces: the first is for every axis, a second one the strides, as in Keras.
 * Refuses more numbers than there are axes. Both are arrays of three. */
void tn__settle_sizes(int64_t *sizes, int64_t *strides, int axes, const char *what);
/* A convolution's sizes: the kernel must be given, the others are 1 when not. Errors: Keras's. */
void tn__settle_windows(int axes, int64_t *kernel_size, int64_t *strides, int64_t *dilation_rate);
/* An error when some are above 1 in both. */
void tn__check_strides(int axes, const int64_t *strides, const int64_t *dilation_rate);
bool tn__channels_first(const char *data_format);
/* 1 for channels first, -1 for last. */
int tn__channels_axis(const char *data_format);
/* channels times a number of the options; an error where 64 bits are too few. */
bool tn__multiply_sizes(int64_t a, int64_t b, const char *what, int64_t *product);
/* How many axes the running layer's windows slide along: its least rank without batch and channels.
 */
int tn__window_axes(void);
/* A kernel's shape (sizes…, in, out), and "`kernel shape=(3, 3, 1, 8)`" of it for messages. */
tn_shape tn__kernel_shape(const int64_t *sizes, int axes, int64_t in, int64_t out);
const char *tn__kernel_text(const int64_t *sizes, int axes, int64_t in, int64_t out);
/* The pools along one, two and three axes. */
typedef tn_tensor *tn__pool_function(const tn_nn_pool_options *options);
extern tn__pool_function *const tn__max_pools[3], *const tn__average_pools[3];
/* The first of the axes that windows slide along: 1, or 2 behind channels. */
int tn__first_axis(const char *data_format);
/* What TensorFlow's ops call it: "NHWC", "VALID". */
const char *tn__op_data_format(const char *data_format, int axes);
const char *tn__op_padding(const char *padding);
/* y + bias, one number for each channel. */
tn_tensor *tn__add_bias(tn_tensor *y, tn_tensor *bias, const char *data_format);
/* (x - mean) / sqrt(variance + epsilon) · gamma + beta, in TensorFlow's order; gamma, beta NULL:
 * without. */
tn_tensor *tn__normalize(tn_tensor *x, tn_tensor *mean, tn_tensor *variance, tn_tensor *gamma,
                         tn_tensor *beta, double epsilon);
/* x / |x| along the axes; |x| counts as epsilon at least. */
tn_tensor *tn__l2_normalize(tn_tensor *x, tn_axes axes, double epsilon);
/* What statistics are computed in: the half types in float32, float64 in its own. */
tn_dtype tn__wide(tn_dtype dtype);
/* A class's compute_mask when what it gives has none. */
tn_tensor *tn__no_mask(void *me, tn_list inputs);
/* keras.random.dropout: 0 where a uniform number of the generator's next seed is below the rate. */
tn_tensor *tn__dropout(tn_tensor *x, double rate, tn_shape noise_shape, tn_variable *generator);
/* x's rows in another shape of as many elements; one dimension may be open. Any batch, also an
 * unknown one. */
tn_tensor *tn__reshape_rows(tn_tensor *x, tn_shape row);
/* Windows of this size must fit into the image along every axis, as far as its size is known;
 * Keras's message. image NULL: false. */
typedef struct {
    int axes;
    const int64_t *window, *strides, *dilation; /* dilation NULL: 1 each */
    const char *padding, *data_format;
    const char *kernel_text; /* how the message says the window: "`kernel shape=(3, 3, 1, 8)`" */
} tn__sliding_window;
bool tn__check_windows(const tn_tensor *image, const tn__sliding_window *w);

/* --- upgrade.c: old configs ------------------------------------------------------------------- */
/* A table ends with a row whose `old` is NULL. now NULL: the key is dropped. */
typedef struct {
    const char *old, *now;
} tn__renamed;
void tn__rename_keys(void *config, const tn__renamed *table);
/* Keras 1's words for what many layers have: init, bias, W_regularizer … */
void tn__upgrade_words(void *config);
/* Those, and of convolutions and pooling: kernel_size of nb_row and nb_col, border_mode,
 * dim_ordering. */
tn_status tn__upgrade_image_config(void *config);
/* Axes as a list, also of one; none: None. In write_config. */
tn_status tn__write_axes(void *json, const char *key, const tn_axes *axes);
/* Keras 2.2 wrote numbers of these keys as {"type": "ndarray", "value": 6.0}, later ones as
 * {"class_name": "__numpy__", "config":
 * {"value": 6.0}}. */
tn_status tn__upgrade_numbers(void *config, const char *keys);
/* Keys whose value is None (Python's "whatever is the default") and may not be: dropped, so that
 * the default stays. */
void tn__drop_none(void *config, const char *keys);

#endif
