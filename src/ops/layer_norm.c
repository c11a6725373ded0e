/* layer_norm.c - rows of the last axis, or groups of an image's channels, less their mean, over the root of their variance, in one op.
 * TensorFlow has none such: where a graph is for others to read it is made of others (saving/graph_norm.c).
 *
 * m(t): a row's or group's mean, r = 1 / √(m((x - m(x))²) + ε), h = (x - m(x)) r. With `rms`, as RMSNormalization has it, the mean
 * stays in: r = 1 / √(m(x²) + ε), h = x r. */
#include "ops/array.h"
#include "ops/product.h"
#include "ops/window.h"
#include "kernels/parallel.h"
#include <math.h>
#include <string.h>

typedef struct {
    tn_flag rms; /* of rows; groups are always less their mean */
    double epsilon;
} norm_attrs;
static const tn_field norm_fields[] = {
    TN__ROW(TN_FIELD_FLAG, norm_attrs, rms, "false", NULL),
    TN__ROW(TN_FIELD_FLOAT, norm_attrs, epsilon, "0.001", NULL),
    TN__END_OF_FIELDS,
};

/* --- shapes ----------------------------------------------------------------------------------- */
static tn_status check_vector(const tn__infer *infer, size_t input, const tn_shape *x)
{
    const tn_shape *v = &infer->input[input]->shape;
    int64_t size = tn__dim_of(x, x->rank - 1), own = tn__dim_of(v, 0);
    TN_TRY(tn__infer_rank(infer, input, 1, 1));
    if (x->known && size >= 0 && own >= 0 && size != own)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: one number for each of %lld in a row, got %s", infer->op->name, (long long)size,
                        TN__TENSOR(infer->input[input]));
    return TN_OK;
}

static tn_status norm_infer(tn__infer *infer)
{
    const tn_shape *x = &infer->input[0]->shape;
    TN_TRY(tn__infer_rank(infer, 0, 1, TN_MAX_RANK));
    TN_TRY(check_vector(infer, 1, x));
    TN_TRY(check_vector(infer, 2, x));
    infer->output[0].shape = *x;
    return TN_OK;
}

static tn_status norm_gradient_infer(tn__infer *infer)
{
    const tn_shape *dy = &infer->input[0]->shape, *x = &infer->input[1]->shape;
    TN_TRY(tn__infer_rank(infer, 1, 1, TN_MAX_RANK));
    if (!tn__shape_merge(x, dy, &infer->output[0].shape))
        return tn__fail(TN_INVALID_ARGUMENT, "%s: dy is like x, %s, got %s", infer->op->name, TN__TENSOR(infer->input[1]),
                        TN__TENSOR(infer->input[0]));
    TN_TRY(check_vector(infer, 2, x));
    infer->output[1].shape = infer->output[2].shape = infer->input[2]->shape;
    if (!infer->input[2]->shape.known)
        infer->output[1].shape = infer->output[2].shape = tn__shape_of_rank(1);
    return TN_OK;
}

/* gamma and beta are as the last two dimensions of x. */
static tn_status check_grouped(const tn__infer *infer, size_t x, size_t first, size_t count)
{
    TN_TRY(tn__infer_rank(infer, x, 3, TN_MAX_RANK));
    for (size_t i = first; i < first + count; i++) {
        const tn_shape *in = &infer->input[x]->shape, *v = &infer->input[i]->shape;
        TN_TRY(tn__infer_rank(infer, i, 2, 2));
        for (int k = 0; k < 2 && in->known && v->known; k++)
            if (in->dims[in->rank - 2 + k] >= 0 && v->dims[k] >= 0 && in->dims[in->rank - 2 + k] != v->dims[k])
                return tn__fail(TN_INVALID_ARGUMENT, "%s: a number for each channel of each group of %s, got %s", infer->op->name,
                                TN__TENSOR(infer->input[x]), TN__TENSOR(infer->input[i]));
    }
    return TN_OK;
}

