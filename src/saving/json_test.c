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

/* Words and numbers of many lengths, so that what holds them has to grow. */
static char *text_of_long_words(void)
{
    static char text[1 << 14];
    int at = snprintf(text, sizeof text, "{\"begin\": true");
    for (int length = 10; length < 700; length += length / 3)
        at += snprintf(text + at, sizeof text - (size_t)at,
                       ", \"%0*d\": 1%0*d, \"t%0*d\": \"%0*d\", \"f%d\": 1.%0*d", length, length,
                       length < 17 ? length : 17, 1, length + 5, 3, length + 20, 4, length,
                       length + 40, 5);
    snprintf(text + at, sizeof text - (size_t)at, "}");
    return text;
}

static bool parse_long_words(void *want)
{
    const char *text = text_of_long_words();
    json_t *json = NULL;
    if (tn__json_parse((tn__span){ (const uint8_t *)text, strlen(text) }, "text", &json) != TN_OK) {
        assert_null(json);
        return false;
    }
    assert_true(json_equal(json, want));
    json_decref(json);
    return true;
}

static void json_read_without_memory_is_out_of_memory_and_never_another_text(void **state)
{
    (void)state;
    json_t *want = json_loads(text_of_long_words(), 0, NULL);
    assert_int_equal(json_object_size(want), 1 + 3 * 16);
    size_t live = live_allocations();
    check_allocation_failures(parse_long_words, want);
    assert_int_equal(live_allocations(), live);
    json_decref(want);
}

static void check_broken(const char *text, size_t size, const char *message)
{
    json_t *json;
    assert_int_equal(tn__json_parse((tn__span){ (const uint8_t *)text, size }, "it", &json),
                     TN_DATA_LOSS);
    assert_null(json);
    CHECK_ERROR(TN_DATA_LOSS, message);
}

static void json_that_is_broken_says_what_was_expected(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "", "line 1, column 1: expected a value, but the text ends" },
        { "{\"a\": 1} x", "column 10: expected the end of the text, got 'x'" },
        { "{\"\xc3\xa9\xf0\x9f\x98\x80\" 1}", "line 1, column 7: expected ':', got '1'" },
        { "{\"a\"\n:\n  \x7f}", "line 3, column 3: expected a value, got the byte 0x7f" },
        { "{a: 1}", "expected a key in quotes, got 'a'" },
        { "{\"a\": 1 \"b\": 2}", "expected ',' or '}', got '\"'" },
        { "{\"a\": [1 2]}", "expected ',' or ']', got '2'" },
        { "{\"a\": [1,]}", "expected a value, got ']'" },
        { "{\"a\": \"b", "expected '\"' at the end of a string, but the text ends" },
        { "{\"a\": \"\x01\"}", "expected control characters of a string as escapes, got the byte" },
        { "{\"a\": \"\\x\"}", "expected an escape, got 'x'" },
        { "{\"a\": \"\\u12g4\"}", "expected four hexadecimal digits after \\u, got 'g'" },
        { "{\"a\": \"\\ud83d!\"}", "expected the other half of a surrogate pair, got '!'" },
        { "{\"a\": \"\\ud83d\\u0041\"}", "a surrogate pair without its other half" },
        { "{\"a\": \"\\ude00\"}", "the second half of a surrogate pair without its first" },
        { "{\"a\\u0000b\": 1}", "a key with a NUL in it" },
        { "{\"a\": -}", "expected a value, got '}'" },
        { "{\"a\": 01}", "expected ',' or '}', got '1'" },
        { "{\"a\": 1.}", "expected digits behind the point, got '}'" },
        { "{\"a\": 1e+}", "expected digits of an exponent, got '}'" },
        { "{\"a\": 9223372036854775808}", "an integer of more than 64 bits" },
        { "{\"a\": 1e999}", "a number beyond float64" },
        { "{\"a\": nan}", "expected a value, got 'n'" },
        { "{\"a\": -Inf}", "expected a value, got 'I'" },
        { "{\"a\": Infinityx}", "expected ',' or '}', got 'x'" },
        { "\"a\"", "it is JSON, but not an object" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_broken(cases[i].text, strlen(cases[i].text), cases[i].message);
    static const char *const not_utf8[] = { "\x80",
                                            "\xc1\xbf",
                                            "\xc3",
                                            "\xe0\x9f\xbf",
                                            "\xed\xa0\x80",
                                            "\xf0\x8f\xbf\xbf",
                                            "\xf4\x90\x80\x80",
                                            "\xf5\x80\x80\x80" };
    for (size_t i = 0; i < sizeof not_utf8 / sizeof *not_utf8; i++) {
        char text[32];
        int size = snprintf(text, sizeof text, "{\"a\": \"%s\"}", not_utf8[i]);
        check_broken(text, (size_t)size, "column 8: expected UTF-8, got the byte 0x");
    }
}

