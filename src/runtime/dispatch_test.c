/* dispatch_test.c - what every op is refused and told before it computes, and what becomes of the
 * kinds of numbers that go in. */
#include "runtime/dispatch.h"
#include "ops/ops.h"
#include "support/check_op.h"
#include <math.h>

static tn_tensor *number(float value)
{
    return tn_constant(TN_FLOAT32, TN_SCALAR, &value);
}

static void every_argument_has_its_place_also_after_a_list(void **state)
{
    (void)state;
    const tn__signature *one = tn__op_signature(&tn__op_AddV2),
                        *list = tn__op_signature(&tn__op_ConcatV2);
    assert_int_equal(one->inputs, 2);
    assert_int_equal(one->list, -1);
    assert_int_equal(tn__signature_arg(one, 2, 1), 1);
    assert_int_equal(tn__signature_arg(one, 5, 4),
                     1); /* too many: told by dispatch, not read outside */
    assert_true(list->input[0].list && !list->input[1].list); /* "values: N * T, axis: Tidx" */
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(tn__signature_arg(list, 6, i), i == 5);
    assert_int_equal(tn__signature_arg(list, 1, 0), 1);     /* an empty list */
    assert_ptr_equal(tn__op_signature(&tn__op_AddV2), one); /* read once */
}

static void several_lists_are_of_one_length(void **state)
{
    (void)state;
    TN_SCOPE;
    const tn__signature *two = tn__op_signature(&tn__op_DynamicStitch); /* N * int32, N * T */
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(tn__signature_arg(two, 6, i), i / 3);
    tn_tensor *one = number(1);
    assert_null(TN__APPLY(tn__op_DynamicStitch, NULL, one, one, one));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "DynamicStitch takes 2 inputs, got 3");
}

static void an_op_that_no_list_has_is_refused(void **state)
{
    (void)state;
    const tn__op stranger = {
        .name = "Stranger", .inputs = "x: T", .outputs = "y: T", .types = "T: float"
    };
    assert_null(tn__op_signature(&stranger));
    CHECK_ERROR(TN_INTERNAL, "op Stranger is not in ops.def");
    assert_null(TN__APPLY(stranger, NULL, number(1)));
    CHECK_ERROR(TN_INTERNAL, "op Stranger is not in ops.def");
}

