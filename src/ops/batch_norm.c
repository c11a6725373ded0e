/* batch_norm.c - batch normalisation of images in one op, with its gradient.
 *
 * n: elements of a channel, m(t): their mean, r = 1 / √(variance + ε), h = (x - mean) r. */
#include "ops/product.h"
#include "ops/window.h"
#include "kernels/parallel.h"
#include <math.h>
#include <string.h>

typedef struct {
    double epsilon, exponential_avg_factor;
    const char *data_format;
    tn_flag is_training;
} norm_attrs;
static const tn_field norm_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, norm_attrs, epsilon, "0.0001", NULL),
    TN__ROW(TN_FIELD_FLOAT, norm_attrs, exponential_avg_factor, "1", NULL),
    TN__ROW(TN_FIELD_STRING, norm_attrs, data_format, "NHWC", "NHWC|NCHW|NDHWC|NCDHW"),
    TN__ROW(TN_FIELD_FLAG, norm_attrs, is_training, "true", NULL),
    TN__END_OF_FIELDS,
};
static const tn_field norm_gradient_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, norm_attrs, epsilon, "0.0001", NULL),
    TN__ROW(TN_FIELD_STRING, norm_attrs, data_format, "NHWC", "NHWC|NCHW|NDHWC|NCDHW"),
    TN__ROW(TN_FIELD_FLAG, norm_attrs, is_training, "true", NULL),
    TN__END_OF_FIELDS,
};

/* --- shapes ----------------------------------------------------------------------------------- */
static bool channels_first(const void *attrs)
{
    return ((const norm_attrs *)attrs)->data_format[1] == 'C';
}

static tn_status check_image(const tn__infer *infer, size_t input)
{
    const char *format = ((const norm_attrs *)infer->attrs)->data_format;
    const tn_shape *x = &infer->input[input]->shape;
    if (!format || (strcmp(format, "NHWC") && strcmp(format, "NCHW") && strcmp(format, "NDHWC") &&
                    strcmp(format, "NCDHW")))
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "Value for attr 'data_format' of \"%s\" is not in the list of allowed values\n"
            "%s: data_format is one of NHWC, NCHW, NDHWC, NCDHW",
            format ? format : "", infer->op->name);
    if (x->known && x->rank != 4 && x->rank != 5)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "input must be 4 or 5-dimensional%s\n%s: a batch of images with channels",
                        TN__BRACKETS(*x), infer->op->name);
    return TN_OK;
}

/* A vector of one number for each channel, where that many are needed; settles the number of
 * channels. */
static tn_status check_vector(const tn__infer *infer, size_t input, const char *when,
                              const char *name, int64_t *channels)
{
    const tn_shape *v = &infer->input[input]->shape;
    if (v->known && v->rank != 1)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "%s must be 1-dimensional%s\n%s: one number for each channel", name,
                        TN__BRACKETS(*v), infer->op->name);
    if (!when || !v->known || v->dims[0] < 0)
        return TN_OK;
    if (*channels >= 0 && v->dims[0] != *channels)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "%s%s must have the same number of elements as the channels of x, got %lld "
                        "and %lld\n%s: x is %s",
                        when, name, (long long)v->dims[0], (long long)*channels, infer->op->name,
                        TN__TENSOR(infer->input[0]));
    *channels = v->dims[0];
    return TN_OK;
}

static int64_t channels_of(const void *attrs, const tn_shape *x)
{
    return x->known ? x->dims[channels_first(attrs) ? 1 : x->rank - 1] : TN_NONE;
}

static tn_status norm_infer(tn__infer *infer)
{
    const norm_attrs *attrs = infer->attrs;
    TN_TRY(check_image(infer, 0));
    tn_shape *y = &infer->output[0].shape;
    *y = infer->input[0]->shape;
    int64_t channels = channels_of(attrs, y);
    const char *when = !attrs->is_training                  ? "When is_training=false, "
                       : attrs->exponential_avg_factor != 1 ? "When exponential_avg_factor != 1, "
                                                            : NULL;
    TN_TRY(check_vector(infer, 1, "", "scale", &channels));
    TN_TRY(check_vector(infer, 2, "", "offset", &channels));
    TN_TRY(check_vector(infer, 3, when, "mean", &channels));
    TN_TRY(check_vector(infer, 4, when, "variance", &channels));
    if (y->known)
        y->dims[channels_first(attrs) ? 1 : y->rank - 1] = channels;
    for (int i = 1; i < 5; i++)
        infer->output[i].shape = tn__shape_vector(channels);
    infer->output[5].shape = TN_SCALAR;
    return TN_OK;
}

