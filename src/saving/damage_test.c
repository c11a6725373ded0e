/* Files that were cut short, and files with bytes changed: an error or a model, never anything
 * else. The sanitizers and the limits of memory and time do the checking. */
#include "saving/testdata.h"
#include <jansson.h>

static void open_in_every_way(const void *data, size_t size)
{
    TN_SCOPE;
    size_t handles = tn_live_handles();
    {
        TN_SCOPE;
        tn_load_options load = {
            .size_ = sizeof load, .compile = true, .limit = 1 << 22, .data = data, .size = size
        };
        tn_model *model = tn_load_model_with(&load);
        if (model)
            tn_call(model, tn_ones(TN_SHAPE(1, 4), TN_FLOAT32));
        tn_catch(TN_ANY_ERROR);
        tn_model *target = plain_model();
        tn_load_weights_options weights = {
            .size_ = sizeof weights, .layer = target, .limit = 1 << 22, .data = data, .size = size
        };
        (void)!tn_load_weights_with(&weights);
        tn_catch(TN_ANY_ERROR);
    }
    assert_int_equal(tn_live_handles(), handles);
}

static const char *const files[] = { "plain.keras",      "plain_k2.h5",
                                     "plain.weights.h5", "plain_k2_weights.h5",
                                     "trained.keras",    "plain_compressed.keras" };
enum { FILES = sizeof files / sizeof *files };

static void a_file_that_was_cut_short_is_refused(void **state)
{
    (void)state;
    listen_to_sink();
    for (size_t i = 0; i < FILES; i++) {
        tn__bytes bytes = bytes_of(tn_format(TESTDATA "%s", files[i]));
        for (size_t size = 0; size < bytes.size; size += 1 + bytes.size / 60)
            open_in_every_way(bytes.data, size);
        tn__bytes_free(&bytes);
    }
    stop_listening();
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    uint32_t seed = 1;
    listen_to_sink();
    for (size_t i = 0; i < FILES; i++) {
        tn__bytes bytes = bytes_of(tn_format(TESTDATA "%s", files[i])), changed = { 0 };
        for (int round = 0; round < 150; round++) {
            CHECK_OK(tn__bytes_resize(&changed, 0));
            CHECK_OK(tn__bytes_append(&changed, bytes.data, bytes.size));
            for (uint32_t k = next_random(&seed) % 6; k-- > 0;)
                changed.data[next_random(&seed) % changed.size] = (uint8_t)next_random(&seed);
            open_in_every_way(changed.data, changed.size);
        }
        tn__bytes_free(&changed);
        tn__bytes_free(&bytes);
    }
    stop_listening();
}

/* Configs with values of the wrong kind at every place. */
static void replace_each(json_t *json, json_t *whole, const json_t *wrong, int *left)
{
    const char *key;
    json_t *value;
    void *next;
    size_t i;
    if (*left <= 0)
        return;
    json_object_foreach_safe(json, next, key, value)
    {
        json_incref(value);
        json_object_set(json, key, (json_t *)(uintptr_t)wrong);
        char *text = json_dumps(whole, JSON_ENCODE_ANY);
        {
            TN_SCOPE;
            tn_model *model = tn_model_from_json(text);
            if (model)
                tn_call(model, tn_ones(TN_SHAPE(1, 4), TN_FLOAT32));
            tn_catch(TN_ANY_ERROR);
        }
        free(text);
        --*left;
        json_object_set(json, key, value);
        replace_each(value, whole, wrong, left);
        json_decref(value);
    }
    json_array_foreach(json, i, value) replace_each(value, whole, wrong, left);
}

static void wrong_kinds_in_a_config_are_refused_or_make_a_model(void **state)
{
    (void)state;
    static const char *const wrongs[] = { "null", "-1", "[]", "{}", "\"x\"", "[[null]]", "1e300" };
    for (int keras = 2; keras <= 3; keras++)
        for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
            TN_SCOPE;
            json_t *whole = json_loads(
                tn_to_json(tn_load_model(TESTDATA "nested.keras"), .keras = keras), 0, NULL);
            json_t *wrong = json_loads(wrongs[i], JSON_DECODE_ANY, NULL);
            assert_non_null(whole);
            int left = 400;
            replace_each(whole, whole, wrong, &left);
            json_decref(wrong);
            json_decref(whole);
        }
}

/* Models within models deeper than any stack. */
static void a_config_without_end_is_refused(void **state)
{
    (void)state;
    enum { DEEP = 1900 };
    static const char head[] = "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[",
                      tail[] = "]}}";
    tn__bytes text = { 0 };
    for (int i = 0; i < DEEP / 3; i++)
        CHECK_OK(tn__bytes_append(&text, head, sizeof head - 1));
    for (int i = 0; i < DEEP / 3; i++)
        CHECK_OK(tn__bytes_append(&text, tail, sizeof tail - 1));
    CHECK_OK(tn__bytes_append(&text, "", 1));
    TN_SCOPE;
    tn_model_from_json((const char *)text.data);
    tn_catch(TN_ANY_ERROR);
    tn__bytes_free(&text);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_was_cut_short_is_refused),
        cmocka_unit_test(changed_bytes_do_no_harm),
        cmocka_unit_test(wrong_kinds_in_a_config_are_refused_or_make_a_model),
        cmocka_unit_test(a_config_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
