/* Checkpoints of models: what Keras 2 makes of save_weights without an ending. */
#include "saving/testdata.h"
#include "saving/checkpoint_read.h"
#include <unistd.h>

static tn_model *small_model(void)
{
    return tn_sequential(TN_LAYERS(tn_dense(3, .input_shape = TN_SHAPE(2), .name = "a"),
                                   tn_dropout(0.5), tn_dense(2, .name = "b")));
}

static void copy_file(const char *from, const char *to)
{
    tn__bytes bytes = bytes_of(from);
    write_file(to, bytes.data, bytes.size);
    tn__bytes_free(&bytes);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void a_model_comes_back_from_its_checkpoint(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("model_weights");
    tn_model *model = spread(small_model()), *other = small_model();
    CHECK_OK(tn_save_weights(model, prefix));
    CHECK_OK(tn_load_weights(other, prefix));
    check_same_outputs(model, other, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32));
}

static void its_files_are_called_as_tensorflow_calls_them(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("named");
    CHECK_OK(tn_save_weights(small_model(), prefix));
    assert_true(is_there(tn_format("%s.index", prefix)));
    assert_true(is_there(tn_format("%s.data-00000-of-00001", prefix)));
    const char *folder = tn_format("%.*s", (int)(strrchr(prefix, '/') - prefix), prefix);
    assert_string_equal(tn_latest_checkpoint(folder), prefix);
    tn__bundle *bundle;
    CHECK_OK(tn__bundle_open(prefix, NULL, &bundle));
    static const char *const keys[] = {
        "_CHECKPOINTABLE_OBJECT_GRAPH",
        "layer_with_weights-0/bias/.ATTRIBUTES/VARIABLE_VALUE",
        "layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE",
        "layer_with_weights-1/bias/.ATTRIBUTES/VARIABLE_VALUE",
        "layer_with_weights-1/kernel/.ATTRIBUTES/VARIABLE_VALUE",
    };
    assert_int_equal(tn__bundle_count(bundle), 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(tn__bundle_at(bundle, i)->name, keys[i]);
    tn__bundle_close(bundle);
}

static void the_index_itself_may_be_named(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("indexed");
    tn_model *model = spread(small_model()), *other = small_model();
    CHECK_OK(tn_save_weights(model, prefix));
    CHECK_OK(tn_load_weights(other, tn_format("%s.index", prefix)));
    check_same_outputs(model, other, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32));
}

/* --- the optimizer ---------------------------------------------------------------------------- */
static tn_model *compiled(double rate)
{
    tn_model *model = small_model();
    CHECK_OK(tn_compile(model, tn_adam(rate), "mse"));
    return model;
}

static float train(tn_model *model)
{
    tn_tensor *logs = tn_train_on_batch(model, tn_ones(TN_SHAPE(4, 2), TN_FLOAT32),
                                        tn_ones(TN_SHAPE(4, 2), TN_FLOAT32));
    CHECK_NO_ERROR();
    return tn_data_float32(logs)[0];
}

static tn_model *without_dropout(double rate)
{
    tn_model *model =
        tn_sequential(TN_LAYERS(tn_dense(3, .input_shape = TN_SHAPE(2)), tn_dense(2)));
    CHECK_OK(tn_compile(model, tn_adam(rate), "mse"));
    return model;
}

static void training_goes_on_where_it_stopped(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("trained");
    tn_model *model = spread(without_dropout(0.1)), *other = without_dropout(0.5);
    for (int i = 0; i < 3; i++)
        train(model);
    CHECK_OK(tn_save_weights(model, prefix));
    CHECK_OK(tn_load_weights(other, prefix));
    for (int i = 0; i < 3; i++)
        assert_true(train(model) == train(other));
}

/* The names that TensorFlow looks for, whoever's objects it restores. */
static void check_children(const char *prefix, const char *const *names, size_t count)
{
    tn__bundle *bundle;
    tn__arena arena = { 0 };
    tn__object_graph graph = { 0 };
    CHECK_OK(tn__bundle_open(prefix, NULL, &bundle));
    CHECK_OK(tn__checkpoint_graph(bundle, &arena, &graph));
    for (size_t i = 0; i < count; i++) {
        int32_t node = 0;
        for (const char *at = names[i]; *at; at += strcspn(at, "/") + (strchr(at, '/') != NULL)) {
            const char *part = tn_format("%.*s", (int)strcspn(at, "/"), at);
            node = tn__object_graph_child(&graph, node, part);
            if (node < 0)
                fail_msg("no %s at %s", names[i], part);
        }
    }
    tn__arena_free(&arena);
    tn__bundle_close(bundle);
}

