/* serving.c */
#include "saving/serving.h"
#include "autodiff/tape.h"
#include <stdlib.h>
#include <string.h>

/* --- what the inputs are ---------------------------------------------------------------------- */
typedef struct {
    const char *name;
    tn_dtype dtype;
    tn_shape shape;
} input;

static tn_shape open_batch(tn_shape shape)
{
    if (shape.known && shape.rank > 0)
        shape.dims[0] = TN_NONE;
    return shape;
}

static tn_status functional_inputs(tn__arena *arena, const tn_layer *model, input **inputs,
                                   size_t *count)
{
    const tn__functional *f = model->self;
    *count = f->input_count;
    *inputs = tn__arena_alloc(arena, (*count + 1) * sizeof **inputs);
    for (size_t i = 0; *inputs && i < *count; i++) {
        const tn_tensor *x = f->input[i];
        const tn_layer *layer = tn__node_layer(x->of.output.node, NULL);
        (*inputs)[i] = (input){ layer->name, (tn_dtype)x->dtype, open_batch(x->shape) };
    }
    return *inputs ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status fail_shape(const tn_layer *model)
{
    if (model->of == &tn__class_Sequential)
        return tn__fail(
            TN_FAILED_PRECONDITION,
            "Model %s cannot be saved because the input shape is not available. Please specify an "
            "input shape either by calling `build(input_shape)` directly, or by calling the model "
            "on actual data using `Model()`, `Model.fit()`, or `Model.predict()`.",
            tn__layer_print(model));
    return tn__fail(
        TN_FAILED_PRECONDITION,
        "Model %s cannot be saved either because the input shape is not available or because the "
        "forward pass of the model is not defined.To define a forward pass, please override "
        "`Model.call()`. To specify an input shape, either call `build(input_shape)` directly, or "
        "call the model on actual data using `Model()`, `Model.fit()`, or `Model.predict()`.",
        tn__layer_print(model));
}

static tn_status sequential_input(tn__arena *arena, const tn_layer *model, input **inputs,
                                  size_t *count)
{
    const tn__sequential *s = model->self;
    tn_shape shape;
    *count = 1;
    if (model->child.count == 0 || !tn__sequential_input_shape(model, &shape))
        return fail_shape(model);
    const char *name = s->input_name
                           ? s->input_name
                           : tn__arena_print(arena, "%s_input", model->child.item[0]->name);
    *inputs = name ? tn__arena_alloc(arena, sizeof **inputs) : NULL;
    if (!*inputs)
        return TN_RESOURCE_EXHAUSTED;
    **inputs = (input){ name, tn__sequential_input_dtype(model), open_batch(shape) };
    return TN_OK;
}

static tn_status class_inputs(tn__arena *arena, const tn_layer *model, input **inputs,
                              size_t *count)
{
    if (!model->build_shape || !model->built)
        return fail_shape(model);
    *count = model->build_count ? model->build_count : 1;
    *inputs = tn__arena_alloc(arena, *count * sizeof **inputs);
    for (size_t i = 0; *inputs && i < *count; i++) {
        const char *name = tn__arena_print(arena, "input_%zu", i + 1);
        if (!name)
            return TN_RESOURCE_EXHAUSTED;
        tn_dtype dtype = model->build_dtype ? model->build_dtype[i] : TN_FLOAT32;
        (*inputs)[i] = (input){ name, dtype, open_batch(model->build_shape[i]) };
    }
    return *inputs ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status find_inputs(tn__arena *arena, const tn_layer *model, input **inputs, size_t *count)
{
    if (model->of == &tn__class_Functional)
        return functional_inputs(arena, model, inputs, count);
    if (model->of == &tn__class_Sequential)
        return sequential_input(arena, model, inputs, count);
    return class_inputs(arena, model, inputs, count);
}

/* --- what the outputs are called -------------------------------------------------------------- */
static const char *plain_output_name(tn__arena *arena, const tn_layer *model, size_t index)
{
    if (model->of == &tn__class_Sequential)
        return model->child.item[model->child.count - 1]->name;
    if (model->of != &tn__class_Functional)
        return tn__arena_print(arena, "output_%zu", index + 1);
    const tn__functional *f = model->self;
    const tn_tensor *x = index < f->output_count ? f->output[index] : NULL;
    const tn_layer *layer = x ? tn__node_layer(x->of.output.node, NULL) : NULL;
    return layer ? layer->name : tn__arena_print(arena, "output_%zu", index + 1);
}

static bool is_taken(const tn__serving *s, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(s->output[i].name, name) == 0)
            return true;
    return false;
}

/* A layer that gives two outputs names both: the second is "dense_1". */
static const char *output_name(tn__arena *arena, const tn_layer *model, const tn__serving *s,
                               size_t index)
{
    const char *plain = plain_output_name(arena, model, index), *name = plain;
    for (size_t k = 1; name && is_taken(s, index, name); k++)
        name = tn__arena_print(arena, "%s_%zu", plain, k);
    return name;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tn__serving_value *)a)->name, ((const tn__serving_value *)b)->name);
}

