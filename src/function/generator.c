/* generator.c - tf.random.Generator. */
#include "ops/random.h"
#include "function/frame.h"
#include "ops/array.h"
#include <math.h>

static tn_variable *of_state(const int64_t state[TN__RNG_STATE])
{
    tn_variable_options o = { .size_ = sizeof o, .name = "StateVar" };
    o.initial_value = tn__own(tn__tensor_ints(TN_INT64, TN__RNG_STATE, state));
    tn_variable *variable = NULL;
    tn_status status = o.initial_value ? tn__variable_make_plain(tn__context(), &o, NULL, &variable) : TN_RESOURCE_EXHAUSTED;
    return status == TN_OK ? tn__own(variable) : NULL; /* never of a variable scope's store */
}

tn_variable *tn_random_generator(int64_t seed)
{
    TN__ENTER(context, NULL);
    (void)context;
    return of_state((const int64_t[]){ seed, 0, 0 });
}

static tn_tensor *read_and_skip(tn_variable *generator, int64_t delta)
{
    if (!tn__check_tensor(generator, "tn_generator: generator"))
        return NULL;
    if (generator->form != TN__VARIABLE && generator->dtype != TN__RESOURCE) {
        tn__fail(TN_INVALID_ARGUMENT, "tn_generator: %s is not a generator", TN__TENSOR(generator));
        return NULL;
    }
    if (generator->form == TN__VARIABLE && tn__check_rng_state(generator) != TN_OK)
        return NULL;
    return TN__APPLY(tn__op_RngReadAndSkip, NULL, generator, tn__int(TN__PHILOX),
                     tn__whole(delta, TN_UINT64));
}

/* Counter and key as the stateless ops take them. */
static tn_list stream_of(tn_variable *generator, const tn_shape *shape)
{
    tn_tensor *before = read_and_skip(generator, tn__shape_count(shape));
    if (!before)
        return (tn_list){ 0, NULL };
    tn_tensor *state = tn_bitcast(before, TN_UINT64);
    return TN_LIST(tn__vector_part(state, 2, TN__RNG_STATE), tn__vector_part(state, 0, 2));
}

static tn_tensor *drawn(const tn_generator_options *o, const tn__op *op, const char *what)
{
    tn_tensor *shape = tn__random_shape(&o->shape, what);
    return shape
               ? tn__stateless_op(op, o->dtype, shape, stream_of(o->generator, &o->shape), 0, NULL)
               : NULL;
}

tn_tensor *tn_generator_normal_with(const tn_generator_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    return tn__random_scaled(drawn(o, &tn__op_StatelessRandomNormalV2, "tn_generator_normal"),
                             o->stddev, o->mean);
}

tn_tensor *tn_generator_truncated_normal_with(const tn_generator_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    return tn__random_scaled(
        drawn(o, &tn__op_StatelessTruncatedNormalV2, "tn_generator_truncated_normal"), o->stddev,
        o->mean);
}

tn_tensor *tn_generator_uniform_with(const tn_generator_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    const char *what = "tn_generator_uniform";
    if (!tn__random_dtype(o->dtype, what))
        return NULL;
    if (tn__in(TN__FLOATS, o->dtype))
        return tn__random_between(drawn(o, &tn__op_StatelessRandomUniformV2, what), o->minval,
                                  isnan(o->maxval) ? 1 : o->maxval);
    if (isnan(o->maxval)) {
        tn__fail(TN_INVALID_ARGUMENT, "Must specify maxval for integer dtype tf.%s",
                 tn__dtype_name(o->dtype));
        return NULL;
    }
    tn_tensor *shape = tn__random_shape(&o->shape, what);
    tn_tensor *range[] = { tn__whole((int64_t)o->minval, o->dtype),
                           tn__whole((int64_t)o->maxval, o->dtype) };
    if (tn__failed(context))
        return NULL;
    return tn__stateless_op(&tn__op_StatelessRandomUniformIntV2, o->dtype, shape,
                            stream_of(o->generator, &o->shape), 2, range);
}

tn_tensor *tn_generator_uniform_full_int_with(const tn_generator_options *o)
{
    TN__ENTER_OPTIONS(context, o, NULL);
    return drawn(o, &tn__op_StatelessRandomUniformFullIntV2, "tn_generator_uniform_full_int");
}

static tn_tensor *make_keys(tn_variable *generator, int64_t count)
{
    const tn_generator_options o = {
        .size_ = sizeof o, .generator = generator, .shape = TN_SHAPE(count), .dtype = TN_INT64
    };
    return drawn(&o, &tn__op_StatelessRandomUniformFullIntV2, "tn_generator");
}

tn_tensor *tn_generator_make_seeds(tn_variable *generator, int64_t count)
{
    TN__ENTER(context, NULL);
    (void)context;
    tn_tensor *keys = make_keys(generator, count);
    return keys ? tn_stack(TN_LIST(keys, tn_zeros_like(keys)), 0) : NULL;
}

tn_list tn_generator_split(tn_variable *generator, int64_t count)
{
    const tn_list none = { 0, NULL };
    TN__ENTER(context, none);
    (void)context;
    tn_tensor *keys = make_keys(generator, count);
    const int64_t *key = keys ? tn_data(keys, TN_INT64) : NULL;
    tn_tensor **item = key ? tn__scope_alloc(((size_t)count + 1) * sizeof *item) : NULL;
    for (int64_t i = 0; item && i < count; i++)
        if (!(item[i] = of_state((const int64_t[]){ 0, 0, key[i] })))
            return none;
    return item ? (tn_list){ (size_t)count, item } : none;
}

tn_tensor *tn_generator_skip(tn_variable *generator, int64_t delta)
{
    TN__ENTER(context, NULL);
    (void)context;
    return read_and_skip(generator, delta);
}
