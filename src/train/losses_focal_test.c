#include "support/check_op.h"

/* Numbers from Keras 3.15 over TensorFlow 2.21. */
#define ROWS(...) VALUES(TN_FLOAT32, TN_SHAPE(2, 3), __VA_ARGS__)
static tn_tensor *logits(void)
{
    return ROWS(0.3, 0.4, 0.6, -0.7, 1, 2);
}
static tn_tensor *shares(void)
{
    return ROWS(0.3, 0.4, 0.6, 0.7, 1, 0.2);
}
static tn_tensor *flags(void)
{
    return ROWS(0, 1, 1, 1, 0, 0);
}
static tn_tensor *one_hot(void)
{
    return ROWS(0, 0, 1, 0, 1, 0);
}

static void binary_values_are_keras_s(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_call(tn_binary_focal_crossentropy(.reduction = NULL), flags(), shares()), 2e-6,
                 0.14789915, 5.3278036);
    CHECK_VALUES(
        tn_call(tn_binary_focal_crossentropy(true, 0.4, 1.5, .reduction = NULL), flags(), shares()),
        2e-6, 0.08573264, 3.2002833);
    tn_loss *of_logits = tn_binary_focal_crossentropy(.from_logits = true, .label_smoothing = 0.1,
                                                      .reduction = NULL);
    CHECK_VALUES(tn_call(of_logits, flags(), logits()), 2e-6, 0.14119369, 0.8419412);
}

static void categorical_values_are_keras_s(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_call(tn_categorical_focal_crossentropy(.reduction = NULL), one_hot(), shares()),
                 2e-6, 0.05604484, 0.03600428);
    tn_loss *of_logits = tn_categorical_focal_crossentropy(
        0.5, 1, .from_logits = true, .label_smoothing = 0.1, .reduction = NULL);
    CHECK_VALUES(tn_call(of_logits, one_hot(), logits()), 2e-6, 0.2948378, 0.52285296);
}

static tn_tensor *call_body(void *self, tn_list inputs)
{
    return tn_call_list((tn_loss *)self, inputs);
}

static void check_gradient(tn_loss *loss, tn_tensor *y_true, tn_tensor *y_pred)
{
    CHECK_OP(.body = call_body, .self = loss, .inputs = TN_LIST(y_true, y_pred), .batched = 3,
             .skip = SKIP_UNKNOWN_RANK);
}

static void gradients_are_those_of_finite_differences_in_any_mode(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *y = check_numbers(TN_SHAPE(3, 4), -2, 2, 2);
    tn_tensor *p = check_numbers(TN_SHAPE(3, 4), 0.1, 0.9, 3),
              *q = check_numbers(TN_SHAPE(3, 4), 0.1, 0.9, 4);
    check_gradient(tn_binary_focal_crossentropy(true, .reduction = NULL, .dtype = TN_FLOAT64), p,
                   q);
    check_gradient(
        tn_binary_focal_crossentropy(.from_logits = true, .reduction = NULL, .dtype = TN_FLOAT64),
        p, y);
    check_gradient(tn_categorical_focal_crossentropy(.reduction = NULL, .dtype = TN_FLOAT64), p, q);
    check_gradient(tn_categorical_focal_crossentropy(.from_logits = true, .reduction = NULL,
                                                     .dtype = TN_FLOAT64),
                   p, y);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_values_are_keras_s),
        cmocka_unit_test(categorical_values_are_keras_s),
        cmocka_unit_test(gradients_are_those_of_finite_differences_in_any_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
