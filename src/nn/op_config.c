/* op_config.c - ops that stand directly in a functional model, in Keras 3's words.
 *
 * Keras writes keras.ops.add(x, 2) among the layers, as "Add" of "keras.src.ops.numpy". Tensors and
 * numbers are the arguments of its one call; axes and the like are its config. Here it is a node of
 * one of TensorFlow's ops, so that reading is calling ours, and writing is a row for each op. */
#include "nn/op_config.h"
#include "ops/ops.h"
#include "ops/slice.h"
#include "runtime/graph.h"
#include <stdio.h>
#include <string.h>

/* A call as the file says it. */
typedef struct {
    const char *class;
    const json_t *config, *args;
    tn_tensor *const *tensor; /* those in args, in order */
    size_t count;
} said;

/* A node on its way out. */
typedef struct {
    const tn__node *node;
    json_t *config, *args;
    tn__write_tensor *tensor;
    const void *self;
} saying;

typedef struct {
    const char *class, *module;
    const char *op;   /* the nodes that are written so; NULL: another row writes them */
    const char *keys; /* of its config, besides the name */
    tn_tensor *(*unary)(tn_tensor *x);
    tn_tensor *(*binary)(tn_tensor *x, tn_tensor *y);
    tn_tensor *(*read)(const said *s); /* what is neither */
    tn_status (*write)(saying *s);     /* NULL: the inputs are the arguments, and that is all */
} row;

static tn_status fail_saying(const saying *s, const char *why)
{
    return tn__fail(TN_UNIMPLEMENTED,
                    "op %s stands directly in a functional model, which files cannot say: %s\n"
                    "put it into a layer class's call, and the layer into the model",
                    s->node->op->name, why);
}

static tn_tensor *fail_said(const said *s, const char *why)
{
    tn__fail(TN_UNIMPLEMENTED, "the file's keras.ops %s: %s", s->class, why);
    return NULL;
}

/* --- numbers beside tensors ------------------------------------------------------------------- */
static bool is_tensor(const json_t *json)
{
    const char *class = tn__json_text(json, "class_name");
    return class && strcmp(class, "__keras_tensor__") == 0;
}

static bool is_number(const json_t *json)
{
    double ignored;
    return tn__number_from_json(json, &ignored);
}

static bool is_float(const tn_tensor *x)
{
    return tn__in(TN__FLOATS, (tn_dtype)x->dtype);
}

/* A number takes the dtype of the tensor beside it, unless it has a fraction and that has none. */
static tn_tensor *number_beside(const json_t *number, tn_tensor **other)
{
    double value;
    bool known = tn__number_from_json(number, &value);
    if (known && !json_is_integer(number) && !is_float(*other))
        *other = tn_cast(*other, TN_FLOAT32);
    return known && *other ? tn__like(*other, value) : NULL;
}

static tn_tensor *two_sides(const row *r, const said *s)
{
    const json_t *a = json_array_get(s->args, 0), *b = json_array_get(s->args, 1);
    bool left = is_tensor(a), right = is_tensor(b);
    if (json_array_size(s->args) != 2 || s->count != (size_t)(left + right) || s->count == 0 ||
        !(left || is_number(a)) || !(right || is_number(b)))
        return fail_said(s, "its arguments are not two tensors, or one and a number");
    tn_tensor *x = left ? s->tensor[0] : NULL, *y = right ? s->tensor[s->count - 1] : NULL;
    x = x ? x : number_beside(a, &y);
    y = y ? y : number_beside(b, &x);
    if (!x || !y)
        return NULL;
    if (is_float(x) && !is_float(y))
        y = tn_cast(y, (tn_dtype)x->dtype);
    if (is_float(y) && !is_float(x))
        x = tn_cast(x, (tn_dtype)y->dtype);
    return r->binary(x, y);
}

