/* group.c - the links of groups, in their three forms, and paths through them. */
#include "formats/hdf5/internal.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many soft links as HDF5 follows for one path. */
enum { MAX_SOFT_LINKS = 16, MAX_LEVEL = 64 };

static void link_free(tn__h5_link *link)
{
    tn__free(link->name);
    tn__free(link->target);
}

void tn__h5_links_free(tn__h5_links *links)
{
    for (size_t i = 0; i < links->count; i++)
        link_free(&links->item[i]);
    tn__free(links->item);
    tn__free(links->by_name);
    *links = (tn__h5_links){ 0 };
}

/* Adds a link, whose name and target are copied; the copies count against the budget, for many
 * links can share one text. */
static tn_status add_link(tn__h5_object *group, tn__h5_link link, tn__span name, tn__span target)
{
    uint64_t at = tn__h5_place(group->file, name.data);
    if (name.size == 0 || memchr(name.data, 0, name.size))
        return tn__h5_damage(at, "a link in '%.200s' has an impossible name", tn__h5_path(group));
    TN_TRY(tn__h5_charge(group->file, at, name.size + target.size));
    TN_TRY(TN__RESERVE(&group->links, 1));
    link.name = tn__strndup((const char *)name.data, name.size);
    link.name_size = name.size;
    link.target = target.data ? tn__strndup((const char *)target.data, target.size) : NULL;
    if (!link.name || (target.data && !link.target)) {
        link_free(&link);
        return TN_RESOURCE_EXHAUSTED;
    }
    group->links.item[group->links.count++] = link;
    return TN_OK;
}

/* --- symbol tables ---------------------------------------------------------------------------- */

/* A version 1 B-tree whose leaves are lists of entries, with names in a local heap. */
typedef struct {
    tn__h5_object *group;
    tn__h5 *file;
    tn__span names;
} symbol_table;

static tn_status open_local_heap(symbol_table *table, uint64_t address)
{
    tn__reader reader;
    tn__h5 *file = table->file;
    uint64_t size = 8 + 2 * (uint64_t)file->length_size + (uint64_t)file->offset_size;
    TN_TRY(tn__h5_block(file, address, size, "local heap", "HEAP", 0, &reader));
    tn__read_skip(&reader, 3);
    size = tn__h5_read_length(file, &reader);
    tn__h5_read_length(file, &reader); /* first free block */
    return tn__h5_part(file, tn__h5_read_offset(file, &reader), size, "local heap's text",
                       &table->names);
}

/* The text at an offset into the local heap, up to its NUL. */
static tn_status heap_text(const symbol_table *table, uint64_t offset, tn__span *text)
{
    uint64_t at = tn__h5_place(table->file, table->names.data);
    if (offset >= table->names.size)
        return tn__h5_damage(at, "a name at %llu is outside the local heap of %zu bytes",
                             (unsigned long long)offset, table->names.size);
    tn__span rest = { table->names.data + offset, table->names.size - (size_t)offset };
    const uint8_t *end = memchr(rest.data, 0, rest.size);
    if (!end)
        return tn__h5_damage(at + offset, "a name in the local heap has no end");
    *text = (tn__span){ rest.data, (size_t)(end - rest.data) };
    return TN_OK;
}

static tn_status read_entry(const symbol_table *table, tn__reader *reader)
{
    enum { SOFT_LINK = 2 };
    tn__h5_link link = { .kind = TN__H5_LINK_HARD };
    tn__span name, target = { NULL, 0 };
    uint64_t offset = tn__h5_read_offset(table->file, reader);
    link.address = tn__h5_read_offset(table->file, reader);
    uint32_t cached = tn__read_u32(reader);
    tn__read_u32(reader);
    tn__reader scratch = { tn__read_span(reader, 16), 0, false };
    TN_TRY(heap_text(table, offset, &name));
    if (cached == SOFT_LINK) {
        link.kind = TN__H5_LINK_SOFT;
        TN_TRY(heap_text(table, tn__read_u32(&scratch), &target));
    }
    return add_link(table->group, link, name, target);
}

