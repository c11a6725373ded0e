/* binary.c - functions of two elements, broadcast, and sums of many. */
#include "ops/chain.h"
#include "ops/elementwise.h"
#include "ops/array.h"
#include <string.h>

static tn_tensor *zero_of(tn_tensor *x)
{
    return tn__like(x, 0);
}

/* --- gradients: dx and dy, from x, y, z = f(x, y) and dz -------------------------------------- */
BINARY_RULE(add, dz, dz)                                 /* dz, dz */
BINARY_RULE(sub, dz, tn_negative(dz))                    /* dz, -dz */
BINARY_RULE(mul, tn_multiply(dz, y), tn_multiply(dz, x)) /* dz y, dz x */
BINARY_RULE(div, tn_divide(dz, y),
            tn_multiply(dz, tn_divide(tn_divide(tn_negative(x), y), y))) /* dz / y, -dz x / y² */
BINARY_RULE(div_no_nan, tn_divide_no_nan(dz, y),
            tn_multiply(dz, tn_divide_no_nan(tn_divide_no_nan(tn_negative(x), y),
                                             y))) /* the same, 0 where y = 0 */
BINARY_RULE(mul_no_nan, tn_multiply_no_nan(dz, y), tn_multiply_no_nan(x, dz)) /* dz y, dz x */
/* z = x - y floor(x/y):  dz, -dz floor(x/y), and likewise with truncation */
BINARY_RULE(floormod, dz, tn_multiply(dz, tn_negative(tn_floordiv(x, y))))
BINARY_RULE(truncatemod, dz, tn_multiply(dz, tn_negative(tn_truncatediv(x, y))))
/* dz to the larger (smaller) one; to x where they are equal */
BINARY_RULE(maximum, tn_where(tn_greater_equal(x, y), dz, zero_of(dz)),
            tn_where(tn_greater_equal(x, y), zero_of(dz), dz))
BINARY_RULE(minimum, tn_where(tn_less_equal(x, y), dz, zero_of(dz)),
            tn_where(tn_less_equal(x, y), zero_of(dz), dz))

/* 2 dz (x - y) */
static tn_tensor *difference_slope(tn_tensor *x, tn_tensor *y, tn_tensor *dz)
{
    return tn_multiply(tn_multiply(tn__like(dz, 2), dz), tn_subtract(x, y));
}
BINARY_RULE(squared_difference, difference_slope(x, y, dz), tn_negative(difference_slope(x, y, dz)))

/* log x where x > 0, else 0: there xʸ is flat in y or has no derivative */
static tn_tensor *safe_log(tn_tensor *x)
{
    tn_tensor *positive = tn_greater(x, zero_of(x));
    return tn_where(positive, tn_log(tn_where(positive, x, tn__like(x, 1))), zero_of(x));
}
/* dz y x^(y-1), dz z log x */
BINARY_RULE(pow, tn_multiply(tn_multiply(dz, y), tn_pow(x, tn_subtract(y, tn__like(y, 1)))),
            tn_multiply(tn_multiply(dz, z), safe_log(x)))

/* dz / (x² + y²) */
static tn_tensor *by_square_of_radius(tn_tensor *x, tn_tensor *y, tn_tensor *dz)
{
    return tn_divide(dz, tn_add(tn_square(x), tn_square(y)));
}
/* atan2(x, y), as the rule's names are:  dz y / (x² + y²), -dz x / (x² + y²) */
BINARY_RULE(atan2, tn_multiply(y, by_square_of_radius(x, y, dz)),
            tn_multiply(tn_negative(x), by_square_of_radius(x, y, dz)))

/* 1 where x is not 0: with it xlogy and its kin give their slope in x, 0 where x is 0 */
static tn_tensor *not_zero(tn_tensor *x)
{
    return tn_cast(tn_not_equal(x, zero_of(x)), (tn_dtype)x->dtype);
}
static tn_tensor *plus_one(tn_tensor *x)
{
    return tn_add(x, tn__like(x, 1));
}
BINARY_RULE(xlogy, tn_multiply(tn_xlogy(not_zero(x), y), dz),
            tn_multiply(tn_xdivy(x, y), dz)) /* dz log y, dz x / y */
