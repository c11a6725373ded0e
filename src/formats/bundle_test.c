/* bundle_test.c - TensorFlow's checkpoints are read, old ones and sliced ones too; ours are byte
 * for byte TensorFlow's. */
#include "support/check.h"
#include "support/damage.h"
#include "formats/bundle_format.h"
#include "formats/crc32c.h"
#include <stdlib.h>

static tn__bundle *open_data(const char *name)
{
    char path[256];
    tn__bundle *bundle = NULL;
    snprintf(path, sizeof path, "src/formats/testdata/%s", name);
    CHECK_OK(tn__bundle_open(path, NULL, &bundle));
    return bundle;
}

static tn__file load(const char *path)
{
    tn__file file = { 0 };
    CHECK_OK(tn__file_read(path, 1 << 24, &file));
    return file;
}

static size_t find(const tn__bundle *bundle, const char *name)
{
    size_t index = 0;
    if (!tn__bundle_find(bundle, name, &index))
        fail_msg("%s is not there", name);
    assert_string_equal(tn__bundle_at(bundle, index)->name, name);
    return index;
}

/* The elements, the caller's to free. */
static void *read_all(tn__bundle *bundle, const char *name)
{
    size_t index = find(bundle, name);
    void *data = malloc(tn__bundle_at(bundle, index)->size + 1);
    CHECK_OK(tn__bundle_read(bundle, index, data));
    return data;
}

static void check_bytes(tn__bundle *bundle, const char *name, int dtype, const void *expected,
                        size_t size)
{
    const tn__bundle_entry *entry = tn__bundle_at(bundle, find(bundle, name));
    assert_int_equal(entry->dtype, dtype);
    assert_int_equal(entry->size, size);
    void *data = read_all(bundle, name);
    assert_memory_equal(data, expected, size);
    free(data);
}
#define CHECK_BYTES(bundle, name, dtype, type, ...)                 \
    check_bytes(bundle, name, dtype, (const type[]){ __VA_ARGS__ }, \
                sizeof((const type[]){ __VA_ARGS__ }))

static void check_texts(tn__bundle *bundle, const char *name, size_t count,
                        const tn__span *expected)
{
    tn__bundle_texts texts;
    CHECK_OK(tn__bundle_read_texts(bundle, find(bundle, name), &texts));
    assert_int_equal(texts.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(texts.item[i].size, expected[i].size);
        assert_memory_equal(texts.item[i].data, expected[i].data, expected[i].size);
    }
    tn__bundle_texts_free(&texts);
}
#define TEXT(text) ((tn__span){ (const uint8_t *)(text), sizeof(text) - 1 })

/* --- reading what TensorFlow wrote ------------------------------------------------------------ */
static void every_dtype_is_read(void **state)
{
    (void)state;
    tn__bundle *b = open_data("bundle_plain");
    assert_int_equal(tn__bundle_count(b), 20);
    CHECK_BYTES(b, "dtype/float32", TN__TF_FLOAT, float, 1, 2, 3);
    CHECK_BYTES(b, "dtype/float64", TN__TF_DOUBLE, double, 1, 2, 3);
    CHECK_BYTES(b, "dtype/int32", TN__TF_INT32, int32_t, 1, 2, 3);
    CHECK_BYTES(b, "dtype/uint8", TN__TF_UINT8, uint8_t, 1, 2, 3);
    CHECK_BYTES(b, "dtype/int16", TN__TF_INT16, int16_t, 1, 2, 3);
    CHECK_BYTES(b, "dtype/int8", TN__TF_INT8, int8_t, 1, 2, 3);
    CHECK_BYTES(b, "dtype/int64", TN__TF_INT64, int64_t, 1, 2, 3);
    CHECK_BYTES(b, "dtype/bool", TN__TF_BOOL, uint8_t, 1, 0, 1);
    CHECK_BYTES(b, "dtype/bfloat16", TN__TF_BFLOAT16, uint16_t, 0x3f80, 0x4000, 0x4040);
    CHECK_BYTES(b, "dtype/uint16", TN__TF_UINT16, uint16_t, 1, 2, 3);
    CHECK_BYTES(b, "dtype/float16", TN__TF_HALF, uint16_t, 0x3c00, 0x4000, 0x4200);
    CHECK_BYTES(b, "dtype/uint32", TN__TF_UINT32, uint32_t, 1, 2, 3);
    CHECK_BYTES(b, "dtype/uint64", TN__TF_UINT64, uint64_t, 1, 2, 3);
    CHECK_BYTES(b, "dtype/complex64", TN__TF_COMPLEX64, float, 1, 0, 2, 0, 3, 0);
    CHECK_BYTES(b, "dtype/complex128", TN__TF_COMPLEX128, double, 1, 0, 2, 0, 3, 0);
    tn__bundle_close(b);
}

