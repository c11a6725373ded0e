/* hdf5_test.c - reading: files of h5py and PyTables against what h5py itself reads from them,
 * damaged files, and limits.
 *
 * With a folder as argument only the files there are compared with the folder's expected.json
 * (make_hdf5.py --describe). */
#include "support/check.h"
#include "formats/hdf5/internal.h"
#include "base/text.h"
#include <jansson.h>
#include <stdlib.h>
#include <zlib.h>

static const char *const DATA = "src/formats/hdf5/testdata";

/* What is being compared, told when a test fails. */
static char where[512];

static tn__file read_file(const char *folder, const char *name)
{
    tn__file file;
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK_OK(tn__file_read(path, (uint64_t)1 << 32, &file));
    return file;
}

/* --- against h5py
 * -----------------------------------------------------------------------------------------------------
 */

static uint32_t crc_of(const void *data, size_t size)
{
    return (uint32_t)crc32(0, data, (uInt)size);
}

static void check_elements(tn__h5_object *value, const tn__h5_info *info, uint32_t crc)
{
    if (info->type.class == TN__H5_STRING || info->type.class == TN__H5_TEXT) {
        tn__h5_strings strings;
        uLong sum = crc32(0, NULL, 0);
        CHECK_OK(tn__h5_read_strings(value, &strings));
        assert_int_equal(strings.count, info->count);
        for (size_t i = 0; i < strings.count; i++)
            sum = crc32(sum, (const Bytef *)strings.item[i].text, (uInt)strings.item[i].size + 1);
        assert_int_equal((uint32_t)sum, crc);
        tn__h5_strings_free(&strings);
        return;
    }
    size_t size;
    tn__span there;
    CHECK_OK(tn__h5_measure(value, &size));
    assert_int_equal(size, info->count * info->type.size);
    uint8_t *data = tn__alloc(size);
    CHECK_OK(tn__h5_read(value, data, size));
    assert_int_equal(crc_of(data, size), crc);
    CHECK_OK(tn__h5_in_place(value, &there));
    if (there.data) {
        assert_int_equal(there.size, size);
        assert_memory_equal(there.data, data, size);
    }
    tn__free(data);
}

/* [class, size, shape, count, CRC] */
static void check_value(tn__h5_object *value, const json_t *expected)
{
    const tn__h5_info *info;
    CHECK_OK(tn__h5_info_of(value, &info));
    const json_t *shape = json_array_get(expected, 2), *crc = json_array_get(expected, 4);
    assert_string_equal(tn__h5_class_name(info->type.class),
                        json_string_value(json_array_get(expected, 0)));
    if (info->type.class != TN__H5_TEXT && info->type.class != TN__H5_SEQUENCE)
        assert_int_equal(info->type.size, json_integer_value(json_array_get(expected, 1)));
    assert_int_equal(info->is_null, json_is_null(shape));
    assert_int_equal(info->count, json_integer_value(json_array_get(expected, 3)));
    assert_int_equal(info->rank, json_array_size(shape));
    for (int i = 0; i < info->rank; i++)
        assert_int_equal(info->dims[i], json_integer_value(json_array_get(shape, (size_t)i)));
    if (!json_is_null(crc))
        check_elements(value, info, (uint32_t)json_integer_value(crc));
}

static void check_names(const tn__h5_names *names, const json_t *crc)
{
    uLong sum = crc32(0, NULL, 0);
    for (size_t i = 0; i < names->count; i++)
        sum = crc32(sum, (const Bytef *)names->item[i], (uInt)strlen(names->item[i]) + 1);
    assert_int_equal((uint32_t)sum, json_integer_value(crc));
}

static void check_attributes(tn__h5_object *object, const json_t *expected)
{
    const tn__h5_names *names;
    json_t *attributes = json_object_get(expected, "attributes"), *value;
    const char *name;
    CHECK_OK(tn__h5_attributes(object, &names));
    assert_int_equal(names->count, json_object_size(attributes));
    if (names->count)
        check_names(names, json_object_get(expected, "attribute_order"));
    json_object_foreach(attributes, name, value)
    {
        tn__h5_object *attribute;
        CHECK_OK(tn__h5_attribute(object, name, &attribute));
        assert_non_null(attribute);
        check_value(attribute, value);
    }
}

static void check_layout(tn__h5_object *dataset, const json_t *expected)
{
    static const char *const names[] = { "compact", "contiguous", "chunked", "virtual",
                                         "external" };
    const tn__h5_info *info;
    CHECK_OK(tn__h5_info_of(dataset, &info));
    assert_string_equal(names[info->layout],
                        json_string_value(json_object_get(expected, "layout")));
    const json_t *chunk = json_object_get(expected, "chunk"),
                 *filters = json_object_get(expected, "filters");
    for (size_t i = 0; i < json_array_size(chunk); i++)
        assert_int_equal(info->chunk[i], json_integer_value(json_array_get(chunk, i)));
    assert_int_equal(info->filter_count, json_array_size(filters));
    for (size_t i = 0; i < json_array_size(filters); i++)
        assert_int_equal(info->filters[i], json_integer_value(json_array_get(filters, i)));
}

