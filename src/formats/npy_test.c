/* npy_test.c - NumPy's array files are read; ours are byte for byte NumPy's; the rest is refused.
 */
#include "support/check.h"
#include "formats/npy.h"
#include <stdlib.h>

static tn__file load(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "src/formats/testdata/%s", name);
    tn__file file;
    CHECK_OK(tn__file_read(path, 1 << 20, &file));
    return file;
}

/* The element as a number, from a copy in this machine's order. */
static double element(const tn__npy *array, const void *copy, size_t i)
{
    const uint8_t *at = (const uint8_t *)copy + i * (size_t)array->type.size;
    int8_t i8;
    int16_t i16;
    int32_t i32 = 0;
    int64_t i64;
    float f32;
    double f64;
    memcpy(&i8, at, 1);
    memcpy(&i16, at, array->type.size >= 2 ? 2 : 0);
    memcpy(&i32, at, array->type.size >= 4 ? 4 : 0);
    memcpy(&i64, at, array->type.size >= 8 ? 8 : 0);
    memcpy(&f32, at, array->type.size >= 4 ? 4 : 0);
    memcpy(&f64, at, array->type.size >= 8 ? 8 : 0);
    bool real = array->type.kind == 'f';
    switch (array->type.size) {
    case 1:
        return i8;
    case 2:
        return i16; /* half precision has a test of its own */
    case 4:
        return real ? (double)f32 : i32;
    default:
        return real ? f64 : (double)i64;
    }
}

static void check_shape(const tn__npy *array, int rank, const uint64_t *shape)
{
    assert_int_equal(array->rank, rank);
    size_t count = 1;
    for (int i = 0; i < rank; i++) {
        assert_true(array->shape[i] == shape[i]);
        count *= (size_t)shape[i];
    }
    assert_int_equal(array->count, count);
    assert_int_equal(array->data.size, count * (size_t)array->type.size);
}

/* --- reading what NumPy wrote ---------------------------------------------------------------- */
static void check_kind(const char *kind, bool big)
{
    char name[64];
    snprintf(name, sizeof name, "npy_%s%s.npy", kind, big ? "_big" : "");
    tn__file file = load(name);
    tn__npy array;
    CHECK_OK(tn__npy_open(file.span, &array));
    assert_int_equal(array.type.kind, kind[0]);
    assert_int_equal(array.type.size, kind[1] - '0');
    assert_int_equal(array.type.big_endian, big);
    assert_int_equal(tn__npy_is_plain(&array), !big);
    check_shape(&array, 3, (uint64_t[]){ 2, 3, 4 });
    uint8_t copy[24 * 8];
    tn__npy_copy(&array, copy);
    for (int i = 0; i < 24; i++) {
        int expected = i * 5 % 7 - (kind[0] == 'i' || kind[0] == 'f' ? 2 : 0);
        expected = kind[0] == 'b' ? expected != 0 : expected;
        if (strcmp(kind, "f2") != 0)
            assert_true(element(&array, copy, (size_t)i) == expected);
    }
    tn__file_close(&file);
}

static void every_kind_in_both_byte_orders_is_read(void **state)
{
    (void)state;
    static const char *const kinds[] = { "b1", "i1", "i2", "i4", "i8", "u1",
                                         "u2", "u4", "u8", "f2", "f4", "f8" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        check_kind(kinds[i], false);
        if (kinds[i][1] != '1')
            check_kind(kinds[i], true);
    }
}

static void half_precision_bits_are_kept(void **state)
{
    (void)state;
    static const uint16_t expected[] = { 0xc000, 0x4200, 0x3c00 }; /* -2, 3, 1 */
    static const char *const names[] = { "npy_f2.npy", "npy_f2_big.npy" };
    for (int i = 0; i < 2; i++) {
        tn__file file = load(names[i]);
        tn__npy array;
        uint16_t copy[24];
        CHECK_OK(tn__npy_open(file.span, &array));
        tn__npy_copy(&array, copy);
        assert_memory_equal(copy, expected, sizeof expected);
        tn__file_close(&file);
    }
}

