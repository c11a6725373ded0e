/* upgrade_test.c */
#include "support/check.h"
#include "nn/config.h"

static json_t *model(void)
{
    const char *text =
        "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": ["
        "{\"class_name\": \"Dense\", \"config\": {\"name\": \"hard_sigmoid\", \"units\": 2,"
        " \"activation\": \"hard_sigmoid\", \"batch_input_shape\": [null, 3]}},"
        "{\"class_name\": \"LSTM\", \"config\": {\"recurrent_activation\":"
        " {\"class_name\": \"function\", \"config\": \"hard_sigmoid\"}}}]}}";
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static json_t *config_at(json_t *json, size_t i)
{
    json_t *layers = json_object_get(json_object_get(json, "config"), "layers");
    return json_object_get(json_array_get(layers, i), "config");
}

static void old_files_keep_their_hard_sigmoid(void **state)
{
    (void)state;
    static const char *const versions[] = { "2.15.0", "1.2.2", "2.21.0-tf" };
    for (int i = 0; i < 3; i++) {
        json_t *json = model();
        CHECK_OK(tn__upgrade_config(json, versions[i]));
        assert_string_equal(tn__json_text(config_at(json, 0), "activation"), "hard_sigmoid_keras2");
        assert_string_equal(tn__json_text(config_at(json, 0), "name"), "hard_sigmoid");
        assert_string_equal(tn__json_text(config_at(json, 1), "recurrent_activation"),
                            "hard_sigmoid_keras2");
        json_decref(json);
    }
}

static void an_old_gru_without_a_word_resets_before(void **state)
{
    (void)state;
    json_t *json = json_loads(
        "[{\"class_name\": \"GRU\", \"config\": {\"units\": 2}}, {\"class_name\": \"GRU\", "
        "\"config\": {\"reset_after\": true}}]",
        0, NULL);
    CHECK_OK(tn__upgrade_config(json, "2.0.8"));
    const json_t *first = json_object_get(json_array_get(json, 0), "config"),
                 *second = json_object_get(json_array_get(json, 1), "config");
    assert_true(json_is_false(json_object_get(first, "reset_after")));
    assert_true(json_is_true(json_object_get(second, "reset_after")));
    json_decref(json);
}

static void new_files_are_left_alone(void **state)
{
    (void)state;
    static const char *const versions[] = { "3.15.1", NULL, "", "22" };
    json_t *json = model(), *same = model();
    for (int i = 0; i < 4; i++) {
        CHECK_OK(tn__upgrade_config(json, versions[i]));
        assert_true(json_equal(json, same));
    }
    json_decref(json);
    json_decref(same);
}

/* Written back for Keras 2 it has its old name again. */
static void keras_2_gets_its_own_word_back(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *json = model();
    CHECK_OK(tn__upgrade_config(json, "2.4.0"));
    json_t *dense = json_array_get(json_object_get(json_object_get(json, "config"), "layers"), 0);
    tn_layer *layer;
    CHECK_OK(tn__layer_from_json(tn__context(), dense, &layer));
    tn__own(layer);
    json_t *written = tn__layer_to_json(layer, TN__KERAS_2);
    assert_string_equal(tn__json_text(json_object_get(written, "config"), "activation"),
                        "hard_sigmoid");
    json_decref(written);
    json_decref(json);
}

static void nesting_has_an_end(void **state)
{
    (void)state;
    json_t *json = json_array();
    for (int i = 0; i < 1000; i++)
        json = json_pack("[o]", json);
    assert_int_not_equal(tn__upgrade_config(json, "2.0.0"), TN_OK);
    CHECK_ERROR(TN_DATA_LOSS, "nested more than 256 deep");
    json_decref(json);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_files_keep_their_hard_sigmoid),
        cmocka_unit_test(an_old_gru_without_a_word_resets_before),
        cmocka_unit_test(new_files_are_left_alone),
        cmocka_unit_test(keras_2_gets_its_own_word_back),
        cmocka_unit_test(nesting_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
