/* scatter_variable_test.c - literal numbers are TensorFlow's. */
#include "support/check_op.h"

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)

static tn_variable *three_rows(tn_dtype dtype)
{
    return tn_variable(VALUES(dtype, TN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6));
}

static void rows_are_put_and_combined(void **state)
{
    (void)state;
    TN_SCOPE;
    static const tn_dtype dtypes[] = { TN_FLOAT32, TN_FLOAT64, TN_BFLOAT16, TN_INT32, TN_INT8 };
    for (size_t i = 0; i < 5; i++) {
        TN_SCOPE;
        tn_variable *v = three_rows(dtypes[i]);
        tn_tensor *rows = VALUES(dtypes[i], TN_SHAPE(2, 2), 7, 3, 1, 9), *twice = INTS(1, 1);
        CHECK_VALUES(tn_scatter_update(v, INTS(2, 0), rows), 0, 1, 9, 3, 4, 7, 3);
        CHECK_VALUES(tn_scatter_add(v, twice, rows), 0, 1, 9, 11, 16, 7, 3);
        CHECK_VALUES(tn_scatter_sub(v, twice, rows), 0, 1, 9, 3, 4, 7, 3);
        CHECK_VALUES(tn_scatter_max(v, INTS(0, 2), rows), 0, 7, 9, 3, 4, 7, 9);
        CHECK_VALUES(tn_scatter_min(v, INTS(0, 2), rows), 0, 7, 3, 3, 4, 1, 9);
        CHECK_VALUES(tn_scatter_mul(v, INTS(1), VALUES(dtypes[i], TN_SCALAR, 4)), 0, 7, 3, 12, 16,
                     1, 9);
        CHECK_VALUES(tn_scatter_div(v, INTS(1), VALUES(dtypes[i], TN_SCALAR, -4)), 0, 7, 3, -3, -4,
                     1, 9);
        CHECK_VALUES(tn_scatter_update(v, INTS(0, 2), VALUES(dtypes[i], TN_SCALAR, 5)), 0, 5, 5, -3,
                     -4, 5, 5);
    }
}

static void places_are_put_and_combined(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = three_rows(TN_FLOAT32);
    tn_tensor *places = VALUES(TN_INT64, TN_SHAPE(2, 2), 0, 1, 0, 1),
              *updates = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2);
    CHECK_VALUES(tn_scatter_nd_add(v, places, updates), 0, 1, 5, 3, 4, 5, 6);
    CHECK_VALUES(tn_scatter_nd_sub(v, places, updates), 0, 1, 2, 3, 4, 5, 6);
    CHECK_VALUES(tn_scatter_nd_min(v, places, updates), 0, 1, 1, 3, 4, 5, 6);
    CHECK_VALUES(tn_scatter_nd_max(v, places, updates), 0, 1, 2, 3, 4, 5, 6);
    CHECK_VALUES(tn_scatter_nd_update(v, VALUES(TN_INT32, TN_SHAPE(1, 1), 2),
                                      VALUES(TN_FLOAT32, TN_SHAPE(1, 2), 8, 9)),
                 0, 1, 2, 3, 4, 8, 9);
}

static tn_tensor *add_in_a_trace(void *self, tn_list inputs)
{
    return tn_scatter_add(self, tn_at(inputs, 0), tn_at(inputs, 1));
}

static void a_trace_scatters_at_each_call(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = three_rows(TN_FLOAT32);
    tn_function *f = tn_function(add_in_a_trace, v);
    tn_tensor *row = VALUES(TN_FLOAT32, TN_SHAPE(1, 2), 10, 20);
    CHECK_VALUES(tn_call(f, INTS(1), row), 0, 1, 2, 13, 24, 5, 6);
    CHECK_VALUES(tn_call(f, INTS(2), row), 0, 1, 2, 13, 24, 15, 26);
}

static void a_wrong_index_changes_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v;
    {
        TN_SCOPE;
        v = tn_keep(
            three_rows(TN_FLOAT32)); /* nobody else has its value: it would be changed in place */
    }
    tn_tensor *rows = VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 7, 3, 1, 9);
    assert_null(tn_scatter_update(v, INTS(0, 5), rows));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "indices[1] = 5 is not in [0, 3)");
    assert_null(tn_scatter_nd_add(v, VALUES(TN_INT32, TN_SHAPE(2, 1), 0, 7), rows));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "indices[1] = [7] does not index into shape [3,2]");
    assert_null(tn_scatter_nd_add(v, VALUES(TN_INT32, TN_SHAPE(3, 1), 0, 1, 2), rows));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Dimensions [0,1) of indices[shape=[3,1]] must match");
    assert_null(tn_scatter_add(v, INTS(0), rows));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = [], got "
        "updates.shape [2,2], indices.shape [1], params.shape [3,2]");
    assert_null(tn_scatter_add(v, INTS(0, 1), tn_cast(rows, TN_FLOAT64)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Trying to scatter into variable with wrong dtype. Expected float got double");
    assert_null(tn_scatter_add(rows, INTS(0, 1), rows));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is not a variable and cannot be assigned to");
    tn_variable *whole = tn_variable(INTS(4, 5, 6));
    assert_null(tn_scatter_div(whole, INTS(1), INTS(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "updates must not contain 0");
    CHECK_VALUES(v, 0, 1, 2, 3, 4, 5, 6);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_put_and_combined),
        cmocka_unit_test(places_are_put_and_combined),
        cmocka_unit_test(a_trace_scatters_at_each_call),
        cmocka_unit_test(a_wrong_index_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
