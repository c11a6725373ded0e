/* function_rules_test.c - which traces are made, which variables they may make, and whose those
 * are. */
#include "support/check.h"

#define SINGLETON                                                                                  \
    "tf.function only supports singleton tf.Variables created on the first call. Make sure the "   \
    "tf.Variable is only created once or created "                                                 \
    "outside tf.function. See https://www.tensorflow.org/guide/function#creating_tfvariables for " \
    "more information."
#define NON_FIRST "Creating variables on a non-first call to a function decorated with tf.function."

typedef struct {
    int bodies;
    tn_variable *v, *w;
    tn_layer *layer;
    tn_optimizer *optimizer;
    tn_metric *metric;
    tn_loss *loss;
    tn_function *inner;
    bool guarded, fails;
} state_of;

static tn_tensor *ones(int64_t n)
{
    return tn_ones(TN_SHAPE(n), TN_FLOAT32);
}

static float first_of(tn_tensor *x)
{
    const float *data = tn_data_float32(x);
    return data ? data[0] : -1;
}

/* The message must begin with a line and have all of the words. */
static void check_refusal(const char *first_line, const char *const words[])
{
    const tn_error *e = tn_catch(TN_VARIABLE_CREATION);
    assert_non_null(e);
    assert_string_equal(e->first_line, first_line);
    for (size_t i = 0; words[i]; i++)
        if (!strstr(e->message, words[i])) {
            print_error("'%s' is not in:\n%s\n", words[i], e->message);
            fail();
        }
}
#define CHECK_REFUSAL(first_line, ...) \
    check_refusal((first_line), (const char *const[]){ __VA_ARGS__, NULL })

/* --- rule 5: variables in traces
 * ------------------------------------------------------------------------------------------ */
static int line_of_v;
static tn_tensor *adds_v(void *me, tn_list inputs)
{
    state_of *s = me;
    s->bodies++;
    if (!s->guarded || !s->v) {
        line_of_v = __LINE__ + 1;
        s->v = tn_variable(ones(1), .name = "v");
    }
    if (s->fails)
        return tn_fail(TN_CANCELLED, "as asked");
    return s->v ? tn_assign_add(s->v, tn_at(inputs, 0)) : NULL;
}

static void guarded_creation_is_traced_twice_before_the_first_result(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { .guarded = true };
    tn_function *f = tn_function(adds_v, &s);
    assert_float_equal(first_of(tn_call(f, ones(1))), 2, 0);
    assert_int_equal(tn_trace_count(f), 2);
    assert_int_equal(s.bodies, 2);
    assert_float_equal(first_of(tn_call(f, ones(1))), 3, 0);
    assert_int_equal(tn_trace_count(f), 2);
    assert_int_equal(s.bodies, 2);
    CHECK_NO_ERROR();
}

static void creation_at_every_call_fails_in_the_first_call_and_says_where(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { .guarded = false };
    tn_function *f = tn_function(adds_v, &s);
    for (int i = 0; i < 2; i++) {
        assert_null(tn_call(f, ones(1)));
        char made[64], before[96];
        snprintf(made, sizeof made, "function_rules_test.c:%d, in trace 2 of adds_v", line_of_v);
        snprintf(before, sizeof before, "the first trace made 'v' at ");
        CHECK_REFUSAL(SINGLETON, "variable 'v', made at ", made, before,
                      "make it outside of the function", "in its first call whatever the inputs are");
    }
    assert_null(s.v);
}

static tn_tensor *branches(void *me, tn_list inputs)
{
    state_of *s = me;
    tn_tensor *x = tn_at(inputs, 0);
    if (tn_dim(tn_shape_of(x), 0) == 3)
        s->v = tn_variable(tn_square(ones(1)), .name = "late");
    return s->v ? tn_add(x, s->v) : x;
}

static void
creation_in_a_branch_of_a_second_signature_fails_and_the_first_stays_usable(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { 0 };
    tn_function *f = tn_function(branches, &s);
    tn_call(f, ones(2));
    size_t handles = tn_live_handles();
    {
        TN_SCOPE;
        assert_null(tn_call(f, ones(3)));
        CHECK_REFUSAL(NON_FIRST, "variable 'late', made at ",
                      "function_rules_test.c:", "in trace 2 of branches");
    }
    assert_int_equal(tn_live_handles(), handles); /* the rejected variable is gone */
    assert_null(s.v);
    assert_float_equal(first_of(tn_call(f, ones(2))), 1, 0);
    assert_int_equal(tn_trace_count(f), 1);
    CHECK_NO_ERROR();
}

