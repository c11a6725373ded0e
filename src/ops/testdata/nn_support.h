/* nn_support.h - the sequences that make_nn_cases.py gives to TensorFlow, and comparing with what
 * came back. For tests, after support/check_op.h. */
#ifndef TN_OPS_NN_SUPPORT_H
#define TN_OPS_NN_SUPPORT_H
#include "ops/testdata/nn_cases.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define CHECK_CASE(got, array) check_values((got), (array), COUNT(array), 1e-5, __FILE__, __LINE__)

/* The call gives NULL and this message. */
#define REFUSED(call, text) REFUSED_AS(TN_INVALID_ARGUMENT, call, text)
#define REFUSED_AS(kind, call, text) \
    do {                             \
        assert_null(call);           \
        CHECK_ERROR((kind), (text)); \
    } while (0)

static inline tn_tensor *sequence(tn_shape shape, double factor, double offset)
{
    tn_tensor *x;
    CHECK_OK(tn__tensor_new(TN_FLOAT32, &shape, &x));
    for (int64_t i = 0; i < tn__count(x); i++)
        ((float *)x->data)[i] = (float)((double)(i * 7 % 11) * factor + offset);
    return tn__own(x);
}

static inline tn_tensor *image(tn_shape shape)
{
    return sequence(shape, 0.5, -2);
}

static inline tn_tensor *weights(tn_shape shape)
{
    return sequence(shape, 0.25, -1);
}

static inline tn_tensor *cotangent(tn_tensor *y)
{
    return sequence(tn_shape_of(y), 0.1, -0.5);
}

static inline tn_tensor *zeros(tn_shape shape)
{
    return tn_zeros(shape, TN_FLOAT32);
}

/* y, dx and dw of name_y, name_dx and name_dw. */
#define CHECK_CONVOLUTION(op, attrs, x, w, name)                                            \
    do {                                                                                    \
        const tn__conv_family *family = (op).family;                                        \
        tn_tensor *x_ = (x), *w_ = (w), *y_ = TN__APPLY(*family->forward, (attrs), x_, w_); \
        tn_tensor *dy_ = cotangent(y_);                                                     \
        CHECK_CASE(y_, name##_y);                                                           \
        CHECK_CASE(TN__APPLY(*family->to_input, (attrs), tn_shape_tensor(x_), w_, dy_),     \
                   name##_dx);                                                              \
        CHECK_CASE(TN__APPLY(*family->to_filter, (attrs), x_, tn_shape_tensor(w_), dy_),    \
                   name##_dw);                                                              \
    } while (0)

#endif
