/* rule.c - a rule's step of one variable, op by op. */
#include "train/rule.h"
#include "ops/slices.h"

static tn_tensor *result_of(int function, tn_tensor *a, tn_tensor *b)
{
    switch (function) {
    case TN__DO_ADD:
        return tn_add(a, b);
    case TN__DO_SUBTRACT:
        return tn_subtract(a, b);
    case TN__DO_MULTIPLY:
        return tn_multiply(a, b);
    case TN__DO_DIVIDE:
        return tn_divide(a, b);
    case TN__DO_MAXIMUM:
        return tn_maximum(a, b);
    case TN__DO_SQUARE:
        return tn__gradient_square(a);
    case TN__DO_ABS:
        return tn__gradient_abs(a);
    case TN__DO_SIGN:
        return tn_sign(a);
    default:
        return tn_sqrt(a);
    }
}

void tn__update_in_ops(const tn__update *u, tn_tensor *gradient, tn_variable *variable,
                       tn_variable *const *slot)
{
    const tn__rule *rule = &u->rule;
    tn_tensor *value[TN__RESULT + TN__RULE_STEPS] = { gradient, variable };
    for (int i = 0; i < rule->slots; i++)
        value[TN__SLOT + i] = slot[i];
    for (int i = 0; i < rule->numbers; i++)
        value[TN__SLOT + rule->slots + i] = u->number[i];
    for (int i = 0; i < rule->steps; i++) {
        const tn__rule_step *s = &rule->step[i];
        tn_tensor *result = result_of(s->function, value[s->a], value[s->b]);
        value[TN__RESULT + i] = s->to ? tn_assign(value[s->to], result) : result;
    }
}
