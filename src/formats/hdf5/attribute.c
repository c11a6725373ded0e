/* attribute.c - the attributes of an object, from its header or from a fractal heap. */
#include "formats/hdf5/internal.h"
#include <stdlib.h>
#include <string.h>

enum { SHARED_TYPE = 1, SHARED_SPACE = 2 };

/* The parts of an attribute message; version 1 pads each to a multiple of 8 bytes. */
typedef struct {
    int version, flags;
    tn__span name, type, space, data;
} attribute_parts;

static tn__span read_padded(tn__reader *reader, uint64_t size, bool padded)
{
    tn__span part = tn__read_span(reader, size);
    if (padded)
        tn__read_skip(reader, (8 - size % 8) % 8);
    return part;
}

static tn_status split_message(tn__h5 *file, tn__span message, attribute_parts *parts)
{
    tn__reader reader = { message, 0, false };
    uint64_t at = tn__h5_place(file, message.data);
    parts->version = tn__read_u8(&reader);
    parts->flags = tn__read_u8(&reader);
    if (parts->version < 1 || parts->version > 3)
        return tn__h5_damage(at, "attribute version %d", parts->version);
    bool padded = parts->version == 1;
    if (padded)
        parts->flags = 0;
    uint64_t name = tn__read_u16(&reader), type = tn__read_u16(&reader),
             space = tn__read_u16(&reader);
    if (parts->version == 3)
        tn__read_u8(&reader); /* character set of the name */
    parts->name = read_padded(&reader, name, padded);
    parts->type = read_padded(&reader, type, padded);
    parts->space = read_padded(&reader, space, padded);
    if (reader.failed)
        return tn__h5_damage(at, "an attribute message is too short");
    const uint8_t *end = parts->name.size ? memchr(parts->name.data, 0, parts->name.size) : NULL;
    if (end)
        parts->name.size = (size_t)(end - parts->name.data);
    if (parts->name.size == 0)
        return tn__h5_damage(at, "an attribute without a name");
    parts->data = (tn__span){ message.data + reader.at, message.size - reader.at };
    return TN_OK;
}

static tn_status fill_attribute(tn__h5_object *attribute, attribute_parts *parts)
{
    tn__h5 *file = attribute->file;
    attribute->path = tn__strndup((const char *)parts->name.data, parts->name.size);
    if (!attribute->path)
        return TN_RESOURCE_EXHAUSTED;
    if (parts->flags & SHARED_TYPE)
        TN_TRY(tn__h5_shared(file, parts->type, TN__H5_M_DATATYPE, &parts->type));
    if (parts->flags & SHARED_SPACE)
        TN_TRY(tn__h5_shared(file, parts->space, TN__H5_M_DATASPACE, &parts->space));
    TN_TRY(tn__h5_parse_type(file, parts->type, &attribute->info.type));
    TN_TRY(tn__h5_parse_space(file, parts->space, &attribute->info, attribute->max_dims));
    attribute->info.layout = TN__H5_COMPACT;
    attribute->storage.here = parts->data;
    attribute->value_known = true;
    return TN_OK;
}

static tn_status add_attribute(tn__h5_object *owner, tn__span message, bool ordered, uint64_t order)
{
    attribute_parts parts;
    TN_TRY(split_message(owner->file, message, &parts));
    TN_TRY(TN__RESERVE(&owner->attributes, 1));
    tn__h5_object *attribute = tn__alloc_zeroed(1, sizeof *attribute);
    if (!attribute)
        return TN_RESOURCE_EXHAUSTED;
    attribute->file = owner->file;
    attribute->owner = owner;
    attribute->kind = TN__H5_ATTRIBUTE;
    attribute->attribute_ordered = ordered;
    attribute->attribute_order = order;
    attribute->address = tn__h5_place(owner->file, message.data);
    owner->attributes.item[owner->attributes.count++] =
        attribute; /* freed with its owner from here on */
    return fill_attribute(attribute, &parts);
}

typedef struct {
    tn__h5_object *owner;
    tn__h5_fractal heap;
    bool ordered;
} dense_attributes;

/* A record of the name index: where the message is in the heap, its flags, order of creation, hash.
 */
