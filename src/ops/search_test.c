/* search_test.c */
#include "support/check_op.h"
#include <math.h>

#define INTS(...) VALUES(TN_INT32, TN_SHAPE(TN_COUNT(__VA_ARGS__)), __VA_ARGS__)
#define INT(value) VALUES(TN_INT32, TN_SCALAR, value)

static const tn_dtype int64_out = TN_INT64, int32_out = TN_INT32;
static const struct {
    tn_flag sorted;
    tn_dtype index_type;
} top_k = { true, TN_INT32 };

static void argmax_finds_the_first_of_equals(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 5, 5, 4, 3, 0);
    CHECK_OP(.op = &tn__op_ArgMax, .attrs = &int64_out, .inputs = TN_LIST(x, INT(1)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_INT64, TN_SHAPE(2), 1, 0)));
    CHECK_OP(.op = &tn__op_ArgMax, .attrs = &int32_out, .inputs = TN_LIST(x, INT(0)), .constant = 2,
             .skip = SKIP_EMPTY | SKIP_DTYPES, .expected = TN_LIST(INTS(1, 0, 0)));
    CHECK_OP(.op = &tn__op_ArgMin, .attrs = &int64_out, .inputs = TN_LIST(x, INT(-1)),
             .constant = 2, .expected = TN_LIST(VALUES(TN_INT64, TN_SHAPE(2), 0, 2)));
    tn_tensor *nan = VALUES(TN_FLOAT32, TN_SHAPE(4, 3), 1, NAN, 3, NAN, 1, 2, NAN, NAN, NAN,
                            -INFINITY, -INFINITY, -INFINITY);
    CHECK_VALUES(tn_argmax(nan, 1), 0, 2, 2, 0, 0);
    CHECK_VALUES(tn_argmin(VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 1, NAN, 3, NAN, 1, 2, INFINITY,
                                  INFINITY, INFINITY),
                           1),
                 0, 0, 1, 0);
    assert_null(tn_argmax(x, 4));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected dimension in the range [-2, 2), but got 4");
    assert_null(tn_argmax(tn_zeros(TN_SHAPE(2, 0), TN_FLOAT32), 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Reduction axis 1 is empty in shape [2,0]");
    assert_null(tn_argmax(tn_scalar(1.0), 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Expected dimension in the range [0, 0), but got 0");
}

static void top_k_gives_values_and_places(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 4), 1, 6, 5, 2, 4, 3, 0, 7);
    CHECK_OP(.op = &tn__op_TopKV2, .attrs = &top_k, .inputs = TN_LIST(x, INT(2)), .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 6, 5, 7, 4),
                                 VALUES(TN_INT32, TN_SHAPE(2, 2), 1, 2, 3, 0)));
    CHECK_OP(.op = &tn__op_TopKV2, .attrs = &top_k, .inputs = TN_LIST(x, INT(4)), .constant = 2);
    CHECK_OP(.op = &tn__op_TopKV2, .attrs = &top_k, .inputs = TN_LIST(x, INT(0)), .constant = 2);
    assert_null(tn_top_k(x, 5).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "input must have at least k columns. Had 4, needed 5");
    assert_null(tn_top_k(x, -1).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Need k >= 0, got -1");
    assert_null(tn_top_k(tn_scalar(1.0), 1).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "input must be >= 1-D, got shape []");
}

/* For every k, of rows with many equal elements, against counting those that come before. */
static void top_k_is_in_order_for_every_k(void **state)
{
    (void)state;
    TN_SCOPE;
    static const int64_t sizes[] = { 1, 2, 16, 17, 40 };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int64_t n = sizes[s];
        tn_tensor *x = tn_cast(check_numbers(TN_SHAPE(n), 0, 9, 3), TN_INT32);
        for (int64_t k = 0; k <= n; k++) {
            TN_SCOPE;
            const int32_t *place = tn_top_k(x, k).item[1]->data, *value = x->data;
            for (int64_t i = 0; i < k; i++) {
                int64_t before = 0;
                for (int64_t j = 0; j < n; j++)
                    before +=
                        value[j] > value[place[i]] || (value[j] == value[place[i]] && j < place[i]);
                assert_int_equal(before, i);
            }
        }
    }
}

