/* segment.c - rows folded together by the segments they belong to: SegmentSum and its kin, whose
 * ids are sorted, and UnsortedSegmentSum and its kin, whose ids may stand in any order. */
#include "ops/elementwise.h"
#include "ops/gather.h"
#include <float.h>
#include <string.h>

/* --- folding ---------------------------------------------------------------------------------- */
/* to = f(from, to), n elements. */
typedef void (*fold)(const void *from, void *to, int64_t n);
typedef enum { ZERO, ONE, LOWEST, HIGHEST } beginning;
typedef struct {
    fold of[TN__DTYPES];
    beginning begin; /* what a segment without rows is, where ids need not be sorted */
    bool mean;
} folds;

#define FOLD_LOOP(name, suffix, T, U, e)                                                 \
    static void name##_##suffix(const void *restrict from, void *restrict to, int64_t n) \
    {                                                                                    \
        const T *a = from;                                                               \
        U *b = to;                                                                       \
        for (int64_t i = 0; i < n; i++) {                                                \
            const T x = a[i], y = (T)b[i];                                               \
            b[i] = (U)(e);                                                               \
        }                                                                                \
    }
ARITHMETIC(FOLD_LOOP, sum, x + y)
ARITHMETIC(FOLD_LOOP, prod, (x * y))
NUMBERS(FOLD_LOOP, max, x > y ? x : y)
NUMBERS(FOLD_LOOP, min, x < y ? x : y)
/* Order is another among unsigned numbers of the widest size. */
FOLD_LOOP(max, u64, uint64_t, uint64_t, x > y ? x : y)
FOLD_LOOP(min, u64, uint64_t, uint64_t, x < y ? x : y)
#define ROWS(name, u64_loop) NUMBERS_ROWS(name)[TN_UINT64] = name##_##u64_loop
static const folds sums = { { ROWS(sum, i64) }, ZERO, false },
                   means = { { ROWS(sum, i64) }, ZERO, true },
                   prods = { { ROWS(prod, i64) }, ONE, false },
                   maxima = { { ROWS(max, u64) }, LOWEST, false },
                   minima = { { ROWS(min, u64) }, HIGHEST, false };

static double greatest_float(tn_dtype dtype)
{
    return dtype == TN_FLOAT64    ? DBL_MAX
           : dtype == TN_FLOAT16  ? 65504
           : dtype == TN_BFLOAT16 ? 0x1.fep127
                                  : (double)FLT_MAX;
}

/* The least or greatest number of a dtype, as an element of a wider one. */
static void put_end(tn_dtype dtype, bool greatest, tn_dtype wide, void *element)
{
    unsigned bits = 8 * (unsigned)tn__dtype_size(dtype) - !tn__in(TN__UNSIGNED, dtype);
    uint64_t most = UINT64_MAX >> (64 - bits);
    if (tn__in(TN__FLOATS, dtype))
        tn__element_from_double(wide, greatest ? greatest_float(dtype) : -greatest_float(dtype),
                                element);
    else if (greatest)
        tn__element_from_int(wide, (int64_t)most, element);
    else
        tn__element_from_int(wide, tn__in(TN__UNSIGNED, dtype) ? 0 : -(int64_t)most - 1, element);
}

static void fill_beginning(tn_tensor *y, beginning begin, tn_dtype dtype)
{
    char element[8];
    tn_dtype wide = (tn_dtype)y->dtype;
    if (begin == ZERO || begin == ONE)
        tn__element_from_int(wide, begin == ONE, element);
    else
        put_end(dtype, begin == HIGHEST, wide, element);
    tn__fill_elements(y->data, tn__count(y), tn__dtype_size(wide), element);
}

/* One call: rows of data (in a dtype that there is a loop for) into the segments of `out`. */
typedef struct {
    const tn__kernel *kernel;
    const tn_tensor *ids;
    tn_tensor *data, *out;
    int64_t row; /* elements */
} folding;

static void fold_row(const folding *f, int64_t i, int64_t segment, fold into)
{
    int64_t bytes = f->row * (int64_t)tn__dtype_size((tn_dtype)f->data->dtype);
    into((const char *)f->data->data + i * bytes, (char *)f->out->data + segment * bytes, f->row);
}

