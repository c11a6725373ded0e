/* saved_model_classes_test.c - classes of the program's own in SavedModel folders. */
#include "saving/testdata.h"

/* --- classes ---------------------------------------------------------------------------------- */
typedef struct {
    int64_t units;
    tn_variable *k;
    tn_layer *sub;
} scale;

static void scale_init(void *me)
{
    scale *self = me;
    self->sub = tn_dense((int)self->units);
}

static void scale_build(void *me, tn_list inputs)
{
    scale *self = me;
    self->k = tn_add_weight(TN_SHAPE(tn_dim(tn_shape_of(tn_at(inputs, 0)), -1)), "ones", "k");
}

static tn_tensor *scale_call(void *me, tn_list inputs)
{
    scale *self = me;
    return tn_call(self->sub, tn_multiply(tn_at(inputs, 0), self->k));
}

#define SCALE_FIELDS TN_FIELDS(TN_FIELD(scale, units), TN_FIELD(scale, k), TN_FIELD(scale, sub))
static const tn_class Scale = {
    .name = "Scale",
    .package = "Net pkg",
    .size = sizeof(scale),
    .fields = SCALE_FIELDS,
    .init = scale_init,
    .build = scale_build,
    .call = scale_call,
};
/* The same, which no test makes known. */
static const tn_class Stranger = {
    .name = "Stranger",
    .size = sizeof(scale),
    .fields = SCALE_FIELDS,
    .init = scale_init,
    .build = scale_build,
    .call = scale_call,
};

/* Its fields leave out what it is made with. */
static const tn_class Forgetful = {
    .name = "Forgetful",
    .size = sizeof(scale),
    .fields = TN_FIELDS(TN_FIELD(scale, k), TN_FIELD(scale, sub)),
    .init = scale_init,
    .build = scale_build,
    .call = scale_call,
};

typedef struct {
    int64_t units;
    tn_layer *a, *b;
} net;

static void net_init(void *me)
{
    net *self = me;
    self->a = tn_new(&Scale, TN_INIT(scale, .units = self->units));
    self->b = tn_dense(2);
}

static tn_tensor *net_call(void *me, tn_list inputs)
{
    net *self = me;
    return tn_call(self->b, tn_call(self->a, tn_at(inputs, 0)));
}

static const tn_class Net = {
    .name = "Net",
    .package = "Net pkg",
    .size = sizeof(net),
    .fields = TN_FIELDS(TN_FIELD(net, units), TN_FIELD(net, a), TN_FIELD(net, b)),
    .init = net_init,
    .call = net_call,
    .model = true,
};

/* Takes rows of a table: its input is of integers, and a second one is added. */
typedef struct {
    tn_variable *table;
} rows;

static void rows_build(void *me, tn_list inputs)
{
    rows *self = me;
    (void)inputs;
    self->table = tn_add_weight(TN_SHAPE(7, 2), "ones", "table");
}

static tn_tensor *rows_call(void *me, tn_list inputs)
{
    rows *self = me;
    return tn_add(tn_gather(self->table, tn_at(inputs, 0), 0), tn_at(inputs, 1));
}

static const tn_class Rows = {
    .name = "Rows",
    .size = sizeof(rows),
    .fields = TN_FIELDS(TN_FIELD(rows, table)),
    .build = rows_build,
    .call = rows_call,
    .model = true,
};

/* --- models ----------------------------------------------------------------------------------- */
static tn_tensor *four_wide(void)
{
    return tn_constant(TN_FLOAT32, TN_SHAPE(2, 4), (float[]){ 1, -2, 3, 0.5f, -1, 0.25f, 2, 4 });
}

static tn_model *net_model(void)
{
    tn_model *model = tn_new(&Net, TN_INIT(net, .units = 5), .name = "my_net");
    tn_call(model, four_wide());
    return spread(model);
}

static tn_model *sequential_of(const tn_class *of)
{
    tn_layer *own = tn_new(of, TN_INIT(scale, .units = 3), .name = "own");
    return spread(tn_sequential(
        TN_LAYERS(tn_dense(4, "tanh", .input_shape = TN_SHAPE(4)), own, tn_dense(2))));
}

static tn_model *saved_and_loaded(tn_model *model, const char *name)
{
    CHECK_OK(tn_save(model, temporary_path(name)));
    tn_model *again = tn_load_model(temporary_path(name));
    CHECK_NO_ERROR();
    return again;
}

/* --- what comes back -------------------------------------------------------------------------- */
static void a_class_that_is_known_comes_back_as_itself(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = net_model();
    tn_model *again = saved_and_loaded(model, "itself");
    assert_string_equal(tn_layer_class_name(again), "Net");
    assert_int_equal(((net *)tn_self(again, &Net))->units, 5);
    assert_string_equal(tn_to_json(again), tn_to_json(model));
    check_same_outputs(model, again, four_wide());
    assert_int_equal(tn_variables(again).count, 5);
}

static void it_is_trained_further_with_its_optimizer(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = net_model();
    tn_tensor *y = tn_ones(TN_SHAPE(2, 2), TN_FLOAT32);
    tn_must(tn_compile(model, tn_adam(0.1), "mse"));
    tn_train_on_batch(model, four_wide(), y);
    tn_model *again = saved_and_loaded(model, "further");
    assert_true(tn_is_compiled(again));
    tn_train_on_batch(model, four_wide(), y);
    tn_train_on_batch(again, four_wide(), y);
    check_same_outputs(model, again, four_wide());
    assert_int_equal(tn_trainable_variables(again).count, 5);
}

