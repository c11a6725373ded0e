/* diagonal.c - the diagonals of matrices: MatrixDiagV3, MatrixDiagPartV3, MatrixSetDiagV3,
 * MatrixBandPart.
 *
 * Matrices are the last two dimensions. Diagonal k begins k columns to the right of the first
 * element, or -k rows below it. Several diagonals, lower to upper, stand as rows of a matrix as
 * long as the longest, the uppermost first; the shorter ones stand to the left or to the right. */
#include "ops/array.h"
#include <string.h>

typedef struct {
    const char *align; /* of the upper diagonals, then of the lower ones */
} align_attrs;
static const tn_field align_fields[] = {
    TN__ROW(TN_FIELD_STRING, align_attrs, align, "'RIGHT_LEFT'",
            "LEFT_RIGHT|RIGHT_LEFT|LEFT_LEFT|RIGHT_RIGHT"),
    TN__END_OF_FIELDS,
};

/* --- which diagonals -------------------------------------------------------------------------- */
typedef struct {
    int64_t lower, upper, count;
} diagonals;

/* known: false when k is not known yet. */
static tn_status read_diagonals(const tn_tensor *k, diagonals *d, bool *known)
{
    int64_t values[TN__MOST_KNOWN];
    size_t count;
    *known = tn__known_exactly(k, values, &count);
    if (!*known && k->form != TN__VALUE)
        return TN_OK;
    if (!*known || count < 1 || count > 2)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "diag_index must have only one or two elements, received %lld elements.",
                        (long long)tn__count(k));
    *d = (diagonals){ values[0], values[count - 1], values[count - 1] - values[0] + 1 };
    if (d->lower > d->upper)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "lower_diag_index must not be larger than upper_diag_index: %lld > %lld",
                        (long long)d->lower, (long long)d->upper);
    return TN_OK;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t length_of(int64_t k, int64_t rows, int64_t columns)
{
    return least(rows + least(k, 0), columns - greatest(k, 0));
}

static int64_t longest(const diagonals *d, int64_t rows, int64_t columns)
{
    return least(rows + least(d->upper, 0), columns - greatest(d->lower, 0));
}

static tn_status check_inside(const diagonals *d, int64_t rows, int64_t columns)
{
    const int64_t *wrong = d->lower <= -rows || d->lower >= columns   ? &d->lower
                           : d->upper <= -rows || d->upper >= columns ? &d->upper
                                                                      : NULL;
    if (!wrong || (d->lower == 0 && d->upper == 0)) /* 0 also in an empty matrix */
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "%s_diag_index is out of bound: %lld. It must be between %lld and %lld",
                    wrong == &d->lower ? "lower" : "upper", (long long)*wrong, (long long)-rows,
                    (long long)columns);
}

/* Visits every diagonal of every matrix: visit(self, element of the matrix, element of the
 * diagonals, length); the matrix goes on by columns + 1 elements. */
typedef struct {
    diagonals d;
    int64_t rows, columns, batch, longest;
    const char *align;
} walk;
typedef void (*visitor)(void *self, int64_t matrix, int64_t diagonal, int64_t length);

static void each_diagonal(const walk *w, visitor visit, void *self)
{
    bool upper_left = strncmp(w->align, "LEFT", 4) == 0, lower_left = strstr(w->align, "_LEFT");
    for (int64_t i = 0; i < w->batch; i++)
        for (int64_t k = w->d.upper; k >= w->d.lower; k--) {
            int64_t length = length_of(k, w->rows, w->columns);
            bool left = (k >= 0 && upper_left) || (k <= 0 && lower_left);
            int64_t row = i * w->d.count + w->d.upper - k;
            int64_t first = (i * w->rows + greatest(-k, 0)) * w->columns + greatest(k, 0);
            if (length > 0)
                visit(self, first, row * w->longest + (left ? 0 : w->longest - length), length);
        }
}