BINARY_RULE(xlog1py, tn_multiply(tn_xlog1py(not_zero(x), y), dz),
            tn_multiply(tn_xdivy(x, plus_one(y)), dz)) /* dz log(1 + y), dz x / (1 + y) */
BINARY_RULE(xdivy, tn_multiply(tn_xdivy(not_zero(x), y), dz),
            tn_multiply(tn_xdivy(tn_negative(x), tn_square(y)), dz)) /* dz / y, -dz x / y² */

/* --- sums, products, powers ------------------------------------------------------------------- */
BINARY(AddV2, ARITHMETIC, x + y, .label = "Add", .gradient = add_gradient, .flags = TN__COMMUTES, .function = TN__DO_ADD)
BINARY(Add, ARITHMETIC, x + y, .gradient = add_gradient, .flags = TN__COMMUTES, .function = TN__DO_ADD)
BINARY(Sub, ARITHMETIC, x - y, .gradient = sub_gradient, .function = TN__DO_SUBTRACT)
BINARY(Mul, ARITHMETIC, (x * y), .gradient = mul_gradient, .flags = TN__COMMUTES, .function = TN__DO_MULTIPLY)
BINARY(MulNoNan, FLOATS, y == 0 ? 0 : x * y, .gradient = mul_no_nan_gradient)
ARITHMETIC(BINARY_LOOP, SquaredDifference, (x - y) * (x - y))
BINARY_OP(SquaredDifference, "x: T, y: T", "z: T", "T: floating, int32, int64",
          ARITHMETIC_ROWS(SquaredDifference), tn__infer_broadcast, tn__binary_compute,
          .gradient = squared_difference_gradient, .flags = TN__COMMUTES, .function = TN__DO_SQUARED_DIFFERENCE)
BINARY(Maximum, NUMBERS, x > y || x != x ? x : y, .gradient = maximum_gradient,
       .flags = TN__COMMUTES, .function = TN__DO_MAXIMUM)
BINARY(Minimum, NUMBERS, x < y || x != x ? x : y, .gradient = minimum_gradient,
       .flags = TN__COMMUTES, .function = TN__DO_MINIMUM)

/* By squaring; what does not fit wraps around, as in a chain of products. */
static uint64_t whole_power(uint64_t x, uint64_t exponent)
{
    uint64_t power = 1;
    for (; exponent; exponent >>= 1, x *= x)
        if (exponent & 1)
            power *= x;
    return power;
}

/* The square of float32, which x x gives as exactly as pow(); false: it is none. */
static bool is_square(const tn__kernel *kernel, tn__chain *chain)
{
    const tn_tensor *x = kernel->input[0], *y = kernel->input[1], *z = kernel->output[0];
    float power = x->dtype == TN_FLOAT32 && tn__count(y) == 1 ? *(const float *)y->data : 0;
    if (power != 2 || tn__count(z) != tn__count(x) || tn__count(z) == 0 || x->data == z->data)
        return false;
    *chain = (tn__chain){ .inputs = 1, .steps = 1, .places = 1, .in = { { x->data, 1, 0 } }, .step = { { TN__DO_SQUARE, 0, 0, 0, z->data } } };
    return true;
}

static tn_status pow_compute(tn__kernel *kernel)
{
    tn__chain chain;
    if (is_square(kernel, &chain))
        return tn__chain_run(kernel->context, &chain, tn__count(kernel->output[0]));
    const tn_tensor *y = kernel->input[1];
    bool whole = tn__in(TN__INTS, (tn_dtype)y->dtype) && tn__count(kernel->output[0]) > 0;
    for (int64_t i = 0; whole && i < tn__count(y); i++)
        if (tn__int_at(y, i) < 0)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Integers to negative integer powers are not allowed\nPow: y %s has "
                            "%lld in element %lld",
                            TN__TENSOR(y), (long long)tn__int_at(y, i), (long long)i);
    return tn__binary_compute(kernel);
}

