/* reduce.c - one number of many: sums, products, extremes and their kin over some axes. */
#include "ops/array.h"
#include "ops/chain.h"
#include "kernels/parallel.h"
#include "ops/ops.h"
#include "ops/product.h"
#include <math.h>
#include <string.h>

typedef struct {
    tn_flag keep_dims;
} reduce_attrs;
static const tn_field reduce_fields[] = {
    TN__ROW(TN_FIELD_FLAG, reduce_attrs, keep_dims, "false", NULL),
    TN__END_OF_FIELDS,
};

/* --- axes ------------------------------------------------------------------------------------- */
static tn_status mark_axes(const int64_t *axes, size_t count, int rank, bool reduced[TN_MAX_RANK])
{
    memset(reduced, 0, TN_MAX_RANK * sizeof *reduced);
    for (size_t i = 0; i < count; i++) {
        int axis;
        if (!tn__axis(axes[i], rank, &axis))
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Invalid reduction dimension (%lld for input with %d "
                            "dimension(s)\naxes are %d to %d",
                            (long long)axes[i], rank, -rank, rank - 1);
        if (reduced[axis])
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Invalid reduction arguments: Axes contains duplicate dimension: %d",
                            axis);
        reduced[axis] = true;
    }
    return TN_OK;
}

/* known: false when the axes are not known yet. */
static tn_status read_axes(const tn_tensor *axes, int rank, bool reduced[TN_MAX_RANK], bool *known)
{
    int64_t values[TN__MOST_KNOWN];
    size_t count;
    *known = tn__known_exactly(axes, values, &count);
    if (!*known && axes->form == TN__VALUE)
        return tn__fail(TN_INVALID_ARGUMENT, "Invalid reduction arguments: %s for %d dimension(s)",
                        TN__TENSOR(axes), rank);
    return *known ? mark_axes(values, count, rank, reduced) : TN_OK;
}

static tn_shape reduced_shape(const tn_shape *in, const bool reduced[TN_MAX_RANK], bool keep)
{
    tn_shape out = TN_SCALAR;
    for (int i = 0; i < in->rank; i++)
        if (!reduced[i] || keep)
            out.dims[out.rank++] = reduced[i] ? 1 : in->dims[i];
    return out;
}

static tn_status reduce_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape, *axes = &infer->input[1]->shape;
    bool keep = ((const reduce_attrs *)infer->attrs)->keep_dims, reduced[TN_MAX_RANK], known;
    if (!in->known)
        return TN_OK;
    TN_TRY(read_axes(infer->input[1], in->rank, reduced, &known));
    if (known)
        infer->output[0].shape = reduced_shape(in, reduced, keep);
    else if (keep)
        infer->output[0].shape = tn__shape_of_rank(in->rank);
    else if (tn__shape_full(axes) && tn__shape_count(axes) <= in->rank) /* no axis comes twice */
        infer->output[0].shape = tn__shape_of_rank(in->rank - (int)tn__shape_count(axes));
    return TN_OK;
}

/* --- folding ---------------------------------------------------------------------------------- */
/* What one output element is made in: floats in double, so that long sums keep their digits,
 * integers in 64 bits. */
typedef union {
    double real;
    int64_t whole;
} total;

/* How an op folds elements of one type. */
typedef struct {
    void (*begin)(total *to, int64_t n);
    void (*one)(total *to, const void *x, int64_t n);  /* n elements into one total */
    void (*each)(total *to, const void *x, int64_t n); /* n elements into a total each */
    void (*end)(const total *from, int64_t n, int64_t inputs, void *y);
    /* `each` for some rows, step elements apart; NULL: one by one */
    void (*rows)(total *to, const void *x, int64_t step, int64_t rows, int64_t n);
} fold;

/* Loops of the tensor's dimensions, neighbours of one kind merged; the innermost is set apart for
 * the functions above. */
typedef struct {
    int rank;
    int64_t dim[TN_MAX_RANK], step[TN_MAX_RANK]; /* innermost first */
} loops;
typedef struct {
    loops kept, gone;
    bool inner_gone;
    int64_t inner;
    int64_t outputs, inputs; /* inputs: elements that go into one output */
} reduction;

