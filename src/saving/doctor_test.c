/* doctor_test.c - each thing that can be wrong with a model's file is found, told with its rule and
 * the way to mend it, and mended in a copy where that is safe. */
#include "formats/zip.h"
#include "saving/testdata.h"
#include <jansson.h>
#include <string.h>
#include <unistd.h>

/* --- files with something wrong --------------------------------------------------------------- */
/* The text with the n-th `from` (0: the first) replaced; the caller frees it. */
static char *replaced(const char *text, size_t size, const char *from, const char *to, int n)
{
    char *copy = calloc(size + strlen(to) + 1, 1);
    const char *at = memmem(text, size, from, strlen(from));
    for (; n > 0 && at; n--)
        at = memmem(at + 1, size - (size_t)(at + 1 - text), from, strlen(from));
    assert_non_null(at);
    size_t before = (size_t)(at - text), rest = size - before - strlen(from);
    memcpy(copy, text, before);
    memcpy(copy + before, to, strlen(to));
    memcpy(copy + before + strlen(to), at + strlen(from), rest);
    return copy;
}

static void copy_member(tn__zip *zip, size_t index, tn__zip_writer *out, const char *from,
                        const char *to, int n)
{
    tn__bytes bytes = { 0 };
    const char *name = tn__zip_member_at(zip, index)->name;
    CHECK_OK(tn__zip_read(zip, index, &bytes));
    char *changed = strcmp(name, "config.json") == 0
                        ? replaced((const char *)bytes.data, bytes.size, from, to, n)
                        : NULL;
    size_t size = changed ? strlen(changed) : bytes.size;
    CHECK_OK(tn__zip_add(out, name, TN__ZIP_STORED, changed ? changed : (char *)bytes.data, size));
    free(changed);
    tn__bytes_free(&bytes);
}

/* A .keras archive with another text in its config. */
static const char *reworded(const char *path, const char *from, const char *to, int n)
{
    tn__zip *zip;
    tn__zip_writer *out;
    tn__writer *file;
    tn__bytes bytes = bytes_of(path);
    const char *other = temporary_path("reworded.keras");
    CHECK_OK(tn__zip_open(tn__bytes_span(&bytes), NULL, &zip));
    CHECK_OK(tn__writer_open(other, false, &file));
    CHECK_OK(tn__zip_writer_open(file, &out));
    for (size_t i = 0; i < tn__zip_count(zip); i++)
        copy_member(zip, i, out, from, to, n);
    CHECK_OK(tn__zip_finish(out));
    CHECK_OK(tn__writer_commit(file));
    tn__zip_close(zip);
    tn__bytes_free(&bytes);
    return other;
}

static tn_model *two_layers(const char *first, const char *second)
{
    return spread(tn_sequential(TN_LAYERS(tn_dense(3, .name = first, .input_shape = TN_SHAPE(4)),
                                          tn_dense(2, .name = second)),
                                .name = "small"));
}

static const char *saved(tn_model *model, const char *name)
{
    const char *path = temporary_path(name);
    CHECK_OK(tn_save(model, path));
    return path;
}

/* After two steps of an optimizer. */
static const char *trained(tn_optimizer *optimizer)
{
    tn_model *model = two_layers("first", "second");
    CHECK_OK(tn_compile(model, optimizer, "mse"));
    assert_non_null(tn_fit(model, tn_ones(TN_SHAPE(2, 4), TN_FLOAT32),
                           tn_ones(TN_SHAPE(2, 2), TN_FLOAT32), .verbose = 0, .epochs = 2));
    return saved(model, "trained.keras");
}

/* --- reports ---------------------------------------------------------------------------------- */
static json_t *report_of(tn_findings found)
{
    CHECK_NO_ERROR();
    json_t *report = json_loads(found.text, 0, NULL);
    assert_non_null(report);
    assert_int_equal(json_integer_value(json_object_get(report, "open")), found.count);
    return report;
}

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

/* The i-th finding is of this kind, says this, and tells its rule and its mend. */
static void check_finding(const json_t *report, size_t i, const char *kind, const char *says)
{
    const json_t *finding = json_array_get(json_object_get(report, "findings"), i);
    assert_non_null(finding);
    assert_string_equal(text_in(finding, "kind"), kind);
    if (!strstr(text_in(finding, "message"), says))
        fail_msg("'%s' does not say '%s'", text_in(finding, "message"), says);
    assert_true(strlen(text_in(finding, "rule")) > 20 && strlen(text_in(finding, "mend")) > 20);
}

