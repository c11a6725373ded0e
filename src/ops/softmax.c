/* softmax.c - probabilities from logits along the last axis, and the losses that take logits. */
#include "ops/window.h"
#include "kernels/parallel.h"
#include <tgmath.h>

/* --- shapes ----------------------------------------------------------------------------------- */
static tn_status softmax_infer(tn__infer *infer)
{
    const tn_shape *logits = &infer->input[0]->shape;
    infer->output[0].shape = *logits;
    if (logits->known && logits->rank < 1)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "logits must have >= 1 dimension, got %s\n%s works along the last axis",
                        TN__BRACKETS(*logits), infer->op->name);
    return TN_OK;
}

static tn_status dense_infer(tn__infer *infer)
{
    const tn_shape *logits = &infer->input[0]->shape, *labels = &infer->input[1]->shape;
    tn_shape both;
    if (!tn__shape_broadcast(logits, labels, &both))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "logits and labels must be broadcastable: logits_size=%s labels_size=%s\n"
                        "%s: one row of class probabilities for each row of logits",
                        TN__BRACKETS(*logits), TN__BRACKETS(*labels), infer->op->name);
    if (both.known && both.rank != 2)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "logits and labels must be either 2-dimensional, or broadcasted to be "
                        "2-dimensional\n%s: logits are %s, labels %s",
                        infer->op->name, TN__BRACKETS(*logits), TN__BRACKETS(*labels));
    if (!both.known)
        both = tn__shape_of_rank(2);
    infer->output[0].shape = tn__shape_vector(both.dims[0]);
    infer->output[1].shape = both;
    return TN_OK;
}

static tn_status sparse_infer(tn__infer *infer)
{
    const tn_shape *logits = &infer->input[0]->shape, *labels = &infer->input[1]->shape;
    const char *name = infer->op->name;
    if (logits->known && logits->rank != 2)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "logits must be 2-D, but got shape %s\n%s: (batch, classes)",
                        TN__BRACKETS(*logits), name);
    if (labels->known && labels->rank != 1)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "labels must be 1-D, but got shape %s\n%s: one class number for each row",
                        TN__BRACKETS(*labels), name);
    int64_t rows = tn__dim_of(logits, 0), classes = tn__dim_of(logits, 1),
            count = tn__dim_of(labels, 0);
    if (rows >= 0 && count >= 0 && rows != count)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "logits and labels must have the same first dimension, got logits shape %s "
                        "and labels shape %s\n%s: one label for "
                        "each row",
                        TN__BRACKETS(*logits), TN__BRACKETS(*labels), name);
    if (classes == 0 && rows > 0)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Must have at least one class, but got logits shape %s\n%s",
                        TN__BRACKETS(*logits), name);
    rows = rows < 0 ? count : rows;
    infer->output[0].shape = tn__shape_vector(rows);
    infer->output[1].shape = (tn_shape){ 1, 2, { rows, classes } };
    return TN_OK;
}

/* --- reference kernels ------------------------------------------------------------------------ */
/* A row's largest logit is taken off first, so that no exponential overflows; sums are doubles. A
 * row with a NaN, or of -inf only, is NaN as a whole. */
#define NUMBERS(T, suffix)                                                                   \
    static T largest_##suffix(const T *x, int64_t step, int64_t n)                           \
    {                                                                                        \
        T most = -(T)INFINITY;                                                               \
        for (int64_t i = 0; i < n; i++)                                                      \
            most = x[i * step] > most ? x[i * step] : most;                                  \
        return most;                                                                         \
    }                                                                                        \
    /* y = exp(x - most); gives the sum */                                                   \
    static double exponentials_##suffix(const T *x, int64_t step, int64_t n, T most, T *y)   \
    {                                                                                        \
        double sum = 0;                                                                      \
        for (int64_t i = 0; i < n; i++)                                                      \
            sum += y[i] = exp(x[i * step] - most);                                           \
        return sum;                                                                          \
    }
NUMBERS(float, any_f32)
NUMBERS(double, f64)

/* Numbers of float32 side by side are a kernel of the processor's. */
static float largest_f32(const float *x, int64_t step, int64_t n)
{
    return step == 1 ? tn__kernels()->largest(x, n) : largest_any_f32(x, step, n);
}

static double exponentials_f32(const float *x, int64_t step, int64_t n, float most, float *y)
{
    return step == 1 ? tn__kernels()->exponentials(x, n, most, y)
                     : exponentials_any_f32(x, step, n, most, y);
}

static void divide_f32(float *y, int64_t n, float divisor)
{
    tn__kernels()->divide_by(y, n, divisor);
}

