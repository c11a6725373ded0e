/* mask.c - masks on the way into a layer and out of it. */
#include "nn/mask.h"
#include "base/log.h"

tn_status tn__with_mask(tn_tensor *x, tn_tensor *mask, tn_tensor **masked)
{
    if (x->mask == mask) {
        *masked = tn__retain(x);
        return TN_OK;
    }
    TN_TRY(tn__tensor_alias(x, masked));
    (*masked)->mask = tn__retain(mask);
    return TN_OK;
}

tn_tensor *tn_mask(tn_tensor *x)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(x, "tn_mask: x") || !x->mask)
        return NULL;
    return tn__own_shared(x->mask);
}

static bool is_mask(const tn_tensor *mask)
{
    if (!tn__check_tensor(mask, "tn_with_mask: mask"))
        return false;
    if (mask->form != TN__TUPLE && mask->form != TN__VARIABLE)
        return true;
    tn__fail(TN_INVALID_ARGUMENT, "tn_with_mask: a mask is one tensor, a place true where it counts, got a %s",
             mask->form == TN__TUPLE ? "tuple" : "variable");
    return false;
}

tn_tensor *tn_with_mask(tn_tensor *x, tn_tensor *mask)
{
    TN__ENTER(context, NULL);
    tn_tensor *value = x, *masked = NULL;
    if (!tn__check_tensor(x, "tn_with_mask: x") || (mask && !is_mask(mask)))
        return NULL;
    if (x->form == TN__TUPLE) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_with_mask: x is a tuple of %zu tensors, one tensor is expected\ntn_item(tuple, i) gives one of them",
                 x->of.tuple.count);
        return NULL;
    }
    if (x->form == TN__VARIABLE && tn__dispatch(context, &tn__op_ReadVariableOp, NULL, &x, 1, &value, 1) != TN_OK)
        return NULL;
    (void)!tn__with_mask(value, mask, &masked);
    if (x->form == TN__VARIABLE)
        tn__release(value);
    return tn__own(masked);
}

/* --- in ----------------------------------------------------------------------------------------------------------------- */
tn_status tn__mask_inputs(const tn_layer *layer, tn_tensor **inputs, size_t count, tn_tensor *masks)
{
    if (!tn__check_tensor(masks, "tn_call: mask"))
        return TN_INVALID_ARGUMENT;
    size_t given = tn__flat_count(masks);
    if (given != count && given != 1)
        return tn__fail(TN_INVALID_ARGUMENT, "%s: mask has %zu tensors for %zu inputs\none mask goes with the first input; a tuple has one for each",
                        tn__layer_print(layer), given, count);
    tn_tensor **leaves = tn__scope_alloc((given + 1) * sizeof *leaves);
    if (!leaves)
        return TN_RESOURCE_EXHAUSTED;
    tn__flatten(masks, leaves);
    for (size_t i = 0; i < given && i < count; i++)
        if (!(inputs[i] = tn_with_mask(inputs[i], leaves[i])))
            return tn__errors()->status;
    return TN_OK;
}

/* --- out ---------------------------------------------------------------------------------------------------------------- */
static bool any_masked(tn_list x)
{
    for (size_t i = 0; i < x.count; i++)
        if (x.item[i]->mask)
            return true;
    return false;
}

/* Keras warns each time; a program that runs the same call a thousand times is told once. */
static void warn_of_lost_mask(tn_layer *layer)
{
    bool library_model = layer->of->model && layer->of->module;
    if (library_model || layer->mask_lost)
        return;
    layer->mask_lost = true;
    tn__warn("Layer '%s' (of type %s) was passed an input with a mask attached to it. However, this layer does not support masking and will "
             "therefore destroy the mask information. Downstream layers will not see the mask.",
             layer->name, layer->of->name);
}

/* One mask for each output that gets one, NULL for the others, in memory of the innermost scope. */
static tn_tensor **masks_of(tn_layer *layer, tn_list inputs, size_t outputs)
{
    tn_tensor **masks = tn__scope_alloc((outputs + 1) * sizeof *masks), *computed;
    for (size_t i = 0; masks && i < outputs; i++)
        masks[i] = !layer->of->compute_mask && i < inputs.count ? inputs.item[i]->mask : NULL;
    if (!masks || !layer->of->compute_mask || !(computed = layer->of->compute_mask(layer->self, inputs)))
        return masks;
    size_t count = tn__flat_count(computed);
    if (count > outputs) {
        tn__fail(TN_INVALID_ARGUMENT, "%s: compute_mask gave %zu masks for %zu outputs", tn__layer_print(layer), count, outputs);
        return NULL;
    }
    tn__flatten(computed, masks);
    return masks;
}

/* What the call itself put on its outputs stays. */
static tn_status put_masks(tn_tensor **leaves, tn_tensor *const *masks, size_t count, bool *changed)
{
    *changed = false;
    for (size_t i = 0; i < count; i++) {
        tn_tensor *masked;
        if (!masks[i] || leaves[i]->mask)
            continue;
        TN_TRY(tn__with_mask(leaves[i], masks[i], &masked));
        if (!(leaves[i] = tn__own(masked)))
            return TN_RESOURCE_EXHAUSTED;
        *changed = true;
    }
    return TN_OK;
}

static tn_status mask_leaves(tn_layer *layer, tn_list inputs, tn_tensor **result)
{
    size_t count = tn__flat_count(*result);
    bool changed;
    tn_tensor **leaves = tn__scope_alloc((count + 1) * sizeof *leaves), **masks = masks_of(layer, inputs, count);
    if (!leaves || !masks)
        return tn__errors()->status;
    tn__flatten(*result, leaves);
    TN_TRY(put_masks(leaves, masks, count, &changed));
    if (!changed)
        return tn__errors()->status;
    tn_tensor *const *at = leaves;
    tn_tensor *rebuilt = tn__rebuild(*result, &at);
    if (!rebuilt)
        return TN_RESOURCE_EXHAUSTED;
    tn__release(*result);
    *result = rebuilt;
    return tn__errors()->status;
}

tn_status tn__mask_outputs(tn_context *context, tn_layer *layer, tn_list inputs, tn_tensor **result)
{
    bool masked = any_masked(inputs);
    if (!layer->of->compute_mask && !layer->of->supports_masking) {
        if (masked)
            warn_of_lost_mask(layer);
        return TN_OK;
    }
    if (!layer->of->compute_mask && !masked)
        return TN_OK;
    size_t depth = tn__scope_begin(context->here);
    tn_status status = mask_leaves(layer, inputs, result);
    tn__scope_end(depth);
    return status;
}
