/* compile.c - a graph for concrete shapes as a flat list of steps. */
#include "plan/common.h"
#include "plan/dump.h"
#include "plan/fuse.h"
#include "plan/simplify.h"
#include "ops/array.h"
#include "ops/ops.h"
#include <stdlib.h>
#include <string.h>

/* --- life of programs --------------------------------------------------------------------------------------------------- */
void tn__program_release(tn__program *p)
{
    if (!p || !tn__count_down(&p->users))
        return;
    if (p->seconds)
        tn__program_dump(p);
    tn__free(p->seconds);
    tn__workspaces_free(p);
    pthread_mutex_destroy(&p->lock);
    for (size_t i = 0; i < p->step.count; i++) {
        tn__free(p->step.item[i].output);
        tn__free(p->step.item[i].fused);
    }
    for (size_t i = 0; p->constant && i < p->slots; i++)
        tn__release(p->constant[i]);
    tn__free(p->key_id);
    tn__free(p->feed_shape);
    tn__free(p->feed_dtype);
    tn__free(p->step.item);
    tn__free(p->operand.item);
    tn__free(p->death.item);
    tn__free(p->constant);
    tn__free(p->place);
    tn__free(p->last_use);
    tn__free(p->fetch_slot);
    tn__free(p);
}

/* --- compiling ---------------------------------------------------------------------------------------------------------- */
typedef struct {
    const tn__request *request;
    tn__program *p;
    tn__ids slot_of;       /* id of a tensor to its slot */
    tn_tensor **stand;     /* by slot: a value (constant or folded), a variable, or a symbolic stand-in of concrete shape */
    bool *needed, *fed;    /* by node */
    tn__common common;
} compiler;

static bool is_leaf(const tn__node *node)
{
    return node->op == &tn__op_Placeholder || node->op == &tn__op_Const || node->op == &tn__op_VarHandleOp;
}

static const tn__node *node_of(const tn_tensor *x)
{
    return x->of.output.node;
}

/* From the fetches back, and from what has effects; feeds cut. */
static void mark_needed(compiler *c)
{
    tn_tensor *const *keys = c->request->keys, *const *fetches = c->request->fetches;
    tn__program *p = c->p;
    for (size_t i = 0; i < p->fetches; i++)
        if (fetches[i]->form == TN__SYMBOLIC)
            c->needed[node_of(fetches[i])->index] = true;
    for (size_t i = 0; i < p->feeds; i++)
        c->fed[node_of(keys[i])->index] = true;
    for (size_t i = 0; i < c->request->graph->node.count && p->effects; i++) {
        const tn__node *node = c->request->graph->node.item[i];
        c->needed[i] |= (node->op->flags & TN__STATEFUL) && !is_leaf(node) && node->op != &tn__op_ReadVariableOp;
    }
    tn__graph_mark_needed(c->request->graph, c->fed, c->needed);
}

static size_t slot_of(const compiler *c, const tn_tensor *x)
{
    size_t slot;
    return tn__ids_get(&c->slot_of, x->id, &slot) ? slot : SIZE_MAX;
}

static tn_status new_slot(compiler *c, uint64_t id, size_t *slot)
{
    *slot = c->p->slots++;
    return tn__ids_set(&c->slot_of, id, *slot);
}

/* A tensor that has a dtype and a shape and nothing else. */
static tn_status stand_in(compiler *c, size_t slot, tn_dtype dtype, const tn_shape *shape)
{
    tn_tensor *x = tn__object_new(&tn__type_tensor);
    if (!x)
        return TN_RESOURCE_EXHAUSTED;
    x->form = TN__SYMBOLIC;
    x->dtype = (uint8_t)dtype;
    x->shape = *shape;
    c->stand[slot] = x;
    return TN_OK;
}

static bool can_fold(const tn__node *node, tn_tensor *const *inputs)
{
    if (node->op->flags & TN__STATEFUL)
        return false;
    bool shape_only = node->op->flags & TN__SHAPE_ONLY;
    for (size_t i = 0; i < node->input_count; i++)
        if (shape_only ? !tn__shape_full(&inputs[i]->shape) : inputs[i]->form != TN__VALUE)
            return false;
    return true;
}

static bool all_full(const tn__infer *infer)
{
    for (size_t i = 0; i < infer->output_count; i++)
        if (!tn__shape_full(&infer->output[i].shape))
            return false;
    return true;
}

