/* normalization_test.c */
#include "support/check_layer.h"
#include "nn/layers/testdata/values.h"

#define MEAN VALUES(TN_FLOAT32, TN_SHAPE(3), 0.1, 0.2, 0.3)
#define VARIANCE VALUES(TN_FLOAT32, TN_SHAPE(3), 0.5, 2, 0.25)

static void given_numbers_are_used(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_list flat = TN_LIST(layer_input(TN_SHAPE(4, 3), 0));
    CHECK_LAYER(.layer = tn_normalization(.mean = MEAN, .variance = VARIANCE), .inputs = flat,
                .expected = VALUES_OF(normalized_given));
    CHECK_LAYER(.layer = tn_normalization(.mean = MEAN, .variance = VARIANCE, .invert = true),
                .inputs = flat, .expected = VALUES_OF(normalized_back));
    CHECK_LAYER(.layer = tn_normalization(), .text = "normalization()", .inputs = flat,
                .weights = "mean|variance|count");
}

static void data_teach_the_numbers(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = layer_input(TN_SHAPE(4, 3), 0);
    tn_layer *layer = tn_normalization();
    CHECK_OK(tn_adapt(layer, x));
    check_values(tn_call(layer, x), normalized_adapted, 12, 1e-5, __FILE__, __LINE__);
    tn_layer *whole = tn_normalization(.axis = { 0 });
    CHECK_OK(tn_adapt(whole, VALUES(TN_FLOAT32, TN_SHAPE(5), 1, 2, 3, 4, 5)));
    CHECK_VALUES(tn_call(whole, VALUES(TN_FLOAT32, TN_SHAPE(3), 1, 2, 3)), 1e-6, -1.4142135,
                 -0.70710677, 0);
}

/* Keras's set_weights() does not reach the constants that building and adapting made; files do. */
static void assigned_weights_count_when_they_are_loaded(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = VALUES(TN_FLOAT32, TN_SHAPE(1, 3), 1, 2, 3);
    tn_model *model = tn_sequential(
                 TN_LAYERS(tn_normalization(.input_shape = TN_SHAPE(3), .name = "norm"))),
             *again;
    tn_tensor *before = tn_call(model, x);
    tn_list weights = tn_variables(model);
    tn_assign(tn_at(weights, 0), MEAN);
    tn_assign(tn_at(weights, 1), VARIANCE);
    assert_string_equal(tn_text(tn_call(model, x)), tn_text(before));
    CHECK_OK(tn_save(model, temporary_path("assigned.keras")));
    again = tn_load_model(temporary_path("assigned.keras"));
    CHECK_VALUES(tn_call(again, x), 1e-6, 1.2727922, 1.2727922, 5.4);
    CHECK_OK(tn_load_weights(model, temporary_path("assigned.keras")));
    CHECK_VALUES(tn_predict(model, x, .verbose = 0), 1e-6, 1.2727922, 1.2727922, 5.4);
    CHECK_OK(tn_adapt(tn_get_layer(model, "norm"),
                      VALUES(TN_FLOAT32, TN_SHAPE(2, 3), 0, 0, 0, 2, 4, 8)));
    CHECK_VALUES(tn_predict(model, x, .verbose = 0), 1e-6, 0, 0, -0.25);
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_normalization(.mean = MEAN));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "When setting values directly, both `mean` and `variance` must be set.");
    tn_layer *layer = tn_normalization();
    CHECK_OK(tn_adapt(layer, layer_input(TN_SHAPE(4, 3), 0)));
    assert_int_not_equal(tn_adapt(layer, layer_input(TN_SHAPE(4, 2), 0)), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "The layer was built with input_shape=(4, 3), but adapt() is being "
                "called with data with an incompatible shape, data.shape=(4, 2)");
    assert_int_not_equal(tn_adapt(tn_dense(2), layer_input(TN_SHAPE(4, 2), 0)), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has nothing to adapt");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_numbers_are_used),
        cmocka_unit_test(data_teach_the_numbers),
        cmocka_unit_test(assigned_weights_count_when_they_are_loaded),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
