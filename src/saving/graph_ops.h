/* graph_ops.h - ops of TensorFlow's graphs that are none of this library's: what they are here. */
#ifndef TN_SAVING_GRAPH_OPS_H
#define TN_SAVING_GRAPH_OPS_H
#include "formats/graphdef.h"
#include "runtime/graph.h"

/* The op that a node of this name runs: of the same name, or the newer one of the same attributes
 * and first outputs ("BatchMatMul": BatchMatMulV2). NULL: there is none. */
const tn__op *tn__graph_op(const char *name);

/* Ops that are made of others, or that concern variables as TensorFlow 1 has them: each gives one
 * output. */
bool tn__graph_op_is_made(const char *name);
/* The output belongs to the innermost scope. */
tn_status tn__graph_op_make(const tn__node_def *node, tn_tensor *const *inputs, size_t count,
                            tn_tensor **output);

#endif
