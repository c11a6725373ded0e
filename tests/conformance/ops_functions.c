/* ops_functions.c - which public function stands for which of TensorFlow's: ops_functions.def, and
 * what its rows need. */
#include "conformance/ops.h"
#include "nn/config.h"
#include "tenon/gradient.h"
#include "tenon/image.h"
#include "ops/ops.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static tn_list one(tn_tensor *x)
{
    return x ? tn_list_of(1, &x) : (tn_list){ 0, NULL };
}

/* One number for each spatial axis out of one, of one an axis, or of one a dimension. */
static void spatial(const op_call *c, const char *name, int count, int64_t to[3])
{
    int64_t all[8];
    size_t given = wholes(c, name, all, 8);
    bool whole_rank = given == (size_t)count + 2;
    const char *format = word(c, "data_format", "N...C");
    for (int i = 0; i < 3 && given; i++) {
        size_t at = given == 1 ? 0 : (size_t)i + (whole_rank ? format[1] == 'C' ? 2 : 1 : 0);
        to[i] = i < count ? all[at] : 0;
    }
}

/* Explicit paddings as Python has them: a pair for each dimension. */
static const char *padding(const op_call *c, int64_t to[4])
{
    int64_t all[8];
    if (!json_is_array(json_object_get(c->attrs, "padding")))
        return word(c, "padding", NULL);
    wholes(c, "padding", all, 8);
    memcpy(to, all + (strcmp(word(c, "data_format", "NHWC"), "NCHW") == 0 ? 4 : 2), 4 * sizeof *to);
    return "EXPLICIT";
}

static tn_tensor *convolve(const op_call *c, tn_tensor *(*f)(const tn_nn_conv_options *), int axes)
{
    tn_nn_conv_options o = { .size_ = sizeof o, .input = in(c, 0), .filters = in(c, 1) };
    spatial(c, given(c, "stride") ? "stride" : "strides", axes, o.strides);
    spatial(c, "dilations", axes, o.dilations);
    o.padding = padding(c, o.explicit_paddings);
    o.data_format = word(c, "data_format", NULL);
    return f(&o);
}

static tn_tensor *resized(const op_call *c)
{
    tn_image_resize_options o = { .size_ = sizeof o, .images = in(c, 0) };
    wholes(c, "size", o.size, 2);
    o.method = word(c, "method", "bilinear");
    o.antialias = flag(c, "antialias", false);
    o.preserve_aspect_ratio = flag(c, "preserve_aspect_ratio", false);
    return tn_image_resize_with(&o);
}

/* Older TensorFlow's, which takes the corner of a place and not its middle. */
static tn_tensor *nearest(const op_call *c)
{
    const struct {
        tn_flag align_corners, half_pixel_centers;
    } attrs = { false, false };
    int64_t size[2];
    wholes(c, "size", size, 2);
    return TN__APPLY(tn__op_ResizeNearestNeighbor, &attrs, in(c, 0), tn__ints(size, 2));
}

static tn_tensor *transposed(const op_call *c,
                             tn_tensor *(*f)(const tn_nn_conv_transpose_options *), int axes)
{
    tn_nn_conv_transpose_options o = { .size_ = sizeof o,
                                       .input = in(c, 0),
                                       .filters = in(c, 1),
                                       .output_shape = shape(c, "output_shape"),
                                       .padding = word(c, "padding", "SAME"),
                                       .data_format = word(c, "data_format", NULL) };
    spatial(c, "strides", axes, o.strides);
    spatial(c, "dilations", axes, o.dilations);
    return f(&o);
}

static tn_tensor *pool(const op_call *c, tn_tensor *(*f)(const tn_nn_pool_options *), int axes)
{
    tn_nn_pool_options o = { .size_ = sizeof o, .input = in(c, 0) };
    spatial(c, "ksize", axes, o.ksize);
    spatial(c, "strides", axes, o.strides);
    o.padding = padding(c, o.explicit_paddings);
    o.data_format = word(c, "data_format", NULL);
    return f(&o);
}

static tn_tensor *separable(const op_call *c)
{
    tn_nn_separable_conv2d_options o = { .size_ = sizeof o,
                                         .input = in(c, 0),
                                         .depthwise_filter = in(c, 1),
                                         .pointwise_filter = in(c, 2),
                                         .padding = word(c, "padding", NULL),
                                         .data_format = word(c, "data_format", NULL) };
    spatial(c, "strides", 2, o.strides);
    spatial(c, "dilations", 2, o.dilations);
    return tn_nn_separable_conv2d_with(&o);
}

