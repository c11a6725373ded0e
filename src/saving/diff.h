/* diff.h - two files side by side, as one JSON object (files.h lists its keys): found, then said as
 * text. */
#ifndef TN_SAVING_DIFF_H
#define TN_SAVING_DIFF_H
#include "saving/named.h"

/* One of the two: a path, or bytes; limit: as for tn__source_open(). */
typedef struct {
    const char *path;
    tn__span data;
    uint64_t limit;
} tn__diff_file;
/* In *report, the caller's. Fails when one of the two cannot be read. */
tn_status tn__diff(tn_context *context, const tn__diff_file *a, const tn__diff_file *b,
                   double tolerance, json_t **report);
void tn__diff_text(const json_t *report, tn__text *text);

/* --- between the files ------------------------------------------------------------------------ */
/* Appends what differs in two models' configs to `list`: layer, key, a, b (diff_config.c). */
tn_status tn__diff_configs(const json_t *a, const json_t *b, json_t *list);
/* The same of what they were compiled with, as a layer called "(compiled)". */
tn_status tn__diff_compiled(const json_t *a, const json_t *b, json_t *list);

#endif
