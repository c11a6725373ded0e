/* merge_test.c */
#include "support/check_layer.h"
#include "nn/config.h"
#include "nn/layers/testdata/more.h"
#include "nn/layers/testdata/values.h"

static void tensors_are_added(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = layer_input(TN_SHAPE(2, 4), 0), *b = layer_input(TN_SHAPE(2, 4), 1),
              *c = layer_input(TN_SHAPE(2, 4), 2), *cube = layer_input(TN_SHAPE(2, 3, 4), 0);
    CHECK_LAYER(.layer = tn_add_layer(), .text = "add()", .inputs = TN_LIST(a, b, c),
                .expected = VALUES_OF(added));
    CHECK_LAYER(.layer = tn_add_layer(), .inputs = TN_LIST(cube, b),
                .expected = VALUES_OF(added_ranks), .skip = SKIP_EMPTY | SKIP_ANY_BATCH);
}

static void tensors_are_merged_element_by_element(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = layer_input(TN_SHAPE(2, 4), 0), *b = layer_input(TN_SHAPE(2, 4), 1),
              *c = layer_input(TN_SHAPE(2, 4), 2), *cube = layer_input(TN_SHAPE(2, 3, 4), 0);
    CHECK_LAYER(.layer = tn_subtract_layer(), .text = "subtract()", .inputs = TN_LIST(a, b),
                .expected = VALUES_OF(subtracted));
    CHECK_LAYER(.layer = tn_multiply_layer(), .text = "multiply()", .inputs = TN_LIST(a, b, c),
                .expected = VALUES_OF(multiplied));
    CHECK_LAYER(.layer = tn_average(), .text = "average()", .inputs = TN_LIST(a, b, c),
                .expected = VALUES_OF(averaged));
    CHECK_LAYER(.layer = tn_maximum_layer(), .text = "maximum()", .inputs = TN_LIST(cube, b),
                .expected = VALUES_OF(greatest), .skip = SKIP_EMPTY | SKIP_ANY_BATCH);
    CHECK_LAYER(.layer = tn_minimum_layer(), .text = "minimum()", .inputs = TN_LIST(a, b, c),
                .expected = VALUES_OF(least));
    assert_null(tn_call(tn_subtract_layer(), a, b, c));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "A `Subtract` layer should be called on exactly 2 inputs. "
                                     "Received: input_shape=[(2, 4), (2, 4), (2, 4)]");
}

/* The result, and then its mask. */
static tn_tensor *with_its_mask(tn_tensor *y)
{
    tn_tensor *mask = tn_cast(tn_mask(y), TN_FLOAT32);
    return tn_concat(TN_LIST(tn_reshape(y, TN_SHAPE(TN_NONE)), tn_reshape(mask, TN_SHAPE(TN_NONE))),
                     0);
}

static void check_recorded(tn_tensor *got, layer_values want)
{
    CHECK_TENSOR(got,
                 check_tensor_of(TN_FLOAT32, TN_SHAPE((int64_t)want.count), want.value, want.count),
                 1e-6, 1e-6);
}

static void places_that_do_not_count_take_no_part(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *first = tn_cast(VALUES(TN_INT32, TN_SHAPE(1, 4), 1, 1, 0, 0), TN_BOOL),
              *second = tn_cast(VALUES(TN_INT32, TN_SHAPE(1, 4), 1, 0, 1, 0), TN_BOOL);
    tn_tensor *plain = layer_input(TN_SHAPE(1, 4, 2), 3),
              *x = tn_with_mask(layer_input(TN_SHAPE(1, 4, 2), 0), first),
              *y = tn_with_mask(plain, second);
    check_recorded(with_its_mask(tn_call(tn_multiply_layer(), x, y)), VALUES_OF(multiplied_masked));
    check_recorded(with_its_mask(tn_call(tn_maximum_layer(), x, y)), VALUES_OF(greatest_masked));
    check_recorded(with_its_mask(tn_call(tn_concatenate(1), x, y)), VALUES_OF(joined_masked));
    CHECK_VALUES(tn_cast(tn_mask(tn_call(tn_add_layer(), x, y)), TN_INT32), 0, 1, 1, 1, 0);
    assert_null(tn_mask(tn_call(tn_add_layer(), x, plain)));
}

