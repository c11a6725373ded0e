/* tensor.c - making, sharing and reading values. */
#include "core/tensor.h"
#include "core/cells.h"
#include "core/hooks.h"
#include <stdio.h>
#include <math.h>
#include <sched.h>
#include <string.h>

static void buffer_release(tn__buffer *buffer)
{
    if (!buffer || !tn__count_down(&buffer->count))
        return;
    if (!buffer->free_data) {
        tn__free_spare(&tn__context()->spare, buffer);
        return;
    }
    buffer->free_data(buffer->owner, buffer->data);
    tn__free(buffer);
}

static void variable_free(tn__variable *variable)
{
    tn__release(variable->value);
    tn__free(variable->name);
    tn__free(variable->scope);
    tn__free(variable->path);
    tn__free(variable->here);
    tn__free(variable->constraint);
    tn__free(variable->regularizer);
    tn__free(variable);
}

static void tensor_destroy(void *object)
{
    tn_tensor *x = object;
    buffer_release(x->buffer);
    tn__release(x->mask);
    tn__release(x->slices);
    if (x->form == TN__SYMBOLIC)
        tn__release(x->of.output.node);
    else if (x->form == TN__VARIABLE && x->of.variable)
        variable_free(x->of.variable);
    for (size_t i = 0; x->form == TN__TUPLE && i < x->of.tuple.count; i++)
        tn__release(x->of.tuple.item[i]);
    if (x->form == TN__TUPLE)
        tn__free(x->of.tuple.item);
}

const tn__type tn__type_tensor = { .name = "tensor", .kind = 1, .destroy = tensor_destroy };

static tn_tensor *header(tn_dtype dtype, const tn_shape *shape)
{
    tn_tensor *x = tn__object_new(&tn__type_tensor);
    if (!x)
        return NULL;
    x->form = TN__VALUE;
    x->dtype = (uint8_t)dtype;
    x->shape = *shape;
    x->id = tn__next_id(tn__context());
    return x;
}

enum { BEHIND = 64 }; /* where the elements begin in a buffer's own block, as aligned as it is */
_Static_assert(sizeof(tn__buffer) <= BEHIND, "elements stand behind their buffer");

static tn__buffer *buffer_new(size_t size)
{
    tn__buffer *buffer = tn__alloc_spare(&tn__context()->spare, BEHIND + size);
    if (!buffer)
        return NULL;
    *buffer = (tn__buffer){ .size = size, .data = (char *)buffer + BEHIND };
    atomic_init(&buffer->count, 1);
    return buffer;
}

static tn__buffer *buffer_of(void *data, void (*free_data)(void *owner, void *data), void *owner)
{
    tn__buffer *buffer = tn__alloc(sizeof *buffer);
    if (!buffer)
        return NULL;
    *buffer = (tn__buffer){ .data = data, .free_data = free_data, .owner = owner };
    atomic_init(&buffer->count, 1);
    return buffer;
}

tn_status tn__tensor_new(tn_dtype dtype, const tn_shape *shape, tn_tensor **tensor)
{
    *tensor = NULL;
    size_t bytes;
    TN_TRY(tn__shape_bytes(shape, dtype, INT64_MAX, &bytes));
    tn_tensor *x = header(dtype, shape);
    if (!x)
        return TN_RESOURCE_EXHAUSTED;
    x->data = x->small;
    if (bytes > TN__SMALL) {
        x->buffer = buffer_new(bytes);
        if (!x->buffer) {
            tn__release(x);
            return TN_RESOURCE_EXHAUSTED;
        }
        x->data = x->buffer->data;
    }
    *tensor = x;
    return TN_OK;
}

tn_status tn__tensor_copy(tn_dtype dtype, const tn_shape *shape, const void *data, tn_tensor **tensor)
{
    TN_TRY(tn__tensor_new(dtype, shape, tensor));
    size_t bytes = tn__byte_count(*tensor);
    if (bytes)
        memcpy((*tensor)->data, data, bytes);
    return TN_OK;
}

