/* chain.h - element-wise functions of float32 by the processor's kernels. */
#ifndef TN_OPS_CHAIN_H
#define TN_OPS_CHAIN_H
#include "core/context.h"
#include "core/shape.h"
#include "kernels/kernels.h"

/* How an input of one shape is read for an output of another; false for a broadcast that is not one stretch of dimensions. */
bool tn__chain_bind(const tn_shape *in, const tn_shape *out, tn__chain_input *input);
/* Over arrays of count numbers, by as many threads as pay. Fails only for lack of memory. */
tn_status tn__chain_run(tn_context *context, const tn__chain *chain, int64_t count);

#endif
