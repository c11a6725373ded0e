/* unary.c - functions of one element. */
#include "ops/elementwise.h"
#include <string.h>

/* --- gradients: dx, from x, y = f(x) and dy --------------------------------------------------- */
UNARY_RULE(neg, tn_negative(dy))                                             /* -dy */
UNARY_RULE(abs, tn_multiply(dy, tn_sign(x)))                                 /* dy sign x */
UNARY_RULE(sign, tn_zeros_like(x))                                           /* 0 */
UNARY_RULE(square, tn_multiply(dy, tn_multiply(x, tn__like(x, 2))))          /* dy 2 x */
UNARY_RULE(sqrt, TN__APPLY(tn__op_SqrtGrad, NULL, y, dy))                    /* dy / (2 y) */
UNARY_RULE(rsqrt, TN__APPLY(tn__op_RsqrtGrad, NULL, y, dy))                  /* -dy y³ / 2 */
UNARY_RULE(reciprocal, TN__APPLY(tn__op_ReciprocalGrad, NULL, y, dy))        /* -dy y² */
UNARY_RULE(exp, tn_multiply(dy, y))                                          /* dy y */
UNARY_RULE(expm1, tn_multiply(dy, tn_exp(x)))                                /* dy eˣ */
UNARY_RULE(log, tn_multiply(dy, tn_reciprocal(x)))                           /* dy / x */
UNARY_RULE(log1p, tn_multiply(dy, tn_reciprocal(tn_add(tn__like(x, 1), x)))) /* dy / (1 + x) */
UNARY_RULE(sin, tn_multiply(dy, tn_cos(x)))                                  /* dy cos x */
UNARY_RULE(cos, tn_multiply(tn_negative(dy), tn_sin(x)))                     /* -dy sin x */
UNARY_RULE(tan, tn_multiply(dy, tn_square(tn_reciprocal(tn_cos(x)))))        /* dy / cos² x */
UNARY_RULE(sinh, tn_multiply(dy, tn_cosh(x)))                                /* dy cosh x */
UNARY_RULE(cosh, tn_multiply(dy, tn_sinh(x)))                                /* dy sinh x */
UNARY_RULE(asinh, tn_divide(dy, tn_cosh(y)))                                 /* dy / cosh y */
UNARY_RULE(acosh, tn_divide(dy, tn_sinh(y)))                                 /* dy / sinh y */
UNARY_RULE(atan,
           tn_multiply(dy, tn_reciprocal(tn_add(tn__like(x, 1), tn_square(x))))) /* dy / (1 + x²) */
UNARY_RULE(atanh, tn_multiply(dy, tn_reciprocal(tn__one_minus(tn_square(x))))) /* dy / (1 - x²) */

/* 1 / √(1 - x²) */
static tn_tensor *arc_slope(tn_tensor *x)
{
    return tn_reciprocal(tn_sqrt(tn__one_minus(tn_square(x))));
}
UNARY_RULE(asin, tn_multiply(dy, arc_slope(x)))
UNARY_RULE(acos, tn_multiply(tn_negative(dy), arc_slope(x)))

/* --- signs and powers ------------------------------------------------------------------------- */
#define SIGNED_TYPES "T: floating, int8, int16, int32, int64"
#define SIGNED_ROWS(name) FLOATS_ROWS(name) INTS_ROWS(name)

FLOATS(UNARY_LOOP, Neg, -x)
WRAPPING(UNARY_LOOP, Neg, 0 - x)
UNARY_OP(Neg, "x: T", "y: T", SIGNED_TYPES, SIGNED_ROWS(Neg), .gradient = neg_gradient, .function = TN__DO_NEGATIVE)
/* The most negative integer has no positive twin: it stays, as it does in unsigned arithmetic. */
FLOATS(UNARY_LOOP, Abs, fabs(x))
INTS(UNARY_LOOP, Abs, x < 0 ? 0 - (uint64_t)x : (uint64_t)x)
UNARY_OP(Abs, "x: T", "y: T", SIGNED_TYPES, SIGNED_ROWS(Abs), .gradient = abs_gradient, .function = TN__DO_ABS)
FLOATS(UNARY_LOOP, Sign, isnan(x) ? x : (x > 0) - (x < 0))
INTS(UNARY_LOOP, Sign, (x > 0) - (x < 0))
UNARY_OP(Sign, "x: T", "y: T", SIGNED_TYPES, SIGNED_ROWS(Sign), .gradient = sign_gradient, .function = TN__DO_SIGN)
UNARY(Square, ARITHMETIC, (x * x), .gradient = square_gradient, .function = TN__DO_SQUARE)
UNARY(Sqrt, FLOATS, sqrt(x), .gradient = sqrt_gradient, .function = TN__DO_SQRT)
UNARY(Rsqrt, FLOATS, 1 / sqrt(x), .gradient = rsqrt_gradient, .function = TN__DO_RSQRT)
UNARY(Reciprocal, FLOATS, 1 / x, .gradient = reciprocal_gradient, .function = TN__DO_RECIPROCAL)
UNARY(Inv, FLOATS, 1 / x, .gradient = reciprocal_gradient)

