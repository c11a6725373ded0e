#include "saving/testdata.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what is saved comes back ----------------------------------------------------------------- */
static tn_tensor *numbers(int64_t rows, int64_t columns)
{
    float values[64];
    for (int64_t i = 0; i < rows * columns; i++)
        values[i] = sinf((float)i);
    return tn_constant(TN_FLOAT32, TN_SHAPE(rows, columns), values);
}

/* Two inputs and outputs, a shared layer, a model used twice inside. */
static tn_model *tangled_model(void)
{
    tn_tensor *a = tn_input(TN_SHAPE(4), .name = "a"), *b = tn_input(TN_SHAPE(4), .name = "b");
    tn_layer *shared = tn_dense(3, "relu", .name = "shared");
    tn_tensor *first = tn_call(shared, a), *second = tn_call(shared, b);
    tn_model *tail = tn_sequential(
        TN_LAYERS(tn_dense(3, .input_shape = TN_SHAPE(3)), tn_dense(2, .name = "last")),
        .name = "tail");
    tn_tensor *x = tn_call(tail, first), *y = tn_call(tail, second);
    tn_model *model = tn_model(tn_tuple(a, b), tn_tuple(tn_call(tn_dense(2, .name = "out"), x), y),
                               .name = "tangled");
    tn_set_trainable(tail, false);
    return spread(model);
}

static const char *const forms[] = { "model.keras", "model.h5", "model.hdf5" };

static void a_model_comes_back_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        TN_SCOPE;
        const char *path = temporary_path(forms[i]);
        tn_model *model = tangled_model();
        CHECK_OK(tn_save(model, path));
        tn_model *again = tn_load_model(path);
        check_same_outputs(model, again, tn_tuple(numbers(3, 4), numbers(3, 4)));
        assert_string_equal(tn_to_json(again), tn_to_json(model));
        assert_int_equal(tn_trainable_variables(again).count, tn_trainable_variables(model).count);
        tn_list a = tn_variables(model), b = tn_variables(again);
        for (size_t k = 0; k < a.count; k++)
            assert_string_equal(tn_name(a.item[k]), tn_name(b.item[k]));
    }
}

static void a_file_of_keras_comes_back_the_same(void **state)
{
    (void)state;
    static const char *const files[] = { "plain.keras", "plain_k2.h5", "bn.keras", "bn_k2.h5" };
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 2; k++) {
            TN_SCOPE;
            tn_model *model = tn_load_model(tn_format(TESTDATA "%s", files[i]));
            const char *path = temporary_path(forms[k]);
            CHECK_OK(tn_save(model, path));
            check_same_outputs(model, tn_load_model(path), wanted("x"));
        }
}

static void weights_alone_come_back(void **state)
{
    (void)state;
    static const char *const names[] = { "w.weights.h5", "w.h5" };
    for (size_t i = 0; i < 2; i++) {
        TN_SCOPE;
        const char *path = temporary_path(names[i]);
        tn_model *model = tangled_model(), *other = tn_model_from_json(tn_to_json(model));
        CHECK_OK(tn_save_weights(model, path));
        CHECK_OK(tn_load_weights(other, path));
        check_same_outputs(model, other, tn_tuple(numbers(3, 4), numbers(3, 4)));
    }
}

static void a_single_layer_has_weights_to_save_too(void **state)
{
    (void)state;
    static const char *const names[] = { "layer.weights.h5", "layer.h5" };
    for (size_t i = 0; i < 2; i++) {
        TN_SCOPE;
        const char *path = temporary_path(names[i]);
        tn_layer *layer = tn_dense(2), *other = tn_dense(2);
        tn_call(layer, numbers(3, 4));
        tn_call(other, numbers(3, 4));
        CHECK_OK(tn_save_weights(spread(layer), path));
        CHECK_OK(tn_load_weights(other, path));
        check_same_outputs(layer, other, numbers(3, 4));
    }
}

