/* layer_config.c - layers and models as JSON, and back. */
#include "nn/op_config.h"
#include <string.h>

enum { MOST_NESTED = 64 }; /* models within models */

/* --- out ---------------------------------------------------------------------------------------------------------------- */
/* A plain name is what Keras 2 writes of a dtype, and both generations read of a mixed policy. */
static json_t *dtype_to_json(const tn_layer *layer, tn__era era)
{
    const char *name = layer->policy->name;
    if (era == TN__KERAS_2)
        return json_string(name);
    return json_pack("{s:s, s:s, s:{s:s}, s:n}", "module", "keras", "class_name", "DTypePolicy", "config", "name", name, "registered_name");
}

static tn_status write_common(const tn_layer *layer, tn__era era, json_t *config)
{
    TN_TRY(tn__json_set(config, "name", json_string(layer->name)));
    if (layer->of == &tn__class_InputLayer)
        return TN_OK;
    TN_TRY(tn__json_set(config, "trainable", json_boolean(layer->trainable)));
    return tn__json_set(config, "dtype", dtype_to_json(layer, era));
}

/* InputLayer says its shape as batch_shape, Keras 2 as batch_input_shape. */
static tn_status write_input(const tn_layer *layer, tn__era era, json_t *config)
{
    const tn__input_layer *input = layer->self;
    const char *key = era == TN__KERAS_2 ? "batch_input_shape" : "batch_shape";
    TN_TRY(tn__json_set(config, key, tn__shape_to_json(&input->batch_shape)));
    TN_TRY(tn__json_set(config, "dtype", json_string(tn__dtype_name(input->dtype))));
    TN_TRY(tn__json_set(config, "sparse", json_false()));
    TN_TRY(tn__json_set(config, "ragged", json_false()));
    return era == TN__KERAS_2 ? TN_OK : tn__json_set(config, "optional", json_false());
}

/* The era is handed to the classes' own writers through this key, which is taken out again. */
static tn_status write_own(tn_layer *layer, tn__era era, json_t *config)
{
    if (layer->of == &tn__class_InputLayer)
        return write_input(layer, era, config);
    TN_TRY(tn__fields_to_json(layer->of->fields, layer->self, era, config));
    if (strcmp(layer->policy->name, "float32") != 0)
        tn__activations_adopt_dtype(config, dtype_to_json(layer, era));
    if (!layer->of->more || !layer->of->more->write_config)
        return TN_OK;
    TN_TRY(tn__json_set(config, "#era", json_integer(era)));
    tn_status status = layer->of->more->write_config(layer, config);
    json_object_del(config, "#era");
    return status;
}

static const char *registered_name(const tn_class *of, char *text, size_t size)
{
    snprintf(text, size, "%s>%s", of->package ? of->package : "Custom", of->name);
    return text;
}

static bool takes_list(const tn_layer *layer)
{
    return layer->of->more && layer->of->more->takes_list;
}

/* The input's shape, or a list of the inputs'. */
static json_t *build_shapes(const tn_layer *layer)
{
    if (layer->build_count < 2 && !takes_list(layer))
        return tn__shape_to_json(layer->build_shape);
    json_t *list = json_array();
    for (size_t i = 0; i < layer->build_count; i++)
        tn__json_append(list, tn__shape_to_json(&layer->build_shape[i]));
    return list;
}

static json_t *wrap(tn_layer *layer, tn__era era, json_t *config)
{
    const tn_class *of = layer->of;
    char name[256];
    bool own = of->module == NULL;
    if (era == TN__KERAS_2)
        return json_pack("{s:s, s:o}", "class_name", own ? registered_name(of, name, sizeof name) : of->name, "config", config);
    json_t *json = json_pack("{s:s?, s:s, s:o, s:s?}", "module", of->module, "class_name", of->name, "config", config, "registered_name",
                             own ? registered_name(of, name, sizeof name) : NULL);
    if (json && layer->build_shape && of != &tn__class_InputLayer)
        tn__json_set(json, "build_config", json_pack("{s:o}", "input_shape", build_shapes(layer)));
    return json;
}

