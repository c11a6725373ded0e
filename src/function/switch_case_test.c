/* switch_case_test.c - branches by number, at once and traced, and their gradients. */
#include "support/check_op.h"

typedef struct {
    tn_variable *w;
    tn_tensor *outer;
    int bodies;
} program;

static tn_tensor *number(double x)
{
    return tn_cast(tn_scalar(x), TN_FLOAT32);
}

static tn_tensor *square_times_w(void *self, tn_list inputs)
{
    ((program *)self)->bodies++;
    return tn_multiply(tn_square(tn_at(inputs, 0)), ((program *)self)->w);
}

static tn_tensor *times_outer(void *self, tn_list inputs)
{
    ((program *)self)->bodies++;
    return tn_multiply(tn_at(inputs, 0), ((program *)self)->outer);
}

static tn_tensor *cube(void *self, tn_list inputs)
{
    ((program *)self)->bodies++;
    tn_tensor *x = tn_at(inputs, 0);
    return tn_multiply(tn_square(x), x);
}
static const tn_body branches[] = { square_times_w, times_outer, cube };

static tn_tensor *by_number(void *self, tn_list inputs)
{
    ((program *)self)->outer = tn_multiply(tn_at(inputs, 1), tn_scalar(5.0));
    return tn_switch_case(tn_at(inputs, 0), 3, branches, self, TN_LIST(tn_at(inputs, 1)));
}

/* The values of tf.switch_case: a number of no branch is the last one's. */
static void the_branch_of_the_number_runs_or_the_last(void **state)
{
    (void)state;
    TN_SCOPE;
    static const struct {
        int64_t index;
        float value;
    } cases[] = { { 0, 12 }, { 1, 20 }, { 2, 8 }, { 3, 8 }, { -1, 8 } };
    program p = { .w = tn_variable(number(3), .name = "w") };
    tn_function *f = tn_function(by_number, &p);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        p.bodies = 0;
        CHECK_VALUES(
            by_number(&p, TN_LIST(tn_constant(TN_INT64, TN_SCALAR, &cases[i].index), number(2))), 0,
            cases[i].value);
        assert_int_equal(p.bodies, 1);
        CHECK_VALUES(tn_call(f, tn_constant(TN_INT64, TN_SCALAR, &cases[i].index), number(2)), 0,
                     cases[i].value);
    }
    assert_int_equal(tn_trace_count(f), 1);
    CHECK_NO_ERROR();
}

/* d(3x²) = 6x, d(5x²) = 10x, d(x³) = 3x²; second: 6, 10, 6x. d/dw = x² or 0. */
static void gradients_of_any_order_go_through_the_branch(void **state)
{
    (void)state;
    static const float first[] = { 12, 20, 12 }, second[] = { 6, 10, 12 }, by_w[] = { 4, 0, 0 };
    for (int traced = 0; traced < 2; traced++)
        for (int i = 0; i < 3; i++) {
            TN_SCOPE;
            program p = { .w = tn_variable(number(3), .name = "w") };
            tn_function *f = tn_function(by_number, &p, .eager = !traced);
            tn_tensor *x = number(2), *index = tn_constant(TN_INT32, TN_SCALAR, &i);
            tn_tape *outer = tn_gradient_tape(), *tape = tn_gradient_tape(.persistent = true);
            tn_watch(outer, x);
            tn_watch(tape, x);
            tn_tensor *y = tn_call(f, index, x), *dx = tn_gradient_of(tape, y, x);
            CHECK_VALUES(dx, 1e-6, first[i]);
            tn_tensor *dw = tn_gradient_of(tape, y, p.w);
            if (dw || by_w[i] != 0)
                CHECK_VALUES(dw, 1e-6, by_w[i]);
            CHECK_VALUES(tn_gradient_of(outer, dx, x), 1e-6, second[i]);
            CHECK_NO_ERROR();
        }
}

static tn_tensor *adds_to_w(void *self, tn_list inputs)
{
    return tn_assign_add(((program *)self)->w, tn_at(inputs, 0));
}
static const tn_body effects[] = { adds_to_w, cube };

static tn_tensor *with_effect(void *self, tn_list inputs)
{
    return tn_switch_case(tn_at(inputs, 0), 2, effects, self, TN_LIST(tn_at(inputs, 1)));
}

static void only_the_branch_of_the_number_has_its_effect(void **state)
{
    (void)state;
    TN_SCOPE;
    program p = { .w = tn_variable(number(3)) };
    tn_function *f = tn_function(with_effect, &p);
    tn_call(f, tn_constant(TN_INT32, TN_SCALAR, &(int32_t){ 1 }), number(2));
    CHECK_VALUES(tn_read_value(p.w), 0, 3);
    tn_call(f, tn_constant(TN_INT32, TN_SCALAR, &(int32_t){ 0 }), number(2));
    CHECK_VALUES(tn_read_value(p.w), 0, 5);
    CHECK_NO_ERROR();
}

static tn_tensor *whole(void *self, tn_list inputs)
{
    (void)self;
    (void)inputs;
    return tn_constant(TN_INT32, TN_SCALAR, &(int32_t){ 2 });
}
static const tn_body unlike[] = { cube, whole };

static tn_tensor *with_unlike(void *self, tn_list inputs)
{
    return tn_switch_case(tn_at(inputs, 0), 2, unlike, self, TN_LIST(tn_at(inputs, 1)));
}

static void what_cannot_be_is_told_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    program p = { .w = NULL };
    assert_null(tn_switch_case(number(1), 3, branches, &p, TN_LIST(number(1))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "'branch_index' must be an integer Tensor, got float32");
    assert_null(tn_switch_case(tn_constant(TN_INT32, TN_SHAPE(1), &(int32_t){ 1 }), 3, branches, &p,
                               TN_LIST(number(1))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "index must have the shape ()");
    assert_null(tn_switch_case(tn_scalar(1), 0, branches, &p, TN_LIST(number(1))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Must provide at least one item in 'branch_fns'");
    const tn_body missing[] = { cube, NULL };
    assert_null(tn_switch_case(tn_scalar(1), 2, missing, &p, TN_LIST(number(1))));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "branch 1 is NULL");
    assert_null(tn_call(tn_function(with_unlike, &p),
                        tn_constant(TN_INT32, TN_SCALAR, &(int32_t){ 1 }), number(2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "branches[0] and branches[1] arguments to tf.switch_case must "
                                     "have the same number, type, and overall "
                                     "structure of return values.");
    assert_null(tn_switch_case(tn_input(TN_SHAPE(1), .dtype = TN_INT32), 3, branches, &p,
                               TN_LIST(number(1))));
    assert_non_null(tn_catch(TN_INVALID_ARGUMENT));
}

static bool choose_and_differentiate(void *unused)
{
    (void)unused;
    program p = { .w = tn_variable(number(3)) };
    tn_function *f = tn_function(by_number, &p);
    tn_tape *tape = tn_gradient_tape();
    return tn_gradient_of(tape,
                          tn_call(f, tn_constant(TN_INT32, TN_SCALAR, &(int32_t){ 0 }), number(2)),
                          p.w) != NULL;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(choose_and_differentiate, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_branch_of_the_number_runs_or_the_last),
        cmocka_unit_test(gradients_of_any_order_go_through_the_branch),
        cmocka_unit_test(only_the_branch_of_the_number_has_its_effect),
        cmocka_unit_test(what_cannot_be_is_told_in_tensorflows_words),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
