/* layers.c - cases of kind "layers": calls of one layer in every mode, with gradients, states and
 * configs. */
#include "conformance/conformance.h"
#include "nn/config.h"
#include "tenon/gradient.h"
#include <stdio.h>
#include <string.h>

typedef struct {
    golden_case *c;
    verdict *v;
    const json_t *json, *run;
    int training; /* of the run; -1: the layer has no such argument */
    golden_leaves inputs;
    tn_tensor *mask; /* given to the call; NULL: none */
    tn_layer *layer;
} replayed;

static tn_list list_of(const golden_leaves *leaves)
{
    return tn_list_of(leaves->count, leaves->item);
}

/* --- the layer and its state ------------------------------------------------------------------ */
static tn_layer *make_layer(verdict *v, const json_t *config)
{
    tn_layer *layer = NULL;
    if (tn__layer_from_json(tn__context(), config, &layer) != TN_OK) {
        no_error(v, "its config");
        return NULL;
    }
    return tn__own(layer);
}

static bool is_among(tn_list list, const tn_tensor *x)
{
    for (size_t i = 0; i < list.count; i++)
        if (list.item[i] == x)
            return true;
    return false;
}

/* Weights in the recorded order, their names and flags compared on the way. */
static bool set_weights(replayed *r, tn_layer *layer)
{
    const json_t *recorded = json_object_get(r->json, "weights");
    tn_list variables = tn_layer_variables(layer), trainable = tn_layer_trainable_variables(layer);
    golden_leaves values = { .count = 0 };
    if (!no_error(r->v, "building") || variables.count != json_array_size(recorded))
        return fail_case(r->v, "%zu weights, want %zu", variables.count, json_array_size(recorded));
    for (size_t i = 0; i < variables.count; i++) {
        const json_t *one = json_array_get(recorded, i);
        const tn__variable *v = variables.item[i]->of.variable;
        if (strcmp(v->path ? v->path : v->name, tn__json_text(one, "path")) != 0)
            return fail_case(r->v, "weight %zu is %s, want %s", i, v->path ? v->path : v->name,
                             tn__json_text(one, "path"));
        if (is_among(trainable, variables.item[i]) !=
            json_is_true(json_object_get(one, "trainable")))
            return fail_case(r->v, "weight %s is trainable or not, and should be the other",
                             v->name);
        golden_flatten(r->c, json_object_get(one, "value"), &values);
        char text[300];
        golden_difference(variables.item[i], values.item[i], 1e30, 1e30, text, sizeof text);
        if (text[0] && strncmp(text, "got", 3) == 0)
            return fail_case(r->v, "weight %s: %s", v->name, text);
    }
    return tn_set_weights(layer, list_of(&values)) == TN_OK ||
           no_error(r->v, "setting its weights");
}

/* The states of its random generators, parts in order. */
typedef struct {
    tn_tensor *item[16];
    size_t count;
} states;

static void add_generators(tn_layer *layer, states *found)
{
    for (size_t i = 0; i < layer->weight.count && found->count < 16; i++)
        if (layer->weight.item[i].variable->of.variable->seed)
            found->item[found->count++] = layer->weight.item[i].variable;
    for (size_t i = 0; i < layer->child.count; i++)
        add_generators(layer->child.item[i], found);
}

static tn_tensor *state_of(const json_t *state)
{
    int64_t numbers[2] = { json_integer_value(json_array_get(state, 0)),
                           json_integer_value(json_array_get(state, 1)) };
    return tn__own(tn__tensor_ints(TN_INT64, 2, numbers));
}

static bool set_states(replayed *r, tn_layer *layer)
{
    const json_t *recorded = json_object_get(r->json, "seed_generators");
    states found = { .count = 0 };
    add_generators(layer, &found);
    if (found.count != json_array_size(recorded))
        return fail_case(r->v, "%zu seed generators, want %zu", found.count,
                         json_array_size(recorded));
    for (size_t i = 0; i < found.count; i++)
        tn_assign(found.item[i], state_of(json_object_get(json_array_get(recorded, i), "state")));
    return no_error(r->v, "setting its seeds");
}

static bool prepare(replayed *r, tn_layer **layer)
{
    *layer = make_layer(r->v, json_object_get(r->json, "config"));
    if (!*layer)
        return false;
    if (tn__layer_build(tn__context(), *layer, list_of(&r->inputs)) != TN_OK)
        return no_error(r->v, "building");
    return set_weights(r, *layer) && set_states(r, *layer);
}

/* --- what a call gives ------------------------------------------------------------------------ */
static bool check_outputs(replayed *r, tn_list outputs, const char *how)
{
    golden_leaves want = { .count = 0 };
    char what[64];
    golden_flatten(r->c, json_object_get(r->run, "output"), &want);
    if (!no_error(r->v, how) || outputs.count != want.count)
        return fail_case(r->v, "%s gives %zu outputs, want %zu", how, outputs.count, want.count);
    for (size_t i = 0; i < want.count; i++) {
        snprintf(what, sizeof what, "%s, training=%d, output %zu", how, r->training, i);
        if (!same(r->v, r->c, outputs.item[i], want.item[i], what))
            return false;
    }
    return true;
}

