/* doctor_text.c - the report of doctor.c for people. */
#include "saving/doctor.h"
#include "nn/config.h"
#include "saving/inspect.h"

static void add_head(tn__text *text, const json_t *report)
{
    const json_t *model = json_object_get(report, "model");
    const char *class = tn__json_text(model, "class"), *name = tn__json_text(model, "name");
    tn__inspect_words(text, "", tn__json_text(report, "file"), "");
    if (class)
        tn__inspect_words(text, ": ", class, "");
    if (class && name)
        tn__inspect_words(text, " '", name, "'");
    const char *version = tn__json_text(report, "keras_version");
    if (version)
        tn__inspect_words(text, ", of Keras ", version, "");
    if (tn__json_text(report, "weights"))
        tn__inspect_words(text, ", with the weights of ", tn__json_text(report, "weights"), "");
    tn__text_add(text, "\n");
}

static void add_variables(tn__text *text, const json_t *variables)
{
    size_t i;
    const json_t *variable;
    if (json_array_size(variables) > 0)
        tn__text_add(text, "variables:\n");
    json_array_foreach(variables, i, variable)
    {
        const json_t *owner = json_object_get(variable, "owner");
        tn__inspect_words(text, "  ", tn__json_text(variable, "name"), " ");
        tn__text_add(text, "%s ", tn__json_text(variable, "dtype"));
        tn__inspect_shape(text, json_object_get(variable, "shape"));
        if (json_is_object(owner)) {
            tn__inspect_words(text, " of ", tn__json_text(owner, "class"), "");
            tn__inspect_words(text, " '", tn__json_text(owner, "layer"), "'");
        }
        tn__text_add(text, "\n");
    }
}

static void add_finding(tn__text *text, const json_t *finding, size_t number)
{
    tn__text_add(text, "%zu. %s: ", number, tn__json_text(finding, "kind"));
    tn__inspect_words(text, "", tn__json_text(finding, "message"), "\n");
    tn__inspect_words(text, "   rule: ", tn__json_text(finding, "rule"), "\n");
    tn__inspect_words(text, "   mend: ", tn__json_text(finding, "mend"), "\n");
}

static void add_findings(tn__text *text, const json_t *findings)
{
    size_t i, count = json_array_size(findings);
    const json_t *finding;
    json_array_foreach(findings, i, finding) add_finding(text, finding, i + 1);
    if (count)
        tn__text_add(text, "%zu finding%s\n", count, count == 1 ? "" : "s");
    else
        tn__text_add(text, "nothing found\n");
}

static void add_fix(tn__text *text, const json_t *fix)
{
    size_t i;
    const json_t *line;
    const char *refused = tn__json_text(fix, "refused");
    if (!json_is_object(fix))
        return;
    if (refused) {
        tn__inspect_words(text, "not mended: ", refused, "\n");
        return;
    }
    json_array_foreach(json_object_get(fix, "done"), i, line)
        tn__inspect_words(text, "mended: ", json_string_value(line), "\n");
    tn__inspect_words(text, "saved ", tn__json_text(fix, "path"), "\n");
    const json_t *left = json_object_get(fix, "left");
    if (json_array_size(left) > 0)
        tn__text_add(text, "still there:\n");
    json_array_foreach(left, i, line) add_finding(text, line, i + 1);
}

void tn__doctor_text(const json_t *report, tn__text *text)
{
    size_t i;
    const json_t *note;
    add_head(text, report);
    add_variables(text, json_object_get(report, "variables"));
    json_array_foreach(json_object_get(report, "notes"), i, note)
        tn__inspect_words(text, "note: ", json_string_value(note), "\n");
    add_findings(text, json_object_get(report, "findings"));
    add_fix(text, json_object_get(report, "fix"));
}
