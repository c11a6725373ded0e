/* dilation_test.c - dilation.c and patches.c; literal numbers are TensorFlow's. */
#include "support/check_op.h"

typedef struct {
    int64_t strides[4], rates[4];
    const char *padding;
} dilation_attrs;

static void the_largest_sum_of_tap_and_pixel_comes_out(void **state)
{
    (void)state;
    TN_SCOPE;
    static const dilation_attrs plain = { { 1, 1, 1, 1 }, { 1, 1, 1, 1 }, "SAME" },
                                wide = { { 1, 2, 1, 1 }, { 1, 1, 2, 1 }, "VALID" };
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(1, 3, 3, 1), 1, 5, 2, 0, 3, 4, 2, 2, 9),
              *filter = VALUES(TN_FLOAT32, TN_SHAPE(2, 2, 1), 0, 1, 0.5, -1);
    CHECK_OP(.op = &tn__op_Dilation2D, .attrs = &plain, .inputs = TN_LIST(x, filter), .constant = 2,
             .skip = SKIP_GRADIENT | SKIP_SECOND_ORDER,
             .expected =
                 TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(1, 3, 3, 1), 6, 5, 4.5, 4, 8, 9.5, 3, 10, 9)));
    CHECK_VALUES(tn_nn_dilation2d(x, filter, { 2 }, "SAME", .dilations = { 2 }), 0, 2, 3.5, 4, 3);
    CHECK_OP(.op = &tn__op_Dilation2D, .attrs = &wide,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 5, 6, 2), -1, 1, 1),
                               check_numbers(TN_SHAPE(2, 3, 2), -1, 1, 2)),
             .batched = 1, .skip = SKIP_SECOND_ORDER | SKIP_DTYPES | SKIP_UNKNOWN_RANK);
}

static void wrong_dilations_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_zeros(TN_SHAPE(1, 3, 3, 2), TN_FLOAT32);
    assert_null(tn_nn_dilation2d(x, tn_zeros(TN_SHAPE(2, 2, 3), TN_FLOAT32), { 1 }, "SAME"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "input and filter must have the same depth: 2 vs 3");
    tn_tensor *filter = tn_zeros(TN_SHAPE(5, 5, 2), TN_FLOAT32);
    assert_null(tn_nn_dilation2d(x, filter, { 1 }, "VALID"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Computed output size would be negative: -1 [input_size: 3, "
                                     "effective_filter_size: 5, stride: 1]");
    assert_null(tn_nn_dilation2d(x, filter, { 1 }, "SAME", "NCHW"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "data_format must be NHWC");
    assert_null(tn_nn_dilation2d(x, filter));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "missing a required argument: 'padding'");
    assert_null(tn_nn_dilation2d(x, filter, { 1 }, "SAME", .explicit_paddings = { 1 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "there are no explicit paddings");
    assert_null(tn_nn_dilation2d(x, x, { 1 }, "SAME"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "filter must be 3-dimensional: [1,3,3,2]");
}

typedef struct {
    int64_t ksizes[4], strides[4], rates[4];
    const char *padding;
} patches_attrs;

static void patches_are_the_windows_as_they_are(void **state)
{
    (void)state;
    TN_SCOPE;
    static const patches_attrs same = { { 1, 2, 2, 1 }, { 1, 2, 2, 1 }, { 1, 2, 1, 1 }, "SAME" },
                               valid = { { 1, 2, 3, 1 }, { 1, 1, 2, 1 }, { 1, 1, 1, 1 }, "VALID" };
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(1, 3, 3, 1), 0, 1, 2, 3, 4, 5, 6, 7, 8);
    CHECK_OP(.op = &tn__op_ExtractImagePatches, .attrs = &same, .inputs = TN_LIST(x),
             .skip = SKIP_UNKNOWN_RANK,
             .expected = TN_LIST(VALUES(TN_FLOAT32, TN_SHAPE(1, 2, 2, 4), 0, 0, 3, 4, 0, 0, 5, 0, 3,
                                        4, 0, 0, 5, 0, 0, 0)));
    CHECK_OP(.op = &tn__op_ExtractImagePatches, .attrs = &valid,
             .inputs = TN_LIST(check_numbers(TN_SHAPE(2, 3, 5, 2), -1, 1, 1)),
             .skip = SKIP_UNKNOWN_RANK);
    assert_null(tn_image_extract_patches(tn_zeros(TN_SHAPE(3, 3, 1), TN_FLOAT32), { 2 }, { 1 },
                                         .padding = "SAME"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "input must be 4-dimensional[3,3,1]");
    assert_null(tn_image_extract_patches(x, { 5, 2 }, { 1 }, .padding = "VALID"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Computed output size would be negative: -1");
    assert_null(tn_image_extract_patches(x, { 2 }, { 1 }));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "missing a required argument: 'padding'");
    static const patches_attrs deep = { { 1, 2, 2, 2 }, { 1, 1, 1, 1 }, { 1, 1, 1, 1 }, "SAME" };
    assert_null(TN__APPLY(tn__op_ExtractImagePatches, &deep, x));
    CHECK_ERROR(TN_UNIMPLEMENTED, "Only support ksizes across space.");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_sum_of_tap_and_pixel_comes_out),
        cmocka_unit_test(wrong_dilations_are_refused),
        cmocka_unit_test(patches_are_the_windows_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
