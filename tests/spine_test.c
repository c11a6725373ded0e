/* spine_test.c - the mechanisms together: eager, taped, traced. */
#include "support/check.h"

static tn_tensor *vector(int64_t n, const float *values)
{
    return tn_constant(TN_FLOAT32, TN_SHAPE(n), values);
}

static void an_eager_sum_has_its_value(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *z = tn_add(vector(3, (float[]){ 1, 2, 3 }), tn_scalar(0.5));
    assert_float_equal(tn_data_float32(z)[2], 3.5, 0);
    CHECK_NO_ERROR();
}

static void the_gradient_of_a_square_is_twice_the_value(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *x = tn_variable(vector(2, (float[]){ 3, -1 }), .name = "x");
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = tn_reduce_sum(tn_square(x));
    tn_tensor *g = tn_gradient_of(tape, y, x);
    CHECK_NO_ERROR();
    assert_float_equal(tn_data_float32(g)[0], 6, 0);
    assert_float_equal(tn_data_float32(g)[1], -2, 0);
}

static void second_derivatives_come_from_nested_tapes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = vector(1, (float[]){ 2 });
    tn_tape *outer = tn_gradient_tape();
    tn_watch(outer, x);
    tn_tape *inner = tn_gradient_tape();
    tn_watch(inner, x);
    tn_tensor *y = tn_multiply(tn_square(x), x);
    tn_tensor *first = tn_gradient_of(inner, y, x);
    tn_tensor *second = tn_gradient_of(outer, first, x);
    CHECK_NO_ERROR();
    assert_float_equal(tn_data_float32(first)[0], 12, 0);
    assert_float_equal(tn_data_float32(second)[0], 12, 0);
}

typedef struct {
    tn_variable *w;
    int traced;
} line;

static tn_tensor *step(void *me, tn_list inputs)
{
    line *self = me;
    self->traced++;
    if (!self->w)
        self->w = tn_variable(tn_ones(TN_SHAPE(3, 1), TN_FLOAT32), .name = "w");
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *loss = tn_reduce_mean(tn_square(tn_subtract(tn_matmul(tn_at(inputs, 0), self->w), tn_at(inputs, 1))));
    tn_tensor *g = tn_gradient_of(tape, loss, self->w);
    tn_assign_sub(self->w, tn_multiply(g, tn_scalar(0.1)));
    return loss;
}

static void a_traced_step_that_makes_a_variable_trains_and_is_traced_twice(void **state)
{
    (void)state;
    TN_SCOPE;
    line self = { 0 };
    tn_function *f = tn_function(step, &self);
    tn_tensor *x = tn_constant(TN_FLOAT32, TN_SHAPE(4, 3), (float[]){ 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1 });
    tn_tensor *y = tn_constant(TN_FLOAT32, TN_SHAPE(4, 1), (float[]){ 2, -1, 0, 1 });
    double loss = 0;
    for (int i = 0; i < 300; i++) {
        TN_SCOPE;
        loss = tn_to_double(tn_call(f, x, y));
    }
    CHECK_NO_ERROR();
    assert_int_equal(self.traced, 2);
    assert_int_equal(tn_trace_count(f), 2);
    assert_true(loss < 1e-4);
    assert_float_equal(tn_data_float32(self.w)[0], 2, 0.05);
    assert_string_equal(tn_name(self.w), "w");
}

static void a_wrong_shape_says_so_and_the_next_call_does_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *z = tn_add(tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32), tn_zeros(TN_SHAPE(4), TN_FLOAT32));
    assert_null(z);
    assert_null(tn_square(z));
    assert_null(tn_zeros(TN_SHAPE(2), TN_FLOAT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Incompatible shapes: [2,3] vs. [4]");
}

static void a_handle_used_after_its_scope_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x;
    {
        TN_SCOPE;
        x = tn_zeros(TN_SHAPE(2), TN_FLOAT32);
    }
    assert_null(tn_square(x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has been freed");
}

static bool train(void *self)
{
    (void)self;
    line l = { 0 };
    tn_function *f = tn_function(step, &l);
    tn_tensor *x = tn_ones(TN_SHAPE(4, 3), TN_FLOAT32), *y = tn_ones(TN_SHAPE(4, 1), TN_FLOAT32);
    tn_call(f, x, y);
    return tn_call(f, x, y) != NULL;
}

static void running_out_of_memory_anywhere_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(train, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_eager_sum_has_its_value),
        cmocka_unit_test(the_gradient_of_a_square_is_twice_the_value),
        cmocka_unit_test(second_derivatives_come_from_nested_tapes),
        cmocka_unit_test(a_traced_step_that_makes_a_variable_trains_and_is_traced_twice),
        cmocka_unit_test(a_wrong_shape_says_so_and_the_next_call_does_nothing),
        cmocka_unit_test(a_handle_used_after_its_scope_is_refused),
        cmocka_unit_test(running_out_of_memory_anywhere_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