static void keras_2_and_3_find_their_names_in_a_checkpoint(void **state)
{
    (void)state;
    TN_SCOPE;
    static const char *const either[] = { "root/layer-0/kernel",
                                          "model/layer_with_weights-1/bias",
                                          "save_counter",
                                          "model/_functional/_operations/1/_kernel",
                                          "optimizer/_momentums/3",
                                          "model/optimizer/_velocities/0",
                                          "optimizer/_learning_rate",
                                          "optimizer/_iterations" };
    static const char *const three[] = { "optimizer/_trainable_variables/3",
                                         "optimizer/_variables/9" };
    const char *prefix = temporary_path("names_of_both");
    tn_model *model = spread(without_dropout(0.1)), *other = without_dropout(0.5);
    train(model);
    for (int keras = 2; keras <= 3; keras++) {
        CHECK_OK(tn_save_weights(model, prefix, .keras = keras));
        check_children(prefix, either, sizeof either / sizeof *either);
        if (keras == 3)
            check_children(prefix, three, 2);
        CHECK_OK(tn_load_weights(other, prefix));
        check_same_outputs(model, other, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32));
    }
    assert_true(train(model) == train(other));
    assert_int_equal(tn_save_weights(model, prefix, .keras = 4), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "keras must be 2 or 3");
}

static void without_the_optimizer_there_are_weights_alone(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("weights_alone");
    tn_model *model = compiled(0.1);
    train(model);
    CHECK_OK(tn_save_weights(model, prefix, .include_optimizer = false));
    tn__bundle *bundle;
    CHECK_OK(tn__bundle_open(prefix, NULL, &bundle));
    assert_int_equal(tn__bundle_count(bundle), 5);
    tn__bundle_close(bundle);
}

/* --- checkpoints of Keras ----------------------------------------------------------------------
 */
/* Of make_checkpoints.py. Keras 2's fused BatchNormalization rounds otherwise in the sixth digit.
 */
static tn_model *layered(void)
{
    tn_tensor *x = tn_input(TN_SHAPE(4, 4, 2), .name = "x");
    tn_model *inner = tn_sequential(TN_LAYERS(tn_dense(2, .name = "d")), .name = "inner");
    tn_tensor *y = tn_call(tn_depthwise_conv2d(2, .name = "deep"), x);
    y = tn_call(tn_batch_normalization(.name = "bn"), y);
    return tn_model(x, tn_call(inner, tn_call(tn_flatten(.name = "f"), y)));
}

static void check_keras(const char *era)
{
    const char *arrays = TESTDATA "checkpoints.npz";
    tn_model *model = layered();
    CHECK_OK(tn_compile(model, tn_adam(0.5), "mse"));
    CHECK_OK(tn_load_weights(model, tn_format(TESTDATA "checkpoint_%s", era)));
    tn_tensor *got = tn_call(model, tn_load_array(arrays, "x"));
    assert_true(difference(got, tn_load_array(arrays, tn_format("%s_trained", era))) < 5e-6);
    const float *losses = tn_data_float32(tn_load_array(arrays, tn_format("%s_losses", era)));
    for (int i = 0; i < 2; i++) {
        tn_tensor *logs = tn_train_on_batch(model, tn_ones(TN_SHAPE(4, 4, 4, 2), TN_FLOAT32),
                                            tn_ones(TN_SHAPE(4, 2), TN_FLOAT32));
        CHECK_NO_ERROR();
        assert_true(fabs((double)tn_data_float32(logs)[0] - (double)losses[i]) < 1e-6);
    }
}

static void keras_2s_is_loaded_and_trained_on(void **state)
{
    (void)state;
    TN_SCOPE;
    check_keras("k2");
}

static void keras_3s_is_loaded_and_trained_on(void **state)
{
    (void)state;
    TN_SCOPE;
    check_keras("k3");
}

