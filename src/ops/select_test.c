/* select_test.c */
#include "support/check_op.h"
#include <math.h>

static tn_tensor *condition(tn_shape shape, const double *values, size_t count)
{
    return check_tensor_of(TN_BOOL, shape, values, count);
}

static void where_passes_the_checker_in_every_broadcast(void **state)
{
    (void)state;
    TN_SCOPE;
    const double bits[] = { 1, 0, 0, 1, 1, 0 };
    tn_tensor *x = check_numbers(TN_SHAPE(3, 2), -2, 2, 1),
              *y = check_numbers(TN_SHAPE(3, 2), -2, 2, 2);
    const tn__op *op = &tn__op_SelectV2;
    CHECK_OP(.op = op, .inputs = TN_LIST(condition(TN_SHAPE(3, 2), bits, 6), x, y));
    CHECK_OP(.op = op, .inputs = TN_LIST(condition(TN_SHAPE(2), bits, 2), x, y), .batched = 6);
    CHECK_OP(.op = op, .inputs = TN_LIST(condition(TN_SHAPE(3, 1), bits, 3), x,
                                         check_numbers(TN_SCALAR, 1, 2, 3)));
    CHECK_OP(.op = op, .inputs = TN_LIST(condition(TN_SHAPE(3, 1), bits, 3),
                                         check_numbers(TN_SHAPE(2), 1, 2, 3), y));
    CHECK_OP(.op = op, .inputs = TN_LIST(condition(TN_SCALAR, bits, 1), x, y), .batched = 6);
    CHECK_OP(.op = op,
             .inputs =
                 TN_LIST(condition(TN_SHAPE(2, 1), bits, 2), check_numbers(TN_SHAPE(2), 1, 2, 3),
                         check_numbers(TN_SHAPE(1, 1), 1, 2, 4)),
             .batched = 1);
}

static void select_passes_the_checker(void **state)
{
    (void)state;
    TN_SCOPE;
    const double bits[] = { 1, 0, 0, 1, 1, 0 };
    tn_tensor *x = check_numbers(TN_SHAPE(3, 2), -2, 2, 1),
              *y = check_numbers(TN_SHAPE(3, 2), -2, 2, 2);
    const tn__op *op = &tn__op_Select;
    CHECK_OP(.op = op, .inputs = TN_LIST(condition(TN_SHAPE(3, 2), bits, 6), x, y));
    CHECK_OP(.op = op, .inputs = TN_LIST(condition(TN_SHAPE(3), bits, 3), x, y), .batched = 7);
    CHECK_OP(.op = op, .inputs = TN_LIST(condition(TN_SCALAR, bits, 1), x, y), .batched = 6);
}

/* tf.raw_ops.Select(condition=[True, False], x=[[1., 2.], [3., 4.]], y=zeros) takes whole rows,
 * tf.where elements of each row. */
static void a_vector_chooses_rows_in_select_and_columns_in_where(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *c = VALUES(TN_BOOL, TN_SHAPE(2), 1, 0),
              *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 3, 4);
    tn_tensor *zero = tn_zeros(TN_SHAPE(2, 2), TN_FLOAT32);
    CHECK_VALUES(TN__APPLY(tn__op_Select, NULL, c, x, zero), 0, 1, 2, 0, 0);
    CHECK_VALUES(tn_where(c, x, zero), 0, 1, 0, 3, 0);
    CHECK_TENSOR(tn_where(c, tn_scalar(1), tn_scalar(0)), VALUES(TN_INT32, TN_SHAPE(2), 1, 0), 0,
                 0);
    CHECK_TENSOR(tn_where(c, tn_scalar(1), VALUES(TN_FLOAT16, TN_SHAPE(1), 0.5)),
                 VALUES(TN_FLOAT16, TN_SHAPE(2), 1, 0.5), 0, 0);
}

/* The usual way to keep log from 0: the other branch has no say, its slope neither. */
static void what_is_not_chosen_has_no_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2), 0, 2), *zero = tn_zeros(TN_SCALAR, TN_FLOAT32);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *positive = tn_greater(x, zero);
    tn_tensor *y =
        tn_where(positive, tn_log(tn_where(positive, x, tn_ones(TN_SCALAR, TN_FLOAT32))), zero);
    CHECK_VALUES(tn_gradient_of(tape, y, x), 1e-6, 0, 0.5);
}

static void shapes_that_do_not_go_together_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *three = VALUES(TN_BOOL, TN_SHAPE(3), 1, 0, 1),
              *x = tn_ones(TN_SHAPE(2, 2), TN_FLOAT32);
    assert_null(tn_where(three, x, x));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "condition [3], then [2,2], and else [2,2] must be broadcastable");
    assert_null(TN__APPLY(tn__op_Select, NULL, three, x, x));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Number of batches of 'then' must match size of 'cond', but saw: 2 vs. 3");
    assert_null(TN__APPLY(tn__op_Select, NULL, three, x, tn_ones(TN_SHAPE(2), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "'then' and 'else' must have the same size.  but received: [2,2] vs. [2]");
    assert_null(TN__APPLY(tn__op_Select, NULL, VALUES(TN_BOOL, TN_SHAPE(1, 2), 1, 0), x, x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Inputs to operation Select of type Select must have the same "
                                     "size and shape.  Input 0: [1,2] != input 1: [2,2]");
    assert_null(tn_where(VALUES(TN_INT32, TN_SHAPE(2), 1, 0), x, x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot compute SelectV2 as input #0(zero-based) was expected "
                                     "to be a bool tensor but is a int32 tensor");
    assert_null(
        tn_where(VALUES(TN_BOOL, TN_SHAPE(2), 1, 0), VALUES(TN_INT32, TN_SHAPE(2), 1, 0), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot compute SelectV2 as input #2(zero-based) was expected "
                                     "to be a int32 tensor but is a float tensor");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_passes_the_checker_in_every_broadcast),
        cmocka_unit_test(select_passes_the_checker),
        cmocka_unit_test(a_vector_chooses_rows_in_select_and_columns_in_where),
        cmocka_unit_test(what_is_not_chosen_has_no_gradient),
        cmocka_unit_test(shapes_that_do_not_go_together_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
