/* dot.c - products of two tensors summed along an axis of each, sample by sample */
#include "nn/config.h"
#include "nn/layers/layers.h"
#include "ops/array.h"

typedef struct {
    tn_dot_options o;
} dot;

static const tn_field fields[] = {
    TN__OPTION(TN_FIELD_AXES, dot, axes, NULL, NULL),
    TN__OPTION(TN_FIELD_FLAG, dot, normalize, "false", NULL),
    TN__END_OF_FIELDS,
};

static void init(void *me)
{
    const tn_axes *axes = &((const dot *)me)->o.axes;
    if (axes->count != 1 && axes->count != 2)
        tn__fail(TN_INVALID_ARGUMENT,
                 "Invalid format for argument `axes`: it should contain two elements. Received: "
                 "axes=%s",
                 tn__axes_text(axes));
}

/* The axis of each input, from the front. */
static bool find_axes(const tn_axes *wanted, tn_list inputs, int axes[2])
{
    for (int i = 0; i < 2; i++) {
        const tn_shape *shape = &inputs.item[i]->shape;
        int axis = wanted->axis[wanted->count == 2 ? i : 0];
        if (!shape->known || shape->rank < 2) {
            tn__fail(TN_INVALID_ARGUMENT,
                     "Cannot do batch_dot on inputs with rank < 2. Received inputs with shapes %s "
                     "and %s.",
                     TN__SHAPE(inputs.item[0]->shape), TN__SHAPE(inputs.item[1]->shape));
            return false;
        }
        if (!tn__axis(axis, shape->rank, &axes[i])) {
            tn__fail(TN_INVALID_ARGUMENT, "%s: axis %d is outside of the input's shape %s",
                     tn__layer_print(tn__this_layer()), axis, TN__SHAPE(*shape));
            return false;
        }
    }
    if (axes[0] != 0 && axes[1] != 0)
        return true;
    tn__fail(TN_INVALID_ARGUMENT,
             "Cannot perform batch_dot over axis 0. If your inputs are not batched, add a dummy "
             "batch dimension to your inputs using keras.ops.expand_dims(x, 0)");
    return false;
}

static bool check(tn_list inputs, const int axes[2])
{
    int64_t sizes[2] = { inputs.item[0]->shape.dims[axes[0]], inputs.item[1]->shape.dims[axes[1]] };
    if (sizes[0] < 0 || sizes[1] < 0 || sizes[0] == sizes[1])
        return true;
    tn__fail(TN_INVALID_ARGUMENT,
             "Incompatible input shapes: axis values %lld (at axis %d) != %lld (at axis %d). Full "
             "input shapes: %s, %s",
             (long long)sizes[0], axes[0], (long long)sizes[1], axes[1],
             TN__SHAPE(inputs.item[0]->shape), TN__SHAPE(inputs.item[1]->shape));
    return false;
}

/* x with the axis at another place, the others in order. */
static tn_tensor *move_axis(tn_tensor *x, int from, int to)
{
    tn_axes order = { .count = x->shape.rank };
    for (int i = 0, next = 0; i < order.count; i++) {
        next += next == from;
        order.axis[i] = i == to ? from : next++;
    }
    return from == to ? x : tn_transpose(x, order);
}

/* x as matrices: its dimensions [begin, end) as one. */
static tn_tensor *squash(tn_tensor *x, int begin, int end)
{
    tn_tensor *dims = tn__shape_tensor(x);
    if (!dims || end - begin == 1)
        return dims ? x : NULL;
    tn_tensor *parts[] = {
        tn__vector_part(dims, 0, begin),
        tn_reshape(tn_reduce_prod(tn__vector_part(dims, begin, end)), TN_SHAPE(1)),
        tn__vector_part(dims, end, TN_NONE),
    };
    return TN__APPLY(tn__op_Reshape, NULL, x, tn__vector_join(3, parts));
}

/* (batch, …, k) times (batch, k, …), with the other dimensions again. */
static tn_tensor *batch_dot(tn_tensor *x, tn_tensor *y)
{
    int x_rank = x->shape.rank, y_rank = y->shape.rank;
    tn_tensor *result = tn_matmul(squash(x, 1, x_rank - 1), squash(y, 2, y_rank));
    if (x_rank == 3 && y_rank == 3)
        return result;
    tn_tensor *parts[] = { tn__vector_part(tn__shape_tensor(x), 0, x_rank - 1),
                           tn__vector_part(tn__shape_tensor(y), 2, TN_NONE) };
    return TN__APPLY(tn__op_Reshape, NULL, result, tn__vector_join(2, parts));
}

static tn_tensor *call(void *me, tn_list inputs)
{
    const tn_dot_options *o = &((const dot *)me)->o;
    int axes[2];
    if (inputs.count != 2) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "A `Dot` layer should be called on a list of 2 inputs. Received %zu inputs",
                 inputs.count);
        return NULL;
    }
    if (!find_axes(&o->axes, inputs, axes) || !check(inputs, axes))
        return NULL;
    tn_tensor *x = inputs.item[0], *y = inputs.item[1];
    if (o->normalize) {
        x = tn__l2_normalize(x, TN_AXES(axes[0]), 1e-7);
        y = tn__l2_normalize(y, TN_AXES(axes[1]), 1e-7);
    }
    if (!x || !y)
        return NULL;
    x = move_axis(x, axes[0], x->shape.rank - 1);
    y = move_axis(y, axes[1], 1);
    if (!x || !y)
        return NULL;
    bool two = x->shape.rank == 2 && y->shape.rank == 2; /* (batch, 1) is left */
    return two ? tn_reduce_sum(tn_multiply(x, y), .axis = TN_AXES(1), .keepdims = true)
               : batch_dot(x, y);
}

static const tn_class_more more = { .takes_list = true };
TN__LAYER_CLASS(Dot, tn_dot_new, dot, tn_dot_options, .fields = fields, .init = init, .call = call,
                .supports_masking = true, .compute_mask = tn__no_mask, .more = &more)
