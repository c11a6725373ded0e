/* control_test.c - branches and loops, at once and traced, and their gradients. */
#include "support/check_op.h"
#include <math.h>

/* --- tn_cond: |x|^3 by cases, with a variable and an outer tensor ---------------------------------------------------------- */
typedef struct {
    tn_variable *w, *calls;
    tn_tensor *outer;
    int traced_true, traced_false;
} program;

static tn_tensor *cube_times_w(void *self, tn_list inputs)
{
    program *p = self;
    p->traced_true++;
    tn_tensor *x = tn_at(inputs, 0);
    return tn_multiply(tn_multiply(tn_multiply(x, x), x), p->w);
}

static tn_tensor *minus_square(void *self, tn_list inputs)
{
    program *p = self;
    p->traced_false++;
    tn_tensor *x = tn_at(inputs, 0);
    return tn_multiply(tn_negative(tn_multiply(x, x)), p->outer ? p->outer : tn_scalar(1.0));
}

static tn_tensor *by_sign(void *self, tn_list inputs)
{
    program *p = self;
    tn_tensor *x = tn_at(inputs, 0);
    p->outer = tn_multiply(x, tn_scalar(2.0)); /* of the graph round the branches */
    return tn_cond(tn_greater(tn_reduce_sum(x), tn_scalar(0.0)), cube_times_w, minus_square, self, inputs);
}

static tn_tensor *number(double x)
{
    return tn_cast(tn_scalar(x), TN_FLOAT32);
}

static void the_branch_that_is_due_runs(void **state)
{
    (void)state;
    TN_SCOPE;
    program p = { .w = tn_variable(number(5), .name = "w") };
    CHECK_VALUES(by_sign(&p, TN_LIST(number(2))), 0, 40);
    assert_int_equal(p.traced_false, 0);
    tn_function *f = tn_function(by_sign, &p);
    p = (program){ .w = p.w };
    CHECK_VALUES(tn_call(f, number(2)), 0, 40);
    CHECK_VALUES(tn_call(f, number(-3)), 0, 54); /* -9 · -6 */
    assert_int_equal(tn_trace_count(f), 1);
    assert_int_equal(p.traced_true, 1);
    assert_int_equal(p.traced_false, 1);
    CHECK_NO_ERROR();
}

/* d(5x³) = 15x², d(-x²·2x) = -6x²; d/dw = x³ or 0. Second: 30x, -12x. */
static void check_gradients(tn_body body, program *p, double x, double dx, double dw, double dxx)
{
    TN_SCOPE;
    tn_function *f = tn_function(body, p);
    for (int traced = 0; traced < 2; traced++) {
        tn_tensor *at = number(x);
        tn_tape *outer = tn_gradient_tape(.persistent = true), *tape;
        tn_watch(outer, at);
        tape = tn_gradient_tape(.persistent = true);
        tn_watch(tape, at);
        tn_tensor *y = traced ? tn_call(f, at) : body(p, TN_LIST(at));
        tn_tensor *first = tn_gradient_of(tape, y, at);
        CHECK_VALUES(first, 1e-4, dx);
        tn_tensor *by_w = tn_gradient_of(tape, y, p->w);
        if (traced || dw != 0)
            CHECK_VALUES(by_w, 1e-4, dw);
        CHECK_VALUES(tn_gradient_of(outer, first, at), 1e-3, dxx);
    }
    CHECK_NO_ERROR();
}

static void gradients_go_through_the_branch(void **state)
{
    (void)state;
    TN_SCOPE;
    program p = { .w = tn_variable(number(5)) };
    check_gradients(by_sign, &p, 2, 60, 8, 60);
    check_gradients(by_sign, &p, -3, -54, 0, 36);
}

/* A gradient taken inside the trace. */
static tn_tensor *slope(void *self, tn_list inputs)
{
    tn_tensor *x = tn_at(inputs, 0);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = by_sign(self, inputs);
    program *p = self;
    return tn_tuple_of(tn_gradient(tape, y, TN_LIST(x, p->w)));
}

static void a_trace_takes_gradients_of_branches(void **state)
{
    (void)state;
    TN_SCOPE;
    program p = { .w = tn_variable(number(5)) };
    tn_function *f = tn_function(slope, &p);
    tn_tensor *both = tn_call(f, number(2));
    CHECK_VALUES(tn_item(both, 0), 1e-4, 60);
    CHECK_VALUES(tn_item(both, 1), 1e-4, 8);
    both = tn_call(f, number(-3));
    CHECK_VALUES(tn_item(both, 0), 1e-4, -54);
    CHECK_VALUES(tn_item(both, 1), 1e-4, 0);
    assert_int_equal(tn_trace_count(f), 1);
    CHECK_NO_ERROR();
}