static tn_status group_infer(tn__infer *infer)
{
    infer->output[0].shape = infer->input[0]->shape;
    return check_grouped(infer, 0, 1, 2);
}

static tn_status group_gradient_infer(tn__infer *infer)
{
    if (!tn__shape_merge(&infer->input[1]->shape, &infer->input[0]->shape, &infer->output[0].shape))
        return tn__fail(TN_INVALID_ARGUMENT, "%s: dy is like x, %s, got %s", infer->op->name, TN__TENSOR(infer->input[1]),
                        TN__TENSOR(infer->input[0]));
    infer->output[1].shape = infer->output[2].shape = infer->input[2]->shape.known ? infer->input[2]->shape : tn__shape_of_rank(2);
    return check_grouped(infer, 1, 2, 1);
}

/* --- reference kernels, in double -------------------------------------------------------------- */
static void measure(const double *x, int64_t n, const norm_attrs *attrs, double *mean, double *factor)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n && !attrs->rms; i++)
        sum += x[i];
    *mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *factor = 1 / sqrt(squares / (double)n + attrs->epsilon);
}

static void norm_row(const double *x, const double *gamma, const double *beta, int64_t n, const norm_attrs *attrs, double *y)
{
    double mean, factor;
    measure(x, n, attrs, &mean, &factor);
    for (int64_t i = 0; i < n; i++)
        y[i] = (x[i] - mean) * factor * gamma[i] + beta[i];
}

static void gradient_row(const double *dy, const double *x, const double *gamma, int64_t n, const norm_attrs *attrs, double *dx,
                         double *dgamma, double *dbeta)
{
    double mean, factor, sum = 0, product = 0;
    measure(x, n, attrs, &mean, &factor);
    for (int64_t i = 0; i < n; i++) {
        double h = (x[i] - mean) * factor;
        sum += attrs->rms ? 0 : dy[i] * gamma[i];
        product += dy[i] * gamma[i] * h;
        dgamma[i] += dy[i] * h;
        dbeta[i] += dy[i];
    }
    for (int64_t i = 0; i < n; i++)
        dx[i] = (dy[i] * gamma[i] - sum / (double)n - (x[i] - mean) * factor * product / (double)n) * factor;
}

/* --- float32: rows are shared between threads ------------------------------------------------- */
static int64_t rows_of(const tn_tensor *x, int64_t *count)
{
    *count = x->shape.dims[x->shape.rank - 1];
    return *count ? tn__count(x) / *count : 0;
}

typedef struct {
    tn__layer_norm n;
    int64_t rows;
    char *scratch; /* of the gradient: each lane's sums, in double and of a few rows */
} job;

static double *sums_of(const job *j, int lane)
{
    return (double *)(void *)(j->scratch + (size_t)lane * tn__product_norm_sums_size(j->n.count));
}

static void norm_lane(void *self, int lane, int lanes)
{
    const job *j = self;
    int64_t first, last;
    tn__share(j->rows, 1, lane, lanes, &first, &last);
    tn__kernels()->layer_norm(&j->n, first, last);
}

static void gradient_lane(void *self, int lane, int lanes)
{
    enum { ROWS = 32 };
    const job *j = self;
    int64_t first, last, sums = j->n.count * 2;
    double *total = sums_of(j, lane);
    float *part = tn__product_norm_sums_in_float(total, j->n.count);
    memset(total, 0, tn__product_norm_sums_size(j->n.count));
    tn__share(j->rows, 1, lane, lanes, &first, &last);
    for (int64_t r = first; r < last; r += ROWS) {
        tn__kernels()->layer_norm_gradient(&j->n, r, r + ROWS < last ? r + ROWS : last, part);
        for (int64_t i = 0; i < sums; i++) {
            total[i] += (double)part[i];
            part[i] = 0;
        }
    }
}

