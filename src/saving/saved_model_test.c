#include "saving/testdata.h"
#include "support/check_op.h"
#include "formats/bundle.h"
#include "formats/saved_model.h"
#include "saving/graph_read.h"
#include "saving/graph_write.h"
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static tn_model *fresh_model(void)
{
    return tn_sequential(TN_LAYERS(tn_dense(4, "relu", .input_shape = TN_SHAPE(3)), tn_dense(2)),
                         .name = "small");
}

static tn_model *small_model(void)
{
    return spread(fresh_model());
}

static const char *inside(const char *folder, const char *name)
{
    return tn_format("%s/%s", folder, name);
}

static bool is_there(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

static size_t entries_of(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* --- what is written -------------------------------------------------------------------------- */
typedef struct {
    tn__file file;
    tn__arena arena;
    tn__saved_model model;
} opened;

static const tn__meta_graph_def *open_it(const char *folder, opened *o)
{
    *o = (opened){ 0 };
    CHECK_OK(tn__file_read(inside(folder, "saved_model.pb"), 1 << 20, &o->file));
    CHECK_OK(tn__saved_model_read(o->file.span, &o->arena, &o->model));
    assert_int_equal(o->model.meta_graphs.count, 1);
    return &o->model.meta_graphs.item[0];
}

static void close_it(opened *o)
{
    tn__arena_free(&o->arena);
    tn__file_close(&o->file);
}

static void a_folder_has_a_graph_a_signature_and_the_weights(void **state)
{
    (void)state;
    TN_SCOPE;
    opened o;
    const char *path = temporary_path("small");
    CHECK_OK(tn_save(small_model(), path));
    const tn__meta_graph_def *graph = open_it(path, &o);
    assert_string_equal(graph->meta_info_def->tags.item[0], "serve");
    const tn__signature_def *signature = tn__signature_find(graph, "serving_default");
    assert_non_null(signature);
    assert_int_equal(signature->inputs.count, 1);
    assert_string_equal(signature->outputs.item[0].value.name, "StatefulPartitionedCall:0");
    assert_int_equal(signature->inputs.item[0].value.shape->dim.item[0].size, -1);
    assert_non_null(tn__signature_find(graph, "__saved_model_init_op"));
    const tn__concrete_function *f =
        tn__concrete_function_find(graph->object_graph_def, "__inference_signature_wrapper_1");
    assert_non_null(f);
    assert_int_equal(f->bound_inputs.count, 4);
    close_it(&o);
    tn__bundle *bundle;
    size_t at;
    CHECK_OK(tn__bundle_open(inside(path, "variables/variables"), NULL, &bundle));
    assert_true(
        tn__bundle_find(bundle, "layer_with_weights-1/bias/.ATTRIBUTES/VARIABLE_VALUE", &at));
    assert_int_equal(tn__bundle_count(bundle), 5);
    tn__bundle_close(bundle);
    assert_true(is_there(inside(path, "keras_metadata.pb")));
}

/* What an input "node:output:0" names is there. */
static void check_inputs(const tn__function_def *f, const tn__node_def *node)
{
    for (size_t i = 0; i < node->input.count; i++) {
        const char *name = node->input.item[i];
        size_t length = strcspn(name, ":"), found = name[length] == ':' ? 0 : 1;
        for (size_t k = 0; k < f->node_def.count; k++)
            found += strncmp(f->node_def.item[k].name, name, length) == 0 && f->node_def.item[k].name[length] == '\0';
        assert_int_equal(found, 1);
    }
}

/* Ops that TensorFlow has not are made of its own. */
static void check_made_of_others(const char *name, tn_tensor *in, tn_layer *layer, tn_tensor *x)
{
    opened o;
    const char *path = temporary_path(name);
    tn_model *model = tn_model(in, tn_call(layer, in));
    CHECK_OK(tn_save(model, path));
    const tn__meta_graph_def *graph = open_it(path, &o);
    size_t roots = 0;
    for (size_t i = 0; i < graph->graph_def->library->function.count; i++) {
        const tn__function_def *f = &graph->graph_def->library->function.item[i];
        for (size_t k = 0; k < f->node_def.count; k++) {
            check_inputs(f, &f->node_def.item[k]);
            assert_null(strstr(f->node_def.item[k].op, "Norm"));
            roots += strcmp(f->node_def.item[k].op, "Rsqrt") == 0;
        }
    }
    assert_true(roots > 0);
    close_it(&o);
    CHECK_TENSOR(tn_call(tn_load_model(path), x), tn_call(model, x), 1e-6, 1e-6);
    CHECK_NO_ERROR();
}

/* x, and the slopes of a layer by x and its weights, which broadcast against it. */
typedef struct {
    tn_layer *inner;
} sloping;

static tn_tensor *sloping_call(void *me, tn_list inputs)
{
    tn_layer *inner = ((const sloping *)me)->inner;
    tn_tensor *x = tn_at(inputs, 0), *sum = x;
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    tn_tensor *loss = tn_reduce_sum(tn_multiply(tn_square(tn_call(inner, x)), x));
    tn_list weights = tn_trainable_variables(inner);
    tn_list slopes = tn_gradient(tape, loss, weights.count == 2 ? TN_LIST(x, tn_at(weights, 0), tn_at(weights, 1)) :
                                                                  TN_LIST(x, tn_at(weights, 0)));
    for (size_t i = 0; i < slopes.count; i++)
        sum = tn_add(sum, slopes.item[i]);
    return sum;
}

static const tn_class Sloping = {
    .name = "Sloping",
    .size = sizeof(sloping),
    .fields = TN_FIELDS(TN_FIELD(sloping, inner)),
    .call = sloping_call,
};

/* Its result, and its gradients. */
static void check_normalization(const char *name, tn_tensor *in, tn_layer *layer, tn_tensor *x)
{
    spread(tn_model(in, tn_call(layer, in)));
    check_made_of_others(name, in, layer, x);
    tn_layer *slope = tn_new(&Sloping, .name = "sloping");
    ((sloping *)tn_self(slope, &Sloping))->inner = layer;
    check_made_of_others(tn_format("%s_slope", name), in, slope, x);
}

static void normalizations_are_written_in_ops_of_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_constant(TN_FLOAT32, TN_SHAPE(2, 3), ((float[]){ 1, 2, 4, -3, 0, 7 }));
    check_normalization("normal", tn_input(TN_SHAPE(3)), tn_layer_normalization(), x);
    check_normalization("mean_square", tn_input(TN_SHAPE(3)), tn_rms_normalization(), x);
    x = tn_cast(check_numbers(TN_SHAPE(2, 3, 2, 4), -1, 3, 0), TN_FLOAT32);
    check_normalization("groups", tn_input(TN_SHAPE(TN_NONE, 2, 4)), tn_group_normalization(2), x);
    check_normalization("deep_rows", tn_input(TN_SHAPE(TN_NONE, 2, 4)), tn_rms_normalization(), x);
}

typedef struct {
    tn_variable *weight;
} learning;
static tn_optimizer *teacher;

static void learning_build(void *me, tn_list inputs)
{
    learning *self = me;
    (void)inputs;
    self->weight = tn_add_weight(TN_SHAPE(3), .name = "w", .initializer = "ones");
}

static tn_tensor *learning_call(void *me, tn_list inputs)
{
    learning *self = me;
    tn_tensor *x = tn_at(inputs, 0), *gradient = tn_reduce_sum(x, .axis = TN_AXES(0));
    tn_status status = tn_apply_gradients(teacher, TN_LIST(gradient), TN_LIST(self->weight));
    return status == TN_OK ? tn_multiply(x, self->weight) : NULL;
}

static const tn_class Learning = {
    .name = "Learning",
    .size = sizeof(learning),
    .fields = TN_FIELDS(TN_FIELD(learning, weight)),
    .build = learning_build,
    .call = learning_call,
};

static void a_step_of_an_optimizer_is_written_in_ops_of_tensorflow(void **state)
{
    (void)state;
    TN_SCOPE;
    opened o;
    const char *path = temporary_path("learning");
    teacher = tn_adam(0.5);
    tn_model *model = tn_new(&Learning, .name = "learning");
    tn_call(model, tn_ones(TN_SHAPE(2, 3), TN_FLOAT32));
    CHECK_OK(tn_save(model, path));
    const tn__meta_graph_def *graph = open_it(path, &o);
    size_t assignments = 0;
    for (size_t i = 0; i < graph->graph_def->library->function.count; i++) {
        const tn__function_def *f = &graph->graph_def->library->function.item[i];
        for (size_t k = 0; k < f->node_def.count; k++) {
            assert_null(strstr(f->node_def.item[k].op, "Fused"));
            assignments += strcmp(f->node_def.item[k].op, "AssignVariableOp") == 0;
        }
    }
    assert_true(assignments >= 3);
    close_it(&o);
}

typedef struct {
    tn_variable *first, *second;
} twice;

static void twice_build(void *me, tn_list inputs)
{
    twice *self = me;
    (void)inputs;
    self->first = tn_add_weight(TN_SHAPE(3), .name = "k", .initializer = "constant(2)");
    self->second = tn_add_weight(TN_SHAPE(3), .name = "k", .initializer = "constant(2)");
}

static tn_tensor *double_it(void *me, tn_list inputs)
{
    twice *self = me;
    return tn_multiply(tn_at(inputs, 0), self->second);
}

static tn_tensor *leave_it(void *me, tn_list inputs)
{
    (void)me;
    return tn_at(inputs, 0);
}

static tn_tensor *below_ten(void *me, tn_list inputs)
{
    (void)me;
    return tn_less(tn_reduce_sum(tn_at(inputs, 0)), tn_scalar(10));
}

static tn_tensor *twice_call(void *me, tn_list inputs)
{
    twice *self = me;
    tn_tensor *h = tn_abs(tn_multiply(tn_at(inputs, 0), self->first));
    h = tn_cond(tn_greater(tn_reduce_sum(h), tn_scalar(3)), double_it, leave_it, self, TN_LIST(h));
    h = tn_while_loop(below_ten, double_it, self, TN_LIST(h));
    return tn_map_fn(double_it, self, TN_LIST(h));
}

static const tn_class Twice = {
    .name = "Twice",
    .size = sizeof(twice),
    .fields = TN_FIELDS(TN_FIELD(twice, first), TN_FIELD(twice, second)),
    .build = twice_build,
    .call = twice_call,
};

/* The same without the loop that collects. */
static tn_tensor *branching_call(void *me, tn_list inputs)
{
    twice *self = me;
    tn_tensor *h = tn_abs(tn_multiply(tn_at(inputs, 0), self->first));
    h = tn_cond(tn_greater(tn_reduce_sum(h), tn_scalar(3)), double_it, leave_it, self, TN_LIST(h));
    return tn_while_loop(below_ten, double_it, self, TN_LIST(h));
}

static const tn_class Branching = {
    .name = "Branching",
    .size = sizeof(twice),
    .fields = TN_FIELDS(TN_FIELD(twice, first), TN_FIELD(twice, second)),
    .build = twice_build,
    .call = branching_call,
};

/* Assigns in all of them, for whose gradients more comes out than is written. */
static tn_tensor *count_and_add(void *me, tn_list inputs)
{
    twice *self = me;
    return tn_add(tn_at(inputs, 0), tn_assign_add(self->second, tn_ones(TN_SHAPE(3), TN_FLOAT32)));
}

static tn_tensor *count_branches(void *me, tn_list inputs)
{
    tn_tensor *h = tn_at(inputs, 0), *small = tn_less(tn_reduce_sum(h), tn_scalar(8));
    return tn_cond(small, count_and_add, leave_it, me, TN_LIST(h));
}

static tn_tensor *counting_call(void *me, tn_list inputs)
{
    twice *self = me;
    tn_tensor *h = tn_abs(tn_multiply(tn_at(inputs, 0), self->first));
    const tn_body branches[] = { count_branches, count_and_add, leave_it };
    h = tn_switch_case(tn_cast(tn_reduce_min(h), TN_INT32), 3, branches, self, TN_LIST(h));
    h = tn_while_loop(below_ten, count_and_add, self, TN_LIST(h));
    h = tn_cond(tn_greater(tn_reduce_sum(h), tn_scalar(3)), count_branches, leave_it, self,
                TN_LIST(h));
    return tn_map_fn(count_and_add, self, TN_LIST(h));
}

static const tn_class Counting = {
    .name = "Counting",
    .size = sizeof(twice),
    .fields = TN_FIELDS(TN_FIELD(twice, first), TN_FIELD(twice, second)),
    .build = twice_build,
    .call = counting_call,
};

static tn_model *own_model(void)
{
    tn_model *model = tn_new(&Twice, .name = "own");
    tn_call(model, tn_ones(TN_SHAPE(2, 3), TN_FLOAT32));
    return model;
}

static void a_class_of_the_programs_own_saves_its_branches_and_loops_as_functions(void **state)
{
    (void)state;
    TN_SCOPE;
    opened o;
    const char *path = temporary_path("own");
    CHECK_OK(tn_save(own_model(), path));
    const tn__meta_graph_def *graph = open_it(path, &o);
    assert_int_equal(graph->graph_def->library->function.count, 2 * (1 + 2 + 2 + 2));
    const tn__signature_def *signature = tn__signature_find(graph, "serving_default");
    assert_string_equal(signature->inputs.item[0].key, "input_1");
    assert_string_equal(signature->outputs.item[0].key, "output_1");
    close_it(&o);
    assert_true(is_there(inside(path, "keras_metadata.pb")));
}

static void weights_of_one_name_are_saved_without_complaint(void **state)
{
    (void)state;
    TN_SCOPE;
    tn__bundle *bundle;
    const char *path = temporary_path("equal");
    CHECK_OK(tn_save(own_model(), path));
    CHECK_OK(tn__bundle_open(inside(path, "variables/variables"), NULL, &bundle));
    assert_int_equal(tn__bundle_count(bundle), 3);
    tn__bundle_close(bundle);
}

/* --- what comes back -------------------------------------------------------------------------- */
static void a_model_of_keras_layers_comes_back_as_it_was(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("back");
    tn_model *model = small_model();
    tn_must(tn_compile(model, tn_adam(0.1), "mse"));
    tn_train_on_batch(model, tn_ones(TN_SHAPE(2, 3), TN_FLOAT32),
                      tn_ones(TN_SHAPE(2, 2), TN_FLOAT32));
    CHECK_OK(tn_save(model, path));
    tn_model *again = tn_load_model(path);
    CHECK_NO_ERROR();
    check_same_outputs(model, again, tn_ones(TN_SHAPE(5, 3), TN_FLOAT32));
    assert_string_equal(tn_to_json(again), tn_to_json(model));
    assert_true(tn_is_compiled(again));
    assert_int_equal(tn_load_model(path, .compile = false) != NULL, 1);
}

static void a_class_of_the_programs_own_comes_back_as_its_function(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("own_back"), *again = temporary_path("own_again");
    tn_model *model = own_model();
    CHECK_OK(tn_save(model, path));
    opened o;
    const tn__meta_graph_def *graph = open_it(path, &o);
    bool collects = false;
    for (size_t i = 0; i < graph->graph_def->library->function.count; i++)
        for (size_t k = 0; k < graph->graph_def->library->function.item[i].node_def.count; k++)
            collects |= strcmp(graph->graph_def->library->function.item[i].node_def.item[k].op,
                               "TensorListPushBack") == 0;
    close_it(&o);
    assert_true(collects);
    tn_tensor *ones = tn_ones(TN_SHAPE(2, 3), TN_FLOAT32);
    check_same_outputs(model, tn_load_model(path), ones);
    tn_model *branching = tn_new(&Branching, .name = "branching");
    tn_tensor *x = tn_multiply(tn_ones(TN_SHAPE(2, 3), TN_FLOAT32), tn_scalar(0.1));
    tn_call(branching, x);
    CHECK_OK(tn_save(branching, path));
    tn_model *served = tn_load_model(path);
    CHECK_NO_ERROR();
    check_same_outputs(branching, served, x);
    check_same_outputs(branching, served, tn_ones(TN_SHAPE(7, 3), TN_FLOAT32));
    assert_int_equal(tn_variables(served).count, 2);
    CHECK_OK(tn_save(served, again));
    check_same_outputs(branching, tn_load_model(again), x);
    assert_int_not_equal(tn_save(served, temporary_path("served.keras")), TN_OK);
    CHECK_ERROR(TN_UNIMPLEMENTED, "is a SavedModel's function and has no config");
    assert_null(tn_call(served, tn_ones(TN_SHAPE(2, 4), TN_FLOAT32)));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Binding inputs to tf.function failed");
}

static void branches_and_loops_that_assign_come_back_without_what_their_gradients_need(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("counting");
    tn_model *model = tn_new(&Counting, .name = "counting");
    tn_tensor *x = tn_multiply(tn_ones(TN_SHAPE(2, 3), TN_FLOAT32), tn_scalar(0.1));
    tn_call(model, x);
    CHECK_OK(tn_save(model, path));
    opened o;
    const tn__meta_graph_def *graph = open_it(path, &o);
    for (size_t i = 0; i < graph->graph_def->library->function.count; i++) {
        const tn__function_def *f = &graph->graph_def->library->function.item[i];
        bool of_branch = strstr(f->signature->name, "_branch") != NULL;
        assert_true(!of_branch || f->signature->output_arg.count == 1);
    }
    close_it(&o);
    tn_model *served = tn_load_model(path);
    CHECK_NO_ERROR();
    for (int again = 0; again < 2; again++)
        check_same_outputs(model, served, x);
    tn_tape *tape = tn_gradient_tape();
    tn_watch(tape, x);
    assert_non_null(tn_gradient_of(tape, tn_call(served, x), x));
    CHECK_NO_ERROR();
}

static void a_folder_is_inspected_without_making_a_model(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("inspected");
    CHECK_OK(tn_save(small_model(), path));
    const char *text = tn_inspect(path);
    CHECK_NO_ERROR();
    assert_non_null(strstr(text, "format: SavedModel (a folder of TensorFlow's)"));
    assert_non_null(strstr(text, "layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE"));
    assert_non_null(strstr(tn_inspect(path, .json = true), "\"format\": \"saved_model\""));
}

/* A function that calls itself, and one whose op nobody has. */
static void functions_without_end_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn__arena arena = { 0 };
    tn__function_library library = { 0 };
    tn__function_def *f = TN__ARENA_ADD(&arena, &library.function);
    f->signature = tn__arena_alloc(&arena, sizeof *f->signature);
    f->signature->name = "again";
    tn__node_def *node = tn__node_add(&arena, &f->node_def, "PartitionedCall", "call");
    CHECK_OK(tn__attr_func(&arena, &node->attr, "f", "again"));
    *TN__ARENA_ADD(&arena, &f->control_ret) = (tn__text_pair){ "call", "call" };
    CHECK_OK(tn__function_check(&library, "again"));
    assert_int_not_equal(tn__function_import(tn__context(), &library, "again", NULL, 0, NULL, 0),
                         TN_OK);
    CHECK_ERROR(TN_DATA_LOSS, "function 'again' is called within 64 others, or by itself");
    CHECK_OK(tn__node_input(&arena, node, "^call"));
    assert_int_not_equal(tn__function_import(tn__context(), &library, "again", NULL, 0, NULL, 0),
                         TN_OK);
    CHECK_ERROR(TN_DATA_LOSS, "node 'call' waits for itself");
    node->op = "DecodeJpeg";
    assert_int_not_equal(tn__function_check(&library, "again"), TN_OK);
    CHECK_ERROR(TN_UNIMPLEMENTED, "Op type not registered 'DecodeJpeg'");
    tn__arena_free(&arena);
}

