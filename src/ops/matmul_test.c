/* matmul_test.c - matrix products. */
#include "support/check_op.h"

static void a_product_has_its_value_however_it_lies(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6), *b = VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 7, 8, 9, 10, 11, 12);
    tn_tensor *at = tn_transpose(a, TN_AXES(1, 0)), *bt = tn_transpose(b, TN_AXES(1, 0));
    CHECK_VALUES(tn_matmul(a, b), 0, 58, 64, 139, 154);
    CHECK_VALUES(tn_matmul(at, b, .transpose_a = true), 0, 58, 64, 139, 154);
    CHECK_VALUES(tn_matmul(a, bt, .transpose_b = true), 0, 58, 64, 139, 154);
    CHECK_VALUES(tn_matmul(at, bt, .transpose_a = true, .transpose_b = true), 0, 58, 64, 139, 154);
}

static void every_mode_dtype_and_derivative_holds(void **state)
{
    (void)state;
    TN_SCOPE;
    for (int flags = 0; flags < 4; flags++) {
        const tn_flag attrs[2] = { flags & 1, flags >> 1 };
        tn_tensor *a = check_numbers(attrs[0] ? TN_SHAPE(10, 3) : TN_SHAPE(3, 10), -1, 1, 1);
        tn_tensor *b = check_numbers(attrs[1] ? TN_SHAPE(2, 10) : TN_SHAPE(10, 2), -1, 1, 2);
        CHECK_OP(.op = &tn__op_MatMul, .attrs = attrs, .inputs = TN_LIST(a, b), .batched = attrs[0] ? 0 : 1,
                 .skip = attrs[0] ? SKIP_EMPTY | SKIP_ANY_BATCH : 0);
    }
}

static void batches_are_broadcast_and_their_gradients_summed(void **state)
{
    (void)state;
    TN_SCOPE;
    const tn_flag plain[2] = { false, false }, second[2] = { false, true };
    tn_tensor *a = check_numbers(TN_SHAPE(2, 1, 3, 4), -1, 1, 3), *b = check_numbers(TN_SHAPE(5, 4, 2), -1, 1, 4);
    CHECK_OP(.op = &tn__op_BatchMatMulV2, .attrs = plain, .inputs = TN_LIST(a, b), .batched = 1);
    CHECK_OP(.op = &tn__op_BatchMatMulV2, .attrs = second, .inputs = TN_LIST(a, check_numbers(TN_SHAPE(5, 2, 4), -1, 1, 5)), .batched = 1);
    assert_string_equal(tn_shape_text(tn_matmul(a, b)), "(2, 5, 3, 2)");
}

static void vectors_of_three_have_a_cross_product(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = VALUES(TN_FLOAT64, TN_SHAPE(2, 3), 1, 0, 0, 1, 2, 3), *b = VALUES(TN_FLOAT64, TN_SHAPE(2, 3), 0, 1, 0, 4, 5, 6);
    CHECK_OP(.op = &tn__op_Cross, .inputs = TN_LIST(a, b), .expected = TN_LIST(VALUES(TN_FLOAT64, TN_SHAPE(2, 3), 0, 0, 1, -3, 6, -3)));
    assert_null(TN__APPLY(tn__op_Cross, NULL, tn_zeros(TN_SHAPE(2), TN_FLOAT32), tn_zeros(TN_SHAPE(2), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Cross-products are only defined for 3-element vectors");
}

static void an_empty_inner_dimension_gives_zeros(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_matmul(tn_zeros(TN_SHAPE(2, 0), TN_FLOAT32), tn_zeros(TN_SHAPE(0, 2), TN_FLOAT32)), 0, 0, 0, 0, 0);
}

static void wrong_shapes_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_matmul(tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32), tn_zeros(TN_SHAPE(4, 2), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Matrix size-incompatible: In[0]: [2,3], In[1]: [4,2]");
    assert_null(tn_matmul(tn_zeros(TN_SHAPE(3), TN_FLOAT32), tn_zeros(TN_SHAPE(3, 2), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "rank");
    assert_null(tn_matmul(tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32), tn_zeros(TN_SHAPE(3, 2), TN_FLOAT64)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "was expected to be a float tensor but is a double tensor");
}

/* Large enough to be cut for threads, and long enough that a part is computed in another way than the whole. */
static void long_products_have_their_value_however_they_lie(void **state)
{
    (void)state;
    enum { M = 33, N = 40, K = 20000 };
    TN_SCOPE;
    tn_tensor *a = tn_ones(TN_SHAPE(M, K), TN_FLOAT32), *b = tn_ones(TN_SHAPE(K, N), TN_FLOAT32);
    tn_tensor *expected = tn_fill(TN_SHAPE(M, N), tn_cast(tn_scalar(K), TN_FLOAT32));
    tn_tensor *at = tn_transpose(a, TN_AXES(1, 0)), *bt = tn_transpose(b, TN_AXES(1, 0));
    CHECK_TENSOR(tn_matmul(a, b), expected, 0, 0);
    CHECK_TENSOR(tn_matmul(at, b, .transpose_a = true), expected, 0, 0);
    CHECK_TENSOR(tn_matmul(a, bt, .transpose_b = true), expected, 0, 0);
    CHECK_TENSOR(tn_matmul(at, bt, .transpose_a = true, .transpose_b = true), expected, 0, 0);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_has_its_value_however_it_lies),
        cmocka_unit_test(long_products_have_their_value_however_they_lie),
        cmocka_unit_test(every_mode_dtype_and_derivative_holds),
        cmocka_unit_test(batches_are_broadcast_and_their_gradients_summed),
        cmocka_unit_test(vectors_of_three_have_a_cross_product),
        cmocka_unit_test(an_empty_inner_dimension_gives_zeros),
        cmocka_unit_test(wrong_shapes_are_refused_in_tensorflows_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
