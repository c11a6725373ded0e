/* ops.c - cases of ops: each call must come out eagerly and traced, its gradients too, and fail
 * where TensorFlow does, with its words. What stands for TensorFlow's function is a row of
 * ops_functions.def, else the op of that name in the registry, whose signature and fields say which
 * argument goes where. */
#include "conformance/ops.h"
#include "function/function.h"
#include "nn/config.h"
#include "ops/ops.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- an op of the registry -------------------------------------------------------------------- */
/* "l2_loss" is L2Loss; a version may follow: "V2". */
static bool is_named(const tn__op *op, const char *name, int *version)
{
    const char *at = op->name;
    for (; *name; name++)
        if (*name != '_' && tolower((unsigned char)*at++) != tolower((unsigned char)*name))
            return false;
    *version = *at == 'V' && at[1] && !at[2] ? at[1] - '0' : 1;
    return !*at || (*at == 'V' && isdigit((unsigned char)at[1]) && !at[2]);
}

/* The newest. tf.linalg has names that other ops have too: tf.linalg.inv is not Inv. */
static const tn__op *op_of(const char *api)
{
    const char *dot = strncmp(api, "tf.linalg.", 10) == 0 ? NULL : strrchr(api, '.');
    const tn__op *found = NULL;
    int best = 0, version;
    for (size_t i = 0; dot && i < tn__op_count(); i++)
        if (is_named(tn__op_at(i), dot + 1, &version) && version > best) {
            found = tn__op_at(i);
            best = version;
        }
    return found;
}

/* Inputs by position, those that are left by keyword. */
static tn_list op_inputs(const op_call *c, const tn__signature *s)
{
    tn_tensor *all[64];
    size_t count = 0, position = 0;
    for (size_t i = 0; i < s->inputs; i++) {
        bool by_position = position < json_array_size(c->inputs);
        if (!by_position && !given(c, s->input[i].name))
            return tn_fail(TN_INVALID_ARGUMENT, "%s: nothing gives %s", c->op->name,
                           s->input[i].name),
                   (tn_list){ 0, NULL };
        tn_list items = by_position ? list_in(c, position++) : (tn_list){ 0, NULL };
        for (size_t j = 0; j < items.count; j++)
            all[count++] = items.item[j];
        if (!by_position)
            all[count++] = numbers(c, s->input[i].name);
    }
    return tn_list_of(count, all);
}

static bool is_input(const tn__signature *s, const char *name)
{
    for (size_t i = 0; i < s->inputs; i++)
        if (strcmp(s->input[i].name, name) == 0)
            return true;
    return false;
}

/* Every other keyword is a field. */
static tn_status op_attrs(const op_call *c, const tn__signature *s, void *attrs)
{
    json_t *fields = json_copy((json_t *)(uintptr_t)c->attrs);
    for (size_t i = 0; i < s->inputs; i++)
        json_object_del(fields, s->input[i].name);
    tn_status status = tn__fields_default(c->op->attrs, attrs);
    const char *key;
    json_t *value;
    json_object_foreach(fields, key, value) if (status == TN_OK && !is_input(s, key) &&
                                                !tn__field_find(c->op->attrs, key)) status =
        tn__fail(TN_INVALID_ARGUMENT, "%s has no argument %s", c->op->name, key);
    if (status == TN_OK)
        status = tn__fields_from_json(c->op->attrs, attrs, fields, c->op->name);
    json_decref(fields);
    return status;
}

static tn_list run_op(const op_call *c)
{
    const tn__signature *s = tn__op_signature(c->op);
    void *attrs = calloc(1, c->op->attrs_size + 1);
    tn_list result = { 0, NULL };
    if (s && attrs && op_attrs(c, s, attrs) == TN_OK) {
        tn_list inputs = op_inputs(c, s);
        if (inputs.item)
            result = tn__apply_list(c->op, attrs, inputs.item, inputs.count,
                                    tn__op_outputs(c->op, attrs, inputs.count));
    }
    tn__fields_release(c->op->attrs, attrs);
    free(attrs);
    return result;
}

/* --- what is there ---------------------------------------------------------------------------- */
static bool is_readable(verdict *v, const json_t *json)
{
    const char *dtype = tn__json_text(json, "dtype"), *key;
    json_t *value;
    if (json_object_get(json, "$strings"))
        return skip_case(v, "tensors of strings");
    if (json_object_get(json, "$npz") && dtype && !tn__dtype_of_name(dtype))
        return skip_case(v, "dtype %s", dtype);
    for (size_t i = 0; i < json_array_size(json); i++)
        if (!is_readable(v, json_array_get(json, i)))
            return false;
    json_object_foreach((json_t *)(uintptr_t)json, key,
                        value) if (!is_readable(v, value)) return false;
    return true;
}

static bool open_call(golden_case *c, verdict *v, op_call *call)
{
    const json_t *json = golden_json(c);
    const char *api = tn__json_text(json, "api");
    golden_leaves leaves = { .count = 0 };
    *call = (op_call){ c, v, json_object_get(json, "inputs"), json_object_get(json, "attrs"),
                       .run = function_of(api) };
    if (!call->run) {
        call->op = op_of(api);
        call->run = run_op;
    }
    if (call->run == run_op && !call->op)
        return skip_case(v, "no %s", api);
    if (!is_readable(v, json_object_get(json, "inputs")) ||
        !is_readable(v, json_object_get(json, "attrs")) ||
        !is_readable(v, json_object_get(json, "outputs")))
        return false;
    golden_flatten(c, call->inputs, &leaves);
    memcpy(call->leaf, leaves.item, sizeof leaves.item);
    call->leaves = leaves.count;
    return no_error(v, "its inputs");
}

