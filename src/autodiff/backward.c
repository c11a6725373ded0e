/* backward.c - from the last record to the first: gradients arrive at outputs, a rule sends them on to the inputs. */
#include "autodiff/tape.h"
#include "base/text.h"
#include "ops/ops.h"
#include "ops/slices.h"
#include "runtime/graph_names.h"
#include <string.h>

typedef struct {
    tn_context *context;
    /* By the id of each tensor on a path from a source what has arrived there so far, a tn_tensor *, retained; 0: nothing yet. */
    tn__ids sum;
} backward;

static bool is_wanted(const backward *b, const tn_tensor *x)
{
    return tn__ids_find(&b->sum, x->id);
}

static tn_tensor *arrived(const backward *b, const tn_tensor *x)
{
    const size_t *sum = tn__ids_find(&b->sum, x->id);
    return sum ? (tn_tensor *)(uintptr_t)*sum : NULL;
}

/* At a tensor that is wanted. */
static tn_status arrive(const backward *b, const tn_tensor *x, tn_tensor *gradient)
{
    tn_tensor *before = arrived(b, x), *sum = before ? tn__add_gradients(before, gradient) : gradient;
    if (!sum)
        return b->context->error.status;
    *tn__ids_find(&b->sum, x->id) = (size_t)(uintptr_t)tn__retain(sum);
    tn__release(before);
    return TN_OK;
}

/* In a graph they are an op, since the shape may be known only when it runs. */
static tn_tensor *ones_like(const backward *b, tn_tensor *target)
{
    if (b->context->graph || target->form == TN__SYMBOLIC || !tn__shape_full(&target->shape))
        return TN__APPLY(tn__op_Fill, NULL, tn__shape_tensor(target), tn__like(target, 1));
    return tn__own(tn__tensor_fill((tn_dtype)target->dtype, &target->shape, 1));
}

/* The target's own gradient: ones, unless the caller gives it. */
static tn_status begin(const backward *b, tn_tensor *target, tn_tensor *seed)
{
    if (!tn__in(TN__FLOATS, (tn_dtype)target->dtype))
        return TN_OK;
    if (!seed)
        seed = ones_like(b, target);
    if (!seed)
        return b->context->error.status;
    return is_wanted(b, target) ? arrive(b, target, seed) : TN_OK;
}

static tn_status mark(backward *b, const tn_tensor *x)
{
    return is_wanted(b, x) ? TN_OK : tn__ids_set(&b->sum, x->id, 0);
}

/* Forward over the records: everything that depends on a source. */
static tn_status mark_wanted(backward *b, const tn__record *records, size_t count, tn_tensor *const *sources, size_t source_count)
{
    for (size_t i = 0; i < source_count; i++)
        TN_TRY(mark(b, sources[i]));
    for (size_t i = 0; i < count; i++) {
        bool on_path = false;
        for (size_t k = 0; k < records[i].inputs && !on_path; k++)
            on_path = is_wanted(b, records[i].input[k]);
        for (size_t k = 0; k < records[i].outputs && on_path; k++)
            if (tn__in(TN__FLOATS, (tn_dtype)records[i].output[k]->dtype))
                TN_TRY(mark(b, records[i].output[k]));
    }
    return TN_OK;
}

static tn_status send_on(const backward *b, const tn__record *r, tn_tensor *const *din, const bool *wanted)
{
    for (size_t i = 0; i < r->inputs; i++)
        if (wanted[i] && din[i])
            TN_TRY(arrive(b, r->input[i], din[i]));
    return b->context->error.status;
}

/* The rule's ops; those of a named node stand, as in TensorFlow, under "its/name_grad". */
static tn_status run_rule(const backward *b, const tn__record *r, tn__gradient *g)
{
    tn_context *context = b->context;
    const char *outer = context->name_scope;
    char *wanted = r->name ? tn__print("%s_grad", r->name) : NULL;
    char *scope = wanted ? tn__graph_unique(context->graph, outer, wanted) : NULL;
    tn__free(wanted);
    if (r->name && !scope)
        return TN_RESOURCE_EXHAUSTED;
    context->name_scope = scope ? scope : outer;
    r->op->gradient(g);
    context->name_scope = outer;
    tn__free(scope);
    return context->error.status;
}

