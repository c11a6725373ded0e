/* weights.c - making a layer's variables, and the public lists of them. */
#include "nn/layers/layers.h"
#include "nn/model.h"
#include <string.h>

tn_layer *tn__this_layer(void)
{
    const tn__call_frame *frame = tn__context()->frame;
    return frame ? frame->layer : NULL;
}

int64_t tn__last_dim(tn_list inputs)
{
    const tn_shape *shape = &inputs.item[0]->shape;
    if (shape->known && shape->rank > 0 && shape->dims[shape->rank - 1] >= 0)
        return shape->dims[shape->rank - 1];
    tn__fail(TN_INVALID_ARGUMENT, "The last dimension of the inputs to layer '%s' should be defined. Found None. Full input shape received: %s",
             tn__this_layer()->name, TN__SHAPE(*shape));
    return 0;
}

/* Keras 3's path: the layers that are being built or called, outermost first. */
static void add_path(tn__text *text, const tn__call_frame *frame)
{
    if (!frame)
        return;
    add_path(text, frame->outer);
    if (frame->layer)
        tn__text_add(text, "%s/", frame->layer->name);
}

static tn_status set_path(tn_context *context, tn_tensor *variable, const char *name)
{
    tn__text path = { 0 };
    add_path(&path, context->frame);
    tn__text_add(&path, "%s", name);
    variable->of.variable->path = tn__text_take(&path);
    return variable->of.variable->path ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

/* A few bytes of a file can ask for weights of any size, so those of its model are counted. */
static tn_status take_room(tn_context *context, const tn_shape *shape, tn_dtype dtype)
{
    size_t bytes;
    if (context->weight_room == 0)
        return TN_OK;
    TN_TRY(tn__shape_bytes(shape, dtype, context->weight_room - 1, &bytes));
    context->weight_room -= bytes;
    return TN_OK;
}

static tn_status make_weight(tn_context *context, const tn_add_weight_options *o, tn_variable **variable)
{
    tn_layer *layer = tn__this_layer();
    tn_tensor *value;
    if (!layer)
        return tn__fail(TN_FAILED_PRECONDITION, "tn_add_weight: no layer's init, build or call is running\ntn_variable() makes a variable of its own");
    tn_dtype dtype = o->dtype ? o->dtype : layer->policy->variable;
    if (!tn__shape_full(&o->shape))
        return tn__fail(TN_INVALID_ARGUMENT, "tn_add_weight: '%s' of layer '%s' needs a full shape, got %s", o->name ? o->name : "variable",
                        layer->name, TN__SHAPE(o->shape));
    TN_TRY(take_room(context, &o->shape, dtype));
    TN_TRY(tn__initialize(context, o->initializer, tn__drawn_seed(layer, o->initializer), dtype, &o->shape, &value));
    tn__variable_spec spec = { .value = value, .name = o->name ? o->name : "variable", .trainable = o->trainable,
                               .explicit_name = o->name != NULL, .constraint = o->constraint };
    tn_status status = tn__variable_make(context, &spec, variable);
    tn__release(value);
    TN_TRY(status);
    tn__variable *v = (*variable)->of.variable;
    v->owner = layer;
    v->autocast = o->autocast && !(layer->of->more && layer->of->more->reads_as_kept);
    v->regularizer = tn__strdup(o->regularizer);
    return set_path(context, *variable, spec.name);
}

tn_variable *tn_add_weight_new(const tn_add_weight_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn_variable *variable = NULL;
    if (make_weight(context, options, &variable) != TN_OK) {
        tn__release(variable);
        return NULL;
    }
    return tn__own(variable);
}

tn_variable *tn__weight_new(tn_shape shape, const char *name, const char *initializer, const char *regularizer, const char *constraint)
{
    return tn_add_weight_new(&(tn_add_weight_options){ .size_ = sizeof(tn_add_weight_options), .shape = shape, .name = name,
                                                       .initializer = initializer, .regularizer = regularizer, .constraint = constraint,
                                                       .trainable = true, .autocast = true });
}

tn_variable *tn__state_new(tn_shape shape, const char *name, const char *initializer)
{
    return tn_add_weight_new(&(tn_add_weight_options){ .size_ = sizeof(tn_add_weight_options), .shape = shape, .name = name,
                                                       .initializer = initializer, .autocast = true });
}

/* --- lists -------------------------------------------------------------------------------------------------------------- */
static tn_list weights_of(tn_layer *layer, tn__which which, const char *what)
{
    tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    tn__weight_list list = { 0 };
    tn_list result = none;
    if (tn__check_layer(layer, what) && tn__collect_weights(layer, which, &list) == TN_OK)
        result = tn_list_of(list.count, list.item);
    tn__weight_list_free(&list);
    return result;
}

tn_list tn_layer_variables(tn_layer *layer)
{
    return weights_of(layer, TN__ALL_WEIGHTS, "tn_variables: layer");
}

tn_list tn_layer_trainable_variables(tn_layer *layer)
{
    return weights_of(layer, TN__TRAINABLE_WEIGHTS, "tn_trainable_variables: layer");
}

tn_list tn_layer_non_trainable_variables(tn_layer *layer)
{
    return weights_of(layer, TN__OTHER_WEIGHTS, "tn_non_trainable_variables: layer");
}

tn_list tn_get_weights(tn_layer *layer)
{
    tn_list variables = tn_layer_variables(layer), none = { 0, NULL };
    tn_tensor **values = variables.item ? tn__scope_alloc((variables.count + 1) * sizeof *values) : NULL;
    for (size_t i = 0; values && i < variables.count; i++)
        if (tn__variable_read(variables.item[i], &values[i]) != TN_OK || !tn__own(values[i]))
            return none;
    return values ? (tn_list){ variables.count, values } : none;
}

static tn_status fail_shape(const tn_layer *layer, const tn_tensor *variable, const tn_shape *given, size_t i)
{
    const tn_shape *wanted = &variable->shape;
    bool turned = given->rank == 2 && wanted->rank == 2 && given->dims[0] == wanted->dims[1] && given->dims[1] == wanted->dims[0];
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Layer %s weight shape %s is not compatible with provided weight shape %s.\nweight %zu, '%s', made at %s\nthe values must come in "
                    "the order and shapes of tn_get_weights(layer)%s",
                    layer->name, TN__SHAPE(*wanted), TN__SHAPE(*given), i, tn__variable_full_name(variable), tn__line(variable->of.variable->here),
                    turned ? "; these are turned round: tn_transpose(x, TN_AXES(1, 0)), since a kernel is (inputs, units)" : "");
}

