/* layer.c - making layers, building them, and what belongs to them. */
#include "nn/mask.h"
#include "nn/naming.h"
#include "nn/object.h"
#include "base/log.h"
#include "core/hooks.h"
#include "tenon/ops.h"
#include <string.h>

/* --- life --------------------------------------------------------------------------------------------------------------- */
void tn__instance_free(const tn_class *of, void *instance)
{
    if (instance)
        tn__fields_release(of->fields, instance);
    tn__free(instance);
}

static void layer_destroy(void *object)
{
    tn_layer *layer = object;
    if (layer->trainer)
        layer->free_trainer(layer->trainer);
    if (layer->self && layer->of->more && layer->of->more->destroy)
        layer->of->more->destroy(layer->self);
    tn__instance_free(layer->of, layer->self);
    for (size_t i = 0; i < layer->weight.count; i++) {
        if (layer->weight.item[i].variable->of.variable->owner == layer)
            layer->weight.item[i].variable->of.variable->owner = NULL;
        tn__release(layer->weight.item[i].variable);
    }
    for (size_t i = 0; i < layer->child.count; i++) {
        if (layer->child.item[i]->owner == layer)
            layer->child.item[i]->owner = NULL;
        tn__release(layer->child.item[i]);
    }
    for (size_t i = 0; i < layer->kept.count; i++)
        tn__release(layer->kept.item[i]);
    tn__losses_free(layer);
    tn__release(layer->traced);
    tn__free(layer->kept.item);
    tn__free(layer->weight.item);
    tn__free(layer->child.item);
    tn__free(layer->name);
    tn__free(layer->scope);
    tn__free(layer->here);
    tn__free(layer->input_shape);
    tn__free(layer->build_shape);
    tn__free(layer->build_dtype);
    tn__free(layer->seeds);
}

const tn__type tn__type_layer = { .name = "layer", .kind = 2, .destroy = layer_destroy };

const char *tn__layer_print(const tn_layer *layer)
{
    const char *text = tn__scope_print("%s '%s'", layer->of->name, layer->name ? layer->name : "");
    return text ? text : layer->of->name;
}

void *tn__instance_new(const tn_class *of)
{
    void *instance = tn__alloc_zeroed(1, of->size);
    if (instance && tn__fields_default(of->fields, instance) != TN_OK) {
        tn__instance_free(of, instance);
        return NULL;
    }
    return instance;
}

/* --- making ------------------------------------------------------------------------------------------------------------- */
static tn_status check_name(const char *name)
{
    if (name && strchr(name, '/'))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Argument `name` must be a string and cannot contain character `/`. Received: name=%s (of type <class 'str'>)\n"
                        "TN_WITH(tn_name_scope(\"a\")) puts a scope before it",
                        name);
    return TN_OK;
}

