/* layer_normalization_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/more.h"

static tn_list cube(void)
{
    return TN_LIST(layer_input(TN_SHAPE(2, 3, 4), 0));
}

static tn_list image(void)
{
    return TN_LIST(layer_input(TN_SHAPE(2, 3, 2, 4), 0));
}

static void rows_are_normalized_by_themselves(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_layer_normalization(), .text = "layer_normalization()",
                .inputs = cube(), .weights = "gamma|beta", .trainable = 2,
                .expected = VALUES_OF(layer_norm));
    CHECK_LAYER(.layer = tn_layer_normalization(TN_AXES(1, 2), 1e-2, .scale = false),
                .text = "layer_normalization((1, 2), 1e-2, scale=false)", .inputs = image(),
                .weights = "beta", .trainable = 1, .expected = VALUES_OF(layer_norm_two));
    CHECK_LAYER(.layer = tn_layer_normalization(.rms_scaling = true),
                .text = "layer_normalization(rms_scaling=true)",
                .inputs = TN_LIST(layer_input(TN_SHAPE(2, 4), 0)), .weights = "gamma",
                .trainable = 1, .expected = VALUES_OF(layer_norm_rms), .skip = SKIP_KERAS_2);
}

static void groups_of_channels_are_normalized_by_themselves(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_group_normalization(2), .text = "group_normalization(2)",
                .inputs = image(), .weights = "gamma|beta", .trainable = 2,
                .expected = VALUES_OF(group_norm));
    CHECK_LAYER(.layer = tn_group_normalization(-1, 1, .center = false),
                .text = "group_normalization(-1, 1, center=false)", .inputs = cube(),
                .weights = "gamma", .trainable = 1, .expected = VALUES_OF(group_norm_axis));
    tn_tensor *open = tn_input(TN_SHAPE(TN_NONE, TN_NONE, 4)),
              *y = tn_call(tn_group_normalization(2), open);
    assert_string_equal(tn_shape_text(y), "(None, None, None, 4)");
    tn_tensor *x = tn_at(image(), 0);
    CHECK_TENSOR(tn_call(tn_model(open, y), x), tn_call(tn_group_normalization(2), x), 1e-6, 1e-6);
}

static void check_groups(tn_shape last, int64_t groups, bool weights)
{
    TN_SCOPE;
    check_channels_first(tn_group_normalization(groups, .scale = weights, .center = weights),
                         tn_group_normalization(groups, .axis = 1, .scale = weights, .center = weights), last);
}

/* Channels last are one op. */
static void groups_of_channels_last_are_normalized_as_those_elsewhere(void **state)
{
    (void)state;
    check_groups(TN_SHAPE(3, 6, 6), 2, true);
    check_groups(TN_SHAPE(3, 4, 2, 9), 3, true);
    check_groups(TN_SHAPE(3, 4, 2, 6), 6, false);
    check_groups(TN_SHAPE(2, 2, 3, 2, 4), 1, true);
    check_groups(TN_SHAPE(2, 70, 3, 20), 4, true);
}

static void lengths_become_1(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_LAYER(.layer = tn_unit_normalization(TN_AXES(1, 2)), .text = "unit_normalization((1, 2))",
                .inputs = cube(), .expected = VALUES_OF(unit_norm));
    CHECK_LAYER(.layer = tn_rms_normalization(), .text = "rms_normalization()", .inputs = cube(),
                .weights = "scale", .trainable = 1, .expected = VALUES_OF(rms_norm));
    CHECK_LAYER(.layer = tn_rms_normalization(TN_AXES(1, 2), 1e-3),
                .text = "rms_normalization((1, 2), 1e-3)", .inputs = cube(), .weights = "scale",
                .trainable = 1, .expected = VALUES_OF(rms_norm_two));
    tn_tensor *nothing = tn_zeros(TN_SHAPE(1, 2), TN_FLOAT32);
    CHECK_VALUES(tn_call(tn_unit_normalization(), nothing), 0, 0, 0);
}

