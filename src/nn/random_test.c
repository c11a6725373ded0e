/* random_test.c - literal numbers are Keras's. */
#include "support/check_op.h"

static void a_seed_gives_kerass_numbers(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *alpha = VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3);
    CHECK_VALUES(tn_keras_random_beta(TN_SHAPE(2, 3), alpha, tn_scalar(2.0), .seed = 4), 1e-6,
                 0.12648635, 0.3684089, 0.5035115, 0.21099558, 0.5696452, 0.113193564);
    CHECK_TENSOR(tn_keras_random_beta(TN_SHAPE(3), tn_scalar(2.0), tn_scalar(2.0), .seed = 4,
                                      .dtype = TN_BFLOAT16),
                 VALUES(TN_BFLOAT16, TN_SHAPE(3), 0.34765625, 0.3671875, 0.328125), 0, 0);
    CHECK_TENSOR(tn_keras_random_binomial(TN_SHAPE(3), .counts = tn_scalar(5),
                                          .probabilities = tn_scalar(0.5), .seed = 4,
                                          .dtype = TN_BFLOAT16),
                 VALUES(TN_BFLOAT16, TN_SHAPE(3), 3, 3, 1), 0, 0);
    CHECK_VALUES(tn_keras_random_gamma(TN_SHAPE(2, 3), tn_cast(alpha, TN_FLOAT64), .seed = 4,
                                       .dtype = TN_FLOAT64),
                 1e-8, 0.358289138, 0.579812515, 0.855424637, 3.952243127, 1.97748723, 0.169177775);
    CHECK_TENSOR(tn_keras_random_randint(TN_SHAPE(6), 0, 200, .seed = 4, .dtype = TN_UINT8),
                 VALUES(TN_UINT8, TN_SHAPE(6), 127, 76, 168, 12, 176, 20), 0, 0);
    tn_tensor *x = VALUES(TN_INT32, TN_SHAPE(2, 5), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    CHECK_TENSOR(tn_keras_random_shuffle(x, -1, .seed = 4),
                 VALUES(TN_INT32, TN_SHAPE(2, 5), 2, 4, 0, 3, 1, 7, 9, 5, 8, 6), 0, 0);
    tn_tensor *ones = tn_ones(TN_SHAPE(2, 6), TN_FLOAT32);
    CHECK_VALUES(tn_keras_random_dropout(ones, 0.5, .noise_shape = TN_SHAPE(TN_NONE, 1), .seed = 4),
                 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2);
    assert_ptr_equal(tn_keras_random_dropout(ones, 0), ones);
    CHECK_VALUES(tn_reduce_sum(tn_keras_random_dropout(ones, 1)), 0, 0);
}

static tn_tensor *draw(void *self, tn_list inputs)
{
    (void)self, (void)inputs;
    return tn_keras_random_uniform(TN_SHAPE(2));
}

static void without_a_seed_the_global_generator_goes_on(void **state)
{
    (void)state;
    TN_SCOPE;
    const tn_list none = { 0, (tn_tensor *[]){ NULL } };
    tn_set_random_seed(3);
    CHECK_VALUES(draw(NULL, none), 1e-7, 0.49793148, 0.015926838);
    CHECK_VALUES(draw(NULL, none), 1e-7, 0.44196475, 0.90566313);
    tn_function *traced = tn_function(draw, NULL);
    CHECK_VALUES(tn_call_list(traced, none), 1e-7, 0.8024403, 0.89449215);
    CHECK_VALUES(tn_call_list(traced, none), 1e-7, 0.58307946, 0.43268597);
    CHECK_VALUES(draw(NULL, none), 1e-7, 0.6827043, 0.27433157);
    tn_set_random_seed(3);
    CHECK_VALUES(draw(NULL, none), 1e-7, 0.49793148, 0.015926838);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(2, 6), TN_FLOAT32);
    assert_null(tn_keras_random_uniform(TN_SHAPE(2), .dtype = TN_INT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`dtype` must be a floating point dtype. Received: dtype=int32");
    assert_null(tn_keras_random_randint(TN_SHAPE(2), 0, 3, .dtype = TN_FLOAT32));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`keras.random.randint` requires an integer `dtype`. Received: dtype=float32 ");
    assert_null(tn_keras_random_shuffle(x, 2));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_keras_random_shuffle: float32 (2, 6) has no axis 2");
    assert_null(tn_keras_random_dropout(x, 2));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Received: rate=2");
    assert_null(tn_keras_random_normal(.seed = 3));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_keras_random_normal: shape must be given");
    assert_null(tn_keras_random_gamma(TN_SHAPE(2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_keras_random_gamma: alpha");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_kerass_numbers),
        cmocka_unit_test(without_a_seed_the_global_generator_goes_on),
        cmocka_unit_test(wrong_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
