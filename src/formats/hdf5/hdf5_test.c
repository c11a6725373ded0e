/* hdf5_test.c - reading: files of h5py and PyTables against what h5py itself reads from them,
 * damaged files, and limits.
 *
 * With a folder as argument only the files there are compared with the folder's expected.json
 * (make_hdf5.py --describe). */
#include "support/check.h"
#include "support/damage.h"
#include "formats/hdf5/internal.h"
#include "formats/hdf5/hdf5_fuzz.c" /* its walk through everything */
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

/* --- against h5py ----------------------------------------------------------------------------- */

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

/* A few of the files that tests/interop/hdf5_matrix.py makes; `make interop` compares them all. */
static void every_feature_reads_as_h5py_reads_it_or_is_refused_by_name(void **state)
{
    (void)state;
    char folder[512];
    snprintf(folder, sizeof folder, "%s/matrix", DATA);
    assert_true(compare_folder(folder, false) > 400);
}

/* --- what is refused -------------------------------------------------------------------------- */

typedef struct {
    tn__file bytes;
    tn__h5 *file;
} opened;

static opened open_data(const char *name, const tn__h5_limits *limits)
{
    opened data = { .bytes = read_file(DATA, name) };
    CHECK_OK(tn__h5_open(data.bytes.span, limits, &data.file));
    return data;
}

static void close_data(opened *data)
{
    tn__h5_close(data->file);
    tn__file_close(&data->bytes);
}

static void check_not_read(const opened *data, const char *path, tn_status status, const char *text)
{
    tn__h5_object *object;
    size_t size;
    CHECK_OK(tn__h5_get(tn__h5_root(data->file), path, &object));
    assert_int_equal(tn__h5_measure(object, &size), status);
    CHECK_ERROR(status, text);
}

static void sizes_that_the_stored_bytes_cannot_hold_are_refused(void **state)
{
    (void)state;
    opened data = open_data("bombs.h5", NULL);
    tn__h5_object *object;
    tn__h5_strings strings;
    size_t size;
    check_not_read(&data, "never_written", TN_DATA_LOSS,
                   "declares 4194304 bytes but only 0 are stored");
    check_not_read(&data, "chunks_never_written", TN_RESOURCE_EXHAUSTED,
                   "the limit is 4294967296 bytes");
    check_not_read(&data, "one_chunk", TN_DATA_LOSS, "declares 4194304 bytes but only 64 are");
    CHECK_OK(tn__h5_get(tn__h5_root(data.file), "texts_never_written", &object));
    assert_int_equal(tn__h5_read_strings(object, &strings), TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "potential decompression/shape bomb");
    CHECK_OK(tn__h5_get(tn__h5_root(data.file), "zeros", &object));
    CHECK_OK(tn__h5_measure(object, &size));
    assert_int_equal(size, 1 << 18);
    close_data(&data);
}

/* A file of 16 datasets of 8 KB that all say to be where the first one is. */
static tn_status write_overlapping(tn__bytes *bytes)
{
    static const uint8_t data[8192];
    const uint64_t size[] = { sizeof data };
    tn__h5_tree *tree;
    tn__writer *writer;
    char name[16];
    TN_TRY(tn__h5_tree_new(&tree));
    for (int i = 0; i < 16; i++) {
        snprintf(name, sizeof name, "d%d", i);
        TN_TRY(tn__h5_add_dataset(tn__h5_tree_root(tree), name, TN__H5_TYPE_UINT(1), 1, size, data,
                                  NULL));
    }
    TN_TRY(tn__writer_to_memory(bytes, &writer));
    TN_TRY(tn__h5_tree_write(tree, writer));
    TN_TRY(tn__writer_commit(writer));
    tn__h5_tree_free(tree);
    uint64_t first = bytes->size - 16 * sizeof data;
    for (size_t at = 0; at + 10 < first; at++)
        if (bytes->data[at] == 3 && bytes->data[at + 1] == 1 && bytes->data[at + 11] == 0x20)
            memcpy(bytes->data + at + 2, &first, 8);
    bytes->size = first + sizeof data;
    memcpy(bytes->data + 40, &(uint64_t){ bytes->size }, 8);
    return TN_OK;
}

static void values_that_share_their_bytes_are_refused_before_that_adds_up(void **state)
{
    (void)state;
    tn__bytes bytes;
    tn__h5 *file;
    tn__h5_object *object;
    char name[16];
    size_t size;
    int fine = 0;
    CHECK_OK(write_overlapping(&bytes));
    CHECK_OK(tn__h5_open(tn__bytes_span(&bytes), NULL, &file));
    for (int i = 0; i < 16; i++) {
        snprintf(name, sizeof name, "d%d", i);
        CHECK_OK(tn__h5_get(tn__h5_root(file), name, &object));
        fine += tn__h5_measure(object, &size) == TN_OK;
        if (fine == i + 1)
            CHECK_OK(tn__h5_measure(object, &size)); /* as often as one likes */
        else
            CHECK_ERROR(TN_DATA_LOSS, "overlap with other data");
    }
    assert_in_range(fine, 8, 15);
    tn__h5_close(file);
    tn__bytes_free(&bytes);
}

