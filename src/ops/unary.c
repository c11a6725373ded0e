/* unary.c - functions of one element. */
#include "ops/elementwise.h"

/* dx = -dy */
static void neg_gradient(tn__gradient *g)
{
    g->din[0] = tn_negative(g->dout[0]);
}

/* dx = 2 x dy */
static void square_gradient(tn__gradient *g)
{
    g->din[0] = tn_multiply(g->dout[0], tn_multiply(g->in[0], tn__like(g->in[0], 2)));
}

/* dx = dy y */
static void exp_gradient(tn__gradient *g)
{
    g->din[0] = tn_multiply(g->dout[0], g->out[0]);
}

/* dx = dy / x */
static void log_gradient(tn__gradient *g)
{
    g->din[0] = tn_divide(g->dout[0], g->in[0]);
}

/* dx = dy / (2 y) */
static void sqrt_gradient(tn__gradient *g)
{
    g->din[0] = tn_divide(tn_multiply(g->dout[0], tn__like(g->out[0], 0.5)), g->out[0]);
}

/* dx = dy (1 - y²) */
static void tanh_gradient(tn__gradient *g)
{
    g->din[0] = tn_multiply(g->dout[0], tn__one_minus(tn_square(g->out[0])));
}

/* dx = dy y (1 - y) */
static void sigmoid_gradient(tn__gradient *g)
{
    g->din[0] = tn_multiply(g->dout[0], tn_multiply(g->out[0], tn__one_minus(g->out[0])));
}

/* dx = dy where x > 0 */
static void relu_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_ReluGrad, NULL, g->dout[0], g->out[0]);
}

UNARY(Neg, "number", NUMBERS, -x, .gradient = neg_gradient)
UNARY(Square, "number", NUMBERS, x * x, .gradient = square_gradient)
UNARY(Exp, "floating", FLOATS, exp(x), .gradient = exp_gradient)
UNARY(Log, "floating", FLOATS, log(x), .gradient = log_gradient)
UNARY(Sqrt, "floating", FLOATS, sqrt(x), .gradient = sqrt_gradient)
UNARY(Tanh, "floating", FLOATS, tanh(x), .gradient = tanh_gradient)
UNARY(Sigmoid, "floating", FLOATS, 1 / (1 + exp(-x)), .gradient = sigmoid_gradient)
UNARY(Relu, "number", NUMBERS, x < 0 ? 0 : x, .gradient = relu_gradient)
UNARY(Abs, "number", NUMBERS, x < 0 ? -x : x, .no_gradient = "placeholder")

#define WRAPPER(function, op) \
    tn_tensor *function(tn_tensor *x) \
    { \
        return TN__APPLY(tn__op_##op, NULL, x); \
    }
WRAPPER(tn_negative, Neg)
WRAPPER(tn_square, Square)
WRAPPER(tn_exp, Exp)
WRAPPER(tn_log, Log)
WRAPPER(tn_sqrt, Sqrt)
WRAPPER(tn_tanh, Tanh)
WRAPPER(tn_sigmoid, Sigmoid)
WRAPPER(tn_nn_relu, Relu)
WRAPPER(tn_abs, Abs)
