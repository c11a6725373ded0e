/* simplify.c - rules of arithmetic that hold to the last bit. x + 0 is none: it makes 0 of -0. */
#include "plan/simplify.h"
#include "plan/fuse.h"
#include "ops/known.h"
#include "ops/ops.h"
#include <math.h>

typedef struct {
    const tn__program *p;
    const tn__infer *infer;
    const size_t *operand;
} question;

/* The step that gives the slot, as its only output; slots are given in the order of the steps. */
static const tn__step *giver_of(const tn__program *p, size_t slot)
{
    size_t first = 0, last = p->step.count;
    while (first < last) {
        size_t middle = first + (last - first) / 2;
        if (p->step.item[middle].first_output < slot)
            first = middle + 1;
        else
            last = middle;
    }
    const tn__step *s = first < p->step.count ? &p->step.item[first] : NULL;
    return s && s->first_output == slot && s->node->output_count == 1 ? s : NULL;
}

/* A constant that is this number and nothing else; of 0 and -0 the one. */
static bool is_number(const tn_tensor *x, double number)
{
    if (x->form != TN__VALUE || tn__count(x) != 1)
        return false;
    switch (x->dtype) {
    case TN_FLOAT32:
        return *(const float *)x->data == (float)number && !signbit(*(const float *)x->data) == !signbit(number);
    case TN_FLOAT64:
        return *(const double *)x->data == number && !signbit(*(const double *)x->data) == !signbit(number);
    case TN_INT32:
        return *(const int32_t *)x->data == (int32_t)number;
    case TN_INT64:
        return *(const int64_t *)x->data == (int64_t)number;
    default:
        return false;
    }
}

/* x 1, 1 x, x / 1; x - 0, x + -0, -0 + x */
static int idle_side(const question *q)
{
    const tn__op *op = q->infer->op;
    const tn_tensor *const a = q->infer->input[0], *const b = q->infer->input[1];
    if (op == &tn__op_Mul)
        return is_number(b, 1) ? 0 : is_number(a, 1) ? 1 : -1;
    if (op == &tn__op_AddV2 || op == &tn__op_Add)
        return is_number(b, -0.) ? 0 : is_number(a, -0.) ? 1 : -1;
    if (op == &tn__op_RealDiv || op == &tn__op_Div)
        return is_number(b, 1) ? 0 : -1;
    return op == &tn__op_Sub && is_number(b, 0) ? 0 : -1;
}

/* Folds that leave one number as it is, over no axes. */
static bool folds_nothing(const question *q)
{
    const tn__op *op = q->infer->op;
    int64_t axes[TN__MOST_KNOWN];
    size_t count;
    bool fold = op == &tn__op_Sum || op == &tn__op_Mean || op == &tn__op_Prod || op == &tn__op_Max || op == &tn__op_Min;
    return fold && tn__known_exactly(q->infer->input[1], axes, &count) && count == 0;
}

static bool undo_each_other(const tn_tensor *first, const tn_tensor *second)
{
    int64_t a[TN__MOST_KNOWN], b[TN__MOST_KNOWN];
    size_t count_a, count_b;
    if (!tn__known_exactly(first, a, &count_a) || !tn__known_exactly(second, b, &count_b) || count_a != count_b)
        return false;
    for (size_t i = 0; i < count_b; i++)
        if (b[i] < 0 || b[i] >= (int64_t)count_a || a[b[i]] != (int64_t)i)
            return false;
    return true;
}

/* - -x, and a transposition of one that it undoes. */
static size_t undone(const question *q, tn_tensor *const *stand)
{
    const tn__op *op = q->infer->op;
    const tn__step *before = op == &tn__op_Neg || op == &tn__op_Transpose ? giver_of(q->p, q->operand[0]) : NULL;
    if (!before || before->node->op != op)
        return SIZE_MAX;
    const size_t *operand = &q->p->operand.item[before->first_input];
    return op == &tn__op_Neg || undo_each_other(stand[operand[1]], q->infer->input[1]) ? operand[0] : SIZE_MAX;
}

static size_t candidate(const question *q, tn_tensor *const *stand)
{
    const tn__op *op = q->infer->op;
    if ((op->flags & TN__VIEW) || op == &tn__op_Cast || op == &tn__op_BroadcastTo || folds_nothing(q))
        return q->operand[0];
    int side = q->infer->input_count == 2 ? idle_side(q) : -1;
    return side >= 0 ? q->operand[side] : undone(q, stand);
}

size_t tn__simplify(const tn__program *p, const tn__infer *infer, tn_tensor *const *stand, const size_t *operands)
{
    question q = { p, infer, operands };
    if (infer->output_count != 1 || infer->input_count == 0)
        return SIZE_MAX;
    size_t slot = candidate(&q, stand);
    if (slot == SIZE_MAX || stand[slot]->form == TN__VARIABLE || stand[slot]->dtype != infer->output[0].dtype ||
        !tn__shape_full(&stand[slot]->shape) || !tn__shape_equal(&stand[slot]->shape, &infer->output[0].shape))
        return SIZE_MAX;
    return slot;
}

/* --- what is left over -------------------------------------------------------------------------------------------------- */
static bool is_used(const bool *used, const tn__step *s)
{
    bool any = s->node->output_count == 0 || (s->node->op->flags & TN__STATEFUL);
    for (size_t i = 0; i < s->node->output_count; i++)
        any |= used[s->first_output + i];
    return any;
}

tn_status tn__program_drop_unused(tn__program *p)
{
    bool *used = tn__alloc_zeroed(p->slots, sizeof *used);
    if (!used)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < p->fetches; i++)
        if (p->fetch_slot[i] != SIZE_MAX)
            used[p->fetch_slot[i]] = true;
    for (size_t i = p->step.count; i-- > 0;) {
        tn__step *s = &p->step.item[i];
        bool stays = is_used(used, s);
        for (size_t k = 0; k < s->node->input_count && stays; k++)
            used[p->operand.item[s->first_input + k]] = true;
        if (!stays)
            tn__step_leave(s);
    }
    tn__free(used);
    tn__program_close_ranks(p);
    return TN_OK;
}
