/* sort.c - sorting, and where numbers fall among sorted ones: LowerBound, UpperBound,
 * HistogramFixedWidth. */
#include "ops/array.h"
#include <math.h>
#include <string.h>

/* --- LowerBound, UpperBound ------------------------------------------------------------------- */
typedef struct {
    tn_dtype out_type;
} bound_attrs;
static const tn_field bound_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, bound_attrs, out_type, "int32", NULL),
    TN__END_OF_FIELDS,
};

/* (rows, n) and (rows, m) */
static tn_status bound_infer(tn__infer *infer)
{
    const tn_shape *sorted = &infer->input[0]->shape, *values = &infer->input[1]->shape;
    if (sorted->known && sorted->rank != 2)
        return tn__fail(TN_INVALID_ARGUMENT, "sorted input argument must be a matrix");
    if (values->known && values->rank != 2)
        return tn__fail(TN_INVALID_ARGUMENT, "values must be a matrix");
    if (sorted->known && values->known && sorted->dims[0] >= 0 && values->dims[0] >= 0 &&
        sorted->dims[0] != values->dims[0])
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Leading dim_size of both tensors must match.\n%s: got %s and %s",
                        infer->op->name, TN__SHAPE(*sorted), TN__SHAPE(*values));
    infer->output[0].shape = values->known ? *values : tn__shape_of_rank(2);
    return TN_OK;
}

/* How many of a sorted row stand before x: those that are less, or (upper) not greater. */
#define BOUND_LOOP(suffix, T)                                                                \
    static int64_t bound_##suffix(const void *row, int64_t n, const void *value, bool upper) \
    {                                                                                        \
        const T *sorted = row, x = *(const T *)value;                                        \
        int64_t low = 0, high = n;                                                           \
        while (low < high) {                                                                 \
            int64_t middle = low + (high - low) / 2;                                         \
            bool before = upper ? !(x < sorted[middle]) : sorted[middle] < x;                \
            low = before ? middle + 1 : low;                                                 \
            high = before ? high : middle;                                                   \
        }                                                                                    \
        return low;                                                                          \
    }
BOUND_LOOP(f32, float)
BOUND_LOOP(f64, double)
BOUND_LOOP(i32, int32_t)
BOUND_LOOP(i64, int64_t)
BOUND_LOOP(u8, uint8_t)

typedef int64_t (*bound)(const void *row, int64_t n, const void *value, bool upper);
static bound bound_of(tn_dtype dtype)
{
    switch (dtype) {
    case TN_FLOAT32:
        return bound_f32;
    case TN_FLOAT64:
        return bound_f64;
    case TN_INT32:
        return bound_i32;
    case TN_INT64:
        return bound_i64;
    default:
        return bound_u8;
    }
}

static tn_status bound_compute(tn__kernel *kernel)
{
    const tn_tensor *sorted = kernel->input[0], *values = kernel->input[1];
    tn_tensor *y = kernel->output[0];
    int64_t n = sorted->shape.dims[1], m = values->shape.dims[1];
    size_t size = tn__dtype_size((tn_dtype)sorted->dtype), out = tn__dtype_size((tn_dtype)y->dtype);
    bound find = bound_of((tn_dtype)sorted->dtype);
    for (int64_t i = 0; i < tn__count(values); i++)
        tn__element_from_int((tn_dtype)y->dtype,
                             find((const char *)sorted->data + (size_t)(i / m * n) * size, n,
                                  (const char *)values->data + (size_t)i * size,
                                  kernel->op == &tn__op_UpperBound),
                             (char *)y->data + (size_t)i * out);
    return TN_OK;
}

#define BOUND(name_)                                  \
    const tn__op tn__op_##name_ = {                   \
        .name = #name_,                               \
        .inputs = "sorted_inputs: T, values: T",      \
        .outputs = "output: out_type",                \
        .types = "T: number; out_type: int32, int64", \
        .attrs = bound_fields,                        \
        .attrs_size = sizeof(bound_attrs),            \
        .infer = bound_infer,                         \
        .compute = bound_compute,                     \
        .no_gradient = "none: places are integers",   \
    };
BOUND(LowerBound)
BOUND(UpperBound)