static tn_status set_name(tn_context *context, tn_layer *layer, const char *name)
{
    TN_TRY(check_name(name));
    layer->automatic_name = name == NULL;
    layer->name = name ? tn__strdup(name) : tn__automatic_name(context, layer->of->name);
    return layer->name ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status set_common(tn_context *context, tn_layer *layer, const tn__layer_common *common)
{
    TN_TRY(set_name(context, layer, common->name));
    layer->trainable = common->trainable;
    layer->scope = tn__strdup(context->name_scope);
    layer->here = tn__strdup(context->here);
    if (tn__policy_find(context, common->dtype, &layer->policy) != TN_OK) {
        tn__fail_note("in dtype of %s", tn__layer_print(layer));
        return context->error.status;
    }
    TN_TRY(tn__check_rank(&common->input_shape));
    if (common->input_shape.known)
        layer->input_shape = tn__memdup(&common->input_shape, sizeof common->input_shape);
    return context->error.status;
}

static tn_status copy_instance(tn_layer *layer, const void *instance)
{
    const tn_class *of = layer->of;
    if (!instance) {
        layer->self = tn__instance_new(of);
        return layer->self ? TN_OK : tn__errors()->status;
    }
    layer->self = tn__memdup(instance, of->size);
    return layer->self ? tn__fields_own(of->fields, layer->self) : TN_RESOURCE_EXHAUSTED;
}

static tn_status adopt_into_layer(tn__call_frame *frame, void *made);

static void enter_frame(tn_context *context, tn__call_frame *frame, tn_layer *layer, tn__phase phase)
{
    *frame = (tn__call_frame){ .layer = layer, .phase = phase, .adopt = adopt_into_layer };
    tn__frame_push(context, frame);
}

/* Which fields point to which variables and layers, told anew after every body. */
static void match_fields(tn_layer *layer)
{
    TN__EACH_FIELD(field, layer->of->fields) {
        if (field->kind != TN_FIELD_VARIABLE)
            continue;
        const tn_tensor *variable = *(tn_tensor *const *)(const void *)((const char *)layer->self + field->offset);
        for (size_t i = 0; variable && i < layer->weight.count; i++)
            if (layer->weight.item[i].variable == variable)
                layer->weight.item[i].field = field->name;
    }
}

static tn_status run_init(tn_context *context, tn_layer *layer)
{
    if (!layer->of->init)
        return TN_OK;
    tn__call_frame frame;
    enter_frame(context, &frame, layer, TN__IN_INIT);
    size_t depth = tn__scope_begin("init");
    layer->of->init(layer->self);
    tn__scope_end(depth);
    tn__frame_pop(context, &frame);
    match_fields(layer);
    return context->error.status;
}

#define NO_NEW_STATE \
    "You cannot add new elements of state (variables or sub-layers) to a layer that is already built. All state must be created in the " \
    "`__init__()` method or in the `build()` method."
#define MAKE_EARLIER "make it in init or build, or in the first call whatever its inputs are, and keep it in a field: if (!self->v) self->v = ..."

static tn_status refuse_late_layer(const tn_layer *owner, const tn_layer *part)
{
    return tn__fail(TN_VARIABLE_CREATION, NO_NEW_STATE "\nlayer '%s' on a non-first call of '%s', made at %s; '%s' was made at %s\n" MAKE_EARLIER,
                    part->name, owner->name, tn__line(part->here), owner->name, tn__line(owner->here));
}

/* A layer that a body makes is a part of that body's layer, or belongs to its function. */
static tn_status give_to_maker(tn_context *context, tn_layer *layer)
{
    tn__call_frame *frame = tn__owner_frame(context);
    if (!frame)
        return TN_OK;
    if (!frame->layer)
        return frame->adopt ? frame->adopt(frame, layer) : TN_OK;
    if (frame->layer->closed && frame->phase == TN__IN_CALL)
        return refuse_late_layer(frame->layer, layer);
    return tn__layer_add_child(frame->layer, layer);
}

/* A text that names nothing is told when the layer is made, not when it is called. */
static tn_status check_things(tn_layer *layer)
{
    TN__EACH_FIELD(field, layer->of->fields) {
        tn__object_kind kind;
        const char *text = NULL;
        if (tn__field_names_thing(field, &kind))
            text = *(const char *const *)(const void *)((const char *)layer->self + field->offset);
        if (!text)
            continue;
        if (strcmp(field->name, "activity_regularizer") == 0)
            layer->activity_regularizer = text;
        tn__thing thing;
        tn_status status = tn__thing_parse(kind, text, &thing);
        if (status != TN_OK) {
            tn__fail_note("in %s of %s", field->name, tn__layer_print(layer));
            return status;
        }
        tn__thing_free(&thing);
    }
    return TN_OK;
}

static tn_status fill_layer(tn_context *context, tn_layer *layer, const void *instance, const tn__layer_common *common)
{
    TN_TRY(copy_instance(layer, instance));
    TN_TRY(set_common(context, layer, common));
    TN_TRY(tn__fields_settle(layer->of->fields, layer->self, tn__layer_print(layer)));
    TN_TRY(tn__fields_check(layer->of->fields, layer->self, tn__layer_print(layer)));
    TN_TRY(check_things(layer));
    TN_TRY(tn__draw_seeds(context, layer));
    TN_TRY(run_init(context, layer));
    return give_to_maker(context, layer);
}

tn_status tn__layer_new(tn_context *context, const tn_class *of, const void *instance, const tn__layer_common *common, tn_layer **out)
{
    *out = NULL;
    tn_layer *layer = tn__object_new(&tn__type_layer);
    if (!layer)
        return TN_RESOURCE_EXHAUSTED;
    layer->of = of;
    tn_status status = fill_layer(context, layer, instance, common);
    if (status != TN_OK) {
        tn__release(layer);
        return status;
    }
    *out = layer;
    return TN_OK;
}

tn_layer *tn__layer_from_options(const tn_class *of, const void *options)
{
    const struct {
        TN_OPTIONS_HEAD(none);
    } *head = options;
    TN__ENTER_OPTIONS(context, head, NULL);
    if (head->size_ != of->options_size) {
        tn__fail(TN_INVALID_ARGUMENT, "%s: the options have %zu bytes, this library expects %zu: the program was compiled with other headers",
                 of->name, head->size_, of->options_size);
        return NULL;
    }
    tn__layer_common common;
    memcpy(&common, (const char *)options + of->options_size - sizeof common, sizeof common);
    char *instance = tn__alloc_zeroed(1, of->size);
    if (!instance)
        return NULL;
    memcpy(instance, options, of->options_size);
    tn_layer *layer;
    (void)!tn__layer_new(context, of, instance, &common, &layer);
    tn__free(instance);
    return tn__own(layer);
}

/* Of an instance as TN_INIT wrote it; padding is zero there. */
static size_t first_undeclared(const tn_class *of, const unsigned char *bytes)
{
    for (size_t i = 0; bytes && i < of->size; i++) {
        bool declared = bytes[i] == 0;
        TN__EACH_FIELD(field, of->fields)
            declared |= i >= field->offset && i - field->offset < tn__field_size(field);
        if (!declared)
            return i + 1;
    }
    return 0;
}

static const char *declared_before(const tn_class *of, size_t at)
{
    const tn_field *last = NULL;
    TN__EACH_FIELD(field, of->fields)
        if (field->offset < at && (!last || field->offset > last->offset))
            last = field;
    return last ? tn__scope_print("'%s'", last->name) : "nothing";
}

void tn__warn_undeclared(const tn_layer *layer)
{
    if (layer->undeclared)
        tn__warn("%s: TN_INIT set a member that .fields does not declare, byte %zu of the struct, behind %s: it is not saved, and 0 after "
                 "loading. Declare it with TN_FIELD.",
                 tn__layer_print(layer), layer->undeclared - 1, declared_before(layer->of, layer->undeclared - 1));
    for (size_t i = 0; i < layer->child.count; i++)
        tn__warn_undeclared(layer->child.item[i]);
}

tn_layer *tn_object_new(const tn_object_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    const tn_class *of = options->of;
    if (!of || !of->name || !of->call) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_new: a class needs a name and a call");
        return NULL;
    }
    if (options->init.value && options->init.size != of->size) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_new: TN_INIT is of a struct of %zu bytes, %s's instances have %zu: is it the right type?",
                 options->init.size, of->name, of->size);
        return NULL;
    }
    tn__layer_common common = { .name = options->name, .trainable = options->trainable, .dtype = options->dtype,
                                .input_shape = options->input_shape };
    tn_layer *layer;
    if (tn__layer_new(context, of, options->init.value, &common, &layer) == TN_OK)
        layer->undeclared = first_undeclared(of, options->init.value);
    return tn__own(layer);
}

