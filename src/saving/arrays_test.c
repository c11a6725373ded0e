#include "saving/testdata.h"

#define FORMATS "src/formats/testdata/"

static void arrays_of_numpy_become_the_nearest_type(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        tn_dtype dtype;
    } cases[] = {
        { "npy_f2.npy", TN_FLOAT16 },       { "npy_f4.npy", TN_FLOAT32 },
        { "npy_f8.npy", TN_FLOAT64 },       { "npy_f4_big.npy", TN_FLOAT32 },
        { "npy_i1.npy", TN_INT32 },         { "npy_i2.npy", TN_INT32 },
        { "npy_i4.npy", TN_INT32 },         { "npy_i8.npy", TN_INT64 },
        { "npy_u1.npy", TN_UINT8 },         { "npy_u2.npy", TN_INT32 },
        { "npy_b1.npy", TN_BOOL },          { "npy_u4.npy", TN_INT64 },
        { "npy_i2_big.npy", TN_INT32 },     { "npy_u4_big.npy", TN_INT64 },
        { "npy_fortran.npy", (tn_dtype)0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TN_SCOPE;
        tn_tensor *x = tn_load_array(tn_format(FORMATS "%s", cases[i].file), NULL);
        CHECK_NO_ERROR();
        if (cases[i].dtype)
            assert_int_equal(tn_dtype_of(x), cases[i].dtype);
    }
    assert_null(tn_load_array(FORMATS "npy_object.npy", NULL));
    CHECK_ERROR(TN_UNIMPLEMENTED, "while loading '" FORMATS "npy_object.npy'");
}

static void small_and_unsigned_integers_keep_their_values(void **state)
{
    (void)state;
    TN_SCOPE;
    static const unsigned char file[] =
        "\x93NUMPY\x01\x00v\x00{'descr': '|i1', 'fortran_order': False, 'shape': (3,), }"
        "                                                            \n\x80\xff\x7f";
    static const unsigned char large[] =
        "\x93NUMPY\x01\x00v\x00{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }"
        "                                                            "
        "\n\xff\xff\xff\xff\xff\xff\xff\xff";
    write_file(temporary_path("i1.npy"), file, sizeof file - 1);
    write_file(temporary_path("u8.npy"), large, sizeof large - 1);
    assert_string_equal(tn_text(tn_load_array(temporary_path("i1.npy"), NULL)), "[-128   -1  127]");
    assert_null(tn_load_array(temporary_path("u8.npy"), NULL));
    CHECK_ERROR(TN_OUT_OF_RANGE, "element 0 is above what int64 holds");
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
    static const tn_dtype types[] = { TN_FLOAT32, TN_FLOAT64, TN_FLOAT16, TN_INT32,
                                      TN_INT64,   TN_UINT8,   TN_BOOL };
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

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_of_numpy_become_the_nearest_type),
        cmocka_unit_test(small_and_unsigned_integers_keep_their_values),
        cmocka_unit_test(an_array_of_an_archive_is_asked_for_by_name),
        cmocka_unit_test(tables_are_matrices_and_columns_vectors),
        cmocka_unit_test(arrays_come_back),
        cmocka_unit_test(archives_come_back_in_order),
        cmocka_unit_test(tables_come_back),
        cmocka_unit_test(what_a_format_cannot_hold_is_refused),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
