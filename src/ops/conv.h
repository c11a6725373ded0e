/* conv.h - what conv.c and depthwise.c share: three ops that are each other's gradients.
 *
 * y = x * w, with an image x, a filter w and a cotangent dy of y:
 *     forward(x, w) = y    to_input(shape of x, w, dy) = dx    to_filter(x, shape of w, dy) = dw
 * Each is linear in both of its arguments, so the gradient of one is made of the other two. */
#ifndef TN_OPS_CONV_H
#define TN_OPS_CONV_H
#include "ops/window.h"

typedef struct {
    int64_t strides[4], dilations[4], explicit_paddings[8];
    const char *padding, *data_format;
    tn_flag use_cudnn_on_gpu; /* in the OpDef; without meaning here */
} tn__conv2d_attrs;
typedef struct {
    int64_t strides[5], dilations[5];
    const char *padding, *data_format;
} tn__conv3d_attrs;

typedef struct tn__conv_family {
    int spatial;
    const tn__op *forward, *to_input, *to_filter;
} tn__conv_family;

tn__sliding tn__conv_sliding(const tn__op *op, const void *attrs);
/* Strides, dilations, and what tn__sliding_check looks at. */
tn_status tn__conv_check(const tn__op *op, const tn__sliding *s);
/* Sizes of the windows; ranks that are known must be the image's, and no filter is empty. what:
 * "convolution ", as the messages call the two inputs. */
tn_status tn__conv_windows(const tn__op *op, const tn__sliding *s, const tn_shape *x,
                           const tn_shape *filter, const char *what, tn__windows *w);
/* dy must be what forward gives for these windows and out channels. */
tn_status tn__conv_cotangent(const tn__op *op, const tn__sliding *s, const tn__windows *w,
                             int64_t out, const tn_shape *dy);
/* Can an epilogue be applied to what Conv2D, or Conv2DBackpropInput, gives while it is stored? Shapes
 * are full. */
bool tn__conv_takes_epilogue(const tn__op *op, const void *attrs, const tn_tensor *x,
                             const tn_tensor *filter);
/* input: the op's own; sums: as tn__product_conv_to_input(), of Conv2DBackpropInput alone. */
tn_status tn__conv_with_epilogue(tn_context *context, const tn__op *op, const void *attrs,
                                 const tn_tensor *const *input, tn_tensor *output,
                                 tn__epilogue epilogue, double *sums);
void tn__conv_gradient(tn__gradient *g);
void tn__conv_input_gradient(tn__gradient *g);
void tn__conv_filter_gradient(tn__gradient *g);

/* tn_nn_conv…_transpose with output_shape as a tensor, so that it may be known only in the run. */
tn_tensor *tn__conv_transpose(const tn_nn_conv_transpose_options *o, int axes, tn_tensor *sizes);

#endif