static void divide_f64(double *y, int64_t n, double divisor)
{
    for (int64_t i = 0; i < n; i++)
        y[i] /= divisor;
}

#define ROWS(T, suffix)                                                                      \
    static void log_softmax_##suffix(const T *x, int64_t n, int64_t rows, T *y)              \
    {                                                                                        \
        for (; rows > 0; rows--, x += n, y += n) {                                           \
            T most = largest_##suffix(x, 1, n),                                              \
              log_sum = (T)log(exponentials_##suffix(x, 1, n, most, y));                     \
            for (int64_t i = 0; i < n; i++)                                                  \
                y[i] = x[i] - most - log_sum;                                                \
        }                                                                                    \
    }                                                                                        \
    /* loss = -Σ label log softmax(x), y = softmax(x) - label */                            \
    static void dense_##suffix(const T *x, int64_t step, const T *label, int64_t label_step, \
                               int64_t n, T *loss, T *y)                                     \
    {                                                                                        \
        T most = largest_##suffix(x, step, n);                                               \
        double sum = exponentials_##suffix(x, step, n, most, y), total = 0;                  \
        T log_sum = (T)log(sum);                                                             \
        for (int64_t i = 0; i < n; i++) {                                                    \
            total += label[i * label_step] * (log_sum - (x[i * step] - most));               \
            y[i] = y[i] / (T)sum - label[i * label_step];                                    \
        }                                                                                    \
        *loss = (T)total;                                                                    \
    }                                                                                        \
    static void sparse_##suffix(const T *x, int64_t label, int64_t n, T *loss, T *y)         \
    {                                                                                        \
        T most = largest_##suffix(x, 1, n);                                                  \
        double sum = exponentials_##suffix(x, 1, n, most, y);                                \
        divide_##suffix(y, n, (T)sum);                                                       \
        y[label] -= 1;                                                                       \
        *loss = (T)log(sum) - (x[label] - most);                                             \
    }
ROWS(float, f32)
ROWS(double, f64)

static void softmax_f32(const float *x, int64_t n, int64_t rows, float *y)
{
    tn__kernels()->softmax(x, n, rows, y);
}

static void softmax_f64(const double *x, int64_t n, int64_t rows, double *y)
{
    for (; rows > 0; rows--, x += n, y += n)
        divide_f64(y, n, exponentials_f64(x, 1, n, largest_f64(x, 1, n), y));
}

typedef struct {
    const tn_tensor *x;
    void *y;
    int64_t n; /* of a row */
    void (*rows_f32)(const float *x, int64_t n, int64_t rows, float *y);
    void (*rows_f64)(const double *x, int64_t n, int64_t rows, double *y);
} rows;

static void rows_lane(void *self, int lane, int lanes)
{
    const rows *r = self;
    int64_t first, last;
    tn__share(r->n ? tn__count(r->x) / r->n : 0, 1, lane, lanes, &first, &last);
    int64_t at = first * r->n;
    if (r->x->dtype == TN_FLOAT32)
        r->rows_f32((const float *)r->x->data + at, r->n, last - first, (float *)r->y + at);
    else
        r->rows_f64((const double *)r->x->data + at, r->n, last - first, (double *)r->y + at);
}

static tn_status each_row(tn__kernel *kernel, void (*rows_f32)(const float *, int64_t, int64_t, float *),
                          void (*rows_f64)(const double *, int64_t, int64_t, double *))
{
    const tn_tensor *x = kernel->input[0];
    rows r = { x, kernel->output[0]->data, x->shape.dims[x->shape.rank - 1], rows_f32, rows_f64 };
    tn__parallel(tn__lanes((double)tn__count(x) * 8), rows_lane, &r);
    return TN_OK;
}

static tn_status softmax_compute(tn__kernel *kernel)
{
    return each_row(kernel, softmax_f32, softmax_f64);
}

static tn_status log_softmax_compute(tn__kernel *kernel)
{
    return each_row(kernel, log_softmax_f32, log_softmax_f64);
}

/* Either input may be broadcast: a dimension of 1 stands still. */
static void steps(const tn_tensor *x, int64_t *row, int64_t *column)
{
    int rank = x->shape.rank;
    int64_t columns = rank > 0 ? x->shape.dims[rank - 1] : 1;
    *column = columns == 1 ? 0 : 1;
    *row = rank < 2 || x->shape.dims[rank - 2] == 1 ? 0 : columns;
}

