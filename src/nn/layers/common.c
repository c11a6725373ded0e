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

const char *tn__pair_text(const int64_t pair[2])
{
    const char *text = tn__scope_print("(%lld, %lld)", (long long)pair[0], (long long)pair[1]);
    return text ? text : "(?, ?)";
}

void tn__settle_pair(int64_t pair[2], const int64_t *not_given)
{
    if (pair[0] == 0 && pair[1] == 0 && not_given)
        memcpy(pair, not_given, 2 * sizeof *pair);
    if (pair[1] == 0)
        pair[1] = pair[0];
}

void tn__settle_windows(int64_t kernel_size[2], int64_t strides[2], int64_t dilation_rate[2])
{
    static const int64_t ones[2] = { 1, 1 };
    tn__settle_pair(kernel_size, NULL);
    tn__settle_pair(strides, ones);
    tn__settle_pair(dilation_rate, ones);
    if (kernel_size[0] == 0)
        tn__fail(TN_INVALID_ARGUMENT,
                 "The argument `kernel_size` cannot contain 0. Received kernel_size=%s.",
                 tn__pair_text(kernel_size));
    else if (strides[0] == 0 || dilation_rate[0] == 0)
        tn__fail(
            TN_INVALID_ARGUMENT,
            "The argument `strides` cannot contains 0. Received strides=%s and dilation_rate=%s",
            tn__pair_text(strides), tn__pair_text(dilation_rate));
}

bool tn__channels_first(const char *data_format)
{
    return data_format && strcmp(data_format, "channels_first") == 0;
}

int tn__channels_axis(const char *data_format)
{
    return tn__channels_first(data_format) ? 1 : -1;
}

const char *tn__op_data_format(const char *data_format)
{
    return tn__channels_first(data_format) ? "NCHW" : "NHWC";
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
    if (!bias)
        return y;
    return tn_add(y, tn__channels_first(data_format) ? tn_reshape(bias, TN_SHAPE(TN_NONE, 1, 1))
                                                     : bias);
}

bool tn__check_windows(const tn_tensor *image, const tn__sliding_window *w)
{
    if (!image || !w->kernel_text)
        return false;
    const tn_shape *shape = &image->shape;
    int first = tn__channels_first(w->data_format) ? 2 : 1;
    for (int i = 0; i < 2 && shape->known && shape->rank == 4 && !is_same(w->padding); i++) {
        int64_t dilation = w->dilation ? w->dilation[i] : 1, reach;
        bool wraps = __builtin_mul_overflow(w->window[i] - 1, dilation, &reach);
        if (shape->dims[first + i] < 0 || (!wraps && reach < shape->dims[first + i]))
            continue;
        const char *dilated =
            w->dilation ? tn__scope_print("`dilation_rate=%s`, ", tn__pair_text(w->dilation)) : "";
        tn__fail(TN_INVALID_ARGUMENT,
                 "Computed output size would be zero or negative. Received `inputs shape=%s`, %s, "
                 "%s`strides=%s`, `padding=valid`.",
                 TN__SHAPE(*shape), w->kernel_text, dilated ? dilated : "",
                 tn__pair_text(w->strides));
        return false;
    }
    return true;
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
