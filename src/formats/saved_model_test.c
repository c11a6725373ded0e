/* saved_model_test.c - SavedModels of TensorFlow 2 and 1 are read, and written byte for byte. */
#include "support/check.h"
#include "support/damage.h"
#include "formats/saved_model.h"
#include "base/text.h"

static tn__file load(const char *name, tn__arena *arena, tn__saved_model *model)
{
    char path[128];
    tn__file file;
    snprintf(path, sizeof path, "src/formats/testdata/%s", name);
    CHECK_OK(tn__file_read(path, 1 << 20, &file));
    CHECK_OK(tn__saved_model_read(file.span, arena, model));
    assert_int_equal(model->schema_version, 1);
    assert_int_equal(model->meta_graphs.count, 1);
    return file;
}

static const tn__saved_object *child(const tn__saved_object_graph *graph, const char *name)
{
    const tn__saved_object *root = &graph->nodes.item[0];
    for (size_t i = 0; i < root->children.count; i++)
        if (strcmp(root->children.item[i].local_name, name) == 0)
            return &graph->nodes.item[root->children.item[i].node_id];
    fail_msg("%s is not there", name);
    return NULL;
}

static void variables_and_signatures_are_found(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__saved_model model;
    tn__file file = load("saved_model.pb", &arena, &model);
    const tn__meta_graph_def *graph = &model.meta_graphs.item[0];
    assert_string_equal(graph->meta_info_def->tags.item[0], "serve");
    assert_int_equal(graph->saver_def->version, 2);
    const tn__signature_def *signature = tn__signature_find(graph, "serving_default");
    assert_string_equal(signature->method_name, "tensorflow/serving/predict");
    assert_string_equal(signature->inputs.item[0].key, "x");
    assert_int_equal(signature->inputs.item[0].value.which, TN__INFO_NAME);
    assert_string_equal(signature->inputs.item[0].value.name, "serving_default_x:0");
    assert_int_equal(signature->inputs.item[0].value.shape->dim.item[1].size, 2);
    assert_null(tn__signature_find(graph, "nothing"));
    const tn__saved_object *w = child(graph->object_graph_def, "w");
    assert_int_equal(w->which, TN__SAVED_VARIABLE);
    assert_string_equal(w->variable->name, "w");
    assert_true(w->variable->trainable && w->variable->dtype == TN__TF_FLOAT);
    assert_int_equal(w->variable->shape->dim.item[0].size, 2);
    assert_false(child(graph->object_graph_def, "b")->variable->trainable);
    assert_int_equal(child(graph->object_graph_def, "names")->which, TN__SAVED_RESOURCE);
    tn__file_close(&file);
    tn__arena_free(&arena);
}

/* __call__(x) with its captures: w, b and a constant; its result is a dict. */
static void functions_and_what_they_take_are_found(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__saved_model model;
    tn__file file = load("saved_model.pb", &arena, &model);
    const tn__saved_object_graph *graph = model.meta_graphs.item[0].object_graph_def;
    const tn__saved_object *call = child(graph, "__call__");
    assert_int_equal(call->which, TN__SAVED_FUNCTION);
    assert_int_equal(call->function->concrete_functions.count, 1);
    assert_int_equal(call->function->function_spec->fullargspec->which, TN__VALUE_NAMED_TUPLE);
    assert_string_equal(call->function->function_spec->fullargspec->named_tuple->name,
                        "FullArgSpec");
    const tn__concrete_function *f =
        tn__concrete_function_find(graph, call->function->concrete_functions.item[0]);
    assert_int_equal(f->bound_inputs.count, 3);
    assert_ptr_equal(&graph->nodes.item[f->bound_inputs.item[0]], child(graph, "w"));
    assert_int_equal(graph->nodes.item[f->bound_inputs.item[2]].which, TN__SAVED_CONSTANT);
    const tn__structured_value *arguments = f->canonicalized_input_signature;
    assert_int_equal(arguments->which, TN__VALUE_TUPLE);
    const tn__structured_value *x = &arguments->list->values.item[0].list->values.item[0];
    assert_int_equal(x->which, TN__VALUE_TENSOR_SPEC);
    assert_string_equal(x->tensor_spec->name, "x");
    assert_int_equal(x->tensor_spec->shape->dim.item[0].size, -1);
    assert_int_equal(arguments->list->values.item[1].which, TN__VALUE_DICT);
    assert_int_equal(f->output_signature->which, TN__VALUE_DICT);
    assert_string_equal(f->output_signature->dict->fields.item[0].key, "y");
    assert_null(tn__concrete_function_find(graph, "nothing"));
    tn__file_close(&file);
    tn__arena_free(&arena);
}

