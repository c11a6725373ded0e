/* flow.c - who gives and who takes what in a program, and the passes that go by it. */
#include "plan/fuse.h"

tn__step *tn__flow_giver(const tn__flow *f, size_t slot)
{
    return f->producer[slot] ? &f->p->step.item[f->producer[slot] - 1] : NULL;
}

static void fill(tn__flow *f)
{
    const tn__program *p = f->p;
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
}

static tn_status each_step(const tn__flow *f, tn_status (*take)(const tn__flow *f, tn__step *s))
{
    for (size_t i = 0; i < f->p->step.count; i++)
        if (f->p->step.item[i].node)
            TN_TRY(take(f, &f->p->step.item[i]));
    return TN_OK;
}

static tn_status take_along(tn__flow *f)
{
    fill(f);
    TN_TRY(each_step(f, tn__take_epilogue));
    TN_TRY(each_step(f, tn__take_sum));
    tn__program_close_ranks(f->p);
    return TN_OK;
}

tn_status tn__program_take_along(tn__program *p, tn_tensor *const *stand)
{
    tn__flow f = { .p = p,
                   .stand = stand,
                   .producer = tn__alloc_zeroed(p->slots, sizeof *f.producer),
                   .uses = tn__alloc_zeroed(p->slots, sizeof *f.uses) };
    tn_status status = f.producer && f.uses ? take_along(&f) : TN_RESOURCE_EXHAUSTED;
    tn__free(f.producer);
    tn__free(f.uses);
    return status;
}