tn_status tn__tensor_view(tn_tensor *value, const tn_shape *shape, tn_tensor **view)
{
    if (!value->buffer)
        return tn__tensor_copy((tn_dtype)value->dtype, shape, value->data, view);
    tn_tensor *x = *view = header((tn_dtype)value->dtype, shape);
    if (!x)
        return TN_RESOURCE_EXHAUSTED;
    tn__count_up(&value->buffer->count);
    x->buffer = value->buffer;
    x->data = value->data;
    return TN_OK;
}

tn_status tn__tensor_alias(const tn_tensor *x, tn_tensor **alias)
{
    *alias = NULL;
    if (x->placed)
        return tn__tensor_copy((tn_dtype)x->dtype, &x->shape, x->data, alias);
    if (x->form == TN__VARIABLE || x->form == TN__TUPLE)
        return tn__fail(TN_INTERNAL, "a variable or tuple has one handle");
    tn_tensor *y = tn__object_new(&tn__type_tensor);
    if (!y)
        return TN_RESOURCE_EXHAUSTED;
    memcpy((char *)y + sizeof y->object, (const char *)x + sizeof x->object, sizeof *x - sizeof x->object);
    y->mask = y->slices = NULL;
    if (x->form == TN__SYMBOLIC)
        tn__retain(x->of.output.node);
    else if (x->buffer)
        tn__count_up(&x->buffer->count);
    else
        y->data = y->small;
    *alias = y;
    return TN_OK;
}

tn_status tn__tensor_borrow(tn_dtype dtype, const tn_shape *shape, void *data,
                            void (*free_data)(void *owner, void *data), void *owner, tn_tensor **tensor)
{
    *tensor = NULL;
    tn__buffer *buffer = buffer_of(data, free_data, owner);
    tn_tensor *x = buffer ? header(dtype, shape) : NULL;
    if (!x) {
        tn__free(buffer);
        free_data(owner, data);
        return TN_RESOURCE_EXHAUSTED;
    }
    x->buffer = buffer;
    x->data = data;
    *tensor = x;
    return TN_OK;
}

tn_status tn__tensor_placed(tn_dtype dtype, const tn_shape *shape, void *data, tn_tensor **tensor)
{
    tn_tensor *x = *tensor = header(dtype, shape);
    if (!x)
        return TN_RESOURCE_EXHAUSTED;
    x->data = data;
    x->placed = true;
    return TN_OK;
}

tn_tensor *tn__tensor_ints(tn_dtype dtype, int64_t count, const int64_t *values)
{
    tn_shape shape = tn__shape_vector(count);
    tn_tensor *x;
    if (tn__tensor_new(dtype, &shape, &x) != TN_OK)
        return NULL;
    size_t size = tn__dtype_size(dtype);
    for (int64_t i = 0; i < count; i++)
        tn__element_from_int(dtype, values[i], (char *)x->data + (size_t)i * size);
    return x;
}

tn_tensor *tn__tensor_int32(int64_t value)
{
    return tn__tensor_fill(TN_INT32, &TN_SCALAR, (double)value);
}

tn_tensor *tn__tensor_fill(tn_dtype dtype, const tn_shape *shape, double value)
{
    tn_tensor *x;
    if (tn__tensor_new(dtype, shape, &x) != TN_OK)
        return NULL;
    char *data = x->data;
    size_t all = tn__byte_count(x), filled = tn__dtype_size(dtype);
    if (all > 0)
        tn__element_from_double(dtype, value, data);
    for (size_t part; filled < all; filled += part) {
        part = filled < all - filled ? filled : all - filled;
        memcpy(data + filled, data, part);
    }
    return x;
}

enum { MOST_NESTED = 100 };

