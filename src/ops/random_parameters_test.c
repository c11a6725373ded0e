/* random_parameters_test.c - literal numbers are TensorFlow's. */
#include "support/check_op.h"
#include "ops/random.h"
#include <math.h>

static tn_tensor *seed_of(int first, int second)
{
    return VALUES(TN_INT32, TN_SHAPE(2), first, second);
}

static void a_seed_gives_tensorflows_sequence(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_set_seed(5);
    tn_tensor *alpha = VALUES(TN_FLOAT32, TN_SHAPE(3), 0.5, 1, 4),
              *beta = VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 1, 2);
    CHECK_VALUES(tn_random_gamma(TN_SHAPE(2), alpha, beta), 1e-6, 4.1443396, 0.7152108, 2.8767536,
                 0.046423316, 0.5959873, 0.38621345);
    tn_tensor *three = VALUES(TN_FLOAT32, TN_SCALAR, 3);
    CHECK_VALUES(tn_random_gamma(TN_SHAPE(2), three, .seed = 1), 1e-6, 0.7772398, 3.381078);
    CHECK_VALUES(tn_random_gamma(TN_SHAPE(2), three, .seed = 1), 1e-6, 1.6715963, 2.0226893);
    CHECK_VALUES(tn_random_poisson(TN_SHAPE(3), VALUES(TN_FLOAT32, TN_SHAPE(2), 2, 30)), 0, 2, 31,
                 1, 26, 3, 24);
    tn_tensor *counts =
        tn_random_poisson(TN_SHAPE(3), VALUES(TN_INT32, TN_SHAPE(2), 2, 30), .dtype = TN_INT64);
    CHECK_TENSOR(counts, VALUES(TN_INT64, TN_SHAPE(3, 2), 4, 39, 0, 26, 1, 18), 0, 0);
    tn_tensor *logits = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 0, 1, 2, 5, 0, 0);
    CHECK_TENSOR(tn_random_categorical(logits, 5),
                 VALUES(TN_INT64, TN_SHAPE(2, 5), 2, 2, 1, 1, 1, 0, 0, 0, 0, 0), 0, 0);
    tn_tensor *row = tn_rows(logits, 0, 1);
    for (int i = 0; i < 2; i++)
        CHECK_TENSOR(tn_random_categorical(row, 5, .dtype = TN_INT32, .seed = 3),
                     i ? VALUES(TN_INT32, TN_SHAPE(1, 5), 2, 1, 1, 2, 1)
                       : VALUES(TN_INT32, TN_SHAPE(1, 5), 1, 2, 2, 2, 2),
                     0, 0);
}

static void stateless_numbers_are_a_function_of_the_seed(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *seed = seed_of(1, 2);
    CHECK_VALUES(tn_random_stateless_gamma(TN_SHAPE(2, 3), seed,
                                           VALUES(TN_FLOAT32, TN_SHAPE(3), 0.5, 1, 4),
                                           VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 1, 2)),
                 1e-6, 0.066953614, 1.7193093, 5.955269, 0.02379496, 0.11497417, 1.7045753);
    CHECK_TENSOR(
        tn_random_stateless_gamma(TN_SHAPE(2, 2), seed, VALUES(TN_FLOAT64, TN_SHAPE(2), 0.5, 4)),
        VALUES(TN_FLOAT64, TN_SHAPE(2, 2), 0.066953614, 5.955268965, 0.628235446, 4.459336376),
        1e-8, 0);
    CHECK_TENSOR(
        tn_random_stateless_gamma(TN_SHAPE(2, 2), seed, VALUES(TN_FLOAT16, TN_SHAPE(2), 0.5, 4)),
        VALUES(TN_FLOAT16, TN_SHAPE(2, 2), 0.06696, 5.957, 0.6284, 4.46), 0, 0);
    CHECK_TENSOR(tn_random_stateless_poisson(TN_SHAPE(2, 2), seed,
                                             VALUES(TN_FLOAT32, TN_SHAPE(2), 1.5, 40),
                                             .dtype = TN_FLOAT16),
                 VALUES(TN_FLOAT16, TN_SHAPE(2, 2), 3, 49, 4, 57), 0, 0);
    CHECK_TENSOR(tn_random_stateless_binomial(TN_SHAPE(2, 2, 3), seed,
                                              VALUES(TN_FLOAT32, TN_SHAPE(2, 1), 3, 40),
                                              VALUES(TN_FLOAT32, TN_SHAPE(3), 0.4, 0.5, 0.6)),
                 VALUES(TN_INT32, TN_SHAPE(2, 2, 3), 3, 2, 0, 16, 16, 24, 1, 2, 1, 16, 22, 26), 0,
                 0);
    CHECK_TENSOR(
        tn_random_stateless_categorical(VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 0, 1, 2, 5, 0, 0), 5,
                                        seed, .dtype = TN_INT32),
        VALUES(TN_INT32, TN_SHAPE(2, 5), 2, 2, 1, 2, 2, 0, 0, 0, 0, 0), 0, 0);
    CHECK_VALUES(tn_nn_stateless_dropout(tn_ones(TN_SHAPE(4, 3), TN_FLOAT32), 0.5, seed,
                                         .noise_shape = TN_SHAPE(4, 1)),
                 0, 2, 2, 2, 0, 0, 0, 2, 2, 2, 0, 0, 0);
}