static tn_status add_step(compiler *c, const tn__node *node, const tn__infer *infer, bool settled, size_t first_output)
{
    tn__program *p = c->p;
    size_t bytes = infer->output_count * sizeof *infer->output;
    tn__step s = { .node = node, .first_input = p->operand.count, .first_output = first_output, .settled = settled };
    for (size_t i = 0; i < node->input_count; i++) {
        size_t slot = slot_of(c, node->input[i]);
        TN_TRY(TN__PUSH(&p->operand, slot));
    }
    s.output = tn__memdup(infer->output, bytes);
    if (!s.output)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = TN__PUSH(&p->step, s);
    if (status != TN_OK)
        tn__free(s.output);
    return status;
}

/* What the trace knew and the rule does not (an imported graph) is counted on by what comes after; run_step checks that it came true. */
static void add_recorded(tn__infer *infer, const tn__node *node)
{
    for (size_t i = 0; i < node->output_count; i++) {
        tn_shape merged;
        if (tn__shape_merge(&infer->output[i].shape, &node->output[i].shape, &merged))
            infer->output[i].shape = merged;
    }
}

/* What is settled is counted on from here; a size that no memory has is an error before anything runs. */
static tn_status check_sizes(const tn__infer *infer)
{
    size_t bytes;
    for (size_t i = 0; i < infer->output_count; i++)
        TN_TRY(tn__shape_bytes(&infer->output[i].shape, infer->output[i].dtype, INT64_MAX, &bytes));
    return TN_OK;
}

/* Folded: its outputs are constants. Idle: they are what is there. Else: a step, and stand-ins for what it will give; in a plain
 * program as it was recorded. */
static tn_status settle_node(compiler *c, const tn__node *node, tn__infer *infer, const size_t *operands, size_t first_output)
{
    if (!c->p->plain && can_fold(node, infer->input))
        return tn__compute_known(c->request->context, infer, &c->stand[first_output]);
    bool settled = !c->p->plain && all_full(infer);
    size_t same = c->p->plain ? SIZE_MAX : tn__simplify(c->p, infer, c->stand, operands);
    if (same != SIZE_MAX)
        return tn__ids_set(&c->slot_of, node->first_id, same);
    if (settled)
        TN_TRY(check_sizes(infer));
    else
        add_recorded(infer, node);
    for (size_t i = 0; i < node->output_count; i++)
        TN_TRY(stand_in(c, first_output + i, infer->output[i].dtype, &infer->output[i].shape));
    return add_step(c, node, infer, settled, first_output);
}

typedef struct {
    tn_tensor **input;
    size_t *operand;
    void *output;
} rooms;

static tn_status infer_and_settle(compiler *c, const tn__node *node, const rooms *r, size_t first_output)
{
    for (size_t i = 0; i < node->input_count; i++) {
        size_t slot = r->operand[i];
        if (slot == SIZE_MAX || !c->stand[slot])
            return tn__fail(TN_INTERNAL, "%s comes before its input %zu", node->op->name, i);
        r->input[i] = c->stand[slot];
    }
    tn__infer infer = { node->op, node->attrs, r->input, node->input_count, node->output_count, r->output, false };
    for (size_t i = 0; i < node->output_count; i++) {
        infer.output[i].dtype = node->output[i].dtype;
        infer.output[i].shape = node->output[i].shape;
    }
    if (!c->p->plain)
        TN_TRY(tn__infer_op(&infer));
    return settle_node(c, node, &infer, r->operand, first_output);
}

static tn_status unfed(const tn__node *node)
{
    const tn_shape *shape = &node->output[0].shape;
    return tn__fail(TN_INVALID_ARGUMENT, "You must feed a value for placeholder tensor '%s' with dtype %s%s%s",
                    node->name ? node->name : "Placeholder", tn__dtype_op_name(node->output[0].dtype), shape->known ? " and shape " : "",
                    shape->known ? TN__BRACKETS(*shape) : "");
}

static tn_status new_slots(compiler *c, const tn__node *node)
{
    size_t slot;
    for (size_t i = 0; i < node->output_count; i++)
        TN_TRY(new_slot(c, node->first_id + i, &slot));
    return TN_OK;
}

/* Its outputs are an earlier step's. */
static tn_status share_slots(compiler *c, const tn__node *node, size_t step)
{
    for (size_t i = 0; i < node->output_count; i++)
        TN_TRY(tn__ids_set(&c->slot_of, node->first_id + i, c->p->step.item[step].first_output + i));
    return TN_OK;
}

