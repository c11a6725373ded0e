/* zip_read.c - finding the directory, checking that its members lie apart, decoding them. */
#include "formats/crc32.h"
#include "formats/zip.h"
#include "formats/zip_format.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { CHUNK = 1 << 16, EXPANSION = 1100, EXPANSION_SLACK = 1024, NAME_SHOWN = 200 };

typedef struct {
    tn__zip_member member;
    uint64_t header, end; /* where its local header starts, and its data end */
    tn__span data;
    bool counted; /* in what was decoded */
} record;

struct tn__zip {
    tn__span bytes;
    tn__zip_limits limits;
    record *item; /* as in the directory */
    size_t count, capacity;
    record **sorted; /* by name, those of one name as in the directory */
    uint64_t decoded;
};

void *tn__zip_allocate(void *self, unsigned count, unsigned size)
{
    (void)self;
    size_t bytes;
    return tn__size_mul(count, size, &bytes) ? tn__alloc(bytes) : NULL;
}

void tn__zip_release(void *self, void *block)
{
    (void)self;
    tn__free(block);
}

/* --- where the directory is ------------------------------------------------------------------ */
typedef struct {
    uint64_t start, size; /* of the directory, in the bytes given */
    uint64_t shift;       /* bytes before the archive: what its own offsets do not count */
} place;

static bool mark_at(tn__span bytes, uint64_t at, uint32_t mark)
{
    tn__reader reader = { bytes, (size_t)at, at > bytes.size };
    return tn__read_u32(&reader) == mark && !reader.failed;
}

/* The last end record; the bytes behind it are a comment, however long it says it is. */
static bool find_end(tn__span bytes, uint64_t *end)
{
    if (bytes.size < ZIP_END_SIZE)
        return false;
    uint64_t last = bytes.size - ZIP_END_SIZE, first = last > ZIP_MAX16 ? last - ZIP_MAX16 : 0;
    for (uint64_t at = last + 1; at-- > first;)
        if (mark_at(bytes, at, ZIP_END)) {
            *end = at;
            return true;
        }
    return false;
}

/* The zip64 end record: before its locator, or else where the locator says. */
static bool find_zip64_end(tn__span bytes, uint64_t locator, uint64_t said, uint64_t *end)
{
    *end = locator >= ZIP64_END_SIZE ? locator - ZIP64_END_SIZE : said;
    if (!mark_at(bytes, *end, ZIP64_END))
        *end = said;
    return *end <= locator && locator - *end >= ZIP64_END_SIZE && mark_at(bytes, *end, ZIP64_END);
}

/* Moves `end` and the directory's size and offset to what the zip64 records say, if there are any.
 */
static tn_status read_zip64_end(tn__span bytes, uint64_t *end, uint64_t *size, uint64_t *offset)
{
    uint64_t locator = *end - ZIP64_LOCATOR_SIZE, found;
    if (*end < ZIP64_LOCATOR_SIZE || !mark_at(bytes, locator, ZIP64_LOCATOR))
        return TN_OK;
    tn__reader reader = { bytes, (size_t)locator + 4, false };
    uint32_t disk = tn__read_u32(&reader);
    uint64_t said = tn__read_u64(&reader);
    if (disk != 0 || tn__read_u32(&reader) > 1)
        return tn__fail(TN_UNIMPLEMENTED, "zip: archives in several parts cannot be read");
    if (!find_zip64_end(bytes, locator, said, &found))
        return TN_OK;
    reader = (tn__reader){ bytes, (size_t)found + 40, false };
    *size = tn__read_u64(&reader);
    *offset = tn__read_u64(&reader);
    *end = found;
    return TN_OK;
}

static tn_status find_directory(tn__span bytes, place *directory)
{
    uint64_t end = 0;
    if (!find_end(bytes, &end))
        return tn__fail(TN_DATA_LOSS, "not a zip archive, or its end is missing");
    tn__reader reader = { bytes, (size_t)end + 12, false };
    uint64_t size = tn__read_u32(&reader), offset = tn__read_u32(&reader);
    TN_TRY(read_zip64_end(bytes, &end, &size, &offset));
    if (size > end || offset > end - size)
        return tn__fail(TN_DATA_LOSS,
                        "zip: bytes are missing: the directory (%llu bytes at %llu) does not fit "
                        "before the end record at %llu",
                        (unsigned long long)size, (unsigned long long)offset,
                        (unsigned long long)end);
    *directory = (place){ end - size, size, end - size - offset };
    return TN_OK;
}

/* --- the directory's entries ----------------------------------------------------------------- */
/* Replaces the numbers that are all ones, in this order, as the zip64 extra field has only those.
 */
