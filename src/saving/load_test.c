#include "saving/testdata.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_output(const char *file, const char *output)
{
    TN_SCOPE;
    tn_model *model = tn_load_model(file);
    tn_tensor *y = tn_call(model, wanted("x"));
    CHECK_NO_ERROR();
    double most = difference(y, wanted(output));
    if (!(most < 1e-6))
        fail_msg("%s: outputs differ by %g", file, most);
}

static void models_of_every_era_give_the_numbers_they_gave_there(void **state)
{
    (void)state;
    static const char *const plain[] = { "plain.keras", "plain_k3.h5", "plain_k2.h5",
                                         "plain_compressed.keras" };
    static const char *const bn[] = { "bn.keras", "bn_k3.h5", "bn_k2.h5" };
    for (size_t i = 0; i < 4; i++)
        check_output(tn_format(TESTDATA "%s", plain[i]), "plain_0");
    for (size_t i = 0; i < 3; i++)
        check_output(tn_format(TESTDATA "%s", bn[i]), "bn_0");
}

static void models_within_models_are_called_as_often_as_they_were(void **state)
{
    (void)state;
    static const char *const files[] = { "nested.keras", "nested_k3.h5", "nested_k2.h5",
                                         "ends.keras",   "ends_k3.h5",   "ends_k2.h5" };
    for (size_t i = 0; i < 6; i++) {
        TN_SCOPE;
        const char *name = i < 3 ? "nested" : "ends";
        tn_model *model = tn_load_model(tn_format(TESTDATA "%s", files[i]));
        tn_tensor *x = wanted("x");
        tn_tensor *reversed =
            tn_concat(TN_LIST(tn_rows(x, 2, 3), tn_rows(x, 1, 2), tn_rows(x, 0, 1)), 0);
        tn_list y = tn_items(tn_call(model, tn_tuple(x, reversed)));
        CHECK_NO_ERROR();
        assert_int_equal(y.count, 2);
        for (size_t k = 0; k < 2; k++)
            assert_true(difference(y.item[k], wanted(tn_format("%s_%zu", name, k))) < 1e-6);
        tn_model *again = tn_model_from_json(tn_to_json(model));
        CHECK_NO_ERROR();
        assert_string_equal(tn_to_json(again), tn_to_json(model));
    }
}

static void weights_of_every_era_go_into_a_model_that_is_there(void **state)
{
    (void)state;
    static const char *const files[] = { "plain.weights.h5",
                                         "plain.keras",
                                         "plain_k3.h5",
                                         "plain_k2.h5",
                                         "plain_k2_weights.h5",
                                         "plain_2_13.weights.h5",
                                         "plain_windows.weights.h5",
                                         "plain_compressed.keras" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        TN_SCOPE;
        tn_model *model =
            tn_sequential(TN_LAYERS(tn_dense(3, "relu", .input_shape = TN_SHAPE(4)), tn_dense(2)));
        CHECK_OK(tn_load_weights(model, tn_format(TESTDATA "%s", files[i])));
        assert_true(difference(tn_call(model, wanted("x")), wanted("plain_0")) < 1e-6);
    }
}

static void a_file_is_known_by_its_content(void **state)
{
    (void)state;
    tn__bytes bytes = bytes_of(TESTDATA "plain_k2.h5");
    write_file(temporary_path("model.keras"), bytes.data, bytes.size);
    tn__bytes_free(&bytes);
    check_output(temporary_path("model.keras"), "plain_0");
}

static void a_frozen_layer_stays_frozen(void **state)
{
    (void)state;
    static const char *const files[] = { "bn.keras", "bn_k3.h5", "bn_k2.h5" };
    for (size_t i = 0; i < 3; i++) {
        TN_SCOPE;
        tn_model *model = tn_load_model(tn_format(TESTDATA "%s", files[i]));
        CHECK_NO_ERROR();
        assert_false(tn_is_trainable(tn_get_layer(model, "bn")));
        assert_int_equal(tn_trainable_variables(model).count, 2);
    }
}

