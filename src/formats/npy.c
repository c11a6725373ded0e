/* npy.c - the header is a Python dict with three keys; it is parsed strictly, and nothing is run.
 */
#include "formats/npy.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

enum {
    MAGIC_SIZE = 6,
    ALIGNMENT = 64,
    GROWTH_DIGITS = 21, /* NumPy leaves room for a first dimension that grows to this many digits */
    SHOWN = 60          /* bytes of a strange header that a message shows */
};
static const char magic[MAGIC_SIZE + 1] = "\x93NUMPY";

static bool host_is_big_endian(void)
{
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
}

/* --- the header's text ----------------------------------------------------------------------- */
typedef struct {
    const char *at, *end;
} cursor;

static void skip_spaces(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || (*c->at >= '\t' && *c->at <= '\r')))
        c->at++;
}

/* Takes the character, spaces before it included. */
static bool take(cursor *c, char wanted)
{
    skip_spaces(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    skip_spaces(c);
    size_t size = strlen(word);
    if ((size_t)(c->end - c->at) < size || memcmp(c->at, word, size) != 0)
        return false;
    c->at += size;
    return true;
}

/* A text in either kind of quotes, without escapes. */
static bool take_text(cursor *c, cursor *text)
{
    skip_spaces(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    char quote = *c->at;
    const char *start = ++c->at;
    while (c->at < c->end && *c->at != quote && *c->at != '\\')
        c->at++;
    *text = (cursor){ start, c->at };
    return take(c, quote);
}

static bool is(const cursor *text, const char *word)
{
    size_t size = (size_t)(text->end - text->at);
    return size == strlen(word) && memcmp(text->at, word, size) == 0;
}

/* Python 2 wrote 3L. */
static bool take_number(cursor *c, uint64_t *number)
{
    skip_spaces(c);
    const char *start = c->at;
    *number = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (unsigned)(*c->at - '0'), number))
            return false;
    bool found = c->at > start;
    if (found && c->at < c->end && *c->at == 'L')
        c->at++;
    return found;
}

static tn_status fail_header(const char *what, const cursor *c)
{
    long left = (long)(c->end - c->at);
    return tn__fail(TN_DATA_LOSS, "npy: %s, got '%.*s'", what, (int)(left < SHOWN ? left : SHOWN),
                    c->at);
}

/* --- the three keys -------------------------------------------------------------------------- */
static const char *kind_name(char kind)
{
    switch (kind) {
    case 'O':
        return "Python objects, stored as a pickle, which is never run";
    case 'c':
        return "complex numbers";
    case 'S':
    case 'a':
    case 'U':
        return "text";
    case 'M':
    case 'm':
        return "dates";
    case 'V':
        return "raw bytes";
    case 'b':
    case 'i':
    case 'u':
    case 'f':
        return "numbers of this size";
    default:
        return "a kind that is not known";
    }
}

static bool is_known(tn__npy_type type)
{
    bool power = type.size == 1 || type.size == 2 || type.size == 4 || type.size == 8;
    switch (type.kind) {
    case 'b':
        return type.size == 1;
    case 'i':
    case 'u':
        return power;
    case 'f':
        return power && type.size > 1;
    case 'V':
        return type.size == 2;
    default:
        return false;
    }
}

/* "<f4": byte order, kind, size. */
static tn_status parse_type(cursor text, tn__npy_type *type)
{
    cursor c = text;
    char order = c.at < c.end && *c.at && strchr("<>|=", *c.at) ? *c.at++ : '=';
    uint64_t size = 0;
    *type = (tn__npy_type){ .kind = c.at < c.end ? *c.at++ : '?' };
    bool number = take_number(&c, &size) && c.at == c.end && size <= 8;
    type->size = (int)(number ? size : 0);
    type->big_endian = type->size > 1 && (order == '=' ? host_is_big_endian() : order == '>');
    if (is_known(*type) && (type->kind != 'V' || order == '<'))
        return TN_OK;
    long shown = (long)(text.end - text.at);
    return tn__fail(TN_UNIMPLEMENTED,
                    "npy: an array of dtype '%.*s' cannot be read: %s; it can be bool, int8 to "
                    "int64, uint8 to uint64, float16, bfloat16, float32 or float64",
                    (int)(shown < SHOWN ? shown : SHOWN), text.at, kind_name(type->kind));
}

static tn_status read_type(cursor *c, tn__npy_type *type)
{
    cursor text;
    skip_spaces(c);
    if (c->at < c->end && *c->at == '[')
        return tn__fail(TN_UNIMPLEMENTED,
                        "npy: an array with a structured dtype (records with named fields) cannot "
                        "be read: save each field as an array of its own");
    if (!take_text(c, &text))
        return fail_header("expected a dtype in quotes", c);
    return parse_type(text, type);
}

static tn_status read_order(cursor *c, bool *fortran)
{
    *fortran = take_word(c, "True");
    if (!*fortran && !take_word(c, "False"))
        return fail_header("fortran_order must be True or False", c);
    return TN_OK;
}