/* A subnormal exponent is 0 too, which only a comparison sees: pow() takes it by its bits. */
FLOATS(BINARY_LOOP, Pow, y == 0 ? 1 : pow(x, y))
INTS(BINARY_LOOP, Pow, whole_power((uint64_t)x, (uint64_t)y))
BINARY_OP(Pow, "x: T, y: T", "z: T", "T: floating, int8, int16, int32, int64",
          FLOATS_ROWS(Pow) INTS_ROWS(Pow), tn__infer_broadcast, pow_compute,
          .gradient = pow_gradient)

/* --- quotients and remainders ----------------------------------------------------------------- */
/* A whole y is never 0 here. Dividing by -1 may overflow, which the processor answers with a
 * signal: it is a negation instead, which wraps around. */
static int64_t quotient(int64_t x, int64_t y)
{
    return y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y;
}

static int64_t remainder_of(int64_t x, int64_t y)
{
    return y == -1 ? 0 : x % y;
}

static int64_t floored_quotient(int64_t x, int64_t y)
{
    return quotient(x, y) - (remainder_of(x, y) != 0 && (x < 0) != (y < 0));
}

static int64_t floored_remainder(int64_t x, int64_t y)
{
    int64_t rest = remainder_of(x, y);
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

/* The remainder with the sign of y; fmod is exact, so double serves float too. */
static double floored_fmod(double x, double y)
{
    double rest = fmod(x, y);
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

#define QUOTIENT(op_name, types_, in_floats, in_ints, ...)                                       \
    FLOATS(BINARY_LOOP, op_name, in_floats)                                                      \
    INTS(BINARY_LOOP, op_name, in_ints)                                                          \
    BINARY_OP(op_name, "x: T, y: T", "z: T", types_, NUMBERS_ROWS(op_name), tn__infer_broadcast, \
              tn__divide_compute, __VA_ARGS__)

BINARY(RealDiv, FLOATS, x / y, .label = "truediv", .gradient = div_gradient, .function = TN__DO_DIVIDE)
BINARY(DivNoNan, FLOATS, y == 0 ? 0 : x / y, .label = "div_no_nan", .gradient = div_no_nan_gradient)
QUOTIENT(Div, NUMBERS_TYPES, x / y, quotient(x, y), .gradient = div_gradient)
QUOTIENT(FloorDiv, NUMBERS_TYPES, floor(x / y), floored_quotient(x, y),
         .label = "floordiv", .no_gradient = "none: flat between its steps")
QUOTIENT(TruncateDiv, NUMBERS_TYPES, trunc(x / y), quotient(x, y),
         .no_gradient = "none: flat between its steps")
QUOTIENT(FloorMod, NUMBERS_TYPES, floored_fmod(x, y), floored_remainder(x, y),
         .gradient = floormod_gradient)
QUOTIENT(TruncateMod, "T: floating, int32, int64", fmod(x, y), remainder_of(x, y),
         .gradient = truncatemod_gradient)
QUOTIENT(Mod, "T: floating, int32, int64", fmod(x, y), remainder_of(x, y),
         .gradient = truncatemod_gradient)

/* --- others of floats ------------------------------------------------------------------------- */
FLOATS(BINARY_LOOP, Atan2, atan2(x, y))
BINARY_OP(Atan2, "y: T, x: T", "z: T", FLOATS_TYPES, FLOATS_ROWS(Atan2), tn__infer_broadcast,
          tn__binary_compute, .gradient = atan2_gradient)
BINARY(Xlogy, FLOATS, x == 0 ? 0 : x * log(y), .gradient = xlogy_gradient)
BINARY(Xlog1py, FLOATS, x == 0 ? 0 : x * log1p(y), .gradient = xlog1py_gradient)
BINARY(Xdivy, FLOATS, x == 0 ? 0 : x / y, .gradient = xdivy_gradient)

/* dx = dz; by the direction there is none */
static void next_after_gradient(tn__gradient *g)
{
    g->din[0] = tn__sum_to(g->dout[0], g->in[0], g->in[1]);
}
FLOATS(BINARY_LOOP, NextAfter, nextafter(x, y))
BINARY_OP(NextAfter, "x1: T, x2: T", "output: T", "T: double, float", FLOATS_ROWS(NextAfter),
          tn__infer_broadcast, tn__binary_compute, .gradient = next_after_gradient)

/* --- bits ------------------------------------------------------------------------------------- */
/* As many places as there are bits but one at most; a negative number is none. */
#define PLACES(x, y) \
    ((y) < 0 ? 0 : (uint64_t)(y) >= sizeof(x) * 8 ? (int)sizeof(x) * 8 - 1 : (int)(y))
#define BITS .no_gradient = "not differentiable: integers"
BINARY(BitwiseAnd, INTS, (x & y), BITS, .flags = TN__COMMUTES)
BINARY(BitwiseOr, INTS, x | y, BITS, .flags = TN__COMMUTES)
BINARY(BitwiseXor, INTS, x ^ y, BITS, .flags = TN__COMMUTES)
BINARY(LeftShift, ALL_INTS, (uint64_t)x << PLACES(x, y), BITS, .flags = TN__HALF)
BINARY(RightShift, ALL_INTS, x >> PLACES(x, y), BITS, .flags = TN__HALF)

/* --- AddN ------------------------------------------------------------------------------------- */
static tn_status add_n_infer(tn__infer *infer)
{
    tn_shape *out = &infer->output[0].shape;
    if (infer->input_count == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "Inputs must be an iterable of at least one "
                                             "Tensor/IndexedSlices with the same dtype and shape.");
    for (size_t i = 0; i < infer->input_count; i++) {
        tn_shape so_far = *out;
        const tn_shape *first = &infer->input[0]->shape, *shape = &infer->input[i]->shape;
        if (!tn__shape_merge(&so_far, shape, out))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Inputs to operation AddN of type AddN must have the same size and "
                            "shape.  Input 0: %s != input %zu: %s",
                            TN__BRACKETS(*first), i, TN__BRACKETS(*shape));
    }
    return TN_OK;
}

/* sum += x, both of one dtype, from left to right */
static tn_status accumulate(const tn__kernel *kernel, tn_tensor *x, tn_tensor *sum)
{
    tn_tensor *same;
    TN_TRY(tn__cast_value(x, (tn_dtype)sum->dtype, &same));
    tn__binary_loop add = ((const tn__binary_family *)kernel->op->family)->loop[sum->dtype];
    if (add)
        add(sum->data, 1, same->data, 1, sum->data, tn__count(sum));
    tn__release(same);
    return add ? TN_OK
               : tn__fail(TN_UNIMPLEMENTED, "AddN has no kernel for %s",
                          tn__dtype_name((tn_dtype)x->dtype));
}

/* Half precision is summed in float32 and rounded once, small integers in int64. */
static tn_status add_n_compute(tn__kernel *kernel)
{
    tn_tensor *first = kernel->input[0], *sum;
    bool known = ((const tn__binary_family *)kernel->op->family)->loop[first->dtype];
    tn_dtype wide = tn__in(TN__FLOATS, (tn_dtype)first->dtype) ? TN_FLOAT32 : TN_INT64;
    TN_TRY(tn__tensor_new(known ? (tn_dtype)first->dtype : wide, &first->shape, &sum));
    memset(sum->data, 0, tn__byte_count(sum));
    tn_status status = TN_OK;
    for (size_t i = 0; i < kernel->input_count && status == TN_OK; i++)
        status = accumulate(kernel, kernel->input[i], sum);
    if (status == TN_OK)
        status = tn__cast_value(sum, (tn_dtype)first->dtype, &kernel->output[0]);
    tn__release(sum);
    return status;
}

static void add_n_gradient(tn__gradient *g)
{
    for (size_t i = 0; i < g->in_count; i++)
        g->din[i] = g->dout[0];
}

const tn__op tn__op_AddN = {
    .name = "AddN",
    .inputs = "inputs: N * T",
    .outputs = "sum: T",
    .types = NUMBERS_TYPES,
    .infer = add_n_infer,
    .compute = add_n_compute,
    .gradient = add_n_gradient,
    .family = &AddV2_family,
    .flags = TN__HALF | TN__MAKES_OUTPUTS,
};

tn_tensor *tn_add_n(tn_list inputs)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!inputs.item && inputs.count) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_add_n: the list of inputs is NULL");
        return NULL;
    }
    return tn__apply(&tn__op_AddN, NULL, inputs.item, inputs.count);
}