static void a_first_trace_that_fails_may_be_tried_again_and_leaves_its_variables(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { .guarded = true, .fails = true };
    tn_function *f = tn_function(adds_v, &s);
    assert_null(tn_call(f, ones(1)));
    CHECK_ERROR(TN_CANCELLED, "as asked");
    assert_int_equal(tn_trace_count(f), 0);
    s.fails = false;
    assert_float_equal(first_of(tn_call(f, ones(1))), 2, 0); /* with the variable that is there */
    assert_int_equal(tn_trace_count(f), 1);
    state_of t = { .guarded = true, .fails = true };
    tn_function *g = tn_function(branches, &t);
    assert_null(tn_call(g, tn_scalar(1)));
    assert_non_null(tn_catch(TN_ANY_ERROR));
    assert_non_null(tn_call(g, ones(2)));
    CHECK_NO_ERROR();
}

static tn_tensor *calls_inner_when_asked(void *me, tn_list inputs)
{
    state_of *s = me;
    s->bodies++;
    tn_tensor *x = tn_at(inputs, 0);
    return tn_dim(tn_shape_of(x), 0) == 1 ? tn_call(s->inner, x) : x;
}

static void an_inner_function_may_make_its_variables_in_a_later_trace_of_the_outer(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of in = { .guarded = true }, out = { 0 };
    out.inner = tn_function(adds_v, &in);
    tn_function *f = tn_function(calls_inner_when_asked, &out);
    tn_call(f, ones(2));
    assert_float_equal(first_of(tn_call(f, ones(1))), 2, 0);
    assert_int_equal(tn_trace_count(f), 2);
    assert_int_equal(tn_trace_count(out.inner), 2);
    /* What the inner makes is the inner's: the outer's first trace made nothing. */
    state_of in2 = { .guarded = true }, out2 = { 0 };
    out2.inner = tn_function(adds_v, &in2);
    tn_function *g = tn_function(calls_inner_when_asked, &out2);
    assert_float_equal(first_of(tn_call(g, ones(1))), 2, 0);
    assert_int_equal(tn_trace_count(g), 1);
    CHECK_NO_ERROR();
}

static tn_tensor *calls_a_layer(void *me, tn_list inputs)
{
    state_of *s = me;
    s->bodies++;
    return tn_to_int(tn_at(inputs, 1)) ? tn_call(s->layer, tn_at(inputs, 0)) : tn_at(inputs, 0);
}

static void a_layer_builds_in_a_first_trace_and_not_in_a_later_one(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(1, 3), TN_FLOAT32);
    state_of s = { .layer = tn_dense(2) }, t = { .layer = tn_dense(2, .name = "late") };
    tn_function *f = tn_function(calls_a_layer, &s), *g = tn_function(calls_a_layer, &t);
    assert_non_null(tn_call(f, x, tn_scalar(1)));
    assert_int_equal(tn_trace_count(f), 2);
    tn_call(g, x, tn_scalar(0));
    assert_null(tn_call(g, x, tn_scalar(1)));
    CHECK_REFUSAL(NON_FIRST, "variable 'late/kernel', made at ", "in trace 2 of calls_a_layer");
    assert_non_null(tn_call(t.layer, x)); /* it can still be built outside */
    assert_non_null(tn_call(g, x, tn_scalar(1)));
    CHECK_NO_ERROR();
}

static tn_tensor *minimizes(void *me, tn_list inputs)
{
    state_of *s = me;
    s->bodies++;
    if (tn_to_int(tn_at(inputs, 1))) {
        tn_tape *tape = tn_gradient_tape();
        tn_tensor *loss = tn_reduce_sum(tn_multiply(s->v, tn_at(inputs, 0)));
        if (tn_apply_gradients(s->optimizer, tn_gradient(tape, loss, TN_LIST(s->v)),
                               TN_LIST(s->v)) != TN_OK)
            return NULL;
    }
    return tn_read_value(s->v);
}