static tn_status dense_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0], *label = kernel->input[1], *y = kernel->output[1];
    int64_t rows = y->shape.dims[0], n = y->shape.dims[1], row_x, row_label, step_x, step_label;
    void *loss = kernel->output[0]->data;
    steps(x, &row_x, &step_x);
    steps(label, &row_label, &step_label);
    if (x->dtype == TN_FLOAT32 && step_x == 1 && step_label == 1) { /* numbers side by side are a kernel of the processor's */
        tn__kernels()->cross_entropy(&(tn__cross_entropy){ x->data, label->data, row_x, row_label, n, rows, loss, y->data });
        return TN_OK;
    }
    for (int64_t i = 0; i < rows; i++)
        if (x->dtype == TN_FLOAT32)
            dense_f32((float *)x->data + i * row_x, step_x, (float *)label->data + i * row_label,
                      step_label, n, (float *)loss + i, (float *)y->data + i * n);
        else
            dense_f64((double *)x->data + i * row_x, step_x, (double *)label->data + i * row_label,
                      step_label, n, (double *)loss + i, (double *)y->data + i * n);
    return TN_OK;
}

static tn_status refuse_label(const tn_tensor *labels, int64_t label, int64_t classes)
{
    enum { SHOWN = 100 };
    tn__text all = { 0 };
    int64_t count = tn__count(labels);
    for (int64_t i = 0; i < count && i < SHOWN; i++)
        tn__text_add(&all, " %lld", (long long)tn__int_at(labels, i));
    tn_status status = tn__fail(TN_INVALID_ARGUMENT,
                                "Received a label value of %lld which is outside the valid range "
                                "of [0, %lld).  Label values:%s%s\n"
                                "labels are class numbers from 0, and the outputs are of %lld classes",
                                (long long)label, (long long)classes, tn__text_get(&all),
                                count > SHOWN ? " ..." : "", (long long)classes);
    tn__text_free(&all);
    return status;
}

static tn_status sparse_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0], *labels = kernel->input[1];
    int64_t rows = x->shape.dims[0], n = x->shape.dims[1];
    void *loss = kernel->output[0]->data, *y = kernel->output[1]->data;
    for (int64_t i = 0; i < rows; i++) {
        int64_t label = tn__int_at(labels, i);
        if (label < 0 || label >= n)
            return refuse_label(labels, label, n);
        if (x->dtype == TN_FLOAT32)
            sparse_f32((float *)x->data + i * n, label, n, (float *)loss + i, (float *)y + i * n);
        else
            sparse_f64((double *)x->data + i * n, label, n, (double *)loss + i,
                       (double *)y + i * n);
    }
    return TN_OK;
}

/* --- gradients -------------------------------------------------------------------------------- */
/* Over the last axis, which stays as 1. */
static tn_tensor *sum_of_rows(tn_tensor *x)
{
    return tn_reduce_sum_with(&(tn_reduce_options){
        .size_ = sizeof(tn_reduce_options), .input = x, .axis = TN_AXES(-1), .keepdims = true });
}

/* y = softmax x:  dx = (dy - Σ dy y) y */
static tn_tensor *through_softmax(tn_tensor *y, tn_tensor *dy)
{
    return tn_multiply(tn_subtract(dy, sum_of_rows(tn_multiply(dy, y))), y);
}

static void softmax_gradient(tn__gradient *g)
{
    g->din[0] = through_softmax(g->out[0], g->dout[0]);
}

/* y = log softmax x:  dx = dy - exp(y) Σ dy */
static void log_softmax_gradient(tn__gradient *g)
{
    g->din[0] = tn_subtract(g->dout[0], tn_multiply(tn_exp(g->out[0]), sum_of_rows(g->dout[0])));
}

static tn_tensor *as_column(tn_tensor *rows)
{
    return TN__APPLY(tn__op_Reshape, NULL, rows, tn__ints((int64_t[]){ TN_NONE, 1 }, 2));
}

/* loss and p - label, with p = softmax x:  dx = dloss (p - label) + what the second output sends
 * through p */
static tn_tensor *logits_gradient(const tn__gradient *g)
{
    tn_tensor *dx = g->dout[0] ? tn_multiply(as_column(g->dout[0]), g->out[1]) : NULL;
    if (!g->dout[1])
        return dx;
    tn_tensor *through = through_softmax(TN__APPLY(tn__op_Softmax, NULL, g->in[0]), g->dout[1]);
    return dx ? tn_add(dx, through) : through;
}

/* dlabel = -dloss log softmax x - d(p - label); TensorFlow leaves the second part out */
static tn_tensor *labels_gradient(const tn__gradient *g)
{
    tn_tensor *dlabel = NULL;
    if (g->dout[0])
        dlabel = tn_multiply(as_column(g->dout[0]),
                             tn_negative(TN__APPLY(tn__op_LogSoftmax, NULL, g->in[0])));
    if (!g->dout[1])
        return dlabel;
    return dlabel ? tn_subtract(dlabel, g->dout[1]) : tn_negative(g->dout[1]);
}