static void damaged_folders_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("damaged"), *lost = temporary_path("lost");
    CHECK_OK(tn_save(small_model(), lost));
    assert_int_equal(unlink(inside(lost, "variables/variables.index")), 0);
    assert_null(tn_load_model(lost));
    CHECK_ERROR(TN_NOT_FOUND, "has 4 variables, and nothing fills them");
    CHECK_OK(tn_save(small_model(), path));
    assert_int_equal(unlink(inside(path, "keras_metadata.pb")), 0);
    assert_non_null(tn_load_model(path));
    assert_int_equal(unlink(inside(path, "variables/variables.index")), 0);
    assert_null(tn_load_model(path));
    CHECK_ERROR(TN_DATA_LOSS, "the value of variable 'dense");
    assert_int_equal(truncate(inside(path, "saved_model.pb"), 100), 0);
    assert_null(tn_load_model(path));
    CHECK_ERROR(TN_DATA_LOSS, "SavedModel");
    assert_null(tn_load_model(path, .limit = 10));
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "is longer than the limit of 10 bytes");
}

/* One that came back as its function: it has no config for Keras. */
static tn_model *served_model(void)
{
    const char *path = temporary_path("to_serve");
    tn_model *model = tn_new(&Branching, .name = "branching");
    tn_call(model, tn_ones(TN_SHAPE(2, 3), TN_FLOAT32));
    CHECK_OK(tn_save(model, path));
    return tn_load_model(path);
}

