/* range.c - tensors made from a few numbers: Range, LinSpace, OneHot. */
#include "ops/array.h"
#include <math.h>

/* --- Range ------------------------------------------------------------------------------------ */
static tn_status check_direction(bool up, double start, double limit)
{
    if (up ? start <= limit : start >= limit)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "Requires start %s limit when delta %s 0: %.9g/%.9g",
                    up ? "<=" : ">=", up ? ">" : "<", start, limit);
}

static tn_status no_step(void)
{
    return tn__fail(TN_INVALID_ARGUMENT, "Requires delta != 0: 0");
}

static tn_status count_whole(int64_t start, int64_t limit, int64_t delta, int64_t *count)
{
    if (delta == 0)
        return no_step();
    TN_TRY(check_direction(delta > 0, (double)start, (double)limit));
    uint64_t length =
        delta > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
    uint64_t step = delta > 0 ? (uint64_t)delta : 0 - (uint64_t)delta;
    uint64_t most = length / step + (length % step != 0);
    *count = most > INT64_MAX ? INT64_MAX : (int64_t)most; /* too large to be made */
    return TN_OK;
}

static double rounded(tn_dtype dtype, double x)
{
    uint64_t element;
    tn__element_from_double(dtype, x, &element);
    return tn__element_to_double(dtype, &element);
}

/* TensorFlow counts with numbers of the dtype: 0.3 by 0.1 is three steps in float32. */
static tn_status count_real(tn_dtype dtype, double start, double limit, double delta,
                            int64_t *count)
{
    if (delta == 0)
        return no_step();
    TN_TRY(check_direction(delta > 0, start, limit));
    double size = ceil(fabs(rounded(dtype, rounded(dtype, limit - start) / delta)));
    if (!(size < 9.2e18))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Requires ((limit - start) / delta) <= 2**63 - 1: (%.9g - %.9g) / %.9g",
                        limit, start, delta);
    *count = (int64_t)size;
    return TN_OK;
}

/* Also in a trace, where whole numbers may be known before the run. */
static tn_status range_infer(tn__infer *infer)
{
    tn_tensor *const *in = infer->input;
    int64_t count = TN_NONE, start, limit, delta;
    for (size_t i = 0; i < 3; i++)
        if (tn__shape_full(&in[i]->shape) && tn__shape_count(&in[i]->shape) != 1)
            return tn__fail(TN_INVALID_ARGUMENT, "%s must be a scalar, not shape %s",
                            i == 0   ? "start"
                            : i == 1 ? "limit"
                                     : "delta",
                            TN__BRACKETS(in[i]->shape));
    bool values = in[0]->form == TN__VALUE && in[1]->form == TN__VALUE && in[2]->form == TN__VALUE;
    if (values && tn__in(TN__FLOATS, (tn_dtype)in[0]->dtype))
        TN_TRY(count_real((tn_dtype)in[0]->dtype, tn__double_at(in[0], 0), tn__double_at(in[1], 0),
                          tn__double_at(in[2], 0), &count));
    else if (values)
        TN_TRY(
            count_whole(tn__int_at(in[0], 0), tn__int_at(in[1], 0), tn__int_at(in[2], 0), &count));
    else if (tn__known_int(in[0], &start) && tn__known_int(in[1], &limit) &&
             tn__known_int(in[2], &delta))
        TN_TRY(count_whole(start, limit, delta, &count));
    infer->output[0].shape = tn__shape_vector(count);
    return TN_OK;
}

#define FILL_RANGE(T)                                       \
    {                                                       \
        const T first = *(const T *)kernel->input[0]->data, \
                step = *(const T *)kernel->input[2]->data;  \
        T *y = out->data;                                   \
        for (int64_t i = 0; i < count; i++)                 \
            y[i] = first + (T)i * step;                     \
        return TN_OK;                                       \
    }