static void scalars_empty_tensors_and_texts_are_read(void **state)
{
    (void)state;
    char long_text[200];
    memset(long_text, 'x', sizeof long_text);
    tn__bundle *b = open_data("bundle_plain");
    CHECK_BYTES(b, "scalar", TN__TF_FLOAT, float, 2.5f);
    assert_int_equal(tn__bundle_at(b, find(b, "scalar"))->rank, 0);
    CHECK_BYTES(b, "matrix", TN__TF_FLOAT, float, 0, 1, 2, 3, 4, 5);
    const tn__bundle_entry *empty = tn__bundle_at(b, find(b, "empty"));
    assert_true(empty->rank == 2 && empty->shape[0] == 0 && empty->shape[1] == 4);
    check_bytes(b, "empty", TN__TF_FLOAT, "", 0);
    check_texts(b, "texts", 4,
                (const tn__span[]){
                    TEXT("one"), TEXT(""), { (const uint8_t *)long_text, 200 }, TEXT("\0\xff") });
    check_texts(b, "no_texts", 0, NULL);
    tn__bundle_close(b);
}

static void several_data_files_are_read(void **state)
{
    (void)state;
    tn__bundle *b = open_data("bundle_shards");
    assert_int_equal(tn__bundle_count(b), 3);
    CHECK_BYTES(b, "x", TN__TF_FLOAT, float, 1, 2);
    CHECK_BYTES(b, "y", TN__TF_INT32, int32_t, 3, 4, 5);
    check_texts(b, "z", 1, (const tn__span[]){ TEXT("second") });
    tn__bundle_close(b);
}

/* The numbers count up from 0 in the whole tensor. */
static void variables_in_slices_are_joined(void **state)
{
    (void)state;
    tn__bundle *b = open_data("bundle_sliced");
    assert_int_equal(tn__bundle_count(b), 3);
    assert_true(tn__bundle_at(b, find(b, "part/\xc3\xa9"))->sliced);
    float *part = read_all(b, "part/\xc3\xa9");
    for (int i = 0; i < 2800; i++)
        assert_true(part[i] == (float)i);
    free(part);
    uint8_t *wide = read_all(b, "wide");
    for (int i = 0; i < 20000; i++)
        assert_int_equal(wide[i], i & 255);
    free(wide);
    CHECK_BYTES(b, "whole", TN__TF_FLOAT, float, 7);
    tn__bundle_close(b);
}

