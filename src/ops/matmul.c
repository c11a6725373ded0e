/* matmul.c - matrix products. */
#include "ops/array.h"
#include "ops/matmul.h"
#include "ops/product.h"
#include <string.h>

typedef struct {
    tn_flag adj_x, adj_y;
} batch_attrs;
static const tn_field batch_fields[] = {
    TN__ROW(TN_FIELD_FLAG, batch_attrs, adj_x, "false", NULL),
    TN__ROW(TN_FIELD_FLAG, batch_attrs, adj_y, "false", NULL),
    TN__END_OF_FIELDS,
};
typedef struct {
    tn_flag transpose_a, transpose_b;
} matmul_attrs;
static const tn_field matmul_fields[] = {
    TN__ROW(TN_FIELD_FLAG, matmul_attrs, transpose_a, "false", NULL),
    TN__ROW(TN_FIELD_FLAG, matmul_attrs, transpose_b, "false", NULL),
    TN__END_OF_FIELDS,
};

/* --- inference ---------------------------------------------------------------------------------------------------------- */
static bool batches_broadcast(tn_shape a, tn_shape b, tn_shape *out)
{
    a.rank -= 2;
    b.rank -= 2;
    return tn__shape_broadcast(&a, &b, out);
}

/* Batch dimensions broadcast; the last two multiply. */
static tn_status product_infer(tn__infer *infer)
{
    const tn_shape *a = &infer->input[0]->shape, *b = &infer->input[1]->shape;
    const batch_attrs *attrs = infer->attrs;
    int most = infer->op == &tn__op_MatMul ? 2 : TN_MAX_RANK;
    TN_TRY(tn__infer_rank(infer, 0, 2, most));
    TN_TRY(tn__infer_rank(infer, 1, 2, most));
    if (!a->known || !b->known)
        return TN_OK;
    int64_t m = a->dims[a->rank - 2 + !!attrs->adj_x], k = a->dims[a->rank - 1 - !!attrs->adj_x];
    int64_t k2 = b->dims[b->rank - 2 + !!attrs->adj_y], n = b->dims[b->rank - 1 - !!attrs->adj_y];
    if (k >= 0 && k2 >= 0 && k != k2)
        return tn__fail(TN_INVALID_ARGUMENT, "Matrix size-incompatible: In[0]: %s, In[1]: %s\n%s: the inner dimensions are %lld and %lld",
                        TN__BRACKETS(*a), TN__BRACKETS(*b), infer->op->name, (long long)k, (long long)k2);
    tn_shape *out = &infer->output[0].shape;
    *out = TN_SCALAR;
    if ((a->rank > 2 || b->rank > 2) && !batches_broadcast(*a, *b, out))
        return tn__fail(TN_INVALID_ARGUMENT, "In[0] and In[1] must have compatible batch dimensions: %s vs. %s", TN__BRACKETS(*a), TN__BRACKETS(*b));
    out->dims[out->rank++] = m;
    out->dims[out->rank++] = n;
    return TN_OK;
}

/* --- kernels ------------------------------------------------------------------------------------------------------------ */
typedef struct {
    int64_t m, n, k;
    bool transpose_a, transpose_b;
} product;

/* float32 has a kernel of the processor's own (ops/product.h); the others: c (m, n) = a (m, k) b (k, n). Row by row of c, so that the inner loop runs along rows; with b transposed its rows are columns of
 * the product, and each element is a dot product in eight sums side by side. */
