/* dispatch.c - mode, inference, computing or appending, recording. Nothing else in the library branches on the mode. */
#include "runtime/dispatch.h"
#include "base/subnormal.h"
#include "core/touched.h"
#include <stdio.h>
#include <string.h>

/* What plain calls do not need stays out of their way, and out of their stack frames. */
#define APART __attribute__((noinline))
enum { LOCAL = 16 }; /* calls with more inputs or outputs than this use allocated arrays */

/* One call on its way: the inputs as the op wants them, and room for the outputs. */
typedef struct {
    tn_context *context;
    const tn__op *op;
    const tn__signature *signature;
    const void *attrs;
    tn_tensor *const *input; /* the caller's own where they will do, else `taken` */
    tn_tensor **taken;       /* retained */
    size_t inputs, outputs;
    tn_dtype type;     /* see plain_type() */
    tn_graph *graph;   /* where a node goes; NULL with `functional` for a functional model's */
    bool symbolic, functional;
} call;

static const char *kind_name(const tn_tensor *x)
{
    return x->form == TN__VARIABLE ? "variable" : x->form == TN__SYMBOLIC ? "symbolic" : x->form == TN__TUPLE ? "tuple" : "tensor";
}

/* --- the mode ----------------------------------------------------------------------------------------------------------- */
static tn_status refuse_outside(const call *c, size_t i, const tn_tensor *x)
{
    const tn__node *node = x->of.output.node;
    bool v1 = !node->orphan && node->graph->v1;
    return tn__fail(TN_INVALID_ARGUMENT,
                    TN__OUT_OF_SCOPE "\ninput %zu of %s is a tensor of a graph that is not being built now, so it has no value; it was made at %s\n%s",
                    TN__TENSOR(x), i, c->op->name, tn__line(node->here),
                    v1 ? "tn_run(session, x) gives its value; ops on it are made inside TN_WITH(tn_graph_as_default(g))"
                       : "what is made in a body leaves it by its return, tn_tuple(a, b) when it is several tensors: tn_item(result, 1) is b");
}

/* A symbolic input says where the call belongs: its graph, or, without one, a functional model. */
static tn_status resolve_mode(call *c, tn_tensor *const *inputs)
{
    c->graph = c->context->graph;
    c->symbolic = c->graph != NULL;
    for (size_t i = 0; i < c->inputs; i++) {
        const tn_tensor *x = inputs[i];
        if (x->form != TN__SYMBOLIC)
            continue;
        if (tn__is_functional(x))
            c->functional = true;
        else if (!c->graph || x->of.output.node->orphan)
            return refuse_outside(c, i, x);
        c->symbolic = true;
    }
    return TN_OK;
}

/* --- inputs ------------------------------------------------------------------------------------------------------------- */
static tn_status check_input(const call *c, tn_tensor *x, size_t i)
{
    char what[64];
    if (__builtin_expect(x && x->object.type == &tn__type_tensor && x->form != TN__TUPLE, 1))
        return TN_OK;
    size_t at = tn__signature_arg(c->signature, c->inputs, i);
    snprintf(what, sizeof what, "%s: %s", c->op->name, c->signature->inputs ? c->signature->input[at].name : "input");
    if (!tn__check_tensor(x, what))
        return TN_INVALID_ARGUMENT;
    return tn__fail(TN_INVALID_ARGUMENT, "%s is a tuple of %zu tensors, one tensor is expected\ntn_item(tuple, i) gives one of them", what,
                    x->of.tuple.count);
}

static bool takes_anything(const tn__op *op)
{
    return op->expand || (op->flags & TN__ANY_INPUTS);
}

static tn_status check_count(const call *c)
{
    const tn__signature *s = c->signature;
    if (tn__signature_takes(s, c->inputs) || takes_anything(c->op))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "%s takes %zu inputs, got %zu", c->op->name, s->inputs, c->inputs);
}

/* Where a layer computes in another float type than its weights have, they are read in that: a Cast that gradients pass. */
static tn_status read_variable(const call *c, tn_tensor *variable, tn_tensor **value)
{
    tn_dtype dtype = tn__dtype_as_read(c->context, variable);
    TN_TRY(tn__dispatch(c->context, &tn__op_ReadVariableOp, NULL, &variable, 1, value, 1));
    if (dtype == variable->dtype)
        return TN_OK;
    tn_tensor *own = *value;
    tn_status status = tn__dispatch_cast(c->context, own, dtype, value);
    tn__release(own);
    return status;
}