static tn_status norm_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    const norm_attrs *attrs = kernel->attrs;
    const void *gamma = kernel->input[1]->data, *beta = kernel->input[2]->data;
    int64_t count, rows = rows_of(x, &count);
    if (x->dtype == TN_FLOAT32) {
        job j = { .n = { x->data, NULL, gamma, beta, kernel->output[0]->data, count, (float)attrs->epsilon, attrs->rms },
                  .rows = rows };
        tn__parallel(tn__lanes((double)tn__count(x) * 8), norm_lane, &j);
    } else {
        for (int64_t r = 0; r < rows; r++)
            norm_row((const double *)x->data + r * count, gamma, beta, count, attrs, (double *)kernel->output[0]->data + r * count);
    }
    return TN_OK;
}

static tn_status gradient_f32(tn__kernel *kernel, job *j)
{
    int lanes = tn__lanes((double)j->rows * (double)j->n.count * 16);
    float *dgamma = kernel->output[1]->data, *dbeta = kernel->output[2]->data;
    int64_t count = j->n.count;
    j->scratch = tn__scratch(kernel->context, tn__product_norm_sums_size(count) * (size_t)lanes);
    if (!j->scratch)
        return TN_RESOURCE_EXHAUSTED;
    tn__parallel(lanes, gradient_lane, j);
    double *total = sums_of(j, 0);
    for (int lane = 1; lane < lanes; lane++) {
        const double *more = sums_of(j, lane);
        for (int64_t i = 0; i < count * 2; i++)
            total[i] += more[i];
    }
    for (int64_t i = 0; i < count; i++) {
        dgamma[i] = (float)total[i];
        dbeta[i] = (float)total[count + i];
    }
    return TN_OK;
}

static tn_status norm_gradient_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[1];
    const norm_attrs *attrs = kernel->attrs;
    const void *dy = kernel->input[0]->data, *gamma = kernel->input[2]->data;
    int64_t count, rows = rows_of(x, &count);
    if (x->dtype == TN_FLOAT32)
        return gradient_f32(kernel, &(job){ .n = { x->data, dy, gamma, NULL, kernel->output[0]->data, count, (float)attrs->epsilon,
                                                   attrs->rms }, .rows = rows });
    for (size_t i = 1; i < 3; i++)
        memset(kernel->output[i]->data, 0, tn__byte_count(kernel->output[i]));
    for (int64_t r = 0; r < rows; r++)
        gradient_row((const double *)dy + r * count, (const double *)x->data + r * count, gamma, count, attrs,
                     (double *)kernel->output[0]->data + r * count, kernel->output[1]->data, kernel->output[2]->data);
    return TN_OK;
}

/* --- groups of channels ----------------------------------------------------------------------- */
/* x: (image, ..., group, channel of the group). A group's mean and variance are of all its image; an image is rows of channels. Lanes
 * share the images, or where those are too few their groups: every sum is of one channel of one image, and so the same. */
typedef struct {
    const tn_tensor *x, *dy, *gamma, *beta; /* dy: for the gradient, beta: else */
    tn_tensor *y;
    int64_t images, rows, groups, channels, size; /* size: of a group */
    int64_t first, step; /* where the channels begin of the row's `step`: an image's groups may be shared out */
    double epsilon;
    char *scratch;
} groups;

enum { MEAN, SLOPE, OFFSET, FACTOR, VECTORS, DGAMMA = VECTORS, DBETA, ALL_VECTORS };

/* What a lane has for itself: numbers of each channel, the same in float, and sums. */
typedef struct {
    double *v[ALL_VECTORS], *total;
    float *as_float;
} lane_of_groups;

static size_t lane_size(int64_t channels)
{
    size_t padded = (size_t)(channels + 15) / 16 * 16;
    return padded * (ALL_VECTORS * sizeof(double) + VECTORS * sizeof(float)) + tn__product_norm_sums_size(channels);
}

static lane_of_groups lane_at(const groups *g, int lane)
{
    int64_t padded = (g->step + 15) / 16 * 16;
    double *v = (double *)(void *)(g->scratch + (size_t)lane * lane_size(g->step));
    lane_of_groups l = { .as_float = (float *)(void *)(v + ALL_VECTORS * padded) };
    for (int i = 0; i < ALL_VECTORS; i++)
        l.v[i] = v + i * padded + g->first;
    l.total = (double *)(void *)(l.as_float + VECTORS * padded);
    return l;
}

