/* sums.c - a sum or a mean over some axes goes into the chain that gives what is summed, tile by
 * tile while that is in the cache; or, as that of a bias's gradient, into a gradient of images. */
#include "plan/fuse.h"
#include "ops/ops.h"

/* The number of the chain's step that gives the slot; SIZE_MAX: none. */
static size_t step_that_gives(const tn__fused *fused, size_t slot)
{
    for (size_t i = 0; i < fused->outputs; i++)
        if (fused->output[i] == slot)
            return fused->giver[i];
    return SIZE_MAX;
}

/* A single element-wise step as a chain. */
static tn_status make_chain(const tn__flow *f, tn__step *s)
{
    tn__fused *fused = s->fused = tn__alloc_zeroed(1, sizeof *fused);
    if (!fused)
        return TN_RESOURCE_EXHAUSTED;
    size_t inputs = s->node->input_count;
    fused->shape = f->stand[s->first_output]->shape;
    fused->chain = (tn__chain){ .inputs = (int)inputs, .steps = 1, .places = 1 };
    for (size_t i = 0; i < inputs; i++)
        tn__chain_bind(&f->stand[f->p->operand.item[s->first_input + i]]->shape, &fused->shape,
                       &fused->chain.in[i]);
    fused->chain.step[0] =
        (tn__chain_step){ s->node->op->function, 0, (uint8_t)(inputs - 1), 0, NULL };
    fused->output[fused->outputs++] = s->first_output;
    s->way = TN__CHAIN;
    return TN_OK;
}

/* What is summed stays where something else asks for it, and a product's result in any case. */
static void take_sum(const tn__flow *f, const tn__step *giver, tn__step *s, size_t slot)
{
    tn__fused *fused = giver->fused;
    bool stays = f->uses[slot] > 1 || giver->way == TN__PRODUCT;
    size_t kept = 0;
    for (size_t i = 0; i < fused->outputs; i++)
        if (fused->output[i] != slot || stays) {
            fused->output[kept] = fused->output[i];
            fused->giver[kept++] = fused->giver[i];
        }
    fused->output[kept] = s->first_output;
    fused->giver[kept] = fused->sum.step;
    fused->outputs = kept + 1;
    fused->sums_shape = f->stand[s->first_output]->shape;
    f->producer[s->first_output] = f->producer[slot];
    tn__step_leave(s);
}

/* Of a gradient of images the sum of each channel. */
static bool product_can_sum(const tn__step *s, const tn__chain_sum *sum)
{
    const tn_shape *shape = &s->fused->shape;
    return (s->node->op == &tn__op_MaxPoolGrad || s->node->op == &tn__op_Conv2DBackpropInput) &&
           sum->kind == TN__SUM_EACH_COLUMN && sum->columns == shape->dims[shape->rank - 1];
}

static bool can_sum(const tn__flow *f, const tn__step *giver, const tn__chain_sum *sum)
{
    if (!giver->fused)
        return tn__step_can_chain(f->p, f->stand, giver);
    return giver->fused->sum.kind == TN__SUM_NOTHING &&
           (giver->way == TN__CHAIN || product_can_sum(giver, sum));
}

tn_status tn__take_sum(const tn__flow *f, tn__step *s)
{
    size_t slot = s->fused || s->node->input_count != 2 || s->node->output_count != 1
                      ? SIZE_MAX
                      : f->p->operand.item[s->first_input];
    tn__step *giver = slot == SIZE_MAX ? NULL : tn__flow_giver(f, slot);
    tn__chain_sum sum;
    if (!giver || !s->settled || f->stand[s->first_output]->dtype != TN_FLOAT32 ||
        !tn__chain_sum_of(s->node->op, &f->stand[slot]->shape,
                          f->stand[f->p->operand.item[s->first_input + 1]], &sum) ||
        !can_sum(f, giver, &sum))
        return TN_OK;
    if (!giver->fused)
        TN_TRY(make_chain(f, giver));
    sum.step = (uint8_t)step_that_gives(giver->fused, slot);
    giver->fused->sum = sum;
    take_sum(f, giver, s, slot);
    return TN_OK;
}
