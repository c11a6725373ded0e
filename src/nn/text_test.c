/* text_test.c - layers and models from text, and the outputs of layers within a model. */
#include "nn/layer.h"
#include "support/check_op.h"

static void a_text_makes_the_layer_that_the_call_makes(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_clear_session();
    tn_layer *layer = tn_layer_of("dense(3, relu, use_bias=false, name=head, trainable=false)");
    assert_string_equal(tn_layer_name(layer), "head");
    assert_string_equal(tn_layer_class_name(layer), "Dense");
    assert_false(tn_is_trainable(layer));
    tn_call(layer, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32));
    assert_int_equal(tn_variables(layer).count, 1);
    const char *const spellings[] = { "Dense(2)", "dense(units=2)", " dense ( 2 ) " };
    for (int i = 0; i < 3; i++)
        assert_non_null(tn_layer_of(spellings[i]));
    CHECK_NO_ERROR();
}

static void what_is_wrong_in_a_text_is_answered_with_what_there_is(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_layer_of("dens(10)"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Unknown layer: 'dens'\ndid you mean 'dense'? there are: input, dense, ");
    assert_null(tn_layer_of("sequential()")); /* has no text of its own */
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Unknown layer: 'sequential'");
    assert_null(tn_layer_of("dense(10, activaton=relu)"));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Dense has no argument 'activaton'\nit takes: units, activation, ");
    assert_null(tn_layer_of("dense(10, no_such)"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Unknown activation: 'no_such'");
    assert_null(tn_layer_of("dense(ten)"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "`units`. Expected an integer. Received: units=ten");
    assert_null(tn_layer_of("dense(10, units=3)"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "multiple values for argument 'units'");
    assert_null(tn_layer_of("dense(10"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "no closing parenthesis");
    assert_null(tn_layer_of(""));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a name is missing");
    assert_null(tn_layer_of(NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "text is NULL");
    assert_null(tn_sequential_of(NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "text is NULL");
}

static void an_input_is_written_with_its_dimensions(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model =
        tn_sequential_of("input(8, 8, 1, name=image, dtype=float32); flatten(); dense(2)");
    assert_string_equal(tn_shape_text(tn_model_input(model)), "(None, 8, 8, 1)");
    assert_string_equal(tn_shape_text(tn_model_output(model)), "(None, 2)");
    assert_string_equal(tn_shape_text(tn_model_input(tn_sequential_of("input((4, 3)); flatten()"))),
                        "(None, 4, 3)");
    assert_int_equal(
        tn_dtype_of(tn_model_input(tn_sequential_of("input(2, dtype=int32); flatten()"))),
        TN_INT32);
    CHECK_NO_ERROR();
    assert_null(tn_layer_of("input(2, dtype=float8)"));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`dtype`. Expected a dtype like float32. Received: dtype=float8");
    assert_null(tn_layer_of("input(2, sparse=true)"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "input has no argument 'sparse'");
    assert_null(tn_layer_of("input(1, 2, 3, 4, 5, 6, 7, 8)"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is not a shape");
    assert_null(tn_layer_of("input(x)"));
    assert_int_not_equal(tn_pending(), TN_OK);
    tn_catch(TN_ANY_ERROR);
}

static void one_wrong_layer_leaves_no_model(void **state)
{
    (void)state;
    TN_SCOPE;
    size_t handles = tn_live_handles();
    {
        TN_SCOPE;
        assert_null(tn_sequential_of("input(2); dense(3); dens(1)"));
        CHECK_ERROR(TN_INVALID_ARGUMENT, "Unknown layer: 'dens'");
    }
    assert_int_equal(tn_live_handles(), handles);
    assert_non_null(tn_sequential_of(" ; dense(3) ;; dense(1); "));
    CHECK_NO_ERROR();
}

static void a_layers_output_is_that_of_its_first_call_in_the_model(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_layer *shared = tn_dense(2, .name = "shared"), *stranger = tn_dense(2, .name = "stranger");
    tn_tensor *x = tn_input(TN_SHAPE(2)), *once = tn_call(shared, x),
              *twice = tn_call(shared, once);
    tn_model *model = tn_model(x, tn_call(tn_relu(), twice));
    tn_model *cut = tn_model(tn_model_input(model), tn_layer_output(model, shared));
    tn_tensor *ones = tn_ones(TN_SHAPE(1, 2), TN_FLOAT32);
    CHECK_TENSOR(tn_call(cut, ones), tn_call(shared, ones), 0, 0);
    assert_null(tn_layer_output(model, stranger));
    CHECK_ERROR(TN_NOT_FOUND, "does not call Dense 'stranger'");
    assert_null(tn_layer_output(model, NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_layer_output: layer is NULL");
    assert_null(tn_layer_output(NULL, shared));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is NULL");
}

static bool from_text(void *unused)
{
    (void)unused;
    tn_model *model = tn_sequential_of("input(2); dense(3, relu, name=a); dense(1)");
    return model && tn_layer_output(model, tn_get_layer(model, "a"));
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(from_text, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_makes_the_layer_that_the_call_makes),
        cmocka_unit_test(what_is_wrong_in_a_text_is_answered_with_what_there_is),
        cmocka_unit_test(an_input_is_written_with_its_dimensions),
        cmocka_unit_test(one_wrong_layer_leaves_no_model),
        cmocka_unit_test(a_layers_output_is_that_of_its_first_call_in_the_model),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
