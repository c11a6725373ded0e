/* diff_test.c - two files side by side: what is counted as a difference and what is not. */
#include "saving/testdata.h"
#include <jansson.h>
#include <string.h>

static json_t *compared_with(const char *a, const char *b, double tolerance, size_t differences)
{
    tn_findings found = tn_diff(a, b, .tolerance = tolerance, .json = true);
    CHECK_NO_ERROR();
    json_t *report = json_loads(found.text, 0, NULL);
    assert_non_null(report);
    assert_int_equal(json_integer_value(json_object_get(report, "differences")), found.count);
    if (found.count != differences)
        print_message("%s\n", tn_diff(a, b, .tolerance = tolerance).text);
    assert_int_equal(found.count, differences);
    return report;
}

static void check_equal(const char *a, const char *b)
{
    json_decref(compared_with(a, b, 0, 0));
}

static const json_t *entry(const json_t *report, const char *list, const char *key,
                           const char *name)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(report, list), i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, key)), name) == 0)
            return one;
    }
    fail_msg("no %s '%s'", key, name);
    return NULL;
}

static void a_file_equals_itself(void **state)
{
    (void)state;
    static const char *const files[] = {
        TESTDATA "plain.keras",       TESTDATA "plain_k2.h5",           TESTDATA "nested.keras",
        TESTDATA "plain.weights.h5",  TESTDATA "plain_k2_weights.h5",   TESTDATA "trained_k2.h5",
        TESTDATA "sigmoids_k2.json",  TESTDATA "outputs.npz",           TESTDATA "mixed_k3.keras",
        TESTDATA "bfloat16_k3.keras", TESTDATA "plain_compressed.keras"
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        TN_SCOPE;
        check_equal(files[i], files[i]);
    }
}

static void a_model_equals_its_own_weights_and_its_other_formats(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *keras = temporary_path("a.keras"), *h5 = temporary_path("a.h5");
    tn_model *model = plain_model();
    CHECK_OK(tn_save(model, keras));
    CHECK_OK(tn_save(model, h5));
    check_equal(keras, h5);
    check_equal(TESTDATA "plain.keras", TESTDATA "plain.weights.h5");
    check_equal(TESTDATA "plain_k2_weights.h5", TESTDATA "plain_k2.h5");
    const char *checkpoint = temporary_path("weights");
    CHECK_OK(tn_save_weights(model, checkpoint));
    check_equal(keras, checkpoint);
    assert_int_equal(tn_doctor(keras, checkpoint).count, 0);
    check_equal(checkpoint, checkpoint);
}

/* --- checkpoints and SavedModels -------------------------------------------------------------- */
static const char *folder_of(const char *path)
{
    return tn_format("%.*s", (int)(strrchr(path, '/') - path), path);
}

static void two_checkpoints_are_compared_by_their_keys(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *a = temporary_path("two_a"), *b = temporary_path("two_b");
    tn_model *model = plain_model();
    CHECK_OK(tn_save_weights(model, a));
    tn_tensor *bias = tn_at(tn_variables(model), 1);
    tn_assign_add(bias, tn_ones(TN_SHAPE(3), TN_FLOAT32));
    CHECK_OK(tn_save_weights(model, b));
    json_t *report = compared_with(a, b, 0, 1);
    const json_t *found = entry(report, "variables", "name", "layer_with_weights-0/bias");
    assert_true(json_real_value(json_object_get(found, "largest")) == 1);
    json_decref(report);
    json_decref(compared_with(a, folder_of(a), 0, 1)); /* the folder's last one is b */
    json_decref(compared_with(tn_format("%s/checkpoint", folder_of(a)), a, 0, 1));
    check_equal(tn_format("%s.index", b), folder_of(a));
    check_equal(TESTDATA "saver_v1", TESTDATA "saver_v2");
}

static void a_checkpoint_of_names_meets_one_of_objects_and_a_model_it_does_not_fit(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *objects = temporary_path("objects"), *names = temporary_path("names"),
               *keras = temporary_path("names.keras");
    tn_model *model = plain_model();
    CHECK_OK(tn_save_weights(model, objects));
    CHECK_OK(tn_save(model, keras));
    tn_saver *saver = tn_saver(.var_list = tn_variables(model));
    assert_non_null(tn_saver_save(saver, NULL, names, -1));
    json_t *report = compared_with(objects, names, 0, 0);
    assert_string_equal(json_string_value(json_object_get(report, "compared")), "names");
    entry(report, "variables", "name", "hidden/kernel");
    json_decref(report);
    check_equal(names, keras);
    saver = tn_saver(.var_list = TN_LIST(tn_at(tn_variables(model), 0)));
    assert_non_null(tn_saver_save(saver, NULL, names, -1));
    report = compared_with(keras, names, 0, 3);
    assert_string_equal(json_string_value(json_object_get(report, "compared")), "names");
    assert_true(json_is_null(json_object_get(entry(report, "variables", "name", "out/bias"), "b")));
    json_decref(report);
}

