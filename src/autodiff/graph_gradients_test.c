/* graph_gradients_test.c - tn_gradients in graphs, traces, through branches and loops, beside
 * TensorFlow's tf.gradients. */
#include "ops/ops.h"
#include "session/session.h"
#include "support/check_op.h"

static tn_tensor *vector(double a, double b)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(2), a, b);
}

static tn_session *begin_session(void)
{
    tn_session *s = tn_session();
    CHECK_OK(tn_run_operation(s, tn_global_variables_initializer()));
    return s;
}

static void placeholders_and_variables_are_sources(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(2), "x");
    tn_variable *w = tn_variable(vector(2, 3), .name = "w"),
                *far = tn_variable(vector(2, 3), .name = "far");
    tn_tensor *y = tn_square(tn_multiply(x, w));
    tn_list g = tn_gradients(y, TN_LIST(w, x, far));
    assert_int_equal(g.count, 3);
    assert_null(g.item[2]);
    tn_session *s = begin_session();
    tn_tensor *both = tn_run(s, tn_tuple(g.item[0], g.item[1]), .feed = { { x, vector(5, 7) } });
    CHECK_VALUES(tn_item(both, 0), 0, 2 * 2 * 25, 2 * 3 * 49);
    CHECK_VALUES(tn_item(both, 1), 0, 2 * 5 * 4, 2 * 7 * 9);
}

static void names_are_tensorflows(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *g = tn_graph_new();
    TN_WITH(tn_graph_as_default(g));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(2), "x"),
              *w = tn_placeholder(TN_FLOAT32, TN_SHAPE(2), "w");
    tn_tensor *first = tn_gradients(tn_multiply(x, w), TN_LIST(w)).item[0];
    assert_string_equal(tn_name(first), "gradients/Mul_grad/Mul");
    assert_string_equal(tn_operation_type(tn_graph_operation(g, "gradients/grad_ys_0")), "Fill");
    assert_string_equal(tn_name(tn_gradients(first, TN_LIST(x)).item[0]),
                        "gradients_1/gradients/Mul_grad/Mul_grad/Mul");
    assert_string_equal(tn_name(tn_gradients(tn_square(x), TN_LIST(x), .name = "d").item[0]),
                        "d/Square_grad/Mul_1");
    assert_string_equal(tn_name(tn_square(x)), "Square_1");
}

static void a_gradient_has_a_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(2), "x");
    tn_tensor *third = tn_multiply(tn_square(x), x);
    tn_tensor *slope = tn_gradients(third, TN_LIST(x)).item[0],
              *bend = tn_gradients(slope, TN_LIST(x)).item[0];
    CHECK_VALUES(tn_run(tn_session(), bend, .feed = { { x, vector(2, -3) } }), 1e-6, 12, -18);
}

static void what_arrives_and_where_it_ends_can_be_said(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(2), "x"), *a = tn_square(x),
              *y = tn_multiply(a, x);
    tn_feed feed = { x, vector(2, 3) };
    tn_session *s = tn_session();
    tn_tensor *constant = tn_gradients(y, TN_LIST(x), .stop_gradients = TN_LIST(a)).item[0];
    CHECK_VALUES(tn_run(s, constant, .feed = { feed }), 0, 4, 9);
    tn_tensor *weighted = tn_gradients(tn_tuple(a, y), TN_LIST(x),
                                       .grad_ys = { 2, (tn_tensor *[]){ vector(10, 1), NULL } })
                              .item[0];
    CHECK_VALUES(tn_run(s, weighted, .feed = { feed }), 1e-5, 10 * 4 + 12, 6 + 27);
    assert_null(tn_gradients(y, TN_LIST(x), .grad_ys = TN_LIST(a, a)).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Length mismatch. Passed 2 grad_ys for 1 ys");
    assert_null(
        tn_gradients(y, TN_LIST(x), .grad_ys = TN_LIST(tn_zeros(TN_SHAPE(3), TN_FLOAT32))).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "grad_ys must be like its target");
}

static void integers_carry_no_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(2), "x");
    tn_tensor *whole = tn_cast(x, TN_INT32);
    tn_list g = tn_gradients(tn_cast(whole, TN_FLOAT32), TN_LIST(x));
    assert_non_null(g.item);
    assert_null(g.item[0]);
    g = tn_gradients(whole, TN_LIST(x));
    assert_non_null(g.item);
    assert_null(g.item[0]);
}