static tn_status check_weights(const tn_layer *layer, tn_list variables, tn_list values)
{
    if (values.count != variables.count)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "You called `set_weights(weights)` on layer '%s' with a weight list of length %zu, but the layer was expecting %zu weights.",
                        layer->name, values.count, variables.count);
    for (size_t i = 0; i < values.count; i++) {
        if (!tn__check_tensor(values.item[i], "tn_set_weights: a weight"))
            return TN_INVALID_ARGUMENT;
        if (!tn__shape_fits(&variables.item[i]->shape, &values.item[i]->shape))
            return fail_shape(layer, variables.item[i], &values.item[i]->shape, i);
    }
    return TN_OK;
}

/* All are checked before the first is changed. */
tn_status tn_set_weights(tn_layer *layer, tn_list weights)
{
    TN__ENTER(context, context->error.status);
    TN__EAGERLY(context);
    size_t depth = tn__scope_begin("tn_set_weights");
    tn_list variables = tn_layer_variables(layer);
    tn_status status = variables.item ? check_weights(layer, variables, weights) : context->error.status;
    for (size_t i = 0; i < weights.count && status == TN_OK; i++)
        status = tn_assign(variables.item[i], tn_cast(weights.item[i], (tn_dtype)variables.item[i]->dtype)) ? TN_OK : context->error.status;
    tn__scope_end(depth);
    return status;
}

const char *tn_variable_path(tn_variable *variable)
{
    if (!tn__check_tensor(variable, "tn_variable_path: variable"))
        return "<failed>";
    if (variable->form == TN__VARIABLE && variable->of.variable->path)
        return variable->of.variable->path;
    return tn_name(variable);
}

/* --- layers ------------------------------------------------------------------------------------------------------------- */
static void set_trainable(tn_layer *layer, bool trainable)
{
    layer->trainable = trainable;
    for (size_t i = 0; i < layer->child.count; i++)
        set_trainable(layer->child.item[i], trainable);
}

