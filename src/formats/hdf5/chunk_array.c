/* chunk_array.c - chunk indexes that are arrays: of fixed size, and growing along one dimension.
 *
 * Both hold one element for each chunk: its address, and behind filters also its size and the
 * filters that were left out. Large arrays are cut into pages, of which only those exist (a bitmap
 * says which) that something was written to. */
#include "formats/hdf5/internal.h"

typedef struct {
    const tn__h5_chunk_walk *walk;
    tn__h5 *file;
    uint64_t header; /* address */
    uint64_t element_size;
    uint64_t page_elements; /* of a page, as many as a block must have more than to be paged */
    bool filtered;
    int slowest; /* dimension */
} array_reader;

/* The element stands in a span that was checked. */
static tn_status read_element(const array_reader *array, tn__reader *reader, uint64_t number)
{
    uint64_t address = tn__h5_read_offset(array->file, reader);
    uint64_t size = array->walk->dataset->storage.chunk_bytes;
    uint32_t mask = 0;
    if (array->filtered) {
        size = tn__read_uint(reader, (int)array->element_size - array->file->offset_size - 4);
        mask = tn__read_u32(reader);
    }
    return tn__h5_chunk_numbered(array->walk, number, array->slowest, address, size, mask);
}

static tn_status read_elements(const array_reader *array, tn__reader *reader, uint64_t count,
                               uint64_t first)
{
    for (uint64_t i = 0; i < count; i++)
        TN_TRY(read_element(array, reader, first + i));
    return TN_OK;
}

static tn_status check_element_size(const array_reader *array)
{
    uint64_t offset = (uint64_t)array->file->offset_size;
    bool fits = array->filtered
                    ? array->element_size > offset + 4 && array->element_size <= offset + 12
                    : array->element_size == offset;
    return fits ? TN_OK
                : tn__h5_damage(array->header, "an array of chunks with elements of %llu bytes",
                                (unsigned long long)array->element_size);
}

/* Bits count from the highest of each byte. */
static bool page_exists(tn__span bitmap, uint64_t page)
{
    return page / 8 < bitmap.size && bitmap.data[page / 8] & 0x80 >> page % 8;
}

/* Pages stand at equal distances from `address` on, each with a checksum of its own; the last one
 * may hold fewer elements. */
static tn_status read_pages(const array_reader *array, uint64_t address, tn__span bitmap,
                            uint64_t first_bit, uint64_t count, uint64_t first)
{
    uint64_t page_size = array->page_elements * array->element_size + 4;
    uint64_t pages = count / array->page_elements + (count % array->page_elements != 0);
    for (uint64_t page = 0; page < pages; page++) {
        uint64_t left = count - page * array->page_elements, at;
        uint64_t elements = left < array->page_elements ? left : array->page_elements;
        tn__reader reader = { { NULL, 0 }, 0, false };
        if (!page_exists(bitmap, first_bit + page))
            continue;
        if (__builtin_mul_overflow(page, page_size, &at) ||
            __builtin_add_overflow(at, address, &at))
            return tn__h5_damage(address, "an array of chunks is too long");
        TN_TRY(tn__h5_part(array->file, at, elements * array->element_size + 4, "page of chunks",
                           &reader.span));
        TN_TRY(tn__h5_check(array->file, reader.span, at, "page of chunks"));
        TN_TRY(read_elements(array, &reader, elements, first + page * array->page_elements));
    }
    return TN_OK;
}

/* What the blocks of an array start with behind signature and version: the kind of its elements,
 * and whose block it is. */
static tn_status check_head(const array_reader *array, tn__reader *reader, uint64_t address)
{
    int filtered = tn__read_u8(reader);
    if (filtered != array->filtered || tn__h5_read_offset(array->file, reader) != array->header)
        return tn__h5_damage(address, "a block of chunks of another array");
    return TN_OK;
}

/* --- fixed array ------------------------------------------------------------------------------ */

static tn_status read_fixed_block(const array_reader *array, uint64_t address, uint64_t count)
{
    const char *what = "fixed array block";
    tn__reader reader;
    uint64_t head = 6 + (uint64_t)array->file->offset_size, bytes;
    if (count > array->page_elements) {
        uint64_t pages = count / array->page_elements + (count % array->page_elements != 0);
        uint64_t bitmap_size = pages / 8 + (pages % 8 != 0);
        TN_TRY(
            tn__h5_block(array->file, address, head + bitmap_size + 4, what, "FADB", 0, &reader));
        TN_TRY(tn__h5_check(array->file, reader.span, address, what));
        TN_TRY(check_head(array, &reader, address));
        tn__span bitmap = tn__read_span(&reader, bitmap_size);
        return read_pages(array, address + head + bitmap_size + 4, bitmap, 0, count, 0);
    }
    if (__builtin_mul_overflow(count, array->element_size, &bytes))
        return tn__h5_damage(address, "%s: too long", what);
    TN_TRY(tn__h5_block(array->file, address, head + bytes + 4, what, "FADB", 0, &reader));
    TN_TRY(tn__h5_check(array->file, reader.span, address, what));
    TN_TRY(check_head(array, &reader, address));
    return read_elements(array, &reader, count, 0);
}

