/* decompose.c - linear equations and what they are solved by: Cholesky, MatrixInverse,
 * MatrixDeterminant, LogMatrixDeterminant, MatrixSolve, MatrixTriangularSolve. Matrices are the
 * last two dimensions; all is computed in double and rounded once. */
#include "ops/array.h"
#include <math.h>
#include <string.h>

/* --- matrices --------------------------------------------------------------------------------- */
/* Row-major; owns its elements. */
typedef struct {
    int64_t rows, columns;
    double *at;
} matrix;

static tn_status matrix_new(int64_t rows, int64_t columns, matrix *m)
{
    *m = (matrix){ rows, columns, tn__alloc_zeroed((size_t)(rows * columns + 1), sizeof *m->at) };
    return m->at ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* Matrix number `index` of x, or its transpose. */
static void load(const tn_tensor *x, int64_t index, bool transposed, matrix *m)
{
    int64_t columns = x->shape.dims[x->shape.rank - 1], count = m->rows * m->columns;
    for (int64_t i = 0; i < count; i++) {
        int64_t row = i / columns, column = i % columns;
        m->at[transposed ? column * m->columns + row : i] = tn__double_at(x, index * count + i);
    }
}

static void store(const matrix *m, tn_tensor *y, int64_t index)
{
    tn_dtype dtype = (tn_dtype)y->dtype;
    int64_t count = m->rows * m->columns;
    for (int64_t i = 0; i < count; i++)
        tn__element_from_double(
            dtype, m->at[i], (char *)y->data + (size_t)(index * count + i) * tn__dtype_size(dtype));
}

static void swap_rows(matrix *m, int64_t a, int64_t b)
{
    for (int64_t k = 0; k < m->columns && a != b; k++) {
        double kept = m->at[a * m->columns + k];
        m->at[a * m->columns + k] = m->at[b * m->columns + k];
        m->at[b * m->columns + k] = kept;
    }
}

/* row a -= factor row b, from column `first` on */
static void subtract_row(matrix *m, int64_t a, int64_t b, double factor, int64_t first)
{
    for (int64_t k = first; k < m->columns; k++)
        m->at[a * m->columns + k] -= factor * m->at[b * m->columns + k];
}

static int64_t largest_below(const matrix *m, int64_t column)
{
    int64_t best = column;
    for (int64_t i = column + 1; i < m->rows; i++)
        if (fabs(m->at[i * m->columns + column]) > fabs(m->at[best * m->columns + column]))
            best = i;
    return best;
}

/* Gauss's elimination with the largest pivots: a becomes upper triangular, b (NULL: none) goes
 * through the same steps. Gives the sign of the permutation, 0 when a is singular. */
static int eliminate(matrix *a, matrix *b)
{
    int sign = 1;
    for (int64_t j = 0; j < a->rows; j++) {
        int64_t pivot = largest_below(a, j);
        double head = a->at[pivot * a->columns + j];
        if (head == 0)
            return 0;
        sign = pivot == j ? sign : -sign;
        swap_rows(a, j, pivot);
        if (b)
            swap_rows(b, j, pivot);
        for (int64_t i = j + 1; i < a->rows; i++) {
            double factor = a->at[i * a->columns + j] / head;
            subtract_row(a, i, j, factor, j);
            if (b)
                subtract_row(b, i, j, factor, 0);
        }
    }
    return sign;
}

/* b = a⁻¹ b of a triangular a. */
static void substitute(const matrix *a, bool lower, matrix *b)
{
    for (int64_t step = 0; step < a->rows; step++) {
        int64_t i = lower ? step : a->rows - 1 - step;
        for (int64_t k = lower ? 0 : i + 1; k < (lower ? i : a->rows); k++)
            subtract_row(b, i, k, a->at[i * a->columns + k], 0);
        for (int64_t k = 0; k < b->columns; k++)
            b->at[i * b->columns + k] /= a->at[i * a->columns + i];
    }
}

/* --- shapes ----------------------------------------------------------------------------------- */
static tn_status check_square(const tn__infer *infer, const char *message)
{
    const tn_shape *x = &infer->input[0]->shape;
    if (!x->known)
        return TN_OK;
    if (x->rank < 2)
        return tn__fail(TN_INVALID_ARGUMENT, "Input tensor 0 must have rank >= 2, got %d", x->rank);
    int64_t rows = x->dims[x->rank - 2], columns = x->dims[x->rank - 1];
    if (rows >= 0 && columns >= 0 && rows != columns)
        return tn__fail(TN_INVALID_ARGUMENT, "%s\n%s: input is %s", message, infer->op->name,
                        TN__TENSOR(infer->input[0]));
    return TN_OK;
}

static tn_status square_infer(tn__infer *infer)
{
    TN_TRY(check_square(infer, "Input matrix must be square."));
    return tn__infer_same(infer);
}

static tn_status determinant_infer(tn__infer *infer)
{
    TN_TRY(check_square(infer, "Input matrix must be square."));
    tn_shape out = infer->input[0]->shape;
    out.rank = out.known ? out.rank - 2 : 0;
    for (size_t i = 0; i < infer->output_count; i++)
        infer->output[i].shape = out;
    return TN_OK;
}

/* Matrices in a tensor; 0 when it has no elements at all, but a determinant of none is 1. */
static int64_t batches_of(const tn_shape *shape)
{
    return tn__count_of(shape, 0, shape->rank - 2);
}

typedef struct {
    tn_flag adjoint; /* of the transposed matrix */
} adjoint_attrs;
static const tn_field adjoint_fields[] = {
    TN__ROW(TN_FIELD_FLAG, adjoint_attrs, adjoint, "false", NULL),
    TN__END_OF_FIELDS,
};

static bool is_adjoint(const void *attrs)
{
    return ((const adjoint_attrs *)attrs)->adjoint != 0;
}

static tn_tensor *transpose(tn_tensor *x)
{
    return tn_linalg_matrix_transpose(x);
}

/* --- Cholesky --------------------------------------------------------------------------------- */
/* Only the lower triangle is read. A matrix that is not positive definite becomes NaN. */
static void factor(matrix *a)
{
    int64_t n = a->rows;
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = j; i < n; i++) {
            double sum = a->at[i * n + j];
            for (int64_t k = 0; k < j; k++)
                sum -= a->at[i * n + k] * a->at[j * n + k];
            a->at[i * n + j] = i > j ? sum / a->at[j * n + j] : sum > 0 ? sqrt(sum) : (double)NAN;
            a->at[j * n + i] = i > j ? 0 : a->at[j * n + i];
        }
    for (int64_t i = 0; n && isnan(a->at[n * n - 1]) && i < n * n; i++)
        a->at[i] = i % n > i / n ? 0 : (double)NAN;
}

