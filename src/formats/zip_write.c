/* zip_write.c - members one after the other, each completed before the next, then the directory. */
#include "base/map.h"
#include "formats/crc32.h"
#include "formats/zip.h"
#include "formats/zip_format.h"
#include <string.h>
#include <zlib.h>

enum {
    ALIGNMENT = 64,
    CHUNK = 1 << 16,
    PATCH = 4096,
    NAME_SHOWN = 200,
    ZIP64_FIELD = 20,     /* an extra field with both sizes */
    SMALLEST_PADDING = 6, /* an extra field's head, and the alignment */
    DATE = 1 << 5 | 1,    /* 1980-01-01, the first there is */
    FILE_MODE = 0100644,
    FOLDER_MODE = 0040755,
    MADE_ON_UNIX = 3 << 8
};

typedef struct {
    char *name;
    uint16_t method, flags;
    uint16_t extra; /* size of its local header's extra fields */
    bool zip64;     /* has the zip64 field in its local header */
    uint32_t crc;
    uint64_t header, data; /* where they start */
    uint64_t size, stored_size;
} member;

struct tn__zip_writer {
    tn__writer *out;
    tn__map names;
    tn__bytes directory; /* the entries of the members that are complete */
    uint64_t count;
    bool open, failed;
    member member; /* the open one */
    bool deflating;
    z_stream z;
    uint8_t *chunk; /* deflated bytes on their way */
};

/* What was begun cannot be completed any more. */
static tn_status spoil(tn__zip_writer *zip, tn_status status)
{
    zip->failed |= status != TN_OK;
    return status;
}

static tn_status check_usable(const tn__zip_writer *zip, bool open)
{
    if (zip->failed)
        return tn__fail(TN_FAILED_PRECONDITION, "zip: an earlier write to the archive failed");
    if (open && !zip->open)
        return tn__fail(TN_INTERNAL, "zip: no member is open");
    if (!open && zip->open)
        return tn__fail(TN_INTERNAL, "zip: member '%.*s' is still open", NAME_SHOWN,
                        zip->member.name);
    return TN_OK;
}

/* --- names ----------------------------------------------------------------------------------- */
/* How many bytes the UTF-8 character at text has; 0 when it is none. The second byte's range leaves
 * out what is written too long, the surrogates, and what is beyond the last character. */
