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

/* --- common.c --------------------------------------------------------------------------------- */
/* Keras's input_spec: true when the size of an axis (from the end when negative) is this, or not
 * known yet. x NULL: false. */
bool tn__check_axis(const tn_tensor *x, int axis, int64_t size);
/* The size of an axis of the first input; an error and 0 when it is unknown. */
int64_t tn__known_dim(tn_list inputs, int axis);
/* Whole numbers become floats of the running layer's dtype. */
tn_tensor *tn__as_float(tn_tensor *x);
/* "(2, 3)" of a pair. Memory of the innermost scope. */
const char *tn__pair_text(const int64_t pair[2]);
/* A zero behind a number becomes the same number; a pair that is not given becomes the other. */
void tn__settle_pair(int64_t pair[2], const int64_t *not_given);
/* A convolution's three pairs: the kernel must be given, the others are {1, 1} when not. Errors:
 * Keras's. */
void tn__settle_windows(int64_t kernel_size[2], int64_t strides[2], int64_t dilation_rate[2]);
bool tn__channels_first(const char *data_format);
/* 1 for channels first, -1 for last. */
int tn__channels_axis(const char *data_format);
/* What TensorFlow's ops call it: "NHWC", "VALID". */
const char *tn__op_data_format(const char *data_format);
const char *tn__op_padding(const char *padding);
/* y + bias, one number for each channel. */
tn_tensor *tn__add_bias(tn_tensor *y, tn_tensor *bias, const char *data_format);
/* keras.random.dropout: 0 where a uniform number of the generator's next seed is below the rate. */
tn_tensor *tn__dropout(tn_tensor *x, double rate, tn_shape noise_shape, tn_variable *generator);
/* x's rows in another shape of as many elements; one dimension may be open. Any batch, also an
 * unknown one. */
tn_tensor *tn__reshape_rows(tn_tensor *x, tn_shape row);
/* Windows of this size must fit into the image along both axes, as far as its size is known;
 * Keras's message. image NULL: false. */
typedef struct {
    const int64_t *window, *strides, *dilation; /* dilation NULL: {1, 1} */
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
/* Keys whose value is None (Python's "whatever is the default") and may not be: dropped, so that
 * the default stays. */
void tn__drop_none(void *config, const char *keys);

#endif
