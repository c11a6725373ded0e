/* pool.c - the largest, and the mean, of the elements in each window; what lies outside of the
 * image counts for neither. */
#include "ops/window.h"
#include <math.h>
#include <string.h>

/* One text serves floats, where x != x finds a NaN, and integers. */
#pragma GCC diagnostic ignored "-Wtautological-compare"

typedef struct {
    int64_t ksize[4], strides[4], explicit_paddings[8];
    const char *padding, *data_format;
} pool2d_attrs;
typedef struct {
    int64_t ksize[5], strides[5];
    const char *padding, *data_format;
} pool3d_attrs;
static const tn_field max_pool2d_fields[] = {
    TN__ROW(TN_FIELD_INTS, pool2d_attrs, ksize, NULL, NULL),
    TN__ROW(TN_FIELD_INTS, pool2d_attrs, strides, NULL, NULL),
    TN__ROW(TN_FIELD_STRING, pool2d_attrs, padding, NULL, "SAME|VALID|EXPLICIT"),
    TN__ROW(TN_FIELD_INTS, pool2d_attrs, explicit_paddings, "none", NULL),
    TN__ROW(TN_FIELD_STRING, pool2d_attrs, data_format, "NHWC", "NHWC|NCHW"),
    TN__END_OF_FIELDS,
};
static const tn_field avg_pool2d_fields[] = {
    TN__ROW(TN_FIELD_INTS, pool2d_attrs, ksize, NULL, NULL),
    TN__ROW(TN_FIELD_INTS, pool2d_attrs, strides, NULL, NULL),
    TN__ROW(TN_FIELD_STRING, pool2d_attrs, padding, NULL, "SAME|VALID"),
    TN__ROW(TN_FIELD_STRING, pool2d_attrs, data_format, "NHWC", "NHWC|NCHW"),
    TN__END_OF_FIELDS,
};
static const tn_field pool3d_fields[] = {
    TN__ROW(TN_FIELD_INTS, pool3d_attrs, ksize, NULL, NULL),
    TN__ROW(TN_FIELD_INTS, pool3d_attrs, strides, NULL, NULL),
    TN__ROW(TN_FIELD_STRING, pool3d_attrs, padding, NULL, "SAME|VALID"),
    TN__ROW(TN_FIELD_STRING, pool3d_attrs, data_format, "NDHWC", "NDHWC|NCDHW"),
    TN__END_OF_FIELDS,
};

/* An op with its gradient, and the gradient's own (for a mean the op itself). */
typedef struct {
    int spatial;
    const tn__op *forward, *gradient, *second;
} pool_family;

/* --- attributes and shapes -------------------------------------------------------------------- */
typedef struct {
    tn__sliding sliding;
    tn__windows windows;
} pool;

static tn__sliding sliding_of(const tn__op *op, const void *attrs, const int64_t **ksize)
{
    const pool2d_attrs *two = attrs;
    const pool3d_attrs *three = attrs;
    const pool_family *family = op->family;
    const int64_t *paddings =
        family->second ? two->explicit_paddings : NULL; /* only maxima have them */
    *ksize = family->spatial == 2 ? two->ksize : three->ksize;
    if (family->spatial == 2)
        return (tn__sliding){ 2, two->padding, two->data_format, two->strides, NULL, paddings };
    return (tn__sliding){ 3, three->padding, three->data_format, three->strides, NULL, NULL };
}

static tn_status check_padding(const tn__op *op, const tn__sliding *s, const int64_t *ksize)
{
    static const char *const side[] = { "Top", "Bottom", "Left", "Right" };
    for (int i = 0; s->explicit_paddings && i < 4; i++) {
        int at = tn__spatial_axis(s, i / 2);
        int64_t padding = s->explicit_paddings[2 * at + i % 2];
        if (padding >= ksize[at])
            return tn__fail(TN_INVALID_ARGUMENT,
                            "%s padding %lld needs to be smaller than the window size %lld\n%s: a "
                            "window may not lie outside of the image as a whole",
                            side[i], (long long)padding, (long long)ksize[at], op->name);
    }
    return TN_OK;
}

