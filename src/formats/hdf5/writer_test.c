/* writer_test.c - what is written is read back, and refused where HDF5 would refuse it.
 *
 * With a folder as argument the sample files are written there, for tests/interop/check_hdf5.py. */
#include "support/check.h"
#include "formats/hdf5/hdf5.h"
#include <stdlib.h>

static const float KERNEL[6] = { 1, -2, 3.5f, 4, 5, -0.0f };
static const uint64_t TWO_BY_THREE[] = { 2, 3 };
static const char *const TEXTS[] = { "one", "", "drei \xc3\xbc" };

/* --- samples ---------------------------------------------------------------------------------- */

static tn_status produce_count(void *self, tn__writer *writer)
{
    uint32_t from = 0, count = *(uint32_t *)self;
    for (; from < count; from++)
        TN_TRY(tn__write(writer, &from, sizeof from));
    return TN_OK;
}

static tn_status add_numbers(tn__h5_node *group)
{
    static const int64_t integers[] = { INT64_MIN, INT64_MAX };
    static const uint64_t two[] = { 2 }, none[] = { 0, 3 }, three[] = { 3 };
    static const double tenth = 0.1;
    static uint32_t count = 5000;
    const uint64_t counted[] = { count };
    TN_TRY(tn__h5_add_dataset(group, "f4", TN__H5_TYPE_FLOAT(4), 2, TWO_BY_THREE, KERNEL, NULL));
    TN_TRY(tn__h5_add_dataset(group, "f8", TN__H5_TYPE_FLOAT(8), 0, NULL, &tenth, NULL));
    TN_TRY(tn__h5_add_dataset(group, "f2", TN__H5_TYPE_FLOAT(2), 1, two, "\x00\x3c\x00\xc0", NULL));
    TN_TRY(tn__h5_add_dataset(group, "i1", TN__H5_TYPE_INT(1), 1, two, "\x80\x7f", NULL));
    TN_TRY(tn__h5_add_dataset(group, "u2", TN__H5_TYPE_UINT(2), 1, two, "\x01\x00\xff\xff", NULL));
    TN_TRY(tn__h5_add_dataset(group, "i8", TN__H5_TYPE_INT(8), 1, two, integers, NULL));
    TN_TRY(tn__h5_add_dataset(group, "u8", TN__H5_TYPE_UINT(8), 1, two, integers, NULL));
    TN_TRY(tn__h5_add_dataset(group, "bool", TN__H5_TYPE_BOOL, 1, three, "\1\0\1", NULL));
    TN_TRY(tn__h5_add_dataset(group, "opaque", TN__H5_TYPE_OPAQUE(2), 1, two, "\x80\x3f\x00\x40",
                              NULL));
    TN_TRY(tn__h5_add_dataset(group, "none", TN__H5_TYPE_FLOAT(4), 2, none, NULL, NULL));
    TN_TRY(tn__h5_add_dataset(group, "names", TN__H5_TYPE_STRING(4), 1, two, "ab\0\0abcd", NULL));
    TN_TRY(tn__h5_add_dataset(group, "texts", TN__H5_TYPE_TEXT, 1, three, TEXTS, NULL));
    return tn__h5_add_produced(group, "produced", TN__H5_TYPE_UINT(4), 1, counted, produce_count,
                               &count, NULL);
}

static tn_status add_attributes(tn__h5_node *node)
{
    static const uint64_t two[] = { 2 }, three[] = { 3 }, none[] = { 0 };
    TN_TRY(tn__h5_add_text(node, "keras_version", "2.15.0"));
    TN_TRY(tn__h5_add_text(node, "empty", ""));
    TN_TRY(tn__h5_add_attribute(node, "texts", TN__H5_TYPE_TEXT, 1, three, TEXTS));
    TN_TRY(tn__h5_add_attribute(node, "names", TN__H5_TYPE_STRING(7), 1, two, "dense\0\0dense_1"));
    TN_TRY(tn__h5_add_attribute(node, "no_names", TN__H5_TYPE_FLOAT(8), 1, none, NULL));
    TN_TRY(tn__h5_add_attribute(node, "number", TN__H5_TYPE_INT(4), 0, NULL, &(int32_t){ -5 }));
    TN_TRY(tn__h5_add_attribute(node, "numbers", TN__H5_TYPE_FLOAT(4), 2, TWO_BY_THREE, KERNEL));
    TN_TRY(tn__h5_add_attribute(node, "bool", TN__H5_TYPE_BOOL, 0, NULL, &(bool){ true }));
    return tn__h5_add_attribute(node, "l\xc3\xa4nge", TN__H5_TYPE_UINT(1), 0, NULL, "\x07");
}

