/* conv_transpose.c - the way back of a convolution: from what it gives to the shape of what it
 * takes */
#include "nn/config.h"
#include "nn/layers/layers.h"
#include "ops/array.h"
#include "ops/conv.h"
#include <string.h>

typedef struct {
    tn_conv_transpose_options o;
    tn_variable *kernel, *bias;
} transposed;

#define HEAD_ROWS(axes)                                            \
    TN__OPTION(TN_FIELD_INT, transposed, filters, NULL, "> 0"),    \
        TN__AXES_ROW(transposed, kernel_size, axes, NULL, ">= 0"), \
        TN__AXES_ROW(transposed, strides, axes, "none", ">= 0"),   \
        TN__OPTION(TN_FIELD_STRING, transposed, padding, "valid", "valid|same")
#define OUTPUT_PADDING_ROW TN__OPTION(TN_FIELD_SHAPE, transposed, output_padding, "none", NULL)
#define TAIL_ROWS(axes)                                                                         \
    TN__AXES_ROW(transposed, dilation_rate, axes, "none", ">= 0"), TN__KERNEL_ROWS(transposed), \
        TN__ROW(TN_FIELD_VARIABLE, transposed, kernel, NULL, NULL),                             \
        TN__ROW(TN_FIELD_VARIABLE, transposed, bias, NULL, NULL), TN__END_OF_FIELDS
static const tn_field fields1d[] = { HEAD_ROWS(1), OUTPUT_PADDING_ROW,
                                     TN__DATA_FORMAT_ROW(transposed), TAIL_ROWS(1) },
                      fields2d[] = { HEAD_ROWS(2), OUTPUT_PADDING_ROW,
                                     TN__DATA_FORMAT_ROW(transposed), TAIL_ROWS(2) },
                      fields3d[] = { HEAD_ROWS(3), TN__DATA_FORMAT_ROW(transposed),
                                     OUTPUT_PADDING_ROW, TAIL_ROWS(3) }; /* Keras's order */

/* --- options ---------------------------------------------------------------------------------- */
static bool settle_output_padding(tn_shape *padding, int axes)
{
    if (!padding->known)
        return true;
    for (int i = padding->rank == 1 ? 1 : axes; i < axes; i++)
        padding->dims[padding->rank++] = padding->dims[0];
    bool good = padding->rank == axes;
    for (int i = 0; good && i < axes; i++)
        good = padding->dims[i] >= 0;
    if (!good)
        tn__fail(TN_INVALID_ARGUMENT,
                 "The `output_padding` argument must be a tuple of %d integers. Received "
                 "output_padding=%s",
                 axes, TN__SHAPE(*padding));
    return good;
}

static void init(void *me)
{
    tn_conv_transpose_options *o = &((transposed *)me)->o;
    int axes = tn__window_axes();
    tn__settle_windows(axes, o->kernel_size, o->strides, o->dilation_rate);
    if (!settle_output_padding(&o->output_padding, axes))
        return;
    for (int i = 0; o->output_padding.known && i < axes; i++) {
        if (o->output_padding.dims[i] < o->strides[i])
            continue;
        tn__fail(TN_INVALID_ARGUMENT,
                 "`output_padding` must be strictly less than `strides` for all dimensions. At "
                 "dimension %d, `output_padding` is %lld but `strides` is %lld. Received: "
                 "output_padding=%s, strides=%s",
                 i, (long long)o->output_padding.dims[i], (long long)o->strides[i],
                 TN__SHAPE(o->output_padding), tn__sizes_text(o->strides, axes));
        return;
    }
    tn__check_strides(axes, o->strides, o->dilation_rate);
}

static void build(void *me, tn_list inputs)
{
    transposed *self = me;
    const tn_conv_transpose_options *o = &self->o;
    int axes = tn__window_axes();
    int64_t channels = tn__known_dim(inputs, tn__channels_axis(o->data_format));
    if (channels == 0)
        return;
    self->kernel =
        tn__weight_new(tn__kernel_shape(o->kernel_size, axes, o->filters, channels), "kernel",
                       o->kernel_initializer, o->kernel_regularizer, o->kernel_constraint);
    if (o->use_bias)
        self->bias = tn__weight_new(TN_SHAPE(o->filters), "bias", o->bias_initializer,
                                    o->bias_regularizer, o->bias_constraint);
}