/* Variables are read where the op wants a value; in a graph both reading and the variable itself become nodes. */
static tn_status take_input(call *c, tn_tensor *x, const tn__arg *arg, tn_tensor **taken)
{
    bool wants_variable = arg && arg->type < 0 && arg->dtype == TN__RESOURCE;
    if (x->form == TN__VARIABLE)
        TN_TRY(tn__touch(c->context, x));
    if (takes_anything(c->op)) {
        *taken = tn__retain(x);
        return TN_OK;
    }
    if (x->form == TN__VARIABLE && !wants_variable && !c->functional) /* a functional model reads it at each call */
        return read_variable(c, x, taken);
    if (wants_variable && x->form != TN__VARIABLE && !(x->form == TN__SYMBOLIC && x->dtype == TN__RESOURCE))
        return tn__fail(TN_INVALID_ARGUMENT, "%s: %s must be a variable, got a %s of %s", c->op->name, arg->name, kind_name(x), TN__TENSOR(x));
    *taken = tn__retain(x);
    return TN_OK;
}

static tn_status convert_weak(tn_tensor **x, tn_dtype dtype)
{
    bool whole = (*x)->dtype != TN_FLOAT32 && (*x)->dtype != TN_FLOAT64;
    if ((*x)->dtype == dtype || (!whole && !tn__in(TN__FLOATS, dtype)) || dtype == TN_BOOL || dtype == 0)
        return TN_OK;
    tn_tensor *converted;
    TN_TRY(tn__tensor_new(dtype, &(*x)->shape, &converted));
    if (whole)
        tn__element_from_int(dtype, tn__int_at(*x, 0), converted->data);
    else
        tn__element_from_double(dtype, *tn__weak_number(*x), converted->data);
    *tn__weak_number(converted) = whole ? tn__double_at(*x, 0) : *tn__weak_number(*x);
    converted->weak = true;
    tn__release(*x);
    *x = converted;
    return TN_OK;
}

/* Python's numbers take the type of the tensor beside them, where the value allows. */
static tn_status settle_weak(const call *c)
{
    tn_dtype strong[TN__MAX_TYPES] = { 0 };
    bool any_weak = false;
    for (size_t i = 0; i < c->inputs; i++)
        any_weak |= c->taken[i]->weak;
    if (!any_weak)
        return TN_OK;
    for (size_t i = 0; i < c->inputs; i++) {
        int type = c->signature->input[tn__signature_arg(c->signature, c->inputs, i)].type;
        if (type >= 0 && !c->taken[i]->weak && !strong[type])
            strong[type] = (tn_dtype)c->taken[i]->dtype;
    }
    for (size_t i = 0; i < c->inputs; i++) {
        int type = c->signature->input[tn__signature_arg(c->signature, c->inputs, i)].type;
        if (c->taken[i]->weak && type >= 0 && strong[type])
            TN_TRY(convert_weak(&c->taken[i], strong[type]));
    }
    return TN_OK;
}

static tn_status take_inputs(call *c, tn_tensor *const *inputs)
{
    for (size_t i = 0; i < c->inputs; i++) {
        const tn__arg *arg = takes_anything(c->op) ? NULL : &c->signature->input[tn__signature_arg(c->signature, c->inputs, i)];
        TN_TRY(take_input(c, inputs[i], arg, &c->taken[i]));
    }
    return takes_anything(c->op) ? TN_OK : settle_weak(c);
}

/* In eager mode the type of inputs that are values of one type which the op is of: there is nothing to resolve, read or convert.
 * Else 0. */
static tn_dtype plain_type(const call *c, tn_tensor *const *inputs)
{
    const tn__signature *s = c->signature;
    tn_dtype type = 0;
    if (!s->alike || s->inputs != c->inputs || c->context->graph)
        return 0;
    for (size_t i = 0; i < c->inputs; i++) {
        const tn_tensor *x = inputs[i];
        if (!x || x->object.type != &tn__type_tensor || x->form != TN__VALUE || x->weak || (i && x->dtype != (unsigned)type))
            return 0;
        type = (tn_dtype)x->dtype;
    }
    return tn__in(s->type[0].set, type) ? type : 0;
}