tn_status tn__h5_fixed_array(const tn__h5_chunk_walk *walk)
{
    tn__h5 *file = walk->dataset->file;
    array_reader array = { .walk = walk, .file = file, .header = walk->dataset->storage.address };
    tn__reader reader;
    uint64_t size = 12 + (uint64_t)file->offset_size + (uint64_t)file->length_size;
    TN_TRY(tn__h5_block(file, array.header, size, "fixed array", "FAHD", 0, &reader));
    TN_TRY(tn__h5_check(file, reader.span, array.header, "fixed array"));
    array.filtered = tn__read_u8(&reader);
    array.element_size = tn__read_u8(&reader);
    int page_bits = tn__read_u8(&reader);
    uint64_t count = tn__h5_read_length(file, &reader), block = tn__h5_read_offset(file, &reader);
    TN_TRY(check_element_size(&array));
    if (page_bits < 1 || page_bits > 32)
        return tn__h5_damage(array.header, "fixed array: pages of 2^%d elements", page_bits);
    array.page_elements = (uint64_t)1 << page_bits;
    return block == TN__H5_NOWHERE ? TN_OK : read_fixed_block(&array, block, count);
}

/* --- extensible array ------------------------------------------------------------------------- */

/* After the elements in the index block come super blocks, number u of which has 2^(u/2) data
 * blocks of 2^((u+1)/2) times the smallest number of elements. The first few super blocks are only
 * addresses of data blocks in the index block. */
typedef struct {
    array_reader array;
    uint64_t index_elements, min_elements;
    int offset_bytes;  /* width of an element's number */
    int super_blocks;  /* all */
    int direct_blocks; /* super blocks whose data blocks the index block names itself */
} extensible;

static uint64_t block_elements(const extensible *in, int super_block)
{
    return in->min_elements << (super_block + 1) / 2;
}

/* The data block's checksum is behind its elements, or behind its head when pages follow. */
static tn_status read_data_block(const extensible *in, uint64_t address, uint64_t count,
                                 uint64_t first, tn__span bitmap, uint64_t first_bit)
{
    const char *what = "extensible array block";
    const array_reader *array = &in->array;
    tn__reader reader;
    bool paged = count > array->page_elements;
    uint64_t head = 6 + (uint64_t)array->file->offset_size + (uint64_t)in->offset_bytes;
    uint64_t bytes = 0;
    if (address == TN__H5_NOWHERE)
        return TN_OK;
    if (!paged && __builtin_mul_overflow(count, array->element_size, &bytes))
        return tn__h5_damage(address, "%s: too long", what);
    TN_TRY(tn__h5_block(array->file, address, head + bytes + 4, what, "EADB", 0, &reader));
    TN_TRY(tn__h5_check(array->file, reader.span, address, what));
    TN_TRY(check_head(array, &reader, address));
    if (paged)
        return read_pages(array, address + head + 4, bitmap, first_bit, count, first);
    tn__read_skip(&reader, (uint64_t)in->offset_bytes);
    return read_elements(array, &reader, count, first);
}

/* A super block of its own: bitmaps of the pages of its data blocks, when those are paged, and the
 * data blocks' addresses. */
static tn_status read_super_block(const extensible *in, uint64_t address, int number,
                                  uint64_t first)
{
    const char *what = "extensible array super block";
    const array_reader *array = &in->array;
    tn__reader reader;
    uint64_t blocks = (uint64_t)1 << number / 2, elements = block_elements(in, number),
             offset = (uint64_t)array->file->offset_size;
    uint64_t pages = elements > array->page_elements ? elements / array->page_elements : 0;
    uint64_t bitmap_size = blocks * (pages / 8 + (pages % 8 != 0));
    uint64_t size = 6 + offset + (uint64_t)in->offset_bytes + bitmap_size + blocks * offset + 4;
    if (address == TN__H5_NOWHERE)
        return TN_OK;
    TN_TRY(tn__h5_block(array->file, address, size, what, "EASB", 0, &reader));
    TN_TRY(tn__h5_check(array->file, reader.span, address, what));
    TN_TRY(check_head(array, &reader, address));
    tn__read_skip(&reader, (uint64_t)in->offset_bytes);
    tn__span bitmap = tn__read_span(&reader, bitmap_size);
    for (uint64_t i = 0; i < blocks; i++)
        TN_TRY(read_data_block(in, tn__h5_read_offset(array->file, &reader), elements,
                               first + i * elements, bitmap, i * pages));
    return TN_OK;
}

