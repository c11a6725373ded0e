/* mask_config.c - masks in the config of a functional model.
 *
 * Keras 3 computes the masks of symbolic tensors with ops, writes those beside the layers
 * (NotEqual, Any, LogicalOr ...), and names their results as the argument `mask` of the layers
 * behind. Here masks travel on handles, and Keras makes those ops again when it opens what we
 * write. So ops of which nothing but masks is made are left out, and in place of such a mask a
 * config says that there must be one. */
#include "base/map.h"
#include "base/text.h"
#include "nn/op_config.h"
#include <string.h>

enum { DEEPEST = 256 };

typedef struct {
    tn__map op;      /* name to its object, of those that may be a mask's */
    json_t *waiting; /* ops that are needed, whose inputs were not looked at; borrowed names */
} reading;

static bool is_mask(const char *key)
{
    size_t length = strlen(key);
    return length >= 4 && strcmp(key + length - 4, "mask") == 0;
}

/* What the compute_mask of Keras's layers is made of. */
static bool may_make_masks(const json_t *entry)
{
    const char *class = tn__json_text(entry, "class_name");
    return tn__may_be_keras_op(entry) && class &&
           tn__among("NotEqual|Any|All|LogicalOr|LogicalAnd|ExpandDims|Squeeze|ZerosLike|OnesLike|"
                     "Concatenate|BroadcastTo|Reshape|Cast",
                     class);
}

/* Calls `use` with every name of a layer or op whose output the JSON names: __keras_tensor__
 * objects and [name, node, tensor]. */
typedef tn_status (*use_name)(reading *r, const char *name, void *self);

static tn_status each_name(reading *r, const json_t *json, int depth, use_name use, void *self)
{
    const json_t *past = json_object_get(json_object_get(json, "config"), "keras_history"),
                 *list = json_is_array(past) ? past : json;
    const char *key, *name = json_string_value(json_array_get(list, 0));
    json_t *value;
    size_t i;
    if (depth > DEEPEST)
        return tn__fail(TN_DATA_LOSS, "the config is nested more than %d deep", DEEPEST);
    if (name && json_is_integer(json_array_get(list, 1)))
        return use(r, name, self);
    json_array_foreach(json, i, value) TN_TRY(each_name(r, value, depth + 1, use, self));
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
        TN_TRY(each_name(r, value, depth + 1, use, self));
    return TN_OK;
}

/* --- which ops are needed
 * -----------------------------------------------------------------------------------------------
 */
static tn_status need(reading *r, const char *name, void *self)
{
    json_t *op = tn__map_get(&r->op, name);
    (void)self;
    if (!op || json_object_get(op, "#needed"))
        return TN_OK;
    TN_TRY(tn__json_set(op, "#needed", json_true()));
    return json_array_append(r->waiting, op) == 0 ? TN_OK : tn__fail_memory(0);
}

static tn_status need_inputs(reading *r, const json_t *entry, bool masks)
{
    size_t i;
    const char *key;
    const json_t *node;
    json_t *value;
    json_array_foreach(json_object_get(entry, "inbound_nodes"), i, node)
    {
        TN_TRY(each_name(r, json_object_get(node, "args"), 0, need, NULL));
        json_object_foreach(json_object_get(node, "kwargs"), key, value) if (masks || !is_mask(key))
            TN_TRY(each_name(r, value, 0, need, NULL));
    }
    return TN_OK;
}

static tn_status find_needed(reading *r, const json_t *config, const json_t *layers)
{
    size_t i;
    const json_t *entry;
    TN_TRY(each_name(r, json_object_get(config, "output_layers"), 0, need, NULL));
    json_array_foreach(layers, i, entry) if (!may_make_masks(entry))
        TN_TRY(need_inputs(r, entry, false));
    for (i = 0; i < json_array_size(r->waiting); i++)
        TN_TRY(need_inputs(r, json_array_get(r->waiting, i), true));
    return TN_OK;
}

/* --- leaving the others out
 * --------------------------------------------------------------------------------------------- */
static tn_status is_left_out(reading *r, const char *name, void *self)
{
    json_t *op = tn__map_get(&r->op, name);
    *(bool *)self &= op && !json_object_get(op, "#needed");
    return TN_OK;
}

static tn_status mark_masks(reading *r, json_t *entry)
{
    size_t i;
    const char *key;
    json_t *node, *value;
    void *next;
    json_array_foreach(json_object_get(entry, "inbound_nodes"), i, node)
    {
        json_t *arguments = json_object_get(node, "kwargs");
        json_object_foreach_safe(arguments, next, key, value)
        {
            bool made_here = true;
            if (!is_mask(key) || (!json_is_object(value) && !json_is_array(value)))
                continue;
            TN_TRY(each_name(r, value, 0, is_left_out, &made_here));
            if (made_here)
                TN_TRY(tn__json_set(arguments, key, json_true()));
        }
    }
    return TN_OK;
}

static tn_status leave_out(reading *r, json_t *layers)
{
    for (size_t i = json_array_size(layers); i-- > 0;) {
        json_t *entry = json_array_get(layers, i);
        if (!may_make_masks(entry))
            TN_TRY(mark_masks(r, entry));
    }
    for (size_t i = 0; i < json_array_size(layers);) {
        json_t *entry = json_array_get(layers, i);
        bool left_out = may_make_masks(entry) && !json_object_get(entry, "#needed");
        json_object_del(entry, "#needed");
        if (left_out)
            json_array_remove(layers, i);
        else
            i++;
    }
    return TN_OK;
}

static tn_status find_ops(reading *r, const json_t *layers)
{
    size_t i;
    json_t *entry;
    json_array_foreach(layers, i, entry)
    {
        const char *name = tn__json_text(entry, "name");
        if (name && may_make_masks(entry))
            TN_TRY(tn__map_set(&r->op, name, entry));
    }
    return TN_OK;
}

static tn_status of_model(json_t *config, json_t *layers)
{
    reading r = { .waiting = json_array() };
    tn_status status = r.waiting ? find_ops(&r, layers) : tn__fail_memory(0);
    if (status == TN_OK && r.op.count > 0)
        status = find_needed(&r, config, layers);
    if (status == TN_OK && r.op.count > 0)
        status = leave_out(&r, layers);
    json_decref(r.waiting);
    tn__map_free(&r.op);
    return status;
}

static tn_status of_all(json_t *json, int depth)
{
    json_t *config = json_object_get(json, "config"), *layers = json_object_get(config, "layers"),
           *entry;
    size_t i;
    if (depth > DEEPEST)
        return tn__fail(TN_DATA_LOSS, "the config is nested more than %d deep", DEEPEST);
    json_array_foreach(layers, i, entry) TN_TRY(of_all(entry, depth + 1));
    return json_is_array(layers) ? of_model(config, layers) : TN_OK;
}

tn_status tn__leave_out_masks(json_t *json)
{
    return of_all(json, 0);
}
