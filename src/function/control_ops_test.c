/* control_ops_test.c - If and While as ops: their kinds, what comes out of their closures, values
 * that only the run shows to be wrong. */
#include "function/control.h"
#include "runtime/graph.h"
#include "support/check_op.h"

typedef struct {
    tn_variable *w;
    tn_body body;
    tn__closure then, body_of_loop; /* of the last If and While that was traced, not retained */
    const tn__op *op;
} seen;

/* The last node of the graph that is being traced, and its closures. */
static void look(seen *s)
{
    const tn_graph *graph = tn__context()->graph;
    for (size_t i = 0; i < graph->node.count; i++) {
        const tn__node *node = graph->node.item[i];
        if (node->op == &tn__op_If || node->op == &tn__op_StatelessIf)
            s->then = ((const tn__if_attrs *)node->attrs)->then;
        else if (node->op == &tn__op_While || node->op == &tn__op_StatelessWhile)
            s->body_of_loop = ((const tn__while_attrs *)node->attrs)->body;
        else
            continue;
        s->op = node->op;
    }
}

static tn_tensor *plain(void *self, tn_list inputs)
{
    (void)self;
    return tn_add(tn_at(inputs, 0), tn_scalar(1.0));
}
static tn_tensor *reads(void *self, tn_list inputs)
{
    return tn_add(tn_at(inputs, 0), ((seen *)self)->w);
}
static tn_tensor *assigns(void *self, tn_list inputs)
{
    return tn_add(tn_at(inputs, 0), tn_assign_add(((seen *)self)->w, tn_scalar(1.0)));
}
static tn_tensor *is_small(void *self, tn_list inputs)
{
    (void)self;
    return tn_less(tn_at(inputs, 0), tn_scalar(3.0));
}
static tn_tensor *branches(void *self, tn_list inputs)
{
    seen *s = self;
    tn_tensor *y = tn_cond(is_small(NULL, inputs), s->body, plain, self, inputs);
    look(s);
    return y;
}
static tn_tensor *loops(void *self, tn_list inputs)
{
    seen *s = self;
    tn_tensor *y = tn_while_loop(is_small, s->body, self, inputs);
    look(s);
    return y;
}
static tn_tensor *branch_in_branch(void *self, tn_list inputs)
{
    tn_tensor *y = tn_cond(is_small(NULL, inputs), branches, plain, self, inputs);
    look(self);
    return y;
}
static tn_tensor *loop_in_branch(void *self, tn_list inputs)
{
    tn_tensor *y = tn_cond(is_small(NULL, inputs), loops, plain, self, inputs);
    look(self);
    return y;
}

static void check_kind(seen *s, tn_body program, tn_body body, bool stateful, bool changes,
                       double result)
{
    TN_SCOPE;
    s->body = body;
    tn_function *f = tn_function(program, s);
    CHECK_VALUES(tn_call(f, tn_ones(TN_SCALAR, TN_FLOAT32)), 0, result);
    bool loop = program == loops;
    assert_ptr_equal(s->op, loop ? (stateful ? &tn__op_While : &tn__op_StatelessWhile)
                                 : (stateful ? &tn__op_If : &tn__op_StatelessIf));
    const tn__closure *c = loop ? &s->body_of_loop : &s->then;
    assert_int_equal(tn__closure_is_stateful(c, true), stateful);
    assert_int_equal(tn__closure_is_stateful(c, false), changes);
    CHECK_NO_ERROR();
}

/* What is only read is read outside, so that it may be run again for a gradient. */
static void ops_are_stateful_by_what_stands_in_them_at_any_depth(void **state)
{
    (void)state;
    TN_SCOPE;
    seen s = { .w = tn_variable(tn_cast(tn_scalar(1.0), TN_FLOAT32)) };
    const tn_body programs[] = { branches, loops, branch_in_branch, loop_in_branch };
    for (int i = 0; i < 4; i++) {
        double two_or_three = i % 2 ? 3 : 2;
        check_kind(&s, programs[i], plain, false, false, two_or_three);
        check_kind(&s, programs[i], reads, false, false, two_or_three);
        check_kind(&s, programs[i], assigns, true, true, 3); /* 1 + w, which is 2 then */
        CHECK_OK(tn_assign(s.w, tn_scalar(1.0)) ? TN_OK : TN_INTERNAL);
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_are_stateful_by_what_stands_in_them_at_any_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
