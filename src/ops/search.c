/* search.c - where something stands: ArgMax, ArgMin, TopKV2, InTopKV2, Where, Unique. */
#include "ops/array.h"
#include <math.h>
#include <string.h>

/* --- ArgMax, ArgMin --------------------------------------------------------------------------- */
typedef struct {
    tn_dtype output_type;
} arg_attrs;
static const tn_field arg_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, arg_attrs, output_type, "int64", NULL),
    TN__END_OF_FIELDS,
};

static tn_status arg_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape, *dimension = &infer->input[1]->shape;
    int axis;
    if (dimension->known && dimension->rank)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "dim must be a scalar, but received tensor of shape: %s",
                        TN__BRACKETS(*dimension));
    TN_TRY(tn__known_axis(infer->input[1], in, "Expected dimension", &axis));
    if (!in->known)
        return TN_OK;
    if (axis < 0) {
        infer->output[0].shape = tn__shape_of_rank(in->rank ? in->rank - 1 : 0);
        return TN_OK;
    }
    if (in->dims[axis] == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "Reduction axis %d is empty in shape %s", axis,
                        TN__BRACKETS(*in));
    tn_shape out = *in;
    out.rank--;
    memmove(&out.dims[axis], &out.dims[axis + 1], (size_t)(out.rank - axis) * sizeof *out.dims);
    infer->output[0].shape = out;
    return TN_OK;
}

/* x (length, behind): the place of the best for each of `behind`. A NaN that stands first gives way
 * to every number but the worst, as in TensorFlow, which begins with the worst. */
#define ARG_LOOP(name, suffix, T, better, instead_of_nan)                                        \
    static void name##_##suffix(const void *from, int64_t length, int64_t behind, int64_t *best) \
    {                                                                                            \
        const T *x = from;                                                                       \
        for (int64_t k = 0; k < behind; k++)                                                     \
            best[k] = 0;                                                                         \
        for (int64_t i = 1; i < length; i++)                                                     \
            for (int64_t k = 0; k < behind; k++) {                                               \
                const T v = x[i * behind + k], s = x[best[k] * behind + k];                      \
                if (v better s || (instead_of_nan))                                              \
                    best[k] = i;                                                                 \
            }                                                                                    \
    }
#define ARG_LOOPS(name, better, worst)                                   \
    ARG_LOOP(name, f32, float, better, s != s && v better worst)         \
    ARG_LOOP(name, f64, double, better, s != s && v better worst)        \
    ARG_LOOP(name, i32, int32_t, better, false)                          \
    ARG_LOOP(name, i64, int64_t, better, false)                          \
    ARG_LOOP(name, u8, uint8_t, better, false)                           \
    static const arg_loops name##_loops = { { [TN_FLOAT32] = name##_f32, \
                                              [TN_FLOAT64] = name##_f64, \
                                              [TN_INT32] = name##_i32,   \
                                              [TN_INT64] = name##_i64,   \
                                              [TN_UINT8] = name##_u8,    \
                                              [TN_BOOL] = name##_u8 } };

enum { DTYPES = 20 };
typedef struct {
    void (*of[DTYPES])(const void *from, int64_t length, int64_t behind, int64_t *best);
} arg_loops;
ARG_LOOPS(ArgMax, >, -INFINITY)
ARG_LOOPS(ArgMin, <, INFINITY)

static tn_status arg_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    tn_tensor *y = kernel->output[0];
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    int axis;
    TN_TRY(tn__known_axis(kernel->input[1], &x->shape, "Expected dimension", &axis));
    int64_t length = x->shape.dims[axis], behind = tn__count_of(&x->shape, axis + 1, x->shape.rank);
    int64_t before = tn__count_of(&x->shape, 0, axis), *best;
    if (tn__count(y) == 0)
        return TN_OK;
    if (length == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "Reduction axis %d is empty in shape %s", axis,
                        TN__BRACKETS(x->shape));
    best = tn__alloc((size_t)behind * sizeof *best);
    if (!best)
        return TN_RESOURCE_EXHAUSTED;
    for (int64_t i = 0; i < before; i++) {
        ((const arg_loops *)kernel->op->family)
            ->of[x->dtype]((const char *)x->data + (size_t)(i * length * behind) * size, length,
                           behind, best);
        for (int64_t k = 0; k < behind; k++)
            tn__element_from_int((tn_dtype)y->dtype, best[k],
                                 (char *)y->data +
                                     (size_t)(i * behind + k) * tn__dtype_size((tn_dtype)y->dtype));
    }
    tn__free(best);
    return TN_OK;
}

