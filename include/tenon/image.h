/* image.h - images, (batch, rows, columns, channels) or one without the batch (tf.image.x). */
#ifndef TENON_IMAGE_H
#define TENON_IMAGE_H
#include "tenon/tensor.h"
TN_BEGIN
/* Images of another size, { rows, columns }. method: "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian" or
 * "mitchellcubic". preserve_aspect_ratio: as large as fits into the size. antialias: what shrinks is smoothed. float32 comes out, of
 * "nearest" the images' dtype, also when they have that size already ("gaussian" and "mitchellcubic" smooth them then too). */
typedef struct tn_image_resize_options {
    TN_OPTIONS_HEAD(tn_image_resize_options);
    tn_tensor *images TN_DEFAULT(NULL);
    int64_t size[2] TN_DEFAULT({});
    const char *method TN_DEFAULT("bilinear");
    tn_flag preserve_aspect_ratio TN_DEFAULT(false), antialias TN_DEFAULT(false);
} tn_image_resize_options;
TN_API tn_tensor *tn_image_resize_with(const tn_image_resize_options *options);

#ifndef __cplusplus
#define tn_image_resize(...) TN_OPTIONS(tn_image_resize_with, tn_image_resize_options, (.method = "bilinear"), __VA_ARGS__)
#endif
TN_END
#endif
