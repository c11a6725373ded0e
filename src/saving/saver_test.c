/* TensorFlow 1's Saver, in graphs and in eager mode. */
#include "saving/testdata.h"
#include "formats/bundle.h"
#include <sys/stat.h>
#include <unistd.h>

static bool is_there(const char *prefix)
{
    return access(tn_format("%s.index", prefix), F_OK) == 0 &&
           access(tn_format("%s.data-00000-of-00001", prefix), F_OK) == 0;
}

/* A folder of its own, which ends with the process's. */
static const char *folder_of(const char *name)
{
    const char *path = temporary_path(name);
    assert_int_equal(mkdir(path, 0700), 0);
    return path;
}

static void check_state(const char *folder, const char *wanted)
{
    tn__bytes bytes = bytes_of(tn_format("%s/checkpoint", folder));
    assert_string_equal(tn_format("%.*s", (int)bytes.size, (const char *)bytes.data), wanted);
    tn__bytes_free(&bytes);
}

static double number_of(tn_session *session, tn_variable *v)
{
    double number = tn_to_double(tn_run(session, v));
    CHECK_NO_ERROR();
    return number;
}

static void a_session_gets_back_what_it_had(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("graph.ckpt");
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *v = tn_variable(tn_scalar(1.0), .name = "v");
    tn_tensor *more = tn_assign_add(v, tn_scalar(1.0));
    tn_saver *saver = tn_saver();
    tn_session *one = tn_session(), *two = tn_session();
    CHECK_OK(tn_run_operation(one, tn_global_variables_initializer()));
    tn_run(one, more);
    assert_string_equal(tn_saver_save(saver, one, prefix, -1), prefix);
    tn_run(one, more);
    CHECK_OK(tn_saver_restore(saver, one, prefix));
    CHECK_OK(tn_saver_restore(saver, two, prefix));
    assert_true(number_of(one, v) == 2 && number_of(two, v) == 2);
}

static void eager_variables_need_a_list_and_no_session(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("eager");
    assert_null(tn_saver());
    CHECK_ERROR(TN_FAILED_PRECONDITION,
                "When eager execution is enabled, `Saver` must specify a list or dict "
                "of variables to save");
    tn_variable *v = tn_variable(tn_scalar(3.0), .name = "v");
    tn_saver *saver = tn_saver(.var_list = TN_LIST(v));
    assert_string_equal(tn_saver_save(saver, NULL, prefix, 7), tn_format("%s-7", prefix));
    tn_assign(v, tn_scalar(0.0));
    CHECK_OK(tn_saver_restore(saver, NULL, tn_format("%s-7", prefix)));
    assert_true(tn_to_double(v) == 3);
}

static void keys_are_full_names(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("names");
    tn_variable *v;
    {
        TN_WITH(tn_name_scope("scope"));
        v = tn_variable(tn_scalar(3.0), .name = "v");
    }
    assert_non_null(tn_saver_save(tn_saver(.var_list = TN_LIST(v)), NULL, prefix, -1));
    tn__bundle *bundle;
    CHECK_OK(tn__bundle_open(prefix, NULL, &bundle));
    assert_int_equal(tn__bundle_count(bundle), 1);
    assert_string_equal(tn__bundle_at(bundle, 0)->name, "scope/v");
    tn__bundle_close(bundle);
}

/* --- which are kept --------------------------------------------------------------------------- */
static void old_ones_are_deleted_and_the_folder_names_the_others(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *folder = folder_of("keep"), *prefix = tn_format("%s/m", folder);
    tn_variable *v = tn_variable(tn_scalar(3.0), .name = "v");
    tn_saver *saver = tn_saver(.var_list = TN_LIST(v), .max_to_keep = 2);
    static const int steps[] = { 0, 1, 2, 1 };
    for (int i = 0; i < 4; i++)
        assert_non_null(tn_saver_save(saver, NULL, prefix, steps[i]));
    assert_false(is_there(tn_format("%s-0", prefix)));
    assert_true(is_there(tn_format("%s-1", prefix)) && is_there(tn_format("%s-2", prefix)));
    check_state(folder,
                tn_format("model_checkpoint_path: \"%s-1\"\nall_model_checkpoint_paths: \"%s-2\"\n"
                          "all_model_checkpoint_paths: \"%s-1\"\n",
                          prefix, prefix, prefix));
    assert_string_equal(tn_latest_checkpoint(folder), tn_format("%s-1", prefix));
    unlink(tn_format("%s-1.index", prefix));
    assert_null(tn_latest_checkpoint(folder));
    CHECK_NO_ERROR();
}

static void none_are_deleted_when_all_shall_be_kept(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *folder = folder_of("all"), *prefix = tn_format("%s/m", folder);
    tn_variable *v = tn_variable(tn_scalar(3.0), .name = "v");
    tn_saver *saver = tn_saver(.var_list = TN_LIST(v), .max_to_keep = 0);
    for (int i = 0; i < 7; i++)
        assert_non_null(tn_saver_save(saver, NULL, prefix, i));
    assert_true(is_there(tn_format("%s-0", prefix)));
    check_state(folder,
                tn_format("model_checkpoint_path: \"%s-6\"\nall_model_checkpoint_paths: \"%s-6\"\n",
                          prefix, prefix));
}

