#include "support/check_op.h"
#include "nn/config.h"
#include "train/loss.h"

/* Numbers from Keras 3.15 over TensorFlow 2.21. */
#define ROWS(...) VALUES(TN_FLOAT32, TN_SHAPE(2, 3), __VA_ARGS__)
static tn_tensor *shares(void)
{
    return ROWS(0.3, 0.4, 0.6, 0.7, 1, 0.2);
}
static tn_tensor *flags(void)
{
    return ROWS(0, 1, 1, 1, 0, 0);
}

static void regions_are_compared_as_a_whole_or_along_axes(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_VALUES(tn_call(tn_dice(), flags(), shares()), 1e-6, 0.4516129);
    CHECK_VALUES(tn_call(tn_dice(.axis = TN_AXES(1), .reduction = NULL), flags(), shares()), 1e-6,
                 0.39393944, 0.51724136);
    CHECK_VALUES(tn_call(tn_dice(.axis = 1, .reduction = NULL), flags(), shares()), 1e-6,
                 0.39393944, 0.51724136);
    CHECK_VALUES(tn_call(tn_tversky(), flags(), shares()), 1e-6, 0.4516129);
    CHECK_VALUES(
        tn_call(tn_tversky(0.3, 0.7, .axis = TN_AXES(1), .reduction = NULL), flags(), shares()),
        1e-6, 0.3377484, 0.5705522);
}

static tn_tensor *points(void)
{
    return VALUES(TN_FLOAT32, TN_SHAPE(4, 2), 1, 0, 0.6, 0.8, 0, 1, 0.8, 0.6);
}

static void check_circle(tn_loss *loss, double a, double b, double c, double d, double expected)
{
    CHECK_VALUES(tn_call(loss, VALUES(TN_INT32, TN_SHAPE(4), a, b, c, d), points()), 1e-4,
                 expected);
    CHECK_NO_ERROR();
}

static void samples_of_a_class_are_drawn_together(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *labels = VALUES(TN_INT32, TN_SHAPE(4), 0, 0, 1, 1);
    CHECK_VALUES(tn_call(tn_circle(.reduction = NULL), labels, points()), 1e-4, 38.4, 60.92801,
                 38.4, 60.92801);
    CHECK_VALUES(tn_call(tn_circle(.reduction = NULL), tn_expand_dims(labels, 1), points()), 1e-4,
                 38.4, 60.92801, 38.4, 60.92801);
    check_circle(tn_circle(10, 0.2, false, .reduction = "sum"), 0, 0, 1, 2, 31.786072);
    /* Who has nobody of its class does not count. */
    check_circle(tn_circle(), 0, 0, 1, 2, 49.664005);
    check_circle(tn_circle(), 0, 1, 2, 3, 0);
    check_circle(tn_circle(80, 0.1), 0, 0, 0, 1, 107.24269);
}

static tn_tensor *call_body(void *self, tn_list inputs)
{
    return tn_call_list((tn_loss *)self, inputs);
}

static tn_tensor *circle_body(void *self, tn_list inputs)
{
    tn_tensor *labels = VALUES(TN_INT32, TN_SHAPE(4), 0, 0, 1, 1);
    return tn_call((tn_loss *)self, labels, tn_at(inputs, 0));
}

static void gradients_are_those_of_finite_differences_in_any_mode(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *p = check_numbers(TN_SHAPE(3, 4), 0.1, 0.9, 3),
              *q = check_numbers(TN_SHAPE(3, 4), 0.1, 0.9, 4);
    tn_loss *dice = tn_dice(.axis = TN_AXES(1), .reduction = NULL, .dtype = TN_FLOAT64);
    tn_loss *tversky =
        tn_tversky(0.3, 0.7, .axis = TN_AXES(1), .reduction = NULL, .dtype = TN_FLOAT64);
    tn_loss *circle = tn_circle(4, .reduction = NULL, .dtype = TN_FLOAT64);
    CHECK_OP(.body = call_body, .self = dice, .inputs = TN_LIST(p, q), .batched = 3,
             .skip = SKIP_UNKNOWN_RANK);
    CHECK_OP(.body = call_body, .self = tversky, .inputs = TN_LIST(p, q), .batched = 3,
             .skip = SKIP_UNKNOWN_RANK);
    CHECK_OP(.body = circle_body, .self = circle,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(4, 3), 0.1, 0.5, 5)),
             .skip = SKIP_UNKNOWN_RANK | SKIP_ANY_BATCH | SKIP_EMPTY);
}

static void keras_2_has_none_of_them(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn__thing_to_json(&tn_dice()->thing, TN__KERAS_2));
    CHECK_ERROR(TN_UNIMPLEMENTED, "Dice cannot be written: Keras 2 has no such");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_are_compared_as_a_whole_or_along_axes),
        cmocka_unit_test(samples_of_a_class_are_drawn_together),
        cmocka_unit_test(keras_2_has_none_of_them),
        cmocka_unit_test(gradients_are_those_of_finite_differences_in_any_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
