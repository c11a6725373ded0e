/* program.c - compiling a graph for concrete shapes, and running what came out. */
#include "plan/program.h"
#include "ops/array.h"
#include <pthread.h>
#include <string.h>

enum { MOST_PROGRAMS = 16 };

typedef struct {
    const tn__node *node; /* the graph keeps it */
    size_t first_input;   /* in the program's `operand` */
    size_t first_output;  /* slots of the outputs are consecutive */
    size_t dies, deaths;  /* in the program's `death`: slots whose last use this is */
    void *output;         /* dtypes and shapes that later steps count on, as tn__infer.output */
    bool settled;         /* inference has given every output its full shape */
    bool lean;            /* nothing uses what it gives for gradients alone */
} step;

typedef struct program {
    struct program *next;  /* most recently used first */
    _Atomic size_t users;  /* runs going on, and the cache */
    uint64_t *key_id;      /* of keys, then of fetches */
    tn_shape *feed_shape;
    tn_dtype *feed_dtype;
    size_t feeds, fetches;
    bool effects;
    struct {
        step *item;
        size_t count, capacity;
    } step;
    struct {
        size_t *item;
        size_t count, capacity;
    } operand, death;
    tn_tensor **constant;  /* by slot: what is there before the first step, retained; NULL: nothing */
    size_t *feed_slot, *fetch_slot;
    size_t slots;
} program;

struct tn__programs {
    pthread_mutex_t lock;
    program *first;
    size_t count;
};

/* --- life of programs --------------------------------------------------------------------------------------------------- */
static void program_release(program *p)
{
    if (!p || atomic_fetch_sub(&p->users, 1) != 1)
        return;
    for (size_t i = 0; i < p->step.count; i++)
        tn__free(p->step.item[i].output);
    for (size_t i = 0; p->constant && i < p->slots; i++)
        tn__release(p->constant[i]);
    tn__free(p->key_id);
    tn__free(p->feed_shape);
    tn__free(p->feed_dtype);
    tn__free(p->step.item);
    tn__free(p->operand.item);
    tn__free(p->death.item);
    tn__free(p->constant);
    tn__free(p->feed_slot);
    tn__free(p->fetch_slot);
    tn__free(p);
}

void tn__programs_free(tn__programs *programs)
{
    if (!programs)
        return;
    while (programs->first) {
        program *next = programs->first->next;
        program_release(programs->first);
        programs->first = next;
    }
    pthread_mutex_destroy(&programs->lock);
    tn__free(programs);
}

/* --- compiling ---------------------------------------------------------------------------------------------------------- */
typedef struct {
    tn_context *context;
    tn_graph *graph;
    program *p;
    tn__ids slot_of;       /* id of a tensor to its slot */
    tn_tensor **stand;     /* by slot: a value (constant or folded), a variable, or a symbolic stand-in of concrete shape */
    bool *needed, *fed;    /* by node */
    size_t *last_use;      /* by slot: the step + 1 */
} compiler;

static bool is_leaf(const tn__node *node)
{
    return node->op == &tn__op_Placeholder || node->op == &tn__op_Const || node->op == &tn__op_VarHandleOp;
}

static const tn__node *node_of(const tn_tensor *x)
{
    return x->of.output.node;
}

