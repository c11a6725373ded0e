/* mask_test.c - masks through layers, models, functions and losses. Numbers: Keras 3.15's (a Masking layer before a Dense of ones). */
#include "support/check.h"
#include <math.h>

static double value_at(tn_tensor *x, int64_t i)
{
    return tn_to_double(tn_gather(tn_reshape(x, TN_SHAPE(-1)), tn_scalar(i), 0));
}

static const float steps[] = { 1, 2, 0, 0, 3, 0, 0, 0, 4, 5, 0, 0 };

static tn_tensor *two_texts(void)
{
    return tn_constant(TN_FLOAT32, TN_SHAPE(2, 3, 2), steps);
}

static void check_mask(tn_tensor *y)
{
    const double counts[] = { 1, 0, 1, 0, 1, 0 };
    tn_tensor *mask = tn_mask(y);
    assert_non_null(mask);
    assert_int_equal(tn_dtype_of(mask), TN_BOOL);
    assert_string_equal(tn_shape_text(mask), "(2, 3)");
    for (int64_t i = 0; i < 6; i++)
        assert_true(value_at(mask, i) == counts[i]);
    CHECK_NO_ERROR();
}

static void a_mask_goes_through_layers_that_support_it(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_call(tn_masking(0), two_texts());
    check_mask(x);
    check_mask(tn_call(tn_dense(4), x));
    check_mask(tn_call(tn_dropout(0.5), tn_call(tn_activation("relu"), x)));
    assert_null(tn_mask(tn_add(x, x))); /* ops know of no masks */
    CHECK_NO_ERROR();
}

static void a_layer_without_masks_ends_it(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_call(tn_masking(0), two_texts());
    assert_null(tn_mask(tn_call(tn_flatten(), x)));
    assert_null(tn_mask(two_texts()));
    CHECK_NO_ERROR();
}

static void models_hand_masks_on(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *row = tn_sequential(TN_LAYERS(tn_masking(0), tn_dense(2)));
    check_mask(tn_call(row, two_texts()));
    tn_tensor *input = tn_input(TN_SHAPE(3, 2)), *masked = tn_call(tn_masking(0), input);
    assert_string_equal(tn_shape_text(tn_mask(masked)), "(None, 3)");
    tn_model *graph = tn_model(input, tn_call(tn_dense(2), masked));
    check_mask(tn_call(graph, two_texts()));
    check_mask(tn_call(tn_model(input, tn_call(graph, input)), two_texts()));
    tn_model *mask_out = tn_model(input, tn_cast(tn_mask(masked), TN_INT32));
    assert_int_equal(value_at(tn_call(mask_out, two_texts()), 1), 0);
    assert_int_equal(value_at(tn_call(mask_out, two_texts()), 2), 1);
    CHECK_NO_ERROR();
}

static void a_given_mask_stands_for_the_inputs_own(void **state)
{
    (void)state;
    TN_SCOPE;
    const bool given[] = { true, true, false };
    tn_tensor *mask = tn_constant(TN_BOOL, TN_SHAPE(3), given), *x = tn_zeros(TN_SHAPE(3), TN_FLOAT32);
    tn_tensor *y = tn_call_with(tn_softmax(), TN_LIST(x), .mask = mask);
    assert_true(value_at(y, 0) == 0.5 && value_at(y, 2) == 0);
    assert_true(value_at(tn_call(tn_softmax(), tn_with_mask(x, mask)), 2) == 0);
    assert_null(tn_mask(tn_with_mask(tn_with_mask(x, mask), NULL)));
    assert_null(tn_mask(x)); /* x itself is as it was */
    tn_tensor *input = tn_input(TN_SHAPE(3)), *which = tn_input(TN_SHAPE(3), .dtype = TN_BOOL);
    tn_model *model = tn_model(tn_tuple(input, which), tn_call_with(tn_softmax(), TN_LIST(input), .mask = which));
    tn_tensor *row = tn_reshape(x, TN_SHAPE(1, 3)), *places = tn_reshape(mask, TN_SHAPE(1, 3));
    assert_true(value_at(tn_call(model, row, places), 1) == 0.5);
    CHECK_NO_ERROR();
}