static tn_status norm_gradient_infer(tn__infer *infer)
{
    TN_TRY(check_image(infer, 0));
    TN_TRY(check_image(infer, 1));
    const tn_shape *dy = &infer->input[0]->shape, *x = &infer->input[1]->shape;
    tn_shape *dx = &infer->output[0].shape;
    if (!tn__shape_merge(x, dy, dx))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "x and y_backprop must have same shape, but x has shape %s and y_backprop "
                        "has shape %s\n%s",
                        TN__BRACKETS(*x), TN__BRACKETS(*dy), infer->op->name);
    int64_t channels = channels_of(infer->attrs, dx);
    TN_TRY(check_vector(infer, 2, "", "scale", &channels));
    TN_TRY(check_vector(infer, 3, "", "reserve_space_1", &channels));
    TN_TRY(check_vector(infer, 4, "", "reserve_space_2", &channels));
    infer->output[1].shape = infer->output[2].shape = tn__shape_vector(channels);
    infer->output[3].shape = infer->output[4].shape = tn__shape_vector(0);
    return TN_OK;
}

/* --- reference kernels ------------------------------------------------------------------------ */
/* Channels last; everything that belongs to a channel is kept in doubles. */
typedef struct {
    int64_t n, channels;
    double *mean, *variance, *factor, *offset; /* y = (x - mean) factor + offset */
    double *sum, *product;                     /* of dy, and of dy (x - mean) */
} norm;

enum { VECTORS = 6 };

