/* beside.h - files and folders that are written beside their target, under a name of their own,
 * before they take its place. Whoever writes one holds its lock; so what nobody holds is left of a
 * process that was killed, and may go. */
#ifndef TN_BASE_BESIDE_H
#define TN_BASE_BESIDE_H
#include "base/status.h"
#include <stdbool.h>
#include <sys/types.h>

typedef struct {
    char *path; /* "<target>.<8 hexadecimal digits>.part"; of a long name only the beginning */
    int fd;     /* holds the lock */
} tn__beside;
/* A new, empty file or folder; the mode is what the process's mask leaves of it. */
tn_status tn__beside_make(const char *target, bool folder, mode_t mode, tn__beside *beside);
/* Gives up the lock and the name. What is made stays. */
void tn__beside_release(tn__beside *beside);

/* Calls visit for each entry "<target>.<8 hexadecimal digits><end>" of the target's folder, which
 * is open as `folder`; for none where that cannot be read. */
typedef void tn__beside_visit(int folder, const char *name, const char *target);
tn_status tn__beside_list(const char *target, const char *end, tn__beside_visit *visit);
/* Opens what somebody may be writing, and takes its lock; -1 when it is held, or is of the other
 * kind. The caller closes it. */
int tn__beside_take(int folder, const char *name, bool is_folder);

#endif
