/* binary.c - functions of two elements, broadcast. */
#include "ops/elementwise.h"

/* z = x + y:  dx = dz, dy = dz */
static void add_gradient(tn__gradient *g)
{
    g->din[0] = tn__sum_to(g->dout[0], g->in[0], g->in[1]);
    g->din[1] = tn__sum_to(g->dout[0], g->in[1], g->in[0]);
}

/* z = x - y:  dx = dz, dy = -dz */
static void sub_gradient(tn__gradient *g)
{
    g->din[0] = tn__sum_to(g->dout[0], g->in[0], g->in[1]);
    if (g->wanted[1])
        g->din[1] = tn__sum_to(tn_negative(g->dout[0]), g->in[1], g->in[0]);
}

/* z = x y:  dx = dz y, dy = dz x */
static void mul_gradient(tn__gradient *g)
{
    if (g->wanted[0])
        g->din[0] = tn__sum_to(tn_multiply(g->dout[0], g->in[1]), g->in[0], g->in[1]);
    if (g->wanted[1])
        g->din[1] = tn__sum_to(tn_multiply(g->dout[0], g->in[0]), g->in[1], g->in[0]);
}

/* z = x / y:  dx = dz / y, dy = -dz x / y² */
static void div_gradient(tn__gradient *g)
{
    if (g->wanted[0])
        g->din[0] = tn__sum_to(tn_divide(g->dout[0], g->in[1]), g->in[0], g->in[1]);
    if (g->wanted[1])
        g->din[1] = tn__sum_to(tn_multiply(g->dout[0], tn_divide(tn_divide(tn_negative(g->in[0]), g->in[1]), g->in[1])), g->in[1], g->in[0]);
}

/* dx = dy where x > 0:  with respect to dy it is itself, with respect to x nothing */
static void relu_grad_gradient(tn__gradient *g)
{
    g->din[0] = TN__APPLY(tn__op_ReluGrad, NULL, g->dout[0], g->in[1]);
}

BINARY(AddV2, "number", NUMBERS, x + y, .outputs = "z: T", .gradient = add_gradient, .flags = TN__COMMUTES)
BINARY(Sub, "number", NUMBERS, x - y, .outputs = "z: T", .gradient = sub_gradient)
BINARY(Mul, "number", NUMBERS, x * y, .outputs = "z: T", .gradient = mul_gradient, .flags = TN__COMMUTES)
BINARY(RealDiv, "floating", FLOATS, x / y, .outputs = "z: T", .gradient = div_gradient)
BINARY(ReluGrad, "number", NUMBERS, y > 0 ? x : 0, .outputs = "z: T", .gradient = relu_grad_gradient)

#define WRAPPER(function, op) \
    tn_tensor *function(tn_tensor *x, tn_tensor *y) \
    { \
        return TN__APPLY(tn__op_##op, NULL, x, y); \
    }
WRAPPER(tn_add, AddV2)
WRAPPER(tn_subtract, Sub)
WRAPPER(tn_multiply, Mul)
WRAPPER(tn_divide, RealDiv)