/* From the fetches back; feeds cut. */
static void mark_needed(compiler *c, tn_tensor *const *keys, tn_tensor *const *fetches)
{
    program *p = c->p;
    for (size_t i = 0; i < p->fetches; i++)
        if (fetches[i]->form == TN__SYMBOLIC)
            c->needed[node_of(fetches[i])->index] = true;
    for (size_t i = 0; i < p->feeds; i++)
        c->fed[node_of(keys[i])->index] = true;
    for (size_t i = 0; i < c->graph->node.count && p->effects; i++) {
        const tn__node *node = c->graph->node.item[i];
        c->needed[i] |= (node->op->flags & TN__STATEFUL) && !is_leaf(node);
    }
    tn__graph_mark_needed(c->graph, c->fed, c->needed);
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
    program *p = c->p;
    size_t bytes = infer->output_count * sizeof *infer->output;
    step s = { .node = node, .first_input = p->operand.count, .first_output = first_output, .settled = settled };
    for (size_t i = 0; i < node->input_count; i++) {
        size_t slot = slot_of(c, node->input[i]);
        TN_TRY(TN__PUSH(&p->operand, slot));
        c->last_use[slot] = p->step.count + 1;
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

/* Folded: its outputs are constants. Else: a step, and stand-ins for what it will give. */
static tn_status settle_node(compiler *c, const tn__node *node, tn__infer *infer, size_t first_output)
{
    if (can_fold(node, infer->input))
        return tn__compute_known(c->context, infer, &c->stand[first_output]);
    bool settled = all_full(infer);
    if (!settled)
        add_recorded(infer, node);
    for (size_t i = 0; i < node->output_count; i++)
        TN_TRY(stand_in(c, first_output + i, infer->output[i].dtype, &infer->output[i].shape));
    return add_step(c, node, infer, settled, first_output);
}

static tn_status infer_and_settle(compiler *c, const tn__node *node, tn_tensor **inputs, void *outputs, size_t first_output)
{
    for (size_t i = 0; i < node->input_count; i++) {
        size_t slot = slot_of(c, node->input[i]);
        if (slot == SIZE_MAX || !c->stand[slot])
            return tn__fail(TN_INTERNAL, "%s comes before its input %zu", node->op->name, i);
        inputs[i] = c->stand[slot];
    }
    tn__infer infer = { node->op, node->attrs, inputs, node->input_count, node->output_count, outputs, false };
    for (size_t i = 0; i < node->output_count; i++) {
        infer.output[i].dtype = node->output[i].dtype;
        infer.output[i].shape = node->output[i].shape;
    }
    TN_TRY(tn__infer_op(&infer));
    return settle_node(c, node, &infer, first_output);
}

static tn_status compile_node(compiler *c, const tn__node *node)
{
    size_t first = c->p->slots, slot;
    for (size_t i = 0; i < node->output_count; i++)
        TN_TRY(new_slot(c, node->first_id + i, &slot));
    if (node->op == &tn__op_Const || node->op == &tn__op_VarHandleOp) {
        c->stand[first] = tn__retain(*(tn_tensor **)node->attrs);
        return TN_OK;
    }
    if (node->op == &tn__op_Placeholder)
        return tn__fail(TN_INVALID_ARGUMENT, "You must feed a value for placeholder tensor '%s' with dtype %s%s%s",
                        node->name ? node->name : "Placeholder", tn__dtype_op_name(node->output[0].dtype),
                        node->output[0].shape.known ? " and shape " : "", node->output[0].shape.known ? TN__BRACKETS(node->output[0].shape) : "");
    tn_tensor **inputs = tn__alloc(node->input_count * sizeof *inputs);
    void *outputs = tn__alloc_zeroed(node->output_count, sizeof *((tn__infer *)0)->output);
    tn_status status = inputs && outputs ? infer_and_settle(c, node, inputs, outputs, first) : TN_RESOURCE_EXHAUSTED;
    tn__free(inputs);
    tn__free(outputs);
    if (status != TN_OK && node->here)
        tn__fail_note("%s was made at %s", node->op->name, node->here);
    return status;
}

/* Fetched for what it does: it has no outputs. */
static bool is_target(const tn_tensor *x)
{
    return x->form == TN__SYMBOLIC && node_of(x)->output_count == 0;
}

/* Constants that steps or fetches use stay in the program. */
static tn_status keep_constants(compiler *c, tn_tensor *const *fetches)
{
    program *p = c->p;
    p->constant = tn__alloc_zeroed(p->slots, sizeof *p->constant);
    p->fetch_slot = tn__alloc_zeroed(p->fetches, sizeof *p->fetch_slot);
    if (!p->constant || !p->fetch_slot)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < p->fetches; i++) {
        p->fetch_slot[i] = slot_of(c, fetches[i]);
        if (is_target(fetches[i]))
            continue;
        if (p->fetch_slot[i] == SIZE_MAX)
            return tn__fail(TN_INTERNAL, "fetch %zu was not computed", i);
        c->last_use[p->fetch_slot[i]] = SIZE_MAX;
    }
    for (size_t i = 0; i < p->slots; i++)
        if (c->last_use[i] && c->stand[i] && c->stand[i]->form != TN__SYMBOLIC)
            p->constant[i] = tn__retain(c->stand[i]);
    return TN_OK;
}

static bool is_lean(const compiler *c, const step *s)
{
    const tn__node *node = s->node;
    size_t kept = node->op->count_kept ? node->op->count_kept(node->attrs) : 0;
    bool used = kept == 0;
    for (size_t i = node->output_count - kept; i < node->output_count; i++)
        used |= c->last_use[s->first_output + i] != 0;
    return !used;
}

/* After each step, the slots that are dead. */
static tn_status place_deaths(compiler *c)
{
    program *p = c->p;
    for (size_t s = 0; s < p->step.count; s++) {
        step *at = &p->step.item[s];
        at->lean = is_lean(c, at);
        at->dies = p->death.count;
        for (size_t i = 0; i < at->node->input_count; i++) {
            size_t slot = p->operand.item[at->first_input + i];
            if (c->last_use[slot] == s + 1 && !p->constant[slot]) {
                TN_TRY(TN__PUSH(&p->death, slot));
                c->last_use[slot] = 0; /* once, also when it is two inputs */
            }
        }
        for (size_t i = 0; i < at->node->output_count; i++)
            if (c->last_use[at->first_output + i] == 0 && !p->constant[at->first_output + i])
                TN_TRY(TN__PUSH(&p->death, at->first_output + i));
        at->deaths = p->death.count - at->dies;
    }
    return TN_OK;
}

static tn_status place_feeds(compiler *c, tn_tensor *const *keys, tn_tensor *const *feeds)
{
    program *p = c->p;
    for (size_t i = 0; i < p->feeds; i++) {
        TN_TRY(new_slot(c, keys[i]->id, &p->feed_slot[i]));
        TN_TRY(stand_in(c, p->feed_slot[i], (tn_dtype)feeds[i]->dtype, &feeds[i]->shape));
    }
    return TN_OK;
}

static tn_status compile_all(compiler *c, tn_tensor *const *keys, tn_tensor *const *feeds, tn_tensor *const *fetches)
{
    mark_needed(c, keys, fetches);
    TN_TRY(place_feeds(c, keys, feeds));
    for (size_t i = 0; i < c->graph->node.count; i++)
        if (c->needed[i])
            TN_TRY(compile_node(c, c->graph->node.item[i]));
    TN_TRY(keep_constants(c, fetches));
    return place_deaths(c);
}

static tn_status describe_signature(program *p, tn_tensor *const *keys, tn_tensor *const *feeds, tn_tensor *const *fetches)
{
    p->key_id = tn__alloc((p->feeds + p->fetches) * sizeof *p->key_id);
    p->feed_shape = tn__alloc(p->feeds * sizeof *p->feed_shape);
    p->feed_dtype = tn__alloc(p->feeds * sizeof *p->feed_dtype);
    p->feed_slot = tn__alloc(p->feeds * sizeof *p->feed_slot);
    if (!p->key_id || !p->feed_shape || !p->feed_dtype || !p->feed_slot)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < p->feeds; i++) {
        p->key_id[i] = keys[i]->id;
        p->feed_shape[i] = feeds[i]->shape;
        p->feed_dtype[i] = (tn_dtype)feeds[i]->dtype;
    }
    for (size_t i = 0; i < p->fetches; i++)
        p->key_id[p->feeds + i] = fetches[i]->id;
    return TN_OK;
}

