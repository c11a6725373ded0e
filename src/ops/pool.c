/* pool.c - the largest, and the mean, of the elements in each window; what lies outside of the
 * image counts for neither. */
#include "ops/pool.h"
#include "ops/product.h"
#include "ops/window.h"
#include <float.h>
#include <math.h>
#include <string.h>

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
    int64_t *at; /* for each element of the output, which one of the image is the largest */
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
/* A NaN is never the larger one. */
#define LARGER y[b + i] = x[a + i] > y[b + i] ? x[a + i] : y[b + i]
/* Where the window's largest is: its first element, also when that is NaN, until there is a larger.
 */
#define FIND_LARGEST                                    \
    if (w->at[b + i] < 0 || x[a + i] > x[w->at[b + i]]) \
        w->at[b + i] = a + i;
#define GIVE_TO_EQUAL         \
    if (x[a + i] == y[b + i]) \
        dx[a + i] += dy[b + i];
#define TAKE_FROM_EQUAL       \
    if (x[a + i] == y[b + i]) \
        dy[b + i] += dx[a + i];

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
VISITS(find_largest, FIND_LARGEST)
VISITS(give_to_equal, GIVE_TO_EQUAL)
VISITS(take_from_equal, TAKE_FROM_EQUAL)
VISITS(gather_sum, y[b + i] += x[a + i])
VISITS(spread_sum, x[a + i] += y[b + i])

/* As TensorFlow's kernels begin: with one axis or two at the least finite number, which is what
 * comes out of a window of nothing but NaN, with three at -inf. */
static void fill_least(tn_tensor *y, int spatial)
{
    double finite = y->dtype == TN_FLOAT64 ? -DBL_MAX : -(double)FLT_MAX;
    int64_t whole = y->dtype == TN_UINT8 ? 0 : y->dtype == TN_INT32 ? INT32_MIN : INT64_MIN;
    char element[sizeof(int64_t)];
    if (tn__in(TN__FLOATS, (tn_dtype)y->dtype))
        tn__element_from_double((tn_dtype)y->dtype, spatial == 2 ? finite : -INFINITY, element);
    else
        tn__element_from_int((tn_dtype)y->dtype, whole, element);
    tn__fill_elements(y->data, tn__count(y), tn__dtype_size((tn_dtype)y->dtype), element);
}

static tn_status max_last(tn__kernel *kernel)
{
    pool p;
    tn_tensor *x = kernel->input[0], *y = kernel->output[0];
    TN_TRY(pool_of(kernel->op, kernel->attrs, &x->shape, &p));
    tn__conv plain = tn__windows_plain(&p.windows, p.windows.channels, p.windows.channels);
    if (x->dtype == TN_FLOAT32 && p.sliding.spatial == 2) {
        tn__product_max_pool(&plain, x->data, y->data);
        return TN_OK;
    }
    fill_least(y, p.sliding.spatial);
    tn__each_run(&p.windows, larger[x->dtype],
                 &(walk){ .channels = p.windows.channels, .x = x->data, .y = y->data });
    return TN_OK;
}

/* Which element is each window's largest, the first of equal ones; -1: the window has none. The
 * table is the caller's to free. */
static tn_status largest_of_windows(const pool *p, const tn_tensor *x, int64_t **at)
{
    size_t count = (size_t)(tn__pixels_out(&p->windows) * p->windows.channels);
    *at = tn__alloc((count ? count : 1) * sizeof **at);
    if (!*at)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++)
        (*at)[i] = -1;
    tn__each_run(&p->windows, find_largest[x->dtype],
                 &(walk){ .channels = p->windows.channels, .x = x->data, .at = *at });
    return TN_OK;
}

/* to[at[i]] += from[i], or with `taking` to[i] = from[at[i]]. */
#define ALONG(T)                                                             \
    for (int64_t i = 0; i < count; i++)                                      \
        if (at[i] >= 0 && taking)                                            \
            ((T *)to)[i] = ((const T *)from)[at[i]];                         \
        else if (at[i] >= 0)                                                 \
            ((T *)to)[at[i]] = (T)(((T *)to)[at[i]] + ((const T *)from)[i]); \
    break;
static void along(tn_dtype dtype, const int64_t *at, int64_t count, bool taking, void *to,
                  const void *from)
{
    switch (dtype) {
    case TN_FLOAT32:
        ALONG(float)
    case TN_FLOAT64:
        ALONG(double)
    case TN_INT32:
        ALONG(uint32_t)
    case TN_INT64:
        ALONG(uint64_t)
    default:
        ALONG(uint8_t)
    }
}

