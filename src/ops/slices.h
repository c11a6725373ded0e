/* slices.h - gradients that are sums of rows.
 *
 * TensorFlow gives the gradient of gathered rows as IndexedSlices: a row for each index, added up
 * only where a dense tensor is wanted. Keras's optimizers square, clip and measure those rows as
 * they are, so that of an index that comes twice the sum of the squares counts, not the square of
 * the sum. Here a gradient is always the sum, and its handle remembers the rows. */
#ifndef TN_OPS_SLICES_H
#define TN_OPS_SLICES_H
#include "ops/ops.h"

/* values[i] added to row indices[i] of `rows` (a scalar) rows that are zero; remembers its slices.
 * Owned by the innermost scope, as what the others return. */
tn_tensor *tn__sum_of_slices(tn_tensor *values, tn_tensor *indices, tn_tensor *rows);
/* The sum of two gradients: slices when both are. */
tn_tensor *tn__add_gradients(tn_tensor *a, tn_tensor *b);

/* An element-wise function with f(0) = 0 of a gradient, of each slice before they are added; it
 * remembers its slices in turn. */
typedef tn_tensor *tn__elementwise(tn_tensor *x, const void *self);
tn_tensor *tn__of_gradient(tn_tensor *gradient, tn__elementwise *f, const void *self);
tn_tensor *tn__gradient_square(tn_tensor *gradient);
tn_tensor *tn__gradient_abs(tn_tensor *gradient);
/* Of a gradient that remembers its slices the rows that they are of, true and false, to be broadcast
 * to it; NULL: it is of all, or an error is kept. */
tn_tensor *tn__touched_rows(tn_tensor *gradient);
/* Converted, when it is of another dtype. */
tn_tensor *tn__gradient_cast(tn_tensor *gradient, tn_dtype dtype);

#endif