#define PRODUCT_LOOP(T, suffix) \
    static void by_rows_##suffix(const product *p, const T *a, const T *b, T *c) \
    { \
        int64_t step_row = p->transpose_a ? 1 : p->k, step_column = p->transpose_a ? p->m : 1; \
        memset(c, 0, (size_t)(p->m * p->n) * sizeof *c); \
        for (int64_t i = 0; i < p->m; i++) \
            for (int64_t l = 0; l < p->k; l++) { \
                const T x = a[i * step_row + l * step_column]; \
                T *restrict to = c + i * p->n; \
                for (int64_t j = 0; j < p->n; j++) \
                    to[j] += x * b[l * p->n + j]; \
            } \
    } \
    static T dot_##suffix(const T *a, int64_t step, const T *b, int64_t k) \
    { \
        T sum[8] = { 0 }, total = 0; \
        int64_t l = 0; \
        for (; step == 1 && l + 8 <= k; l += 8) \
            for (int i = 0; i < 8; i++) \
                sum[i] += a[l + i] * b[l + i]; \
        for (; l < k; l++) \
            total += a[l * step] * b[l]; \
        for (int i = 0; i < 8; i++) \
            total += sum[i]; \
        return total; \
    } \
    static void by_dots_##suffix(const product *p, const T *a, const T *b, T *c) \
    { \
        int64_t step_row = p->transpose_a ? 1 : p->k, step_column = p->transpose_a ? p->m : 1; \
        for (int64_t i = 0; i < p->m; i++) \
            for (int64_t j = 0; j < p->n; j++) \
                c[i * p->n + j] = dot_##suffix(a + i * step_row, step_column, b + j * p->k, p->k); \
    } \
    static void multiply_##suffix(const product *p, const T *a, const T *b, T *c) \
    { \
        (p->transpose_b ? by_dots_##suffix : by_rows_##suffix)(p, a, b, c); \
    }
PRODUCT_LOOP(double, f64)
PRODUCT_LOOP(int32_t, i32)
PRODUCT_LOOP(int64_t, i64)

static tn_status multiply_f32(tn_context *context, const product *p, const float *a, const float *b, float *c, tn__epilogue epilogue)
{
    tn__gemm g = { p->m, p->n, p->k, a, p->transpose_a ? 1 : p->k, p->transpose_a ? p->m : 1, b, p->transpose_b ? 1 : p->n,
                   p->transpose_b ? p->k : 1, c, p->n, epilogue };
    return tn__product(context, &g);
}

static tn_status multiply(tn_context *context, tn_dtype dtype, const product *p, const void *a, const void *b, void *c)
{
    switch (dtype) {
    case TN_FLOAT32:
        return multiply_f32(context, p, a, b, c, (tn__epilogue){ 0 });
    case TN_FLOAT64:
        multiply_f64(p, a, b, c);
        break;
    case TN_INT32:
        multiply_i32(p, a, b, c);
        break;
    default:
        multiply_i64(p, a, b, c);
    }
    return TN_OK;
}

/* Which matrix of x belongs to matrix `index` of the output: dimensions of 1 stand still. */
int64_t tn__batch_of(const tn_shape *x, const tn_shape *out, int64_t index)
{
    int64_t at = 0, step = 1;
    for (int i = out->rank - 3; i >= 0; i--) {
        int64_t position = index % out->dims[i];
        index /= out->dims[i];
        int own = i - (out->rank - x->rank);
        if (own < 0)
            continue;
        at += x->dims[own] == 1 ? 0 : position * step;
        step *= x->dims[own];
    }
    return at;
}

/* Of the last two dimensions. Both ops have their two flags first in their attributes. */
static product product_of(const void *attrs, const tn_shape *a, const tn_shape *c)
{
    const batch_attrs *t = attrs;
    return (product){ c->dims[c->rank - 2], c->dims[c->rank - 1], a->dims[a->rank - 1 - !!t->adj_x], t->adj_x != 0, t->adj_y != 0 };
}

static tn_status matmul_compute(tn__kernel *kernel)
{
    const tn_tensor *a = kernel->input[0], *b = kernel->input[1], *c = kernel->output[0];
    product p = product_of(kernel->attrs, &a->shape, &c->shape);
    return multiply(kernel->context, (tn_dtype)a->dtype, &p, a->data, b->data, c->data);
}

static tn_status batch_compute(tn__kernel *kernel)
{
    const tn_tensor *a = kernel->input[0], *b = kernel->input[1];
    tn_tensor *c = kernel->output[0];
    int rank = c->shape.rank;
    product p = product_of(kernel->attrs, &a->shape, &c->shape);
    if (tn__count(c) == 0)
        return TN_OK;
    int64_t batches = tn__count_of(&c->shape, 0, rank - 2);
    int64_t size = (int64_t)tn__dtype_size((tn_dtype)a->dtype);
    for (int64_t i = 0; i < batches; i++)
        TN_TRY(multiply(kernel->context, (tn_dtype)a->dtype, &p, (const char *)a->data + tn__batch_of(&a->shape, &c->shape, i) * p.m * p.k * size,
                        (const char *)b->data + tn__batch_of(&b->shape, &c->shape, i) * p.k * p.n * size,
                        (char *)c->data + i * p.m * p.n * size));
    return TN_OK;
}

tn_status tn__matmul_with_epilogue(tn_context *context, const void *attrs, const tn_tensor *a, const tn_tensor *b, tn_tensor *c,
                                   tn__epilogue epilogue)
{
    product p = product_of(attrs, &a->shape, &c->shape);
    return multiply_f32(context, &p, a->data, b->data, c->data, epilogue);
}

/* --- gradients ---------------------------------------------------------------------------------------------------------- */
static tn_tensor *apply(const tn__op *op, tn_tensor *a, tn_tensor *b, bool ta, bool tb)
{
    return tn__apply(op, &(batch_attrs){ ta, tb }, (tn_tensor *[]){ a, b }, 2);
}

/* C = A B:  dA = dC Bᵀ, dB = Aᵀ dC; where an input is transposed, so is its gradient */
static void product_gradient(tn__gradient *g)
{
    const batch_attrs *attrs = g->attrs;
    tn_tensor *a = g->in[0], *b = g->in[1], *dc = g->dout[0];
    bool ta = attrs->adj_x, tb = attrs->adj_y;
    if (g->wanted[0])
        g->din[0] = ta ? apply(g->op, b, dc, tb, true) : apply(g->op, dc, b, false, !tb);
    if (g->wanted[1])
        g->din[1] = tb ? apply(g->op, dc, a, true, ta) : apply(g->op, a, dc, !ta, false);
}

/* The same, summed over the batch dimensions that were broadcast. */
static void batch_gradient(tn__gradient *g)
{
    product_gradient(g);
    for (int i = 0; i < 2; i++)
        if (g->din[i] && !(tn__shape_full(&g->din[i]->shape) && tn__shape_equal(&g->din[i]->shape, &g->in[i]->shape)))
            g->din[i] = tn__sum_to(g->din[i], g->in[i], g->din[i]);
}

const tn__op tn__op_MatMul = {
    .name = "MatMul",
    .inputs = "a: T, b: T",
    .outputs = "product: T",
    .types = "T: floating, int32, int64",
    .attrs = matmul_fields,
    .attrs_size = sizeof(matmul_attrs),
    .infer = product_infer,
    .compute = matmul_compute,
    .gradient = product_gradient,
};

const tn__op tn__op_BatchMatMulV2 = {
    .name = "BatchMatMulV2",
    .label = "MatMul",
    .inputs = "x: T, y: T",
    .outputs = "output: T",
    .types = "T: floating, int32, int64",
    .attrs = batch_fields,
    .attrs_size = sizeof(batch_attrs),
    .infer = product_infer,
    .compute = batch_compute,
    .gradient = batch_gradient,
};

/* --- Cross -------------------------------------------------------------------------------------------------------------- */
/* Vectors of three in the last dimension. */
static tn_status cross_infer(tn__infer *infer)
{
    const tn_shape *a = &infer->input[0]->shape, *b = &infer->input[1]->shape;
    if (!tn__shape_merge(a, b, &infer->output[0].shape))
        return tn__fail(TN_INVALID_ARGUMENT, "Both inputs must be of same shape: %s vs. %s", TN__BRACKETS(*a), TN__BRACKETS(*b));
    const tn_shape *out = &infer->output[0].shape;
    int64_t width = out->known && out->rank > 0 ? out->dims[out->rank - 1] : TN_NONE;
    if (out->known && (out->rank == 0 || (width >= 0 && width != 3)))
        return tn__fail(TN_INVALID_ARGUMENT, "Cross-products are only defined for 3-element vectors, got %s", TN__BRACKETS(*out));
    return TN_OK;
}

#define CROSS_LOOP(T) \
    { \
        const T *a = kernel->input[0]->data, *b = kernel->input[1]->data; \
        T *c = kernel->output[0]->data; \
        for (int64_t i = 0; i < n; i += 3) { \
            c[i] = a[i + 1] * b[i + 2] - a[i + 2] * b[i + 1]; \
            c[i + 1] = a[i + 2] * b[i] - a[i] * b[i + 2]; \
            c[i + 2] = a[i] * b[i + 1] - a[i + 1] * b[i]; \
        } \
        return TN_OK; \
    }

static tn_status cross_compute(tn__kernel *kernel)
{
    int64_t n = tn__count(kernel->output[0]);
    if (kernel->input[0]->dtype == TN_FLOAT32)
        CROSS_LOOP(float)
    CROSS_LOOP(double)
}

/* c = a × b:  da = b × dc, db = dc × a */
static void cross_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_Cross, NULL, g->in[1], g->dout[0]);
    g->din[1] = TN__APPLY(tn__op_Cross, NULL, g->dout[0], g->in[0]);
}

const tn__op tn__op_Cross = {
    .name = "Cross",
    .inputs = "a: T, b: T",
    .outputs = "product: T",
    .types = "T: floating",
    .infer = cross_infer,
    .compute = cross_compute,
    .gradient = cross_gradient,
};

tn_tensor *tn_matmul_with(const tn_matmul_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    if (!tn__check_tensor(options->a, "tn_matmul: a") || !tn__check_tensor(options->b, "tn_matmul: b"))
        return NULL;
    bool plain = options->a->shape.rank == 2 && options->b->shape.rank == 2 && options->a->shape.known && options->b->shape.known;
    return apply(plain ? &tn__op_MatMul : &tn__op_BatchMatMulV2, options->a, options->b, options->transpose_a, options->transpose_b);
}
