/* reader.c - opening a file, and what all its structures are read through. */
#include "formats/hdf5/internal.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const uint8_t SIGNATURE[8] = { 0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n' };

tn_status tn__h5_damage(uint64_t address, const char *format, ...)
{
    char what[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return tn__fail(TN_DATA_LOSS, "HDF5 file is damaged at byte %llu: %s",
                    (unsigned long long)address, what);
}

tn_status tn__h5_charge(tn__h5 *file, uint64_t address, uint64_t size)
{
    if (size > file->budget)
        return tn__h5_damage(address, "its structures overlap, or form a circle");
    file->budget -= size;
    return TN_OK;
}

tn_status tn__h5_part(tn__h5 *file, uint64_t address, uint64_t size, const char *what,
                      tn__span *part)
{
    if (!tn__span_part(file->bytes, address, size, part))
        return tn__h5_damage(address,
                             "%s of %llu bytes reaches beyond the end of the file (%zu bytes)",
                             what, (unsigned long long)size, file->bytes.size);
    return tn__h5_charge(file, address, size);
}

tn_status tn__h5_block(tn__h5 *file, uint64_t address, uint64_t size, const char *what,
                       const char *signature, int version, tn__reader *reader)
{
    tn__span part;
    TN_TRY(tn__h5_part(file, address, size, what, &part));
    if (size < 5 || memcmp(part.data, signature, 4) != 0)
        return tn__h5_damage(address, "%s: no signature '%s'", what, signature);
    if (part.data[4] != version)
        return tn__h5_damage(address, "%s: version %d, expected %d", what, part.data[4], version);
    *reader = (tn__reader){ part, 5, false };
    return TN_OK;
}

tn_status tn__h5_check(const tn__h5 *file, tn__span block, uint64_t address, const char *what)
{
    if (block.size < 4)
        return tn__h5_damage(address, "%s is too short", what);
    tn__reader reader = { block, block.size - 4, false };
    uint32_t stored = tn__read_u32(&reader);
    uint32_t computed = tn__h5_lookup3((tn__span){ block.data, block.size - 4 });
    if (stored != computed && !file->limits.ignore_checksums)
        return tn__h5_damage(address, "%s: the checksum is wrong (stored %08x, computed %08x)",
                             what, stored, computed);
    return TN_OK;
}

uint64_t tn__h5_read_offset(const tn__h5 *file, tn__reader *reader)
{
    uint64_t offset = tn__read_uint(reader, file->offset_size);
    uint64_t undefined = UINT64_MAX >> (64 - 8 * file->offset_size);
    return offset == undefined ? TN__H5_NOWHERE : offset;
}

uint64_t tn__h5_read_length(const tn__h5 *file, tn__reader *reader)
{
    return tn__read_uint(reader, file->length_size);
}

/* --- objects ---------------------------------------------------------------------------------- */

static void object_free(tn__h5_object *object)
{
    if (!object)
        return;
    for (size_t i = 0; i < object->attributes.count; i++)
        object_free(object->attributes.item[i]);
    tn__free(object->attributes.item);
    tn__free(object->attribute_names.item);
    tn__h5_links_free(&object->links);
    tn__free(object->link_names.item);
    tn__free(object->messages.item);
    tn__free(object->path);
    tn__free(object);
}

/* The same tests as the HDF5 library's, in its order. */
static tn__h5_kind kind_from_messages(const tn__h5_object *object)
{
    bool typed = tn__h5_message_of(object, TN__H5_M_DATATYPE);
    if (typed && tn__h5_message_of(object, TN__H5_M_DATASPACE))
        return TN__H5_DATASET;
    if (tn__h5_message_of(object, TN__H5_M_SYMBOL_TABLE) ||
        tn__h5_message_of(object, TN__H5_M_LINK_INFO))
        return TN__H5_GROUP;
    return typed ? TN__H5_NAMED_TYPE : TN__H5_UNKNOWN;
}

/* The first path an object is found at stays its name; a type may have been used before it was
 * found. Paths of groups nested without end are longer than the file: they count against the
 * budget. */
static tn_status name_object(tn__h5_object *object, const char *path)
{
    if (object->path)
        return TN_OK;
    TN_TRY(tn__h5_charge(object->file, object->address, strlen(path)));
    object->path = tn__strdup(path);
    return object->path ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

static tn_status load_object(tn__h5_object *object, const char *path)
{
    if (path)
        TN_TRY(name_object(object, path));
    TN_TRY(tn__h5_read_header(object->file, object->address, &object->messages));
    object->kind = kind_from_messages(object);
    TN_TRY(TN__RESERVE(&object->file->objects, 1));
    TN_TRY(
        tn__ids_set(&object->file->by_address, object->address + 1, object->file->objects.count));
    object->file->objects.item[object->file->objects.count++] = object;
    return TN_OK;
}

tn_status tn__h5_object_at(tn__h5 *file, uint64_t address, const char *path, tn__h5_object **out)
{
    size_t place;
    if (address >= file->bytes.size)
        return tn__h5_damage(address,
                             "the header of '%s' is beyond the end of the file (%zu bytes)",
                             path ? path : "a shared type", file->bytes.size);
    if (tn__ids_get(&file->by_address, address + 1, &place)) {
        *out = file->objects.item[place];
        return path ? name_object(*out, path) : TN_OK;
    }
    tn__h5_object *object = tn__alloc_zeroed(1, sizeof *object);
    if (!object)
        return TN_RESOURCE_EXHAUSTED;
    object->file = file;
    object->address = address;
    tn_status status = load_object(object, path);
    if (status != TN_OK) {
        object_free(object);
        return status;
    }
    *out = object;
    return TN_OK;
}

tn__h5_kind tn__h5_kind_of(const tn__h5_object *object)
{
    return object->kind;
}

const char *tn__h5_path(const tn__h5_object *object)
{
    return object->path ? object->path : "";
}

const char *tn__h5_label(const tn__h5_object *object, char label[TN__H5_LABEL])
{
    if (object->kind == TN__H5_ATTRIBUTE)
        snprintf(label, TN__H5_LABEL, "attribute '%.100s' of '%.100s'", object->path,
                 object->owner->path);
    else
        snprintf(label, TN__H5_LABEL, "%s '%.200s'",
                 object->kind == TN__H5_GROUP     ? "group"
                 : object->kind == TN__H5_DATASET ? "dataset"
                                                  : "object",
                 tn__h5_path(object));
    return label;
}

/* --- the file --------------------------------------------------------------------------------- */

/* The superblock stands at 0, or behind a user block of 512 bytes, 1024, 2048, ... */
static bool find_superblock(tn__span bytes, tn__span *from)
{
    for (uint64_t at = 0; at < bytes.size; at = at ? 2 * at : 512) {
        if (!tn__span_part(bytes, at, bytes.size - at, from))
            return false;
        if (from->size >= 16 && memcmp(from->data, SIGNATURE, sizeof SIGNATURE) == 0)
            return true;
    }
    return false;
}

static tn_status set_widths(tn__h5 *file, int offset_size, int length_size)
{
    if ((offset_size != 2 && offset_size != 4 && offset_size != 8) ||
        (length_size != 2 && length_size != 4 && length_size != 8))
        return tn__h5_damage(13, "offsets of %d bytes and lengths of %d bytes", offset_size,
                             length_size);
    file->offset_size = offset_size;
    file->length_size = length_size;
    return TN_OK;
}

/* Versions 0 and 1: no checksum; the root is given as an entry of a symbol table. */
static tn_status read_superblock_old(tn__h5 *file, tn__reader *reader, uint64_t *root)
{
    int version = reader->span.data[8];
    tn__read_skip(reader, 4);
    int offset_size = tn__read_u8(reader), length_size = tn__read_u8(reader);
    TN_TRY(set_widths(file, offset_size, length_size));
    tn__read_skip(
        reader,
        1 + 2 + 2 + 4 +
            (version == 1 ? 4 : 0));  /* sizes of nodes: ours are checked by the bytes there */
    tn__h5_read_offset(file, reader); /* where HDF5 thinks the file starts */
    tn__h5_read_offset(file, reader);
    uint64_t end = tn__h5_read_offset(file, reader), driver = tn__h5_read_offset(file, reader);
    tn__h5_read_offset(file, reader); /* the root's name */
    *root = tn__h5_read_offset(file, reader);
    if (reader->failed || end == TN__H5_NOWHERE)
        return tn__h5_damage(0, "the superblock is too short");
    if (driver != TN__H5_NOWHERE)
        return tn__fail(TN_UNIMPLEMENTED,
                        "HDF5 file is split over several files (driver information block)");
    file->budget = end;
    return TN_OK;
}

static tn_status read_superblock_new(tn__h5 *file, tn__reader *reader, uint64_t *root)
{
    int offset_size = tn__read_u8(reader), length_size = tn__read_u8(reader);
    TN_TRY(set_widths(file, offset_size, length_size));
    tn__read_u8(reader);              /* who has it open */
    tn__h5_read_offset(file, reader); /* where HDF5 thinks the file starts */
    tn__h5_read_offset(file, reader); /* the extension: nothing in it that reading needs */
    uint64_t end = tn__h5_read_offset(file, reader);
    *root = tn__h5_read_offset(file, reader);
    tn__read_u32(reader);
    if (reader->failed || end == TN__H5_NOWHERE)
        return tn__h5_damage(0, "the superblock is too short");
    TN_TRY(tn__h5_check(file, (tn__span){ reader->span.data, reader->at }, 0, "superblock"));
    file->budget = end;
    return TN_OK;
}

/* Leaves in file->budget where the superblock says that the file ends. */
static tn_status read_superblock(tn__h5 *file, uint64_t *root)
{
    tn__reader reader = { file->bytes, 9, false };
    int version = file->bytes.data[8];
    if (version == 0 || version == 1)
        return read_superblock_old(file, &reader, root);
    if (version == 2 || version == 3)
        return read_superblock_new(file, &reader, root);
    return tn__fail(TN_UNIMPLEMENTED, "HDF5 superblock version %d", version);
}

/* size: with the user block, which the superblock counts too. */
static tn_status open_file(tn__h5 *file, size_t size)
{
    uint64_t root = 0;
    TN_TRY(read_superblock(file, &root));
    if (file->budget > size && !file->limits.cut_off)
        return tn__fail(TN_DATA_LOSS, "HDF5 file is cut off: it should have %llu bytes and has %zu",
                        (unsigned long long)file->budget, size);
    file->budget = file->data_budget = tn__h5_fresh_budget(file);
    TN_TRY(tn__h5_object_at(file, root, "/", &file->root));
    if (file->root->kind != TN__H5_GROUP)
        return tn__h5_damage(root, "the root is not a group");
    return TN_OK;
}

tn_status tn__h5_open(tn__span bytes, const tn__h5_limits *limits, tn__h5 **out)
{
    *out = NULL;
    tn__span from;
    if (!find_superblock(bytes, &from))
        return tn__fail(TN_DATA_LOSS, "not an HDF5 file: its signature was not found");
    tn__h5 *file = tn__alloc_zeroed(1, sizeof *file);
    if (!file)
        return TN_RESOURCE_EXHAUSTED;
    file->bytes = from;
    if (limits)
        file->limits = *limits;
    if (!file->limits.decoded)
        file->limits.decoded = (uint64_t)4 << 30;
    if (!file->limits.ratio)
        file->limits.ratio = 1100;
    if (!file->limits.free)
        file->limits.free = 256 << 10;
    tn_status status = open_file(file, bytes.size);
    if (status != TN_OK) {
        tn__h5_close(file);
        return status;
    }
    *out = file;
    return TN_OK;
}

void tn__h5_close(tn__h5 *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->objects.count; i++)
        object_free(file->objects.item[i]);
    tn__free(file->objects.item);
    tn__ids_free(&file->by_address);
    for (size_t i = 0; i < file->collections.count; i++)
        tn__free(file->collections.item[i].item);
    tn__free(file->collections.item);
    tn__ids_free(&file->collection_at);
    tn__free(file);
}

tn__h5_object *tn__h5_root(tn__h5 *file)
{
    return file->root;
}