static tn_status compile(tn_context *context, tn_graph *graph, tn_tensor *const *keys, tn_tensor *const *feeds, size_t feed_count,
                         tn_tensor *const *fetches, size_t fetch_count, bool effects, program **out)
{
    size_t most = feed_count;
    for (size_t i = 0; i < graph->node.count; i++)
        most += graph->node.item[i]->output_count;
    program *p = tn__alloc_zeroed(1, sizeof *p);
    if (!p)
        return TN_RESOURCE_EXHAUSTED;
    p->feeds = feed_count;
    p->fetches = fetch_count;
    p->effects = effects;
    atomic_init(&p->users, 1);
    compiler c = { .context = context, .graph = graph, .p = p };
    c.stand = tn__alloc_zeroed(most, sizeof *c.stand);
    c.needed = tn__alloc_zeroed(graph->node.count, sizeof *c.needed);
    c.last_use = tn__alloc_zeroed(most, sizeof *c.last_use);
    c.fed = tn__alloc_zeroed(graph->node.count, sizeof *c.fed);
    tn_status status = c.stand && c.needed && c.fed && c.last_use ? describe_signature(p, keys, feeds, fetches) : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK)
        status = compile_all(&c, keys, feeds, fetches);
    for (size_t i = 0; c.stand && i < p->slots; i++)
        tn__release(c.stand[i]);
    tn__free(c.stand);
    tn__free(c.needed);
    tn__free(c.fed);
    tn__free(c.last_use);
    tn__ids_free(&c.slot_of);
    if (status == TN_OK)
        *out = p;
    else
        program_release(p);
    return status;
}