static void check_count(const json_t *report, size_t count)
{
    assert_int_equal(json_array_size(json_object_get(report, "findings")), count);
}

/* One finding, which is not mended: why is told. */
static void check_only(const char *path, const char *kind, const char *says)
{
    json_t *report = report_of(tn_doctor(path, .json = true));
    check_finding(report, 0, kind, says);
    check_count(report, 1);
    json_decref(report);
}

/* A mended copy in which nothing is found, and which computes what the model did; gives its path.
 */
static const char *mended(const char *path, size_t findings, const char *done)
{
    const char *copy = temporary_path("mended.keras");
    tn__bytes before = bytes_of(path), after;
    json_t *report = report_of(tn_doctor(path, .fix = copy, .json = true));
    check_count(report, findings);
    const json_t *fix = json_object_get(report, "fix");
    assert_string_equal(text_in(fix, "path"), copy);
    char *lines = json_dumps(json_object_get(fix, "done"), 0);
    if (!strstr(lines, done))
        fail_msg("%s does not say '%s'", lines, done);
    free(lines);
    assert_int_equal(json_array_size(json_object_get(fix, "left")), 0);
    assert_int_equal(json_integer_value(json_object_get(report, "open")), 0);
    json_decref(report);
    assert_int_equal(tn_doctor(copy).count, 0);
    after = bytes_of(path);
    assert_true(before.size == after.size && memcmp(before.data, after.data, before.size) == 0);
    tn__bytes_free(&before);
    tn__bytes_free(&after);
    return copy;
}

static void check_not_mended(const char *path, const char *reason)
{
    const char *copy = temporary_path("not_mended.keras");
    json_t *report = report_of(tn_doctor(path, .fix = copy, .json = true));
    const char *refused = text_in(json_object_get(report, "fix"), "refused");
    if (!strstr(refused, reason))
        fail_msg("'%s' does not say '%s'", refused, reason);
    assert_int_not_equal(access(copy, F_OK), 0);
    json_decref(report);
}

/* --- what is there ---------------------------------------------------------------------------- */
static void variables_are_listed_with_their_owners(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *report = report_of(tn_doctor(TESTDATA "plain.keras", .json = true));
    check_count(report, 0);
    const json_t *variables = json_object_get(report, "variables");
    assert_int_equal(json_array_size(variables), 4);
    const json_t *first = json_array_get(variables, 0), *owner = json_object_get(first, "owner");
    assert_string_equal(text_in(first, "name"), "hidden/kernel");
    assert_string_equal(text_in(first, "path"), "plain/hidden/kernel");
    assert_string_equal(text_in(first, "dtype"), "float32");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(first, "shape"), 1)), 3);
    assert_string_equal(text_in(owner, "layer"), "hidden");
    assert_string_equal(text_in(owner, "class"), "Dense");
    json_decref(report);
    assert_non_null(strstr(tn_doctor(TESTDATA "plain.keras").text,
                           "  hidden/kernel float32 (4, 3) of Dense 'hidden'\n"));
}

static void sound_files_of_every_kind_have_no_findings(void **state)
{
    (void)state;
    static const char *const files[] = {
        TESTDATA "plain.keras",   TESTDATA "plain_k2.h5",
        TESTDATA "plain_k3.h5",   TESTDATA "trained.keras",
        TESTDATA "trained_k2.h5", TESTDATA "trained_k3.h5",
        TESTDATA "bn.keras",      TESTDATA "plain_compressed.keras",
        TESTDATA "objects_k2.h5", TESTDATA "plain.weights.h5"
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        TN_SCOPE;
        tn_findings found = tn_doctor(files[i]);
        assert_non_null(found.text);
        if (found.count)
            fail_msg("%s", found.text);
        assert_non_null(strstr(found.text, "nothing found"));
    }
    TN_SCOPE;
    assert_int_equal(tn_doctor(TESTDATA "plain.keras", TESTDATA "plain_k2_weights.h5").count, 0);
}