static tn_status check_attrs(const tn__op *op, const tn__sliding *s, const int64_t *ksize)
{
    TN_TRY(tn__sliding_check(op, s));
    for (int i = 0; i < s->spatial + 2; i++) {
        if (ksize[i] < 1)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Sliding window ksize must be positive.\n%s: ksize[%d] is %lld",
                            op->name, i, (long long)ksize[i]);
        if (s->strides[i] < 1)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Stride must be > 0, but got %lld\n%s: strides[%d]",
                            (long long)s->strides[i], op->name, i);
        if ((i == 0 || i == tn__channel_axis(s)) && (ksize[i] != 1 || s->strides[i] != 1))
            return tn__fail(TN_UNIMPLEMENTED, "%s\n%s: ksize[%d] is %lld, strides[%d] is %lld",
                            i == 0 ? "Pooling is not yet supported on the batch dimension."
                                   : "Non-spatial pooling is not yet supported.",
                            op->name, i, (long long)ksize[i], i, (long long)s->strides[i]);
    }
    return check_padding(op, s, ksize);
}

static tn_status pool_of(const tn__op *op, const void *attrs, const tn_shape *x, pool *p)
{
    const int64_t *ksize;
    int64_t window[TN__SPATIAL];
    p->sliding = sliding_of(op, attrs, &ksize);
    const tn__sliding *s = &p->sliding;
    TN_TRY(check_attrs(op, s, ksize));
    if (x->known && x->rank != s->spatial + 2)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "tensor_in_shape must have %d spatial dimensions. %d %d\n%s: the image "
                        "needs rank %d, got %s",
                        s->spatial, x->rank, tn__channel_axis(s) == 1, op->name, s->spatial + 2,
                        TN__BRACKETS(*x));
    for (int i = 0; i < s->spatial; i++)
        window[i] = ksize[tn__spatial_axis(s, i)];
    return tn__windows_of(op, s, x, window, &p->windows);
}

static tn_shape out_of(const pool *p)
{
    return tn__windows_out(&p->sliding, &p->windows, p->windows.channels);
}

static tn_status expect(const tn__op *op, const char *what, const tn_shape *expected,
                        const tn_shape *got)
{
    if (tn__shape_fits(expected, got))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Expected %s shape to be %s, but got %s\n%s: its inputs belong to one %s", what,
                    TN__BRACKETS(*expected), TN__BRACKETS(*got), op->name,
                    ((const pool_family *)op->family)->forward->name);
}

static tn_status forward_infer(tn__infer *infer)
{
    pool p;
    TN_TRY(pool_of(infer->op, infer->attrs, &infer->input[0]->shape, &p));
    infer->output[0].shape = out_of(&p);
    return TN_OK;
}

/* Of MaxPoolGrad: the image's shape; `grad` has the output's. */
static tn_status max_gradient_infer(tn__infer *infer)
{
    pool p;
    TN_TRY(pool_of(infer->op, infer->attrs, &infer->input[0]->shape, &p));
    tn_shape out = out_of(&p);
    TN_TRY(expect(infer->op, "orig_output", &out, &infer->input[1]->shape));
    TN_TRY(expect(infer->op, "grad", &out, &infer->input[2]->shape));
    infer->output[0].shape = infer->input[0]->shape;
    return TN_OK;
}

static tn_status max_second_infer(tn__infer *infer)
{
    pool p;
    TN_TRY(pool_of(infer->op, infer->attrs, &infer->input[0]->shape, &p));
    infer->output[0].shape = out_of(&p);
    TN_TRY(expect(infer->op, "orig_output", &infer->output[0].shape, &infer->input[1]->shape));
    return expect(infer->op, "grad", &infer->input[0]->shape, &infer->input[2]->shape);
}

static tn_status avg_gradient_infer(tn__infer *infer)
{
    pool p;
    tn_shape *x = &infer->output[0].shape;
    int rank = ((const pool_family *)infer->op->family)->spatial + 2;
    TN_TRY(tn__sizes_of(infer->op, infer->input[0], rank, "orig_input_shape", x));
    TN_TRY(pool_of(infer->op, infer->attrs, x, &p));
    tn_shape out = out_of(&p);
    return expect(infer->op, "grad", &out, &infer->input[1]->shape);
}