static void an_optimizer_makes_its_slots_in_a_first_trace_and_not_in_a_later_one(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { .v = tn_variable(ones(1), .name = "v"),
                   .optimizer = tn_sgd(0.1, .momentum = 0.9) };
    tn_function *f = tn_function(minimizes, &s), *g = tn_function(minimizes, &s);
    tn_call(f, ones(1), tn_scalar(0));
    assert_null(tn_call(f, ones(1), tn_scalar(1)));
    CHECK_REFUSAL(NON_FIRST, "in trace 2 of minimizes");
    assert_float_equal(first_of(tn_call(g, ones(1), tn_scalar(1))), 0.9, 1e-6);
    assert_int_equal(tn_trace_count(g), 2);
    assert_float_equal(first_of(tn_call(g, ones(1), tn_scalar(1))), 0.71, 1e-6);
    assert_non_null(tn_call(f, ones(1), tn_scalar(1))); /* the slots are there now */
    CHECK_NO_ERROR();
}

static tn_tensor *squares(void *me, tn_list inputs)
{
    (void)me;
    return tn_square(tn_at(inputs, 0));
}

/* All that a program may make once and keep: made while it is NULL, as in Python. */
static tn_tensor *makes_what_it_trains_with(void *me, tn_list inputs)
{
    state_of *s = me;
    if (!s->layer) {
        s->layer = tn_dense(1, .use_bias = false, .kernel_initializer = "ones");
        s->optimizer = tn_sgd(0.5, .momentum = 0.9);
        s->metric = tn_mean_metric();
        s->loss = tn_mean_squared_error();
        s->inner = tn_function(squares);
    }
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = tn_call(s->layer, tn_at(inputs, 0));
    tn_tensor *loss = tn_call(s->loss, tn_zeros(TN_SHAPE(1, 1), TN_FLOAT32), tn_call(s->inner, y));
    tn_list variables = tn_trainable_variables(s->layer);
    if (tn_apply_gradients(s->optimizer, tn_gradient(tape, loss, variables), variables) != TN_OK)
        return NULL;
    return tn_call(s->metric, loss);
}

static void what_a_body_makes_once_lives_as_long_as_its_function(void **state)
{
    (void)state;
    for (int eager = 0; eager < 2; eager++) {
        TN_SCOPE;
        state_of s = { 0 };
        tn_function *f = tn_function(makes_what_it_trains_with, &s, .eager = eager);
        /* the kernel is 1, then 1 - 0.5 * 4 = -1: both give a loss of 1 */
        for (int call = 0; call < 2; call++)
            assert_float_equal(first_of(tn_call(f, tn_ones(TN_SHAPE(1, 1), TN_FLOAT32))), 1, 1e-6);
        CHECK_NO_ERROR();
    }
}

static tn_tensor *draws(void *me, tn_list inputs)
{
    state_of *s = me;
    tn_tensor *y = tn_random_normal(TN_SHAPE(2));
    if (!s->v)
        s->v = tn_variable(tn_random_normal(TN_SHAPE(2)));
    return tn_tuple(tn_add(s->v, tn_at(inputs, 0)), y, tn_random_normal(TN_SHAPE(2)));
}

/* Recorded from TensorFlow 2.21 with tf.random.set_seed(42). */
static tn_tensor *value_of_input_body(void *me, tn_list inputs)
{
    state_of *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    if (!self->v)
        self->v = tn_variable(tn_multiply(x, tn_scalar(2)), .name = "v");
    return tn_add(self->v, x);
}

/* tf.function: f(1) is 3, then f(5) is 7. */
static void a_first_value_may_come_of_the_first_calls_inputs(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of self = { .bodies = 0 };
    tn_function *f = tn_function(value_of_input_body, &self);
    assert_float_equal(first_of(tn_call(f, ones(2))), 3, 0);
    assert_non_null(strstr(tn_created_at(self.v), " while tracing"));
    assert_float_equal(first_of(tn_call(f, tn_multiply(ones(2), tn_scalar(5)))), 7, 0);
}

static void a_random_first_value_is_drawn_once_from_tensorflows_stream(void **state)
{
    (void)state;
    TN_SCOPE;
    static const float expected[2][3][2] = {
        { { -1.499947f, -1.2420495f }, { -0.30101568f, 0.51859164f }, { -1.499947f, -1.2420495f } },
        { { -1.499947f, -1.2420495f }, { 0.3091649f, 0.03633794f }, { -0.8944765f, 1.0986292f } }
    };
    state_of s = { 0 };
    tn_set_seed(42);
    tn_function *f = tn_function(draws, &s);
    for (int call = 0; call < 2; call++) {
        tn_tensor *y = tn_call(f, tn_zeros(TN_SHAPE(2), TN_FLOAT32));
        CHECK_NO_ERROR();
        for (size_t i = 0; i < 3; i++)
            for (int k = 0; k < 2; k++)
                assert_float_equal(tn_data_float32(tn_item(y, i))[k], expected[call][i][k], 2e-6);
    }
    assert_float_equal(first_of(tn_random_normal(TN_SHAPE(1))), 0.3274685, 2e-6);
}

