/* rule.h - a step of one variable, put together element by element: the op of ops/update.h makes it
 * of many variables, or ops make it of one. */
#ifndef TN_TRAIN_RULE_H
#define TN_TRAIN_RULE_H
#include "ops/ops.h"
#include "ops/update.h"

typedef uint8_t tn__operand;
typedef struct {
    tn__rule rule;
    tn__operand w;        /* what the step takes for the variable: it, or it less its decay */
    tn_tensor *lr, *step; /* the learning rate and iterations + 1, of the variables' dtype */
    tn_variable *own;     /* see begin of tn__optimizer_methods; else NULL */
    tn_tensor *number[TN__RULE_NUMBERS];
} tn__update;

/* The rule's step of one variable, op by op: of any float type, and of gradients that are sums of
 * rows. A failure is a kept error. */
void tn__update_in_ops(const tn__update *update, tn_tensor *gradient, tn_variable *variable,
                       tn_variable *const *slot);

static inline tn__operand tn__slot_of(int i)
{
    return (tn__operand)(TN__SLOT + i);
}
static inline tn__operand tn__number(tn__update *u, tn_tensor *number)
{
    u->number[u->rule.numbers] = number;
    return (tn__operand)(TN__SLOT + u->rule.slots + u->rule.numbers++);
}
static inline tn__operand tn__constant_number(tn__update *u, double value)
{
    return tn__number(u, tn__like(u->lr, value));
}
static inline tn__operand tn__does(tn__update *u, tn__function function, tn__operand a,
                                   tn__operand b)
{
    u->rule.step[u->rule.steps] = (tn__rule_step){ (uint8_t)function, a, b, 0 };
    return (tn__operand)(TN__RESULT + u->rule.steps++);
}
static inline tn__operand tn__plus(tn__update *u, tn__operand a, tn__operand b)
{
    return tn__does(u, TN__DO_ADD, a, b);
}
static inline tn__operand tn__minus(tn__update *u, tn__operand a, tn__operand b)
{
    return tn__does(u, TN__DO_SUBTRACT, a, b);
}
static inline tn__operand tn__times(tn__update *u, tn__operand a, tn__operand b)
{
    return tn__does(u, TN__DO_MULTIPLY, a, b);
}
static inline tn__operand tn__over(tn__update *u, tn__operand a, tn__operand b)
{
    return tn__does(u, TN__DO_DIVIDE, a, b);
}
static inline tn__operand tn__squared(tn__update *u, tn__operand a)
{
    return tn__does(u, TN__DO_SQUARE, a, a);
}
/* √(x + ε) */
static inline tn__operand tn__root(tn__update *u, tn__operand a)
{
    return tn__does(u, TN__DO_SQRT, a, a);
}
/* to = x, a result */
static inline tn__operand tn__becomes(tn__update *u, tn__operand to, tn__operand x)
{
    u->rule.step[x - TN__RESULT].to = to;
    return x;
}
/* to += (x - to) part */
static inline tn__operand tn__goes_to(tn__update *u, tn__operand to, tn__operand x,
                                      tn__operand part)
{
    return tn__becomes(u, to, tn__plus(u, to, tn__times(u, tn__minus(u, x, to), part)));
}
/* w -= x */
static inline void tn__moves_by(tn__update *u, tn__operand x)
{
    tn__becomes(u, TN__W, tn__minus(u, u->w, x));
}

#endif
