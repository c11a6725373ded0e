/* graph_test.c - nodes and what they hold, captures, graphs that are done or gone, and running
 * nodes again. */
#include "runtime/dispatch.h"
#include "ops/ops.h"
#include "support/check_op.h"

static tn_tensor *input(tn_graph *graph, const char *name)
{
    tn_tensor *x = NULL;
    tn_shape shape = TN_SHAPE(TN_NONE);
    CHECK_OK(tn__graph_input(tn__context(), graph, TN_FLOAT32, &shape, name, &x));
    return tn__own(x);
}

static void a_value_or_variable_is_captured_once(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_context *context = tn__context();
    tn_graph *graph = tn__own(tn__graph_new());
    tn_tensor *x = tn_ones(TN_SHAPE(2), TN_FLOAT32), *in = input(graph, "x");
    tn_variable *v = tn_variable(x);
    context->graph = graph;
    tn_tensor *y = tn_add(tn_add(tn_add(in, x), tn_add(x, v)), v);
    context->graph = NULL;
    CHECK_NO_ERROR();
    size_t constants = 0, variables = 0, reads = 0;
    for (size_t i = 0; i < graph->node.count; i++) {
        constants += graph->node.item[i]->op == &tn__op_Const;
        variables += graph->node.item[i]->op == &tn__op_VarHandleOp;
        reads += graph->node.item[i]->op == &tn__op_ReadVariableOp;
        assert_int_equal(graph->node.item[i]->index, i);
    }
    assert_int_equal(constants, 1);
    assert_int_equal(variables, 1);
    assert_int_equal(reads, 2); /* each where it stands: an assignment may come between */
    assert_ptr_equal(y->of.output.node, graph->node.item[graph->node.count - 1]);
}

static void a_node_has_the_programs_line(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_context *context = tn__context();
    tn_graph *graph = tn__own(tn__graph_new());
    tn_tensor *in = input(graph, "x");
    context->graph = graph;
    tn_here("model.c:7");
    const tn_tensor *y = (tn_square)(in);
    context->graph = NULL;
    assert_string_equal(y->of.output.node->here, "model.c:7");
    assert_string_equal(in->of.output.node->name, "x");
}

static void a_graph_that_is_done_takes_no_nodes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_context *context = tn__context();
    tn_graph *graph = tn__own(tn__graph_new());
    tn_tensor *in = input(graph, NULL), *more;
    tn_shape shape = TN_SCALAR;
    graph->finalized = true;
    context->graph = graph;
    assert_null(tn_square(in));
    context->graph = NULL;
    CHECK_ERROR(TN_FAILED_PRECONDITION, "Graph is finalized and cannot be modified.");
    assert_int_not_equal(tn__graph_input(context, graph, TN_FLOAT32, &shape, NULL, &more), TN_OK);
    assert_null(more);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "Graph is finalized and cannot be modified.");
    assert_int_equal(graph->node.count, 1);
}

static void a_tensor_of_another_graph_is_out_of_scope(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_context *context = tn__context();
    tn_graph *graph = tn__own(tn__graph_new()), *other = tn__own(tn__graph_new());
    tn_here("other.c:3");
    tn_tensor *foreign = input(other, NULL);
    context->graph = graph;
    assert_null(tn_square(foreign));
    context->graph = NULL;
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "float32 (None,) is out of scope and cannot be used here. Use return values, "
                "explicit Python locals or TensorFlow collections to access it.\n"
                "it belongs to another function or graph, where it was made at ");
}

static void a_tensor_outlives_its_graph_and_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_graph *graph = tn__graph_new();
    tn_tensor *in = input(graph, NULL);
    tn__release(graph);
    assert_true(in->of.output.node->orphan);
    assert_false(tn__is_functional(in));
    assert_null(tn_square(in));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "is a tensor of a graph that is not being built now, so it has no value");
}

static void a_graph_of_a_hundred_thousand_nodes_needs_no_stack(void **state)
{
    (void)state;
    TN_SCOPE;
    size_t handles = tn_live_handles();
    {
        TN_SCOPE;
        tn_context *context = tn__context();
        tn_graph *graph = tn__own(tn__graph_new());
        tn_tensor *y = input(graph, NULL);
        context->graph = graph;
        for (int i = 0; i < 100000; i++)
            y = tn_negative(y);
        context->graph = NULL;
        tn_tensor *x = tn_ones(TN_SHAPE(1), TN_FLOAT32), *result;
        CHECK_OK(tn__graph_replay(context, graph->node.item, graph->node.count, graph->input.item,
                                  &x, 1, true, &y, &result, 1));
        CHECK_VALUES(tn__own(result), 0, 1);
    }
    assert_int_equal(tn_live_handles(), handles);
}

/* --- running nodes again
 * -------------------------------------------------------------------------------------------------
 */
typedef struct {
    tn_graph *graph;
    tn_tensor *in, *y, *assigned;
    tn_variable *v;
} counting;

