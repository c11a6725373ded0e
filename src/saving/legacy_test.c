#include "saving/testdata.h"
#include "formats/hdf5/hdf5.h"

static tn_tensor *ones(int64_t rows, int64_t columns)
{
    return tn_ones(TN_SHAPE(rows, columns), TN_FLOAT32);
}

/* --- equal names ------------------------------------------------------------------------------ */
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

static void two_equal_names_in_one_group_are_refused_before_the_disk_is_touched(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("twins.h5"), *archive = temporary_path("twins.keras");
    CHECK_OK(tn_register_class(&Twin));
    tn_model *model =
        tn_sequential(TN_LAYERS(tn_new(&Twin, .name = "pair", .input_shape = TN_SHAPE(4))));
    write_file(path, "the old file", 12);
    assert_int_not_equal(tn_save(model, path), TN_OK);
    const tn_error *error = tn_catch(TN_ALREADY_EXISTS);
    assert_string_equal(error->first_line, "Unable to create dataset (name already exists)");
    assert_non_null(strstr(error->message, "two weights in the group 'pair' of the .h5 file are "
                                           "called 'pair/k': one of Twin 'pair', made at "));
    assert_non_null(strstr(error->message, "legacy_test.c:"));
    assert_non_null(strstr(error->message, "while saving '"));
    tn__bytes old = bytes_of(path);
    assert_int_equal(old.size, 12);
    tn__bytes_free(&old);
    CHECK_OK(tn_save(model, archive));
    check_same_outputs(model, tn_load_model(archive), ones(2, 4));
    CHECK_OK(tn_save_weights(model, temporary_path("twins.weights.h5")));
    assert_int_not_equal(tn_save_weights(model, temporary_path("twins_weights.h5")), TN_OK);
    CHECK_ERROR(TN_ALREADY_EXISTS, "Unable to create dataset (name already exists)");
}

static tn_model *block(const char *name)
{
    return tn_sequential(TN_LAYERS(tn_dense(4, .name = "dense", .input_shape = TN_SHAPE(4))),
                         .name = name);
}

static void equal_names_in_different_models_of_one_group_are_told_apart_by_their_paths(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("blocks.h5");
    tn_model *both = tn_sequential(TN_LAYERS(block("left"), block("right")), .name = "both");
    tn_model *model = spread(tn_sequential(TN_LAYERS(both, tn_dense(2, .name = "out"))));
    CHECK_OK(tn_save(model, path));
    assert_non_null(
        strstr(tn_inspect(path), "  model_weights/both/right/dense/kernel:0 float32 (4, 4)\n"));
    tn_model *again = tn_load_model(path);
    check_same_outputs(model, again, ones(2, 4));
    assert_string_equal(tn_name(tn_variables(again).item[0]), "dense/kernel");
}

static void a_layer_named_like_the_groups_own_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model = tn_sequential(
        TN_LAYERS(tn_dense(2, .name = "top_level_model_weights", .input_shape = TN_SHAPE(4))));
    assert_int_not_equal(tn_save(model, temporary_path("taken.h5")), TN_OK);
    CHECK_ERROR(TN_ALREADY_EXISTS, "name already exists");
}

/* --- long lists ------------------------------------------------------------------------------- */
static void lists_of_names_longer_than_an_attribute_are_cut_into_pieces(void **state)
{
    (void)state;
    TN_SCOPE;
    enum { LAYERS = 700 };
    tn_layer *layers[LAYERS];
    for (int i = 0; i < LAYERS; i++)
        layers[i] = tn_dense(1, .use_bias = i % 2, .input_shape = TN_SHAPE(1),
                             .name = tn_format("a_rather_long_name_that_makes_the_list_of_all_of_"
                                               "them_longer_than_64_kilobytes_of_attribute_%d",
                                               i));
    tn_model *inner = tn_sequential(tn_layer_list_of(LAYERS, layers), .name = "inner");
    tn_model *model = spread(tn_sequential(TN_LAYERS(inner, tn_dense(1))));
    const char *path = temporary_path("long.h5"), *weights = temporary_path("long_weights.h5");
    CHECK_OK(tn_save(model, path));
    check_same_outputs(model, tn_load_model(path), ones(2, 1));
    CHECK_OK(tn_save_weights(inner, weights));
    tn__bytes bytes = bytes_of(weights);
    tn__h5 *file;
    tn__h5_object *whole, *piece;
    CHECK_OK(tn__h5_open(tn__bytes_span(&bytes), NULL, &file));
    CHECK_OK(tn__h5_attribute(tn__h5_root(file), "layer_names", &whole));
    CHECK_OK(tn__h5_attribute(tn__h5_root(file), "layer_names1", &piece));
    assert_null(whole);
    assert_non_null(piece);
    tn__h5_close(file);
    tn__bytes_free(&bytes);
    tn_model *other = tn_model_from_json(tn_to_json(inner));
    CHECK_OK(tn_load_weights(other, weights));
    check_same_outputs(inner, other, ones(2, 1));
}

/* --- the order of weights --------------------------------------------------------------------- */
static tn_model *nest(void)
{
    tn_model *inner =
        tn_sequential(TN_LAYERS(tn_batch_normalization(.name = "bn", .input_shape = TN_SHAPE(4)),
                                tn_dense(4, .name = "d"), tn_batch_normalization(.name = "bn2")),
                      .name = "inner");
    return tn_sequential(TN_LAYERS(inner, tn_dense(2, .name = "out")), .name = "nest");
}

static tn_model *positive(tn_model *model)
{
    tn_list weights = tn_variables(spread(model));
    for (size_t i = 0; i < weights.count; i++)
        tn_assign(weights.item[i], tn_add(tn_square(weights.item[i]), tn_scalar(0.25)));
    return model;
}