/* --- the cache ---------------------------------------------------------------------------------------------------------- */
static bool matches(const program *p, tn_tensor *const *keys, tn_tensor *const *feeds, size_t feed_count, tn_tensor *const *fetches,
                    size_t fetch_count, bool effects)
{
    if (p->feeds != feed_count || p->fetches != fetch_count || p->effects != effects)
        return false;
    for (size_t i = 0; i < feed_count; i++)
        if (p->key_id[i] != keys[i]->id || p->feed_dtype[i] != (tn_dtype)feeds[i]->dtype ||
            !tn__shape_equal(&p->feed_shape[i], &feeds[i]->shape))
            return false;
    for (size_t i = 0; i < fetch_count; i++)
        if (p->key_id[feed_count + i] != fetches[i]->id)
            return false;
    return true;
}

static void drop_oldest(tn__programs *cache)
{
    program **at = &cache->first;
    while ((*at)->next)
        at = &(*at)->next;
    program_release(*at);
    *at = NULL;
    cache->count--;
}

static tn_status cache_of(tn_graph *graph, tn__programs **cache)
{
    static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&making);
    if (!graph->programs) {
        graph->programs = tn__alloc_zeroed(1, sizeof *graph->programs);
        if (graph->programs)
            pthread_mutex_init(&graph->programs->lock, NULL);
    }
    pthread_mutex_unlock(&making);
    *cache = graph->programs;
    return graph->programs ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* A program for this signature, one more user. The lock is held while compiling, so a signature is compiled once. */
static tn_status find_or_compile(tn_context *context, tn_graph *graph, tn_tensor *const *keys, tn_tensor *const *feeds, size_t feed_count,
                                 tn_tensor *const *fetches, size_t fetch_count, bool effects, program **out)
{
    tn__programs *cache;
    TN_TRY(cache_of(graph, &cache));
    tn_status status = TN_OK;
    pthread_mutex_lock(&cache->lock);
    program **at = &cache->first, *found = NULL;
    while (*at && !matches(*at, keys, feeds, feed_count, fetches, fetch_count, effects))
        at = &(*at)->next;
    if (*at) {
        found = *at;
        *at = found->next;
    } else {
        status = compile(context, graph, keys, feeds, feed_count, fetches, fetch_count, effects, &found);
        cache->count += status == TN_OK;
    }
    if (found) {
        found->next = cache->first;
        cache->first = found;
        atomic_fetch_add(&found->users, 1);
        if (cache->count > MOST_PROGRAMS)
            drop_oldest(cache);
    }
    pthread_mutex_unlock(&cache->lock);
    *out = found;
    return status;
}