/* An image as the kernels take it, its vectors in float. */
static tn__column_norm in_float(const groups *g, const lane_of_groups *l, int64_t image, bool dy)
{
    int64_t at = image * g->rows * g->step + g->first, padded = (g->channels + 15) / 16 * 16;
    float *v = l->as_float;
    for (int k = 0; k < VECTORS; k++)
        for (int64_t c = 0; c < g->channels; c++)
            v[k * padded + c] = (float)l->v[k][c];
    return (tn__column_norm){ (const float *)g->x->data + at, dy ? (const float *)g->dy->data + at : NULL, (float *)g->y->data + at,
                              g->channels, g->step, v, v + SLOPE * padded, v + OFFSET * padded, v + FACTOR * padded };
}

/* Where number i of the channels' numbers of an image lies. */
static int64_t place_of(const groups *g, int64_t image, int64_t i)
{
    return (image * g->rows + i / g->channels) * g->step + g->first + i % g->channels;
}

/* total[c] = Σ e, total[channels + c] = Σ e (x - mean), e = dy or x - mean */
static void sum_image(const groups *g, const lane_of_groups *l, int64_t image, bool dy)
{
    int64_t n = g->channels;
    memset(l->total, 0, tn__product_norm_sums_size(n));
    if (g->x->dtype == TN_FLOAT32) {
        tn__column_norm f = in_float(g, l, image, dy);
        tn__product_norm_sums(&f, 0, g->rows, n, l->total);
        return;
    }
    for (int64_t i = 0; i < g->rows * n; i++) {
        int64_t at = place_of(g, image, i);
        double d = ((const double *)g->x->data)[at] - l->v[MEAN][i % n], e = dy ? ((const double *)g->dy->data)[at] : d;
        l->total[i % n] += e;
        l->total[n + i % n] += e * d;
    }
}

/* y = (x - mean) slope + offset, and + dy factor for the gradient. */
static void scale_image(const groups *g, const lane_of_groups *l, int64_t image)
{
    int64_t n = g->channels;
    if (g->x->dtype == TN_FLOAT32) {
        tn__column_norm f = in_float(g, l, image, g->dy != NULL);
        tn__kernels()->column_norm(&f, 0, g->rows);
        return;
    }
    for (int64_t i = 0; i < g->rows * n; i++) {
        int64_t at = place_of(g, image, i);
        double y = (((const double *)g->x->data)[at] - l->v[MEAN][i % n]) * l->v[SLOPE][i % n] + l->v[OFFSET][i % n];
        ((double *)g->y->data)[at] = g->dy ? y + ((const double *)g->dy->data)[at] * l->v[FACTOR][i % n] : y;
    }
}

/* Into every channel's place of a group: the mean of the group's totals, with weights of the channels where there are some. */
static void mean_of_groups(const groups *g, const double *total, const tn_tensor *weight, double *mean)
{
    int64_t size = g->size;
    for (int64_t first = 0; first < g->channels; first += size) {
        double sum = 0;
        for (int64_t c = first; c < first + size; c++)
            sum += total[c] * (weight ? tn__double_at(weight, g->first + c) : 1);
        for (int64_t c = first; c < first + size; c++)
            mean[c] = sum / (double)(size * g->rows);
    }
}

/* The mean as float holds it, what that leaves of it in OFFSET, and 1 / √(variance + ε) in FACTOR. */
static void measure_image(const groups *g, const lane_of_groups *l, int64_t image)
{
    memset(l->v[MEAN], 0, (size_t)g->channels * sizeof(double));
    sum_image(g, l, image, false);
    mean_of_groups(g, l->total, NULL, l->v[MEAN]);
    for (int64_t c = 0; c < g->channels && g->x->dtype == TN_FLOAT32; c++)
        l->v[MEAN][c] = (double)(float)l->v[MEAN][c];
    sum_image(g, l, image, false);
    mean_of_groups(g, l->total, NULL, l->v[OFFSET]);
    mean_of_groups(g, l->total + g->channels, NULL, l->v[FACTOR]);
    for (int64_t c = 0; c < g->channels; c++)
        l->v[FACTOR][c] = 1 / sqrt(l->v[FACTOR][c] - l->v[OFFSET][c] * l->v[OFFSET][c] + g->epsilon);
}