/* Runs fold_all on data and output in the usual dtype, and rounds once. */
static tn_status in_usual_dtype(tn__kernel *kernel, const tn_shape *shape,
                                tn_status (*fold_all)(folding *f))
{
    tn_tensor *data = kernel->input[0], *out = NULL;
    tn_dtype dtype = (tn_dtype)data->dtype,
             wide = dtype == TN_UINT64 ? TN_UINT64 : tn__usual_dtype(dtype);
    int first = kernel->input[1]->shape.rank;
    folding f = { kernel, kernel->input[1], NULL, NULL,
                  tn__count_of(&data->shape, first, data->shape.rank) };
    tn_status status = tn__cast_value(data, wide, &f.data);
    if (status == TN_OK)
        status = tn__tensor_new(wide, shape, &f.out);
    if (status == TN_OK)
        status = fold_all(&f);
    if (status == TN_OK)
        status = tn__cast_value(f.out, dtype, &out);
    if (status == TN_OK) {
        tn__release(kernel->output[0]);
        kernel->output[0] = out;
    }
    tn__release(f.data);
    tn__release(f.out);
    return status;
}

/* --- sorted ids ------------------------------------------------------------------------------- */
static tn_status segment_infer(tn__infer *infer)
{
    const tn_shape *data = &infer->input[0]->shape, *ids = &infer->input[1]->shape;
    if (ids->known && ids->rank != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "segment_ids should be a vector.\n%s: they are %s",
                        infer->op->name, TN__SHAPE(*ids));
    if (data->known && data->rank == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "input must be at least rank 1");
    if (!data->known)
        return TN_OK;
    if (ids->known && ids->dims[0] >= 0 && data->dims[0] >= 0 && ids->dims[0] != data->dims[0])
        return tn__fail(TN_INVALID_ARGUMENT,
                        "segment_ids should be the same size as dimension 0 of input.\n%s: data is "
                        "%s, segment_ids %s",
                        infer->op->name, TN__SHAPE(*data), TN__SHAPE(*ids));
    infer->output[0].shape = *data;
    infer->output[0].shape.dims[0] = ids->known && ids->dims[0] == 0 ? 0 : TN_NONE;
    return TN_OK;
}

static tn_status check_sorted(const tn_tensor *ids)
{
    int64_t n = tn__count(ids), last = n ? tn__int_at(ids, n - 1) : -1;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = tn__int_at(ids, i);
        if (i && at < tn__int_at(ids, i - 1))
            return tn__fail(TN_INVALID_ARGUMENT, "segment ids are not increasing");
        if (at < 0)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Segment id %lld out of range [0, %lld), possibly because "
                            "'segment_ids' input is not sorted.",
                            (long long)at, (long long)last + 1);
    }
    return TN_OK;
}

/* segment *= 1 / count, whole numbers towards 0 */
static void divide_row(const folding *f, int64_t segment, int64_t count)
{
    tn_dtype dtype = (tn_dtype)f->out->dtype;
    size_t size = tn__dtype_size(dtype);
    for (int64_t k = 0; k < f->row; k++) {
        char *at = (char *)f->out->data + (size_t)(segment * f->row + k) * size;
        if (tn__in(TN__FLOATS, dtype))
            tn__element_from_double(dtype, tn__element_to_double(dtype, at) / (double)count, at);
        else
            tn__element_from_int(dtype, tn__element_to_int(dtype, at) / count, at);
    }
}

/* The first row of a segment is copied, so that only segments without rows are what the output
 * begins with. */
static tn_status fold_sorted(folding *f)
{
    const folds *family = f->kernel->op->family;
    int64_t n = tn__count(f->ids);
    size_t bytes = (size_t)f->row * tn__dtype_size((tn_dtype)f->data->dtype);
    fill_beginning(f->out, family->begin == ONE ? ONE : ZERO, (tn_dtype)f->out->dtype);
    for (int64_t i = 0, first = 0; i < n; i++) {
        int64_t at = tn__int_at(f->ids, i);
        first = i && at == tn__int_at(f->ids, i - 1) ? first : i;
        if (first != i)
            fold_row(f, i, at, family->of[f->data->dtype]);
        else if (bytes)
            memcpy((char *)f->out->data + (size_t)at * bytes,
                   (const char *)f->data->data + (size_t)i * bytes, bytes);
        if (family->mean && (i + 1 == n || tn__int_at(f->ids, i + 1) != at))
            divide_row(f, at, i + 1 - first);
    }
    return TN_OK;
}