static void check_first_format(const char *name)
{
    tn__bundle *b = open_data(name);
    assert_int_equal(tn__bundle_count(b), 6);
    CHECK_BYTES(b, "half", TN__TF_HALF, uint16_t, 0x3e00, 0xc000);
    CHECK_BYTES(b, "part", TN__TF_INT64, int64_t, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    CHECK_BYTES(b, "scalar", TN__TF_DOUBLE, double, 2.5);
    check_texts(b, "texts", 2, (const tn__span[]){ TEXT("a"), TEXT("bcd") });
    float *numbers = read_all(b, "numbers");
    for (int i = 0; i < 600; i++)
        assert_true(numbers[i] == (float)i);
    free(numbers);
    int32_t *wide = read_all(b, "wide");
    for (int i = 0; i < 2500; i++)
        assert_int_equal(wide[i], 0);
    free(wide);
    tn__bundle_close(b);
}

static void checkpoints_of_the_first_format_are_read(void **state)
{
    (void)state;
    check_first_format("first_format.ckpt");
    check_first_format("first_format_snappy.ckpt");
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    tn__bundle *b;
    size_t index;
    assert_int_equal(tn__bundle_open("src/formats/testdata/nowhere", NULL, &b), TN_NOT_FOUND);
    CHECK_ERROR(TN_NOT_FOUND, "Failed to find any matching files for src/formats/testdata/nowhere");
    b = open_data("bundle_plain");
    assert_false(tn__bundle_find(b, "matri", &index));
    assert_false(tn__bundle_find(b, "", &index));
    tn__bundle_texts texts;
    assert_int_equal(tn__bundle_read_texts(b, find(b, "matrix"), &texts), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "values of dtype DT_FLOAT are no texts");
    assert_int_equal(tn__bundle_read(b, find(b, "texts"), &index), TN_UNIMPLEMENTED);
    CHECK_ERROR(TN_UNIMPLEMENTED, "values of dtype DT_STRING cannot be read as numbers");
    tn__bundle_close(b);
}

static void limits_are_kept(void **state)
{
    (void)state;
    tn__bundle *b;
    const char *path = "src/formats/testdata/bundle_plain";
    assert_int_equal(tn__bundle_open(path, &(tn__bundle_limits){ .entries = 19 }, &b),
                     TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "more than 19 entries");
    assert_int_equal(tn__bundle_open(path, &(tn__bundle_limits){ .decoded = 1000 }, &b),
                     TN_RESOURCE_EXHAUSTED);
    CHECK_ERROR(TN_RESOURCE_EXHAUSTED, "the limit of 1000 bytes");
}

/* --- writing ---------------------------------------------------------------------------------- */
static void copy_entry(tn__bundle *from, size_t index, tn__bundle_writer *to)
{
    const tn__bundle_entry *e = tn__bundle_at(from, index);
    if (e->dtype == TN__TF_STRING) {
        tn__bundle_texts texts;
        CHECK_OK(tn__bundle_read_texts(from, index, &texts));
        CHECK_OK(tn__bundle_add_texts(to, e->name, e->rank, e->shape, texts.item));
        tn__bundle_texts_free(&texts);
        return;
    }
    void *data = malloc(e->size + 1);
    CHECK_OK(tn__bundle_read(from, index, data));
    CHECK_OK(tn__bundle_add(to, e->name, e->dtype, e->rank, e->shape, data));
    free(data);
}

static void check_same_file(const char *prefix, const char *name, const char *ending)
{
    char path[256], expected[256];
    snprintf(path, sizeof path, "%s%s", prefix, ending);
    snprintf(expected, sizeof expected, "src/formats/testdata/%s%s", name, ending);
    tn__file ours = load(path), theirs = load(expected);
    assert_int_equal(ours.span.size, theirs.span.size);
    assert_memory_equal(ours.span.data, theirs.span.data, ours.span.size);
    tn__file_close(&ours);
    tn__file_close(&theirs);
}

static void what_is_written_is_byte_for_byte_what_tensorflow_writes(void **state)
{
    (void)state;
    tn__bundle *b = open_data("bundle_plain");
    tn__bundle_writer *w;
    const char *prefix = temporary_path("plain");
    CHECK_OK(tn__bundle_writer_open(prefix, &w));
    for (size_t i = 0; i < tn__bundle_count(b); i++)
        copy_entry(b, i, w);
    CHECK_OK(tn__bundle_finish(w));
    check_same_file(prefix, "bundle_plain", ".data-00000-of-00001");
    check_same_file(prefix, "bundle_plain", ".index");
    tn__bundle_close(b);
}

/* More entries than one block of an index has. */
static void many_entries_are_written_and_read(void **state)
{
    (void)state;
    enum { MANY = 9000 };
    const char *prefix = temporary_path("many");
    tn__bundle_writer *w;
    tn__bundle *b;
    char name[64];
    CHECK_OK(tn__bundle_writer_open(prefix, &w));
    for (int i = MANY - 1; i >= 0; i--) {
        int32_t value = i;
        snprintf(name, sizeof name, "layer_with_weights-%d/kernel", i);
        CHECK_OK(tn__bundle_add(w, name, TN__TF_INT32, 1, (const int64_t[]){ 1 }, &value));
    }
    CHECK_OK(tn__bundle_finish(w));
    CHECK_OK(tn__bundle_open(prefix, NULL, &b));
    assert_int_equal(tn__bundle_count(b), MANY);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "layer_with_weights-%d/kernel", i);
        CHECK_BYTES(b, name, TN__TF_INT32, int32_t, i);
    }
    tn__bundle_close(b);
}