static tn_status read_zip64_extra(tn__span extra, tn__zip_member *member, uint64_t *header)
{
    tn__reader fields = { extra, 0, false };
    while (extra.size - fields.at >= 4) {
        uint16_t id = tn__read_u16(&fields), size = tn__read_u16(&fields);
        tn__reader field = { tn__read_span(&fields, size), 0, false };
        if (fields.failed)
            break;
        if (id != ZIP64_EXTRA)
            continue;
        if (member->size == ZIP_MAX32)
            member->size = tn__read_u64(&field);
        if (member->stored_size == ZIP_MAX32)
            member->stored_size = tn__read_u64(&field);
        if (*header == ZIP_MAX32)
            *header = tn__read_u64(&field);
        fields.failed = field.failed;
        break;
    }
    if (fields.failed)
        return tn__fail(TN_DATA_LOSS, "zip: member '%.*s' has a damaged extra field", NAME_SHOWN,
                        member->name);
    return TN_OK;
}

/* The local header repeats the name; behind it and its own extra fields stand the data, all of it
 * before `end`. */
static tn_status find_data(const tn__zip *zip, record *r, tn__span name, uint64_t end)
{
    tn__reader reader = { zip->bytes, (size_t)r->header, r->header > zip->bytes.size };
    bool marked = tn__read_u32(&reader) == ZIP_LOCAL;
    tn__read_skip(&reader, 22);
    uint16_t name_size = tn__read_u16(&reader), extra_size = tn__read_u16(&reader);
    tn__span local_name = tn__read_span(&reader, name_size);
    tn__read_skip(&reader, extra_size);
    r->data = tn__read_span(&reader, r->member.stored_size);
    r->end = reader.at;
    if (!marked || reader.failed || r->end > end)
        return tn__fail(TN_DATA_LOSS, "zip: member '%.*s' is not where the directory says it is",
                        NAME_SHOWN, r->member.name);
    if (local_name.size != name.size || memcmp(local_name.data, name.data, name.size) != 0)
        return tn__fail(TN_DATA_LOSS, "zip: member '%.*s' has another name in its own header",
                        NAME_SHOWN, r->member.name);
    return TN_OK;
}

/* One entry. The record is already in the list, so that its name is freed with it. */
static tn_status read_entry(tn__zip *zip, tn__reader *entries, const place *directory)
{
    TN_TRY(TN__RESERVE(zip, 1));
    record *r = &zip->item[zip->count++];
    *r = (record){ 0 };
    bool marked = tn__read_u32(entries) == ZIP_DIRECTORY;
    tn__read_skip(entries, 4);
    uint16_t flags = tn__read_u16(entries);
    r->member.method = tn__read_u16(entries);
    r->member.encrypted = flags & (ZIP_FLAG_ENCRYPTED | ZIP_FLAG_STRONG);
    tn__read_skip(entries, 4);
    r->member.crc = tn__read_u32(entries);
    r->member.stored_size = tn__read_u32(entries);
    r->member.size = tn__read_u32(entries);
    uint16_t name_size = tn__read_u16(entries), extra_size = tn__read_u16(entries);
    uint16_t comment_size = tn__read_u16(entries);
    tn__read_skip(entries, 8);
    r->header = tn__read_u32(entries);
    tn__span name = tn__read_span(entries, name_size), extra = tn__read_span(entries, extra_size);
    tn__read_skip(entries, comment_size);
    if (!marked || entries->failed)
        return tn__fail(TN_DATA_LOSS, "zip: the directory is damaged at entry %zu", zip->count);
    r->member.name = tn__strndup(name_size ? (const char *)name.data : "", name_size);
    if (!r->member.name)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(read_zip64_extra(extra, &r->member, &r->header));
    if (__builtin_add_overflow(r->header, directory->shift, &r->header))
        r->header = UINT64_MAX;
    return find_data(zip, r, name, directory->start);
}

static tn_status read_directory(tn__zip *zip, const place *directory)
{
    tn__span part;
    if (!tn__span_part(zip->bytes, directory->start, directory->size, &part))
        return tn__fail(TN_INTERNAL, "zip: the directory lies outside the file");
    tn__reader entries = { part, 0, false };
    while (entries.at < part.size) {
        if (zip->count == zip->limits.members)
            return tn__fail(TN_RESOURCE_EXHAUSTED, "zip: more than %llu members",
                            (unsigned long long)zip->limits.members);
        TN_TRY(read_entry(zip, &entries, directory));
    }
    return TN_OK;
}

