/* fractal_heap.c - the heaps behind dense links and attributes.
 *
 * A heap is one address space, cut into blocks whose sizes double from row to row of a table; large
 * objects stand outside. An object's ID says where in that space it is and how long. */
#include "formats/hdf5/internal.h"
#include <stdlib.h>

enum { MANAGED = 0, HUGE = 1, TINY = 2, MAX_WIDTH = 4096 };

static int log2_of(uint64_t value)
{
    return value ? 63 - __builtin_clzll(value) : 0;
}

static bool power_of_two(uint64_t value)
{
    return value && !(value & (value - 1));
}

static uint64_t row_block_size(const tn__h5_fractal *heap, int row)
{
    return row < 2 ? heap->start_size : heap->start_size << (row - 1);
}

/* Fields in the order of the file; those that only writing needs are passed over. */
static tn_status read_fields(tn__h5_fractal *heap, tn__reader *reader)
{
    tn__h5 *file = heap->file;
    uint64_t lengths = (uint64_t)file->length_size, offsets = (uint64_t)file->offset_size;
    heap->id_size = tn__read_u16(reader);
    int filters = tn__read_u16(reader), flags = tn__read_u8(reader);
    heap->max_managed_size = tn__read_u32(reader);
    tn__read_skip(reader, lengths); /* next huge ID */
    heap->huge_tree = tn__h5_read_offset(file, reader);
    tn__read_skip(reader, lengths + offsets + 8 * lengths); /* free space; statistics */
    heap->width = tn__read_u16(reader);
    heap->start_size = tn__h5_read_length(file, reader);
    heap->max_direct_size = tn__h5_read_length(file, reader);
    int max_bits = tn__read_u16(reader);
    tn__read_u16(reader);
    heap->root = tn__h5_read_offset(file, reader);
    heap->root_rows = tn__read_u16(reader);
    heap->checked_blocks = flags & 2;
    if (filters)
        return tn__fail(TN_UNIMPLEMENTED, "HDF5 links or attributes behind a filter");
    if (reader->failed || max_bits < 1 || max_bits > 64 || heap->id_size < 1 ||
        !power_of_two(heap->start_size) || !power_of_two(heap->max_direct_size) ||
        heap->max_direct_size < heap->start_size || heap->max_direct_size > (uint64_t)1 << 31 ||
        heap->width < 1 || heap->width > MAX_WIDTH || !power_of_two((uint64_t)heap->width) ||
        heap->root_rows > 64)
        return tn__h5_damage(heap->address, "fractal heap: impossible sizes of blocks");
    heap->offset_bytes = (max_bits + 7) / 8;
    return TN_OK;
}

tn_status tn__h5_fractal_open(tn__h5 *file, uint64_t address, tn__h5_fractal *heap)
{
    *heap = (tn__h5_fractal){ .file = file, .address = address };
    tn__reader reader;
    uint64_t size = 26 + 3 * (uint64_t)file->offset_size + 12 * (uint64_t)file->length_size;
    TN_TRY(tn__h5_block(file, address, size, "fractal heap", "FRHP", 0, &reader));
    TN_TRY(read_fields(heap, &reader));
    TN_TRY(tn__h5_check(file, reader.span, address, "fractal heap"));
    heap->max_direct_rows = log2_of(heap->max_direct_size) - log2_of(heap->start_size) + 2;
    int direct_bytes = (log2_of(heap->max_direct_size) + 7) / 8;
    int managed_bytes = log2_of(heap->max_managed_size) / 8 + 1;
    heap->length_bytes = direct_bytes < managed_bytes ? direct_bytes : managed_bytes;
    return TN_OK;
}

void tn__h5_fractal_close(tn__h5_fractal *heap)
{
    tn__free(heap->huge.item);
    tn__ids_free(&heap->seen);
    *heap = (tn__h5_fractal){ 0 };
}

