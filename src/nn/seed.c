/* seed.c - where a layer's random numbers come from: seeds drawn when it is made, and generators
 * that count on. */
#include "nn/layer.h"
#include "nn/object.h"
#include "tenon/random.h"
#include "tenon/variable.h"

/* --- initializers ----------------------------------------------------------------------------- */
/* INT64_MIN for an initializer that has a seed, or needs none. */
static tn_status draw_seed(tn_context *context, const char *text, int64_t *seed)
{
    tn__thing thing;
    *seed = TN__NO_SEED;
    if (!text)
        return TN_OK;
    TN_TRY(tn__thing_parse(TN__INITIALIZER, text, &thing));
    const int64_t *own = tn__thing_seed(&thing);
    if (own && *own == TN__NO_SEED)
        *seed = tn__random_default_seed(&context->random);
    tn__thing_free(&thing);
    return TN_OK;
}

static size_t initializer_fields(const tn_class *of)
{
    size_t count = 0;
    TN__EACH_FIELD(field, of->fields)
    count += field->kind == TN_FIELD_INITIALIZER;
    return count;
}

static const char *text_of(const tn_layer *layer, const tn_field *field)
{
    return *(const char *const *)(const void *)((const char *)layer->self + field->offset);
}

tn_status tn__draw_seeds(tn_context *context, tn_layer *layer)
{
    size_t count = initializer_fields(layer->of), at = 0;
    if (count == 0)
        return TN_OK;
    layer->seeds = tn__alloc(count * sizeof *layer->seeds);
    if (!layer->seeds)
        return TN_RESOURCE_EXHAUSTED;
    TN__EACH_FIELD(field, layer->of->fields)
    if (field->kind == TN_FIELD_INITIALIZER)
        TN_TRY(draw_seed(context, text_of(layer, field), &layer->seeds[at++]));
    return TN_OK;
}

int64_t tn__drawn_seed(const tn_layer *layer, const char *text)
{
    size_t at = 0;
    TN__EACH_FIELD(field, layer->of->fields)
    {
        if (field->kind != TN_FIELD_INITIALIZER)
            continue;
        if (text && layer->seeds && text_of(layer, field) == text)
            return layer->seeds[at];
        at++;
    }
    return TN__NO_SEED;
}

/* --- generators ------------------------------------------------------------------------------- */
static tn_status make_generator(tn_context *context, int64_t seed, tn_variable **generator)
{
    const int64_t state[2] = { seed == TN__NO_SEED ? tn__random_default_seed(&context->random)
                                                   : seed,
                               0 };
    tn_tensor *value = tn__tensor_ints(TN_INT64, 2, state);
    if (!value)
        return TN_RESOURCE_EXHAUSTED;
    tn__variable_spec spec = { .value = value, .name = "seed_generator_state" };
    tn_status status = tn__variable_make(context, &spec, generator);
    tn__release(value);
    TN_TRY(status);
    tn__variable *v = (*generator)->of.variable;
    v->seed = true;
    v->path = tn__strdup("seed_generator/seed_generator_state");
    return v->path ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

tn_variable *tn_seed_generator(int64_t seed)
{
    TN__ENTER(context, NULL);
    tn_variable *generator = NULL;
    if (make_generator(context, seed, &generator) == TN_OK)
        return tn__own(generator);
    tn__release(generator);
    return NULL;
}

/* An int64 constant of the innermost scope. */
static tn_tensor *numbers(int64_t count, const int64_t *values)
{
    return tn__own(tn__tensor_ints(TN_INT64, count, values));
}

static tn_tensor *number(int64_t value)
{
    return numbers(1, &value);
}

/* A session runs what is asked for: there whoever takes the state moves it on. */
static tn_tensor *taken(tn_context *context, tn_tensor *state, tn_tensor *moved)
{
    if (!moved || !context->graph || !context->graph->v1)
        return moved ? state : NULL;
    tn__control *outer = context->control, after = { outer, &moved->of.output.node, 1 };
    context->control = &after;
    tn_tensor *same = tn_identity(state);
    context->control = outer;
    return same;
}

/* Not ordered, a state takes its next place among about a million. */
tn_tensor *tn_seed_generator_next(tn_variable *generator, bool ordered)
{
    TN__ENTER(context, NULL);
    tn_tensor *state = tn_read_value(generator);
    tn_tensor *moved =
        !state    ? NULL
        : ordered ? tn_assign_add(generator, numbers(2, (const int64_t[]){ 0, 1 }))
                  : tn_assign(generator, tn_floormod(tn_multiply(tn_add(state, number(1)), number(5387)),
                                                     number(933199)));
    return taken(context, state, moved);
}

/* Keras brings a state into the range of int32 by its remainder. */
static tn_tensor *as_int32(tn_tensor *state)
{
    return state ? tn_cast(tn_floormod(state, number(INT32_MAX - 1)), TN_INT32) : NULL;
}

tn_tensor *tn__next_seed(tn_variable *generator)
{
    return as_int32(tn_seed_generator_next(generator, true));
}

/* No layer's, wherever it is used first. */
static tn_variable *global_generator(tn_context *context)
{
    tn_variable **global = &context->random.generator;
    const int64_t state[2] = { *global ? 0 : tn__random_default_seed(&context->random), 0 };
    tn_tensor *value = *global ? NULL : tn__tensor_ints(TN_INT64, 2, state);
    tn__variable_spec spec = { .value = value, .name = "seed_generator_state" };
    if (value)
        (void)!tn__variable_new(&spec, global);
    tn__release(value);
    return *global;
}

tn_tensor *tn__keras_seed(tn_context *context, int64_t seed, tn_variable *generator)
{
    if (generator)
        return tn__next_seed(generator);
    if (seed != TN__NO_SEED)
        return as_int32(numbers(2, (const int64_t[]){ seed, 0 }));
    generator = global_generator(context);
    return generator ? as_int32(tn_seed_generator_next(generator, false)) : NULL;
}
