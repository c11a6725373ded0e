/* place.c - where the results of a program's steps lie: in one arena, by lifetime, so that a run allocates nothing for them.
 *
 * What is placed is overwritten by a later step or the next run. So only what nobody can keep is: results of steps whose op
 * writes into what it is given, that are not fetched, and that go only to ops which do not hold on to their inputs. Views of
 * what is placed share its place; they and it live as long as the last of them is used. What goes over its input number by number
 * writes where an input lies that ends there. */
#include "plan/compile.h"
#include "runtime/dispatch.h"
#include "ops/ops.h"
#include "ops/pool.h"
#include <string.h>

enum { NONE = 0 };

typedef struct {
    tn__program *p;
    size_t *root; /* by slot: whose elements it shows; its own number, mostly */
    bool *kept;   /* by root: somebody may hold on to it */
    size_t *end;  /* by root: the last use of it and its views */
    struct {
        struct {
            size_t offset, size;
        } *item;
        size_t count, capacity;
    } hole; /* in order; what is behind the last is free */
} placing;

/* --- what may be placed ------------------------------------------------------------------------------------------------- */
static bool writes_outputs(const tn__op *op)
{
    return op->compute && !op->expand && !(op->flags & (TN__VIEW | TN__MAKES_OUTPUTS));
}

/* No dtype that is computed in another one. */
static bool is_usual(const tn__op *op, const tn__infer *infer, const tn__node *node)
{
    if (op->flags & TN__HALF)
        return true;
    for (size_t i = 0; i < infer->output_count; i++)
        if (tn__usual_dtype(infer->output[i].dtype) != infer->output[i].dtype)
            return false;
    for (size_t i = 0; i < node->input_count; i++)
        if (tn__usual_dtype((tn_dtype)node->input[i]->dtype) != (tn_dtype)node->input[i]->dtype)
            return false;
    return true;
}

static void settle_chain(tn__program *p, const tn__step *s)
{
    for (size_t i = 0; i < s->fused->outputs; i++)
        p->place[s->fused->output[i]] = (tn__place){ true, 0, TN_FLOAT32, *tn__fused_shape(s->fused, i) };
}

static void settle_way(placing *a, tn__step *s)
{
    tn__program *p = a->p;
    if (s->fused) {
        settle_chain(p, s);
        return;
    }
    const tn__op *op = s->node->op;
    tn__infer infer = { .op = op, .output_count = s->node->output_count, .output = s->output };
    bool direct = s->settled && writes_outputs(op) && is_usual(op, &infer, s->node);
    bool view = s->settled && (op->flags & TN__VIEW) && p->place[a->root[p->operand.item[s->first_input]]].placed;
    if (view)
        a->root[s->first_output] = a->root[p->operand.item[s->first_input]];
    bool read = s->settled && op == &tn__op_ReadVariableOp;
    s->way = direct ? TN__DIRECT : view ? TN__NOTHING : read ? TN__READ : TN__GENERAL;
    for (size_t i = 0; i < infer.output_count && (direct || view); i++)
        p->place[s->first_output + i] = (tn__place){ tn__dtype_size(infer.output[i].dtype) > 0, 0, infer.output[i].dtype, infer.output[i].shape };
}

static void note_uses(placing *a, const tn__step *s, size_t number)
{
    const tn__program *p = a->p;
    for (size_t i = 0; i < tn__step_inputs(s); i++) {
        size_t root = a->root[p->operand.item[s->first_input + i]];
        a->kept[root] |= s->way != TN__NOTHING && !s->fused && !writes_outputs(s->node->op);
        if (a->end[root] < number)
            a->end[root] = number;
    }
}

/* Views lose their place with what they show; then they are made in each run. */
static void drop_kept(placing *a)
{
    tn__program *p = a->p;
    for (size_t i = 0; i < p->step.count; i++) {
        tn__step *s = &p->step.item[i];
        for (size_t k = 0; k < tn__step_outputs(s); k++)
            if (a->kept[a->root[tn__step_output(s, k)]])
                p->place[tn__step_output(s, k)].placed = false;
        if (s->way == TN__NOTHING && !p->place[s->first_output].placed)
            s->way = TN__GENERAL;
    }
}

