/* ops_arguments.c - reading a call's arguments. */
#include "conformance/ops.h"
#include "nn/config.h"
#include "ops/ops.h"
#include <stdlib.h>
#include <string.h>

/* Tensors before json in its list, or in all of it. */
static size_t leaves_of(const json_t *json)
{
    const json_t *list = json_is_array(json) ? json : json_object_get(json, "$tuple");
    size_t count = list ? 0 : 1;
    for (size_t i = 0; i < json_array_size(list); i++)
        count += leaves_of(json_array_get(list, i));
    return count;
}

static size_t first_leaf(const op_call *c, size_t position)
{
    size_t first = 0;
    for (size_t i = 0; i < position; i++)
        first += leaves_of(json_array_get(c->inputs, i));
    return first;
}

tn_tensor *in(const op_call *c, size_t position)
{
    size_t at = first_leaf(c, position);
    return at < c->leaves ? c->leaf[at]
                          : tn_fail(TN_INTERNAL, "the case has no input %zu", position);
}

tn_list list_in(const op_call *c, size_t position)
{
    return tn_list_of(leaves_of(json_array_get(c->inputs, position)),
                      c->leaf + first_leaf(c, position));
}

bool given(const op_call *c, const char *name)
{
    const json_t *value = json_object_get(c->attrs, name);
    return value && !json_is_null(value);
}

bool flag(const op_call *c, const char *name, bool fallback)
{
    return given(c, name) ? json_is_true(json_object_get(c->attrs, name)) : fallback;
}

int64_t whole(const op_call *c, const char *name, int64_t fallback)
{
    const json_t *value = json_object_get(c->attrs, name);
    return given(c, name) ? (int64_t)json_integer_value(value) : fallback;
}

double real(const op_call *c, const char *name, double fallback)
{
    const json_t *value = json_object_get(c->attrs, name);
    const char *special = tn__json_text(value, "$float");
    return !given(c, name) ? fallback : special ? strtod(special, NULL) : json_number_value(value);
}

const char *word(const op_call *c, const char *name, const char *fallback)
{
    const char *text = tn__json_text(c->attrs, name);
    return text ? text : fallback;
}

tn_dtype dtype(const op_call *c, const char *name, tn_dtype fallback)
{
    const char *text = word(c, name, NULL);
    return text ? tn__dtype_of_name(text) : fallback;
}

static size_t collect(const json_t *json, int64_t *to, size_t count, size_t most)
{
    const json_t *list = json_is_array(json) ? json : json_object_get(json, "$tuple");
    for (size_t i = 0; i < json_array_size(list); i++)
        count = collect(json_array_get(list, i), to, count, most);
    if (!list && json && count < most)
        to[count++] = json_is_null(json) ? TN_NONE : (int64_t)json_integer_value(json);
    return count;
}

size_t wholes(const op_call *c, const char *name, int64_t *to, size_t most)
{
    return given(c, name) ? collect(json_object_get(c->attrs, name), to, 0, most) : 0;
}

tn_axes axes(const op_call *c, const char *name)
{
    int64_t numbers[TN_MAX_RANK];
    tn_axes result = { .count = (int)wholes(c, name, numbers, TN_MAX_RANK) };
    for (int i = 0; i < result.count; i++)
        result.axis[i] = (int)numbers[i];
    if (given(c, name) && result.count == 0)
        result.count = TN_NONE;
    return result;
}

tn_shape shape(const op_call *c, const char *name)
{
    tn_shape result = { .known = given(c, name) };
    result.rank = (int)wholes(c, name, result.dims, TN_MAX_RANK);
    return result;
}

tn_tensor *number(const op_call *c, const char *name, double fallback)
{
    if (json_is_integer(json_object_get(c->attrs, name)))
        return tn_scalar_int(whole(c, name, 0));
    return tn_scalar_float(real(c, name, fallback));
}

tn_tensor *numbers(const op_call *c, const char *name)
{
    int64_t values[64];
    if (!json_is_array(json_object_get(c->attrs, name)))
        return number(c, name, 0);
    size_t count = wholes(c, name, values, 64);
    return tn__ints(values, count);
}
