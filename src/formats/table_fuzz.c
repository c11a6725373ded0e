/* table_fuzz.c - any bytes as a table, behind its checksums: what can be read is written, and read
 * again as the same. */
#include "formats/table.h"

static tn_status write_all(const tn__table_entries *entries, tn__bytes *bytes)
{
    tn__writer *writer;
    tn__table_writer *table;
    TN_TRY(tn__writer_to_memory(bytes, &writer));
    tn_status status = tn__table_writer_open(writer, &table);
    for (size_t i = 0; i < entries->count && status == TN_OK; i++)
        status = tn__table_add(table, entries->item[i].key, entries->item[i].value);
    if (status == TN_OK)
        status = tn__table_finish(table);
    if (status == TN_OK)
        return tn__writer_commit(writer);
    tn__writer_abort(writer);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tn__arena arena = { .limit = 1 << 24 }, other = { 0 };
    tn__table_entries entries = { 0 }, again = { 0 };
    tn__bytes bytes = { 0 };
    if (tn__table_read((tn__span){ data, size }, true, &arena, &entries) == TN_OK) {
        if (write_all(&entries, &bytes) != TN_OK ||
            tn__table_read(tn__bytes_span(&bytes), false, &other, &again) != TN_OK ||
            again.count != entries.count)
            __builtin_trap();
        for (size_t i = 0; i < entries.count; i++)
            if (tn__table_find(&again, entries.item[i].key) != &again.item[i] ||
                tn__table_compare(again.item[i].value, entries.item[i].value) != 0)
                __builtin_trap();
    }
    tn__fail_clear();
    tn__bytes_free(&bytes);
    tn__arena_free(&arena);
    tn__arena_free(&other);
    return 0;
}
