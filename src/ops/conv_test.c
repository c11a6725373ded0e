/* conv_test.c - convolutions against TensorFlow's numbers, their gradients against differences. */
#include "support/check_op.h"
#include "ops/conv.h"
#include "ops/testdata/nn_support.h"

static tn__conv2d_attrs attrs2d(int64_t rows, int64_t columns, int64_t dilation,
                                const char *padding)
{
    return (tn__conv2d_attrs){ .strides = { 1, rows, columns, 1 },
                               .dilations = { 1, dilation, dilation, 1 },
                               .padding = padding,
                               .data_format = "NHWC" };
}

static void the_kinds_of_padding_stride_and_dilation_agree_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = image(TN_SHAPE(1, 4, 3, 2)), *w = weights(TN_SHAPE(2, 2, 2, 3));
    tn__conv2d_attrs same = attrs2d(1, 1, 1, "SAME"), strided = attrs2d(2, 1, 1, "VALID");
    tn__conv2d_attrs dilated = attrs2d(1, 1, 2, "SAME"), padded = attrs2d(2, 2, 1, "EXPLICIT");
    memcpy(padded.explicit_paddings, (int64_t[]){ 0, 0, 1, 2, 0, 1, 0, 0 }, 8 * sizeof(int64_t));
    CHECK_CONVOLUTION(tn__op_Conv2D, &same, x, w, conv_same);
    CHECK_CONVOLUTION(tn__op_Conv2D, &strided, x, w, conv_strided);
    CHECK_CONVOLUTION(tn__op_Conv2D, &dilated, x, w, conv_dilated);
    CHECK_CONVOLUTION(tn__op_Conv2D, &padded, x, w, conv_explicit);
}

static void groups_share_out_the_channels(void **state)
{
    (void)state;
    TN_SCOPE;
    tn__conv2d_attrs same = attrs2d(1, 1, 1, "SAME");
    CHECK_CONVOLUTION(tn__op_Conv2D, &same, image(TN_SHAPE(1, 3, 3, 4)),
                      weights(TN_SHAPE(2, 2, 2, 4)), conv_grouped);
}

static void three_axes_agree_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    tn__conv3d_attrs attrs = { { 1, 1, 2, 1, 1 }, { 1, 1, 1, 1, 1 }, "SAME", "NDHWC" };
    CHECK_CONVOLUTION(tn__op_Conv3D, &attrs, image(TN_SHAPE(1, 2, 3, 3, 1)),
                      weights(TN_SHAPE(2, 2, 1, 1, 2)), conv_3d);
}

/* Every mode, dtype and derivative of the three ops. */
static void check_all(const void *attrs, tn_tensor *x, tn_tensor *w)
{
    tn_tensor *y = TN__APPLY(tn__op_Conv2D, attrs, x, w);
    tn_tensor *x_shape = tn_shape_tensor(x), *w_shape = tn_shape_tensor(w);
    CHECK_OP(.op = &tn__op_Conv2D, .attrs = attrs, .inputs = TN_LIST(x, w), .batched = 1);
    CHECK_OP(.op = &tn__op_Conv2DBackpropInput, .attrs = attrs, .inputs = TN_LIST(x_shape, w, y),
             .constant = 1, .skip = SKIP_ANY_BATCH | SKIP_EMPTY, .gradient_tolerance = 1e-4);
    CHECK_OP(.op = &tn__op_Conv2DBackpropFilter, .attrs = attrs, .inputs = TN_LIST(x, w_shape, y),
             .constant = 2, .batched = 1 | 4, .gradient_tolerance = 1e-4);
}

static void every_mode_and_derivative_holds(void **state)
{
    (void)state;
    TN_SCOPE;
    tn__conv2d_attrs same = attrs2d(1, 1, 1, "SAME"), strided = attrs2d(2, 1, 1, "VALID");
    tn__conv2d_attrs dilated = attrs2d(1, 1, 2, "SAME"), padded = attrs2d(2, 2, 1, "EXPLICIT");
    memcpy(padded.explicit_paddings, (int64_t[]){ 0, 0, 1, 2, 0, 1, 0, 0 }, 8 * sizeof(int64_t));
    check_all(&same, image(TN_SHAPE(2, 4, 3, 2)), weights(TN_SHAPE(2, 3, 2, 3)));
    check_all(&strided, image(TN_SHAPE(2, 5, 3, 4)), weights(TN_SHAPE(2, 2, 2, 6)));
    check_all(&dilated, image(TN_SHAPE(1, 4, 4, 1)), weights(TN_SHAPE(2, 2, 1, 1)));
    check_all(&padded, image(TN_SHAPE(2, 3, 4, 2)), weights(TN_SHAPE(2, 2, 2, 5)));
}