void *tn_self(tn_layer *layer, const tn_class *of)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_layer(layer, "tn_self: layer"))
        return NULL;
    if (layer->of == of)
        return layer->self;
    tn__fail(TN_INVALID_ARGUMENT, "tn_self: %s is not a %s", tn__layer_print(layer), of ? of->name : "(NULL class)");
    return NULL;
}

/* --- parts -------------------------------------------------------------------------------------------------------------- */
static void remove_child(tn_layer *whole, tn_layer *part)
{
    for (size_t i = 0; i < whole->child.count; i++)
        if (whole->child.item[i] == part) {
            memmove(&whole->child.item[i], &whole->child.item[i + 1], (whole->child.count - i - 1) * sizeof part);
            whole->child.count--;
            tn__release(part);
            return;
        }
}

/* A layer that had itself among its parts would never die, and naming its weights never end. */
static tn_status search_parts(const tn_layer *layer, const tn_layer *wanted, tn__ids *seen, bool *found)
{
    size_t ignored;
    *found |= layer == wanted;
    if (*found || layer->child.count == 0 || tn__ids_get(seen, (uint64_t)(uintptr_t)layer, &ignored))
        return TN_OK;
    TN_TRY(tn__ids_set(seen, (uint64_t)(uintptr_t)layer, 1));
    for (size_t i = 0; i < layer->child.count && !*found; i++)
        TN_TRY(search_parts(layer->child.item[i], wanted, seen, found));
    return TN_OK;
}

