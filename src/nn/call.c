/* call.c - calling a layer: at once, in a trace, or, on a symbolic input, as a node of a functional model. */
#include "nn/model.h"
#include "function/function.h"
#include <string.h>

/* --- the op that a call is in a functional model ------------------------------------------------------------------------ */
typedef struct {
    tn_tensor *layer;   /* a tn_layer, retained as any object */
    tn_flag training;   /* -1: as the call around it */
    int index;          /* which call of the layer this is: keras_history */
    int outputs;
    tn_tensor *structure; /* of the result: a tuple with symbolic leaves, or one of them */
} call_attrs;
static const tn_field call_fields[] = {
    TN__ROW(TN_FIELD_TENSOR, call_attrs, layer, NULL, NULL),
    TN__ROW(TN_FIELD_FLAG, call_attrs, training, "-1", NULL),
    TN__ROW(TN_FIELD_AXIS, call_attrs, index, "0", NULL),
    TN__ROW(TN_FIELD_AXIS, call_attrs, outputs, "1", NULL),
    TN__ROW(TN_FIELD_TENSOR, call_attrs, structure, NULL, NULL),
    TN__END_OF_FIELDS,
};

static size_t call_outputs(const void *attrs, size_t inputs)
{
    (void)inputs;
    return (size_t)((const call_attrs *)attrs)->outputs;
}

static tn_status call_expand(tn_context *context, const void *attrs, tn_tensor *const *inputs, size_t input_count, tn_tensor **outputs,
                             size_t output_count)
{
    const call_attrs *a = attrs;
    tn_tensor *result;
    TN_TRY(tn__layer_run(context, (tn_layer *)a->layer, (tn_list){ input_count, inputs }, a->training, &result));
    tn_status status = TN_OK;
    tn_tensor **leaves = tn__flat_count(result) == output_count ? tn__alloc((output_count + 1) * sizeof *leaves) : NULL;
    if (leaves)
        tn__flatten(result, leaves);
    else if (!tn__failed(context))
        status = tn__fail(TN_INVALID_ARGUMENT, "%s gave %zu outputs when the model was made and gives %zu now",
                          tn__layer_print((tn_layer *)a->layer), output_count, tn__flat_count(result));
    for (size_t i = 0; leaves && i < output_count; i++)
        outputs[i] = tn__retain(leaves[i]);
    tn__free(leaves);
    tn__release(result);
    return status == TN_OK ? context->error.status : status;
}

/* Reached when a functional model's node is appended to another functional model: the shapes are found as at the first call. */
static tn_status call_infer(tn__infer *infer);

const tn__op tn__op_KerasLayer = {
    .name = "KerasLayer",
    .inputs = "",
    .outputs = "",
    .attrs = call_fields,
    .attrs_size = sizeof(call_attrs),
    .count_outputs = call_outputs,
    .infer = call_infer,
    .expand = call_expand,
    .no_gradient = "none: its body's ops have theirs",
};

tn_layer *tn__node_layer(const tn__node *node, int *node_index)
{
    if (node->op != &tn__op_KerasLayer)
        return NULL;
    const call_attrs *attrs = node->attrs;
    if (node_index)
        *node_index = attrs->index;
    return (tn_layer *)attrs->layer;
}

/* --- what comes out, without data --------------------------------------------------------------------------------------- */
/* Runs the layer on placeholders in a graph that is thrown away: the same code that runs with data tells the shapes. */
static tn_status run_on_shapes(tn_context *context, tn_layer *layer, tn_tensor *const *inputs, size_t count, int training, tn_tensor **result)
{
    tn_graph *scratch = tn__graph_new(), *outer = context->graph;
    tn_tensor **stands = tn__alloc_zeroed(count + 1, sizeof *stands);
    tn_status status = scratch && stands ? TN_OK : TN_RESOURCE_EXHAUSTED;
    context->tape_pause++;
    for (size_t i = 0; i < count && status == TN_OK; i++)
        status = tn__graph_input(context, scratch, (tn_dtype)inputs[i]->dtype, &inputs[i]->shape, NULL, &stands[i]);
    context->graph = scratch;
    if (status == TN_OK)
        status = tn__layer_run(context, layer, (tn_list){ count, stands }, training, result);
    context->graph = outer;
    context->tape_pause--;
    for (size_t i = 0; stands && i < count; i++)
        tn__release(stands[i]);
    tn__free(stands);
    tn__release(scratch);
    return status;
}

static void set_output(tn__infer *infer, size_t i, const tn_tensor *x)
{
    infer->output[i].dtype = (tn_dtype)x->dtype;
    infer->output[i].shape = x->shape;
}

static tn_status call_infer(tn__infer *infer)
{
    const call_attrs *a = infer->attrs;
    tn_tensor *result;
    TN_TRY(run_on_shapes(tn__context(), (tn_layer *)a->layer, infer->input, infer->input_count, a->training, &result));
    tn_tensor **leaves = tn__alloc((infer->output_count + 1) * sizeof *leaves);
    if (leaves && tn__flat_count(result) == infer->output_count) {
        tn__flatten(result, leaves);
        for (size_t i = 0; i < infer->output_count; i++)
            set_output(infer, i, leaves[i]);
    }
    tn__free(leaves);
    tn__release(result);
    return tn__errors()->status;
}

