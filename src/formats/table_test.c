/* table_test.c - keys and values come back; what is damaged is found. TensorFlow's own tables are
 * read, and ours compared with them, in bundle_test.c. */
#include "support/check.h"
#include "support/damage.h"
#include "formats/crc32c.h"
#include "formats/table.h"
#include <stdlib.h>

static tn__span text(const char *text)
{
    return (tn__span){ (const uint8_t *)text, strlen(text) };
}

/* Entries "key-00000" on, with values of i % 50 bytes. */
static tn_status write_many(int count, tn__bytes *out)
{
    tn__writer *writer;
    tn__table_writer *table;
    uint8_t value[50];
    char key[32];
    TN_TRY(tn__writer_to_memory(out, &writer));
    tn_status status = tn__table_writer_open(writer, &table);
    for (int i = 0; i < count && status == TN_OK; i++) {
        snprintf(key, sizeof key, "key-%05d", i);
        memset(value, i, sizeof value);
        status = tn__table_add(table, text(key), (tn__span){ value, (size_t)i % 50 });
        if (status != TN_OK)
            tn__table_writer_free(table);
    }
    if (status == TN_OK)
        status = tn__table_finish(table);
    if (status == TN_OK)
        return tn__writer_commit(writer);
    tn__writer_abort(writer);
    return status;
}

static void check_many(const tn__table_entries *entries, int count)
{
    char key[32];
    assert_int_equal(entries->count, count);
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "key-%05d", i);
        const tn__table_entry *entry = tn__table_find(entries, text(key));
        assert_ptr_equal(entry, &entries->item[i]);
        assert_string_equal((const char *)entry->key.data, key);
        assert_int_equal(entry->value.size, i % 50);
        for (size_t k = 0; k < entry->value.size; k++)
            assert_int_equal(entry->value.data[k], i & 255);
    }
}

static void entries_come_back(void **state)
{
    (void)state;
    static const int counts[] = { 0, 1, 15, 16, 17, 20000 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        tn__bytes bytes = { 0 };
        tn__arena arena = { 0 };
        tn__table_entries entries = { 0 };
        CHECK_OK(write_many(counts[i], &bytes));
        assert_true(tn__table_is(tn__bytes_span(&bytes)));
        CHECK_OK(tn__table_read(tn__bytes_span(&bytes), false, &arena, &entries));
        check_many(&entries, counts[i]);
        assert_null(tn__table_find(&entries, text("key-00000x")));
        assert_null(tn__table_find(&entries, text("zzz")));
        assert_null(tn__table_find(&entries, text("")));
        tn__arena_free(&arena);
        tn__bytes_free(&bytes);
    }
}

static void keys_are_added_in_order(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 };
    tn__writer *writer;
    tn__table_writer *table;
    CHECK_OK(tn__writer_to_memory(&bytes, &writer));
    CHECK_OK(tn__table_writer_open(writer, &table));
    CHECK_OK(tn__table_add(table, text("b"), text("")));
    assert_int_equal(tn__table_add(table, text("b"), text("")), TN_INTERNAL);
    CHECK_ERROR(TN_INTERNAL, "the key 'b' is not in order");
    assert_int_equal(tn__table_add(table, text("a"), text("")), TN_INTERNAL);
    CHECK_ERROR(TN_INTERNAL, "the key 'a' is not in order");
    tn__table_writer_free(table);
    tn__writer_abort(writer);
}

static void what_is_no_table_is_refused(void **state)
{
    (void)state;
    uint8_t zeros[64] = { 0 };
    tn__arena arena = { 0 };
    tn__table_entries entries = { 0 };
    for (size_t size = 0; size <= sizeof zeros; size++) {
        assert_false(tn__table_is((tn__span){ zeros, size }));
        assert_int_equal(tn__table_read((tn__span){ zeros, size }, false, &arena, &entries),
                         TN_DATA_LOSS);
        CHECK_ERROR(TN_DATA_LOSS, "not an sstable (bad magic number)");
    }
    tn__arena_free(&arena);
}

