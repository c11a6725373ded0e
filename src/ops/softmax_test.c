/* softmax_test.c - probabilities and losses against TensorFlow's numbers and differences. */
#include "support/check_op.h"
#include "ops/testdata/nn_support.h"
#include <math.h>

static tn_tensor *labels(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 0.2, 0.5, 0.3, 0, 1, 0);
}

static void softmax_agrees_with_tensorflow_along_any_axis(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = image(TN_SHAPE(2, 3));
    CHECK_CASE(tn_nn_softmax(x, -1), softmax_y);
    CHECK_CASE(tn_nn_softmax(x, 1), softmax_y);
    CHECK_CASE(tn_nn_softmax(x, 0), softmax_axis0_y);
    CHECK_CASE(tn_nn_softmax(x, -2), softmax_axis0_y);
    CHECK_CASE(tn_nn_log_softmax(x, -1), log_softmax_y);
    CHECK_CASE(tn_nn_log_softmax(x, 0), log_softmax_axis0_y);
}

static void softmax_holds_in_every_mode(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_cast(check_numbers(TN_SHAPE(2, 3, 4), -3, 3, 1), TN_FLOAT32);
    CHECK_OP(.op = &tn__op_Softmax, .inputs = TN_LIST(x));
    CHECK_OP(.op = &tn__op_LogSoftmax, .inputs = TN_LIST(x));
}

/* What TensorFlow has for infinities and NaN. */
static void rows_without_a_largest_finite_logit_are_nan(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(4, 3), INFINITY, 0, 1, -INFINITY, -INFINITY,
                          -INFINITY, NAN, 0, 1, -INFINITY, 0, 0);
    CHECK_VALUES(tn_nn_softmax(x, -1), 1e-6, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0, 0.5,
                 0.5);
    CHECK_VALUES(tn_nn_log_softmax(x, -1), 1e-6, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN,
                 -INFINITY, -M_LN2, -M_LN2);
    tn_tensor *large = VALUES(TN_FLOAT32, TN_SHAPE(1, 2), 1e30, 1e30);
    CHECK_VALUES(tn_nn_softmax(large, -1), 0, 0.5, 0.5);
    assert_string_equal(tn_shape_text(tn_nn_softmax(zeros(TN_SHAPE(2, 0)), -1)), "(2, 0)");
}

static void the_dense_loss_agrees_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = image(TN_SHAPE(2, 3));
    tn_list both = tn__apply_list(&tn__op_SoftmaxCrossEntropyWithLogits, NULL,
                                  (tn_tensor *[]){ x, labels() }, 2, 2);
    CHECK_CASE(tn_at(both, 0), dense_loss);
    CHECK_CASE(tn_at(both, 1), dense_backprop);
    CHECK_CASE(tn_nn_softmax_cross_entropy_with_logits(labels(), x), dense_loss);
}

static void the_sparse_loss_agrees_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = image(TN_SHAPE(2, 3)), *which = VALUES(TN_INT64, TN_SHAPE(2), 2, 0);
    tn_list both = tn__apply_list(&tn__op_SparseSoftmaxCrossEntropyWithLogits, NULL,
                                  (tn_tensor *[]){ x, which }, 2, 2);
    CHECK_CASE(tn_at(both, 0), sparse_loss);
    CHECK_CASE(tn_at(both, 1), sparse_backprop);
    CHECK_CASE(tn_nn_sparse_softmax_cross_entropy_with_logits(tn_cast(which, TN_INT32), x),
               sparse_loss);
}

static void losses_hold_in_every_mode(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_cast(check_numbers(TN_SHAPE(2, 3), -3, 3, 1), TN_FLOAT32);
    tn_tensor *row = VALUES(TN_FLOAT32, TN_SHAPE(1, 3), 0.2, 0.5, 0.3);
    tn_tensor *which = VALUES(TN_INT32, TN_SHAPE(2), 2, 0);
    CHECK_OP(.op = &tn__op_SoftmaxCrossEntropyWithLogits, .inputs = TN_LIST(x, labels()));
    CHECK_OP(.op = &tn__op_SoftmaxCrossEntropyWithLogits, .inputs = TN_LIST(x, row), .batched = 1,
             .skip = SKIP_EMPTY);
    CHECK_OP(.op = &tn__op_SparseSoftmaxCrossEntropyWithLogits, .inputs = TN_LIST(x, which),
             .batched = 1 | 2);
}

static tn_tensor *dense(void *self, tn_list inputs)
{
    (void)self;
    return tn_nn_softmax_cross_entropy_with_logits(tn_at(inputs, 1), tn_at(inputs, 0));
}

static tn_tensor *sparse(void *self, tn_list inputs)
{
    (void)self;
    return tn_nn_sparse_softmax_cross_entropy_with_logits(tn_at(inputs, 1), tn_at(inputs, 0));
}

static tn_tensor *sigmoid(void *self, tn_list inputs)
{
    (void)self;
    return tn_nn_sigmoid_cross_entropy_with_logits(tn_at(inputs, 1), tn_at(inputs, 0));
}

