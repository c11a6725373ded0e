/* pool_test.c - pooling against TensorFlow's numbers, its gradients against differences. */
#include "support/check_op.h"
#include "ops/testdata/nn_support.h"
#include <float.h>
#include <math.h>

/* As the op's own attributes begin. */
typedef struct {
    int64_t ksize[4], strides[4], explicit_paddings[8];
    const char *padding, *data_format;
} attrs2d;
typedef struct {
    int64_t ksize[5], strides[5];
    const char *padding, *data_format;
} attrs3d;
static const attrs2d same = {
    { 1, 3, 2, 1 }, { 1, 2, 2, 1 }, { 0 }, "SAME", "NHWC",
};
static const attrs3d same3d = { { 1, 2, 2, 2, 1 }, { 1, 2, 1, 1, 1 }, "SAME", "NDHWC" };

/* The image of the recorded cases. */
static tn_tensor *recorded(void)
{
    return check_tensor_of(TN_FLOAT32, TN_SHAPE(1, 4, 5, 2), pool_x, COUNT(pool_x));
}

static void the_largest_and_its_derivatives_agree_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = recorded(), *y = tn_nn_max_pool2d(x, { 3, 2 }, { 2 }, "SAME"),
              *dy = cotangent(y);
    CHECK_CASE(y, max_y);
    CHECK_CASE(TN__APPLY(tn__op_MaxPoolGrad, &same, x, y, dy), max_dx);
    CHECK_CASE(TN__APPLY(tn__op_MaxPoolGradGrad, &same, x, y, tn_add(x, x)), max_second);
    CHECK_CASE(tn_nn_max_pool2d(x, { 3 }, { 2 }, "EXPLICIT", .explicit_paddings = { 1, 2, 0, 1 }),
               max_explicit_y);
    CHECK_CASE(tn_nn_max_pool1d(image(TN_SHAPE(1, 5, 2)), { 2 }, { 2 }, "SAME"), max_1d_y);
}

static void the_mean_leaves_out_the_padding(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = recorded(), *y = tn_nn_avg_pool2d(x, { 3, 2 }, { 2 }, "SAME"),
              *dy = cotangent(y);
    CHECK_CASE(y, avg_y);
    CHECK_CASE(TN__APPLY(tn__op_AvgPoolGrad, &same, tn_shape_tensor(x), dy), avg_dx);
    CHECK_CASE(tn_nn_avg_pool1d(image(TN_SHAPE(1, 5, 2)), { 2 }, { 2 }, "SAME"), avg_1d_y);
}

static void three_axes_agree_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = image(TN_SHAPE(1, 3, 3, 2, 1)),
              *y = tn_nn_max_pool3d(x, { 2 }, { 2, 1, 1 }, "SAME"), *dy = cotangent(y);
    CHECK_CASE(y, max_3d_y);
    CHECK_CASE(TN__APPLY(tn__op_MaxPool3DGrad, &same3d, x, y, dy), max_3d_dx);
    CHECK_CASE(tn_nn_avg_pool3d(x, { 2 }, { 2, 1, 1 }, "SAME"), avg_3d_y);
    CHECK_CASE(TN__APPLY(tn__op_AvgPool3DGrad, &same3d, tn_shape_tensor(x), dy), avg_3d_dx);
}

/* Numbers that are all different, so that moving one a little moves no maximum. */
static tn_tensor *distinct(tn_shape shape)
{
    return tn_cast(check_numbers(shape, -2, 2, 5), TN_FLOAT32);
}

static void every_mode_and_derivative_holds(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = distinct(TN_SHAPE(2, 4, 5, 2)), *y = TN__APPLY(tn__op_MaxPool, &same, x);
    tn_tensor *dy = distinct(tn_shape_of(y)), *sizes = tn_shape_tensor(x);
    CHECK_OP(.op = &tn__op_MaxPool, .attrs = &same, .inputs = TN_LIST(x));
    /* The largest are known when its gradient is taken: no differences by the first two inputs, and
     * none in whole numbers, where rounding makes others the largest. */
    CHECK_OP(.op = &tn__op_MaxPoolGrad, .attrs = &same, .inputs = TN_LIST(x, y, dy),
             .skip = SKIP_GRADIENT, .dtypes = TN__FLOATS);
    CHECK_OP(.op = &tn__op_MaxPoolGradGrad, .attrs = &same, .inputs = TN_LIST(x, y, x),
             .skip = SKIP_GRADIENT, .dtypes = TN__FLOATS);
    CHECK_OP(.op = &tn__op_AvgPool, .attrs = &same, .inputs = TN_LIST(x));
    CHECK_OP(.op = &tn__op_AvgPoolGrad, .attrs = &same, .inputs = TN_LIST(sizes, dy), .constant = 1,
             .skip = SKIP_ANY_BATCH | SKIP_EMPTY);
}

