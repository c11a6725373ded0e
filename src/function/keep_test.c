/* keep_test.c - gradients of branches and loops that assign to variables or draw: beside
 * TensorFlow's. */
#include "session/session.h"
#include "support/check_op.h"
#include <math.h>

static tn_tensor *number(double x)
{
    return tn_cast(tn_scalar(x), TN_FLOAT32);
}

/* A function of x and v, which is 3 at first. */
typedef struct {
    tn_variable *v, *generator;
    tn_tensor *x, *y;
} program;

/* --- the programs ----------------------------------------------------------------------------- */
static tn_tensor *assigned(void *self, tn_list inputs)
{
    (void)inputs;
    program *p = self;
    tn_tensor *v = tn_assign(p->v, tn_multiply(p->v, p->x));
    return tn_multiply(v, p->x);
}
static tn_tensor *squared(void *self, tn_list inputs)
{
    (void)inputs;
    program *p = self;
    return tn_multiply(tn_multiply(p->x, p->v), p->v);
}
static tn_tensor *itself(void *self, tn_list inputs)
{
    (void)inputs;
    return tn_identity(((program *)self)->x);
}
static tn_tensor *branch(void *self, tn_list inputs)
{
    program *p = self;
    p->x = inputs.count ? tn_at(inputs, 0) : p->x;
    return tn_cond(tn_greater(p->x, tn_scalar(0.0)), assigned, squared, self, (tn_list){ 0, NULL });
}

static tn_tensor *branch_times_v(void *self, tn_list inputs)
{
    program *p = self;
    tn_tensor *y = branch(self, inputs);
    return tn_multiply(tn_multiply(y, p->v), p->x);
}
static tn_tensor *branch_in_branch(void *self, tn_list inputs)
{
    program *p = self;
    p->x = tn_at(inputs, 0);
    return tn_cond(tn_greater(p->x, tn_scalar(-5.0)), branch_times_v, itself, self,
                   (tn_list){ 0, NULL });
}

static tn_tensor *times_v(void *self, tn_list inputs)
{
    (void)inputs;
    return tn_multiply(((program *)self)->x, ((program *)self)->v);
}
static tn_tensor *assigned_times_x(void *self, tn_list inputs)
{
    return tn_multiply(assigned(self, inputs), ((program *)self)->x);
}
static tn_tensor *assigned_times_v(void *self, tn_list inputs)
{
    tn_tensor *y = assigned(self, inputs);
    return tn_multiply(y, ((program *)self)->v);
}
static tn_tensor *by_number(void *self, tn_list inputs)
{
    program *p = self;
    p->x = tn_at(inputs, 0);
    static const tn_body branches[] = { times_v, assigned_times_x, assigned_times_v };
    return tn_switch_case(tn_cast(p->x, TN_INT32), 3, branches, self, (tn_list){ 0, NULL });
}

static tn_tensor *below_three(void *self, tn_list inputs)
{
    (void)self;
    return tn_less(tn_at(inputs, 0), tn_scalar(3));
}
static tn_tensor *below_two(void *self, tn_list inputs)
{
    (void)self;
    return tn_less(tn_at(inputs, 0), tn_scalar(2));
}
static tn_tensor *next(tn_list inputs)
{
    return tn_add(tn_at(inputs, 0), tn_scalar(1));
}
static tn_tensor *zero(void)
{
    return tn_zeros(TN_SCALAR, TN_INT32);
}

static tn_tensor *adds_and_multiplies(void *self, tn_list inputs)
{
    program *p = self;
    tn_tensor *v = tn_assign_add(p->v, p->x);
    return tn_tuple(next(inputs), tn_multiply(tn_multiply(tn_at(inputs, 1), v), p->x));
}
static tn_tensor *loop(void *self, tn_list inputs)
{
    program *p = self;
    p->x = inputs.count ? tn_at(inputs, 0) : p->x;
    return tn_item(tn_while_loop(below_three, adds_and_multiplies, self, TN_LIST(zero(), p->x)), 1);
}

