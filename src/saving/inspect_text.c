/* inspect_text.c - the report of inspect.c for people. */
#include "nn/config.h"
#include "saving/inspect.h"
#include "show/metrics.h"
#include <string.h>

void tn__inspect_words(tn__text *text, const char *before, const char *words, const char *after)
{
    tn__text_add(text, "%s", before);
    for (; words && *words; words++)
        tn__text_add(text, "%c", (unsigned char)*words < ' ' || *words == 0x7f ? '?' : *words);
    tn__text_add(text, "%s", after);
}

static void add_line(tn__text *text, const json_t *report, const char *key)
{
    const char *value = tn__json_text(report, key);
    if (!value)
        return;
    tn__text_add(text, "%s", key);
    tn__inspect_words(text, ": ", value, "\n");
}

static void add_format(tn__text *text, const json_t *report)
{
    static const char *const names[][2] = {
        { "keras", "Keras archive (.keras)" },
        { "h5", "HDF5 (Keras's .h5)" },
        { "weights.h5", "HDF5 (Keras's .weights.h5)" },
        { "hdf5", "HDF5" },
        { "saved_model", "SavedModel (a folder of TensorFlow's)" },
        { "json", "JSON" },
        { "npy", "NumPy array (.npy)" },
        { "npz", "NumPy arrays (.npz)" },
        { "zip", "zip archive" },
        { "csv", "table (.csv)" },
        { "checkpoint", "TensorFlow checkpoint" },
    };
    const char *format = tn__json_text(report, "format"), *name = "unknown";
    for (size_t i = 0; format && i < sizeof names / sizeof *names; i++)
        name = strcmp(format, names[i][0]) == 0 ? names[i][1] : name;
    bool model = json_is_object(json_object_get(report, "model"));
    tn__text_add(text, "format: %s%s\n", name,
                 format && strcmp(format, "json") == 0 && model ? " architecture" : "");
}

static void add_model(tn__text *text, const json_t *model)
{
    const char *name = tn__json_text(model, "name"), *optimizer = tn__json_text(model, "optimizer");
    if (!model || json_is_null(model))
        return;
    tn__inspect_words(text, "model: ", tn__json_text(model, "class"), "");
    if (name)
        tn__inspect_words(text, " '", name, "'");
    tn__inspect_words(text, optimizer ? ", compiled with " : "", optimizer, "\n");
}

static void add_layers(tn__text *text, const json_t *layers)
{
    size_t i;
    const json_t *layer;
    if (json_array_size(layers) > 0)
        tn__text_add(text, "layers:\n");
    json_array_foreach(layers, i, layer)
    {
        const char *name = tn__json_text(layer, "name");
        int depth = (int)json_integer_value(json_object_get(layer, "depth"));
        tn__text_add(text, "  %*s", 2 * depth, "");
        tn__inspect_words(text, "", tn__json_text(layer, "class"), name ? " " : "");
        tn__inspect_words(text, "", name, "");
        bool known = json_is_true(json_object_get(layer, "known"));
        tn__text_add(text, known ? "\n" : "  (nobody knows this class)\n");
    }
}

static void add_unknown(tn__text *text, const json_t *classes)
{
    size_t i;
    const json_t *class;
    json_array_foreach(classes, i, class)
    {
        tn__inspect_words(text, i ? ", " : "unknown classes: ", json_string_value(class), "");
    }
    tn__text_add(text, json_array_size(classes) ? "\n" : "");
}

void tn__inspect_shape(tn__text *text, const json_t *shape)
{
    size_t i;
    const json_t *dim;
    tn__text_add(text, "(");
    json_array_foreach(shape, i, dim)
        tn__text_add(text, "%s%lld", i ? ", " : "", (long long)json_integer_value(dim));
    tn__text_add(text, json_array_size(shape) == 1 ? ",)" : ")");
}

static void add_variables(tn__text *text, const char *what, const json_t *variables)
{
    size_t i;
    const json_t *variable;
    if (json_array_size(variables) > 0)
        tn__text_add(text, "%s:\n", what);
    json_array_foreach(variables, i, variable)
    {
        const char *path = tn__json_text(variable, "path");
        tn__inspect_words(text, "  ", path, path && *path ? " " : "");
        tn__text_add(text, "%s ", tn__json_text(variable, "dtype"));
        tn__inspect_shape(text, json_object_get(variable, "shape"));
        tn__text_add(text, "\n");
    }
}

/* Of an archive that is none of Keras's or NumPy's. */
static void add_members(tn__text *text, const json_t *members)
{
    size_t i;
    const json_t *member;
    tn__text_add(text, "members:\n");
    json_array_foreach(members, i, member)
    {
        tn__inspect_words(text, "  ", tn__json_text(member, "name"), "");
        tn__text_add(text, " %lld bytes\n",
                     (long long)json_integer_value(json_object_get(member, "bytes")));
    }
}

static int64_t total_of(const json_t *report, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(report, "totals"), key));
}

static void add_totals(tn__text *text, const json_t *report)
{
    char count[32], numbers[32], size[32];
    if (total_of(report, "variables") > 0) {
        tn__with_commas(total_of(report, "variables"), count, sizeof count);
        tn__with_commas(total_of(report, "numbers"), numbers, sizeof numbers);
        tn__size_text((double)total_of(report, "bytes"), size, sizeof size);
        tn__text_add(text, "total: %s arrays, %s numbers, %s\n", count, numbers, size);
    }
    if (total_of(report, "optimizer_variables") > 0) {
        tn__with_commas(total_of(report, "optimizer_variables"), count, sizeof count);
        tn__size_text((double)total_of(report, "optimizer_bytes"), size, sizeof size);
        tn__text_add(text, "total of optimizer state: %s arrays, %s\n", count, size);
    }
}

static void add_problems(tn__text *text, const json_t *problems)
{
    size_t i;
    const json_t *problem;
    json_array_foreach(problems, i, problem)
    {
        tn__text_add(text, "%s", tn__json_text(problem, "kind"));
        tn__inspect_words(text, ": ", tn__json_text(problem, "message"), "\n");
    }
}

void tn__inspect_text(const json_t *report, tn__text *text)
{
    static const char *const lines[] = { "keras_version", "backend", "tenon_version",
                                         "date_saved" };
    const char *format = tn__json_text(report, "format");
    add_format(text, report);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        add_line(text, report, lines[i]);
    add_model(text, json_object_get(report, "model"));
    add_layers(text, json_object_get(report, "layers"));
    add_unknown(text, json_object_get(report, "unknown_classes"));
    if (format && strcmp(format, "zip") == 0)
        add_members(text, json_object_get(report, "members"));
    bool arrays = format && (*format == 'n' || *format == 'c');
    add_variables(text, arrays ? "arrays" : "weights", json_object_get(report, "variables"));
    add_variables(text, "optimizer state", json_object_get(report, "optimizer_variables"));
    add_totals(text, report);
    add_problems(text, json_object_get(report, "problems"));
}
