/* protobuf.c - one reader and one writer, driven by tables of fields. */
#include "formats/protobuf.h"
#include <string.h>

enum { VARINT = 10 }; /* bytes of the longest */
#define DECODED ((size_t)4 << 30)

/* --- the wire: reading ------------------------------------------------------------------------ */
typedef enum {
    WIRE_VARINT = 0,
    WIRE_8 = 1,
    WIRE_SPAN = 2,
    WIRE_GROUP = 3, /* of old files, only ever skipped */
    WIRE_GROUP_END = 4,
    WIRE_4 = 5,
} wire_type;

/* One field as it stands there. */
typedef struct {
    uint32_t number;
    wire_type wire;
    uint64_t value; /* of a varint, of 8 and of 4 bytes */
    tn__span span;  /* of a WIRE_SPAN */
} wire_field;

uint64_t tn__read_varint(tn__reader *reader)
{
    uint64_t value = 0;
    for (int i = 0; i < VARINT; i++) {
        uint8_t byte = tn__read_u8(reader);
        value |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80)
            return value;
    }
    reader->failed = true;
    return 0;
}

/* A field without a look at groups: one is its start, or its end. */
static bool take_field(tn__reader *reader, wire_field *field)
{
    uint64_t tag = tn__read_varint(reader);
    *field = (wire_field){ .number = (uint32_t)(tag >> 3), .wire = tag & 7 };
    if (tag > UINT32_MAX || field->number == 0 || field->wire > WIRE_4)
        reader->failed = true;
    if (reader->failed)
        return false;
    if (field->wire == WIRE_VARINT)
        field->value = tn__read_varint(reader);
    else if (field->wire == WIRE_SPAN)
        field->span = tn__read_span(reader, tn__read_varint(reader));
    else if (field->wire == WIRE_8 || field->wire == WIRE_4)
        field->value = tn__read_uint(reader, field->wire == WIRE_8 ? 8 : 4);
    return !reader->failed;
}

/* Behind the start of a group, to behind its end. The numbers of the groups that are open have to
 * be kept, to be compared. */
static bool skip_group(tn__reader *reader, uint32_t number)
{
    uint32_t open[TN__PB_DEPTH] = { number };
    size_t depth = 1;
    wire_field field;
    while (depth && take_field(reader, &field)) {
        bool start = field.wire == WIRE_GROUP, end = field.wire == WIRE_GROUP_END;
        if ((start && depth == TN__PB_DEPTH) || (end && open[depth - 1] != field.number)) {
            reader->failed = true;
            return false;
        }
        if (start)
            open[depth] = field.number;
        depth += (size_t)start - (size_t)end;
    }
    return !reader->failed;
}

/* Takes the next field; false at the end, and with reader->failed at what is no field. Groups are
 * skipped with all that is in them. */
static bool next_field(tn__reader *reader, wire_field *field)
{
    while (!reader->failed && reader->at < reader->span.size && take_field(reader, field)) {
        if (field->wire == WIRE_GROUP_END)
            reader->failed = true;
        else if (field->wire != WIRE_GROUP)
            return true;
        else
            skip_group(reader, field->number);
    }
    return false;
}

/* --- the wire: writing ------------------------------------------------------------------------ */
static size_t encode_varint(uint64_t value, uint8_t *out)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        out[size++] = (uint8_t)(value | 0x80);
    out[size++] = (uint8_t)value;
    return size;
}

tn_status tn__bytes_append_varint(tn__bytes *bytes, uint64_t value)
{
    uint8_t encoded[VARINT];
    return tn__bytes_append(bytes, encoded, encode_varint(value, encoded));
}

static tn_status put_tag(tn__bytes *bytes, uint32_t number, wire_type wire)
{
    return tn__bytes_append_varint(bytes, (uint64_t)number << 3 | wire);
}

tn_status tn__pb_put_span(tn__bytes *bytes, uint32_t number, tn__span span)
{
    TN_TRY(put_tag(bytes, number, WIRE_SPAN));
    TN_TRY(tn__bytes_append_varint(bytes, span.size));
    return span.size ? tn__bytes_append(bytes, span.data, span.size) : TN_OK;
}

/* A message within: what is appended between the two is its content. One byte is left for the
 * length; what has a longer one moves. */
static tn_status begin_message(tn__bytes *bytes, uint32_t number, size_t *mark)
{
    TN_TRY(put_tag(bytes, number, WIRE_SPAN));
    *mark = bytes->size;
    return tn__bytes_append(bytes, NULL, 1);
}

