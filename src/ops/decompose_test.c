/* decompose_test.c - numbers and messages are those of tf.linalg. */
#include "support/check_op.h"
#include <math.h>

static tn_tensor *symmetric(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(3, 3), 4, 1, 2, 1, 3, 0, 2, 0, 5);
}

/* x xᵀ + 1 is symmetric and positive definite, so that differences by x say something. */
static tn_tensor *root(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *square = tn_matmul(tn_at(inputs, 0), tn_at(inputs, 0), .transpose_b = true);
    if (!square)
        return NULL;
    return tn_linalg_cholesky(tn_add(square, tn_eye(3, 3, (tn_dtype)square->dtype)));
}

static tn_tensor *inverse_of_transposed(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *x = tn_at(inputs, 0);
    return tn_matmul(tn_linalg_solve(x, x, .adjoint = true),
                     tn_linalg_inv(tn_linalg_matrix_transpose(x)));
}

static void every_function_passes_the_checker(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_add(check_numbers(TN_SHAPE(2, 3, 3), -1, 1, 1),
                          tn_multiply(tn_eye(3, 3, TN_FLOAT64), VALUES(TN_FLOAT64, TN_SCALAR, 3)));
    CHECK_OP(.body = root, .inputs = TN_LIST(x), .gradient_tolerance = 1e-4,
             .differentiable = true);
    CHECK_OP(.body = inverse_of_transposed, .inputs = TN_LIST(x), .gradient_tolerance = 1e-4,
             .differentiable = true);
    tn_tensor *b = check_numbers(TN_SHAPE(2, 3, 2), -1, 1, 2);
    static const struct {
        tn_flag adjoint, lower;
    } attrs[] = { { false, true }, { true, true }, { true, false } };
    for (size_t i = 0; i < 3; i++)
        CHECK_OP(.op = &tn__op_MatrixTriangularSolve, .attrs = &attrs[i], .inputs = TN_LIST(x, b),
                 .differentiable = true);
    const tn_flag adjoint = true;
    CHECK_OP(.op = &tn__op_MatrixInverse, .attrs = &adjoint, .inputs = TN_LIST(x),
             .differentiable = true);
}

static void values_are_tensorflows(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = symmetric();
    CHECK_VALUES(tn_linalg_inv(a), 1e-6, 0.3488372266292572, -0.11627908051013947,
                 -0.13953489065170288, -0.11627907305955887, 0.3720930516719818,
                 0.046511631458997726, -0.13953489065170288, 0.046511631458997726,
                 0.25581395626068115);
    CHECK_VALUES(tn_linalg_cholesky(a), 1e-6, 2, 0, 0, 0.5, 1.658312439918518, 0, 1,
                 -0.30151134729385376, 1.977142095565796);
    CHECK_VALUES(tn_linalg_det(a), 1e-6, 43);
    tn_list log = tn_linalg_slogdet(tn_negative(a));
    CHECK_VALUES(log.item[0], 0, -1);
    CHECK_VALUES(log.item[1], 1e-6, 3.761200189590454);
    CHECK_VALUES(tn_matmul(a, tn_linalg_solve(a, VALUES(TN_FLOAT32, TN_SHAPE(3, 1), 1, 2, 3))),
                 1e-6, 1, 2, 3);
    CHECK_VALUES(tn_linalg_det(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 0, 2, 3, 0)), 1e-6, -6);
}

static void matrices_without_an_inverse_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *zeros = tn_zeros(TN_SHAPE(2, 2), TN_FLOAT32),
              *b = tn_ones(TN_SHAPE(2, 1), TN_FLOAT32);
    assert_null(tn_linalg_inv(zeros));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input is not invertible.");
    assert_null(tn_linalg_solve(zeros, b));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input matrix is not invertible.");
    CHECK_VALUES(tn_linalg_det(zeros), 0, 0);
    CHECK_VALUES(tn_linalg_slogdet(zeros).item[0], 0, 0);
    CHECK_VALUES(tn_linalg_slogdet(zeros).item[1], 0, -INFINITY);
    CHECK_VALUES(tn_linalg_det(tn_zeros(TN_SHAPE(0, 0), TN_FLOAT32)), 0, 1);
    CHECK_VALUES(tn_linalg_cholesky(VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 1, 2, 2, 1)), 0, NAN, 0, NAN,
                 NAN);
}

static void wrong_shapes_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *wide = tn_ones(TN_SHAPE(2, 3), TN_FLOAT32), *a = tn_eye(2, 2, TN_FLOAT32),
              *b = tn_ones(TN_SHAPE(3, 1), TN_FLOAT32);
    assert_null(tn_linalg_cholesky(wide));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input matrix must be square.");
    assert_null(tn_linalg_det(tn_ones(TN_SHAPE(2), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input tensor 0 must have rank >= 2, got 1");
    assert_null(tn_linalg_solve(a, b));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Input matrix and rhs are incompatible.");
    assert_null(tn_linalg_solve(a, tn_ones(TN_SHAPE(2), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "All input tensors must have the same rank.");
    assert_null(tn_linalg_solve(wide, b));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "First input (lhs) must be a square matrix.");
    assert_null(tn_linalg_triangular_solve(a, b));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "In[0] mismatch In[1] shape: 2 vs. 3: [2,2] [3,1]");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_passes_the_checker),
        cmocka_unit_test(values_are_tensorflows),
        cmocka_unit_test(matrices_without_an_inverse_are_told),
        cmocka_unit_test(wrong_shapes_are_refused_in_tensorflows_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