static walk walk_of(const diagonals *d, const tn_shape *matrix, const void *attrs)
{
    int rank = matrix->rank;
    walk w = { *d, matrix->dims[rank - 2], matrix->dims[rank - 1], 0, 0, NULL };
    w.batch = tn__count_of(matrix, 0, rank - 2);
    w.longest = longest(d, w.rows, w.columns);
    w.align = ((const align_attrs *)attrs)->align;
    return w;
}

/* One side of the copy: elements of `size` bytes from one tensor to another. */
typedef struct {
    char *to;
    const char *from;
    size_t size;
    int64_t step; /* columns + 1 */
} copy;

static void to_matrix(void *self, int64_t matrix, int64_t diagonal, int64_t length)
{
    const copy *c = self;
    const tn__block block = { 1, { length }, { c->step }, { 1 } };
    tn__block_copy(&block, c->size, c->to + (size_t)matrix * c->size,
                   c->from + (size_t)diagonal * c->size);
}

static void from_matrix(void *self, int64_t matrix, int64_t diagonal, int64_t length)
{
    const copy *c = self;
    const tn__block block = { 1, { length }, { 1 }, { c->step } };
    tn__block_copy(&block, c->size, c->to + (size_t)diagonal * c->size,
                   c->from + (size_t)matrix * c->size);
}

/* --- MatrixDiagV3 ----------------------------------------------------------------------------- */
/* Rows and columns, given or as few as will do: one of them must be. */
static tn_status settle_size(const diagonals *d, int64_t length, int64_t size[2])
{
    int64_t rows = length - least(d->upper, 0), columns = length + greatest(d->lower, 0);
    if (size[0] == -1 && size[1] == -1)
        size[0] = size[1] = greatest(rows, columns);
    if (size[0] == -1)
        size[0] = rows;
    if (size[1] == -1)
        size[1] = columns;
    if (size[0] < rows)
        return tn__fail(TN_INVALID_ARGUMENT, "The number of rows is too small.\n%lld of %lld",
                        (long long)size[0], (long long)rows);
    if (size[1] < columns)
        return tn__fail(TN_INVALID_ARGUMENT, "The number of columns is too small.\n%lld of %lld",
                        (long long)size[1], (long long)columns);
    if (size[0] != rows && size[1] != columns)
        return tn__fail(TN_INVALID_ARGUMENT, "The number of rows or columns is not consistent with "
                                             "the specified d_lower, d_upper, and diagonal.");
    return TN_OK;
}

static tn_status check_number(const tn_shape *shape, const diagonals *d)
{
    if (d->lower == d->upper || shape->rank < 2 || shape->dims[shape->rank - 2] < 0 ||
        shape->dims[shape->rank - 2] == d->count)
        return shape->rank < 2 && d->lower != d->upper
                   ? tn__fail(TN_INVALID_ARGUMENT,
                              "diagonal must be at least 2-dim, received shape: %s",
                              TN__BRACKETS(*shape))
                   : TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "The number of diagonals provided in the input does not match the "
                    "lower_diag_index and upper_diag_index range.\n%lld diagonals, the shape is %s",
                    (long long)d->count, TN__BRACKETS(*shape));
}

static tn_status diag_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape;
    diagonals d = { 0 };
    bool known;
    int64_t size[2];
    for (size_t i = 2; i < 5; i++)
        TN_TRY(tn__infer_rank(infer, i, 0, 0));
    TN_TRY(read_diagonals(infer->input[1], &d, &known));
    if (in->known && in->rank == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "diagonal must be at least 1-dim, received shape: []");
    if (!in->known || !known)
        return TN_OK;
    TN_TRY(check_number(in, &d));
    tn_shape out = *in;
    out.rank += d.lower == d.upper;
    if (out.rank > TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "MatrixDiagV3: more than %d dimensions", TN_MAX_RANK);
    out.dims[out.rank - 2] = out.dims[out.rank - 1] = TN_NONE;
    if (tn__known_int(infer->input[2], &size[0]) && tn__known_int(infer->input[3], &size[1]) &&
        in->dims[in->rank - 1] >= 0) {
        TN_TRY(settle_size(&d, in->dims[in->rank - 1], size));
        out.dims[out.rank - 2] = size[0];
        out.dims[out.rank - 1] = size[1];
    }
    infer->output[0].shape = out;
    return TN_OK;
}

