/* linalg_test.c - numbers and messages are TensorFlow's. */
#include "support/check_op.h"
#include <math.h>

static tn_tensor *matrix(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
}

static tn_tensor *transposed(void *self, tn_list inputs)
{
    (void)self;
    return tn_linalg_matrix_transpose(tn_at(inputs, 0));
}

static tn_tensor *product(void *self, tn_list inputs)
{
    (void)self;
    return tn_linalg_matvec(tn_at(inputs, 0), tn_at(inputs, 1));
}

static tn_tensor *contracted(void *self, tn_list inputs)
{
    (void)self;
    return tn_tensordot(tn_at(inputs, 0), tn_at(inputs, 1), TN_AXES(1, 2), TN_AXES(1, 0));
}

static tn_tensor *norms(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *x = tn_at(inputs, 0);
    return tn_tuple(
        tn_norm(x, .axis = TN_AXES(1)), tn_norm(x, .ord = 1, .axis = TN_AXES(-1), .keepdims = true),
        tn_norm(x, .ord = 3, .axis = TN_AXES(1)), tn_norm(x, .ord = INFINITY, .axis = TN_AXES(2)),
        tn_norm(x, .axis = TN_AXES(1, 2)), tn_l2_normalize(x, .axis = TN_AXES(2)));
}

static void every_function_passes_the_checker(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = check_numbers(TN_SHAPE(2, 3, 4), 0.5, 1, 1);
    CHECK_OP(.body = transposed, .inputs = TN_LIST(x), .differentiable = true);
    CHECK_OP(.body = product, .inputs = TN_LIST(x, check_numbers(TN_SHAPE(2, 4), -1, 1, 2)),
             .batched = 3, .differentiable = true);
    CHECK_OP(.body = contracted, .inputs = TN_LIST(x, check_numbers(TN_SHAPE(4, 3, 2), -1, 1, 2)),
             .batched = 1, .differentiable = true);
    CHECK_OP(.body = norms, .inputs = TN_LIST(x), .gradient_tolerance = 1e-4,
             .skip = SKIP_SECOND_ORDER | SKIP_EMPTY, .differentiable = true);
}

static void norms_are_tensorflows(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = matrix();
    CHECK_VALUES(tn_norm(a), 1e-6, 9.539392);
    CHECK_VALUES(tn_norm(a, .ord = 3, .axis = TN_AXES(1)), 1e-6, 3.3019273, 7.398637);
    CHECK_VALUES(tn_norm(a, .axis = TN_AXES(0, 1), .keepdims = true), 1e-6, 9.539392);
    CHECK_VALUES(tn_norm(a, .ord = 1, .axis = TN_AXES(0, 1)), 0, 9);
    CHECK_VALUES(tn_norm(a, .ord = INFINITY, .axis = TN_AXES(-2, -1)), 0, 15);
    CHECK_VALUES(tn_l2_normalize(tn_zeros(TN_SHAPE(2), TN_FLOAT32)), 0, 0, 0);
    assert_null(tn_norm(a, .ord = 3, .axis = TN_AXES(0, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "'ord' must be a supported matrix norm in ['euclidean', 'fro', 1, 2, inf], got 3");
    assert_null(tn_norm(a, .ord = -1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "'ord' must be a supported vector norm, got -1");
}

static void tensordot_names_what_does_not_fit(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = matrix(), *b = VALUES(TN_FLOAT32, TN_SHAPE(3, 2), 1, -1, 2, 0, 0.5, 3);
    CHECK_VALUES(tn_tensordot(a, b, TN_AXES(0), TN_AXES(1)), 0, -3, 2, 12.5, -3, 4, 16, -3, 6,
                 19.5);
    assert_string_equal(tn_shape_text(tn_tensordot(a, b, (tn_axes){ 0 }, (tn_axes){ 0 })),
                        "(2, 3, 3, 2)");
    assert_null(tn_tensordot(a, b, TN_AXES(0), TN_AXES(0, 1)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Different number of contraction axes `a` and `b`, 1 != 2.");
    assert_null(tn_tensordot(a, b, TN_AXES(2), TN_AXES(0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "axis 2 is not one of float32 (2, 3)");
    assert_null(tn_linalg_matvec(a, tn_ones(TN_SHAPE(4), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Matrix size-incompatible: In[0]: [2,3], In[1]: [4,1]");
    assert_null(tn_linalg_matrix_transpose(tn_ones(TN_SHAPE(3), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Argument `a` should be a (batch) matrix with rank >= 2.");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_passes_the_checker),
        cmocka_unit_test(norms_are_tensorflows),
        cmocka_unit_test(tensordot_names_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