static tn_tensor *assigned_times_y(void *self, tn_list inputs)
{
    return tn_multiply(assigned(self, inputs), ((program *)self)->y);
}
static tn_tensor *y_times_v(void *self, tn_list inputs)
{
    (void)inputs;
    return tn_multiply(((program *)self)->y, ((program *)self)->v);
}
static tn_tensor *branches(void *self, tn_list inputs)
{
    program *p = self;
    p->y = tn_at(inputs, 1);
    tn_tensor *even = tn_equal(tn_floormod(tn_at(inputs, 0), tn_scalar(2)), tn_scalar(0));
    return tn_tuple(next(inputs),
                    tn_cond(even, assigned_times_y, y_times_v, self, (tn_list){ 0, NULL }));
}
static tn_tensor *branch_in_loop(void *self, tn_list inputs)
{
    program *p = self;
    p->x = tn_at(inputs, 0);
    return tn_item(tn_while_loop(below_three, branches, self, TN_LIST(zero(), p->x)), 1);
}

static tn_tensor *loop_times_v(void *self, tn_list inputs)
{
    tn_tensor *y = loop(self, inputs);
    return tn_multiply(y, ((program *)self)->v);
}
static tn_tensor *loop_in_branch(void *self, tn_list inputs)
{
    program *p = self;
    p->x = tn_at(inputs, 0);
    return tn_cond(tn_greater(p->x, tn_scalar(0.0)), loop_times_v, itself, self,
                   (tn_list){ 0, NULL });
}

static tn_tensor *adds_itself(void *self, tn_list inputs)
{
    tn_tensor *q = tn_at(inputs, 1);
    return tn_tuple(next(inputs), tn_multiply(q, tn_assign_add(((program *)self)->v, q)));
}
static tn_tensor *inner_loop(void *self, tn_list inputs)
{
    program *p = self;
    tn_tensor *z =
        tn_item(tn_while_loop(below_two, adds_itself, self, TN_LIST(zero(), tn_at(inputs, 1))), 1);
    return tn_tuple(next(inputs), tn_multiply(tn_multiply(z, p->x), p->v));
}
static tn_tensor *loop_in_loop(void *self, tn_list inputs)
{
    program *p = self;
    p->x = tn_at(inputs, 0);
    return tn_item(tn_while_loop(below_two, inner_loop, self, TN_LIST(zero(), p->x)), 1);
}

static tn_tensor *appends(void *self, tn_list inputs)
{
    tn_tensor *y = tn_at(inputs, 1), *v = tn_assign_add(((program *)self)->v, tn_scalar(1.0));
    tn_tensor *more = tn_reshape(tn_multiply(tn_reduce_sum(y), v), TN_SHAPE(1));
    return tn_tuple(next(inputs), tn_concat(TN_LIST(y, more), 0));
}
static tn_tensor *growing_loop(void *self, tn_list inputs)
{
    tn_tensor *first = tn_reshape(tn_at(inputs, 0), TN_SHAPE(1));
    return tn_reduce_sum(
        tn_square(tn_item(tn_while_loop(below_three, appends, self, TN_LIST(zero(), first)), 1)));
}

static tn_tensor *element(void *self, tn_list inputs)
{
    program *p = self;
    return tn_multiply(tn_multiply(tn_at(inputs, 0), p->x), tn_assign_add(p->v, p->x));
}
static tn_tensor *map(void *self, tn_list inputs)
{
    ((program *)self)->x = tn_at(inputs, 0);
    return tn_reduce_sum(
        tn_map_fn(element, self, TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3))));
}

/* What tf.GradientTape gives for them: y, dy/dx, dy/dv, then of each of these by x and by v; v
 * afterwards. */
static const struct {
    const char *name;
    tn_body body;
    double x, y, first[2], second[4], v;
} cases[] = {
    { "branch", branch, 2, 12, { 6, 2 }, { 0, 1, 1, 0 }, 6 },
    { "branch that only reads", branch, -2, -18, { 9, -12 }, { 0, 6, 6, -4 }, 3 },
    { "branch in branch", branch_in_branch, 2, 144, { 144, 48 }, { 72, 48, 48, 8 }, 6 },
    { "branch in branch that only reads",
      branch_in_branch,
      -2,
      108,
      { -108, 108 },
      { 54, -108, -108, 72 },
      3 },
    { "case 1", by_number, 1.5, 10.125, { 13.5, 2.25 }, { 9, 3, 3, 0 }, 4.5 },
    { "case 2", by_number, 2.5, 140.625, { 56.25, 37.5 }, { 0, 15, 15, 5 }, 7.5 },
    { "loop", loop, 2, 5040, { 10080, 2288 }, { 15120, 4576, 4576, 672 }, 9 },
    { "branch in loop", branch_in_loop, 2, 3456, { 5184, 1440 }, { 5184, 2160, 2160, 384 }, 12 },
    { "loop in branch",
      loop_in_branch,
      2,
      45360,
      { 90720, 25632 },
      { 136080, 51264, 51264, 10624 },
      9 },
    { "loop in loop",
      loop_in_loop,
      0.5,
      192675168,
      { 1156050944, 135533440 },
      { 4624203776, 813200576, 813200640, 65404572 },
      737.6211547851562 },
    { "growing loop",
      growing_loop,
      2,
      132168,
      { 132168, 140272 },
      { 66084, 140272, 140272, 123896 },
      6 },
    { "map", map, 2, 92, { 46, 12 }, { 0, 6, 6, 0 }, 9 },
};
enum { CASES = sizeof cases / sizeof *cases };

