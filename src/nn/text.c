/* text.c - layers from constructor text, and finding a layer's output in a model. */
#include "nn/model.h"
#include "nn/object.h"
#include <string.h>

/* --- from text ---------------------------------------------------------------------------------------------------------- */
static tn_status fail_unknown(const char *name)
{
    tn__text known = { 0 };
    tn__nearest nearest = { .wanted = name };
    char snake[128], meant[96];
    for (size_t i = 0; i < tn__class_count(); i++) {
        const tn_class *of = tn__class_at(i);
        if (of == &tn__class_Functional || of == &tn__class_Sequential)
            continue;
        tn__snake_case(of->name, snake, sizeof snake);
        tn__nearest_try(&nearest, snake);
        tn__text_add(&known, "%s%s", known.bytes.size ? ", " : "", of == &tn__class_InputLayer ? "input" : snake);
    }
    tn_status status = tn__fail(TN_INVALID_ARGUMENT, "Unknown layer: '%s'\n%sthere are: %s", name, tn__nearest_text(&nearest, meant), tn__text_get(&known));
    tn__text_free(&known);
    return status;
}

/* Arguments that every layer has and no field table lists. */
typedef struct {
    tn__layer_common common;
    const char *owner;
} common_arguments;

static const tn_field common_fields[] = {
    TN__ROW(TN_FIELD_STRING, tn__layer_common, name, "none", NULL),
    TN__ROW(TN_FIELD_FLAG, tn__layer_common, trainable, "true", NULL),
    TN__ROW(TN_FIELD_STRING, tn__layer_common, dtype, "none", NULL),
    TN__ROW(TN_FIELD_SHAPE, tn__layer_common, input_shape, "none", NULL),
    TN__END_OF_FIELDS,
};

static tn_status common_argument(void *self, const char *key, const char *value)
{
    common_arguments *a = self;
    const tn_field *field = tn__field_find(common_fields, key);
    if (!field)
        return tn__fail(TN_INVALID_ARGUMENT, "%s has no argument '%s'", a->owner, key);
    return tn__field_parse(field, &a->common, value, a->owner);
}

/* Names the arguments that the class does have, behind the message that one is unknown. */
static void note_arguments(const tn_class *of)
{
    tn__text known = { 0 };
    TN__EACH_FIELD(field, of->fields)
        if (field->kind != TN_FIELD_VARIABLE && field->kind != TN_FIELD_LAYER)
            tn__text_add(&known, "%s, ", field->name);
    tn__fail_note("it takes: %sname, trainable, dtype, input_shape", tn__text_get(&known));
    tn__text_free(&known);
}

static tn_status fill(tn_context *context, const tn__constructor *c, const tn_class *of, tn_layer **layer)
{
    common_arguments a = { .common = { .trainable = true }, .owner = of->name };
    void *instance = tn__instance_new(of);
    tn_status status = instance ? tn__constructor_fill(c, of->fields, instance, of->name, common_argument, &a) : TN_RESOURCE_EXHAUSTED;
    if (status != TN_OK && strstr(tn__errors()->text, "has no argument"))
        note_arguments(of);
    if (status == TN_OK)
        status = tn__layer_new(context, of, instance, &a.common, layer);
    tn__fields_release(common_fields, &a.common);
    tn__instance_free(of, instance);
    return status;
}

/* input(64), input(8, 8, 1): the shape without the batch, as positions. */
static tn_status input_of(tn_context *context, const tn__constructor *c, tn_layer **layer)
{
    tn__input_layer input = { { 1, 1, { TN_NONE } }, TN_FLOAT32 };
    tn__layer_common common = { .trainable = true };
    for (size_t i = 0; i < c->count; i++) {
        const char *key = c->argument[i].key, *value = c->argument[i].value;
        tn_shape part;
        static const tn_field shape_field = { .kind = TN_FIELD_SHAPE, .name = "shape" }, dtype_field = { .kind = TN_FIELD_DTYPE, .name = "dtype" };
        if (key && strcmp(key, "name") == 0) {
            common.name = value;
        } else if (key && strcmp(key, "dtype") == 0) {
            TN_TRY(tn__field_parse(&dtype_field, &input.dtype, value, "input"));
            input.dtype = input.dtype ? input.dtype : TN_FLOAT32;
        } else if (key && strcmp(key, "shape") != 0) {
            return tn__fail(TN_INVALID_ARGUMENT, "input has no argument '%s'\nit takes: the dimensions without the batch, name, dtype", key);
        } else {
            TN_TRY(tn__field_parse(&shape_field, &part, value, "input"));
            if (!part.known || input.batch_shape.rank + part.rank > TN_MAX_RANK)
                return tn__fail(TN_INVALID_ARGUMENT, "input: '%s' is not a shape", value);
            for (int k = 0; k < part.rank; k++)
                input.batch_shape.dims[input.batch_shape.rank++] = part.dims[k];
        }
    }
    return tn__layer_new(context, &tn__class_InputLayer, &input, &common, layer);
}