/* --- the arena ---------------------------------------------------------------------------------------------------------- */
static tn_status take(placing *a, size_t size, size_t *offset)
{
    size_t i = 0;
    while (i < a->hole.count && a->hole.item[i].size < size)
        i++;
    if (i == a->hole.count) {
        *offset = a->p->arena;
        return tn__size_add(a->p->arena, size, &a->p->arena) ? TN_OK : tn__fail_memory(SIZE_MAX);
    }
    *offset = a->hole.item[i].offset;
    a->hole.item[i].offset += size;
    a->hole.item[i].size -= size;
    if (a->hole.item[i].size == 0)
        memmove(&a->hole.item[i], &a->hole.item[i + 1], (--a->hole.count - i) * sizeof *a->hole.item);
    return TN_OK;
}

static tn_status give_back(placing *a, size_t offset, size_t size)
{
    size_t i = 0;
    while (i < a->hole.count && a->hole.item[i].offset < offset)
        i++;
    bool before = i > 0 && a->hole.item[i - 1].offset + a->hole.item[i - 1].size == offset;
    bool behind = i < a->hole.count && offset + size == a->hole.item[i].offset;
    if (before && behind) {
        a->hole.item[i - 1].size += size + a->hole.item[i].size;
        memmove(&a->hole.item[i], &a->hole.item[i + 1], (--a->hole.count - i) * sizeof *a->hole.item);
    } else if (before) {
        a->hole.item[i - 1].size += size;
    } else if (behind) {
        a->hole.item[i].offset = offset;
        a->hole.item[i].size += size;
    } else {
        TN_TRY(TN__RESERVE(&a->hole, 1));
        memmove(&a->hole.item[i + 1], &a->hole.item[i], (a->hole.count++ - i) * sizeof *a->hole.item);
        a->hole.item[i].offset = offset;
        a->hole.item[i].size = size;
    }
    return TN_OK;
}

static size_t size_of(const tn__place *place)
{
    size_t bytes = (size_t)tn__shape_count(&place->shape) * tn__dtype_size(place->dtype);
    return bytes ? tn__whole_lines(bytes) : TN__LINE;
}

/* The last of a chain's steps that reads what lies at the root, or TN__CHAIN_STEPS: not number by number. */
static int last_reader(const placing *a, const tn__step *s, size_t root)
{
    const tn__chain *c = &s->fused->chain;
    int last = 0;
    for (int i = 0; i < c->inputs; i++) {
        if (a->root[a->p->operand.item[s->first_input + (size_t)i]] != root)
            continue;
        if (c->in[i].period != 0)
            return TN__CHAIN_STEPS;
        for (int k = 0; k < c->steps; k++)
            if (c->step[k].a == i || c->step[k].b == i)
                last = k > last ? k : last;
    }
    return last;
}

/* A convolution reads what it adds, or its mask, where it stores; the gradient of windows side by side its image. */
static bool product_reads_in_place(const placing *a, const tn__step *s, size_t root)
{
    const size_t *operand = &a->p->operand.item[s->first_input];
    const tn__after *after = &s->fused->after;
    const tn__op *op = s->node->op;
    bool pool = op == &tn__op_MaxPoolGrad;
    if (!pool && op != &tn__op_Conv2D && op != &tn__op_Conv2DBackpropInput)
        return false;
    for (size_t i = 0; i < tn__step_inputs(s); i++) {
        bool here = i > 0 && (i == after->mask || i == after->beside);
        if (a->root[operand[i]] == root && !here && !(pool && i == 0 && tn__pool_in_place(op, s->node->attrs, &s->fused->shape)))
            return false;
    }
    return true;
}

