/* random_programs.c - cases of kind "random" that are programs: seeds set, and then several calls.
 */
#include "conformance/conformance.h"
#include "nn/config.h"
#include "tenon/layers.h"
#include "tenon/random.h"
#include "tenon/variable.h"
#include <string.h>

typedef struct {
    golden_case *c;
    verdict *v;
    const json_t *value; /* of the case */
    int64_t seed;
} program;

/* A member, or an item, of what was recorded. */
static bool member(const program *p, const char *name, tn_tensor *got)
{
    return same_json(p->v, p->c, got, json_object_get(p->value, name), name);
}

static bool item(const program *p, const json_t *list, size_t i, tn_tensor *got)
{
    char what[32];
    snprintf(what, sizeof what, "value %zu", i);
    return same_json(p->v, p->c, got, json_array_get(list, i), what);
}

static tn_tensor *ten(void)
{
    static const int32_t values[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    return tn_constant(TN_INT32, TN_SHAPE(10), values);
}

/* --- tf.random.set_seed ----------------------------------------------------------------------- */
static void sequence(program *p)
{
    tn_set_seed(p->seed);
    item(p, p->value, 0, tn_random_uniform(TN_SHAPE(5)));
    item(p, p->value, 1, tn_random_uniform(TN_SHAPE(5)));
    item(p, p->value, 2, tn_random_normal(TN_SHAPE(5)));
    item(p, p->value, 3, tn_random_truncated_normal(TN_SHAPE(5)));
    item(p, p->value, 4, tn_random_uniform(TN_SHAPE(5), .maxval = 100, .dtype = TN_INT32));
}

static void op_seed(program *p)
{
    tn_set_seed(p->seed);
    item(p, p->value, 0, tn_random_uniform(TN_SHAPE(5), .seed = 7));
    item(p, p->value, 1, tn_random_uniform(TN_SHAPE(5), .seed = 7));
    item(p, p->value, 2, tn_random_normal(TN_SHAPE(5), .seed = 7));
    item(p, p->value, 3, tn_random_normal(TN_SHAPE(5), .seed = 9));
}

static void shuffle(program *p)
{
    const float logits[] = { 0, 1, 2 };
    const float two = 2;
    tn_set_seed(p->seed);
    item(p, p->value, 0, tn_random_shuffle(ten()));
    item(p, p->value, 1, tn_random_shuffle(ten()));
    item(p, p->value, 2, tn_random_shuffle(ten(), .seed = 3));
    item(p, p->value, 3,
         tn_random_categorical(tn_constant(TN_FLOAT32, TN_SHAPE(1, 3), logits), .num_samples = 8));
    item(p, p->value, 4,
         tn_random_gamma(TN_SHAPE(4), .alpha = tn_constant(TN_FLOAT32, TN_SCALAR, &two)));
}

/* --- in graphs -------------------------------------------------------------------------------- */
static tn_tensor *draw_two(void *self, tn_list inputs)
{
    (void)self, (void)inputs;
    tn_tensor *x = tn_random_uniform(TN_SHAPE(4));
    return tn_tuple(x, tn_random_normal(TN_SHAPE(4)));
}

/* A graph of version 1 with a seed of its own. */
static tn_tensor *draw_three(void *self, tn_list inputs)
{
    (void)inputs;
    tn_set_seed(((const program *)self)->seed);
    tn_tensor *x = tn_random_uniform(TN_SHAPE(4)), *y = tn_random_normal(TN_SHAPE(4));
    return tn_tuple(x, y, tn_random_uniform(TN_SHAPE(4), .seed = 5));
}

static void call_twice(program *p, tn_body body)
{
    tn_function *f = tn_function(body, p);
    for (size_t run = 0; run < 2; run++) {
        const json_t *wanted = json_array_get(p->value, run);
        tn_list got = tn_items(tn_call_list(f, ((tn_list){ 0, (tn_tensor *[]){ NULL } })));
        for (size_t i = 0; i < got.count; i++)
            item(p, wanted, i, got.item[i]);
        if (got.count != json_array_size(wanted))
            fail_case(p->v, "run %zu gives %zu outputs", run, got.count);
    }
}

static void in_function(program *p)
{
    tn_set_seed(p->seed);
    call_twice(p, draw_two);
}

static void v1_graph(program *p)
{
    p->seed %= INT64_C(1) << 31;
    call_twice(p, draw_three);
}

/* --- tf.random.Generator ---------------------------------------------------------------------- */
static void generator(program *p)
{
    tn_variable *g = tn_random_generator(p->seed);
    member(p, "state0", tn_read_value(g));
    member(p, "normal5", tn_generator_normal(g, TN_SHAPE(5)));
    member(p, "uniform5", tn_generator_uniform(g, TN_SHAPE(5)));
    member(p, "int32_0_100",
           tn_generator_uniform(g, TN_SHAPE(5), .maxval = 100, .dtype = TN_INT32));
    member(p, "trunc5", tn_generator_truncated_normal(g, TN_SHAPE(5)));
    tn_dtype any = tn__dtype_of_name("uint64");
    if (!any) {
        skip_case(p->v, "dtype uint64");
        return;
    }
    member(p, "full_int", tn_generator_uniform_full_int(g, TN_SHAPE(3), .dtype = any));
    member(p, "make_seeds", tn_generator_make_seeds(g, 2));
    member(p, "state_after", tn_read_value(g));
    tn_list parts = tn_generator_split(g, 1);
    member(p, "split_state", parts.count ? tn_read_value(parts.item[0]) : NULL);
}

/* --- keras ------------------------------------------------------------------------------------ */
static void seed_generator(program *p)
{
    tn_variable *g = tn_seed_generator(p->seed);
    const json_t *draws = json_object_get(p->value, "draws");
    for (size_t i = 0; i < json_array_size(draws); i++) {
        const json_t *draw = json_array_get(draws, i);
        same_json(p->v, p->c, tn_read_value(g), json_object_get(draw, "state_before"), "state");
        same_json(p->v, p->c, tn_keras_random_normal(TN_SHAPE(3), .seed_generator = g),
                  json_object_get(draw, "normal3"), "normal");
    }
    member(p, "next", tn_seed_generator_next(g, true));
    member(p, "next_unordered_1", tn_seed_generator_next(g, false));
    member(p, "next_unordered_2", tn_seed_generator_next(g, false));
    member(p, "state_after", tn_read_value(g));
}

/* The seed that a generator without one was given. */
static int64_t next_default_seed(void)
{
    const int64_t *state = tn_data(tn_seed_generator(TN_NO_SEED), TN_INT64);
    return state ? state[0] : 0;
}

static void default_seeds(program *p)
{
    int64_t drawn[8];
    tn_set_random_seed(p->seed);
    for (int i = 0; i < 8; i++)
        drawn[i] = next_default_seed();
    same_json(p->v, p->c, tn_constant(TN_INT64, TN_SHAPE(8), drawn), p->value, "seeds");
}

static tn_tensor *built_kernel(tn_layer *layer, int64_t inputs)
{
    tn_call(layer, tn_zeros(TN_SHAPE(1, inputs), TN_FLOAT32));
    return tn_at(tn_variables(layer), 0);
}

/* What numpy's own generator gives is none of ours. */
static void set_random_seed(program *p)
{
    tn_set_random_seed(p->seed);
    member(p, "dense0_kernel", built_kernel(tn_dense(4), 3));
    member(p, "dense1_kernel", built_kernel(tn_dense(2), 4));
    tn_layer *dropout = tn_dropout(0.5);
    tn_tensor *ones = tn_ones(TN_SHAPE(2, 6), TN_FLOAT32);
    member(p, "dropout_out", tn_call_with(dropout, TN_LIST(ones), .training = true));
    member(p, "global_normal_1", tn_keras_random_normal(TN_SHAPE(3)));
    member(p, "global_normal_2", tn_keras_random_normal(TN_SHAPE(3)));
    member(p, "tf_uniform", tn_random_uniform(TN_SHAPE(3)));
    int64_t seed = next_default_seed(),
            wanted = (int64_t)json_integer_value(json_object_get(p->value, "py_randint"));
    if (no_error(p->v, "the next seed") && seed != wanted)
        fail_case(p->v, "the next seed is %lld, want %lld", (long long)seed, (long long)wanted);
}

/* --- all of them ------------------------------------------------------------------------------ */
static const struct {
    const char *group;
    void (*run)(program *p);
} programs[] = {
    { "set_seed_sequence", sequence },
    { "set_seed_op_seed", op_seed },
    { "set_seed_shuffle", shuffle },
    { "set_seed_in_function", in_function },
    { "v1_graph_seed", v1_graph },
    { "Generator", generator },
    { "keras_SeedGenerator", seed_generator },
    { "python_randint_1_1e9", default_seeds },
    { "set_random_seed_program", set_random_seed },
};

void replay_random_program(golden_case *c, verdict *v)
{
    const json_t *json = golden_json(c), *seed = json_object_get(json, "gs");
    const char *name = tn__json_text(json, "name");
    program p = { c, v, json_object_get(json, "value"),
                  (int64_t)json_integer_value(seed ? seed : json_object_get(json, "seed")) };
    for (size_t i = 0; name && i < sizeof programs / sizeof *programs; i++) {
        size_t length = strlen(programs[i].group);
        if (strncmp(programs[i].group, name, length) == 0 && name[length] == '_') {
            programs[i].run(&p);
            return;
        }
    }
    skip_case(v, "%s", name ? name : "a case without a name");
}