static reduction plan_reduction(const tn_shape *shape, const bool reduced[TN_MAX_RANK])
{
    reduction r = { .inner = 1, .outputs = 1, .inputs = 1, .inner_gone = true };
    int64_t step = 1;
    bool first = true, last_gone = true;
    for (int i = shape->rank - 1; i >= 0; i--) {
        int64_t dim = shape->dims[i];
        loops *of = reduced[i] ? &r.gone : &r.kept;
        *(reduced[i] ? &r.inputs : &r.outputs) *= dim;
        if (dim == 1)
            continue;
        bool same = !first && last_gone == reduced[i];
        if (first || (same && r.kept.rank + r.gone.rank == 0))
            r.inner *= dim;
        else if (same)
            of->dim[of->rank - 1] *= dim;
        else {
            of->dim[of->rank] = dim;
            of->step[of->rank++] = step;
        }
        if (first)
            r.inner_gone = reduced[i];
        first = false;
        last_gone = reduced[i];
        step *= dim;
    }
    return r;
}

/* Goes to the next place; false after the last, when it is back at the first. */
static bool advance(const loops *l, int64_t *at, int64_t *offset)
{
    for (int i = 0; i < l->rank; i++) {
        *offset += l->step[i];
        if (++at[i] < l->dim[i])
            return true;
        *offset -= l->step[i] * l->dim[i];
        at[i] = 0;
    }
    return false;
}

enum { LANES = 256 }; /* totals at a time where the innermost dimension is kept */

/* The outputs that share one place of the outer kept loops. */
static void fold_place(const reduction *r, const fold *f, size_t size, const char *x, char *y)
{
    total totals[LANES];
    int64_t lanes = r->inner_gone ? 1 : r->inner;
    for (int64_t lane = 0; lane < lanes; lane += LANES) {
        int64_t n = lanes - lane < LANES ? lanes - lane : LANES, offset = 0,
                at[TN_MAX_RANK] = { 0 };
        f->begin(totals, n);
        if (!r->inner_gone && f->rows && r->gone.rank == 1) {
            f->rows(totals, x + lane * (int64_t)size, r->gone.step[0], r->gone.dim[0], n);
            f->end(totals, n, r->inputs, y + lane * (int64_t)size);
            continue;
        }
        do {
            const char *from = x + (offset + lane) * (int64_t)size;
            if (r->inner_gone)
                f->one(totals, from, r->inner);
            else
                f->each(totals, from, n);
        } while (advance(&r->gone, at, &offset));
        f->end(totals, n, r->inputs, y + lane * (int64_t)size);
    }
}

/* Nothing goes into the outputs: what the fold begins with. */
static void fold_nothing(const reduction *r, const fold *f, size_t size, char *y)
{
    total nothing;
    f->begin(&nothing, 1);
    for (int64_t i = 0; i < r->outputs; i++)
        f->end(&nothing, 1, 0, y + i * (int64_t)size);
}

typedef struct {
    reduction r;
    const fold *f;
    size_t size;
    const char *x;
    char *y;
} fold_job;

/* Goes to place number n. */
static void go_to(const loops *l, int64_t n, int64_t *at, int64_t *offset)
{
    *offset = 0;
    for (int i = 0; i < l->rank; i++) {
        at[i] = n % l->dim[i];
        *offset += at[i] * l->step[i];
        n /= l->dim[i];
    }
}

static void fold_lane(void *self, int lane, int lanes)
{
    const fold_job *job = self;
    const reduction *r = &job->r;
    int64_t at[TN_MAX_RANK], offset, first, last, inner = r->inner_gone ? 1 : r->inner;
    tn__share(r->outputs / inner, 1, lane, lanes, &first, &last);
    go_to(&r->kept, first, at, &offset);
    for (int64_t i = first; i < last; i++, advance(&r->kept, at, &offset))
        fold_place(r, job->f, job->size, job->x + offset * (int64_t)job->size, job->y + i * inner * (int64_t)job->size);
}

enum { DTYPES = 20 };
typedef struct {
    const fold *of[DTYPES];
} folds;

