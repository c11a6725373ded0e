/* select.c - one of two, element by element. */
#include "ops/elementwise.h"
#include "ops/array.h"
#include <string.h>

/* --- SelectV2: all three broadcast ------------------------------------------------------------ */
static tn_status select_v2_infer(tn__infer *infer)
{
    const tn_shape *c = &infer->input[0]->shape, *t = &infer->input[1]->shape,
                   *e = &infer->input[2]->shape;
    tn_shape values;
    if (tn__shape_broadcast(t, e, &values) &&
        tn__shape_broadcast(c, &values, &infer->output[0].shape))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "condition %s, then %s, and else %s must be broadcastable",
                    TN__BRACKETS(*c), TN__BRACKETS(*t), TN__BRACKETS(*e));
}

/* Elements of the same size are all alike here: bits are copied. */
#define SELECT_LOOP(T)                                                          \
    static void select_##T(const tn__walk *w)                                   \
    {                                                                           \
        const uint8_t *condition = (const uint8_t *)w->in[0];                   \
        const T *then = (const T *)(const void *)w->in[1],                      \
                *other = (const T *)(const void *)w->in[2];                     \
        T *out = (T *)(void *)w->out;                                           \
        for (int64_t i = 0; i < w->row; i++)                                    \
            out[i] = condition[i * w->row_step[0]] ? then[i * w->row_step[1]]   \
                                                   : other[i * w->row_step[2]]; \
    }
SELECT_LOOP(uint8_t)
SELECT_LOOP(uint16_t)
SELECT_LOOP(uint32_t)
SELECT_LOOP(uint64_t)

static void select_row(const tn__walk *w, size_t size)
{
    if (size == 1)
        select_uint8_t(w);
    else if (size == 2)
        select_uint16_t(w);
    else if (size == 4)
        select_uint32_t(w);
    else
        select_uint64_t(w);
}

static tn_status select_compute(tn__kernel *kernel)
{
    size_t size = tn__dtype_size((tn_dtype)kernel->output[0]->dtype);
    tn__walk w;
    for (bool more = tn__walk_begin(&w, kernel, 3); more; more = tn__walk_next(&w))
        select_row(&w, size);
    return TN_OK;
}

/* z = t where c, else e:  dt = dz where c, de = dz elsewhere, summed to what was broadcast */
static void select_v2_gradient(tn__gradient *g)
{
    tn_tensor *condition = g->in[0], *dz = g->dout[0], *zero = tn__like(dz, 0);
    if (g->wanted[1])
        g->din[1] = tn__sum_to(tn_where(condition, dz, zero), g->in[1], g->out[0]);
    if (g->wanted[2])
        g->din[2] = tn__sum_to(tn_where(condition, zero, dz), g->in[2], g->out[0]);
}

#define SELECT(op_name, ...)                                                   \
    const tn__op tn__op_##op_name = { .name = #op_name,                        \
                                      .inputs = "condition: bool, t: T, e: T", \
                                      .outputs = "output: T",                  \
                                      .types = "T: any",                       \
                                      .flags = TN__HALF,                       \
                                      __VA_ARGS__ };
SELECT(SelectV2, .infer = select_v2_infer, .compute = select_compute,
       .gradient = select_v2_gradient)

tn_tensor *tn_where(tn_tensor *condition, tn_tensor *x, tn_tensor *y)
{
    return TN__APPLY(tn__op_SelectV2, NULL, condition, x, y);
}

/* --- Select: both of one shape; the condition too, or one for all, or one for each row -------- */
static bool condition_fits(const tn_shape *condition, const tn_shape *values)
{
    if (!condition->known || !values->known || condition->rank == 0 ||
        tn__shape_fits(condition, values))
        return true;
    return condition->rank == 1 && values->rank > 0 &&
           (condition->dims[0] == values->dims[0] || condition->dims[0] < 0 || values->dims[0] < 0);
}

static bool one_for_each_row(const tn_shape *condition, const tn_shape *values)
{
    return condition->rank == 1 && values->rank > 1;
}

static tn_status select_infer(tn__infer *infer)
{
    const tn_shape *c = &infer->input[0]->shape, *t = &infer->input[1]->shape,
                   *e = &infer->input[2]->shape;
    if (!tn__shape_merge(t, e, &infer->output[0].shape))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "'then' and 'else' must have the same size.  but received: %s vs. %s",
                        TN__BRACKETS(*t), TN__BRACKETS(*e));
    if (condition_fits(c, &infer->output[0].shape))
        return TN_OK;
    if (one_for_each_row(c, t))
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "Number of batches of 'then' must match size of 'cond', but saw: %lld vs. %lld",
            (long long)t->dims[0], (long long)c->dims[0]);
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Inputs to operation Select of type Select must have the same size and shape.  "
                    "Input 0: %s != input 1: %s\n"
                    "Select: the condition has the values' shape, or is a scalar, or a vector with "
                    "one element for each row",
                    TN__BRACKETS(*c), TN__BRACKETS(*t));
}

static tn_status select_v1_compute(tn__kernel *kernel)
{
    const tn_tensor *condition = kernel->input[0];
    tn_tensor *out = kernel->output[0];
    if (!one_for_each_row(&condition->shape, &out->shape))
        return select_compute(kernel);
    int64_t rows = out->shape.dims[0];
    size_t bytes = rows ? tn__byte_count(out) / (size_t)rows : 0;
    for (int64_t i = 0; i < rows; i++) {
        const tn_tensor *from = kernel->input[((const uint8_t *)condition->data)[i] ? 1 : 2];
        memcpy((char *)out->data + (size_t)i * bytes, (const char *)from->data + (size_t)i * bytes,
               bytes);
    }
    return TN_OK;
}

/* The same op on dz and zeros, with the same condition */
static void select_gradient(tn__gradient *g)
{
    tn_tensor *dz = g->dout[0], *zeros = tn_zeros_like(dz);
    g->din[1] = TN__APPLY(tn__op_Select, NULL, g->in[0], dz, zeros);
    g->din[2] = TN__APPLY(tn__op_Select, NULL, g->in[0], zeros, dz);
}

SELECT(Select, .infer = select_infer, .compute = select_v1_compute, .gradient = select_gradient)