static tn_tensor *squared(void *self, tn_list inputs)
{
    (void)inputs;
    return tn_square(((tn_tensor **)self)[0]);
}

static tn_tensor *times_variable(void *self, tn_list inputs)
{
    (void)inputs;
    return tn_multiply(((tn_tensor **)self)[0], ((tn_tensor **)self)[1]);
}

static void branches_are_passed(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(2), "x"),
              *p = tn_placeholder(TN_BOOL, TN_SCALAR, "p");
    tn_variable *w = tn_variable(vector(3, 4), .name = "w");
    tn_tensor *self[] = { x, w };
    tn_list g = tn_gradients(tn_cond(p, squared, times_variable, self, (tn_list){ 0, NULL }),
                             TN_LIST(x, w));
    tn_session *s = begin_session();
    tn_tensor *all = tn_tuple(g.item[0], g.item[1]);
    tn_tensor *yes = tn_run(
        s, all,
        .feed = { { x, vector(5, 6) }, { p, tn_constant(TN_BOOL, TN_SCALAR, (bool[]){ true }) } });
    CHECK_VALUES(tn_item(yes, 0), 0, 10, 12);
    CHECK_VALUES(tn_item(yes, 1), 0, 0, 0);
    tn_tensor *no = tn_run(
        s, all,
        .feed = { { x, vector(5, 6) }, { p, tn_constant(TN_BOOL, TN_SCALAR, (bool[]){ false }) } });
    CHECK_VALUES(tn_item(no, 0), 0, 3, 4);
    CHECK_VALUES(tn_item(no, 1), 0, 5, 6);
}

static tn_tensor *below(void *self, tn_list v)
{
    (void)self;
    return tn_less(tn_at(v, 0), tn_scalar(3));
}

static tn_tensor *again(void *self, tn_list v)
{
    return tn_tuple(tn_add(tn_at(v, 0), tn_scalar(1)), tn_multiply(tn_at(v, 1), self));
}

static void loops_are_passed_twice(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(2), "x");
    tn_variable *w = tn_variable(vector(2, 3), .name = "w");
    tn_tensor *zero = tn_placeholder_with_default(tn_scalar(0), TN_SCALAR, "zero");
    tn_tensor *y = tn_item(tn_while_loop(below, again, w, TN_LIST(zero, x)), 1); /* x w³ */
    tn_list g = tn_gradients(y, TN_LIST(w, x));
    tn_tensor *bend = tn_gradients(g.item[0], TN_LIST(w)).item[0];
    tn_session *s = begin_session();
    tn_tensor *all =
        tn_run(s, tn_tuple(g.item[0], g.item[1], bend), .feed = { { x, vector(5, 7) } });
    CHECK_VALUES(tn_item(all, 0), 1e-4, 3 * 4 * 5, 3 * 9 * 7);
    CHECK_VALUES(tn_item(all, 1), 1e-5, 8, 27);
    CHECK_VALUES(tn_item(all, 2), 1e-4, 6 * 2 * 5, 6 * 3 * 7);
}

static tn_tensor *slope_of_cube(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *x = tn_at(inputs, 0);
    return tn_gradients(tn_multiply(tn_square(x), x), TN_LIST(x)).item[0];
}

static void a_traced_body_may_ask_too(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_function *f = tn_function(slope_of_cube, NULL);
    CHECK_VALUES(tn_call(f, vector(2, 3)), 1e-5, 12, 27);
}

static void eager_mode_and_other_graphs_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = vector(1, 2);
    assert_null(tn_gradients(tn_square(x), TN_LIST(x)).item);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "tf.gradients is not supported when eager execution is "
                                        "enabled. Use tf.GradientTape instead.");
    tn_tensor *y;
    {
        TN_WITH(tn_graph_as_default(tn_graph_new()));
        y = tn_placeholder(TN_FLOAT32, TN_SCALAR, "y");
    }
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    assert_null(tn_gradients(y, TN_LIST(y)).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is not of the graph that ops go to now");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placeholders_and_variables_are_sources),
        cmocka_unit_test(names_are_tensorflows),
        cmocka_unit_test(a_gradient_has_a_gradient),
        cmocka_unit_test(what_arrives_and_where_it_ends_can_be_said),
        cmocka_unit_test(integers_carry_no_gradient),
        cmocka_unit_test(branches_are_passed),
        cmocka_unit_test(loops_are_passed_twice),
        cmocka_unit_test(a_traced_body_may_ask_too),
        cmocka_unit_test(eager_mode_and_other_graphs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