static void a_saved_model_is_compared_as_a_model(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *keras = temporary_path("folder.keras"), *folder = temporary_path("folder"),
               *weights = temporary_path("folder_weights");
    tn_model *model = plain_model();
    CHECK_OK(tn_compile(model, tn_adam(0.1), "mse"));
    CHECK_OK(tn_save(model, keras));
    CHECK_OK(tn_save(model, folder));
    CHECK_OK(tn_save_weights(model, weights));
    check_equal(keras, folder);
    check_equal(folder, folder);
    check_equal(folder, weights);
    tn_assign(tn_at(tn_variables(model), 1), tn_ones(TN_SHAPE(3), TN_FLOAT32));
    CHECK_OK(tn_save(model, keras));
    json_t *report = compared_with(folder, keras, 0, 1);
    assert_string_equal(json_string_value(json_object_get(report, "compared")), "models");
    entry(report, "variables", "name", "hidden/bias");
    json_decref(report);
}

static void a_folder_whose_last_checkpoint_is_gone_says_so(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("gone");
    CHECK_OK(tn_save_weights(plain_model(), prefix));
    assert_int_equal(remove(tn_format("%s.index", prefix)), 0);
    assert_null(tn_diff(folder_of(prefix), folder_of(prefix)).text);
    CHECK_ERROR(TN_NOT_FOUND, "names the last one, which is not there");
}

static void values_shapes_and_what_only_one_has(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *a = temporary_path("a.npz"), *b = temporary_path("b.npz");
    const float first[] = { 1, 2, NAN }, second[] = { 1, 2.5f, NAN };
    tn_shape three = TN_SHAPE(3);
    const char *names[] = { "x", "y", "z" }, *others[] = { "x", "y", "w" };
    tn_tensor *in_a[] = { tn_constant(TN_FLOAT32, three, first),
                          tn_ones(TN_SHAPE(2, 3), TN_FLOAT32), tn_ones(three, TN_FLOAT32) };
    tn_tensor *in_b[] = { tn_constant(TN_FLOAT32, three, second),
                          tn_ones(TN_SHAPE(3, 2), TN_FLOAT32), tn_ones(three, TN_FLOAT32) };
    const tn_named_list x_y_z = { 3, names, in_a }, x_y_w = { 3, others, in_b };
    CHECK_OK(tn_save_arrays(x_y_z, a));
    CHECK_OK(tn_save_arrays(x_y_w, b));
    json_t *report = compared_with(a, b, 0, 4);
    assert_string_equal(json_string_value(json_object_get(report, "compared")), "arrays");
    const json_t *x = entry(report, "variables", "name", "x");
    assert_true(json_real_value(json_object_get(x, "largest")) == 0.5);
    assert_true(json_is_null(json_object_get(entry(report, "variables", "name", "y"), "largest")));
    assert_true(json_is_null(json_object_get(entry(report, "variables", "name", "z"), "b")));
    assert_true(json_is_null(json_object_get(entry(report, "variables", "name", "w"), "a")));
    json_decref(report);
    json_decref(compared_with(a, b, 0.5, 3)); /* x is near enough */
}

static void a_number_beside_none_is_infinitely_far(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *a = temporary_path("a.npy"), *b = temporary_path("b.npy");
    CHECK_OK(tn_save_array(tn_constant(TN_FLOAT32, TN_SHAPE(1), ((float[]){ NAN })), a));
    CHECK_OK(tn_save_array(tn_constant(TN_FLOAT32, TN_SHAPE(1), ((float[]){ 1 })), b));
    json_t *report = compared_with(a, b, 1e9, 1);
    const json_t *only = json_array_get(json_object_get(report, "variables"), 0);
    assert_string_equal(json_string_value(json_object_get(only, "largest")), "infinite");
    json_decref(report);
}

static void another_dtype_is_a_difference_though_the_numbers_are_equal(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *a = temporary_path("a.npy"), *b = temporary_path("b.npy");
    CHECK_OK(tn_save_array(tn_ones(TN_SHAPE(2), TN_FLOAT32), a));
    CHECK_OK(tn_save_array(tn_ones(TN_SHAPE(2), TN_INT32), b));
    json_decref(compared_with(a, b, 0, 1));
    assert_non_null(
        strstr(tn_diff(a, b).text, ": float32 (2,) and int32 (2,); largest difference 0.0"));
}

static tn_model *configured(const char *activation, double rate, const char *last)
{
    tn_model *model =
        spread(tn_sequential(TN_LAYERS(tn_dense(3, .activation = activation, .name = "hidden",
                                                .input_shape = TN_SHAPE(4)),
                                       tn_dense(2, .name = last)),
                             .name = "plain"));
    CHECK_OK(tn_compile(model, tn_sgd(rate), "mse"));
    return model;
}

