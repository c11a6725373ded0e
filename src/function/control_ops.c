/* control_ops.c - If, Case and While: running a graph's closures. */
#include "function/control.h"
#include "plan/program.h"
#include <string.h>

#define CLOSURE_ROWS(type, member) \
    { .kind = TN_FIELD_TENSOR, .name = #member "_graph", .offset = offsetof(type, member.graph) }, \
    { .kind = TN_FIELD_TENSOR, .name = #member "_inputs", .offset = offsetof(type, member.inputs) }, \
    { .kind = TN_FIELD_TENSOR, .name = #member "_outputs", .offset = offsetof(type, member.outputs) }
static const tn_field if_fields[] = {
    CLOSURE_ROWS(tn__if_attrs, then),
    CLOSURE_ROWS(tn__if_attrs, otherwise),
    TN__END_OF_FIELDS,
};
static const tn_field while_fields[] = {
    CLOSURE_ROWS(tn__while_attrs, condition),
    CLOSURE_ROWS(tn__while_attrs, body),
    TN__ROW(TN_FIELD_FLAG, tn__while_attrs, history, "false", NULL),
    TN__ROW(TN_FIELD_INT, tn__while_attrs, collected, "0", ">=0"),
    TN__END_OF_FIELDS,
};

static const tn_field case_fields[] = {
    TN__ROW(TN_FIELD_TENSOR, tn__case_attrs, branches, NULL, NULL),
    TN__END_OF_FIELDS,
};

static void closures_destroy(void *object)
{
    tn__closures *closures = object;
    for (size_t i = 0; closures->item && i < closures->count; i++) {
        tn__release(closures->item[i].graph);
        tn__release(closures->item[i].inputs);
        tn__release(closures->item[i].outputs);
    }
    tn__free(closures->item);
}

TN__HANDLE_SIZE(tn__closures);
static const tn__type type_closures = { .name = "branches", .destroy = closures_destroy };

tn__closures *tn__closures_new(size_t count)
{
    tn__closures *closures = tn__object_new(&type_closures);
    if (!closures)
        return NULL;
    closures->count = count;
    if ((closures->item = tn__alloc_zeroed(count, sizeof *closures->item)))
        return closures;
    tn__release(closures);
    return NULL;
}

static const tn__closures *branches_of(const void *attrs)
{
    return (const tn__closures *)(const void *)((const tn__case_attrs *)attrs)->branches;
}

size_t tn__closure_inputs(const tn__closure *c)
{
    return c->inputs->of.tuple.count;
}

size_t tn__closure_outputs(const tn__closure *c)
{
    return c->outputs->of.tuple.count;
}

size_t tn__while_variables(const tn__while_attrs *attrs)
{
    return tn__closure_outputs(&attrs->body) - (size_t)attrs->collected;
}

bool tn__node_is_stateful(const tn__node *node, bool reading)
{
    const tn__op *op = node->op;
    if (op == &tn__op_If || op == &tn__op_StatelessIf) {
        const tn__if_attrs *a = node->attrs;
        return tn__closure_is_stateful(&a->then, reading) || tn__closure_is_stateful(&a->otherwise, reading);
    }
    if (op == &tn__op_While || op == &tn__op_StatelessWhile) {
        const tn__while_attrs *a = node->attrs;
        return tn__closure_is_stateful(&a->condition, reading) || tn__closure_is_stateful(&a->body, reading);
    }
    if (op == &tn__op_Case || op == &tn__op_StatelessCase) {
        const tn__closures *branches = branches_of(node->attrs);
        bool any = false;
        for (size_t i = 0; i < branches->count && !any; i++)
            any = tn__closure_is_stateful(&branches->item[i], reading);
        return any;
    }
    bool counts = op != &tn__op_Placeholder && op != &tn__op_VarHandleOp && (reading || op != &tn__op_ReadVariableOp);
    return (op->flags & TN__STATEFUL) && counts;
}

bool tn__closure_is_stateful(const tn__closure *c, bool reading)
{
    const tn_graph *graph = (const tn_graph *)c->graph;
    for (size_t i = 0; i < graph->node.count; i++)
        if (tn__node_is_stateful(graph->node.item[i], reading))
            return true;
    return false;
}

tn_status tn__closure_run(tn_context *context, const tn__closure *c, tn_tensor *const *feeds, tn_tensor **results)
{
    return tn__graph_run(context, (tn_graph *)c->graph, c->inputs->of.tuple.item, feeds, tn__closure_inputs(c), c->outputs->of.tuple.item,
                         tn__closure_outputs(c), true, results);
}

/* A tape knows tensors by their ids: what goes through unchanged is another tensor behind the op, or gradients would count twice. */
static tn_status tell_apart(const tn_context *context, tn_tensor **outputs, size_t count)
{
    for (size_t i = 0; i < count && context->tapes; i++) {
        tn_tensor *view;
        TN_TRY(tn__tensor_view(outputs[i], &outputs[i]->shape, &view));
        tn__release(outputs[i]);
        outputs[i] = view;
    }
    return TN_OK;
}

/* One boolean, as TensorFlow asks of a predicate. */
static tn_status truth_of(const tn_tensor *x, const char *what, bool *truth)
{
    if (x->dtype != TN_BOOL || tn__count(x) != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "%s must be one bool, got %s", what, TN__TENSOR(x));
    *truth = tn__int_at(x, 0) != 0;
    return TN_OK;
}

/* --- If ----------------------------------------------------------------------------------------------------------------- */
static size_t if_outputs(const void *attrs, size_t inputs)
{
    (void)inputs;
    return tn__closure_outputs(&((const tn__if_attrs *)attrs)->then);
}

static tn_status if_infer(tn__infer *infer)
{
    const tn__if_attrs *a = infer->attrs;
    for (size_t i = 0; i < infer->output_count; i++) {
        const tn_tensor *x = a->then.outputs->of.tuple.item[i], *y = a->otherwise.outputs->of.tuple.item[i];
        infer->output[i].dtype = (tn_dtype)x->dtype;
        infer->output[i].shape = tn__shape_either(&x->shape, &y->shape);
    }
    return TN_OK;
}

static tn_status if_compute(tn__kernel *kernel)
{
    const tn__if_attrs *a = kernel->attrs;
    bool truth;
    TN_TRY(truth_of(kernel->input[0], "If: cond", &truth));
    TN_TRY(tn__closure_run(kernel->context, truth ? &a->then : &a->otherwise, kernel->input + 1, kernel->output));
    return tell_apart(kernel->context, kernel->output, kernel->output_count);
}

/* --- Case --------------------------------------------------------------------------------------------------------------- */
static size_t case_outputs(const void *attrs, size_t inputs)
{
    (void)inputs;
    return tn__closure_outputs(&branches_of(attrs)->item[0]);
}

static tn_status case_infer(tn__infer *infer)
{
    const tn__closures *branches = branches_of(infer->attrs);
    for (size_t i = 0; i < infer->output_count; i++) {
        const tn_tensor *first = branches->item[0].outputs->of.tuple.item[i];
        infer->output[i].dtype = (tn_dtype)first->dtype;
        infer->output[i].shape = first->shape;
        for (size_t k = 1; k < branches->count; k++)
            infer->output[i].shape = tn__shape_either(&infer->output[i].shape, &branches->item[k].outputs->of.tuple.item[i]->shape);
    }
    return TN_OK;
}

static tn_status case_compute(tn__kernel *kernel)
{
    const tn__closures *branches = branches_of(kernel->attrs);
    const tn_tensor *index = kernel->input[0];
    if (index->dtype != TN_INT32 || tn__count(index) != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "Case: branch_index must be one int32, got %s", TN__TENSOR(index));
    int64_t at = tn__int_at(index, 0);
    size_t branch = at < 0 || at >= (int64_t)branches->count ? branches->count - 1 : (size_t)at;
    TN_TRY(tn__closure_run(kernel->context, &branches->item[branch], kernel->input + 1, kernel->output));
    return tell_apart(kernel->context, kernel->output, kernel->output_count);
}

/* --- While -------------------------------------------------------------------------------------------------------------- */
static size_t while_outputs(const void *attrs, size_t inputs)
{
    (void)inputs;
    const tn__while_attrs *a = attrs;
    return tn__while_variables(a) * (a->history ? 2 : 1) + (size_t)a->collected;
}

/* What tensors of a shape are, one of every round, stacked. */
static tn_status shape_of_rounds(const tn_shape *one, int64_t count, tn_shape *shape)
{
    *shape = *one;
    if (!one->known)
        return TN_OK;
    if (one->rank == TN_MAX_RANK)
        return tn__fail(TN_UNIMPLEMENTED, "a loop that keeps a tensor of rank %d of every round", TN_MAX_RANK);
    memcpy(shape->dims + 1, one->dims, (size_t)one->rank * sizeof *shape->dims);
    shape->dims[0] = count;
    shape->rank++;
    return TN_OK;
}

static tn_status while_infer(tn__infer *infer)
{
    const tn__while_attrs *a = infer->attrs;
    size_t count = tn__while_variables(a), kept = infer->output_count - (size_t)a->collected;
    for (size_t i = 0; i < infer->output_count; i++) {
        const tn_tensor *x = i < kept ? a->body.inputs->of.tuple.item[i % count] : a->body.outputs->of.tuple.item[count + i - kept];
        infer->output[i].dtype = (tn_dtype)x->dtype;
        if (i >= count)
            TN_TRY(shape_of_rounds(&x->shape, TN_NONE, &infer->output[i].shape));
        else
            infer->output[i].shape = x->shape;
    }
    return TN_OK;
}

/* Tensors of round 0, then of round 1, …; retained. */
typedef struct {
    tn_tensor **item;
    size_t count, capacity;
} rounds;

/* A loop on its way. */
typedef struct {
    const tn__while_attrs *a;
    size_t count;       /* of loop variables */
    tn_tensor **feeds;  /* the variables' present values, retained, then the other inputs */
    rounds past, collected;
} loop;

static tn_status goes_on(tn_context *context, const loop *l, bool *on)
{
    tn_tensor *result;
    TN_TRY(tn__closure_run(context, &l->a->condition, l->feeds, &result));
    tn_status status = truth_of(result, "While: the condition", on);
    tn__release(result);
    return status;
}

static tn_status keep_past(loop *l)
{
    TN_TRY(TN__RESERVE(&l->past, l->count));
    for (size_t i = 0; i < l->count; i++)
        l->past.item[l->past.count++] = tn__retain(l->feeds[i]);
    return TN_OK;
}

static tn_status run_round(tn_context *context, loop *l, tn_tensor **results)
{
    if (l->a->history)
        TN_TRY(keep_past(l));
    TN_TRY(TN__RESERVE(&l->collected, (size_t)l->a->collected));
    TN_TRY(tn__closure_run(context, &l->a->body, l->feeds, results));
    for (size_t i = 0; i < l->count; i++) {
        tn__release(l->feeds[i]);
        l->feeds[i] = results[i];
    }
    for (int64_t i = 0; i < l->a->collected; i++)
        l->collected.item[l->collected.count++] = results[l->count + (size_t)i];
    return TN_OK;
}

/* The tensor number `place` of every round as one; `like` has its dtype, and its shape when there was no round. */
static tn_status stack_rounds(const rounds *r, size_t width, size_t place, const tn_tensor *like, tn_tensor **stacked)
{
    size_t count = r->count / width, bytes = 0;
    const tn_shape *first = count ? &r->item[place]->shape : &like->shape;
    if (!tn__shape_full(first))
        return tn__fail(TN_INVALID_ARGUMENT, "Tried to stack elements of an empty list with non-fully-defined element_shape: %s", TN__SHAPE(*first));
    tn_shape shape;
    TN_TRY(shape_of_rounds(first, (int64_t)count, &shape));
    TN_TRY(tn__tensor_new((tn_dtype)like->dtype, &shape, stacked));
    for (size_t i = 0; i < count; i++) {
        const tn_tensor *x = r->item[i * width + place];
        if (!tn__shape_equal(&x->shape, first))
            return tn__fail(TN_INVALID_ARGUMENT, "Incompatible shapes during merge: %s vs. %s\na loop whose rounds are stacked, for its gradient "
                                                 "too, gives tensors of one shape; in round %zu it is another",
                            TN__SHAPE(*first), TN__SHAPE(x->shape), i);
        bytes = tn__byte_count(x);
        if (bytes)
            memcpy((char *)(*stacked)->data + i * bytes, x->data, bytes);
    }
    return TN_OK;
}

static tn_status give_outputs(const loop *l, tn_tensor **outputs)
{
    size_t collected = (size_t)l->a->collected;
    for (size_t i = 0; i < l->count; i++)
        *outputs++ = tn__retain(l->feeds[i]);
    for (size_t i = 0; i < l->count && l->a->history; i++)
        TN_TRY(stack_rounds(&l->past, l->count, i, l->feeds[i], outputs++));
    for (size_t i = 0; i < collected; i++)
        TN_TRY(stack_rounds(&l->collected, collected, i, l->a->body.outputs->of.tuple.item[l->count + i], outputs++));
    return TN_OK;
}

static tn_status run_loop(tn_context *context, loop *l, tn_tensor **outputs)
{
    tn_tensor **results = tn__alloc((tn__closure_outputs(&l->a->body) + 1) * sizeof *results);
    bool on = true;
    tn_status status = results ? goes_on(context, l, &on) : TN_RESOURCE_EXHAUSTED;
    while (status == TN_OK && on) {
        status = run_round(context, l, results);
        if (status == TN_OK)
            status = goes_on(context, l, &on);
    }
    tn__free(results);
    return status == TN_OK ? give_outputs(l, outputs) : status;
}

static void rounds_free(rounds *r)
{
    for (size_t i = 0; i < r->count; i++)
        tn__release(r->item[i]);
    tn__free(r->item);
}

static tn_status while_compute(tn__kernel *kernel)
{
    const tn__while_attrs *a = kernel->attrs;
    size_t inputs = tn__closure_inputs(&a->body);
    loop l = { .a = a, .count = tn__while_variables(a), .feeds = tn__alloc((inputs + 1) * sizeof *l.feeds) };
    if (!l.feeds)
        return TN_RESOURCE_EXHAUSTED;
    memcpy(l.feeds, kernel->input, inputs * sizeof *l.feeds);
    for (size_t i = 0; i < l.count; i++)
        tn__retain(l.feeds[i]);
    tn_status status = run_loop(kernel->context, &l, kernel->output);
    if (status == TN_OK)
        status = tell_apart(kernel->context, kernel->output, l.count);
    for (size_t i = 0; i < l.count; i++)
        tn__release(l.feeds[i]);
    rounds_free(&l.past);
    rounds_free(&l.collected);
    tn__free(l.feeds);
    return status;
}

#define CONTROL(name_, label_, attrs_, fields_, outputs_, infer_, compute_, gradient_, flags_) \
    const tn__op tn__op_##name_ = { \
        .name = #name_, \
        .label = label_, \
        .inputs = "", \
        .outputs = "", \
        .attrs = fields_, \
        .attrs_size = sizeof(attrs_), \
        .count_outputs = outputs_, \
        .infer = infer_, \
        .compute = compute_, \
        .gradient = gradient_, \
        .flags = TN__ANY_INPUTS | TN__MAKES_OUTPUTS | TN__HALF | (flags_), \
    };
CONTROL(If, "cond", tn__if_attrs, if_fields, if_outputs, if_infer, if_compute, tn__if_gradient, TN__STATEFUL)
CONTROL(StatelessIf, "cond", tn__if_attrs, if_fields, if_outputs, if_infer, if_compute, tn__if_gradient, 0)
CONTROL(While, "while", tn__while_attrs, while_fields, while_outputs, while_infer, while_compute, tn__while_gradient, TN__STATEFUL)
CONTROL(StatelessWhile, "while", tn__while_attrs, while_fields, while_outputs, while_infer, while_compute, tn__while_gradient, 0)
CONTROL(Case, "switch_case/indexed_case", tn__case_attrs, case_fields, case_outputs, case_infer, case_compute, tn__case_gradient, TN__STATEFUL)
CONTROL(StatelessCase, "switch_case/indexed_case", tn__case_attrs, case_fields, case_outputs, case_infer, case_compute, tn__case_gradient, 0)
