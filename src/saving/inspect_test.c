/* inspect_test.c - what is told of files: each format, whole, unknown and damaged. */
#include "saving/testdata.h"
#include <jansson.h>

/* The first part of a file under another name. */
static const char *shortened(const char *path, double part)
{
    tn__file file;
    const char *shorter = temporary_path("short");
    CHECK_OK(tn__file_read(path, 1 << 24, &file));
    write_file(shorter, file.span.data, (size_t)((double)file.span.size * part));
    tn__file_close(&file);
    return shorter;
}

static json_t *inspected(const char *path)
{
    const char *text = tn_inspect(path, .json = true);
    CHECK_NO_ERROR();
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "null";
}

static int total_of(const json_t *json, const char *key)
{
    return (int)json_integer_value(json_object_get(json_object_get(json, "totals"), key));
}

static size_t problems_of(const json_t *json)
{
    return json_array_size(json_object_get(json, "problems"));
}

static tn_model *trained(void)
{
    tn_model *model =
        tn_sequential(TN_LAYERS(tn_dense(3, .input_shape = TN_SHAPE(4), .name = "first"),
                                tn_dense(4, .name = "second")),
                      "small");
    tn_tensor *x = tn_ones(TN_SHAPE(2, 4), TN_FLOAT32);
    CHECK_OK(tn_compile(model, tn_adam(0.001), "mse"));
    assert_non_null(tn_fit(model, x, x, .verbose = 0));
    return model;
}

static void every_file_has_every_key(void **state)
{
    (void)state;
    TN_SCOPE;
    static const char *const keys[] = { "file",
                                        "bytes",
                                        "format",
                                        "keras_version",
                                        "backend",
                                        "tenon_version",
                                        "date_saved",
                                        "model",
                                        "layers",
                                        "unknown_classes",
                                        "members",
                                        "variables",
                                        "optimizer_variables",
                                        "totals",
                                        "problems" };
    const char *array = temporary_path("a.npy");
    CHECK_OK(tn_save_array(tn_ones(TN_SHAPE(2, 3), TN_FLOAT32), array));
    const char *const files[] = { TESTDATA "plain.keras", TESTDATA "plain_k2.h5", array };
    for (size_t i = 0; i < 3; i++) {
        json_t *json = inspected(files[i]);
        const char *key;
        json_t *value;
        size_t k = 0;
        json_object_foreach(json, key, value) assert_string_equal(key, keys[k++]);
        assert_int_equal(k, sizeof keys / sizeof *keys);
        json_decref(json);
    }
}

static void a_keras_archive_of_our_own(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("own.keras");
    CHECK_OK(tn_save(trained(), path));
    json_t *json = inspected(path);
    assert_string_equal(text_of(json, "format"), "keras");
    assert_string_equal(text_of(json, "keras_version"), "3.15.1");
    assert_string_equal(text_of(json, "tenon_version"), tn_version());
    assert_int_equal(strlen(text_of(json, "date_saved")), strlen("2026-01-31@12:00:00"));
    const json_t *model = json_object_get(json, "model");
    assert_string_equal(text_of(model, "class"), "Sequential");
    assert_string_equal(text_of(model, "name"), "small");
    assert_string_equal(text_of(model, "optimizer"), "Adam");
    assert_int_equal(total_of(json, "layers"), 4); /* the model, its input, two */
    assert_int_equal(total_of(json, "variables"), 4);
    assert_int_equal(total_of(json, "numbers"), 31);
    assert_int_equal(total_of(json, "bytes"), 124);
    assert_int_equal(total_of(json, "optimizer_variables"), 10);
    const json_t *first = json_array_get(json_object_get(json, "variables"), 0);
    assert_string_equal(text_of(first, "path"), "layers/dense/vars/0");
    assert_string_equal(text_of(first, "dtype"), "float32");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(first, "shape"), 1)), 3);
    assert_int_equal(problems_of(json), 0);
    json_decref(json);
}

static void an_h5_of_our_own_and_weights(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("own.h5"), *weights = temporary_path("own.weights.h5");
    tn_model *model = trained();
    CHECK_OK(tn_save(model, path));
    CHECK_OK(tn_save_weights(model, weights));
    json_t *json = inspected(path);
    assert_string_equal(text_of(json, "format"), "h5");
    assert_string_equal(text_of(json_object_get(json, "model"), "optimizer"),
                        "Custom>Adam"); /* as Keras 2 names it */
    assert_string_equal(text_of(json, "tenon_version"), "1");
    assert_int_equal(total_of(json, "numbers"), 31);
    assert_true(total_of(json, "optimizer_variables") > 0);
    json_decref(json);
    json = inspected(weights);
    assert_string_equal(text_of(json, "format"), "weights.h5");
    assert_true(json_is_null(json_object_get(json, "model")));
    assert_int_equal(total_of(json, "numbers"), 31);
    json_decref(json);
}