static tn_status check_circle(tn_layer *whole, const tn_layer *part)
{
    tn__ids seen = { 0 };
    bool circle = false;
    tn_status status = search_parts(part, whole, &seen, &circle);
    tn__ids_free(&seen);
    return circle ? tn__fail(TN_INVALID_ARGUMENT, "%s cannot be a part of itself", tn__layer_print(whole)) : status;
}

tn_status tn__layer_add_child(tn_layer *whole, tn_layer *part)
{
    TN_TRY(check_circle(whole, part));
    for (size_t i = 0; i < whole->child.count; i++)
        if (whole->child.item[i] == part)
            return TN_OK;
    TN_TRY(TN__PUSH(&whole->child, part));
    tn__retain(part);
    /* Made in the body that made `whole`, so it is whole's rather than that body's. */
    if (part->owner && part->owner != whole && (part->owner == whole->owner || (tn__context()->frame && tn__context()->frame->layer == part->owner)))
        remove_child(part->owner, part);
    if (!part->owner || !whole->of->model || part->owner == whole->owner)
        part->owner = whole;
    return TN_OK;
}

/* Who has which name; an explicit one goes before automatic ones, of those the first keeps it. */
static tn_status note_names(tn__map *names, tn_layer *const *layers, size_t count)
{
    for (int automatic = 0; automatic < 2; automatic++)
        for (size_t i = 0; i < count; i++)
            if (layers[i]->automatic_name == automatic && !tn__map_get(names, layers[i]->name))
                TN_TRY(tn__map_set(names, layers[i]->name, layers[i]));
    return TN_OK;
}

/* tried: by class, the number behind the last name that was given here, so that many layers do not try the same ones. */
static tn_status rename_layer(tn__map *names, tn__map *tried, tn_layer *layer)
{
    char snake[128];
    tn__snake_case(layer->of->name, snake, sizeof snake);
    uintptr_t n = (uintptr_t)tn__map_get(tried, snake);
    char *name;
    while ((name = tn__print("%s_%zu", snake, (size_t)++n)) && tn__map_get(names, name))
        tn__free(name);
    if (!name)
        return TN_RESOURCE_EXHAUSTED;
    tn__free(layer->name);
    layer->name = name;
    TN_TRY(tn__map_set(tried, snake, (void *)n));
    return tn__map_set(names, name, layer);
}

tn_status tn__settle_names(tn_layer *const *layers, size_t count)
{
    tn__map names = { 0 }, tried = { 0 };
    tn_status status = note_names(&names, layers, count);
    for (size_t i = 0; i < count && status == TN_OK; i++)
        if (layers[i]->automatic_name && tn__map_get(&names, layers[i]->name) != layers[i])
            status = rename_layer(&names, &tried, layers[i]);
    tn__map_free(&names);
    tn__map_free(&tried);
    return status;
}

/* --- variables of a layer ----------------------------------------------------------------------------------------------- */
/* The layer's variable of the same name. */
static const char *earlier_site(const tn_layer *layer, const char *name)
{
    for (size_t i = 0; i < layer->weight.count; i++) {
        const tn__variable *v = layer->weight.item[i].variable->of.variable;
        if (strcmp(v->name, name) == 0)
            return tn__scope_print("; it has a '%s' made at %s", name, tn__line(v->here));
    }
    return "";
}

static tn_status refuse_late_variable(const tn_layer *layer, const tn_tensor *variable)
{
    const tn__variable *v = variable->of.variable;
    const tn_context *context = tn__context();
    bool in_trace = context->graph && !context->shapes_only;
    const char *traced = in_trace ? "tf.function only supports singleton tf.Variables created on the first call. Make sure the "
                                    "tf.Variable is only created once or created outside tf.function. See "
                                    "https://www.tensorflow.org/guide/function#creating_tfvariables for more information.\n"
                                  : "";
    const char *earlier = earlier_site(layer, v->name);
    return tn__fail(TN_VARIABLE_CREATION,
                    "%s" NO_NEW_STATE "\nvariable '%s' on a non-first call of '%s', made at %s as '%s'; the layer was made at %s%s\n" MAKE_EARLIER,
                    traced, v->name, layer->name, tn__line(v->here), tn__variable_full_name(variable), tn__line(layer->here),
                    earlier ? earlier : "");
}

