/* findings.h - one report, given away as JSON or as text. */
#ifndef TN_SAVING_FINDINGS_H
#define TN_SAVING_FINDINGS_H
#include "base/text.h"
#include "tenon/files.h"
#include <jansson.h>

/* Takes the report over. key: of the number of findings in it. Text of the innermost scope. */
tn_findings tn__findings(json_t *report, const char *key, bool json,
                         void (*say)(const json_t *report, tn__text *text));

#endif
