/* json.h - JSON as files have it. */
#ifndef TN_SAVING_JSON_H
#define TN_SAVING_JSON_H
#include "base/span.h"
#include <jansson.h>

/* As Python's json.dumps writes it: the same spaces, escapes and numbers (1e-07, 0.1, Infinity). The
 * caller frees it; NULL and an error. */
char *tn__json_dump(const json_t *json);
/* A text in a report: "?" for one that is no UTF-8, or none. NULL without memory, as jansson. */
json_t *tn__json_shown(const char *text);
/* An object out of a file; `what` names it in messages. The caller owns the reference; an error
 * leaves NULL. */
tn_status tn__json_parse(tn__span text, const char *what, json_t **json);

#endif