static tn_status make_step(compiler *c, const tn__node *node, const rooms *r)
{
    for (size_t i = 0; i < node->input_count; i++)
        r->operand[i] = slot_of(c, node->input[i]);
    size_t step = tn__common_find(&c->common, c->p, node, r->operand), first = c->p->slots, steps = c->p->step.count;
    if (step != SIZE_MAX)
        return share_slots(c, node, step);
    TN_TRY(new_slots(c, node));
    TN_TRY(infer_and_settle(c, node, r, first));
    return c->p->step.count > steps && !c->p->plain ? tn__common_add(&c->common, c->p) : TN_OK;
}

static tn_status take_captured(compiler *c, const tn__node *node)
{
    tn_tensor *value = tn__node_capture(node);
    size_t slot = SIZE_MAX;
    if (!c->p->plain)
        TN_TRY(tn__common_constant(&c->common, c->stand, value, c->p->slots, &slot));
    if (slot != SIZE_MAX)
        return tn__ids_set(&c->slot_of, node->first_id, slot);
    TN_TRY(new_slots(c, node));
    c->stand[c->p->slots - 1] = tn__retain(value);
    return TN_OK;
}

static tn_status compile_node(compiler *c, const tn__node *node)
{
    if (tn__node_capture(node))
        return take_captured(c, node);
    if (node->op == &tn__op_Placeholder)
        return unfed(node);
    rooms r = { tn__alloc(node->input_count * sizeof *r.input), tn__alloc(node->input_count * sizeof *r.operand),
                tn__alloc_zeroed(node->output_count, sizeof *((tn__infer *)0)->output) };
    tn_status status = r.input && r.operand && r.output ? make_step(c, node, &r) : TN_RESOURCE_EXHAUSTED;
    tn__free(r.input);
    tn__free(r.operand);
    tn__free(r.output);
    if (status != TN_OK && node->here)
        tn__fail_note("%s was made at %s", node->op->name, node->here);
    return status;
}

/* Fetched for what it does: it has no outputs. */
static bool is_target(const tn_tensor *x)
{
    return x->form == TN__SYMBOLIC && node_of(x)->output_count == 0;
}

static tn_status settle_fetches(compiler *c)
{
    tn_tensor *const *fetches = c->request->fetches;
    tn__program *p = c->p;
    p->fetch_slot = tn__alloc_zeroed(p->fetches, sizeof *p->fetch_slot);
    if (!p->fetch_slot)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < p->fetches; i++) {
        p->fetch_slot[i] = slot_of(c, fetches[i]);
        if (p->fetch_slot[i] == SIZE_MAX && !is_target(fetches[i]))
            return tn__fail(TN_INTERNAL, "fetch %zu was not computed", i);
    }
    return TN_OK;
}

static void note_last_uses(tn__program *p)
{
    for (size_t i = 0; i < p->step.count; i++)
        for (size_t k = 0; k < tn__step_inputs(&p->step.item[i]); k++)
            p->last_use[p->operand.item[p->step.item[i].first_input + k]] = i + 1;
    for (size_t i = 0; i < p->fetches; i++)
        if (p->fetch_slot[i] != SIZE_MAX)
            p->last_use[p->fetch_slot[i]] = SIZE_MAX;
}

/* Constants that steps or fetches use stay in the program. */
static tn_status keep_constants(compiler *c)
{
    tn__program *p = c->p;
    p->constant = tn__alloc_zeroed(p->slots, sizeof *p->constant);
    if (!p->constant)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < p->slots; i++)
        if (p->last_use[i] && c->stand[i] && c->stand[i]->form != TN__SYMBOLIC)
            p->constant[i] = tn__retain(c->stand[i]);
    return TN_OK;
}

/* A slot that somebody has to let go of: not a constant, and not in the workspace. */
static bool is_loose(const tn__program *p, size_t slot)
{
    return slot >= p->feeds && !p->constant[slot] && !p->place[slot].placed;
}

static bool is_lean(const tn__program *p, const tn__step *s)
{
    const tn__node *node = s->node;
    size_t kept = node->op->count_kept ? node->op->count_kept(node->attrs) : 0;
    bool used = kept == 0;
    for (size_t i = node->output_count - kept; i < node->output_count; i++)
        used |= p->last_use[s->first_output + i] != 0;
    return !used;
}