void tn_set_trainable(tn_layer *layer, bool trainable)
{
    TN__ENTER(context, );
    (void)context;
    if (tn__check_layer(layer, "tn_set_trainable: layer"))
        set_trainable(layer, trainable);
}

tn_status tn_adapt(tn_layer *layer, tn_tensor *data)
{
    TN__ENTER(context, context->error.status);
    TN__EAGERLY(context);
    if (!tn__check_layer(layer, "tn_adapt: layer") || !tn__check_tensor(data, "tn_adapt: data"))
        return TN_INVALID_ARGUMENT;
    const tn_class_more *more = layer->of->more;
    if (!more || !more->adapt)
        return tn__fail(TN_INVALID_ARGUMENT, "tn_adapt: %s has nothing to adapt to data", tn__layer_print(layer));
    size_t depth = tn__scope_begin("tn_adapt");
    tn_status status = more->adapt(layer, data);
    tn__scope_end(depth);
    return status;
}

bool tn_is_trainable(tn_layer *layer)
{
    return tn__check_layer(layer, "tn_is_trainable: layer") && layer->trainable;
}

const char *tn_layer_name(tn_layer *layer)
{
    return tn__check_layer(layer, "tn_layer_name: layer") ? layer->name : "<failed>";
}

const char *tn_layer_class_name(tn_layer *layer)
{
    return tn__check_layer(layer, "tn_layer_class_name: layer") ? layer->of->name : "<failed>";
}

tn_layer_list tn_layers(tn_model *model)
{
    tn_layer_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    if (!tn__check_layer(model, "tn_layers: model"))
        return none;
    return tn_layer_list_of(model->child.count, model->child.item);
}

tn_layer *tn_get_layer(tn_model *model, const char *name)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_layer(model, "tn_get_layer: model"))
        return NULL;
    for (size_t i = 0; name && i < model->child.count; i++)
        if (strcmp(model->child.item[i]->name, name) == 0)
            return tn__own_shared(model->child.item[i]);
    tn__text known = { 0 };
    for (size_t i = 0; i < model->child.count; i++)
        tn__text_add(&known, "%s'%s'", i ? ", " : "", model->child.item[i]->name);
    tn__fail(TN_NOT_FOUND, "No such layer: %s. Existing layers are: [%s].", name ? name : "NULL", tn__text_get(&known));
    tn__text_free(&known);
    return NULL;
}

static tn_tensor *end_of(tn_model *model, bool output, const char *what)
{
    TN__ENTER(context, NULL);
    if (!tn__check_layer(model, what))
        return NULL;
    tn_tensor *ends[2];
    if (!model->of->more || !model->of->more->input_output) {
        tn__fail(TN_FAILED_PRECONDITION, "%s: %s has no symbolic input and output: it is not made of a graph of layers", what,
                 tn__layer_print(model));
        return NULL;
    }
    if (model->of->more->input_output(context, model, &ends[0], &ends[1]) != TN_OK)
        return NULL;
    return tn__own_shared(ends[output]);
}

tn_tensor *tn_model_input(tn_model *model)
{
    return end_of(model, false, "tn_model_input: model");
}

tn_tensor *tn_model_output(tn_model *model)
{
    return end_of(model, true, "tn_model_output: model");
}

tn_shape tn_input_shape(tn_layer *layer)
{
    TN__ENTER(context, TN__UNKNOWN_SHAPE);
    (void)context;
    if (!tn__check_layer(layer, "tn_input_shape: layer"))
        return TN__UNKNOWN_SHAPE;
    if (layer->of == &tn__class_Functional) {
        const tn__functional *f = layer->self;
        return f->input[0]->shape;
    }
    tn_shape shape;
    if (layer->build_shape)
        return *layer->build_shape;
    if (layer->of == &tn__class_Sequential && tn__sequential_input_shape(layer, &shape))
        return shape;
    tn__fail(TN_FAILED_PRECONDITION, "The layer \"%s\" has never been called and thus has no defined input shape.", layer->name);
    return TN__UNKNOWN_SHAPE;
}

bool tn__is_model(const tn_layer *layer)
{
    return layer->of->model;
}

size_t tn__model_layers(const tn_layer *model, tn_layer *const **layers)
{
    *layers = model->child.item;
    return model->child.count;
}