static tn_status end_message(tn__bytes *bytes, size_t mark)
{
    uint8_t length[VARINT];
    size_t size = bytes->size - mark - 1, width = encode_varint(size, length);
    TN_TRY(tn__bytes_append(bytes, NULL, width - 1));
    memmove(bytes->data + mark + width, bytes->data + mark + 1, size);
    memcpy(bytes->data + mark, length, width);
    return TN_OK;
}

/* --- kinds ------------------------------------------------------------------------------------ */
static wire_type wire_of(tn__pb_kind kind)
{
    switch (kind) {
    case TN__PB_FIXED32:
    case TN__PB_FLOAT:
        return WIRE_4;
    case TN__PB_DOUBLE:
        return WIRE_8;
    default:
        return kind >= TN__PB_TEXT ? WIRE_SPAN : WIRE_VARINT;
    }
}

/* Bytes of the member, or of an item of a repeated one. */
static size_t size_of(const tn__pb_field *field)
{
    switch (field->kind) {
    case TN__PB_BOOL:
        return sizeof(bool);
    case TN__PB_INT32:
    case TN__PB_UINT32:
    case TN__PB_FIXED32:
    case TN__PB_FLOAT:
        return 4;
    case TN__PB_TEXT:
        return sizeof(const char *);
    case TN__PB_BYTES:
    case TN__PB_RAW:
        return sizeof(tn__span);
    case TN__PB_MESSAGE:
        return field->flags & TN__PB_REPEATED ? field->message->size : sizeof(void *);
    case TN__PB_INLINE:
        return field->message->size;
    default:
        return 8;
    }
}

/* Numbers: from the wire's 64 bits to the member. */
static void store(tn__pb_kind kind, uint64_t value, void *to)
{
    uint32_t low = (uint32_t)value;
    bool flag = value != 0;
    if (kind == TN__PB_SINT64)
        value = value >> 1 ^ (0 - (value & 1));
    if (kind == TN__PB_BOOL)
        memcpy(to, &flag, sizeof flag);
    else if (kind == TN__PB_INT32 || kind == TN__PB_UINT32 || wire_of(kind) == WIRE_4)
        memcpy(to, &low, 4);
    else
        memcpy(to, &value, 8);
}

/* And back. */
static uint64_t fetch(tn__pb_kind kind, const void *from)
{
    uint64_t value = 0;
    uint32_t low = 0;
    bool flag = false;
    switch (kind) {
    case TN__PB_BOOL:
        memcpy(&flag, from, sizeof flag);
        return flag;
    case TN__PB_INT32:
        memcpy(&low, from, 4);
        return (uint64_t)(int64_t)(int32_t)low;
    case TN__PB_UINT32:
    case TN__PB_FIXED32:
    case TN__PB_FLOAT:
        memcpy(&low, from, 4);
        return low;
    case TN__PB_SINT64:
        memcpy(&value, from, 8);
        return value << 1 ^ (0 - (value >> 63));
    default:
        memcpy(&value, from, 8);
        return value;
    }
}

/* Any TN__LIST_OF(). */
typedef struct {
    void *item;
    size_t count, capacity;
} any_list;

/* --- reading ---------------------------------------------------------------------------------- */
typedef struct {
    tn__arena *arena;
    int depth;
} decoder;

static tn_status read_message(decoder *d, const tn__pb_message *message, tn__span bytes,
                              void *into);

/* Room for so many more items, which the list then has. */
static tn_status add_items(decoder *d, const tn__pb_field *field, void *member, size_t more,
                           uint8_t **item)
{
    any_list list;
    size_t size = size_of(field);
    memcpy(&list, member, sizeof list);
    *item = NULL;
    if (more == 0)
        return TN_OK;
    TN_TRY(tn__arena_grow(d->arena, &list.item, &list.capacity, list.count, more, size));
    *item = (uint8_t *)list.item + list.count * size;
    list.count += more;
    memcpy(member, &list, sizeof list);
    return TN_OK;
}

/* Numbers one after the other. */
static tn_status read_packed(decoder *d, const tn__pb_field *field, tn__span span, void *member)
{
    tn__reader reader = { span, 0, false };
    wire_type wire = wire_of(field->kind);
    size_t width = wire == WIRE_4 ? 4 : 8, count = 0;
    for (size_t i = 0; i < span.size; i++) /* a varint ends with a byte below 128 */
        count += span.data[i] < 0x80;
    if (wire != WIRE_VARINT)
        count = span.size / width;
    uint8_t *item;
    TN_TRY(add_items(d, field, member, count, &item));
    for (size_t i = 0; i < count; i++, item += size_of(field))
        store(field->kind,
              wire == WIRE_VARINT ? tn__read_varint(&reader) : tn__read_uint(&reader, (int)width),
              item);
    if (reader.failed || reader.at != span.size)
        return tn__fail(TN_DATA_LOSS, "protobuf: numbers of field %u are damaged", field->number);
    return TN_OK;
}