static void relative_paths_are_seen_from_their_folder(void **state)
{
    (void)state;
    TN_SCOPE;
    char here[4096];
    const char *folder = folder_of("relative");
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("in", 0700), 0);
    tn_variable *v = tn_variable(tn_scalar(3.0), .name = "v");
    tn_saver *saver = tn_saver(.var_list = TN_LIST(v));
    const char *first = tn_saver_save(saver, NULL, "in/m", 1),
               *second = tn_saver_save(saver, NULL, "m", 2);
    const char *latest = tn_latest_checkpoint("in"), *other = tn_latest_checkpoint(".");
    const char *third = tn_saver_save(saver, NULL, "in/m", 3);
    check_state("in",
                "model_checkpoint_path: \"m-3\"\nall_model_checkpoint_paths: \"m-1\"\n"
                "all_model_checkpoint_paths: \"../m-2\"\nall_model_checkpoint_paths: \"m-3\"\n");
    assert_int_equal(chdir(here), 0);
    assert_string_equal(first, "in/m-1");
    assert_string_equal(second, "m-2");
    assert_string_equal(third, "in/m-3");
    assert_string_equal(latest, "in/m-1");
    assert_string_equal(other, "./m-2");
}

/* --- files of TensorFlow's own ---------------------------------------------------------------- */
static void check_restored(tn_saver *saver, tn_variable *a, tn_variable *b, const char *path)
{
    tn_assign(a, tn_zeros(TN_SHAPE(2), TN_FLOAT32));
    tn_assign(b, tn_zeros(TN_SHAPE(1, 3), TN_FLOAT32));
    CHECK_OK(tn_saver_restore(saver, NULL, path));
    assert_memory_equal(tn_data_float32(a), ((float[]){ 1, 2 }), 8);
    assert_memory_equal(tn_data_float32(b), ((float[]){ 3, 4, 5 }), 12);
}

static void both_formats_of_tensorflow_1_are_restored(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *a = tn_variable(tn_zeros(TN_SHAPE(2), TN_FLOAT32), .name = "a");
    tn_variable *b = tn_variable(tn_zeros(TN_SHAPE(1, 3), TN_FLOAT32), .name = "b");
    tn_saver *saver = tn_saver(.var_list = TN_LIST(a, b), .rename = "scope/b=b");
    check_restored(saver, a, b, TESTDATA "saver_v1");
    check_restored(saver, a, b, TESTDATA "saver_v2");
}

/* A model's weights out of a program of TensorFlow 1, training state and all. */
static void a_model_takes_weights_of_tensorflow_1_by_their_names(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(
        TN_LAYERS(tn_dense(3, .input_shape = TN_SHAPE(1), .name = "d", .use_bias = false)));
    static const char *const files[] = { TESTDATA "saver_v1", TESTDATA "saver_v2" };
    for (int i = 0; i < 2; i++) {
        tn_assign(tn_variables(model).item[0], tn_zeros(TN_SHAPE(1, 3), TN_FLOAT32));
        CHECK_OK(tn_load_weights(model, files[i], .rename = "b=d/kernel", .prefix = "scope/"));
        assert_memory_equal(tn_data_float32(tn_variables(model).item[0]), ((float[]){ 3, 4, 5 }),
                            12);
        assert_int_equal(tn_load_weights(model, files[i], .rename = "scope/b=d/kernel"),
                         TN_INVALID_ARGUMENT);
        CHECK_ERROR(TN_INVALID_ARGUMENT, "Key a of the checkpoint is no weight of the model");
        assert_int_equal(tn_load_weights(model, files[i]), TN_INVALID_ARGUMENT);
        CHECK_ERROR(TN_INVALID_ARGUMENT, "Key d/kernel not found in checkpoint");
    }
}

/* --- what is refused -------------------------------------------------------------------------- */
static void two_variables_of_one_name_are_told_before_anything_is_written(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("twice");
    tn_variable *one = tn_variable(tn_scalar(1.0), .name = "same"),
                *two = tn_variable(tn_scalar(2.0), .name = "same");
    tn_saver *alone = tn_saver(.var_list = TN_LIST(one));
    assert_non_null(tn_saver_save(alone, NULL, prefix, -1));
    assert_null(tn_saver_save(tn_saver(.var_list = TN_LIST(two, one)), NULL, prefix, -1));
    const tn_error *error = tn_catch(TN_ALREADY_EXISTS);
    assert_non_null(error);
    assert_string_equal(
        error->first_line,
        "Unable to create dataset (name already exists): At least two variables have "
        "the same name: same");
    assert_non_null(strstr(error->message, "saver_test.c:"));
    assert_non_null(strstr(strstr(error->message, "saver_test.c:") + 1, "saver_test.c:"));
    CHECK_OK(tn_saver_restore(alone, NULL, prefix));
    assert_true(tn_to_double(one) == 1);
}

