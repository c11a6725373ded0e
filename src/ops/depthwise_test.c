/* depthwise_test.c - convolutions that keep channels apart, against TensorFlow's numbers. */
#include "support/check_op.h"
#include "ops/conv.h"
#include "ops/testdata/nn_support.h"

static tn__conv2d_attrs attrs_of(int64_t stride, int64_t dilation, const char *padding)
{
    return (tn__conv2d_attrs){ .strides = { 1, stride, stride, 1 },
                               .dilations = { 1, dilation, dilation, 1 },
                               .padding = padding,
                               .data_format = "NHWC" };
}

static void several_filters_a_channel_agree_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    tn__conv2d_attrs attrs = attrs_of(2, 1, "SAME");
    CHECK_CONVOLUTION(tn__op_DepthwiseConv2dNative, &attrs, image(TN_SHAPE(1, 3, 4, 2)),
                      weights(TN_SHAPE(2, 2, 2, 2)), depthwise);
    CHECK_CASE(tn_nn_depthwise_conv2d(image(TN_SHAPE(1, 3, 4, 2)), weights(TN_SHAPE(2, 2, 2, 2)),
                                      { 2 }, "SAME"),
               depthwise_y);
}

static void dilated_windows_agree_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_CASE(tn_nn_depthwise_conv2d(image(TN_SHAPE(1, 3, 4, 2)), weights(TN_SHAPE(2, 2, 2, 1)),
                                      .padding = "SAME", .dilations = { 1, 2 }),
               depthwise_dilated_y);
}

static void check_all(const void *attrs, tn_tensor *x, tn_tensor *w)
{
    tn_tensor *y = TN__APPLY(tn__op_DepthwiseConv2dNative, attrs, x, w);
    tn_tensor *x_shape = tn_shape_tensor(x), *w_shape = tn_shape_tensor(w);
    CHECK_OP(.op = &tn__op_DepthwiseConv2dNative, .attrs = attrs, .inputs = TN_LIST(x, w),
             .batched = 1);
    CHECK_OP(.op = &tn__op_DepthwiseConv2dNativeBackpropInput, .attrs = attrs,
             .inputs = TN_LIST(x_shape, w, y), .constant = 1, .skip = SKIP_ANY_BATCH | SKIP_EMPTY,
             .gradient_tolerance = 1e-4);
    CHECK_OP(.op = &tn__op_DepthwiseConv2dNativeBackpropFilter, .attrs = attrs,
             .inputs = TN_LIST(x, w_shape, y), .constant = 2, .batched = 1 | 4,
             .gradient_tolerance = 1e-4);
}

static void every_mode_and_derivative_holds(void **state)
{
    (void)state;
    TN_SCOPE;
    tn__conv2d_attrs same = attrs_of(1, 1, "SAME"), strided = attrs_of(2, 1, "VALID");
    tn__conv2d_attrs dilated = attrs_of(1, 2, "SAME");
    check_all(&same, image(TN_SHAPE(2, 4, 3, 3)), weights(TN_SHAPE(2, 3, 3, 1)));
    check_all(&strided, image(TN_SHAPE(2, 5, 4, 2)), weights(TN_SHAPE(2, 2, 2, 3)));
    check_all(&dilated, image(TN_SHAPE(1, 4, 4, 1)), weights(TN_SHAPE(2, 2, 1, 2)));
}

static void channels_first_is_the_same_convolution(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = image(TN_SHAPE(2, 4, 3, 2)), *w = weights(TN_SHAPE(2, 2, 2, 2));
    tn_tensor *want = tn_nn_depthwise_conv2d(x, w, { 2 }, "SAME");
    tn__conv2d_attrs attrs = { { 1, 1, 2, 2 }, { 1, 1, 1, 1 }, { 0 }, "SAME", "NCHW", 0 };
    CHECK_OP(.op = &tn__op_DepthwiseConv2dNative, .attrs = &attrs,
             .inputs = TN_LIST(tn_transpose(x, TN_AXES(0, 3, 1, 2)), w),
             .expected = TN_LIST(tn_transpose(want, TN_AXES(0, 3, 1, 2))), .batched = 1);
}

static void wrong_shapes_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = zeros(TN_SHAPE(1, 3, 3, 4));
    REFUSED(tn_nn_depthwise_conv2d(x, zeros(TN_SHAPE(2, 2, 3, 3)), .padding = "SAME"),
            "input and filter must have the same depth: 4 vs 3");
    REFUSED(tn_nn_depthwise_conv2d(x, zeros(TN_SHAPE(2, 2, 3)), .padding = "SAME"),
            "filter must be 4-dimensional: [2,2,3]");
    REFUSED(tn_nn_depthwise_conv2d(x, zeros(TN_SHAPE(5, 5, 4, 1)), .padding = "VALID"),
            "Computed output size would be negative: -1 [input_size: 3, effective_filter_size: 5, "
            "stride: 1]");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_filters_a_channel_agree_with_tensorflow),
        cmocka_unit_test(dilated_windows_agree_with_tensorflow),
        cmocka_unit_test(every_mode_and_derivative_holds),
        cmocka_unit_test(channels_first_is_the_same_convolution),
        cmocka_unit_test(wrong_shapes_are_refused_in_tensorflows_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
