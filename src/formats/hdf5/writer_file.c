/* writer_file.c - a tree as the bytes of a classic HDF5 file.
 *
 * The file is: superblock; heaps of texts; for each object, children before their parents, its
 * header and, for a group, its local heap, symbol table and B-tree; then all data. The structure is
 * made in memory first, which is when the addresses of the data come to be known, so everything can
 * be written from front to back. */
#include "formats/hdf5/writer.h"
#include <stdlib.h>
#include <string.h>

/* Sizes of nodes as the superblock declares them, HDF5's defaults: a symbol table node has room for
 * 2 * LEAF_K entries, a B-tree node for 2 * TREE_K children. */
enum { LEAF_K = 4, TREE_K = 16, SUPERBLOCK = 96, ENTRY = 40, ALIGNMENT = 64, LEAST_HEAP = 4096 };
enum { SNOD_SIZE = 8 + 2 * LEAF_K * ENTRY, TREE_SIZE = 24 + (2 * TREE_K + 1) * 8 + 2 * TREE_K * 8 };

/* Bytes that are being put together; asked once, at the end, whether there was memory for all. */
typedef struct {
    tn__bytes bytes;
    bool failed;
} output;

static void put_bytes(output *out, const void *data, size_t size)
{
    if (!out->failed && tn__bytes_append(&out->bytes, data, size) != TN_OK)
        out->failed = true;
}

static void put(output *out, uint64_t value, int width)
{
    if (!out->failed && tn__bytes_append_uint(&out->bytes, value, width) != TN_OK)
        out->failed = true;
}

static void put_zeros(output *out, uint64_t count)
{
    put_bytes(out, NULL, (size_t)count);
}

/* Up to a multiple of 8 bytes from `start` on. */
static void put_padding(output *out, size_t start)
{
    size_t used = out->bytes.size - start;
    put_zeros(out, (8 - used % 8) % 8);
}

/* Overwrites what was put before. */
static void patch(output *out, size_t at, uint64_t value)
{
    for (size_t i = 0; i < 8 && !out->failed; i++)
        out->bytes.data[at + i] = (uint8_t)(value >> 8 * i);
}

/* --- types, shapes and values ----------------------------------------------------------------- */

/* Class and version 1, 24 bits, size. */
static void put_type_head(output *out, int class, uint32_t bits, uint64_t size)
{
    put(out, 0x10 | (uint64_t) class, 1);
    put(out, bits, 3);
    put(out, size, 4);
}

static void put_integer(output *out, uint64_t size, bool is_signed)
{
    put_type_head(out, 0, is_signed ? 8 : 0, size);
    put(out, 0, 2);
    put(out, 8 * size, 2);
}

static void put_float(output *out, uint64_t size)
{
    const tn__h5_float *format = tn__h5_floats;
    while (format->size != size)
        format++;
    put_type_head(out, 1, 0x20 | format->sign << 8,
                  size); /* 0x20: the mantissa's first 1 is not stored */
    put(out, 0, 2);
    put(out, format->precision, 2);
    put(out, format->exponent, 1);
    put(out, format->exponent_size, 1);
    put(out, format->mantissa, 1);
    put(out, format->mantissa_size, 1);
    put(out, format->bias, 4);
}

/* h5py's: an enumeration over signed bytes. */
static void put_bool(output *out)
{
    put_type_head(out, 8, 2, 1);
    put_integer(out, 1, true);
    put_bytes(out, "FALSE\0\0\0TRUE\0\0\0\0\0\1", 18);
}

static void put_type(output *out, const tn__h5_type *type)
{
    switch (type->class) {
    case TN__H5_INTEGER:
        put_integer(out, type->size, type->is_signed);
        break;
    case TN__H5_FLOAT:
        put_float(out, type->size);
        break;
    case TN__H5_BOOL:
        put_bool(out);
        break;
    case TN__H5_OPAQUE:
        put_type_head(out, 5, 0, type->size);
        break;
    case TN__H5_STRING:
        put_type_head(out, 3, (uint32_t)type->padding | (uint32_t)type->utf8 << 4, type->size);
        break;
    default: /* text: a sequence of bytes that is a string */
        put_type_head(out, 9, 1 | (uint32_t)type->utf8 << 8, type->size);
        put_integer(out, 1, false);
        break;
    }
}