static void dense_gradient(tn__gradient *g)
{
    if (g->wanted[0])
        g->din[0] = tn__sum_to(logits_gradient(g), g->in[0], g->in[1]);
    if (g->wanted[1])
        g->din[1] = tn__sum_to(labels_gradient(g), g->in[1], g->in[0]);
}

static void sparse_gradient(tn__gradient *g)
{
    g->din[0] = logits_gradient(g);
}

/* --- the ops ---------------------------------------------------------------------------------- */
const tn__op tn__op_Softmax = {
    .name = "Softmax",
    .inputs = "logits: T",
    .outputs = "softmax: T",
    .types = "T: floating",
    .infer = softmax_infer,
    .compute = softmax_compute,
    .gradient = softmax_gradient,
};

const tn__op tn__op_LogSoftmax = {
    .name = "LogSoftmax",
    .inputs = "logits: T",
    .outputs = "logsoftmax: T",
    .types = "T: floating",
    .infer = softmax_infer,
    .compute = log_softmax_compute,
    .gradient = log_softmax_gradient,
};

const tn__op tn__op_SoftmaxCrossEntropyWithLogits = {
    .name = "SoftmaxCrossEntropyWithLogits",
    .inputs = "features: T, labels: T",
    .outputs = "loss: T, backprop: T",
    .types = "T: floating",
    .infer = dense_infer,
    .compute = dense_compute,
    .gradient = dense_gradient,
};

const tn__op tn__op_SparseSoftmaxCrossEntropyWithLogits = {
    .name = "SparseSoftmaxCrossEntropyWithLogits",
    .inputs = "features: T, labels: Tlabels",
    .outputs = "loss: T, backprop: T",
    .types = "T: floating; Tlabels: int32, int64",
    .infer = sparse_infer,
    .compute = sparse_compute,
    .gradient = sparse_gradient,
};

/* --- tf.nn ------------------------------------------------------------------------------------ */
static tn_tensor *swap_with_last(tn_tensor *x, int axis)
{
    if (!x)
        return NULL;
    int last = x->shape.rank - 1;
    tn_axes permutation = { .count = x->shape.rank };
    for (int i = 0; i <= last; i++)
        permutation.axis[i] = i == axis ? last : i == last ? axis : i;
    return tn_transpose(x, permutation);
}

/* Along any axis: it changes places with the last one, before and after. */
static tn_tensor *along(const tn__op *op, tn_tensor *logits, int axis, const char *what)
{
    TN__ENTER(context, NULL);
    (void)context;
    int at;
    if (!tn__check_tensor(logits, what))
        return NULL;
    const tn_shape *shape = &logits->shape;
    if (axis == -1 || (shape->known && axis == shape->rank - 1))
        return TN__APPLY(*op, NULL, logits);
    if (!shape->known) {
        tn__fail(TN_UNIMPLEMENTED, "%s: axis %d of a tensor of unknown rank", op->name, axis);
        return NULL;
    }
    if (!tn__axis(axis, shape->rank, &at)) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "`dim` must be in the range [%d, %d) where %d is the number of dimensions in the "
                 "input. Received: dim=%d",
                 -shape->rank, shape->rank, shape->rank, axis);
        return NULL;
    }
    return swap_with_last(TN__APPLY(*op, NULL, swap_with_last(logits, at)), at);
}

tn_tensor *tn_nn_softmax(tn_tensor *logits, int axis)
{
    return along(&tn__op_Softmax, logits, axis, "tn_nn_softmax: logits");
}

tn_tensor *tn_nn_log_softmax(tn_tensor *logits, int axis)
{
    return along(&tn__op_LogSoftmax, logits, axis, "tn_nn_log_softmax: logits");
}

/* All axes but the last made one. */
static tn_tensor *as_matrix(tn_tensor *x)
{
    if (!x || !x->shape.known || x->shape.rank == 2)
        return x;
    int last = x->shape.rank - 1;
    int64_t dims[] = { 1, last < 0 ? 1 : x->shape.dims[last] };
    for (int i = 0; i < last; i++)
        dims[0] = dims[0] < 0 || x->shape.dims[i] < 0 ? TN_NONE : dims[0] * x->shape.dims[i];
    if (dims[0] >= 0 || dims[1] >= 0)
        return TN__APPLY(tn__op_Reshape, NULL, x, tn__ints(dims, 2));
    tn_tensor *parts[] = { tn__ints(dims, 1), tn__vector_part(tn__shape_tensor(x), last, TN_NONE) };
    return TN__APPLY(tn__op_Reshape, NULL, x, tn__vector_join(2, parts));
}

