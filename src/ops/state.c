/* state.c - what a graph begins with (inputs, constants, variables) and what changes variables. */
#include "ops/array.h"
#include <string.h>

/* --- Placeholder, Const, VarHandleOp: leaves, made by runtime/graph.c --------------------------------------------------- */
static const tn_field placeholder_fields[] = {
    TN__ROW(TN_FIELD_DTYPE, tn__placeholder_attrs, dtype, NULL, NULL),
    TN__ROW(TN_FIELD_SHAPE, tn__placeholder_attrs, shape, "none", NULL),
    TN__END_OF_FIELDS,
};

static tn_status placeholder_infer(tn__infer *infer)
{
    infer->output[0].shape = ((const tn__placeholder_attrs *)infer->attrs)->shape;
    return TN_OK;
}

const tn__op tn__op_Placeholder = {
    .name = "Placeholder",
    .outputs = "output: dtype",
    .types = "dtype: any",
    .attrs = placeholder_fields,
    .attrs_size = sizeof(tn__placeholder_attrs),
    .infer = placeholder_infer,
    .no_gradient = "none: an input",
    .flags = TN__STATEFUL,
};

typedef struct {
    tn_tensor *value;
} capture_attrs;
static const tn_field const_fields[] = {
    TN__ROW(TN_FIELD_TENSOR, capture_attrs, value, NULL, NULL),
    TN__END_OF_FIELDS,
};

static tn_status capture_infer(tn__infer *infer)
{
    infer->output[0].shape = ((const capture_attrs *)infer->attrs)->value->shape;
    return TN_OK;
}

/* Run only when a foreign graph's Const is imported eagerly: the value itself. */
static tn_status const_compute(tn__kernel *kernel)
{
    tn__assign_object(&kernel->output[0], ((const capture_attrs *)kernel->attrs)->value);
    return TN_OK;
}

static tn_status const_infer(tn__infer *infer)
{
    infer->output[0].dtype = (tn_dtype)((const capture_attrs *)infer->attrs)->value->dtype;
    return capture_infer(infer);
}

const tn__op tn__op_Const = {
    .name = "Const",
    .outputs = "output: dtype",
    .types = "dtype: any",
    .attrs = const_fields,
    .attrs_size = sizeof(capture_attrs),
    .infer = const_infer,
    .compute = const_compute,
    .no_gradient = "none: a constant",
    .flags = TN__MAKES_OUTPUTS | TN__HALF,
};

const tn__op tn__op_VarHandleOp = {
    .name = "VarHandleOp",
    .outputs = "resource: resource",
    .attrs = const_fields,
    .attrs_size = sizeof(capture_attrs),
    .infer = capture_infer,
    .no_gradient = "none: the variable itself",
    .flags = TN__STATEFUL,
};

/* The input, where the run feeds nothing else. */
static tn_status default_infer(tn__infer *infer)
{
    infer->output[0].shape = ((const tn__placeholder_attrs *)infer->attrs)->shape;
    if (tn__shape_fits(&infer->output[0].shape, &infer->input[0]->shape))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "PlaceholderWithDefault: the default value has shape %s, which does not fit %s",
                    TN__SHAPE(infer->input[0]->shape), TN__SHAPE(infer->output[0].shape));
}

static tn_status default_compute(tn__kernel *kernel)
{
    tn__assign_object(&kernel->output[0], kernel->input[0]);
    return TN_OK;
}

static void pass_gradient(tn__gradient *g)
{
    g->din[0] = g->dout[0];
}

const tn__op tn__op_PlaceholderWithDefault = {
    .name = "PlaceholderWithDefault",
    .inputs = "input: dtype",
    .outputs = "output: dtype",
    .types = "dtype: any",
    .attrs = placeholder_fields,
    .attrs_size = sizeof(tn__placeholder_attrs),
    .infer = default_infer,
    .compute = default_compute,
    .gradient = pass_gradient,
    .flags = TN__STATEFUL | TN__MAKES_OUTPUTS | TN__HALF,
};

static tn_status nothing(tn__infer *infer)
{
    (void)infer;
    return TN_OK;
}

static tn_status do_nothing(tn__kernel *kernel)
{
    (void)kernel;
    return TN_OK;
}