static void put_space(output *out, const tn__h5_content *content)
{
    put(out, 1, 1);
    put(out, (uint64_t)content->rank, 1);
    put_zeros(out, 6);
    for (int i = 0; i < content->rank; i++)
        put(out, content->dims[i], 8);
}

/* Texts are written as where they are. */
static void put_places(output *out, const tn__h5_tree *tree, const tn__h5_content *content)
{
    const tn__h5_text_place *places = content->copy;
    for (uint64_t i = 0; i < content->count; i++) {
        put(out, places[i].length, 4);
        put(out, tree->heaps.item[places[i].heap].address, 8);
        put(out, places[i].index, 4);
    }
}

/* --- headers ---------------------------------------------------------------------------------- */

/* A header that is being made; its messages are counted. */
typedef struct {
    output *out;
    size_t start; /* of the messages */
    size_t message;
    unsigned count;
} header;

static uint64_t begin_header(header *head, output *out)
{
    uint64_t address = out->bytes.size;
    put(out, 1, 2); /* version */
    put(out, 0, 2); /* number of messages */
    put(out, 1, 4); /* links to it */
    put(out, 0, 8); /* size, padding */
    *head = (header){ .out = out, .start = out->bytes.size };
    return address;
}

static void begin_message(header *head, int type, int flags)
{
    head->message = head->out->bytes.size;
    head->count++;
    put(head->out, (uint64_t)type, 2);
    put(head->out, 0, 2); /* size */
    put(head->out, (uint64_t)flags, 4);
}

static void end_message(header *head)
{
    output *out = head->out;
    put_padding(out, head->start);
    uint64_t size = out->bytes.size - head->message - 8;
    if (out->failed)
        return;
    out->bytes.data[head->message + 2] = (uint8_t)size;
    out->bytes.data[head->message + 3] = (uint8_t)(size >> 8);
}

static void end_header(header *head)
{
    output *out = head->out;
    uint64_t size = out->bytes.size - head->start;
    if (out->failed)
        return;
    uint8_t *at = out->bytes.data + head->start - 16;
    at[2] = (uint8_t)head->count;
    at[3] = (uint8_t)(head->count >> 8);
    for (int i = 0; i < 4; i++)
        at[8 + i] = (uint8_t)(size >> 8 * i);
}

/* Name, type and shape, as version 1 (each padded to 8 bytes) or, for names beyond ASCII, as
 * version 3, which can say UTF-8. */
static void put_attribute_head(output *out, const char *name, const tn__h5_content *content)
{
    bool ascii = true;
    for (const char *c = name; *c; c++)
        ascii &= (unsigned char)*c < 128;
    output type = { 0 }, space = { 0 };
    put_type(&type, &content->type);
    put_space(&space, content);
    put(out, ascii ? 1 : 3, 2);
    put(out, strlen(name) + 1, 2);
    put(out, type.bytes.size, 2);
    put(out, space.bytes.size, 2);
    if (!ascii)
        put(out, 1, 1);
    const tn__span parts[] = { { (const uint8_t *)name, strlen(name) + 1 },
                               tn__bytes_span(&type.bytes),
                               tn__bytes_span(&space.bytes) };
    for (int i = 0; i < 3; i++) {
        size_t start = out->bytes.size;
        put_bytes(out, parts[i].data, parts[i].size);
        if (ascii)
            put_padding(out, start);
    }
    out->failed |= type.failed || space.failed;
    tn__bytes_free(&type.bytes);
    tn__bytes_free(&space.bytes);
}

