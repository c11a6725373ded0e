/* ops.h - one call of a TensorFlow function as a case has it, and how to read its arguments. */
#ifndef TN_TESTS_CONFORMANCE_OPS_H
#define TN_TESTS_CONFORMANCE_OPS_H
#include "conformance/conformance.h"
#include "runtime/op.h"
#include "tenon/ops.h"

typedef struct op_call op_call;
struct op_call {
    golden_case *c;
    verdict *v;
    const json_t *inputs, *attrs; /* by position, by keyword */
    tn_tensor *leaf[64];          /* the tensors in `inputs`, in order: values, or a trace's */
    size_t leaves;
    tn_list (*run)(const op_call *c); /* an empty list: it failed */
    const tn__op *op;                 /* of run_op */
};

/* --- by position ------------------------------------------------------------------------------ */
tn_tensor *in(const op_call *c, size_t position);
tn_list list_in(const op_call *c, size_t position); /* a list, or a tensor as a list of one */

/* --- by keyword; the fallback when it is not given -------------------------------------------- */
bool given(const op_call *c, const char *name);
bool flag(const op_call *c, const char *name, bool fallback);
int64_t whole(const op_call *c, const char *name, int64_t fallback);
double real(const op_call *c, const char *name, double fallback);
const char *word(const op_call *c, const char *name, const char *fallback);
tn_dtype dtype(const op_call *c, const char *name, tn_dtype fallback);
tn_axes axes(const op_call *c, const char *name); /* one number or a list */
tn_shape shape(const op_call *c, const char *name);
tn_tensor *number(const op_call *c, const char *name,
                  double fallback);                     /* as tn_scalar() gives it */
tn_tensor *numbers(const op_call *c, const char *name); /* the same, or a vector of whole ones */
/* Numbers of a list of lists, row by row; returns how many, `most` at most. One number stands for a
 * list of one. */
size_t wholes(const op_call *c, const char *name, int64_t *to, size_t most);

/* --- what there is ---------------------------------------------------------------------------- */
/* A row of ops_functions.def: which public function stands for TensorFlow's. NULL: none. */
tn_list (*function_of(const char *api))(const op_call *c);

#endif