const tn__op tn__op_NoOp = {
    .name = "NoOp",
    .inputs = "",
    .outputs = "",
    .infer = nothing,
    .compute = do_nothing,
    .no_gradient = "none: it has no outputs",
    .flags = TN__STATEFUL,
};

/* --- reading and assigning ---------------------------------------------------------------------------------------------- */
const tn_tensor *tn__variable_behind(const tn_tensor *resource)
{
    if (resource->form == TN__VARIABLE)
        return resource;
    const tn__node *node = resource->of.output.node;
    return node && node->op == &tn__op_VarHandleOp ? ((const capture_attrs *)node->attrs)->value : NULL;
}

static tn_status read_infer(tn__infer *infer)
{
    const tn_tensor *variable = tn__variable_behind(infer->input[0]);
    infer->output[0].dtype = variable ? (tn_dtype)variable->dtype : TN_FLOAT32;
    infer->output[0].shape = variable ? variable->shape : TN__UNKNOWN_SHAPE;
    return TN_OK;
}

static tn_status read_compute(tn__kernel *kernel)
{
    tn_tensor *value;
    TN_TRY(tn__variable_read(kernel->input[0], &value));
    if (!kernel->context->tapes) {
        tn__assign_object(&kernel->output[0], value);
        tn__release(value);
        return TN_OK;
    }
    /* A tape knows tensors by their ids: two readings of one value are two tensors, or gradients would count twice. */
    tn__release(kernel->output[0]);
    kernel->output[0] = NULL;
    tn_status status = tn__tensor_view(value, &value->shape, &kernel->output[0]);
    tn__release(value);
    return status;
}

const tn__op tn__op_ReadVariableOp = {
    .name = "ReadVariableOp",
    .inputs = "resource: resource",
    .outputs = "value: float", /* the variable's own dtype: read_infer */
    .infer = read_infer,
    .compute = read_compute,
    .gradient = pass_gradient,
    .flags = TN__STATEFUL | TN__HALF | TN__MAKES_OUTPUTS,
};

static tn_status is_initialized_compute(tn__kernel *kernel)
{
    return tn__variable_initialized(kernel->input[0], kernel->output[0]->data);
}

const tn__op tn__op_VarIsInitializedOp = {
    .name = "VarIsInitializedOp",
    .inputs = "resource: resource",
    .outputs = "is_initialized: bool",
    .infer = tn__infer_scalar,
    .compute = is_initialized_compute,
    .no_gradient = "not differentiable: bool",
    .flags = TN__STATEFUL | TN__HALF,
};

static tn_status assign_infer(tn__infer *infer)
{
    const tn_tensor *variable = tn__variable_behind(infer->input[0]), *value = infer->input[1];
    if (!variable || (variable->dtype == value->dtype && tn__shape_fits(&variable->shape, &value->shape)))
        return TN_OK;
    return tn__variable_refuse(variable, value);
}

static tn_status assign_compute(tn__kernel *kernel)
{
    return tn__variable_assign(kernel->input[0], kernel->input[1]);
}

typedef struct {
    tn__kernel *kernel;
    const tn__op *op; /* AddV2 or Sub */
} combination;

/* Element by element, so that the old value may be the new one too. */
static tn_status combine(void *self, tn_tensor *old, tn_tensor *value)
{
    const combination *c = self;
    tn_tensor *inputs[] = { old, c->kernel->input[1] };
    if (!tn__shape_equal(&old->shape, &inputs[1]->shape))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Cannot update variable with shape %s using a Tensor with shape %s, shapes must be equal.",
                        TN__BRACKETS(old->shape), TN__BRACKETS(inputs[1]->shape));
    return tn__compute_into(c->kernel->context, c->op, NULL, inputs, 2, value);
}

static tn_status assign_combined(tn__kernel *kernel, const tn__op *op)
{
    combination c = { kernel, op };
    return tn__variable_change(kernel->input[0], combine, &c);
}

static tn_status assign_add_compute(tn__kernel *kernel)
{
    return assign_combined(kernel, &tn__op_AddV2);
}

static tn_status assign_sub_compute(tn__kernel *kernel)
{
    return assign_combined(kernel, &tn__op_Sub);
}