tn_tensor *tn__tuple_new(size_t count, tn_tensor *const *items)
{
    int depth = 1;
    for (size_t i = 0; i < count; i++)
        if (items[i]->form == TN__TUPLE && items[i]->of.tuple.depth >= depth)
            depth = items[i]->of.tuple.depth + 1;
    if (depth > MOST_NESTED) {
        tn__fail(TN_INVALID_ARGUMENT, "a tuple holds at most %d levels of tuples", MOST_NESTED);
        return NULL;
    }
    tn_tensor **copy = tn__memdup(items, count * sizeof *copy);
    tn_tensor *x = copy ? header(TN_TUPLE, &TN__UNKNOWN_SHAPE) : NULL;
    if (!x) {
        tn__free(copy);
        return NULL;
    }
    x->form = TN__TUPLE;
    x->of.tuple.item = copy;
    x->of.tuple.count = count;
    x->of.tuple.depth = depth;
    for (size_t i = 0; i < count; i++)
        tn__retain(copy[i]);
    return x;
}

size_t tn__flat_count(const tn_tensor *structure)
{
    if (structure->form != TN__TUPLE)
        return 1;
    size_t count = 0;
    for (size_t i = 0; i < structure->of.tuple.count; i++)
        count += tn__flat_count(structure->of.tuple.item[i]);
    return count;
}

tn_tensor **tn__flatten(tn_tensor *structure, tn_tensor **leaves)
{
    if (structure->form != TN__TUPLE) {
        *leaves = structure;
        return leaves + 1;
    }
    for (size_t i = 0; i < structure->of.tuple.count; i++)
        leaves = tn__flatten(structure->of.tuple.item[i], leaves);
    return leaves;
}

bool tn__tensor_unique(const tn_tensor *value)
{
    return atomic_load_explicit(&value->object.count, memory_order_acquire) == 1 &&
           (!value->buffer || (!value->buffer->free_data &&
                               atomic_load_explicit(&value->buffer->count, memory_order_acquire) == 1));
}

const char *tn__tensor_print(const tn_tensor *x, char text[TN__SHAPE_TEXT + 32])
{
    char shape[TN__SHAPE_TEXT];
    snprintf(text, TN__SHAPE_TEXT + 32, "%s %s", tn__dtype_name((tn_dtype)x->dtype),
             x->form == TN__TUPLE ? "" : tn__shape_print(&x->shape, shape));
    return text;
}

tn_status tn__value_of(tn_tensor *x, const char *what, tn_tensor **value)
{
    *value = NULL;
    if (!tn__check_tensor(x, what))
        return TN_INVALID_ARGUMENT;
    if (x->form == TN__VARIABLE)
        return tn__variable_read(x, value);
    if (x->form == TN__SYMBOLIC)
        return tn__fail(TN_INVALID_ARGUMENT, "%s is symbolic (%s of a graph) and has no value yet\nwhile a body is traced, or called for an .input_shape, "
                        "shapes are known and values are not: tn_cond chooses by a value",
                        what, TN__TENSOR(x));
    if (x->form == TN__TUPLE)
        return tn__fail(TN_INVALID_ARGUMENT, "%s is a tuple of %zu, one tensor is expected", what, x->of.tuple.count);
    *value = tn__retain(x);
    return TN_OK;
}

/* --- variables -------------------------------------------------------------------------------------------------------- */
static void lock(tn__variable *v)
{
    while (!tn__alone() && atomic_flag_test_and_set_explicit(&v->busy, memory_order_acquire))
        sched_yield();
}

static void unlock(tn__variable *v)
{
    atomic_flag_clear_explicit(&v->busy, memory_order_release);
}

/* A text that may be NULL; false without memory. */
static bool copy_text(char **field, const char *text)
{
    *field = tn__strdup(text);
    return *field || !text;
}

static tn_status check_first(const tn__variable_spec *spec)
{
    if (!spec->value || !spec->shape.known || tn__shape_fits(&spec->shape, &spec->value->shape))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "In this `tf.Variable` creation, the initial value's shape (%s) is not compatible with the explicitly supplied `shape` "
                    "argument (%s).",
                    TN__SHAPE(spec->value->shape), TN__SHAPE(spec->shape));
}