static tn_tensor *count_up(void *self, tn_list inputs)
{
    (void)inputs;
    return tn_assign_add(((program *)self)->w, number(1));
}
static tn_tensor *leave_it(void *self, tn_list inputs)
{
    (void)inputs;
    return tn_identity(((program *)self)->w);
}
static tn_tensor *count_if(void *self, tn_list inputs)
{
    return tn_cond(tn_at(inputs, 0), count_up, leave_it, self, (tn_list){ 0, NULL });
}

static void only_the_branch_that_runs_assigns(void **state)
{
    (void)state;
    TN_SCOPE;
    program p = { .w = tn_variable(number(0)) };
    tn_function *f = tn_function(count_if, &p);
    tn_tensor *yes = tn_cast(tn_scalar(1), TN_BOOL), *no = tn_cast(tn_scalar(0), TN_BOOL);
    CHECK_VALUES(tn_call(f, yes), 0, 1);
    CHECK_VALUES(tn_call(f, no), 0, 1);
    CHECK_VALUES(tn_call(f, yes), 0, 2);
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = tn_call(f, yes);
    CHECK_VALUES(tn_gradient_of(tape, y, p.w), 0, 1); /* the reading's */
    CHECK_VALUES(p.w, 0, 3);
    CHECK_NO_ERROR();
}

/* A branch and a loop that read w, in a branch. */
static tn_tensor *cube_inside(void *self, tn_list inputs)
{
    return tn_cond(tn_greater(tn_at(inputs, 0), tn_scalar(-100.0)), cube_times_w, minus_square, self, inputs);
}
static tn_tensor *below_two(void *self, tn_list inputs)
{
    (void)self;
    return tn_less(tn_at(inputs, 1), tn_scalar(2));
}
static tn_tensor *by_w(void *self, tn_list inputs)
{
    return tn_tuple(tn_multiply(tn_at(inputs, 0), ((program *)self)->w), tn_add(tn_at(inputs, 1), tn_scalar(1)));
}
static tn_tensor *by_w_twice(void *self, tn_list inputs)
{
    return tn_item(tn_while_loop(below_two, by_w, self, TN_LIST(tn_at(inputs, 0), tn_zeros(TN_SCALAR, TN_INT32))), 0);
}
static tn_tensor *by_sign_inside(void *self, tn_list inputs)
{
    return tn_cond(tn_greater(tn_at(inputs, 0), tn_scalar(0.0)), cube_inside, by_w_twice, self, inputs);
}

/* 5x³ of positive x, 25x of others. */
static void gradients_go_through_what_reads_variables_inside(void **state)
{
    (void)state;
    TN_SCOPE;
    program p = { .w = tn_variable(number(5)) };
    check_gradients(by_sign_inside, &p, 2, 60, 8, 60);
    tn_function *f = tn_function(by_sign_inside, &p);
    tn_tensor *x = number(-3);
    tn_tape *tape = tn_gradient_tape(.persistent = true);
    tn_watch(tape, x);
    tn_tensor *y = tn_call(f, x);
    CHECK_VALUES(y, 0, -75);
    CHECK_VALUES(tn_gradient_of(tape, y, x), 1e-4, 25);
    CHECK_VALUES(tn_gradient_of(tape, y, p.w), 1e-4, -30);
    CHECK_NO_ERROR();
}

static tn_tensor *then_assigns(void *self, tn_list inputs)
{
    tn_tensor *y = by_sign_inside(self, inputs);
    tn_assign(((program *)self)->w, number(100));
    return y;
}
static tn_tensor *slope_then_assigns(void *self, tn_list inputs)
{
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, tn_at(inputs, 0));
    return tn_gradient_of(tape, then_assigns(self, inputs), tn_at(inputs, 0));
}

/* The numbers of TensorFlow: 5x³ and 25x, as w was when they were computed. */
static void gradients_are_of_what_was_read_and_not_of_what_is_there_later(void **state)
{
    (void)state;
    TN_SCOPE;
    static const double at[] = { 2, -3 }, by_x[] = { 60, 25 }, by_w[] = { 8, -30 };
    program p = { .w = tn_variable(number(5)) };
    const tn_body bodies[] = { by_sign_inside, then_assigns };
    for (int i = 0; i < 4; i++) {
        tn_assign(p.w, number(5));
        tn_tensor *x = number(at[i % 2]);
        tn_tape *tape = tn_gradient_tape();
        tn_watch(tape, x);
        tn_tensor *y = tn_call(tn_function(bodies[i / 2], &p), x);
        tn_assign(p.w, number(1000));
        tn_list gradients = tn_gradient(tape, y, TN_LIST(x, p.w));
        CHECK_VALUES(gradients.item[0], 1e-4, by_x[i % 2]);
        CHECK_VALUES(gradients.item[1], 1e-4, by_w[i % 2]);
        tn_assign(p.w, number(5));
        CHECK_VALUES(tn_call(tn_function(slope_then_assigns, &p), x), 1e-4, by_x[i % 2]);
    }
    CHECK_NO_ERROR();
}

