/* random_functions.c - tf.random's functions on top of the ops: seeds, and numbers brought into the
 * range that was asked for. */
#include "ops/random.h"
#include "ops/array.h"
#include <math.h>

/* --- for all ---------------------------------------------------------------------------------- */
tn_tensor *tn__random_scaled(tn_tensor *x, double stddev, double mean)
{
    if (stddev != 1)
        x = tn_multiply(x, tn__like(x, stddev));
    return mean != 0 ? tn_add(x, tn__like(x, mean)) : x;
}

tn_tensor *tn__random_between(tn_tensor *x, double minval, double maxval)
{
    if (minval == 0)
        return tn__random_scaled(x, maxval, 0);
    tn_tensor *low = tn__like(x, minval), *high = tn__like(x, maxval);
    return tn_add(tn_multiply(x, tn_subtract(high, low)), low);
}

tn_tensor *tn__whole(int64_t value, tn_dtype dtype)
{
    tn_tensor *x;
    if (dtype == TN_INT32 && (value < INT32_MIN || value > INT32_MAX)) {
        tn__fail(TN_INVALID_ARGUMENT, "%lld does not fit into int32", (long long)value);
        return NULL;
    }
    if (tn__tensor_new(dtype, &TN_SCALAR, &x) != TN_OK)
        return NULL;
    tn__element_from_int(dtype, value, x->data);
    return tn__own(x);
}

tn_tensor *tn__random_shape(const tn_shape *shape, const char *what)
{
    if (shape->known)
        return tn__dims(shape);
    tn__fail(TN_INVALID_ARGUMENT, "%s: shape must be given", what);
    return NULL;
}

bool tn__random_dtype(tn_dtype dtype, const char *what)
{
    if (tn__in(TN__FLOATS, dtype) || dtype == TN_INT32 || dtype == TN_INT64)
        return true;
    tn__fail(
        TN_INVALID_ARGUMENT,
        "Argument `dtype` got invalid value <dtype: '%s'>\n%s: floats, int32 and int64 are there",
        tn__dtype_name(dtype), what);
    return false;
}

/* --- stateless -------------------------------------------------------------------------------- */
/* The only attribute of the stateless ops. */
typedef struct {
    tn_dtype dtype;
} dtype_attrs;

tn_list tn__key_counter(tn_tensor *seed)
{
    return tn__apply_list(&tn__op_StatelessRandomGetKeyCounter, NULL, &seed, 1, 2);
}

tn_tensor *tn__stateless_op(const tn__op *op, tn_dtype dtype, tn_tensor *shape, tn_list stream,
                            size_t more_count, tn_tensor *const *more)
{
    const dtype_attrs attrs = { dtype };
    if (!stream.item)
        return NULL;
    tn_tensor *inputs[] = {
        shape, stream.item[0], stream.item[1], tn__int(TN__PHILOX), NULL, NULL
    };
    for (size_t i = 0; i < more_count; i++)
        inputs[4 + i] = more[i];
    return tn__apply(op, op->attrs ? &attrs : NULL, inputs, 4 + more_count);
}

tn_tensor *tn__stateless_uniform(tn_tensor *shape, tn_tensor *seed, double minval, double maxval,
                                 tn_dtype dtype)
{
    tn_list stream = tn__key_counter(seed);
    return tn__random_between(
        tn__stateless_op(&tn__op_StatelessRandomUniformV2, dtype, shape, stream, 0, NULL), minval,
        maxval);
}

tn_tensor *tn__stateless_normal(tn_tensor *shape, tn_tensor *seed, double mean, double stddev,
                                tn_dtype dtype)
{
    tn_list stream = tn__key_counter(seed);
    return tn__random_scaled(
        tn__stateless_op(&tn__op_StatelessRandomNormalV2, dtype, shape, stream, 0, NULL), stddev,
        mean);
}

tn_tensor *tn__stateless_truncated_normal(tn_tensor *shape, tn_tensor *seed, double mean,
                                          double stddev, tn_dtype dtype)
{
    tn_list stream = tn__key_counter(seed);
    return tn__random_scaled(
        tn__stateless_op(&tn__op_StatelessTruncatedNormalV2, dtype, shape, stream, 0, NULL), stddev,
        mean);
}