static tn_status diag_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0], *y = kernel->output[0];
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    diagonals d = { 0 };
    bool known;
    TN_TRY(read_diagonals(kernel->input[1], &d, &known));
    walk w = walk_of(&d, &y->shape, kernel->attrs);
    tn__fill_elements(y->data, tn__count(y), size, kernel->input[4]->data);
    each_diagonal(&w, to_matrix, &(copy){ y->data, x->data, size, w.columns + 1 });
    return TN_OK;
}

/* d diagonal = the diagonal of dy */
static void diag_gradient(tn__gradient *g)
{
    g->din[0] =
        TN__APPLY(tn__op_MatrixDiagPartV3, g->attrs, g->dout[0], g->in[1], tn__like(g->in[0], 0));
}

const tn__op tn__op_MatrixDiagV3 = {
    .name = "MatrixDiagV3",
    .inputs = "diagonal: T, k: int32, num_rows: int32, num_cols: int32, padding_value: T",
    .outputs = "output: T",
    .types = "T: any",
    .attrs = align_fields,
    .attrs_size = sizeof(align_attrs),
    .infer = diag_infer,
    .compute = diag_compute,
    .gradient = diag_gradient,
    .flags = TN__HALF,
};

/* --- MatrixDiagPartV3, MatrixSetDiagV3 -------------------------------------------------------- */
/* The shape of a matrix's diagonals; known: false when it is not known yet. */
static tn_status diagonal_shape(const tn_tensor *x, const tn_tensor *k, tn_shape *out, bool *known)
{
    const tn_shape *in = &x->shape;
    diagonals d = { 0 };
    TN_TRY(read_diagonals(k, &d, known));
    if (in->known && in->rank < 2)
        return tn__fail(TN_INVALID_ARGUMENT, "input must be at least 2-dim, received shape: %s",
                        TN__BRACKETS(*in));
    *known &= in->known;
    if (!*known)
        return TN_OK;
    int64_t rows = in->dims[in->rank - 2], columns = in->dims[in->rank - 1];
    *out = *in;
    out->rank = in->rank - (d.lower == d.upper);
    if (d.lower != d.upper)
        out->dims[out->rank - 2] = d.count;
    out->dims[out->rank - 1] = TN_NONE;
    if (rows < 0 || columns < 0)
        return TN_OK;
    TN_TRY(check_inside(&d, rows, columns));
    out->dims[out->rank - 1] = longest(&d, rows, columns);
    return TN_OK;
}

static tn_status diag_part_infer(tn__infer *infer)
{
    tn_shape out;
    bool known;
    TN_TRY(tn__infer_rank(infer, 2, 0, 0));
    TN_TRY(diagonal_shape(infer->input[0], infer->input[1], &out, &known));
    if (known)
        infer->output[0].shape = out;
    return TN_OK;
}

static tn_status diag_part_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0], *y = kernel->output[0];
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    diagonals d = { 0 };
    bool known;
    TN_TRY(read_diagonals(kernel->input[1], &d, &known));
    walk w = walk_of(&d, &x->shape, kernel->attrs);
    tn__fill_elements(y->data, tn__count(y), size, kernel->input[2]->data);
    each_diagonal(&w, from_matrix, &(copy){ y->data, x->data, size, w.columns + 1 });
    return TN_OK;
}

