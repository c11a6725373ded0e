/* qr.c - matrices as an orthogonal and an upper triangular one. */
#include "ops/array.h"
#include <math.h>

/* --- reflections ------------------------------------------------------------------------------ */
/* a -= v (v·a) over the rows from `first`, for one column; v has a unit length, or is 0. */
static void reflect(const double *v, double *a, int64_t first, int64_t rows, int64_t columns)
{
    double dot = 0;
    for (int64_t i = first; i < rows; i++)
        dot += v[i] * a[i * columns];
    for (int64_t i = first; i < rows; i++)
        a[i * columns] -= 2 * dot * v[i];
}

/* v: the vector whose reflection turns column k, from row k down, into (r, 0, 0, …). A column that
 * is so already stays, as Eigen leaves it, else r has not the sign of what stands there. */
static void householder(const double *a, double *v, int64_t k, int64_t rows, int64_t columns)
{
    double rest = 0, norm = 0, first = a[k * columns + k];
    for (int64_t i = k + 1; i < rows; i++)
        rest += a[i * columns + k] * a[i * columns + k];
    double length = sqrt(first * first + rest), r = first >= 0 ? -length : length;
    for (int64_t i = k; i < rows; i++) {
        v[i] = rest > 0 ? a[i * columns + k] - (i == k ? r : 0) : 0;
        norm += v[i] * v[i];
    }
    for (int64_t i = k; i < rows && norm > 0; i++)
        v[i] /= sqrt(norm);
}

/* a (rows, columns) becomes R; v has the reflections, `rows` numbers each. */
static void triangulate(double *a, double *v, int64_t rows, int64_t columns, int64_t steps)
{
    for (int64_t k = 0; k < steps; k++) {
        householder(a, v + k * rows, k, rows, columns);
        for (int64_t j = k; j < columns; j++)
            reflect(v + k * rows, a + j, k, rows, columns);
    }
}

/* q (rows, columns): the reflections one after another, of the unit matrix. */
static void accumulate(double *q, const double *v, int64_t rows, int64_t columns, int64_t steps)
{
    for (int64_t i = 0; i < rows * columns; i++)
        q[i] = i % columns == i / columns;
    for (int64_t k = steps; k-- > 0;)
        for (int64_t j = 0; j < columns; j++)
            reflect(v + k * rows, q + j, k, rows, columns);
}

/* --- the op ----------------------------------------------------------------------------------- */
typedef struct {
    tn_flag full_matrices;
} qr_attrs;
static const tn_field qr_fields[] = {
    TN__ROW(TN_FIELD_BOOL, qr_attrs, full_matrices, "false", NULL),
    TN__END_OF_FIELDS,
};

static tn_status qr_infer(tn__infer *infer)
{
    const tn_shape *a = &infer->input[0]->shape;
    if (!a->known)
        return TN_OK;
    if (a->rank < 2)
        return tn__fail(TN_INVALID_ARGUMENT, "Input tensor 0 must have rank >= 2, got %d", a->rank);
    int64_t rows = a->dims[a->rank - 2], columns = a->dims[a->rank - 1];
    int64_t least = rows < 0 || columns < 0 ? TN_NONE : rows < columns ? rows : columns;
    int64_t inner = ((const qr_attrs *)infer->attrs)->full_matrices ? rows : least;
    infer->output[0].shape = infer->output[1].shape = *a;
    infer->output[0].shape.dims[a->rank - 1] = inner;
    infer->output[1].shape.dims[a->rank - 2] = inner;
    return TN_OK;
}

static void write_matrix(const double *from, tn_tensor *to, int64_t at, int64_t count)
{
    size_t size = tn__dtype_size((tn_dtype)to->dtype);
    for (int64_t i = 0; i < count; i++)
        tn__element_from_double((tn_dtype)to->dtype, from[i],
                                (char *)to->data + (size_t)(at * count + i) * size);
}

static void decompose(const tn__kernel *kernel, int64_t at, int64_t rows, int64_t columns,
                      double *room)
{
    const tn_tensor *a = kernel->input[0], *q = kernel->output[0];
    int64_t inner = q->shape.dims[q->shape.rank - 1], steps = rows < columns ? rows : columns;
    double *r = room, *v = r + rows * columns, *whole = v + rows * steps;
    for (int64_t i = 0; i < rows * columns; i++)
        r[i] = tn__double_at(a, at * rows * columns + i);
    triangulate(r, v, rows, columns, steps);
    accumulate(whole, v, rows, inner, steps);
    for (int64_t i = 0; i < rows * columns; i++)
        r[i] = i % columns < i / columns ? 0 : r[i];
    write_matrix(whole, kernel->output[0], at, rows * inner);
    write_matrix(r, kernel->output[1], at, inner * columns);
}

static tn_status qr_compute(tn__kernel *kernel)
{
    const tn_shape *a = &kernel->input[0]->shape;
    int64_t rows = a->dims[a->rank - 2], columns = a->dims[a->rank - 1];
    int64_t inner = kernel->output[0]->shape.dims[a->rank - 1], matrices = 1;
    for (int i = 0; i < a->rank - 2; i++)
        matrices *= a->dims[i];
    size_t size = (size_t)(rows * (2 * columns + inner) + 1);
    double *room = tn__alloc(size * sizeof *room);
    if (!room)
        return TN_RESOURCE_EXHAUSTED;
    for (int64_t i = 0; i < matrices; i++)
        decompose(kernel, i, rows, columns, room);
    tn__free(room);
    return TN_OK;
}

const tn__op tn__op_Qr = {
    .name = "Qr",
    .inputs = "input: T",
    .outputs = "q: T, r: T",
    .types = "T: floating",
    .attrs = qr_fields,
    .attrs_size = sizeof(qr_attrs),
    .infer = qr_infer,
    .compute = qr_compute,
    .no_gradient = "none: only first values are made of it",
};

tn_list tn__qr(tn_tensor *a)
{
    const qr_attrs attrs = { false };
    return tn__apply_list(&tn__op_Qr, &attrs, &a, 1, 2);
}
