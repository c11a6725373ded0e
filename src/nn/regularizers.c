/* regularizers.c - penalties on weights: numbers that are added to the loss. */
#include "nn/object.h"
#include "ops/ops.h"
#include <string.h>

#define REGULARIZER(name_, penalty_, ...)                                                 \
    static const tn__regularizer_methods name_##_methods = { penalty_ };                  \
    const tn__object_class tn__regularizer_##name_ = {                                    \
        .kind = TN__REGULARIZER, .name = #name_, .methods = &name_##_methods, __VA_ARGS__ \
    };

typedef struct {
    double l1, l2;
} penalties;

static tn_tensor *times(double factor, tn_tensor *x)
{
    return tn_multiply(tn__like(x, factor), x);
}

/* l1 Σ|x| */
static tn_tensor *absolute(const penalties *p, tn_tensor *x)
{
    return times(p->l1, tn_reduce_sum(tn_abs(x)));
}

/* l2 Σx² */
static tn_tensor *squared(const penalties *p, tn_tensor *x)
{
    return times(p->l2, tn_reduce_sum(tn_square(x)));
}

static tn_tensor *l1_of(const void *self, tn_tensor *x)
{
    return absolute(self, x);
}
static const tn_field l1_fields[] = { TN__ROW(TN_FIELD_FLOAT, penalties, l1, "0.01", ">= 0"),
                                      TN__END_OF_FIELDS };
REGULARIZER(L1, l1_of, .fields = l1_fields, .size = sizeof(penalties))

static tn_tensor *l2_of(const void *self, tn_tensor *x)
{
    return squared(self, x);
}
static const tn_field l2_fields[] = { TN__ROW(TN_FIELD_FLOAT, penalties, l2, "0.01", ">= 0"),
                                      TN__END_OF_FIELDS };
REGULARIZER(L2, l2_of, .fields = l2_fields, .size = sizeof(penalties))

static tn_tensor *l1l2_of(const void *self, tn_tensor *x)
{
    const penalties *p = self;
    if (p->l1 == 0 && p->l2 == 0)
        return tn__like(x, 0);
    if (p->l1 == 0 || p->l2 == 0)
        return p->l1 == 0 ? squared(p, x) : absolute(p, x);
    return tn_add(absolute(p, x), squared(p, x));
}
static const tn_field l1l2_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, penalties, l1, "0", ">= 0"),
    TN__ROW(TN_FIELD_FLOAT, penalties, l2, "0", ">= 0"),
    TN__END_OF_FIELDS,
};
REGULARIZER(L1L2, l1l2_of, .aliases = "l1_l2|WeightRegularizer|L1L2Regularizer",
            .fields = l1l2_fields, .size = sizeof(penalties))

/* --- OrthogonalRegularizer -----------------------------------------------------------------------
 */
typedef struct {
    double factor;
    const char *mode;
} orthogonal;
static const tn_field orthogonal_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, orthogonal, factor, "0.01", ">= 0"),
    TN__ROW(TN_FIELD_STRING, orthogonal, mode, "rows", "rows|columns"),
    TN__END_OF_FIELDS,
};

/* Rows, or columns, of length 1; those near 0 stay as they are times 1e7. */
static tn_tensor *unit_length(tn_tensor *x, int axis)
{
    tn_tensor *squares = tn_reduce_sum(tn_square(x), .axis = TN_AXES(axis), .keepdims = true);
    return tn_multiply(x, tn_minimum(tn_rsqrt(squares), tn__like(x, 1e7)));
}

/* Ones but on the diagonal. */
static tn_tensor *all_pairs(tn_dtype dtype, int64_t n)
{
    tn_shape shape = TN_SHAPE(n, n);
    tn_tensor *x = tn__tensor_fill(dtype, &shape, 1);
    for (int64_t i = 0; x && i < n; i++)
        tn__element_from_double(dtype, 0,
                                (char *)x->data + (size_t)(i * (n + 1)) * tn__dtype_size(dtype));
    return tn__own(x);
}

/* The mean of |a · b| over pairs of rows or columns, times factor */
static tn_tensor *orthogonal_of(const void *self, tn_tensor *x)
{
    const orthogonal *o = self;
    bool rows = strcmp(o->mode, "rows") == 0;
    if (x->shape.rank != 2 || !tn__shape_full(&x->shape)) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape=%s",
                 TN__SHAPE(x->shape));
        return NULL;
    }
    double n = (double)x->shape.dims[!rows];
    tn_tensor *unit = unit_length(x, rows);
    tn_tensor *products = rows ? tn_matmul(unit, unit, .transpose_b = true)
                               : tn_matmul(unit, unit, .transpose_a = true);
    products = tn_multiply(products, all_pairs((tn_dtype)x->dtype, x->shape.dims[!rows]));
    return times(o->factor * 0.5 / (n * (n - 1) / 2), tn_reduce_sum(tn_abs(products)));
}
REGULARIZER(OrthogonalRegularizer, orthogonal_of, .fields = orthogonal_fields,
            .size = sizeof(orthogonal))
