/* session_test.c - graphs and sessions, beside what TensorFlow 1 does. */
#include "session/session.h"
#include "support/check_op.h"
#include <math.h>

static tn_tensor *floats(int64_t n, const float *values)
{
    return tn_constant(TN_FLOAT32, TN_SHAPE(n), values);
}

static void a_placeholder_is_fed_and_fetched_by_handle_and_by_name(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *g = tn_graph_new();
    TN_WITH(tn_graph_as_default(g));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SHAPE(TN_NONE), "x"), *y = tn_multiply(x, tn_scalar(2));
    tn_session *s = tn_session();
    CHECK_VALUES(tn_run(s, y, .feed = { { x, floats(2, (float[]){ 1, 2 }) } }), 0, 2, 4);
    CHECK_VALUES(tn_run(s, tn_graph_tensor(g, "Mul:0"), .feed = { { tn_graph_tensor(g, "x:0"), floats(1, (float[]){ 3 }) } }), 0, 6);
    assert_null(tn_run(s, y));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "You must feed a value for placeholder tensor 'x' with dtype float and shape [?]");
    assert_null(tn_run(s, y, .feed = { { x, tn_scalar(3) } }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Cannot feed value of shape () for Tensor x:0, which has shape (None,)");
    tn_tensor *pair = tn_run(s, tn_tuple(x, tn_tuple(y, x)), .feed = { { x, floats(1, (float[]){ 5 }) } });
    CHECK_VALUES(tn_item(tn_item(pair, 1), 0), 0, 10);
}

static void anything_of_the_graph_may_be_fed_and_fetched_as_often_as_it_is_named(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *g = tn_graph_new();
    TN_WITH(tn_graph_as_default(g));
    tn_tensor *p = tn_placeholder(TN_FLOAT32, TN_SHAPE(2), "p"), *q = tn_multiply(p, tn_scalar(2)), *r = tn_add(q, tn_scalar(1));
    tn_variable *v = tn_get_variable("v", TN_SCALAR, .initializer = "zeros");
    tn_session *s = tn_session();
    CHECK_VALUES(tn_run(s, r, .feed = { { q, floats(2, (float[]){ 5, 6 }) } }), 0, 6, 7); /* p is not needed */
    tn_tensor *twice = tn_run(s, tn_tuple(r, tn_tuple(r, q)), .feed = { { p, floats(2, (float[]){ 1, 2 }) } });
    CHECK_VALUES(tn_item(twice, 0), 0, 3, 5);
    CHECK_VALUES(tn_item(tn_item(twice, 1), 0), 0, 3, 5);
    CHECK_VALUES(tn_item(tn_item(twice, 1), 1), 0, 2, 4);
    CHECK_VALUES(tn_run(s, v, .feed = { { v, tn_scalar(7.0) } }), 0, 7);
    assert_null(tn_run(s, v));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "Attempting to use uninitialized value v");
    assert_null(tn_graph_tensor(g, "p"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The name 'p' refers to an Operation, not a Tensor. Tensor names must be of the form \"<op_name>:<output_index>\".");
    assert_null(tn_graph_tensor(g, "nope"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The name 'nope' looks like an (invalid) Operation name, not a Tensor.");
    assert_null(tn_graph_tensor(g, "p:4"));
    CHECK_ERROR(TN_NOT_FOUND, "The name 'p:4' refers to a Tensor which does not exist. The operation, 'p', exists but only has 1 outputs.");
    assert_null(tn_graph_operation(g, "nope"));
    CHECK_ERROR(TN_NOT_FOUND, "The name 'nope' refers to an Operation not in the graph.");
}

static void graphs_stand_in_each_other_and_sessions_beside_each_other(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *g = tn_graph_new(), *h = tn_graph_new();
    tn_tensor *a, *b;
    TN_WITH(tn_graph_as_default(g));
    a = tn_placeholder_with_default(tn_scalar(1.0), TN_SCALAR, "a");
    {
        TN_WITH(tn_name_scope("s"));
        TN_WITH(tn_graph_as_default(h));
        b = tn_placeholder_with_default(tn_scalar(2.0), TN_SCALAR, "a");
        assert_ptr_equal(tn_get_default_graph(), h);
    }
    assert_ptr_equal(tn_get_default_graph(), g);
    assert_string_equal(tn_name(b), "a"); /* no name scope of the graph round it */
    tn_session *one = tn_session(), *other = tn_session(.graph = h);
    CHECK_VALUES(tn_run(one, a), 0, 1);
    CHECK_VALUES(tn_run(other, b), 0, 2);
    assert_null(tn_run(one, b));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Tensor a is not an element of this graph.");
}

static void an_empty_list_of_dependencies_is_none_whatever_stands_outside(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *v = tn_get_variable("v", TN_SCALAR, .initializer = "zeros");
    tn_tensor *x = tn_placeholder_with_default(tn_scalar(3.0), TN_SCALAR, "x"), *free_of_it, *after;
    {
        TN_WITH(tn_control_dependencies(TN_LIST(tn_assign_add(v, tn_scalar(1.0)))));
        {
            TN_WITH(tn_control_dependencies(tn_list_of(0, NULL)));
            free_of_it = tn_square(x);
        }
        after = tn_square(x);
    }
    tn_session *s = tn_session();
    CHECK_OK(tn_run_operation(s, tn_global_variables_initializer()));
    CHECK_VALUES(tn_run(s, free_of_it), 0, 9);
    CHECK_VALUES(tn_run(s, v), 0, 0);
    CHECK_VALUES(tn_run(s, after), 0, 9);
    CHECK_VALUES(tn_run(s, v), 0, 1);
}

static void names_are_made_unique_without_regard_to_case(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *g = tn_graph_new();
    TN_WITH(tn_graph_as_default(g));
    tn_tensor *a = tn_placeholder(TN_FLOAT32, TN_SCALAR, "v"), *b = tn_placeholder(TN_FLOAT32, TN_SCALAR, "v");
    assert_string_equal(tn_name(a), "v");
    assert_string_equal(tn_name(b), "v_1");
    {
        TN_WITH(tn_name_scope("V"));
        assert_string_equal(tn_name(tn_add(a, b)), "V_2/Add");
    }
    assert_string_equal(tn_name(tn_add(a, b)), "Add");
    assert_string_equal(tn_name(tn_add(a, b)), "Add_1");
    for (int i = 0; i < 3; i++) {
        TN_WITH(tn_name_scope("s"));
        assert_string_equal(tn_name(tn_placeholder(TN_FLOAT32, .name = "c")), ((const char *[]){ "s/c", "s_1/c", "s_2/c" })[i]);
    }
    TN_WITH(tn_name_scope("s/"));
    assert_string_equal(tn_name(tn_placeholder(TN_FLOAT32, .name = "c")), "s/c_1");
    TN_WITH(tn_name_scope(""));
    assert_string_equal(tn_name(tn_placeholder(TN_FLOAT32, .name = "top")), "top");
}

static void every_session_has_values_of_its_own(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *v = tn_variable(tn_scalar(1.0), .name = "v");
    tn_tensor *more = tn_assign_add(v, tn_scalar(1.0));
    tn_operation *init = tn_global_variables_initializer();
    tn_session *one = tn_session(), *two = tn_session();
    assert_null(tn_run(one, v));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "Attempting to use uninitialized value v");
    CHECK_VALUES(tn_run(one, tn_is_variable_initialized(v)), 0, 0);
    CHECK_OK(tn_run_operation(one, init));
    CHECK_OK(tn_run_operation(two, init));
    CHECK_VALUES(tn_run(one, more), 0, 2);
    CHECK_VALUES(tn_run(one, more), 0, 3);
    CHECK_VALUES(tn_run(one, v), 0, 3);
    CHECK_VALUES(tn_run(two, v), 0, 1);
    CHECK_VALUES(tn_run(two, tn_is_variable_initialized(v)), 0, 1);
    assert_true(isnan(tn_to_double(v)));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "has values in sessions only");
}

static void what_a_scatter_gives_is_read_after_it(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *v = tn_variable(tn_ones(TN_SHAPE(3), TN_FLOAT32), .name = "v");
    tn_tensor *changed = tn_scatter_add(v, tn_constant(TN_INT32, TN_SHAPE(1), (int32_t[]){ 1 }), tn_scalar(5.0));
    tn_session *s = tn_session();
    CHECK_OK(tn_run_operation(s, tn_global_variables_initializer()));
    CHECK_VALUES(tn_run(s, changed), 0, 1, 6, 1);
    CHECK_VALUES(tn_run(s, v), 0, 1, 6, 1);
}

static void an_operation_runs_for_what_it_does_and_after_what_it_waits_for(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *v = tn_variable(tn_scalar(1.0), .name = "v");
    tn_operation *group = tn_group(TN_LIST(tn_assign_add(v, tn_scalar(1.0)), tn_assign_add(v, tn_scalar(10.0))));
    tn_tensor *after;
    {
        TN_WITH(tn_control_dependencies(TN_LIST(tn_as_tensor(group))));
        after = tn_identity(tn_read_value(v));
    }
    assert_string_equal(tn_operation_name(group), "group_deps");
    tn_session *s = tn_session();
    CHECK_OK(tn_run_operation(s, tn_global_variables_initializer()));
    CHECK_VALUES(tn_run(s, after), 0, 12);
    tn_tensor *both = tn_run(s, tn_tuple(tn_as_tensor(group), v));
    assert_int_equal(tn_dim(tn_shape_of(tn_item(both, 0)), 0), 0);
    CHECK_VALUES(tn_run(s, v), 0, 23);
}

static void variables_of_a_graph_are_named_under_its_scopes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *g = tn_graph_new();
    TN_WITH(tn_graph_as_default(g));
    for (int i = 0; i < 2; i++) {
        TN_WITH(tn_name_scope("my_scope"));
        assert_string_equal(tn_name(tn_variable(tn_scalar(0), .name = "my_var")), i ? "my_scope_1/my_var" : "my_scope/my_var");
    }
    assert_string_equal(tn_name(tn_variable(tn_scalar(0))), "Variable");
    assert_string_equal(tn_name(tn_variable(tn_scalar(0))), "Variable_1");
    assert_true(tn_is_variable(tn_graph_tensor(g, "my_scope_1/my_var:0")));
    assert_non_null(strstr(tn_created_at(tn_graph_tensor(g, "my_scope_1/my_var:0")), " in scope my_scope_1 in a graph"));
    assert_string_equal(tn_operation_type(tn_graph_operation(g, "my_scope/my_var/Assign")), "AssignVariableOp");
    assert_null(tn_graph_tensor(g, "missing:0"));
    CHECK_ERROR(TN_NOT_FOUND, "The name 'missing:0' refers to a Tensor which does not exist. The operation, 'missing', does not exist in the graph.");
}