static tn_status layer_of(tn_context *context, const char *text, tn_layer **layer)
{
    tn__constructor c;
    *layer = NULL;
    tn_status status = tn__constructor_parse(text, &c);
    if (status == TN_OK) {
        bool input = strcmp(c.name, "input") == 0 || strcmp(c.name, "Input") == 0;
        const tn_class *of = input ? &tn__class_InputLayer : tn__class_find_loosely(c.name);
        bool model = of && of->more && of->more->read_config;
        status = !of || model ? fail_unknown(c.name) : input ? input_of(context, &c, layer) : fill(context, &c, of, layer);
    }
    tn__constructor_free(&c);
    return status;
}

tn_layer *tn_layer_of(const char *text)
{
    TN__ENTER(context, NULL);
    tn_layer *layer = NULL;
    if (!text)
        tn__fail(TN_INVALID_ARGUMENT, "tn_layer_of: text is NULL");
    else
        (void)!layer_of(context, text, &layer);
    return tn__own(layer);
}

static tn_status add_parts(tn_context *context, tn_layer *model, char *rest)
{
    for (char *part; (part = tn__next_part(&rest, ';'));) {
        tn_layer *layer;
        if (!*part)
            continue;
        TN_TRY(layer_of(context, part, &layer));
        tn_status status = tn__sequential_add(context, model, layer);
        tn__release(layer);
        TN_TRY(status);
    }
    return TN_OK;
}

tn_model *tn_sequential_of(const char *text)
{
    TN__ENTER(context, NULL);
    tn__layer_common common = { .trainable = true };
    tn_layer *model = NULL;
    if (!text) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_sequential_of: text is NULL");
        return NULL;
    }
    char *copy = tn__strdup(text);
    if (copy && tn__layer_new(context, &tn__class_Sequential, NULL, &common, &model) == TN_OK && add_parts(context, model, copy) != TN_OK) {
        tn__release(model);
        model = NULL;
    }
    tn__free(copy);
    return tn__own(model);
}

/* --- outputs of inner layers -------------------------------------------------------------------------------------------- */
/* Every node is visited once: marked by its first id. */
typedef struct {
    const tn_layer *layer;
    tn__ids seen;
    struct {
        tn__node **item;
        size_t count, capacity;
    } waiting;
    tn__node *found;
    int found_index;
} search;

static tn_status visit(search *s, const tn_tensor *x)
{
    tn__node *node = x->form == TN__SYMBOLIC ? x->of.output.node : NULL;
    size_t ignored;
    int index;
    if (!node || tn__ids_get(&s->seen, node->first_id, &ignored))
        return TN_OK;
    TN_TRY(tn__ids_set(&s->seen, node->first_id, 1));
    if (tn__node_layer(node, &index) == s->layer && (!s->found || index < s->found_index)) {
        s->found = node;
        s->found_index = index;
    }
    return TN__PUSH(&s->waiting, node);
}

static tn_status walk_back(search *s, tn_tensor *output)
{
    size_t count = tn__flat_count(output);
    tn_tensor **leaves = tn__scope_alloc((count + 1) * sizeof *leaves);
    if (!leaves)
        return TN_RESOURCE_EXHAUSTED;
    tn__flatten(output, leaves);
    for (size_t i = 0; i < count; i++)
        TN_TRY(visit(s, leaves[i]));
    while (s->waiting.count > 0) {
        const tn__node *node = s->waiting.item[--s->waiting.count];
        for (size_t i = 0; i < node->input_count; i++)
            TN_TRY(visit(s, node->input[i]));
    }
    return TN_OK;
}

tn_tensor *tn_layer_output(tn_model *model, tn_layer *layer)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_layer(layer, "tn_layer_output: layer"))
        return NULL;
    tn_tensor *output = tn_model_output(model), *result = NULL;
    search s = { .layer = layer };
    if (output && walk_back(&s, output) == TN_OK) {
        if (!s.found)
            tn__fail(TN_NOT_FOUND, "model '%s' does not call %s", model->name, tn__layer_print(layer));
        else
            result = tn__node_output(s.found, 0);
    }
    tn__ids_free(&s.seen);
    tn__free(s.waiting.item);
    return tn__own(result);
}
