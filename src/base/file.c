/* file.c - reading, mapping, and saving that never leaves half a file. */
#include "base/file.h"
#include "base/beside.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_BUFFER = 1 << 20 };

tn__path_kind tn__path_kind_of(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return TN__PATH_NONE;
    return S_ISREG(info.st_mode)   ? TN__PATH_FILE
           : S_ISDIR(info.st_mode) ? TN__PATH_FOLDER
                                   : TN__PATH_OTHER;
}

/* --- reading --------------------------------------------------------------------------------- */
static tn_status fail_limit(const char *path, uint64_t limit)
{
    return tn__fail(TN_RESOURCE_EXHAUSTED, "'%s' is longer than the limit of %llu bytes", path,
                    (unsigned long long)limit);
}

/* The size is only a hint: a pipe has none, and a file may grow while it is read. */
static tn_status read_all(int fd, const char *path, uint64_t limit, size_t expected,
                          tn__bytes *bytes)
{
    TN_TRY(tn__bytes_reserve(bytes, expected + 1));
    for (;;) {
        if (bytes->size == bytes->capacity)
            TN_TRY(tn__bytes_reserve(bytes, bytes->size + WRITE_BUFFER));
        ssize_t got = read(fd, bytes->data + bytes->size, bytes->capacity - bytes->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tn__fail_errno("Unable to read", path);
        if (got == 0)
            return TN_OK;
        bytes->size += (size_t)got;
        if (bytes->size > limit)
            return fail_limit(path, limit);
    }
}

static bool is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

static void close_input(int fd, const char *path)
{
    if (!is_standard(path))
        close(fd);
}

static tn_status open_for_reading(const char *path, int *fd, struct stat *info)
{
    *fd = is_standard(path) ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return tn__fail_errno("Unable to open", path);
    tn_status status = TN_OK;
    if (fstat(*fd, info) != 0)
        status = tn__fail_errno("Unable to open", path);
    else if (S_ISDIR(info->st_mode))
        status = tn__fail(TN_FAILED_PRECONDITION, "Unable to open '%s': it is a folder", path);
    if (status != TN_OK)
        close_input(*fd, path);
    return status;
}

/* As many bytes as there are, up to `room`. */
static tn_status read_up_to(int fd, const char *path, uint8_t *data, size_t room, size_t *size)
{
    for (*size = 0; *size < room;) {
        ssize_t got = read(fd, data + *size, room - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tn__fail_errno("Unable to read", path);
        if (got == 0)
            break;
        *size += (size_t)got;
    }
    return TN_OK;
}

/* A file that tells its size goes straight into a block of that size: aligned, in huge pages when it is large, since what is in it may
 * be used where it is. The file stays empty, and that is no error, when it has grown meanwhile: then it is read as what has no size. */
static tn_status read_block(int fd, const char *path, size_t expected, tn__file *file)
{
    size_t size = 0;
    uint8_t *block = tn__alloc_aligned(expected + 1);
    if (!block)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = read_up_to(fd, path, block, expected + 1, &size);
    bool whole = status == TN_OK && size <= expected;
    if (status == TN_OK && !whole && lseek(fd, 0, SEEK_SET) != 0)
        status = tn__fail_errno("Unable to read", path);
    if (!whole) {
        tn__free_aligned(block);
        return status;
    }
    *file = (tn__file){ { block, size }, NULL, block };
    return TN_OK;
}

static tn_status read_growing(int fd, const char *path, uint64_t limit, size_t expected, tn__file *file)
{
    tn__bytes bytes = { 0 };
    tn_status status = read_all(fd, path, limit, expected, &bytes);
    if (status == TN_OK)
        file->span = tn__bytes_span(&bytes);
    else
        tn__bytes_free(&bytes);
    return status;
}

tn_status tn__file_read(const char *path, uint64_t limit, tn__file *file)
{
    *file = (tn__file){ { NULL, 0 }, NULL, NULL };
    int fd;
    struct stat info;
    TN_TRY(open_for_reading(path, &fd, &info));
    bool regular = S_ISREG(info.st_mode) && !is_standard(path) && info.st_size > 0;
    uint64_t expected = S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
    tn_status status = TN_OK;
    if (expected > limit)
        status = fail_limit(path, limit);
    else if (expected >= SIZE_MAX)
        status = tn__fail_memory(SIZE_MAX);
    else if (regular)
        status = read_block(fd, path, (size_t)expected, file);
    if (status == TN_OK && !file->block)
        status = read_growing(fd, path, limit, (size_t)expected, file);
    close_input(fd, path);
    return status;
}

tn_status tn__file_map(const char *path, tn__file *file)
{
    *file = (tn__file){ { NULL, 0 }, NULL, NULL };
    int fd;
    struct stat info;
    TN_TRY(open_for_reading(path, &fd, &info));
    tn_status status = TN_OK;
    void *mapping = NULL;
    if (is_standard(path) || !S_ISREG(info.st_mode))
        status =
            tn__fail(TN_INVALID_ARGUMENT, "Unable to map '%s': it is not a regular file", path);
    else if ((uint64_t)info.st_size > SIZE_MAX)
        status = tn__fail_memory(SIZE_MAX);
    else if (info.st_size > 0) {
        mapping = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (mapping == MAP_FAILED)
            status = tn__fail_errno("Unable to map", path);
    }
    close_input(fd, path);
    if (status == TN_OK)
        *file = (tn__file){ { mapping, (size_t)info.st_size }, mapping, NULL };
    return status;
}

tn_status tn__file_zeros(size_t size, tn__file *file)
{
    *file = (tn__file){ { NULL, 0 }, NULL, NULL };
    void *mapping = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;
    if (mapping == MAP_FAILED)
        return tn__fail_memory(size);
    *file = (tn__file){ { mapping, size }, mapping, NULL };
    return TN_OK;
}

void tn__file_close(tn__file *file)
{
    if (file->mapping)
        munmap(file->mapping, file->span.size);
    else if (file->block)
        tn__free_aligned(file->block);
    else
        tn__free((void *)(uintptr_t)file->span.data);
    *file = (tn__file){ { NULL, 0 }, NULL, NULL };
}

/* --- writers of every kind ------------------------------------------------------------------- */
struct tn__writer {
    const tn__writer_calls *calls;
    void *self;
    uint64_t size;
    bool failed; /* bytes are missing: it must never be committed */
};

tn_status tn__writer_over(const tn__writer_calls *calls, void *self, tn__writer **out)
{
    *out = NULL;
    tn__writer *writer = tn__alloc(sizeof *writer);
    if (!writer)
        return TN_RESOURCE_EXHAUSTED;
    *writer = (tn__writer){ calls, self, 0, false };
    *out = writer;
    return TN_OK;
}

static tn_status fail_earlier(void)
{
    return tn__fail(TN_FAILED_PRECONDITION, "an earlier write failed; nothing more can be written");
}

tn_status tn__write(tn__writer *writer, const void *data, size_t size)
{
    if (writer->failed)
        return fail_earlier();
    if (size == 0)
        return TN_OK;
    tn_status status = writer->calls->write(writer->self, data, size);
    writer->failed = status != TN_OK;
    writer->size += size;
    return status;
}

/* What both ways of going back need. */
static tn_status check_range(const tn__writer *writer, uint64_t offset, size_t size)
{
    if (writer->failed)
        return fail_earlier();
    if (!tn__writer_goes_back(writer))
        return tn__fail(TN_INVALID_ARGUMENT, "this output cannot be written out of order");
    if (offset > writer->size || size > writer->size - offset)
        return tn__fail(TN_INTERNAL, "%zu bytes at %llu: only %llu were written", size,
                        (unsigned long long)offset, (unsigned long long)writer->size);
    return TN_OK;
}

tn_status tn__write_at(tn__writer *writer, uint64_t offset, const void *data, size_t size)
{
    TN_TRY(check_range(writer, offset, size));
    if (size == 0)
        return TN_OK;
    tn_status status = writer->calls->write_at(writer->self, offset, data, size);
    writer->failed = status != TN_OK;
    return status;
}

tn_status tn__writer_read_at(tn__writer *writer, uint64_t offset, void *data, size_t size)
{
    TN_TRY(check_range(writer, offset, size));
    if (size == 0)
        return TN_OK;
    tn_status status = writer->calls->read_at(writer->self, offset, data, size);
    writer->failed = status != TN_OK;
    return status;
}

bool tn__writer_goes_back(const tn__writer *writer)
{
    return writer->calls->write_at != NULL;
}

uint64_t tn__writer_size(const tn__writer *writer)
{
    return writer->size;
}

tn_status tn__writer_commit(tn__writer *writer)
{
    if (writer->failed) {
        tn__writer_abort(writer);
        return fail_earlier();
    }
    tn_status status = writer->calls->commit(writer->self);
    tn__free(writer);
    return status;
}

void tn__writer_abort(tn__writer *writer)
{
    if (!writer)
        return;
    writer->calls->abort(writer->self);
    tn__free(writer);
}

tn_status tn__writer_end(tn__writer *writer, tn_status status)
{
    if (status == TN_OK)
        return tn__writer_commit(writer);
    tn__writer_abort(writer);
    return status;
}

tn_status tn__file_write(const char *path, bool sync, const void *data, size_t size)
{
    tn__writer *out;
    TN_TRY(tn__writer_open(path, sync, &out));
    return tn__writer_end(out, tn__write(out, data, size));
}

/* --- into memory ----------------------------------------------------------------------------- */
typedef struct {
    tn__bytes bytes, *target;
} memory_output;

static tn_status memory_write(void *self, const void *data, size_t size)
{
    return tn__bytes_append(&((memory_output *)self)->bytes, data, size);
}

static tn_status memory_write_at(void *self, uint64_t offset, const void *data, size_t size)
{
    memcpy(((memory_output *)self)->bytes.data + offset, data, size);
    return TN_OK;
}

static tn_status memory_read_at(void *self, uint64_t offset, void *data, size_t size)
{
    memcpy(data, ((memory_output *)self)->bytes.data + offset, size);
    return TN_OK;
}

static tn_status memory_commit(void *self)
{
    memory_output *memory = self;
    *memory->target = memory->bytes;
    tn__free(memory);
    return TN_OK;
}

static void memory_abort(void *self)
{
    tn__bytes_free(&((memory_output *)self)->bytes);
    tn__free(self);
}

static const tn__writer_calls memory_calls = { memory_write, memory_write_at, memory_read_at,
                                               memory_commit, memory_abort };

tn_status tn__writer_to_memory(tn__bytes *target, tn__writer **writer)
{
    *writer = NULL;
    memory_output *memory = tn__alloc(sizeof *memory);
    if (!memory)
        return TN_RESOURCE_EXHAUSTED;
    *memory = (memory_output){ { 0 }, target };
    tn_status status = tn__writer_over(&memory_calls, memory, writer);
    if (status != TN_OK)
        memory_abort(memory);
    return status;
}

/* --- into a file, or to standard output ------------------------------------------------------ */
typedef struct {
    int fd;
    bool sync;
    char *path;
    tn__beside beside; /* its path is NULL: standard output, or already renamed */
    bool placed;       /* before the commit; what is beside is the old file then */
    bool added;        /* there was none */
    uint64_t flushed;
    bool settled;     /* nothing was written since the last sync */
    tn__bytes buffer; /* what stands behind `flushed` and is not yet written */
} file_output;

static bool exchange(const file_output *file)
{
    return renameat2(AT_FDCWD, file->beside.path, AT_FDCWD, file->path, RENAME_EXCHANGE) == 0;
}

static void take_back(const file_output *file)
{
    if (file->beside.path)
        (void)!exchange(file);
    else if (file->added)
        unlink(file->path);
}

static void file_abort(void *self)
{
    file_output *file = self;
    if (file->placed)
        take_back(file);
    if (file->beside.path)
        unlink(file->beside.path);
    tn__beside_release(&file->beside);
    tn__bytes_free(&file->buffer);
    tn__free(file->path);
    tn__free(file);
}

/* What is not to be waited for: a file system that has not yet found its blocks a place sends all of them to the disk when
 * the file is renamed over another. One that cannot do this does without, and a full one says so when it is written to. */
static void find_place(const file_output *file, size_t size)
{
    if (file->beside.path && !file->sync)
        (void)!fallocate(file->fd, FALLOC_FL_KEEP_SIZE, (off_t)file->flushed, (off_t)size);
}

static tn_status write_out(file_output *file, const uint8_t *data, size_t size)
{
    if (size > 0)
        find_place(file, size);
    while (size > 0) {
        ssize_t done = write(file->fd, data, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return tn__fail_errno("Unable to write", file->path);
        data += done;
        size -= (size_t)done;
        file->flushed += (uint64_t)done;
    }
    return TN_OK;
}

static tn_status flush(file_output *file)
{
    tn_status status = write_out(file, file->buffer.data, file->buffer.size);
    file->buffer.size = 0;
    return status;
}

static tn_status file_write(void *self, const void *data, size_t size)
{
    file_output *file = self;
    file->settled = false;
    if (size > WRITE_BUFFER - file->buffer.size)
        TN_TRY(flush(file));
    if (size >= WRITE_BUFFER)
        return write_out(file, data, size);
    return tn__bytes_append(&file->buffer, data, size);
}

/* Small formats go back to a header that has not left the buffer: no system call then. */
static tn_status file_write_at(void *self, uint64_t offset, const void *data, size_t size)
{
    file_output *file = self;
    file->settled = false;
    if (offset >= file->flushed) {
        memcpy(file->buffer.data + (offset - file->flushed), data, size);
        return TN_OK;
    }
    TN_TRY(flush(file));
    const uint8_t *at = data;
    while (size > 0) {
        ssize_t done = pwrite(file->fd, at, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return tn__fail_errno("Unable to write", file->path);
        at += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return TN_OK;
}

static tn_status file_read_at(void *self, uint64_t offset, void *data, size_t size)
{
    file_output *file = self;
    if (offset >= file->flushed) {
        memcpy(data, file->buffer.data + (offset - file->flushed), size);
        return TN_OK;
    }
    TN_TRY(flush(file));
    uint8_t *at = data;
    while (size > 0) {
        ssize_t done = pread(file->fd, at, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return tn__fail_errno("Unable to read back", file->path);
        if (done == 0)
            return tn__fail(TN_DATA_LOSS, "'%s' was cut short while it was written", file->path);
        at += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return TN_OK;
}

/* Some file systems cannot sync; that is no reason to refuse a save. */
static bool synced(int fd)
{
    return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
}

/* A rename is only durable once its folder is synced. The new file is in its place by now, so this
 * is no reason to call the save a failure. */
static void sync_folder(const file_output *file, int folder)
{
    if (folder < 0)
        return;
    if (!synced(folder))
        tn__warn(
            "'%s' is saved, but its folder could not be synced (%s): after a power failure the "
            "old file may be there again",
            file->path, strerror(errno));
    close(folder);
}

/* Some file systems tell only on closing that a write failed. The file itself stays open: its lock
 * says that somebody is writing it. */
static tn_status check_closing(const file_output *file)
{
    int copy = dup(file->fd);
    if (copy < 0 || close(copy) != 0)
        return tn__fail_errno("Unable to close", file->path);
    return TN_OK;
}

static tn_status replace_target(file_output *file)
{
    if (rename(file->beside.path, file->path) != 0)
        return tn__fail_errno("Unable to replace", file->path);
    tn__beside_release(&file->beside);
    return TN_OK;
}

static tn_status file_settle(void *self)
{
    file_output *file = self;
    TN_TRY(flush(file));
    if (!file->beside.path || !file->sync || file->settled)
        return TN_OK;
    if (!synced(file->fd))
        return tn__fail_errno("Unable to sync", file->path);
    file->settled = true;
    return TN_OK;
}

/* A rename over a file frees it, which takes its time; an exchange does not. */
static tn_status file_place(file_output *file)
{
    TN_TRY(file_settle(file));
    if (!file->beside.path)
        return TN_OK;
    TN_TRY(check_closing(file));
    if (!exchange(file)) {
        file->added = access(file->path, F_OK) != 0;
        TN_TRY(replace_target(file));
    }
    file->placed = true;
    return TN_OK;
}

static tn_status finish(file_output *file)
{
    int folder = -1;
    TN_TRY(file_settle(file));
    if (!file->beside.path || file->placed) {
        file->placed = false; /* it stays there */
        return TN_OK;
    }
    TN_TRY(check_closing(file));
    if (file->sync)
        TN_TRY(tn__path_open_folder(file->path, &folder));
    tn_status status = replace_target(file);
    sync_folder(file, folder);
    return status;
}

static tn_status file_commit(void *self)
{
    tn_status status = finish(self);
    file_abort(self);
    return status;
}

static const tn__writer_calls file_calls = { file_write, file_write_at, file_read_at, file_commit,
                                             file_abort };
static const tn__writer_calls stream_calls = { file_write, NULL, NULL, file_commit, file_abort };

tn_status tn__writer_settle(tn__writer *writer)
{
    if (writer->failed)
        return fail_earlier();
    tn_status status = writer->calls == &file_calls ? file_settle(writer->self) : TN_OK;
    writer->failed = status != TN_OK;
    return status;
}

tn_status tn__writer_place(tn__writer *writer)
{
    if (writer->failed)
        return fail_earlier();
    tn_status status = writer->calls == &file_calls ? file_place(writer->self) : TN_OK;
    writer->failed = status != TN_OK;
    return status;
}

/* --- the file beside ------------------------------------------------------------------------- */
/* What earlier saves of this target left when they were stopped; where that fails it stays. */
static void remove_leftover(int folder, const char *name, const char *target)
{
    (void)target;
    int fd = tn__beside_take(folder, name, false);
    if (fd < 0)
        return;
    unlinkat(folder, name, 0);
    close(fd);
}

/* `given` is what the caller said: a link in /proc leads somewhere though its text does not. */
static tn_status open_beside(file_output *file, const char *given)
{
    struct stat info;
    bool there = stat(given, &info) == 0;
    if (there && S_ISDIR(info.st_mode))
        return tn__fail(TN_FAILED_PRECONDITION, "Unable to write '%s': it is a folder", given);
    if (there && !S_ISREG(info.st_mode))
        return tn__fail(TN_FAILED_PRECONDITION, "Unable to write '%s': it is not a regular file",
                        given);
    if (there && faccessat(AT_FDCWD, given, W_OK, AT_EACCESS) != 0) /* a rename would replace it */
        return tn__fail_errno("Unable to write", given);
    TN_TRY(tn__path_resolve(given, &file->path));
    TN_TRY(tn__beside_list(file->path, ".part", remove_leftover));
    TN_TRY(tn__beside_make(file->path, false, there ? 0600 : 0666, &file->beside));
    file->fd = file->beside.fd;
    if (there) {
        (void)!fchown(file->fd, info.st_uid, info.st_gid); /* only a privileged process may */
        (void)!fchmod(file->fd, info.st_mode & 07777);
    }
    return TN_OK;
}

static tn_status open_stream(file_output *file)
{
    file->path = tn__strdup("standard output");
    file->fd = STDOUT_FILENO;
    return file->path ? TN_OK : TN_RESOURCE_EXHAUSTED;
}

tn_status tn__writer_open(const char *path, bool sync, tn__writer **writer)
{
    *writer = NULL;
    file_output *file = tn__alloc_zeroed(1, sizeof *file);
    if (!file)
        return TN_RESOURCE_EXHAUSTED;
    file->beside.fd = -1;
    file->sync = sync;
    bool stream = is_standard(path);
    tn_status status = stream ? open_stream(file) : open_beside(file, path);
    if (status == TN_OK)
        status = tn__writer_over(stream ? &stream_calls : &file_calls, file, writer);
    if (status != TN_OK)
        file_abort(file);
    return status;
}
