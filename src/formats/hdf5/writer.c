/* writer.c - building the tree of what is to be written. */
#include "formats/hdf5/writer.h"
#include "base/text.h"
#include <string.h>

/* A heap takes texts until it has this many bytes; a single text may be longer. */
enum { HEAP_FULL = 1 << 15, MAX_MESSAGE = 65528, MAX_ATTRIBUTES = 60000 };

/* --- the tree --------------------------------------------------------------------------------- */

static void node_free(tn__h5_node *node)
{
    tn__free(node->name);
    tn__map_free(&node->children);
    for (size_t i = 0; i < node->attributes.count; i++) {
        tn__free(node->attributes.item[i].name);
        tn__free(node->attributes.item[i].content.copy);
    }
    tn__free(node->attributes.item);
    tn__free(node->content.copy);
    tn__free(node);
}

void tn__h5_tree_free(tn__h5_tree *tree)
{
    if (!tree)
        return;
    for (size_t i = 0; i < tree->nodes.count; i++)
        node_free(tree->nodes.item[i]);
    tn__free(tree->nodes.item);
    for (size_t i = 0; i < tree->heaps.count; i++)
        tn__bytes_free(&tree->heaps.item[i].objects);
    tn__free(tree->heaps.item);
    tn__free(tree);
}

/* A node belongs to the tree from the moment it is in its list. */
static tn_status new_node(tn__h5_tree *tree, tn__h5_node *parent, const char *name, size_t size,
                          bool is_group, tn__h5_node **out)
{
    TN_TRY(TN__RESERVE(&tree->nodes, 1));
    tn__h5_node *node = tn__alloc_zeroed(1, sizeof *node);
    if (!node)
        return TN_RESOURCE_EXHAUSTED;
    *node = (tn__h5_node){ .tree = tree, .parent = parent, .is_group = is_group };
    node->name = tn__strndup(name, size);
    if (!node->name || (parent && tn__map_set(&parent->children, node->name, node) != TN_OK)) {
        node_free(node);
        return TN_RESOURCE_EXHAUSTED;
    }
    tree->nodes.item[tree->nodes.count++] = node;
    *out = node;
    return TN_OK;
}

tn_status tn__h5_tree_new(tn__h5_tree **out)
{
    tn__h5_node *root;
    *out = NULL;
    tn__h5_tree *tree = tn__alloc_zeroed(1, sizeof *tree);
    if (!tree)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = new_node(tree, NULL, "", 0, true, &root);
    if (status != TN_OK) {
        tn__h5_tree_free(tree);
        return status;
    }
    *out = tree;
    return TN_OK;
}

tn__h5_node *tn__h5_tree_root(tn__h5_tree *tree)
{
    return tree->nodes.item[0];
}

/* --- paths ------------------------------------------------------------------------------------ */

/* The next component of a path that is not "."; false at the end. */
static bool next_component(const char **path, const char **name, size_t *size)
{
    do {
        *path += strspn(*path, "/");
        *name = *path;
        *size = strcspn(*path, "/");
        *path += *size;
    } while (*size == 1 && **name == '.');
    return *size > 0;
}

static tn__h5_node *start_of(tn__h5_node *from, const char *path)
{
    return *path == '/' ? from->tree->nodes.item[0] : from;
}

/* The map wants its keys to end with a NUL. */
static tn_status find_child(const tn__h5_node *group, const char *name, size_t size,
                            tn__h5_node **child)
{
    char *key = tn__strndup(name, size);
    if (!key)
        return TN_RESOURCE_EXHAUSTED;
    *child = tn__map_get(&group->children, key);
    tn__free(key);
    return TN_OK;
}

tn_status tn__h5_node_find(tn__h5_node *from, const char *path, tn__h5_node **out)
{
    const char *name;
    size_t size;
    tn__h5_node *node = start_of(from, path);
    *out = NULL;
    while (node && next_component(&path, &name, &size)) {
        tn__h5_node *child = NULL;
        if (node->is_group)
            TN_TRY(find_child(node, name, size, &child));
        node = child;
    }
    *out = node;
    return TN_OK;
}

/* Where a node is, for messages; cut when it is long. */
static const char *full_path(const tn__h5_node *node, char path[TN__H5_LABEL])
{
    size_t at = TN__H5_LABEL - 1;
    path[at] = 0;
    for (; node->parent; node = node->parent) {
        size_t size = strlen(node->name);
        if (size + 4 > at) {
            memcpy(path + at - 3, "...", 3);
            return path + at - 3;
        }
        memcpy(path + (at -= size), node->name, size);
        path[--at] = '/';
    }
    return path[at] ? path + at : "/";
}