/* Counts its calls, which is none of the result's business. */
static tn_tensor *counts_and_cubes(void *self, tn_list inputs)
{
    program *p = self;
    tn_assign_add(p->calls, number(1));
    return tn_tuple(cube_times_w(self, inputs), tn_read_value(p->calls));
}
static tn_tensor *only_cubes(void *self, tn_list inputs)
{
    return tn_tuple(cube_times_w(self, inputs), number(0));
}
static tn_tensor *counted_cube(void *self, tn_list inputs)
{
    return tn_cond(tn_greater(tn_at(inputs, 0), tn_scalar(0.0)), counts_and_cubes, only_cubes, self, inputs);
}

static void what_a_branch_assigns_beside_its_result_is_not_done_again_for_the_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    program p = { .w = tn_variable(number(5)), .calls = tn_variable(number(0)) };
    tn_function *f = tn_function(counted_cube, &p);
    tn_tensor *x = number(2);
    tn_tape *tape = tn_gradient_tape(.persistent = true);
    tn_watch(tape, x);
    tn_tensor *y = tn_call(f, x);
    CHECK_VALUES(tn_gradient_of(tape, tn_item(y, 0), x), 1e-4, 60);
    CHECK_VALUES(tn_gradient_of(tape, tn_item(y, 0), p.w), 1e-4, 8);
    CHECK_VALUES(p.calls, 0, 1);
    CHECK_VALUES(tn_gradient_of(tape, tn_item(y, 1), p.calls), 0, 1);
    CHECK_VALUES(p.calls, 0, 1);
    CHECK_NO_ERROR();
}

static tn_tensor *count_inside(void *self, tn_list inputs)
{
    return tn_cond(tn_at(inputs, 0), count_if, leave_it, self, inputs);
}

static void what_assigns_inside_has_a_gradient_too(void **state)
{
    (void)state;
    TN_SCOPE;
    program p = { .w = tn_variable(number(0)) };
    tn_tensor *yes = tn_cast(tn_scalar(1), TN_BOOL);
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = tn_call(tn_function(count_inside, &p), yes);
    CHECK_VALUES(y, 0, 1);
    CHECK_VALUES(tn_gradient_of(tape, y, p.w), 0, 1);
    CHECK_VALUES(p.w, 0, 1);
    CHECK_NO_ERROR();
}

/* --- tn_while_loop: x ↦ x·w n times ----------------------------------------------------------------------------------------- */
typedef struct {
    tn_variable *w;
    int64_t rounds;
} power;

static tn_tensor *rounds_remain(void *self, tn_list inputs)
{
    (void)self;
    return tn_greater(tn_at(inputs, 0), tn_scalar(0));
}

static tn_tensor *one_round(void *self, tn_list inputs)
{
    const power *p = self;
    return tn_tuple(tn_subtract(tn_at(inputs, 0), tn_scalar(1)), tn_multiply(tn_at(inputs, 1), p->w));
}

static tn_tensor *raise(void *self, tn_list inputs)
{
    tn_tensor *rounds = tn_cast(tn_at(inputs, 1), TN_INT32);
    return tn_item(tn_while_loop(rounds_remain, one_round, self, TN_LIST(rounds, tn_at(inputs, 0))), 1);
}

static void a_loop_runs_as_often_as_its_condition_says(void **state)
{
    (void)state;
    TN_SCOPE;
    power p = { .w = tn_variable(number(3)) };
    tn_function *f = tn_function(raise, &p);
    for (int n = 0; n < 5; n++) {
        CHECK_VALUES(raise(&p, TN_LIST(number(2), number(n))), 1e-4, 2 * pow(3, n));
        CHECK_VALUES(tn_call(f, number(2), number(n)), 1e-4, 2 * pow(3, n));
    }
    assert_int_equal(tn_trace_count(f), 1);
    CHECK_NO_ERROR();
}