static void what_is_not_initialised_is_not_saved(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("uninitialised");
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *v = tn_variable(tn_scalar(1.0), .name = "v");
    (void)v;
    assert_null(tn_saver_save(tn_saver(), tn_session(), prefix, -1));
    CHECK_ERROR(TN_FAILED_PRECONDITION, "v");
    assert_false(is_there(prefix));
}

static void a_graphs_variable_needs_a_session_of_its_graph(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("sessionless");
    tn_session *other;
    {
        TN_WITH(tn_graph_as_default(tn_graph_new()));
        other = tn_session();
    }
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    tn_variable *v = tn_variable(tn_scalar(1.0), .name = "v");
    tn_saver *saver = tn_saver(.var_list = TN_LIST(v));
    assert_null(tn_saver_save(saver, NULL, prefix, -1));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "'v' is a variable of a graph and has no value without a session");
    assert_null(tn_saver_save(saver, other, prefix, -1));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "'v' is a variable of a graph and has no value in this session");
}

static void a_restore_that_fails_changes_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("partial");
    tn_variable *a = tn_variable(tn_scalar(1.0), .name = "a"),
                *b = tn_variable(tn_scalar(2.0), .name = "b");
    assert_non_null(tn_saver_save(tn_saver(.var_list = TN_LIST(a)), NULL, prefix, -1));
    tn_assign(a, tn_scalar(5.0));
    assert_int_equal(tn_saver_restore(tn_saver(.var_list = TN_LIST(a, b)), NULL, prefix),
                     TN_NOT_FOUND);
    CHECK_ERROR(TN_NOT_FOUND, "Key b not found in checkpoint");
    assert_true(tn_to_double(a) == 5);
    tn_variable *wide = tn_variable(tn_zeros(TN_SHAPE(2), TN_FLOAT32), .name = "a");
    assert_int_equal(tn_saver_restore(tn_saver(.var_list = TN_LIST(wide)), NULL, prefix),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Assign requires shapes of both tensors to match. lhs shape= (2,) rhs shape= ()");
    tn_variable *whole = tn_variable(tn_cast(tn_scalar(1), TN_INT64), .name = "a");
    assert_int_equal(tn_saver_restore(tn_saver(.var_list = TN_LIST(whole)), NULL, prefix),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "tensor_name = a; expected dtype int64 does not equal original dtype float");
}

static void paths_that_cannot_be_are_refused_in_tensorflows_words(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *a = tn_variable(tn_scalar(1.0), .name = "a");
    tn_saver *saver = tn_saver(.var_list = TN_LIST(a));
    assert_int_equal(tn_saver_restore(saver, NULL, NULL), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Can't load save_path when it is None.");
    const char *nothing = temporary_path("none");
    assert_int_equal(tn_saver_restore(saver, NULL, nothing), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                tn_format("The passed save_path is not a valid checkpoint: %s", nothing));
    assert_null(tn_saver_save(saver, NULL, tn_format("%s/m", nothing), 1));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "doesn't exist, can't save.");
    TN_WITH(tn_graph_as_default(tn_graph_new()));
    assert_null(tn_saver());
    CHECK_ERROR(TN_INVALID_ARGUMENT, "No variables to save");
}

/* --- memory ----------------------------------------------------------------------------------- */
static bool save_and_restore(void *self)
{
    TN_SCOPE;
    tn_saver *saver = tn_saver(.var_list = TN_LIST(self), .max_to_keep = 1);
    const char *path = tn_saver_save(saver, NULL, temporary_path("refused"), 1);
    return path && tn_saver_restore(saver, NULL, path) == TN_OK && tn_pending() == TN_OK;
}

static void refused_allocations_are_errors_and_leak_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_variable *v = tn_variable(tn_scalar(1.0), .name = "a");
    assert_true(save_and_restore(v));
    check_allocation_failures(save_and_restore, v);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_gets_back_what_it_had),
        cmocka_unit_test(eager_variables_need_a_list_and_no_session),
        cmocka_unit_test(keys_are_full_names),
        cmocka_unit_test(old_ones_are_deleted_and_the_folder_names_the_others),
        cmocka_unit_test(none_are_deleted_when_all_shall_be_kept),
        cmocka_unit_test(relative_paths_are_seen_from_their_folder),
        cmocka_unit_test(both_formats_of_tensorflow_1_are_restored),
        cmocka_unit_test(a_model_takes_weights_of_tensorflow_1_by_their_names),
        cmocka_unit_test(two_variables_of_one_name_are_told_before_anything_is_written),
        cmocka_unit_test(what_is_not_initialised_is_not_saved),
        cmocka_unit_test(a_graphs_variable_needs_a_session_of_its_graph),
        cmocka_unit_test(a_restore_that_fails_changes_nothing),
        cmocka_unit_test(paths_that_cannot_be_are_refused_in_tensorflows_words),
        cmocka_unit_test(refused_allocations_are_errors_and_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