static tn_status segment_compute(tn__kernel *kernel)
{
    const tn_tensor *ids = kernel->input[1];
    tn_shape shape = kernel->input[0]->shape;
    TN_TRY(check_sorted(ids));
    shape.dims[0] = tn__count(ids) ? tn__int_at(ids, tn__count(ids) - 1) + 1 : 0;
    return in_usual_dtype(kernel, &shape, fold_sorted);
}

/* --- ids in any order ------------------------------------------------------------------------- */
/* data (ids…, slice…): the output is (segments, slice…). */
static tn_status unsorted_infer(tn__infer *infer)
{
    const tn_shape *data = &infer->input[0]->shape, *ids = &infer->input[1]->shape;
    tn_shape out = TN_SCALAR;
    int64_t count;
    bool known = tn__known_int(infer->input[2], &count);
    TN_TRY(tn__infer_rank(infer, 2, 0, 0));
    if (known && count < 0)
        return tn__fail(TN_INVALID_ARGUMENT, "Input num_segments == %lld must not be negative.",
                        (long long)count);
    if (!data->known || !ids->known)
        return TN_OK;
    tn_shape head = *data;
    head.rank = ids->rank;
    if (ids->rank > data->rank || !tn__shape_fits(&head, ids))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "data.shape = %s does not start with segment_ids.shape = %s",
                        TN__BRACKETS(*data), TN__BRACKETS(*ids));
    if (ids->rank == 0 && data->rank == TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "%s: more than %d dimensions", infer->op->name,
                        TN_MAX_RANK);
    out.dims[out.rank++] = known ? count : TN_NONE;
    for (int i = ids->rank; i < data->rank; i++)
        out.dims[out.rank++] = data->dims[i];
    infer->output[0].shape = out;
    return TN_OK;
}

static tn_status fold_unsorted(folding *f)
{
    const folds *family = f->kernel->op->family;
    int64_t count = f->out->shape.dims[0];
    fill_beginning(f->out, family->begin, (tn_dtype)f->kernel->input[0]->dtype);
    for (int64_t i = 0; i < tn__count(f->ids); i++) {
        int64_t at = tn__int_at(f->ids, i);
        if (at >= count)
            return tn__fail(TN_INVALID_ARGUMENT, "segment_ids%s = %lld is out of range [0, %lld)",
                            tn__place_text(&f->ids->shape, i, (char[TN__SHAPE_TEXT]){ 0 }),
                            (long long)at, (long long)count);
        if (at >= 0)
            fold_row(f, i, at, family->of[f->data->dtype]);
    }
    return TN_OK;
}

static tn_status unsorted_compute(tn__kernel *kernel)
{
    const tn_shape *data = &kernel->input[0]->shape;
    tn_shape shape = { 1, 1, { tn__int_at(kernel->input[2], 0) } };
    for (int i = kernel->input[1]->shape.rank; i < data->rank; i++)
        shape.dims[shape.rank++] = data->dims[i];
    return in_usual_dtype(kernel, &shape, fold_unsorted);
}

/* --- gradients -------------------------------------------------------------------------------- */
/* x (ids…) with dimensions of 1 behind, as many as data has; NULL when ranks are not known. */
static tn_tensor *beside_rows(const tn__gradient *g, tn_tensor *x)
{
    const tn_shape *data = &g->in[0]->shape, *ids = &g->in[1]->shape;
    if (!data->known || !ids->known) {
        tn__fail(TN_UNIMPLEMENTED, "%s: the gradient needs known ranks", g->op->name);
        return NULL;
    }
    for (int i = ids->rank; i < data->rank; i++)
        x = tn_expand_dims(x, -1);
    return x;
}

static bool is_unsorted(const tn__gradient *g)
{
    return g->in_count == 3;
}

