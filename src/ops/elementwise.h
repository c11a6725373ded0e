/* elementwise.h - element-wise ops as rows of a table. A row's expression is compiled once for each type:
 *
 *     UNARY(Exp, "floating", FLOATS, exp(x), exp_gradient)
 *
 * exp is <tgmath.h>'s, so float stays float. The loops are plain; the fast ones are kernels/. */
#ifndef TN_OPS_ELEMENTWISE_H
#define TN_OPS_ELEMENTWISE_H
#include "ops/ops.h"
#include <tgmath.h>

/* One expression serves signed and unsigned types: x < 0 is always false in some. */
#pragma GCC diagnostic ignored "-Wtype-limits"

/* n elements of x to y. */
typedef void (*tn__unary_loop)(const void *x, void *y, int64_t n);
/* n elements; a step of 0 stays on the one element. */
typedef void (*tn__binary_loop)(const void *x, int step_x, const void *y, int step_y, void *z, int64_t n);
enum { TN__DTYPES = 20 };
typedef struct {
    tn__unary_loop loop[TN__DTYPES]; /* by input dtype */
} tn__unary_family;
typedef struct {
    tn__binary_loop loop[TN__DTYPES];
} tn__binary_family;
tn_status tn__unary_compute(tn__kernel *kernel);
tn_status tn__binary_compute(tn__kernel *kernel);

#define UNARY_LOOP(name, suffix, T, U, expression) \
    static void name##_##suffix(const void *restrict in, void *restrict out, int64_t n) \
    { \
        const T *a = in; \
        U *b = out; \
        for (int64_t i = 0; i < n; i++) { \
            const T x = a[i]; \
            b[i] = (U)(expression); \
        } \
    }
#define BINARY_LOOP(name, suffix, T, U, expression) \
    static void name##_##suffix(const void *in1, int s1, const void *in2, int s2, void *out, int64_t n) \
    { \
        const T *a = in1, *b = in2; \
        U *c = out; \
        if (s1 && s2) \
            for (int64_t i = 0; i < n; i++) { \
                const T x = a[i], y = b[i]; \
                c[i] = (U)(expression); \
            } \
        else if (s1) \
            for (int64_t i = 0; i < n; i++) { \
                const T x = a[i], y = b[0]; \
                c[i] = (U)(expression); \
            } \
        else \
            for (int64_t i = 0; i < n; i++) { \
                const T x = a[0], y = b[i * s2]; \
                c[i] = (U)(expression); \
            } \
    }

/* Type lists: LOOP is UNARY_LOOP or BINARY_LOOP; the second of each pair names the loops in the family's table. */
#define FLOATS(LOOP, name, e) LOOP(name, f32, float, float, e) LOOP(name, f64, double, double, e)
#define FLOATS_ROW(name) { [TN_FLOAT32] = name##_f32, [TN_FLOAT64] = name##_f64 }
#define NUMBERS(LOOP, name, e) \
    FLOATS(LOOP, name, e) LOOP(name, i32, int32_t, int32_t, e) LOOP(name, i64, int64_t, int64_t, e) LOOP(name, u8, uint8_t, uint8_t, e)
#define NUMBERS_ROW(name) \
    { [TN_FLOAT32] = name##_f32, [TN_FLOAT64] = name##_f64, [TN_INT32] = name##_i32, [TN_INT64] = name##_i64, [TN_UINT8] = name##_u8 }
/* Results are bool. */
#define TESTS(LOOP, name, e) \
    LOOP(name, f32, float, uint8_t, e) LOOP(name, f64, double, uint8_t, e) LOOP(name, i32, int32_t, uint8_t, e) \
    LOOP(name, i64, int64_t, uint8_t, e) LOOP(name, u8, uint8_t, uint8_t, e)
#define TESTS_ROW(name) \
    { [TN_FLOAT32] = name##_f32, [TN_FLOAT64] = name##_f64, [TN_INT32] = name##_i32, [TN_INT64] = name##_i64, [TN_UINT8] = name##_u8, \
      [TN_BOOL] = name##_u8 }
#define BOOLS(LOOP, name, e) LOOP(name, u8, uint8_t, uint8_t, e)
#define BOOLS_ROW(name) { [TN_BOOL] = name##_u8 }

#define UNARY(op_name, types_, LIST, expression, ...) \
    LIST(UNARY_LOOP, op_name, expression) \
    static const tn__unary_family op_name##_family = { LIST##_ROW(op_name) }; \
    const tn__op tn__op_##op_name = { \
        .name = #op_name, \
        .inputs = "x: T", \
        .outputs = "y: T", \
        .types = "T: " types_, \
        .infer = tn__infer_same, \
        .compute = tn__unary_compute, \
        .family = &op_name##_family, \
        __VA_ARGS__ \
    };
#define BINARY(op_name, types_, LIST, expression, ...) \
    LIST(BINARY_LOOP, op_name, expression) \
    static const tn__binary_family op_name##_family = { LIST##_ROW(op_name) }; \
    const tn__op tn__op_##op_name = { \
        .name = #op_name, \
        .inputs = "x: T, y: T", \
        .types = "T: " types_, \
        .infer = tn__infer_broadcast, \
        .compute = tn__binary_compute, \
        .family = &op_name##_family, \
        __VA_ARGS__ \
    };

#endif