/* A block's bytes; charged and its checksum verified the first time. */
static tn_status open_block(tn__h5_fractal *heap, uint64_t address, uint64_t size, bool direct,
                            tn__reader *reader)
{
    size_t place;
    tn__h5 *file = heap->file;
    if (address < file->bytes.size && tn__ids_get(&heap->seen, address + 1, &place) &&
        place == size) {
        tn__span part;
        if (!tn__span_part(file->bytes, address, size, &part))
            return tn__h5_damage(address, "fractal heap block reaches beyond the end of the file");
        *reader = (tn__reader){ part, 5, false };
    } else {
        TN_TRY(tn__h5_block(file, address, size, "fractal heap block", direct ? "FHDB" : "FHIB", 0,
                            reader));
        if (!direct)
            TN_TRY(tn__h5_check(file, reader->span, address, "fractal heap block"));
        TN_TRY(tn__ids_set(&heap->seen, address + 1, (size_t)size));
    }
    if (tn__h5_read_offset(file, reader) != heap->address)
        return tn__h5_damage(address, "fractal heap block of another heap");
    tn__read_uint(reader, heap->offset_bytes);
    return TN_OK;
}

/* A direct block's checksum stands in its head and counts as zero when it is computed. */
static tn_status check_direct(tn__h5_fractal *heap, const tn__reader *block, uint64_t address)
{
    if (!heap->checked_blocks)
        return TN_OK;
    tn__reader reader = *block;
    uint32_t stored = tn__read_u32(&reader);
    uint8_t *copy = tn__memdup(block->span.data, block->span.size);
    if (!copy)
        return TN_RESOURCE_EXHAUSTED;
    for (int i = 0; i < 4 && !reader.failed; i++)
        copy[block->at + (size_t)i] = 0;
    uint32_t computed = tn__h5_lookup3((tn__span){ copy, block->span.size });
    tn__free(copy);
    if (reader.failed || (stored != computed && !heap->file->limits.ignore_checksums))
        return tn__h5_damage(
            address, "fractal heap block: the checksum is wrong (stored %08x, computed %08x)",
            stored, computed);
    return TN_OK;
}

/* The object at an offset into a direct block (which counts from the block's own start). */
static tn_status object_in_block(tn__h5_fractal *heap, uint64_t address, uint64_t block_size,
                                 uint64_t offset, uint64_t size, tn__span *data)
{
    size_t place;
    tn__reader block;
    bool seen = address < heap->file->bytes.size && tn__ids_get(&heap->seen, address + 1, &place);
    TN_TRY(open_block(heap, address, block_size, true, &block));
    if (!seen)
        TN_TRY(check_direct(heap, &block, address));
    if (!tn__span_part(block.span, offset, size, data) || offset < block.at)
        return tn__h5_damage(address, "fractal heap: an object of %llu bytes is outside its block",
                             (unsigned long long)size);
    return TN_OK;
}

/* Where a row and a column of the doubling table begin, for an offset below the size of the whole
 * table. */
static bool find_cell(const tn__h5_fractal *heap, int rows, uint64_t *offset, int *row, int *column)
{
    for (*row = 0; *row < rows && log2_of(heap->start_size) + *row < 60; (*row)++) {
        uint64_t block = row_block_size(heap, *row), whole;
        if (__builtin_mul_overflow(block, (uint64_t)heap->width, &whole))
            return false;
        if (*offset < whole) {
            *column = (int)(*offset / block);
            *offset %= block;
            return true;
        }
        *offset -= whole;
    }
    return false;
}

/* Reads which block is in a cell of an indirect block. */
static tn_status read_cell(tn__h5_fractal *heap, uint64_t address, int rows, int row, int column,
                           uint64_t *child)
{
    tn__reader reader;
    uint64_t cell = (uint64_t)heap->file->offset_size;
    uint64_t head = 5 + (uint64_t)heap->file->offset_size + (uint64_t)heap->offset_bytes;
    uint64_t size = head + cell * (uint64_t)rows * (uint64_t)heap->width + 4;
    TN_TRY(open_block(heap, address, size, false, &reader));
    tn__read_skip(&reader, cell * ((uint64_t)row * (uint64_t)heap->width + (uint64_t)column));
    *child = tn__h5_read_offset(heap->file, &reader);
    return TN_OK;
}

/* Goes down from the root, through indirect blocks that each cover less than the one above, to the
 * block that holds an offset. */