/* One rule, in a memory scope of its own. */
static tn_status apply_rule(const backward *b, const tn__record *r, tn_tensor **dout, tn_tensor **din, bool *wanted)
{
    bool any = false, needed = false;
    for (size_t i = 0; i < r->outputs; i++) {
        dout[i] = arrived(b, r->output[i]);
        any |= dout[i] != NULL;
    }
    for (size_t i = 0; i < r->inputs; i++) {
        din[i] = NULL;
        wanted[i] = is_wanted(b, r->input[i]);
        needed |= wanted[i];
    }
    if (!any || !needed)
        return TN_OK;
    size_t depth = tn__scope_begin("a gradient rule");
    tn__gradient g = { r->op, r->attrs, r->input, r->output, r->inputs, r->outputs, dout, din, wanted };
    tn_status status = run_rule(b, r, &g);
    if (status == TN_OK)
        status = send_on(b, r, din, wanted);
    tn__scope_end(depth);
    if (status != TN_OK)
        tn__fail_note("in the gradient of %s", r->op->name);
    return status;
}

static tn_status walk(const backward *b, const tn__record *records, size_t count)
{
    enum { LOCAL = 16 };
    for (size_t i = count; i-- > 0;) {
        const tn__record *r = &records[i];
        tn_tensor *local[2 * LOCAL], **pointers = local;
        bool local_wanted[LOCAL], *wanted = local_wanted;
        size_t inputs = r->inputs, outputs = r->outputs;
        bool large = inputs > LOCAL || outputs > LOCAL;
        if (large) {
            pointers = tn__alloc((inputs + outputs) * sizeof *pointers);
            wanted = tn__alloc(inputs * sizeof *wanted);
        }
        tn_status status = pointers && wanted ? apply_rule(b, r, pointers, pointers + outputs, wanted) : TN_RESOURCE_EXHAUSTED;
        if (large) {
            tn__free(pointers);
            tn__free(wanted);
        }
        TN_TRY(status);
    }
    return TN_OK;
}

static tn_status run(backward *b, const tn__record *records, size_t count, tn_tensor *const *targets, tn_tensor *const *seeds,
                     size_t target_count, tn_tensor *const *sources, size_t source_count, tn_tensor **gradients)
{
    TN_TRY(mark_wanted(b, records, count, sources, source_count));
    for (size_t i = 0; i < target_count; i++)
        TN_TRY(begin(b, targets[i], seeds ? seeds[i] : NULL));
    TN_TRY(walk(b, records, count));
    for (size_t i = 0; i < source_count; i++)
        gradients[i] = tn__retain(arrived(b, sources[i]));
    return TN_OK;
}

tn_status tn__gradients_of(tn_context *context, const tn__record *records, size_t count, tn_tensor *const *targets,
                           tn_tensor *const *seeds, size_t target_count, tn_tensor *const *sources, size_t source_count,
                           tn_tensor **gradients)
{
    struct tn__ids_entry sums[16] = { 0 };
    backward b = { context, TN__IDS_IN(sums) };
    for (size_t i = 0; i < source_count; i++)
        gradients[i] = NULL;
    size_t depth = tn__scope_begin("tn_gradient");
    tn_status status = run(&b, records, count, targets, seeds, target_count, sources, source_count, gradients);
    tn__scope_end(depth);
    for (size_t i = 0; i < b.sum.capacity; i++)
        if (b.sum.item[i].value)
            tn__release((tn_tensor *)(uintptr_t)b.sum.item[i].value);
    tn__ids_free(&b.sum);
    return status;
}