/* The half types round every step of start + i delta. */
static tn_status fill_half(const tn__kernel *kernel, tn_tensor *out)
{
    tn_dtype dtype = (tn_dtype)out->dtype;
    double first = tn__double_at(kernel->input[0], 0), step = tn__double_at(kernel->input[2], 0);
    uint16_t *y = out->data;
    for (int64_t i = 0; i < tn__count(out); i++)
        tn__element_from_double(
            dtype, first + rounded(dtype, rounded(dtype, (double)i) * step), &y[i]);
    return TN_OK;
}

static tn_status range_compute(tn__kernel *kernel)
{
    tn_tensor *out = kernel->output[0];
    int64_t count = tn__count(out);
    switch (out->dtype) {
    case TN_FLOAT16:
    case TN_BFLOAT16:
        return fill_half(kernel, out);
    case TN_FLOAT32:
        FILL_RANGE(float)
    case TN_FLOAT64:
        FILL_RANGE(double)
    case TN_INT32:
        FILL_RANGE(uint32_t)
    case TN_INT64:
        FILL_RANGE(uint64_t)
    default:
        return tn__fail(TN_UNIMPLEMENTED, "Range has no kernel for %s",
                        tn__dtype_name((tn_dtype)out->dtype));
    }
}

const tn__op tn__op_Range = {
    .name = "Range",
    .inputs = "start: Tidx, limit: Tidx, delta: Tidx",
    .outputs = "output: Tidx",
    .types = "Tidx: floating, int32, int64",
    .infer = range_infer,
    .compute = range_compute,
    .no_gradient = "none: the numbers count",
    .flags = TN__HALF,
};

tn_tensor *tn_range(tn_tensor *start, tn_tensor *limit, tn_tensor *delta)
{
    return TN__APPLY(tn__op_Range, NULL, start, limit, delta);
}

/* --- LinSpace --------------------------------------------------------------------------------- */
static tn_status linspace_infer(tn__infer *infer)
{
    int64_t num;
    for (size_t i = 0; i < 3; i++)
        TN_TRY(tn__infer_rank(infer, i, 0, 0));
    infer->output[0].shape = tn__shape_vector(TN_NONE);
    if (!tn__known_int(infer->input[2], &num))
        return TN_OK;
    if (num <= 0)
        return tn__fail(TN_INVALID_ARGUMENT, "Requires num > 0: %lld", (long long)num);
    infer->output[0].shape.dims[0] = num;
    return TN_OK;
}

#define FILL_BETWEEN(T)                                                  \
    {                                                                    \
        const T first = *(const T *)kernel->input[0]->data,              \
                last = *(const T *)kernel->input[1]->data;               \
        const T step = count > 1 ? (last - first) / (T)(count - 1) : 0;  \
        T *y = out->data;                                                \
        for (int64_t i = 0; i < count; i++)                              \
            y[i] = i > 0 && i == count - 1 ? last : first + (T)i * step; \
        return TN_OK;                                                    \
    }

static tn_status linspace_compute(tn__kernel *kernel)
{
    const tn_tensor *out = kernel->output[0];
    int64_t count = tn__count(out);
    if (out->dtype == TN_FLOAT64)
        FILL_BETWEEN(double)
    FILL_BETWEEN(float)
}

const tn__op tn__op_LinSpace = {
    .name = "LinSpace",
    .inputs = "start: T, stop: T, num: Tidx",
    .outputs = "output: T",
    .types = "T: floating; Tidx: int32, int64",
    .infer = linspace_infer,
    .compute = linspace_compute,
    .no_gradient = "none: as in TensorFlow",
};

tn_tensor *tn_linspace(tn_tensor *start, tn_tensor *stop, int64_t num)
{
    return TN__APPLY(tn__op_LinSpace, NULL, start, stop, tn__int(num));
}

/* --- OneHot ----------------------------------------------------------------------------------- */
typedef struct {
    int64_t axis;
} one_hot_attrs;
static const tn_field one_hot_fields[] = {
    TN__ROW(TN_FIELD_INT, one_hot_attrs, axis, "-1", NULL),
    TN__END_OF_FIELDS,
};