/* --- rule 6, in traces
 * ------------------------------------------------------------------------------------------------------
 */
typedef struct {
    tn_variable *w;
    bool guarded;
} maker;

static tn_tensor *maker_call(void *me, tn_list inputs)
{
    maker *self = me;
    if (!self->guarded || !self->w)
        self->w = tn_variable(ones(3), .name = "w");
    return tn_multiply(self->w, tn_at(inputs, 0));
}

static void maker_build(void *me, tn_list inputs)
{
    (void)me;
    (void)inputs;
    tn_add_weight(TN_SHAPE(1), .name = "k");
}
static const tn_class Maker = { .name = "Maker",
                                .size = sizeof(maker),
                                .fields = TN_FIELDS(TN_FIELD(maker, w)),
                                .call = maker_call,
                                .traced = true };
static const tn_class Builder = { .name = "Builder",
                                  .size = sizeof(maker),
                                  .fields = TN_FIELDS(TN_FIELD(maker, w)),
                                  .build = maker_build,
                                  .call = maker_call,
                                  .traced = true };

static void a_traced_layers_call_has_a_function_of_its_own(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(2, 3), TN_FLOAT32);
    tn_layer *a = tn_new(&Maker, TN_INIT(maker, .guarded = true)),
             *b = tn_new(&Builder, TN_INIT(maker, .guarded = true));
    for (int i = 0; i < 2; i++) {
        assert_non_null(tn_call(a, x));
        assert_non_null(tn_call(b, x));
    }
    assert_int_equal(tn_variables(a).count, 1);
    assert_int_equal(tn_variables(b).count, 2);
    tn_layer *c = tn_new(&Maker, TN_INIT(maker, .guarded = false), .name = "c");
    assert_null(tn_call(c, x));
    CHECK_REFUSAL(SINGLETON, "variable 'c/w', made at ", "in trace 2 of c",
                  "the first trace made 'c/w' at ");
    assert_null(tn_call(c, x));
    CHECK_REFUSAL(SINGLETON, "You cannot add new elements of state",
                  "variable 'w' on a non-first call of 'c'", "it has a 'w' made at ");
}

/* --- rule 6, at once
 * ---------------------------------------------------------------------------------------------------------
 */
static int line_of_late;
typedef struct {
    int calls, how;
    tn_layer *early;
} late;

static void late_init(void *me)
{
    ((late *)me)->early = tn_dense(1, .name = "early");
}

static tn_tensor *late_call(void *me, tn_list inputs)
{
    late *self = me;
    tn_tensor *x = tn_at(inputs, 0);
    if (self->how == 0)
        return ++self->calls < 3 ? x : tn_call(self->early, x); /* built by a later call */
    line_of_late = __LINE__ + 1;
    return tn_call(tn_dense(1, .name = "late"), x);
}
static const tn_class Late = { .name = "Late",
                               .size = sizeof(late),
                               .fields = TN_FIELDS(TN_FIELD(late, early)),
                               .init = late_init,
                               .call = late_call };
static const tn_class Plain = { .name = "Plain",
                                .size = sizeof(maker),
                                .fields = TN_FIELDS(TN_FIELD(maker, w)),
                                .call = maker_call };

static void a_closed_layer_takes_no_new_part_but_an_old_one_may_still_build(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(2, 3), TN_FLOAT32);
    tn_layer *patient = tn_new(&Late),
             *hasty = tn_new(&Late, TN_INIT(late, .how = 1), .name = "hasty");
    int line_of_hasty = __LINE__ - 1;
    for (int i = 0; i < 4; i++)
        assert_non_null(tn_call(patient, x));
    CHECK_NO_ERROR();
    assert_int_equal(tn_variables(patient).count, 2);
    assert_non_null(tn_call(hasty, x));
    assert_null(tn_call(hasty, x));
    char made[64], owner[64];
    snprintf(made, sizeof made, "function_rules_test.c:%d; 'hasty' was made at", line_of_late);
    snprintf(owner, sizeof owner, "function_rules_test.c:%d", line_of_hasty);
    CHECK_REFUSAL("You cannot add new elements of state (variables or sub-layers) to a layer that "
                  "is already built. All state must be created in "
                  "the `__init__()` method or in the `build()` method.",
                  "layer 'late' on a non-first call of 'hasty', made at ", made, owner,
                  "make it in init or build");
    assert_int_equal(tn_layers(hasty).count, 2);
}