/* --- reference kernels ------------------------------------------------------------------------ */
/* Channels last. x: of the image, y: of the output; what is written is zero (or the least number)
 * before the walk. */
typedef struct {
    int64_t channels;
    void *x, *y, *dx, *dy;
    uint8_t *taken; /* the window has found its maximum */
} walk;

/* n neighbours of the run, elements a (of the image) and b (of the output) of each type. */
#define VISIT(name, T, statement)                                                 \
    static void name(void *self, const tn__run *run)                              \
    {                                                                             \
        const walk *w = self;                                                     \
        int64_t n = w->channels;                                                  \
        T *x = (T *)w->x, *y = (T *)w->y, *dx = (T *)w->dx, *dy = (T *)w->dy;     \
        for (int64_t p = 0; p < run->count; p++) {                                \
            const int64_t a = (run->x + p * run->step) * n, b = (run->y + p) * n; \
            for (int64_t i = 0; i < n; i++)                                       \
                statement;                                                        \
        }                                                                         \
        (void)x, (void)y, (void)dx, (void)dy;                                     \
    }
/* A NaN is larger than everything, and stays. */
#define LARGER y[b + i] = x[a + i] > y[b + i] || x[a + i] != x[a + i] ? x[a + i] : y[b + i]
#define IS_THE_FIRST \
    (!w->taken[b + i] && (x[a + i] == y[b + i] || (x[a + i] != x[a + i] && y[b + i] != y[b + i])))
#define GIVE_TO_FIRST           \
    if (IS_THE_FIRST) {         \
        w->taken[b + i] = 1;    \
        dx[a + i] += dy[b + i]; \
    }
#define GIVE_TO_EQUAL           \
    if (x[a + i] == y[b + i])   \
        dx[a + i] += dy[b + i];
#define TAKE_FROM_FIRST        \
    if (IS_THE_FIRST) {        \
        w->taken[b + i] = 1;   \
        dy[b + i] = dx[a + i]; \
    }

