/* losses.c - cases of losses and metrics: each config must be written again as Keras wrote it, each
 * value come out eagerly and from one trace for any number of rows; of losses the gradient too, of
 * metrics the variables after every step. */
#include "conformance/conformance.h"
#include "function/function.h"
#include "nn/config.h"
#include "tenon/gradient.h"
#include "train/loss.h"
#include "train/metric.h"
#include <string.h>

/* An axis and a list of one are the same to Keras. */
static bool same_value(const json_t *got, const json_t *want)
{
    if (json_is_number(got) && json_is_number(want))
        return json_number_value(got) == json_number_value(want);
    return json_equal(got, want) ||
           (json_array_size(want) == 1 && json_equal(got, json_array_get(want, 0)));
}

/* What Keras wrote of the thing must stand in what we write, with the same values. */
static bool same_config(verdict *v, const tn__thing *thing, const json_t *config)
{
    const char *key;
    json_t *value, *written = tn__thing_to_json(thing, TN__KERAS_3);
    bool good =
        no_error(v, "writing the config") &&
        json_equal(json_object_get(written, "module"), json_object_get(config, "module")) &&
        json_equal(json_object_get(written, "class_name"), json_object_get(config, "class_name"));
    json_object_foreach(json_object_get(config, "config"), key, value)
    {
        const json_t *got = json_object_get(json_object_get(written, "config"), key);
        if (!same_value(got, value))
            good = fail_case(v, "the config's %s", key);
    }
    json_decref(written);
    return good || fail_case(v, "the config's module or class");
}

static tn_tensor *array(golden_case *c, const json_t *json, const char *key)
{
    return golden_tensor(c, json_object_get(json, key), (tn_dtype)0);
}

static tn_tensor *traced(tn_body body, void *self, tn_list inputs)
{
    tn_function *f = tn_function(body, self);
    f->any_batch = true;
    return tn_call_list(f, inputs);
}

/* --- losses ----------------------------------------------------------------------------------- */
typedef struct {
    tn_loss *loss;
    bool weighted, masked;
} loss_call;

/* inputs: y_true, y_pred, then what there is of weight and mask. */
static tn_tensor *loss_body(void *self, tn_list inputs)
{
    const loss_call *call = self;
    tn_tensor *weight = call->weighted ? tn_at(inputs, 2) : NULL;
    tn_tensor *mask = call->masked ? tn_at(inputs, 2 + (size_t)call->weighted) : NULL;
    return tn__loss_value(call->loss, tn_at(inputs, 0), tn_with_mask(tn_at(inputs, 1), mask), weight);
}

static tn_tensor *loss_gradient(loss_call *call, tn_list inputs)
{
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, inputs.item[1]);
    return tn_gradient_of(tape, loss_body(call, inputs), inputs.item[1]);
}

/* What Keras leaves out of its configs: the dtype, and Huber's delta. */
static void add_what_is_not_said(golden_case *c, tn_loss *loss, tn_tensor *want)
{
    const char *name = tn__json_text(golden_json(c), "name");
    if (tn__in(TN__FLOATS, (tn_dtype)want->dtype))
        loss->dtype = (tn_dtype)want->dtype;
    if (name && strcmp(name, "Huber_10") == 0)
        ((tn_huber_options *)loss->thing.self)->delta = 0.4;
}

/* "keras.losses.huber": values as they are. */
static tn_loss *loss_of_function(verdict *v, const char *function)
{
    tn_loss *loss = NULL;
    const char *name = strrchr(function, '.') + 1;
    if (!tn__object_class_find(TN__LOSS, name))
        skip_case(v, "loss %s", name);
    else if (tn__loss_parse(tn_format("%s(reduction=none)", name), &loss) != TN_OK)
        no_error(v, "making the loss");
    return tn__own(loss);
}

static tn_loss *loss_of_config(verdict *v, const json_t *config)
{
    tn__thing thing;
    tn_loss *loss = NULL;
    if (thing_of(v, TN__LOSS, config, &thing) && tn__loss_from_thing(&thing, &loss) != TN_OK)
        no_error(v, "making the loss");
    tn__own(loss);
    return loss && same_config(v, &loss->thing, config) ? loss : NULL;
}

