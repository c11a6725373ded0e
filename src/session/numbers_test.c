/* numbers_test.c - numbers of TensorFlow 1: first values of variables, drawn each time they are initialised, and updates of layers. */
#include "session/session.h"
#include "support/check_op.h"
#include "session/testdata/session_cases.h"

static size_t check_part(const drawn_case *c, size_t at, tn_tensor *x, double tolerance)
{
    assert_non_null(x);
    for (int64_t i = 0; i < tn__count(x); i++, at++) {
        double got = tn__double_at(x, i), want = c->value[at];
        if (!(got - want <= tolerance && want - got <= tolerance))
            fail_msg("%s: number %zu is %.17g, want %.17g", c->initializer ? c->initializer : "none", at, got, want);
    }
    return at;
}

static void check_case(const drawn_case *c)
{
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    if (c->seed != TN_NO_SEED)
        tn_set_seed(c->seed);
    tn_variable *v = tn_get_variable("v", c->shape, c->dtype, c->initializer);
    tn_tensor *beside = c->seed != TN_NO_SEED ? tn_random_normal(TN_SHAPE(2)) : NULL;
    tn_operation *init = tn_global_variables_initializer();
    size_t at = 0;
    for (int k = 0; k < 2; k++) {
        tn_session *session = tn_session();
        for (int i = 0; i < 2; i++) {
            CHECK_OK(tn_run_operation(session, init));
            at = check_part(c, at, tn_run(session, v), 5e-7);
        }
        if (beside)
            at = check_part(c, at, tn_run(session, beside), 0);
    }
    assert_int_equal(at, c->count);
}

static void every_session_and_every_run_draws_what_tensorflow_draws(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof drawn_cases / sizeof *drawn_cases; i++)
        check_case(&drawn_cases[i]);
}

static bool alike(tn_tensor *a, tn_tensor *b)
{
    assert_non_null(a);
    assert_non_null(b);
    return memcmp(a->data, b->data, (size_t)tn__count(a) * sizeof(float)) == 0;
}

static void without_a_seed_no_run_is_like_another(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_set_seed(3); /* of what is eager */
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *v = tn_get_variable("v", TN_SHAPE(4));
    tn_operation *init = tn_global_variables_initializer();
    tn_session *one = tn_session(), *two = tn_session();
    CHECK_OK(tn_run_operation(one, init));
    CHECK_OK(tn_run_operation(two, init));
    tn_tensor *first = tn_run(one, v);
    assert_false(alike(first, tn_run(two, v)));
    CHECK_OK(tn_run_operation(one, init));
    assert_false(alike(first, tn_run(one, v)));
    assert_true(alike(tn_run(one, v), tn_run(one, v)));
}

/* What is drawn in one session takes nothing from another. */
static void sessions_are_at_places_of_their_own_in_a_stream(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_random_uniform(TN_SHAPE(3), .seed = 4), *order = tn_random_shuffle(tn_range(tn_scalar(9), tn_scalar(0), tn_scalar(-1)), 4);
    tn_session *one = tn_session(), *two = tn_session();
    tn_tensor *a = tn_run(one, tn_tuple(x, order)), *b = tn_run(one, tn_tuple(x, order));
    tn_tensor *c = tn_run(two, tn_tuple(x, order)), *d = tn_run(two, tn_tuple(x, order));
    for (size_t i = 0; i < 2; i++) {
        assert_true(alike(tn_item(a, i), tn_item(c, i)));
        assert_true(alike(tn_item(b, i), tn_item(d, i)));
        assert_false(alike(tn_item(a, i), tn_item(b, i)));
    }
}

static void ops_of_an_initializer_stand_under_its_variable_and_wait_for_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *g = tn_graph_new();
    TN_WITH(tn_graph_as_default(g));
    tn_tensor *unfed = tn_placeholder(TN_FLOAT32, TN_SCALAR, "unfed");
    tn_variable *v;
    {
        TN_WITH(tn_control_dependencies(TN_LIST(unfed)));
        TN_WITH(tn_variable_scope("s"));
        v = tn_get_variable("v", TN_SHAPE(2));
    }
    assert_string_equal(tn_name(v), "s/v");
    assert_string_equal(tn_operation_type(tn_graph_operation(g, "s/v/Initializer/RandomUniform")), "RandomUniform");
    assert_string_equal(tn_operation_type(tn_operation_of(tn_initial_value(v))), "AddV2");
    CHECK_OK(tn_run_operation(tn_session(), tn_variables_initializer(TN_LIST(v))));
}

