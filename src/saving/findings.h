/* findings.h - one report, given away as JSON or as text. */
#ifndef TN_SAVING_FINDINGS_H
#define TN_SAVING_FINDINGS_H
#include "base/text.h"
#include "tenon/files.h"
#include <jansson.h>

/* Takes the report over. Text of the innermost scope; NULL and an error. */
const char *tn__report_text(json_t *report, bool json,
                            void (*say)(const json_t *report, tn__text *text));
/* The same, and the number of findings. key: of that in the report. */
tn_findings tn__findings(json_t *report, const char *key, bool json,
                         void (*say)(const json_t *report, tn__text *text));

#endif