/* --- running ------------------------------------------------------------------------------------------------------------ */
/* Later steps were compiled for these shapes. */
static tn_status check_outputs(const tn__infer *expected, tn_tensor *const *outputs)
{
    for (size_t i = 0; i < expected->output_count; i++)
        if (outputs[i] && (!tn__shape_fits(&outputs[i]->shape, &expected->output[i].shape) || outputs[i]->dtype != expected->output[i].dtype))
            return tn__fail(TN_INVALID_ARGUMENT, "%s: output %zu is %s, but the graph says that it is %s %s", expected->op->name, i,
                            TN__TENSOR(outputs[i]), tn__dtype_name(expected->output[i].dtype), TN__SHAPE(expected->output[i].shape));
    return TN_OK;
}

static tn_status run_step(tn_context *context, const program *p, const step *s, tn_tensor **value)
{
    const tn__node *node = s->node;
    tn_tensor *local[16], **inputs = local;
    if (node->input_count > 16 && !(inputs = tn__alloc(node->input_count * sizeof *inputs)))
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < node->input_count; i++)
        inputs[i] = value[p->operand.item[s->first_input + i]];
    tn__infer infer = { node->op, node->attrs, inputs, node->input_count, node->output_count, s->output, s->lean };
    tn_status status = s->settled || s->lean ? tn__compute_known(context, &infer, &value[s->first_output])
                                  : tn__compute(context, node->op, node->attrs, inputs, node->input_count, &value[s->first_output],
                                                node->output_count);
    if (status == TN_OK)
        status = check_outputs(&infer, &value[s->first_output]);
    if (inputs != local)
        tn__free(inputs);
    if (status != TN_OK && node->here)
        tn__fail_note("%s was made at %s", node->op->name, node->here);
    return status;
}

static void drop(tn_tensor **value)
{
    tn__release(*value);
    *value = NULL;
}

static tn_status run(tn_context *context, const program *p, tn_tensor *const *feeds, tn_tensor **value, tn_tensor **results)
{
    for (size_t i = 0; i < p->slots; i++)
        value[i] = tn__retain(p->constant[i]);
    for (size_t i = 0; i < p->feeds; i++)
        tn__assign_object(&value[p->feed_slot[i]], feeds[i]);
    for (size_t i = 0; i < p->step.count; i++) {
        const step *s = &p->step.item[i];
        TN_TRY(run_step(context, p, s, value));
        for (size_t d = 0; d < s->deaths; d++)
            drop(&value[p->death.item[s->dies + d]]);
    }
    for (size_t i = 0; i < p->fetches; i++)
        results[i] = p->fetch_slot[i] == SIZE_MAX ? NULL : tn__retain(value[p->fetch_slot[i]]);
    return TN_OK;
}

tn_status tn__graph_run(tn_context *context, tn_graph *graph, tn_tensor *const *keys, tn_tensor *const *feeds, size_t feed_count,
                        tn_tensor *const *fetches, size_t fetch_count, bool effects, tn_tensor **results)
{
    for (size_t i = 0; i < fetch_count; i++)
        results[i] = NULL;
    program *p;
    TN_TRY(find_or_compile(context, graph, keys, feeds, feed_count, fetches, fetch_count, effects, &p));
    tn_tensor **value = tn__alloc_zeroed(p->slots, sizeof *value);
    tn_status status = value ? run(context, p, feeds, value, results) : TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; value && i < p->slots; i++)
        tn__release(value[i]);
    tn__free(value);
    program_release(p);
    return status;
}