json_t *tn__layer_to_json(tn_layer *layer, tn__era era)
{
    json_t *config = json_object();
    if (!config || write_common(layer, era, config) != TN_OK || write_own(layer, era, config) != TN_OK) {
        json_decref(config);
        if (tn__errors()->status == TN_OK)
            tn__fail_memory(0);
        return NULL;
    }
    json_t *json = wrap(layer, era, config);
    if (json && tn__errors()->status == TN_OK)
        return json;
    json_decref(json);
    tn__fail_memory(0); /* unless it is something else that is kept */
    return NULL;
}

/* --- Sequential --------------------------------------------------------------------------------------------------------- */
static json_t *input_layer_json(const tn_layer *model, const tn_shape *shape, tn__era era)
{
    const tn__sequential *s = model->self;
    tn__input_layer input = { *shape, tn__sequential_input_dtype(model) };
    tn_layer layer = { .of = &tn__class_InputLayer, .self = &input };
    const tn_layer *made = s->input ? tn__node_layer(s->input->of.output.node, NULL) : NULL;
    layer.name = s->input_name ? s->input_name : made ? made->name : "input_layer";
    return tn__layer_to_json(&layer, era);
}

tn_status tn__sequential_write_config(tn_layer *layer, void *json)
{
    json_t *config = json, *layers = json_array();
    tn__era era = (tn__era)json_integer_value(json_object_get(config, "#era"));
    tn_shape shape;
    TN_TRY(tn__json_set(config, "layers", layers));
    bool known = tn__sequential_input_shape(layer, &shape);
    if (known && json_array_append_new(layers, input_layer_json(layer, &shape, era)) != 0)
        return tn__fail_memory(0);
    for (size_t i = 0; i < layer->child.count; i++)
        if (json_array_append_new(layers, tn__layer_to_json(layer->child.item[i], era)) != 0)
            return tn__fail_memory(0);
    if (era == TN__KERAS_2) {
        if (layer->trainable) /* which goes without saying */
            json_object_del(config, "trainable");
        json_object_del(config, "dtype");
        return TN_OK;
    }
    return known ? tn__json_set(config, "build_input_shape", tn__shape_to_json(&shape)) : TN_OK;
}

static const char *name_or_null(const json_t *config)
{
    return tn__json_text(config, "name");
}

const json_t *tn__layers_of(const json_t *model)
{
    const json_t *config = json_object_get(model, "config");
    return json_is_array(config) ? config : json_object_get(config, "layers");
}

static tn_status add_layers(tn_context *context, tn_layer *model, const json_t *layers)
{
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *json = json_array_get(layers, i);
        tn_shape shape;
        tn_layer *layer;
        TN_TRY(tn__layer_from_json(context, json, &layer));
        const json_t *batch = json_object_get(json_object_get(json, "config"), "batch_input_shape");
        if (i == 0 && layer->of != &tn__class_InputLayer && json_is_array(batch) && tn__shape_from_json(batch, &shape))
            model->build_shape = tn__memdup(&shape, sizeof shape);
        tn_status status = tn__sequential_add(context, model, layer);
        tn__release(layer);
        TN_TRY(status);
    }
    return TN_OK;
}

tn_status tn__sequential_read_config(tn_context *context, const void *json, tn_layer **model)
{
    const json_t *config = json_object_get(json, "config"), *layers = tn__layers_of(json);
    if (!json_is_array(layers))
        return tn__fail(TN_DATA_LOSS, "the config of a Sequential has no list of layers");
    const json_t *trainable = json_object_get(config, "trainable");
    tn__layer_common common = { .name = json_is_array(config) ? NULL : name_or_null(config), .trainable = true };
    TN_TRY(tn__layer_new(context, &tn__class_Sequential, NULL, &common, model));
    tn_status status = add_layers(context, *model, layers);
    tn_shape shape;
    const json_t *built = json_object_get(config, "build_input_shape");
    if (status == TN_OK && !(*model)->built && json_is_array(built) && tn__shape_from_json(built, &shape))
        status = tn__sequential_build(context, *model, &shape);
    if (json_is_false(trainable))
        (*model)->trainable = false;
    if (status != TN_OK) {
        tn__release(*model);
        *model = NULL;
    }
    return status;
}

