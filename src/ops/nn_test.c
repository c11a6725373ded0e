/* nn_test.c - literal numbers are TensorFlow's. */
#include "support/check_op.h"

static void half_the_sum_of_squares(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.op = &tn__op_L2Loss, .inputs = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3), 1, -2, 3)),
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SCALAR, 7)));
    CHECK_VALUES(tn_nn_l2_loss(tn_zeros(TN_SHAPE(0), TN_FLOAT32)), 0, 0);
}

static void crelu_keeps_both_signs_apart(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_nn_crelu(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, -2, -3, 4), -1), 0, 1, 0, 0, 2,
                 0, 4, 3, 0);
}

static void embeddings_are_rows_of_at_most_a_norm(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *params = VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 3, 4, 6, 8, 0.1, 0.1),
              *ids = VALUES(TN_INT32, TN_SHAPE(2, 2), 0, 1, 2, 0);
    CHECK_VALUES(tn_nn_embedding_lookup(params, ids), 0, 3, 4, 6, 8, 0.1f, 0.1f, 3, 4);
    CHECK_VALUES(tn_nn_embedding_lookup(params, ids, 1), 1e-6, 0.6, 0.8, 0.6, 0.8, 0.1, 0.1, 0.6,
                 0.8);
}

static tn_tensor *weighted(void *self, tn_list inputs)
{
    (void)self;
    return tn_nn_weighted_cross_entropy_with_logits(tn_at(inputs, 0), tn_at(inputs, 1),
                                                    tn_at(inputs, 2));
}

static void weighted_cross_entropy_counts_what_is_positive_more(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.body = weighted,
             .inputs = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3), 0, 1, 0.3),
                               VALUES(TN_FLOAT32, TN_SHAPE(3), 2, -3, 0.5),
                               VALUES(TN_FLOAT32, TN_SCALAR, 2.5)),
             .batched = 3, .skip = SKIP_SECOND_ORDER,
             .expected =
                 TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3), 2.126928091, 7.621468544, 1.03741169)));
    tn_tensor *two = tn_zeros(TN_SHAPE(2), TN_FLOAT32), *three = tn_zeros(TN_SHAPE(3), TN_FLOAT32);
    assert_null(tn_nn_weighted_cross_entropy_with_logits(two, three, tn_scalar(1.0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`logits` and `labels` must have the same shape, received ((3,) vs (2,)).");
}

static tn_tensor *tenths(tn_shape shape)
{
    tn_tensor *x =
        tn_range(tn_scalar(0.0), tn_scalar((double)tn__shape_count(&shape)), tn_scalar(1.0));
    return tn_divide(tn_reshape(x, shape), tn_scalar(10.0));
}

static void a_separable_convolution_is_two(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tenths(TN_SHAPE(1, 3, 3, 2)), *depth = tenths(TN_SHAPE(2, 2, 2, 2)),
              *point = tenths(TN_SHAPE(1, 1, 4, 1));
    CHECK_VALUES(tn_nn_separable_conv2d(x, depth, point, { 1 }, "VALID"), 1e-6, 1.3079999685,
                 1.7080000639, 2.5079998970, 2.9080002308);
    assert_null(tn_nn_separable_conv2d(x, depth, point));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "missing a required argument: 'padding'");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_the_sum_of_squares),
        cmocka_unit_test(crelu_keeps_both_signs_apart),
        cmocka_unit_test(embeddings_are_rows_of_at_most_a_norm),
        cmocka_unit_test(weighted_cross_entropy_counts_what_is_positive_more),
        cmocka_unit_test(a_separable_convolution_is_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
