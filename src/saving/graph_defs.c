/* graph_defs.c - the parts that nodes' definitions are made of. */
#include "saving/graph_write.h"
#include "base/text.h"
#include "core/tensor.h"
#include <stdarg.h>
#include <string.h>

/* --- shapes ----------------------------------------------------------------------------------- */
static tn_status fill_shape(tn__arena *arena, const tn_shape *shape, tn__shape_def *def)
{
    def->unknown_rank = !shape->known;
    for (int i = 0; shape->known && i < shape->rank; i++) {
        tn__dim_def *dim = TN__ARENA_ADD(arena, &def->dim);
        if (!dim)
            return TN_RESOURCE_EXHAUSTED;
        dim->size = shape->dims[i] == TN_NONE ? -1 : shape->dims[i];
    }
    return TN_OK;
}

tn__shape_def *tn__shape_def_of(tn__arena *arena, const tn_shape *shape)
{
    tn__shape_def *def = tn__arena_alloc(arena, sizeof *def);
    return def && fill_shape(arena, shape, def) == TN_OK ? def : NULL;
}

/* --- nodes ------------------------------------------------------------------------------------ */
static char *print(tn__arena *arena, const char *format, va_list arguments)
{
    tn__text text = { 0 };
    tn__text_add_v(&text, format, arguments);
    char *copy = text.failed ? NULL : tn__arena_text(arena, tn__text_get(&text));
    tn__text_free(&text);
    return copy;
}

tn__node_def *tn__node_add(tn__arena *arena, tn__node_list *list, const char *op,
                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *name = print(arena, format, arguments);
    va_end(arguments);
    tn__node_def *node = name ? TN__ARENA_ADD(arena, list) : NULL;
    if (node)
        node->name = name, node->op = op;
    return node;
}

tn_status tn__node_input(tn__arena *arena, tn__node_def *node, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *name = print(arena, format, arguments);
    va_end(arguments);
    const char **input = name ? TN__ARENA_ADD(arena, &node->input) : NULL;
    if (!input)
        return TN_RESOURCE_EXHAUSTED;
    *input = name;
    return TN_OK;
}

/* --- attributes ------------------------------------------------------------------------------- */
tn_status tn__attr_put(tn__arena *arena, tn__attrs *attrs, const char *key, tn__attr_value value)
{
    tn__attr_value *added = tn__attr_add(arena, attrs, key);
    if (!added)
        return TN_RESOURCE_EXHAUSTED;
    *added = value;
    return TN_OK;
}

tn_status tn__attr_type(tn__arena *arena, tn__attrs *attrs, const char *key, int dtype)
{
    return tn__attr_put(arena, attrs, key,
                        (tn__attr_value){ .which = TN__ATTR_TYPE, .type = dtype });
}

tn_status tn__attr_int(tn__arena *arena, tn__attrs *attrs, const char *key, int64_t value)
{
    return tn__attr_put(arena, attrs, key, (tn__attr_value){ .which = TN__ATTR_I, .i = value });
}

tn_status tn__attr_text(tn__arena *arena, tn__attrs *attrs, const char *key, const char *value)
{
    tn__span text = { (const uint8_t *)value, strlen(value) };
    return tn__attr_put(arena, attrs, key, (tn__attr_value){ .which = TN__ATTR_S, .s = text });
}

tn_status tn__attr_shape(tn__arena *arena, tn__attrs *attrs, const char *key, const tn_shape *shape)
{
    tn__shape_def *def = tn__shape_def_of(arena, shape);
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    return tn__attr_put(arena, attrs, key,
                        (tn__attr_value){ .which = TN__ATTR_SHAPE, .shape = def });
}

tn_status tn__attr_func(tn__arena *arena, tn__attrs *attrs, const char *key, const char *function)
{
    tn__func_def *def = tn__arena_alloc(arena, sizeof *def);
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    def->name = function;
    return tn__attr_put(arena, attrs, key, (tn__attr_value){ .which = TN__ATTR_FUNC, .func = def });
}

tn_status tn__attr_types(tn__arena *arena, tn__attrs *attrs, const char *key, tn__attr_list **list)
{
    *list = tn__arena_alloc(arena, sizeof **list);
    if (!*list)
        return TN_RESOURCE_EXHAUSTED;
    return tn__attr_put(arena, attrs, key,
                        (tn__attr_value){ .which = TN__ATTR_LIST, .list = *list });
}

tn_status tn__types_add(tn__arena *arena, tn__attr_list *list, int dtype)
{
    int32_t *item = TN__ARENA_ADD(arena, &list->type);
    if (!item)
        return TN_RESOURCE_EXHAUSTED;
    *item = dtype;
    return TN_OK;
}

tn_status tn__attr_tensor(tn__arena *arena, tn__attrs *attrs, const char *key, int dtype,
                          const tn_shape *shape, const void *data)
{
    tn__tensor_def *def = tn__arena_alloc(arena, sizeof *def);
    if (!def || !(def->shape = tn__shape_def_of(arena, shape)))
        return TN_RESOURCE_EXHAUSTED;
    def->dtype = dtype;
    size_t size = (size_t)tn__shape_count(shape) * tn__tf_dtype_size(dtype);
    def->content = (tn__span){ data, size };
    return tn__attr_put(arena, attrs, key,
                        (tn__attr_value){ .which = TN__ATTR_TENSOR, .tensor = def });
}

tn_status tn__shape_const_add(tn__arena *arena, tn__node_list *list, const char *name, const tn_shape *shape)
{
    int32_t *values = tn__arena_alloc(arena, TN_MAX_RANK * sizeof *values);
    tn__node_def *def = values ? tn__node_add(arena, list, "Const", "%s", name) : NULL;
    if (!def)
        return TN_RESOURCE_EXHAUSTED;
    tn_shape of_values = shape->known ? TN_SHAPE(shape->rank) : TN_SCALAR;
    values[0] = -1;
    for (int i = 0; shape->known && i < shape->rank; i++)
        values[i] = shape->dims[i] == TN_NONE ? -1 : (int32_t)shape->dims[i];
    TN_TRY(tn__attr_type(arena, &def->attr, "dtype", TN__TF_INT32));
    return tn__attr_tensor(arena, &def->attr, "value", TN__TF_INT32, &of_values, values);
}
