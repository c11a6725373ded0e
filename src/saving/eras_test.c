/* eras_test.c - words that mean one thing in Keras 2 and another in Keras 3 keep the meaning that
 * they were written with. */
#include "saving/testdata.h"
#include "formats/hdf5/hdf5.h"

static tn_tensor *recorded(const char *name)
{
    return tn_load_array(TESTDATA "eras.npz", name);
}

static void check_gives(tn_model *model, const char *what, const char *outputs)
{
    CHECK_NO_ERROR();
    double most = difference(tn_call(model, recorded("x")), recorded(outputs));
    if (!(most < 1e-6))
        fail_msg("%s: differs from what Keras gave by %g", what, most);
}

static const struct {
    const char *name;
    int keras;
} written[] = {
    { "e.keras", 0 },
    { "e.h5", 0 },
    { "e.h5", 2 },
    { "e.h5", 3 },
};
enum { WRITTEN = sizeof written / sizeof *written };

/* Read, and read again from everything that it is written to. */
static void check_file(const char *file, const char *outputs)
{
    TN_SCOPE;
    tn_model *model = tn_load_model(tn_format(TESTDATA "%s", file));
    check_gives(model, file, outputs);
    for (size_t i = 0; i < WRITTEN; i++) {
        const char *path = temporary_path(written[i].name);
        listen_to_sink(); /* which Keras it is for is told elsewhere */
        CHECK_OK(tn_save(model, path, .keras = written[i].keras));
        stop_listening();
        check_gives(tn_load_model(path),
                    tn_format("%s as %s for %d", file, written[i].name, written[i].keras), outputs);
    }
    for (int keras = 2; keras <= 3; keras++) {
        tn_model *again = tn_model_from_json(tn_to_json(model, .keras = keras));
        tn_list from = tn_variables(model), to = tn_variables(again);
        for (size_t i = 0; i < from.count; i++)
            tn_assign(to.item[i], from.item[i]);
        check_gives(again, tn_format("%s as JSON for %d", file, keras), outputs);
    }
}

static void a_hard_sigmoid_is_what_its_file_meant(void **state)
{
    (void)state;
    check_file("sigmoids_k2.h5", "sigmoids_k2");
    check_file("sigmoids_k2.keras", "sigmoids_k2");
    check_file("sigmoids_k3.h5", "sigmoids_k3");
    check_file("sigmoids_k3.keras", "sigmoids_k3");
}

static void layers_may_stand_as_activations(void **state)
{
    (void)state;
    check_file("objects_k2.h5", "objects_k2");
    check_file("objects_k2.keras", "objects_k2");
    check_file("objects_k3.h5", "objects_k3");
    check_file("objects_k3.keras", "objects_k3");
}

static void check_json_gives(const char *file, const char *weights, const char *outputs)
{
    TN_SCOPE;
    tn_model *model = tn_load_json(tn_format(TESTDATA "%s", file));
    CHECK_OK(tn_load_weights(model, tn_format(TESTDATA "%s", weights)));
    check_gives(model, file, outputs);
}

static void an_architecture_says_its_keras_too(void **state)
{
    (void)state;
    check_json_gives("sigmoids_k2.json", "sigmoids_k2.h5", "sigmoids_k2");
    check_json_gives("sigmoids_k3.json", "sigmoids_k3.h5", "sigmoids_k3");
}

/* --- what one file cannot be for both --------------------------------------------------------- */
static const char *config_of(const char *path)
{
    tn__bytes bytes = bytes_of(path);
    tn__h5 *file;
    tn__h5_object *attribute;
    tn__h5_strings text;
    CHECK_OK(tn__h5_open(tn__bytes_span(&bytes), NULL, &file));
    CHECK_OK(tn__h5_attribute(tn__h5_root(file), "model_config", &attribute));
    CHECK_OK(tn__h5_read_strings(attribute, &text));
    const char *copy = tn_format("%s", text.item[0].text);
    tn__h5_strings_free(&text);
    tn__h5_close(file);
    tn__bytes_free(&bytes);
    return copy;
}

