#include "saving/testdata.h"
#include "formats/zip.h"

static double next_loss(tn_model *model)
{
    tn_tensor *values = tn_train_on_batch(model, wanted("x"), wanted("trained_y"));
    return values ? (double)tn_data_float32(values)[0] : NAN;
}

/* What Keras itself went on with after it had saved the file. */
static void check_next_losses(const char *file, const char *losses)
{
    TN_SCOPE;
    tn_model *model = tn_load_model(file);
    CHECK_NO_ERROR();
    assert_true(tn_is_compiled(model));
    const float *next = tn_data_float32(wanted(losses));
    for (int i = 0; i < 3; i++) {
        double loss = next_loss(model);
        CHECK_NO_ERROR();
        if (!(fabs(loss - (double)next[i]) < 1e-6))
            fail_msg("%s: loss %d is %g, Keras had %g", file, i, loss, (double)next[i]);
    }
}

static void training_goes_on_where_keras_stopped(void **state)
{
    (void)state;
    check_next_losses(TESTDATA "trained.keras", "trained_losses_k3");
    check_next_losses(TESTDATA "trained_k3.h5", "trained_losses_k3");
    check_next_losses(TESTDATA "trained_k2.h5", "trained_losses_k2");
}

static void training_goes_on_after_a_save_of_our_own(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int keras;
    } files[] = { { "t.keras", 0 }, { "t.h5", 0 }, { "t.h5", 2 }, { "t.h5", 3 } };
    for (size_t i = 0; i < 4; i++) {
        TN_SCOPE;
        tn_model *model = tn_load_model(TESTDATA "trained.keras");
        CHECK_OK(tn_save(model, temporary_path(files[i].name), .keras = files[i].keras));
        tn_model *again = tn_load_model(temporary_path(files[i].name));
        for (int k = 0; k < 3; k++)
            assert_true(next_loss(again) == next_loss(model));
        CHECK_NO_ERROR();
    }
}

static void the_state_of_an_optimizer_goes_with_weights_alone(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("state.weights.h5");
    tn_model *model = tn_load_model(TESTDATA "trained.keras");
    CHECK_OK(tn_save_weights(model, path));
    const char *held = tn_inspect(path);
    assert_non_null(strstr(held, "  optimizer/vars/0 int64 ()\n"));
    assert_non_null(strstr(held, "  optimizer/vars/9 float32 (2,)\n"));
    CHECK_OK(tn_save_weights(model, path, .include_optimizer = false));
    assert_null(strstr(tn_inspect(path), "optimizer"));
}

static void compiling_can_be_left_out(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_false(tn_is_compiled(tn_load_model(TESTDATA "trained.keras", .compile = false)));
    tn_model *model = tn_load_model(TESTDATA "trained.keras");
    CHECK_OK(tn_save(model, temporary_path("plain.keras"), .include_optimizer = false));
    CHECK_OK(tn_save(model, temporary_path("plain.h5"), .include_optimizer = false));
    assert_false(tn_is_compiled(tn_load_model(temporary_path("plain.keras"))));
    assert_false(tn_is_compiled(tn_load_model(temporary_path("plain.h5"))));
    CHECK_NO_ERROR();
}

static void losses_and_metrics_come_back_with_their_arguments(void **state)
{
    (void)state;
    static const char *const files[] = { "c.keras", "c.h5" };
    for (size_t i = 0; i < 2; i++) {
        TN_SCOPE;
        tn_model *model = plain_model();
        CHECK_OK(tn_compile(model, tn_sgd(0.05, .momentum = 0.9, .nesterov = true),
                            "huber(delta=0.5)",
                            { "mae", "accuracy", "top_k_categorical_accuracy(k=1)" }));
        double first = next_loss(model);
        CHECK_OK(tn_save(model, temporary_path(files[i])));
        tn_model *again = tn_load_model(temporary_path(files[i]));
        CHECK_NO_ERROR();
        tn_tensor *a = tn_train_on_batch(model, wanted("x"), wanted("trained_y"));
        tn_tensor *b = tn_train_on_batch(again, wanted("x"), wanted("trained_y"));
        CHECK_NO_ERROR();
        assert_true(first > 0);
        assert_string_equal(tn_text(a), tn_text(b));
        for (size_t k = 0; k < 4; k++)
            assert_string_equal(tn_metrics_name(again, k), tn_metrics_name(model, k));
    }
}