/* Everything that can be written. */
static tn_status add_sample(tn__h5_node *root)
{
    tn__h5_node *group, *dataset;
    TN_TRY(add_attributes(root));
    TN_TRY(tn__h5_add_group(root, "numbers", &group));
    TN_TRY(add_numbers(group));
    TN_TRY(tn__h5_add_dataset(root, "model_weights/dense/dense/kernel:0", TN__H5_TYPE_FLOAT(4), 2,
                              TWO_BY_THREE, KERNEL, &dataset));
    TN_TRY(add_attributes(dataset));
    return tn__h5_add_group(root, "empty", NULL);
}

static tn_status add_many_links(tn__h5_node *root)
{
    char path[64];
    for (uint32_t i = 0; i < 5000; i++) {
        snprintf(path, sizeof path, "many/layer_%u", i * 7919 % 10007);
        TN_TRY(tn__h5_add_group(root, path, NULL));
    }
    return TN_OK;
}

/* A header far beyond 64 KB, the largest attribute there can be, and a text that is larger than any
 * attribute. */
static tn_status add_many_attributes(tn__h5_node *root)
{
    static char bytes[64512];
    static char text[300000];
    char name[32];
    const uint64_t size[] = { sizeof bytes };
    memset(bytes, 7, sizeof bytes);
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "large_%d", i);
        TN_TRY(tn__h5_add_attribute(root, name, TN__H5_TYPE_UINT(1), 1, size, bytes));
    }
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "attribute_%d", i);
        TN_TRY(tn__h5_add_text(root, name, name));
    }
    return tn__h5_add_text(root, "model_config", text);
}

/* --- writing and opening ---------------------------------------------------------------------- */

typedef tn_status (*fill_tree)(tn__h5_node *root);

static tn_status write_tree(fill_tree fill, tn__writer *writer)
{
    tn__h5_tree *tree;
    TN_TRY(tn__h5_tree_new(&tree));
    tn_status status = fill(tn__h5_tree_root(tree));
    if (status == TN_OK)
        status = tn__h5_tree_write(tree, writer);
    tn__h5_tree_free(tree);
    return status;
}

static tn_status write_to_memory(fill_tree fill, size_t before, tn__bytes *bytes)
{
    tn__writer *writer;
    *bytes = (tn__bytes){ 0 };
    TN_TRY(tn__writer_to_memory(bytes, &writer));
    tn_status status = TN_OK;
    for (size_t i = 0; i < before && status == TN_OK; i++)
        status = tn__write(writer, "?", 1);
    if (status == TN_OK)
        status = write_tree(fill, writer);
    if (status == TN_OK)
        return tn__writer_commit(writer);
    tn__writer_abort(writer);
    return status;
}

typedef struct {
    tn__bytes bytes;
    tn__h5 *file;
} sample;

static sample open_sample(fill_tree fill)
{
    sample made;
    CHECK_OK(write_to_memory(fill, 0, &made.bytes));
    CHECK_OK(tn__h5_open(tn__bytes_span(&made.bytes), NULL, &made.file));
    return made;
}

static void close_sample(sample *made)
{
    tn__h5_close(made->file);
    tn__bytes_free(&made->bytes);
}

static tn__h5_object *object_of(const sample *made, const char *path)
{
    tn__h5_object *object;
    CHECK_OK(tn__h5_get(tn__h5_root(made->file), path, &object));
    return object;
}

static void check_bytes(tn__h5_object *value, tn__h5_class class, int rank, const void *expected,
                        size_t size)
{
    const tn__h5_info *info;
    size_t needed;
    uint8_t data[512];
    CHECK_OK(tn__h5_info_of(value, &info));
    assert_int_equal(info->type.class, class);
    assert_int_equal(info->rank, rank);
    CHECK_OK(tn__h5_measure(value, &needed));
    assert_int_equal(needed, size);
    CHECK_OK(tn__h5_read(value, data, needed));
    assert_memory_equal(data, expected, size);
}