tn_status tn__variable_new(const tn__variable_spec *spec, tn_tensor **out)
{
    *out = NULL;
    TN_TRY(check_first(spec));
    tn_dtype dtype = spec->dtype ? spec->dtype : spec->value ? (tn_dtype)spec->value->dtype : TN_FLOAT32;
    tn_shape shape = spec->shape.known || tn__shape_any(&spec->shape) || !spec->value ? spec->shape : spec->value->shape;
    tn_tensor *x = header(dtype, shape.known ? &shape : &TN__UNKNOWN_SHAPE);
    tn__variable *v = x ? tn__alloc_zeroed(1, sizeof *v) : NULL;
    if (!v) {
        tn__release(x);
        return TN_RESOURCE_EXHAUSTED;
    }
    x->form = TN__VARIABLE;
    x->of.variable = v;
    v->trainable = spec->trainable;
    v->explicit_name = spec->explicit_name;
    if (!copy_text(&v->name, spec->name ? spec->name : "Variable") || !copy_text(&v->scope, spec->scope ? spec->scope : "") ||
        !copy_text(&v->here, spec->here) || !copy_text(&v->constraint, spec->constraint) ||
        (spec->value && tn__variable_assign(x, spec->value) != TN_OK)) {
        tn__release(x);
        return tn__errors()->status;
    }
    *out = x;
    return TN_OK;
}

const char *tn__variable_full_name(const tn_tensor *variable)
{
    const char *name = tn__hooks.full_name(variable);
    return name ? name : variable->of.variable->name;
}

static tn_status uninitialised(const tn_tensor *variable)
{
    const char *here = variable->of.variable->here;
    return tn__fail(TN_FAILED_PRECONDITION,
                    "Attempting to use uninitialized value %s\nmade at %s\nfirst run its initializer in this session, "
                    "tn_run_operation(session, tn_global_variables_initializer()), or restore it",
                    tn__variable_full_name(variable), here ? here : "an unknown line");
}

tn_status tn__variable_read(tn_tensor *variable, tn_tensor **value)
{
    *value = NULL;
    TN_TRY(tn__cell_of(variable, &variable));
    tn__variable *v = variable->of.variable;
    lock(v);
    *value = tn__retain(v->value);
    unlock(v);
    return *value ? TN_OK : uninitialised(variable);
}

tn_status tn__variable_initialized(tn_tensor *variable, bool *initialized)
{
    TN_TRY(tn__cell_of(variable, &variable));
    tn__variable *v = variable->of.variable;
    lock(v);
    *initialized = v->value != NULL;
    unlock(v);
    return TN_OK;
}

void tn__variable_clear(tn_tensor *variable)
{
    tn_tensor **value = &variable->of.variable->value;
    tn__release(*value);
    *value = NULL;
}

tn_status tn__variable_refuse(const tn_tensor *variable, const tn_tensor *value)
{
    const tn__variable *v = variable->of.variable;
    const char *name = tn__variable_full_name(variable), *here = v->here ? v->here : "an unknown line";
    if (value->dtype != variable->dtype)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Tensor conversion requested dtype %s for Tensor with dtype %s: %s\nvariable '%s' made at %s; tn_cast(x, dtype) converts",
                        tn__dtype_name((tn_dtype)variable->dtype), tn__dtype_name((tn_dtype)value->dtype), TN__TENSOR(value), name, here);
    if (v->owner)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "The shape of the target variable and the shape of the target value in `variable.assign(value)` must match. "
                        "variable.shape=%s, Received: value.shape=%s. Target variable: %s\nmade at %s",
                        TN__SHAPE(variable->shape), TN__SHAPE(value->shape), name, here);
    return tn__fail(TN_INVALID_ARGUMENT,
                    "Cannot assign value to variable ' %s:0': Shape mismatch.The variable shape %s, and the assigned value shape %s are "
                    "incompatible.\nvariable '%s' made at %s\nit keeps its shape; one that is made with .shape = TN_SHAPE(TN_NONE) takes any size",
                    name, TN__SHAPE(variable->shape), TN__SHAPE(value->shape), name, here);
}