/* Counted from above: with the longest type and full padding. */
uint64_t tn__h5_attribute_size(const char *name, const tn__h5_content *content)
{
    return 8 + (strlen(name) + 8) + 40 + (8 + 8 * (uint64_t)content->rank) +
           (content->size + 7) / 8 * 8;
}

static void put_attributes(header *head, const tn__h5_node *node)
{
    for (size_t i = 0; i < node->attributes.count; i++) {
        const tn__h5_put_attribute *attribute = &node->attributes.item[i];
        const tn__h5_content *content = &attribute->content;
        begin_message(head, TN__H5_M_ATTRIBUTE, 0);
        put_attribute_head(head->out, attribute->name, content);
        if (content->type.class == TN__H5_TEXT)
            put_places(head->out, node->tree, content);
        else
            put_bytes(head->out, content->copy, (size_t)content->size);
        end_message(head);
    }
}

static void put_dataset(output *out, tn__h5_node *node)
{
    enum { CONSTANT = 1 };
    header head;
    node->header = begin_header(&head, out);
    begin_message(&head, TN__H5_M_DATASPACE, 0);
    put_space(out, &node->content);
    end_message(&head);
    begin_message(&head, TN__H5_M_DATATYPE, CONSTANT);
    put_type(out, &node->content.type);
    end_message(&head);
    begin_message(&head, TN__H5_M_FILL, CONSTANT);
    put(out, 0x01020202, 4); /* version 2; allocated late, filled if set; the default */
    put(out, 0, 4);
    end_message(&head);
    begin_message(&head, TN__H5_M_LAYOUT, 0);
    put(out, 0x0103, 2); /* version 3, contiguous */
    node->layout_at = out->bytes.size;
    put(out, UINT64_MAX, 8);
    put(out, node->content.size, 8);
    end_message(&head);
    put_attributes(&head, node);
    end_header(&head);
}

/* --- groups ----------------------------------------------------------------------------------- */

/* A child of a tree's node: where it is, and its last name's place in the local heap. */
typedef struct {
    uint64_t address, last_name;
} tree_entry;

typedef struct {
    tn__h5_node **child; /* by name */
    uint64_t *name;      /* places in the local heap */
    tree_entry *entry;   /* of the level that is being built */
    size_t count;
} sorted_links;

static int by_name(const void *a, const void *b)
{
    return strcmp((*(tn__h5_node *const *)a)->name, (*(tn__h5_node *const *)b)->name);
}

static tn_status sort_links(const tn__h5_node *group, sorted_links *links)
{
    size_t count = group->children.count;
    *links = (sorted_links){ .count = count };
    links->child = tn__alloc_zeroed(count + 1, sizeof *links->child);
    links->name = tn__alloc_zeroed(count + 1, sizeof *links->name);
    links->entry = tn__alloc_zeroed(count + 1, sizeof *links->entry);
    if (!links->child || !links->name || !links->entry)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++)
        links->child[i] = group->children.item[i].value;
    if (count > 1)
        qsort(links->child, count, sizeof *links->child, by_name);
    return TN_OK;
}

static void free_links(sorted_links *links)
{
    tn__free(links->child);
    tn__free(links->name);
    tn__free(links->entry);
}

/* The names, each padded to 8 bytes, behind an empty one. */
static void put_local_heap(output *out, tn__h5_node *group, sorted_links *links)
{
    group->heap = out->bytes.size;
    put_bytes(out, "HEAP\0\0\0", 8);
    size_t size_at = out->bytes.size;
    put(out, 0, 8);
    put(out, 1, 8); /* nothing is free */
    put(out, out->bytes.size + 8, 8);
    size_t start = out->bytes.size;
    put_zeros(out, 8);
    for (size_t i = 0; i < links->count; i++) {
        links->name[i] = out->bytes.size - start;
        put_bytes(out, links->child[i]->name, strlen(links->child[i]->name) + 1);
        put_padding(out, start);
    }
    patch(out, size_at, out->bytes.size - start);
}

