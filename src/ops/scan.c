/* scan.c - running sums and products along one axis. */
#include "ops/array.h"
#include <math.h>

typedef struct {
    tn_flag exclusive; /* element i is made of those before it only */
    tn_flag reverse;   /* from the end */
} scan_attrs;
static const tn_field scan_fields[] = {
    TN__ROW(TN_FIELD_FLAG, scan_attrs, exclusive, "false", NULL),
    TN__ROW(TN_FIELD_FLAG, scan_attrs, reverse, "false", NULL),
    TN__END_OF_FIELDS,
};

static tn_status scan_axis(const tn_tensor *axis, const tn_shape *shape, int *result)
{
    if (axis->shape.known && axis->shape.rank)
        return tn__fail(TN_INVALID_ARGUMENT, "ScanOp: axis must be a scalar, not %s",
                        TN__BRACKETS(axis->shape));
    return tn__known_axis(axis, shape, "ScanOp: Expected scan axis", result);
}

static tn_status scan_infer(tn__infer *infer)
{
    int axis;
    TN_TRY(scan_axis(infer->input[1], &infer->input[0]->shape, &axis));
    return tn__infer_same(infer);
}

/* One row of `behind` running values after the other, so that the inner loop is contiguous; each
 * row is made of the one before. The sum runs in the element's own type, as TensorFlow's does. */
#define SCAN(name, suffix, T, U, first, operator)                                           \
    static void name##_##suffix(const void *in, void *out, int64_t length, int64_t behind,  \
                                const scan_attrs *attrs)                                    \
    {                                                                                       \
        int64_t step = attrs->reverse ? -behind : behind,                                   \
                begin = attrs->reverse ? (length - 1) * behind : 0;                         \
        const T *x = (const T *)in + begin;                                                 \
        T *y = (T *)out + begin;                                                            \
        for (int64_t i = 0; i < length; i++, x += step, y += step)                          \
            for (int64_t k = 0; k < behind; k++)                                            \
                y[k] = attrs->exclusive                                                     \
                           ? (i ? (T)((U)y[k - step] operator(U) x[k - step]) : (T)(first)) \
                           : (i ? (T)((U)y[k - step] operator(U) x[k]) : x[k]);             \
    }
#define SCANS(name, first, operator)                                 \
    SCAN(name, f32, float, float, first, operator)                   \
    SCAN(name, f64, double, double, first, operator)                 \
    SCAN(name, i32, int32_t, uint32_t, first, operator)              \
    SCAN(name, i64, int64_t, uint64_t, first, operator)              \
    SCAN(name, u8, uint8_t, uint32_t, first, operator)               \
    static const scans name##_scans = { { [TN_FLOAT32] = name##_f32, \
                                          [TN_FLOAT64] = name##_f64, \
                                          [TN_INT32] = name##_i32,   \
                                          [TN_INT64] = name##_i64,   \
                                          [TN_UINT8] = name##_u8 } };

enum { DTYPES = 20 };
typedef struct {
    void (*of[DTYPES])(const void *in, void *out, int64_t length, int64_t behind,
                       const scan_attrs *attrs);
} scans;

static tn_status scan_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    int axis;
    TN_TRY(scan_axis(kernel->input[1], &x->shape, &axis));
    int64_t length = x->shape.dims[axis], behind = tn__count_of(&x->shape, axis + 1, x->shape.rank);
    int64_t before = tn__count(x) ? tn__count_of(&x->shape, 0, axis) : 0,
            bytes = length * behind * (int64_t)tn__dtype_size(x->dtype);
    for (int64_t i = 0; i < before; i++)
        ((const scans *)kernel->op->family)
            ->of[x->dtype]((const char *)x->data + i * bytes,
                           (char *)kernel->output[0]->data + i * bytes, length, behind,
                           kernel->attrs);
    return TN_OK;
}

SCANS(Cumsum, 0, +)
SCANS(Cumprod, 1, *)

/* log(eᵃ + eᵇ), from the larger of the two so that nothing overflows. */
static double log_add(double a, double b)
{
    double most = fmax(a, b), least = fmin(a, b);
    if (isnan(a) || isnan(b))
        return (double)NAN;
    return isinf(most) ? most : most + log1p(exp(least - most));
}