/* --- where it is written ---------------------------------------------------------------------- */
static void an_old_folder_is_replaced_as_a_whole(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("replaced");
    CHECK_OK(tn_save(small_model(), path));
    assert_true(is_there(inside(path, "keras_metadata.pb")));
    CHECK_OK(tn_save(served_model(), path));
    assert_false(is_there(inside(path, "keras_metadata.pb")));
    assert_int_equal(entries_of(path), 2);
    assert_int_not_equal(tn_save(small_model(), path, .overwrite = false), TN_OK);
    CHECK_ERROR(TN_ALREADY_EXISTS, "is there already");
}

static void a_folder_of_something_else_is_kept(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("precious");
    assert_int_equal(mkdir(path, 0777), 0);
    FILE *letter = fopen(inside(path, "letter.txt"), "w");
    fclose(letter);
    assert_int_not_equal(tn_save(small_model(), path), TN_OK);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "has 'letter.txt' in it, which would be lost");
    assert_int_equal(entries_of(path), 1);
    assert_int_not_equal(tn_save(small_model(), inside(path, "none/model")), TN_OK);
    CHECK_ERROR(TN_NOT_FOUND, "Unable to write");
}

static void a_model_without_shapes_cannot_be_traced(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(TN_LAYERS(tn_dense(2)));
    assert_int_not_equal(tn_save(model, temporary_path("unbuilt")), TN_OK);
    CHECK_ERROR(TN_FAILED_PRECONDITION, "cannot be saved because the input shape is not available");
    assert_false(is_there(temporary_path("unbuilt")));
}

