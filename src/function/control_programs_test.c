/* control_programs_test.c - random programs of branches and loops that assign to a variable: traced
 * they give what they give at once, and so do their gradients. */
#include "support/check_op.h"
#include <math.h>

/* --- a random program ------------------------------------------------------------------------- */
enum { TIMES_X, TIMES_V, DECAY, ADD_UP, LEAVES, COND = LEAVES, FOR, SWITCH, WHILE, MAP, KINDS };

typedef struct {
    tn_variable *v;
    tn_tensor *x;
    uint32_t random;
} run;

typedef struct node {
    run *r;
    int kind;
    double constant;
    const struct node *a, *b; /* of what is no leaf */
} node;

static uint32_t draw(run *r, uint32_t below)
{
    r->random = r->random * 1664525u + 1013904223u;
    return (r->random >> 10) % below;
}

/* Nodes of a tree, in the order of a heap: those of the last row are leaves. */
enum { NODES = 15, FIRST_OF_LAST_ROW = 7 };
static void grow(run *r, node *nodes)
{
    for (int i = 0; i < NODES; i++) {
        bool last = i >= FIRST_OF_LAST_ROW;
        int kind =
            i == 0 ? LEAVES + (int)draw(r, KINDS - LEAVES) : (int)draw(r, last ? LEAVES : KINDS);
        nodes[i] = (node){ r, kind, ((int)draw(r, 20) - 8) * 0.1, last ? NULL : &nodes[2 * i + 1],
                           last ? NULL : &nodes[2 * i + 2] };
    }
}

/* --- running it ------------------------------------------------------------------------------- */
static tn_tensor *number(double x)
{
    return tn_cast(tn_scalar(x), TN_FLOAT32);
}

static tn_tensor *eval(const node *n, tn_tensor *y);

static tn_tensor *first(void *self, tn_list inputs)
{
    return eval(((const node *)self)->a, tn_at(inputs, 0));
}
static tn_tensor *second(void *self, tn_list inputs)
{
    return eval(((const node *)self)->b, tn_at(inputs, 0));
}
static tn_tensor *both(void *self, tn_list inputs)
{
    return eval(((const node *)self)->a, second(self, inputs));
}
static tn_tensor *below_two(void *self, tn_list inputs)
{
    (void)self;
    return tn_less(tn_at(inputs, 0), tn_scalar(2));
}
static tn_tensor *while_v_is_small(void *self, tn_list inputs)
{
    tn_tensor *small = tn_less(((const node *)self)->r->v, tn_scalar(1.2));
    return tn_logical_and(tn_less(tn_at(inputs, 0), tn_scalar(3)), small);
}
static tn_tensor *one_round(void *self, tn_list inputs)
{
    tn_tensor *y = eval(((const node *)self)->a, tn_at(inputs, 1));
    return tn_tuple(tn_add(tn_at(inputs, 0), tn_scalar(1)), y);
}

static tn_tensor *loop(const node *n, tn_body condition, tn_tensor *y)
{
    tn_tensor *start = tn_zeros(TN_SCALAR, TN_INT32), *begin = eval(n->b, y);
    return tn_item(tn_while_loop(condition, one_round, (void *)(uintptr_t)n, TN_LIST(start, begin)),
                   1);
}

static tn_tensor *choose(const node *n, tn_tensor *y)
{
    static const tn_body branches[] = { first, second, both };
    tn_tensor *index = tn_cast(tn_multiply(tn_abs(y), number(3)), TN_INT32);
    return tn_switch_case(index, 3, branches, (void *)(uintptr_t)n, TN_LIST(y));
}

static tn_tensor *map(const node *n, tn_tensor *y)
{
    tn_tensor *elements = tn_stack(TN_LIST(y, tn_multiply(y, number(0.5))), 0);
    tn_tensor *sum = tn_reduce_sum(tn_map_fn(first, (void *)(uintptr_t)n, TN_LIST(elements)));
    return tn_add(eval(n->b, y), sum);
}

static tn_tensor *decay(tn_variable *v, tn_tensor *y)
{
    tn_tensor *next = tn_add(tn_multiply(v, number(0.5)), tn_multiply(y, number(0.1)));
    return tn_tanh(tn_multiply(tn_assign(v, next), y));
}

