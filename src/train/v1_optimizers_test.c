/* v1_optimizers_test.c - TensorFlow 1's optimizers in sessions, beside numbers of
 * tf.compat.v1.train. */
#include "session/session.h"
#include "support/check_op.h"
#include "tenon/layers.h"
#include "tenon/models.h"
#include "train/optimizer.h"
#include "train/testdata/v1_optimizer_cases.h"
#include "train/v1_optimizer.h"

static tn_tensor *scalar(double x)
{
    return VALUES(TN_FLOAT32, TN_SCALAR, x);
}

static tn_session *begin_session(void)
{
    tn_session *s = tn_session();
    CHECK_OK(tn_run_operation(s, tn_global_variables_initializer()));
    return s;
}

static void run_times(tn_session *s, tn_operation *train, int times)
{
    for (int i = 0; i < times; i++)
        CHECK_OK(tn_run_operation(s, train));
}

/* The problem of the script. */
static tn_operation *train_on_problem(tn_optimizer *optimizer)
{
    tn_variable *w = tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, -2, 0.5, 3), .name = "w");
    tn_variable *t =
        tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, 2, 3, -1, 0.5, 0.25), .name = "t");
    tn_variable *step = tn_variable(tn_constant(TN_INT64, TN_SCALAR, (int64_t[]){ 0 }),
                                    .name = "step", .trainable = false);
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 0.5, 1, -1.5, 0.25),
              *y = VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 0, 2, -1);
    tn_tensor *rows = tn_gather(t, tn_constant(TN_INT32, TN_SHAPE(3), (int32_t[]){ 2, 1, 2 }), 0);
    tn_tensor *loss = tn_add(tn_reduce_sum(tn_square(tn_subtract(tn_multiply(w, x), y))),
                             tn_reduce_sum(tn_square(rows)));
    return tn_minimize(optimizer, loss, .global_step = step);
}

static void check_against(tn_optimizer *optimizer, const v1_value *values, size_t count,
                          const char *operation)
{
    TN_SCOPE;
    tn_graph *g = tn_get_default_graph();
    tn_operation *train = train_on_problem(optimizer);
    assert_string_equal(tn_operation_name(train), operation);
    assert_ptr_equal(tn_graph_operation(g, operation), train);
    assert_int_equal(g->v1->variable.count, count);
    tn_session *s = begin_session();
    run_times(s, train, 5);
    for (size_t i = 0; i < count; i++) {
        tn_tensor *variable = g->v1->variable.item[i].variable, *got = tn_run(s, variable);
        assert_string_equal(tn_name(variable), values[i].name);
        assert_int_equal(variable->of.variable->trainable, i < 2);
        assert_int_equal(tn__count(got), values[i].count);
        for (size_t k = 0; k < values[i].count; k++)
            assert_float_equal(tn__double_at(got, k), values[i].value[k], 2e-5);
    }
}

