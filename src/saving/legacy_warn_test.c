#include "saving/testdata.h"

static const char *said_while_saving(tn_model *model, int keras)
{
    sink_text *heard = listen_to_sink();
    CHECK_OK(tn_save(model, temporary_path("warned.h5"), .keras = keras));
    stop_listening();
    return heard->text;
}

static tn_model *model_of(tn_layer *layer)
{
    tn_tensor *x = tn_input(TN_SHAPE(3, 4));
    return tn_model(x, tn_call(layer, x));
}

static tn_model *within_another(tn_layer *layer)
{
    tn_tensor *x = tn_input(TN_SHAPE(3, 4));
    return tn_model(x, tn_call(model_of(layer), x));
}

static void check_axis_is_told(tn_layer *layer, const char *class, const char *axis)
{
    const char *wanted_text = tn_format(
        "%s 'it': Keras 3 drops its axis=%s when it reads this .h5, and takes the default: the "
        "model "
        "gives other numbers there, or does not open. A .keras, or an .h5 for Keras 3, keeps it.\n",
        class, axis);
    CHECK_NO_ERROR();
    const char *said = said_while_saving(layer, 0);
    const char *found = strstr(said, wanted_text);
    if (!found)
        fail_msg("expected %sgot %s", wanted_text, said);
    assert_null(strstr(found + strlen(wanted_text), "'it'"));
    assert_null(strstr(said_while_saving(layer, 3), "axis"));
}

static void an_axis_that_keras_3_drops_is_told_with_its_layer(void **state)
{
    (void)state;
    TN_SCOPE;
    const tn_axes both = TN_AXES(1, 2);
    check_axis_is_told(model_of(tn_softmax(.axis = both, .name = "it")), "Softmax", "[1, 2]");
    check_axis_is_told(within_another(tn_softmax(.axis = both, .name = "it")), "Softmax", "[1, 2]");
    check_axis_is_told(model_of(tn_layer_normalization(.axis = both, .name = "it")),
                       "LayerNormalization", "[1, 2]");
    check_axis_is_told(model_of(tn_unit_normalization(.axis = both, .name = "it")),
                       "UnitNormalization", "[1, 2]");
    check_axis_is_told(model_of(tn_normalization(.axis = both, .name = "it")), "Normalization",
                       "[1, 2]");
    check_axis_is_told(model_of(tn_normalization(.axis = { 0 }, .name = "it")), "Normalization",
                       "[]");
}

static void an_axis_that_keras_3_keeps_is_not_worth_a_word(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *two = tn_constant(TN_FLOAT32, TN_SCALAR, (float[]){ 2 });
    tn_layer *const layers[] = {
        tn_softmax(.axis = TN_AXES(1)),
        tn_layer_normalization(.axis = TN_AXES(1)),
        tn_batch_normalization(.axis = 1),
        tn_normalization(.axis = TN_AXES(2)),
        tn_normalization(.axis = { 0 }, .mean = two, .variance = two),
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        tn_model *model = model_of(layers[i]);
        CHECK_NO_ERROR();
        assert_string_equal(said_while_saving(model, 0), "");
    }
}

static void what_a_normalization_inside_another_model_learned_is_told_to_be_lost(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *two = tn_constant(TN_FLOAT32, TN_SCALAR, (float[]){ 2 });
    assert_string_equal(
        said_while_saving(within_another(tn_normalization(.name = "it")), 0),
        "WARNING: Normalization 'it': inside another model Keras 3 goes on with the mean 0 and the "
        "variance "
        "1 when it reads an .h5: the model gives other numbers there. A .keras keeps what was "
        "adapted.\n");
    tn_model *given = within_another(tn_normalization(.mean = two, .variance = two));
    assert_string_equal(said_while_saving(given, 0), "");
    sink_text *heard = listen_to_sink();
    CHECK_OK(tn_save(within_another(tn_normalization()), temporary_path("silent.keras")));
    stop_listening();
    assert_string_equal(heard->text, "");
}

static void hard_sigmoid_for_keras_2_is_told_to_be_another_for_keras_3(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = model_of(tn_dense(2, .activation = "hard_sigmoid_keras2", .name = "it"));
    assert_string_equal(
        said_while_saving(model, 2),
        "WARNING: Dense 'it': hard_sigmoid is another function in Keras 3, which gives "
        "other numbers when it reads this .h5. A .keras, or an .h5 for Keras 3, "
        "keeps it.\n");
    assert_string_equal(said_while_saving(model, 3), "");
}

static bool save_it(void *model)
{
    return tn_save(model, temporary_path("warned.h5"), .keras = 2) == TN_OK;
}

static void running_out_of_memory_while_looking_leaks_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = model_of(tn_softmax(.axis = TN_AXES(1, 2), .name = "it"));
    CHECK_NO_ERROR();
    listen_to_sink();
    check_allocation_failures(save_it, model);
    stop_listening();
}

int main(void)
{
    tests_begin();
    tests_count_json();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_axis_that_keras_3_drops_is_told_with_its_layer),
        cmocka_unit_test(an_axis_that_keras_3_keeps_is_not_worth_a_word),
        cmocka_unit_test(what_a_normalization_inside_another_model_learned_is_told_to_be_lost),
        cmocka_unit_test(hard_sigmoid_for_keras_2_is_told_to_be_another_for_keras_3),
        cmocka_unit_test(running_out_of_memory_while_looking_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
