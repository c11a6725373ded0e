/* initializers_test.c */
#include "support/check_op.h"
#include "nn/object.h"
#include "nn/testdata/object_values.h"

enum { COUNT = sizeof initializer_values / sizeof *initializer_values };

static tn_tensor *initialize(const char *text, tn_dtype dtype, tn_shape shape)
{
    tn_tensor *value;
    if (tn__initialize(tn__context(), text, INT64_MIN, dtype, &shape, &value) != TN_OK)
        return NULL;
    return tn__own(value);
}

static void values_are_keras_s_for_the_same_seed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        TN_SCOPE;
        print_message("%s\n", initializer_values[i].text);
        tn_tensor *x = initialize(initializer_values[i].text, TN_FLOAT32, TN_SHAPE(3, 4));
        check_values(x, initializer_values[i].value, 12, 2e-6, __FILE__, __LINE__);
    }
}

static void the_same_seed_gives_the_same_and_none_another_each_time(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_shape shape = TN_SHAPE(4);
    tn_tensor *a = initialize("he_normal", TN_FLOAT32, shape),
              *b = initialize("he_normal", TN_FLOAT32, shape);
    assert_memory_not_equal(tn_data_float32(a), tn_data_float32(b), 16);
    tn_set_random_seed(1);
    a = initialize("he_normal", TN_FLOAT32, shape);
    tn_set_random_seed(1);
    b = initialize("he_normal", TN_FLOAT32, shape);
    assert_memory_equal(tn_data_float32(a), tn_data_float32(b), 16);
}

static void fans_may_be_said(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_shape shape = TN_SHAPE(2, 3, 4);
    tn_tensor *a = initialize("lecun_uniform(1, input_axes=0, output_axes=(1, 2))", TN_FLOAT32,
                              shape),
              *b = initialize("random_uniform(-1.224744871391589, 1.224744871391589, seed=1)",
                              TN_FLOAT32, shape);
    CHECK_TENSOR(a, b, 1e-6, 1e-7); /* sqrt(3 / 2) */
}

static void every_float_dtype_is_drawn_in(void **state)
{
    (void)state;
    TN_SCOPE;
    static const tn_dtype dtypes[] = { TN_FLOAT64, TN_FLOAT16, TN_BFLOAT16 };
    for (int i = 0; i < 3; i++) {
        tn_tensor *x = initialize("glorot_uniform(seed=1)", dtypes[i], TN_SHAPE(8, 8));
        assert_int_equal(tn_dtype_of(x), dtypes[i]);
        for (int64_t k = 0; k < 64; k++)
            assert_true(tn__double_at(x, k) >= -0.62 && tn__double_at(x, k) < 0.62);
    }
    assert_null(initialize("glorot_uniform", TN_INT32, TN_SHAPE(2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a random initializer needs a float dtype, got int32");
}

static void orthogonal_matrices_are_so_in_either_form(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *tall = initialize("orthogonal(seed=2)", TN_FLOAT64, TN_SHAPE(2, 3, 4)),
              *wide = initialize("orthogonal(seed=2)", TN_FLOAT64, TN_SHAPE(3, 7));
    tall = tn_reshape(tall, TN_SHAPE(6, 4));
    tn_tensor *four = initialize("identity", TN_FLOAT64, TN_SHAPE(4, 4)),
              *three = initialize("identity", TN_FLOAT64, TN_SHAPE(3, 3));
    CHECK_TENSOR(tn_matmul(tall, tall, .transpose_a = true), four, 1e-12, 1e-12);
    CHECK_TENSOR(tn_matmul(wide, wide, .transpose_b = true), three, 1e-12, 1e-12);
    assert_null(initialize("orthogonal", TN_FLOAT32, TN_SHAPE(3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "must be at least two-dimensional. Received: shape=(3,) of rank 1.");
    assert_null(initialize("identity", TN_FLOAT32, TN_SHAPE(3)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Identity matrix initializer can only be used for 2D matrices.");
}

static void nothing_is_initialized_as_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    for (size_t i = 0; i < COUNT; i++) {
        assert_non_null(initialize(initializer_values[i].text, TN_FLOAT32, TN_SHAPE(0, 3)));
        assert_non_null(initialize(initializer_values[i].text, TN_FLOAT32, TN_SHAPE(3, 0)));
    }
    CHECK_NO_ERROR();
}

static bool make_each(void *self)
{
    (void)self;
    for (size_t i = 0; i < COUNT; i++)
        if (!initialize(initializer_values[i].text, TN_FLOAT32, TN_SHAPE(5, 6)))
            return false;
    return true;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(make_each, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_keras_s_for_the_same_seed),
        cmocka_unit_test(the_same_seed_gives_the_same_and_none_another_each_time),
        cmocka_unit_test(fans_may_be_said),
        cmocka_unit_test(every_float_dtype_is_drawn_in),
        cmocka_unit_test(orthogonal_matrices_are_so_in_either_form),
        cmocka_unit_test(nothing_is_initialized_as_nothing),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
