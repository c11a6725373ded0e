#include "saving/testdata.h"

#define FORMATS "src/formats/testdata/"

static void arrays_of_numpy_keep_their_types(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        tn_dtype dtype;
    } cases[] = {
        { "npy_f2.npy", TN_FLOAT16 },        { "npy_f4.npy", TN_FLOAT32 },
        { "npy_f8.npy", TN_FLOAT64 },        { "npy_f4_big.npy", TN_FLOAT32 },
        { "npy_i1.npy", TN_INT8 },           { "npy_i2.npy", TN_INT16 },
        { "npy_i4.npy", TN_INT32 },          { "npy_i8.npy", TN_INT64 },
        { "npy_u1.npy", TN_UINT8 },          { "npy_u2.npy", TN_UINT16 },
        { "npy_u4.npy", TN_UINT32 },         { "npy_u8.npy", TN_UINT64 },
        { "npy_b1.npy", TN_BOOL },           { "npy_i2_big.npy", TN_INT16 },
        { "npy_u4_big.npy", TN_UINT32 },     { "npy_u8_big.npy", TN_UINT64 },
        { "npy_bfloat16.npy", TN_BFLOAT16 }, { "npy_fortran.npy", TN_FLOAT32 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TN_SCOPE;
        tn_tensor *x = tn_load_array(tn_format(FORMATS "%s", cases[i].file), NULL);
        CHECK_NO_ERROR();
        assert_int_equal(tn_dtype_of(x), cases[i].dtype);
    }
    assert_null(tn_load_array(FORMATS "npy_object.npy", NULL));
    CHECK_ERROR(TN_UNIMPLEMENTED, "while loading '" FORMATS "npy_object.npy'");
}

static void integers_come_and_go_with_every_value_they_may_have(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text;
    } cases[] = {
        { "npy_i1_ends.npy", "[-128  127    1]" },
        { "npy_i2_ends.npy", "[-32768  32767      1]" },
        { "npy_i4_ends.npy", "[-2147483648  2147483647           1]" },
        { "npy_i8_ends.npy", "[-9223372036854775808  9223372036854775807                    1]" },
        { "npy_u1_ends.npy", "[  0 255   1]" },
        { "npy_u2_ends.npy", "[    0 65535     1]" },
        { "npy_u4_ends.npy", "[         0 4294967295          1]" },
        { "npy_u8_ends.npy", "[                   0 18446744073709551615                    1]" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TN_SCOPE;
        const char *from = tn_format(FORMATS "%s", cases[i].file), *to = temporary_path("a.npy");
        tn_tensor *x = tn_load_array(from, NULL);
        assert_string_equal(tn_text(x), cases[i].text);
        CHECK_OK(tn_save_array(x, to));
        tn__bytes numpys = bytes_of(from), ours = bytes_of(to);
        assert_int_equal(ours.size, numpys.size);
        assert_memory_equal(ours.data, numpys.data, ours.size);
        tn__bytes_free(&numpys);
        tn__bytes_free(&ours);
    }
}

static void bfloat16_is_written_as_float32_with_the_same_values(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_load_array(FORMATS "npy_bfloat16.npy", NULL);
    CHECK_OK(tn_save_array(x, temporary_path("a.npy")));
    tn_tensor *again = tn_load_array(temporary_path("a.npy"), NULL);
    assert_int_equal(tn_dtype_of(again), TN_FLOAT32);
    assert_string_equal(tn_text(again), tn_text(tn_cast(x, TN_FLOAT32)));
    CHECK_NO_ERROR();
}

static void an_array_of_an_archive_is_asked_for_by_name(void **state)
{
    (void)state;
    TN_SCOPE;
    assert_string_equal(tn_shape_text(tn_load_array("examples/digits/digits.npz", "x_test")),
                        tn_shape_text(tn_load_array("examples/digits/digits.npz", "x_test.npy")));
    assert_null(tn_load_array("examples/digits/digits.npz", "nothing"));
    CHECK_ERROR(TN_NOT_FOUND,
                "'examples/digits/digits.npz' has no array 'nothing'\nit has: 'x_train', ");
    assert_null(tn_load_array("examples/digits/digits.npz", NULL));
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has several arrays: which one?");
    assert_null(tn_load_array(temporary_path("none.npy"), NULL));
    CHECK_ERROR(TN_NOT_FOUND, "none.npy");
}