static void an_h5_that_one_keras_would_misread_is_for_the_other(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("either.h5");
    tn_model *model = tn_load_model(TESTDATA "sigmoids_k2.h5");
    sink_text *heard = listen_to_sink();
    CHECK_OK(tn_save(model, path));
    stop_listening();
    assert_non_null(strstr(heard->text, "'sigmoids' is written for Keras 3 alone: Keras 2 and "
                                        "Keras 3 mean different functions by hard_sigmoid"));
    assert_non_null(strstr(config_of(path), "\"hard_sigmoid_keras2\""));
    heard = listen_to_sink();
    CHECK_OK(tn_save(tn_load_model(TESTDATA "objects_k2.h5"), temporary_path("both.h5")));
    assert_string_equal(heard->text, "");
    CHECK_OK(tn_save(model, path, .keras = 2));
    stop_listening();
    assert_non_null(strstr(heard->text, "hard_sigmoid is another function in Keras 3"));
    assert_non_null(strstr(config_of(path), "\"activation\": \"hard_sigmoid\""));
}

static void an_h5_of_what_keras_2_lacks_is_for_keras_3(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("newer.h5");
    tn_model *model = tn_sequential(
        TN_LAYERS(tn_dense(3, "hard_sigmoid", .input_shape = TN_SHAPE(4))), .name = "newer");
    sink_text *heard = listen_to_sink();
    CHECK_OK(tn_save(model, path));
    stop_listening();
    assert_non_null(strstr(heard->text,
                           "'newer' is written for Keras 3 alone: activation hard_sigmoid cannot "
                           "be written: Keras 2 has no such function"));
    check_same_outputs(model, tn_load_model(path), wanted("x"));
    assert_int_not_equal(tn_save(model, path, .keras = 2), TN_OK);
    CHECK_ERROR(TN_UNIMPLEMENTED, "Keras 2 has no such function");
    check_same_outputs(model, tn_load_model(path), wanted("x"));
}

/* --- optimizers ------------------------------------------------------------------------------- */
static void check_trains_on(tn_model *model, const char *what, const char *name)
{
    const float *next = tn_data_float32(recorded(tn_format("%s_losses", name)));
    CHECK_NO_ERROR();
    assert_true(tn_is_compiled(model));
    for (int i = 0; i < 3; i++) {
        tn_tensor *loss = tn_train_on_batch(model, recorded("x"), recorded("labels"));
        CHECK_NO_ERROR();
        double got = (double)tn_data_float32(loss)[0];
        if (!(fabs(got - (double)next[i]) < 1e-6))
            fail_msg("%s: loss %d is %g, Keras had %g", what, i, got, (double)next[i]);
    }
}

/* A decay beside the rate, momenta that are not used, and slots that only one Keras keeps. */
static void optimizers_go_on_in_either_keras_from_where_they_stopped(void **state)
{
    (void)state;
    static const char *const names[] = { "decay", "idle", "factored" };
    for (size_t n = 0; n < 3; n++) {
        TN_SCOPE;
        const char *file = tn_format(TESTDATA "%s_k2.h5", names[n]);
        sink_text *heard = listen_to_sink();
        check_trains_on(tn_load_model(file), file, names[n]);
        for (size_t i = 0; i < WRITTEN; i++) {
            const char *path = temporary_path(written[i].name);
            CHECK_OK(tn_save(tn_load_model(file), path, .keras = written[i].keras));
            check_trains_on(tn_load_model(path), written[i].name, names[n]);
        }
        stop_listening();
        assert_string_equal(heard->text, "");
    }
}

static void what_keras_2_cannot_train_with_is_for_keras_3(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("lamb.h5");
    tn_model *model = plain_model();
    CHECK_OK(tn_compile(model, tn_lamb(0.01), "dice"));
    sink_text *heard = listen_to_sink();
    CHECK_OK(tn_save(model, path));
    stop_listening();
    assert_non_null(strstr(heard->text, "'plain' is written for Keras 3 alone: loss Dice cannot be "
                                        "written: Keras 2 has no such function"));
    assert_true(tn_is_compiled(tn_load_model(path)));
    CHECK_OK(tn_compile(model, tn_lamb(0.01), "mse"));
    assert_int_not_equal(tn_save(model, path, .keras = 2), TN_OK);
    CHECK_ERROR(TN_UNIMPLEMENTED, "optimizer Lamb cannot be written: Keras 2 has no such");
    CHECK_OK(tn_save(model, path, .keras = 2, .include_optimizer = false));
}