static void gamma_without_a_meaning_ends(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *seed = seed_of(1, 2);
    CHECK_VALUES(
        tn_random_stateless_gamma(TN_SHAPE(2), seed, VALUES(TN_FLOAT32, TN_SHAPE(2), 0, -1)), 0,
        0x1p-126, (double)NAN);
    CHECK_VALUES(TN__APPLY(tn__op_RandomGammaGrad, NULL, VALUES(TN_FLOAT64, TN_SHAPE(3), -1, 1, 1),
                           VALUES(TN_FLOAT64, TN_SHAPE(3), 1, -1, (double)INFINITY)),
                 0, (double)NAN, (double)NAN, (double)NAN);
}

static void a_gamma_number_moves_with_its_parameters(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(TN__APPLY(tn__op_RandomGammaGrad, NULL,
                           VALUES(TN_FLOAT64, TN_SHAPE(9), 0.1, 0.5, 1, 1, 5, 5, 100, 100, 3),
                           VALUES(TN_FLOAT64, TN_SHAPE(9), 0.001, 2, 0.5, 9, 4, 12, 90, 130, 0)),
                 1e-8, 0.064907247, 2.511889376, 0.806979117, 2.875302198, 0.922726134, 1.550836377,
                 0.94982595, 1.138804446, 0);
    tn_tape *tape = tn_gradient_tape();
    tn_tensor *alpha = VALUES(TN_FLOAT32, TN_SHAPE(3), 0.5, 2, 20),
              *beta = VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3);
    tn_watch(tape, alpha);
    tn_watch(tape, beta);
    tn_tensor *y = tn_random_stateless_gamma(TN_SHAPE(2, 3), seed_of(7, 8), alpha, beta);
    tn_list slopes = tn_gradient(tape, tn_reduce_sum(y), TN_LIST(alpha, beta));
    CHECK_VALUES(tn_at(slopes, 0), 2e-6, 1.3238901, 1.1176103, 0.5844042);
    CHECK_VALUES(tn_at(slopes, 1), 2e-6, -0.48924273, -1.1938839, -3.4038372);
    tn_set_seed(3);
    alpha = VALUES(TN_FLOAT32, TN_SHAPE(2), 0.5, 2);
    tape = tn_gradient_tape();
    tn_watch(tape, alpha);
    y = tn_reduce_sum(tn_random_gamma(TN_SHAPE(3), alpha));
    CHECK_VALUES(tn_gradient_of(tape, y, alpha), 2e-6, 0.2808955, 3.4649525);
}

static tn_tensor *draw_all(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *alpha = tn_at(inputs, 0), *logits = tn_at(inputs, 1), *seed = tn_at(inputs, 2);
    tn_tensor *a = tn_random_stateless_gamma(TN_SHAPE(2, 3), seed, alpha);
    tn_tensor *b = tn_random_stateless_poisson(TN_SHAPE(2, 3), seed, alpha);
    tn_tensor *c = tn_random_stateless_binomial(TN_SHAPE(2, 3), seed, alpha, alpha);
    return tn_tuple(a, b, c, tn_random_stateless_categorical(logits, 3, seed),
                    tn_random_stateless_shuffle(logits, seed), tn_random_split(seed, 2),
                    tn_random_fold_in(seed, tn_zeros(TN_SCALAR, TN_INT64)));
}

static void a_trace_and_a_call_give_the_same(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OP(.body = draw_all,
             .inputs = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3),
                               check_numbers(TN_SHAPE(4, 2), -1, 1, 1), seed_of(3, 4)),
             .constant = 5, .batched = 2, .skip = SKIP_GRADIENT | SKIP_SECOND_ORDER | SKIP_DTYPES);
}

static void wrong_arguments_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *seed = seed_of(1, 2), *two = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 2);
    assert_null(tn_random_categorical(two, 3));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "logits should be a matrix, got shape [2]");
    assert_null(tn_random_categorical(tn_zeros(TN_SHAPE(1, 2), TN_FLOAT32), -1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "num_samples should be non-negative, got -1");
    assert_null(tn_random_categorical(tn_zeros(TN_SHAPE(1, 0), TN_FLOAT32), 3));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "num_classes should be positive, got 0");
    assert_null(tn_random_stateless_gamma(TN_SHAPE(4, 3), seed, two));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Shape passed in must end with broadcasted shape.");
    assert_null(tn_random_stateless_poisson(TN_SHAPE(4, 3), seed, two));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Shape passed in must end with broadcasted shape.");
    assert_null(
        tn_random_stateless_binomial(TN_SHAPE(4, 3), seed, tn_zeros(TN_SHAPE(3), TN_FLOAT32), two));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "counts and probs must have compatible batch dimensions: [3] vs. [2]");
    assert_null(tn_random_stateless_poisson(TN_SHAPE(2), tn_ones(TN_SHAPE(3), TN_INT32), two));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "seed must have shape [2], not [3]");
    assert_null(tn_nn_stateless_dropout(two, 1.5, seed));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`rate` must be a scalar tensor or a float in the range [0, 1). "
                "Received: rate=1.5");
    assert_null(tn_nn_stateless_dropout(seed, 0.5, seed));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`x.dtype` must be a floating point tensor");
    assert_null(tn_random_stateless_gamma(.seed = seed, .alpha = two));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_random_stateless_gamma: shape must be given");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_tensorflows_sequence),
        cmocka_unit_test(stateless_numbers_are_a_function_of_the_seed),
        cmocka_unit_test(gamma_without_a_meaning_ends),
        cmocka_unit_test(a_gamma_number_moves_with_its_parameters),
        cmocka_unit_test(a_trace_and_a_call_give_the_same),
        cmocka_unit_test(wrong_arguments_are_refused_in_tensorflows_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
