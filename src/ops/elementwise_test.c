/* elementwise_test.c - every element-wise op on edge values against TensorFlow's own results. */
#include "support/check_op.h"
#include <math.h>
#include "ops/testdata/elementwise_cases.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Where TensorFlow's float64 kernel gives NaN for the limit that its float32 kernel gives:
 * erf(inf). */
static bool is_tensorflows_slip(const char *op, double x)
{
    return strcmp(op, "Erf") == 0 && isinf(x);
}

static tn_tensor *run(const char *name, tn_tensor **inputs, size_t count)
{
    const tn__op *op = tn__op_find(name);
    max_align_t attrs[8] = { 0 };
    if (!op || op->attrs_size > sizeof attrs)
        fail_msg("there is no op %s", name);
    CHECK_OK(tn__fields_default(op->attrs, attrs));
    return tn__apply(op, attrs, inputs, count);
}

static bool close_enough(double got, double want, double rtol)
{
    if (isnan(want) || isinf(want))
        return isnan(want) ? isnan(got) : got == want;
    return fabs(got - want) <= 1e-37 + rtol * fabs(want) + 0.1 * rtol;
}

static int compare(const char *op, tn_tensor *y, const double *want, const double *in, int step,
                   double rtol)
{
    int wrong = 0;
    CHECK_NO_ERROR();
    for (int64_t i = 0; i < tn__count(y); i++)
        if (!close_enough(tn__double_at(y, i), want[i], rtol) &&
            !is_tensorflows_slip(op, in[i * step])) {
            print_error("%s(%g%s%g) is %.10g in %s, TensorFlow has %.10g\n", op, in[i * step],
                        step > 1 ? ", " : " ", step > 1 ? in[i * step + 1] : 0, tn__double_at(y, i),
                        tn__dtype_name((tn_dtype)y->dtype), want[i]);
            wrong++;
        }
    return wrong;
}

static tn_tensor *column(tn_dtype dtype, const double *values, int64_t count, int step,
                         bool positive)
{
    double picked[256];
    for (int64_t i = 0; i < count; i++)
        picked[i] = positive ? fabs(values[i * step]) : values[i * step];
    return check_tensor_of(dtype, TN_SHAPE(count), picked, (size_t)count);
}

static void functions_of_one_float_agree_with_tensorflow(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < COUNT(unary_cases); i++) {
        TN_SCOPE;
        const char *op = unary_cases[i].op;
        tn_tensor *x = column(TN_FLOAT32, edges, COUNT(edges), 1, false);
        wrong += compare(op, run(op, &x, 1), unary_cases[i].in_float32, edges, 1, 2e-6);
        x = column(TN_FLOAT64, edges, COUNT(edges), 1, false);
        wrong += compare(op, run(op, &x, 1), unary_cases[i].in_float64, edges, 1, 1e-13);
    }
    assert_int_equal(wrong, 0);
}

static void functions_of_two_floats_agree_with_tensorflow(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < COUNT(binary_cases); i++) {
        TN_SCOPE;
        const char *op = binary_cases[i].op;
        tn_tensor *in[] = { column(TN_FLOAT32, pairs[0], COUNT(pairs), 2, false),
                            column(TN_FLOAT32, pairs[0] + 1, COUNT(pairs), 2, false) };
        wrong += compare(op, run(op, in, 2), binary_cases[i].in_float32, pairs[0], 2, 1e-6);
    }
    assert_int_equal(wrong, 0);
}

static void functions_of_whole_numbers_agree_with_tensorflow(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < COUNT(unary_int_cases); i++) {
        TN_SCOPE;
        const char *op = unary_int_cases[i].op;
        tn_tensor *x = column(TN_INT32, ints, COUNT(ints), 1, false);
        wrong += compare(op, run(op, &x, 1), unary_int_cases[i].in_int32, ints, 1, 0);
    }
    for (size_t i = 0; i < COUNT(binary_int_cases); i++) {
        TN_SCOPE;
        const char *op = binary_int_cases[i].op;
        tn_tensor *in[] = { column(TN_INT32, int_pairs[0], COUNT(int_pairs), 2, false),
                            column(TN_INT32, int_pairs[0] + 1, COUNT(int_pairs), 2,
                                   strcmp(op, "Pow") == 0) };
        wrong += compare(op, run(op, in, 2), binary_int_cases[i].in_int32, int_pairs[0], 2, 0);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_one_float_agree_with_tensorflow),
        cmocka_unit_test(functions_of_two_floats_agree_with_tensorflow),
        cmocka_unit_test(functions_of_whole_numbers_agree_with_tensorflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