/* --- the library's own steps
 * --------------------------------------------------------------------------------------------------
 */
static tn_status fit_with(tn_layer *layer)
{
    tn_model *model = tn_sequential(TN_LAYERS(layer, tn_dense(1)));
    tn_tensor *x = tn_ones(TN_SHAPE(4, 3), TN_FLOAT32), *y = tn_ones(TN_SHAPE(4, 1), TN_FLOAT32);
    tn_must(tn_compile(model, tn_sgd(0.01), "mse"));
    return tn_fit(model, x, y, .epochs = 2, .verbose = 0) ? TN_OK : tn_pending();
}

static void
fit_takes_a_call_that_makes_its_variable_once_and_refuses_one_that_makes_it_always(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *good = tn_new(&Plain, TN_INIT(maker, .guarded = true));
    CHECK_OK(fit_with(good));
    assert_int_equal(tn_variables(good).count, 1);
    assert_int_equal(fit_with(tn_new(&Plain, TN_INIT(maker, .guarded = false), .name = "bad")),
                     TN_VARIABLE_CREATION);
    CHECK_REFUSAL(SINGLETON, "in trace 2 of train_step", "bad/w'");
}

/* --- rule 11: owners
 * --------------------------------------------------------------------------------------------------------
 */
static void what_a_traced_body_makes_lives_as_long_as_the_function(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of s = { .guarded = true };
    tn_function *f = tn_function(adds_v, &s);
    {
        TN_SCOPE;
        tn_call(f, ones(1));
    }
    assert_string_equal(tn_name(s.v), "v");
    tn_free(f);
    assert_null(tn_square(s.v));
    assert_non_null(tn_catch(TN_ANY_ERROR));
}

static tn_tensor *calls_inner(void *me, tn_list inputs)
{
    return tn_call(((state_of *)me)->inner, tn_at(inputs, 0));
}

static tn_tensor *makes_in_a_scope(void *me, tn_list inputs)
{
    state_of *s = me;
    TN_SCOPE;
    if (!s->v) {
        s->v = tn_variable(ones(1));
        s->layer = tn_dense(1);
    }
    return tn_keep(tn_multiply(s->v, tn_at(inputs, 0)));
}

static void what_an_eager_body_makes_belongs_to_the_scope_round_the_call(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of in = { 0 }, out = { 0 };
    out.inner = tn_function(makes_in_a_scope, &in, .eager = true);
    tn_function *outer = tn_function(calls_inner, &out, .eager = true);
    {
        TN_SCOPE;
        for (int i = 0; i < 3; i++) {
            assert_float_equal(first_of(tn_call(outer, ones(1))), 1, 0);
            assert_non_null(tn_call(in.layer, tn_ones(TN_SHAPE(1, 1), TN_FLOAT32)));
        }
        CHECK_NO_ERROR();
    }
    tn_free(outer); /* they know the variables of their latest call */
    tn_free(out.inner);
    assert_null(tn_square(in.v));
    assert_non_null(tn_catch(TN_ANY_ERROR));
}

static void what_an_eager_body_inside_a_traced_one_makes_is_the_traced_functions(void **state)
{
    (void)state;
    TN_SCOPE;
    state_of in = { 0 }, out = { 0 };
    out.inner = tn_function(makes_in_a_scope, &in, .eager = true);
    tn_function *traced = tn_function(calls_inner, &out);
    {
        TN_SCOPE;
        tn_call(traced, ones(1));
    }
    tn_free(out.inner);
    assert_float_equal(first_of(tn_call(traced, ones(1))), 1, 0);
    assert_float_equal(first_of(in.v), 1, 0);
    assert_non_null(tn_call(in.layer, tn_ones(TN_SHAPE(1, 1), TN_FLOAT32)));
    CHECK_NO_ERROR();
}

typedef struct {
    tn_function *helper;
    tn_variable *early;
} owner;
static state_of helper_state;