/* For each row of data its segment's row of x; zeros where the id is negative. */
static tn_tensor *of_segment(const tn__gradient *g, tn_tensor *x)
{
    tn_tensor *ids = g->in[1];
    if (!is_unsorted(g))
        return tn_gather(x, ids, 0);
    tn_tensor *zero = tn__like(ids, 0), *rows = tn_gather(x, tn_maximum(ids, zero), 0);
    return tn_where(beside_rows(g, tn_greater_equal(ids, zero)), rows, tn__like(rows, 0));
}

/* The sum over each segment of the same ids, as many as the op gives. */
static tn_tensor *sum_by_segment(const tn__gradient *g, tn_tensor *x)
{
    if (is_unsorted(g))
        return TN__APPLY(tn__op_UnsortedSegmentSum, NULL, x, g->in[1], g->in[2]);
    return TN__APPLY(tn__op_SegmentSum, NULL, x, g->in[1]);
}

/* d data = the row of dy that it was added to */
static void sum_gradient(tn__gradient *g)
{
    g->din[0] = of_segment(g, g->dout[0]);
}

/* the same, over the number of rows in the segment */
static void mean_gradient(tn__gradient *g)
{
    tn_tensor *ones = tn_cast(tn_ones_like(g->in[1]), (tn_dtype)g->dout[0]->dtype);
    tn_tensor *counts = beside_rows(g, tn_gather(sum_by_segment(g, ones), g->in[1], 0));
    g->din[0] = tn_divide(of_segment(g, g->dout[0]), counts);
}

/* dy where data is its segment's extreme, shared among those that are */
static void extreme_gradient(tn__gradient *g)
{
    tn_tensor *data = g->in[0], *chosen = tn_equal(data, of_segment(g, g->out[0]));
    if (is_unsorted(g)) /* an id that is left out is nobody's extreme */
        chosen = tn_logical_and(chosen,
                                beside_rows(g, tn_greater_equal(g->in[1], tn__like(g->in[1], 0))));
    tn_tensor *number = sum_by_segment(g, tn_cast(chosen, (tn_dtype)data->dtype));
    tn_tensor *share = of_segment(g, tn_divide_no_nan(g->dout[0], number));
    g->din[0] = tn_where(chosen, share, tn__like(share, 0));
}

/* dy times the product of the segment's others. With one zero among them that is 0 but for the zero
 * itself, with more it is 0. */
static void prod_gradient(tn__gradient *g)
{
    tn_tensor *data = g->in[0], *zero = tn__like(data, 0), *one = tn__like(data, 1);
    tn_tensor *is_zero = tn_equal(data, zero);
    tn_tensor *zeros = sum_by_segment(g, tn_cast(is_zero, TN_INT32));
    tn_tensor *dy = tn_where(tn_greater(zeros, tn__int(1)), zero, g->dout[0]);
    tn_tensor *safe = tn_where(is_zero, one, data);
    tn_tensor *rest = tn__apply(g->op, NULL,
                                is_unsorted(g) ? (tn_tensor *[]){ safe, g->in[1], g->in[2] }
                                               : (tn_tensor *[]){ safe, g->in[1] },
                                g->in_count);
    tn_tensor *others =
        tn_where(is_zero, of_segment(g, rest), tn_divide(of_segment(g, g->out[0]), safe));
    g->din[0] = tn_multiply(of_segment(g, dy), others);
}

/* --- the ops ---------------------------------------------------------------------------------- */
#define SORTED(name_, family_, gradient_)             \
    const tn__op tn__op_##name_ = {                   \
        .name = #name_,                               \
        .inputs = "data: T, segment_ids: Tindices",   \
        .outputs = "output: T",                       \
        .types = "T: number; Tindices: int32, int64", \
        .infer = segment_infer,                       \
        .compute = segment_compute,                   \
        .gradient = gradient_,                        \
        .flags = TN__HALF | TN__MAKES_OUTPUTS,        \
        .family = &family_,                           \
    };
SORTED(SegmentSum, sums, sum_gradient)
SORTED(SegmentMean, means, mean_gradient)
SORTED(SegmentProd, prods, prod_gradient)
SORTED(SegmentMax, maxima, extreme_gradient)
SORTED(SegmentMin, minima, extreme_gradient)