/* Result i may lie where an input lies that is not used any more, if nothing reads that after it was written. */
static bool can_replace(const placing *a, const tn__step *s, size_t i, size_t root)
{
    if (tn__gives_sums(s->fused, i))
        return false;
    if (s->way == TN__PRODUCT)
        return product_reads_in_place(a, s, root);
    return s->way == TN__CHAIN && last_reader(a, s, root) <= s->fused->giver[i];
}

static bool take_over(placing *a, const tn__step *s, size_t i, size_t number)
{
    const tn__program *p = a->p;
    tn__place *to = &p->place[tn__step_output(s, i)];
    for (size_t k = 0; k < tn__step_inputs(s) && s->fused; k++) {
        size_t root = a->root[p->operand.item[s->first_input + k]];
        if (!p->place[root].placed || a->end[root] != number || size_of(&p->place[root]) != size_of(to) || !can_replace(a, s, i, root))
            continue;
        to->offset = p->place[root].offset;
        a->end[root] = NONE; /* its place is not free */
        return true;
    }
    return false;
}

static tn_status place_outputs(placing *a, const tn__step *s, size_t number)
{
    for (size_t i = 0; i < tn__step_outputs(s); i++) {
        size_t slot = tn__step_output(s, i), root = a->root[slot];
        tn__place *place = &a->p->place[slot];
        if (place->placed && root == slot && take_over(a, s, i, number))
            continue;
        if (place->placed && root == slot)
            TN_TRY(take(a, size_of(place), &place->offset));
        else if (place->placed)
            place->offset = a->p->place[root].offset;
    }
    return TN_OK;
}

/* What was used for the last time, or never is. */
static tn_status free_dead(placing *a, tn__step *s, size_t number)
{
    const tn__program *p = a->p;
    for (size_t i = 0; i < tn__step_inputs(s); i++) {
        size_t root = a->root[p->operand.item[s->first_input + i]];
        if (!p->place[root].placed || a->end[root] != number)
            continue;
        TN_TRY(give_back(a, p->place[root].offset, size_of(&p->place[root])));
        a->end[root] = NONE; /* once */
    }
    for (size_t i = 0; i < tn__step_outputs(s); i++) {
        size_t slot = tn__step_output(s, i);
        if (p->place[slot].placed && a->root[slot] == slot && a->end[slot] == NONE)
            TN_TRY(give_back(a, p->place[slot].offset, size_of(&p->place[slot])));
    }
    return TN_OK;
}

static tn_status place_all(placing *a)
{
    tn__program *p = a->p;
    for (size_t i = 0; i < p->slots; i++)
        a->root[i] = i;
    for (size_t i = 0; i < p->step.count; i++) {
        settle_way(a, &p->step.item[i]);
        note_uses(a, &p->step.item[i], i + 1);
    }
    for (size_t i = 0; i < p->fetches; i++)
        if (p->fetch_slot[i] != SIZE_MAX)
            a->kept[a->root[p->fetch_slot[i]]] = true;
    drop_kept(a);
    for (size_t i = 0; i < p->step.count; i++) {
        TN_TRY(place_outputs(a, &p->step.item[i], i + 1));
        TN_TRY(free_dead(a, &p->step.item[i], i + 1));
    }
    return TN_OK;
}

tn_status tn__program_place(tn__program *p)
{
    placing a = { .p = p, .root = tn__alloc(p->slots * sizeof *a.root), .kept = tn__alloc_zeroed(p->slots, sizeof *a.kept),
                  .end = tn__alloc_zeroed(p->slots, sizeof *a.end) };
    p->place = tn__alloc_zeroed(p->slots, sizeof *p->place);
    tn_status status = !a.root || !a.kept || !a.end || !p->place ? TN_RESOURCE_EXHAUSTED : p->plain ? TN_OK : place_all(&a);
    tn__free(a.root);
    tn__free(a.kept);
    tn__free(a.end);
    tn__free(a.hole.item);
    return status;
}
