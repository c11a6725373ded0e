/* file.h - files as a whole: read, map, and write so that the target is at every moment the old
 * file or the new one. */
#ifndef TN_BASE_FILE_H
#define TN_BASE_FILE_H
#include "base/span.h"

/* The bytes of a file, read or mapped. */
typedef struct {
    tn__span span;
    void *mapping; /* NULL when read */
    void *block;   /* when read from a file that told its size: a block of tn__alloc_aligned() */
} tn__file;
/* limit: more bytes are refused before anything is allocated. "-" is standard input. */
tn_status tn__file_read(const char *path, uint64_t limit, tn__file *file);
/* Regular files only: what has no size of its own ("-", a pipe, a device) is refused. */
tn_status tn__file_map(const char *path, tn__file *file);
/* As many zeros, which take no memory however often they are read. */
tn_status tn__file_zeros(size_t size, tn__file *file);
void tn__file_close(tn__file *file);
typedef enum { TN__PATH_NONE, TN__PATH_FILE, TN__PATH_FOLDER, TN__PATH_OTHER } tn__path_kind;
tn__path_kind tn__path_kind_of(const char *path);

/* Writes beside the target under a name of its own, syncs file and folder, renames. Until commit
 * the target is untouched; abort (or a failed write, or a failed commit) removes what was written.
 * A target that is there and not a regular file, or write-protected, is refused; a symbolic link is
 * followed (also one to a file that is not there yet) and its target replaced; the old file's
 * permissions are kept, its owner too where that is allowed. "-" is standard output. After one
 * failure every further write, and commit, fails; a commit that fails has left the target as it
 * was. What a process that was killed left beside ("<target>.<8 hex digits>.part", with nobody
 * writing it) is removed when the same target is written again. */
typedef struct tn__writer tn__writer;
tn_status tn__writer_open(const char *path, bool sync, tn__writer **writer);
/* Writes into memory instead: commit hands the bytes to *target, which is overwritten. */
tn_status tn__writer_to_memory(tn__bytes *target, tn__writer **writer);
tn_status tn__write(tn__writer *writer, const void *data, size_t size);
/* Goes back: overwrites size bytes at offset, all of which were written before. */
tn_status tn__write_at(tn__writer *writer, uint64_t offset, const void *data, size_t size);
/* Reads back size bytes at offset, all of which were written before. */
tn_status tn__writer_read_at(tn__writer *writer, uint64_t offset, void *data, size_t size);
/* Whether the two above work: not on standard output, nor where a writer below says no. */
bool tn__writer_goes_back(const tn__writer *writer);
uint64_t tn__writer_size(const tn__writer *writer); /* bytes written so far */
/* Everything that was written is on the disk, so that commit has only to put it in its place: for
 * files that belong together. Does nothing for a writer over functions. */
tn_status tn__writer_settle(tn__writer *writer);
/* Settles it and puts it in its place, from where abort still takes it back while commit only
 * removes the old one: for files that belong together, so that little time passes between the first
 * rename and the last. The folder is not synced. Where names cannot be exchanged, a file that was
 * replaced does not come back. Nothing can be written any more. */
tn_status tn__writer_place(tn__writer *writer);
tn_status tn__writer_commit(tn__writer *writer); /* frees the writer, whether it succeeds or not */
void tn__writer_abort(tn__writer *writer);       /* NULL is allowed */
/* Commits when writing went well, aborts when it did not; gives the status of both. */
tn_status tn__writer_end(tn__writer *writer, tn_status status);
/* A file of these bytes. */
tn_status tn__file_write(const char *path, bool sync, const void *data, size_t size);

/* A writer over functions, so that one format can be written into another (a member of an archive)
 * or somewhere else altogether. Ranges are checked before a function is called; exactly one of
 * commit and abort is called, once, and must free self: abort after a failed write too. */
typedef struct {
    tn_status (*write)(void *self, const void *data, size_t size);
    /* Both or neither; NULL: no going back. */
    tn_status (*write_at)(void *self, uint64_t offset, const void *data, size_t size);
    tn_status (*read_at)(void *self, uint64_t offset, void *data, size_t size);
    tn_status (*commit)(void *self);
    void (*abort)(void *self);
} tn__writer_calls;
/* calls must outlive the writer. When this fails, self is still the caller's. */
tn_status tn__writer_over(const tn__writer_calls *calls, void *self, tn__writer **writer);

#endif