static tn_status managed_object(tn__h5_fractal *heap, uint64_t offset, uint64_t size,
                                tn__span *data)
{
    uint64_t address = heap->root;
    int rows = heap->root_rows, row, column;
    if (address == TN__H5_NOWHERE)
        return tn__h5_damage(heap->address, "fractal heap: it has no blocks");
    if (rows == 0)
        return object_in_block(heap, address, heap->start_size, offset, size, data);
    while (find_cell(heap, rows, &offset, &row, &column)) {
        uint64_t block = row_block_size(heap, row);
        TN_TRY(read_cell(heap, address, rows, row, column, &address));
        if (row < heap->max_direct_rows)
            return object_in_block(heap, address, block, offset, size, data);
        int below = log2_of(block) - log2_of(heap->start_size) - log2_of((uint64_t)heap->width) + 1;
        if (below < 1 || below > row)
            break;
        rows = below;
    }
    return tn__h5_damage(heap->address, "fractal heap: an object is outside the heap");
}

static tn_status add_huge(void *self, tn__span record)
{
    tn__h5_fractal *heap = self;
    tn__reader reader = { record, 0, false };
    struct tn__h5_huge huge;
    huge.address = tn__h5_read_offset(heap->file, &reader);
    huge.size = tn__h5_read_length(heap->file, &reader);
    huge.id = tn__h5_read_length(heap->file, &reader);
    if (reader.failed)
        return tn__h5_damage(heap->address, "fractal heap: a record of a huge object is too short");
    return TN__PUSH(&heap->huge, huge);
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = ((const struct tn__h5_huge *)a)->id, y = ((const struct tn__h5_huge *)b)->id;
    return x < y ? -1 : x > y;
}

static tn_status load_huge(tn__h5_fractal *heap)
{
    if (heap->huge_known)
        return TN_OK;
    if (heap->huge_tree == TN__H5_NOWHERE)
        return tn__h5_damage(heap->address, "fractal heap: it has no huge objects");
    TN_TRY(tn__h5_btree2(heap->file, heap->huge_tree, 1, add_huge, heap));
    if (heap->huge.count)
        qsort(heap->huge.item, heap->huge.count, sizeof *heap->huge.item, by_id);
    heap->huge_known = true;
    return TN_OK;
}

/* A huge object's ID holds its place when there is room for it, else a number to look up. */
static tn_status huge_object(tn__h5_fractal *heap, tn__reader *id, tn__span *data)
{
    tn__h5 *file = heap->file;
    int room = heap->id_size - 1;
    struct tn__h5_huge huge, *found = &huge;
    if (room >= file->offset_size + file->length_size) {
        huge.address = tn__h5_read_offset(file, id);
        huge.size = tn__h5_read_length(file, id);
    } else {
        huge.id = tn__read_uint(id, room < 8 ? room : 8);
        TN_TRY(load_huge(heap));
        found = heap->huge.count
                    ? bsearch(&huge, heap->huge.item, heap->huge.count, sizeof huge, by_id)
                    : NULL;
    }
    if (!found || id->failed)
        return tn__h5_damage(heap->address, "fractal heap: there is no such huge object");
    return tn__h5_part(file, found->address, found->size, "huge object", data);
}

/* A tiny object is its ID. */
static tn_status tiny_object(tn__h5_fractal *heap, int first, tn__reader *id, tn__span *data)
{
    uint64_t size = (uint64_t)(first & 15);
    if (heap->id_size - 1 > 16)
        size = size << 8 | tn__read_u8(id);
    *data = tn__read_span(id, size + 1);
    return id->failed ? tn__h5_damage(heap->address, "fractal heap: a tiny object is too long")
                      : TN_OK;
}

tn_status tn__h5_fractal_get(tn__h5_fractal *heap, tn__span id, tn__span *data)
{
    tn__reader reader = { id, 0, false };
    int first = tn__read_u8(&reader), kind = first >> 4 & 3;
    if (id.size < (size_t)heap->id_size || first >> 6 != 0)
        return tn__h5_damage(heap->address, "fractal heap: an ID of version %d", first >> 6);
    if (kind == HUGE)
        return huge_object(heap, &reader, data);
    if (kind == TINY)
        return tiny_object(heap, first, &reader, data);
    if (kind != MANAGED)
        return tn__h5_damage(heap->address, "fractal heap: an object of kind %d", kind);
    uint64_t offset = tn__read_uint(&reader, heap->offset_bytes),
             size = tn__read_uint(&reader, heap->length_bytes);
    if (reader.failed)
        return tn__h5_damage(heap->address, "fractal heap: an ID is too short");
    TN_TRY(tn__h5_charge(heap->file, heap->address, size));
    return managed_object(heap, offset, size, data);
}
