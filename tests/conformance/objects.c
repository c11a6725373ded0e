/* objects.c - cases of activations, initializers, regularizers and constraints. */
#include "conformance/conformance.h"
#include "nn/config.h"
#include "tenon/gradient.h"
#include <stdio.h>
#include <string.h>

/* --- activations ------------------------------------------------------------------------------ */
static bool replay_points(golden_case *c, verdict *v, const tn__thing *thing, const char *which)
{
    const json_t *json = golden_json(c);
    char x[32], y[32], cot[32], grad[32], what[64];
    snprintf(x, sizeof x, "x_%s", which);
    snprintf(y, sizeof y, "y_%s", which);
    snprintf(cot, sizeof cot, "cot_%s", which);
    snprintf(grad, sizeof grad, "grad_%s", which);
    if (!json_object_get(json, x))
        return true;
    tn_tensor *input = golden_tensor(c, json_object_get(json, x), (tn_dtype)0);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, input);
    tn_tensor *output =
        ((const tn__activation_methods *)thing->of->methods)->apply(thing->self, input);
    snprintf(what, sizeof what, "%s", y);
    if (!same_json(v, c, output, json_object_get(json, y), what))
        return false;
    golden_leaves cotangents = { .count = 0 };
    golden_flatten(c, json_object_get(json, cot), &cotangents);
    const json_t *wanted = json_object_get(json, grad);
    if (cotangents.count == 0 || !wanted)
        return true;
    tn_tensor *found = tn_gradient_of(tape, weighted_sum(tn_items(output), &cotangents), input);
    return same_json(v, c, found, wanted, grad);
}

void replay_activation(golden_case *c, verdict *v)
{
    const json_t *json = golden_json(c);
    const char *function = tn__json_text(json, "function"),
               *name = function ? strrchr(function, '.') : NULL;
    const tn__object_class *of = name ? tn__object_class_find(TN__ACTIVATION, name + 1) : NULL;
    tn__thing thing;
    if (!of) {
        skip_case(v, "activation %s", name ? name + 1 : "?");
        return;
    }
    if (tn__thing_default(of, &thing) == TN_OK &&
        tn__fields_from_json(of->fields, thing.self, json_object_get(json, "kwargs"), of->name) ==
            TN_OK &&
        replay_points(c, v, &thing, "matrix"))
        replay_points(c, v, &thing, "edge");
    no_error(v, "its arguments");
    tn__thing_free(&thing);
}

/* --- initializers ----------------------------------------------------------------------------- */
void replay_initializer(golden_case *c, verdict *v)
{
    const json_t *json = golden_json(c), *call = json_object_get(json, "call");
    const char *dtype = tn__json_text(call, "dtype");
    tn__thing thing;
    tn_shape shape;
    tn_tensor *value;
    if (!thing_of(v, TN__INITIALIZER, json_object_get(json, "config"), &thing))
        return;
    char *text = tn__thing_text(&thing);
    tn__thing_free(&thing);
    tn__shape_from_json(json_object_get(call, "shape"), &shape);
    tn_status status =
        tn__initialize(tn__context(), text, INT64_MIN,
                       dtype ? tn__dtype_of_name(dtype) : TN_FLOAT32, &shape, &value);
    tn__free(text);
    if (status == TN_OK)
        same_json(v, c, tn__own(value), json_object_get(json, "value"), "value");
}

/* --- of one tensor ---------------------------------------------------------------------------- */
static void replay_function(golden_case *c, verdict *v, tn__object_kind kind)
{
    const json_t *json = golden_json(c), *wanted = json_object_get(json, "grad");
    tn__thing thing;
    if (!thing_of(v, kind, json_object_get(json, "config"), &thing))
        return;
    tn_tensor *x = golden_tensor(c, json_object_get(json, "x"), (tn_dtype)0);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    /* Regularizers and constraints have one method of one form. */
    tn_tensor *y = ((const tn__constraint_methods *)thing.of->methods)->project(thing.self, x);
    if (same_json(v, c, y, json_object_get(json, "value"), "value") && wanted &&
        !json_is_null(wanted))
        same_json(v, c, tn_gradient_of(tape, y, x), wanted, "gradient");
    tn__thing_free(&thing);
}

void replay_regularizer(golden_case *c, verdict *v)
{
    replay_function(c, v, TN__REGULARIZER);
}

void replay_constraint(golden_case *c, verdict *v)
{
    replay_function(c, v, TN__CONSTRAINT);
}
