/* elementwise.c - what runs the rows: the unary loop, broadcasting for two inputs, and inference for both. */
#include "ops/elementwise.h"
#include <stdio.h>

tn_status tn__unary_compute(tn__kernel *kernel)
{
    const tn__unary_family *family = kernel->op->family;
    const tn_tensor *x = kernel->input[0];
    tn__unary_loop loop = family->loop[x->dtype];
    if (!loop)
        return tn__fail(TN_UNIMPLEMENTED, "%s has no kernel for %s", kernel->op->name, tn__dtype_name((tn_dtype)x->dtype));
    loop(x->data, kernel->output[0]->data, tn__count(x));
    return TN_OK;
}

/* --- broadcasting ------------------------------------------------------------------------------------------------------- */
/* The output's dimensions with each input's step in elements (0: stands still), neighbours merged where both go on alike. */
typedef struct {
    int rank;
    int64_t dim[TN_MAX_RANK], step_x[TN_MAX_RANK], step_y[TN_MAX_RANK];
} walk;

static int64_t dim_of(const tn_shape *shape, int axis, int rank)
{
    int own = axis - (rank - shape->rank);
    return own < 0 ? 1 : shape->dims[own];
}

static void add_dim(walk *w, int64_t dim, int64_t step_x, int64_t step_y)
{
    if (w->rank > 0) {
        int last = w->rank - 1;
        if (w->step_x[last] == step_x * dim && w->step_y[last] == step_y * dim) {
            w->dim[last] *= dim;
            w->step_x[last] = step_x;
            w->step_y[last] = step_y;
            return;
        }
    }
    w->dim[w->rank] = dim;
    w->step_x[w->rank] = step_x;
    w->step_y[w->rank++] = step_y;
}

static walk plan_walk(const tn_shape *x, const tn_shape *y, const tn_shape *out)
{
    walk w = { 0 };
    int64_t size_x = tn__shape_count(x), size_y = tn__shape_count(y);
    for (int i = 0; i < out->rank; i++) {
        int64_t dx = dim_of(x, i, out->rank), dy = dim_of(y, i, out->rank);
        if (out->dims[i] == 1)
            continue;
        size_x /= dx ? dx : 1;
        size_y /= dy ? dy : 1;
        add_dim(&w, out->dims[i], dx == 1 ? 0 : size_x, dy == 1 ? 0 : size_y);
    }
    if (w.rank == 0)
        add_dim(&w, 1, 1, 1);
    return w;
}

/* The innermost dimension is the loop's; an odometer runs over the others. */
static void broadcast(const walk *w, const tn__kernel *kernel, tn__binary_loop loop)
{
    const tn_tensor *x = kernel->input[0], *y = kernel->input[1];
    size_t size = tn__dtype_size((tn_dtype)x->dtype), out_size = tn__dtype_size((tn_dtype)kernel->output[0]->dtype);
    const char *px = x->data, *py = y->data;
    char *out = kernel->output[0]->data;
    int last = w->rank - 1;
    int64_t at[TN_MAX_RANK] = { 0 }, inner = w->dim[last];
    for (;;) {
        loop(px, (int)w->step_x[last], py, (int)w->step_y[last], out, inner);
        out += (size_t)inner * out_size;
        int axis = last - 1;
        for (; axis >= 0; axis--) {
            px += w->step_x[axis] * (int64_t)size;
            py += w->step_y[axis] * (int64_t)size;
            if (++at[axis] < w->dim[axis])
                break;
            px -= w->step_x[axis] * w->dim[axis] * (int64_t)size;
            py -= w->step_y[axis] * w->dim[axis] * (int64_t)size;
            at[axis] = 0;
        }
        if (axis < 0)
            return;
    }
}

tn_status tn__binary_compute(tn__kernel *kernel)
{
    const tn__binary_family *family = kernel->op->family;
    const tn_tensor *x = kernel->input[0], *y = kernel->input[1], *out = kernel->output[0];
    tn__binary_loop loop = family->loop[x->dtype];
    if (!loop)
        return tn__fail(TN_UNIMPLEMENTED, "%s has no kernel for %s", kernel->op->name, tn__dtype_name((tn_dtype)x->dtype));
    if (tn__count(out) == 0)
        return TN_OK;
    if (tn__shape_equal(&x->shape, &y->shape)) {
        loop(x->data, 1, y->data, 1, out->data, tn__count(out));
        return TN_OK;
    }
    walk w = plan_walk(&x->shape, &y->shape, &out->shape);
    broadcast(&w, kernel, loop);
    return TN_OK;
}

/* --- inference ---------------------------------------------------------------------------------------------------------- */
/* TensorFlow's way of writing shapes in this message: [2,3]. */
static void brackets(const tn_shape *shape, char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < shape->rank && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, shape->dims[i] < 0 ? "%s?" : "%s%lld", i ? "," : "", (long long)shape->dims[i]);
    if (n < size)
        snprintf(text + n, size - n, "]");
}

tn_status tn__infer_broadcast(tn__infer *infer)
{
    const tn_shape *a = &infer->input[0]->shape, *b = &infer->input[1]->shape;
    if (tn__shape_broadcast(a, b, &infer->output[0].shape))
        return TN_OK;
    char x[TN__SHAPE_TEXT], y[TN__SHAPE_TEXT];
    brackets(a, x, sizeof x);
    brackets(b, y, sizeof y);
    return tn__fail(TN_INVALID_ARGUMENT, "Incompatible shapes: %s vs. %s\n%s: dimensions must be equal or 1, counted from the last", x, y,
                    infer->op->name);
}

tn_status tn__infer_scalar(tn__infer *infer)
{
    infer->output[0].shape = TN_SCALAR;
    return TN_OK;
}

tn_status tn__infer_rank(const tn__infer *infer, size_t input, int least, int most)
{
    const tn_tensor *x = infer->input[input];
    if (!x->shape.known || (x->shape.rank >= least && x->shape.rank <= most))
        return TN_OK;
    const tn__signature *s = tn__op_signature(infer->op);
    const char *name = s ? s->input[tn__signature_arg(s, infer->input_count, input)].name : "input";
    if (least == most)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: %s must have rank %d, got %s", infer->op->name, name, least, TN__SHAPE(x->shape));
    return tn__fail(TN_INVALID_ARGUMENT, "%s: %s must have a rank of %d to %d, got %s", infer->op->name, name, least, most,
                    TN__SHAPE(x->shape));
}
