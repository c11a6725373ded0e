/* conv_functions.c - convolutions as tf.nn has them: one, two or three axes, and transposed. */
#include "ops/conv.h"
#include <string.h>

typedef union {
    tn__conv2d_attrs two;
    tn__conv3d_attrs three;
} any_attrs;

/* What the options of both structs come to. */
typedef struct {
    const char *what; /* "tn_nn_conv2d" */
    int axes;
    const char *data_format;
    any_attrs attrs;
} call;

static tn_status begin(call *c, const char *padding, const char *data_format,
                       const int64_t *strides, const int64_t *dilations, const int64_t *paddings)
{
    if (!padding)
        return tn__fail(
            TN_INVALID_ARGUMENT,
            "%s: missing a required argument: 'padding'\nexpected \"SAME\" or \"VALID\", got NULL",
            c->what);
    c->data_format = tn__data_format(c->what, c->axes, data_format);
    if (!c->data_format)
        return TN_INVALID_ARGUMENT;
    int64_t *to_strides = c->axes == 3 ? c->attrs.three.strides : c->attrs.two.strides;
    int64_t *to_dilations = c->axes == 3 ? c->attrs.three.dilations : c->attrs.two.dilations;
    tn__spread(strides, c->axes, 1, c->data_format, to_strides);
    tn__spread(dilations, c->axes, 1, c->data_format, to_dilations);
    if (c->axes == 3) {
        c->attrs.three.padding = padding;
        c->attrs.three.data_format = c->data_format;
        return TN_OK;
    }
    c->attrs.two.padding = padding;
    c->attrs.two.data_format = c->data_format;
    c->attrs.two.use_cudnn_on_gpu = true;
    tn__spread_paddings(paddings, c->data_format, c->attrs.two.explicit_paddings);
    return TN_OK;
}

static tn_tensor *convolve(const tn_nn_conv_options *o, const tn__op *op, int axes,
                           const char *what)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    call c = { .what = what, .axes = axes };
    if (begin(&c, o->padding, o->data_format, o->strides, o->dilations, o->explicit_paddings) !=
        TN_OK)
        return NULL;
    if (axes > 1)
        return TN__APPLY(*op, &c.attrs, o->input, o->filters);
    int rows = tn__rows_axis(c.data_format);
    tn_tensor *y =
        TN__APPLY(*op, &c.attrs, tn_expand_dims(o->input, rows), tn_expand_dims(o->filters, 0));
    return tn_squeeze(y, TN_AXES(rows));
}

tn_tensor *tn_nn_conv1d_with(const tn_nn_conv_options *options)
{
    return convolve(options, &tn__op_Conv2D, 1, "tn_nn_conv1d");
}

tn_tensor *tn_nn_conv2d_with(const tn_nn_conv_options *options)
{
    return convolve(options, &tn__op_Conv2D, 2, "tn_nn_conv2d");
}

tn_tensor *tn_nn_conv3d_with(const tn_nn_conv_options *options)
{
    return convolve(options, &tn__op_Conv3D, 3, "tn_nn_conv3d");
}

tn_tensor *tn_nn_depthwise_conv2d_with(const tn_nn_conv_options *options)
{
    return convolve(options, &tn__op_DepthwiseConv2dNative, 2, "tn_nn_depthwise_conv2d");
}

tn_tensor *tn_nn_separable_conv2d_with(const tn_nn_separable_conv2d_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_nn_conv_options each = { .size_ = sizeof each,
                                .input = o->input,
                                .filters = o->depthwise_filter,
                                .padding = o->padding,
                                .data_format = o->data_format };
    memcpy(each.strides, o->strides, sizeof each.strides);
    memcpy(each.dilations, o->dilations, sizeof each.dilations);
    tn_tensor *y = convolve(&each, &tn__op_DepthwiseConv2dNative, 2, "tn_nn_separable_conv2d");
    const tn_nn_conv_options all = { .size_ = sizeof all,
                                     .input = y,
                                     .filters = o->pointwise_filter,
                                     .padding = "VALID",
                                     .data_format = o->data_format };
    return y ? convolve(&all, &tn__op_Conv2D, 2, "tn_nn_separable_conv2d") : NULL;
}

static const char *const transposes[] = { "tn_nn_conv1d_transpose", "tn_nn_conv2d_transpose",
                                          "tn_nn_conv3d_transpose" };

/* The sizes asked for, with those of the input where it is not said how many images there are. */
static tn_tensor *sizes_of(const tn_shape *shape, tn_tensor *input, int axes)
{
    tn_shape wanted = *shape;
    if (wanted.rank != axes + 2) {
        tn__fail(TN_INVALID_ARGUMENT, "%s: output_shape needs %d dimensions, got %s",
                 transposes[axes - 1], axes + 2, TN__SHAPE(wanted));
        return NULL;
    }
    if (wanted.dims[0] == TN_NONE && input->shape.known)
        wanted.dims[0] = input->shape.dims[0];
    if (wanted.dims[0] != TN_NONE)
        return tn__ints(wanted.dims, (size_t)wanted.rank);
    tn_tensor *parts[] = { tn__vector_part(tn_shape_tensor(input), 0, 1),
                           tn__ints(wanted.dims + 1, (size_t)wanted.rank - 1) };
    return tn__vector_join(2, parts);
}

/* A series is an image of one row. */
static tn_tensor *transpose_row(const call *c, const tn_nn_conv_transpose_options *o,
                                tn_tensor *sizes)
{
    int rows = tn__rows_axis(c->data_format);
    tn_tensor *parts[] = { tn__vector_part(sizes, 0, rows), tn__ints((int64_t[]){ 1 }, 1),
                           tn__vector_part(sizes, rows, TN_NONE) };
    tn_tensor *y = TN__APPLY(tn__op_Conv2DBackpropInput, &c->attrs, tn__vector_join(3, parts),
                             tn_expand_dims(o->filters, 0), tn_expand_dims(o->input, rows));
    return tn_squeeze(y, TN_AXES(rows));
}

tn_tensor *tn__conv_transpose(const tn_nn_conv_transpose_options *o, int axes, tn_tensor *sizes)
{
    static const int64_t none[4];
    call c = { .what = transposes[axes - 1], .axes = axes };
    if (begin(&c, o->padding, o->data_format, o->strides, o->dilations, none) != TN_OK)
        return NULL;
    if (axes == 1)
        return transpose_row(&c, o, sizes);
    const tn__op *op = axes == 3 ? &tn__op_Conv3DBackpropInputV2 : &tn__op_Conv2DBackpropInput;
    return TN__APPLY(*op, &c.attrs, sizes, o->filters, o->input);
}

static tn_tensor *transpose(const tn_nn_conv_transpose_options *o, int axes)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    (void)context;
    if (!tn__check_tensor(o->input, transposes[axes - 1]))
        return NULL;
    return tn__conv_transpose(o, axes, sizes_of(&o->output_shape, o->input, axes));
}

tn_tensor *tn_nn_conv1d_transpose_with(const tn_nn_conv_transpose_options *options)
{
    return transpose(options, 1);
}

tn_tensor *tn_nn_conv2d_transpose_with(const tn_nn_conv_transpose_options *options)
{
    return transpose(options, 2);
}

tn_tensor *tn_nn_conv3d_transpose_with(const tn_nn_conv_transpose_options *options)
{
    return transpose(options, 3);
}