/* A block without entries, whose restarts are all it has: it costs its whole length each time. */
static tn_status put_empty_block(tn__bytes *out, tn__span content, uint8_t handle[static 8])
{
    size_t start = out->size;
    TN_TRY(tn__bytes_append(out, content.data, content.size));
    TN_TRY(tn__bytes_append_uint(out, 0, 1));
    uint32_t crc = tn__crc32c_mask(tn__crc32c(0, out->data + start, content.size + 1));
    for (int i = 0; i < 3; i++) {
        handle[i] = (uint8_t)(start >> 7 * i | 0x80);
        handle[4 + i] = (uint8_t)(content.size >> 7 * i | 0x80);
    }
    handle[3] = (uint8_t)(start >> 21), handle[7] = (uint8_t)(content.size >> 21);
    return tn__bytes_append_uint(out, crc, 4);
}

static void no_block_is_read_twice(void **state)
{
    (void)state;
    tn__bytes out = { 0 }, index = { 0 };
    tn__arena arena = { 0 };
    tn__table_entries entries = { 0 };
    uint8_t *restarts = calloc(1 << 20, 1), data[8], footer[16];
    memcpy(restarts + (1 << 20) - 4, (uint8_t[]){ 0xff, 0xff, 3, 0 }, 4);
    CHECK_OK(put_empty_block(&out, (tn__span){ restarts, 1 << 20 }, data));
    for (int i = 0; i < 20000; i++) { /* nothing shared, no key, a value of 8 bytes */
        CHECK_OK(tn__bytes_append(&index, (uint8_t[]){ 0, 0, 8 }, 3));
        CHECK_OK(tn__bytes_append(&index, data, 8));
    }
    CHECK_OK(tn__bytes_append_uint(&index, 0, 4));
    CHECK_OK(put_empty_block(&out, (tn__span){ restarts, 4 }, footer));
    CHECK_OK(put_empty_block(&out, tn__bytes_span(&index), footer + 8));
    CHECK_OK(tn__bytes_append(&out, footer, 16));
    CHECK_OK(tn__bytes_append(&out, NULL, 24));
    CHECK_OK(tn__bytes_append_uint(&out, 0xdb4775248b80fb57u, 8));
    assert_int_equal(tn__table_read(tn__bytes_span(&out), false, &arena, &entries), TN_DATA_LOSS);
    CHECK_ERROR(TN_DATA_LOSS, "the block at 0 is not behind the one before");
    tn__bytes_free(&out);
    tn__bytes_free(&index);
    tn__arena_free(&arena);
    free(restarts);
}

static bool read_changed(const uint8_t *data, size_t size, bool ignore)
{
    tn__arena arena = { .limit = 1 << 20 };
    tn__table_entries entries = { 0 };
    bool good = tn__table_read((tn__span){ data, size }, ignore, &arena, &entries) == TN_OK;
    tn__arena_free(&arena);
    tn__fail_clear();
    return good;
}

static void damage_is_found_or_survived(void **state)
{
    (void)state;
    tn__bytes bytes = { 0 };
    CHECK_OK(write_many(40, &bytes));
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t *cut = copy_of(tn__bytes_span(&bytes), i);
        assert_false(read_changed(cut, i, false));
        free(cut);
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[i] ^= (uint8_t)(1 << bit);
            bool found = !read_changed(bytes.data, bytes.size, false);
            if (!found && i < bytes.size - TN__TABLE_FOOTER)
                fail_msg("bit %d of byte %zu", bit, i);
            read_changed(bytes.data, bytes.size, true);
            bytes.data[i] ^= (uint8_t)(1 << bit);
        }
    }
    tn__bytes_free(&bytes);
}

static bool write_and_read(void *self)
{
    (void)self;
    tn__bytes bytes = { 0 };
    tn__arena arena = { 0 };
    tn__table_entries entries = { 0 };
    bool done = write_many(100, &bytes) == TN_OK &&
                tn__table_read(tn__bytes_span(&bytes), false, &arena, &entries) == TN_OK;
    tn__arena_free(&arena);
    tn__bytes_free(&bytes);
    return done;
}

static void refused_allocations_are_survived(void **state)
{
    (void)state;
    size_t before = live_allocations();
    check_allocation_failures(write_and_read, NULL);
    assert_int_equal(live_allocations(), before);
}

int main(void)
{
    tests_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_back),
        cmocka_unit_test(keys_are_added_in_order),
        cmocka_unit_test(what_is_no_table_is_refused),
        cmocka_unit_test(no_block_is_read_twice),
        cmocka_unit_test(damage_is_found_or_survived),
        cmocka_unit_test(refused_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