static void norm_image(const groups *g, const lane_of_groups *l)
{
    for (int64_t c = 0; c < g->channels; c++) {
        l->v[SLOPE][c] = l->v[FACTOR][c] * tn__double_at(g->gamma, g->first + c);
        l->v[OFFSET][c] = tn__double_at(g->beta, g->first + c) - l->v[OFFSET][c] * l->v[SLOPE][c];
    }
}

/* dx = r dy gamma - r m(dy gamma) - r² m(dy gamma h) (x - m(x)) */
static void gradient_image(const groups *g, const lane_of_groups *l, int64_t image)
{
    int64_t n = g->channels;
    sum_image(g, l, image, true);
    for (int64_t c = 0; c < n; c++) {
        l->total[n + c] = (l->total[n + c] - l->v[OFFSET][c] * l->total[c]) * l->v[FACTOR][c];
        l->v[DGAMMA][c] += l->total[n + c];
        l->v[DBETA][c] += l->total[c];
    }
    mean_of_groups(g, l->total + n, g->gamma, l->v[SLOPE]);
    mean_of_groups(g, l->total, g->gamma, l->total);
    for (int64_t c = 0; c < n; c++) {
        double r = l->v[FACTOR][c];
        l->v[SLOPE][c] *= -r * r;
        l->v[OFFSET][c] = -r * l->total[c] - l->v[SLOPE][c] * l->v[OFFSET][c];
        l->v[FACTOR][c] = r * tn__double_at(g->gamma, g->first + c);
    }
}

/* Groups from the first to before the last of an image, with the lane's own room. */
static void run_groups(const groups *all, int lane, int64_t image, int64_t first, int64_t last)
{
    groups part = *all, *g = &part;
    g->first = first * g->size;
    g->channels = (last - first) * g->size;
    lane_of_groups l = lane_at(g, lane);
    measure_image(g, &l, image);
    if (g->dy)
        gradient_image(g, &l, image);
    else
        norm_image(g, &l);
    scale_image(g, &l, image);
}

/* Groups that are shared out together: an image's where there are images for all lanes, else so many that each begins on a vector. */
static int64_t groups_together(const groups *g, int lanes)
{
    enum { VECTOR = 16 };
    int64_t together = g->images >= lanes && g->groups > 0 ? g->groups : 1;
    while (together < g->groups && (together * g->size % VECTOR || g->groups % together))
        together++;
    return together;
}

static void groups_lane(void *self, int lane, int lanes)
{
    const groups *g = self;
    lane_of_groups l = lane_at(g, lane);
    int64_t first, last, end;
    memset(l.v[0], 0, lane_size(g->step));
    tn__share(g->images * g->groups, groups_together(g, lanes), lane, lanes, &first, &last);
    for (; first < last; first = end) {
        int64_t image = first / g->groups, begin = image * g->groups;
        end = last < begin + g->groups ? last : begin + g->groups;
        run_groups(g, lane, image, first - begin, end - begin);
    }
}

static tn_status groups_run(const tn__kernel *kernel, groups *g, int *lanes)
{
    const tn_shape *x = &g->x->shape;
    g->images = x->dims[0];
    g->groups = x->dims[x->rank - 2];
    g->size = x->dims[x->rank - 1];
    g->channels = g->step = g->groups * g->size;
    g->rows = g->images > 0 && g->channels > 0 ? tn__count(g->x) / (g->images * g->channels) : 0;
    g->epsilon = ((const norm_attrs *)kernel->attrs)->epsilon;
    *lanes = tn__lanes((double)tn__count(g->x) * 16);
    g->scratch = tn__scratch(kernel->context, lane_size(g->channels) * (size_t)*lanes);
    if (!g->scratch)
        return TN_RESOURCE_EXHAUSTED;
    if (g->rows == 0)
        g->images = 0;
    tn__parallel(*lanes, groups_lane, g);
    return TN_OK;
}