static void limits_are_the_callers(void **state)
{
    (void)state;
    tn__h5_limits few = { .decoded = 1000 }, dense = { .ratio = 100, .free = 1 };
    opened data = open_data("bombs.h5", &few);
    check_not_read(&data, "zeros", TN_RESOURCE_EXHAUSTED, "the limit is 1000 bytes");
    close_data(&data);
    data = open_data("bombs.h5", &dense);
    check_not_read(&data, "zeros", TN_DATA_LOSS, "cannot stand for 65536");
    close_data(&data);
    tn__h5_limits many = { .free = 1 << 23 };
    data = open_data("bombs.h5", &many);
    tn__h5_object *object;
    size_t size;
    CHECK_OK(tn__h5_get(tn__h5_root(data.file), "never_written", &object));
    CHECK_OK(tn__h5_measure(object, &size));
    close_data(&data);
}

static void messages_shared_through_a_heap_are_refused_by_name(void **state)
{
    (void)state;
    tn__h5_object *object;
    const tn__h5_info *info;
    opened data = open_data("shared.h5", NULL);
    CHECK_OK(tn__h5_get(tn__h5_root(data.file), "d2", &object));
    assert_int_equal(tn__h5_info_of(object, &info), TN_UNIMPLEMENTED);
    CHECK_ERROR(TN_UNIMPLEMENTED, "shared through a heap");
    close_data(&data);
}

static void what_is_not_there_is_said_in_h5pys_words(void **state)
{
    (void)state;
    opened data = open_data("keras.h5", NULL);
    tn__h5_object *object, *group;
    const tn__h5_names *names;
    const tn__h5_info *info;
    CHECK_OK(tn__h5_get(tn__h5_root(data.file), "model_weights", &group));
    CHECK_OK(tn__h5_find(group, "dense_2", &object));
    assert_null(object);
    CHECK_OK(tn__h5_find(group, "dense/dense/kernel:0/below", &object));
    assert_null(object);
    assert_int_equal(tn__h5_get(group, "dense_2", &object), TN_NOT_FOUND);
    CHECK_ERROR(TN_NOT_FOUND, "Unable to open object (object 'dense_2' doesn't exist)");
    CHECK_OK(tn__h5_attribute(group, "absent", &object));
    assert_null(object);
    assert_int_equal(tn__h5_info_of(group, &info), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "group '/model_weights' is not a dataset");
    CHECK_OK(tn__h5_get(group, "/model_weights/dense/dense/bias:0", &object));
    assert_string_equal(tn__h5_path(object), "/model_weights/dense/dense/bias:0");
    assert_int_equal(tn__h5_list(object, &names), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "is not a group");
    close_data(&data);
}

static void room_of_another_size_is_refused(void **state)
{
    (void)state;
    opened data = open_data("keras.h5", NULL);
    tn__h5_object *object;
    float room[4];
    CHECK_OK(tn__h5_get(tn__h5_root(data.file), "model_weights/dense/dense/bias:0", &object));
    assert_int_equal(tn__h5_read(object, room, sizeof room), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "has 12 bytes, room was given for 16");
    close_data(&data);
}

/* --- damage ----------------------------------------------------------------------------------- */

static void check_open_fails(const uint8_t *bytes, size_t size, tn_status status, const char *text)
{
    tn__h5 *file;
    assert_int_equal(tn__h5_open((tn__span){ bytes, size }, NULL, &file), status);
    assert_null(file);
    CHECK_ERROR(status, text);
}

static void damage_is_told_with_its_place(void **state)
{
    (void)state;
    tn__file file = read_file(DATA, "latest.h5");
    uint8_t *copy = copy_of(file.span, file.span.size);
    check_open_fails(copy, file.span.size - 1, TN_DATA_LOSS, "cut off: it should have 29507 bytes");
    check_open_fails(copy, 7, TN_DATA_LOSS, "not an HDF5 file");
    check_open_fails(copy, 0, TN_DATA_LOSS, "not an HDF5 file");
    check_open_fails(copy, 20, TN_DATA_LOSS, "the superblock is too short");
    copy[60] ^= 1;
    check_open_fails(copy, file.span.size, TN_DATA_LOSS,
                     "damaged at byte 48: object header: the checksum is wrong");
    copy[60] ^= 1, copy[50] ^= 1;
    check_open_fails(copy, file.span.size, TN_DATA_LOSS, "damaged at byte 48: no object header");
    copy[8] = 9;
    check_open_fails(copy, file.span.size, TN_UNIMPLEMENTED, "superblock version 9");
    free(copy);
    tn__file_close(&file);
}

static uint32_t next_random(uint64_t *random)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*random >> 33);
}

