/* config_test.c - field tables and JSON: what is written, what is read, and what a file may not
 * say. */
#include "nn/config.h"
#include "support/check_op.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
    int64_t units, size[2];
    double rate;
    bool on;
    tn_flag flag;
    int axis;
    const char *padding, *activation, *initializer, *names;
    tn_shape shape;
    tn_axes axes;
    tn_dtype dtype;
    tn_tensor *scales;
    tn_variable *kernel;
} thing;

static const tn_field fields[] = {
    TN__ROW(TN_FIELD_INT, thing, units, "4", "> 0"),
    TN__ROW(TN_FIELD_INTS, thing, size, "none", "> 0"),
    TN__ROW(TN_FIELD_FLOAT, thing, rate, "0.5", "0..1"),
    TN__ROW(TN_FIELD_BOOL, thing, on, "true", NULL),
    TN__ROW(TN_FIELD_FLAG, thing, flag, "false", NULL),
    TN__ROW(TN_FIELD_AXIS, thing, axis, "-1", NULL),
    TN__ROW(TN_FIELD_STRING, thing, padding, "valid", "valid|same"),
    TN__ROW(TN_FIELD_ACTIVATION, thing, activation, "none", NULL),
    TN__ROW(TN_FIELD_INITIALIZER, thing, initializer, "zeros", NULL),
    TN__ROW(TN_FIELD_TEXTS, thing, names, "none", NULL),
    TN__ROW(TN_FIELD_SHAPE, thing, shape, "none", NULL),
    TN__ROW(TN_FIELD_AXES, thing, axes, "none", NULL),
    TN__ROW(TN_FIELD_DTYPE, thing, dtype, "none", NULL),
    TN__ROW(TN_FIELD_TENSOR, thing, scales, "none", NULL),
    TN__ROW(TN_FIELD_VARIABLE, thing, kernel, NULL, NULL),
    TN__END_OF_FIELDS,
};

static tn_status read_text(thing *t, const char *text)
{
    *t = (thing){ 0 };
    CHECK_OK(tn__fields_default(fields, t));
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    tn_status status = tn__fields_from_json(fields, t, json, "Thing 't'");
    json_decref(json);
    return status;
}

/* Of one key: what is written of what was read. */
static void reads(const char *key, const char *value, const char *written)
{
    thing t;
    char text[160];
    snprintf(text, sizeof text, "{\"%s\": %s}", key, value);
    CHECK_OK(read_text(&t, text));
    json_t *json = json_object();
    CHECK_OK(tn__fields_to_json(fields, &t, TN__KERAS_3, json));
    char *got = json_dumps(json_object_get(json, key), JSON_ENCODE_ANY | JSON_COMPACT);
    assert_string_equal(got, written);
    free(got);
    json_decref(json);
    tn__fields_release(fields, &t);
}

static void refuses(const char *key, const char *value, const char *message)
{
    thing t;
    char text[160];
    snprintf(text, sizeof text, "{\"%s\": %s}", key, value);
    assert_int_not_equal(read_text(&t, text), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, message);
    tn__fields_release(fields, &t);
}

static void fields_are_written_as_keras_writes_them(void **state)
{
    (void)state;
    thing t;
    CHECK_OK(read_text(&t, "{}"));
    json_t *json = json_object();
    CHECK_OK(tn__fields_to_json(fields, &t, TN__KERAS_3, json));
    assert_null(json_object_get(json, "kernel")); /* a variable is no configuration */
    json_object_del(json, "initializer");
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, "{\"units\":4,\"size\":null,\"rate\":0.5,\"on\":true,\"flag\":false,"
                              "\"axis\":-1,\"padding\":\"valid\","
                              "\"activation\":\"linear\",\"names\":[],\"shape\":null,\"axes\":null,"
                              "\"dtype\":null,\"scales\":null}");
    free(text);
    json_decref(json);
    tn__fields_release(fields, &t);
}

