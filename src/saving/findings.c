/* findings.c */
#include "saving/findings.h"
#include "core/context.h"
#include <stdlib.h>

static void add_json(const json_t *report, tn__text *text)
{
    char *json = json_dumps(report, JSON_INDENT(1));
    tn__text_add(text, "%s\n", json ? json : "");
    text->failed |= !json;
    free(json);
}

const char *tn__report_text(json_t *report, bool json,
                            void (*say)(const json_t *report, tn__text *text))
{
    tn__text text = { 0 };
    (json ? add_json : say)(report, &text);
    json_decref(report);
    const char *said = text.failed ? NULL : tn__scope_strdup(tn__text_get(&text));
    tn__text_free(&text);
    if (!said)
        tn__fail_memory(0);
    return said;
}

tn_findings tn__findings(json_t *report, const char *key, bool json,
                         void (*say)(const json_t *report, tn__text *text))
{
    size_t count = (size_t)json_integer_value(json_object_get(report, key));
    const char *said = tn__report_text(report, json, say);
    return (tn_findings){ said, said ? count : 0 };
}
