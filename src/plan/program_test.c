/* program_test.c - what a compiled graph runs, in which order, what it keeps, and that it trusts no
 * shape that did not come true. */
#include "plan/program.h"
#include "ops/ops.h"
#include "support/check_op.h"

/* A graph with one float32 input, or none for an unknown shape, and what is built in it between
 * begin and end. */
typedef struct {
    tn_context *context;
    tn_graph *graph;
    tn_tensor *in;
} building;

static building begin(tn_shape shape)
{
    building b = { .context = tn__context(), .graph = tn__own(tn__graph_new()) };
    CHECK_OK(tn__graph_input(b.context, b.graph, TN_FLOAT32, &shape, "x", &b.in));
    tn__own(b.in);
    b.context->graph = b.graph;
    return b;
}

static void end(const building *b)
{
    b->context->graph = NULL;
    CHECK_NO_ERROR();
}

static tn_tensor *run_with(const building *b, tn_tensor *key, tn_tensor *feed, tn_tensor *fetch,
                           bool effects)
{
    tn_tensor *result;
    if (tn__graph_run(b->context, b->graph, &key, &feed, 1, &fetch, 1, effects, &result) != TN_OK)
        return NULL;
    return tn__own(result);
}

static tn_tensor *run(const building *b, tn_tensor *x, tn_tensor *fetch)
{
    return run_with(b, b->in, x, fetch, true);
}

static tn_tensor *vector(int64_t n)
{
    return tn_cast(tn_range(tn_scalar(0), tn_scalar((int)n), tn_scalar(1)), TN_FLOAT32);
}

static void one_graph_runs_for_every_size_the_empty_one_too(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(TN_SHAPE(TN_NONE));
    tn_tensor *y = tn_add(b.in, b.in), *sum = tn_reduce_sum(y);
    end(&b);
    CHECK_VALUES(run(&b, vector(3), y), 0, 0, 2, 4);
    CHECK_VALUES(run(&b, vector(1), y), 0, 0);
    CHECK_TENSOR(run(&b, vector(0), y), tn_zeros(TN_SHAPE(0), TN_FLOAT32), 0, 0);
    CHECK_VALUES(run(&b, vector(0), sum), 0, 0);
    CHECK_NO_ERROR();
}

static void a_feed_or_a_constant_may_be_fetched_and_anything_twice(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *one = tn_ones(TN_SHAPE(2), TN_FLOAT32);
    building b = begin(TN_SHAPE(2));
    tn_tensor *y = tn_negative(b.in), *constant;
    CHECK_OK(tn__graph_capture(b.context, b.graph, one, &constant));
    tn__own(constant);
    end(&b);
    tn_tensor *x = vector(2), *fetches[] = { b.in, y, constant, y }, *results[4];
    CHECK_OK(tn__graph_run(b.context, b.graph, &b.in, &x, 1, fetches, 4, true, results));
    for (int i = 0; i < 4; i++)
        tn__own(results[i]);
    assert_ptr_equal(results[0], x);
    assert_ptr_equal(results[1], results[3]);
    assert_ptr_equal(results[2], one);
    CHECK_VALUES(results[1], 0, 0, -1);
}

static void what_hangs_on_no_input_is_computed_once(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(TN_SHAPE(TN_NONE));
    tn_tensor *shape = tn_multiply(tn__shape_tensor(b.in), tn_scalar(3));
    end(&b);
    tn_tensor *first = run(&b, vector(5), shape), *other = run(&b, vector(2), shape),
              *again = run(&b, vector(5), shape);
    CHECK_VALUES(first, 0, 15);
    CHECK_VALUES(other, 0, 6);
    assert_ptr_equal(first, again); /* shape arithmetic is part of the program for that shape */
    assert_ptr_not_equal(first, other);
}

static void one_graph_runs_with_a_plan_and_without_one(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(TN_SHAPE(TN_NONE));
    tn_tensor *shape = tn_multiply(tn__shape_tensor(b.in), tn_scalar(3));
    end(&b);
    b.context->plain = false;
    tn_tensor *planned = run(&b, vector(5), shape);
    b.context->plain = true;
    tn_tensor *first = run(&b, vector(5), shape), *again = run(&b, vector(5), shape);
    b.context->plain = false;
    CHECK_VALUES(first, 0, 15);
    CHECK_VALUES(again, 0, 15);
    assert_ptr_not_equal(first, planned); /* another program, which computes it in each run */
    assert_ptr_not_equal(first, again);
    assert_ptr_equal(run(&b, vector(5), shape), planned);
}

