/* folder.h - writing a folder of files so that the target is the old folder or the new one. */
#ifndef TN_BASE_FOLDER_H
#define TN_BASE_FOLDER_H
#include "base/status.h"
#include <stdbool.h>

/* A new, empty folder beside the target, "<target>.<8 hex digits>.part". A target that is there
 * must be a folder in which everything is called like one of `names` (NULL at the end): nothing is
 * replaced that is something else. A symbolic link is followed, and its target replaced. */
typedef struct {
    char *path, *beside;
} tn__folder;
tn_status tn__folder_begin(const char *path, const char *const *names, tn__folder *folder);
/* A folder in the new one. */
tn_status tn__folder_add(const tn__folder *folder, const char *name);
/* The path of a file in the new one; the caller frees it. */
char *tn__folder_file(const tn__folder *folder, const char *name);
/* Puts it in place. Where the file system can exchange two names there is no moment without a
 * target; then the old folder is removed. Frees, whether it succeeds or not. */
tn_status tn__folder_commit(tn__folder *folder, bool sync);
void tn__folder_abort(tn__folder *folder); /* all zero is allowed */

#endif
