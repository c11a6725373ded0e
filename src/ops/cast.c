/* cast.c - from one dtype to another. */
#include "ops/elementwise.h"
#include <string.h>

typedef struct {
    tn_dtype DstT;
} cast_attrs;
static const tn_field cast_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, cast_attrs, DstT, NULL, NULL),
    TN__END_OF_FIELDS,
};

#define CAST_LOOP(T, U) \
    { \
        const T *a = x->data; \
        U *b = y->data; \
        for (int64_t i = 0; i < n; i++) \
            b[i] = (U)a[i]; \
        return; \
    }

/* Every pair, through double or int64; the pairs that training uses are plain loops. */
static void cast_elements(const tn_tensor *x, tn_tensor *y)
{
    int64_t n = tn__count(x);
    if ((x->dtype == TN_UINT8 || x->dtype == TN_BOOL) && y->dtype == TN_FLOAT32)
        CAST_LOOP(uint8_t, float)
    if (x->dtype == TN_FLOAT64 && y->dtype == TN_FLOAT32)
        CAST_LOOP(double, float)
    if (x->dtype == TN_FLOAT32 && y->dtype == TN_FLOAT64)
        CAST_LOOP(float, double)
    if (x->dtype == TN_INT32 && y->dtype == TN_FLOAT32)
        CAST_LOOP(int32_t, float)
    if (x->dtype == TN_INT64 && y->dtype == TN_FLOAT32)
        CAST_LOOP(int64_t, float)
    bool whole = !tn__in(TN__FLOATS, (tn_dtype)x->dtype);
    size_t size = tn__dtype_size((tn_dtype)y->dtype);
    for (int64_t i = 0; i < n; i++) {
        void *place = (char *)y->data + (size_t)i * size;
        if (whole)
            tn__element_from_int((tn_dtype)y->dtype, tn__int_at(x, i), place);
        else
            tn__element_from_double((tn_dtype)y->dtype, tn__double_at(x, i), place);
    }
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

static tn_status cast_compute(tn__kernel *kernel)
{
    cast_elements(kernel->input[0], kernel->output[0]);
    return TN_OK;
}

/* Between float types the gradient is cast back. */
static void cast_gradient(tn__gradient *g)
{
    if (tn__in(TN__FLOATS, (tn_dtype)g->in[0]->dtype) && tn__in(TN__FLOATS, (tn_dtype)g->out[0]->dtype))
        g->din[0] = tn_cast(g->dout[0], (tn_dtype)g->in[0]->dtype);
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
    return TN__APPLY(tn__op_Cast, &(cast_attrs){ dtype }, x);
}