static tn_status read_shape(cursor *c, tn__npy *array)
{
    if (!take(c, '('))
        return fail_header("expected the shape as a tuple", c);
    array->rank = 0;
    bool comma = true;
    while (!take(c, ')')) {
        uint64_t size;
        if (!comma || !take_number(c, &size))
            return fail_header("expected a size in the shape", c);
        if (array->rank == TN__NPY_RANK)
            return tn__fail(TN_UNIMPLEMENTED, "npy: the array has more than %d dimensions",
                            TN__NPY_RANK);
        array->shape[array->rank++] = size;
        comma = take(c, ',');
    }
    if (array->rank == 1 && !comma)
        return fail_header("expected ',' after the only size of the shape", c);
    return TN_OK;
}

enum { HAS_TYPE = 1, HAS_ORDER = 2, HAS_SHAPE = 4, HAS_ALL = 7 };

static tn_status read_pair(cursor *c, tn__npy *array, unsigned *found)
{
    cursor key, start = *c;
    if (!take_text(c, &key) || !take(c, ':'))
        return fail_header("expected a key of the header", &start);
    unsigned which = is(&key, "descr")           ? HAS_TYPE
                     : is(&key, "fortran_order") ? HAS_ORDER
                     : is(&key, "shape")         ? HAS_SHAPE
                                                 : 0;
    if (!which || (*found & which))
        return fail_header("expected descr, fortran_order and shape, each once", &start);
    *found |= which;
    return which == HAS_TYPE    ? read_type(c, &array->type)
           : which == HAS_ORDER ? read_order(c, &array->fortran)
                                : read_shape(c, array);
}

static tn_status read_header(cursor c, tn__npy *array)
{
    unsigned found = 0;
    if (!take(&c, '{'))
        return fail_header("expected a dict as header", &c);
    bool comma = true;
    while (!take(&c, '}')) {
        if (!comma)
            return fail_header("expected ',' or '}' in the header", &c);
        TN_TRY(read_pair(&c, array, &found));
        comma = take(&c, ',');
    }
    skip_spaces(&c);
    if (c.at != c.end || found != HAS_ALL)
        return fail_header("expected descr, fortran_order and shape, and nothing behind", &c);
    return TN_OK;
}

/* --- reading --------------------------------------------------------------------------------- */
/* An empty array may have any other sizes, as in NumPy. */
static bool count_elements(tn__npy *array, size_t *bytes)
{
    array->count = 1;
    for (int i = 0; i < array->rank; i++)
        if (array->shape[i] == 0)
            array->count = 0;
    for (int i = 0; i < array->rank && array->count; i++)
        if (__builtin_mul_overflow(array->count, array->shape[i], &array->count))
            return false;
    return tn__size_mul(array->count, (size_t)array->type.size, bytes);
}

tn_status tn__npy_open(tn__span file, tn__npy *array)
{
    *array = (tn__npy){ 0 };
    tn__reader reader = { file, 0, false };
    tn__span start = tn__read_span(&reader, MAGIC_SIZE);
    if (reader.failed || memcmp(start.data, magic, MAGIC_SIZE) != 0)
        return tn__fail(TN_DATA_LOSS, "npy: the file does not start with \\x93NUMPY");
    int major = tn__read_u8(&reader), minor = tn__read_u8(&reader);
    if (!reader.failed && (major < 1 || major > 3 || minor != 0))
        return tn__fail(TN_UNIMPLEMENTED, "npy: format version %d.%d is not known", major, minor);
    tn__span text = tn__read_span(&reader, tn__read_uint(&reader, major == 1 ? 2 : 4));
    if (reader.failed)
        return tn__fail(TN_DATA_LOSS, "npy: the file ends in its header");
    const char *at = (const char *)text.data;
    TN_TRY(read_header((cursor){ at, at + text.size }, array));
    size_t bytes;
    if (!count_elements(array, &bytes) || bytes > file.size - reader.at)
        return tn__fail(TN_DATA_LOSS, "npy: the file has fewer elements than its shape says");
    array->data = tn__read_span(&reader, bytes);
    return TN_OK;
}

/* Of two orders that differ only where at least two dimensions are longer than 1. */
static bool is_row_major(const tn__npy *array)
{
    int longer = 0;
    for (int i = 0; i < array->rank; i++)
        longer += array->shape[i] > 1;
    return !array->fortran || longer < 2;
}

bool tn__npy_is_plain(const tn__npy *array)
{
    bool same_bytes = array->type.size == 1 || array->type.big_endian == host_is_big_endian();
    return array->count == 0 || (same_bytes && is_row_major(array));
}

static void swap_bytes(uint8_t *at, size_t count, int size)
{
    for (size_t i = 0; i < count; i++, at += size)
        for (int left = 0, right = size - 1; left < right; left++, right--) {
            uint8_t byte = at[left];
            at[left] = at[right];
            at[right] = byte;
        }
}

