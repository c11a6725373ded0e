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
    TN__ROW(TN_FIELD_INT, tn__if_attrs, kept, "0", ">=0"),
    TN__END_OF_FIELDS,
};
static const tn_field while_fields[] = {
    CLOSURE_ROWS(tn__while_attrs, condition),
    CLOSURE_ROWS(tn__while_attrs, body),
    TN__ROW(TN_FIELD_FLAG, tn__while_attrs, history, "false", NULL),
    TN__ROW(TN_FIELD_INT, tn__while_attrs, collected, "0", ">=0"),
    TN__ROW(TN_FIELD_INT, tn__while_attrs, kept, "0", ">=0"),
    TN__END_OF_FIELDS,
};

static const tn_field case_fields[] = {
    TN__ROW(TN_FIELD_TENSOR, tn__case_attrs, branches, NULL, NULL),
    TN__ROW(TN_FIELD_INT, tn__case_attrs, kept, "0", ">=0"),
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
    return tn__closure_outputs(&attrs->body) - (size_t)attrs->collected - (size_t)attrs->kept;
}

size_t tn__while_stacks(const tn__while_attrs *attrs)
{
    return tn__while_variables(attrs) + (size_t)attrs->kept;
}

const tn_tensor *tn__while_stacked(const tn__while_attrs *attrs, size_t stack)
{
    bool kept = stack >= tn__while_variables(attrs);
    return kept ? attrs->body.outputs->of.tuple.item[(size_t)attrs->collected + stack] : attrs->body.inputs->of.tuple.item[stack];
}