static tn_status read_symbols(const symbol_table *table, uint64_t address)
{
    tn__reader reader;
    uint64_t entry = 2 * (uint64_t)table->file->offset_size + 24;
    TN_TRY(tn__h5_block(table->file, address, 8, "symbol table node", "SNOD", 1, &reader));
    tn__read_u8(&reader);
    uint64_t count = tn__read_u16(&reader);
    TN_TRY(tn__h5_part(table->file, address, 8 + count * entry, "symbol table node", &reader.span));
    for (uint64_t i = 0; i < count; i++)
        TN_TRY(read_entry(table, &reader));
    return TN_OK;
}

/* level: what the node's has to be, or -1 for the root. Recurses once for each level. */
static tn_status read_symbol_tree(const symbol_table *table, uint64_t address, int level)
{
    tn__h5 *file = table->file;
    tn__reader reader;
    uint64_t offset_size = (uint64_t)file->offset_size, length_size = (uint64_t)file->length_size;
    uint64_t head = 8 + 2 * offset_size;
    tn__span part;
    TN_TRY(tn__h5_part(file, address, head, "B-tree node", &part));
    if (memcmp(part.data, "TREE", 4) != 0 || part.data[4] != 0)
        return tn__h5_damage(address, "B-tree node: no signature 'TREE', or not of a group");
    reader = (tn__reader){ part, 5, false };
    int found = tn__read_u8(&reader);
    uint64_t count = tn__read_u16(&reader);
    if ((level >= 0 && found != level) || found > MAX_LEVEL)
        return tn__h5_damage(address, "B-tree node: level %d", found);
    TN_TRY(tn__h5_part(file, address, head + count * (offset_size + length_size), "B-tree node",
                       &reader.span));
    reader.at = (size_t)head;
    for (uint64_t i = 0; i < count; i++) {
        tn__h5_read_length(file, &reader); /* the key: a name before the child's */
        uint64_t child = tn__h5_read_offset(file, &reader);
        TN_TRY(found ? read_symbol_tree(table, child, found - 1) : read_symbols(table, child));
    }
    return TN_OK;
}

static tn_status load_symbol_table(tn__h5_object *group, const tn__h5_message *message)
{
    tn__reader reader = { { message->data, message->size }, 0, false };
    symbol_table table = { group, group->file, { NULL, 0 } };
    uint64_t tree = tn__h5_read_offset(group->file, &reader);
    uint64_t heap = tn__h5_read_offset(group->file, &reader);
    if (reader.failed)
        return tn__h5_damage(tn__h5_place(group->file, message->data),
                             "a symbol table message is too short");
    TN_TRY(open_local_heap(&table, heap));
    return read_symbol_tree(&table, tree, -1);
}

/* --- link messages, in the header or in a fractal heap ---------------------------------------- */

/* A link to another file is not followed; what it says is kept for the message. */
static tn_status add_external(tn__h5_object *group, tn__h5_link link, tn__span name, tn__span value)
{
    const char *file = value.size > 1 ? (const char *)value.data + 1 : NULL;
    const char *end = file ? memchr(file, 0, value.size - 1) : NULL;
    size_t rest = end ? value.size - 2 - (size_t)(end - file) : 0;
    if (!end || !memchr(end + 1, 0, rest))
        return tn__h5_damage(tn__h5_place(group->file, name.data), "an external link has no end");
    char text[300];
    int length = snprintf(text, sizeof text, "'%.140s' of the file '%.140s'", end + 1, file);
    return add_link(group, link, name, (tn__span){ (const uint8_t *)text, (size_t)length });
}

static tn_status parse_link(tn__h5_object *group, tn__span data)
{
    enum { HARD = 0, SOFT = 1, EXTERNAL = 64 };
    tn__h5 *file = group->file;
    tn__reader reader = { data, 0, false };
    int version = tn__read_u8(&reader), flags = tn__read_u8(&reader);
    int kind = flags & 0x08 ? tn__read_u8(&reader) : HARD;
    tn__h5_link link = { .ordered = flags & 0x04 };
    if (link.ordered)
        link.order = tn__read_u64(&reader);
    if (flags & 0x10)
        tn__read_u8(&reader); /* character set of the name */
    tn__span name = tn__read_span(&reader, tn__read_uint(&reader, 1 << (flags & 3)));
    tn__span value = { NULL, 0 };
    if (kind == HARD)
        link.address = tn__h5_read_offset(file, &reader);
    else
        value = tn__read_span(&reader, tn__read_u16(&reader));
    if (reader.failed || version != 1)
        return tn__h5_damage(tn__h5_place(file, data.data),
                             "a link message of version %d is damaged", version);
    link.kind = kind == HARD       ? TN__H5_LINK_HARD
                : kind == SOFT     ? TN__H5_LINK_SOFT
                : kind == EXTERNAL ? TN__H5_LINK_EXTERNAL
                                   : TN__H5_LINK_OTHER;
    if (kind == EXTERNAL)
        return add_external(group, link, name, value);
    return add_link(group, link, name, kind == SOFT ? value : (tn__span){ NULL, 0 });
}