static tn_status read_text(decoder *d, const tn__pb_field *field, tn__span span, void *member)
{
    if (span.size && memchr(span.data, 0, span.size))
        return tn__fail(TN_DATA_LOSS, "protobuf: the text of field %u has a NUL in it",
                        field->number);
    const char *text = tn__arena_text_of(d->arena, span.data, span.size);
    if (!text)
        return TN_RESOURCE_EXHAUSTED;
    memcpy(member, &text, sizeof text);
    return TN_OK;
}

/* A message behind a pointer. */
static tn_status read_sub(decoder *d, const tn__pb_field *field, tn__span span, void *member)
{
    void *message;
    memcpy(&message, member, sizeof message);
    if (!message)
        message = tn__arena_alloc(d->arena, field->message->size);
    if (!message)
        return TN_RESOURCE_EXHAUSTED;
    memcpy(member, &message, sizeof message);
    return read_message(d, field->message, span, message);
}

static tn_status read_one(decoder *d, const tn__pb_field *field, const wire_field *wire,
                          void *member)
{
    switch (field->kind) {
    case TN__PB_TEXT:
        return read_text(d, field, wire->span, member);
    case TN__PB_BYTES:
    case TN__PB_RAW:
        memcpy(member, &wire->span, sizeof wire->span);
        return TN_OK;
    case TN__PB_MESSAGE:
        if (!(field->flags & TN__PB_REPEATED))
            return read_sub(d, field, wire->span, member);
        return read_message(d, field->message, wire->span, member);
    case TN__PB_INLINE:
        return read_message(d, field->message, wire->span, member);
    default:
        store(field->kind, wire->value, member);
        return TN_OK;
    }
}

/* Of one of several the last is there, and the others are not. */
static void choose(const tn__pb_message *message, const tn__pb_field *field, uint8_t *into)
{
    int which;
    memcpy(&which, into + message->which, sizeof which);
    if (which == (int)field->number)
        return;
    which = (int)field->number;
    memcpy(into + message->which, &which, sizeof which);
    memset(into + field->offset, 0, size_of(field));
}

static tn_status read_field(decoder *d, const tn__pb_message *message, const tn__pb_field *field,
                            const wire_field *wire, uint8_t *into)
{
    void *member = into + field->offset;
    uint8_t *item;
    bool repeated = field->flags & TN__PB_REPEATED, number = field->kind < TN__PB_TEXT;
    if (repeated && number && wire->wire == WIRE_SPAN)
        return read_packed(d, field, wire->span, member);
    if (wire->wire != wire_of(field->kind))
        return TN_OK;
    if (field->flags & TN__PB_ONEOF)
        choose(message, field, into);
    if (!repeated)
        return read_one(d, field, wire, member);
    TN_TRY(add_items(d, field, member, 1, &item));
    return read_one(d, field, wire, item);
}

static const tn__pb_field *find_field(const tn__pb_message *message, uint32_t number)
{
    for (size_t i = 0; i < message->fields; i++)
        if (message->field[i].number == number)
            return &message->field[i];
    return NULL;
}

static tn_status read_message(decoder *d, const tn__pb_message *message, tn__span bytes, void *into)
{
    tn__reader reader = { bytes, 0, false };
    wire_field wire;
    if (d->depth == TN__PB_DEPTH)
        return tn__fail(TN_DATA_LOSS, "protobuf: more than %d messages within each other",
                        TN__PB_DEPTH);
    d->depth++;
    while (next_field(&reader, &wire)) {
        const tn__pb_field *field = find_field(message, wire.number);
        if (field)
            TN_TRY(read_field(d, message, field, &wire, into));
    }
    d->depth--;
    if (reader.failed)
        return tn__fail(TN_DATA_LOSS, "protobuf: a %s of %zu bytes is damaged before byte %zu",
                        message->name, bytes.size, reader.at);
    return TN_OK;
}

tn_status tn__pb_read(const tn__pb_message *message, tn__span bytes, tn__arena *arena, void *into)
{
    decoder d = { arena, 0 };
    if (!arena->limit)
        arena->limit = DECODED;
    return read_message(&d, message, bytes, into);
}

/* --- writing ---------------------------------------------------------------------------------- */
static tn_status write_message(const tn__pb_message *message, const void *from, int depth,
                               tn__bytes *bytes);

