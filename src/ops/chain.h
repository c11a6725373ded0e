/* chain.h - element-wise functions of float32 by the processor's kernels. */
#ifndef TN_OPS_CHAIN_H
#define TN_OPS_CHAIN_H
#include "core/context.h"
#include "core/shape.h"
#include "kernels/kernels.h"
#include "runtime/op.h"

/* What is summed of the numbers that one step of a chain gives, seen as rows. */
typedef enum { TN__SUM_NOTHING, TN__SUM_EACH_ROW, TN__SUM_EACH_COLUMN } tn__sum_kind;
typedef struct {
    tn__sum_kind kind;
    int64_t rows, columns;
    bool mean;    /* each sum over how many numbers it is of */
    uint8_t step; /* of the chain */
} tn__chain_sum;

enum { TN__SUM_COLUMNS_MOST = 1024 }; /* that can be summed, so that some rows stay in the cache */

/* How an input of one shape is read for an output of another; false for a broadcast that is not one
 * stretch of dimensions. */
bool tn__chain_bind(const tn_shape *in, const tn_shape *out, tn__chain_input *input);
/* Gives each step's result a place in scratch, which is free behind the last step that reads it. */
void tn__chain_settle(tn__chain *c);
/* Over arrays of count numbers, by as many threads as pay. Fails only for lack of memory. */
tn_status tn__chain_run(tn_context *context, const tn__chain *chain, int64_t count);
/* And sums of one step's results while they are in the cache: they are not kept where that step has
 * no `out`. */
tn_status tn__chain_run_and_sum(tn_context *context, const tn__chain *chain,
                                const tn__chain_sum *sum, float *sums);
/* What is stored for such a sum. */
float tn__chain_sum_value(const tn__chain_sum *s, double sum);
/* Whether Sum or Mean of these axes is such a sum of an array of this shape, which is known and not
 * empty; sum->step is left alone. */
bool tn__chain_sum_of(const tn__op *op, const tn_shape *x, const tn_tensor *axes,
                      tn__chain_sum *sum);

#endif
