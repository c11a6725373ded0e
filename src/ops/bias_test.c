/* bias_test.c - a number for each channel. */
#include "support/check_op.h"
#include "ops/testdata/nn_support.h"

static const char *last = "NHWC", *first = "NCHW"; /* the op's one attribute */

static void each_channel_gets_its_number(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    CHECK_VALUES(tn_nn_bias_add(x, VALUES(TN_FLOAT32, TN_SHAPE(3), 10, 20, 30)), 0, 11, 22, 33, 14,
                 25, 36);
    tn_tensor *y = VALUES(TN_INT32, TN_SHAPE(1, 2, 2), 1, 2, 3, 4);
    tn_tensor *b = VALUES(TN_INT32, TN_SHAPE(2), 10, 20);
    CHECK_VALUES(tn_nn_bias_add(y, b, .data_format = "NCW"), 0, 11, 12, 23, 24);
    CHECK_VALUES(tn_nn_bias_add(y, b, .data_format = "NWC"), 0, 11, 22, 13, 24);
}

static void every_mode_and_derivative_holds(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = image(TN_SHAPE(2, 3, 2, 4));
    CHECK_OP(.op = &tn__op_BiasAdd, .attrs = &last, .inputs = TN_LIST(x, image(TN_SHAPE(4))),
             .batched = 1);
    CHECK_OP(.op = &tn__op_BiasAdd, .attrs = &first, .inputs = TN_LIST(x, image(TN_SHAPE(3))),
             .batched = 1);
    CHECK_OP(.op = &tn__op_BiasAddGrad, .attrs = &last, .inputs = TN_LIST(x));
    CHECK_OP(.op = &tn__op_BiasAddGrad, .attrs = &first, .inputs = TN_LIST(x));
    CHECK_OP(.op = &tn__op_BiasAddGrad, .attrs = &first, .inputs = TN_LIST(image(TN_SHAPE(3, 2))));
}

static void sums_of_whole_numbers_wrap(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_UINT8, TN_SHAPE(2, 3), 200, 200, 200, 200, 200, 200);
    CHECK_VALUES(TN__APPLY(tn__op_BiasAddGrad, &last, x), 0, 144, 144, 144);
}

static void wrong_biases_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = zeros(TN_SHAPE(2, 3));
    REFUSED(tn_nn_bias_add(zeros(TN_SHAPE(3)), zeros(TN_SHAPE(3))),
            "Input tensor must be at least 2D: [3]");
    REFUSED(tn_nn_bias_add(x, zeros(TN_SHAPE(3, 1))), "Biases must be 1D: [3,1]");
    REFUSED(tn_nn_bias_add(x, zeros(TN_SHAPE(2))),
            "Must provide as many biases as the last dimension of the input tensor: [2] vs. [2,3]");
    REFUSED(tn_nn_bias_add(x, zeros(TN_SHAPE(3)), .data_format = "NXYZ"),
            "`data_format` must be of the form `N...C` or `NC...`. Received: data_format=NXYZ");
    REFUSED(TN__APPLY(tn__op_BiasAddGrad, &last, zeros(TN_SHAPE(3))),
            "Input tensor must be at least 2D: [3]");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_channel_gets_its_number),
        cmocka_unit_test(every_mode_and_derivative_holds),
        cmocka_unit_test(sums_of_whole_numbers_wrap),
        cmocka_unit_test(wrong_biases_are_refused_in_tensorflows_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