/* An entry of a symbol table; for a group it repeats where its tree and heap are. */
static void put_entry(output *out, uint64_t name, const tn__h5_node *node)
{
    put(out, name, 8);
    put(out, node->header, 8);
    put(out, node->is_group, 8);
    put(out, node->is_group ? node->btree : 0, 8);
    put(out, node->is_group ? node->heap : 0, 8);
}

/* Symbol table nodes; leaves their entries for the tree above. Gives how many there are. */
static size_t put_symbols(output *out, sorted_links *links)
{
    size_t nodes = 0;
    for (size_t i = 0; i < links->count; i += 2 * LEAF_K) {
        size_t count = links->count - i < 2 * LEAF_K ? links->count - i : 2 * LEAF_K,
               start = out->bytes.size;
        links->entry[nodes++] = (tree_entry){ start, links->name[i + count - 1] };
        put_bytes(out, "SNOD\1", 6);
        put(out, count, 2);
        for (size_t j = i; j < i + count; j++)
            put_entry(out, links->name[j], links->child[j]);
        put_zeros(out, SNOD_SIZE - (out->bytes.size - start));
    }
    return nodes;
}

/* One node of a level, whose neighbours stand right before and behind it. Keys stand between the
 * children: the last name on the left of each. */
static void put_tree_node(output *out, int level, const tree_entry *entries, size_t count,
                          uint64_t first_key, bool leftmost, bool rightmost)
{
    size_t start = out->bytes.size;
    put_bytes(out, "TREE", 5);
    put(out, (uint64_t)level, 1);
    put(out, count, 2);
    put(out, leftmost ? UINT64_MAX : start - TREE_SIZE, 8);
    put(out, rightmost ? UINT64_MAX : start + TREE_SIZE, 8);
    put(out, first_key, 8);
    for (size_t i = 0; i < count; i++) {
        put(out, entries[i].address, 8);
        put(out, entries[i].last_name, 8);
    }
    put_zeros(out, TREE_SIZE - (out->bytes.size - start));
}

/* Builds level upon level until one node holds everything; gives its address. */
static uint64_t put_tree(output *out, sorted_links *links, size_t count)
{
    for (int level = 0;; level++) {
        size_t nodes = 0;
        uint64_t first_key = 0, address = 0;
        for (size_t i = 0; i < count || i == 0; i += 2 * TREE_K) {
            size_t part = count - i < 2 * TREE_K ? count - i : 2 * TREE_K;
            address = out->bytes.size;
            put_tree_node(out, level, links->entry + i, part, first_key, i == 0, i + part >= count);
            if (part)
                first_key = links->entry[i + part - 1].last_name;
            links->entry[nodes++] = (tree_entry){ address, first_key };
        }
        if (nodes == 1)
            return address;
        count = nodes;
    }
}

static tn_status put_group(output *out, tn__h5_node *node)
{
    sorted_links links;
    header head;
    tn_status status = sort_links(node, &links);
    if (status == TN_OK) {
        put_local_heap(out, node, &links);
        node->btree = put_tree(out, &links, put_symbols(out, &links));
        node->header = begin_header(&head, out);
        begin_message(&head, TN__H5_M_SYMBOL_TABLE, 0);
        put(out, node->btree, 8);
        put(out, node->heap, 8);
        end_message(&head);
        put_attributes(&head, node);
        end_header(&head);
    }
    free_links(&links);
    return status;
}

/* --- the file --------------------------------------------------------------------------------- */

/* Heaps have at least 4096 bytes; object 0 is what is free behind the others. */
static void put_text_heaps(output *out, tn__h5_tree *tree)
{
    for (size_t i = 0; i < tree->heaps.count; i++) {
        struct tn__h5_text_heap *heap = &tree->heaps.item[i];
        uint64_t used = 16 + heap->objects.size;
        uint64_t size = used + 16 > LEAST_HEAP ? used + 16 : LEAST_HEAP;
        heap->address = out->bytes.size;
        put_bytes(out, "GCOL\1\0\0", 8);
        put(out, size, 8);
        put_bytes(out, heap->objects.data, heap->objects.size);
        put(out, 0, 8);
        put(out, size - used, 8);
        put_zeros(out, size - used - 16);
    }
}

