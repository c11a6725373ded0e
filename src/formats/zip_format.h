/* zip_format.h - what zip_read.c and zip_write.c agree on: marks, flags, sizes, and zlib's memory.
 *
 * An archive is a row of members, each a local header, its name, extra fields and data; then the
 * directory, which repeats every header with the member's place; then the end record, behind which
 * only a comment may stand. A number too large for its 32 (or 16) bits is all ones there and stands
 * in the zip64 extra field (or the zip64 end record) instead. */
#ifndef TN_FORMATS_ZIP_FORMAT_H
#define TN_FORMATS_ZIP_FORMAT_H
#include "base/memory.h"

enum {
    ZIP_LOCAL = 0x04034b50,
    ZIP_DIRECTORY = 0x02014b50,
    ZIP_DESCRIPTOR = 0x08074b50,
    ZIP_END = 0x06054b50,
    ZIP64_END = 0x06064b50,
    ZIP64_LOCATOR = 0x07064b50
};
enum {
    ZIP_LOCAL_SIZE = 30,
    ZIP_DIRECTORY_SIZE = 46,
    ZIP_END_SIZE = 22,
    ZIP64_END_SIZE = 56,
    ZIP64_LOCATOR_SIZE = 20,
    ZIP64_EXTRA = 1,           /* the extra field's number */
    ZIP_PADDING_EXTRA = 0xd935 /* as Android's zipalign writes it: the alignment, then zeros */
};
enum {
    ZIP_FLAG_ENCRYPTED = 1,
    ZIP_FLAG_DESCRIPTOR = 1 << 3, /* CRC and sizes follow the data */
    ZIP_FLAG_STRONG = 1 << 6,     /* encrypted another way */
    ZIP_FLAG_UTF8 = 1 << 11
};
#define ZIP_MAX16 0xffffu
#define ZIP_MAX32 0xffffffffu

/* zlib's allocation functions over ours. */
void *tn__zip_allocate(void *self, unsigned count, unsigned size);
void tn__zip_release(void *self, void *block);

#endif