static tn_status add_dense_attribute(void *self, tn__span record)
{
    dense_attributes *dense = self;
    tn__reader reader = { record, 0, false };
    tn__span id = tn__read_span(&reader, (uint64_t)dense->heap.id_size), message;
    int flags = tn__read_u8(&reader);
    uint64_t order = tn__read_u32(&reader);
    if (reader.failed)
        return tn__h5_damage(tn__h5_place(dense->owner->file, record.data),
                             "a record of an attribute is too short");
    if (flags & 2)
        return tn__fail(TN_UNIMPLEMENTED, "HDF5 attributes of '%.200s' are shared through a heap",
                        tn__h5_path(dense->owner));
    TN_TRY(tn__h5_fractal_get(&dense->heap, id, &message));
    return add_attribute(dense->owner, message, dense->ordered, order);
}

static tn_status load_dense_attributes(tn__h5_object *owner, const tn__h5_message *message)
{
    enum { ATTRIBUTES_BY_NAME = 8 };
    tn__reader reader = { { message->data, message->size }, 0, false };
    tn__read_u8(&reader);
    int flags = tn__read_u8(&reader);
    if (flags & 1)
        tn__read_u16(&reader); /* highest order of creation */
    uint64_t heap = tn__h5_read_offset(owner->file, &reader),
             tree = tn__h5_read_offset(owner->file, &reader);
    if (reader.failed)
        return tn__h5_damage(tn__h5_place(owner->file, message->data),
                             "an attribute info message is too short");
    if (heap == TN__H5_NOWHERE)
        return TN_OK;
    dense_attributes dense = { .owner = owner, .ordered = flags & 1 };
    tn_status status = tn__h5_fractal_open(owner->file, heap, &dense.heap);
    if (status == TN_OK)
        status = tn__h5_btree2(owner->file, tree, ATTRIBUTES_BY_NAME, add_dense_attribute, &dense);
    tn__h5_fractal_close(&dense.heap);
    return status;
}

static tn_status read_attributes(tn__h5_object *object)
{
    for (size_t i = 0; i < object->messages.count; i++) {
        const tn__h5_message *message = &object->messages.item[i];
        tn__span data;
        if (message->type == TN__H5_M_ATTRIBUTE_INFO)
            TN_TRY(load_dense_attributes(object, message));
        if (message->type != TN__H5_M_ATTRIBUTE)
            continue;
        TN_TRY(tn__h5_message_data(object->file, message, &data));
        TN_TRY(add_attribute(object, data, message->ordered, message->order));
    }
    return TN_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(tn__h5_object *const *)a)->path, (*(tn__h5_object *const *)b)->path);
}

static int by_order(const void *a, const void *b)
{
    const tn__h5_object *x = *(tn__h5_object *const *)a, *y = *(tn__h5_object *const *)b;
    return x->attribute_order < y->attribute_order   ? -1
           : x->attribute_order > y->attribute_order ? 1
                                                     : by_name(a, b);
}

static tn_status order_attributes(tn__h5_object *object)
{
    size_t count = object->attributes.count;
    bool ordered = true;
    for (size_t i = 0; i < count; i++)
        ordered &= object->attributes.item[i]->attribute_ordered;
    if (count > 1)
        qsort(object->attributes.item, count, sizeof *object->attributes.item,
              ordered ? by_order : by_name);
    object->attribute_names.item =
        tn__alloc_zeroed(count + 1, sizeof *object->attribute_names.item);
    if (!object->attribute_names.item)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < count; i++)
        object->attribute_names.item[i] = object->attributes.item[i]->path;
    object->attribute_names.count = count;
    return TN_OK;
}

static void forget_attributes(tn__h5_object *object)
{
    for (size_t i = 0; i < object->attributes.count; i++) {
        tn__free(object->attributes.item[i]->path);
        tn__free(object->attributes.item[i]);
    }
    object->attributes.count = 0;
}

tn_status tn__h5_load_attributes(tn__h5_object *object)
{
    if (object->attributes_known || object->kind == TN__H5_ATTRIBUTE)
        return TN_OK;
    tn_status status = read_attributes(object);
    if (status == TN_OK)
        status = order_attributes(object);
    if (status != TN_OK) {
        forget_attributes(object);
        return status;
    }
    object->attributes_known = true;
    return TN_OK;
}

tn_status tn__h5_attributes(tn__h5_object *object, const tn__h5_names **names)
{
    TN_TRY(tn__h5_load_attributes(object));
    *names = &object->attribute_names;
    return TN_OK;
}

tn_status tn__h5_attribute(tn__h5_object *object, const char *name, tn__h5_object **attribute)
{
    *attribute = NULL;
    TN_TRY(tn__h5_load_attributes(object));
    for (size_t i = 0; i < object->attributes.count && !*attribute; i++)
        if (strcmp(object->attributes.item[i]->path, name) == 0)
            *attribute = object->attributes.item[i];
    return TN_OK;
}
