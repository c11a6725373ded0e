/* fuse.c - finding chains. A chain runs where its last step stood, so it takes in a step only while nothing else has asked for one
 * of its results. */
#include "plan/fuse.h"
#include "ops/bias.h"
#include "ops/chain.h"
#include "ops/ops.h"

typedef struct {
    size_t member[TN__CHAIN_STEPS], members; /* numbers of steps, in order */
    size_t input[TN__CHAIN_INPUTS], inputs;  /* slots */
    bool closed;
} group;

typedef struct {
    tn__program *p;
    tn_tensor *const *stand;
    size_t *producer; /* by slot: the step + 1; 0: none */
    size_t *group_of; /* by step: the group + 1; 0: none */
    bool *asked;      /* by slot: for something outside of the chain that gives it */
    struct {
        group *item;
        size_t count, capacity;
    } group;
} fusing;

/* --- what can be in a chain --------------------------------------------------------------------------------------------- */
static size_t operand_of(const fusing *f, const tn__step *s, size_t i)
{
    return f->p->operand.item[s->first_input + i];
}

static const tn_shape *shape_of(const fusing *f, const tn__step *s)
{
    return &f->stand[s->first_output]->shape;
}

bool tn__step_can_chain(const tn__program *p, tn_tensor *const *stand, const tn__step *s)
{
    const tn__op *op = s->node->op;
    const tn_tensor *out = stand[s->first_output];
    if (!op->function || !s->settled || out->dtype != TN_FLOAT32 || tn__shape_count(&out->shape) == 0 ||
        (op == &tn__op_BiasAdd && !tn__bias_is_last(s->node->attrs)))
        return false;
    for (size_t i = 0; i < s->node->input_count; i++) {
        const tn_tensor *in = stand[p->operand.item[s->first_input + i]];
        tn__chain_input ignored;
        if (in->dtype != TN_FLOAT32 || in->form == TN__VARIABLE || !tn__shape_full(&in->shape) ||
            !tn__chain_bind(&in->shape, &out->shape, &ignored))
            return false;
    }
    return true;
}

/* The group that gives a slot, or NULL. */
static group *giver(const fusing *f, size_t slot)
{
    size_t step = f->producer[slot];
    return step && f->group_of[step - 1] ? &f->group.item[f->group_of[step - 1] - 1] : NULL;
}

static bool takes(const group *g, size_t slot)
{
    for (size_t i = 0; i < g->inputs; i++)
        if (g->input[i] == slot)
            return true;
    return false;
}

static bool same_shape(const fusing *f, const group *g, const tn__step *s)
{
    return tn__shape_equal(shape_of(f, s), shape_of(f, &f->p->step.item[g->member[0]]));
}

static bool has_room(const fusing *f, const group *g, const tn__step *s)
{
    size_t more = 0;
    for (size_t i = 0; i < s->node->input_count; i++)
        more += giver(f, operand_of(f, s, i)) != g && !takes(g, operand_of(f, s, i));
    return g->members < TN__CHAIN_STEPS && g->inputs + more <= TN__CHAIN_INPUTS;
}

static void add_input(group *g, size_t slot)
{
    if (!takes(g, slot))
        g->input[g->inputs++] = slot;
}

static void join(fusing *f, size_t number, size_t into)
{
    group *g = &f->group.item[into];
    const tn__step *s = &f->p->step.item[number];
    for (size_t i = 0; i < s->node->input_count; i++)
        if (giver(f, operand_of(f, s, i)) != g)
            add_input(g, operand_of(f, s, i));
    g->member[g->members++] = number;
    f->group_of[number] = into + 1;
}

/* Two chains that nothing else has asked yet do not know of each other: they may be one, one step still finding room. */
static bool can_merge(const group *a, const group *b)
{
    size_t inputs = a->inputs;
    for (size_t i = 0; i < b->inputs; i++)
        inputs += !takes(a, b->input[i]);
    return a->members + b->members < TN__CHAIN_STEPS && inputs <= TN__CHAIN_INPUTS;
}

/* b's members into a, in the order of the steps. */
static void merge(fusing *f, group *a, group *b)
{
    size_t i = a->members, k = b->members, at = a->members + b->members;
    for (size_t m = 0; m < b->members; m++)
        f->group_of[b->member[m]] = (size_t)(a - f->group.item) + 1;
    a->members = at;
    while (k > 0)
        a->member[--at] = i > 0 && a->member[i - 1] > b->member[k - 1] ? a->member[--i] : b->member[--k];
    for (size_t m = 0; m < b->inputs; m++)
        add_input(a, b->input[m]);
    *b = (group){ .closed = true };
}

/* The chain that the step goes on with: that of its inputs, put together where both are open. */
static group *home_of(fusing *f, const tn__step *s)
{
    group *home = NULL;
    for (size_t i = 0; i < s->node->input_count; i++) {
        group *g = giver(f, operand_of(f, s, i));
        if (!g || g->closed || g == home || !same_shape(f, g, s))
            continue;
        if (home && can_merge(home, g))
            merge(f, home, g);
        else if (!home)
            home = g;
    }
    return home && has_room(f, home, s) ? home : NULL;
}