static void tables_are_matrices_and_columns_vectors(void **state)
{
    (void)state;
    TN_SCOPE;
    static const char table[] = "a,b\n1,2.5\n3,-4\n";
    write_file(temporary_path("t.csv"), table, sizeof table - 1);
    tn_tensor *x = tn_load_array(temporary_path("t.csv"), NULL);
    assert_string_equal(tn_shape_text(x), "(2, 2)");
    assert_int_equal(tn_dtype_of(x), TN_FLOAT32);
    tn_tensor *b = tn_load_array(temporary_path("t.csv"), "b");
    assert_string_equal(tn_shape_text(b), "(2,)");
    assert_true(tn_data_float32(b)[1] == -4);
    assert_null(tn_load_array(temporary_path("t.csv"), "c"));
    CHECK_ERROR(TN_NOT_FOUND, "has no column 'c'\nit has: 'a', 'b'");
}

static void arrays_come_back(void **state)
{
    (void)state;
    static const tn_dtype types[] = { TN_FLOAT32, TN_FLOAT64, TN_FLOAT16, TN_INT8,
                                      TN_INT16,   TN_INT32,   TN_INT64,   TN_UINT8,
                                      TN_UINT16,  TN_UINT32,  TN_UINT64,  TN_BOOL };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        TN_SCOPE;
        tn_tensor *x = tn_ones(TN_SHAPE(2, 0, 3), types[i]), *y = tn_ones(TN_SHAPE(2, 3), types[i]),
                  *z = tn_ones(TN_SCALAR, types[i]);
        tn_tensor *all[] = { x, y, z };
        for (size_t k = 0; k < 3; k++) {
            CHECK_OK(tn_save_array(all[k], temporary_path("a.npy")));
            tn_tensor *again = tn_load_array(temporary_path("a.npy"), NULL);
            assert_string_equal(tn_text(again), tn_text(all[k]));
            assert_string_equal(tn_shape_text(again), tn_shape_text(all[k]));
            assert_int_equal(tn_dtype_of(again), types[i]);
        }
    }
}

static void archives_come_back_in_order(void **state)
{
    (void)state;
    TN_SCOPE;
    const char *names[] = { "b", "a" };
    tn_tensor *items[] = { tn_ones(TN_SHAPE(2), TN_FLOAT32),
                           tn_variable(tn_zeros(TN_SHAPE(3), TN_INT64)) };
    tn_named_list arrays = { 2, names, items };
    CHECK_OK(tn_save_arrays(arrays, temporary_path("a.npz")));
    tn_named_list again = tn_load_arrays(temporary_path("a.npz"));
    CHECK_NO_ERROR();
    assert_int_equal(again.count, 2);
    assert_string_equal(again.name[0], "b");
    assert_string_equal(tn_text(again.item[1]), "[0 0 0]");
    assert_null(tn_load_arrays(temporary_path("none.npz")).item);
    CHECK_ERROR(TN_NOT_FOUND, "none.npz");
}

static void tables_come_back(void **state)
{
    (void)state;
    TN_SCOPE;
    float values[] = { 0.1f, -2, 3, 1e-7f };
    tn_tensor *x = tn_constant(TN_FLOAT32, TN_SHAPE(2, 2), values);
    CHECK_OK(tn_save_array(x, temporary_path("t.csv")));
    assert_memory_equal(tn_data_float32(tn_load_array(temporary_path("t.csv"), NULL)), values,
                        sizeof values);
    tn__bytes text = bytes_of(temporary_path("t.csv"));
    assert_memory_equal(text.data, "0.1,-2\n3,1e-07\n", 15);
    tn__bytes_free(&text);
}