/* --- public ----------------------------------------------------------------------------------- */
BINARY_WRAPPER(tn_add, AddV2)
BINARY_WRAPPER(tn_subtract, Sub)
BINARY_WRAPPER(tn_multiply, Mul)
BINARY_WRAPPER(tn_multiply_no_nan, MulNoNan)
BINARY_WRAPPER(tn_squared_difference, SquaredDifference)
BINARY_WRAPPER(tn_maximum, Maximum)
BINARY_WRAPPER(tn_minimum, Minimum)
BINARY_WRAPPER(tn_pow, Pow)
BINARY_WRAPPER(tn_floordiv, FloorDiv)
BINARY_WRAPPER(tn_truncatediv, TruncateDiv)
BINARY_WRAPPER(tn_floormod, FloorMod)
BINARY_WRAPPER(tn_truncatemod, TruncateMod)
BINARY_WRAPPER(tn_atan2, Atan2)
BINARY_WRAPPER(tn_xlogy, Xlogy)
BINARY_WRAPPER(tn_xlog1py, Xlog1py)
BINARY_WRAPPER(tn_xdivy, Xdivy)
BINARY_WRAPPER(tn_nextafter, NextAfter)
BINARY_WRAPPER(tn_bitwise_and, BitwiseAnd)
BINARY_WRAPPER(tn_bitwise_or, BitwiseOr)
BINARY_WRAPPER(tn_bitwise_xor, BitwiseXor)
BINARY_WRAPPER(tn_left_shift, LeftShift)
BINARY_WRAPPER(tn_right_shift, RightShift)