/* A result in float32, and its slopes by x and the scale, which is other than at first. */
static tn_list scaled(tn_layer *layer, tn_tensor *x, tn_shape scale)
{
    tn_call(layer, x);
    CHECK_OK(tn_set_weights(layer, TN_LIST(tn_reshape(layer_weight(TN_SHAPE(33), 1), scale))));
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = tn_call(layer, x);
    tn_list slopes = tn_gradient(tape, tn_reduce_sum(tn_multiply(tn_square(y), x)), TN_LIST(x, tn_at(tn_trainable_variables(layer), 0)));
    CHECK_NO_ERROR();
    return TN_LIST(y, tn_at(slopes, 0), tn_reshape(tn_at(slopes, 1), TN_SHAPE(33)));
}

/* Rows are one op, two axes are several. */
static void rows_of_one_axis_are_as_those_of_two(void **state)
{
    (void)state;
    for (int64_t rows = 1; rows < 100; rows += 40) {
        TN_SCOPE;
        tn_tensor *x = layer_input(TN_SHAPE(rows, 1, 33), 0);
        tn_list one = scaled(tn_rms_normalization(), x, TN_SHAPE(33)),
                two = scaled(tn_rms_normalization(TN_AXES(1, 2)), x, TN_SHAPE(1, 33));
        for (size_t i = 0; i < one.count; i++)
            CHECK_TENSOR(one.item[i], two.item[i], 1e-5, 1e-5);
    }
}

/* A scale of one number stands for any length of rows, as in Keras. */
static void a_scale_is_broadcast(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *layer = tn_rms_normalization(.epsilon = 0);
    tn_call(layer, tn_ones(TN_SHAPE(2, 1), TN_FLOAT32));
    CHECK_OK(tn_set_weights(layer, TN_LIST(tn_constant(TN_FLOAT32, TN_SHAPE(1), ((float[]){ 3 })))));
    CHECK_VALUES(tn_call(layer, VALUES(TN_FLOAT32, TN_SHAPE(1, 2), 5, -5)), 1e-5, 3, -3);
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = layer_input(TN_SHAPE(2, 6), 0);
    assert_null(tn_call(tn_layer_normalization(TN_AXES(2)), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Axis 2 is out of bounds for input shape (2, 6). Received: axis=(2,)");
    assert_null(tn_group_normalization(0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Received an invalid value for argument `groups`, expected a "
                                     "positive integer (or `-1` for instance normalization). "
                                     "Received: groups=0");
    assert_null(tn_call(tn_group_normalization(), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Number of groups (32) cannot be more than the number of channels (6).");
    assert_null(tn_call(tn_group_normalization(4), x));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Number of groups (4) must be a multiple of the number of channels (6).");
}

/* Statistics of a half type are taken in float32: the square of 400 is above its greatest number.
 */
static void half_types_do_not_overflow(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_cast(VALUES(TN_FLOAT32, TN_SHAPE(1, 2), 400, -400), TN_FLOAT16);
    tn_layer *layer = tn_layer_normalization(.dtype = "mixed_float16");
    tn_tensor *y = tn_call(layer, x);
    assert_int_equal(tn_dtype_of(y), TN_FLOAT16);
    CHECK_VALUES(tn_cast(y, TN_FLOAT32), 0, 1, -1);
    y = tn_call(tn_rms_normalization(.dtype = "mixed_float16"), x);
    CHECK_VALUES(tn_cast(y, TN_FLOAT32), 0, 1, -1);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_normalized_by_themselves),
        cmocka_unit_test(groups_of_channels_are_normalized_by_themselves),
        cmocka_unit_test(groups_of_channels_last_are_normalized_as_those_elsewhere),
        cmocka_unit_test(lengths_become_1),
        cmocka_unit_test(rows_of_one_axis_are_as_those_of_two),
        cmocka_unit_test(a_scale_is_broadcast),
        cmocka_unit_test(what_does_not_fit_is_told),
        cmocka_unit_test(half_types_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
