/* elementwise.c - what runs the rows: the unary loop, broadcasting for two inputs, and inference
 * for both. */
#include "ops/elementwise.h"
#include "ops/array.h"
#include "ops/chain.h"

static tn_status no_loop(const tn__kernel *kernel)
{
    return tn__fail(TN_UNIMPLEMENTED, "%s has no kernel for %s", kernel->op->name,
                    tn__dtype_name((tn_dtype)kernel->input[0]->dtype));
}

/* Fewer numbers are done before a chain has begun. */
enum { WORTH_A_CHAIN = 64 };

/* The op as a chain of one, where it has a function and its inputs can be read so. */
static bool is_chain(const tn__kernel *kernel, int64_t count, tn__chain *chain)
{
    const tn_tensor *out = kernel->output[0];
    if (count < WORTH_A_CHAIN || !kernel->op->function || out->dtype != TN_FLOAT32)
        return false;
    chain->inputs = (int)kernel->input_count;
    chain->steps = 1;
    chain->places = 1;
    chain->apart = 0;
    chain->step[0] = (tn__chain_step){ kernel->op->function, 0, (uint8_t)(chain->inputs - 1), 0, out->data };
    for (int i = 0; i < chain->inputs; i++) {
        chain->in[i].data = kernel->input[i]->data;
        if (kernel->input[i]->dtype != TN_FLOAT32 || kernel->input[i]->data == out->data ||
            !tn__chain_bind(&kernel->input[i]->shape, &out->shape, &chain->in[i]))
            return false;
    }
    return true;
}

tn_status tn__unary_compute(tn__kernel *kernel)
{
    const tn__unary_family *family = kernel->op->family;
    const tn_tensor *x = kernel->input[0];
    tn__unary_loop loop = family->loop[x->dtype];
    tn__chain chain;
    if (!loop)
        return no_loop(kernel);
    int64_t count = tn__count(x);
    if (is_chain(kernel, count, &chain))
        return tn__chain_run(kernel->context, &chain, count);
    loop(x->data, kernel->output[0]->data, count);
    return TN_OK;
}

/* --- broadcasting ----------------------------------------------------------------------------- */
/* A dimension of the output, outermost first; joined to the one before it where every input goes on
 * alike. */
static void add_dim(tn__walk *w, int64_t dim, const int64_t step[3])
{
    bool joins = w->rank > 0;
    for (int k = 0; k < w->inputs && joins; k++)
        joins = w->step[k][w->rank - 1] == step[k] * dim;
    if (joins)
        w->dim[--w->rank] *= dim;
    else
        w->dim[w->rank] = dim;
    for (int k = 0; k < w->inputs; k++)
        w->step[k][w->rank] = step[k];
    w->rank++;
}

/* Bytes from one place of the output's axis to the next in an input; 0 where the input has one
 * place only. */
static int64_t step_of(const tn_tensor *x, int axis, int rank)
{
    int own = axis - (rank - x->shape.rank);
    if (own < 0 || x->shape.dims[own] == 1)
        return 0;
    int64_t step = (int64_t)tn__dtype_size((tn_dtype)x->dtype);
    for (int i = own + 1; i < x->shape.rank; i++)
        step *= x->shape.dims[i];
    return step;
}

/* The innermost dimension becomes the row. */
static void settle_row(tn__walk *w, size_t out_size)
{
    w->row = 1;
    if (w->rank > 0) {
        w->rank--;
        w->row = w->dim[w->rank];
        for (int k = 0; k < w->inputs; k++)
            w->row_step[k] = w->step[k][w->rank] != 0;
    }
    w->row_bytes = (size_t)w->row * out_size;
}

bool tn__walk_begin(tn__walk *w, const tn__kernel *kernel, int inputs)
{
    const tn_tensor *out = kernel->output[0];
    *w = (tn__walk){ .inputs = inputs, .out = out->data };
    for (int axis = 0; axis < out->shape.rank; axis++) {
        int64_t step[3] = { 0 };
        for (int k = 0; k < inputs; k++)
            step[k] = step_of(kernel->input[k], axis, out->shape.rank);
        if (out->shape.dims[axis] != 1)
            add_dim(w, out->shape.dims[axis], step);
    }
    for (int k = 0; k < inputs; k++)
        w->in[k] = kernel->input[k]->data;
    settle_row(w, tn__dtype_size((tn_dtype)out->dtype));
    return tn__count(out) > 0;
}

