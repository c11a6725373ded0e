/* activations.c - Keras's activation functions, in ops. */
#include "nn/activations.h"
#include "nn/object.h"
#include "ops/ops.h"
#include <math.h>

#define ACTIVATION(name_, function, ...)                                                 \
    static const tn__activation_methods name_##_methods = { function };                  \
    const tn__object_class tn__activation_##name_ = {                                    \
        .kind = TN__ACTIVATION, .name = #name_, .methods = &name_##_methods, __VA_ARGS__ \
    };
/* A function of one element, without arguments; x is it. */
#define PLAIN(name_, expression, ...)                            \
    static tn_tensor *name_##_of(const void *self, tn_tensor *x) \
    {                                                            \
        (void)self;                                              \
        return expression;                                       \
    }                                                            \
    ACTIVATION(name_, name_##_of, __VA_ARGS__)
/* One number as argument; a is it. */
typedef struct {
    double value;
} one_number;
#define NUMBER(name_, argument, default_, expression, ...)       \
    static const tn_field name_##_fields[] = {                   \
        { .kind = TN_FIELD_FLOAT,                                \
          .name = #argument,                                     \
          .offset = offsetof(one_number, value),                 \
          .fallback = default_ },                                \
        TN__END_OF_FIELDS,                                       \
    };                                                           \
    static tn_tensor *name_##_of(const void *self, tn_tensor *x) \
    {                                                            \
        const double a = ((const one_number *)self)->value;      \
        return expression;                                       \
    }                                                            \
    ACTIVATION(name_, name_##_of, .fields = name_##_fields, .size = sizeof(one_number), __VA_ARGS__)
/* Keras 2 has no such function. */
#define NOT_IN_KERAS_2 .keras2_name = ""

static tn_tensor *times(double a, tn_tensor *x)
{
    return tn_multiply(x, tn__like(x, a));
}

static tn_tensor *plus(tn_tensor *x, double a)
{
    return tn_add(x, tn__like(x, a));
}

static tn_tensor *clip(tn_tensor *x, double low, double high)
{
    return tn_clip_by_value(x, tn__like(x, low), tn__like(x, high));
}

static tn_tensor *if_above(tn_tensor *x, double a, tn_tensor *yes, tn_tensor *no)
{
    return tn_where(tn_greater(x, tn__like(x, a)), yes, no);
}

static tn_tensor *if_below(tn_tensor *x, double a, tn_tensor *yes, tn_tensor *no)
{
    return tn_where(tn_less(x, tn__like(x, a)), yes, no);
}

/* --- relu and its kin ------------------------------------------------------------------------- */
/* What stays above the threshold, cut at the maximum. */
static tn_tensor *positive_part(tn_tensor *x, double max_value, double threshold)
{
    tn_tensor *y;
    if (threshold != 0)
        y = if_above(x, threshold, x, tn__like(x, 0));
    else if (max_value == 6)
        return tn_nn_relu6(x);
    else
        y = tn_nn_relu(x);
    return isnan(max_value) ? y : clip(y, 0, max_value);
}

tn_tensor *tn__relu(tn_tensor *x, double negative_slope, double max_value, double threshold)
{
    if (negative_slope == 0)
        return positive_part(x, max_value, threshold);
    if (isnan(max_value) && threshold == 0)
        return tn_nn_leaky_relu(x, .alpha = negative_slope);
    tn_tensor *below =
        tn_nn_relu(threshold == 0 ? tn_negative(x) : plus(tn_negative(x), threshold));
    return tn_subtract(positive_part(x, max_value, threshold), times(negative_slope, below));
}

typedef struct {
    double negative_slope, max_value, threshold;
} relu_arguments;
static const tn_field relu_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, relu_arguments, negative_slope, "0", NULL),
    TN__ROW(TN_FIELD_FLOAT, relu_arguments, max_value, "none", NULL),
    TN__ROW(TN_FIELD_FLOAT, relu_arguments, threshold, "0", NULL),
    TN__END_OF_FIELDS,
};
static tn_tensor *relu_of(const void *self, tn_tensor *x)
{
    const relu_arguments *r = self;
    return tn__relu(x, r->negative_slope, r->max_value, r->threshold);
}
ACTIVATION(relu, relu_of, .fields = relu_fields, .size = sizeof(relu_arguments))