static void a_model_saves_to_memory(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = plain_model();
    tn_bytes archive = tn_save_to_memory(model), h5 = tn_save_to_memory(model, .format = "h5");
    CHECK_NO_ERROR();
    assert_memory_equal(archive.data, "PK\3\4", 4);
    assert_memory_equal(h5.data, "\x89HDF", 4);
    check_same_outputs(model, tn_load_model_from_memory(archive.data, archive.size), numbers(3, 4));
    check_same_outputs(model, tn_load_model_from_memory(h5.data, h5.size), numbers(3, 4));
    assert_null(tn_save_to_memory(model, .format = "onnx").data);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "format must be \"keras\", \"h5\" or \"tf\", got \"onnx\"");
}

static void weights_in_an_archive_can_be_mapped(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("mapped.keras");
    tn_model *model = spread(tn_sequential(TN_LAYERS(tn_dense(50, .input_shape = TN_SHAPE(40)))));
    CHECK_OK(tn_save(model, path));
    tn_model *mapped = tn_load_model(path, .map = true);
    check_same_outputs(model, mapped, tn_ones(TN_SHAPE(2, 40), TN_FLOAT32));
    CHECK_OK(tn_save(mapped, path)); /* over the file that it lies in */
    check_same_outputs(model, mapped, tn_ones(TN_SHAPE(2, 40), TN_FLOAT32));
    check_same_outputs(model, tn_load_model(path), tn_ones(TN_SHAPE(2, 40), TN_FLOAT32));
}

static void other_element_types_come_back(void **state)
{
    (void)state;
    static const char *const types[] = { "float64", "float16", "bfloat16" };
    for (size_t i = 0; i < 6; i++) {
        TN_SCOPE;
        const char *path = temporary_path(forms[i % 2]);
        tn_model *model = tn_sequential(
            TN_LAYERS(tn_dense(2, .dtype = types[i / 2], .input_shape = TN_SHAPE(4))));
        CHECK_OK(tn_save(model, path));
        tn_list a = tn_variables(model), b = tn_variables(tn_load_model(path));
        CHECK_NO_ERROR();
        assert_int_equal(tn_dtype_of(a.item[0]), tn_dtype_of(b.item[0]));
        assert_string_equal(tn_text(a.item[0]), tn_text(b.item[0]));
    }
}

/* --- own classes ------------------------------------------------------------------------------ */
typedef struct {
    int64_t units;
    tn_layer *inner, *_hidden;
    tn_variable *scale;
} own_model;

static void own_init(void *me)
{
    own_model *self = me;
    self->inner = tn_dense(self->units);
    self->_hidden = tn_dense(2);
}

static tn_tensor *own_call(void *me, tn_list inputs)
{
    own_model *self = me;
    if (!self->scale)
        self->scale = tn_variable(tn_ones(TN_SHAPE(2), TN_FLOAT32), .name = "scale");
    return tn_multiply(tn_call(self->_hidden, tn_call(self->inner, tn_at(inputs, 0))), self->scale);
}

static const tn_class OwnModel = {
    .name = "OwnModel",
    .size = sizeof(own_model),
    .fields = TN_FIELDS(TN_FIELD(own_model, units), TN_FIELD(own_model, inner),
                        TN_FIELD(own_model, _hidden), TN_FIELD(own_model, scale)),
    .init = own_init,
    .call = own_call,
    .model = true,
};