static tn_status take_values(tn__arena *arena, const tn_layer *model, const input *inputs,
                             const tn__concrete *c, tn__serving *s)
{
    s->input = tn__arena_alloc(arena, (s->input_count + 1) * sizeof *s->input);
    s->output = tn__arena_alloc(arena, (c->outputs + 1) * sizeof *s->output);
    if (!s->input || !s->output)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < s->input_count; i++)
        s->input[i] = (tn__serving_value){ inputs[i].name, c->graph->input.item[i] };
    for (; s->output_count < c->outputs; s->output_count++) {
        const char *name = output_name(arena, model, s, s->output_count);
        if (!name)
            return TN_RESOURCE_EXHAUSTED;
        s->output[s->output_count] = (tn__serving_value){ name, c->output[s->output_count] };
    }
    qsort(s->input, s->input_count, sizeof *s->input, by_name);
    qsort(s->output, s->output_count, sizeof *s->output, by_name);
    return TN_OK;
}

/* --- the trace -------------------------------------------------------------------------------- */
static tn_tensor *call_model(void *self, tn_list inputs)
{
    tn_tensor *result;
    tn_status status = tn__layer_apply(tn__context(), self, inputs.item, inputs.count, 0, &result);
    return status == TN_OK ? tn__own(result) : NULL;
}

/* Its key is made of the inputs' specs; there are no values yet that they could be read off. */
static tn_status trace(tn_context *context, tn__serving *s, const input *inputs,
                       tn__concrete **concrete)
{
    tn__key key = { .count = s->input_count };
    tn_tensor **leaves = tn__scope_alloc((s->input_count + 1) * sizeof *leaves);
    tn_tensor *any = leaves ? tn__own(tn__tensor_int32(0)) : NULL;
    key.spec = any ? tn__alloc_zeroed(s->input_count + 1, sizeof *key.spec) : NULL;
    if (!key.spec)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < s->input_count; i++) {
        leaves[i] = any;
        key.spec[i] =
            (tn__spec){ .form = TN__VALUE, .dtype = inputs[i].dtype, .shape = inputs[i].shape };
    }
    tn_status status = tn__concrete_for(context, s->function, &key,
                                        (tn_list){ s->input_count, leaves }, leaves, concrete);
    tn__key_free(&key);
    return status;
}

tn_status tn__serving_trace(tn_context *context, tn_layer *model, tn__arena *arena,
                            tn__serving *serving)
{
    input *inputs = NULL;
    tn__concrete *concrete;
    *serving = (tn__serving){ 0 };
    TN_TRY(find_inputs(arena, model, &inputs, &serving->input_count));
    TN_TRY(tn__function_new(call_model, model, false, model->name, &serving->function));
    serving->function->library = true;
    size_t depth = tn__scope_begin(context->here);
    tn__tapes_pause(context);
    context->to_write = true;
    tn_status status = trace(context, serving, inputs, &concrete);
    context->to_write = false;
    tn__tapes_resume(context);
    tn__scope_end(depth);
    TN_TRY(status);
    serving->graph = concrete->graph;
    serving->concrete = concrete;
    return take_values(arena, model, inputs, concrete, serving);
}

void tn__serving_free(tn__serving *serving)
{
    tn__release(serving->function);
    *serving = (tn__serving){ 0 };
}