/* The file has the trainable weights of "inner" first; where all of them are frozen that order is
 * another. */
static void weights_find_their_places_though_other_layers_were_trainable(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("order.h5");
    tn_model *model = positive(nest()), *frozen = nest();
    CHECK_OK(tn_save_weights(model, path));
    tn_set_trainable(frozen, false);
    CHECK_OK(tn_load_weights(frozen, path));
    check_same_outputs(model, frozen, ones(2, 4));
}

static void the_order_in_the_file_is_keras_own(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("order.h5");
    CHECK_OK(tn_save_weights(nest(), path));
    tn__bytes bytes = bytes_of(path);
    tn__h5 *file;
    tn__h5_object *group, *attribute;
    tn__h5_strings names;
    CHECK_OK(tn__h5_open(tn__bytes_span(&bytes), NULL, &file));
    CHECK_OK(tn__h5_get(tn__h5_root(file), "inner", &group));
    CHECK_OK(tn__h5_attribute(group, "weight_names", &attribute));
    CHECK_OK(tn__h5_read_strings(attribute, &names));
    static const char *const wanted_names[] = { "bn/gamma:0",        "bn/beta:0",
                                                "d/kernel:0",        "d/bias:0",
                                                "bn2/gamma:0",       "bn2/beta:0",
                                                "bn/moving_mean:0",  "bn/moving_variance:0",
                                                "bn2/moving_mean:0", "bn2/moving_variance:0" };
    assert_int_equal(names.count, 10);
    for (size_t i = 0; i < names.count; i++)
        assert_string_equal(names.item[i].text, wanted_names[i]);
    tn__h5_strings_free(&names);
    tn__h5_close(file);
    tn__bytes_free(&bytes);
}

/* --- older files ------------------------------------------------------------------------------ */
/* As Keras 1 wrote it: no version, names without slashes, the kernel of a convolution as (out, in,
 * rows, columns) when the images are channels first. */
static const char *old_file(bool channels_first, const char *backend)
{
    const char *path = temporary_path("keras_1.h5");
    float values[2 * 3 * 3 * 3], bias[2] = { 0.5f, -0.5f };
    for (int i = 0; i < 2 * 3 * 3 * 3; i++)
        values[i] = (float)i;
    static char names[2][8] = { "conv_W", "conv_b" };
    static char layer[8] = "conv";
    uint64_t two[1] = { 2 }, one[1] = { 1 }, first[4] = { 2, 3, 3, 3 }, last[4] = { 3, 3, 3, 2 };
    tn__h5_tree *tree;
    tn__h5_node *group;
    tn__writer *out;
    CHECK_OK(tn__h5_tree_new(&tree));
    CHECK_OK(tn__h5_add_attribute(tn__h5_tree_root(tree), "layer_names", TN__H5_TYPE_STRING(8), 1,
                                  one, layer));
    if (backend)
        CHECK_OK(tn__h5_add_text(tn__h5_tree_root(tree), "backend", backend));
    CHECK_OK(tn__h5_add_group(tn__h5_tree_root(tree), "conv", &group));
    CHECK_OK(tn__h5_add_attribute(group, "weight_names", TN__H5_TYPE_STRING(8), 1, two, names));
    CHECK_OK(tn__h5_add_dataset(group, "conv_W", TN__H5_TYPE_FLOAT(4), 4,
                                channels_first ? first : last, values, NULL));
    CHECK_OK(tn__h5_add_dataset(group, "conv_b", TN__H5_TYPE_FLOAT(4), 1, two, bias, NULL));
    CHECK_OK(tn__writer_open(path, false, &out));
    CHECK_OK(tn__h5_tree_write(tree, out));
    CHECK_OK(tn__writer_commit(out));
    tn__h5_tree_free(tree);
    return path;
}

static float kernel_at(tn_model *model, int row, int column, int in, int out)
{
    return tn_data_float32(tn_variables(model).item[0])[((row * 3 + column) * 3 + in) * 2 + out];
}

static void kernels_of_keras_1_and_of_theano_are_turned(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_model *model =
        tn_sequential(TN_LAYERS(tn_conv2d(2, { 3, 3 }, .input_shape = TN_SHAPE(5, 5, 3))));
    CHECK_OK(tn_load_weights(model, old_file(false, NULL)));
    assert_true(kernel_at(model, 1, 2, 0, 1) == (float)(((1 * 3 + 2) * 3 + 0) * 2 + 1));
    CHECK_OK(tn_load_weights(model, old_file(true, NULL)));
    assert_true(kernel_at(model, 1, 2, 0, 1) == (float)(((1 * 3 + 0) * 3 + 1) * 3 + 2));
    CHECK_OK(tn_load_weights(model, old_file(false, "theano")));
    assert_true(kernel_at(model, 1, 2, 0, 1) == (float)(((1 * 3 + 0) * 3 + 0) * 2 + 1));
    CHECK_OK(tn_load_weights(model, old_file(true, "theano")));
    assert_true(kernel_at(model, 1, 2, 0, 1) == (float)(((1 * 3 + 0) * 3 + 1) * 3 + 0));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_equal_names_in_one_group_are_refused_before_the_disk_is_touched),
        cmocka_unit_test(
            equal_names_in_different_models_of_one_group_are_told_apart_by_their_paths),
        cmocka_unit_test(a_layer_named_like_the_groups_own_is_refused),
        cmocka_unit_test(lists_of_names_longer_than_an_attribute_are_cut_into_pieces),
        cmocka_unit_test(weights_find_their_places_though_other_layers_were_trainable),
        cmocka_unit_test(the_order_in_the_file_is_keras_own),
        cmocka_unit_test(kernels_of_keras_1_and_of_theano_are_turned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
