/* batch_norm_test.c - batch normalisation against TensorFlow's numbers and differences. */
#include "support/check_op.h"
#include "ops/testdata/nn_support.h"
#include <math.h>

static tn_list recorded(tn_tensor *x, tn_tensor *scale, tn_tensor *offset, bool training)
{
    return tn_nn_fused_batch_norm(x, scale, offset, VALUES(TN_FLOAT32, TN_SHAPE(2), 0.5, 1),
                                  VALUES(TN_FLOAT32, TN_SHAPE(2), 2, 3), .is_training = training,
                                  .exponential_avg_factor = 0.1);
}

/* y, the averages and the gradients of one recorded call. */
#define CHECK_NORM(training, name)                                             \
    do {                                                                       \
        tn_tensor *x = image(TN_SHAPE(2, 2, 2, 2));                            \
        tn_tensor *scale = VALUES(TN_FLOAT32, TN_SHAPE(2), 1.5, -0.5);         \
        tn_tensor *offset = VALUES(TN_FLOAT32, TN_SHAPE(2), 0.25, 1);          \
        tn_tape *tape = tn_gradient_tape();                                    \
        tn_watch(tape, x), tn_watch(tape, scale), tn_watch(tape, offset);      \
        tn_list all = recorded(x, scale, offset, (training));                  \
        CHECK_CASE(tn_at(all, 0), name##_y);                                   \
        CHECK_CASE(tn_at(all, 1), name##_mean);                                \
        CHECK_CASE(tn_at(all, 2), name##_variance);                            \
        tn_tensor *sum = tn_multiply(tn_at(all, 0), cotangent(tn_at(all, 0))); \
        tn_list found = tn_gradient(tape, sum, TN_LIST(x, scale, offset));     \
        CHECK_CASE(tn_at(found, 0), name##_dx);                                \
        CHECK_CASE(tn_at(found, 1), name##_dscale);                            \
        CHECK_CASE(tn_at(found, 2), name##_doffset);                           \
    } while (0)

static void training_agrees_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_NORM(true, norm_training);
}

static void given_averages_agree_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_NORM(false, norm_given);
}

typedef struct {
    bool training;
    const char *data_format;
} kind;

/* y only: of the averages there is no gradient, in TensorFlow too. */
static tn_tensor *body(void *self, tn_list in)
{
    const kind *k = self;
    tn_list all = tn_nn_fused_batch_norm(tn_at(in, 0), tn_at(in, 1), tn_at(in, 2),
                                         tn_stop_gradient(tn_at(in, 3)),
                                         tn_stop_gradient(tn_at(in, 4)), .epsilon = 0.01,
                                         .data_format = k->data_format, .is_training = k->training);
    return tn_at(all, 0);
}

static void check_kind(kind k, tn_shape shape, int64_t channels)
{
    tn_tensor *x = check_numbers(shape, -2, 2, 1),
              *scale = check_numbers(TN_SHAPE(channels), 0.5, 2, 2);
    tn_tensor *offset = check_numbers(TN_SHAPE(channels), -1, 1, 3);
    tn_tensor *mean = check_numbers(TN_SHAPE(channels), -1, 1, 4);
    tn_tensor *variance = check_numbers(TN_SHAPE(channels), 0.5, 2, 5);
    CHECK_OP(.body = body, .self = &k, .inputs = TN_LIST(x, scale, offset, mean, variance),
             .constant = 8 | 16, .batched = 1, .gradient_tolerance = 1e-4);
}

static void every_mode_and_derivative_holds(void **state)
{
    (void)state;
    TN_SCOPE;
    check_kind((kind){ true, "NHWC" }, TN_SHAPE(2, 2, 3, 2), 2);
    check_kind((kind){ false, "NHWC" }, TN_SHAPE(2, 2, 3, 2), 2);
    check_kind((kind){ true, "NCHW" }, TN_SHAPE(2, 3, 2, 2), 3);
    check_kind((kind){ false, "NCHW" }, TN_SHAPE(2, 3, 2, 2), 3);
    check_kind((kind){ true, "NDHWC" }, TN_SHAPE(2, 1, 2, 2, 2), 2);
}

static void half_precision_images_keep_float32_statistics(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_cast(image(TN_SHAPE(2, 2, 2, 2)), TN_FLOAT16);
    tn_list all = recorded(x, VALUES(TN_FLOAT32, TN_SHAPE(2), 1.5, -0.5),
                           VALUES(TN_FLOAT32, TN_SHAPE(2), 0.25, 1), true);
    assert_int_equal(tn_dtype_of(tn_at(all, 0)), TN_FLOAT16);
    assert_int_equal(tn_dtype_of(tn_at(all, 1)), TN_FLOAT32);
    check_values(tn_cast(tn_at(all, 0), TN_FLOAT32), norm_training_y, COUNT(norm_training_y), 1e-3,
                 __FILE__, __LINE__);
    CHECK_CASE(tn_at(all, 1), norm_training_mean);
}

static void without_averages_the_batchs_own_come_back(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(1, 2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7);
    tn_list all = tn_nn_fused_batch_norm(x, tn_ones(TN_SHAPE(2), TN_FLOAT32), zeros(TN_SHAPE(2)));
    CHECK_VALUES(tn_at(all, 1), 0, 3, 4);
    CHECK_VALUES(tn_at(all, 2), 1e-6, 20 / 3.0, 20 / 3.0);
    tn_list none = tn_nn_fused_batch_norm(zeros(TN_SHAPE(0, 2, 2, 2)),
                                          tn_ones(TN_SHAPE(2), TN_FLOAT32), zeros(TN_SHAPE(2)));
    CHECK_VALUES(tn_at(none, 1), 0, NAN, NAN);
}

static void wrong_shapes_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = zeros(TN_SHAPE(1, 2, 2, 2)), *two = zeros(TN_SHAPE(2)),
              *three = zeros(TN_SHAPE(3));
    REFUSED(tn_nn_fused_batch_norm(zeros(TN_SHAPE(2, 2)), two, two).item,
            "input must be 4 or 5-dimensional[2,2]");
    REFUSED(tn_nn_fused_batch_norm(x, three, two).item,
            "scale must have the same number of elements as the channels of x, got 3 and 2");
    REFUSED(tn_nn_fused_batch_norm(x, x, two).item, "scale must be 1-dimensional[1,2,2,2]");
    REFUSED(tn_nn_fused_batch_norm(x, two, two, .is_training = false).item,
            "When is_training=false, mean must have the same number of elements as the channels of "
            "x, got 0 and 2");
    REFUSED(tn_nn_fused_batch_norm(x, two, two, .exponential_avg_factor = 0.5).item,
            "When exponential_avg_factor != 1, mean must have the same number of elements");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_agrees_with_tensorflow),
        cmocka_unit_test(given_averages_agree_with_tensorflow),
        cmocka_unit_test(every_mode_and_derivative_holds),
        cmocka_unit_test(half_precision_images_keep_float32_statistics),
        cmocka_unit_test(without_averages_the_batchs_own_come_back),
        cmocka_unit_test(wrong_shapes_are_refused_in_tensorflows_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