static void several_outputs_keep_their_losses(void **state)
{
    (void)state;
    static const char *const files[] = { "o.keras", "o.h5" };
    for (size_t i = 0; i < 2; i++) {
        TN_SCOPE;
        tn_tensor *x = tn_input(TN_SHAPE(4));
        tn_model *model = spread(tn_model(x, tn_tuple(tn_call(tn_dense(2, .name = "a"), x),
                                                      tn_call(tn_dense(2, .name = "b"), x))));
        CHECK_OK(tn_compile(model, tn_adam(), .output_losses = { "mse", "mae" },
                            .loss_weights = { 1, 0.25 }));
        CHECK_OK(tn_save(model, temporary_path(files[i])));
        tn_model *again = tn_load_model(temporary_path(files[i]));
        tn_tensor *y = tn_tuple(wanted("trained_y"), wanted("trained_y"));
        assert_string_equal(tn_text(tn_train_on_batch(again, wanted("x"), y)),
                            tn_text(tn_train_on_batch(model, wanted("x"), y)));
        CHECK_NO_ERROR();
    }
}

/* A model that cannot be compiled as it was still predicts. */
static void what_cannot_be_compiled_is_a_warning(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_bytes bytes = tn_save_to_memory(tn_load_model(TESTDATA "trained.keras"), .format = "h5");
    char *copy = malloc(bytes.size), *loss;
    memcpy(copy, bytes.data, bytes.size);
    loss = memmem(copy, bytes.size, "mean_squared_error", 18);
    assert_non_null(loss);
    memcpy(loss, "mean_squared_terrr", 18);
    sink_text *heard = listen_to_sink();
    tn_model *model = tn_load_model_from_memory(copy, bytes.size);
    free(copy);
    stop_listening();
    CHECK_NO_ERROR();
    assert_non_null(strstr(
        heard->text, "was *not* compiled as its file says: Unknown loss: 'mean_squared_terrr'"));
    assert_false(tn_is_compiled(model));
    assert_string_equal(tn_shape_text(tn_call(model, wanted("x"))), "(3, 2)");
}

static void an_optimizer_that_has_not_stepped_begins_without_a_word(void **state)
{
    (void)state;
    static const char *const files[] = { "u.keras", "u.h5" };
    for (size_t i = 0; i < 2; i++) {
        TN_SCOPE;
        tn_model *model = plain_model();
        CHECK_OK(tn_compile(model, tn_adam(0.02), "mse"));
        CHECK_OK(tn_save(model, temporary_path(files[i])));
        sink_text *heard = listen_to_sink();
        tn_model *again = tn_load_model(temporary_path(files[i]));
        stop_listening();
        assert_string_equal(heard->text, "");
        assert_true(next_loss(again) == next_loss(model));
        assert_true(next_loss(again) == next_loss(model));
    }
}

/* --- states that do not fit ------------------------------------------------------------------- */
static tn_model *trained(tn_model *model, tn_optimizer *optimizer)
{
    CHECK_OK(tn_compile(model, optimizer, "mse"));
    tn_tensor *x = tn_ones(TN_SHAPE(2, 4), TN_FLOAT32), *y = tn_ones(TN_SHAPE(2, 2), TN_FLOAT32);
    assert_non_null(tn_train_on_batch(model, x, y));
    CHECK_NO_ERROR();
    return model;
}

/* The file's config says amsgrad now, for which its state has no slots. */
static void a_state_that_does_not_fit_is_left_out_with_a_warning(void **state)
{
    (void)state;
    TN_SCOPE;
    static const char plain[] = "\"amsgrad\": false", other[] = "\"amsgrad\": true ";
    tn_bytes saved =
        tn_save_to_memory(trained(plain_model(), tn_adam(0.01)), .format = "h5", .keras = 3);
    char *bytes = malloc(saved.size);
    assert_non_null(bytes);
    memcpy(bytes, saved.data, saved.size);
    char *at = memmem(bytes, saved.size, plain, sizeof plain - 1);
    assert_non_null(at);
    memcpy(at, other, sizeof other - 1);
    sink_text *heard = listen_to_sink();
    tn_model *model = tn_load_model_from_memory(bytes, saved.size);
    stop_listening();
    free(bytes);
    CHECK_NO_ERROR();
    assert_non_null(strstr(heard->text, "Skipping variable loading for optimizer 'adam"));
    assert_non_null(strstr(heard->text, "because it has 14 variables whereas the saved optimizer "
                                        "has 10 variables."));
    assert_true(tn_is_compiled(model));
}