/* Not read, and said so by name. */
static void check_refused(tn__h5_object *dataset, const json_t *error)
{
    size_t size;
    char byte;
    tn__h5_strings strings;
    assert_int_equal(tn__h5_measure(dataset, &size), TN_UNIMPLEMENTED);
    CHECK_ERROR(TN_UNIMPLEMENTED, json_string_value(error));
    assert_int_equal(tn__h5_read(dataset, &byte, 1), TN_UNIMPLEMENTED);
    CHECK_ERROR(TN_UNIMPLEMENTED, json_string_value(error));
    assert_int_equal(tn__h5_read_strings(dataset, &strings), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "not strings");
}

static void check_object(tn__h5_object *object, const json_t *expected)
{
    const char *kind = json_string_value(json_object_get(expected, "kind"));
    const json_t *error = json_object_get(expected, "error");
    static const char *const kinds[] = { "group", "dataset", "type" };
    assert_string_equal(kinds[tn__h5_kind_of(object)], kind);
    check_attributes(object, expected);
    if (tn__h5_kind_of(object) == TN__H5_GROUP) {
        const tn__h5_names *names;
        const json_t *members = json_object_get(expected, "members");
        CHECK_OK(tn__h5_list(object, &names));
        assert_int_equal(names->count, json_integer_value(json_array_get(members, 0)));
        check_names(names, json_array_get(members, 1));
    } else if (tn__h5_kind_of(object) == TN__H5_DATASET) {
        check_value(object, json_object_get(expected, "value"));
        check_layout(object, expected);
        if (error)
            check_refused(object, error);
    }
}

static void check_path(tn__h5 *file, const char *path, const json_t *expected)
{
    tn__h5_object *object, *same;
    const json_t *error = json_object_get(expected, "error");
    snprintf(where + strlen(where), sizeof where - strlen(where), ":%s", path);
    if (error && !json_object_get(expected, "kind")) {
        assert_int_not_equal(tn__h5_find(tn__h5_root(file), path, &object), TN_OK);
        CHECK_ERROR(tn_pending(), json_string_value(error));
        return;
    }
    CHECK_OK(tn__h5_find(tn__h5_root(file), path, &object));
    if (json_is_null(expected)) {
        assert_null(object);
        return;
    }
    assert_non_null(object);
    const char *first = json_string_value(json_object_get(expected, "same"));
    if (!first) {
        check_object(object, expected);
        return;
    }
    CHECK_OK(tn__h5_find(tn__h5_root(file), first, &same));
    assert_ptr_equal(object, same);
}

static size_t compare_file(const char *folder, const char *name, const json_t *expected)
{
    tn__h5 *file;
    const char *path;
    json_t *object;
    size_t compared = 0;
    tn__file bytes = read_file(folder, name);
    if (json_object_get(json_object_get(expected, "/"), "error")) {
        assert_int_equal(tn__h5_open(bytes.span, NULL, &file), TN_OK);
        tn__h5_close(file);
        tn__file_close(&bytes);
        return 0;
    }
    CHECK_OK(tn__h5_open(bytes.span, NULL, &file));
    json_object_foreach((json_t *)(uintptr_t)expected, path, object)
    {
        snprintf(where, sizeof where, "%s", name);
        check_path(file, path, object);
        compared++;
    }
    tn__h5_close(file);
    tn__file_close(&bytes);
    return compared;
}

static size_t compare_folder(const char *folder, bool print)
{
    char path[1024];
    json_error_t error;
    json_t *all, *expected;
    const char *name;
    size_t compared = 0;
    snprintf(path, sizeof path, "%s/expected.json", folder);
    all = json_load_file(path, 0, &error);
    assert_non_null(all);
    json_object_foreach(all, name, expected)
    {
        size_t count = compare_file(folder, name, expected);
        compared += count;
        if (print)
            print_message("%s: %zu objects as h5py reads them\n", name, count);
    }
    json_decref(all);
    return compared;
}

static void files_of_h5py_and_pytables_read_as_h5py_reads_them(void **state)
{
    (void)state;
    assert_true(compare_folder(DATA, false) > 500);
}

static const char *given_folder;

static void files_of_the_folder_read_as_h5py_reads_them(void **state)
{
    (void)state;
    print_message("%zu objects\n", compare_folder(given_folder, true));
}

int main(int count, char **arguments)
{
    const struct CMUnitTest given[] = { cmocka_unit_test(
        files_of_the_folder_read_as_h5py_reads_them) };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_h5py_and_pytables_read_as_h5py_reads_them),
    };
    tests_begin();
    if (count > 1) {
        given_folder = arguments[1];
        return cmocka_run_group_tests(given, NULL, NULL);
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed)
        print_error("last compared: %s\n", where);
    return failed;
}