size_t tn__while_shapes(const tn__while_attrs *attrs, size_t stack)
{
    size_t place = tn__while_variables(attrs) + (size_t)attrs->collected + tn__while_stacks(attrs);
    for (size_t i = 0; i < stack; i++)
        place += !tn__shape_full(&tn__while_stacked(attrs, i)->shape);
    return tn__shape_full(&tn__while_stacked(attrs, stack)->shape) ? 0 : place;
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

tn_status tn__closure_run(tn_context *context, const tn__closure *c, tn_tensor *const *feeds, tn_tensor **results, size_t count)
{
    return tn__graph_run(context, (tn_graph *)c->graph, c->inputs->of.tuple.item, feeds, tn__closure_inputs(c), c->outputs->of.tuple.item,
                         count, true, results);
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

/* A branch; what it keeps for its gradient only if somebody wants it. */
static tn_status run_branch(tn__kernel *kernel, const tn__closure *branch, int64_t kept)
{
    size_t count = kernel->output_count - (kernel->lean ? (size_t)kept : 0);
    TN_TRY(tn__closure_run(kernel->context, branch, kernel->input + 1, kernel->output, count));
    return tell_apart(kernel->context, kernel->output, count);
}

/* --- If ----------------------------------------------------------------------------------------------------------------- */
static size_t if_outputs(const void *attrs, size_t inputs)
{
    (void)inputs;
    return tn__closure_outputs(&((const tn__if_attrs *)attrs)->then);
}

static size_t if_kept(const void *attrs)
{
    return (size_t)((const tn__if_attrs *)attrs)->kept;
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
    bool truth = false;
    TN_TRY(truth_of(kernel->input[0], "If: cond", &truth));
    return run_branch(kernel, truth ? &a->then : &a->otherwise, a->kept);
}

/* --- Case --------------------------------------------------------------------------------------------------------------- */
static size_t case_outputs(const void *attrs, size_t inputs)
{
    (void)inputs;
    return tn__closure_outputs(&branches_of(attrs)->item[0]);
}

static size_t case_kept(const void *attrs)
{
    return (size_t)((const tn__case_attrs *)attrs)->kept;
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
    return run_branch(kernel, &branches->item[branch], ((const tn__case_attrs *)kernel->attrs)->kept);
}

/* --- While -------------------------------------------------------------------------------------------------------------- */
static size_t while_kept(const void *attrs)
{
    const tn__while_attrs *a = attrs;
    size_t stacks = a->history ? tn__while_stacks(a) : 0, count = stacks;
    for (size_t i = 0; i < stacks; i++)
        count += tn__while_shapes(a, i) > 0;
    return count;
}

static size_t while_outputs(const void *attrs, size_t inputs)
{
    (void)inputs;
    const tn__while_attrs *a = attrs;
    return tn__while_variables(a) + (size_t)a->collected + while_kept(a);
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

static tn_status infer_stack(tn__infer *infer, size_t place, const tn_tensor *one)
{
    infer->output[place].dtype = (tn_dtype)one->dtype;
    return shape_of_rounds(&one->shape, TN_NONE, &infer->output[place].shape);
}

static tn_status infer_history(tn__infer *infer, size_t first)
{
    const tn__while_attrs *a = infer->attrs;
    for (size_t i = 0; i < tn__while_stacks(a); i++) {
        const tn_tensor *one = tn__while_stacked(a, i);
        size_t shapes = tn__while_shapes(a, i);
        TN_TRY(infer_stack(infer, first + i, one));
        if (!shapes)
            continue;
        infer->output[shapes].dtype = TN_INT32;
        infer->output[shapes].shape = TN_SHAPE(TN_NONE, one->shape.known ? one->shape.rank : TN_NONE);
    }
    return TN_OK;
}

static tn_status while_infer(tn__infer *infer)
{
    const tn__while_attrs *a = infer->attrs;
    size_t count = tn__while_variables(a), collected = (size_t)a->collected;
    for (size_t i = 0; i < count; i++) {
        infer->output[i].dtype = (tn_dtype)a->body.inputs->of.tuple.item[i]->dtype;
        infer->output[i].shape = a->body.inputs->of.tuple.item[i]->shape;
    }
    for (size_t i = 0; i < collected; i++)
        TN_TRY(infer_stack(infer, count + i, a->body.outputs->of.tuple.item[count + i]));
    return a->history ? infer_history(infer, count + collected) : TN_OK;
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
    size_t given;       /* what of the body's other outputs is stacked */
    bool history;
    tn_tensor **feeds;  /* the variables' present values, retained, then the other inputs */
    rounds past, others;
} loop;

static tn_status goes_on(tn_context *context, const loop *l, bool *on)
{
    tn_tensor *result;
    TN_TRY(tn__closure_run(context, &l->a->condition, l->feeds, &result, 1));
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
    if (l->history)
        TN_TRY(keep_past(l));
    TN_TRY(TN__RESERVE(&l->others, l->given));
    TN_TRY(tn__closure_run(context, &l->a->body, l->feeds, results, l->count + l->given));
    for (size_t i = 0; i < l->count; i++) {
        tn__release(l->feeds[i]);
        l->feeds[i] = results[i];
    }
    for (size_t i = 0; i < l->given; i++)
        l->others.item[l->others.count++] = results[l->count + i];
    return TN_OK;
}

/* The tensors that are number `place` of every round. */
typedef struct {
    const rounds *r;
    size_t width, place, count;
} column;

static const tn_tensor *in_round(const column *c, size_t i)
{
    return c->r->item[i * c->width + c->place];
}

static tn_status check_one_shape(const column *c, const tn_tensor *like)
{
    const tn_shape *first = c->count ? &in_round(c, 0)->shape : &like->shape;
    if (!tn__shape_full(first))
        return tn__fail(TN_INVALID_ARGUMENT, "Tried to stack elements of an empty list with non-fully-defined element_shape: %s", TN__SHAPE(*first));
    for (size_t i = 1; i < c->count; i++)
        if (!tn__shape_equal(&in_round(c, i)->shape, first))
            return tn__fail(TN_INVALID_ARGUMENT, "Incompatible shapes during merge: %s vs. %s\na loop whose rounds are stacked gives tensors of "
                                                 "one shape; in round %zu it is another",
                            TN__SHAPE(*first), TN__SHAPE(in_round(c, i)->shape), i);
    return TN_OK;
}

/* The largest in every dimension; of no rounds what is known of it. */
static tn_status largest(const column *c, const tn_tensor *like, tn_shape *shape)
{
    *shape = c->count ? in_round(c, 0)->shape : like->shape.known ? like->shape : TN_SCALAR;
    for (size_t i = 1; i < c->count; i++) {
        const tn_shape *other = &in_round(c, i)->shape;
        if (other->rank != shape->rank)
            return tn__fail(TN_UNIMPLEMENTED, "the gradient of a loop whose tensors change their rank, from %s to %s in round %zu", TN__SHAPE(*shape),
                            TN__SHAPE(*other), i);
        for (int d = 0; d < shape->rank; d++)
            shape->dims[d] = other->dims[d] > shape->dims[d] ? other->dims[d] : shape->dims[d];
    }
    for (int d = 0; d < shape->rank; d++)
        shape->dims[d] = shape->dims[d] < 0 ? 0 : shape->dims[d];
    return TN_OK;
}

/* A tensor in the corner of a larger one. */
static void put(char *to, const int64_t *large, const char *from, const int64_t *small, int rank, size_t size)
{
    if (rank <= 1) {
        memcpy(to, from, rank ? (size_t)small[0] * size : size);
        return;
    }
    size_t over = size, step = size;
    for (int d = 1; d < rank; d++) {
        over *= (size_t)large[d];
        step *= (size_t)small[d];
    }
    for (int64_t i = 0; i < small[0] && step; i++)
        put(to + (size_t)i * over, large + 1, from + (size_t)i * step, small + 1, rank - 1, size);
}

static void put_row(char *to, size_t bytes, const tn_shape *large, const tn_tensor *x, size_t size)
{
    if (tn__byte_count(x) == bytes) {
        memcpy(to, x->data, bytes);
        return;
    }
    memset(to, 0, bytes);
    if (tn__byte_count(x))
        put(to, large->dims, x->data, x->shape.dims, large->rank, size);
}

/* All as one; `like` has their dtype, and `one` the shape of each, or the largest. */
static tn_status stack_column(const column *c, const tn_tensor *like, const tn_shape *one, tn_tensor **stacked)
{
    tn_shape shape;
    TN_TRY(shape_of_rounds(one, (int64_t)c->count, &shape));
    TN_TRY(tn__tensor_new((tn_dtype)like->dtype, &shape, stacked));
    size_t size = tn__dtype_size((tn_dtype)like->dtype), bytes = (size_t)tn__shape_count(one) * size;
    for (size_t i = 0; i < c->count && bytes; i++)
        put_row((char *)(*stacked)->data + i * bytes, bytes, one, in_round(c, i), size);
    return TN_OK;
}

static tn_status stack_alike(const column *c, const tn_tensor *like, tn_tensor **stacked)
{
    TN_TRY(check_one_shape(c, like));
    return stack_column(c, like, c->count ? &in_round(c, 0)->shape : &like->shape, stacked);
}

static tn_status shapes_of(const column *c, int rank, tn_tensor **shapes)
{
    TN_TRY(tn__tensor_new(TN_INT32, &TN_SHAPE((int64_t)c->count, rank), shapes));
    int32_t *at = (*shapes)->data;
    for (size_t i = 0; i < c->count; i++)
        for (int d = 0; d < rank; d++)
            *at++ = (int32_t)in_round(c, i)->shape.dims[d];
    return TN_OK;
}

static tn_status stack_history(const loop *l, size_t stack, tn_tensor **outputs)
{
    const tn_tensor *like = tn__while_stacked(l->a, stack);
    bool past = stack < l->count;
    const column c = { past ? &l->past : &l->others, past ? l->count : l->given, past ? stack : (size_t)l->a->collected + stack - l->count,
                       past ? l->past.count / l->count : l->others.count / l->given };
    size_t shapes = tn__while_shapes(l->a, stack);
    tn_shape one;
    TN_TRY(largest(&c, like, &one));
    TN_TRY(stack_column(&c, like, &one, &outputs[l->count + (size_t)l->a->collected + stack]));
    return shapes ? shapes_of(&c, one.rank, &outputs[shapes]) : TN_OK;
}

static tn_status give_outputs(const loop *l, tn_tensor **outputs)
{
    size_t collected = (size_t)l->a->collected;
    for (size_t i = 0; i < l->count; i++)
        outputs[i] = tn__retain(l->feeds[i]);
    for (size_t i = 0; i < collected; i++) {
        const column c = { &l->others, l->given, i, l->others.count / l->given };
        TN_TRY(stack_alike(&c, l->a->body.outputs->of.tuple.item[l->count + i], &outputs[l->count + i]));
    }
    for (size_t i = 0; i < tn__while_stacks(l->a) && l->history; i++)
        TN_TRY(stack_history(l, i, outputs));
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
    bool history = a->history && !kernel->lean;
    loop l = { .a = a, .count = tn__while_variables(a), .history = history, .feeds = tn__alloc((inputs + 1) * sizeof *l.feeds) };
    l.given = (size_t)a->collected + (history ? (size_t)a->kept : 0);
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
    rounds_free(&l.others);
    tn__free(l.feeds);
    return status;
}

#define CONTROL(name_, label_, attrs_, fields_, outputs_, kept_, infer_, compute_, gradient_, flags_) \
    const tn__op tn__op_##name_ = { \
        .name = #name_, \
        .label = label_, \
        .inputs = "", \
        .outputs = "", \
        .attrs = fields_, \
        .attrs_size = sizeof(attrs_), \
        .count_outputs = outputs_, \
        .count_kept = kept_, \
        .infer = infer_, \
        .compute = compute_, \
        .gradient = gradient_, \
        .flags = TN__ANY_INPUTS | TN__MAKES_OUTPUTS | TN__HALF | (flags_), \
    };
CONTROL(If, "cond", tn__if_attrs, if_fields, if_outputs, if_kept, if_infer, if_compute, tn__if_gradient, TN__STATEFUL)
CONTROL(StatelessIf, "cond", tn__if_attrs, if_fields, if_outputs, if_kept, if_infer, if_compute, tn__if_gradient, 0)
CONTROL(While, "while", tn__while_attrs, while_fields, while_outputs, while_kept, while_infer, while_compute, tn__while_gradient, TN__STATEFUL)
CONTROL(StatelessWhile, "while", tn__while_attrs, while_fields, while_outputs, while_kept, while_infer, while_compute, tn__while_gradient, 0)
CONTROL(Case, "switch_case/indexed_case", tn__case_attrs, case_fields, case_outputs, case_kept, case_infer, case_compute, tn__case_gradient, TN__STATEFUL)
CONTROL(StatelessCase, "switch_case/indexed_case", tn__case_attrs, case_fields, case_outputs, case_kept, case_infer, case_compute, tn__case_gradient, 0)