typedef struct {
    tn__h5_object *group;
    tn__h5_fractal heap;
} dense_links;

/* A record of the name index: a hash, and where the link message is in the heap. */
static tn_status add_dense_link(void *self, tn__span record)
{
    dense_links *dense = self;
    tn__span id, message;
    if (!tn__span_part(record, 4, (uint64_t)dense->heap.id_size, &id))
        return tn__h5_damage(tn__h5_place(dense->group->file, record.data),
                             "a record of a link is too short");
    TN_TRY(tn__h5_fractal_get(&dense->heap, id, &message));
    return parse_link(dense->group, message);
}

static tn_status load_dense_links(tn__h5_object *group, const tn__h5_message *message)
{
    enum { LINKS_BY_NAME = 5 };
    tn__reader reader = { { message->data, message->size }, 0, false };
    tn__read_u8(&reader);
    int flags = tn__read_u8(&reader);
    if (flags & 1)
        tn__read_u64(&reader); /* highest order of creation */
    uint64_t heap = tn__h5_read_offset(group->file, &reader),
             tree = tn__h5_read_offset(group->file, &reader);
    if (reader.failed)
        return tn__h5_damage(tn__h5_place(group->file, message->data),
                             "a link info message is too short");
    if (heap == TN__H5_NOWHERE)
        return TN_OK;
    dense_links dense = { .group = group };
    tn_status status = tn__h5_fractal_open(group->file, heap, &dense.heap);
    if (status == TN_OK)
        status = tn__h5_btree2(group->file, tree, LINKS_BY_NAME, add_dense_link, &dense);
    tn__h5_fractal_close(&dense.heap);
    return status;
}

/* --- the links in order ----------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tn__h5_link *)a)->name, ((const tn__h5_link *)b)->name);
}

static int by_name_pointed(const void *a, const void *b)
{
    return by_name(*(tn__h5_link *const *)a, *(tn__h5_link *const *)b);
}

static int by_order(const void *a, const void *b)
{
    const tn__h5_link *x = a, *y = b;
    return x->order < y->order ? -1 : x->order > y->order ? 1 : by_name(a, b);
}

/* One array in the order of listing, one by name to look up in. */
static tn_status order_links(tn__h5_object *group)
{
    tn__h5_links *links = &group->links;
    size_t count = links->count;
    bool ordered = count > 0;
    for (size_t i = 0; i < count; i++)
        ordered &= links->item[i].ordered;
    if (count > 1)
        qsort(links->item, count, sizeof *links->item, ordered ? by_order : by_name);
    links->by_name = tn__alloc_zeroed(count + 1, sizeof *links->by_name);
    group->link_names.item = tn__alloc_zeroed(count + 1, sizeof *group->link_names.item);
    if (!links->by_name || !group->link_names.item)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++) {
        links->by_name[i] = &links->item[i];
        group->link_names.item[i] = links->item[i].name;
    }
    group->link_names.count = count;
    if (count > 1)
        qsort(links->by_name, count, sizeof *links->by_name, by_name_pointed);
    for (size_t i = 1; i < count; i++)
        if (by_name_pointed(&links->by_name[i - 1], &links->by_name[i]) == 0)
            return tn__h5_damage(group->address, "two links of '%.200s' have the name '%.100s'",
                                 tn__h5_path(group), links->by_name[i]->name);
    return TN_OK;
}

static tn_status read_links(tn__h5_object *group)
{
    const tn__h5_message *table = tn__h5_message_of(group, TN__H5_M_SYMBOL_TABLE);
    if (table)
        return load_symbol_table(group, table);
    for (size_t i = 0; i < group->messages.count; i++) {
        const tn__h5_message *message = &group->messages.item[i];
        if (message->type == TN__H5_M_LINK)
            TN_TRY(parse_link(group, (tn__span){ message->data, message->size }));
        else if (message->type == TN__H5_M_LINK_INFO)
            TN_TRY(load_dense_links(group, message));
    }
    return TN_OK;
}