/* --- from memory, mapped, limited ------------------------------------------------------------- */
static void a_model_loads_from_memory(void **state)
{
    (void)state;
    TN_SCOPE;
    tn__bytes bytes = bytes_of(TESTDATA "plain.keras");
    tn_model *model = tn_load_model_from_memory(bytes.data, bytes.size);
    memset(bytes.data, 0, bytes.size); /* it needs them no more */
    tn__bytes_free(&bytes);
    CHECK_NO_ERROR();
    assert_true(difference(tn_call(model, wanted("x")), wanted("plain_0")) < 1e-6);
    assert_null(tn_load_model_from_memory(NULL, 0));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "File format not supported: filepath=memory.");
}

static void mapped_weights_outlive_the_load_and_may_be_trained(void **state)
{
    (void)state;
    static const char *const files[] = { "plain.keras", "plain_k2.h5", "plain_compressed.keras" };
    for (size_t i = 0; i < 3; i++) {
        TN_SCOPE;
        tn_model *model = tn_load_model(tn_format(TESTDATA "%s", files[i]), .map = true);
        tn_tensor *kernel = tn_variables(model).item[0];
        assert_true(difference(tn_call(model, wanted("x")), wanted("plain_0")) < 1e-6);
        tn_assign_add(kernel, tn_ones(TN_SHAPE(4, 3), TN_FLOAT32));
        CHECK_NO_ERROR();
        assert_true(difference(tn_call(model, wanted("x")), wanted("plain_0")) > 0.1);
    }
}

static void a_limit_is_kept_to(void **state)
{
    (void)state;
    assert_null(tn_load_model(TESTDATA "plain.keras", .limit = 1000));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "limit");
    assert_null(tn_load_model(TESTDATA "plain.keras", .limit = 1000, .map = true));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "is longer than the limit of 1000 bytes");
    assert_null(tn_load_model(TESTDATA "plain_compressed.keras", .limit = 5000));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "limit");
}

static void a_config_cannot_ask_for_more_than_the_limit(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(100, .input_shape = TN_SHAPE(100))));
    tn_bytes bytes = tn_save_to_memory(model, .format = "h5");
    char *units = memmem(bytes.data, bytes.size, "\"units\": 100,", 13);
    CHECK_NO_ERROR();
    assert_non_null(units);
    memcpy(units, "\"units\": 1e9,", 13);
    assert_null(tn_load_model_from_memory(bytes.data, bytes.size));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED,
                "a tensor of shape (100, 1000000000) and type float32 takes 400000000000 bytes, "
                "the limit is 4294967296");
    tn_load_options small = {
        .size_ = sizeof small, .data = bytes.data, .size = bytes.size, .limit = 60000
    };
    memcpy(units, "\"units\": 300,", 13);
    assert_null(tn_load_model_with(&small));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "limit");
}

/* --- reports ---------------------------------------------------------------------------------- */
typedef struct {
    char text[4000];
    int good, bad;
} heard;

static void hear(void *self, const tn_weight_report *weight)
{
    heard *h = self;
    size_t at = strlen(h->text);
    snprintf(h->text + at, sizeof h->text - at, "%s<%s;", weight->name ? weight->name : "-",
             weight->source ? weight->source : "-");
    *(weight->problem ? &h->bad : &h->good) += 1;
}

static void each_weight_is_reported_with_its_source(void **state)
{
    (void)state;
    TN_SCOPE;
    heard h = { .good = 0 };
    assert_non_null(tn_load_model(TESTDATA "plain.keras", .report = hear, .report_self = &h));
    assert_string_equal(h.text, "hidden/kernel<layers/dense/vars/0;hidden/bias<layers/dense/vars/1;"
                                "out/kernel<layers/dense_1/vars/0;out/bias<layers/dense_1/vars/1;");
    assert_int_equal(h.good, 4);
    h = (heard){ .good = 0 };
    assert_non_null(tn_load_model(TESTDATA "plain_k2.h5", .report = hear, .report_self = &h));
    assert_non_null(strstr(h.text, "out/bias<model_weights/out/out/bias:0;"));
    CHECK_NO_ERROR();
}

static void a_report_can_be_printed(void **state)
{
    (void)state;
    TN_SCOPE;
    sink_text *heard = listen_to_sink();
    tn_load_model(TESTDATA "plain.keras", .report = tn_print_weight_report);
    stop_listening();
    CHECK_NO_ERROR();
    assert_non_null(strstr(heard->text, "out/bias                                 (2,)             "
                                        "layers/dense_1/vars/1\n"));
}