/* dx = dy on the diagonals, zeros elsewhere */
static void diag_part_gradient(tn__gradient *g)
{
    g->din[0] =
        TN__APPLY(tn__op_MatrixSetDiagV3, g->attrs, tn__zeros_like(g->in[0]), g->dout[0], g->in[1]);
}

const tn__op tn__op_MatrixDiagPartV3 = {
    .name = "MatrixDiagPartV3",
    .inputs = "input: T, k: int32, padding_value: T",
    .outputs = "diagonal: T",
    .types = "T: any",
    .attrs = align_fields,
    .attrs_size = sizeof(align_attrs),
    .infer = diag_part_infer,
    .compute = diag_part_compute,
    .gradient = diag_part_gradient,
    .flags = TN__HALF,
};

static tn_status check_set_diag(tn_tensor *const *input)
{
    tn_shape wanted;
    bool known;
    TN_TRY(diagonal_shape(input[0], input[2], &wanted, &known));
    if (!known || tn__shape_fits(&wanted, &input[1]->shape))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Either first dimensions of diagonal don't match input.shape[:-2], or "
                    "diagonal.shape[:-1] is not equal to the longests diagonal in range "
                    "[lower_diag_index:upper_diag_index].\nthe diagonal must be %s, got %s",
                    TN__SHAPE(wanted), TN__TENSOR(input[1]));
}

static tn_status set_diag_infer(tn__infer *infer)
{
    TN_TRY(check_set_diag(infer->input));
    return tn__infer_same(infer);
}

static tn_status set_diag_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0], *y = kernel->output[0];
    diagonals d = { 0 };
    bool known;
    TN_TRY(check_set_diag(kernel->input)); /* k may be known in the run only */
    TN_TRY(read_diagonals(kernel->input[2], &d, &known));
    walk w = walk_of(&d, &x->shape, kernel->attrs);
    copy c = { y->data, kernel->input[1]->data, tn__dtype_size((tn_dtype)x->dtype), w.columns + 1 };
    if (tn__byte_count(x))
        memcpy(y->data, x->data, tn__byte_count(x));
    each_diagonal(&w, to_matrix, &c);
    return TN_OK;
}

/* dx = dy but on the diagonals; d diagonal = dy on them */
static void set_diag_gradient(tn__gradient *g)
{
    g->din[0] =
        TN__APPLY(tn__op_MatrixSetDiagV3, g->attrs, g->dout[0], tn__zeros_like(g->in[1]), g->in[2]);
    g->din[1] =
        TN__APPLY(tn__op_MatrixDiagPartV3, g->attrs, g->dout[0], g->in[2], tn__like(g->in[0], 0));
}

const tn__op tn__op_MatrixSetDiagV3 = {
    .name = "MatrixSetDiagV3",
    .inputs = "input: T, diagonal: T, k: int32",
    .outputs = "output: T",
    .types = "T: any",
    .attrs = align_fields,
    .attrs_size = sizeof(align_attrs),
    .infer = set_diag_infer,
    .compute = set_diag_compute,
    .gradient = set_diag_gradient,
    .flags = TN__HALF,
};

/* --- MatrixBandPart --------------------------------------------------------------------------- */
static tn_status check_width(const tn_tensor *x, const char *name, const char *of, int64_t size,
                             int64_t *width)
{
    if (x->shape.known && x->shape.rank)
        return tn__fail(TN_INVALID_ARGUMENT, "%s must be scalar, got shape %s", name,
                        TN__BRACKETS(x->shape));
    if (!tn__known_int(x, width) || size < 0 || *width <= size)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "%s must be negative or less or equal to number of %s (%lld) got: %lld", name,
                    of, (long long)size, (long long)*width);
}