static tn_list pool_with_argmax(const op_call *c)
{
    tn_nn_max_pool_with_argmax_options o = { .size_ = sizeof o,
                                             .input = in(c, 0),
                                             .padding = word(c, "padding", NULL),
                                             .output_dtype = dtype(c, "output_dtype", TN_INT64),
                                             .include_batch_in_index =
                                                 flag(c, "include_batch_in_index", false) };
    spatial(c, "ksize", 2, o.ksize);
    spatial(c, "strides", 2, o.strides);
    return tn_nn_max_pool_with_argmax_with(&o);
}

static tn_tensor *patches(const op_call *c)
{
    tn_image_extract_patches_options o = { .size_ = sizeof o,
                                           .images = in(c, 0),
                                           .padding = word(c, "padding", NULL) };
    spatial(c, "sizes", 2, o.sizes);
    spatial(c, "strides", 2, o.strides);
    spatial(c, "rates", 2, o.rates);
    return tn_image_extract_patches_with(&o);
}

static tn_tensor *to_batch(const op_call *c)
{
    tn_space_to_batch_options o = { .size_ = sizeof o,
                                    .input = in(c, 0),
                                    .block_shape = shape(c, "block_shape") };
    wholes(c, "paddings", o.paddings[0], sizeof o.paddings / sizeof **o.paddings);
    return tn_space_to_batch_with(&o);
}

static tn_tensor *to_space(const op_call *c)
{
    tn_batch_to_space_options o = { .size_ = sizeof o,
                                    .input = in(c, 0),
                                    .block_shape = shape(c, "block_shape") };
    wholes(c, "crops", o.crops[0], sizeof o.crops / sizeof **o.crops);
    return tn_batch_to_space_with(&o);
}

static tn_tensor *padded(const op_call *c)
{
    tn_pad_options o = { .size_ = sizeof o,
                         .tensor = in(c, 0),
                         .mode = word(c, "mode", "CONSTANT"),
                         .constant_values = real(c, "constant_values", 0) };
    wholes(c, "paddings", o.paddings[0], sizeof o.paddings / sizeof **o.paddings);
    return tn_pad_with(&o);
}

/* axes: two lists, or the number of a's last and b's first. */
static tn_tensor *contracted(const op_call *c)
{
    int64_t all[2 * TN_MAX_RANK];
    tn_axes a = { .count = 0 }, b = { .count = 0 };
    int count = (int)wholes(c, "axes", all, 2 * TN_MAX_RANK);
    bool number = json_is_integer(json_object_get(c->attrs, "axes"));
    a.count = b.count = number ? (int)all[0] : count / 2;
    for (int i = 0; i < a.count; i++) {
        a.axis[i] = number ? i - a.count : (int)all[i];
        b.axis[i] = number ? i : (int)all[a.count + i];
    }
    return tn_tensordot(in(c, 0), in(c, 1), a, b);
}

static tn_list split(const op_call *c)
{
    int64_t sizes[16];
    int axis = (int)whole(c, "axis", 0);
    if (json_is_integer(json_object_get(c->attrs, "num_or_size_splits")))
        return tn_split(in(c, 0), whole(c, "num_or_size_splits", 0), axis);
    size_t count = wholes(c, "num_or_size_splits", sizes, 16);
    return tn_split_sizes(in(c, 0), count, sizes, axis);
}

/* --- Python's x[1::2, :, tf.newaxis, 0] ------------------------------------------------------- */
static bool bound(const char **at, int64_t *value)
{
    char *end;
    *value = strtoll(*at, &end, 10);
    bool there = end != *at;
    *at = end;
    return there;
}

static void slice_entry(const char *at, tn_strided_slice_options *o)
{
    int i = o->begin.rank++;
    int64_t bit = (int64_t)1 << i;
    at += strspn(at, " ");
    o->end.rank = o->strides.rank = o->begin.rank;
    o->strides.dims[i] = 1;
    if (strncmp(at, "...", 3) == 0)
        o->ellipsis_mask |= bit;
    else if (strncmp(at, "tf.newaxis", 10) == 0)
        o->new_axis_mask |= bit;
    else if (!strpbrk(at, ":"))
        o->shrink_axis_mask |= bit, bound(&at, &o->begin.dims[i]),
            o->end.dims[i] = o->begin.dims[i] + 1;
    else {
        o->begin_mask |= bound(&at, &o->begin.dims[i]) ? 0 : bit;
        at++;
        o->end_mask |= bound(&at, &o->end.dims[i]) ? 0 : bit;
        if (*at == ':' && (at++, !bound(&at, &o->strides.dims[i])))
            o->strides.dims[i] = 1;
    }
}

