/* cast.c - from one dtype to another, by value or by bits. */
#include "ops/elementwise.h"
#include "ops/slices.h"
#include <string.h>

/* --- converting values ------------------------------------------------------------------------ */
/* CONVERT(from, to, T, U, e): a loop from elements x of T to e of U. */
#define CONVERT(from, to, T, U, e) UNARY_LOOP(cast_##from, to, T, U, e)
#define TO_INTS(from, T, low, wide, large) \
    CONVERT(from, i8, T, int8_t, low)      \
    CONVERT(from, i16, T, int16_t, low)    \
    CONVERT(from, i32, T, int32_t, low)    \
    CONVERT(from, i64, T, int64_t, wide)   \
    CONVERT(from, u8, T, uint8_t, low)     \
    CONVERT(from, u16, T, uint16_t, low)   \
    CONVERT(from, u32, T, uint32_t, wide)  \
    CONVERT(from, u64, T, uint64_t, large)
/* value: the element as a number. */
#define TO_FLOATS(from, T, value)                                    \
    CONVERT(from, f32, T, float, value)                              \
    CONVERT(from, f64, T, double, value)                             \
    CONVERT(from, b8, T, uint8_t, value != 0)                        \
    CONVERT(from, f16, T, uint16_t, tn__float_to_half((float)value)) \
    CONVERT(from, bf16, T, uint16_t, tn__float_to_bfloat16((float)value))
#define ROW(from)                                                           \
    {                                                                       \
        [TN_FLOAT32] = cast_##from##_f32, [TN_FLOAT64] = cast_##from##_f64, \
        [TN_INT8] = cast_##from##_i8, [TN_INT16] = cast_##from##_i16,       \
        [TN_INT32] = cast_##from##_i32, [TN_INT64] = cast_##from##_i64,     \
        [TN_UINT8] = cast_##from##_u8, [TN_UINT16] = cast_##from##_u16,     \
        [TN_UINT32] = cast_##from##_u32, [TN_UINT64] = cast_##from##_u64,   \
        [TN_BOOL] = cast_##from##_b8, [TN_FLOAT16] = cast_##from##_f16,     \
        [TN_BFLOAT16] = cast_##from##_bf16,                                 \
    }

#define FROM(from, T, e)      \
    TO_INTS(from, T, e, e, e) \
    TO_FLOATS(from, T, e)
#define FROM_FLOAT(from, T, value)                                           \
    TO_INTS(from, T, tn__double_to_int32(value), tn__double_to_int64(value), \
            tn__double_to_uint64(value))                                     \
    TO_FLOATS(from, T, value)
FROM_FLOAT(f32, float, x)
FROM_FLOAT(f64, double, x)
FROM(i8, int8_t, x)
FROM(i16, int16_t, x)
FROM(i32, int32_t, x)
FROM(i64, int64_t, x)
FROM(u8, uint8_t, x)
FROM(u16, uint16_t, x)
FROM(u32, uint32_t, x)
FROM(u64, uint64_t, x)
FROM_FLOAT(f16, uint16_t, tn__half_to_float(x))
FROM_FLOAT(bf16, uint16_t, tn__bfloat16_to_float(x))

static const tn__unary_loop casts[TN__DTYPES][TN__DTYPES] = {
    [TN_FLOAT32] = ROW(f32),   [TN_FLOAT64] = ROW(f64), [TN_INT8] = ROW(i8),
    [TN_INT16] = ROW(i16),     [TN_INT32] = ROW(i32),   [TN_INT64] = ROW(i64),
    [TN_UINT8] = ROW(u8),      [TN_UINT16] = ROW(u16),  [TN_UINT32] = ROW(u32),
    [TN_UINT64] = ROW(u64),    [TN_BOOL] = ROW(u8),     [TN_FLOAT16] = ROW(f16),
    [TN_BFLOAT16] = ROW(bf16),
};

static void cast_elements(const tn_tensor *x, tn_tensor *y)
{
    casts[x->dtype][y->dtype](x->data, y->data, tn__count(x));
}

tn_status tn__cast_value(tn_tensor *x, tn_dtype dtype, tn_tensor **result)
{
    if (x->dtype == dtype) {
        *result = tn__retain(x);
        return TN_OK;
    }
    TN_TRY(tn__tensor_new(dtype, &x->shape, result));
    cast_elements(x, *result);
    return TN_OK;
}

/* --- Cast ------------------------------------------------------------------------------------- */
typedef struct {
    tn_dtype DstT;
    tn_flag Truncate; /* a float's surplus digits are dropped instead of rounded */
} cast_attrs;
static const tn_field cast_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, cast_attrs, DstT, NULL, NULL),
    TN__ROW(TN_FIELD_FLAG, cast_attrs, Truncate, "false", NULL),
    TN__END_OF_FIELDS,
};

static int digits_of(tn_dtype dtype)
{
    return dtype == TN_FLOAT64    ? 52
           : dtype == TN_FLOAT32  ? 23
           : dtype == TN_FLOAT16  ? 10
           : dtype == TN_BFLOAT16 ? 7
                                  : 0;
}

/* Bits of a float or double that the other type has no room for; float64 to bfloat16 rounds in
 * TensorFlow all the same. */