#define LOG_SCAN(suffix, T)                                                             \
    static void log_##suffix(const void *in, void *out, int64_t length, int64_t behind, \
                             const scan_attrs *attrs)                                   \
    {                                                                                   \
        int64_t step = attrs->reverse ? -behind : behind,                               \
                begin = attrs->reverse ? (length - 1) * behind : 0;                     \
        const T *x = (const T *)in + begin;                                             \
        T *y = (T *)out + begin;                                                        \
        for (int64_t i = 0; i < length; i++, x += step, y += step)                      \
            for (int64_t k = 0; k < behind; k++)                                        \
                y[k] = attrs->exclusive                                                 \
                           ? (i ? (T)log_add(y[k - step], x[k - step]) : -(T)INFINITY)  \
                           : (i ? (T)log_add(y[k - step], x[k]) : x[k]);                \
    }
LOG_SCAN(f32, float)
LOG_SCAN(f64, double)
static const scans log_scans = { { [TN_FLOAT32] = log_f32, [TN_FLOAT64] = log_f64 } };

static tn_tensor *backwards(const tn__gradient *g, tn_tensor *x)
{
    scan_attrs attrs = *(const scan_attrs *)g->attrs;
    attrs.reverse = !attrs.reverse;
    return TN__APPLY(tn__op_Cumsum, &attrs, x, g->in[1]);
}

/* dx = the running sum of dy from the other end */
static void cumsum_gradient(tn__gradient *g)
{
    g->din[0] = backwards(g, g->dout[0]);
}

/* dx = (the running sum of y dy from the other end) / x */
static void cumprod_gradient(tn__gradient *g)
{
    g->din[0] = tn_divide(backwards(g, tn_multiply(g->out[0], g->dout[0])), g->in[0]);
}

/* log dy where it is positive, else a number whose exponential is 0 */
static tn_tensor *log_of_positive(tn_tensor *dy)
{
    tn_tensor *positive = tn_greater(dy, tn__like(dy, 0));
    tn_tensor *least = tn__like(dy, dy->dtype == TN_FLOAT16 ? -65504 : -3e38);
    return tn_where(positive, tn_log(tn_where(positive, dy, tn__like(dy, 1))), least);
}

static tn_tensor *backwards_in_logs(const tn__gradient *g, tn_tensor *dy)
{
    scan_attrs attrs = *(const scan_attrs *)g->attrs;
    attrs.reverse = !attrs.reverse;
    tn_tensor *logs = TN__APPLY(tn__op_CumulativeLogsumexp, &attrs,
                                tn_subtract(log_of_positive(dy), g->out[0]), g->in[1]);
    return tn_exp(tn_add(logs, g->in[0]));
}

/* dx = eˣ times the running sum of dy / eʸ from the other end, worked out in logarithms: of the
 * positive dy and of the negative ones */
static void log_gradient(tn__gradient *g)
{
    tn_tensor *dy = g->dout[0];
    g->din[0] = tn_subtract(backwards_in_logs(g, dy), backwards_in_logs(g, tn_negative(dy)));
}

#define RUNNING(name_, gradient_)                 \
    const tn__op tn__op_##name_ = {               \
        .name = #name_,                           \
        .inputs = "x: T, axis: Tidx",             \
        .outputs = "out: T",                      \
        .types = "T: number; Tidx: int32, int64", \
        .attrs = scan_fields,                     \
        .attrs_size = sizeof(scan_attrs),         \
        .infer = scan_infer,                      \
        .compute = scan_compute,                  \
        .gradient = gradient_,                    \
        .family = &name_##_scans,                 \
    };
RUNNING(Cumsum, cumsum_gradient)
RUNNING(Cumprod, cumprod_gradient)

const tn__op tn__op_CumulativeLogsumexp = {
    .name = "CumulativeLogsumexp",
    .inputs = "x: T, axis: Tidx",
    .outputs = "out: T",
    .types = "T: floating; Tidx: int32, int64",
    .attrs = scan_fields,
    .attrs_size = sizeof(scan_attrs),
    .infer = scan_infer,
    .compute = scan_compute,
    .gradient = log_gradient,
    .family = &log_scans,
};

#define WRAPPER(function, op)                                          \
    tn_tensor *function(const tn_cumulative_options *o)                      \
    {                                                                  \
        TN__ENTER_OPTIONS(context, o, NULL);                           \
        const scan_attrs attrs = { o->exclusive, o->reverse };         \
        return TN__APPLY(tn__op_##op, &attrs, o->x, tn__int(o->axis)); \
    }
WRAPPER(tn_cumsum_with, Cumsum)
WRAPPER(tn_cumprod_with, Cumprod)
WRAPPER(tn_cumulative_logsumexp_with, CumulativeLogsumexp)
