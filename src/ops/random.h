/* random.h - random numbers as ops, for layers: the stateless ones, whose numbers are a function of
 * a seed.
 *
 * seed: two integers in a tensor of int32 or int64, such as tn__next_seed() gives; shape: a vector
 * of integers, such as tn__shape_tensor() gives, so that it may be known only in the run. All give
 * NULL when they fail. */
#ifndef TN_OPS_RANDOM_H
#define TN_OPS_RANDOM_H
#include "ops/ops.h"

/* [minval, maxval); float dtypes. */
tn_tensor *tn__stateless_uniform(tn_tensor *shape, tn_tensor *seed, double minval, double maxval,
                                 tn_dtype dtype);
tn_tensor *tn__stateless_normal(tn_tensor *shape, tn_tensor *seed, double mean, double stddev,
                                tn_dtype dtype);
/* Normal, drawn again while it is 2 or more deviations away from the mean. */
tn_tensor *tn__stateless_truncated_normal(tn_tensor *shape, tn_tensor *seed, double mean,
                                          double stddev, tn_dtype dtype);
/* int32 or int64 in [minval, maxval). */
tn_tensor *tn__stateless_uniform_int(tn_tensor *shape, tn_tensor *seed, int64_t minval,
                                     int64_t maxval, tn_dtype dtype);

#endif
