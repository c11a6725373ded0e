/* dataset_test.c - weights that a file holds in another element type than the model, or in none at
 * all. */
#include "saving/testdata.h"
#include "formats/hdf5/hdf5.h"

/* --- files with one weight -------------------------------------------------------------------- */
/* A file of weights for one layer whose only weight, (2, 2), has these elements. */
static tn__bytes weights_of(tn__h5_type type, const void *elements, bool bfloat16)
{
    static const uint64_t dims[] = { 2, 2 };
    tn__bytes bytes = { 0 };
    tn__h5_tree *tree;
    tn__h5_node *node;
    tn__writer *writer;
    CHECK_OK(tn__h5_tree_new(&tree));
    CHECK_OK(tn__h5_add_dataset(tn__h5_tree_root(tree), "vars/0", type, 2, dims, elements, &node));
    if (bfloat16)
        CHECK_OK(tn__h5_add_text(node, "dtype", "bfloat16"));
    CHECK_OK(tn__writer_to_memory(&bytes, &writer));
    CHECK_OK(tn__h5_tree_write(tree, writer));
    CHECK_OK(tn__writer_commit(writer));
    tn__h5_tree_free(tree);
    return bytes;
}

static void put_file(const char *path, const tn__bytes *bytes)
{
    tn__writer *writer;
    CHECK_OK(tn__writer_open(path, false, &writer));
    CHECK_OK(tn__write(writer, bytes->data, bytes->size));
    CHECK_OK(tn__writer_commit(writer));
}

static tn_layer *layer_of(const char *dtype)
{
    tn_layer *layer = tn_dense(2, .use_bias = false, .dtype = dtype);
    tn_call(layer, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32));
    CHECK_NO_ERROR();
    return layer;
}

static void check_weight(const char *dtype, const char *path, bool map, const double *expected)
{
    tn_layer *layer = layer_of(dtype);
    CHECK_OK(tn_load_weights(layer, path, .map = map));
    tn_tensor *weight = tn_cast(tn_variables(layer).item[0], TN_FLOAT32);
    CHECK_NO_ERROR();
    for (int i = 0; i < 4; i++)
        assert_true((double)tn_data_float32(weight)[i] == expected[i]);
}

static void numbers_of_every_type_become_the_models(void **state)
{
    (void)state;
    const struct {
        tn__h5_type type;
        const void *elements;
        bool bfloat16;
        double expected[4];
    } cases[] = {
        { TN__H5_TYPE_INT(1), (int8_t[]){ 1, -2, 127, -128 }, false, { 1, -2, 127, -128 } },
        { TN__H5_TYPE_INT(2), (int16_t[]){ 1, -2, 2047, -2048 }, false, { 1, -2, 2047, -2048 } },
        { TN__H5_TYPE_INT(4), (int32_t[]){ 1, -2, 1024, -64 }, false, { 1, -2, 1024, -64 } },
        { TN__H5_TYPE_INT(8), (int64_t[]){ 1, -2, 1024, -64 }, false, { 1, -2, 1024, -64 } },
        { TN__H5_TYPE_UINT(1), (uint8_t[]){ 1, 0, 255, 128 }, false, { 1, 0, 255, 128 } },
        { TN__H5_TYPE_UINT(2), (uint16_t[]){ 1, 0, 2048, 512 }, false, { 1, 0, 2048, 512 } },
        { TN__H5_TYPE_UINT(4), (uint32_t[]){ 1, 0, 2048, 512 }, false, { 1, 0, 2048, 512 } },
        { TN__H5_TYPE_UINT(8), (uint64_t[]){ 1, 0, 2048, 512 }, false, { 1, 0, 2048, 512 } },
        { TN__H5_TYPE_FLOAT(2),
          (uint16_t[]){ 0x3c00, 0xc000, 0x3800, 0 },
          false,
          { 1, -2, 0.5, 0 } },
        { TN__H5_TYPE_FLOAT(4), (float[]){ 1, -2, 0.5f, 0 }, false, { 1, -2, 0.5, 0 } },
        { TN__H5_TYPE_FLOAT(8), (double[]){ 1, -2, 0.5, 0 }, false, { 1, -2, 0.5, 0 } },
        { TN__H5_TYPE_OPAQUE(2),
          (uint16_t[]){ 0x3f80, 0xc000, 0x3f00, 0 },
          true,
          { 1, -2, 0.5, 0 } },
        { TN__H5_TYPE_BOOL, (bool[]){ true, false, true, true }, false, { 1, 0, 1, 1 } },
    };
    static const char *const types[] = { "float32", "float64", "float16" };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t k = 0; k < 6; k++) {
            TN_SCOPE;
            const char *path = temporary_path("typed.weights.h5");
            tn__bytes bytes = weights_of(cases[i].type, cases[i].elements, cases[i].bfloat16);
            put_file(path, &bytes);
            tn__bytes_free(&bytes);
            check_weight(types[k / 2], path, k % 2, cases[i].expected);
        }
}

static void uint64_above_int64_stays_above_it(void **state)
{
    (void)state;
    const uint64_t elements[] = { 1, 0, UINT64_MAX, (uint64_t)1 << 63 };
    const char *path = temporary_path("large.weights.h5");
    tn__bytes bytes = weights_of(TN__H5_TYPE_UINT(8), elements, false);
    put_file(path, &bytes);
    tn__bytes_free(&bytes);
    check_weight("float32", path, false, (double[]){ 1, 0, 0x1p64, 0x1p63 });
}