/* One row: every step-th element. A loop for each size, since the copy is then one instruction. */
static void gather(uint8_t *to, const uint8_t *from, size_t count, size_t step, int size)
{
#define GATHER(bytes)                                         \
    case bytes:                                               \
        for (size_t i = 0; i < count; i++)                    \
            memcpy(to + i * (bytes), from + i * step, bytes); \
        break
    switch (size) {
        GATHER(1);
        GATHER(2);
        GATHER(4);
        GATHER(8);
    }
#undef GATHER
}

/* Walks the rows (the last index) in row-major order, keeping where each starts in the file. */
static void copy_transposed(const tn__npy *array, uint8_t *to)
{
    int last = array->rank - 1, size = array->type.size;
    size_t stride[TN__NPY_RANK], index[TN__NPY_RANK] = { 0 }, from = 0;
    size_t step = (size_t)size, row = (size_t)array->shape[last];
    for (int i = 0; i < array->rank; i++) {
        stride[i] = step;
        step *= (size_t)array->shape[i];
    }
    for (size_t done = 0; done < array->count; done += row) {
        gather(to + done * (size_t)size, array->data.data + from, row, stride[last], size);
        for (int i = last - 1; i >= 0; i--) {
            from += stride[i];
            if (++index[i] < array->shape[i])
                break;
            from -= stride[i] * index[i];
            index[i] = 0;
        }
    }
}

void tn__npy_copy(const tn__npy *array, void *destination)
{
    if (array->count == 0)
        return;
    if (is_row_major(array))
        memcpy(destination, array->data.data, array->data.size);
    else
        copy_transposed(array, destination);
    if (array->type.size > 1 && array->type.big_endian != host_is_big_endian())
        swap_bytes(destination, array->count, array->type.size);
}

/* --- writing --------------------------------------------------------------------------------- */
/* NumPy's text, the spaces for growth included. */
static void put_dict(tn__text *text, tn__npy_type type, int rank, const uint64_t *shape)
{
    char order = type.size == 1 ? '|' : host_is_big_endian() ? '>' : '<';
    tn__text_add(text, "{'descr': '%c%c%d', 'fortran_order': False, 'shape': (", order, type.kind,
                 type.size);
    for (int i = 0; i < rank; i++)
        tn__text_add(text, "%s%llu", i ? ", " : "", (unsigned long long)shape[i]);
    tn__text_add(text, "%s), }", rank == 1 ? "," : "");
    if (rank > 0) {
        int digits = snprintf(NULL, 0, "%llu", (unsigned long long)shape[0]);
        tn__text_add(text, "%*s", GROWTH_DIGITS - digits, "");
    }
}

static tn_status put_header(const tn__text *text, tn__bytes *header)
{
    size_t size = text->bytes.size + 1, head = MAGIC_SIZE + 4;
    size += ALIGNMENT - (head + size) % ALIGNMENT; /* NumPy pads at least by one */
    TN_TRY(tn__bytes_append(header, magic, MAGIC_SIZE));
    TN_TRY(tn__bytes_append(header, "\1\0", 2));
    TN_TRY(tn__bytes_append_uint(header, size, 2));
    TN_TRY(tn__bytes_append(header, text->bytes.data, text->bytes.size));
    for (size_t i = text->bytes.size; i < size; i++)
        TN_TRY(tn__bytes_append(header, i + 1 < size ? " " : "\n", 1));
    return TN_OK;
}

tn_status tn__npy_header(tn__npy_type type, int rank, const uint64_t *shape, tn__bytes *header)
{
    if (!is_known(type) || rank < 0 || rank > TN__NPY_RANK)
        return tn__fail(TN_INTERNAL, "npy: kind '%c' of %d bytes, rank %d cannot be written",
                        type.kind, type.size, rank);
    tn__text text = { 0 };
    put_dict(&text, type, rank, shape);
    tn_status status = text.failed ? TN_RESOURCE_EXHAUSTED : put_header(&text, header);
    tn__text_free(&text);
    return status;
}

tn_status tn__npy_write(tn__writer *writer, tn__npy_type type, int rank, const uint64_t *shape,
                        const void *data)
{
    tn__npy array = { .type = type, .rank = rank };
    tn__bytes header = { 0 };
    tn_status status = tn__npy_header(type, rank, shape, &header);
    size_t bytes = 0;
    if (status == TN_OK && rank > 0)
        memcpy(array.shape, shape, (size_t)rank * sizeof *shape);
    if (status == TN_OK && !count_elements(&array, &bytes))
        status = tn__fail(TN_INTERNAL, "npy: the shape has more elements than memory");
    if (status == TN_OK)
        status = tn__write(writer, header.data, header.size);
    if (status == TN_OK)
        status = tn__write(writer, data, bytes);
    tn__bytes_free(&header);
    return status;
}