static tn_status reduce_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    const fold *f = ((const folds *)kernel->op->family)->of[x->dtype];
    size_t size = tn__dtype_size((tn_dtype)x->dtype);
    bool reduced[TN_MAX_RANK], known;
    TN_TRY(read_axes(kernel->input[1], x->shape.rank, reduced, &known));
    tn_shape shape =
        reduced_shape(&x->shape, reduced, ((const reduce_attrs *)kernel->attrs)->keep_dims);
    if (!f)
        return tn__fail(TN_UNIMPLEMENTED, "%s has no kernel for %s", kernel->op->name,
                        tn__dtype_name((tn_dtype)x->dtype));
    TN_TRY(tn__ensure_output(kernel, 0, (tn_dtype)x->dtype, &shape));
    fold_job job = { plan_reduction(&x->shape, reduced), f, size, x->data, kernel->output[0]->data };
    if (job.r.outputs == 0 || job.r.inputs == 0) {
        fold_nothing(&job.r, f, size, job.y);
        return TN_OK;
    }
    int64_t places = job.r.outputs / (job.r.inner_gone ? 1 : job.r.inner);
    int lanes = tn__lanes((double)tn__count(x));
    tn__parallel(places < lanes ? 1 : lanes, fold_lane, &job); /* with few places each sum is shared instead */
    return TN_OK;
}

bool tn__chain_sum_of(const tn__op *op, const tn_shape *x, const tn_tensor *axes, tn__chain_sum *sum)
{
    bool reduced[TN_MAX_RANK], known;
    if ((op != &tn__op_Sum && op != &tn__op_Mean) || axes->form != TN__VALUE || read_axes(axes, x->rank, reduced, &known) != TN_OK)
        return false;
    reduction r = plan_reduction(x, reduced);
    bool rows = r.inner_gone && r.gone.rank == 0, columns = !r.inner_gone && r.gone.rank == 1 && r.kept.rank == 0;
    sum->kind = rows ? TN__SUM_EACH_ROW : columns ? TN__SUM_EACH_COLUMN : TN__SUM_NOTHING;
    sum->rows = rows ? r.outputs : r.inputs;
    sum->columns = r.inner;
    sum->mean = op == &tn__op_Mean;
    return rows || (columns && r.inner <= TN__SUM_COLUMNS_MOST);
}

/* `element` is the type; s the total so far, v the next element, n how many went in. */
#define FOLD_ONE(name, suffix, T, A, field, step)                             \
    static void name##_##suffix##_one(total *to, const void *from, int64_t n) \
    {                                                                         \
        const T *x = from;                                                    \
        A s = to->field;                                                      \
        for (int64_t i = 0; i < n; i++) {                                     \
            const A v = (A)x[i];                                              \
            s = (A)(step);                                                    \
        }                                                                     \
        to->field = s;                                                        \
    }
#define FOLD_BUT_ONE(name, suffix, T, A, field, first, step, result, rows)                   \
    static void name##_##suffix##_begin(total *to, int64_t n)                                \
    {                                                                                        \
        typedef T element;                                                                   \
        const element *type = NULL;                                                          \
        (void)type;                                                                          \
        for (int64_t i = 0; i < n; i++)                                                      \
            to[i].field = (first);                                                           \
    }                                                                                        \
    static void name##_##suffix##_each(total *to, const void *from, int64_t n)               \
    {                                                                                        \
        const T *x = from;                                                                   \
        for (int64_t i = 0; i < n; i++) {                                                    \
            const A v = (A)x[i], s = to[i].field;                                            \
            to[i].field = (A)(step);                                                         \
        }                                                                                    \
    }                                                                                        \
    static void name##_##suffix##_end(const total *from, int64_t count, int64_t n, void *to) \
    {                                                                                        \
        T *y = to;                                                                           \
        (void)n;                                                                             \
        for (int64_t i = 0; i < count; i++) {                                                \
            const A s = from[i].field;                                                       \
            y[i] = (T)(result);                                                              \
        }                                                                                    \
    }                                                                                        \
    static const fold name##_##suffix = { name##_##suffix##_begin, name##_##suffix##_one,    \
                                          name##_##suffix##_each, name##_##suffix##_end, rows };