static void a_first_value_may_depend_on_what_is_fed_and_on_other_variables(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(2), "x");
    tn_variable *v = tn_variable(tn_square(x), .name = "v");
    tn_variable *twice = tn_variable(tn_multiply(tn_initialized_value(v), tn_scalar(2)), .name = "twice");
    tn_session *session = tn_session();
    tn_operation *init = tn_variables_initializer(TN_LIST(twice)), *all = tn_global_variables_initializer();
    assert_int_equal(tn_run_operation(session, all), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "You must feed a value for placeholder tensor 'x'");
    CHECK_OK(tn_run_operation(session, init, .feed = { { x, VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 3) } }));
    CHECK_VALUES(tn_run(session, twice), 0, 2, 18);
    CHECK_VALUES(tn_run(session, tn_is_variable_initialized(v)), 0, 0);
    CHECK_OK(tn_run_operation(session, all, .feed = { { x, VALUES(TN_FLOAT32, TN_SHAPE(2), 2, 5) } }));
    CHECK_VALUES(tn_run(session, v), 0, 4, 25);
    CHECK_VALUES(tn_run(session, tn_initial_value(v), .feed = { { x, VALUES(TN_FLOAT32, TN_SHAPE(2), 6, 7) } }), 0, 36, 49);
    CHECK_OK(tn_run_operation(session, init, .feed = { { x, VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 3) } })); /* v has a value now */
    CHECK_VALUES(tn_run(session, twice), 0, 8, 50);
}

static void an_eager_variable_has_its_value_and_no_initial_one(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(tn_scalar(3.0), .name = "v");
    CHECK_VALUES(tn_initialized_value(v), 0, 3);
    assert_null(tn_initial_value(v));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "This property is not supported when eager execution is enabled.");
    assert_null(tn_initial_value(tn_scalar(1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_initial_value: the argument is not a variable");
}

/* --- updates ------------------------------------------------------------------------------------------------------------ */
static tn_tensor *normalized(tn_layer *layer, tn_tensor *x)
{
    return tn_call_with(layer, TN_LIST(x), .training = true);
}

static void check_moving(tn_session *session, tn_layer *one, tn_layer *other, const double *expected)
{
    tn_list a = tn_layer_non_trainable_variables(one), b = tn_layer_non_trainable_variables(other);
    for (size_t i = 0; i < 8; i++) {
        const tn_tensor *x = tn_run(session, i < 4 ? a.item[i / 2] : b.item[i / 2 - 2]);
        assert_non_null(x);
        double got = tn__double_at(x, (int64_t)(i % 2));
        if (!(got - expected[i] <= 1e-6 && expected[i] - got <= 1e-6))
            fail_msg("number %zu is %.9g, want %.9g", i, got, expected[i]);
    }
}

static tn_layer *batch_normalization_in(const char *scope, double momentum, tn_tensor **x)
{
    TN_WITH(tn_variable_scope(scope));
    tn_layer *layer = tn_batch_normalization(.momentum = momentum);
    *x = normalized(layer, *x);
    return layer;
}

static void updates_of_layers_are_a_collection_and_run_when_they_are_asked_for(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *data = VALUES(TN_FLOAT32, TN_SHAPE(4, 2), 1, 2, 3, 5, -1, 4, 0.5, 7), *three = VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 2, 3, 5, -1, 4);
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(TN_NONE, 2), "x"), *y = x, *after;
    tn_layer *one = batch_normalization_in("a", 0.9, &y);
    y = tn_add(tn_multiply(y, tn_scalar(2)), tn_scalar(1));
    tn_layer *other = batch_normalization_in("b", 0.8, &y);
    tn_list updates = tn_get_collection("update_ops", NULL), of_other = tn_get_collection("update_ops", "b");
    assert_int_equal(updates.count, 4);
    assert_int_equal(of_other.count, 2);
    {
        TN_WITH(tn_control_dependencies(updates));
        after = tn_identity(y);
    }
    tn_call(one, x); /* does not train */
    assert_int_equal(tn_get_collection("update_ops", NULL).count, 4);
    tn_session *session = tn_session();
    assert_non_null(tn_run(session, y, .feed = { { x, data } }));
    check_moving(session, one, other, updated_values[0]);
    assert_non_null(tn_run(session, after, .feed = { { x, data } }));
    check_moving(session, one, other, updated_values[1]);
    assert_non_null(tn_run(session, after, .feed = { { x, three } }));
    check_moving(session, one, other, updated_values[2]);
    CHECK_OK(tn_run_operation(session, tn_group(of_other), .feed = { { x, data } }));
    check_moving(session, one, other, updated_values[3]);
}

static void a_model_is_asked_once_and_a_random_state_is_no_update(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(3, .input_shape = TN_SHAPE(2)), tn_dropout(0.5), tn_batch_normalization()));
    assert_non_null(normalized(model, tn_placeholder(TN_FLOAT32, TN_SHAPE(4, 2), "x")));
    tn_list updates = tn_get_collection("update_ops", NULL);
    assert_int_equal(updates.count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_non_null(strstr(tn_name(updates.item[i]), "batch_normalization"));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_session_and_every_run_draws_what_tensorflow_draws),
        cmocka_unit_test(without_a_seed_no_run_is_like_another),
        cmocka_unit_test(sessions_are_at_places_of_their_own_in_a_stream),
        cmocka_unit_test(ops_of_an_initializer_stand_under_its_variable_and_wait_for_nothing),
        cmocka_unit_test(a_first_value_may_depend_on_what_is_fed_and_on_other_variables),
        cmocka_unit_test(an_eager_variable_has_its_value_and_no_initial_one),
        cmocka_unit_test(updates_of_layers_are_a_collection_and_run_when_they_are_asked_for),
        cmocka_unit_test(a_model_is_asked_once_and_a_random_state_is_no_update),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
