/* types.c - what an element is, and how many there are. */
#include "formats/hdf5/internal.h"
#include <string.h>

const char *tn__h5_class_name(tn__h5_class class)
{
    static const char *const names[] = {
        [TN__H5_INTEGER] = "integer",
        [TN__H5_FLOAT] = "float",
        [TN__H5_BFLOAT16] = "bfloat16",
        [TN__H5_BOOL] = "bool",
        [TN__H5_ENUM] = "enumeration",
        [TN__H5_BITFIELD] = "bitfield",
        [TN__H5_OPAQUE] = "opaque",
        [TN__H5_STRING] = "string",
        [TN__H5_TEXT] = "variable-length string",
        [TN__H5_COMPOUND] = "compound",
        [TN__H5_ARRAY] = "array",
        [TN__H5_REFERENCE] = "reference",
        [TN__H5_TIME] = "time",
        [TN__H5_COMPLEX] = "complex",
        [TN__H5_SEQUENCE] = "variable-length sequence",
        [TN__H5_OTHER] = "unknown",
    };
    return names[class];
}

/* A datatype message: one byte of class and version, three of flags, four of size, then what the
 * class needs. */
typedef struct {
    tn__h5 *file;
    tn__reader reader;
    int class, version;
    uint32_t bits;
} type_reader;

static tn_status start_type(tn__h5 *file, tn__span data, type_reader *in, tn__h5_type *type)
{
    *in = (type_reader){ .file = file, .reader = { data, 0, false } };
    int first = tn__read_u8(&in->reader);
    in->class = first & 15;
    in->version = first >> 4;
    in->bits = (uint32_t)tn__read_uint(&in->reader, 3);
    *type = (tn__h5_type){ .class = TN__H5_OTHER, .size = tn__read_u32(&in->reader) };
    uint64_t at = tn__h5_place(file, data.data);
    if (in->reader.failed)
        return tn__h5_damage(at, "a datatype is too short");
    if (in->version < 1 || in->version > 5)
        return tn__h5_damage(at, "datatype version %d", in->version);
    if (type->size == 0)
        return tn__h5_damage(at, "a datatype of no bytes");
    return TN_OK;
}

static bool whole_bytes(const tn__h5_type *type)
{
    return type->size == 1 || type->size == 2 || type->size == 4 || type->size == 8;
}

/* Integers and bitfields: where in the element the bits are, and how many. */
static void parse_integer(type_reader *in, tn__h5_type *type)
{
    bool bitfield = in->class == 4;
    type->class = bitfield ? TN__H5_BITFIELD : TN__H5_INTEGER;
    type->big_endian = in->bits & 1;
    type->is_signed = !bitfield && in->bits & 8;
    unsigned offset = tn__read_u16(&in->reader), precision = tn__read_u16(&in->reader);
    if (!whole_bytes(type) || offset != 0 || precision != 8 * type->size)
        type->refused = "an integer that does not fill 1, 2, 4 or 8 bytes";
}

const tn__h5_float tn__h5_floats[TN__H5_FLOATS] = {
    { TN__H5_FLOAT, 2, 16, 15, 10, 5, 0, 10, 15 },
    { TN__H5_FLOAT, 4, 32, 31, 23, 8, 0, 23, 127 },
    { TN__H5_FLOAT, 8, 64, 63, 52, 11, 0, 52, 1023 },
    { TN__H5_BFLOAT16, 2, 16, 15, 7, 8, 0, 7, 127 },
};

static bool same_format(const tn__h5_float *a, const tn__h5_float *b)
{
    return a->size == b->size && a->precision == b->precision && a->sign == b->sign &&
           a->exponent == b->exponent && a->exponent_size == b->exponent_size &&
           a->mantissa == b->mantissa && a->mantissa_size == b->mantissa_size && a->bias == b->bias;
}

static void parse_float(type_reader *in, tn__h5_type *type)
{
    tn__h5_float format = { .size = (uint32_t)type->size, .sign = in->bits >> 8 & 255 };
    unsigned offset = tn__read_u16(&in->reader);
    format.precision = tn__read_u16(&in->reader);
    format.exponent = tn__read_u8(&in->reader);
    format.exponent_size = tn__read_u8(&in->reader);
    format.mantissa = tn__read_u8(&in->reader);
    format.mantissa_size = tn__read_u8(&in->reader);
    format.bias = tn__read_u32(&in->reader);
    type->class = TN__H5_FLOAT;
    type->big_endian = in->bits & 1;
    type->refused = "a floating-point format other than half, single, double and bfloat16";
    bool implied_bit = (in->bits >> 4 & 3) == 2, vax = in->bits & 0x40;
    for (int i = 0; i < TN__H5_FLOATS; i++)
        if (same_format(&format, &tn__h5_floats[i]) && offset == 0 && implied_bit && !vax) {
            type->class = tn__h5_floats[i].class;
            type->refused = NULL;
        }
}

static void parse_string(type_reader *in, tn__h5_type *type)
{
    type->class = TN__H5_STRING;
    type->utf8 = in->bits >> 4 & 1;
    if ((in->bits & 15) > 2)
        type->refused = "a string with an unknown padding";
    else
        type->padding = in->bits & 3;
}

static void parse_sequence(type_reader *in, tn__h5_type *type)
{
    type->utf8 = in->bits >> 8 & 1;
    type->class = (in->bits & 15) == 1 ? TN__H5_TEXT : TN__H5_SEQUENCE;
    if (type->class == TN__H5_SEQUENCE)
        type->refused = "a variable-length sequence";
    else if (type->size != (size_t)(8 + in->file->offset_size))
        type->refused = "a reference to a variable-length string of an unknown size";
}

/* The name of an enumeration's member, which versions 1 and 2 pad to a multiple of 8 bytes; empty
 * when it has no end. */