static void a_name_is_used_once(void **state)
{
    (void)state;
    float x = 1;
    tn__bundle_writer *w;
    CHECK_OK(tn__bundle_writer_open(temporary_path("twice"), &w));
    CHECK_OK(tn__bundle_add(w, "x", TN__TF_FLOAT, 0, NULL, &x));
    assert_int_equal(tn__bundle_add(w, "x", TN__TF_FLOAT, 0, NULL, &x), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "Adding duplicate key: x");
    assert_int_equal(tn__bundle_add(w, "", TN__TF_FLOAT, 0, NULL, &x), TN_INVALID_ARGUMENT);
    CHECK_ERROR(TN_INVALID_ARGUMENT, "needs a name");
    tn__bundle_writer_abort(w);
}

static void a_save_that_is_given_up_leaves_the_old_checkpoint(void **state)
{
    (void)state;
    float x = 1;
    tn__bundle_writer *w;
    tn__bundle *b;
    const char *prefix = temporary_path("kept");
    for (int round = 0; round < 2; round++) {
        CHECK_OK(tn__bundle_writer_open(prefix, &w));
        CHECK_OK(tn__bundle_add(w, "x", TN__TF_FLOAT, 0, NULL, &x));
        if (round == 0)
            CHECK_OK(tn__bundle_finish(w));
        else
            tn__bundle_writer_abort(w);
        x = 2;
    }
    CHECK_OK(tn__bundle_open(prefix, NULL, &b));
    CHECK_BYTES(b, "x", TN__TF_FLOAT, float, 1);
    tn__bundle_close(b);
}

/* --- damage ----------------------------------------------------------------------------------- */
/* Reads all there is; true when all of it could be. */
static bool read_everything(tn__span index, const tn__span *shards, size_t count, bool ignore)
{
    tn__bundle *b = NULL;
    tn__bundle_limits limits = { .decoded = 1 << 22, .ignore_checksums = ignore };
    bool good = tn__bundle_open_bytes(index, shards, count, &limits, &b) == TN_OK;
    for (size_t i = 0; good && i < tn__bundle_count(b); i++) {
        const tn__bundle_entry *e = tn__bundle_at(b, i);
        tn__bundle_texts texts;
        void *data = NULL;
        if (e->dtype == TN__TF_STRING) {
            good = tn__bundle_read_texts(b, i, &texts) == TN_OK;
            tn__bundle_texts_free(&texts);
        } else {
            good = tn__bundle_check(b, i) == TN_OK && (data = malloc(e->size + 1)) &&
                   tn__bundle_read(b, i, data) == TN_OK;
            free(data);
        }
    }
    tn__bundle_close(b);
    tn__fail_clear();
    return good;
}

static void a_changed_byte_is_found(void **state)
{
    (void)state;
    tn__file index = load("src/formats/testdata/bundle_plain.index");
    tn__file data = load("src/formats/testdata/bundle_plain.data-00000-of-00001");
    uint8_t *copy = copy_of(data.span, data.span.size);
    tn__span shard = { copy, data.span.size };
    assert_true(read_everything(index.span, &shard, 1, false));
    for (size_t i = 0; i < data.span.size; i++) {
        copy[i] ^= 0x40;
        if (read_everything(index.span, &shard, 1, false))
            fail_msg("byte %zu of the data", i);
        copy[i] ^= 0x40;
    }
    uint8_t *changed = copy_of(index.span, index.span.size);
    size_t footer = index.span.size - 48, accepted = 0;
    for (size_t i = 0; i < index.span.size; i++) {
        changed[i] ^= 0x40;
        bool good = read_everything((tn__span){ changed, index.span.size }, &shard, 1, false);
        accepted += good;
        if (good && i < footer) /* in that there are bytes without a meaning */
            fail_msg("byte %zu of the index", i);
        changed[i] ^= 0x40;
    }
    assert_true(accepted < 48);
    free(changed);
    free(copy);
    tn__file_close(&index);
    tn__file_close(&data);
}