static void losses_of_more_axes_have_the_shape_without_the_classes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = check_numbers(TN_SHAPE(2, 2, 3), -3, 3, 1);
    tn_tensor *z = tn_nn_softmax(check_numbers(TN_SHAPE(2, 2, 3), -1, 1, 2), -1);
    tn_tensor *which = VALUES(TN_INT64, TN_SHAPE(2, 2), 2, 0, 1, 1);
    assert_string_equal(tn_shape_text(tn_nn_softmax_cross_entropy_with_logits(z, x)), "(2, 2)");
    CHECK_OP(.body = dense, .inputs = TN_LIST(x, z));
    CHECK_OP(.body = sparse, .inputs = TN_LIST(x, which), .batched = 1 | 2);
    CHECK_OP(.body = sigmoid, .inputs = TN_LIST(x, z), .dtypes = TN__FLOATS);
    tn_tensor *one = tn_nn_sparse_softmax_cross_entropy_with_logits(VALUES(TN_INT32, TN_SCALAR, 1),
                                                                    zeros(TN_SHAPE(4)));
    CHECK_VALUES(one, 1e-6, 1.3862943649);
    assert_string_equal(tn_shape_text(one), "()");
}

static void half_precision_logits_have_a_loss_computed_in_float32(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_cast(image(TN_SHAPE(2, 3)), TN_BFLOAT16);
    tn_tensor *loss = tn_nn_softmax_cross_entropy_with_logits(labels(), x);
    assert_int_equal(tn_dtype_of(loss), TN_BFLOAT16);
    check_values(tn_cast(loss, TN_FLOAT32), dense_loss, 2, 4e-3, __FILE__, __LINE__);
}

static void the_sigmoid_loss_agrees_with_tensorflow_at_zero_too(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_CASE(tn_nn_sigmoid_cross_entropy_with_logits(labels(), image(TN_SHAPE(2, 3))),
               sigmoid_loss);
    tn_tensor *x = zeros(TN_SHAPE(3)), *z = VALUES(TN_FLOAT32, TN_SHAPE(3), 0, 1, 0.25);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *loss = tn_nn_sigmoid_cross_entropy_with_logits(z, x);
    CHECK_VALUES(tn_gradient_of(tape, loss, x), 1e-6, 0.5, -0.5, 0.25);
    tn_tensor *far = VALUES(TN_FLOAT32, TN_SHAPE(3), 200, -200, 0);
    CHECK_VALUES(tn_nn_sigmoid_cross_entropy_with_logits(z, far), 1e-6, 200, 200, M_LN2);
}

static void wrong_labels_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = zeros(TN_SHAPE(2, 4));
    REFUSED(tn_nn_sparse_softmax_cross_entropy_with_logits(VALUES(TN_INT32, TN_SHAPE(2), 0, 7), x),
            "Received a label value of 7 which is outside the valid range of [0, 4).  Label "
            "values: 0 7");
    REFUSED(tn_nn_sparse_softmax_cross_entropy_with_logits(VALUES(TN_INT64, TN_SHAPE(2), 0, -1), x),
            "Received a label value of -1 which is outside the valid range of [0, 4).  Label "
            "values: 0 -1");
    REFUSED(
        tn_nn_sparse_softmax_cross_entropy_with_logits(VALUES(TN_INT32, TN_SHAPE(1, 2), 0, 1), x),
        "`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: labels.shape=(1, 2) of "
        "rank 2 and logits.shape=(2, 4) of rank 2");
    REFUSED(
        tn_nn_sparse_softmax_cross_entropy_with_logits(VALUES(TN_INT32, TN_SHAPE(3), 0, 1, 1), x),
        "`labels.shape` must equal `logits.shape` except for the last dimension. Received: "
        "labels.shape=(3,) and logits.shape=(2, 4)");
    REFUSED(tn_nn_sparse_softmax_cross_entropy_with_logits(zeros(TN_SHAPE(2)), x),
            "Value for attr 'Tlabels' of float");
    REFUSED(tn_nn_softmax_cross_entropy_with_logits(x, zeros(TN_SHAPE(2, 3))),
            "logits and labels must be broadcastable: logits_size=[2,3] labels_size=[2,4]");
    REFUSED(tn_nn_sigmoid_cross_entropy_with_logits(x, zeros(TN_SHAPE(2, 3))),
            "`logits` and `labels` must have the same shape, received ((2, 3) vs (2, 4)).");
    REFUSED(tn_nn_softmax(x, 2), "`dim` must be in the range [-2, 2) where 2 is the number of "
                                 "dimensions in the input. Received: dim=2");
    REFUSED(tn_nn_softmax(zeros(TN_SCALAR), -1), "logits must have >= 1 dimension, got []");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_agrees_with_tensorflow_along_any_axis),
        cmocka_unit_test(softmax_holds_in_every_mode),
        cmocka_unit_test(rows_without_a_largest_finite_logit_are_nan),
        cmocka_unit_test(the_dense_loss_agrees_with_tensorflow),
        cmocka_unit_test(the_sparse_loss_agrees_with_tensorflow),
        cmocka_unit_test(losses_hold_in_every_mode),
        cmocka_unit_test(losses_of_more_axes_have_the_shape_without_the_classes),
        cmocka_unit_test(half_precision_logits_have_a_loss_computed_in_float32),
        cmocka_unit_test(the_sigmoid_loss_agrees_with_tensorflow_at_zero_too),
        cmocka_unit_test(wrong_labels_are_refused_in_tensorflows_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
