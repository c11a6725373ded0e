/* sequential.c - layers one after the other. */
#include "nn/model.h"
#include <string.h>

static void sequential_destroy(void *self)
{
    tn__sequential *s = self;
    tn__release(s->input);
    tn__release(s->output);
    tn__free(s->input_name);
}

/* The layer whose instance this is: its body runs, so it is the innermost frame's. */
static tn_layer *this_layer(void)
{
    return tn__context()->frame->layer;
}

bool tn__sequential_input_shape(const tn_layer *model, tn_shape *shape)
{
    if (model->build_shape) {
        *shape = *model->build_shape;
        return true;
    }
    if (model->child.count == 0 || !model->child.item[0]->input_shape)
        return false;
    const tn_shape *own = model->child.item[0]->input_shape;
    *shape = (tn_shape){ 1, own->rank + 1, { TN_NONE } };
    memcpy(shape->dims + 1, own->dims, (size_t)own->rank * sizeof *own->dims);
    return own->rank < TN_MAX_RANK;
}

/* What a layer before it gave may be several tensors. */
static tn_status call_one(tn_context *context, tn_layer *layer, tn_tensor *x, tn_tensor **y)
{
    size_t count = tn__flat_count(x);
    tn_tensor **leaves = tn__alloc((count + 1) * sizeof *leaves);
    *y = NULL;
    if (!leaves)
        return TN_RESOURCE_EXHAUSTED;
    tn__flatten(x, leaves);
    tn_status status = tn__layer_apply(context, layer, leaves, count, -1, y);
    tn__free(leaves);
    return status;
}

tn_dtype tn__sequential_input_dtype(const tn_layer *model)
{
    const tn__sequential *s = model->self;
    const tn_layer *first = model->child.count ? model->child.item[0] : NULL;
    if (s->input_dtype)
        return s->input_dtype;
    return first && !first->input_shape ? tn__layer_dtype(first) : TN_FLOAT32;
}

static tn_tensor *sequential_call(void *self, tn_list inputs)
{
    (void)self;
    tn_layer *model = this_layer();
    tn_context *context = tn__context();
    tn_shape shape;
    tn_tensor *x = inputs.item[0], *y;
    if (tn__sequential_input_shape(model, &shape)) {
        x = tn__fit_input(x, tn__sequential_input_dtype(model), &shape);
        if (x && !tn__shape_fits(&x->shape, &shape)) {
            tn__fail(TN_INVALID_ARGUMENT, "Input 0 of layer \"%s\" is incompatible with the layer: expected shape=%s, found shape=%s", model->name,
                     TN__SHAPE(shape), TN__SHAPE(x->shape));
            return NULL;
        }
    }
    for (size_t i = 0; i < model->child.count && x; i++)
        x = call_one(context, model->child.item[i], x, &y) == TN_OK ? tn__own(y) : NULL;
    return x;
}

/* What comes of a whole build: every layer is called once on shapes. */
static void sequential_build(void *self, tn_list inputs)
{
    (void)self;
    tn_layer *model = this_layer();
    if (!model->build_shape && inputs.count) {
        model->build_shape = tn__memdup(&inputs.item[0]->shape, sizeof(tn_shape));
        if (model->build_shape && model->build_shape->known && model->build_shape->rank > 0)
            model->build_shape->dims[0] = TN_NONE;
    }
}

/* Layers that are not behind the symbolic output yet are put there. */
static tn_status extend(tn_context *context, tn_layer *model)
{
    tn__sequential *s = model->self;
    while (s->done < model->child.count) {
        tn_tensor *y;
        TN_TRY(call_one(context, model->child.item[s->done], s->output, &y));
        tn__assign_object(&s->output, y);
        tn__release(y);
        s->done++;
    }
    return TN_OK;
}

static tn_status make_ends(tn_context *context, tn_layer *model)
{
    tn__sequential *s = model->self;
    tn_shape shape;
    if (s->input)
        return extend(context, model);
    if (!tn__sequential_input_shape(model, &shape))
        return tn__fail(TN_FAILED_PRECONDITION,
                        "Sequential model '%s' has no defined input shape yet.\ncall it once, or give its first layer .input_shape; in a text begin with input(8, 8, 1)", model->name);
    TN_TRY(tn__input_new(context, s->input_name, tn__sequential_input_dtype(model), &shape, &s->input));
    s->done = 0;
    s->output = tn__retain(s->input);
    tn_status status = extend(context, model);
    if (status != TN_OK) {
        tn__assign_object(&s->input, NULL);
        tn__assign_object(&s->output, NULL);
    }
    return status;
}

static tn_status sequential_input_output(tn_context *context, tn_layer *layer, tn_tensor **input, tn_tensor **output)
{
    tn__sequential *s = layer->self;
    TN_TRY(make_ends(context, layer));
    *input = s->input;
    *output = s->output;
    return TN_OK;
}

tn_status tn__sequential_write_config(tn_layer *layer, void *json);
tn_status tn__sequential_read_config(tn_context *context, const void *json, tn_layer **layer);
static const tn_class_more sequential_more = {
    .destroy = sequential_destroy,
    .write_config = tn__sequential_write_config,
    .read_config = tn__sequential_read_config,
    .input_output = sequential_input_output,
};
const tn_class tn__class_Sequential = {
    .name = "Sequential",
    .module = "keras",
    .size = sizeof(tn__sequential),
    .build = sequential_build,
    .call = sequential_call,
    .model = true,
    .inputs = 1,
    .more = &sequential_more,
};