static void check_near(tn_tensor *got, double want)
{
    CHECK_VALUES(got, 2e-6 * fabs(want), want);
}

/* NULL: it is 0, and eagerly nothing leads there. */
static void check_gradients(tn_list gradients, const double *want)
{
    assert_int_equal(gradients.count, 2);
    for (int i = 0; i < 2; i++)
        if (gradients.item[i] || want[i] != 0)
            check_near(gradients.item[i], want[i]);
}

static void check_tapes(int at, bool traced)
{
    TN_SCOPE;
    program p = { .v = tn_variable(number(3)) };
    tn_tensor *x = number(cases[at].x);
    tn_tape *outer = tn_gradient_tape(.persistent = true), *tape;
    tn_watch(outer, x);
    tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y =
        traced ? tn_call(tn_function(cases[at].body, &p), x) : cases[at].body(&p, TN_LIST(x));
    check_near(y, cases[at].y);
    tn_list first = tn_gradient(tape, y, TN_LIST(x, p.v));
    check_gradients(first, cases[at].first);
    for (int i = 0; i < 2; i++)
        check_gradients(tn_gradient(outer, first.item[i], TN_LIST(x, p.v)),
                        cases[at].second + 2 * i);
    check_near(p.v, cases[at].v);
    CHECK_NO_ERROR();
}

static void tapes_round_what_assigns_give_tensorflows_gradients_of_both_orders(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++)
        for (int traced = 0; traced < 2; traced++) {
            print_message("%s, %s\n", cases[i].name, traced ? "traced" : "at once");
            check_tapes(i, traced);
        }
}

/* All of them in one trace. */
typedef struct {
    program p;
    tn_body body;
} derivatives;
static tn_tensor *derive(void *self, tn_list inputs)
{
    derivatives *d = self;
    tn_tensor *x = tn_at(inputs, 0), *v = d->p.v;
    tn_tape *outer = tn_gradient_tape(.persistent = true), *tape;
    tn_watch(outer, x);
    tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = d->body(&d->p, inputs);
    tn_list first = tn_gradient(tape, y, TN_LIST(x, v));
    if (!first.item)
        return NULL;
    tn_tensor *second[4];
    for (int i = 0; i < 4; i++)
        if (!(second[i] = tn_gradient_of(outer, first.item[i / 2], i % 2 ? v : x)))
            second[i] = number(0);
    return tn_tuple(y, first.item[0], first.item[1], second[0], second[1], second[2], second[3]);
}

static void traces_hold_the_gradients_of_what_assigns(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        TN_SCOPE;
        print_message("%s\n", cases[i].name);
        derivatives d = { { .v = tn_variable(number(3)) }, cases[i].body };
        tn_function *f = tn_function(derive, &d);
        for (int again = 0; again < 2; again++) {
            tn_assign(d.p.v, number(3));
            tn_tensor *all = tn_call(f, number(cases[i].x));
            check_near(tn_item(all, 0), cases[i].y);
            for (int k = 0; k < 2; k++)
                check_near(tn_item(all, 1 + k), cases[i].first[k]);
            for (int k = 0; k < 4; k++)
                check_near(tn_item(all, 3 + k), cases[i].second[k]);
            check_near(d.p.v, cases[i].v);
        }
    }
    CHECK_NO_ERROR();
}

/* --- draws ------------------------------------------------------------------------------------ */
static tn_tensor *eight(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(8), 1, 2, 3, 4, 5, 6, 7, 8);
}

