/* common.c - what several layers check and compute. */
#include "nn/layers/layers.h"
#include "ops/array.h"
#include "ops/random.h"
#include <string.h>

bool tn__check_axis(const tn_tensor *x, int axis, int64_t size)
{
    int at;
    if (!x)
        return false;
    if (!x->shape.known || !tn__axis(axis, x->shape.rank, &at) || x->shape.dims[at] < 0 ||
        x->shape.dims[at] == size)
        return true;
    tn__fail(TN_INVALID_ARGUMENT,
             "Input 0 with name 'None' of layer '%s' is incompatible with the layer: expected axis "
             "%d of input shape to have value %lld, "
             "but received input with shape %s",
             tn__this_layer()->name, axis, (long long)size, TN__SHAPE(x->shape));
    return false;
}

bool tn__check_ndim(const tn_tensor *x, int rank)
{
    if (x && (!x->shape.known || x->shape.rank != rank))
        tn__fail(TN_INVALID_ARGUMENT,
                 "Input 0 with name 'None' of layer '%s' is incompatible with the layer: expected "
                 "ndim=%d, found ndim=%d. Full shape received: %s",
                 tn__this_layer()->name, rank, x->shape.rank, TN__SHAPE(x->shape));
    return x && x->shape.known && x->shape.rank == rank;
}

bool tn__check_known(const tn_tensor *x)
{
    if (x && !x->shape.known)
        tn__fail(TN_INVALID_ARGUMENT, "%s needs an input of a known rank",
                 tn__layer_print(tn__this_layer()));
    return x && x->shape.known;
}

int64_t tn__known_dim(tn_list inputs, int axis)
{
    const tn_shape *shape = &inputs.item[0]->shape;
    int at;
    if (shape->known && tn__axis(axis, shape->rank, &at) && shape->dims[at] >= 0)
        return shape->dims[at];
    tn__fail(TN_INVALID_ARGUMENT,
             "Axis %d of the inputs to layer '%s' should be defined. Full input shape received: %s",
             axis, tn__this_layer()->name, TN__SHAPE(*shape));
    return 0;
}

tn_tensor *tn__as_float(tn_tensor *x)
{
    return x && !tn__in(TN__FLOATS, (tn_dtype)x->dtype)
               ? tn_cast(x, tn__layer_dtype(tn__this_layer()))
               : x;
}

bool tn__multiply_sizes(int64_t a, int64_t b, const char *what, int64_t *product)
{
    if (!__builtin_mul_overflow(a, b, product))
        return true;
    tn__fail(TN_INVALID_ARGUMENT, "%s: %s=%lld is too large for %lld channels",
             tn__layer_print(tn__this_layer()), what, (long long)b, (long long)a);
    return false;
}

const char *tn__sizes_text(const int64_t *sizes, int axes)
{
    tn__text text = { 0 };
    for (int i = 0; i < axes; i++)
        tn__text_add(&text, "%s%lld", i ? ", " : "(", (long long)sizes[i]);
    tn__text_add(&text, axes == 1 ? ",)" : ")");
    const char *kept = text.failed ? NULL : tn__scope_strdup(tn__text_get(&text));
    tn__text_free(&text);
    return kept ? kept : "(?)";
}

const char *tn__axes_text(const tn_axes *axes)
{
    int64_t values[TN_MAX_RANK];
    for (int i = 0; i < axes->count; i++)
        values[i] = axes->axis[i];
    return tn__sizes_text(values, axes->count);
}

void tn__settle_axes(int64_t *sizes, int axes, const int64_t *not_given)
{
    int64_t behind = 0;
    for (int i = 1; i < axes; i++)
        behind |= sizes[i];
    if (behind == 0 && sizes[0] == 0 && not_given)
        memcpy(sizes, not_given, (size_t)axes * sizeof *sizes);
    for (int i = 1; i < axes && behind == 0 && sizes[i] == 0; i++)
        sizes[i] = sizes[0];
}

/* Without braces the second number is Keras's second argument, and a third is none; two axes have
 * no room for it anyway. */
static void take_bare(int64_t *sizes, int64_t *strides, int axes, const char *what)
{
    const int64_t unsaid = INT64_MIN;
    sizes[3] = 0;
    if (sizes[2] != unsaid && axes < 3)
        return;
    if (sizes[2] != unsaid)
        tn__fail(TN_INVALID_ARGUMENT,
                 "%s: without braces %lld is the %s, %lld the strides, and %lld is neither\n"
                 "several numbers for the axes stand in braces: { %lld, %lld, %lld }",
                 tn__layer_print(tn__this_layer()), (long long)sizes[0], what, (long long)sizes[1],
                 (long long)sizes[2], (long long)sizes[0], (long long)sizes[1],
                 (long long)sizes[2]);
    else if (sizes[1] != unsaid && strides[0] != 0)
        tn__fail(TN_INVALID_ARGUMENT, "%s: the strides are given twice, %lld and %lld",
                 tn__layer_print(tn__this_layer()), (long long)sizes[1], (long long)strides[0]);
    else if (sizes[1] != unsaid)
        strides[0] = sizes[1];
    sizes[0] = sizes[0] == unsaid ? 0 : sizes[0];
    sizes[1] = sizes[2] = 0;
}

