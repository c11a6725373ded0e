/* pool.h - the gradient of the largest of windows, for those who put it together with other ops. */
#ifndef TN_OPS_POOL_H
#define TN_OPS_POOL_H
#include "runtime/op.h"

/* Can what the op gives be 0 where its image, of this dtype, is not above 0, as if ReluGrad followed? */
bool tn__pool_takes_mask(const tn__op *op, const void *attrs, tn_dtype dtype);
/* dx; input: the op's own, none empty. sums: as tn__product_max_pool_gradient(). */
tn_status tn__pool_masked(const tn__op *op, const void *attrs, const tn_tensor *const *input, tn_tensor *dx, double *sums);
/* May dx lie where the image does? Where each pixel is in one window. */
bool tn__pool_in_place(const tn__op *op, const void *attrs, const tn_shape *image);

#endif