static json_t *argument(const saying *s, const tn_tensor *x)
{
    if (x->form == TN__SYMBOLIC)
        return s->tensor(s->self, x);
    if (x->form != TN__VALUE || x->shape.rank != 0 || x->dtype == TN_BOOL) {
        (void)!fail_saying(s, "one of its inputs is neither a tensor of the model nor a number");
        return NULL;
    }
    return is_float(x) ? tn__number_to_json(tn__double_at(x, 0)) : json_integer(tn__int_at(x, 0));
}

static tn_status say_inputs(saying *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tn__json_append(s->args, argument(s, s->node->input[i]));
    return tn__errors()->status;
}

/* Keras takes those tensors as one list. */
static tn_status say_list(saying *s, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        tn__json_append(list, argument(s, s->node->input[i]));
    tn__json_append(s->args, list);
    return tn__errors()->status;
}

/* --- whole numbers: axes, shapes -------------------------------------------------------------- */
static bool read_ints(const json_t *json, int64_t *values, size_t *count)
{
    bool list = json_is_array(json);
    *count = list ? json_array_size(json) : json_is_integer(json);
    for (size_t i = 0; i < *count && *count <= TN_MAX_RANK; i++) {
        const json_t *one = list ? json_array_get(json, i) : json;
        if (!json_is_integer(one))
            return false;
        values[i] = json_integer_value(one);
    }
    return *count <= TN_MAX_RANK && (list || *count || json_is_null(json) || !json);
}

static bool read_axes(const said *s, const char *key, tn_axes *axes)
{
    int64_t values[TN_MAX_RANK];
    size_t count;
    *axes = (tn_axes){ 0 };
    if (!read_ints(json_object_get(s->config, key), values, &count)) {
        (void)fail_said(s, "its axes are not whole numbers");
        return false;
    }
    for (size_t i = 0; i < count; i++)
        axes->axis[axes->count++] = (int)values[i];
    return true;
}

static bool read_axis(const said *s, int *axis)
{
    tn_axes axes;
    if (!read_axes(s, "axis", &axes))
        return false;
    *axis = axes.axis[0];
    if (axes.count == 1)
        return true;
    (void)fail_said(s, "its axis is not one whole number");
    return false;
}

static json_t *ints_json(const int64_t *values, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        tn__json_append(list, json_integer(values[i]));
    return list;
}

/* An input that is known numbers, as a list, or its first number. */
static tn_status say_ints(saying *s, const char *key, size_t input, bool single)
{
    int64_t values[TN__MOST_KNOWN];
    size_t count;
    if (!tn__known_ints(s->node->input[input], values, &count) || (single && count != 1))
        return fail_saying(s, "its shape or axes are known only when it runs");
    return tn__json_set(s->config, key,
                        single ? json_integer(values[0]) : ints_json(values, count));
}

static const void *attribute(const saying *s, const char *name)
{
    return (const char *)s->node->attrs + tn__field_find(s->node->op->attrs, name)->offset;
}

/* Keras's quotient of whole numbers is a float32. */
static tn_tensor *divide(tn_tensor *x, tn_tensor *y)
{
    return is_float(x) ? tn_divide(x, y)
                       : tn_divide(tn_cast(x, TN_FLOAT32), tn_cast(y, TN_FLOAT32));
}

/* --- one op after the other ------------------------------------------------------------------- */
typedef tn_tensor *reduction(const tn_reduce_options *options);

static tn_tensor *reduce(const said *s, reduction *f)
{
    tn_reduce_options o = { .size_ = sizeof o, .input = s->tensor[0] };
    o.keepdims = json_is_true(json_object_get(s->config, "keepdims"));
    return read_axes(s, "axis", &o.axis) ? f(&o) : NULL;
}

static tn_tensor *read_sum(const said *s)
{
    return reduce(s, tn_reduce_sum_with);
}
static tn_tensor *read_max(const said *s)
{
    return reduce(s, tn_reduce_max_with);
}
static tn_tensor *read_min(const said *s)
{
    return reduce(s, tn_reduce_min_with);
}

/* Keras's mean of whole numbers is a float. */
static tn_tensor *read_mean(const said *s)
{
    tn_tensor *x = is_float(s->tensor[0]) ? s->tensor[0] : tn_cast(s->tensor[0], TN_FLOAT32);
    said floats = *s;
    floats.tensor = &x;
    return x ? reduce(&floats, tn_reduce_mean_with) : NULL;
}