/* Makes the groups on the way; gives the last group and the name that is left. */
static tn_status open_way(tn__h5_node *from, const char *path, const char *what,
                          tn__h5_node **group, const char **name, size_t *size)
{
    char label[TN__H5_LABEL];
    const char *whole = path, *next;
    size_t next_size;
    *group = start_of(from, path);
    if (!next_component(&path, name, size))
        return tn__fail(TN_INVALID_ARGUMENT, "Unable to create %s (no name given): '%s'", what,
                        whole);
    for (;;) {
        if (!(*group)->is_group)
            return tn__fail(TN_INVALID_ARGUMENT,
                            "Unable to create %s '%s': '%s' is a dataset, not a group", what, whole,
                            full_path(*group, label));
        if (!next_component(&path, &next, &next_size))
            return TN_OK;
        tn__h5_node *child;
        TN_TRY(find_child(*group, *name, *size, &child));
        if (!child)
            TN_TRY(new_node(from->tree, *group, *name, *size, true, &child));
        *group = child;
        *name = next;
        *size = next_size;
    }
}

static tn_status add_node(tn__h5_node *from, const char *path, bool is_group, tn__h5_node **node)
{
    char label[TN__H5_LABEL];
    const char *what = is_group ? "group" : "dataset", *name;
    size_t size;
    tn__h5_node *group, *there;
    TN_TRY(open_way(from, path, what, &group, &name, &size));
    TN_TRY(find_child(group, name, size, &there));
    if (there)
        return tn__fail(TN_ALREADY_EXISTS,
                        "Unable to create %s (name already exists)\n'%s' is there as a %s", what,
                        full_path(there, label), there->is_group ? "group" : "dataset");
    return new_node(from->tree, group, name, size, is_group, node);
}

tn_status tn__h5_add_group(tn__h5_node *from, const char *path, tn__h5_node **node)
{
    tn__h5_node *added;
    TN_TRY(add_node(from, path, true, &added));
    if (node)
        *node = added;
    return TN_OK;
}

/* --- contents --------------------------------------------------------------------------------- */

static tn_status check_type(const tn__h5_type *type)
{
    bool power = type->size == 1 || type->size == 2 || type->size == 4 || type->size == 8;
    bool fits = false;
    switch (type->class) {
    case TN__H5_INTEGER:
        fits = power;
        break;
    case TN__H5_FLOAT:
        fits = power && type->size > 1;
        break;
    case TN__H5_BOOL:
        fits = type->size == 1;
        break;
    case TN__H5_OPAQUE:
    case TN__H5_STRING:
        fits = type->size > 0 && type->size <= UINT32_MAX;
        break;
    case TN__H5_TEXT:
        fits = type->size == 16;
        break;
    default:
        break;
    }
    return fits ? TN_OK
                : tn__fail(TN_INVALID_ARGUMENT,
                           "HDF5: elements of class %s with %zu bytes are not written",
                           tn__h5_class_name(type->class), type->size);
}

static tn_status set_shape(tn__h5_content *content, tn__h5_type type, int rank,
                           const uint64_t *dims)
{
    TN_TRY(check_type(&type));
    if (rank < 0 || rank > TN__H5_MAX_RANK)
        return tn__fail(TN_INVALID_ARGUMENT, "HDF5: %d dimensions, at most %d are possible", rank,
                        TN__H5_MAX_RANK);
    content->type = type;
    content->rank = rank;
    uint64_t product = 1, zero = 0;
    for (int i = 0; i < rank; i++) {
        content->dims[i] = dims[i];
        zero |= dims[i] == 0;
        if (dims[i] && __builtin_mul_overflow(product, dims[i], &product))
            product = UINT64_MAX;
    }
    content->count = zero ? 0 : product;
    if (__builtin_mul_overflow(content->count, (uint64_t)type.size, &content->size) ||
        content->size > INT64_MAX)
        return tn__fail(TN_INVALID_ARGUMENT, "HDF5: the number of elements runs over");
    return TN_OK;
}

/* Objects of a heap: number, three fields that HDF5 keeps for itself, length, text, padded to 8
 * bytes. */
static tn_status put_text(tn__h5_tree *tree, const char *text, tn__h5_text_place *place)
{
    size_t length = text ? strlen(text) : 0;
    if (length > UINT32_MAX - 64)
        return tn__fail(TN_INVALID_ARGUMENT, "HDF5: a text of %zu bytes is too long", length);
    if (tree->heaps.count == 0 ||
        tree->heaps.item[tree->heaps.count - 1].objects.size + length > HEAP_FULL)
        TN_TRY(TN__PUSH(&tree->heaps, (struct tn__h5_text_heap){ .count = 0 }));
    struct tn__h5_text_heap *heap = &tree->heaps.item[tree->heaps.count - 1];
    tn__bytes *objects = &heap->objects;
    size_t padded = (length + 7) / 8 * 8;
    TN_TRY(tn__bytes_reserve(objects, objects->size + 16 + padded));
    TN_TRY(tn__bytes_append_uint(objects, heap->count + 1, 2));
    TN_TRY(tn__bytes_append_uint(objects, 0, 6));
    TN_TRY(tn__bytes_append_uint(objects, length, 8));
    TN_TRY(tn__bytes_append(objects, text, length));
    TN_TRY(tn__bytes_append(objects, NULL, padded - length));
    *place =
        (tn__h5_text_place){ (uint32_t)length, (uint32_t)tree->heaps.count - 1, ++heap->count };
    return TN_OK;
}

