/* check_op.h - one checker for every op: give it a call and some inputs, it tries what an op has to
 * be good at.
 *
 *     TN_SCOPE;
 *     CHECK_OP(.op = &tn__op_Tanh, .inputs = TN_LIST(VALUES(TN_FLOAT64, TN_SHAPE(2), 0, 0.5)),
 *              .expected = TN_LIST(VALUES(TN_FLOAT64, TN_SHAPE(2), 0, 0.46211715726)));
 *
 * What it does, each step skipped by a flag below where it has no meaning:
 *  - runs the call eagerly and compares with `expected`, dtypes and shapes included
 *  - lets each allocation of that run fail in turn
 *  - traces it (tn_function), and in graphs whose inputs have an unknown first dimension and, for
 * an op, no known rank: results equal the eager ones, and inferred shapes and dtypes agree with
 * them (complete ones where the inputs' are)
 *  - gradients of a weighted sum of all floating outputs in float64 against central differences;
 * traced = eager, also with an unknown first dimension; an op without a gradient must give none
 *  - the same with a plan and without one, forward and gradient, an op in float32
 *  - second derivatives against central differences of the first
 *  - every dtype that the signature allows against the widest, on inputs rounded to that dtype;
 * integers wrap
 *  - no rows at all: forward, traced and gradients run, inference agrees
 *
 * Inputs for gradients stay away from kinks and poles by more than the step of 1e-5. */
#ifndef TN_TESTS_CHECK_OP_H
#define TN_TESTS_CHECK_OP_H
#include "support/check.h"
#include "runtime/dispatch.h"
#include "ops/ops.h"

enum {
    SKIP_GRADIENT = 1, /* differences say nothing here: kinks, random numbers */
    SKIP_SECOND_ORDER = 2,
    SKIP_DTYPES = 4,
    SKIP_EMPTY = 8,      /* no rows is an error, or the rule of `batched` does not fit */
    SKIP_ANY_BATCH = 16, /* the call needs its first dimension known */
    SKIP_UNKNOWN_RANK = 32,
    SHAPE_FROM_VALUES = 64, /* outputs' shapes depend on elements: inference may leave them open */
    NEEDS_CONSTANTS = 128,  /* `constant` inputs must be known when tracing */
    SKIP_TRACING = 256
};

typedef struct op_check {
    const char *file;
    int line;
    /* Either a body (its inputs are `inputs`, it gives a tensor or a tuple) or an op with its
     * attributes. */
    tn_body body;
    void *self;
    const tn__op *op;
    const void *attrs;
    size_t outputs; /* of the op; 0: as its signature says */

    tn_list inputs;    /* values */
    tn_list expected;  /* {0}: not compared */
    double rtol, atol; /* of `expected`; both 0: rtol 1e-6, atol 1e-7 */
    /* Bit i: input i is a constant of the call (axes, shapes, limits): captured when tracing, not
     * differentiated, not cast. Unless NEEDS_CONSTANTS is set, one more trace gives it as an input
     * like the others. */
    unsigned constant;
    /* Bit i: the first dimension of input i is the batch, unknown in one trace and 0 in another
     * run. 0: of every input that is not constant and has input 0's rank and first dimension. */
    unsigned batched;
    unsigned skip;
    /* Bit i: output i is left out of the sum whose gradient is taken: no gradient flows from it. */
    unsigned without;
    /* Dtypes to try. 0: for an op all that the type attribute of its first floating input (else its
     * first input) allows, for a body none. They replace the dtype of each input that shares it. */
    tn__dtype_set dtypes;
    bool differentiable;       /* it is a failure when there is no gradient to compare */
    double gradient_tolerance; /* relative to max(1, |difference|); 0: 1e-5 */
} op_check;
#define CHECK_OP(...) check_op(&(op_check){ .file = __FILE__, .line = __LINE__, __VA_ARGS__ })
void check_op(const op_check *check);

/* A tensor of any dtype from numbers; as many as the shape has elements. */
#define VALUES(dtype, shape, ...)                                      \
    check_tensor_of((dtype), (shape), (const double[]){ __VA_ARGS__ }, \
                    sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double))
tn_tensor *check_tensor_of(tn_dtype dtype, tn_shape shape, const double *values, size_t count);
/* float64 numbers spread over (low, high) in no order, the same every time for the same seed. */
tn_tensor *check_numbers(tn_shape shape, double low, double high, unsigned seed);

/* Dtype and shape equal, |got - want| <= atol + rtol |want|, NaN equals NaN, infinities exactly. */
#define CHECK_TENSOR(got, want, rtol, atol) \
    check_tensor((got), (want), (rtol), (atol), __FILE__, __LINE__)
void check_tensor(tn_tensor *got, tn_tensor *want, double rtol, double atol, const char *file,
                  int line);
/* The same against numbers: CHECK_VALUES(x, 1e-6, 1, 2, 3). */
#define CHECK_VALUES(got, tolerance, ...)                                                         \
    check_values((got), (const double[]){ __VA_ARGS__ },                                          \
                 sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double), (tolerance), __FILE__, \
                 __LINE__)
void check_values(tn_tensor *got, const double *want, size_t count, double tolerance,
                  const char *file, int line);

#endif