static void a_model_class_of_the_programs_own_comes_back(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("own.keras"), *weights = temporary_path("own.weights.h5");
    CHECK_OK(tn_register_class(&OwnModel));
    tn_model *model = tn_new(&OwnModel, TN_INIT(own_model, .units = 3), .name = "mine");
    tn_call(model, numbers(3, 4));
    spread(model);
    CHECK_OK(tn_save(model, path));
    tn_model *again = tn_load_model(path);
    check_same_outputs(model, again, numbers(3, 4));
    assert_int_equal(((own_model *)tn_self(again, &OwnModel))->units, 3);

    CHECK_OK(tn_save_weights(model, weights));
    tn_model *fresh = tn_new(&OwnModel, TN_INIT(own_model, .units = 3));
    tn_call(fresh, numbers(3, 4));
    CHECK_OK(tn_load_weights(fresh, weights));
    check_same_outputs(model, fresh, numbers(3, 4));
    /* Keras's paths for a Python class with these attributes: private ones after the list of all
     * layers. */
    const char *held = tn_inspect(weights);
    assert_non_null(strstr(held, "  inner/vars/0 float32 (4, 3)\n"));
    assert_non_null(strstr(held, "  layers/dense_1/vars/0 float32 (3, 2)\n"));
    assert_non_null(strstr(held, "  vars/0 float32 (2,)\n"));

    assert_int_not_equal(tn_save(model, temporary_path("own.h5")), TN_OK);
    CHECK_ERROR(TN_UNIMPLEMENTED, "Saving the model to HDF5 format requires the model to be a "
                                  "Functional model or a Sequential model.");
    CHECK_OK(tn_save_weights(model, temporary_path("own.h5")));
    CHECK_OK(tn_load_weights(fresh, temporary_path("own.h5")));
    check_same_outputs(model, fresh, numbers(3, 4));
}

/* --- the disk --------------------------------------------------------------------------------- */
static size_t files_in_the_folder(void)
{
    const char *path = temporary_path("");
    DIR *folder = opendir(path);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.' || entry->d_name[1] > '.';
    closedir(folder);
    return count;
}

static void wrong_names_are_refused_before_the_disk_is_touched(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = plain_model();
    size_t before = files_in_the_folder();
    assert_int_not_equal(tn_save(model, temporary_path("model.json")), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Invalid filepath extension for saving. Please add either a "
                                     "`.keras` extension for the native Keras format "
                                     "(recommended) or a `.h5` extension.");
    assert_int_not_equal(tn_save(model, temporary_path("model.weights.h5")), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is called like weights alone");
    assert_int_not_equal(tn_save_weights(model, temporary_path("model.keras")), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "The filename must end in `.weights.h5`.");
    assert_int_not_equal(tn_save(model, NULL), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "path is missing");
    assert_int_not_equal(tn_save(model, temporary_path("model.h5"), .keras = 4), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "keras must be 2 or 3, got 4");
    assert_int_equal(files_in_the_folder(), before);
}

static void check_unchanged(const char *path, const tn__bytes *old)
{
    tn__bytes now = bytes_of(path);
    assert_int_equal(now.size, old->size);
    assert_memory_equal(now.data, old->data, old->size);
    tn__bytes_free(&now);
}

static void a_failed_save_leaves_the_old_file(void **state)
{
    (void)state;
    TN_SCOPE;
    struct rlimit saved, small;
    tn_model *model = plain_model(),
             *large = tn_sequential(TN_LAYERS(tn_dense(300, .input_shape = TN_SHAPE(300))));
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < 2; i++) {
        const char *path = temporary_path(forms[i]);
        CHECK_OK(tn_save(model, path));
        tn__bytes old = bytes_of(path);
        size_t before = files_in_the_folder();
        getrlimit(RLIMIT_FSIZE, &saved);
        small = saved;
        small.rlim_cur = 100000;
        setrlimit(RLIMIT_FSIZE, &small);
        tn_status status = tn_save(large, path);
        setrlimit(RLIMIT_FSIZE, &saved);
        assert_int_not_equal(status, TN_OK);
        CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "; what was there before is unchanged");
        check_unchanged(path, &old);
        assert_int_equal(files_in_the_folder(), before);
        tn__bytes_free(&old);
    }
}

static void an_old_file_is_kept_when_asked(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("kept.keras");
    CHECK_OK(tn_save(plain_model(), path, .overwrite = false, .sync = false));
    tn__bytes old = bytes_of(path);
    assert_int_not_equal(tn_save(tangled_model(), path, .overwrite = false), TN_OK);
    CHECK_ERROR(TN_ALREADY_EXISTS, "is there already, and overwrite is false");
    check_unchanged(path, &old);
    tn__bytes_free(&old);
}