static tn_status read_index_block(const extensible *in, uint64_t address)
{
    const char *what = "extensible array index";
    const array_reader *array = &in->array;
    tn__reader reader;
    uint64_t offset = (uint64_t)array->file->offset_size,
             addresses = (uint64_t)(in->super_blocks - in->direct_blocks);
    for (int i = 0; i < in->direct_blocks; i++)
        addresses += (uint64_t)1 << i / 2;
    uint64_t size = 6 + offset + in->index_elements * array->element_size + addresses * offset + 4;
    TN_TRY(tn__h5_block(array->file, address, size, what, "EAIB", 0, &reader));
    TN_TRY(tn__h5_check(array->file, reader.span, address, what));
    TN_TRY(check_head(array, &reader, address));
    TN_TRY(read_elements(array, &reader, in->index_elements, 0));
    uint64_t first = in->index_elements;
    for (int number = 0; number < in->super_blocks; number++) {
        uint64_t blocks = number < in->direct_blocks ? (uint64_t)1 << number / 2 : 1;
        for (uint64_t i = 0; i < blocks; i++) {
            uint64_t block = tn__h5_read_offset(array->file, &reader),
                     elements = block_elements(in, number);
            if (number >= in->direct_blocks)
                TN_TRY(read_super_block(in, block, number, first));
            else
                TN_TRY(read_data_block(in, block, elements, first + i * elements,
                                       (tn__span){ NULL, 0 }, 0));
        }
        first += in->min_elements << number;
    }
    return TN_OK;
}

/* The dimension without an end is the slowest in this array, whatever its place. */
static int growing_dimension(const tn__h5_object *dataset)
{
    for (int i = 0; i < dataset->info.rank; i++)
        if (dataset->max_dims[i] == UINT64_MAX)
            return i;
    return 0;
}

static int log2_of(uint64_t value)
{
    return 63 - __builtin_clzll(value);
}

/* Powers of two, and few enough bits that no product of them runs over. */
static tn_status set_geometry(extensible *in, int max_bits, uint64_t min_pointers, int page_bits)
{
    uint64_t least = in->min_elements;
    if (max_bits < 1 || max_bits > 56 || page_bits < 1 || page_bits > 32 || !least ||
        least & (least - 1) || !min_pointers || min_pointers & (min_pointers - 1) ||
        log2_of(least) > max_bits)
        return tn__h5_damage(in->array.header, "extensible array: impossible sizes of blocks");
    in->array.page_elements = (uint64_t)1 << page_bits;
    in->offset_bytes = (max_bits + 7) / 8;
    in->super_blocks = 1 + max_bits - log2_of(least);
    in->direct_blocks = 2 * log2_of(min_pointers);
    if (in->direct_blocks > in->super_blocks)
        return tn__h5_damage(in->array.header, "extensible array: impossible sizes of blocks");
    return TN_OK;
}

tn_status tn__h5_extensible_array(const tn__h5_chunk_walk *walk)
{
    tn__h5 *file = walk->dataset->file;
    extensible in = { .array = {
                          .walk = walk, .file = file, .header = walk->dataset->storage.address } };
    tn__reader reader;
    uint64_t size = 16 + (uint64_t)file->offset_size + 6 * (uint64_t)file->length_size;
    TN_TRY(tn__h5_block(file, in.array.header, size, "extensible array", "EAHD", 0, &reader));
    TN_TRY(tn__h5_check(file, reader.span, in.array.header, "extensible array"));
    in.array.filtered = tn__read_u8(&reader);
    in.array.element_size = tn__read_u8(&reader);
    in.array.slowest = growing_dimension(walk->dataset);
    int max_bits = tn__read_u8(&reader);
    in.index_elements = tn__read_u8(&reader);
    in.min_elements = tn__read_u8(&reader);
    uint64_t min_pointers = tn__read_u8(&reader);
    int page_bits = tn__read_u8(&reader);
    tn__read_skip(&reader, 6 * (uint64_t)file->length_size); /* statistics */
    uint64_t index = tn__h5_read_offset(file, &reader);
    TN_TRY(check_element_size(&in.array));
    TN_TRY(set_geometry(&in, max_bits, min_pointers, page_bits));
    return index == TN__H5_NOWHERE ? TN_OK : read_index_block(&in, index);
}