/* What TensorFlow's sorting makes of numbers that cannot be compared. */
static void top_k_with_a_nan_is_as_in_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 1, NAN, 3, NAN, 1, 2, 2, 1, NAN);
    CHECK_VALUES(tn_top_k(x, 1).item[1], 0, 2, 2, 0);
    CHECK_VALUES(tn_top_k(x, 2).item[1], 0, 1, 2, 0, 2, 0, 1);
    CHECK_VALUES(tn_top_k(x, 3).item[1], 0, 2, 0, 1, 0, 2, 1, 0, 1, 2);
}

static void in_top_k_counts_what_is_above(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *predictions =
        VALUES(TN_FLOAT32, TN_SHAPE(4, 3), .1, .5, .2, NAN, 1, 2, 3, 3, 1, 1, 2, INFINITY);
    CHECK_OP(.op = &tn__op_InTopKV2, .inputs = TN_LIST(predictions, INTS(1, 1, 5, 2), INT(1)),
             .constant = 4, .batched = 3, .skip = SKIP_DTYPES,
             .expected = TN_LIST(VALUES(TN_BOOL, TN_SHAPE(4), 1, 0, 0, 0)));
    CHECK_VALUES(tn_in_top_k(INTS(1, 2), VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 3, 3, 1, 1, 3, 3), 1),
                 0, 1, 1);
    assert_null(tn_in_top_k(INTS(1, 2, 0), tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32), 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "First dimension of predictions 2 must match length of targets 3");
}

static void where_lists_the_places_that_are_set(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_Where,
             .inputs = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 0, -2, 0, 0, 3)),
             .skip = SHAPE_FROM_VALUES,
             .expected = TN_LIST(VALUES(TN_INT64, TN_SHAPE(3, 2), 0, 0, 0, 2, 1, 2)));
    CHECK_VALUES(tn_where_indices(VALUES(TN_FLOAT32, TN_SHAPE(3), NAN, -0.0, 1)), 0, 0, 2);
    CHECK_VALUES(tn_where_indices(VALUES(TN_FLOAT16, TN_SHAPE(3), NAN, -0.0, 1)), 0, 0, 2);
    assert_null(tn_where_indices(tn_scalar(1.0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "WhereOp : Unhandled input dimensions: 0");
}

static void unique_keeps_the_first_of_equals(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_Unique, .attrs = &int32_out,
             .inputs = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(5), 3, 1, 3, 0, 1)),
             .skip = SHAPE_FROM_VALUES,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3), 3, 1, 0), INTS(0, 1, 0, 2, 1)));
    CHECK_VALUES(tn_unique(VALUES(TN_FLOAT32, TN_SHAPE(4), NAN, -0.0, NAN, 0)).item[1], 0, 0, 1, 2,
                 1);
    CHECK_VALUES(tn_unique(VALUES(TN_INT64, TN_SHAPE(3), -1, 0, -1)).item[0], 0, -1, 0);
    assert_null(tn_unique(VALUES(TN_INT32, TN_SHAPE(1, 1), 3)).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "unique expects a 1D vector.");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(argmax_finds_the_first_of_equals),
        cmocka_unit_test(top_k_gives_values_and_places),
        cmocka_unit_test(top_k_is_in_order_for_every_k),
        cmocka_unit_test(top_k_with_a_nan_is_as_in_tensorflow),
        cmocka_unit_test(in_top_k_counts_what_is_above),
        cmocka_unit_test(where_lists_the_places_that_are_set),
        cmocka_unit_test(unique_keeps_the_first_of_equals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