static bool check_gradients(replayed *r, tn_list found, size_t inputs)
{
    const json_t *by_input = json_object_get(r->run, "grad_inputs"),
                 *by_weight = json_object_get(r->run, "grad_weights");
    size_t wanted = json_array_size(by_input) + json_array_size(by_weight);
    char what[64];
    if (found.count != wanted)
        return fail_case(r->v, "%zu gradients, want %zu", found.count, wanted);
    for (size_t i = 0; i < found.count; i++) {
        bool weight = i >= inputs;
        size_t k = weight ? i - inputs : i;
        const json_t *want = weight ? json_object_get(json_array_get(by_weight, k), "grad")
                                    : json_array_get(by_input, k);
        snprintf(what, sizeof what, "training=%d, gradient of %s %zu", r->training,
                 weight ? "weight" : "input", k);
        if (!same_json(r->v, r->c, found.item[i], want, what))
            return false;
    }
    return true;
}

static bool check_state(replayed *r)
{
    const json_t *after = json_object_get(r->run, "weights_after_call"),
                 *seeds = json_object_get(r->run, "seed_states_after"), *one;
    tn_list variables = tn_layer_variables(r->layer);
    states found = { .count = 0 };
    size_t i;
    add_generators(r->layer, &found);
    char what[64];
    json_array_foreach(after, i, one)
    {
        size_t index = (size_t)json_integer_value(json_object_get(one, "index"));
        snprintf(what, sizeof what, "training=%d, weight %zu after the call", r->training, index);
        if (index >= variables.count ||
            !same_json(r->v, r->c, variables.item[index], json_object_get(one, "value"), what))
            return fail_case(r->v, "weight %zu is missing", index);
    }
    for (i = 0; i < json_array_size(seeds) && i < found.count; i++)
        if (!same(r->v, r->c, found.item[i], state_of(json_array_get(seeds, i)),
                  "seed state after the call"))
            return false;
    return true;
}

/* Keras's layer.losses: what the call added, and the penalties on trainable weights. */
static bool check_losses(replayed *r)
{
    const json_t *wanted = json_object_get(r->run, "layer_losses");
    tn_list losses = tn_losses(r->layer);
    if (!no_error(r->v, "its losses") || losses.count != json_array_size(wanted))
        return fail_case(r->v, "%zu losses, want %zu", losses.count, json_array_size(wanted));
    for (size_t i = 0; i < losses.count; i++)
        if (!same_json(r->v, r->c, losses.item[i], json_array_get(wanted, i), "losses"))
            return false;
    return true;
}

/* The masks of what the call gives; null where there is none. */
static bool check_masks(replayed *r, tn_list outputs, const char *how)
{
    const json_t *wanted = json_object_get(r->run, "output_mask"), *one;
    char what[64];
    for (size_t i = 0; i < outputs.count && wanted; i++) {
        tn_tensor *mask = tn_mask(outputs.item[i]);
        one = json_is_array(wanted) ? json_array_get(wanted, i) : wanted;
        snprintf(what, sizeof what, "%s, mask of output %zu", how, i);
        if (!one || json_is_null(one) ? mask != NULL : !mask)
            return fail_case(r->v, "%s: %s", what, mask ? "there is one, want none" : "none");
        if (mask && !same_json(r->v, r->c, mask, one, what))
            return false;
    }
    return true;
}

/* --- the ways of calling ---------------------------------------------------------------------- */
static const tn_call_options *options_of(const replayed *r, tn_call_options *options)
{
    *options = (tn_call_options){ .size_ = sizeof *options, .training = r->training, .mask = r->mask };
    return options;
}

static tn_list call_layer(replayed *r, tn_layer *layer, tn_list inputs)
{
    tn_call_options options;
    tn_tensor *result = tn_layer_call(layer, inputs, options_of(r, &options));
    return result ? tn_items(result) : (tn_list){ 0, NULL };
}

static bool run_with_gradients(replayed *r)
{
    if (!prepare(r, &r->layer))
        return false;
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *sources[96];
    size_t count = 0;
    for (size_t i = 0; i < r->inputs.count; i++)
        if (tn__in(TN__FLOATS, (tn_dtype)r->inputs.item[i]->dtype)) {
            tn_watch(tape, r->inputs.item[i]);
            sources[count++] = r->inputs.item[i];
        }
    size_t inputs = count;
    tn_list weights = tn_layer_trainable_variables(r->layer),
            outputs = call_layer(r, r->layer, list_of(&r->inputs));
    for (size_t i = 0; i < weights.count && count < 96; i++)
        sources[count++] = weights.item[i];
    if (!check_outputs(r, outputs, "call") || !check_masks(r, outputs, "call") ||
        !check_state(r) || !check_losses(r))
        return false;
    golden_leaves cotangents = { .count = 0 };
    golden_flatten(r->c, json_object_get(r->run, "cotangents"), &cotangents);
    tn_tensor *sum = cotangents.count && json_object_get(r->run, "grad_inputs")
                         ? weighted_sum(outputs, &cotangents)
                         : NULL;
    if (!sum)
        return no_error(r->v, "its weighted sum");
    tn_list found = tn_gradient(tape, sum, tn_list_of(count, sources));
    return no_error(r->v, "its gradients") && check_gradients(r, found, inputs);
}