/* --- without a directory --------------------------------------------------------------------- */
/* One local header and its data at the reader's place. A member whose size stands behind its data,
 * and one that is cut off, has all bytes that are left. */
static tn_status read_local(tn__zip *zip, tn__reader *reader)
{
    TN_TRY(TN__RESERVE(zip, 1));
    record *r = &zip->item[zip->count++];
    *r = (record){ .header = reader->at - 4 };
    tn__read_skip(reader, 2);
    uint16_t flags = tn__read_u16(reader);
    r->member.method = tn__read_u16(reader);
    r->member.encrypted = flags & (ZIP_FLAG_ENCRYPTED | ZIP_FLAG_STRONG);
    tn__read_skip(reader, 4);
    r->member.crc = tn__read_u32(reader);
    r->member.stored_size = tn__read_u32(reader);
    r->member.size = tn__read_u32(reader);
    uint16_t name_size = tn__read_u16(reader), extra_size = tn__read_u16(reader);
    tn__span name = tn__read_span(reader, name_size), extra = tn__read_span(reader, extra_size);
    uint64_t ignored = 0;
    if (reader->failed)
        return tn__fail(TN_DATA_LOSS, "zip: the last member's header is cut off");
    r->member.name = tn__strndup(name_size ? (const char *)name.data : "", name_size);
    if (!r->member.name)
        return TN_RESOURCE_EXHAUSTED;
    TN_TRY(read_zip64_extra(extra, &r->member, &ignored));
    uint64_t left = zip->bytes.size - reader->at;
    bool open = (flags & ZIP_FLAG_DESCRIPTOR) && r->member.stored_size == 0;
    if (open || r->member.stored_size > left) {
        r->member.stored_size = left;
        r->member.size = r->member.method == TN__ZIP_STORED ? left : r->member.size;
    }
    r->data = tn__read_span(reader, r->member.stored_size);
    r->end = reader->at;
    return TN_OK;
}

static tn_status read_locals(tn__zip *zip)
{
    tn__reader reader = { zip->bytes, 0, false };
    while (zip->count < zip->limits.members && tn__read_u32(&reader) == ZIP_LOCAL) {
        tn_status status = read_local(zip, &reader);
        if (status == TN_DATA_LOSS) { /* what came before is what there is */
            tn__free((char *)(uintptr_t)zip->item[--zip->count].member.name);
            tn__fail_clear();
            break;
        }
        TN_TRY(status);
    }
    return zip->count ? TN_OK : tn__fail(TN_DATA_LOSS, "zip: no member can be found");
}

/* --- order ----------------------------------------------------------------------------------- */
static int by_header(const void *left, const void *right)
{
    const record *a = *(record *const *)left, *b = *(record *const *)right;
    return (a->header > b->header) - (a->header < b->header);
}

static int by_name(const void *left, const void *right)
{
    const record *a = *(record *const *)left, *b = *(record *const *)right;
    int order = strcmp(a->member.name, b->member.name);
    return order ? order : (a > b) - (a < b);
}

/* Shared bytes would let a small file decode to far more than its size allows. */
static tn_status check_apart(tn__zip *zip)
{
    qsort(zip->sorted, zip->count, sizeof *zip->sorted, by_header);
    for (size_t i = 1; i < zip->count; i++) {
        const record *a = zip->sorted[i - 1], *b = zip->sorted[i];
        if (a->end > b->header)
            return tn__fail(TN_DATA_LOSS, "zip: members '%.*s' and '%.*s' overlap", NAME_SHOWN,
                            a->member.name, NAME_SHOWN, b->member.name);
    }
    return TN_OK;
}

static tn_status sort(tn__zip *zip)
{
    zip->sorted = tn__alloc_zeroed(zip->count, sizeof *zip->sorted);
    if (!zip->sorted)
        return TN_RESOURCE_EXHAUSTED;
    for (size_t i = 0; i < zip->count; i++)
        zip->sorted[i] = &zip->item[i];
    TN_TRY(check_apart(zip));
    qsort(zip->sorted, zip->count, sizeof *zip->sorted, by_name);
    return TN_OK;
}

/* --- the archive ----------------------------------------------------------------------------- */
static tn_status open_archive(tn__zip *zip)
{
    place directory = { 0 };
    if (zip->limits.salvage) {
        TN_TRY(read_locals(zip));
        return sort(zip);
    }
    TN_TRY(find_directory(zip->bytes, &directory));
    TN_TRY(read_directory(zip, &directory));
    return sort(zip);
}

