/* resize.h - images of another size: what layers need beyond tn_image_resize. */
#ifndef TN_OPS_RESIZE_H
#define TN_OPS_RESIZE_H
#include "ops/ops.h"

/* tf.image.resize of (batch, rows, columns, channels): size is a tensor of two int32, so that it may
 * be known only in the run. float32 comes out, of "nearest" the images' dtype. */
tn_tensor *tn__resize_images(tn_tensor *images, tn_tensor *size, const char *method, bool antialias);

#endif