/* y = x wⁿ: dy/dx = wⁿ, dy/dw = n x wⁿ⁻¹, d²y/dw² = n (n-1) x wⁿ⁻². */
static void gradients_go_back_through_the_rounds(void **state)
{
    (void)state;
    TN_SCOPE;
    power p = { .w = tn_variable(number(3)) };
    tn_function *f = tn_function(raise, &p);
    for (int n = 0; n < 4; n++) {
        tn_tensor *x = number(2);
        tn_tape *outer = tn_gradient_tape(.persistent = true), *tape = tn_gradient_tape(.persistent = true);
        tn_watch(tape, x);
        tn_tensor *y = tn_call(f, x, number(n)), *dw = tn_gradient_of(tape, y, p.w);
        CHECK_VALUES(tn_gradient_of(tape, y, x), 1e-3, pow(3, n));
        CHECK_VALUES(dw, 1e-3, n * 2 * pow(3, n - 1));
        tn_tensor *dww = tn_gradient_of(outer, dw, p.w);
        if (n == 0)
            assert_null(dww); /* no round depends on w */
        else
            CHECK_VALUES(dww, 1e-2, n * (n - 1) * 2 * pow(3, n - 2));
    }
    CHECK_NO_ERROR();
}

static tn_tensor *train_once(void *self, tn_list inputs)
{
    power *p = self;
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = raise(self, inputs), *dw = tn_gradient_of(tape, y, p->w);
    return dw ? tn_assign_sub(p->w, tn_multiply(dw, tn_scalar(0.001))) : NULL;
}

static void a_trace_trains_through_a_loop(void **state)
{
    (void)state;
    TN_SCOPE;
    power p = { .w = tn_variable(number(3)) };
    tn_function *f = tn_function(train_once, &p);
    CHECK_VALUES(tn_call(f, number(2), number(3)), 1e-5, 3 - 0.001 * 54);
    CHECK_VALUES(tn_call(f, number(2), number(1)), 1e-5, 3 - 0.001 * 54 - 0.002);
    CHECK_NO_ERROR();
}

/* A variable that grows. */
static tn_tensor *shorter_than_five(void *self, tn_list inputs)
{
    (void)self;
    return tn_less(tn_size(tn_at(inputs, 0)), tn_scalar(5));
}
static tn_tensor *append_its_sum(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *x = tn_at(inputs, 0);
    return tn_concat(TN_LIST(x, tn_reshape(tn_reduce_sum(x), TN_SHAPE(1))), 0);
}
static tn_tensor *grow(void *self, tn_list inputs)
{
    return tn_while_loop(shorter_than_five, append_its_sum, self, inputs);
}

static void a_loop_variable_may_change_its_shape(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2);
    CHECK_VALUES(grow(NULL, TN_LIST(x)), 0, 1, 2, 3, 6, 12);
    tn_function *f = tn_function(grow, NULL);
    CHECK_VALUES(tn_call(f, x), 0, 1, 2, 3, 6, 12);
    CHECK_NO_ERROR();
}

/* A branch inside a loop inside a branch: the Collatz steps of x, when it is positive. */
static tn_tensor *not_one(void *self, tn_list inputs)
{
    (void)self;
    return tn_not_equal(tn_at(inputs, 0), tn_scalar(1));
}
static tn_tensor *half(void *self, tn_list inputs)
{
    (void)self;
    return tn_floordiv(tn_at(inputs, 0), tn_scalar(2));
}
static tn_tensor *thrice_and_one(void *self, tn_list inputs)
{
    (void)self;
    return tn_add(tn_multiply(tn_at(inputs, 0), tn_scalar(3)), tn_scalar(1));
}
static tn_tensor *collatz_step(void *self, tn_list inputs)
{
    tn_tensor *x = tn_at(inputs, 0), *even = tn_equal(tn_floormod(x, tn_scalar(2)), tn_scalar(0));
    return tn_tuple(tn_cond(even, half, thrice_and_one, self, TN_LIST(x)), tn_add(tn_at(inputs, 1), tn_scalar(1)));
}
static tn_tensor *collatz(void *self, tn_list inputs)
{
    tn_tensor *zero = tn_zeros(TN_SCALAR, TN_INT32);
    return tn_item(tn_while_loop(not_one, collatz_step, self, TN_LIST(tn_at(inputs, 0), zero)), 1);
}
static tn_tensor *minus_one(void *self, tn_list inputs)
{
    (void)self;
    (void)inputs;
    return tn_constant(TN_INT32, TN_SCALAR, &(int32_t){ -1 });
}
static tn_tensor *collatz_of_positive(void *self, tn_list inputs)
{
    return tn_cond(tn_greater(tn_at(inputs, 0), tn_scalar(0)), collatz, minus_one, self, inputs);
}