static void bfloat16_is_told_from_raw_bytes_by_its_order(void **state)
{
    (void)state;
    static const uint16_t expected[] = { 0x3f80, 0xc000, 0x3dcd, 0x7f62, 0x7f80 };
    tn__file file = load("npy_bfloat16.npy");
    tn__npy array;
    uint16_t copy[5];
    CHECK_OK(tn__npy_open(file.span, &array));
    assert_int_equal(array.type.kind, 'V');
    assert_int_equal(array.count, 5);
    tn__npy_copy(&array, copy);
    assert_memory_equal(copy, expected, sizeof expected);
    tn__file_close(&file);
}

static void column_major_arrays_become_row_major(void **state)
{
    (void)state;
    static const char *const names[] = { "npy_fortran.npy", "npy_fortran_big.npy" };
    for (int n = 0; n < 2; n++) {
        tn__file file = load(names[n]);
        tn__npy array;
        float copy[24];
        CHECK_OK(tn__npy_open(file.span, &array));
        assert_true(array.fortran);
        assert_false(tn__npy_is_plain(&array));
        check_shape(&array, 3, (uint64_t[]){ 2, 3, 4 });
        tn__npy_copy(&array, copy);
        for (int i = 0; i < 24; i++)
            assert_true(copy[i] == (float)i);
        tn__file_close(&file);
    }
}

static void scalars_and_empty_arrays_are_read(void **state)
{
    (void)state;
    tn__file file = load("npy_scalar.npy");
    tn__npy array;
    double copy;
    CHECK_OK(tn__npy_open(file.span, &array));
    check_shape(&array, 0, NULL);
    tn__npy_copy(&array, &copy);
    assert_true(copy == 2.5);
    tn__file_close(&file);
    file = load("npy_empty.npy");
    CHECK_OK(tn__npy_open(file.span, &array));
    check_shape(&array, 3, (uint64_t[]){ 3, 0, 2 });
    tn__npy_copy(&array, NULL);
    tn__file_close(&file);
}

static void every_version_and_spelling_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int rank;
        uint64_t shape[2];
    } files[] = { { "npy_v2.npy", 1, { 5 } },
                  { "npy_v3.npy", 1, { 5 } },
                  { "npy_python2.npy", 2, { 2, 3 } },
                  { "npy_odd.npy", 2, { 2, 3 } } };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        tn__file file = load(files[i].name);
        tn__npy array;
        int16_t copy[6];
        CHECK_OK(tn__npy_open(file.span, &array));
        check_shape(&array, files[i].rank, files[i].shape);
        tn__npy_copy(&array, copy);
        for (size_t k = 0; k < array.count; k++)
            assert_int_equal(copy[k], k);
        tn__file_close(&file);
    }
}

/* --- refusing -------------------------------------------------------------------------------- */
static void other_dtypes_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const refused[][2] = {
        { "npy_object.npy", "'|O' cannot be read: Python objects, stored as a pickle" },
        { "npy_structured.npy", "structured dtype" },
        { "npy_text.npy", "'<U2' cannot be read: text" },
        { "npy_complex.npy", "'<c8' cannot be read: complex numbers" },
        { "npy_date.npy", "'<M8[s]' cannot be read: dates" },
        { "npy_void.npy", "'|V2' cannot be read: raw bytes" },
        { "npy_long.npy", "'<f16' cannot be read: numbers of this size" },
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        tn__file file = load(refused[i][0]);
        tn__npy array;
        assert_int_equal(tn__npy_open(file.span, &array), TN_UNIMPLEMENTED);
        CHECK_ERROR(TN_UNIMPLEMENTED, refused[i][1]);
        tn__file_close(&file);
    }
}