static tn_status cholesky_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    int64_t n = x->shape.dims[x->shape.rank - 1];
    matrix a;
    TN_TRY(matrix_new(n, n, &a));
    for (int64_t i = 0; i < batches_of(&x->shape); i++) {
        load(x, i, false, &a);
        factor(&a);
        store(&a, kernel->output[0], i);
    }
    tn__free(a.at);
    return TN_OK;
}

/* With P the lower triangle of lᵀ dl, its diagonal halved: dx = the symmetric part of l⁻ᵀ P l⁻¹. */
static void cholesky_gradient(tn__gradient *g)
{
    tn_tensor *l = g->out[0], *p = tn_matmul(l, g->dout[0], .transpose_a = true);
    tn_tensor *half = tn_multiply(tn_linalg_diag_part(p, 0), tn__like(p, 0.5));
    p = tn_linalg_band_part(tn_linalg_set_diag(p, half, 0), -1, 0);
    tn_tensor *left = tn_linalg_triangular_solve(l, p, .adjoint = true);
    tn_tensor *dx = transpose(tn_linalg_triangular_solve(l, transpose(left), .adjoint = true));
    g->din[0] = tn_multiply(tn_add(dx, transpose(dx)), tn__like(dx, 0.5));
}

const tn__op tn__op_Cholesky = {
    .name = "Cholesky",
    .inputs = "input: T",
    .outputs = "output: T",
    .types = "T: double, float, half",
    .infer = square_infer,
    .compute = cholesky_compute,
    .gradient = cholesky_gradient,
};

/* --- MatrixInverse ---------------------------------------------------------------------------- */
static void make_identity(matrix *m)
{
    memset(m->at, 0, (size_t)(m->rows * m->columns) * sizeof *m->at);
    for (int64_t i = 0; i < m->rows; i++)
        m->at[i * m->columns + i] = 1;
}

