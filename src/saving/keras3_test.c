#include "saving/testdata.h"
#include "formats/hdf5/hdf5.h"

/* --- a layer with more than ten weights ------------------------------------------------------- */
enum { MANY = 13 };
typedef struct {
    tn_variable *w[MANY];
} many;

static void many_build(void *me, tn_list inputs)
{
    many *self = me;
    (void)inputs;
    for (int i = 0; i < MANY; i++)
        self->w[i] = tn_add_weight(TN_SHAPE(2), .name = "w", .trainable = i != 3);
}

static tn_tensor *many_call(void *me, tn_list inputs)
{
    many *self = me;
    tn_tensor *y = tn_at(inputs, 0);
    for (int i = 0; i < MANY; i++)
        y = tn_add(tn_multiply(y, tn_scalar(0.5)), self->w[i]);
    return y;
}

static const tn_class Many = {
    .name = "Many", .size = sizeof(many), .build = many_build, .call = many_call
};

static tn_model *many_model(void)
{
    return tn_sequential(TN_LAYERS(tn_new(&Many, .input_shape = TN_SHAPE(2))));
}

static void weights_are_sorted_by_number(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("many.weights.h5");
    tn_model *model = spread(many_model()), *other = many_model();
    CHECK_OK(tn_save_weights(model, path));
    CHECK_OK(tn_load_weights(other, path));
    check_same_outputs(model, other, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32));
}

/* The trainable ones first, as Keras has them in its lists. */
static void trainable_weights_come_first(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("many.weights.h5");
    tn_model *model = spread(many_model());
    CHECK_OK(tn_save_weights(model, path));
    tn__bytes bytes = bytes_of(path);
    tn__h5 *file;
    tn__h5_object *dataset;
    float values[2];
    CHECK_OK(tn__h5_open(tn__bytes_span(&bytes), NULL, &file));
    CHECK_OK(tn__h5_get(tn__h5_root(file), "layers/many/vars/12", &dataset));
    CHECK_OK(tn__h5_read(dataset, values, sizeof values));
    tn__h5_close(file);
    tn__bytes_free(&bytes);
    many *self = tn_self(tn_layers(model).item[0], &Many);
    assert_memory_equal(values, tn_data_float32(self->w[3]), sizeof values);
}

/* --- names of groups -------------------------------------------------------------------------- */
static void check_path(const char *held, const char *path)
{
    if (!strstr(held, path))
        fail_msg("no %s in\n%s", path, held);
}

static void groups_are_named_by_class_and_counted_in_their_list(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("paths.weights.h5");
    tn_layer *shared = tn_dense(3, .name = "shared");
    tn_tensor *x = tn_input(TN_SHAPE(3));
    tn_model *inner =
        tn_sequential(TN_LAYERS(tn_dense(3, .input_shape = TN_SHAPE(3)), shared), .name = "block");
    tn_model *model =
        tn_model(x, tn_call(tn_dense(2),
                            tn_call(shared, tn_call(inner, tn_call(tn_batch_normalization(), x)))));
    CHECK_OK(tn_save_weights(model, path));
    const char *held = tn_inspect(path);
    check_path(held, "  layers/batch_normalization/vars/3 float32 (3,)\n");
    check_path(held, "  layers/sequential/layers/dense/vars/0 float32 (3, 3)\n");
    check_path(held, "  layers/sequential/layers/dense_1/vars/0 float32 (3, 3)\n");
    check_path(
        held,
        "  layers/dense_1/vars/0 float32 (3, 2)\n"); /* the shared one was met before, and counts */
    assert_null(strstr(held, "layers/dense/vars/0 float32 (3, 3)\n  layers/dense/vars/1"));
}

static void groups_carry_the_layers_names(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_bytes bytes = tn_save_to_memory(plain_model());
    const char *path = temporary_path("names.weights.h5");
    CHECK_NO_ERROR();
    assert_non_null(bytes.data);
    CHECK_OK(tn_save_weights(plain_model(), path));
    tn__bytes file_bytes = bytes_of(path);
    tn__h5 *file;
    tn__h5_object *group, *name;
    tn__h5_strings text;
    CHECK_OK(tn__h5_open(tn__bytes_span(&file_bytes), NULL, &file));
    CHECK_OK(tn__h5_get(tn__h5_root(file), "layers/dense_1/vars", &group));
    CHECK_OK(tn__h5_attribute(group, "name", &name));
    CHECK_OK(tn__h5_read_strings(name, &text));
    assert_string_equal(text.item[0].text, "out");
    tn__h5_strings_free(&text);
    CHECK_OK(tn__h5_get(tn__h5_root(file), "vars", &group));
    CHECK_OK(tn__h5_attribute(group, "name", &name));
    assert_non_null(name);
    tn__h5_close(file);
    tn__bytes_free(&file_bytes);
}

/* --- parts of own layers ---------------------------------------------------------------------- */
typedef struct {
    tn_layer *first, *_second;
} pair;

static void pair_init(void *me)
{
    pair *self = me;
    self->first = tn_dense(3);
    self->_second = tn_dense(3);
}

static tn_tensor *pair_call(void *me, tn_list inputs)
{
    pair *self = me;
    return tn_call(self->_second, tn_call(self->first, tn_at(inputs, 0)));
}

static const tn_class Pair = { .name = "Pair",
                               .size = sizeof(pair),
                               .fields = TN_FIELDS(TN_FIELD(pair, first), TN_FIELD(pair, _second)),
                               .init = pair_init,
                               .call = pair_call };

static void parts_in_fields_bear_the_fields_names(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("pair.weights.h5");
    tn_model *model = spread(tn_sequential(TN_LAYERS(tn_new(&Pair, .input_shape = TN_SHAPE(3)))));
    tn_model *other = tn_sequential(TN_LAYERS(tn_new(&Pair, .input_shape = TN_SHAPE(3))));
    CHECK_OK(tn_save_weights(model, path));
    const char *held = tn_inspect(path);
    check_path(held, "  layers/pair/first/vars/0 float32 (3, 3)\n");
    check_path(held, "  layers/pair/_second/vars/1 float32 (3,)\n");
    CHECK_OK(tn_load_weights(other, path));
    check_same_outputs(model, other, tn_ones(TN_SHAPE(1, 3), TN_FLOAT32));
}

/* Without fields they stand in a list, as in a Python class's `self.layers`. */
static void parts_in_no_field_are_listed(void **state)
{
    (void)state;
    TN_SCOPE;
    static const tn_class Loose = {
        .name = "Loose", .size = sizeof(pair), .init = pair_init, .call = pair_call
    };
    const char *path = temporary_path("loose.weights.h5");
    tn_model *model = spread(tn_sequential(TN_LAYERS(tn_new(&Loose, .input_shape = TN_SHAPE(3)))));
    tn_model *other = tn_sequential(TN_LAYERS(tn_new(&Loose, .input_shape = TN_SHAPE(3))));
    CHECK_OK(tn_save_weights(model, path));
    check_path(tn_inspect(path), "  layers/loose/layers/dense_1/vars/1 float32 (3,)\n");
    CHECK_OK(tn_load_weights(other, path));
    check_same_outputs(model, other, tn_ones(TN_SHAPE(1, 3), TN_FLOAT32));
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_sorted_by_number),
        cmocka_unit_test(trainable_weights_come_first),
        cmocka_unit_test(groups_are_named_by_class_and_counted_in_their_list),
        cmocka_unit_test(groups_carry_the_layers_names),
        cmocka_unit_test(parts_in_fields_bear_the_fields_names),
        cmocka_unit_test(parts_in_no_field_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
