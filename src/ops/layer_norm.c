/* layer_norm.c - rows of the last axis less their mean, over the root of their variance, in one op. TensorFlow has none such: where
 * a graph is for others to read it is made of others (saving/graph_write.c).
 *
 * m(t): a row's mean, r = 1 / √(m((x - m(x))²) + ε), h = (x - m(x)) r. */
#include "ops/array.h"
#include "ops/window.h"
#include "kernels/parallel.h"
#include <math.h>
#include <string.h>

typedef struct {
    double epsilon;
} norm_attrs;
static const tn_field norm_fields[] = {
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

/* --- reference kernels, in double -------------------------------------------------------------- */
static void measure(const double *x, int64_t n, double epsilon, double *mean, double *factor)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *factor = 1 / sqrt(squares / (double)n + epsilon);
}

static void norm_row(const double *x, const double *gamma, const double *beta, int64_t n, double epsilon, double *y)
{
    double mean, factor;
    measure(x, n, epsilon, &mean, &factor);
    for (int64_t i = 0; i < n; i++)
        y[i] = (x[i] - mean) * factor * gamma[i] + beta[i];
}

static void gradient_row(const double *dy, const double *x, const double *gamma, int64_t n, double epsilon, double *dx, double *dgamma,
                         double *dbeta)
{
    double mean, factor, sum = 0, product = 0;
    measure(x, n, epsilon, &mean, &factor);
    for (int64_t i = 0; i < n; i++) {
        double h = (x[i] - mean) * factor;
        sum += dy[i] * gamma[i];
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

static size_t scratch_size(int64_t count)
{
    return (size_t)((count * 2 + 15) / 16 * 16) * (sizeof(double) + sizeof(float));
}

static double *sums_of(const job *j, int lane)
{
    return (double *)(void *)(j->scratch + (size_t)lane * scratch_size(j->n.count));
}

static void norm_lane(void *self, int lane, int lanes)
{
    const job *j = self;
    int64_t first, last;
    tn__share(j->rows, 1, lane, lanes, &first, &last);
    tn__kernels()->layer_norm(&j->n, first, last);
}

/* float has digits enough for the sums of a few rows. */
static void gradient_lane(void *self, int lane, int lanes)
{
    enum { ROWS = 32 };
    const job *j = self;
    int64_t first, last, sums = j->n.count * 2;
    double *total = sums_of(j, lane);
    float *part = (float *)(void *)(total + (sums + 15) / 16 * 16);
    memset(total, 0, scratch_size(j->n.count));
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
    double epsilon = ((const norm_attrs *)kernel->attrs)->epsilon;
    const void *gamma = kernel->input[1]->data, *beta = kernel->input[2]->data;
    int64_t count, rows = rows_of(x, &count);
    if (x->dtype == TN_FLOAT32) {
        job j = { .n = { x->data, NULL, gamma, beta, kernel->output[0]->data, count, (float)epsilon }, .rows = rows };
        tn__parallel(tn__lanes((double)tn__count(x) * 8), norm_lane, &j);
    } else {
        for (int64_t r = 0; r < rows; r++)
            norm_row((const double *)x->data + r * count, gamma, beta, count, epsilon, (double *)kernel->output[0]->data + r * count);
    }
    return TN_OK;
}

static tn_status gradient_f32(tn__kernel *kernel, job *j)
{
    int lanes = tn__lanes((double)j->rows * (double)j->n.count * 16);
    float *dgamma = kernel->output[1]->data, *dbeta = kernel->output[2]->data;
    j->scratch = tn__scratch(kernel->context, scratch_size(j->n.count) * (size_t)lanes);
    if (!j->scratch)
        return TN_RESOURCE_EXHAUSTED;
    tn__parallel(lanes, gradient_lane, j);
    for (int64_t i = 0; i < j->n.count; i++) {
        double by_gamma = 0, by_beta = 0;
        for (int lane = 0; lane < lanes; lane++) {
            by_gamma += sums_of(j, lane)[i];
            by_beta += sums_of(j, lane)[j->n.count + i];
        }
        dgamma[i] = (float)by_gamma;
        dbeta[i] = (float)by_beta;
    }
    return TN_OK;
}

static tn_status norm_gradient_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[1];
    double epsilon = ((const norm_attrs *)kernel->attrs)->epsilon;
    const void *dy = kernel->input[0]->data, *gamma = kernel->input[2]->data;
    int64_t count, rows = rows_of(x, &count);
    if (x->dtype == TN_FLOAT32)
        return gradient_f32(kernel, &(job){ .n = { x->data, dy, gamma, NULL, kernel->output[0]->data, count, (float)epsilon },
                                            .rows = rows });
    for (size_t i = 1; i < 3; i++)
        memset(kernel->output[i]->data, 0, tn__byte_count(kernel->output[i]));
    for (int64_t r = 0; r < rows; r++)
        gradient_row((const double *)dy + r * count, (const double *)x->data + r * count, gamma, count, epsilon,
                     (double *)kernel->output[0]->data + r * count, kernel->output[1]->data, kernel->output[2]->data);
    return TN_OK;
}

/* --- gradients -------------------------------------------------------------------------------- */
static void norm_gradient(tn__gradient *g)
{
    tn_list found = tn__apply_list(&tn__op_LayerNormGrad, g->attrs, (tn_tensor *[]){ g->dout[0], g->in[0], g->in[1] }, 3, 3);
    for (int i = 0; i < 3 && found.item; i++)
        g->din[i] = found.item[i];
}

static tn_tensor *mean(tn_tensor *x)
{
    return tn_reduce_mean(x, .axis = TN_AXES(-1), .keepdims = true);
}

/* x - m(x) - h m(x h) */
static tn_tensor *centred(tn_tensor *x, tn_tensor *h)
{
    return tn_subtract(tn_subtract(x, mean(x)), tn_multiply(h, mean(tn_multiply(x, h))));
}

/* With cotangents a of dx and b of dgamma, d = dy gamma, q = b dy - r (a m(d h) + d m(a h)):
 * r P(q) - r² h (m(a d) - m(a) m(d) - m(a h) m(d h)), P as centred() */
static tn_tensor *second_by_x(tn_tensor *a, tn_tensor *b_dy, tn_tensor *d, tn_tensor *r, tn_tensor *h)
{
    tn_tensor *ah = mean(tn_multiply(a, h)), *dh = mean(tn_multiply(d, h));
    tn_tensor *q = tn_subtract(b_dy, tn_multiply(r, tn_add(tn_multiply(a, dh), tn_multiply(d, ah))));
    tn_tensor *spread = tn_subtract(mean(tn_multiply(a, d)), tn_multiply(mean(a), mean(d)));
    spread = tn_multiply(tn_multiply(tn_square(r), h), tn_subtract(spread, tn_multiply(ah, dh)));
    return tn_subtract(tn_multiply(r, centred(q, h)), spread);
}

/* With c of dbeta besides: by dy gamma r P(a) + b h + c, by gamma Σ dy r P(a) */
static void norm_gradient_gradient(tn__gradient *g)
{
    tn_tensor *dy = g->in[0], *x = g->in[1], *gamma = g->in[2], *a = tn__dout(g, 0), *b = tn__dout(g, 1), *c = tn__dout(g, 2);
    tn_tensor *from_mean = tn_subtract(x, mean(x)), *variance = mean(tn_square(from_mean));
    tn_tensor *r = variance ? tn_rsqrt(tn_add(variance, tn__like(variance, ((const norm_attrs *)g->attrs)->epsilon))) : NULL;
    tn_tensor *h = tn_multiply(from_mean, r), *moved = tn_multiply(r, centred(a, h));
    g->din[0] = tn_add(tn_multiply(gamma, moved), tn_add(tn_multiply(b, h), c));
    if (g->wanted[1])
        g->din[1] = second_by_x(a, tn_multiply(b, dy), tn_multiply(dy, gamma), r, h);
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

tn_tensor *tn__layer_norm_rows(tn_tensor *x, tn_tensor *gamma, tn_tensor *beta, double epsilon)
{
    return TN__APPLY(tn__op_LayerNorm, &(norm_attrs){ epsilon }, x, gamma, beta);
}

double tn__layer_norm_epsilon(const void *attrs)
{
    return ((const norm_attrs *)attrs)->epsilon;
}
