/* file.c - reading, mapping, and saving that never leaves half a file. */
#include "base/file.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_BUFFER = 1 << 20 };

static tn_status fail_errno(const char *what, const char *path)
{
    int error = errno;
    tn_status status = error == ENOENT                       ? TN_NOT_FOUND
                       : error == EACCES || error == EROFS || error == EPERM ? TN_PERMISSION_DENIED
                       : error == ENOSPC || error == EDQUOT || error == EFBIG || error == ENOMEM
                           ? TN_RESOURCE_EXHAUSTED
                           : TN_UNKNOWN;
    return tn__fail(status, "%s '%s': %s", what, path, strerror(error));
}

tn__path_kind tn__path_kind_of(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return TN__PATH_NONE;
    return S_ISREG(info.st_mode) ? TN__PATH_FILE : S_ISDIR(info.st_mode) ? TN__PATH_FOLDER : TN__PATH_OTHER;
}

static tn_status read_all(int fd, const char *path, uint64_t limit, size_t expected, tn__bytes *bytes)
{
    TN_TRY(tn__bytes_reserve(bytes, expected + 1));
    for (;;) {
        if (bytes->size == bytes->capacity)
            TN_TRY(tn__bytes_reserve(bytes, bytes->size + WRITE_BUFFER));
        ssize_t got = read(fd, bytes->data + bytes->size, bytes->capacity - bytes->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno("Unable to read", path);
        if (got == 0)
            return TN_OK;
        bytes->size += (size_t)got;
        if (bytes->size > limit)
            return tn__fail(TN_RESOURCE_EXHAUSTED, "'%s' is longer than the limit of %llu bytes", path,
                            (unsigned long long)limit);
    }
}

static tn_status open_for_reading(const char *path, int *fd, struct stat *info)
{
    bool standard_input = strcmp(path, "-") == 0;
    *fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return fail_errno("Unable to open", path);
    if (fstat(*fd, info) != 0 || S_ISDIR(info->st_mode)) {
        if (S_ISDIR(info->st_mode))
            errno = EISDIR;
        tn_status status = fail_errno("Unable to open", path);
        if (!standard_input)
            close(*fd);
        return status;
    }
    return TN_OK;
}

tn_status tn__file_read(const char *path, uint64_t limit, tn__file *file)
{
    *file = (tn__file){ { NULL, 0 }, NULL };
    int fd;
    struct stat info;
    TN_TRY(open_for_reading(path, &fd, &info));
    tn__bytes bytes = { 0 };
    tn_status status = TN_OK;
    if (S_ISREG(info.st_mode) && (uint64_t)info.st_size > limit)
        status = tn__fail(TN_RESOURCE_EXHAUSTED, "'%s' has %lld bytes, the limit is %llu", path,
                          (long long)info.st_size, (unsigned long long)limit);
    if (status == TN_OK)
        status = read_all(fd, path, limit, S_ISREG(info.st_mode) ? (size_t)info.st_size : 0, &bytes);
    if (fd != STDIN_FILENO)
        close(fd);
    if (status != TN_OK) {
        tn__bytes_free(&bytes);
        return status;
    }
    file->span = tn__bytes_span(&bytes);
    return TN_OK;
}

tn_status tn__file_map(const char *path, tn__file *file)
{
    *file = (tn__file){ { NULL, 0 }, NULL };
    int fd;
    struct stat info;
    TN_TRY(open_for_reading(path, &fd, &info));
    tn_status status = TN_OK;
    void *mapping = NULL;
    if (info.st_size > 0) {
        mapping = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (mapping == MAP_FAILED)
            status = fail_errno("Unable to map", path);
    }
    if (fd != STDIN_FILENO)
        close(fd);
    if (status == TN_OK)
        *file = (tn__file){ { mapping, (size_t)info.st_size }, mapping };
    return status;
}

void tn__file_close(tn__file *file)
{
    if (file->mapping)
        munmap(file->mapping, file->span.size);
    else
        tn__free((void *)(uintptr_t)file->span.data);
    *file = (tn__file){ { NULL, 0 }, NULL };
}

/* --- writing ---------------------------------------------------------------------------------------------------------- */
struct tn__writer {
    int fd;             /* -1: into memory */
    bool sync, failed;
    char *path, *beside; /* beside NULL: standard output */
    uint64_t size;      /* bytes given to tn__write */
    tn__bytes buffer;   /* not yet written, or everything when into memory */
    tn__bytes *target;
};

static void writer_free(tn__writer *writer)
{
    tn__bytes_free(&writer->buffer);
    tn__free(writer->path);
    tn__free(writer->beside);
    tn__free(writer);
}

tn_status tn__writer_to_memory(tn__bytes *target, tn__writer **out)
{
    *out = NULL;
    tn__writer *writer = tn__alloc_zeroed(1, sizeof *writer);
    if (!writer)
        return TN_RESOURCE_EXHAUSTED;
    writer->fd = -1;
    writer->target = target;
    *out = writer;
    return TN_OK;
}

/* Follows a symbolic link to what it names, so that saving through a link keeps the link. */
static char *resolve(const char *path)
{
    char resolved[PATH_MAX];
    return tn__strdup(realpath(path, resolved) ? resolved : path);
}

static tn_status open_beside(tn__writer *writer)
{
    struct stat info;
    bool there = stat(writer->path, &info) == 0;
    if (there && S_ISDIR(info.st_mode))
        return tn__fail(TN_INVALID_ARGUMENT, "Unable to write '%s': it is a folder", writer->path);
    if (there && !S_ISREG(info.st_mode))
        return tn__fail(TN_INVALID_ARGUMENT, "Unable to write '%s': it is not a regular file", writer->path);
    writer->beside = tn__print("%s.XXXXXX", writer->path);
    if (!writer->beside)
        return TN_RESOURCE_EXHAUSTED;
    writer->fd = mkostemp(writer->beside, O_CLOEXEC);
    if (writer->fd < 0) {
        tn__free(writer->beside);
        writer->beside = NULL;
        return fail_errno("Unable to write", writer->path);
    }
    mode_t mask = umask(0);
    umask(mask);
    (void)!fchmod(writer->fd, there ? info.st_mode & 07777 : 0666 & ~mask);
    return TN_OK;
}

tn_status tn__writer_open(const char *path, bool sync, tn__writer **out)
{
    *out = NULL;
    tn__writer *writer = tn__alloc_zeroed(1, sizeof *writer);
    if (!writer)
        return TN_RESOURCE_EXHAUSTED;
    writer->fd = -1;
    writer->sync = sync;
    bool standard_output = strcmp(path, "-") == 0;
    writer->path = standard_output ? tn__strdup(path) : resolve(path);
    tn_status status = writer->path ? TN_OK : TN_RESOURCE_EXHAUSTED;
    if (status == TN_OK && standard_output)
        writer->fd = STDOUT_FILENO;
    else if (status == TN_OK)
        status = open_beside(writer);
    if (status != TN_OK) {
        writer_free(writer);
        return status;
    }
    *out = writer;
    return TN_OK;
}

static tn_status write_out(tn__writer *writer, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t done = write(writer->fd, data, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            writer->failed = true;
            return fail_errno("Unable to write", writer->path);
        }
        data += done;
        size -= (size_t)done;
    }
    return TN_OK;
}