/* --- other objects ---------------------------------------------------------------------------- */
static tn_model *dense_with(const char *activation)
{
    return tn_model_from_json(tn_format(
        "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"layers\": ["
        "{\"class_name\": \"Dense\", \"config\": {\"units\": 2, \"activation\": %s}}]}}",
        activation));
}

static void an_activation_that_is_no_function_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(dense_with("{\"class_name\": \"PReLU\", \"config\": {}}"));
    CHECK_ERROR(TN_UNIMPLEMENTED, "the file's activation is an object of class 'PReLU'");
    assert_null(dense_with("{\"class_name\": \"ReLU\", \"config\": {\"max_value\": \"x\"}}"));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "ReLU: the file's max_value=\"x\" is not what `max_value` can be");
    assert_null(dense_with("{\"class_name\": \"Sequential\", \"config\": {\"layers\": "
                           "[{\"class_name\": \"Rescaling\", \"config\": "
                           "{\"scale\": 0.25, \"offset\": 0.5}}, {\"class_name\": \"ReLU\", "
                           "\"config\": {\"max_value\": 1}}]}}"));
    CHECK_ERROR(TN_UNIMPLEMENTED, "an object of class 'Sequential'");
}

static void a_registered_class_is_not_keras_s_of_the_same_name(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_model_from_json(
        "{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"layers\": ["
        "{\"module\": \"mine\", \"class_name\": \"Dense\", \"registered_name\": \"mine>Dense\", "
        "\"config\": {\"units\": 2}}]}}"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Could not locate class 'Dense'");
    assert_null(tn_model_from_json(
        "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": "
        "\"InputLayer\", "
        "\"config\": {\"batch_input_shape\": [null, 2], \"ragged\": true, \"name\": \"r\"}}]}}"));
    CHECK_ERROR(TN_UNIMPLEMENTED, "InputLayer 'r' takes ragged or sparse tensors");
}

static void an_old_leaky_relu_has_its_layers_default(void **state)
{
    (void)state;
    TN_SCOPE;
    float x[] = { -1, 2 }, y[] = { -0.3f, 2 };
    tn_model *model = dense_with("{\"class_name\": \"LeakyReLU\", \"config\": {}}");
    tn_tensor *input = tn_constant(TN_FLOAT32, TN_SHAPE(1, 2), x);
    tn_call(model, input);
    tn_assign(tn_at(tn_variables(model), 0), tn_eye(2, 2, TN_FLOAT32));
    CHECK_NO_ERROR();
    assert_true(difference(tn_call(model, input), tn_constant(TN_FLOAT32, TN_SHAPE(1, 2), y)) <
                1e-7);
}

static bool load_and_save(void *path)
{
    tn_model *model = tn_load_model(TESTDATA "sigmoids_k2.h5");
    return model && tn_save(model, path) == TN_OK;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    char path[300];
    listen_to_sink();
    snprintf(path, sizeof path, "%s", temporary_path("m.h5"));
    check_allocation_failures(load_and_save, path);
    stop_listening();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hard_sigmoid_is_what_its_file_meant),
        cmocka_unit_test(layers_may_stand_as_activations),
        cmocka_unit_test(an_architecture_says_its_keras_too),
        cmocka_unit_test(an_h5_that_one_keras_would_misread_is_for_the_other),
        cmocka_unit_test(an_h5_of_what_keras_2_lacks_is_for_keras_3),
        cmocka_unit_test(optimizers_go_on_in_either_keras_from_where_they_stopped),
        cmocka_unit_test(what_keras_2_cannot_train_with_is_for_keras_3),
        cmocka_unit_test(a_registered_class_is_not_keras_s_of_the_same_name),
        cmocka_unit_test(an_activation_that_is_no_function_is_told),
        cmocka_unit_test(an_old_leaky_relu_has_its_layers_default),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
