/* heap.c - global heaps, where strings of variable length are. */
#include "formats/hdf5/internal.h"
#include <stdlib.h>

static int by_index(const void *a, const void *b)
{
    uint32_t x = ((const tn__h5_heap_item *)a)->index, y = ((const tn__h5_heap_item *)b)->index;
    return x < y ? -1 : x > y;
}

/* The head of a heap, and of an object in it: 8 bytes and a length, padded to 8 bytes. */
static size_t head_size(const tn__h5 *file)
{
    return (8 + (size_t)file->length_size + 7) / 8 * 8;
}

/* Objects follow one another, each padded to 8 bytes; number 0 is what is free at the end. */
static tn_status read_items(tn__h5 *file, tn__reader *reader, uint64_t address,
                            tn__h5_collection *collection)
{
    size_t head = head_size(file);
    while (reader->span.size - reader->at >= head) {
        uint32_t index = tn__read_u16(reader);
        tn__read_skip(reader, 6);
        uint64_t size = tn__h5_read_length(file, reader);
        tn__read_skip(reader, head - 8 - (size_t)file->length_size);
        if (index == 0)
            return TN_OK;
        tn__h5_heap_item item = { index, tn__read_span(reader, size) };
        if (reader->failed)
            return tn__h5_damage(address,
                                 "global heap: object %u of %llu bytes is longer than its heap",
                                 index, (unsigned long long)size);
        TN_TRY(TN__PUSH(collection, item));
        size_t padding = (8 - size % 8) % 8, rest = reader->span.size - reader->at;
        tn__read_skip(reader, padding < rest ? padding : rest);
    }
    return TN_OK;
}

static tn_status read_collection(tn__h5 *file, uint64_t address, tn__h5_collection *collection)
{
    tn__reader reader;
    size_t head = head_size(file);
    TN_TRY(tn__h5_block(file, address, head, "global heap", "GCOL", 1, &reader));
    tn__read_skip(&reader, 3);
    uint64_t size = tn__h5_read_length(file, &reader);
    if (size < head)
        return tn__h5_damage(address, "global heap: a size of %llu bytes",
                             (unsigned long long)size);
    TN_TRY(tn__h5_part(file, address, size, "global heap", &reader.span));
    reader.at = head;
    TN_TRY(read_items(file, &reader, address, collection));
    if (collection->count)
        qsort(collection->item, collection->count, sizeof *collection->item, by_index);
    return TN_OK;
}

/* Read once, then remembered: many strings share a heap. */
static tn_status collection_at(tn__h5 *file, uint64_t address, const tn__h5_collection **out)
{
    size_t place;
    if (address == TN__H5_NOWHERE)
        return tn__h5_damage(address, "global heap: its address is undefined");
    if (!tn__ids_get(&file->collection_at, address + 1, &place)) {
        tn__h5_collection collection = { 0 };
        tn_status status = read_collection(file, address, &collection);
        place = file->collections.count;
        if (status == TN_OK)
            status = TN__RESERVE(&file->collections, 1);
        if (status == TN_OK)
            status = tn__ids_set(&file->collection_at, address + 1, place);
        if (status != TN_OK) {
            tn__free(collection.item);
            return status;
        }
        file->collections.item[file->collections.count++] = collection;
    }
    *out = &file->collections.item[place];
    return TN_OK;
}

tn_status tn__h5_global_object(tn__h5 *file, uint64_t address, uint32_t index, tn__span *data)
{
    const tn__h5_collection *collection = NULL;
    TN_TRY(collection_at(file, address, &collection));
    tn__h5_heap_item key = { .index = index }, *found = NULL;
    if (collection->count)
        found = bsearch(&key, collection->item, collection->count, sizeof key, by_index);
    if (!found)
        return tn__h5_damage(address, "global heap: there is no object %u", index);
    *data = found->data;
    return TN_OK;
}
