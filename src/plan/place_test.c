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

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_needs_two_places_however_long_it_is),
        cmocka_unit_test(what_is_used_later_keeps_its_place),
        cmocka_unit_test(a_view_shares_its_place_and_keeps_it),
        cmocka_unit_test(what_is_fetched_lies_by_itself_as_does_what_it_is_a_view_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