static tn_status write_reduction(saying *s)
{
    const tn_flag *keep = attribute(s, "keep_dims");
    TN_TRY(say_inputs(s, 1));
    TN_TRY(say_ints(s, "axis", 1, false));
    return tn__json_set(s->config, "keepdims", json_boolean(*keep));
}

static tn_tensor *read_softmax(const said *s)
{
    int axis;
    return read_axis(s, &axis) ? tn_nn_softmax(s->tensor[0], axis) : NULL;
}

static tn_status write_softmax(saying *s)
{
    TN_TRY(say_inputs(s, 1));
    return tn__json_set(s->config, "axis", json_integer(-1));
}

static tn_tensor *multiply_matrices(tn_tensor *a, tn_tensor *b)
{
    return tn_matmul_with(
        &(tn_matmul_options){ .size_ = sizeof(tn_matmul_options), .a = a, .b = b });
}

static tn_status write_matmul(saying *s)
{
    bool plain = strcmp(s->node->op->name, "MatMul") == 0;
    const tn_flag *a = attribute(s, plain ? "transpose_a" : "adj_x"),
                  *b = attribute(s, plain ? "transpose_b" : "adj_y");
    return *a || *b ? fail_saying(s, "keras.ops.matmul transposes neither side") : say_inputs(s, 2);
}

static tn_tensor *read_reshape(const said *s)
{
    int64_t values[TN_MAX_RANK];
    size_t count;
    const json_t *wanted = json_object_get(s->config, "newshape");
    if (!json_is_array(wanted) || !read_ints(wanted, values, &count))
        return fail_said(s, "its newshape is not a list of whole numbers");
    tn_shape shape = { 1, (int)count, { 0 } };
    memcpy(shape.dims, values, count * sizeof *values);
    return tn_reshape(s->tensor[0], shape);
}

static tn_status write_reshape(saying *s)
{
    TN_TRY(say_inputs(s, 1));
    return say_ints(s, "newshape", 1, false);
}

static tn_tensor *read_transpose(const said *s)
{
    tn_axes axes;
    return read_axes(s, "axes", &axes) ? tn_transpose(s->tensor[0], axes) : NULL;
}

static tn_status write_transpose(saying *s)
{
    TN_TRY(say_inputs(s, 1));
    return say_ints(s, "axes", 1, false);
}

static tn_tensor *read_expand_dims(const said *s)
{
    int axis;
    return read_axis(s, &axis) ? tn_expand_dims(s->tensor[0], axis) : NULL;
}

static tn_status write_expand_dims(saying *s)
{
    TN_TRY(say_inputs(s, 1));
    return say_ints(s, "axis", 1, true);
}

/* Without axes those known to be 1, as the shape that Keras writes says; not the batch when it is.
 */
static tn_tensor *read_squeeze(const said *s)
{
    tn_axes axes;
    const tn_shape *shape = &s->tensor[0]->shape;
    if (!read_axes(s, "axis", &axes))
        return NULL;
    if (axes.count > 0)
        return tn_squeeze(s->tensor[0], axes);
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] == 1)
            axes.axis[axes.count++] = i;
    return axes.count ? tn_squeeze(s->tensor[0], axes) : s->tensor[0];
}

static tn_status write_squeeze(saying *s)
{
    const tn_axes *axes = attribute(s, "squeeze_dims");
    if (axes->count == 0)
        return fail_saying(s, "keras.ops.squeeze without axes is another");
    json_t *list = json_array();
    for (int i = 0; i < axes->count; i++)
        tn__json_append(list, json_integer(axes->axis[i]));
    TN_TRY(tn__json_set(s->config, "axis", list));
    return say_inputs(s, 1);
}

static tn_tensor *read_cast(const said *s)
{
    const char *name = tn__json_text(s->config, "dtype");
    tn_dtype dtype = name ? tn__dtype_of_name(name) : (tn_dtype)0;
    return dtype ? tn_cast(s->tensor[0], dtype) : fail_said(s, "its dtype is none of ours");
}