/* --- running it ------------------------------------------------------------------------------- */
typedef struct {
    const op_call *call;
    const golden_leaves *cotangents;
} run_of;

static op_call with_leaves(const op_call *c, tn_list leaves)
{
    op_call copy = *c;
    for (size_t i = 0; i < leaves.count && i < 64; i++)
        copy.leaf[i] = leaves.item[i];
    return copy;
}

static tn_tensor *forward(void *self, tn_list leaves)
{
    const op_call call = with_leaves(((const run_of *)self)->call, leaves);
    tn_list outputs = call.run(&call);
    return outputs.item ? tn_tuple_of(outputs) : NULL;
}

/* By every input of floats; those that have none are left out. */
static tn_tensor *backward(void *self, tn_list leaves)
{
    const run_of *run = self;
    tn_tensor *source[64], *found[64];
    size_t sources = 0, count = 0;
    tn_tape *tape = tn_gradient_tape();
    for (size_t i = 0; i < leaves.count; i++)
        if (tn__in(TN__FLOATS, (tn_dtype)leaves.item[i]->dtype)) {
            tn_watch(tape, leaves.item[i]);
            source[sources++] = leaves.item[i];
        }
    tn_tensor *outputs = forward(self, leaves);
    if (!outputs)
        return NULL;
    tn_tensor *sum = weighted_sum(tn_items(outputs), run->cotangents);
    tn_list all = tn_gradient(tape, sum, tn_list_of(sources, source));
    for (size_t i = 0; i < all.count; i++)
        if (all.item[i])
            found[count++] = all.item[i];
    return all.item ? tn_tuple_of(tn_list_of(count, found)) : NULL;
}

static tn_tensor *traced(tn_body body, void *self, tn_list leaves)
{
    tn_function *f = tn_function(body, self);
    return tn_call_list(f, leaves);
}

static bool same_leaves(const op_call *c, tn_tensor *got, const golden_leaves *want,
                        const char *what)
{
    char text[64];
    if (!got)
        return no_error(c->v, what) && fail_case(c->v, "%s: NULL without an error", what);
    tn_list items = tn_items(got);
    if (items.count != want->count)
        return fail_case(c->v, "%s: %zu, want %zu", what, items.count, want->count);
    for (size_t i = 0; i < want->count; i++) {
        snprintf(text, sizeof text, "%s %zu", what, i);
        if (!same(c->v, c->c, items.item[i], want->item[i], text))
            return false;
    }
    return true;
}

static void replay_values(const op_call *c, tn_list leaves)
{
    const json_t *json = golden_json(c->c);
    golden_leaves outputs = { .count = 0 }, cotangents = { .count = 0 }, all = { .count = 0 },
                  grads = { .count = 0 };
    golden_flatten(c->c, json_object_get(json, "outputs"), &outputs);
    run_of run = { c, &cotangents };
    if (!same_leaves(c, forward(&run, leaves), &outputs, "output") ||
        !same_leaves(c, traced(forward, &run, leaves), &outputs, "traced output") ||
        !json_object_get(json, "grads"))
        return;
    golden_flatten(c->c, json_object_get(json, "cotangents"), &cotangents);
    golden_flatten(c->c, json_object_get(json, "grads"), &all);
    for (size_t i = 0; i < all.count; i++)
        if (all.item[i])
            grads.item[grads.count++] = all.item[i];
    if (same_leaves(c, backward(&run, leaves), &grads, "gradient"))
        same_leaves(c, traced(backward, &run, leaves), &grads, "traced gradient");
}

/* --- errors ----------------------------------------------------------------------------------- */
/* " Integer division by zero [Op:FloorDiv] name: " without what the eager runtime puts around. */
static void bare_message(const json_t *error, char *to, size_t size)
{
    const char *text = tn__json_text(error, "message");
    text += strspn(text, " ");
    const char *end = strstr(text, " [Op:");
    snprintf(to, size, "%.*s", (int)(end ? end - text : (long)strlen(text)), text);
}

static void replay_error(const op_call *c, tn_list leaves)
{
    char want[400];
    run_of run = { c, NULL };
    bare_message(json_object_get(golden_json(c->c), "error"), want, sizeof want);
    tn_tensor *got = forward(&run, leaves);
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    if (got || !error)
        fail_case(c->v, "no error, want \"%s\"", want);
    else if (error->status != TN_INVALID_ARGUMENT || strcmp(error->first_line, want) != 0)
        fail_case(c->v, "error %d \"%s\", want \"%s\"", (int)error->status, error->first_line,
                  want);
    if (traced(forward, &run, leaves) || !tn_catch(TN_INVALID_ARGUMENT))
        fail_case(c->v, "traced: no error, want \"%s\"", want);
}

void replay_op(golden_case *c, verdict *v)
{
    op_call call;
    if (!open_call(c, v, &call))
        return;
    tn_list leaves = tn_list_of(call.leaves, call.leaf);
    if (json_object_get(golden_json(c), "error"))
        replay_error(&call, leaves);
    else
        replay_values(&call, leaves);
}
