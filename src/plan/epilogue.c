/* epilogue.c - what is done to a product or a convolution, or to a gradient through one, as it is stored: a bias, another array of
 * its shape and a rectifier, or the mask of a rectifier that came before it. */
#include "plan/fuse.h"
#include "ops/bias.h"
#include "ops/chain.h"
#include "ops/conv.h"
#include "ops/ops.h"
#include "ops/pool.h"

/* What a step does to one slot: functions in order, and what each takes besides. */
enum { MOST = 4 };
typedef struct {
    int count;
    tn__function function[MOST];
    size_t other[MOST]; /* SIZE_MAX: nothing */
    size_t bias, beside, mask;
    bool relu;
} deed;

/* --- what can be an epilogue -------------------------------------------------------------------------------------------- */
/* One number for each place of the last axis. */
static bool is_bias(const tn_tensor *x, const tn_shape *out)
{
    tn__chain_input read;
    if (x->dtype != TN_FLOAT32 || x->form == TN__VARIABLE || !tn__shape_full(&x->shape) || !tn__chain_bind(&x->shape, out, &read))
        return false;
    return read.run == 1 && tn__shape_count(&x->shape) == out->dims[out->rank - 1]; /* the last axis, or the only one that is not 1 */
}

static bool is_alike(const tn_tensor *x, const tn_shape *out)
{
    return x->dtype == TN_FLOAT32 && x->form != TN__VARIABLE && tn__shape_full(&x->shape) && tn__shape_equal(&x->shape, out);
}

/* f(x, other) or f(other, x), which are the same, or f(x). */
static bool add_function(deed *d, unsigned function, size_t other, bool first)
{
    if (d->count == MOST || (function == TN__DO_RELU_GRAD && !first))
        return false;
    d->function[d->count] = (tn__function)function;
    d->other[d->count++] = other;
    return function == TN__DO_ADD || function == TN__DO_RELU || function == TN__DO_RELU_GRAD;
}

/* A single element-wise step on the slot. */
static bool read_single(const tn__flow *f, const tn__step *s, size_t slot, deed *d)
{
    const size_t *operand = &f->p->operand.item[s->first_input];
    if (!s->settled || s->node->input_count == 0 || s->node->input_count > 2 ||
        (s->node->op == &tn__op_BiasAdd && !tn__bias_is_last(s->node->attrs)))
        return false;
    bool first = operand[0] == slot, unary = s->node->input_count == 1;
    return (first || (!unary && operand[1] == slot)) && add_function(d, s->node->op->function, unary ? SIZE_MAX : operand[first], first);
}

/* A chain whose steps follow each other, the first of them on the slot. */
static bool read_chain(const tn__flow *f, const tn__step *s, size_t slot, deed *d)
{
    const tn__chain *c = &s->fused->chain;
    const size_t *operand = &f->p->operand.item[s->first_input];
    if (s->way != TN__CHAIN || s->fused->outputs != 1 || s->fused->giver[0] + 1 != c->steps)
        return false;
    int now = 0;
    while (operand[now] != slot)
        now++;
    for (int i = 0; i < c->steps; now = c->inputs + i++) {
        bool first = c->step[i].a == now, unary = c->step[i].function == TN__DO_RELU;
        int other = first ? c->step[i].b : c->step[i].a;
        if ((!first && c->step[i].b != now) || (!unary && (other >= c->inputs || operand[other] == slot)) ||
            !add_function(d, c->step[i].function, unary ? SIZE_MAX : operand[other], first))
            return false;
    }
    return true;
}

/* The order in which they are applied: a bias, what is added besides, a rectifier, a mask. */
static bool settle_deed(const tn__flow *f, deed *d, const tn_shape *out)
{
    d->bias = d->beside = d->mask = SIZE_MAX;
    for (int i = 0; i < d->count; i++) {
        size_t other = d->other[i];
        bool masked = d->mask != SIZE_MAX, added = d->beside != SIZE_MAX;
        if (d->function[i] == TN__DO_RELU && !masked && !d->relu)
            d->relu = true;
        else if (d->function[i] == TN__DO_RELU_GRAD && !masked && is_alike(f->stand[other], out))
            d->mask = other;
        else if (d->function[i] == TN__DO_ADD && !masked && !d->relu && !added && d->bias == SIZE_MAX && is_bias(f->stand[other], out))
            d->bias = other;
        else if (d->function[i] == TN__DO_ADD && !masked && !d->relu && !added && is_alike(f->stand[other], out))
            d->beside = other;
        else
            return false;
    }
    return d->count > 0;
}