static tn_status invert_all(tn__kernel *kernel, matrix *a, matrix *b)
{
    const tn_tensor *x = kernel->input[0];
    for (int64_t i = 0; i < batches_of(&x->shape); i++) {
        load(x, i, is_adjoint(kernel->attrs), a);
        make_identity(b);
        if (!eliminate(a, b))
            return tn__fail(TN_INVALID_ARGUMENT, "Input is not invertible.");
        substitute(a, false, b);
        store(b, kernel->output[0], i);
    }
    return TN_OK;
}

static tn_status inverse_compute(tn__kernel *kernel)
{
    const tn_shape *x = &kernel->input[0]->shape;
    int64_t n = x->dims[x->rank - 1];
    matrix a = { 0 }, b = { 0 };
    tn_status status = matrix_new(n, n, &a);
    if (status == TN_OK)
        status = matrix_new(n, n, &b);
    if (status == TN_OK)
        status = invert_all(kernel, &a, &b);
    tn__free(a.at);
    tn__free(b.at);
    return status;
}

/* y = x⁻¹:  dx = -yᵀ dy yᵀ, of the transposed x its transpose */
static void inverse_gradient(tn__gradient *g)
{
    tn_tensor *y = g->out[0], *dy = g->dout[0];
    bool adjoint = is_adjoint(g->attrs);
    tn_tensor *left = tn_matmul(y, dy, .transpose_a = !adjoint, .transpose_b = adjoint);
    g->din[0] = tn_negative(tn_matmul(left, y, .transpose_b = !adjoint));
}

const tn__op tn__op_MatrixInverse = {
    .name = "MatrixInverse",
    .inputs = "input: T",
    .outputs = "output: T",
    .types = "T: double, float, half",
    .attrs = adjoint_fields,
    .attrs_size = sizeof(adjoint_attrs),
    .infer = square_infer,
    .compute = inverse_compute,
    .gradient = inverse_gradient,
};

/* --- determinants ----------------------------------------------------------------------------- */
/* The determinant as its sign and the logarithm of its size. */
static int log_determinant(matrix *a, double *logarithm)
{
    int sign = eliminate(a, NULL);
    *logarithm = sign ? 0 : -(double)INFINITY;
    for (int64_t i = 0; i < a->rows && sign; i++) {
        double pivot = a->at[i * a->columns + i];
        sign = pivot < 0 ? -sign : sign;
        *logarithm += log(fabs(pivot));
    }
    return sign;
}

static double determinant(matrix *a)
{
    double product = eliminate(a, NULL);
    for (int64_t i = 0; i < a->rows && product != 0; i++)
        product *= a->at[i * a->columns + i];
    return product;
}

/* One output: the determinant; two: sign and logarithm. */
static tn_status determinant_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    int64_t n = x->shape.dims[x->shape.rank - 1];
    matrix a;
    TN_TRY(matrix_new(n, n, &a));
    for (int64_t i = 0; i < batches_of(&x->shape); i++) {
        double value, logarithm = 0;
        load(x, i, false, &a);
        value = kernel->output_count == 1 ? determinant(&a) : log_determinant(&a, &logarithm);
        for (size_t k = 0; k < kernel->output_count; k++) {
            tn_tensor *y = kernel->output[k];
            size_t size = tn__dtype_size((tn_dtype)y->dtype);
            tn__element_from_double((tn_dtype)y->dtype, k ? logarithm : value,
                                    (char *)y->data + (size_t)i * size);
        }
    }
    tn__free(a.at);
    return TN_OK;
}

static tn_tensor *as_matrices(tn_tensor *numbers)
{
    return tn_expand_dims(tn_expand_dims(numbers, -1), -1);
}

static tn_tensor *inverse_transpose(tn_tensor *x)
{
    return TN__APPLY(tn__op_MatrixInverse, &(adjoint_attrs){ true }, x);
}

/* dx = dy y x⁻ᵀ */
static void determinant_gradient(tn__gradient *g)
{
    g->din[0] =
        tn_multiply(as_matrices(tn_multiply(g->dout[0], g->out[0])), inverse_transpose(g->in[0]));
}