tn_status tn__zip_open(tn__span bytes, const tn__zip_limits *limits, tn__zip **out)
{
    *out = NULL;
    tn__zip *zip = tn__alloc_zeroed(1, sizeof *zip);
    if (!zip)
        return TN_RESOURCE_EXHAUSTED;
    zip->bytes = bytes;
    zip->limits.decoded = limits && limits->decoded ? limits->decoded : (uint64_t)4 << 30;
    zip->limits.members = limits && limits->members ? limits->members : 1000000;
    zip->limits.salvage = limits && limits->salvage;
    tn_status status = open_archive(zip);
    if (status != TN_OK) {
        tn__zip_close(zip);
        return status;
    }
    *out = zip;
    return TN_OK;
}

void tn__zip_close(tn__zip *zip)
{
    if (!zip)
        return;
    for (size_t i = 0; i < zip->count; i++)
        tn__free((char *)(uintptr_t)zip->item[i].member.name);
    tn__free(zip->item);
    tn__free(zip->sorted);
    tn__free(zip);
}

size_t tn__zip_count(const tn__zip *zip)
{
    return zip->count;
}

const tn__zip_member *tn__zip_member_at(const tn__zip *zip, size_t index)
{
    return &zip->item[index].member;
}

bool tn__zip_find(const tn__zip *zip, const char *name, size_t *index)
{
    size_t low = 0, high = zip->count; /* the first behind all of this name is in between */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(zip->sorted[middle]->member.name, name) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || strcmp(zip->sorted[low - 1]->member.name, name) != 0)
        return false;
    *index = (size_t)(zip->sorted[low - 1] - zip->item);
    return true;
}

/* --- decoding -------------------------------------------------------------------------------- */
static const char *method_name(unsigned method)
{
    static const struct {
        unsigned method;
        const char *name;
    } known[] = { { 1, "shrink" }, { 6, "implode" }, { 9, "deflate64" },
                  { 12, "bzip2" }, { 14, "lzma" },   { 93, "zstd" },
                  { 95, "xz" },    { 98, "ppmd" },   { 99, "AES" } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].method == method)
            return known[i].name;
    return "an unknown method";
}

/* Whether the member can be decoded, and the numbers in its entry can be true. */
static tn_status check_entry(const tn__zip_member *m)
{
    if (m->encrypted)
        return tn__fail(TN_UNIMPLEMENTED, "zip: member '%.*s' is encrypted and cannot be read",
                        NAME_SHOWN, m->name);
    if (m->method != TN__ZIP_STORED && m->method != TN__ZIP_DEFLATED)
        return tn__fail(TN_UNIMPLEMENTED,
                        "zip: member '%.*s' is compressed with %s (method %u); only stored and "
                        "deflated members can be read",
                        NAME_SHOWN, m->name, method_name(m->method), m->method);
    bool possible = m->method == TN__ZIP_STORED
                        ? m->size == m->stored_size
                        : m->size <= m->stored_size * EXPANSION + EXPANSION_SLACK;
    if (!possible || m->size >= SIZE_MAX)
        return tn__fail(TN_DATA_LOSS, "zip: member '%.*s': %llu bytes cannot decode to %llu",
                        NAME_SHOWN, m->name, (unsigned long long)m->stored_size,
                        (unsigned long long)m->size);
    return TN_OK;
}

static tn_status check_sum(const record *r, uint64_t size, uint32_t crc)
{
    if (size != r->member.size)
        return tn__fail(TN_DATA_LOSS,
                        "zip: member '%.*s' decodes to %s than the %llu bytes it says", NAME_SHOWN,
                        r->member.name, size < r->member.size ? "fewer" : "more",
                        (unsigned long long)r->member.size);
    if (crc != r->member.crc)
        return tn__fail(TN_DATA_LOSS,
                        "zip: member '%.*s' is damaged: its CRC-32 is %08x, expected %08x",
                        NAME_SHOWN, r->member.name, crc, r->member.crc);
    return TN_OK;
}

/* What one decoding has: where its output goes, and what it came to so far. */
typedef struct {
    z_stream z;
    const record *record;
    tn__bytes *out; /* kept, or (discard) one chunk written over and over */
    bool discard;
    uint64_t size;
    uint32_t crc;
} decoding;

/* Room for more output. One byte more than there should be shows an excess. Memory grows with what
 * really comes out, not with what the file promises. */
static tn_status make_room(decoding *d)
{
    if (d->discard)
        d->out->size = 0;
    if (d->out->size < d->out->capacity)
        return TN_OK;
    size_t whole = (size_t)d->record->member.size + 1, start = d->record->data.size * 8 + CHUNK;
    size_t wanted = d->out->capacity ? d->out->capacity * 2 : d->discard ? CHUNK : start;
    return tn__bytes_reserve(d->out, wanted < whole ? wanted : whole);
}