/* What Python's true division computes in: whole numbers become floats wide enough for them. */
static tn_dtype quotient_dtype(tn_dtype dtype)
{
    if (!tn__in(TN__INTS, dtype))
        return dtype;
    return tn__dtype_size(dtype) < 4 ? TN_FLOAT32 : TN_FLOAT64;
}

/* A number takes the dtype of the tensor beside it where its value allows that, as in every op. */
static bool takes_dtype_of(const tn_tensor *x, const tn_tensor *other)
{
    bool whole = x->weak && tn__in(TN__INTS, (tn_dtype)x->dtype);
    return x->weak && !other->weak && (whole || tn__in(TN__FLOATS, (tn_dtype)other->dtype));
}

static bool same_dtype(const char *function, const tn_tensor *x, const tn_tensor *y)
{
    if (x->dtype == y->dtype || takes_dtype_of(x, y) || takes_dtype_of(y, x))
        return true;
    tn__fail(TN_INVALID_ARGUMENT,
             "`x` and `y` must have the same dtype, got tf.%s != tf.%s.\n%s: x is %s, y is %s; "
             "tn_cast(x, dtype) converts",
             tn__dtype_name((tn_dtype)x->dtype), tn__dtype_name((tn_dtype)y->dtype), function,
             TN__TENSOR(x), TN__TENSOR(y));
    return false;
}

static tn_tensor *true_division(const tn__op *op, const char *function, tn_tensor *x, tn_tensor *y)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(x, "x") || !tn__check_tensor(y, "y") || !same_dtype(function, x, y))
        return NULL;
    tn_dtype dtype = (tn_dtype)(takes_dtype_of(x, y) ? y : x)->dtype;
    tn_dtype wide = quotient_dtype(dtype);
    if (wide == dtype)
        return TN__APPLY(*op, NULL, x, y);
    return TN__APPLY(*op, NULL, tn_cast(x, wide), tn_cast(y, wide));
}

tn_tensor *tn_divide(tn_tensor *x, tn_tensor *y)
{
    return true_division(&tn__op_RealDiv, "tn_divide", x, y);
}

tn_tensor *tn_divide_no_nan(tn_tensor *x, tn_tensor *y)
{
    return true_division(&tn__op_DivNoNan, "tn_divide_no_nan", x, y);
}

tn_tensor *tn_reciprocal_no_nan(tn_tensor *x)
{
    return tn_divide_no_nan(tn__like(x, 1), x);
}