static tn_status write_cast(saying *s)
{
    const tn_dtype *dtype = attribute(s, "DstT");
    TN_TRY(tn__json_set(s->config, "dtype", json_string(tn__dtype_name(*dtype))));
    return say_inputs(s, 1);
}

static tn_tensor *read_concatenate(const said *s)
{
    int axis;
    tn_list all = { s->count, (tn_tensor **)(uintptr_t)s->tensor };
    return read_axis(s, &axis) ? tn_concat(all, axis) : NULL;
}

static tn_status write_concatenate(saying *s)
{
    TN_TRY(say_list(s, s->node->input_count - 1));
    return say_ints(s, "axis", s->node->input_count - 1, true);
}

static tn_tensor *read_stack(const said *s)
{
    int axis;
    tn_list all = { s->count, (tn_tensor **)(uintptr_t)s->tensor };
    return read_axis(s, &axis) ? tn_stack(all, axis) : NULL;
}

static tn_status write_stack(saying *s)
{
    const int64_t *axis = attribute(s, "axis");
    TN_TRY(tn__json_set(s->config, "axis", json_integer(*axis)));
    return say_list(s, s->node->input_count);
}

/* --- x[1:, ..., None] ------------------------------------------------------------------------- */
static int64_t place_or(const json_t *slice, const char *key, int64_t other, bool *given)
{
    const json_t *place = json_object_get(json_object_get(slice, "config"), key);
    *given = json_is_integer(place);
    return *given ? json_integer_value(place) : other;
}

/* One entry between the brackets; false: it is none that is known. */
static bool read_entry(const json_t *entry, int i, tn_strided_slice_options *o)
{
    const char *class = tn__json_text(entry, "class_name");
    const int64_t bit = INT64_C(1) << i;
    bool begins, ends, steps;
    o->begin.dims[i] = json_integer_value(entry);
    o->end.dims[i] = o->begin.dims[i] + (o->begin.dims[i] < INT64_MAX);
    o->strides.dims[i] = 1;
    o->shrink_axis_mask |= json_is_integer(entry) ? bit : 0;
    o->new_axis_mask |= json_is_null(entry) ? bit : 0;
    if (!class)
        return json_is_integer(entry) || json_is_null(entry);
    if (strcmp(class, "__ellipsis__") == 0)
        o->ellipsis_mask |= bit;
    if (strcmp(class, "__slice__") != 0)
        return o->ellipsis_mask & bit;
    o->begin.dims[i] = place_or(entry, "start", 0, &begins);
    o->end.dims[i] = place_or(entry, "stop", 0, &ends);
    o->strides.dims[i] = place_or(entry, "step", 1, &steps);
    o->begin_mask |= begins ? 0 : bit;
    o->end_mask |= ends ? 0 : bit;
    return true;
}

static tn_tensor *read_get_item(const said *s)
{
    const json_t *key = json_array_get(s->args, 1);
    size_t count = json_is_array(key) ? json_array_size(key) : 1;
    tn_strided_slice_options o = { .size_ = sizeof o, .input = s->tensor[0] };
    if (s->count != 1 || json_array_size(s->args) != 2 || count > TN_MAX_RANK)
        return fail_said(s, "what stands between its brackets is not known here");
    o.begin = o.end = o.strides = (tn_shape){ 1, (int)count, { 0 } };
    for (size_t i = 0; i < count; i++)
        if (!read_entry(json_is_array(key) ? json_array_get(key, i) : key, (int)i, &o))
            return fail_said(s, "what stands between its brackets is not known here");
    return tn_strided_slice_with(&o);
}

static json_t *place_json(bool given, int64_t place)
{
    return given ? json_integer(place) : json_null();
}