static tn_model *wider(void)
{
    return tn_sequential(TN_LAYERS(tn_dense(3, .name = "hidden", .input_shape = TN_SHAPE(4)),
                                   tn_dense(5, .name = "out")),
                         .name = "wide");
}

static void what_does_not_fit_is_named_and_nothing_is_changed(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = spread(wider());
    heard h = { .good = 0 };
    assert_int_not_equal(
        tn_load_weights(model, TESTDATA "plain.weights.h5", .report = hear, .report_self = &h),
        TN_OK);
    const tn_error *error = tn_catch(TN_INVALID_ARGUMENT);
    assert_string_equal(error->first_line,
                        "A total of 1 objects could not be loaded. Example error message for "
                        "object <Dense name=out, built=True>:");
    assert_non_null(strstr(
        error->message,
        "The shape of the target variable and the shape of the target value in "
        "`variable.assign(value)` must "
        "match. variable.shape=(3, 5), Received: value.shape=(3, 2). Target variable: <Variable "
        "path=wide/out/kernel, shape=(3, 5), dtype=float32>"));
    assert_non_null(strstr(error->message, "weight 'out/kernel', made at "));
    assert_non_null(
        strstr(error->message, "expected (3, 5), 'layers/dense_1/vars/0' in the file has (3, 2)"));
    assert_non_null(
        strstr(error->message, "expected (5,), 'layers/dense_1/vars/1' in the file has (2,)"));
    assert_non_null(strstr(error->message, "while loading '" TESTDATA "plain.weights.h5'"));
    assert_non_null(strstr(error->message, "\n.skip_mismatch = true loads the others"));
    assert_int_equal(h.good, 2);
    assert_int_equal(h.bad, 2);
    tn_model *same = spread(wider());
    check_same_outputs(model, same, wanted("x"));

    assert_int_not_equal(tn_load_weights(model, TESTDATA "plain_k2.h5"), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Shape mismatch in layer #1 (named out)for weight "
                                     "wide/out/kernel. Weight expects shape (3, 5). Received saved "
                                     "weight with shape (3, 2)\nweight 'out/kernel', made at ");
    check_same_outputs(model, same, wanted("x"));
}

static void mismatches_can_be_skipped(void **state)
{
    (void)state;
    static const char *const files[] = { "plain.weights.h5", "plain_k2.h5", "plain_k2_weights.h5" };
    sink_text *heard = listen_to_sink();
    for (size_t i = 0; i < 3; i++) {
        TN_SCOPE;
        tn_model *model = spread(wider()), *plain = tn_load_model(TESTDATA "plain.keras");
        tn_tensor *before = tn_read_value(tn_variables(model).item[2]);
        CHECK_OK(tn_load_weights(model, tn_format(TESTDATA "%s", files[i]), .skip_mismatch = true));
        assert_true(difference(tn_variables(model).item[0], tn_variables(plain).item[0]) == 0);
        assert_true(difference(tn_variables(model).item[2], before) == 0);
    }
    stop_listening();
    assert_non_null(strstr(heard->text, "A total of 1 objects could not be loaded."));
    assert_non_null(
        strstr(heard->text, "Shape mismatch in layer #1 (named out)for weight wide/out/kernel."));
}

static void missing_and_superfluous_weights_are_named(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *shorter =
        tn_sequential(TN_LAYERS(tn_dense(3, .name = "hidden", .input_shape = TN_SHAPE(4))));
    tn_model *longer =
        tn_sequential(TN_LAYERS(tn_dense(3, .name = "hidden", .input_shape = TN_SHAPE(4)),
                                tn_dense(2, .name = "out"), tn_dense(7, .name = "more")));
    assert_int_not_equal(tn_load_weights(shorter, TESTDATA "plain.weights.h5"), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "The file has 2 weight(s) that the model does not have\n"
                "'layers/dense_1/vars/0' (3, 2) in the file belongs to no weight of the model");
    assert_int_not_equal(tn_load_weights(longer, TESTDATA "plain.weights.h5"), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Layer 'more' expected 2 variables, but received 0 variables "
                                     "during loading. Expected: ['kernel', 'bias']");
    assert_int_not_equal(tn_load_weights(shorter, TESTDATA "plain_k2.h5"), TN_OK);
    CHECK_ERROR(
        TN_INVALID_ARGUMENT,
        "Layer count mismatch when loading weights from file. Model expected 1 layers, found 2 "
        "saved layers.\n"
        "'model_weights/out/out/kernel:0' (3, 2) in the file belongs to no weight of the model");
    assert_int_not_equal(tn_load_weights(longer, TESTDATA "plain_k2_weights.h5"), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "\n.by_name = true loads the layers of the same name");
    assert_int_not_equal(tn_load_weights(longer, TESTDATA "plain_k2_weights.h5"), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Model expected 3 layers, found 2 saved layers.\nweight "
                                     "'more/kernel' (2, 7) is not in the file");
}

