/* call.c - calling a layer: at once, in a trace, or, on a symbolic input, as a node of a functional model. */
#include "nn/mask.h"
#include "nn/model.h"
#include "function/function.h"
#include "autodiff/tape.h"
#include <string.h>

/* --- the op that a call is in a functional model ------------------------------------------------------------------------ */
typedef struct {
    tn_tensor *layer;   /* a tn_layer, retained as any object */
    tn_flag training;   /* -1: as the call around it */
    int index;          /* which call of the layer this is: keras_history */
    int outputs;        /* the result's tensors, then the masks of those that have one */
    tn_tensor *structure; /* of the result: a tuple with symbolic leaves, or one of them; their masks say which have one */
    tn_tensor *masked;  /* the last inputs are masks: int32, which input each belongs to; NULL: there are none */
    const void *found;  /* these attributes themselves, not a node's copy of them: this call has just found the structure */
} call_attrs;
static const tn_field call_fields[] = {
    TN__ROW(TN_FIELD_TENSOR, call_attrs, layer, NULL, NULL),
    TN__ROW(TN_FIELD_FLAG, call_attrs, training, "-1", NULL),
    TN__ROW(TN_FIELD_AXIS, call_attrs, index, "0", NULL),
    TN__ROW(TN_FIELD_AXIS, call_attrs, outputs, "1", NULL),
    TN__ROW(TN_FIELD_TENSOR, call_attrs, structure, NULL, NULL),
    TN__ROW(TN_FIELD_TENSOR, call_attrs, masked, NULL, NULL),
    TN__END_OF_FIELDS,
};

static size_t call_outputs(const void *attrs, size_t inputs)
{
    (void)inputs;
    return (size_t)((const call_attrs *)attrs)->outputs;
}

/* The masks that are inputs of their own put on what they belong to, in memory of the innermost scope. */
static tn_status attach_masks(const call_attrs *a, tn_list *inputs)
{
    if (!a->masked)
        return TN_OK;
    size_t masks = (size_t)tn__count(a->masked), count = inputs->count - masks;
    tn_tensor **item = tn__scope_alloc((count + 1) * sizeof *item);
    if (!item)
        return TN_RESOURCE_EXHAUSTED;
    memcpy(item, inputs->item, count * sizeof *item);
    for (size_t i = 0; i < masks; i++) {
        tn_tensor **at = &item[tn__int_at(a->masked, (int64_t)i)];
        if (!(*at = tn_with_mask(*at, inputs->item[count + i])))
            return tn__errors()->status;
    }
    *inputs = (tn_list){ count, item };
    return TN_OK;
}

/* The result's tensors, then the masks of those that had one when the node was made; in memory of the innermost scope. */
static tn_tensor **call_results(const call_attrs *a, tn_tensor *result, size_t outputs)
{
    size_t count = tn__flat_count(result), had = tn__flat_count(a->structure), next = had;
    tn_tensor **leaves = tn__scope_alloc((outputs + count + 1) * sizeof *leaves), **old = tn__scope_alloc((had + 1) * sizeof *old);
    if (!leaves || !old)
        return NULL;
    if (count != had) {
        tn__fail(TN_INVALID_ARGUMENT, "%s gave %zu outputs when the model was made and gives %zu now", tn__layer_print((tn_layer *)a->layer), had,
                 count);
        return NULL;
    }
    tn__flatten(result, leaves);
    tn__flatten(a->structure, old);
    for (size_t i = 0; i < had; i++) {
        if (!old[i]->mask)
            continue;
        if (!leaves[i]->mask) {
            tn__fail(TN_INVALID_ARGUMENT, "%s gave output %zu a mask when the model was made and gives none now",
                     tn__layer_print((tn_layer *)a->layer), i);
            return NULL;
        }
        leaves[next++] = leaves[i]->mask;
    }
    return leaves;
}

static tn_status run_and_take(tn_context *context, const call_attrs *a, tn_list inputs, tn_tensor **outputs, size_t output_count)
{
    tn_tensor *result;
    TN_TRY(attach_masks(a, &inputs));
    TN_TRY(tn__layer_run(context, (tn_layer *)a->layer, inputs, a->training, &result));
    tn_tensor **leaves = call_results(a, result, output_count);
    for (size_t i = 0; leaves && i < output_count; i++)
        outputs[i] = tn__retain(leaves[i]);
    tn__release(result);
    return leaves ? TN_OK : context->error.status;
}

