/* compare.c - comparisons and logic: results are booleans. */
#include "ops/elementwise.h"
#include "ops/array.h"

#define BOOLEANS .no_gradient = "not differentiable: gives booleans"
#define COMPARISON(op_name, expression)                                               \
    TESTS(BINARY_LOOP, op_name, expression)                                           \
    BINARY_OP(op_name, "x: T, y: T", "z: bool", NUMBERS_TYPES, NUMBERS_ROWS(op_name), \
              tn__infer_broadcast, tn__binary_compute, BOOLEANS)
COMPARISON(Less, x < y)
COMPARISON(LessEqual, x <= y)
COMPARISON(Greater, x > y)
COMPARISON(GreaterEqual, x >= y)

#define LOGICAL(op_name, expression)                                            \
    BINARY_LOOP(op_name, u8, uint8_t, uint8_t, expression)                      \
    BINARY_OP(op_name, "x: bool, y: bool", "z: bool", NULL, BOOL_ROWS(op_name), \
              tn__infer_broadcast, tn__binary_compute, BOOLEANS, .flags = TN__COMMUTES)
LOGICAL(LogicalAnd, (x && y))
LOGICAL(LogicalOr, x || y)

/* --- Equal, NotEqual -------------------------------------------------------------------------- */
typedef struct {
    tn_flag
        incompatible_shape_error; /* false: shapes that do not go together are simply not equal */
} equal_attrs;
static const tn_field equal_fields[] = {
    TN__ROW(TN_FIELD_FLAG, equal_attrs, incompatible_shape_error, "true", NULL),
    TN__END_OF_FIELDS,
};

static tn_status equal_infer(tn__infer *infer)
{
    const tn_shape *x = &infer->input[0]->shape, *y = &infer->input[1]->shape;
    tn_shape *out = &infer->output[0].shape;
    if (((const equal_attrs *)infer->attrs)->incompatible_shape_error)
        return tn__infer_broadcast(infer);
    if (!tn__shape_broadcast(x, y, out))
        *out = TN_SCALAR;
    else if (!tn__shape_full(x) ||
             !tn__shape_full(y)) /* only the run will tell whether it is the scalar */
        *out = TN__UNKNOWN_SHAPE;
    return TN_OK;
}

static tn_status equal_compute(tn__kernel *kernel)
{
    tn_shape joined;
    if (tn__shape_broadcast(&kernel->input[0]->shape, &kernel->input[1]->shape, &joined))
        return tn__binary_compute(kernel);
    *(uint8_t *)kernel->output[0]->data = kernel->op == &tn__op_NotEqual;
    return TN_OK;
}

#define EQUALITY(op_name, expression)                                                         \
    TESTS(BINARY_LOOP, op_name, expression)                                                   \
    BINARY_OP(op_name, "x: T, y: T", "z: bool", "T: any",                                     \
              NUMBERS_ROWS(op_name) BOOL_ROWS(op_name), equal_infer, equal_compute, BOOLEANS, \
              .attrs = equal_fields, .attrs_size = sizeof(equal_attrs), .flags = TN__COMMUTES)
EQUALITY(Equal, x == y)
EQUALITY(NotEqual, x != y)

/* --- ApproximateEqual ------------------------------------------------------------------------- */
typedef struct {
    double tolerance;
} approximate_attrs;
static const tn_field approximate_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, approximate_attrs, tolerance, "1e-5", NULL),
    TN__END_OF_FIELDS,
};

static tn_status approximate_infer(tn__infer *infer)
{
    const tn_shape *x = &infer->input[0]->shape, *y = &infer->input[1]->shape;
    if (tn__shape_merge(x, y, &infer->output[0].shape))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "x and y must be of the same shape. x shape: %s. y shape: %s", TN__BRACKETS(*x),
                    TN__BRACKETS(*y));
}

static tn_status approximate_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0], *y = kernel->input[1];
    float tolerance =
        (float)((const approximate_attrs *)kernel->attrs)->tolerance; /* as TensorFlow's */
    uint8_t *z = kernel->output[0]->data;
    for (int64_t i = 0; i < tn__count(x); i++)
        z[i] = fabs(tn__double_at(x, i) - tn__double_at(y, i)) < tolerance;
    return TN_OK;
}

const tn__op tn__op_ApproximateEqual = {
    .name = "ApproximateEqual",
    .inputs = "x: T, y: T",
    .outputs = "z: bool",
    .types = NUMBERS_TYPES,
    .attrs = approximate_fields,
    .attrs_size = sizeof(approximate_attrs),
    .infer = approximate_infer,
    .compute = approximate_compute,
    .flags = TN__COMMUTES | TN__HALF,
    BOOLEANS,
};

/* --- public ----------------------------------------------------------------------------------- */
BINARY_WRAPPER(tn_less, Less)
BINARY_WRAPPER(tn_less_equal, LessEqual)
BINARY_WRAPPER(tn_greater, Greater)
BINARY_WRAPPER(tn_greater_equal, GreaterEqual)
BINARY_WRAPPER(tn_logical_and, LogicalAnd)
BINARY_WRAPPER(tn_logical_or, LogicalOr)

tn_tensor *tn_equal(tn_tensor *x, tn_tensor *y)
{
    return TN__APPLY(tn__op_Equal, &(equal_attrs){ true }, x, y);
}

tn_tensor *tn_not_equal(tn_tensor *x, tn_tensor *y)
{
    return TN__APPLY(tn__op_NotEqual, &(equal_attrs){ true }, x, y);
}

/* (x or y) and not (x and y), as TensorFlow writes it */
tn_tensor *tn_logical_xor(tn_tensor *x, tn_tensor *y)
{
    return tn_logical_and(tn_logical_or(x, y), tn_logical_not(tn_logical_and(x, y)));
}

tn_tensor *tn_approximate_equal(tn_tensor *x, tn_tensor *y, double tolerance)
{
    return TN__APPLY(tn__op_ApproximateEqual, &(approximate_attrs){ tolerance }, x, y);
}
