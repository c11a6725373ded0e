/* beside.c */
#include "base/beside.h"
#include "base/path.h"
#include "base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_KEPT = 200, DIGITS = 8, ATTEMPTS = 100 };

/* --- names ------------------------------------------------------------------------------------ */
/* So much of the path is in the name beside: there must be room for the ending. */
static size_t kept_length(const char *path)
{
    size_t folder = tn__path_folder_length(path), name = strlen(path + folder);
    return folder + (name < NAME_KEPT ? name : NAME_KEPT);
}

/* Another one for each attempt. */
static char *name_beside(const char *target, uint32_t attempt)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint32_t mark = ((uint32_t)now.tv_nsec + attempt) * 2654435761u ^ (uint32_t)getpid();
    return tn__print("%.*s.%08x.part", (int)kept_length(target), target, mark);
}

static bool is_beside(const char *name, const char *kept, size_t length, const char *end)
{
    return strncmp(name, kept, length) == 0 && name[length] == '.' &&
           strspn(name + length + 1, "0123456789abcdef") == DIGITS &&
           strcmp(name + length + 1 + DIGITS, end) == 0;
}

/* --- making ----------------------------------------------------------------------------------- */
/* One that was taken for a leftover before it was opened is like a name that was there. */
static int make_folder(const char *path, mode_t mode)
{
    if (mkdir(path, mode) != 0)
        return -1;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        int error = errno;
        rmdir(path);
        errno = error == ENOENT ? EEXIST : error;
    }
    return fd;
}

/* Not mkstemp: its files are private, and the process's mask, which a new file should follow,
 * cannot be asked without changing it under other threads' feet. */
static int make_file(const char *path, mode_t mode)
{
    return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
}

/* Locks what was just made. False when it was taken for a leftover in the moment between. */
static bool lock_new(const tn__beside *made)
{
    struct stat here, named;
    if (flock(made->fd, LOCK_EX | LOCK_NB) != 0)
        return errno != EWOULDBLOCK; /* a file system without locks */
    return fstat(made->fd, &here) == 0 && lstat(made->path, &named) == 0 &&
           here.st_dev == named.st_dev && here.st_ino == named.st_ino;
}

void tn__beside_release(tn__beside *beside)
{
    if (beside->fd >= 0)
        close(beside->fd);
    tn__free(beside->path);
    *beside = (tn__beside){ NULL, -1 };
}

static tn_status fail_make(const char *target)
{
    size_t folder = tn__path_folder_length(target);
    if (errno == ENOENT && folder)
        return tn__fail(TN_NOT_FOUND, "Unable to write '%s': there is no folder '%.*s'", target,
                        (int)folder, target);
    return tn__fail_errno("Unable to write", target);
}

tn_status tn__beside_make(const char *target, bool folder, mode_t mode, tn__beside *beside)
{
    *beside = (tn__beside){ NULL, -1 };
    for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        beside->path = name_beside(target, attempt);
        if (!beside->path)
            return TN_RESOURCE_EXHAUSTED;
        beside->fd = folder ? make_folder(beside->path, mode) : make_file(beside->path, mode);
        if (beside->fd >= 0 && lock_new(beside))
            return TN_OK;
        int error = beside->fd >= 0 ? EEXIST : errno;
        tn__beside_release(beside);
        errno = error;
        if (error != EEXIST)
            break;
    }
    return fail_make(target);
}

/* --- what is there ---------------------------------------------------------------------------- */
tn_status tn__beside_list(const char *target, const char *end, tn__beside_visit *visit)
{
    int folder;
    TN_TRY(tn__path_open_folder(target, &folder));
    DIR *entries = folder >= 0 ? fdopendir(folder) : NULL;
    size_t start = tn__path_folder_length(target), length = kept_length(target) - start;
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (is_beside(entry->d_name, target + start, length, end))
            visit(folder, entry->d_name, target + start);
    if (entries)
        closedir(entries);
    else if (folder >= 0)
        close(folder);
    return TN_OK;
}

int tn__beside_take(int folder, const char *name, bool is_folder)
{
    struct stat info;
    int fd =
        openat(folder, name,
               O_NOFOLLOW | O_CLOEXEC | (is_folder ? O_RDONLY | O_DIRECTORY : O_RDWR | O_NONBLOCK));
    if (fd < 0)
        return -1;
    if (fstat(fd, &info) == 0 && (is_folder || S_ISREG(info.st_mode)) &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close(fd);
    return -1;
}
