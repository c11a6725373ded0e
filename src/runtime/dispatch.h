/* dispatch.h - the one way to run an op. */
#ifndef TN_RUNTIME_DISPATCH_H
#define TN_RUNTIME_DISPATCH_H
#include "core/hooks.h"
#include "runtime/graph.h"

/* Resolves the mode (a graph is open, an input is symbolic, or eager), infers, computes or appends a node, and lets the tapes see.
 * inputs: any tensors, variables included (read here unless the op wants the variable itself). outputs: retained for the caller;
 * output_count is checked. An error names the op, its inputs, and the program's line. */
tn_status tn__dispatch(tn_context *context, const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count,
                       tn_tensor **outputs, size_t output_count);

/* The expression form that wrappers use: NULL when an error is kept or an input is NULL; else the first output, owned by the
 * innermost memory scope. */
tn_tensor *tn__apply(const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count);
#define TN__APPLY(op, attrs, ...) \
    tn__apply(&(op), (attrs), (tn_tensor *[]){ __VA_ARGS__ }, sizeof((tn_tensor *[]){ __VA_ARGS__ }) / sizeof(tn_tensor *))
/* The same with several outputs: a list of the innermost scope. */
tn_list tn__apply_list(const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count, size_t output_count);

/* Computes one op on values, no modes, no tape: what eager dispatch and the executor both end in. Outputs, NULL before, are retained for
 * the caller. */
tn_status tn__compute(tn_context *context, const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count,
                      tn_tensor **outputs, size_t output_count);
/* The same when inference is already done: infer holds outputs' dtypes and shapes. */
tn_status tn__compute_known(tn_context *context, tn__infer *infer, tn_tensor **outputs);
/* One output, written into a value that is there already, of the dtype and shape that inference gives. Of an element-wise op it may
 * be an input too. */
tn_status tn__compute_into(tn_context *context, const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count,
                           tn_tensor *output);
/* Checks inputs against the signature, settles type attributes, sets outputs' dtypes and count, runs the rule. `out` has room for
 * TN__MAX_OUT entries or as many as count_outputs says. */
tn_status tn__infer_op(tn__infer *infer);
/* What a kernel without TN__HALF computes a dtype in. */
tn_dtype tn__usual_dtype(tn_dtype dtype);
size_t tn__op_outputs(const tn__op *op, const void *attrs, size_t inputs);

#endif