static void places_that_cannot_be_written_say_why(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = plain_model();
    const char *fifo = temporary_path("pipe.keras"), *folder = temporary_path("folder.keras"),
               *locked = temporary_path("locked");
    mkfifo(fifo, 0600);
    mkdir(folder, 0700);
    mkdir(locked, 0500);
    size_t before = files_in_the_folder();
    assert_int_not_equal(tn_save(model, fifo), TN_OK);
    CHECK_ERROR(tn_pending(), "pipe.keras");
    assert_int_not_equal(tn_save(model, folder), TN_OK);
    CHECK_ERROR(tn_pending(), "folder.keras");
    assert_int_not_equal(tn_save(model, tn_format("%s/none/model.keras", folder)), TN_OK);
    CHECK_ERROR(TN_NOT_FOUND, "there is no folder");
    if (geteuid() != 0) { /* root may write anywhere */
        assert_int_not_equal(tn_save(model, tn_format("%s/model.keras", locked)), TN_OK);
        CHECK_ERROR(TN_PERMISSION_DENIED, "locked/model.keras");
    }
    assert_int_equal(files_in_the_folder(), before);
    struct stat info;
    assert_int_equal(stat(fifo, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
}

static void a_model_that_is_not_built_says_so(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(3)));
    sink_text *heard = listen_to_sink();
    CHECK_OK(tn_save(model, temporary_path("unbuilt.keras")));
    stop_listening();
    assert_non_null(strstr(heard->text, "You are saving a model that has not yet been built."));
    tn_model *again = tn_load_model(temporary_path("unbuilt.keras"));
    CHECK_NO_ERROR();
    assert_string_equal(tn_shape_text(tn_call(again, numbers(2, 4))), "(2, 3)");
    assert_int_not_equal(tn_save_weights(tn_sequential(TN_LAYERS(tn_dense(3))),
                                         temporary_path("unbuilt.weights.h5")),
                         TN_OK);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "You are saving a model that has not yet been built.");
}

typedef struct {
    int64_t units;
    double gain;
} forgetful;

static tn_tensor *forgetful_call(void *me, tn_list inputs)
{
    return tn_multiply(tn_at(inputs, 0), tn_scalar(((const forgetful *)me)->gain));
}

static const tn_class some = { .name = "Some",
                               .size = sizeof(forgetful),
                               .fields = TN_FIELDS(TN_FIELD(forgetful, units)),
                               .call = forgetful_call };
static const tn_class none = { .name = "None_", .size = sizeof(forgetful), .call = forgetful_call };

static const char *warning_of_saving(const tn_class *of, double gain)
{
    tn_layer *layer = tn_new(of, TN_INIT(forgetful, .units = 3, .gain = gain), .name = "f");
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(2, .input_shape = TN_SHAPE(2)), layer));
    sink_text *heard = listen_to_sink();
    CHECK_OK(tn_save(model, temporary_path("forgetful.keras")));
    stop_listening();
    return heard->text;
}

static void members_that_no_field_declares_are_told_of(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_non_null(strstr(warning_of_saving(&some, 2), "Some 'f'"));
    assert_non_null(
        strstr(warning_of_saving(&some, 2),
               "a member that .fields does not declare, byte 15 of the struct, behind 'units'"));
    assert_string_equal(warning_of_saving(&some, 0), "");
    assert_non_null(strstr(warning_of_saving(&none, 0), "byte 0 of the struct, behind nothing"));
}

/* --- names ------------------------------------------------------------------------------------ */
static tn_model *scoped_model(void)
{
    TN_WITH(tn_name_scope("new_layer_scope"));
    return spread(tn_sequential(TN_LAYERS(
        tn_dense(3, .name = "new_dense", .input_shape = TN_SHAPE(4)), tn_dense(2, .name = "b"))));
}