static tn_tensor *drops_out(void *self, tn_list inputs)
{
    return tn_keras_random_dropout(.inputs = tn_at(inputs, 0), .rate = 0.5,
                                   .seed_generator = ((program *)self)->generator);
}
static tn_tensor *same(void *self, tn_list inputs)
{
    (void)self;
    return tn_identity(tn_at(inputs, 0));
}
static tn_tensor *dropout_in_branch(void *self, tn_list inputs)
{
    tn_tensor *positive = tn_greater(tn_reduce_sum(tn_at(inputs, 0)), tn_scalar(0.0));
    return tn_cond(positive, drops_out, same, self, inputs);
}

static tn_tensor *drops_out_more(void *self, tn_list inputs)
{
    program *p = self;
    tn_tensor *y = tn_keras_random_dropout(.inputs = tn_at(inputs, 1), .rate = 0.25,
                                           .seed_generator = p->generator);
    return tn_tuple(next(inputs), tn_multiply(y, p->x));
}
static tn_tensor *dropout_in_loop(void *self, tn_list inputs)
{
    program *p = self;
    p->x = tn_at(inputs, 0);
    return tn_item(tn_while_loop(below_three, drops_out_more, self, TN_LIST(zero(), p->x)), 1);
}

/* The numbers of Keras for a generator of seed 7. */
static void masks_of_dropout_are_those_of_the_forward_run(void **state)
{
    (void)state;
    static const struct {
        tn_body body;
        double y[2][8], dx[2][8];
    } runs[] = {
        { dropout_in_branch,
          { { 2, 4, 0, 8, 0, 12, 0, 16 }, { 0, 4, 0, 8, 10, 12, 14, 0 } },
          { { 2, 2, 0, 2, 0, 2, 0, 2 }, { 0, 2, 0, 2, 2, 2, 2, 0 } } },
        { dropout_in_loop,
          { { 0, 0, 0, 606.8148803710938, 0, 0, 5691.259765625, 9709.0380859375 },
            { 2.370370626449585, 37.92593002319336, 0, 606.8148803710938, 1481.4818115234375, 0,
              5691.259765625, 0 } },
          { { 0, 0, 0, 606.8148803710938, 0, 0, 3252.1484375, 4854.51904296875 },
            { 9.48148250579834, 75.85186004638672, 0, 606.8148803710938, 1185.1854248046875, 0,
              3252.1484375, 0 } } },
    };
    for (int i = 0; i < 2; i++) {
        TN_SCOPE;
        program p = { .generator = tn_seed_generator(7) };
        tn_function *f = tn_function(runs[i].body, &p);
        for (int again = 0; again < 2; again++) {
            tn_tensor *x = eight();
            tn_tape *tape = tn_gradient_tape();
            tn_watch(tape, x);
            tn_tensor *y = tn_call(f, x);
            check_values(y, runs[i].y[again], 8, 1e-3, __FILE__, __LINE__);
            check_values(tn_gradient_of(tape, y, x), runs[i].dx[again], 8, 1e-3, __FILE__,
                         __LINE__);
        }
        CHECK_NO_ERROR();
    }
}

/* x · u³, and what RandomGamma's rule needs is its own draw. */
static tn_tensor *scales(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *u = tn_random_uniform(.shape = TN_SHAPE(8)), *x = tn_at(inputs, 0);
    return tn_multiply(tn_multiply(x, u), tn_square(u));
}
static tn_tensor *uniform_in_branch(void *self, tn_list inputs)
{
    tn_tensor *positive = tn_greater(tn_reduce_sum(tn_at(inputs, 0)), tn_scalar(0.0));
    return tn_cond(positive, scales, same, self, inputs);
}
static tn_tensor *scales_again(void *self, tn_list inputs)
{
    return tn_tuple(next(inputs), uniform_in_branch(self, TN_LIST(tn_at(inputs, 1))));
}
static tn_tensor *uniform_in_loop(void *self, tn_list inputs)
{
    return tn_item(
        tn_while_loop(below_three, scales_again, self, TN_LIST(zero(), tn_at(inputs, 0))), 1);
}
static tn_tensor *draws_of_gamma(void *self, tn_list inputs)
{
    (void)self;
    return tn_random_gamma(.shape = TN_SCALAR,
                           .alpha = VALUES(TN_FLOAT32, TN_SHAPE(8), 1, 2, 3, 4, 5, 6, 7, 8),
                           .beta = tn_at(inputs, 0));
}
static tn_tensor *gamma_in_branch(void *self, tn_list inputs)
{
    tn_tensor *positive = tn_greater(tn_reduce_sum(tn_at(inputs, 0)), tn_scalar(0.0));
    return tn_cond(positive, draws_of_gamma, same, self, inputs);
}

