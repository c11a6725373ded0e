/* scan_test.c */
#include "support/check_op.h"
#include <math.h>

#define INT(value) VALUES(TN_INT32, TN_SCALAR, value)

typedef struct {
    tn_flag exclusive, reverse;
} attrs;

static void running_sums_go_either_way(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    CHECK_OP(.op = &tn__op_Cumsum, .attrs = &(attrs){ 0, 0 }, .inputs = TN_LIST(x, INT(1)),
             .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 3, 6, 4, 9, 15)));
    CHECK_OP(.op = &tn__op_Cumsum, .attrs = &(attrs){ 1, 0 }, .inputs = TN_LIST(x, INT(0)),
             .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 0, 0, 0, 1, 2, 3)));
    CHECK_OP(.op = &tn__op_Cumsum, .attrs = &(attrs){ 0, 1 }, .inputs = TN_LIST(x, INT(-1)),
             .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 6, 5, 3, 15, 11, 6)));
    CHECK_OP(.op = &tn__op_Cumsum, .attrs = &(attrs){ 1, 1 }, .inputs = TN_LIST(x, INT(1)),
             .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 5, 3, 0, 11, 6, 0)));
    CHECK_VALUES(tn_cumsum(x), 0, 1, 2, 3, 5, 7, 9);
}

static void running_products_go_either_way(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    CHECK_OP(.op = &tn__op_Cumprod, .attrs = &(attrs){ 0, 0 }, .inputs = TN_LIST(x, INT(1)),
             .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 6, 4, 20, 120)));
    CHECK_OP(.op = &tn__op_Cumprod, .attrs = &(attrs){ 1, 1 }, .inputs = TN_LIST(x, INT(1)),
             .constant = 2,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 6, 3, 1, 30, 6, 1)));
    CHECK_VALUES(tn_cumprod(x, .axis = 1, .reverse = true), 0, 6, 6, 3, 120, 30, 6);
}

static void the_axis_is_checked(void **state)
{
    (void)state;
    TN_SCOPE;
    const attrs plain = { 0, 0 };
    tn_tensor *x = VALUES(TN_INT32, TN_SHAPE(3), 1, 2, 3);
    assert_null(tn_cumsum(x, .axis = 3));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "ScanOp: Expected scan axis in the range [-1, 1), but got 3");
    assert_null(TN__APPLY(tn__op_Cumsum, &plain, x, VALUES(TN_INT32, TN_SHAPE(1), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "ScanOp: axis must be a scalar, not [1]");
}

/* tf.math.cumulative_logsumexp */
static void running_logarithms_of_sums_do_not_overflow(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(4), 1, 2, 3, -1);
    CHECK_VALUES(tn_cumulative_logsumexp(x, .reverse = true), 1e-6, 3.4197165966033936,
                 3.3265626430511475, 3.0181498527526855, -1);
    CHECK_VALUES(tn_cumulative_logsumexp(x, .exclusive = true), 1e-6, -INFINITY, 1,
                 2.3132617473602295, 3.407606);
    CHECK_VALUES(tn_cumulative_logsumexp(
                     VALUES(TN_FLOAT32, TN_SHAPE(5), -INFINITY, -INFINITY, 2, INFINITY, NAN)),
                 0, -INFINITY, -INFINITY, 2, INFINITY, NAN);
    CHECK_VALUES(tn_cumulative_logsumexp(VALUES(TN_FLOAT32, TN_SHAPE(2), 1000, 1000)), 1e-6, 1000,
                 1000.6931471806);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_sums_go_either_way),
        cmocka_unit_test(running_products_go_either_way),
        cmocka_unit_test(running_logarithms_of_sums_do_not_overflow),
        cmocka_unit_test(the_axis_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