#define ASSIGN(name_, compute_) \
    const tn__op tn__op_##name_ = { \
        .name = #name_, \
        .inputs = "resource: resource, value: dtype", \
        .outputs = "", \
        .types = "dtype: any", \
        .infer = assign_infer, \
        .compute = compute_, \
        .no_gradient = "none: it has no outputs", \
        .flags = TN__STATEFUL | TN__HALF, \
    };
ASSIGN(AssignVariableOp, assign_compute)
ASSIGN(AssignAddVariableOp, assign_add_compute)
ASSIGN(AssignSubVariableOp, assign_sub_compute)

/* What the running layer computes in goes back into the weight's own dtype. */
static bool is_autocast(const tn_context *context, const tn_tensor *variable)
{
    return tn__dtype_as_read(context, variable) != (tn_dtype)variable->dtype;
}

/* A trace runs its nodes in their order; a session what is asked for, so there the read waits for the assignment. */
tn_tensor *tn__read_after(tn_context *context, tn_tensor *variable)
{
    tn_graph *graph = context->graph;
    if (!graph || !graph->v1)
        return TN__APPLY(tn__op_ReadVariableOp, NULL, variable);
    tn__node *assignment = graph->node.item[graph->node.count - 1]; /* the list moves as it grows */
    tn__control *outer = context->control, last = { outer, &assignment, 1 };
    context->control = &last;
    tn_tensor *value = TN__APPLY(tn__op_ReadVariableOp, NULL, variable);
    context->control = outer;
    if (value && value->form == TN__SYMBOLIC && value->of.output.node->control_count)
        value->of.output.node->assigned = true;
    return value;
}

/* In a graph the assignment is a node, and its value a read after it. */
static tn_tensor *assign_with(const tn__op *op, tn_variable *variable, tn_tensor *value)
{
    TN__ENTER(context, NULL);
    if (!tn__check_tensor(variable, "tn_assign: variable") || !tn__check_tensor(value, "tn_assign: value"))
        return NULL;
    if (variable->form != TN__VARIABLE && variable->dtype != TN__RESOURCE) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_assign: %s is not a variable and cannot be assigned to", TN__TENSOR(variable));
        return NULL;
    }
    if (value->dtype != variable->dtype && (value->weak || is_autocast(context, variable)) && variable->form == TN__VARIABLE)
        value = tn_cast(value, (tn_dtype)variable->dtype);
    if (!value || tn__dispatch(context, op, NULL, (tn_tensor *[]){ variable, value }, 2, NULL, 0) != TN_OK)
        return NULL;
    return tn__read_after(context, variable);
}

tn_tensor *tn_assign(tn_variable *variable, tn_tensor *value)
{
    return assign_with(&tn__op_AssignVariableOp, variable, value);
}

tn_tensor *tn_assign_add(tn_variable *variable, tn_tensor *delta)
{
    return assign_with(&tn__op_AssignAddVariableOp, variable, delta);
}

tn_tensor *tn_assign_sub(tn_variable *variable, tn_tensor *delta)
{
    return assign_with(&tn__op_AssignSubVariableOp, variable, delta);
}

tn_tensor *tn_read_value(tn_variable *variable)
{
    tn_tensor *value = TN__APPLY(tn__op_ReadVariableOp, NULL, variable);
    return value && is_autocast(tn__context(), variable) ? tn_cast(value, tn__context()->autocast) : value;
}

/* --- Identity and its kin ----------------------------------------------------------------------------------------------- */
tn_status tn__infer_same(tn__infer *infer)
{
    infer->output[0].shape = infer->input[0]->shape;
    return TN_OK;
}

const tn__op tn__op_Identity = {
    .name = "Identity",
    .inputs = "input: T",
    .outputs = "output: T",
    .types = "T: any",
    .infer = tn__infer_same,
    .gradient = pass_gradient,
    .flags = TN__VIEW,
};

const tn__op tn__op_StopGradient = {
    .name = "StopGradient",
    .inputs = "input: T",
    .outputs = "output: T",
    .types = "T: any",
    .infer = tn__infer_same,
    .no_gradient = "none: that is what it is for",
    .flags = TN__VIEW,
};

tn_tensor *tn_identity(tn_tensor *x)
{
    return TN__APPLY(tn__op_Identity, NULL, x);
}

tn_tensor *tn_stop_gradient(tn_tensor *x)
{
    return TN__APPLY(tn__op_StopGradient, NULL, x);
}