/* --- what does not fit ------------------------------------------------------------------------ */
static tn_model *other_model(int64_t units)
{
    return tn_sequential(TN_LAYERS(tn_dense(units, .input_shape = TN_SHAPE(2), .name = "a")));
}

static void check_first_line(const char *wanted)
{
    const tn_error *error = tn_catch(TN_INVALID_ARGUMENT);
    assert_non_null(error);
    assert_string_equal(error->first_line, wanted);
}

static void another_shape_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("shape");
    tn_model *model = spread(other_model(4)), *other = spread(other_model(3));
    tn_tensor *x = tn_ones(TN_SHAPE(1, 2), TN_FLOAT32), *before = tn_call(other, x);
    CHECK_OK(tn_save_weights(model, prefix));
    assert_int_equal(tn_load_weights(other, prefix), TN_INVALID_ARGUMENT);
    check_first_line("Received incompatible tensor with shape (2, 4) when attempting to restore "
                     "variable with shape (2, 3) and name a/kernel.");
    assert_true(difference(tn_call(other, x), before) == 0);
}

static void a_weight_that_is_not_there_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("missing");
    CHECK_OK(tn_save_weights(other_model(3), prefix));
    assert_int_equal(tn_load_weights(small_model(), prefix), TN_INVALID_ARGUMENT);
    const tn_error *error = tn_catch(TN_INVALID_ARGUMENT);
    assert_string_equal(error->first_line,
                        "Found 2 Python objects that were not bound to checkpointed values, likely "
                        "due to changes in the Python program.");
    assert_non_null(strstr(error->message, "weight 'b/kernel' (3, 2) is not in the file, looked "
                                           "for at 'layer_with_weights-1/kernel'"));
}

static void a_weight_too_many_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("more");
    CHECK_OK(tn_save_weights(small_model(), prefix));
    assert_int_equal(tn_load_weights(other_model(3), prefix), TN_INVALID_ARGUMENT);
    check_first_line("Unresolved object in checkpoint (root).layer_with_weights-1.kernel");
}

static void mismatches_may_be_skipped(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("skipped");
    tn_model *model = spread(small_model()), *other = other_model(3);
    CHECK_OK(tn_save_weights(model, prefix));
    CHECK_OK(tn_load_weights(other, prefix, .skip_mismatch = true));
    assert_true(difference(tn_variables(other).item[0], tn_variables(model).item[0]) == 0);
}

static void an_old_one_is_kept_when_it_shall_not_be_overwritten(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("kept");
    CHECK_OK(tn_save_weights(small_model(), prefix));
    assert_int_equal(tn_save_weights(small_model(), prefix, .overwrite = false), TN_ALREADY_EXISTS);
    assert_non_null(tn_catch(TN_ALREADY_EXISTS));
}

/* --- names ------------------------------------------------------------------------------------ */
static void names_serve_where_they_are_asked_for(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("by_name");
    tn_model *model = spread(small_model());
    tn_model *other = tn_sequential(
        TN_LAYERS(tn_dense(2, .input_shape = TN_SHAPE(3), .name = "b"), tn_dense(7, .name = "c")));
    CHECK_OK(tn_save_weights(model, prefix));
    CHECK_OK(tn_load_weights(other, prefix, .by_name = true));
    assert_true(difference(tn_variables(other).item[0], tn_variables(model).item[2]) == 0);
}

/* As the layers of TensorFlow 1's programs were often called, in a scope of their own. */
static void ends_of_names_may_be_changed_beside_scopes(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("ends");
    tn_model *model = spread(small_model());
    tn_model *other = tn_sequential(TN_LAYERS(
        tn_dense(3, .input_shape = TN_SHAPE(2), .name = "first"), tn_dense(2, .name = "last")));
    tn_saver *saver = tn_saver(.var_list = tn_variables(model), .prefix = "net/",
                               .rename = "/weights=/kernel;/biases=/bias");
    assert_non_null(tn_saver_save(saver, NULL, prefix, -1));
    assert_non_null(strstr(tn_inspect(prefix), "net/a/weights"));
    CHECK_OK(tn_load_weights(other, prefix, .prefix = "net/",
                             .rename = "/weights=/kernel;a=first;b=last;/biases=/bias"));
    for (size_t i = 0; i < 4; i++)
        assert_true(difference(tn_variables(other).item[i], tn_variables(model).item[i]) == 0);
    assert_int_equal(tn_load_weights(other, prefix, .prefix = "net/"), TN_INVALID_ARGUMENT);
    const tn_error *e = tn_catch(TN_INVALID_ARGUMENT);
    assert_non_null(e);
    assert_non_null(
        strstr(e->message, ".prefix and .rename say what the model's names are in the file"));
}