static void variables_are_told_in_the_order_of_their_numbers(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("many.weights.h5");
    tn_layer *layers[12];
    for (int i = 0; i < 12; i++)
        layers[i] = i ? tn_dense(1) : tn_dense(1, .input_shape = TN_SHAPE(1));
    tn_model *model = tn_sequential(((tn_layer_list){ 12, layers }));
    CHECK_OK(tn_save_weights(model, path));
    const char *text = tn_inspect(path);
    const char *second = strstr(text, "dense_2/vars/0"),
               *eleventh = strstr(text, "dense_11/vars/0");
    assert_true(second && eleventh && second < eleventh);
}

static void arrays_and_tables(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *npz = temporary_path("a.npz"), *csv = temporary_path("a.csv");
    const char *const names[] = { "x", "y" };
    tn_tensor *const items[] = { tn_ones(TN_SHAPE(2, 3), TN_FLOAT32),
                                 tn_ones(TN_SHAPE(5), TN_INT32) };
    const tn_named_list list = { 2, names, items };
    CHECK_OK(tn_save_arrays(list, npz));
    write_file(csv, "a,b\n1,2\n3,4\n5,6\n", 16);
    json_t *json = inspected(npz);
    assert_string_equal(text_of(json, "format"), "npz");
    assert_int_equal(total_of(json, "numbers"), 11);
    assert_string_equal(text_of(json_array_get(json_object_get(json, "variables"), 1), "dtype"),
                        "int32");
    json_decref(json);
    assert_string_equal(tn_inspect(csv),
                        "format: table (.csv)\narrays:\n  a float32 (3,)\n  b float32 (3,)\n"
                        "total: 2 arrays, 6 numbers, 24.00 B\n");
    write_file(csv, "1,2\n3,4\n5,x\n", 12);
    json = inspected(csv);
    assert_int_equal(total_of(json, "numbers"), 4);
    assert_int_equal(problems_of(json), 1);
    json_decref(json);
}

static void other_archives_and_json(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("other.json");
    write_file(path, "{\"a\": 1}", 8);
    assert_string_equal(tn_inspect(path), "format: JSON\n");
    static const char zip[] = "PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0\x86\xa6\x10\x36\x05\0\0\0\x05\0\0\0"
                              "\x01\0\0\0ahello"; /* no directory */
    path = temporary_path("other.zip");
    write_file(path, zip, sizeof zip - 1);
    assert_string_equal(tn_inspect(path), "format: zip archive\nmembers:\n  a 5 bytes\ndamaged: "
                                          "not a zip archive, or its end is missing\n");
}

static void a_file_that_is_cut_off_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("whole.keras");
    CHECK_OK(tn_save(trained(), path));
    json_t *json = inspected(shortened(path, 0.2)); /* the weights are gone, the layers there */
    assert_int_equal(total_of(json, "layers"), 4);
    assert_int_equal(total_of(json, "variables"), 0);
    assert_true(problems_of(json) >= 2);
    json_decref(json);
    json = inspected(shortened(path, 0.99)); /* only the directory is gone */
    assert_int_equal(total_of(json, "variables"), 4);
    assert_true(problems_of(json) >= 1);
    json_decref(json);
    const char *text = tn_inspect(shortened(TESTDATA "plain_k2.h5", 0.9));
    assert_non_null(strstr(text, "\ndamaged: "));
    assert_non_null(strstr(text, "keras_version: 2."));
    CHECK_NO_ERROR();
}

static void what_cannot_be_read_at_all_is_an_error(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("none");
    assert_string_equal(tn_inspect(path), "<failed>");
    CHECK_ERROR(TN_NOT_FOUND, "none");
    write_file(path, "not a model\n", 12);
    assert_string_equal(tn_inspect(path), "<failed>");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "File format not supported: filepath=");
    write_file(path, "", 0);
    assert_string_equal(tn_inspect(path, .json = true), "<failed>");
    CHECK_ERROR(TN_INVALID_ARGUMENT, "File format not supported: filepath=");
    assert_string_equal(tn_inspect(shortened(TESTDATA "plain_k2.h5", 0.01)), "<failed>");
    CHECK_ERROR(TN_DATA_LOSS, "cut off");
    assert_string_equal(tn_inspect("src"), "<failed>");
    CHECK_ERROR(TN_UNIMPLEMENTED, "It is a folder");
}

static void names_cannot_move_the_cursor(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("escape.json");
    const char *json =
        "{\"class_name\": \"Dense\", \"config\": {\"name\": \"a\\u001b[2J\\nb\", \"units\": 3}}";
    write_file(path, json, strlen(json));
    assert_non_null(strstr(tn_inspect(path), "model: Dense 'a?[2J?b'\n"));
}