static void configs_are_compared_layer_by_layer_and_key_by_key(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *a = temporary_path("a.keras"), *b = temporary_path("b.h5");
    CHECK_OK(tn_save(configured("relu", 0.5, "out"), a));
    CHECK_OK(tn_save(configured("tanh", 0.25, "out"), b));
    json_t *report =
        compared_with(a, b, 0, 5); /* the rate is a variable too, and the inputs have two names */
    const json_t *activation = entry(report, "configs", "key", "activation");
    assert_string_equal(json_string_value(json_object_get(activation, "layer")), "hidden");
    assert_string_equal(json_string_value(json_object_get(activation, "a")), "relu");
    assert_string_equal(json_string_value(json_object_get(activation, "b")), "tanh");
    const json_t *rate = entry(report, "configs", "key", "optimizer.config.learning_rate");
    assert_string_equal(json_string_value(json_object_get(rate, "layer")), "(compiled)");
    json_decref(report);
    CHECK_OK(tn_save(configured("relu", 0.5, "other"), b));
    report = compared_with(a, b, 0, 8); /* two weights and two layers that only one has, each way */
    assert_null(json_object_get(entry(report, "configs", "layer", "out"), "b"));
    assert_null(json_object_get(entry(report, "configs", "layer", "other"), "a"));
    json_decref(report);
}

static void what_nobody_knows_is_compared_as_it_stands_in_the_files(void **state)
{
    (void)state;
    TN_SCOPE;
    static const char text[] = "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"odd\", "
                               "\"layers\": [{\"class_name\": \"Mystery\", \"config\": {\"name\": "
                               "\"m\", \"size\": %d}}]}}";
    const char *a = temporary_path("a.json"), *b = temporary_path("b.json");
    char one[300];
    for (int i = 0; i < 2; i++) {
        snprintf(one, sizeof one, text, i);
        write_file(i ? b : a, one, strlen(one));
    }
    json_t *report = compared_with(a, b, 0, 1);
    assert_int_equal(
        json_integer_value(json_object_get(entry(report, "configs", "key", "size"), "b")), 1);
    assert_true(json_array_size(json_object_get(report, "notes")) > 0);
    json_decref(report);
}

static void weights_of_two_formats_ask_for_their_models(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_findings found = tn_diff(TESTDATA "plain.weights.h5", TESTDATA "plain_k2_weights.h5");
    assert_int_equal(found.count, 8);
    assert_non_null(strstr(found.text, "only in a: layers/dense/vars/0 float32 (4, 3)"));
    assert_non_null(strstr(found.text, "make both whole models"));
}

static void what_cannot_be_read_is_one_error(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("short.keras");
    tn__bytes bytes = bytes_of(TESTDATA "plain.keras");
    write_file(path, bytes.data, bytes.size / 2);
    tn__bytes_free(&bytes);
    assert_null(tn_diff(TESTDATA "plain.keras", path).text);
    CHECK_ERROR(TN_DATA_LOSS, "");
    assert_null(tn_diff(TESTDATA "plain.keras", "nowhere.keras").text);
    CHECK_ERROR(TN_NOT_FOUND, "nowhere.keras");
    assert_null(tn_diff(TESTDATA "plain.keras", NULL).text);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "two paths");
    assert_null(tn_diff(TESTDATA "plain.keras", TESTDATA "plain.keras", .tolerance = -1).text);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tolerance");
}

static void every_damaged_byte_is_survived(void **state)
{
    (void)state;
    static const char *const files[] = { TESTDATA "plain.keras", TESTDATA "trained_k2.h5" };
    (void)listen_to_sink();
    for (size_t f = 0; f < 2; f++) {
        tn__bytes bytes = bytes_of(files[f]);
        for (size_t at = 0; at < bytes.size; at += bytes.size / 200 + 1) {
            TN_SCOPE;
            const char *path = temporary_path("byte");
            bytes.data[at] ^= (uint8_t)(1 + at % 255);
            write_file(path, bytes.data, bytes.size);
            bytes.data[at] ^= (uint8_t)(1 + at % 255);
            bool failed = tn_diff(files[f], path).text == NULL;
            assert_true(failed == (tn_catch(TN_ANY_ERROR) != NULL));
        }
        tn__bytes_free(&bytes);
    }
    stop_listening();
}

static bool compare(void *path)
{
    TN_SCOPE;
    return tn_diff(path, TESTDATA "plain.weights.h5").text != NULL;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(compare, (void *)(uintptr_t)(TESTDATA "trained.keras"));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_equals_itself),
        cmocka_unit_test(a_model_equals_its_own_weights_and_its_other_formats),
        cmocka_unit_test(two_checkpoints_are_compared_by_their_keys),
        cmocka_unit_test(a_checkpoint_of_names_meets_one_of_objects_and_a_model_it_does_not_fit),
        cmocka_unit_test(a_saved_model_is_compared_as_a_model),
        cmocka_unit_test(a_folder_whose_last_checkpoint_is_gone_says_so),
        cmocka_unit_test(values_shapes_and_what_only_one_has),
        cmocka_unit_test(a_number_beside_none_is_infinitely_far),
        cmocka_unit_test(another_dtype_is_a_difference_though_the_numbers_are_equal),
        cmocka_unit_test(configs_are_compared_layer_by_layer_and_key_by_key),
        cmocka_unit_test(what_nobody_knows_is_compared_as_it_stands_in_the_files),
        cmocka_unit_test(weights_of_two_formats_ask_for_their_models),
        cmocka_unit_test(what_cannot_be_read_is_one_error),
        cmocka_unit_test(every_damaged_byte_is_survived),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