/* --- names ------------------------------------------------------------------------------------ */
static void equal_names_of_layers_are_found_and_mended(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = two_layers("first", "second");
    const char *path =
        reworded(saved(model, "m.keras"), "\"name\": \"second\"", "\"name\": \"first\"", 0);
    assert_null(tn_load_model(path));
    CHECK_ERROR(TN_ALREADY_EXISTS, "unique names");
    check_only(path, "equal layer names", "a Dense and a Dense, are both called 'first'");
    const char *copy = mended(path, 1, "gave the second layer 'first' a name of its own");
    check_same_outputs(model, tn_load_model(copy), tn_ones(TN_SHAPE(2, 4), TN_FLOAT32));
}

static void names_that_differ_only_in_case_are_found_and_mended(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = two_layers("v", "V");
    const char *path = saved(model, "case.keras");
    check_only(path, "names equal but for case", "the layers 'v' and 'V'");
    const char *copy = mended(path, 1, "renamed Dense 'V' to 'V_1'");
    check_same_outputs(model, tn_load_model(copy), tn_ones(TN_SHAPE(2, 4), TN_FLOAT32));
}

static void equal_full_names_of_variables_are_found_and_mended(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *report = report_of(tn_doctor(TESTDATA "nested.keras", .json = true));
    check_finding(report, 0, "equal variable names", "two variables are called 'dense/kernel'");
    check_finding(report, 1, "equal variable names", "two variables are called 'dense/bias'");
    check_count(report, 2);
    json_decref(report);
    const char *copy = mended(TESTDATA "nested.keras", 2, "renamed Dense 'dense' to 'dense_1'");
    assert_non_null(tn_load_model(copy));
}

typedef struct {
    tn_variable *a, *b;
} twin;

static void twin_build(void *me, tn_list inputs)
{
    twin *self = me;
    (void)inputs;
    self->a = tn_add_weight(TN_SHAPE(4), .name = "k");
    self->b = tn_add_weight(TN_SHAPE(4), .name = "k");
}

static tn_tensor *twin_call(void *me, tn_list inputs)
{
    twin *self = me;
    return tn_add(tn_multiply(tn_at(inputs, 0), self->a), self->b);
}

static const tn_class Twin = {
    .name = "Twin",
    .size = sizeof(twin),
    .fields = TN_FIELDS(TN_FIELD(twin, a), TN_FIELD(twin, b)),
    .build = twin_build,
    .call = twin_call,
};

static void two_weights_of_one_h5_key_are_found_and_not_mended(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OK(tn_register_class(&Twin));
    const char *path =
        saved(tn_sequential(TN_LAYERS(tn_new(&Twin, .name = "t", .input_shape = TN_SHAPE(4)))),
              "twins.keras");
    json_t *report = report_of(tn_doctor(path, .json = true));
    check_finding(report, 0, "equal variable names", "two variables are called 't/k'");
    check_finding(report, 1, "equal .h5 keys",
                  "in the group 't' of an .h5 two weights would be called");
    json_decref(report);
    check_not_mended(path, "equal variable names");
}

/* --- weights ---------------------------------------------------------------------------------- */
static void other_shapes_are_found_and_not_mended(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = reworded(saved(two_layers("first", "second"), "m.keras"), "\"units\": 3",
                                "\"units\": 5", 0);
    json_t *report = report_of(tn_doctor(path, .json = true));
    check_finding(
        report, 0, "other shape",
        "the variable 'first/kernel' is (4, 5), and 'layers/dense/vars/0' in the file is (4, 3)");
    check_finding(report, 1, "other shape", "'first/bias' is (5,)");
    check_finding(report, 2, "other shape", "'second/kernel' is (5, 2)");
    check_count(report, 3);
    json_decref(report);
    check_not_mended(path, "other shape: the variable 'first/kernel'");
}