/* As Keras 2's load_weights does. */
static void the_weights_of_a_saved_model_are_its_checkpoint(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *folder = temporary_path("saved");
    tn_model *model = spread(small_model()), *other = small_model();
    CHECK_OK(tn_save(model, folder));
    CHECK_OK(tn_load_weights(other, folder));
    for (size_t i = 0; i < 4; i++)
        assert_true(difference(tn_variables(other).item[i], tn_variables(model).item[i]) == 0);
}

static void names_may_be_changed_on_the_way(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("renamed");
    tn_model *model = spread(small_model());
    tn_model *other = tn_sequential(TN_LAYERS(
        tn_dense(3, .input_shape = TN_SHAPE(2), .name = "first"), tn_dense(2, .name = "last")));
    CHECK_OK(tn_save_weights(model, prefix));
    CHECK_OK(tn_load_weights(other, prefix, .rename = "a=first;b/kernel=last/kernel;b=last"));
    for (size_t i = 0; i < 4; i++)
        assert_true(difference(tn_variables(other).item[i], tn_variables(model).item[i]) == 0);
    assert_int_equal(tn_load_weights(other, prefix, .rename = "a"), TN_INVALID_ARGUMENT);
    check_first_line("tn_load_weights: rename must be \"old=new;old=new\", got \"a\"");
    assert_int_equal(tn_load_weights(other, prefix, .prefix = "x/"), TN_INVALID_ARGUMENT);
    check_first_line("Key x/first/kernel not found in checkpoint");
}

/* --- damage ----------------------------------------------------------------------------------- */
static void data_that_do_not_fit_the_index_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *one = temporary_path("one"), *two = temporary_path("two");
    tn_model *model = spread(small_model());
    CHECK_OK(tn_save_weights(small_model(), one));
    CHECK_OK(tn_save_weights(model, two));
    copy_file(tn_format("%s.data-00000-of-00001", one), tn_format("%s.data-00000-of-00001", two));
    tn_tensor *x = tn_ones(TN_SHAPE(1, 2), TN_FLOAT32), *before = tn_call(model, x);
    assert_int_equal(tn_load_weights(model, two), TN_DATA_LOSS);
    assert_non_null(tn_catch(TN_DATA_LOSS));
    assert_true(difference(tn_call(model, x), before) == 0);
}

/* Children that are other nodes, have other names or none: circles, and parts that are missing. */
static void rewire(tn__object_graph *graph, uint32_t *random)
{
    uint32_t draw[4];
    for (int i = 0; i < 4; i++)
        draw[i] = (*random = *random * 1664525u + 1013904223u) >> 8;
    tn__trackable *from = &graph->nodes.item[draw[0] % graph->nodes.count];
    tn__trackable *to = &graph->nodes.item[draw[1] % graph->nodes.count];
    if (from->children.count == 0)
        return;
    tn__object_reference *child = &from->children.item[draw[2] % from->children.count];
    if (draw[3] % 2)
        child->node_id = (int32_t)(draw[1] % graph->nodes.count);
    else
        child->local_name = to->children.count ? to->children.item[0].local_name : NULL;
}

static void any_graph_of_objects_is_survived(void **state)
{
    (void)state;
    TN_SCOPE;
    static const char *const files[] = { TESTDATA "checkpoint_k2", TESTDATA "checkpoint_k3" };
    uint32_t random = 7;
    tn_model *model = layered();
    for (int file = 0; file < 2; file++) {
        tn__bundle *bundle;
        tn__source source = { .name = files[file] };
        CHECK_OK(tn__bundle_open(files[file], NULL, &bundle));
        for (int round = 0; round < 300; round++) {
            tn__loading loading = { .source = &source };
            tn__checkpoint_reading r = { .loading = &loading, .bundle = bundle, .model = model };
            CHECK_OK(tn__checkpoint_graph(bundle, &r.arena, &r.graph));
            for (int i = 0; i <= round % 30; i++)
                rewire(&r.graph, &random);
            CHECK_OK(tn__checkpoint_match_objects(&r));
            assert_true(loading.match.count <= 8);
            tn__loading_free(&loading);
            tn__checkpoint_reading_free(&r);
        }
        tn__bundle_close(bundle);
    }
}