#define ARG(name_)                                                        \
    const tn__op tn__op_##name_ = {                                       \
        .name = #name_,                                                   \
        .inputs = "input: T, dimension: Tidx",                            \
        .outputs = "output: output_type",                                 \
        .types = "T: any; Tidx: int32, int64; output_type: int32, int64", \
        .attrs = arg_fields,                                              \
        .attrs_size = sizeof(arg_attrs),                                  \
        .infer = arg_infer,                                               \
        .compute = arg_compute,                                           \
        .no_gradient = "none: places are integers",                       \
        .family = &name_##_loops,                                         \
    };
ARG(ArgMax)
ARG(ArgMin)

tn_tensor *tn_argmax(tn_tensor *x, int axis)
{
    return TN__APPLY(tn__op_ArgMax, &(arg_attrs){ TN_INT64 }, x, tn__int(axis));
}

tn_tensor *tn_argmin(tn_tensor *x, int axis)
{
    return TN__APPLY(tn__op_ArgMin, &(arg_attrs){ TN_INT64 }, x, tn__int(axis));
}

/* --- TopKV2 ----------------------------------------------------------------------------------- */
typedef struct {
    tn_flag sorted; /* the order is free without it; here it is always sorted */
    tn_dtype index_type;
} top_k_attrs;
static const tn_field top_k_fields[] = {
    TN__ROW(TN_FIELD_FLAG, top_k_attrs, sorted, "true", NULL),
    TN__ROW(TN_FIELD_DTYPE, top_k_attrs, index_type, "int32", NULL),
    TN__END_OF_FIELDS,
};

static tn_status top_k_infer(tn__infer *infer)
{
    tn_shape shape = infer->input[0]->shape;
    int64_t k;
    bool known = tn__known_int(infer->input[1], &k);
    TN_TRY(tn__infer_rank(infer, 1, 0, 0));
    if (known && k < 0)
        return tn__fail(TN_INVALID_ARGUMENT, "Need k >= 0, got %lld", (long long)k);
    if (!shape.known)
        return TN_OK;
    if (shape.rank == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "input must be >= 1-D, got shape []");
    int64_t *last = &shape.dims[shape.rank - 1];
    if (known && *last >= 0 && *last < k)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "input must have at least k columns. Had %lld, needed %lld",
                        (long long)*last, (long long)k);
    *last = known ? k : TN_NONE;
    infer->output[0].shape = infer->output[1].shape = shape;
    return TN_OK;
}

/* Does place a come before place b? The greater element, of equal ones the first. A NaN is neither
 * greater nor less, so that with one the result depends on who is compared with whom, which below
 * is as in TensorFlow. */
typedef bool (*before)(const void *row, int64_t a, int64_t b);
#define BEFORE(suffix, T)                                              \
    static bool before_##suffix(const void *row, int64_t a, int64_t b) \
    {                                                                  \
        const T x = ((const T *)row)[a], y = ((const T *)row)[b];      \
        return x > y || (!(x < y) && a < b);                           \
    }
BEFORE(f32, float)
BEFORE(f64, double)
BEFORE(i32, int32_t)
BEFORE(i64, int64_t)
BEFORE(u8, uint8_t)

static before before_of(tn_dtype dtype)
{
    switch (dtype) {
    case TN_FLOAT32:
        return before_f32;
    case TN_FLOAT64:
        return before_f64;
    case TN_INT32:
        return before_i32;
    case TN_INT64:
        return before_i64;
    default:
        return before_u8;
    }
}

/* A heap of places whose first comes after all others. */
typedef struct {
    const void *row;
    before before;
    int64_t *place;
} heap;

/* Puts a place at or above `at`. */
static void rise(const heap *h, int64_t at, int64_t top, int64_t place)
{
    for (; at > top && h->before(h->row, h->place[(at - 1) / 2], place); at = (at - 1) / 2)
        h->place[at] = h->place[(at - 1) / 2];
    h->place[at] = place;
}

/* Puts a place at or below `top`: the gap goes down to a leaf, and the place up from there. */
static void settle(const heap *h, int64_t top, int64_t count, int64_t place)
{
    int64_t gap = top, child;
    while ((child = 2 * gap + 2) < count) {
        child -= h->before(h->row, h->place[child], h->place[child - 1]);
        h->place[gap] = h->place[child];
        gap = child;
    }
    if (child == count) {
        h->place[gap] = h->place[child - 1];
        gap = child - 1;
    }
    rise(h, gap, top, place);
}

/* The first goes to the end. */
static void take_first(const heap *h, int64_t count)
{
    int64_t last = h->place[count - 1];
    h->place[count - 1] = h->place[0];
    settle(h, 0, count - 1, last);
}