/* --- exponentials and angles ------------------------------------------------------------------ */
UNARY(Exp, FLOATS, exp(x), .gradient = exp_gradient, .function = TN__DO_EXP)
UNARY(Expm1, FLOATS, expm1(x), .gradient = expm1_gradient, .function = TN__DO_EXPM1)
UNARY(Log, FLOATS, log(x), .gradient = log_gradient, .function = TN__DO_LOG)
UNARY(Log1p, FLOATS, log1p(x), .gradient = log1p_gradient, .function = TN__DO_LOG1P)
UNARY(Sin, FLOATS, sin(x), .gradient = sin_gradient)
UNARY(Cos, FLOATS, cos(x), .gradient = cos_gradient)
UNARY(Tan, FLOATS, tan(x), .gradient = tan_gradient)
UNARY(Asin, FLOATS, asin(x), .gradient = asin_gradient)
UNARY(Acos, FLOATS, acos(x), .gradient = acos_gradient)
UNARY(Atan, FLOATS, atan(x), .gradient = atan_gradient)
UNARY(Sinh, FLOATS, sinh(x), .gradient = sinh_gradient)
UNARY(Cosh, FLOATS, cosh(x), .gradient = cosh_gradient)
UNARY(Asinh, FLOATS, asinh(x), .gradient = asinh_gradient)
UNARY(Acosh, FLOATS, acosh(x), .gradient = acosh_gradient)
UNARY(Atanh, FLOATS, atanh(x), .gradient = atanh_gradient)

/* --- rounding --------------------------------------------------------------------------------- */
#define STEPS .no_gradient = "none: flat between its steps"
UNARY(Floor, FLOATS, floor(x), STEPS)
UNARY(Ceil, FLOATS, ceil(x), STEPS)
UNARY(Rint, FLOATS, rint(x), STEPS) /* half to even: the processor's usual mode */
FLOATS(UNARY_LOOP, Round, rint(x))
INTS(UNARY_LOOP, Round, x)
UNARY_OP(Round, "x: T", "y: T", SIGNED_TYPES, SIGNED_ROWS(Round), STEPS)

/* --- tests and constants ---------------------------------------------------------------------- */
#define TEST(op_name, expression)                                            \
    FLOAT_TESTS(UNARY_LOOP, op_name, expression)                             \
    UNARY_OP(op_name, "x: T", "y: bool", FLOATS_TYPES, FLOATS_ROWS(op_name), \
             .no_gradient = "not differentiable: gives booleans")
TEST(IsNan, isnan(x) != 0)
TEST(IsInf, isinf(x) != 0)
TEST(IsFinite, isfinite(x) != 0)
UNARY_LOOP(LogicalNot, u8, uint8_t, uint8_t, !x)
UNARY_OP(LogicalNot, "x: bool", "y: bool", NULL, BOOL_ROWS(LogicalNot),
         .no_gradient = "not differentiable: booleans")

static tn_status filled(tn__kernel *kernel, int number)
{
    tn_tensor *out = kernel->output[0];
    size_t size = tn__dtype_size((tn_dtype)out->dtype);
    int64_t element;
    tn__element_from_int((tn_dtype)out->dtype, number, &element);
    for (int64_t i = 0; i < tn__count(out); i++)
        memcpy((char *)out->data + (size_t)i * size, &element, size);
    return TN_OK;
}

static tn_status ones_compute(tn__kernel *kernel)
{
    return filled(kernel, 1);
}

static tn_status zeros_compute(tn__kernel *kernel)
{
    return filled(kernel, 0);
}

/* They never see the elements, which may be gone by then. */
#define FILLED(op_name, label_, compute_)   \
    const tn__op tn__op_##op_name = {       \
        .name = #op_name,                   \
        .label = label_,                    \
        .inputs = "x: T",                   \
        .outputs = "y: T",                  \
        .types = "T: any",                  \
        .infer = tn__infer_same,            \
        .compute = compute_,                \
        .no_gradient = "none: a constant",  \
        .flags = TN__SHAPE_ONLY | TN__HALF, \
    };
FILLED(OnesLike, "ones_like", ones_compute)
FILLED(ZerosLike, "zeros_like", zeros_compute)

/* --- bits ------------------------------------------------------------------------------------- */
#define BITS .no_gradient = "not differentiable: integers"
UNARY(Invert, INTS, ~x, BITS)
/* Of the bits, so that a negative number has no more than its own. */
#define COUNT_BITS(name, suffix, T, U, e) \
    UNARY_LOOP(name, suffix, T, uint8_t,  \
               __builtin_popcountll((uint64_t)x &UINT64_MAX >> (64 - 8 * sizeof x)))
