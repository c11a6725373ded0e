/* place_test.c - where results lie. */
#include "plan/compile.h"
#include "ops/ops.h"
#include "support/check_op.h"

typedef struct {
    tn_graph *graph;
    tn_tensor *in, *feed;
} building;

static building begin(void)
{
    tn_context *context = tn__context();
    tn_shape shape = TN_SHAPE(1000);
    building b = { .graph = tn__own(tn__graph_new()), .feed = tn_ones(shape, TN_FLOAT32) };
    CHECK_OK(tn__graph_input(context, b.graph, TN_FLOAT32, &shape, "x", &b.in));
    tn__own(b.in);
    context->graph = b.graph;
    return b;
}

static tn__program *compile(building *b, tn_tensor *fetch)
{
    tn_context *context = tn__context();
    context->graph = NULL;
    tn__request request = { context, b->graph, &b->in, &b->feed, 1, &fetch, 1, true };
    tn__program *program = NULL;
    CHECK_OK(tn__program_compile(&request, &program));
    return program;
}

enum { SIZE = 1000 * 4 + 32 }; /* in whole lines */

static void a_chain_needs_two_places_however_long_it_is(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin();
    tn_tensor *y = b.in;
    for (int i = 0; i < 20; i++)
        y = tn_sin(y);
    tn__program *p = compile(&b, y);
    assert_int_equal(p->arena, 2 * SIZE);
    tn__program_release(p);
}

static void what_is_used_later_keeps_its_place(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin();
    tn_tensor *first = tn_sin(b.in), *y = first;
    for (int i = 0; i < 20; i++)
        y = tn_sin(y);
    tn__program *p = compile(&b, tn_atan2(y, first));
    assert_int_equal(p->arena, 3 * SIZE);
    tn__program_release(p);
}

static void a_view_shares_its_place_and_keeps_it(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin();
    tn_tensor *first = tn_sin(b.in), *view = tn_reshape(first, TN_SHAPE(10, 100)), *y = first;
    for (int i = 0; i < 3; i++)
        y = tn_sin(y);
    tn__program *p = compile(&b, tn_atan2(tn_reshape(y, TN_SHAPE(10, 100)), view));
    size_t ways[TN__NOTHING + 1] = { 0 };
    for (size_t i = 0; i < p->step.count; i++)
        ways[p->step.item[i].way]++;
    assert_int_equal(ways[TN__NOTHING], 2);
    assert_int_equal(ways[TN__GENERAL], 0);
    assert_int_equal(p->arena, 3 * SIZE);
    tn__program_release(p);
}

static void what_is_fetched_lies_by_itself_as_does_what_it_is_a_view_of(void **state)
{
    (void)state;
    TN_SCOPE;
    building b = begin();
    tn__program *p = compile(&b, tn_reshape(tn_sin(b.in), TN_SHAPE(10, 100)));
    assert_int_equal(p->arena, 0);
    tn__program_release(p);
}

/* The arena in whole arrays; what comes out is what f gives outside of the graph. */
static size_t places_of(tn_tensor *(*f)(tn_tensor *x))
{
    TN_SCOPE;
    building b = begin();
    b.feed = NULL;
    tn_tensor *y = f(b.in), *got;
    tn__context()->graph = NULL;
    b.feed = tn_random_normal(TN_SHAPE(1000), .seed = 3);
    tn__program *p = compile(&b, y);
    size_t arena = p->arena;
    for (int i = 0; i < 2; i++) { /* a second run finds what the first left */
        CHECK_OK(tn__program_run(tn__context(), p, &b.feed, &got));
        CHECK_TENSOR(tn__own(got), f(b.feed), 1e-6, 1e-6);
    }
    tn__program_release(p);
    return arena / SIZE;
}

static tn_tensor *one_after_the_other(tn_tensor *x)
{
    tn_tensor *y = tn_sin(x);
    return tn_sin(tn_multiply(tn_square(tn_negative(y)), y));
}

/* Of the chain's two results the first is there while the second is made, which reads the input. */
static tn_tensor *asked_in_between(tn_tensor *x)
{
    tn_tensor *y = tn_sin(x), *u = tn_negative(y), *v = tn_multiply(tn_square(u), y);
    return tn_atan2(u, v);
}

static tn_tensor *needed_later(tn_tensor *x)
{
    tn_tensor *y = tn_sin(x);
    return tn_atan2(tn_negative(tn_square(y)), y);
}

static tn_tensor *repeated(tn_tensor *x)
{
    tn_tensor *y = tn_sin(x), *row = tn_reshape(y, TN_SHAPE(1, 1000));
    return tn_sin(tn_multiply(tn_negative(tn_reshape(y, TN_SHAPE(1000))), tn_reshape(row, TN_SHAPE(1000))));
}

static tn_tensor *pooled_and_rectified(tn_tensor *x)
{
    tn_tensor *image = tn_sin(tn_reshape(x, TN_SHAPE(1, 10, 20, 5))), *y;
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, image);
    y = tn_nn_max_pool2d(.input = tn_nn_relu(image), .ksize = { 2, 2 }, .strides = { 2, 2 }, .padding = "VALID");
    return tn_sin(tn_gradient(tape, tn_square(y), TN_LIST(image)).item[0]);
}

static void a_chain_writes_where_its_input_ends(void **state)
{
    (void)state;
    assert_int_equal(places_of(one_after_the_other), 1);
    assert_int_equal(places_of(asked_in_between), 2);
    assert_int_equal(places_of(needed_later), 2);
    assert_int_equal(places_of(repeated), 1);
}

/* Beside it there is one place, for the image before it is rectified and the results of windows. */
static void the_gradient_of_windows_side_by_side_lies_where_their_image_did(void **state)
{
    (void)state;
    assert_int_equal(places_of(pooled_and_rectified), 2);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_needs_two_places_however_long_it_is),
        cmocka_unit_test(what_is_used_later_keeps_its_place),
        cmocka_unit_test(a_view_shares_its_place_and_keeps_it),
        cmocka_unit_test(a_chain_writes_where_its_input_ends),
        cmocka_unit_test(the_gradient_of_windows_side_by_side_lies_where_their_image_did),
        cmocka_unit_test(what_is_fetched_lies_by_itself_as_does_what_it_is_a_view_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