void replay_loss(golden_case *c, verdict *v)
{
    const json_t *json = golden_json(c), *config = json_object_get(json, "config");
    tn_tensor *item[4] = { array(c, json, "y_true"), array(c, json, "y_pred") },
              *want = array(c, json, "loss");
    tn_tensor *weight = array(c, json, "sample_weight"), *mask = array(c, json, "mask");
    tn_loss *loss =
        config ? loss_of_config(v, config) : loss_of_function(v, tn__json_text(json, "function"));
    if (!loss || !no_error(v, "reading the case"))
        return;
    loss_call call = { loss, weight != NULL, mask != NULL };
    tn_list inputs = { 2, item };
    if (weight)
        item[inputs.count++] = weight;
    if (mask)
        item[inputs.count++] = mask;
    add_what_is_not_said(c, loss, want);
    if (!same(v, c, loss_body(&call, inputs), want, "loss") ||
        !same(v, c, traced(loss_body, &call, inputs), want, "loss, traced"))
        return;
    if (json_object_get(json, "grad_y_pred_of_sum"))
        same(v, c, loss_gradient(&call, inputs), array(c, json, "grad_y_pred_of_sum"), "gradient");
}

/* --- metrics ---------------------------------------------------------------------------------- */
static bool same_variables(golden_case *c, verdict *v, tn_metric *metric, const json_t *variables)
{
    tn_list own = tn_metric_variables(metric);
    if (own.count != json_array_size(variables))
        return fail_case(v, "%zu variables, expected %zu", own.count, json_array_size(variables));
    for (size_t i = 0; i < own.count; i++) {
        const json_t *want = json_array_get(variables, i);
        const char *path = tn_variable_path(own.item[i]), *expected = tn__json_text(want, "path");
        if (strcmp(path, expected) != 0)
            return fail_case(v, "variable %s, expected %s", path, expected);
        if (!same_json(v, c, own.item[i], json_object_get(want, "value"), expected))
            return false;
    }
    return true;
}

static tn_tensor *metric_body(void *self, tn_list inputs)
{
    return tn_call_list((tn_metric *)self, inputs);
}

/* A metric eagerly, its twin in one trace for all steps. */
static bool same_step(golden_case *c, verdict *v, tn_metric *metric, tn_metric *twin,
                      tn_function *trace, const json_t *step)
{
    golden_leaves inputs = { .count = 0 };
    const json_t *want = json_object_get(step, "result"),
                 *variables = json_object_get(step, "variables");
    golden_flatten(c, json_object_get(step, "args"), &inputs);
    tn_tensor *weight = array(c, step, "sample_weight");
    if (weight)
        inputs.item[inputs.count++] = weight;
    tn_list list = { inputs.count, inputs.item };
    return same_json(v, c, metric_body(metric, list), want, "result") &&
           same_variables(c, v, metric, variables) &&
           same_json(v, c, tn_call_list(trace, list), want, "result, traced") &&
           same_variables(c, v, twin, variables);
}

static tn_metric *metric_of(verdict *v, const json_t *config)
{
    tn__thing thing;
    tn_metric *metric = NULL;
    if (thing_of(v, TN__METRIC, config, &thing) && tn__metric_from_thing(&thing, &metric) != TN_OK)
        no_error(v, "making the metric");
    return tn__own(metric);
}

void replay_metric(golden_case *c, verdict *v)
{
    const json_t *json = golden_json(c), *config = json_object_get(json, "config"), *step;
    size_t i;
    tn_metric *metric = metric_of(v, config), *twin = metric ? metric_of(v, config) : NULL;
    if (!twin || !same_config(v, &metric->thing, config))
        return;
    tn_function *trace = tn_function(metric_body, twin);
    trace->any_batch = true;
    json_array_foreach(json_object_get(json, "steps"), i, step)
    {
        if (!same_step(c, v, metric, twin, trace, step))
            return;
    }
    if (trace->made.count)
        fail_case(v, "a metric's variables became the function's");
    tn_reset_state(metric);
    same_json(v, c, tn_metric_result(metric), json_object_get(json, "result_after_reset"),
              "result after reset_state");
}