static tn_status norm_new(const tn_tensor *x, int64_t channels, norm *s)
{
    size_t count = (size_t)channels;
    double *v = tn__alloc_zeroed(VECTORS * count, sizeof *v);
    *s = (norm){ channels ? tn__count(x) / channels : 0,
                 channels,
                 v,
                 v + count,
                 v + 2 * count,
                 v + 3 * count,
                 v + 4 * count,
                 v + 5 * count };
    return v ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static void norm_free(norm *s)
{
    tn__free(s->mean);
}

static void load(const tn_tensor *v, int64_t channels, double *to)
{
    for (int64_t c = 0; c < channels; c++)
        to[c] = tn__double_at(v, c);
}

static void store(const double *from, int64_t channels, tn_tensor *v)
{
    size_t size = tn__dtype_size((tn_dtype)v->dtype);
    for (int64_t c = 0; c < channels; c++)
        tn__element_from_double((tn_dtype)v->dtype, from[c], (char *)v->data + (size_t)c * size);
}

#define EACH(s)                          \
    for (int64_t i = 0; i < (s)->n; i++) \
        for (int64_t c = 0, at = i * (s)->channels; c < (s)->channels; c++, at++)

static void measure_f64(norm *s, const double *x)
{
    EACH(s) s->mean[c] += x[at];
    for (int64_t c = 0; c < s->channels; c++)
        s->mean[c] /= (double)s->n;
    EACH(s) s->variance[c] += (x[at] - s->mean[c]) * (x[at] - s->mean[c]);
    for (int64_t c = 0; c < s->channels; c++)
        s->variance[c] /= (double)s->n;
}

static void scale_f64(const norm *s, const double *x, double *restrict y)
{
    EACH(s) y[at] = (x[at] - s->mean[c]) * s->factor[c] + s->offset[c];
}

static void sums_f64(norm *s, const double *dy, const double *x)
{
    EACH(s)
    {
        s->sum[c] += dy[at];
        s->product[c] += dy[at] * (x[at] - s->mean[c]);
    }
}

/* dx = (dy - offset - (x - mean) product) factor, the two means prepared */
static void spread_f64(const norm *s, const double *dy, const double *x, double *restrict dx)
{
    EACH(s) dx[at] = (dy[at] - s->offset[c] - (x[at] - s->mean[c]) * s->product[c]) * s->factor[c];
}

/* --- float32: rows are shared between threads ------------------------------------------------- */
/* Rows of few channels are taken `fold` at a time, as rows of so many times the channels; what is left of them by themselves. */
typedef struct {
    tn__column_norm rows, rest;
    int64_t row_count, rest_count;
    float *vectors; /* mean, slope, offset, factor */
    char *sums;     /* each lane's two, in double and of a few rows */
    int lanes;
} job;

enum { WIDE = 64, JOB_VECTORS = 4 };

static tn_status job_new(const tn__kernel *kernel, const norm *s, const void *x, const void *dy, void *y, job *j)
{
    int64_t fold = s->channels && s->channels < WIDE ? WIDE / s->channels : 1, width = s->channels * fold;
    int lanes = tn__lanes((double)(s->n * s->channels) * 8);
    size_t one = (size_t)(width + 15) / 16 * 16;
    float *v = tn__scratch(kernel->context, one * JOB_VECTORS * sizeof(float) + tn__product_norm_sums_size(width) * (size_t)lanes);
    if (!v)
        return TN_RESOURCE_EXHAUSTED;
    *j = (job){ .rows = { x, dy, y, width, width, v, v + one, v + 2 * one, v + 3 * one }, .row_count = s->n / fold, .rest_count = s->n % fold,
                .vectors = v, .sums = (char *)(v + JOB_VECTORS * one), .lanes = lanes };
    int64_t behind = j->row_count * width;
    j->rest = j->rows;
    j->rest.columns = j->rest.step = s->channels;
    j->rest.x += behind;
    j->rest.dy += dy ? behind : 0;
    j->rest.y += y ? behind : 0;
    return TN_OK;
}

/* One of the vectors, as often as a row has the channels. */
static void put(const job *j, const float *vector, const norm *s, const double *from)
{
    for (int64_t i = 0; i < j->rows.columns; i++)
        j->vectors[vector - j->vectors + i] = (float)from[i % s->channels];
}

static void scale_lane(void *self, int lane, int lanes)
{
    const job *j = self;
    int64_t first, last;
    tn__share(j->row_count, 1, lane, lanes, &first, &last);
    tn__kernels()->column_norm(&j->rows, first, last);
    if (lane == lanes - 1)
        tn__kernels()->column_norm(&j->rest, 0, j->rest_count);
}

static void sum_lane(void *self, int lane, int lanes)
{
    const job *j = self;
    int64_t first, last, width = j->rows.columns;
    double *total = (double *)(void *)(j->sums + (size_t)lane * tn__product_norm_sums_size(width));
    memset(total, 0, tn__product_norm_sums_size(width));
    tn__share(j->row_count, 1, lane, lanes, &first, &last);
    tn__product_norm_sums(&j->rows, first, last, width, total);
    if (lane == lanes - 1)
        tn__product_norm_sums(&j->rest, 0, j->rest_count, width, total);
}

/* Into sum and product, as column_norm_sums() has them, less the mean that `put` was given. */
static void sum_up(job *j, norm *s)
{
    int64_t width = j->rows.columns;
    if (s->n == 0)
        return;
    tn__parallel(j->lanes, sum_lane, j);
    for (int lane = 0; lane < j->lanes; lane++) {
        const double *total = (const double *)(const void *)(j->sums + (size_t)lane * tn__product_norm_sums_size(width));
        for (int64_t i = 0; i < width; i++) {
            s->sum[i % s->channels] += total[i];
            s->product[i % s->channels] += total[width + i];
        }
    }
}

/* Of some rows, from all over the batch: what is summed up less it loses no digits. */
static void guess_mean(norm *s, const float *x)
{
    enum { ROWS = 32 };
    int64_t rows = s->n < ROWS ? s->n : ROWS;
    tn__kernels()->sum_columns(x, s->n / rows * s->channels, rows, s->channels, s->mean);
    for (int64_t c = 0; c < s->channels; c++)
        s->mean[c] = isfinite(s->mean[c]) ? (double)(float)(s->mean[c] / (double)rows) : 0;
}

/* With d = x - guess: mean = guess + m(d), variance = m(d²) - m(d)² */
static tn_status measure_f32(const tn__kernel *kernel, norm *s, const float *x)
{
    job j;
    TN_TRY(job_new(kernel, s, x, NULL, NULL, &j));
    guess_mean(s, x);
    put(&j, j.rows.mean, s, s->mean);
    sum_up(&j, s);
    for (int64_t c = 0; c < s->channels; c++) {
        double from_guess = s->sum[c] / (double)s->n, variance = s->product[c] / (double)s->n - from_guess * from_guess;
        s->mean[c] += from_guess;
        s->variance[c] = variance < 0 ? 0 : variance;
    }
    return TN_OK;
}

/* What float leaves of the mean goes into the offset. */
static tn_status scale_f32(const tn__kernel *kernel, norm *s, const float *x, float *y)
{
    job j;
    TN_TRY(job_new(kernel, s, x, NULL, y, &j));
    for (int64_t c = 0; c < s->channels; c++)
        s->offset[c] += ((double)(float)s->mean[c] - s->mean[c]) * s->factor[c];
    put(&j, j.rows.mean, s, s->mean);
    put(&j, j.rows.slope, s, s->factor);
    put(&j, j.rows.offset, s, s->offset);
    tn__parallel(j.lanes, scale_lane, &j);
    return TN_OK;
}

static tn_status sums_f32(const tn__kernel *kernel, norm *s, const float *dy, const float *x)
{
    job j;
    TN_TRY(job_new(kernel, s, x, dy, NULL, &j));
    put(&j, j.rows.mean, s, s->mean);
    sum_up(&j, s);
    return TN_OK;
}

static tn_status spread_f32(const tn__kernel *kernel, norm *s, const float *dy, const float *x, float *dx)
{
    job j;
    TN_TRY(job_new(kernel, s, x, dy, dx, &j));
    for (int64_t c = 0; c < s->channels; c++) {
        s->product[c] *= -s->factor[c];
        s->offset[c] *= -s->factor[c];
    }
    put(&j, j.rows.mean, s, s->mean);
    put(&j, j.rows.slope, s, s->product);
    put(&j, j.rows.offset, s, s->offset);
    put(&j, j.rows.factor, s, s->factor);
    tn__parallel(j.lanes, scale_lane, &j);
    return TN_OK;
}

/* What the running averages become: the batch's mean, and its variance with n - 1; moved by the
 * factor. */
static void store_averages(const tn__kernel *kernel, const norm *s)
{
    double factor = ((const norm_attrs *)kernel->attrs)->exponential_avg_factor;
    double bessel = (double)s->n / (double)(s->n > 1 ? s->n - 1 : 1);
    const double *batch[] = { s->mean, s->variance };
    for (int k = 0; k < 2; k++) {
        const tn_tensor *old = kernel->input[3 + k];
        tn_tensor *out = kernel->output[1 + k];
        size_t size = tn__dtype_size((tn_dtype)out->dtype);
        for (int64_t c = 0; c < s->channels; c++) {
            double value = s->n ? batch[k][c] * (k ? bessel : 1) : NAN;
            if (factor != 1)
                value = (1 - factor) * tn__double_at(old, c) + factor * value;
            tn__element_from_double((tn_dtype)out->dtype, value,
                                    (char *)out->data + (size_t)c * size);
        }
    }
}

static tn_status prepare_forward(const tn__kernel *kernel, norm *s)
{
    const norm_attrs *attrs = kernel->attrs;
    const tn_tensor *x = kernel->input[0];
    if (!attrs->is_training) {
        load(kernel->input[3], s->channels, s->mean);
        load(kernel->input[4], s->channels, s->variance);
    } else if (s->n > 0 && x->dtype == TN_FLOAT32) {
        TN_TRY(measure_f32(kernel, s, x->data));
    } else if (s->n > 0) {
        measure_f64(s, x->data);
    }
    for (int64_t c = 0; c < s->channels; c++)
        s->factor[c] = tn__double_at(kernel->input[1], c) / sqrt(s->variance[c] + attrs->epsilon);
    load(kernel->input[2], s->channels, s->offset);
    return TN_OK;
}

static tn_status make_output(const tn__kernel *kernel, norm *s)
{
    const tn_tensor *x = kernel->input[0];
    TN_TRY(prepare_forward(kernel, s));
    if (x->dtype == TN_FLOAT32)
        return scale_f32(kernel, s, x->data, kernel->output[0]->data);
    scale_f64(s, x->data, kernel->output[0]->data);
    return TN_OK;
}

/* The reserves are what the gradient needs: mean and variance as they were used. */
static tn_status norm_last(tn__kernel *kernel)
{
    norm s;
    bool training = ((const norm_attrs *)kernel->attrs)->is_training;
    TN_TRY(norm_new(kernel->input[0], tn__count(kernel->input[1]), &s));
    tn_status status = make_output(kernel, &s);
    if (training) {
        store_averages(kernel, &s);
    } else {
        store(s.mean, s.channels, kernel->output[1]);
        store(s.variance, s.channels, kernel->output[2]);
    }
    for (int64_t c = 0; training && s.n == 0 && c < s.channels; c++)
        s.mean[c] = s.variance[c] = NAN;
    store(s.mean, s.channels, kernel->output[3]);
    store(s.variance, s.channels, kernel->output[4]);
    store((double[]){ 0 }, 1, kernel->output[5]);
    norm_free(&s);
    return status;
}

/* dscale = Σ dy h, doffset = Σ dy; dx = scale r (dy - m(dy) - h m(dy h)), the means only in
 * training */
static void prepare_backward(const tn__kernel *kernel, norm *s)
{
    const norm_attrs *attrs = kernel->attrs;
    for (int64_t c = 0; c < s->channels; c++) {
        double r = s->n ? 1 / sqrt(s->variance[c] + attrs->epsilon) : 0;
        double mean = s->product[c] * r * r / (double)(s->n ? s->n : 1);
        s->product[c] *= r;
        s->factor[c] = tn__double_at(kernel->input[2], c) * r;
        s->offset[c] = attrs->is_training ? s->sum[c] / (double)(s->n ? s->n : 1) : 0;
        s->variance[c] = attrs->is_training ? mean : 0;
    }
    store(s->product, s->channels, kernel->output[1]);
    store(s->sum, s->channels, kernel->output[2]);
    memcpy(s->product, s->variance, (size_t)s->channels * sizeof *s->product);
}

static tn_status make_gradient(const tn__kernel *kernel, norm *s)
{
    const void *dy = kernel->input[0]->data, *x = kernel->input[1]->data;
    void *dx = kernel->output[0]->data;
    load(kernel->input[3], s->channels, s->mean);
    load(kernel->input[4], s->channels, s->variance);
    if (kernel->input[1]->dtype == TN_FLOAT32) {
        TN_TRY(sums_f32(kernel, s, dy, x));
        prepare_backward(kernel, s);
        return spread_f32(kernel, s, dy, x, dx);
    }
    sums_f64(s, dy, x);
    prepare_backward(kernel, s);
    spread_f64(s, dy, x, dx);
    return TN_OK;
}

static tn_status norm_gradient_last(tn__kernel *kernel)
{
    norm s;
    const tn_tensor *x = kernel->input[1];
    if (kernel->input[0]->dtype != x->dtype)
        return tn__fail(TN_INTERNAL, "%s: x and y_backprop differ in dtype", kernel->op->name);
    TN_TRY(norm_new(x, tn__count(kernel->input[2]), &s));
    tn_status status = make_gradient(kernel, &s);
    norm_free(&s);
    return status;
}

static tn_status norm_compute(tn__kernel *kernel)
{
    return tn__in_channels_last(kernel, ((const norm_attrs *)kernel->attrs)->data_format, 1, true,
                                norm_last);
}

static tn_status norm_gradient_compute(tn__kernel *kernel)
{
    return tn__in_channels_last(kernel, ((const norm_attrs *)kernel->attrs)->data_format, 1 | 2,
                                true, norm_gradient_last);
}

/* --- gradients -------------------------------------------------------------------------------- */
/* Of y only, as TensorFlow's: the averages are no place to learn from. In training the reserves are
 * the batch's own mean and variance; else the given ones, which get none. */
static void norm_gradient(tn__gradient *g)
{
    bool training = ((const norm_attrs *)g->attrs)->is_training;
    if (!g->dout[0])
        return;
    tn_tensor *inputs[] = { g->dout[0],
                            g->in[0],
                            g->in[1],
                            training ? g->out[3] : g->in[3],
                            training ? g->out[4] : g->in[4],
                            g->out[5] };
    tn_list found = tn__apply_list(&tn__op_FusedBatchNormGradV3, g->attrs, inputs, 6, 5);
    for (int i = 0; i < 3 && found.item; i++)
        g->din[i] = found.item[i];
}

/* The pieces of the second derivative, all in the dtype of scale. */
typedef struct {
    bool first; /* channels */
    int rank;
    tn_tensor *dy, *s, *r, *h;
} second;

/* A vector of channels in a shape that broadcasts over images. */
static tn_tensor *per_channel(const second *t, tn_tensor *v)
{
    int64_t dims[TN_MAX_RANK] = { TN_NONE, 1, 1, 1, 1, 1, 1, 1 };
    return t->first ? TN__APPLY(tn__op_Reshape, NULL, v, tn__ints(dims, (size_t)t->rank - 1)) : v;
}

static tn_reduce_options over_pixels(const second *t, tn_tensor *x, bool keep)
{
    tn_reduce_options o = { .size_ = sizeof o, .input = x, .keepdims = keep };
    for (int i = 0; i < t->rank; i++)
        if (i != (t->first ? 1 : t->rank - 1))
            o.axis.axis[o.axis.count++] = i;
    return o;
}

static tn_tensor *mean(const second *t, tn_tensor *x)
{
    tn_reduce_options o = over_pixels(t, x, true);
    return tn_reduce_mean_with(&o);
}

static tn_tensor *total(const second *t, tn_tensor *x)
{
    tn_reduce_options o = over_pixels(t, x, false);
    return tn_reduce_sum_with(&o);
}

/* x - m(x) - h m(x h) */
static tn_tensor *centred(const second *t, tn_tensor *x)
{
    return tn_subtract(tn_subtract(x, mean(t, x)),
                       tn_multiply(t->h, mean(t, tn_multiply(x, t->h))));
}

/* By x, in training. With cotangents a of dx and b of dscale, and q = b dy - s r (a m(dy h) + dy
 * m(a h)): r (q - m(q) - h m(q h)) - s r² h (m(a dy) - m(a) m(dy) - m(a h) m(dy h)) */
static tn_tensor *second_by_x(const second *t, tn_tensor *a, tn_tensor *b)
{
    tn_tensor *ah = mean(t, tn_multiply(a, t->h)), *dyh = mean(t, tn_multiply(t->dy, t->h)),
              *sr = tn_multiply(t->s, t->r);
    tn_tensor *q =
        tn_subtract(tn_multiply(b, t->dy),
                    tn_multiply(sr, tn_add(tn_multiply(a, dyh), tn_multiply(t->dy, ah))));
    tn_tensor *spread =
        tn_subtract(mean(t, tn_multiply(a, t->dy)), tn_multiply(mean(t, a), mean(t, t->dy)));
    spread = tn_multiply(tn_multiply(sr, t->r),
                         tn_multiply(t->h, tn_subtract(spread, tn_multiply(ah, dyh))));
    return tn_subtract(tn_multiply(t->r, centred(t, q)), spread);
}

/* dx, dscale and doffset as functions of dy, x and scale, with cotangents a, b, c; P(t) = t - m(t)
 * - h m(t h) in training, else t:   by dy: s r P(a) + b h + c    by x: above, else b r dy    by
 * scale: Σ a r P(dy) */
static void norm_gradient_gradient(tn__gradient *g)
{
    const norm_attrs *attrs = g->attrs;
    tn_tensor *x = g->in[1], *v = g->in[4];
    if (!x->shape.known) {
        tn__fail(TN_UNIMPLEMENTED, "%s: the gradient needs a known rank", g->op->name);
        return;
    }
    tn_dtype image = (tn_dtype)x->dtype, dtype = (tn_dtype)g->in[2]->dtype;
    second t = { .first = channels_first(attrs),
                 .rank = x->shape.rank,
                 .dy = tn_cast(g->in[0], dtype) };
    t.s = per_channel(&t, g->in[2]);
    t.r = per_channel(&t, tn_rsqrt(tn_add(v, tn__like(v, attrs->epsilon))));
    t.h = tn_multiply(tn_subtract(tn_cast(x, dtype), per_channel(&t, g->in[3])), t.r);
    tn_tensor *a = tn_cast(tn__dout(g, 0), dtype), *b = per_channel(&t, tn__dout(g, 1)),
              *c = per_channel(&t, tn__dout(g, 2));
    bool training = attrs->is_training;
    tn_tensor *sr = tn_multiply(t.s, t.r);
    tn_tensor *by_dy =
        tn_add(tn_multiply(sr, training ? centred(&t, a) : a), tn_add(tn_multiply(b, t.h), c));
    g->din[0] = tn_cast(by_dy, image);
    if (g->wanted[1])
        g->din[1] = tn_cast(
            training ? second_by_x(&t, a, b) : tn_multiply(tn_multiply(b, t.r), t.dy), image);
    if (g->wanted[2])
        g->din[2] =
            total(&t, tn_multiply(tn_multiply(a, t.r), training ? centred(&t, t.dy) : t.dy));
}

/* --- the ops ---------------------------------------------------------------------------------- */
/* TensorFlow has no double here; what it has is the same. */
const tn__op tn__op_FusedBatchNormV3 = {
    .name = "FusedBatchNormV3",
    .inputs = "x: T, scale: U, offset: U, mean: U, variance: U",
    .outputs = "y: T, batch_mean: U, batch_variance: U, reserve_space_1: U, reserve_space_2: U, "
               "reserve_space_3: U",
    .types = "T: floating; U: floating",
    .attrs = norm_fields,
    .attrs_size = sizeof(norm_attrs),
    .infer = norm_infer,
    .compute = norm_compute,
    .gradient = norm_gradient,
};

const tn__op tn__op_FusedBatchNormGradV3 = {
    .name = "FusedBatchNormGradV3",
    .inputs =
        "y_backprop: T, x: T, scale: U, reserve_space_1: U, reserve_space_2: U, reserve_space_3: U",
    .outputs = "x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_4: U, "
               "reserve_space_5: U",
    .types = "T: floating; U: floating",
    .attrs = norm_gradient_fields,
    .attrs_size = sizeof(norm_attrs),
    .infer = norm_gradient_infer,
    .compute = norm_gradient_compute,
    .gradient = norm_gradient_gradient,
};

/* --- for layers ------------------------------------------------------------------------------- */
static tn_tensor *as_image(tn_tensor *x)
{
    int rank = x->shape.rank;
    int64_t dims[] = { TN_NONE, 1, 1, x->shape.dims[rank - 1] };
    return rank == 4 || rank == 5 ? x : TN__APPLY(tn__op_Reshape, NULL, x, tn__ints(dims, 4));
}

tn_list tn__batch_norm(tn_tensor *x, tn_tensor *gamma, tn_tensor *beta, double epsilon)
{
    norm_attrs attrs = { epsilon, 1, x->shape.rank == 5 ? "NDHWC" : "NHWC", true };
    tn_tensor *nothing = tn_zeros(TN_SHAPE(0), (tn_dtype)x->dtype), *image = as_image(x);
    tn_list all = tn__apply_list(&tn__op_FusedBatchNormV3, &attrs, (tn_tensor *[]){ image, gamma, beta, nothing, nothing }, 5, 6);
    if (!all.item)
        return all;
    tn_tensor *y = image == x ? all.item[0] : TN__APPLY(tn__op_Reshape, NULL, all.item[0], tn__shape_tensor(x));
    return TN_LIST(y, all.item[3], all.item[4]);
}

/* --- tf.compat.v1.nn.fused_batch_norm --------------------------------------------------------- */
tn_list tn_nn_fused_batch_norm_with(const tn_nn_fused_batch_norm_options *options)
{
    tn_list none = { 0, NULL };
    TN__ENTER_OPTIONS(context, options, none);
    const double least = 1.001e-5; /* TensorFlow's, for cuDNN's sake */
    if (!tn__check_tensor(options->scale, "tn_nn_fused_batch_norm: scale"))
        return none;
    norm_attrs attrs = { fmax(options->epsilon, least), options->exponential_avg_factor,
                         options->data_format ? options->data_format : "NHWC",
                         options->is_training };
    tn_tensor *nothing = tn_zeros(TN_SHAPE(0), (tn_dtype)options->scale->dtype);
    tn_tensor *inputs[] = { options->x, options->scale, options->offset,
                            options->mean ? options->mean : nothing,
                            options->variance ? options->variance : nothing };
    tn_list all = tn__apply_list(&tn__op_FusedBatchNormV3, &attrs, inputs, 5, 6);
    return all.item ? (tn_list){ 3, all.item } : none;
}
