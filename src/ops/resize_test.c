/* resize_test.c - images of another size against TensorFlow's numbers, gradients against
 * differences. */
#include "support/check_op.h"
#include "ops/testdata/nn_support.h"
#include "ops/testdata/resize_cases.h"
#include "ops/resize.h"
#include "tenon/image.h"

typedef struct {
    tn_flag align_corners, half_pixel_centers;
} corners;
typedef struct {
    const char *kernel_type;
    tn_flag antialias;
} scaling;
static const corners half = { .half_pixel_centers = true }, ends = { .align_corners = true },
                     plain = { 0 };

static tn_tensor *picture(void)
{
    return image(TN_SHAPE(1, 4, 5, 2));
}

static tn_tensor *size_of(int64_t rows, int64_t columns)
{
    return tn__ints((int64_t[]){ rows, columns }, 2);
}

/* What comes out and the gradient of the image, both TensorFlow's. */
#define CHECK_RESIZED(call, name)                                                        \
    do {                                                                                 \
        tn_tensor *x = picture();                                                        \
        tn_tape *tape = tn_gradient_tape();                                              \
        tn_watch(tape, x);                                                               \
        tn_tensor *y = (call);                                                           \
        CHECK_CASE(y, name##_y);                                                         \
        CHECK_CASE(tn_gradient_of(tape, tn_reduce_sum(tn_multiply(y, cotangent(y))), x), \
                   name##_dx);                                                           \
    } while (0)

static void methods_of_two_and_four_neighbours_agree_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_RESIZED(TN__APPLY(tn__op_ResizeBilinear, &half, x, size_of(6, 3)), bilinear_half);
    CHECK_RESIZED(TN__APPLY(tn__op_ResizeBilinear, &ends, x, size_of(7, 2)), bilinear_corners);
    CHECK_RESIZED(TN__APPLY(tn__op_ResizeBilinear, &plain, x, size_of(2, 9)), bilinear_plain);
    CHECK_RESIZED(TN__APPLY(tn__op_ResizeBicubic, &half, x, size_of(6, 3)), bicubic_half);
    CHECK_RESIZED(TN__APPLY(tn__op_ResizeBicubic, &ends, x, size_of(7, 2)), bicubic_corners);
}

static void the_nearest_place_is_tensorflow_s(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_RESIZED(TN__APPLY(tn__op_ResizeNearestNeighbor, &half, x, size_of(6, 3)), nearest_half);
    CHECK_RESIZED(TN__APPLY(tn__op_ResizeNearestNeighbor, &ends, x, size_of(7, 2)),
                  nearest_corners);
    tn_tensor *whole = tn_cast(picture(), TN_INT32);
    assert_int_equal(tn_dtype_of(tn_image_resize(whole, { 2, 2 }, "nearest")), TN_INT32);
}

static tn_tensor *scaled(tn_tensor *x, int64_t rows, int64_t columns, const char *kernel,
                         bool antialias)
{
    scaling a = { kernel, antialias };
    return TN__APPLY(tn__op_ScaleAndTranslate, &a, x, size_of(rows, columns),
                     VALUES(TN_FLOAT32, TN_SHAPE(2), (double)rows / 4, (double)columns / 5),
                     VALUES(TN_FLOAT32, TN_SHAPE(2), 0, 0));
}

static void every_kernel_agrees_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_RESIZED(scaled(x, 6, 3, "lanczos3", false), lanczos3);
    CHECK_RESIZED(scaled(x, 2, 3, "lanczos5", true), lanczos5_smooth);
    CHECK_RESIZED(scaled(x, 2, 3, "triangle", true), triangle_smooth);
    CHECK_RESIZED(scaled(x, 2, 12, "keyscubic", true), keyscubic_smooth);
    CHECK_RESIZED(scaled(x, 6, 3, "gaussian", false), gaussian);
    CHECK_RESIZED(scaled(x, 2, 3, "box", true), box_smooth);
    CHECK_RESIZED(scaled(x, 2, 3, "mitchellcubic", true), mitchell_smooth);
    scaling lanczos = { "lanczos3", true };
    CHECK_CASE(TN__APPLY(tn__op_ScaleAndTranslate, &lanczos, picture(), size_of(4, 4),
                         VALUES(TN_FLOAT32, TN_SHAPE(2), 0.5, 2),
                         VALUES(TN_FLOAT32, TN_SHAPE(2), 1, -0.7)),
               moved_y);
}

static void an_area_s_mean_agrees_with_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_CASE(tn_image_resize(picture(), { 6, 3 }, "area"), area_y);
    CHECK_CASE(tn_image_resize(picture(), { 2, 2 }, "area"), area_small_y);
}