static void a_model_of_tensorflow_1_has_collections(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__saved_model model;
    tn__file file = load("saved_old.pb", &arena, &model);
    const tn__meta_graph_def *graph = &model.meta_graphs.item[0];
    assert_null(graph->object_graph_def);
    assert_string_equal(tn__signature_find(graph, "serving_default")->inputs.item[0].value.name,
                        "x:0");
    const tn__collection_entry *entry = NULL;
    for (size_t i = 0; i < graph->collection_def.count; i++)
        if (strcmp(graph->collection_def.item[i].key, "variables") == 0)
            entry = &graph->collection_def.item[i];
    assert_non_null(entry);
    assert_int_equal(entry->value.which, TN__COLLECTION_BYTES);
    tn__variable_def variable = { 0 };
    CHECK_OK(
        tn__pb_read(&tn__pb_variable_def, entry->value.bytes->value.item[0], &arena, &variable));
    assert_string_equal(variable.variable_name, "w:0");
    assert_string_equal(variable.snapshot_name, "w/read:0");
    assert_true(variable.trainable && !variable.is_resource);
    tn__file_close(&file);
    tn__arena_free(&arena);
}

/* No field is lost, since the files were written in the order in which fields are written here. */
static void models_are_written_byte_for_byte(void **state)
{
    (void)state;
    static const char *const names[] = { "saved_model.pb", "saved_old.pb" };
    for (int i = 0; i < 2; i++) {
        tn__arena arena = { 0 };
        tn__saved_model model;
        tn__bytes bytes = { 0 };
        tn__file file = load(names[i], &arena, &model);
        CHECK_OK(tn__saved_model_write(&model, &bytes));
        assert_int_equal(bytes.size, file.span.size);
        assert_memory_equal(bytes.data, file.span.data, bytes.size);
        tn__bytes_free(&bytes);
        tn__file_close(&file);
        tn__arena_free(&arena);
    }
}

static tn_status read_model(tn__span bytes)
{
    tn__arena arena = { 0 };
    tn__saved_model model;
    tn_status status = tn__saved_model_read(bytes, &arena, &model);
    tn__arena_free(&arena);
    return status;
}

static void every_cut_and_change_is_survived(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__saved_model model;
    tn__file file = load("saved_old.pb", &arena, &model);
    check_damage(file.span, read_model, "protobuf: ");
    tn__file_close(&file);
    tn__arena_free(&arena);
}

static bool there_and_back(void *self)
{
    tn__arena arena = { 0 };
    tn__saved_model model;
    tn__bytes bytes = { 0 };
    bool done = tn__saved_model_read(*(tn__span *)self, &arena, &model) == TN_OK &&
                tn__saved_model_write(&model, &bytes) == TN_OK;
    tn__bytes_free(&bytes);
    tn__arena_free(&arena);
    return done;
}

static void refused_allocations_are_survived(void **state)
{
    (void)state;
    tn__arena arena = { 0 };
    tn__saved_model model;
    tn__file file = load("saved_model.pb", &arena, &model);
    size_t before = live_allocations();
    check_allocation_failures(there_and_back, &file.span);
    assert_int_equal(live_allocations(), before);
    tn__file_close(&file);
    tn__arena_free(&arena);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_and_signatures_are_found),
        cmocka_unit_test(functions_and_what_they_take_are_found),
        cmocka_unit_test(a_model_of_tensorflow_1_has_collections),
        cmocka_unit_test(models_are_written_byte_for_byte),
        cmocka_unit_test(every_cut_and_change_is_survived),
        cmocka_unit_test(refused_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
