/* tape_test.c - what tapes record, how often they answer, and that long programs do not overflow anything. */
#include "support/check_op.h"

static tn_tensor *number(float value)
{
    return tn_constant(TN_FLOAT32, TN_SHAPE(1), &value);
}

static float value_of(tn_tensor *x)
{
    return (float)tn_to_double(x);
}

static void a_tape_answers_once_unless_it_is_persistent(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(number(3));
    tn_tape *once = tn_gradient_tape(), *often = tn_gradient_tape(.persistent = true);
    tn_tensor *y = tn_square(v);
    assert_float_equal(value_of(tn_gradient_of(once, y, v)), 6, 0);
    assert_null(tn_gradient_of(once, y, v));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "A non-persistent GradientTape can only be used to compute one set of gradients");
    for (int i = 0; i < 3; i++)
        assert_float_equal(value_of(tn_gradient_of(often, y, v)), 6, 0);
    CHECK_NO_ERROR();
}

static void what_does_not_depend_gives_null_without_an_error(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(number(3)), *w = tn_variable(number(1)), *frozen = tn_variable(number(2), .trainable = false);
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = tn_multiply(tn_square(v), frozen);
    tn_list g = tn_gradient(tape, y, TN_LIST(v, w, frozen));
    CHECK_NO_ERROR();
    assert_float_equal(value_of(g.item[0]), 12, 0);
    assert_null(g.item[1]);
    assert_null(g.item[2]);
    assert_null(tn_square(g.item[1]));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is NULL (an unconnected gradient?)");
}