static void json_has_all_that_json_may_have(void **state)
{
    (void)state;
    static const char text[] =
        " {\"a\" : [ 0 , -0.5e-1, 1E2,9223372036854775807, -9223372036854775808 ],"
        "\r\n\t\"b\":\"\\u00E9\\uD83D\\ude00\\/\\b\\f\xf4\x8f\xbf\xbf\\u0000.\","
        "\"b2\": {\"\": null}, \"a\": true, \"a\": 2} ";
    char *written = again(text);
    assert_string_equal(written,
                        "{\"a\": 2, \"b\": \"\\u00e9\\ud83d\\ude00/\\b\\f\\udbff\\udfff\\u0000.\", "
                        "\"b2\": {\"\": null}}");
    tn__free(written);
    written = again("{\"a\": [0, -0.5e-1, 1E2, 9223372036854775807, -9223372036854775808, -0]}");
    assert_string_equal(written,
                        "{\"a\": [0, -0.05, 100.0, 9223372036854775807, -9223372036854775808, 0]}");
    tn__free(written);
}

static void infinite_numbers_are_pythons_words(void **state)
{
    (void)state;
    char *written = again("{\"a\": [Infinity, -Infinity, NaN, {\"b\":-Infinity}]}");
    assert_string_equal(written, "{\"a\": [Infinity, -Infinity, NaN, {\"b\": -Infinity}]}");
    tn__free(written);
}

static void a_layer_keeps_an_infinite_number_for_either_keras(void **state)
{
    (void)state;
    for (int keras = 2; keras <= 3; keras++) {
        TN_SCOPE;
        tn_tensor *mean = tn_constant(TN_FLOAT32, TN_SHAPE(2), ((float[]){ -INFINITY, 0.5f }));
        tn_model *model = tn_sequential(
            TN_LAYERS(tn_relu(.max_value = INFINITY, .input_shape = TN_SHAPE(2)),
                      tn_normalization(.mean = mean, .variance = tn_ones(TN_SHAPE(2), TN_FLOAT32))));
        const char *json = tn_to_json(model, .keras = keras);
        assert_non_null(strstr(json, "\"max_value\": Infinity"));
        assert_non_null(strstr(json, "[-Infinity, 0.5]"));
        assert_string_equal(tn_to_json(tn_model_from_json(json), .keras = keras), json);
    }
    assert_null(tn_model_from_json(
        "{\"class_name\": \"Sequential\", \"config\": [{\"class_name\": \"ReLU\", "
        "\"config\": {\"name\": \"r\", \"max_value\": NaN}}]}"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "the file's max_value=NaN is not what `max_value` can be");
}

static void json_may_nest_2048_deep(void **state)
{
    (void)state;
    enum { DEEPEST = 2048 };
    static char text[6 + 2 * (DEEPEST + 1)];
    for (int lists = DEEPEST - 1; lists <= DEEPEST; lists++) {
        memcpy(text, "{\"a\":", 5);
        memset(text + 5, '[', (size_t)lists);
        memset(text + 5 + lists, ']', (size_t)lists);
        memcpy(text + 5 + 2 * lists, "}", 2);
        if (lists < DEEPEST)
            tn__free(again(text));
        else
            check_broken(text, strlen(text), "too many lists and objects within one another");
    }
    CHECK_NO_ERROR();
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

static void an_architecture_that_cannot_be_written_says_why(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("kept.json");
    tn_to_json_options options = { .size_ = sizeof options, .model = plain_model(), .keras = 3 };
    assert_int_equal(tn_save_json_with(&options, NULL), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_save_json: path is NULL");
    assert_int_not_equal(tn_save_json_with(&options, tn_format("%s/model.json", path)), TN_OK);
    CHECK_ERROR(TN_NOT_FOUND, "kept.json");
    CHECK_OK(tn_save_json_with(&options, path));
    tn__bytes before = bytes_of(path);
    options.keras = 4;
    assert_int_equal(tn_save_json_with(&options, path), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "keras must be 2 or 3, got 4");
    tn__bytes after = bytes_of(path);
    assert_int_equal(after.size, before.size);
    tn__bytes_free(&before);
    tn__bytes_free(&after);
}

int main(void)
{
    tests_begin();
    tests_count_json();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_written_as_python_writes_it),
        cmocka_unit_test(json_that_is_none_says_where),
        cmocka_unit_test(json_read_without_memory_is_out_of_memory_and_never_another_text),
        cmocka_unit_test(json_that_is_broken_says_what_was_expected),
        cmocka_unit_test(json_has_all_that_json_may_have),
        cmocka_unit_test(infinite_numbers_are_pythons_words),
        cmocka_unit_test(a_layer_keeps_an_infinite_number_for_either_keras),
        cmocka_unit_test(json_may_nest_2048_deep),
        cmocka_unit_test(an_architecture_makes_the_same_model_for_either_keras),
        cmocka_unit_test(an_architecture_goes_into_a_file),
        cmocka_unit_test(an_architecture_that_cannot_be_written_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