static int character_size(const uint8_t *text)
{
    uint8_t first = text[0];
    int size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first > 0xf4 || (size > 1 && (text[1] < low || text[1] > high)))
        return 0;
    for (int i = 2; i < size; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

static bool is_utf8(const char *text)
{
    int size = 1;
    for (const uint8_t *at = (const uint8_t *)text; *at && size; at += size)
        size = character_size(at);
    return size != 0;
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((uint8_t)*text >= 0x80)
            return false;
    return true;
}

static tn_status check_name(tn__zip_writer *zip, const char *name)
{
    if (!*name || strlen(name) > ZIP_MAX16 || !is_utf8(name))
        return tn__fail(TN_INVALID_ARGUMENT,
                        "zip: '%.*s' cannot be a member's name: it must be UTF-8, 1 to 65535 bytes",
                        NAME_SHOWN, name);
    if (tn__map_get(&zip->names, name))
        return tn__fail(TN_ALREADY_EXISTS, "zip: there is a member '%.*s' already", NAME_SHOWN,
                        name);
    return tn__map_set(&zip->names, name, zip);
}

/* --- headers --------------------------------------------------------------------------------- */
/* Little-endian numbers into a fixed place. */
typedef struct {
    uint8_t *at;
} put;

static void put_uint(put *p, uint64_t value, int width)
{
    for (int i = 0; i < width; i++)
        *p->at++ = (uint8_t)(value >> 8 * i);
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
    return value < most ? value : most;
}

static unsigned version_needed(bool zip64)
{
    return zip64 ? 45 : 20;
}

/* What local headers and directory entries have in common. */
static void put_common(put *p, const member *m, bool zip64, uint32_t crc, uint64_t stored_size,
                       uint64_t size)
{
    put_uint(p, version_needed(zip64), 2);
    put_uint(p, m->flags, 2);
    put_uint(p, m->method, 2);
    put_uint(p, 0, 2); /* midnight */
    put_uint(p, DATE, 2);
    put_uint(p, crc, 4);
    put_uint(p, at_most(stored_size, ZIP_MAX32), 4);
    put_uint(p, at_most(size, ZIP_MAX32), 4);
    put_uint(p, strlen(m->name), 2);
}

/* Fills `extra` bytes: the zip64 field, if there is one, and for the rest padding. */
static void put_local_extra(put *p, const member *m)
{
    size_t padding = m->extra;
    if (m->zip64) {
        put_uint(p, ZIP64_EXTRA, 2);
        put_uint(p, ZIP64_FIELD - 4, 2);
        put_uint(p, m->size, 8);
        put_uint(p, m->stored_size, 8);
        padding -= ZIP64_FIELD;
    }
    if (padding) {
        put_uint(p, ZIP_PADDING_EXTRA, 2);
        put_uint(p, padding - 4, 2);
        put_uint(p, ALIGNMENT, 2);
    }
}

/* Header, name and extra fields, of a size that was fixed when the member was begun. With zip64
 * both sizes stand in its field; with a descriptor they are not known yet, nor is the CRC. */
static tn_status build_local(const member *m, tn__bytes *local)
{
    size_t name = strlen(m->name);
    TN_TRY(tn__bytes_resize(local, ZIP_LOCAL_SIZE + name + m->extra));
    put p = { local->data };
    put_uint(&p, ZIP_LOCAL, 4);
    put_common(&p, m, m->zip64, m->crc, m->zip64 ? ZIP_MAX32 : m->stored_size,
               m->zip64 ? ZIP_MAX32 : m->size);
    put_uint(&p, m->extra, 2);
    memcpy(p.at, m->name, name);
    p.at += name;
    put_local_extra(&p, m);
    return TN_OK;
}

/* Writes the local header, or writes it again in its place. */
static tn_status put_local(tn__zip_writer *zip, bool again)
{
    tn__bytes local = { 0 };
    tn_status status = build_local(&zip->member, &local);
    if (status == TN_OK)
        status = again ? tn__write_at(zip->out, zip->member.header, local.data, local.size)
                       : tn__write(zip->out, local.data, local.size);
    tn__bytes_free(&local);
    return status;
}

/* The member's entry; only the numbers that need it stand in a zip64 field. */
static tn_status add_entry(tn__zip_writer *zip)
{
    const member *m = &zip->member;
    uint64_t large[3];
    int count = 0;
    if (m->size >= ZIP_MAX32)
        large[count++] = m->size;
    if (m->stored_size >= ZIP_MAX32)
        large[count++] = m->stored_size;
    if (m->header >= ZIP_MAX32)
        large[count++] = m->header;
    size_t name = strlen(m->name), extra = count ? 4 + 8 * (size_t)count : 0;
    size_t start = zip->directory.size;
    TN_TRY(tn__bytes_resize(&zip->directory, start + ZIP_DIRECTORY_SIZE + name + extra));
    bool folder = m->name[name - 1] == '/';
    put p = { zip->directory.data + start };
    put_uint(&p, ZIP_DIRECTORY, 4);
    put_uint(&p, MADE_ON_UNIX | version_needed(count || m->zip64), 2);
    put_common(&p, m, count || m->zip64, m->crc, m->stored_size, m->size);
    put_uint(&p, extra, 2);
    put_uint(&p, 0, 6); /* no comment, first disk, no inner attributes */
    put_uint(&p, (uint32_t)(folder ? FOLDER_MODE : FILE_MODE) << 16 | (folder ? 0x10 : 0), 4);
    put_uint(&p, at_most(m->header, ZIP_MAX32), 4);
    memcpy(p.at, m->name, name);
    p.at += name;
    if (count) {
        put_uint(&p, ZIP64_EXTRA, 2);
        put_uint(&p, 8 * (unsigned)count, 2);
    }
    for (int i = 0; i < count; i++)
        put_uint(&p, large[i], 8);
    zip->count++;
    return TN_OK;
}

/* --- beginning and ending a member ----------------------------------------------------------- */
/* Chooses the padding so that the data are aligned; `reserved` bytes of the extra fields may later
 * turn into the zip64 field, beside which padding has to be a field of its own. */
static void place_member(tn__zip_writer *zip, size_t reserved)
{
    member *m = &zip->member;
    m->header = tn__writer_size(zip->out);
    uint64_t start = m->header + ZIP_LOCAL_SIZE + strlen(m->name) + reserved;
    size_t padding = (size_t)(-start & (ALIGNMENT - 1));
    if (padding && padding < SMALLEST_PADDING)
        padding += ALIGNMENT;
    m->extra = (uint16_t)(reserved + padding);
    m->data = start + padding;
}

static tn_status start_member(tn__zip_writer *zip, const char *name, tn__zip_method method)
{
    TN_TRY(check_usable(zip, false));
    TN_TRY(check_name(zip, name));
    zip->member = (member){ .method = (uint16_t)method };
    zip->member.flags = is_ascii(name) ? 0 : ZIP_FLAG_UTF8;
    zip->member.name = tn__strdup(name);
    if (!zip->member.name)
        return spoil(zip, TN_RESOURCE_EXHAUSTED);
    zip->open = true;
    return TN_OK;
}

static tn_status complete_member(tn__zip_writer *zip)
{
    TN_TRY(spoil(zip, add_entry(zip)));
    tn__free(zip->member.name);
    zip->member.name = NULL;
    zip->open = false;
    return TN_OK;
}

static tn_status prepare_deflate(tn__zip_writer *zip)
{
    if (zip->deflating)
        return deflateReset(&zip->z) == Z_OK ? TN_OK : tn__fail(TN_INTERNAL, "zip: deflateReset");
    if (!zip->chunk)
        zip->chunk = tn__alloc(CHUNK);
    if (!zip->chunk)
        return TN_RESOURCE_EXHAUSTED;
    zip->z.zalloc = tn__zip_allocate;
    zip->z.zfree = tn__zip_release;
    if (deflateInit2(&zip->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return tn__fail_memory(0);
    zip->deflating = true;
    return TN_OK;
}

tn_status tn__zip_begin(tn__zip_writer *zip, const char *name, tn__zip_method method)
{
    TN_TRY(start_member(zip, name, method));
    member *m = &zip->member;
    if (!tn__writer_goes_back(zip->out)) {
        m->flags |= ZIP_FLAG_DESCRIPTOR;
        m->zip64 = true; /* how long it gets is not known, and the descriptor's form is fixed now */
    }
    if (method == TN__ZIP_DEFLATED)
        TN_TRY(spoil(zip, prepare_deflate(zip)));
    place_member(zip, ZIP64_FIELD);
    return spoil(zip, put_local(zip, false));
}

static tn_status put_data(tn__zip_writer *zip, const void *data, size_t size)
{
    zip->member.stored_size += size;
    return tn__write(zip->out, data, size);
}

/* Runs deflate until it took all its input (and, at the end, gave all its output). */
static tn_status deflate_some(tn__zip_writer *zip, int mode)
{
    int result;
    do {
        zip->z.next_out = zip->chunk;
        zip->z.avail_out = CHUNK;
        result = deflate(&zip->z, mode);
        if (result == Z_STREAM_ERROR)
            return tn__fail(TN_INTERNAL, "zip: deflate failed");
        TN_TRY(put_data(zip, zip->chunk, CHUNK - zip->z.avail_out));
    } while (zip->z.avail_out == 0 || (mode == Z_FINISH && result != Z_STREAM_END));
    return TN_OK;
}

static tn_status put_deflated(tn__zip_writer *zip, const uint8_t *data, size_t size)
{
    while (size > 0) {
        uInt part = size > 1 << 30 ? 1 << 30 : (uInt)size;
        zip->z.next_in = (Bytef *)(uintptr_t)data;
        zip->z.avail_in = part;
        TN_TRY(deflate_some(zip, Z_NO_FLUSH));
        data += part;
        size -= part;
    }
    return TN_OK;
}

tn_status tn__zip_append(tn__zip_writer *zip, const void *data, size_t size)
{
    TN_TRY(check_usable(zip, true));
    if (size == 0)
        return TN_OK;
    zip->member.crc = tn__crc32(zip->member.crc, data, size);
    zip->member.size += size;
    return spoil(zip, zip->member.method == TN__ZIP_STORED ? put_data(zip, data, size)
                                                           : put_deflated(zip, data, size));
}

static tn_status put_descriptor(tn__zip_writer *zip)
{
    uint8_t descriptor[24];
    put p = { descriptor };
    put_uint(&p, ZIP_DESCRIPTOR, 4);
    put_uint(&p, zip->member.crc, 4);
    put_uint(&p, zip->member.stored_size, 8);
    put_uint(&p, zip->member.size, 8);
    return tn__write(zip->out, descriptor, sizeof descriptor);
}

tn_status tn__zip_end(tn__zip_writer *zip)
{
    TN_TRY(check_usable(zip, true));
    member *m = &zip->member;
    if (m->method == TN__ZIP_DEFLATED)
        TN_TRY(spoil(zip, deflate_some(zip, Z_FINISH)));
    if (m->flags & ZIP_FLAG_DESCRIPTOR) {
        TN_TRY(spoil(zip, put_descriptor(zip)));
    } else {
        m->zip64 = m->size >= ZIP_MAX32 || m->stored_size >= ZIP_MAX32;
        TN_TRY(spoil(zip, put_local(zip, true)));
    }
    return complete_member(zip);
}

/* All is known beforehand, so the header is right at once. */
static tn_status add_stored(tn__zip_writer *zip, const char *name, const void *data, size_t size)
{
    TN_TRY(start_member(zip, name, TN__ZIP_STORED));
    member *m = &zip->member;
    m->size = m->stored_size = size;
    m->crc = tn__crc32(0, data, size);
    m->zip64 = size >= ZIP_MAX32;
    place_member(zip, m->zip64 ? ZIP64_FIELD : 0);
    TN_TRY(spoil(zip, put_local(zip, false)));
    TN_TRY(spoil(zip, tn__write(zip->out, data, size)));
    return complete_member(zip);
}

tn_status tn__zip_add(tn__zip_writer *zip, const char *name, tn__zip_method method,
                      const void *data, size_t size)
{
    if (method == TN__ZIP_STORED)
        return add_stored(zip, name, data, size);
    TN_TRY(tn__zip_begin(zip, name, method));
    TN_TRY(tn__zip_append(zip, data, size));
    return tn__zip_end(zip);
}

/* --- a member as a writer -------------------------------------------------------------------- */
static tn_status member_write(void *self, const void *data, size_t size)
{
    return tn__zip_append(self, data, size);
}

static tn_status member_read_at(void *self, uint64_t offset, void *data, size_t size)
{
    tn__zip_writer *zip = self;
    TN_TRY(check_usable(zip, true));
    return spoil(zip, tn__writer_read_at(zip->out, zip->member.data + offset, data, size));
}

/* A CRC is linear: changing some bytes changes it by the CRCs of the old and the new ones added up,
 * moved on by the bytes that follow. So nothing but the bytes that change is read again. */
static tn_status patch(tn__zip_writer *zip, uint64_t offset, const uint8_t *data, size_t size)
{
    member *m = &zip->member;
    uint8_t old[PATCH];
    TN_TRY(tn__writer_read_at(zip->out, m->data + offset, old, size));
    TN_TRY(tn__write_at(zip->out, m->data + offset, data, size));
    uLong change = tn__crc32(0, old, size) ^ tn__crc32(0, data, size);
    uint64_t behind = m->size - offset - size;
    m->crc ^= (uint32_t)crc32_combine(change, 0, (z_off_t)behind);
    return TN_OK;
}

static tn_status member_write_at(void *self, uint64_t offset, const void *data, size_t size)
{
    tn__zip_writer *zip = self;
    TN_TRY(check_usable(zip, true));
    const uint8_t *at = data;
    while (size > 0) {
        size_t part = size < PATCH ? size : PATCH;
        TN_TRY(spoil(zip, patch(zip, offset, at, part)));
        offset += part;
        at += part;
        size -= part;
    }
    return TN_OK;
}

static tn_status member_commit(void *self)
{
    return tn__zip_end(self);
}

static void member_abort(void *self)
{
    ((tn__zip_writer *)self)->failed = true;
}

static const tn__writer_calls stored_calls = { member_write, member_write_at, member_read_at,
                                               member_commit, member_abort };
static const tn__writer_calls forward_calls = { member_write, NULL, NULL, member_commit,
                                                member_abort };

tn_status tn__zip_member_writer(tn__zip_writer *zip, const char *name, tn__zip_method method,
                                tn__writer **writer)
{
    *writer = NULL;
    TN_TRY(tn__zip_begin(zip, name, method));
    bool back = method == TN__ZIP_STORED && tn__writer_goes_back(zip->out);
    return spoil(zip, tn__writer_over(back ? &stored_calls : &forward_calls, zip, writer));
}

/* --- the archive ----------------------------------------------------------------------------- */
tn_status tn__zip_writer_open(tn__writer *out, tn__zip_writer **writer)
{
    *writer = tn__alloc_zeroed(1, sizeof **writer);
    if (!*writer)
        return TN_RESOURCE_EXHAUSTED;
    (*writer)->out = out;
    return TN_OK;
}

/* The zip64 end record and its locator, when a number does not fit the plain one. */
static void put_zip64_end(put *p, uint64_t count, uint64_t size, uint64_t offset)
{
    put_uint(p, ZIP64_END, 4);
    put_uint(p, ZIP64_END_SIZE - 12, 8); /* of what follows */
    put_uint(p, MADE_ON_UNIX | version_needed(true), 2);
    put_uint(p, version_needed(true), 2);
    put_uint(p, 0, 8); /* one disk */
    put_uint(p, count, 8);
    put_uint(p, count, 8);
    put_uint(p, size, 8);
    put_uint(p, offset, 8);
    put_uint(p, ZIP64_LOCATOR, 4);
    put_uint(p, 0, 4);
    put_uint(p, offset + size, 8);
    put_uint(p, 1, 4);
}

static tn_status put_directory(tn__zip_writer *zip)
{
    TN_TRY(check_usable(zip, false));
    uint64_t offset = tn__writer_size(zip->out), size = zip->directory.size;
    TN_TRY(tn__write(zip->out, zip->directory.data, zip->directory.size));
    uint8_t end[ZIP64_END_SIZE + ZIP64_LOCATOR_SIZE + ZIP_END_SIZE];
    put p = { end };
    if (zip->count >= ZIP_MAX16 || size >= ZIP_MAX32 || offset >= ZIP_MAX32)
        put_zip64_end(&p, zip->count, size, offset);
    put_uint(&p, ZIP_END, 4);
    put_uint(&p, 0, 4); /* one disk */
    put_uint(&p, at_most(zip->count, ZIP_MAX16), 2);
    put_uint(&p, at_most(zip->count, ZIP_MAX16), 2);
    put_uint(&p, at_most(size, ZIP_MAX32), 4);
    put_uint(&p, at_most(offset, ZIP_MAX32), 4);
    put_uint(&p, 0, 2); /* no comment */
    return tn__write(zip->out, end, (size_t)(p.at - end));
}

tn_status tn__zip_finish(tn__zip_writer *zip)
{
    tn_status status = put_directory(zip);
    tn__zip_writer_free(zip);
    return status;
}

void tn__zip_writer_free(tn__zip_writer *zip)
{
    if (!zip)
        return;
    if (zip->deflating)
        deflateEnd(&zip->z);
    tn__free(zip->chunk);
    tn__free(zip->member.name);
    tn__bytes_free(&zip->directory);
    tn__map_free(&zip->names);
    tn__free(zip);
}