static void three_axes_hold_in_every_mode(void **state)
{
    (void)state;
    TN_SCOPE;
    tn__conv3d_attrs attrs = { { 1, 1, 2, 1, 1 }, { 1, 1, 1, 2, 1 }, "SAME", "NDHWC" };
    tn_tensor *x = image(TN_SHAPE(2, 2, 3, 3, 2)), *w = weights(TN_SHAPE(2, 2, 2, 1, 2));
    tn_tensor *y = TN__APPLY(tn__op_Conv3D, &attrs, x, w);
    tn_tensor *x_shape = tn_cast(tn_shape_tensor(x), TN_INT64), *w_shape = tn_shape_tensor(w);
    CHECK_OP(.op = &tn__op_Conv3D, .attrs = &attrs, .inputs = TN_LIST(x, w), .batched = 1);
    CHECK_OP(.op = &tn__op_Conv3DBackpropInputV2, .attrs = &attrs, .inputs = TN_LIST(x_shape, w, y),
             .constant = 1, .skip = SKIP_ANY_BATCH | SKIP_EMPTY, .gradient_tolerance = 1e-4);
    CHECK_OP(.op = &tn__op_Conv3DBackpropFilterV2, .attrs = &attrs,
             .inputs = TN_LIST(x, w_shape, y), .constant = 2, .batched = 1 | 4,
             .gradient_tolerance = 1e-4);
}

/* Of an image and of what comes out, channels first. */
static tn_tensor *first(tn_tensor *x)
{
    return tn_transpose(x, TN_AXES(0, 3, 1, 2));
}

static void channels_first_is_the_same_convolution(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = image(TN_SHAPE(2, 4, 3, 2)), *w = weights(TN_SHAPE(2, 2, 2, 3));
    tn_tensor *want = tn_nn_conv2d(x, w, { 2, 1 }, "SAME");
    tn__conv2d_attrs attrs = { { 1, 1, 2, 1 }, { 1, 1, 1, 1 }, { 0 }, "SAME", "NCHW", 0 };
    CHECK_OP(.op = &tn__op_Conv2D, .attrs = &attrs, .inputs = TN_LIST(first(x), w),
             .expected = TN_LIST(first(want)), .batched = 1);
    tn_tensor *sizes = tn_shape_tensor(first(x)), *dx, *dw;
    dx = TN__APPLY(tn__op_Conv2DBackpropInput, &attrs, sizes, w, first(want));
    dw = TN__APPLY(tn__op_Conv2DBackpropFilter, &attrs, first(x), tn_shape_tensor(w), first(want));
    tn__conv2d_attrs last = attrs2d(2, 1, 1, "SAME");
    CHECK_TENSOR(dx,
                 first(TN__APPLY(tn__op_Conv2DBackpropInput, &last, tn_shape_tensor(x), w, want)),
                 1e-6, 1e-6);
    CHECK_TENSOR(dw, TN__APPLY(tn__op_Conv2DBackpropFilter, &last, x, tn_shape_tensor(w), want),
                 1e-6, 1e-6);
}

