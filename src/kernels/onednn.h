/* onednn.h - convolutions that oneDNN computes faster than what is here: grouped ones, those of three axes, and gradients of an image
 * through strides. Its library is not needed: it is opened when the first such convolution comes, and where it is missing, or is not
 * wanted (TN_ONEDNN=off, or TN_STRICT_KERNELS), or cannot do one, the caller does it. */
#ifndef TN_KERNELS_ONEDNN_H
#define TN_KERNELS_ONEDNN_H
#include "base/status.h"
#include "kernels/kernels.h"

typedef enum { TN__ONEDNN_FORWARD, TN__ONEDNN_TO_INPUT, TN__ONEDNN_TO_FILTER } tn__onednn_way;

/* y (batch, out) = x (batch, in) filter (taps, x_channels / groups, y_channels), channels last; one of the three is computed. */
typedef struct {
    tn__onednn_way way;
    int axes;              /* of `axis`: 2 or 3 */
    tn__conv_axis axis[3];
    int64_t batch, groups, x_channels, y_channels;
    float *x, *filter, *y;
    tn__epilogue epilogue; /* of x or y */
} tn__onednn_conv;

/* done: whether it was computed. Fails only for lack of memory. */
tn_status tn__onednn(const tn__onednn_conv *c, bool *done);

#endif
