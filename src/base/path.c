/* path.c */
#include "base/path.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { LINKS = 40 };

static tn_status status_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return TN_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return TN_PERMISSION_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return TN_RESOURCE_EXHAUSTED;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
        return TN_INVALID_ARGUMENT;
    case EISDIR:
    case ENOTDIR:
    case EBUSY:
    case EPIPE:
        return TN_FAILED_PRECONDITION;
    default:
        return TN_UNKNOWN;
    }
}

tn_status tn__fail_errno(const char *what, const char *path)
{
    int error = errno;
    return tn__fail(status_of(error), "%s '%s': %s", what, path, strerror(error));
}

size_t tn__path_folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

tn_status tn__path_open_folder(const char *path, int *fd)
{
    size_t length = tn__path_folder_length(path);
    char *folder = length ? tn__strndup(path, length) : tn__strdup(".");
    if (!folder)
        return TN_RESOURCE_EXHAUSTED;
    *fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    tn__free(folder);
    return TN_OK;
}

tn_status tn__path_resolve(const char *path, char **resolved)
{
    char link[PATH_MAX];
    *resolved = tn__strdup(path);
    for (int links = 0; *resolved && links < LINKS; links++) {
        ssize_t length = readlink(*resolved, link, sizeof link);
        if (length < 0 || length == (ssize_t)sizeof link)
            return TN_OK;
        int folder = link[0] == '/' ? 0 : (int)tn__path_folder_length(*resolved);
        char *next = tn__print("%.*s%.*s", folder, *resolved, (int)length, link);
        tn__free(*resolved);
        *resolved = next;
    }
    if (!*resolved)
        return TN_RESOURCE_EXHAUSTED;
    errno = ELOOP;
    return tn__fail_errno("Unable to write", path);
}