static void tensors_are_joined(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *cube = layer_input(TN_SHAPE(2, 3, 4), 0), *more = layer_input(TN_SHAPE(2, 2, 4), 1);
    CHECK_LAYER(.layer = tn_concatenate(1), .text = "concatenate(1)", .inputs = TN_LIST(cube, more),
                .expected = VALUES_OF(joined));
    assert_null(tn_call(tn_concatenate(), cube, more));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "A `Concatenate` layer requires inputs with matching shapes except for "
                "the concatenation axis. Received: input_shape=[(2, 3, 4), (2, 2, 4)]");
}

static void shapes_that_do_not_fit_are_told(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = layer_input(TN_SHAPE(2, 4), 0);
    assert_null(tn_call(tn_add_layer(), a, layer_input(TN_SHAPE(2, 3), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Inputs have incompatible shapes. Received shapes (4,) and (3,)");
    assert_null(tn_call(tn_add_layer(), a, layer_input(TN_SHAPE(3, 4), 0)));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Cannot merge tensors with different batch sizes. Received tensors with "
                "shapes [(2, 4), (3, 4)]");
}

static tn_tensor *masked(int64_t first, int64_t second)
{
    float values[12] = { 0 };
    values[2 * first] = values[6 + 2 * second + 1] = 1;
    return tn_call(tn_masking(0), tn_constant(TN_FLOAT32, TN_SHAPE(2, 3, 2), values));
}

/* What Keras's compute_mask gives. */
static void masks_are_merged(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = masked(0, 1), *b = masked(2, 1), *plain = layer_input(TN_SHAPE(2, 3, 2), 0);
    assert_string_equal(tn_text(tn_mask(tn_call(tn_add_layer(), a, b))),
                        "[[ True False  True]\n [False  True False]]");
    assert_null(tn_mask(tn_call(tn_add_layer(), a, plain)));
    assert_null(tn_mask(tn_call(tn_add_layer(), plain, plain)));
    assert_string_equal(tn_text(tn_mask(tn_call(tn_concatenate(), a, b))),
                        "[[ True False  True]\n [False  True False]]");
    assert_string_equal(tn_text(tn_mask(tn_call(tn_concatenate(), a, plain))),
                        "[[ True  True  True]\n [ True  True  True]]");
    assert_string_equal(
        tn_text(tn_mask(tn_call(tn_concatenate(1), a, plain))),
        "[[ True False False  True  True  True]\n [False  True False  True  True  True]]");
    assert_null(tn_mask(tn_call(tn_concatenate(), plain, plain)));
    CHECK_NO_ERROR();
}

/* Keras builds them for a list of shapes, and calls them with a list, even of one. */
static void files_say_lists(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = tn_input(TN_SHAPE(4)), *b = tn_input(TN_SHAPE(1));
    tn_model *model = tn_model(
        tn_tuple(a, b), tn_call(tn_concatenate(), tn_call(tn_add_layer(.name = "sum"), a, b)));
    CHECK_NO_ERROR();
    json_t *json = tn__layer_to_json(tn_get_layer(model, "sum"), TN__KERAS_3);
    json_t *shapes = json_object_get(json_object_get(json, "build_config"), "input_shape");
    assert_int_equal(json_array_size(shapes), 2);
    assert_int_equal(json_integer_value(json_array_get(json_array_get(shapes, 1), 1)), 1);
    json_decref(json);
    json = tn__layer_to_json(model, TN__KERAS_3);
    json_t *layers = json_object_get(json_object_get(json, "config"), "layers");
    json_t *node = json_array_get(json_object_get(json_array_get(layers, 3), "inbound_nodes"), 0);
    assert_true(json_is_array(json_array_get(json_object_get(node, "args"), 0)));
    json_decref(json);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_added),
        cmocka_unit_test(tensors_are_merged_element_by_element),
        cmocka_unit_test(places_that_do_not_count_take_no_part),
        cmocka_unit_test(tensors_are_joined),
        cmocka_unit_test(shapes_that_do_not_fit_are_told),
        cmocka_unit_test(masks_are_merged),
        cmocka_unit_test(files_say_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
