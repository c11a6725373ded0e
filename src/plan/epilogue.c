/* epilogue.c - a bias, and a rectifier behind it, are applied while a product or a convolution is stored. */
#include "plan/fuse.h"
#include "ops/bias.h"
#include "ops/chain.h"
#include "ops/conv.h"
#include "ops/ops.h"

typedef struct {
    tn__program *p;
    tn_tensor *const *stand;
    size_t *producer; /* by slot: the step + 1 */
    size_t *uses;     /* by slot */
} search;

/* What a step adds, and whether the sum is rectified; false: it does something else. */
static bool is_sum(const search *f, const tn__step *s, size_t sum[2], bool *relu)
{
    const tn__chain *c = s->fused ? &s->fused->chain : NULL;
    *relu = c != NULL;
    if (c && (c->steps != 2 || s->fused->outputs != 1 || s->fused->giver[0] != 1 || c->step[0].function != TN__DO_ADD ||
              c->step[1].function != TN__DO_RELU || c->step[0].a >= c->inputs || c->step[0].b >= c->inputs))
        return false;
    if (!c && (s->node->op->function != TN__DO_ADD || !s->settled || s->node->input_count != 2 ||
               (s->node->op == &tn__op_BiasAdd && !tn__bias_is_last(s->node->attrs))))
        return false;
    const size_t *operand = &f->p->operand.item[s->first_input];
    sum[0] = operand[c ? c->step[0].a : 0];
    sum[1] = operand[c ? c->step[0].b : 1];
    return true;
}

/* One number for each place of the last axis. */
static bool is_bias(const tn_tensor *x, const tn_shape *out)
{
    tn__chain_input read;
    if (x->dtype != TN_FLOAT32 || x->form == TN__VARIABLE || !tn__shape_full(&x->shape) || !tn__chain_bind(&x->shape, out, &read))
        return false;
    return read.run == 1 && tn__shape_count(&x->shape) == out->dims[out->rank - 1]; /* the last axis, or the only one that is not 1 */
}

/* The step that gives the slot to this one use, where it can take an epilogue. */
static tn__step *product_of(const search *f, size_t slot)
{
    tn__step *s = f->producer[slot] && f->uses[slot] == 1 ? &f->p->step.item[f->producer[slot] - 1] : NULL;
    if (!s || s->fused || !s->settled || s->node->input_count != 2 || f->stand[slot]->dtype != TN_FLOAT32 ||
        tn__shape_count(&f->stand[slot]->shape) == 0)
        return NULL;
    const tn_tensor *a = f->stand[f->p->operand.item[s->first_input]], *b = f->stand[f->p->operand.item[s->first_input + 1]];
    if (!tn__shape_full(&a->shape) || !tn__shape_full(&b->shape))
        return NULL;
    return s->node->op == &tn__op_MatMul || tn__conv_takes_epilogue(s->node->op, s->node->attrs, a, b) ? s : NULL;
}

/* The sum's step becomes the product; that one is left out. */
static tn_status join(const search *f, tn__step *s, tn__step *product, size_t bias, bool relu)
{
    tn__program *p = f->p;
    size_t out = tn__step_output(s, 0), operands[3] = { p->operand.item[product->first_input], p->operand.item[product->first_input + 1], bias };
    tn__fused *fused = tn__alloc_zeroed(1, sizeof *fused);
    if (!fused)
        return TN_RESOURCE_EXHAUSTED;
    fused->shape = f->stand[out]->shape;
    fused->chain.inputs = 3;
    fused->chain.steps = relu ? 2 : 1;
    fused->chain.step[0].function = TN__DO_ADD;
    fused->chain.step[1].function = TN__DO_RELU;
    fused->outputs = 1;
    fused->output[0] = out;
    tn__free(s->fused);
    s->fused = fused;
    s->first_input = p->operand.count;
    s->node = product->node;
    s->way = TN__PRODUCT;
    tn__step_leave(product);
    for (int i = 0; i < 3; i++)
        TN_TRY(TN__PUSH(&p->operand, operands[i]));
    return TN_OK;
}

static tn_status try_step(const search *f, tn__step *s)
{
    size_t sum[2];
    bool relu;
    if (!is_sum(f, s, sum, &relu))
        return TN_OK;
    const tn_shape *out = &f->stand[tn__step_output(s, 0)]->shape;
    for (int i = 0; i < 2; i++) {
        tn__step *product = product_of(f, sum[i]);
        if (product && tn__shape_equal(&f->stand[sum[i]]->shape, out) && is_bias(f->stand[sum[1 - i]], out))
            return join(f, s, product, sum[1 - i], relu);
    }
    return TN_OK;
}

static tn_status try_all(search *f)
{
    tn__program *p = f->p;
    for (size_t i = 0; i < p->step.count; i++) {
        const tn__step *s = &p->step.item[i];
        for (size_t k = 0; k < tn__step_inputs(s); k++)
            f->uses[p->operand.item[s->first_input + k]]++;
        for (size_t k = 0; k < tn__step_outputs(s); k++)
            f->producer[tn__step_output(s, k)] = i + 1;
    }
    for (size_t i = 0; i < p->fetches; i++)
        if (p->fetch_slot[i] != SIZE_MAX)
            f->uses[p->fetch_slot[i]]++;
    for (size_t i = 0; i < p->step.count; i++)
        if (p->step.item[i].node)
            TN_TRY(try_step(f, &p->step.item[i]));
    tn__program_close_ranks(p);
    return TN_OK;
}

tn_status tn__program_take_epilogues(tn__program *p, tn_tensor *const *stand)
{
    search f = { .p = p, .stand = stand, .producer = tn__alloc_zeroed(p->slots, sizeof *f.producer),
                 .uses = tn__alloc_zeroed(p->slots, sizeof *f.uses) };
    tn_status status = f.producer && f.uses ? try_all(&f) : TN_RESOURCE_EXHAUSTED;
    tn__free(f.producer);
    tn__free(f.uses);
    return status;
}