typedef void (*visitor)(void *self, const tn__run *run);
/* By dtype. */
#define VISITS(name, statement)                                                        \
    VISIT(name##_f32, float, statement)                                                \
    VISIT(name##_f64, double, statement)                                               \
    VISIT(name##_i32, int32_t, statement)                                              \
    VISIT(name##_i64, int64_t, statement)                                              \
    VISIT(name##_u8, uint8_t, statement)                                               \
    static const visitor name[] = {                                                    \
        [TN_FLOAT32] = name##_f32, [TN_FLOAT64] = name##_f64, [TN_INT32] = name##_i32, \
        [TN_INT64] = name##_i64,   [TN_UINT8] = name##_u8,                             \
    };
VISITS(larger, LARGER)
VISITS(give_to_first, GIVE_TO_FIRST)
VISITS(give_to_equal, GIVE_TO_EQUAL)
VISITS(take_from_first, TAKE_FROM_FIRST)
VISITS(gather_sum, y[b + i] += x[a + i])
VISITS(spread_sum, x[a + i] += y[b + i])

static void fill_least(tn_tensor *y)
{
    double least = y->dtype == TN_UINT8 ? 0 : -INFINITY;
    int64_t whole = y->dtype == TN_INT32 ? INT32_MIN : INT64_MIN;
    size_t size = tn__dtype_size((tn_dtype)y->dtype);
    char element[sizeof(int64_t)];
    if (tn__in(TN__FLOATS, (tn_dtype)y->dtype) || y->dtype == TN_UINT8)
        tn__element_from_double((tn_dtype)y->dtype, least, element);
    else
        tn__element_from_int((tn_dtype)y->dtype, whole, element);
    tn__fill_elements(y->data, tn__count(y), size, element);
}

static tn_status max_last(tn__kernel *kernel)
{
    pool p;
    tn_tensor *x = kernel->input[0], *y = kernel->output[0];
    TN_TRY(pool_of(kernel->op, kernel->attrs, &x->shape, &p));
    fill_least(y);
    tn__each_run(&p.windows, larger[x->dtype],
                 &(walk){ .channels = p.windows.channels, .x = x->data, .y = y->data });
    return TN_OK;
}

/* Both derivatives of the maximum: at the maximum of each window dy goes to dx, or dx comes to dy. */
static tn_status visit_maxima(tn__kernel *kernel, tn_tensor *dx, tn_tensor *dy, visitor visit)
{
    pool p;
    tn_tensor *x = kernel->input[0], *y = kernel->input[1];
    TN_TRY(pool_of(kernel->op, kernel->attrs, &x->shape, &p));
    if (x->dtype != dy->dtype)
        return tn__fail(TN_UNIMPLEMENTED,
                        "%s: orig_input is %s, grad %s; they must be of one dtype",
                        kernel->op->name, TN__TENSOR(x), TN__TENSOR(kernel->input[2]));
    uint8_t *taken = tn__alloc_zeroed((size_t)tn__count(y), 1);
    if (!taken)
        return TN_RESOURCE_EXHAUSTED;
    memset(kernel->output[0]->data, 0, tn__byte_count(kernel->output[0]));
    tn__each_run(&p.windows, visit,
                 &(walk){ p.windows.channels, x->data, y->data, dx->data, dy->data, taken });
    tn__free(taken);
    return TN_OK;
}

/* Of volumes every element that is equal to the maximum gets the whole of dy, as TensorFlow's does. */
static tn_status max_gradient_last(tn__kernel *k)
{
    const visitor *give = k->op == &tn__op_MaxPool3DGrad ? give_to_equal : give_to_first;
    return visit_maxima(k, k->output[0], k->input[2], give[k->input[0]->dtype]);
}

static tn_status max_second_last(tn__kernel *k)
{
    return visit_maxima(k, k->input[2], k->output[0], take_from_first[k->input[0]->dtype]);
}

/* Taps of window o that lie inside of the image. */
static int64_t covered(const tn__slide *a, int64_t o)
{
    int64_t first = o * a->stride - a->before, end = first + a->window;
    return (end < a->in ? end : a->in) - (first > 0 ? first : 0);
}

/* Each pixel of the output divided by the number of elements in its window. */
static void divide(const tn__windows *w, const tn_tensor *from, void *to)
{
    const tn__slide *d = &w->axis[TN__DEPTH], *r = &w->axis[TN__ROWS], *c = &w->axis[TN__COLUMNS];
    bool single = from->dtype == TN_FLOAT32;
    int64_t at = 0, n = w->channels;
    for (int64_t row = 0; row < w->batch * d->out * r->out; row++) {
        int64_t inside = covered(r, row % r->out) * covered(d, row / r->out % d->out);
        for (int64_t column = 0; column < c->out; column++) {
            double count = (double)(inside * covered(c, column));
            for (int64_t end = at + n; at < end; at++)
                if (single)
                    ((float *)to)[at] = ((const float *)from->data)[at] / (float)count;
                else
                    ((double *)to)[at] = ((const double *)from->data)[at] / count;
        }
    }
}

static tn_status avg_last(tn__kernel *kernel)
{
    pool p;
    tn_tensor *x = kernel->input[0], *y = kernel->output[0];
    TN_TRY(pool_of(kernel->op, kernel->attrs, &x->shape, &p));
    memset(y->data, 0, tn__byte_count(y));
    tn__each_run(&p.windows, gather_sum[x->dtype],
                 &(walk){ .channels = p.windows.channels, .x = x->data, .y = y->data });
    divide(&p.windows, y, y->data);
    return TN_OK;
}

static tn_status avg_gradient_last(tn__kernel *kernel)
{
    pool p;
    tn_tensor *dx = kernel->output[0], *dy = kernel->input[1];
    TN_TRY(pool_of(kernel->op, kernel->attrs, &dx->shape, &p));
    void *shares = tn__alloc(tn__byte_count(dy));
    if (!shares)
        return TN_RESOURCE_EXHAUSTED;
    divide(&p.windows, dy, shares);
    memset(dx->data, 0, tn__byte_count(dx));
    tn__each_run(&p.windows, spread_sum[dx->dtype],
                 &(walk){ .channels = p.windows.channels, .x = dx->data, .y = shares });
    tn__free(shares);
    return TN_OK;
}

#define COMPUTE(name, images, last)                                             \
    static tn_status name(tn__kernel *kernel)                                   \
    {                                                                           \
        const int64_t *ksize;                                                   \
        tn__sliding s = sliding_of(kernel->op, kernel->attrs, &ksize);          \
        return tn__in_channels_last(kernel, s.data_format, images, true, last); \
    }
COMPUTE(max_compute, 1, max_last)
COMPUTE(max_gradient_compute, 1 | 2 | 4, max_gradient_last)
COMPUTE(max_second_compute, 1 | 2 | 4, max_second_last)
COMPUTE(avg_compute, 1, avg_last)
COMPUTE(avg_gradient_compute, 2, avg_gradient_last)

/* --- gradients -------------------------------------------------------------------------------- */
/* dx gets dy at the first maximum of each window */
static void max_gradient(tn__gradient *g)
{
    const pool_family *family = g->op->family;
    g->din[0] = TN__APPLY(*family->gradient, g->attrs, g->in[0], g->out[0], g->dout[0]);
}

/* dx is linear in dy, and which elements are the largest does not change */
static void max_gradient_gradient(tn__gradient *g)
{
    const pool_family *family = g->op->family;
    if (g->wanted[0])
        g->din[0] = tn__zeros_like(g->in[0]);
    if (g->wanted[2])
        g->din[2] = TN__APPLY(*family->second, g->attrs, g->in[0], g->in[1], g->dout[0]);
}

static void max_second_gradient(tn__gradient *g)
{
    const pool_family *family = g->op->family;
    if (g->wanted[0])
        g->din[0] = tn__zeros_like(g->in[0]);
    if (g->wanted[2])
        g->din[2] = TN__APPLY(*family->gradient, g->attrs, g->in[0], g->in[1], g->dout[0]);
}

/* dx gets dy / n from each window of n elements */
static void avg_gradient(tn__gradient *g)
{
    const pool_family *family = g->op->family;
    g->din[0] = TN__APPLY(*family->gradient, g->attrs, tn__shape_tensor(g->in[0]), g->dout[0]);
}

static void avg_gradient_gradient(tn__gradient *g)
{
    const pool_family *family = g->op->family;
    g->din[1] = TN__APPLY(*family->forward, g->attrs, g->dout[0]);
}

/* --- the ops ---------------------------------------------------------------------------------- */
static const pool_family max2d = { 2, &tn__op_MaxPool, &tn__op_MaxPoolGrad,
                                   &tn__op_MaxPoolGradGrad };
static const pool_family max3d = { 3, &tn__op_MaxPool3D, &tn__op_MaxPool3DGrad,
                                   &tn__op_MaxPool3DGradGrad };
static const pool_family avg2d = { 2, &tn__op_AvgPool, &tn__op_AvgPoolGrad, NULL };
static const pool_family avg3d = { 3, &tn__op_AvgPool3D, &tn__op_AvgPool3DGrad, NULL };

#define POOL(name_, family_, fields, attrs_, types_, inputs_, what, ...) \
    const tn__op tn__op_##name_ = { .name = #name_,                      \
                                    .inputs = inputs_,                   \
                                    .outputs = "output: T",              \
                                    .types = types_,                     \
                                    .attrs = fields,                     \
                                    .attrs_size = sizeof(attrs_),        \
                                    .family = &family_,                  \
                                    .infer = what##_infer,               \
                                    .compute = what##_compute,           \
                                    __VA_ARGS__ };
#define MAX_POOL(name, types, inputs, what, gradient_) \
    POOL(name, max2d, max_pool2d_fields, pool2d_attrs, types, inputs, what, .gradient = gradient_)
#define MAX_POOL3D(name, types, inputs, what, gradient_) \
    POOL(name, max3d, pool3d_fields, pool3d_attrs, types, inputs, what, .gradient = gradient_)
#define max_infer forward_infer
#define avg_infer forward_infer
MAX_POOL(MaxPool, "T: number", "input: T", max, max_gradient)
MAX_POOL(MaxPoolGrad, "T: number", "orig_input: T, orig_output: T, grad: T", max_gradient,
         max_gradient_gradient)
MAX_POOL(MaxPoolGradGrad, "T: number", "orig_input: T, orig_output: T, grad: T", max_second,
         max_second_gradient)
MAX_POOL3D(MaxPool3D, "T: floating", "input: T", max, max_gradient)
MAX_POOL3D(MaxPool3DGrad, "T: floating; TInput: floating",
           "orig_input: TInput, orig_output: TInput, grad: T", max_gradient, max_gradient_gradient)
MAX_POOL3D(MaxPool3DGradGrad, "T: number", "orig_input: T, orig_output: T, grad: T", max_second,
           max_second_gradient)
POOL(AvgPool, avg2d, avg_pool2d_fields, pool2d_attrs, "T: floating", "value: T", avg,
     .gradient = avg_gradient)
POOL(AvgPoolGrad, avg2d, avg_pool2d_fields, pool2d_attrs, "T: floating",
     "orig_input_shape: int32, grad: T", avg_gradient, .gradient = avg_gradient_gradient)
POOL(AvgPool3D, avg3d, pool3d_fields, pool3d_attrs, "T: floating", "input: T", avg,
     .gradient = avg_gradient)
POOL(AvgPool3DGrad, avg3d, pool3d_fields, pool3d_attrs, "T: floating",
     "orig_input_shape: int32, grad: T", avg_gradient, .gradient = avg_gradient_gradient)

/* --- tf.nn ------------------------------------------------------------------------------------ */
static tn_tensor *pool_with(const tn_nn_pool_options *o, const tn__op *op, int axes,
                            const char *what)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    union {
        pool2d_attrs two;
        pool3d_attrs three;
    } a = { 0 };
    if (!o->padding || !o->ksize[0] || !o->strides[0]) {
        tn__fail(TN_INVALID_ARGUMENT, "%s: missing a required argument: '%s'", what,
                 !o->ksize[0]     ? "ksize"
                 : !o->strides[0] ? "strides"
                                  : "padding");
        return NULL;
    }
    const char *format = tn__data_format(what, axes, o->data_format);
    if (!format)
        return NULL;
    tn__spread(o->ksize, axes, 1, format, axes == 3 ? a.three.ksize : a.two.ksize);
    tn__spread(o->strides, axes, 1, format, axes == 3 ? a.three.strides : a.two.strides);
    *(axes == 3 ? &a.three.padding : &a.two.padding) = o->padding;
    *(axes == 3 ? &a.three.data_format : &a.two.data_format) = format;
    if (axes < 3)
        tn__spread_paddings(o->explicit_paddings, format, a.two.explicit_paddings);
    if (axes > 1)
        return TN__APPLY(*op, &a, o->input);
    int rows = tn__rows_axis(format);
    return tn_squeeze(TN__APPLY(*op, &a, tn_expand_dims(o->input, rows)), TN_AXES(rows));
}

#define WRAPPER(function, op, axes)                               \
    tn_tensor *function##_with(const tn_nn_pool_options *options) \
    {                                                             \
        return pool_with(options, &tn__op_##op, axes, #function); \
    }
WRAPPER(tn_nn_max_pool1d, MaxPool, 1)
WRAPPER(tn_nn_max_pool2d, MaxPool, 2)
WRAPPER(tn_nn_max_pool3d, MaxPool3D, 3)
WRAPPER(tn_nn_avg_pool1d, AvgPool, 1)
WRAPPER(tn_nn_avg_pool2d, AvgPool, 2)
WRAPPER(tn_nn_avg_pool3d, AvgPool3D, 3)
