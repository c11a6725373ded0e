/* control_ops.c - If and While: running a graph's closures. */
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
    TN__END_OF_FIELDS,
};

size_t tn__closure_inputs(const tn__closure *c)
{
    return c->inputs->of.tuple.count;
}

size_t tn__closure_outputs(const tn__closure *c)
{
    return c->outputs->of.tuple.count;
}

bool tn__closure_is_stateful(const tn__closure *c, bool reading)
{
    const tn_graph *graph = (const tn_graph *)c->graph;
    for (size_t i = 0; i < graph->node.count; i++) {
        const tn__op *op = graph->node.item[i]->op;
        bool counts = op != &tn__op_Placeholder && op != &tn__op_VarHandleOp && (reading || op != &tn__op_ReadVariableOp);
        if ((op->flags & TN__STATEFUL) && counts)
            return true;
    }
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

/* What both shapes are: a dimension that differs is not known. */
static tn_shape shape_of_either(const tn_shape *a, const tn_shape *b)
{
    tn_shape either = *a;
    if (!a->known || !b->known || a->rank != b->rank)
        return TN__UNKNOWN_SHAPE;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            either.dims[i] = TN_NONE;
    return either;
}

static tn_status if_infer(tn__infer *infer)
{
    const tn__if_attrs *a = infer->attrs;
    for (size_t i = 0; i < infer->output_count; i++) {
        const tn_tensor *x = a->then.outputs->of.tuple.item[i], *y = a->otherwise.outputs->of.tuple.item[i];
        infer->output[i].dtype = (tn_dtype)x->dtype;
        infer->output[i].shape = shape_of_either(&x->shape, &y->shape);
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

/* --- While -------------------------------------------------------------------------------------------------------------- */
static size_t while_outputs(const void *attrs, size_t inputs)
{
    (void)inputs;
    const tn__while_attrs *a = attrs;
    return tn__closure_outputs(&a->body) * (a->history ? 2 : 1);
}

static tn_status while_infer(tn__infer *infer)
{
    const tn__while_attrs *a = infer->attrs;
    size_t count = tn__closure_outputs(&a->body);
    for (size_t i = 0; i < infer->output_count; i++) {
        const tn_tensor *x = a->body.inputs->of.tuple.item[i % count];
        tn_shape *shape = &infer->output[i].shape;
        infer->output[i].dtype = (tn_dtype)x->dtype;
        *shape = x->shape;
        if (i < count || !shape->known)
            continue;
        if (shape->rank == TN_MAX_RANK)
            return tn__fail(TN_UNIMPLEMENTED, "the gradient of a loop over a tensor of rank %d", TN_MAX_RANK);
        memmove(shape->dims + 1, shape->dims, (size_t)shape->rank * sizeof *shape->dims);
        shape->dims[0] = TN_NONE;
        shape->rank++;
    }
    return TN_OK;
}

/* A loop on its way. */
typedef struct {
    const tn__while_attrs *a;
    size_t count;       /* of loop variables */
    tn_tensor **feeds;  /* the variables' present values, retained, then the other inputs */
    struct {
        tn_tensor **item; /* all variables of round 0, then of round 1, …; retained */
        size_t count, capacity;
    } past;
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
    TN_TRY(tn__closure_run(context, &l->a->body, l->feeds, results));
    for (size_t i = 0; i < l->count; i++) {
        tn__release(l->feeds[i]);
        l->feeds[i] = results[i];
    }
    return TN_OK;
}

/* Values of one variable in all rounds as one tensor. */
static tn_status stack_past(const loop *l, size_t variable, tn_tensor **stacked)
{
    size_t rounds = l->past.count / l->count, bytes = 0;
    const tn_tensor *first = rounds ? l->past.item[variable] : l->feeds[variable];
    tn_shape shape = { 1, first->shape.rank + 1, { (int64_t)rounds } };
    memcpy(shape.dims + 1, first->shape.dims, (size_t)first->shape.rank * sizeof *shape.dims);
    TN_TRY(tn__tensor_new((tn_dtype)first->dtype, &shape, stacked));
    for (size_t i = 0; i < rounds; i++) {
        const tn_tensor *x = l->past.item[i * l->count + variable];
        if (!tn__shape_equal(&x->shape, &first->shape))
            return tn__fail(TN_UNIMPLEMENTED, "the gradient of a loop whose variable %zu has the shape %s in one round and %s in another",
                            variable, TN__SHAPE(first->shape), TN__SHAPE(x->shape));
        bytes = tn__byte_count(x);
        if (bytes)
            memcpy((char *)(*stacked)->data + i * bytes, x->data, bytes);
    }
    return TN_OK;
}

static tn_status run_loop(tn_context *context, loop *l, tn_tensor **outputs)
{
    tn_tensor **results = tn__alloc((l->count + 1) * sizeof *results);
    bool on = true;
    tn_status status = results ? goes_on(context, l, &on) : TN_RESOURCE_EXHAUSTED;
    while (status == TN_OK && on) {
        status = run_round(context, l, results);
        if (status == TN_OK)
            status = goes_on(context, l, &on);
    }
    tn__free(results);
    for (size_t i = 0; i < l->count && status == TN_OK; i++) {
        outputs[i] = tn__retain(l->feeds[i]);
        if (l->a->history)
            status = stack_past(l, i, &outputs[l->count + i]);
    }
    return status;
}

static tn_status while_compute(tn__kernel *kernel)
{
    const tn__while_attrs *a = kernel->attrs;
    size_t inputs = tn__closure_inputs(&a->body);
    loop l = { .a = a, .count = tn__closure_outputs(&a->body), .feeds = tn__alloc((inputs + 1) * sizeof *l.feeds) };
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
    for (size_t i = 0; i < l.past.count; i++)
        tn__release(l.past.item[i]);
    tn__free(l.past.item);
    tn__free(l.feeds);
    return status;
}

#define CONTROL(name_, attrs_, fields_, outputs_, infer_, compute_, gradient_, flags_) \
    const tn__op tn__op_##name_ = { \
        .name = #name_, \
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
CONTROL(If, tn__if_attrs, if_fields, if_outputs, if_infer, if_compute, tn__if_gradient, TN__STATEFUL)
CONTROL(StatelessIf, tn__if_attrs, if_fields, if_outputs, if_infer, if_compute, tn__if_gradient, 0)
CONTROL(While, tn__while_attrs, while_fields, while_outputs, while_infer, while_compute, tn__while_gradient, TN__STATEFUL)
CONTROL(StatelessWhile, tn__while_attrs, while_fields, while_outputs, while_infer, while_compute, tn__while_gradient, 0)