/* Gives every dataset its place behind the structure, in the order in which they were added, and
 * says where the file ends. */
static uint64_t place_data(output *out, tn__h5_tree *tree)
{
    uint64_t end = out->bytes.size;
    for (size_t i = 0; i < tree->nodes.count; i++) {
        tn__h5_node *node = tree->nodes.item[i];
        if (node->is_group || node->content.size == 0)
            continue;
        node->data_at = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        patch(out, node->layout_at, node->data_at);
        end = node->data_at + node->content.size;
    }
    return end;
}

static void fill_superblock(output *out, const tn__h5_node *root, uint64_t end)
{
    output block = { 0 };
    put_bytes(&block, "\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08", 16);
    put(&block, LEAF_K, 2);
    put(&block, TREE_K, 2);
    put(&block, 0, 4);
    put(&block, 0, 8);          /* addresses count from here */
    put(&block, UINT64_MAX, 8); /* no list of free space */
    put(&block, end, 8);
    put(&block, UINT64_MAX, 8); /* no driver */
    put_entry(&block, 0, root);
    out->failed |= block.failed;
    if (!out->failed)
        memcpy(out->bytes.data, block.bytes.data, SUPERBLOCK);
    tn__bytes_free(&block.bytes);
}

static tn_status put_structure(output *out, tn__h5_tree *tree)
{
    put_zeros(out, SUPERBLOCK);
    put_text_heaps(out, tree);
    for (size_t i = tree->nodes.count; i-- > 0;) {
        tn__h5_node *node = tree->nodes.item[i];
        if (node->is_group)
            TN_TRY(put_group(out, node));
        else
            put_dataset(out, node);
    }
    fill_superblock(out, tree->nodes.item[0], place_data(out, tree));
    return out->failed ? tn__fail_memory(0) : TN_OK;
}

static tn_status write_zeros(tn__writer *writer, uint64_t count)
{
    static const uint8_t zeros[ALIGNMENT] = { 0 };
    return tn__write(writer, zeros, (size_t)count);
}

static tn_status write_content(const tn__h5_node *node, tn__writer *writer)
{
    const tn__h5_content *content = &node->content;
    if (content->produce)
        return content->produce(content->self, writer);
    if (content->type.class != TN__H5_TEXT)
        return tn__write(writer, content->data, (size_t)content->size);
    output places = { 0 };
    put_places(&places, node->tree, content);
    tn_status status = places.failed ? tn__fail_memory(0)
                                     : tn__write(writer, places.bytes.data, places.bytes.size);
    tn__bytes_free(&places.bytes);
    return status;
}

static tn_status write_data(const tn__h5_tree *tree, tn__writer *writer, uint64_t start)
{
    for (size_t i = 0; i < tree->nodes.count; i++) {
        const tn__h5_node *node = tree->nodes.item[i];
        if (node->is_group || node->content.size == 0)
            continue;
        TN_TRY(write_zeros(writer, start + node->data_at - tn__writer_size(writer)));
        TN_TRY(write_content(node, writer));
        uint64_t written = tn__writer_size(writer) - start - node->data_at;
        if (written != node->content.size)
            return tn__fail(
                TN_INVALID_ARGUMENT, "HDF5 dataset '%s': %llu bytes were produced, expected %llu",
                node->name, (unsigned long long)written, (unsigned long long)node->content.size);
    }
    return TN_OK;
}

tn_status tn__h5_tree_write(tn__h5_tree *tree, tn__writer *writer)
{
    output out = { 0 };
    uint64_t start = tn__writer_size(writer);
    tn_status status = put_structure(&out, tree);
    if (status == TN_OK)
        status = tn__write(writer, out.bytes.data, out.bytes.size);
    tn__bytes_free(&out.bytes);
    return status == TN_OK ? write_data(tree, writer, start) : status;
}