#define COMPARE(case_, ...)                                                                 \
    do {                                                                                    \
        TN_SCOPE;                                                                           \
        TN_WITH(tn_graph_as_default(tn_graph_new()));                                       \
        check_against(__VA_ARGS__, case_##_values,                                          \
                      sizeof case_##_values / sizeof case_##_values[0], case_##_operation); \
    } while (0)

static void five_steps_are_tensorflows(void **state)
{
    (void)state;
    COMPARE(gradient_descent, tn_gradient_descent_optimizer(0.05));
    COMPARE(momentum, tn_momentum_optimizer(0.05, 0.9));
    COMPARE(nesterov, tn_momentum_optimizer(0.05, 0.9, .use_nesterov = true));
    COMPARE(adam, tn_adam_optimizer(0.1, .beta1 = 0.8, .epsilon = 0.01));
    COMPARE(adam_defaults, tn_adam_optimizer());
    COMPARE(adagrad, tn_adagrad_optimizer(0.3));
    COMPARE(rms_prop, tn_rms_prop_optimizer(0.1, .decay = 0.8, .momentum = 0.5));
    COMPARE(rms_prop_centered, tn_rms_prop_optimizer(0.1, .decay = 0.8, .momentum = 0.5,
                                                     .epsilon = 1e-3, .centered = true));
    COMPARE(adadelta, tn_adadelta_optimizer(2.0, .rho = 0.9, .epsilon = 1e-3));
    COMPARE(ftrl, tn_ftrl_optimizer(0.3, .l1_regularization_strength = 0.1,
                                    .l2_regularization_strength = 0.2));
    COMPARE(ftrl_shrinking,
            tn_ftrl_optimizer(0.3, .learning_rate_power = -0.4, .initial_accumulator_value = 0.2,
                              .l2_shrinkage_regularization_strength = 0.05, .beta = 0.1));
}

/* v1_optimizer_slots of the recorded programs about names. */
static void slots_are_made_in_tensorflows_order(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *g = tn_graph_new();
    TN_WITH(tn_graph_as_default(g));
    tn_variable *w = tn_variable(tn_zeros(TN_SHAPE(2), TN_FLOAT32), .name = "w");
    tn_variable *b = tn_variable(tn_zeros(TN_SHAPE(1), TN_FLOAT32), .name = "b");
    tn_tensor *loss = tn_add(tn_reduce_sum(w), tn_reduce_sum(b));
    tn_optimizer *adam = tn_adam_optimizer();
    assert_non_null(tn_minimize(adam, loss));
    assert_string_equal(tn_operation_name(tn_minimize(tn_momentum_optimizer(0.1, 0.9), loss)),
                        "Momentum");
    static const char *const names[] = { "w",          "b",         "beta1_power", "beta2_power",
                                         "w/Adam",     "w/Adam_1",  "b/Adam",      "b/Adam_1",
                                         "w/Momentum", "b/Momentum" };
    for (int again = 0; again < 2; again++) {
        assert_int_equal(g->v1->variable.count, 10);
        for (size_t i = 0; i < 10; i++)
            assert_string_equal(tn_name(g->v1->variable.item[i].variable), names[i]);
        assert_string_equal(tn_operation_name(tn_minimize(adam, loss, .name = "again")),
                            again ? "again_1" : "again");
    }
}

static void slots_made_in_scopes_have_tensorflows_names(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *g = tn_graph_new();
    TN_WITH(tn_graph_as_default(g));
    TN_WITH(tn_variable_scope("s"));
    TN_WITH(tn_name_scope("zz"));
    tn_variable *w = tn_get_variable("w", TN_SHAPE(2), .initializer = "zeros");
    tn_operation *train = tn_minimize(tn_adam_optimizer(), tn_reduce_sum(tn_square(w)));
    assert_string_equal(tn_operation_name(train), "s/zz/Adam");
    static const char *const names[] = { "s/w", "s/zz/beta1_power", "s/zz/beta2_power",
                                         "s/s/w/Adam", "s/s/w/Adam_1" };
    assert_int_equal(g->v1->variable.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(tn_name(g->v1->variable.item[i].variable), names[i]);
}

static void one_optimizer_has_slots_in_every_graph(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_optimizer *adam = tn_adam_optimizer(0.5);
    for (int i = 0; i < 2; i++) {
        TN_SCOPE;
        tn_graph *g = tn_graph_new();
        TN_WITH(tn_graph_as_default(g));
        tn_variable *w = tn_variable(scalar(3), .name = "w");
        tn_operation *train = tn_minimize(adam, tn_square(w));
        assert_int_equal(g->v1->variable.count, 5);
        tn_session *one = begin_session(), *two = begin_session();
        run_times(one, train, 1);
        CHECK_VALUES(tn_run(one, w), 1e-6, 2.5);
        CHECK_VALUES(tn_run(two, w), 0, 3);
    }
}

static void a_step_sees_the_values_before_it(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *w = tn_variable(scalar(5), .name = "w");
    tn_tensor *rate = tn_placeholder(TN_FLOAT32, TN_SCALAR, "rate"), *loss = tn_square(w);
    tn_operation *train =
        tn_minimize(tn_gradient_descent_optimizer(.learning_rate_tensor = rate), loss);
    tn_session *s = begin_session();
    tn_tensor *both =
        tn_run(s, tn_tuple(loss, tn_as_tensor(train)), .feed = { { rate, scalar(0.1) } });
    CHECK_VALUES(tn_item(both, 0), 0, 25);
    CHECK_VALUES(tn_run(s, w), 1e-6, 4);
    CHECK_OK(tn_run_operation(s, train, .feed = { { rate, scalar(0.5) } }));
    CHECK_VALUES(tn_run(s, w), 1e-6, 0);
}

static void gradients_are_changed_between(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *w = tn_variable(scalar(5), .name = "w"),
                *unused = tn_variable(scalar(1), .name = "unused");
    tn_optimizer *sgd = tn_gradient_descent_optimizer(1.0);
    tn_list g = tn_compute_gradients(sgd, tn_square(w));
    assert_int_equal(g.count, 2);
    assert_null(g.item[1]);
    tn_tensor *changed[] = { tn_minimum(g.item[0], scalar(2)), NULL };
    tn_operation *train = tn_apply_gradients_operation(sgd, (tn_list){ 2, changed },
                                                       TN_LIST(w, unused), .name = "clipped");
    assert_string_equal(tn_operation_name(train), "clipped");
    tn_session *s = begin_session();
    run_times(s, train, 1);
    CHECK_VALUES(tn_run(s, w), 0, 3);
    tn_list part =
        tn_compute_gradients(sgd, tn_square(w), .var_list = TN_LIST(w), .grad_loss = scalar(10));
    CHECK_VALUES(tn_run(s, part.item[0]), 0, 60);
}

static void a_constraint_holds_after_the_step(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *w = tn_variable(scalar(1), .name = "w", .constraint = "non_neg");
    tn_operation *train = tn_minimize(tn_gradient_descent_optimizer(10.0), tn_square(w));
    tn_session *s = begin_session();
    run_times(s, train, 1);
    CHECK_VALUES(tn_run(s, w), 0, 0);
}

/* A layer's weights are eager variables: the session assigns to them. */
static void layers_on_placeholders_are_trained(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(TN_NONE, 2), "x"),
              *value = VALUES(TN_FLOAT32, TN_SHAPE(1, 2), 1, 2);
    tn_layer *dense = tn_dense(3, .kernel_initializer = "ones");
    tn_tensor *y = tn_call(dense, x);
    tn_operation *train = tn_minimize(tn_momentum_optimizer(0.1, 0.9), tn_reduce_sum(y));
    tn_session *s = begin_session();
    CHECK_VALUES(tn_run(s, y, .feed = { { x, value } }), 0, 3, 3, 3);
    CHECK_OK(tn_run_operation(s, train, .feed = { { x, value } }));
    CHECK_VALUES(tn_run(s, y, .feed = { { x, value } }), 1e-6, 2.4, 2.4, 2.4);
    CHECK_VALUES(tn_run(s, tn_layer_variables(dense).item[1]), 1e-6, -0.1, -0.1, -0.1);
}

static void keras_optimizers_make_operations_too(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *w = tn_variable(scalar(5), .name = "w");
    tn_optimizer *adam = tn_adam(.learning_rate = 0.5);
    tn_operation *train = tn_minimize(adam, tn_square(w));
    assert_string_equal(tn_operation_name(train), "adam");
    tn_session *s = begin_session();
    run_times(s, train, 2);
    CHECK_VALUES(tn_run(s, tn_iterations(adam)), 0, 2);
    assert_float_equal(tn_to_double(tn_run(s, w)), 4.0, 0.01);
}

static void what_cannot_be_minimized_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *eager = tn_variable(scalar(5), .name = "w");
    tn_optimizer *sgd = tn_gradient_descent_optimizer(1.0);
    assert_null(tn_minimize(sgd, tn_square(eager)));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "`loss` passed to Optimizer.compute_gradients should be a "
                                        "function when eager execution is enabled.");
    assert_int_equal(tn_apply_gradients(sgd, TN_LIST(scalar(1)), TN_LIST(eager)),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "GradientDescentOptimizer is of TensorFlow 1");
    assert_null(tn_gradient_descent_optimizer());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "GradientDescentOptimizer.__init__() missing 1 required "
                                     "positional argument: 'learning_rate'");
    assert_null(tn_momentum_optimizer(0.1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "missing 1 required positional argument: 'momentum'");
    assert_null(tn_iterations(sgd));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "GradientDescentOptimizer is of TensorFlow 1");
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SCALAR, "x");
    assert_null(tn_minimize(sgd, x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "No variables to optimize.");
    tn_variable *w = tn_variable(scalar(5), .name = "w");
    assert_null(tn_minimize(sgd, x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "No gradients provided for any variable, check your graph for "
                                     "ops that do not support gradients, between "
                                     "variables ['w'] and loss");
    assert_null(tn_minimize(sgd, tn_cast(w, TN_INT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Invalid type tf.int32");
    assert_null(tn_minimize(sgd, tn_square(w), .global_step = x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "global_step is not a variable");
    assert_int_equal(tn_apply_gradients(tn_sgd(), TN_LIST(x), TN_LIST(w)), TN_FAILED_PRECONDITION);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "tn_apply_gradients_operation");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_steps_are_tensorflows),
        cmocka_unit_test(slots_are_made_in_tensorflows_order),
        cmocka_unit_test(slots_made_in_scopes_have_tensorflows_names),
        cmocka_unit_test(one_optimizer_has_slots_in_every_graph),
        cmocka_unit_test(a_step_sees_the_values_before_it),
        cmocka_unit_test(gradients_are_changed_between),
        cmocka_unit_test(a_constraint_holds_after_the_step),
        cmocka_unit_test(layers_on_placeholders_are_trained),
        cmocka_unit_test(keras_optimizers_make_operations_too),
        cmocka_unit_test(what_cannot_be_minimized_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
