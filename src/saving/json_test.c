#include "saving/testdata.h"
#include "saving/json.h"

static char *again(const char *text)
{
    json_t *json;
    CHECK_OK(tn__json_parse((tn__span){ (const uint8_t *)text, strlen(text) }, "the text", &json));
    char *written = tn__json_dump(json);
    json_decref(json);
    return written;
}

static void json_is_written_as_python_writes_it(void **state)
{
    (void)state;
    const char *text = "{\"a\": [1, -2.5, 1e-07, 0.1, 1e+16, true, false, null, []], \"b\": {}, "
                       "\"c\": \"\\u00e9\\ud83d\\ude00\\n\\\"\\\\\\u0001/\"}";
    char *written = again(text);
    assert_string_equal(written, text);
    tn__free(written);
}

static void json_that_is_none_says_where(void **state)
{
    (void)state;
    json_t *json;
    static const char broken[] = "{\"a\":\n 1,}";
    assert_int_equal(tn__json_parse((tn__span){ (const uint8_t *)broken, sizeof broken - 1 },
                                    "config.json", &json),
                     TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "config.json is no valid JSON: line 2, column");
    assert_int_equal(tn__json_parse((tn__span){ (const uint8_t *)"[1]", 3 }, "config.json", &json),
                     TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "config.json is JSON, but not an object");
}

static void an_architecture_makes_the_same_model_for_either_keras(void **state)
{
    (void)state;
    for (int keras = 2; keras <= 3; keras++) {
        TN_SCOPE;
        tn_model *model = tn_load_model(TESTDATA "nested.keras"),
                 *again = tn_model_from_json(tn_to_json(model, .keras = keras));
        CHECK_NO_ERROR();
        assert_string_equal(tn_to_json(again), tn_to_json(model));
    }
    assert_string_equal(tn_to_json(NULL), "<failed>");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_to_json: model is NULL");
    assert_null(tn_model_from_json(NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "json is NULL");
    assert_null(tn_model_from_json("{\"class_name\": \"Sequential\"}"));
    CHECK_ERROR(TN_DATA_LOSS, "no list of layers");
}

static void an_architecture_goes_into_a_file(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("model.json");
    tn_model *model = plain_model();
    for (int keras = 2; keras <= 3; keras++) {
        tn_to_json_options options = { .size_ = sizeof options, .model = model, .keras = keras };
        CHECK_OK(tn_save_json_with(&options, path));
        assert_string_equal(tn_to_json(tn_load_json(path)), tn_to_json(model));
    }
    CHECK_NO_ERROR();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_written_as_python_writes_it),
        cmocka_unit_test(json_that_is_none_says_where),
        cmocka_unit_test(an_architecture_makes_the_same_model_for_either_keras),
        cmocka_unit_test(an_architecture_goes_into_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