#define FOLD(name, suffix, T, A, field, first, step, result) \
    FOLD_ONE(name, suffix, T, A, field, step)                \
    FOLD_BUT_ONE(name, suffix, T, A, field, first, step, result, NULL)
#define FOLD_REALS(name, first, step, result)                 \
    FOLD(name, f32, float, double, real, first, step, result) \
    FOLD(name, f64, double, double, real, first, step, result)
#define FOLD_WHOLES(name, first, step, result)                    \
    FOLD(name, i32, int32_t, int64_t, whole, first, step, result) \
    FOLD(name, i64, int64_t, int64_t, whole, first, step, result) \
    FOLD(name, u8, uint8_t, int64_t, whole, first, step, result)
#define NUMBER_FOLDS(name)                                            \
    static const folds name##_folds = { { [TN_FLOAT32] = &name##_f32, \
                                          [TN_FLOAT64] = &name##_f64, \
                                          [TN_INT32] = &name##_i32,   \
                                          [TN_INT64] = &name##_i64,   \
                                          [TN_UINT8] = &name##_u8 } };
/* Ends of an integer type: in an unsigned one -1 is the greatest. */
#define UNSIGNED ((element)-1 > 1)
#define LOWEST (UNSIGNED ? 0 : -(int64_t)((UINT64_C(1) << (8 * sizeof(element) - 1)) - 1) - 1)
#define HIGHEST (int64_t)((UINT64_C(1) << (8 * sizeof(element) - !UNSIGNED)) - 1)
/* Integers wrap. */
#define WRAP(s, operator, v) (int64_t)((uint64_t)(s) operator(uint64_t)(v))

/* Sums of many float32 side by side, or in columns, are kernels of the processor's. */
static void sum_rows(total *to, const void *x, int64_t step, int64_t rows, int64_t n)
{
    double sums[LANES] = { 0 };
    tn__product_sum_columns(x, step, rows, n, sums);
    for (int64_t i = 0; i < n; i++)
        to[i].real += sums[i];
}

#define FOLD_SUMS(name, result)                                              \
    static void name##_f32_one(total *to, const void *x, int64_t n)          \
    {                                                                        \
        to->real += tn__product_sum(x, n);                                   \
    }                                                                        \
    FOLD_BUT_ONE(name, f32, float, double, real, 0, s + v, result, sum_rows) \
    FOLD(name, f64, double, double, real, 0, s + v, result)
FOLD_SUMS(Sum, s)
FOLD_WHOLES(Sum, 0, WRAP(s, +, v), s)
NUMBER_FOLDS(Sum)
FOLD_SUMS(Mean, n ? s / (double)n : NAN)
FOLD_WHOLES(Mean, 0, WRAP(s, +, v), n ? s / n : 0)
NUMBER_FOLDS(Mean)
FOLD_REALS(Prod, 1, s *v, s)
FOLD_WHOLES(Prod, 1, WRAP(s, *, v), s)
NUMBER_FOLDS(Prod)
/* A NaN is greater and less than everything. */
FOLD_REALS(Max, -INFINITY, v > s || v != v ? v : s, s)
FOLD_WHOLES(Max, LOWEST, v > s ? v : s, s)
NUMBER_FOLDS(Max)
FOLD_REALS(Min, INFINITY, v < s || v != v ? v : s, s)
FOLD_WHOLES(Min, HIGHEST, v < s ? v : s, s)
NUMBER_FOLDS(Min)
FOLD_REALS(EuclideanNorm, 0, s + v * v, sqrt(s))
FOLD_WHOLES(EuclideanNorm, 0, WRAP(s, +, WRAP(v, *, v)), s > 0 ? sqrt((double)s) : 0)
NUMBER_FOLDS(EuclideanNorm)
FOLD(All, u8, uint8_t, int64_t, whole, 1, s &&v, s)
static const folds All_folds = { { [TN_BOOL] = &All_u8 } };
FOLD(Any, u8, uint8_t, int64_t, whole, 0, s || v, s)
static const folds Any_folds = { { [TN_BOOL] = &Any_u8 } };