static void watching_and_stopping_decide_what_is_recorded(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = number(3);
    tn_variable *v = tn_variable(number(2));
    tn_tape *tape = tn_gradient_tape(.persistent = true, .watch_accessed_variables = false);
    tn_watch(tape, x);
    tn_tensor *y = tn_multiply(x, v);
    tn_stop_recording(tape);
    tn_tensor *z = tn_square(y);
    assert_float_equal(value_of(tn_gradient_of(tape, y, x)), 2, 0);
    assert_null(tn_gradient_of(tape, y, v));
    assert_null(tn_gradient_of(tape, z, x));
    CHECK_NO_ERROR();
    tn_watch(tape, tn_constant(TN_INT32, TN_SHAPE(1), &(int32_t){ 1 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "the dtype of the watched tensor must be floating");
}

static void a_tape_ends_with_its_scope(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(number(2));
    tn_tape *outer = tn_gradient_tape();
    {
        TN_SCOPE;
        tn_gradient_tape();
        tn_square(v);
    }
    tn_tensor *y = tn_square(v);
    assert_float_equal(value_of(tn_gradient_of(outer, y, v)), 4, 0);
    CHECK_NO_ERROR();
}

static void a_wrong_source_or_tape_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(number(2));
    tn_tape *tape = tn_gradient_tape();
    assert_null(tn_gradient_of(tape, tn_square(v), NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a source is NULL");
    assert_null(tn_gradient_of(NULL, tn_square(v), v));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_gradient: tape is NULL");
    assert_null(tn_gradient_of(tape, NULL, v));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_gradient: target is NULL");
}

static void several_targets_are_summed(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(number(2));
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *g = tn_gradient_of(tape, tn_tuple(tn_square(v), tn_tuple_of(TN_LIST(tn_multiply(v, v)))), v);
    CHECK_NO_ERROR();
    assert_float_equal(value_of(g), 8, 0);
}

static void a_hundred_thousand_ops_under_a_tape_need_no_stack(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(number(1));
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *y = tn_identity(v);
    for (int i = 0; i < 100000; i++)
        y = tn_negative(y);
    assert_float_equal(value_of(tn_gradient_of(tape, y, v)), 1, 0);
    CHECK_NO_ERROR();
}

static bool second_order(void *unused)
{
    (void)unused;
    tn_variable *v = tn_variable(number(2));
    tn_tape *outer = tn_gradient_tape(.persistent = true), *inner = tn_gradient_tape();
    tn_tensor *y = tn_multiply(tn_square(v), v), *first = tn_gradient_of(inner, y, v);
    tn_tensor *second = tn_gradient_of(outer, first, v);
    return second && value_of(second) == 12 && tn_gradient_of(outer, tn_tuple(y, first), v);
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(second_order, NULL);
}

static void steps_in_a_loop_keep_memory_constant(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(tn_ones(TN_SHAPE(50), TN_FLOAT32));
    size_t handles = 0, allocations = 0;
    for (int i = 0; i < 20; i++) {
        TN_SCOPE;
        tn_tape *tape = tn_gradient_tape();
        tn_tensor *loss = tn_reduce_sum(tn_square(v));
        tn_assign_sub(v, tn_multiply(tn_gradient_of(tape, loss, v), tn_scalar(0.1)));
        if (i == 5) {
            handles = tn_live_handles();
            allocations = live_allocations();
        }
        assert_true(i < 5 || (tn_live_handles() == handles && live_allocations() == allocations));
    }
    CHECK_NO_ERROR();
}

/* d x² / d x of a vector is a diagonal; of an x that is not on the tape there is none. */
static void a_jacobian_has_a_row_for_each_element(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_constant(TN_FLOAT32, TN_SHAPE(2), (float[]){ 3, 5 }), *other = tn_ones(TN_SHAPE(2), TN_FLOAT32);
    tn_tape *tape = tn_gradient_tape(.persistent = true);
    tn_watch(tape, x);
    tn_tensor *y = tn_square(x), *row = tn_reshape(y, TN_SHAPE(1, 2));
    const float *diagonal = tn_data_float32(tn_jacobian(tape, y, x));
    assert_true(diagonal[0] == 6 && diagonal[1] == 0 && diagonal[2] == 0 && diagonal[3] == 10);
    assert_string_equal(tn_shape_text(tn_jacobian(tape, row, x)), "(1, 2, 2)");
    assert_string_equal(tn_shape_text(tn_jacobian(tape, tn_reduce_sum(y), x)), "(2,)");
    assert_null(tn_jacobian(tape, y, other));
    CHECK_NO_ERROR();
    assert_null(tn_jacobian(tape, tn_tuple(y, y), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "target must be one tensor of a known shape");
}

static void a_gradient_takes_what_arrives_and_gives_zeros_when_asked(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *x = tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2)), *other = tn_variable(tn_ones(TN_SHAPE(3), TN_FLOAT32));
    tn_tape *t = tn_gradient_tape(.persistent = true);
    tn_tensor *y = tn_square(x);
    tn_list g = tn_tape_gradient(t, y, TN_LIST(x, other), TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2), 3, 5)), "zero");
    CHECK_VALUES(g.item[0], 0, 6, 20);
    CHECK_VALUES(g.item[1], 0, 0, 0, 0);
    assert_null(tn_tape_gradient(t, y, TN_LIST(x, other)).item[1]);
    assert_null(tn_tape_gradient(t, y, TN_LIST(x), .unconnected_gradients = "none at all").item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Unknown value for unconnected_gradients: 'none at all'");
    assert_null(tn_tape_gradient(t, y, TN_LIST(x), .output_gradients = TN_LIST(tn_ones(TN_SHAPE(3), TN_FLOAT32))).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_tape_gradient: output_gradients must be like its target");
    assert_null(tn_tape_gradient(t, y, TN_LIST(x), .output_gradients = TN_LIST(y, y)).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "2 output_gradients for 1 targets");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gradient_takes_what_arrives_and_gives_zeros_when_asked),
        cmocka_unit_test(a_tape_answers_once_unless_it_is_persistent),
        cmocka_unit_test(what_does_not_depend_gives_null_without_an_error),
        cmocka_unit_test(watching_and_stopping_decide_what_is_recorded),
        cmocka_unit_test(a_tape_ends_with_its_scope),
        cmocka_unit_test(a_wrong_source_or_tape_is_told),
        cmocka_unit_test(several_targets_are_summed),
        cmocka_unit_test(a_hundred_thousand_ops_under_a_tape_need_no_stack),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
        cmocka_unit_test(a_jacobian_has_a_row_for_each_element),
        cmocka_unit_test(steps_in_a_loop_keep_memory_constant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
