/* header.c - object headers: the list of messages that an object consists of. */
#include "formats/hdf5/internal.h"
#include <string.h>

/* A header as it is read: its messages can go on in further blocks, which name further ones. */
typedef struct {
    tn__h5 *file;
    tn__h5_messages *messages;
    int version;
    bool ordered; /* version 2: messages carry an order of creation */
    struct {
        struct block {
            uint64_t address, size;
        } * item;
        size_t count, capacity;
    } blocks;
} header_reader;

enum { SHARED = 0x02, FAIL_IF_UNKNOWN = 0x80 };

static tn_status add_continuation(header_reader *header, tn__span data)
{
    tn__reader reader = { data, 0, false };
    struct block next = { tn__h5_read_offset(header->file, &reader),
                          tn__h5_read_length(header->file, &reader) };
    uint64_t at = tn__h5_place(header->file, data.data);
    if (reader.failed)
        return tn__h5_damage(at, "a continuation message is too short");
    return TN__PUSH(&header->blocks, next);
}

static tn_status add_message(header_reader *header, tn__h5_message message)
{
    tn__span data = { message.data, message.size };
    if (message.type == TN__H5_M_CONTINUATION)
        return add_continuation(header, data);
    if (message.type > TN__H5_M_KNOWN) {
        if (message.flags & FAIL_IF_UNKNOWN)
            return tn__fail(TN_UNIMPLEMENTED,
                            "HDF5 header message 0x%x must be understood and is not", message.type);
        return TN_OK;
    }
    if (message.type == 0)
        return TN_OK;
    return TN__PUSH(header->messages, message);
}

/* The messages of one block. What is left at its end is too short for another one. */
static tn_status read_messages(header_reader *header, tn__span block)
{
    tn__reader reader = { block, 0, false };
    bool old = header->version == 1;
    size_t prefix = old ? 8 : header->ordered ? 6 : 4;
    while (block.size - reader.at >= prefix) {
        tn__h5_message message = { .ordered = header->ordered };
        message.type = (uint16_t)tn__read_uint(&reader, old ? 2 : 1);
        message.size = tn__read_u16(&reader);
        message.flags = tn__read_u8(&reader);
        if (old)
            tn__read_skip(&reader, 3);
        else if (header->ordered)
            message.order = tn__read_u16(&reader);
        message.data = tn__read_span(&reader, message.size).data;
        if (reader.failed)
            return tn__h5_damage(tn__h5_place(header->file, block.data),
                                 "a message is longer than its header");
        TN_TRY(add_message(header, message));
    }
    return TN_OK;
}

/* A block that continues the header; version 2's have a signature before and a checksum behind the
 * messages. */
static tn_status read_continuation(header_reader *header, struct block block)
{
    tn__span part;
    const char *what = "object header continuation";
    TN_TRY(tn__h5_part(header->file, block.address, block.size, what, &part));
    if (header->version == 1)
        return read_messages(header, part);
    if (part.size < 8 || memcmp(part.data, "OCHK", 4) != 0)
        return tn__h5_damage(block.address, "%s: no signature 'OCHK'", what);
    TN_TRY(tn__h5_check(header->file, part, block.address, what));
    return read_messages(header, (tn__span){ part.data + 4, part.size - 8 });
}

static tn_status read_first_old(header_reader *header, uint64_t address)
{
    tn__span part;
    TN_TRY(tn__h5_part(header->file, address, 16, "object header", &part));
    tn__reader reader = { part, 8,
                          false }; /* behind version, number of messages, number of links */
    uint64_t size = tn__read_u32(&reader);
    header->version = 1;
    TN_TRY(tn__h5_part(header->file, address + 16, size, "object header", &part));
    return read_messages(header, part);
}