/* elu(x) = x above 0, alpha (eˣ - 1) below */
tn_tensor *tn__elu(tn_tensor *x, double alpha)
{
    tn_tensor *y = tn_nn_elu(x);
    return alpha == 1 ? y : if_above(x, 0, y, times(alpha, y));
}

/* celu(x) = x above 0, alpha (e^(x/alpha) - 1) below */
static tn_tensor *celu(tn_tensor *x, double alpha)
{
    tn_tensor *zero = tn__like(x, 0), *below = tn_divide(tn_minimum(x, zero), tn__like(x, alpha));
    return tn_add(tn_maximum(x, zero), times(alpha, tn_expm1(below)));
}

NUMBER(leaky_relu, negative_slope, "0.2", tn_nn_leaky_relu(x, .alpha = a))
PLAIN(relu6, tn_nn_relu6(x))
NUMBER(elu, alpha, "1", tn__elu(x, a))
NUMBER(celu, alpha, "1", celu(x, a), NOT_IN_KERAS_2)
PLAIN(selu, tn_nn_selu(x))
PLAIN(linear, x)

/* --- sigmoids --------------------------------------------------------------------------------- */
/* relu6(x + 3) / 6 */
static tn_tensor *hard_sigmoid(tn_tensor *x)
{
    return tn_divide(tn_nn_relu6(plus(x, 3)), tn__like(x, 6));
}

/* 0 up to -1, (x + 1) / 2, 1 from 1 on */
static tn_tensor *sparse_sigmoid(tn_tensor *x)
{
    tn_tensor *one = tn__like(x, 1), *middle = times(0.5, tn_add(x, one));
    return tn_where(tn_less_equal(x, tn__like(x, -1)), tn__like(x, 0),
                    tn_where(tn_greater_equal(x, one), one, middle));
}

PLAIN(sigmoid, tn_sigmoid(x))
PLAIN(tanh, tn_tanh(x))
PLAIN(log_sigmoid, tn_log_sigmoid(x), NOT_IN_KERAS_2)
PLAIN(hard_sigmoid, hard_sigmoid(x), NOT_IN_KERAS_2)
/* Keras 2 means another function by the name. */
PLAIN(hard_sigmoid_keras2, clip(plus(times(0.2, x), 0.5), 0, 1), .keras2_name = "hard_sigmoid",
      .only_keras2 = true)
PLAIN(hard_silu, tn_multiply(x, hard_sigmoid(x)), .aliases = "hard_swish", NOT_IN_KERAS_2)
PLAIN(hard_tanh, clip(x, -1, 1), NOT_IN_KERAS_2)
PLAIN(sparse_sigmoid, sparse_sigmoid(x), NOT_IN_KERAS_2)
PLAIN(silu, tn_nn_silu(x), .aliases = "swish", .keras2_name = "swish")
PLAIN(mish, tn_multiply(x, tn_tanh(tn_softplus(x))))

/* --- smooth ones ------------------------------------------------------------------------------ */
typedef struct {
    bool approximate;
} gelu_arguments;
static const tn_field gelu_fields[] = {
    TN__ROW(TN_FIELD_BOOL, gelu_arguments, approximate, "false", NULL),
    TN__END_OF_FIELDS,
};
static tn_tensor *gelu_of(const void *self, tn_tensor *x)
{
    return tn_nn_gelu(x, .approximate = ((const gelu_arguments *)self)->approximate);
}
ACTIVATION(gelu, gelu_of, .fields = gelu_fields, .size = sizeof(gelu_arguments))