/* Both derivatives of the maximum: dy goes to dx, or dx comes to dy. In two dimensions at the first
 * of equal elements, in three at all of them, as TensorFlow's kernels differ. */
static tn_status maximum_slope(tn__kernel *kernel, tn_tensor *dx, tn_tensor *dy, bool taking)
{
    pool p;
    tn_tensor *x = kernel->input[0], *y = kernel->input[1], *out = kernel->output[0];
    int64_t *at;
    TN_TRY(pool_of(kernel->op, kernel->attrs, &x->shape, &p));
    if (x->dtype != dy->dtype)
        return tn__fail(TN_UNIMPLEMENTED,
                        "%s: orig_input is %s, grad %s; they must be of one dtype",
                        kernel->op->name, TN__TENSOR(x), TN__TENSOR(kernel->input[2]));
    tn__conv plain = tn__windows_plain(&p.windows, p.windows.channels, p.windows.channels);
    if (x->dtype == TN_FLOAT32 && p.sliding.spatial == 2 && !taking) {
        tn__product_max_pool_gradient(&plain, x->data, dy->data, out->data, false, NULL);
        return TN_OK;
    }
    if (tn__byte_count(out))
        memset(out->data, 0, tn__byte_count(out));
    if (p.sliding.spatial == 3) {
        walk w = { p.windows.channels, x->data, y->data, dx->data, dy->data, NULL };
        tn__each_run(&p.windows, (taking ? take_from_equal : give_to_equal)[x->dtype], &w);
        return TN_OK;
    }
    tn_status status = largest_of_windows(&p, x, &at);
    if (status == TN_OK)
        along((tn_dtype)x->dtype, at, tn__count(dy), taking, out->data, (taking ? dx : dy)->data);
    tn__free(at);
    return status;
}

bool tn__pool_takes_mask(const tn__op *op, const void *attrs, tn_dtype dtype)
{
    const int64_t *ksize;
    if (op != &tn__op_MaxPoolGrad || dtype != TN_FLOAT32)
        return false;
    tn__sliding s = sliding_of(op, attrs, &ksize);
    return tn__channel_axis(&s) == 3;
}

tn_status tn__pool_masked(const tn__op *op, const void *attrs, const tn_tensor *const *input, tn_tensor *dx, double *sums)
{
    pool p;
    TN_TRY(pool_of(op, attrs, &input[0]->shape, &p));
    tn__conv plain = tn__windows_plain(&p.windows, p.windows.channels, p.windows.channels);
    tn__product_max_pool_gradient(&plain, input[0]->data, input[2]->data, dx->data, true, sums);
    return TN_OK;
}

static bool is_tiled(const tn__conv_axis *axis)
{
    return axis->stride == axis->window && axis->before == 0 && axis->in == axis->out * axis->stride;
}

bool tn__pool_in_place(const tn__op *op, const void *attrs, const tn_shape *image)
{
    pool p;
    if (pool_of(op, attrs, image, &p) != TN_OK)
        return false;
    tn__conv plain = tn__windows_plain(&p.windows, p.windows.channels, p.windows.channels);
    return is_tiled(&plain.row) && is_tiled(&plain.column);
}

static tn_status max_gradient_last(tn__kernel *k)
{
    return maximum_slope(k, k->output[0], k->input[2], false);
}

