/* folder.h - writing a folder of files so that the target is the old folder or the new one. */
#ifndef TN_BASE_FOLDER_H
#define TN_BASE_FOLDER_H
#include "base/beside.h"

/* A new, empty folder beside the target, "<target>.<8 hex digits>.part". A target that is there
 * must be a folder in which everything is called like one of `names` (NULL at the end): nothing is
 * replaced that is something else. A symbolic link is followed, and its target replaced. What a
 * process that was killed left beside is removed; an old folder that was put away but not replaced
 * is put back first. */
typedef struct {
    char *path;
    tn__beside beside; /* its path is NULL when there is none */
} tn__folder;
tn_status tn__folder_begin(const char *path, const char *const *names, tn__folder *folder);
/* A folder in the new one. */
tn_status tn__folder_add(const tn__folder *folder, const char *name);
/* The path of a file in the new one; the caller frees it. */
char *tn__folder_file(const tn__folder *folder, const char *name);
/* Puts it in place. Where the file system can exchange two names there is no moment without a
 * target; where it cannot, the old folder is "<target>.<8 hex digits>.part.old" for one. Then the
 * old folder is removed. Frees, whether it succeeds or not. */
tn_status tn__folder_commit(tn__folder *folder, bool sync);
void tn__folder_abort(tn__folder *folder);

#endif