/* Every y is x · c or, of the gamma distribution, c / x: dy/dx = ±y / x. */
static void draws_of_stateful_generators_are_those_of_the_forward_run(void **state)
{
    (void)state;
    static const struct {
        tn_body body;
        double sign;
    } runs[] = { { uniform_in_branch, 1 }, { uniform_in_loop, 1 }, { gamma_in_branch, -1 } };
    for (int i = 0; i < 3; i++) {
        TN_SCOPE;
        tn_function *f = tn_function(runs[i].body, NULL);
        tn_tensor *x = eight(), *before = NULL;
        for (int again = 0; again < 2; again++) {
            tn_tape *tape = tn_gradient_tape();
            tn_watch(tape, x);
            tn_tensor *y = tn_call(f, x);
            tn_tensor *want =
                tn_multiply(tn_divide(y, x), tn_cast(tn_scalar(runs[i].sign), TN_FLOAT32));
            CHECK_TENSOR(tn_gradient_of(tape, y, x), want, 1e-5, 1e-7);
            if (before)
                assert_true(tn_to_double(tn_reduce_max(tn_abs(tn_subtract(y, before)))) > 1e-3);
            before = y;
        }
        CHECK_NO_ERROR();
    }
}

/* --- loops that nobody differentiates --------------------------------------------------------- */
static tn_tensor *changes_its_rank(void *self, tn_list inputs)
{
    tn_tensor *v = tn_assign_add(((program *)self)->v, tn_scalar(1.0));
    return tn_tuple(next(inputs), tn_multiply(tn_expand_dims(tn_at(inputs, 1), 0), v));
}
static tn_tensor *loop_of_ranks(void *self, tn_list inputs)
{
    return tn_reduce_sum(tn_item(
        tn_while_loop(below_three, changes_its_rank, self, TN_LIST(zero(), tn_at(inputs, 0))), 1));
}

static tn_tensor *branch_of_ranks(void *self, tn_list inputs)
{
    tn_tensor *positive = tn_greater(tn_at(inputs, 0), tn_scalar(0.0));
    return tn_cond(positive, loop_of_ranks, same, self, inputs);
}

/* It needs no history, and has none. */
static void a_loop_without_a_tape_may_do_what_has_no_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    program p = { .v = tn_variable(number(3)) };
    tn_function *f = tn_function(loop_of_ranks, &p);
    CHECK_VALUES(tn_call(f, number(2)), 0, 2 * 4 * 5 * 6);
    CHECK_VALUES(tn_call(tn_function(branch_of_ranks, &p), number(2)), 0, 2 * 7 * 8 * 9);
    tn_tape *tape = tn_gradient_tape();
    assert_null(tn_call(f, p.v));
    CHECK_ERROR(
        TN_UNIMPLEMENTED,
        "the gradient of a loop whose tensors change their rank, from () to (1,) in round 1");
    tn_free(tape);
}

static tn_tensor *counts(void *self, tn_list inputs)
{
    tn_assign_add(((program *)self)->v, tn_scalar(1.0));
    return tn_tuple(next(inputs), tn_multiply(tn_at(inputs, 1), ((program *)self)->v));
}
static tn_tensor *loop_of_highest_rank(void *self, tn_list inputs)
{
    tn_tensor *x = tn_reshape(tn_at(inputs, 0), TN_SHAPE(1, 1, 1, 1, 1, 1, 1, 1));
    return tn_item(tn_while_loop(below_three, counts, self, TN_LIST(zero(), x)), 1);
}

static void what_has_no_room_for_the_rounds_dimension_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    program p = { .v = tn_variable(number(3)) };
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = tn_call(tn_function(loop_of_highest_rank, &p), number(2));
    CHECK_VALUES(y, 0, 2 * 4 * 5 * 6);
    assert_null(tn_gradient_of(tape, y, p.v));
    CHECK_ERROR(TN_UNIMPLEMENTED, "the gradient of a loop that assigns to variables or draws from "
                                  "a stateful generator, and has a tensor of rank 8");
}

/* --- TensorFlow 1 ----------------------------------------------------------------------------- */
static tn_tensor *multiplies(void *self, tn_list inputs)
{
    program *p = self;
    return tn_tuple(next(inputs), tn_multiply(tn_multiply(tn_at(inputs, 1), p->v), p->x));
}
static tn_tensor *loop_that_reads(void *self, tn_list inputs)
{
    program *p = self;
    p->x = tn_at(inputs, 0);
    return tn_item(tn_while_loop(below_two, multiplies, self, TN_LIST(zero(), p->x)), 1);
}
static tn_tensor *reads_in_branch(void *self, tn_list inputs)
{
    program *p = self;
    p->x = tn_at(inputs, 0);
    return tn_cond(tn_greater(p->x, tn_scalar(0.0)), squared, itself, self, (tn_list){ 0, NULL });
}

