/* zip.h - zip archives: a bounded reader over bytes in memory, a writer that streams forward.
 *
 * The reader takes what Python's zipfile takes (bytes before the archive, a comment, zip64, data
 * descriptors, of two members of one name the last) and believes no number in the file before it
 * was checked against the bytes that are there. Stored members can be used in place. The writer's
 * members start at multiples of 64 bytes, so that weights in a stored member can be mapped, and
 * carry a fixed date, so that the same content gives the same file. */
#ifndef TN_FORMATS_ZIP_H
#define TN_FORMATS_ZIP_H
#include "base/file.h"

typedef enum { TN__ZIP_STORED = 0, TN__ZIP_DEFLATED = 8 } tn__zip_method;

/* --- reading --------------------------------------------------------------------------------- */
/* What reading may cost; a 0 is the default. */
typedef struct {
    uint64_t decoded; /* bytes that all members together may decode to: 4 GB */
    uint64_t members; /* 1,000,000 */
    bool salvage;     /* no directory is needed: members are found by their own headers, the last may
                         be cut off. For looking only: nothing says that the rest is whole. */
} tn__zip_limits;

/* One entry of the archive's directory. */
typedef struct {
    const char *name;           /* as it stands in the archive; ends in '/' for a folder */
    uint64_t size, stored_size; /* decoded, and in the archive */
    uint32_t crc;
    uint16_t method; /* any number; TN__ZIP_STORED and TN__ZIP_DEFLATED can be read */
    bool encrypted;
} tn__zip_member;

typedef struct tn__zip tn__zip;
/* Reads the directory and every member's local header; no two members may share bytes. `bytes` must
 * outlive the archive. TN_DATA_LOSS: not a zip, or damaged. */
tn_status tn__zip_open(tn__span bytes, const tn__zip_limits *limits, tn__zip **zip);
void tn__zip_close(tn__zip *zip); /* NULL is allowed */
size_t tn__zip_count(const tn__zip *zip);
const tn__zip_member *tn__zip_member_at(const tn__zip *zip, size_t index); /* index < count */
/* The last member of that name; false when there is none. */
bool tn__zip_find(const tn__zip *zip, const char *name, size_t *index);
/* The bytes of a stored member where they are, its CRC-32 not looked at: tn__zip_check() does. */
tn_status tn__zip_member_in_place(const tn__zip *zip, size_t index, tn__span *span);
/* Decodes the member and compares its size and CRC-32; keeps nothing. */
tn_status tn__zip_check(tn__zip *zip, size_t index);
/* Decodes the member, size and CRC-32 compared. *out is overwritten, the caller's to free. A member
 * decodes to at most 1,100 times its stored bytes (deflate cannot do more) and the archive's limit.
 * TN_RESOURCE_EXHAUSTED: over the limit. TN_UNIMPLEMENTED: encrypted, or another method. */
tn_status tn__zip_read(tn__zip *zip, size_t index, tn__bytes *out);

/* --- writing --------------------------------------------------------------------------------- */
/* Writes forward; goes back only to complete a member's header, and where `out` cannot go back, a
 * data descriptor follows the member instead. Zip64 only where it is needed (and in members with a
 * data descriptor). After a failure every further call fails. */
typedef struct tn__zip_writer tn__zip_writer;
/* `out` stays the caller's: commit it after tn__zip_finish(), and abort it after a failure. */
tn_status tn__zip_writer_open(tn__writer *out, tn__zip_writer **zip);
/* A whole member. A name may be used once; '/' separates folders. */
tn_status tn__zip_add(tn__zip_writer *zip, const char *name, tn__zip_method method,
                      const void *data, size_t size);
/* A member piece by piece. */
tn_status tn__zip_begin(tn__zip_writer *zip, const char *name, tn__zip_method method);
tn_status tn__zip_append(tn__zip_writer *zip, const void *data, size_t size);
tn_status tn__zip_end(tn__zip_writer *zip);
/* A member as a writer, for a format that is written into it; commit ends the member, abort spoils
 * the archive. It goes back (inside the member) when it is stored and `out` goes back. It must end
 * before the next member begins. */
tn_status tn__zip_member_writer(tn__zip_writer *zip, const char *name, tn__zip_method method,
                                tn__writer **member);
/* Writes the directory. Frees the zip writer, whether it succeeds or not. */
tn_status tn__zip_finish(tn__zip_writer *zip);
void tn__zip_writer_free(tn__zip_writer *zip); /* gives up; NULL is allowed */

#endif