static void layers_can_be_matched_by_name(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model =
        tn_sequential(TN_LAYERS(tn_dense(3, "relu", .name = "other", .input_shape = TN_SHAPE(4)),
                                tn_dense(3, "relu", .name = "fresh"), tn_dense(2, .name = "out")));
    tn_model *plain = tn_load_model(TESTDATA "plain.keras");
    CHECK_OK(tn_load_weights(model, TESTDATA "plain_k2.h5", .by_name = true));
    assert_true(difference(tn_variables(model).item[4], tn_variables(plain).item[2]) == 0);
    assert_int_not_equal(tn_load_weights(model, TESTDATA "plain.weights.h5", .by_name = true),
                         TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "`by_name` only supports loading legacy '.h5' or '.hdf5' files");
    tn_model *wrong = tn_sequential(
        TN_LAYERS(tn_dense(2, .use_bias = false, .name = "out", .input_shape = TN_SHAPE(3))));
    assert_int_not_equal(tn_load_weights(wrong, TESTDATA "plain_k2.h5", .by_name = true), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Weight count mismatch for layer #1 (named out). Layer "
                                     "expects 1 weight(s). Received 2 saved weight(s)");
}

/* --- what is no model ------------------------------------------------------------------------- */
static void what_cannot_be_opened_says_why(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *folder = temporary_path("folder"), *saved_model = temporary_path("saved_model");
    mkdir(folder, 0700);
    mkdir(saved_model, 0700);
    write_file(tn_format("%s/saved_model.pb", saved_model), "x", 1);
    write_file(temporary_path("text.h5"), "hello", 5);
    write_file(temporary_path("empty.keras"), "", 0);
    const struct {
        const char *path;
        tn_status status;
        const char *text;
    } cases[] = {
        { temporary_path("none.keras"), TN_NOT_FOUND, "No such file or directory" },
        { folder, TN_UNIMPLEMENTED, "File format not supported: filepath=" },
        { saved_model, TN_DATA_LOSS, "SavedModel" },
        { temporary_path("text.h5"), TN_INVALID_ARGUMENT,
          "supported are .keras archives, .h5 files of Keras 1 to 3, and .weights.h5 files" },
        { temporary_path("empty.keras"), TN_INVALID_ARGUMENT, "File format not supported" },
        { TESTDATA "plain.weights.h5", TN_INVALID_ARGUMENT,
          "No model config found in the file at " TESTDATA
          "plain.weights.h5.\nit holds weights only" },
        { TESTDATA "plain_k2_weights.h5", TN_INVALID_ARGUMENT, "it holds weights only" },
        { TESTDATA "outputs.npz", TN_DATA_LOSS, "" },
        { "", TN_NOT_FOUND, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(tn_load_model(cases[i].path));
        CHECK_ERROR(cases[i].status, cases[i].text);
    }
    assert_null(tn_load_model(NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "neither a path nor data");
}

static void an_architecture_alone_is_told_from_a_model(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("model.json"), *json = tn_to_json(plain_model());
    write_file(path, json, strlen(json));
    assert_null(tn_load_model(path));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "is an architecture without weights\ntn_load_json() makes the model");
    tn_model *model = tn_load_json(path);
    CHECK_OK(tn_load_weights(model, TESTDATA "plain.keras"));
    assert_true(difference(tn_call(model, wanted("x")), wanted("plain_0")) < 1e-6);
}

static void weights_need_a_model_that_is_built(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_int_not_equal(
        tn_load_weights(tn_sequential(TN_LAYERS(tn_dense(3))), TESTDATA "plain.weights.h5"), TN_OK);
    CHECK_ERROR(TN_FAILED_PRECONDITION,
                "You are loading weights into a model that has not yet been built.");
}

/* --- classes that nobody knows ---------------------------------------------------------------- */
static const char unknown[] =
    "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": ["
    "{\"class_name\": \"InputLayer\", \"config\": {\"batch_input_shape\": [null, 4], \"name\": "
    "\"in\"}},"
    "{\"class_name\": \"MyDense\", \"config\": {\"name\": \"a\"}}, {\"class_name\": \"Dense\", "
    "\"config\": {\"name\": \"d\", \"units\": 2}},"
    "{\"class_name\": \"MyNorm\", \"config\": {\"name\": \"b\"}}, {\"class_name\": \"MyDense\", "
    "\"config\": {\"name\": \"c\"}}]}}";

static void all_unknown_classes_are_named_at_once(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_model_from_json(unknown));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Unknown layer: 'MyDense'. Please ensure you are using a "
                                     "`keras.utils.custom_object_scope` and that this object "
                                     "is included in the scope.\nnobody knows: MyDense, MyNorm\n");
}