/* A version 1 file with this header and `data` zeros behind it. */
static tn_status open_header(const char *header, size_t data, tn__npy *array)
{
    uint8_t bytes[512] = "\x93NUMPY\1";
    size_t size = strlen(header);
    bytes[8] = (uint8_t)size;
    bytes[9] = (uint8_t)(size >> 8);
    memcpy(bytes + 10, header, size);
    assert_true(10 + size + data <= sizeof bytes);
    return tn__npy_open((tn__span){ bytes, 10 + size + data }, array);
}

static void headers_that_are_not_quite_right_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "{}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
        "{'descr': '<f4\\n', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4}",
        "{descr: '<f4', 'fortran_order': False, 'shape': (1,)}",
        "__import__('os')",
    };
    tn__npy array;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (open_header(bad[i], 8, &array) != TN_DATA_LOSS)
            fail_msg("%s", bad[i]);
        CHECK_ERROR(TN_DATA_LOSS, "npy: ");
    }
    CHECK_OK(open_header("{'descr': '=f4', 'fortran_order': False, 'shape': (2,)}", 8, &array));
    assert_true(tn__npy_is_plain(&array));
    CHECK_OK(open_header("{'descr': '<f8', 'fortran_order': False, 'shape': (9, 0, 4294967296, "
                         "4294967296)}",
                         0, &array));
    assert_int_equal(array.count, 0);
    assert_int_equal(open_header("{'descr': '<i3', 'fortran_order': True, 'shape': ()}", 8, &array),
                     TN_UNIMPLEMENTED);
    CHECK_ERROR(TN_UNIMPLEMENTED, "'<i3'");
}

static void too_many_dimensions_are_refused(void **state)
{
    (void)state;
    char header[512] = "{'descr': '|u1', 'fortran_order': False, 'shape': (";
    for (int i = 0; i <= TN__NPY_RANK; i++)
        strcat(header, "1, ");
    strcat(header, ")}");
    tn__npy array;
    assert_int_equal(open_header(header, 1, &array), TN_UNIMPLEMENTED);
    CHECK_ERROR(TN_UNIMPLEMENTED, "more than 32 dimensions");
}

static void unknown_files_and_versions_are_refused(void **state)
{
    (void)state;
    tn__npy array;
    assert_int_equal(tn__npy_open((tn__span){ (const uint8_t *)"PK\3\4....", 8 }, &array),
                     TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "does not start with");
    assert_int_equal(tn__npy_open((tn__span){ (const uint8_t *)"\x93NUMPY\4\0..", 10 }, &array),
                     TN_UNIMPLEMENTED);
    CHECK_ERROR(TN_UNIMPLEMENTED, "version 4.0");
    assert_int_equal(tn__npy_open((tn__span){ NULL, 0 }, &array), TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "does not start with");
}

static void read_anything(tn__span bytes)
{
    tn__npy array;
    if (tn__npy_open(bytes, &array) == TN_OK) {
        assert_true(array.data.size <= bytes.size);
        void *copy = malloc(array.data.size + 1);
        assert_non_null(copy);
        tn__npy_copy(&array, copy);
        free(copy);
    }
    tn__fail_clear();
}

static void no_mutation_or_truncation_reads_elsewhere(void **state)
{
    (void)state;
    static const char *const names[] = { "npy_fortran.npy", "npy_i2_big.npy", "npy_v2.npy",
                                         "npy_odd.npy" };
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        tn__file file = load(names[n]);
        for (size_t i = 0; i < file.span.size; i++) {
            uint8_t *bytes = malloc(file.span.size), *cut = malloc(i + 1);
            assert_true(bytes && cut);
            memcpy(cut, file.span.data, i);
            read_anything((tn__span){ cut, i });
            for (int bit = 0; bit < 8; bit++) {
                memcpy(bytes, file.span.data, file.span.size);
                bytes[i] ^= (uint8_t)(1 << bit);
                read_anything((tn__span){ bytes, file.span.size });
            }
            free(bytes);
            free(cut);
        }
        tn__file_close(&file);
    }
}

