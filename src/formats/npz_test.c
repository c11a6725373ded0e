/* npz_test.c - NumPy's archives of arrays, read and written. */
#include "support/check.h"
#include "formats/npz.h"
#include <stdlib.h>

static tn__file load(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "src/formats/testdata/%s", name);
    tn__file file;
    CHECK_OK(tn__file_read(path, 1 << 20, &file));
    return file;
}

static void check_array(tn__npz *npz, const char *name, char kind, int size, size_t count,
                        const void *expected)
{
    size_t index;
    assert_true(tn__npz_find(npz, name, &index));
    tn__npy array;
    tn__bytes store;
    CHECK_OK(tn__npz_read(npz, index, &array, &store));
    assert_int_equal(array.type.kind, kind);
    assert_int_equal(array.type.size, size);
    assert_int_equal(array.count, count);
    uint8_t copy[256];
    tn__npy_copy(&array, copy);
    assert_memory_equal(copy, expected, count * (size_t)size);
    tn__bytes_free(&store);
}

static void arrays_of_numpy_are_read(void **state)
{
    (void)state;
    static const char *const names[] = { "npz_stored.npz", "npz_compressed.npz" };
    float x[12];
    for (int i = 0; i < 12; i++)
        x[i] = (float)i;
    const int64_t y[] = { 0, 1, 2 };
    for (int i = 0; i < 2; i++) {
        tn__file file = load(names[i]);
        tn__npz *npz;
        CHECK_OK(tn__npz_open(file.span, NULL, &npz));
        assert_int_equal(tn__npz_count(npz), 4);
        assert_string_equal(tn__npz_name(npz, 0), "x_train");
        assert_string_equal(tn__npz_name(npz, 3), "scalar");
        check_array(npz, "x_train", 'f', 4, 12, x);
        check_array(npz, "y_train.npy", 'i', 8, 3, y);
        check_array(npz, "fortran", 'u', 1, 6, "\0\1\2\3\4\5");
        check_array(npz, "scalar", 'b', 1, 1, "\1");
        size_t index;
        assert_false(tn__npz_find(npz, "x_test", &index));
        assert_false(tn__npz_find(npz, ".npy", &index));
        tn__npz_close(npz);
        tn__file_close(&file);
    }
    tn__npz_close(NULL);
}

static tn_status write_archive(tn__writer *out)
{
    tn__zip_writer *zip;
    TN_TRY(tn__zip_writer_open(out, &zip));
    const uint64_t shape[] = { 2, 3 };
    const float x[] = { 1, 2, 3, 4, 5, 6 };
    const int32_t step = 7;
    tn_status status = tn__npz_add(zip, "x", (tn__npy_type){ 'f', 4, false }, 2, shape, x);
    if (status == TN_OK)
        status = tn__npz_add(zip, "step", (tn__npy_type){ 'i', 4, false }, 0, NULL, &step);
    if (status == TN_OK)
        status = tn__zip_add(zip, "readme.txt", TN__ZIP_STORED, "no array", 8);
    if (status == TN_OK)
        return tn__zip_finish(zip);
    tn__zip_writer_free(zip);
    return status;
}

static void what_is_written_is_read_back_aligned(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 }, store;
    tn__writer *out;
    CHECK_OK(tn__writer_to_memory(&bytes, &out));
    CHECK_OK(write_archive(out));
    CHECK_OK(tn__writer_commit(out));
    tn__npz *npz;
    CHECK_OK(tn__npz_open(tn__bytes_span(&bytes), NULL, &npz));
    assert_int_equal(tn__npz_count(npz), 2); /* the text is no array */
    const float x[] = { 1, 2, 3, 4, 5, 6 };
    check_array(npz, "x", 'f', 4, 6, x);
    check_array(npz, "step", 'i', 4, 1, "\7\0\0\0");
    tn__npy array;
    CHECK_OK(tn__npz_read(npz, 0, &array, &store));
    assert_null(store.data);
    assert_true(tn__npy_is_plain(&array));
    assert_int_equal((array.data.data - bytes.data) % 64, 0);
    tn__npz_close(npz);
    tn__bytes_free(&bytes);
}

static void a_damaged_array_is_named(void **state)
{
    (void)state;
    tn__file file = load("npz_stored.npz");
    uint8_t *bytes = malloc(file.span.size);
    assert_non_null(bytes);
    memcpy(bytes, file.span.data, file.span.size);
    bytes[200] ^= 1;
    tn__npz *npz;
    tn__npy array;
    tn__bytes store;
    CHECK_OK(tn__npz_open((tn__span){ bytes, file.span.size }, NULL, &npz));
    assert_int_equal(tn__npz_read(npz, 0, &array, &store), TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "in the array 'x_train'");
    assert_null(store.data);
    assert_null(array.data.data);
    tn__npz_close(npz);
    free(bytes);
    tn__file_close(&file);
}

static bool write_and_read(void *self)
{
    tn__bytes bytes = { 0 }, store = { 0 };
    tn__writer *out;
    if (tn__writer_to_memory(&bytes, &out) != TN_OK)
        return false;
    if (write_archive(out) != TN_OK) {
        tn__writer_abort(out);
        return false;
    }
    tn__npz *npz = NULL;
    tn__npy array;
    const tn__file *compressed = self;
    bool done = tn__writer_commit(out) == TN_OK &&
                tn__npz_open(tn__bytes_span(&bytes), NULL, &npz) == TN_OK &&
                tn__npz_read(npz, 1, &array, &store) == TN_OK;
    tn__npz_close(npz);
    tn__bytes_free(&bytes);
    done = done && tn__npz_open(compressed->span, NULL, &npz) == TN_OK;
    if (done) {
        done = tn__npz_read(npz, 0, &array, &store) == TN_OK;
        tn__bytes_free(&store);
        tn__npz_close(npz);
    }
    return done;
}

static void archives_survive_refused_allocations(void **state)
{
    (void)state;
    tn__file file = load("npz_compressed.npz");
    check_allocation_failures(write_and_read, &file);
    size_t before = live_allocations();
    check_allocation_failures(write_and_read, &file);
    assert_int_equal(live_allocations(), before);
    tn__file_close(&file);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_of_numpy_are_read),
        cmocka_unit_test(what_is_written_is_read_back_aligned),
        cmocka_unit_test(a_damaged_array_is_named),
        cmocka_unit_test(archives_survive_refused_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