static tn__span member_name(type_reader *in)
{
    tn__span rest = { in->reader.span.data + in->reader.at, in->reader.span.size - in->reader.at };
    const uint8_t *end = rest.size ? memchr(rest.data, 0, rest.size) : NULL;
    size_t length = end ? (size_t)(end - rest.data) : 0;
    tn__read_skip(&in->reader, in->version < 3 ? (length + 8) / 8 * 8 : length + 1);
    return (tn__span){ rest.data, length };
}

static bool span_is(tn__span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.data, text, span.size) == 0;
}

/* h5py's bool: one byte, FALSE = 0, TRUE = 1. */
static bool is_bool(type_reader *in, const tn__h5_type *base)
{
    if ((in->bits & 0xffff) != 2 || base->size != 1)
        return false;
    tn__span first = member_name(in), second = member_name(in);
    tn__span values = tn__read_span(&in->reader, 2);
    return !in->reader.failed && span_is(first, "FALSE") && span_is(second, "TRUE") &&
           values.data[0] == 0 && values.data[1] == 1;
}

static tn_status parse_enum(type_reader *in, tn__h5_type *type)
{
    tn__h5_type base;
    type_reader inner;
    tn__span rest = { in->reader.span.data + in->reader.at, in->reader.span.size - in->reader.at };
    TN_TRY(start_type(in->file, rest, &inner, &base));
    type->class = TN__H5_ENUM;
    if (inner.class != 0 || base.size != type->size) {
        type->refused = "an enumeration of something else than integers";
        return TN_OK;
    }
    parse_integer(&inner, &base);
    type->is_signed = base.is_signed;
    type->big_endian = base.big_endian;
    type->refused = base.refused;
    in->reader.at += inner.reader.at;
    if (is_bool(in, &base))
        type->class = TN__H5_BOOL;
    in->reader.failed = inner.reader.failed;
    return TN_OK;
}

/* What is told and not read. */
static void parse_other(type_reader *in, tn__h5_type *type)
{
    static const struct {
        tn__h5_class class;
        const char *refused;
    } others[16] = {
        [2] = { TN__H5_TIME, "a time" },
        [6] = { TN__H5_COMPOUND, "a compound type" },
        [7] = { TN__H5_REFERENCE, "a reference" },
        [10] = { TN__H5_ARRAY, "an array type" },
        [11] = { TN__H5_COMPLEX, "a complex number" },
    };
    bool known = others[in->class].refused;
    type->class = known ? others[in->class].class : TN__H5_OTHER;
    type->refused = known ? others[in->class].refused : "a type of an unknown class";
}

tn_status tn__h5_parse_type(tn__h5 *file, tn__span data, tn__h5_type *type)
{
    type_reader in;
    TN_TRY(start_type(file, data, &in, type));
    if (in.class == 0 || in.class == 4)
        parse_integer(&in, type);
    else if (in.class == 1)
        parse_float(&in, type);
    else if (in.class == 3)
        parse_string(&in, type);
    else if (in.class == 5)
        type->class = TN__H5_OPAQUE;
    else if (in.class == 8)
        TN_TRY(parse_enum(&in, type));
    else if (in.class == 9)
        parse_sequence(&in, type);
    else
        parse_other(&in, type);
    if (in.reader.failed)
        return tn__h5_damage(tn__h5_place(file, data.data), "a datatype is too short");
    return TN_OK;
}

static tn_status read_dims(tn__h5 *file, tn__reader *reader, int flags, tn__h5_info *info,
                           uint64_t *max_dims)
{
    uint64_t unlimited = UINT64_MAX >> (64 - 8 * file->length_size);
    for (int i = 0; i < info->rank; i++)
        info->dims[i] = max_dims[i] = tn__h5_read_length(file, reader);
    for (int i = 0; flags & 1 && i < info->rank; i++) {
        uint64_t most = tn__h5_read_length(file, reader);
        max_dims[i] = most == unlimited ? UINT64_MAX : most;
    }
    return TN_OK;
}

/* How many elements: a product that may not run over, even when one factor is 0. */
static bool count_elements(tn__h5_info *info)
{
    uint64_t product = 1, zero = 0;
    for (int i = 0; i < info->rank; i++) {
        zero |= info->dims[i] == 0;
        if (info->dims[i] && __builtin_mul_overflow(product, info->dims[i], &product))
            return false;
    }
    info->count = info->is_null || zero ? 0 : product;
    return true;
}

tn_status tn__h5_parse_space(tn__h5 *file, tn__span data, tn__h5_info *info, uint64_t *max_dims)
{
    tn__reader reader = { data, 0, false };
    uint64_t at = tn__h5_place(file, data.data);
    int version = tn__read_u8(&reader), rank = tn__read_u8(&reader), flags = tn__read_u8(&reader);
    if (version != 1 && version != 2)
        return tn__h5_damage(at, "dataspace version %d", version);
    if (version == 1)
        tn__read_skip(&reader, 5);
    else
        info->is_null = tn__read_u8(&reader) == 2;
    if (rank > TN__H5_MAX_RANK)
        return tn__h5_damage(at, "a dataspace of %d dimensions", rank);
    info->rank = rank;
    TN_TRY(read_dims(file, &reader, flags, info, max_dims));
    if (reader.failed)
        return tn__h5_damage(at, "a dataspace is too short");
    for (int i = 0; i < rank; i++)
        if (info->dims[i] > max_dims[i])
            return tn__h5_damage(at, "a dimension of %llu, at most %llu",
                                 (unsigned long long)info->dims[i],
                                 (unsigned long long)max_dims[i]);
    if (!count_elements(info))
        return tn__h5_damage(at, "the number of elements runs over");
    return TN_OK;
}