static tn_status keep_in_layer(tn_layer *layer, void *made)
{
    TN_TRY(TN__PUSH(&layer->kept, made));
    tn__retain(made);
    return TN_OK;
}

static tn_status adopt_into_layer(tn__call_frame *frame, void *made)
{
    tn_layer *layer = frame->layer;
    tn_tensor *variable = made;
    bool late = layer->closed && frame->phase == TN__IN_CALL;
    if (variable->object.type != &tn__type_tensor)
        return late ? TN_OK : keep_in_layer(layer, made); /* what every call makes dies with the call */
    if (late)
        return refuse_late_variable(layer, variable);
    TN_TRY(TN__PUSH(&layer->weight, ((tn__weight){ variable, NULL })));
    tn__retain(variable);
    return TN_OK;
}

/* --- building ----------------------------------------------------------------------------------------------------------- */
/* Variables made in build and call carry the layer's name as a scope, as Keras 2 has it. */
static char *enter_layer_scope(tn_context *context, const tn_layer *layer, const char **saved)
{
    *saved = context->name_scope;
    char *scope = tn__print("%s%s%s", context->name_scope, context->name_scope[0] ? "/" : "", layer->name);
    if (scope)
        context->name_scope = scope;
    return scope;
}

static void leave_layer_scope(tn_context *context, char *scope, const char *saved)
{
    context->name_scope = saved;
    tn__free(scope);
}

static tn_status run_build(tn_context *context, tn_layer *layer, tn_list inputs)
{
    const char *saved;
    char *scope = enter_layer_scope(context, layer, &saved);
    if (!scope)
        return TN_RESOURCE_EXHAUSTED;
    tn__call_frame frame;
    enter_frame(context, &frame, layer, TN__IN_BUILD);
    size_t depth = tn__scope_begin("build");
    if (layer->of->build)
        layer->of->build(layer->self, inputs);
    tn__scope_end(depth);
    tn__frame_pop(context, &frame);
    leave_layer_scope(context, scope, saved);
    match_fields(layer);
    if (tn__failed(context))
        tn__fail_note("while building %s%s%s", tn__layer_print(layer), layer->here ? ", made at " : "", layer->here ? layer->here : "");
    return context->error.status;
}

/* The inputs' shapes with the batch open, as files say them. */
static tn_status keep_shapes(tn_layer *layer, tn_list inputs)
{
    if (layer->build_shape || inputs.count == 0)
        return TN_OK;
    layer->build_shape = tn__alloc(inputs.count * sizeof *layer->build_shape);
    layer->build_dtype = tn__alloc(inputs.count * sizeof *layer->build_dtype);
    if (!layer->build_shape || !layer->build_dtype)
        return TN_RESOURCE_EXHAUSTED;
    layer->build_count = inputs.count;
    for (size_t i = 0; i < inputs.count; i++) {
        tn_shape *shape = &layer->build_shape[i];
        *shape = inputs.item[i]->shape;
        layer->build_dtype[i] = (tn_dtype)inputs.item[i]->dtype;
        if (shape->known && shape->rank > 0)
            shape->dims[0] = TN_NONE;
    }
    return TN_OK;
}

tn_status tn__layer_build(tn_context *context, tn_layer *layer, tn_list inputs)
{
    if (layer->built)
        return TN_OK;
    TN_TRY(tn__body_begin(context, layer->name));
    tn_status status = run_build(context, layer, inputs);
    tn__body_end(context);
    TN_TRY(status);
    TN_TRY(keep_shapes(layer, inputs));
    layer->built = true;
    return TN_OK;
}

/* A scratch graph gives inputs that have shapes and no values. */
tn_status tn__layer_build_for(tn_context *context, tn_layer *layer, tn_dtype dtype, const tn_shape *shape)
{
    if (layer->built)
        return TN_OK;
    tn_graph *scratch = tn__graph_new(), *outer = context->graph;
    if (!scratch)
        return TN_RESOURCE_EXHAUSTED;
    tn_tensor *input = NULL;
    tn_status status = tn__graph_input(context, scratch, dtype, shape, NULL, &input);
    context->graph = scratch;
    if (status == TN_OK)
        status = tn__layer_build(context, layer, (tn_list){ 1, &input });
    context->graph = outer;
    tn__release(input);
    tn__release(scratch);
    return status;
}