/* x (…, n) as (rows, n) */
static tn_tensor *as_matrix(tn_tensor *x)
{
    tn_tensor *shape = tn__shape_tensor(x), *none = tn__ints((int64_t[]){ TN_NONE }, 1);
    int rank = x->shape.rank;
    if (rank == 1)
        return tn_expand_dims(x, 0);
    tn_tensor *last = tn__vector_part(shape, rank - 1, rank);
    return TN__APPLY(tn__op_Reshape, NULL, x, tn__vector_join(2, (tn_tensor *[]){ none, last }));
}

static bool check_sequence(const tn_tensor *x, const char *what)
{
    if (!tn__check_tensor(x, what))
        return false;
    if (x->shape.known && x->shape.rank > 0)
        return true;
    tn__fail(TN_INVALID_ARGUMENT, "%s must have 1 dimension or more, got %s", what, TN__TENSOR(x));
    return false;
}

/* The dimensions but the last must agree; flattened, only their product would be compared. */
static bool same_rows(const tn_tensor *a, const tn_tensor *b)
{
    tn_shape x = a->shape, y = b->shape;
    x.dims[x.rank - 1] = y.dims[y.rank - 1] = 1;
    if (tn__shape_fits(&x, &y))
        return true;
    tn__fail(TN_INVALID_ARGUMENT,
             "Leading dim_size of both tensors must match.\ntn_searchsorted: got %s and %s",
             TN__SHAPE(a->shape), TN__SHAPE(b->shape));
    return false;
}

tn_tensor *tn_searchsorted_with(const tn_searchsorted_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    const bound_attrs attrs = { o->out_type ? o->out_type : TN_INT32 };
    const char *side = o->side ? o->side : "left";
    if (!check_sequence(o->sorted_sequence, "tn_searchsorted: sorted_sequence") ||
        !check_sequence(o->values, "tn_searchsorted: values") ||
        !same_rows(o->sorted_sequence, o->values))
        return NULL;
    bool right = strcmp(side, "right") == 0;
    if (!right && strcmp(side, "left") != 0) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "Argument `side` must be either 'right' or 'left'. Received: `side` = '%s'.",
                 side);
        return NULL;
    }
    tn_tensor *places =
        tn__apply(right ? &tn__op_UpperBound : &tn__op_LowerBound, &attrs,
                  (tn_tensor *[]){ as_matrix(o->sorted_sequence), as_matrix(o->values) }, 2);
    return TN__APPLY(tn__op_Reshape, NULL, places, tn__shape_tensor(o->values));
}

/* --- HistogramFixedWidth ---------------------------------------------------------------------- */
typedef struct {
    tn_dtype dtype;
} histogram_attrs;
static const tn_field histogram_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, histogram_attrs, dtype, "int32", NULL),
    TN__END_OF_FIELDS,
};

static tn_status histogram_infer(tn__infer *infer)
{
    const tn_shape *range = &infer->input[1]->shape;
    int64_t bins;
    bool known = tn__known_int(infer->input[2], &bins);
    if (range->known && (range->rank != 1 || (range->dims[0] >= 0 && range->dims[0] != 2)))
        return tn__fail(TN_INVALID_ARGUMENT, "value_range should be a vector of 2 elements.");
    TN_TRY(tn__infer_rank(infer, 2, 0, 0));
    if (known && bins <= 0)
        return tn__fail(TN_INVALID_ARGUMENT, "nbins should be a positive number, but got '%lld'",
                        (long long)bins);
    infer->output[0].shape = tn__shape_vector(known ? bins : TN_NONE);
    return TN_OK;
}

static tn_status count_into(const tn_tensor *x, double low, double step, int64_t bins,
                            int64_t *count)
{
    for (int64_t i = 0; i < tn__count(x); i++) {
        double value = tn__double_at(x, i);
        if (isnan(value))
            return tn__fail(TN_INVALID_ARGUMENT, "Histogram values must not contain NaN");
        double at = floor((value - low) / step);
        count[at < 0 ? 0 : at >= (double)bins ? bins - 1 : (int64_t)at]++;
    }
    return TN_OK;
}