tn_tensor *tn__stateless_uniform_int(tn_tensor *shape, tn_tensor *seed, int64_t minval,
                                     int64_t maxval, tn_dtype dtype)
{
    tn_tensor *range[] = { tn__whole(minval, dtype), tn__whole(maxval, dtype) };
    return tn__stateless_op(&tn__op_StatelessRandomUniformIntV2, dtype, shape,
                            tn__key_counter(seed), 2, range);
}

static tn_tensor *any_whole(tn_tensor *shape, tn_tensor *seed, tn_dtype dtype)
{
    return tn__stateless_op(&tn__op_StatelessRandomUniformFullIntV2, dtype, shape,
                            tn__key_counter(seed), 0, NULL);
}

tn_tensor *tn__stateless_dropout(tn_tensor *x, double rate, tn_tensor *noise_shape, tn_tensor *seed)
{
    if (!x)
        return NULL;
    tn_tensor *lot = tn__stateless_uniform(noise_shape, seed, 0, 1, (tn_dtype)x->dtype);
    return tn_where(tn_greater_equal(lot, tn__like(x, rate)),
                    tn_multiply(x, tn__like(x, 1 / (1 - rate))), tn_zeros_like(x));
}

/* --- tf.random -------------------------------------------------------------------------------- */
void tn_set_seed(int64_t seed)
{
    TN__ENTER(context, );
    if (!context->graph) {
        (void)!tn__random_set_op_seeds(&context->random, seed);
        return;
    }
    context->graph->random.seeded = true;
    context->graph->random.seed = seed;
}

void tn_set_random_seed(int64_t seed)
{
    TN__ENTER(context, );
    (void)!tn__random_set_seed(&context->random, seed);
}

tn__random_attrs tn__random_attrs_of(tn_context *context, int64_t own_seed, tn_dtype dtype)
{
    tn__random_attrs attrs = { .dtype = dtype, .eager = !context->graph };
    if (context->graph)
        tn__random_graph_op_seed(&context->graph->random, own_seed, &attrs.seed, &attrs.seed2);
    else
        tn__random_op_seed(&context->random, own_seed, &attrs.seed, &attrs.seed2);
    return attrs;
}

static tn_tensor *stateful(tn_context *context, const tn__op *op, const tn_random_options *o,
                           tn_tensor *shape)
{
    if (!shape)
        return NULL;
    tn__random_attrs attrs = tn__random_attrs_of(context, o->seed, o->dtype);
    return tn__apply(op, &attrs, &shape, 1);
}

tn_tensor *tn_random_normal_with(const tn_random_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *shape = tn__random_shape(&o->shape, "tn_random_normal");
    return tn__random_scaled(stateful(context, &tn__op_RandomStandardNormal, o, shape), o->stddev,
                             o->mean);
}

tn_tensor *tn_random_truncated_normal_with(const tn_random_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *shape = tn__random_shape(&o->shape, "tn_random_truncated_normal");
    return tn__random_scaled(stateful(context, &tn__op_TruncatedNormal, o, shape), o->stddev,
                             o->mean);
}

tn_tensor *tn_random_uniform_with(const tn_random_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *shape = tn__random_shape(&o->shape, "tn_random_uniform");
    if (!shape || !tn__random_dtype(o->dtype, "tn_random_uniform"))
        return NULL;
    if (tn__in(TN__FLOATS, o->dtype))
        return tn__random_between(stateful(context, &tn__op_RandomUniform, o, shape), o->minval,
                                  isnan(o->maxval) ? 1 : o->maxval);
    if (isnan(o->maxval)) {
        tn__fail(TN_INVALID_ARGUMENT, "Must specify maxval for integer dtype tf.%s",
                 tn__dtype_name(o->dtype));
        return NULL;
    }
    tn_tensor *inputs[] = { shape, tn__whole((int64_t)o->minval, o->dtype),
                            tn__whole((int64_t)o->maxval, o->dtype) };
    if (tn__failed(context))
        return NULL;
    tn__random_attrs attrs = tn__random_attrs_of(context, o->seed, o->dtype);
    return tn__apply(&tn__op_RandomUniformInt, &attrs, inputs, 3);
}

tn_tensor *tn_random_shuffle_with(const tn_random_shuffle_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *value = o->value;
    if (!tn__check_tensor(value, "tn_random_shuffle: value"))
        return NULL;
    tn__random_attrs attrs = tn__random_attrs_of(context, o->seed, (tn_dtype)value->dtype);
    return tn__apply(&tn__op_RandomShuffle, &attrs, &value, 1);
}