/* --- calling ------------------------------------------------------------------------------------------------------------ */
/* A node for a call whose result is known to have this structure. */
static tn_status call_node(tn_context *context, tn_layer *layer, tn_tensor *const *inputs, size_t count, int training, tn_tensor *structure,
                           tn_tensor **result)
{
    size_t outputs = tn__flat_count(structure);
    call_attrs attrs = { (tn_tensor *)layer, training, layer->nodes, (int)outputs, structure };
    tn_tensor **made = tn__alloc_zeroed(outputs + 1, sizeof *made);
    if (!made)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = tn__dispatch(context, &tn__op_KerasLayer, &attrs, inputs, count, made, outputs);
    tn_tensor *const *at = made;
    if (status == TN_OK && !(*result = tn__rebuild(structure, &at)))
        status = TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < outputs; i++)
        tn__release(made[i]);
    tn__free(made);
    layer->nodes += status == TN_OK;
    return status;
}

/* The same tuples with leaves that are no more than a dtype and a shape: a node must not keep the graph alive in which they were
 * found. */
static tn_tensor *outline(const tn_tensor *x)
{
    size_t count = tn__flat_count(x), made = 0;
    tn_tensor **leaves = tn__alloc_zeroed(count + 1, sizeof *leaves), *result = NULL;
    if (leaves)
        tn__flatten((tn_tensor *)x, leaves);
    for (; leaves && made < count; made++) {
        tn_tensor *leaf = tn__object_new(&tn__type_tensor);
        if (!leaf)
            break;
        leaf->form = TN__SYMBOLIC;
        leaf->dtype = leaves[made]->dtype;
        leaf->shape = leaves[made]->shape;
        leaves[made] = leaf;
    }
    tn_tensor *const *at = leaves;
    if (leaves && made == count)
        result = tn__rebuild(x, &at);
    for (size_t i = 0; i < made; i++)
        tn__release(leaves[i]);
    tn__free(leaves);
    return result;
}

static tn_status call_and_outline(tn_context *context, tn_layer *layer, tn_tensor *const *inputs, size_t count, int training,
                                  tn_tensor **result)
{
    tn_tensor *found;
    TN_TRY(run_on_shapes(context, layer, inputs, count, training, &found));
    tn_tensor *structure = outline(found);
    tn__release(found);
    tn_status status = structure ? call_node(context, layer, inputs, count, training, structure, result) : TN_RESOURCE_EXHAUSTED;
    tn__release(structure);
    return status;
}

static tn_status call_symbolic(tn_context *context, tn_layer *layer, tn_tensor *const *inputs, size_t count, int training, tn_tensor **result)
{
    tn__making_begin(context); /* it counts the layer's calls */
    tn_status status = call_and_outline(context, layer, inputs, count, training, result);
    tn__making_end(context);
    return status;
}

/* The node that an InputLayer is: no inputs, one output of the given shape. */
tn_status tn__layer_input_node(tn_context *context, tn_layer *layer, tn_dtype dtype, const tn_shape *shape, tn_tensor **input)
{
    call_attrs attrs = { (tn_tensor *)layer, -1, 0, 1, NULL };
    __typeof__(*((tn__infer *)0)->output) output = { dtype, *shape };
    tn__infer infer = { .op = &tn__op_KerasLayer, .attrs = &attrs, .output_count = 1, .output = (void *)&output };
    tn__node *node;
    TN_TRY(tn__node_new(context, NULL, &infer, &node));
    if ((node->name = tn__strdup(layer->name))) /* tn_name(tn_model_input(m)) */
        *input = tn__node_output(node, 0);
    tn__release(node);
    layer->nodes = 1;
    return *input ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static bool any_functional(tn_tensor *const *inputs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tn__is_functional(inputs[i]))
            return true;
    return false;
}

static tn_tensor *traced_body(void *self, tn_list inputs)
{
    tn_layer *layer = self;
    tn_tensor *result;
    if (tn__layer_run(tn__context(), layer, inputs, -1, &result) != TN_OK)
        return NULL;
    return tn__own(result);
}

/* A class whose call is a tf.function: one function a layer, made at its first call. */
static tn_status call_traced(tn_context *context, tn_layer *layer, tn_list inputs, int training, tn_tensor **result)
{
    tn_function *f = __atomic_load_n(&layer->traced, __ATOMIC_ACQUIRE);
    if (!f) {
        tn__making_begin(context);
        f = layer->traced;
        if (!f && tn__function_new(traced_body, layer, false, layer->name, &f) == TN_OK)
            __atomic_store_n(&layer->traced, f, __ATOMIC_RELEASE);
        tn__making_end(context);
    }
    return f ? tn__function_call(context, f, inputs, training, result) : context->error.status;
}

tn_status tn__layer_apply(tn_context *context, tn_layer *layer, tn_tensor *const *inputs, size_t count, int training, tn_tensor **result)
{
    *result = NULL;
    if (any_functional(inputs, count))
        return call_symbolic(context, layer, inputs, count, training, result);
    if (layer->of->traced && !context->graph)
        return call_traced(context, layer, (tn_list){ count, inputs }, training, result);
    return tn__layer_run(context, layer, (tn_list){ count, inputs }, training, result);
}

tn_tensor *tn_layer_call(tn_layer *layer, tn_list inputs, const tn_call_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    size_t count = 0;
    if (!tn__check_layer(layer, "tn_call: layer"))
        return NULL;
    for (size_t i = 0; i < inputs.count; i++) {
        if (!tn__check_tensor(inputs.item[i], "tn_call: an input"))
            return NULL;
        count += tn__flat_count(inputs.item[i]);
    }
    tn_tensor **leaves = tn__alloc((count + 1) * sizeof *leaves), **at = leaves, *result = NULL;
    if (!leaves)
        return NULL;
    for (size_t i = 0; i < inputs.count; i++)
        at = tn__flatten(inputs.item[i], at);
    (void)!tn__layer_apply(context, layer, leaves, count, options->training, &result);
    tn__free(leaves);
    return tn__own(result);
}