static void the_functions_take_what_tf_nn_takes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = image(TN_SHAPE(1, 4, 3, 2)), *w = weights(TN_SHAPE(2, 2, 2, 3));
    CHECK_CASE(tn_nn_conv2d(x, w, .padding = "SAME"), conv_same_y);
    CHECK_CASE(tn_nn_conv2d(x, w, { 2, 1 }, "VALID"), conv_strided_y);
    CHECK_CASE(tn_nn_conv2d(x, w, .padding = "SAME", .dilations = { 2 }), conv_dilated_y);
    CHECK_CASE(tn_nn_conv2d(x, w, { 2 }, "EXPLICIT", .explicit_paddings = { 1, 2, 0, 1 }),
               conv_explicit_y);
    CHECK_CASE(tn_nn_conv3d(image(TN_SHAPE(1, 2, 3, 3, 1)), weights(TN_SHAPE(2, 2, 1, 1, 2)),
                            { 1, 2, 1 }, "SAME"),
               conv_3d_y);
    CHECK_CASE(tn_nn_conv1d(image(TN_SHAPE(1, 5, 2)), weights(TN_SHAPE(3, 2, 2)), { 2 }, "SAME"),
               conv_1d_y);
    CHECK_CASE(tn_nn_conv2d_transpose(image(TN_SHAPE(1, 2, 3, 2)), weights(TN_SHAPE(3, 3, 1, 2)),
                                      TN_SHAPE(TN_NONE, 4, 5, 1), { 2 }),
               conv_transposed_y);
    CHECK_CASE(tn_squeeze(tn_nn_conv1d_transpose(
                              tn_reshape(image(TN_SHAPE(1, 2, 3, 2)), TN_SHAPE(2, 3, 2)),
                              weights(TN_SHAPE(3, 1, 2)), TN_SHAPE(TN_NONE, 5, 1), { 2 }),
                          TN_AXES(2)),
               conv_transposed_1d_y);
}

static void no_images_and_no_rows_give_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *w = weights(TN_SHAPE(2, 2, 1, 3));
    tn_tensor *y = tn_nn_conv2d(tn_zeros(TN_SHAPE(1, 0, 3, 1), TN_FLOAT32), w, .padding = "SAME");
    assert_string_equal(tn_shape_text(y), "(1, 0, 3, 3)");
    tn__conv2d_attrs same = attrs2d(1, 1, 1, "SAME");
    tn_tensor *dw =
        TN__APPLY(tn__op_Conv2DBackpropFilter, &same, tn_zeros(TN_SHAPE(0, 3, 3, 1), TN_FLOAT32),
                  tn_shape_tensor(w), tn_zeros(TN_SHAPE(0, 3, 3, 3), TN_FLOAT32));
    CHECK_VALUES(dw, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    CHECK_NO_ERROR();
}

static void wrong_shapes_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = zeros(TN_SHAPE(1, 3, 3, 4)), *w = zeros(TN_SHAPE(2, 2, 4, 3));
    REFUSED(tn_nn_conv2d(x, zeros(TN_SHAPE(5, 5, 4, 3)), .padding = "VALID"),
            "Computed output size would be negative: -1 [input_size: 3, effective_filter_size: 5, "
            "stride: 1]");
    REFUSED(tn_nn_conv2d(x, zeros(TN_SHAPE(7, 7, 4, 3)), { 1 }, "EXPLICIT",
                         .explicit_paddings = { 1, 1, 1, 1 }),
            "Computed output size would be negative: -1 [input_size: 3, effective_filter_size: 7, "
            "stride: 1]");
    REFUSED(tn_nn_conv2d(zeros(TN_SHAPE(3, 3, 4)), w, .padding = "VALID"),
            "convolution input must be 4-dimensional: [3,3,4]");
    REFUSED(tn_nn_conv2d(x, zeros(TN_SHAPE(2, 2, 3)), .padding = "VALID"),
            "convolution filter must be 4-dimensional: [2,2,3]");
    REFUSED(tn_nn_conv2d(x, zeros(TN_SHAPE(2, 2, 3, 3)), .padding = "VALID"),
            "input depth must be evenly divisible by filter depth: 4 vs 3");
    REFUSED(tn_nn_conv2d(x, zeros(TN_SHAPE(2, 2, 2, 3)), .padding = "VALID"),
            "output depth must be evenly divisible by number of groups: 3 vs 2");
    REFUSED(tn_nn_conv2d(x, zeros(TN_SHAPE(0, 2, 4, 3)), .padding = "VALID"),
            "filter must not have zero elements (i.e. all dimensions must be non-zero)");
    REFUSED(tn_nn_conv2d(x, zeros(TN_SHAPE(2, 2, 0, 3)), .padding = "VALID"),
            "filter depth must be stricly positive, got 0");
    REFUSED(tn_nn_conv2d_transpose(x, zeros(TN_SHAPE(2, 2, 1, 4)), TN_SHAPE(1, 7, 3, 1), { 1 }),
            "Size of out_backprop doesn't match computed: actual = 3, computed = 7 spatial_dim: 1");
    REFUSED(tn_nn_conv2d_transpose(x, zeros(TN_SHAPE(2, 2, 1, 4)), TN_SHAPE(2, 3, 3, 1), { 1 }),
            "input and out_backprop must have the same batch size. Input batch: 2, outbackprop "
            "batch: 1, batch_dim: 0");
    REFUSED(tn_nn_conv2d_transpose(x, zeros(TN_SHAPE(2, 2, 1, 3)), TN_SHAPE(1, 3, 3, 1), { 1 }),
            "filter and out_backprop must have the same out_depth");
}