/* Where the new dimension comes to stand among rank + 1. */
static tn_status one_hot_axis(int64_t axis, int rank, int *at)
{
    if (axis >= -1 && axis <= rank) {
        *at = axis == -1 ? rank : (int)axis;
        return TN_OK;
    }
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Expected axis to be -1 or between [0, %d).  But received: %lld", rank + 1,
                    (long long)axis);
}

static tn_status one_hot_infer(tn__infer *infer)
{
    const tn_shape *in = &infer->input[0]->shape, *depth_shape = &infer->input[1]->shape;
    int64_t depth;
    int axis = 0;
    if (depth_shape->known && depth_shape->rank)
        return tn__fail(TN_INVALID_ARGUMENT, "depth must be a scalar, but got: %s",
                        TN__BRACKETS(*depth_shape));
    TN_TRY(tn__infer_rank(infer, 2, 0, 0));
    TN_TRY(tn__infer_rank(infer, 3, 0, 0));
    bool known = tn__known_int(infer->input[1], &depth);
    if (known && depth < 0)
        return tn__fail(TN_INVALID_ARGUMENT, "depth must be non-negative, got: %lld",
                        (long long)depth);
    if (!in->known)
        return TN_OK;
    if (in->rank == TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "OneHot: more than %d dimensions", TN_MAX_RANK);
    TN_TRY(one_hot_axis(((const one_hot_attrs *)infer->attrs)->axis, in->rank, &axis));
    tn_shape out = tn__shape_of_rank(in->rank + 1);
    for (int i = 0; i < out.rank; i++)
        out.dims[i] = i < axis ? in->dims[i] : i > axis ? in->dims[i - 1] : known ? depth : TN_NONE;
    infer->output[0].shape = out;
    return TN_OK;
}

/* (before, behind) indices become (before, depth, behind): off_value everywhere, then on_value
 * where an index points. */
static tn_status one_hot_compute(tn__kernel *kernel)
{
    const tn_tensor *indices = kernel->input[0], *out = kernel->output[0];
    size_t size = tn__dtype_size((tn_dtype)out->dtype);
    int axis = 0;
    TN_TRY(one_hot_axis(((const one_hot_attrs *)kernel->attrs)->axis, indices->shape.rank, &axis));
    int64_t before = tn__count_of(&indices->shape, 0, axis),
            behind = tn__count_of(&indices->shape, axis, indices->shape.rank);
    int64_t depth = out->shape.dims[axis];
    tn__fill_elements(out->data, tn__count(out), size, kernel->input[3]->data);
    for (int64_t i = 0; i < before; i++)
        for (int64_t k = 0; k < behind; k++) {
            int64_t at = tn__int_at(indices, i * behind + k);
            if (at >= 0 && at < depth)
                tn__fill_elements((char *)out->data +
                                      (size_t)((i * depth + at) * behind + k) * size,
                                  1, size, kernel->input[2]->data);
        }
    return TN_OK;
}

const tn__op tn__op_OneHot = {
    .name = "OneHot",
    .label = "one_hot",
    .inputs = "indices: TI, depth: int32, on_value: T, off_value: T",
    .outputs = "output: T",
    .types = "T: any; TI: uint8, int32, int64",
    .attrs = one_hot_fields,
    .attrs_size = sizeof(one_hot_attrs),
    .infer = one_hot_infer,
    .compute = one_hot_compute,
    .no_gradient = "none: as in TensorFlow, indices are integers and the values constants",
    .flags = TN__HALF,
};

tn_tensor *tn_one_hot_with(const tn_one_hot_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *on = tn__own(tn__tensor_fill(o->dtype, &TN_SCALAR, o->on_value));
    tn_tensor *off = tn__own(tn__tensor_fill(o->dtype, &TN_SCALAR, o->off_value));
    return TN__APPLY(tn__op_OneHot, &(one_hot_attrs){ o->axis }, o->indices, tn__int(o->depth), on,
                     off);
}