/* (x + sqrt(x² + b)) / 2 */
static tn_tensor *squareplus(tn_tensor *x, double b)
{
    return tn_divide(tn_add(x, tn_sqrt(plus(tn_square(x), b))), tn__like(x, 2));
}

/* 0 below -1, (x + 1)² / 4 up to 1, x above */
static tn_tensor *sparse_plus(tn_tensor *x)
{
    tn_tensor *middle = times(0.25, tn_square(plus(x, 1)));
    return tn_where(tn_less_equal(x, tn__like(x, -1)), tn__like(x, 0), if_below(x, 1, middle, x));
}

PLAIN(exponential, tn_exp(x))
PLAIN(softplus, tn_softplus(x))
PLAIN(softsign, tn_nn_softsign(x))
NUMBER(squareplus, b, "4", squareplus(x, a), NOT_IN_KERAS_2)
PLAIN(sparse_plus, sparse_plus(x), NOT_IN_KERAS_2)

/* --- shrinking -------------------------------------------------------------------------------- */
static tn_tensor *soft_shrink(tn_tensor *x, double threshold)
{
    return if_above(x, threshold, plus(x, -threshold),
                    if_below(x, -threshold, plus(x, threshold), tn__like(x, 0)));
}

PLAIN(tanh_shrink, tn_subtract(x, tn_tanh(x)), NOT_IN_KERAS_2)
NUMBER(soft_shrink, threshold, "0.5", soft_shrink(x, a), NOT_IN_KERAS_2)
NUMBER(hard_shrink, threshold, "0.5", if_above(tn_abs(x), a, x, tn__like(x, 0)), NOT_IN_KERAS_2)

typedef struct {
    double threshold, default_value;
} threshold_arguments;
static const tn_field threshold_fields[] = {
    TN__ROW(TN_FIELD_FLOAT, threshold_arguments, threshold, "none", NULL),
    TN__ROW(TN_FIELD_FLOAT, threshold_arguments, default_value, "none", NULL),
    TN__END_OF_FIELDS,
};
static tn_tensor *threshold_of(const void *self, tn_tensor *x)
{
    const threshold_arguments *t = self;
    if (isnan(t->threshold) || isnan(t->default_value)) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "threshold() needs both of its arguments\nwritten like threshold(0.5, 0)");
        return NULL;
    }
    return if_above(x, t->threshold, x, tn__like(x, t->default_value));
}
ACTIVATION(threshold, threshold_of, .fields = threshold_fields, .size = sizeof(threshold_arguments),
           NOT_IN_KERAS_2)

/* --- along axes ------------------------------------------------------------------------------- */
typedef struct {
    tn_axes axis;
} axis_arguments;
static const tn_field axis_fields[] = {
    TN__ROW(TN_FIELD_AXES, axis_arguments, axis, "-1", NULL),
    TN__END_OF_FIELDS,
};

tn_tensor *tn__softmax(tn_tensor *x, tn_axes axes)
{
    return axes.count == 1
               ? tn_nn_softmax(x, axes.axis[0])
               : tn_exp(tn_subtract(x, tn_reduce_logsumexp(x, .axis = axes, .keepdims = true)));
}

static tn_tensor *softmax_of(const void *self, tn_tensor *x)
{
    return tn__softmax(x, ((const axis_arguments *)self)->axis);
}
ACTIVATION(softmax, softmax_of, .fields = axis_fields, .size = sizeof(axis_arguments))

static tn_tensor *log_softmax_of(const void *self, tn_tensor *x)
{
    tn_axes axes = ((const axis_arguments *)self)->axis;
    return axes.count == 1 ? tn_nn_log_softmax(x, axes.axis[0])
                           : tn_subtract(x, tn_reduce_logsumexp(x, .axis = axes, .keepdims = true));
}
ACTIVATION(log_softmax, log_softmax_of, .fields = axis_fields, .size = sizeof(axis_arguments))