static tn_status group_compute(tn__kernel *kernel)
{
    int lanes;
    return groups_run(kernel, &(groups){ .x = kernel->input[0], .gamma = kernel->input[1], .beta = kernel->input[2],
                                         .y = kernel->output[0] }, &lanes);
}

static tn_status group_gradient_compute(tn__kernel *kernel)
{
    int lanes;
    groups g = { .x = kernel->input[1], .dy = kernel->input[0], .gamma = kernel->input[2], .y = kernel->output[0] };
    TN_TRY(groups_run(kernel, &g, &lanes));
    for (int64_t c = 0; c < g.channels; c++)
        for (int k = 0; k < 2; k++) {
            tn_tensor *out = kernel->output[1 + k];
            double sum = 0;
            for (int lane = 0; lane < lanes; lane++)
                sum += lane_at(&g, lane).v[DGAMMA + k][c];
            tn__element_from_double((tn_dtype)out->dtype, sum, (char *)out->data + (size_t)c * tn__dtype_size((tn_dtype)out->dtype));
        }
    return TN_OK;
}

/* --- gradients -------------------------------------------------------------------------------- */
static void norm_gradient(tn__gradient *g)
{
    const tn__op *op = g->op == &tn__op_LayerNorm ? &tn__op_LayerNormGrad : &tn__op_GroupNormGrad;
    tn_list found = tn__apply_list(op, g->attrs, (tn_tensor *[]){ g->dout[0], g->in[0], g->in[1] }, 3, 3);
    for (int i = 0; i < 3 && found.item; i++)
        g->din[i] = found.item[i];
}

/* A row's axis, or those of a group, and whether their mean stays in. */
typedef struct {
    tn_axes axes;
    bool rms;
} extent;

static tn_tensor *mean(extent e, tn_tensor *x)
{
    return tn_reduce_mean(x, .axis = e.axes, .keepdims = true);
}

static tn_tensor *less_mean(extent e, tn_tensor *x)
{
    return e.rms ? x : tn_subtract(x, mean(e, x));
}

/* x - m(x) - h m(x h) */
static tn_tensor *centred(extent e, tn_tensor *x, tn_tensor *h)
{
    return tn_subtract(less_mean(e, x), tn_multiply(h, mean(e, tn_multiply(x, h))));
}

/* With cotangents a of dx and b of dgamma, d = dy gamma, q = b dy - r (a m(d h) + d m(a h)):
 * r P(q) - r² h (m(a (d - m(d))) - m(a h) m(d h)), P as centred() */
static tn_tensor *second_by_x(extent e, tn_tensor *a, tn_tensor *b_dy, tn_tensor *d, tn_tensor *r, tn_tensor *h)
{
    tn_tensor *ah = mean(e, tn_multiply(a, h)), *dh = mean(e, tn_multiply(d, h));
    tn_tensor *q = tn_subtract(b_dy, tn_multiply(r, tn_add(tn_multiply(a, dh), tn_multiply(d, ah))));
    tn_tensor *spread = tn_subtract(mean(e, tn_multiply(a, less_mean(e, d))), tn_multiply(ah, dh));
    spread = tn_multiply(tn_multiply(tn_square(r), h), spread);
    return tn_subtract(tn_multiply(r, centred(e, q, h)), spread);
}

