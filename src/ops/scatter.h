/* scatter.h - what scattering into tensors and into variables share. */
#ifndef TN_OPS_SCATTER_H
#define TN_OPS_SCATTER_H
#include "ops/ops.h"

/* Each of `count` elements of `to`, from number `at` on, becomes combine(it, its update), combine
 * an element-wise op of two numbers, or the update itself when that is NULL. Updates begin at
 * number `from`; of a scalar all are the one. Any dtype. */
void tn__combine_slice(const tn__op *combine, tn_tensor *to, int64_t at, const tn_tensor *updates,
                       int64_t from, int64_t count);
/* updates (outer…, slice…) for indices (outer…, depth) of a tensor of this shape, in the words of
 * ScatterNd. */
tn_status tn__check_scatter_new(const tn_tensor *indices, const tn_tensor *updates,
                                const tn_shape *shape);

#endif