/* After each step, the loose slots that are dead. */
static tn_status place_deaths(tn__program *p)
{
    for (size_t s = 0; s < p->step.count; s++) {
        tn__step *at = &p->step.item[s];
        at->lean = !p->plain && is_lean(p, at);
        at->dies = p->death.count;
        for (size_t i = 0; i < tn__step_inputs(at); i++) {
            size_t slot = p->operand.item[at->first_input + i];
            if (p->last_use[slot] == s + 1 && is_loose(p, slot)) {
                TN_TRY(TN__PUSH(&p->death, slot));
                p->last_use[slot] = 0; /* once, also when it is two inputs */
            }
        }
        for (size_t i = 0; i < tn__step_outputs(at); i++)
            if (p->last_use[tn__step_output(at, i)] == 0 && is_loose(p, tn__step_output(at, i)))
                TN_TRY(TN__PUSH(&p->death, tn__step_output(at, i)));
        at->deaths = p->death.count - at->dies;
    }
    return TN_OK;
}

static tn_status place_feeds(compiler *c)
{
    tn_tensor *const *keys = c->request->keys, *const *feeds = c->request->feeds;
    tn__program *p = c->p;
    for (size_t i = 0, slot; i < p->feeds; i++) {
        TN_TRY(new_slot(c, keys[i]->id, &slot));
        TN_TRY(stand_in(c, slot, (tn_dtype)feeds[i]->dtype, &feeds[i]->shape));
    }
    return TN_OK;
}

static tn_status compile_all(compiler *c)
{
    mark_needed(c);
    TN_TRY(place_feeds(c));
    for (size_t i = 0; i < c->request->graph->node.count; i++)
        if (c->needed[i])
            TN_TRY(compile_node(c, c->request->graph->node.item[i]));
    TN_TRY(settle_fetches(c));
    if (!c->p->plain) {
        TN_TRY(tn__program_drop_unused(c->p));
        TN_TRY(tn__program_fuse(c->p, c->stand));
        TN_TRY(tn__program_take_along(c->p, c->stand));
    }
    note_last_uses(c->p);
    TN_TRY(keep_constants(c));
    TN_TRY(tn__program_place(c->p));
    return place_deaths(c->p);
}

static tn_status describe_signature(tn__program *p, const tn__request *r)
{
    p->key_id = tn__alloc((p->feeds + p->fetches) * sizeof *p->key_id);
    p->feed_shape = tn__alloc(p->feeds * sizeof *p->feed_shape);
    p->feed_dtype = tn__alloc(p->feeds * sizeof *p->feed_dtype);
    if (!p->key_id || !p->feed_shape || !p->feed_dtype)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < p->feeds; i++) {
        p->key_id[i] = r->keys[i]->id;
        p->feed_shape[i] = r->feeds[i]->shape;
        p->feed_dtype[i] = (tn_dtype)r->feeds[i]->dtype;
    }
    for (size_t i = 0; i < p->fetches; i++)
        p->key_id[p->feeds + i] = r->fetches[i]->id;
    return TN_OK;
}

static tn_status compile_into(tn__program *p, const tn__request *request)
{
    size_t nodes = request->graph->node.count, most = request->feed_count;
    for (size_t i = 0; i < nodes; i++)
        most += request->graph->node.item[i]->output_count;
    compiler c = { .request = request, .p = p };
    c.stand = tn__alloc_zeroed(most, sizeof *c.stand);
    c.needed = tn__alloc_zeroed(nodes, sizeof *c.needed);
    c.fed = tn__alloc_zeroed(nodes, sizeof *c.fed);
    p->last_use = tn__alloc_zeroed(most, sizeof *p->last_use);
    tn_status status = c.stand && c.needed && c.fed && p->last_use ? describe_signature(p, request) : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        status = compile_all(&c);
    for (size_t i = 0; c.stand && i < p->slots; i++)
        tn__release(c.stand[i]);
    tn__free(c.stand);
    tn__free(c.needed);
    tn__free(c.fed);
    tn__ids_free(&c.slot_of);
    tn__common_free(&c.common);
    return status;
}

tn_status tn__program_compile(const tn__request *request, tn__program **program)
{
    tn__program *p = tn__alloc_zeroed(1, sizeof *p);
    if (!p)
        return TN_RESOURCE_EXHAUSTED;
    pthread_mutex_init(&p->lock, NULL);
    p->feeds = request->feed_count;
    p->fetches = request->fetch_count;
    p->effects = request->effects;
    p->plain = request->context->plain;
    atomic_init(&p->users, 1);
    tn_status status = compile_into(p, request);
    if (status == TN_OK && getenv("TN_PLAN_DUMP"))
        tn__program_dump(p);
    if (status == TN_OK && getenv("TN_PLAN_PROFILE") && !(p->seconds = tn__alloc_zeroed(p->step.count, sizeof *p->seconds)))
        status = TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        *program = p;
    else
        tn__program_release(p);
    return status;
}
