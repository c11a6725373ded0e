/* simplify_test.c - what is left out because it gives what is there, and what is not. */
#include "plan/compile.h"
#include "ops/ops.h"
#include "support/check_op.h"
#include <math.h>

typedef struct {
    tn_graph *graph;
    tn_tensor *in, *feed;
} building;

static building begin(tn_shape traced, tn_tensor *feed)
{
    tn_context *context = tn__context();
    building b = { .graph = tn__own(tn__graph_new()), .feed = feed };
    CHECK_OK(tn__graph_input(context, b.graph, (tn_dtype)feed->dtype, &traced, "x", &b.in));
    tn__own(b.in);
    context->graph = b.graph;
    return b;
}

/* The number of steps; what comes out is bit for bit what it gives outside of the graph. */
static size_t steps_of(building *b, tn_tensor *y, tn_tensor *expected)
{
    tn_context *context = tn__context();
    tn__program *program;
    tn_tensor *got;
    context->graph = NULL;
    tn__request request = { context, b->graph, &b->in, &b->feed, 1, &y, 1, true };
    CHECK_OK(tn__program_compile(&request, &program));
    size_t steps = program->step.count;
    CHECK_OK(tn__program_run(context, program, &b->feed, &got));
    assert_int_equal(tn__byte_count(got), tn__byte_count(expected));
    assert_true(tn__shape_equal(&got->shape, &expected->shape));
    assert_memory_equal(got->data, expected->data, tn__byte_count(got));
    tn__release(got);
    tn__program_release(program);
    return steps;
}

static void check(tn_tensor *(*f)(tn_tensor *x), size_t steps)
{
    TN_SCOPE;
    static const float values[] = { 0.f, -0.f, INFINITY, -INFINITY, NAN, 1.5f, -3.f, 7.f, 1e30f, 2.f, -1e-30f, 4.f };
    tn_tensor *feed = tn_constant(TN_FLOAT32, TN_SHAPE(3, 4), values);
    building b = begin(TN_SHAPE(TN_NONE, 4), feed);
    assert_int_equal(steps_of(&b, f(b.in), feed), steps);
}

static tn_tensor *number(float value)
{
    return tn_constant(TN_FLOAT32, TN_SCALAR, &value);
}

static tn_tensor *neutral_numbers(tn_tensor *x)
{
    tn_tensor *y = tn_add(tn_multiply(number(1), tn_multiply(x, number(1))), number(-0.f));
    return tn_add(number(-0.f), tn_subtract(tn_divide(y, number(1)), number(0)));
}

static tn_tensor *views(tn_tensor *x)
{
    return tn_identity(tn_reshape(tn_stop_gradient(x), TN_SHAPE(-1, 4)));
}

static tn_tensor *negatives(tn_tensor *x)
{
    return tn_negative(tn_negative(tn_negative(tn_negative(x))));
}

static tn_tensor *transpositions(tn_tensor *x)
{
    return tn_transpose(tn_transpose(x, TN_AXES(1, 0)), TN_AXES(1, 0));
}

static tn_tensor *sums_of_nothing(tn_tensor *x)
{
    static const tn_flag keep = false;
    tn_tensor *axes = tn_zeros(TN_SHAPE(0), TN_INT32);
    return TN__APPLY(tn__op_Mean, &keep, TN__APPLY(tn__op_Sum, &keep, x, axes), axes);
}

static void what_changes_nothing_is_left_out(void **state)
{
    (void)state;
    check(neutral_numbers, 0);
    check(views, 0);
    check(negatives, 0);
    check(transpositions, 0);
    check(sums_of_nothing, 0);
}

static tn_tensor *plus_zero(tn_tensor *x)
{
    return tn_add(x, number(0));
}

static tn_tensor *minus_minus_zero(tn_tensor *x)
{
    return tn_subtract(x, number(-0.f));
}

static tn_tensor *times_a_larger_one(tn_tensor *x)
{
    return tn_multiply(x, tn_ones(TN_SHAPE(1, 1, 1), TN_FLOAT32));
}

static tn_tensor *zero_minus(tn_tensor *x)
{
    return tn_subtract(number(0), x);
}

static tn_tensor *turned_and_turned_on(tn_tensor *x)
{
    tn_tensor *cube = tn_reshape(x, TN_SHAPE(1, 3, 2));
    return tn_transpose(tn_transpose(cube, TN_AXES(1, 2, 0)), TN_AXES(1, 2, 0));
}

/* Zero plus minus zero is zero; one of a larger shape changes the shape; a transposition may go on. */
static void what_changes_something_stays(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *(*const changes[])(tn_tensor *x) = { plus_zero, minus_minus_zero, times_a_larger_one, zero_minus };
    tn_tensor *feed = tn_constant(TN_FLOAT32, TN_SHAPE(2, 3), ((float[]){ -0.f, 3, 0.f, 2, -1, 7 })), *expected;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        expected = changes[i](feed);
        building b = begin(TN_SHAPE(2, 3), feed);
        assert_int_equal(steps_of(&b, changes[i](b.in), expected), 1);
    }
    expected = turned_and_turned_on(feed);
    building b = begin(TN_SHAPE(2, 3), feed);
    assert_int_equal(steps_of(&b, turned_and_turned_on(b.in), expected), 3);
}

/* Gradients of what may have been broadcast, in a graph whose batch is open: nothing is left of the sums where nothing was. */
static void an_open_batch_costs_no_sums_over_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *feed = tn_random_normal(TN_SHAPE(5, 3), .seed = 1), *bias = tn_ones(TN_SHAPE(3), TN_FLOAT32);
    tn_tensor *expected = TN__APPLY(tn__op_ReluGrad, NULL, tn_ones(TN_SHAPE(5, 3), TN_FLOAT32), tn_add(feed, bias));
    building b = begin(TN_SHAPE(TN_NONE, 3), feed);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, b.in);
    tn_list gradients = tn_gradient(tape, tn_nn_relu(tn_add(b.in, bias)), TN_LIST(b.in));
    assert_int_equal(steps_of(&b, gradients.item[0], expected), 1);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes_nothing_is_left_out),
        cmocka_unit_test(what_changes_something_stays),
        cmocka_unit_test(an_open_batch_costs_no_sums_over_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