static void a_file_with_unknown_classes_can_be_inspected(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("unknown.json");
    write_file(path, unknown, strlen(unknown));
    const char *text = tn_inspect(path);
    assert_non_null(strstr(text, "    MyNorm b  (nobody knows this class)\n"));
    assert_non_null(strstr(text, "    Dense d\n"));
    assert_non_null(strstr(text, "unknown classes: MyDense, MyNorm\n"));
    text = tn_inspect(TESTDATA "plain_k2.h5");
    assert_non_null(strstr(text, "format: HDF5 (Keras's .h5)\nkeras_version: 2."));
    assert_non_null(strstr(text, "  model_weights/out/out/bias:0 float32 (2,)\n"));
    text = tn_inspect(TESTDATA "plain.keras");
    assert_non_null(strstr(text, "keras_version: 3.15.1\n"));
    assert_non_null(strstr(text, "  layers/dense/vars/0 float32 (4, 3)\n"));
    CHECK_NO_ERROR();
}

/* --- memory ----------------------------------------------------------------------------------- */
static bool load_it(void *path)
{
    return tn_load_model(path) != NULL;
}

static bool load_weights_of(void *path)
{
    tn_model *model =
        tn_sequential(TN_LAYERS(tn_dense(3, .input_shape = TN_SHAPE(4)), tn_dense(2)));
    return model && tn_load_weights(model, path) == TN_OK;
}

static void running_out_of_memory_while_loading_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(load_it, TESTDATA "plain.keras");
    check_allocation_failures(load_it, TESTDATA "plain_k2.h5");
    check_allocation_failures(load_weights_of, TESTDATA "plain_compressed.keras");
    check_allocation_failures(load_weights_of, TESTDATA "plain_windows.weights.h5");
}

int main(void)
{
    tests_begin();
    tests_count_json();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_of_every_era_give_the_numbers_they_gave_there),
        cmocka_unit_test(models_within_models_are_called_as_often_as_they_were),
        cmocka_unit_test(weights_of_every_era_go_into_a_model_that_is_there),
        cmocka_unit_test(a_file_is_known_by_its_content),
        cmocka_unit_test(a_frozen_layer_stays_frozen),
        cmocka_unit_test(a_model_loads_from_memory),
        cmocka_unit_test(mapped_weights_outlive_the_load_and_may_be_trained),
        cmocka_unit_test(a_limit_is_kept_to),
        cmocka_unit_test(a_config_cannot_ask_for_more_than_the_limit),
        cmocka_unit_test(each_weight_is_reported_with_its_source),
        cmocka_unit_test(a_report_can_be_printed),
        cmocka_unit_test(what_does_not_fit_is_named_and_nothing_is_changed),
        cmocka_unit_test(mismatches_can_be_skipped),
        cmocka_unit_test(missing_and_superfluous_weights_are_named),
        cmocka_unit_test(layers_can_be_matched_by_name),
        cmocka_unit_test(what_cannot_be_opened_says_why),
        cmocka_unit_test(an_architecture_alone_is_told_from_a_model),
        cmocka_unit_test(weights_need_a_model_that_is_built),
        cmocka_unit_test(all_unknown_classes_are_named_at_once),
        cmocka_unit_test(a_file_with_unknown_classes_can_be_inspected),
        cmocka_unit_test(running_out_of_memory_while_loading_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