static void make_heap(const heap *h, int64_t count)
{
    for (int64_t i = count / 2; i-- > 0;)
        settle(h, i, count, h->place[i]);
}

static void sort_few(const heap *h, int64_t count)
{
    for (int64_t i = 1; i < count; i++) {
        int64_t place = h->place[i], at = i;
        bool first = h->before(h->row, place, h->place[0]);
        for (; at > 0 && (first || h->before(h->row, place, h->place[at - 1])); at--)
            h->place[at] = h->place[at - 1];
        h->place[at] = place;
    }
}

/* The best k places of a row of n, best first; room for one more. */
static void best_places(const heap *h, int64_t n, int64_t k)
{
    enum { FEW = 16 };
    for (int64_t i = 0; i <= k && i < n; i++)
        h->place[i] = i;
    if (k == n && n <= FEW) {
        sort_few(h, n);
        return;
    }
    int64_t held = k < n ? k + 1 : k;
    make_heap(h, held);
    if (k < n)
        take_first(h, held);
    for (int64_t i = held; i < n; i++)
        if (h->before(h->row, i, h->place[0])) {
            rise(h, k, 0, i);
            take_first(h, held);
        }
    for (int64_t left = k; left > 1; left--)
        take_first(h, left);
}

static tn_status top_k_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    tn_tensor *values = kernel->output[0], *indices = kernel->output[1];
    tn_dtype dtype = (tn_dtype)x->dtype, index = (tn_dtype)indices->dtype;
    size_t size = tn__dtype_size(dtype), index_size = tn__dtype_size(index);
    int last = x->shape.rank - 1;
    int64_t n = x->shape.dims[last], k = values->shape.dims[last], at = 0;
    heap h = { x->data, before_of(dtype), tn__alloc((size_t)(k + 1) * sizeof *h.place) };
    if (!h.place)
        return TN_RESOURCE_EXHAUSTED;
    for (int64_t rows = tn__count_of(&x->shape, 0, last); rows-- > 0 && k;) {
        if (k == 1)
            ArgMax_loops.of[dtype](h.row, n, 1, h.place);
        else
            best_places(&h, n, k);
        for (int64_t i = 0; i < k; i++, at++) {
            memcpy((char *)values->data + (size_t)at * size,
                   (const char *)h.row + (size_t)h.place[i] * size, size);
            tn__element_from_int(index, h.place[i],
                                 (char *)indices->data + (size_t)at * index_size);
        }
        h.row = (const char *)h.row + (size_t)n * size;
    }
    tn__free(h.place);
    return TN_OK;
}

/* dx = d values in the places they came from: as places in x laid out flat */
static void top_k_gradient(tn__gradient *g)
{
    static const tn_flag keep = false;
    const tn_shape *in = &g->in[0]->shape;
    if (!in->known || !g->dout[0]) {
        if (!in->known)
            tn__fail(TN_UNIMPLEMENTED, "TopKV2: the gradient needs a known rank");
        return;
    }
    tn_tensor *shape = tn__shape_tensor(g->in[0]), *zero = tn__ints((int64_t[]){ 0 }, 1);
    tn_tensor *n = tn_reshape(tn__vector_part(shape, in->rank - 1, in->rank), TN_SCALAR);
    tn_tensor *rows = TN__APPLY(tn__op_Prod, &keep, tn__vector_part(shape, 0, in->rank - 1), zero);
    tn_tensor *first = tn_multiply(tn_range(tn__int(0), rows, tn__int(1)), n);
    tn_tensor *row_shape = tn__vector_join(
        2, (tn_tensor *[]){ tn__vector_part(tn__shape_tensor(g->out[1]), 0, in->rank - 1),
                            tn__ints((int64_t[]){ 1 }, 1) });
    first = TN__APPLY(tn__op_Reshape, NULL, tn_cast(first, (tn_dtype)g->out[1]->dtype), row_shape);
    tn_tensor *flat = TN__APPLY(tn__op_UnsortedSegmentSum, NULL, g->dout[0],
                                tn_add(g->out[1], first), tn_size(g->in[0]));
    g->din[0] = TN__APPLY(tn__op_Reshape, NULL, flat, shape);
}

const tn__op tn__op_TopKV2 = {
    .name = "TopKV2",
    .inputs = "input: T, k: Tk",
    .outputs = "values: T, indices: index_type",
    .types = "T: number; Tk: int32, int64; index_type: int32, int64",
    .attrs = top_k_fields,
    .attrs_size = sizeof(top_k_attrs),
    .infer = top_k_infer,
    .compute = top_k_compute,
    .gradient = top_k_gradient,
};