tn_status tn__h5_load_links(tn__h5_object *group)
{
    if (group->links_known)
        return TN_OK;
    tn_status status = read_links(group);
    if (status == TN_OK)
        status = order_links(group);
    if (status != TN_OK) {
        tn__h5_links_free(&group->links);
        tn__free(group->link_names.item);
        group->link_names = (tn__h5_names){ 0 };
        return status;
    }
    group->links_known = true;
    return TN_OK;
}

tn_status tn__h5_list(tn__h5_object *group, const tn__h5_names **names)
{
    char label[TN__H5_LABEL];
    if (group->kind != TN__H5_GROUP)
        return tn__fail(TN_INVALID_ARGUMENT, "HDF5 %s is not a group", tn__h5_label(group, label));
    TN_TRY(tn__h5_load_links(group));
    *names = &group->link_names;
    return TN_OK;
}

/* --- paths ------------------------------------------------------------------------------------ */

static tn__h5_link *find_link(const tn__h5_links *links, const char *name, size_t size)
{
    size_t low = 0, high = links->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        tn__h5_link *link = links->by_name[middle];
        size_t common = size < link->name_size ? size : link->name_size;
        int order = memcmp(name, link->name, common);
        if (order == 0)
            order = size < link->name_size ? -1 : size > link->name_size;
        if (order == 0)
            return link;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static tn_status walk(tn__h5_object *from, const char *path, int *soft_links, tn__h5_object **out);

static tn_status open_hard(tn__h5_object *group, const tn__h5_link *link, tn__h5_object **out)
{
    const char *path = tn__h5_path(group);
    char *full = tn__print("%s%s%s", path, strcmp(path, "/") == 0 ? "" : "/", link->name);
    if (!full)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = tn__h5_object_at(group->file, link->address, full, out);
    tn__free(full);
    return status;
}

static tn_status follow(tn__h5_object *group, const tn__h5_link *link, int *soft_links,
                        tn__h5_object **out)
{
    switch (link->kind) {
    case TN__H5_LINK_HARD:
        return open_hard(group, link, out);
    case TN__H5_LINK_SOFT:
        if (--*soft_links < 0)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "HDF5 link '%.100s' in '%.200s' leads through more than %d soft links",
                            link->name, tn__h5_path(group), MAX_SOFT_LINKS);
        return walk(group, link->target, soft_links, out);
    case TN__H5_LINK_EXTERNAL:
        return tn__fail(
            TN_UNIMPLEMENTED,
            "Not allowed: H5 file with ExternalLink\n'%.100s' in '%.200s' is a link to %s",
            link->name, tn__h5_path(group), link->target);
    default:
        return tn__fail(TN_UNIMPLEMENTED, "HDF5 link '%.100s' in '%.200s' is of a user's own kind",
                        link->name, tn__h5_path(group));
    }
}

/* Recurses only through soft links, which are counted. */
static tn_status walk(tn__h5_object *from, const char *path, int *soft_links, tn__h5_object **out)
{
    tn__h5_object *at = *path == '/' ? from->file->root : from;
    while (at) {
        path += strspn(path, "/");
        size_t size = strcspn(path, "/");
        if (size == 0)
            break;
        if (size == 1 && *path == '.') {
            path++;
            continue;
        }
        tn__h5_link *link = NULL;
        if (at->kind == TN__H5_GROUP) {
            TN_TRY(tn__h5_load_links(at));
            link = find_link(&at->links, path, size);
        }
        tn__h5_object *next = NULL;
        if (link)
            TN_TRY(follow(at, link, soft_links, &next));
        at = next;
        path += size;
    }
    *out = at;
    return TN_OK;
}

tn_status tn__h5_find(tn__h5_object *from, const char *path, tn__h5_object **object)
{
    int soft_links = MAX_SOFT_LINKS;
    *object = NULL;
    return walk(from, path, &soft_links, object);
}

tn_status tn__h5_get(tn__h5_object *from, const char *path, tn__h5_object **object)
{
    TN_TRY(tn__h5_find(from, path, object));
    if (!*object)
        return tn__fail(
            TN_NOT_FOUND,
            "Unable to open object (object '%s' doesn't exist)\nin '%s' of the HDF5 file", path,
            *path == '/' ? "/" : tn__h5_path(from));
    return TN_OK;
}