/* --- making ------------------------------------------------------------------------------------------------------------- */
static tn_status check_name(const tn_layer *model, const tn_layer *layer)
{
    for (size_t i = 0; i < model->child.count; i++)
        if (!layer->automatic_name && !model->child.item[i]->automatic_name && strcmp(model->child.item[i]->name, layer->name) == 0)
            return tn__fail(TN_ALREADY_EXISTS,
                            "All layers added to a Sequential model should have unique names. Name '%s' is already the name of a layer in this model. "
                            "Update the `name` argument to pass a unique name.\nmade at %s; the other was made at %s",
                            layer->name, tn__line(layer->here), tn__line(model->child.item[i]->here));
    return TN_OK;
}

/* As soon as the input's shape is known the layers are built, as Keras does when an Input comes first. */
static tn_status build_known(tn_context *context, tn_layer *model)
{
    tn_shape shape;
    if (!tn__sequential_input_shape(model, &shape))
        return TN_OK;
    if (!model->build_shape && !(model->build_shape = tn__memdup(&shape, sizeof shape)))
        return TN_RESOURCE_EXHAUSTED;
    tn__call_frame frame = { .layer = model, .phase = TN__IN_BUILD }; /* paths of weights begin with the model's name */
    tn__frame_push(context, &frame);
    tn_status status = make_ends(context, model);
    tn__frame_pop(context, &frame);
    TN_TRY(status);
    model->built = true;
    return TN_OK;
}

tn_status tn__sequential_build(tn_context *context, tn_layer *model, const tn_shape *shape)
{
    if (!model->build_shape && !(model->build_shape = tn__memdup(shape, sizeof *shape)))
        return TN_RESOURCE_EXHAUSTED;
    return build_known(context, model);
}

/* An InputLayer in front says the input's shape, dtype and name; it is not one of the layers. */
static tn_status take_input_layer(tn_layer *model, const tn_layer *layer)
{
    tn__sequential *s = model->self;
    const tn__input_layer *input = layer->self;
    if (model->child.count > 0 || model->build_shape)
        return tn__fail(TN_INVALID_ARGUMENT, "Sequential model '%s' has already been configured to use input shape %s. You cannot add a different Input layer to it.",
                        model->name, model->build_shape ? TN__SHAPE(*model->build_shape) : "of its first layer");
    model->build_shape = tn__memdup(&input->batch_shape, sizeof input->batch_shape);
    s->input_dtype = input->dtype;
    s->input_name = layer->automatic_name ? NULL : tn__strdup(layer->name);
    return tn__errors()->status;
}

static tn_status add_quietly(tn_layer *model, tn_layer *layer)
{
    if (layer->of == &tn__class_InputLayer)
        return take_input_layer(model, layer);
    TN_TRY(check_name(model, layer));
    TN_TRY(tn__layer_add_child(model, layer));
    /* A whole model in front brings its own input. */
    tn_shape shape;
    if (model->child.count == 1 && layer->of->more && layer->of->more->input_output && !model->build_shape && layer->built) {
        tn_tensor *input, *output;
        if (layer->of == &tn__class_Sequential && !tn__sequential_input_shape(layer, &shape))
            return TN_OK;
        TN_TRY(layer->of->more->input_output(tn__context(), layer, &input, &output));
        if (input->form == TN__SYMBOLIC) {
            ((tn__sequential *)model->self)->input_dtype = (tn_dtype)input->dtype;
            model->build_shape = tn__memdup(&input->shape, sizeof input->shape);
        }
    }
    return TN_OK;
}

/* Has another layer the name of the last one? */
static bool name_repeats(const tn_layer *model)
{
    size_t last = model->child.count;
    for (size_t i = 0; i + 1 < last; i++)
        if (strcmp(model->child.item[i]->name, model->child.item[last - 1]->name) == 0)
            return true;
    return false;
}

static void take_back(tn_layer *model)
{
    tn_layer *layer = model->child.item[--model->child.count];
    if (layer->owner == model)
        layer->owner = NULL;
    tn__release(layer);
}

tn_status tn__sequential_add(tn_context *context, tn_layer *model, tn_layer *layer)
{
    size_t before = model->child.count;
    bool shaped = model->build_shape != NULL;
    tn_status status = add_quietly(model, layer);
    if (status == TN_OK && name_repeats(model))
        status = tn__settle_names(model->child.item, model->child.count);
    if (status == TN_OK)
        status = build_known(context, model);
    if (status != TN_OK && model->child.count > before) { /* a layer that does not fit is not left in it */
        take_back(model);
        if (!shaped) {
            tn__free(model->build_shape);
            model->build_shape = NULL;
        }
    }
    return status;
}

tn_model *tn_sequential_new(const tn_sequential_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn__layer_common common = { .name = options->name, .trainable = true };
    tn_layer *model;
    if (tn__layer_new(context, &tn__class_Sequential, NULL, &common, &model) != TN_OK)
        return NULL;
    tn_status status = TN_OK;
    for (size_t i = 0; i < options->layers.count && status == TN_OK; i++)
        status = tn__check_layer(options->layers.item[i], "tn_sequential: a layer") ? add_quietly(model, options->layers.item[i])
                                                                                    : TN_INVALID_ARGUMENT;
    if (status == TN_OK)
        status = tn__settle_names(model->child.item, model->child.count);
    if (status == TN_OK)
        status = build_known(context, model);
    if (status != TN_OK) {
        tn__release(model);
        return NULL;
    }
    return tn__own(model);
}

tn_status tn_sequential_add(tn_model *model, tn_layer *layer)
{
    TN__ENTER(context, context->error.status);
    if (!tn__check_layer(model, "tn_sequential_add: model") || !tn__check_layer(layer, "tn_sequential_add: layer"))
        return TN_INVALID_ARGUMENT;
    if (model->of != &tn__class_Sequential)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_sequential_add: %s is not a Sequential", tn__layer_print(model));
    return tn__sequential_add(context, model, layer);
}