static void what_is_read_is_written_again(void **state)
{
    (void)state;
    reads("units", "7", "7");
    reads("units", "64.0", "64"); /* as old files have it */
    reads("units", "null", "null");
    reads("size", "[3, 5]", "[3,5]");
    reads("size", "3", "[3,3]");
    reads("size", "{\"class_name\": \"__tuple__\", \"items\": [3, 5]}", "[3,5]");
    reads("rate", "1", "1.0");
    reads("rate", "null", "null");
    reads("on", "false", "false");
    reads("flag", "1", "true");
    reads("axis", "[3]", "3"); /* BatchNormalization's of some versions */
    reads("padding", "\"same\"", "\"same\"");
    reads("activation", "\"relu\"", "\"relu\"");
    reads("activation", "\"linear\"", "\"linear\"");
    reads("names", "[\"a\", \"b\"]", "[\"a\",\"b\"]");
    reads("shape", "[null, 8, 1]", "[null,8,1]");
    reads("shape", "[]", "[]");
    reads("axes", "[1, -1]", "[1,-1]");
    reads("axes", "2", "2");
    reads("dtype", "\"float64\"", "\"float64\"");
    reads("scales", "[[0.1, 2], [3, 4]]", "[[0.10000000000000001,2.0],[3.0,4.0]]");
    reads("scales", "[]", "[]");
    reads("scales", "0.5", "0.5");
}

static void values_of_another_kind_are_refused(void **state)
{
    (void)state;
    refuses("units", "\"ten\"", "Thing 't': the file's units=\"ten\" is not what `units` can be");
    refuses("units", "1.5", "is not what `units` can be");
    refuses("units", "1e300", "is not what `units` can be");
    refuses("units", "-9223372036854775808", "is not what `units` can be"); /* None inside */
    refuses("units", "0", "`units`. Expected > 0. Received: units=0");
    refuses("rate", "true", "is not what `rate` can be");
    refuses("on", "\"yes\"", "is not what `on` can be");
    refuses("axis", "4294967297", "is not what `axis` can be");
    refuses("axis", "null", "is not what `axis` can be");
    refuses("size", "[1, 2, 3]", "is not what `size` can be");
    refuses("size", "[1, \"2\"]", "is not what `size` can be");
    refuses("padding", "\"full\"", "Expected one of valid|same");
    refuses("padding", "3", "is not what `padding` can be");
    refuses("activation", "\"no_such\"", "no_such");
    refuses("names", "[1]", "is not what `names` can be");
    refuses("shape", "[-2]", "is not what `shape` can be");
    refuses("shape", "[1, 1, 1, 1, 1, 1, 1, 1, 1]", "is not what `shape` can be");
    refuses("axes", "[4294967297]", "is not what `axes` can be");
    refuses("axes", "[1, null]", "is not what `axes` can be");
    refuses("dtype", "\"float8\"", "is not what `dtype` can be");
    refuses("scales", "[[1, 2], [3]]", "is not what `scales` can be");
    refuses("scales", "[1, [2]]", "is not what `scales` can be");
    refuses("scales", "[[1], 2]", "is not what `scales` can be");
    refuses("scales", "[[[[[[[[[1]]]]]]]]]", "is not what `scales` can be");
    refuses("scales", "[\"1\"]", "is not what `scales` can be");
}

static void a_key_that_says_something_unknown_is_an_error(void **state)
{
    (void)state;
    thing t;
    CHECK_OK(
        read_text(&t, "{\"name\": \"t\", \"later\": null, \"never\": false, \"nothing\": {}}"));
    tn__fields_release(fields, &t);
    assert_int_equal(read_text(&t, "{\"groups\": 2}"), TN_UNIMPLEMENTED);
    CHECK_ERROR(TN_UNIMPLEMENTED,
                "Thing 't': the file says groups=2, which this version does not know");
    tn__fields_release(fields, &t);
}

static void classes_that_nobody_knows_are_named_once(void **state)
{
    (void)state;
    json_t *json = json_loads(
        "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Own\", "
        "\"config\": {}},"
        "{\"class_name\": \"Dense\", \"config\": {}}, {\"class_name\": \"Other\", \"config\": {}},"
        "{\"class_name\": \"Own\", \"config\": {}}]}}",
        0, NULL);
    char *unknown = tn__unknown_classes(json);
    assert_string_equal(unknown, "Own, Other");
    tn__free(unknown);
    json_decref(json);
}

static bool there_and_back(void *unused)
{
    (void)unused;
    tn_layer *layer = tn_dense(3, "relu", .kernel_initializer = "random_normal(stddev=0.5)",
                               .name = "d"),
             *again = NULL;
    json_t *json = layer ? tn__layer_to_json(layer, TN__KERAS_3) : NULL;
    bool done = json && tn__layer_from_json(tn__context(), json, &again) == TN_OK;
    tn__release(again);
    json_decref(json);
    return done;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(there_and_back, NULL);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_written_as_keras_writes_them),
        cmocka_unit_test(what_is_read_is_written_again),
        cmocka_unit_test(values_of_another_kind_are_refused),
        cmocka_unit_test(a_key_that_says_something_unknown_is_an_error),
        cmocka_unit_test(classes_that_nobody_knows_are_named_once),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