/* With c of dbeta besides: by dy gamma r P(a) + b h + c, by gamma Σ dy r P(a) */
static void norm_gradient_gradient(tn__gradient *g)
{
    tn_tensor *dy = g->in[0], *x = g->in[1], *gamma = g->in[2], *a = tn__dout(g, 0), *b = tn__dout(g, 1), *c = tn__dout(g, 2);
    if (!x->shape.known) {
        tn__fail(TN_UNIMPLEMENTED, "%s: the gradient needs a known rank", g->op->name);
        return;
    }
    const norm_attrs *attrs = g->attrs;
    extent e = { g->op == &tn__op_LayerNormGrad ? TN_AXES(-1) : tn__axes_in_group(x->shape.rank, x->shape.rank - 2), attrs->rms };
    tn_tensor *from_mean = less_mean(e, x), *variance = mean(e, tn_square(from_mean));
    tn_tensor *r = variance ? tn_rsqrt(tn_add(variance, tn__like(variance, attrs->epsilon))) : NULL;
    tn_tensor *h = tn_multiply(from_mean, r), *moved = tn_multiply(r, centred(e, a, h));
    g->din[0] = tn_add(tn_multiply(gamma, moved), tn_add(tn_multiply(b, h), c));
    if (g->wanted[1])
        g->din[1] = second_by_x(e, a, tn_multiply(b, dy), tn_multiply(dy, gamma), r, h);
    if (g->wanted[2])
        g->din[2] = tn__sum_to(tn_multiply(dy, moved), gamma, dy);
}

/* --- the ops ---------------------------------------------------------------------------------- */
const tn__op tn__op_LayerNorm = {
    .name = "LayerNorm",
    .inputs = "x: T, gamma: T, beta: T",
    .outputs = "z: T",
    .types = "T: floating",
    .attrs = norm_fields,
    .attrs_size = sizeof(norm_attrs),
    .infer = norm_infer,
    .compute = norm_compute,
    .gradient = norm_gradient,
};

const tn__op tn__op_LayerNormGrad = {
    .name = "LayerNormGrad",
    .inputs = "dy: T, x: T, gamma: T",
    .outputs = "dx: T, dgamma: T, dbeta: T",
    .types = "T: floating",
    .attrs = norm_fields,
    .attrs_size = sizeof(norm_attrs),
    .infer = norm_gradient_infer,
    .compute = norm_gradient_compute,
    .gradient = norm_gradient_gradient,
};

const tn__op tn__op_GroupNorm = {
    .name = "GroupNorm",
    .inputs = "x: T, gamma: T, beta: T",
    .outputs = "z: T",
    .types = "T: floating",
    .attrs = norm_fields + 1, /* without rms */
    .attrs_size = sizeof(norm_attrs),
    .infer = group_infer,
    .compute = group_compute,
    .gradient = norm_gradient,
};

const tn__op tn__op_GroupNormGrad = {
    .name = "GroupNormGrad",
    .inputs = "dy: T, x: T, gamma: T",
    .outputs = "dx: T, dgamma: T, dbeta: T",
    .types = "T: floating",
    .attrs = norm_fields + 1, /* without rms */
    .attrs_size = sizeof(norm_attrs),
    .infer = group_gradient_infer,
    .compute = group_gradient_compute,
    .gradient = norm_gradient_gradient,
};

tn_axes tn__axes_in_group(int rank, int group)
{
    tn_axes axes = { .count = 0 };
    for (int i = 1; i < rank; i++)
        if (i != group)
            axes.axis[axes.count++] = i;
    return axes;
}

tn_tensor *tn__group_norm(tn_tensor *x, tn_tensor *gamma, tn_tensor *beta, double epsilon)
{
    const norm_attrs attrs = { .epsilon = epsilon };
    return TN__APPLY(tn__op_GroupNorm, &attrs, x, gamma, beta);
}

tn_tensor *tn__layer_norm_rows(tn_tensor *x, tn_tensor *gamma, tn_tensor *beta, bool rms, double epsilon)
{
    const norm_attrs attrs = { rms, epsilon };
    return TN__APPLY(tn__op_LayerNorm, &attrs, x, gamma, beta);
}

double tn__layer_norm_epsilon(const void *attrs)
{
    return ((const norm_attrs *)attrs)->epsilon;
}

bool tn__layer_norm_rms(const void *attrs)
{
    return ((const norm_attrs *)attrs)->rms;
}
