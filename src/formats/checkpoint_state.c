/* checkpoint_state.c - protobuf's text form: names, a colon, values; messages in braces. */
#include "formats/checkpoint_state.h"
#include "base/text.h"
#include <string.h>

enum { DEPTH = 100 }; /* of braces, in fields that are skipped */

typedef struct {
    const char *start, *at, *end;
    tn__arena *arena;
} cursor;

static tn_status fail_text(const cursor *c, const char *expected)
{
    return tn__fail(TN_DATA_LOSS, "checkpoint state: expected %s at byte %zu", expected,
                    (size_t)(c->at - c->start));
}

/* --- pieces of text --------------------------------------------------------------------------- */
static bool is_space(char x)
{
    return x == ' ' || (x >= '\t' && x <= '\r');
}

/* Spaces and comments. */
static void skip_spaces(cursor *c)
{
    while (c->at < c->end && (is_space(*c->at) || *c->at == '#')) {
        if (*c->at == '#')
            while (c->at < c->end && *c->at != '\n')
                c->at++;
        else
            c->at++;
    }
}

static bool take(cursor *c, char wanted)
{
    skip_spaces(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool is_word(char x)
{
    return (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') || x == '_' ||
           x == '.' || x == '-' || x == '+';
}

/* A name or a number. */
static size_t take_word(cursor *c, const char **word)
{
    skip_spaces(c);
    *word = c->at;
    while (c->at < c->end && is_word(*c->at))
        c->at++;
    return (size_t)(c->at - *word);
}

static int digit(char x, int base)
{
    int value = x >= '0' && x <= '9'   ? x - '0'
                : x >= 'a' && x <= 'f' ? x - 'a' + 10
                : x >= 'A' && x <= 'F' ? x - 'A' + 10
                                       : base;
    return value < base ? value : -1;
}

/* Up to `most` digits; -1 when there is none. */
static int take_digits(cursor *c, int base, int most)
{
    int value = -1;
    for (int i = 0; i < most && c->at < c->end && digit(*c->at, base) >= 0; i++)
        value = (value < 0 ? 0 : value * base) + digit(*c->at++, base);
    return value;
}

/* What stands behind a backslash; -1 when it is nothing that is known. */
static int take_escape(cursor *c)
{
    static const char letters[] = "abfnrtv", meanings[] = "\a\b\f\n\r\t\v";
    if (c->at == c->end)
        return -1;
    if (digit(*c->at, 8) >= 0)
        return take_digits(c, 8, 3) & 0xff;
    char letter = *c->at++;
    if (letter == 'x' || letter == 'X')
        return take_digits(c, 16, 2);
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found)
        return meanings[found - letters];
    return letter && strchr("\\\"'?", letter) ? letter : -1;
}

/* One text in quotes. */
static tn_status take_quoted(cursor *c, tn__text *text)
{
    char quote = *c->at++;
    while (c->at < c->end && *c->at != quote && *c->at != '\n') {
        int byte = (uint8_t)*c->at++;
        if (byte == '\\')
            byte = take_escape(c);
        if (byte <= 0)
            return fail_text(c, "a text without strange characters");
        tn__text_add_bytes(text, &(char){ (char)byte }, 1);
    }
    if (c->at == c->end || *c->at != quote)
        return fail_text(c, "the end of a text");
    c->at++;
    return TN_OK;
}

/* Several one after the other are one. */
static tn_status take_text(cursor *c, const char **value)
{
    tn__text text = { 0 };
    tn_status status = TN_OK;
    skip_spaces(c);
    if (c->at == c->end || (*c->at != '"' && *c->at != '\''))
        return fail_text(c, "a text in quotes");
    while (status == TN_OK && c->at < c->end && (*c->at == '"' || *c->at == '\'')) {
        status = take_quoted(c, &text);
        skip_spaces(c);
    }
    if (status == TN_OK) {
        const char *got = tn__text_get(&text);
        *value = text.failed ? NULL : tn__arena_text(c->arena, got);
        status = *value ? TN_OK : TN_RESOURCE_EXHAUSTED;
    }
    tn__text_free(&text);
    return status;
}

static tn_status take_number(cursor *c, double *value)
{
    const char *word;
    size_t size = take_word(c, &word);
    return tn__number_parse(word, size, value) ? TN_OK : fail_text(c, "a number");
}

/* A value of a field that is not known: what is in brackets is passed over. */
static tn_status skip_value(cursor *c)
{
    int depth = 0;
    do {
        const char *text, *word;
        skip_spaces(c);
        char next = (char)(c->at < c->end ? *c->at : 0);
        if (next == '"' || next == '\'') {
            TN_TRY(take_text(c, &text));
        } else if (next && strchr("{<[", next)) {
            c->at++;
            depth++;
        } else if (next && depth && strchr("}>],;:", next)) {
            c->at++;
            depth -= next == '}' || next == '>' || next == ']';
        } else if (!take_word(c, &word)) {
            return fail_text(c, "a value");
        }
    } while (depth > 0 && depth < DEPTH);
    return depth == 0 ? TN_OK : fail_text(c, "fewer brackets within each other");
}

/* --- reading ---------------------------------------------------------------------------------- */
static tn_status read_field(cursor *c, const char *name, size_t size, tn__checkpoint_state *state)
{
#define IS(text) (size == sizeof text - 1 && memcmp(name, text, size) == 0)
    if (IS("model_checkpoint_path"))
        return take_text(c, &state->model_checkpoint_path);
    if (IS("last_preserved_timestamp"))
        return take_number(c, &state->last_preserved_timestamp);
    if (IS("all_model_checkpoint_paths")) {
        const char **path = TN__ARENA_ADD(c->arena, &state->all_model_checkpoint_paths);
        return path ? take_text(c, path) : TN_RESOURCE_EXHAUSTED;
    }
    if (IS("all_model_checkpoint_timestamps")) {
        double *time = TN__ARENA_ADD(c->arena, &state->all_model_checkpoint_timestamps);
        return time ? take_number(c, time) : TN_RESOURCE_EXHAUSTED;
    }
#undef IS
    return skip_value(c);
}

tn_status tn__checkpoint_state_read(tn__span text, tn__arena *arena, tn__checkpoint_state *state)
{
    const char *start = (const char *)text.data;
    cursor c = { start, start, text.size ? start + text.size : start, arena };
    *state = (tn__checkpoint_state){ 0 };
    for (skip_spaces(&c); c.at < c.end; skip_spaces(&c)) {
        const char *name;
        size_t size = take_word(&c, &name);
        if (size == 0)
            return fail_text(&c, "the name of a field");
        bool colon = take(&c, ':');
        skip_spaces(&c);
        if (!colon && (c.at == c.end || (*c.at != '{' && *c.at != '<')))
            return fail_text(&c, "':'");
        TN_TRY(read_field(&c, name, size, state));
        if (!take(&c, ','))
            take(&c, ';');
    }
    return TN_OK;
}

/* --- writing ---------------------------------------------------------------------------------- */
static void put_text(tn__text *out, const char *name, const char *value)
{
    static const char special[] = "\n\r\t\"'\\", letters[] = "nrt\"'\\";
    tn__text_add(out, "%s: \"", name);
    for (const char *at = value; *at; at++) {
        const char *found = strchr(special, *at);
        if (found)
            tn__text_add(out, "\\%c", letters[found - special]);
        else if ((uint8_t)*at < ' ' || *at == 0x7f)
            tn__text_add(out, "\\%03o", (unsigned)(uint8_t)*at);
        else
            tn__text_add_bytes(out, at, 1);
    }
    tn__text_add(out, "\"\n");
}

static void put_number(tn__text *out, const char *name, double value)
{
    char number[TN__NUMBER_TEXT];
    tn__number_text(value, false, number, sizeof number);
    tn__text_add(out, "%s: %s\n", name, number);
}

tn_status tn__checkpoint_state_write(const tn__checkpoint_state *state, tn__bytes *text)
{
    tn__text out = { 0 };
    if (state->model_checkpoint_path)
        put_text(&out, "model_checkpoint_path", state->model_checkpoint_path);
    for (size_t i = 0; i < state->all_model_checkpoint_paths.count; i++)
        put_text(&out, "all_model_checkpoint_paths", state->all_model_checkpoint_paths.item[i]);
    for (size_t i = 0; i < state->all_model_checkpoint_timestamps.count; i++)
        put_number(&out, "all_model_checkpoint_timestamps",
                   state->all_model_checkpoint_timestamps.item[i]);
    if (state->last_preserved_timestamp != 0)
        put_number(&out, "last_preserved_timestamp", state->last_preserved_timestamp);
    tn_status status =
        out.failed ? TN_RESOURCE_EXHAUSTED : tn__bytes_append(text, out.bytes.data, out.bytes.size);
    tn__text_free(&out);
    return status;
}
