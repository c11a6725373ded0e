/* optimizers.c - cases of optimizers: variables and slots after each step from given gradients, or
 * of a small network under a tape. Each is replayed twice: eagerly, and with a step that is
 * traced: twice where the first time makes slots, else once. */
#include "conformance/conformance.h"
#include "core/variable.h"
#include "nn/config.h"
#include "tenon/gradient.h"
#include "tenon/ops.h"
#include "train/optimizer.h"
#include <string.h>

typedef struct {
    golden_case *c;
    verdict *v;
    const json_t *json;
    tn_optimizer *optimizer;
    tn_list variables;
    tn_tensor *a, *b; /* of the network */
} replayed;

static bool make_variables(replayed *r)
{
    const json_t *initial = json_object_get(r->json, "variables_initial");
    tn_tensor *items[16];
    size_t count = json_array_size(initial);
    for (size_t i = 0; i < count && i < 16; i++) {
        const json_t *one = json_array_get(initial, i);
        items[i] = tn_variable(golden_tensor(r->c, json_object_get(one, "value"), (tn_dtype)0),
                               .name = tn__json_text(one, "path"));
    }
    r->variables = tn_list_of(count, items);
    return no_error(r->v, "its variables");
}

static bool make_optimizer(replayed *r)
{
    tn__thing thing;
    if (!thing_of(r->v, TN__OPTIMIZER, json_object_get(r->json, "config"), &thing))
        return false;
    (void)!tn__optimizer_from_thing(&thing, &r->optimizer);
    tn__own(r->optimizer);
    return no_error(r->v, "making the optimizer");
}

/* --- one step ----------------------------------------------------------------------------------
 */
static tn_tensor *apply_body(void *self, tn_list gradients)
{
    const replayed *r = self;
    if (tn_apply_gradients(r->optimizer, gradients, r->variables) != TN_OK)
        return NULL;
    return tn_scalar(0);
}

static tn_tensor *network_body(void *self, tn_list inputs)
{
    const replayed *r = self;
    tn_tensor *const *w = r->variables.item;
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *hidden = tn_tanh(tn_add(tn_matmul(inputs.item[0], w[0]), w[1]));
    tn_tensor *loss =
        tn_reduce_mean(tn_square(tn_subtract(tn_matmul(hidden, w[2]), inputs.item[1])));
    tn_list gradients = tn_gradient(tape, loss, r->variables);
    if (tn_apply_gradients(r->optimizer, gradients, r->variables) != TN_OK)
        return NULL;
    return loss;
}

static bool run_step(replayed *r, const json_t *step, tn_function *function)
{
    const json_t *loss = json_object_get(step, "loss");
    golden_leaves gradients = { .count = 0 };
    if (loss) {
        tn_tensor *found = tn_call(function, r->a, r->b);
        return same_json(r->v, r->c, found, loss, "loss");
    }
    golden_flatten(r->c, json_object_get(step, "grads"), &gradients);
    tn_call_with(function, tn_list_of(gradients.count, gradients.item));
    return no_error(r->v, "a step");
}

/* --- what is there afterwards ------------------------------------------------------------------
 */
static bool check_list(replayed *r, tn_list got, const json_t *want, const char *what, size_t step)
{
    char where[64];
    if (json_array_size(want) != got.count)
        return fail_case(r->v, "%s: %zu, want %zu", what, got.count, json_array_size(want));
    for (size_t i = 0; i < got.count; i++) {
        const json_t *one = json_array_get(want, i), *value = json_object_get(one, "value");
        snprintf(where, sizeof where, "%s %zu after step %zu", what, i, step);
        if (!same_json(r->v, r->c, tn_read_value(got.item[i]), value ? value : one, where))
            return false;
    }
    return true;
}

static bool check_names(replayed *r, tn_list slots)
{
    const json_t *recorded = json_object_get(r->json, "optimizer_variables");
    for (size_t i = 0; i < slots.count; i++) {
        const char *name = slots.item[i]->of.variable->name,
                   *want = tn__json_text(json_array_get(recorded, i), "name");
        /* "variable_1" is made up and counts what the recording program made before. */
        if (want && strncmp(want, "variable", strlen("variable")) != 0 && strcmp(name, want) != 0)
            return fail_case(r->v, "optimizer variable %zu is %s, want %s", i, name, want);
    }
    return true;
}

static bool check_step(replayed *r, const json_t *step, size_t number)
{
    const json_t *rate = json_object_get(step, "learning_rate"),
                 *slots = json_object_get(step, "optimizer_variables");
    tn_list found = tn_optimizer_variables(r->optimizer);
    if (!check_list(r, r->variables, json_object_get(step, "variables"), "variable", number))
        return false;
    if (slots &&
        (!check_list(r, found, slots, "optimizer variable", number) || !check_names(r, found)))
        return false;
    return !rate || same_json(r->v, r->c, tn__optimizer_rate(r->optimizer), rate, "learning rate");
}

static bool check_final(replayed *r)
{
    const json_t *want = json_object_get(r->json, "variables_after_finalize");
    if (!want)
        return true;
    if (tn__optimizer_finalize(tn__context(), r->optimizer, r->variables) != TN_OK)
        return no_error(r->v, "finalizing");
    return check_list(r, r->variables, want, "final variable",
                      json_array_size(json_object_get(r->json, "steps")));
}

static bool replay(golden_case *c, verdict *v, bool eager)
{
    replayed r = { .c = c, .v = v, .json = golden_json(c) };
    const json_t *steps = json_object_get(r.json, "steps");
    if (!make_optimizer(&r) || !make_variables(&r))
        return false;
    bool network = json_object_get(r.json, "A") != NULL;
    r.a = network ? golden_tensor(c, json_object_get(r.json, "A"), (tn_dtype)0) : NULL;
    r.b = network ? golden_tensor(c, json_object_get(r.json, "b"), (tn_dtype)0) : NULL;
    tn_function *function = tn_function(network ? network_body : apply_body, &r, .eager = eager);
    for (size_t i = 0; i < json_array_size(steps); i++)
        if (!run_step(&r, json_array_get(steps, i), function) ||
            !check_step(&r, json_array_get(steps, i), i + 1))
            return false;
    int traces = tn__optimizer_that_steps(r.optimizer)->slot.count ? 2 : 1;
    if (!eager && tn_trace_count(function) != traces)
        return fail_case(v, "the step was traced %d times, want %d", tn_trace_count(function),
                         traces);
    return check_final(&r);
}

void replay_optimizer(golden_case *c, verdict *v)
{
    if (replay(c, v, true))
        replay(c, v, false);
}