static void owner_init(void *me)
{
    owner *self = me;
    TN_WITH(tn_name_scope("inside"));
    TN_SCOPE;
    self->early = tn_variable(ones(1), .name = "early");
    self->helper = tn_keep_root(tn_function(makes_in_a_scope, &helper_state, .eager = true));
}

static tn_tensor *owner_call(void *me, tn_list inputs)
{
    return tn_call(((owner *)me)->helper, tn_at(inputs, 0));
}
static const tn_class Owner = { .name = "Owner",
                                .size = sizeof(owner),
                                .fields = TN_FIELDS(TN_FIELD(owner, early)),
                                .init = owner_init,
                                .call = owner_call };

static void what_a_layers_body_makes_is_the_layers_also_through_functions_and_scopes(void **state)
{
    (void)state;
    TN_SCOPE;
    helper_state = (state_of){ 0 };
    tn_layer *layer = tn_new(&Owner);
    for (int i = 0; i < 2; i++) {
        TN_SCOPE;
        assert_float_equal(first_of(tn_call(layer, ones(1))), 1, 0);
    }
    CHECK_NO_ERROR();
    assert_int_equal(tn_variables(layer).count, 2);
    assert_int_equal(tn_layers(layer).count, 1);
    assert_string_equal(tn_name(tn_variables(layer).item[0]), "inside/early");
    tn_free(((owner *)tn_self(layer, &Owner))->helper);
}

static void a_plain_variable_is_the_innermost_memory_scopes_and_not_the_name_scopes(void **state)
{
    (void)state;
    tn_variable *v;
    {
        TN_SCOPE;
        {
            TN_WITH(tn_name_scope("names"));
            v = tn_variable(ones(1), .name = "v");
        }
        assert_string_equal(tn_name(v), "names/v");
    }
    assert_null(tn_square(v));
    assert_non_null(tn_catch(TN_ANY_ERROR));
}

/* --- memory
 * ----------------------------------------------------------------------------------------------------------------
 */
static bool make_and_ask(void *unused)
{
    (void)unused;
    state_of s = { .guarded = true }, t = { 0 }, u = { 0 };
    tn_function *f = tn_function(adds_v, &s), *g = tn_function(makes_in_a_scope, &t, .eager = true);
    u.inner = f;
    tn_function *h = tn_function(calls_inner, &u);
    tn_function *c = tn_call(h, ones(1)) ? tn_get_concrete_function(f, TN_LIST(ones(1))) : NULL;
    return c && tn_call(c, ones(1)) && tn_call(g, ones(1)) && tn_variables(g).item &&
           tn_variables(c).item;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(make_and_ask, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guarded_creation_is_traced_twice_before_the_first_result),
        cmocka_unit_test(creation_at_every_call_fails_in_the_first_call_and_says_where),
        cmocka_unit_test(
            creation_in_a_branch_of_a_second_signature_fails_and_the_first_stays_usable),
        cmocka_unit_test(a_first_trace_that_fails_may_be_tried_again_and_leaves_its_variables),
        cmocka_unit_test(an_inner_function_may_make_its_variables_in_a_later_trace_of_the_outer),
        cmocka_unit_test(a_layer_builds_in_a_first_trace_and_not_in_a_later_one),
        cmocka_unit_test(an_optimizer_makes_its_slots_in_a_first_trace_and_not_in_a_later_one),
        cmocka_unit_test(what_a_body_makes_once_lives_as_long_as_its_function),
        cmocka_unit_test(a_first_value_may_come_of_the_first_calls_inputs),
        cmocka_unit_test(a_random_first_value_is_drawn_once_from_tensorflows_stream),
        cmocka_unit_test(a_traced_layers_call_has_a_function_of_its_own),
        cmocka_unit_test(a_closed_layer_takes_no_new_part_but_an_old_one_may_still_build),
        cmocka_unit_test(
            fit_takes_a_call_that_makes_its_variable_once_and_refuses_one_that_makes_it_always),
        cmocka_unit_test(what_a_traced_body_makes_lives_as_long_as_the_function),
        cmocka_unit_test(what_an_eager_body_makes_belongs_to_the_scope_round_the_call),
        cmocka_unit_test(what_an_eager_body_inside_a_traced_one_makes_is_the_traced_functions),
        cmocka_unit_test(what_a_layers_body_makes_is_the_layers_also_through_functions_and_scopes),
        cmocka_unit_test(a_plain_variable_is_the_innermost_memory_scopes_and_not_the_name_scopes),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