static APART tn_status settle_inputs(call *c, tn_tensor *const *inputs)
{
    TN_TRY(check_count(c));
    for (size_t i = 0; i < c->inputs; i++)
        TN_TRY(check_input(c, inputs[i], i));
    TN_TRY(resolve_mode(c, inputs));
    if (c->inputs > LOCAL && !(c->taken = tn__alloc(c->inputs * sizeof *c->taken)))
        return TN_RESOURCE_EXHAUSTED;
    c->input = c->taken;
    for (size_t i = 0; i < c->inputs; i++)
        c->taken[i] = NULL;
    return take_inputs(c, inputs);
}

/* --- inference ---------------------------------------------------------------------------------------------------------- */
/* The usual case of settle_types(). */
static bool are_alike(const tn__signature *s, const tn__infer *infer, tn_dtype *type)
{
    if (!s->alike || infer->input_count != s->inputs)
        return false;
    tn_dtype dtype = *type = (tn_dtype)infer->input[0]->dtype;
    for (size_t i = 1; i < infer->input_count; i++)
        if ((tn_dtype)infer->input[i]->dtype != dtype)
            return false;
    return tn__in(s->type[0].set, dtype);
}

static tn_status settle_types(const tn__signature *s, const tn__infer *infer, tn_dtype types[TN__MAX_TYPES])
{
    const tn__op *op = infer->op;
    if (are_alike(s, infer, &types[0]))
        return TN_OK;
    types[0] = 0;
    for (size_t t = 0; t < s->types; t++)
        if (s->type[t].attr)
            types[t] = *(const tn_dtype *)(const void *)((const char *)infer->attrs + s->type[t].attr->offset);
    for (size_t i = 0; i < infer->input_count; i++) {
        const tn__arg *arg = &s->input[tn__signature_arg(s, infer->input_count, i)];
        tn_dtype dtype = (tn_dtype)infer->input[i]->dtype;
        tn_dtype expected = arg->type >= 0 ? types[arg->type] : (tn_dtype)arg->dtype;
        if (arg->type >= 0 && !expected && tn__in(s->type[arg->type].set, dtype))
            types[arg->type] = dtype;
        else if (arg->type >= 0 && !expected)
            return tn__fail(TN_INVALID_ARGUMENT, "Value for attr '%s' of %s is not in the list of allowed values\n%s: %s is %s",
                            s->type[arg->type].name, tn__dtype_name(dtype), op->name, arg->name, TN__TENSOR(infer->input[i]));
        else if (expected && dtype != expected && expected != (tn_dtype)TN__RESOURCE)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "cannot compute %s as input #%zu(zero-based) was expected to be a %s tensor but is a %s tensor\n"
                            "%s is %s; tn_cast(x, dtype) converts",
                            op->name, i, tn__dtype_op_name(expected), tn__dtype_op_name(dtype), arg->name, TN__TENSOR(infer->input[i]));
    }
    return TN_OK;
}

static size_t count_outputs(const tn__op *op, const tn__signature *s, const void *attrs, size_t inputs)
{
    return op->count_outputs ? op->count_outputs(attrs, inputs) : s->outputs;
}

size_t tn__op_outputs(const tn__op *op, const void *attrs, size_t inputs)
{
    const tn__signature *s = tn__op_signature(op);
    return s ? count_outputs(op, s, attrs, inputs) : 0;
}

/* The types are settled. */
static tn_status infer_outputs(tn__infer *infer, const tn__signature *s, const tn_dtype *types)
{
    for (size_t i = 0; i < infer->output_count && s->outputs; i++) {
        const tn__arg *arg = &s->output[i < s->outputs ? i : s->outputs - 1];
        infer->output[i].dtype = arg->type >= 0 ? types[arg->type] : (tn_dtype)arg->dtype;
        infer->output[i].shape = TN__UNKNOWN_SHAPE;
    }
    return infer->op->infer ? infer->op->infer(infer) : TN_OK;
}

tn_status tn__infer_op(tn__infer *infer)
{
    const tn__signature *s = tn__op_signature(infer->op);
    if (!s)
        return tn__errors()->status;
    tn_dtype types[TN__MAX_TYPES] = { 0 };
    if (!takes_anything(infer->op))
        TN_TRY(settle_types(s, infer, types));
    return infer_outputs(infer, s, types);
}

