/* protobuf.h - Protocol Buffers' wire format: bytes <-> C structs, by tables of fields.
 *
 * A message is a row of fields, each a number and a wire type (together a varint), then a varint, 4
 * or 8 bytes, or a length and so many bytes: a text, a message within, or numbers one after the
 * other ("packed"). The encoding says nothing of names and kinds; a tn__pb_message says them for
 * one C struct, and one reader and one writer serve all. Fields that a table does not have are
 * skipped, as protobuf does; a field of another wire type than the table's too. */
#ifndef TN_FORMATS_PROTOBUF_H
#define TN_FORMATS_PROTOBUF_H
#include "base/arena.h"
#include "base/span.h"
#include <stddef.h>

enum { TN__PB_DEPTH = 100 }; /* messages within messages, as protobuf's own readers allow */

/* --- the wire --------------------------------------------------------------------------------- */
/* Up to 10 bytes; failed when there are more, or none left. */
uint64_t tn__read_varint(tn__reader *reader);

tn_status tn__bytes_append_varint(tn__bytes *bytes, uint64_t value);
/* A field of bytes: a text, or a message that is encoded. */
tn_status tn__pb_put_span(tn__bytes *bytes, uint32_t number, tn__span span);

/* --- messages as structs ---------------------------------------------------------------------- */
/* What a member is. Repeated ones are TN__LIST_OF() it. */
typedef enum {
    TN__PB_BOOL,    /* bool */
    TN__PB_INT32,   /* int32_t; enumerations too */
    TN__PB_UINT32,  /* uint32_t */
    TN__PB_INT64,   /* int64_t */
    TN__PB_UINT64,  /* uint64_t */
    TN__PB_SINT64,  /* int64_t, zigzag on the wire */
    TN__PB_FIXED32, /* uint32_t */
    TN__PB_FLOAT,   /* float */
    TN__PB_DOUBLE,  /* double */
    TN__PB_TEXT,    /* const char *, NULL is "" */
    TN__PB_BYTES,   /* tn__span; of a message that was read it lies in the bytes that were read */
    TN__PB_RAW,     /* tn__span: a message left encoded; data NULL: not there */
    TN__PB_MESSAGE, /* struct *, NULL: not there */
    TN__PB_INLINE,  /* a message that is always there: the struct itself */
} tn__pb_kind;
enum {
    TN__PB_REPEATED = 1, /* of messages: a list of structs, not of pointers */
    TN__PB_ONEOF = 2,    /* one of several: message->which tells the number, 0 none */
    TN__PB_ALWAYS = 4,   /* written when it is zero too: keys and values of maps */
};

typedef struct tn__pb_message tn__pb_message;
typedef struct {
    uint32_t number;
    tn__pb_kind kind;
    unsigned flags;
    size_t offset;
    const tn__pb_message *message;
} tn__pb_field;
struct tn__pb_message {
    const char *name; /* protobuf's, for messages */
    size_t size;
    const tn__pb_field *field; /* in the order in which they are written: of their numbers */
    size_t fields;
    size_t which; /* where the int is that tells which of several is there */
};
#define TN__PB_FIELD(type, number, member, kind, flags)            \
    {                                                              \
        number, TN__PB_##kind, flags, offsetof(type, member), NULL \
    }
#define TN__PB_SUB(type, number, member, kind, flags, message)        \
    {                                                                 \
        number, TN__PB_##kind, flags, offsetof(type, member), message \
    }
#define TN__PB_MESSAGE_OF(name, type, fields)                            \
    {                                                                    \
        name, sizeof(type), fields, sizeof(fields) / sizeof *(fields), 0 \
    }
#define TN__PB_ONEOF_OF(name, type, fields, member)                                           \
    {                                                                                         \
        name, sizeof(type), fields, sizeof(fields) / sizeof *(fields), offsetof(type, member) \
    }

/* Fills the struct, which is all zero at first (else what is read is merged into it, as protobuf
 * does). Texts, lists and messages are in the arena, whose limit bounds what the bytes decode to;
 * TN__PB_BYTES stay in `bytes`. TN_DATA_LOSS: no message, and where. */
tn_status tn__pb_read(const tn__pb_message *message, tn__span bytes, tn__arena *arena, void *into);
/* Appends the encoded message: fields in order of the table, zero and "" left out unless they are
 * one of several or in a map, numbers packed. */
tn_status tn__pb_write(const tn__pb_message *message, const void *from, tn__bytes *bytes);

#endif