static json_t *entry_json(const tn__slice_masks *m, int i, int64_t begin, int64_t end, int64_t step)
{
    const int64_t bit = INT64_C(1) << i;
    if (m->ellipsis_mask & bit)
        return json_pack("{s:s, s:{}}", "class_name", "__ellipsis__", "config");
    if (m->new_axis_mask & bit)
        return json_null();
    if (m->shrink_axis_mask & bit)
        return json_integer(begin);
    return json_pack("{s:s, s:{s:o, s:o, s:o}}", "class_name", "__slice__", "config", "start",
                     place_json(!(m->begin_mask & bit), begin), "stop",
                     place_json(!(m->end_mask & bit), end), "step", place_json(step != 1, step));
}

static tn_status write_get_item(saying *s)
{
    int64_t of[3][TN__MOST_KNOWN];
    size_t count = 0;
    for (size_t k = 0; k < 3; k++)
        if (!tn__known_exactly(s->node->input[1 + k], of[k], &count))
            return fail_saying(s, "its places are known only when it runs");
    TN_TRY(say_inputs(s, 1));
    json_t *entries = json_array();
    for (size_t i = 0; i < count; i++)
        tn__json_append(entries, entry_json(s->node->attrs, (int)i, of[0][i], of[1][i], of[2][i]));
    tn__json_append(s->args, entries);
    return tn__errors()->status;
}

/* --- the table -------------------------------------------------------------------------------- */
static const row rows[] = {
    { "Add", "numpy", "AddV2", .binary = tn_add },
    { "Subtract", "numpy", "Sub", .binary = tn_subtract },
    { "Multiply", "numpy", "Mul", .binary = tn_multiply },
    { "Divide", "numpy", "RealDiv", .binary = divide },
    { "TrueDivide", "numpy", .binary = divide },
    { "Power", "numpy", "Pow", .binary = tn_pow },
    { "Maximum", "numpy", "Maximum", .binary = tn_maximum },
    { "Minimum", "numpy", "Minimum", .binary = tn_minimum },
    { "Matmul", "numpy", "MatMul", .binary = multiply_matrices, .write = write_matmul },
    { "Matmul", "numpy", "BatchMatMulV2", .binary = multiply_matrices, .write = write_matmul },
    { "Negative", "numpy", "Neg", .unary = tn_negative },
    { "Absolute", "numpy", "Abs", .unary = tn_abs },
    { "Exp", "numpy", "Exp", .unary = tn_exp },
    { "Log", "numpy", "Log", .unary = tn_log },
    { "Sqrt", "numpy", "Sqrt", .unary = tn_sqrt },
    { "Square", "numpy", "Square", .unary = tn_square },
    { "Sin", "numpy", "Sin", .unary = tn_sin },
    { "Cos", "numpy", "Cos", .unary = tn_cos },
    { "Tanh", "numpy", "Tanh", .unary = tn_tanh },
    { "Relu", "nn", "Relu", .unary = tn_nn_relu },
    { "Sigmoid", "nn", "Sigmoid", .unary = tn_sigmoid },
    { "Softplus", "nn", "Softplus", .unary = tn_softplus },
    { "Softmax", "nn", "Softmax", "axis", .read = read_softmax, .write = write_softmax },
    { "Mean", "numpy", "Mean", "axis|keepdims", .read = read_mean, .write = write_reduction },
    { "Sum", "numpy", "Sum", "axis|keepdims", .read = read_sum, .write = write_reduction },
    { "Max", "numpy", "Max", "axis|keepdims", .read = read_max, .write = write_reduction },
    { "Min", "numpy", "Min", "axis|keepdims", .read = read_min, .write = write_reduction },
    { "Reshape", "numpy", "Reshape", "newshape", .read = read_reshape, .write = write_reshape },
    { "Transpose", "numpy", "Transpose", "axes", .read = read_transpose, .write = write_transpose },
    { "ExpandDims", "numpy", "ExpandDims", "axis", .read = read_expand_dims,
      .write = write_expand_dims },
    { "Squeeze", "numpy", "Squeeze", "axis", .read = read_squeeze, .write = write_squeeze },
    { "Concatenate", "numpy", "ConcatV2", "axis", .read = read_concatenate,
      .write = write_concatenate },
    { "Stack", "numpy", "Pack", "axis", .read = read_stack, .write = write_stack },
    { "GetItem", "numpy", "StridedSlice", .read = read_get_item, .write = write_get_item },
    { "Cast", "core", "Cast", "dtype", .read = read_cast, .write = write_cast },
};
enum { ROWS = sizeof rows / sizeof *rows };