static void the_limit_counts_the_index_too(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *prefix = temporary_path("limited");
    tn_model *model = small_model();
    CHECK_OK(tn_save_weights(model, prefix));
    assert_int_equal(tn_load_weights(model, prefix, .limit = 60), TN_RESOURCE_EXHAUSTED);
    assert_non_null(tn_catch(TN_RESOURCE_EXHAUSTED));
    CHECK_OK(tn_load_weights(model, prefix, .limit = 4096));
}

/* --- memory ----------------------------------------------------------------------------------- */
typedef struct {
    tn_model *model;
    const char *prefix;
} refused;

static bool save_and_load(void *self)
{
    const refused *r = self;
    TN_SCOPE;
    return tn_save_weights(r->model, r->prefix) == TN_OK &&
           tn_load_weights(r->model, r->prefix) == TN_OK;
}

static void refused_allocations_are_errors_and_leak_nothing(void **state)
{
    (void)state;
    TN_SCOPE;
    refused r = { spread(small_model()), temporary_path("refused") };
    assert_true(save_and_load(&r));
    check_allocation_failures(save_and_load, &r);
}

static bool load_by_name(void *self)
{
    const refused *r = self;
    TN_SCOPE;
    return tn_load_weights(r->model, r->prefix, .rename = "x=y", .prefix = "", .by_name = true) ==
           TN_OK;
}

static void refused_allocations_of_names_are_errors_too(void **state)
{
    (void)state;
    TN_SCOPE;
    refused r = { spread(small_model()), temporary_path("refused") };
    CHECK_OK(tn_save_weights(r.model, r.prefix));
    assert_true(load_by_name(&r));
    check_allocation_failures(load_by_name, &r);
}

static void nothing_there_is_not_found(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_int_equal(tn_load_weights(small_model(), temporary_path("nothing")), TN_NOT_FOUND);
    assert_non_null(tn_catch(TN_NOT_FOUND));
    assert_null(tn_latest_checkpoint(temporary_path("no_folder")));
    CHECK_NO_ERROR();
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_comes_back_from_its_checkpoint),
        cmocka_unit_test(its_files_are_called_as_tensorflow_calls_them),
        cmocka_unit_test(the_index_itself_may_be_named),
        cmocka_unit_test(training_goes_on_where_it_stopped),
        cmocka_unit_test(keras_2_and_3_find_their_names_in_a_checkpoint),
        cmocka_unit_test(without_the_optimizer_there_are_weights_alone),
        cmocka_unit_test(keras_2s_is_loaded_and_trained_on),
        cmocka_unit_test(keras_3s_is_loaded_and_trained_on),
        cmocka_unit_test(another_shape_is_refused_and_changes_nothing),
        cmocka_unit_test(a_weight_that_is_not_there_is_told),
        cmocka_unit_test(a_weight_too_many_is_told),
        cmocka_unit_test(mismatches_may_be_skipped),
        cmocka_unit_test(an_old_one_is_kept_when_it_shall_not_be_overwritten),
        cmocka_unit_test(names_serve_where_they_are_asked_for),
        cmocka_unit_test(names_may_be_changed_on_the_way),
        cmocka_unit_test(ends_of_names_may_be_changed_beside_scopes),
        cmocka_unit_test(the_weights_of_a_saved_model_are_its_checkpoint),
        cmocka_unit_test(data_that_do_not_fit_the_index_are_refused),
        cmocka_unit_test(any_graph_of_objects_is_survived),
        cmocka_unit_test(the_limit_counts_the_index_too),
        cmocka_unit_test(refused_allocations_are_errors_and_leak_nothing),
        cmocka_unit_test(refused_allocations_of_names_are_errors_too),
        cmocka_unit_test(nothing_there_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
