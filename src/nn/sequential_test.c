/* sequential_test.c - layers one after the other: built at once, later, or bit by bit. */
#include "support/check.h"
#include <stdlib.h>

static tn_tensor *rows(int64_t n)
{
    return tn_ones(TN_SHAPE(n, 4), TN_FLOAT32);
}

static void a_sequential_without_an_input_is_built_by_its_first_call(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(3), tn_dense(2)));
    assert_int_equal(tn_variables(model).count, 0);
    assert_null(tn_model_output(model));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "has no defined input shape yet");
    assert_string_equal(tn_shape_text(tn_call(model, rows(5))), "(5, 2)");
    assert_string_equal(tn_shape_text(tn_model_input(model)), "(None, 4)");
    assert_string_equal(tn_shape_text(tn_model_output(model)), "(None, 2)");
    CHECK_NO_ERROR();
}

static void layers_added_later_extend_what_is_there(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential();
    CHECK_OK(tn_sequential_add(model, tn_dense(3, .input_shape = TN_SHAPE(4))));
    tn_variable *kernel = tn_variables(model).item[0];
    CHECK_OK(tn_sequential_add(model, tn_dense(2)));
    assert_string_equal(tn_shape_text(tn_model_output(model)), "(None, 2)");
    CHECK_OK(tn_sequential_add(model, tn_dense(7)));
    assert_string_equal(tn_shape_text(tn_model_output(model)), "(None, 7)");
    assert_ptr_equal(tn_variables(model).item[0], kernel);
    assert_string_equal(tn_shape_text(tn_call(model, rows(2))), "(2, 7)");
    CHECK_NO_ERROR();
}

static void a_layer_that_does_not_fit_is_not_left_in_the_model(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(3, .input_shape = TN_SHAPE(4))));
    assert_int_equal(tn_sequential_add(model, tn_layer_of("conv2d(2, 3)")), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "incompatible with the layer");
    assert_int_equal(tn_layers(model).count, 1);
    CHECK_OK(tn_sequential_add(model, tn_dense(2)));
    assert_string_equal(tn_shape_text(tn_call(model, rows(2))), "(2, 2)");
    CHECK_NO_ERROR();
}

static void models_within_models_never_go_in_a_circle(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *a = tn_sequential(.name = "a"), *b = tn_sequential(.name = "b"), *c = tn_sequential(.name = "c");
    assert_int_equal(tn_sequential_add(a, a), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot be a part of itself");
    CHECK_OK(tn_sequential_add(a, b));
    CHECK_OK(tn_sequential_add(b, c));
    assert_int_equal(tn_sequential_add(c, a), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "cannot be a part of itself");
    assert_int_equal(tn_layers(c).count, 0);
}

static void three_models_deep_every_weight_counts_once(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *shared = tn_dense(4, .name = "shared");
    tn_model *inner = tn_sequential(TN_LAYERS(shared), .name = "inner");
    tn_model *middle = tn_sequential(TN_LAYERS(inner, tn_dense(4)), .name = "middle");
    tn_model *outer = tn_sequential(TN_LAYERS(middle, shared, tn_dense(1)), .name = "outer");
    assert_string_equal(tn_shape_text(tn_call(outer, rows(2))), "(2, 1)");
    assert_int_equal(tn_variables(outer).count, 6);
    assert_string_equal(tn_name(tn_variables(outer).item[0]), "shared/kernel");
    assert_string_equal(tn_variable_path(tn_variables(outer).item[0]), "outer/middle/inner/shared/kernel");
    tn_set_trainable(inner, false);
    assert_int_equal(tn_trainable_variables(outer).count, 4);
    CHECK_NO_ERROR();
}

static void many_layers_take_neither_stack_nor_square_time(void **state)
{
    (void)state;
    TN_SCOPE;
    enum { MANY = 5000 };
    tn_layer **layer = malloc(MANY * sizeof *layer);
    for (int i = 0; i < MANY; i++)
        layer[i] = tn_activation("relu");
    tn_model *model = tn_sequential(tn_layer_list_of(MANY, layer));
    free(layer);
    tn_tensor *x = tn_ones(TN_SHAPE(1, 2), TN_FLOAT32);
    assert_float_equal(tn_to_double(tn_reduce_sum(tn_call(model, x))), 2, 0);
    assert_string_equal(tn_shape_text(tn_model_output(model)), "(None, 2)");
    CHECK_NO_ERROR();
}

static bool nest_and_grow(void *unused)
{
    (void)unused;
    tn_model *inner = tn_sequential(TN_LAYERS(tn_dense(3, .input_shape = TN_SHAPE(4))));
    tn_model *model = tn_sequential(TN_LAYERS(inner, tn_dense(2)));
    if (tn_sequential_add(model, tn_dense(1)) != TN_OK)
        return false;
    return tn_call(model, rows(2)) != NULL;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(nest_and_grow, NULL);
}

/* As Keras 2 writes a model that was made without an input and called later. */
static void a_config_that_says_the_input_only_at_its_end_is_built(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_model_from_json(
        "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": [{\"class_name\": "
        "\"Dense\", \"config\": {\"name\": \"out\", \"units\": 2}}], \"build_input_shape\": [null, 4]}}");
    CHECK_NO_ERROR();
    tn_list variables = tn_variables(model);
    assert_int_equal(variables.count, 2);
    assert_string_equal(tn_variable_path(variables.item[0]), "s/out/kernel");
    assert_string_equal(tn_shape_text(variables.item[0]), "(4, 2)");
    assert_null(tn_model_from_json(
        "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"BatchNormalization\", "
        "\"config\": {\"axis\": 0}}], \"build_input_shape\": [null, 4]}}"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Axis 0 of the inputs to layer");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sequential_without_an_input_is_built_by_its_first_call),
        cmocka_unit_test(layers_added_later_extend_what_is_there),
        cmocka_unit_test(a_layer_that_does_not_fit_is_not_left_in_the_model),
        cmocka_unit_test(models_within_models_never_go_in_a_circle),
        cmocka_unit_test(three_models_deep_every_weight_counts_once),
        cmocka_unit_test(many_layers_take_neither_stack_nor_square_time),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
        cmocka_unit_test(a_config_that_says_the_input_only_at_its_end_is_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