static const row *row_of_class(const json_t *entry)
{
    const char *class = tn__json_text(entry, "class_name");
    for (size_t i = 0; class && i < ROWS; i++)
        if (strcmp(rows[i].class, class) == 0)
            return &rows[i];
    return NULL;
}

static const row *row_of_op(const char *op)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].op && strcmp(rows[i].op, op) == 0)
            return &rows[i];
    return NULL;
}

/* --- in --------------------------------------------------------------------------------------- */
bool tn__may_be_keras_op(const json_t *entry)
{
    const char *module = tn__json_text(entry, "module");
    return module ? strncmp(module, "keras.src.ops", 13) == 0
                  : !json_object_get(json_object_get(entry, "config"), "trainable");
}

bool tn__knows_keras_op(const json_t *entry)
{
    return row_of_class(entry) != NULL;
}

bool tn__is_keras_op(const json_t *entry)
{
    return tn__may_be_keras_op(entry) &&
           (tn__json_text(entry, "module") || row_of_class(entry) != NULL);
}

/* What its config says and we would not do. */
static bool says_more(const row *r, const json_t *config)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)config, key, value)
    {
        bool known = tn__among("name", key) || (r->keys && tn__among(r->keys, key));
        if (!known && !json_is_null(value))
            return true;
    }
    return false;
}

static tn_tensor *call(const row *r, const said *s)
{
    if (s->count == 0 || says_more(r, s->config))
        return fail_said(s, "its arguments are not known here");
    if (r->binary)
        return two_sides(r, s);
    if (r->unary && s->count == 1 && json_array_size(s->args) == 1)
        return r->unary(s->tensor[0]);
    bool fits = json_array_size(s->args) == 1 || r->read == read_get_item;
    return r->read && fits ? r->read(s) : fail_said(s, "its arguments are not known here");
}

tn_status tn__call_keras_op(const json_t *entry, const json_t *node, tn_tensor *const *tensors,
                            size_t count, tn_tensor **result)
{
    const row *r = row_of_class(entry);
    const char *class = tn__json_text(entry, "class_name");
    said s = { class ? class : "?", json_object_get(entry, "config"), json_object_get(node, "args"),
               tensors, count };
    *result = NULL;
    size_t depth = tn__scope_begin("an op of a file");
    if (!r || json_object_size(json_object_get(node, "kwargs")) != 0)
        (void)fail_said(&s, r ? "its arguments are not known here" : "there is no such op here");
    else
        *result = tn__retain(call(r, &s));
    tn__scope_end(depth);
    return *result ? TN_OK : tn__errors()->status;
}

/* --- out -------------------------------------------------------------------------------------- */
static tn_status say(saying *s, const row *r, const char *name)
{
    if (!r)
        return fail_saying(s, "keras.ops has none that is written for it here");
    TN_TRY(tn__json_set(s->config, "name", json_string(name)));
    return r->write ? r->write(s) : say_inputs(s, s->node->input_count);
}

json_t *tn__keras_op_to_json(const tn__node *node, const char *name, tn__write_tensor *tensor,
                             const void *self)
{
    const row *r = row_of_op(node->op->name);
    saying s = { node, json_object(), json_array(), tensor, self };
    char module[32];
    if (!s.config || !s.args || say(&s, r, name) != TN_OK) {
        json_decref(s.config);
        json_decref(s.args);
        tn__fail_memory(0); /* unless it is something else that is kept */
        return NULL;
    }
    snprintf(module, sizeof module, "keras.src.ops.%s", r->module);
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:[{s:o, s:{}}]}", "module", module, "class_name",
                     r->class, "config", s.config, "registered_name", r->class, "name", name,
                     "inbound_nodes", "args", s.args, "kwargs");
}
