/* checkpoint.h - names of files with values in them. */
#ifndef TN_TRAIN_CHECKPOINT_H
#define TN_TRAIN_CHECKPOINT_H
#include "train/callback.h"

/* Python's str.format over names: {epoch} and {batch} (whole numbers; batch < 0: there is none) and
 * the keys of the logs, each with a format as in {epoch:02d} or {val_loss:.2f}; {{ and }} are
 * braces. The caller frees *path. */
tn_status tn__format_path(const char *pattern, int64_t epoch, int64_t batch, const tn_logs *logs,
                          char **path);

#endif
