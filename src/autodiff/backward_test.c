/* backward_test.c - gradients that meet, that are asked for in part, that end on the way. */
#include "autodiff/tape.h"
#include "ops/ops.h"
#include "support/check_op.h"

static tn_tensor *vector(double a, double b)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(2), a, b);
}

static tn_variable *variable(double a, double b)
{
    return tn_variable(vector(a, b));
}

static void gradients_that_meet_are_summed(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *x = variable(2, 3);
    tn_tape *tape = tn_gradient_tape(.persistent = true);
    tn_tensor *a = tn_square(x), *b = tn_multiply(a, x), *y = tn_add(tn_add(a, b), tn_add(x, x));
    CHECK_VALUES(tn_gradient_of(tape, y, x), 1e-5, 2 * 2 + 3 * 4 + 2, 2 * 3 + 3 * 9 + 2);
    CHECK_VALUES(tn_gradient_of(tape, y, a), 1e-5, 3,
                 4); /* through what lies between, as far as there */
    CHECK_VALUES(tn_gradient_of(tape, tn_tuple(a, a), x), 1e-5, 8, 12);
}

static void a_target_is_its_own_source(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *x = variable(2, 3);
    tn_tape *tape = tn_gradient_tape(.persistent = true);
    tn_tensor *y = tn_square(x);
    CHECK_VALUES(tn_gradient_of(tape, y, y), 0, 1, 1);
    tn_list both = tn_gradient(tape, y, TN_LIST(x, x));
    CHECK_VALUES(both.item[0], 0, 4, 6);
    CHECK_VALUES(both.item[1], 0, 4, 6);
}

static void one_used_output_of_several_is_enough(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *x = tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(4), 1, 2, 3, 4));
    tn_tape *tape = tn_gradient_tape(.persistent = true);
    tn_list parts = tn_unstack(x, 0);
    CHECK_VALUES(tn_gradient_of(tape, tn_square(parts.item[2]), x), 0, 0, 0, 6, 0);
    tn_list top = tn_top_k(x, 2);
    CHECK_VALUES(tn_gradient_of(tape, top.item[0], x), 0, 0, 0, 1, 1);
    assert_null(tn_gradient_of(tape, top.item[1], x)); /* indices */
    CHECK_NO_ERROR();
}

static void whole_numbers_and_what_stops_give_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *x = variable(2, 3);
    tn_tape *tape = tn_gradient_tape(.persistent = true);
    assert_null(tn_gradient_of(tape, tn_argmax(x, 0), x));
    assert_null(tn_gradient_of(tape, tn_cast(x, TN_INT32), x));
    assert_null(tn_gradient_of(tape, tn_cast(tn_cast(x, TN_INT32), TN_FLOAT32), x));
    assert_null(tn_gradient_of(tape, tn_greater(x, tn_scalar(1.0)), x));
    assert_null(tn_gradient_of(tape, tn_stop_gradient(tn_square(x)), x));
    CHECK_VALUES(tn_gradient_of(tape, tn_multiply(tn_stop_gradient(x), x), x), 0, 2, 3);
    CHECK_NO_ERROR();
}

static void a_gradient_has_its_sources_type_and_shape(void **state)
{
    (void)state;
    TN_SCOPE;
    const tn_dtype floats[] = { TN_FLOAT16, TN_BFLOAT16, TN_FLOAT32, TN_FLOAT64 };
    for (int i = 0; i < 4; i++) {
        tn_variable *x = tn_variable(tn_ones(TN_SHAPE(1, 2), floats[i])),
                    *empty = tn_variable(tn_ones(TN_SHAPE(0, 2), floats[i]));
        tn_tape *tape = tn_gradient_tape(.persistent = true);
        tn_tensor *y = tn_reduce_sum(
            tn_multiply(tn_cast(x, TN_FLOAT64), tn_ones(TN_SHAPE(3, 3, 2), TN_FLOAT64)));
        CHECK_TENSOR(tn_gradient_of(tape, y, x), VALUES(floats[i], TN_SHAPE(1, 2), 9, 9), 0, 0);
        CHECK_TENSOR(tn_gradient_of(tape, tn_reduce_sum(tn_square(empty)), empty),
                     tn_zeros(TN_SHAPE(0, 2), floats[i]), 0, 0);
    }
}

static void targets_may_be_weighted(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *x = variable(2, 3);
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = tn_square(x), *targets[] = { y, tn_negative(y) },
              *seeds[] = { vector(1, 10), NULL }, *gradient = NULL;
    tn_tensor *source = x;
    tn_stop_recording(tape);
    CHECK_OK(tn__gradients_of(tn__context(), tape->record.item, tape->record.count, targets, seeds,
                              2, &source, 1, &gradient));
    CHECK_VALUES(tn__own(gradient), 0, 4 * (1 - 1), 6 * (10 - 1));
}

static void a_gradient_of_a_gradient_of_a_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *x = variable(2, 3);
    tn_tape *third = tn_gradient_tape(), *second = tn_gradient_tape(), *first = tn_gradient_tape();
    tn_tensor *y = tn_multiply(tn_square(x), tn_square(x));
    tn_tensor *dy = tn_gradient_of(first, y, x), *ddy = tn_gradient_of(second, dy, x);
    CHECK_VALUES(dy, 1e-4, 32, 108);
    CHECK_VALUES(ddy, 1e-4, 48, 108);
    CHECK_VALUES(tn_gradient_of(third, ddy, x), 1e-4, 48, 72);
}

static void a_rule_that_fails_says_whose_it_is(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *x = variable(2, 3);
    tn_tape *tape = tn_gradient_tape(), *outer = tn_gradient_tape();
    tn_tensor *y = tn_square(x), *wrong = VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 1, 1), *source = x,
              *gradient = NULL;
    tn_stop_recording(tape);
    tn_stop_recording(outer);
    assert_int_not_equal(tn__gradients_of(tn__context(), tape->record.item, tape->record.count, &y,
                                          &wrong, 1, &source, 1, &gradient),
                         TN_OK);
    assert_null(gradient);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "in the gradient of Square");
}

static tn_tensor *cubed(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *x = tn_at(inputs, 0);
    return tn_multiply(tn_square(x), x);
}

static tn_tensor *slope(void *self, tn_list inputs)
{
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, tn_at(inputs, 0));
    return tn_gradient_of(tape, cubed(self, inputs), tn_at(inputs, 0));
}

static void a_traced_gradient_is_the_eager_one_for_any_batch(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_function *f = tn_function(slope, .reduce_retracing = true);
    for (int64_t n = 3; n >= 0; n--) {
        tn_tensor *x = tn_multiply(tn_ones(TN_SHAPE(n), TN_FLOAT32), tn_scalar(2.0));
        CHECK_TENSOR(tn_call(f, x), slope(NULL, TN_LIST(x)), 0, 0);
    }
    assert_int_equal(tn_trace_count(f), 2); /* for 3, then for any number */
    CHECK_NO_ERROR();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_that_meet_are_summed),
        cmocka_unit_test(a_target_is_its_own_source),
        cmocka_unit_test(one_used_output_of_several_is_enough),
        cmocka_unit_test(whole_numbers_and_what_stops_give_nothing),
        cmocka_unit_test(a_gradient_has_its_sources_type_and_shape),
        cmocka_unit_test(targets_may_be_weighted),
        cmocka_unit_test(a_gradient_of_a_gradient_of_a_gradient),
        cmocka_unit_test(a_rule_that_fails_says_whose_it_is),
        cmocka_unit_test(a_traced_gradient_is_the_eager_one_for_any_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
