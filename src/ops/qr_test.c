/* qr_test.c - beside numbers of tf.linalg.qr, TensorFlow 2.21. */
#include "ops/array.h"
#include "support/check_op.h"

typedef struct {
    tn_flag full_matrices;
} attrs;

static void it_gives_a_reduced_q_and_r_with_eigens_signs(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_Qr, .attrs = &(attrs){ false }, .constant = 1,
             .inputs = TN_LIST(VALUES(TN_FLOAT64, TN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6)),
             .expected = TN_LIST(VALUES(TN_FLOAT64, TN_SHAPE(3, 2), -0.16903085094570325,
                                        0.89708522714506, -0.5070925528371099, 0.27602622373694297,
                                        -0.8451542547285166, -0.34503277967117774),
                                 VALUES(TN_FLOAT64, TN_SHAPE(2, 2), -5.916079783099616,
                                        -7.437357441610944, 0, 0.8280786712108239)));
    tn_list wide = tn__qr(VALUES(TN_FLOAT64, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6));
    CHECK_VALUES(wide.item[0], 1e-14, -0.24253562503633308, -0.970142500145332, -0.970142500145332,
                 0.24253562503633286);
    CHECK_VALUES(wide.item[1], 1e-14, -4.123105625617661, -5.335783750799326, -6.5484618759809905,
                 0, -0.7276068751090001, -1.4552137502179985);
}

static void a_column_that_is_done_keeps_its_sign(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list two = tn__qr(VALUES(TN_FLOAT64, TN_SHAPE(2, 2, 2), -3, 1, 0, -2, 0, 1, 0, -2));
    CHECK_VALUES(two.item[0], 0, 1, 0, 0, 1, 1, 0, 0, 1);
    CHECK_VALUES(two.item[1], 0, -3, 1, 0, -2, 0, 1, 0, -2);
}

static void full_matrices_complete_q(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_Qr, .attrs = &(attrs){ true }, .constant = 1,
             .inputs = TN_LIST(VALUES(TN_FLOAT64, TN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6)),
             .expected =
                 TN_LIST(VALUES(TN_FLOAT64, TN_SHAPE(3, 3), -0.16903085094570325, 0.89708522714506,
                                0.40824829046386474, -0.5070925528371099, 0.27602622373694297,
                                -0.8164965809277257, -0.8451542547285166, -0.34503277967117774,
                                0.4082482904638624),
                         VALUES(TN_FLOAT64, TN_SHAPE(3, 2), -5.916079783099616, -7.437357441610944,
                                0, 0.8280786712108239, 0, 0)));
}

static void a_vector_is_no_matrix(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn__qr(tn_ones(TN_SHAPE(2), TN_FLOAT32)).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input tensor 0 must have rank >= 2, got 1");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gives_a_reduced_q_and_r_with_eigens_signs),
        cmocka_unit_test(a_column_that_is_done_keeps_its_sign),
        cmocka_unit_test(full_matrices_complete_q),
        cmocka_unit_test(a_vector_is_no_matrix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
