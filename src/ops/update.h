/* update.h - a step of an optimizer, described element by element and made of all its variables in
 * one pass. */
#ifndef TN_OPS_UPDATE_H
#define TN_OPS_UPDATE_H
#include "kernels/kernels.h"
#include "runtime/op.h"

/* Operands: the gradient, the variable, its slots, numbers that are the same for all variables;
 * from TN__RESULT on the results of the steps before. */
enum { TN__G, TN__W, TN__SLOT };
enum {
    TN__RULE_SLOTS = 3,
    TN__RULE_NUMBERS = 8,
    TN__RULE_STEPS = 20,
    TN__RESULT = TN__CHAIN_INPUTS
};
typedef struct {
    uint8_t function, a, b; /* b = a where there is one operand only */
    uint8_t to; /* the variable or slot whose new value the result is; 0: none. No later step takes
                   the old one */
} tn__rule_step;
typedef struct {
    bool adam; /* the kernel of Adam does all of it; its numbers are rest_1, rest_2, alpha, epsilon
                */
    uint8_t slots, numbers, steps;
    tn__rule_step step[TN__RULE_STEPS];
} tn__rule;

/* Takes the rule's numbers, then of each variable itself, its slots and its gradient; all of
 * float32, the gradient of the variable's shape, and no variable twice. The attributes are the
 * rule. All variables change in one step, or none when it fails. */
extern const tn__op tn__op_FusedUpdate;

#endif
