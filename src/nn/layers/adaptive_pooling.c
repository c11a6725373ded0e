/* adaptive_pooling.c - as many windows along each axis as are asked for, whatever the input's size
 */
#include "nn/layers/layers.h"
#include "ops/ops.h"

typedef struct {
    tn_adaptive_pooling_options o;
} adaptive;

#define FIELDS(axes)                                                                           \
    {                                                                                          \
        TN__AXES_ROW(adaptive, output_size, axes, NULL, "> 0"), TN__DATA_FORMAT_ROW(adaptive), \
            TN__END_OF_FIELDS,                                                                 \
    }
static const tn_field fields1d[] = FIELDS(1), fields2d[] = FIELDS(2), fields3d[] = FIELDS(3);

enum { MOST = 1 << 24 }; /* windows along an axis, each of which costs some memory */

static void init(void *me)
{
    tn_adaptive_pooling_options *o = &((adaptive *)me)->o;
    int axes = tn__window_axes();
    tn__settle_axes(o->output_size, axes, NULL);
    for (int i = 0; i < axes; i++)
        if (o->output_size[i] == 0 || o->output_size[i] > MOST)
            tn__fail(TN_INVALID_ARGUMENT,
                     "%s: all values in `output_size` must be positive, and at most %d. Received: "
                     "output_size=%s",
                     tn__this_layer()->of->name, MOST, tn__sizes_text(o->output_size, axes));
}

/* Windows of one length along one axis, from every place. */
static tn_tensor *pool_along(tn_tensor *x, const char *data_format, int axis, int64_t length,
                             tn__pool_function *const *functions)
{
    int axes = tn__window_axes();
    tn_nn_pool_options o = { .size_ = sizeof o,
                             .input = x,
                             .ksize = { 1, 1, 1 },
                             .strides = { 1, 1, 1 },
                             .padding = "VALID",
                             .data_format = tn__op_data_format(data_format, axes) };
    o.ksize[axis] = length;
    return functions[axes - 1](&o);
}

/* Window i of `count` goes from i size / count, rounded down, to (i + 1) size / count, rounded up:
 * of the least length or one more. */
static tn_tensor *divide(tn_tensor *x, const char *data_format, int axis, int64_t count,
                         tn__pool_function *const *functions)
{
    int at = tn__first_axis(data_format) + axis;
    int64_t size = x ? x->shape.dims[at] : 0, length = (size + count - 1) / count;
    int64_t *place = x ? tn__scope_alloc((size_t)count * sizeof *place) : NULL;
    bool longer = false;
    if (!place)
        return NULL;
    for (int64_t i = 0; i < count; i++) {
        int64_t begin = i * size / count, end = ((i + 1) * size + count - 1) / count;
        bool is_longer = end - begin > length;
        place[i] = begin + (is_longer ? size - length + 1 : 0);
        longer |= is_longer;
    }
    tn_tensor *y = pool_along(x, data_format, axis, length, functions);
    if (longer)
        y = tn_concat(TN_LIST(y, pool_along(x, data_format, axis, length + 1, functions)), at);
    return tn_gather(y, tn__ints(place, (size_t)count), at);
}

static tn_tensor *pool(const adaptive *self, tn_tensor *x, tn__pool_function *const *functions)
{
    const tn_adaptive_pooling_options *o = &self->o;
    int axes = tn__window_axes();
    for (int i = 0; x && i < axes; i++) {
        if (x->shape.known && x->shape.dims[tn__first_axis(o->data_format) + i] > 0)
            continue;
        tn__fail(TN_INVALID_ARGUMENT,
                 axes == 1
                     ? "Input length must be statically known for adaptive pooling\n%s: got %s"
                     : "Input spatial dimensions must be statically known for adaptive "
                       "pooling\n%s: got %s",
                 tn__layer_print(tn__this_layer()), TN__SHAPE(x->shape));
        return NULL;
    }
    for (int i = 0; i < axes; i++)
        x = divide(x, o->data_format, i, o->output_size[i], functions);
    return x;
}

static tn_tensor *call_max(void *me, tn_list inputs)
{
    return pool(me, tn_at(inputs, 0), tn__max_pools);
}

static tn_tensor *call_average(void *me, tn_list inputs)
{
    return pool(me, tn__as_float(tn_at(inputs, 0)), tn__average_pools);
}

#define ADAPTIVE(class_, function, axes, kind)                                                    \
    static const tn_class_more more_##class_ = { .least_rank = axes + 2, .most_rank = axes + 2 }; \
    TN__LAYER_CLASS(class_, function, adaptive, tn_adaptive_pooling_options, .inputs = 1,         \
                    .fields = fields##axes##d, .init = init, .call = call_##kind,                 \
                    .more = &more_##class_)

ADAPTIVE(AdaptiveMaxPooling1D, tn_adaptive_max_pooling1d_new, 1, max)
ADAPTIVE(AdaptiveMaxPooling2D, tn_adaptive_max_pooling2d_new, 2, max)
ADAPTIVE(AdaptiveMaxPooling3D, tn_adaptive_max_pooling3d_new, 3, max)
ADAPTIVE(AdaptiveAveragePooling1D, tn_adaptive_average_pooling1d_new, 1, average)
ADAPTIVE(AdaptiveAveragePooling2D, tn_adaptive_average_pooling2d_new, 2, average)
ADAPTIVE(AdaptiveAveragePooling3D, tn_adaptive_average_pooling3d_new, 3, average)