static void weights_that_nothing_takes_and_variables_that_nothing_fills(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *one = saved(two_layers("first", "second"), "two.keras");
    tn_model *longer =
        tn_sequential(TN_LAYERS(tn_dense(3, .name = "first", .input_shape = TN_SHAPE(4)),
                                tn_dense(2, .name = "second"), tn_dense(2, .name = "third")),
                      .name = "long");
    const char *three = saved(longer, "three.keras");
    json_t *report = report_of(tn_doctor(three, one, .json = true));
    check_finding(report, 0, "not in the file",
                  "nothing in the file fills the variable 'third/kernel' (2, 2)");
    check_count(report, 2);
    json_decref(report);
    report = report_of(tn_doctor(one, three, .json = true));
    check_finding(report, 0, "not in the model", "the file has 'layers/dense_2/vars/0' (2, 2)");
    check_count(report, 2);
    json_decref(report);
    const char *h5 = temporary_path("long.h5");
    CHECK_OK(tn_save_weights(longer, h5));
    report = report_of(tn_doctor(one, h5, .json = true));
    check_finding(report, 0, "not in the model", "the file has 'third/third/kernel");
    check_count(report, 2);
    json_decref(report);
}

/* --- layers nobody knows ---------------------------------------------------------------------- */
static void beside_an_unknown_layer_the_others_are_examined(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(3, .name = "a", .input_shape = TN_SHAPE(4)),
                                              tn_flatten(.name = "b"), tn_dense(2, .name = "A")));
    const char *path = reworded(saved(model, "m.keras"), "\"class_name\": \"Flatten\"",
                                "\"class_name\": \"Mystery\"", 0);
    path = reworded(path, "\"units\": 2", "\"units\": 5", 0);
    json_t *report = report_of(tn_doctor(path, .json = true));
    check_finding(report, 0, "unknown layer", "nobody knows the class 'Mystery' of the layer 'b'");
    check_finding(report, 1, "names equal but for case", "the layers 'a' and 'A'");
    check_finding(
        report, 2, "other shape",
        "'kernel' of Dense 'A' is (3, 5), and 'layers/dense_1/vars/0' in the file is (3, 2)");
    check_finding(report, 3, "other shape", "'bias' of Dense 'A' is (5,)");
    check_count(report, 4);
    json_decref(report);
    check_not_mended(path, "unknown layer: nobody knows");
}

/* --- optimizers ------------------------------------------------------------------------------- */
static void slots_that_are_missing_or_unused_are_found_and_mended(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *adam = trained(tn_adam(0.5)), *path;
    assert_int_equal(tn_doctor(adam).count, 0);
    path = reworded(adam, "\"class_name\": \"Adam\"", "\"class_name\": \"SGD\"", 0);
    path =
        reworded(path, "\"beta_1\": 0.9, \"beta_2\": 0.999, \"epsilon\": 1e-07, \"amsgrad\": false",
                 "\"momentum\": 0.0", 0);
    check_only(path, "optimizer slots unused", "has 2 variables, and the file has 10");
    mended(path, 1, "left the optimizer's unusable state out");
    path = reworded(trained(tn_sgd(0.5)), "\"class_name\": \"SGD\"", "\"class_name\": \"Adam\"", 0);
    path = reworded(path, "\"momentum\": 0.0, \"nesterov\": false", "\"beta_1\": 0.9", 0);
    check_only(path, "optimizer slots missing",
               "has made 2 steps, but its 8 slots are not in the file");
    mended(path, 1, "left the optimizer's unusable state out");
}

static void state_of_no_optimizer_and_idle_momenta_are_unused(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path =
        reworded(trained(tn_adam(0.5)), "\"compile_config\"", "\"was_compile_config\"", 0);
    check_only(path, "optimizer slots unused", "the file has 10 variables of an optimizer");
    mended(path, 1, "left the state of an unknown optimizer out");
    check_only(TESTDATA "idle_k2.h5", "optimizer slots unused", "which uses none");
    mended(TESTDATA "idle_k2.h5", 1, "unusable state");
}