static void the_checksum_is_told_in_tensorflows_words(void **state)
{
    (void)state;
    tn__bundle *b;
    float x[] = { 1, 2, 3 };
    const char *prefix = temporary_path("damaged");
    tn__bundle_writer *w;
    CHECK_OK(tn__bundle_writer_open(prefix, &w));
    CHECK_OK(tn__bundle_add(w, "x", TN__TF_FLOAT, 1, (const int64_t[]){ 3 }, x));
    CHECK_OK(tn__bundle_finish(w));
    char path[512];
    snprintf(path, sizeof path, "%s.data-00000-of-00001", prefix);
    FILE *file = fopen(path, "r+b");
    assert_int_equal(fseek(file, 1, SEEK_SET), 0);
    assert_int_equal(fputc(1, file), 1);
    assert_int_equal(fclose(file), 0);
    CHECK_OK(tn__bundle_open(prefix, NULL, &b));
    assert_int_equal(tn__bundle_read(b, 0, x), TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, " shard 0 (12 bytes): Checksum does not match: stored 944629635 vs. "
                              "calculated on the restored bytes 2939949122");
    tn__bundle_close(b);
    assert_int_equal(remove(path), 0);
    CHECK_OK(tn__bundle_open(prefix, NULL, &b));
    assert_int_equal(tn__bundle_read(b, 0, x), TN_NOT_FOUND);
    CHECK_ERROR(TN_NOT_FOUND, "data-00000-of-00001");
    tn__bundle_close(b);
}

/* Behind the checksums: every cut, and every byte set to a few values, is read or refused. */
static void damage(const char *index_name, const char *const *names, size_t count)
{
    tn__file index = load(index_name), files[4];
    tn__span shards[4];
    for (size_t i = 0; i < count; i++) {
        files[i] = load(names[i]);
        shards[i] = files[i].span;
    }
    const tn__span *given = count ? shards : NULL;
    assert_true(read_everything(index.span, given, count, false));
    size_t step = index.span.size > 1000 ? 7 : 1;
    for (size_t i = 0; i < index.span.size; i += step) {
        uint8_t *cut = copy_of(index.span, i);
        assert_false(read_everything((tn__span){ cut, i }, given, count, true));
        free(cut);
        uint8_t *changed = copy_of(index.span, index.span.size);
        static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };
        for (size_t v = 0; v < sizeof values; v++) {
            changed[i] = values[v];
            read_everything((tn__span){ changed, index.span.size }, given, count, true);
        }
        free(changed);
    }
    tn__file_close(&index);
    for (size_t i = 0; i < count; i++)
        tn__file_close(&files[i]);
}

static void damage_behind_the_checksums_is_survived(void **state)
{
    (void)state;
#define DATA "src/formats/testdata/"
    static const char *const plain[] = { DATA "bundle_plain.data-00000-of-00001" };
    static const char *const sliced[] = { DATA "bundle_sliced.data-00000-of-00004",
                                          DATA "bundle_sliced.data-00001-of-00004",
                                          DATA "bundle_sliced.data-00002-of-00004",
                                          DATA "bundle_sliced.data-00003-of-00004" };
    damage(DATA "bundle_plain.index", plain, 1);
    damage(DATA "bundle_sliced.index", sliced, 4);
    damage(DATA "first_format.ckpt", NULL, 0);
    damage(DATA "first_format_snappy.ckpt", NULL, 0);
#undef DATA
}

static void put_message(tn__table_writer *table, tn__span key, const tn__pb_message *kind,
                        const void *message)
{
    tn__bytes encoded = { 0 };
    CHECK_OK(tn__pb_write(kind, message, &encoded));
    CHECK_OK(tn__table_add(table, key, tn__bytes_span(&encoded)));
    tn__bytes_free(&encoded);
}

/* A tensor of shape (3, 0) in two slices of no elements, at the same place when `same`. */
static tn_status read_empty_slices(bool same)
{
    tn__slice_extent extents[2][2] = { { { 0, 2, 1 }, { 0 } }, { { same ? 0 : 1, 2, 1 }, { 0 } } };
    tn__slice_def slices[2] = { { { extents[0], 2, 2 } }, { { extents[1], 2, 2 } } };
    tn__dim_def dims[2] = { { .size = 3 }, { .size = 0 } };
    tn__shape_def shape = { .dim = { dims, 2, 2 } };
    tn__bundle_stored stored = { .dtype = TN__TF_FLOAT,
                                 .shape = &shape,
                                 .crc32c = tn__crc32c_mask(0) };
    tn__bundle_header header = { .shards = 1 };
    tn__bytes index = { 0 }, key = { 0 };
    tn__writer *out;
    tn__table_writer *table;
    tn__bundle *b;
    CHECK_OK(tn__writer_to_memory(&index, &out));
    CHECK_OK(tn__table_writer_open(out, &table));
    put_message(table, TEXT(""), &tn__pb_bundle_header, &header);
    for (int i = 0; i < (same ? 1 : 2); i++) {
        key.size = 0;
        CHECK_OK(tn__slice_key("x", &slices[i], &key));
        put_message(table, tn__bytes_span(&key), &tn__pb_bundle_entry, &stored);
    }
    stored.slices = (tn__slice_list){ slices, 2, 2 };
    put_message(table, TEXT("x"), &tn__pb_bundle_entry, &stored);
    CHECK_OK(tn__table_finish(table));
    CHECK_OK(tn__writer_commit(out));
    CHECK_OK(tn__bundle_open_bytes(tn__bytes_span(&index), &(tn__span){ NULL, 0 }, 1, NULL, &b));
    tn_status status = tn__bundle_read(b, find(b, "x"), &(float){ 0 });
    tn__bundle_close(b);
    tn__bytes_free(&index);
    tn__bytes_free(&key);
    return status;
}

