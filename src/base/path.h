/* path.h - what files and folders share that are written beside their target and then renamed. */
#ifndef TN_BASE_PATH_H
#define TN_BASE_PATH_H
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

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
/* A name beside: "<name>.<8 hexadecimal digits>.part", other digits for each attempt; NULL and an
 * error when there is no memory. The caller frees it. */
char *tn__path_beside(const char *path, uint32_t attempt);
/* So much of the path is in that name: of a long one only the beginning. */
int tn__path_kept_length(const char *path);

#endif