static tn_status max_second_last(tn__kernel *k)
{
    return maximum_slope(k, k->input[2], k->output[0], true);
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

/* --- MaxPoolWithArgmax ------------------------------------------------------------------------ */
typedef struct {
    int64_t ksize[4], strides[4];
    tn_dtype Targmax;
    const char *padding;
    tn_flag include_batch_in_index;
} argmax_attrs;
static const tn_field argmax_fields[] = {
    TN__ROW(TN_FIELD_INTS, argmax_attrs, ksize, NULL, NULL),
    TN__ROW(TN_FIELD_INTS, argmax_attrs, strides, NULL, NULL),
    TN__ROW(TN_FIELD_DTYPE, argmax_attrs, Targmax, "int64", NULL),
    TN__ROW(TN_FIELD_STRING, argmax_attrs, padding, NULL, "SAME|VALID"),
    TN__ROW(TN_FIELD_BOOL, argmax_attrs, include_batch_in_index, "false", NULL),
    TN__END_OF_FIELDS,
};

static tn_status argmax_pool(const tn__op *op, const void *attrs, const tn_shape *x, pool *p)
{
    const argmax_attrs *a = attrs;
    pool2d_attrs two = { .padding = a->padding, .data_format = "NHWC" };
    memcpy(two.ksize, a->ksize, sizeof two.ksize);
    memcpy(two.strides, a->strides, sizeof two.strides);
    TN_TRY(pool_of(op, &two, x, p));
    p->sliding.strides = a->strides; /* not those of `two`, which ends here */
    p->sliding.explicit_paddings = NULL;
    return TN_OK;
}

static tn_status argmax_infer(tn__infer *infer)
{
    pool p;
    TN_TRY(argmax_pool(infer->op, infer->attrs, &infer->input[0]->shape, &p));
    infer->output[0].shape = infer->output[1].shape = out_of(&p);
    return TN_OK;
}

static tn_status argmax_compute(tn__kernel *kernel)
{
    const argmax_attrs *a = kernel->attrs;
    const tn_tensor *x = kernel->input[0];
    tn_tensor *y = kernel->output[0], *index = kernel->output[1];
    pool p;
    int64_t *at, count = tn__count(y), image = tn__count_of(&x->shape, 1, 4);
    TN_TRY(argmax_pool(kernel->op, kernel->attrs, &x->shape, &p));
    tn_status status = largest_of_windows(&p, x, &at);
    if (status == TN_OK)
        along((tn_dtype)x->dtype, at, count, true, y->data, x->data);
    size_t size = tn__dtype_size((tn_dtype)index->dtype);
    for (int64_t i = 0; i < count && status == TN_OK; i++)
        tn__element_from_int((tn_dtype)index->dtype,
                             a->include_batch_in_index ? at[i] : at[i] % image,
                             (char *)index->data + (size_t)i * size);
    tn__free(at);
    return status;
}

/* dx is dy where the indices say, which count within each image or through the batch */
static void argmax_gradient(tn__gradient *g)
{
    const argmax_attrs *a = g->attrs;
    tn_tensor *x = g->in[0], *index = tn_cast(g->out[1], TN_INT64), *shape = tn__shape_tensor(x),
              *flat = tn__ints((const int64_t[]){ -1 }, 1);
    if (!a->include_batch_in_index) {
        tn_tensor *batch = tn__vector_part(shape, 0, 1), *zero = tn_scalar_int(0);
        tn_tensor *image = tn_reduce_prod(tn__vector_part(shape, 1, TN_NONE));
        tn_tensor *number = tn_range(zero, tn_reshape(batch, TN_SCALAR), tn_scalar_int(1));
        number = tn_cast(tn_multiply(number, image), TN_INT64);
        index = tn_add(index, tn_reshape(number, TN_SHAPE(TN_NONE, 1, 1, 1)));
    }
    tn_tensor *sums = TN__APPLY(tn__op_UnsortedSegmentSum, NULL,
                                TN__APPLY(tn__op_Reshape, NULL, tn__dout(g, 0), flat),
                                TN__APPLY(tn__op_Reshape, NULL, index, flat), tn_size(x));
    g->din[0] = TN__APPLY(tn__op_Reshape, NULL, sums, shape);
}

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
static const pool_family argmax2d = { 2, &tn__op_MaxPoolWithArgmax, NULL, NULL };
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

const tn__op tn__op_MaxPoolWithArgmax = {
    .name = "MaxPoolWithArgmax",
    .inputs = "input: T",
    .outputs = "output: T, argmax: Targmax",
    .types = "T: number; Targmax: int32, int64",
    .attrs = argmax_fields,
    .attrs_size = sizeof(argmax_attrs),
    .family = &argmax2d,
    .infer = argmax_infer,
    .compute = argmax_compute,
    .gradient = argmax_gradient,
};

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

tn_list tn_nn_max_pool_with_argmax_with(const tn_nn_max_pool_with_argmax_options *o)
{
    const tn_list none = { 0, NULL };
    TN__ENTER_OPTIONS(context, o, none);
    if (!o->padding || !o->ksize[0] || !o->strides[0]) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "tn_nn_max_pool_with_argmax: missing a required argument: '%s'",
                 !o->ksize[0]     ? "ksize"
                 : !o->strides[0] ? "strides"
                                  : "padding");
        return none;
    }
    argmax_attrs a = { .padding = o->padding,
                       .Targmax = o->output_dtype,
                       .include_batch_in_index = o->include_batch_in_index };
    tn__spread(o->ksize, 2, 1, "NHWC", a.ksize);
    tn__spread(o->strides, 2, 1, "NHWC", a.strides);
    return tn__apply_list(&tn__op_MaxPoolWithArgmax, &a, &o->input, 1, 2);
}