/* --- running ------------------------------------------------------------------------------------------------------------ */
static tn_status check_rank(const tn_layer *layer, size_t i, const tn_shape *shape)
{
    const tn_class_more *more = layer->of->more;
    if (!more || !shape->known || (shape->rank >= more->least_rank && (!more->most_rank || shape->rank <= more->most_rank)))
        return TN_OK;
    bool exact = more->least_rank == more->most_rank, below = shape->rank < more->least_rank;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Input %zu with name 'None' of layer '%s' is incompatible with the layer: expected %sndim=%d, found ndim=%d. "
                    "Full shape received: %s",
                    i, layer->name, exact ? "" : below ? "min_" : "max_", below ? more->least_rank : more->most_rank, shape->rank,
                    TN__SHAPE(*shape));
}

static tn_status check_inputs(const tn_layer *layer, tn_list inputs)
{
    int wanted = layer->of->inputs;
    if (inputs.count == 0 && layer->of->module)
        return tn__fail(TN_INVALID_ARGUMENT, "%s.call() missing 1 required positional argument: 'inputs'", layer->of->name);
    if (wanted && inputs.count != (size_t)wanted)
        return tn__fail(TN_INVALID_ARGUMENT, "Layer \"%s\" expects %d input(s), but it received %zu input tensors.", layer->name, wanted,
                        inputs.count);
    for (size_t i = 0; i < inputs.count; i++)
        TN_TRY(check_rank(layer, i, &inputs.item[i]->shape));
    return TN_OK;
}

static bool is_other_float(const tn_tensor *x, tn_dtype dtype)
{
    return (tn_dtype)x->dtype != dtype && tn__in(TN__FLOATS, (tn_dtype)x->dtype);
}

/* Keras's autocast: a layer gets floats in the dtype it computes in. Models of layers leave it to them. */
static tn_status cast_inputs(const tn_layer *layer, tn_list *inputs)
{
    tn_dtype dtype = tn__layer_dtype(layer);
    size_t first = 0;
    while (first < inputs->count && !is_other_float(inputs->item[first], dtype))
        first++;
    if (first == inputs->count || (layer->of->model && layer->of->module))
        return TN_OK;
    tn_tensor **cast = tn__scope_alloc(inputs->count * sizeof *cast);
    if (!cast)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < inputs->count; i++) {
        tn_tensor *x = inputs->item[i];
        cast[i] = is_other_float(x, dtype) ? tn_with_mask(tn_cast(x, dtype), x->mask) : x;
        if (!cast[i])
            return tn__errors()->status;
    }
    inputs->item = cast;
    return TN_OK;
}

static tn_status run_call(tn_context *context, tn_layer *layer, tn_list inputs, int training, tn_tensor **result)
{
    const char *saved;
    char *scope = enter_layer_scope(context, layer, &saved);
    if (!scope)
        return TN_RESOURCE_EXHAUSTED;
    tn__call_frame frame;
    tn_dtype outer = context->autocast;
    enter_frame(context, &frame, layer, TN__IN_CALL);
    context->autocast = tn__policy_autocast(layer->policy, outer);
    tn_status status = tn__run_body(context, layer->of->call, layer->self, inputs, training, layer->name, result);
    context->autocast = outer;
    if (status == TN_OK)
        status = tn__penalize_outputs(layer, *result);
    if (status == TN_OK)
        status = tn__mask_outputs(context, layer, inputs, result);
    tn__frame_pop(context, &frame);
    leave_layer_scope(context, scope, saved);
    if (status != TN_OK) {
        tn__release(*result);
        *result = NULL;
    }
    if (layer->closed)
        return status;
    match_fields(layer);
    layer->closed = status == TN_OK;
    return status;
}

/* Until a first call has returned, threads that share the layer call it one after the other. */
static tn_status build_and_call(tn_context *context, tn_layer *layer, tn_list inputs, int training, tn_tensor **result)
{
    bool first = !layer->closed;
    if (first)
        tn__making_begin(context);
    tn_status status = tn__layer_build(context, layer, inputs);
    if (status == TN_OK)
        status = run_call(context, layer, inputs, training, result);
    if (first)
        tn__making_end(context);
    return status;
}