static tn_status histogram_compute(tn__kernel *kernel)
{
    const tn_tensor *range = kernel->input[1];
    double low = tn__double_at(range, 0), high = tn__double_at(range, 1);
    int64_t bins = tn__int_at(kernel->input[2], 0);
    tn_dtype dtype = ((const histogram_attrs *)kernel->attrs)->dtype;
    if (!(low < high))
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "value_range should satisfy value_range[0] < value_range[1], but got '[%g, %g]'", low,
            high);
    const tn_shape shape = tn__shape_vector(bins);
    TN_TRY(tn__ensure_output(kernel, 0, dtype, &shape));
    tn_tensor *y = kernel->output[0];
    int64_t *count = tn__alloc_zeroed((size_t)bins, sizeof *count);
    if (!count)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = count_into(kernel->input[0], low, (high - low) / (double)bins, bins, count);
    for (int64_t i = 0; i < bins && status == TN_OK; i++)
        tn__element_from_int(dtype, count[i], (char *)y->data + (size_t)i * tn__dtype_size(dtype));
    tn__free(count);
    return status;
}

const tn__op tn__op_HistogramFixedWidth = {
    .name = "HistogramFixedWidth",
    .inputs = "values: T, value_range: T, nbins: int32",
    .outputs = "out: dtype",
    .types = "T: int32, int64, float, double; dtype: int32, int64",
    .attrs = histogram_fields,
    .attrs_size = sizeof(histogram_attrs),
    .infer = histogram_infer,
    .compute = histogram_compute,
    .no_gradient = "none: counts are integers",
};

tn_tensor *tn_histogram_fixed_width(tn_tensor *values, tn_tensor *value_range, int64_t nbins,
                                    tn_dtype dtype)
{
    return TN__APPLY(tn__op_HistogramFixedWidth, &(histogram_attrs){ dtype }, values, value_range,
                     tn__int(nbins));
}

/* --- sorting ---------------------------------------------------------------------------------- */
/* What is in descending order where x is in ascending order: -x, or for whole numbers, which have
 * one more below 0 than above, the bits of x turned over. */
static tn_tensor *turned(tn_tensor *x)
{
    return x && tn__in(TN__INTS, (tn_dtype)x->dtype) ? tn_invert(x) : tn_negative(x);
}

/* Axis `axis` and the last one change places. */
static tn_tensor *swap_last(tn_tensor *x, int axis)
{
    tn_axes order = { .count = x ? x->shape.rank : 0 };
    if (axis == order.count - 1)
        return x;
    for (int i = 0; i < order.count; i++)
        order.axis[i] = i == axis ? order.count - 1 : i == order.count - 1 ? axis : i;
    return tn_transpose(x, order);
}

/* Values, or places. */
static tn_tensor *sorted(const tn_sort_options *o, bool places, const char *what)
{
    int axis;
    const char *direction = o->direction ? o->direction : "ASCENDING";
    bool up = strcmp(direction, "ASCENDING") == 0;
    if (!check_sequence(o->values, what))
        return NULL;
    if (!up && strcmp(direction, "DESCENDING") != 0) {
        tn__fail(
            TN_INVALID_ARGUMENT,
            "Argument `direction` should be one of ASCENDING, DESCENDING. Received: direction=%s",
            direction);
        return NULL;
    }
    if (!tn__axis(o->axis, o->values->shape.rank, &axis)) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "slice index %d of dimension 0 out of bounds.\n%s: axis %d of %s", o->axis, what,
                 o->axis, TN__TENSOR(o->values));
        return NULL;
    }
    static const struct {
        tn_flag sorted;
        tn_dtype index_type;
    } attrs = { true, TN_INT32 };
    tn_tensor *x = swap_last(o->values, axis);
    x = up ? turned(x) : x;
    if (!x)
        return NULL;
    int last = x->shape.rank - 1;
    tn_tensor *k = tn_reshape(tn__vector_part(tn__shape_tensor(x), last, last + 1), TN_SCALAR);
    tn_list both = tn__apply_list(&tn__op_TopKV2, &attrs, (tn_tensor *[]){ x, k }, 2, 2);
    if (!both.item)
        return NULL;
    tn_tensor *y = places ? both.item[1] : up ? turned(both.item[0]) : both.item[0];
    return swap_last(y, axis);
}

tn_tensor *tn_sort_with(const tn_sort_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    return sorted(options, false, "tn_sort: values");
}

tn_tensor *tn_argsort_with(const tn_sort_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    return sorted(options, true, "tn_argsort: values");
}
