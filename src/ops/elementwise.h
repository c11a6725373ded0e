/* elementwise.h - element-wise ops as rows of a table. A row's expression is compiled once for each
 * type:
 *
 *     UNARY(Exp, FLOATS, exp(x), .gradient = exp_gradient)
 *
 * exp is <tgmath.h>'s, so float stays float. Where integers want an expression of their own, the
 * loops are made first:
 *
 *     FLOATS(UNARY_LOOP, Neg, -x) WRAPPING(UNARY_LOOP, Neg, 0 - x)
 *     UNARY_OP(Neg, "x: T", "y: T", "T: floating, int32, int64", FLOATS_ROWS(Neg) INTS_ROWS(Neg),
 * .gradient = neg_gradient)
 *
 * The loops are plain; where float32 has a function of kernels/, .function names it. */
#ifndef TN_OPS_ELEMENTWISE_H
#define TN_OPS_ELEMENTWISE_H
#include "ops/ops.h"
#include <tgmath.h>

/* One expression serves signed and unsigned types: x < 0 is always false in some. */
#pragma GCC diagnostic ignored "-Wtype-limits"

/* n elements of x to y. */
typedef void (*tn__unary_loop)(const void *x, void *y, int64_t n);
/* n elements; a step of 0 stays on the one element, else it is 1. */
typedef void (*tn__binary_loop)(const void *x, int step_x, const void *y, int step_y, void *z,
                                int64_t n);
typedef struct {
    tn__unary_loop loop[TN__DTYPES]; /* by input dtype */
} tn__unary_family;
typedef struct {
    tn__binary_loop loop[TN__DTYPES];
} tn__binary_family;
tn_status tn__unary_compute(tn__kernel *kernel);
tn_status tn__binary_compute(tn__kernel *kernel); /* broadcasts */
/* Input 1 without a zero where the dtype is whole, then tn__binary_compute: "Integer division by
 * zero". */
tn_status tn__divide_compute(tn__kernel *kernel);

/* x in another dtype, as Cast gives it; x itself when it has that dtype. The caller owns the count.
 */
tn_status tn__cast_value(tn_tensor *x, tn_dtype dtype, tn_tensor **result);

/* ψ, the slope of log Γ; NaN at 0, -1, -2 … */
double tn__digamma(double x);

/* --- inference -------------------------------------------------------------------------------- */
/* Two inputs of one and the same shape, with the messages of TensorFlow's kernels for activations'
 * gradients, and of those that only compare the number of elements. */
tn_status tn__infer_pair(tn__infer *infer);
tn_status tn__infer_counted_pair(tn__infer *infer);

/* --- broadcasting ----------------------------------------------------------------------------- */
/* The output's rows, one after the other, with the places of up to three inputs that belong to
 * them. Neighbouring dimensions along which all inputs go on alike are one. */
typedef struct {
    int inputs, rank;
    int64_t dim[TN_MAX_RANK], at[TN_MAX_RANK];
    int64_t step[3][TN_MAX_RANK]; /* in bytes; 0: stands still */
    const char *in[3];
    char *out;
    int64_t row;     /* elements in a row */
    int row_step[3]; /* within it: 0 or 1 element */
    size_t row_bytes;
} tn__walk;
/* The first row of output 0 over the kernel's first `inputs` inputs; false: there is none. */
bool tn__walk_begin(tn__walk *walk, const tn__kernel *kernel, int inputs);
bool tn__walk_next(tn__walk *walk);

/* --- loops ------------------------------------------------------------------------------------ */
#define UNARY_LOOP(name, suffix, T, U, expression)                                      \
    static void name##_##suffix(const void *restrict in, void *restrict out, int64_t n) \
    {                                                                                   \
        const T *a = in;                                                                \
        U *b = out;                                                                     \
        for (int64_t i = 0; i < n; i++) {                                               \
            const T x = a[i];                                                           \
            b[i] = (U)(expression);                                                     \
        }                                                                               \
    }
#define BINARY_LOOP(name, suffix, T, U, expression)                                          \
    static void name##_##suffix(const void *in1, int s1, const void *in2, int s2, void *out, \
                                int64_t n)                                                   \
    {                                                                                        \
        const T *a = in1, *b = in2;                                                          \
        U *c = out;                                                                          \
        if (s1 && s2)                                                                        \
            for (int64_t i = 0; i < n; i++) {                                                \
                const T x = a[i], y = b[i];                                                  \
                c[i] = (U)(expression);                                                      \
            }                                                                                \
        else if (s1)                                                                         \
            for (int64_t i = 0; i < n; i++) {                                                \
                const T x = a[i], y = b[0];                                                  \
                c[i] = (U)(expression);                                                      \
            }                                                                                \
        else                                                                                 \
            for (int64_t i = 0; i < n; i++) {                                                \
                const T x = a[0], y = b[i * s2];                                             \
                c[i] = (U)(expression);                                                      \
            }                                                                                \
    }
/* A number of the type of x, so that a float expression stays one. */
#define AS_X(number) ((__typeof__(x))(number))

/* Lists of types: X(LOOP, name, e) makes the loops, X_ROWS(name) puts them in a family's table,
 * X_TYPES is T's. */
#define FLOATS(LOOP, name, e) LOOP(name, f32, float, float, e) LOOP(name, f64, double, double, e)
#define FLOATS_ROWS(name) [TN_FLOAT32] = name##_f32, [TN_FLOAT64] = name##_f64,
#define FLOATS_TYPES "T: floating"
#define INTS(LOOP, name, e)              \
    LOOP(name, i32, int32_t, int32_t, e) \
    LOOP(name, i64, int64_t, int64_t, e) LOOP(name, u8, uint8_t, uint8_t, e)