static tn_status put_texts(tn__h5_tree *tree, tn__h5_content *content, const char *const *texts)
{
    tn__h5_text_place *places = tn__alloc_zeroed((size_t)content->count, sizeof *places);
    if (!places)
        return TN_RESOURCE_EXHAUSTED;
    content->copy = places;
    for (uint64_t i = 0; i < content->count; i++)
        TN_TRY(put_text(tree, texts[i], &places[i]));
    return TN_OK;
}

static tn_status check_data(const tn__h5_content *content, const void *data)
{
    if (!data && content->count > 0)
        return tn__fail(TN_INVALID_ARGUMENT, "HDF5: no data were given for %llu elements",
                        (unsigned long long)content->count);
    return TN_OK;
}

static tn_status add_content(tn__h5_node *from, const char *path, const tn__h5_content *content,
                             tn__h5_node **node)
{
    tn__h5_node *added;
    TN_TRY(add_node(from, path, false, &added));
    added->content = *content;
    if (node)
        *node = added;
    return TN_OK;
}

tn_status tn__h5_add_dataset(tn__h5_node *from, const char *path, tn__h5_type type, int rank,
                             const uint64_t *dims, const void *data, tn__h5_node **node)
{
    tn__h5_content content = { .data = data };
    TN_TRY(set_shape(&content, type, rank, dims));
    TN_TRY(check_data(&content, data));
    tn_status status = type.class == TN__H5_TEXT ? put_texts(from->tree, &content, data) : TN_OK;
    if (status == TN_OK)
        status = add_content(from, path, &content, node);
    if (status != TN_OK)
        tn__free(content.copy);
    return status;
}

tn_status tn__h5_add_produced(tn__h5_node *from, const char *path, tn__h5_type type, int rank,
                              const uint64_t *dims, tn__h5_produce produce, void *self,
                              tn__h5_node **node)
{
    tn__h5_content content = { .produce = produce, .self = self };
    if (type.class == TN__H5_TEXT)
        return tn__fail(TN_INVALID_ARGUMENT, "HDF5: texts cannot be produced while writing");
    TN_TRY(set_shape(&content, type, rank, dims));
    return add_content(from, path, &content, node);
}

static tn_status check_attribute(const tn__h5_node *node, const char *name,
                                 const tn__h5_content *content)
{
    char label[TN__H5_LABEL];
    const char *path = full_path(node, label);
    if (!*name)
        return tn__fail(TN_INVALID_ARGUMENT, "Unable to create attribute (no name given)\nof '%s'",
                        path);
    for (size_t i = 0; i < node->attributes.count; i++)
        if (strcmp(node->attributes.item[i].name, name) == 0)
            return tn__fail(TN_ALREADY_EXISTS,
                            "Unable to create attribute (name already exists)\n'%s' of '%s'", name,
                            path);
    uint64_t size =
        content->size > MAX_MESSAGE ? content->size : tn__h5_attribute_size(name, content);
    if (size > MAX_MESSAGE)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Unable to create attribute (object header message is too large)\n'%s' of "
                        "'%s' needs %llu bytes, "
                        "HDF5's limit is %d",
                        name, path, (unsigned long long)size, MAX_MESSAGE);
    if (node->attributes.count >= MAX_ATTRIBUTES)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "Unable to create attribute (object header has too many)\nof '%s'", path);
    return TN_OK;
}

/* The content's copy belongs to the caller until this succeeds. */
static tn_status store_attribute(tn__h5_node *node, const char *name, tn__h5_content *content,
                                 const void *data)
{
    if (content->type.class == TN__H5_TEXT)
        TN_TRY(put_texts(node->tree, content, data));
    else if (!(content->copy = tn__memdup(data, (size_t)content->size)))
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(TN__RESERVE(&node->attributes, 1));
    tn__h5_put_attribute attribute = { tn__strdup(name), *content };
    if (!attribute.name)
        return TN_RESOURCE_EXHAUSTED;
    node->attributes.item[node->attributes.count++] = attribute;
    return TN_OK;
}

tn_status tn__h5_add_attribute(tn__h5_node *node, const char *name, tn__h5_type type, int rank,
                               const uint64_t *dims, const void *data)
{
    tn__h5_content content = { 0 };
    TN_TRY(set_shape(&content, type, rank, dims));
    TN_TRY(check_data(&content, data));
    TN_TRY(check_attribute(node, name, &content));
    tn_status status = store_attribute(node, name, &content, data);
    if (status != TN_OK)
        tn__free(content.copy);
    return status;
}

tn_status tn__h5_add_text(tn__h5_node *node, const char *name, const char *text)
{
    return tn__h5_add_attribute(node, name, TN__H5_TYPE_TEXT, 0, NULL, &text);
}