/* --- computing ---------------------------------------------------------------------------------------------------------- */
tn_status tn__kernel_output(tn__kernel *kernel, size_t index, tn_dtype dtype, const tn_shape *shape)
{
    tn__release(kernel->output[index]);
    return tn__tensor_new(dtype, shape, &kernel->output[index]);
}

static tn_status make_outputs(tn__kernel *kernel, const tn__infer *infer)
{
    if (kernel->op->flags & TN__VIEW)
        return tn__tensor_view(kernel->input[0], &infer->output[0].shape, &kernel->output[0]);
    if (kernel->op->flags & TN__MAKES_OUTPUTS)
        return TN_OK;
    for (size_t i = 0; i < kernel->output_count; i++)
        if (tn__shape_full(&infer->output[i].shape) && tn__dtype_size(infer->output[i].dtype))
            TN_TRY(tn__tensor_new(infer->output[i].dtype, &infer->output[i].shape, &kernel->output[i]));
    return TN_OK;
}

/* What most kernels do not take. */
static const tn__dtype_set HALF = TN__BIT(TN_FLOAT16) | TN__BIT(TN_BFLOAT16);
static const tn__dtype_set WHOLE = TN__INTS & ~(TN__BIT(TN_INT32) | TN__BIT(TN_INT64) | TN__BIT(TN_UINT8));
#define UNUSUAL (HALF | WHOLE)

tn_dtype tn__usual_dtype(tn_dtype dtype)
{
    return tn__in(HALF, dtype) ? TN_FLOAT32 : tn__in(WHOLE, dtype) ? TN_INT64 : dtype;
}

/* Inputs and outputs of the types that kernels take; the counts are the caller's, also when it fails. */
static tn_status widen(const tn__kernel *kernel, tn_tensor **input, tn_tensor **output)
{
    for (size_t i = 0; i < kernel->input_count; i++)
        TN_TRY(tn__cast_value(kernel->input[i], tn__usual_dtype((tn_dtype)kernel->input[i]->dtype), &input[i]));
    for (size_t i = 0; i < kernel->output_count; i++)
        if (kernel->output[i])
            TN_TRY(tn__tensor_new(tn__usual_dtype((tn_dtype)kernel->output[i]->dtype), &kernel->output[i]->shape, &output[i]));
    return TN_OK;
}

static tn_status narrow(tn__kernel *kernel, const tn__infer *infer, tn_tensor *const *output)
{
    for (size_t i = 0; i < kernel->output_count; i++) {
        tn__release(kernel->output[i]);
        kernel->output[i] = NULL;
        TN_TRY(tn__cast_value(output[i], infer->output[i].dtype, &kernel->output[i]));
    }
    return TN_OK;
}

/* float16 and bfloat16 are computed in float32 and rounded once, small and unsigned integers in int64 and wrapped. */
static APART tn_status compute_in_usual(tn__kernel *kernel, const tn__infer *infer)
{
    size_t inputs = kernel->input_count, count = inputs + kernel->output_count;
    tn_tensor *local[LOCAL] = { NULL }, **all = count > LOCAL ? tn__alloc_zeroed(count, sizeof *all) : local;
    if (!all)
        return TN_RESOURCE_EXHAUSTED;
    tn__kernel wide = *kernel;
    wide.input = all;
    wide.output = all + inputs;
    tn_status status = widen(kernel, all, wide.output);
    if (status == TN_OK)
        status = kernel->op->compute(&wide);
    if (status == TN_OK)
        status = narrow(kernel, infer, wide.output);
    for (size_t i = 0; i < count; i++)
        tn__release(all[i]);
    if (all != local)
        tn__free(all);
    return status;
}

/* The dtypes of all inputs and outputs. */
static tn__dtype_set dtypes_of(const tn__kernel *kernel)
{
    tn__dtype_set set = 0;
    for (size_t i = 0; i < kernel->input_count; i++)
        set |= TN__BIT(kernel->input[i]->dtype);
    for (size_t i = 0; i < kernel->output_count; i++)
        set |= kernel->output[i] ? TN__BIT(kernel->output[i]->dtype) : 0;
    return set;
}