/* dx = d log x⁻ᵀ; the sign is flat */
static void log_determinant_gradient(tn__gradient *g)
{
    if (g->dout[1])
        g->din[0] = tn_multiply(as_matrices(g->dout[1]), inverse_transpose(g->in[0]));
}

#define DETERMINANT(name_, outputs_, gradient_) \
    const tn__op tn__op_##name_ = {             \
        .name = #name_,                         \
        .inputs = "input: T",                   \
        .outputs = outputs_,                    \
        .types = "T: double, float, half",      \
        .infer = determinant_infer,             \
        .compute = determinant_compute,         \
        .gradient = gradient_,                  \
    };
DETERMINANT(MatrixDeterminant, "output: T", determinant_gradient)
DETERMINANT(LogMatrixDeterminant, "sign: T, log_abs_determinant: T", log_determinant_gradient)

/* --- MatrixSolve ------------------------------------------------------------------------------ */
static tn_status solve_infer(tn__infer *infer)
{
    const tn_shape *a = &infer->input[0]->shape, *b = &infer->input[1]->shape;
    TN_TRY(check_square(infer, "First input (lhs) must be a square matrix."));
    if (a->known && b->known) {
        if (a->rank != b->rank)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "All input tensors must have the same rank.\n%s: got %s and %s",
                            infer->op->name, TN__SHAPE(*a), TN__SHAPE(*b));
        tn_shape like_a = *b;
        like_a.dims[b->rank - 1] = TN_NONE;
        if (!tn__shape_fits(a, &like_a))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Input matrix and rhs are incompatible.\n%s: got %s and %s",
                            infer->op->name, TN__SHAPE(*a), TN__SHAPE(*b));
    }
    infer->output[0].shape = *b;
    return TN_OK;
}

/* Of triangular ones the batch dimensions broadcast. */
static tn_status triangular_infer(tn__infer *infer)
{
    const tn_shape *a = &infer->input[0]->shape, *b = &infer->input[1]->shape;
    tn_shape *out = &infer->output[0].shape, x = *a, y = *b;
    TN_TRY(check_square(infer, "In[0] matrices in the last dimensions must be square"));
    if (b->known && b->rank < 2)
        return tn__fail(TN_INVALID_ARGUMENT, "In[1] ndims must be >= 2: %d", b->rank);
    if (!a->known || !b->known)
        return TN_OK;
    int64_t n = a->dims[a->rank - 1], rows = b->dims[b->rank - 2];
    if (n >= 0 && rows >= 0 && n != rows)
        return tn__fail(TN_INVALID_ARGUMENT, "In[0] mismatch In[1] shape: %lld vs. %lld: %s %s",
                        (long long)n, (long long)rows, TN__BRACKETS(*a), TN__BRACKETS(*b));
    x.rank -= 2;
    y.rank -= 2;
    if (!tn__shape_broadcast(&x, &y, out))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "In[0] and In[1] have different batch dimensions: %s %s", TN__BRACKETS(*a),
                        TN__BRACKETS(*b));
    out->dims[out->rank++] = rows >= 0 ? rows : n;
    out->dims[out->rank++] = b->dims[b->rank - 1];
    return TN_OK;
}

typedef struct {
    tn_flag adjoint; /* as in adjoint_attrs */
    tn_flag lower;
} triangular_attrs;
static const tn_field triangular_fields[] = {
    TN__ROW(TN_FIELD_FLAG, triangular_attrs, adjoint, "false", NULL),
    TN__ROW(TN_FIELD_FLAG, triangular_attrs, lower, "true", NULL),
    TN__END_OF_FIELDS,
};

static tn_status solve_all(tn__kernel *kernel, matrix *a, matrix *b)
{
    const tn_shape *out = &kernel->output[0]->shape;
    bool adjoint = is_adjoint(kernel->attrs),
         triangular = kernel->op == &tn__op_MatrixTriangularSolve;
    for (int64_t i = 0; i < batches_of(out); i++) {
        load(kernel->input[0], tn__batch_of(&kernel->input[0]->shape, out, i), adjoint, a);
        load(kernel->input[1], tn__batch_of(&kernel->input[1]->shape, out, i), false, b);
        if (!triangular && !eliminate(a, b))
            return tn__fail(TN_INVALID_ARGUMENT, "Input matrix is not invertible.");
        bool lower =
            triangular && (((const triangular_attrs *)kernel->attrs)->lower != 0) != adjoint;
        substitute(a, lower, b);
        store(b, kernel->output[0], i);
    }
    return TN_OK;
}