static tn_status write_sub(const tn__pb_field *field, const void *from, int depth, tn__bytes *bytes)
{
    size_t mark;
    TN_TRY(begin_message(bytes, field->number, &mark));
    TN_TRY(write_message(field->message, from, depth + 1, bytes));
    return end_message(bytes, mark);
}

/* A number without its tag. */
static tn_status write_number(tn__pb_kind kind, uint64_t value, tn__bytes *bytes)
{
    wire_type wire = wire_of(kind);
    return wire == WIRE_VARINT ? tn__bytes_append_varint(bytes, value)
                               : tn__bytes_append_uint(bytes, value, wire == WIRE_8 ? 8 : 4);
}

static tn_status write_packed(const tn__pb_field *field, const any_list *list, tn__bytes *bytes)
{
    size_t mark, size = size_of(field);
    TN_TRY(begin_message(bytes, field->number, &mark));
    for (size_t i = 0; i < list->count; i++)
        TN_TRY(write_number(field->kind, fetch(field->kind, (const uint8_t *)list->item + i * size),
                            bytes));
    return end_message(bytes, mark);
}

/* A text, bytes or a message. always: also when it is empty. */
static tn_status write_span(const tn__pb_field *field, const void *member, bool always,
                            tn__bytes *bytes)
{
    tn__span span;
    if (field->kind == TN__PB_TEXT) {
        const char *text;
        memcpy(&text, member, sizeof text);
        span = (tn__span){ (const uint8_t *)text, text ? strlen(text) : 0 };
    } else {
        memcpy(&span, member, sizeof span);
        always = always || (field->kind == TN__PB_RAW && span.data);
    }
    return span.size || always ? tn__pb_put_span(bytes, field->number, span) : TN_OK;
}

/* One of several that is there without anything in it is an empty message. */
static tn_status write_pointer(const tn__pb_field *field, const void *member, int depth,
                               tn__bytes *bytes)
{
    const void *message;
    memcpy(&message, member, sizeof message);
    if (message)
        return write_sub(field, message, depth, bytes);
    return field->flags & TN__PB_ONEOF
               ? tn__pb_put_span(bytes, field->number, (tn__span){ NULL, 0 })
               : TN_OK;
}

static tn_status write_one(const tn__pb_field *field, const void *member, int depth,
                           tn__bytes *bytes)
{
    bool always = field->flags & (TN__PB_ONEOF | TN__PB_ALWAYS);
    if (field->kind == TN__PB_MESSAGE)
        return write_pointer(field, member, depth, bytes);
    if (field->kind == TN__PB_INLINE)
        return write_sub(field, member, depth, bytes);
    if (field->kind >= TN__PB_TEXT)
        return write_span(field, member, always, bytes);
    uint64_t value = fetch(field->kind, member);
    if (value == 0 && !always)
        return TN_OK;
    TN_TRY(put_tag(bytes, field->number, wire_of(field->kind)));
    return write_number(field->kind, value, bytes);
}

static tn_status write_list(const tn__pb_field *field, const void *member, int depth,
                            tn__bytes *bytes)
{
    any_list list;
    memcpy(&list, member, sizeof list);
    if (list.count && field->kind < TN__PB_TEXT)
        return write_packed(field, &list, bytes);
    const uint8_t *item = list.item;
    for (size_t i = 0; i < list.count; i++, item += size_of(field))
        TN_TRY(field->kind == TN__PB_MESSAGE ? write_sub(field, item, depth, bytes)
                                             : write_span(field, item, true, bytes));
    return TN_OK;
}

static tn_status write_message(const tn__pb_message *message, const void *from, int depth,
                               tn__bytes *bytes)
{
    if (depth == TN__PB_DEPTH)
        return tn__fail(TN_INVALID_ARGUMENT,
                        "protobuf: more than %d messages within each other, which nobody reads",
                        TN__PB_DEPTH);
    for (size_t i = 0; i < message->fields; i++) {
        const tn__pb_field *field = &message->field[i];
        const uint8_t *member = (const uint8_t *)from + field->offset;
        int which = (int)field->number;
        if (field->flags & TN__PB_ONEOF)
            memcpy(&which, (const uint8_t *)from + message->which, sizeof which);
        if (which == (int)field->number)
            TN_TRY(field->flags & TN__PB_REPEATED ? write_list(field, member, depth, bytes)
                                                  : write_one(field, member, depth, bytes));
    }
    return TN_OK;
}

tn_status tn__pb_write(const tn__pb_message *message, const void *from, tn__bytes *bytes)
{
    return write_message(message, from, 0, bytes);
}