/* --- Functional: out ---------------------------------------------------------------------------------------------------- */
/* Ops have no names here; Keras wants one that no layer has. */
static const char *op_name(const tn__functional *f, const tn__node *node, const tn_layer *model, char name[96])
{
    size_t at = 0;
    char op[32];
    while (at < f->node_count && f->node[at] != node)
        at++;
    tn__snake_case(node->op->name, op, sizeof op);
    snprintf(name, 64, "%s_op_%zu", op, at);
    for (size_t i = 0; i < model->child.count; i++)
        if (strcmp(model->child.item[i]->name, name) == 0 && strlen(name) < 95) {
            strcat(name, "_");
            i = SIZE_MAX; /* again from the first */
        }
    return name;
}

static json_t *history(const tn_layer *model, const tn_tensor *x)
{
    int index = 0;
    char name[96];
    const tn__node *node = x->of.output.node;
    const tn_layer *layer = tn__node_layer(node, &index);
    return json_pack("[s, i, i]", layer ? layer->name : op_name(model->self, node, model, name), index, x->of.output.index);
}

static json_t *keras_tensor(const void *model, const tn_tensor *x)
{
    return json_pack("{s:s, s:{s:o, s:s, s:o}}", "class_name", "__keras_tensor__", "config", "shape", tn__shape_to_json(&x->shape), "dtype",
                     tn__dtype_name((tn_dtype)x->dtype), "keras_history", history(model, x));
}

/* {"args": [tensor or list of them], "kwargs": {}}; Keras 2: [[name, node, tensor, {}], …] */
static json_t *inbound_node(const tn_layer *model, const tn__node *node, tn__era era)
{
    json_t *tensors = json_array();
    for (size_t i = 0; i < node->input_count; i++) {
        if (era == TN__KERAS_3) {
            tn__json_append(tensors, keras_tensor(model, node->input[i]));
            continue;
        }
        json_t *entry = history(model, node->input[i]);
        tn__json_append(entry, json_object());
        tn__json_append(tensors, entry);
    }
    if (era == TN__KERAS_2)
        return tensors;
    bool list = node->input_count > 1 || takes_list(tn__node_layer(node, NULL));
    return json_pack("{s:o, s:{}}", "args", list ? json_pack("[o]", tensors) : tensors, "kwargs");
}

/* Keras 2 has no words for ops; those for Keras 3 are in op_config.c. */
static tn_status check_savable(const tn__functional *f, tn__era era)
{
    for (size_t i = 0; i < f->node_count; i++)
        for (size_t k = 0; k < f->node[i]->input_count; k++)
            if (tn__node_layer(f->node[i], NULL) ? f->node[i]->input[k]->form != TN__SYMBOLIC : era == TN__KERAS_2)
                return tn__fail(TN_UNIMPLEMENTED,
                                "op %s stands directly in a functional model, which files for Keras 2 cannot say\nput it into a layer class's call, and "
                                "the layer into the model, or save it as .keras",
                                f->node[i]->op->name);
    return TN_OK;
}

/* Keras 2 counts a nested model's calls from 1, for it was called once while it was made; Keras 3 counts from 0. So that one file serves
 * both, such a call is written twice and named by its odd number: there it is the first of the two, here the second. */
static bool counts_from_one(const tn_layer *layer, tn__era era)
{
    tn_shape ignored;
    return era == TN__KERAS_2 &&
           (layer->of == &tn__class_Functional || (layer->of == &tn__class_Sequential && tn__sequential_input_shape(layer, &ignored)));
}

/* The nodes of one layer that belong to this model, in the order of their calls. */
static json_t *inbound_nodes(const tn_layer *model, const tn_layer *layer, tn__era era)
{
    const tn__functional *f = model->self;
    json_t *nodes = json_array();
    for (int index = 0; index < layer->nodes; index++)
        for (size_t i = 0; i < f->node_count; i++) {
            int own;
            if (tn__node_layer(f->node[i], &own) != layer || own != index)
                continue;
            for (int times = counts_from_one(layer, era) ? 2 : 1; times > 0; times--)
                tn__json_append(nodes, inbound_node(model, f->node[i], era));
        }
    return nodes;
}

