/* diff_text.c - the report of diff.c for people. */
#include "nn/config.h"
#include "saving/diff.h"
#include "saving/inspect.h"
#include <stdlib.h>
#include <string.h>

static void add_side(tn__text *text, const json_t *side)
{
    tn__text_add(text, "%s ", tn__json_text(side, "dtype"));
    tn__inspect_shape(text, json_object_get(side, "shape"));
}

static void add_largest(tn__text *text, const json_t *largest)
{
    char number[TN__NUMBER_TEXT];
    if (json_is_null(largest))
        return;
    tn__number_text(json_number_value(largest), false, number, sizeof number);
    tn__text_add(text, "; largest difference %s", json_is_string(largest) ? "infinite" : number);
}

static bool only_one(tn__text *text, const json_t *variable, const char *key, const char *other)
{
    if (!json_is_null(json_object_get(variable, other)))
        return false;
    tn__text_add(text, "only in %s", key);
    tn__inspect_words(text, ": ", tn__json_text(variable, "name"), " ");
    add_side(text, json_object_get(variable, key));
    return true;
}

static void add_variable(tn__text *text, const json_t *variable)
{
    const json_t *a = json_object_get(variable, "a"), *b = json_object_get(variable, "b");
    if (!only_one(text, variable, "a", "b") && !only_one(text, variable, "b", "a")) {
        tn__inspect_words(text, "", tn__json_text(variable, "name"), ": ");
        add_side(text, a);
        if (!json_equal((json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b)) {
            tn__text_add(text, " and ");
            add_side(text, b);
        }
        add_largest(text, json_object_get(variable, "largest"));
    }
    tn__text_add(text, "\n");
}

static void add_value(tn__text *text, const json_t *value, const char *after)
{
    char *words = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    size_t length = words ? strlen(words) : 0;
    if (length > 200)
        memcpy(words + 197, "...", 4);
    tn__inspect_words(text, "", words ? words : "nothing", after);
    free(words);
}

static void add_config(tn__text *text, const json_t *config)
{
    const char *layer = tn__json_text(config, "layer");
    tn__inspect_words(text, "config: ", *layer ? layer : "(model)", " ");
    tn__inspect_words(text, "", tn__json_text(config, "key"), ": ");
    add_value(text, json_object_get(config, "a"), " and ");
    add_value(text, json_object_get(config, "b"), "\n");
}

static void add_end(tn__text *text, const json_t *report, size_t equal)
{
    size_t i;
    const json_t *note;
    json_array_foreach(json_object_get(report, "notes"), i, note)
        tn__inspect_words(text, "note: ", json_string_value(note), "\n");
    int differences = (int)json_integer_value(json_object_get(report, "differences"));
    if (differences)
        tn__text_add(text, "%d difference%s, ", differences, differences == 1 ? "" : "s");
    tn__text_add(text, "%zu variable%s equal\n", equal, equal == 1 ? " is" : "s are");
}

void tn__diff_text(const json_t *report, tn__text *text)
{
    size_t i, equal = 0;
    const json_t *entry;
    json_array_foreach(json_object_get(report, "variables"), i, entry)
    {
        bool same = json_is_true(json_object_get(entry, "equal"));
        equal += same;
        if (!same)
            add_variable(text, entry);
    }
    json_array_foreach(json_object_get(report, "configs"), i, entry) add_config(text, entry);
    add_end(text, report, equal);
}