static tn_status call_expand(tn_context *context, const void *attrs, tn_tensor *const *inputs, size_t input_count, tn_tensor **outputs,
                             size_t output_count)
{
    size_t depth = tn__scope_begin(context->here);
    tn_status status = run_and_take(context, attrs, (tn_list){ input_count, inputs }, outputs, output_count);
    tn__scope_end(depth);
    return status;
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
/* A placeholder like x, with one for its mask. */
static tn_status stand_for(tn_context *context, tn_graph *scratch, const tn_tensor *x, tn_tensor **stand)
{
    TN_TRY(tn__graph_input(context, scratch, (tn_dtype)x->dtype, &x->shape, NULL, stand));
    return x->mask ? tn__graph_input(context, scratch, (tn_dtype)x->mask->dtype, &x->mask->shape, NULL, &(*stand)->mask) : TN_OK;
}

/* Runs the layer on placeholders in a graph that is thrown away: the same code that runs with data tells the shapes. */
static tn_status run_on_shapes(tn_context *context, tn_layer *layer, tn_tensor *const *inputs, size_t count, int training, tn_tensor **result)
{
    tn_graph *scratch = tn__graph_new(), *outer = context->graph;
    tn_tensor **stands = tn__alloc_zeroed(count + 1, sizeof *stands);
    tn_status status = scratch && stands ? TN_OK : TN_RESOURCE_EXHAUSTED;
    tn__tapes_pause(context); /* those outside: what runs may have its own */
    context->shapes_only++;
    for (size_t i = 0; i < count && status == TN_OK; i++)
        status = stand_for(context, scratch, inputs[i], &stands[i]);
    context->graph = scratch;
    if (status == TN_OK)
        status = tn__layer_run(context, layer, (tn_list){ count, stands }, training, result);
    context->graph = outer;
    context->shapes_only--;
    tn__tapes_resume(context);
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

/* What the layer gives for these inputs. When it has just been run it is not run again: that would be another call of it, in which it may
 * make no variables. */
static tn_status find_result(tn_context *context, const call_attrs *a, tn_list inputs, tn_tensor **result)
{
    if (a->found == a) {
        *result = tn__retain(a->structure);
        return TN_OK;
    }
    TN_TRY(attach_masks(a, &inputs));
    return run_on_shapes(context, (tn_layer *)a->layer, inputs.item, inputs.count, a->training, result);
}

static tn_status call_infer(tn__infer *infer)
{
    const call_attrs *a = infer->attrs;
    tn_context *context = tn__context();
    tn_tensor *result = NULL, **leaves = NULL;
    size_t depth = tn__scope_begin(context->here);
    tn_status status = find_result(context, a, (tn_list){ infer->input_count, infer->input }, &result);
    if (status == TN_OK)
        leaves = call_results(a, result, infer->output_count);
    for (size_t i = 0; leaves && i < infer->output_count; i++)
        set_output(infer, i, leaves[i]);
    tn__release(result);
    tn__scope_end(depth);
    return status == TN_OK ? context->error.status : status;
}

/* --- calling ------------------------------------------------------------------------------------------------------------ */
/* The mask that the layer before gave x itself comes again when that layer runs; another one is an input of its own. */
static bool has_foreign_mask(const tn_tensor *x)
{
    return x->mask && !(x->form == TN__SYMBOLIC && x->mask->form == TN__SYMBOLIC && x->of.output.node == x->mask->of.output.node);
}

/* The inputs with such masks behind them, in memory of the innermost scope, and in attrs whose they are (a counted tensor). */
static tn_status spread_masks(tn_list *inputs, call_attrs *attrs)
{
    int64_t masks = 0;
    tn_tensor **item = tn__scope_alloc((2 * inputs->count + 1) * sizeof *item);
    int64_t *whose = tn__scope_alloc((inputs->count + 1) * sizeof *whose);
    if (!item || !whose)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < inputs->count; i++) {
        item[i] = inputs->item[i];
        if (has_foreign_mask(item[i])) {
            whose[masks] = (int64_t)i;
            item[inputs->count + (size_t)masks++] = item[i]->mask;
        }
    }
    if (masks && !(attrs->masked = tn__tensor_ints(TN_INT32, masks, whose)))
        return TN_RESOURCE_EXHAUSTED;
    *inputs = (tn_list){ inputs->count + (size_t)masks, item };
    return TN_OK;
}

/* The tensors that have a mask get the outputs behind them as such. */
static void hand_out_masks(tn_tensor *const *structure, tn_tensor *const *made, size_t count)
{
    size_t next = count;
    for (size_t i = 0; i < count; i++)
        if (structure[i]->mask)
            made[i]->mask = tn__retain(made[next++]);
}

static tn_status dispatch_call(tn_context *context, call_attrs *attrs, tn_list inputs, tn_tensor **result)
{
    size_t count = tn__flat_count(attrs->structure);
    tn_tensor **old = tn__scope_alloc((count + 1) * sizeof *old), **made = tn__scope_alloc((2 * count + 1) * sizeof *made);
    if (!old || !made)
        return TN_RESOURCE_EXHAUSTED;
    tn__flatten(attrs->structure, old);
    attrs->outputs = (int)count;
    for (size_t i = 0; i < count; i++)
        attrs->outputs += old[i]->mask != NULL;
    TN_TRY(spread_masks(&inputs, attrs));
    TN_TRY(tn__dispatch(context, &tn__op_KerasLayer, attrs, inputs.item, inputs.count, made, (size_t)attrs->outputs));
    hand_out_masks(old, made, count);
    tn_tensor *const *at = made;
    *result = tn__rebuild(attrs->structure, &at);
    for (int i = 0; i < attrs->outputs; i++)
        tn__release(made[i]);
    return *result ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* A node for a call whose result is known to have this structure. */
static tn_status call_node(tn_context *context, tn_layer *layer, tn_tensor *const *inputs, size_t count, int training, tn_tensor *structure,
                           tn_tensor **result)
{
    call_attrs attrs = { .layer = (tn_tensor *)layer, .training = training, .index = layer->nodes, .structure = structure, .found = &attrs };
    size_t depth = tn__scope_begin(context->here);
    tn_status status = dispatch_call(context, &attrs, (tn_list){ count, inputs }, result);
    tn__scope_end(depth);
    tn__release(attrs.masked);
    layer->nodes += status == TN_OK;
    return status;
}

/* The same tuples with leaves that are no more than a dtype and a shape: a node must not keep the graph alive in which they were
 * found. */
static tn_tensor *outline_leaf(const tn_tensor *x)
{
    tn_tensor *leaf = tn__object_new(&tn__type_tensor);
    if (!leaf)
        return NULL;
    leaf->form = TN__SYMBOLIC;
    leaf->dtype = x->dtype;
    leaf->shape = x->shape;
    if (!x->mask || (leaf->mask = outline_leaf(x->mask)))
        return leaf;
    tn__release(leaf);
    return NULL;
}

static tn_tensor *outline(const tn_tensor *x)
{
    size_t count = tn__flat_count(x), made = 0;
    tn_tensor **leaves = tn__alloc_zeroed(count + 1, sizeof *leaves), *result = NULL;
    if (leaves)
        tn__flatten((tn_tensor *)x, leaves);
    for (; leaves && made < count; made++) {
        tn_tensor *leaf = outline_leaf(leaves[made]);
        if (!leaf)
            break;
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
    call_attrs attrs = { .layer = (tn_tensor *)layer, .training = -1, .outputs = 1 };
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
    tn_tensor *result, **item = tn__scope_alloc((inputs.count + 1) * sizeof *item);
    if (!item)
        return NULL;
    for (size_t i = 0; i < inputs.count; i++) {
        tn_tensor *x = inputs.item[i];
        item[i] = x->form == TN__TUPLE ? tn_with_mask(x->of.tuple.item[0], x->of.tuple.item[1]) : x;
        if (!item[i])
            return NULL;
    }
    if (tn__layer_run(tn__context(), layer, (tn_list){ inputs.count, item }, -1, &result) != TN_OK)
        return NULL;
    return tn__own(result);
}

/* A mask goes into the function beside its tensor, as a tuple of both. */
static tn_status call_with_masks(tn_context *context, tn_layer *layer, tn_function *f, tn_list inputs, int training, tn_tensor **result)
{
    tn_tensor **item = tn__scope_alloc((inputs.count + 1) * sizeof *item);
    if (!item)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < inputs.count; i++) {
        tn_tensor *x = inputs.item[i];
        item[i] = x->mask ? tn__own(tn__tuple_new(2, (tn_tensor *[]){ x, x->mask })) : x;
        if (!item[i])
            return TN_RESOURCE_EXHAUSTED;
    }
    TN_TRY(tn__function_call(context, f, (tn_list){ inputs.count, item }, training, result));
    return tn__mask_outputs(context, layer, inputs, result);
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
    if (!f)
        return context->error.status;
    if (!layer->closed) /* build is not a part of call, so what it makes is not made in the trace */
        TN_TRY(tn__layer_prepare(context, layer, inputs));
    size_t depth = tn__scope_begin(context->here);
    tn_status status = call_with_masks(context, layer, f, inputs, training, result);
    tn__scope_end(depth);
    return status;
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
    if (!options->mask || tn__mask_inputs(layer, leaves, count, options->mask) == TN_OK)
        (void)!tn__layer_apply(context, layer, leaves, count, options->training, &result);
    tn__free(leaves);
    return tn__own(result);
}