static void copy_member(tn__zip_writer *to, tn__zip *from, const char *name)
{
    size_t index;
    tn__bytes member;
    assert_true(tn__zip_find(from, name, &index));
    CHECK_OK(tn__zip_read(from, index, &member));
    CHECK_OK(tn__zip_add(to, name, TN__ZIP_STORED, member.data, member.size));
    tn__bytes_free(&member);
}

/* The config of one archive beside the weights and the state of another. */
static void join_archives(tn_bytes config, tn_bytes weights, tn__bytes *joined)
{
    tn__zip *first, *second;
    tn__writer *out;
    tn__zip_writer *zip;
    CHECK_OK(tn__zip_open((tn__span){ config.data, config.size }, NULL, &first));
    CHECK_OK(tn__zip_open((tn__span){ weights.data, weights.size }, NULL, &second));
    CHECK_OK(tn__writer_to_memory(joined, &out));
    CHECK_OK(tn__zip_writer_open(out, &zip));
    copy_member(zip, first, "metadata.json");
    copy_member(zip, first, "config.json");
    copy_member(zip, second, "model.weights.h5");
    CHECK_OK(tn__zip_finish(zip));
    CHECK_OK(tn__writer_commit(out));
    tn__zip_close(first);
    tn__zip_close(second);
}

/* Adafactor keeps as many variables as Adam with amsgrad, of other shapes. */
static void a_state_of_other_shapes_is_left_out_with_a_warning(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_bytes adam =
        tn_save_to_memory(trained(plain_model(), tn_adam(0.01, .amsgrad = true, .name = "mine")));
    tn_model *other = trained(plain_model(), tn_adafactor(0.01));
    tn__bytes joined = { 0 };
    join_archives(adam, tn_save_to_memory(other), &joined);
    sink_text *heard = listen_to_sink();
    tn_model *model = tn_load_model_from_memory(joined.data, joined.size);
    stop_listening();
    tn__bytes_free(&joined);
    CHECK_NO_ERROR();
    assert_non_null(strstr(heard->text, "Error in loading the saved optimizer state ("));
    assert_non_null(strstr(heard->text, "has another shape than the variable of 'mine'). As a "
                                        "result, your model is starting with a freshly "
                                        "initialized optimizer."));
    check_same_outputs(model, other, wanted("x"));
    trained(model, tn_adam(0.01));
}

static bool load_trained(void *path)
{
    return tn_load_model(path) != NULL;
}

static bool save_trained(void *path)
{
    tn_model *model = tn_load_model(TESTDATA "trained.keras");
    return model && tn_save(model, path) == TN_OK;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    char path[300];
    check_allocation_failures(load_trained, TESTDATA "trained_k2.h5");
    snprintf(path, sizeof path, "%s", temporary_path("m.keras"));
    check_allocation_failures(save_trained, path);
    snprintf(path, sizeof path, "%s", temporary_path("m.h5"));
    check_allocation_failures(save_trained, path);
}

int main(void)
{
    tests_begin();
    tests_count_json();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_goes_on_where_keras_stopped),
        cmocka_unit_test(training_goes_on_after_a_save_of_our_own),
        cmocka_unit_test(the_state_of_an_optimizer_goes_with_weights_alone),
        cmocka_unit_test(compiling_can_be_left_out),
        cmocka_unit_test(losses_and_metrics_come_back_with_their_arguments),
        cmocka_unit_test(several_outputs_keep_their_losses),
        cmocka_unit_test(what_cannot_be_compiled_is_a_warning),
        cmocka_unit_test(an_optimizer_that_has_not_stepped_begins_without_a_word),
        cmocka_unit_test(a_state_that_does_not_fit_is_left_out_with_a_warning),
        cmocka_unit_test(a_state_of_other_shapes_is_left_out_with_a_warning),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