static tn_status flush(tn__writer *writer)
{
    if (writer->fd < 0)
        return TN_OK;
    tn_status status = write_out(writer, writer->buffer.data, writer->buffer.size);
    writer->buffer.size = 0;
    return status;
}

tn_status tn__write(tn__writer *writer, const void *data, size_t size)
{
    writer->size += size;
    if (writer->fd < 0)
        return tn__bytes_append(&writer->buffer, data, size);
    if (writer->buffer.size + size > WRITE_BUFFER)
        TN_TRY(flush(writer));
    if (size >= WRITE_BUFFER)
        return write_out(writer, data, size);
    return tn__bytes_append(&writer->buffer, data, size);
}

tn_status tn__write_at(tn__writer *writer, uint64_t offset, const void *data, size_t size)
{
    if (offset > writer->size || size > writer->size - offset)
        return tn__fail(TN_INTERNAL, "write at %llu beyond the end", (unsigned long long)offset);
    if (writer->fd < 0) {
        memcpy(writer->buffer.data + offset, data, size);
        return TN_OK;
    }
    if (!writer->beside)
        return tn__fail(TN_INVALID_ARGUMENT, "this format cannot be written to standard output");
    TN_TRY(flush(writer));
    const uint8_t *at = data;
    while (size > 0) {
        ssize_t done = pwrite(writer->fd, at, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail_errno("Unable to write", writer->path);
        at += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return TN_OK;
}

uint64_t tn__writer_size(const tn__writer *writer)
{
    return writer->size;
}

/* A rename is only durable once its folder is synced. */
static tn_status sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return TN_OK; /* a folder that may be written but not read */
    int result = fsync(fd);
    close(fd);
    return result == 0 || errno == EINVAL ? TN_OK : fail_errno("Unable to sync the folder of", path);
}

static tn_status finish(tn__writer *writer)
{
    TN_TRY(flush(writer));
    if (writer->failed)
        return tn__fail(TN_UNKNOWN, "Unable to write '%s'", writer->path);
    if (!writer->beside)
        return TN_OK;
    if (writer->sync && fsync(writer->fd) != 0)
        return fail_errno("Unable to sync", writer->path);
    int fd = writer->fd;
    writer->fd = -1;
    if (close(fd) != 0)
        return fail_errno("Unable to close", writer->path);
    if (rename(writer->beside, writer->path) != 0)
        return fail_errno("Unable to replace", writer->path);
    tn__free(writer->beside);
    writer->beside = NULL;
    return writer->sync ? sync_folder(writer->path) : TN_OK;
}

tn_status tn__writer_commit(tn__writer *writer)
{
    if (writer->target) {
        *writer->target = writer->buffer;
        writer->buffer = (tn__bytes){ 0 };
        writer_free(writer);
        return TN_OK;
    }
    tn_status status = finish(writer);
    tn__writer_abort(writer);
    return status;
}

void tn__writer_abort(tn__writer *writer)
{
    if (!writer)
        return;
    if (writer->beside) {
        if (writer->fd >= 0)
            close(writer->fd);
        unlink(writer->beside);
    }
    writer_free(writer);
}