typedef struct {
    int axis;
} one_axis;
static const tn_field one_axis_fields[] = {
    TN__ROW(TN_FIELD_AXIS, one_axis, axis, "-1", NULL),
    TN__END_OF_FIELDS,
};

/* a sigmoid(b), of the two halves of x */
static tn_tensor *glu_of(const void *self, tn_tensor *x)
{
    int axis = ((const one_axis *)self)->axis;
    tn_list halves = tn_split(x, 2, axis);
    return tn_multiply(tn_at(halves, 0), tn_sigmoid(tn_at(halves, 1)));
}
ACTIVATION(glu, glu_of, .fields = one_axis_fields, .size = sizeof(one_axis), NOT_IN_KERAS_2)

/* --- sparsemax -----------------------------------------------------------------------------------
 */
/* The axes with one of them last, and where each of them was. */
static tn_axes with_last(int axis, int rank)
{
    tn_axes order = { .count = rank };
    for (int i = 0, at = 0; i < rank; i++)
        if (i != axis)
            order.axis[at++] = i;
    order.axis[rank - 1] = axis;
    return order;
}

static tn_axes undone(tn_axes order)
{
    tn_axes back = { .count = order.count };
    for (int i = 0; i < order.count; i++)
        back.axis[order.axis[i]] = i;
    return back;
}

/* 1, 2, 3, … n */
static tn_tensor *counted(tn_dtype dtype, int64_t n)
{
    tn_shape shape = TN_SHAPE(n);
    tn_tensor *x = tn__tensor_fill(dtype, &shape, 0);
    for (int64_t i = 0; x && i < n; i++)
        tn__element_from_double(dtype, (double)(i + 1),
                                (char *)x->data + (size_t)i * tn__dtype_size(dtype));
    return tn__own(x);
}

/* max(x - tau, 0) along the last axis. tau: from the running sums of the greatest elements that are
 * above their own threshold, all of them added up as Keras does. */
static tn_tensor *sparsemax_last(tn_tensor *x, int64_t n)
{
    if (!x)
        return NULL;
    tn_dtype dtype = (tn_dtype)x->dtype;
    tn_tensor *sorted = tn_at(tn_top_k(x, n), 0), *one = tn__like(x, 1), *zero = tn__like(x, 0);
    tn_tensor *sums = tn_cumsum(sorted, -1);
    tn_tensor *thresholds = tn_divide(tn_subtract(sums, one), counted(dtype, n));
    tn_tensor *support = tn_greater(tn_subtract(sorted, thresholds), zero);
    tn_tensor *k = tn_reduce_sum(tn_cast(support, dtype), .axis = TN_AXES(-1), .keepdims = true);
    tn_tensor *total =
        tn_reduce_sum(tn_where(support, sums, zero), .axis = TN_AXES(-1), .keepdims = true);
    return tn_maximum(tn_subtract(x, tn_divide(tn_subtract(total, one), k)), zero);
}

static tn_tensor *sparsemax_of(const void *self, tn_tensor *x)
{
    int axis;
    if (!x->shape.known || !tn__axis(((const one_axis *)self)->axis, x->shape.rank, &axis) ||
        x->shape.dims[axis] < 0) {
        tn__fail(TN_INVALID_ARGUMENT, "sparsemax needs a known size along axis %d, got %s",
                 ((const one_axis *)self)->axis, TN__SHAPE(x->shape));
        return NULL;
    }
    int64_t n = x->shape.dims[axis];
    if (axis == x->shape.rank - 1)
        return sparsemax_last(x, n);
    tn_axes order = with_last(axis, x->shape.rank);
    return tn_transpose(sparsemax_last(tn_transpose(x, order), n), undone(order));
}
ACTIVATION(sparsemax, sparsemax_of, .fields = one_axis_fields, .size = sizeof(one_axis),
           NOT_IN_KERAS_2)