static tn_tensor *add_up(tn_variable *v, double more, tn_tensor *y)
{
    tn_assign_add(v, number(more));
    return tn_sin(tn_multiply(v, y));
}

static tn_tensor *eval(const node *n, tn_tensor *y)
{
    const run *r = n->r;
    switch (n->kind) {
    case TIMES_X:
        return tn_multiply(y, r->x);
    case TIMES_V:
        return tn_add(tn_multiply(y, r->v), number(n->constant));
    case DECAY:
        return decay(r->v, y);
    case ADD_UP:
        return add_up(r->v, n->constant * 0.3, y);
    case COND:
        return tn_cond(tn_greater(y, number(n->constant)), first, second, (void *)(uintptr_t)n,
                       TN_LIST(y));
    case FOR:
        return loop(n, below_two, y);
    case SWITCH:
        return choose(n, y);
    case WHILE:
        return loop(n, while_v_is_small, y);
    default:
        return map(n, y);
    }
}

static tn_tensor *program(void *self, tn_list inputs)
{
    const node *root = self;
    root->r->x = tn_at(inputs, 0);
    return eval(root, tn_multiply(root->r->x, number(0.7)));
}

/* --- its value, its gradients by x and v, and theirs ------------------------------------------ */
static tn_tensor *or_zero(tn_tensor *gradient)
{
    return gradient ? gradient : number(0);
}

static tn_tensor *derive(node *root, tn_function *f, tn_tensor *x)
{
    tn_variable *v = root->r->v;
    tn_tape *outer = tn_gradient_tape(.persistent = true), *tape;
    tn_watch(outer, x);
    tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = f ? tn_call(f, x) : program(root, TN_LIST(x));
    tn_list slopes = tn_gradient(tape, y, TN_LIST(x, v));
    if (!slopes.item)
        return NULL;
    tn_tensor *all[7] = { y, or_zero(slopes.item[0]), or_zero(slopes.item[1]) };
    for (int i = 0; i < 4; i++) {
        tn_tensor *slope = slopes.item[i / 2];
        all[3 + i] = or_zero(slope ? tn_gradient_of(outer, slope, i % 2 ? v : x) : NULL);
    }
    tn_stop_recording(outer);
    return tn_tuple_of((tn_list){ 7, all });
}

static tn_tensor *derive_inside(void *self, tn_list inputs)
{
    return derive(self, NULL, tn_at(inputs, 0));
}

static void check_same(tn_tensor *got, const double *want, double v, const node *root)
{
    assert_non_null(got);
    for (int i = 0; i < 7; i++) {
        double x = tn_to_double(tn_item(got, i));
        assert_true(isfinite(want[i]) ? fabs(x - want[i]) <= 1e-4 * (1 + fabs(want[i]))
                                      : !isfinite(x));
    }
    assert_true(fabs(tn_to_double(root->r->v) - v) <= 1e-5 * (1 + fabs(v)));
}

static void check_program(uint32_t seed)
{
    TN_SCOPE;
    run r = { .v = tn_variable(number(0.9)), .random = seed * 2654435761u + 1 };
    node nodes[NODES];
    grow(&r, nodes);
    tn_tensor *x = number(0.6 + 0.1 * (seed % 5)), *at_once = derive(nodes, NULL, x);
    assert_non_null(at_once);
    double want[7], v = tn_to_double(r.v);
    for (int i = 0; i < 7; i++)
        want[i] = tn_to_double(tn_item(at_once, i));
    tn_assign(r.v, number(0.9));
    check_same(derive(nodes, tn_function(program, nodes), x), want, v, nodes);
    tn_assign(r.v, number(0.9));
    check_same(tn_call(tn_function(derive_inside, nodes), x), want, v, nodes);
    CHECK_NO_ERROR();
}

static void random_programs_have_the_gradients_of_what_runs_at_once(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 100; seed++) {
        print_message("seed %u\n", (unsigned)seed);
        check_program(seed);
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_programs_have_the_gradients_of_what_runs_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
