/* saved_model_v1_test.c - SavedModel folders of TensorFlow 1: a graph and signatures, no objects.
 */
#include "saving/testdata.h"
#include <sys/stat.h>
#include <unistd.h>

#define DATA TESTDATA "saved_models.npz"
#define SIMPLE TESTDATA "v1_simple"
#define BUILDER TESTDATA "v1_builder"

static tn_tensor *array(const char *name)
{
    return tn_load_array(DATA, name);
}

static tn_model *predicting(void)
{
    return tn_load_model(BUILDER, .signature = "predict");
}

/* The folder's copy, in which each `from` of saved_model.pb is `to`, of the same length. */
static const char *copied(const char *folder, const char *name, const char *from, const char *to)
{
    static const char *const files[] = { "saved_model.pb", "variables/variables.index",
                                         "variables/variables.data-00000-of-00001" };
    const char *path = temporary_path(name);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(mkdir(tn_format("%s/variables", path), 0777), 0);
    assert_int_equal(strlen(from), strlen(to));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        tn__bytes bytes = bytes_of(tn_format("%s/%s", folder, files[i]));
        for (size_t at = 0; i == 0 && at + strlen(from) <= bytes.size; at++)
            if (memcmp(bytes.data + at, from, strlen(from)) == 0)
                memcpy(bytes.data + at, to, strlen(to));
        write_file(tn_format("%s/%s", path, files[i]), bytes.data, bytes.size);
        tn__bytes_free(&bytes);
    }
    return path;
}

/* --- what runs -------------------------------------------------------------------------------- */
static void a_graph_runs_from_what_its_signature_feeds_to_what_it_fetches(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_load_model(SIMPLE);
    CHECK_NO_ERROR();
    assert_true(difference(tn_call(model, array("simple_in")), array("simple_out")) < 1e-6);
    assert_int_equal(tn_dim(tn_input_shape(model), -1), 4);
}

static void its_variables_have_their_full_names_and_values(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_load_model(SIMPLE);
    tn_list variables = tn_variables(model);
    assert_int_equal(variables.count, 2);
    assert_string_equal(tn_name(variables.item[0]), "net/w");
    assert_string_equal(tn_name(variables.item[1]), "net/b");
    assert_int_equal(tn_trainable_variables(model).count, 1);
    assert_true(fabsf(tn_data_float32(tn_read_value(variables.item[1]))[2] - cosf(1.4f)) < 1e-6f);
}

static void it_is_trained_further(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_load_model(SIMPLE);
    tn_must(tn_compile(model, tn_sgd(0.5), "mse"));
    tn_tensor *x = array("simple_in"), *y = tn_zeros(TN_SHAPE(3, 3), TN_FLOAT32);
    double before = tn_to_double(tn_train_on_batch(model, x, y));
    assert_true(tn_to_double(tn_train_on_batch(model, x, y)) < before);
    CHECK_NO_ERROR();
}

static void several_inputs_and_outputs_are_in_the_order_of_their_names(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = predicting();
    CHECK_NO_ERROR();
    tn_list out = tn_items(tn_call(model, array("builder_ids"), array("builder_scale")));
    CHECK_NO_ERROR();
    assert_int_equal(out.count, 3);
    assert_true(difference(out.item[0], array("builder_a")) < 1e-6);
    assert_true(difference(out.item[1], array("builder_b")) < 1e-6);
}

static void a_variable_that_the_graph_counts_up_is_counted_up_once_a_call(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = predicting();
    for (int i = 1; i <= 3; i++) {
        tn_tensor *out = tn_call(model, array("builder_ids"), array("builder_scale"));
        assert_true(tn_to_double(tn_item(out, 2)) == i);
    }
    assert_string_equal(tn_name(tn_variables(model).item[1]), "calls");
    assert_true(tn_to_double(tn_read_value(tn_variables(model).item[1])) == 3);
}

static void the_model_is_saved_as_tensorflow_2_has_it(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_load_model(SIMPLE);
    CHECK_OK(tn_save(model, temporary_path("again")));
    tn_model *again = tn_load_model(temporary_path("again"));
    CHECK_NO_ERROR();
    check_same_outputs(model, again, array("simple_in"));
}

/* --- signatures ------------------------------------------------------------------------------- */
static void the_only_signature_needs_no_name(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_load_model(copied(SIMPLE, "only", "serving_default", "classify_images"));
    CHECK_NO_ERROR();
    assert_true(difference(tn_call(model, array("simple_in")), array("simple_out")) < 1e-6);
}

static void of_several_signatures_one_must_be_named(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_load_model(BUILDER));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has no signature 'serving_default'\nit has: lonely, predict");
    assert_null(tn_load_model(BUILDER, .signature = "preach"));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has no signature 'preach'");
}

/* --- what does not run ------------------------------------------------------------------------ */
static void a_placeholder_that_nobody_feeds_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_load_model(BUILDER, .signature = "lonely"));
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "You must feed a value for placeholder tensor 'unfed' with dtype float");
}

static void an_op_that_nobody_knows_is_told_with_its_node(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_null(tn_load_model(copied(SIMPLE, "op", "\x07Softmax", "\x07Softmix")));
    CHECK_ERROR(TN_UNIMPLEMENTED, "Op type not registered 'Softmix'\nnobody knows: Softmix\n"
                                  "in node 'y' of function 'signature serving_default'");
}

static void what_is_missing_is_told(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = copied(SIMPLE, "missing", "net/w", "net/v");
    assert_null(tn_load_model(path));
    CHECK_ERROR(TN_DATA_LOSS, "the value of variable 'net/v' is not there");
    assert_int_equal(unlink(tn_format("%s/variables/variables.index", path)), 0);
    assert_null(tn_load_model(path));
    CHECK_ERROR(TN_DATA_LOSS, "the value of variable 'net/v' is not there");
    assert_null(
        tn_load_model(copied(SIMPLE, "node", "xw_plus_b/MatMul\x12", "xw_plus_b/MutMul\x12")));
    CHECK_ERROR(TN_DATA_LOSS, "nothing");
}

static bool load_it(void *path)
{
    TN_SCOPE;
    return tn_load_model(path) != NULL;
}

static bool load_other(void *path)
{
    TN_SCOPE;
    return tn_load_model(path, .signature = "predict") != NULL;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    check_allocation_failures(load_it, SIMPLE);
    check_allocation_failures(load_other, BUILDER);
}

int main(void)
{
    tests_begin();
    tests_count_json();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_graph_runs_from_what_its_signature_feeds_to_what_it_fetches),
        cmocka_unit_test(its_variables_have_their_full_names_and_values),
        cmocka_unit_test(it_is_trained_further),
        cmocka_unit_test(several_inputs_and_outputs_are_in_the_order_of_their_names),
        cmocka_unit_test(a_variable_that_the_graph_counts_up_is_counted_up_once_a_call),
        cmocka_unit_test(the_model_is_saved_as_tensorflow_2_has_it),
        cmocka_unit_test(the_only_signature_needs_no_name),
        cmocka_unit_test(of_several_signatures_one_must_be_named),
        cmocka_unit_test(a_placeholder_that_nobody_feeds_is_told),
        cmocka_unit_test(an_op_that_nobody_knows_is_told_with_its_node),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