static void a_saved_model_needs_a_folder(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_int_not_equal(tn_save(small_model(), "-", .format = "tf"), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a SavedModel is a folder");
    CHECK_OK(tn_save(small_model(), temporary_path("named.h5"), .format = "tf"));
    assert_true(is_there(inside(temporary_path("named.h5"), "saved_model.pb")));
}

static bool save_it(void *path)
{
    TN_SCOPE;
    tn_model *model = fresh_model();
    return model && tn_save(model, path) == TN_OK;
}

static bool save_own(void *path)
{
    TN_SCOPE;
    tn_model *model = own_model();
    return model && tn_save(model, path) == TN_OK;
}

static bool load_it(void *path)
{
    TN_SCOPE;
    return tn_load_model(path) != NULL;
}

static void running_out_of_memory_while_loading_leaks_nothing(void **state)
{
    (void)state;
    char path[300];
    snprintf(path, sizeof path, "%s", temporary_path("memory"));
    CHECK_OK(tn_save(fresh_model(), path));
    check_allocation_failures(load_it, path);
    assert_int_equal(unlink(inside(path, "keras_metadata.pb")), 0);
    check_allocation_failures(load_it, path);
}

static void running_out_of_memory_while_saving_leaks_nothing(void **state)
{
    (void)state;
    char path[300];
    snprintf(path, sizeof path, "%s", temporary_path("memory"));
    check_allocation_failures(save_it, path);
    check_allocation_failures(save_own, path);
}

int main(void)
{
    tests_begin();
    tests_count_json();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_has_a_graph_a_signature_and_the_weights),
        cmocka_unit_test(normalizations_are_written_in_ops_of_tensorflow),
        cmocka_unit_test(a_step_of_an_optimizer_is_written_in_ops_of_tensorflow),
        cmocka_unit_test(a_class_of_the_programs_own_saves_its_branches_and_loops_as_functions),
        cmocka_unit_test(weights_of_one_name_are_saved_without_complaint),
        cmocka_unit_test(a_model_of_keras_layers_comes_back_as_it_was),
        cmocka_unit_test(a_class_of_the_programs_own_comes_back_as_its_function),
        cmocka_unit_test(an_old_folder_is_replaced_as_a_whole),
        cmocka_unit_test(a_folder_of_something_else_is_kept),
        cmocka_unit_test(a_model_without_shapes_cannot_be_traced),
        cmocka_unit_test(a_saved_model_needs_a_folder),
        cmocka_unit_test(
            branches_and_loops_that_assign_come_back_without_what_their_gradients_need),
        cmocka_unit_test(a_folder_is_inspected_without_making_a_model),
        cmocka_unit_test(functions_without_end_are_refused),
        cmocka_unit_test(damaged_folders_are_refused),
        cmocka_unit_test(running_out_of_memory_while_loading_leaks_nothing),
        cmocka_unit_test(running_out_of_memory_while_saving_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
