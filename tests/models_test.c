/* models_test.c - layers and models together: names, calls, cuts, configs. */
#include "support/check.h"
#include "nn/config.h"
#include <stdlib.h>

static tn_tensor *numbers(tn_shape shape)
{
    float values[256];
    for (int i = 0; i < 256; i++)
        values[i] = (float)(i % 7) / 7 - 0.4f;
    return tn_constant(TN_FLOAT32, shape, values);
}

static void a_dense_layer_builds_at_its_first_call(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *dense = tn_dense(3, .activation = "relu");
    assert_int_equal(tn_variables(dense).count, 0);
    tn_tensor *y = tn_call(dense, numbers(TN_SHAPE(2, 4)));
    CHECK_NO_ERROR();
    assert_string_equal(tn_shape_text(y), "(2, 3)");
    assert_int_equal(tn_variables(dense).count, 2);
    assert_string_equal(tn_layer_name(dense), "dense");
}

static void names_carry_the_scope_and_the_layer(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *head;
    {
        TN_WITH(tn_name_scope("new_layer_scope"));
        head = tn_dense(2, .name = "new_dense");
    }
    tn_tensor *x = tn_input(TN_SHAPE(4));
    tn_model *model = tn_model(x, tn_call(head, x));
    CHECK_NO_ERROR();
    assert_string_equal(tn_name(tn_variables(model).item[0]), "new_layer_scope/new_dense/kernel");
    tn_model *inner;
    {
        TN_WITH(tn_name_scope("model_0"));
        inner = tn_sequential(TN_LAYERS(tn_dense(3, .name = "dense_1", .input_shape = TN_SHAPE(4)), tn_dense(2)), .name = "s");
    }
    CHECK_NO_ERROR();
    assert_string_equal(tn_name(tn_variables(inner).item[1]), "model_0/dense_1/bias");
    assert_string_equal(tn_variable_path(tn_variables(inner).item[1]), "s/dense_1/bias");
}

static void a_functional_model_equals_its_layers_one_by_one(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *a = tn_dense(3), *b = tn_dense(2);
    tn_tensor *x = tn_input(TN_SHAPE(4));
    tn_model *model = tn_model(x, tn_call(b, tn_call(a, x)));
    tn_tensor *v = numbers(TN_SHAPE(5, 4));
    tn_tensor *y = tn_call(model, v), *z = tn_call(b, tn_call(a, v));
    CHECK_NO_ERROR();
    assert_memory_equal(tn_data_float32(y), tn_data_float32(z), 10 * sizeof(float));
    assert_string_equal(tn_shape_text(tn_model_output(model)), "(None, 2)");
}

static void a_model_can_begin_at_any_inner_tensor(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *a = tn_dense(3), *b = tn_dense(2);
    tn_tensor *x = tn_input(TN_SHAPE(4)), *h = tn_call(a, x);
    tn_model *tail = tn_model(h, tn_call(b, h));
    tn_tensor *v = numbers(TN_SHAPE(5, 3));
    CHECK_NO_ERROR();
    assert_memory_equal(tn_data_float32(tn_call(tail, v)), tn_data_float32(tn_call(b, v)), 10 * sizeof(float));
}

static void a_base_is_extended_and_frozen(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *base = tn_sequential(TN_LAYERS(tn_dense(3, .activation = "relu", .input_shape = TN_SHAPE(4)), tn_dense(2)));
    tn_model *model = tn_model(tn_model_input(base), tn_call(tn_dense(5), tn_model_output(base)));
    tn_set_trainable(base, false);
    CHECK_NO_ERROR();
    assert_int_equal(tn_trainable_variables(model).count, 2);
    assert_int_equal(tn_variables(model).count, 6);
    assert_string_equal(tn_shape_text(tn_call(model, numbers(TN_SHAPE(1, 4)))), "(1, 5)");
}

static void a_config_gives_the_same_model_again(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *a = tn_input(TN_SHAPE(4), .name = "a"), *b = tn_input(TN_SHAPE(4), .name = "b");
    tn_layer *shared = tn_dense(3, "relu", .name = "shared");
    tn_tensor *first = tn_call(shared, a), *second = tn_call(shared, b);
    tn_model *model = tn_model(tn_tuple(a, b), tn_tuple(tn_call(tn_dense(1, .name = "out"), first), second), .name = "siamese");
    CHECK_NO_ERROR();
    json_t *json = tn__layer_to_json(model, TN__KERAS_3);
    assert_non_null(json);
    tn_layer *again;
    CHECK_OK(tn__layer_from_json(tn__context(), json, &again));
    json_t *json2 = tn__layer_to_json(again, TN__KERAS_3);
    char *text = json_dumps(json, JSON_COMPACT), *text2 = json_dumps(json2, JSON_COMPACT);
    assert_string_equal(text, text2);
    free(text);
    free(text2);
    json_decref(json);
    json_decref(json2);
    tn__release(again);
    CHECK_NO_ERROR();
}

static void automatic_names_give_way_and_explicit_ones_clash(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_clear_session();
    tn_layer *first = tn_dense(2), *second = tn_dense(2, .name = "dense");
    tn_model *model = tn_sequential(TN_LAYERS(first, second));
    CHECK_NO_ERROR();
    assert_string_equal(tn_layer_name(tn_layers(model).item[0]), "dense_1");
    assert_null(tn_sequential(TN_LAYERS(tn_dense(2, .name = "d"), tn_dense(2, .name = "d"))));
    CHECK_ERROR(TN_ALREADY_EXISTS, "All layers added to a Sequential model should have unique names. Name 'd' is already the name");
}

static bool build_and_call(void *self)
{
    (void)self;
    tn_tensor *x = tn_input(TN_SHAPE(4));
    tn_model *model = tn_model(x, tn_call(tn_dense(2), tn_call(tn_sequential(TN_LAYERS(tn_dense(3, "relu"))), x)));
    tn_tensor *v = tn_ones(TN_SHAPE(5, 4), TN_FLOAT32);
    return tn_call(model, v) != NULL;
}

static void running_out_of_memory_while_building_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(build_and_call, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dense_layer_builds_at_its_first_call),
        cmocka_unit_test(names_carry_the_scope_and_the_layer),
        cmocka_unit_test(a_functional_model_equals_its_layers_one_by_one),
        cmocka_unit_test(a_model_can_begin_at_any_inner_tensor),
        cmocka_unit_test(a_base_is_extended_and_frozen),
        cmocka_unit_test(a_config_gives_the_same_model_again),
        cmocka_unit_test(automatic_names_give_way_and_explicit_ones_clash),
        cmocka_unit_test(running_out_of_memory_while_building_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