static json_t *ends_to_json(const tn_layer *model, const tn_tensor *structure, tn_tensor *const *leaves, size_t count, tn__era era)
{
    if (era == TN__KERAS_3 && structure->form != TN__TUPLE)
        return history(model, leaves[0]);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        tn__json_append(list, history(model, leaves[i]));
    return list;
}

/* Calls of a shared layer that other models made come between ours, so their numbers are told anew from 0. Among a model's inputs and
 * outputs Keras 3 counts the calls of a Functional from 1. */
static void renumber(json_t *json, const tn__functional *f, tn__era era, bool ends)
{
    const char *layer = json_is_array(json) && json_array_size(json) >= 3 ? json_string_value(json_array_get(json, 0)) : NULL;
    const json_t *number = json_array_get(json, 1);
    if (layer && json_is_integer(number) && json_is_integer(json_array_get(json, 2))) {
        int rank = 0, index = (int)json_integer_value(number), own;
        bool odd = false, from_one = false;
        for (size_t i = 0; i < f->node_count; i++) {
            const tn_layer *other = tn__node_layer(f->node[i], &own);
            if (!other || strcmp(other->name, layer) != 0)
                continue;
            rank += own < index;
            odd = counts_from_one(other, era);
            from_one = ends && era == TN__KERAS_3 && other->of == &tn__class_Functional;
        }
        if (json_array_set_new(json, 1, json_integer(odd ? 2 * rank + 1 : rank + from_one)) != 0)
            tn__fail_memory(0);
        return;
    }
    size_t i;
    const char *key;
    json_t *value;
    json_array_foreach(json, i, value) renumber(value, f, era, ends);
    json_object_foreach(json, key, value) renumber(value, f, era, ends);
}

/* Every op is an entry of its own, behind the layers. */
static tn_status write_ops(const tn_layer *model, tn__era era, json_t *layers)
{
    const tn__functional *f = model->self;
    for (size_t i = 0; i < f->node_count; i++) {
        char name[96];
        if (tn__node_layer(f->node[i], NULL))
            continue;
        json_t *one = tn__keras_op_to_json(f->node[i], op_name(f, f->node[i], model, name), keras_tensor, model);
        renumber(json_object_get(one, "inbound_nodes"), f, era, false);
        tn__json_append(layers, one);
    }
    return tn__errors()->status;
}

tn_status tn__functional_write_config(tn_layer *layer, void *json)
{
    tn__functional *f = layer->self;
    json_t *config = json;
    tn__era era = (tn__era)json_integer_value(json_object_get(config, "#era"));
    TN_TRY(check_savable(f, era));
    json_object_del(config, "dtype");
    if (era == TN__KERAS_2 && layer->trainable)
        json_object_del(config, "trainable");
    json_t *layers = json_array();
    TN_TRY(tn__json_set(config, "layers", layers));
    for (size_t i = 0; i < layer->child.count; i++) {
        json_t *one = tn__layer_to_json(layer->child.item[i], era), *nodes = inbound_nodes(layer, layer->child.item[i], era);
        if (!one || json_array_append_new(layers, one) != 0) {
            json_decref(nodes);
            return tn__fail_memory(0);
        }
        renumber(nodes, f, era, false);
        tn__json_set(one, "name", json_string(layer->child.item[i]->name));
        tn__json_set(one, "inbound_nodes", nodes);
    }
    TN_TRY(write_ops(layer, era, layers));
    json_t *inputs = ends_to_json(layer, f->inputs, f->input, f->input_count, era),
           *outputs = ends_to_json(layer, f->outputs, f->output, f->output_count, era);
    renumber(inputs, f, era, true);
    renumber(outputs, f, era, true);
    tn__json_set(config, "input_layers", inputs);
    tn__json_set(config, "output_layers", outputs);
    return tn__errors()->status;
}

/* --- Functional: in ----------------------------------------------------------------------------------------------------- */
typedef struct {
    tn_context *context;
    const json_t *layers;
    size_t count;
    tn_layer **layer;      /* by place in the list, retained; NULL: it is an op */
    size_t *called;        /* how many of its calls are made */
    int64_t *first;        /* the number of its first call: Keras 2 counts a nested model's from 1 … */
    bool *ends_from_one;   /* … and Keras 3 a Functional's, where it is among the model's outputs */
    tn__map tensor;        /* "name/node" to a retained structure */
} reader;