static void feed(decoding *d, size_t *fed)
{
    size_t left = d->record->data.size - *fed;
    if (d->z.avail_in > 0 || left == 0)
        return;
    d->z.next_in = (Bytef *)(uintptr_t)(d->record->data.data + *fed);
    d->z.avail_in = left > 1 << 30 ? 1 << 30 : (uInt)left;
    *fed += d->z.avail_in;
}

static int inflate_once(decoding *d)
{
    size_t room = d->out->capacity - d->out->size;
    uInt given = room > 1 << 30 ? 1 << 30 : (uInt)room;
    uint8_t *start = d->out->data + d->out->size;
    d->z.next_out = start;
    d->z.avail_out = given;
    int result = inflate(&d->z, Z_NO_FLUSH);
    uInt made = given - d->z.avail_out;
    d->crc = tn__crc32(d->crc, start, made);
    d->size += made;
    d->out->size += made;
    return result;
}

static tn_status inflate_all(decoding *d)
{
    int result = Z_OK;
    for (size_t fed = 0; result == Z_OK && d->size <= d->record->member.size;) {
        feed(d, &fed);
        TN_TRY(make_room(d));
        result = inflate_once(d);
    }
    if (result == Z_MEM_ERROR)
        return tn__fail_memory(0);
    if (result != Z_OK && result != Z_STREAM_END)
        return tn__fail(TN_DATA_LOSS, "zip: member '%.*s' is damaged: %s", NAME_SHOWN,
                        d->record->member.name,
                        d->z.msg ? d->z.msg : "its compressed data end early");
    return check_sum(d->record, d->size, d->crc);
}

static tn_status inflate_member(const record *r, tn__bytes *out, bool discard)
{
    decoding d = { .record = r, .out = out, .discard = discard };
    d.z.zalloc = tn__zip_allocate;
    d.z.zfree = tn__zip_release;
    if (inflateInit2(&d.z, -MAX_WBITS) != Z_OK)
        return tn__fail_memory(0);
    tn_status status = inflate_all(&d);
    inflateEnd(&d.z);
    return status;
}

static tn_status check_stored(const record *r)
{
    return check_sum(r, r->data.size, tn__crc32(0, r->data.data, r->data.size));
}

tn_status tn__zip_member_in_place(const tn__zip *zip, size_t index, tn__span *span)
{
    const record *r = &zip->item[index];
    TN_TRY(check_entry(&r->member));
    if (r->member.method != TN__ZIP_STORED)
        return tn__fail(TN_FAILED_PRECONDITION,
                        "zip: member '%.*s' is compressed, so it cannot be used in place",
                        NAME_SHOWN, r->member.name);
    *span = r->data;
    return TN_OK;
}

tn_status tn__zip_check(tn__zip *zip, size_t index)
{
    const record *r = &zip->item[index];
    TN_TRY(check_entry(&r->member));
    if (r->member.method == TN__ZIP_STORED)
        return check_stored(r);
    tn__bytes chunk = { 0 };
    tn_status status = inflate_member(r, &chunk, true);
    tn__bytes_free(&chunk);
    return status;
}

/* Reading a member again does not count again. */
static tn_status count_decoded(tn__zip *zip, record *r)
{
    if (r->counted)
        return TN_OK;
    if (r->member.size > zip->limits.decoded - zip->decoded)
        return tn__fail(TN_RESOURCE_EXHAUSTED,
                        "zip: member '%.*s' has %llu bytes; with what was read before that is over "
                        "the limit of %llu",
                        NAME_SHOWN, r->member.name, (unsigned long long)r->member.size,
                        (unsigned long long)zip->limits.decoded);
    zip->decoded += r->member.size;
    r->counted = true;
    return TN_OK;
}

static tn_status copy_stored(const record *r, tn__bytes *out)
{
    TN_TRY(check_stored(r));
    TN_TRY(tn__bytes_reserve(out, r->data.size + 1));
    return tn__bytes_append(out, r->data.data, r->data.size);
}

tn_status tn__zip_read(tn__zip *zip, size_t index, tn__bytes *out)
{
    *out = (tn__bytes){ 0 };
    record *r = &zip->item[index];
    TN_TRY(check_entry(&r->member));
    TN_TRY(count_decoded(zip, r));
    tn_status status =
        r->member.method == TN__ZIP_STORED ? copy_stored(r, out) : inflate_member(r, out, false);
    if (status != TN_OK)
        tn__bytes_free(out);
    return status;
}