static tn_status solve_compute(tn__kernel *kernel)
{
    const tn_shape *out = &kernel->output[0]->shape;
    int64_t n = out->dims[out->rank - 2], columns = out->dims[out->rank - 1];
    matrix a = { 0 }, b = { 0 };
    if (tn__count(kernel->output[0]) == 0)
        return TN_OK;
    tn_status status = matrix_new(n, n, &a);
    if (status == TN_OK)
        status = matrix_new(n, columns, &b);
    if (status == TN_OK)
        status = solve_all(kernel, &a, &b);
    tn__free(a.at);
    tn__free(b.at);
    return status;
}

/* x = a⁻¹ b:  db = a⁻ᵀ dx, da = -db xᵀ; of the transposed a its transpose */
static void solve_both(tn__gradient *g, tn_tensor *db)
{
    tn_tensor *x = g->out[0];
    bool adjoint = is_adjoint(g->attrs);
    g->din[1] = db;
    g->din[0] = tn_negative(adjoint ? tn_matmul(x, db, .transpose_b = true)
                                    : tn_matmul(db, x, .transpose_b = true));
}

static void solve_gradient(tn__gradient *g)
{
    const adjoint_attrs other = { !is_adjoint(g->attrs) };
    solve_both(g, TN__APPLY(tn__op_MatrixSolve, &other, g->in[0], g->dout[0]));
}

/* The same; only the triangle that was read has a gradient, and what was broadcast is summed. */
static void triangular_gradient(tn__gradient *g)
{
    triangular_attrs other = *(const triangular_attrs *)g->attrs;
    other.adjoint = !other.adjoint;
    solve_both(g, TN__APPLY(tn__op_MatrixTriangularSolve, &other, g->in[0], g->dout[0]));
    g->din[0] = tn_linalg_band_part(g->din[0], other.lower ? -1 : 0, other.lower ? 0 : -1);
    for (int i = 0; i < 2; i++)
        g->din[i] = tn__sum_to(g->din[i], g->in[i], g->din[i]);
}

const tn__op tn__op_MatrixSolve = {
    .name = "MatrixSolve",
    .inputs = "matrix: T, rhs: T",
    .outputs = "output: T",
    .types = "T: double, float, half",
    .attrs = adjoint_fields,
    .attrs_size = sizeof(adjoint_attrs),
    .infer = solve_infer,
    .compute = solve_compute,
    .gradient = solve_gradient,
};
const tn__op tn__op_MatrixTriangularSolve = {
    .name = "MatrixTriangularSolve",
    .inputs = "matrix: T, rhs: T",
    .outputs = "output: T",
    .types = "T: double, float, half",
    .attrs = triangular_fields,
    .attrs_size = sizeof(triangular_attrs),
    .infer = triangular_infer,
    .compute = solve_compute,
    .gradient = triangular_gradient,
};

/* --- public ----------------------------------------------------------------------------------- */
tn_tensor *tn_linalg_cholesky(tn_tensor *input)
{
    return TN__APPLY(tn__op_Cholesky, NULL, input);
}

tn_tensor *tn_linalg_inv(tn_tensor *input)
{
    return TN__APPLY(tn__op_MatrixInverse, &(adjoint_attrs){ false }, input);
}

tn_tensor *tn_linalg_det(tn_tensor *input)
{
    return TN__APPLY(tn__op_MatrixDeterminant, NULL, input);
}

tn_list tn_linalg_slogdet(tn_tensor *input)
{
    return tn__apply_list(&tn__op_LogMatrixDeterminant, NULL, &input, 1, 2);
}

tn_tensor *tn_linalg_solve_with(const tn_linalg_solve_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    return TN__APPLY(tn__op_MatrixSolve, &(adjoint_attrs){ o->adjoint }, o->matrix, o->rhs);
}

tn_tensor *tn_linalg_triangular_solve_with(const tn_linalg_triangular_solve_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    const triangular_attrs attrs = { o->adjoint, o->lower };
    return TN__APPLY(tn__op_MatrixTriangularSolve, &attrs, o->matrix, o->rhs);
}