/* An odometer over all dimensions but the row's. */
bool tn__walk_next(tn__walk *w)
{
    w->out += w->row_bytes;
    for (int axis = w->rank - 1; axis >= 0; axis--) {
        bool turns_over = ++w->at[axis] == w->dim[axis];
        for (int k = 0; k < w->inputs; k++)
            w->in[k] += turns_over ? -w->step[k][axis] * (w->dim[axis] - 1) : w->step[k][axis];
        if (!turns_over)
            return true;
        w->at[axis] = 0;
    }
    return false;
}

tn_status tn__binary_compute(tn__kernel *kernel)
{
    const tn__binary_family *family = kernel->op->family;
    const tn_tensor *x = kernel->input[0], *y = kernel->input[1], *out = kernel->output[0];
    tn__binary_loop loop = family->loop[x->dtype];
    tn__chain chain;
    if (!loop)
        return no_loop(kernel);
    int64_t count = tn__count(out);
    if (is_chain(kernel, count, &chain))
        return tn__chain_run(kernel->context, &chain, count);
    if (tn__count(x) == count && tn__count(y) == count) { /* neither is repeated: the usual case, and the quickest to prepare */
        loop(x->data, 1, y->data, 1, out->data, count);
        return TN_OK;
    }
    tn__walk w;
    for (bool more = tn__walk_begin(&w, kernel, 2); more; more = tn__walk_next(&w))
        loop(w.in[0], w.row_step[0], w.in[1], w.row_step[1], w.out, w.row);
    return TN_OK;
}

tn_status tn__divide_compute(tn__kernel *kernel)
{
    const tn_tensor *y = kernel->input[1];
    bool whole = tn__in(TN__INTS, (tn_dtype)y->dtype) && tn__count(kernel->output[0]) > 0;
    for (int64_t i = 0; whole && i < tn__count(y); i++)
        if (tn__int_at(y, i) == 0)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Integer division by zero\n%s: y %s has a 0 in element %lld",
                            kernel->op->name, TN__TENSOR(y), (long long)i);
    return tn__binary_compute(kernel);
}

/* --- inference -------------------------------------------------------------------------------- */
tn_status tn__infer_broadcast(tn__infer *infer)
{
    const tn_shape *a = &infer->input[0]->shape, *b = &infer->input[1]->shape;
    if (tn__shape_broadcast(a, b, &infer->output[0].shape))
        return TN_OK;
    return tn__fail(
        TN_INVALID_ARGUMENT,
        "Incompatible shapes: %s vs. %s\n%s: dimensions must be equal or 1, counted from the last",
        TN__BRACKETS(*a), TN__BRACKETS(*b), infer->op->name);
}

tn_status tn__infer_pair(tn__infer *infer)
{
    const tn_shape *a = &infer->input[0]->shape, *b = &infer->input[1]->shape;
    if (tn__shape_merge(a, b, &infer->output[0].shape))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Inputs to operation %s of type %s must have the same size and shape.  Input "
                    "0: %s != input 1: %s",
                    infer->op->name, infer->op->name, TN__BRACKETS(*a), TN__BRACKETS(*b));
}

tn_status tn__infer_counted_pair(tn__infer *infer)
{
    const tn_shape *a = &infer->input[0]->shape, *b = &infer->input[1]->shape;
    if (tn__shape_merge(a, b, &infer->output[0].shape))
        return TN_OK;
    if (!tn__shape_full(a) || !tn__shape_full(b))
        return tn__infer_pair(infer);
    return tn__fail(
        TN_INVALID_ARGUMENT,
        "The two arguments to a cwise op must have same number of elements, got %lld and %lld\n"
        "%s: and the same shape, got %s and %s",
        (long long)tn__shape_count(a), (long long)tn__shape_count(b), infer->op->name,
        TN__SHAPE(*a), TN__SHAPE(*b));
}

tn_status tn__infer_scalar(tn__infer *infer)
{
    infer->output[0].shape = TN_SCALAR;
    return TN_OK;
}

static tn_status refuse_rank(const tn__infer *infer, size_t input, int least, int most)
{
    const tn_tensor *x = infer->input[input];
    const tn__signature *s = tn__op_signature(infer->op);
    const char *name = s ? s->input[tn__signature_arg(s, infer->input_count, input)].name : "input";
    if (least == most)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: %s must have rank %d, got %s", infer->op->name,
                        name, least, TN__SHAPE(x->shape));
    return tn__fail(TN_INVALID_ARGUMENT, "%s: %s must have a rank of %d to %d, got %s",
                    infer->op->name, name, least, most, TN__SHAPE(x->shape));
}

tn_status tn__infer_rank(const tn__infer *infer, size_t input, int least, int most)
{
    const tn_shape *shape = &infer->input[input]->shape;
    return !shape->known || (shape->rank >= least && shape->rank <= most) ? TN_OK : refuse_rank(infer, input, least, most);
}