/* y = 2x; v += 1 on the way; and a node that would fail. */
static counting counting_graph(void)
{
    counting c = { .graph = tn__own(tn__graph_new()) };
    c.v = tn_variable(tn_zeros(TN_SCALAR, TN_FLOAT32));
    c.in = input(c.graph, "x");
    tn_context *context = tn__context();
    context->graph = c.graph;
    tn_reshape(c.in, TN_SHAPE(7));
    c.assigned = tn_assign_add(c.v, tn_scalar(1.0));
    c.y = tn_multiply(c.in, tn_scalar(2.0));
    context->graph = NULL;
    CHECK_NO_ERROR();
    return c;
}

static tn_tensor *replay(const counting *c, tn_tensor *stand, bool effects, tn_tensor *output)
{
    tn_tensor *result;
    if (tn__graph_replay(tn__context(), c->graph->node.item, c->graph->node.count, &c->in, &stand,
                         1, effects, &output, &result, 1) != TN_OK)
        return NULL;
    return tn__own(result);
}

static void what_no_output_needs_is_not_run_again(void **state)
{
    (void)state;
    TN_SCOPE;
    counting c = counting_graph();
    tn_tensor *x = tn_ones(TN_SHAPE(3), TN_FLOAT32);
    CHECK_VALUES(replay(&c, x, false, c.y), 0, 2, 2, 2);
    CHECK_VALUES(c.v, 0, 0);
    CHECK_VALUES(replay(&c, x, true, c.y), 0, 2, 2, 2);
    CHECK_VALUES(c.v, 0, 1);
    CHECK_TENSOR(replay(&c, tn_zeros(TN_SHAPE(0), TN_FLOAT32), false, c.y),
                 tn_zeros(TN_SHAPE(0), TN_FLOAT32), 0, 0);
    CHECK_NO_ERROR();
}

static void nodes_run_again_in_the_mode_of_now(void **state)
{
    (void)state;
    TN_SCOPE;
    counting c = counting_graph();
    tn_variable *w = tn_variable(tn_ones(TN_SHAPE(2), TN_FLOAT32));
    tn_tape *tape = tn_gradient_tape();
    CHECK_VALUES(tn_gradient_of(tape, replay(&c, w, true, c.y), w), 0, 2,
                 2); /* a tape sees its ops */
    tn_tensor *symbolic = tn_input(TN_SHAPE(3));
    tn_tensor *of_model = replay(&c, symbolic, false, c.y);
    assert_true(tn__is_functional(of_model));
    assert_string_equal(tn_shape_text(of_model), "(None, 3)");
}

static void an_input_may_be_an_output_and_a_missing_one_is_named(void **state)
{
    (void)state;
    TN_SCOPE;
    counting c = counting_graph();
    tn_tensor *x = tn_ones(TN_SHAPE(3), TN_FLOAT32), *result;
    assert_ptr_equal(replay(&c, x, false, c.in), x);
    CHECK_OK(tn__graph_replay(tn__context(), c.graph->node.item, c.graph->node.count, NULL, NULL, 0,
                              false, &x, &result, 1));
    assert_ptr_equal(tn__own(result), x); /* a value is its own output */
    assert_int_not_equal(tn__graph_replay(tn__context(), c.graph->node.item, c.graph->node.count,
                                          NULL, NULL, 0, false, &c.y, &result, 1),
                         TN_OK);
    assert_null(result);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "You must feed a value for placeholder tensor 'x'");
}

static bool build_and_replay(void *unused)
{
    (void)unused;
    tn_context *context = tn__context();
    tn_graph *graph = tn__own(tn__graph_new());
    tn_shape shape = TN_SHAPE(TN_NONE);
    tn_tensor *in, *x = tn_ones(TN_SHAPE(2), TN_FLOAT32), *result;
    if (!graph || !x || tn__graph_input(context, graph, TN_FLOAT32, &shape, "x", &in) != TN_OK ||
        !tn__own(in))
        return false;
    context->graph = graph;
    tn_tensor *y = tn_add(tn_square(in), x);
    context->graph = NULL;
    return y &&
           tn__graph_replay(context, graph->node.item, graph->node.count, &in, &x, 1, true, &y,
                            &result, 1) == TN_OK &&
           tn__own(result);
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(build_and_replay, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_or_variable_is_captured_once),
        cmocka_unit_test(a_node_has_the_programs_line),
        cmocka_unit_test(a_graph_that_is_done_takes_no_nodes),
        cmocka_unit_test(a_tensor_of_another_graph_is_out_of_scope),
        cmocka_unit_test(a_tensor_outlives_its_graph_and_is_refused),
        cmocka_unit_test(a_graph_of_a_hundred_thousand_nodes_needs_no_stack),
        cmocka_unit_test(what_no_output_needs_is_not_run_again),
        cmocka_unit_test(nodes_run_again_in_the_mode_of_now),
        cmocka_unit_test(an_input_may_be_an_output_and_a_missing_one_is_named),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