/* --- today's Keras ---------------------------------------------------------------------------- */
static void what_todays_keras_refuses_is_named_and_written_anew(void **state)
{
    (void)state;
    TN_SCOPE;
    check_only("examples/digits/pretrained.h5", "refused by Keras 3",
               "Keras 3 does not open DepthwiseConv2D 'depthwise_conv2d': the key 'groups'");
    const char *copy =
        mended("examples/digits/pretrained.h5", 1, "wrote the config in Keras 3's words");
    check_same_outputs(tn_load_model("examples/digits/pretrained.h5"), tn_load_model(copy),
                       tn_ones(TN_SHAPE(1, 8, 8, 1), TN_FLOAT32));
    json_t *report = report_of(tn_doctor(TESTDATA "nested_k2.h5", .json = true));
    check_finding(report, 0, "refused by Keras 3",
                  "calls of a model within it that are counted from 1");
    json_decref(report);
    check_only(TESTDATA "mixed_k2.keras", "refused by Keras 3",
               "'dtype' as an object of the class 'Policy'");
    check_only(TESTDATA "bfloat16_k3.h5", "refused by Keras 3", "in bfloat16 out of an .h5");
    const char *old = temporary_path("old.json");
    static const char text[] =
        "{\"class_name\": \"Sequential\", \"keras_version\": \"1.2.2\", \"config\": "
        "[{\"class_name\": "
        "\"Dense\", \"config\": {\"name\": \"d\", \"output_dim\": 2, \"init\": \"zero\", "
        "\"batch_input_shape\": [null, 3]}}]}";
    write_file(old, text, sizeof text - 1);
    report = report_of(tn_doctor(old, .json = true));
    check_finding(report, 0, "refused by Keras 3",
                  "Keras 3 does not open Sequential '': a config that is a list");
    check_finding(report, 1, "refused by Keras 3",
                  "Keras 3 does not open Dense 'd': the key 'output_dim', the key 'init'");
    check_count(report, 2);
    json_decref(report);
    const char *now = temporary_path("now.json");
    assert_int_equal(tn_doctor(old, .fix = now).count, 0);
    assert_non_null(tn_load_json(now));
}

static void what_todays_keras_misreads_is_named(void **state)
{
    (void)state;
    TN_SCOPE;
    json_t *report = report_of(tn_doctor(TESTDATA "sigmoids_k2.h5", .json = true));
    check_finding(report, 0, "misread by Keras 3", "Keras 3 opens Dense 'a', but hard_sigmoid");
    json_decref(report);
    mended(TESTDATA "sigmoids_k2.h5", 2, "Keras 3's words");
}

/* --- mending ---------------------------------------------------------------------------------- */
static void the_file_itself_is_never_written(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = saved(two_layers("v", "V"), "case.keras"),
               *link = temporary_path("link.keras");
    assert_int_equal(symlink(path, link), 0);
    tn__bytes before = bytes_of(path);
    assert_null(tn_doctor(path, .fix = path).text);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is the file that was examined");
    assert_null(tn_doctor(path, .fix = link).text);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is the file that was examined");
    assert_null(tn_doctor(path, .fix = temporary_path("copy.txt")).text);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Invalid filepath extension");
    tn__bytes after = bytes_of(path);
    assert_true(before.size == after.size && memcmp(before.data, after.data, before.size) == 0);
    tn__bytes_free(&before);
    tn__bytes_free(&after);
    check_not_mended(TESTDATA "plain.keras", "nothing was found");
}

/* --- folders ---------------------------------------------------------------------------------- */
static void a_saved_model_is_examined_as_the_model_that_it_is(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *folder = saved(two_layers("v", "V"), "saved"),
               *copy = temporary_path("saved.keras");
    json_t *report = report_of(tn_doctor(folder, .fix = copy, .json = true));
    assert_string_equal(text_in(report, "format"), "saved_model");
    assert_int_equal(json_array_size(json_object_get(report, "variables")), 4);
    check_finding(report, 0, "names equal but for case", "'v' and 'V'");
    check_count(report, 1);
    assert_int_equal(json_integer_value(json_object_get(report, "open")), 0);
    json_decref(report);
    check_same_outputs(tn_load_model(folder), tn_load_model(copy),
                       tn_ones(TN_SHAPE(1, 4), TN_FLOAT32));
}