/* A few bytes become others: any, the extremes, or their neighbours. */
static void damage_bytes(uint8_t *bytes, size_t size, uint64_t *random)
{
    for (uint32_t count = 1 + next_random(random) % 3; count > 0; count--) {
        uint8_t *byte = &bytes[next_random(random) % size];
        switch (next_random(random) % 5) {
        case 0:
            *byte = 0;
            break;
        case 1:
            *byte = 0xff;
            break;
        case 2:
            *byte += 1;
            break;
        case 3:
            *byte ^= (uint8_t)(1 << next_random(random) % 8);
            break;
        default:
            *byte = (uint8_t)next_random(random);
        }
    }
}

/* How often each file is damaged; TENON_MUTATIONS asks for more. */
static int mutations(void)
{
    const char *asked = getenv("TENON_MUTATIONS");
    return asked ? atoi(asked) : 40;
}

static void damage_file(const char *name, uint64_t *random)
{
    tn__file file = read_file(DATA, name);
    size_t size = file.span.size;
    for (int i = 0; i < mutations(); i++) {
        uint8_t *copy = copy_of(file.span, size);
        damage_bytes(copy, size, random);
        walk_file(copy, size, i % 4 != 0);
        free(copy);
        size_t kept = next_random(random) % size;
        if (i % 4 == 0) {
            copy = copy_of(file.span, kept);
            walk_file(copy, kept, false);
            free(copy);
        }
    }
    tn__file_close(&file);
}

static void damaged_files_never_crash(void **state)
{
    (void)state;
    json_error_t error;
    char path[1024];
    snprintf(path, sizeof path, "%s/expected.json", DATA);
    json_t *all = json_load_file(path, 0, &error), *value;
    const char *name;
    uint64_t random = 1;
    size_t live = live_allocations();
    json_object_foreach(all, name, value)
    {
        snprintf(where, sizeof where, "damaged %s", name);
        damage_file(name, &random);
    }
    json_decref(all);
    assert_int_equal(live_allocations(), live);
}

/* --- allocation failures ---------------------------------------------------------------------- */

static tn_status read_value(tn__h5_object *value)
{
    const tn__h5_info *info;
    tn__h5_strings strings;
    size_t size;
    TN_TRY(tn__h5_info_of(value, &info));
    if (info->type.class == TN__H5_TEXT) {
        TN_TRY(tn__h5_read_strings(value, &strings));
        tn__h5_strings_free(&strings);
        return TN_OK;
    }
    TN_TRY(tn__h5_measure(value, &size));
    void *data = tn__alloc(size);
    if (!data)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = tn__h5_read(value, data, size);
    tn__free(data);
    return status;
}

static tn_status read_object(tn__h5_object *object, int depth)
{
    const tn__h5_names *names;
    tn__h5_object *part;
    TN_TRY(tn__h5_attributes(object, &names));
    for (size_t i = 0; i < names->count; i++) {
        TN_TRY(tn__h5_attribute(object, names->item[i], &part));
        TN_TRY(read_value(part));
    }
    if (tn__h5_kind_of(object) == TN__H5_DATASET)
        return read_value(object);
    TN_TRY(tn__h5_list(object, &names));
    for (size_t i = 0; i < names->count && depth > 0; i++) {
        TN_TRY(tn__h5_find(object, names->item[i], &part));
        if (part)
            TN_TRY(read_object(part, depth - 1));
    }
    return TN_OK;
}

static bool read_whole_file(void *self)
{
    tn__h5 *file = NULL;
    tn__file *bytes = self;
    tn_status status = tn__h5_open(bytes->span, NULL, &file);
    if (status == TN_OK)
        status = read_object(tn__h5_root(file), 5);
    tn__h5_close(file);
    return status == TN_OK;
}

static void refused_allocations_are_errors_and_leak_nothing(void **state)
{
    (void)state;
    static const char *const names[] = { "keras.h5", "narrow.h5",         "v108.h5", "old.h5",
                                         "tree2.h5", "huge_attribute.h5", "pages.h5" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        tn__file file = read_file(DATA, names[i]);
        snprintf(where, sizeof where, "refused allocations in %s", names[i]);
        check_allocation_failures(read_whole_file, &file);
        tn__file_close(&file);
    }
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
        cmocka_unit_test(every_feature_reads_as_h5py_reads_it_or_is_refused_by_name),
        cmocka_unit_test(sizes_that_the_stored_bytes_cannot_hold_are_refused),
        cmocka_unit_test(values_that_share_their_bytes_are_refused_before_that_adds_up),
        cmocka_unit_test(limits_are_the_callers),
        cmocka_unit_test(messages_shared_through_a_heap_are_refused_by_name),
        cmocka_unit_test(what_is_not_there_is_said_in_h5pys_words),
        cmocka_unit_test(room_of_another_size_is_refused),
        cmocka_unit_test(damage_is_told_with_its_place),
        cmocka_unit_test(damaged_files_never_crash),
        cmocka_unit_test(refused_allocations_are_errors_and_leak_nothing),
    };
    tests_begin();
    given_folder = count > 1 ? arguments[1] : NULL;
    int failed = given_folder ? cmocka_run_group_tests(given, NULL, NULL)
                              : cmocka_run_group_tests(tests, NULL, NULL);
    if (failed)
        print_error("last compared: %s\n", where);
    return failed;
}