static void three_axes_hold_in_every_mode(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = distinct(TN_SHAPE(2, 3, 3, 2, 2)), *sizes = tn_shape_tensor(x);
    tn_tensor *y = TN__APPLY(tn__op_MaxPool3D, &same3d, x), *dy = distinct(tn_shape_of(y));
    CHECK_OP(.op = &tn__op_MaxPool3D, .attrs = &same3d, .inputs = TN_LIST(x));
    CHECK_OP(.op = &tn__op_AvgPool3D, .attrs = &same3d, .inputs = TN_LIST(x));
    CHECK_OP(.op = &tn__op_AvgPool3DGrad, .attrs = &same3d, .inputs = TN_LIST(sizes, dy),
             .constant = 1, .skip = SKIP_ANY_BATCH | SKIP_EMPTY);
}

static void channels_first_is_the_same_pooling(void **state)
{
    (void)state;
    TN_SCOPE;
    static const attrs2d first = { { 1, 1, 3, 2 }, { 1, 1, 2, 2 }, { 0 }, "SAME", "NCHW" };
    tn_tensor *x = distinct(TN_SHAPE(2, 4, 5, 2)), *moved = tn_transpose(x, TN_AXES(0, 3, 1, 2));
    tn_tensor *largest = tn_nn_max_pool2d(x, { 3, 2 }, { 2 }, "SAME"),
              *means = tn_nn_avg_pool2d(x, { 3, 2 }, { 2 }, "SAME");
    CHECK_OP(.op = &tn__op_MaxPool, .attrs = &first, .inputs = TN_LIST(moved),
             .expected = TN_LIST(tn_transpose(largest, TN_AXES(0, 3, 1, 2))));
    CHECK_OP(.op = &tn__op_AvgPool, .attrs = &first, .inputs = TN_LIST(moved),
             .expected = TN_LIST(tn_transpose(means, TN_AXES(0, 3, 1, 2))));
    CHECK_TENSOR(tn_nn_max_pool2d(moved, { 3, 2 }, { 2 }, "SAME", .data_format = "NCHW"),
                 tn_transpose(largest, TN_AXES(0, 3, 1, 2)), 0, 0);
}

static void the_first_of_equal_ones_gets_the_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(1, 3, 3, 1), TN_FLOAT32);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = tn_nn_max_pool2d(x, { 2 }, { 1 }, "VALID");
    tn_tensor *seed = VALUES(TN_FLOAT32, TN_SHAPE(1, 2, 2, 1), 1, 2, 3, 4);
    CHECK_VALUES(tn_gradient_of(tape, tn_multiply(y, seed), x), 0, 1, 2, 0, 3, 4, 0, 0, 0, 0);
}

static void in_a_volume_each_of_equal_ones_gets_the_gradient(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(1, 1, 1, 3, 1), TN_FLOAT32);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = tn_nn_max_pool3d(x, { 1, 1, 2 }, { 1 }, "VALID");
    tn_tensor *seed = VALUES(TN_FLOAT32, TN_SHAPE(1, 1, 1, 2, 1), 1, 2);
    CHECK_VALUES(tn_gradient_of(tape, tn_multiply(y, seed), x), 0, 1, 3, 2);
}

static void a_nan_is_not_seen_unless_it_is_the_windows_first(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(1, 4, 4, 1), 1, NAN, NAN, 2, 5, NAN, NAN, NAN, NAN,
                          1, 2, 3, -INFINITY, NAN, NAN, -INFINITY);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = tn_nn_max_pool2d(x, { 2 }, { 2 }, "VALID");
    tn_list both = tn_nn_max_pool_with_argmax(x, { 2 }, { 2 }, "VALID");
    CHECK_VALUES(y, 0, 5, 2, 1, 3);
    CHECK_VALUES(tn_at(both, 0), 0, 5, NAN, NAN, 3);
    CHECK_VALUES(tn_at(both, 1), 0, 4, 2, 8, 11);
    tn_tensor *dy = VALUES(TN_FLOAT32, TN_SHAPE(1, 2, 2, 1), 1, 2, 3, 4);
    CHECK_VALUES(tn_gradient_of(tape, tn_reduce_sum(tn_multiply(y, dy)), x), 0, 0, 0, 2, 0, 1, 0, 0,
                 0, 3, 0, 0, 4, 0, 0, 0, 0);
    tn_tensor *nothing = VALUES(TN_FLOAT32, TN_SHAPE(1, 2, 1), NAN, NAN);
    CHECK_VALUES(tn_nn_max_pool1d(nothing, { 2 }, { 2 }, "VALID"), 0, -(double)FLT_MAX);
    tn_tensor *low = VALUES(TN_FLOAT32, TN_SHAPE(1, 1, 2, 1), -INFINITY, -INFINITY);
    CHECK_VALUES(tn_nn_max_pool2d(low, { 1, 2 }, { 1 }, "VALID"), 0, -(double)FLT_MAX);
}

typedef struct {
    int64_t ksize[4], strides[4];
    tn_dtype Targmax;
    const char *padding;
    tn_flag include_batch_in_index;
} argmax_attrs;