static void what_a_format_cannot_hold_is_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(2, 2, 2), TN_FLOAT32);
    assert_int_not_equal(tn_save_array(x, temporary_path("x.csv")), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, ".csv holds rank 2 at most, got float32 (2, 2, 2)");
    assert_int_not_equal(tn_save_array(x, temporary_path("x.npz")), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_save_arrays() writes .npz");
    assert_int_not_equal(tn_save_array(tn_input(TN_SHAPE(2)), temporary_path("x.npy")), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is symbolic");
    assert_int_not_equal(tn_save_array(NULL, temporary_path("x.npy")), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_save_array: x is NULL");
    tn_named_list failed = { 0, NULL, NULL };
    assert_int_not_equal(tn_save_arrays(failed, temporary_path("x.npz")), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "the list of a failure");
}

static bool load_all(void *unused)
{
    (void)unused;
    return tn_load_arrays(TESTDATA "outputs.npz").item &&
           tn_load_array(FORMATS "npy_i2.npy", NULL) &&
           tn_load_array(FORMATS "csv_excel.csv", NULL);
}

static bool save_array(void *path)
{
    tn_tensor *x = tn_ones(TN_SHAPE(40, 40), TN_FLOAT32);
    return x && tn_save_array(x, path) == TN_OK;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    char path[300];
    snprintf(path, sizeof path, "%s", temporary_path("m.npy"));
    check_allocation_failures(load_all, NULL);
    check_allocation_failures(save_array, path);
}

static void names_and_lists_that_are_none_are_refused(void **state)
{
    (void)state;
    TN_SCOPE;
    tn_tensor *x = tn_ones(TN_SHAPE(2), TN_FLOAT32);
    const char *names[] = { "a", NULL };
    tn_tensor *items[] = { x, x };
    const tn_named_list one = { 1, names, items }, two = { 2, names, items },
                        none = { 0, NULL, NULL };
    const char *path = temporary_path("kept.npz");
    CHECK_OK(tn_save_arrays(one, path));
    assert_int_not_equal(tn_save_arrays(two, path), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_save_arrays: a name is NULL");
    assert_int_equal(tn_load_arrays(path).count, 1); /* what was there before */
    assert_int_not_equal(tn_save_arrays(none, path), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "arrays is the list of a failure");
    assert_int_not_equal(tn_save_arrays(one, "x.npy"), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "the name must end in .npz, got 'x.npy'");
    assert_int_not_equal(tn_save_array(x, NULL), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "tn_save_array: path is NULL");
    tn_tensor *no_columns = tn_ones(TN_SHAPE(2, 0), TN_FLOAT32);
    assert_int_not_equal(tn_save_array(no_columns, temporary_path("no.csv")), TN_OK);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "a table without columns cannot be saved as .csv");
}

static void an_array_of_more_dimensions_than_tensors_have_is_refused(void **state)
{
    (void)state;
    char file[128] = "\x93NUMPY\x01";
    int size =
        snprintf(file + 10, sizeof file - 10,
                 "{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,"
                 "1,1,1,1,1), }");
    file[8] = (char)size;
    write_file(temporary_path("deep.npy"), file, 10 + (size_t)size + 1);
    assert_null(tn_load_array(temporary_path("deep.npy"), NULL));
    CHECK_ERROR(TN_UNIMPLEMENTED, "deep.npy has 17 dimensions, tensors have");
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_of_numpy_keep_their_types),
        cmocka_unit_test(integers_come_and_go_with_every_value_they_may_have),
        cmocka_unit_test(bfloat16_is_written_as_float32_with_the_same_values),
        cmocka_unit_test(an_array_of_an_archive_is_asked_for_by_name),
        cmocka_unit_test(tables_are_matrices_and_columns_vectors),
        cmocka_unit_test(arrays_come_back),
        cmocka_unit_test(archives_come_back_in_order),
        cmocka_unit_test(tables_come_back),
        cmocka_unit_test(what_a_format_cannot_hold_is_refused),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
        cmocka_unit_test(names_and_lists_that_are_none_are_refused),
        cmocka_unit_test(an_array_of_more_dimensions_than_tensors_have_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