static tn_tensor *find_tensor(reader *r, const char *name, int64_t node, int64_t output)
{
    char key[512];
    snprintf(key, sizeof key, "%s/%lld", name, (long long)node);
    tn_tensor *structure = tn__map_get(&r->tensor, key);
    if (!structure || output < 0)
        return NULL;
    if (structure->form != TN__TUPLE)
        return output == 0 ? structure : NULL;
    return (size_t)output < structure->of.tuple.count ? structure->of.tuple.item[output] : NULL;
}

static tn_status remember(reader *r, const char *name, size_t node, tn_tensor *structure)
{
    char key[512];
    snprintf(key, sizeof key, "%s/%zu", name, node);
    tn_status status = tn__map_set(&r->tensor, key, structure);
    if (status == TN_OK)
        tn__retain(structure);
    return status;
}

typedef struct {
    tn_tensor *item[256];
    size_t count;
    bool missing; /* a tensor is not there yet */
    bool ends;    /* of the model */
} gathered;

static bool is_counted_from_one(const reader *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->ends_from_one[i] && strcmp(r->layer[i]->name, name) == 0)
            return true;
    return false;
}

static void gather_one(reader *r, const json_t *name, const json_t *node, const json_t *output, gathered *g)
{
    const char *layer = json_string_value(name);
    int64_t number = json_integer_value(node) - (layer && g->ends && is_counted_from_one(r, layer));
    tn_tensor *x = layer ? find_tensor(r, layer, number, json_integer_value(output)) : NULL;
    if (!x || g->count == sizeof g->item / sizeof *g->item)
        g->missing = true;
    else
        g->item[g->count++] = x;
}

/* Every tensor that an inbound node names, in order: Keras 3's __keras_tensor__ objects, Keras 2's and 1's [name, node, tensor, …]. */
static void gather(reader *r, const json_t *json, int depth, gathered *g)
{
    if (depth > MOST_NESTED)
        return;
    if (json_is_object(json)) {
        const json_t *config = json_object_get(json, "config"), *past = json_object_get(config, "keras_history");
        if (json_is_array(past)) {
            gather_one(r, json_array_get(past, 0), json_array_get(past, 1), json_array_get(past, 2), g);
            return;
        }
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)json, key, value) gather(r, value, depth + 1, g);
        return;
    }
    if (!json_is_array(json))
        return;
    if (json_is_string(json_array_get(json, 0)) && json_is_integer(json_array_get(json, 1)) && json_is_integer(json_array_get(json, 2))) {
        gather_one(r, json_array_get(json, 0), json_array_get(json, 1), json_array_get(json, 2), g);
        return;
    }
    for (size_t i = 0; i < json_array_size(json); i++)
        gather(r, json_array_get(json, i), depth + 1, g);
}

/* Where Keras gave a layer the mask that it had computed (mask_config.c), the input has it. */
static tn_status check_mask(const reader *r, size_t at, const json_t *node, const gathered *g)
{
    bool masked = !json_is_true(json_object_get(json_object_get(node, "kwargs"), "mask"));
    for (size_t i = 0; i < g->count && !masked; i++)
        masked = g->item[i]->mask != NULL;
    return masked ? TN_OK
                  : tn__fail(TN_UNIMPLEMENTED, "the config of a functional model gives '%s' a mask that its inputs do not have", r->layer[at]->name);
}

/* One call of a layer, when all its inputs are there. */
static tn_status make_call(reader *r, size_t at, const json_t *node, bool *made)
{
    gathered g = { .count = 0 };
    gather(r, node, 0, &g);
    *made = !g.missing;
    if (g.missing)
        return TN_OK;
    const json_t *entry = json_array_get(r->layers, at);
    tn_tensor *result;
    if (!r->layer[at])
        TN_TRY(tn__call_keras_op(entry, node, g.item, g.count, &result));
    else {
        TN_TRY(check_mask(r, at, node, &g));
        TN_TRY(tn__layer_apply(r->context, r->layer[at], g.item, g.count, -1, &result));
    }
    const char *name = r->layer[at] ? r->layer[at]->name : tn__json_text(entry, "name");
    tn_status status = remember(r, name ? name : "", (size_t)r->first[at] + r->called[at]++, result);
    tn__release(result);
    return status;
}