static bool is_outermost(const tn_context *context)
{
    const tn__call_frame *frame = context->frame;
    while (frame && !(frame->layer && frame->phase == TN__IN_CALL))
        frame = frame->outer;
    return !frame && !context->shapes_only;
}

/* In a TensorFlow 1 graph what an outermost call assigns is collected. */
static tn_status call_and_collect(tn_context *context, tn_layer *layer, tn_list inputs, int training, tn_tensor **result)
{
    tn_graph *graph = is_outermost(context) ? tn__open_v1(context) : NULL;
    size_t first = graph ? graph->node.count : 0;
    TN_TRY(build_and_call(context, layer, inputs, training, result));
    if (!graph || tn__collect_updates(context, graph, first) == TN_OK)
        return TN_OK;
    tn__release(*result);
    *result = NULL;
    return context->error.status;
}

/* Once is enough, by whichever thread. */
static tn_status build_locked(tn_context *context, tn_layer *layer, tn_list inputs)
{
    tn__making_begin(context);
    tn_status status = tn__layer_build(context, layer, inputs);
    tn__making_end(context);
    return status;
}

tn_status tn__layer_prepare(tn_context *context, tn_layer *layer, tn_list inputs)
{
    TN_TRY(check_inputs(layer, inputs));
    size_t depth = tn__scope_begin(context->here);
    tn_status status = cast_inputs(layer, &inputs);
    if (status == TN_OK)
        status = build_locked(context, layer, inputs);
    tn__scope_end(depth);
    return status;
}

tn_status tn__layer_run(tn_context *context, tn_layer *layer, tn_list inputs, int training, tn_tensor **result)
{
    *result = NULL;
    /* Losses that calls add are those of the latest outermost call. */
    if (is_outermost(context))
        tn__losses_clear(layer);
    if (training < 0 && context->training < 0)
        training = 0;
    TN_TRY(check_inputs(layer, inputs));
    size_t depth = tn__scope_begin(context->here);
    const tn_list given = inputs; /* what cast_inputs makes dies with the scope */
    tn_status status = cast_inputs(layer, &inputs);
    if (status == TN_OK)
        status = call_and_collect(context, layer, inputs, training, result);
    tn__scope_end(depth);
    if (status != TN_OK)
        tn__fail_note("in %s%s%s, called with %zu input(s) %s", tn__layer_print(layer), layer->here ? ", made at " : "",
                      layer->here ? layer->here : "", given.count, given.count ? TN__TENSOR(given.item[0]) : "");
    return status;
}

/* --- weights ------------------------------------------------------------------------------------------------------------ */
static tn_status add_weight_once(tn__weight_list *list, tn_tensor *variable)
{
    size_t ignored;
    if (tn__ids_get(&list->seen, variable->id, &ignored))
        return TN_OK;
    TN_TRY(tn__ids_set(&list->seen, variable->id, 1));
    TN_TRY(TN__PUSH(list, variable));
    tn__retain(variable);
    return TN_OK;
}

/* A layer that is not trainable has no trainable weights, nor have its parts. */
static tn_status collect(tn_layer *layer, tn__which which, bool trainable, tn__weight_list *list)
{
    trainable &= layer->trainable;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < layer->weight.count; i++) {
            tn_tensor *variable = layer->weight.item[i].variable;
            bool own = variable->of.variable->trainable, counts = own && trainable;
            if (own != (pass == 0) || variable->of.variable->seed)
                continue;
            if (which == TN__ALL_WEIGHTS || counts == (which == TN__TRAINABLE_WEIGHTS))
                TN_TRY(add_weight_once(list, variable));
        }
    for (size_t i = 0; i < layer->child.count; i++)
        TN_TRY(collect(layer->child.item[i], which, trainable, list));
    return TN_OK;
}

tn_status tn__collect_weights(tn_layer *layer, tn__which which, tn__weight_list *list)
{
    return collect(layer, which, true, list);
}

void tn__weight_list_free(tn__weight_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        tn__release(list->item[i]);
    tn__free(list->item);
    tn__ids_free(&list->seen);
}