static void where_a_maximum_was_counts_in_the_image_or_in_the_batch(void **state)
{
    (void)state;
    TN_SCOPE;
    static const argmax_attrs within = { { 1, 2, 3, 1 }, { 1, 2, 2, 1 }, TN_INT64, "SAME", false },
                              through = { { 1, 2, 2, 1 }, { 1, 2, 2, 1 }, TN_INT32, "VALID", true };
    CHECK_OP(.op = &tn__op_MaxPoolWithArgmax, .attrs = &within,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3, 4, 2), -1, 1, 1)),
             .skip = SKIP_UNKNOWN_RANK);
    tn_tensor *x =
        tn_reshape(tn_range(tn_scalar(0.0), tn_scalar(32.0), tn_scalar(1.0)), TN_SHAPE(2, 4, 4, 1));
    tn_list both = tn_nn_max_pool_with_argmax(x, { 2 }, { 2 }, "SAME");
    CHECK_TENSOR(tn_at(both, 1), VALUES(TN_INT64, TN_SHAPE(2, 2, 2, 1), 5, 7, 13, 15, 5, 7, 13, 15),
                 0, 0);
    CHECK_OP(.op = &tn__op_MaxPoolWithArgmax, .attrs = &through, .inputs = TN_LIST(x),
             .skip = SKIP_UNKNOWN_RANK | SKIP_DTYPES,
             .expected =
                 TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(2, 2, 2, 1), 5, 7, 13, 15, 21, 23, 29, 31),
                         VALUES(TN_INT32, TN_SHAPE(2, 2, 2, 1), 5, 7, 13, 15, 21, 23, 29, 31)));
    assert_null(tn_nn_max_pool_with_argmax(x, { 2 }, { 2 }).item);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "missing a required argument: 'padding'");
}

static void whole_numbers_have_a_largest(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_INT32, TN_SHAPE(1, 2, 2, 1), -3, INT32_MIN, -5, -2);
    CHECK_VALUES(tn_nn_max_pool2d(x, { 2 }, { 1 }, "SAME"), 0, -2, -2, -2, -2);
    tn_tensor *low = VALUES(TN_INT64, TN_SHAPE(1, 1, 1, 1), (double)INT64_MIN);
    CHECK_VALUES(tn_nn_max_pool2d(low, { 1 }, { 1 }, "SAME"), 0, (double)INT64_MIN);
}

static void wrong_windows_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = zeros(TN_SHAPE(1, 3, 3, 1));
    REFUSED(tn_nn_max_pool2d(x, { 2 }, .padding = "SAME"),
            "missing a required argument: 'strides'");
    REFUSED(tn_nn_max_pool2d(x, { -2 }, { 1 }, "SAME"), "Sliding window ksize must be positive.");
    REFUSED(tn_nn_avg_pool2d(x, { 2 }, { -1 }, "SAME"), "Stride must be > 0, but got -1");
    REFUSED(tn_nn_max_pool2d(x, { 2 }, { 1 }, "EXPLICIT", .explicit_paddings = { 2 }),
            "Top padding 2 needs to be smaller than the window size 2");
    REFUSED(tn_nn_avg_pool2d(x, { 2 }, { 1 }, "EXPLICIT"), "is not in the list of allowed values");
    REFUSED(tn_nn_max_pool2d(zeros(TN_SHAPE(3, 3, 1)), { 2 }, { 1 }, "SAME"),
            "tensor_in_shape must have 2 spatial dimensions. 3 0");
    REFUSED(tn_nn_max_pool2d(x, { 5 }, { 1 }, "VALID"), "Computed output size would be negative");
    attrs2d attrs = same;
    attrs.ksize[0] = 2;
    REFUSED_AS(TN_UNIMPLEMENTED, TN__APPLY(tn__op_MaxPool, &attrs, x),
               "Pooling is not yet supported on the batch dimension.");
    REFUSED(TN__APPLY(tn__op_MaxPoolGrad, &same, x, x, x),
            "Expected orig_output shape to be [1,2,2,1], but got [1,3,3,1]");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_and_its_derivatives_agree_with_tensorflow),
        cmocka_unit_test(the_mean_leaves_out_the_padding),
        cmocka_unit_test(three_axes_agree_with_tensorflow),
        cmocka_unit_test(every_mode_and_derivative_holds),
        cmocka_unit_test(three_axes_hold_in_every_mode),
        cmocka_unit_test(channels_first_is_the_same_pooling),
        cmocka_unit_test(the_first_of_equal_ones_gets_the_gradient),
        cmocka_unit_test(in_a_volume_each_of_equal_ones_gets_the_gradient),
        cmocka_unit_test(a_nan_is_not_seen_unless_it_is_the_windows_first),
        cmocka_unit_test(where_a_maximum_was_counts_in_the_image_or_in_the_batch),
        cmocka_unit_test(whole_numbers_have_a_largest),
        cmocka_unit_test(wrong_windows_are_refused_in_tensorflows_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