static void a_variable_of_an_open_shape_is_made_of_what_is_fed_and_takes_other_shapes(void **state)
{
    (void)state;
    TN_SCOPE;
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, .name = "x"), *z = tn_placeholder(TN_FLOAT32, TN_SHAPE(TN_NONE, 2), "z");
    tn_variable *any = tn_get_variable("any", .initial_value = x), *rows = tn_variable(z, .name = "rows");
    tn_variable *said = tn_variable(tn_zeros(TN_SHAPE(2, 2), TN_FLOAT32), .name = "said", .shape = TN_ANY_SHAPE);
    assert_false(tn_shape_of(any).known);
    assert_false(tn_shape_of(said).known);
    assert_string_equal(tn_shape_text(rows), "(None, 2)");
    tn_tensor *grown = tn_assign(any, tn_ones(TN_SHAPE(4, 4), TN_FLOAT32)), *sum = tn_reduce_sum(any);
    tn_tensor *more = tn_assign(said, tn_ones(TN_SHAPE(3), TN_FLOAT32));
    tn_session *s = tn_session();
    CHECK_OK(tn_run_operation(s, tn_global_variables_initializer(), .feed = { { x, floats(2, (float[]){ 1, 2 }) },
                                                                             { z, tn_ones(TN_SHAPE(3, 2), TN_FLOAT32) } }));
    CHECK_VALUES(tn_run(s, any), 0, 1, 2);
    CHECK_VALUES(tn_run(s, sum), 0, 3);
    assert_string_equal(tn_shape_text(tn_run(s, rows)), "(3, 2)");
    tn_run(s, tn_tuple(grown, more));
    CHECK_VALUES(tn_run(s, sum), 0, 16);
    CHECK_VALUES(tn_run(s, said), 0, 1, 1, 1);
    assert_null(tn_assign(rows, tn_ones(TN_SHAPE(3, 3), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Shape mismatch.The variable shape (None, 2), and the assigned value shape (3, 3) are incompatible.");
}

static void in_eager_mode_a_session_fetches_by_handle(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(tn_scalar(3), .name = "v");
    tn_session *s = tn_session();
    CHECK_OK(tn_run_operation(s, tn_global_variables_initializer()));
    CHECK_VALUES(tn_run(s, v), 0, 3);
    CHECK_VALUES(tn_run(s, tn_assign(v, tn_scalar(5))), 0, 5);
    CHECK_VALUES(tn_run(s, v), 0, 5);
}

static void a_tensor_of_another_graph_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_session *s = tn_session();
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_tensor *x = tn_placeholder(TN_FLOAT32, .name = "x");
    assert_null(tn_run(s, x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Tensor x is not an element of this graph.");
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    assert_null(tn_square(x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "must be from the same graph");
}

static tn_tensor *names_inside(void *self, tn_list inputs)
{
    (void)self;
    tn_graph_tensor(tn_get_default_graph(), "x:0");
    return tn_at(inputs, 0);
}

static void the_graph_of_a_traced_function_has_no_names(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_call(tn_function(names_inside), tn_ones(TN_SHAPE(2), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_graph_tensor: graph is the graph of a traced function");
}

static void a_finalized_graph_takes_no_more(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *g = tn_graph_new();
    TN_WITH(tn_graph_as_default(g));
    tn_tensor *x = tn_placeholder_with_default(tn_scalar(2.0), TN_SCALAR, "x");
    tn_graph_finalize(g);
    CHECK_VALUES(tn_run(tn_session(), x), 0, 2);
    CHECK_VALUES(tn_run(tn_session(), x, .feed = { { x, tn_scalar(4.0) } }), 0, 4);
    assert_null(tn_square(x));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "Graph is finalized and cannot be modified.");
}

static void nothing_is_made_eagerly_before_eager_execution_is_disabled(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_zeros(TN_SCALAR, TN_FLOAT32);
    assert_int_equal(tn_disable_eager_execution(), TN_FAILED_PRECONDITION);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "tf.disable_eager_execution must be called at program startup.");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_placeholder_is_fed_and_fetched_by_handle_and_by_name),
        cmocka_unit_test(anything_of_the_graph_may_be_fed_and_fetched_as_often_as_it_is_named),
        cmocka_unit_test(graphs_stand_in_each_other_and_sessions_beside_each_other),
        cmocka_unit_test(an_empty_list_of_dependencies_is_none_whatever_stands_outside),
        cmocka_unit_test(names_are_made_unique_without_regard_to_case),
        cmocka_unit_test(every_session_has_values_of_its_own),
        cmocka_unit_test(what_a_scatter_gives_is_read_after_it),
        cmocka_unit_test(an_operation_runs_for_what_it_does_and_after_what_it_waits_for),
        cmocka_unit_test(variables_of_a_graph_are_named_under_its_scopes),
        cmocka_unit_test(a_variable_of_an_open_shape_is_made_of_what_is_fed_and_takes_other_shapes),
        cmocka_unit_test(in_eager_mode_a_session_fetches_by_handle),
        cmocka_unit_test(a_tensor_of_another_graph_is_refused),
        cmocka_unit_test(the_graph_of_a_traced_function_has_no_names),
        cmocka_unit_test(a_finalized_graph_takes_no_more),
        cmocka_unit_test(nothing_is_made_eagerly_before_eager_execution_is_disabled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