static tn_status run_kernel(tn__kernel *kernel, const tn__infer *infer)
{
    unsigned flags = kernel->op->flags;
    if (flags & TN__VIEW)
        return TN_OK;
    if (!kernel->op->compute)
        return tn__fail(TN_UNIMPLEMENTED, "%s has no kernel", kernel->op->name);
    bool widens = !(flags & TN__HALF) && (dtypes_of(kernel) & UNUSUAL);
    tn__float_mode before = tn__flush_subnormals();
    tn_status status = widens ? compute_in_usual(kernel, infer) : kernel->op->compute(kernel);
    tn__restore_float_mode(before);
    return status;
}

static tn_status compute_inferred(tn_context *context, tn__infer *infer, tn_tensor **outputs)
{
    tn__kernel kernel = { context, infer->op, infer->attrs, infer->input, infer->input_count, infer->output_count, outputs, infer->lean };
    tn_status status = make_outputs(&kernel, infer);
    if (status == TN_OK)
        status = run_kernel(&kernel, infer);
    if (status == TN_OK)
        return TN_OK;
    for (size_t i = 0; i < infer->output_count; i++) {
        tn__release(outputs[i]);
        outputs[i] = NULL;
    }
    return status;
}

/* Room for the rule's outputs: on the stack, or allocated for ops with many. */
#define WITH_INFER(infer, op_, attrs_, input_, inputs_, outputs_) \
    __typeof__(*(infer).output) local_out[LOCAL], *more_out = NULL; \
    if ((outputs_) > LOCAL && !(more_out = tn__alloc((outputs_) * sizeof *more_out))) \
        return TN_RESOURCE_EXHAUSTED; \
    (infer) = (tn__infer){ (op_), (attrs_), (input_), (inputs_), (outputs_), NULL, false }; \
    (infer).output = (void *)(more_out ? (void *)more_out : (void *)local_out)

tn_status tn__compute_known(tn_context *context, tn__infer *infer, tn_tensor **outputs)
{
    return compute_inferred(context, infer, outputs);
}

/* Of inputs of a plain type (see plain_type()), and the op's signature; or 0. */
static inline tn_status compute(tn_context *context, const tn__op *op, const tn__signature *signature, tn_dtype type, const void *attrs,
                                tn_tensor *const *inputs, size_t input_count, tn_tensor **outputs, size_t output_count)
{
    tn__infer infer;
    WITH_INFER(infer, op, attrs, inputs, input_count, output_count);
    tn_status status = type ? infer_outputs(&infer, signature, &type) : tn__infer_op(&infer);
    if (status == TN_OK)
        status = compute_inferred(context, &infer, outputs);
    if (more_out)
        tn__free(more_out);
    return status;
}

tn_status tn__compute(tn_context *context, const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count,
                      tn_tensor **outputs, size_t output_count)
{
    return compute(context, op, NULL, 0, attrs, inputs, input_count, outputs, output_count);
}

tn_status tn__compute_into(tn_context *context, const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count,
                           tn_tensor *output)
{
    tn__infer infer;
    WITH_INFER(infer, op, attrs, inputs, input_count, 1);
    infer.output[0].dtype = (tn_dtype)output->dtype;
    infer.output[0].shape = output->shape;
    tn_tensor *result = tn__retain(output);
    tn__kernel kernel = { context, op, attrs, inputs, input_count, 1, &result, false };
    tn_status status = run_kernel(&kernel, &infer);
    if (status == TN_OK && result != output && tn__byte_count(output)) /* computed in float32 */
        memcpy(output->data, result->data, tn__byte_count(output));
    tn__release(result);
    tn__free(more_out);
    return status;
}

/* --- the graph ---------------------------------------------------------------------------------------------------------- */
/* The call's own inputs stay what they were, so that a tape knows them by their ids. */
static tn_status capture_inputs(const call *c, tn_tensor **captured)
{
    for (size_t i = 0; i < c->inputs; i++) {
        if (c->graph)
            TN_TRY(tn__graph_capture(c->context, c->graph, c->input[i], &captured[i]));
        else
            captured[i] = tn__retain(c->input[i]);
    }
    return TN_OK;
}

