/* known.h - what can be told of integer tensors (shapes, axes, sizes) before anything runs. */
#ifndef TN_OPS_KNOWN_H
#define TN_OPS_KNOWN_H
#include "runtime/graph.h"

/* The integers that a tensor is, as far as they can be told now: of a value or a Const node, or
 * what shape arithmetic (Shape, Pack, ConcatV2, slices, Gather, Prod, Range …) makes of such;
 * matrices row by row. false when even their number is not known, or is above TN__MOST_KNOWN, or
 * they are no integers. */
enum { TN__MOST_KNOWN = TN_MAX_RANK * 4 };
#define TN__UNSURE INT64_MIN
bool tn__known_each(const tn_tensor *x, int64_t *values,
                    size_t *count); /* elements not known are TN__UNSURE */
bool tn__known_exactly(const tn_tensor *x, int64_t *values,
                       size_t *count); /* false when one is not known */
bool tn__known_ints(const tn_tensor *x, int64_t *values,
                    size_t *count); /* as dimensions: not known is TN_NONE */
/* The same as a shape; at least its rank when only the length is known. */
tn_shape tn__known_shape(const tn_tensor *x);

#endif
