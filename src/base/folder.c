/* folder.c */
#include "base/folder.h"
#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEEPEST = 8 }; /* folders within folders that are removed */

/* --- removing --------------------------------------------------------------------------------- */
static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Links are removed and not followed. */
static void remove_in(int parent, const char *name, int depth)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (!is_dots(entry->d_name) && unlinkat(fd, entry->d_name, 0) != 0 && depth < DEEPEST)
            remove_in(fd, entry->d_name, depth + 1);
    if (entries)
        closedir(entries);
    else if (fd >= 0)
        close(fd);
    (void)!unlinkat(parent, name, AT_REMOVEDIR);
}

/* --- what was left ---------------------------------------------------------------------------- */
static void remove_leftover(int parent, const char *name, const char *target)
{
    (void)target;
    int fd = tn__beside_take(parent, name, true);
    if (fd < 0)
        return;
    remove_in(parent, name, 0);
    close(fd);
}

/* Between two renames a process was killed: the old folder is back, unless the new one got there.
 * Of a long name only the beginning is known, so that one stays. */
static void put_back(int parent, const char *name, const char *target)
{
    int fd = strncmp(name, target, strlen(target)) == 0 ? tn__beside_take(parent, name, true) : -1;
    if (fd < 0)
        return;
    if (faccessat(parent, target, F_OK, 0) == 0)
        remove_in(parent, name, 0);
    else
        (void)!renameat(parent, name, parent, target);
    close(fd);
}

static tn_status clear_up(const char *target)
{
    TN_TRY(tn__beside_list(target, ".part.old", put_back));
    return tn__beside_list(target, ".part", remove_leftover);
}

/* --- beginning -------------------------------------------------------------------------------- */
static bool is_among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static tn_status check_entries(const char *path, DIR *entries, const char *const *names)
{
    for (struct dirent *entry; (entry = readdir(entries));)
        if (!is_dots(entry->d_name) && !is_among(entry->d_name, names))
            return tn__fail(TN_FAILED_PRECONDITION,
                            "Unable to write '%s': the folder is there and has '%s' in it, which "
                            "would be lost",
                            path, entry->d_name);
    return TN_OK;
}

static tn_status check_target(const char *path, const char *const *names)
{
    tn__path_kind kind = tn__path_kind_of(path);
    if (kind == TN__PATH_NONE)
        return TN_OK;
    if (kind != TN__PATH_FOLDER)
        return tn__fail(TN_FAILED_PRECONDITION, "Unable to write '%s': it is not a folder", path);
    DIR *entries = opendir(path);
    if (!entries || faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0) {
        tn_status status = tn__fail_errno("Unable to write", path);
        if (entries)
            closedir(entries);
        return status;
    }
    tn_status status = check_entries(path, entries, names);
    closedir(entries);
    return status;
}

/* What is to be replaced: without slashes at its end, which a name beside cannot have, and not a
 * link to it. */
static tn_status find_target(const char *path, char **target)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    char *plain = tn__strndup(path, length);
    tn_status status = plain ? tn__path_resolve(plain, target) : TN_RESOURCE_EXHAUSTED;
    tn__free(plain);
    return status;
}

tn_status tn__folder_begin(const char *path, const char *const *names, tn__folder *folder)
{
    *folder = (tn__folder){ NULL, { NULL, -1 } };
    tn_status status = find_target(path, &folder->path);
    if (status == TN_OK)
        status = clear_up(folder->path);
    if (status == TN_OK)
        status = check_target(path, names);
    if (status == TN_OK)
        status = tn__beside_make(folder->path, true, 0777, &folder->beside);
    if (status != TN_OK)
        tn__folder_abort(folder);
    return status;
}

char *tn__folder_file(const tn__folder *folder, const char *name)
{
    return tn__print("%s/%s", folder->beside.path, name);
}

tn_status tn__folder_add(const tn__folder *folder, const char *name)
{
    char *path = tn__folder_file(folder, name);
    if (!path)
        return TN_RESOURCE_EXHAUSTED;
    tn_status status = mkdir(path, 0777) == 0 ? TN_OK : tn__fail_errno("Unable to write", path);
    tn__free(path);
    return status;
}

/* --- ending ----------------------------------------------------------------------------------- */
/* Three renames; the old folder has a name of its own in between, by which it is known. */
static tn_status exchange_by_steps(const tn__folder *folder, const char *old)
{
    if (rename(folder->path, old) != 0)
        return tn__fail_errno("Unable to replace", folder->path);
    if (rename(folder->beside.path, folder->path) != 0) {
        tn_status status = tn__fail_errno("Unable to replace", folder->path);
        (void)!rename(old, folder->path);
        return status;
    }
    if (rename(old, folder->beside.path) != 0)
        remove_in(AT_FDCWD, old, 0);
    return TN_OK;
}

/* Two names for each other at once; where that cannot be done, one after the other, with the old
 * folder locked as the new one is. */
static tn_status exchange(const tn__folder *folder)
{
    if (renameat2(AT_FDCWD, folder->beside.path, AT_FDCWD, folder->path, RENAME_EXCHANGE) == 0)
        return TN_OK;
    char *old = tn__print("%s.old", folder->beside.path);
    if (!old)
        return TN_RESOURCE_EXHAUSTED;
    int held = tn__beside_take(AT_FDCWD, folder->path, true);
    tn_status status = exchange_by_steps(folder, old);
    if (held >= 0)
        close(held);
    tn__free(old);
    return status;
}

static tn_status put_in_place(const tn__folder *folder, bool there)
{
    if (there)
        return exchange(folder);
    return rename(folder->beside.path, folder->path) == 0
               ? TN_OK
               : tn__fail_errno("Unable to write", folder->path);
}

tn_status tn__folder_commit(tn__folder *folder, bool sync)
{
    int parent = -1;
    bool there = tn__path_kind_of(folder->path) == TN__PATH_FOLDER;
    tn_status status = sync ? tn__path_open_folder(folder->path, &parent) : TN_OK;
    if (status == TN_OK)
        status = put_in_place(folder, there);
    if (parent >= 0) {
        (void)!fsync(parent);
        close(parent);
    }
    if (status == TN_OK && !there)
        tn__beside_release(&folder->beside);
    tn__folder_abort(folder); /* what is beside now is the old one, or what failed */
    return status;
}

void tn__folder_abort(tn__folder *folder)
{
    if (folder->beside.path)
        remove_in(AT_FDCWD, folder->beside.path, 0);
    tn__beside_release(&folder->beside);
    tn__free(folder->path);
    folder->path = NULL;
}