void tn__settle_sizes(int64_t *sizes, int64_t *strides, int axes, const char *what)
{
    if (sizes[3] != 0) /* of TN_SIZES_UNSAID, or written over: no braces */
        take_bare(sizes, strides, axes, what);
    for (int i = axes; i < 3; i++)
        if (sizes[i] != 0 || strides[i] != 0)
            tn__fail(TN_INVALID_ARGUMENT,
                     "The `%s` argument must be a tuple of %d integers. Received %s=%s",
                     sizes[i] ? what : "strides", axes, sizes[i] ? what : "strides",
                     tn__sizes_text(sizes[i] ? sizes : strides, 3));
}

static bool has_zero(const int64_t *sizes, int axes)
{
    for (int i = 0; i < axes; i++)
        if (sizes[i] == 0)
            return true;
    return false;
}

/* Their products must fit in 64 bits, and shapes are int32 in ops. */
static bool is_too_large(const int64_t *sizes, int axes, const char *what)
{
    for (int i = 0; i < axes; i++)
        if (sizes[i] > INT32_MAX) {
            tn__fail(TN_INVALID_ARGUMENT, "%s: %s=%s is too large, at most %d",
                     tn__layer_print(tn__this_layer()), what, tn__sizes_text(sizes, axes),
                     INT32_MAX);
            return true;
        }
    return false;
}

static bool has_more_than_one(const int64_t *sizes, int axes)
{
    for (int i = 0; i < axes; i++)
        if (sizes[i] > 1)
            return true;
    return false;
}

void tn__settle_windows(int axes, int64_t *kernel_size, int64_t *strides, int64_t *dilation_rate)
{
    static const int64_t ones[3] = { 1, 1, 1 };
    tn__settle_sizes(kernel_size, strides, axes, "kernel_size");
    tn__settle_axes(kernel_size, axes, NULL);
    tn__settle_axes(strides, axes, ones);
    tn__settle_axes(dilation_rate, axes, ones);
    if (is_too_large(kernel_size, axes, "kernel_size") || is_too_large(strides, axes, "strides") ||
        is_too_large(dilation_rate, axes, "dilation_rate"))
        return;
    if (has_zero(kernel_size, axes))
        tn__fail(TN_INVALID_ARGUMENT,
                 "The argument `kernel_size` cannot contain 0. Received kernel_size=%s.",
                 tn__sizes_text(kernel_size, axes));
    else if (has_zero(strides, axes) || has_zero(dilation_rate, axes))
        tn__fail(
            TN_INVALID_ARGUMENT,
            "The argument `strides` cannot contains 0. Received strides=%s and dilation_rate=%s",
            tn__sizes_text(strides, axes), tn__sizes_text(dilation_rate, axes));
}

void tn__check_strides(int axes, const int64_t *strides, const int64_t *dilation_rate)
{
    if (has_more_than_one(strides, axes) && has_more_than_one(dilation_rate, axes))
        tn__fail(TN_INVALID_ARGUMENT,
                 "`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: "
                 "strides=%s and dilation_rate=%s",
                 tn__sizes_text(strides, axes), tn__sizes_text(dilation_rate, axes));
}

int tn__window_axes(void)
{
    return tn__this_layer()->of->more->least_rank - 2;
}

tn_shape tn__kernel_shape(const int64_t *sizes, int axes, int64_t in, int64_t out)
{
    tn_shape shape = { 1, axes + 2, { 0 } };
    memcpy(shape.dims, sizes, (size_t)axes * sizeof *sizes);
    shape.dims[axes] = in;
    shape.dims[axes + 1] = out;
    return shape;
}

const char *tn__kernel_text(const int64_t *sizes, int axes, int64_t in, int64_t out)
{
    tn_shape shape = tn__kernel_shape(sizes, axes, in, out);
    return tn__scope_print("`kernel shape=%s`", TN__SHAPE(shape));
}

bool tn__channels_first(const char *data_format)
{
    return data_format && strcmp(data_format, "channels_first") == 0;
}

int tn__channels_axis(const char *data_format)
{
    return tn__channels_first(data_format) ? 1 : -1;
}

const char *tn__op_data_format(const char *data_format, int axes)
{
    static const char *const first[] = { "NCW", "NCHW", "NCDHW" }, *const last[] = { "NWC", "NHWC",
                                                                                     "NDHWC" };
    return (tn__channels_first(data_format) ? first : last)[axes - 1];
}

int tn__first_axis(const char *data_format)
{
    return tn__channels_first(data_format) ? 2 : 1;
}

static bool is_same(const char *padding)
{
    return padding && strcmp(padding, "same") == 0;
}

const char *tn__op_padding(const char *padding)
{
    return is_same(padding) ? "SAME" : "VALID";
}