static void scopes_survive(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        TN_SCOPE;
        const char *path = temporary_path(forms[i]);
        CHECK_OK(tn_save(scoped_model(), path));
        tn_list names = tn_variables(tn_load_model(path));
        CHECK_NO_ERROR();
        assert_string_equal(tn_name(names.item[0]), "new_layer_scope/new_dense/kernel");
        assert_string_equal(tn_name(names.item[3]), "new_layer_scope/b/bias");
        TN_WITH(tn_name_scope("outer"));
        names = tn_variables(tn_load_model(path));
        assert_string_equal(tn_name(names.item[0]), "outer/new_layer_scope/new_dense/kernel");
    }
}

static void keras_files_have_no_scopes_but_the_open_one(void **state)
{
    (void)state;
    static const char *const files[] = { "plain.keras", "plain_k3.h5", "plain_k2.h5" };
    for (size_t i = 0; i < 3; i++) {
        TN_SCOPE;
        assert_string_equal(
            tn_name(tn_variables(tn_load_model(tn_format(TESTDATA "%s", files[i]))).item[0]),
            "hidden/kernel");
        TN_WITH(tn_name_scope("here"));
        assert_string_equal(
            tn_name(tn_variables(tn_load_model(tn_format(TESTDATA "%s", files[i]))).item[0]),
            "here/hidden/kernel");
    }
    CHECK_NO_ERROR();
}

static void configs_have_no_keys_of_our_own(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(strstr(tn_to_json(scoped_model()), "new_layer_scope"));
    tn_bytes bytes = tn_save_to_memory(plain_model()), scoped = tn_save_to_memory(scoped_model());
    assert_null(memmem(bytes.data, bytes.size, "tenon.json", 10));
    assert_non_null(memmem(scoped.data, scoped.size, "tenon.json", 10));
}

/* --- memory ----------------------------------------------------------------------------------- */
static tn_model *small_model(void)
{
    TN_WITH(tn_name_scope("scope"));
    return tn_sequential(TN_LAYERS(tn_dense(3, .input_shape = TN_SHAPE(4)), tn_dense(2)));
}

static bool save_it(void *path)
{
    tn_model *model = small_model();
    return model && tn_save(model, path) == TN_OK && tn_save_to_memory(model).data;
}

static bool save_weights_of_it(void *path)
{
    tn_model *model = small_model();
    return model && tn_save_weights(model, path) == TN_OK;
}

static void running_out_of_memory_while_saving_leaks_nothing(void **state)
{
    (void)state;
    char path[300];
    static const char *const names[] = { "a.keras", "a.h5", "a.weights.h5" };
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s", temporary_path(names[i]));
        check_allocation_failures(i < 2 ? save_it : save_weights_of_it, path);
    }
}

int main(void)
{
    tests_begin();
    tests_count_json();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_comes_back_as_it_was),
        cmocka_unit_test(a_file_of_keras_comes_back_the_same),
        cmocka_unit_test(weights_alone_come_back),
        cmocka_unit_test(a_single_layer_has_weights_to_save_too),
        cmocka_unit_test(a_model_saves_to_memory),
        cmocka_unit_test(weights_in_an_archive_can_be_mapped),
        cmocka_unit_test(other_element_types_come_back),
        cmocka_unit_test(a_model_class_of_the_programs_own_comes_back),
        cmocka_unit_test(wrong_names_are_refused_before_the_disk_is_touched),
        cmocka_unit_test(a_failed_save_leaves_the_old_file),
        cmocka_unit_test(an_old_file_is_kept_when_asked),
        cmocka_unit_test(places_that_cannot_be_written_say_why),
        cmocka_unit_test(a_model_that_is_not_built_says_so),
        cmocka_unit_test(members_that_no_field_declares_are_told_of),
        cmocka_unit_test(scopes_survive),
        cmocka_unit_test(keras_files_have_no_scopes_but_the_open_one),
        cmocka_unit_test(configs_have_no_keys_of_our_own),
        cmocka_unit_test(running_out_of_memory_while_saving_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