/* --- what can take one -------------------------------------------------------------------------------------------------- */
/* The step that gives the slot to this one use. */
static tn__step *giver_of(const tn__flow *f, size_t slot)
{
    tn__step *s = f->uses[slot] == 1 ? tn__flow_giver(f, slot) : NULL;
    return s && !s->fused && s->settled && f->stand[slot]->dtype == TN_FLOAT32 && tn__shape_count(&f->stand[slot]->shape) > 0 ? s : NULL;
}

/* The gradient of the largest of windows takes the mask of its own image, and nothing else. */
static bool takes_mask(const tn__flow *f, const tn__step *s, const deed *d)
{
    size_t image = f->p->operand.item[s->first_input];
    return d->count == 1 && d->mask == image && tn__pool_takes_mask(s->node->op, s->node->attrs, (tn_dtype)f->stand[image]->dtype);
}

static bool takes(const tn__flow *f, const tn__step *s, size_t slot, const deed *d)
{
    const size_t *operand = &f->p->operand.item[s->first_input];
    for (size_t i = 0; i < s->node->input_count; i++)
        if (!tn__shape_full(&f->stand[operand[i]]->shape) || f->stand[operand[i]]->form == TN__VARIABLE)
            return false;
    if (s->node->op == &tn__op_MatMul || takes_mask(f, s, d))
        return true;
    if (s->node->op != &tn__op_Conv2D && s->node->op != &tn__op_Conv2DBackpropInput)
        return false;
    const tn_tensor *image = f->stand[s->node->op == &tn__op_Conv2D ? operand[0] : slot];
    return tn__conv_takes_epilogue(s->node->op, s->node->attrs, image, f->stand[operand[1]]);
}

/* --- joining them ------------------------------------------------------------------------------------------------------- */
static tn_status take_operand(const tn__flow *f, tn__fused *fused, size_t slot, uint8_t *number)
{
    if (slot == SIZE_MAX)
        return TN_OK;
    *number = (uint8_t)fused->chain.inputs++;
    return TN__PUSH(&f->p->operand, slot);
}

/* The step becomes the product with what is done to it; the product's own is left out. */
static tn_status join(const tn__flow *f, tn__step *s, tn__step *product, const deed *d)
{
    tn__program *p = f->p;
    size_t out = tn__step_output(s, 0), from = product->first_input;
    tn__fused *fused = tn__alloc_zeroed(1, sizeof *fused);
    if (!fused)
        return TN_RESOURCE_EXHAUSTED;
    fused->shape = f->stand[out]->shape;
    fused->chain.inputs = (int)product->node->input_count;
    fused->chain.steps = d->count;
    for (int i = 0; i < d->count; i++)
        fused->chain.step[i].function = (uint8_t)d->function[i];
    fused->after.relu = d->relu;
    fused->outputs = 1;
    fused->output[0] = out;
    tn__free(s->fused);
    s->fused = fused;
    s->first_input = p->operand.count;
    s->node = product->node;
    s->way = TN__PRODUCT;
    tn__step_leave(product);
    for (int i = 0; i < fused->chain.inputs; i++) {
        size_t slot = p->operand.item[from + (size_t)i];
        TN_TRY(TN__PUSH(&p->operand, slot));
    }
    TN_TRY(take_operand(f, fused, d->bias, &fused->after.bias));
    TN_TRY(take_operand(f, fused, d->beside, &fused->after.beside));
    return take_operand(f, fused, d->mask, &fused->after.mask);
}

static bool does(const tn__flow *f, const tn__step *s, size_t slot, deed *d)
{
    const tn_shape *out = &f->stand[tn__step_output(s, 0)]->shape;
    *d = (deed){ 0 };
    return tn__shape_equal(&f->stand[slot]->shape, out) && (s->fused ? read_chain : read_single)(f, s, slot, d) && settle_deed(f, d, out);
}

tn_status tn__take_epilogue(const tn__flow *f, tn__step *s)
{
    if (tn__step_outputs(s) != 1 || (!s->fused && !s->node->op->function))
        return TN_OK;
    for (size_t i = 0; i < tn__step_inputs(s); i++) {
        size_t slot = f->p->operand.item[s->first_input + i];
        tn__step *product = giver_of(f, slot);
        deed d;
        if (product && does(f, s, slot, &d) && takes(f, product, slot, &d))
            return join(f, s, product, &d);
    }
    return TN_OK;
}