tn_list tn__top_k(tn_tensor *input, tn_tensor *k)
{
    return tn__apply_list(&tn__op_TopKV2, &(top_k_attrs){ true, TN_INT32 }, (tn_tensor *[]){ input, k },
                          2, 2);
}

tn_list tn_top_k(tn_tensor *input, int64_t k)
{
    return tn__top_k(input, tn__int(k));
}

/* --- InTopKV2 --------------------------------------------------------------------------------- */
static tn_status in_top_k_infer(tn__infer *infer)
{
    const tn_shape *predictions = &infer->input[0]->shape, *targets = &infer->input[1]->shape;
    TN_TRY(tn__infer_rank(infer, 0, 2, 2));
    TN_TRY(tn__infer_rank(infer, 1, 1, 1));
    TN_TRY(tn__infer_rank(infer, 2, 0, 0));
    if (predictions->known && targets->known && predictions->dims[0] >= 0 &&
        targets->dims[0] >= 0 && predictions->dims[0] != targets->dims[0])
        return tn__fail(TN_INVALID_ARGUMENT,
                        "First dimension of predictions %lld must match length of targets %lld",
                        (long long)predictions->dims[0], (long long)targets->dims[0]);
    infer->output[0].shape = targets->known ? *targets : tn__shape_of_rank(1);
    if (predictions->known && infer->output[0].shape.dims[0] < 0)
        infer->output[0].shape.dims[0] = predictions->dims[0];
    return TN_OK;
}

/* Fewer than k are above the target; nothing can be said with a number in the row that is not
 * finite. */
static bool in_top(const float *row, int64_t classes, int64_t target, int64_t k)
{
    int64_t above = 0;
    if (target < 0 || target >= classes || !isfinite(row[target]))
        return false;
    for (int64_t i = 0; i < classes; i++) {
        if (!isfinite(row[i]))
            return false;
        above += row[i] > row[target];
        if (above > k)
            return false;
    }
    return above < k;
}

static tn_status in_top_k_compute(tn__kernel *kernel)
{
    const tn_tensor *predictions = kernel->input[0];
    int64_t classes = predictions->shape.dims[1], rows = predictions->shape.dims[0],
            k = tn__int_at(kernel->input[2], 0);
    for (int64_t i = 0; i < rows; i++)
        ((bool *)kernel->output[0]->data)[i] =
            in_top((const float *)predictions->data + i * classes, classes,
                   tn__int_at(kernel->input[1], i), k);
    return TN_OK;
}

const tn__op tn__op_InTopKV2 = {
    .name = "InTopKV2",
    .inputs = "predictions: float, targets: T, k: T",
    .outputs = "precision: bool",
    .types = "T: int32, int64",
    .infer = in_top_k_infer,
    .compute = in_top_k_compute,
    .no_gradient = "none: truth values",
};

tn_tensor *tn_in_top_k(tn_tensor *targets, tn_tensor *predictions, int64_t k)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(targets, "tn_in_top_k: targets"))
        return NULL;
    tn_tensor *number = tn_cast(tn__int(k), targets->dtype == TN_INT64 ? TN_INT64 : TN_INT32);
    return TN__APPLY(tn__op_InTopKV2, NULL, predictions, targets, number);
}

/* --- Where ------------------------------------------------------------------------------------ */
static tn_status where_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape;
    if (in->known && in->rank == 0)
        return tn__fail(TN_INVALID_ARGUMENT, "WhereOp : Unhandled input dimensions: 0");
    infer->output[0].shape = tn__shape_of_rank(2);
    if (in->known)
        infer->output[0].shape.dims[1] = in->rank;
    return TN_OK;
}

/* Anything but 0, be it of the half types, whose sign bit does not count. */
static bool is_set(const tn_tensor *x, int64_t i)
{
    if (x->dtype == TN_FLOAT16 || x->dtype == TN_BFLOAT16)
        return ((const uint16_t *)x->data)[i] & 0x7FFF;
    return tn__in(TN__FLOATS, (tn_dtype)x->dtype) ? tn__double_at(x, i) != 0
                                                  : tn__int_at(x, i) != 0;
}

static tn_status where_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    int64_t n = tn__count(x), found = 0, stride[TN_MAX_RANK];
    int rank = x->shape.rank;
    for (int64_t i = 0; i < n; i++)
        found += is_set(x, i);
    tn_shape shape = TN_SHAPE(found, rank);
    TN_TRY(tn__kernel_output(kernel, 0, TN_INT64, &shape));
    int64_t *y = kernel->output[0]->data;
    tn__strides(&x->shape, stride);
    for (int64_t i = 0; i < n; i++)
        for (int axis = 0; axis < rank && is_set(x, i); axis++)
            *y++ = i / stride[axis] % x->shape.dims[axis];
    return TN_OK;
}