/* Else one slice with a long entry could be named, and its entry be read, any number of times. */
static void a_slice_of_no_elements_is_named_once(void **state)
{
    (void)state;
    CHECK_OK(read_empty_slices(false));
    assert_int_equal(read_empty_slices(true), TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "the entry of 'x' has slices that overlap");
}

/* --- memory ----------------------------------------------------------------------------------- */
static bool write_and_read(void *self)
{
    const char *prefix = self;
    tn__bundle_writer *w;
    tn__bundle *b;
    float x[3] = { 1, 2, 3 };
    tn__span texts[] = { TEXT("one"), TEXT("two") };
    tn__bundle_texts read;
    if (tn__bundle_writer_open(prefix, &w) != TN_OK)
        return false;
    if (tn__bundle_add(w, "x", TN__TF_FLOAT, 1, (const int64_t[]){ 3 }, x) != TN_OK ||
        tn__bundle_add_texts(w, "t", 1, (const int64_t[]){ 2 }, texts) != TN_OK) {
        tn__bundle_writer_abort(w);
        return false;
    }
    if (tn__bundle_finish(w) != TN_OK || tn__bundle_open(prefix, NULL, &b) != TN_OK)
        return false;
    bool done = tn__bundle_read(b, 1, x) == TN_OK && tn__bundle_read_texts(b, 0, &read) == TN_OK;
    if (done)
        tn__bundle_texts_free(&read);
    tn__bundle_close(b);
    return done;
}

static bool read_data(void *self)
{
    tn__bundle *b;
    float part[2800];
    size_t index;
    const char *name = strstr(self, "first") ? "part" : "part/\xc3\xa9";
    if (tn__bundle_open(self, NULL, &b) != TN_OK)
        return false;
    bool done = tn__bundle_find(b, name, &index) && tn__bundle_read(b, index, part) == TN_OK;
    tn__bundle_close(b);
    return done;
}

static void refused_allocations_are_survived(void **state)
{
    (void)state;
    char prefix[256], sliced[] = "src/formats/testdata/bundle_sliced";
    char first[] = "src/formats/testdata/first_format_snappy.ckpt";
    snprintf(prefix, sizeof prefix, "%s", temporary_path("memory"));
    check_allocation_failures(write_and_read, prefix);
    size_t before = live_allocations();
    check_allocation_failures(write_and_read, prefix);
    check_allocation_failures(read_data, sliced);
    check_allocation_failures(read_data, first);
    assert_int_equal(live_allocations(), before);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dtype_is_read),
        cmocka_unit_test(scalars_empty_tensors_and_texts_are_read),
        cmocka_unit_test(several_data_files_are_read),
        cmocka_unit_test(variables_in_slices_are_joined),
        cmocka_unit_test(checkpoints_of_the_first_format_are_read),
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(what_is_written_is_byte_for_byte_what_tensorflow_writes),
        cmocka_unit_test(many_entries_are_written_and_read),
        cmocka_unit_test(a_name_is_used_once),
        cmocka_unit_test(a_save_that_is_given_up_leaves_the_old_checkpoint),
        cmocka_unit_test(a_changed_byte_is_found),
        cmocka_unit_test(the_checksum_is_told_in_tensorflows_words),
        cmocka_unit_test(damage_behind_the_checksums_is_survived),
        cmocka_unit_test(a_slice_of_no_elements_is_named_once),
        cmocka_unit_test(refused_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