static tn_status append_captured(call *c, tn_tensor *const *captured, tn_tensor **outputs)
{
    tn__infer infer;
    WITH_INFER(infer, c->op, c->attrs, captured, c->inputs, c->outputs);
    tn__node *node = NULL;
    tn_status status = tn__infer_op(&infer);
    if (status == TN_OK)
        status = tn__node_new(c->context, c->graph, &infer, &node);
    tn__free(more_out);
    for (size_t i = 0; i < c->outputs && status == TN_OK; i++)
        if (!(outputs[i] = tn__node_output(node, i)))
            status = TN_RESOURCE_EXHAUSTED;
    tn__release(node);
    return status;
}

static APART tn_status append(call *c, tn_tensor **outputs)
{
    tn_tensor *local[LOCAL] = { NULL }, **captured = local;
    if (c->inputs > LOCAL && !(captured = tn__alloc_zeroed(c->inputs, sizeof *captured)))
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = capture_inputs(c, captured);
    if (status == TN_OK)
        status = append_captured(c, captured, outputs);
    for (size_t i = 0; i < c->inputs; i++)
        tn__release(captured[i]);
    if (captured != local)
        tn__free(captured);
    return status;
}

/* --- all together ------------------------------------------------------------------------------------------------------- */
static tn_status run_call(call *c, tn_tensor **outputs)
{
    if (c->op->expand && !c->functional)
        return c->op->expand(c->context, c->attrs, c->input, c->inputs, outputs, c->outputs);
    if (c->functional)
        c->graph = NULL;
    if (c->symbolic)
        return append(c, outputs);
    return compute(c->context, c->op, c->signature, c->type, c->attrs, c->input, c->inputs, outputs, c->outputs);
}

static APART void describe_failure(const call *c)
{
    tn__error_state *error = &c->context->error;
    if (error->status == TN_OK || error->operation)
        return;
    error->operation = c->op->name;
    if (!error->here)
        error->here = c->context->here;
}

static tn_status dispatch_call(call *c, tn_tensor *const *inputs, tn_tensor **outputs)
{
    c->signature = tn__op_signature(c->op);
    if (!c->signature)
        return c->context->error.status;
    c->input = inputs;
    c->type = plain_type(c, inputs);
    if (!c->type)
        TN_TRY(settle_inputs(c, inputs));
    size_t expected = count_outputs(c->op, c->signature, c->attrs, c->inputs);
    if (expected != c->outputs)
        return tn__fail(TN_INTERNAL, "%s gives %zu outputs, %zu were expected", c->op->name, expected, c->outputs);
    TN_TRY(run_call(c, outputs));
    if (c->context->tapes && c->context->tape_pause == 0 && !c->op->expand)
        TN_TRY(tn__hooks.record(c->context, c->op, c->attrs, c->input, c->inputs, outputs, c->outputs));
    return TN_OK;
}

tn_status tn__dispatch(tn_context *context, const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count,
                       tn_tensor **outputs, size_t output_count)
{
    tn_tensor *local[LOCAL];
    call c = { .context = context, .op = op, .attrs = attrs, .taken = local, .inputs = input_count, .outputs = output_count };
    for (size_t i = 0; i < output_count; i++)
        outputs[i] = NULL;
    tn_status status = dispatch_call(&c, inputs, outputs);
    for (size_t i = 0; i < input_count && c.input == c.taken; i++)
        tn__release(c.taken[i]);
    if (c.taken != local)
        tn__free(c.taken);
    if (status != TN_OK) {
        describe_failure(&c);
        for (size_t i = 0; i < output_count; i++) {
            tn__release(outputs[i]);
            outputs[i] = NULL;
        }
    }
    return status;
}

tn_tensor *tn__apply(const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count)
{
    TN__ENTER(context, NULL);
    tn_tensor *output;
    if (tn__dispatch(context, op, attrs, inputs, input_count, &output, 1) != TN_OK)
        return NULL;
    return tn__own(output);
}

tn_list tn__apply_list(const tn__op *op, const void *attrs, tn_tensor *const *inputs, size_t input_count, size_t output_count)
{
    tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    tn_tensor **items = tn__scope_alloc(output_count * sizeof *items);
    if (!items || tn__dispatch(context, op, attrs, inputs, input_count, items, output_count) != TN_OK)
        return none;
    bool owned = true;
    for (size_t i = 0; i < output_count; i++)
        owned = tn__own(items[i]) && owned;
    return owned ? (tn_list){ output_count, items } : none;
}