/* --- gradients -------------------------------------------------------------------------------- */
static tn_tensor *reduce(const tn__op *op, tn_tensor *x, tn_tensor *axes, bool keep)
{
    return tn__apply(op, &(reduce_attrs){ keep }, (tn_tensor *[]){ x, axes }, 2);
}

/* y with the axes that were reduced put back as 1, to be broadcast over x. Without known axes only
 * the run can tell where. */
static tn_tensor *keep_dims(tn__gradient *g, tn_tensor *y)
{
    if (((const reduce_attrs *)g->attrs)->keep_dims)
        return y;
    const tn_shape *in = &g->in[0]->shape;
    bool reduced[TN_MAX_RANK], known = in->known;
    if (known && read_axes(g->in[1], in->rank, reduced, &known) != TN_OK)
        return NULL;
    if (!known)
        return TN__APPLY(tn__op_Reshape, NULL, y,
                         tn_shape_tensor(reduce(g->op, g->in[0], g->in[1], true)));
    tn_shape kept = reduced_shape(in, reduced, true);
    if (tn__shape_full(&kept))
        return tn_reshape(y, kept);
    for (int i = 0; i < in->rank; i++)
        if (reduced[i])
            y = tn_expand_dims(y, i);
    return y;
}

static tn_tensor *spread(tn__gradient *g)
{
    return TN__APPLY(tn__op_BroadcastTo, NULL, keep_dims(g, g->dout[0]),
                     tn__shape_tensor(g->in[0]));
}

/* dx = dy, repeated along the axes */
static void sum_gradient(tn__gradient *g)
{
    g->din[0] = spread(g);
}

/* dx = dy / n, n the elements that went into one: size(x) / size(y) */
static void mean_gradient(tn__gradient *g)
{
    g->din[0] = tn_divide(spread(g), tn__ratio_of_sizes(g->in[0], g->out[0]));
}

/* dx = dy where x = y, shared among the elements that are equal */
static void extreme_gradient(tn__gradient *g)
{
    tn_tensor *chosen =
        tn_cast(tn_equal(keep_dims(g, g->out[0]), g->in[0]), (tn_dtype)g->in[0]->dtype);
    tn_tensor *number = reduce(&tn__op_Sum, chosen, g->in[1], true);
    g->din[0] = tn_multiply(tn_divide(chosen, number), keep_dims(g, g->dout[0]));
}

/* dx = dy x / y */
static void norm_gradient(tn__gradient *g)
{
    g->din[0] = tn_divide(g->in[0], tn_divide(keep_dims(g, g->out[0]), keep_dims(g, g->dout[0])));
}

/* The axes with the reduced ones first; *count: how many those are. */
static tn_axes reduced_first(int rank, const bool reduced[TN_MAX_RANK], int *count)
{
    tn_axes order = { 0 };
    for (int pass = 1; pass >= 0; pass--) {
        for (int i = 0; i < rank; i++)
            if (reduced[i] == (pass == 1))
                order.axis[order.count++] = i;
        if (pass == 1)
            *count = order.count;
    }
    return order;
}

static tn_tensor *product_of(tn_tensor *sizes)
{
    return tn_reshape(reduce(&tn__op_Prod, sizes, tn__ints((int64_t[]){ 0 }, 1), false),
                      TN_SHAPE(1));
}

/* The product of all other elements that went into the same output: from the left times from the
 * right, so that zeros do no harm. x is seen as (reduced, others). */
static tn_tensor *product_of_others(tn_tensor *x, const bool reduced[TN_MAX_RANK])
{
    int count;
    tn_axes order = reduced_first(x->shape.rank, reduced, &count), back = { .count = order.count };
    for (int i = 0; i < order.count; i++)
        back.axis[order.axis[i]] = i;
    if (order.count == 0) /* a scalar: transposing takes axes */
        return tn_divide(x, x);
    tn_tensor *moved = tn_transpose(x, order), *shape = tn__shape_tensor(moved);
    tn_tensor *sizes[] = { product_of(tn__vector_part(shape, 0, count)),
                           product_of(tn__vector_part(shape, count, TN_NONE)) };
    tn_tensor *rows = TN__APPLY(tn__op_Reshape, NULL, moved, tn__vector_join(2, sizes));
    tn_tensor *left = tn_cumprod(rows, .exclusive = true),
              *right = tn_cumprod(rows, .exclusive = true, .reverse = true);
    return tn_transpose(TN__APPLY(tn__op_Reshape, NULL, tn_multiply(left, right), shape), back);
}