static int surplus_digits(tn_dtype from, tn_dtype to)
{
    bool rounds = from == TN_FLOAT64 && to == TN_BFLOAT16;
    return (from == TN_FLOAT32 || from == TN_FLOAT64) && digits_of(to) && !rounds
               ? digits_of(from) - digits_of(to)
               : 0;
}

static tn_status truncated(const tn_tensor *x, int surplus, tn_tensor **cut)
{
    TN_TRY(tn__tensor_copy((tn_dtype)x->dtype, &x->shape, x->data, cut));
    uint32_t *single = (*cut)->data;
    uint64_t *two = (*cut)->data;
    for (int64_t i = 0; i < tn__count(x); i++) {
        if (x->dtype == TN_FLOAT32)
            single[i] &= UINT32_MAX << surplus;
        else
            two[i] &= UINT64_MAX << surplus;
    }
    return TN_OK;
}

static tn_status cast_compute(tn__kernel *kernel)
{
    const tn_tensor *x = kernel->input[0];
    tn_tensor *y = kernel->output[0], *cut;
    int surplus = ((const cast_attrs *)kernel->attrs)->Truncate
                      ? surplus_digits((tn_dtype)x->dtype, (tn_dtype)y->dtype)
                      : 0;
    if (surplus <= 0) {
        cast_elements(x, y);
        return TN_OK;
    }
    TN_TRY(truncated(x, surplus, &cut));
    cast_elements(cut, y);
    tn__release(cut);
    return TN_OK;
}

/* Between float types dy is cast back; elsewhere nothing flows. */
static void cast_gradient(tn__gradient *g)
{
    if (tn__in(TN__FLOATS, (tn_dtype)g->in[0]->dtype) &&
        tn__in(TN__FLOATS, (tn_dtype)g->out[0]->dtype))
        g->din[0] = tn__gradient_cast(g->dout[0], (tn_dtype)g->in[0]->dtype);
}

const tn__op tn__op_Cast = {
    .name = "Cast",
    .inputs = "x: SrcT",
    .outputs = "y: DstT",
    .types = "SrcT: any; DstT: any",
    .attrs = cast_fields,
    .attrs_size = sizeof(cast_attrs),
    .infer = tn__infer_same,
    .compute = cast_compute,
    .gradient = cast_gradient,
    .flags = TN__HALF,
};

tn_status tn__dispatch_cast(tn_context *context, tn_tensor *x, tn_dtype dtype, tn_tensor **result)
{
    return tn__dispatch(context, &tn__op_Cast, &(cast_attrs){ dtype, false }, &x, 1, result, 1);
}

tn_tensor *tn_cast(tn_tensor *x, tn_dtype dtype)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(x, "tn_cast: x"))
        return NULL;
    if (!tn__dtype_size(dtype)) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_cast: %d is not a dtype", (int)dtype);
        return NULL;
    }
    if (x->dtype == dtype && !x->weak && x->form != TN__VARIABLE)
        return x;
    return TN__APPLY(tn__op_Cast, &((cast_attrs){ dtype, false }), x);
}

/* --- Bitcast ---------------------------------------------------------------------------------- */
typedef struct {
    tn_dtype type;
} bitcast_attrs;
static const tn_field bitcast_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, bitcast_attrs, type, NULL, NULL),
    TN__END_OF_FIELDS,
};

/* To smaller elements a last dimension appears, to larger ones it goes. */
static tn_status bitcast_infer(tn__infer *infer)
{
    const tn_tensor *x = infer->input[0];
    tn_shape *out = &infer->output[0].shape;
    int64_t from = (int64_t)tn__dtype_size((tn_dtype)x->dtype),
            to = (int64_t)tn__dtype_size(infer->output[0].dtype);
    *out = x->shape;
    if (!out->known || from == to)
        return TN_OK;
    if (from > to && out->rank < TN_MAX_RANK) {
        out->dims[out->rank++] = from / to;
        return TN_OK;
    }
    if (from < to && out->rank > 0 &&
        (out->dims[out->rank - 1] == to / from || out->dims[out->rank - 1] < 0)) {
        out->rank--;
        return TN_OK;
    }
    return tn__fail(
        TN_INVALID_ARGUMENT,
        "Cannot bitcast from %lld to %lld\nBitcast: x is %s, %s wants a last dimension of %lld",
        (long long)to, (long long)(out->rank ? out->dims[out->rank - 1] : 0), TN__TENSOR(x),
        tn__dtype_name(infer->output[0].dtype), (long long)(to / from));
}

static tn_status bitcast_compute(tn__kernel *kernel)
{
    if (tn__byte_count(kernel->output[0]))
        memcpy(kernel->output[0]->data, kernel->input[0]->data, tn__byte_count(kernel->output[0]));
    return TN_OK;
}

const tn__op tn__op_Bitcast = {
    .name = "Bitcast",
    .inputs = "input: T",
    .outputs = "output: type",
    .types = "T: number; type: number",
    .attrs = bitcast_fields,
    .attrs_size = sizeof(bitcast_attrs),
    .infer = bitcast_infer,
    .compute = bitcast_compute,
    .no_gradient = "not differentiable: bits",
    .flags = TN__HALF,
};

tn_tensor *tn_bitcast(tn_tensor *x, tn_dtype type)
{
    return TN__APPLY(tn__op_Bitcast, &(bitcast_attrs){ type }, x);
}