static void nodes_that_nothing_needs_are_left_out(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(TN_SHAPE(TN_NONE));
    tn_reshape(b.in, TN_SHAPE(7)); /* would fail */
    tn_tensor *y = tn_negative(b.in);
    end(&b);
    CHECK_VALUES(run(&b, vector(2), y), 0, 0, -1);
    CHECK_NO_ERROR();
}

static void effects_run_in_the_order_of_the_program(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(tn_ones(TN_SCALAR, TN_FLOAT32));
    building b = begin(TN_SCALAR);
    tn_assign(v, tn_multiply(v, b.in));
    tn_tensor *between = tn_read_value(v);
    tn_assign_add(v, b.in);
    tn_tensor *after = tn_identity(v);
    tn_assign(v, tn_multiply(v, tn_scalar(10.0)));
    end(&b);
    tn_tensor *three = tn_constant(TN_FLOAT32, TN_SCALAR, &(float){ 3 }),
              *fetches[] = { after, between }, *results[2];
    CHECK_OK(tn__graph_run(b.context, b.graph, &b.in, &three, 1, fetches, 2, true, results));
    CHECK_VALUES(tn__own(results[0]), 0, 6);
    CHECK_VALUES(tn__own(results[1]), 0, 3);
    CHECK_VALUES(tn_read_value(v), 0, 60);
}

static void without_effects_only_what_a_fetch_needs_is_run(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(tn_ones(TN_SCALAR, TN_FLOAT32));
    building b = begin(TN_SCALAR);
    tn_assign_add(v, b.in);
    tn_tensor *read = tn_identity(v), *y = tn_negative(b.in);
    end(&b);
    tn_tensor *x = tn_ones(TN_SCALAR, TN_FLOAT32);
    CHECK_VALUES(run_with(&b, b.in, x, y, false), 0, -1);
    CHECK_VALUES(run_with(&b, b.in, x, read, false), 0, 1); /* the order of effects is no need */
    CHECK_VALUES(v, 0, 1);
    CHECK_VALUES(run_with(&b, b.in, x, y, true), 0, -1); /* not the program without effects */
    CHECK_VALUES(v, 0, 2);
}

static void a_fed_tensor_cuts_off_what_made_it(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(TN_SHAPE(2));
    tn_tensor *middle = tn_negative(b.in), *y = tn_multiply(middle, tn_scalar(2.0));
    end(&b);
    CHECK_VALUES(run_with(&b, middle, vector(2), y, true), 0, 0, 2);
    CHECK_NO_ERROR();
}

static void an_input_that_is_not_fed_is_named_and_the_graph_stays_usable(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(TN_SHAPE(2));
    tn_tensor *y = tn_negative(b.in), *constant, *result;
    CHECK_OK(tn__graph_capture(b.context, b.graph, tn_ones(TN_SHAPE(1), TN_FLOAT32), &constant));
    tn__own(constant);
    end(&b);
    assert_int_not_equal(tn__graph_run(b.context, b.graph, NULL, NULL, 0, &y, 1, true, &result),
                         TN_OK);
    assert_null(result);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "You must feed a value for placeholder tensor 'x' with dtype float");
    CHECK_OK(tn__graph_run(b.context, b.graph, NULL, NULL, 0, &constant, 1, true,
                           &result)); /* needs no input */
    CHECK_VALUES(tn__own(result), 0, 1);
    CHECK_VALUES(run(&b, vector(2), y), 0, 0, -1);
}

static void shapes_that_do_not_go_together_fail_with_the_line_that_made_the_op(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *two = vector(2);
    building b = begin(TN_SHAPE(TN_NONE));
    tn_tensor *y = tn_add(b.in, two);
    end(&b);
    assert_null(run(&b, vector(3), y));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "AddV2 was made at ");
    CHECK_VALUES(run(&b, vector(2), y), 0, 0, 2);
}

/* --- what a node's record says
 * ------------------------------------------------------------------------------------------- */
static tn__node *node_of(tn_tensor *x)
{
    return x->of.output.node;
}

/* As a graph from a file, whose nodes say more than inference does. */
static void record(tn_tensor *x, tn_shape shape)
{
    node_of(x)->output[x->of.output.index].shape = shape;
}

static void a_recorded_shape_that_comes_true_is_used(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(TN_SHAPE(4));
    tn_tensor *found = TN__APPLY(tn__op_Where, NULL, tn_greater(b.in, tn_scalar(1.0)));
    record(found, TN_SHAPE(2, 1));
    tn_tensor *y = tn__shape_tensor(found);
    end(&b);
    CHECK_VALUES(run(&b, vector(4), found), 0, 2, 3);
    CHECK_VALUES(run(&b, vector(4), y), 0, 2, 1);
    CHECK_NO_ERROR();
}