/* dx = dy times the product of all others */
static void prod_gradient(tn__gradient *g)
{
    tn_tensor *x = g->in[0];
    bool reduced[TN_MAX_RANK], known = x->shape.known;
    if (known && read_axes(g->in[1], x->shape.rank, reduced, &known) != TN_OK)
        return;
    if (!known) {
        tn__fail(TN_UNIMPLEMENTED, "Prod: the gradient needs a known rank and known axes, got %s",
                 TN__TENSOR(x));
        return;
    }
    g->din[0] = tn_multiply(keep_dims(g, g->dout[0]), product_of_others(x, reduced));
}

#define REDUCTION(name_, type_, types_, ...)                                               \
    const tn__op tn__op_##name_ = { .name = #name_,                                        \
                                    .inputs = "input: " type_ ", reduction_indices: Tidx", \
                                    .outputs = "output: " type_,                           \
                                    .types = types_ "Tidx: int32, int64",                  \
                                    .attrs = reduce_fields,                                \
                                    .attrs_size = sizeof(reduce_attrs),                    \
                                    .infer = reduce_infer,                                 \
                                    .compute = reduce_compute,                             \
                                    .family = &name_##_folds,                              \
                                    __VA_ARGS__ };
REDUCTION(Sum, "T", "T: number; ", .gradient = sum_gradient)
REDUCTION(Mean, "T", "T: number; ", .gradient = mean_gradient)
REDUCTION(Prod, "T", "T: number; ", .gradient = prod_gradient)
REDUCTION(Max, "T", "T: number; ", .gradient = extreme_gradient)
REDUCTION(Min, "T", "T: number; ", .gradient = extreme_gradient)
REDUCTION(EuclideanNorm, "T", "T: number; ", .gradient = norm_gradient)
REDUCTION(All, "bool", "", .no_gradient = "none: truth values")
REDUCTION(Any, "bool", "", .no_gradient = "none: truth values")

/* --- tf.reduce_… ------------------------------------------------------------------------------ */
/* The axes an options struct names, or all of x's. */
static tn_tensor *axes_of(const tn_reduce_options *o)
{
    int64_t axes[TN_MAX_RANK];
    tn_axes axis = o->axis;
    if (!tn__check_tensor(o->input, "input") || tn__axes_settle(&axis, "reduction") != TN_OK)
        return NULL;
    if (axis.count == 0 && !o->input->shape.known)
        return tn_range(tn__int(0), tn_rank(o->input), tn__int(1));
    int count = axis.count ? axis.count : o->input->shape.rank;
    if (count < 0) /* TN_NO_AXES */
        count = 0;
    for (int i = 0; i < count; i++)
        axes[i] = axis.count ? axis.axis[i] : i;
    return tn__ints(axes, (size_t)count);
}

#define WRAPPER(function, op)                                                             \
    tn_tensor *function(const tn_reduce_options *options)                                 \
    {                                                                                     \
        TN__ENTER_OPTIONS(context, options, NULL);                                        \
        return reduce(&tn__op_##op, options->input, axes_of(options), options->keepdims); \
    }
WRAPPER(tn_reduce_sum_with, Sum)
WRAPPER(tn_reduce_mean_with, Mean)
WRAPPER(tn_reduce_prod_with, Prod)
WRAPPER(tn_reduce_max_with, Max)
WRAPPER(tn_reduce_min_with, Min)
WRAPPER(tn_reduce_euclidean_norm_with, EuclideanNorm)
WRAPPER(tn_reduce_all_with, All)
WRAPPER(tn_reduce_any_with, Any)