static void the_number_of_inputs_and_outputs_is_checked(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = number(1), *outputs[2] = { x, x };
    assert_null(TN__APPLY(tn__op_AddV2, NULL, x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "AddV2 takes 2 inputs, got 1");
    assert_null(TN__APPLY(tn__op_AddV2, NULL, x, x, x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "AddV2 takes 2 inputs, got 3");
    assert_int_not_equal(tn__dispatch(tn__context(), &tn__op_Neg, NULL, &x, 1, outputs, 2), TN_OK);
    assert_null(outputs[0]);
    assert_null(outputs[1]);
    CHECK_ERROR(TN_INTERNAL, "Neg gives 1 outputs, 2 were expected");
}

static void an_input_that_is_no_tensor_is_named(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = number(1), *dead = tn_zeros(TN_SCALAR, TN_FLOAT32);
    tn_free(dead);
    assert_null(TN__APPLY(tn__op_Sub, NULL, x, NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Sub: y is NULL (an unconnected gradient?)");
    assert_null(TN__APPLY(tn__op_Sub, NULL, dead, x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Sub: x is a tensor that has been freed");
    assert_null(TN__APPLY(tn__op_Sub, NULL, (tn_tensor *)tn_dense(1), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Sub: x must be a tensor, got a layer");
    assert_null(TN__APPLY(tn__op_Sub, NULL, tn_tuple(x, x), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Sub: x is a tuple of 2 tensors, one tensor is expected");
    assert_null(TN__APPLY(tn__op_AssignVariableOp, NULL, x, x));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "AssignVariableOp: resource must be a variable, got a tensor of float32 ()");
}

static void types_that_do_not_go_together_are_named(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = number(1), *i = tn_zeros(TN_SHAPE(2), TN_INT32),
              *b = tn_zeros(TN_SCALAR, TN_BOOL);
    assert_null(tn_add(x, i));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot compute AddV2 as input #1(zero-based) was expected to "
                                     "be a float tensor but is a int32 tensor");
    assert_null(tn_sqrt(i));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Value for attr 'T' of int32 is not in the list of allowed values");
    assert_null(tn_sqrt(b));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Value for attr 'T' of bool is not in the list of allowed values");
}

static void a_failed_call_leaves_its_op_and_later_calls_do_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(number(1));
    assert_null(tn_add(tn_ones(TN_SHAPE(2), TN_FLOAT32), tn_ones(TN_SHAPE(3), TN_FLOAT32)));
    assert_null(tn_assign(v, number(5)));
    assert_null(tn_negative(NULL));
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    assert_string_equal(error->operation, "AddV2");
    assert_int_equal(error->status, TN_INVALID_ARGUMENT);
    assert_float_equal(tn_to_double(v), 1, 0);
}

static void a_number_takes_the_type_beside_it_where_it_can(void **state)
{
    (void)state;
    TN_SCOPE;
    const tn_dtype floats[] = { TN_FLOAT16, TN_BFLOAT16, TN_FLOAT32, TN_FLOAT64 },
                   whole[] = { TN_INT32, TN_INT64, TN_UINT8 };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(tn_dtype_of(tn_add(tn_ones(TN_SCALAR, floats[i]), tn_scalar(1))),
                         floats[i]);
        assert_int_equal(tn_dtype_of(tn_add(tn_scalar(0.5), tn_ones(TN_SCALAR, floats[i]))),
                         floats[i]);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tn_dtype_of(tn_add(tn_ones(TN_SCALAR, whole[i]), tn_scalar(1))), whole[i]);
        assert_null(tn_add(tn_ones(TN_SCALAR, whole[i]), tn_scalar(0.5)));
        CHECK_ERROR(TN_INVALID_ARGUMENT,
                    "cannot compute AddV2 as input #1(zero-based) was expected to be a");
    }
    assert_true(tn_to_double(tn_add(tn_zeros(TN_SCALAR, TN_FLOAT64), tn_scalar(0.1))) ==
                0.1); /* with all its digits */
    assert_int_equal(tn_dtype_of(tn_add(tn_scalar(1), tn_scalar(2))), TN_INT32);
}

static void half_precision_is_rounded_once(void **state)
{
    (void)state;
    TN_SCOPE;
    /* In steps of their own, exp(1) and so on would be rounded at each. */
    tn_tensor *x = VALUES(TN_FLOAT16, TN_SHAPE(3), 1, 0.333251953125, -2), *y = tn_softplus(x);
    assert_int_equal(tn_dtype_of(y), TN_FLOAT16);
    for (int64_t i = 0; i < 3; i++) {
        float exact = log1pf(expf((float)tn__double_at(x, i)));
        assert_float_equal(tn__double_at(y, i), tn__half_to_float(tn__float_to_half(exact)), 0);
    }
}

static tn_tensor *sum_of_all(void *self, tn_list inputs)
{
    (void)self;
    return tn_add_n(inputs);
}

static void more_inputs_than_fit_on_the_stack_are_taken(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *items[40], *halves[40];
    tn_variable *v = tn_variable(number(1));
    for (int i = 0; i < 40; i++)
        items[i] = i % 2 ? v : number(2);
    tn_list all = tn_list_of(40, items);
    CHECK_VALUES(tn_add_n(all), 0, 60);
    CHECK_VALUES(tn_call_list(tn_function(sum_of_all), all), 0, 60);
    tn_tape *tape = tn_gradient_tape();
    CHECK_VALUES(tn_gradient_of(tape, tn_add_n(all), v), 0, 20);
    for (int i = 0; i < 40; i++)
        halves[i] = tn_ones(TN_SCALAR, TN_FLOAT16);
    CHECK_VALUES(tn_add_n(tn_list_of(40, halves)), 0, 40);
    CHECK_VALUES(tn__apply(&tn__op_AddN, NULL, halves, 40), 0, 40);
    CHECK_NO_ERROR();
}

static tn_tensor *kept_from_a_trace;

static tn_tensor *keep_a_traced_tensor(void *self, tn_list inputs)
{
    (void)self;
    kept_from_a_trace = tn_keep_root(tn_square(tn_at(inputs, 0)));
    return tn_at(inputs, 0);
}

static void a_tensor_of_a_trace_has_no_value_outside(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_call(tn_function(keep_a_traced_tensor), number(1));
    CHECK_NO_ERROR();
    assert_null(tn_negative(kept_from_a_trace));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "input 0 of Neg is a tensor of a graph that is not being "
                                     "built now, so it has no value");
    tn_free(kept_from_a_trace);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_argument_has_its_place_also_after_a_list),
        cmocka_unit_test(several_lists_are_of_one_length),
        cmocka_unit_test(an_op_that_no_list_has_is_refused),
        cmocka_unit_test(the_number_of_inputs_and_outputs_is_checked),
        cmocka_unit_test(an_input_that_is_no_tensor_is_named),
        cmocka_unit_test(types_that_do_not_go_together_are_named),
        cmocka_unit_test(a_failed_call_leaves_its_op_and_later_calls_do_nothing),
        cmocka_unit_test(a_number_takes_the_type_beside_it_where_it_can),
        cmocka_unit_test(half_precision_is_rounded_once),
        cmocka_unit_test(more_inputs_than_fit_on_the_stack_are_taken),
        cmocka_unit_test(a_tensor_of_a_trace_has_no_value_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