static void the_function_chooses_the_op(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_CASE(tn_image_resize(picture(), { 6, 3 }), bilinear_half_y);
    CHECK_CASE(tn_image_resize(picture(), { 6, 3 }, "bicubic"), bicubic_half_y);
    CHECK_CASE(tn_image_resize(picture(), { 2, 3 }, .antialias = true), triangle_smooth_y);
    CHECK_CASE(tn_image_resize(picture(), { 8, 6 }, .preserve_aspect_ratio = true), ratio_y);
    tn_tensor *single = tn_squeeze(picture(), TN_AXES(0)), *y = tn_image_resize(single, { 6, 3 });
    assert_string_equal(tn_shape_text(y), "(6, 3, 2)");
    CHECK_CASE(y, bilinear_half_y);
    CHECK_TENSOR(tn_image_resize(single, { 4, 5 }), single, 0, 0);
    CHECK_VALUES(tn_size(tn_image_resize(tn_zeros(TN_SHAPE(7, 14, 1), TN_FLOAT32), { 29, 29 },
                                         .preserve_aspect_ratio = true)),
                 0, 14 * 29); /* 15 rows in double */
}

/* tf.image.resize of uint8 [[0, 0, 9], [0, 0, 0]] to (2, 3) */
static void images_that_keep_their_size_are_resized_all_the_same(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *const methods[] = { "bilinear", "bicubic",  "area",          "lanczos3",
                                    "lanczos5", "gaussian", "mitchellcubic", "nearest" };
    const double identity[] = { 0, 0, 9, 0, 0, 0 },
                 gaussian[] = { 0, 0.8442991971969604,  6.9822306632995605,
                                0, 0.11426346749067307, 0.944942057132721 },
                 mitchell[] = { 0, 0.4705892503261566,   7.972315311431885,
                                0, 0.029411908239126205, 0.49827107787132263 };
    tn_tensor *x = VALUES(TN_UINT8, TN_SHAPE(1, 2, 3, 1), 0, 0, 9, 0, 0, 0);
    for (int i = 0; i < 8; i++) {
        const double *want = i == 5 ? gaussian : i == 6 ? mitchell : identity;
        tn_dtype dtype = i == 7 ? TN_UINT8 : TN_FLOAT32;
        CHECK_TENSOR(tn_image_resize(x, { 2, 3 }, methods[i]),
                     check_tensor_of(dtype, TN_SHAPE(1, 2, 3, 1), want, 6), 1e-6, 1e-6);
    }
    CHECK_NO_ERROR();
}

static void every_mode_and_derivative_holds(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_cast(check_numbers(TN_SHAPE(2, 3, 4, 2), -2, 2, 5), TN_FLOAT32);
    tn_tensor *dy = tn_cast(check_numbers(TN_SHAPE(2, 5, 3, 2), -2, 2, 5), TN_FLOAT32);
    tn_tensor *size = size_of(5, 3);
    unsigned skip = SKIP_GRADIENT | SKIP_SECOND_ORDER; /* computed in float32: see CHECK_RESIZED */
    CHECK_OP(.op = &tn__op_ResizeBilinear, .attrs = &half, .inputs = TN_LIST(x, size),
             .constant = 2, .skip = skip);
    CHECK_OP(.op = &tn__op_ResizeBicubic, .attrs = &half, .inputs = TN_LIST(x, size), .constant = 2,
             .skip = skip);
    CHECK_OP(.op = &tn__op_ResizeNearestNeighbor, .attrs = &half, .inputs = TN_LIST(x, size),
             .constant = 2);
    CHECK_OP(.op = &tn__op_ResizeBilinearGrad, .attrs = &half, .inputs = TN_LIST(dy, x),
             .constant = 2, .skip = skip | SKIP_ANY_BATCH | SKIP_EMPTY);
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    REFUSED(tn_image_resize(image(TN_SHAPE(4, 5)), { 6, 3 }),
            "'images' must have either 3 or 4 dimensions.");
    REFUSED(tn_image_resize(picture(), { 6, 3 }, "cubic"),
            "Resize method is not implemented: cubic");
    REFUSED(tn_image_resize(picture(), { 0, 3 }), "output dimensions must be positive");
    REFUSED(tn_image_resize(tn_zeros(TN_SHAPE(1, 0, 3, 1), TN_FLOAT32), { 2, 2 }),
            "input image must be of non-zero size");
    scaling unknown = { "hat", true };
    tn_tensor *two = VALUES(TN_FLOAT32, TN_SHAPE(2), 1, 1);
    REFUSED(TN__APPLY(tn__op_ScaleAndTranslate, &unknown, picture(), size_of(2, 2), two, two),
            "Unrecognized kernel type: hat");
    scaling lanczos = { "lanczos3", true };
    REFUSED(TN__APPLY(tn__op_ScaleAndTranslate, &lanczos, picture(), size_of(2, 2),
                      tn_zeros_like(two), two),
            "scale must be greater than zero.");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_of_two_and_four_neighbours_agree_with_tensorflow),
        cmocka_unit_test(the_nearest_place_is_tensorflow_s),
        cmocka_unit_test(every_kernel_agrees_with_tensorflow),
        cmocka_unit_test(an_area_s_mean_agrees_with_tensorflow),
        cmocka_unit_test(the_function_chooses_the_op),
        cmocka_unit_test(images_that_keep_their_size_are_resized_all_the_same),
        cmocka_unit_test(every_mode_and_derivative_holds),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
