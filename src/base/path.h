/* path.h - what files and folders share that are written beside their target and then renamed. */
#ifndef TN_BASE_PATH_H
#define TN_BASE_PATH_H
#include "base/status.h"
#include <stddef.h>

/* "<what> '<path>': <errno's text>", of the kind that errno is. */
tn_status tn__fail_errno(const char *what, const char *path);
/* The length of the folder's part of a path, its last slash included. */
size_t tn__path_folder_length(const char *path);
/* The folder that a path lies in, opened before the rename, after which nothing may fail any more.
 * -1, and that is no error, where a folder may be written but not read. */
tn_status tn__path_open_folder(const char *path, int *fd);
/* Follows a symbolic link, whether or not what it names is there, so that saving through a link
 * keeps the link. Only the last part matters: links among the folders stay as they are. The caller
 * frees *resolved, whether it succeeds or not. */
tn_status tn__path_resolve(const char *path, char **resolved);

#endif
