/* clip.c - keeping values, and the length of gradients, within limits. */
#include "ops/elementwise.h"
#include "ops/array.h"

/* --- ClipByValue: limits are scalars or as large as the values -------------------------------- */
static bool limit_fits(const tn_shape *limit, const tn_shape *values)
{
    return !limit->known || limit->rank == 0 || tn__shape_fits(limit, values);
}

static tn_status clip_infer(tn__infer *infer)
{
    const tn_shape *t = &infer->input[0]->shape, *low = &infer->input[1]->shape,
                   *high = &infer->input[2]->shape;
    infer->output[0].shape = *t;
    if (limit_fits(low, t) && limit_fits(high, t))
        return TN_OK;
    return tn__fail(TN_INVALID_ARGUMENT,
                    "clip_value_min and clip_value_max must be either of the same shape as input, "
                    "or a scalar. input shape: %s"
                    "clip_value_min shape: %sclip_value_max shape: %s",
                    TN__BRACKETS(*t), TN__BRACKETS(*low), TN__BRACKETS(*high));
}

/* The lower limit has the last word when they cross; NaN stays. */
#define CLIP_LOOP(T)                                                \
    {                                                               \
        const T *x = t->data, *from = low->data, *to = high->data;  \
        T *y = kernel->output[0]->data;                             \
        for (int64_t i = 0; i < n; i++) {                           \
            T most = to[i * step_high], least = from[i * step_low], \
              value = x[i] > most ? most : x[i];                    \
            y[i] = value < least ? least : value;                   \
        }                                                           \
        return TN_OK;                                               \
    }

static tn_status clip_compute(tn__kernel *kernel)
{
    const tn_tensor *t = kernel->input[0], *low = kernel->input[1], *high = kernel->input[2];
    int64_t n = tn__count(t), step_low = low->shape.rank > 0, step_high = high->shape.rank > 0;
    switch (t->dtype) {
    case TN_FLOAT32:
        CLIP_LOOP(float)
    case TN_FLOAT64:
        CLIP_LOOP(double)
    case TN_INT32:
        CLIP_LOOP(int32_t)
    case TN_INT64:
        CLIP_LOOP(int64_t)
    default:
        CLIP_LOOP(uint8_t)
    }
}

/* dt = dz inside the limits, each limit has dz where it holds */
static void clip_gradient(tn__gradient *g)
{
    tn_tensor *t = g->in[0], *low = g->in[1], *high = g->in[2], *dz = g->dout[0],
              *zero = tn__like(dz, 0);
    tn_tensor *below = tn_less(t, low), *above = tn_greater(t, high);
    g->din[0] = tn_where(tn_logical_or(below, above), zero, dz);
    if (g->wanted[1])
        g->din[1] = tn__sum_to(tn_where(below, dz, zero), low, t);
    if (g->wanted[2])
        g->din[2] = tn__sum_to(tn_where(above, dz, zero), high, t);
}

const tn__op tn__op_ClipByValue = {
    .name = "ClipByValue",
    .inputs = "t: T, clip_value_min: T, clip_value_max: T",
    .outputs = "output: T",
    .types = NUMBERS_TYPES,
    .infer = clip_infer,
    .compute = clip_compute,
    .gradient = clip_gradient,
};

/* --- public ----------------------------------------------------------------------------------- */
/* As tf.clip_by_value: limits may broadcast, but not enlarge t. */
tn_tensor *tn_clip_by_value(tn_tensor *t, tn_tensor *clip_value_min, tn_tensor *clip_value_max)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(t, "tn_clip_by_value: t"))
        return NULL;
    tn_tensor *y = tn_maximum(tn_minimum(t, clip_value_max), clip_value_min);
    if (!y || tn__shape_fits(&y->shape, &t->shape))
        return y;
    tn__fail(TN_INVALID_ARGUMENT,
             "Shapes %s and %s are incompatible\ntn_clip_by_value: the limits are larger than t",
             TN__SHAPE(t->shape), TN__SHAPE(y->shape));
    return NULL;
}

static tn_tensor *sum_of_squares(tn_tensor *t, tn_axes axes, bool keepdims)
{
    return tn_reduce_sum_with(&(tn_reduce_options){ .size_ = sizeof(tn_reduce_options),
                                                    .input = tn_square(t),
                                                    .axis = axes,
                                                    .keepdims = keepdims });
}

/* t c / max(‖t‖, c); the norm's gradient at 0 is 0, by way of a root of 1 there */
tn_tensor *tn_clip_by_norm_with(const tn_clip_by_norm_options *options)
{
    TN__ENTER_OPTIONS(context, options, NULL);
    tn_tensor *sum = sum_of_squares(options->t, options->axes, true);
    if (!sum)
        return NULL;
    tn_tensor *positive = tn_greater(sum, tn__like(sum, 0));
    tn_tensor *norm = tn_where(positive, tn_sqrt(tn_where(positive, sum, tn__like(sum, 1))), sum);
    return tn_divide(tn_multiply(options->t, options->clip_norm),
                     tn_maximum(norm, options->clip_norm));
}

tn_tensor *tn_global_norm(tn_list list)
{
    TN__ENTER(context, NULL);
    (void)context;
    tn_tensor *sum = NULL;
    for (size_t i = 0; list.item && i < list.count; i++) {
        if (!list.item[i])
            continue;
        tn_tensor *squares = sum_of_squares(list.item[i], (tn_axes){ 0 }, false);
        sum = sum ? tn_add(sum, squares) : squares;
        if (!sum)
            return NULL;
    }
    if (!sum)
        tn__fail(TN_INVALID_ARGUMENT, "tn_global_norm: the list has no tensors");
    return sum ? tn_sqrt(sum) : NULL;
}

/* c min(1 / norm, 1 / c), and NaN where the norm is not finite, so that nobody trains on it
 * unawares */
static tn_tensor *global_scale(tn_tensor *norm, tn_tensor *clip_norm)
{
    tn_tensor *one = norm ? tn__like(norm, 1) : NULL;
    if (!one)
        return NULL;
    tn_tensor *finite =
        tn_multiply(clip_norm, tn_minimum(tn_divide(one, norm), tn_divide(one, clip_norm)));
    return tn_add(finite, tn_subtract(norm, norm));
}

tn_list tn_clip_by_global_norm(tn_list list, tn_tensor *clip_norm)
{
    tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    tn_tensor *scale = global_scale(tn_global_norm(list), clip_norm);
    tn_tensor **items = scale ? tn__scope_alloc((list.count + 1) * sizeof *items) : NULL;
    if (!items)
        return none;
    for (size_t i = 0; i < list.count; i++) {
        tn_tensor *t = list.item[i];
        items[i] = t ? tn_multiply(t, tn_cast(scale, (tn_dtype)t->dtype)) : NULL;
        if (t && !items[i])
            return none;
    }
    return (tn_list){ list.count, items };
}