static void check_texts(tn__h5_object *value, const char *const *expected, size_t count)
{
    tn__h5_strings strings;
    CHECK_OK(tn__h5_read_strings(value, &strings));
    assert_int_equal(strings.count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(strings.item[i].text, expected[i]);
    tn__h5_strings_free(&strings);
}

static tn__h5_object *attribute_of(tn__h5_object *object, const char *name)
{
    tn__h5_object *attribute;
    CHECK_OK(tn__h5_attribute(object, name, &attribute));
    assert_non_null(attribute);
    return attribute;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void numbers_of_every_type_read_back(void **state)
{
    (void)state;
    static const int64_t integers[] = { INT64_MIN, INT64_MAX };
    sample made = open_sample(add_sample);
    check_bytes(object_of(&made, "numbers/f4"), TN__H5_FLOAT, 2, KERNEL, sizeof KERNEL);
    check_bytes(object_of(&made, "numbers/f8"), TN__H5_FLOAT, 0, &(double){ 0.1 }, 8);
    check_bytes(object_of(&made, "numbers/f2"), TN__H5_FLOAT, 1, "\x00\x3c\x00\xc0", 4);
    check_bytes(object_of(&made, "numbers/i1"), TN__H5_INTEGER, 1, "\x80\x7f", 2);
    check_bytes(object_of(&made, "numbers/u2"), TN__H5_INTEGER, 1, "\x01\x00\xff\xff", 4);
    check_bytes(object_of(&made, "numbers/i8"), TN__H5_INTEGER, 1, integers, 16);
    check_bytes(object_of(&made, "numbers/bool"), TN__H5_BOOL, 1, "\1\0\1", 3);
    check_bytes(object_of(&made, "numbers/opaque"), TN__H5_OPAQUE, 1, "\x80\x3f\x00\x40", 4);
    check_bytes(object_of(&made, "numbers/none"), TN__H5_FLOAT, 2, "", 0);
    check_bytes(object_of(&made, "numbers/names"), TN__H5_STRING, 1, "ab\0\0abcd", 8);
    check_texts(object_of(&made, "numbers/names"), (const char *const[]){ "ab", "abcd" }, 2);
    check_texts(object_of(&made, "numbers/texts"), TEXTS, 3);
    const tn__h5_info *info;
    CHECK_OK(tn__h5_info_of(object_of(&made, "numbers/i8"), &info));
    assert_true(info->type.is_signed);
    CHECK_OK(tn__h5_info_of(object_of(&made, "numbers/u8"), &info));
    assert_false(info->type.is_signed);
    close_sample(&made);
}

static void attributes_of_groups_and_datasets_read_back(void **state)
{
    (void)state;
    sample made = open_sample(add_sample);
    const char *paths[] = { "/", "/model_weights/dense/dense/kernel:0" };
    for (int i = 0; i < 2; i++) {
        const tn__h5_names *names;
        tn__h5_object *object = object_of(&made, paths[i]);
        CHECK_OK(tn__h5_attributes(object, &names));
        assert_int_equal(names->count, 9);
        check_texts(attribute_of(object, "keras_version"), (const char *const[]){ "2.15.0" }, 1);
        check_texts(attribute_of(object, "empty"), (const char *const[]){ "" }, 1);
        check_texts(attribute_of(object, "texts"), TEXTS, 3);
        check_texts(attribute_of(object, "names"), (const char *const[]){ "dense", "dense_1" }, 2);
        check_bytes(attribute_of(object, "no_names"), TN__H5_FLOAT, 1, "", 0);
        check_bytes(attribute_of(object, "number"), TN__H5_INTEGER, 0, &(int32_t){ -5 }, 4);
        check_bytes(attribute_of(object, "numbers"), TN__H5_FLOAT, 2, KERNEL, sizeof KERNEL);
        check_bytes(attribute_of(object, "bool"), TN__H5_BOOL, 0, "\1", 1);
        check_bytes(attribute_of(object, "l\xc3\xa4nge"), TN__H5_INTEGER, 0, "\x07", 1);
    }
    close_sample(&made);
}

static void produced_data_are_written_in_their_turn(void **state)
{
    (void)state;
    sample made = open_sample(add_sample);
    tn__h5_object *dataset = object_of(&made, "numbers/produced");
    static uint32_t data[5000];
    CHECK_OK(tn__h5_read(dataset, data, sizeof data));
    for (uint32_t i = 0; i < 5000; i++)
        assert_int_equal(data[i], i);
    close_sample(&made);
}

static void data_are_aligned_and_can_be_used_in_place(void **state)
{
    (void)state;
    sample made = open_sample(add_sample);
    tn__span there;
    CHECK_OK(tn__h5_in_place(object_of(&made, "model_weights/dense/dense/kernel:0"), &there));
    assert_int_equal((there.data - made.bytes.data) % 64, 0);
    assert_memory_equal(there.data, KERNEL, sizeof KERNEL);
    CHECK_OK(tn__h5_in_place(object_of(&made, "numbers/bool"), &there));
    assert_null(there.data);
    close_sample(&made);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void thousands_of_links_are_listed_by_name_and_found(void **state)
{
    (void)state;
    static char expected[5000][32];
    sample made = open_sample(add_many_links);
    const tn__h5_names *names;
    tn__h5_object *many = object_of(&made, "many"), *found;
    for (uint32_t i = 0; i < 5000; i++)
        snprintf(expected[i], sizeof expected[i], "layer_%u", i * 7919 % 10007);
    qsort(expected, 5000, sizeof expected[0], by_text);
    CHECK_OK(tn__h5_list(many, &names));
    assert_int_equal(names->count, 5000);
    for (size_t i = 0; i < names->count; i++) {
        assert_string_equal(names->item[i], expected[i]);
        CHECK_OK(tn__h5_get(many, expected[i], &found));
        assert_int_equal(tn__h5_kind_of(found), TN__H5_GROUP);
    }
    close_sample(&made);
}

static void a_header_may_be_longer_than_one_attribute(void **state)
{
    (void)state;
    sample made = open_sample(add_many_attributes);
    const tn__h5_names *names;
    tn__h5_object *root = tn__h5_root(made.file);
    tn__h5_strings strings;
    CHECK_OK(tn__h5_attributes(root, &names));
    assert_int_equal(names->count, 2004);
    check_texts(attribute_of(root, "attribute_1999"), (const char *const[]){ "attribute_1999" }, 1);
    CHECK_OK(tn__h5_read_strings(attribute_of(root, "model_config"), &strings));
    assert_int_equal(strings.item[0].size, 299999);
    tn__h5_strings_free(&strings);
    close_sample(&made);
}

static void a_file_can_stand_behind_other_bytes(void **state)
{
    (void)state;
    tn__bytes alone, behind;
    CHECK_OK(write_to_memory(add_sample, 0, &alone));
    CHECK_OK(write_to_memory(add_sample, 137, &behind));
    assert_int_equal(behind.size, alone.size + 137);
    assert_memory_equal(behind.data + 137, alone.data, alone.size);
    tn__bytes_free(&alone);
    tn__bytes_free(&behind);
}

static void names_that_are_taken_are_refused_in_h5pys_words(void **state)
{
    (void)state;
    tn__h5_tree *tree;
    CHECK_OK(tn__h5_tree_new(&tree));
    tn__h5_node *root = tn__h5_tree_root(tree), *group, *found;
    CHECK_OK(tn__h5_add_group(root, "a/b", &group));
    CHECK_OK(tn__h5_add_dataset(group, "d", TN__H5_TYPE_FLOAT(4), 2, TWO_BY_THREE, KERNEL, NULL));
    assert_int_equal(
        tn__h5_add_dataset(root, "/a//b/./d", TN__H5_TYPE_FLOAT(4), 0, NULL, KERNEL, NULL),
        TN_ALREADY_EXISTS);
    CHECK_ERROR(TN_ALREADY_EXISTS,
                "Unable to create dataset (name already exists)\n'/a/b/d' is there as a dataset");
    assert_int_equal(tn__h5_add_group(root, "a", NULL), TN_ALREADY_EXISTS);
    CHECK_ERROR(TN_ALREADY_EXISTS,
                "Unable to create group (name already exists)\n'/a' is there as a group");
    assert_int_equal(tn__h5_add_group(group, "d/below", NULL), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "'/a/b/d' is a dataset, not a group");
    assert_int_equal(tn__h5_add_group(root, "/", NULL), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "no name given");
    CHECK_OK(tn__h5_add_text(group, "t", "x"));
    assert_int_equal(tn__h5_add_text(group, "t", "y"), TN_ALREADY_EXISTS);
    CHECK_ERROR(TN_ALREADY_EXISTS, "Unable to create attribute (name already exists)");
    CHECK_OK(tn__h5_node_find(root, "a/b", &found));
    assert_ptr_equal(found, group);
    CHECK_OK(tn__h5_node_find(root, "a/c", &found));
    assert_null(found);
    tn__h5_tree_free(tree);
}

static void what_hdf5_cannot_hold_is_refused(void **state)
{
    (void)state;
    static const char bytes[65600];
    tn__h5_tree *tree;
    const uint64_t most[] = { 65400 }, more[] = { 65500 }, huge[] = { UINT64_MAX, UINT64_MAX };
    CHECK_OK(tn__h5_tree_new(&tree));
    tn__h5_node *root = tn__h5_tree_root(tree);
    CHECK_OK(tn__h5_add_attribute(root, "fits", TN__H5_TYPE_UINT(1), 1, most, bytes));
    assert_int_equal(tn__h5_add_attribute(root, "a", TN__H5_TYPE_UINT(1), 1, more, bytes),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT,
                "Unable to create attribute (object header message is too large)");
    assert_int_equal(tn__h5_add_dataset(root, "d", TN__H5_TYPE_FLOAT(4), 2, huge, bytes, NULL),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "runs over");
    assert_int_equal(tn__h5_add_dataset(root, "d", TN__H5_TYPE_FLOAT(3), 0, NULL, bytes, NULL),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "class float with 3 bytes");
    assert_int_equal(tn__h5_add_dataset(root, "d", TN__H5_TYPE_STRING(0), 0, NULL, bytes, NULL),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "class string with 0 bytes");
    assert_int_equal(tn__h5_add_dataset(root, "d", TN__H5_TYPE_FLOAT(4), 33, NULL, bytes, NULL),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "33 dimensions");
    assert_int_equal(tn__h5_add_dataset(root, "d", TN__H5_TYPE_FLOAT(4), 0, NULL, NULL, NULL),
                     TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "no data were given");
    tn__h5_tree_free(tree);
}

static tn_status add_wrong_producer(tn__h5_node *root)
{
    static uint32_t count = 7;
    return tn__h5_add_produced(root, "d", TN__H5_TYPE_UINT(4), 2, TWO_BY_THREE, produce_count,
                               &count, NULL);
}

static void data_of_another_size_than_declared_are_an_error(void **state)
{
    (void)state;
    tn__bytes bytes;
    assert_int_equal(write_to_memory(add_wrong_producer, 0, &bytes), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "28 bytes were produced, expected 24");
}

static bool write_sample(void *self)
{
    tn__bytes bytes;
    bool done = write_to_memory(self ? add_many_attributes : add_sample, 0, &bytes) == TN_OK;
    tn__bytes_free(&bytes);
    return done;
}

static void refused_allocations_are_errors_and_leak_nothing(void **state)
{
    (void)state;
    check_allocation_failures(write_sample, NULL);
}

static int write_samples(const char *folder)
{
    static const struct {
        const char *name;
        fill_tree fill;
    } samples[] = { { "sample.h5", add_sample },
                    { "links.h5", add_many_links },
                    { "attributes.h5", add_many_attributes } };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        char path[1024];
        tn__writer *writer;
        snprintf(path, sizeof path, "%s/%s", folder, samples[i].name);
        tn_must(tn__writer_open(path, false, &writer));
        tn_must(write_tree(samples[i].fill, writer));
        tn_must(tn__writer_commit(writer));
    }
    return tn_report();
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_every_type_read_back),
        cmocka_unit_test(attributes_of_groups_and_datasets_read_back),
        cmocka_unit_test(produced_data_are_written_in_their_turn),
        cmocka_unit_test(data_are_aligned_and_can_be_used_in_place),
        cmocka_unit_test(thousands_of_links_are_listed_by_name_and_found),
        cmocka_unit_test(a_header_may_be_longer_than_one_attribute),
        cmocka_unit_test(a_file_can_stand_behind_other_bytes),
        cmocka_unit_test(names_that_are_taken_are_refused_in_h5pys_words),
        cmocka_unit_test(what_hdf5_cannot_hold_is_refused),
        cmocka_unit_test(data_of_another_size_than_declared_are_an_error),
        cmocka_unit_test(refused_allocations_are_errors_and_leak_nothing),
    };
    if (count > 1)
        return write_samples(arguments[1]);
    tests_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