static tn_tensor *sliced(const op_call *c)
{
    char spec[128], *rest = spec;
    tn_strided_slice_options o = { .size_ = sizeof o, .input = in(c, 0) };
    o.begin.known = o.end.known = o.strides.known = 1;
    snprintf(spec, sizeof spec, "%s", word(c, "spec", "[]") + 1);
    spec[strcspn(spec, "]")] = 0;
    for (char *entry; (entry = strsep(&rest, ","));)
        slice_entry(entry, &o);
    return tn_strided_slice_with(&o);
}

/* --- the gradients of gradients --------------------------------------------------------------- */
/* x, f'(x) of the sum of tanh(x)^3, and the derivative of the sum of its squares. */
static tn_list second_order(tn_tensor *x)
{
    tn_tape *outer = tn_gradient_tape();
    tn_watch(outer, x);
    tn_tape *inner = tn_gradient_tape();
    tn_watch(inner, x);
    tn_tensor *y = tn_reduce_sum(tn_pow(tn_tanh(x), tn_scalar(3.0)));
    tn_tensor *first = tn_gradient_of(inner, y, x);
    tn_tensor *second = tn_gradient_of(outer, tn_reduce_sum(tn_square(first)), x);
    return TN_LIST(first, second);
}

/* What tf.custom_gradient's case says: y = x, and a gradient that is clipped. */
static tn_tensor *same_as_input(void *self, tn_list inputs)
{
    (void)self;
    return tn_identity(tn_at(inputs, 0));
}

static tn_tensor *clipped_gradient(void *self, tn_list all)
{
    (void)self;
    return tn_clip_by_value(tn_at(all, 2), tn_scalar(-0.1), tn_scalar(0.1));
}

/* What tf.while_loop's case says: five times v = 1.1 v + sin v. */
static tn_tensor *below_five(void *self, tn_list variables)
{
    (void)self;
    return tn_less(tn_at(variables, 0), tn_scalar(5));
}

static tn_tensor *next_round(void *self, tn_list variables)
{
    (void)self;
    tn_tensor *i = tn_at(variables, 0), *v = tn_at(variables, 1);
    return tn_tuple(tn_add(i, tn_scalar(1)), tn_add(tn_multiply(v, tn_scalar(1.1)), tn_sin(v)));
}

static tn_tensor *five_rounds(tn_tensor *v)
{
    tn_tensor *zero = tn_zeros(TN_SCALAR, TN_INT32);
    return tn_item(tn_while_loop(below_five, next_round, NULL, TN_LIST(zero, v)), 1);
}

/* What the cases of tf.map_fn and tf.scan say: sum(q) q of each row, and a 0.5 + b. */
static tn_tensor *row_by_its_sum(void *self, tn_list row)
{
    (void)self;
    return tn_multiply(tn_reduce_sum(tn_at(row, 0)), tn_at(row, 0));
}

static tn_tensor *half_and_next(void *self, tn_list both)
{
    (void)self;
    return tn_add(tn_multiply(tn_at(both, 0), tn_scalar(0.5)), tn_at(both, 1));
}

static tn_tensor *jacobian_of_softmax(tn_tensor *x)
{
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    return tn_jacobian(tape, tn_nn_softmax(x, -1), x);
}

/* --- the table -------------------------------------------------------------------------------- */
#define NAME_OF_ROW TN_PASTE(row_, __LINE__)
#define ONE(api, ...)                            \
    static tn_list NAME_OF_ROW(const op_call *c) \
    {                                            \
        return one(__VA_ARGS__);                 \
    }
#define MANY(api, ...)                           \
    static tn_list NAME_OF_ROW(const op_call *c) \
    {                                            \
        return __VA_ARGS__;                      \
    }
#include "conformance/ops_functions.def"
#undef ONE
#undef MANY

#define ONE(api, ...) { api, NAME_OF_ROW },
#define MANY(api, ...) ONE(api)
static const struct {
    const char *api;
    tn_list (*run)(const op_call *c);
} rows[] = {
#include "conformance/ops_functions.def"
};

tn_list (*function_of(const char *api))(const op_call *c)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].api, api) == 0)
            return rows[i].run;
    return NULL;
}