tn_tensor *tn_random_stateless_normal_with(const tn_stateless_random_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *shape = tn__random_shape(&o->shape, "tn_random_stateless_normal");
    return tn__stateless_normal(shape, o->seed, o->mean, o->stddev, o->dtype);
}

tn_tensor *tn_random_stateless_truncated_normal_with(const tn_stateless_random_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *shape = tn__random_shape(&o->shape, "tn_random_stateless_truncated_normal");
    return tn__stateless_truncated_normal(shape, o->seed, o->mean, o->stddev, o->dtype);
}

tn_tensor *tn_random_stateless_uniform_with(const tn_stateless_random_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    tn_tensor *shape = tn__random_shape(&o->shape, "tn_random_stateless_uniform");
    if (!shape)
        return NULL;
    if (isnan(o->maxval) && tn__in(TN__INTS, o->dtype))
        return any_whole(shape, o->seed, o->dtype);
    if (!tn__random_dtype(o->dtype, "tn_random_stateless_uniform"))
        return NULL;
    if (tn__in(TN__FLOATS, o->dtype))
        return tn__stateless_uniform(shape, o->seed, o->minval, isnan(o->maxval) ? 1 : o->maxval,
                                     o->dtype);
    return tn__stateless_uniform_int(shape, o->seed, (int64_t)o->minval, (int64_t)o->maxval,
                                     o->dtype);
}

/* --- seeds from seeds ------------------------------------------------------------------------- */
tn_tensor *tn_random_split(tn_tensor *seed, int64_t num)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(seed, "tn_random_split: seed"))
        return NULL;
    return any_whole(tn__dims(&TN_SHAPE(num, 2)), seed, (tn_dtype)seed->dtype);
}

tn_tensor *tn_random_fold_in(tn_tensor *seed, tn_tensor *data)
{
    TN__ENTER(context, NULL);
    (void)context;
    if (!tn__check_tensor(data, "tn_random_fold_in: data"))
        return NULL;
    tn_tensor *first = any_whole(tn__ints(NULL, 0), seed, (tn_dtype)data->dtype);
    return first ? tn_stack(TN_LIST(first, data), 0) : NULL;
}

/* --- in another order, and without some ------------------------------------------------------- */
tn_tensor *tn_random_stateless_shuffle(tn_tensor *value, tn_tensor *seed)
{
    TN__ENTER(context, NULL);
    (void)context;
    return tn__stateless_op(&tn__op_StatelessShuffle, (tn_dtype)0, value, tn__key_counter(seed), 0,
                            NULL);
}

/* The noise's shape with x's own sizes where it is open: a constant when they are known. */
tn_tensor *tn__noise_shape(tn_tensor *x, const tn_shape *noise_shape)
{
    tn_tensor *parts[TN_MAX_RANK];
    if (!noise_shape->known)
        return tn__shape_tensor(x);
    for (int i = 0; i < noise_shape->rank; i++)
        parts[i] = noise_shape->dims[i] == TN_NONE ? tn__vector_part(tn__shape_tensor(x), i, i + 1)
                                                   : tn__ints(&noise_shape->dims[i], 1);
    return tn__vector_join((size_t)noise_shape->rank, parts);
}

bool tn__check_dropped(tn_tensor *x, const char *what)
{
    if (!tn__check_tensor(x, what))
        return false;
    if (tn__in(TN__FLOATS, (tn_dtype)x->dtype))
        return true;
    tn__fail(TN_INVALID_ARGUMENT,
             "`x.dtype` must be a floating point tensor as `x` will be scaled. Received: "
             "x_dtype=<dtype: '%s'>",
             tn__dtype_name((tn_dtype)x->dtype));
    return false;
}

tn_tensor *tn_nn_stateless_dropout_with(const tn_nn_stateless_dropout_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    if (!tn__check_dropped(o->x, "tn_nn_stateless_dropout: x"))
        return NULL;
    if (!(o->rate >= 0 && o->rate < 1)) {
        tn__fail(TN_INVALID_ARGUMENT,
                 "`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate=%g",
                 o->rate);
        return NULL;
    }
    if (o->rate == 0)
        return o->x;
    return tn__stateless_dropout(o->x, o->rate, tn__noise_shape(o->x, &o->noise_shape), o->seed);
}