/* --- the call --------------------------------------------------------------------------------- */
/* What is added to size * stride along an axis. */
static int64_t rest_of(const tn_conv_transpose_options *o, int axis)
{
    int64_t stride = o->strides[axis], added = o->output_padding.dims[axis];
    int64_t reach = (o->kernel_size[axis] - 1) * o->dilation_rate[axis] + 1;
    if (strcmp(o->padding, "valid") == 0)
        return o->output_padding.known ? reach - stride + added
                                       : (reach > stride ? reach - stride : 0);
    return o->output_padding.known ? reach % 2 - stride + added : 0;
}

static tn_tensor *output_shape(const tn_conv_transpose_options *o, tn_tensor *x, int axes)
{
    tn_tensor *dims = tn__shape_tensor(x), *parts[5];
    int first = tn__first_axis(o->data_format), channels = first == 2 ? 1 : axes + 1;
    parts[0] = tn__vector_part(dims, 0, 1);
    parts[channels] = tn__ints(&o->filters, 1);
    for (int i = 0; i < axes; i++) {
        tn_tensor *size = tn__vector_part(dims, first + i, first + i + 1);
        parts[first + i] =
            tn_add(tn_multiply(size, tn__int(o->strides[i])), tn__int(rest_of(o, i)));
    }
    return tn__vector_join((size_t)axes + 2, parts);
}

static tn_tensor *call(void *me, tn_list inputs)
{
    const transposed *self = me;
    int axes = tn__window_axes();
    const tn_conv_transpose_options *o = &self->o;
    tn_tensor *x = tn__as_float(tn_at(inputs, 0));
    if (!tn__check_axis(x, tn__channels_axis(o->data_format), self->kernel->shape.dims[axes + 1]))
        return NULL;
    tn_nn_conv_transpose_options conv = { .size_ = sizeof conv,
                                          .input = x,
                                          .filters = self->kernel,
                                          .padding = tn__op_padding(o->padding),
                                          .data_format = tn__op_data_format(o->data_format, axes) };
    memcpy(conv.strides, o->strides, sizeof conv.strides);
    memcpy(conv.dilations, o->dilation_rate, sizeof conv.dilations);
    tn_tensor *y = tn__conv_transpose(&conv, axes, output_shape(o, x, axes));
    return tn__activate(o->activation, tn__add_bias(y, self->bias, o->data_format));
}

/* Keras 2 has `groups`, from its Conv2D, which the layer has not. */
static tn_status upgrade(void *config)
{
    static const tn__renamed old[] = { { "groups", NULL },
                                       { "output_shape", NULL },
                                       { NULL, NULL } };
    const json_t *padding = json_object_get(config, "output_padding");
    if (json_is_integer(padding))
        TN_TRY(
            tn__json_set(config, "output_padding", json_pack("[I]", json_integer_value(padding))));
    TN_TRY(tn__upgrade_image_config(config));
    tn__rename_keys(config, old);
    return TN_OK;
}

#define TRANSPOSED(class_, function, axes, aliases_)                                       \
    static const tn_class_more more##axes##d = { .aliases = aliases_,                      \
                                                 .least_rank = axes + 2,                   \
                                                 .upgrade_config = upgrade };              \
    TN__LAYER_CLASS(class_, function, transposed, tn_conv_transpose_options, .inputs = 1,  \
                    .fields = fields##axes##d, .init = init, .build = build, .call = call, \
                    .more = &more##axes##d)

TRANSPOSED(Conv1DTranspose, tn_conv1d_transpose_new, 1, "Convolution1DTranspose")
TRANSPOSED(Conv2DTranspose, tn_conv2d_transpose_new, 2, "Convolution2DTranspose|Deconvolution2D")
TRANSPOSED(Conv3DTranspose, tn_conv3d_transpose_new, 3, "Convolution3DTranspose|Deconvolution3D")