static void wrong_attributes_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = zeros(TN_SHAPE(1, 3, 3, 1)), *w = zeros(TN_SHAPE(2, 2, 1, 3));
    REFUSED(tn_nn_conv2d(x, w), "missing a required argument: 'padding'");
    REFUSED(tn_nn_conv2d(x, w, .padding = "SOME"),
            "Value for attr 'padding' of \"SOME\" is not in the list of allowed values");
    REFUSED(tn_nn_conv2d(x, w, .padding = "SAM"), "is not in the list of allowed values");
    REFUSED(tn_nn_conv3d(x, w, .padding = "EXPLICIT"), "is not in the list of allowed values");
    REFUSED(tn_nn_conv2d(x, w, .padding = "SAME", .data_format = "NWHC"),
            "data_format is \"NHWC\" or \"NCHW\", got \"NWHC\"");
    REFUSED(tn_nn_conv2d(x, w, { -1 }, "SAME"), "Row and column strides should be larger than 0.");
    REFUSED(tn_nn_conv2d(x, w, .padding = "SAME", .dilations = { 1, -2 }),
            "Dilated rates should be larger than 0.");
    REFUSED(tn_nn_conv2d(x, w, .padding = "EXPLICIT", .explicit_paddings = { -1 }),
            "All elements of explicit_paddings must be nonnegative");
    REFUSED(tn_nn_conv2d(x, w, .padding = "SAME", .explicit_paddings = { 1 }),
            "explicit_paddings attribute must be empty if the padding attribute is not EXPLICIT");
    tn__conv2d_attrs attrs = attrs2d(1, 1, 1, "SAME");
    attrs.strides[0] = 2;
    REFUSED_AS(
        TN_UNIMPLEMENTED, TN__APPLY(tn__op_Conv2D, &attrs, x, w),
        "Current implementation does not yet support strides in the batch and depth dimensions.");
    attrs = attrs2d(INT64_MAX, 1, 1, "SAME");
    REFUSED(TN__APPLY(tn__op_Conv2D, &attrs, x, w), "is too large");
    attrs = attrs2d(1, 1, 1, "SAME");
    REFUSED(TN__APPLY(tn__op_Conv2DBackpropInput, &attrs,
                      VALUES(TN_INT32, TN_SHAPE(4), 1, -3, 3, 1), w, zeros(TN_SHAPE(1, 2, 2, 3))),
            "Dimension -3 must be >= 0");
    REFUSED(TN__APPLY(tn__op_Conv2DBackpropInput, &attrs, VALUES(TN_INT32, TN_SHAPE(3), 1, 3, 3), w,
                      zeros(TN_SHAPE(1, 2, 2, 3))),
            "Conv2DBackpropInput requires input_sizes to contain 4 values, but got: 3");
}

/* Large enough that oneDNN computes them where it is, or that they go Winograd's way: in float32 as
 * in float64, which never does. */