static void weights_and_state_of_a_saved_model_are_examined(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = two_layers("first", "second"), *other = two_layers("first", "other");
    CHECK_OK(tn_compile(model, tn_adam(0.1), "mse"));
    tn_fit(model, tn_ones(TN_SHAPE(2, 4), TN_FLOAT32), tn_ones(TN_SHAPE(2, 2), TN_FLOAT32),
           .verbose = 0);
    const char *folder = saved(model, "whole"), *weights = temporary_path("short_weights");
    assert_int_equal(tn_doctor(folder).count, 0);
    CHECK_OK(tn_save_weights(tn_sequential(TN_LAYERS(tn_get_layer(other, "first"))), weights));
    assert_int_equal(tn_doctor(folder, folder).count, 0);
    json_t *report = report_of(tn_doctor(folder, weights, .json = true));
    check_finding(report, 0, "not in the file", "fills the variable 'second/kernel'");
    check_finding(report, 1, "not in the file", "fills the variable 'second/bias'");
    check_count(report, 2);
    json_decref(report);
}

static void of_a_checkpoint_is_told_what_can_be_seen_without_a_model(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("bare"), *keras = saved(two_layers("a", "b"), "bare.keras");
    CHECK_OK(tn_save_weights(two_layers("a", "b"), prefix));
    json_t *report = report_of(tn_doctor(prefix, .json = true));
    assert_string_equal(text_in(report, "format"), "checkpoint");
    assert_int_equal(json_array_size(json_object_get(report, "variables")), 4);
    check_count(report, 0);
    json_decref(report);
    assert_int_equal(tn_doctor(keras, prefix).count, 0);
    assert_null(tn_doctor(prefix, keras).text);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "the model comes first");
    write_file(tn_format("%s.data-00000-of-00001", prefix), "short", 5);
    report = report_of(tn_doctor(prefix, .json = true));
    check_finding(report, 0, "damaged", "");
    json_decref(report);
}

/* --- damage ----------------------------------------------------------------------------------- */
static void damage_is_a_finding_and_nothing_readable_an_error(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("short.h5");
    tn__bytes bytes = bytes_of(TESTDATA "plain_k2.h5");
    write_file(path, bytes.data, bytes.size - 600);
    tn__bytes_free(&bytes);
    json_t *report = report_of(tn_doctor(path, .json = true));
    check_finding(report, 0, "damaged", "");
    json_decref(report);
    check_not_mended(path, "damaged: ");
    write_file(path, "not a model", 11);
    assert_null(tn_doctor(path).text);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "File format not supported");
    assert_null(tn_doctor("nowhere.keras").text);
    CHECK_ERROR(TN_NOT_FOUND, "nowhere.keras");
    assert_null(tn_doctor(NULL).text);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "path is NULL");
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
            assert_true((tn_doctor(path).text == NULL) == (tn_catch(TN_ANY_ERROR) != NULL));
        }
        tn__bytes_free(&bytes);
    }
    stop_listening();
}

static bool examine(void *path)
{
    TN_SCOPE;
    return tn_doctor(path).text != NULL;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    check_allocation_failures(examine, (void *)(uintptr_t)saved(two_layers("v", "V"), "v.keras"));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_listed_with_their_owners),
        cmocka_unit_test(sound_files_of_every_kind_have_no_findings),
        cmocka_unit_test(equal_names_of_layers_are_found_and_mended),
        cmocka_unit_test(names_that_differ_only_in_case_are_found_and_mended),
        cmocka_unit_test(equal_full_names_of_variables_are_found_and_mended),
        cmocka_unit_test(two_weights_of_one_h5_key_are_found_and_not_mended),
        cmocka_unit_test(other_shapes_are_found_and_not_mended),
        cmocka_unit_test(weights_that_nothing_takes_and_variables_that_nothing_fills),
        cmocka_unit_test(beside_an_unknown_layer_the_others_are_examined),
        cmocka_unit_test(slots_that_are_missing_or_unused_are_found_and_mended),
        cmocka_unit_test(state_of_no_optimizer_and_idle_momenta_are_unused),
        cmocka_unit_test(what_todays_keras_refuses_is_named_and_written_anew),
        cmocka_unit_test(what_todays_keras_misreads_is_named),
        cmocka_unit_test(the_file_itself_is_never_written),
        cmocka_unit_test(a_saved_model_is_examined_as_the_model_that_it_is),
        cmocka_unit_test(weights_and_state_of_a_saved_model_are_examined),
        cmocka_unit_test(of_a_checkpoint_is_told_what_can_be_seen_without_a_model),
        cmocka_unit_test(damage_is_a_finding_and_nothing_readable_an_error),
        cmocka_unit_test(every_damaged_byte_is_survived),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