tn_tensor *tn__add_bias(tn_tensor *y, tn_tensor *bias, const char *data_format)
{
    if (!y || !bias)
        return y;
    if (!tn__channels_first(data_format) || !y->shape.known)
        return tn_add(y, bias);
    tn_shape column = { 1, y->shape.rank - 1, { TN_NONE } };
    for (int i = 1; i < column.rank; i++)
        column.dims[i] = 1;
    return tn_add(y, tn_reshape(bias, column));
}

/* Does a window with this dilation reach over so many places? */
static bool is_longer(int64_t window, int64_t dilation, int64_t size)
{
    int64_t reach;
    return __builtin_mul_overflow(window - 1, dilation, &reach) || reach >= size;
}

bool tn__check_windows(const tn_tensor *image, const tn__sliding_window *w)
{
    if (!image || !w->kernel_text)
        return false;
    const tn_shape *shape = &image->shape;
    int first = tn__first_axis(w->data_format);
    if (!shape->known || shape->rank != w->axes + 2 || strcmp(w->padding, "valid") != 0)
        return true;
    for (int i = 0; i < w->axes; i++) {
        if (shape->dims[first + i] < 0 ||
            !is_longer(w->window[i], w->dilation ? w->dilation[i] : 1, shape->dims[first + i]))
            continue;
        const char *dilated = w->dilation ? tn__scope_print("`dilation_rate=%s`, ",
                                                            tn__sizes_text(w->dilation, w->axes))
                                          : "";
        tn__fail(TN_INVALID_ARGUMENT,
                 "Computed output size would be zero or negative. Received `inputs shape=%s`, %s, "
                 "%s`strides=%s`, `padding=valid`.",
                 TN__SHAPE(*shape), w->kernel_text, dilated ? dilated : "",
                 tn__sizes_text(w->strides, w->axes));
        return false;
    }
    return true;
}

tn_dtype tn__wide(tn_dtype dtype)
{
    return dtype == TN_FLOAT64 ? TN_FLOAT64 : TN_FLOAT32;
}

/* x · inv + (beta - mean · inv), inv = gamma / sqrt(variance + epsilon) */
tn_tensor *tn__normalize(tn_tensor *x, tn_tensor *mean, tn_tensor *variance, tn_tensor *gamma,
                         tn_tensor *beta, double epsilon)
{
    if (!variance)
        return NULL;
    tn_tensor *inv = tn_rsqrt(tn_add(variance, tn__like(variance, epsilon)));
    if (gamma)
        inv = tn_multiply(inv, gamma);
    tn_tensor *shift = tn_multiply(mean, inv);
    return tn_add(tn_multiply(x, inv), beta ? tn_subtract(beta, shift) : tn_negative(shift));
}

tn_tensor *tn__l2_normalize(tn_tensor *x, tn_axes axes, double epsilon)
{
    tn_tensor *inv = tn_rsqrt(tn_reduce_sum(tn_square(x), .axis = axes, .keepdims = true));
    return inv ? tn_multiply(x, tn_minimum(inv, tn__like(inv, 1 / epsilon))) : NULL;
}

tn_tensor *tn__no_mask(void *me, tn_list inputs)
{
    (void)me;
    (void)inputs;
    return NULL;
}

/* Elements of a shape from dimension `first` on; TN_NONE when one of them is open. */
static int64_t size_from(const tn_shape *shape, int first)
{
    int64_t size = shape->known ? 1 : TN_NONE;
    for (int i = first; i < shape->rank && size >= 0; i++)
        size = shape->dims[i] < 0 ? TN_NONE : size * shape->dims[i];
    return size;
}

/* The open dimension of a row from the number of its elements, where that is known. */
static void close_row(tn_shape *row, int64_t size)
{
    int open = -1;
    int64_t others = 1;
    for (int i = 0; i < row->rank; i++) {
        if (row->dims[i] == TN_NONE)
            open = i;
        else
            others *= row->dims[i];
    }
    if (open >= 0 && size >= 0 && others > 0 && size % others == 0)
        row->dims[open] = size / others;
}

tn_tensor *tn__reshape_rows(tn_tensor *x, tn_shape row)
{
    if (!x)
        return NULL;
    close_row(&row, size_from(&x->shape, 1));
    int64_t batch = x->shape.known && x->shape.rank > 0 ? x->shape.dims[0] : TN_NONE;
    if (batch >= 0 || size_from(&row, 0) > 0) {
        tn_shape shape = { 1, row.rank + 1, { batch } };
        memcpy(shape.dims + 1, row.dims, (size_t)row.rank * sizeof *row.dims);
        return tn_reshape(x, shape);
    }
    tn_tensor *parts[] = { tn__vector_part(tn__shape_tensor(x), 0, 1),
                           tn__ints(row.dims, (size_t)row.rank) };
    return TN__APPLY(tn__op_Reshape, NULL, x, tn__vector_join(2, parts));
}

tn_tensor *tn__dropout(tn_tensor *x, double rate, tn_shape noise_shape, tn_variable *generator)
{
    if (!x || rate == 0)
        return x;
    if (rate == 1)
        return tn_zeros_like(x);
    tn_tensor *seed = tn__next_seed(generator);
    return tn__stateless_dropout(x, rate, tn__noise_shape(x, &noise_shape), seed);
}