#define INTS_ROWS(name) [TN_INT32] = name##_i32, [TN_INT64] = name##_i64, [TN_UINT8] = name##_u8,
#define INTS_TYPES "T: integer"
/* Where the width matters: bits. Such an op takes them itself, TN__HALF. */
#define ALL_INTS(LOOP, name, e)            \
    INTS(LOOP, name, e)                    \
    LOOP(name, i8, int8_t, int8_t, e)      \
    LOOP(name, i16, int16_t, int16_t, e)   \
    LOOP(name, u16, uint16_t, uint16_t, e) \
    LOOP(name, u32, uint32_t, uint32_t, e) LOOP(name, u64, uint64_t, uint64_t, e)
#define ALL_INTS_ROWS(name)                                                   \
    INTS_ROWS(name)                                                           \
    [TN_INT8] = name##_i8, [TN_INT16] = name##_i16, [TN_UINT16] = name##_u16, \
    [TN_UINT32] = name##_u32, [TN_UINT64] = name##_u64,
#define ALL_INTS_TYPES INTS_TYPES
/* Integers whose sums and products wrap around, as unsigned ones do; rows as INTS. */
#define WRAPPING(LOOP, name, e)            \
    LOOP(name, i32, uint32_t, uint32_t, e) \
    LOOP(name, i64, uint64_t, uint64_t, e) LOOP(name, u8, uint8_t, uint8_t, e)
#define NUMBERS(LOOP, name, e) FLOATS(LOOP, name, e) INTS(LOOP, name, e)
#define NUMBERS_ROWS(name) FLOATS_ROWS(name) INTS_ROWS(name)
#define NUMBERS_TYPES "T: number"
#define ARITHMETIC(LOOP, name, e) FLOATS(LOOP, name, e) WRAPPING(LOOP, name, e)
#define ARITHMETIC_ROWS(name) NUMBERS_ROWS(name)
#define ARITHMETIC_TYPES NUMBERS_TYPES
/* Results are bool. */
#define FLOAT_TESTS(LOOP, name, e) \
    LOOP(name, f32, float, uint8_t, e) LOOP(name, f64, double, uint8_t, e)
#define TESTS(LOOP, name, e)             \
    FLOAT_TESTS(LOOP, name, e)           \
    LOOP(name, i32, int32_t, uint8_t, e) \
    LOOP(name, i64, int64_t, uint8_t, e) LOOP(name, u8, uint8_t, uint8_t, e)
#define BOOL_ROWS(name) [TN_BOOL] = name##_u8,

/* --- ops -------------------------------------------------------------------------------------- */
#define UNARY_OP(op_name, in_, out_, types_, rows_, ...)            \
    static const tn__unary_family op_name##_family = { { rows_ } }; \
    const tn__op tn__op_##op_name = { .name = #op_name,             \
                                      .inputs = in_,                \
                                      .outputs = out_,              \
                                      .types = types_,              \
                                      .infer = tn__infer_same,      \
                                      .compute = tn__unary_compute, \
                                      .family = &op_name##_family,  \
                                      __VA_ARGS__ };
#define UNARY(op_name, LIST, expression, ...) \
    LIST(UNARY_LOOP, op_name, expression)     \
    UNARY_OP(op_name, "x: T", "y: T", LIST##_TYPES, LIST##_ROWS(op_name), __VA_ARGS__)
#define BINARY_OP(op_name, in_, out_, types_, rows_, infer_, compute_, ...) \
    static const tn__binary_family op_name##_family = { { rows_ } };        \
    const tn__op tn__op_##op_name = { .name = #op_name,                     \
                                      .inputs = in_,                        \
                                      .outputs = out_,                      \
                                      .types = types_,                      \
                                      .infer = infer_,                      \
                                      .compute = compute_,                  \
                                      .family = &op_name##_family,          \
                                      __VA_ARGS__ };
#define BINARY(op_name, LIST, expression, ...)                                   \
    LIST(BINARY_LOOP, op_name, expression)                                       \
    BINARY_OP(op_name, "x: T, y: T", "z: T", LIST##_TYPES, LIST##_ROWS(op_name), \
              tn__infer_broadcast, tn__binary_compute, __VA_ARGS__)

/* --- gradient rules of one line --------------------------------------------------------------- */
/* din of an op with one input, from x, y = f(x) and dy. */
#define UNARY_RULE(name, din_)                                     \
    static void name##_gradient(tn__gradient *g)                   \
    {                                                              \
        tn_tensor *x = g->in[0], *y = g->out[0], *dy = g->dout[0]; \
        (void)x, (void)y, (void)dy;                                \
        g->din[0] = (din_);                                        \
    }
/* Of z = f(x, y), each summed over the axes along which its input was broadcast; only what is
 * wanted is computed. */
#define BINARY_RULE(name, dx_, dy_)                                               \
    static void name##_gradient(tn__gradient *g)                                  \
    {                                                                             \
        tn_tensor *x = g->in[0], *y = g->in[1], *z = g->out[0], *dz = g->dout[0]; \
        (void)z, (void)dz;                                                        \
        if (g->wanted[0])                                                         \
            g->din[0] = tn__sum_to((dx_), x, y);                                  \
        if (g->wanted[1])                                                         \
            g->din[1] = tn__sum_to((dy_), y, x);                                  \
    }

/* --- wrappers --------------------------------------------------------------------------------- */
#define UNARY_WRAPPER(function, op)             \
    tn_tensor *function(tn_tensor *x)           \
    {                                           \
        return TN__APPLY(tn__op_##op, NULL, x); \
    }
#define BINARY_WRAPPER(function, op)                \
    tn_tensor *function(tn_tensor *x, tn_tensor *y) \
    {                                               \
        return TN__APPLY(tn__op_##op, NULL, x, y);  \
    }

#endif
