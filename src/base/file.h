/* file.h - files as a whole: read, map, and write so that the target is at every moment the old file or the new one. */
#ifndef TN_BASE_FILE_H
#define TN_BASE_FILE_H
#include "base/span.h"

/* The bytes of a file, read or mapped. */
typedef struct {
    tn__span span;
    void *mapping; /* NULL when read */
} tn__file;
/* limit: more bytes are refused before anything is allocated. "-" is standard input (never mapped). */
tn_status tn__file_read(const char *path, uint64_t limit, tn__file *file);
tn_status tn__file_map(const char *path, tn__file *file);
void tn__file_close(tn__file *file);
typedef enum { TN__PATH_NONE, TN__PATH_FILE, TN__PATH_FOLDER, TN__PATH_OTHER } tn__path_kind;
tn__path_kind tn__path_kind_of(const char *path);

/* Writes beside the target under a name of its own, syncs file and folder, renames. Until commit the target is untouched; abort
 * (or a failed write, or a failed commit) removes what was written. A target that is there and not a regular file is refused;
 * a symbolic link is followed and its target replaced; the old file's permissions are kept. "-" is standard output. */
typedef struct tn__writer tn__writer;
tn_status tn__writer_open(const char *path, bool sync, tn__writer **writer);
/* Writes into memory instead: commit hands the bytes to *target. */
tn_status tn__writer_to_memory(tn__bytes *target, tn__writer **writer);
tn_status tn__write(tn__writer *writer, const void *data, size_t size);
/* Goes back: overwrites size bytes at offset, all of which were written before. */
tn_status tn__write_at(tn__writer *writer, uint64_t offset, const void *data, size_t size);
uint64_t tn__writer_size(const tn__writer *writer); /* bytes written so far */
tn_status tn__writer_commit(tn__writer *writer);    /* frees the writer, whether it succeeds or not */
void tn__writer_abort(tn__writer *writer);          /* NULL is allowed */

#endif
