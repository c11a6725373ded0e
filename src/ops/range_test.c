/* range_test.c */
#include "support/check_op.h"

#define INT(value) VALUES(TN_INT32, TN_SCALAR, value)
#define FLOAT(value) VALUES(TN_FLOAT32, TN_SCALAR, value)

static const int64_t last_axis = -1, first_axis = 0, middle_axis = 1;

static void range_counts_in_either_direction(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_Range, .inputs = TN_LIST(INT(2), INT(9), INT(3)),
             .expected = TN_LIST(VALUES(TN_INT32, TN_SHAPE(3), 2, 5, 8)), .constant = 7,
             .skip = SKIP_DTYPES);
    CHECK_OP(.op = &tn__op_Range, .inputs = TN_LIST(INT(5), INT(0), INT(-2)),
             .expected = TN_LIST(VALUES(TN_INT32, TN_SHAPE(3), 5, 3, 1)), .constant = 7,
             .skip = SKIP_DTYPES);
    /* start + i delta, not the sum of steps: 0.7 and 0.9 differ in the last digit */
    CHECK_VALUES(tn_range(FLOAT(0), FLOAT(1), FLOAT(0.1f)), 0, 0, 0.10000000149011612,
                 0.20000000298023224, 0.30000001192092896, 0.4000000059604645, 0.5,
                 0.6000000238418579, 0.699999988079071, 0.800000011920929, 0.9000000357627869);
    assert_int_equal(tn_range(INT(3), INT(3), INT(1))->shape.dims[0], 0);
    /* 0.3f / 0.1f is a little above 3 in float64 */
    assert_int_equal(tn_range(FLOAT(0), FLOAT(0.3f), FLOAT(0.1f))->shape.dims[0], 3);
    assert_null(tn_range(INT(0), INT(5), INT(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Requires delta != 0: 0");
    assert_null(tn_range(INT(5), INT(0), INT(1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Requires start <= limit when delta > 0: 5/0");
    assert_null(tn_range(INT(0), INT(5), INT(-1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Requires start >= limit when delta < 0: 0/5");
    tn_tensor *low = tn_constant(TN_INT64, TN_SCALAR, &(int64_t){ INT64_MIN }),
              *high = tn_constant(TN_INT64, TN_SCALAR, &(int64_t){ INT64_MAX });
    assert_null(tn_range(low, high, tn_constant(TN_INT64, TN_SCALAR, &(int64_t){ 1 })));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "too large");
    assert_null(tn_range(FLOAT(0), FLOAT(1e30), FLOAT(1e-9)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "2**63 - 1");
}

static void range_counts_as_the_half_types_do(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *y = tn_range(VALUES(TN_FLOAT16, TN_SCALAR, 0), VALUES(TN_FLOAT16, TN_SCALAR, 10),
                            VALUES(TN_FLOAT16, TN_SCALAR, 0.1));
    assert_int_equal(y->shape.dims[0], 100);
    CHECK_VALUES(tn_slice(y, TN_SHAPE(97), TN_SHAPE(3)), 0, 9.6953125, 9.796875, 9.8984375);
    y = tn_range(VALUES(TN_BFLOAT16, TN_SCALAR, 0), VALUES(TN_BFLOAT16, TN_SCALAR, 3000),
                 VALUES(TN_BFLOAT16, TN_SCALAR, 1));
    assert_int_equal(y->shape.dims[0], 3008);
    CHECK_VALUES(tn_slice(y, TN_SHAPE(3007), TN_SHAPE(1)), 0, 3008);
}

static void linspace_has_both_ends(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_LinSpace, .inputs = TN_LIST(FLOAT(0), FLOAT(1), INT(4)), .constant = 7,
             .skip = SKIP_DTYPES,
             .expected = TN_LIST(
                 VALUES(TN_FLOAT32, TN_SHAPE(4), 0, 0.3333333432674408, 0.6666666865348816, 1)));
    CHECK_VALUES(tn_linspace(FLOAT(3), FLOAT(5), 1), 0, 3);
    assert_null(tn_linspace(FLOAT(3), FLOAT(5), 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Requires num > 0: 0");
}

static void one_hot_marks_the_place_of_each_index(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *indices = VALUES(TN_INT32, TN_SHAPE(3), 1, -1, 3),
              *matrix = VALUES(TN_INT64, TN_SHAPE(2, 2), 0, 2, 1, 1);
    tn_tensor *on = FLOAT(1), *off = FLOAT(0);
    CHECK_OP(.op = &tn__op_OneHot, .attrs = &last_axis, .inputs = TN_LIST(indices, INT(3), on, off),
             .constant = 14, .skip = SKIP_DTYPES,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 0, 1, 0, 0, 0, 0, 0, 0, 0)));
    CHECK_OP(.op = &tn__op_OneHot, .attrs = &first_axis, .inputs = TN_LIST(matrix, INT(3), on, off),
             .constant = 14, .skip = SKIP_DTYPES,
             .expected = TN_LIST(
                 VALUES(TN_FLOAT32, TN_SHAPE(3, 2, 2), 1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0)));
    CHECK_OP(.op = &tn__op_OneHot, .attrs = &middle_axis,
             .inputs = TN_LIST(matrix, INT(3), FLOAT(5), FLOAT(-1)), .constant = 14,
             .skip = SKIP_DTYPES,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3, 2), 5, -1, -1, -1, -1, 5, -1, -1,
                                        5, 5, -1, -1)));
    CHECK_TENSOR(tn_one_hot(indices, 2, .dtype = TN_INT32),
                 VALUES(TN_INT32, TN_SHAPE(3, 2), 0, 1, 0, 0, 0, 0), 0, 0);
    assert_null(tn_one_hot(indices, 3, .axis = 4));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected axis to be -1 or between [0, 2).  But received: 4");
    assert_null(tn_one_hot(indices, -3));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "depth must be non-negative, got: -3");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_counts_in_either_direction),
        cmocka_unit_test(range_counts_as_the_half_types_do),
        cmocka_unit_test(linspace_has_both_ends),
        cmocka_unit_test(one_hot_marks_the_place_of_each_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