/* The least number by which a nested model's calls are named. */
static void find_first(reader *r, const json_t *json, int depth)
{
    const json_t *name = json_array_get(json, 0), *node = json_array_get(json, 1);
    if (json_is_string(name) && json_is_integer(node) && json_is_integer(json_array_get(json, 2))) {
        for (size_t i = 0; i < r->count; i++)
            if (r->layer[i] && tn__is_model(r->layer[i]) && strcmp(r->layer[i]->name, json_string_value(name)) == 0 &&
                json_integer_value(node) >= 0 && json_integer_value(node) < r->first[i])
                r->first[i] = json_integer_value(node);
        return;
    }
    const char *key;
    json_t *value;
    for (size_t i = 0; depth < MOST_NESTED && i < json_array_size(json); i++)
        find_first(r, json_array_get(json, i), depth + 1);
    if (depth < MOST_NESTED)
        json_object_foreach((json_t *)(uintptr_t)json, key, value) find_first(r, value, depth + 1);
}

static const json_t *nodes_of(const reader *r, size_t at)
{
    return json_object_get(json_array_get(r->layers, at), "inbound_nodes");
}

static void find_firsts(reader *r, const json_t *config)
{
    for (size_t i = 0; i < r->count; i++) {
        bool keras_3 = json_is_object(json_array_get(nodes_of(r, i), 0));
        r->first[i] = r->layer[i] && tn__is_model(r->layer[i]) && !keras_3 ? INT64_MAX : 0;
        r->ends_from_one[i] = keras_3 && r->layer[i] && r->layer[i]->of == &tn__class_Functional;
    }
    for (size_t i = 0; i < r->count; i++)
        find_first(r, nodes_of(r, i), 0);
    find_first(r, json_object_get(config, "output_layers"), 0);
    for (size_t i = 0; i < r->count; i++)
        if (r->first[i] == INT64_MAX)
            r->first[i] = 0;
}

static tn_status make_calls(reader *r, size_t at, bool *progress, bool *finished)
{
    const json_t *nodes = nodes_of(r, at);
    bool made = true;
    while (made && r->called[at] < json_array_size(nodes)) {
        TN_TRY(make_call(r, at, json_array_get(nodes, r->called[at]), &made));
        *progress |= made;
    }
    *finished &= r->called[at] >= json_array_size(nodes);
    return TN_OK;
}

/* Goes over the layers until nothing is left to call; a round without progress means that something is missing or goes in a circle. */
static tn_status call_all(reader *r)
{
    for (bool finished = false; !finished;) {
        bool progress = false;
        finished = true;
        for (size_t i = 0; i < r->count; i++)
            TN_TRY(make_calls(r, i, &progress, &finished));
        if (!finished && !progress)
            return tn__fail(TN_DATA_LOSS, "the config of a functional model names tensors that no layer gives, or goes in a circle");
    }
    return TN_OK;
}

static tn_status make_layers(reader *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (tn__is_keras_op(json_array_get(r->layers, i)))
            continue;
        TN_TRY(tn__layer_from_json(r->context, json_array_get(r->layers, i), &r->layer[i]));
        r->layer[i]->automatic_name = false;
        if (r->layer[i]->of != &tn__class_InputLayer)
            continue;
        const tn__input_layer *input = r->layer[i]->self;
        tn_tensor *x;
        r->layer[i]->built = true;
        TN_TRY(tn__layer_input_node(r->context, r->layer[i], input->dtype, &input->batch_shape, &x));
        tn_status status = remember(r, r->layer[i]->name, 0, x);
        tn__release(x);
        TN_TRY(status);
    }
    return TN_OK;
}

