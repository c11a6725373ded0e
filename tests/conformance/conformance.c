/* conformance.c - replays a corpus of cases that the real TensorFlow and Keras recorded.
 *
 *     conformance DIR [--kind K] [--case C] [--list] [--expected FILE]
 *
 * Prints every failing case with its first difference; ends with "N passed, N failed, N skipped".
 * Skipped is only what has no class, op or format here.
 * --list prints every case with its outcome, skipped ones with the reason. Exits 1 when a case
 * failed, 2 on wrong usage.
 * --expected: {"kind/case": "the reason", …}: exits 0 when exactly these of the cases that were
 * replayed failed, and 1 also when one of them passed. */
#include "conformance/conformance.h"
#include "nn/config.h"
#include "tenon/gradient.h"
#include "tenon/ops.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    void (*replay)(golden_case *c, verdict *v);
} kinds[] = {
    { "layers", replay_layer },
    { "activations", replay_activation },
    { "initializers", replay_initializer },
    { "regularizers", replay_regularizer },
    { "constraints", replay_constraint },
    { "losses", replay_loss },
    { "metrics", replay_metric },
    { "optimizers", replay_optimizer },
    { "schedules", replay_schedule },
    { "training", replay_training },
    { "files", replay_files },
    { "naming", replay_naming },
    { "ops", replay_op },
    { "random", replay_random },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* --- verdicts --------------------------------------------------------------------------------- */
static bool decide(verdict *v, outcome what, const char *format, va_list arguments)
{
    if (v->outcome == PASSED) {
        v->outcome = what;
        vsnprintf(v->reason, sizeof v->reason, format, arguments);
    }
    return false;
}

bool fail_case(verdict *v, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    decide(v, FAILED, format, arguments);
    va_end(arguments);
    return false;
}

bool skip_case(verdict *v, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    decide(v, SKIPPED, format, arguments);
    va_end(arguments);
    return false;
}

bool no_error(verdict *v, const char *what)
{
    const tn_error *error = tn_catch(TN_ANY_ERROR);
    return error ? fail_case(v, "%s: %s", what, error->message) : true;
}

bool same(verdict *v, golden_case *c, tn_tensor *got, tn_tensor *want, const char *what)
{
    char text[400];
    if (!no_error(v, what))
        return false;
    golden_difference(got, want, golden_rtol(c), golden_atol(c), text, sizeof text);
    if (!no_error(v, what))
        return false;
    return text[0] ? fail_case(v, "%s: %s", what, text) : true;
}

bool same_json(verdict *v, golden_case *c, tn_tensor *got, const json_t *want, const char *what)
{
    tn_tensor *tensor = golden_tensor(c, want, got ? (tn_dtype)got->dtype : (tn_dtype)0);
    if (!tensor && !json_is_null(want))
        return fail_case(v, "%s: the corpus's array cannot be read", what);
    return same(v, c, got, tensor, what);
}

tn_tensor *weighted_sum(tn_list outputs, const golden_leaves *cotangents)
{
    tn_tensor *sum = NULL;
    size_t next = 0;
    for (size_t i = 0; i < outputs.count; i++) {
        if (!tn__in(TN__FLOATS, (tn_dtype)outputs.item[i]->dtype) || next >= cotangents->count)
            continue;
        tn_tensor *part = tn_reduce_sum(tn_multiply(outputs.item[i], cotangents->item[next++]));
        sum = sum ? tn_add(sum, part) : part;
    }
    return sum;
}

bool is_same_value(const json_t *got, const json_t *want)
{
    const char *key;
    json_t *value;
    if (json_is_number(got) && json_is_number(want)) {
        double x = json_number_value(got), y = json_number_value(want);
        return fabs(x - y) <= 1e-7 * fabs(y); /* some of Keras's went through float32 */
    }
    if (json_is_object(got) && json_is_object(want)) {
        json_object_foreach((json_t *)(uintptr_t)got, key, value)
            if (json_object_get(want, key) ? !is_same_value(value, json_object_get(want, key))
                                           : !json_is_null(value))
                return false;
        return true;
    }
    if (!json_is_array(got) || json_array_size(got) != json_array_size(want))
        return json_equal((json_t *)(uintptr_t)got, (json_t *)(uintptr_t)want);
    for (size_t i = 0; i < json_array_size(got); i++)
        if (!is_same_value(json_array_get(got, i), json_array_get(want, i)))
            return false;
    return true;
}

/* --- what is there ---------------------------------------------------------------------------- */
static const struct {
    const char *module;
    tn__object_kind kind;
} modules[] = {
    { "keras.initializers", TN__INITIALIZER }, { "keras.regularizers", TN__REGULARIZER },
    { "keras.constraints", TN__CONSTRAINT },   { "keras.losses", TN__LOSS },
    { "keras.metrics", TN__METRIC },           { "keras.optimizers", TN__OPTIMIZER },
    { "keras.optimizers.schedules", TN__SCHEDULE },
};

static bool is_known_class(verdict *v, const json_t *json, const char *name)
{
    const char *module = tn__json_text(json, "module");
    if (name[0] == '_' || strcmp(name, "DTypePolicy") == 0)
        return true;
    for (size_t i = 0; module && i < sizeof modules / sizeof *modules; i++)
        if (strcmp(module, modules[i].module) == 0)
            return tn__object_class_find(modules[i].kind, name) ||
                   skip_case(v, "%s %s", tn__kind_name(modules[i].kind), name);
    return tn__class_find(name) || skip_case(v, "class %s", name);
}

static bool is_known_word(verdict *v, const char *key, const json_t *value)
{
    size_t length = strlen(key);
    if (strcmp(key, "lora_rank") == 0 && json_is_integer(value))
        return skip_case(v, "lora_rank");
    bool activation = length >= 10 && strcmp(key + length - 10, "activation") == 0;
    return !activation || !json_is_string(value) ||
           tn__object_class_find(TN__ACTIVATION, json_string_value(value)) ||
           skip_case(v, "activation %s", json_string_value(value));
}

bool is_known(verdict *v, const json_t *json)
{
    const char *name = tn__json_text(json, "class_name"), *key;
    json_t *value;
    if (name && json_object_get(json, "config") && !is_known_class(v, json, name))
        return false;
    for (size_t i = 0; i < json_array_size(json); i++)
        if (!is_known(v, json_array_get(json, i)))
            return false;
    json_object_foreach((json_t *)(uintptr_t)json, key,
                        value) if (!is_known_word(v, key, value) ||
                                   !is_known(v, value)) return false;
    return true;
}

bool thing_of(verdict *v, tn__object_kind kind, const json_t *json, tn__thing *thing)
{
    *thing = (tn__thing){ NULL, NULL };
    if (!is_known(v, json))
        return false;
    return tn__thing_from_json(kind, json, thing) == TN_OK ? true : no_error(v, "its config");
}

/* --- the run ---------------------------------------------------------------------------------- */
typedef struct {
    const char *folder, *kind, *name;
    bool list;
    json_t *expected; /* failures: {case: reason}; NULL: none is */
} wishes;

static void replay(const golden_corpus *corpus, const json_t *entry, size_t kind, verdict *v)
{
    golden_case *c = golden_case_open(corpus, entry);
    if (!c) {
        fail_case(v, "its files cannot be read");
        return;
    }
    TN_SCOPE;
    kinds[kind].replay(c, v);
    no_error(v, "afterwards");
    golden_case_close(c);
}

static void report(const json_t *entry, const verdict *v, bool list)
{
    static const char *const words[] = { "passed", "FAILED", "skipped" };
    if (!list && v->outcome != FAILED)
        return;
    const char *end = strchr(v->reason, '\n');
    int length = end && list ? (int)(end - v->reason) : (int)strlen(v->reason);
    printf("%s %s%s%.*s\n", words[v->outcome], json_string_value(json_object_get(entry, "case")),
           length ? ": " : "", length, v->reason);
}

static bool is_wanted(const json_t *entry, const wishes *w, size_t *kind)
{
    const char *name = json_string_value(json_object_get(entry, "case")),
               *own = json_string_value(json_object_get(entry, "kind"));
    if (!name || !own || (w->kind && strcmp(w->kind, own) != 0) ||
        (w->name && !strstr(name, w->name)))
        return false;
    for (*kind = 0; *kind < KINDS; ++*kind)
        if (strcmp(kinds[*kind].name, own) == 0)
            return true;
    return w->list || w->kind;
}

/* Whether the case ended as it was expected to. */
static bool is_as_expected(const wishes *w, const json_t *entry, const verdict *v)
{
    const char *name = tn__json_text(entry, "case"), *why = tn__json_text(w->expected, name);
    if (!why)
        return v->outcome != FAILED;
    printf(v->outcome == FAILED ? "expected %s: %s\n"
                                : "UNEXPECTED %s did not fail, as it was to: %s\n",
           name, why);
    return v->outcome == FAILED;
}

static int run(const golden_corpus *corpus, const wishes *w)
{
    size_t counts[3] = { 0, 0, 0 }, kind, unexpected = 0;
    for (size_t i = 0; i < golden_count(corpus); i++) {
        const json_t *entry = golden_entry(corpus, i);
        if (!is_wanted(entry, w, &kind))
            continue;
        verdict v = { PASSED, "" };
        if (kind < KINDS)
            replay(corpus, entry, kind, &v);
        else
            skip_case(&v, "nothing replays this kind");
        report(entry, &v, w->list);
        unexpected += !is_as_expected(w, entry, &v);
        counts[v.outcome]++;
    }
    printf("%zu passed, %zu failed, %zu skipped\n", counts[PASSED], counts[FAILED],
           counts[SKIPPED]);
    return unexpected > 0;
}

static bool read_expected(const char *path, json_t **expected)
{
    json_error_t error;
    *expected = json_load_file(path, 0, &error);
    if (!*expected)
        fprintf(stderr, "%s: line %d: %s\n", path, error.line, error.text);
    return json_is_object(*expected);
}

static bool read_wishes(int count, char **words, wishes *w)
{
    for (int i = 1; i < count; i++) {
        bool value = i + 1 < count;
        if (strcmp(words[i], "--list") == 0)
            w->list = true;
        else if (strcmp(words[i], "--kind") == 0 && value)
            w->kind = words[++i];
        else if (strcmp(words[i], "--case") == 0 && value)
            w->name = words[++i];
        else if (strcmp(words[i], "--expected") == 0 && value && !w->expected) {
            if (!read_expected(words[++i], &w->expected))
                return false;
        } else if (words[i][0] == '-' || w->folder)
            return false;
        else
            w->folder = words[i];
    }
    return w->folder != NULL;
}

int main(int count, char **words)
{
    wishes w = { 0 };
    golden_corpus corpus;
    if (!read_wishes(count, words, &w)) {
        fprintf(stderr,
                "usage: conformance DIR [--kind K] [--case C] [--list] [--expected FILE]\n");
        return 2;
    }
    if (!golden_open(w.folder, &corpus))
        return 2;
    int status = run(&corpus, &w);
    golden_close(&corpus);
    json_decref(w.expected);
    return status;
}