/* --- writing --------------------------------------------------------------------------------- */
static void check_same_file(const char *name, tn__npy_type type, int rank, const uint64_t *shape)
{
    tn__file file = load(name);
    tn__npy array;
    CHECK_OK(tn__npy_open(file.span, &array));
    tn__bytes written = { 0 };
    tn__writer *writer;
    CHECK_OK(tn__writer_to_memory(&written, &writer));
    CHECK_OK(tn__npy_write(writer, type, rank, shape, array.data.data));
    CHECK_OK(tn__writer_commit(writer));
    assert_int_equal(written.size, file.span.size);
    assert_memory_equal(written.data, file.span.data, written.size);
    tn__bytes_free(&written);
    tn__file_close(&file);
}

static void written_files_are_numpys_own(void **state)
{
    (void)state;
    const uint64_t shape[] = { 2, 3, 4 }, empty[] = { 3, 0, 2 };
    static const char *const kinds[] = { "b1", "i1", "i2", "i4", "i8", "u1",
                                         "u2", "u4", "u8", "f2", "f4", "f8" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char name[64];
        snprintf(name, sizeof name, "npy_%s.npy", kinds[i]);
        check_same_file(name, (tn__npy_type){ kinds[i][0], kinds[i][1] - '0', false }, 3, shape);
    }
    check_same_file("npy_scalar.npy", (tn__npy_type){ 'f', 8, false }, 0, NULL);
    check_same_file("npy_empty.npy", (tn__npy_type){ 'i', 4, false }, 3, empty);
}

static void what_numpy_cannot_say_is_not_written(void **state)
{
    (void)state;
    tn__bytes header = { 0 };
    assert_int_equal(tn__npy_header((tn__npy_type){ 'f', 3, false }, 0, NULL, &header),
                     TN_INTERNAL);
    CHECK_ERROR(TN_INTERNAL, "kind 'f' of 3 bytes");
    assert_int_equal(tn__npy_header((tn__npy_type){ 'f', 4, false }, 33, NULL, &header),
                     TN_INTERNAL);
    CHECK_ERROR(TN_INTERNAL, "rank 33");
    assert_null(header.data);
}

static bool write_one(void *self)
{
    (void)self;
    tn__bytes written = { 0 };
    tn__writer *writer;
    const uint64_t shape[] = { 2, 2 };
    const float data[] = { 1, 2, 3, 4 };
    if (tn__writer_to_memory(&written, &writer) != TN_OK)
        return false;
    if (tn__npy_write(writer, (tn__npy_type){ 'f', 4, false }, 2, shape, data) != TN_OK) {
        tn__writer_abort(writer);
        return false;
    }
    tn__npy array;
    bool done = tn__writer_commit(writer) == TN_OK &&
                tn__npy_open(tn__bytes_span(&written), &array) == TN_OK && array.count == 4;
    tn__bytes_free(&written);
    return done;
}

static void writing_survives_refused_allocations(void **state)
{
    (void)state;
    check_allocation_failures(write_one, NULL);
    size_t before = live_allocations();
    check_allocation_failures(write_one, NULL);
    assert_int_equal(live_allocations(), before);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_in_both_byte_orders_is_read),
        cmocka_unit_test(half_precision_bits_are_kept),
        cmocka_unit_test(bfloat16_is_told_from_raw_bytes_by_its_order),
        cmocka_unit_test(column_major_arrays_become_row_major),
        cmocka_unit_test(scalars_and_empty_arrays_are_read),
        cmocka_unit_test(every_version_and_spelling_is_read),
        cmocka_unit_test(other_dtypes_are_refused_by_name),
        cmocka_unit_test(headers_that_are_not_quite_right_are_refused),
        cmocka_unit_test(too_many_dimensions_are_refused),
        cmocka_unit_test(unknown_files_and_versions_are_refused),
        cmocka_unit_test(no_mutation_or_truncation_reads_elsewhere),
        cmocka_unit_test(written_files_are_numpys_own),
        cmocka_unit_test(what_numpy_cannot_say_is_not_written),
        cmocka_unit_test(writing_survives_refused_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
