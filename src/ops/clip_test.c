/* clip_test.c */
#include "support/check_op.h"
#include <math.h>

static void clipping_passes_the_checker(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *t = VALUES(TN_FLOAT64, TN_SHAPE(3, 2), 1, 5, 2.5, 9, 4, 0);
    CHECK_OP(.op = &tn__op_ClipByValue,
             .inputs =
                 TN_LIST(t, VALUES(TN_FLOAT64, TN_SCALAR, 2), VALUES(TN_FLOAT64, TN_SCALAR, 6)),
             .expected = TN_LIST(VALUES(TN_FLOAT64, TN_SHAPE(3, 2), 2, 5, 2.5, 6, 4, 2)),
             .dtypes = TN__FLOATS);
    CHECK_OP(.op = &tn__op_ClipByValue,
             .inputs = TN_LIST(t, VALUES(TN_FLOAT64, TN_SHAPE(3, 2), 2, 3, 0, 1, 2, 1),
                               VALUES(TN_FLOAT64, TN_SCALAR, 6)),
             .dtypes = TN__FLOATS);
    CHECK_OP(.op = &tn__op_ClipByValue,
             .inputs = TN_LIST(VALUES(TN_INT64, TN_SHAPE(3), 1, 5, 9),
                               VALUES(TN_INT64, TN_SCALAR, 2), VALUES(TN_INT64, TN_SCALAR, 6)),
             .expected = TN_LIST(VALUES(TN_INT64, TN_SHAPE(3), 2, 5, 6)));
}

static tn_tensor *by_value(void *self, tn_list inputs)
{
    (void)self;
    return tn_clip_by_value(tn_at(inputs, 0), tn_at(inputs, 1), tn_at(inputs, 2));
}

static tn_tensor *by_norm(void *self, tn_list inputs)
{
    return tn_clip_by_norm(tn_at(inputs, 0), tn_scalar(2), .axes = *(const tn_axes *)self);
}

static tn_tensor *by_global_norm(void *self, tn_list inputs)
{
    (void)self;
    tn_list clipped = tn_clip_by_global_norm(inputs, tn_scalar(1.5));
    return clipped.item ? tn_tuple_of(clipped) : NULL;
}

static void the_public_functions_pass_the_checker(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *t = check_numbers(TN_SHAPE(3, 2), -3, 3, 4);
    CHECK_OP(.body = by_value,
             .inputs = TN_LIST(t, VALUES(TN_FLOAT64, TN_SHAPE(2), -1, -2),
                               VALUES(TN_FLOAT64, TN_SCALAR, 1)),
             .batched = 1, .dtypes = TN__FLOATS);
    CHECK_OP(.body = by_norm, .self = &(tn_axes){ 0 }, .inputs = TN_LIST(t),
             .dtypes = TN__BIT(TN_FLOAT64) | TN__BIT(TN_FLOAT32));
    CHECK_OP(.body = by_norm, .self = &TN_AXES(1), .inputs = TN_LIST(t),
             .dtypes = TN__BIT(TN_FLOAT64) | TN__BIT(TN_FLOAT32));
    CHECK_OP(.body = by_global_norm, .inputs = TN_LIST(t, check_numbers(TN_SHAPE(2), 1, 2, 3)),
             .dtypes = TN__BIT(TN_FLOAT64) | TN__BIT(TN_FLOAT32));
}

/* tf.clip_by_value([1., nan, 3.], [0., 0., 0.], [nan, 2., 2.]) is [nan, nan, 2.]; (5, 2) as limits
 * give 5 */
static void the_lower_limit_wins_and_nan_stays(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *t = VALUES(TN_FLOAT32, TN_SHAPE(3), 1, NAN, 3);
    CHECK_VALUES(tn_clip_by_value(t, tn_scalar(0), VALUES(TN_FLOAT32, TN_SHAPE(3), NAN, 2, 2)), 0,
                 NAN, NAN, 2);
    CHECK_VALUES(
        tn_clip_by_value(VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 5), tn_scalar(5), tn_scalar(2)), 0, 5,
        5);
    CHECK_VALUES(TN__APPLY(tn__op_ClipByValue, NULL, VALUES(TN_FLOAT32, TN_SHAPE(2), 1, NAN),
                           tn_scalar(5.0), tn_scalar(3.0)),
                 0, 5, NAN);
}

/* tf.clip_by_norm([[3., 4.], [0., 0.]], 1., axes=1); tf.clip_by_global_norm([[3.], None,
 * [4.]], 1.), and with a nan */
static void gradients_are_shrunk_to_a_length(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *t = VALUES(TN_FLOAT32, TN_SHAPE(2, 2), 3, 4, 0, 0);
    CHECK_VALUES(tn_clip_by_norm(t, tn_scalar(1.0), .axes = TN_AXES(1)), 1e-6, 0.6, 0.8, 0, 0);
    CHECK_VALUES(tn_clip_by_norm(t, tn_scalar(10.0)), 1e-6, 3, 4, 0, 0);
    tn_tensor *items[] = { VALUES(TN_FLOAT32, TN_SHAPE(1), 3), NULL,
                           VALUES(TN_FLOAT32, TN_SHAPE(1), 4) };
    CHECK_VALUES(tn_global_norm((tn_list){ 3, items }), 1e-6, 5);
    const tn_list list = { 3, items };
    tn_list clipped = tn_clip_by_global_norm(list, tn_scalar(1.0));
    CHECK_VALUES(clipped.item[0], 1e-6, 0.6);
    assert_null(clipped.item[1]);
    CHECK_VALUES(clipped.item[2], 1e-6, 0.8);
    items[0] = VALUES(TN_FLOAT32, TN_SHAPE(1), NAN);
    CHECK_VALUES(tn_clip_by_global_norm(list, tn_scalar(1.0)).item[2], 0, NAN);
}

static void limits_of_other_shapes_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *t = tn_ones(TN_SHAPE(2, 2), TN_FLOAT32), *limit = tn_ones(TN_SHAPE(2), TN_FLOAT32);
    assert_null(TN__APPLY(tn__op_ClipByValue, NULL, t, limit, tn_scalar(3.0)));
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "clip_value_min and clip_value_max must be either of the same shape as input, or a scalar. "
        "input shape: [2,2]clip_value_min shape: [2]clip_value_max shape: []");
    assert_null(tn_clip_by_value(limit, t, tn_scalar(2)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Shapes (2,) and (2, 2) are incompatible");
    assert_null(tn_global_norm((tn_list){ 1, (tn_tensor *[]){ NULL } }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_global_norm: the list has no tensors");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clipping_passes_the_checker),
        cmocka_unit_test(the_public_functions_pass_the_checker),
        cmocka_unit_test(the_lower_limit_wins_and_nan_stays),
        cmocka_unit_test(gradients_are_shrunk_to_a_length),
        cmocka_unit_test(limits_of_other_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