static void own_layers_in_models_of_keras_come_back(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = sequential_of(&Scale);
    tn_model *again = saved_and_loaded(model, "holding");
    assert_int_equal(((scale *)tn_self(tn_get_layer(again, "own"), &Scale))->units, 3);
    check_same_outputs(model, again, four_wide());
}

static void a_class_is_built_for_the_types_that_it_took(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_new(&Rows, .name = "rows");
    tn_tensor *ids = tn_constant(TN_INT32, TN_SHAPE(3), (int[]){ 1, 6, 0 });
    tn_tensor *x = tn_ones(TN_SHAPE(3, 2), TN_FLOAT32);
    tn_call(model, ids, x);
    spread(model);
    tn_model *again = saved_and_loaded(model, "rows");
    assert_string_equal(tn_layer_class_name(again), "Rows");
    assert_true(difference(tn_call(model, ids, x), tn_call(again, ids, x)) == 0);
}

/* --- what comes back as a function ------------------------------------------------------------ */
static void a_class_that_nobody_knows_comes_back_as_its_function(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = sequential_of(&Stranger);
    sink_text *sink = listen_to_sink();
    tn_model *again = saved_and_loaded(model, "stranger");
    stop_listening();
    assert_non_null(strstr(sink->text, "comes back as its function, for nobody knows: "
                                       "Custom>Stranger."));
    assert_string_equal(tn_layer_class_name(again), "SavedModel");
    check_same_outputs(model, again, four_wide());
    assert_int_equal(tn_trainable_variables(again).count, 7);
}

static void a_layer_whose_config_leaves_something_out_comes_back_as_its_function(void **state)
{
    (void)state;
    TN_SCOPE;
    CHECK_OK(tn_register_class(&Forgetful));
    listen_to_sink();
    tn_model *model = sequential_of(&Forgetful);
    tn_model *again = saved_and_loaded(model, "forgetful");
    stop_listening();
    assert_string_equal(tn_layer_class_name(again), "SavedModel");
    check_same_outputs(model, again, four_wide());
}

static void what_is_neither_known_nor_a_function_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("neither");
    CHECK_OK(tn_save(sequential_of(&Stranger), path));
    tn__bytes bytes = bytes_of(tn_format("%s/saved_model.pb", path));
    for (size_t i = 0; i + 4 < bytes.size; i++)
        if (memcmp(bytes.data + i, "Tanh", 4) == 0)
            memcpy(bytes.data + i, "Tank", 4);
    write_file(tn_format("%s/saved_model.pb", path), bytes.data, bytes.size);
    tn__bytes_free(&bytes);
    assert_null(tn_load_model(path));
    CHECK_ERROR(TN_UNIMPLEMENTED, "Op type not registered 'Tank'");
}

/* --- Keras 2's own ---------------------------------------------------------------------------- */
static void a_class_in_a_folder_of_keras_2_comes_back_as_itself(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_load_model(TESTDATA "own_k2");
    CHECK_NO_ERROR();
    assert_string_equal(tn_layer_class_name(model), "Net");
    assert_string_equal(tn_layer_name(model), "net_of_keras_2");
    assert_int_equal(((net *)tn_self(model, &Net))->units, 5);
    assert_true(tn_is_compiled(model));
    tn_tensor *x = tn_load_array(TESTDATA "saved_models.npz", "own_in");
    assert_true(difference(tn_call(model, x),
                           tn_load_array(TESTDATA "saved_models.npz", "own_out")) < 1e-5);
}

/* --- memory ----------------------------------------------------------------------------------- */
static bool load_it(void *path)
{
    TN_SCOPE;
    return tn_load_model(path) != NULL;
}

static bool save_net(void *path)
{
    TN_SCOPE;
    tn_model *model = tn_new(&Net, TN_INIT(net, .units = 5), .name = "my_net");
    return model && tn_call(model, four_wide()) && tn_save(model, path) == TN_OK;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    char path[300];
    snprintf(path, sizeof path, "%s", temporary_path("memory"));
    CHECK_OK(tn_save(net_model(), path));
    check_allocation_failures(load_it, path);
    check_allocation_failures(save_net, path);
    check_allocation_failures(load_it, TESTDATA "own_k2");
}

int main(void)
{
    tests_begin();
    tests_count_json();
    const tn_class *const known[] = { &Scale, &Net, &Rows };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        tn_must(tn_register_class(known[i]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_that_is_known_comes_back_as_itself),
        cmocka_unit_test(it_is_trained_further_with_its_optimizer),
        cmocka_unit_test(own_layers_in_models_of_keras_come_back),
        cmocka_unit_test(a_class_is_built_for_the_types_that_it_took),
        cmocka_unit_test(a_class_that_nobody_knows_comes_back_as_its_function),
        cmocka_unit_test(a_layer_whose_config_leaves_something_out_comes_back_as_its_function),
        cmocka_unit_test(what_is_neither_known_nor_a_function_is_told),
        cmocka_unit_test(a_class_in_a_folder_of_keras_2_comes_back_as_itself),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