/* The loss of a matrix of logits, in the shape that logits have without the classes. */
static tn_tensor *as_leading(tn_tensor *loss, tn_tensor *logits)
{
    const tn_shape *shape = &logits->shape;
    if (!shape->known || shape->rank == 2)
        return loss;
    return TN__APPLY(tn__op_Reshape, NULL, loss,
                     tn__vector_part(tn__shape_tensor(logits), 0, shape->rank - 1));
}

/* Half precision is not enough for a loss: computed in float32 and rounded at the end. */
static tn_tensor *precise(tn_tensor *logits)
{
    return logits->dtype == TN_FLOAT16 || logits->dtype == TN_BFLOAT16 ? tn_cast(logits, TN_FLOAT32)
                                                                       : logits;
}

static tn_tensor *loss_of(const tn__op *op, tn_tensor *logits, tn_tensor *labels, tn_tensor *like)
{
    tn_list both = tn__apply_list(op, NULL, (tn_tensor *[]){ as_matrix(logits), labels }, 2, 2);
    return both.item ? tn_cast(as_leading(both.item[0], like), (tn_dtype)like->dtype) : NULL;
}

tn_tensor *tn_nn_softmax_cross_entropy_with_logits(tn_tensor *labels, tn_tensor *logits)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(labels, "tn_nn_softmax_cross_entropy_with_logits: labels") ||
        !tn__check_tensor(logits, "tn_nn_softmax_cross_entropy_with_logits: logits"))
        return NULL;
    tn_tensor *x = precise(logits);
    return x ? loss_of(&tn__op_SoftmaxCrossEntropyWithLogits, x,
                       as_matrix(tn_cast(labels, (tn_dtype)x->dtype)), logits)
             : NULL;
}

static tn_status check_sparse(const tn_shape *labels, const tn_shape *logits)
{
    tn_shape leading = *logits;
    if (logits->known && logits->rank == 0)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "`logits` cannot be a scalar. Received logits of shape ()");
    if (!logits->known || !labels->known)
        return TN_OK;
    if (labels->rank != logits->rank - 1)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: "
                        "labels.shape=%s of rank %d and logits.shape=%s "
                        "of rank %d",
                        TN__SHAPE(*labels), labels->rank, TN__SHAPE(*logits), logits->rank);
    leading.rank--;
    if (!tn__shape_fits(labels, &leading))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "`labels.shape` must equal `logits.shape` except for the last dimension. "
                        "Received: labels.shape=%s and "
                        "logits.shape=%s",
                        TN__SHAPE(*labels), TN__SHAPE(*logits));
    return TN_OK;
}

tn_tensor *tn_nn_sparse_softmax_cross_entropy_with_logits(tn_tensor *labels, tn_tensor *logits)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(labels, "tn_nn_sparse_softmax_cross_entropy_with_logits: labels") ||
        !tn__check_tensor(logits, "tn_nn_sparse_softmax_cross_entropy_with_logits: logits") ||
        check_sparse(&labels->shape, &logits->shape) != TN_OK)
        return NULL;
    tn_tensor *x = precise(logits);
    if (x && labels->shape.known && labels->shape.rank != 1)
        labels = TN__APPLY(tn__op_Reshape, NULL, labels, tn__ints((int64_t[]){ TN_NONE }, 1));
    return x ? loss_of(&tn__op_SparseSoftmaxCrossEntropyWithLogits, x, labels, logits) : NULL;
}

tn_tensor *tn_nn_sigmoid_cross_entropy_with_logits(tn_tensor *labels, tn_tensor *logits)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(labels, "tn_nn_sigmoid_cross_entropy_with_logits: labels") ||
        !tn__check_tensor(logits, "tn_nn_sigmoid_cross_entropy_with_logits: logits"))
        return NULL;
    if (!tn__shape_fits(&labels->shape, &logits->shape)) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "`logits` and `labels` must have the same shape, received (%s vs %s).",
                 TN__SHAPE(logits->shape), TN__SHAPE(labels->shape));
        return NULL;
    }
    /* max(x, 0) - x z + log(1 + exp(-|x|)), so that nothing overflows; by choices, whose slope at 0
     * is right too */
    tn_tensor *positive = tn_greater_equal(logits, tn__like(logits, 0));
    tn_tensor *linear =
        tn_subtract(tn_where(positive, logits, tn_zeros_like(logits)), tn_multiply(logits, labels));
    return tn_add(linear, tn_log1p(tn_exp(tn_where(positive, tn_negative(logits), logits))));
}