const tn__op tn__op_Where = {
    .name = "Where",
    .inputs = "input: T",
    .outputs = "index: int64",
    .types = "T: any",
    .infer = where_infer,
    .compute = where_compute,
    .no_gradient = "none: places are integers",
    .flags = TN__HALF,
};

tn_tensor *tn_where_indices(tn_tensor *condition)
{
    return TN__APPLY(tn__op_Where, NULL, condition);
}

/* --- Unique ----------------------------------------------------------------------------------- */
typedef struct {
    tn_dtype out_idx;
} unique_attrs;
static const tn_field unique_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, unique_attrs, out_idx, "int32", NULL),
    TN__END_OF_FIELDS,
};

static tn_status unique_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape;
    if (in->known && in->rank != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "unique expects a 1D vector.\nUnique: x is %s",
                        TN__TENSOR(infer->input[0]));
    infer->output[0].shape = tn__shape_of_rank(1);
    infer->output[1].shape = in->known ? *in : tn__shape_of_rank(1);
    return TN_OK;
}

/* A number that two elements share when they are equal; 0 for 0. */
static uint64_t key_of(const tn_tensor *x, int64_t i)
{
    if (!tn__in(TN__FLOATS, (tn_dtype)x->dtype))
        return (uint64_t)tn__int_at(x, i);
    double value = tn__double_at(x, i);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return value == 0 ? 0 : bits;
}

/* Which of those found before the element is; *found is one more when it is new. A NaN is never
 * equal. */
typedef struct {
    tn__ids seen;
    size_t zero; /* 1 + the number of the element 0 */
    size_t found;
} uniques;

static tn_status number_of(uniques *u, const tn_tensor *x, int64_t i, size_t *number)
{
    uint64_t key = key_of(x, i);
    bool nan = tn__in(TN__FLOATS, (tn_dtype)x->dtype) && isnan(tn__double_at(x, i));
    size_t known = u->zero - 1;
    bool found = !nan && (key ? tn__ids_get(&u->seen, key, &known) : u->zero != 0);
    *number = found ? known : u->found++;
    if (!found && !key)
        u->zero = u->found;
    return found || nan || !key ? TN_OK : tn__ids_set(&u->seen, key, *number);
}

static tn_status find_uniques(tn__kernel *kernel, int64_t *first, uniques *u)
{
    const tn_tensor *x = kernel->input[0];
    tn_tensor *places = kernel->output[1];
    size_t index = tn__dtype_size((tn_dtype)places->dtype), number;
    for (int64_t i = 0; i < tn__count(x); i++) {
        size_t before = u->found;
        TN_TRY(number_of(u, x, i, &number));
        if (u->found > before)
            first[number] = i;
        tn__element_from_int((tn_dtype)places->dtype, (int64_t)number,
                             (char *)places->data + (size_t)i * index);
    }
    return TN_OK;
}

static tn_status unique_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    uniques u = { 0 };
    TN_TRY(tn__ensure_output(kernel, 1, ((const unique_attrs *)kernel->attrs)->out_idx, &x->shape));
    int64_t *first = tn__alloc((size_t)tn__count(x) * sizeof *first);
    tn_status status = first ? find_uniques(kernel, first, &u) : TN_RESOURCE_EXHAUSTED;
    tn_shape shape = tn__shape_vector((int64_t)u.found);
    if (status == TN_OK)
        status = tn__kernel_output(kernel, 0, (tn_dtype)x->dtype, &shape);
    for (size_t i = 0; status == TN_OK && i < u.found; i++)
        memcpy((char *)kernel->output[0]->data + i * size,
               (const char *)x->data + (size_t)first[i] * size, size);
    tn__ids_free(&u.seen);
    tn__free(first);
    return status;
}

const tn__op tn__op_Unique = {
    .name = "Unique",
    .inputs = "x: T",
    .outputs = "y: T, idx: out_idx",
    .types = "T: any; out_idx: int32, int64",
    .attrs = unique_fields,
    .attrs_size = sizeof(unique_attrs),
    .infer = unique_infer,
    .compute = unique_compute,
    .no_gradient = "not differentiable: as in TensorFlow",
    .flags = TN__HALF,
};

tn_list tn_unique(tn_tensor *x)
{
    return tn__apply_list(&tn__op_Unique, &(unique_attrs){ TN_INT32 }, &x, 1, 2);
}
