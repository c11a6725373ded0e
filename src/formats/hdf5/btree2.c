/* btree2.c - version 2 B-trees, walked from the first record to the last. */
#include "formats/hdf5/internal.h"

enum { MAX_DEPTH = 16, NODE_OVERHEAD = 4 + 1 + 1 + 4 }; /* signature, version, type, checksum */

typedef struct {
    tn__h5 *file;
    int type;
    uint64_t node_size, record_size;
    struct level {
        uint64_t max_records; /* of a node this far above the leaves */
        uint64_t max_total;   /* with all that is below */
        int total_bytes;      /* width of a total in a node above */
    } level[MAX_DEPTH + 1];
    int count_bytes; /* width of a node's own number of records */
    tn__h5_record each;
    void *self;
} tree_reader;

/* A node as its parent, or the header, knows it. */
typedef struct {
    uint64_t address, records;
    int level; /* 0: a leaf */
} node_place;

static int bytes_for(uint64_t most)
{
    int bits = 0;
    while (most >> bits > 1 && bits < 63)
        bits++;
    return bits / 8 + 1;
}

/* A pointer to a child holds its address, its number of records and, above the lowest inner nodes,
 * the total below it. */
static uint64_t pointer_size(const tree_reader *tree, int level)
{
    return (uint64_t)tree->file->offset_size + (uint64_t)tree->count_bytes +
           (uint64_t)(level > 1 ? tree->level[level - 1].total_bytes : 0);
}

static tn_status measure_levels(tree_reader *tree, uint64_t address, int depth)
{
    if (tree->record_size == 0 || tree->node_size < NODE_OVERHEAD + tree->record_size ||
        depth > MAX_DEPTH)
        return tn__h5_damage(
            address, "B-tree: nodes of %llu bytes, records of %llu bytes, depth %d",
            (unsigned long long)tree->node_size, (unsigned long long)tree->record_size, depth);
    struct level *level = tree->level;
    level[0].max_records = level[0].max_total =
        (tree->node_size - NODE_OVERHEAD) / tree->record_size;
    tree->count_bytes = bytes_for(level[0].max_records);
    for (int i = 1; i <= depth; i++) {
        uint64_t pointer = pointer_size(tree, i), used = NODE_OVERHEAD + pointer;
        level[i].max_records =
            tree->node_size > used ? (tree->node_size - used) / (tree->record_size + pointer) : 0;
        if (__builtin_mul_overflow(level[i].max_records + 1, level[i - 1].max_total,
                                   &level[i].max_total) ||
            __builtin_add_overflow(level[i].max_total, level[i].max_records, &level[i].max_total))
            return tn__h5_damage(address, "B-tree: a depth of %d", depth);
        level[i].total_bytes = bytes_for(level[i].max_total);
    }
    return TN_OK;
}

/* Opens a node: *records stands at the first record, *pointers (inner nodes) at the first child. */
static tn_status open_node(const tree_reader *tree, node_place place, tn__reader *records,
                           tn__reader *pointers)
{
    const char *what = place.level ? "inner B-tree node" : "B-tree leaf";
    uint64_t size = NODE_OVERHEAD + place.records * tree->record_size;
    if (place.records > tree->level[place.level].max_records)
        return tn__h5_damage(place.address, "%s: %llu records", what,
                             (unsigned long long)place.records);
    if (place.level)
        size += (place.records + 1) * pointer_size(tree, place.level);
    TN_TRY(tn__h5_block(tree->file, place.address, size, what, place.level ? "BTIN" : "BTLF", 0,
                        records));
    TN_TRY(tn__h5_check(tree->file, records->span, place.address, what));
    if (tn__read_u8(records) != tree->type)
        return tn__h5_damage(place.address, "%s: of another type", what);
    *pointers = *records;
    tn__read_skip(pointers, place.records * tree->record_size);
    return TN_OK;
}

static node_place read_pointer(const tree_reader *tree, tn__reader *pointers, int level)
{
    node_place child = { .level = level - 1 };
    child.address = tn__h5_read_offset(tree->file, pointers);
    child.records = tn__read_uint(pointers, tree->count_bytes);
    if (level > 1)
        tn__read_uint(pointers, tree->level[level - 1].total_bytes);
    return child;
}

/* Recurses once for each level, of which there are at most MAX_DEPTH. */
static tn_status walk_node(const tree_reader *tree, node_place place)
{
    tn__reader records, pointers;
    TN_TRY(open_node(tree, place, &records, &pointers));
    for (uint64_t i = 0; i <= place.records; i++) {
        if (place.level)
            TN_TRY(walk_node(tree, read_pointer(tree, &pointers, place.level)));
        if (i < place.records)
            TN_TRY(tree->each(tree->self, tn__read_span(&records, tree->record_size)));
    }
    return TN_OK;
}

tn_status tn__h5_btree2(tn__h5 *file, uint64_t address, int type, tn__h5_record each, void *self)
{
    tree_reader tree = { .file = file, .type = type, .each = each, .self = self };
    tn__reader reader;
    uint64_t size = 22 + (uint64_t)file->offset_size + (uint64_t)file->length_size;
    TN_TRY(tn__h5_block(file, address, size, "B-tree header", "BTHD", 0, &reader));
    TN_TRY(tn__h5_check(file, reader.span, address, "B-tree header"));
    int found = tn__read_u8(&reader);
    tree.node_size = tn__read_u32(&reader);
    tree.record_size = tn__read_u16(&reader);
    int depth = tn__read_u16(&reader);
    tn__read_u16(&reader); /* when nodes are split and merged */
    node_place root = { .level = depth };
    root.address = tn__h5_read_offset(file, &reader);
    root.records = tn__read_u16(&reader);
    if (found != type)
        return tn__h5_damage(address, "B-tree of type %d, expected %d", found, type);
    if (root.address == TN__H5_NOWHERE)
        return TN_OK; /* empty */
    TN_TRY(measure_levels(&tree, address, depth));
    return walk_node(&tree, root);
}