/* Any single byte may be any other: something or an error is told, and nothing worse happens. */
static void every_damaged_byte_is_survived(void **state)
{
    (void)state;
    static const char *const files[] = { TESTDATA "plain.keras", TESTDATA "plain_k2.h5" };
    for (size_t f = 0; f < 2; f++) {
        tn__bytes bytes = bytes_of(files[f]);
        for (size_t at = 0; at < bytes.size; at += bytes.size / 400 + 1) {
            TN_SCOPE;
            const char *path = temporary_path("byte");
            bytes.data[at] ^= (uint8_t)(1 + at % 255);
            write_file(path, bytes.data, bytes.size);
            bytes.data[at] ^= (uint8_t)(1 + at % 255);
            const char *text = tn_inspect(path);
            assert_true((strcmp(text, "<failed>") == 0) == (tn_catch(TN_ANY_ERROR) != NULL));
        }
        tn__bytes_free(&bytes);
    }
}

static bool inspect(void *path)
{
    TN_SCOPE;
    return strcmp(tn_inspect(path), "<failed>") != 0;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(inspect, (void *)(uintptr_t)(TESTDATA "plain.keras"));
}

/* Keras 3 writes the ops that make masks; loading leaves them out. */
static void ops_of_masks_are_not_unknown_classes(void **state)
{
    (void)state;
    TN_SCOPE;
    static const char text[] =
        "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": ["
        "{\"module\": \"keras.src.ops.numpy\", \"class_name\": \"NotEqual\", \"name\": "
        "\"not_equal\","
        " \"config\": {\"name\": \"not_equal\"}, \"inbound_nodes\": []},"
        "{\"class_name\": \"Whittle\", \"config\": {\"name\": \"w\"}, \"name\": \"w\","
        " \"inbound_nodes\": []}], \"output_layers\": [\"w\", 0, 0]}}";
    const char *path = temporary_path("masks.json");
    write_file(path, text, sizeof text - 1);
    json_t *json = inspected(path), *unknown = json_object_get(json, "unknown_classes");
    assert_int_equal(json_array_size(unknown), 1);
    assert_string_equal(json_string_value(json_array_get(unknown, 0)), "Whittle");
    json_decref(json);
}

static void checkpoints_by_their_prefix_or_index(void **state)
{
    (void)state;
    TN_SCOPE;
    static const char *const files[] = { TESTDATA "checkpoint_k2", TESTDATA "checkpoint_k3.index" };
    for (int i = 0; i < 2; i++) {
        json_t *json = inspected(files[i]);
        assert_string_equal(text_of(json, "format"), "checkpoint");
        assert_string_equal(text_of(json, "file"), files[i]);
        assert_int_equal(total_of(json, "variables"), 8);
        assert_int_equal(total_of(json, "numbers"), 8 + 2 + 4 * 2 + 36 + 2);
        assert_int_equal(total_of(json, "optimizer_variables"), 14);
        assert_int_equal(problems_of(json), 0);
        json_decref(json);
    }
    const char *first = tn_inspect(TESTDATA "saver_v1");
    assert_non_null(strstr(first, "format: TensorFlow checkpoint\n"));
    assert_non_null(strstr(first, "  scope/b float32 (1, 3)\n"));
    assert_non_null(strstr(first, "total: 9 arrays, 18 numbers, 76.00 B\n"));
}

static void a_checkpoint_whose_data_are_cut_off_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("cut");
    tn__bytes index = bytes_of(TESTDATA "checkpoint_k2.index");
    write_file(tn_format("%s.index", prefix), index.data, index.size);
    write_file(tn_format("%s.data-00000-of-00001", prefix), "short", 5);
    json_t *json = inspected(prefix);
    assert_int_equal(total_of(json, "variables"), 8);
    assert_int_equal(problems_of(json), 1); /* the same of every value */
    json_decref(json);
    tn__bytes_free(&index);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_has_every_key),
        cmocka_unit_test(a_keras_archive_of_our_own),
        cmocka_unit_test(an_h5_of_our_own_and_weights),
        cmocka_unit_test(variables_are_told_in_the_order_of_their_numbers),
        cmocka_unit_test(arrays_and_tables),
        cmocka_unit_test(other_archives_and_json),
        cmocka_unit_test(checkpoints_by_their_prefix_or_index),
        cmocka_unit_test(a_checkpoint_whose_data_are_cut_off_is_told),
        cmocka_unit_test(a_file_that_is_cut_off_is_read_as_far_as_it_goes),
        cmocka_unit_test(what_cannot_be_read_at_all_is_an_error),
        cmocka_unit_test(names_cannot_move_the_cursor),
        cmocka_unit_test(every_damaged_byte_is_survived),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
        cmocka_unit_test(ops_of_masks_are_not_unknown_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