static tn_status read_first_new(header_reader *header, uint64_t address)
{
    tn__span whole, part;
    tn__h5 *file = header->file;
    /* the prefix's length is only known at its end: read as if everything behind were it, then
     * charge what it was */
    if (!tn__span_part(file->bytes, address, file->bytes.size - address, &whole) || whole.size < 12)
        return tn__h5_damage(address, "an object header reaches beyond the end of the file");
    if (whole.data[4] != 2)
        return tn__h5_damage(address, "object header version %d", whole.data[4]);
    tn__reader reader = { whole, 5, false };
    int flags = tn__read_u8(&reader);
    header->version = 2;
    header->ordered = flags & 0x04;
    tn__read_skip(&reader, (flags & 0x20 ? 16 : 0) +
                               (flags & 0x10 ? 4 : 0)); /* times; limits of attributes */
    uint64_t size = tn__read_uint(&reader, 1 << (flags & 3)), start = reader.at;
    if (reader.failed || size > whole.size)
        return tn__h5_damage(address,
                             "an object header of %llu bytes reaches beyond the end of the file",
                             (unsigned long long)size);
    TN_TRY(tn__h5_part(file, address, start + size + 4, "object header", &part));
    TN_TRY(tn__h5_check(file, part, address, "object header"));
    return read_messages(header, (tn__span){ part.data + start, (size_t)size });
}

static tn_status read_blocks(header_reader *header, uint64_t address)
{
    tn__span start;
    TN_TRY(tn__h5_part(header->file, address, 4, "object header", &start));
    if (memcmp(start.data, "OHDR", 4) == 0)
        TN_TRY(read_first_new(header, address));
    else if (start.data[0] == 1)
        TN_TRY(read_first_old(header, address));
    else
        return tn__h5_damage(address, "no object header (version %d)", start.data[0]);
    for (size_t i = 0; i < header->blocks.count; i++)
        TN_TRY(read_continuation(header, header->blocks.item[i]));
    return TN_OK;
}

tn_status tn__h5_read_header(tn__h5 *file, uint64_t address, tn__h5_messages *messages)
{
    header_reader header = { .file = file, .messages = messages };
    tn_status status = read_blocks(&header, address);
    tn__free(header.blocks.item);
    return status;
}

const tn__h5_message *tn__h5_message_of(const tn__h5_object *object, int type)
{
    for (size_t i = 0; i < object->messages.count; i++)
        if (object->messages.item[i].type == type)
            return &object->messages.item[i];
    return NULL;
}

/* Where the header with the shared message is. Version 1 gives it as an entry of a symbol table. */
static tn_status shared_address(tn__h5 *file, tn__span reference, uint64_t *address)
{
    tn__reader reader = { reference, 0, false };
    int version = tn__read_u8(&reader), kind = tn__read_u8(&reader);
    uint64_t at = tn__h5_place(file, reference.data);
    if (version == 1) {
        tn__read_skip(&reader, 6);
        tn__h5_read_length(file, &reader);
    } else if (version != 2 && version != 3) {
        return tn__h5_damage(at, "a shared message of version %d", version);
    }
    if ((version == 3 && kind == 1) || (version < 3 && kind & 1))
        return tn__fail(TN_UNIMPLEMENTED, "HDF5 message shared through a heap");
    *address = tn__h5_read_offset(file, &reader);
    if (reader.failed || *address == TN__H5_NOWHERE)
        return tn__h5_damage(at, "a shared message leads nowhere");
    return TN_OK;
}

tn_status tn__h5_shared(tn__h5 *file, tn__span reference, int type, tn__span *data)
{
    uint64_t address = 0;
    tn__h5_object *object;
    TN_TRY(shared_address(file, reference, &address));
    TN_TRY(tn__h5_object_at(file, address, NULL, &object));
    const tn__h5_message *message = tn__h5_message_of(object, type);
    /* a shared message that is shared itself could go in a circle */
    if (!message || message->flags & SHARED)
        return tn__h5_damage(address, "the object has no message of type %d to share", type);
    *data = (tn__span){ message->data, message->size };
    return TN_OK;
}

tn_status tn__h5_message_data(tn__h5 *file, const tn__h5_message *message, tn__span *data)
{
    *data = (tn__span){ message->data, message->size };
    return message->flags & SHARED ? tn__h5_shared(file, *data, message->type, data) : TN_OK;
}