static void check_refused(const char *path, tn_status status, const char *text)
{
    TN_SCOPE;
    tn_layer *layer = layer_of("float32");
    assert_int_not_equal(tn_load_weights(layer, path), TN_OK);
    CHECK_ERROR(status, text);
}

static void what_holds_no_numbers_is_refused_by_name(void **state)
{
    (void)state;
    const char *path = temporary_path("texts.weights.h5");
    tn__bytes bytes = weights_of(TN__H5_TYPE_TEXT, (const char *[]){ "a", "b", "c", "d" }, false);
    put_file(path, &bytes);
    tn__bytes_free(&bytes);
    check_refused(path, tn_pending() ? TN_OK : TN_INVALID_ARGUMENT, "/vars/0");
    bytes = weights_of(TN__H5_TYPE_OPAQUE(2), "12345678", false);
    put_file(path, &bytes);
    tn__bytes_free(&bytes);
    check_refused(path, TN_UNIMPLEMENTED, "'/vars/0' holds no numbers that a tensor can hold");
}

/* The size of an integer that does not fill its bytes may be anything. */
static void integers_of_an_odd_size_are_refused_by_name(void **state)
{
    (void)state;
    static const uint8_t type[] = { 0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0 };
    const char *path = temporary_path("odd.weights.h5");
    tn__bytes bytes = weights_of(TN__H5_TYPE_INT(4), (int32_t[]){ 1, 2, 3, 4 }, false);
    uint8_t *size = memmem(bytes.data, bytes.size, type, sizeof type);
    assert_non_null(size);
    size[4 + 3] = 64;
    put_file(path, &bytes);
    tn__bytes_free(&bytes);
    check_refused(path, TN_UNIMPLEMENTED, "an integer that does not fill 1, 2, 4 or 8 bytes");
}

static void a_group_in_a_weights_place_is_refused(void **state)
{
    (void)state;
    tn__h5_tree *tree;
    tn__writer *writer;
    const char *path = temporary_path("group.weights.h5");
    CHECK_OK(tn__h5_tree_new(&tree));
    CHECK_OK(tn__h5_add_group(tn__h5_tree_root(tree), "vars/0", NULL));
    CHECK_OK(tn__writer_open(path, false, &writer));
    CHECK_OK(tn__h5_tree_write(tree, writer));
    CHECK_OK(tn__writer_commit(writer));
    tn__h5_tree_free(tree);
    check_refused(path, TN_DATA_LOSS, "'/vars/0' is not a dataset, as a weight has to be");
}

/* --- a layer with variables of other types -----------------------------------------------------
 */
typedef struct {
    tn_variable *flags, *bytes, *count, *half, *shorts, *large;
} typed_layer;

static tn_tensor *typed_call(void *me, tn_list inputs)
{
    typed_layer *self = me;
    if (!self->flags) {
        self->flags = tn_variable(tn_constant(TN_BOOL, TN_SHAPE(2), (bool[]){ true, false }));
        self->bytes = tn_variable(tn_constant(TN_UINT8, TN_SHAPE(2), (uint8_t[]){ 7, 255 }));
        self->count = tn_variable(tn_constant(TN_INT64, TN_SHAPE(1), (int64_t[]){ -5 }));
        self->half = tn_variable(tn_cast(tn_ones(TN_SHAPE(3), TN_FLOAT32), TN_BFLOAT16));
        self->shorts = tn_variable(tn_constant(TN_INT16, TN_SHAPE(1), (int16_t[]){ INT16_MIN }));
        self->large = tn_variable(tn_constant(TN_UINT64, TN_SHAPE(1), (uint64_t[]){ UINT64_MAX }));
    }
    return tn_at(inputs, 0);
}

static const tn_class TypedLayer = {
    .name = "TypedLayer",
    .size = sizeof(typed_layer),
    .fields = TN_FIELDS(TN_FIELD(typed_layer, flags), TN_FIELD(typed_layer, bytes),
                        TN_FIELD(typed_layer, count), TN_FIELD(typed_layer, half),
                        TN_FIELD(typed_layer, shorts), TN_FIELD(typed_layer, large)),
    .call = typed_call,
};

static tn_layer *typed(void)
{
    tn_layer *layer = tn_new(&TypedLayer);
    tn_call(layer, tn_ones(TN_SHAPE(1, 2), TN_FLOAT32));
    CHECK_NO_ERROR();
    return layer;
}

static void variables_of_every_type_come_back(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *path = temporary_path("variables.weights.h5");
    CHECK_OK(tn_register_class(&TypedLayer));
    tn_layer *layer = typed(), *other = typed();
    tn_list before = tn_variables(layer), after = tn_variables(other);
    assert_int_equal(before.count, 6);
    CHECK_OK(tn_save_weights(layer, path));
    for (size_t i = 0; i < after.count; i++)
        tn_assign(after.item[i], tn_zeros_like(after.item[i]));
    CHECK_OK(tn_load_weights(other, path));
    for (size_t i = 0; i < before.count; i++) {
        assert_int_equal(tn_dtype_of(after.item[i]), tn_dtype_of(before.item[i]));
        assert_string_equal(tn_text(after.item[i]), tn_text(before.item[i]));
    }
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_every_type_become_the_models),
        cmocka_unit_test(uint64_above_int64_stays_above_it),
        cmocka_unit_test(what_holds_no_numbers_is_refused_by_name),
        cmocka_unit_test(integers_of_an_odd_size_are_refused_by_name),
        cmocka_unit_test(a_group_in_a_weights_place_is_refused),
        cmocka_unit_test(variables_of_every_type_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