static tn_status read_band(const tn_shape *shape, tn_tensor *const *input, int64_t width[2])
{
    bool known = shape->known;
    if (known && shape->rank < 2)
        return tn__fail(TN_INVALID_ARGUMENT, "input must be at least 2-dim, received shape: %s",
                        TN__BRACKETS(*shape));
    int64_t rows = known ? shape->dims[shape->rank - 2] : TN_NONE;
    int64_t columns = known ? shape->dims[shape->rank - 1] : TN_NONE;
    TN_TRY(check_width(input[1], "num_lower", "rows", rows, &width[0]));
    return check_width(input[2], "num_upper", "columns", columns, &width[1]);
}

static tn_status band_infer(tn__infer *infer)
{
    int64_t width[2];
    TN_TRY(read_band(&infer->input[0]->shape, infer->input, width));
    return tn__infer_same(infer);
}

/* Of every row the part from `lower` before the diagonal to `upper` behind it; a negative width is
 * all. */
static tn_status band_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    const tn_shape *shape = &x->shape;
    int64_t width[2], columns = shape->dims[shape->rank - 1], rows = shape->dims[shape->rank - 2];
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    TN_TRY(read_band(shape, kernel->input, width));
    memset(kernel->output[0]->data, 0, tn__byte_count(x));
    for (int64_t i = 0; columns && i < tn__count(x) / columns; i++) {
        int64_t row = i % rows, begin = width[0] < 0 ? 0 : greatest(row - width[0], 0);
        int64_t end = width[1] < 0 ? columns : least(row + width[1] + 1, columns);
        size_t offset = (size_t)(i * columns + begin) * size;
        if (begin < end)
            memcpy((char *)kernel->output[0]->data + offset, (const char *)x->data + offset,
                   (size_t)(end - begin) * size);
    }
    return TN_OK;
}

/* dx = the band of dy */
static void band_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_MatrixBandPart, NULL, g->dout[0], g->in[1], g->in[2]);
}

const tn__op tn__op_MatrixBandPart = {
    .name = "MatrixBandPart",
    .inputs = "input: T, num_lower: Tindex, num_upper: Tindex",
    .outputs = "band: T",
    .types = "T: any; Tindex: int32, int64",
    .infer = band_infer,
    .compute = band_compute,
    .gradient = band_gradient,
    .flags = TN__HALF,
};

/* --- tf.linalg -------------------------------------------------------------------------------- */
static const align_attrs usual = { "RIGHT_LEFT" };

tn_tensor *tn_linalg_band_part(tn_tensor *x, int64_t num_lower, int64_t num_upper)
{
    return TN__APPLY(tn__op_MatrixBandPart, NULL, x, tn__int(num_lower), tn__int(num_upper));
}

tn_tensor *tn_linalg_diag(tn_tensor *diagonal, int k)
{
    return TN__APPLY(tn__op_MatrixDiagV3, &usual, diagonal, tn__int(k), tn__int(-1), tn__int(-1),
                     tn__like(diagonal, 0));
}

tn_tensor *tn_linalg_diag_part(tn_tensor *x, int k)
{
    return TN__APPLY(tn__op_MatrixDiagPartV3, &usual, x, tn__int(k), tn__like(x, 0));
}

tn_tensor *tn_linalg_set_diag(tn_tensor *x, tn_tensor *diagonal, int k)
{
    return TN__APPLY(tn__op_MatrixSetDiagV3, &usual, x, diagonal, tn__int(k));
}

tn_tensor *tn_linalg_trace(tn_tensor *x)
{
    return tn_reduce_sum(tn_linalg_diag_part(x, 0), TN_AXES(-1));
}

tn_tensor *tn_eye(int64_t num_rows, int64_t num_columns, tn_dtype dtype)
{
    TN__ENTER(context, NULL);
    (void)context;
    int64_t length = least(num_rows, num_columns);
    tn_tensor *ones = tn_ones(TN_SHAPE(length), dtype);
    return TN__APPLY(tn__op_MatrixDiagV3, &usual, ones, tn__int(0), tn__int(num_rows),
                     tn__int(num_columns), tn__like(ones, 0));
}