static void check_in_float32(const tn__op *op, const void *attrs, tn_list in, double atol)
{
    tn_tensor *wide[3];
    int sizes = 0;
    for (size_t i = 0; i < in.count; i++) {
        bool is_sizes = in.item[i]->dtype == TN_INT32;
        sizes |= is_sizes << i;
        wide[i] = is_sizes ? in.item[i] : tn_cast(in.item[i], TN_FLOAT64);
    }
    tn_tensor *y = in.count == 2 ? TN__APPLY(*op, attrs, wide[0], wide[1])
                                 : TN__APPLY(*op, attrs, wide[0], wide[1], wide[2]);
    CHECK_OP(.op = op, .attrs = attrs, .inputs = in, .expected = TN_LIST(tn_cast(y, TN_FLOAT32)),
             .rtol = 1e-5, .atol = atol, .constant = sizes,
             .skip = SKIP_GRADIENT | SKIP_DTYPES | SKIP_EMPTY | SKIP_ANY_BATCH);
}

static void large_ones_are_in_float32_what_they_are_in_float64(void **state)
{
    (void)state;
    TN_SCOPE;
    tn__conv2d_attrs same = attrs2d(1, 1, 1, "SAME"), strided = attrs2d(2, 2, 1, "SAME");
    tn__conv3d_attrs cube = { { 1, 1, 1, 1, 1 }, { 1, 1, 1, 1, 1 }, "SAME", "NDHWC" };
    tn_tensor *sizes = VALUES(TN_INT32, TN_SHAPE(4), 4, 12, 12, 8);
    check_in_float32(&tn__op_Conv2D, &same,
                     TN_LIST(image(TN_SHAPE(4, 12, 12, 8)), weights(TN_SHAPE(3, 3, 4, 16))), 1e-5);
    check_in_float32(&tn__op_Conv2DBackpropInput, &strided,
                     TN_LIST(sizes, weights(TN_SHAPE(3, 3, 8, 16)), image(TN_SHAPE(4, 6, 6, 16))), 1e-5);
    check_in_float32(&tn__op_Conv3D, &cube,
                     TN_LIST(image(TN_SHAPE(3, 5, 6, 6, 4)), weights(TN_SHAPE(3, 3, 3, 4, 8))), 1e-5);
    tn_tensor *x = image(TN_SHAPE(3, 14, 17, 16)), *w = weights(TN_SHAPE(3, 3, 16, 32));
    tn_tensor *dy = image(TN_SHAPE(3, 14, 17, 32));
    check_in_float32(&tn__op_Conv2D, &same, TN_LIST(x, w), 1e-4);
    check_in_float32(&tn__op_Conv2DBackpropInput, &same, TN_LIST(tn_shape_tensor(x), w, dy), 1e-4);
    check_in_float32(&tn__op_Conv2DBackpropFilter, &same, TN_LIST(x, tn_shape_tensor(w), dy), 1e-3);
}

static void an_image_has_the_same_bits_in_any_batch(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = image(TN_SHAPE(5, 20, 18, 32)), *w = weights(TN_SHAPE(3, 3, 32, 48));
    tn_tensor *y = tn_nn_conv2d(x, w, .padding = "SAME");
    for (int64_t i = 0; i < 5; i++) {
        tn_tensor *one = tn_nn_conv2d(tn_slice(x, TN_SHAPE(i, 0, 0, 0), TN_SHAPE(1, 20, 18, 32)), w, .padding = "SAME");
        CHECK_TENSOR(one, tn_slice(y, TN_SHAPE(i, 0, 0, 0), TN_SHAPE(1, 20, 18, 48)), 0, 0);
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kinds_of_padding_stride_and_dilation_agree_with_tensorflow),
        cmocka_unit_test(groups_share_out_the_channels),
        cmocka_unit_test(three_axes_agree_with_tensorflow),
        cmocka_unit_test(every_mode_and_derivative_holds),
        cmocka_unit_test(three_axes_hold_in_every_mode),
        cmocka_unit_test(channels_first_is_the_same_convolution),
        cmocka_unit_test(the_functions_take_what_tf_nn_takes),
        cmocka_unit_test(no_images_and_no_rows_give_nothing),
        cmocka_unit_test(wrong_shapes_are_refused_in_tensorflows_words),
        cmocka_unit_test(wrong_attributes_are_refused_in_tensorflows_words),
        cmocka_unit_test(large_ones_are_in_float32_what_they_are_in_float64),
        cmocka_unit_test(an_image_has_the_same_bits_in_any_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