static void branches_and_loops_stand_inside_each_other(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_function *f = tn_function(collatz_of_positive, NULL);
    const int32_t starts[] = { 1, 6, 27, -4 };
    const double steps[] = { 0, 8, 111, -1 };
    for (int i = 0; i < 4; i++)
        CHECK_VALUES(tn_call(f, tn_constant(TN_INT32, TN_SCALAR, &starts[i])), 0, steps[i]);
    assert_int_equal(tn_trace_count(f), 1);
    CHECK_NO_ERROR();
}

/* --- mistakes --------------------------------------------------------------------------------------------------------------- */
static tn_tensor *two_of_them(void *self, tn_list inputs)
{
    (void)self;
    return tn_tuple(tn_at(inputs, 0), tn_at(inputs, 0));
}
static tn_tensor *same(void *self, tn_list inputs)
{
    (void)self;
    return tn_at(inputs, 0);
}
static int line_of_cond;
static tn_tensor *unlike_branches(void *self, tn_list inputs)
{
    line_of_cond = __LINE__ + 1;
    return tn_cond(tn_greater(tn_at(inputs, 0), tn_scalar(0.0)), two_of_them, same, self, inputs);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = number(1);
    assert_null(tn_call(tn_function(unlike_branches, NULL), x));
    const tn_error *e = tn_catch(TN_INVALID_ARGUMENT);
    assert_non_null(e);
    assert_string_equal(e->first_line, "true_fn and false_fn arguments to tf.cond must have the same number, type, and overall structure of return values.");
    assert_non_null(strstr(e->here, tn_format("control_test.c:%d", line_of_cond))); /* not the last line of a branch */
    assert_null(tn_cond(x, same, same, NULL, TN_LIST(x)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_cond: predicate must be a bool of shape (), got float32 ()");
    assert_null(tn_cond(tn_ones(TN_SHAPE(2), TN_BOOL), same, same, NULL, TN_LIST(x)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "got bool (2,)");
    assert_null(tn_cond(tn_greater(x, x), same, NULL, NULL, TN_LIST(x)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "false_fn is NULL");
    assert_null(tn_while_loop(shorter_than_five, same, NULL, (tn_list){ 0, NULL }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "No loop variables provided.");
    assert_null(tn_while_loop(same, same, NULL, TN_LIST(x)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "what condition gives must be a bool");
    assert_null(tn_while_loop(shorter_than_five, two_of_them, NULL, TN_LIST(x)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "body gives 2 tensor(s), there are 1 loop variables");
    tn_tensor *input = tn_input(TN_SHAPE(2));
    assert_null(tn_while_loop(shorter_than_five, same, NULL, TN_LIST(input)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a tensor of a functional model");
}

static bool loop_and_branch(void *self)
{
    TN_SCOPE;
    tn_function *f = tn_function(collatz_of_positive, self);
    tn_tensor *y = tn_call(f, tn_constant(TN_INT32, TN_SCALAR, &(int32_t){ 6 }));
    return y && tn_to_int(y) == 8;
}
static bool gradient_of_loop(void *self)
{
    TN_SCOPE;
    tn_tape *tape = tn_gradient_tape();
    tn_function *f = tn_function(raise, self);
    tn_tensor *y = f ? tn_call(f, number(2), number(2)) : NULL;
    return y && tn_gradient_of(tape, y, ((power *)self)->w) != NULL;
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    TN_SCOPE;
    check_allocation_failures(loop_and_branch, NULL);
    power p = { .w = tn_variable(number(3)) };
    check_allocation_failures(gradient_of_loop, &p);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_branch_that_is_due_runs),
        cmocka_unit_test(gradients_go_through_the_branch),
        cmocka_unit_test(a_trace_takes_gradients_of_branches),
        cmocka_unit_test(only_the_branch_that_runs_assigns),
        cmocka_unit_test(gradients_go_through_what_reads_variables_inside),
        cmocka_unit_test(gradients_are_of_what_was_read_and_not_of_what_is_there_later),
        cmocka_unit_test(what_a_branch_assigns_beside_its_result_is_not_done_again_for_the_gradient),
        cmocka_unit_test(what_assigns_inside_has_a_gradient_too),
        cmocka_unit_test(a_loop_runs_as_often_as_its_condition_says),
        cmocka_unit_test(gradients_go_back_through_the_rounds),
        cmocka_unit_test(a_trace_trains_through_a_loop),
        cmocka_unit_test(a_loop_variable_may_change_its_shape),
        cmocka_unit_test(branches_and_loops_stand_inside_each_other),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