static tn_status read_ends(reader *r, const json_t *json, const char *what, tn_tensor **structure)
{
    gathered g = { .ends = true };
    gather(r, json, 0, &g);
    if (g.missing || g.count == 0)
        return tn__fail(TN_DATA_LOSS, "the %s of a functional model's config are not among its tensors", what);
    bool single = g.count == 1 && !json_is_array(json_array_get(json, 0));
    *structure = single || g.count == 1 ? tn__retain(g.item[0]) : tn__tuple_new(g.count, g.item);
    return *structure ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status read_model(reader *r, const json_t *config, tn_layer **model)
{
    tn_tensor *inputs = NULL, *outputs = NULL;
    TN_TRY(make_layers(r));
    find_firsts(r, config);
    TN_TRY(call_all(r));
    tn_status status = read_ends(r, json_object_get(config, "input_layers"), "inputs", &inputs);
    if (status == TN_OK)
        status = read_ends(r, json_object_get(config, "output_layers"), "outputs", &outputs);
    if (status == TN_OK)
        status = tn__functional_new(r->context, inputs, outputs, name_or_null(config), model);
    tn__release(inputs);
    tn__release(outputs);
    return status;
}

tn_status tn__functional_read_config(tn_context *context, const void *json, tn_layer **model)
{
    const json_t *config = json_object_get(json, "config");
    reader r = { .context = context, .layers = json_object_get(config, "layers") };
    if (!json_is_array(r.layers))
        return tn__fail(TN_DATA_LOSS, "the config of a functional model has no list of layers");
    r.count = json_array_size(r.layers);
    r.layer = tn__alloc_zeroed(r.count + 1, sizeof *r.layer);
    r.called = tn__alloc_zeroed(r.count + 1, sizeof *r.called);
    r.first = tn__alloc_zeroed(r.count + 1, sizeof *r.first);
    r.ends_from_one = tn__alloc_zeroed(r.count + 1, sizeof *r.ends_from_one);
    tn_status status = r.layer && r.called && r.first && r.ends_from_one ? read_model(&r, config, model) : TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < r.tensor.count; i++)
        tn__release(r.tensor.item[i].value);
    tn__map_free(&r.tensor);
    for (size_t i = 0; r.layer && i < r.count; i++)
        tn__release(r.layer[i]);
    tn__free(r.layer);
    tn__free(r.called);
    tn__free(r.first);
    tn__free(r.ends_from_one);
    if (status == TN_OK && json_is_false(json_object_get(config, "trainable")))
        (*model)->trainable = false;
    return status;
}

/* --- in ----------------------------------------------------------------------------------------------------------------- */
/* A class that somebody registered, "My package>Dense", is not Keras's of the same name, though it may be the program's. */
static const tn_class *class_of(const json_t *json)
{
    const char *registered = tn__json_text(json, "registered_name"), *name = tn__json_text(json, "class_name");
    const tn_class *of = registered ? tn__class_find(registered) : NULL;
    if (of || !name)
        return of;
    if (strcmp(name, "Model") == 0)
        return &tn__class_Functional; /* Keras 1 and early Keras 2 */
    of = tn__class_find(name);
    return of && of->module && registered && strchr(registered, '>') ? NULL : of;
}

/* A name, or the object that Keras 3, Keras 2 and TensorFlow 2.1 make of a policy; NULL: nothing is said. */
static tn_status policy_name(const json_t *dtype, const char **name)
{
    const char *class = tn__json_text(dtype, "class_name");
    class = class ? class : "";
    *name = json_is_string(dtype) ? json_string_value(dtype) : tn__json_text(json_object_get(dtype, "config"), "name");
    if (!dtype || json_is_null(dtype) || json_is_string(dtype) || (*name && tn__among("DTypePolicy|FloatDTypePolicy|Policy|PolicyV1", class)))
        return TN_OK;
    if (tn__among("QuantizedDTypePolicy|QuantizedFloat8DTypePolicy|Int4DTypePolicy|GPTQDTypePolicy|AWQDTypePolicy", class))
        return tn__fail(TN_UNIMPLEMENTED, "dtype policy %s: quantized layers are not there", class);
    if (tn__among("DTypePolicyMap", class))
        return tn__fail(TN_UNIMPLEMENTED, "dtype policy DTypePolicyMap: a layer has one policy here");
    return tn__fail(TN_INVALID_ARGUMENT, "its dtype must be a name or a DTypePolicy with a name, got an object of class '%s'", class);
}

