/* state_test.c - what changes variables. */
#include "support/check_op.h"

static const void *elements(const tn_variable *v)
{
    return v->of.variable->value->data;
}

static void adding_to_a_variable_that_nobody_reads_needs_no_new_room(void **state)
{
    (void)state;
    TN_SCOPE;
    static const tn_dtype dtypes[] = { TN_FLOAT32, TN_FLOAT16, TN_INT64 };
    for (size_t i = 0; i < 3; i++) {
        tn_variable *v;
        {
            TN_SCOPE;
            v = tn_keep(tn_variable(tn_ones(TN_SHAPE(100), dtypes[i])));
        }
        const void *before = elements(v);
        TN_SCOPE;
        tn_assign_add(v, tn_ones(TN_SHAPE(100), dtypes[i]));
        assert_ptr_equal(elements(v), before);
        CHECK_VALUES(tn_reduce_sum(v), 0, 200);
    }
}

static void what_was_read_before_stays_as_it_was(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2));
    tn_tensor *before = tn_read_value(v);
    tn_assign_sub(v, VALUES(TN_FLOAT32, TN_SHAPE(2), 4, 4));
    CHECK_VALUES(before, 0, 1, 2);
    CHECK_VALUES(v, 0, -3, -2);
    tn_assign_add(v, v);
    CHECK_VALUES(v, 0, -6, -4);
}

static void an_open_shape_takes_only_the_present_one(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(tn_ones(TN_SHAPE(2), TN_FLOAT32), .shape = TN_SHAPE(TN_NONE));
    assert_null(tn_assign_add(v, tn_ones(TN_SHAPE(1), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Cannot update variable with shape [2] using a Tensor with "
                                     "shape [1], shapes must be equal.");
    CHECK_VALUES(v, 0, 1, 1);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_to_a_variable_that_nobody_reads_needs_no_new_room),
        cmocka_unit_test(what_was_read_before_stays_as_it_was),
        cmocka_unit_test(an_open_shape_takes_only_the_present_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