#define UNSORTED(name_, family_, gradient_)                                       \
    const tn__op tn__op_##name_ = {                                               \
        .name = #name_,                                                           \
        .inputs = "data: T, segment_ids: Tindices, num_segments: Tnumsegments",   \
        .outputs = "output: T",                                                   \
        .types = "T: number; Tindices: int32, int64; Tnumsegments: int32, int64", \
        .infer = unsorted_infer,                                                  \
        .compute = unsorted_compute,                                              \
        .gradient = gradient_,                                                    \
        .flags = TN__HALF | TN__MAKES_OUTPUTS,                                    \
        .family = &family_,                                                       \
    };
UNSORTED(UnsortedSegmentSum, sums, sum_gradient)
UNSORTED(UnsortedSegmentProd, prods, prod_gradient)
UNSORTED(UnsortedSegmentMax, maxima, extreme_gradient)
UNSORTED(UnsortedSegmentMin, minima, extreme_gradient)

/* --- public ----------------------------------------------------------------------------------- */
#define SORTED_WRAPPER(function, op)                             \
    tn_tensor *function(tn_tensor *data, tn_tensor *segment_ids) \
    {                                                            \
        return TN__APPLY(tn__op_##op, NULL, data, segment_ids);  \
    }
SORTED_WRAPPER(tn_segment_sum, SegmentSum)
SORTED_WRAPPER(tn_segment_mean, SegmentMean)
SORTED_WRAPPER(tn_segment_prod, SegmentProd)
SORTED_WRAPPER(tn_segment_max, SegmentMax)
SORTED_WRAPPER(tn_segment_min, SegmentMin)

static tn_tensor *number_of(int64_t count)
{
    return tn_reshape(tn__own(tn__tensor_ints(TN_INT64, 1, &count)), TN_SCALAR);
}

#define UNSORTED_WRAPPER(function, op)                                                   \
    tn_tensor *function(tn_tensor *data, tn_tensor *segment_ids, int64_t num_segments)   \
    {                                                                                    \
        return TN__APPLY(tn__op_##op, NULL, data, segment_ids, number_of(num_segments)); \
    }
UNSORTED_WRAPPER(tn_unsorted_segment_sum, UnsortedSegmentSum)
UNSORTED_WRAPPER(tn_unsorted_segment_prod, UnsortedSegmentProd)
UNSORTED_WRAPPER(tn_unsorted_segment_max, UnsortedSegmentMax)
UNSORTED_WRAPPER(tn_unsorted_segment_min, UnsortedSegmentMin)

/* Rows in each segment, 1 where there is none, to stand beside sums of data; NULL when ranks are
 * not known. */
static tn_tensor *counts_beside(tn_tensor *data, tn_tensor *segment_ids, int64_t num_segments)
{
    if (!tn__check_tensor(data, "data") || !tn__check_tensor(segment_ids, "segment_ids"))
        return NULL;
    if (!data->shape.known || !segment_ids->shape.known) {
        tn__fail(TN_UNIMPLEMENTED, "the mean of segments needs known ranks, got %s and %s",
                 TN__TENSOR(data), TN__TENSOR(segment_ids));
        return NULL;
    }
    tn_tensor *ones = tn_cast(tn_ones_like(segment_ids), (tn_dtype)data->dtype);
    tn_tensor *counts = tn_unsorted_segment_sum(ones, segment_ids, num_segments);
    for (int i = segment_ids->shape.rank; counts && i < data->shape.rank; i++)
        counts = tn_expand_dims(counts, -1);
    return counts ? tn_maximum(counts, tn__like(counts, 1)) : NULL;
}

tn_tensor *tn_unsorted_segment_mean(tn_tensor *data, tn_tensor *segment_ids, int64_t num_segments)
{
    TN__ENTER(context, NULL);
    (void)context;
    tn_tensor *counts = counts_beside(data, segment_ids, num_segments);
    return tn_divide(tn_unsorted_segment_sum(data, segment_ids, num_segments), counts);
}

tn_tensor *tn_unsorted_segment_sqrt_n(tn_tensor *data, tn_tensor *segment_ids, int64_t num_segments)
{
    TN__ENTER(context, NULL);
    (void)context;
    tn_tensor *counts = counts_beside(data, segment_ids, num_segments);
    return tn_divide(tn_unsorted_segment_sum(data, segment_ids, num_segments), tn_sqrt(counts));
}