static tn_status fill_from_json(tn_context *context, const tn_class *of, json_t *config, tn_layer **layer)
{
    const char *name = tn__json_text(config, "name");
    tn__layer_common common = { .name = name, .trainable = !json_is_false(json_object_get(config, "trainable")) };
    char owner[256];
    snprintf(owner, sizeof owner, "%s '%s'", of->name, name ? name : "");
    if (policy_name(json_object_get(config, "dtype"), &common.dtype) != TN_OK) {
        tn__fail_note("in the config of %s", owner);
        return context->error.status;
    }
    void *instance = tn__instance_new(of);
    if (!instance)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = of->more && of->more->upgrade_config ? of->more->upgrade_config(config) : TN_OK;
    if (status == TN_OK)
        status = tn__errors()->status; /* a key that could not be renamed */
    if (status == TN_OK)
        status = tn__fields_from_json(of->fields, instance, config, owner);
    if (status == TN_OK)
        status = tn__layer_new(context, of, instance, &common, layer);
    tn__instance_free(of, instance);
    return status;
}

static tn_status input_dtype(const json_t *config, tn_dtype *dtype)
{
    const char *name;
    TN_TRY(policy_name(json_object_get(config, "dtype"), &name));
    *dtype = name ? tn__dtype_of_name(name) : TN_FLOAT32;
    if (*dtype)
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT, "Invalid dtype: %s\nthere are no tensors of it, so no inputs", name);
}

static tn_status read_input(tn_context *context, const json_t *config, tn_layer **layer)
{
    const json_t *shape = json_object_get(config, "batch_shape");
    tn__input_layer input;
    if (!shape)
        shape = json_object_get(config, "batch_input_shape");
    if (!tn__shape_from_json(shape, &input.batch_shape) || !input.batch_shape.known)
        return tn__fail(TN_DATA_LOSS, "an InputLayer's config has no batch_shape");
    if (json_is_true(json_object_get(config, "ragged")) || json_is_true(json_object_get(config, "sparse")))
        return tn__fail(TN_UNIMPLEMENTED, "InputLayer '%s' takes ragged or sparse tensors, which there are none of here",
                        tn__json_text(config, "name") ? tn__json_text(config, "name") : "");
    TN_TRY(input_dtype(config, &input.dtype));
    tn__layer_common common = { .name = tn__json_text(config, "name"), .trainable = true };
    return tn__layer_new(context, &tn__class_InputLayer, &input, &common, layer);
}

static tn_status fail_unknown(const json_t *json)
{
    const char *name = tn__json_text(json, "class_name");
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Unknown layer: '%s'. Please ensure you are using a `keras.utils.custom_object_scope` and that this object is included in the scope.\n"
                    "tn_register_class(&MyClass) makes a class of the program's own known to files",
                    name ? name : "?");
}

tn_status tn__layer_from_json(tn_context *context, const json_t *json, tn_layer **layer)
{
    *layer = NULL;
    const tn_class *of = class_of(json);
    if (!of)
        return fail_unknown(json);
    if (of->more && of->more->read_config)
        return of->more->read_config(context, json, layer);
    const json_t *given = json_object_get(json, "config");
    if (!given)
        return tn__fail(TN_DATA_LOSS, "layer of class '%s' has no config", of->name);
    json_t *config = json_deep_copy(given);
    if (!config)
        return tn__fail_memory(0);
    tn_status status = of == &tn__class_InputLayer ? read_input(context, config, layer) : fill_from_json(context, of, config, layer);
    json_decref(config);
    return status;
}

/* --- what is not known -------------------------------------------------------------------------------------------------- */
static void add_unknown(const json_t *json, tn__map *names, int depth)
{
    const json_t *layers = tn__layers_of(json);
    const char *name = tn__json_text(json, "class_name");
    if (name && !(tn__is_keras_op(json) ? tn__knows_keras_op(json) : class_of(json) != NULL))
        (void)!tn__map_set(names, name, (void *)(uintptr_t)json);
    for (size_t i = 0; depth < MOST_NESTED && i < json_array_size(layers); i++)
        add_unknown(json_array_get(layers, i), names, depth + 1);
}

char *tn__unknown_classes(const json_t *json)
{
    tn__map names = { 0 };
    tn__text text = { 0 };
    add_unknown(json, &names, 0);
    for (size_t i = 0; i < names.count; i++)
        tn__text_add(&text, "%s%s", i ? ", " : "", names.item[i].key);
    tn__map_free(&names);
    return tn__text_take(&text);
}