/* What tf.gradients gives in a graph, also when the ops of the gradient run behind an assignment of
 * 10 more to v. */
static void gradients_in_graphs_are_of_what_was_read_in_the_branch_or_loop(void **state)
{
    (void)state;
    static const struct {
        tn_body body;
        double y, first[2], second[4], v;
    } graphs[] = {
        { branch, 12, { 6, 2 }, { 0, 1, 1, 0 }, 6 },
        { reads_in_branch, 18, { 9, 12 }, { 0, 6, 6, 4 }, 3 },
        { loop_that_reads, 72, { 108, 48 }, { 108, 72, 72, 16 }, 3 },
        { loop, 5040, { 10080, 2288 }, { 15120, 4576, 4576, 672 }, 9 },
        { branch_in_loop, 3456, { 5184, 1440 }, { 5184, 2160, 2160, 384 }, 12 },
    };
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++)
        for (int behind = 0; behind < 2; behind++) {
            TN_SCOPE;
            TN_WITH(tn_graph_as_default(tn_graph_new()));
            tn_tensor *x = tn_placeholder(TN_FLOAT32, TN_SCALAR, "x");
            program p = { .v = tn_variable(number(3), .name = "v") };
            tn_tensor *y = graphs[i].body(&p, TN_LIST(x)), *after = NULL, *all[7];
            {
                TN_WITH(tn_control_dependencies(TN_LIST(y)));
                after = tn_assign_add(p.v, tn_scalar(10.0));
            }
            {
                TN_WITH(tn_control_dependencies(behind ? TN_LIST(after) : (tn_list){ 0, NULL }));
                tn_list first = tn_gradients(y, TN_LIST(x, p.v));
                all[0] = y;
                for (int k = 0; k < 2; k++) {
                    all[1 + k] = first.item[k];
                    tn_list second = tn_gradients(first.item[k], TN_LIST(x, p.v));
                    all[3 + 2 * k] = second.item[0];
                    all[4 + 2 * k] = second.item[1];
                }
            }
            CHECK_NO_ERROR();
            for (int k = 0; k < 7; k++)
                if (!all[k])
                    all[k] = number(0);
            tn_session *s = tn_session();
            CHECK_OK(tn_run_operation(s, tn_global_variables_initializer()));
            tn_tensor *got = tn_run(s, tn_tuple_of((tn_list){ 7, all }),
                                    .feed = { { x, VALUES(TN_FLOAT32, TN_SCALAR, 2) } });
            check_near(tn_item(got, 0), graphs[i].y);
            for (int k = 0; k < 6; k++)
                check_near(tn_item(got, 1 + k),
                           k < 2 ? graphs[i].first[k] : graphs[i].second[k - 2]);
            check_near(tn_run(s, p.v), graphs[i].v + 10 * behind);
            CHECK_NO_ERROR();
        }
}

static bool gradient_of_branch_in_loop(void *self)
{
    TN_SCOPE;
    tn_tape *tape = tn_gradient_tape();
    program p = { .v = self };
    tn_function *f = tn_function(branch_in_loop, &p);
    tn_tensor *y = f ? tn_call(f, number(2)) : NULL;
    return y && tn_gradient_of(tape, y, self) != NULL;
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(number(3));
    assert_true(gradient_of_branch_in_loop(v)); /* from here on what v holds is its own */
    check_allocation_failures(gradient_of_branch_in_loop, v);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tapes_round_what_assigns_give_tensorflows_gradients_of_both_orders),
        cmocka_unit_test(traces_hold_the_gradients_of_what_assigns),
        cmocka_unit_test(masks_of_dropout_are_those_of_the_forward_run),
        cmocka_unit_test(draws_of_stateful_generators_are_those_of_the_forward_run),
        cmocka_unit_test(a_loop_without_a_tape_may_do_what_has_no_gradient),
        cmocka_unit_test(what_has_no_room_for_the_rounds_dimension_is_told),
        cmocka_unit_test(gradients_in_graphs_are_of_what_was_read_in_the_branch_or_loop),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