static void a_recorded_shape_that_does_not_come_true_is_an_error(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(TN_SHAPE(4));
    tn_tensor *found = TN__APPLY(tn__op_Where, NULL, tn_greater(b.in, tn_scalar(1.0)));
    record(found, TN_SHAPE(3, 1));
    tn_tensor *y = tn_add(tn_cast(found, TN_FLOAT32), tn_ones(TN_SHAPE(3, 1), TN_FLOAT32));
    end(&b);
    assert_null(run(&b, vector(4), y));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Where: output 0 is int64 (2, 1), but the graph says that it is int64 (3, 1)");
    assert_null(run(&b, vector(4), found)); /* also when nothing follows */
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Where was made at ");
    CHECK_VALUES(run(&b, tn_negative(tn_add(vector(4), tn_scalar(-4.0))), y), 0, 1, 2, 3);
}

static void a_view_is_not_made_in_a_recorded_shape(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(TN_SHAPE(4));
    tn_tensor *in_shape, *unknown = NULL;
    tn_shape of_two = TN_SHAPE(2);
    CHECK_OK(tn__graph_input(b.context, b.graph, TN_INT32, &of_two, "shape", &in_shape));
    tn__own(in_shape);
    unknown = TN__APPLY(tn__op_Reshape, NULL, b.in, in_shape);
    record(unknown, TN_SHAPE(4, 1));
    end(&b);
    tn_tensor *keys[] = { b.in, in_shape }, *result;
    tn_tensor *feeds[] = { vector(4), tn_constant(TN_INT32, TN_SHAPE(2), (int32_t[]){ 2, 2 }) };
    assert_int_not_equal(
        tn__graph_run(b.context, b.graph, keys, feeds, 2, &unknown, 1, true, &result), TN_OK);
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Reshape: output 0 is float32 (2, 2), but the graph says that it is float32 (4, 1)");
    feeds[1] = tn_constant(TN_INT32, TN_SHAPE(2), (int32_t[]){ 4, 1 });
    CHECK_OK(tn__graph_run(b.context, b.graph, keys, feeds, 2, &unknown, 1, true, &result));
    CHECK_TENSOR(tn__own(result), VALUES(TN_FLOAT32, TN_SHAPE(4, 1), 0, 1, 2, 3), 0, 0);
}

/* --- what stays
 * ----------------------------------------------------------------------------------------------------------
 */
static void any_number_of_shapes_keeps_a_bounded_number_of_programs(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(TN_SHAPE(TN_NONE));
    tn_tensor *y = tn_add(tn_cast(tn__shape_tensor(b.in), TN_FLOAT32),
                          b.in); /* a folded constant in each program */
    end(&b);
    size_t after[3] = { 0 }, allocations[3] = { 0 };
    for (int64_t n = 1; n <= 120; n++) {
        TN_SCOPE;
        assert_non_null(run(&b, vector(n), y));
        if (n % 40 == 0) {
            after[n / 40 - 1] = tn_live_handles();
            allocations[n / 40 - 1] = live_allocations();
        }
    }
    assert_int_equal(after[1], after[0]);
    assert_int_equal(after[2], after[0]);
    assert_int_equal(allocations[2], allocations[1]);
    CHECK_VALUES(run(&b, vector(1), y), 0, 1); /* one that was dropped comes back */
}

static void the_program_used_last_stays(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(TN_SHAPE(TN_NONE));
    tn_tensor *shape = tn_multiply(tn__shape_tensor(b.in), tn_scalar(2));
    end(&b);
    tn_tensor *kept = run(&b, vector(99), shape), *dropped = run(&b, vector(100), shape);
    for (int64_t n = 1; n <= 40; n++) {
        run(&b, vector(n), shape);
        assert_ptr_equal(run(&b, vector(99), shape), kept);
    }
    assert_ptr_not_equal(run(&b, vector(100), shape), dropped);
}

static void a_later_run_allocates_nothing_but_what_it_gives(void **state)
{
    (void)state;
    TN_SCOPE;
    enum { STEPS = 50, SIDE = 64 };
    building b = begin(TN_SHAPE(SIDE, SIDE));
    tn_tensor *y = b.in;
    for (int i = 0; i < STEPS; i++)
        y = tn_add(y, tn_reshape(y, TN_SHAPE(SIDE, SIDE))); /* both inputs die together, once */
    end(&b);
    tn_tensor *x = tn_ones(TN_SHAPE(SIDE, SIDE), TN_FLOAT32);
    for (int i = 0; i < 3; i++) {
        size_t handles = tn_live_handles(), allocations = all_allocations();
        tn_tensor *result = run(&b, x, y);
        assert_float_equal(tn_data_float32(result)[0], 0x1p50f, 0);
        assert_float_equal(tn_data_float32(x)[0], 1, 0); /* the feed is whole */
        if (i == 0)
            continue;
        assert_int_equal(tn_live_handles(), handles + 1);
        assert_int_equal(all_allocations(), allocations + 1); /* its elements, and their count before them */
    }
}