static tn_tensor *call_body(void *self, tn_list inputs)
{
    replayed *r = self;
    tn_list outputs = call_layer(r, r->layer, inputs);
    return outputs.item ? tn_tuple_of(outputs) : NULL;
}

static bool run_traced(replayed *r)
{
    tn_call_options options;
    if (!prepare(r, &r->layer))
        return false;
    tn_function *f = tn_function_new(&(tn_function_options){
        .size_ = sizeof(tn_function_options), .body = call_body, .self = r });
    tn_tensor *result = tn_function_call(f, list_of(&r->inputs), options_of(r, &options));
    return no_error(r->v, "traced") && check_outputs(r, tn_items(result), "traced") &&
           check_state(r);
}

/* --- models and configs ----------------------------------------------------------------------- */
/* The recorded model of this one layer: its symbolic shape, and what it computes. */
static bool run_model(replayed *r)
{
    const json_t *config = json_object_get(json_object_get(r->json, "functional_model"), "config");
    const json_t *shape = json_object_get(r->json, "symbolic_output_shape");
    tn_shape wanted;
    if (!config)
        return true;
    tn_model *model = make_layer(r->v, config);
    if (!model || !set_weights(r, model) || !set_states(r, model))
        return false;
    tn_tensor *output = tn_model_output(model);
    if (output && output->form != TN__TUPLE && tn__shape_from_json(shape, &wanted) &&
        !tn__shape_equal(&output->shape, &wanted))
        return fail_case(r->v, "symbolic output is %s, want %s", TN__SHAPE(output->shape),
                         TN__SHAPE(wanted));
    return no_error(r->v, "its model") &&
           check_outputs(r, call_layer(r, model, list_of(&r->inputs)), "as a model");
}

/* What is written must be among what Keras wrote. */
static bool check_config(replayed *r)
{
    const json_t *wanted = json_object_get(json_object_get(r->json, "config"), "config");
    json_t *written = tn__layer_to_json(r->layer, TN__KERAS_3), *value;
    const char *key;
    if (!written)
        return no_error(r->v, "writing its config");
    json_object_foreach(json_object_get(written, "config"), key, value)
    {
        const json_t *want = json_object_get(wanted, key);
        if (want ? is_same_value(value, want) : json_is_null(value))
            continue;
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        fail_case(r->v, "its config says %s=%.200s", key, text);
        free(text);
        break;
    }
    json_decref(written);
    return r->v->outcome == PASSED;
}

/* --- a case ----------------------------------------------------------------------------------- */
static bool replay_run(replayed *r)
{
    TN_SCOPE;
    const json_t *training = json_object_get(r->run, "training");
    r->training = json_is_null(training) ? -1 : json_is_true(training);
    return run_with_gradients(r) && check_config(r) && run_traced(r) && run_model(r);
}

/* Arguments of the call besides its inputs: training is each run's own, a mask is one tensor or a list. */
static bool take_arguments(replayed *r, const json_t *kwargs)
{
    const char *key;
    json_t *value;
    golden_leaves masks = { .count = 0 };
    json_object_foreach((json_t *)(uintptr_t)kwargs, key, value)
    {
        if (strcmp(key, "mask") == 0)
            golden_flatten(r->c, value, &masks);
        else if (strcmp(key, "training") != 0)
            return skip_case(r->v, "call argument %s", key);
    }
    if (masks.count)
        r->mask = masks.count == 1 ? masks.item[0] : tn_tuple_of(list_of(&masks));
    return no_error(r->v, "its mask");
}

void replay_layer(golden_case *c, verdict *v)
{
    replayed r = { .c = c, .v = v, .json = golden_json(c) };
    const json_t *runs = json_object_get(r.json, "runs");
    if (!is_known(v, json_object_get(r.json, "config")) ||
        !take_arguments(&r, json_object_get(r.json, "call_kwargs")))
        return;
    golden_flatten(c, json_object_get(r.json, "inputs"), &r.inputs);
    for (size_t i = 0; i < r.inputs.count; i++)
        if (!r.inputs.item[i]) {
            skip_case(v, "an input that is no array");
            return;
        }
    for (size_t i = 0; i < json_array_size(runs) && v->outcome == PASSED; i++) {
        r.run = json_array_get(runs, i);
        replay_run(&r);
    }
}