static bool can_copy_into(const tn_tensor *old, const tn_tensor *value)
{
    return old && value->placed && tn__tensor_unique(old) && tn__shape_equal(&old->shape, &value->shape);
}

/* A value is shared; but the elements of one that is placed go where the old ones are, or are copied. */
tn_status tn__variable_assign(tn_tensor *variable, tn_tensor *value)
{
    if (value->dtype != variable->dtype || !tn__shape_fits(&variable->shape, &value->shape))
        return tn__variable_refuse(variable, value);
    TN_TRY(tn__cell_of(variable, &variable));
    tn__variable *v = variable->of.variable;
    lock(v);
    bool copied = can_copy_into(v->value, value);
    if (copied && tn__byte_count(value))
        memcpy(v->value->data, value->data, tn__byte_count(value));
    unlock(v);
    if (copied)
        return TN_OK;
    if (value->placed)
        TN_TRY(tn__tensor_copy((tn_dtype)value->dtype, &value->shape, value->data, &value));
    else
        tn__retain(value);
    lock(v);
    tn_tensor *old = v->value;
    v->value = value;
    unlock(v);
    tn__release(old);
    return TN_OK;
}

/* What the new value is written into: the old one, or one like it. */
static tn_status room_for_change(tn_tensor *old, tn_tensor **value)
{
    if (!tn__tensor_unique(old))
        return tn__tensor_new((tn_dtype)old->dtype, &old->shape, value);
    *value = tn__retain(old);
    return TN_OK;
}

/* Whoever locks several does so in the order of their addresses, so that no two wait for each other. */
static void settle_turns(tn__change *each, size_t count)
{
    for (size_t i = 0; i < count; i++)
        each[i].turn = &each[i];
    size_t gap = 1;
    while (gap < count / 3)
        gap = gap * 3 + 1;
    for (; gap > 0; gap /= 3)
        for (size_t i = gap; i < count; i++) {
            tn__change *moved = each[i].turn;
            size_t k = i;
            for (; k >= gap && (uintptr_t)each[k - gap].turn->variable > (uintptr_t)moved->variable; k -= gap)
                each[k].turn = each[k - gap].turn;
            each[k].turn = moved;
        }
}

static tn_status room_for_changes(tn__change *each, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        each[i].old = each[i].variable->of.variable->value;
        if (!each[i].old)
            return uninitialised(each[i].variable);
        TN_TRY(room_for_change(each[i].old, &each[i].value));
    }
    return TN_OK;
}

tn_status tn__variables_change(tn__change *each, size_t count, tn_status (*change)(void *self), void *self)
{
    for (size_t i = 0; i < count; i++) {
        TN_TRY(tn__cell_of(each[i].variable, &each[i].variable));
        each[i].old = each[i].value = NULL;
    }
    settle_turns(each, count);
    for (size_t i = 1; i < count; i++)
        if (each[i].turn->variable == each[i - 1].turn->variable)
            return tn__fail(TN_INVALID_ARGUMENT, "variable '%s' cannot be changed twice in one step",
                            tn__variable_full_name(each[i].turn->variable));
    for (size_t i = 0; i < count; i++)
        lock(each[i].turn->variable->of.variable);
    tn_status status = room_for_changes(each, count);
    if (status == TN_OK)
        status = change(self);
    for (size_t i = 0; i < count; i++) {
        tn__variable *v = each[i].variable->of.variable;
        if (status == TN_OK)
            v->value = each[i].value;
        unlock(v);
        tn__release(status == TN_OK ? each[i].old : each[i].value);
    }
    return status;
}

typedef struct {
    tn__change one;
    tn_status (*change)(void *self, tn_tensor *old, tn_tensor *value);
    void *self;
} single;

static tn_status change_single(void *self)
{
    const single *s = self;
    return s->change(s->self, s->one.old, s->one.value);
}

tn_status tn__variable_change(tn_tensor *variable, tn_status (*change)(void *self, tn_tensor *old, tn_tensor *value), void *self)
{
    single s = { { .variable = variable }, change, self };
    return tn__variables_change(&s.one, 1, change_single, &s);
}
