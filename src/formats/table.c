/* table.c */
#include "formats/table.h"
#include "formats/crc32c.h"
#include "formats/protobuf.h"
#include "formats/snappy.h"
#include <string.h>

#define MAGIC 0xdb4775248b80fb57u
enum {
    TRAILER = 5, /* how the block is compressed, and its checksum with that */
    COMPRESSED_NOT = 0,
    COMPRESSED_SNAPPY = 1,
    RESTARTS = 16 /* every so many entries of a data block, one has its whole key */
};

int tn__table_compare(tn__span a, tn__span b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* --- reading ---------------------------------------------------------------------------------- */
typedef struct {
    tn__span file;
    bool ignore_checksums;
    tn__arena *arena;
    tn__table_entries *entries;
    uint64_t end; /* of the last data block */
} source;
typedef struct {
    uint64_t offset, size;
} handle;

static handle read_handle(tn__reader *reader)
{
    uint64_t offset = tn__read_varint(reader);
    return (handle){ offset, tn__read_varint(reader) };
}

bool tn__table_is(tn__span file)
{
    tn__reader reader = { file, file.size - 8, file.size < TN__TABLE_FOOTER };
    return tn__read_u64(&reader) == MAGIC && !reader.failed;
}

static tn_status read_compressed(source *s, tn__span stored, tn__span *block)
{
    size_t size;
    TN_TRY(tn__snappy_size(stored, &size));
    uint8_t *decoded = tn__arena_alloc(s->arena, size);
    if (!decoded)
        return TN_RESOURCE_EXHAUSTED;
    *block = (tn__span){ decoded, size };
    return tn__snappy_read(stored, decoded, size);
}

static tn_status read_block(source *s, handle where, tn__span *block)
{
    tn__span whole;
    if (where.size > UINT64_MAX - TRAILER ||
        !tn__span_part(s->file, where.offset, where.size + TRAILER, &whole))
        return tn__fail(
            TN_DATA_LOSS, "table: a block of %llu bytes at %llu does not fit into %zu bytes",
            (unsigned long long)where.size, (unsigned long long)where.offset, s->file.size);
    tn__reader trailer = { whole, (size_t)where.size, false };
    int compression = tn__read_u8(&trailer);
    uint32_t stored = tn__read_u32(&trailer);
    uint32_t found = tn__crc32c_mask(tn__crc32c(0, whole.data, (size_t)where.size + 1));
    if (stored != found && !s->ignore_checksums)
        return tn__fail(TN_DATA_LOSS,
                        "table: the block at %llu is damaged: its checksum is %08x, not %08x",
                        (unsigned long long)where.offset, (unsigned)found, (unsigned)stored);
    *block = (tn__span){ whole.data, (size_t)where.size };
    if (compression == COMPRESSED_SNAPPY)
        return read_compressed(s, *block, block);
    if (compression != COMPRESSED_NOT)
        return tn__fail(TN_UNIMPLEMENTED, "table: compression %d is not known", compression);
    return TN_OK;
}

/* Takes the list of restarts off the block's end: they are for searching in it. */
static bool cut_restarts(tn__span *block)
{
    if (block->size < 4)
        return false;
    tn__reader reader = { *block, block->size - 4, false };
    uint64_t restarts = 4 * ((uint64_t)tn__read_u32(&reader) + 1);
    if (restarts > block->size)
        return false;
    block->size -= (size_t)restarts;
    return true;
}

/* The next entry of a block, whose key begins as the last one's. */
static tn_status read_entry(source *s, tn__reader *reader, tn__span last, tn__table_entry *entry)
{
    uint64_t shared = tn__read_varint(reader), own = tn__read_varint(reader);
    uint64_t value = tn__read_varint(reader);
    tn__span rest = tn__read_span(reader, own);
    entry->value = tn__read_span(reader, value);
    if (reader->failed || shared > last.size)
        return tn__fail(TN_DATA_LOSS, "table: an entry is damaged before byte %zu of its block",
                        reader->at);
    size_t size = (size_t)shared + rest.size;
    uint8_t *key = tn__arena_alloc(s->arena, size + 1); /* as a text: NUL-terminated */
    if (!key)
        return TN_RESOURCE_EXHAUSTED;
    if (shared)
        memcpy(key, last.data, (size_t)shared);
    if (rest.size)
        memcpy(key + shared, rest.data, rest.size);
    entry->key = (tn__span){ key, size };
    return TN_OK;
}

static tn_status read_data(source *s, handle where)
{
    tn__span block, last = { NULL, 0 };
    if (where.offset < s->end) /* else a small file could name a large block many times */
        return tn__fail(TN_DATA_LOSS, "table: the block at %llu is not behind the one before",
                        (unsigned long long)where.offset);
    TN_TRY(read_block(s, where, &block));
    s->end = where.offset + where.size + TRAILER;
    if (!cut_restarts(&block))
        return tn__fail(TN_DATA_LOSS, "table: the block at %llu has no end",
                        (unsigned long long)where.offset);
    tn__reader reader = { block, 0, false };
    while (reader.at < block.size) {
        tn__table_entry entry;
        TN_TRY(read_entry(s, &reader, last, &entry));
        const tn__table_entries *all = s->entries;
        if (all->count && tn__table_compare(all->item[all->count - 1].key, entry.key) >= 0)
            return tn__fail(TN_DATA_LOSS, "table: its keys are not in order at entry %zu",
                            all->count);
        tn__table_entry *added = TN__ARENA_ADD(s->arena, s->entries);
        if (!added)
            return TN_RESOURCE_EXHAUSTED;
        *added = entry;
        last = entry.key;
    }
    return TN_OK;
}

/* The keys of the index only lead a search, so they are passed over. */
static tn_status read_index(source *s, handle where)
{
    tn__span block;
    TN_TRY(read_block(s, where, &block));
    bool whole = cut_restarts(&block);
    tn__reader reader = { block, 0, !whole };
    while (!reader.failed && reader.at < block.size) {
        tn__read_varint(&reader);
        uint64_t own = tn__read_varint(&reader), size = tn__read_varint(&reader);
        tn__read_skip(&reader, own);
        tn__reader value = { tn__read_span(&reader, size), 0, false };
        handle data = read_handle(&value);
        if (reader.failed || value.failed)
            break;
        TN_TRY(read_data(s, data));
    }
    if (reader.failed || reader.at < block.size)
        return tn__fail(TN_DATA_LOSS, "table: its index is damaged before byte %zu", reader.at);
    return TN_OK;
}

tn_status tn__table_read(tn__span file, bool ignore_checksums, tn__arena *arena,
                         tn__table_entries *entries)
{
    source s = { file, ignore_checksums, arena, entries, 0 };
    if (!tn__table_is(file))
        return tn__fail(TN_DATA_LOSS, "not an sstable (bad magic number)");
    tn__reader footer = { file, file.size - TN__TABLE_FOOTER, false };
    handle metaindex = read_handle(&footer), index = read_handle(&footer);
    if (footer.failed)
        return tn__fail(TN_DATA_LOSS, "table: its last %d bytes are damaged", TN__TABLE_FOOTER);
    tn__span block; /* the metaindex is empty, but it is part of the file */
    TN_TRY(read_block(&s, metaindex, &block));
    return read_index(&s, index);
}

const tn__table_entry *tn__table_find(const tn__table_entries *entries, tn__span key)
{
    size_t low = 0, high = entries->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tn__table_compare(entries->item[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < entries->count && tn__table_compare(entries->item[low].key, key) == 0;
    return found ? &entries->item[low] : NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */
typedef struct {
    tn__bytes bytes, restarts, last;
    unsigned interval, since; /* entries between restarts, and since the last one */
} block_builder;
struct tn__table_writer {
    tn__writer *out;
    block_builder data, index;
    uint64_t start, entries;
    handle pending; /* a block that is written and not yet in the index, when size is not 0 */
};

static tn_status set_bytes(tn__bytes *bytes, tn__span to)
{
    bytes->size = 0;
    return to.size ? tn__bytes_append(bytes, to.data, to.size) : TN_OK;
}

static size_t shared_size(tn__span a, tn__span b)
{
    size_t shared = 0;
    while (shared < a.size && shared < b.size && a.data[shared] == b.data[shared])
        shared++;
    return shared;
}

static tn_status add_to_block(block_builder *b, tn__span key, tn__span value)
{
    size_t shared = 0;
    if (b->since < b->interval && b->restarts.size) {
        shared = shared_size(tn__bytes_span(&b->last), key);
    } else {
        TN_TRY(tn__bytes_append_uint(&b->restarts, b->bytes.size, 4));
        b->since = 0;
    }
    b->since++;
    TN_TRY(tn__bytes_append_varint(&b->bytes, shared));
    TN_TRY(tn__bytes_append_varint(&b->bytes, key.size - shared));
    TN_TRY(tn__bytes_append_varint(&b->bytes, value.size));
    if (key.size > shared)
        TN_TRY(tn__bytes_append(&b->bytes, key.data + shared, key.size - shared));
    if (value.size)
        TN_TRY(tn__bytes_append(&b->bytes, value.data, value.size));
    return set_bytes(&b->last, key);
}

/* The block's list of restarts, its trailer, and out with it. It is empty afterwards. */
static tn_status put_block(tn__table_writer *table, block_builder *b, handle *where)
{
    if (!b->restarts.size)
        TN_TRY(tn__bytes_append_uint(&b->restarts, 0, 4));
    TN_TRY(tn__bytes_append(&b->bytes, b->restarts.data, b->restarts.size));
    TN_TRY(tn__bytes_append_uint(&b->bytes, b->restarts.size / 4, 4));
    *where = (handle){ tn__writer_size(table->out) - table->start, b->bytes.size };
    TN_TRY(tn__bytes_append_uint(&b->bytes, COMPRESSED_NOT, 1));
    uint32_t crc = tn__crc32c_mask(tn__crc32c(0, b->bytes.data, b->bytes.size));
    TN_TRY(tn__bytes_append_uint(&b->bytes, crc, 4));
    TN_TRY(tn__write(table->out, b->bytes.data, b->bytes.size));
    b->bytes.size = b->restarts.size = 0;
    return TN_OK;
}

static tn_status put_handle(tn__bytes *bytes, handle where)
{
    TN_TRY(tn__bytes_append_varint(bytes, where.offset));
    return tn__bytes_append_varint(bytes, where.size);
}

/* Cuts the last key to a short text that is not below it, and below the next key if there is one
 * (data NULL: there is none). */
static void shorten(tn__bytes *last, tn__span next)
{
    size_t at = shared_size(tn__bytes_span(last), next);
    if (next.data) {
        if (at < last->size && at < next.size && last->data[at] < 0xff &&
            last->data[at] + 1 < next.data[at]) {
            last->data[at]++;
            last->size = at + 1;
        }
        return;
    }
    while (at < last->size && last->data[at] == 0xff)
        at++;
    if (at < last->size) {
        last->data[at]++;
        last->size = at + 1;
    }
}

static tn_status index_pending(tn__table_writer *table, tn__span next)
{
    if (!table->pending.size)
        return TN_OK;
    tn__bytes where = { 0 }, *last = &table->data.last;
    shorten(last, next);
    tn_status status = put_handle(&where, table->pending);
    if (status == TN_OK)
        status = add_to_block(&table->index, tn__bytes_span(last), tn__bytes_span(&where));
    tn__bytes_free(&where);
    table->pending = (handle){ 0 };
    return status;
}

static bool in_order(const tn__table_writer *table, tn__span key)
{
    return !table->entries || tn__table_compare(tn__bytes_span(&table->data.last), key) < 0;
}

tn_status tn__table_add(tn__table_writer *table, tn__span key, tn__span value)
{
    if (!in_order(table, key))
        return tn__fail(TN_INTERNAL, "table: the key '%.*s' is not in order", (int)key.size,
                        (const char *)key.data);
    TN_TRY(index_pending(table, key));
    TN_TRY(add_to_block(&table->data, key, value));
    table->entries++;
    size_t size = table->data.bytes.size + table->data.restarts.size + 4;
    return size < TN__TABLE_BLOCK ? TN_OK : put_block(table, &table->data, &table->pending);
}

static tn_status put_footer(tn__table_writer *table, handle metaindex, handle index)
{
    tn__bytes footer = { 0 };
    tn_status status = put_handle(&footer, metaindex);
    if (status == TN_OK)
        status = put_handle(&footer, index);
    if (status == TN_OK)
        status = tn__bytes_resize(&footer, TN__TABLE_FOOTER - 8);
    if (status == TN_OK)
        status = tn__bytes_append_uint(&footer, MAGIC, 8);
    if (status == TN_OK)
        status = tn__write(table->out, footer.data, footer.size);
    tn__bytes_free(&footer);
    return status;
}

static tn_status finish(tn__table_writer *table)
{
    handle metaindex, index;
    if (table->data.bytes.size)
        TN_TRY(put_block(table, &table->data, &table->pending));
    TN_TRY(put_block(table, &table->data, &metaindex));
    TN_TRY(index_pending(table, (tn__span){ NULL, 0 }));
    TN_TRY(put_block(table, &table->index, &index));
    return put_footer(table, metaindex, index);
}

tn_status tn__table_finish(tn__table_writer *table)
{
    tn_status status = finish(table);
    tn__table_writer_free(table);
    return status;
}

tn_status tn__table_writer_open(tn__writer *out, tn__table_writer **table)
{
    *table = tn__alloc_zeroed(1, sizeof **table);
    if (!*table)
        return TN_RESOURCE_EXHAUSTED;
    (*table)->out = out;
    (*table)->start = tn__writer_size(out);
    (*table)->data.interval = RESTARTS;
    (*table)->index.interval = 1;
    return TN_OK;
}

static void free_builder(block_builder *b)
{
    tn__bytes_free(&b->bytes);
    tn__bytes_free(&b->restarts);
    tn__bytes_free(&b->last);
}

void tn__table_writer_free(tn__table_writer *table)
{
    if (!table)
        return;
    free_builder(&table->data);
    free_builder(&table->index);
    tn__free(table);
}