static void wrong_masks_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_zeros(TN_SHAPE(2, 3), TN_FLOAT32), *mask = tn_zeros(TN_SHAPE(2, 2), TN_BOOL);
    assert_null(tn_call_with(tn_softmax(), TN_LIST(x), .mask = mask));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The `mask` must be broadcastable to `inputs`.");
    assert_null(tn_call_with(tn_softmax(), TN_LIST(x), .mask = tn_tuple(mask, mask)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "mask has 2 tensors for 1 inputs");
    assert_null(tn_with_mask(x, tn_tuple(mask, mask)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a mask is one tensor");
    assert_null(tn_with_mask(tn_tuple(x, x), mask));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "x is a tuple of 2 tensors");
}

/* --- classes of a program's own ----------------------------------------------------------------------------------------- */
static tn_tensor *first_step(void *self, tn_list inputs)
{
    (void)self;
    return tn_slice(tn_at(inputs, 0), TN_SHAPE(0, 0, 0), TN_SHAPE(-1, 1, -1));
}

static tn_tensor *first_step_mask(void *self, tn_list inputs)
{
    (void)self;
    tn_tensor *mask = tn_mask(tn_at(inputs, 0));
    return mask ? tn_slice(mask, TN_SHAPE(0, 0), TN_SHAPE(-1, 1)) : NULL;
}
static const tn_class FirstStep = { .name = "FirstStep", .size = 1, .call = first_step, .compute_mask = first_step_mask };
static const tn_class Traced = { .name = "Traced", .size = 1, .call = first_step, .compute_mask = first_step_mask, .traced = true };

static void a_class_of_ones_own_computes_its_mask(void **state)
{
    (void)state;
    TN_SCOPE;
    const tn_class *classes[] = { &FirstStep, &Traced };
    for (int i = 0; i < 2; i++) {
        tn_layer *layer = tn_new(classes[i], { 0 });
        tn_tensor *y = tn_call(layer, tn_call(tn_masking(0), two_texts()));
        assert_string_equal(tn_shape_text(tn_mask(y)), "(2, 1)");
        assert_true(value_at(tn_mask(y), 0) == 1 && value_at(tn_mask(y), 1) == 0);
        assert_null(tn_mask(tn_call(layer, two_texts())));
        CHECK_NO_ERROR();
    }
}

/* --- tapes, losses, fit ------------------------------------------------------------------------------------------------- */
static void a_tape_sees_through_masked_handles(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = two_texts();
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *y = tn_reduce_sum(tn_square(tn_with_mask(x, tn_ones(TN_SHAPE(2, 3), TN_BOOL))));
    tn_tensor *g = tn_gradient_of(tape, y, x);
    assert_true(value_at(g, 9) == 10);
    CHECK_NO_ERROR();
}

static void training_counts_only_what_the_mask_lets(void **state)
{
    (void)state;
    TN_SCOPE;
    const float labels[] = { 0, 1, 2, 3, 4, 5 };
    tn_tensor *y = tn_constant(TN_FLOAT32, TN_SHAPE(2, 3, 1), labels);
    tn_model *model = tn_sequential(TN_LAYERS(tn_masking(0, .input_shape = TN_SHAPE(3, 2)), tn_dense(1, .kernel_initializer = "ones")));
    tn_must(tn_compile(model, tn_sgd(0.1), "mse", { "mae" }));
    tn_tensor *before = tn_evaluate(model, two_texts(), y);
    assert_true(fabs(value_at(before, 0) - 11.666666984558105) < 1e-5);
    assert_true(fabs(value_at(before, 1) - 3) < 1e-6);
    tn_history *history = tn_fit(model, two_texts(), y, .epochs = 2, .shuffle = false, .verbose = 0);
    assert_true(fabs(tn_history_value(history, "loss", 1) - 66.8696517944336) < 1e-3);
    assert_true(fabs(tn_history_value(history, "mae", 1) - 7.044445037841797) < 1e-4);
    tn_list weights = tn_get_weights(model);
    assert_true(fabs(value_at(weights.item[0], 0) - 3.8888893127441406) < 1e-4);
    assert_true(fabs(value_at(weights.item[1], 0) - 0.8088891506195068) < 1e-4);
    CHECK_NO_ERROR();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mask_goes_through_layers_that_support_it),
        cmocka_unit_test(a_layer_without_masks_ends_it),
        cmocka_unit_test(models_hand_masks_on),
        cmocka_unit_test(a_given_mask_stands_for_the_inputs_own),
        cmocka_unit_test(wrong_masks_are_refused),
        cmocka_unit_test(a_class_of_ones_own_computes_its_mask),
        cmocka_unit_test(a_tape_sees_through_masked_handles),
        cmocka_unit_test(training_counts_only_what_the_mask_lets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