/* Into the chain of its inputs, or a new one; whatever else it takes something from is closed. */
static tn_status take_in(fusing *f, size_t number)
{
    const tn__step *s = &f->p->step.item[number];
    bool can = tn__step_can_chain(f->p, f->stand, s);
    group *home = can ? home_of(f, s) : NULL;
    for (size_t i = 0; i < s->node->input_count; i++) {
        group *g = giver(f, operand_of(f, s, i));
        if (g && g != home)
            g->closed = f->asked[operand_of(f, s, i)] = true;
    }
    size_t into = home ? (size_t)(home - f->group.item) : f->group.count;
    if (can && !home)
        TN_TRY(TN__PUSH(&f->group, (group){ 0 }));
    if (can)
        join(f, number, into);
    for (size_t i = 0; i < s->node->output_count; i++)
        f->producer[s->first_output + i] = number + 1;
    return TN_OK;
}

/* --- making a step of a group ------------------------------------------------------------------------------------------- */
/* The number of an operand in the chain: inputs first, then members' results. */
static uint8_t number_of(const fusing *f, const group *g, size_t slot)
{
    size_t i = 0;
    while (i < g->inputs && g->input[i] != slot)
        i++;
    for (size_t k = 0; i == g->inputs && k < g->members; k++)
        if (f->p->step.item[g->member[k]].first_output == slot)
            return (uint8_t)(g->inputs + k);
    return (uint8_t)i;
}

static tn__fused *fused_of(const fusing *f, const group *g)
{
    tn__fused *fused = tn__alloc_zeroed(1, sizeof *fused);
    if (!fused)
        return NULL;
    tn__chain *c = &fused->chain;
    fused->shape = *shape_of(f, &f->p->step.item[g->member[0]]);
    c->inputs = (int)g->inputs;
    c->steps = (int)g->members;
    for (size_t i = 0; i < g->inputs; i++)
        tn__chain_bind(&f->stand[g->input[i]]->shape, &fused->shape, &c->in[i]);
    for (size_t i = 0; i < g->members; i++) {
        const tn__step *s = &f->p->step.item[g->member[i]];
        uint8_t a = number_of(f, g, operand_of(f, s, 0)), b = s->node->input_count > 1 ? number_of(f, g, operand_of(f, s, 1)) : a;
        c->step[i] = (tn__chain_step){ s->node->op->function, a, b, 0, NULL };
        if (f->asked[s->first_output]) {
            fused->output[fused->outputs] = s->first_output;
            fused->giver[fused->outputs++] = (uint8_t)i;
        }
    }
    tn__chain_settle(c);
    return fused;
}

/* The last member's step becomes the whole chain; the others are left out. */
static tn_status replace(fusing *f, const group *g)
{
    tn__program *p = f->p;
    tn__fused *fused = fused_of(f, g);
    if (!fused)
        return TN_RESOURCE_EXHAUSTED;
    tn__step *last = &p->step.item[g->member[g->members - 1]];
    last->fused = fused;
    last->first_input = p->operand.count;
    last->way = TN__CHAIN;
    for (size_t i = 0; i < g->inputs; i++)
        TN_TRY(TN__PUSH(&p->operand, g->input[i]));
    for (size_t i = 0; i + 1 < g->members; i++)
        tn__step_leave(&p->step.item[g->member[i]]);
    return TN_OK;
}

void tn__step_leave(tn__step *s)
{
    tn__free(s->output);
    s->output = NULL;
    s->node = NULL;
}

void tn__program_close_ranks(tn__program *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->step.count; i++)
        if (p->step.item[i].node)
            p->step.item[kept++] = p->step.item[i];
    p->step.count = kept;
}

static tn_status fuse_all(fusing *f)
{
    tn__program *p = f->p;
    for (size_t i = 0; i < p->step.count; i++)
        TN_TRY(take_in(f, i));
    for (size_t i = 0; i < p->fetches; i++)
        if (p->fetch_slot[i] != SIZE_MAX)
            f->asked[p->fetch_slot[i]] = true;
    tn_status status = TN_OK;
    for (size_t i = 0; i < f->group.count && status == TN_OK; i++)
        if (f->group.item[i].members > 1)
            status = replace(f, &f->group.item[i]);
    tn__program_close_ranks(p);
    return status;
}

tn_status tn__program_fuse(tn__program *p, tn_tensor *const *stand)
{
    fusing f = { .p = p, .stand = stand, .producer = tn__alloc_zeroed(p->slots, sizeof *f.producer),
                 .group_of = tn__alloc_zeroed(p->step.count, sizeof *f.group_of), .asked = tn__alloc_zeroed(p->slots, sizeof *f.asked) };
    tn_status status = f.producer && f.group_of && f.asked ? fuse_all(&f) : TN_RESOURCE_EXHAUSTED;
    tn__free(f.producer);
    tn__free(f.group_of);
    tn__free(f.asked);
    tn__free(f.group.item);
    return status;
}