/* The step's results lie in a workspace, which the next run writes to. */
static void what_a_variable_is_assigned_stays_what_it_was(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin(TN_SHAPE(40));
    b.context->graph = NULL;
    tn_variable *w = tn_variable_new(&(tn_variable_options){ .initial_value = tn_zeros(TN_SHAPE(40), TN_FLOAT32) });
    b.context->graph = b.graph;
    tn_tensor *doubled = tn_add(b.in, b.in), *after = tn_assign(w, doubled);
    end(&b);
    tn_tensor *one = tn_ones(TN_SHAPE(40), TN_FLOAT32), *two = tn_add(one, one), *four = tn_add(two, two);
    CHECK_TENSOR(run(&b, one, after), two, 0, 0);
    tn_tensor *held = tn_read_value(w);
    CHECK_TENSOR(run(&b, two, after), four, 0, 0);
    CHECK_TENSOR(held, two, 0, 0);
    CHECK_TENSOR(tn_read_value(w), four, 0, 0);
}

static void a_size_that_no_memory_has_is_an_error_before_anything_runs(void **state)
{
    (void)state;
    TN_SCOPE;
    enum { MANY = 70000 };
    building b = begin(TN_SHAPE(MANY));
    tn_tensor *sum = tn_reshape(b.in, TN_SHAPE(MANY, 1, 1, 1));
    for (int axis = 1; axis < 4; axis++) {
        tn_shape shape = TN_SHAPE(1, 1, 1, 1);
        shape.dims[axis] = MANY;
        sum = tn_add(sum, tn_reshape(b.in, shape));
    }
    tn_tensor *y = tn_reduce_sum(tn_exp(tn_negative(sum)));
    end(&b);
    assert_null(run(&b, tn_ones(TN_SHAPE(MANY), TN_FLOAT32), y));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "(70000, 70000, 70000, 70000) and type float32 is too large");
}

static bool compile_and_run(void *unused)
{
    (void)unused;
    tn_context *context = tn__context();
    tn_shape shape = TN_SHAPE(TN_NONE);
    tn_graph *graph = tn__own(tn__graph_new());
    tn_tensor *in, *x = tn_ones(TN_SHAPE(3), TN_FLOAT32), *result;
    if (!graph || !x || tn__graph_input(context, graph, TN_FLOAT32, &shape, "x", &in) != TN_OK ||
        !tn__own(in))
        return false;
    context->graph = graph;
    tn_tensor *y = tn_add(tn_cast(tn__shape_tensor(in), TN_FLOAT32), tn_square(in));
    context->graph = NULL;
    return y && tn__graph_run(context, graph, &in, &x, 1, &y, 1, true, &result) == TN_OK &&
           tn__own(result);
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(compile_and_run, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_graph_runs_for_every_size_the_empty_one_too),
        cmocka_unit_test(a_feed_or_a_constant_may_be_fetched_and_anything_twice),
        cmocka_unit_test(what_hangs_on_no_input_is_computed_once),
        cmocka_unit_test(one_graph_runs_with_a_plan_and_without_one),
        cmocka_unit_test(nodes_that_nothing_needs_are_left_out),
        cmocka_unit_test(effects_run_in_the_order_of_the_program),
        cmocka_unit_test(without_effects_only_what_a_fetch_needs_is_run),
        cmocka_unit_test(a_fed_tensor_cuts_off_what_made_it),
        cmocka_unit_test(an_input_that_is_not_fed_is_named_and_the_graph_stays_usable),
        cmocka_unit_test(shapes_that_do_not_go_together_fail_with_the_line_that_made_the_op),
        cmocka_unit_test(a_recorded_shape_that_comes_true_is_used),
        cmocka_unit_test(a_recorded_shape_that_does_not_come_true_is_an_error),
        cmocka_unit_test(a_view_is_not_made_in_a_recorded_shape),
        cmocka_unit_test(any_number_of_shapes_keeps_a_bounded_number_of_programs),
        cmocka_unit_test(the_program_used_last_stays),
        cmocka_unit_test(a_later_run_allocates_nothing_but_what_it_gives),
        cmocka_unit_test(what_a_variable_is_assigned_stays_what_it_was),
        cmocka_unit_test(a_size_that_no_memory_has_is_an_error_before_anything_runs),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