ALL_INTS(COUNT_BITS, PopulationCount, )
UNARY_OP(PopulationCount, "x: T", "y: uint8", INTS_TYPES, ALL_INTS_ROWS(PopulationCount), BITS,
         .flags = TN__HALF)

/* --- the gradients that are ops of their own: z = f(y, dy) ------------------------------------ */
/* Where dy is 0 so is z, even if y is not finite: a pole that does not matter to the result stays
 * without effect. */
#define POLE_GRADIENT(op_name, expression, rule)                                  \
    FLOATS(BINARY_LOOP, op_name, y == 0 ? 0 : (expression))                       \
    BINARY_OP(op_name, "y: T, dy: T", "z: T", FLOATS_TYPES, FLOATS_ROWS(op_name), \
              tn__infer_counted_pair, tn__binary_compute, .gradient = rule)

/* Of z = dy / (2 y):  by y -z dz / y, by dy dz / (2 y) */
static void sqrt_grad_gradient(tn__gradient *g)
{
    tn_tensor *ratio = tn_divide(g->dout[0], g->in[0]);
    g->din[0] = tn_multiply(tn_negative(ratio), g->out[0]);
    g->din[1] = tn_multiply(tn__like(ratio, 0.5), ratio);
}

/* Of z = -dy y³ / 2:  by y -3/2 dz dy y², by dy the same op */
static void rsqrt_grad_gradient(tn__gradient *g)
{
    tn_tensor *y = g->in[0], *dy = g->in[1], *dz = g->dout[0];
    g->din[0] = tn_multiply(tn_multiply(tn_multiply(tn__like(dz, -1.5), dz), dy), tn_square(y));
    g->din[1] = TN__APPLY(tn__op_RsqrtGrad, NULL, y, dz);
}

/* Of z = -dy y²:  by y -2 dz dy y, by dy the same op */
static void reciprocal_grad_gradient(tn__gradient *g)
{
    tn_tensor *y = g->in[0], *dy = g->in[1], *dz = g->dout[0];
    g->din[0] = tn_multiply(tn_multiply(tn_multiply(dz, tn__like(dz, -2)), dy), y);
    g->din[1] = TN__APPLY(tn__op_ReciprocalGrad, NULL, y, dz);
}

/* Here the loop's x is y, its y is dy. */
POLE_GRADIENT(SqrtGrad, AS_X(0.5) * y / x, sqrt_grad_gradient)
POLE_GRADIENT(RsqrtGrad, AS_X(-0.5) * y * x * x * x, rsqrt_grad_gradient)
POLE_GRADIENT(ReciprocalGrad, (-y * x * x), reciprocal_grad_gradient)
POLE_GRADIENT(InvGrad, (-y * x * x), reciprocal_grad_gradient)

UNARY_WRAPPER(tn_negative, Neg)
UNARY_WRAPPER(tn_abs, Abs)
UNARY_WRAPPER(tn_sign, Sign)
UNARY_WRAPPER(tn_square, Square)
UNARY_WRAPPER(tn_sqrt, Sqrt)
UNARY_WRAPPER(tn_rsqrt, Rsqrt)
UNARY_WRAPPER(tn_reciprocal, Reciprocal)
UNARY_WRAPPER(tn_exp, Exp)
UNARY_WRAPPER(tn_expm1, Expm1)
UNARY_WRAPPER(tn_log, Log)
UNARY_WRAPPER(tn_log1p, Log1p)
UNARY_WRAPPER(tn_sin, Sin)
UNARY_WRAPPER(tn_cos, Cos)
UNARY_WRAPPER(tn_tan, Tan)
UNARY_WRAPPER(tn_asin, Asin)
UNARY_WRAPPER(tn_acos, Acos)
UNARY_WRAPPER(tn_atan, Atan)
UNARY_WRAPPER(tn_sinh, Sinh)
UNARY_WRAPPER(tn_cosh, Cosh)
UNARY_WRAPPER(tn_asinh, Asinh)
UNARY_WRAPPER(tn_acosh, Acosh)
UNARY_WRAPPER(tn_atanh, Atanh)
UNARY_WRAPPER(tn_floor, Floor)
UNARY_WRAPPER(tn_ceil, Ceil)
UNARY_WRAPPER(tn_round, Round)
UNARY_WRAPPER(tn_rint, Rint)
UNARY_WRAPPER(tn_is_nan, IsNan)
UNARY_WRAPPER(tn_is_inf, IsInf)
UNARY_WRAPPER(tn_is_finite, IsFinite)
UNARY_WRAPPER(tn_logical_not, LogicalNot)
UNARY_WRAPPER(tn_ones_like, OnesLike)
UNARY_WRAPPER(tn_zeros_like, ZerosLike)
UNARY_WRAPPER(tn_invert, Invert)
